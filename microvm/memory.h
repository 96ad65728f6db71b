/*
 * memory.h - the guest's memory as the VMM sees it.
 *
 * The guest can write to it at any time, from another thread: what is read is
 * copied once and only the copy is looked at. Memory lies below the hole for
 * devices and, what does not fit there, above 4 GiB.
 */
#ifndef HULL_MICROVM_MEMORY_H
#define HULL_MICROVM_MEMORY_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_LOW_MAX UINT64_C(0xc0000000) /* bytes below the hole */
#define MEMORY_HIGH UINT64_C(0x100000000)   /* where the rest begins */

struct memory {
	uint8_t *at;   /* both parts, one behind the other */
	uint64_t size; /* of both */
};

static inline uint64_t memory_low(const struct memory *m)
{
	return m->size < MEMORY_LOW_MAX ? m->size : MEMORY_LOW_MAX;
}

/* Where [address, address + size) of the guest is; NULL unless all of it is one part of its memory. */
static inline void *memory_at(const struct memory *m, uint64_t address, uint64_t size)
{
	uint64_t low = memory_low(m);

	if (address < low && size <= low - address)
		return m->at + address;
	if (address < MEMORY_HIGH)
		return NULL;
	address -= MEMORY_HIGH;
	if (address >= m->size - low || size > m->size - low - address)
		return NULL;
	return m->at + low + address;
}

/* The same of a place of our own, below what the smallest machine has. */
static inline void *memory_own(const struct memory *m, uint64_t address, uint64_t size)
{
	void *at = memory_at(m, address, size);

	assert(at);
	return at;
}

#endif
