#include "image/unpack/seen.h"

#include <stdlib.h>

#include "base/mem.h"

enum { SEEN_FIRST = 1024 };

static uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void mix(uint64_t v[4], unsigned rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
		v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
	}
}

uint64_t seen_hash(const uint64_t key[2], const void *bytes, size_t len)
{
	uint64_t v[4] = { key[0] ^ UINT64_C(0x736f6d6570736575),
			  key[1] ^ UINT64_C(0x646f72616e646f6d),
			  key[0] ^ UINT64_C(0x6c7967656e657261),
			  key[1] ^ UINT64_C(0x7465646279746573) };
	const unsigned char *at = bytes;
	uint64_t word;

	for (size_t left = len;; left -= 8, at += 8) {
		word = 0;
		for (size_t i = 0; i < 8 && i < left; i++)
			word |= (uint64_t)at[i] << 8 * i;
		if (left < 8)
			break;
		v[3] ^= word, mix(v, 2), v[0] ^= word;
	}
	word |= (uint64_t)len << 56;
	v[3] ^= word, mix(v, 2), v[0] ^= word;
	v[2] ^= 0xff, mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void seen_init(struct seen *s, const uint64_t key[2])
{
	*s = (struct seen){ .key = { key[0], key[1] }, .size = SEEN_FIRST };
	s->slots = mem_zalloc(s->size * sizeof(*s->slots));
}

void seen_done(struct seen *s)
{
	free(s->slots);
	*s = (struct seen){ .slots = NULL };
}

/* The slot that has the hash, or the free one for it. */
static uint64_t *slot_of(const struct seen *s, uint64_t hash)
{
	size_t at = hash & (s->size - 1);

	while (s->slots[at] && s->slots[at] != hash)
		at = (at + 1) & (s->size - 1);
	return &s->slots[at];
}

static uint64_t hash_of(const struct seen *s, const char *path, size_t len)
{
	uint64_t hash = seen_hash(s->key, path, len);

	return hash ? hash : 1;
}

static void grow(struct seen *s)
{
	struct seen bigger = *s;

	bigger.size *= 2;
	bigger.slots = mem_zalloc(bigger.size * sizeof(*bigger.slots));
	for (size_t i = 0; i < s->size; i++)
		if (s->slots[i])
			*slot_of(&bigger, s->slots[i]) = s->slots[i];
	free(s->slots);
	*s = bigger;
}

void seen_add(struct seen *s, const char *path, size_t len)
{
	while (len > 0) {
		uint64_t hash = hash_of(s, path, len);
		uint64_t *slot = slot_of(s, hash);

		if (*slot)
			return; /* and what is above it, too */
		*slot = hash;
		if (++s->used > s->size / 4 * 3)
			grow(s);
		while (len > 0 && path[--len] != '/')
			;
	}
}

bool seen_has(const struct seen *s, const char *path, size_t len)
{
	return *slot_of(s, hash_of(s, path, len)) != 0;
}
