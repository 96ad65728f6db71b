#include "microvm/vsock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_vsock.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "microvm/jail.h"

enum { TO_GUEST, FROM_GUEST, EVENTS, QUEUES };
enum { POLL_WAKE, POLL_LISTENER, POLL_CONNECTIONS, POLLS = POLL_CONNECTIONS + VSOCK_CONNECTIONS };

#define HEADER sizeof(struct virtio_vsock_hdr)
#define BOTH (VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND)
#define OWED(op) (1U << VIRTIO_VSOCK_OP_##op)

static void config(struct virtio *v, uint32_t offset, void *ret, size_t size)
{
	const struct virtio_vsock_config c = { .guest_cid = VSOCK_GUEST_CID };

	(void)v;
	if (offset < sizeof(c))
		memcpy(ret, (const uint8_t *)&c + offset,
		       size < sizeof(c) - offset ? size : sizeof(c) - offset);
}

/* On the vCPU's thread, which can close nothing. */
static void reset(struct virtio *v)
{
	struct vsock *s = (struct vsock *)v;

	s->forgotten = true;
	if (v->wake >= 0 && eventfd_write(v->wake, 1) < 0)
		log_debug("virtio-vsock: wake: %s", err_text(errno));
}

const struct virtio_kind vsock_kind = {
	.name = "vsock",
	.id = VIRTIO_ID_VSOCK,
	.pci_class = 0x078000,
	.queues = QUEUES,
	.queue_size = VIRTQUEUE_MAX,
	.config = config,
	.reset = reset,
};

void vsock_init(struct vsock *s, int listener, const char *name)
{
	s->listener = listener;
	s->name = name;
	s->directory = -1;
	s->next_port = VSOCK_FIRST_PORT;
}

static uint8_t *ring_of(struct vsock *s, const struct vsock_connection *c)
{
	return s->rings[c - s->connections];
}

static void drop(struct vsock_connection *c)
{
	close_fd(&c->fd);
	*c = (struct vsock_connection){ .fd = -1 };
}

static void forget(struct vsock *s)
{
	for (size_t i = 0; i < VSOCK_CONNECTIONS; i++)
		if (s->connections[i].stage != VSOCK_FREE)
			drop(&s->connections[i]);
	s->n_resets = 0;
	s->has_spare = false;
	s->forgotten = false;
}

/* There is room: see may_reset(). */
static void add_reset(struct vsock *s, struct vsock_reset r)
{
	if (s->n_resets < VSOCK_RESETS)
		s->resets[s->n_resets++] = r;
}

/* A packet of the guest's needs one for itself, and perhaps one for another's place. */
static bool may_reset(const struct vsock *s)
{
	return s->n_resets + 2 <= VSOCK_RESETS;
}

static void end(struct vsock *s, struct vsock_connection *c)
{
	add_reset(s, (struct vsock_reset){ VSOCK_HOST_CID, c->host_port, c->guest_port,
					   VIRTIO_VSOCK_TYPE_STREAM });
	drop(c);
}

/* Those that are drained are the guest's no more: it may use their ports again. */
static struct vsock_connection *find(struct vsock *s, uint32_t host_port, uint32_t guest_port)
{
	for (size_t i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_connection *c = &s->connections[i];

		if ((c->stage == VSOCK_REQUESTED || c->stage == VSOCK_OPEN) &&
		    c->host_port == host_port && c->guest_port == guest_port)
			return c;
	}
	return NULL;
}

/* A free place, or that of one whose host is gone and whose guest does not say that it knows. */
static struct vsock_connection *take_place(struct vsock *s)
{
	struct vsock_connection *idle = NULL;

	for (size_t i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_connection *c = &s->connections[i];

		if (c->stage == VSOCK_FREE)
			return c;
		if (c->stage == VSOCK_OPEN && c->fd < 0)
			idle = c;
	}
	if (idle)
		end(s, idle);
	return idle;
}

static bool has_host_port(const struct vsock *s, uint32_t port)
{
	for (size_t i = 0; i < VSOCK_CONNECTIONS; i++)
		if (s->connections[i].stage != VSOCK_FREE && s->connections[i].host_port == port)
			return true;
	return false;
}

