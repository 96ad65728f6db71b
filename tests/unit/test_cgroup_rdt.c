/* Classes of service, in a directory that plays resctrl: its files are made where the kernel would. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "cgroups/rdt.h"
#include "tests/unit/test_dir.h"

#define STRINGS(...)                                                                \
	{                                                                           \
		.at = (const char *[]){ __VA_ARGS__ },                              \
		.n = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *) \
	}

static void make(void)
{
	dir_make();
	dir_file("schemata", "    MB:0=100;1=100\n    L3:0=7ff;1=7ff\n");
	dir_file("tasks", "");
	dir_file("info/last_cmd_status", "ok\n");
	dir_file("mon_groups/", "");
}

TestSuite(rdt, .init = make, .fini = dir_remove);

/* What the kernel puts into a directory that was made. */
static void populate(const char *group)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/schemata", group);
	dir_file(path, "");
	snprintf(path, sizeof(path), "%s/tasks", group);
	dir_file(path, "");
	snprintf(path, sizeof(path), "%s/mon_groups/", group);
	dir_file(path, "");
}

/* ... and takes away with it. */
static void depopulate(const char *group)
{
	static const char *const files[] = { "schemata", "tasks", "mon_groups" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", group, files[i]);
		cr_assert_eq(unlinkat(dir_fd, path,
				      strcmp(files[i], "mon_groups") ? 0 : AT_REMOVEDIR),
			     0, "%s: errno %d", path, errno);
	}
}

static void expect_content(const char *path, const char *content)
{
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };

	cr_assert_eq(io_read_file(dir_fd, path, 65536, path, &b, &e), 0, "%s", e.msg);
	cr_expect_str_eq(b.text ? b.text : "", content);
}

/* Is opened, as the group that is expected, or is the message. */
static struct rdt_group open_group(const struct spec_intel_rdt *rdt, const char *message)
{
	struct rdt_group group = { 0 };
	struct err e = { 0 };
	int r = rdt_group_open(dir_fd, rdt, "c1", &group, &e);

	cr_assert_str_eq(e.msg, message ? message : "");
	cr_assert_eq(r < 0, message != NULL);
	return group;
}

Test(rdt, without_a_closid_the_class_is_the_containers_own)
{
	const struct spec_intel_rdt rdt = { .l3_cache_schema = "L3:0=f",
					    .mem_bw_schema = "MB:0=50",
					    .schemata = STRINGS("L2:0=3", "L3:1=1") };
	struct rdt_group group = open_group(&rdt, NULL);
	auto_buf struct buf old = { 0 };
	struct err e = { 0 };

	cr_expect_str_eq(group.name, "c1");
	cr_expect(group.made && !group.monitor);
	populate("c1");
	cr_assert_eq(rdt_group_set(dir_fd, &rdt, &group, &old, &e), 0, "%s", e.msg);
	expect_content("c1/schemata", "L3:0=f\nMB:0=50\nL2:0=3\nL3:1=1\n");
	cr_assert_eq(rdt_group_add(dir_fd, &group, 42, &e), 0, "%s", e.msg);
	expect_content("c1/tasks", "42");
	depopulate("c1");
	dir_file("c1/", "");
	/* without the file, we do not know that it is unused */
	cr_assert_eq(rdt_group_remove(dir_fd, &group, &e), 0, "%s", e.msg);
	cr_expect(dir_has("c1"));
}

/* The bandwidth in l3CacheSchema gives way to memBwSchema. */
Test(rdt, the_bandwidth_has_a_member_of_its_own)
{
	const struct spec_intel_rdt rdt = { .l3_cache_schema = "MB:0=70",
					    .mem_bw_schema = "MB:0=50" };
	struct rdt_group group = open_group(&rdt, NULL);
	auto_buf struct buf old = { 0 };
	struct err e = { 0 };

	populate("c1");
	cr_assert_eq(rdt_group_set(dir_fd, &rdt, &group, &old, &e), 0, "%s", e.msg);
	expect_content("c1/schemata", "MB:0=50\n");
}

