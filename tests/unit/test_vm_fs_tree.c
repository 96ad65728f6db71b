/* Names made, taken away and moved in the guest, and whose they are; attributes. */
#include <criterion/criterion.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "tests/unit/test_vm_fs.h"

TestSuite(vm_fs_tree, .init = serve, .fini = unserve);

#define ENTRY ((ssize_t)sizeof(struct fuse_entry_out))
#define ATTR ((ssize_t)sizeof(struct fuse_attr_out))
#define CREATED ((ssize_t)(sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out)))

/* A user of the guest; only root may give files away. */
static void as(uint32_t uid, uint32_t gid)
{
	if (geteuid() != 0)
		cr_skip_test("only root gives files away");
	next_head.uid = uid;
	next_head.gid = gid;
}

Test(vm_fs_tree, lookup_says_what_is_there)
{
	struct stat st = stat_of("root/file");

	look(FUSE_ROOT_ID, "file");
	cr_assert_eq(answer.entry.attr.ino, st.st_ino);
	cr_assert_eq(answer.entry.attr.size, 7);
	cr_assert_eq(answer.entry.attr.mode, st.st_mode);
	cr_assert_eq(answer.entry.attr.nlink, 1);
	cr_assert_eq(answer.entry.attr.mtime, st.st_mtim.tv_sec);
	cr_assert_eq(answer.entry.attr.mtimensec, st.st_mtim.tv_nsec);
	cr_assert_eq(answer.entry.entry_valid, 1);
	failed(-ENOENT, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("missing"));
}

Test(vm_fs_tree, the_policy_says_how_long)
{
	struct fs_config c = fs_defaults;

	c.cache = FS_CACHE_NONE;
	serve_again(&c);
	look(FUSE_ROOT_ID, "file");
	cr_assert_eq(answer.entry.entry_valid, 0);
	cr_assert_eq(answer.entry.attr_valid, 0);
	c.cache = FS_CACHE_ALWAYS;
	serve_again(&c);
	look(FUSE_ROOT_ID, "file");
	cr_assert_eq(answer.entry.entry_valid, 3600);
	/* That there is nothing can be remembered then, too. */
	expect_answer(ENTRY, FUSE_LOOKUP, FUSE_ROOT_ID, WORDS("missing"));
	cr_assert_eq(answer.entry.nodeid, 0);
	cr_assert_eq(answer.entry.entry_valid, 3600);
	open_node(look(FUSE_ROOT_ID, "file"), O_RDONLY);
	cr_assert_eq(answer.open.open_flags, FOPEN_KEEP_CACHE);
}

Test(vm_fs_tree, mkdir_rmdir)
{
	expect_answer(ENTRY, FUSE_MKDIR, FUSE_ROOT_ID, IN(fuse_mkdir_in, .mode = 0751),
		      WORDS("new"));
	cr_assert(S_ISDIR(answer.entry.attr.mode));
	cr_assert_eq(stat_of("root/new").st_mode & 07777, 0751);
	failed(-EEXIST, FUSE_MKDIR, FUSE_ROOT_ID, IN(fuse_mkdir_in, .mode = 0751), WORDS("new"));
	failed(-EEXIST, FUSE_MKDIR, FUSE_ROOT_ID, IN(fuse_mkdir_in, .mode = 0751), WORDS("out"));
	failed(-EISDIR, FUSE_UNLINK, FUSE_ROOT_ID, WORDS("new"));
	failed(-ENOTEMPTY, FUSE_RMDIR, FUSE_ROOT_ID, WORDS("dir"));
	failed(-ENOTDIR, FUSE_RMDIR, FUSE_ROOT_ID, WORDS("file"));
	done(FUSE_RMDIR, FUSE_ROOT_ID, WORDS("new"));
	failed(-ENOENT, FUSE_RMDIR, FUSE_ROOT_ID, WORDS("new"));
	failed(-ENOTDIR, FUSE_MKDIR, look(FUSE_ROOT_ID, "file"), IN(fuse_mkdir_in, .mode = 0751),
	       WORDS("new"));
}

