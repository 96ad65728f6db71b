/*
 * Every document in tests/data/wrong is refused with exactly the words beside
 * it: NAME.json and NAME.error. NAME.exec-process.json and
 * NAME.update-resources.json are what exec and update take.
 */
#include "spec/validate.h"
#include "test_spec_data.h"

static const char *names[DATA_NAMES_MAX];

Test(wrong, documents_are_refused_with_these_words)
{
	auto_free char *dir = data_path("tests/data/wrong");
	size_t n = data_list(dir, ".json", names);

	cr_assert_gt(n, 70, "%s holds %zu documents", dir, n);
	for (size_t i = 0; i < n; i++) {
		auto_buf struct buf text = { 0 }, message = { 0 }, expect = { 0 };
		struct err e = { 0 };

		buf_add(&expect, names[i], strlen(names[i]) - strlen(".json"));
		buf_str(&expect, ".error");
		data_read(dir, names[i], &text);
		data_read(dir, expect.text, &message);
		message.text[strcspn(message.text, "\n")] = '\0';
		cr_expect_lt(data_parse(names[i], &text, &e), 0, "%s is taken", names[i]);
		cr_expect_str_eq(e.msg, message.text, "%s:\n     got: %s\nexpected: %s", names[i],
				 e.msg, message.text);
	}
}

static bool has_document(const char *rule, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(names[i], rule, strlen(rule)) == 0)
			return true;
	return false;
}

Test(wrong, every_rule_has_a_document)
{
	static const struct spec_rule *const lists[] = {
		spec_config_rules,  spec_linux_rules,     spec_seccomp_rules,
		spec_process_rules, spec_resources_rules,
	};
	auto_free char *dir = data_path("tests/data/wrong");
	size_t n = data_list(dir, ".json", names);

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (const struct spec_rule *r = lists[i]; r->name; r++)
			cr_expect(has_document(r->name, n), "no %s*.json in %s", r->name, dir);
}
