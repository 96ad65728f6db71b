/*
 * Names inside a hostile root file system. The test's directory has the root,
 * "root", and beside it "canary", which nothing may ever reach.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/io.h"
#include "mounts/rootfd.h"
#include "tests/unit/test_child.h"
#include "tests/unit/test_dir.h"

static int root = -1;
static struct stat canary;

/* What is found in the root at first: a directory ("dir/"), a link ("link -> x") or a file. */
static const char *const tree[] = {
	"root/file",
	"root/dir/sub/file",
	"root/dir/sub/up -> ../../file",
	"root/dir/sub/top -> ../../../../../../../file",
	"root/dir/self -> .",
	"root/relative -> dir/sub",
	"root/absolute -> /dir/sub",
	"root/outside -> ../canary",
	"root/escape -> /../../../../canary",
	"root/slash -> /",
	"root/loop -> loop",
	"root/loop1 -> loop2",
	"root/loop2 -> /loop1",
	"root/growing -> growing/x",
	"root/dangling -> missing/too",
	"root/dangling-absolute -> /missing/too",
	"root/dangling-out -> ../../../../../../missing",
	"root/dangling-chain -> /chain2",
	"root/chain2 -> dir/chain3",
	"root/dir/chain3 -> ../at/the/end",
	"root/dangling-again -> nothing/../dangling-again",
	"root/dangling-slash -> missing/",
	"root/dangling-dots -> missing/..",
	"root/etc/resolv.conf -> ../run/systemd/resolve/stub-resolv.conf",
	"root/etc/absolute.conf -> /run/resolvconf/resolv.conf",
	"root/etc/mtab -> ../proc/self/mounts",
	"root/etc/magic -> /proc/self/root/canary",
	"root/etc/file.d/x -> ../../file/x",
	"root/dev/fd -> /proc/self/fd",
	"canary/witness",
};

