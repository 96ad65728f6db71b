/*
 * containers.h - the verbs of the engine: what people do with containers.
 *
 * A name, an id or the beginning of one is called `who`. Functions that make
 * a process in a container are to be called from a sealed program
 * (runtime_seal() in runtime/container.h).
 */
#ifndef HULL_ENGINE_CONTAINERS_H
#define HULL_ENGINE_CONTAINERS_H

#include "engine/attach.h"
#include "engine/engine.h"
#include "engine/health.h"
#include "engine/record.h"
#include "engine/wish.h"

struct restore_wish;

/* A container that is being made, or was just made: its lock is ours. */
struct making {
	char id[RECORD_ID_LEN + 1];
	int dir, lock;
	struct record record;
	bool written; /* it exists */
	bool again;   /* it may have run before */
	const struct restore_wish
		*restore; /* NULL: it is started, and not restored (checkpoint.h) */
};

/* clang-format off */
#define MAKING_NONE { .dir = -1, .lock = -1 }
/* clang-format on */
void making_done(struct making *m);
#define auto_making __attribute__((cleanup(making_done)))
/* Takes away what there is of it already, but for its volumes; what fails is logged. */
void making_undo(const struct engine *g, struct making *m);

/* From a wish to a container that could be started. On failure nothing is left. */
int engine_create(const struct engine *g, const struct wish *w, struct making *ret, struct err *e)
	MUST_CHECK;

/*
 * Starts it. Detached: returns when its program runs, kept by a process of
 * its own, with *ret_status 0. In the foreground: until it has ended, with its
 * exit status; it is removed then if that was asked for.
 */
int engine_start_made(const struct engine *g, struct making *m, int *ret_status, struct err *e)
	MUST_CHECK;

/*
 * Starts it detached, and attaches to it, without missing anything, until it ends or is left. One
 * with --rm that has ended is gone afterwards.
 */
int engine_follow_made(const struct engine *g, struct making *m, const struct attach_wish *how,
		       struct attach_end *ret, struct err *e) MUST_CHECK;

/* Starts a container that is there and does not run; `attach`: in the foreground. */
int engine_start(const struct engine *g, const char *who, bool attach, int *ret_status,
		 struct err *e) MUST_CHECK;

/* Opens a container that does not run, with its lock. -EBUSY: it runs; then `ret` is open without the lock. */
int engine_open_stopped(const struct engine *g, const char *who, struct making *ret, struct err *e)
	MUST_CHECK;

/* Its stop signal, and SIGKILL after `timeout` seconds (-1: its own). Not running is success. */
int engine_stop(const struct engine *g, const char *who, int64_t timeout, struct err *e) MUST_CHECK;

/* `force` kills a running one, `volumes` also removes those that have no name of their own. */
int engine_remove(const struct engine *g, const char *who, bool force, bool volumes, struct err *e)
	MUST_CHECK;

/* The same for one whose lock we hold. */
int engine_remove_locked(const struct engine *g, struct making *m, bool volumes, struct err *e)
	MUST_CHECK;

/* Waits for its end; returns its exit status. */
int engine_wait(const struct engine *g, const char *who, struct err *e) MUST_CHECK;

/* One line of `ps`, one document of `inspect`. */
struct container_view {
	char id[RECORD_ID_LEN + 1];
	struct record record;
	struct status status;
	enum state_status state; /* STATE_STOPPED also when it never ran: status.started tells */
	pid_t pid;               /* 0: does not run */
	struct health health;    /* of its last run; HEALTH_NONE: nothing is checked */
};
void container_view_done(struct container_view *v);
#define auto_container_view __attribute__((cleanup(container_view_done)))
int engine_view(const struct engine *g, const char *id, struct container_view *ret, struct err *e)
	MUST_CHECK;
/* "created", "running", "paused", "exited", "checkpointed". */
const char *container_view_status(const struct container_view *v);

/* The container's root file system for a caller who wants to look into it, as a descriptor. */
int engine_open_root(const struct engine *g, const struct container_view *v, struct err *e)
	MUST_CHECK;

#endif
