#include "engine/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "engine/attach_private.h"

enum { PATIENCE_MS = 5000 }; /* with a guest who is to miss nothing, once the program has ended */

/* Socket names are short, and paths of containers are not: by way of the descriptor. */
struct sockaddr_un attach_address(int dir)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/" ATTACH_SOCKET, io_fd_path(dir).text);
	return a;
}

int attach_listen(int dir, bool terminal, struct attach_server *ret, struct err *e)
{
	auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un a = attach_address(dir);

	if (fd < 0)
		return err_sys(e, "make the socket for attach");
	unlinkat(dir, ATTACH_SOCKET, 0);
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, ATTACH_MAX) < 0)
		return err_sys(e, "listen for attach");
	*ret = (struct attach_server){ .listener = take_fd(&fd),
				       .terminal = terminal,
				       .first = -1,
				       .late = mem_zalloc(ATTACH_PACKET),
				       .waiting = mem_zalloc(ATTACH_PACKET) };
	return 0;
}

int attach_listener(const struct attach_server *s)
{
	return s->n < ATTACH_MAX ? s->listener : -1;
}

int attach_fill(const struct attach_server *s, struct pollfd *fds)
{
	const bool hears = s->from == s->end;

	for (size_t i = 0; i < s->n; i++) {
		const bool waits = s->guests[i] == s->first && s->held;

		fds[i] =
			(struct pollfd){ s->guests[i],
					 (short)((hears ? POLLIN : 0) | (waits ? POLLOUT : 0)), 0 };
	}
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

/* False: it would have to wait. */
bool attach_packet(int fd, char what, const void *bytes, size_t len)
{
	struct iovec parts[2] = { { &what, 1 }, { (void *)bytes, len } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ||
	       (errno != EAGAIN && errno != EINTR);
}

void attach_welcome(struct attach_server *s, int fd)
{
	s->guests[s->n++] = s->first = fd;
}

int attach_patience(const struct attach_server *s)
{
	return s->held ? PATIENCE_MS : 0;
}

void attach_send(struct attach_server *s, char stream, const void *bytes, size_t len)
{
	for (size_t i = 0; i < s->n; i++) {
		/* A guest that does not read must not stop the container, unless it is its own. */
		if (attach_packet(s->guests[i], stream, bytes, len) || s->guests[i] != s->first)
			continue;
		s->held = 1 + len;
		s->late[0] = stream;
		memcpy(s->late + 1, bytes, len);
	}
}

static void send_late(struct attach_server *s)
{
	if (s->held && attach_packet(s->first, s->late[0], s->late + 1, s->held - 1))
		s->held = 0;
}

/* Room for the last word, of which nothing may be missed either. */
static void wait_for_first(const struct attach_server *s)
{
	struct pollfd fd = { s->first, POLLOUT, 0 };

	while (s->first >= 0 && poll(&fd, 1, PATIENCE_MS) < 0 && errno == EINTR)
		;
}

void attach_ended(struct attach_server *s, int status)
{
	const char code = (char)status;

	/* Who has something to take still was waited for already. */
	if (!s->held)
		wait_for_first(s);
	for (size_t i = 0; i < s->n; i++)
		(void)attach_packet(s->guests[i], ATTACH_EXIT, &code, 1);
	while (s->n)
		close(s->guests[--s->n]);
	s->first = -1;
	s->from = s->end = s->held = 0;
}

void attach_close(struct attach_server *s, int dir)
{
	while (s->n)
		close(s->guests[--s->n]);
	close_fd(&s->listener);
	free(s->late);
	free(s->waiting);
	s->late = s->waiting = NULL;
	unlinkat(dir, ATTACH_SOCKET, 0);
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
	send_late(s);
	for (int i = n; i-- > 0;) {
		/* One has filled it up: the others are heard when it is empty; who leaves, leaves. */
		bool waits = s->from < s->end;
		bool gone = waits && (fds[i].revents & (POLLHUP | POLLERR));

		if (!gone && (waits || !fds[i].revents || take_packet(s, s->guests[i], in, master)))
			continue;
		if (s->guests[i] == s->first) {
			s->first = -1;
			s->held = 0;
		}
		close(s->guests[i]);
		s->guests[i] = s->guests[--s->n];
	}
	if (newcomers)
		take_newcomer(s);
}
