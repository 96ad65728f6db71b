/*
 * hull-record - notes which system calls are made (`hull profile record`).
 *
 * The agent of seccomp filters that ask (runtime/listener.h): each process that a container begins
 * with sends its filter's descriptor to descriptor 3, a listening socket. Every call that a filter
 * asks about is noted, by its number alone, and goes on as if nobody had been asked; nothing of a
 * process' memory is looked at. When descriptor 4 comes to its end, the names go to descriptor 5,
 * one on each line, and this ends.
 *
 * It shuts itself in first: no capability, no new privileges, few system calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/powers.h"

enum {
	LISTENER_FD = 3,
	UNTIL_FD = 4,
	NAMES_FD = 5,
	FILTERS_MAX = 256, /* at a time: one for a container, and one for each `exec` in it */
	CALLS_MAX = 2048,  /* different ones: no kernel has so many */
	STATE_MAX = 64 * 1024,
	BRINGS_MS = 10 * 1000,
};

struct call {
	uint32_t arch;
	int number;
};

struct recorder {
	struct pollfd fds[2 + FILTERS_MAX];
	nfds_t n;
	struct call calls[CALLS_MAX];
	size_t calls_n;
	struct seccomp_notif *asked;
	struct seccomp_notif_resp *answer;
};

static const int allowed[] = {
	SCMP_SYS(accept4),
	SCMP_SYS(brk),
	SCMP_SYS(close),
	SCMP_SYS(exit_group),
	SCMP_SYS(ioctl),
	SCMP_SYS(mmap),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(futex),
	SCMP_SYS(write),
	/* of abort(3), which says what is wrong */
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(tgkill),
	SCMP_SYS(rt_sigaction),
};

/* Whoever waits for the names finds none and says so. */
static _Noreturn void give_up(void)
{
	_exit(1);
}

/* A sanitizer makes calls of its own. */
#ifdef __SANITIZE_ADDRESS__
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

static void filter_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(allowed); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	if (r == 0)
		r = seccomp_load(ctx);
	if (r < 0)
		give_up();
	seccomp_release(ctx);
}

static void note(struct recorder *r, uint32_t arch, int number)
{
	for (size_t i = 0; i < r->calls_n; i++)
		if (r->calls[i].number == number && r->calls[i].arch == arch)
			return;
	if (r->calls_n == CALLS_MAX)
		give_up();
	r->calls[r->calls_n++] = (struct call){ arch, number };
}

/* What is no longer waited for (the process was killed) is none of our failures. */
static void answer(struct recorder *r, int fd)
{
	memset(r->asked, 0, sizeof(*r->asked)); /* the kernel insists */
	if (seccomp_notify_receive(fd, r->asked) < 0)
		return;
	note(r, r->asked->data.arch, r->asked->data.nr);
	*r->answer = (struct seccomp_notif_resp){
		.id = r->asked->id,
		.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
	};
	(void)seccomp_notify_respond(fd, r->answer);
}

/*
 * A connection brings a state, which is nothing to us, and the descriptor of a filter. Without that
 * we give up, rather than make a profile that lacks something.
 */
static void take_filter(struct recorder *r)
{
	static char state[STATE_MAX];
	auto_fd int sock = accept4(LISTENER_FD, NULL, NULL, SOCK_CLOEXEC);
	struct pollfd said = { sock, POLLIN, 0 };
	int fd = -1;

	if (sock < 0 && (errno == ECONNABORTED || errno == EINTR))
		return;
	/* Who connects has what it brings in its hand. */
	if (sock < 0 || poll(&said, 1, BRINGS_MS) <= 0 ||
	    io_recv_fds(sock, state, sizeof(state), &fd, 1) < 0 || fd < 0)
		give_up();
	if (r->n == ARRAY_LEN(r->fds))
		give_up();
	r->fds[r->n++] = (struct pollfd){ fd, POLLIN, 0 };
}

/* Until nobody waits for more: *ret false. */
static bool attend(struct recorder *r)
{
	nfds_t i = 2;

	if (poll(r->fds, r->n, -1) < 0)
		return errno == EINTR;
	while (i < r->n) {
		if (r->fds[i].revents & POLLIN)
			answer(r, r->fds[i].fd);
		if (r->fds[i].revents & (POLLHUP | POLLERR | POLLNVAL)) {
			close(r->fds[i].fd);
			r->fds[i] = r->fds[--r->n];
			continue;
		}
		i++;
	}
	if (r->fds[0].revents & POLLIN)
		take_filter(r);
	return !r->fds[1].revents;
}

static void say_names(const struct recorder *r)
{
	auto_buf struct buf names = { 0 };

	for (size_t i = 0; i < r->calls_n; i++) {
		char *name = seccomp_syscall_resolve_num_arch(r->calls[i].arch, r->calls[i].number);

		if (name)
			buf_printf(&names, "%s\n", name);
		else
			buf_printf(&names, "?%d\n", r->calls[i].number);
		free(name);
	}
	/* A last line tells it from a part. */
	buf_str(&names, ".\n");
	if (io_write_all(NAMES_FD, names.text, names.len) < 0)
		give_up();
}

int main(void)
{
	static struct recorder r;
	struct err e = { 0 };

	r.fds[r.n++] = (struct pollfd){ LISTENER_FD, POLLIN, 0 };
	r.fds[r.n++] = (struct pollfd){ UNTIL_FD, POLLIN, 0 };
	if (seccomp_notify_alloc(&r.asked, &r.answer) < 0)
		give_up();
	if (powers_give_up(&e) < 0)
		give_up();
	if (!sanitized)
		filter_calls();
	while (attend(&r))
		;
	say_names(&r);
	_exit(0);
}
