#include "network/rootless.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/io.h"
#include "base/json_write.h"
#include "base/spawn.h"
#include "network/config.h"
#include "network/daemon.h"

enum {
	START_TIMEOUT = 20, /* seconds */
	ARGS_MAX = 64,
};

/* Where a query to it is answered by the host's resolver. */
#define PASTA_DNS "169.254.1.1"
#define SLIRP_DNS "10.0.2.3"
#define SLIRP_GATEWAY "10.0.2.2"

/* What may be left in DIR/containers of one that was killed while it started. */
static const char *const own_files[] = { ".pid", ".sock" };

static const struct program {
	enum net_mode mode;
	const char *name, *package;
	bool ipv6; /* listens there */
} programs[] = {
	{ NET_PASTA, "pasta", "passt", true },
	{ NET_SLIRP, "slirp4netns", "slirp4netns", false },
};

static const struct program *program_of(enum net_mode mode)
{
	return &programs[mode == NET_PASTA ? 0 : 1];
}

const char *rootless_program(enum net_mode mode)
{
	return program_of(mode)->name;
}

bool rootless_has_ipv6(const char *program)
{
	for (size_t i = 0; i < ARRAY_LEN(programs); i++)
		if (strcmp(programs[i].name, program) == 0)
			return programs[i].ipv6;
	return false;
}

/* In the directories that hold system programs: PATH is the user's, and may be empty. */
static int find_program(enum net_mode mode, struct arena *a, const char **ret, struct err *e)
{
	static const char *const dirs[] = { "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin" };
	const struct program *p = program_of(mode);

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		const char *path = arena_printf(a, "%s/%s", dirs[i], p->name);

		if (access(path, X_OK) == 0) {
			*ret = path;
			return 0;
		}
	}
	return err_set(e, ENOENT,
		       "%s is missing, which connects containers without root: install it (Debian: "
		       "apt-get install %s)",
		       p->name, p->package);
}

/* pasta's notation: [ADDRESS/]HOST[-HOST]:CONTAINER[-CONTAINER] */
static const char *pasta_port(const struct port *p, struct arena *a)
{
	const char *at = p->ip.family ? arena_printf(a, "%s/", addr_text(&p->ip).text) : "";

	if (p->count == 1)
		return arena_printf(a, "%s%u:%u", at, p->host, p->container);
	return arena_printf(a, "%s%u-%u:%u-%u", at, p->host, p->host + p->count - 1, p->container,
			    p->container + p->count - 1);
}

const char *const *rootless_pasta_args(const struct net_request *req, const struct port_list *ports,
				       const char *pid_file, struct arena *a)
{
	const char **args = arena_array(a, ARGS_MAX + 2 * ports->n, sizeof(*args));
	size_t n = 0;
	bool tcp = false, udp = false;

	args[n++] = "pasta";
	args[n++] = "--config-net";
	args[n++] = "--quiet";
	args[n++] = "--no-map-gw"; /* the gateway is not the host's loopback */
	args[n++] = "--ns-ifname";
	args[n++] = "eth0";
	args[n++] = "--dns-forward";
	args[n++] = PASTA_DNS;
	args[n++] = "--pid";
	args[n++] = pid_file;
	for (size_t i = 0; i < ports->n; i++) {
		bool is_udp = ports->at[i].protocol == PORT_UDP;

		args[n++] = is_udp ? "--udp-ports" : "--tcp-ports";
		args[n++] = pasta_port(&ports->at[i], a);
		udp = udp || is_udp;
		tcp = tcp || !is_udp;
	}
	if (!tcp) {
		args[n++] = "--tcp-ports";
		args[n++] = "none";
	}
	if (!udp) {
		args[n++] = "--udp-ports";
		args[n++] = "none";
	}
	/* Nor do ports of the container's loopback lead to the host's. */
	args[n++] = "--tcp-ns";
	args[n++] = "none";
	args[n++] = "--udp-ns";
	args[n++] = "none";
	args[n++] = arena_printf(a, "%d", (int)req->owner);
	args[n] = NULL;
	return args;
}

static int check_ports(const struct port_list *ports, const char *program, struct err *e)
{
	for (size_t i = 0; i < ports->n; i++)
		if (ports->at[i].protocol == PORT_SCTP)
			return err_set(e, ENOTSUP, "publish %s: %s does not know sctp",
				       port_text(&ports->at[i]).text, program);
	return 0;
}

