/*
 * Mounts, made for real: each test is a child in a mount namespace of its own
 * that plays the host, with an empty /tmp, and the container's root in
 * /tmp/root. What the container does happens in another one below it.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/io.h"
#include "mounts/apply.h"
#include "mounts/rootfd.h"
#include "tests/unit/test_child.h"

TestSuite(mount_tree, .init = need_root, .timeout = 10);

#define LIST_OF(T, ...)                                                                   \
	{                                                                                 \
		.at = (T[]){ __VA_ARGS__ }, .n = sizeof((T[]){ __VA_ARGS__ }) / sizeof(T) \
	}
#define STRINGS(...) LIST_OF(const char *, __VA_ARGS__)
#define MOUNT(d, t, s, ...)                                                               \
	{                                                                                 \
		.destination = d, .type = t, .source = s, .options = STRINGS(__VA_ARGS__) \
	}

/* The container. A child has one. */
static struct {
	struct spec s;
	struct mount_facts facts;
	struct mount_plan plan;
	struct mount_trees trees;
	struct arena arena;
	int bundle, proc;
	struct err e;
} box = { .facts = { .mount_namespace = true, .cgroup_namespace = true },
	  .trees = MOUNT_TREES_NONE };

#define OK(call)                                                    \
	do {                                                        \
		int ok_ = (call);                                   \
		CHILD_ASSERT(ok_ >= 0, "%d, %s", errno, box.e.msg); \
	} while (0)

static void make_file(const char *path, const char *content)
{
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	OK(fd);
	OK(io_write_all(fd, content, strlen(content)));
}

static void expect_content(int dir, const char *path, const char *content)
{
	auto_buf struct buf b = { 0 };
	auto_fd int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	CHILD_ASSERT(fd >= 0, "%s: errno %d", path, errno);
	OK(io_slurp(fd, 65536, &b));
	CHILD_STR_EQ(b.text, content);
}

static bool is_writable(const char *path)
{
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	CHILD_ASSERT(fd >= 0 || errno == EROFS, "%s: errno %d", path, errno);
	return fd >= 0;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* The lines of mountinfo that hold this word; the file is of this process, by the host's procfs. */
static int count_mounts(const char *word)
{
	auto_buf struct buf b = { 0 };
	auto_fd int fd = openat(box.proc, "thread-self/mountinfo", O_RDONLY | O_CLOEXEC);
	int n = 0;

	OK(fd);
	OK(io_slurp(fd, 1 << 20, &b));
	for (char *rest = b.text, *line; (line = strsep(&rest, "\n"));)
		n += *line && strstr(line, word) != NULL;
	return n;
}

static void host(void *arg UNUSED)
{
	static const char *const dirs[] = { "/tmp/root",      "/tmp/root/dev", "/tmp/root/proc",
					    "/tmp/root/data", "/tmp/root/etc", "/tmp/src",
					    "/tmp/src/sub",   "/tmp/canary" };

	private_mounts();
	umask(0); /* as in container init */
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		OK(mkdir(dirs[i], 0755));
	make_file("/tmp/src/file", "source");
	make_file("/tmp/root/etc/passwd", "root");
	make_file("/tmp/canary/witness", "alive");
	box.bundle = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	box.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	OK(box.bundle);
	OK(box.proc);
}

/* The list lives as long as the function that gives it, which is that of the child. */
static void set_mounts(struct spec_mount *mounts, size_t n)
{
	box.s.mounts.at = mounts;
	box.s.mounts.n = n;
}

#define MOUNTS(...)                                      \
	set_mounts((struct spec_mount[]){ __VA_ARGS__ }, \
		   sizeof((struct spec_mount[]){ __VA_ARGS__ }) / sizeof(struct spec_mount))

/* On the host's side. */
static int decide_and_open(void)
{
	OK(mount_plan(&box.s, "/tmp/root", &box.facts, &box.arena, &box.plan, &box.e));
	return mount_trees_open(&box.plan, box.bundle, &box.arena, &box.trees, &box.e);
}

/* On the container's. */
static void enter(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount_enter_root(&box.plan, &box.trees, &box.e));
}

/* All of it, up to mount_apply(). */
static int run(void)
{
	OK(decide_and_open());
	enter();
	return mount_apply(&box.plan, &box.trees, &box.e);
}

/* A part of the test that is a process of its own, in the same namespaces at first. */
static void in_fork(void (*fn)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		fn();
		_exit(0);
	}
	CHILD_ASSERT(waitpid(pid, &status, 0) == pid, "errno %d", errno);
	if (status != 0)
		_exit(1);
}

static void expect(void (*fn)(void *))
{
	expect_child(fn, NULL);
}

/*
 * Binds
 */

static void binds(void *arg)
{
	host(arg);
	MOUNTS(MOUNT("/data", "bind", "/tmp/src", "bind"),
	       MOUNT("/etc/made", NULL, "/tmp/src/file", "bind"),
	       MOUNT("/made/too", NULL, "/tmp/src/sub", "bind"),
	       MOUNT("/readonly", NULL, "/tmp/src", "bind", "ro", "nosuid", "nodev", "noexec"),
	       MOUNT("/relative", NULL, "src", "bind"),
	       MOUNT("relative-too", NULL, "src/file", "bind"));
	OK(run());
	expect_content(box.trees.root, "data/file", "source");
	expect_content(box.trees.root, "etc/made", "source");
	expect_content(box.trees.root, "relative/file", "source");
	expect_content(box.trees.root, "relative-too", "source");
	CHILD_ASSERT(is_writable("/tmp/root/data/new"), "it is not");
	CHILD_ASSERT(exists("/tmp/src/new"), "it is not the same");
	CHILD_ASSERT(!is_writable("/tmp/root/readonly/file"), "it is");
	CHILD_ASSERT(is_writable("/tmp/root/made/too/x"), "it is not");
}

Test(mount_tree, binds)
{
	expect(binds);
}

#define MAPS(file, host, size)                                            \
	.uid_mappings = LIST_OF(struct spec_idmap, { file, host, size }), \
	.gid_mappings = LIST_OF(struct spec_idmap, { file, host + 1, size })

/* A file system that can be: whether this kernel's /tmp is one is not what is tested. */
static void maps_ids(void *arg)
{
	struct stat st;

	host(arg);
	box.facts.host_opens = true;
	OK(mkdir("/tmp/src/mounted", 0755));
	if (mount("tmpfs", "/tmp/src/mounted", "tmpfs", 0, NULL) < 0)
		CHILD_ASSERT(false, "errno %d", errno);
	make_file("/tmp/src/mounted/file", "x");
	OK(chown("/tmp/src/mounted/file", 5, 6));
	MOUNTS({ .destination = "/data",
		 .source = "src/mounted",
		 .options = STRINGS("bind"),
		 MAPS(0, 1000, 10) },
	       { .destination = "/all",
		 .source = "src",
		 .options = STRINGS("rbind", "ridmap"),
		 MAPS(5, 70, 2) },
	       { .destination = "/one",
		 .source = "src",
		 .options = STRINGS("rbind", "idmap"),
		 MAPS(5, 70, 2) },
	       { .destination = "/new",
		 .type = "tmpfs",
		 .options = STRINGS("uid=3", "ro"),
		 MAPS(3, 90, 1) });
	OK(run());
	OK(stat("/tmp/root/data/file", &st));
	CHILD_ASSERT(st.st_uid == 1005 && st.st_gid == 1007, "%u:%u", st.st_uid, st.st_gid);
	OK(stat("/tmp/root/all/mounted/file", &st));
	CHILD_ASSERT(st.st_uid == 70 && st.st_gid == 72, "%u:%u", st.st_uid, st.st_gid);
	OK(stat("/tmp/root/one/mounted/file", &st));
	CHILD_ASSERT(st.st_uid == 5 && st.st_gid == 6, "%u:%u", st.st_uid, st.st_gid);
	OK(stat("/tmp/root/new", &st));
	CHILD_ASSERT(st.st_uid == 90, "%u:%u", st.st_uid, st.st_gid);
	OK(stat("/tmp/src/mounted/file", &st));
	CHILD_ASSERT(st.st_uid == 5 && st.st_gid == 6, "%u:%u", st.st_uid, st.st_gid);
}

