/*
 * balloon.h - virtio-balloon (virtio 1.2, 5.5): memory that the guest does not use goes back to
 * the host.
 *
 * The guest reports pages that have been free for a while, and may inflate its
 * balloon; what it names of its own memory is given up, and is zeros when it
 * is touched again. All five queues are there, because drivers disagree on
 * how those that are not would be counted.
 */
#ifndef HULL_MICROVM_BALLOON_H
#define HULL_MICROVM_BALLOON_H

#include "microvm/virtio.h"

struct balloon {
	struct virtio v;
};

extern const struct virtio_kind balloon_kind;

/* After `wake`: gives up what the guest has named. */
void balloon_attend(struct balloon *b);

#endif
