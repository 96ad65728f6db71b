#include "network/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json_decode.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "network/link.h"
#include "network/lock.h"

enum {
	CONFIG_VERSION = 1,
	CONFIG_SIZE_MAX = 64 * 1024,
	DEFAULT_PREFIX = 20, /* of the default network: 4093 containers */
	CHOSEN_PREFIX = 24,
	MTU_MIN = 576,
	MTU_MIN_IPV6 = 1280,
	MTU_MAX = 65535,
	BRIDGES_MAX = 10000,
};

/* Where subnets are chosen from: 10.76.0.0/14. Nothing else is known to choose there. */
static const struct subnet pool = { { AF_INET, { 10, 76 } }, 14 };

static const struct json_name drivers[] = {
	{ "bridge", NETWORK_BRIDGE },
	{ "macvlan", NETWORK_MACVLAN },
	{ "ipvlan", NETWORK_IPVLAN },
	{ 0 },
};

/* A network as it is in its file. */
struct stored {
	uint32_t version, mtu;
	int driver;
	const char *name, *link, *subnet, *gateway, *subnet6, *gateway6;
	bool internal;
};

JSON_TABLE(stored_fields, struct stored) = {
	FIELD_U32(struct stored, "version", version, REQUIRED),
	FIELD_STRING(struct stored, "name", name, REQUIRED),
	FIELD_ENUM(struct stored, "driver", driver, drivers, REQUIRED),
	FIELD_STRING(struct stored, "link", link, REQUIRED),
	FIELD_STRING(struct stored, "subnet", subnet, 0),
	FIELD_STRING(struct stored, "gateway", gateway, 0),
	FIELD_STRING(struct stored, "subnet6", subnet6, 0),
	FIELD_STRING(struct stored, "gateway6", gateway6, 0),
	FIELD_BOOL(struct stored, "internal", internal, REQUIRED),
	FIELD_U32(struct stored, "mtu", mtu, REQUIRED),
	{ 0 },
};

const char *network_driver_name(enum network_driver driver)
{
	return driver == NETWORK_CNI ? "cni" : json_name_of(drivers, (int)driver);
}

int network_driver_parse(const char *name, enum network_driver *ret)
{
	for (const struct json_name *d = drivers; d->name; d++) {
		if (strcmp(d->name, name) == 0) {
			*ret = (enum network_driver)d->value;
			return 0;
		}
	}
	return -EINVAL;
}

/*
 * Planning
 */

static bool has_link(const struct network_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->links.n; i++)
		if (strcmp(facts->links.at[i], name) == 0)
			return true;
	for (size_t i = 0; i < facts->networks.n; i++)
		if (facts->networks.at[i].driver == NETWORK_BRIDGE &&
		    strcmp(facts->networks.at[i].link, name) == 0)
			return true;
	return false;
}

static const struct network *overlapped(const struct network_facts *facts, const struct subnet *s)
{
	for (size_t i = 0; i < facts->networks.n; i++)
		if (subnet_overlaps(&facts->networks.at[i].subnet, s) ||
		    subnet_overlaps(&facts->networks.at[i].subnet6, s))
			return &facts->networks.at[i];
	return NULL;
}

static const struct subnet *overlapped_route(const struct network_facts *facts,
					     const struct subnet *s)
{
	for (size_t i = 0; i < facts->routes.n; i++)
		if (subnet_overlaps(&facts->routes.at[i], s))
			return &facts->routes.at[i];
	return NULL;
}

static int check_subnet(const struct network_wish *wish, const struct network_facts *facts,
			const struct subnet *s, struct err *e)
{
	const struct network *other = overlapped(facts, s);
	const struct subnet *route = overlapped_route(facts, s);

	if (addr_bits(s->base.family) - s->prefix < 2)
		return err_set(e, EINVAL, "network %s: subnet %s has no room for a container",
			       wish->name, subnet_text(s).text);
	if (other)
		return err_set(e, EEXIST, "network %s: subnet %s overlaps %s of network %s",
			       wish->name, subnet_text(s).text,
			       subnet_text(s->base.family == AF_INET ? &other->subnet
								     : &other->subnet6)
				       .text,
			       other->name);
	/* A network on a link of the host is where that link's routes lead. */
	if (route && wish->driver == NETWORK_BRIDGE)
		return err_set(e, EEXIST,
			       "network %s: subnet %s overlaps the route %s of this host",
			       wish->name, subnet_text(s).text, subnet_text(route).text);
	return 0;
}

