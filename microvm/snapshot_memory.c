/* snapshot_memory.c - see snapshot.h: the guest's memory as a file. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "microvm/snapshot.h"

enum { PAGE = 4096 };

static bool is_zeros(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
}

static int write_at(int fd, const uint8_t *at, uint64_t size, uint64_t offset, struct err *e)
{
	while (size) {
		ssize_t n = pwrite(fd, at, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "write the memory of the microVM");
		at += n;
		size -= (uint64_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int memory_save(const struct memory *m, int fd, struct err *e)
{
	uint64_t at = 0;

	while (at < m->size) {
		uint64_t end = at;

		while (end < m->size && !is_zeros(m->at + end))
			end += PAGE;
		TRY(write_at(fd, m->at + at, end - at, at, e));
		for (at = end; at < m->size && is_zeros(m->at + at);)
			at += PAGE;
	}
	return ftruncate(fd, (off_t)m->size) < 0 ? err_sys(e, "write the memory of the microVM")
						 : 0;
}

int memory_load(int fd, uint64_t size, struct memory *ret, struct err *e)
{
	struct stat st;
	void *at;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "look at the memory of the microVM");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
		return err_set(e, EPROTO,
			       "the memory of the microVM is no file of %llu bytes, but %s of %llu",
			       (unsigned long long)size, S_ISREG(st.st_mode) ? "one" : "something",
			       (unsigned long long)st.st_size);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
	if (at == MAP_FAILED)
		return err_sys(e, "map the memory of the microVM");
	*ret = (struct memory){ at, size };
	return 0;
}
