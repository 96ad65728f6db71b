#include "network/netlink.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/buf.h"
#include "base/io.h"
#include "network/nlattr.h"

#ifndef SOL_NETLINK
	#define SOL_NETLINK 270
#endif

enum {
	DATAGRAM_SIZE = 32768,
	ANSWER_MAX = 256 << 20, /* bytes: a full table of the internet's routes is some 100 MB */
	INTERRUPTED_MAX = 16,
	ERRNO_MAX = 4095, /* of the kernel */
};

/*
 * An answer, of which nothing counts before it is complete: a list that changes while the kernel
 * writes it down is marked so (NLM_F_DUMP_INTR), and asked for again.
 */
struct answer {
	bool wanted; /* there is one beside the kernel's word */
	bool interrupted;
	struct buf messages; /* aligned */
	struct err *why;     /* the kernel's words */
};

int netns_call(int netns_fd, int (*fn)(void *ctx, struct err *e), void *ctx, struct err *e)
{
	auto_fd int home = -1;
	int r;

	if (netns_fd < 0)
		return fn(ctx, e);
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return err_sys(e, "open our network namespace");
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return err_sys(e, "enter the container's network namespace");
	r = fn(ctx, e);
	if (setns(home, CLONE_NEWNET) < 0) {
		/* Nothing that follows may run in a namespace that is the container's. */
		perror("hull: leave the container's network namespace");
		abort();
	}
	return r;
}

struct opening {
	int protocol;
	struct netlink *nl;
};

