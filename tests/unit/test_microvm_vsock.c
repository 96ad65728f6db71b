/*
 * virtio-vsock between a driver on made-up memory and unix sockets in a directory of the test's:
 * what each side says, what each may have on its way, and how both end.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <linux/virtio_vsock.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "microvm/vsock.h"

enum {
	SIZE = 0x200000,
	QUEUE = 64, /* requests in each */
	ROOMS = 0x40000,
	ROOM = 0x1000,
	PACKETS = 0x100000,
	PACKET = 0x2000, /* where packets of the guest begin; longer ones reach into the next */
	GUEST = 900,
	PORT = 77,
	WINDOW = 1 << 20,
	OP_NONE = 99,
	WAIT_MS = 5000,
};

static _Alignas(4096) uint8_t ram[SIZE];
static const struct memory memory = { ram, SIZE };
static struct vsock s;
static char directory[] = "/tmp/hull-vsock-XXXXXX";
static int host; /* listens as sock_77 */
static uint16_t seen, sent;

struct packet {
	struct virtio_vsock_hdr h;
	const uint8_t *data;
};

static uint64_t queue_at(unsigned queue)
{
	return 0x10000 + queue * 0x4000U;
}

static void offer(unsigned queue, uint16_t head)
{
	uint16_t *a = (uint16_t *)(ram + queue_at(queue) + 0x1000);

	a[2 + a[1] % QUEUE] = head;
	a[1]++;
}

static void describe(unsigned queue, unsigned i, uint64_t at, uint32_t len, uint16_t flags,
		     uint16_t next)
{
	struct vring_desc d = { at, len, flags, next };

	memcpy(ram + queue_at(queue) + i * sizeof(d), &d, sizeof(d));
}

static void give_room(unsigned n)
{
	static uint16_t next;

	for (unsigned i = 0; i < n; i++, next++) {
		uint16_t at = next % QUEUE;

		describe(0, at, ROOMS + (uint64_t)at * ROOM, ROOM, VRING_DESC_F_WRITE, 0);
		offer(0, at);
	}
}

static int listen_at(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", name);
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0, "%s: errno %d", name, errno);
	cr_assert_eq(listen(fd, 256), 0);
	return fd;
}

static int connect_to(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", name);
	cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0, "%s: errno %d", name, errno);
	return fd;
}

static void begin(void)
{
	cr_assert(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
	host = listen_at("sock_77");
	virtio_init(&s.v, &vsock_kind, &memory, 0xd0000000);
	vsock_init(&s, listen_at("sock"), "sock");
	vsock_turn(&s, 0); /* the first reset */
	for (unsigned i = 0; i < 3; i++)
		s.v.queues[i] = (struct virtqueue){ .memory = &memory,
						    .size = QUEUE,
						    .ready = true,
						    .descriptors = queue_at(i),
						    .available = queue_at(i) + 0x1000,
						    .used = queue_at(i) + 0x2000,
						    .vector = 0xffff };
	s.v.status = VIRTIO_CONFIG_S_DRIVER_OK;
}

static void tear_down(void)
{
	DIR *d = opendir(directory);
	struct dirent *entry;

	while (d && (entry = readdir(d))) /* NOLINT(concurrency-mt-unsafe) */
		unlinkat(dirfd(d), entry->d_name, 0);
	if (d)
		closedir(d);
	rmdir(directory);
}

TestSuite(vsock, .init = begin, .fini = tear_down, .timeout = 60);

static void turn(void)
{
	for (int i = 0; i < 4; i++)
		vsock_turn(&s, 0);
}

/* A packet of the guest's, with `len` bytes behind the header. */
static void send_header(const struct virtio_vsock_hdr *h, const void *data, uint32_t len)
{
	uint64_t at = PACKETS + (uint64_t)(sent % 8) * 0x11000;

	memcpy(ram + at, h, sizeof(*h));
	if (len)
		memcpy(ram + at + sizeof(*h), data, len);
	describe(1, sent % QUEUE, at, (uint32_t)sizeof(*h) + len, 0, 0);
	offer(1, sent % QUEUE);
	sent++;
}

static struct virtio_vsock_hdr header(unsigned op, uint32_t host_port, uint32_t guest_port)
{
	return (struct virtio_vsock_hdr){ .src_cid = VSOCK_GUEST_CID,
					  .dst_cid = VSOCK_HOST_CID,
					  .src_port = guest_port,
					  .dst_port = host_port,
					  .type = VIRTIO_VSOCK_TYPE_STREAM,
					  .op = (uint16_t)op,
					  .buf_alloc = WINDOW };
}

static void say(unsigned op, uint32_t host_port, uint32_t flags)
{
	struct virtio_vsock_hdr h = header(op, host_port, GUEST);

	h.flags = flags;
	send_header(&h, NULL, 0);
	turn();
}

static void say_data(uint32_t host_port, const void *data, uint32_t len)
{
	struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_RW, host_port, GUEST);

	h.len = len;
	send_header(&h, data, len);
	turn();
}

