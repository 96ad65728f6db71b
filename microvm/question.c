/*
 * question.c - what hull asks a machine that runs: its processes, how many they are, another limit
 * for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>

#include "base/io.h"
#include "base/log.h"
#include "microvm/balloon.h"
#include "microvm/control.h"
#include "microvm/executor.h"
#include "microvm/frame.h"
#include "microvm/process_list.h"

/* For people, and for those who ask every second. */
enum {
	ANSWER_MS = 30 * 1000,
	COUNTS_MS = 3 * 1000,
	COUNTS_MAX = 256,
	BALLOON_MS = 20 * 1000,
	BALLOON_LOOK_MS = 50
};

static int no_answer(const struct handle *h, struct err *e)
{
	return err_set(e, ETIME, "the microVM of container %s does not answer", h->id);
}

/* Waits until there is something to read, but not beyond `end`, of io_now_us(). */
static int wait_for(const struct handle *h, int fd, int64_t end, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;
	int r;

	do {
		left = (end - io_now_us()) / 1000;
		r = left > 0 ? poll(&p, 1, (int)left) : 0;
	} while (r < 0 && errno == EINTR);
	if (r == 0)
		return no_answer(h, e);
	return r < 0 ? err_sys(e, "wait for the microVM") : 0;
}

/* Reads until the end of file. */
static int read_lines(const struct handle *h, int fd, int64_t end, size_t max, struct buf *ret,
		      struct err *e)
{
	for (;;) {
		ssize_t n;

		TRY(wait_for(h, fd, end, e));
		n = read(fd, buf_reserve(ret, 4096), 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read what the microVM says");
		if (n == 0)
			return 0;
		ret->len += (size_t)n;
		ret->text[ret->len] = '\0';
		if (ret->len > max)
			return err_set(e, EFBIG, "what the microVM says has no end");
	}
}

/* Its answer's value goes to *ret_value. */
static int expect_end(const struct handle *h, int conn, int64_t end, uint32_t *ret_value,
		      struct err *e)
{
	struct control_message m;
	auto_fd int none = -1; /* it has no reason to send one */

	TRY(wait_for(h, conn, end, e));
	if (io_recv_fds(conn, &m, sizeof(m), &none, 1) != sizeof(m))
		return err_set(e, ESRCH, "container %s has stopped", h->id);
	*ret_value = m.value;
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

static int ask_lines(const struct handle *h, enum frame_list what, int timeout, size_t max,
		     struct buf *ret, struct err *e)
{
	const int64_t end = io_now_us() + timeout * (int64_t)1000;
	auto_fd int conn = -1, from = -1, to = -1;
	uint32_t status;
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	from = pair[0];
	to = pair[1];
	conn = ask(h, CONTROL_LIST, what, &to, e);
	TRY(conn);
	close_fd(&to);
	TRY(read_lines(h, from, end, max, ret, e));
	return expect_end(h, conn, end, &status, e);
}

int vm_processes(const struct handle *h, struct buf *ret, struct err *e)
{
	auto_buf struct buf lines = { 0 };

	buf_str(&lines, "");
	if (h->pidfd >= 0)
		TRY(ask_lines(h, LIST_PROCESSES, ANSWER_MS, PROCESS_LIST_MAX, &lines, e));
	return process_table(lines.text, time(NULL), ret, e);
}

/* What it costs is the host's to say; how many processes there are, the guest's. */
void vm_stats(const struct handle *h, struct cgroup_stats *stats)
{
	struct opt_u64 *const values[] = { &stats->pids, &stats->pids_peak, &stats->pids_max };
	auto_buf struct buf lines = { 0 };
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		values[i]->set = false;
	stats->pids_events.known = false;
	if (h->pidfd < 0)
		return;
	buf_str(&lines, "");
	if (ask_lines(h, LIST_COUNTS, COUNTS_MS, COUNTS_MAX, &lines, &e) < 0 ||
	    process_counts(lines.text, values, ARRAY_LEN(values), &e) < 0)
		log_debug("container %s: %s", h->id, e.msg);
}

static int ask_value(const struct handle *h, enum control_say say, uint32_t value,
		     uint32_t *ret_value, struct err *e)
{
	auto_fd int conn = ask(h, say, value, NULL, e);

	TRY(conn);
	return expect_end(h, conn, io_now_us() + ANSWER_MS * (int64_t)1000, ret_value, e);
}

int vm_limit(const struct handle *h, int64_t processes, struct err *e)
{
	uint32_t status;

	if (processes == 0)
		processes = 1; /* no forks, as in cgroups/knobs.c; to the agent 0 is no limit */
	if (processes > INT32_MAX || processes < 0)
		processes = 0;
	return ask_value(h, CONTROL_LIMIT, (uint32_t)processes, &status, e);
}

int vm_balloon(const struct handle *h, uint32_t pages, uint32_t *ret_held, struct err *e)
{
	return ask_value(h, CONTROL_BALLOON, pages, ret_held, e);
}

int vm_balloon_fill(const struct handle *h, uint32_t pages, struct err *e)
{
	const struct timespec look = { .tv_nsec = BALLOON_LOOK_MS * 1000000L };
	uint32_t before, held;
	struct err ignored;

	TRY(vm_balloon(h, BALLOON_KEEP, &before, e));
	for (int waited = 0; waited < BALLOON_MS; waited += BALLOON_LOOK_MS) {
		TRY(vm_balloon(h, pages, &held, e));
		if (held >= pages)
			return 0;
		nanosleep(&look, NULL);
	}
	/* It gets back what it could give. */
	(void)!vm_balloon(h, before, &held, &ignored);
	return err_set(e, EBUSY, "update: the guest can't do without so much memory");
}