static void make_tree(void)
{
	char name[PATH_MAX];

	dir_make();
	umask(0);
	for (size_t i = 0; i < ARRAY_LEN(tree); i++) {
		const char *arrow = strstr(tree[i], " -> ");

		if (!arrow) {
			dir_file(tree[i], "content");
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(arrow - tree[i]), tree[i]);
		*strrchr(name, '/') = '\0';
		strcat(name, "/");
		dir_file(name, "");
		snprintf(name, sizeof(name), "%.*s", (int)(arrow - tree[i]), tree[i]);
		cr_assert_eq(symlinkat(arrow + 4, dir_fd, name), 0, "%s", tree[i]);
	}
	/* a link that would lead to the canary if it weren't for the root */
	cr_assert_eq(symlinkat(dir_at("canary"), dir_fd, "root/canary"), 0);
	root = openat(dir_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(root, 0);
	cr_assert_eq(fstatat(dir_fd, "canary", &canary, 0), 0);
}

/* Nothing was made, removed or changed beside the root. */
static bool is_canary_alive(void)
{
	struct stat now, witness;

	return fstatat(dir_fd, "canary", &now, 0) == 0 &&
	       now.st_mtim.tv_sec == canary.st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == canary.st_mtim.tv_nsec && now.st_nlink == canary.st_nlink &&
	       fstatat(dir_fd, "canary/witness", &witness, 0) == 0 && witness.st_size == 7 &&
	       !dir_has("missing") && !dir_has("run") && !dir_has("at") && !dir_has("file");
}

static void check_tree(void)
{
	close_fd(&root);
	if (dir_fd >= 0)
		cr_expect(is_canary_alive());
	dir_remove();
}

TestSuite(rootfd, .init = make_tree, .fini = check_tree, .timeout = 60);

static size_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Where a descriptor leads: a path in the root, or the whole path with "!" when it is outside. */
static const char *where(int fd)
{
	static char text[PATH_MAX + 2], target[PATH_MAX];
	ssize_t n = readlink(io_fd_path(fd).text, target, sizeof(target) - 1);
	const char *prefix = dir_at("root");
	size_t len = strlen(prefix);

	if (n < 0)
		return "!";
	target[n] = '\0';
	if (strncmp(target, prefix, len) == 0 && (target[len] == '/' || target[len] == '\0'))
		return target[len] ? target + len : "/";
	snprintf(text, sizeof(text), "!%s", target);
	return text;
}

/*
 * Opening
 */

static const struct {
	const char *path, *leads; /* NULL: fails */
	int code;                 /* with links followed */
	int nofollow;             /* without: 0 or the errno */
} opens[] = {
	{ "/", "/", 0, 0 },
	{ ".", "/", 0, 0 },
	{ "..", "/", 0, 0 },
	{ "/../../..", "/", 0, 0 },
	{ "/../canary", NULL, ENOENT, ELOOP }, /* the link in the root, which dangles there */
	{ "/../canary/witness", NULL, ENOENT, ELOOP },
	{ "/dir/../../canary", NULL, ENOENT, ELOOP },
	{ "", NULL, ENOENT, ENOENT },
	{ "file", "/file", 0, 0 },
	{ "/file", "/file", 0, 0 },
	{ "//dir//sub/./file", "/dir/sub/file", 0, 0 },
	{ "/dir/sub/", "/dir/sub", 0, 0 },
	{ "/dir/sub/..", "/dir", 0, 0 },
	{ "/file/", NULL, ENOTDIR, ENOTDIR },
	{ "/file/x", NULL, ENOTDIR, ENOTDIR },
	{ "/file/..", NULL, ENOTDIR, ENOTDIR },
	{ "/missing", NULL, ENOENT, ENOENT },
	{ "/missing/..", NULL, ENOENT, ENOENT },
	{ "/relative", "/dir/sub", 0, ELOOP },
	{ "/relative/file", "/dir/sub/file", 0, ELOOP },
	{ "/relative/..", "/dir", 0, ELOOP },
	{ "/absolute", "/dir/sub", 0, ELOOP },
	{ "/absolute/up", "/file", 0, ELOOP },
	{ "/dir/sub/up", "/file", 0, ELOOP },
	{ "/dir/sub/top", "/file", 0, ELOOP },
	{ "/dir/self/self/self/sub", "/dir/sub", 0, ELOOP },
	{ "/slash", "/", 0, ELOOP },
	{ "/slash/slash/../slash/file", "/file", 0, ELOOP },
	{ "/outside", NULL, ENOENT, ELOOP },
	{ "/escape/witness", NULL, ENOENT, ELOOP },
	{ "/canary", NULL, ENOENT, ELOOP },
	{ "/canary/witness", NULL, ENOENT, ELOOP },
	{ "/loop", NULL, ELOOP, ELOOP },
	{ "/loop1/x", NULL, ELOOP, ELOOP },
	{ "/growing", NULL, ELOOP, ELOOP },
	{ "/dangling", NULL, ENOENT, ELOOP },
	{ "/dangling-chain", NULL, ENOENT, ELOOP },
	{ "/etc/resolv.conf", NULL, ENOENT, ELOOP },
	{ "/etc/magic", NULL, ENOENT, ELOOP },
};

Test(rootfd, opens_below_the_root)
{
	size_t fds = count_fds();

	for (size_t i = 0; i < ARRAY_LEN(opens); i++) {
		int fd = rootfd_open(root, opens[i].path, O_PATH);
		int plain = rootfd_open_nofollow(root, opens[i].path, O_PATH);

		if (opens[i].leads) {
			cr_expect_geq(fd, 0, "%s: %d", opens[i].path, fd);
			cr_expect_str_eq(where(fd), opens[i].leads, "%s: %s", opens[i].path,
					 where(fd));
			cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		} else {
			cr_expect_eq(fd, -opens[i].code, "%s: %d", opens[i].path, fd);
		}
		if (opens[i].nofollow == 0) {
			cr_expect_geq(plain, 0, "%s: %d", opens[i].path, plain);
			cr_expect_str_eq(where(plain), opens[i].leads);
			cr_expect(fcntl(plain, F_GETFD) & FD_CLOEXEC);
		} else {
			cr_expect_eq(plain, -opens[i].nofollow, "%s: %d", opens[i].path, plain);
		}
		if (fd >= 0)
			close(fd);
		if (plain >= 0)
			close(plain);
	}
	cr_expect_eq(count_fds(), fds);
}

Test(rootfd, opens_with_the_flags_that_are_asked_for)
{
	char bytes[8] = "";
	int fd = rootfd_open(root, "/dir/sub/top", O_RDONLY);

	cr_assert_geq(fd, 0);
	cr_expect_eq(read(fd, bytes, sizeof(bytes)), 7);
	cr_expect_str_eq(bytes, "content");
	close(fd);
	cr_expect_eq(rootfd_open(root, "/file", O_PATH | O_DIRECTORY), -ENOTDIR);
	fd = rootfd_open(root, "/loop", O_PATH | O_NOFOLLOW); /* the link itself */
	cr_expect_geq(fd, 0);
	close(fd);
	cr_expect_eq(rootfd_open(-1, "file", O_PATH), -EBADF);
	cr_expect_eq(rootfd_open_nofollow(-1, "file", O_PATH), -EBADF);
}

/*
 * Making directories: the path, and where what comes back is, or the message
 */

struct make_row {
	const char *path, *result;
	int code;
};

static const struct make_row dirs[] = {
	{ "/", "/", 0 },
	{ "", "/", 0 },
	{ "/dir", "/dir", 0 },
	{ "/dir/sub/", "/dir/sub", 0 },
	{ "/relative", "/dir/sub", 0 },
	{ "/slash", "/", 0 },
	{ "/..", "/", 0 },

	{ "/new", "/new", 0 },
	{ "new", "/new", 0 },
	{ "new/", "/new", 0 },
	{ "/a/b/c/d", "/a/b/c/d", 0 },
	{ "//a///b/./c//", "/a/b/c", 0 },
	{ "/./././a", "/a", 0 },
	{ "/../../../a/b", "/a/b", 0 },
	{ "/dir/../../../canary-2", "/canary-2", 0 },
	{ "/a/../b", "/b", 0 },
	{ "/a/b/../../../../c", "/c", 0 },
	{ "/relative/new", "/dir/sub/new", 0 },
	{ "/absolute/new/too", "/dir/sub/new/too", 0 },
	{ "/dir/self/self/new", "/dir/new", 0 },
	{ "/relative/../new", "/dir/new", 0 },
	{ "/slash/slash/new", "/new", 0 },

	/* what links say is made in the root */
	{ "/dangling", "/missing/too", 0 },
	{ "/dangling/", "/missing/too", 0 },
	{ "/dangling/x/y", "/missing/too/x/y", 0 },
	{ "/dangling-absolute/x", "/missing/too/x", 0 },
	{ "/dangling-out", "/missing", 0 },
	{ "/dangling-out/x", "/missing/x", 0 },
	{ "/dangling-chain", "/at/the/end", 0 },
	{ "/dangling-chain/x", "/at/the/end/x", 0 },
	{ "/dangling-slash", "/missing", 0 },
	{ "/dangling-slash/x", "/missing/x", 0 },
	{ "/dangling-dots/x", "/x", 0 },
	{ "/slash/dangling/../x", "/missing/x", 0 },
	{ "/etc/resolv.conf", "/run/systemd/resolve/stub-resolv.conf", 0 },
	{ "/etc/magic/x", "/proc/self/root/canary/x", 0 }, /* directories, as nothing is mounted */
	{ "/dev/fd/3", "/proc/self/fd/3", 0 },
	{ "/outside", "/outside is no place", -1 },
	{ "/escape/x", "/canary is no place", -1 },

	{ "/file", "open directory /file in the container: not a directory", ENOTDIR },
	{ "/file/x", "open directory /file/x in the container: not a directory", ENOTDIR },
	{ "/dir/sub/up/x", "open directory /dir/sub/up/x in the container: not a directory",
	  ENOTDIR },
	{ "/etc/file.d/x", "open directory /etc/file.d/x in the container: not a directory",
	  ENOTDIR },
	{ "/loop", "open directory /loop in the container: too many levels of symbolic links",
	  ELOOP },
	{ "/loop1/x", "open directory /loop1/x in the container: too many levels of symbolic links",
	  ELOOP },
	{ "/growing/y",
	  "open directory /growing/y in the container: too many levels of symbolic "
	  "links",
	  ELOOP },
	{ "/missing/../loop/x",
	  "make directory /missing/../loop/x in the container: too many levels "
	  "of symbolic links",
	  ELOOP },
	{ "/missing/../file/x",
	  "make directory /missing/../file/x in the container: not a directory", ENOTDIR },
};

static void expect_made(const struct make_row *row, int fd, const struct err *e)
{
	if (row->code > 0) {
		cr_expect_eq(fd, -row->code, "%s: %d", row->path, fd);
		cr_expect_str_eq(e->msg, row->result, "%s: %s", row->path, e->msg);
		return;
	}
	cr_expect_geq(fd, 0, "%s: %s", row->path, e->msg);
	if (fd < 0)
		return;
	if (row->code == 0)
		cr_expect_str_eq(where(fd), row->result, "%s: %s", row->path, where(fd));
	else /* a place that the test's own path is part of: anywhere in the root */
		cr_expect_neq(where(fd)[0], '!', "%s: %s", row->path, where(fd));
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_expect(fcntl(fd, F_GETFL) & O_PATH);
}

static void forget(const char *path)
{
	if (path[0] == '/' && path[1])
		cr_expect_eq(io_remove_tree(root, path + 1), 0, "%s", path);
}

/* Each row starts with the same tree. */
static void forget_all(void)
{
	static const char *const made[] = { "/new",        "/a",       "/b",   "/c",
					    "/canary-2",   "/missing", "/at",  "/x",
					    "/run",        "/proc",    "/tmp", "/dir/new",
					    "/dir/sub/new" };

	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		forget(made[i]);
}

static void expect_mode(int fd, mode_t mode)
{
	struct stat st;

	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_mode, mode, "%s has %o, not %o", where(fd), st.st_mode, mode);
}

