#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/io.h"
#include "base/sys.h"
#include "tests/unit/test_child.h"
#include "tests/unit/test_dir.h"

TestSuite(io, .init = dir_make, .fini = dir_remove, .timeout = 10);

static size_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static bool is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static void on_alarm(int sig UNUSED)
{
}

/* From now on, every system call that waits is interrupted a thousand times a second. */
static void interrupt_everything(void)
{
	struct sigaction action = { .sa_handler = on_alarm }; /* no SA_RESTART */
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };

	cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
	cr_assert_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static const char pattern[] = "0123456789abcde";

/*
 * Bytes through descriptors
 */

struct flow {
	int fd;
	size_t total, piece;
	int r;
};

static void *write_flow(void *arg)
{
	struct flow *f = arg;
	auto_free char *bytes = malloc(f->total);
	sigset_t all;

	sigfillset(&all); /* SIGALRM is for the reader */
	if (f->piece)
		pthread_sigmask(SIG_SETMASK, &all, NULL);
	for (size_t i = 0; i < f->total; i++)
		bytes[i] = pattern[i % 15];
	if (!f->piece) {
		f->r = io_write_all(f->fd, bytes, f->total);
	} else {
		for (size_t i = 0; i < f->total && f->r >= 0; i += f->piece) {
			f->r = (int)write(f->fd, bytes + i, f->piece);
			usleep(200);
		}
	}
	close(f->fd);
	return NULL;
}

Test(io, reads_all_that_comes_in_pieces)
{
	struct flow f = { .total = 20000, .piece = 400 };
	char bytes[20010];
	pthread_t writer;
	int ends[2];

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	f.fd = ends[1];
	pthread_create(&writer, NULL, write_flow, &f);
	interrupt_everything();
	cr_expect_eq(io_read_all(ends[0], bytes, 10000), 10000);
	cr_expect_eq(io_read_all(ends[0], bytes + 10000, 10010), 10000);
	cr_expect_eq(io_read_all(ends[0], bytes, 1), 0);
	pthread_join(writer, NULL);
	for (size_t i = 0; i < 20000; i++)
		cr_assert_eq(bytes[i], pattern[i % 15], "byte %zu", i);
}

Test(io, writes_all_to_who_reads_slowly)
{
	struct flow f = { .total = 300000 };
	char bytes[1000];
	size_t got = 0;
	pthread_t writer;
	int ends[2];
	ssize_t n;

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	f.fd = ends[1];
	interrupt_everything();
	pthread_create(&writer, NULL, write_flow, &f);
	for (;;) {
		n = read(ends[0], bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		for (size_t i = 0; i < (size_t)n; i++)
			cr_assert_eq(bytes[i], pattern[(got + i) % 15]);
		got += (size_t)n;
	}
	pthread_join(writer, NULL);
	cr_expect_eq(f.r, 0);
	cr_expect_eq(got, 300000);
}

Test(io, says_why_it_cannot_read_or_write)
{
	char byte;
	int ends[2];

	cr_expect_eq(io_read_all(-1, &byte, 1), -EBADF);
	cr_expect_eq(io_read_all(-1, &byte, 0), 0);
	cr_expect_eq(io_read_all(dir_fd, &byte, 1), -EISDIR);
	cr_expect_eq(io_write_all(-1, "x", 1), -EBADF);
	cr_expect_eq(io_write_all(-1, "", 0), 0);
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	cr_expect_eq(io_write_all(ends[1], "x", 1), -EPIPE);
}

Test(io, slurps_up_to_a_limit)
{
	static const struct {
		size_t size, limit;
		int r;
	} rows[] = {
		{ 0, 0, 0 },
		{ 1, 0, -EFBIG },
		{ 1, 1, 0 },
		{ 2, 1, -EFBIG },
		{ 4095, 4095, 0 },
		{ 4096, 4095, -EFBIG },
		{ 4096, 4096, 0 },
		{ 4097, 4096, -EFBIG },
		{ 4097, 4097, 0 },
		{ 8192, 8192, 0 },
		{ 8193, 8192, -EFBIG },
		{ 10000, 20000, 0 },
		{ 10000, SIZE_MAX, 0 },
		{ 30000, 10, -EFBIG },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf b = { 0 };
		int ends[2];

		cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
		for (size_t j = 0; j < rows[i].size; j += 15) {
			size_t left = rows[i].size - j;

			cr_assert_gt(write(ends[1], pattern, left < 15 ? left : 15), 0);
		}
		close(ends[1]);
		buf_str(&b, "before:");
		cr_expect_eq(io_slurp(ends[0], rows[i].limit, &b), rows[i].r, "row %zu", i);
		close(ends[0]);
		cr_expect_eq(strncmp(b.text, "before:", 7), 0);
		if (rows[i].r == 0)
			cr_expect_eq(b.len, 7 + rows[i].size, "row %zu: %zu", i, b.len);
		cr_expect_eq(b.text[b.len], '\0');
		for (size_t j = 7; j < b.len; j++)
			cr_assert_eq(b.text[j], pattern[(j - 7) % 15]);
	}
}

/* However much there is, no more is taken than is needed to know. */
Test(io, slurps_no_more_than_the_limit_from_what_has_no_end)
{
	auto_buf struct buf b = { 0 };
	auto_fd int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	cr_expect_eq(io_slurp(zero, 100000, &b), -EFBIG);
	cr_expect_leq(b.len, 100001);
	cr_expect_eq(io_slurp(-1, 10, &b), -EBADF);
}

/*
 * Whole files
 */

Test(io, reads_files)
{
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };

	dir_file("sub/file", "content");
	dir_file("empty", "");
	cr_assert_eq(symlinkat("sub/file", dir_fd, "link"), 0);
	cr_expect_eq(io_read_file(dir_fd, "sub/file", 7, "it", &b, &e), 0, "%s", e.msg);
	cr_expect_str_eq(b.text, "content");
	cr_expect_eq(io_read_file(AT_FDCWD, dir_at("link"), 100, "it", &b, &e), 0, "%s", e.msg);
	cr_expect_str_eq(b.text, "contentcontent");
	cr_expect_eq(io_read_file(dir_fd, "empty", 0, "it", &b, &e), 0, "%s", e.msg);
	cr_expect_str_eq(b.text, "contentcontent");
}

