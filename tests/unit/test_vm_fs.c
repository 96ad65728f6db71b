/*
 * The file system server's protocol: the start, lengths, forged ids and handles, names, and
 * what of the host the guest must not reach.
 */
#include "tests/unit/test_vm_fs.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "microvm/fs/mount.h"
#include "microvm/fs/owner.h"
#include "microvm/fs/vec.h"

TestSuite(vm_fs, .init = serve, .fini = unserve);

Test(vm_fs, init_agrees_on_what_both_want)
{
	greet();
	cr_assert_eq(answer.init.major, 7);
	cr_assert_eq(answer.init.minor, 38);
	cr_assert_eq(answer.init.max_write, 1 << 20);
	cr_assert_eq(answer.init.max_pages, 256);
	cr_assert(answer.init.flags & FUSE_HANDLE_KILLPRIV_V2);
	cr_assert(answer.init.flags & FUSE_DO_READDIRPLUS);
	cr_assert(answer.init.flags & FUSE_AUTO_INVAL_DATA);
	cr_assert_not(answer.init.flags & FUSE_WRITEBACK_CACHE);
	cr_assert_not(answer.init.flags & FUSE_POSIX_ACL);
	cr_assert_not(answer.init.flags & (FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS));
	cr_assert_not(answer.init.flags & FUSE_SUBMOUNTS);
	cr_assert_eq(answer.init.flags2, 0);
}

Test(vm_fs, init_leaves_what_is_not_offered)
{
	cr_assert_gt(ask(FUSE_INIT, 0,
			 IN(fuse_init_in, .major = 7, .minor = 31, .flags = FUSE_ASYNC_READ)),
		     0);
	cr_assert_eq(answer.init.flags, FUSE_ASYNC_READ);
	cr_assert_eq(answer.init.minor, 31);
}

Test(vm_fs, init_wants_a_version_it_speaks)
{
	failed(-EPROTO, FUSE_INIT, 0, IN(fuse_init_in, .major = 7, .minor = 30));
	failed(-EPROTO, FUSE_INIT, 0, IN(fuse_init_in, .major = 6, .minor = 99));
	cr_assert_gt(ask(FUSE_INIT, 0, IN(fuse_init_in, .major = 8)), 0);
	cr_assert_eq(answer.init.major, 7);
}

Test(vm_fs, init_takes_the_policy)
{
	struct fs_config c = fs_defaults;

	c.writeback = c.locks = c.submounts = true;
	c.cache = FS_CACHE_ALWAYS;
	serve_again(&c);
	cr_assert(answer.init.flags & FUSE_WRITEBACK_CACHE);
	cr_assert(answer.init.flags & FUSE_POSIX_LOCKS);
	cr_assert(answer.init.flags & FUSE_FLOCK_LOCKS);
	cr_assert(answer.init.flags & FUSE_SUBMOUNTS);
	cr_assert_not(answer.init.flags & FUSE_AUTO_INVAL_DATA);
	c.read_only = true;
	serve_again(&c);
	cr_assert_not(answer.init.flags & FUSE_WRITEBACK_CACHE);
}

Test(vm_fs, nothing_before_init_and_after_destroy)
{
	uint64_t node = look(FUSE_ROOT_ID, "file"), fh = open_node(node, O_RDONLY);

	cr_assert_eq(stats_now().inodes, 2);
	cr_assert_eq(stats_now().handles, 1);
	done(FUSE_DESTROY, 0, NOTHING);
	cr_assert_eq(stats_now().inodes, 1);
	cr_assert_eq(stats_now().descriptors, 1);
	cr_assert_eq(stats_now().handles, 0);
	failed(-EPROTO, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("file"));
	greet();
	failed(-ENOENT, FUSE_READ, node, IN(fuse_read_in, .fh = fh, .size = 1));
	failed(-EBADF, FUSE_READ, look(FUSE_ROOT_ID, "file"),
	       IN(fuse_read_in, .fh = fh, .size = 1));
}

Test(vm_fs, a_request_needs_its_header_and_a_reply_its_room)
{
	struct fuse_in_header head = { .len = sizeof(head), .opcode = FUSE_STATFS, .nodeid = 1 };
	char out[256];
	struct iovec in = { &head, sizeof(head) }, room = { out, sizeof(out) };

	for (size_t n = 0; n < sizeof(head); n++) {
		in.iov_len = n;
		cr_assert_eq(fs_server_handle(server, &in, 1, &room, 1), -EBADMSG);
	}
	cr_assert_eq(fs_server_handle(server, NULL, 0, &room, 1), -EBADMSG);
	in.iov_len = sizeof(head);
	for (size_t n = 0; n < sizeof(struct fuse_out_header); n++) {
		room.iov_len = n;
		cr_assert_eq(fs_server_handle(server, &in, 1, &room, 1), -ENOSPC);
	}
	/* Only a header: the reply has no room for the answer, the error has. */
	room.iov_len = sizeof(struct fuse_out_header);
	cr_assert_eq(fs_server_handle(server, &in, 1, &room, 1), sizeof(struct fuse_out_header));
	cr_assert_eq(((struct fuse_out_header *)out)->error, -EINVAL);
}

Test(vm_fs, a_length_beyond_the_request_is_refused)
{
	next_head.len = 39;
	failed(-EINVAL, FUSE_STATFS, FUSE_ROOT_ID, NOTHING);
	next_head.len = 41;
	failed(-EINVAL, FUSE_STATFS, FUSE_ROOT_ID, NOTHING);
	next_head.len = UINT32_MAX;
	failed(-EINVAL, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("file"));
	next_head.len = 45; /* "file" without its NUL, which is there behind it */
	failed(-EINVAL, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("filex"));
	next_head.len = 0;
}

