/*
 * turn.h - one of us at a time asks systemd.
 *
 * systemd does one thing after the other, and sends the signals of every job
 * to every connection: of 500 that ask at once none gets its answer in time.
 * So they stand in line, at a lock on a directory of systemd's own that no
 * other user can open, and the time limits of bus.h begin at the head of it.
 * Who is there has those limits, so the line goes on; one who was stopped there
 * (SIGSTOP) is an error of those behind him. Private to cgroups/.
 */
#ifndef HULL_CGROUPS_TURN_H
#define HULL_CGROUPS_TURN_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Waits until it is our turn, with the system's instance or a user's, at most `seconds` (-ETIMEDOUT).
 * Its end is when the descriptor, *ret_turn, is closed; -1: there is no such directory, and no line.
 */
int turn_take(bool user, unsigned seconds, int *ret_turn, struct err *e) MUST_CHECK;

#endif
