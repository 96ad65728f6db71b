/*
 * test_dir.h - an empty directory in /tmp for a test, which goes away with it:
 *
 *	TestSuite(io, .init = dir_make, .fini = dir_remove);
 *
 *	Test(io, ...)
 *	{
 *		dir_file("a/file", "content");
 *		... openat(dir_fd, "a/file", ...) ...
 *	}
 */
#ifndef HULL_TESTS_UNIT_TEST_DIR_H
#define HULL_TESTS_UNIT_TEST_DIR_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

static char dir_path[64]; /* without a symbolic link in it */
static int dir_fd = -1;

UNUSED static void dir_make(void)
{
	umask(022);
	snprintf(dir_path, sizeof(dir_path), "/tmp/hull-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(dir_path));
	dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(dir_fd, 0);
}

UNUSED static int dir_remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
				 struct FTW *where UNUSED)
{
	remove(path);
	return 0;
}

UNUSED static void dir_remove(void)
{
	if (dir_fd < 0)
		return;
	close_fd(&dir_fd);
	nftw(dir_path, dir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of `name` in the directory; four of them live at a time. */
UNUSED static const char *dir_at(const char *name)
{
	static char paths[4][4200];
	static unsigned next;
	char *path = paths[next++ % ARRAY_LEN(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir_path, name);
	return path;
}

/* Makes a file; the directories above it as well. */
UNUSED static void dir_file(const char *name, const char *content)
{
	char path[4096];
	int fd;

	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(path, sizeof(path), "%.*s", (int)(slash - name), name);
		cr_assert(mkdirat(dir_fd, path, 0755) == 0 || errno == EEXIST, "%s", path);
	}
	if (!name[0] || name[strlen(name) - 1] == '/')
		return;
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s: errno %d", name, errno);
	cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

/* Is there anything of this name, even a link to nothing? */
UNUSED static bool dir_has(const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

#endif
