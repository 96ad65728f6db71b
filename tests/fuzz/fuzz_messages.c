/*
 * fuzz_messages.c - anything at all from the other end of our sockets: a container's notifications,
 * hull-fetch's frames, hull-unpack's answer, and what a guest's agent is told of its network.
 *
 *	fuzz_messages tests/fuzz/corpus-messages
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "image/fetch/frames.h"
#include "image/unpack.h"
#include "microvm/guest_network.h"
#include "process/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

/* Whoever listens for it is not there: a message that says READY=1 fails, all others are dropped. */
static void notify(const uint8_t *data, size_t size)
{
	auto_notify struct notify n = NOTIFY_NONE;
	auto_fd int container = -1;
	struct err e = { 0 };
	int pair[2], r;

	require(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	n.sock = pair[0];
	container = pair[1];
	n.host = (struct sockaddr_un){ .sun_family = AF_UNIX, .sun_path = "\0no-such-socket" };
	n.host_len = sizeof(n.host);
	if (send(container, data, size, 0) < 0)
		return;
	r = notify_take(&n, 1, &e);
	require(r == 0 || (r < 0 && memmem(data, size, "READY=1", 7) && n.sock < 0 && e.msg[0]));
}

static void frames(const uint8_t *data, size_t size)
{
	static struct frame f;
	auto_fd int ours = -1, theirs = -1;
	int pair[2];

	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	ours = pair[0];
	theirs = pair[1];
	if (send(theirs, data, size, 0) < 0)
		return;
	require(shutdown(theirs, SHUT_WR) == 0);
	while (frame_receive(ours, &f) == 0)
		require(f.len <= FRAME_MAX);
}

static void unpacked(const uint8_t *data, size_t size)
{
	auto_buf struct buf said = { 0 };
	struct unpack_result result;
	struct err e = { 0 };

	buf_add(&said, data, size);
	if (image_unpack_answer(&said, &result, &e) < 0)
		require(e.msg[0]);
	else
		require(memchr(result.diff_id, '\0', sizeof(result.diff_id)));
}

static void network(const uint8_t *data, size_t size)
{
	static struct guest_network whole, n;

	/* Of one length, which no input would have by chance. */
	memset(&whole, 0, sizeof(whole));
	memcpy(&whole, data, size < sizeof(whole) ? size : sizeof(whole));
	require(guest_network_read(data, size, &n) < 0 || size == sizeof(n));
	if (guest_network_read(&whole, sizeof(whole), &n) < 0)
		return;
	require(n.n_links <= GUEST_LINKS_MAX && n.n_addresses <= LINK_ADDRESSES_MAX &&
		n.n_routes <= LINK_ROUTES_MAX);
	for (size_t i = 0; i < n.n_addresses; i++)
		require(n.addresses[i].local_len <= sizeof(n.addresses[i].local) &&
			n.addresses[i].peer_len <= sizeof(n.addresses[i].peer) &&
			n.addresses[i].broadcast_len <= sizeof(n.addresses[i].broadcast));
	for (size_t i = 0; i < n.n_routes; i++)
		require(n.routes[i].destination_len <= sizeof(n.routes[i].destination) &&
			n.routes[i].gateway_len <= sizeof(n.routes[i].gateway) &&
			n.routes[i].source_len <= sizeof(n.routes[i].source) &&
			n.routes[i].metrics_len <= sizeof(n.routes[i].metrics));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	notify(data, size);
	frames(data, size);
	unpacked(data, size);
	network(data, size);
	return 0;
}
