#include "microvm/document.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <string.h>

struct head {
	uint32_t text, instructions, flags;
};

void document_write(const struct document *d, struct buf *ret)
{
	const struct head h = { (uint32_t)d->size, (uint32_t)d->filter.n, d->filter.flags };

	buf_add(ret, &h, sizeof(h));
	buf_add(ret, d->text, d->size);
	if (d->filter.n)
		buf_add(ret, d->filter.at, d->filter.n * sizeof(*d->filter.at));
}

int document_read(const void *bytes, size_t size, struct arena *a, struct document *ret)
{
	struct head h;

	*ret = (struct document){ 0 };
	if (size < sizeof(h))
		return -EPROTO;
	memcpy(&h, bytes, sizeof(h));
	size -= sizeof(h);
	if (h.text > size || h.instructions > BPF_MAXINSNS ||
	    size - h.text != h.instructions * sizeof(struct sock_filter))
		return -EPROTO;
	ret->text = (const char *)bytes + sizeof(h);
	ret->size = h.text;
	if (h.instructions == 0)
		return 0;
	ret->filter.at = arena_array(a, h.instructions, sizeof(*ret->filter.at));
	ret->filter.n = h.instructions;
	ret->filter.flags = h.flags;
	memcpy(ret->filter.at, ret->text + h.text, h.instructions * sizeof(*ret->filter.at));
	return 0;
}
