#include "microvm/fsdev.h"

#include <errno.h>
#include <linux/virtio_fs.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/err.h"
#include "microvm/fs/fs.h"
#include "microvm/jail.h"

enum { HIGH_PRIORITY, REQUESTS, QUEUES, WORKERS = 2 };

static void config(struct virtio *v, uint32_t offset, void *ret, size_t size)
{
	struct virtio_fs_config c = { .tag = FSDEV_TAG, .num_request_queues = 1 };

	(void)v;
	if (offset < sizeof(c))
		memcpy(ret, (const uint8_t *)&c + offset,
		       size < sizeof(c) - offset ? size : sizeof(c) - offset);
}

const struct virtio_kind fsdev_kind = {
	.name = "fs",
	.id = VIRTIO_ID_FS,
	.pci_class = 0x018000,
	.queues = QUEUES,
	.queue_size = VIRTQUEUE_MAX,
	.config = config,
};

/* Takes a request of either queue; if there is more, another thread is to come. */
static int take(struct fsdev *f, struct chain *chain, unsigned *resets)
{
	int queue = -1;

	pthread_mutex_lock(&f->v.lock);
	*resets = f->v.resets;
	for (unsigned i = 0; i < QUEUES && queue < 0; i++)
		if (virtio_pop(&f->v, i, chain))
			queue = (int)i;
	if (queue >= 0 && (virtqueue_pending(&f->v.queues[HIGH_PRIORITY]) ||
			   virtqueue_pending(&f->v.queues[REQUESTS])))
		eventfd_write(f->v.wake, 1);
	if (queue >= 0)
		virtio_leave(&f->v);
	else
		pthread_mutex_unlock(&f->v.lock);
	return queue;
}

static void give_back(struct fsdev *f, unsigned queue, uint16_t head, ssize_t n, unsigned resets)
{
	virtio_return(&f->v);
	if (resets != f->v.resets || f->v.broken)
		;
	else if (n < 0)
		virtio_break(&f->v, "what is in its queue is no FUSE request");
	else
		virtio_push(&f->v, queue, head, (uint32_t)n);
	pthread_mutex_unlock(&f->v.lock);
}

static void *work(void *arg)
{
	struct fsdev *f = arg;
	struct chain chain;
	unsigned resets;
	eventfd_t n;
	int queue;

	jail_close_or_end(JAIL_FILES);
	for (;;) {
		if (eventfd_read(f->v.wake, &n) < 0 && errno != EINTR)
			return NULL;
		while ((queue = take(f, &chain, &resets)) >= 0) {
			ssize_t done = fs_server_handle(f->server, chain.read, chain.n_read,
							chain.write, chain.n_write);

			give_back(f, (unsigned)queue, chain.head, done, resets);
		}
	}
}

int fsdev_start(struct fsdev *f, struct fs_server *server, struct err *e)
{
	f->server = server;
	for (int i = 0; i < WORKERS; i++) {
		pthread_t thread;
		int r = pthread_create(&thread, NULL, work, f);

		if (r)
			return err_neg(e, -r, "start a thread of the file server");
	}
	return 0;
}
