/* Files of the guest opened, read and written. */
#include <criterion/criterion.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/test_vm_fs.h"

TestSuite(vm_fs_io, .init = serve, .fini = unserve);

#define CREATED ((ssize_t)(sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out)))
#define WRITTEN ((ssize_t)sizeof(struct fuse_write_out))
#define DATA(text) ((struct part){ text, strlen(text) })

Test(vm_fs_io, read_gives_what_is_there)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh = open_node(file, O_RDONLY);

	expect_answer(7, FUSE_READ, file, IN(fuse_read_in, .fh = fh, .size = 100));
	cr_assert_eq(memcmp(answer.bytes, "content", 7), 0);
	expect_answer(2, FUSE_READ, file, IN(fuse_read_in, .fh = fh, .offset = 1, .size = 2));
	cr_assert_eq(memcmp(answer.bytes, "on", 2), 0);
	expect_answer(0, FUSE_READ, file, IN(fuse_read_in, .fh = fh, .offset = 7, .size = 2));
	expect_answer(0, FUSE_READ, file, IN(fuse_read_in, .fh = fh, .size = 0));
	failed(-EINVAL, FUSE_READ, file,
	       IN(fuse_read_in, .fh = fh, .offset = UINT64_MAX, .size = 2));
	failed(-EINVAL, FUSE_READ, file,
	       IN(fuse_read_in, .fh = fh, .offset = INT64_MAX, .size = 2));
	expect_answer(7, FUSE_READ, file, IN(fuse_read_in, .fh = fh, .size = UINT32_MAX));
	/* No further than there is room. */
	answer_room = 3;
	memset(answer.bytes, '.', 10);
	expect_answer(3, FUSE_READ, file, IN(fuse_read_in, .fh = fh, .size = 100));
	cr_assert_eq(memcmp(answer.bytes, "con....", 7), 0);
	answer_room = sizeof(answer);
	failed(-EBADF, FUSE_WRITE, file, IN(fuse_write_in, .fh = fh, .size = 1), DATA("x"));
	fh = open_node(file, O_WRONLY);
	failed(-EBADF, FUSE_READ, file, IN(fuse_read_in, .fh = fh, .size = 1));
}

/* The guest's pages lie anywhere; more of them than one system call takes. */
Test(vm_fs_io, read_and_write_scattered)
{
	static char to[300][7], from[300][5];
	struct fuse_out_header out;
	struct fuse_in_header head = { .opcode = FUSE_WRITE,
				       .len = sizeof(head) + sizeof(struct fuse_write_in) + 1500 };
	struct fuse_write_in write = { .size = 1500 };
	struct fuse_read_in read = { .size = 2100 };
	struct iovec in[302] = { { &head, sizeof(head) }, { &write, sizeof(write) } };
	struct iovec reply[301] = { { &out, sizeof(out) } };
	struct fuse_write_out written;

	head.nodeid = look(FUSE_ROOT_ID, "file");
	write.fh = read.fh = open_node(head.nodeid, O_RDWR);
	for (int i = 0; i < 300; i++) {
		memset(from[i], 'a' + i % 26, 5);
		in[2 + i] = (struct iovec){ from[i], 5 };
		reply[1 + i] = (struct iovec){ to[i], 7 };
	}
	cr_assert_eq(fs_server_handle(server, in, 302,
				      (struct iovec[]){ { &out, sizeof(out) },
							{ &written, sizeof(written) } },
				      2),
		     24);
	cr_assert_eq(out.error, 0);
	cr_assert_eq(written.size, 1500);
	cr_assert_eq(stat_of("root/file").st_size, 1500);
	head.opcode = FUSE_READ;
	head.len = sizeof(head) + sizeof(read);
	in[1] = (struct iovec){ &read, sizeof(read) };
	cr_assert_eq(fs_server_handle(server, in, 2, reply, 301), 16 + 1500);
	for (int i = 0; i < 1500; i++)
		cr_assert_eq(((char *)to)[i], 'a' + i / 5 % 26);
	/* A header in pieces. */
	cr_assert_eq(fs_server_handle(server,
				      (struct iovec[]){ { &head, 3 },
							{ (char *)&head + 3, 37 },
							{ &read, 9 },
							{ (char *)&read + 9, sizeof(read) - 9 } },
				      4,
				      (struct iovec[]){
					      { &out, 1 }, { (char *)&out + 1, 15 }, { to, 2100 } },
				      3),
		     16 + 1500);
	cr_assert_eq(out.len, 16 + 1500);
}

