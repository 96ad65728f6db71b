/*
 * fsexercise.c - does to a file what a seed says, and checks each byte against memory; and what
 * else shell programs do not do to a file system.
 *
 *	fsexercise random FILE SEED STEPS	reads, writes, truncations, mappings, holes,
 *						appends, closing and opening, copies
 *	fsexercise lock FILE			flock and fcntl locks between two processes
 *	fsexercise tmpfile DIRECTORY		a file without a name gets one
 *	fsexercise exchange A B			renames both at once
 *	fsexercise unlinked FILE		goes on with a file that has no name any more
 *
 * Says what went wrong, and ends with 1, or says nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 300000, SPAN = 70000 };

static const char *path;
static int step;
static unsigned char model[MOST], buffer[MOST];
static size_t length;
static int fd;

static void fail(const char *what)
{
	fprintf(stderr, "fsexercise: %s: step %d: %s (%s)\n", path, step, what, strerror(errno));
	exit(1);
}

static void need(bool truth, const char *what)
{
	if (!truth)
		fail(what);
}

static void reopen(int flags)
{
	if (fd > 0)
		close(fd);
	fd = open(path, flags | O_CLOEXEC, 0644);
	need(fd > 0, "open");
}

static void compare(size_t at, size_t n, const unsigned char *got)
{
	for (size_t i = 0; i < n; i++)
		if (got[i] != model[at + i]) {
			fprintf(stderr, "fsexercise: %s: step %d: byte %zu is %u instead of %u\n",
				path, step, at + i, got[i], model[at + i]);
			exit(1);
		}
}

static void do_read(size_t at, size_t n)
{
	ssize_t want = at >= length ? 0 : (ssize_t)(n < length - at ? n : length - at);

	need(pread(fd, buffer, n, (off_t)at) == want, "read");
	compare(at, (size_t)want, buffer);
}

static void do_write(size_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buffer[i] = (unsigned char)rand();
	need(pwrite(fd, buffer, n, (off_t)at) == (ssize_t)n, "write");
	if (at > length)
		memset(model + length, 0, at - length);
	memcpy(model + at, buffer, n);
	length = at + n > length ? at + n : length;
}

static void do_append(size_t n)
{
	if (length + n > MOST)
		return;
	reopen(O_RDWR | O_APPEND);
	for (size_t i = 0; i < n; i++)
		buffer[i] = model[length + i] = (unsigned char)rand();
	need(write(fd, buffer, n) == (ssize_t)n, "append");
	length += n;
	reopen(O_RDWR);
}

static void do_truncate(size_t at)
{
	need((rand() & 1 ? ftruncate(fd, (off_t)at) : truncate(path, (off_t)at)) == 0, "truncate");
	if (at > length)
		memset(model + length, 0, at - length);
	length = at;
}

static void do_map(size_t at, size_t n, bool write)
{
	size_t page = at & ~(size_t)4095;
	unsigned char *map;

	if (at >= length)
		return;
	n = n < length - at ? n : length - at;
	map = mmap(NULL, at - page + n, PROT_READ | (write ? PROT_WRITE : 0), MAP_SHARED, fd,
		   (off_t)page);
	need(map != MAP_FAILED, "mmap");
	compare(at, n, map + (at - page));
	if (write)
		for (size_t i = 0; i < n; i++)
			map[at - page + i] = model[at + i] = (unsigned char)rand();
	need(munmap(map, at - page + n) == 0, "munmap");
}

static void do_punch(size_t at, size_t n)
{
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)n) < 0) {
		need(errno == EOPNOTSUPP, "punch");
		return;
	}
	if (at < length)
		memset(model + at, 0, n < length - at ? n : length - at);
}

static void do_copy(size_t from, size_t to, size_t n)
{
	loff_t at_from = (loff_t)from, at_to = (loff_t)to;
	ssize_t got;

	if (from >= length || (from < to + n && to < from + n))
		return;
	n = n < length - from ? n : length - from;
	got = copy_file_range(fd, &at_from, fd, &at_to, n, 0);
	need(got > 0, "copy_file_range");
	if (to > length)
		memset(model + length, 0, to - length);
	memcpy(model + to, model + from, (size_t)got);
	length = to + (size_t)got > length ? to + (size_t)got : length;
}

static void do_random(unsigned seed, int steps)
{
	struct stat st;

	srand(seed);
	reopen(O_RDWR | O_CREAT | O_TRUNC);
	for (step = 1; step <= steps; step++) {
		size_t n = 1 + (size_t)rand() % SPAN, at = (size_t)rand() % (MOST - SPAN);

		switch (rand() % 12) {
		case 0:
		case 1:
		case 2:
			do_read(at, n);
			break;
		case 3:
		case 4:
			do_write(at, n);
			break;
		case 5:
			do_append(n / 16);
			break;
		case 6:
			do_truncate(at);
			break;
		case 7:
			do_map(at, n, false);
			break;
		case 8:
			do_map(at, n, true);
			break;
		case 9:
			do_punch(at, n);
			break;
		case 10:
			do_copy(at, (size_t)rand() % (MOST - SPAN), n);
			break;
		case 11:
			if (rand() & 1)
				need(fsync(fd) == 0, "fsync");
			reopen(O_RDWR);
		}
		need(fstat(fd, &st) == 0 && (size_t)st.st_size == length, "size");
	}
	do_read(0, MOST);
}

static int in_child(short type, bool whole)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = 5, .l_len = 1 };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int own = open(path, O_RDWR | O_CLOEXEC);

		_exit((whole ? flock(own, LOCK_EX | LOCK_NB) : fcntl(own, F_SETLK, &lock)) == 0
			      ? 0
			      : errno);
	}
	need(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "wait");
	return WEXITSTATUS(status);
}

static void do_lock(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10 };
	int ends[2];
	char byte;
	pid_t pid;

	reopen(O_RDWR | O_CREAT);
	need(fcntl(fd, F_SETLK, &lock) == 0, "fcntl lock");
	need(in_child(F_WRLCK, false) == EAGAIN, "another process locks the same");
	lock.l_type = F_UNLCK;
	need(fcntl(fd, F_SETLK, &lock) == 0, "unlock");
	need(in_child(F_WRLCK, false) == 0, "another process does not get what is free");
	need(flock(fd, LOCK_SH) == 0, "flock");
	need(in_child(0, true) == EAGAIN, "another process has a second exclusive flock");
	need(flock(fd, LOCK_UN) == 0 && in_child(0, true) == 0, "flock after unlocking");

	/* One waits for the other. */
	lock.l_type = F_WRLCK;
	need(fcntl(fd, F_SETLK, &lock) == 0 && pipe(ends) == 0, "lock again");
	pid = fork();
	if (pid == 0) {
		int own = open(path, O_RDWR | O_CLOEXEC);

		if (write(ends[1], "x", 1) != 1)
			_exit(1);
		_exit(fcntl(own, F_SETLKW, &lock) == 0 ? 0 : 1);
	}
	need(read(ends[0], &byte, 1) == 1, "pipe");
	usleep(50000);
	need(waitpid(pid, &step, WNOHANG) == 0, "the other did not wait");
	lock.l_type = F_UNLCK;
	need(fcntl(fd, F_SETLK, &lock) == 0, "unlock");
	need(waitpid(pid, &step, 0) == pid && step == 0, "the other did not get the lock");
}