static int read_pid(const char *path, pid_t *ret, struct err *e)
{
	char text[32];
	int r = io_read_value(AT_FDCWD, path, text, sizeof(text));

	if (r < 0)
		return err_neg(e, r, "read the pid of pasta");
	*ret = atoi(text);
	return *ret > 0 ? 0 : err_set(e, EINVAL, "pasta wrote no pid");
}

static int start_pasta(int state_dir_fd, const struct net_request *req, struct record *record,
		       const char *path, struct arena *a, struct err *e)
{
	const char *name = arena_printf(a, "containers/%s.pid", record->id);
	struct spawn_request run = { .path = path, .timeout = START_TIMEOUT };
	const char *dir = NULL, *pid_file;
	pid_t pid = 0;
	int r;

	/* It opens its file from within the container's user namespace: /proc/PID/fd of ours is closed there. */
	TRY(network_state_path(state_dir_fd, a, &dir, e));
	pid_file = arena_printf(a, "%s/%s", dir, name);
	run.argv = rootless_pasta_args(req, &record->ports, pid_file, a);
	r = spawn_run(&run, NULL, e);
	if (r >= 0)
		r = read_pid(pid_file, &pid, e);
	unlinkat(state_dir_fd, name, 0);
	TRY(r);
	r = process_mark(pid, &record->process, e);
	return r == -ESRCH ? err_set(e, ESRCH, "pasta ended at once") : r;
}

/* Waits for the byte that says that the network is there. */
static int wait_ready(int fd, struct err *e)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char byte;
	int r;

	do
		r = poll(&ready, 1, START_TIMEOUT * 1000);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return err_set(e, ETIMEDOUT, "slirp4netns was not ready after %d seconds",
			       START_TIMEOUT);
	if (r < 0 || read(fd, &byte, 1) != 1)
		return err_set(e, ECHILD, "slirp4netns ended before the network was there");
	return 0;
}

static int slirp_call(int state_dir_fd, const char *name, const struct port *p, unsigned i,
		      struct err *e)
{
	struct sockaddr_un {
		unsigned short family;
		char path[108];
	} address = { .family = AF_UNIX };
	const struct timeval timeout = { .tv_sec = START_TIMEOUT };
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	auto_buf struct buf text = { 0 }, answer = { 0 };
	struct json_writer w = json_writer(&text, NULL);

	if (snprintf(address.path, sizeof(address.path), "/proc/self/fd/%d/%s", state_dir_fd,
		     name) >= (int)sizeof(address.path))
		return err_set(
			e, ENAMETOOLONG,
			"ask slirp4netns for port %s: the path of its socket, %s, is too long",
			port_text(p).text, name);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    connect(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) < 0)
		return err_sys(e, "ask slirp4netns for port %s", port_text(p).text);
	json_write_object(&w, NULL);
	json_write_string(&w, "execute", "add_hostfwd");
	json_write_object(&w, "arguments");
	json_write_string(&w, "proto", port_protocol_name(p->protocol));
	json_write_string(&w, "host_addr", p->ip.family ? addr_text(&p->ip).text : "0.0.0.0");
	json_write_uint(&w, "host_port", p->host + i);
	json_write_uint(&w, "guest_port", p->container + i);
	json_write_end(&w);
	json_write_end(&w);
	if (io_write_all(fd, text.text, text.len) < 0 || shutdown(fd, SHUT_WR) < 0 ||
	    io_slurp(fd, 65536, &answer) < 0)
		return err_set(e, EIO, "ask slirp4netns for port %s: no answer", port_text(p).text);
	if (strstr(answer.text, "\"error\""))
		return err_set(e, EADDRINUSE, "publish %s: slirp4netns: %s", port_text(p).text,
			       answer.text);
	return 0;
}

