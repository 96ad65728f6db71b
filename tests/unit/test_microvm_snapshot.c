/* Devices and streams into a state and out of it, on made-up guest memory: no /dev/kvm. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "microvm/balloon.h"
#include "microvm/blk.h"
#include "microvm/console.h"
#include "microvm/net.h"
#include "microvm/rng.h"
#include "microvm/snapshot.h"

enum { SIZE = 0x40000, DATA = 0x20000, NOTIFY = 0x3000, MSIX = 0x4000, ENTRIES = 8 };

static _Alignas(4096) uint8_t ram[SIZE];
static const struct memory memory = { ram, SIZE };
static unsigned interrupts;

static void count_interrupt(void *ctx, const struct virtio_msix *x)
{
	(void)ctx;
	cr_expect_eq(x->data, 0x4321);
	interrupts++;
}

static void bar16(struct virtio *v, uint32_t at, uint16_t value)
{
	virtio_bar_write(v, at, &value, sizeof(value));
}

static void bar32(struct virtio *v, uint32_t at, uint32_t value)
{
	virtio_bar_write(v, at, &value, sizeof(value));
}

/* Where the rings of a queue are: descriptors, available, used. */
static uint32_t ring(unsigned queue, unsigned part)
{
	return 0x1000 * (1 + 3 * queue + part);
}

static void make(struct virtio *v, const struct virtio_kind *kind)
{
	virtio_init(v, kind, &memory, 0xd0000000);
	v->interrupt = count_interrupt;
}

/* As a driver does: features, queues, vectors, going. */
static void drive(struct virtio *v, uint32_t features)
{
	bar32(v, VIRTIO_PCI_COMMON_GF, features);
	bar32(v, VIRTIO_PCI_COMMON_GFSELECT, 1);
	bar32(v, VIRTIO_PCI_COMMON_GF, 1);
	virtio_space_write(v, 0x43, "\x80", 1); /* MSI-X is on */
	for (uint16_t i = 0; i < v->kind->queues; i++) {
		bar16(v, VIRTIO_PCI_COMMON_Q_SELECT, i);
		bar16(v, VIRTIO_PCI_COMMON_Q_SIZE, ENTRIES);
		bar16(v, VIRTIO_PCI_COMMON_Q_MSIX, (uint16_t)(i + 1));
		bar32(v, VIRTIO_PCI_COMMON_Q_DESCLO, ring(i, 0));
		bar32(v, VIRTIO_PCI_COMMON_Q_AVAILLO, ring(i, 1));
		bar32(v, VIRTIO_PCI_COMMON_Q_USEDLO, ring(i, 2));
		bar16(v, VIRTIO_PCI_COMMON_Q_ENABLE, 1);
		bar32(v, MSIX + (i + 1U) * 16 + 8, 0x4321);
		bar32(v, MSIX + (i + 1U) * 16 + 12, 0);
	}
	virtio_bar_write(v, VIRTIO_PCI_COMMON_STATUS, "\xf", 1);
	cr_assert(virtio_is_going(v));
}

/* One buffer in a queue. */
static void offer(unsigned queue, uint32_t address, uint32_t size, uint16_t flags)
{
	uint16_t *a = (uint16_t *)(ram + ring(queue, 1));
	struct vring_desc d = { address, size, flags, 0 };
	uint16_t i = a[1] % ENTRIES;

	memcpy(ram + ring(queue, 0) + i * sizeof(d), &d, sizeof(d));
	a[2 + i] = i;
	a[1]++;
}

static uint16_t used(unsigned queue)
{
	return ((uint16_t *)(ram + ring(queue, 2)))[1];
}

static void save(struct virtio *v, struct saved_out *o)
{
	struct err e;

	saved_begin(o, SAVED_DEVICE, 1);
	virtio_save(v, o);
	cr_assert_eq(saved_finish(o, &e), 0);
}

static int load(const struct saved_out *o, struct virtio *v, struct err *e)
{
	struct saved_in in;
	struct saved s;

	TRY(saved_open(o->bytes.text, o->bytes.len, &s, e));
	TRY(saved_part(&s, SAVED_DEVICE, 1, &in, e));
	return virtio_load(v, &in, e);
}

