/*
 * fuzz_virtio.c - a driver that does anything: the input is guest memory and what is written to
 * the device's registers.
 *
 * Each six bytes are an access: two of offset, four of value; what is left is
 * laid out as memory, so that rings and descriptors come from it as well.
 * What is popped must lie in that memory.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "microvm/balloon.h"
#include "microvm/blk.h"
#include "microvm/console.h"
#include "microvm/net.h"
#include "microvm/rng.h"
#include "microvm/vsock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY = 64 * 1024, ACCESS = 6, ACCESSES = 64 };

static _Alignas(4096) uint8_t ram[MEMORY];

static void set_up(struct virtio *v, const uint8_t **data, size_t *size)
{
	static const uint32_t begin[][2] = { { 0x14, 15 },     { 0x16, 0 },      { 0x18, 8 },
					     { 0x20, 0 },      { 0x28, 0x1000 }, { 0x30, 0x2000 },
					     { 0x1c, 1 },      { 0x16, 1 },      { 0x18, 8 },
					     { 0x20, 0x3000 }, { 0x28, 0x4000 }, { 0x30, 0x5000 },
					     { 0x1c, 1 } };

	for (size_t i = 0; i < ARRAY_LEN(begin); i++)
		virtio_bar_write(v, begin[i][0], &begin[i][1], i ? 4 : 1);
	for (int i = 0; i < ACCESSES && *size >= ACCESS && (*data)[0] != 0xff; i++) {
		uint32_t at = ((*data)[0] | (uint32_t)(*data)[1] << 8) % (VIRTIO_BAR_SIZE - 8);
		uint64_t value = 0;

		memcpy(&value, *data + 2, 4);
		virtio_bar_write(v, at, &value, (size_t)1 << (at & 3));
		virtio_bar_read(v, at, &value, (size_t)1 << (at & 3));
		virtio_space_write(v, at % 252, &value, 4);
		*data += ACCESS;
		*size -= ACCESS;
	}
}

static void walk(struct virtqueue *q)
{
	struct chain c;

	for (int i = 0; i < 32 && virtqueue_pop(q, &c) > 0; i++) {
		for (int n = 0; n < c.n_read + c.n_write; n++) {
			const struct iovec *v = n < c.n_read ? &c.read[n] : &c.write[n - c.n_read];
			const uint8_t *at = v->iov_base;

			if (at < ram || at > ram + MEMORY ||
			    v->iov_len > (size_t)(ram + MEMORY - at))
				abort();
		}
		if (virtqueue_push(q, &(struct done){ c.head, 1 }, 1) < 0)
			break;
	}
}

/* Packets that come in are of the input's bytes; what goes out is a packet. */
static void exchange(struct net *n, int wire, const uint8_t *data, size_t size)
{
	static uint8_t got[NET_PACKET_MAX + 1];
	ssize_t len;

	for (size_t i = 0; i < 4; i++) {
		uint8_t packet[2048] = { 0 };

		memcpy(packet, data, size < sizeof(packet) ? size : sizeof(packet));
		if (send(wire, packet, 40 + i * 600, MSG_DONTWAIT) < 0)
			break;
		net_attend(n);
	}
	while ((len = recv(wire, got, sizeof(got), MSG_DONTWAIT)) > 0)
		if (len < TAP_HEADER + NET_FRAME_MIN || len > NET_PACKET_MAX)
			abort();
}

/*
 * The input's bytes are headers of packets, a word of each for what comes of it; a program of the
 * host asks, listens and goes meanwhile. The driver's memory is set up anew: rings of eight.
 */