Test(vm_fs_io, write_takes_what_is_there)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh = open_node(file, O_RDWR);

	expect_answer(WRITTEN, FUSE_WRITE, file,
		      IN(fuse_write_in, .fh = fh, .offset = 3, .size = 3), DATA("ABC"));
	cr_assert_eq(answer.write.size, 3);
	cr_assert_str_eq(content_of("root/file"), "conABCt");
	expect_answer(WRITTEN, FUSE_WRITE, file,
		      IN(fuse_write_in, .fh = fh, .offset = 0, .size = 2), DATA("XYZ"));
	cr_assert_str_eq(content_of("root/file"), "XYnABCt");
	failed(-EINVAL, FUSE_WRITE, file, IN(fuse_write_in, .fh = fh, .size = 4), DATA("abc"));
	failed(-EINVAL, FUSE_WRITE, file, IN(fuse_write_in, .fh = fh, .size = UINT32_MAX),
	       DATA("abc"));
	failed(-EFBIG, FUSE_WRITE, file,
	       IN(fuse_write_in, .fh = fh, .offset = UINT64_MAX, .size = 3), DATA("abc"));
	failed(-EFBIG, FUSE_WRITE, file,
	       IN(fuse_write_in, .fh = fh, .offset = INT64_MAX, .size = 3), DATA("abc"));
	expect_answer(WRITTEN, FUSE_WRITE, file, IN(fuse_write_in, .fh = fh, .size = 0));
	cr_assert_str_eq(content_of("root/file"), "XYnABCt");
}

Test(vm_fs_io, nothing_beyond_max_io)
{
	static char much[8193];
	struct fs_config c = fs_defaults;
	uint64_t file, fh;

	c.max_io = 8192;
	serve_again(&c);
	cr_assert_eq(answer.init.max_write, 8192);
	cr_assert_eq(answer.init.max_pages, 2);
	file = look(FUSE_ROOT_ID, "file");
	fh = open_node(file, O_RDWR);
	failed(-EINVAL, FUSE_WRITE, file, IN(fuse_write_in, .fh = fh, .size = 8193),
	       ((struct part){ much, 8193 }));
	expect_answer(WRITTEN, FUSE_WRITE, file, IN(fuse_write_in, .fh = fh, .size = 8192),
		      ((struct part){ much, 8192 }));
	expect_answer(WRITTEN, FUSE_WRITE, file,
		      IN(fuse_write_in, .fh = fh, .offset = 8192, .size = 8192),
		      ((struct part){ much, 8192 }));
	expect_answer(8192, FUSE_READ, file, IN(fuse_read_in, .fh = fh, .size = 100000));
}

Test(vm_fs_io, appending_and_pages_of_a_mapping)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh = open_node(file, O_RDWR | O_APPEND);

	expect_answer(WRITTEN, FUSE_WRITE, file,
		      IN(fuse_write_in, .fh = fh, .offset = 0, .size = 1), DATA("!"));
	cr_assert_str_eq(content_of("root/file"), "content!");
	expect_answer(WRITTEN, FUSE_WRITE, file,
		      IN(fuse_write_in, .fh = fh, .offset = 0, .size = 1,
			 .write_flags = FUSE_WRITE_CACHE),
		      DATA("C"));
	cr_assert_str_eq(content_of("root/file"), "Content!");
}

