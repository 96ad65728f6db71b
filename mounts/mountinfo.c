#include "mounts/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "base/util.h"

enum {
	LIMIT = 16 << 20, /* bytes: a hundred thousand mounts */
	ID = 0,
	DEVICE = 2,
	ROOT,
	PATH,
	FIXED = 6, /* fields before the optional ones */
};

/* The kernel writes space, tab, newline and backslash as octal numbers. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from;) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
				       (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

static bool parse_line(char *line, struct mountinfo_entry *ret)
{
	char *fields[FIXED] = { 0 }, *word, *rest = line;

	for (int i = 0; i < FIXED; i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return false;
	}
	do
		word = strsep(&rest, " ");
	while (word && strcmp(word, "-") != 0);
	word = strsep(&rest, " ");
	if (!word || !rest)
		return false;
	unescape(fields[ROOT]);
	unescape(fields[PATH]);
	unescape(word);
	*ret = (struct mountinfo_entry){
		.id = fields[ID],
		.device = fields[DEVICE],
		.root = fields[ROOT],
		.path = fields[PATH],
		.type = word,
	};
	return true;
}

int mountinfo_parse(const struct buf *text, struct arena *a, mountinfo *ret, struct err *e)
{
	char *copy = arena_strndup(a, text->text ? text->text : "", text->len);
	size_t lines = 0;

	for (const char *at = copy; (at = strchr(at, '\n')); at++)
		lines++;
	ret->n = 0;
	ret->at = arena_array(a, lines + 1, sizeof(*ret->at));
	for (char *line; (line = strsep(&copy, "\n"));) {
		if (!*line)
			continue;
		if (!parse_line(line, &ret->at[ret->n]))
			return err_set(e, EINVAL, "mountinfo, mount %zu: not the kernel's form",
				       ret->n + 1);
		ret->n++;
	}
	return 0;
}

int mountinfo_read(const char *file, struct arena *a, mountinfo *ret, struct err *e)
{
	auto_fd int fd = open(file, O_RDONLY | O_CLOEXEC);
	auto_buf struct buf text = { 0 };
	int r;

	if (fd < 0)
		return err_sys(e, "open %s", file);
	r = io_slurp(fd, LIMIT, &text);
	if (r < 0)
		return err_neg(e, r, "read %s", file);
	return mountinfo_parse(&text, a, ret, e);
}

const struct mountinfo_entry *mountinfo_find_device(const mountinfo *list, const char *device)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i].device, device) == 0)
			return &list->at[i];
	return NULL;
}
