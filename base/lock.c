#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/sys.h"

struct lock {
	int fd;
	bool whole;  /* flock(2), else of the byte `at` */
	bool shared; /* flock(2) alone */
	int64_t at;
};

/* 0, or a negative errno: -EAGAIN if it is somebody else's and is not to be waited for. */
static int take(const struct lock *l, bool wait)
{
	struct flock byte = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = l->at, .l_len = 1
	};
	int how = (l->shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB), r;

	do
		r = l->whole ? flock(l->fd, how)
			     : fcntl(l->fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &byte);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno; /* fcntl(2): either is said */
}

/* In the new process, whose descriptor is of the same description as ours. */
_Noreturn static void wait_in_our_place(const struct lock *l, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		_exit(ESRCH);
	_exit(-take(l, true));
}

/* 0: it has ended; -ETIMEDOUT. */
static int wait_for_end(int pidfd, unsigned seconds)
{
	int64_t end = io_now_us() / 1000 + (int64_t)seconds * 1000;
	struct pollfd fd = { .fd = pidfd, .events = POLLIN };

	for (;;) {
		int64_t left = end - io_now_us() / 1000;
		int r = poll(&fd, 1, left > 0 ? (int)left : 0);

		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (left <= 0)
			return -ETIMEDOUT;
	}
}

/* Where no process can be made for it. */
static int look_again(const struct lock *l, unsigned seconds)
{
	const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
	int64_t end = io_now_us() + (int64_t)seconds * 1000000;
	int r;

	while ((r = take(l, false)) == -EAGAIN && io_now_us() < end)
		nanosleep(&pause, NULL);
	return r == -EAGAIN ? -ETIMEDOUT : r;
}

static int wait_for(const struct lock *l, unsigned seconds)
{
	/* No signal at its end: it is nobody's child but ours, and waited for as such (__WCLONE). */
	int fd = -1, status = 0, r;
	struct clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&fd };
	pid_t parent = getpid(), pid;
	auto_fd int pidfd = -1;
	sigset_t all, old;

	/* What the terminal sends to all of us is ours to handle, and not for it. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = sys_clone3(&args);
	if (pid == 0)
		wait_in_our_place(l, parent);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return look_again(l, seconds);
	pidfd = fd;
	r = wait_for_end(pidfd, seconds);
	if (r < 0)
		pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	while (waitpid(pid, &status, __WCLONE) < 0 && errno == EINTR)
		;
	if (r < 0)
		return r;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int lock(const struct lock *l, unsigned seconds)
{
	int r = take(l, false);

	if (r != -EAGAIN)
		return r;
	return seconds ? wait_for(l, seconds) : -ETIMEDOUT;
}

int lock_file(int fd, unsigned seconds)
{
	return lock(&(struct lock){ .fd = fd, .whole = true }, seconds);
}

int lock_wait(int fd, bool shared, const char *what, struct err *e)
{
	int r = lock(&(struct lock){ .fd = fd, .whole = true, .shared = shared }, LOCK_USUAL_S);

	if (r == -ETIMEDOUT)
		return err_set(e, ETIMEDOUT, "%s: another command has held its lock for %d seconds",
			       what, LOCK_USUAL_S);
	return r < 0 ? err_neg(e, r, "lock %s", what) : 0;
}

int lock_byte(int fd, int64_t at, unsigned seconds)
{
	return lock(&(struct lock){ .fd = fd, .at = at }, seconds);
}
