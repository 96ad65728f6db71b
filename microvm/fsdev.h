/*
 * fsdev.h - virtio-fs: the container's root, shown by the server in fs/.
 *
 * Requests are done by threads of their own, so that a slow disk holds nobody
 * else up; their memory stays the guest's meanwhile.
 */
#ifndef HULL_MICROVM_FSDEV_H
#define HULL_MICROVM_FSDEV_H

#include "base/err.h"
#include "microvm/virtio.h"

struct fs_server;

struct fsdev {
	struct virtio v;
	struct fs_server *server;
};

extern const struct virtio_kind fsdev_kind;

/* The tag that the guest mounts. */
#define FSDEV_TAG "root"

/* Starts the threads; they end with the process. */
int fsdev_start(struct fsdev *f, struct fs_server *server, struct err *e) MUST_CHECK;

#endif
