#include "microvm/pci.h"

#include <string.h>

#include "microvm/machine.h"

enum { DATA = 4, ENABLE_BIT = 31, SPACE = 256 };

/* A host bridge of Intel's, as drivers expect one in slot 0. */
static const uint8_t bridge[SPACE] = { 0x86, 0x80, 0x57, 0x0d, 0, 0, 0, 0, 0, 0, 0, 6 };

/* The device of the address; *ret_slot is 0 for the bridge, -1 if there is nothing. */
static struct virtio *find(const struct machine *m, unsigned reg, size_t size, int *ret_slot)
{
	uint32_t a = m->pci_address;
	unsigned slot = a >> 11 & 31;

	*ret_slot = -1;
	/* bus and function 0 only */
	if (!(a >> ENABLE_BIT) || (a & 0x00ff0700) || reg + size > SPACE || slot > m->n_devices)
		return NULL;
	if (slot && virtio_is_absent(m->devices[slot - 1]))
		return NULL;
	*ret_slot = (int)slot;
	return slot ? m->devices[slot - 1] : NULL;
}

void pci_port_read(struct machine *m, unsigned port, uint8_t *bytes, size_t size)
{
	unsigned reg = (m->pci_address & 0xfc) + port - DATA;
	struct virtio *v;
	int slot;

	memset(bytes, 0xff, size);
	if (port < DATA) {
		if (port == 0 && size == sizeof(m->pci_address))
			memcpy(bytes, &m->pci_address, size);
		return;
	}
	v = find(m, reg, size, &slot);
	if (slot == 0)
		memcpy(bytes, bridge + reg, size);
	else if (v)
		virtio_space_read(v, reg, bytes, size);
}

void pci_port_write(struct machine *m, unsigned port, const uint8_t *bytes, size_t size)
{
	unsigned reg = (m->pci_address & 0xfc) + port - DATA;
	struct virtio *v;
	int slot;

	if (port < DATA) {
		if (port == 0 && size == sizeof(m->pci_address))
			memcpy(&m->pci_address, bytes, size);
		return;
	}
	v = find(m, reg, size, &slot);
	if (v)
		virtio_space_write(v, reg, bytes, size);
}
