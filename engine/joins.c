#include "engine/joins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "base/json_write.h"
#include "base/lock.h"
#include "network/resolv.h"

enum { JOINS_SIZE_MAX = 1024 * 1024 };

static const char file[] = "networks.json";

/* clang-format off */
JSON_TABLE(join_fields, struct join) = {
	FIELD_STRING(struct join, "network", network, REQUIRED),
	FIELD_STRING(struct join, "ip", ip, 0),
	FIELD_STRING(struct join, "ip6", ip6, 0),
	FIELD_STRING(struct join, "mac", mac, 0),
	FIELD_STRINGS(struct join, "aliases", aliases, 0),
	{ 0 },
};

JSON_TABLE(joins_fields, struct joins) = {
	FIELD_LIST(struct joins, "networks", list, join_fields, REQUIRED),
	{ 0 },
};
/* clang-format on */

int joins_lock(int dir, const char *id, struct err *e)
{
	/* An open file of its own: it is the lock that is closed, not what others hold of the directory. */
	auto_fd int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char what[RECORD_SHORT + 32];

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ENOENT, "no such container: %s", id);
	if (fd < 0)
		return err_sys(e, "open the directory of container %s", id);
	snprintf(what, sizeof(what), "the networks of container %.*s", RECORD_SHORT, id);
	TRY(lock_wait(fd, false, what, e));
	if (faccessat(fd, "container.json", F_OK, 0) < 0)
		return err_set(e, ENOENT, "no such container: %s", id);
	return take_fd(&fd);
}

int joins_read_file(int dir, struct arena *a, struct joins *ret, struct err *e)
{
	*ret = (struct joins){ 0 };
	return json_decode_file(dir, file, JOINS_SIZE_MAX, joins_fields, a, ret, e);
}

int joins_read(int dir, const struct record *r, const char *network, struct arena *a,
	       struct joins *ret, struct err *e)
{
	struct joins joins = { 0 };
	int found = joins_read_file(dir, a, &joins, e);

	if (found == -ENOENT) {
		joins.list.at = arena_array(a, 1, sizeof(*joins.list.at));
		joins.list.at[joins.list.n++] = (struct join){
			.network = network, .ip = r->ip, .mac = r->mac, .aliases = r->net_aliases
		};
	} else {
		TRY(found);
	}
	*ret = joins;
	return 0;
}

int joins_write(int dir, const struct joins *j, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct json_writer w = json_writer(&text, "  ");

	json_write_object(&w, NULL);
	json_write_array(&w, "networks");
	for (size_t i = 0; i < j->list.n; i++) {
		const struct join *it = &j->list.at[i];

		json_write_object(&w, NULL);
		json_write_string(&w, "network", it->network);
		json_write_string(&w, "ip", it->ip);
		json_write_string(&w, "ip6", it->ip6);
		json_write_string(&w, "mac", it->mac);
		json_write_strings(&w, "aliases", &it->aliases);
		json_write_end(&w);
	}
	json_write_end(&w);
	json_write_end(&w);
	buf_char(&text, '\n');
	return io_replace_file(dir, file, text.text, text.len, e);
}

static int parse_addr(const char *option, const char *text, int family, struct net_addr *ret,
		      struct err *e)
{
	if (!text)
		return 0;
	TRY(addr_parse(text, ret, e));
	if (ret->family != family)
		return err_set(e, EINVAL, "%s %s: it is an address of IPv%d", option, text,
			       ret->family == AF_INET ? 4 : 6);
	return 0;
}

int join_parse(const struct join *j, const char *name, struct arena *a, struct net_join *ret,
	       struct err *e)
{
	struct net_join join = { .network = j->network };

	TRY(parse_addr("--ip", j->ip, AF_INET, &join.ip, e));
	TRY(parse_addr("--ip6", j->ip6, AF_INET6, &join.ip6, e));
	if (j->mac)
		TRY(mac_parse(j->mac, &join.mac, e));
	join.aliases.at = arena_array(a, j->aliases.n + 1, sizeof(*join.aliases.at));
	/* A name may have more characters in a row than DNS takes. */
	if (name && host_name_check(name, NULL) == 0)
		join.aliases.at[join.aliases.n++] = name;
	for (size_t i = 0; i < j->aliases.n; i++)
		join.aliases.at[join.aliases.n++] = j->aliases.at[i];
	*ret = join;
	return 0;
}