static uint32_t free_port(struct vsock *s)
{
	do
		s->next_port = s->next_port == UINT32_MAX ? VSOCK_FIRST_PORT : s->next_port + 1;
	while (has_host_port(s, s->next_port));
	return s->next_port;
}

static void accept_host(struct vsock *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
	struct vsock_connection *c;

	if (fd < 0)
		return;
	c = may_reset(s) ? take_place(s) : NULL;
	if (!c) {
		log_debug("vsock: the guest has %d connections already", VSOCK_CONNECTIONS);
		close(fd);
		return;
	}
	*c = (struct vsock_connection){ .stage = VSOCK_ASKING, .fd = fd };
}

static void begin_to_host(struct vsock *s, const struct virtio_vsock_hdr *h)
{
	struct vsock_connection *c = take_place(s);
	int fd = c ? vsock_open_host(s->name, h->dst_port) : -EMFILE;

	if (fd < 0) {
		log_debug("vsock: connect to %s_%u: %s", s->name, h->dst_port, err_text(-fd));
		add_reset(s, (struct vsock_reset){ VSOCK_HOST_CID, h->dst_port, h->src_port,
						   h->type });
		return;
	}
	*c = (struct vsock_connection){ .stage = VSOCK_OPEN,
					.fd = fd,
					.host_port = h->dst_port,
					.guest_port = h->src_port,
					.owed = OWED(RESPONSE),
					.window = h->buf_alloc,
					.taken = h->fwd_cnt };
}

/* The guest has accepted what a program of the host asked for. */
static bool begin_to_guest(struct vsock_connection *c)
{
	char line[VSOCK_LINE_MAX];
	int n = snprintf(line, sizeof(line), "OK %u\n", c->host_port);

	c->stage = VSOCK_OPEN;
	return send(c->fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) == n;
}

static void hear_shutdown(struct vsock *s, struct vsock_connection *c, uint32_t flags)
{
	c->guest_done |= flags & BOTH;
	if (c->guest_done & VIRTIO_VSOCK_SHUTDOWN_RCV) {
		if (c->fd >= 0)
			shutdown(c->fd, SHUT_RD);
		c->host_done |= VIRTIO_VSOCK_SHUTDOWN_SEND;
	}
	vsock_flush(c, ring_of(s, c));
	if (c->guest_done != BOTH)
		return;
	add_reset(s, (struct vsock_reset){ VSOCK_HOST_CID, c->host_port, c->guest_port,
					   VIRTIO_VSOCK_TYPE_STREAM });
	if (c->waiting)
		c->stage = VSOCK_DRAINING;
	else
		drop(c);
}

/* False: it is not to be sent now, and the connection ends. */
static bool hear_of_open(struct vsock *s, struct vsock_connection *c,
			 const struct virtio_vsock_hdr *h, const struct chain *chain)
{
	switch (h->op) {
	case VIRTIO_VSOCK_OP_RW:
		if ((c->guest_done & VIRTIO_VSOCK_SHUTDOWN_SEND) ||
		    h->len > VSOCK_WINDOW - c->waiting)
			return false;
		vsock_keep(c, ring_of(s, c), chain->read, chain->n_read, HEADER, h->len);
		vsock_flush(c, ring_of(s, c));
		return true;
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		hear_shutdown(s, c, h->flags);
		return true;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		c->owed |= OWED(CREDIT_UPDATE);
		return true;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		return true;
	default:
		return false;
	}
}

static void hear_of(struct vsock *s, struct vsock_connection *c, const struct virtio_vsock_hdr *h,
		    const struct chain *chain)
{
	bool good;

	if (h->op == VIRTIO_VSOCK_OP_RST) {
		drop(c);
		return;
	}
	c->window = h->buf_alloc;
	c->taken = h->fwd_cnt;
	if (vsock_credit(c))
		c->starved = false;
	if (c->stage == VSOCK_REQUESTED)
		good = h->op == VIRTIO_VSOCK_OP_RESPONSE && !c->owed && begin_to_guest(c);
	else
		good = hear_of_open(s, c, h, chain);
	if (!good)
		end(s, c);
}