/* Files of the kernel say that they are empty. */
Test(io, reads_files_that_say_that_they_are_empty)
{
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };

	cr_expect_eq(io_read_file(AT_FDCWD, "/proc/self/status", 65536, "it", &b, &e), 0, "%s",
		     e.msg);
	cr_expect_eq(strncmp(b.text, "Name:", 5), 0);
}

/* None of these may be waited for. */
Test(io, reads_only_regular_files, .timeout = 30)
{
	static const struct {
		const char *path, *message;
		int code;
	} rows[] = {
		{ "missing", "open the file: no such file or directory", ENOENT },
		{ "missing/file", "open the file: no such file or directory", ENOENT },
		{ "file/file", "open the file: not a directory", ENOTDIR },
		{ "loop", "open the file: too many levels of symbolic links", ELOOP },
		{ "dir", "read the file: it is a directory", EISDIR },
		{ ".", "read the file: it is a directory", EISDIR },
		{ "fifo", "read the file: it is not a regular file", EINVAL },
		{ "link-to-fifo", "read the file: it is not a regular file", EINVAL },
		{ "socket", "open the file: no such device or address", ENXIO },
		{ "/dev/zero", "read the file: it is not a regular file", EINVAL },
		{ "/dev/null", "read the file: it is not a regular file", EINVAL },
		{ "/dev/ptmx", "read the file: it is not a regular file", EINVAL },
		{ "file", "read the file: it is larger than 6 bytes", EFBIG },
		{ "", "open the file: no such file or directory", ENOENT },
	};
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t fds;

	dir_file("file", "content");
	dir_file("dir/", "");
	cr_assert_eq(mkfifoat(dir_fd, "fifo", 0600), 0);
	cr_assert_eq(symlinkat("fifo", dir_fd, "link-to-fifo"), 0);
	cr_assert_eq(symlinkat("loop", dir_fd, "loop"), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", dir_path);
	cr_assert_eq(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	fds = count_fds();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf b = { 0 };
		struct err e = { 0 };

		cr_expect_eq(io_read_file(dir_fd, rows[i].path, 6, "the file", &b, &e),
			     -rows[i].code, "%s", rows[i].path);
		cr_expect_str_eq(e.msg, rows[i].message, "%s: %s", rows[i].path, e.msg);
	}
	cr_expect_eq(count_fds(), fds);
}

/* A terminal that is opened to be read must not become ours. */
static void reads_no_terminal(void *arg UNUSED)
{
	auto_buf struct buf b = { 0 };
	auto_fd int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[64];
	struct err e = { 0 };

	CHILD_ASSERT(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 &&
			     ptsname_r(master, name, sizeof(name)) == 0,
		     "errno %d", errno);
	CHILD_ASSERT(setsid() >= 0, "errno %d", errno);
	CHILD_ASSERT(io_read_file(AT_FDCWD, name, 6, "it", &b, &e) == -EINVAL, "%s", e.msg);
	CHILD_ASSERT(open("/dev/tty", O_RDWR) < 0, "the terminal became ours");
}

Test(io, takes_no_terminal)
{
	expect_child(reads_no_terminal, NULL);
}

Test(io, replaces_files)
{
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };
	struct stat st;

	cr_assert_eq(io_replace_file(dir_fd, "state", "old and long", 12, &e), 0, "%s", e.msg);
	cr_assert_eq(fchmodat(dir_fd, "state", 0644, 0), 0);
	cr_assert_eq(io_replace_file(dir_fd, "state", "n\0ew", 4, &e), 0, "%s", e.msg);
	cr_assert_eq(io_read_file(dir_fd, "state", 100, "state", &b, &e), 0, "%s", e.msg);
	cr_expect_eq(b.len, 4);
	cr_expect_eq(memcmp(b.text, "n\0ew", 4), 0);
	cr_assert_eq(fstatat(dir_fd, "state", &st, 0), 0);
	cr_expect_eq(st.st_mode, S_IFREG | 0600, "%o", st.st_mode);
	cr_expect_not(dir_has(".state.new"));
	cr_expect_eq(io_replace_file(dir_fd, "state", "", 0, &e), 0);
	cr_assert_eq(fstatat(dir_fd, "state", &st, 0), 0);
	cr_expect_eq(st.st_size, 0);
}

