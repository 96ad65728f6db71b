#include "microvm/virtio.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/log.h"

enum {
	AT_ISR = 0x1000,
	AT_CONFIG = 0x2000,
	AT_NOTIFY = 0x3000,
	AT_MSIX = 0x4000,
	AT_PENDING = 0x5000,
	AT_END = 0x6000,
	CAP_MSIX = 0x40,
	CAP_VIRTIO = 0x50,
	NO_VECTOR = 0xffff,
	PCI_VENDOR = 0x1af4,
	PCI_DEVICE_BASE = 0x1040,
};

static void put16(uint8_t *at, uint16_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* The four windows of BAR 0 as vendor capabilities. */
static void add_capabilities(uint8_t *space)
{
	static const struct {
		uint8_t type;
		uint32_t at;
	} windows[] = {
		{ VIRTIO_PCI_CAP_COMMON_CFG, 0 },
		{ VIRTIO_PCI_CAP_ISR_CFG, AT_ISR },
		{ VIRTIO_PCI_CAP_DEVICE_CFG, AT_CONFIG },
		{ VIRTIO_PCI_CAP_NOTIFY_CFG, AT_NOTIFY },
	};
	uint8_t *p = space + CAP_VIRTIO;

	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		bool last = i + 1 == ARRAY_LEN(windows);
		uint8_t len =
			last ? sizeof(struct virtio_pci_notify_cap) : sizeof(struct virtio_pci_cap);

		p[0] = PCI_CAP_ID_VNDR;
		p[1] = last ? 0 : (uint8_t)(p - space + len);
		p[2] = len;
		p[3] = windows[i].type;
		put32(p + 8, windows[i].at);
		put32(p + 12, 0x1000);
		if (last)
			put32(p + 16, 4); /* a notify address for each queue, 4 apart */
		p += len;
	}
}

static void reset(struct virtio *v)
{
	const struct memory *memory = v->queues[0].memory;

	v->status = 0;
	v->isr = 0;
	v->broken = false;
	v->resets++;
	v->feature_select = v->driver_feature_select = v->queue_select = 0;
	v->driver_features = 0;
	v->config_vector = NO_VECTOR;
	for (size_t i = 0; i < VIRTIO_QUEUES; i++)
		v->queues[i] = (struct virtqueue){ .memory = memory,
						   .size = v->kind->queue_size,
						   .vector = NO_VECTOR };
	memset(v->pending, 0, sizeof(v->pending));
	if (v->kind->reset)
		v->kind->reset(v);
}

