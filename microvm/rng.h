/* rng.h - virtio-rng: the host's random numbers. */
#ifndef HULL_MICROVM_RNG_H
#define HULL_MICROVM_RNG_H

#include "microvm/virtio.h"

struct rng {
	struct virtio v;
};

extern const struct virtio_kind rng_kind;

/* After `wake`: answers what was asked. */
void rng_attend(struct rng *r);

#endif
