#include "network/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/helper.h"
#include "base/io.h"
#include "network/daemon.h"
#include "network/record.h"
#include "network/resolv.h"

enum { PORT = 53, SOCKETS = 4, BACKLOG = 16 };

bool resolver_wanted(const struct network *n)
{
	return n->driver == NETWORK_BRIDGE && strcmp(n->name, NETWORK_DEFAULT) != 0;
}

static int open_socket(const struct net_addr *a, int type, int *ret, struct err *e)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name = { 0 };
	socklen_t size = a->family == AF_INET ? sizeof(name.v4) : sizeof(name.v6);
	auto_fd int fd = socket(a->family, type | SOCK_CLOEXEC, 0);
	int one = 1;

	name.any.sa_family = (sa_family_t)a->family;
	if (a->family == AF_INET) {
		name.v4.sin_port = htons(PORT);
		memcpy(&name.v4.sin_addr, a->bytes, 4);
	} else {
		name.v6.sin6_port = htons(PORT);
		memcpy(&name.v6.sin6_addr, a->bytes, 16);
	}
	if (fd < 0 || (type == SOCK_STREAM &&
		       setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0))
		return err_sys(e, "make a socket for hull-dns");
	if (bind(fd, &name.any, size) < 0 || (type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
		return err_sys(e, "listen on %s, port %d, for hull-dns", addr_text(a).text, PORT);
	*ret = take_fd(&fd);
	return 0;
}

static int open_sockets(const struct network *n, int sockets[SOCKETS], int *ret, struct err *e)
{
	const struct net_addr *gateways[] = { &n->gateway, &n->gateway6 };
	int opened = 0;

	for (size_t i = 0; i < ARRAY_LEN(gateways); i++) {
		if (!gateways[i]->family)
			continue;
		TRY(open_socket(gateways[i], SOCK_DGRAM, &sockets[opened], e));
		opened++;
		TRY(open_socket(gateways[i], SOCK_STREAM, &sockets[opened], e));
		opened++;
	}
	*ret = opened;
	return 0;
}

/* DIR/resolvers/NETWORK: "BOOT PID START". */
static int read_mark(int state_dir_fd, const char *network, struct process_mark *ret, struct err *e)
{
	auto_arena struct arena a = { 0 };
	char text[128], boot[64];
	unsigned long long start = 0;
	const char *now = NULL;
	int pid = 0;
	int r = io_read_value(state_dir_fd, arena_printf(&a, "resolvers/%s", network), text,
			      sizeof(text));

	*ret = (struct process_mark){ 0 };
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_neg(e, r, "read which hull-dns network %s has", network);
	TRY(record_boot(&a, &now, e));
	if (sscanf(text, "%63s %d %llu", boot, &pid, &start) == 3 && strcmp(boot, now) == 0)
		*ret = (struct process_mark){ pid, start };
	return 0;
}

static int write_mark(int state_dir_fd, const char *network, const struct process_mark *mark,
		      struct err *e)
{
	auto_arena struct arena a = { 0 };
	const char *boot = NULL, *text;
	auto_fd int dir = -1;

	TRY(record_boot(&a, &boot, e));
	text = arena_printf(&a, "%s %d %llu\n", boot, (int)mark->pid,
			    (unsigned long long)mark->start);
	if (mkdirat(state_dir_fd, "resolvers", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the directory of resolvers");
	dir = openat(state_dir_fd, "resolvers", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return err_sys(e, "open the directory of resolvers");
	return io_replace_file(dir, network, text, strlen(text), e);
}

static int start(int state_dir_fd, const struct network *n, const char *path, struct err *e)
{
	int fds[SOCKETS + 1] = { -1, -1, -1, -1, -1 }, count = 0, r;
	auto_daemon struct daemon daemon = DAEMON_NONE;
	struct process_mark mark = { 0 };
	char number[16];
	const char *argv[] = { "hull-dns", n->name, number, NULL };

	TRY(read_mark(state_dir_fd, n->name, &mark, e));
	if (process_is_alive(&mark))
		return 0;
	fds[0] = openat(state_dir_fd, "names", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fds[0] < 0)
		return err_sys(e, "open the directory of names");
	r = open_sockets(n, fds + 1, &count, e);
	snprintf(number, sizeof(number), "%d", count);
	if (r >= 0)
		r = daemon_prepare(path, argv, fds, (size_t)count + 1, &daemon, e);
	for (int i = 0; i <= SOCKETS; i++)
		close_fd(&fds[i]);
	TRY(r);
	TRY(write_mark(state_dir_fd, n->name, &daemon.mark, e));
	return daemon_go(&daemon, e);
}

static int stop(int state_dir_fd, const char *network, struct err *e)
{
	struct process_mark mark = { 0 };
	char path[NAME_MAX + 1];

	TRY(read_mark(state_dir_fd, network, &mark, e));
	TRY(daemon_end(&mark, "hull-dns", e)); /* its ports are free then */
	snprintf(path, sizeof(path), "resolvers/%s", network);
	if (unlinkat(state_dir_fd, path, 0) < 0 && errno != ENOENT)
		return err_sys(e, "forget the hull-dns of network %s", network);
	return 0;
}

/* Who is asked about the rest: the host's servers, also those on its loopback; not ourselves. */
static int find_upstream(const struct network *n, struct names *names, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct resolv host = { 0 };

	names->n_upstream = 0;
	if (n->internal)
		return 0; /* names would be a way out (CVE-2024-29018) */
	TRY(resolv_read_host(&a, &host, e));
	for (size_t i = 0; i < host.servers.n && names->n_upstream < NAMES_UPSTREAM_MAX; i++) {
		struct net_addr addr;

		if (addr_parse(host.servers.at[i], &addr, NULL) == 0 &&
		    !addr_equal(&addr, &n->gateway) && !addr_equal(&addr, &n->gateway6))
			names->upstream[names->n_upstream++] = addr;
	}
	return 0;
}

int resolver_add(int state_dir_fd, const struct network *n, const struct resolver_entry *entry,
		 struct err *e)
{
	const struct net_addr *addrs[] = { &entry->ip, &entry->ip6 };
	auto_names struct names all = { 0 };
	struct helper_path path;

	TRY(helper_find("hull-dns", &path, e));
	TRY(names_read(state_dir_fd, n->name, &all, e));
	TRY(find_upstream(n, &all, e));
	names_drop(&all, entry->container);
	for (size_t i = 0; i < ARRAY_LEN(addrs); i++)
		for (size_t k = 0; k < entry->names.n; k++)
			if (addrs[i]->family && host_name_check(entry->names.at[k], NULL) == 0)
				names_add(&all, addrs[i], entry->container, entry->names.at[k]);
	for (size_t i = 0; i < entry->also.n; i++)
		names_add_also(&all, entry->container, entry->also.at[i]);
	TRY(names_write(state_dir_fd, n->name, &all, e));
	return start(state_dir_fd, n, path.text, e);
}

int resolver_drop(int state_dir_fd, const char *network, const char *container, struct err *e)
{
	auto_names struct names all = { 0 };
	char path[NAME_MAX + 1];

	TRY(names_read(state_dir_fd, network, &all, e));
	if (names_drop(&all, container) && all.n)
		return names_write(state_dir_fd, network, &all, e);
	if (all.n)
		return 0;
	TRY(stop(state_dir_fd, network, e));
	snprintf(path, sizeof(path), "names/%s", network);
	if (unlinkat(state_dir_fd, path, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove the names of network %s", network);
	return 0;
}

int resolver_tell(int state_dir_fd, const char *network, const char *container, const char *other,
		  bool joined, struct err *e)
{
	auto_names struct names all = { 0 };

	TRY(names_read(state_dir_fd, network, &all, e));
	if (!all.n)
		return 0;
	names_drop_also(&all, container, other);
	if (joined)
		names_add_also(&all, container, other);
	return names_write(state_dir_fd, network, &all, e);
}