static int open_socket(void *ctx, struct err *e)
{
	const struct opening *o = ctx;
	const struct timeval timeout = { .tv_sec = NETLINK_TIMEOUT };
	auto_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, o->protocol);
	int one = 1;

	if (fd < 0)
		return err_sys(e, "make a netlink socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return err_sys(e, "make a netlink socket: set its timeout");
	/* Words with errors, without our request in them: old kernels have neither, and we need neither. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	o->nl->fd = take_fd(&fd);
	return 0;
}

int netlink_open_of(int protocol, int netns_fd, struct netlink *ret, struct err *e)
{
	struct netlink nl = NETLINK_CLOSED;
	struct opening o = { protocol, &nl };

	TRY(netns_call(netns_fd, open_socket, &o, e));
	*ret = nl;
	return 0;
}

int netlink_open(int netns_fd, struct netlink *ret, struct err *e)
{
	return netlink_open_of(NETLINK_ROUTE, netns_fd, ret, e);
}

void netlink_close(struct netlink *nl)
{
	close_fd(&nl->fd);
}

static struct nlmsghdr *header(struct netlink_request *m)
{
	return (struct nlmsghdr *)m->bytes;
}

void *netlink_request(struct netlink_request *m, uint16_t type, uint16_t flags, size_t size)
{
	struct nlmsghdr *head = nlmsg_begin(m->bytes);

	head->nlmsg_type = type;
	head->nlmsg_flags = NLM_F_REQUEST | flags;
	return nlmsg_extend(head, size);
}

/* What is put is bounded by its types; that all of it fits is ours to know. */
void netlink_put(struct netlink_request *m, uint16_t type, const void *bytes, size_t size)
{
	bool fits = nlattr_put(header(m), sizeof(m->bytes), type, bytes, size);

	assert(fits);
	(void)fits;
}

void netlink_put_text(struct netlink_request *m, uint16_t type, const char *text)
{
	netlink_put(m, type, text, strlen(text) + 1);
}

void netlink_put_u8(struct netlink_request *m, uint16_t type, uint8_t value)
{
	netlink_put(m, type, &value, sizeof(value));
}

void netlink_put_u16(struct netlink_request *m, uint16_t type, uint16_t value)
{
	netlink_put(m, type, &value, sizeof(value));
}

void netlink_put_u32(struct netlink_request *m, uint16_t type, uint32_t value)
{
	netlink_put(m, type, &value, sizeof(value));
}

void netlink_put_rows(struct netlink_request *m, const struct nlattr_row *rows, size_t n,
		      const void *from)
{
	const uint8_t *bytes = from;

	assert(nlattr_rows_fit(rows, n, from));
	for (size_t i = 0; i < n; i++)
		if (bytes[rows[i].len])
			netlink_put(m, rows[i].type, bytes + rows[i].bytes, bytes[rows[i].len]);
}

struct nlattr *netlink_nest(struct netlink_request *m, uint16_t type)
{
	struct nlattr *nest = nlattr_nest(header(m), sizeof(m->bytes), type);

	assert(nest);
	return nest;
}

void *netlink_extra(struct netlink_request *m, size_t size)
{
	assert(header(m)->nlmsg_len + NLMSG_ALIGN(size) <= sizeof(m->bytes));
	return nlmsg_extend(header(m), size);
}

void netlink_nest_end(struct netlink_request *m, struct nlattr *nest)
{
	nlattr_nest_end(header(m), nest);
}

static void find_words(const struct nlattr *attr, void *ctx)
{
	const char **words = ctx;

	if (nlattr_type(attr) == NLMSGERR_ATTR_MSG && nlattr_is_text(attr))
		*words = nlattr_content(attr);
}

/* The kernel's word on a request: 0, or the negative errno with its reason in *why. */
static int read_error(const struct nlmsghdr *head, struct err *why)
{
	const struct nlmsgerr *answer = nlmsg_content(head);
	size_t skip = sizeof(*answer);
	const char *words = NULL;

	if (nlmsg_content_size(head) < sizeof(*answer))
		return err_set(why, EBADMSG, "a short answer");
	if (!(head->nlmsg_flags & NLM_F_CAPPED) && answer->error)
		skip += nlmsg_content_size(&answer->msg);
	if (head->nlmsg_flags & NLM_F_ACK_TLVS && nlmsg_content_size(head) > skip)
		nlattr_each(head, (unsigned)skip, find_words, &words);
	if (answer->error == 0)
		return 0;
	if (answer->error > 0 || answer->error < -ERRNO_MAX)
		return err_set(why, EBADMSG, "an error that has no number");
	if (words)
		return err_set(why, -answer->error, "%s (%s)", err_text(-answer->error), words);
	return err_set(why, -answer->error, "%s", err_text(-answer->error));
}

/* A list ends with the word on it: that it is not whole, if that is so. */
static int read_end(const struct nlmsghdr *head, struct err *why)
{
	int code = 0;

	if (nlmsg_content_size(head) >= sizeof(code))
		memcpy(&code, nlmsg_content(head), sizeof(code));
	if (code < -ERRNO_MAX)
		return err_set(why, EBADMSG, "an error that has no number");
	return code < 0 ? err_set(why, -code, "%s", err_text(-code)) : 0;
}

static int keep(struct answer *a, const struct nlmsghdr *head)
{
	static const char padding[NLMSG_ALIGNTO];

	if (a->messages.len + head->nlmsg_len > ANSWER_MAX)
		return err_set(a->why, EFBIG, "the answer has more than %d bytes", ANSWER_MAX);
	buf_add(&a->messages, head, head->nlmsg_len);
	buf_add(&a->messages, padding, NLMSG_ALIGN(head->nlmsg_len) - head->nlmsg_len);
	return 0;
}

/* One datagram's messages: 1 when the answer is complete, 0 when more follows. */
static int read_messages(const struct netlink *nl, const char *bytes, size_t left, struct answer *a)
{
	const struct nlmsghdr *head = (const struct nlmsghdr *)bytes;

	for (; nlmsg_is_whole(head, left); head = nlmsg_next(head, &left)) {
		if (head->nlmsg_seq != nl->seq)
			continue; /* of an earlier request that timed out */
		if (head->nlmsg_flags & NLM_F_DUMP_INTR)
			a->interrupted = true;
		if (head->nlmsg_type == NLMSG_ERROR) {
			TRY(read_error(head, a->why));
			return 1;
		}
		if (head->nlmsg_type == NLMSG_DONE) {
			TRY(read_end(head, a->why));
			return 1;
		}
		if (a->wanted)
			TRY(keep(a, head));
	}
	return 0;
}

/*
 * The next datagram of the kernel's. Others may send some as well, with the numbers of our requests:
 * root of a container in its network namespace, where we have sockets too. -EAGAIN: it was such a one.
 */
static ssize_t receive(const struct netlink *nl, void *bytes, struct err *why)
{
	struct sockaddr_nl from = { 0 };
	socklen_t size = sizeof(from);
	ssize_t n = recvfrom(nl->fd, bytes, DATAGRAM_SIZE, MSG_TRUNC,
			     (struct sockaddr *)(void *)&from, &size);

	if (n < 0 && errno == EINTR)
		return -EAGAIN;
	if (n < 0 && errno == EAGAIN)
		return err_set(why, ETIMEDOUT, "no answer from the kernel for %d seconds",
			       NETLINK_TIMEOUT);
	if (n < 0)
		return err_sys(why, "receive the answer");
	if (from.nl_pid != 0)
		return -EAGAIN;
	if (n > DATAGRAM_SIZE)
		return err_set(why, EMSGSIZE, "an answer of %zd bytes", n);
	return n;
}

/* The whole answer; -EAGAIN without words: it was interrupted. */
static int exchange(struct netlink *nl, struct netlink_request *m, struct answer *a)
{
	_Alignas(struct nlmsghdr) char bytes[DATAGRAM_SIZE];
	int64_t end = io_now_us() + NETLINK_TIMEOUT * INT64_C(1000000);
	ssize_t n;
	int r = 0;

	buf_clear(&a->messages);
	a->interrupted = false;
	header(m)->nlmsg_seq = ++nl->seq;
	do
		n = send(nl->fd, m->bytes, header(m)->nlmsg_len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(a->why, "send the request");
	while (r == 0) {
		n = receive(nl, bytes, a->why);
		if (n == -EAGAIN && io_now_us() > end)
			return err_set(a->why, ETIMEDOUT,
				       "no answer from the kernel for %d seconds", NETLINK_TIMEOUT);
		if (n == -EAGAIN)
			continue;
		if (n < 0)
			return (int)n;
		r = read_messages(nl, bytes, (size_t)n, a);
		end = io_now_us() + NETLINK_TIMEOUT * INT64_C(1000000);
	}
	if (r == 1 && a->interrupted)
		return -EAGAIN;
	return r < 0 ? r : 0;
}

static int each_message(const struct answer *a, netlink_reader *fn, void *ctx)
{
	const struct nlmsghdr *head = (const struct nlmsghdr *)(const void *)a->messages.text;

	for (size_t left = a->messages.len; left; head = nlmsg_next(head, &left))
		TRY(fn(head, ctx));
	return 0;
}

static int ask(struct netlink *nl, struct netlink_request *m, netlink_reader *fn, void *ctx,
	       struct err *e, const char *fmt, va_list ap)
{
	struct err why = { 0 };
	struct answer a = { .wanted = fn, .why = &why };
	auto_buf struct buf what = { 0 };
	int r = -EAGAIN;

	header(m)->nlmsg_flags |= fn ? 0 : NLM_F_ACK;
	for (int i = 0; r == -EAGAIN && !why.code && i < INTERRUPTED_MAX; i++)
		r = exchange(nl, m, &a);
	if (r >= 0 && fn)
		r = each_message(&a, fn, ctx);
	buf_done(&a.messages);
	if (r >= 0)
		return 0;
	buf_vprintf(&what, fmt, ap);
	return err_set(e, -r, "%s: %s", what.text, why.code ? why.msg : err_text(-r));
}

int netlink_do(struct netlink *nl, struct netlink_request *m, struct err *e, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = ask(nl, m, NULL, NULL, e, fmt, ap);
	va_end(ap);
	return r;
}

int netlink_ask(struct netlink *nl, struct netlink_request *m, netlink_reader *fn, void *ctx,
		struct err *e, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = ask(nl, m, fn, ctx, e, fmt, ap);
	va_end(ap);
	return r;
}
