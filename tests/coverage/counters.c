/*
 * counters.c - what a build for coverage counts is never lost.
 *
 * gcc's counters are written to a file when a process calls exit(3). Those of hull seldom do:
 * they end by execve(2), _exit(2) or a signal, with another root, as another user, under a
 * filter that lets them open nothing. So here the counters are memory that all processes of one
 * program share: a file, mapped over the variables (counters.ld) before main(). Nothing is
 * written at the end of a process. When all is done, each program is called once more, to leave
 * the sum where gcov looks for it.
 *
 * The file is COVERAGE_DIRECTORY/BUILD-ID. $HULL_COVERAGE says what a program does:
 *
 *	make	makes the file, and ends
 *	dump	writes what the file has in the way of gcov, and ends
 *	(none)	counts, if there is the file
 */
#include <errno.h>
#include <fcntl.h>
#include <gcov.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern char coverage_begin[], coverage_end[];

void __real___gcov_exit(void);
void __wrap___gcov_exit(void);

/* At the end of each process: the linker calls this in place of libgcov's. */
void __wrap___gcov_exit(void)
{
}

static void die(const char *what)
{
	fprintf(stderr, "coverage: %s: %s\n", what, strerror(errno));
	_exit(1);
}

/* A part of the program, if it is the one with the build-id. */
static int note_build_id(uintptr_t base, const ElfW(Phdr) * part, char *ret)
{
	const char *at = (const void *)(base + part->p_vaddr), *end = at + part->p_memsz;

	while (at + sizeof(ElfW(Nhdr)) <= end) {
		const ElfW(Nhdr) *note = (const void *)at;
		const char *name = at + sizeof(*note);
		const unsigned char *id = (const void *)(name + ((note->n_namesz + 3U) & ~3U));

		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof("GNU") &&
		    memcmp(name, "GNU", sizeof("GNU")) == 0) {
			for (unsigned i = 0; i < note->n_descsz; i++)
				ret += sprintf(ret, "%02x", id[i]);
			return 1;
		}
		at = (const char *)id + ((note->n_descsz + 3U) & ~3U);
	}
	return 0;
}

/* The first object that is told of is the program itself. */
static int take_build_id(struct dl_phdr_info *info, size_t size, void *ret)
{
	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE &&
		    note_build_id(info->dlpi_addr, &info->dlpi_phdr[i], ret))
			return 1;
	return 1;
}

static void make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	/* Whatever the umask says: other users count too. No hole: that could meet a full disk. */
	if (fd < 0 || fchmod(fd, 0666) < 0 ||
	    (errno = posix_fallocate(fd, 0, coverage_end - coverage_begin)))
		die(path);
	_exit(0);
}

static int map(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *at = MAP_FAILED;

	if (fd < 0)
		return -1;
	at = mmap(coverage_begin, (size_t)(coverage_end - coverage_begin), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	return at == MAP_FAILED ? -1 : 0;
}

/* Later than gcc's own constructors, which have a priority: they say what there is to dump. */
__attribute__((constructor)) static void begin(void)
{
	const char *order = getenv("HULL_COVERAGE");
	char path[sizeof(COVERAGE_DIRECTORY) + 128] = COVERAGE_DIRECTORY "/";
	int saved = errno;

	dl_iterate_phdr(take_build_id, path + strlen(path));
	if (order && strcmp(order, "make") == 0)
		make(path);
	if (map(path) < 0 && order)
		die(path);
	if (order && strcmp(order, "dump") == 0) {
		__gcov_dump();
		_exit(0);
	}
	errno = saved;
}
