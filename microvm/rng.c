#include "microvm/rng.h"

#include <linux/virtio_ids.h>
#include <sys/random.h>

enum { ANSWER_MAX = 256 };

const struct virtio_kind rng_kind = {
	.name = "rng",
	.id = VIRTIO_ID_RNG,
	.pci_class = 0x100000,
	.queues = 1,
	.queue_size = 16,
};

void rng_attend(struct rng *r)
{
	uint8_t bytes[ANSWER_MAX];
	struct chain chain;
	unsigned turn = 0;

	pthread_mutex_lock(&r->v.lock);
	while (virtio_next(&r->v, 0, &turn, &chain)) {
		ssize_t n = getrandom(bytes, sizeof(bytes), 0);
		size_t given = n > 0 ? iov_write(chain.write, chain.n_write, bytes, (size_t)n) : 0;

		virtio_push(&r->v, 0, chain.head, (uint32_t)given);
	}
	pthread_mutex_unlock(&r->v.lock);
}
