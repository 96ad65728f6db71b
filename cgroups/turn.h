/*
 * turn.h - one of us at a time asks systemd.
 *
 * systemd does one thing after the other, and sends the signals of every job
 * to every connection: of 500 that ask at once none gets its answer in time.
 * So they stand in line, at a lock on a directory of systemd's own that no
 * other user can open, and the time limits of bus.h begin at the head of it.
 * Who is there has those limits, so the line goes on. Private to cgroups/.
 */
#ifndef HULL_CGROUPS_TURN_H
#define HULL_CGROUPS_TURN_H

#include <stdbool.h>

/*
 * Waits until it is our turn, with the system's instance or a user's; its end is
 * when the descriptor is closed. -1: there is no such directory, and no line.
 */
int turn_take(bool user);

#endif
