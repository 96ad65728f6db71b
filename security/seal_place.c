#include "security/seal_place.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/prctl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/util.h"

/* Where the program's headers lie in memory. */
struct program {
	uintptr_t base;
	const ElfW(Phdr) * parts;
	unsigned n;
};

/* Whole pages. */
struct range {
	uintptr_t begin, end;
};

static uintptr_t page_down(uintptr_t at)
{
	return at & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
}

static uintptr_t page_up(uintptr_t at)
{
	return page_down(at + (uintptr_t)sysconf(_SC_PAGESIZE) - 1);
}

/* The first object that is told of is the program itself. */
static int take_first(struct dl_phdr_info *info, size_t size UNUSED, void *ctx)
{
	struct program *ret = ctx;

	*ret = (struct program){ info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum };
	return 1;
}

static struct range range_of(const struct program *p, const ElfW(Phdr) * part)
{
	return (struct range){ page_down(p->base + part->p_vaddr),
			       page_up(p->base + part->p_vaddr + part->p_filesz) };
}

static int map_again(struct range r, const ElfW(Phdr) * part, int file, struct err *e)
{
	int prot = PROT_READ | (part->p_flags & PF_X ? PROT_EXEC : 0);

	if (mmap((void *)r.begin, r.end - r.begin, prot, MAP_PRIVATE | MAP_FIXED, file,
		 (off_t)page_down(part->p_offset)) == MAP_FAILED)
		return err_sys(e, "map this program again");
	return 0;
}

/*
 * Whole pages, with what lies between the variables in them: that is nobody's, and the address
 * sanitizer, which has memcpy(3) as well, says so. Volatile keeps this a loop.
 */
__attribute__((no_sanitize("address"))) static void copy_pages(void *to, uintptr_t from,
							       size_t size)
{
	const volatile unsigned long *source = (const void *)from;
	unsigned long *target = to;

	for (size_t i = 0; i < size / sizeof(*target); i++)
		target[i] = source[i];
}

/* Between the copy and the move there is no place for a write to the program's own data. */
static int copy_data(struct range r, struct err *e)
{
	size_t size = r.end - r.begin;
	void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (copy == MAP_FAILED)
		return err_sys(e, "make room for this program's data");
	copy_pages(copy, r.begin, size);
	if (mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)r.begin) ==
	    MAP_FAILED) {
		err_sys(e, "move this program's data");
		munmap(copy, size);
		return -e->code;
	}
	return 0;
}

/* What the dynamic linker had made read-only is so again. */
static int protect_data(const struct program *p, struct err *e)
{
	for (unsigned i = 0; i < p->n; i++) {
		const ElfW(Phdr) *part = &p->parts[i];
		uintptr_t begin = page_down(p->base + part->p_vaddr);
		uintptr_t end = page_down(p->base + part->p_vaddr + part->p_memsz);

		if (part->p_type != PT_GNU_RELRO || begin >= end)
			continue;
		if (mprotect((void *)begin, end - begin, PROT_READ) < 0)
			return err_sys(e, "protect this program's constants");
	}
	return 0;
}

static int leave_file(const struct program *p, int file, struct err *e)
{
	for (unsigned i = 0; i < p->n; i++) {
		const ElfW(Phdr) *part = &p->parts[i];
		struct range r = range_of(p, part);

		if (part->p_type != PT_LOAD || part->p_filesz == 0)
			continue;
		if (part->p_flags & PF_W)
			TRY(copy_data(r, e));
		else
			TRY(map_again(r, part, file, e));
	}
	return protect_data(p, e);
}

/* This program by another path: a mount that is in no namespace, and read-only. */
static int open_aside(struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };
	auto_fd int tree =
		open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	char path[32];
	int fd;

	if (tree < 0)
		return err_sys(e, "make a mount of this program");
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "make a mount of this program read-only");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", tree);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open this program by a mount of its own") : fd;
}

/* What /proc/PID/stat has of prctl_mm_map, by the number of the field (proc(5)). */
static const struct map_row {
	unsigned field;
	size_t offset;
} map_rows[] = {
	{ 26, offsetof(struct prctl_mm_map, start_code) },
	{ 27, offsetof(struct prctl_mm_map, end_code) },
	{ 28, offsetof(struct prctl_mm_map, start_stack) },
	{ 45, offsetof(struct prctl_mm_map, start_data) },
	{ 46, offsetof(struct prctl_mm_map, end_data) },
	{ 47, offsetof(struct prctl_mm_map, start_brk) },
	{ 48, offsetof(struct prctl_mm_map, arg_start) },
	{ 49, offsetof(struct prctl_mm_map, arg_end) },
	{ 50, offsetof(struct prctl_mm_map, env_start) },
	{ 51, offsetof(struct prctl_mm_map, env_end) },
};

/* PR_SET_MM_MAP sets all at once, so we have to know what it is. */
static int read_map(struct prctl_mm_map *ret, struct err *e)
{
	struct prctl_mm_map map = { 0 };
	char text[1024];
	const char *at;
	unsigned field = 2;
	int r = io_read_value(AT_FDCWD, "/proc/self/stat", text, sizeof(text));

	if (r < 0)
		return err_neg(e, r, "read /proc/self/stat");
	at = strrchr(text, ')'); /* the end of field 2, which may hold anything */
	for (size_t i = 0; i < ARRAY_LEN(map_rows); i++) {
		while (at && field < map_rows[i].field) {
			at = strchr(at + 1, ' ');
			field++;
		}
		if (!at)
			return err_set(e, EIO, "read /proc/self/stat: it has too few fields");
		*(__u64 *)((char *)&map + map_rows[i].offset) = strtoull(at + 1, NULL, 10);
	}
	*ret = map;
	return 0;
}

static int name_executable(int exe, struct err *e)
{
	struct prctl_mm_map map;

	/* For who has CAP_SYS_RESOURCE. The other is for CAP_SYS_ADMIN, where it is compiled in. */
	if (prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, (unsigned long)exe, 0, 0) == 0)
		return 0;
	TRY(read_map(&map, e));
	map.exe_fd = (uint32_t)exe;
	map.brk = (uintptr_t)sbrk(0);
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) < 0)
		return err_sys(e, "replace /proc/self/exe");
	return 0;
}

int seal_in_place(int exe, struct err *e)
{
	struct program program = { 0 };
	auto_fd int file = open_aside(e);

	TRY(file);
	dl_iterate_phdr(take_first, &program);
	TRY(leave_file(&program, file, e));
	return name_executable(exe, e);
}