/* Every opcode that is known, and the bytes that it must have. */
static const struct {
	uint32_t op;
	size_t least;
} known[] = {
	{ FUSE_LOOKUP, 2 },
	{ FUSE_GETATTR, sizeof(struct fuse_getattr_in) },
	{ FUSE_SETATTR, sizeof(struct fuse_setattr_in) },
	{ FUSE_SYMLINK, 3 },
	{ FUSE_MKNOD, sizeof(struct fuse_mknod_in) + 2 },
	{ FUSE_MKDIR, sizeof(struct fuse_mkdir_in) + 2 },
	{ FUSE_UNLINK, 2 },
	{ FUSE_RMDIR, 2 },
	{ FUSE_RENAME, sizeof(struct fuse_rename_in) + 4 },
	{ FUSE_LINK, sizeof(struct fuse_link_in) + 2 },
	{ FUSE_OPEN, sizeof(struct fuse_open_in) },
	{ FUSE_READ, sizeof(struct fuse_read_in) },
	{ FUSE_WRITE, sizeof(struct fuse_write_in) },
	{ FUSE_RELEASE, sizeof(struct fuse_release_in) },
	{ FUSE_FSYNC, sizeof(struct fuse_fsync_in) },
	{ FUSE_SETXATTR, FUSE_COMPAT_SETXATTR_IN_SIZE + 2 },
	{ FUSE_GETXATTR, sizeof(struct fuse_getxattr_in) + 2 },
	{ FUSE_LISTXATTR, sizeof(struct fuse_getxattr_in) },
	{ FUSE_REMOVEXATTR, 2 },
	{ FUSE_FLUSH, sizeof(struct fuse_flush_in) },
	{ FUSE_INIT, 16 },
	{ FUSE_OPENDIR, sizeof(struct fuse_open_in) },
	{ FUSE_READDIR, sizeof(struct fuse_read_in) },
	{ FUSE_RELEASEDIR, sizeof(struct fuse_release_in) },
	{ FUSE_FSYNCDIR, sizeof(struct fuse_fsync_in) },
	{ FUSE_GETLK, sizeof(struct fuse_lk_in) },
	{ FUSE_SETLK, sizeof(struct fuse_lk_in) },
	{ FUSE_SETLKW, sizeof(struct fuse_lk_in) },
	{ FUSE_CREATE, sizeof(struct fuse_create_in) + 2 },
	{ FUSE_FALLOCATE, sizeof(struct fuse_fallocate_in) },
	{ FUSE_READDIRPLUS, sizeof(struct fuse_read_in) },
	{ FUSE_RENAME2, sizeof(struct fuse_rename2_in) + 4 },
	{ FUSE_LSEEK, sizeof(struct fuse_lseek_in) },
	{ FUSE_COPY_FILE_RANGE, sizeof(struct fuse_copy_file_range_in) },
	{ FS_OP_TMPFILE, sizeof(struct fuse_create_in) },
	{ FS_OP_STATX, sizeof(struct fs_statx_in) },
};

Test(vm_fs, each_request_that_is_too_short_is_refused)
{
	static const char zeros[256];

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		for (size_t n = 0; n < known[i].least; n++) {
			ssize_t got = ask(known[i].op, FUSE_ROOT_ID, ((struct part){ zeros, n }));

			cr_expect_eq(got, -EINVAL, "opcode %u with %zu bytes: %zd", known[i].op, n,
				     got);
		}
}

Test(vm_fs, each_request_about_an_inode_that_is_none_is_refused)
{
	static const uint64_t forged[] = { 0,          2,          1000,
					   UINT64_MAX, 1ULL << 32, (1ULL << 32) + 1,
					   UINT32_MAX };
	static const char zeros[256];

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		for (size_t k = 0; k < ARRAY_LEN(forged) && known[i].op != FUSE_INIT; k++) {
			ssize_t got = ask(known[i].op, forged[k],
					  ((struct part){ zeros, known[i].least }));

			cr_expect_eq(got, -ENOENT, "opcode %u of %jx: %zd", known[i].op,
				     (uintmax_t)forged[k], got);
		}
}

Test(vm_fs, what_is_not_known_is_not_there)
{
	static const uint32_t codes[] = { 0,
					  7,
					  19,
					  FUSE_ACCESS,
					  FUSE_BMAP,
					  FUSE_IOCTL,
					  FUSE_POLL,
					  FUSE_NOTIFY_REPLY,
					  FUSE_SETUPMAPPING,
					  FUSE_REMOVEMAPPING,
					  53,
					  4096,
					  1048576,
					  UINT32_MAX };

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		failed(-ENOSYS, codes[i], FUSE_ROOT_ID, WORDS("some bytes of whatever it may be"));
}

