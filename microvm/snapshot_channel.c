/* snapshot_channel.c - see snapshot.h: frames and streams between the VMM and the agent. */
#include <errno.h>

#include "microvm/snapshot.h"

/* What may wait for the guest: a document, and all that it is answered meanwhile. */
enum { OUT_MAX = FRAME_FROM_HOST + FRAME_HEAD + 2 * MUX_ANSWERS_MAX };

static void save_stream(const struct stream *s, struct saved_out *o)
{
	saved_put_u32(o, s->fd >= 0);
	saved_put_u32(o, s->ended);
	saved_put_u32(o, s->credit);
	saved_put_counted(o, s->pending.len ? s->pending.text + s->at : NULL,
			  s->pending.len - s->at);
}

static size_t count(const struct mux *m)
{
	size_t n = 0;

	for (size_t i = 0; i < MUX_SESSIONS; i++)
		n += m->sessions[i].id != 0;
	return n;
}

void channel_save(const struct mux *m, const struct frame_reader *r, struct saved_out *o)
{
	saved_begin(o, SAVED_CHANNEL, 0);
	saved_put_counted(o, r->buf.len ? r->buf.text + r->at : NULL, r->buf.len - r->at);
	saved_put_counted(o, m->out.len ? m->out.text + m->sent : NULL, mux_waiting(m));
	saved_put_u32(o, (uint32_t)count(m));
	for (size_t i = 0; i < MUX_SESSIONS; i++) {
		const struct session *s = &m->sessions[i];

		if (!s->id)
			continue;
		saved_put_u32(o, s->id);
		saved_put_u32(o, s->over);
		saved_put_u32(o, s->status);
		for (int n = 0; n < MUX_STREAMS; n++)
			save_stream(&s->streams[n], o);
	}
}

static bool take_truth(struct saved_in *in)
{
	uint32_t value = saved_u32(in);

	if (value > 1)
		in->bad = true;
	return value == 1;
}

/* The frame that says to the guest what became of a stream whose other side is gone. */
static void abandon(struct mux *m, uint16_t session, uint8_t stream, bool sends)
{
	frame_write(&m->out, sends ? FRAME_CLOSE : FRAME_BREAK, session, stream, NULL, 0);
}

static int load_stream(struct mux *m, const struct session *session, uint8_t stream,
		       struct stream *s, struct saved_in *in, struct err *e)
{
	bool open = take_truth(in);
	const uint8_t *bytes;
	size_t n;

	s->ended = take_truth(in);
	s->credit = saved_u32(in);
	bytes = saved_counted(in, MUX_WINDOW, &n);
	if (in->bad)
		return saved_end(in, e);
	if (s->credit > MUX_WINDOW || n > MUX_WINDOW - s->credit || (s->sends && n))
		return saved_refuse(in, e, "session %u has more under way than a stream may have",
				    session->id);
	if (session->id > SESSION_INIT) {
		if (open && !(s->ended && !s->sends))
			abandon(m, session->id, stream, s->sends);
		return 0;
	}
	if (open && n)
		buf_add(&s->pending, bytes, n);
	if (!open || (s->ended && !n))
		close_fd(&s->fd);
	return 0;
}

/* The container's own is the first: it was there before all others. */
static int load_session(struct mux *m, bool first, struct saved_in *in, struct err *e)
{
	static const int none[MUX_STREAMS] = { -1, -1, -1 };
	uint32_t id = saved_u32(in), status;
	bool over = take_truth(in);
	struct session *s;

	status = saved_u32(in);
	if (in->bad)
		return saved_end(in, e);
	if (id == 0 || id > UINT16_MAX)
		return saved_refuse(in, e, "a session of number %u", id);
	s = mux_find(m, (uint16_t)id);
	if ((id == SESSION_INIT) != first || first != (s != NULL))
		return saved_refuse(in, e, "session %u is there twice, or out of turn", id);
	if (!s)
		s = mux_open(m, (uint16_t)id, none, false);
	if (!s)
		return saved_refuse(in, e, "more than %d sessions", MUX_SESSIONS);
	s->over = over;
	s->status = status;
	for (int i = 0; i < MUX_STREAMS; i++)
		TRY(load_stream(m, s, (uint8_t)i, &s->streams[i], in, e));
	return 0;
}

int channel_load(struct mux *m, struct frame_reader *r, const struct saved *s, struct err *e)
{
	const uint8_t *bytes;
	struct saved_in in;
	uint32_t sessions;
	size_t n;

	TRY(saved_part(s, SAVED_CHANNEL, 0, &in, e));
	bytes = saved_counted(&in, r->limit + FRAME_HEAD, &n);
	if (n)
		frame_reader_add(r, bytes, n);
	bytes = saved_counted(&in, OUT_MAX, &n);
	if (n)
		buf_add(&m->out, bytes, n);
	sessions = saved_u32(&in);
	if (in.bad)
		return saved_end(&in, e);
	if (sessions > MUX_SESSIONS)
		return saved_refuse(&in, e, "more than %d sessions", MUX_SESSIONS);
	for (uint32_t i = 0; i < sessions; i++)
		TRY(load_session(m, i == 0, &in, e));
	return saved_end(&in, e);
}
