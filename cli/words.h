/* words.h - times, sizes and states as people read them, in Docker's words. Pure. */
#ifndef HULL_CLI_WORDS_H
#define HULL_CLI_WORDS_H

#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "engine/containers.h"

/* "About a minute" of a time span; what is negative is none yet. */
const char *words_duration(int64_t seconds, struct arena *a);

/* "2 hours ago" of a date (when.h); of anything else nothing. */
const char *words_ago(const char *text, time_t now, struct arena *a);

/* "2026-01-31 12:00:00 +0000 UTC" of such a text, in the time zone here; of anything else nothing. */
const char *words_date(const char *text, struct arena *a);

/* At most `width` characters, of which the last one says that there were more. */
const char *words_shorten(const char *text, size_t width, struct arena *a);

/* "12.3MB" */
const char *words_size(uint64_t bytes, struct arena *a);

/* "Up 3 minutes (healthy)" */
const char *words_status(const struct container_view *v, time_t now, struct arena *a);

#endif