Test(mount_tree, maps_ids)
{
	expect(maps_ids);
}

static void maps_no_proc(void *arg)
{
	host(arg);
	box.facts.host_opens = true;
	MOUNTS({ .destination = "/data",
		 .source = "/proc",
		 .options = STRINGS("bind"),
		 MAPS(0, 1000, 10) });
	CHILD_ASSERT(decide_and_open() == -ENOTSUP, "%s", box.e.msg);
	CHILD_STR_EQ(box.e.msg,
		     "mounts[0]: the file system of /proc cannot be id-mapped by this kernel");
	CHILD_ASSERT(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a process is left");
}

Test(mount_tree, maps_what_the_kernel_can)
{
	expect(maps_no_proc);
}

static void copies_up(void *arg)
{
	struct stat st;
	struct statvfs fs;

	host(arg);
	OK(chmod("/tmp/root/etc", 01750));
	OK(symlink("etc", "/tmp/root/link"));
	MOUNTS(MOUNT("/link", "tmpfs", "tmpfs", "tmpcopyup", "ro", "nosuid", "rnoexec", "noatime"),
	       MOUNT("/data", "tmpfs", "tmpfs", "mode=700", "tmpcopyup"),
	       MOUNT("/missing", "tmpfs", "tmpfs", "tmpcopyup"));
	OK(run());
	OK(mount_readonly_apply(&box.plan, &box.trees, &box.e));
	expect_content(box.trees.root, "etc/passwd", "root");
	OK(stat("/tmp/root/etc", &st));
	CHILD_ASSERT((st.st_mode & 07777) == 01750, "%o", st.st_mode);
	OK(statvfs("/tmp/root/etc", &fs));
	CHILD_ASSERT((fs.f_flag & 0xffdfUL) == (ST_RDONLY | ST_NOSUID | ST_NOEXEC | ST_NOATIME),
		     "%#lx", fs.f_flag);
	OK(stat("/tmp/root/data", &st));
	CHILD_ASSERT((st.st_mode & 07777) == 0700, "%o", st.st_mode);
	OK(stat("/tmp/root/missing", &st));
	CHILD_ASSERT((st.st_mode & 07777) == 01777, "%o", st.st_mode);
}

Test(mount_tree, copies_up)
{
	expect(copies_up);
}

/* A link of the image leads into a file system of the kernel's: nothing of it is read. */
static void refuses_to_copy(const char *link, const char *message)
{
	host(NULL);
	OK(symlink(link, "/tmp/root/link"));
	MOUNTS(MOUNT("/proc", "proc", "proc", "nosuid"), MOUNT("/sys", "sysfs", "sysfs", "nosuid"),
	       MOUNT("/link", "tmpfs", "tmpfs", "tmpcopyup"));
	CHILD_ASSERT(run() == -EPERM, "%s", box.e.msg);
	CHILD_STR_EQ(box.e.msg, message);
}

static void copies_proc(void *arg UNUSED)
{
	refuses_to_copy("/proc/self", "mounts[2].destination: \"/link\" is inside /proc, where "
				      "nothing may be mounted");
}

static void copies_sys(void *arg UNUSED)
{
	refuses_to_copy("../sys/kernel",
			"mounts[2].options: \"tmpcopyup\" copies what the image has, "
			"and /link is in a file system of the kernel's");
}

Test(mount_tree, copies_nothing_of_the_kernel)
{
	expect(copies_proc);
	expect(copies_sys);
}

/* The attributes of each, as statvfs(3) shows them. */
static void has_attributes(void *arg)
{
	static const struct {
		const char *path;
		unsigned long flags;
	} rows[] = {
		{ "/tmp/root/a", ST_RDONLY | ST_RELATIME },
		{ "/tmp/root/b", ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_RELATIME },
		{ "/tmp/root/c", ST_NOATIME | ST_NODIRATIME },
		{ "/tmp/root/d", 0 },
		{ "/tmp/root/e", ST_RELATIME },
		{ "/tmp/root/f", ST_RDONLY | ST_NOATIME | ST_NOSUID },
		{ "/tmp/root/g", ST_NOSUID | ST_RELATIME },
		{ "/tmp/root/h", ST_NOEXEC },
	};

	host(arg);
	MOUNTS(MOUNT("/a", NULL, "src", "bind", "ro"),
	       MOUNT("/b", NULL, "src", "bind", "nosuid", "nodev", "noexec"),
	       MOUNT("/c", NULL, "src", "bind", "noatime", "nodiratime"),
	       MOUNT("/d", NULL, "src", "bind", "strictatime"),
	       MOUNT("/e", NULL, "src", "bind", "noatime", "relatime", "ro", "rw"),
	       MOUNT("/f", NULL, "src", "rbind", "rro", "rnoatime", "rnosuid"),
	       MOUNT("/g", "tmpfs", "tmpfs", "nosuid"),
	       MOUNT("/h", "tmpfs", "tmpfs", "strictatime", "noexec"));
	OK(run());
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct statvfs st;

		OK(statvfs(rows[i].path, &st));
		CHILD_ASSERT((st.f_flag & 0xffdfUL) == rows[i].flags, "%s: %#lx, not %#lx",
			     rows[i].path, st.f_flag & 0xffdfUL, rows[i].flags);
	}
}

Test(mount_tree, mounts_have_their_attributes)
{
	expect(has_attributes);
}

static void binds_readonly(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount_enter_root(&box.plan, &box.trees, &box.e));
	OK(mount_apply(&box.plan, &box.trees, &box.e));
	CHILD_ASSERT(!is_writable("/tmp/root/data/file"), "it is");
	CHILD_ASSERT(!is_writable("/tmp/root/all/mounted/x"), "it is");
	CHILD_ASSERT(is_writable("/tmp/root/one/mounted/x"), "it is not");
}

/* What the container's mounts are is nothing to the host's. */
static void leaves_the_host_alone(void *arg)
{
	int before;

	host(arg);
	OK(mkdir("/tmp/src/mounted", 0755));
	OK(mount("tmpfs", "/tmp/src/mounted", "tmpfs", 0, NULL));
	OK(mkdir("/tmp/new", 0755));
	before = count_mounts("");
	MOUNTS(MOUNT("/data", "bind", "/tmp/src", "bind", "ro"),
	       MOUNT("/all", "bind", "/tmp/src", "rbind", "rro"),
	       MOUNT("/one", "bind", "/tmp/src", "rbind", "ro"),
	       MOUNT("/x", "tmpfs", "tmpfs", "ro"));
	OK(decide_and_open());
	CHILD_ASSERT(count_mounts("") == before, "opening mounts something");
	in_fork(binds_readonly);
	CHILD_ASSERT(count_mounts("") == before, "the container's mounts are the host's");
	CHILD_ASSERT(is_writable("/tmp/src/file"), "the host's is read-only");
	CHILD_ASSERT(is_writable("/tmp/src/mounted/x"), "the host's is read-only");
	mount_trees_close(&box.trees);
	mount_trees_close(&box.trees);
	CHILD_ASSERT(box.trees.root == -1 && box.trees.null == -1, "open");
}

Test(mount_tree, leaves_the_host_alone)
{
	expect(leaves_the_host_alone);
}

static void binds_recursively(void *arg)
{
	host(arg);
	OK(mount("tmpfs", "/tmp/src/sub", "tmpfs", 0, NULL));
	make_file("/tmp/src/sub/below", "below");
	MOUNTS(MOUNT("/one", NULL, "src", "bind"), MOUNT("/all", NULL, "src", "rbind"),
	       MOUNT("/by-type", "bind", "src", "rw"));
	OK(run());
	CHILD_ASSERT(!exists("/tmp/root/one/sub/below"), "it is");
	CHILD_ASSERT(exists("/tmp/root/all/sub/below"), "it is not");
	CHILD_ASSERT(exists("/tmp/root/by-type/sub/below"), "it is not");
}

Test(mount_tree, binds_recursively)
{
	expect(binds_recursively);
}

