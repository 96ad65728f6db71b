/*
 * snapshot.h - what of a machine that stands still goes into its state (saved.h), and comes from it.
 *
 * To save: no vCPU runs, and each device is held (virtio_hold()). A state does
 * not end the machine that it is of. To load: a machine as machine_add() has
 * made it, of the same size and devices, no vCPU runs yet. What a state holds
 * may be anything: what comes of it is a machine that its guest could have
 * brought about, or -EPROTO and a sentence; the machine is then of no use.
 */
#ifndef HULL_MICROVM_SNAPSHOT_H
#define HULL_MICROVM_SNAPSHOT_H

#include "microvm/memory.h"
#include "microvm/mux.h"
#include "microvm/saved.h"
#include "microvm/serial.h"
#include "microvm/virtio.h"

/* One device, of part SAVED_DEVICE, to the part's end. */
void virtio_save(struct virtio *v, struct saved_out *o);
int virtio_load(struct virtio *v, struct saved_in *in, struct err *e) MUST_CHECK;

/* In SAVED_MACHINE. Of the console's lines nothing is kept. */
void serial_save(const struct serial *s, struct saved_out *o);
void serial_load(struct serial *s, struct saved_in *in);

/*
 * The memory goes into a file of its own, new and empty: pages of zeros are holes in it. A machine
 * that goes on has the file mapped: what it has not written to is in memory once for all
 * of them, and what it writes is its own. Nobody may change the file meanwhile.
 */
int memory_save(const struct memory *m, int fd, struct err *e) MUST_CHECK;
int memory_load(int fd, uint64_t size, struct memory *ret, struct err *e) MUST_CHECK;

/*
 * SAVED_CHANNEL: the streams as far as they are the guest's, and what is under
 * way. Whoever was at the other side of a session stays behind: of SESSION_INIT,
 * which is open before it is loaded, the descriptors take over, but those of
 * streams that had ended; of the others the guest hears that nobody writes or reads any more.
 */
void channel_save(const struct mux *m, const struct frame_reader *r, struct saved_out *o);
int channel_load(struct mux *m, struct frame_reader *r, const struct saved *s, struct err *e)
	MUST_CHECK;

#endif
