/* A server's inodes and handles into a state and into another server. */
#include "microvm/saved.h"
#include "tests/unit/test_vm_fs.h"

TestSuite(vm_fs_save, .init = serve, .fini = unserve);

static struct saved_out state;

static int save(struct err *e)
{
	saved_out_done(&state);
	TRY(fs_server_save(server, &state, e));
	return saved_finish(&state, e);
}

/* A new server of the same directory, which knows what the state says. */
static int restore(struct err *e)
{
	struct saved s;

	fs_server_free(server);
	server = NULL;
	config.root_fd = openat(dir_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(config.root_fd, 0);
	cr_assert_eq(fs_server_new(&config, &server, e), 0, "%s", e->msg);
	close(config.root_fd);
	TRY(saved_open(state.bytes.text, state.bytes.len, &s, e));
	return fs_server_load(server, &s, e);
}

static void save_and_restore(void)
{
	struct err e;

	cr_assert_eq(save(&e), 0, "%s", e.msg);
	cr_assert_eq(restore(&e), 0, "%s", e.msg);
}

static ssize_t read_at(uint64_t node, uint64_t fh)
{
	return ask(FUSE_READ, node, IN(fuse_read_in, .fh = fh, .size = 100));
}

static uint64_t number_of(uint64_t node)
{
	cr_assert_gt(ask(FUSE_GETATTR, node, IN(fuse_getattr_in, 0)), 0);
	return answer.attr.attr.ino;
}

Test(vm_fs_save, what_the_guest_knew_it_knows)
{
	uint64_t dir = look(FUSE_ROOT_ID, "dir"), below = look(dir, "below");
	uint64_t file = look(FUSE_ROOT_ID, "file"), link = look(FUSE_ROOT_ID, "out");
	uint64_t gone = open_node(file, O_RDONLY);
	uint64_t fh = open_node(file, O_RDWR), number = number_of(below), open_dir, more;
	struct fs_stats before, after;

	cr_assert_gt(ask(FUSE_OPENDIR, dir, IN(fuse_open_in, 0)), 0);
	open_dir = answer.open.fh;
	done(FUSE_RELEASE, file, IN(fuse_release_in, .fh = gone));
	before = stats_now();
	save_and_restore();
	after = stats_now();
	cr_expect_eq(after.inodes, before.inodes);
	cr_expect_eq(after.handles, before.handles);
	cr_expect_eq(after.descriptors, before.descriptors);

	cr_expect_eq(read_at(file, fh), 7);
	cr_expect_eq(memcmp(answer.bytes, "content", 7), 0);
	cr_expect_eq(read_at(file, gone), -EBADF);
	cr_assert_gt(ask(FUSE_WRITE, file, IN(fuse_write_in, .fh = fh, .size = 3),
			 ((struct part){ "CON", 3 })),
		     0);
	cr_expect_str_eq(content_of("root/file"), "CONtent");
	cr_expect_gt(ask(FUSE_READDIR, dir, IN(fuse_read_in, .fh = open_dir, .size = 4096)), 0);
	cr_expect_eq(number_of(below), number);
	cr_expect_eq(look(dir, "below"), below);
	cr_expect_gt(ask(FUSE_READLINK, link), 0);
	/* What is new gets a slot of its own, and a handle too. */
	more = look(FUSE_ROOT_ID, "dir");
	cr_expect_eq(more, dir);
	dir_file("root/another", "x");
	more = look(FUSE_ROOT_ID, "another");
	cr_expect(more != file && more != below && more != link && more != dir);
	cr_expect(open_node(more, O_RDONLY) != fh);
	done(FUSE_RELEASE, file, IN(fuse_release_in, .fh = fh));
	done(FUSE_RELEASEDIR, dir, IN(fuse_release_in, .fh = open_dir));
}

Test(vm_fs_save, many_files_and_a_second_time)
{
	uint64_t nodes[600], handles[600];
	char name[16];

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		snprintf(name, sizeof(name), "root/dir/%zu", i);
		dir_file(name, name);
		nodes[i] = look(look(FUSE_ROOT_ID, "dir"), name + strlen("root/dir/"));
		handles[i] = i % 8 ? 0 : open_node(nodes[i], O_RDONLY);
	}
	save_and_restore();
	save_and_restore();
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		snprintf(name, sizeof(name), "root/dir/%zu", i);
		cr_expect_eq(look(look(FUSE_ROOT_ID, "dir"), name + strlen("root/dir/")), nodes[i]);
		if (!handles[i])
			continue;
		cr_expect_eq(read_at(nodes[i], handles[i]), (ssize_t)strlen(name));
		cr_expect_eq(memcmp(answer.bytes, name, strlen(name)), 0, "%s", name);
	}
}

