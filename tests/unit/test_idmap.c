#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/sys.h"
#include "namespaces/idmap.h"
#include "tests/unit/test_child.h"

#define MAPS(...)                                                                                \
	{                                                                                        \
		(struct spec_idmap[]){ __VA_ARGS__ },                                            \
			sizeof((struct spec_idmap[]){ __VA_ARGS__ }) / sizeof(struct spec_idmap) \
	}

Test(idmap, is_formatted_as_the_kernel_reads_it)
{
	const struct {
		struct spec_idmaps maps;
		const char *text;
	} rows[] = {
		{ { 0 }, "" },
		{ MAPS({ 0, 1000, 1 }), "0 1000 1\n" },
		{ MAPS({ 0, 1000, 1 }, { 1, 100000, 65536 }), "0 1000 1\n1 100000 65536\n" },
		{ MAPS({ 0, 0, UINT32_MAX }), "0 0 4294967295\n" },
		{ MAPS({ UINT32_MAX - 1, UINT32_MAX - 1, 1 }), "4294967294 4294967294 1\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf text = { 0 };

		idmap_format(&rows[i].maps, &text);
		cr_expect_str_eq(text.text, rows[i].text, "%s", text.text);
	}
}

Test(idmap, maps_to_the_host)
{
	const struct spec_idmaps none = { 0 }, one = MAPS({ 0, 1000, 1 }),
				 two = MAPS({ 0, 1000, 1 }, { 1, 100000, 65536 }),
				 apart = MAPS({ 1000, 5, 10 }, { 10, 500, 10 }),
				 all = MAPS({ 0, 0, UINT32_MAX }),
				 end = MAPS({ 100, UINT32_MAX - 2, 2 }),
				 overflow = MAPS({ 0, UINT32_MAX - 10, 100 });
	const struct {
		const struct spec_idmaps *maps;
		uint32_t id, host;
		int r;
	} rows[] = {
		{ &none, 0, 7, -ERANGE },
		{ &one, 0, 1000, 0 },
		{ &one, 1, 7, -ERANGE },
		{ &one, UINT32_MAX, 7, -ERANGE },
		{ &two, 0, 1000, 0 },
		{ &two, 1, 100000, 0 },
		{ &two, 65536, 165535, 0 },
		{ &two, 65537, 7, -ERANGE },
		{ &apart, 9, 7, -ERANGE },
		{ &apart, 10, 500, 0 },
		{ &apart, 19, 509, 0 },
		{ &apart, 20, 7, -ERANGE },
		{ &apart, 999, 7, -ERANGE },
		{ &apart, 1009, 14, 0 },
		{ &apart, 1010, 7, -ERANGE },
		{ &all, 0, 0, 0 },
		{ &all, UINT32_MAX - 1, UINT32_MAX - 1, 0 },
		{ &all, UINT32_MAX, 7, -ERANGE },
		{ &end, 100, UINT32_MAX - 2, 0 },
		{ &end, 101, UINT32_MAX - 1, 0 },
		{ &end, 102, 7, -ERANGE },
		/* what the configuration's checks refuse must not turn into somebody else's id */
		{ &overflow, 9, UINT32_MAX - 1, 0 },
		{ &overflow, 10, 7, -ERANGE }, /* (uid_t)-1 */
		{ &overflow, 11, 7, -ERANGE },
		{ &overflow, 99, 7, -ERANGE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t host = 7;

		cr_expect_eq(idmap_to_host(rows[i].maps, rows[i].id, &host), rows[i].r, "row %zu",
			     i);
		cr_expect_eq(host, rows[i].host, "row %zu: %u", i, host);
	}
}

/*
 * Maps that are written, by a child that owns a grandchild in a new user namespace
 */

static pid_t start_in_user_namespace(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	int alive[2];
	pid_t pid;
	char byte;

	CHILD_ASSERT(pipe2(alive, O_CLOEXEC) == 0, "errno %d", errno);
	pid = sys_clone3(&args);
	CHILD_ASSERT(pid >= 0, "errno %d", errno);
	if (pid == 0) { /* until the child ends */
		close(alive[1]);
		_exit((int)read(alive[0], &byte, 1));
	}
	return pid;
}

static void expect_file(pid_t pid, const char *name, const char *content)
{
	auto_buf struct buf b = { 0 }, words = { 0 };
	char path[64];
	struct err e = { 0 };

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	CHILD_ASSERT(io_read_file(AT_FDCWD, path, 65536, path, &b, &e) == 0, "%s", e.msg);
	buf_str(&words, "");
	for (char *rest = b.text, *word; (word = strsep(&rest, " \n"));)
		if (*word)
			buf_printf(&words, "%s%s", words.len ? " " : "", word);
	CHILD_STR_EQ(words.text, content);
}

static void as_root(void *arg UNUSED)
{
	const struct spec_idmaps uids = MAPS({ 0, 100000, 65536 }, { 70000, 5, 2 }),
				 gids = MAPS({ 0, 200000, 10 });
	pid_t pid = start_in_user_namespace();
	struct err e = { 0 };

	CHILD_ASSERT(idmap_write(pid, &uids, &gids, &e) == 0, "%s", e.msg);
	expect_file(pid, "uid_map", "0 100000 65536 70000 5 2");
	expect_file(pid, "gid_map", "0 200000 10");
	expect_file(pid, "setgroups", "allow");
	/* a map is written once */
	CHILD_ASSERT(idmap_write(pid, &uids, &gids, &e) == -EPERM, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "write the uid_map: operation not permitted");
}

Test(idmap, is_written_by_root)
{
	need_root();
	expect_child(as_root, NULL);
}

/* 340 ranges are the most that the kernel takes, in one write(2) of at most a page. */
static void many(void *arg)
{
	struct spec_idmap ranges[341];
	struct spec_idmaps maps = { ranges, (size_t)arg };
	pid_t pid = start_in_user_namespace();
	struct err e = { 0 };
	int r;

	for (uint32_t i = 0; i < ARRAY_LEN(ranges); i++)
		ranges[i] = (struct spec_idmap){ i * 2, i * 2, 1 };
	r = idmap_write(pid, &maps, &maps, &e);
	if (maps.n <= 340) {
		CHILD_ASSERT(r == 0, "%s", e.msg);
	} else {
		CHILD_ASSERT(r == -EINVAL, "%d", r);
		CHILD_STR_EQ(e.msg, "write the uid_map: invalid argument");
	}
}

Test(idmap, has_as_many_ranges_as_the_kernel_takes)
{
	need_root();
	expect_child(many, (void *)340);
	expect_child(many, (void *)341);
}

struct wrong {
	struct spec_idmaps uids, gids;
	const char *message;
	int code;
};

static void is_refused(void *arg)
{
	const struct wrong *row = arg;
	pid_t pid = start_in_user_namespace();
	struct err e = { 0 };
	int r = idmap_write(pid, &row->uids, &row->gids, &e);

	CHILD_ASSERT(r == -row->code, "%d: %s", r, e.msg);
	CHILD_STR_EQ(e.msg, row->message);
}

Test(idmap, is_refused_by_the_kernel)
{
	struct wrong rows[] = {
		{ MAPS({ 0, 0, 0 }), MAPS({ 0, 0, 1 }), "write the uid_map: invalid argument",
		  EINVAL },
		{ MAPS({ 0, 0, 10 }, { 5, 100, 10 }), MAPS({ 0, 0, 1 }),
		  "write the uid_map: invalid argument", EINVAL },
		{ MAPS({ 0, 0, 10 }), MAPS({ 0, UINT32_MAX - 5, 10 }),
		  "write the gid_map: invalid argument", EINVAL },
	};

	need_root();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_child(is_refused, &rows[i]);
}

/* Nothing to be written is no success: nobody would be mapped. */
static void is_empty(void *arg UNUSED)
{
	const struct spec_idmaps none = { 0 }, one = MAPS({ 0, 0, 1 });
	pid_t pid = start_in_user_namespace();
	struct err e = { 0 };

	CHILD_ASSERT(idmap_write(pid, &none, &one, &e) < 0, "it is fine");
}

Test(idmap, of_nothing_is_refused)
{
	need_root();
	expect_child(is_empty, NULL);
}

static void is_gone(void *arg UNUSED)
{
	const struct spec_idmaps one = MAPS({ 0, 0, 1 });
	pid_t pid = start_in_user_namespace();
	struct err e = { 0 };

	kill(pid, SIGKILL);
	CHILD_ASSERT(waitpid(pid, NULL, 0) == pid, "errno %d", errno);
	CHILD_ASSERT(idmap_write(pid, &one, &one, &e) == -ENOENT, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "write the uid_map: no such file or directory");
}

Test(idmap, of_a_process_that_is_gone)
{
	need_root();
	expect_child(is_gone, NULL);
}

/*
 * As an ordinary user
 */

enum { NOBODY = 65534 };

static void as_user(void *arg UNUSED)
{
	const struct spec_idmaps uids = MAPS({ 0, NOBODY, 1 }), gids = MAPS({ 7, NOBODY, 1 });
	struct err e = { 0 };
	pid_t pid;

	become_user(NOBODY);
	pid = start_in_user_namespace();
	CHILD_ASSERT(idmap_write(pid, &uids, &gids, &e) == 0, "%s", e.msg);
	expect_file(pid, "uid_map", "0 65534 1");
	expect_file(pid, "gid_map", "7 65534 1");
	expect_file(pid, "setgroups", "deny");
}

Test(idmap, of_ones_own_id_needs_no_privilege)
{
	need_root();
	expect_child(as_user, NULL);
}

/* The helper is asked for anything else, and what it says is passed on. */
static void as_user_without_a_grant(void *arg)
{
	const struct spec_idmaps own = MAPS({ 0, NOBODY, 1 }), more = MAPS({ 0, 100000, 2 }),
				 foreign = MAPS({ 0, 0, 1 });
	const struct spec_idmaps *uids = arg ? &foreign : &more;
	struct err e = { 0 };
	pid_t pid;
	int r;

	become_user(NOBODY);
	pid = start_in_user_namespace();
	r = idmap_write(pid, uids, &own, &e);
	CHILD_ASSERT(r == -ECHILD, "%d: %s", r, e.msg);
	CHILD_ASSERT(strncmp(e.msg,
			     "write the uid_map (is the range granted in /etc/subuid?): "
			     "/usr/bin/newuidmap ended with exit status 1, it said: ",
			     111) == 0,
		     "%s", e.msg);
	expect_file(pid, "uid_map", "");
	CHILD_ASSERT(idmap_write(pid, &own, uids, &e) == -ECHILD, "%s", e.msg);
	CHILD_ASSERT(strncmp(e.msg,
			     "write the gid_map (is the range granted in /etc/subgid?): ", 58) == 0,
		     "%s", e.msg);
}

Test(idmap, of_other_ids_needs_a_grant)
{
	need_root();
	if (access("/usr/bin/newuidmap", X_OK) < 0)
		cr_skip_test("needs /usr/bin/newuidmap");
	expect_child(as_user_without_a_grant, NULL);
	expect_child(as_user_without_a_grant, (void *)1);
}

/* With a grant, the helper writes what root would have written. */
static void as_user_with_a_grant(void *arg UNUSED)
{
	const struct spec_idmaps maps = MAPS({ 0, NOBODY, 1 }, { 1, 100000, 65536 });
	struct err e = { 0 };
	char line[] = "nobody:100000:65536\n";
	pid_t pid;
	int fd;

	private_mounts();
	CHILD_ASSERT((fd = open("/tmp/sub", O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) >= 0, "errno %d",
		     errno);
	CHILD_ASSERT(write(fd, line, strlen(line)) == (ssize_t)strlen(line), "errno %d", errno);
	close(fd);
	CHILD_ASSERT(mount("/tmp/sub", "/etc/subuid", NULL, MS_BIND, NULL) == 0, "errno %d", errno);
	CHILD_ASSERT(mount("/tmp/sub", "/etc/subgid", NULL, MS_BIND, NULL) == 0, "errno %d", errno);
	become_user(NOBODY);
	pid = start_in_user_namespace();
	CHILD_ASSERT(idmap_write(pid, &maps, &maps, &e) == 0, "%s", e.msg);
	expect_file(pid, "uid_map", "0 65534 1 1 100000 65536");
	expect_file(pid, "gid_map", "0 65534 1 1 100000 65536");
	expect_file(pid, "setgroups", "allow");
}

Test(idmap, of_granted_ids_is_written_by_the_helper)
{
	need_root();
	if (access("/usr/bin/newuidmap", X_OK) < 0 || access("/etc/subuid", F_OK) < 0 ||
	    access("/etc/subgid", F_OK) < 0)
		cr_skip_test("needs newuidmap, /etc/subuid and /etc/subgid");
	expect_child(as_user_with_a_grant, NULL);
}

static void without_the_helper(void *arg UNUSED)
{
	static const char *const dirs[] = { "/usr/bin", "/bin", "/usr/local/bin" };
	const struct spec_idmaps maps = MAPS({ 0, 100000, 65536 });
	struct err e = { 0 };

	private_mounts();
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		(void)!mount("tmpfs", dirs[i], "tmpfs", 0, "mode=755");
	become_user(NOBODY);
	CHILD_ASSERT(idmap_write(start_in_user_namespace(), &maps, &maps, &e) == -ENOENT, "%s",
		     e.msg);
	CHILD_STR_EQ(e.msg, "write the uid_map: more than one's own id needs newuidmap (package "
			    "uidmap)");
}

Test(idmap, of_other_ids_needs_the_helper)
{
	need_root();
	expect_child(without_the_helper, NULL);
}
