/*
 * progress.h - how far blobs have come: on a terminal a bar for each that is on its way, and in any case
 * a line for each that has arrived; all of it on standard error.
 *
 *	struct progress p;
 *
 *	progress_begin(&p, quiet);
 *	... progress_tell as struct pull_options' tell, &p as its tell_ctx ...
 *	progress_end(&p);
 */
#ifndef HULL_CLI_PROGRESS_H
#define HULL_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

enum { PROGRESS_BARS = 8, PROGRESS_NAME = 20 };

struct progress {
	bool quiet, terminal;
	unsigned width; /* columns of the terminal */
	struct progress_bar {
		char name[PROGRESS_NAME];
		uint64_t done, size;
	} bars[PROGRESS_BARS];
	unsigned n, drawn; /* bars; and lines of them that are on the terminal */
	int64_t last;      /* when they were drawn, us */
	pid_t watcher;     /* progress_watch() */
};

void progress_begin(struct progress *p, bool quiet);
/* `done` of `size` bytes; all of them: it has arrived. */
void progress_tell(const char *digest, uint64_t done, uint64_t size, void *ctx);
/* Takes the bars away. */
void progress_end(struct progress *p);
#define auto_progress __attribute__((cleanup(progress_end)))

/* Shows how far a regular file was read by whoever shares its descriptor, until progress_end(). */
void progress_watch(struct progress *p, int fd, const char *name);

/* Pure: a line of at most `width` columns, without its end. */
void progress_line(const struct progress_bar *bar, unsigned width, struct buf *ret);

#endif