static void talk(const uint8_t *data, size_t size)
{
	enum { ROWS = 8, HEADER = 44, RX = 0x1000, TX = 0x4000, ROOM = 0x8000, SAID = 0xc000 };
	static struct vsock s;
	static int listener = -1;
	const struct memory memory = { ram, MEMORY };
	int program[2] = { -1, -1 };

	memset(ram, 0, sizeof(ram));
	if (listener < 0) {
		listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (listen(listener, 1) < 0 && errno != EINVAL)
			abort();
	}
	virtio_init(&s.v, &vsock_kind, &memory, 0xd0020000);
	vsock_init(&s, listener, "/nowhere/sock");
	vsock_turn(&s, 0);
	for (unsigned i = 0; i < 2; i++)
		s.v.queues[i] = (struct virtqueue){ .memory = &memory,
						    .size = ROWS,
						    .ready = true,
						    .descriptors = i ? TX : RX,
						    .available = (i ? TX : RX) + 0x400U,
						    .used = (i ? TX : RX) + 0x800U,
						    .vector = 0xffff };
	s.v.status = 4;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, program) < 0)
		abort();
	s.connections[0] = (struct vsock_connection){ .stage = size & 1 ? VSOCK_OPEN : VSOCK_ASKING,
						      .fd = program[0],
						      .host_port = 7,
						      .guest_port = 7 };
	if (write(program[1], size & 1 ? "some data" : "CONNECT 7\n", 10) < 0)
		abort();
	for (unsigned n = 0; size > 2 && n < 32; n++) {
		uint32_t room = data[0] & 1 ? 0x800 : data[1], at = SAID + n % 4 * 0x400U;
		uint64_t descriptors[2][2] = {
			{ ROOM + n % 8 * 0x800U, room | UINT64_C(2) << 32 },
			{ at, (HEADER + data[1]) },
		};
		size_t len = size - 2 < HEADER ? size - 2 : HEADER;

		memset(ram + at, 0, HEADER);
		memcpy(ram + at, data + 2, len);
		if (data[0] & 2) { /* one that gets as far as the connection */
			memcpy(ram + at, (const uint64_t[2]){ 3, 2 }, 16);
			memcpy(ram + at + 16, (const uint32_t[2]){ 7, 7 }, 8);
			ram[at + 28] = 1;
			ram[at + 29] = 0;
			ram[at + 30] %= 10;
			ram[at + 31] = 0;
		}
		for (unsigned q = 0; q < 2; q++) {
			uint16_t *available = (uint16_t *)(ram + (q ? TX : RX) + 0x400);

			memcpy(ram + (q ? TX : RX) + n % ROWS * 16, descriptors[q], 16);
			available[2 + available[1]++ % ROWS] = (uint16_t)(n % ROWS);
		}
		vsock_turn(&s, 0);
		if (data[0] & 4)
			close_fd(&program[1]);
		data += 2 + len;
		size -= 2 + len;
		for (size_t i = 0; i < VSOCK_CONNECTIONS; i++)
			if (s.connections[i].waiting > VSOCK_WINDOW || s.n_resets > VSOCK_RESETS)
				abort();
	}
	close_fd(&program[1]);
	virtio_bar_write(&s.v, 0x14, &(uint8_t){ 0 }, 1);
	vsock_turn(&s, 0);
	for (size_t i = 0; i < VSOCK_CONNECTIONS; i++)
		if (s.connections[i].stage != VSOCK_FREE)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct net n;
	static int pair[2] = { -1, -1 };
	const struct memory memory = { ram, MEMORY };
	struct console c = { 0 };
	struct balloon balloon = { 0 };
	static struct blk disk;
	static int file = -1;
	struct err e;
	struct rng r;
	struct buf b = { 0 };
	char rest;

	if (pair[0] < 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	memset(ram, 0, sizeof(ram));
	if (file < 0) {
		file = memfd_create("disk", MFD_CLOEXEC);
		if (ftruncate(file, MEMORY) < 0)
			abort();
	}
	virtio_init(&disk.v, &blk_kind, &memory, 0xd0018000);
	if (blk_open(&disk, file, &e) < 0)
		abort();
	virtio_init(&c.v, &console_kind, &memory, 0xd0000000);
	virtio_init(&r.v, &rng_kind, &memory, 0xd0008000);
	virtio_init(&balloon.v, &balloon_kind, &memory, 0xd0010000);
	set_up(&c.v, &data, &size);
	set_up(&r.v, &data, &size);
	n.tap = pair[0];
	virtio_init(&n.v, &net_kind, &memory, 0xd0010000);
	set_up(&n.v, &data, &size);
	set_up(&balloon.v, &data, &size);
	set_up(&disk.v, &data, &size);
	/* pages in turn: descriptors, available, used of the first queue, then of the second */
	for (size_t i = 0; i < size; i++)
		ram[(i / 64 * 0x1000 + i % 64) % MEMORY] = data[i];
	console_attend(&c);
	console_receive(&c, &b, 4096);
	console_send(&c, "abcdefgh", 8);
	rng_attend(&r);
	n.v.driver_features |= size & 1 ? 1U << 15 : 0;
	exchange(&n, pair[1], data, size);
	while (recv(pair[0], &rest, 1, MSG_DONTWAIT) > 0)
		;
	balloon_attend(&balloon);
	blk_attend(&disk);
	for (size_t i = 0; i < VIRTIO_QUEUES; i++) {
		c.v.queues[i].next = 0;
		walk(&c.v.queues[i]);
	}
	buf_done(&b);
	buf_done(&c.control);
	talk(data, size);
	return 0;
}
