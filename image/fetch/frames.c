#include "image/fetch/frames.h"

#include <errno.h>
#include <string.h>

#include "base/io.h"

int frame_send(int fd, char what, const void *bytes, size_t len)
{
	unsigned char head[5] = { (unsigned char)what, len & 0xff, len >> 8 & 0xff,
				  len >> 16 & 0xff, len >> 24 & 0xff };

	if (len > FRAME_MAX)
		return -EMSGSIZE;
	TRY(io_write_all(fd, head, sizeof(head)));
	return len ? io_write_all(fd, bytes, len) : 0;
}

int frame_receive(int fd, struct frame *ret)
{
	unsigned char head[5];
	ssize_t n = io_read_all(fd, head, sizeof(head));

	if (n < 0)
		return (int)n;
	if (n != (ssize_t)sizeof(head))
		return -ECONNRESET;
	ret->what = (char)head[0];
	ret->len = (uint32_t)head[1] | (uint32_t)head[2] << 8 | (uint32_t)head[3] << 16 |
		   (uint32_t)head[4] << 24;
	if (ret->len > FRAME_MAX || !strchr("HDEF", ret->what) || !ret->what)
		return -EPROTO;
	n = ret->len ? io_read_all(fd, ret->bytes, ret->len) : 0;
	if (n < 0)
		return (int)n;
	return n == (ssize_t)ret->len ? 0 : -ECONNRESET;
}
