#include "microvm/net.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "base/log.h"
#include "microvm/saved.h"

enum { TO_GUEST, FROM_GUEST, QUEUES, PACKETS_AT_ONCE = 64 };

#define FEATURE(name) (UINT64_C(1) << VIRTIO_NET_F_##name)

_Static_assert(sizeof(struct virtio_net_hdr_v1) == TAP_HEADER, "the tap has the guest's header");

static void config(struct virtio *v, uint32_t offset, void *ret, size_t size)
{
	const struct net *n = (struct net *)v;
	struct virtio_net_config c = { .mtu = n->mtu };

	memcpy(c.mac, n->mac.bytes, sizeof(c.mac));
	if (offset < sizeof(c))
		memcpy(ret, (const uint8_t *)&c + offset,
		       size < sizeof(c) - offset ? size : sizeof(c) - offset);
}

static void forget(struct net *n)
{
	n->size = n->placed = 0;
	n->n = 0;
}

static void reset(struct virtio *v)
{
	forget((struct net *)v);
}

/* What the guest takes as it is; else the kernel computes sums and cuts segments before the tap. */
static void agreed(struct virtio *v)
{
	static const struct {
		unsigned feature, offload;
	} rows[] = {
		{ VIRTIO_NET_F_GUEST_TSO4, TUN_F_TSO4 },
		{ VIRTIO_NET_F_GUEST_TSO6, TUN_F_TSO6 },
	};
	unsigned offloads = 0;

	if (virtio_has(v, VIRTIO_NET_F_GUEST_CSUM)) {
		offloads = TUN_F_CSUM;
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			if (virtio_has(v, rows[i].feature))
				offloads |= rows[i].offload;
	}
	if (ioctl(((struct net *)v)->tap, TUNSETOFFLOAD, offloads) < 0)
		log_debug("TUNSETOFFLOAD: %s", err_text(errno));
}

/* A packet that has not got all its buffers is lost, as on any wire: they are the guest's again. */
static void save(struct virtio *v, struct saved_out *o)
{
	struct net *n = (struct net *)v;

	n->v.queues[TO_GUEST].next -= (uint16_t)n->n;
	forget(n);
	saved_put(o, n->mac.bytes, sizeof(n->mac.bytes));
	saved_put_u32(o, n->mtu);
}

static int load(struct virtio *v, struct saved_in *in, struct err *e)
{
	struct net *n = (struct net *)v;
	uint32_t mtu;

	saved_take(in, n->mac.bytes, sizeof(n->mac.bytes));
	mtu = saved_u32(in);
	if (mtu > UINT16_MAX)
		return saved_refuse(in, e, "an MTU of %u", mtu);
	n->mtu = (uint16_t)mtu;
	forget(n);
	return 0;
}

const struct virtio_kind net_kind = {
	.name = "net",
	.id = VIRTIO_ID_NET,
	.pci_class = 0x020000,
	.queues = QUEUES,
	.queue_size = VIRTQUEUE_MAX,
	.features = FEATURE(MAC) | FEATURE(MTU) | FEATURE(MRG_RXBUF) | FEATURE(CSUM) |
		    FEATURE(GUEST_CSUM) | FEATURE(HOST_TSO4) | FEATURE(HOST_TSO6) |
		    FEATURE(GUEST_TSO4) | FEATURE(GUEST_TSO6),
	.config = config,
	.reset = reset,
	.agreed = agreed,
	.save = save,
	.load = load,
};

/* What is wrong with a buffer for a packet; NULL: nothing. */
static const char *refuse(const struct net *n, size_t room)
{
	if (room < (n->n ? 1 : TAP_HEADER))
		return "a buffer has no room for a packet's header";
	if (n->n == n->v.queues[TO_GUEST].size)
		return "its buffers are too small for a packet";
	if (!virtio_has(&n->v, VIRTIO_NET_F_MRG_RXBUF) && room < n->size)
		return "a buffer is too small for a packet";
	return NULL;
}

/* Lays the packet that waits into the guest's buffers; false: there are too few yet. */
static bool place(struct net *n)
{
	const uint16_t none = 0;
	struct chain further, *c;
	uint16_t buffers;

	while (n->placed < n->size) {
		const char *why;
		size_t len;

		/* cppcheck-suppress uninitvar ; virtio_pop() fills it */
		c = n->n ? &further : &n->first;
		if (!virtio_pop(&n->v, TO_GUEST, c))
			return false;
		why = refuse(n, iov_size(c->write, c->n_write));
		if (why) {
			virtio_break(&n->v, why);
			return false;
		}
		len = iov_write(c->write, c->n_write, n->packet + n->placed, n->size - n->placed);
		n->done[n->n++] = (struct done){ c->head, (uint32_t)len };
		n->placed += len;
	}
	/* Once more the header, which says how many they are. */
	buffers = virtio_has(&n->v, VIRTIO_NET_F_MRG_RXBUF) ? (uint16_t)n->n : none;
	memcpy(n->packet + offsetof(struct virtio_net_hdr_v1, num_buffers), &buffers,
	       sizeof(buffers));
	iov_write(n->first.write, n->first.n_write, n->packet, TAP_HEADER);
	virtio_push_all(&n->v, TO_GUEST, n->done, n->n);
	forget(n);
	return true;
}

static void receive(struct net *n)
{
	for (int i = 0; i < PACKETS_AT_ONCE && virtio_is_going(&n->v); i++) {
		if (!n->size) {
			ssize_t len = read(n->tap, n->packet, sizeof(n->packet));

			if (len < 0 && errno != EAGAIN && errno != EINTR) {
				log_warn("the microVM has no network any more: read from its tap: "
					 "%s",
					 err_text(errno));
				close_fd(&n->tap);
			}
			if (len < TAP_HEADER + NET_FRAME_MIN)
				return; /* nothing there */
			n->size = (size_t)len;
		}
		if (!place(n))
			return;
	}
}

static void transmit(struct net *n)
{
	struct chain c;

	for (int i = 0; i < PACKETS_AT_ONCE && virtio_pop(&n->v, FROM_GUEST, &c); i++) {
		size_t size = iov_size(c.read, c.n_read);

		if (c.n_write || size < TAP_HEADER + NET_FRAME_MIN || size > NET_PACKET_MAX) {
			virtio_break(&n->v, "what it sends is no packet");
			return;
		}
		/* One that the kernel does not take is lost, as on any wire. */
		if (writev(n->tap, c.read, c.n_read) < 0)
			log_debug("a packet of the guest's is lost: %s", err_text(errno));
		virtio_push(&n->v, FROM_GUEST, c.head, 0);
	}
	/* The guest has told us of what is left already: nobody else will. */
	if (!n->v.broken && n->v.wake >= 0 && virtqueue_pending(&n->v.queues[FROM_GUEST]))
		eventfd_write(n->v.wake, 1);
}

bool net_wants(struct net *n)
{
	bool wants;

	pthread_mutex_lock(&n->v.lock);
	wants = n->tap >= 0 && n->size == 0 && virtio_is_going(&n->v);
	pthread_mutex_unlock(&n->v.lock);
	return wants;
}

void net_attend(struct net *n)
{
	pthread_mutex_lock(&n->v.lock);
	if (n->tap >= 0 && virtio_is_going(&n->v)) {
		transmit(n);
		receive(n);
	}
	pthread_mutex_unlock(&n->v.lock);
}