/* The next that the guest gets; op OP_NONE: nothing. */
static struct packet hear(void)
{
	const uint8_t *used = ram + queue_at(0) + 0x2000;
	struct packet p = { .h.op = OP_NONE };
	uint32_t id, len;

	if (*(const uint16_t *)(used + 2) == seen)
		return p;
	memcpy(&id, used + 4 + 8 * (seen % QUEUE), 4);
	memcpy(&len, used + 4 + 8 * (seen % QUEUE) + 4, 4);
	seen++;
	memcpy(&p.h, ram + ROOMS + id * ROOM, sizeof(p.h));
	p.data = ram + ROOMS + id * ROOM + sizeof(p.h);
	cr_expect_eq(len, sizeof(p.h) + p.h.len);
	cr_expect_eq(p.h.dst_cid, VSOCK_GUEST_CID);
	return p;
}

static struct packet hear_op(unsigned op)
{
	struct packet p = hear();

	cr_expect_eq(p.h.op, op, "%u, not %u", p.h.op, op);
	return p;
}

/* The guest's program, connected to the host's: the latter's end. */
static int open_to_host(void)
{
	struct packet p;
	int fd;

	give_room(32);
	say(VIRTIO_VSOCK_OP_REQUEST, PORT, 0);
	p = hear_op(VIRTIO_VSOCK_OP_RESPONSE);
	cr_expect_eq(p.h.src_cid, VSOCK_HOST_CID);
	cr_expect_eq(p.h.src_port, PORT);
	cr_expect_eq(p.h.dst_port, GUEST);
	cr_expect_eq(p.h.buf_alloc, VSOCK_WINDOW);
	fd = accept4(host, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	cr_assert_geq(fd, 0, "errno %d", errno);
	return fd;
}

static size_t used_places(void)
{
	size_t n = 0;

	for (size_t i = 0; i < VSOCK_CONNECTIONS; i++)
		n += s.connections[i].stage != VSOCK_FREE;
	return n;
}

Test(vsock, its_configuration_is_the_guests_number)
{
	uint64_t cid = 0;

	virtio_bar_read(&s.v, 0x2000, &cid, 8);
	cr_expect_eq(cid, 3U);
	virtio_bar_read(&s.v, 0x2004, &cid, 8);
	cr_expect_eq(cid, 0U);
	virtio_bar_read(&s.v, 0x2ff8, &cid, 8);
	cr_expect_eq(cid, 0U);
}

Test(vsock, from_the_guest_to_the_host_and_back)
{
	struct packet p;
	char got[16] = { 0 };
	int fd = open_to_host();

	say_data(PORT, "hello", 5);
	cr_expect_eq(read(fd, got, sizeof(got)), 5);
	cr_expect_str_eq(got, "hello");
	cr_assert_eq(write(fd, "welcome", 7), 7);
	turn();
	p = hear_op(VIRTIO_VSOCK_OP_RW);
	cr_expect_eq(p.h.len, 7U);
	cr_expect_eq(memcmp(p.data, "welcome", 7), 0);
	cr_expect_eq(p.h.fwd_cnt, 5U, "what the host has taken");
	hear_op(OP_NONE);
}

Test(vsock, each_side_ends_its_half)
{
	struct packet p;
	char got[16];
	int fd = open_to_host();

	say_data(PORT, "last", 4);
	say(VIRTIO_VSOCK_OP_SHUTDOWN, PORT, VIRTIO_VSOCK_SHUTDOWN_SEND);
	cr_expect_eq(read(fd, got, sizeof(got)), 4);
	cr_expect_eq(read(fd, got, sizeof(got)), 0, "its end");
	cr_assert_eq(write(fd, "answer", 6), 6);
	turn();
	hear_op(VIRTIO_VSOCK_OP_RW);
	cr_assert_eq(shutdown(fd, SHUT_WR), 0);
	turn();
	p = hear_op(VIRTIO_VSOCK_OP_SHUTDOWN);
	cr_expect(p.h.flags & VIRTIO_VSOCK_SHUTDOWN_SEND);
	say(VIRTIO_VSOCK_OP_SHUTDOWN, PORT, 3);
	hear_op(VIRTIO_VSOCK_OP_RST);
	cr_expect_eq(used_places(), 0U);
}

Test(vsock, the_host_ends_its_half_first)
{
	struct packet p;
	char got[16];
	int fd = open_to_host();

	cr_assert_eq(write(fd, "ask", 3), 3);
	cr_assert_eq(shutdown(fd, SHUT_WR), 0);
	turn();
	hear_op(VIRTIO_VSOCK_OP_RW);
	p = hear_op(VIRTIO_VSOCK_OP_SHUTDOWN);
	cr_expect_eq(p.h.flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
	say_data(PORT, "answer", 6);
	cr_expect_eq(read(fd, got, sizeof(got)), 6);
	say(VIRTIO_VSOCK_OP_SHUTDOWN, PORT, 3);
	cr_expect_eq(read(fd, got, sizeof(got)), 0);
	hear_op(VIRTIO_VSOCK_OP_RST);
	cr_expect_eq(used_places(), 0U);
}

Test(vsock, a_guest_that_wants_no_more)
{
	int fd = open_to_host();

	say(VIRTIO_VSOCK_OP_SHUTDOWN, PORT, VIRTIO_VSOCK_SHUTDOWN_RCV);
	cr_expect_eq(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	cr_expect_eq(errno, EPIPE);
	cr_expect_eq(hear_op(VIRTIO_VSOCK_OP_SHUTDOWN).h.flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
	say_data(PORT, "x", 1);
	cr_expect_eq(used_places(), 1U, "its other half goes on");
}

Test(vsock, a_host_that_is_gone)
{
	int fd = open_to_host();

	cr_assert_eq(write(fd, "last", 4), 4);
	close(fd);
	turn();
	cr_expect_eq(hear_op(VIRTIO_VSOCK_OP_RW).h.len, 4U, "what it wrote comes first");
	cr_expect_eq(hear_op(VIRTIO_VSOCK_OP_SHUTDOWN).h.flags, 3U);
	say_data(PORT, "x", 1);
	hear_op(OP_NONE);
	cr_expect_eq(used_places(), 1U, "until the guest says that it knows");
	say(VIRTIO_VSOCK_OP_RST, PORT, 0);
	cr_expect_eq(used_places(), 0U);
	hear_op(OP_NONE);
}

Test(vsock, a_guest_that_resets)
{
	char got[4];
	int fd = open_to_host();

	say(VIRTIO_VSOCK_OP_RST, PORT, 0);
	cr_expect_eq(read(fd, got, sizeof(got)), 0);
	hear_op(OP_NONE);
	cr_expect_eq(used_places(), 0U);
}

/* What is for nobody, or not to be said now: the answer, and whether the connection is still there. */
Test(vsock, what_is_reset)
{
	static const struct {
		const char *what;
		uint64_t from, to;
		uint32_t host_port;
		uint16_t type, op;
		bool open;  /* there is a connection of PORT */
		bool reset; /* it is answered so */
		bool stays;
	} rows[] = {
		{ "nobody listens", 3, 2, 78, 1, VIRTIO_VSOCK_OP_REQUEST, false, true, false },
		{ "another machine", 3, 9, PORT, 1, VIRTIO_VSOCK_OP_REQUEST, false, true, false },
		{ "another type", 3, 2, PORT, 2, VIRTIO_VSOCK_OP_REQUEST, false, true, false },
		{ "another's name", 4, 2, PORT, 1, VIRTIO_VSOCK_OP_REQUEST, false, false, false },
		{ "data of none", 3, 2, PORT, 1, VIRTIO_VSOCK_OP_RW, false, true, false },
		{ "a reset of none", 3, 2, PORT, 1, VIRTIO_VSOCK_OP_RST, false, false, false },
		{ "a reset elsewhere", 3, 9, PORT, 1, VIRTIO_VSOCK_OP_RST, false, false, false },
		{ "one twice", 3, 2, PORT, 1, VIRTIO_VSOCK_OP_REQUEST, true, true, false },
		{ "an answer to none", 3, 2, PORT, 1, VIRTIO_VSOCK_OP_RESPONSE, true, true, false },
		{ "an unknown word", 3, 2, PORT, 1, 55, true, true, false },
		{ "credit", 3, 2, PORT, 1, VIRTIO_VSOCK_OP_CREDIT_UPDATE, true, false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct virtio_vsock_hdr h = header(rows[i].op, rows[i].host_port, GUEST);
		int fd = rows[i].open ? open_to_host() : -1;
		struct packet p;

		give_room(rows[i].open ? 0 : 8);
		h.src_cid = rows[i].from;
		h.dst_cid = rows[i].to;
		h.type = rows[i].type;
		send_header(&h, NULL, 0);
		turn();
		p = hear();
		cr_expect_eq(p.h.op, rows[i].reset ? VIRTIO_VSOCK_OP_RST : OP_NONE, "%s: %u",
			     rows[i].what, p.h.op);
		if (p.h.op == VIRTIO_VSOCK_OP_RST) {
			cr_expect_eq(p.h.src_cid, rows[i].to, "%s", rows[i].what);
			cr_expect_eq(p.h.src_port, rows[i].host_port, "%s", rows[i].what);
			cr_expect_eq(p.h.dst_port, GUEST, "%s", rows[i].what);
			cr_expect_eq(p.h.type, rows[i].type, "%s", rows[i].what);
		}
		cr_expect_eq(used_places(), rows[i].stays, "%s", rows[i].what);
		cr_expect_not(s.v.broken, "%s", rows[i].what);
		close_fd(&fd);
		while (hear().h.op != OP_NONE)
			;
		/* From the beginning again. */
		virtio_bar_write(&s.v, VIRTIO_PCI_COMMON_STATUS, &(uint8_t){ 0 }, 1);
		turn();
		cr_expect_eq(used_places(), 0U);
		memset(ram, 0, ROOMS);
		seen = sent = 0;
		for (unsigned q = 0; q < 3; q++)
			s.v.queues[q] = (struct virtqueue){ .memory = &memory,
							    .size = QUEUE,
							    .ready = true,
							    .descriptors = queue_at(q),
							    .available = queue_at(q) + 0x1000,
							    .used = queue_at(q) + 0x2000,
							    .vector = 0xffff };
		s.v.status = VIRTIO_CONFIG_S_DRIVER_OK;
	}
}

Test(vsock, lines_of_the_host)
{
	static const struct {
		const char *line;
		int r;
		uint32_t port;
	} rows[] = {
		{ "CONNECT 52\n", 0, 52 },
		{ "CONNECT 0\n", 0, 0 },
		{ "CONNECT 4294967295\n", 0, UINT32_MAX },
		{ "CONNECT 4294967296\n", -EPROTO, 0 },
		{ "CONNECT 99999999999999999999\n", -EPROTO, 0 },
		{ "CONNECT \n", -EPROTO, 0 },
		{ "CONNECT\n", -EPROTO, 0 },
		{ "CONNECT -1\n", -EPROTO, 0 },
		{ "CONNECT 5 \n", -EPROTO, 0 },
		{ "CONNECT 5\r\n", -EPROTO, 0 },
		{ "connect 5\n", -EPROTO, 0 },
		{ "CONNECT 5", -EPROTO, 0 },
		{ "\n", -EPROTO, 0 },
		{ "", -EPROTO, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t port = 0;
		int r = vsock_read_line(rows[i].line, strlen(rows[i].line), &port);

		cr_expect_eq(r, rows[i].r, "\"%s\"", rows[i].line);
		cr_expect_eq(port, rows[i].port, "\"%s\"", rows[i].line);
	}
}

Test(vsock, from_the_host_to_the_guest)
{
	char got[32] = { 0 };
	struct packet p;
	int fd;

	give_room(32);
	fd = connect_to("sock");
	cr_assert_eq(write(fd, "CONNE", 5), 5);
	turn();
	hear_op(OP_NONE);
	cr_assert_eq(write(fd, "CT 52\nearly", 11), 11);
	turn();
	p = hear_op(VIRTIO_VSOCK_OP_REQUEST);
	cr_expect_eq(p.h.dst_port, 52U);
	cr_expect_eq(p.h.src_port, VSOCK_FIRST_PORT + 1U);
	hear_op(OP_NONE);
	send_header(&(struct virtio_vsock_hdr){ 3, 2, 52, p.h.src_port, 0, 1,
						VIRTIO_VSOCK_OP_RESPONSE, 0, WINDOW, 0 },
		    NULL, 0);
	turn();
	cr_expect_eq(read(fd, got, sizeof(got)), 14);
	cr_expect_str_eq(got, "OK 1073741825\n");
	p = hear_op(VIRTIO_VSOCK_OP_RW);
	cr_expect_eq(p.h.len, 5U);
	cr_expect_eq(memcmp(p.data, "early", 5), 0);
}

Test(vsock, a_host_that_is_refused_or_gives_up)
{
	char got[32];
	struct packet p;
	int fd[2];

	give_room(32);
	for (int i = 0; i < 2; i++) {
		fd[i] = connect_to("sock");
		cr_assert_eq(write(fd[i], "CONNECT 900\n", 12), 12);
		turn();
		p = hear_op(VIRTIO_VSOCK_OP_REQUEST);
		if (i == 0) {
			say(VIRTIO_VSOCK_OP_RST, p.h.src_port, 0);
			cr_expect_eq(read(fd[i], got, sizeof(got)), 0, "no OK");
			hear_op(OP_NONE);
		}
	}
	close(fd[1]);
	turn();
	hear_op(VIRTIO_VSOCK_OP_RST);
	cr_expect_eq(used_places(), 0U);
}

Test(vsock, a_host_that_asks_for_nothing)
{
	static const char *const lines[] = { "GET / HTTP/1.0\n",
					     "0123456789012345678901234567890" };
	char got[8];

	give_room(8);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		int fd = connect_to("sock");

		cr_assert_gt(write(fd, lines[i], strlen(lines[i])), 0);
		turn();
		errno = ECONNRESET; /* if it has not even read all */
		cr_expect_leq(read(fd, got, sizeof(got)), 0, "%s", lines[i]);
		cr_expect_eq(errno, ECONNRESET, "%s", lines[i]);
		close(fd);
	}
	hear_op(OP_NONE);
	cr_expect_eq(used_places(), 0U);
}

Test(vsock, no_more_than_the_guest_has_room_for)
{
	struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_CREDIT_UPDATE, PORT, GUEST);
	static char bytes[10000];
	int fd = open_to_host();

	h.buf_alloc = 1000;
	send_header(&h, NULL, 0);
	cr_assert_eq(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	turn();
	cr_expect_eq(hear_op(VIRTIO_VSOCK_OP_RW).h.len, 1000U);
	hear_op(VIRTIO_VSOCK_OP_CREDIT_REQUEST);
	hear_op(OP_NONE);
	send_header(&h, NULL, 0); /* still nothing */
	turn();
	hear_op(OP_NONE);
	h.fwd_cnt = 300;
	send_header(&h, NULL, 0);
	turn();
	cr_expect_eq(hear_op(VIRTIO_VSOCK_OP_RW).h.len, 300U);
	hear_op(VIRTIO_VSOCK_OP_CREDIT_REQUEST);
	h.fwd_cnt = 5000; /* more than it was sent: nonsense, which gives no credit */
	send_header(&h, NULL, 0);
	turn();
	hear_op(OP_NONE);
}

Test(vsock, no_more_than_the_host_takes)
{
	static char bytes[VSOCK_WINDOW], got[VSOCK_WINDOW];
	int fd = open_to_host();
	uint32_t told = 0, all = 0, read_all = 0;
	ssize_t n;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 251);
	/* As a driver does: no more than there is room for, as far as it was told. */
	for (;;) {
		uint32_t room = VSOCK_WINDOW - (all - told);
		struct packet p;

		if (!room)
			break;
		say_data(PORT, bytes + all % 4096, room < 30000 ? room : 30000);
		all += room < 30000 ? room : 30000;
		while ((p = hear()).h.op != OP_NONE) {
			cr_expect_eq(p.h.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
			told = p.h.fwd_cnt;
			give_room(1);
		}
	}
	cr_expect_gt(all, 100000U, "the socket itself holds some");
	cr_expect_gt(s.connections[0].waiting, VSOCK_WINDOW / 2U,
		     "of the rest it was not told yet");
	while ((n = read(fd, got, sizeof(got))) > 0) {
		read_all += (uint32_t)n;
		turn();
	}
	cr_expect_eq(read_all, all, "%u of %u", read_all, all);
	cr_expect_eq(hear_op(VIRTIO_VSOCK_OP_CREDIT_UPDATE).h.fwd_cnt, all);
}

Test(vsock, a_guest_that_sends_more_than_it_may)
{
	static char bytes[VSOCK_WINDOW];
	char got[8];
	int fd = open_to_host();

	for (int i = 0; i < 20 && used_places(); i++) {
		say_data(PORT, bytes, sizeof(bytes));
		give_room(1);
	}
	cr_expect_eq(used_places(), 0U);
	while (hear().h.op == VIRTIO_VSOCK_OP_CREDIT_UPDATE)
		;
	while (read(fd, got, sizeof(got)) > 0)
		;
	cr_expect_eq(read(fd, got, sizeof(got)), 0);
}

Test(vsock, what_waits_comes_after_the_guest_is_done)
{
	static char bytes[VSOCK_WINDOW], got[VSOCK_WINDOW];
	int fd = open_to_host();
	size_t all = 0, there = 0;
	ssize_t n;

	while (!s.connections[0].waiting) {
		say_data(PORT, bytes, 50000);
		all += 50000;
		give_room(1);
	}
	while (hear().h.op != OP_NONE)
		;
	say(VIRTIO_VSOCK_OP_SHUTDOWN, PORT, 3);
	hear_op(VIRTIO_VSOCK_OP_RST);
	cr_expect_eq(s.connections[0].stage, VSOCK_DRAINING);
	say(VIRTIO_VSOCK_OP_RW, PORT, 0);
	hear_op(VIRTIO_VSOCK_OP_RST);
	while ((n = read(fd, got, sizeof(got))) > 0) {
		there += (size_t)n;
		turn();
	}
	cr_expect_eq(n, 0);
	cr_expect_eq(there, all);
	cr_expect_eq(used_places(), 0U);
}

Test(vsock, no_more_connections_than_there_may_be)
{
	struct virtio_vsock_hdr h;
	size_t opened = 0;
	struct packet p;

	for (uint32_t i = 0; i < VSOCK_CONNECTIONS + 2U; i++) {
		give_room(1);
		h = header(VIRTIO_VSOCK_OP_REQUEST, PORT, 1000 + i);
		send_header(&h, NULL, 0);
		turn();
		p = hear();
		opened += p.h.op == VIRTIO_VSOCK_OP_RESPONSE;
		cr_expect_eq(p.h.op, i < VSOCK_CONNECTIONS ? VIRTIO_VSOCK_OP_RESPONSE
							   : VIRTIO_VSOCK_OP_RST);
	}
	cr_expect_eq(opened, (size_t)VSOCK_CONNECTIONS);
	/* The host can't come in either. */
	give_room(4);
	close(connect_to("sock"));
	turn();
	hear_op(OP_NONE);
	/* One whose host is gone makes place, though the guest has not said that it knows. */
	close(accept(host, NULL, NULL));
	turn();
	hear_op(VIRTIO_VSOCK_OP_SHUTDOWN);
	h = header(VIRTIO_VSOCK_OP_REQUEST, PORT, 5000);
	send_header(&h, NULL, 0);
	turn();
	cr_expect_eq(hear_op(VIRTIO_VSOCK_OP_RST).h.dst_port, 1000U);
	cr_expect_eq(hear_op(VIRTIO_VSOCK_OP_RESPONSE).h.dst_port, 5000U);
}

Test(vsock, answers_without_room_are_not_without_end)
{
	size_t n = 0;

	for (int i = 0; i < QUEUE; i++) {
		struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_RW, 5, (uint32_t)i);

		send_header(&h, NULL, 0);
	}
	turn();
	cr_expect_leq(s.n_resets, (size_t)VSOCK_RESETS);
	cr_expect(virtqueue_pending(&s.v.queues[1]), "what it can't answer, it leaves there");
	give_room(QUEUE);
	turn();
	while (hear().h.op == VIRTIO_VSOCK_OP_RST)
		n++;
	cr_expect_eq(n, (size_t)QUEUE);
	cr_expect_eq(s.n_resets, 0U);
}

Test(vsock, what_is_no_packet)
{
	static const struct {
		const char *what;
		uint32_t size; /* of the buffer */
		uint32_t len;  /* of its data, it says */
		uint16_t flags;
	} rows[] = {
		{ "no whole header", 43, 0, 0 },
		{ "nothing", 0, 0, 0 },
		{ "less than it says", 44 + 99, 100, 0 },
		{ "as long as can be", 44, UINT32_MAX, 0 },
		{ "too long", 0x20000, VSOCK_PACKET_MAX + 1, 0 },
		{ "one to be written", 44, 0, VRING_DESC_F_WRITE },
	};

	give_room(4);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_RW, PORT, GUEST);

		h.len = rows[i].len;
		send_header(&h, NULL, 0);
		describe(1, (sent - 1U) % QUEUE, PACKETS + (uint64_t)((sent - 1U) % 8) * 0x11000,
			 rows[i].size, rows[i].flags, 0);
		turn();
		cr_expect(s.v.broken, "%s", rows[i].what);
		hear_op(OP_NONE);
		s.v.broken = false;
	}
}

Test(vsock, a_buffer_without_room)
{
	describe(0, 0, ROOMS, 43, VRING_DESC_F_WRITE, 0);
	offer(0, 0);
	say(VIRTIO_VSOCK_OP_REQUEST, 5, 0);
	cr_expect(s.v.broken);
}

Test(vsock, data_is_split_as_the_buffers_are)
{
	struct packet p;
	int fd = open_to_host();

	while (s.v.queues[0].next != *(uint16_t *)(ram + queue_at(0) + 0x1002))
		s.v.queues[0].next++; /* the large ones are no more */
	s.has_spare = false;
	describe(0, 60, ROOMS + 60 * ROOM, 20, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 61);
	describe(0, 61, ROOMS + 60 * ROOM + 20, 26, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 62);
	describe(0, 62, ROOMS + 60 * ROOM + 46, 3, VRING_DESC_F_WRITE, 0);
	offer(0, 60);
	describe(0, 63, ROOMS + 63 * ROOM, 50, VRING_DESC_F_WRITE, 0);
	offer(0, 63);
	cr_assert_eq(write(fd, "abcdefghijk", 11), 11);
	turn();
	p = hear_op(VIRTIO_VSOCK_OP_RW);
	cr_expect_eq(p.h.len, 5U);
	cr_expect_eq(memcmp(p.data, "abcde", 5), 0);
	p = hear_op(VIRTIO_VSOCK_OP_RW);
	cr_expect_eq(p.h.len, 6U);
	cr_expect_eq(memcmp(p.data, "fghijk", 6), 0);
}

Test(vsock, a_reset_of_the_device_ends_all)
{
	char got[4];
	int fd = open_to_host();

	virtio_bar_write(&s.v, VIRTIO_PCI_COMMON_STATUS, &(uint8_t){ 0 }, 1);
	cr_expect(s.forgotten);
	turn();
	cr_expect_eq(read(fd, got, sizeof(got)), 0);
	cr_expect_eq(used_places(), 0U);
	close(connect_to("sock")); /* it is not looked at without a driver */
	turn();
	cr_expect_eq(used_places(), 0U);
}

/* With its thread, which is in a directory that it can't leave. */
Test(vsock, its_thread)
{
	struct err e = { 0 };
	struct pollfd p = { .fd = -1, .events = POLLIN };
	int inside, fd;

	cr_assert_eq(mkdir("below", 0700), 0);
	p.fd = inside = listen_at("below/sock_77");
	fd = vsock_open_directory("/proc/self/cwd/below/sock", &e);
	if (fd == -EPERM)
		cr_skip_test("needs CAP_SYS_ADMIN");
	cr_assert_geq(fd, 0, "%s", e.msg);
	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	s.v.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	give_room(8);
	cr_assert_eq(vsock_start(&s, fd, &e), 0, "%s", e.msg);
	{
		struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_REQUEST, PORT, GUEST);

		send_header(&h, NULL, 0);
	}
	cr_assert_eq(eventfd_write(s.v.wake, 1), 0);
	cr_assert_eq(poll(&p, 1, WAIT_MS), 1, "it is there");
	cr_expect_eq(access("below", F_OK), 0, "only the thread is there");
	/* A socket that is above: as if nothing were there. */
	p.fd = listen_at("above_77");
	pthread_mutex_lock(&s.v.lock);
	s.name = "../above";
	pthread_mutex_unlock(&s.v.lock);
	{
		struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_REQUEST, PORT, GUEST + 1);

		send_header(&h, NULL, 0);
	}
	cr_assert_eq(eventfd_write(s.v.wake, 1), 0);
	for (int i = 0; i < WAIT_MS && *(volatile uint16_t *)(ram + queue_at(0) + 0x2002) < 2; i++)
		usleep(1000);
	hear_op(VIRTIO_VSOCK_OP_RESPONSE);
	hear_op(VIRTIO_VSOCK_OP_RST);
	cr_expect_eq(poll(&p, 1, 0), 0, "nobody came there");
	unlink("below/sock_77");
	rmdir("below");
}

