#include "spec/validate.h"

#include <stdlib.h>
#include <string.h>

/* The kernel's UID_GID_MAP_MAX_EXTENTS; user_namespaces(7). */
enum { MAPPINGS_MAX = 340 };

int spec_check_absolute(const struct spec_check *c, const struct json *at, const char *path)
{
	if (path[0] == '/')
		return 0;
	return CHECK_FAIL(c, at, "must be an absolute path, not %s", json_quote(path).text);
}

int spec_check_absolutes(const struct spec_check *c, const struct json *list)
{
	for (const struct json *v = list->first; v; v = v->next)
		TRY(spec_check_absolute(c, v, v->text));
	return 0;
}

int spec_check_env(const struct spec_check *c, const struct json *list)
{
	for (const struct json *v = list->first; v; v = v->next)
		if (v->text[0] == '=' || !strchr(v->text, '='))
			return CHECK_FAIL(c, v, "must have the form NAME=value, not %s",
					  json_quote(v->text).text);
	return 0;
}

static bool overlaps(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

int spec_check_mappings(const struct spec_check *c, const struct json *list,
			const struct spec_idmaps *maps)
{
	const struct json *at = list->first;

	if (maps->n > MAPPINGS_MAX)
		return CHECK_FAIL(c, list, "the kernel takes at most %d mappings", MAPPINGS_MAX);
	for (size_t i = 0; i < maps->n; i++, at = at->next) {
		const struct spec_idmap *m = &maps->at[i];

		if (m->size == 0)
			return CHECK_FAIL(c, at, "maps nothing: its size is 0");
		if ((uint64_t)m->container_id + m->size > UINT32_MAX ||
		    (uint64_t)m->host_id + m->size > UINT32_MAX)
			return CHECK_FAIL(c, at, "ids end at 4294967294");
		for (size_t j = 0; j < i; j++)
			if (overlaps(m->container_id, m->size, maps->at[j].container_id,
				     maps->at[j].size) ||
			    overlaps(m->host_id, m->size, maps->at[j].host_id, maps->at[j].size))
				return CHECK_FAIL(c, at, "overlaps mapping %zu", j);
	}
	return 0;
}

static bool take_number(const char **s, unsigned long *ret)
{
	char *end;

	if (**s < '0' || **s > '9')
		return false;
	*ret = strtoul(*s, &end, 10);
	*s = end;
	return true;
}

static bool take_range(const char **s)
{
	unsigned long first, last;

	*s += strspn(*s, " ");
	if (!take_number(s, &first))
		return false;
	if (**s == '-') {
		(*s)++;
		if (!take_number(s, &last) || last < first)
			return false;
	}
	*s += strspn(*s, " ");
	return true;
}

int spec_check_cpu_list(const struct spec_check *c, const struct json *at, const char *list)
{
	const char *s = list;
	bool good = take_range(&s);

	while (good && *s == ',') {
		s++;
		good = take_range(&s);
	}
	if (good && *s == '\0')
		return 0;
	return CHECK_FAIL(c, at, "is no list like \"0-3,7\": %s", json_quote(list).text);
}