static void hear_packet(struct vsock *s, const struct chain *chain)
{
	size_t size = iov_size(chain->read, chain->n_read);
	struct vsock_connection *c;
	struct virtio_vsock_hdr h;

	if (chain->n_write || iov_read(chain->read, chain->n_read, &h, HEADER) != HEADER ||
	    h.len > VSOCK_PACKET_MAX || h.len > size - HEADER) {
		virtio_break(&s->v, "what it sends is no packet");
		return;
	}
	if (h.src_cid != VSOCK_GUEST_CID)
		return;
	if (h.dst_cid != VSOCK_HOST_CID || h.type != VIRTIO_VSOCK_TYPE_STREAM) {
		if (h.op != VIRTIO_VSOCK_OP_RST)
			add_reset(s, (struct vsock_reset){ h.dst_cid, h.dst_port, h.src_port,
							   h.type });
		return;
	}
	c = find(s, h.dst_port, h.src_port);
	if (c)
		hear_of(s, c, &h, chain);
	else if (h.op == VIRTIO_VSOCK_OP_REQUEST)
		begin_to_host(s, &h);
	else if (h.op != VIRTIO_VSOCK_OP_RST)
		add_reset(s, (struct vsock_reset){ h.dst_cid, h.dst_port, h.src_port, h.type });
}

/* Without room for what they may be answered with, packets stay where they are. */
static void hear_guest(struct vsock *s)
{
	struct chain chain;
	unsigned turn = 0;

	while (may_reset(s) && virtio_next(&s->v, FROM_GUEST, &turn, &chain)) {
		hear_packet(s, &chain);
		if (s->v.broken)
			return;
		virtio_push(&s->v, FROM_GUEST, chain.head, 0);
	}
}

static bool take_room(struct vsock *s, size_t size)
{
	/* cppcheck-suppress uninitvar ; virtio_pop() fills it */
	if (!s->has_spare && !virtio_pop(&s->v, TO_GUEST, &s->spare))
		return false;
	s->has_spare = true;
	if (iov_size(s->spare.write, s->spare.n_write) >= size)
		return true;
	virtio_break(&s->v, "a buffer has no room for a packet");
	return false;
}

/* Into the room that was taken; what it carries is there already. */
static void put(struct vsock *s, const struct virtio_vsock_hdr *h)
{
	iov_write(s->spare.write, s->spare.n_write, h, HEADER);
	virtio_push(&s->v, TO_GUEST, s->spare.head, (uint32_t)(HEADER + h->len));
	s->has_spare = false;
}

static bool tell_reset(struct vsock *s)
{
	const struct vsock_reset *r = &s->resets[0];

	if (!take_room(s, HEADER))
		return false;
	put(s, &(struct virtio_vsock_hdr){ .src_cid = r->cid,
					   .dst_cid = VSOCK_GUEST_CID,
					   .src_port = r->host_port,
					   .dst_port = r->guest_port,
					   .type = r->type,
					   .op = VIRTIO_VSOCK_OP_RST });
	memmove(s->resets, s->resets + 1, --s->n_resets * sizeof(*s->resets));
	return true;
}

/* VIRTIO_VSOCK_OP_INVALID: nothing. */
static unsigned next_for_guest(const struct vsock_connection *c)
{
	if (c->stage != VSOCK_OPEN && c->stage != VSOCK_REQUESTED)
		return VIRTIO_VSOCK_OP_INVALID;
	if (c->owed & OWED(REQUEST))
		return VIRTIO_VSOCK_OP_REQUEST;
	if (c->owed & OWED(RESPONSE))
		return VIRTIO_VSOCK_OP_RESPONSE;
	if (c->stage != VSOCK_OPEN || c->fd < 0)
		return VIRTIO_VSOCK_OP_INVALID;
	if ((c->owed & OWED(CREDIT_UPDATE)) || c->passed - c->told >= VSOCK_WINDOW / 2)
		return VIRTIO_VSOCK_OP_CREDIT_UPDATE;
	if (c->readable && !(c->host_done & VIRTIO_VSOCK_SHUTDOWN_SEND)) {
		if (vsock_credit(c))
			return VIRTIO_VSOCK_OP_RW;
		if (!c->starved)
			return VIRTIO_VSOCK_OP_CREDIT_REQUEST;
	}
	return c->host_done & ~c->host_done_told ? VIRTIO_VSOCK_OP_SHUTDOWN
						 : VIRTIO_VSOCK_OP_INVALID;
}