Test(vm_fs_io, set_user_id_goes_when_the_guest_says_so)
{
	static const struct {
		mode_t before, after;
	} rows[] = { { 06755, 0755 }, { 06745, 02745 }, { 04755, 0755 },
		     { 02755, 0755 }, { 02745, 02745 }, { 0777, 0777 } };
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh = open_node(file, O_RDWR);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(fchmodat(dir_fd, "root/file", rows[i].before, 0), 0);
		/* Root's write in the guest leaves it (as root's here does). */
		if (geteuid() == 0) {
			ask(FUSE_WRITE, file, IN(fuse_write_in, .fh = fh, .size = 1), DATA("x"));
			cr_expect_eq(stat_of("root/file").st_mode & 07777, rows[i].before);
		}
		ask(FUSE_WRITE, file,
		    IN(fuse_write_in, .fh = fh, .size = 1, .write_flags = FUSE_WRITE_KILL_SUIDGID),
		    DATA("x"));
		cr_expect_eq(stat_of("root/file").st_mode & 07777, rows[i].after, "%o",
			     rows[i].before);
		cr_assert_eq(fchmodat(dir_fd, "root/file", rows[i].before, 0), 0);
		ask(FUSE_OPEN, file,
		    IN(fuse_open_in, .flags = O_WRONLY | O_TRUNC,
		       .open_flags = FUSE_OPEN_KILL_SUIDGID));
		cr_expect_eq(stat_of("root/file").st_mode & 07777, rows[i].after, "%o",
			     rows[i].before);
	}
}

Test(vm_fs_io, open_and_create)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), node, fh;

	failed(-EISDIR, FUSE_OPEN, FUSE_ROOT_ID, IN(fuse_open_in, .flags = O_RDONLY));
	failed(-EINVAL, FUSE_OPEN, file, IN(fuse_open_in, .flags = O_ACCMODE));
	failed(-ENOTDIR, FUSE_OPENDIR, file, IN(fuse_open_in, 0));
	expect_answer(CREATED, FUSE_CREATE, FUSE_ROOT_ID,
		      IN(fuse_create_in, .flags = O_RDWR | O_CREAT, .mode = S_IFREG | 0640),
		      WORDS("new"));
	node = answer.created.entry.nodeid;
	fh = answer.created.open.fh;
	expect_answer(WRITTEN, FUSE_WRITE, node, IN(fuse_write_in, .fh = fh, .size = 3),
		      DATA("abc"));
	cr_assert_str_eq(content_of("root/new"), "abc");
	cr_assert_eq(stat_of("root/new").st_mode, S_IFREG | 0640);
	failed(-EEXIST, FUSE_CREATE, FUSE_ROOT_ID, IN(fuse_create_in, .flags = O_RDWR | O_EXCL),
	       WORDS("new"));
	failed(-EISDIR, FUSE_CREATE, FUSE_ROOT_ID, IN(fuse_create_in, .flags = O_RDWR),
	       WORDS("dir"));
	failed(-EINVAL, FUSE_CREATE, FUSE_ROOT_ID,
	       IN(fuse_create_in, .flags = O_RDWR, .mode = S_IFIFO), WORDS("fifo"));
	failed(-ENOTDIR, FUSE_CREATE, file, IN(fuse_create_in, .flags = O_RDWR), WORDS("fifo"));
	/* There already: opened, and made empty if that is asked for. */
	expect_answer(CREATED, FUSE_CREATE, FUSE_ROOT_ID,
		      IN(fuse_create_in, .flags = O_RDWR, .mode = 0777), WORDS("file"));
	cr_assert_eq(answer.created.entry.nodeid, file);
	cr_assert_eq(answer.created.entry.attr.size, 7);
	cr_assert_eq(stat_of("root/file").st_mode & 0777, 0644);
	expect_answer(CREATED, FUSE_CREATE, FUSE_ROOT_ID,
		      IN(fuse_create_in, .flags = O_RDWR | O_TRUNC), WORDS("file"));
	cr_assert_eq(answer.created.entry.attr.size, 0);
	/* A file that its owner may not read is written all the same. */
	expect_answer(CREATED, FUSE_CREATE, FUSE_ROOT_ID,
		      IN(fuse_create_in, .flags = O_WRONLY, .mode = 0), WORDS("none"));
	expect_answer(WRITTEN, FUSE_WRITE, answer.created.entry.nodeid,
		      IN(fuse_write_in, .fh = answer.created.open.fh, .size = 1), DATA("x"));
}