static int choose_subnet(const struct network_wish *wish, const struct network_facts *facts,
			 struct subnet *ret, struct err *e)
{
	unsigned prefix = strcmp(wish->name, NETWORK_DEFAULT) == 0 ? DEFAULT_PREFIX : CHOSEN_PREFIX;
	uint32_t step = 1U << (32 - prefix), size = 1U << (32 - pool.prefix);

	for (uint32_t at = 0; at < size; at += step) {
		struct subnet s = { subnet_at(&pool, at), prefix };

		if (!overlapped(facts, &s) && !overlapped_route(facts, &s)) {
			*ret = s;
			return 0;
		}
	}
	return err_set(e, ENOSPC,
		       "network %s: networks and routes of this host take all of %s: say one with "
		       "--subnet",
		       wish->name, subnet_text(&pool).text);
}

static int choose_subnet6(const struct network_wish *wish, const struct network_facts *facts,
			  struct subnet *ret, struct err *e)
{
	struct subnet s = { { AF_INET6, { 0xfd } }, 64 };

	memcpy(s.base.bytes + 1, facts->random, sizeof(facts->random));
	TRY(check_subnet(wish, facts, &s, e));
	*ret = s;
	return 0;
}

static int plan_gateway(const struct network_wish *wish, const struct subnet *subnet,
			const struct net_addr *asked, struct net_addr *ret, struct err *e)
{
	uint32_t offset;

	if (!subnet->base.family) {
		if (asked->family)
			return err_set(e, EINVAL, "network %s: gateway %s is in no subnet of it",
				       wish->name, addr_text(asked).text);
		return 0;
	}
	if (!asked->family) {
		*ret = subnet_at(subnet, 1);
		return 0;
	}
	offset = subnet_contains(subnet, asked) ? subnet_offset(subnet, asked) : 0;
	if (offset == 0 ||
	    (addr_bits(asked->family) - subnet->prefix < 17 && offset > subnet_last_offset(subnet)))
		return err_set(e, EINVAL, "network %s: gateway %s is no address of subnet %s",
			       wish->name, addr_text(asked).text, subnet_text(subnet).text);
	*ret = *asked;
	return 0;
}

static int plan_link(const struct network_wish *wish, const struct network_facts *facts,
		     struct arena *a, struct network *n, struct err *e)
{
	char name[IF_NAMESIZE];

	if (wish->driver != NETWORK_BRIDGE) {
		if (!wish->parent)
			return err_set(e, EINVAL,
				       "network %s: %s needs a link of this host to be on: say one "
				       "with --parent",
				       wish->name, network_driver_name(wish->driver));
		if (!has_link(facts, wish->parent))
			return err_set(e, ENODEV, "network %s: this host has no link %s",
				       wish->name, json_quote(wish->parent).text);
		n->link = wish->parent;
		return 0;
	}
	if (wish->parent)
		return err_set(e, EINVAL,
			       "network %s: a bridge has no parent: that is for macvlan "
			       "and ipvlan",
			       wish->name);
	for (unsigned i = strcmp(wish->name, NETWORK_DEFAULT) == 0 ? 0 : 1; i < BRIDGES_MAX; i++) {
		snprintf(name, sizeof(name), "hull%u", i);
		if (!has_link(facts, name)) {
			n->link = arena_strdup(a, name);
			return 0;
		}
	}
	return err_set(e, ENOSPC, "network %s: there are %d bridges already", wish->name,
		       BRIDGES_MAX);
}