Test(vm_fs_save, a_file_that_is_another_is_looked_for_anew)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), again;
	struct err e;

	cr_assert_eq(save(&e), 0, "%s", e.msg);
	dir_file("root/other", "another");
	cr_assert_eq(renameat(dir_fd, "root/other", dir_fd, "root/file"), 0);
	cr_assert_eq(restore(&e), 0, "%s", e.msg);
	failed(-ESTALE, FUSE_GETATTR, file, IN(fuse_getattr_in, 0));
	again = look(FUSE_ROOT_ID, "file");
	cr_expect_neq(again, file);
	cr_expect_eq(read_at(again, open_node(again, O_RDONLY)), 7);
	cr_expect_eq(memcmp(answer.bytes, "another", 7), 0);
}

Test(vm_fs_save, renamed_files_are_found_by_what_they_are_called_now)
{
	uint64_t below = look(look(FUSE_ROOT_ID, "dir"), "below"), fh = open_node(below, O_RDONLY);

	cr_assert_eq(renameat(dir_fd, "root/dir", dir_fd, "root/moved"), 0);
	save_and_restore();
	cr_expect_eq(read_at(below, fh), 5);
	cr_expect_eq(look(look(FUSE_ROOT_ID, "moved"), "below"), below);
}

static void expect_refused(int result, struct err *e, int code, const char *message)
{
	cr_expect_eq(result, -code);
	cr_expect_str_eq(e->msg, message);
}

Test(vm_fs_save, an_open_file_has_to_be_the_same)
{
	uint64_t below = look(look(FUSE_ROOT_ID, "dir"), "below");
	struct err e;

	open_node(below, O_RDONLY);
	cr_assert_eq(save(&e), 0, "%s", e.msg);
	dir_file("root/other", "below");
	cr_assert_eq(renameat(dir_fd, "root/other", dir_fd, "root/dir/below"), 0);
	expect_refused(restore(&e), &e, ESTALE,
		       "the snapshot's guest has /dir/below open, which is not the same file any "
		       "more");
}

Test(vm_fs_save, a_directory_has_to_be_there)
{
	struct err e;

	look(FUSE_ROOT_ID, "dir");
	cr_assert_eq(save(&e), 0, "%s", e.msg);
	cr_assert_eq(renameat(dir_fd, "root/dir", dir_fd, "root/moved"), 0);
	expect_refused(restore(&e), &e, ENOENT,
		       "the snapshot's directory /dir: no such file or directory");
	dir_file("root/dir", "no directory");
	expect_refused(restore(&e), &e, ENOTDIR, "the snapshot's directory /dir is none any more");
}

Test(vm_fs_save, a_file_without_a_name_cannot_be_open)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh;
	const char *words = "the guest has a file open that has its name no more, which a snapshot "
			    "can't have: /",
		   *end = "/root/file (deleted)";
	struct err e;

	done(FUSE_UNLINK, FUSE_ROOT_ID, WORDS("file"));
	cr_assert_eq(save(&e), 0, "known, and not open: %s", e.msg);
	dir_file("root/file", "content");
	file = look(FUSE_ROOT_ID, "file");
	fh = open_node(file, O_RDONLY);
	done(FUSE_UNLINK, FUSE_ROOT_ID, WORDS("file"));
	cr_expect_eq(save(&e), -ENOTSUP);
	cr_expect_eq(strncmp(e.msg, words, strlen(words)), 0, "%s", e.msg);
	cr_expect_str_eq(e.msg + strlen(e.msg) - strlen(end), end);
	done(FUSE_RELEASE, file, IN(fuse_release_in, .fh = fh));
	save_and_restore();
	failed(-ESTALE, FUSE_GETATTR, file, IN(fuse_getattr_in, 0));
}

Test(vm_fs_save, what_is_read_only_by_now_is_not_written_to)
{
	uint64_t file = look(FUSE_ROOT_ID, "file");
	struct err e;

	open_node(file, O_WRONLY);
	cr_assert_eq(save(&e), 0, "%s", e.msg);
	config.read_only = true;
	expect_refused(restore(&e), &e, EROFS,
		       "open the snapshot's file /file again: read-only file system");
}

Test(vm_fs_save, locks_of_the_host_are_refused)
{
	struct fs_config c = fs_defaults;
	struct err e;

	c.locks = true;
	serve_again(&c);
	expect_refused(save(&e), &e, ENOTSUP, "locks that are the host's can't be in a snapshot");
}

/* A part by hand: what is not as it should be. */
static void put_inode(uint64_t id, uint64_t lookups, uint32_t type, uint32_t device,
		      const char *name, const char *path)
{
	struct stat st = stat_of("root/dir");

	saved_put_u64(&state, id);
	saved_put_u64(&state, lookups);
	saved_put_u32(&state, type);
	saved_put_u64(&state, st.st_ino);
	saved_put_u64(&state, 0);
	saved_put_u32(&state, 0);
	saved_put_u32(&state, device);
	saved_put_u32(&state, 0);
	saved_put_u64(&state, FUSE_ROOT_ID);
	saved_put_counted(&state, name, strlen(name));
	saved_put_u32(&state, 1);
	saved_put_counted(&state, path, strlen(path));
}

