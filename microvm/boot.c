#include "microvm/boot.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <zstd.h>

#include "microvm/acpi.h"

enum {
	FIRST_MIB = 0x100000,
	EBDA = 0x9fc00,
	PAGE = 4096,
	SETUP_AT = 0x1f1,
	MAGIC_AT = 0x202,
	ENTRY_64 = 0x200,
	KERNEL_MAX = 256 * 1024 * 1024,
	XLF_KERNEL_64_BIT = 1,
};

struct file {
	const uint8_t *at;
	size_t size;
};

static void unmap(const struct file *f)
{
	if (f->at)
		munmap((void *)f->at, f->size);
}

static int map(int fd, const char *what, struct file *ret, struct err *e)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "read the %s", what);
	if (st.st_size <= 0 || st.st_size > KERNEL_MAX)
		return err_set(e, EINVAL, "the %s has %lld bytes", what, (long long)st.st_size);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_sys(e, "map the %s", what);
	*ret = (struct file){ p, (size_t)st.st_size };
	return 0;
}

static int too_large(struct err *e)
{
	return err_set(e, ENOSPC, "the kernel does not fit into the machine's memory");
}

static int load_elf(const struct file *f, const struct memory *m, uint64_t *entry, uint64_t *end,
		    struct err *e)
{
	Elf64_Ehdr h;

	if (f->size < sizeof(h) || memcmp(f->at, ELFMAG, SELFMAG) != 0)
		return err_set(e, ENOEXEC, "the kernel is neither a bzImage nor an ELF file");
	memcpy(&h, f->at, sizeof(h));
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_machine != EM_X86_64 ||
	    h.e_phentsize != sizeof(Elf64_Phdr) || h.e_phoff > f->size ||
	    h.e_phnum * sizeof(Elf64_Phdr) > f->size - h.e_phoff)
		return err_set(e, ENOEXEC, "the kernel is no ELF file for x86-64");
	for (unsigned i = 0; i < h.e_phnum; i++) {
		Elf64_Phdr p;
		void *to;

		memcpy(&p, f->at + h.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type != PT_LOAD)
			continue;
		if (p.p_offset > f->size || p.p_filesz > f->size - p.p_offset ||
		    p.p_filesz > p.p_memsz || p.p_paddr < FIRST_MIB)
			return err_set(e, ENOEXEC, "the kernel's segment %u is not in its file", i);
		to = memory_at(m, p.p_paddr, p.p_memsz);
		if (!to)
			return too_large(e);
		memcpy(to, f->at + p.p_offset, p.p_filesz);
		if (p.p_paddr + p.p_memsz > *end)
			*end = p.p_paddr + p.p_memsz;
	}
	if (!memory_at(m, h.e_entry, 1))
		return err_set(e, ENOEXEC, "the kernel's entry is not in the machine's memory");
	*entry = h.e_entry;
	return 0;
}

/* The ELF file in a bzImage: 0 if its compression is none of ours. */
static int unpack(const struct file *f, size_t setup_size, const struct setup_header *h,
		  struct file *ret, struct err *e)
{
	size_t at = setup_size + h->payload_offset, size = h->payload_length, n;
	uint32_t unpacked;
	void *to;

	if (h->version < 0x208 || at > f->size || size > f->size - at || size < 8 ||
	    memcmp(f->at + at, "\x28\xb5\x2f\xfd", 4) != 0)
		return 0;
	memcpy(&unpacked, f->at + at + size - 4, sizeof(unpacked));
	if (unpacked > KERNEL_MAX)
		return 0;
	to = mmap(NULL, unpacked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (to == MAP_FAILED)
		return err_sys(e, "unpack the kernel");
	*ret = (struct file){ to, unpacked };
	n = ZSTD_findFrameCompressedSize(f->at + at, size - 4);
	if (ZSTD_isError(n) || ZSTD_isError(ZSTD_decompress(to, unpacked, f->at + at, n)))
		return err_set(e, EINVAL, "the kernel's zstd payload is damaged");
	return 1;
}

static int load_packed(const struct file *f, size_t setup_size, const struct setup_header *h,
		       const struct memory *m, uint64_t *entry, uint64_t *end, struct err *e)
{
	void *to = memory_at(m, FIRST_MIB, f->size - setup_size);

	if (!(h->xloadflags & XLF_KERNEL_64_BIT))
		return err_set(e, ENOEXEC, "the kernel has no 64-bit entry");
	/* It unpacks itself to where it prefers to be. */
	*end = h->pref_address + h->init_size;
	if (!to || h->pref_address > m->size || !memory_at(m, FIRST_MIB, *end))
		return too_large(e);
	memcpy(to, f->at + setup_size, f->size - setup_size);
	*entry = FIRST_MIB + ENTRY_64;
	return 0;
}

static int load_bzimage(const struct file *f, const struct memory *m, struct boot_params *params,
			uint64_t *entry, uint64_t *end, struct err *e)
{
	struct setup_header *h = &params->hdr;
	__attribute__((cleanup(unmap))) struct file elf = { 0 };
	size_t setup_size = (f->at[SETUP_AT] ? f->at[SETUP_AT] + (size_t)1 : 5) * 512;
	int r;

	memcpy(h, f->at + SETUP_AT, sizeof(*h));
	if (setup_size >= f->size)
		return err_set(e, ENOEXEC, "the kernel's file is cut");
	r = unpack(f, setup_size, h, &elf, e);
	TRY(r);
	return r ? load_elf(&elf, m, entry, end, e)
		 : load_packed(f, setup_size, h, m, entry, end, e);
}

static int load_kernel(int fd, const struct memory *m, struct boot_params *params, uint64_t *entry,
		       uint64_t *end, struct err *e)
{
	__attribute__((cleanup(unmap))) struct file f = { 0 };

	TRY(map(fd, "kernel", &f, e));
	if (f.size > 0x1000 && memcmp(f.at + MAGIC_AT, "HdrS", 4) == 0)
		return load_bzimage(&f, m, params, entry, end, e);
	return load_elf(&f, m, entry, end, e);
}

/* At the top of the low memory, where the kernel that unpacks itself does not come. */
static int load_initramfs(int fd, const struct memory *m, struct boot_params *params, uint64_t end,
			  struct err *e)
{
	__attribute__((cleanup(unmap))) struct file f = { 0 };
	uint64_t at;

