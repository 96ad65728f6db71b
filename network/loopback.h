/* loopback.h - the one interface that a new network namespace has. */
#ifndef HULL_NETWORK_LOOPBACK_H
#define HULL_NETWORK_LOOPBACK_H

#include "base/err.h"

/* Sets `lo` of our network namespace up (netdevice(7)). */
int loopback_up(struct err *e) MUST_CHECK;

#endif