/* Whoever has the old file open keeps the old content; a link is replaced, not followed. */
Test(io, leaves_the_old_file_alone)
{
	auto_buf struct buf b = { 0 };
	auto_fd int old = -1;
	struct err e = { 0 };
	struct stat st;

	dir_file("state", "old");
	dir_file("elsewhere", "elsewhere");
	cr_assert_eq(symlinkat("elsewhere", dir_fd, "link"), 0);
	old = openat(dir_fd, "state", O_RDONLY | O_CLOEXEC);
	cr_expect_eq(io_replace_file(dir_fd, "state", "new", 3, &e), 0, "%s", e.msg);
	cr_expect_eq(io_replace_file(dir_fd, "link", "new", 3, &e), 0, "%s", e.msg);
	cr_expect_eq(io_slurp(old, 100, &b), 0);
	cr_expect_str_eq(b.text, "old");
	buf_clear(&b);
	cr_expect_eq(io_read_file(dir_fd, "elsewhere", 100, "it", &b, &e), 0);
	cr_expect_str_eq(b.text, "elsewhere");
	cr_assert_eq(fstatat(dir_fd, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect(S_ISREG(st.st_mode));
}

/* What a crash left as ".state.new", however it looks, must not matter. */
Test(io, replaces_after_a_crash, .timeout = 30)
{
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };
	struct stat st;

	dir_file(".state.new", "half of it, and with a mode of its own");
	cr_assert_eq(fchmodat(dir_fd, ".state.new", 0644, 0), 0);
	cr_expect_eq(io_replace_file(dir_fd, "state", "new", 3, &e), 0, "%s", e.msg);
	cr_assert_eq(fstatat(dir_fd, "state", &st, 0), 0);
	cr_expect_eq(st.st_mode, S_IFREG | 0600, "%o", st.st_mode);
	cr_expect_eq(io_read_file(dir_fd, "state", 100, "it", &b, &e), 0, "%s", e.msg);
	cr_expect_str_eq(b.text, "new");
}

Test(io, replaces_in_spite_of_a_link_in_the_way)
{
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };

	dir_file("canary", "canary");
	cr_assert_eq(linkat(dir_fd, "canary", dir_fd, ".hard.new", 0), 0);
	cr_assert_eq(symlinkat("canary", dir_fd, ".soft.new"), 0);
	cr_expect_eq(io_replace_file(dir_fd, "hard", "new", 3, &e), 0, "%s", e.msg);
	(void)!io_replace_file(dir_fd, "soft", "new", 3, &e); /* may refuse it */
	cr_expect_eq(io_read_file(dir_fd, "canary", 100, "it", &b, &e), 0, "%s", e.msg);
	cr_expect_str_eq(b.text, "canary", "written through a link: %s", b.text);
}

static atomic_bool replaced;

static void *replace_often(void *arg UNUSED)
{
	char bytes[5000];

	for (int i = 0; i < 150; i++) {
		memset(bytes, 'a' + i % 26, sizeof(bytes));
		if (io_replace_file(dir_fd, "state", bytes, sizeof(bytes), NULL) < 0)
			break;
	}
	replaced = true;
	return NULL;
}

/* A reader sees one content or another, whole. */
Test(io, replaces_at_once)
{
	char first[5000];
	pthread_t writer;
	size_t seen = 0;

	memset(first, 'z', sizeof(first));
	cr_assert_eq(io_replace_file(dir_fd, "state", first, sizeof(first), NULL), 0);
	pthread_create(&writer, NULL, replace_often, NULL);
	for (; !replaced; seen++) {
		auto_buf struct buf b = { 0 };
		struct err e = { 0 };

		cr_assert_eq(io_read_file(dir_fd, "state", 5000, "it", &b, &e), 0, "%s", e.msg);
		cr_assert_eq(b.len, 5000);
		for (size_t i = 0; i < 5000; i++)
			cr_assert_eq(b.text[i], b.text[0]);
	}
	pthread_join(writer, NULL);
	cr_expect_gt(seen, 0);
}

Test(io, says_why_it_cannot_replace)
{
	struct err e = { 0 };
	char name[300];
	size_t fds = count_fds();

	memset(name, 'x', sizeof(name));
	name[250] = '\0';
	cr_expect_eq(io_replace_file(dir_fd, name, "x", 1, &e), 0, "%s", e.msg);
	name[250] = 'x', name[251] = '\0';
	cr_expect_eq(io_replace_file(dir_fd, name, "x", 1, &e), -ENAMETOOLONG);
	cr_expect_eq(strncmp(e.msg, "write xxxx", 10), 0);
	cr_expect_not_null(strstr(e.msg, "xxx: name too long"));

	cr_expect_eq(io_replace_file(dir_fd, "no/state", "x", 1, &e), -ENOENT);
	cr_expect_str_eq(e.msg, "create no/.state.new: no such file or directory");

	dir_file("dir/file", "");
	cr_expect_eq(io_replace_file(dir_fd, "dir", "x", 1, &e), -EISDIR);
	cr_expect_str_eq(e.msg, "rename .dir.new to dir: is a directory");
	cr_expect_not(dir_has(".dir.new"));
	cr_expect_lt(io_replace_file(dir_fd, "dir", "x", 1, NULL), 0);
	cr_expect_eq(count_fds(), fds);
}