static int check_mtu(const struct network_wish *wish, bool ipv6, struct err *e)
{
	unsigned min = ipv6 ? MTU_MIN_IPV6 : MTU_MIN;

	if (wish->mtu && (wish->mtu < min || wish->mtu > MTU_MAX))
		return err_set(e, EINVAL, "network %s: MTU %u is not between %u and %d%s",
			       wish->name, wish->mtu, min, MTU_MAX, ipv6 ? ", as IPv6 needs" : "");
	return 0;
}

int network_plan(const struct network_wish *wish, const struct network_facts *facts,
		 struct arena *a, struct network *ret, struct err *e)
{
	struct network n = { .name = wish->name,
			     .driver = wish->driver,
			     .internal = wish->internal,
			     .mtu = wish->mtu,
			     .subnet = wish->subnet,
			     .subnet6 = wish->subnet6 };

	TRY(network_name_check(wish->name, e));
	for (size_t i = 0; i < facts->networks.n; i++)
		if (strcmp(facts->networks.at[i].name, wish->name) == 0)
			return err_set(e, EEXIST, "network %s exists already", wish->name);
	TRY(check_mtu(wish, wish->ipv6 || wish->subnet6.base.family, e));
	TRY(plan_link(wish, facts, a, &n, e));
	if (n.subnet.base.family)
		TRY(check_subnet(wish, facts, &n.subnet, e));
	else if (!(n.subnet6.base.family && !wish->ipv6))
		TRY(choose_subnet(wish, facts, &n.subnet, e));
	if (n.subnet6.base.family)
		TRY(check_subnet(wish, facts, &n.subnet6, e));
	else if (wish->ipv6)
		TRY(choose_subnet6(wish, facts, &n.subnet6, e));
	TRY(plan_gateway(wish, &n.subnet, &wish->gateway, &n.gateway, e));
	TRY(plan_gateway(wish, &n.subnet6, &wish->gateway6, &n.gateway6, e));
	*ret = n;
	return 0;
}

/*
 * On disk
 */

int network_state_path(int state_dir_fd, struct arena *a, const char **ret, struct err *e)
{
	char path[PATH_MAX];
	ssize_t n = readlink(io_fd_path(state_dir_fd).text, path, sizeof(path));

	if (n < 0)
		return err_sys(e, "find the path of the directory of networks");
	if (n == sizeof(path))
		return err_set(e, ENAMETOOLONG,
			       "the path of the directory of networks is too long");
	*ret = arena_strndup(a, path, (size_t)n);
	return 0;
}

static void write_text(struct json_writer *w, const char *key, struct net_text text)
{
	if (*text.text)
		json_write_string(w, key, text.text);
}

static void encode(const struct network *n, struct buf *ret)
{
	struct json_writer w = json_writer(ret, "\t");

	json_write_object(&w, NULL);
	json_write_uint(&w, "version", CONFIG_VERSION);
	json_write_string(&w, "name", n->name);
	json_write_string(&w, "driver", network_driver_name(n->driver));
	json_write_string(&w, "link", n->link);
	write_text(&w, "subnet", subnet_text(&n->subnet));
	write_text(&w, "gateway", addr_text(&n->gateway));
	write_text(&w, "subnet6", subnet_text(&n->subnet6));
	write_text(&w, "gateway6", addr_text(&n->gateway6));
	json_write_bool(&w, "internal", n->internal);
	json_write_uint(&w, "mtu", n->mtu);
	json_write_end(&w);
	buf_char(ret, '\n');
}

static int decode(const struct stored *s, struct network *ret, struct err *e)
{
	struct network n = { .name = s->name,
			     .driver = (enum network_driver)s->driver,
			     .link = s->link,
			     .internal = s->internal,
			     .mtu = s->mtu };

	if (s->version > CONFIG_VERSION)
		return err_set(e, ENOTSUP, "it has version %u and this hull knows %d", s->version,
			       CONFIG_VERSION);
	if (strlen(s->link) == 0 || strlen(s->link) >= IF_NAMESIZE)
		return err_set(e, EINVAL, "%s is no name of a link", json_quote(s->link).text);
	TRY(network_name_check(s->name, e));
	if (s->subnet)
		TRY(subnet_parse(s->subnet, &n.subnet, e));
	if (s->gateway)
		TRY(addr_parse(s->gateway, &n.gateway, e));
	if (s->subnet6)
		TRY(subnet_parse(s->subnet6, &n.subnet6, e));
	if (s->gateway6)
		TRY(addr_parse(s->gateway6, &n.gateway6, e));
	*ret = n;
	return 0;
}

