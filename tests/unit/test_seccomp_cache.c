/* Filters are taken from the cache if they are the same, ours and whole, and from nowhere else. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/io.h"
#include "security/seccomp_cache.h"

static char path[] = "/tmp/test_seccomp_cache.XXXXXX";
static int root = -1;
static const char *names[] = { "mkdir" }, *other_names[] = { "rmdir" };
static struct spec_seccomp_arg arg = { .op = SPEC_CMP_EQ, .value = 7 };
static struct spec_seccomp_rule rule;
static struct spec_seccomp profile;

static void set_up(void)
{
	cr_assert(mkdtemp(path));
	root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rule = (struct spec_seccomp_rule){ .names = { names, 1 }, .action = SPEC_ACT_ERRNO };
	profile = (struct spec_seccomp){ .default_action = SPEC_ACT_ALLOW };
	profile.syscalls.at = &rule;
	profile.syscalls.n = 1;
}

static void tear_down(void)
{
	close(root);
	cr_expect_eq(io_remove_tree(AT_FDCWD, path), 0);
}

/* The files of the cache; the path of one of them in *ret. */
static size_t files(char ret[PATH_MAX])
{
	char dir[PATH_MAX];
	const struct dirent *entry;
	size_t n = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/" SECCOMP_CACHE_NAME, path);
	d = opendir(dir);
	cr_assert(d);
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.' && ++n && ret)
			cr_assert_lt(snprintf(ret, PATH_MAX, "%s/" SECCOMP_CACHE_NAME "/%s", path,
					      entry->d_name),
				     PATH_MAX);
	closedir(d);
	return n;
}

/* What came is what the compiler makes. */
static void get(void)
{
	auto_arena struct arena a = { 0 };
	struct seccomp_filter is = { 0 }, want = { 0 };
	struct err e = { 0 };

	cr_assert_eq(seccomp_cache_get(root, &profile, false, &a, &is, &e), 0, "%s", e.msg);
	cr_assert_eq(seccomp_filter_compile(&profile, &a, &want, &e), 0, "%s", e.msg);
	cr_expect(is.n == want.n && is.flags == want.flags && is.notify == want.notify);
	cr_expect_arr_eq(is.at, want.at, want.n * sizeof(*want.at));
}

static ino_t inode(const char *file)
{
	struct stat st;

	cr_assert_eq(stat(file, &st), 0);
	return st.st_ino;
}

Test(seccomp_cache, the_second_is_taken_from_the_first, .init = set_up, .fini = tear_down)
{
	char file[PATH_MAX];
	struct stat st;
	ino_t first;

	get();
	cr_assert_eq(files(file), 1);
	first = inode(file);
	get();
	cr_expect_eq(files(file), 1);
	cr_expect_eq(inode(file), first, "a hit replaces nothing");
	cr_expect_eq(stat(file, &st), 0);
	cr_expect_eq(st.st_mode, S_IFREG | 0600);
}

