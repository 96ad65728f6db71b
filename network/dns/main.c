/*
 * hull-dns - answers the names of a network's containers, and forwards the rest.
 *
 *	hull-dns NETWORK N
 *
 * Started by hull (network/resolver.c): descriptor 3 is the directory of names, 4 and
 * on are N sockets, bound to port 53 of the network's gateway: UDP ones, and TCP ones
 * that listen. It shuts itself in before it reads the first packet: its root is the
 * directory of names, it has no capability, and system calls are an allow-list.
 *
 * A query over UDP is one slot of a table that is full at some point: then, and from
 * a client that has too many, queries are dropped. One over TCP is a child with an alarm; of those,
 * too, there are some in all and fewer for each client.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/powers.h"
#include "network/dns/packet.h"
#include "network/names.h"

enum {
	NAMES_FD = 3,
	FIRST_SOCKET = 4,
	SOCKETS_MAX = 8,
	SLOTS = 256,
	SLOTS_OF_CLIENT = 64,
	ASK_TIMEOUT = 2500, /* milliseconds, for each server */
	TCP_CHILDREN = 16,
	TCP_OF_CLIENT = 4,
	TCP_SECONDS = 10,
	TCP_QUERIES = 8,
	PORT = 53,
	MEMORY_MAX = 256 * 1024 * 1024,
};

union name {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* A query that was forwarded. */
struct slot {
	int fd;   /* -1: free */
	int from; /* the socket that it came in by */
	union name client;
	socklen_t client_size;
	uint16_t id; /* what it was forwarded with */
	size_t server;
	int64_t deadline;
	struct dns_query query;
	size_t size;
	uint8_t packet[DNS_PACKET_MAX];
};

/* Who serves a connection. */
struct child {
	pid_t pid; /* 0: free */
	union name client;
};

struct server {
	const char *network;
	struct names names;
	struct stat read; /* of the file that `names` came from */
	int sockets[SOCKETS_MAX];
	bool stream[SOCKETS_MAX];
	size_t n;
	struct slot slots[SLOTS];
	struct child children[TCP_CHILDREN];
	unsigned n_children;
};

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* What a child of a TCP connection needs is in here too. */
static const int allowed_calls[] = {
	SCMP_SYS(accept4),
	SCMP_SYS(alarm),
	SCMP_SYS(bind),
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(close),
	SCMP_SYS(connect),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getpid),
	SCMP_SYS(getppid),
	SCMP_SYS(getrandom),
	SCMP_SYS(gettid),
	SCMP_SYS(lseek),
	SCMP_SYS(madvise),
	SCMP_SYS(mmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(newfstatat),
	SCMP_SYS(openat),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(setitimer),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(statx),
	SCMP_SYS(wait4),
	SCMP_SYS(write),
};

/* A sanitizer makes calls of its own, and wants all the address space there is. */
#ifdef __SANITIZE_ADDRESS__
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

static void filter_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(allowed_calls); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed_calls[i], 0);
	/* Sockets of the internet only. */
	for (int family = AF_INET; r == 0 && family <= AF_INET6; family += AF_INET6 - AF_INET)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				     SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG));
	if (r == 0)
		r = seccomp_load(ctx);
	if (r < 0) {
		errno = -r;
		fail("hull-dns: load the filter of system calls");
	}
	seccomp_release(ctx);
}

static void shut_in(void)
{
	struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };
	struct err e = { 0 };

	if (fchdir(NAMES_FD) < 0 || chroot(".") < 0)
		fail("hull-dns: make the directory of names its root");
	if (powers_give_up(&e) < 0) {
		fprintf(stderr, "hull-dns: %s\n", e.msg);
		exit(1);
	}
	if (!sanitized && setrlimit(RLIMIT_AS, &memory) < 0)
		fail("hull-dns: limit its memory");
	if (!sanitized)
		filter_calls();
}

