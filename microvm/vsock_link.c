/* vsock_link.c - a connection's side of the host: its line, its window, its socket. */
#include <errno.h>
#include <linux/virtio_vsock.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"
#include "microvm/vsock.h"

static const char word[] = "CONNECT ";

int vsock_read_line(const char *line, size_t size, uint32_t *ret_port)
{
	uint64_t port = 0;
	size_t at = sizeof(word) - 1;

	if (size <= at + 1 || memcmp(line, word, at) != 0 || line[size - 1] != '\n')
		return -EPROTO;
	for (; at < size - 1; at++) {
		if (line[at] < '0' || line[at] > '9')
			return -EPROTO;
		port = port * 10 + (uint64_t)(line[at] - '0');
		if (port > UINT32_MAX)
			return -EPROTO;
	}
	*ret_port = (uint32_t)port;
	return 0;
}

int vsock_open_host(const char *name, uint32_t port)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%.*s_%u", (int)VSOCK_NAME_MAX, name,
		 port);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return take_fd(&fd);
}

/* What comes behind the line is the stream's and stays where it is. */
int vsock_hear_line(struct vsock_connection *c, uint32_t *ret_port)
{
	char *at = c->line + c->line_size;
	size_t room = sizeof(c->line) - c->line_size;
	ssize_t n = recv(c->fd, at, room, MSG_PEEK | MSG_DONTWAIT);
	const char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		c->readable = false;
		return 0;
	}
	if (n <= 0)
		return -EPROTO;
	end = memchr(at, '\n', (size_t)n);
	if (end)
		n = end + 1 - at;
	if (recv(c->fd, at, (size_t)n, MSG_DONTWAIT) != n)
		return -EPROTO;
	c->line_size += (size_t)n;
	if (!end)
		return c->line_size == sizeof(c->line) ? -EPROTO : 0;
	return vsock_read_line(c->line, c->line_size, ret_port) < 0 ? -EPROTO : 1;
}

void vsock_keep(struct vsock_connection *c, uint8_t *ring, const struct iovec *iov, int n,
		uint32_t skip, uint32_t size)
{
	for (int i = 0; i < n && size; i++) {
		const uint8_t *from = iov[i].iov_base;
		size_t len = iov[i].iov_len;

		if (skip >= len) {
			skip -= (uint32_t)len;
			continue;
		}
		from += skip;
		len -= skip;
		skip = 0;
		if (len > size)
			len = size;
		size -= (uint32_t)len;
		while (len) {
			uint32_t at = (c->begin + c->waiting) % VSOCK_WINDOW;
			size_t part = VSOCK_WINDOW - at < len ? VSOCK_WINDOW - at : len;

			memcpy(ring + at, from, part);
			c->waiting += (uint32_t)part;
			from += part;
			len -= part;
		}
	}
}

/* The host takes no more: the guest is to know, and its bytes are nobody's. */
static void refuse_more(struct vsock_connection *c)
{
	c->host_done |= VIRTIO_VSOCK_SHUTDOWN_RCV;
	c->passed += c->waiting;
	c->waiting = 0;
}

void vsock_flush(struct vsock_connection *c, const uint8_t *ring)
{
	while (c->waiting && c->fd >= 0 && !(c->host_done & VIRTIO_VSOCK_SHUTDOWN_RCV)) {
		uint32_t len = VSOCK_WINDOW - c->begin;
		ssize_t n;

		if (len > c->waiting)
			len = c->waiting;
		n = send(c->fd, ring + c->begin, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			break;
		c->begin = (c->begin + (uint32_t)n) % VSOCK_WINDOW;
		c->waiting -= (uint32_t)n;
		c->passed += (uint32_t)n;
	}
	if (c->waiting)
		refuse_more(c);
	if ((c->guest_done & VIRTIO_VSOCK_SHUTDOWN_SEND) && !c->write_over && c->fd >= 0) {
		shutdown(c->fd, SHUT_WR);
		c->write_over = true;
	}
}

/* What was sent and not taken may be anything, as the guest says. */
uint32_t vsock_credit(const struct vsock_connection *c)
{
	uint32_t there = c->sent - c->taken;

	return there < c->window ? c->window - there : 0;
}

int vsock_events(const struct vsock_connection *c)
{
	int events = 0;

	if (c->fd < 0 || c->hung_up)
		return -1;
	if ((c->stage == VSOCK_ASKING || c->stage == VSOCK_OPEN) && !c->readable &&
	    !(c->host_done & VIRTIO_VSOCK_SHUTDOWN_SEND))
		events |= POLLIN;
	if (c->waiting)
		events |= POLLOUT;
	return events;
}