void virtio_init(struct virtio *v, const struct virtio_kind *kind, const struct memory *memory,
		 uint32_t bar)
{
	uint8_t *s = v->space;

	pthread_condattr_t clock;

	*v = (struct virtio){ .kind = kind, .wake = -1, .bar = bar };
	pthread_mutex_init(&v->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&v->back, &clock);
	pthread_condattr_destroy(&clock);
	v->queues[0].memory = memory;
	put16(s + PCI_VENDOR_ID, PCI_VENDOR);
	put16(s + PCI_DEVICE_ID, (uint16_t)(PCI_DEVICE_BASE + kind->id));
	put16(s + PCI_COMMAND, PCI_COMMAND_MEMORY);
	put16(s + PCI_STATUS, PCI_STATUS_CAP_LIST);
	s[PCI_REVISION_ID] = 1;
	s[PCI_CLASS_PROG] = (uint8_t)kind->pci_class;
	s[PCI_CLASS_PROG + 1] = (uint8_t)(kind->pci_class >> 8);
	s[PCI_CLASS_PROG + 2] = (uint8_t)(kind->pci_class >> 16);
	put16(s + PCI_SUBSYSTEM_VENDOR_ID, PCI_VENDOR);
	put16(s + PCI_SUBSYSTEM_ID, 0x40);
	put32(s + PCI_BASE_ADDRESS_0, bar);
	put32(v->writable + PCI_BASE_ADDRESS_0, ~(uint32_t)(VIRTIO_BAR_SIZE - 1));
	put16(v->writable + PCI_COMMAND,
	      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	v->writable[PCI_INTERRUPT_LINE] = 0xff;
	s[PCI_CAPABILITY_LIST] = CAP_MSIX;
	s[CAP_MSIX] = PCI_CAP_ID_MSIX;
	s[CAP_MSIX + 1] = CAP_VIRTIO;
	put16(s + CAP_MSIX + PCI_MSIX_FLAGS, VIRTIO_VECTORS - 1);
	v->writable[CAP_MSIX + PCI_MSIX_FLAGS + 1] =
		(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) >> 8;
	put32(s + CAP_MSIX + PCI_MSIX_TABLE, AT_MSIX);
	put32(s + CAP_MSIX + PCI_MSIX_PBA, AT_PENDING);
	add_capabilities(s);
	for (size_t i = 0; i < VIRTIO_VECTORS; i++)
		v->msix[i].control = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	reset(v);
}

/* What is masked waits; without MSI-X there are no interrupts: no driver that we boot is without. */
static void interrupt(struct virtio *v, uint16_t vector)
{
	uint8_t flags = v->space[CAP_MSIX + PCI_MSIX_FLAGS + 1];

	if (vector >= VIRTIO_VECTORS || !(flags & PCI_MSIX_FLAGS_ENABLE >> 8))
		return;
	if ((flags & PCI_MSIX_FLAGS_MASKALL >> 8) ||
	    (v->msix[vector].control & PCI_MSIX_ENTRY_CTRL_MASKBIT)) {
		v->pending[vector] = true;
		return;
	}
	v->pending[vector] = false;
	if (v->interrupt)
		v->interrupt(v->interrupt_ctx, &v->msix[vector]);
}

static void send_pending(struct virtio *v)
{
	for (unsigned i = 0; i < VIRTIO_VECTORS; i++)
		if (v->pending[i])
			interrupt(v, (uint16_t)i);
}

void virtio_space_read(struct virtio *v, unsigned offset, void *ret, size_t size)
{
	pthread_mutex_lock(&v->lock);
	memcpy(ret, v->space + offset, size);
	pthread_mutex_unlock(&v->lock);
}

void virtio_space_write(struct virtio *v, unsigned offset, const void *bytes, size_t size)
{
	pthread_mutex_lock(&v->lock);
	for (size_t i = 0; i < size; i++) {
		uint8_t mask = v->writable[offset + i];

		v->space[offset + i] = (uint8_t)((v->space[offset + i] & ~mask) |
						 (((const uint8_t *)bytes)[i] & mask));
	}
	memcpy(&v->bar, v->space + PCI_BASE_ADDRESS_0, sizeof(v->bar));
	send_pending(v);
	pthread_mutex_unlock(&v->lock);
}

uint64_t virtio_features(const struct virtio *v)
{
	return v->kind->features | UINT64_C(1) << VIRTIO_F_VERSION_1;
}

/* A queue that does not exist reads as nothing and is written to in vain. */
static struct virtqueue *selected(struct virtio *v)
{
	return v->queue_select < v->kind->queues ? &v->queues[v->queue_select] : NULL;
}

static uint64_t common_read(struct virtio *v, uint32_t offset)
{
	const struct virtqueue *q = selected(v);

	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		return v->feature_select;
	case VIRTIO_PCI_COMMON_DF:
		return v->feature_select < 2
			       ? (uint32_t)(virtio_features(v) >> 32 * v->feature_select)
			       : 0;
	case VIRTIO_PCI_COMMON_GFSELECT:
		return v->driver_feature_select;
	case VIRTIO_PCI_COMMON_GF:
		return v->driver_feature_select < 2
			       ? (uint32_t)(v->driver_features >> 32 * v->driver_feature_select)
			       : 0;
	case VIRTIO_PCI_COMMON_MSIX:
		return v->config_vector;
	case VIRTIO_PCI_COMMON_NUMQ:
		return v->kind->queues;
	case VIRTIO_PCI_COMMON_STATUS:
		return v->status | (v->broken ? VIRTIO_CONFIG_S_NEEDS_RESET : 0);
	case VIRTIO_PCI_COMMON_Q_SELECT:
		return v->queue_select;
	case VIRTIO_PCI_COMMON_Q_SIZE:
		return q ? q->size : 0;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		return q ? q->vector : NO_VECTOR;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return q ? q->ready : 0;
	case VIRTIO_PCI_COMMON_Q_NOFF:
		return q ? v->queue_select : 0;
	default:
		return 0;
	}
}

