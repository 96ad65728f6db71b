/*
 * logs.h - what a container wrote, as Docker's json-file: a JSON object a line,
 * {"log": TEXT, "stream": "stdout" | "stderr", "time": RFC 3339}.
 */
#ifndef HULL_ENGINE_LOGS_H
#define HULL_ENGINE_LOGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define LOG_FILE "log.jsonl"

/* A line without an end yet. */
struct log_stream {
	const char *name;
	struct buf line;
};

struct journal;

struct log_writer {
	struct journal *journal; /* lines go there, and to no file; NULL */
	int dir, fd;             /* the container's directory; the open file, -1: nothing is kept */
	uint64_t size, max_size; /* bytes; 0: no limit */
	uint32_t max_files;      /* with a limit: log.jsonl, log.jsonl.1, ... */
};

int log_writer_open(int dir, uint64_t max_size, uint32_t max_files, struct log_writer *ret,
		    struct err *e) MUST_CHECK;
/* To the journal, which is the caller's, instead of a file. */
void log_writer_to_journal(struct journal *j, struct log_writer *ret);
/* Takes bytes in; whole lines (or 16 KiB of one) go to the file. Failures are told once, to the log of hull. */
void log_write(struct log_writer *w, struct log_stream *s, const void *bytes, size_t len);
/* What is left without a newline. */
void log_flush(struct log_writer *w, struct log_stream *s);
void log_writer_close(struct log_writer *w);

struct log_line {
	const char *text; /* with its newline, if it had one */
	size_t len;
	bool is_stderr;
	const char *time;
};
struct log_query {
	int64_t tail;              /* the last so many lines; -1: all */
	const char *since, *until; /* RFC 3339 prefixes to compare with; NULL */
	bool follow;
};

/*
 * Calls `tell` for each line that was asked for; a non-zero answer ends it.
 * With `follow` it goes on until nobody keeps the container of `dir` any more.
 */
int log_read(int dir, const struct log_query *q, int (*tell)(const struct log_line *l, void *ctx),
	     void *ctx, struct err *e) MUST_CHECK;

#endif
