/*
 * test_vm_fs.h - speaks FUSE to a file system server that shows "root" of the test's directory.
 *
 *	TestSuite(vm_fs, .init = serve, .fini = unserve);
 *
 *	node = look(FUSE_ROOT_ID, "file");
 *	failed(-EINVAL, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("..\0"));
 *	n = ask(FUSE_READ, node, IN(fuse_read_in, .fh = fh, .size = 4));	n bytes are in `answer`
 */
#ifndef HULL_TESTS_UNIT_TEST_VM_FS_H
#define HULL_TESTS_UNIT_TEST_VM_FS_H

#include <dirent.h>
#include <linux/fuse.h>
#include <stdarg.h>

#include "microvm/fs/fs.h"
#include "microvm/fs/wire.h"
#include "tests/unit/test_dir.h"

/* What follows the header of a request, in up to two parts. */
struct part {
	const void *bytes;
	size_t size;
};

#define IN(type, ...) ((struct part){ &(struct type){ __VA_ARGS__ }, sizeof(struct type) })
/* Names, each with its NUL: WORDS("one\0two") has the last NUL by itself. */
#define WORDS(text) ((struct part){ text, sizeof(text) })
#define NOTHING ((struct part){ NULL, 0 })
#define ask(...) ASK_(__VA_ARGS__, NOTHING, NOTHING, )
#define ASK_(op, node, one, two, ...) ask_parts(op, node, one, two)

static struct fs_server *server;
static struct fs_config config;
static struct fuse_in_header next_head; /* uid, gid, and len if it is not to be the true one */
static union {
	char bytes[(1 << 20) + 4096];
	struct fuse_entry_out entry;
	struct fuse_attr_out attr;
	struct fuse_open_out open;
	struct fuse_init_out init;
	struct fuse_write_out write;
	struct fuse_statfs_out statfs;
	struct fuse_getxattr_out getxattr;
	struct fuse_lseek_out lseek;
	struct fuse_lk_out lk;
	struct fs_statx_out statx;
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} created;
} answer;
static size_t answer_room = sizeof(answer);

/* The bytes of the reply's body, or its error. -1000: there was no reply. */
UNUSED static ssize_t ask_parts(uint32_t op, uint64_t node, struct part one, struct part two)
{
	static uint64_t unique;
	struct fuse_in_header head = next_head;
	struct fuse_out_header out = { 0 };
	struct iovec request[] = {
		{ &head, sizeof(head) },
		{ (void *)one.bytes, one.size },
		{ (void *)two.bytes, two.size },
	};
	struct iovec reply[] = { { &out, sizeof(out) }, { answer.bytes, answer_room } };
	ssize_t n;

	head.opcode = op;
	head.nodeid = node;
	head.unique = ++unique;
	if (!head.len)
		head.len = (uint32_t)(sizeof(head) + one.size + two.size);
	n = fs_server_handle(server, request, 3, reply, 2);
	if (n == 0)
		return -1000;
	cr_assert_geq(n, (ssize_t)sizeof(out));
	cr_assert_eq(n, out.len, "opcode %u: %zd bytes, the header says %u", op, n, out.len);
	cr_assert_eq(out.unique, unique);
	cr_assert_leq(out.error, 0);
	if (out.error)
		cr_assert_eq(n, sizeof(out));
	return out.error ? out.error : n - (ssize_t)sizeof(out);
}

#define expect_answer(want, ...)                                                    \
	do {                                                                        \
		ssize_t got_ = ask(__VA_ARGS__);                                    \
		cr_expect_eq(got_, (ssize_t)(want), "%s: %zd", #__VA_ARGS__, got_); \
	} while (0)

#define done(...) expect_answer(0, __VA_ARGS__)
#define failed(error, ...) expect_answer(error, __VA_ARGS__)

/* Answers nothing that it was not asked: all features that it may want are offered. */
UNUSED static void greet(void)
{
	cr_assert_eq(ask(FUSE_INIT, 0,
			 IN(fuse_init_in, .major = 7, .minor = 38, .max_readahead = 65536,
			    .flags = UINT32_MAX, .flags2 = UINT32_MAX)),
		     (ssize_t)sizeof(struct fuse_init_out));
}

UNUSED static void serve_with(const struct fs_config *c)
{
	struct err e = { 0 };

	config = *c;
	config.root_fd = openat(dir_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(config.root_fd, 0);
	cr_assert_eq(fs_server_new(&config, &server, &e), 0, "%s", e.msg);
	close(config.root_fd);
	next_head = (struct fuse_in_header){ .uid = geteuid(), .gid = getegid() };
	greet();
}

UNUSED static void serve(void)
{
	dir_make();
	dir_file("root/file", "content");
	dir_file("root/dir/below", "below");
	dir_file("canary", "nobody's");
	cr_assert_eq(symlinkat("../canary", dir_fd, "root/out"), 0);
	serve_with(&fs_defaults);
}

UNUSED static void unserve(void)
{
	fs_server_free(server);
	server = NULL;
	dir_remove();
}

/* The same directory again, otherwise. */
UNUSED static void serve_again(const struct fs_config *c)
{
	fs_server_free(server);
	serve_with(c);
}

/* A name's node id, or 0 and the error in *ret_error if that is not NULL. */
UNUSED static uint64_t look_for(uint64_t parent, const char *name, ssize_t *ret_error)
{
	ssize_t n = ask(FUSE_LOOKUP, parent, ((struct part){ name, strlen(name) + 1 }));

	if (ret_error)
		*ret_error = n < 0 ? n : 0;
	else
		cr_assert_eq(n, (ssize_t)sizeof(struct fuse_entry_out), "lookup of \"%s\": %zd",
			     name, n);
	return n < 0 ? 0 : answer.entry.nodeid;
}

UNUSED static uint64_t look(uint64_t parent, const char *name)
{
	return look_for(parent, name, NULL);
}

UNUSED static uint64_t open_node(uint64_t node, uint32_t flags)
{
	ssize_t n = ask(FUSE_OPEN, node, IN(fuse_open_in, .flags = flags));

	cr_assert_eq(n, (ssize_t)sizeof(struct fuse_open_out), "open: %zd", n);
	return answer.open.fh;
}

/* What the host finds in a file. */
UNUSED static const char *content_of(const char *name)
{
	static char text[4096];
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	cr_assert_geq(n, 0, "%s: errno %d", name, errno);
	close(fd);
	text[n] = '\0';
	return text;
}

UNUSED static struct stat stat_of(const char *name)
{
	struct stat st;

	cr_assert_eq(fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW), 0, "%s", name);
	return st;
}

UNUSED static struct fs_stats stats_now(void)
{
	struct fs_stats stats;

	fs_server_stats(server, &stats);
	return stats;
}

#endif
