#include "microvm/balloon.h"

#include <linux/virtio_balloon.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/mman.h>

#include "base/util.h"

enum {
	INFLATE,
	DEFLATE,
	STATISTICS, /* the one buffer that comes stays here: that is how a device never asks */
	HINTS,      /* nor for these */
	REPORTS,
	QUEUES,
	PAGE = 1 << VIRTIO_BALLOON_PFN_SHIFT,
	NUMBERS_MAX = 256 /* of pages, in a request; Linux sends no more */
};

/* It is to hold no pages. */
static void config(struct virtio *v, uint32_t offset, void *ret, size_t size)
{
	const struct virtio_balloon_config c = { .free_page_hint_cmd_id =
							 VIRTIO_BALLOON_CMD_ID_STOP };

	(void)v;
	if (offset < sizeof(c))
		memcpy(ret, (const uint8_t *)&c + offset,
		       size < sizeof(c) - offset ? size : sizeof(c) - offset);
}

const struct virtio_kind balloon_kind = {
	.name = "balloon",
	.id = VIRTIO_ID_BALLOON,
	.pci_class = 0x050000,
	.queues = QUEUES,
	.queue_size = 64,
	.features = UINT64_C(1) << VIRTIO_BALLOON_F_STATS_VQ |
		    UINT64_C(1) << VIRTIO_BALLOON_F_DEFLATE_ON_OOM |
		    UINT64_C(1) << VIRTIO_BALLOON_F_FREE_PAGE_HINT |
		    UINT64_C(1) << VIRTIO_BALLOON_F_REPORTING,
	.config = config,
};

/* Only whole pages, which lie in the guest's memory as we have it. */
static void give_up(void *at, size_t size)
{
	uintptr_t from = ((uintptr_t)at + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	uintptr_t to = ((uintptr_t)at + size) & ~(uintptr_t)(PAGE - 1);

	/* A kernel that will not has its reasons: then the memory stays. */
	if (from < to)
		(void)!madvise((void *)from, to - from, MADV_DONTNEED);
}

static void inflate(struct balloon *b, const struct chain *chain)
{
	const struct memory *memory = b->v.queues[INFLATE].memory;
	uint32_t numbers[NUMBERS_MAX];
	size_t n = iov_read(chain->read, chain->n_read, numbers, sizeof(numbers));

	for (size_t i = 0; i < n / sizeof(numbers[0]); i++) {
		void *at =
			memory_at(memory, (uint64_t)numbers[i] << VIRTIO_BALLOON_PFN_SHIFT, PAGE);

		if (at)
			give_up(at, PAGE);
	}
}

void balloon_attend(struct balloon *b)
{
	struct chain chain;
	unsigned turn = 0;

	pthread_mutex_lock(&b->v.lock);
	while (virtio_next(&b->v, INFLATE, &turn, &chain)) {
		inflate(b, &chain);
		virtio_push(&b->v, INFLATE, chain.head, 0);
	}
	while (virtio_next(&b->v, DEFLATE, &turn, &chain))
		virtio_push(&b->v, DEFLATE, chain.head, 0);
	while (virtio_next(&b->v, REPORTS, &turn, &chain)) {
		for (int i = 0; i < chain.n_write; i++)
			give_up(chain.write[i].iov_base, chain.write[i].iov_len);
		virtio_push(&b->v, REPORTS, chain.head, 0);
	}
	pthread_mutex_unlock(&b->v.lock);
}
