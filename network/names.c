#include "network/names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/mem.h"

enum { LINE_SIZE = 640 };

void names_add(struct names *n, const struct net_addr *addr, const char *container,
	       const char *name)
{
	char *copy = arena_strdup(&n->arena, name);

	for (char *c = copy; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	for (size_t i = 0; i < n->n; i++)
		if (addr_equal(&n->at[i].addr, addr) && strcmp(n->at[i].name, copy) == 0)
			return;
	if (n->n == n->size) {
		n->size = n->size ? n->size * 2 : 16;
		n->at = mem_grow(n->at, n->size, sizeof(*n->at));
	}
	n->at[n->n++] = (struct name_row){ *addr, arena_strdup(&n->arena, container), copy };
}

void names_add_also(struct names *n, const char *container, const char *network)
{
	n->also = mem_grow(n->also, n->n_also + 1, sizeof(*n->also));
	n->also[n->n_also++] = (struct name_also){ arena_strdup(&n->arena, container),
						   arena_strdup(&n->arena, network) };
}

static void parse_line(char *line, struct names *n)
{
	char *first = strchr(line, ' '), *second = first ? strchr(first + 1, ' ') : NULL;
	struct net_addr addr;

	if (!first)
		return;
	*first++ = '\0';
	if (strcmp(line, "upstream") == 0) {
		if (n->n_upstream < NAMES_UPSTREAM_MAX && addr_parse(first, &addr, NULL) == 0)
			n->upstream[n->n_upstream++] = addr;
		return;
	}
	if (!second)
		return;
	*second++ = '\0';
	if (strcmp(line, "also") == 0) {
		if (*first && network_name_check(second, NULL) == 0)
			names_add_also(n, first, second);
		return;
	}
	if (addr_parse(line, &addr, NULL) == 0 && *first && host_name_check(second, NULL) == 0)
		names_add(n, &addr, first, second);
}

void names_parse(const char *text, size_t size, struct names *ret)
{
	struct names n = { 0 };
	const char *end = text + size;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((stop ? stop : end) - text);
		char line[LINE_SIZE];

		if (len < sizeof(line) && !memchr(text, '\0', len)) {
			memcpy(line, text, len);
			line[len] = '\0';
			parse_line(line, &n);
		}
		text += len + 1;
	}
	*ret = n;
}

void names_encode(const struct names *n, struct buf *ret)
{
	buf_str(ret, "");
	for (size_t i = 0; i < n->n_upstream; i++)
		buf_printf(ret, "upstream %s\n", addr_text(&n->upstream[i]).text);
	for (size_t i = 0; i < n->n_also; i++)
		buf_printf(ret, "also %s %s\n", n->also[i].container, n->also[i].network);
	for (size_t i = 0; i < n->n; i++)
		buf_printf(ret, "%s %s %s\n", addr_text(&n->at[i].addr).text, n->at[i].container,
			   n->at[i].name);
}

void names_done(struct names *n)
{
	arena_done(&n->arena);
	free(n->at);
	free(n->also);
	*n = (struct names){ 0 };
}

void names_drop_also(struct names *n, const char *container, const char *network)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->n_also; i++)
		if (strcmp(n->also[i].container, container) != 0 ||
		    strcmp(n->also[i].network, network) != 0)
			n->also[kept++] = n->also[i];
	n->n_also = kept;
}

size_t names_drop(struct names *n, const char *container)
{
	size_t kept = 0, dropped;

	for (size_t i = 0; i < n->n; i++)
		if (strcmp(n->at[i].container, container) != 0)
			n->at[kept++] = n->at[i];
	dropped = n->n - kept;
	n->n = kept;
	kept = 0;
	for (size_t i = 0; i < n->n_also; i++)
		if (strcmp(n->also[i].container, container) != 0)
			n->also[kept++] = n->also[i];
	n->n_also = kept;
	return dropped;
}

size_t names_find(const struct names *n, const char *name, int family, struct net_addr *ret,
		  size_t max, bool *known)
{
	size_t found = 0;

	*known = false;
	for (size_t i = 0; i < n->n; i++) {
		if (strcmp(n->at[i].name, name) != 0)
			continue;
		*known = true;
		if (n->at[i].addr.family == family && found < max)
			ret[found++] = n->at[i].addr;
	}
	return found;
}

const char *names_owner(const struct names *n, const struct net_addr *addr)
{
	for (size_t i = 0; i < n->n; i++)
		if (addr_equal(&n->at[i].addr, addr))
			return n->at[i].container;
	return NULL;
}

const char *names_of(const struct names *n, const struct net_addr *addr)
{
	for (size_t i = 0; i < n->n; i++)
		if (addr_equal(&n->at[i].addr, addr))
			return n->at[i].name;
	return NULL;
}

int names_read(int state_dir_fd, const char *network, struct names *ret, struct err *e)
{
	char path[NAME_MAX + 1];
	auto_buf struct buf text = { 0 };
	struct err why = { 0 };
	int r;

	snprintf(path, sizeof(path), "names/%s", network);
	r = io_read_file(state_dir_fd, path, NAMES_SIZE_MAX, path, &text, &why);
	if (r < 0 && r != -ENOENT)
		return err_set(e, why.code, "names of network %s: %s", network, why.msg);
	names_parse(text.text ? text.text : "", text.len, ret);
	return 0;
}

int names_write(int state_dir_fd, const char *network, const struct names *n, struct err *e)
{
	auto_buf struct buf text = { 0 };
	auto_fd int dir = -1;

	names_encode(n, &text);
	/* Nobody could read it any more, and so nobody leave the network. */
	if (text.len > NAMES_SIZE_MAX)
		return err_set(e, EFBIG,
			       "the names of network %s would have %zu bytes, and may have %d",
			       network, text.len, NAMES_SIZE_MAX);
	if (mkdirat(state_dir_fd, "names", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the directory of names");
	dir = openat(state_dir_fd, "names", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return err_sys(e, "open the directory of names");
	return io_replace_file(dir, network, text.text, text.len, e);
}