Test(rootfd, makes_directories)
{
	size_t fds = count_fds();

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		struct err e = { 0 };
		int fd = rootfd_make_dir(root, dirs[i].path, 0755, &e), again;

		expect_made(&dirs[i], fd, &e);
		if (fd >= 0) {
			again = rootfd_make_dir(root, dirs[i].path, 0755, &e);
			expect_made(&dirs[i], again, &e);
			expect_mode(fd, S_IFDIR | 0755);
			close(fd);
			close(again);
		}
		cr_expect(is_canary_alive(), "%s", dirs[i].path);
		forget_all();
	}
	cr_expect_eq(count_fds(), fds);
}

Test(rootfd, makes_directories_with_their_mode)
{
	static const char *const above[] = { "/p", "/p/q" };
	struct err e = { 0 };
	int fd = rootfd_make_dir(root, "/p/q/r", 01777, &e);

	cr_assert_geq(fd, 0, "%s", e.msg);
	expect_mode(fd, S_IFDIR | 01777);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(above); i++) {
		fd = rootfd_open(root, above[i], O_PATH);
		expect_mode(fd, S_IFDIR | 0755);
		close(fd);
	}
	/* what is there keeps its own; slashes at the end make no difference */
	fd = rootfd_make_dir(root, "/p/q/r", 0700, &e);
	expect_mode(fd, S_IFDIR | 01777);
	close(fd);
	fd = rootfd_make_dir(root, "/p/s///", 0700, &e);
	expect_mode(fd, S_IFDIR | 0700);
	close(fd);
	fd = rootfd_make_dir(root, "/dangling", 0711, &e);
	expect_mode(fd, S_IFDIR | 0711);
	close(fd);
}

