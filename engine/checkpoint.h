/*
 * checkpoint.h - containers that are put into files while they run, and go on from there.
 *
 *	DIR/checkpoint      CRIU's files, whole, and networks.json: the addresses that it had
 *	DIR/checkpoint.new  the same while they are written
 *	DIR/checkpoint.log  CRIU's logs; of a success only with --keep
 *	DIR/checkpointing   flock(2): held by who writes a checkpoint; the keeper asks, when its container
 *	                    has ended, whether a checkpoint was why
 *
 * DIR is the container's. Its upper directory and volumes are no part of a checkpoint: what it goes on
 * with is what they are by then, so to start it anew is to give the checkpoint up.
 */
#ifndef HULL_ENGINE_CHECKPOINT_H
#define HULL_ENGINE_CHECKPOINT_H

#include "engine/containers.h"
#include "engine/joins.h"

struct checkpoint_wish {
	const char *file; /* an archive to be written too (checkpoint_archive.h); NULL: none */
	bool leave_running, keep; /* keep: CRIU's logs too */
	bool tcp_established, file_locks;
};

struct restore_wish {
	bool keep; /* the checkpoint and CRIU's logs, so that it can go on from there once more */
	bool tcp_established, tcp_close, file_locks;
	bool other_ip, other_mac; /* than it had */
};

/* Of a container that runs or is paused, and has a keeper of its own. Unless it is left running it has stopped then. */
int engine_checkpoint(const struct engine *g, const char *who, const struct checkpoint_wish *w,
		      struct err *e) MUST_CHECK;

/* Lets one that does not run go on from its checkpoint, detached. What fails leaves it as it was. */
int engine_restore(const struct engine *g, const char *who, const struct restore_wish *w,
		   struct err *e) MUST_CHECK;

/*
 * The same of a new container that an archive is made to be, called `name`; NULL: as it was. What fails
 * leaves none. Its name comes back in *ret_name, in *a.
 */
int engine_restore_archive(const struct engine *g, const char *file, const char *name,
			   const struct restore_wish *w, struct arena *a, const char **ret_name,
			   struct err *e) MUST_CHECK;

/* For the keeper. */

/* Waits until nobody writes a checkpoint. */
void checkpoint_wait(int dir);
/* Takes the checkpoint and CRIU's logs away, if they are there. */
void checkpoint_drop(int dir);
/* What is to be restored; `bundle` is the path of the container's directory. */
void checkpoint_request(const struct restore_wish *w, const char *bundle, struct arena *a,
			struct restore_request *ret);
/* The networks and addresses that it is to have again; none: it had none of hull's. */
int checkpoint_joins(int dir, const struct restore_wish *w, struct arena *a, struct joins *ret,
		     struct err *e) MUST_CHECK;

#endif
