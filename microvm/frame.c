#include "microvm/frame.h"

#include <errno.h>
#include <string.h>

void frame_reader_init(struct frame_reader *r, size_t limit)
{
	*r = (struct frame_reader){ .limit = limit };
}

void frame_reader_done(struct frame_reader *r)
{
	buf_done(&r->buf);
}

void frame_reader_add(struct frame_reader *r, const void *bytes, size_t size)
{
	if (r->at == r->buf.len) {
		buf_clear(&r->buf);
	} else if (r->at) {
		memmove(r->buf.text, r->buf.text + r->at, r->buf.len - r->at);
		r->buf.len -= r->at;
	}
	r->at = 0;
	buf_add(&r->buf, bytes, size);
}

int frame_reader_next(struct frame_reader *r, struct frame *ret)
{
	const uint8_t *head;
	uint32_t size;
	uint16_t session;

	if (r->buf.len - r->at < FRAME_HEAD)
		return 0;
	head = (const uint8_t *)r->buf.text + r->at;
	memcpy(&size, head, sizeof(size));
	memcpy(&session, head + 4, sizeof(session));
	if (size > r->limit || head[6] == 0 || head[6] >= FRAME_TYPES)
		return -EPROTO;
	if (r->buf.len - r->at - FRAME_HEAD < size)
		return 0;
	*ret = (struct frame){ .type = (enum frame_type)head[6],
			       .session = session,
			       .stream = head[7],
			       .bytes = head + FRAME_HEAD,
			       .size = size };
	r->at += FRAME_HEAD + size;
	return 1;
}

void frame_write(struct buf *out, enum frame_type type, uint16_t session, uint8_t stream,
		 const void *bytes, size_t size)
{
	uint8_t head[FRAME_HEAD];
	uint32_t size32 = (uint32_t)size;

	memcpy(head, &size32, sizeof(size32));
	memcpy(head + 4, &session, sizeof(session));
	head[6] = (uint8_t)type;
	head[7] = stream;
	buf_add(out, head, sizeof(head));
	if (size)
		buf_add(out, bytes, size);
}

void frame_write_u32(struct buf *out, enum frame_type type, uint16_t session, uint8_t stream,
		     uint32_t value)
{
	frame_write(out, type, session, stream, &value, sizeof(value));
}

bool frame_u32(const struct frame *f, uint32_t *ret)
{
	if (f->size != sizeof(*ret))
		return false;
	memcpy(ret, f->bytes, sizeof(*ret));
	return true;
}