/* As many links as the kernel follows, and one more; none of them leads to anything. */
static void make_chain(const char *name, int links)
{
	char from[64], to[64];

	for (int i = 0; i < links; i++) {
		snprintf(from, sizeof(from), "%s%d", name, i);
		snprintf(to, sizeof(to), i % 2 ? "/%s%d" : "%s%d", name, i + 1);
		cr_assert_eq(symlinkat(to, root, from), 0);
	}
}

Test(rootfd, follows_as_many_links_as_the_kernel)
{
	struct err e = { 0 };
	int fd;

	make_chain("long", 40);
	fd = rootfd_make_dir(root, "/long0", 0755, &e);
	cr_expect_geq(fd, 0, "%s", e.msg);
	cr_expect_str_eq(where(fd), "/long40");
	close(fd);
	make_chain("file", 40);
	fd = rootfd_make_file(root, "/file0", 0644, &e);
	cr_expect_geq(fd, 0, "%s", e.msg);
	cr_expect_str_eq(where(fd), "/file40");
	close(fd);
	make_chain("longer", 41);
	cr_expect_eq(rootfd_make_dir(root, "/longer0", 0755, &e), -ELOOP);
	cr_expect_str_eq(e.msg, "open directory /longer0 in the container: "
				"too many levels of symbolic links");
	cr_expect_eq(rootfd_make_file(root, "/longer0", 0755, &e), -ELOOP);
	cr_expect_str_eq(e.msg,
			 "open /longer0 in the container: too many levels of symbolic links");
}

/* Components and whole paths that are too long; a link may make them so. */
Test(rootfd, says_that_a_name_is_too_long)
{
	static char path[3 * PATH_MAX];
	char name[NAME_MAX + 3];
	struct err e = { 0 };
	const char *last;
	size_t fds = count_fds();

	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[NAME_MAX + 2] = '\0';
	cr_expect_eq(rootfd_make_dir(root, name, 0755, &e), -ENAMETOOLONG);
	cr_expect_not_null(strstr(e.msg, "file name too long"), "%s", e.msg);
	cr_expect_eq(rootfd_make_file(root, name, 0755, &e), -ENAMETOOLONG);
	cr_expect_not_null(strstr(e.msg, "file name too long"), "%s", e.msg);
	snprintf(path, sizeof(path), "/gone%s/x", name);
	cr_expect_eq(rootfd_make_dir(root, path, 0755, &e), -ENAMETOOLONG);
	cr_expect_not_null(strstr(e.msg, "file name too long"), "%s", e.msg);
	snprintf(path, sizeof(path), "/gone%s", name);
	cr_expect_eq(rootfd_make_file(root, path, 0755, &e), -ENAMETOOLONG);
	cr_expect_not_null(strstr(e.msg, "file name too long"), "%s", e.msg);

	memset(path, '/', sizeof(path));
	strcpy(path + 2 * PATH_MAX, "abc");
	cr_expect_eq(rootfd_make_dir(root, path, 0755, &e), -ENAMETOOLONG);
	cr_expect_eq(rootfd_make_file(root, path, 0755, &e), -ENAMETOOLONG);
	cr_expect_eq(rootfd_make_parent(root, path, &last, &e), -ENAMETOOLONG);
	cr_expect_not_null(strstr(e.msg, "file name too long"), "%s", e.msg);
	cr_expect_eq(count_fds(), fds);
}

