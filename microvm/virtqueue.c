#include "microvm/virtqueue.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

/* The rings, if all of them lie in memory and are aligned as they have to be. */
struct rings {
	const volatile struct vring_desc *descriptors;
	const volatile uint16_t *available; /* flags, idx, ring[] */
	volatile uint16_t *used;            /* flags, idx, then the ring */
};

static bool find_rings(const struct virtqueue *q, struct rings *ret)
{
	if (!q->ready || q->size == 0 || q->size > VIRTQUEUE_MAX ||
	    (q->size & (q->size - 1)) != 0 || (q->descriptors & 15) || (q->available & 1) ||
	    (q->used & 3))
		return false;
	ret->descriptors = memory_at(q->memory, q->descriptors, 16ULL * q->size);
	ret->available = memory_at(q->memory, q->available, 4 + 2ULL * q->size);
	ret->used = memory_at(q->memory, q->used, 4 + 8ULL * q->size);
	return ret->descriptors && ret->available && ret->used;
}

bool virtqueue_pending(const struct virtqueue *q)
{
	struct rings r;

	return find_rings(q, &r) && __atomic_load_n(&r.available[1], __ATOMIC_ACQUIRE) != q->next;
}

static int walk(const struct virtqueue *q, const struct rings *r, uint16_t at, struct chain *ret)
{
	for (unsigned seen = 0; seen < q->size; seen++) {
		struct vring_desc d;
		struct iovec v;

		if (at >= q->size)
			return -EPROTO;
		d.addr = r->descriptors[at].addr; /* once: the guest may change it */
		d.len = r->descriptors[at].len;
		d.flags = r->descriptors[at].flags;
		d.next = r->descriptors[at].next;
		v.iov_base = memory_at(q->memory, d.addr, d.len);
		v.iov_len = d.len;
		if ((d.flags & VRING_DESC_F_INDIRECT) || !v.iov_base)
			return -EPROTO;
		if (d.flags & VRING_DESC_F_WRITE)
			ret->write[ret->n_write++] = v;
		else if (ret->n_write)
			return -EPROTO; /* what is read comes first */
		else
			ret->read[ret->n_read++] = v;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return 1;
		at = d.next;
	}
	return -EPROTO; /* a loop */
}

int virtqueue_pop(struct virtqueue *q, struct chain *ret)
{
	struct rings r;
	uint16_t waiting;

	if (!q->ready)
		return 0;
	if (!find_rings(q, &r))
		return -EPROTO;
	waiting = (uint16_t)(__atomic_load_n(&r.available[1], __ATOMIC_ACQUIRE) - q->next);
	if (waiting == 0)
		return 0;
	if (waiting > q->size)
		return -EPROTO;
	ret->n_read = ret->n_write = 0;
	ret->head = r.available[2 + q->next % q->size];
	q->next++;
	return walk(q, &r, ret->head, ret);
}

int virtqueue_push(struct virtqueue *q, const struct done *done, unsigned n)
{
	volatile uint32_t *ring;
	struct rings r;
	uint16_t index;

	if (!find_rings(q, &r))
		return -EPROTO;
	index = r.used[1];
	ring = (volatile uint32_t *)(r.used + 2);
	for (unsigned i = 0; i < n; i++, index++) {
		size_t at = (size_t)2 * (index % q->size);

		ring[at] = done[i].head;
		ring[at + 1] = done[i].written;
	}
	__atomic_store_n(&r.used[1], index, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !(r.available[0] & VRING_AVAIL_F_NO_INTERRUPT);
}

size_t iov_read(const struct iovec *iov, int n, void *to, size_t size)
{
	size_t done = 0;

	for (int i = 0; i < n && done < size; i++) {
		size_t len = iov[i].iov_len < size - done ? iov[i].iov_len : size - done;

		memcpy((char *)to + done, iov[i].iov_base, len);
		done += len;
	}
	return done;
}

size_t iov_write(const struct iovec *iov, int n, const void *from, size_t size)
{
	size_t done = 0;

	for (int i = 0; i < n && done < size; i++) {
		size_t len = iov[i].iov_len < size - done ? iov[i].iov_len : size - done;

		memcpy(iov[i].iov_base, (const char *)from + done, len);
		done += len;
	}
	return done;
}

size_t iov_size(const struct iovec *iov, int n)
{
	size_t size = 0;

	for (int i = 0; i < n; i++)
		size += iov[i].iov_len;
	return size;
}
