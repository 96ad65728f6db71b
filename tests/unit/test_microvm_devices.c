/* Virtqueues, the PCI transport and small devices, on made-up guest memory: no /dev/kvm. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/pci_regs.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "microvm/balloon.h"
#include "microvm/blk.h"
#include "microvm/console.h"
#include "microvm/frame.h"
#include "microvm/fsdev.h"
#include "microvm/jail.h"
#include "microvm/machine.h"
#include "microvm/net.h"
#include "microvm/pci.h"
#include "microvm/rng.h"
#include "microvm/serial.h"

enum { SIZE = 0x40000, DESC = 0x1000, AVAIL = 0x2000, USED = 0x3000, DATA = 0x8000 };

static _Alignas(4096) uint8_t ram[SIZE];
static const struct memory memory = { ram, SIZE };

static struct virtqueue make_queue(uint16_t size)
{
	memset(ram, 0, sizeof(ram));
	return (struct virtqueue){ .memory = &memory,
				   .size = size,
				   .ready = true,
				   .descriptors = DESC,
				   .available = AVAIL,
				   .used = USED };
}

static void describe(uint64_t table, unsigned i, uint64_t addr, uint32_t len, uint16_t flags,
		     uint16_t next)
{
	struct vring_desc d = { addr, len, flags, next };

	memcpy(ram + table + i * sizeof(d), &d, sizeof(d));
}

static void offer(uint64_t avail, uint16_t size, uint16_t head)
{
	uint16_t *a = (uint16_t *)(ram + avail);

	a[2 + a[1] % size] = head;
	a[1]++;
}

Test(memory, both_parts_and_their_ends)
{
	static uint8_t byte;
	const struct memory m = { &byte, MEMORY_LOW_MAX + 0x1000 };

	cr_expect_eq(memory_at(&memory, 0, SIZE), ram);
	cr_expect_null(memory_at(&memory, 0, SIZE + 1ULL));
	cr_expect_null(memory_at(&memory, SIZE, 0));
	cr_expect_null(memory_at(&memory, 1, UINT64_MAX));
	cr_expect_null(memory_at(&memory, UINT64_MAX, 2));
	cr_expect_null(memory_at(&memory, MEMORY_HIGH, 1));
	cr_expect_eq(memory_at(&m, MEMORY_HIGH, 0x1000), &byte + MEMORY_LOW_MAX);
	cr_expect_null(memory_at(&m, MEMORY_HIGH, 0x1001));
	cr_expect_null(memory_at(&m, MEMORY_LOW_MAX - 1, 2), "the hole is no memory");
}

Test(virtqueue, a_chain_in_two_parts)
{
	struct virtqueue q = make_queue(8);
	struct chain c;

	cr_assert_eq(virtqueue_pop(&q, &c), 0);
	describe(DESC, 3, DATA, 16, VRING_DESC_F_NEXT, 5);
	describe(DESC, 5, DATA + 64, 8, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 0);
	describe(DESC, 0, DATA + 128, 4, VRING_DESC_F_WRITE, 0);
	offer(AVAIL, 8, 3);
	cr_expect(virtqueue_pending(&q));
	cr_assert_eq(virtqueue_pop(&q, &c), 1);
	cr_expect_eq(c.head, 3);
	cr_expect_eq(c.n_read, 1);
	cr_expect_eq(c.n_write, 2);
	cr_expect_eq(c.write[1].iov_base, ram + DATA + 128);
	cr_expect_not(virtqueue_pending(&q));
	cr_expect_eq(virtqueue_push(&q, &(struct done){ 3, 12 }, 1), 1);
	cr_expect_eq(*(uint16_t *)(ram + USED + 2), 1);
	cr_expect_eq(*(uint32_t *)(ram + USED + 8), 12);
	*(uint16_t *)(ram + AVAIL) = VRING_AVAIL_F_NO_INTERRUPT;
	cr_expect_eq(virtqueue_push(&q, &(struct done){ 3, 12 }, 1), 0);
}

Test(virtqueue, what_is_no_request)
{
	static const struct {
		const char *what;
		struct vring_desc d[2];
		uint16_t head;
	} rows[] = {
		{ "outside of memory", { { SIZE - 1, 2, 0, 0 } }, 0 },
		{ "an address that wraps", { { UINT64_MAX, 2, 0, 0 } }, 0 },
		{ "a length that wraps", { { UINT64_MAX - 0xfffffffe, UINT32_MAX, 0, 0 } }, 0 },
		{ "all lengths at once", { { DATA, UINT32_MAX, 0, 0 } }, 0 },
		{ "one byte too long", { { DATA, SIZE - DATA + 1, 0, 0 } }, 0 },
		{ "high memory, that it has none of", { { MEMORY_HIGH, 1, 0, 0 } }, 0 },
		{ "the second of two", { { DATA, 1, VRING_DESC_F_NEXT, 1 }, { SIZE, 1, 0, 0 } }, 0 },
		{ "in the hole", { { MEMORY_LOW_MAX, 1, 0, 0 } }, 0 },
		{ "a head outside of the table", { { DATA, 1, 0, 0 } }, 8 },
		{ "a link outside of the table", { { DATA, 1, VRING_DESC_F_NEXT, 8 } }, 0 },
		{ "a loop",
		  { { DATA, 1, VRING_DESC_F_NEXT, 1 }, { DATA, 1, VRING_DESC_F_NEXT, 0 } },
		  0 },
		{ "a table in a table", { { DATA, 16, VRING_DESC_F_INDIRECT, 0 } }, 0 },
		{ "readable after writable",
		  { { DATA, 1, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1 }, { DATA, 1, 0, 0 } },
		  0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct virtqueue q = make_queue(8);
		struct chain c;

		memcpy(ram + DESC, rows[i].d, sizeof(rows[i].d));
		offer(AVAIL, 8, rows[i].head);
		cr_expect_eq(virtqueue_pop(&q, &c), -EPROTO, "%s", rows[i].what);
	}
}

Test(virtqueue, rings_that_are_not_there)
{
	struct chain c;

	for (int i = 0; i < 12; i++) {
		struct virtqueue q = make_queue(8);

		switch (i) {
		case 0: q.descriptors = SIZE - 16; break;
		case 1: q.available = SIZE - 4; break;
		case 2: q.used = SIZE - 4; break;
		case 3: q.used = UINT64_MAX - 3; break;
		case 4: q.descriptors = DESC + 1; break;
		case 5: q.size = 3; break;
		case 6: *(uint16_t *)(ram + AVAIL + 2) = 9; break; /* more than fit */
		case 7: q.descriptors = UINT64_MAX - 15; break;
		case 8: q.available = UINT64_MAX - 1; break;
		case 9: q.available = MEMORY_HIGH; break;
		case 10: q.size = 0; break;
		case 11: q.size = 2 * VIRTQUEUE_MAX; break;
		}
		cr_expect_eq(virtqueue_pop(&q, &c), -EPROTO, "%d", i);
	}
}