Test(snapshot, a_device_goes_on_where_it_was)
{
	auto_saved_out struct saved_out o = { 0 };
	struct rng one, two;
	uint32_t value;
	struct err e;

	make(&one.v, &rng_kind);
	drive(&one.v, 0);
	offer(0, DATA, 16, VRING_DESC_F_WRITE);
	rng_attend(&one);
	cr_expect(used(0) == 1 && interrupts == 1);
	bar32(&one.v, MSIX + 16 + 12, 1); /* masked: what comes now waits */
	offer(0, DATA + 16, 16, VRING_DESC_F_WRITE);
	rng_attend(&one);
	offer(0, DATA + 32, 16, VRING_DESC_F_WRITE);
	save(&one.v, &o);

	make(&two.v, &rng_kind);
	two.v.wake = eventfd(0, EFD_NONBLOCK);
	cr_assert_eq(load(&o, &two.v, &e), 0, "%s", e.msg);
	cr_expect(virtio_is_going(&two.v) && virtio_has(&two.v, VIRTIO_F_VERSION_1));
	for (uint32_t at = 0; at < 0x38; at += 2) {
		uint16_t a, b;

		virtio_bar_read(&one.v, at, &a, 2);
		virtio_bar_read(&two.v, at, &b, 2);
		cr_expect_eq(a, b, "register %x", at);
	}
	cr_expect_eq(interrupts, 1);
	bar32(&two.v, MSIX + 16 + 12, 0);
	cr_expect_eq(interrupts, 2, "the one that waited");
	virtio_let_go(&two.v);
	cr_expect_eq(read(two.v.wake, (uint64_t[1]){ 0 }, 8), 8, "there may be requests");
	rng_attend(&two);
	cr_expect(used(0) == 3 && interrupts == 3);
	memcpy(&value, ram + ring(0, 2) + 4 + 8 * 2 + 4, 4);
	cr_expect_eq(value, 16);
}

Test(snapshot, devices_that_cannot_be)
{
	static const struct {
		const char *what;
		size_t at; /* in the part of a virtio-rng */
		uint8_t bytes[2];
		const char *message;
	} rows[] = {
		{ "kind", 0, { 3, 0 }, "it is of virtio's kind 3, and here virtio-rng (4)" },
		{ "vendor",
		  4,
		  { 0, 0 },
		  "byte 0 of its configuration space is not that of this "
		  "hull's virtio-rng" },
		{ "capability",
		  4 + 0x40,
		  { 9, 0 },
		  "byte 64 of its configuration space is not "
		  "that of this hull's virtio-rng" },
		{ "bar",
		  4 + 0x10,
		  { 1, 0 },
		  "byte 16 of its configuration space is not that of "
		  "this hull's virtio-rng" },
		{ "absent", 260, { 2, 0 }, "absent is 2, not 0 or 1" },
		{ "broken", 266, { 2, 0 }, "it is too short, or not what it should be" },
		{ "features",
		  279,
		  { 1, 0 },
		  "its driver uses features 0x100000001 of virtio-rng, "
		  "of which this hull has 0x100000000" },
		{ "vector", 287, { 6, 0 }, "an interrupt of number 6" },
		{ "pending", 390, { 3, 0 }, "it is too short, or not what it should be" },
		{ "size 0", 391, { 0, 0 }, "queue 0 of 0 entries" },
		{ "size 9", 391, { 9, 0 }, "queue 0 of 9 entries" },
		{ "size 512", 391, { 0, 2 }, "queue 0 of 512 entries" },
		{ "ready", 393, { 2, 0 }, "it is too short, or not what it should be" },
		{ "queue's vector", 420, { 0xff, 0 }, "queue 0 with an interrupt of number 255" },
	};
	struct rng one, two;

	make(&one.v, &rng_kind);
	drive(&one.v, 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_saved_out struct saved_out o = { 0 };
		char whole[256];
		struct err e;

		save(&one.v, &o);
		cr_assert_eq(o.bytes.len, 24 + 8 + 422 + 8);
		memcpy(o.bytes.text + 32 + rows[i].at, rows[i].bytes,
		       rows[i].bytes[0] == 0xff || rows[i].at == 391 || rows[i].at == 287 ||
				       rows[i].at == 420
			       ? 2
			       : 1);
		saved_seal(o.bytes.text, o.bytes.len);
		make(&two.v, &rng_kind);
		cr_expect_eq(load(&o, &two.v, &e), -EPROTO, "%s", rows[i].what);
		snprintf(whole, sizeof(whole), "the state of the microVM: device 1: %s",
			 rows[i].message);
		cr_expect_str_eq(e.msg, whole);
	}
}