Test(vsock_host, paths)
{
	static const struct {
		const char *path;
		int r;
		const char *message;
	} rows[] = {
		{ "/run/a/b.sock", 0, NULL },
		{ "/a", 0, NULL },
		{ "a/b", -EINVAL,
		  "annotation run.hull.vm.vsock: must be an absolute path, not \"a/b\"" },
		{ "", -EINVAL, "annotation run.hull.vm.vsock: must be an absolute path, not \"\"" },
		{ "/a/", -EINVAL, "annotation run.hull.vm.vsock: \"/a/\" is no name of a socket" },
		{ "/a/..", -EINVAL,
		  "annotation run.hull.vm.vsock: \"/a/..\" is no name of a socket" },
		{ "/a/."
		  "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
		  "1234567890",
		  -ENAMETOOLONG,
		  "annotation run.hull.vm.vsock: the socket's name must have at most 90 bytes, not "
		  "91" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };

		cr_expect_eq(vsock_check_path(rows[i].path, &e), rows[i].r, "%s", rows[i].path);
		if (rows[i].message)
			cr_expect_str_eq(e.msg, rows[i].message);
	}
	cr_expect_str_eq(vsock_name("/run/a/b.sock"), "b.sock");
}

/* `where` is the container's directory, as its socket's. */
static void make_path(char ret[64], const char *name)
{
	snprintf(ret, 64, "%s/%s", directory, name);
}