/* A driver's steps by the BAR, up to a queue that is in use. */
static void write_bar(struct virtio *v, uint32_t at, uint32_t value, size_t size)
{
	virtio_bar_write(v, at, &value, size);
}

static uint32_t read_bar(struct virtio *v, uint32_t at, size_t size)
{
	uint32_t value = 0;

	virtio_bar_read(v, at, &value, size);
	return value;
}

static void set_up_queue(struct virtio *v, uint16_t queue, uint64_t at)
{
	write_bar(v, VIRTIO_PCI_COMMON_Q_SELECT, queue, 2);
	write_bar(v, VIRTIO_PCI_COMMON_Q_SIZE, 8, 2);
	write_bar(v, VIRTIO_PCI_COMMON_Q_DESCLO, (uint32_t)at, 4);
	write_bar(v, VIRTIO_PCI_COMMON_Q_AVAILLO, (uint32_t)at + 0x400, 4);
	write_bar(v, VIRTIO_PCI_COMMON_Q_USEDLO, (uint32_t)at + 0x800, 4);
	write_bar(v, VIRTIO_PCI_COMMON_Q_MSIX, queue, 2);
	write_bar(v, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
}

static unsigned interrupts;

static void count(void *ctx, const struct virtio_msix *m)
{
	(void)ctx;
	(void)m;
	interrupts++;
}

static void begin(struct virtio *v, const struct virtio_kind *kind)
{
	memset(ram, 0, sizeof(ram));
	virtio_init(v, kind, &memory, 0xd0000000);
	v->interrupt = count;
	interrupts = 0;
	write_bar(v, VIRTIO_PCI_COMMON_STATUS, 3, 1);
	write_bar(v, VIRTIO_PCI_COMMON_GFSELECT, 1, 4);
	write_bar(v, VIRTIO_PCI_COMMON_GF, 1, 4);
	write_bar(v, VIRTIO_PCI_COMMON_STATUS, 11, 1);
	for (uint16_t i = 0; i < kind->queues; i++)
		set_up_queue(v, i, 0x10000 + i * 0x1000U);
	write_bar(v, VIRTIO_PCI_COMMON_STATUS, 15, 1);
	for (uint32_t i = 0; i < VIRTIO_VECTORS; i++)
		write_bar(v, 0x4000 + 16 * i + 12, 0, 4); /* unmasked */
	virtio_space_write(v, 0x43, "\x80", 1);           /* MSI-X on */
}

Test(virtio, configuration_space)
{
	struct virtio v;
	uint8_t space[256];
	uint32_t bar = 0xffffffff;

	virtio_init(&v, &rng_kind, &memory, 0xd0000000);
	virtio_space_read(&v, 0, space, 256);
	cr_expect_eq(space[0] | space[1] << 8, 0x1af4);
	cr_expect_eq(space[2] | space[3] << 8, 0x1040 + VIRTIO_ID_RNG);
	virtio_space_write(&v, PCI_BASE_ADDRESS_0, &bar, 4);
	virtio_space_read(&v, PCI_BASE_ADDRESS_0, &bar, 4);
	cr_expect_eq(bar, 0xffff8000, "the BAR's size");
	virtio_space_write(&v, 0, "\0\0\0", 4);
	virtio_space_read(&v, 0, space, 4);
	cr_expect_eq(space[0], 0xf4, "who made it is not to be changed");
	/* the capabilities are a list that ends, within the space */
	for (unsigned at = space[PCI_CAPABILITY_LIST], n = 0; at; n++) {
		virtio_space_read(&v, 0, space, 256);
		cr_assert(at >= 0x40 && at < 0xf0 && n < 8);
		at = space[at + 1];
	}
}

Test(virtio, features_that_it_has_not_are_not_agreed_to)
{
	struct virtio v;

	virtio_init(&v, &rng_kind, &memory, 0xd0000000);
	write_bar(&v, VIRTIO_PCI_COMMON_GF, 0xffffffff, 4);
	write_bar(&v, VIRTIO_PCI_COMMON_STATUS, 11, 1);
	cr_expect_eq(read_bar(&v, VIRTIO_PCI_COMMON_STATUS, 1), 3U);
}

Test(virtio, a_queue_in_use_stays_where_it_is)
{
	struct virtio v;

	begin(&v, &rng_kind);
	write_bar(&v, VIRTIO_PCI_COMMON_Q_SELECT, 0, 2);
	write_bar(&v, VIRTIO_PCI_COMMON_Q_DESCLO, 0x20000, 4);
	write_bar(&v, VIRTIO_PCI_COMMON_Q_SIZE, 4, 2);
	cr_expect_eq(v.queues[0].descriptors, 0x10000);
	cr_expect_eq(v.queues[0].size, 8);
	for (uint32_t at = VIRTIO_PCI_COMMON_Q_SIZE; at < 0x40; at++)
		for (size_t size = 1; size <= 8; size *= 2)
			virtio_bar_write(&v, at, &(uint64_t){ UINT64_C(0x0004000400040004) }, size);
	cr_expect(v.queues[0].ready);
	cr_expect_eq(v.queues[0].descriptors, 0x10000);
	cr_expect_eq(v.queues[0].available, 0x10400);
	cr_expect_eq(v.queues[0].used, 0x10800);
	cr_expect_eq(v.queues[0].size, 8);
	write_bar(&v, VIRTIO_PCI_COMMON_Q_SELECT, 77, 2);
	cr_expect_eq(read_bar(&v, VIRTIO_PCI_COMMON_Q_SIZE, 2), 0U);
	write_bar(&v, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	write_bar(&v, VIRTIO_PCI_COMMON_STATUS, 0, 1);
	cr_expect_not(v.queues[0].ready, "a reset takes it out of use");
}

Test(virtio, every_register_in_every_size)
{
	const struct virtio_kind *const kinds[] = { &console_kind, &rng_kind, &balloon_kind,
						    &fsdev_kind };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		static struct console c; /* as large as any: there is nobody behind its queues */

		begin(&c.v, kinds[i]);
		for (uint32_t at = 0; at + 8 <= VIRTIO_BAR_SIZE; at++)
			for (size_t size = 1; size <= 8; size *= 2) {
				uint64_t value = 0x0101010101010101ULL * (at & 0xff);

				virtio_bar_read(&c.v, at, &value, size);
				virtio_bar_write(&c.v, at, &value, size);
			}
	}
}

static size_t read_log(int fd, char *ret, size_t size)
{
	ssize_t n = pread(fd, ret, size - 1, 0);

	ret[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

Test(virtio, a_guest_that_breaks_it_again_and_again_does_not_fill_the_log)
{
	int log = memfd_create("log", MFD_CLOEXEC);
	char once[4096], often[4096];
	size_t first;
	struct rng r;

	log_adopt(log, LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	begin(&r.v, &rng_kind);
	virtio_break(&r.v, "so");
	first = read_log(log, once, sizeof(once));
	cr_expect(strstr(once, "the guest has broken virtio-rng: so"));
	for (int i = 0; i < 10000; i++) {
		write_bar(&r.v, VIRTIO_PCI_COMMON_STATUS, 0, 1);
		virtio_break(&r.v, "so");
	}
	cr_expect(r.v.broken);
	cr_expect_eq(read_log(log, often, sizeof(often)), VIRTIO_BREAKS_TOLD * first);
}

Test(rng, answers_and_interrupts)
{
	struct rng r;

	begin(&r.v, &rng_kind);
	describe(0x10000, 0, DATA, 32, VRING_DESC_F_WRITE, 0);
	offer(0x10400, 8, 0);
	rng_attend(&r);
	cr_expect_eq(*(uint32_t *)(ram + 0x10800 + 8), 32U);
	cr_expect_eq(interrupts, 1U);
	cr_expect_neq(memcmp(ram + DATA, ram + DATA + 32, 32), 0, "32 zero bytes are not random");
}

Test(rng, a_broken_one_does_nothing_until_its_reset)
{
	struct rng r;

	begin(&r.v, &rng_kind);
	describe(0x10000, 0, SIZE, 32, VRING_DESC_F_WRITE, 0);
	offer(0x10400, 8, 0);
	rng_attend(&r);
	cr_expect(read_bar(&r.v, VIRTIO_PCI_COMMON_STATUS, 1) & VIRTIO_CONFIG_S_NEEDS_RESET);
	describe(0x10000, 0, DATA, 32, VRING_DESC_F_WRITE, 0);
	offer(0x10400, 8, 0);
	rng_attend(&r);
	cr_expect_eq(*(uint16_t *)(ram + 0x10802), 0);
	write_bar(&r.v, VIRTIO_PCI_COMMON_STATUS, 0, 1);
	cr_expect_eq(read_bar(&r.v, VIRTIO_PCI_COMMON_STATUS, 1), 0U);
}

/* A disk of three sectors and a bit: bytes of 'a', 'b', 'c' and 'd'. */
static void begin_blk(struct blk *b)
{
	int file = memfd_create("disk", MFD_CLOEXEC);
	struct err e = { 0 };
	char bytes[3 * 512 + 100];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)('a' + i / 512);
	cr_assert_eq(write(file, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	begin(&b->v, &blk_kind);
	cr_assert_eq(blk_open(b, file, &e), 0, "%s", e.msg);
	cr_expect_eq(b->sectors, 3U);
}

/* A request: its status, 0xee for none; `size` bytes of answer come to DATA + 0x100. */
static uint8_t ask_blk(struct blk *b, uint32_t type, uint64_t sector, uint32_t size)
{
	static uint16_t head;
	const struct virtio_blk_outhdr h = { .type = type, .sector = sector };
	uint64_t table = b->v.queues[0].descriptors;

	memcpy(ram + DATA, &h, sizeof(h));
	ram[DATA + 0x80] = 0xee;
	describe(table, 0, DATA, sizeof(h), VRING_DESC_F_NEXT, size ? 1 : 2);
	describe(table, 1, DATA + 0x100, size, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 2);
	describe(table, 2, DATA + 0x80, 1, VRING_DESC_F_WRITE, 0);
	offer(b->v.queues[0].available, 8, head);
	blk_attend(b);
	return ram[DATA + 0x80];
}

Test(blk, reads_sectors)
{
	struct blk b;

	begin_blk(&b);
	cr_expect_eq(read_bar(&b.v, 0x2000, 4), 3U);
	cr_expect_eq(read_bar(&b.v, 0x2000 + offsetof(struct virtio_blk_config, seg_max), 4), 126U);
	cr_expect_eq(ask_blk(&b, VIRTIO_BLK_T_IN, 1, 1024), VIRTIO_BLK_S_OK);
	cr_expect(ram[DATA + 0x100] == 'b' && ram[DATA + 0x100 + 1023] == 'c');
	cr_expect_eq(ram[DATA + 0x100 + 1024], 0);
	cr_expect_eq(*(uint32_t *)(ram + b.v.queues[0].used + 8), 1025U, "data and status");
	cr_expect_eq(interrupts, 1U);
	cr_expect_eq(ask_blk(&b, VIRTIO_BLK_T_IN, 3, 0), VIRTIO_BLK_S_OK);
}

Test(blk, what_it_does_not_do)
{
	static const struct {
		uint32_t type;
		uint64_t sector;
		uint32_t size;
		uint8_t status;
	} rows[] = {
		{ VIRTIO_BLK_T_IN, 3, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, 2, 1024, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, 0, 511, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, UINT64_MAX, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, UINT64_MAX / 512 + 1, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, 0, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_FLUSH, 0, 0, VIRTIO_BLK_S_UNSUPP },
		{ VIRTIO_BLK_T_GET_ID, 0, 20, VIRTIO_BLK_S_UNSUPP },
		{ VIRTIO_BLK_T_DISCARD, 0, 512, VIRTIO_BLK_S_UNSUPP },
	};
	struct blk b;
	char first;

	begin_blk(&b);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(ask_blk(&b, rows[i].type, rows[i].sector, rows[i].size),
			     rows[i].status, "%zu", i);
	cr_expect_eq(pread(b.file, &first, 1, 0), 1);
	cr_expect_eq(first, 'a');
	cr_assert_eq(ftruncate(b.file, 700), 0);
	cr_expect_eq(ask_blk(&b, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	cr_expect_eq(ask_blk(&b, VIRTIO_BLK_T_IN, 1, 512), VIRTIO_BLK_S_IOERR,
		     "the file has become shorter");
	cr_expect_not(b.v.broken);
}

Test(blk, a_request_without_room_for_its_status)
{
	struct blk b;

	begin_blk(&b);
	describe(b.v.queues[0].descriptors, 0, DATA, 16, 0, 0);
	offer(b.v.queues[0].available, 8, 0);
	blk_attend(&b);
	cr_expect(b.v.broken);
	begin_blk(&b);
	describe(b.v.queues[0].descriptors, 0, DATA, 16, VRING_DESC_F_NEXT, 1);
	describe(b.v.queues[0].descriptors, 1, DATA, 0, VRING_DESC_F_WRITE, 0);
	offer(b.v.queues[0].available, 8, 0);
	blk_attend(&b);
	cr_expect(b.v.broken);
}

/* The used ring over the available one: each answer is the next request. */
static void feed_itself(struct virtio *v, unsigned queue)
{
	begin(v, v->kind);
	v->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	v->queues[queue].used = v->queues[queue].available;
	describe(v->queues[queue].descriptors, 0, DATA, 0, 0, 0);
	offer(v->queues[queue].available, 8, 0);
}

static bool is_woken(struct virtio *v)
{
	eventfd_t n;

	return eventfd_read(v->wake, &n) == 0;
}

Test(virtio, rings_that_feed_themselves, .timeout = 20)
{
	struct console c = { .v.kind = &console_kind };
	struct balloon b = { .v.kind = &balloon_kind };
	struct rng r = { .v.kind = &rng_kind };
	struct buf text = { 0 };

	feed_itself(&r.v, 0);
	rng_attend(&r);
	cr_expect(is_woken(&r.v), "it is not forgotten, but others come first");
	for (unsigned queue = 0; queue < balloon_kind.queues; queue++) {
		feed_itself(&b.v, queue);
		balloon_attend(&b);
		cr_expect_eq(is_woken(&b.v), queue != 2 && queue != 3, "%u", queue);
	}
	for (unsigned queue = 0; queue < console_kind.queues; queue++) {
		feed_itself(&c.v, queue);
		console_attend(&c);
		console_receive(&c, &text, 4096);
		cr_expect_eq(console_send(&c, "x", 1), 0U);
		cr_expect_eq(is_woken(&c.v), queue == 1 || queue == 3, "%u", queue);
	}
	buf_done(&text);
}

enum { PAGE = 4096 };

/* Two pages that were written to. */
static void begin_balloon(struct balloon *b)
{
	begin(&b->v, &balloon_kind);
	memset(ram + 0x20000, 'x', (size_t)2 * PAGE);
}

Test(balloon, free_pages_go_back)
{
	struct balloon b = { 0 };

	begin_balloon(&b);
	describe(0x14000, 0, 0x20000, PAGE, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
	describe(0x14000, 1, 0x21000 + 1, PAGE + 1, VRING_DESC_F_WRITE, 0);
	offer(0x14400, 8, 0);
	balloon_attend(&b);
	cr_expect_eq(*(uint16_t *)(ram + 0x14802), 1);
	cr_expect_eq(interrupts, 1U);
	cr_expect_eq(ram[0x20000], 0);
	cr_expect_eq(ram[0x20fff], 0);
	cr_expect_eq(ram[0x21000], 'x', "no page that it does not name whole");
	cr_expect_eq(ram[0x21fff], 'x');
}

Test(balloon, inflated_pages_go_back)
{
	const uint32_t numbers[] = { 0x20, UINT32_MAX, SIZE / PAGE, MEMORY_HIGH / PAGE };
	struct balloon b = { 0 };

	begin_balloon(&b);
	memcpy(ram + DATA, numbers, sizeof(numbers));
	describe(0x10000, 0, DATA, sizeof(numbers) + 3, 0, 0);
	offer(0x10400, 8, 0);
	describe(0x11000, 0, DATA, sizeof(numbers), 0, 0);
	offer(0x11400, 8, 0);
	balloon_attend(&b);
	cr_expect_eq(*(uint16_t *)(ram + 0x10802), 1);
	cr_expect_eq(*(uint16_t *)(ram + 0x11802), 1, "deflated again: nothing to do");
	cr_expect_eq(ram[0x20000], 0);
	cr_expect_eq(ram[0x21000], 'x');
	cr_expect_not(b.v.broken, "pages that it does not have are none");
}

Test(balloon, it_asks_for_nothing)
{
	struct balloon b = { 0 };

	begin_balloon(&b);
	for (uint32_t at = 0; at < 16; at += 4)
		cr_expect_eq(read_bar(&b.v, 0x2000 + at, 4), 0U, "%u", at);
	describe(0x12000, 0, DATA, 100, 0, 0);
	offer(0x12400, 8, 0);
	balloon_attend(&b);
	cr_expect_eq(*(uint16_t *)(ram + 0x12802), 0, "the statistics' buffer is kept");
}

Test(balloon, it_asks_for_pages_and_hears_how_many_there_are)
{
	struct balloon b = { 0 };

	begin_balloon(&b);
	write_bar(&b.v, VIRTIO_PCI_COMMON_MSIX, 1, 2);
	cr_expect_eq(balloon_ask(&b, 7), 0U);
	cr_expect_eq(interrupts, 1U);
	cr_expect_eq(read_bar(&b.v, 0x2000, 4), 7U);
	write_bar(&b.v, 0x2004, 5, 4);
	write_bar(&b.v, 0x2000, 99, 4);
	write_bar(&b.v, 0x2005, 99, 1);
	cr_expect_eq(balloon_ask(&b, BALLOON_KEEP), 5U);
	cr_expect_eq(balloon_ask(&b, 7), 5U);
	cr_expect_eq(interrupts, 1U, "nothing has changed");
	cr_expect_eq(read_bar(&b.v, 0x2000, 4), 7U, "what it wants is not the guest's to say");
	write_bar(&b.v, VIRTIO_PCI_COMMON_STATUS, 0, 1);
	cr_expect_eq(balloon_ask(&b, BALLOON_KEEP), 0U, "a new driver holds none");
}

static void control(uint32_t id, uint16_t event, uint16_t value)
{
	const struct virtio_console_control m = { id, event, value };
	static uint16_t n;

	memcpy(ram + DATA + 64 * (n % 8), &m, sizeof(m));
	describe(0x13000, n % 8, DATA + 64 * (n % 8), sizeof(m), 0, 0);
	offer(0x13400, 8, n % 8);
	n++;
}

/* What becomes of a thread's system call: a status of wait(2). */
static int call_in_jail(enum jail_thread who, long call, long first, long second, long third)
{
	struct err e = { 0 };
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (jail_close(who, &e) < 0)
			_exit(1);
		syscall(call, first, second, third, 0, 0);
		syscall(SYS_exit_group, 0); /* _exit(3) of a sanitizer asks the kernel for more */
	}
	cr_assert_gt(child, 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

Test(jail, each_thread_has_its_list)
{
	enum {
		V = 1 << JAIL_VCPU,
		F = 1 << JAIL_FILES,
		D = 1 << JAIL_DISK,
		S = 1 << JAIL_VSOCK,
		M = 1 << JAIL_MAIN
	};
	static const struct {
		const char *what;
		long call, first, second, third;
		unsigned allowed;
	} rows[] = {
		{ "write", SYS_write, -1, 0, 0, V | F | D | S | M },
		{ "run a vCPU", SYS_ioctl, -1, KVM_RUN, 0, V },
		{ "raise an interrupt", SYS_ioctl, -1, KVM_SIGNAL_MSI, 0, V | F | D | S | M },
		{ "ask a terminal", SYS_ioctl, -1, TIOCGWINSZ, 0, M },
		{ "fill a terminal's input", SYS_ioctl, -1, TIOCSTI, 0, 0 },
		{ "open", SYS_openat, -1, 0, 0, F },
		{ "read a file", SYS_preadv, -1, 0, 0, F | D },
		{ "poll", SYS_poll, 0, 0, 0, S | M },
		{ "accept", SYS_accept4, -1, 0, 0, S | M },
		{ "make a unix socket", SYS_socket, AF_UNIX, SOCK_STREAM, 0, S },
		{ "make another socket", SYS_socket, AF_INET, SOCK_STREAM, 0, 0 },
		{ "make a socket by tricks", SYS_socket, -1, 0, 0, 0 },
		{ "connect", SYS_connect, -1, 0, 0, S },
		{ "go elsewhere", SYS_fchdir, -1, 0, 0, 0 },
		{ "execute", SYS_execve, 0, 0, 0, 0 },
		{ "make a process", SYS_clone, 0, 0, 0, 0 },
		{ "kill another", SYS_tgkill, 1, 1, 0, 0 },
		{ "map memory", SYS_mmap, 0, 0, PROT_READ, V | F | D | S | M },
		{ "map code", SYS_mmap, 0, 0, PROT_EXEC, 0 },
		{ "load another filter", SYS_seccomp, 1, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (unsigned who = JAIL_VCPU; who <= JAIL_MAIN; who++) {
			int status = call_in_jail((enum jail_thread)who, rows[i].call,
						  rows[i].first, rows[i].second, rows[i].third);
			bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;

			cr_expect_eq(killed, !(rows[i].allowed >> who & 1), "%s: thread %u: 0x%x",
				     rows[i].what, who, (unsigned)status);
			cr_expect(killed || status == 0, "%s: thread %u: 0x%x", rows[i].what, who,
				  (unsigned)status);
		}
}

Test(console, opens_its_port)
{
	struct console c = { 0 };
	struct virtio_console_control m;

	begin(&c.v, &console_kind);
	for (uint16_t i = 0; i < 8; i++) {
		describe(0x12000, i, DATA + 0x1000 + 64 * i, 64, VRING_DESC_F_WRITE, 0);
		offer(0x12400, 8, i);
	}
	control(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_attend(&c);
	memcpy(&m, ram + DATA + 0x1000, sizeof(m));
	cr_expect_eq(m.event, VIRTIO_CONSOLE_PORT_ADD);
	control(0, VIRTIO_CONSOLE_PORT_READY, 1);
	control(9, VIRTIO_CONSOLE_PORT_READY, 1);
	console_attend(&c);
	memcpy(&m, ram + DATA + 0x1000 + 64, sizeof(m));
	cr_expect_eq(m.event, VIRTIO_CONSOLE_PORT_OPEN);
	cr_expect_eq(*(uint16_t *)(ram + 0x12802), 2, "no port 9");
	buf_done(&c.control);
}

Test(console, bytes_both_ways)
{
	struct console c = { 0 };
	struct buf b = { 0 };

	begin(&c.v, &console_kind);
	memcpy(ram + DATA, "from the guest", 14);
	describe(0x11000, 0, DATA, 14, 0, 0);
	offer(0x11400, 8, 0);
	console_receive(&c, &b, 4096);
	cr_expect_str_eq(b.text, "from the guest");
	cr_expect_eq(console_send(&c, "to the guest", 12), 0U, "there is no room yet");
	describe(0x10000, 0, DATA + 256, 5, VRING_DESC_F_WRITE, 0);
	offer(0x10400, 8, 0);
	cr_expect_eq(console_send(&c, "to the guest", 12), 5U);
	cr_expect_eq(memcmp(ram + DATA + 256, "to th", 5), 0);
	buf_done(&b);
}

Test(console, a_guest_that_does_not_listen)
{
	struct console c = { 0 };

	begin(&c.v, &console_kind);
	for (int i = 0; i < 2000 && !c.v.broken; i++) {
		control(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
		console_attend(&c);
	}
	cr_expect(c.v.broken, "its questions must not fill our memory");
	buf_done(&c.control);
}

Test(pci, what_is_not_there_reads_as_ones)
{
	static struct rng r;
	struct machine m = { .devices = { &r.v }, .n_devices = 1 };
	uint32_t a[] = { 0x80000000, 0x80000800, 0x80001000, 0x80010000, 0x80000100, 0 };
	uint32_t value;

	begin(&r.v, &rng_kind);
	for (size_t i = 0; i < ARRAY_LEN(a); i++) {
		pci_port_write(&m, 0, (uint8_t *)&a[i], 4);
		pci_port_read(&m, 4, (uint8_t *)&value, 4);
		cr_expect_eq(value,
			     i == 0   ? 0x0d578086U
			     : i == 1 ? 0x10441af4U
				      : 0xffffffffU,
			     "%zu", i);
		pci_port_write(&m, 7, (uint8_t *)&value, 1);
	}
	a[0] = 0x800008fc;
	pci_port_write(&m, 0, (uint8_t *)a, 4);
	pci_port_read(&m, 7, (uint8_t *)&value, 4); /* over the end */
	cr_expect_eq(value, 0xffffffffU);
}

/* Any address, port and size; what it finds is a device's space or nothing. */
Test(pci, every_address_port_and_size)
{
	static struct rng r;
	static struct console c;
	struct machine m = { .devices = { &r.v, &c.v }, .n_devices = 2 };
	uint8_t bytes[4];

	begin(&r.v, &rng_kind);
	begin(&c.v, &console_kind);
	for (uint32_t at = 0; at < 0x2000; at++) {
		uint32_t address = 0x80000000 | at | (at & 7) << 28 | (at & 64) << 12;

		pci_port_write(&m, 0, (uint8_t *)&address, sizeof(address));
		for (unsigned port = 0; port < PCI_PORTS; port++)
			for (size_t size = 1; size <= 4; size *= 2) {
				memset(bytes, (int)at, sizeof(bytes));
				if (port || size != sizeof(address))
					pci_port_write(&m, port, bytes, size);
				pci_port_read(&m, port, bytes, size);
			}
	}
	cr_expect_eq(r.v.bar % VIRTIO_BAR_SIZE, 0U, "a BAR is where BARs can be");
	cr_expect_eq(r.v.space[0], 0xf4);
}

/* What a guest can print in a minute or so: nothing of it stays but the last lines. */
Test(serial, a_gigabyte)
{
	static struct serial s;
	char line[SERIAL_LINE];

	for (uint32_t i = 0; i < 1U << 30; i++)
		serial_write(&s, 0, (uint8_t)(i % 251 ? i * 2654435761U >> 24 : '\n'));
	for (size_t i = 0; serial_last(&s, i); i++) {
		snprintf(line, sizeof(line), "%s", serial_last(&s, i));
		for (const char *p = line; *p; p++)
			cr_expect(*p >= ' ' && *p < 0x7f);
	}
	cr_expect_not_null(serial_last(&s, SERIAL_KEPT - 1));
	cr_expect_null(serial_last(&s, SERIAL_KEPT));
}

Test(serial, keeps_the_last_lines)
{
	struct serial s = { 0 };
	const char *text = "one\ntwo \x1b[31mred\n\nlast";
	uint8_t status;

	for (; *text; text++)
		serial_write(&s, 0, (uint8_t)*text);
	cr_expect_str_eq(serial_last(&s, 0), "one");
	cr_expect_str_eq(serial_last(&s, 1), "two [31mred");
	cr_expect_str_eq(serial_last(&s, 2), "last");
	cr_expect_null(serial_last(&s, 3));
	for (int i = 0; i < 100000; i++)
		serial_write(&s, 0, i % 300 ? 'x' : '\n');
	for (size_t i = 0; serial_last(&s, i); i++)
		cr_expect_lt(strlen(serial_last(&s, i)), SERIAL_LINE);
	serial_read(&s, 5, &status);
	cr_expect_eq(status & 0x20, 0x20, "always ready to transmit");
}

/* A network device whose tap is one end of a socket; the other end is *ret_wire. */
static struct net *begin_net(uint64_t features, int *ret_wire)
{
	static struct net n;
	int pair[2];

	n = (struct net){ .tap = -1, .mac = { { 2, 3, 4, 5, 6, 7 } }, .mtu = 1400 };
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	begin(&n.v, &net_kind);
	n.tap = pair[0];
	n.v.wake = eventfd(0, EFD_NONBLOCK);
	write_bar(&n.v, VIRTIO_PCI_COMMON_GFSELECT, 0, 4);
	write_bar(&n.v, VIRTIO_PCI_COMMON_GF, (uint32_t)features, 4);
	*ret_wire = pair[1];
	return &n;
}

enum { MERGE = 1 << VIRTIO_NET_F_MRG_RXBUF };

static uint16_t used_index(uint64_t queue)
{
	return *(uint16_t *)(ram + queue + 0x802);
}

static uint32_t used_length(uint64_t queue, unsigned i)
{
	return *(uint32_t *)(ram + queue + 0x804 + 8 * i + 4);
}

static void offer_room(unsigned i, uint64_t at, uint32_t len)
{
	describe(0x10000, i, at, len, VRING_DESC_F_WRITE, 0);
	offer(0x10400, 8, (uint16_t)i);
}

Test(net, its_configuration_is_mac_and_mtu)
{
	int wire;
	struct net *n = begin_net(0, &wire);

	cr_expect_eq(read_bar(&n->v, 0x2000, 4), 0x05040302U);
	cr_expect_eq(read_bar(&n->v, 0x2004, 2), 0x0706U);
	cr_expect_eq(read_bar(&n->v, 0x2000 + offsetof(struct virtio_net_config, mtu), 2), 1400U);
	cr_expect_eq(read_bar(&n->v, 0x2ff8, 4), 0U);
}

Test(net, what_the_guest_sends_comes_out_as_it_is)
{
	char got[256];
	int wire;
	struct net *n = begin_net(0, &wire);

	memset(ram + DATA, 'h', TAP_HEADER);
	memset(ram + DATA + 64, 'p', 100);
	describe(0x11000, 0, DATA, TAP_HEADER, VRING_DESC_F_NEXT, 1);
	describe(0x11000, 1, DATA + 64, 100, 0, 0);
	offer(0x11400, 8, 0);
	net_attend(n);
	cr_expect_eq(read(wire, got, sizeof(got)), TAP_HEADER + 100);
	cr_expect_eq(got[TAP_HEADER - 1], 'h');
	cr_expect_eq(got[TAP_HEADER], 'p');
	cr_expect_eq(used_index(0x11000), 1);
	cr_expect_eq(interrupts, 1U);
	cr_expect_eq(read(wire, got, sizeof(got)), -1);
}

Test(net, a_packet_in_one_buffer)
{
	char packet[100] = { 0 };
	int wire;
	struct net *n = begin_net(MERGE, &wire);

	packet[TAP_HEADER] = 'x';
	packet[99] = 'z';
	offer_room(3, DATA, 200);
	cr_assert_eq(write(wire, packet, sizeof(packet)), 100);
	net_attend(n);
	cr_expect_eq(ram[DATA + TAP_HEADER], 'x');
	cr_expect_eq(ram[DATA + 99], 'z');
	cr_expect_eq(ram[DATA + 10], 1, "one buffer");
	cr_expect_eq(used_length(0x10000, 0), 100U);
	cr_expect(net_wants(n));
}

/* As when somebody deletes it: to ask it again and again would take all of a processor. */
Test(net, a_tap_that_is_broken_is_given_up)
{
	int wire;
	struct net *n = begin_net(MERGE, &wire);

	offer_room(3, DATA, 200);
	cr_expect(net_wants(n));
	close(n->tap);
	n->tap = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* reading fails with EISDIR */
	net_attend(n);
	cr_expect_eq(n->tap, -1);
	cr_expect_not(net_wants(n));
}

Test(net, a_packet_that_finds_no_room_waits_and_takes_several_buffers)
{
	char packet[300];
	int wire;
	struct net *n = begin_net(MERGE, &wire);

	for (size_t i = 0; i < sizeof(packet); i++)
		packet[i] = (char)i;
	cr_assert_eq(write(wire, packet, sizeof(packet)), 300);
	net_attend(n);
	cr_expect_not(net_wants(n), "the tap has to wait");
	offer_room(0, DATA, 128);
	offer_room(1, DATA + 0x1000, 128);
	net_attend(n);
	cr_expect_eq(used_index(0x10000), 0, "all at once or none");
	offer_room(2, DATA + 0x2000, 128);
	net_attend(n);
	cr_expect_eq(used_index(0x10000), 3);
	cr_expect_eq(used_length(0x10000, 0), 128U);
	cr_expect_eq(used_length(0x10000, 2), 44U);
	cr_expect_eq(ram[DATA + 10], 3, "three buffers");
	cr_expect_eq(ram[DATA + 0x1000], 128);
	cr_expect_eq(ram[DATA + 0x2000 + 43], 299 & 0xff);
	cr_expect_eq(interrupts, 1U);
	cr_expect(net_wants(n));
}

Test(net, a_reset_forgets_what_is_on_its_way)
{
	char packet[300] = { 0 };
	int wire;
	struct net *n = begin_net(MERGE, &wire);

	offer_room(0, DATA, 128);
	cr_assert_eq(write(wire, packet, sizeof(packet)), 300);
	net_attend(n);
	cr_expect_eq(n->n, 1U);
	write_bar(&n->v, VIRTIO_PCI_COMMON_STATUS, 0, 1);
	cr_expect_eq(n->size + n->placed + n->n, 0U);
	cr_expect_not(net_wants(n), "there is no driver");
	net_attend(n);
}

/* What a guest may do wrong: the device stands still, and nothing goes out. */
Test(net, what_is_no_packet_and_no_room_for_one)
{
	static const struct {
		const char *what;
		bool receives;
		uint32_t features;
		struct vring_desc d[3];
	} rows[] = {
		{ "an empty packet", false, 0, { { DATA, 0, 0, 0 } } },
		{ "a header alone", false, 0, { { DATA, TAP_HEADER, 0, 0 } } },
		{ "less than an Ethernet header", false, 0, { { DATA, TAP_HEADER + 13, 0, 0 } } },
		{ "too long",
		  false,
		  0,
		  { { DATA, 0x8000, VRING_DESC_F_NEXT, 1 },
		    { DATA, 0x8000, VRING_DESC_F_NEXT, 2 },
		    { DATA, 65, 0, 0 } } },
		{ "to be written to", false, 0, { { DATA, 100, VRING_DESC_F_WRITE, 0 } } },
		{ "outside of memory", false, 0, { { SIZE - 10, 100, 0, 0 } } },
		{ "no room at all", true, MERGE, { { DATA, 0, VRING_DESC_F_WRITE, 0 } } },
		{ "room that is only read", true, MERGE, { { DATA, 200, 0, 0 } } },
		{ "no room for the header", true, MERGE, { { DATA, 11, VRING_DESC_F_WRITE, 0 } } },
		{ "too little, unmerged", true, 0, { { DATA, 99, VRING_DESC_F_WRITE, 0 } } },
	};
	char packet[100] = { 0 }, got[8];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t queue = rows[i].receives ? 0x10000 : 0x11000;
		int wire;
		struct net *n = begin_net(rows[i].features, &wire);

		memcpy(ram + queue, rows[i].d, sizeof(rows[i].d));
		offer(queue + 0x400, 8, 0);
		if (rows[i].receives)
			cr_assert_eq(write(wire, packet, sizeof(packet)), 100);
		net_attend(n);
		cr_expect(n->v.broken, "%s", rows[i].what);
		cr_expect_eq(used_index(queue), 0, "%s", rows[i].what);
		cr_expect_eq(read(wire, got, sizeof(got)), -1, "%s", rows[i].what);
		cr_expect_not(net_wants(n), "%s", rows[i].what);
		close_fd(&n->tap);
		close_fd(&n->v.wake);
		close(wire);
	}
}

Test(net, buffers_without_end)
{
	char packet[300] = { 0 };
	int wire;
	struct net *n = begin_net(MERGE, &wire);

	cr_assert_eq(write(wire, packet, sizeof(packet)), 300);
	offer_room(0, DATA, 12);
	for (int i = 0; i < 8 && !n->v.broken; i++) {
		net_attend(n);
		offer_room(1, DATA, 1);
	}
	net_attend(n);
	cr_expect(n->v.broken, "more buffers than the queue has");
}

Test(net, more_than_one_turn_of_packets)
{
	uint64_t woken = 0;
	char got[256];
	int wire;
	struct net *n = begin_net(0, &wire);

	describe(0x11000, 0, DATA, 64, 0, 0);
	for (int turn = 0; turn < 9; turn++) {
		for (int i = 0; i < 8; i++)
			offer(0x11400, 8, 0);
		net_attend(n);
		for (int i = 0; i < 8; i++)
			cr_assert_eq(read(wire, got, sizeof(got)), 64);
	}
	cr_expect_eq(used_index(0x11000), 72);
	cr_expect_eq(read(n->v.wake, &woken, sizeof(woken)), -1, "nothing is left");
}

Test(net, is_not_on_the_bus_until_it_is_there)
{
	static struct machine m;
	const uint32_t address = 0x80000800;
	uint8_t bytes[4];
	int wire;
	struct net *n = begin_net(0, &wire);

	m = (struct machine){ .devices = { &n->v }, .n_devices = 1 };
	virtio_set_absent(&n->v, true);
	pci_port_write(&m, 0, (const uint8_t *)&address, 4);
	pci_port_write(&m, 4 + PCI_COMMAND, (const uint8_t *)"\xff\xff", 2);
	pci_port_read(&m, 4, bytes, 4);
	cr_expect_arr_eq(bytes, "\xff\xff\xff\xff", 4);
	virtio_set_absent(&n->v, false);
	pci_port_read(&m, 4, bytes, 4);
	cr_expect_eq(bytes[0] | bytes[1] << 8, 0x1af4);
}
