/* Instructions of `commit --change`, and the configuration that is written. */
#include <criterion/criterion.h>
#include <string.h>

#include "image/config_change.h"

static const char *join(const struct strings *list, struct arena *a)
{
	const char *text = "";

	for (size_t i = 0; i < list->n; i++)
		text = arena_printf(a, "%s<%s>", text, list->at[i]);
	return text;
}

Test(config_change, instructions)
{
	static const struct {
		const char *instruction;
		const char *cmd, *env, *message;
	} rows[] = {
		{ "CMD [\"a\", \"b c\"]", "<a><b c>", "<A=1><B=2>", NULL },
		{ "CMD a  b", "</bin/sh><-c><a  b>", "<A=1><B=2>", NULL },
		{ "cmd=[\"a\"]", "<a>", "<A=1><B=2>", NULL },
		{ "CMD", "", "<A=1><B=2>", NULL },
		{ "ENV A=3", "<c>", "<A=3><B=2>", NULL },
		{ "ENV C=x\\ y D='q \"' E=\"\\\"\"", "<c>", "<A=1><B=2><C=x y><D=q \"><E=\">", NULL },
		{ "ENV C  rest = of  it", "<c>", "<A=1><B=2><C=rest = of  it>", NULL },
		{ "ENV", NULL, NULL, "\"ENV\": expected NAME=VALUE" },
		{ "ENV C", NULL, NULL, "\"ENV C\": \"C\": expected NAME=VALUE" },
		{ "ENV =x", NULL, NULL, "\"ENV =x\": \"=x\": a name is missing" },
		{ "ENV A=1 C", NULL, NULL, "\"ENV A=1 C\": \"C\": expected NAME=VALUE" },
		{ "ENV A='x", NULL, NULL, "\"ENV A='x\": a quote (') is not closed" },
		{ "CMD [1]", NULL, NULL, "\"CMD [1]\": the array:1:2: [0]: expected a string, found a number" },
		{ "VOLUME a", NULL, NULL, "\"VOLUME a\": \"a\" is no absolute path" },
		{ "WORKDIR ", NULL, NULL, "\"WORKDIR \": expected a directory" },
		{ "RUN x", NULL, NULL,
		  "\"RUN x\": expected CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR" },
		{ "", NULL, NULL,
		  "\"\": expected CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *cmd[] = { "c" }, *env[] = { "A=1", "B=2" };
		struct image_run run = { .cmd = { cmd, 1 }, .env = { env, 2 } };
		auto_arena struct arena a = { 0 };
		struct err e = { 0 };
		int r = image_run_change(&run, rows[i].instruction, &a, &e);

		if (rows[i].message) {
			cr_expect(r < 0, "row %zu", i);
			cr_expect_str_eq(e.msg, rows[i].message, "row %zu", i);
			continue;
		}
		cr_expect_eq(r, 0, "row %zu: %s", i, e.msg);
		cr_expect_str_eq(join(&run.cmd, &a), rows[i].cmd, "row %zu", i);
		cr_expect_str_eq(join(&run.env, &a), rows[i].env, "row %zu", i);
	}
}

/* What is not known stays; what is ours is written anew. */
Test(config_change, document)
{
	static const char old[] =
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"x\":[1,null,true,{\"y\":1.5}],"
		"\"container\":\"abc\",\"author\":\"A\",\"config\":{\"Cmd\":[\"old\"],\"Healthcheck\":{\"Test\":[\"NONE\"]}},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:1\"]},\"history\":[{\"created_by\":\"z\"}]}";
	static const char hex[] = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	const char *cmd[] = { "new" };
	const struct image_run run = { .user = "u", .cmd = { cmd, 1 } };
	struct image_step step = { .created = "T", .created_by = "B", .comment = "C" };
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	cr_assert_eq(digest_parse(hex, &step.diff_id, &e), 0);
	cr_assert_eq(image_config_change("old", old, strlen(old), &run, &step, &text, &e), 0, "%s", e.msg);
	cr_expect_str_eq(text.text,
			 "{\"created\":\"T\",\"author\":\"A\",\"architecture\":\"amd64\",\"os\":\"linux\","
			 "\"x\":[1,null,true,{\"y\":1.5}],"
			 "\"config\":{\"User\":\"u\",\"Cmd\":[\"new\"],\"Healthcheck\":{\"Test\":[\"NONE\"]}},"
			 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:1\","
			 "\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"]},"
			 "\"history\":[{\"created_by\":\"z\"},{\"created\":\"T\",\"created_by\":\"B\",\"comment\":\"C\"}]}");
}
