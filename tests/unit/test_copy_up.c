/* What a tmpfs hides, copied into it: "image" is copied to "copy". */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/io.h"
#include "mounts/copy_up.h"
#include "tests/unit/test_child.h"
#include "tests/unit/test_dir.h"

static const unsigned ALL = COPY_UP_MODE | COPY_UP_UID | COPY_UP_GID;
static const struct timespec THEN[] = { { 1000, 5 }, { 2000, 7 } };

static void make(void)
{
	dir_make();
	dir_file("image/", "");
	dir_file("copy/", "");
}

TestSuite(copy_up, .init = make, .fini = dir_remove, .timeout = 20);

static int copy(unsigned keep, struct err *e)
{
	auto_fd int from = openat(dir_fd, "image", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd int to = openat(dir_fd, "copy", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return copy_up(from, to, keep, "mounts[1]", "/run", e);
}

static void copied(void)
{
	struct err e = { 0 };

	cr_assert_eq(copy(ALL, &e), 0, "%s", e.msg);
}

static struct stat look(const char *name)
{
	struct stat st = { 0 };

	cr_assert_eq(fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW), 0, "%s: errno %d", name,
		     errno);
	return st;
}

static void date(const char *name)
{
	cr_assert_eq(utimensat(dir_fd, name, THEN, AT_SYMLINK_NOFOLLOW), 0);
}

static void same(const char *name)
{
	char was[256], is[256];
	struct stat a, b;

	snprintf(was, sizeof(was), "image/%s", name);
	snprintf(is, sizeof(is), "copy/%s", name);
	a = look(was);
	b = look(is);
	cr_expect_eq(a.st_mode, b.st_mode, "%s: %o, not %o", name, b.st_mode, a.st_mode);
	cr_expect_eq(a.st_uid, b.st_uid, "%s: uid %u", name, b.st_uid);
	cr_expect_eq(a.st_gid, b.st_gid, "%s: gid %u", name, b.st_gid);
	cr_expect_eq(a.st_mtim.tv_sec, b.st_mtim.tv_sec, "%s: mtime", name);
	cr_expect_eq(a.st_mtim.tv_nsec, b.st_mtim.tv_nsec, "%s: mtime", name);
	cr_expect_eq(a.st_rdev, b.st_rdev, "%s: device", name);
	if (!S_ISDIR(a.st_mode))
		cr_expect_eq(a.st_size, b.st_size, "%s: size", name);
}

static void expect_content(const char *name, const char *content)
{
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };

	cr_assert_eq(io_read_file(dir_fd, name, 65536, name, &b, &e), 0, "%s", e.msg);
	cr_expect_str_eq(b.text, content);
}

Test(copy_up, files_directories_links_and_their_times)
{
	dir_file("image/a/b/file", "content");
	dir_file("image/empty", "");
	cr_assert_eq(symlinkat("/nowhere/at all", dir_fd, "image/a/link"), 0);
	cr_assert_eq(mkfifoat(dir_fd, "image/fifo", 0640), 0);
	cr_assert_eq(fchmodat(dir_fd, "image/a/b/file", 04751, 0), 0);
	cr_assert_eq(fchmodat(dir_fd, "image/a/b", 01711, 0), 0);
	cr_assert_eq(fchmodat(dir_fd, "image", 02755, 0), 0);
	date("image/a/b/file");
	date("image/a/link");
	date("image/fifo");
	date("image/a/b");
	date("image/a");
	date("image");
	copied();
	same("a/b/file");
	same("empty");
	same("a/link");
	same("fifo");
	same("a/b");
	same("a");
	same(".");
	expect_content("copy/a/b/file", "content");
	cr_expect_eq(look("copy/fifo").st_atim.tv_sec, 1000);
}

Test(copy_up, an_empty_directory)
{
	copied();
	same(".");
}

Test(copy_up, the_top_keeps_what_options_gave)
{
	struct err e = { 0 };

	cr_assert_eq(fchmodat(dir_fd, "image", 0711, 0), 0);
	cr_assert_eq(fchmodat(dir_fd, "copy", 0700, 0), 0);
	cr_assert_eq(copy(0, &e), 0, "%s", e.msg);
	cr_expect_eq(look("copy").st_mode & 07777, 0700);
	cr_assert_eq(copy(COPY_UP_MODE, &e), 0, "%s", e.msg);
	cr_expect_eq(look("copy").st_mode & 07777, 0711);
}

