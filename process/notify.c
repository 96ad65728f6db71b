#include "process/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/log.h"
#include "base/sys.h"

#define SOCKET_NAME "notify.sock"

/* What libsystemd gives a barrier; and how much of a message is looked at. */
enum { BARRIER_MS = 30 * 1000, MESSAGE_MAX = 4096 };

int notify_make_directory(int state, struct err *e)
{
	if (mkdirat(state, NOTIFY_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make directory %s", NOTIFY_DIRECTORY);
	/* Whoever the program is, and whatever our umask, it has to find the socket. */
	if (fchmodat(state, NOTIFY_DIRECTORY, 0755, 0) < 0)
		return err_sys(e, "change the mode of directory %s", NOTIFY_DIRECTORY);
	return 0;
}

static int host_address(const char *host, struct notify *ret, struct err *e)
{
	const size_t len = strlen(host);

	if ((host[0] != '/' && host[0] != '@') || host[1] == '\0')
		return err_set(e, EINVAL, "NOTIFY_SOCKET: \"%s\" is not a local socket", host);
	if (len >= sizeof(ret->host.sun_path))
		return err_set(e, ENAMETOOLONG, "NOTIFY_SOCKET: \"%s\" is too long", host);
	ret->host = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret->host.sun_path, host, len);
	if (host[0] == '@')
		ret->host.sun_path[0] = '\0';
	/* The name of an abstract socket has no end but the length. */
	ret->host_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
				    (host[0] == '/' ? 1 : 0));
	return 0;
}

/* Binds in `dir` for everybody; not by chmod(2), which would follow a replaced name. */
static int bind_in(int sock, int dir)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct fd_path path = io_fd_path(dir);
	mode_t umask_before;
	int r;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/" SOCKET_NAME, path.text);
	if (unlinkat(dir, SOCKET_NAME, 0) < 0 && errno != ENOENT)
		return -errno;
	umask_before = umask(0);
	r = bind(sock, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(umask_before);
	return r;
}

int notify_open(int state, const char *host, struct notify *ret, struct err *e)
{
	auto_notify struct notify n = NOTIFY_NONE;
	auto_fd int dir = -1;
	int r;

	TRY(host_address(host, &n, e));
	dir = sys_openat2(state, NOTIFY_DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
			  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (dir < 0)
		return err_sys(e, "open the container's directory %s", NOTIFY_DIRECTORY);
	n.sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n.sock < 0)
		return err_sys(e, "make a notification socket");
	r = bind_in(n.sock, dir);
	if (r < 0)
		return err_neg(e, r, "bind the container's " NOTIFY_DIRECTORY "/" SOCKET_NAME);
	*ret = n;
	n.sock = -1;
	return 0;
}

void notify_close(struct notify *n)
{
	close_fd(&n->sock);
}

static bool says_ready(const char *message, size_t len)
{
	static const char ready[] = "READY=1";
	const size_t ready_len = sizeof(ready) - 1;

	while (len > 0) {
		const char *end = memchr(message, '\n', len);
		size_t line = end ? (size_t)(end - message) : len;

		if (line == ready_len && memcmp(message, ready, ready_len) == 0)
			return true;
		message += end ? line + 1 : line;
		len -= end ? line + 1 : line;
	}
	return false;
}

static int tell_host(const struct notify *n, pid_t main, struct err *e)
{
	auto_fd int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[32];
	const char *const messages[] = { "READY=1\n", text };

	if (sock < 0)
		return err_sys(e, "make a notification socket");
	snprintf(text, sizeof(text), "MAINPID=%d\n", main);
	if (connect(sock, (const struct sockaddr *)&n->host, n->host_len) < 0)
		return err_sys(e, "NOTIFY_SOCKET: connect to the service manager");
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		int r = io_send_fds(sock, messages[i], strlen(messages[i]), NULL, 0);

		if (r < 0)
			return err_neg(e, r, "NOTIFY_SOCKET: tell the service manager");
	}
	return take_fd(&sock);
}

/* The socket to the service manager once it was told, -EAGAIN while there is nothing to tell. */
static int take(struct notify *n, pid_t main, struct err *e)
{
	char message[MESSAGE_MAX];

	for (;;) {
		int nothing;
		ssize_t len = io_recv_fds(n->sock, message, sizeof(message), &nothing, 0);

		if (len == -EAGAIN)
			return -EAGAIN;
		if (len < 0)
			return err_neg(e, (int)len, "receive the container's notifications");
		if (!says_ready(message, (size_t)len))
			continue;
		notify_close(n);
		return tell_host(n, main, e);
	}
}

int notify_take(struct notify *n, pid_t main, struct err *e)
{
	auto_fd int host = take(n, main, e);

	if (host == -EAGAIN)
		return 0;
	return host < 0 ? host : 1;
}

/* Until the service manager has closed the pipe that went along, so has read what came before. */
static int barrier(int host, struct err *e)
{
	auto_fd int ours = -1, theirs = -1;
	int64_t left, end = io_now_us() + (int64_t)BARRIER_MS * 1000;
	struct pollfd closed = { .events = 0 };
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe for the service manager");
	ours = ends[0];
	theirs = ends[1];
	closed.fd = ours;
	r = io_send_fds(host, "BARRIER=1", strlen("BARRIER=1"), &theirs, 1);
	close_fd(&theirs);
	if (r < 0)
		return err_neg(e, r, "NOTIFY_SOCKET: tell the service manager");
	while ((left = end - io_now_us()) > 0) {
		r = poll(&closed, 1, (int)(left / 1000 + 1));
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return err_sys(e, "wait for the service manager");
	}
	log_info("the service manager did not confirm the notification within %d s",
		 BARRIER_MS / 1000);
	return 0;
}

int notify_relay(struct notify *n, pid_t main, int pidfd, struct err *e)
{
	while (n->sock >= 0) {
		struct pollfd fds[] = { { .fd = n->sock, .events = POLLIN },
					{ .fd = pidfd, .events = POLLIN } };
		auto_fd int host = -1;

		if (poll(fds, ARRAY_LEN(fds), -1) < 0) {
			if (errno != EINTR)
				return err_sys(e, "wait for the container's notification");
			continue;
		}
		host = take(n, main, e);
		if (host >= 0)
			return barrier(host, e);
		if (host != -EAGAIN)
			return host;
		if (fds[1].revents)
			return 0;
	}
	return 0;
}
