/*
 * copy.c - memcpy(3) and memmove(3) for short pieces, which almost all of hull's are: words of JSON,
 * names, paths.
 *
 * musl's memcpy is `rep movsq` for whatever is above 8 bytes, and that takes the processor some 30 ns to
 * begin: a third of what hull's own code took in a `run` (docs/performance.md). Here a piece of up to 32
 * bytes is two loads and then two stores, which overlap where the piece is shorter; so it does not matter
 * either whether the pieces do.
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);

struct two {
	unsigned char bytes[2];
};
struct four {
	unsigned char bytes[4];
};
struct eight {
	unsigned char bytes[8];
};
struct sixteen {
	unsigned char bytes[16];
};

/* Of n bytes the first and the last, all of which lie in the one or the other. */
#define COPY_ENDS(kind, to, from, n)                                                           \
	do {                                                                                   \
		struct kind head = *(const struct kind *)(from);                               \
		struct kind tail = *(const struct kind *)((from) + (n) - sizeof(struct kind)); \
                                                                                               \
		*(struct kind *)(to) = head;                                                   \
		*(struct kind *)((to) + (n) - sizeof(struct kind)) = tail;                     \
	} while (0)

enum { STEP = sizeof(struct sixteen), SHORT_MAX = 2 * STEP };

static inline void copy_short(unsigned char *to, const unsigned char *from, size_t n)
{
	if (n >= sizeof(struct sixteen))
		COPY_ENDS(sixteen, to, from, n);
	else if (n >= sizeof(struct eight))
		COPY_ENDS(eight, to, from, n);
	else if (n >= sizeof(struct four))
		COPY_ENDS(four, to, from, n);
	else if (n >= sizeof(struct two))
		COPY_ENDS(two, to, from, n);
	else if (n)
		*to = *from;
}

/* Right if they overlap and `to` lies before `from`: what a step writes was read by it or before it. */
static inline void copy_up(unsigned char *to, const unsigned char *from, size_t n)
{
	struct sixteen tail = *(const struct sixteen *)(from + n - STEP);

	for (size_t i = 0; i < n - STEP; i += STEP) {
		struct sixteen step = *(const struct sixteen *)(from + i);

		*(struct sixteen *)(to + i) = step;
	}
	*(struct sixteen *)(to + n - STEP) = tail;
}

/* The same where `to` lies behind. */
static inline void copy_down(unsigned char *to, const unsigned char *from, size_t n)
{
	struct sixteen head = *(const struct sixteen *)from;

	for (size_t i = n; i > STEP; i -= STEP) {
		struct sixteen step = *(const struct sixteen *)(from + i - STEP);

		*(struct sixteen *)(to + i - STEP) = step;
	}
	*(struct sixteen *)to = head;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	if (n <= SHORT_MAX)
		copy_short(to, from, n);
	else
		copy_up(to, from, n);
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	if (n <= SHORT_MAX)
		copy_short(to, from, n);
	else if ((uintptr_t)to - (uintptr_t)from >= n) /* before it, or clear of it */
		copy_up(to, from, n);
	else
		copy_down(to, from, n);
	return to;
}