/* Whatever a byte is, what comes of it keeps to its memory, and a part that is cut is refused. */
Test(snapshot, any_byte_may_be_another)
{
	static struct console one, two;
	auto_saved_out struct saved_out o = { 0 };
	auto_buf struct buf heard = { 0 };
	struct saved_in in;
	struct err e;
	size_t size;

	make(&one.v, &console_kind);
	drive(&one.v, 1U << VIRTIO_CONSOLE_F_MULTIPORT);
	offer(1, DATA, 5, 0);
	save(&one.v, &o);
	size = o.bytes.len - 24 - 8 - 8;
	for (size_t i = 0; i < size; i++)
		for (unsigned bit = 1; bit < 256; bit <<= 1) {
			const char *part = o.bytes.text + 32;

			o.bytes.text[32 + i] ^= (char)bit;
			make(&two.v, &console_kind);
			two.v.breaks = VIRTIO_BREAKS_TOLD; /* the log needs none of it */
			in = (struct saved_in){ .at = (const uint8_t *)part,
						.end = (const uint8_t *)part + size,
						.kind = SAVED_DEVICE };
			if (virtio_load(&two.v, &in, &e) == 0) {
				console_attend(&two);
				console_receive(&two, &heard, 100);
				console_send(&two, "x", 1);
			}
			o.bytes.text[32 + i] ^= (char)bit;
		}
	for (size_t i = 0; i < size; i++) {
		make(&two.v, &console_kind);
		in = (struct saved_in){ .at = (uint8_t *)o.bytes.text + 32,
					.end = (uint8_t *)o.bytes.text + 32 + i,
					.kind = SAVED_DEVICE };
		cr_expect_eq(virtio_load(&two.v, &in, &e), -EPROTO, "%zu bytes", i);
	}
	buf_done(&one.control);
	buf_done(&two.control);
}

Test(snapshot, a_console_keeps_what_it_has_to_say)
{
	static struct console one, two;
	auto_saved_out struct saved_out o = { 0 }, cut = { 0 };
	const struct virtio_console_control ready = { .event = VIRTIO_CONSOLE_DEVICE_READY,
						      .value = 1 };
	struct virtio_console_control said;
	struct err e;

	make(&one.v, &console_kind);
	drive(&one.v, 1U << VIRTIO_CONSOLE_F_MULTIPORT);
	memcpy(ram + DATA, &ready, sizeof(ready));
	offer(3, DATA, sizeof(ready), 0);
	console_attend(&one);
	save(&one.v, &o);
	make(&two.v, &console_kind);
	cr_assert_eq(load(&o, &two.v, &e), 0, "%s", e.msg);
	offer(2, DATA + 64, sizeof(said), VRING_DESC_F_WRITE);
	console_attend(&two);
	memcpy(&said, ram + DATA + 64, sizeof(said));
	cr_expect(used(2) == 1 && said.event == VIRTIO_CONSOLE_PORT_ADD && said.value == 1);
	one.control.len--;
	save(&one.v, &cut);
	make(&two.v, &console_kind);
	cr_expect_eq(load(&cut, &two.v, &e), -EPROTO);
	cr_expect_str_eq(e.msg, "the state of the microVM: device 1: 7 bytes are no messages "
				"about a port");
	buf_done(&one.control);
	buf_done(&two.control);
}

