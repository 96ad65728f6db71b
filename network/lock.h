/*
 * lock.h - who may change what below the directory of networks.
 *
 *	DIR/lock             the networks': held while anything below DIR is decided, and what
 *	                     containers share is changed: bridges, rules, leases, names
 *	DIR/containers.lock  a byte of it for each container: held by whoever attaches it, connects,
 *	                     disconnects, checks or detaches it, from beginning to end
 *
 * A container's comes first, then the networks'; nobody has two containers'. The record of a
 * container is written by who has its lock, and what others decide by in it, its addresses and
 * ports, with the networks' as well; but for those that a CNI plug-in has answered, which nobody
 * else decides by.
 *
 * CNI plug-ins take the time that they like. While they run the container's lock alone is held:
 * other containers go on, and nobody changes what this one has. So the networks' is only ever held
 * for as long as hull itself takes.
 *
 * Both end with whoever holds them, and are waited for until a deadline (base/lock.h).
 */
#ifndef HULL_NETWORK_LOCK_H
#define HULL_NETWORK_LOCK_H

#include <stdbool.h>

#include "base/err.h"

/* The descriptor that holds the networks' lock until it is closed. */
int network_lock(int state_dir_fd, struct err *e) MUST_CHECK;
/* Lets go of it for now, and takes it again; -1 is none, and held already is fine. */
void network_lock_pause(int lock);
int network_lock_resume(int lock, struct err *e) MUST_CHECK;

/*
 * The descriptor that holds a container's until it is closed. `wait`: else -EBUSY without words if
 * somebody has it.
 */
int container_lock(int state_dir_fd, const char *id, bool wait, struct err *e) MUST_CHECK;

#endif
