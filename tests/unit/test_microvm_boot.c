/* A kernel's files, whole and damaged, on made-up guest memory; ACPI's tables; COM1. No /dev/kvm. */
#include <asm/bootparam.h>
#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <linux/serial_reg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "base/util.h"
#include "microvm/acpi.h"
#include "microvm/boot.h"
#include "microvm/serial.h"

enum { MIB = 0x100000, RAM = 32 * MIB, SETUP = 512 * 2, FILE_MAX = 0x8000, PAYLOAD = 0x100 };

static uint8_t ram[RAM], file[FILE_MAX];
static const struct memory memory = { ram, RAM };

static int memory_file(const void *bytes, size_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

/* Loads what is in `file`; with an initial file system of that size. */
static int load(size_t size, size_t initramfs, const char *line, uint64_t *entry, struct err *e)
{
	static uint8_t zeros[RAM];
	auto_fd int kernel = memory_file(file, size), other = memory_file(zeros, initramfs);
	const struct boot b = { .kernel = kernel, .initramfs = other, .line = line, .cpus = 2 };

	memset(ram, 0, sizeof(ram));
	*e = (struct err){ 0 };
	*entry = 0;
	return boot_load(&b, &memory, entry, e);
}

/* An ELF file of one segment, "kernel", for 1 MiB. */
static size_t make_elf(uint8_t *to)
{
	const Elf64_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64 },
			       .e_machine = EM_X86_64,
			       .e_phentsize = sizeof(Elf64_Phdr),
			       .e_phoff = sizeof(h),
			       .e_phnum = 2,
			       .e_entry = MIB + 8 };
	const Elf64_Phdr p[] = {
		{ .p_type = PT_NOTE, .p_paddr = 1 },
		{ .p_type = PT_LOAD,
		  .p_offset = 0x200,
		  .p_filesz = 6,
		  .p_memsz = 0x1000,
		  .p_paddr = MIB },
	};

	memset(to, 0, 0x2000);
	memcpy(to, &h, sizeof(h));
	memcpy(to + sizeof(h), p, sizeof(p));
	memcpy(to + 0x200, "kernel", 6);
	return 0x2000;
}

static Elf64_Ehdr *elf(void)
{
	return (Elf64_Ehdr *)file;
}

static Elf64_Phdr *segment(void)
{
	return (Elf64_Phdr *)(file + sizeof(Elf64_Ehdr)) + 1;
}

static const struct boot_params *params(void)
{
	return (const struct boot_params *)(ram + BOOT_PARAMS);
}

Test(boot, an_elf_file_as_it_is)
{
	uint64_t entry;
	struct err e;

	cr_assert_eq(load(make_elf(file), 0x1800, "quiet ro", &entry, &e), 0, "%s", e.msg);
	cr_expect_eq(entry, MIB + 8ULL);
	cr_expect_arr_eq(ram + MIB, "kernel", 6);
	cr_expect_str_eq((char *)ram + BOOT_LINE, "quiet ro");
	cr_expect_eq(params()->hdr.cmd_line_ptr, (uint32_t)BOOT_LINE);
	cr_expect_eq(params()->hdr.ramdisk_image, (uint32_t)(RAM - 0x2000),
		     "whole pages, at the top");
	cr_expect_eq(params()->hdr.ramdisk_size, 0x1800U);
	cr_expect_eq(params()->e820_entries, 3);
	cr_expect_eq(params()->e820_table[2].addr + params()->e820_table[2].size, (uint64_t)RAM);
	cr_expect_eq(params()->acpi_rsdp_addr, (uint64_t)ACPI_ADDRESS);
	/* Identity pages: the second of 2 MiB. */
	cr_expect_eq(*(uint64_t *)(ram + BOOT_TABLES + 0x2008), 0x200083ULL);
}