Test(io, stages_under_no_name_of_another_file)
{
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };

	dir_file("dir/state.new", "another's");
	cr_assert_eq(io_replace_file(dir_fd, "dir/state", "new", 3, &e), 0, "%s", e.msg);
	cr_expect_eq(io_read_file(dir_fd, "dir/state.new", 100, "it", &b, &e), 0, "%s", e.msg);
	cr_expect_str_eq(b.text, "another's");
	cr_expect_eq(faccessat(AT_FDCWD, dir_at("dir/state"), R_OK, 0), 0);
	cr_assert_eq(io_replace_file(AT_FDCWD, dir_at("dir/state"), "newer", 5, &e), 0, "%s", e.msg);
	cr_expect_not(dir_has("dir/.state.new"));
}

Test(io, clears_what_crashes_left)
{
	size_t fds = count_fds();

	dir_file(".state.new", "half of it");
	dir_file(".more.json.new", "");
	dir_file("state.new", "another's");
	dir_file(".new", "another's");
	dir_file(".state", "another's");
	cr_expect_eq(io_clear_staged(dir_fd), 0);
	cr_expect_not(dir_has(".state.new"));
	cr_expect_not(dir_has(".more.json.new"));
	cr_expect(dir_has("state.new"));
	cr_expect(dir_has(".new"));
	cr_expect(dir_has(".state"));
	cr_assert_eq(mkdirat(dir_fd, ".dir.new", 0700), 0);
	cr_expect_eq(io_clear_staged(dir_fd), -EISDIR);
	cr_expect_eq(io_clear_staged(-1), -EBADF);
	cr_expect_eq(count_fds(), fds);
}

static void replaces_with_a_full_disk(void *arg UNUSED)
{
	struct rlimit limit = { 100, 100 };
	struct err e = { 0 };
	char bytes[200] = "";

	signal(SIGXFSZ, SIG_IGN);
	CHILD_ASSERT(setrlimit(RLIMIT_FSIZE, &limit) == 0, "errno %d", errno);
	CHILD_ASSERT(io_replace_file(dir_fd, "state", bytes, 200, &e) == -EFBIG, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "write .state.new: file too large");
}

Test(io, keeps_the_old_file_when_the_new_one_cannot_be_written)
{
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };

	dir_file("state", "old");
	expect_child(replaces_with_a_full_disk, NULL);
	cr_expect_eq(io_read_file(dir_fd, "state", 100, "it", &b, &e), 0, "%s", e.msg);
	cr_expect_str_eq(b.text, "old");
	cr_expect_not(dir_has(".state.new"));
}

/*
 * Values of kernel files
 */

Test(io, writes_values)
{
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };
	size_t fds = count_fds();

	dir_file("value", "");
	dir_file("other", "");
	cr_assert_eq(symlinkat("other", dir_fd, "link"), 0);
	cr_expect_eq(io_write_value(dir_fd, "value", "max 100"), 0);
	cr_expect_eq(io_read_file(dir_fd, "value", 100, "it", &b, &e), 0);
	cr_expect_str_eq(b.text, "max 100");
	cr_expect_eq(io_write_value(dir_fd, "value", ""), 0);
	cr_expect_eq(io_write_value(dir_fd, "missing", "1"), -ENOENT);
	cr_expect_not(dir_has("missing"));
	cr_expect_eq(io_write_value(dir_fd, "link", "1"), -ELOOP);
	cr_expect_eq(io_write_value(dir_fd, ".", "1"), -EISDIR);
	cr_expect_eq(io_write_value(AT_FDCWD, "/proc/self/oom_score_adj", "nonsense"), -EINVAL);
	cr_expect_eq(io_write_value(AT_FDCWD, "/proc/self/oom_score_adj", "1"), 0);
	cr_expect_eq(count_fds(), fds);
}

Test(io, reads_values)
{
	static const struct {
		const char *content, *value;
	} rows[] = {
		{ "", "" },           { "\n", "" },
		{ "\n\n", "\n" },     { "max", "max" },
		{ "max\n", "max" },   { "a\nb\n", "a\nb" },
		{ "max \n", "max " }, { "1234567\n", "1234567" },
	};
	size_t fds = count_fds();
	char value[9];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		dir_file("value", rows[i].content);
		memset(value, 'x', sizeof(value));
		cr_expect_eq(io_read_value(dir_fd, "value", value, sizeof(value)), 0);
		cr_expect_str_eq(value, rows[i].value);
	}
	cr_assert_eq(symlinkat("value", dir_fd, "link"), 0);
	cr_expect_eq(io_read_value(dir_fd, "link", value, sizeof(value)), -ELOOP);
	cr_expect_eq(io_read_value(dir_fd, "missing", value, sizeof(value)), -ENOENT);
	cr_expect_eq(io_read_value(dir_fd, ".", value, sizeof(value)), -EISDIR);
	cr_expect_eq(count_fds(), fds);
}

