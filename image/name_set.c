#include "image/name_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void name_set_add(struct name_set *s, const char *name)
{
	if (s->n == s->size) {
		s->size = s->size ? 2 * s->size : 64;
		s->at = mem_grow(s->at, s->size, sizeof(*s->at));
	}
	s->at[s->n++] = mem_strdup(name);
	s->sorted = false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool name_set_has(struct name_set *s, const char *name)
{
	if (s->n == 0)
		return false;
	if (!s->sorted)
		qsort(s->at, s->n, sizeof(*s->at), compare);
	s->sorted = true;
	return bsearch(&name, s->at, s->n, sizeof(*s->at), compare) != NULL;
}

void name_set_done(struct name_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->at[i]);
	free(s->at);
	*s = (struct name_set){ 0 };
}
