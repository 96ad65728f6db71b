/*
 * fuzz_fs.c - any sequence of requests to the file system server, in a directory of tmpfs.
 *
 * The input is a configuration and then requests: an opcode, a node id and a handle (most often
 * one that the server gave), names (most often ones that are there) and whatever bytes the rest
 * is. Beyond what sanitizers see: each reply says its own length, nothing outside of the
 * directory changes, nothing changes at all in a read-only one, and when the guest is gone so
 * are its inodes, handles and descriptors.
 *
 *	fuzz_fs tests/fuzz/corpus-fs
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/util.h"
#include "microvm/fs/fs.h"
#include "microvm/fs/wire.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KNOWN = 16, ROOM = 8192 };

/* The opcodes and the bytes of each one's struct, after which names or data come. */
static const struct {
	uint8_t op, head;
} ops[] = {
	{ FUSE_LOOKUP, 0 },
	{ FUSE_FORGET, 8 },
	{ FUSE_GETATTR, 16 },
	{ FUSE_SETATTR, 88 },
	{ FUSE_READLINK, 0 },
	{ FUSE_SYMLINK, 0 },
	{ FUSE_MKNOD, 16 },
	{ FUSE_MKDIR, 8 },
	{ FUSE_UNLINK, 0 },
	{ FUSE_RMDIR, 0 },
	{ FUSE_RENAME, 8 },
	{ FUSE_LINK, 8 },
	{ FUSE_OPEN, 8 },
	{ FUSE_READ, 40 },
	{ FUSE_WRITE, 40 },
	{ FUSE_STATFS, 0 },
	{ FUSE_RELEASE, 24 },
	{ FUSE_FSYNC, 16 },
	{ FUSE_SETXATTR, 16 },
	{ FUSE_GETXATTR, 8 },
	{ FUSE_LISTXATTR, 8 },
	{ FUSE_REMOVEXATTR, 0 },
	{ FUSE_FLUSH, 24 },
	{ FUSE_INIT, 64 },
	{ FUSE_OPENDIR, 8 },
	{ FUSE_READDIR, 40 },
	{ FUSE_RELEASEDIR, 24 },
	{ FUSE_FSYNCDIR, 16 },
	{ FUSE_GETLK, 48 },
	{ FUSE_SETLK, 48 },
	{ FUSE_SETLKW, 48 },
	{ FUSE_ACCESS, 8 },
	{ FUSE_CREATE, 16 },
	{ FUSE_INTERRUPT, 8 },
	{ FUSE_DESTROY, 0 },
	{ FUSE_BATCH_FORGET, 8 },
	{ FUSE_FALLOCATE, 32 },
	{ FUSE_READDIRPLUS, 40 },
	{ FUSE_RENAME2, 16 },
	{ FUSE_LSEEK, 24 },
	{ FUSE_COPY_FILE_RANGE, 56 },
	{ FUSE_SYNCFS, 8 },
	{ FS_OP_TMPFILE, 16 },
	{ FS_OP_STATX, 24 },
	{ FUSE_IOCTL, 32 },
	{ 255, 8 },
};

static const char *const words[] = {
	"file",      "dir",         "out", "below",   "new",    "new2",
	"..",        ".",           "",    "dir/new", "user.x", "security.capability",
	"trusted.x", "/etc/passwd",
};

static char top[64];
static int top_fd;

struct input {
	const uint8_t *at;
	size_t left;
};

struct known {
	uint64_t nodes[KNOWN], handles[KNOWN];
	unsigned n_nodes, n_handles;
};

static void require(bool truth)
{
	if (!truth)
		abort();
}

static uint8_t take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static void take_bytes(struct input *in, void *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)to)[i] = take(in);
}

/* Mostly one that was given, sometimes anything. */
static uint64_t take_id(struct input *in, const uint64_t *known, unsigned n)
{
	uint8_t which = take(in);
	uint64_t id = 0;

	if (which < 224)
		return n ? known[which % (n < KNOWN ? n : KNOWN)] : which;
	take_bytes(in, &id, sizeof(id));
	return id;
}

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
		      struct FTW *where UNUSED)
{
	remove(path);
	return 0;
}