Test(vm_fs, forget_has_no_reply)
{
	uint64_t node = look(FUSE_ROOT_ID, "file"), again = look(FUSE_ROOT_ID, "file");

	cr_assert_eq(node, again);
	failed(-1000, FUSE_FORGET, node, IN(fuse_forget_in, .nlookup = 1));
	cr_assert_gt(ask(FUSE_GETATTR, node, IN(fuse_getattr_in, 0)), 0);
	failed(-1000, FUSE_FORGET, node, IN(fuse_forget_in, .nlookup = 1));
	failed(-ENOENT, FUSE_GETATTR, node, IN(fuse_getattr_in, 0));
	failed(-1000, FUSE_FORGET, node, IN(fuse_forget_in, .nlookup = 1));
	failed(-1000, FUSE_FORGET, 0, NOTHING);
	failed(-1000, FUSE_FORGET, FUSE_ROOT_ID, IN(fuse_forget_in, .nlookup = UINT64_MAX));
	cr_assert_gt(ask(FUSE_GETATTR, FUSE_ROOT_ID, IN(fuse_getattr_in, 0)), 0);
	cr_assert_eq(stats_now().inodes, 1);
	cr_assert_eq(stats_now().descriptors, 1);
}

Test(vm_fs, a_node_id_is_not_given_twice)
{
	uint64_t node = look(FUSE_ROOT_ID, "file"), other;

	ask(FUSE_FORGET, node, IN(fuse_forget_in, .nlookup = 1));
	other = look(FUSE_ROOT_ID, "dir");
	cr_assert_eq((uint32_t)node, (uint32_t)other); /* the same place */
	cr_assert_neq(node, other);
	failed(-ENOENT, FUSE_GETATTR, node, IN(fuse_getattr_in, 0));
}

Test(vm_fs, more_is_not_forgotten_than_was_looked_up)
{
	uint64_t node = look(FUSE_ROOT_ID, "file");

	ask(FUSE_FORGET, node, IN(fuse_forget_in, .nlookup = UINT64_MAX));
	failed(-ENOENT, FUSE_GETATTR, node, IN(fuse_getattr_in, 0));
	node = look(FUSE_ROOT_ID, "file");
	cr_assert_gt(ask(FUSE_GETATTR, node, IN(fuse_getattr_in, 0)), 0);
}

Test(vm_fs, batch_forget_counts_what_is_there)
{
	struct fuse_forget_one both[] = { { look(FUSE_ROOT_ID, "file"), 1 },
					  { look(FUSE_ROOT_ID, "dir"), 1 } };

	cr_assert_eq(stats_now().inodes, 3);
	failed(-1000, FUSE_BATCH_FORGET, 0, IN(fuse_batch_forget_in, .count = 1),
	       ((struct part){ both, sizeof(both) }));
	cr_assert_eq(stats_now().inodes, 2);
	failed(-1000, FUSE_BATCH_FORGET, 0, IN(fuse_batch_forget_in, .count = UINT32_MAX),
	       ((struct part){ both, sizeof(both) }));
	cr_assert_eq(stats_now().inodes, 1);
	failed(-1000, FUSE_BATCH_FORGET, 0, IN(fuse_batch_forget_in, .count = UINT32_MAX));
}

Test(vm_fs, an_open_file_outlives_its_lookups)
{
	uint64_t node = look(FUSE_ROOT_ID, "file"), fh = open_node(node, O_RDONLY);

	ask(FUSE_FORGET, node, IN(fuse_forget_in, .nlookup = 1));
	cr_assert_eq(stats_now().inodes, 2);
	expect_answer(7, FUSE_READ, node, IN(fuse_read_in, .fh = fh, .size = 100));
	done(FUSE_RELEASE, node, IN(fuse_release_in, .fh = fh));
	cr_assert_eq(stats_now().inodes, 1);
	failed(-ENOENT, FUSE_READ, node, IN(fuse_read_in, .fh = fh, .size = 100));
}

Test(vm_fs, names_are_one_component)
{
	char longest[257];

	failed(-EINVAL, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS(".."));
	failed(-EINVAL, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("."));
	failed(-EINVAL, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("\0"));
	failed(-EINVAL, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("dir/below"));
	failed(-EINVAL, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("/file"));
	failed(-EINVAL, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("file/"));
	failed(-EINVAL, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("file\0more"));
	failed(-EINVAL, FUSE_LOOKUP, FUSE_ROOT_ID, ((struct part){ "file", 4 }));
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	failed(-ENAMETOOLONG, FUSE_LOOKUP, FUSE_ROOT_ID, ((struct part){ longest, 257 }));
	failed(-ENOENT, FUSE_LOOKUP, FUSE_ROOT_ID, ((struct part){ longest + 1, 256 }));
	cr_assert_neq(look(FUSE_ROOT_ID, "file"), 0);
}