Test(vm_fs_tree, mknod_makes_what_may_be_made)
{
	static const struct {
		uint32_t mode, device;
		ssize_t answer;
	} rows[] = {
		{ S_IFREG | 0640, 0, ENTRY },
		{ S_IFIFO | 0600, 0, ENTRY },
		{ S_IFSOCK | 0600, 0, ENTRY },
		{ S_IFCHR | 0600, 0x103, -EPERM }, /* null */
		{ S_IFBLK | 0600, 0x800, -EPERM },
		{ S_IFBLK | 0600, 0, -EPERM },
		{ S_IFDIR | 0700, 0, -EINVAL },
		{ S_IFLNK | 0700, 0, -EINVAL },
		{ 0600, 0, -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ssize_t n = ask(FUSE_MKNOD, FUSE_ROOT_ID,
				IN(fuse_mknod_in, .mode = rows[i].mode, .rdev = rows[i].device),
				WORDS("new"));

		cr_expect_eq(n, rows[i].answer, "%o: %zd", rows[i].mode, n);
		cr_expect_eq(dir_has("root/new"), n > 0);
		if (n > 0)
			cr_expect_eq(stat_of("root/new").st_mode, rows[i].mode);
		unlinkat(dir_fd, "root/new", 0);
	}
}

Test(vm_fs_tree, devices_are_made_where_that_is_wanted)
{
	struct fs_config c = fs_defaults;

	c.make_devices = true;
	serve_again(&c);
	if (mknodat(dir_fd, "probe", S_IFCHR | 0600, makedev(1, 3)) < 0)
		cr_skip_test("only root makes devices");
	expect_answer(ENTRY, FUSE_MKNOD, FUSE_ROOT_ID,
		      IN(fuse_mknod_in, .mode = S_IFCHR | 0600, .rdev = 0x10512345),
		      WORDS("device"));
	cr_assert_eq(answer.entry.attr.rdev, 0x10512345);
	cr_assert_eq(stat_of("root/device").st_rdev, makedev(0x123, 0x10545));
	failed(-ENXIO, FUSE_OPEN, look(FUSE_ROOT_ID, "device"), IN(fuse_open_in, .flags = O_RDWR));
}

Test(vm_fs_tree, symlink)
{
	expect_answer(ENTRY, FUSE_SYMLINK, FUSE_ROOT_ID, WORDS("new\0/any/where/../x"));
	cr_assert(S_ISLNK(answer.entry.attr.mode));
	expect_answer(15, FUSE_READLINK, answer.entry.nodeid, NOTHING);
	failed(-EEXIST, FUSE_SYMLINK, FUSE_ROOT_ID, WORDS("new\0x"));
	failed(-ENOENT, FUSE_SYMLINK, FUSE_ROOT_ID, WORDS("other\0"));
	failed(-EINVAL, FUSE_SYMLINK, FUSE_ROOT_ID, WORDS("only"));
	failed(-EINVAL, FUSE_SYMLINK, FUSE_ROOT_ID, WORDS("three\0words\0here"));
}

Test(vm_fs_tree, a_link_is_as_long_as_linux_has_it)
{
	char words[4 + 4096 + 1] = "new";
	uint64_t node;

	memset(words + 4, 'x', 4096);
	failed(-ENAMETOOLONG, FUSE_SYMLINK, FUSE_ROOT_ID, ((struct part){ words, 4 + 4096 + 1 }));
	words[4 + 4095] = '\0';
	expect_answer(ENTRY, FUSE_SYMLINK, FUSE_ROOT_ID, ((struct part){ words, 4 + 4096 }));
	expect_answer(4095, FUSE_READLINK, answer.entry.nodeid, NOTHING);
	/* A reply that has no room for it is no shorter one. */
	node = look(FUSE_ROOT_ID, "new");
	answer_room = 100;
	failed(-ERANGE, FUSE_READLINK, node, NOTHING);
}

Test(vm_fs_tree, link)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), out = look(FUSE_ROOT_ID, "out");

	expect_answer(ENTRY, FUSE_LINK, look(FUSE_ROOT_ID, "dir"),
		      IN(fuse_link_in, .oldnodeid = file), WORDS("new"));
	cr_assert_eq(answer.entry.nodeid, file);
	cr_assert_eq(answer.entry.attr.nlink, 2);
	cr_assert_eq(stat_of("root/dir/new").st_ino, stat_of("root/file").st_ino);
	failed(-EEXIST, FUSE_LINK, FUSE_ROOT_ID, IN(fuse_link_in, .oldnodeid = file), WORDS("out"));
	failed(-EPERM, FUSE_LINK, FUSE_ROOT_ID,
	       IN(fuse_link_in, .oldnodeid = look(FUSE_ROOT_ID, "dir")), WORDS("d"));
	failed(-ENOENT, FUSE_LINK, FUSE_ROOT_ID, IN(fuse_link_in, .oldnodeid = 99), WORDS("d"));
	/* A link to a link, which is not followed to the canary. */
	expect_answer(ENTRY, FUSE_LINK, FUSE_ROOT_ID, IN(fuse_link_in, .oldnodeid = out),
		      WORDS("out2"));
	cr_assert_eq(answer.entry.nodeid, out);
	cr_assert_eq(stat_of("canary").st_nlink, 1);
}