/* Behind the header, at most `size` bytes. */
static int room_for_data(const struct chain *chain, size_t size, struct iovec ret[VIRTQUEUE_MAX])
{
	size_t skip = HEADER;
	int n = 0;

	for (int i = 0; i < chain->n_write && size; i++) {
		struct iovec v = chain->write[i];
		size_t before = v.iov_len < skip ? v.iov_len : skip;

		skip -= before;
		v.iov_base = (uint8_t *)v.iov_base + before;
		v.iov_len -= before;
		if (v.iov_len > size)
			v.iov_len = size;
		size -= v.iov_len;
		if (v.iov_len)
			ret[n++] = v;
	}
	return n;
}

/* What the host has written goes into the guest's memory as it is; how many bytes. */
static uint32_t read_host(struct vsock *s, struct vsock_connection *c)
{
	uint32_t credit = vsock_credit(c);
	struct iovec iov[VIRTQUEUE_MAX];
	struct msghdr m = { .msg_iov = iov };
	ssize_t n;

	m.msg_iovlen =
		(size_t)room_for_data(&s->spare,
				      credit < VSOCK_PACKET_MAX ? credit : VSOCK_PACKET_MAX, iov);
	n = recvmsg(c->fd, &m, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		c->readable = false;
		return 0;
	}
	if (n < 0)
		c->hung_up = true;
	if (n <= 0)
		c->host_done |= VIRTIO_VSOCK_SHUTDOWN_SEND;
	return n > 0 ? (uint32_t)n : 0;
}

static bool tell(struct vsock *s, struct vsock_connection *c, unsigned op)
{
	struct virtio_vsock_hdr h = { .src_cid = VSOCK_HOST_CID,
				      .dst_cid = VSOCK_GUEST_CID,
				      .src_port = c->host_port,
				      .dst_port = c->guest_port,
				      .type = VIRTIO_VSOCK_TYPE_STREAM,
				      .op = (uint16_t)op,
				      .buf_alloc = VSOCK_WINDOW,
				      .fwd_cnt = c->passed };

	if (!take_room(s, op == VIRTIO_VSOCK_OP_RW ? HEADER + 1 : HEADER))
		return false;
	if (op == VIRTIO_VSOCK_OP_RW) {
		h.len = read_host(s, c);
		c->sent += h.len;
		if (!h.len)
			return true; /* there was nothing, or its end; the room is kept */
	} else if (op == VIRTIO_VSOCK_OP_SHUTDOWN) {
		h.flags = c->host_done;
		c->host_done_told = c->host_done;
	} else if (op == VIRTIO_VSOCK_OP_CREDIT_REQUEST) {
		c->starved = true;
	}
	c->owed &= ~(1U << op);
	c->told = c->passed;
	put(s, &h);
	if (c->host_done_told == BOTH)
		close_fd(&c->fd);
	return true;
}

/* The connections in turn, one packet of each; false: nothing, or no room for it. */
static bool tell_next(struct vsock *s)
{
	if (s->n_resets)
		return tell_reset(s);
	for (size_t i = 0; i < VSOCK_CONNECTIONS; i++) {
		size_t at = (s->next + i) % VSOCK_CONNECTIONS;
		unsigned op = next_for_guest(&s->connections[at]);

		if (op == VIRTIO_VSOCK_OP_INVALID)
			continue;
		s->next = at + 1;
		return tell(s, &s->connections[at], op);
	}
	return false;
}

static void hear_host(struct vsock *s, struct vsock_connection *c)
{
	int r;

	do
		r = vsock_hear_line(c, &c->guest_port);
	while (r == 0 && c->readable);
	if (r < 0) {
		drop(c);
	} else if (r > 0) {
		c->host_port = free_port(s);
		c->stage = VSOCK_REQUESTED;
		c->owed = OWED(REQUEST);
	}
}