Test(vm_fs_io, a_file_without_a_name)
{
	uint64_t node, fh;

	expect_answer(CREATED, FS_OP_TMPFILE, FUSE_ROOT_ID,
		      IN(fuse_create_in, .flags = O_RDWR, .mode = S_IFREG | 0600), WORDS("/"));
	node = answer.created.entry.nodeid;
	fh = answer.created.open.fh;
	expect_answer(WRITTEN, FUSE_WRITE, node, IN(fuse_write_in, .fh = fh, .size = 3),
		      DATA("abc"));
	expect_answer(sizeof(struct fuse_entry_out), FUSE_LINK, FUSE_ROOT_ID,
		      IN(fuse_link_in, .oldnodeid = node), WORDS("named"));
	cr_assert_str_eq(content_of("root/named"), "abc");
	failed(-EINVAL, FS_OP_TMPFILE, FUSE_ROOT_ID, IN(fuse_create_in, .flags = O_RDONLY),
	       WORDS("/"));
	failed(-ENOTDIR, FS_OP_TMPFILE, node, IN(fuse_create_in, .flags = O_RDWR), WORDS("/"));
	cr_assert_eq(stats_now().handles, 1);
}

Test(vm_fs_io, the_rest)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh = open_node(file, O_RDWR);
	uint64_t below = look(look(FUSE_ROOT_ID, "dir"), "below"),
		 fh_below = open_node(below, O_RDONLY);

	done(FUSE_FSYNC, file, IN(fuse_fsync_in, .fh = fh));
	done(FUSE_FSYNC, file, IN(fuse_fsync_in, .fh = fh, .fsync_flags = 1));
	done(FUSE_SYNCFS, FUSE_ROOT_ID, NOTHING);
	failed(-ENOSYS, FUSE_FLUSH, file,
	       IN(fuse_flush_in, .fh = fh)); /* said once, never asked again */
	done(FUSE_FALLOCATE, file, IN(fuse_fallocate_in, .fh = fh, .offset = 7, .length = 3));
	cr_assert_eq(stat_of("root/file").st_size, 10);
	failed(-EOPNOTSUPP, FUSE_FALLOCATE, file,
	       IN(fuse_fallocate_in, .fh = fh, .length = 1, .mode = FALLOC_FL_COLLAPSE_RANGE));
	failed(-EFBIG, FUSE_FALLOCATE, file, IN(fuse_fallocate_in, .fh = fh, .length = UINT64_MAX));
	failed(-EBADF, FUSE_FALLOCATE, below, IN(fuse_fallocate_in, .fh = fh_below, .length = 1));
	expect_answer(sizeof(struct fuse_lseek_out), FUSE_LSEEK, file,
		      IN(fuse_lseek_in, .fh = fh, .whence = SEEK_HOLE));
	cr_assert_eq(answer.lseek.offset, 10);
	failed(-ENXIO, FUSE_LSEEK, file,
	       IN(fuse_lseek_in, .fh = fh, .offset = 10, .whence = SEEK_DATA));
	failed(-ENXIO, FUSE_LSEEK, file,
	       IN(fuse_lseek_in, .fh = fh, .offset = UINT64_MAX, .whence = SEEK_DATA));
	failed(-EINVAL, FUSE_LSEEK, file, IN(fuse_lseek_in, .fh = fh, .whence = SEEK_END));
	expect_answer(WRITTEN, FUSE_COPY_FILE_RANGE, below,
		      IN(fuse_copy_file_range_in, .fh_in = fh_below, .off_in = 1,
			 .nodeid_out = file, .fh_out = fh, .off_out = 2, .len = 3));
	cr_assert_eq(answer.write.size, 3);
	cr_assert_eq(strncmp(content_of("root/file"), "coelont", 7), 0);
	failed(-EINVAL, FUSE_COPY_FILE_RANGE, below,
	       IN(fuse_copy_file_range_in, .fh_in = fh_below, .nodeid_out = file, .fh_out = fh,
		  .len = 1, .flags = 1));
	failed(-EBADF, FUSE_COPY_FILE_RANGE, file,
	       IN(fuse_copy_file_range_in, .fh_in = fh, .nodeid_out = below, .fh_out = fh_below,
		  .len = 1));
	failed(-ENOENT, FUSE_COPY_FILE_RANGE, file,
	       IN(fuse_copy_file_range_in, .fh_in = fh, .nodeid_out = 77, .fh_out = fh_below,
		  .len = 1));
}

/* ---- many at a time */

static atomic_bool enough;