static void no_magic(void)
{
	file[0] = 'X';
}
static void of_32_bits(void)
{
	file[EI_CLASS] = ELFCLASS32;
}
static void another_machine(void)
{
	elf()->e_machine = EM_AARCH64;
}
static void other_headers(void)
{
	elf()->e_phentsize = 1;
}
static void headers_behind_the_end(void)
{
	elf()->e_phoff = FILE_MAX;
}
static void too_many_headers(void)
{
	elf()->e_phnum = 0xffff;
}
static void segment_behind_the_end(void)
{
	segment()->p_offset = UINT64_MAX;
}
static void segment_too_long(void)
{
	segment()->p_filesz = segment()->p_memsz = 0x10000;
}
static void segment_longer_than_its_memory(void)
{
	segment()->p_memsz = 1;
}
static void segment_on_our_tables(void)
{
	segment()->p_paddr = BOOT_TABLES;
}
static void segment_outside_memory(void)
{
	segment()->p_paddr = RAM;
}
static void segment_that_wraps(void)
{
	segment()->p_memsz = UINT64_MAX;
}

static void entry_outside_memory(void)
{
	elf()->e_entry = RAM;
}

static const struct {
	void (*damage)(void);
	int code;
	const char *says;
} damaged[] = {
	{ no_magic, ENOEXEC, "the kernel is neither a bzImage nor an ELF file" },
	{ of_32_bits, ENOEXEC, "the kernel is no ELF file for x86-64" },
	{ another_machine, ENOEXEC, "the kernel is no ELF file for x86-64" },
	{ other_headers, ENOEXEC, "the kernel is no ELF file for x86-64" },
	{ headers_behind_the_end, ENOEXEC, "the kernel is no ELF file for x86-64" },
	{ too_many_headers, ENOEXEC, "the kernel is no ELF file for x86-64" },
	{ segment_behind_the_end, ENOEXEC, "the kernel's segment 1 is not in its file" },
	{ segment_too_long, ENOEXEC, "the kernel's segment 1 is not in its file" },
	{ segment_longer_than_its_memory, ENOEXEC, "the kernel's segment 1 is not in its file" },
	{ segment_on_our_tables, ENOEXEC, "the kernel's segment 1 is not in its file" },
	{ segment_outside_memory, ENOSPC, "the kernel does not fit into the machine's memory" },
	{ segment_that_wraps, ENOSPC, "the kernel does not fit into the machine's memory" },
	{ entry_outside_memory, ENOEXEC, "the kernel's entry is not in the machine's memory" },
};

Test(boot, a_damaged_elf_file_is_refused)
{
	uint64_t entry;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		size_t size = make_elf(file);

		damaged[i].damage();
		cr_expect_eq(load(size, 1, "", &entry, &e), -damaged[i].code, "row %zu", i);
		cr_expect_str_eq(e.msg, damaged[i].says, "row %zu: %s", i, e.msg);
	}
}

