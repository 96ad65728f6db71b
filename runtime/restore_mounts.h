/*
 * restore_mounts.h - what a restore's helper mounts for CRIU, in a mount namespace of its own.
 *
 *	restore_mounts_prepare()       the root is where CRIU takes it from
 *	restore_mounts_make_places()   what the configuration mounts on is there
 *	restore_mounts_name()          what comes from the host, by the names that the checkpoint has
 */
#ifndef HULL_RUNTIME_RESTORE_MOUNTS_H
#define HULL_RUNTIME_RESTORE_MOUNTS_H

#include "runtime/creation.h"
#include "runtime/criu.h"

int restore_mounts_prepare(const struct creation *c, struct err *e) MUST_CHECK;
/* The root can be another than that of the checkpoint, and CRIU makes nothing in it. */
int restore_mounts_make_places(const struct creation *c, struct arena *a, struct err *e) MUST_CHECK;
int restore_mounts_name(const struct creation *c, struct criu *criu, struct arena *a, struct err *e)
	MUST_CHECK;

#endif