/* The same for every request with names, whichever of them is wrong. */
Test(vm_fs, no_request_takes_a_path)
{
	static const char *const wrong[] = {
		"..", ".", "", "a/b", "../canary", "/", "dir/../../canary"
	};
	uint64_t file = look(FUSE_ROOT_ID, "file");

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char two[64] = "file", three[64] = "";
		size_t length = strlen(wrong[i]);
		struct part name = { wrong[i], length + 1 };
		struct part second = { two, 5 + length + 1 }, first = { three, length + 1 + 5 };

		strcpy(two + 5, wrong[i]);
		strcpy(three, wrong[i]);
		strcpy(three + length + 1, "new");
		first.size = length + 1 + 4;
		failed(-EINVAL, FUSE_LOOKUP, FUSE_ROOT_ID, name);
		failed(-EINVAL, FUSE_UNLINK, FUSE_ROOT_ID, name);
		failed(-EINVAL, FUSE_RMDIR, FUSE_ROOT_ID, name);
		failed(-EINVAL, FUSE_MKDIR, FUSE_ROOT_ID, IN(fuse_mkdir_in, .mode = 0755), name);
		failed(-EINVAL, FUSE_MKNOD, FUSE_ROOT_ID, IN(fuse_mknod_in, .mode = S_IFREG | 0644),
		       name);
		failed(-EINVAL, FUSE_CREATE, FUSE_ROOT_ID,
		       IN(fuse_create_in, .mode = S_IFREG | 0644), name);
		failed(-EINVAL, FUSE_LINK, FUSE_ROOT_ID, IN(fuse_link_in, .oldnodeid = file), name);
		failed(-EINVAL, FUSE_SYMLINK, FUSE_ROOT_ID, first);
		failed(-EINVAL, FUSE_RENAME, FUSE_ROOT_ID, IN(fuse_rename_in, .newdir = 1), first);
		failed(-EINVAL, FUSE_RENAME, FUSE_ROOT_ID, IN(fuse_rename_in, .newdir = 1), second);
		failed(-EINVAL, FUSE_RENAME2, FUSE_ROOT_ID, IN(fuse_rename2_in, .newdir = 1),
		       second);
	}
	cr_assert_str_eq(content_of("canary"), "nobody's");
	cr_assert_eq(stats_now().handles, 0);
}

Test(vm_fs, links_are_not_followed)
{
	uint64_t out = look(FUSE_ROOT_ID, "out");

	cr_assert(S_ISLNK(answer.entry.attr.mode));
	expect_answer(9, FUSE_READLINK, out, NOTHING);
	cr_assert_eq(memcmp(answer.bytes, "../canary", 9), 0);
	failed(-ELOOP, FUSE_OPEN, out, IN(fuse_open_in, .flags = O_RDONLY));
	failed(-ENOTDIR, FUSE_OPENDIR, out, IN(fuse_open_in, 0));
	failed(-ENOTDIR, FUSE_LOOKUP, out, WORDS("x"));
	failed(-EOPNOTSUPP, FUSE_SETATTR, out,
	       IN(fuse_setattr_in, .valid = FATTR_MODE, .mode = 0777));
	failed(-EINVAL, FUSE_SETATTR, out, IN(fuse_setattr_in, .valid = FATTR_SIZE));
	failed(-ESTALE, FUSE_CREATE, FUSE_ROOT_ID,
	       IN(fuse_create_in, .flags = O_RDWR, .mode = 0644), WORDS("out"));
	failed(-EEXIST, FUSE_CREATE, FUSE_ROOT_ID, IN(fuse_create_in, .flags = O_RDWR | O_EXCL),
	       WORDS("out"));
	cr_assert_eq(stat_of("canary").st_mode & 0777, 0644);
	cr_assert_str_eq(content_of("canary"), "nobody's");
	failed(-EINVAL, FUSE_READLINK, FUSE_ROOT_ID, NOTHING);
}

Test(vm_fs, a_name_that_is_swapped_stays_what_it_was)
{
	uint64_t dir = look(FUSE_ROOT_ID, "dir"), below, fh;

	/* The directory goes elsewhere, and its name becomes a link that leads out. */
	cr_assert_eq(renameat(dir_fd, "root/dir", dir_fd, "root/moved"), 0);
	cr_assert_eq(symlinkat("..", dir_fd, "root/dir"), 0);
	below = look(dir, "below");
	fh = open_node(below, O_RDONLY);
	expect_answer(5, FUSE_READ, below, IN(fuse_read_in, .fh = fh, .size = 100));
	failed(-ENOENT, FUSE_LOOKUP, dir, WORDS("canary"));
	/* The file is replaced by a link while it is open, and after it was looked up. */
	cr_assert_eq(unlinkat(dir_fd, "root/moved/below", 0), 0);
	cr_assert_eq(symlinkat("../../canary", dir_fd, "root/moved/below"), 0);
	fh = open_node(below, O_WRONLY | O_TRUNC);
	expect_answer(sizeof(answer.write), FUSE_WRITE, below,
		      IN(fuse_write_in, .fh = fh, .size = 3), ((struct part){ "new", 3 }));
	cr_assert_str_eq(content_of("canary"), "nobody's");
	ask(FUSE_GETATTR, below, IN(fuse_getattr_in, 0));
	cr_assert_eq(answer.attr.attr.nlink, 0);
}