Test(snapshot, a_balloon_holds_what_it_held)
{
	struct balloon one = { 0 }, two = { 0 };
	auto_saved_out struct saved_out o = { 0 };
	struct err e;

	make(&one.v, &balloon_kind);
	drive(&one.v, 0);
	balloon_ask(&one, 300);
	bar32(&one.v, 0x2004, 299);
	save(&one.v, &o);
	make(&two.v, &balloon_kind);
	cr_assert_eq(load(&o, &two.v, &e), 0, "%s", e.msg);
	cr_expect(two.wanted == 300 && two.held == 299);
}

Test(snapshot, a_disk_is_of_the_same_size)
{
	auto_fd int file = memfd_create("disk", MFD_CLOEXEC);
	auto_saved_out struct saved_out o = { 0 };
	struct blk one, two;
	struct err e;

	cr_assert_eq(ftruncate(file, 4096), 0);
	make(&one.v, &blk_kind);
	cr_assert_eq(blk_open(&one, file, &e), 0);
	drive(&one.v, 0);
	save(&one.v, &o);
	make(&two.v, &blk_kind);
	cr_assert_eq(blk_open(&two, file, &e), 0);
	cr_expect_eq(load(&o, &two.v, &e), 0, "%s", e.msg);
	two.sectors = 7;
	make(&two.v, &blk_kind);
	cr_expect_eq(load(&o, &two.v, &e), -EPROTO);
	cr_expect_str_eq(e.msg,
			 "the state of the microVM: device 1: its disk had 8 sectors, and has 7");
}

/* A packet that waits for its second buffer is lost; the first buffer gets the next one. */
Test(snapshot, a_packet_under_way_gives_its_buffers_back)
{
	static struct net one, two;
	auto_saved_out struct saved_out o = { 0 };
	uint8_t packet[TAP_HEADER + 100] = { 0 };
	struct err e;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	make(&one.v, &net_kind);
	one.tap = pair[0];
	one.mac.bytes[5] = 9;
	one.mtu = 1400;
	drive(&one.v, 1U << 15); /* merged buffers */
	offer(0, DATA, 64, VRING_DESC_F_WRITE);
	cr_assert_eq(write(pair[1], packet, sizeof(packet)), (ssize_t)sizeof(packet));
	net_attend(&one);
	cr_expect(one.n == 1 && one.v.queues[0].next == 1 && used(0) == 0);
	save(&one.v, &o);
	cr_expect(one.n == 0 && one.size == 0 && one.v.queues[0].next == 0);

	make(&two.v, &net_kind);
	two.tap = -1;
	cr_assert_eq(load(&o, &two.v, &e), 0, "%s", e.msg);
	cr_expect(two.mac.bytes[5] == 9 && two.mtu == 1400);
	two.tap = pair[0];
	cr_assert_eq(write(pair[1], packet, 40), 40);
	net_attend(&two);
	cr_expect(used(0) == 1 && two.v.queues[0].next == 1);
	close(pair[0]);
	close(pair[1]);
}

Test(snapshot, a_held_device_takes_nothing_and_waits_for_what_is_being_done)
{
	struct rng one;
	struct err e;

	make(&one.v, &rng_kind);
	drive(&one.v, 0);
	offer(0, DATA, 16, VRING_DESC_F_WRITE);
	cr_assert_eq(virtio_hold(&one.v, &e), 0);
	rng_attend(&one);
	cr_expect_eq(used(0), 0);
	virtio_let_go(&one.v);
	rng_attend(&one);
	cr_expect_eq(used(0), 1);
}

static void *return_soon(void *arg)
{
	struct virtio *v = arg;

	while (!__atomic_load_n(&v->held, __ATOMIC_ACQUIRE))
		sched_yield();
	virtio_return(v);
	pthread_mutex_unlock(&v->lock);
	return NULL;
}

