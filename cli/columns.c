#include "cli/columns.h"

#include <string.h>

#include "base/mem.h"

enum { COLUMN_GAP = 3 };

/* Characters, not bytes, of UTF-8. */
static size_t width_of(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static size_t count_tabs(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\t';
	return n;
}

/* Of each column, the widest cell; there are not more columns than tabs and one. */
static void measure(const char *text, size_t *widths)
{
	size_t column = 0, len;

	for (; *text; text += len + (text[len] != '\0')) {
		size_t width;

		len = strcspn(text, "\t\n");
		width = width_of(text, len);
		if (width > widths[column])
			widths[column] = width;
		column = text[len] == '\t' ? column + 1 : 0;
	}
}

void columns_print(const char *text, struct buf *ret)
{
	size_t n = count_tabs(text) + 1, column = 0, len;
	auto_free size_t *widths = mem_grow(NULL, n, sizeof(*widths));

	memset(widths, 0, n * sizeof(*widths));
	measure(text, widths);
	buf_str(ret, "");
	for (; *text; text += len + (text[len] != '\0')) {
		len = strcspn(text, "\t\n");
		buf_add(ret, text, len);
		if (text[len] == '\t') {
			size_t blanks = widths[column++] - width_of(text, len) + COLUMN_GAP;

			buf_printf(ret, "%*s", (int)blanks, "");
		} else if (text[len]) {
			buf_char(ret, '\n');
			column = 0;
		}
	}
}
