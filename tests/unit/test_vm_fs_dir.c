/* Directories of the guest read, as programs and kernels do. */
#include <criterion/criterion.h>

#include "tests/unit/test_vm_fs.h"

TestSuite(vm_fs_dir, .init = serve, .fini = unserve);

enum { MANY = 3000 };

static uint64_t open_dir(uint64_t node)
{
	cr_assert_eq(ask(FUSE_OPENDIR, node, IN(fuse_open_in, 0)), (ssize_t)sizeof(answer.open));
	return answer.open.fh;
}

static void make_many(void)
{
	char name[32];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "root/many/f%d", i);
		dir_file(name, "");
	}
}

/*
 * Reads on from *offset, `most` bytes at a time, and counts each f<number> in `seen`. Takes only
 * the first `take` entries of each reply, as a guest does whose reader's buffer is full.
 * Returns the entries taken, 0 at the end.
 */
static int read_on(uint64_t node, uint64_t fh, uint64_t *offset, uint32_t most, int take,
		   char *seen, bool plus)
{
	ssize_t n = ask(plus ? FUSE_READDIRPLUS : FUSE_READDIR, node,
			IN(fuse_read_in, .fh = fh, .offset = *offset, .size = most));
	int taken = 0;

	cr_assert_geq(n, 0, "%zd", n);
	cr_assert_leq(n, most);
	for (ssize_t at = 0; at < n;) {
		struct fuse_direntplus *both = (void *)(answer.bytes + at);
		struct fuse_dirent *entry = plus ? &both->dirent : (void *)(answer.bytes + at);
		int number;
		char name[300];

		if (plus && both->entry_out.nodeid) {
			cr_assert_eq(both->entry_out.attr.ino, entry->ino);
			cr_assert_eq(both->entry_out.attr.mode >> 12, entry->type);
		}
		at += (ssize_t)(plus ? FUSE_DIRENTPLUS_SIZE(both) : FUSE_DIRENT_SIZE(entry));
		cr_assert_leq(at, n);
		if (taken == take)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)entry->namelen, entry->name);
		if (sscanf(name, "f%d", &number) == 1)
			seen[number]++;
		*offset = entry->off;
		taken++;
	}
	return taken;
}

static void expect_each_once(const char *seen)
{
	for (int i = 0; i < MANY; i++)
		cr_assert_eq(seen[i], 1, "f%d: %d times", i, seen[i]);
}

Test(vm_fs_dir, each_entry_comes_once_however_it_is_read)
{
	static const struct {
		uint32_t size;
		int take;
		bool plus;
	} rows[] = { { 4096, 10000, false },   { 4096, 7, false },    { 100000, 10000, false },
		     { 100000, 333, false },   { 4096, 10000, true }, { 4096, 3, true },
		     { 1 << 20, 10000, true }, { 64, 1, false } };
	uint64_t dir, fh;

	make_many();
	dir = look(FUSE_ROOT_ID, "many");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static char seen[MANY];
		uint64_t offset = 0;

		memset(seen, 0, sizeof(seen));
		fh = open_dir(dir);
		while (read_on(dir, fh, &offset, rows[i].size, rows[i].take, seen, rows[i].plus) >
		       0)
			;
		expect_each_once(seen);
		done(FUSE_RELEASEDIR, dir, IN(fuse_release_in, .fh = fh));
	}
}

Test(vm_fs_dir, entries_deleted_while_reading_hide_no_others)
{
	static char seen[MANY];
	uint64_t dir, fh, offset = 0;

	make_many();
	dir = look(FUSE_ROOT_ID, "many");
	fh = open_dir(dir);
	for (;;) {
		static char before[MANY];
		char name[32];

		memcpy(before, seen, MANY);
		if (read_on(dir, fh, &offset, 4096, 20, seen, false) == 0)
			break;
		for (int i = 0; i < MANY; i++)
			if (seen[i] && !before[i]) {
				snprintf(name, sizeof(name), "f%d", i);
				cr_assert_eq(ask(FUSE_UNLINK, dir,
						 ((struct part){ name, strlen(name) + 1 })),
					     0);
			}
	}
	expect_each_once(seen);
	done(FUSE_RMDIR, FUSE_ROOT_ID, WORDS("many"));
}