/* Half a number is another number. */
Test(io, does_not_cut_values)
{
	char value[8];

	dir_file("value", "12345678\n");
	cr_expect_lt(io_read_value(dir_fd, "value", value, sizeof(value)), 0, "it is \"%s\"",
		     value);
	dir_file("value", "1234567");
	cr_expect_eq(io_read_value(dir_fd, "value", value, sizeof(value)), 0);
	cr_expect_str_eq(value, "1234567");
}

/*
 * Directories
 */

Test(io, makes_directories)
{
	static const char *const paths[] = { "a",    "a/b/c", "a/b/c",    "a//b///d", "e/",
					     "f/g/", "h/.",   "a/../i/j", "link/k" };
	struct err e = { 0 };
	struct stat st;

	dir_file("target/", "");
	cr_assert_eq(symlinkat("target", dir_fd, "link"), 0);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		cr_expect_eq(io_mkdir_all(dir_at(paths[i]), 0711, &e), 0, "%s", e.msg);
		cr_assert_eq(fstatat(dir_fd, paths[i], &st, 0), 0, "%s", paths[i]);
		cr_expect_eq(st.st_mode, S_IFDIR | 0711, "%s has %o", paths[i], st.st_mode);
	}
	cr_expect(dir_has("target/k"));
	cr_assert_eq(fchdir(dir_fd), 0);
	cr_expect_eq(io_mkdir_all("relative/path", 0755, &e), 0, "%s", e.msg);
	cr_expect(dir_has("relative/path"));
	cr_expect_eq(io_mkdir_all("/", 0755, &e), 0, "%s", e.msg);
	cr_expect_eq(io_mkdir_all("///", 0755, &e), 0, "%s", e.msg);
}

Test(io, says_why_it_cannot_make_directories)
{
	struct err e = { 0 };
	char expected[256];

	dir_file("file", "");
	cr_expect_eq(io_mkdir_all(dir_at("file/a/b"), 0755, &e), -ENOTDIR);
	snprintf(expected, sizeof(expected), "make directory %s/file/a: not a directory", dir_path);
	cr_expect_str_eq(e.msg, expected);

	cr_assert_eq(symlinkat("missing", dir_fd, "dangling"), 0);
	cr_expect_eq(io_mkdir_all(dir_at("dangling/a"), 0755, &e), -ENOENT);
	snprintf(expected, sizeof(expected),
		 "make directory %s/dangling/a: no such file or directory", dir_path);
	cr_expect_str_eq(e.msg, expected);
}

/* Success means that there is a directory now. */
Test(io, takes_nothing_else_for_a_directory)
{
	struct err e = { 0 };
	char expected[256];

	dir_file("file", "");
	cr_expect_eq(io_mkdir_all(dir_at("file"), 0755, &e), -ENOTDIR);
	snprintf(expected, sizeof(expected), "make directory %s/file: not a directory", dir_path);
	cr_expect_str_eq(e.msg, expected);

	cr_assert_eq(symlinkat("missing", dir_fd, "dangling"), 0);
	cr_expect_eq(io_mkdir_all(dir_at("dangling"), 0755, &e), -ENOENT);
	cr_expect_lt(io_mkdir_all("", 0755, &e), 0);
}

Test(io, says_that_a_path_is_too_long)
{
	char path[5000];
	struct err e = { 0 };

	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	cr_expect_eq(io_mkdir_all(path, 0755, &e), -ENAMETOOLONG);
	cr_expect_not_null(strstr(e.msg, "file name too long"), "%s", e.msg);
}

Test(io, removes_trees)
{
	size_t fds = count_fds();

	dir_file("canary/file", "content");
	dir_file("tree/file", "");
	dir_file("tree/a/b/c/file", "");
	dir_file("tree/.hidden", "");
	dir_file("tree/..strange", "");
	cr_assert_eq(symlinkat("../canary", dir_fd, "tree/link"), 0);
	cr_assert_eq(symlinkat(dir_at("canary"), dir_fd, "tree/absolute"), 0);
	cr_assert_eq(symlinkat("../canary/file", dir_fd, "tree/a/link"), 0);
	cr_assert_eq(symlinkat("missing", dir_fd, "tree/a/dangling"), 0);
	cr_assert_eq(symlinkat(".", dir_fd, "tree/a/b/self"), 0);
	cr_assert_eq(symlinkat("..", dir_fd, "tree/a/b/up"), 0);
	cr_assert_eq(mkfifoat(dir_fd, "tree/fifo", 0000), 0);
	dir_file("tree/a/empty/", "");
	cr_assert_eq(linkat(dir_fd, "canary/file", dir_fd, "tree/hard", 0), 0);
	cr_expect_eq(io_remove_tree(dir_fd, "tree"), 0);
	cr_expect_not(dir_has("tree"));
	cr_expect(dir_has("canary/file"));
	cr_expect_eq(count_fds(), fds);
}

