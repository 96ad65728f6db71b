#include "base/io.h"
#include "base/scratch.h"
#include "tests/unit/test_dir.h"

TestSuite(scratch, .init = dir_make, .fini = dir_remove);

Test(scratch, is_private_and_goes_with_what_is_in_it)
{
	struct scratch s = SCRATCH_NONE;
	struct stat st;
	struct err e;

	cr_assert_eq(scratch_make(dir_fd, "work-", &s, &e), 0, "%s", e.msg);
	cr_expect_eq(strncmp(s.name, "work-", 5), 0);
	cr_assert_eq(fstat(s.dir, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0700);
	cr_assert_eq(mkdirat(s.dir, "deep", 0700), 0);
	cr_assert_eq(io_replace_file(s.dir, "deep/file", "x", 1, &e), 0, "%s", e.msg);
	scratch_done(&s);
	cr_expect_eq(s.dir, -1);
	cr_expect_eq(rmdir(dir_path), 0, "something is left");
	scratch_done(&s);
}

Test(scratch, sweeping_takes_only_what_nobody_holds)
{
	struct scratch mine = SCRATCH_NONE;
	struct err e;

	cr_assert_eq(scratch_make(dir_fd, "work-", &mine, &e), 0, "%s", e.msg);
	dir_file("work-0123456789abcdef/file", "of a killed one");
	dir_file("works/file", "another's");
	dir_file("work-file", "no directory");
	cr_assert_eq(symlinkat("works", dir_fd, "work-link"), 0);
	scratch_sweep(dir_fd, "work-");
	cr_expect(dir_has(mine.name));
	cr_expect_not(dir_has("work-0123456789abcdef"));
	cr_expect(dir_has("works/file"));
	cr_expect(dir_has("work-file"));
	cr_expect(dir_has("work-link"));
	scratch_done(&mine);
}

Test(scratch, that_is_kept_takes_the_place_of_an_older_one)
{
	struct scratch s = SCRATCH_NONE;
	struct err e;

	dir_file("it/old", "x");
	cr_assert_eq(scratch_make(dir_fd, "work-", &s, &e), 0, "%s", e.msg);
	cr_assert_eq(io_replace_file(s.dir, "new", "x", 1, &e), 0, "%s", e.msg);
	cr_assert_eq(scratch_keep(&s, "it"), 0);
	cr_expect_eq(s.dir, -1);
	scratch_done(&s);
	cr_expect(dir_has("it/new"));
	cr_expect_not(dir_has("it/old"));
	scratch_sweep(dir_fd, "work-");
	cr_expect(dir_has("it/new"));
}

Test(scratch, cannot_be_made_where_there_is_no_place)
{
	struct scratch s = SCRATCH_NONE;
	char longer[SCRATCH_NAME_MAX] = "";
	struct err e;

	dir_file("file", "");
	memset(longer, 'x', sizeof(longer) - 1);
	cr_expect_eq(scratch_make(dir_fd, longer, &s, &e), -ENAMETOOLONG);
	/* It is not tried for ever where the directory itself is not there. */
	cr_expect_eq(scratch_make(dir_fd, "no/work-", &s, &e), -ENOENT);
	cr_expect_str_eq(e.msg, "make a directory no/work-* to work in: no such file or directory");
	cr_expect_eq(scratch_make(dir_fd, "file/work-", &s, &e), -ENOTDIR);
	scratch_done(&s);
}
