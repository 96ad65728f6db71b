/* What real engines wrote is taken. */
#include "test_spec_data.h"

static const char *names[DATA_NAMES_MAX];

Test(clients, documents_are_taken)
{
	auto_free char *dir = data_path("tests/data/clients");
	size_t n = data_list(dir, ".json", names);

	cr_assert_geq(n, 70, "%s holds %zu documents", dir, n);
	for (size_t i = 0; i < n; i++) {
		auto_buf struct buf text = { 0 };
		struct err e = { 0 };

		data_read(dir, names[i], &text);
		cr_expect_eq(data_parse(names[i], &text, &e), 0, "%s: %s", names[i], e.msg);
	}
}

/* One of them in detail, so that "taken" means "understood". */
Test(clients, podman_is_understood)
{
	auto_free char *dir = data_path("tests/data/clients");
	auto_spec struct spec s = { 0 };
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	data_read(dir, "podman-5.4.2-rootful-limits.json", &text);
	cr_assert_eq(spec_parse(&s, "config.json", text.text, text.len, &e), 0, "%s", e.msg);
	cr_expect_str_eq(s.oci_version, "1.2.0");
	cr_expect_gt(s.mounts.n, 5);
	cr_expect_gt(s.annotations.n, 0);
	cr_expect(spec_namespace(&s, SPEC_NS_PID));
	cr_expect_null(spec_namespace(&s, SPEC_NS_USER));
	cr_expect(s.linux.resources.memory.limit.set);
	cr_expect_eq(s.linux.resources.memory.limit.value, 67108864);
	cr_expect_eq(s.linux.resources.pids_limit.value, 2048);
	cr_expect_not(s.linux.resources.memory.kernel.set);
	cr_assert(s.linux.seccomp);
	cr_expect_eq(s.linux.seccomp->default_action, SPEC_ACT_ERRNO);
	cr_expect_eq(s.linux.seccomp->default_errno_ret.value, 38);
	cr_expect_gt(s.linux.seccomp->syscalls.n, 10);
	cr_assert(s.process);
	cr_expect_gt(s.process->args.n, 0);
	cr_expect_not(s.process->oom_score_adj.set);
	cr_expect_eq(s.process->user.umask.value, 022);
}