Test(vsock_host, goes_with_the_container_and_no_other_does, .init = begin, .fini = tear_down)
{
	struct err e = { 0 };
	char path[64], wrong[64], long_name[64 + 100];
	struct stat st;
	int dir, fd, other;

	make_path(path, "own");
	dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_expect_eq(vsock_remove(dir, path, &e), 0, "there was none");
	fd = vsock_listen(dir, path, &e);
	cr_assert_geq(fd, 0, "%s", e.msg);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect(S_ISSOCK(st.st_mode));
	cr_expect_eq(st.st_mode & 07777, 0600U);
	close(connect_to(path));
	cr_expect_eq(vsock_listen(dir, path, &e), -EADDRINUSE);
	cr_expect(strstr(e.msg, "own is there already, perhaps another container's"), "%s", e.msg);
	cr_expect_eq(stat(path, &st), 0, "that one stays");
	cr_expect_eq(vsock_remove(dir, path, &e), 0, "%s", e.msg);
	cr_expect_eq(stat(path, &st), -1);
	cr_expect_eq(vsock_remove(dir, path, &e), 0, "it is gone already");
	/* What somebody else has put there is not ours. */
	usleep(20000);
	other = listen_at("own");
	cr_expect_eq(vsock_remove(dir, path, &e), 0);
	cr_expect_eq(stat(path, &st), 0);
	close(other);
	make_path(wrong, "none/own");
	cr_expect_eq(vsock_listen(dir, wrong, &e), -ENOENT);
	cr_expect(strstr(e.msg, "annotation run.hull.vm.vsock: open the directory "), "%s", e.msg);
	cr_expect_eq(vsock_open_directory(wrong, &e) < 0, true);
	/* The longest name is one that can be connected to. */
	snprintf(long_name, sizeof(long_name), "%s/%090d", directory, 7);
	cr_assert_eq(vsock_check_path(long_name, &e), 0);
	fd = vsock_listen(dir, long_name, &e);
	cr_assert_geq(fd, 0, "%s", e.msg);
	cr_expect_eq(stat(long_name, &st), 0);
	cr_expect_eq(vsock_remove(dir, long_name, &e), 0);
	snprintf(long_name, sizeof(long_name), "%090d_4294967295", 7);
	other = listen_at(long_name);
	snprintf(long_name, sizeof(long_name), "%090d", 7);
	fd = vsock_open_host(long_name, UINT32_MAX);
	cr_expect_geq(fd, 0, "errno %d", -fd);
}
