/*
 * Limits that are written to files made up here: what would take them back. A file that refuses a value is
 * there in /proc/self: a score of the OOM killer above 1000 is as invalid as a burst above the quota.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "cgroups/limits.h"
#include "tests/unit/test_dir.h"

TestSuite(limits, .init = dir_make, .fini = dir_remove);

static struct cgroup here(void)
{
	static char path[] = "/c";

	return (struct cgroup){ .fd = dir_fd, .mount = -1, .path = path };
}

struct row {
	const char *what;
	struct {
		const char *name, *text;
	} files[4]; /* none: it is in /proc/self */
	struct knob_value values[4];
	int r;
	const char *back; /* the writes that take it back, in their order */
	const char *says; /* NULL: nothing */
};

static const struct row rows[] = {
	{ "in reverse",
	  { { "cpu.max", "max 100000" }, { "pids.max", "5" } },
	  { { .member = "a", .file = "cpu.max", .value = "50000" },
	    { .member = "b", .file = "pids.max", .value = "7" },
	    { .member = "c", .file = "none", .value = "1" } },
	  -ENOENT,
	  "pids.max=5 cpu.max=max 100000",
	  "c: write \"1\" to /c/none: no such file or directory" },
	{ "what failed is not taken back, and another order is reversed too",
	  { { NULL, NULL } },
	  { { .member = "a", .file = "oom_score_adj", .value = "30000", .flags = KNOB_AGAIN },
	    { .member = "b", .file = "comm", .value = "changed" } },
	  -EINVAL,
	  "comm=before",
	  "a: write \"30000\" to /c/oom_score_adj: invalid argument" },
	{ "idle, and then the weight that it had",
	  { { "cpu.idle", "0" }, { "cpu.weight", "59" } },
	  { { .member = "a", .file = "cpu.idle", .value = "1" } },
	  0,
	  "cpu.idle=0 cpu.weight=59",
	  NULL },
	{ "what was idle has no weight",
	  { { "cpu.idle", "1" }, { "cpu.weight", "0" } },
	  { { .member = "a", .file = "cpu.idle", .value = "0" } },
	  0,
	  "cpu.idle=1",
	  NULL },
	{ "an empty cpuset",
	  { { "cpuset.cpus", "" }, { "cpuset.cpus.effective", "0-3\n" } },
	  { { .member = "a", .file = "cpuset.cpus", .value = "0" } },
	  0,
	  "cpuset.cpus=\n|0-3",
	  NULL },
	{ "a cpuset",
	  { { "cpuset.mems", "1\n" }, { "cpuset.mems.effective", "1\n" } },
	  { { .member = "a", .file = "cpuset.mems", .value = "0" } },
	  0,
	  "cpuset.mems=1",
	  NULL },
	{ "the other file is named",
	  { { NULL, NULL } },
	  { { .member = "a",
	      .file = "io.bfq.weight",
	      .value = "300",
	      .other_file = "oom_score_adj",
	      .other_value = "2930" } },
	  -EINVAL,
	  "",
	  "a: write \"2930\" to /c/oom_score_adj: invalid argument" },
};

static void make_files(const struct row *row)
{
	for (size_t i = 0; i < ARRAY_LEN(row->files) && row->files[i].name; i++)
		dir_file(row->files[i].name, row->files[i].text);
}

static void remove_files(const struct row *row)
{
	for (size_t i = 0; i < ARRAY_LEN(row->files) && row->files[i].name; i++)
		cr_assert_eq(unlinkat(dir_fd, row->files[i].name, 0), 0);
}

Test(limits, are_taken_back_in_reverse)
{
	auto_fd int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[16] = "";

	cr_assert_geq(self, 0);
	prctl(PR_SET_NAME, "before");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cgroup cg = here();
		auto_applied struct cgroup_applied applied = { 0 };
		struct knob_value values[ARRAY_LEN(rows[i].values)];
		struct cgroup_plan plan = { .values = { values, 0 } };
		auto_buf struct buf back = { 0 };
		struct err e = { 0 };

		memcpy(values, rows[i].values, sizeof(values));
		while (plan.values.n < ARRAY_LEN(values) && values[plan.values.n].file)
			plan.values.n++;
		make_files(&rows[i]);
		cg.fd = rows[i].files[0].name ? dir_fd : self;
		cr_expect_eq(limits_apply(&cg, &plan, &applied, &e), rows[i].r, "%s: %s",
			     rows[i].what, e.msg);
		if (rows[i].says)
			cr_expect_str_eq(e.msg, rows[i].says, "%s: %s", rows[i].what, e.msg);
		buf_str(&back, "");
		for (size_t k = applied.writes.n; k > 0; k--) {
			const struct cgroup_write *w = &applied.writes.at[k - 1];

			buf_printf(&back, "%s%s=%s%s%s", back.len ? " " : "", w->file, w->before,
				   w->otherwise ? "|" : "", w->otherwise ? w->otherwise : "");
		}
		cr_expect_str_eq(back.text, rows[i].back, "%s: %s", rows[i].what, back.text);
		remove_files(&rows[i]);
	}
	prctl(PR_GET_NAME, name);
	cr_expect_str_eq(name, "before");
}

/* A limit of memory and swap together is about the limit of memory that is set: none, without that controller. */
Test(limits, without_a_controller_of_memory_there_is_no_limit_of_it)
{
	struct spec_resources resources = { .memory.swap = { true, 4096 } };
	const struct cgroup cg = here();
	struct err e = { 0 };

	cr_assert_eq(cgroup_complete(&cg, &resources, &e), 0, "%s", e.msg);
	cr_expect(resources.memory.limit.set);
	cr_expect_eq(resources.memory.limit.value, -1);
	dir_file("memory.max", "2048\n");
	resources.memory.limit.value = 0;
	cr_assert_eq(cgroup_complete(&cg, &resources, &e), 0, "%s", e.msg);
	cr_expect_eq(resources.memory.limit.value, 2048);
}