/* -ENOENT without words if there is no such network. */
static int read_network(int state_dir_fd, const char *name, struct arena *a, struct network *ret,
			struct err *e)
{
	const char *path = arena_printf(a, "networks/%s.json", name);
	struct stored stored = { 0 };
	struct err why = { 0 };
	int r = json_decode_file(state_dir_fd, path, CONFIG_SIZE_MAX, stored_fields, a, &stored,
				 &why);

	if (r == -ENOENT)
		return r;
	if (r >= 0)
		r = decode(&stored, ret, &why);
	if (r >= 0)
		return 0;
	return err_set(e, why.code, "network %s: %s", name, why.msg);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void closedir_of(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* What is between `prefix`, "." or nothing, and `suffix`; without a prefix no name begins with a dot. */
static int list_files(int state_dir_fd, const char *subdir, const char *prefix, const char *suffix,
		      struct arena *a, struct strings *ret, struct err *e)
{
	const size_t begin = strlen(prefix), end = strlen(suffix);
	auto_fd int fd = openat(state_dir_fd, subdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(closedir_of))) DIR *dir = NULL;
	auto_free const char **names = NULL;
	const struct dirent *entry;
	size_t n = 0;

	*ret = (struct strings){ 0 };
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", subdir);
	dir = fdopendir(fd);
	if (!dir)
		return err_sys(e, "read %s", subdir);
	(void)take_fd(&fd);
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		size_t len = strlen(name);

		if ((name[0] == '.') != (begin > 0) || len <= begin + end ||
		    strcmp(name + len - end, suffix) != 0)
			continue;
		names = mem_grow(names, n + 1, sizeof(*names));
		names[n++] = arena_strndup(a, name + begin, len - begin - end);
	}
	if (n) {
		qsort(names, n, sizeof(*names), compare_names);
		ret->at = arena_array(a, n, sizeof(*names));
		memcpy(ret->at, names, n * sizeof(*names));
	}
	ret->n = n;
	return 0;
}

int network_files(int state_dir_fd, const char *subdir, const char *suffix, struct arena *a,
		  struct strings *ret, struct err *e)
{
	return list_files(state_dir_fd, subdir, "", suffix, a, ret, e);
}

int network_files_unwritten(int state_dir_fd, const char *subdir, const char *suffix,
			    struct arena *a, struct strings *ret, struct err *e)
{
	return list_files(state_dir_fd, subdir, ".", arena_printf(a, "%s.new", suffix), a, ret, e);
}

int network_list_read(int state_dir_fd, struct arena *a, struct network_list *ret, struct err *e)
{
	struct network_list list = { 0 };
	struct strings names = { 0 };

	TRY(network_files(state_dir_fd, "networks", ".json", a, &names, e));
	list.at = arena_array(a, names.n, sizeof(*list.at));
	for (size_t i = 0; i < names.n; i++) {
		int r = read_network(state_dir_fd, names.at[i], a, &list.at[list.n], e);

		if (r == 0)
			list.n++;
		else if (r != -ENOENT)
			return r;
	}
	*ret = list;
	return 0;
}

/* Lists that grow while the kernel is read. */
struct facts_walk {
	struct network_facts *facts;
	struct arena *arena;
};

static int add_route(const struct subnet *dst, void *ctx)
{
	struct facts_walk *walk = ctx;
	struct subnet_list *list = &walk->facts->routes;
	struct subnet *at = arena_array(walk->arena, list->n + 1, sizeof(*at));

	if (list->n)
		memcpy(at, list->at, list->n * sizeof(*at));
	at[list->n++] = *dst;
	list->at = at;
	return 0;
}

