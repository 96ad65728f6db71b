/*
 * seen.h - the set of paths that this layer has made, for whiteouts that must spare them.
 *
 * Holds keyed 64-bit hashes: 16 bytes or so a path, whatever its length, and nobody outside can
 * make two paths meet.
 */
#ifndef HULL_IMAGE_UNPACK_SEEN_H
#define HULL_IMAGE_UNPACK_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen {
	uint64_t key[2];
	uint64_t *slots; /* 0: free */
	size_t size, used;
};

void seen_init(struct seen *s, const uint64_t key[2]);
void seen_done(struct seen *s);
/* Adds the path and all above it. */
void seen_add(struct seen *s, const char *path, size_t len);
bool seen_has(const struct seen *s, const char *path, size_t len);

/* SipHash-2-4. */
uint64_t seen_hash(const uint64_t key[2], const void *bytes, size_t len);

#endif
