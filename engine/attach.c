#include "engine/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/io.h"
#include "base/util.h"

#define SOCKET_NAME "attach.sock"

enum { DETACH_FIRST = 'p' & 0x1f, DETACH_SECOND = 'q' & 0x1f };

/* Socket names are short, and paths of containers are not: by way of the descriptor. */
static struct sockaddr_un address(int dir)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/" SOCKET_NAME, io_fd_path(dir).text);
	return a;
}

int attach_listen(int dir, bool terminal, struct attach_server *ret, struct err *e)
{
	auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un a = address(dir);

	if (fd < 0)
		return err_sys(e, "make the socket for attach");
	unlinkat(dir, SOCKET_NAME, 0);
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, ATTACH_MAX) < 0)
		return err_sys(e, "listen for attach");
	*ret = (struct attach_server){ .listener = take_fd(&fd), .terminal = terminal };
	return 0;
}

int attach_listener(const struct attach_server *s)
{
	return s->n < ATTACH_MAX ? s->listener : -1;
}

int attach_fill(const struct attach_server *s, struct pollfd *fds)
{
	const bool hears = s->from == s->end;

	for (size_t i = 0; i < s->n; i++)
		fds[i] = (struct pollfd){ s->guests[i], hears ? POLLIN : 0, 0 };
	return (int)s->n;
}

struct pollfd attach_input(const struct attach_server *s, int in, int master)
{
	return (struct pollfd){ s->from == s->end ? -1 : s->terminal ? master : in, POLLOUT, 0 };
}

/* What its program does not read any more is lost, as in a terminal. */
void attach_push(struct attach_server *s, int *in, int master)
{
	const int to = s->terminal ? master : *in;

	while (s->from < s->end) {
		ssize_t n = to < 0 ? -1 : write(to, s->waiting + s->from, s->end - s->from);

		if (n >= 0) {
			s->from += (size_t)n;
		} else if (to < 0 || (errno != EINTR && errno != EAGAIN)) {
			s->from = s->end;
			if (!s->terminal)
				close_fd(in);
		} else if (errno == EAGAIN) {
			return;
		}
	}
	s->from = s->end = 0;
}

