#include "microvm/blk.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "microvm/jail.h"
#include "microvm/saved.h"

enum { SECTOR = 512, SEGMENTS = 126 /* so that two of the largest requests find room */ };

static void config(struct virtio *v, uint32_t offset, void *ret, size_t size)
{
	const struct blk *b = (struct blk *)v;
	const struct virtio_blk_config c = { .capacity = b->sectors, .seg_max = SEGMENTS };

	if (offset < sizeof(c))
		memcpy(ret, (const uint8_t *)&c + offset,
		       size < sizeof(c) - offset ? size : sizeof(c) - offset);
}

static void save(struct virtio *v, struct saved_out *o)
{
	saved_put_u64(o, ((struct blk *)v)->sectors);
}

static int load(struct virtio *v, struct saved_in *in, struct err *e)
{
	const struct blk *b = (struct blk *)v;
	uint64_t sectors = saved_u64(in);

	if (sectors != b->sectors)
		return saved_refuse(in, e, "its disk had %llu sectors, and has %llu",
				    (unsigned long long)sectors, (unsigned long long)b->sectors);
	return 0;
}

const struct virtio_kind blk_kind = {
	.name = "blk",
	.id = VIRTIO_ID_BLOCK,
	.pci_class = 0x018000,
	.queues = 1,
	.queue_size = VIRTQUEUE_MAX,
	.features = UINT64_C(1) << VIRTIO_BLK_F_RO | UINT64_C(1) << VIRTIO_BLK_F_SEG_MAX,
	.config = config,
	.save = save,
	.load = load,
};

int blk_open(struct blk *b, int file, struct err *e)
{
	/* A block device has no size in its stat(2). */
	off_t size = lseek(file, 0, SEEK_END);

	if (size < 0)
		return err_sys(e, "find the size of the microVM's disk");
	b->file = file;
	b->sectors = (uint64_t)size / SECTOR;
	return 0;
}

/* The last byte is for the status; what is before it, for data. NULL: there is none. */
static uint8_t *take_status(struct chain *c)
{
	while (c->n_write && !c->write[c->n_write - 1].iov_len)
		c->n_write--;
	if (!c->n_write)
		return NULL;
	c->write[c->n_write - 1].iov_len--;
	return (uint8_t *)c->write[c->n_write - 1].iov_base + c->write[c->n_write - 1].iov_len;
}

/* Reads until all is full; a file that has become shorter has an error there, as a bad disk. */
static bool read_all(int file, uint64_t at, struct iovec *iov, int n)
{
	while (n) {
		ssize_t r = preadv(file, iov, n, (off_t)at);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 || (r == 0 && iov_size(iov, n)))
			return false;
		at += (uint64_t)r;
		for (; n && (size_t)r >= iov->iov_len; iov++, n--)
			r -= (ssize_t)iov->iov_len;
		if (n) {
			iov->iov_base = (uint8_t *)iov->iov_base + r;
			iov->iov_len -= (size_t)r;
		}
	}
	return true;
}

static uint8_t answer(const struct blk *b, struct chain *c)
{
	struct virtio_blk_outhdr h;
	size_t size = iov_size(c->write, c->n_write);

	if (iov_read(c->read, c->n_read, &h, sizeof(h)) != sizeof(h))
		return VIRTIO_BLK_S_IOERR;
	if (h.type == VIRTIO_BLK_T_OUT)
		return VIRTIO_BLK_S_IOERR;
	if (h.type != VIRTIO_BLK_T_IN)
		return VIRTIO_BLK_S_UNSUPP;
	if (size % SECTOR || h.sector > b->sectors || size / SECTOR > b->sectors - h.sector)
		return VIRTIO_BLK_S_IOERR;
	return read_all(b->file, h.sector * SECTOR, c->write, c->n_write) ? VIRTIO_BLK_S_OK
									  : VIRTIO_BLK_S_IOERR;
}

/* The file is read without the lock; a reset meanwhile makes the request nobody's. */
void blk_attend(struct blk *b)
{
	struct chain chain;
	unsigned turn = 0;

	pthread_mutex_lock(&b->v.lock);
	while (virtio_next(&b->v, 0, &turn, &chain)) {
		unsigned resets = b->v.resets;
		size_t size = iov_size(chain.write, chain.n_write);
		uint8_t *status = take_status(&chain);

		if (!status) {
			virtio_break(&b->v, "a request has no room for its status");
			break;
		}
		virtio_leave(&b->v);
		*status = answer(b, &chain);
		virtio_return(&b->v);
		if (resets == b->v.resets && !b->v.broken)
			virtio_push(&b->v, 0, chain.head, (uint32_t)size);
	}
	pthread_mutex_unlock(&b->v.lock);
}

static void *work(void *arg)
{
	struct blk *b = arg;
	eventfd_t n;

	jail_close_or_end(JAIL_DISK);
	for (;;) {
		if (eventfd_read(b->v.wake, &n) < 0 && errno != EINTR)
			return NULL;
		blk_attend(b);
	}
}

int blk_start(struct blk *b, struct err *e)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, work, b);

	return r ? err_neg(e, -r, "start the thread of the microVM's disk") : 0;
}