Test(io, removes_what_is_no_tree)
{
	dir_file("canary/file", "");
	dir_file("file", "");
	cr_assert_eq(symlinkat("canary", dir_fd, "link"), 0);
	cr_assert_eq(mkfifoat(dir_fd, "fifo", 0600), 0);
	cr_expect_eq(io_remove_tree(dir_fd, "file"), 0);
	cr_expect_not(dir_has("file"));
	cr_expect_eq(io_remove_tree(dir_fd, "link"), 0);
	cr_expect_not(dir_has("link"));
	cr_expect_eq(io_remove_tree(dir_fd, "fifo"), 0);
	cr_expect_not(dir_has("fifo"));
	cr_expect_eq(io_remove_tree(dir_fd, "missing"), 0);
	cr_expect_eq(io_remove_tree(dir_fd, "missing/too"), 0);
	cr_expect_eq(io_remove_tree(dir_fd, "canary/file/too"), -ENOTDIR);
	cr_expect(dir_has("canary/file"));
}

Test(io, removes_many)
{
	for (int i = 0; i < 1000; i++) {
		char name[64];

		snprintf(name, sizeof(name), "tree/%d", i);
		dir_file(name, "");
	}
	cr_expect_eq(io_remove_tree(dir_fd, "tree"), 0);
	cr_expect_not(dir_has("tree"));
}