Test(vm_fs_tree, unlink)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh = open_node(file, O_RDONLY);

	done(FUSE_UNLINK, FUSE_ROOT_ID, WORDS("file"));
	failed(-ENOENT, FUSE_UNLINK, FUSE_ROOT_ID, WORDS("file"));
	expect_answer(7, FUSE_READ, file, IN(fuse_read_in, .fh = fh, .size = 100));
	done(FUSE_UNLINK, FUSE_ROOT_ID, WORDS("out"));
	cr_assert(dir_has("canary"));
}

Test(vm_fs_tree, rename_with_each_flag)
{
	uint64_t dir = look(FUSE_ROOT_ID, "dir"), file = look(FUSE_ROOT_ID, "file");

	done(FUSE_RENAME, FUSE_ROOT_ID, IN(fuse_rename_in, .newdir = dir), WORDS("file\0moved"));
	cr_assert_eq(look(dir, "moved"), file);
	failed(-ENOENT, FUSE_RENAME, FUSE_ROOT_ID, IN(fuse_rename_in, .newdir = dir),
	       WORDS("file\0moved"));
	failed(-ENOENT, FUSE_RENAME, dir, IN(fuse_rename_in, .newdir = 99), WORDS("moved\0file"));
	failed(-EEXIST, FUSE_RENAME2, dir,
	       IN(fuse_rename2_in, .newdir = dir, .flags = RENAME_NOREPLACE),
	       WORDS("moved\0below"));
	done(FUSE_RENAME2, dir, IN(fuse_rename2_in, .newdir = dir, .flags = RENAME_EXCHANGE),
	     WORDS("moved\0below"));
	cr_assert_eq(look(dir, "below"), file);
	failed(-EINVAL, FUSE_RENAME2, dir, IN(fuse_rename2_in, .newdir = dir, .flags = 8),
	       WORDS("moved\0x"));
	failed(-EINVAL, FUSE_RENAME2, dir,
	       IN(fuse_rename2_in, .newdir = dir, .flags = RENAME_EXCHANGE | RENAME_NOREPLACE),
	       WORDS("moved\0below"));
	failed(-EINVAL, FUSE_RENAME, FUSE_ROOT_ID, IN(fuse_rename_in, .newdir = dir),
	       WORDS("dir\0below2"));
	failed(-EINVAL, FUSE_RENAME, FUSE_ROOT_ID, IN(fuse_rename_in, .newdir = dir),
	       WORDS("onlyone"));
	done(FUSE_RENAME2, dir, IN(fuse_rename2_in, .newdir = FUSE_ROOT_ID), WORDS("below\0file"));
	cr_assert_str_eq(content_of("root/file"), "content");
}