static int start_slirp(int state_dir_fd, const struct net_request *req, struct record *record,
		       const char *path, struct arena *a, struct err *e)
{
	const char *name = arena_printf(a, "containers/%s.sock", record->id);
	const char *args[] = { "slirp4netns",
			       "--configure",
			       "--mtu=65520",
			       "--disable-host-loopback",
			       "--ready-fd=3",
			       arena_printf(a, "--api-socket=/proc/%d/fd/%d/%s", (int)getpid(),
					    state_dir_fd, name),
			       arena_printf(a, "%d", (int)req->owner),
			       "eth0",
			       NULL };
	auto_daemon struct daemon daemon = DAEMON_NONE;
	auto_fd int ready = -1, ready_end = -1;
	int ends[2], r;

	for (size_t i = 0; i < record->ports.n; i++)
		if (record->ports.at[i].ip.family == AF_INET6)
			return err_set(e, ENOTSUP, "publish %s: slirp4netns publishes IPv4 only",
				       port_text(&record->ports.at[i]).text);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	ready = ends[0];
	ready_end = ends[1];
	TRY(daemon_prepare(path, args, &ready_end, 1, &daemon, e));
	close_fd(&ready_end);
	record->process = daemon.mark;
	TRY(record_write(state_dir_fd, record, e));
	TRY(daemon_go(&daemon, e));
	r = wait_ready(ready, e);
	for (size_t i = 0; r >= 0 && i < record->ports.n; i++)
		for (unsigned k = 0; r >= 0 && k < record->ports.at[i].count; k++)
			r = slirp_call(state_dir_fd, name, &record->ports.at[i], k, e);
	unlinkat(state_dir_fd, name, 0);
	return r;
}

int rootless_start(int state_dir_fd, const struct net_request *req, struct record *record,
		   struct err *e)
{
	auto_arena struct arena a = { 0 };
	const char *path = NULL;

	TRY(check_ports(&record->ports, record->helper, e));
	TRY(find_program(req->mode, &a, &path, e));
	if (req->mode == NET_SLIRP)
		TRY(start_slirp(state_dir_fd, req, record, path, &a, e));
	else
		TRY(start_pasta(state_dir_fd, req, record, path, &a, e));
	return record_write(state_dir_fd, record, e);
}

/*
 * pasta goes into the background by itself: if hull was killed before it knew pasta's
 * pid, that is in the file that pasta was told to write, which its words name.
 */
static int find_pasta(int state_dir_fd, const struct record *record, struct process_mark *ret,
		      struct err *e)
{
	auto_arena struct arena a = { 0 };
	const char *name = arena_printf(&a, "containers/%s.pid", record->id);
	auto_buf struct buf words = { 0 };
	struct process_mark mark = { 0 };
	char text[32];
	int r = io_read_value(state_dir_fd, name, text, sizeof(text));

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_neg(e, r, "read %s", name);
	r = atoi(text) > 0 ? process_mark(atoi(text), &mark, e) : -ESRCH;
	if (r == 0 && io_read_file(AT_FDCWD, arena_printf(&a, "/proc/%d/cmdline", mark.pid),
				   1 << 20, "the words of pasta", &words, NULL) == 0) {
		size_t len = strlen(name);

		for (size_t at = 0; at + len < words.len; at++)
			if (memcmp(words.text + at, name, len + 1) == 0)
				*ret = mark;
	}
	if (r < 0 && r != -ESRCH)
		return r;
	return 0;
}

int rootless_stop(int state_dir_fd, const struct record *record, struct err *e)
{
	struct process_mark mark = record->process;
	char path[NAME_MAX + 32];

	if (!record->helper)
		return 0;
	if (!mark.pid && strcmp(record->helper, rootless_program(NET_PASTA)) == 0)
		TRY(find_pasta(state_dir_fd, record, &mark, e));
	TRY(daemon_end(&mark, record->helper, e));
	for (size_t i = 0; i < ARRAY_LEN(own_files); i++) {
		snprintf(path, sizeof(path), "containers/%s%s", record->id, own_files[i]);
		if (unlinkat(state_dir_fd, path, 0) < 0 && errno != ENOENT)
			return err_sys(e, "remove %s", path);
	}
	return 0;
}

void rootless_names(enum net_mode mode, struct resolv *host, struct arena *a,
		    struct net_addr *gateway)
{
	const char **server;

	if (mode == NET_SLIRP && addr_parse(SLIRP_GATEWAY, gateway, NULL) < 0)
		return;
	/* A resolver on the host's loopback is reached through the program. */
	if (mode == NET_PASTA && !resolv_is_local(host))
		return;
	server = arena_array(a, 1, sizeof(*server));
	*server = mode == NET_PASTA ? PASTA_DNS : SLIRP_DNS;
	host->servers = (struct strings){ server, 1 };
}
