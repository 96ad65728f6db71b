/*
 * net.h - virtio-net, whose other side is a tap (network/tap.h): frames as they are, headers too.
 *
 * A header's words about checksums and segments are the kernels' to each
 * other, on both sides; here they are bytes. Packets are of bounded size;
 * one that the guest has no room for waits, and the tap with it.
 */
#ifndef HULL_MICROVM_NET_H
#define HULL_MICROVM_NET_H

#include "microvm/virtio.h"
#include "network/subnet.h"
#include "network/tap.h"

enum {
	NET_FRAME_MIN = 14,         /* the Ethernet header */
	NET_PACKET_MAX = 65536 + 64 /* what a segmented packet can be, with its headers */
};

struct net {
	struct virtio v;
	int tap; /* -1: none yet */
	struct net_mac mac;
	uint16_t mtu;
	/* A packet on its way to the guest, and the buffers that it has taken so far. */
	uint8_t packet[NET_PACKET_MAX];
	size_t size, placed; /* size 0: none */
	unsigned n;
	struct done done[VIRTQUEUE_MAX];
	struct chain first;
};

extern const struct virtio_kind net_kind;

/* Whether to wait for packets at the tap. */
bool net_wants(struct net *n);
/* After `wake`, or when there are packets: moves some both ways. */
void net_attend(struct net *n);

#endif