/* Missing directories that are many bytes long, behind a link of many bytes, over and over. */
Test(rootfd, a_link_cannot_make_a_path_without_end)
{
	static char target[PATH_MAX], path[PATH_MAX];
	struct err e = { 0 };
	int r;

	for (size_t i = 0; i < PATH_MAX - 20; i += 2)
		memcpy(target + i, "./", 2);
	strcpy(target + PATH_MAX - 20, "gone");
	cr_assert_eq(symlinkat(target, root, "big"), 0);
	for (size_t i = 0; i < PATH_MAX - 40; i += 2)
		memcpy(path + i, "./", 2);
	strcpy(path + PATH_MAX - 40, "big/x");
	r = rootfd_make_dir(root, path, 0755, &e);
	cr_expect(r == -ENAMETOOLONG, "%d", r);
	strcpy(path + PATH_MAX - 40, "big");
	r = rootfd_make_file(root, path, 0644, &e);
	cr_expect(r == -ENAMETOOLONG, "%d", r);
	/* alone it is fine */
	r = rootfd_make_file(root, "big", 0644, &e);
	cr_expect_geq(r, 0, "%s", e.msg);
	cr_expect_str_eq(where(r), "/gone");
	close(r);
}

/*
 * Making files
 */

static const struct make_row files[] = {
	{ "/file", "/file", 0 },
	{ "/dir/sub/top", "/file", 0 },
	{ "/relative/file", "/dir/sub/file", 0 },
	{ "/dir", "/dir", 0 }, /* what is there is answered, whatever it is */
	{ "/", "/", 0 },
	{ "/dir/..", "/", 0 },

	{ "/new", "/new", 0 },
	{ "new", "/new", 0 },
	{ "/a/b/c", "/a/b/c", 0 },
	{ "//a///b/.//c", "/a/b/c", 0 },
	{ "/../../a", "/a", 0 },
	{ "/relative/new", "/dir/sub/new", 0 },
	{ "/absolute/../new", "/dir/new", 0 },

	{ "/dangling", "/missing/too", 0 },
	{ "/dangling-absolute", "/missing/too", 0 },
	{ "dangling", "/missing/too", 0 },
	{ "/dangling-out", "/missing", 0 },
	{ "/dangling-chain", "/at/the/end", 0 },
	{ "/slash/slash/dangling", "/missing/too", 0 },
	{ "/dangling/x", "/missing/too/x", 0 },
	{ "/etc/resolv.conf", "/run/systemd/resolve/stub-resolv.conf", 0 },
	{ "etc/resolv.conf", "/run/systemd/resolve/stub-resolv.conf", 0 },
	{ "/etc/absolute.conf", "/run/resolvconf/resolv.conf", 0 },
	{ "/etc/mtab", "/proc/self/mounts", 0 },
	{ "/etc/magic", "/proc/self/root/canary", 0 },
	{ "/outside", "anywhere", -1 },
	{ "/canary", "anywhere", -1 },
	{ "/canary/witness", "anywhere", -1 },

	{ "", "make  in the container: it does not end in a name", EINVAL },
	{ "/new/", "make /new/ in the container: it does not end in a name", EINVAL },
	{ "/missing/..", "make /missing/.. in the container: it does not end in a name", EINVAL },
	{ "/missing/.", "make /missing/. in the container: it does not end in a name", EINVAL },
	{ "/dangling-slash", "make //missing/ in the container: it does not end in a name",
	  EINVAL },
	{ "/dangling-dots", "make //missing/.. in the container: it does not end in a name",
	  EINVAL },
	{ "/file/x", "open /file/x in the container: not a directory", ENOTDIR },
	{ "/etc/file.d/x", "open /etc/file.d/x in the container: not a directory", ENOTDIR },
	{ "/loop", "open /loop in the container: too many levels of symbolic links", ELOOP },
	{ "/loop1/x", "open /loop1/x in the container: too many levels of symbolic links", ELOOP },
	{ "/missing/../loop/x",
	  "make directory /missing/../loop in the container: too many levels of symbolic links",
	  ELOOP },
};