Test(vm_fs_save, states_that_cannot_be)
{
	static const struct {
		uint64_t features, ids[2], lookups;
		uint32_t type, device;
		const char *name, *path, *message;
	} rows[] = {
		{ FUSE_EXPORT_SUPPORT,
		  { 0 },
		  1,
		  0,
		  0,
		  "",
		  "", /* */
		  "the files: its guest has agreed to features 0x10 of ours" },
		{ 0,
		  { 2, 2 },
		  1,
		  S_IFDIR,
		  0,
		  "",
		  "dir",
		  "the files: inode 0x2 is there twice, or cannot be" },
		{ 0,
		  { 2, 3 },
		  1,
		  S_IFDIR,
		  0,
		  "",
		  "dir",
		  "the files: inode 0x3 is there twice, or cannot be" },
		{ 0,
		  { 0x100000000, 0 },
		  1,
		  S_IFDIR,
		  0,
		  "",
		  "dir",
		  "the files: inode 0x100000000 is there twice, or cannot be" },
		{ 0,
		  { 0xffffffff, 0 },
		  1,
		  S_IFDIR,
		  0,
		  "",
		  "dir",
		  "the files: inode 0xffffffff is there twice, or cannot be" },
		{ 0,
		  { 2 },
		  0,
		  S_IFDIR,
		  0,
		  "",
		  "dir",
		  "the files: an inode that the guest does not know" },
		{ 0, { 2 }, 1, S_IFREG, 0, "..", "dir", "the files: the name of an inode is none" },
		{ 0, { 2 }, 1, S_IFDIR, 0, "x", "dir", "the files: the name of an inode is none" },
		{ 0, { 2 }, 1, S_IFDIR, 4096, "", "dir", "the files: more than 4096 file systems" },
		{ 0, { 1 }, 1, S_IFDIR, 0, "", "dir", "the files: its root is none" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char whole[256];

		saved_out_done(&state);
		saved_begin(&state, SAVED_FILES, 0);
		saved_put_u64(&state, rows[i].features);
		saved_put_u32(&state, 1);
		saved_put_u32(&state, rows[i].ids[1] ? 2 : 1);
		for (size_t k = 0; k < 2; k++)
			put_inode(rows[i].ids[k], rows[i].lookups, rows[i].type, rows[i].device,
				  rows[i].name, rows[i].path);
		saved_put_u32(&state, 0);
		cr_assert_eq(saved_finish(&state, &e), 0);
		snprintf(whole, sizeof(whole), "the state of the microVM: %s", rows[i].message);
		expect_refused(restore(&e), &e, EPROTO, whole);
	}
}

/* Paths that lead out, or over links: there is nothing there. */
Test(vm_fs_save, paths_stay_beneath_the_root)
{
	static const char *const paths[] = { "../canary", "/etc", "dir/../../canary", "out/x" };
	struct err e;

	cr_assert_eq(symlinkat("dir", dir_fd, "root/out2"), 0);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		saved_out_done(&state);
		saved_begin(&state, SAVED_FILES, 0);
		saved_put_u64(&state, 0);
		saved_put_u32(&state, 1);
		saved_put_u32(&state, 1);
		put_inode(2, 1, S_IFDIR, 0, "", paths[i]);
		saved_put_u32(&state, 0);
		cr_assert_eq(saved_finish(&state, &e), 0);
		cr_expect_lt(restore(&e), 0, "%s", paths[i]);
		cr_expect_eq(strncmp(e.msg, "the snapshot's directory /", 26), 0, "%s", e.msg);
	}
}

/* Whatever a byte is, it is a server that answers or a refusal; and a part that is cut is refused. */
Test(vm_fs_save, any_byte_may_be_another)
{
	uint64_t file = look(FUSE_ROOT_ID, "file");
	auto_buf struct buf copy = { 0 };
	size_t size;
	struct err e;

	open_node(file, O_RDONLY);
	look(look(FUSE_ROOT_ID, "dir"), "below");
	cr_assert_eq(save(&e), 0, "%s", e.msg);
	size = state.bytes.len;
	for (size_t i = 32; i < size - 8; i++)
		for (unsigned bit = 1; bit < 256; bit <<= 2) {
			state.bytes.text[i] ^= (char)bit;
			saved_seal(state.bytes.text, size);
			if (restore(&e) == 0) {
				ask(FUSE_GETATTR, file, IN(fuse_getattr_in, 0));
				look_for(FUSE_ROOT_ID, "dir", &(ssize_t){ 0 });
			}
			state.bytes.text[i] ^= (char)bit;
		}
	buf_add(&copy, state.bytes.text, size);
	for (uint32_t cut = 1; cut <= size - 40; cut += 3) {
		uint32_t left = (uint32_t)(size - 40) - cut;
		uint64_t whole = size - cut;

		memcpy(state.bytes.text, copy.text, size);
		memcpy(state.bytes.text + 28, &left, sizeof(left));
		memcpy(state.bytes.text + 16, &whole, sizeof(whole));
		state.bytes.len = size - cut;
		saved_seal(state.bytes.text, state.bytes.len);
		cr_expect_eq(restore(&e), -EPROTO, "%u bytes less: %s", cut, e.msg);
	}
}