/* A request of a thread's own: `answer` is for one at a time. */
static int32_t ask_here(uint32_t op, uint64_t node, const void *args, size_t size, void *body,
			size_t room)
{
	struct fuse_in_header head = { .len = (uint32_t)(sizeof(head) + size),
				       .opcode = op,
				       .nodeid = node,
				       .uid = geteuid(),
				       .gid = getegid() };
	struct fuse_out_header out = { 0 };
	struct iovec in[] = { { &head, sizeof(head) }, { (void *)args, size } };
	struct iovec reply[] = { { &out, sizeof(out) }, { body, room } };

	fs_server_handle(server, in, 2, reply, 2);
	return out.error;
}

static void *makes_and_moves(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < 3000; i++) {
		static const char *const names[] = { "a", "b", "c", "d" };
		const char *name = names[rand_r(&seed) % 4], *other = names[rand_r(&seed) % 4];
		struct {
			struct fuse_create_in in;
			char name[2];
		} create = { { .flags = O_RDWR, .mode = 0644 }, "" };
		struct {
			struct fuse_rename_in in;
			char names[4];
		} rename = { { .newdir = FUSE_ROOT_ID }, "" };
		union {
			struct fuse_entry_out entry;
			char bytes[512];
		} body = { 0 };

		memcpy(create.name, name, 2);
		memcpy(rename.names, name, 2);
		memcpy(rename.names + 2, other, 2);
		switch (rand_r(&seed) % 5) {
		case 0:
			if (ask_here(FUSE_CREATE, FUSE_ROOT_ID, &create, sizeof(create.in) + 2,
				     &body, sizeof(body)) == 0) {
				struct fuse_release_in release = {
					.fh = ((struct fuse_open_out *)(body.bytes +
									sizeof(body.entry)))
						      ->fh
				};

				cr_assert_eq(ask_here(FUSE_RELEASE, body.entry.nodeid, &release,
						      sizeof(release), NULL, 0),
					     0);
			}
			break;
		case 1:
			ask_here(FUSE_UNLINK, FUSE_ROOT_ID, name, 2, NULL, 0);
			continue;
		case 2:
			ask_here(FUSE_RENAME, FUSE_ROOT_ID, &rename, sizeof(rename.in) + 4, NULL,
				 0);
			continue;
		default:
			ask_here(FUSE_LOOKUP, FUSE_ROOT_ID, name, 2, &body, sizeof(body));
		}
		if (body.entry.nodeid) {
			struct fuse_getattr_in getattr = { 0 };
			struct fuse_forget_in forget = { 1 };
			struct fuse_attr_out attr;
			int32_t error = ask_here(FUSE_GETATTR, body.entry.nodeid, &getattr,
						 sizeof(getattr), &attr, sizeof(attr));

			cr_assert(error == 0 || error == -ESTALE || error == -ENFILE, "%d", error);
			ask_here(FUSE_FORGET, body.entry.nodeid, &forget, sizeof(forget), NULL, 0);
		}
	}
	return NULL;
}

static void *swaps_on_the_host(void *arg UNUSED)
{
	while (!enough) {
		renameat(dir_fd, "root/a", dir_fd, "root/b");
		if (symlinkat("../canary", dir_fd, "root/c") == 0)
			unlinkat(dir_fd, "root/c", 0);
		if (symlinkat("../canary", dir_fd, "root/d") == 0)
			unlinkat(dir_fd, "root/d", 0);
	}
	return NULL;
}

static void race(uint32_t descriptors)
{
	struct fs_config c = fs_defaults;
	pthread_t threads[4], host;

	c.max_descriptors = descriptors;
	serve_again(&c);
	pthread_create(&host, NULL, swaps_on_the_host, NULL);
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, makes_and_moves, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	enough = true;
	pthread_join(host, NULL);
	/* Every lookup was counted and every handle closed. */
	cr_assert_eq(stats_now().inodes, 1);
	cr_assert_eq(stats_now().handles, 0);
	cr_assert_eq(stats_now().descriptors, 1);
	cr_assert_str_eq(content_of("canary"), "nobody's");
}

Test(vm_fs_io, threads_while_the_host_swaps_names)
{
	race(0);
}

Test(vm_fs_io, threads_with_hardly_any_descriptors)
{
	race(7);
}
