/* util.h - the few macros that every file may use. Depends on libc only. */
#ifndef HULL_BASE_UTIL_H
#define HULL_BASE_UTIL_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* Of a function for what seldom happens: what leads to its calls lies apart from what mostly runs. */
#define COLD __attribute__((cold))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))

/*
 * TRY(call) - leave the function when `call` failed, handing its negative
 * errno on. The only macro in the tree that hides a return; safe because
 * everything a function owns is released by a cleanup attribute.
 */
#define TRY(call)                      \
	do {                           \
		int try_r_ = (call);   \
		if (try_r_ < 0)        \
			return try_r_; \
	} while (0)

static inline void cleanup_free_(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fd_(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define auto_free __attribute__((cleanup(cleanup_free_)))
#define auto_fd __attribute__((cleanup(cleanup_fd_)))

/* take_fd(&fd) - hand the descriptor to a new owner; `fd` keeps nothing. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* close_fd(&fd) - close it now, if it is open; `fd` keeps nothing. */
static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* take_ptr(&p) - hand the memory to a new owner; `p` keeps nothing. */
#define take_ptr(p)                                 \
	__extension__({                             \
		__typeof__(*(p)) taken_ptr_ = *(p); \
		*(p) = NULL;                        \
		taken_ptr_;                         \
	})

#endif