Test(vm_fs_tree, setattr_each_bit)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh;
	struct stat st;

	expect_answer(ATTR, FUSE_SETATTR, file,
		      IN(fuse_setattr_in, .valid = FATTR_MODE, .mode = S_IFREG | 04711));
	cr_assert_eq(answer.attr.attr.mode, S_IFREG | 04711);
	expect_answer(ATTR, FUSE_SETATTR, file,
		      IN(fuse_setattr_in, .valid = FATTR_SIZE, .size = 3));
	cr_assert_str_eq(content_of("root/file"), "con");
	fh = open_node(file, O_RDWR);
	expect_answer(ATTR, FUSE_SETATTR, file,
		      IN(fuse_setattr_in, .valid = FATTR_SIZE | FATTR_FH, .size = 1, .fh = fh));
	cr_assert_str_eq(content_of("root/file"), "c");
	cr_assert_eq(stat_of("root/file").st_mode & 07777,
		     04711); /* the guest did not ask for less */
	expect_answer(ATTR, FUSE_SETATTR, file,
		      IN(fuse_setattr_in, .valid = FATTR_SIZE | FATTR_KILL_SUIDGID, .size = 0));
	cr_assert_eq(stat_of("root/file").st_mode & 07777, 0711);
	failed(-EFBIG, FUSE_SETATTR, file,
	       IN(fuse_setattr_in, .valid = FATTR_SIZE, .size = UINT64_MAX));
	failed(-EISDIR, FUSE_SETATTR, FUSE_ROOT_ID, IN(fuse_setattr_in, .valid = FATTR_SIZE));

	expect_answer(ATTR, FUSE_SETATTR, file,
		      IN(fuse_setattr_in, .valid = FATTR_ATIME, .atime = 5, .atimensec = 6));
	st = stat_of("root/file");
	cr_assert(st.st_atim.tv_sec == 5 && st.st_atim.tv_nsec == 6 && st.st_mtim.tv_sec != 5);
	expect_answer(ATTR, FUSE_SETATTR, file,
		      IN(fuse_setattr_in, .valid = FATTR_MTIME | FATTR_ATIME | FATTR_ATIME_NOW,
			 .mtime = 7));
	st = stat_of("root/file");
	cr_assert(st.st_mtim.tv_sec == 7 && st.st_atim.tv_sec > 1000000);
	expect_answer(ATTR, FUSE_SETATTR, file,
		      IN(fuse_setattr_in, .valid = FATTR_MTIME | FATTR_MTIME_NOW));
	cr_assert_gt(stat_of("root/file").st_mtim.tv_sec, 1000000);
	expect_answer(ATTR, FUSE_SETATTR, file,
		      IN(fuse_setattr_in, .valid = FATTR_MTIME, .mtime = (uint64_t)-1));
	cr_assert_eq(stat_of("root/file").st_mtim.tv_sec, -1);
	failed(-EINVAL, FUSE_SETATTR, file,
	       IN(fuse_setattr_in, .valid = FATTR_MTIME, .mtimensec = UTIME_NOW));
	failed(-EINVAL, FUSE_SETATTR, file,
	       IN(fuse_setattr_in, .valid = FATTR_ATIME, .atimensec = 1000000000));
	/* A link's times are its own. */
	expect_answer(ATTR, FUSE_SETATTR, look(FUSE_ROOT_ID, "out"),
		      IN(fuse_setattr_in, .valid = FATTR_MTIME, .mtime = 9));
	cr_assert_eq(stat_of("root/out").st_mtim.tv_sec, 9);
	cr_assert_gt(stat_of("canary").st_mtim.tv_sec, 9);
	expect_answer(ATTR, FUSE_SETATTR, file, IN(fuse_setattr_in, 0));
}

