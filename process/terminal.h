/*
 * terminal.h - the terminal of the person in front of a foreground command.
 */
#ifndef HULL_PROCESS_TERMINAL_H
#define HULL_PROCESS_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

#include "base/err.h"

/* How a terminal was before we changed it. */
struct terminal {
	int fd; /* borrowed; -1: nothing to restore */
	struct termios before;
};

/* clang-format off */
#define TERMINAL_NONE { .fd = -1 }
/* clang-format on */

/* Passes every key on as it is, until terminal_restore(). A second call only does it again. */
int terminal_raw(int fd, struct terminal *t, struct err *e) MUST_CHECK;

/* Sets the modes that the first terminal_raw() found; does nothing the next time. */
void terminal_restore(struct terminal *t);

#define auto_terminal __attribute__((cleanup(terminal_restore)))

/* The first of our standard streams that is a terminal, -1 without one. */
int terminal_of_person(void);

/* Gives `to` the rows and columns of `from`, unless those are unknown. 0 or a negative errno. */
int terminal_copy_size(int from, int to);

/* Writes newlines of the program as they are (for output that goes to no terminal). */
int terminal_plain_newlines(int fd);

#endif