static int add_link(const struct link_info *link, void *ctx)
{
	struct facts_walk *walk = ctx;
	struct strings *list = &walk->facts->links;
	const char **at;

	if (strncmp(link->name, "hv", 2) == 0 && strcmp(link->kind, "veth") == 0)
		return 0; /* a container's, of which there are many */
	at = arena_array(walk->arena, list->n + 1, sizeof(*at));
	if (list->n)
		memcpy(at, list->at, list->n * sizeof(*at));
	at[list->n++] = arena_strdup(walk->arena, link->name);
	list->at = at;
	return 0;
}

static int read_facts(int state_dir_fd, struct arena *a, struct network_facts *ret, struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	struct facts_walk walk = { ret, a };

	TRY(network_list_read(state_dir_fd, a, &ret->networks, e));
	TRY(netlink_open(-1, &nl, e));
	TRY(link_each(&nl, add_link, &walk, e));
	TRY(route_each(&nl, add_route, &walk, e));
	if (getrandom(ret->random, sizeof(ret->random), 0) != sizeof(ret->random))
		return err_sys(e, "get random bytes");
	return 0;
}

static int make(int state_dir_fd, const struct network_wish *wish, struct arena *a,
		struct network *ret, struct err *e)
{
	struct network_facts facts = { 0 };
	auto_buf struct buf text = { 0 };
	auto_fd int dir = -1;
	struct network n = { 0 };

	TRY(read_facts(state_dir_fd, a, &facts, e));
	TRY(network_plan(wish, &facts, a, &n, e));
	encode(&n, &text);
	if (mkdirat(state_dir_fd, "networks", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the directory of networks");
	dir = openat(state_dir_fd, "networks", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return err_sys(e, "open the directory of networks");
	TRY(io_replace_file(dir, arena_printf(a, "%s.json", n.name), text.text, text.len, e));
	*ret = n;
	return 0;
}

int network_create(int state_dir_fd, const struct network_wish *wish, struct arena *a,
		   struct network *ret, struct err *e)
{
	auto_fd int lock = network_lock(state_dir_fd, e);
	struct cni_net other;
	int found;

	if (lock < 0)
		return lock;
	if (network_name_is_reserved(wish->name))
		return err_set(e, EINVAL,
			       "a network cannot be named %s: to --network the word means "
			       "something else",
			       wish->name);
	found = cni_find(wish->name, a, &other, e);
	if (found == 0)
		return err_set(e, EEXIST, "network %s exists already: %s", wish->name, other.file);
	if (found != -ENOENT)
		return found;
	return make(state_dir_fd, wish, a, ret, e);
}

static int find_cni(const char *name, struct arena *a, struct network *ret, struct err *e)
{
	struct cni_net *net = arena_array(a, 1, sizeof(*net));

	TRY(cni_find(name, a, net, e));
	*ret = (struct network){ .name = net->name, .driver = NETWORK_CNI, .cni = net };
	return 0;
}

int network_find(int state_dir_fd, const char *name, struct arena *a, struct network *ret,
		 struct err *e)
{
	struct network_wish wish = { .name = NETWORK_DEFAULT };
	int r;

	if (!name)
		name = NETWORK_DEFAULT;
	TRY(network_name_check(name, e));
	r = read_network(state_dir_fd, name, a, ret, e);
	if (r != -ENOENT)
		return r;
	if (strcmp(name, NETWORK_DEFAULT) == 0)
		return make(state_dir_fd, &wish, a, ret, e);
	r = find_cni(name, a, ret, e);
	if (r == -ENOENT)
		return err_set(e, ENOENT, "there is no network %s: hull network create %s makes it",
			       name, name);
	return r;
}

int network_forget(int state_dir_fd, const char *name, struct err *e)
{
	char path[NAME_MAX + 1];

	snprintf(path, sizeof(path), "networks/%s.json", name);
	if (unlinkat(state_dir_fd, path, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove network %s", name);
	return 0;
}