static void put_half(uint64_t *address, bool high, uint32_t value)
{
	*address = high ? (uint32_t)*address | (uint64_t)value << 32
			: (*address & ~UINT64_C(0xffffffff)) | value;
}

static uint16_t vector(uint64_t value)
{
	return value < VIRTIO_VECTORS ? (uint16_t)value : NO_VECTOR;
}

/* Size and addresses of a queue that is in use stay as they are. */
static void queue_write(struct virtqueue *q, uint32_t offset, uint32_t value)
{
	if (offset == VIRTIO_PCI_COMMON_Q_MSIX)
		q->vector = vector(value);
	if (q->ready)
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		if (value && value <= VIRTQUEUE_MAX && (value & (value - 1)) == 0)
			q->size = (uint16_t)value;
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		q->ready = value == 1;
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		put_half(&q->descriptors, offset == VIRTIO_PCI_COMMON_Q_DESCHI, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		put_half(&q->available, offset == VIRTIO_PCI_COMMON_Q_AVAILHI, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		put_half(&q->used, offset == VIRTIO_PCI_COMMON_Q_USEDHI, value);
		break;
	default:
		break;
	}
}

static void common_write(struct virtio *v, uint32_t offset, uint32_t value)
{
	struct virtqueue *q = selected(v);
	bool agree;

	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		v->feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		v->driver_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		if (v->driver_feature_select < 2)
			put_half(&v->driver_features, v->driver_feature_select == 1, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		v->config_vector = vector(value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		if ((value & 0xff) == 0) {
			reset(v);
			break;
		}
		/* Features that we do not have are not agreed to: the driver sees its bit missing. */
		if ((value & VIRTIO_CONFIG_S_FEATURES_OK) &&
		    (v->driver_features & ~virtio_features(v)))
			value &= ~(uint32_t)VIRTIO_CONFIG_S_FEATURES_OK;
		agree = v->kind->agreed && (value & ~v->status & VIRTIO_CONFIG_S_FEATURES_OK);
		v->status = (uint8_t)value;
		if (agree)
			v->kind->agreed(v);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		v->queue_select = value & 0xffff;
		break;
	default:
		if (q)
			queue_write(q, offset, value);
	}
}

static void pending_bits(const struct virtio *v, uint64_t *ret)
{
	*ret = 0;
	for (unsigned i = 0; i < VIRTIO_VECTORS; i++)
		*ret |= (uint64_t)v->pending[i] << i;
}

static void bar_read(struct virtio *v, uint32_t offset, void *ret, size_t size)
{
	uint64_t value = 0;

	if (offset < AT_ISR) {
		value = common_read(v, offset);
	} else if (offset < AT_CONFIG) {
		value = v->isr;
		v->isr = 0;
	} else if (offset < AT_NOTIFY) {
		if (v->kind->config)
			v->kind->config(v, offset - AT_CONFIG, &value, size);
	} else if (offset >= AT_MSIX && offset - AT_MSIX + size <= sizeof(v->msix)) {
		memcpy(&value, (uint8_t *)v->msix + (offset - AT_MSIX), size);
	} else if (offset == AT_PENDING) {
		pending_bits(v, &value);
	}
	memcpy(ret, &value, size);
}

static void wake(struct virtio *v)
{
	if (v->wake >= 0 && eventfd_write(v->wake, 1) < 0)
		log_debug("virtio-%s: wake: %s", v->kind->name, err_text(errno));
}

static void notify(struct virtio *v, unsigned queue)
{
	if (queue >= v->kind->queues || !virtio_is_going(v))
		return;
	if (v->kind->notify)
		v->kind->notify(v, queue);
	wake(v);
}

static void bar_write(struct virtio *v, uint32_t offset, const void *bytes, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, bytes, size);
	if (offset < AT_ISR) {
		common_write(v, offset, (uint32_t)value);
		if (size == 8) /* the halves of an address in one */
			common_write(v, offset + 4, (uint32_t)(value >> 32));
	} else if (offset >= AT_CONFIG && offset < AT_NOTIFY) {
		if (v->kind->config_write)
			v->kind->config_write(v, offset - AT_CONFIG, bytes, size);
	} else if (offset >= AT_NOTIFY && offset < AT_MSIX) {
		notify(v, (offset - AT_NOTIFY) / 4);
	} else if (offset >= AT_MSIX && offset - AT_MSIX + size <= sizeof(v->msix)) {
		memcpy((uint8_t *)v->msix + (offset - AT_MSIX), bytes, size);
		send_pending(v);
	}
}

void virtio_bar_read(struct virtio *v, uint32_t offset, void *ret, size_t size)
{
	pthread_mutex_lock(&v->lock);
	bar_read(v, offset, ret, size);
	pthread_mutex_unlock(&v->lock);
}

void virtio_bar_write(struct virtio *v, uint32_t offset, const void *bytes, size_t size)
{
	pthread_mutex_lock(&v->lock);
	bar_write(v, offset, bytes, size);
	pthread_mutex_unlock(&v->lock);
}

void virtio_config_changed(struct virtio *v)
{
	v->isr |= 2;
	interrupt(v, v->config_vector);
}

void virtio_break(struct virtio *v, const char *why)
{
	if (v->broken)
		return;
	v->broken = true;
	if (v->breaks++ < VIRTIO_BREAKS_TOLD) /* the log is no place for what a guest can repeat */
		log_warn("the guest has broken virtio-%s: %s", v->kind->name, why);
	virtio_config_changed(v);
}

bool virtio_pop(struct virtio *v, unsigned queue, struct chain *ret)
{
	int r = v->broken || v->held ? 0 : virtqueue_pop(&v->queues[queue], ret);

	if (r < 0)
		virtio_break(v, "what is in its queue is no request");
	return r > 0;
}

bool virtio_next(struct virtio *v, unsigned queue, unsigned *turn, struct chain *ret)
{
	if (*turn < VIRTIO_TURN) {
		++*turn;
		return virtio_pop(v, queue, ret);
	}
	if (!v->broken && virtqueue_pending(&v->queues[queue]))
		wake(v);
	return false;
}

void virtio_push_all(struct virtio *v, unsigned queue, const struct done *done, unsigned n)
{
	int r = virtqueue_push(&v->queues[queue], done, n);

	if (r < 0)
		virtio_break(v, "its queue is not in memory");
	if (r > 0) {
		v->isr |= 1;
		interrupt(v, v->queues[queue].vector);
	}
}

void virtio_push(struct virtio *v, unsigned queue, uint16_t head, uint32_t written)
{
	virtio_push_all(v, queue, &(struct done){ head, written }, 1);
}

void virtio_leave(struct virtio *v)
{
	v->away++;
	pthread_mutex_unlock(&v->lock);
}

void virtio_return(struct virtio *v)
{
	pthread_mutex_lock(&v->lock);
	if (--v->away == 0)
		pthread_cond_broadcast(&v->back);
}

int virtio_hold(struct virtio *v, struct err *e)
{
	struct timespec end;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += VIRTIO_HOLD_MS / 1000;
	pthread_mutex_lock(&v->lock);
	v->held = true;
	while (v->away && r == 0)
		r = pthread_cond_timedwait(&v->back, &v->lock, &end);
	pthread_mutex_unlock(&v->lock);
	if (r == 0)
		return 0;
	virtio_let_go(v);
	return err_set(e, EBUSY, "a request of virtio-%s has not ended within %d s", v->kind->name,
		       VIRTIO_HOLD_MS / 1000);
}

void virtio_let_go(struct virtio *v)
{
	pthread_mutex_lock(&v->lock);
	v->held = false;
	if (virtio_is_going(v))
		wake(v);
	pthread_mutex_unlock(&v->lock);
}

bool virtio_is_going(const struct virtio *v)
{
	return !v->broken && (v->status & VIRTIO_CONFIG_S_DRIVER_OK);
}

bool virtio_has(const struct virtio *v, unsigned feature)
{
	return v->driver_features >> feature & 1;
}

bool virtio_is_absent(const struct virtio *v)
{
	return __atomic_load_n(&v->absent, __ATOMIC_ACQUIRE);
}

void virtio_set_absent(struct virtio *v, bool absent)
{
	__atomic_store_n(&v->absent, absent, __ATOMIC_RELEASE);
}