/* A link of the host's is followed there, one of the container's in its root. */
static void binds_through_links(void *arg)
{
	host(arg);
	OK(symlink("/tmp/src", "/tmp/link"));
	OK(symlink("/tmp/canary", "/tmp/root/out"));
	OK(symlink("../../../../../tmp/canary", "/tmp/root/up"));
	OK(symlink("../run/resolv.conf", "/tmp/root/etc/resolv.conf"));
	MOUNTS(MOUNT("/data", NULL, "/tmp/link", "bind"), MOUNT("/out", NULL, "src", "bind"),
	       MOUNT("/up/x", NULL, "src", "bind"),
	       MOUNT("/etc/resolv.conf", NULL, "src/file", "bind"));
	OK(run());
	expect_content(box.trees.root, "data/file", "source");
	expect_content(box.trees.root, "tmp/canary/file", "source");
	expect_content(box.trees.root, "tmp/canary/x/file", "source");
	expect_content(box.trees.root, "run/resolv.conf", "source");
	CHILD_ASSERT(!exists("/tmp/canary/file") && !exists("/tmp/canary/x"), "it got out");
}

Test(mount_tree, binds_through_links)
{
	expect(binds_through_links);
}

/* Nothing makes an attribute that nobody asked for. */
static void remounts(void *arg)
{
	struct statvfs st;

	host(arg);
	MOUNTS(MOUNT("/data", NULL, "src", "bind", "nosuid"),
	       MOUNT("/data", NULL, NULL, "remount", "bind", "ro", "noexec"));
	OK(run());
	OK(statvfs("/tmp/root/data", &st));
	CHILD_ASSERT((st.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC)) ==
			     (ST_RDONLY | ST_NOSUID | ST_NOEXEC),
		     "%#lx", st.f_flag);
}

Test(mount_tree, remounts)
{
	expect(remounts);
}

/*
 * What cannot be mounted, and what is said about it
 */

struct wrong {
	struct spec_mount mount;
	const char *message;
	int code;
	bool opening; /* it fails on the host's side already */
};

/* "tmp/root" also has: link -> etc, loop -> loop, a file "file", proc-link -> proc, p -> proc */
static struct wrong wrong_rows[] = {
	{ MOUNT("/data", "bind", "/tmp/none", "bind"),
	  "mounts[0]: bind /tmp/none: no such file or directory", ENOENT, true },
	{ MOUNT("/data", "bind", "none", "rbind"),
	  "mounts[0]: bind none: no such file or directory", ENOENT, true },
	{ MOUNT("/data", "bind", "/tmp/src/file/x", "bind"),
	  "mounts[0]: bind /tmp/src/file/x: not a directory", ENOTDIR, true },
	{ MOUNT("/data", "bind", "", "bind"), "mounts[0]: bind : no such file or directory", ENOENT,
	  true },
	{ MOUNT("/data", "bind", "/tmp/src/file", "bind"),
	  "mounts[0]: /data in the container is a directory, and what is to be mounted there is "
	  "none",
	  ENOTDIR, false },
	{ MOUNT("/file", "bind", "/tmp/src", "bind"),
	  "mounts[0]: open directory /file in the container: not a directory", ENOTDIR, false },
	{ MOUNT("/file/x", "bind", "/tmp/src", "bind"),
	  "mounts[0]: open directory /file/x in the container: not a directory", ENOTDIR, false },
	{ MOUNT("/loop", "bind", "/tmp/src", "bind"),
	  "mounts[0]: open directory /loop in the container: too many levels of symbolic links",
	  ELOOP, false },
	{ MOUNT("/loop/file", "bind", "/tmp/src/file", "bind"),
	  "mounts[0]: open /loop/file in the container: too many levels of symbolic links", ELOOP,
	  false },
	{ MOUNT("/link", "bind", "/tmp/src", "bind", "dest-nofollow"),
	  "mounts[0]: /link in the container is no directory, and what is to be mounted there is "
	  "one",
	  ENOTDIR, false },
	{ MOUNT("/data", NULL, NULL, "remount", "ro"),
	  "mounts[0]: set the options of the mount on /data: invalid argument", EINVAL, false },
	{ MOUNT("/none", NULL, NULL, "remount", "ro"),
	  "mounts[0]: open /none in the container: no such file or directory", ENOENT, false },

	/* file systems say themselves what they do not like */
	{ MOUNT("/data", "tmpfs", "tmpfs", "size=abc"),
	  "mounts[0]: mount tmpfs on /data: size=abc: tmpfs: Bad value for 'size' (invalid "
	  "argument)",
	  EINVAL, false },
	{ MOUNT("/data", "tmpfs", "tmpfs", "ro", "nonsense"),
	  "mounts[0]: mount tmpfs on /data: nonsense: tmpfs: Unknown parameter 'nonsense' (invalid "
	  "argument)",
	  EINVAL, false },
	{ MOUNT("/data", "tmpfs", "tmpfs", "nonsense=1"),
	  "mounts[0]: mount tmpfs on /data: nonsense=1: tmpfs: Unknown parameter 'nonsense' "
	  "(invalid "
	  "argument)",
	  EINVAL, false },
	{ MOUNT("/data", "tmpfs", "tmpfs", "size"),
	  "mounts[0]: mount tmpfs on /data: size: tmpfs: Bad value for 'size' (invalid argument)",
	  EINVAL, false },
	{ MOUNT("/data", "nosuchfs", "x", "ro"),
	  "mounts[0].type: this kernel has no file system \"nosuchfs\"", ENODEV, false },
	{ MOUNT("/file", "tmpfs", "tmpfs", "ro"),
	  "mounts[0]: open directory /file in the container: not a directory", ENOTDIR, false },

	/* procfs and sysfs only on what is a directory itself */
	{ MOUNT("/link", "proc", "proc", "nosuid"),
	  "mounts[0]: proc must be mounted on a real directory, and /link is none", ELOOP, false },
	{ MOUNT("/link/proc", "proc", "proc", "nosuid"),
	  "mounts[0]: proc must be mounted on a real directory, and /link/proc is none", ELOOP,
	  false },
	{ MOUNT("/loop", "proc", "proc", "nosuid"),
	  "mounts[0]: proc must be mounted on a real directory, and /loop is none", ELOOP, false },
	{ MOUNT("/dangling", "proc", "proc", "nosuid"),
	  "mounts[0]: proc must be mounted on a real directory, and /dangling is none", ELOOP,
	  false },
	{ MOUNT("/file", "proc", "proc", "nosuid"),
	  "mounts[0]: proc must be mounted on a real directory, and /file is none", ENOTDIR,
	  false },
	{ MOUNT("/link", "sysfs", "sysfs", "ro"),
	  "mounts[0]: sysfs must be mounted on a real directory, and /link is none", ELOOP, false },

	/* nothing but a procfs over /proc, however it is called */
	{ MOUNT("/proc", "bind", "/tmp/src", "bind"),
	  "mounts[0]: only a proc file system may be mounted on /proc", EPERM, false },
	{ MOUNT("proc", "bind", "/tmp/src", "bind"),
	  "mounts[0]: only a proc file system may be mounted on proc", EPERM, false },
	{ MOUNT("///proc", "bind", "/tmp/src", "bind"),
	  "mounts[0]: only a proc file system may be mounted on ///proc", EPERM, false },
	{ MOUNT("/proc/", "bind", "/tmp/src", "bind"),
	  "mounts[0]: only a proc file system may be mounted on /proc/", EPERM, false },
	{ MOUNT("/./proc/.", "bind", "/tmp/src", "bind"),
	  "mounts[0]: only a proc file system may be mounted on /./proc/.", EPERM, false },
	{ MOUNT("/etc/../proc", "bind", "/tmp/src", "bind"),
	  "mounts[0]: only a proc file system may be mounted on /etc/../proc", EPERM, false },
	{ MOUNT("/p", "bind", "/tmp/src", "bind"),
	  "mounts[0]: only a proc file system may be mounted on /p", EPERM, false },
	/* a part of one is none */
	{ MOUNT("/proc", "bind", "/proc/self", "bind"),
	  "mounts[0]: only a proc file system may be mounted on /proc", EPERM, false },
	{ MOUNT("/p", "tmpfs", "tmpfs", "ro"),
	  "mounts[0]: only a proc file system may be mounted on /p", EPERM, false },
	{ MOUNT("/proc", "tmpfs", "tmpfs", "ro"),
	  "mounts[0]: only a proc file system may be mounted on /proc", EPERM, false },
};