Test(vm_fs, handles_are_good_for_what_they_were_opened_for)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"),
		 below = look(look(FUSE_ROOT_ID, "dir"), "below");
	uint64_t fh = open_node(file, O_RDWR), dir_fh;
	static const uint64_t forged[] = { 0,          2,          3,
					   63,         64,         1000,
					   UINT64_MAX, 1ULL << 32, (1ULL << 32) + 1 };

	cr_assert_eq(ask(FUSE_OPENDIR, FUSE_ROOT_ID, IN(fuse_open_in, 0)),
		     (ssize_t)sizeof(answer.open));
	dir_fh = answer.open.fh;
	for (size_t i = 0; i < ARRAY_LEN(forged) + 2; i++) {
		uint64_t wrong = i < ARRAY_LEN(forged)    ? forged[i]
				 : i == ARRAY_LEN(forged) ? dir_fh
							  : fh + (1ULL << 32);

		if (wrong == dir_fh && i < ARRAY_LEN(forged))
			continue;
		failed(-EBADF, FUSE_READ, file, IN(fuse_read_in, .fh = wrong, .size = 1));
		failed(-EBADF, FUSE_WRITE, file, IN(fuse_write_in, .fh = wrong));
		failed(-EBADF, FUSE_RELEASE, file, IN(fuse_release_in, .fh = wrong));
		failed(-EBADF, FUSE_FSYNC, file, IN(fuse_fsync_in, .fh = wrong));
		failed(-EBADF, FUSE_FALLOCATE, file,
		       IN(fuse_fallocate_in, .fh = wrong, .length = 1));
		failed(-EBADF, FUSE_LSEEK, file,
		       IN(fuse_lseek_in, .fh = wrong, .whence = SEEK_DATA));
		failed(-EBADF, FUSE_COPY_FILE_RANGE, file,
		       IN(fuse_copy_file_range_in, .fh_in = wrong, .nodeid_out = file, .fh_out = fh,
			  .len = 1));
		failed(-EBADF, FUSE_COPY_FILE_RANGE, file,
		       IN(fuse_copy_file_range_in, .fh_in = fh, .nodeid_out = file, .fh_out = wrong,
			  .len = 1));
		failed(-EBADF, FUSE_SETATTR, file,
		       IN(fuse_setattr_in, .valid = FATTR_SIZE | FATTR_FH, .fh = wrong));
	}
	failed(-EBADF, FUSE_READ, below, IN(fuse_read_in, .fh = fh, .size = 1));
	failed(-EBADF, FUSE_RELEASE, below, IN(fuse_release_in, .fh = fh));
	failed(-EBADF, FUSE_READDIR, FUSE_ROOT_ID, IN(fuse_read_in, .fh = fh, .size = 100));
	failed(-EBADF, FUSE_READDIRPLUS, FUSE_ROOT_ID,
	       IN(fuse_read_in, .fh = dir_fh + 1, .size = 100));
	failed(-EBADF, FUSE_RELEASEDIR, FUSE_ROOT_ID, IN(fuse_release_in, .fh = fh));
	failed(-EBADF, FUSE_FSYNCDIR, FUSE_ROOT_ID, IN(fuse_fsync_in, .fh = fh));
	done(FUSE_FSYNCDIR, FUSE_ROOT_ID, IN(fuse_fsync_in, .fh = dir_fh));
	done(FUSE_RELEASEDIR, FUSE_ROOT_ID, IN(fuse_release_in, .fh = dir_fh));
	failed(-EBADF, FUSE_RELEASEDIR, FUSE_ROOT_ID, IN(fuse_release_in, .fh = dir_fh));
	done(FUSE_RELEASE, file, IN(fuse_release_in, .fh = fh));
	failed(-EBADF, FUSE_READ, file, IN(fuse_read_in, .fh = fh, .size = 1));
	cr_assert_eq(stats_now().handles, 0);
}

Test(vm_fs, special_files_are_seen_and_not_opened)
{
	uint64_t fifo;

	cr_assert_eq(mkfifoat(dir_fd, "root/fifo", 0644), 0);
	fifo = look(FUSE_ROOT_ID, "fifo");
	cr_assert(S_ISFIFO(answer.entry.attr.mode));
	failed(-ENXIO, FUSE_OPEN, fifo, IN(fuse_open_in, .flags = O_RDWR));
	failed(-ESTALE, FUSE_CREATE, FUSE_ROOT_ID,
	       IN(fuse_create_in, .flags = O_RDWR, .mode = 0644), WORDS("fifo"));
	failed(-EINVAL, FUSE_SETATTR, fifo, IN(fuse_setattr_in, .valid = FATTR_SIZE));
	failed(-EOPNOTSUPP, FUSE_SETXATTR, fifo, IN(fuse_setxattr_in, .size = 1),
	       WORDS("user.x\0"));
	expect_answer(0, FUSE_LISTXATTR, fifo, IN(fuse_getxattr_in, .size = 100));
	cr_assert_gt(
		ask(FUSE_SETATTR, fifo, IN(fuse_setattr_in, .valid = FATTR_MODE, .mode = 0600)), 0);
	cr_assert_eq(stat_of("root/fifo").st_mode, S_IFIFO | 0600);
	cr_assert_eq(stats_now().handles, 0);
}