/* The milliseconds of CPU that it takes to remove so many directories, so deep down. */
static double cost_of_removing(int n, int depth)
{
	int at = dup(dir_fd), next;
	struct rusage before, after;
	char name[32];

	for (int i = 0; i <= depth; i++) {
		cr_assert_eq(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cr_assert_geq(next, 0);
		close(at);
		at = next;
	}
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%d", i);
		cr_assert_eq(mkdirat(at, name, 0755), 0);
		snprintf(name, sizeof(name), "%d/x", i);
		if (i % 4 == 1)
			cr_assert_eq(mkdirat(at, name, 0755), 0);
	}
	close(at);
	getrusage(RUSAGE_SELF, &before);
	cr_expect_eq(io_remove_tree(dir_fd, "d"), 0);
	getrusage(RUSAGE_SELF, &after);
	cr_expect_not(dir_has("d"));
	return (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1e3 +
	       (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e3 +
	       (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1e3 +
	       (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e3;
}

/* Time grows with what there is, not with its square. */
static void expect_linear(int depth)
{
	double few = cost_of_removing(200, depth), many = cost_of_removing(1600, depth);

	cr_expect(many < 20 * few + 50, "%.0f ms and %.0f ms", few, many);
}

Test(io, removes_wide_trees)
{
	expect_linear(0);
}

Test(io, removes_deep_and_wide_trees)
{
	expect_linear(40);
}

/* A tree as deep as only an adversary makes it must go too, with the descriptors that there are. */
Test(io, removes_deep_trees)
{
	int at = dup(dir_fd), r;
	struct rlimit few = { 256, 256 };

	for (int i = 0; i < 400; i++) {
		int next;

		cr_assert_eq(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cr_assert_geq(next, 0);
		close(at);
		at = next;
	}
	close(at);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = io_remove_tree(dir_fd, "d");
	cr_expect_eq(r, 0, "%d: %s", r, err_text(-r));
	cr_expect_not(dir_has("d"));
}

static void crosses_no_mount(void *arg UNUSED)
{
	int r;
	auto_fd int tmp = -1;

	private_mounts();
	tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHILD_ASSERT(mkdir("tree", 0755) == 0 && mkdir("tree/mount", 0755) == 0, "errno %d", errno);
	CHILD_ASSERT(mkdir("canary", 0755) == 0 && mkdir("canary/dir", 0755) == 0, "errno %d",
		     errno);
	CHILD_ASSERT(mount("canary", "tree/mount", NULL, MS_BIND, NULL) == 0, "errno %d", errno);
	r = io_remove_tree(tmp, "tree");
	CHILD_ASSERT(r < 0, "removed");
	CHILD_ASSERT(access("canary/dir", F_OK) == 0, "crossed the mount (%d)", r);

	CHILD_ASSERT(umount("tree/mount") == 0, "errno %d", errno);
	CHILD_ASSERT(mount("tmpfs", "tree/mount", "tmpfs", 0, NULL) == 0, "errno %d", errno);
	CHILD_ASSERT(mkdir("tree/mount/dir", 0755) == 0, "errno %d", errno);
	r = io_remove_tree(tmp, "tree");
	CHILD_ASSERT(r < 0, "removed");
	CHILD_ASSERT(access("tree/mount/dir", F_OK) == 0, "crossed the mount (%d)", r);

	/* the tree itself is one */
	r = io_remove_tree(tmp, "tree/mount");
	CHILD_ASSERT(r < 0, "removed");
	CHILD_ASSERT(access("tree/mount/dir", F_OK) == 0, "crossed the mount (%d)", r);

	CHILD_ASSERT(umount("tree/mount") == 0, "errno %d", errno);
	r = io_remove_tree(tmp, "tree");
	CHILD_ASSERT(r == 0, "%d", r);
	CHILD_ASSERT(access("tree", F_OK) < 0, "still there");
}

Test(io, removing_crosses_no_mount)
{
	need_root();
	expect_child(crosses_no_mount, NULL);
}

/* In a directory that everybody may write to, but only owners may remove from. */
static void removes_what_is_not_ours(void *arg UNUSED)
{
	int r;

	become_user(65534);
	r = io_remove_tree(dir_fd, "file");
	CHILD_ASSERT(r == -EPERM, "%d: %s", r, err_text(-r));
	r = io_remove_tree(dir_fd, "dir");
	CHILD_ASSERT(r == -EPERM || r == -EACCES, "%d: %s", r, err_text(-r));
}

Test(io, says_why_it_cannot_remove)
{
	need_root();
	dir_file("file", "");
	dir_file("dir/file", "");
	cr_assert_eq(fchmod(dir_fd, 01777), 0);
	expect_child(removes_what_is_not_ours, NULL);
	cr_expect(dir_has("file") && dir_has("dir/file"));
}

static atomic_bool stop;
static atomic_int raced;

/* Swaps a directory of the tree with a link to the canary. */
static void *swap(void *arg UNUSED)
{
	while (!stop) {
		if (renameat2(dir_fd, "tree/d", dir_fd, "link", RENAME_EXCHANGE) == 0)
			raced++;
		usleep(5);
	}
	return NULL;
}

Test(io, removing_follows_no_link_that_appears)
{
	pthread_t racer;
	int64_t end = io_now_us() + 200000;

	dir_file("canary/file", "");
	dir_file("canary/sub/file", "");
	pthread_create(&racer, NULL, swap, NULL);
	while (io_now_us() < end) {
		(void)!mkdirat(dir_fd, "tree", 0755);
		(void)!mkdirat(dir_fd, "tree/d", 0755);
		(void)!mkdirat(dir_fd, "tree/d/x", 0755);
		(void)!symlinkat(dir_at("canary"), dir_fd, "link");
		(void)!io_remove_tree(dir_fd, "tree");
		cr_assert(dir_has("canary/file") && dir_has("canary/sub/file"));
		(void)!io_remove_tree(dir_fd, "link");
	}
	stop = true;
	pthread_join(racer, NULL);
	cr_expect_gt(raced, 0);
}

/*
 * Descriptors over sockets
 */

struct pair {
	int a, b;
};

static struct pair make_pair(int type)
{
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
	return (struct pair){ ends[0], ends[1] };
}

static bool is_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

Test(io, passes_descriptors)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	size_t before = count_fds();

	for (size_t t = 0; t < ARRAY_LEN(types); t++) {
		struct pair p = make_pair(types[t]);
		int files[IO_FDS_MAX];

		for (size_t i = 0; i < IO_FDS_MAX; i++) {
			char name[16];

			snprintf(name, sizeof(name), "file%zu", i);
			files[i] = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		}
		for (size_t n = 0; n <= IO_FDS_MAX; n++) {
			int got[IO_FDS_MAX + 2] = { 0 };
			char bytes[10] = "";

			cr_assert_eq(io_send_fds(p.a, "hello", 5, files, n), 0);
			cr_assert_eq(io_recv_fds(p.b, bytes, sizeof(bytes), got, ARRAY_LEN(got)),
				     5);
			cr_expect_str_eq(bytes, "hello");
			for (size_t i = 0; i < n; i++) {
				cr_expect(is_same(got[i], files[i]));
				cr_expect_neq(got[i], files[i]);
				cr_expect(is_cloexec(got[i]));
				close(got[i]);
			}
			for (size_t i = n; i < ARRAY_LEN(got); i++)
				cr_expect_eq(got[i], -1);
		}
		for (size_t i = 0; i < IO_FDS_MAX; i++)
			close(files[i]);
		close(p.a);
		close(p.b);
	}
	cr_expect_eq(count_fds(), before);
}

Test(io, refuses_to_send_too_many_descriptors)
{
	struct pair p = make_pair(SOCK_STREAM);
	int fds[IO_FDS_MAX + 1] = { 0 };

	cr_expect_eq(io_send_fds(p.a, "x", 1, fds, ARRAY_LEN(fds)), -EINVAL);
}

/* Descriptors that nobody asked for are not kept, whoever sent them. */
Test(io, closes_surplus_descriptors)
{
	struct pair p = make_pair(SOCK_STREAM);
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(100 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (char[]){ "x" }, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	size_t before = count_fds();
	int fds[3] = { dir_fd, dir_fd, dir_fd }, got[IO_FDS_MAX];
	char byte;

	for (size_t n = 0; n <= 2; n++) {
		cr_assert_eq(io_send_fds(p.a, "x", 1, fds, 3), 0);
		cr_assert_eq(io_recv_fds(p.b, &byte, 1, got, n), 1);
		cr_expect_eq(count_fds(), before + n);
		for (size_t i = 0; i < n; i++)
			close(got[i]);
	}
	cr_assert_eq(io_send_fds(p.a, "x", 1, fds, 3), 0);
	cr_assert_eq(io_recv_fds(p.b, &byte, 1, NULL, 0), 1);
	cr_expect_eq(count_fds(), before);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(100 * sizeof(int));
	for (size_t i = 0; i < 100; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &dir_fd, sizeof(int));
	cr_assert_eq(sendmsg(p.a, &msg, 0), 1);
	cr_assert_eq(io_recv_fds(p.b, &byte, 1, got, 2), 1);
	cr_expect_eq(count_fds(), before + 2);
}

Test(io, receives_the_end)
{
	struct pair p = make_pair(SOCK_STREAM);
	int got[2] = { 5, 5 };
	char byte;

	close(p.a);
	cr_expect_eq(io_recv_fds(p.b, &byte, 1, got, 2), 0);
	cr_expect(got[0] == -1 && got[1] == -1);
	got[0] = 5;
	cr_expect_eq(io_recv_fds(-1, &byte, 1, got, 2), -EBADF);
	cr_expect_eq(got[0], -1);
	cr_expect_eq(io_recv_fds(dir_fd, &byte, 1, got, 2), -ENOTSOCK);
}

/* No SIGPIPE, which would kill the test. */
Test(io, says_that_nobody_receives)
{
	struct pair p = make_pair(SOCK_STREAM);

	signal(SIGPIPE, SIG_DFL);
	close(p.b);
	cr_expect_eq(io_send_fds(p.a, "x", 1, &dir_fd, 1), -EPIPE);
	cr_expect_eq(io_send_fds(-1, "x", 1, NULL, 0), -EBADF);
	cr_expect_eq(io_send_fds(dir_fd, "x", 1, NULL, 0), -ENOTSOCK);
}

static void *send_later(void *sock)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	usleep(20000);
	(void)!io_send_fds(*(int *)sock, "x", 1, &dir_fd, 1);
	return NULL;
}

Test(io, waits_for_descriptors_through_signals)
{
	struct pair p = make_pair(SOCK_STREAM);
	int got = -1;
	pthread_t sender;
	char byte;

	pthread_create(&sender, NULL, send_later, &p.a);
	interrupt_everything();
	cr_expect_eq(io_recv_fds(p.b, &byte, 1, &got, 1), 1);
	cr_expect(is_same(got, dir_fd));
	pthread_join(sender, NULL);
}

Test(io, seals_files_in_memory)
{
	static const char text[] = "rules";
	struct err e = { 0 };
	auto_fd int fd = io_sealed_file("rules", text, strlen(text), &e);
	auto_fd int empty = io_sealed_file("nothing", NULL, 0, &e);
	char back[16] = "";

	cr_assert_geq(fd, 0, "%s", e.msg);
	cr_expect_eq(read(fd, back, sizeof(back)), 5);
	cr_expect_str_eq(back, text);
	cr_expect(write(fd, "x", 1) < 0 && errno == EPERM);
	cr_expect(ftruncate(fd, 0) < 0 && errno == EPERM);
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_assert_geq(empty, 0, "%s", e.msg);
	cr_expect_eq(read(empty, back, sizeof(back)), 0);
}

Test(io, names_descriptors)
{
	char target[100] = "";

	cr_expect_str_eq(io_fd_path(0).text, "/proc/self/fd/0");
	cr_expect_str_eq(io_fd_path(INT32_MAX).text, "/proc/self/fd/2147483647");
	cr_assert_gt(readlink(io_fd_path(dir_fd).text, target, sizeof(target) - 1), 0);
	cr_expect_str_eq(target, dir_path);
}

Test(io, tells_a_time_that_goes_on)
{
	int64_t start = io_now_us(), end;

	usleep(2000);
	end = io_now_us();
	cr_expect_geq(end - start, 2000);
	cr_expect_lt(end - start, 2000000);
}

static atomic_bool renaming;

static void *rename_on_and_on(void *ctx UNUSED)
{
	while (atomic_load(&renaming))
		renameat2(dir_fd, "one", dir_fd, "two", RENAME_EXCHANGE);
	return NULL;
}

/* The kernel answers EAGAIN to ".." beneath a root while anybody renames anything. */
Test(io, openat2_is_not_given_up_for_a_rename_elsewhere)
{
	pthread_t thread;

	cr_assert_eq(mkdirat(dir_fd, "one", 0700), 0);
	cr_assert_eq(mkdirat(dir_fd, "two", 0700), 0);
	cr_assert_eq(mkdirat(dir_fd, "in", 0700), 0);
	atomic_store(&renaming, true);
	cr_assert_eq(pthread_create(&thread, NULL, rename_on_and_on, NULL), 0);
	for (int i = 0; i < 20000; i++) {
		int fd = sys_openat2(dir_fd, "in/../in/../in", O_PATH | O_CLOEXEC, 0,
				     RESOLVE_BENEATH);

		cr_assert_geq(fd, 0, "round %d: %s", i, strerror(errno));
		close(fd);
	}
	atomic_store(&renaming, false);
	pthread_join(thread, NULL);
}