static void is_refused(void *arg)
{
	struct wrong *row = arg;
	int r;

	host(NULL);
	OK(symlink("etc", "/tmp/root/link"));
	OK(symlink("loop", "/tmp/root/loop"));
	OK(symlink("missing", "/tmp/root/dangling"));
	OK(symlink("proc", "/tmp/root/p"));
	make_file("/tmp/root/file", "");
	box.s.mounts.at = &row->mount;
	box.s.mounts.n = 1;
	r = decide_and_open();
	if (row->opening) {
		CHILD_ASSERT(box.trees.root == -1 && !box.trees.mounts, "something is open");
	} else {
		OK(r);
		enter();
		r = mount_apply(&box.plan, &box.trees, &box.e);
	}
	CHILD_ASSERT(r == -row->code, "%d (%s), not %d (%s)", r, box.e.msg, -row->code,
		     row->message);
	CHILD_STR_EQ(box.e.msg, row->message);
	CHILD_ASSERT(box.e.code == row->code, "%d", box.e.code);
	CHILD_ASSERT(!exists("/tmp/root/missing"), "made");
}

/* One test for each row would cost more than the rows do. */
static void all_are_refused(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		int report = -1, status = 0;
		pid_t pid = child_start(is_refused, &wrong_rows[i], &report);
		char text[2048] = "";

		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_expect_leq(read(report, text, sizeof(text) - 1), 0, "row %zu: %s", i, text);
		cr_expect_eq(status, text[0] ? status : 0);
		close(report);
	}
}

Test(mount_tree, says_what_it_cannot_mount)
{
	all_are_refused(0, ARRAY_LEN(wrong_rows));
}

/* An option of 256 bytes is too long for fsconfig(2), and engines have longer ones for overlays. */
static void takes_long_options(void *arg)
{
	static char option[400];

	host(arg);
	for (size_t i = strlen(strcpy(option, "lowerdir=")); i < sizeof(option) - 20; i++)
		option[i] = '/';
	strcpy(option + sizeof(option) - 20, "tmp/src");
	MOUNTS(MOUNT("/data", "overlay", "overlay", option, "upperdir=/tmp/up",
		     "workdir=/tmp/work"));
	OK(mkdir("/tmp/up", 0755));
	OK(mkdir("/tmp/work", 0755));
	OK(run());
	expect_content(box.trees.root, "data/file", "source");
}

Test(mount_tree, takes_long_options)
{
	expect(takes_long_options);
}

/*
 * mount(2) silently cuts what is longer than a page; here it would cut the
 * lowerdir to "/", the host's root.
 */
static void cuts_no_options(void *arg)
{
	static char option[6000];

	host(arg);
	for (size_t i = strlen(strcpy(option, "lowerdir=")); i < sizeof(option) - 20; i++)
		option[i] = '/';
	strcpy(option + sizeof(option) - 20, "tmp/src:/tmp/canary");
	OK(mkdir("/tmp/up", 0755));
	OK(mkdir("/tmp/work", 0755));
	MOUNTS(MOUNT("/data", "overlay", "overlay", "upperdir=/tmp/up", "workdir=/tmp/work",
		     option));
	CHILD_ASSERT(run() < 0, "mounted");
	CHILD_ASSERT(strncmp(box.e.msg, "mounts[0]", 9) == 0, "%s", box.e.msg);
	CHILD_ASSERT(count_mounts(" /tmp/root/data ") == 0, "mounted");
}

Test(mount_tree, cuts_no_options)
{
	expect(cuts_no_options);
}

/* The attributes that go with it then, and the propagation. */
static void has_attributes_with_long_options(void *arg)
{
	static char option[400];
	struct statvfs st;

	host(arg);
	for (size_t i = strlen(strcpy(option, "lowerdir=")); i < sizeof(option) - 20; i++)
		option[i] = '/';
	strcpy(option + sizeof(option) - 20, "tmp/src:/tmp/canary");
	MOUNTS(MOUNT("/new/data", "overlay", NULL, option, "ro", "nosuid", "nodev", "noexec",
		     "noatime", "rshared"));
	OK(run());
	expect_content(box.trees.root, "new/data/witness", "alive");
	OK(statvfs("/tmp/root/new/data", &st));
	CHILD_ASSERT((st.f_flag & 0xffdfUL) ==
			     (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME),
		     "%#lx", st.f_flag);
	CHILD_ASSERT(count_mounts(" shared:") == 1, "%d are", count_mounts(" shared:"));
}

Test(mount_tree, long_options_go_with_others)
{
	expect(has_attributes_with_long_options);
}

static void says_what_is_too_long(void *arg)
{
	static char option[700];

	host(arg);
	memset(option, 'k', sizeof(option) - 1);
	MOUNTS(MOUNT("/data", "tmpfs", "tmpfs", option));
	CHILD_ASSERT(run() == -EINVAL, "%s", box.e.msg);
	CHILD_STR_EQ(box.e.msg,
		     "mounts[0].options: \"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
		     "kkkkkkkkkkkk...\" is too long");
}

Test(mount_tree, says_which_option_is_too_long)
{
	expect(says_what_is_too_long);
}

/*
 * File systems
 */

static void makes_file_systems(void *arg)
{
	struct statvfs st;
	struct stat root;

	host(arg);
	MOUNTS(MOUNT("/proc", "proc", "proc", "nosuid"),
	       MOUNT("/dev", "tmpfs", "tmpfs", "nosuid", "mode=711", "size=64k", "sync"),
	       MOUNT("/dev/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666"),
	       MOUNT("/dev/mqueue", "mqueue", "mqueue", "nosuid"),
	       MOUNT("/made/ro", "tmpfs", NULL, "ro"), MOUNT("/sys", "sysfs", "sysfs", "ro"));
	OK(run());
	OK(stat("/tmp/root/dev", &root));
	CHILD_ASSERT((root.st_mode & 07777) == 0711, "%o", root.st_mode);
	OK(statvfs("/tmp/root/dev", &st));
	CHILD_ASSERT(st.f_blocks * st.f_frsize == 65536, "%lu", st.f_blocks * st.f_frsize);
	CHILD_ASSERT(exists("/tmp/root/proc/self/status"), "it is not");
	CHILD_ASSERT(exists("/tmp/root/dev/pts/ptmx"), "it is not");
	CHILD_ASSERT(exists("/tmp/root/sys/kernel"), "it is not");
	CHILD_ASSERT(is_writable("/tmp/root/made/ro/before"), "it has to take what lies in it");
	OK(mount_readonly_apply(&box.plan, &box.trees, &box.e));
	CHILD_ASSERT(!is_writable("/tmp/root/made/ro/x"), "it is");
}

Test(mount_tree, makes_file_systems)
{
	expect(makes_file_systems);
}

/* A whole proc of the host's may be bound, and over single files of one what lxcfs makes up. */
static void binds_proc(void *arg)
{
	host(arg);
	MOUNTS(MOUNT("/proc/", "bind", "/proc", "rbind"),
	       MOUNT("/proc/meminfo", "bind", "/tmp/src/file", "bind"));
	OK(run());
	expect_content(box.trees.root, "proc/meminfo", "source");
	CHILD_ASSERT(exists("/tmp/root/proc/self/status"), "it is not");
}

Test(mount_tree, binds_proc)
{
	expect(binds_proc);
}

/* However a link of the image's calls it, it is inside /proc (CVE-2019-16884). */
static void binds_into_proc_by_a_link(void *arg)
{
	int r;

	host(arg);
	OK(symlink("proc/self", "/tmp/root/sneak"));
	MOUNTS(MOUNT("/proc", "proc", "proc", "nosuid"),
	       MOUNT("/sneak/attr", "bind", "/tmp/src", "bind"));
	r = run();
	CHILD_ASSERT(r == -EPERM, "%d: %s", r, box.e.msg);
	CHILD_STR_EQ(box.e.msg,
		     "mounts[1].destination: \"/sneak/attr\" is inside /proc, where nothing "
		     "may be mounted");
	CHILD_ASSERT(count_mounts("/proc/self/attr") == 0, "mounted");
}

