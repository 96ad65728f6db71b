/*
 * malloc.c - malloc(3) for a program that lives for a millisecond and has one thread.
 *
 * musl's own asks the kernel for memory and gives it back piece by piece, which took a third of the
 * time of a `hull delete`. This one begins with memory that the program has anyway, and keeps what
 * is freed for the next who asks for as much:
 *
 *	up to CLASS_MAX   a piece of the pool, of its class's size; freed: in the class's list
 *	more              a mapping of its own; freed: gone
 *
 * Who lives longer than a millisecond calls malloc_trim(3).
 *
 * Before each piece lies a struct head, under a seal that differs from run to run: what is freed
 * twice, was never allocated, or whose head was overwritten, ends the program at once. (A mapping
 * that is gone is not there to be looked at: freeing it again is a fault as a rule.)
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "compat/musl/missing.h"

enum {
	ALIGN = 16,
	SMALL_MAX = 1024, /* up to here each multiple of ALIGN is a class, then each power of two */
	SMALL_CLASSES = SMALL_MAX / ALIGN,
	CLASSES = SMALL_CLASSES + 6,
	CLASS_MAX = SMALL_MAX << 6,
	POOL_FIRST = 1 << 20, /* more than a run takes; what is not touched costs nothing */
	POOL_NEXT = 1 << 20,
};

struct head {
	uint64_t seal;
	uint64_t size; /* that the piece has room for */
};
_Static_assert(sizeof(struct head) == ALIGN, "what follows it is aligned");

struct freed {
	struct head head;
	struct freed *next;
};

enum { USED = 1, FREED = 2 };

static struct {
	char *at, *end; /* of the pool: what nobody has had yet */
	struct freed *lists[CLASSES];
	uint64_t secret;
} heap;

static _Alignas(ALIGN) char first[POOL_FIRST];

static uint64_t seal_of(const struct head *head, uint64_t state)
{
	return heap.secret ^ (uintptr_t)head ^ head->size * 4 ^ state;
}

static void start(void)
{
	const char *random = (const char *)getauxval(AT_RANDOM);

	memcpy(&heap.secret, random + 8, sizeof(heap.secret));
	heap.at = first;
	heap.end = first + sizeof(first);
}

static unsigned class_of(size_t size)
{
	unsigned class = SMALL_CLASSES;

	if (size <= SMALL_MAX)
		return (unsigned)((size + ALIGN - 1) / ALIGN - 1);
	for (size_t room = SMALL_MAX * 2; room < size; room *= 2)
		class ++;
	return class;
}

static size_t room_of(unsigned class)
{
	return class < SMALL_CLASSES ? (class + 1) * (size_t)ALIGN
				     : (size_t)SMALL_MAX << (class - SMALL_CLASSES + 1);
}

static void *map(size_t size)
{
	void *found = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return found == MAP_FAILED ? NULL : found;
}

/* The rest of the old pool is lost: less than was asked for. */
static char *cut(size_t size)
{
	char *piece;

	if ((size_t)(heap.end - heap.at) < size) {
		piece = map(POOL_NEXT);
		if (!piece)
			return NULL;
		heap.at = piece;
		heap.end = piece + POOL_NEXT;
	}
	piece = heap.at;
	heap.at += size;
	return piece;
}

static void *give(void *piece, size_t room)
{
	struct head *head = piece;

	head->size = room;
	head->seal = seal_of(head, USED);
	return head + 1;
}

static struct head *head_of(void *bytes)
{
	struct head *head = (struct head *)bytes - 1;

	if (head->seal != seal_of(head, USED))
		__builtin_trap();
	return head;
}

/* *fresh: it is zeroed, as the kernel gave it. */
static void *allocate(size_t size, bool *fresh)
{
	struct freed *old;
	unsigned class;
	void *piece;

	if (!heap.at)
		start();
	*fresh = true;
	if (size > CLASS_MAX) {
		piece = size <= PTRDIFF_MAX - ALIGN ? map(size + ALIGN) : NULL;
		return piece ? give(piece, size) : NULL;
	}
	class = class_of(size ? size : 1);
	old = heap.lists[class];
	if (!old) {
		piece = cut(room_of(class) + ALIGN);
		return piece ? give(piece, room_of(class)) : NULL;
	}
	if (old->head.seal != seal_of(&old->head, FREED))
		__builtin_trap();
	heap.lists[class] = old->next;
	*fresh = false;
	return give(old, room_of(class));
}

static void *or_no_memory(void *bytes)
{
	if (!bytes)
		errno = ENOMEM;
	return bytes;
}

void *malloc(size_t size)
{
	bool fresh;

	return or_no_memory(allocate(size, &fresh));
}

void *calloc(size_t n, size_t size)
{
	size_t all;
	bool fresh;
	void *bytes;

	if (__builtin_mul_overflow(n, size, &all))
		return or_no_memory(NULL);
	bytes = or_no_memory(allocate(all, &fresh));
	if (bytes && !fresh)
		memset(bytes, 0, all);
	return bytes;
}

void free(void *bytes)
{
	struct freed *piece;
	unsigned class;

	if (!bytes)
		return;
	piece = (struct freed *)head_of(bytes);
	if (piece->head.size > CLASS_MAX) {
		munmap(piece, piece->head.size + ALIGN);
		return;
	}
	class = class_of(piece->head.size);
	piece->head.seal = seal_of(&piece->head, FREED);
	piece->next = heap.lists[class];
	heap.lists[class] = piece;
}

void *realloc(void *bytes, size_t size)
{
	const struct head *head;
	void *larger;

	if (!bytes)
		return malloc(size);
	head = head_of(bytes);
	if (size <= head->size)
		return bytes;
	larger = malloc(size);
	if (!larger)
		return NULL;
	memcpy(larger, bytes, head->size);
	free(bytes);
	return larger;
}

/* For the C library, which asks for no more than malloc() gives anyway. */
void *aligned_alloc(size_t align, size_t size)
{
	return align <= ALIGN ? malloc(size) : or_no_memory(NULL);
}

/* Pages of which nothing but the insides of freed pieces is left: who gets these finds no seal in there. */
static bool trim(struct freed *piece)
{
	const uintptr_t page = 4096; /* smaller than the kernel's: then nothing is given back */
	uintptr_t begin = ((uintptr_t)(piece + 1) + page - 1) & ~(page - 1);
	uintptr_t end = ((uintptr_t)(&piece->head + 1) + piece->head.size) & ~(page - 1);

	return begin < end && madvise((void *)begin, end - begin, MADV_DONTNEED) == 0;
}

int malloc_trim(size_t keep)
{
	bool any = false;

	(void)keep; /* of what nobody has had yet, nothing is there */
	for (unsigned class = SMALL_CLASSES; class < CLASSES; class ++)
		for (struct freed *piece = heap.lists[class]; piece; piece = piece->next)
			any = trim(piece) || any;
	return any;
}