Test(vm_fs, read_only_changes_nothing)
{
	struct fs_config c = fs_defaults;
	uint64_t file, fh;

	c.read_only = true;
	serve_again(&c);
	file = look(FUSE_ROOT_ID, "file");
	failed(-EROFS, FUSE_OPEN, file, IN(fuse_open_in, .flags = O_WRONLY));
	failed(-EROFS, FUSE_OPEN, file, IN(fuse_open_in, .flags = O_RDWR));
	failed(-EROFS, FUSE_OPEN, file, IN(fuse_open_in, .flags = O_RDONLY | O_TRUNC));
	fh = open_node(file, O_RDONLY | O_APPEND);
	failed(-EROFS, FUSE_WRITE, file, IN(fuse_write_in, .fh = fh, .size = 1),
	       ((struct part){ "x", 1 }));
	failed(-EROFS, FUSE_FALLOCATE, file, IN(fuse_fallocate_in, .fh = fh, .length = 1));
	failed(-EBADF, FUSE_COPY_FILE_RANGE, file,
	       IN(fuse_copy_file_range_in, .fh_in = fh, .fh_out = fh, .nodeid_out = file,
		  .off_out = 7, .len = 7));
	failed(-EROFS, FUSE_SETATTR, file, IN(fuse_setattr_in, .valid = FATTR_MTIME_NOW));
	failed(-EROFS, FUSE_SETATTR, file,
	       IN(fuse_setattr_in, .valid = FATTR_SIZE | FATTR_FH, .fh = fh));
	failed(-EROFS, FUSE_CREATE, FUSE_ROOT_ID, IN(fuse_create_in, .flags = O_RDONLY),
	       WORDS("new"));
	failed(-EROFS, FUSE_CREATE, FUSE_ROOT_ID, IN(fuse_create_in, .flags = O_RDWR),
	       WORDS("file"));
	failed(-EROFS, FS_OP_TMPFILE, FUSE_ROOT_ID, IN(fuse_create_in, .flags = O_RDWR),
	       WORDS("/"));
	failed(-EROFS, FUSE_MKDIR, FUSE_ROOT_ID, IN(fuse_mkdir_in, .mode = 0755), WORDS("new"));
	failed(-EROFS, FUSE_MKNOD, FUSE_ROOT_ID, IN(fuse_mknod_in, .mode = S_IFREG), WORDS("new"));
	failed(-EROFS, FUSE_SYMLINK, FUSE_ROOT_ID, WORDS("new\0to"));
	failed(-EROFS, FUSE_LINK, FUSE_ROOT_ID, IN(fuse_link_in, .oldnodeid = file), WORDS("new"));
	failed(-EROFS, FUSE_UNLINK, FUSE_ROOT_ID, WORDS("file"));
	failed(-EROFS, FUSE_RMDIR, FUSE_ROOT_ID, WORDS("dir"));
	failed(-EROFS, FUSE_RENAME, FUSE_ROOT_ID, IN(fuse_rename_in, .newdir = 1),
	       WORDS("file\0new"));
	failed(-EROFS, FUSE_RENAME2, FUSE_ROOT_ID, IN(fuse_rename2_in, .newdir = 1),
	       WORDS("file\0new"));
	failed(-EROFS, FUSE_SETXATTR, file, IN(fuse_setxattr_in, .size = 1), WORDS("user.x\0"));
	failed(-EROFS, FUSE_REMOVEXATTR, file, WORDS("user.x"));
	expect_answer(7, FUSE_READ, file, IN(fuse_read_in, .fh = fh, .size = 100));
	cr_assert_str_eq(content_of("root/file"), "content");
}

Test(vm_fs, limits_of_inodes_and_handles)
{
	struct fs_config c = fs_defaults;
	uint64_t file;

	c.max_inodes = 2;
	c.max_handles = 2;
	serve_again(&c);
	file = look(FUSE_ROOT_ID, "file");
	failed(-ENFILE, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("dir"));
	cr_assert_eq(look(FUSE_ROOT_ID, "file"), file);
	/* What cannot be told to the guest is taken away again. */
	failed(-ENFILE, FUSE_CREATE, FUSE_ROOT_ID, IN(fuse_create_in, .flags = O_RDWR | O_EXCL),
	       WORDS("new"));
	cr_assert_not(dir_has("root/new"));
	open_node(file, O_RDONLY);
	open_node(file, O_RDONLY);
	failed(-ENFILE, FUSE_OPEN, file, IN(fuse_open_in, .flags = O_RDONLY));
	failed(-ENFILE, FUSE_OPENDIR, FUSE_ROOT_ID, IN(fuse_open_in, 0));
	failed(-ENFILE, FUSE_CREATE, FUSE_ROOT_ID, IN(fuse_create_in, .flags = O_RDWR),
	       WORDS("new"));
	cr_assert_not(dir_has("root/new"));
	cr_assert_eq(stats_now().handles, 2);
	cr_assert_eq(stats_now().descriptors, 4);
}

Test(vm_fs, files_lose_their_descriptors_when_there_are_too_many)
{
	struct fs_config c = fs_defaults;
	uint64_t nodes[20], again;
	char name[32];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "root/f%d", i);
		dir_file(name, name + 5);
	}
	c.max_descriptors = 6;
	serve_again(&c);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		nodes[i] = look(FUSE_ROOT_ID, name);
	}
	cr_assert_eq(stats_now().inodes, 21);
	cr_assert_leq(stats_now().descriptors, 6);
	for (int i = 0; i < 20; i++) {
		uint64_t fh = open_node(nodes[i], O_RDONLY);

		snprintf(name, sizeof(name), "f%d", i);
		expect_answer((ssize_t)strlen(name), FUSE_READ, nodes[i],
			      IN(fuse_read_in, .fh = fh, .size = 100));
		cr_assert_eq(memcmp(answer.bytes, name, strlen(name)), 0);
		done(FUSE_RELEASE, nodes[i], IN(fuse_release_in, .fh = fh));
	}
	cr_assert_gt(stats_now().evictions, 20);
	/* Moved on the host meanwhile: looked up anew it is the same. */
	cr_assert_eq(renameat(dir_fd, "root/f0", dir_fd, "root/g0"), 0);
	failed(-ESTALE, FUSE_GETATTR, nodes[0], IN(fuse_getattr_in, 0));
	again = look(FUSE_ROOT_ID, "g0");
	cr_assert_eq(again, nodes[0]);
	cr_assert_gt(ask(FUSE_GETATTR, nodes[0], IN(fuse_getattr_in, 0)), 0);
	/* Another file has the name now, or nothing but a link. */
	dir_file("root/new", "new");
	cr_assert_eq(renameat(dir_fd, "root/new", dir_fd, "root/f1"), 0);
	failed(-ESTALE, FUSE_GETATTR, nodes[1], IN(fuse_getattr_in, 0));
	cr_assert_eq(unlinkat(dir_fd, "root/f2", 0), 0);
	cr_assert_eq(symlinkat("../canary", dir_fd, "root/f2"), 0);
	failed(-ESTALE, FUSE_OPEN, nodes[2], IN(fuse_open_in, .flags = O_RDONLY));
	/* All in use: no more. */
	for (int i = 3; i < 5; i++)
		open_node(nodes[i], O_RDONLY);
	cr_assert_lt(ask(FUSE_OPEN, nodes[5], IN(fuse_open_in, .flags = O_RDONLY)), 0);
	cr_assert_leq(stats_now().descriptors, 6);
}

