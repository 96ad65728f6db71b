/*
 * sweep.h - what killed processes left, taken away: called where the store is tidied up.
 *
 *	containers/ID   without a record and without somebody who makes it (record_list())
 *	pins/ID, names/NAME   that lead to no containers/ID
 *	load-*          of an archive that nobody reads any more: nobody holds flock(2) on it
 *
 * Failures are told to hull's log: the next one tries again.
 */
#ifndef HULL_ENGINE_SWEEP_H
#define HULL_ENGINE_SWEEP_H

#include "engine/engine.h"

#define SWEEP_LOAD_PREFIX "load-"

/* Pins, names and containers; before what is not needed is collected. */
void sweep_containers(const struct engine *g);
/* Archives; as root of the user namespace, where there is one. */
void sweep_archives(const struct engine *g);

#endif
