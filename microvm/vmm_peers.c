/*
 * vmm_peers.c - frames of the guest, and the commands at the control socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/log.h"
#include "microvm/control.h"
#include "microvm/vmm.h"
#include "runtime/handshake.h"

static void answer(struct vmm_peer *p, enum control_say say, uint32_t value, const struct err *why)
{
	struct control_message m = { .say = say, .value = value };

	if (why)
		m.err = *why;
	/* A command that is gone does not want to know. */
	if (io_send_fds(p->fd, &m, sizeof(m), NULL, 0) < 0)
		log_debug("a command at the control socket is gone");
}

static void drop(struct vmm_peer *p)
{
	close_fd(&p->fd);
	p->session = 0;
	p->network = false;
}

static void refuse(struct vmm_peer *p, const struct err *why)
{
	answer(p, CONTROL_FAILED, 0, why);
	drop(p);
}

static struct vmm_peer *peer_of(struct vmm *v, uint16_t session)
{
	for (size_t i = 0; i < VMM_PEERS; i++)
		if (v->peers[i].fd >= 0 && v->peers[i].session == session)
			return &v->peers[i];
	return NULL;
}

/* The guest's words: one line of what can be printed, and no more than fits. */
static void read_failure(const struct frame *f, struct err *ret)
{
	size_t n = f->size > 4 ? f->size - 4 : 0;
	uint32_t code = EIO;

	*ret = (struct err){ 0 };
	if (f->size >= 4)
		memcpy(&code, f->bytes, 4);
	ret->code = code > 0 && code < 4096 ? (int)code : EIO;
	if (n >= sizeof(ret->msg))
		n = sizeof(ret->msg) - 1;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = f->bytes[4 + i];

		ret->msg[i] = (c >= ' ' && c != 0x7f) ? (char)c : '?';
	}
}

/* Of the container's own process: whoever waits for it gets the error, and there is no container. */
static int init_failed(struct vmm *v, const struct err *why)
{
	if (v->state == VMM_MAKING)
		handshake_fail(v->sock, why);
	else if (v->state == VMM_STARTING)
		handshake_fail(v->conn >= 0 ? v->conn : v->sock, why);
	else
		return -EPROTO;
	_exit(255);
}

static int init_created(struct vmm *v, struct err *e)
{
	if (v->state != VMM_MAKING)
		return -EPROTO;
	v->state = VMM_CREATED;
	if (prctl(PR_SET_PDEATHSIG, 0) < 0)
		return err_sys(e, "clear the parent's death signal");
	return handshake_send(v->sock, SAY_CREATED, 0, -1, e);
}

static int init_started(struct vmm *v)
{
	if (v->state != VMM_STARTING)
		return -EPROTO;
	v->state = VMM_RUNNING;
	close_fd(&v->conn); /* the end of file is what whoever starts waits for */
	close_fd(&v->sock);
	return 0;
}

static int about_init(struct vmm *v, const struct frame *f, struct err *e)
{
	struct err why;
	uint32_t status;

	switch (f->type) {
	case FRAME_CREATED:
		return init_created(v, e);
	case FRAME_STARTED:
		return init_started(v);
	case FRAME_FAILED:
		read_failure(f, &why);
		return init_failed(v, &why);
	case FRAME_EXITED:
		if (!frame_u32(f, &status) || v->state < VMM_CREATED)
			return -EPROTO;
		v->status = (int)status;
		v->state = VMM_ENDING;
		return 0;
	default:
		return -EPROTO;
	}
}

static void answer_network(struct vmm *v, enum control_say say, const struct err *why)
{
	for (size_t i = 0; i < VMM_PEERS; i++)
		if (v->peers[i].fd >= 0 && v->peers[i].network) {
			answer(&v->peers[i], say, v->network == VMM_NETWORK_THERE, why);
			v->peers[i].network = false;
		}
}

/* A guest without the network that it was to have is no container. */
static int about_network(struct vmm *v, const struct frame *f)
{
	struct err why;

	if (v->network != VMM_NETWORK_ASKED)
		return -EPROTO;
	if (f->type == FRAME_NETWORK) {
		v->network = VMM_NETWORK_THERE;
		answer_network(v, CONTROL_DONE, NULL);
		return 0;
	}
	if (f->type != FRAME_FAILED)
		return -EPROTO;
	read_failure(f, &why);
	answer_network(v, CONTROL_FAILED, &why);
	if (v->state == VMM_STARTING)
		handshake_fail(v->conn >= 0 ? v->conn : v->sock, &why);
	_exit(255);
}