static void make_file(const char *name, const char *content)
{
	int fd = openat(top_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

	require(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	close(fd);
}

static void make_tree(void)
{
	require(mkdirat(top_fd, "root", 0755) == 0 && mkdirat(top_fd, "root/dir", 0755) == 0);
	make_file("root/file", "content");
	make_file("root/dir/below", "below");
	require(symlinkat("../canary", top_fd, "root/out") == 0);
}

static void check_file(const char *name, const char *content)
{
	char text[16] = "";
	struct stat st;
	int fd = openat(top_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	require(fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0 && strcmp(text, content) == 0);
	require(fstat(fd, &st) == 0 && st.st_mode == (S_IFREG | 0644) && st.st_uid == geteuid() &&
		st.st_nlink == 1);
	close(fd);
}

static void remove_all(void)
{
	char root[80];

	snprintf(root, sizeof(root), "%s/root", top);
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	rmdir(root);
}

static void leave(void)
{
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int LLVMFuzzerInitialize(int *argc UNUSED, char ***argv UNUSED)
{
	struct rlimit small = { 1 << 20, 1 << 20 };

	setrlimit(RLIMIT_FSIZE, &small);
	snprintf(top, sizeof(top), "/dev/shm/hull-fuzz-fs-XXXXXX");
	require(mkdtemp(top));
	top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(top_fd >= 0);
	make_file("canary", "nobody's");
	atexit(leave);
	return 0;
}

/* What a reply taught the guest. */
static void learn(struct known *k, uint32_t op, const char *body, size_t size)
{
	const struct fuse_entry_out *entry = (const void *)body;
	const struct fuse_open_out *open = (const void *)body;

	switch (op) {
	case FUSE_CREATE:
	case FS_OP_TMPFILE:
		require(size == sizeof(*entry) + sizeof(*open));
		k->handles[k->n_handles++ % KNOWN] =
			((const struct fuse_open_out *)(entry + 1))->fh;
		/* fall through */
	case FUSE_LOOKUP:
	case FUSE_MKDIR:
	case FUSE_MKNOD:
	case FUSE_SYMLINK:
	case FUSE_LINK:
		require(size >= sizeof(*entry));
		if (entry->nodeid)
			k->nodes[k->n_nodes++ % KNOWN] = entry->nodeid;
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		require(size == sizeof(*open));
		k->handles[k->n_handles++ % KNOWN] = open->fh;
	}
}

static void one_request(struct fs_server *server, struct input *in, struct known *k)
{
	_Alignas(8) char args[1024] = "", body[ROOM];
	struct fuse_in_header head = { .uid = geteuid(), .gid = getegid() };
	struct fuse_out_header out = { 0 };
	uint8_t which = take(in) % ARRAY_LEN(ops), shape = take(in);
	size_t size = ops[which].head, room;
	struct iovec request[2], reply[2];
	ssize_t n;

	head.opcode = ops[which].op;
	head.nodeid = take_id(in, k->nodes, k->n_nodes);
	head.unique = take(in);
	if (shape & 1)
		head.uid = head.gid = take(in);
	/* The struct: as it comes, with a handle where most have it, and another node. */
	take_bytes(in, args, shape & 2 ? size : size < 24 ? size : 24);
	if (size >= 16 && (shape & 4))
		memcpy(args, &(uint64_t){ take_id(in, k->handles, k->n_handles) }, 8);
	if (head.opcode == FUSE_RENAME || head.opcode == FUSE_RENAME2 || head.opcode == FUSE_LINK)
		memcpy(args, &(uint64_t){ take_id(in, k->nodes, k->n_nodes) }, 8);
	if (head.opcode == FUSE_SETATTR && (shape & 4))
		memcpy(args + 8, &(uint64_t){ take_id(in, k->handles, k->n_handles) }, 8);
	if (head.opcode == FUSE_COPY_FILE_RANGE) {
		memcpy(args + 16, &(uint64_t){ take_id(in, k->nodes, k->n_nodes) }, 8);
		memcpy(args + 24, &(uint64_t){ take_id(in, k->handles, k->n_handles) }, 8);
	}
	if (head.opcode == FUSE_INIT && (shape & 4))
		memcpy(args, &(struct fuse_init_in){ .major = 7, .minor = 38, .flags = UINT32_MAX },
		       64);
	for (int i = 0; i < ((shape >> 3) & 3); i++) {
		uint8_t word = take(in);
		size_t length;

		if (word < 192) {
			length = strlen(words[word % ARRAY_LEN(words)]) + 1;
			memcpy(args + size, words[word % ARRAY_LEN(words)], length);
		} else {
			length = word - 192U;
			take_bytes(in, args + size, length);
		}
		size += length;
	}
	if (head.opcode == FUSE_SETXATTR && (shape & 64))
		memcpy(args, &(uint32_t){ take(in) % 8 }, 4);
	head.len = (uint32_t)(sizeof(head) + size);
	if (shape & 32)
		take_bytes(in, &head.len, 2);
	room = shape & 128 ? take(in) * 4U : sizeof(body);
	request[0] = (struct iovec){ &head, sizeof(head) };
	request[1] = (struct iovec){ args, size };
	reply[0] = (struct iovec){ &out, sizeof(out) };
	reply[1] = (struct iovec){ body, room };
	n = fs_server_handle(server, request, 2, reply, 2);
	if (n == 0)
		return;
	require(n == out.len && n >= (ssize_t)sizeof(out) && n <= (ssize_t)(sizeof(out) + room));
	require(out.error <= 0 && out.error > -4096 && (out.error == 0 || n == sizeof(out)));
	require(out.unique == head.unique);
	if (out.error == 0)
		learn(k, head.opcode, body, (size_t)n - sizeof(out));
}

static void greet(struct fs_server *server)
{
	struct fuse_in_header head = { .len = 104, .opcode = FUSE_INIT };
	struct fuse_init_in init = { .major = 7, .minor = 38, .flags = UINT32_MAX };
	char reply[128];
	struct iovec in[] = { { &head, sizeof(head) }, { &init, sizeof(init) } };

	require(fs_server_handle(server, in, 2, &(struct iovec){ reply, sizeof(reply) }, 1) == 80);
}

static void leave_guest(struct fs_server *server)
{
	struct fuse_in_header head = { .len = sizeof(head), .opcode = FUSE_DESTROY };
	struct fuse_out_header out;
	struct fs_stats stats;

	fs_server_handle(server, &(struct iovec){ &head, sizeof(head) }, 1,
			 &(struct iovec){ &out, sizeof(out) }, 1);
	fs_server_stats(server, &stats);
	require(stats.inodes == 1 && stats.handles == 0 && stats.descriptors == 1 &&
		stats.lock_waits == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct known known = { .nodes = { FUSE_ROOT_ID }, .n_nodes = 1 };
	struct fs_config c = fs_defaults;
	struct fs_server *server = NULL;
	uint8_t how = take(&in);
	struct err e;

	signal(SIGXFSZ, SIG_IGN); /* libFuzzer takes it when it starts */
	make_tree();
	c.read_only = how & 1;
	c.cache = (how >> 1 & 3) % 3;
	c.writeback = how & 8;
	c.locks = how & 16;
	c.max_descriptors = how & 32 ? 5 : 0;
	c.max_inodes = how & 64 ? 4 : 0;
	c.root_fd = openat(top_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	require(c.root_fd >= 0 && fs_server_new(&c, &server, &e) == 0);
	close(c.root_fd);
	fs_server_stop(server); /* a lock that is waited for comes never */
	greet(server);
	for (int i = 0; in.left && i < 64; i++)
		one_request(server, &in, &known);
	leave_guest(server);
	fs_server_free(server);
	check_file("canary", "nobody's");
	if (c.read_only) {
		check_file("root/file", "content");
		check_file("root/dir/below", "below");
	}
	remove_all();
	return 0;
}
