#include "runtime/handshake.h"

#include <errno.h>
#include <string.h>

#include "base/io.h"

/*
 * One message; -EPIPE at the end of file, -ECONNRESET if the other side went without
 * having read what we sent. The kernel tells that before what it said last (unix(7)).
 */
static int receive(int sock, struct message *m, int *fd, struct err *e)
{
	ssize_t n = io_recv_fds(sock, m, sizeof(*m), fd, fd ? 1 : 0);
	const bool reset = n == -ECONNRESET;

	if (reset)
		n = io_recv_fds(sock, m, sizeof(*m), fd, fd ? 1 : 0);
	if (n == 0 || n == -ECONNRESET)
		return reset ? -ECONNRESET : -EPIPE;
	if (n < 0)
		return err_neg(e, (int)n, "handshake: receive");
	if (n != sizeof(*m))
		return err_set(e, EPROTO, "handshake: a message of %zd bytes", n);
	if (m->say == SAY_FAILED) {
		m->err.msg[sizeof(m->err.msg) - 1] = '\0';
		if (e)
			*e = m->err;
		return m->err.code > 0 ? -m->err.code : -EIO;
	}
	return 0;
}

int handshake_send(int sock, enum say say, int32_t value, int fd, struct err *e)
{
	struct message m = { .say = say, .value = value };
	int r = io_send_fds(sock, &m, sizeof(m), &fd, fd >= 0 ? 1 : 0);

	/* Who does not listen any more may have said why. */
	if (r == -EPIPE && receive(sock, &m, NULL, e) < 0 && m.say == SAY_FAILED)
		return -e->code;
	return r < 0 ? err_neg(e, r, "handshake: send message %d", (int)say) : 0;
}

void handshake_fail(int sock, const struct err *why)
{
	struct message m = { .say = SAY_FAILED, .err = *why };

	/* Nobody left to tell: whoever reads our exit status learns that we failed. */
	if (io_send_fds(sock, &m, sizeof(m), NULL, 0) < 0)
		return;
}

static int died(struct err *e)
{
	return err_set(e, EPIPE, "the other side of the handshake died unexpectedly");
}

int handshake_expect(int sock, enum say expect, int32_t *ret_value, int *ret_fd, struct err *e)
{
	auto_fd int fd = -1;
	struct message m = { 0 };
	int r = receive(sock, &m, &fd, e);

	if (m.say != SAY_FAILED && (r == -EPIPE || r == -ECONNRESET))
		return died(e);
	TRY(r);
	if (m.say != expect)
		return err_set(e, EPROTO, "handshake: message %u instead of %d", m.say,
			       (int)expect);
	if (ret_value)
		*ret_value = m.value;
	if (ret_fd)
		*ret_fd = take_fd(&fd);
	return 0;
}

int handshake_expect_end(int sock, struct err *e)
{
	auto_fd int fd = -1;
	struct message m = { 0 };
	int r = receive(sock, &m, &fd, e);

	if (m.say != SAY_FAILED && r == -EPIPE)
		return 0;
	if (m.say != SAY_FAILED && r == -ECONNRESET)
		return died(e);
	TRY(r);
	return err_set(e, EPROTO, "handshake: message %u instead of the end", m.say);
}