static int about_exec(struct vmm *v, const struct frame *f)
{
	struct vmm_peer *p = peer_of(v, f->session);
	struct session *s = mux_find(&v->mux, f->session);
	struct err why;
	uint32_t status;

	if (!s)
		return -EPROTO;
	switch (f->type) {
	case FRAME_STARTED:
		if (p)
			answer(p, CONTROL_STARTED, 0, NULL);
		return 0;
	case FRAME_FAILED:
		read_failure(f, &why);
		if (p)
			answer(p, CONTROL_FAILED, 0, &why);
		break;
	case FRAME_EXITED:
		if (!frame_u32(f, &status))
			return -EPROTO;
		s->over = true; /* what it wrote comes first: vmm_finish() */
		s->status = status;
		return 0;
	default:
		return -EPROTO;
	}
	mux_close(s);
	if (p)
		drop(p);
	return 0;
}

void vmm_finish(struct vmm *v)
{
	for (size_t i = 0; i < MUX_SESSIONS; i++) {
		struct session *s = &v->mux.sessions[i];
		struct vmm_peer *p;

		if (s->id <= SESSION_INIT || !s->over || !mux_flushed(s))
			continue;
		p = peer_of(v, s->id);
		if (p) {
			answer(p, CONTROL_EXITED, s->status, NULL);
			drop(p);
		}
		mux_close(s);
	}
}

int vmm_frame(struct vmm *v, const struct frame *f, struct err *e)
{
	uint32_t version;
	int r;

	switch (f->type) {
	case FRAME_HELLO:
		if (v->state != VMM_BOOTING || !frame_u32(f, &version) || version != FRAME_VERSION)
			r = -EPROTO;
		else
			r = 1;
		break;
	case FRAME_DATA:
	case FRAME_CLOSE:
	case FRAME_CREDIT:
	case FRAME_BREAK:
		r = mux_frame(&v->mux, f);
		break;
	default:
		if (f->session == 0)
			r = about_network(v, f);
		else
			r = f->session == SESSION_INIT ? about_init(v, f, e) : about_exec(v, f);
	}
	if (r == -EPROTO)
		return err_set(e, EPROTO, "the guest sent a message of type %d out of turn",
			       (int)f->type);
	return r;
}

void vmm_accept(struct vmm *v)
{
	int fd = accept4((int)v->options.control, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < VMM_PEERS; i++) {
		if (v->peers[i].fd >= 0)
			continue;
		v->peers[i] = (struct vmm_peer){ .fd = take_fd(&fd) };
	}
	if (fd >= 0) {
		log_warn("more than %d commands at a time for a microVM", VMM_PEERS);
		close(fd);
	}
}

static int read_document(int fd, const char *what, struct buf *ret, struct err *e)
{
	struct stat st;
	void *at;

	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > FRAME_FROM_HOST)
		return err_set(e, EINVAL, "%s can't be read", what);
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return err_sys(e, "read %s", what);
	buf_add(ret, at, (size_t)st.st_size);
	munmap(at, (size_t)st.st_size);
	return 0;
}

static uint16_t free_session(struct vmm *v)
{
	do
		v->next_session = v->next_session == UINT16_MAX ? SESSION_INIT + 1
								: (uint16_t)(v->next_session + 1);
	while (v->next_session <= SESSION_INIT || mux_find(&v->mux, v->next_session));
	return v->next_session;
}

void vmm_send_size(struct vmm *v, uint16_t session, uint16_t rows, uint16_t columns)
{
	frame_write_u32(&v->mux.out, FRAME_SIZE, session, 0, (uint32_t)rows << 16 | columns);
}

static int begin_exec(struct vmm *v, struct vmm_peer *p, const struct control_message *m,
		      int fds[CONTROL_FDS], struct err *e)
{
	auto_buf struct buf document = { 0 };
	struct session *s;

	if (v->state != VMM_RUNNING && v->state != VMM_CREATED)
		return err_set(e, ESRCH, "cannot exec in a stopped container");
	if (p->session || fds[0] < 0)
		return err_set(e, EINVAL, "exec: a message out of turn");
	TRY(read_document(fds[0], "the process document", &document, e));
	p->session = free_session(v);
	s = mux_open(&v->mux, p->session, fds + 1, false);
	if (!s)
		return err_set(e, EAGAIN, "exec: the microVM has %d processes from outside already",
			       MUX_SESSIONS);
	fds[1] = fds[2] = fds[3] = -1; /* the session's now */
	frame_write(&v->mux.out, FRAME_EXEC, p->session, 0, document.text, document.len);
	if (m->value)
		vmm_send_size(v, p->session, m->rows, m->columns);
	return 0;
}