Test(snapshot, holding_waits_for_requests_without_the_lock)
{
	pthread_t thread;
	struct rng one;
	struct err e;

	make(&one.v, &rng_kind);
	pthread_mutex_lock(&one.v.lock);
	virtio_leave(&one.v);
	cr_assert_eq(pthread_create(&thread, NULL, return_soon, &one.v), 0);
	cr_expect_eq(virtio_hold(&one.v, &e), 0);
	cr_expect_eq(one.v.away, 0);
	pthread_join(thread, NULL);
}

Test(snapshot, the_serial_port)
{
	auto_saved_out struct saved_out o = { 0 };
	struct serial one = { 0 }, two = { 0 };
	struct saved_in in;
	struct saved s;
	uint8_t value;
	struct err e;

	serial_write(&one, 3, 0x13);
	serial_write(&one, 7, 0x5a);
	serial_write(&one, 1, 2);
	saved_begin(&o, SAVED_MACHINE, 0);
	serial_save(&one, &o);
	cr_assert_eq(saved_finish(&o, &e), 0);
	cr_assert_eq(saved_open(o.bytes.text, o.bytes.len, &s, &e), 0);
	cr_assert_eq(saved_part(&s, SAVED_MACHINE, 0, &in, &e), 0);
	serial_load(&two, &in);
	cr_assert_eq(saved_end(&in, &e), 0);
	serial_read(&two, 3, &value);
	cr_expect_eq(value, 0x13);
	serial_read(&two, 7, &value);
	cr_expect_eq(value, 0x5a);
	cr_expect(two.line && two.empty_told);
}