/* The names as they are now; those known already if the file cannot be read. */
static void refresh(struct server *s)
{
	auto_buf struct buf text = { 0 };
	struct stat st;

	if (fstatat(NAMES_FD, s->network, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		names_done(&s->names);
		s->read = (struct stat){ 0 };
		return;
	}
	if (st.st_ino == s->read.st_ino && st.st_size == s->read.st_size &&
	    st.st_mtim.tv_sec == s->read.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == s->read.st_mtim.tv_nsec)
		return;
	if (io_read_file(NAMES_FD, s->network, NAMES_SIZE_MAX, "names", &text, NULL) < 0)
		return;
	names_done(&s->names);
	names_parse(text.text ? text.text : "", text.len, &s->names);
	s->read = st;
}

static struct net_addr address_of(const union name *name)
{
	struct net_addr a = { .family = name->any.sa_family };

	if (a.family == AF_INET)
		memcpy(a.bytes, &name->v4.sin_addr, 4);
	else
		memcpy(a.bytes, &name->v6.sin6_addr, 16);
	return a;
}

/* Whether `names` know the name; *ret has those of its addresses that were asked for. */
static bool find_name(const struct names *names, const struct dns_query *q, struct dns_answer *ret)
{
	bool known = false;

	ret->n = names_find(names, q->name, q->type == DNS_AAAA ? AF_INET6 : AF_INET, ret->addrs,
			    DNS_ANSWERS_MAX, &known);
	if (q->type != DNS_A && q->type != DNS_AAAA)
		ret->n = 0;
	return known;
}

/* The other networks that the client is on. */
static bool find_elsewhere(const struct server *s, const struct dns_query *q,
			   const union name *client, struct dns_answer *ret)
{
	const struct net_addr addr = address_of(client);
	const char *container = names_owner(&s->names, &addr);

	for (size_t i = 0; container && i < s->names.n_also; i++) {
		const struct name_also *also = &s->names.also[i];
		auto_names struct names names = { 0 };
		auto_buf struct buf text = { 0 };

		if (strcmp(also->container, container) != 0 ||
		    io_read_file(NAMES_FD, also->network, NAMES_SIZE_MAX, "names", &text, NULL) < 0)
			continue;
		names_parse(text.text ? text.text : "", text.len, &names);
		if (find_name(&names, q, ret))
			return true;
	}
	return false;
}

/* Whether *ret is all there is to say; else the query is somebody else's. */
static bool answer_here(struct server *s, const struct dns_query *q, const union name *client,
			struct dns_answer *ret)
{
	struct net_addr addr;

	*ret = (struct dns_answer){ .code = DNS_OK };
	refresh(s);
	if (q->class == DNS_IN && q->name[0]) {
		if (find_name(&s->names, q, ret) || find_elsewhere(s, q, client, ret))
			return true;
		if (q->type == DNS_PTR && dns_reverse_parse(q->name, &addr)) {
			ret->name = names_of(&s->names, &addr);
			if (ret->name)
				return true;
		}
	}
	ret->code = DNS_NXDOMAIN;
	return s->names.n_upstream == 0; /* an internal network, or a host without servers */
}

static socklen_t name_of(const struct net_addr *a, union name *ret)
{
	*ret = (union name){ 0 };
	if (a->family == AF_INET) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(PORT);
		memcpy(&ret->v4.sin_addr, a->bytes, 4);
		return sizeof(ret->v4);
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(PORT);
	memcpy(&ret->v6.sin6_addr, a->bytes, 16);
	return sizeof(ret->v6);
}

static int connect_to(const struct net_addr *a, int type)
{
	union name name;
	socklen_t size = name_of(a, &name);
	auto_fd int fd = socket(a->family, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, &name.any, size) < 0)
		return -1;
	return take_fd(&fd);
}

/*
 * UDP
 */

static void reply(const struct slot *slot, const uint8_t *packet, size_t size)
{
	(void)!sendto(slot->from, packet, size, MSG_DONTWAIT, &slot->client.any, slot->client_size);
}

static void reply_code(struct slot *slot, int code)
{
	struct dns_answer answer = { .code = code };
	uint8_t out[DNS_PACKET_MAX];

	reply(slot, out, dns_answer_write(slot->packet, &slot->query, &answer, out));
}

/* Sends it to the next server that can be sent to; SERVFAIL when there is none. */
static void ask_next(struct server *s, struct slot *slot)
{
	close_fd(&slot->fd);
	for (; slot->server < s->names.n_upstream; slot->server++) {
		auto_fd int fd = connect_to(&s->names.upstream[slot->server], SOCK_DGRAM);

		if (fd < 0 || getrandom(&slot->id, sizeof(slot->id), 0) != sizeof(slot->id))
			continue;
		slot->packet[0] = (uint8_t)(slot->id >> 8);
		slot->packet[1] = (uint8_t)slot->id;
		if (send(fd, slot->packet, slot->size, MSG_DONTWAIT) < 0)
			continue;
		slot->fd = take_fd(&fd);
		slot->server++;
		slot->deadline = io_now_us() / 1000 + ASK_TIMEOUT;
		return;
	}
	slot->packet[0] = (uint8_t)(slot->query.id >> 8);
	slot->packet[1] = (uint8_t)slot->query.id;
	reply_code(slot, DNS_SERVFAIL);
}

