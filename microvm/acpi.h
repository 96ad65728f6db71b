/*
 * acpi.h - the tables by which the guest's kernel finds its hardware: hardware-reduced ACPI,
 * one PCI bus, COM1, no 8042.
 */
#ifndef HULL_MICROVM_ACPI_H
#define HULL_MICROVM_ACPI_H

#include "microvm/memory.h"

enum {
	ACPI_ADDRESS = 0xe0000,
	ACPI_SIZE = 0x20000,
	ACPI_RESET_PORT = 0x600,
	ACPI_RESET_VALUE = 0xfe
};

/* Writes them below 1 MiB; returns the address of the RSDP. */
uint64_t acpi_write(const struct memory *m, unsigned cpus);

#endif
