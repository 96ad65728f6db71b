#include "image/fetch/headers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void headers_done(struct headers *h)
{
	buf_done(&h->type);
	buf_done(&h->challenge);
	buf_done(&h->location);
	buf_done(&h->retry_after);
}

/* Several of one name are one, with commas between (RFC 9110, 5.3). */
static void take(struct buf *to, const char *name, const char *line, size_t len)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return;
	line += n + 1;
	len -= n + 1;
	while (len && (*line == ' ' || *line == '\t'))
		line++, len--;
	while (len && strchr("\r\n \t", line[len - 1]))
		len--;
	if (!len || to->len + len > HEADER_MAX || memchr(line, '\0', len))
		return;
	if (to->len)
		buf_str(to, ", ");
	buf_add(to, line, len);
}

void headers_add(struct headers *h, const char *line, size_t len)
{
	/* After a redirect, too. */
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0) {
		buf_clear(&h->type);
		buf_clear(&h->challenge);
		buf_clear(&h->location);
		buf_clear(&h->retry_after);
	}
	take(&h->type, "content-type", line, len);
	take(&h->challenge, "www-authenticate", line, len);
	take(&h->location, "location", line, len);
	take(&h->retry_after, "retry-after", line, len);
}

unsigned long headers_wait(const struct headers *h)
{
	const char *text = h->retry_after.len ? h->retry_after.text : "";
	char *end;
	unsigned long seconds;

	if (!isdigit((unsigned char)*text))
		return 0;
	seconds = strtoul(text, &end, 10);
	return *end ? 0 : seconds;
}