	TRY(map(fd, "initial file system", &f, e));
	at = memory_low(m) - f.size;
	at -= at % PAGE;
	if (f.size > memory_low(m) || at < end)
		return err_set(e, ENOSPC,
			       "the initial file system does not fit into the machine's memory");
	memcpy(memory_own(m, at, f.size), f.at, f.size);
	params->hdr.ramdisk_image = (uint32_t)at;
	params->hdr.ramdisk_size = (uint32_t)f.size;
	return 0;
}

static void add_range(struct boot_params *p, uint64_t at, uint64_t size, uint32_t type)
{
	struct boot_e820_entry *entry = &p->e820_table[p->e820_entries++];

	entry->addr = at;
	entry->size = size;
	entry->type = type;
}

static void map_memory(struct boot_params *p, const struct memory *m)
{
	enum { RAM = 1, RESERVED = 2 };

	add_range(p, 0, EBDA, RAM);
	add_range(p, ACPI_ADDRESS, ACPI_SIZE, RESERVED);
	add_range(p, FIRST_MIB, memory_low(m) - FIRST_MIB, RAM);
	if (m->size > memory_low(m))
		add_range(p, MEMORY_HIGH, m->size - memory_low(m), RAM);
}

/* Segments and identity pages for the first GiB. */
static void write_tables(const struct memory *m)
{
	enum { PRESENT = 1, WRITABLE = 2, LARGE = 0x80 };
	uint64_t *gdt = memory_own(m, BOOT_GDT, 4 * sizeof(*gdt));
	uint64_t *pml4 = memory_own(m, BOOT_TABLES, (uint64_t)3 * PAGE), *pdpt = pml4 + 512,
		 *pd = pml4 + 1024;

	gdt[BOOT_CS / 8] = 0x00af9b000000ffffULL;
	gdt[BOOT_DS / 8] = 0x00cf93000000ffffULL;
	pml4[0] = (BOOT_TABLES + PAGE) | PRESENT | WRITABLE;
	pdpt[0] = (BOOT_TABLES + 2 * PAGE) | PRESENT | WRITABLE;
	for (uint64_t i = 0; i < 512; i++)
		pd[i] = i << 21 | PRESENT | WRITABLE | LARGE;
}

int boot_load(const struct boot *b, const struct memory *m, uint64_t *ret_entry, struct err *e)
{
	struct boot_params *p = memory_own(m, BOOT_PARAMS, sizeof(*p));
	size_t length = strlen(b->line);
	uint64_t end = 0;

	if (length > BOOT_LINE_MAX)
		return err_set(e, E2BIG, "the kernel's parameters are longer than %d characters",
			       BOOT_LINE_MAX);
	*p = (struct boot_params){ 0 };
	TRY(load_kernel(b->kernel, m, p, ret_entry, &end, e));
	TRY(load_initramfs(b->initramfs, m, p, end, e));
	memcpy(memory_own(m, BOOT_LINE, length + 1), b->line, length + 1);
	p->hdr.type_of_loader = 0xff;
	p->hdr.boot_flag = 0xaa55;
	p->hdr.header = 0x53726448;
	p->hdr.cmd_line_ptr = BOOT_LINE;
	p->hdr.cmdline_size = (uint32_t)length;
	p->hdr.kernel_alignment = 0x1000000;
	p->acpi_rsdp_addr = acpi_write(m, b->cpus);
	map_memory(p, m);
	write_tables(m);
	return 0;
}