static void look_after(struct vsock *s, struct vsock_connection *c)
{
	if (c->hung_up)
		c->host_done |= VIRTIO_VSOCK_SHUTDOWN_RCV;
	if (c->stage == VSOCK_ASKING && c->readable)
		hear_host(s, c);
	if (c->stage == VSOCK_REQUESTED && c->hung_up) {
		if (c->owed)
			drop(c);
		else if (may_reset(s))
			end(s, c);
	}
	if (c->waiting)
		vsock_flush(c, ring_of(s, c));
	if (c->stage == VSOCK_DRAINING && !c->waiting)
		drop(c);
}

static size_t fill(const struct vsock *s, struct pollfd *p, size_t *who)
{
	bool going = virtio_is_going(&s->v);
	size_t n = POLL_CONNECTIONS;

	p[POLL_WAKE] = (struct pollfd){ .fd = s->v.wake, .events = POLLIN };
	p[POLL_LISTENER] = (struct pollfd){ .fd = going ? s->listener : -1, .events = POLLIN };
	for (size_t i = 0; i < VSOCK_CONNECTIONS; i++) {
		const struct vsock_connection *c = &s->connections[i];
		int events = c->stage == VSOCK_FREE ? -1 : vsock_events(c);

		if (events < 0)
			continue;
		who[n] = i;
		p[n++] = (struct pollfd){ .fd = c->fd, .events = (short)events };
	}
	return n;
}

static void note(struct vsock *s, const struct pollfd *p, const size_t *who, size_t n)
{
	for (size_t i = POLL_CONNECTIONS; i < n; i++) {
		struct vsock_connection *c = &s->connections[who[i]];

		if (p[i].revents & (POLLIN | POLLHUP | POLLERR))
			c->readable = true;
		if (p[i].revents & (POLLHUP | POLLERR))
			c->hung_up = true;
	}
}

/* Whether the next turn need not wait for anything. */
static bool move(struct vsock *s)
{
	int n = 0;

	hear_guest(s);
	for (size_t i = 0; i < VSOCK_CONNECTIONS; i++)
		if (s->connections[i].stage != VSOCK_FREE)
			look_after(s, &s->connections[i]);
	while (n < VIRTIO_TURN && virtio_is_going(&s->v) && tell_next(s))
		n++;
	return n == VIRTIO_TURN ||
	       (n && may_reset(s) && virtqueue_pending(&s->v.queues[FROM_GUEST]));
}

void vsock_turn(struct vsock *s, int timeout)
{
	struct pollfd p[POLLS];
	size_t who[POLLS], n;
	eventfd_t count;

	pthread_mutex_lock(&s->v.lock);
	n = fill(s, p, who);
	pthread_mutex_unlock(&s->v.lock);
	if (poll(p, n, s->again ? 0 : timeout) < 0)
		return;
	if (p[POLL_WAKE].revents)
		eventfd_read(s->v.wake, &count);
	pthread_mutex_lock(&s->v.lock);
	s->again = false;
	if (s->forgotten) {
		forget(s);
	} else {
		note(s, p, who, n);
		if (virtio_is_going(&s->v)) {
			if (p[POLL_LISTENER].revents)
				accept_host(s);
			s->again = move(s);
		}
	}
	pthread_mutex_unlock(&s->v.lock);
}

static void *work(void *arg)
{
	struct vsock *s = arg;
	bool fit;

	if (unshare(CLONE_FS) < 0)
		err_sys(&s->why, "annotation " VSOCK_ANNOTATION ": leave the others' directory");
	else if (fchdir(s->directory) < 0)
		err_sys(&s->why, "annotation " VSOCK_ANNOTATION ": enter its directory");
	close_fd(&s->directory);
	fit = s->why.code == 0 && jail_close(JAIL_VSOCK, &s->why) == 0;
	sem_post(&s->ready);
	while (fit)
		vsock_turn(s, -1);
	return NULL;
}

int vsock_start(struct vsock *s, int directory, struct err *e)
{
	pthread_t thread;
	int r;

	s->directory = directory;
	sem_init(&s->ready, 0, 0);
	r = pthread_create(&thread, NULL, work, s);
	if (r)
		return err_neg(e, -r, "start the thread of the microVM's vsock");
	while (sem_wait(&s->ready) < 0)
		;
	*e = s->why;
	return -s->why.code;
}
