#include "cgroups/previous.h"

#include <string.h>

/* Files with one line for each key, and what a key without a line has. */
static const struct {
	const char *file, *unset;
} keyed[] = {
	{ "io.max", "max" },       { "io.latency", "0" }, { "io.weight", NULL },
	{ "io.bfq.weight", NULL }, { "rdma.max", "max" }, { "misc.max", "max" },
};

/* The line of this key, without its end. */
static const char *find_line(struct arena *a, const char *content, const char *key, size_t len)
{
	for (const char *line = content; *line;) {
		size_t length = strcspn(line, "\n");

		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return arena_strndup(a, line, length);
		line += length + (line[length] == '\n');
	}
	return NULL;
}

/* "8:0 rbps=1 wbps=2" -> "8:0 rbps=max wbps=max", "sev 3" -> "sev max", "8:0 50" -> "8:0 default". */
static const char *unset_line(struct arena *a, const char *value, size_t len, const char *unset)
{
	const char *line = arena_strndup(a, value, len);

	if (!unset)
		return arena_printf(a, "%s default", line);
	for (const char *word = value + len; *word; word += strcspn(word, " ")) {
		size_t key;

		word += strspn(word, " ");
		key = strcspn(word, "= ");
		line = word[key] == '=' ? arena_printf(a, "%s %.*s=%s", line, (int)key, word, unset)
					: arena_printf(a, "%s %s", line, unset);
	}
	return line;
}

const char *cgroup_previous(struct arena *a, const char *file, const char *content,
			    const char *value)
{
	for (size_t i = 0; i < sizeof(keyed) / sizeof(keyed[0]); i++) {
		size_t len = strcspn(value, " ");
		const char *line;

		if (strcmp(keyed[i].file, file) != 0)
			continue;
		if (!value[len]) { /* a weight for all devices without one of their own */
			value = "default ";
			len = strlen("default");
		}
		line = find_line(a, content, value, len);
		return line ? line : unset_line(a, value, len, keyed[i].unset);
	}
	return *content ? arena_strdup(a, content) : "\n"; /* an empty write(2) sets nothing */
}
