/*
 * store.h - the directories that hold the state of containers.
 *
 *	ROOT/ID/state.json   struct state, replaced atomically, versioned
 *	ROOT/ID/config.json  the bundle's config.json as create read it
 *	ROOT/ID/start.sock   on which init waits for `start`, until it came
 *	ROOT/.seccomp:cache  compiled filters (security/seccomp_cache.h)
 *	ROOT/.record:*       where a recording listens (engine/recording.h)
 *
 * The root and each directory in it have mode 0700. mkdir(2) reserves an id.
 * Whoever changes a container holds flock(2) on its directory: the lock goes
 * with the process that has it, whatever ends that.
 */
#ifndef HULL_RUNTIME_STORE_H
#define HULL_RUNTIME_STORE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "runtime/state.h"

/* Letters, digits and "_+-.", not "." or "..", at most 255: a file name (runc's rule). */
int store_check_id(const char *id, struct err *e) MUST_CHECK;

/* The root directory, made if it is missing. Without it, -ENOENT is no error but an answer. */
int store_open_root(const char *path, bool make, struct err *e) MUST_CHECK;

/* Makes the container's directory and locks it; -EEXIST when the id is taken. */
int store_reserve(int root, const char *id, struct err *e) MUST_CHECK;

/*
 * The second half of that: takes the directory, unless another create has it meanwhile (-EEXIST),
 * since a delete may have removed ours before it was locked.
 */
int store_claim(int root, const char *id, struct err *e) MUST_CHECK;

/* Opens the container's directory; -ENOENT when there is none. */
int store_open(int root, const char *id, struct err *e) MUST_CHECK;

/*
 * Locks it. Waits for another command to finish, up to ten seconds (-EBUSY);
 * -ENOENT when that one removed it.
 */
int store_lock(int dir, const char *id, struct err *e) MUST_CHECK;

/* Removes the directory; it is locked by us. */
int store_remove(int root, const char *id, struct err *e) MUST_CHECK;

/* The ids, sorted, in *a. */
int store_list(int root, struct arena *a, struct strings *ret, struct err *e) MUST_CHECK;

int store_save_state(int dir, const struct state *state, struct err *e) MUST_CHECK;
/* What is stored; `id` is the directory's name. -ENOENT: not even begun. */
int store_load_state(int dir, const char *id, struct state *ret, struct err *e) MUST_CHECK;

int store_save_config(int dir, const struct buf *text, struct err *e) MUST_CHECK;
int store_load_config(int dir, struct spec *ret, struct err *e) MUST_CHECK;

#endif
