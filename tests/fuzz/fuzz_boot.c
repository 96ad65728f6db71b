/*
 * fuzz_boot.c - anything at all as a kernel's image (ELF, bzImage) for a guest, and as the lists of
 * its modules.
 *
 *	fuzz_boot tests/fuzz/corpus-boot
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/util.h"
#include "microvm/boot.h"
#include "microvm/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MIB = 0x100000, RAM = 8 * MIB };

static uint8_t ram[RAM];

static void require(bool truth)
{
	if (!truth)
		abort();
}

static int memory_file(const void *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	require(fd >= 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size);
	return fd;
}

static void load(const uint8_t *data, size_t size)
{
	const struct memory memory = { ram, RAM };
	auto_fd int kernel = memory_file(data, size), initramfs = memory_file("x", 1);
	const struct boot b = { kernel, initramfs, "quiet", 1 };
	struct err e = { 0 };
	uint64_t entry = 0;

	if (boot_load(&b, &memory, &entry, &e) < 0) {
		require(e.code > 0 && e.msg[0] && !strchr(e.msg, '\n'));
		return;
	}
	require(entry < RAM && strcmp((const char *)ram + BOOT_LINE, "quiet") == 0);
}

static void resolve(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	auto_free char *text = mem_zalloc(size + 1);
	struct strings found = { arena_array(&a, KERNEL_MODULES_MAX, sizeof(char *)), 0 };

	memcpy(text, data, size);
	if (kernel_resolve(text, "kernel/fs/fuse/fuse.ko\n", "virtio_net", &a, &found) < 0)
		return;
	require(found.n <= KERNEL_MODULES_MAX);
	for (size_t i = 0; i < found.n; i++)
		require(found.at[i][0] && !strpbrk(found.at[i], ": \n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	load(data, size);
	resolve(data, size);
	return 0;
}
