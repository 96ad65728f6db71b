/*
 * question.c - what hull asks a machine that runs: its processes, another limit for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>

#include "base/io.h"
#include "microvm/control.h"
#include "microvm/executor.h"
#include "microvm/process_list.h"

enum { ANSWER_MS = 30 * 1000 };

static int no_answer(const struct handle *h, struct err *e)
{
	return err_set(e, ETIME, "the microVM of container %s does not answer", h->id);
}

/* Reads until the end, for as long as there is something every ANSWER_MS. */
static int read_lines(const struct handle *h, int fd, struct buf *ret, struct err *e)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int r = poll(&p, 1, ANSWER_MS);
		ssize_t n;

		if (r == 0)
			return no_answer(h, e);
		n = r < 0 ? r : read(fd, buf_reserve(ret, 4096), 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read what the microVM says");
		if (n == 0)
			return 0;
		ret->len += (size_t)n;
		ret->text[ret->len] = '\0';
		if (ret->len > PROCESS_LIST_MAX)
			return err_set(e, EFBIG, "the microVM's list of processes has no end");
	}
}

static int expect_end(const struct handle *h, int conn, struct err *e)
{
	struct pollfd p = { .fd = conn, .events = POLLIN };
	struct control_message m;
	int none = -1, r;

	do
		r = poll(&p, 1, ANSWER_MS);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return no_answer(h, e);
	if (io_recv_fds(conn, &m, sizeof(m), &none, 1) != sizeof(m))
		return err_set(e, ESRCH, "container %s has stopped", h->id);
	if (m.say != CONTROL_FAILED)
		return 0;
	m.err.msg[sizeof(m.err.msg) - 1] = '\0';
	*e = m.err;
	return m.err.code > 0 ? -m.err.code : -EIO;
}

/* A connection on which it was asked. */
static int ask(const struct handle *h, enum control_say say, uint32_t value, const int *out,
	       struct err *e)
{
	const struct control_message m = { .say = say, .value = value };
	auto_fd int conn = -1;
	int r;

	if (h->state.status == STATE_PAUSED)
		return err_set(e, EBUSY,
			       "container %s is paused: a microVM stands still as a whole", h->id);
	conn = control_open(h->dir, e);
	TRY(conn);
	r = io_send_fds(conn, &m, sizeof(m), out, out ? 1 : 0);
	return r < 0 ? err_neg(e, r, "ask the microVM") : take_fd(&conn);
}

int vm_processes(const struct handle *h, struct buf *ret, struct err *e)
{
	auto_buf struct buf lines = { 0 };
	auto_fd int conn = -1, from = -1, to = -1;
	int pair[2];

	buf_str(&lines, "");
	if (h->pidfd >= 0) {
		if (pipe2(pair, O_CLOEXEC) < 0)
			return err_sys(e, "make a pipe");
		from = pair[0];
		to = pair[1];
		conn = ask(h, CONTROL_LIST, 0, &to, e);
		TRY(conn);
		close_fd(&to);
		TRY(read_lines(h, from, &lines, e));
		TRY(expect_end(h, conn, e));
	}
	return process_table(lines.text, time(NULL), ret, e);
}

int vm_limit(const struct handle *h, int64_t processes, struct err *e)
{
	auto_fd int conn = -1;

	if (processes > INT32_MAX)
		processes = 0;
	conn = ask(h, CONTROL_LIMIT, processes > 0 ? (uint32_t)processes : 0, NULL, e);
	TRY(conn);
	return expect_end(h, conn, e);
}
