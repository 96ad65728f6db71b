/*
 * virtio.h - a virtio device behind virtio-pci (virtio 1.2, 4.1) with MSI-X.
 *
 * A device is a struct with a struct virtio in it and one row of functions
 * (struct virtio_kind). The transport keeps configuration space, the common
 * configuration and the queues; a device sees whole requests.
 *
 * Everything here runs under the device's lock: on the vCPU's thread for
 * what the guest reads and writes, on the device's own for requests. A device
 * that cannot go on (a guest that breaks the protocol) is broken: it does
 * nothing until the guest resets it.
 *
 * BAR 0: 0 common configuration, 0x1000 ISR, 0x2000 device configuration,
 * 0x3000 notify, 0x4000 MSI-X table, 0x5000 pending bits.
 */
#ifndef HULL_MICROVM_VIRTIO_H
#define HULL_MICROVM_VIRTIO_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "microvm/virtqueue.h"

enum {
	VIRTIO_QUEUES = 5,
	VIRTIO_VECTORS = VIRTIO_QUEUES + 1,
	VIRTIO_BAR_SIZE = 0x8000,
	VIRTIO_BREAKS_TOLD = 8,
	VIRTIO_TURN = 256,
	VIRTIO_HOLD_MS = 10 * 1000
};

struct saved_out;
struct saved_in;
struct virtio;

struct virtio_kind {
	const char *name;
	uint16_t id;        /* of virtio 1.2, 5 */
	uint32_t pci_class; /* class, subclass, interface */
	unsigned queues;
	uint16_t queue_size;
	uint64_t features; /* VIRTIO_F_VERSION_1 comes by itself */
	/* Fills `size` bytes of the device configuration from `offset` on; NULL: there is none. */
	void (*config)(struct virtio *v, uint32_t offset, void *ret, size_t size);
	/* The guest writes there; NULL: in vain. */
	void (*config_write)(struct virtio *v, uint32_t offset, const void *bytes, size_t size);
	/* The guest has put something into a queue; NULL: only `wake` is written to. */
	void (*notify)(struct virtio *v, unsigned queue);
	void (*reset)(struct virtio *v);  /* may be NULL */
	void (*agreed)(struct virtio *v); /* on the driver's features; may be NULL */
	/* Its own part of a snapshot (snapshot.h), before the transport's; both or none. */
	void (*save)(struct virtio *v, struct saved_out *o);
	int (*load)(struct virtio *v, struct saved_in *in, struct err *e);
};

struct virtio_msix {
	uint32_t low, high, data, control;
};

struct virtio {
	const struct virtio_kind *kind;
	pthread_mutex_t lock;
	int wake; /* an eventfd for the device's thread; -1: none */
	/* Sends an MSI; from any thread. */
	void (*interrupt)(void *ctx, const struct virtio_msix *m);
	void *interrupt_ctx;

	uint8_t space[256], writable[256]; /* PCI configuration; bits that the guest may change */
	uint32_t bar;
	uint8_t status, isr;
	bool broken;
	bool absent;     /* no such device on the bus yet (atomic: see virtio_is_absent()) */
	unsigned breaks; /* so far */
	unsigned resets; /* so far: what was popped before the last one is not given back */
	bool held;       /* no request is taken */
	unsigned away;   /* requests that are being done without the lock */
	pthread_cond_t back; /* none are */
	uint32_t feature_select, driver_feature_select, queue_select;
	uint64_t driver_features;
	uint16_t config_vector;
	struct virtqueue queues[VIRTIO_QUEUES];
	struct virtio_msix msix[VIRTIO_VECTORS];
	bool pending[VIRTIO_VECTORS]; /* while masked */
};

void virtio_init(struct virtio *v, const struct virtio_kind *kind, const struct memory *memory,
		 uint32_t bar);

/* A device that is added later: absent until then, to whoever looks at the bus. */
bool virtio_is_absent(const struct virtio *v);
void virtio_set_absent(struct virtio *v, bool absent);

/* PCI configuration space; offset + size <= 256, size 1, 2 or 4. */
void virtio_space_read(struct virtio *v, unsigned offset, void *ret, size_t size);
void virtio_space_write(struct virtio *v, unsigned offset, const void *bytes, size_t size);

/* BAR 0; offset + size <= VIRTIO_BAR_SIZE, size at most 8. */
void virtio_bar_read(struct virtio *v, uint32_t offset, void *ret, size_t size);
void virtio_bar_write(struct virtio *v, uint32_t offset, const void *bytes, size_t size);

/* For devices, with the lock held: takes a request; a bad one breaks the device and is none. */
bool virtio_pop(struct virtio *v, unsigned queue, struct chain *ret);
/*
 * The same for a device's loop, whose `turn` began with 0. A guest can lay its used ring over the
 * available one, and then there is always a request: after VIRTIO_TURN of them there is none, and
 * `wake` is written to if there was.
 */
bool virtio_next(struct virtio *v, unsigned queue, unsigned *turn, struct chain *ret);
/* Gives it back and interrupts if the guest wants that. */
void virtio_push(struct virtio *v, unsigned queue, uint16_t head, uint32_t written);
/* The same for several at once. */
void virtio_push_all(struct virtio *v, unsigned queue, const struct done *done, unsigned n);
/* Instead of unlock and lock, around what is done for a request that was taken. */
void virtio_leave(struct virtio *v);
void virtio_return(struct virtio *v);
/*
 * For a snapshot, while no vCPU runs: waits for the requests that are being done, VIRTIO_HOLD_MS at
 * most, and takes no more until virtio_let_go(), which has those that wait attended to.
 */
int virtio_hold(struct virtio *v, struct err *e) MUST_CHECK;
void virtio_let_go(struct virtio *v);
/* What it offers to its driver. */
uint64_t virtio_features(const struct virtio *v);
/* Whether the driver has set the device going, and the features that it agreed to. */
bool virtio_is_going(const struct virtio *v);
bool virtio_has(const struct virtio *v, unsigned feature);
/* What `config` gives has changed: the guest is told, with the lock held. */
void virtio_config_changed(struct virtio *v);
/* Does nothing more until a reset; says so in the log, but no more than VIRTIO_BREAKS_TOLD times. */
void virtio_break(struct virtio *v, const char *why);

#endif