/* Its devices come onto the bus, and the guest hears what to make of them. */
static void plug_in(struct vmm *v, const struct guest_network *n, int *taps)
{
	for (size_t i = 0; i < n->n_links; i++) {
		struct net *net = &v->nets[i];

		net->tap = take_fd(&taps[i]);
		net->mac = n->links[i].mac;
		net->mtu = (uint16_t)n->links[i].mtu;
		virtio_set_absent(&net->v, false);
	}
	frame_write(&v->mux.out, FRAME_NETWORK, 0, 0, n, sizeof(*n));
	v->network = VMM_NETWORK_ASKED;
}

static int begin_network(struct vmm *v, int fds[CONTROL_FDS], struct err *e)
{
	static struct guest_network n;
	auto_buf struct buf document = { 0 };

	if (v->state != VMM_CREATED || v->network != VMM_NO_NETWORK)
		return err_set(e, EINVAL, "a network comes before the start, and once");
	TRY(read_document(fds[0], "the network", &document, e));
	if (guest_network_read(document.text, document.len, &n) < 0)
		return err_set(e, EPROTO, "what was sent is no network");
	for (size_t i = 0; i < n.n_links; i++)
		if (fds[1 + i] < 0 || n.links[i].mtu > UINT16_MAX)
			return err_set(e, EPROTO, "a network of %u taps came without them",
				       n.n_links);
	plug_in(v, &n, fds + 1);
	return 0;
}

/* Without descriptors it asks whether there is one. */
static void hear_network(struct vmm *v, struct vmm_peer *p, int fds[CONTROL_FDS])
{
	struct err e = { 0 };

	if (fds[0] >= 0 && begin_network(v, fds, &e) < 0)
		answer(p, CONTROL_FAILED, 0, &e);
	else if (v->network == VMM_NETWORK_ASKED)
		p->network = true;
	else
		answer(p, CONTROL_DONE, v->network == VMM_NETWORK_THERE, NULL);
}

/* A question to the agent: a session without a process, whose output is the answer. */
static int begin_question(struct vmm *v, struct vmm_peer *p, enum frame_type type, uint32_t value,
			  int *out, struct err *e)
{
	const int fds[MUX_STREAMS] = { -1, *out, -1 };

	if (v->state != VMM_RUNNING && v->state != VMM_CREATED)
		return err_set(e, ESRCH, "the container has stopped");
	if (p->session)
		return err_set(e, EINVAL, "a message out of turn");
	p->session = free_session(v);
	if (!mux_open(&v->mux, p->session, fds, false))
		return err_set(e, EAGAIN, "the microVM has %d processes from outside already",
			       MUX_SESSIONS);
	*out = -1; /* the session's now */
	frame_write_u32(&v->mux.out, type, p->session, 0, value);
	return 0;
}

void vmm_hear(struct vmm *v, struct vmm_peer *p)
{
	int fds[CONTROL_FDS];
	struct control_message m;
	struct err e = { 0 };
	ssize_t n = io_recv_fds(p->fd, &m, sizeof(m), fds, CONTROL_FDS);

	if (n != sizeof(m)) { /* gone; what it started goes on */
		drop(p);
	} else if (m.say == CONTROL_EXEC) {
		if (begin_exec(v, p, &m, fds, &e) < 0)
			refuse(p, &e);
	} else if (m.say == CONTROL_LIST || m.say == CONTROL_LIMIT) {
		enum frame_type type = m.say == CONTROL_LIST ? FRAME_LIST : FRAME_LIMIT;

		if (begin_question(v, p, type, m.value, &fds[0], &e) < 0)
			refuse(p, &e);
	} else if (m.say == CONTROL_SIGNAL && p->session) {
		frame_write_u32(&v->mux.out, FRAME_SIGNAL, p->session, 0, m.value);
	} else if (m.say == CONTROL_SIGNAL_ALL) {
		frame_write_u32(&v->mux.out, FRAME_SIGNAL, SESSION_INIT, 1, m.value);
		answer(p, CONTROL_DONE, 0, NULL);
	} else if (m.say == CONTROL_BALLOON) {
		answer(p, CONTROL_DONE, balloon_ask(&v->balloon, m.value), NULL);
	} else if (m.say == CONTROL_SIZE && p->session) {
		vmm_send_size(v, p->session, m.rows, m.columns);
	} else if (m.say == CONTROL_NETWORK) {
		hear_network(v, p, fds);
	}
	for (int i = 0; i < CONTROL_FDS; i++)
		close_fd(&fds[i]);
}