/* Each member that the filter depends on is a part of the key. */
Test(seccomp_cache, another_profile_is_another_file, .init = set_up, .fini = tear_down)
{
	enum spec_seccomp_arch arch = SPEC_ARCH_X86;
	size_t n = 1;

	get();
#define CHANGE(what)                                   \
	do {                                           \
		what;                                  \
		get();                                 \
		cr_expect_eq(files(NULL), ++n, #what); \
	} while (0)
	CHANGE(profile.default_action = SPEC_ACT_LOG);
	CHANGE((profile.default_action = SPEC_ACT_ERRNO, rule.action = SPEC_ACT_ALLOW));
	CHANGE((profile.default_errno_ret = (struct opt_u32){ 1, 5 }));
	CHANGE((profile.flags = (struct opt_u32){ .set = true }));
	CHANGE((profile.architectures.at = &arch, profile.architectures.n = 1));
	CHANGE(rule.names.at = other_names);
	CHANGE((rule.args.at = &arg, rule.args.n = 1));
	CHANGE(arg.value = 8);
	CHANGE(arg.index = 1);
	CHANGE(arg.op = SPEC_CMP_NE);
	CHANGE((arg.op = SPEC_CMP_MASKED_EQ, arg.value_two = 1));
	CHANGE((rule.action = SPEC_ACT_ERRNO, rule.errno_ret = (struct opt_u32){ 1, 6 }));
	CHANGE((rule.action = SPEC_ACT_NOTIFY, rule.errno_ret.set = false));
}

/* A bit of any part: the magic word, the sum, the lengths, the flags, the key, the filter. */
Test(seccomp_cache, what_is_damaged_is_compiled_anew, .init = set_up, .fini = tear_down)
{
	char file[PATH_MAX], byte;
	struct stat st;

	get();
	files(file);
	cr_assert_eq(stat(file, &st), 0);
	for (off_t at = 0; at < st.st_size; at += 3) {
		ino_t damaged = inode(file);
		int fd = open(file, O_RDWR | O_CLOEXEC);

		cr_assert_eq(pread(fd, &byte, 1, at), 1);
		byte ^= 4;
		cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
		close(fd);
		get();
		cr_expect_neq(inode(file), damaged, "byte %ld", (long)at);
	}
	for (off_t size = 0; size < st.st_size; size += 50) {
		cr_assert_eq(truncate(file, size), 0);
		get();
		cr_expect_eq(stat(file, &st), 0);
	}
}

/* Makes the file another's in one way; what is there then must not be read, and is replaced. */
Test(seccomp_cache, what_others_could_have_written_is_compiled_anew, .init = set_up,
     .fini = tear_down)
{
	char file[PATH_MAX], aside[PATH_MAX];
	struct stat st;

	get();
	files(file);
	snprintf(aside, sizeof(aside), "%s/aside", path);
	for (int way = 0; way < 4; way++) {
		ino_t foreign = inode(file);

		cr_assert_eq(way == 0    ? chmod(file, 0644)
			     : way == 1  ? link(file, aside)
			     : way == 2  ? rename(file, aside) | symlink(aside, file)
			     : geteuid() ? chmod(file, 0620)
					 : chown(file, 1, 0),
			     0);
		get();
		cr_assert_eq(lstat(file, &st), 0);
		cr_expect_eq(st.st_mode, S_IFREG | 0600, "way %d", way);
		cr_expect_eq(st.st_uid, geteuid());
		cr_expect_eq(st.st_nlink, 1);
		cr_expect_neq(st.st_ino, foreign, "way %d", way);
		unlink(aside);
	}
}

Test(seccomp_cache, a_directory_that_others_may_write_is_not_used, .init = set_up,
     .fini = tear_down)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/" SECCOMP_CACHE_NAME, path);
	cr_assert_eq(mkdir(dir, 0700) | chmod(dir, 0770), 0);
	get();
	cr_expect_eq(files(NULL), 0);
	cr_assert_eq(rmdir(dir) | symlink("/tmp", dir), 0);
	get();
	cr_assert_eq(unlink(dir), 0);
}

Test(seccomp_cache, has_a_bound, .init = set_up, .fini = tear_down)
{
	rule.args.at = &arg;
	rule.args.n = 1;
	for (uint64_t i = 0; i < SECCOMP_CACHE_FILES + 5; i++) {
		arg.value = i;
		get();
	}
	cr_expect_eq(files(NULL), SECCOMP_CACHE_FILES);
}

Test(seccomp_cache, another_process_compiles_the_same, .init = set_up, .fini = tear_down)
{
	auto_arena struct arena a = { 0 };
	struct seccomp_filter want = { 0 }, is = { 0 };
	struct err e = { 0 };

	cr_assert_eq(seccomp_filter_compile(&profile, &a, &want, &e), 0, "%s", e.msg);
	cr_assert_eq(seccomp_cache_get(root, &profile, true, &a, &is, &e), 0, "%s", e.msg);
	cr_assert_eq(is.n, want.n);
	cr_expect_eq(is.flags, want.flags);
	cr_expect_arr_eq(is.at, want.at, want.n * sizeof(*want.at));
	cr_expect_eq(files(NULL), 1);
	profile.flags = (struct opt_u32){ true, 1U << 5 }; /* WAIT_KILLABLE_RECV */
	cr_expect_eq(seccomp_cache_get(root, &profile, true, &a, &is, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a "
				"rule with SCMP_ACT_NOTIFY");
}

Test(seccomp_cache, what_is_wrong_with_a_profile_is_still_told, .init = set_up, .fini = tear_down)
{
	auto_arena struct arena a = { 0 };
	struct seccomp_filter f = { 0 };
	struct err e = { 0 };

	profile.flags = (struct opt_u32){ true, 1U << 5 }; /* WAIT_KILLABLE_RECV */
	cr_expect_eq(seccomp_cache_get(root, &profile, false, &a, &f, &e), -EINVAL);
	cr_expect_eq(files(NULL), 0);
}
