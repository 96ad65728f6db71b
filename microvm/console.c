#include "microvm/console.h"

#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/eventfd.h>

#include "microvm/saved.h"

enum {
	TO_GUEST,
	FROM_GUEST,
	CONTROL_TO_GUEST,
	CONTROL_FROM_GUEST,
	QUEUES,
	CONTROL_MAX = 4096,
	CHUNK_MAX = 1024 * 1024
};

static void config(struct virtio *v, uint32_t offset, void *ret, size_t size)
{
	const struct virtio_console_config c = { .max_nr_ports = 1 };

	(void)v;
	if (offset < sizeof(c))
		memcpy(ret, (const uint8_t *)&c + offset,
		       size < sizeof(c) - offset ? size : sizeof(c) - offset);
}

static void reset(struct virtio *v)
{
	buf_clear(&((struct console *)v)->control);
}

static void save(struct virtio *v, struct saved_out *o)
{
	const struct console *c = (struct console *)v;

	saved_put_counted(o, c->control.text, c->control.len);
}

static int load(struct virtio *v, struct saved_in *in, struct err *e)
{
	const size_t one = sizeof(struct virtio_console_control);
	struct console *c = (struct console *)v;
	const uint8_t *bytes;
	size_t n;

	bytes = saved_counted(in, CONTROL_MAX + one, &n);
	if (n % one)
		return saved_refuse(in, e, "%zu bytes are no messages about a port", n);
	buf_clear(&c->control);
	if (n)
		buf_add(&c->control, bytes, n);
	return 0;
}

const struct virtio_kind console_kind = {
	.name = "console",
	.id = VIRTIO_ID_CONSOLE,
	.pci_class = 0x078000,
	.queues = QUEUES,
	.queue_size = 64,
	.features = UINT64_C(1) << VIRTIO_CONSOLE_F_MULTIPORT,
	.config = config,
	.reset = reset,
	.save = save,
	.load = load,
};

static void say(struct console *c, uint16_t event, uint16_t value)
{
	const struct virtio_console_control m = { .event = event, .value = value };

	if (c->control.len > CONTROL_MAX) {
		virtio_break(&c->v, "it asks without reading the answers");
		return;
	}
	buf_add(&c->control, &m, sizeof(m));
}

static void hear(struct console *c, const struct virtio_console_control *m)
{
	if (m->event == VIRTIO_CONSOLE_DEVICE_READY && m->value)
		say(c, VIRTIO_CONSOLE_PORT_ADD, 1);
	else if (m->event == VIRTIO_CONSOLE_PORT_READY && m->id == 0 && m->value)
		say(c, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

void console_attend(struct console *c)
{
	struct virtio_console_control m;
	struct chain chain;
	unsigned turn = 0;

	pthread_mutex_lock(&c->v.lock);
	while (virtio_next(&c->v, CONTROL_FROM_GUEST, &turn, &chain)) {
		if (iov_read(chain.read, chain.n_read, &m, sizeof(m)) == sizeof(m))
			hear(c, &m);
		virtio_push(&c->v, CONTROL_FROM_GUEST, chain.head, 0);
	}
	while (c->control.len >= sizeof(m) && virtio_pop(&c->v, CONTROL_TO_GUEST, &chain)) {
		size_t n = iov_write(chain.write, chain.n_write, c->control.text, sizeof(m));

		c->control.len -= sizeof(m);
		memmove(c->control.text, c->control.text + sizeof(m), c->control.len);
		virtio_push(&c->v, CONTROL_TO_GUEST, chain.head, (uint32_t)n);
	}
	pthread_mutex_unlock(&c->v.lock);
}

void console_receive(struct console *c, struct buf *ret, size_t limit)
{
	struct chain chain;
	unsigned turn = 0;

	pthread_mutex_lock(&c->v.lock);
	while (ret->len < limit && virtio_next(&c->v, FROM_GUEST, &turn, &chain)) {
		size_t size = iov_size(chain.read, chain.n_read);

		if (size > CHUNK_MAX) {
			virtio_break(&c->v, "one buffer is larger than all that may wait");
			break;
		}
		ret->len += iov_read(chain.read, chain.n_read, buf_reserve(ret, size), size);
		ret->text[ret->len] = '\0';
		virtio_push(&c->v, FROM_GUEST, chain.head, 0);
	}
	/* The guest has told us of what is left already: nobody else will. */
	if (!c->v.broken && c->v.wake >= 0 && virtqueue_pending(&c->v.queues[FROM_GUEST]))
		eventfd_write(c->v.wake, 1);
	pthread_mutex_unlock(&c->v.lock);
}

size_t console_send(struct console *c, const void *bytes, size_t size)
{
	struct chain chain;
	size_t sent = 0;

	pthread_mutex_lock(&c->v.lock);
	while (sent < size && virtio_pop(&c->v, TO_GUEST, &chain)) {
		size_t n = iov_write(chain.write, chain.n_write, (const char *)bytes + sent,
				     size - sent);

		sent += n;
		virtio_push(&c->v, TO_GUEST, chain.head, (uint32_t)n);
		if (n == 0)
			break;
	}
	pthread_mutex_unlock(&c->v.lock);
	return sent;
}