static void do_tmpfile(void)
{
	char link[64], name[4096];

	fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0640);
	need(fd >= 0 && write(fd, "tmp", 3) == 3, "O_TMPFILE");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	snprintf(name, sizeof(name), "%s/named", path);
	need(linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0, "link");
}

static void do_unlinked(void)
{
	struct stat st;

	reopen(O_RDWR | O_CREAT);
	need(write(fd, "gone", 4) == 4 && unlink(path) == 0, "unlink");
	need(fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_size == 4, "stat without a name");
	need(pread(fd, buffer, 10, 0) == 4 && memcmp(buffer, "gone", 4) == 0,
	     "read without a name");
	need(ftruncate(fd, 1) == 0 && fchmod(fd, 0600) == 0 && fsync(fd) == 0,
	     "change without a name");
}

int main(int argc, char **argv)
{
	path = argc > 2 ? argv[2] : "";
	if (argc == 5 && strcmp(argv[1], "random") == 0)
		do_random((unsigned)atoi(argv[3]), atoi(argv[4]));
	else if (argc == 3 && strcmp(argv[1], "lock") == 0)
		do_lock();
	else if (argc == 3 && strcmp(argv[1], "tmpfile") == 0)
		do_tmpfile();
	else if (argc == 3 && strcmp(argv[1], "unlinked") == 0)
		do_unlinked();
	else if (argc == 4 && strcmp(argv[1], "exchange") == 0)
		need(renameat2(AT_FDCWD, path, AT_FDCWD, argv[3], RENAME_EXCHANGE) == 0,
		     "exchange");
	else
		return fprintf(stderr, "usage: fsexercise WHAT FILE...\n"), 2;
	return 0;
}
