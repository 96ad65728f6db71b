#include "microvm/mux.h"

#include <errno.h>
#include <limits.h>

struct session *mux_find(struct mux *m, uint16_t id)
{
	for (size_t i = 0; id && i < MUX_SESSIONS; i++)
		if (m->sessions[i].id == id)
			return &m->sessions[i];
	return NULL;
}

struct session *mux_open(struct mux *m, uint16_t id, const int fds[MUX_STREAMS], bool inside)
{
	for (size_t i = 0; i < MUX_SESSIONS; i++) {
		struct session *s = &m->sessions[i];

		if (s->id)
			continue;
		*s = (struct session){ .id = id };
		for (int n = 0; n < MUX_STREAMS; n++)
			s->streams[n] = (struct stream){ .fd = fds[n],
							 .sends = (n == 0) != inside,
							 .credit = MUX_WINDOW };
		return s;
	}
	return NULL;
}

void mux_close(struct session *s)
{
	for (int n = 0; n < MUX_STREAMS; n++) {
		close_fd(&s->streams[n].fd);
		buf_done(&s->streams[n].pending);
	}
	*s = (struct session){ 0 };
}

void mux_done(struct mux *m)
{
	for (size_t i = 0; i < MUX_SESSIONS; i++)
		if (m->sessions[i].id)
			mux_close(&m->sessions[i]);
	buf_done(&m->out);
}

void mux_sent(struct mux *m, size_t n)
{
	m->sent += n;
	if (m->sent < m->out.len)
		return;
	buf_clear(&m->out);
	m->sent = 0;
}

static short wants(const struct mux *m, const struct stream *s)
{
	if (s->fd < 0)
		return 0;
	if (s->sends)
		return s->credit && mux_waiting(m) < MUX_OUT_MAX ? POLLIN : 0;
	return s->pending.len > s->at ? POLLOUT : 0;
}

size_t mux_poll(struct mux *m, struct pollfd *fds)
{
	m->n_polled = 0;
	for (size_t i = 0; i < MUX_SESSIONS; i++) {
		struct session *s = &m->sessions[i];

		for (int n = 0; s->id && n < MUX_STREAMS; n++) {
			short events = wants(m, &s->streams[n]);

			if (!events)
				continue;
			fds[m->n_polled] =
				(struct pollfd){ .fd = s->streams[n].fd, .events = events };
			m->polled[m->n_polled] = &s->streams[n];
			m->polled_session[m->n_polled] = s->id;
			m->polled_stream[m->n_polled++] = (uint8_t)n;
		}
	}
	return m->n_polled;
}

static void read_some(struct mux *m, struct stream *s, uint16_t session, uint8_t stream)
{
	char bytes[FRAME_DATA_MAX];
	size_t size = s->credit < sizeof(bytes) ? s->credit : sizeof(bytes);
	ssize_t n = read(s->fd, bytes, size);

	if (n > 0) {
		s->credit -= (uint32_t)n;
		frame_write(&m->out, FRAME_DATA, session, stream, bytes, (size_t)n);
		return;
	}
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	/* The end; of a terminal that nobody has open any more it is EIO. */
	close_fd(&s->fd);
	frame_write(&m->out, FRAME_CLOSE, session, stream, NULL, 0);
}

static void end_if_written(struct stream *s)
{
	if (s->ended && s->at == s->pending.len)
		close_fd(&s->fd);
}

static void write_some(struct mux *m, struct stream *s, uint16_t session, uint8_t stream)
{
	size_t size = s->pending.len - s->at;
	ssize_t n = write(s->fd, s->pending.text + s->at, size < PIPE_BUF ? size : PIPE_BUF);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) { /* nobody reads it */
		close_fd(&s->fd);
		s->at = s->pending.len;
		frame_write(&m->out, FRAME_BREAK, session, stream, NULL, 0);
		return;
	}
	s->at += (size_t)n;
	s->credit += (uint32_t)n;
	frame_write_u32(&m->out, FRAME_CREDIT, session, stream, (uint32_t)n);
	if (s->at == s->pending.len) {
		buf_clear(&s->pending);
		s->at = 0;
	}
	end_if_written(s);
}

void mux_move(struct mux *m, const struct pollfd *fds)
{
	for (size_t i = 0; i < m->n_polled; i++) {
		struct stream *s = m->polled[i];

		if (s->sends)
			s->idle = !fds[i].revents;
		if (!fds[i].revents || s->fd < 0)
			continue;
		if (s->sends)
			read_some(m, s, m->polled_session[i], m->polled_stream[i]);
		else
			write_some(m, s, m->polled_session[i], m->polled_stream[i]);
	}
	m->n_polled = 0;
}

static int take_data(struct mux *m, struct stream *s, const struct frame *f)
{
	if (s->sends || f->size == 0 || f->size > s->credit || s->ended)
		return -EPROTO;
	if (s->fd < 0) { /* given up: it was told, or never had one */
		frame_write_u32(&m->out, FRAME_CREDIT, f->session, f->stream, (uint32_t)f->size);
		return 0;
	}
	s->credit -= (uint32_t)f->size;
	buf_add(&s->pending, f->bytes, f->size);
	return 0;
}

int mux_frame(struct mux *m, const struct frame *f)
{
	struct session *session = mux_find(m, f->session);
	struct stream *s;
	uint32_t more;

	if (f->stream >= MUX_STREAMS)
		return -EPROTO;
	if (!session)
		return 0;
	s = &session->streams[f->stream];
	switch (f->type) {
	case FRAME_DATA:
		return take_data(m, s, f);
	case FRAME_CLOSE:
		if (s->sends)
			return -EPROTO;
		s->ended = true;
		end_if_written(s);
		return 0;
	case FRAME_CREDIT:
		if (!s->sends || !frame_u32(f, &more) || more > MUX_WINDOW - s->credit)
			return -EPROTO;
		s->credit += more;
		return 0;
	case FRAME_BREAK:
		if (!s->sends)
			return -EPROTO;
		close_fd(&s->fd);
		return 0;
	default:
		return -EPROTO;
	}
}

bool mux_flushed(const struct session *s)
{
	for (int n = 0; n < MUX_STREAMS; n++)
		if (!s->streams[n].sends && s->streams[n].fd >= 0 &&
		    s->streams[n].pending.len > s->streams[n].at)
			return false;
	return true;
}

bool mux_drained(const struct session *s)
{
	for (int n = 0; n < MUX_STREAMS; n++)
		if (s->streams[n].sends && s->streams[n].fd >= 0 && !s->streams[n].idle)
			return false;
	return true;
}
