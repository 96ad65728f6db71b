/*
 * log.h - what happens on the way, for the person who looks into it later.
 *
 * Lines go to --log FILE, or to standard error without one, as text or as the
 * JSON objects that engines decode ({"level","msg","time"}). Each line is one
 * write(2), so lines of several processes never mix, and it works after
 * clone(). Failures are not logged where they happen: they travel as struct
 * err, and cli/ reports them once.
 *
 * The settings are the one mutable global of the tree.
 */
#ifndef HULL_BASE_LOG_H
#define HULL_BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_TRACE
};
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_settings {
	enum log_level level; /* lines above it are dropped */
	enum log_format format;
	const char *path; /* NULL: standard error */
};

/* Opens (appends to, mode 0600 if made) the log. */
int log_open(const struct log_settings *settings, struct err *e) MUST_CHECK;
/* The same by a descriptor that a program was started with; -1: standard error. It is kept. */
void log_settings_read(struct log_settings *ret); /* but for the path */
void log_adopt(int fd, enum log_level level, enum log_format format);
bool log_wants(enum log_level level);
bool log_to_file(void);
/* The descriptor of --log, -1 without it: for those who close all others. */
int log_fd(void);
/* "error", "warn", "warning", "info", "debug", "trace"; -EINVAL for anything else. */
int log_level_parse(const char *name, enum log_level *ret) MUST_CHECK;

void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_trace(...)                                          \
	do {                                                    \
		if (log_wants(LOG_LEVEL_TRACE))                 \
			log_line(LOG_LEVEL_TRACE, __VA_ARGS__); \
	} while (0)

#endif