Test(boot, what_does_not_fit_is_refused)
{
	static char line[BOOT_LINE_MAX + 2];
	uint64_t entry;
	struct err e;
	size_t size = make_elf(file);

	memset(line, 'x', sizeof(line) - 1);
	cr_expect_eq(load(size, 1, line, &entry, &e), -E2BIG);
	cr_expect_str_eq(e.msg, "the kernel's parameters are longer than 2047 characters");
	cr_expect_eq(load(size, 0, "", &entry, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "the initial file system has 0 bytes");
	cr_expect_eq(load(0, 1, "", &entry, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "the kernel has 0 bytes");
	cr_expect_eq(load(1, 1, "", &entry, &e), -ENOEXEC);
	/* Down to where the kernel ends, and not further. */
	cr_expect_eq(load(size, RAM - MIB - 0x1000, "", &entry, &e), 0, "%s", e.msg);
	cr_expect_eq(load(size, RAM - MIB, "", &entry, &e), -ENOSPC);
	cr_expect_str_eq(e.msg, "the initial file system does not fit into the machine's memory");
}

static struct setup_header *setup(void)
{
	return (struct setup_header *)(file + 0x1f1);
}

/* A bzImage with this payload behind its setup. */
static size_t make_bzimage(const void *payload, size_t size)
{
	memset(file, 0, sizeof(file));
	file[0x1f1] = SETUP / 512 - 1;
	memcpy(&setup()->header, "HdrS", 4);
	setup()->version = 0x20f;
	setup()->xloadflags = 1;
	setup()->pref_address = MIB;
	setup()->init_size = 4 * MIB;
	setup()->payload_offset = PAYLOAD;
	setup()->payload_length = (uint32_t)size;
	memcpy(file + SETUP + PAYLOAD, payload, size);
	return 0x4000;
}

Test(boot, a_bzimage_that_unpacks_itself)
{
	uint64_t entry;
	struct err e;
	size_t size = make_bzimage("gzip, perhaps", 13);

	cr_assert_eq(load(size, 1, "", &entry, &e), 0, "%s", e.msg);
	cr_expect_eq(entry, MIB + 0x200ULL);
	cr_expect_arr_eq(ram + MIB + PAYLOAD, "gzip, perhaps", 13);
	setup()->xloadflags = 0;
	cr_expect_eq(load(size, 1, "", &entry, &e), -ENOEXEC);
	cr_expect_str_eq(e.msg, "the kernel has no 64-bit entry");
	setup()->xloadflags = 1;
	setup()->init_size = RAM;
	cr_expect_eq(load(size, 1, "", &entry, &e), -ENOSPC);
	/* Their sum would be 4096. */
	setup()->pref_address = UINT64_MAX - 0xfff;
	setup()->init_size = 0x2000;
	cr_expect_eq(load(size, 1, "", &entry, &e), -ENOSPC);
	cr_expect_str_eq(e.msg, "the kernel does not fit into the machine's memory");
	file[0x1f1] = 200;
	cr_expect_eq(load(size, 1, "", &entry, &e), -ENOEXEC);
	cr_expect_str_eq(e.msg, "the kernel's file is cut");
}

Test(boot, a_bzimage_that_we_unpack)
{
	static uint8_t plain[0x2000], packed[0x3000];
	uint32_t plain_size = (uint32_t)make_elf(plain);
	uint64_t entry;
	struct err e;
	size_t n = ZSTD_compress(packed, sizeof(packed), plain, plain_size, 1), size;

	cr_assert_not(ZSTD_isError(n));
	memcpy(packed + n, &plain_size, sizeof(plain_size));
	size = make_bzimage(packed, n + sizeof(plain_size));
	cr_assert_eq(load(size, 1, "", &entry, &e), 0, "%s", e.msg);
	cr_expect_eq(entry, MIB + 8ULL);
	cr_expect_arr_eq(ram + MIB, "kernel", 6);

	file[SETUP + PAYLOAD + n / 2] ^= 0xff;
	file[SETUP + PAYLOAD + n / 2 + 1] ^= 0xff;
	file[SETUP + PAYLOAD + 4] ^= 0xff;
	cr_expect_eq(load(size, 1, "", &entry, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "the kernel's zstd payload is damaged");
	/* A length that is none of ours: it shall unpack itself. */
	setup()->payload_length = 0x10000;
	cr_expect_eq(load(size, 1, "", &entry, &e), 0, "%s", e.msg);
	cr_expect_eq(entry, MIB + 0x200ULL);
}

static uint8_t sum(uint64_t at, size_t size)
{
	uint8_t ret = 0;

	for (size_t i = 0; i < size; i++)
		ret = (uint8_t)(ret + ram[at + i]);
	return ret;
}

static uint32_t length_of(uint64_t table)
{
	uint32_t ret;

	memcpy(&ret, ram + table + 4, sizeof(ret));
	return ret;
}

static uint64_t address_at(uint64_t at)
{
	uint64_t ret;

	memcpy(&ret, ram + at, sizeof(ret));
	return ret;
}

Test(acpi, tables_that_are_found_and_add_up)
{
	uint64_t rsdp, xsdt, fadt, madt;

	memset(ram, 0, sizeof(ram));
	rsdp = acpi_write(&memory, 3);
	cr_expect_arr_eq(ram + rsdp, "RSD PTR ", 8);
	cr_expect_eq(sum(rsdp, 20), 0);
	cr_expect_eq(sum(rsdp, 36), 0);
	xsdt = address_at(rsdp + 24);
	fadt = address_at(xsdt + 36);
	madt = address_at(xsdt + 44);
	cr_expect_arr_eq(ram + xsdt, "XSDT", 4);
	cr_expect_arr_eq(ram + fadt, "FACP", 4);
	cr_expect_arr_eq(ram + madt, "APIC", 4);
	cr_expect_arr_eq(ram + address_at(fadt + 140), "DSDT", 4);
	cr_expect_eq(sum(xsdt, length_of(xsdt)), 0);
	cr_expect_eq(sum(fadt, length_of(fadt)), 0);
	cr_expect_eq(sum(madt, length_of(madt)), 0);
	cr_expect_eq(length_of(madt), 36U + 8U + 3U * 8U + 12U, "three CPUs and an IOAPIC");
	cr_expect_leq(madt + length_of(madt), (uint64_t)ACPI_ADDRESS + ACPI_SIZE);
}

static void take_line(void *ctx, bool high)
{
	*(bool *)ctx = high;
}

static uint8_t get(struct serial *s, unsigned reg)
{
	uint8_t ret = 0xaa;

	serial_read(s, reg, &ret);
	return ret;
}

Test(serial, registers_and_the_interrupt_of_an_empty_transmitter)
{
	bool line = false;
	struct serial s = { .set_line = take_line, .ctx = &line };

	cr_expect_eq(get(&s, UART_LSR), UART_LSR_TEMT | UART_LSR_THRE);
	cr_expect_eq(get(&s, UART_MSR), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
	cr_expect_eq(get(&s, UART_RX), 0);
	/* The divisor is behind the same ports. */
	serial_write(&s, UART_LCR, UART_LCR_DLAB);
	serial_write(&s, UART_DLL, 1);
	serial_write(&s, UART_DLM, 2);
	cr_expect_eq(get(&s, UART_DLL), 1);
	cr_expect_eq(get(&s, UART_DLM), 2);
	cr_expect_eq(get(&s, UART_LCR), UART_LCR_DLAB);
	serial_write(&s, UART_LCR, 3);
	serial_write(&s, UART_SCR, 0x5a);
	cr_expect_eq(get(&s, UART_SCR), 0x5a);

	cr_expect_not(line);
	serial_write(&s, UART_IER, UART_IER_THRI);
	cr_expect(line, "it is empty, and may say so");
	cr_expect_eq(get(&s, UART_IER), UART_IER_THRI);
	serial_write(&s, UART_FCR, UART_FCR_ENABLE_FIFO);
	cr_expect_eq(get(&s, UART_IIR), 0xc0 | UART_IIR_THRI);
	cr_expect_not(line, "that was told");
	cr_expect_eq(get(&s, UART_IIR), 0xc0 | UART_IIR_NO_INT);
	serial_write(&s, UART_TX, 'x');
	cr_expect(line);

	/* Looped back, nothing goes out, and the modem's lines are ours. */
	serial_write(&s, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS | UART_MCR_DTR);
	cr_expect_eq(get(&s, UART_MSR), UART_MSR_DCD | UART_MSR_CTS | UART_MSR_DSR);
	cr_expect_eq(get(&s, UART_MCR),
		     UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS | UART_MCR_DTR);
	serial_write(&s, UART_TX, 'y');
	cr_expect_str_eq(serial_last(&s, 0), "x");
	serial_write(&s, 77, 1);
}