static bool same_client(const union name *a, const union name *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
}

/* A free slot, unless the client has its share. */
static struct slot *free_slot(struct server *s, const union name *client)
{
	struct slot *found = NULL;
	unsigned has = 0;

	for (size_t i = 0; i < SLOTS; i++) {
		if (s->slots[i].fd < 0)
			found = &s->slots[i];
		else if (same_client(&s->slots[i].client, client))
			has++;
	}
	return has < SLOTS_OF_CLIENT ? found : NULL;
}

static void take_query(struct server *s, int from)
{
	struct slot now = { .fd = -1, .from = from, .client_size = sizeof(now.client) };
	struct dns_answer answer = { 0 };
	struct slot *slot;
	ssize_t n = recvfrom(from, now.packet, sizeof(now.packet), MSG_DONTWAIT | MSG_TRUNC,
			     &now.client.any, &now.client_size);
	int r;

	if (n < 0 || n > (ssize_t)sizeof(now.packet))
		return;
	now.size = (size_t)n;
	r = dns_query_parse(now.packet, now.size, &now.query);
	if (r == -EBADMSG)
		return;
	if (r < 0) {
		reply_code(&now, r == -ENOTSUP ? DNS_NOTIMP : DNS_FORMERR);
		return;
	}
	if (answer_here(s, &now.query, &now.client, &answer)) {
		uint8_t out[DNS_PACKET_MAX];

		reply(&now, out, dns_answer_write(now.packet, &now.query, &answer, out));
		return;
	}
	slot = free_slot(s, &now.client);
	if (!slot)
		return;
	*slot = now;
	ask_next(s, slot);
}

static void take_reply(struct server *s, struct slot *slot)
{
	uint8_t packet[DNS_PACKET_MAX];
	ssize_t n = recv(slot->fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) { /* nobody listens there */
		ask_next(s, slot);
		return;
	}
	if (n > (ssize_t)sizeof(packet) ||
	    !dns_reply_matches(packet, (size_t)n, slot->id, slot->packet, &slot->query))
		return;
	packet[0] = (uint8_t)(slot->query.id >> 8);
	packet[1] = (uint8_t)slot->query.id;
	reply(slot, packet, (size_t)n);
	close_fd(&slot->fd);
}

/*
 * TCP: a packet follows its size in two bytes
 */

static bool read_framed(int fd, uint8_t packet[DNS_PACKET_MAX], size_t *ret)
{
	uint8_t size[2];

	if (io_read_all(fd, size, sizeof(size)) != sizeof(size))
		return false;
	*ret = (size_t)(size[0] << 8 | size[1]);
	return *ret <= DNS_PACKET_MAX && io_read_all(fd, packet, *ret) == (ssize_t)*ret;
}

static bool write_framed(int fd, const uint8_t *packet, size_t size)
{
	uint8_t framed[DNS_PACKET_MAX + 2] = { (uint8_t)(size >> 8), (uint8_t)size };

	memcpy(framed + 2, packet, size);
	return io_write_all(fd, framed, size + 2) == 0;
}

static size_t ask_stream(struct server *s, const uint8_t *packet, size_t size,
			 const struct dns_query *q, uint8_t out[DNS_PACKET_MAX])
{
	struct dns_answer failed = { .code = DNS_SERVFAIL };

	for (size_t i = 0; i < s->names.n_upstream; i++) {
		auto_fd int fd = connect_to(&s->names.upstream[i], SOCK_STREAM);
		size_t n = 0;

		if (fd >= 0 && write_framed(fd, packet, size) && read_framed(fd, out, &n) &&
		    dns_reply_matches(out, n, q->id, packet, q))
			return n;
	}
	return dns_answer_write(packet, q, &failed, out);
}