Test(vm_fs_tree, setattr_owner)
{
	uint64_t file = look(FUSE_ROOT_ID, "file");

	as(0, 0);
	expect_answer(ATTR, FUSE_SETATTR, file,
		      IN(fuse_setattr_in, .valid = FATTR_UID | FATTR_GID, .uid = 12, .gid = 34));
	expect_answer(ATTR, FUSE_SETATTR, file, IN(fuse_setattr_in, .valid = FATTR_GID, .gid = 35));
	cr_assert_eq(stat_of("root/file").st_uid, 12);
	cr_assert_eq(stat_of("root/file").st_gid, 35);
	/* With the mode in the same request: chown(2) takes set-user-id, and the mode gives it. */
	expect_answer(ATTR, FUSE_SETATTR, file,
		      IN(fuse_setattr_in, .valid = FATTR_UID | FATTR_MODE, .uid = 13,
			 .mode = 04755));
	cr_assert_eq(stat_of("root/file").st_mode & 07777, 04755);
	expect_answer(ATTR, FUSE_SETATTR, file, IN(fuse_setattr_in, .valid = FATTR_UID, .uid = 14));
	cr_assert_eq(stat_of("root/file").st_mode & 07777, 0755);
	failed(-EOVERFLOW, FUSE_SETATTR, file,
	       IN(fuse_setattr_in, .valid = FATTR_UID, .uid = UINT32_MAX));
	expect_answer(ATTR, FUSE_SETATTR, look(FUSE_ROOT_ID, "out"),
		      IN(fuse_setattr_in, .valid = FATTR_UID, .uid = 15));
	cr_assert_eq(stat_of("root/out").st_uid, 15);
	cr_assert_eq(stat_of("canary").st_uid, 0);
}

/* Each kind that a user makes is the user's, with the mode that was asked for. */
Test(vm_fs_tree, what_a_user_makes_is_the_users)
{
	static const char *const names[] = { "dir", "file", "fifo", "link", "created" };

	as(1000, 1001);
	expect_answer(ENTRY, FUSE_MKDIR, FUSE_ROOT_ID, IN(fuse_mkdir_in, .mode = 01755),
		      WORDS("u-dir"));
	expect_answer(ENTRY, FUSE_MKNOD, FUSE_ROOT_ID, IN(fuse_mknod_in, .mode = S_IFREG | 06755),
		      WORDS("u-file"));
	expect_answer(ENTRY, FUSE_MKNOD, FUSE_ROOT_ID, IN(fuse_mknod_in, .mode = S_IFIFO | 0600),
		      WORDS("u-fifo"));
	expect_answer(ENTRY, FUSE_SYMLINK, FUSE_ROOT_ID, WORDS("u-link\0to"));
	expect_answer(CREATED, FUSE_CREATE, FUSE_ROOT_ID,
		      IN(fuse_create_in, .flags = O_RDWR, .mode = S_IFREG | 0604),
		      WORDS("u-created"));
	cr_assert_eq(answer.created.entry.attr.uid, 1000);
	cr_assert_eq(answer.created.entry.attr.mode, S_IFREG | 0604);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char name[32];

		snprintf(name, sizeof(name), "root/u-%s", names[i]);
		cr_expect_eq(stat_of(name).st_uid, 1000, "%s", name);
		cr_expect_eq(stat_of(name).st_gid, 1001, "%s", name);
	}
	cr_assert_eq(stat_of("root/u-dir").st_mode, S_IFDIR | 01755);
	cr_assert_eq(stat_of("root/u-file").st_mode, S_IFREG | 06755);
	cr_assert_eq(stat_of("root/u-fifo").st_mode, S_IFIFO | 0600);
	expect_answer(CREATED, FS_OP_TMPFILE, FUSE_ROOT_ID,
		      IN(fuse_create_in, .flags = O_RDWR, .mode = S_IFREG | 0600), WORDS("/"));
	cr_assert_eq(answer.created.entry.attr.uid, 1000);
	cr_assert_eq(answer.created.entry.attr.nlink, 0);
}