Test(vm_fs, the_process_has_no_more_descriptors_open_than_it_says)
{
	size_t before = 0, after = 0;
	uint64_t file = look(FUSE_ROOT_ID, "file");
	DIR *fds;

	for (int round = 0; round < 2; round++) {
		fds = opendir("/proc/self/fd");
		while (readdir(fds))
			++*(round ? &after : &before);
		closedir(fds);
		for (int i = 0; i < 10 && round == 0; i++) {
			uint64_t fh = open_node(file, O_RDWR);

			ask(FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("missing"));
			ask(FUSE_CREATE, FUSE_ROOT_ID, IN(fuse_create_in, .flags = O_RDWR | O_EXCL),
			    WORDS("file"));
			ask(FUSE_SETATTR, file,
			    IN(fuse_setattr_in, .valid = FATTR_SIZE, .size = 1));
			ask(FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 10), WORDS("user.x"));
			ask(FUSE_RELEASE, file, IN(fuse_release_in, .fh = fh));
		}
	}
	cr_assert_eq(before, after);
}

/* A submount, a read-only one, proc: in a mount namespace of the test's. */
Test(vm_fs, mounts_beneath_the_root)
{
	struct fs_config c = fs_defaults;
	uint64_t tmp, read_only, proc, file, file_read_only;
	uint64_t number;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		cr_skip_test("only root makes mounts");
	dir_file("root/tmp/", "");
	dir_file("root/read-only/", "");
	dir_file("root/proc/", "");
	dir_file("root/single", "");
	cr_assert_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	close(dir_fd); /* is in the namespace that was left */
	dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(mount("t", dir_at("root/tmp"), "tmpfs", 0, NULL), 0);
	dir_file("root/tmp/a", "a");
	cr_assert_eq(mount(dir_at("root/tmp"), dir_at("root/read-only"), NULL, MS_BIND, NULL), 0);
	cr_assert_eq(mount("none", dir_at("root/read-only"), NULL, MS_BIND | MS_REMOUNT | MS_RDONLY,
			   NULL),
		     0);
	cr_assert_eq(mount("/proc", dir_at("root/proc"), NULL, MS_BIND | MS_REC, NULL), 0);
	cr_assert_eq(mount(dir_at("root/tmp/a"), dir_at("root/single"), NULL, MS_BIND, NULL), 0);
	c.submounts = true;
	serve_again(&c);

	tmp = look(FUSE_ROOT_ID, "tmp");
	cr_assert(answer.entry.attr.flags & FUSE_ATTR_SUBMOUNT);
	read_only = look(FUSE_ROOT_ID, "read-only");
	cr_assert(answer.entry.attr.flags & FUSE_ATTR_SUBMOUNT);
	file_read_only =
		look(read_only, "a"); /* first, so that the writable one is not just this one */
	number = answer.entry.attr.ino;
	file = look(tmp, "a");
	cr_assert_eq(answer.entry.attr.ino, number);
	cr_assert_neq(file, file_read_only);
	cr_assert_neq(number >> 48, 0); /* another device than the root's */
	cr_assert_neq(look(FUSE_ROOT_ID, "single"), file);
	cr_assert_eq(answer.entry.attr.flags, 0);
	failed(-EROFS, FUSE_OPEN, file_read_only, IN(fuse_open_in, .flags = O_RDWR));
	failed(-EROFS, FUSE_SETATTR, file_read_only,
	       IN(fuse_setattr_in, .valid = FATTR_MODE, .mode = 0600));
	failed(-EROFS, FUSE_UNLINK, read_only, WORDS("a"));
	failed(-EROFS, FUSE_RENAME, tmp, IN(fuse_rename_in, .newdir = read_only), WORDS("a\0b"));
	failed(-EROFS, FUSE_LINK, tmp, IN(fuse_link_in, .oldnodeid = file_read_only), WORDS("b"));
	failed(-EXDEV, FUSE_LINK, FUSE_ROOT_ID, IN(fuse_link_in, .oldnodeid = file), WORDS("b"));
	failed(-EXDEV, FUSE_RENAME, tmp, IN(fuse_rename_in, .newdir = FUSE_ROOT_ID), WORDS("a\0b"));
	open_node(file, O_RDWR);

	/* The host's kernel is seen, and that is all. */
	proc = look(FUSE_ROOT_ID, "proc");
	cr_assert_gt(ask(FUSE_GETATTR, proc, IN(fuse_getattr_in, 0)), 0);
	cr_assert_gt(ask(FUSE_STATFS, proc, NOTHING), 0);
	failed(-EACCES, FUSE_LOOKUP, proc, WORDS("self"));
	failed(-EACCES, FUSE_LOOKUP, proc, WORDS("sysrq-trigger"));
	failed(-EACCES, FUSE_OPENDIR, proc, IN(fuse_open_in, 0));
	failed(-EACCES, FUSE_CREATE, proc, IN(fuse_create_in, .flags = O_RDWR),
	       WORDS("sysrq-trigger"));
	failed(-EACCES, FUSE_SETATTR, proc, IN(fuse_setattr_in, .valid = FATTR_MODE));
	failed(-EACCES, FUSE_LISTXATTR, proc, IN(fuse_getxattr_in, 0));
	fs_server_free(server);
	server = NULL;
	umount2(dir_at("root/tmp"), MNT_DETACH);
	umount2(dir_at("root/read-only"), MNT_DETACH);
	umount2(dir_at("root/proc"), MNT_DETACH);
	umount2(dir_at("root/single"), MNT_DETACH);
}