Test(mount_tree, binds_nothing_into_proc_by_a_link)
{
	expect(binds_into_proc_by_a_link);
}

/*
 * Propagation
 */

static void mounts_in_data(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount_enter_root(&box.plan, &box.trees, &box.e));
	OK(mount_apply(&box.plan, &box.trees, &box.e));
	OK(mount("tmpfs", "/tmp/root/data/sub", "tmpfs", 0, NULL));
	OK(mount("tmpfs", "/tmp/root/etc", "tmpfs", 0, NULL));
	OK(mount_pivot(&box.plan, box.trees.root, &box.e));
	OK(mount("tmpfs", "/data/sub", "tmpfs", 0, NULL));
}

static void host_is_shared(void)
{
	OK(mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL));
}

/* Of what a container mounts in what is bound from a shared mount, the host hears nothing. */
static void cuts_propagation(void *arg)
{
	int before;

	host(arg);
	OK(mount("/tmp/src", "/tmp/src", NULL, MS_BIND, NULL));
	host_is_shared();
	before = count_mounts("");
	MOUNTS(MOUNT("/data", "bind", "/tmp/src", "rbind"));
	OK(decide_and_open());
	in_fork(mounts_in_data);
	CHILD_ASSERT(count_mounts("") == before, "%d mounts, not %d", count_mounts(""), before);
}

Test(mount_tree, nothing_propagates_to_the_host)
{
	expect(cuts_propagation);
}

static void cuts_private_propagation(void *arg)
{
	box.s.linux.rootfs_propagation = MS_PRIVATE | MS_REC;
	cuts_propagation(arg);
}

Test(mount_tree, nothing_propagates_to_the_host_from_a_private_root)
{
	expect(cuts_private_propagation);
}

/*
 * Not even when the container's root is to be shared (as Kubernetes'
 * "Bidirectional" asks for) does the host get a copy of the root itself.
 */

static void enters_and_pivots(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount_enter_root(&box.plan, &box.trees, &box.e));
	OK(mount_apply(&box.plan, &box.trees, &box.e));
	OK(mount_pivot(&box.plan, box.trees.root, &box.e));
	expect_content(AT_FDCWD, "/etc/passwd", "root");
	CHILD_ASSERT(count_mounts(" / / ") + count_mounts("/root / ") == 1, "%d",
		     count_mounts(" / "));
	CHILD_ASSERT(count_mounts("/canary") == 0 && !exists("/tmp/canary"), "the host's is there");
}

static void shared_root(void *arg)
{
	int before;

	host(arg);
	host_is_shared();
	before = count_mounts("");
	box.s.linux.rootfs_propagation = MS_SHARED | MS_REC;
	OK(decide_and_open());
	in_fork(enters_and_pivots);
	CHILD_ASSERT(count_mounts("") == before, "%d mounts, not %d", count_mounts(""), before);
}

Test(mount_tree, a_shared_root_stays_out_of_the_host)
{
	expect(shared_root);
}

static void shared_root_that_is_a_mount(void *arg)
{
	int before;

	host(arg);
	OK(mount("/tmp/root", "/tmp/root", NULL, MS_BIND, NULL));
	host_is_shared();
	before = count_mounts("");
	box.s.linux.rootfs_propagation = MS_SHARED | MS_REC;
	OK(decide_and_open());
	in_fork(enters_and_pivots);
	CHILD_ASSERT(count_mounts("") == before, "%d mounts, not %d", count_mounts(""), before);
}

Test(mount_tree, a_shared_root_that_is_a_mount_stays_out_of_the_host)
{
	expect(shared_root_that_is_a_mount);
}

/* What the host mounts later comes into binds that are slaves, and only there. */
static void hears_of_the_host(void *arg)
{
	int host_ns, own_ns;

	host(arg);
	OK(mkdir("/tmp/src/private", 0755));
	OK(mount("/tmp/src", "/tmp/src", NULL, MS_BIND, NULL));
	host_is_shared();
	MOUNTS(MOUNT("/slave", "bind", "/tmp/src", "rbind", "rslave"),
	       MOUNT("/private", "bind", "/tmp/src", "rbind", "rprivate"));
	host_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	OK(host_ns);
	OK(run());
	own_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	OK(setns(host_ns, CLONE_NEWNS));
	OK(mount("tmpfs", "/tmp/src/sub", "tmpfs", 0, NULL));
	make_file("/tmp/src/sub/later", "");
	OK(setns(own_ns, CLONE_NEWNS));
	CHILD_ASSERT(exists("/tmp/root/slave/sub/later"), "the slave did not hear of it");
	CHILD_ASSERT(!exists("/tmp/root/private/sub/later"), "the private one did");
}

Test(mount_tree, slaves_hear_of_the_host)
{
	expect(hears_of_the_host);
}

/*
 * Entering and leaving
 */

static void root_became_a_link(void *arg)
{
	int r;

	host(arg);
	OK(decide_and_open());
	OK(rename("/tmp/root", "/tmp/elsewhere"));
	OK(symlink("/tmp/canary", "/tmp/root"));
	OK(unshare(CLONE_NEWNS));
	r = mount_enter_root(&box.plan, &box.trees, &box.e);
	CHILD_ASSERT(r == -ELOOP, "%d: %s", r, box.e.msg);
	CHILD_STR_EQ(box.e.msg, "open root.path /tmp/root: too many levels of symbolic links");
}

Test(mount_tree, enters_no_link)
{
	expect(root_became_a_link);
}

static void root_is_missing(void *arg)
{
	int r;

	host(arg);
	OK(mount_plan(&box.s, "/tmp/none", &box.facts, &box.arena, &box.plan, &box.e));
	r = mount_trees_open(&box.plan, box.bundle, &box.arena, &box.trees, &box.e);
	CHILD_ASSERT(r == -ENOENT, "%d", r);
	CHILD_STR_EQ(box.e.msg, "root.path: bind /tmp/none: no such file or directory");
}

Test(mount_tree, says_that_there_is_no_root)
{
	expect(root_is_missing);
}

static void expect_pivoted(void)
{
	char cwd[64];

	expect_content(AT_FDCWD, "/etc/passwd", "root");
	expect_content(AT_FDCWD, "etc/passwd", "root");
	CHILD_STR_EQ(getcwd(cwd, sizeof(cwd)) ? cwd : "", "/");
	CHILD_ASSERT(!exists("/tmp") && !exists("/../tmp/canary"), "the host's is there");
}

static void pivots(void)
{
	enter();
	OK(mount_pivot(&box.plan, box.trees.root, &box.e));
	expect_pivoted();
	CHILD_ASSERT(count_mounts("") == 1, "%d mounts are left", count_mounts(""));
}

static void pivots_and_leaves_the_host_alone(void *arg)
{
	int before;

	host(arg);
	before = count_mounts("");
	OK(decide_and_open());
	in_fork(pivots);
	CHILD_ASSERT(count_mounts("") == before, "%d mounts, not %d", count_mounts(""), before);
	expect_content(AT_FDCWD, "/tmp/canary/witness", "alive");
}

Test(mount_tree, pivots)
{
	expect(pivots_and_leaves_the_host_alone);
}

static void changes_root(void)
{
	enter();
	OK(mount_pivot(&box.plan, box.trees.root, &box.e));
	expect_pivoted();
}

static void does_not_pivot(void *arg)
{
	int before;

	host(arg);
	before = count_mounts("");
	box.facts.no_pivot = true;
	OK(decide_and_open());
	CHILD_ASSERT(!box.plan.pivot, "it is");
	in_fork(changes_root);
	CHILD_ASSERT(count_mounts("") == before, "%d mounts, not %d", count_mounts(""), before);
}

Test(mount_tree, changes_root_without_a_pivot)
{
	expect(does_not_pivot);
}