Test(rootfd, makes_files)
{
	size_t fds = count_fds();

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct err e = { 0 };
		int fd = rootfd_make_file(root, files[i].path, 0644, &e), again;
		struct stat st;

		expect_made(&files[i], fd, &e);
		if (fd >= 0) {
			again = rootfd_make_file(root, files[i].path, 0644, &e);
			expect_made(&files[i], again, &e);
			cr_assert_eq(fstat(fd, &st), 0);
			cr_expect(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode), "%s", files[i].path);
			close(fd);
			close(again);
		}
		cr_expect(is_canary_alive(), "%s", files[i].path);
		forget_all();
	}
	cr_expect_eq(count_fds(), fds);
}

Test(rootfd, makes_files_with_their_mode)
{
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };
	int fd = rootfd_make_file(root, "/p/q", 0640, &e);

	cr_assert_geq(fd, 0, "%s", e.msg);
	expect_mode(fd, S_IFREG | 0640);
	close(fd);
	fd = rootfd_open(root, "/p", O_PATH);
	expect_mode(fd, S_IFDIR | 0755);
	close(fd);
	/* what is there keeps all */
	fd = rootfd_make_file(root, "/dir/sub/file", 0600, &e);
	expect_mode(fd, S_IFREG | 0644);
	close(fd);
	cr_expect_eq(io_read_file(root, "dir/sub/file", 100, "it", &b, &e), 0, "%s", e.msg);
	cr_expect_str_eq(b.text, "content");
}

/* A FIFO or device in the way is answered, not opened. */
Test(rootfd, waits_for_no_fifo, .timeout = 30)
{
	struct err e = { 0 };
	struct stat st;
	int fd;

	cr_assert_eq(mkfifoat(root, "fifo", 0600), 0);
	fd = rootfd_make_file(root, "/fifo", 0644, &e);
	cr_assert_geq(fd, 0, "%s", e.msg);
	cr_expect(fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode));
	cr_expect_eq(rootfd_make_dir(root, "/fifo/x", 0755, &e), -ENOTDIR);
	close(fd);
}

/*
 * Parents
 */

static const struct {
	const char *path, *leads, *name;
} parents[] = {
	{ "/x", "/", "x" },
	{ "x", "/", "x" },
	{ "/dir/sub/x", "/dir/sub", "x" },
	{ "/dir/sub//x", "/dir/sub", "x" },
	{ "/relative/x", "/dir/sub", "x" },
	{ "/a/b/x", "/a/b", "x" },
	{ "/dangling/x", "/missing/too", "x" },
	{ "/etc/resolv.conf", "/etc", "resolv.conf" }, /* the last one is not looked at */
	{ "/loop", "/", "loop" },
	{ "/../../x", "/", "x" },
	{ "/dir/..x", "/dir", "..x" },
	{ "/dir/...", "/dir", "..." },
};

Test(rootfd, makes_parents)
{
	size_t fds = count_fds();

	for (size_t i = 0; i < ARRAY_LEN(parents); i++) {
		struct err e = { 0 };
		const char *name = NULL;
		int fd = rootfd_make_parent(root, parents[i].path, &name, &e);

		cr_assert_geq(fd, 0, "%s: %s", parents[i].path, e.msg);
		cr_expect_str_eq(where(fd), parents[i].leads);
		cr_expect_str_eq(name, parents[i].name);
		cr_expect(name >= parents[i].path &&
			  name <= parents[i].path + strlen(parents[i].path));
		close(fd);
	}
	cr_expect_eq(count_fds(), fds);
}

Test(rootfd, says_why_there_is_no_parent)
{
	static const struct make_row wrong[] = {
		{ "/", "make / in the container: it does not end in a name", EINVAL },
		{ "", "make  in the container: it does not end in a name", EINVAL },
		{ "/dev/", "make /dev/ in the container: it does not end in a name", EINVAL },
		{ "/dev/.", "make /dev/. in the container: it does not end in a name", EINVAL },
		{ "..", "make .. in the container: it does not end in a name", EINVAL },
		{ "/a/..", "make /a/.. in the container: it does not end in a name", EINVAL },
		{ "/file/x", "open directory /file in the container: not a directory", ENOTDIR },
		{ "/loop/x",
		  "open directory /loop in the container: too many levels of symbolic links",
		  ELOOP },
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		const char *name = "untouched";
		struct err e = { 0 };

		cr_expect_eq(rootfd_make_parent(root, wrong[i].path, &name, &e), -wrong[i].code);
		cr_expect_str_eq(e.msg, wrong[i].result, "%s: %s", wrong[i].path, e.msg);
		cr_expect_str_eq(name, "untouched");
		cr_expect_lt(rootfd_make_parent(root, wrong[i].path, &name, NULL), 0);
	}
	cr_expect_not(faccessat(root, "a", F_OK, 0) == 0);
}

