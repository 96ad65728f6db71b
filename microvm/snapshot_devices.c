/* snapshot_devices.c - see snapshot.h: a virtio device, and the serial port. */
#include <linux/virtio_config.h>

#include "microvm/snapshot.h"

enum { NO_VECTOR = 0xffff };

static const struct saved_field transport[] = {
	SAVED(struct virtio, status),
	SAVED(struct virtio, isr),
	SAVED_TRUTH(struct virtio, broken),
	SAVED(struct virtio, feature_select),
	SAVED(struct virtio, driver_feature_select),
	SAVED(struct virtio, queue_select),
	SAVED(struct virtio, driver_features),
	SAVED(struct virtio, config_vector),
	SAVED(struct virtio, msix),
	SAVED_TRUTH(struct virtio, pending),
};

static const struct saved_field queue[] = {
	SAVED(struct virtqueue, size),        SAVED_TRUTH(struct virtqueue, ready),
	SAVED(struct virtqueue, descriptors), SAVED(struct virtqueue, available),
	SAVED(struct virtqueue, used),        SAVED(struct virtqueue, next),
	SAVED(struct virtqueue, vector),
};

static const struct saved_field serial[] = {
	SAVED(struct serial, ier),        SAVED(struct serial, lcr),
	SAVED(struct serial, mcr),        SAVED(struct serial, scr),
	SAVED(struct serial, dll),        SAVED(struct serial, dlm),
	SAVED(struct serial, fcr),        SAVED_TRUTH(struct serial, empty_told),
	SAVED_TRUTH(struct serial, line),
};

void virtio_save(struct virtio *v, struct saved_out *o)
{
	pthread_mutex_lock(&v->lock);
	saved_put_u32(o, v->kind->id);
	if (v->kind->save)
		v->kind->save(v, o);
	saved_put(o, v->space, sizeof(v->space));
	saved_put_u32(o, virtio_is_absent(v));
	saved_put_fields(o, transport, ARRAY_LEN(transport), v);
	for (unsigned i = 0; i < v->kind->queues; i++)
		saved_put_fields(o, queue, ARRAY_LEN(queue), &v->queues[i]);
	pthread_mutex_unlock(&v->lock);
}

/* What a guest cannot write is as we have made it: else it was another hull's device. */
static int load_space(struct virtio *v, struct saved_in *in, struct err *e)
{
	uint8_t space[sizeof(v->space)];
	uint32_t absent;

	saved_take(in, space, sizeof(space));
	absent = saved_u32(in);
	if (in->bad)
		return 0; /* as saved_end() says */
	if (absent > 1)
		return saved_refuse(in, e, "absent is %u, not 0 or 1", absent);
	for (unsigned i = 0; i < sizeof(space); i++)
		if ((space[i] ^ v->space[i]) & ~v->writable[i])
			return saved_refuse(in, e,
					    "byte %u of its configuration space is not that of "
					    "this hull's virtio-%s",
					    i, v->kind->name);
	virtio_set_absent(v, absent);
	for (unsigned i = 0; i < sizeof(space); i += 4)
		virtio_space_write(v, i, space + i, 4);
	return 0;
}

static bool is_vector(uint16_t vector)
{
	return vector < VIRTIO_VECTORS || vector == NO_VECTOR;
}

static int check(const struct virtio *v, const struct saved_in *in, struct err *e)
{
	if (!is_vector(v->config_vector))
		return saved_refuse(in, e, "an interrupt of number %u", v->config_vector);
	if ((v->status & VIRTIO_CONFIG_S_FEATURES_OK) && v->driver_features & ~virtio_features(v))
		return saved_refuse(in, e,
				    "its driver uses features 0x%llx of virtio-%s, of which this "
				    "hull has 0x%llx",
				    (unsigned long long)v->driver_features, v->kind->name,
				    (unsigned long long)virtio_features(v));
	for (unsigned i = 0; i < v->kind->queues; i++) {
		const struct virtqueue *q = &v->queues[i];

		if (q->size == 0 || q->size > VIRTQUEUE_MAX || (q->size & (q->size - 1)))
			return saved_refuse(in, e, "queue %u of %u entries", i, q->size);
		if (!is_vector(q->vector))
			return saved_refuse(in, e, "queue %u with an interrupt of number %u", i,
					    q->vector);
	}
	return 0;
}

int virtio_load(struct virtio *v, struct saved_in *in, struct err *e)
{
	uint32_t id = saved_u32(in);
	int r = 0;

	if (id != v->kind->id)
		return saved_refuse(in, e, "it is of virtio's kind %u, and here virtio-%s (%u)", id,
				    v->kind->name, v->kind->id);
	if (v->kind->load) {
		pthread_mutex_lock(&v->lock);
		r = v->kind->load(v, in, e);
		pthread_mutex_unlock(&v->lock);
	}
	TRY(r);
	TRY(load_space(v, in, e));
	pthread_mutex_lock(&v->lock);
	saved_take_fields(in, transport, ARRAY_LEN(transport), v);
	for (unsigned i = 0; i < v->kind->queues; i++)
		saved_take_fields(in, queue, ARRAY_LEN(queue), &v->queues[i]);
	r = saved_end(in, e);
	if (r == 0)
		r = check(v, in, e);
	pthread_mutex_unlock(&v->lock);
	return r;
}

void serial_save(const struct serial *s, struct saved_out *o)
{
	saved_put_fields(o, serial, ARRAY_LEN(serial), s);
}

void serial_load(struct serial *s, struct saved_in *in)
{
	saved_take_fields(in, serial, ARRAY_LEN(serial), s);
}
