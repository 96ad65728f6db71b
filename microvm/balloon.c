#include "microvm/balloon.h"

#include <linux/virtio_balloon.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "base/util.h"
#include "microvm/saved.h"

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

static void config(struct virtio *v, uint32_t offset, void *ret, size_t size)
{
	const struct balloon *b = (struct balloon *)v;
	const struct virtio_balloon_config c = { .num_pages = b->wanted,
						 .actual = b->held,
						 .free_page_hint_cmd_id =
							 VIRTIO_BALLOON_CMD_ID_STOP };

	if (offset < sizeof(c))
		memcpy(ret, (const uint8_t *)&c + offset,
		       size < sizeof(c) - offset ? size : sizeof(c) - offset);
}

static void config_write(struct virtio *v, uint32_t offset, const void *bytes, size_t size)
{
	struct balloon *b = (struct balloon *)v;

	if (offset == offsetof(struct virtio_balloon_config, actual) && size == sizeof(b->held))
		memcpy(&b->held, bytes, size);
}

static void reset(struct virtio *v)
{
	((struct balloon *)v)->held = 0;
}

static const struct saved_field fields[] = {
	SAVED(struct balloon, wanted),
	SAVED(struct balloon, held),
};

static void save(struct virtio *v, struct saved_out *o)
{
	saved_put_fields(o, fields, ARRAY_LEN(fields), v);
}

/* Of both, any number is one that a guest may say, or be asked for. */
static int load(struct virtio *v, struct saved_in *in, struct err *e UNUSED)
{
	saved_take_fields(in, fields, ARRAY_LEN(fields), v);
	return 0;
}

const struct virtio_kind balloon_kind = {
	.name = "balloon",
	.id = VIRTIO_ID_BALLOON,
	.pci_class = 0x050000,
	.queues = QUEUES,
	.queue_size = 64,
	.features = UINT64_C(1) << VIRTIO_BALLOON_F_STATS_VQ |
		    UINT64_C(1) << VIRTIO_BALLOON_F_FREE_PAGE_HINT |
		    UINT64_C(1) << VIRTIO_BALLOON_F_REPORTING,
	.config = config,
	.config_write = config_write,
	.reset = reset,
	.save = save,
	.load = load,
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

uint32_t balloon_ask(struct balloon *b, uint32_t pages)
{
	uint32_t held;

	pthread_mutex_lock(&b->v.lock);
	if (pages != BALLOON_KEEP && pages != b->wanted) {
		b->wanted = pages;
		virtio_config_changed(&b->v);
	}
	held = b->held;
	pthread_mutex_unlock(&b->v.lock);
	return held;
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