/*
 * Links of procfs lead anywhere, and never are followed
 */

/* A mount namespace of its own, with a descriptor of the root in it. */
static void own_mounts(void)
{
	CHILD_ASSERT(unshare(CLONE_NEWNS) == 0, "errno %d", errno);
	CHILD_ASSERT(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == 0, "errno %d", errno);
	root = open(dir_at("root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHILD_ASSERT(root >= 0, "errno %d", errno);
}

static void with_a_proc(void *arg UNUSED)
{
	static const char *const paths[] = {
		"/proc/self/root",
		"/proc/self/root/tmp",
		"/proc/self/cwd/x",
		"/proc/self/exe",
		"/proc/thread-self/root/tmp",
		"/etc/magic",
		"/magic/tmp/canary/new",
		"/fd",
	};
	char link[64];
	int canary_fd, host_root;

	own_mounts();
	CHILD_ASSERT(mkdirat(root, "proc", 0755) == 0, "errno %d", errno);
	CHILD_ASSERT(mount("/proc", dir_at("root/proc"), NULL, MS_BIND, NULL) == 0, "errno %d",
		     errno);
	host_root = open("/", O_PATH | O_DIRECTORY);
	canary_fd = openat(dir_fd, "canary", O_PATH | O_DIRECTORY);
	CHILD_ASSERT(host_root >= 0 && canary_fd >= 0, "errno %d", errno);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", canary_fd);
	CHILD_ASSERT(symlinkat(link, root, "fd") == 0, "errno %d", errno);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", host_root);
	CHILD_ASSERT(symlinkat(link, root, "magic") == 0, "errno %d", errno);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct err e = { 0 };
		const char *name;
		char below[100];
		int r;

		snprintf(below, sizeof(below), "%s/new", paths[i]);
		CHILD_ASSERT((r = rootfd_open(root, paths[i], O_PATH)) == -ELOOP, "%s: %d",
			     paths[i], r);
		CHILD_ASSERT((r = rootfd_open_nofollow(root, paths[i], O_PATH)) == -ELOOP, "%s: %d",
			     paths[i], r);
		CHILD_ASSERT((r = rootfd_make_dir(root, below, 0755, &e)) == -ELOOP, "%s: %d %s",
			     below, r, e.msg);
		CHILD_ASSERT((r = rootfd_make_file(root, below, 0755, &e)) == -ELOOP, "%s: %d %s",
			     below, r, e.msg);
		CHILD_ASSERT((r = rootfd_make_file(root, paths[i], 0755, &e)) == -ELOOP,
			     "%s: %d %s", paths[i], r, e.msg);
		CHILD_ASSERT((r = rootfd_make_parent(root, below, &name, &e)) == -ELOOP,
			     "%s: %d %s", below, r, e.msg);
	}
	CHILD_ASSERT(is_canary_alive(), "it is dead");
	/* the rest of /proc is there as usual */
	CHILD_ASSERT(rootfd_open(root, "/proc/version", O_RDONLY) >= 0, "errno %d", errno);
}

Test(rootfd, follows_no_magic_link)
{
	need_root();
	expect_child(with_a_proc, NULL);
}

static void with_a_readonly_root(void *arg UNUSED)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	struct err e = { 0 };
	int fd;

	own_mounts();
	fd = open_tree(root, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	CHILD_ASSERT(fd >= 0 && mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0,
		     "errno %d", errno);
	CHILD_ASSERT(rootfd_make_dir(fd, "/dir/sub", 0755, &e) >= 0, "%s", e.msg);
	CHILD_ASSERT(rootfd_make_file(fd, "/relative/file", 0644, &e) >= 0, "%s", e.msg);
	CHILD_ASSERT(rootfd_make_dir(fd, "/new/x", 0755, &e) == -EROFS, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "make directory /new/x in the container: read-only file system");
	CHILD_ASSERT(rootfd_make_file(fd, "/dir/new", 0755, &e) == -EROFS, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "make file /dir/new in the container: read-only file system");
}

Test(rootfd, needs_to_write_only_for_what_is_missing)
{
	need_root();
	expect_child(with_a_readonly_root, NULL);
}

/*
 * Races: a thread exchanges a directory on the way with a link out of the
 * root, again and again (CVE-2021-30465, CVE-2024-45310).
 */

static atomic_bool stop;
static atomic_long swaps;

static void *exchange(void *arg)
{
	const char *const *names = arg;

	while (!stop) {
		if (renameat2(root, names[0], root, names[1], RENAME_EXCHANGE) == 0)
			swaps++;
		usleep(10); /* or it has the directory's lock all the time */
	}
	return NULL;
}

static long races, made, refused;

static void expect_inside(int fd)
{
	races++;
	if (fd < 0) {
		refused++;
		return;
	}
	made++;
	cr_assert_neq(where(fd)[0], '!', "%s", where(fd));
	close(fd);
}

static bool raced(void)
{
	return swaps > 50 && races > 20 && made > 10;
}

/* So long; on a busy machine, until it has come to something. */
static void race_to_make(const char *path, int64_t us)
{
	int64_t end = io_now_us() + us, last = end + 20000000;
	char below[256], file[256];
	const char *name;

	snprintf(below, sizeof(below), "%s/p/q", path);
	snprintf(file, sizeof(file), "%s/f", path);
	while (io_now_us() < end || (!raced() && io_now_us() < last)) {
		int fd;

		expect_inside(rootfd_make_dir(root, below, 0755, NULL));
		expect_inside(rootfd_make_file(root, file, 0644, NULL));
		expect_inside(rootfd_make_parent(root, below, &name, NULL));
		fd = rootfd_open(root, path, O_PATH | O_DIRECTORY);
		if (fd >= 0) {
			(void)!io_remove_tree(fd, "p");
			(void)!io_remove_tree(fd, "f");
		}
		expect_inside(fd);
	}
}

static void race(const char *a, const char *b, const char *path)
{
	const char *names[] = { a, b };
	pthread_t thread;

	stop = false;
	swaps = races = made = refused = 0;
	cr_assert_eq(pthread_create(&thread, NULL, exchange, names), 0);
	race_to_make(path, 250000);
	stop = true;
	pthread_join(thread, NULL);
	cr_expect(is_canary_alive());
	cr_expect(raced(), "%s: %ld swaps, %ld races, %ld made", path, (long)swaps, races, made);
}

Test(rootfd, a_directory_becomes_a_link_out)
{
	race("dir/sub", "canary", "/dir/sub");
}

Test(rootfd, a_directory_becomes_a_link_up)
{
	cr_assert_eq(symlinkat("../../../../../../../../../../../../tmp", root, "dir/up"), 0);
	race("dir/sub", "dir/up", "/dir/sub/x");
}

/* ".." out of a directory that is elsewhere meanwhile. */
Test(rootfd, a_directory_moves_up)
{
	cr_assert_eq(mkdirat(root, "other", 0755), 0);
	cr_assert_eq(mkdirat(root, "dir/sub/deep", 0755), 0);
	race("dir/sub/deep", "other", "/dir/sub/deep/../../../../x");
}

Test(rootfd, a_file_becomes_a_link_out)
{
	const char *names[] = { "dir/sub/file", "witness" };
	int64_t end;
	pthread_t thread;

	cr_assert_eq(symlinkat(dir_at("canary/new"), root, "witness"), 0);
	cr_assert_eq(pthread_create(&thread, NULL, exchange, names), 0);
	end = io_now_us() + 250000;
	while (io_now_us() < end)
		expect_inside(rootfd_make_file(root, "/dir/sub/file", 0644, NULL));
	stop = true;
	pthread_join(thread, NULL);
	cr_expect(is_canary_alive());
	cr_expect(swaps > 50 && made > 20, "%ld swaps, %ld made", (long)swaps, made);
}

/* Without descriptors to be had, nothing leaks and the reason is told. */
Test(rootfd, says_that_there_are_no_descriptors)
{
	size_t before = count_fds();

	for (rlim_t room = 0; room < 6; room++) {
		struct rlimit was, few;
		struct err e = { 0 };
		int lowest = dup(root), dir, file;

		close(lowest);
		getrlimit(RLIMIT_NOFILE, &was);
		few = was;
		few.rlim_cur = (rlim_t)lowest + room;
		cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
		dir = rootfd_make_dir(root, "/dangling-chain/x/y", 0755, &e);
		file = rootfd_make_file(root, "/etc/resolv.conf", 0644, &e);
		cr_assert_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
		cr_expect(dir >= 0 || dir == -EMFILE, "%d", dir);
		cr_expect(file >= 0 || file == -EMFILE, "%d", file);
		if (dir >= 0)
			close(dir);
		if (file >= 0)
			close(file);
		cr_expect_eq(count_fds(), before);
		forget_all();
	}
}