Test(vm_fs_tree, a_directorys_group_is_inherited)
{
	as(1000, 1001);
	cr_assert_eq(fchownat(dir_fd, "root/dir", 7, 8, 0), 0);
	cr_assert_eq(fchmodat(dir_fd, "root/dir", 02777, 0), 0);
	for (int us = 0; us < 2; us++) {
		uint64_t dir = look(FUSE_ROOT_ID, "dir");

		if (us)
			as(0, 0);
		expect_answer(ENTRY, FUSE_MKDIR, dir, IN(fuse_mkdir_in, .mode = 0700),
			      WORDS("sub"));
		cr_expect_eq(stat_of("root/dir/sub").st_mode, S_IFDIR | 02700);
		cr_expect_eq(stat_of("root/dir/sub").st_gid, 8);
		cr_expect_eq(stat_of("root/dir/sub").st_uid, us ? 0 : 1000);
		expect_answer(CREATED, FUSE_CREATE, dir,
			      IN(fuse_create_in, .flags = O_RDWR, .mode = 0640), WORDS("f"));
		cr_expect_eq(stat_of("root/dir/f").st_mode, S_IFREG | 0640);
		cr_expect_eq(stat_of("root/dir/f").st_gid, 8);
		done(FUSE_RMDIR, dir, WORDS("sub"));
		done(FUSE_UNLINK, dir, WORDS("f"));
	}
}

Test(vm_fs_tree, ids_are_mapped)
{
	static const struct fs_id_map map = { 0, 5000, 100 };
	struct fs_config c = fs_defaults;

	as(0, 0);
	c.uids = c.gids = &map;
	c.n_uids = c.n_gids = 1;
	serve_again(&c);
	as(3, 4);
	look(FUSE_ROOT_ID, "file");
	cr_assert_eq(answer.entry.attr.uid, 65534); /* the host's root is nobody there */
	expect_answer(ENTRY, FUSE_MKDIR, FUSE_ROOT_ID, IN(fuse_mkdir_in, .mode = 0700),
		      WORDS("new"));
	cr_assert_eq(answer.entry.attr.uid, 3);
	cr_assert_eq(stat_of("root/new").st_uid, 5003);
	cr_assert_eq(stat_of("root/new").st_gid, 5004);
	as(100, 0);
	failed(-EOVERFLOW, FUSE_MKDIR, FUSE_ROOT_ID, IN(fuse_mkdir_in, .mode = 0700),
	       WORDS("other"));
	failed(-EOVERFLOW, FUSE_CREATE, FUSE_ROOT_ID, IN(fuse_create_in, .flags = O_RDWR),
	       WORDS("other"));
	cr_assert_not(dir_has("root/other"));
}

Test(vm_fs_tree, statfs_and_statx)
{
	struct stat st = stat_of("root/file");

	expect_answer(sizeof(struct fuse_statfs_out), FUSE_STATFS, FUSE_ROOT_ID, NOTHING);
	cr_assert_eq(answer.statfs.st.namelen, 255);
	expect_answer(sizeof(struct fs_statx_out), FS_OP_STATX, look(FUSE_ROOT_ID, "file"),
		      IN(fs_statx_in, .sx_mask = STATX_BASIC_STATS | STATX_BTIME));
	cr_assert_eq(answer.statx.stat.size, 7);
	cr_assert_eq(answer.statx.stat.ino, st.st_ino);
	cr_assert_eq(answer.statx.stat.mode, st.st_mode);
	cr_assert_eq(answer.statx.stat.mtime.seconds, st.st_mtim.tv_sec);
	cr_assert_eq(sizeof(struct fs_statx), 256);
}