static uint8_t *make_pages(size_t n)
{
	uint8_t *at =
		mmap(NULL, n * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(at, MAP_FAILED);
	return at;
}

Test(snapshot, memory_has_holes_and_is_each_machines_own)
{
	auto_fd int file = memfd_create("memory", MFD_CLOEXEC);
	struct memory m = { make_pages(64), 64 * 4096 }, one, two;
	struct stat st;
	struct err e;

	m.at[5 * 4096] = 1;
	m.at[6 * 4096 + 4095] = 2;
	m.at[63 * 4096 + 7] = 3;
	cr_assert_eq(memory_save(&m, file, &e), 0, "%s", e.msg);
	cr_assert_eq(fstat(file, &st), 0);
	cr_expect_eq(st.st_size, 64 * 4096);
	cr_expect_eq(st.st_blocks, 3 * 8);
	cr_assert_eq(memory_load(file, m.size, &one, &e), 0, "%s", e.msg);
	cr_assert_eq(memory_load(file, m.size, &two, &e), 0, "%s", e.msg);
	cr_expect_arr_eq(one.at, m.at, m.size);
	one.at[5 * 4096] = 9;
	one.at[0] = 9;
	cr_expect_arr_eq(two.at, m.at, m.size);
	cr_expect_eq(memory_load(file, m.size - 4096, &one, &e), -EPROTO);
	cr_expect_str_eq(e.msg,
			 "the memory of the microVM is no file of 258048 bytes, but one of 262144");
	munmap(one.at, m.size);
	munmap(two.at, m.size);
	munmap(m.at, m.size);
}

Test(snapshot, memory_of_zeros_alone_and_what_cannot_be_written)
{
	auto_fd int file = memfd_create("memory", MFD_CLOEXEC), full = open("/dev/full", O_RDWR);
	struct memory m = { make_pages(4), 4 * 4096 }, one;
	struct stat st;
	struct err e;

	cr_assert_eq(memory_save(&m, file, &e), 0, "%s", e.msg);
	cr_assert_eq(fstat(file, &st), 0);
	cr_expect(st.st_size == 4 * 4096 && st.st_blocks == 0);
	m.at[0] = 1;
	cr_expect_eq(memory_save(&m, full, &e), -ENOSPC);
	cr_expect_str_eq(e.msg, "write the memory of the microVM: no space left on device");
	cr_expect_eq(memory_load(full, 0, &one, &e), -EPROTO, "no regular file");
	munmap(m.at, m.size);
}

/* ---- streams */

struct end {
	struct mux m;
	struct frame_reader r;
	int out, in; /* what the container's own output and input are from outside */
};

static void open_end(struct end *end)
{
	int in[2], out[2];

	*end = (struct end){ 0 };
	cr_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	frame_reader_init(&end->r, FRAME_FROM_GUEST);
	mux_open(&end->m, SESSION_INIT, (int[]){ in[0], out[1], dup(out[1]) }, false);
	end->in = in[1];
	end->out = out[0];
}

static void close_end(struct end *end)
{
	mux_done(&end->m);
	frame_reader_done(&end->r);
	close_fd(&end->in);
	close_fd(&end->out);
}

static int load_channel(struct saved_out *o, struct end *end, struct err *e)
{
	struct saved s;

	if (!o->bytes.text || memcmp(o->bytes.text, SAVED_MAGIC, 8) != 0)
		TRY(saved_finish(o, e));
	TRY(saved_open(o->bytes.text, o->bytes.len, &s, e));
	return channel_load(&end->m, &end->r, &s, e);
}

static int say(struct end *end, enum frame_type type, uint16_t session, uint8_t stream,
	       const char *text)
{
	const struct frame f = { type, session, stream, (const uint8_t *)text, strlen(text) };

	return mux_frame(&end->m, &f);
}

Test(snapshot, streams_go_on_and_those_of_others_are_given_up)
{
	auto_saved_out struct saved_out o = { 0 };
	struct pollfd polls[MUX_POLL_MAX];
	struct frame_reader told;
	struct session *session;
	char text[16] = "";
	struct end one, two;
	struct frame f;
	struct err e;

	open_end(&one);
	mux_open(&one.m, 7, (int[]){ open("/dev/null", O_RDONLY), open("/dev/null", O_WRONLY), -1 },
		 false);
	cr_assert_eq(say(&one, FRAME_DATA, SESSION_INIT, 1, "pending"), 0);
	cr_assert_eq(say(&one, FRAME_DATA, SESSION_INIT, 2, "last"), 0);
	cr_assert_eq(say(&one, FRAME_CLOSE, SESSION_INIT, 2, ""), 0);
	cr_assert_eq(say(&one, FRAME_DATA, 7, 1, "nobody's"), 0);
	frame_write_u32(&one.m.out, FRAME_SIGNAL, SESSION_INIT, 0, 15);
	mux_sent(&one.m, 3); /* a part has gone */
	frame_reader_add(&one.r, "\4\0\0\0\1", 5);
	channel_save(&one.m, &one.r, &o);

	open_end(&two);
	cr_assert_eq(load_channel(&o, &two, &e), 0, "%s", e.msg);
	cr_expect_eq(mux_poll(&two.m, polls), 3);
	polls[0].revents = 0;
	polls[1].revents = polls[2].revents = POLLOUT;
	session = mux_find(&two.m, SESSION_INIT);
	cr_expect_eq(session->streams[1].credit, MUX_WINDOW - 7);
	/* What is told to the guest: the rest of that frame, and what is over for session 7. */
	frame_reader_init(&told, FRAME_FROM_HOST);
	frame_reader_add(&told, "\4\0\0", 3);
	frame_reader_add(&told, two.m.out.text, two.m.out.len);
	cr_expect(frame_reader_next(&told, &f) == 1 && f.type == FRAME_SIGNAL);
	cr_expect(frame_reader_next(&told, &f) == 1 && f.type == FRAME_CLOSE && f.session == 7 &&
		  f.stream == 0);
	cr_expect(frame_reader_next(&told, &f) == 1 && f.type == FRAME_BREAK && f.session == 7 &&
		  f.stream == 1);
	cr_expect_eq(frame_reader_next(&told, &f), 0);
	frame_reader_done(&told);
	mux_move(&two.m, polls);
	cr_expect_eq(read(two.out, text, sizeof(text)), 11);
	cr_expect_str_eq(text, "pendinglast");
	cr_expect_eq(session->streams[2].fd, -1, "it had ended");
	/* The guest goes on with the frame that it was in the middle of. */
	frame_reader_add(&two.r, "\0\x8\0data", 7);
	cr_expect(frame_reader_next(&two.r, &f) == 1 && f.type == FRAME_EXITED && f.size == 4);
	cr_expect_eq(say(&two, FRAME_DATA, 7, 1, "still nobody's"), 0);
	close_end(&one);
	close_end(&two);
}

Test(snapshot, streams_that_had_ended_stay_so)
{
	auto_saved_out struct saved_out o = { 0 };
	struct pollfd polls[MUX_POLL_MAX];
	struct end one, two;
	struct err e;

	open_end(&one);
	close_fd(&one.in);
	cr_assert_eq(mux_poll(&one.m, polls), 1);
	polls[0].revents = POLLHUP;
	mux_move(&one.m, polls);
	cr_assert_eq(say(&one, FRAME_CLOSE, SESSION_INIT, 1, ""), 0);
	channel_save(&one.m, &one.r, &o);
	open_end(&two);
	cr_assert_eq(load_channel(&o, &two, &e), 0, "%s", e.msg);
	cr_expect_eq(mux_find(&two.m, SESSION_INIT)->streams[0].fd, -1);
	cr_expect_eq(mux_find(&two.m, SESSION_INIT)->streams[1].fd, -1);
	cr_expect_geq(mux_find(&two.m, SESSION_INIT)->streams[2].fd, 0);
	close_end(&one);
	close_end(&two);
}

static void put_streams(struct saved_out *o, uint32_t credit, uint32_t bytes)
{
	static const char zeros[MUX_WINDOW];

	for (int i = 0; i < MUX_STREAMS; i++) {
		saved_put_u32(o, 1);
		saved_put_u32(o, 0);
		saved_put_u32(o, i == 1 ? credit : 0);
		saved_put_counted(o, zeros, i == 1 ? bytes : 0);
	}
}

static void put_session(struct saved_out *o, uint32_t id, uint32_t credit, uint32_t bytes)
{
	saved_put_u32(o, id);
	saved_put_u32(o, 0);
	saved_put_u32(o, 0);
	put_streams(o, credit, bytes);
}

Test(snapshot, channels_that_cannot_be)
{
	static const struct {
		uint32_t sessions, ids[2], credit, bytes;
		const char *message;
	} rows[] = {
		{ 65, { 0 }, 0, 0, "more than 64 sessions" },
		{ 2, { 1, 1 }, 0, 0, "session 1 is there twice, or out of turn" },
		{ 1, { 2 }, 0, 0, "session 2 is there twice, or out of turn" },
		{ 2, { 1, 0 }, 0, 0, "a session of number 0" },
		{ 2, { 1, 65536 }, 0, 0, "a session of number 65536" },
		{ 1,
		  { 1 },
		  MUX_WINDOW + 1,
		  0,
		  "session 1 has more under way than a stream may have" },
		{ 1, { 1 }, MUX_WINDOW, 1, "session 1 has more under way than a stream may have" },
		{ 1, { 1, 2 }, 0, 0, "it is 60 bytes too long" },
		{ 3, { 1, 2 }, 0, 0, "it is too short, or not what it should be" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_saved_out struct saved_out o = { 0 };
		struct end end;
		char whole[256];
		struct err e;

		saved_begin(&o, SAVED_CHANNEL, 0);
		saved_put_counted(&o, NULL, 0);
		saved_put_counted(&o, NULL, 0);
		saved_put_u32(&o, rows[i].sessions);
		for (size_t k = 0; k < 2; k++)
			if (rows[i].ids[0] && (rows[i].ids[k] || (k == 1 && rows[i].sessions == 2)))
				put_session(&o, rows[i].ids[k], rows[i].credit, rows[i].bytes);
		open_end(&end);
		cr_expect_eq(load_channel(&o, &end, &e), -EPROTO);
		snprintf(whole, sizeof(whole), "the state of the microVM: the channel: %s",
			 rows[i].message);
		cr_expect_str_eq(e.msg, whole);
		close_end(&end);
	}
}
