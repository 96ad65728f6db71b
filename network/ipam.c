#include "network/ipam.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"

enum { LINE_MAX_ = 400 };

static void add(struct leases *l, const struct net_addr *addr, const char *container)
{
	if (l->n == l->size) {
		l->size = l->size ? l->size * 2 : 16;
		l->at = mem_grow(l->at, l->size, sizeof(*l->at));
	}
	l->at[l->n++] = (struct lease){ *addr, arena_strdup(&l->arena, container) };
}

static int parse_line(char *line, struct leases *l, struct err *e)
{
	char *space = strchr(line, ' ');
	struct net_addr addr;

	if (!space || !space[1])
		return err_set(e, EINVAL, "%s is no lease", json_quote(line).text);
	*space = '\0';
	if (strcmp(line, "last") == 0) {
		TRY(addr_parse(space + 1, &addr, e));
		*(addr.family == AF_INET ? &l->last : &l->last6) = addr;
		return 0;
	}
	TRY(addr_parse(line, &addr, e));
	add(l, &addr, space + 1);
	return 0;
}

int leases_parse(const char *name, const char *text, size_t size, struct leases *ret, struct err *e)
{
	auto_leases struct leases l = { 0 };
	const char *end = text + size;
	unsigned number = 0;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((stop ? stop : end) - text);
		char line[LINE_MAX_];
		struct err why = { 0 };

		number++;
		if (len >= sizeof(line) || memchr(text, '\0', len))
			return err_set(e, EINVAL, "leases of network %s: line %u is no lease", name,
				       number);
		memcpy(line, text, len);
		line[len] = '\0';
		if (parse_line(line, &l, &why) < 0)
			return err_set(e, EINVAL, "leases of network %s: line %u: %s", name, number,
				       why.msg);
		text += len + 1;
	}
	*ret = l;
	l = (struct leases){ 0 };
	return 0;
}

void leases_encode(const struct leases *l, struct buf *ret)
{
	buf_str(ret, "");
	if (l->last.family)
		buf_printf(ret, "last %s\n", addr_text(&l->last).text);
	if (l->last6.family)
		buf_printf(ret, "last %s\n", addr_text(&l->last6).text);
	for (size_t i = 0; i < l->n; i++)
		buf_printf(ret, "%s %s\n", addr_text(&l->at[i].addr).text, l->at[i].container);
}

void leases_done(struct leases *l)
{
	arena_done(&l->arena);
	free(l->at);
	*l = (struct leases){ 0 };
}

static const struct lease *find(const struct leases *l, const struct net_addr *addr)
{
	for (size_t i = 0; i < l->n; i++)
		if (addr_equal(&l->at[i].addr, addr))
			return &l->at[i];
	return NULL;
}

static int take_wish(const struct leases *l, const struct network *network,
		     const struct subnet *subnet, const struct net_addr *gateway,
		     const struct net_addr *wish, const char *container, struct err *e)
{
	const struct lease *other = find(l, wish);
	uint32_t offset;

	if (!subnet->base.family)
		return err_set(e, EINVAL, "address %s: network %s has no %s", addr_text(wish).text,
			       network->name, wish->family == AF_INET ? "IPv4" : "IPv6");
	if (!subnet_contains(subnet, wish))
		return err_set(e, EINVAL, "address %s is not in %s, the subnet of network %s",
			       addr_text(wish).text, subnet_text(subnet).text, network->name);
	if (addr_equal(gateway, wish))
		return err_set(e, EEXIST, "address %s is the gateway of network %s",
			       addr_text(wish).text, network->name);
	offset = subnet_offset(subnet, wish);
	if (offset == 0 || (wish->family == AF_INET && subnet->prefix > 0 &&
			    offset == (uint32_t)((UINT64_C(1) << (32 - subnet->prefix)) - 1)))
		return err_set(e, EINVAL, "address %s is no container's in subnet %s",
			       addr_text(wish).text, subnet_text(subnet).text);
	if (other && strcmp(other->container, container) != 0)
		return err_set(e, EEXIST, "address %s of network %s is that of container %s",
			       addr_text(wish).text, network->name, other->container);
	return 0;
}

static int find_free(const struct leases *l, const struct network *network,
		     const struct subnet *subnet, const struct net_addr *gateway,
		     const struct net_addr *last, struct net_addr *ret, struct err *e)
{
	uint32_t end = subnet_last_offset(subnet), start = 0;
	auto_free bool *taken = mem_zalloc((size_t)end + 1);

	taken[0] = true;
	for (size_t i = 0; i <= l->n; i++) {
		const struct net_addr *addr = i < l->n ? &l->at[i].addr : gateway;
		uint32_t offset;

		if (!subnet_contains(subnet, addr))
			continue;
		offset = subnet_offset(subnet, addr);
		if (offset <= end)
			taken[offset] = true;
	}
	if (last->family && subnet_contains(subnet, last) && subnet_offset(subnet, last) <= end)
		start = subnet_offset(subnet, last);
	for (uint32_t i = 1; i <= end + 1; i++) {
		uint32_t offset = (start + i) % (end + 1);

		if (!taken[offset]) {
			*ret = subnet_at(subnet, offset);
			return 0;
		}
	}
	return err_set(e, ENOSPC, "network %s: all addresses of %s are taken", network->name,
		       subnet_text(subnet).text);
}

int leases_take(struct leases *l, const struct network *network, int family,
		const struct net_addr *wish, const char *container, struct net_addr *ret,
		struct err *e)
{
	bool v4 = family == AF_INET;
	const struct subnet *subnet = v4 ? &network->subnet : &network->subnet6;
	const struct net_addr *gateway = v4 ? &network->gateway : &network->gateway6;
	struct net_addr *last = v4 ? &l->last : &l->last6;
	struct net_addr addr = *wish;

	if (wish->family) {
		TRY(take_wish(l, network, subnet, gateway, wish, container, e));
	} else {
		TRY(find_free(l, network, subnet, gateway, last, &addr, e));
		*last = addr;
	}
	if (!find(l, &addr))
		add(l, &addr, container);
	*ret = addr;
	return 0;
}

size_t leases_drop(struct leases *l, const char *container)
{
	size_t kept = 0, dropped;

	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->at[i].container, container) != 0)
			l->at[kept++] = l->at[i];
	dropped = l->n - kept;
	l->n = kept;
	return dropped;
}

int leases_read(int state_dir_fd, const char *network, struct leases *ret, struct err *e)
{
	char path[NAME_MAX + 1];
	auto_buf struct buf text = { 0 };
	struct err why = { 0 };
	int r;

	snprintf(path, sizeof(path), "leases/%s", network);
	r = io_read_file(state_dir_fd, path, LEASES_SIZE_MAX, path, &text, &why);
	if (r == -ENOENT) {
		*ret = (struct leases){ 0 };
		return 0;
	}
	if (r < 0)
		return err_set(e, why.code, "leases of network %s: %s", network, why.msg);
	return leases_parse(network, text.text, text.len, ret, e);
}

int leases_write(int state_dir_fd, const char *network, const struct leases *l, struct err *e)
{
	auto_buf struct buf text = { 0 };
	auto_fd int dir = -1;

	leases_encode(l, &text);
	if (text.len > LEASES_SIZE_MAX)
		return err_set(e, EFBIG,
			       "the leases of network %s would have %zu bytes, and may have %d",
			       network, text.len, LEASES_SIZE_MAX);
	if (mkdirat(state_dir_fd, "leases", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the directory of leases");
	dir = openat(state_dir_fd, "leases", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return err_sys(e, "open the directory of leases");
	return io_replace_file(dir, network, text.text, text.len, e);
}
