#include "microvm/acpi.h"

#include <string.h>

#include "microvm/dsdt.h"

enum { FADT_SIZE = 276, HEADER = 36 };

static void checksum(uint8_t *table, size_t size, size_t at)
{
	uint8_t sum = 0;

	table[at] = 0;
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + table[i]);
	table[at] = (uint8_t)-sum;
}

static uint8_t *header(uint8_t *table, const char *name, uint32_t size, uint8_t revision)
{
	memset(table, 0, size);
	memcpy(table, name, 4);
	memcpy(table + 4, &size, sizeof(size));
	table[8] = revision;
	memcpy(table + 10, "HULL  HULLVM  ", 14);
	memcpy(table + 28, "HULL", 4);
	return table + HEADER;
}

static void write_fadt(uint8_t *t, uint64_t dsdt)
{
	/* HW_REDUCED, RESET_REG_SUP, no sleep and no power button */
	const uint32_t flags = 1U << 20 | 1U << 10 | 1U << 5 | 1U << 4;
	/* neither VGA, ASPM, CMOS clock nor 8042: probing for that one takes a second */
	const uint16_t boot = 1U << 2 | 1U << 4 | 1U << 5;
	const uint8_t reset[] = { 1, 8, 0, 1, ACPI_RESET_PORT & 0xff, ACPI_RESET_PORT >> 8 };

	header(t, "FACP", FADT_SIZE, 6);
	memcpy(t + 109, &boot, sizeof(boot));
	memcpy(t + 112, &flags, sizeof(flags));
	memcpy(t + 116, reset, sizeof(reset));
	t[128] = ACPI_RESET_VALUE;
	t[131] = 5; /* minor version */
	memcpy(t + 140, &dsdt, sizeof(dsdt));
	memcpy(t + 268, "HULLVMM", 8);
	checksum(t, FADT_SIZE, 9);
}

static size_t write_madt(uint8_t *t, unsigned cpus)
{
	uint32_t size = HEADER + 8 + 8 * cpus + 12, lapic = 0xfee00000;
	uint8_t *p = header(t, "APIC", size, 5);
	const uint8_t ioapic[12] = { 1, 12, (uint8_t)cpus, 0, 0, 0, 0xc0, 0xfe };

	memcpy(p, &lapic, sizeof(lapic));
	p += 8;
	for (unsigned i = 0; i < cpus; i++, p += 8) {
		const uint8_t cpu[8] = { 0, 8, (uint8_t)i, (uint8_t)i, 1 };

		memcpy(p, cpu, sizeof(cpu));
	}
	memcpy(p, ioapic, sizeof(ioapic));
	checksum(t, size, 9);
	return size;
}

static uint64_t align(uint64_t address)
{
	return (address + 63) & ~UINT64_C(63);
}

uint64_t acpi_write(const struct memory *m, unsigned cpus)
{
	uint64_t dsdt = ACPI_ADDRESS + 64, fadt = align(dsdt + sizeof(dsdt_code)),
		 madt = align(fadt + FADT_SIZE), xsdt;
	uint8_t *rsdp = memory_own(m, ACPI_ADDRESS, ACPI_SIZE), *p;
	uint32_t rsdp_size = 36;

	memcpy(rsdp + (dsdt - ACPI_ADDRESS), dsdt_code, sizeof(dsdt_code));
	write_fadt(rsdp + (fadt - ACPI_ADDRESS), dsdt);
	xsdt = align(madt + write_madt(rsdp + (madt - ACPI_ADDRESS), cpus));
	p = header(rsdp + (xsdt - ACPI_ADDRESS), "XSDT", HEADER + 16, 1);
	memcpy(p, &fadt, sizeof(fadt));
	memcpy(p + 8, &madt, sizeof(madt));
	checksum(rsdp + (xsdt - ACPI_ADDRESS), HEADER + 16, 9);

	memset(rsdp, 0, rsdp_size);
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "HULL  ", 6);
	rsdp[15] = 2;
	memcpy(rsdp + 20, &rsdp_size, sizeof(rsdp_size));
	memcpy(rsdp + 24, &xsdt, sizeof(xsdt));
	checksum(rsdp, 20, 8);
	checksum(rsdp, rsdp_size, 32);
	return ACPI_ADDRESS;
}
