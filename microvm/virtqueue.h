/*
 * virtqueue.h - a split virtqueue, the device's side (virtio 1.2, 2.7).
 *
 * All in it is the guest's and may be anything, at any time. What
 * virtqueue_pop() gives lies in the guest's memory and nowhere else, is of
 * bounded length, and has what the device reads apart from what it writes.
 */
#ifndef HULL_MICROVM_VIRTQUEUE_H
#define HULL_MICROVM_VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "microvm/memory.h"

enum { VIRTQUEUE_MAX = 256 };

struct virtqueue {
	const struct memory *memory;
	uint16_t size; /* a power of two, at most VIRTQUEUE_MAX */
	bool ready;
	uint64_t descriptors, available, used; /* guest addresses */
	uint16_t next;                         /* of the available ring, that we have not seen */
	uint16_t vector;                       /* of MSI-X, 0xffff: none */
};

/* A request: iovecs of the guest's memory. */
struct chain {
	uint16_t head;
	int n_read, n_write;
	struct iovec read[VIRTQUEUE_MAX], write[VIRTQUEUE_MAX];
};

/*
 * Takes the next request: 1, or 0 without one. -EPROTO: what the guest put
 * there is no request; the queue is then of no use any more.
 */
int virtqueue_pop(struct virtqueue *q, struct chain *ret);

/* A request that is done, with how many bytes were written to it. */
struct done {
	uint32_t head, written;
};

/*
 * Gives n of them back, at most as many as the queue has; the guest sees all
 * at once. Returns whether it wants an interrupt, or -EPROTO.
 */
int virtqueue_push(struct virtqueue *q, const struct done *done, unsigned n);

/* Is there a request? */
bool virtqueue_pending(const struct virtqueue *q);

/* Copies from or to iovecs; returns how many bytes fitted. */
size_t iov_read(const struct iovec *iov, int n, void *to, size_t size);
size_t iov_write(const struct iovec *iov, int n, const void *from, size_t size);
size_t iov_size(const struct iovec *iov, int n);

#endif