Test(vm_fs, a_configuration_that_cannot_be)
{
	static const struct fs_id_map map = { 0, 0, 1 };
	struct fs_server *none = NULL;
	struct fs_config c = fs_defaults;
	struct err e = { 0 };

	c.root_fd = -1;
	cr_assert_eq(fs_server_new(&c, &none, &e), -EBADF);
	cr_assert_str_eq(e.msg, "open the directory to share with the guest: bad file descriptor");
	c.root_fd = openat(dir_fd, "root/file", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(fs_server_new(&c, &none, &e), -ENOTDIR);
	c.max_io = 1000;
	cr_assert_eq(fs_server_new(&c, &none, &e), -EINVAL);
	cr_assert_str_eq(
		e.msg,
		"share a directory with a guest: max_io 1000 is no multiple of 4096 up to 1048576");
	c.uids = &map;
	c.n_uids = 341;
	cr_assert_eq(fs_server_new(&c, &none, &e), -EINVAL);
	cr_assert_str_eq(e.msg, "share a directory with a guest: more than 340 id maps");
	cr_assert_null(none);
	close(c.root_fd);
}

Test(vm_fs, too_few_descriptors)
{
	struct rlimit few = { 255, 1024 };
	struct fs_server *none = NULL;
	struct fs_config c = fs_defaults;
	struct err e = { 0 };

	c.root_fd = dir_fd;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	cr_assert_eq(fs_server_new(&c, &none, &e), -EMFILE);
	cr_assert_str_eq(e.msg, "share a directory with a guest: a limit of 255 open files is too "
				"low, it takes 256");
}

/* ---- parts without a server */

Test(vm_fs_parts, ids_map_both_ways)
{
	static const struct fs_id_map maps[] = { { 0, 1000, 1 }, { 1, 100000, 65535 } };
	static const struct {
		uint32_t guest, host;
	} rows[] = { { 0, 1000 }, { 1, 100000 }, { 65535, 165534 } };
	uint32_t host;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(owner_to_guest(maps, 2, rows[i].host), rows[i].guest);
		cr_expect_eq(owner_to_host(maps, 2, rows[i].guest, &host), 0);
		cr_expect_eq(host, rows[i].host);
	}
	cr_expect_eq(owner_to_guest(maps, 2, 0), 65534);
	cr_expect_eq(owner_to_guest(maps, 2, 165535), 65534);
	cr_expect_eq(owner_to_host(maps, 2, 65536, &host), -EOVERFLOW);
	cr_expect_eq(owner_to_host(maps, 2, UINT32_MAX, &host), -EOVERFLOW);
	cr_expect_eq(owner_to_host(NULL, 0, UINT32_MAX, &host), -EOVERFLOW);
	cr_expect_eq(owner_to_host(NULL, 0, 7, &host), 0);
	cr_expect_eq(host, 7);
}

Test(vm_fs_parts, numbers_of_files_are_apart)
{
	cr_expect_eq(inode_number(0, 5), 5);
	cr_expect_neq(inode_number(1, 5), 5);
	cr_expect_neq(inode_number(1, 5), inode_number(2, 5));
	cr_expect(inode_number(0, 1ULL << 48) >> 63);
	cr_expect_neq(inode_number(0, 1ULL << 48), inode_number(1, 1ULL << 48));
	cr_expect(inode_number(1 << 14, 5) >> 63);
}

Test(vm_fs_parts, scattered_memory)
{
	char one[3] = "abc", three[5] = "defgh", out[9] = "";
	struct iovec vec[] = { { one, 3 }, { NULL, 0 }, { three, 5 } }, pieces[3];
	struct iovec huge[] = { { NULL, SIZE_MAX }, { NULL, 2 } };
	size_t size;

	cr_expect_eq(vec_size(vec, 3), 8);
	cr_expect_eq(vec_size(huge, 2), SIZE_MAX);
	cr_expect_eq(vec_read(vec, 3, 2, out, 100), 6);
	cr_expect_str_eq(out, "cdefgh");
	cr_expect_eq(vec_read(vec, 3, 8, out, 1), 0);
	cr_expect_eq(vec_read(vec, 3, SIZE_MAX, out, 1), 0);
	cr_expect_eq(vec_slice(vec, 3, 1, 4, pieces, 3, &size), 2);
	cr_expect_eq(size, 4);
	cr_expect_eq(pieces[1].iov_len, 2);
	cr_expect_eq(vec_slice(vec, 3, 1, 4, pieces, 1, &size), 1);
	cr_expect_eq(size, 2);
	cr_expect_eq(vec_write(vec, 3, 7, "xyz", 3), 1);
	cr_expect_eq(three[4], 'x');
}