/* The root's propagation at the end: what mountinfo says of "/". */
static void sets_propagation(void *arg)
{
	static const struct {
		int config;
		const char *tag;
	} rows[] = {
		{ 0, " - tmpfs" },
		{ MS_PRIVATE, " - tmpfs" },
		{ MS_SHARED, " shared:" },
		{ MS_UNBINDABLE, " unbindable " },
	};
	static const char *const paths[] = { "/data", "/etc" };
	size_t i = (size_t)arg;

	host(NULL);
	box.s.linux.rootfs_propagation = rows[i].config;
	box.s.linux.readonly_paths = (struct strings){ (const char **)paths, 2 };
	OK(decide_and_open());
	enter();
	OK(mount_pivot(&box.plan, box.trees.root, &box.e));
	OK(mount_protect(&box.plan, box.trees.root, box.trees.null, &box.e));
	CHILD_ASSERT(count_mounts("/root / ") == 1, "row %zu", i);
	CHILD_ASSERT(count_mounts(rows[i].tag) >= 1, "row %zu", i);
	CHILD_ASSERT(count_mounts("") == 3, "row %zu", i);
}

Test(mount_tree, the_root_has_its_propagation)
{
	for (size_t i = 0; i < 4; i++)
		expect_child(sets_propagation, (void *)i);
}

/*
 * Devices
 */

static void expect_device(const char *path, mode_t mode, unsigned maj, unsigned min)
{
	struct stat st;

	CHILD_ASSERT(lstat(path, &st) == 0, "%s: errno %d", path, errno);
	CHILD_ASSERT(st.st_mode == mode, "%s: %o, not %o", path, st.st_mode, mode);
	CHILD_ASSERT(S_ISFIFO(mode) || st.st_rdev == makedev(maj, min), "%s: %u:%u", path,
		     major(st.st_rdev), minor(st.st_rdev));
}

static void expect_link(const char *path, const char *to)
{
	char target[100] = "";

	CHILD_ASSERT(readlink(path, target, sizeof(target) - 1) > 0, "%s: errno %d", path, errno);
	CHILD_STR_EQ(target, to);
}

static void expect_default_devices(const char *dev)
{
	static const struct {
		const char *name;
		unsigned maj, min;
	} devices[] = { { "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
			{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 } };
	static const struct {
		const char *name, *to;
	} links[] = { { "fd", "/proc/self/fd" },
		      { "stdin", "/proc/self/fd/0" },
		      { "stdout", "/proc/self/fd/1" },
		      { "stderr", "/proc/self/fd/2" },
		      { "ptmx", "pts/ptmx" } };
	char path[100];

	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		snprintf(path, sizeof(path), "%s/%s", dev, devices[i].name);
		expect_device(path, S_IFCHR | 0666, devices[i].maj, devices[i].min);
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		snprintf(path, sizeof(path), "%s/%s", dev, links[i].name);
		expect_link(path, links[i].to);
	}
}

static struct spec_device more_devices[] = {
	{ 'c', "/dev/fuse", 10, 229, { true, 0020600 }, { true, 1000 }, { true, 1001 } },
	{ 'b', "/dev/deep/loop0", 7, 0, { true, 0640 }, { 0 }, { 0 } },
	{ 'p', "/run/fifo", 0, 0, { true, 0622 }, { 0 }, { 0 } },
};

static void makes_devices(void *arg)
{
	struct stat st;

	host(arg);
	box.s.linux.devices.at = more_devices;
	box.s.linux.devices.n = ARRAY_LEN(more_devices);
	MOUNTS(MOUNT("/dev", "tmpfs", "tmpfs", "nosuid"));
	OK(run());
	OK(mount_devices_apply(&box.plan, &box.trees, &box.e));
	expect_default_devices("/tmp/root/dev");
	expect_device("/tmp/root/dev/fuse", S_IFCHR | 0600, 10, 229);
	OK(stat("/tmp/root/dev/fuse", &st));
	CHILD_ASSERT(st.st_uid == 1000 && st.st_gid == 1001, "%u:%u", st.st_uid, st.st_gid);
	expect_device("/tmp/root/dev/deep/loop0", S_IFBLK | 0640, 7, 0);
	expect_device("/tmp/root/run/fifo", S_IFIFO | 0622, 0, 0);
	/* all of it again: what is there is right */
	OK(mount_devices_apply(&box.plan, &box.trees, &box.e));
	expect_default_devices("/tmp/root/dev");
}

Test(mount_tree, makes_devices)
{
	expect(makes_devices);
}

/* An image has a /dev of its own: its links stay, but for ptmx, and so do nodes that are right. */
static void keeps_devices(void *arg)
{
	host(arg);
	OK(mknod("/tmp/root/dev/null", S_IFCHR | 0600, makedev(1, 3)));
	OK(mknod("/tmp/root/dev/ptmx", S_IFCHR | 0666, makedev(5, 2)));
	OK(symlink("elsewhere", "/tmp/root/dev/stdin"));
	OK(run());
	OK(mount_devices_apply(&box.plan, &box.trees, &box.e));
	expect_device("/tmp/root/dev/null", S_IFCHR | 0600, 1, 3);
	expect_link("/tmp/root/dev/ptmx", "pts/ptmx");
	expect_link("/tmp/root/dev/stdin", "elsewhere");
}

Test(mount_tree, keeps_devices_that_are_right)
{
	expect(keeps_devices);
}

struct in_the_way {
	const char *what;
	mode_t type;
	dev_t number;
	const char *message;
};

static void is_in_the_way(void *arg)
{
	static struct spec_device configured[] = { { 'c', "/dev/x", 1, 3, { 0 }, { 0 }, { 0 } } };
	const struct in_the_way *row = arg;
	int r;

	host(NULL);
	box.s.linux.devices.at = configured;
	box.s.linux.devices.n = 1;
	if (S_ISLNK(row->type))
		OK(symlink("/tmp/canary/witness", "/tmp/root/dev/x"));
	else if (S_ISDIR(row->type))
		OK(mkdir("/tmp/root/dev/x", 0755));
	else
		OK(mknod("/tmp/root/dev/x", row->type | 0666, row->number));
	OK(run());
	r = mount_devices_apply(&box.plan, &box.trees, &box.e);
	CHILD_ASSERT(r == -EEXIST, "%d", r);
	CHILD_STR_EQ(box.e.msg,
		     "linux.devices[0]: /dev/x exists in the container and is not the device "
		     "1:3");
}