Test(rdt, the_containers_own_class_must_not_exist)
{
	const struct spec_intel_rdt rdt = { .l3_cache_schema = "L3:0=f" };

	dir_file("c1/", "");
	open_group(&rdt, "linux.intelRdt: make class c1: file exists");
}

Test(rdt, a_class_that_was_prepared)
{
	const struct spec_intel_rdt rdt = { .clos_id = "gold" };
	struct rdt_group group;
	auto_buf struct buf old = { 0 };
	struct err e = { 0 };

	open_group(&rdt,
		   "linux.intelRdt.closID: there is no class gold, and no schemata to make it "
		   "with");
	dir_file("gold/schemata", "L3:0=1\n");
	dir_file("gold/tasks", "");
	group = open_group(&rdt, NULL);
	cr_expect(!group.made);
	cr_assert_eq(rdt_group_set(dir_fd, &rdt, &group, &old, &e), 0, "%s", e.msg);
	expect_content("gold/schemata", "L3:0=1\n");
	cr_assert_eq(rdt_group_add(dir_fd, &group, 7, &e), 0, "%s", e.msg);
	expect_content("gold/tasks", "7");
	cr_assert_eq(rdt_group_remove(dir_fd, &group, &e), 0, "%s", e.msg);
	cr_expect(dir_has("gold"));
}

Test(rdt, a_class_that_exists_must_have_the_schemata)
{
	const struct spec_intel_rdt same = { .clos_id = "gold",
					     .l3_cache_schema = "L3:1=0F",
					     .mem_bw_schema = "MB:0=50" },
				    other = { .clos_id = "gold", .l3_cache_schema = "L3:0=f;1=e" };

	dir_file("gold/schemata", "    MB:0= 50;1=100\n    L3:0=f;1=f\n");
	cr_expect(!open_group(&same, NULL).made);
	open_group(&other, "linux.intelRdt: class gold exists and does not have \"L3:0=f;1=e\"");
}

/* Its "schemata" is written all the same, and what it had comes back if the container is not made. */
Test(rdt, a_class_that_exists_is_given_schemata)
{
	const struct spec_intel_rdt rdt = { .clos_id = "gold",
					    .schemata = STRINGS("L3:0=1", "MB:0=20") };
	auto_buf struct buf old = { 0 };
	struct rdt_group group;
	struct err e = { 0 };

	dir_file("gold/schemata", "L3:0=f\nMB:0=50\n");
	dir_file("gold/tasks", "");
	group = open_group(&rdt, NULL);
	cr_expect(!group.made);
	cr_assert_eq(rdt_group_set(dir_fd, &rdt, &group, &old, &e), 0, "%s", e.msg);
	expect_content("gold/schemata", "L3:0=1\nMB:0=20\n");
	cr_assert_eq(rdt_group_undo(dir_fd, &group, &old, &e), 0, "%s", e.msg);
	expect_content("gold/schemata", "L3:0=f\nMB:0=50\n");
}

Test(rdt, a_class_with_a_name_is_made_if_it_has_schemata)
{
	const struct spec_intel_rdt rdt = { .clos_id = "gold", .mem_bw_schema = "MB:0=50" };
	struct rdt_group group = open_group(&rdt, NULL);
	auto_buf struct buf old = { 0 };
	struct err e = { 0 };

	cr_expect_str_eq(group.name, "gold");
	cr_expect(group.made && dir_has("gold"));
	populate("gold");
	cr_assert_eq(rdt_group_set(dir_fd, &rdt, &group, &old, &e), 0, "%s", e.msg);
	expect_content("gold/schemata", "MB:0=50\n");
}

