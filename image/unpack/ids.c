#include "image/unpack/ids.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"

/* Digits and what must follow them; moves *at behind that. */
static bool take_number(const char **at, const char *ends, uint32_t *ret)
{
	uint64_t n = 0;
	const char *c = *at;

	if (*c < '0' || *c > '9')
		return false;
	for (; *c >= '0' && *c <= '9'; c++) {
		n = n * 10 + (uint64_t)(*c - '0');
		if (n > UINT32_MAX)
			return false;
	}
	if (*c == '\0' ? !strchr(ends, '\n') : !strchr(ends, *c))
		return false;
	*at = *c ? c + 1 : c;
	*ret = (uint32_t)n;
	return true;
}

static bool take_row(const char **at, struct ids_row *ret)
{
	const char *c = *at;

	if ((c[0] != 'u' && c[0] != 'g') || c[1] != ':')
		return false;
	ret->kind = c[0];
	c += 2;
	if (!take_number(&c, ":", &ret->from) || !take_number(&c, ":", &ret->to) ||
	    !take_number(&c, ",\n", &ret->count))
		return false;
	/* 2^32-1 is no id. */
	if (ret->count == 0 || ret->count > UINT32_MAX - ret->from ||
	    ret->count > UINT32_MAX - ret->to)
		return false;
	*at = c;
	return true;
}

int ids_parse(struct ids *ret, const char *text, struct err *e)
{
	const char *at = text;

	*ret = (struct ids){ .squash = strcmp(text, "squash") == 0 };
	if (ret->squash)
		return 0;
	while (*at) {
		if (ret->n == ARRAY_LEN(ret->rows))
			return err_set(e, EINVAL, "--ids has more than %d rows", IDS_ROWS_MAX);
		if (!take_row(&at, &ret->rows[ret->n]))
			return err_set(e, EINVAL,
				       "--ids wants squash or rows like u:0:100000:65536, not %s",
				       json_quote(at).text);
		ret->n++;
	}
	if (ret->n == 0)
		return err_set(e, EINVAL, "--ids has no rows");
	return 0;
}

int ids_map(const struct ids *ids, char kind, uint32_t id, uint32_t *ret, struct err *e)
{
	if (ids->n == 0) {
		*ret = id;
		return 0;
	}
	for (size_t i = 0; i < ids->n; i++) {
		const struct ids_row *row = &ids->rows[i];

		if (row->kind == kind && id >= row->from && id - row->from < row->count) {
			*ret = row->to + (id - row->from);
			return 0;
		}
	}
	return err_set(e, EINVAL, "its %s %u has no place in the map of ids",
		       kind == 'u' ? "owner" : "group", id);
}