Test(mount_tree, refuses_devices_that_are_wrong)
{
	struct in_the_way rows[] = {
		{ "another device", S_IFCHR, makedev(1, 5), NULL },
		{ "a block device", S_IFBLK, makedev(1, 3), NULL },
		{ "a file", S_IFREG, 0, NULL },
		{ "a FIFO", S_IFIFO, 0, NULL },
		{ "a link", S_IFLNK, 0, NULL },
		{ "a directory", S_IFDIR, 0, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_child(is_in_the_way, &rows[i]);
}

/* plan.h: only what is configured has to match; images have plain files where defaults go. */
static void has_a_file_for_a_default(void *arg)
{
	host(arg);
	make_file("/tmp/root/dev/null", "not a device");
	OK(run());
	OK(mount_devices_apply(&box.plan, &box.trees, &box.e));
	expect_device("/tmp/root/dev/zero", S_IFCHR | 0666, 1, 5);
}

Test(mount_tree, default_devices_need_not_match)
{
	expect(has_a_file_for_a_default);
}

/* CVE-2026-41579, CVE-2026-47766: an image whose /dev leads out of it. */
static void dev_is_a_link(void *arg)
{
	static const char *const targets[] = { "/tmp/canary", "../canary", "../../../../tmp/canary",
					       "/proc/self/cwd" };

	host(NULL);
	OK(rmdir("/tmp/root/dev"));
	OK(symlink(targets[(size_t)arg], "/tmp/root/dev"));
	make_file("/tmp/canary/ptmx", "alive");
	OK(run());
	(void)!mount_devices_apply(&box.plan, &box.trees, &box.e);
	expect_content(AT_FDCWD, "/tmp/canary/ptmx", "alive");
	expect_content(AT_FDCWD, "/tmp/canary/witness", "alive");
	CHILD_ASSERT(!exists("/tmp/canary/null") && !exists("/tmp/canary/fd"), "it got out");
}

Test(mount_tree, makes_no_device_outside)
{
	for (size_t i = 0; i < 4; i++)
		expect_child(dev_is_a_link, (void *)i);
}

/* Where mknod(2) is not to be had, the host's are bound. */
static void binds_devices(void *arg)
{
	static struct spec_device configured[] = {
		{ 'c', "/dev/null", 1, 3, { 0 }, { 0 }, { 0 } },
		{ 'p', "/run/fifo", 0, 0, { true, 0622 }, { 0 }, { 0 } },
	};

	host(arg);
	box.facts.user_namespace = true;
	box.s.linux.devices.at = configured;
	box.s.linux.devices.n = 2;
	MOUNTS(MOUNT("/dev", "tmpfs", "tmpfs", "nosuid"));
	OK(run());
	OK(mount_devices_apply(&box.plan, &box.trees, &box.e));
	CHILD_ASSERT(count_mounts(" /tmp/root/dev/null ") == 1, "no mount");
	CHILD_ASSERT(count_mounts(" /tmp/root/dev/tty ") == 1, "no mount");
	expect_device("/tmp/root/run/fifo", S_IFIFO | 0622, 0, 0);
	expect_content(box.trees.root, "dev/null", "");
	CHILD_ASSERT(is_writable("/tmp/root/dev/null"), "it is not");
}

Test(mount_tree, binds_devices)
{
	expect(binds_devices);
}

struct wrong_device {
	const char *path, *message;
	int type, maj, min, code;
};

static void cannot_bind_a_device(void *arg)
{
	const struct wrong_device *row = arg;
	struct spec_device configured[] = {
		{ row->type, row->path, row->maj, row->min, { 0 }, { 0 }, { 0 } }
	};
	int r;

	host(NULL);
	make_file("/tmp/file", "");
	OK(symlink("/proc/self/status", "/tmp/link"));
	box.facts.user_namespace = true;
	box.s.linux.devices.at = configured;
	box.s.linux.devices.n = 1;
	r = decide_and_open();
	CHILD_ASSERT(r == -row->code, "%d: %s", r, box.e.msg);
	CHILD_STR_EQ(box.e.msg, row->message);
	CHILD_ASSERT(box.trees.root == -1, "open");
}

/* CVE-2025-31133: the host's node has to be the device. */
Test(mount_tree, binds_no_wrong_device)
{
	struct wrong_device rows[] = {
		{ "/tmp/none",
		  "linux.devices[0]: open /tmp/none of the host: no such file or directory", 'c', 1,
		  3, ENOENT },
		{ "/tmp/file", "linux.devices[0]: /tmp/file of the host is not the device 1:3", 'c',
		  1, 3, ENXIO },
		{ "/tmp/link", "linux.devices[0]: /tmp/link of the host is not the device 1:3", 'c',
		  1, 3, ENXIO },
		{ "/dev/zero", "linux.devices[0]: /dev/zero of the host is not the device 1:3", 'c',
		  1, 3, ENXIO },
		{ "/dev/null", "linux.devices[0]: /dev/null of the host is not the device 1:3", 'b',
		  1, 3, ENXIO },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_child(cannot_bind_a_device, &rows[i]);
}

/*
 * Protection
 */

static const char *const masked_paths[] = {
	"/etc/shadow", "/data",      "/none/at/all", "/etc/passwd/x", "/secrets",
	"/etc/group",  "/data/gone", "/link",        "/etc/shadow",   "/proc/uptime",
};
static const char *const readonly_paths[] = { "/ro", "/none", "/etc/hosts", "/ro/deep" };

static void expect_empty(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	CHILD_ASSERT(dir, "%s: errno %d", path, errno);
	while (readdir(dir))
		n++;
	closedir(dir);
	CHILD_ASSERT(n == 2, "%s holds something", path);
}

static void protects(void *arg)
{
	struct statvfs st;

	host(arg);
	make_file("/tmp/root/etc/shadow", "secret");
	make_file("/tmp/root/etc/group", "secret");
	make_file("/tmp/root/etc/hosts", "localhost");
	make_file("/tmp/root/data/file", "secret");
	OK(mkdir("/tmp/root/secrets", 0755));
	make_file("/tmp/root/secrets/key", "secret");
	OK(mkdir("/tmp/root/linked", 0755));
	make_file("/tmp/root/linked/file", "secret");
	OK(symlink("/linked", "/tmp/root/link"));
	OK(mkdir("/tmp/root/ro", 0755));
	OK(mkdir("/tmp/root/ro/deep", 0755));
	OK(mkdir("/tmp/root/ro/mounted", 0755));
	box.s.linux.masked_paths.at = (const char **)masked_paths;
	box.s.linux.masked_paths.n = ARRAY_LEN(masked_paths);
	box.s.linux.readonly_paths.at = (const char **)readonly_paths;
	box.s.linux.readonly_paths.n = ARRAY_LEN(readonly_paths);
	MOUNTS(MOUNT("/proc", "proc", "proc", "nosuid"),
	       MOUNT("/ro/mounted", "tmpfs", "tmpfs", "nosuid", "nodev"));
	OK(run());
	OK(mount_pivot(&box.plan, box.trees.root, &box.e));
	OK(mount_protect(&box.plan, box.trees.root, box.trees.null, &box.e));

	expect_content(AT_FDCWD, "/etc/shadow", "");
	expect_content(AT_FDCWD, "/etc/group", "");
	expect_content(AT_FDCWD, "/proc/uptime", "");
	expect_device("/etc/shadow", S_IFCHR | 0666, 1, 3);
	expect_empty("/data");
	expect_empty("/secrets");
	expect_empty("/linked");
	CHILD_ASSERT(!is_writable("/data/x") && !is_writable("/secrets/x"), "they are");
	OK(statvfs("/secrets", &st));
	CHILD_ASSERT((st.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC)) ==
			     (ST_NOSUID | ST_NODEV | ST_NOEXEC),
		     "%#lx", st.f_flag);

	CHILD_ASSERT(!is_writable("/ro/x") && !is_writable("/ro/deep/x"), "they are");
	CHILD_ASSERT(!is_writable("/ro/mounted/x"), "what is mounted below is");
	CHILD_ASSERT(!is_writable("/etc/hosts"), "it is");
	CHILD_ASSERT(is_writable("/etc/hostname"), "all of it is read-only");
	expect_content(AT_FDCWD, "/etc/hosts", "localhost");
	OK(statvfs("/ro/mounted", &st));
	CHILD_ASSERT((st.f_flag & (ST_NOSUID | ST_NODEV)) == (ST_NOSUID | ST_NODEV), "%#lx",
		     st.f_flag);
	CHILD_ASSERT(!exists("/none"), "made");
}

Test(mount_tree, protects_paths)
{
	expect(protects);
}

/* What is mounted on the root keeps its own. */
static void makes_the_root_readonly(void *arg)
{
	host(arg);
	box.s.root.readonly = true;
	MOUNTS(MOUNT("/data", "tmpfs", "tmpfs", "nosuid"));
	OK(run());
	OK(mount_pivot(&box.plan, box.trees.root, &box.e));
	CHILD_ASSERT(is_writable("/etc/x"), "too early");
	OK(mount_protect(&box.plan, box.trees.root, box.trees.null, &box.e));
	CHILD_ASSERT(!is_writable("/etc/x") && !is_writable("/y"), "they are");
	CHILD_ASSERT(is_writable("/data/x"), "it is not");
}

Test(mount_tree, makes_the_root_readonly)
{
	expect(makes_the_root_readonly);
}

static void masks_a_loop(void *arg)
{
	static const char *const loop[] = { "/etc/passwd", "/loop" };
	int r;

	host(arg);
	OK(symlink("loop", "/tmp/root/loop"));
	if (arg)
		box.s.linux.masked_paths.at = (const char **)loop, box.s.linux.masked_paths.n = 2;
	else
		box.s.linux.readonly_paths.at = (const char **)loop,
		box.s.linux.readonly_paths.n = 2;
	OK(run());
	r = mount_protect(&box.plan, box.trees.root, box.trees.null, &box.e);
	CHILD_ASSERT(r == -ELOOP, "%d", r);
	CHILD_ASSERT(strstr(box.e.msg,
			    "open /loop in the container: too many levels of symbolic links"),
		     "%s", box.e.msg);
	CHILD_ASSERT(strstr(box.e.msg, arg ? "linux.maskedPaths[1]: " : "linux.readonlyPaths[1]: "),
		     "%s", box.e.msg);
}

/* What is to be hidden and cannot be is an error, which names its place in the configuration. */
Test(mount_tree, says_what_it_cannot_protect)
{
	expect_child(masks_a_loop, NULL);
	expect_child(masks_a_loop, (void *)1);
}

/* Only where something is masked has the host to have a /dev/null. */
static void needs_no_null(void *arg)
{
	host(arg);
	OK(mount("tmpfs", "/dev", "tmpfs", 0, NULL));
	OK(decide_and_open());
	CHILD_ASSERT(box.trees.null == -1, "open");
	mount_trees_close(&box.trees);
	box.s.linux.masked_paths = (struct strings){ (const char *[]){ "/x" }, 1 };
	CHILD_ASSERT(decide_and_open() == -ENOENT, "%s", box.e.msg);
	CHILD_STR_EQ(box.e.msg, "linux.maskedPaths: open /dev/null of the host: no such file or "
				"directory");
	OK(symlink("/tmp/canary/witness", "/dev/null"));
	CHILD_ASSERT(decide_and_open() == -ENXIO, "%s", box.e.msg);
	CHILD_STR_EQ(box.e.msg, "linux.maskedPaths: /dev/null of the host is not the device 1:3");
}

Test(mount_tree, masks_with_the_real_null_only)
{
	expect(needs_no_null);
}

/*
 * The console
 */

static int open_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), tty;
	char name[64];

	OK(master);
	OK(grantpt(master));
	OK(unlockpt(master));
	CHILD_ASSERT(ptsname_r(master, name, sizeof(name)) == 0, "errno %d", errno);
	tty = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	OK(tty);
	return tty;
}

