/*
 * powers.h - for a helper that shuts itself in: it gives up all that its user could do beyond others.
 */
#ifndef HULL_BASE_POWERS_H
#define HULL_BASE_POWERS_H

#include "base/err.h"

/*
 * No capability is left, none can be had by execve(2), nobody without privilege looks into the
 * process, and its memory gets into no core file. Where the bounding set cannot be emptied
 * (CAP_SETPCAP is missing) that is no failure: without new privileges it means nothing.
 */
int powers_give_up(struct err *e) MUST_CHECK;

#endif
