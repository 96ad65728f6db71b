/*
 * balloon.h - virtio-balloon (virtio 1.2, 5.5): memory that the guest does not use goes back to
 * the host.
 *
 * The guest reports pages that have been free for a while, and inflates its
 * balloon when it is asked to; what it names of its own memory is given up, and
 * is zeros when it is touched again. All five queues are there, because drivers disagree on
 * how those that are not would be counted.
 */
#ifndef HULL_MICROVM_BALLOON_H
#define HULL_MICROVM_BALLOON_H

#include "microvm/virtio.h"

struct balloon {
	struct virtio v;
	uint32_t wanted; /* pages of 4 KiB that it is to hold */
	uint32_t held;   /* ... and does, as the guest says */
};

enum { BALLOON_KEEP = UINT32_MAX };

extern const struct virtio_kind balloon_kind;

/* Asks the guest to hold that many pages (BALLOON_KEEP: as before); returns how many it holds. */
uint32_t balloon_ask(struct balloon *b, uint32_t pages);
/* After `wake`: gives up what the guest has named. */
void balloon_attend(struct balloon *b);

#endif
