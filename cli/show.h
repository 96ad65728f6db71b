/*
 * show.h - what is known about containers, in the words and layouts of runc.
 */
#ifndef HULL_CLI_SHOW_H
#define HULL_CLI_SHOW_H

#include "base/buf.h"
#include "runtime/container.h"
#include "runtime/state.h"

/* One container, as an indented JSON object; all of them, as an array on one line. */
void show_state(struct buf *b, const struct state *s);
void show_list(struct buf *b, const struct state_list *list);

/* A table with a heading, columns aligned by spaces. */
void show_table(struct buf *b, const struct state_list *list);

/* A JSON array on one line. */
void show_pids(struct buf *b, const struct pid_list *pids);

#endif
