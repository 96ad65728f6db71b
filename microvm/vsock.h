/*
 * vsock.h - virtio-vsock (virtio 1.2, 5.10): streams between programs in the guest and unix
 * sockets of the host.
 *
 * A program of the host connects to the container's socket, says "CONNECT PORT\n" and hears
 * "OK PORT\n" (its own end's) when a program in the guest has accepted; from then on it is a
 * stream. A program of the guest that connects to port P of CID 2 comes to the socket NAME_P in
 * the directory of that socket. Whatever is not there is a connection that was reset.
 *
 * Each side has a window of what may be on its way to it, counted as the specification says: what
 * the guest sends beyond ours ends its connection, and from the host no more is taken than the
 * guest has room for. Nothing here waits for either side; one thread does all of it.
 */
#ifndef HULL_MICROVM_VSOCK_H
#define HULL_MICROVM_VSOCK_H

#include <semaphore.h>

#include "base/err.h"
#include "microvm/virtio.h"
#include "microvm/vsock_host.h"

enum {
	VSOCK_CONNECTIONS = 128,
	VSOCK_WINDOW = 64 * 1024, /* bytes of the guest's that wait for a program of the host */
	VSOCK_PACKET_MAX = 64 * 1024,
	VSOCK_RESETS = 64, /* that wait for the guest to have room for them */
	VSOCK_LINE_MAX = 24,
	VSOCK_HOST_CID = 2,
	VSOCK_GUEST_CID = 3,
	VSOCK_FIRST_PORT = 1 << 30 /* of connections that the host begins */
};

enum vsock_stage {
	VSOCK_FREE,
	VSOCK_ASKING,    /* the host has not yet said which port */
	VSOCK_REQUESTED, /* the guest has not yet answered */
	VSOCK_OPEN,      /* until both sides have said that they are done */
	VSOCK_DRAINING   /* the guest is done with it; some of its bytes wait for the host */
};

struct vsock_connection {
	enum vsock_stage stage;
	int fd; /* the host's; -1: its program is gone */
	uint32_t host_port, guest_port;
	char line[VSOCK_LINE_MAX]; /* what the host asks */
	size_t line_size;
	unsigned owed; /* of packets without data: a bit for each operation */

	/* to the guest: its window, what it has taken out of it, and what was sent to it */
	uint32_t window, taken, sent;
	bool starved; /* it was asked for more */
	/* from the guest: bytes passed on in all, and how many of them it knows of */
	uint32_t passed, told;
	uint32_t begin, waiting; /* in the ring of those that are not passed on yet */

	/* enum virtio_vsock_shutdown: what each side will not do any more, and what it knows of the host's */
	uint8_t guest_done, host_done, host_done_told;
	bool readable;   /* as far as is known */
	bool hung_up;    /* the host's program is gone; what it wrote may still be there */
	bool write_over; /* the host was told that no more comes */
};

struct vsock_reset {
	uint64_t cid; /* in whose name */
	uint32_t host_port, guest_port;
	uint16_t type;
};

struct vsock {
	struct virtio v;
	int listener;     /* the container's socket */
	const char *name; /* its name, in the thread's directory */
	bool forgotten;   /* the guest has reset the device: the thread drops all connections */
	bool again;       /* there is more to do already */
	uint32_t next_port;
	size_t next; /* connection that is looked after first */
	struct vsock_reset resets[VSOCK_RESETS];
	size_t n_resets;
	bool has_spare; /* a request that was taken and is not filled */
	struct chain spare;
	struct vsock_connection connections[VSOCK_CONNECTIONS];
	uint8_t rings[VSOCK_CONNECTIONS][VSOCK_WINDOW];

	int directory; /* until the thread is in it */
	sem_t ready;
	struct err why;
};

extern const struct virtio_kind vsock_kind;

/* After virtio_init(); keeps `listener`, a stream socket. `name` has at most VSOCK_NAME_MAX bytes. */
void vsock_init(struct vsock *s, int listener, const char *name);

/*
 * Starts the thread, which goes into `directory` alone, closes it and ends with the process.
 * The directory's mount is to be one from which ".." leads nowhere.
 */
int vsock_start(struct vsock *s, int directory, struct err *e) MUST_CHECK;

/* Waits (milliseconds, -1: for ever) until there is something to do, and does some. */
void vsock_turn(struct vsock *s, int timeout);

/* vsock_link.c: a connection's side of the host. */

/* The port of "CONNECT PORT\n"; -EPROTO: it is no such line. */
int vsock_read_line(const char *line, size_t size, uint32_t *ret_port);
/* Connects to NAME_PORT; -errno. */
int vsock_open_host(const char *name, uint32_t port);
/* Asks the host for its line: 1 and *ret_port, 0 not yet, -EPROTO. */
int vsock_hear_line(struct vsock_connection *c, uint32_t *ret_port);
/* Puts bytes into the ring, of which there is to be room for all. */
void vsock_keep(struct vsock_connection *c, uint8_t *ring, const struct iovec *iov, int n,
		uint32_t skip, uint32_t size);
/* Passes on what the host takes; then, if the guest is done, says so. */
void vsock_flush(struct vsock_connection *c, const uint8_t *ring);
/* How many bytes more the guest has room for. */
uint32_t vsock_credit(const struct vsock_connection *c);
/* Events to wait for at the host's socket; -1: none at all. */
int vsock_events(const struct vsock_connection *c);

#endif