/* One of the container's id goes with it, and any that was made goes if the container is not. */
Test(rdt, a_class_with_a_name_stays)
{
	static const struct {
		struct spec_intel_rdt rdt;
		bool settled, stays;
	} rows[] = {
		{ { .clos_id = "gold", .l3_cache_schema = "L3:0=f" }, true, true },
		{ { .clos_id = "gold", .l3_cache_schema = "L3:0=f" }, false, false },
		{ { .clos_id = "c1", .l3_cache_schema = "L3:0=f" }, true, true },
		{ { .l3_cache_schema = "L3:0=f" }, true, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rdt_group group = open_group(&rows[i].rdt, NULL);
		auto_free char *tasks = NULL;
		struct err e = { 0 };
		int r;

		cr_assert(group.made, "row %zu", i);
		cr_assert_geq(asprintf(&tasks, "%s/tasks", group.name), 0);
		dir_file(tasks, "");
		if (rows[i].settled)
			rdt_group_settle(&rows[i].rdt, &group);
		/* this directory, unlike the kernel's, has a file of its own */
		r = rdt_group_remove(dir_fd, &group, &e);
		cr_expect_eq(r, rows[i].stays ? 0 : -ENOTEMPTY, "row %zu: %s", i, e.msg);
		cr_assert_eq(unlinkat(dir_fd, tasks, 0), 0);
		cr_assert_eq(unlinkat(dir_fd, group.name, AT_REMOVEDIR), 0);
	}
}

Test(rdt, the_root_is_a_class)
{
	const struct spec_intel_rdt rdt = { .clos_id = "/", .enable_monitoring = true };
	struct rdt_group group = open_group(&rdt, NULL);
	auto_buf struct buf old = { 0 };
	struct err e = { 0 };

	cr_expect(!group.made);
	cr_assert_eq(rdt_group_set(dir_fd, &rdt, &group, &old, &e), 0, "%s", e.msg);
	cr_expect(dir_has("mon_groups/c1"));
	dir_file("mon_groups/c1/tasks", "");
	cr_assert_eq(rdt_group_add(dir_fd, &group, 9, &e), 0, "%s", e.msg);
	expect_content("tasks", "9");
	expect_content("mon_groups/c1/tasks", "9");
	cr_assert_eq(unlinkat(dir_fd, "mon_groups/c1/tasks", 0), 0);
	cr_assert_eq(rdt_group_remove(dir_fd, &group, &e), 0, "%s", e.msg);
	cr_expect(!dir_has("mon_groups/c1"));
	cr_expect(dir_has("schemata"));
	cr_assert_eq(rdt_group_remove(dir_fd, &group, &e), 0, "%s", e.msg);
}

Test(rdt, what_fails_leaves_nothing)
{
	const struct spec_intel_rdt rdt = { .clos_id = "gold", .enable_monitoring = true };
	struct rdt_group group;
	auto_buf struct buf old = { 0 };
	struct err e = { 0 };

	dir_file("gold/schemata", "");
	dir_file("gold/mon_groups/c1/", "");
	group = open_group(&rdt, NULL);
	cr_expect_eq(rdt_group_set(dir_fd, &rdt, &group, &old, &e), -EEXIST);
	cr_expect_str_eq(e.msg,
			 "linux.intelRdt.enableMonitoring: make mon_groups/c1 in class gold: "
			 "file exists");
	cr_expect(dir_has("gold/mon_groups/c1"), "it is somebody else's");
}

Test(rdt, an_update_can_be_taken_back)
{
	const struct spec_intel_rdt rdt = { .l3_cache_schema = "L3:0=3;1=3",
					    .mem_bw_schema = "MB:0=50" };
	const struct rdt_group group = { .name = "gold" }, none = { .name = "none" };
	auto_buf struct buf old = { 0 };
	struct err e = { 0 };

	dir_file("gold/schemata", "MB:0=10\nL3:0=f;1=f\n");
	cr_assert_eq(rdt_group_update(dir_fd, &group, &rdt, &old, &e), 0, "%s", e.msg);
	expect_content("gold/schemata", "L3:0=3;1=3\nMB:0=50\n");
	cr_assert_eq(rdt_group_restore(dir_fd, &group, &old, &e), 0, "%s", e.msg);
	expect_content("gold/schemata", "MB:0=10\nL3:0=f;1=f\n");
	cr_expect_eq(rdt_group_update(dir_fd, &none, &rdt, &old, &e), -ENOENT);
	cr_expect_str_eq(e.msg, "linux.intelRdt: open class none: no such file or directory");
}

/* The kernel says why in a file of its own. */
Test(rdt, the_kernels_words)
{
	const struct spec_intel_rdt rdt = { .l3_cache_schema = "L3:0=f",
					    .schemata = STRINGS("L2:0=1") };
	struct rdt_group group = open_group(&rdt, NULL);
	auto_buf struct buf old = { 0 };
	struct err e = { 0 };

	dir_file("info/last_cmd_status", "Unknown or unsupported resource name 'L2'\n");
	/* no schemata: as if the kernel had refused */
	cr_expect_eq(rdt_group_set(dir_fd, &rdt, &group, &old, &e), -ENOENT);
	cr_expect_str_eq(e.msg,
			 "linux.intelRdt: class c1: set \"L3:0=f L2:0=1\": Unknown or unsupported "
			 "resource name 'L2' (no such file or directory)");
}

Test(rdt, a_class_is_no_link)
{
	const struct spec_intel_rdt rdt = { .clos_id = "link" };

	cr_assert_eq(symlinkat("mon_groups", dir_fd, "link"), 0);
	open_group(&rdt, "linux.intelRdt: open class link: not a directory");
}

Test(rdt, a_made_class_goes_when_nobody_is_in_it)
{
	const struct rdt_group group = { .name = "gold", .made = true };
	struct err e = { 0 };

	dir_file("gold/tasks", "12\n");
	cr_expect_eq(rdt_group_remove(dir_fd, &group, &e), 0, "%s", e.msg);
	cr_expect(dir_has("gold"));
	dir_file("gold/tasks", "");
	/* this directory, unlike the kernel's, has files of its own */
	cr_expect_eq(rdt_group_remove(dir_fd, &group, &e), -ENOTEMPTY);
	cr_expect_str_eq(e.msg, "linux.intelRdt: remove class gold: directory not empty");
}

Test(rdt, schemata_are_compared_by_number)
{
	static const struct {
		const char *content, *line;
		bool holds;
	} rows[] = {
		{ "L3:0=f;1=f\n", "L3:0=f", true },
		{ "L3:0=f;1=f\n", "L3:1=f", true },
		{ "L3:0=f;1=f\n", "L3:0=f;1=f", true },
		{ "L3:0=f;1=f\n", "L3:1=0000f;0=F", true },
		{ "    L3:0=00f;1= f\n", "L3:0=f;1=f", true },
		{ "MB:0=100\nL3:0=f\n", "L3:0=f", true },
		{ "L3:0=f;1=f\n", "L3:2=f", false },
		{ "L3:0=f;1=f\n", "L3:0=e", false },
		{ "L3:0=f;1=f\n", "L3:0=ff", false },
		{ "L3:0=f\n", "L3CODE:0=f", false },
		{ "L3CODE:0=f\n", "L3:0=f", false },
		{ "L3:0=f\nMB:1=5\n", "L3:1=5", false },
		{ "L3:0=0\n", "L3:0=0", true },
		{ "L3:0=0\n", "L3:0=", false },
		{ "L3:\n", "L3:0=f", false },
		{ "", "L3:0=f", false },
		{ "L3:0=f\n", "L3", false },
		{ "L3:0=f\n", "L3:", false },
		{ "L3:0=f\n", "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(rdt_schemata_hold(rows[i].content, rows[i].line), rows[i].holds,
			     "\"%s\" in \"%s\"", rows[i].line, rows[i].content);
}