static void binds_the_console(void *arg)
{
	struct stat tty_st, st;
	int tty;

	host(NULL);
	if (arg)
		make_file("/tmp/root/dev/console", "there already");
	OK(run());
	tty = open_terminal();
	OK(mount_console(box.trees.root, tty, &box.e));
	OK(fstat(tty, &tty_st));
	OK(stat("/tmp/root/dev/console", &st));
	CHILD_ASSERT(S_ISCHR(st.st_mode) && st.st_rdev == tty_st.st_rdev, "another device");
}

Test(mount_tree, binds_the_console)
{
	expect_child(binds_the_console, NULL);
	expect_child(binds_the_console, (void *)1);
}

/* CVE-2025-52565 */
static void console_is_wrong(void *arg)
{
	int r;

	host(NULL);
	if (arg) {
		OK(symlink(arg, "/tmp/root/dev/console"));
	} else {
		OK(mkdir("/tmp/root/dev/console", 0755));
	}
	OK(run());
	r = mount_console(box.trees.root, open_terminal(), &box.e);
	CHILD_ASSERT(r == -EEXIST, "%d: %s", r, box.e.msg);
	CHILD_STR_EQ(box.e.msg, "/dev/console in the container is a link or a directory");
	CHILD_ASSERT(count_mounts("/tmp/canary") == 0, "it got out");
	expect_content(AT_FDCWD, "/tmp/canary/witness", "alive");
}

Test(mount_tree, binds_no_console_to_a_link)
{
	expect_child(console_is_wrong, (char[]){ "/tmp/canary/witness" });
	expect_child(console_is_wrong, (char[]){ "../../canary/witness" });
	expect_child(console_is_wrong, (char[]){ "missing" });
	expect_child(console_is_wrong, NULL);
}

/*
 * Without privilege: an ordinary user who owns a user namespace
 */

static void write_map(const char *path, const char *text)
{
	CHILD_ASSERT(io_write_value(AT_FDCWD, path, text) == 0, "%s: errno %d", path, errno);
}

static void rootless(void *arg)
{
	static const char *const masked[] = { "/etc/passwd", "/data" };

	host(arg);
	OK(mkdir("/tmp/data", 0755));
	OK(chown("/tmp/root", 65534, 65534));
	OK(chown("/tmp/root/data", 65534, 65534));
	OK(chown("/tmp/root/dev", 65534, 65534));
	become_user(65534);
	OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	write_map("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", "0 65534 1");
	write_map("/proc/self/gid_map", "0 65534 1");
	box.bundle = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	box.facts.user_namespace = true;
	box.s.root.readonly = true;
	box.s.linux.masked_paths = (struct strings){ (const char **)masked, 2 };
	MOUNTS(MOUNT("/dev", "tmpfs", "tmpfs", "nosuid", "mode=755"),
	       MOUNT("/dev/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666"),
	       MOUNT("/new", "bind", "/tmp/src", "rbind", "ro", "rprivate"));
	OK(decide_and_open());
	OK(mount_enter_root(&box.plan, &box.trees, &box.e));
	OK(mount_apply(&box.plan, &box.trees, &box.e));
	OK(mount_devices_apply(&box.plan, &box.trees, &box.e));
	OK(mount_pivot(&box.plan, box.trees.root, &box.e));
	OK(mount_protect(&box.plan, box.trees.root, box.trees.null, &box.e));
	expect_default_devices("/dev");
	expect_content(AT_FDCWD, "/dev/null", "");
	expect_content(AT_FDCWD, "/etc/passwd", "");
	expect_content(AT_FDCWD, "/new/file", "source");
	expect_empty("/data");
	CHILD_ASSERT(!is_writable("/x") && !is_writable("/new/x"), "they are");
}

Test(mount_tree, works_without_privilege)
{
	expect(rootless);
}

/*
 * A race for the target of a bind (CVE-2021-30465): another process of the
 * host swaps it with a link out of the root.
 */

static void binds_in_a_race(void)
{
	int64_t end = io_now_us() + 400000;
	int mounted = 0;

	OK(unshare(CLONE_NEWNS));
	OK(decide_and_open());
	OK(mount_enter_root(&box.plan, &box.trees, &box.e));
	while (io_now_us() < end || mounted < 20) {
		int r;

		close_fd(&box.trees.mounts[0]);
		box.trees.mounts[0] =
			open_tree(AT_FDCWD, "/tmp/src", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		OK(box.trees.mounts[0]);
		r = mount_apply(&box.plan, &box.trees, &box.e);
		mounted += r == 0;
		CHILD_ASSERT(!exists("/tmp/canary/file"), "it got out");
		CHILD_ASSERT(count_mounts(" /tmp/canary") == 0, "it got out");
		CHILD_ASSERT(count_mounts(" /tmp/root/") == mounted, "%d, not %d",
			     count_mounts(" /tmp/root/"), mounted);
	}
}

static void races(void *arg)
{
	pid_t swapper;

	host(arg);
	OK(mkdir("/tmp/root/tmp", 0755));
	OK(mkdir("/tmp/root/tmp/canary", 0755));
	OK(symlink("/tmp/canary", "/tmp/root/link"));
	MOUNTS(MOUNT("/data/sub", "bind", "/tmp/src", "bind"));
	swapper = fork();
	if (swapper == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			renameat2(AT_FDCWD, "/tmp/root/data", AT_FDCWD, "/tmp/root/link",
				  RENAME_EXCHANGE);
			usleep(10);
		}
	}
	OK(swapper);
	in_fork(binds_in_a_race);
	kill(swapper, SIGKILL);
	waitpid(swapper, NULL, 0);
	expect_content(AT_FDCWD, "/tmp/canary/witness", "alive");
	CHILD_ASSERT(!exists("/tmp/canary/sub"), "it got out");
}

Test(mount_tree, a_race_for_the_target_is_lost)
{
	expect(races);
}
