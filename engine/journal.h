/*
 * journal.h - --log-driver journald: what a container wrote, in the journal of systemd.
 *
 * Lines are sent by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/), with the
 * fields that Docker's driver has. They are read back by journalctl(1): the format of the journal's
 * files is its own affair.
 */
#ifndef HULL_ENGINE_JOURNAL_H
#define HULL_ENGINE_JOURNAL_H

#include <stdbool.h>

#include "base/buf.h"
#include "engine/logs.h"
#include "engine/record.h"

/* Of its PRIORITY field. */
enum { JOURNAL_ERR = 3, JOURNAL_INFO = 6 };

struct journal {
	int sock;
	struct buf fields; /* those that all lines of the container have */
	bool failing;      /* that was told */
};

/* clang-format off */
#define JOURNAL_CLOSED { .sock = -1 }
/* clang-format on */

/* Whether the journal listens is looked at now. */
int journal_open(const struct record *r, struct journal *ret, struct err *e) MUST_CHECK;
void journal_close(struct journal *j);

/* One line, without its newline; `partial`: more of it follows. Failures are told to hull's log, once in a row. */
void journal_send(struct journal *j, bool is_stderr, const char *text, size_t len, bool partial);

/* Pure: adds a field in the form that may hold any bytes. */
void journal_field(struct buf *to, const char *name, const char *value, size_t len);

/* "{{.Name}}/{{.ID}}" of --log-opt tag. -EINVAL: another field. */
int journal_tag(const struct record *r, struct arena *a, const char **ret, struct err *e)
	MUST_CHECK;

/* As log_read(), of the container `id` whose directory is `dir`. Needs journalctl. */
int journal_read(int dir, const char *id, const struct log_query *q,
		 int (*tell)(const struct log_line *l, void *ctx), void *ctx, struct err *e)
	MUST_CHECK;

#endif
