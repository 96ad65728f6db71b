/*
 * pci.h - configuration space by ports 0xcf8 and 0xcfc: one bus, a host bridge in slot 0, the
 * machine's devices from slot 1 on.
 */
#ifndef HULL_MICROVM_PCI_H
#define HULL_MICROVM_PCI_H

#include <stddef.h>
#include <stdint.h>

enum { PCI_PORT = 0xcf8, PCI_PORTS = 8 };

struct machine;

/* With the machine's lock held. `port` counts from PCI_PORT. */
void pci_port_read(struct machine *m, unsigned port, uint8_t *bytes, size_t size);
void pci_port_write(struct machine *m, unsigned port, const uint8_t *bytes, size_t size);

#endif