Test(vm_fs_dir, from_the_start_is_as_new)
{
	static char seen[MANY];
	uint64_t fh = open_dir(FUSE_ROOT_ID), offset = 0;

	while (read_on(FUSE_ROOT_ID, fh, &offset, 4096, 1000, seen, false) > 0)
		;
	dir_file("root/f7", "");
	offset = 0;
	while (read_on(FUSE_ROOT_ID, fh, &offset, 4096, 1000, seen, false) > 0)
		;
	cr_assert_eq(seen[7], 1);
}

Test(vm_fs_dir, the_root_says_nothing_of_what_is_above)
{
	uint64_t fh = open_dir(FUSE_ROOT_ID);
	ssize_t n = ask(FUSE_READDIR, FUSE_ROOT_ID, IN(fuse_read_in, .fh = fh, .size = 4096));
	int dots = 0;

	for (ssize_t at = 0; at < n;) {
		struct fuse_dirent *entry = (void *)(answer.bytes + at);

		at += (ssize_t)FUSE_DIRENT_SIZE(entry);
		if (entry->name[0] != '.')
			continue;
		dots++;
		cr_assert_eq(entry->ino, stat_of("root").st_ino);
	}
	cr_assert_eq(dots, 2);
}

Test(vm_fs_dir, plus_counts_a_lookup_for_each_it_tells)
{
	static char seen[MANY];
	uint64_t fh = open_dir(FUSE_ROOT_ID), offset = 0;

	while (read_on(FUSE_ROOT_ID, fh, &offset, 300, 1000, seen, true) > 0)
		;
	cr_assert_eq(stats_now().inodes, 4); /* the root, file, dir, out */
	look(FUSE_ROOT_ID, "file");
	ask(FUSE_FORGET, answer.entry.nodeid, IN(fuse_forget_in, .nlookup = 1));
	cr_assert_eq(stats_now().inodes, 4);
	ask(FUSE_FORGET, answer.entry.nodeid, IN(fuse_forget_in, .nlookup = 1));
	cr_assert_eq(stats_now().inodes, 3);
}

Test(vm_fs_dir, sizes_and_offsets_of_no_sense)
{
	static char seen[MANY];
	static const uint64_t offsets[] = { 1, 2, 99, INT64_MAX, 1ULL << 63, UINT64_MAX };
	uint64_t fh = open_dir(FUSE_ROOT_ID), offset = 0;

	failed(-EINVAL, FUSE_READDIR, FUSE_ROOT_ID, IN(fuse_read_in, .fh = fh, .size = 0));
	failed(-EINVAL, FUSE_READDIR, FUSE_ROOT_ID, IN(fuse_read_in, .fh = fh, .size = 8));
	failed(-EINVAL, FUSE_READDIRPLUS, FUSE_ROOT_ID, IN(fuse_read_in, .fh = fh, .size = 100));
	answer_room = 8;
	failed(-EINVAL, FUSE_READDIR, FUSE_ROOT_ID, IN(fuse_read_in, .fh = fh, .size = UINT32_MAX));
	answer_room = sizeof(answer);
	for (size_t i = 0; i < ARRAY_LEN(offsets); i++)
		ask(FUSE_READDIR, FUSE_ROOT_ID,
		    IN(fuse_read_in, .fh = fh, .offset = offsets[i], .size = 4096));
	while (read_on(FUSE_ROOT_ID, fh, &offset, 4096, 1000, seen, false) > 0)
		;
}

Test(vm_fs_dir, a_directory_that_is_gone)
{
	uint64_t dir, fh;
	ssize_t n;

	dir_file("root/gone/", "");
	dir = look(FUSE_ROOT_ID, "gone");
	fh = open_dir(dir);
	done(FUSE_RMDIR, FUSE_ROOT_ID, WORDS("gone"));
	n = ask(FUSE_READDIR, dir, IN(fuse_read_in, .fh = fh, .size = 4096));
	cr_assert(n == 0 || n == -ENOENT, "%zd", n);
	failed(-ENOENT, FUSE_LOOKUP, dir, WORDS("x"));
	failed(-ENOENT, FUSE_MKDIR, dir, IN(fuse_mkdir_in, .mode = 0755), WORDS("x"));
}