static _Noreturn void serve_stream(struct server *s, pid_t parent, int fd, const union name *client)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL) < 0 || getppid() != parent)
		_exit(1);
	/* They are its parent's, and free when that ends. */
	for (size_t i = 0; i < s->n; i++)
		close(s->sockets[i]);
	alarm(TCP_SECONDS);
	for (int i = 0; i < TCP_QUERIES; i++) {
		uint8_t packet[DNS_PACKET_MAX], out[DNS_PACKET_MAX];
		struct dns_answer answer = { 0 };
		struct dns_query q = { 0 };
		size_t size = 0, n;
		int r;

		if (!read_framed(fd, packet, &size))
			break;
		r = dns_query_parse(packet, size, &q);
		if (r == -EBADMSG)
			break;
		if (r < 0) {
			answer.code = r == -ENOTSUP ? DNS_NOTIMP : DNS_FORMERR;
			n = dns_answer_write(packet, &q, &answer, out);
		} else if (answer_here(s, &q, client, &answer)) {
			n = dns_answer_write(packet, &q, &answer, out);
		} else {
			n = ask_stream(s, packet, size, &q, out);
		}
		if (!write_framed(fd, out, n))
			break;
	}
	_exit(0);
}

/* A free place, unless the client has its share. */
static struct child *free_child(struct server *s, const union name *client)
{
	struct child *found = NULL;
	unsigned has = 0;

	for (size_t i = 0; i < TCP_CHILDREN; i++) {
		if (!s->children[i].pid)
			found = &s->children[i];
		else if (same_client(&s->children[i].client, client))
			has++;
	}
	return has < TCP_OF_CLIENT ? found : NULL;
}

static void take_stream(struct server *s, int listener)
{
	union name client = { 0 };
	socklen_t size = sizeof(client);
	auto_fd int fd = accept4(listener, &client.any, &size, SOCK_CLOEXEC);
	struct child *child;
	pid_t parent, pid;

	if (fd < 0)
		return;
	child = free_child(s, &client);
	if (!child)
		return;
	parent = getpid();
	pid = fork();
	if (pid == 0)
		serve_stream(s, parent, fd, &client);
	if (pid < 0)
		return;
	*child = (struct child){ pid, client };
	s->n_children++;
}

/*
 * The loop
 */

static void reap(struct server *s)
{
	pid_t pid;

	while (s->n_children && (pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		s->n_children--;
		for (size_t i = 0; i < TCP_CHILDREN; i++)
			if (s->children[i].pid == pid)
				s->children[i].pid = 0;
	}
}

static void wait_and_take(struct server *s)
{
	struct pollfd polls[SOCKETS_MAX + SLOTS];
	struct slot *of[SOCKETS_MAX + SLOTS];
	int64_t now = io_now_us() / 1000, next = s->n_children ? now + 1000 : INT64_MAX;
	nfds_t n = 0;
	int timeout;

	for (size_t i = 0; i < s->n; i++, n++)
		polls[n] = (struct pollfd){ .fd = s->sockets[i], .events = POLLIN };
	for (size_t i = 0; i < SLOTS; i++) {
		if (s->slots[i].fd < 0)
			continue;
		polls[n] = (struct pollfd){ .fd = s->slots[i].fd, .events = POLLIN };
		of[n++] = &s->slots[i];
		next = s->slots[i].deadline < next ? s->slots[i].deadline : next;
	}
	timeout = next == INT64_MAX ? -1 : next > now ? (int)(next - now) : 0;
	if (poll(polls, n, timeout) < 0 && errno != EINTR)
		fail("hull-dns: wait for packets");
	now = io_now_us() / 1000;
	for (nfds_t i = s->n; i < n; i++) {
		if (polls[i].revents)
			take_reply(s, of[i]);
		else if (of[i]->deadline <= now)
			ask_next(s, of[i]);
	}
	for (size_t i = 0; i < s->n; i++) {
		if (!polls[i].revents)
			continue;
		if (s->stream[i])
			take_stream(s, s->sockets[i]);
		else
			take_query(s, s->sockets[i]);
	}
	reap(s);
}

int main(int argc, char **argv)
{
	static struct server s;
	long n = argc == 3 ? strtol(argv[2], NULL, 10) : 0;

	if (n < 1 || n > SOCKETS_MAX) {
		fprintf(stderr, "hull-dns: hull starts it\n");
		return 1;
	}
	s.network = argv[1];
	s.n = (size_t)n;
	for (size_t i = 0; i < s.n; i++) {
		int type = 0;
		socklen_t size = sizeof(type);

		s.sockets[i] = FIRST_SOCKET + (int)i;
		if (getsockopt(s.sockets[i], SOL_SOCKET, SO_TYPE, &type, &size) < 0)
			fail("hull-dns: look at its sockets");
		s.stream[i] = type == SOCK_STREAM;
	}
	for (size_t i = 0; i < SLOTS; i++)
		s.slots[i].fd = -1;
	signal(SIGPIPE, SIG_IGN);
	shut_in();
	for (;;)
		wait_and_take(&s);
}
