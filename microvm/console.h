/*
 * console.h - the control channel: virtio-console with one port, /dev/vport0p0 in the guest.
 *
 * Bytes go both ways; the port is told open as soon as its driver is there.
 */
#ifndef HULL_MICROVM_CONSOLE_H
#define HULL_MICROVM_CONSOLE_H

#include "base/buf.h"
#include "microvm/virtio.h"

struct console {
	struct virtio v;
	struct buf control; /* messages for the guest that wait for room */
};

extern const struct virtio_kind console_kind;

/* After `wake`: does the port's housekeeping. */
void console_attend(struct console *c);
/* Appends what the guest has sent, up to about `limit` bytes; what is beyond waits. */
void console_receive(struct console *c, struct buf *ret, size_t limit);
/* Sends what there is room for; returns how many bytes. */
size_t console_send(struct console *c, const void *bytes, size_t size);

#endif
