#include "base/io.h"
#include "process/pidfile.h"
#include "test_child.h"

static char work[] = "/tmp/hull-pidfile-XXXXXX";

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(work));
	cr_assert_eq(chdir(work), 0);
	umask(077);
}

static void tear_down(void)
{
	cr_assert_eq(io_remove_tree(AT_FDCWD, work), 0);
}

TestSuite(pidfile, .init = set_up, .fini = tear_down);

static void expect_file(const char *path, const char *expected)
{
	auto_buf struct buf got = { 0 };
	struct err e = { 0 };
	struct stat st;

	cr_assert_eq(io_read_file(AT_FDCWD, path, 100, path, &got, &e), 0, "%s", e.msg);
	cr_assert_str_eq(got.text, expected);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode, S_IFREG | 0644);
}

/* Nothing stays behind. */
static void expect_only(const char *name)
{
	if (name)
		cr_assert_eq(unlink(name), 0);
	cr_assert_eq(rmdir(work), 0, "something is left");
	cr_assert_eq(mkdir(work, 0700), 0);
}

Test(pidfile, holds_digits_only)
{
	static const char *const rows[] = { "pid", "./pid" };
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(pidfile_write(rows[i], 4194304 - (int)i, &e), 0, "%s", e.msg);
		expect_file("pid", i == 0 ? "4194304" : "4194303");
	}
	expect_only("pid");
}

Test(pidfile, takes_an_absolute_path)
{
	char path[64];
	struct err e = { 0 };

	snprintf(path, sizeof(path), "%s/pid", work);
	cr_assert_eq(pidfile_write(path, 1, &e), 0, "%s", e.msg);
	expect_file("pid", "1");
}

Test(pidfile, replaces_a_link_and_not_its_target)
{
	struct err e = { 0 };
	struct stat st;

	cr_assert_eq(symlink("target", "pid"), 0);
	cr_assert_eq(pidfile_write("pid", 7, &e), 0, "%s", e.msg);
	expect_file("pid", "7");
	cr_assert_eq(stat("target", &st), -1);
}

Test(pidfile, fails_and_leaves_nothing)
{
	static const struct {
		const char *path, *message;
		int code;
	} rows[] = {
		{ "no/such/pid", "write pid file no/such/pid: no such file or directory", ENOENT },
		{ "dir", "write pid file dir: is a directory", EISDIR },
	};
	struct err e = { 0 };

	cr_assert_eq(mkdir("dir", 0700), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(pidfile_write(rows[i].path, 1, &e), -rows[i].code);
		cr_assert_str_eq(e.msg, rows[i].message);
	}
	cr_assert_eq(rmdir("dir"), 0);
	expect_only(NULL);
}