Test(copy_up, a_link_at_the_top_of_a_tree_is_not_followed)
{
	dir_file("canary/witness", "alive");
	cr_assert_eq(symlinkat("../canary", dir_fd, "image/out"), 0);
	copied();
	cr_expect(S_ISLNK(look("copy/out").st_mode));
}

Test(copy_up, hard_links_stay_one_file)
{
	dir_file("image/a/one", "x");
	dir_file("image/b/", "");
	cr_assert_eq(linkat(dir_fd, "image/a/one", dir_fd, "image/b/two", 0), 0);
	cr_assert_eq(linkat(dir_fd, "image/a/one", dir_fd, "image/three", 0), 0);
	copied();
	cr_expect_eq(look("copy/a/one").st_ino, look("copy/b/two").st_ino);
	cr_expect_eq(look("copy/a/one").st_ino, look("copy/three").st_ino);
	cr_expect_eq(look("copy/three").st_nlink, 3);
	expect_content("copy/b/two", "x");
}

Test(copy_up, holes_stay_holes)
{
	auto_fd int fd = openat(dir_fd, "image/sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	cr_assert_eq(pwrite(fd, "middle", 6, 64 << 20), 6);
	cr_assert_eq(ftruncate(fd, 256 << 20), 0);
	copied();
	same("sparse");
	cr_expect_lt(look("copy/sparse").st_blocks, 1024);
	close_fd(&fd);
	fd = openat(dir_fd, "copy/sparse", O_RDONLY | O_CLOEXEC);
	{
		char text[7] = "";

		cr_assert_eq(pread(fd, text, 6, 64 << 20), 6);
		cr_expect_str_eq(text, "middle");
	}
}

Test(copy_up, sockets)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	auto_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/image/socket", dir_path);
	cr_assert_eq(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	copied();
	same("socket");
}

Test(copy_up, extended_attributes)
{
	char value[8] = "";

	dir_file("image/file", "");
	if (setxattr(dir_at("image/file"), "user.x", "value", 5, 0) < 0)
		cr_skip_test("this /tmp has no extended attributes");
	cr_assert_eq(setxattr(dir_at("image"), "user.y", "", 0, 0), 0);
	copied();
	cr_expect_eq(getxattr(dir_at("copy/file"), "user.x", value, sizeof(value)), 5);
	cr_expect_str_eq(value, "value");
	cr_expect_eq(getxattr(dir_at("copy"), "user.y", value, sizeof(value)), 0);
}

Test(copy_up, a_hundred_levels_and_no_more_than_there_may_be)
{
	struct err e = { 0 };
	int at = openat(dir_fd, "image", O_PATH | O_CLOEXEC);

	for (int i = 0; i < 300; i++) {
		int next;

		cr_assert_eq(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_PATH | O_CLOEXEC);
		close(at);
		at = next;
		if (i == 100)
			copied();
	}
	close(at);
	cr_assert_eq(io_remove_tree(dir_fd, "copy"), 0);
	dir_file("copy/", "");
	cr_expect_eq(copy(ALL, &e), -ELOOP);
	cr_expect_not_null(strstr(e.msg, "mounts[1]: copy /run/d/d"), "%s", e.msg);
	cr_expect_not_null(strstr(e.msg, "more than 256 directories deep"), "%s", e.msg);
	cr_assert_eq(io_remove_tree(dir_fd, "copy"), 0);
	cr_assert_eq(io_remove_tree(dir_fd, "image"), 0);
}

Test(copy_up, what_root_can_keep)
{
	char value[8] = "";

	need_root();
	dir_file("image/file", "");
	dir_file("image/dir/", "");
	cr_assert_eq(fchownat(dir_fd, "image/file", 5, 6, 0), 0);
	cr_assert_eq(fchmodat(dir_fd, "image/file", 06755, 0), 0);
	cr_assert_eq(fchownat(dir_fd, "image/dir", 7, 8, 0), 0);
	cr_assert_eq(fchownat(dir_fd, "image", 9, 10, 0), 0);
	cr_assert_eq(symlinkat("x", dir_fd, "image/link"), 0);
	cr_assert_eq(fchownat(dir_fd, "image/link", 11, 12, AT_SYMLINK_NOFOLLOW), 0);
	cr_assert_eq(lsetxattr(dir_at("image/link"), "trusted.x", "v", 1, 0), 0);
	cr_assert_eq(mknodat(dir_fd, "image/null", S_IFCHR | 0612, makedev(1, 3)), 0);
	cr_assert_eq(mknodat(dir_fd, "image/whiteout", S_IFCHR | 0600, 0), 0);
	copied();
	same("file");
	same("dir");
	same("link");
	same(".");
	same("null");
	same("whiteout");
	cr_expect_eq(lgetxattr(dir_at("copy/link"), "trusted.x", value, sizeof(value)), 1);
}

/* A file capability and set-id bits survive the change of owner. */
Test(copy_up, file_capabilities)
{
	static const unsigned char cap[] = { 1, 0, 0, 2, 0, 4, 0, 0, 0, 0,
					     0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	unsigned char value[32];

	need_root();
	dir_file("image/file", "");
	cr_assert_eq(fchownat(dir_fd, "image/file", 5, 6, 0), 0);
	cr_assert_eq(setxattr(dir_at("image/file"), "security.capability", cap, sizeof(cap), 0), 0);
	copied();
	cr_expect_eq(getxattr(dir_at("copy/file"), "security.capability", value, sizeof(value)),
		     sizeof(cap));
	cr_expect_eq(memcmp(value, cap, sizeof(cap)), 0);
}

static void mounts_below(void *arg UNUSED)
{
	struct err e = { 0 };
	struct stat st;

	CHILD_ASSERT(unshare(CLONE_NEWNS) == 0, "errno %d", errno);
	CHILD_ASSERT(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == 0, "errno %d", errno);
	CHILD_ASSERT(mount("proc", dir_at("image/sub"), "proc", 0, NULL) == 0, "errno %d", errno);
	CHILD_ASSERT(mount("/dev/zero", dir_at("image/file"), NULL, MS_BIND, NULL) == 0, "errno %d",
		     errno);
	CHILD_ASSERT(copy(ALL, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(stat(dir_at("copy/sub/self"), &st) < 0, "the mount was copied");
}

Test(copy_up, mounts_below_are_not_entered)
{
	need_root();
	dir_file("image/sub/", "");
	dir_file("image/file", "");
	expect_child(mounts_below, NULL);
	cr_expect(S_ISDIR(look("copy/sub").st_mode));
}

/* As in a user namespace that has no number for the owner. */
static void unmapped(void *arg UNUSED)
{
	struct err e = { 0 };
	char map[] = "0 0 1";
	int fd;

	CHILD_ASSERT(unshare(CLONE_NEWUSER) == 0, "errno %d", errno);
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	CHILD_ASSERT(write(fd, map, strlen(map)) > 0, "errno %d", errno);
	close(fd);
	fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
	CHILD_ASSERT(write(fd, "deny", 4) == 4, "errno %d", errno);
	close(fd);
	fd = open("/proc/self/gid_map", O_WRONLY | O_CLOEXEC);
	CHILD_ASSERT(write(fd, map, strlen(map)) > 0, "errno %d", errno);
	close(fd);
	CHILD_ASSERT(copy(ALL, &e) == 0, "%s", e.msg);
}

Test(copy_up, an_owner_without_a_number_makes_no_set_id_program_of_ours)
{
	need_root();
	dir_file("image/file", "text");
	cr_assert_eq(fchownat(dir_fd, "image/file", 5, 5, 0), 0);
	cr_assert_eq(fchmodat(dir_fd, "image/file", 06755, 0), 0);
	expect_child(unmapped, NULL);
	cr_expect_eq(look("copy/file").st_mode & 07777, 0755);
	cr_expect_eq(look("copy/file").st_uid, 0);
}