static void send_packet(int fd, char what, const void *bytes, size_t len)
{
	struct iovec parts[2] = { { &what, 1 }, { (void *)bytes, len } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	/* A guest that does not read must not stop the container. */
	if (sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

void attach_send(struct attach_server *s, char stream, const void *bytes, size_t len)
{
	for (size_t i = 0; i < s->n; i++)
		send_packet(s->guests[i], stream, bytes, len);
}

void attach_ended(struct attach_server *s, int status)
{
	const char code = (char)status;

	for (size_t i = 0; i < s->n; i++)
		send_packet(s->guests[i], ATTACH_EXIT, &code, 1);
	while (s->n)
		close(s->guests[--s->n]);
	s->from = s->end = 0;
}

void attach_close(struct attach_server *s, int dir)
{
	while (s->n)
		close(s->guests[--s->n]);
	close_fd(&s->listener);
	unlinkat(dir, SOCKET_NAME, 0);
}

static void take_newcomer(struct attach_server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		s->guests[s->n++] = fd;
}

static void take_input(struct attach_server *s, const char *bytes, size_t len, int *in, int master)
{
	if (len == 0 && !s->terminal) {
		close_fd(in);
		return;
	}
	memcpy(s->waiting, bytes, len);
	s->from = 0;
	s->end = len;
	attach_push(s, in, master);
}

/* One packet of a guest; false: it has gone. */
static bool take_packet(struct attach_server *s, int fd, int *in, int master)
{
	char packet[ATTACH_PACKET];
	ssize_t n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
	struct winsize size;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	if (packet[0] == ATTACH_STDIN) {
		take_input(s, packet + 1, (size_t)n - 1, in, master);
	} else if (packet[0] == ATTACH_WINDOW && (size_t)n == 1 + sizeof(size) && master >= 0) {
		memcpy(&size, packet + 1, sizeof(size));
		ioctl(master, TIOCSWINSZ, &size);
	}
	return true;
}

void attach_attend(struct attach_server *s, short newcomers, const struct pollfd *fds, int n,
		   int *in, int master)
{
	for (int i = n; i-- > 0;) {
		/* One has filled it up: the others are heard when it is empty; who leaves, leaves. */
		bool waits = s->from < s->end;
		bool gone = waits && (fds[i].revents & (POLLHUP | POLLERR));

		if (!gone && (waits || !fds[i].revents || take_packet(s, s->guests[i], in, master)))
			continue;
		close(s->guests[i]);
		s->guests[i] = s->guests[--s->n];
	}
	if (newcomers)
		take_newcomer(s);
}

/* The guest's side. */

int attach_connect(int dir, struct err *e)
{
	auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = address(dir);

	if (fd < 0)
		return err_sys(e, "make the socket for attach");
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return err_set(e, ENOTCONN, "attach: the container does not run detached");
		return err_sys(e, "attach to the container");
	}
	return take_fd(&fd);
}

struct guest {
	int fd;
	bool terminal, input;
	char last; /* typed, for Ctrl-P Ctrl-Q */
	bool detached;
	int status;
	char packet[ATTACH_PACKET]; /* what was typed, and is not taken yet */
	size_t len;                 /* 0: nothing */
};

static void send_window(const struct guest *g)
{
	struct winsize size;

	if (g->terminal && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		send_packet(g->fd, ATTACH_WINDOW, &size, sizeof(size));
}

/* Nothing of it is lost: who does not take it now does so later. */
static void send_typed(struct guest *g)
{
	if (send(g->fd, g->packet, g->len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
	    (errno == EAGAIN || errno == EINTR))
		return;
	g->len = 0;
}

static void take_typed(struct guest *g)
{
	char *bytes = g->packet + 1;
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(g->packet) - 1);

	if (n < 0 && errno == EINTR)
		return;
	for (ssize_t i = 0; g->terminal && i < n; i++) {
		if (g->last == DETACH_FIRST && bytes[i] == DETACH_SECOND)
			g->detached = true;
		g->last = bytes[i];
	}
	if (n <= 0)
		g->input = false;
	if (g->detached)
		return;
	g->packet[0] = ATTACH_STDIN;
	g->len = 1 + (n > 0 ? (size_t)n : 0);
	send_typed(g);
}

/* False: it is over. */
static bool take_sent(struct guest *g)
{
	char packet[ATTACH_PACKET];
	ssize_t n = recv(g->fd, packet, sizeof(packet), 0);

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	if (packet[0] == ATTACH_EXIT && n == 2) {
		g->status = (unsigned char)packet[1];
		return false;
	}
	if (packet[0] == ATTACH_STDOUT || packet[0] == ATTACH_STDERR)
		return io_write_all(packet[0] == ATTACH_STDERR ? STDERR_FILENO : STDOUT_FILENO,
				    packet + 1, (size_t)n - 1) >= 0;
	return true;
}

static void relay(struct guest *g, int signals)
{
	for (;;) {
		struct pollfd fds[] = { { g->fd, g->len ? POLLIN | POLLOUT : POLLIN, 0 },
					{ g->input && !g->len ? STDIN_FILENO : -1, POLLIN, 0 },
					{ signals, POLLIN, 0 } };
		struct signalfd_siginfo info;

		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return;
		if (fds[2].revents && read(signals, &info, sizeof(info)) > 0)
			send_window(g);
		if (fds[1].revents)
			take_typed(g);
		if (fds[0].revents & POLLOUT)
			send_typed(g);
		if (g->detached || (fds[0].revents & ~POLLOUT && !take_sent(g)))
			return;
	}
}

int attach_wait(int fd, int *ret_status, struct err *e)
{
	char packet[ATTACH_PACKET];
	ssize_t n;

	do
		n = recv(fd, packet, sizeof(packet), 0);
	while (n > 0 ? packet[0] != ATTACH_EXIT || n != 2 : n < 0 && errno == EINTR);
	if (n <= 0)
		return err_set(e, EPIPE, "how the container ended was not said");
	*ret_status = (unsigned char)packet[1];
	return 0;
}

static int open_window_signal(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, before);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int attach_run_on(int fd, bool terminal, bool input, int *ret_status, struct err *e UNUSED)
{
	struct guest g = { .fd = fd, .terminal = terminal, .input = input, .status = 255 };
	sigset_t before;
	auto_fd int signals = open_window_signal(&before);
	struct termios mode, raw;
	bool is_raw = terminal && input && tcgetattr(STDIN_FILENO, &mode) == 0;

	if (is_raw) {
		raw = mode;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	send_window(&g);
	relay(&g, signals);
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
	sigprocmask(SIG_SETMASK, &before, NULL);
	*ret_status = g.detached ? -1 : g.status;
	return 0;
}

int attach_run(int dir, bool terminal, bool input, int *ret_status, struct err *e)
{
	auto_fd int fd = attach_connect(dir, e);

	TRY(fd);
	return attach_run_on(fd, terminal, input, ret_status, e);
}
