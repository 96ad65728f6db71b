/*
 * rdt.h - a container's share of caches and memory bandwidth (linux.intelRdt).
 *
 * By resctrl, the kernel's file system for Intel's RDT and AMD's QoS: a
 * directory is a class of service, its "schemata" what that may use, its
 * "tasks" who is in it, its "mon_groups" who is counted by themselves.
 *
 *	rdt_mount_open()   the file system
 *	rdt_group_open()   the class: found, or made
 *	rdt_group_set()    its schemata, and the monitoring group
 *	rdt_group_add()    a process; what that makes later goes with it
 *	rdt_group_settle() the container is made: a class with a closID stays
 *	rdt_group_remove() what of it was made goes
 *
 * `root` is the descriptor of a mounted resctrl.
 */
#ifndef HULL_CGROUPS_RDT_H
#define HULL_CGROUPS_RDT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "spec/spec.h"

struct rdt_group {
	const char *name;    /* of its directory, "/" for the root's; NULL: there is none */
	const char *monitor; /* of the one in its mon_groups, NULL: none */
	bool made;           /* it is our work, and goes with the container */
};

/* The first resctrl that is mounted; an error if there is none. */
int rdt_mount_open(struct err *e) MUST_CHECK;

/*
 * The configured class, or without a closID one with the name `id`. What has
 * schemata is made if it is missing; what is there must have l3CacheSchema and
 * memBwSchema. *ret points into `rdt` and to `id`.
 */
int rdt_group_open(int root, const struct spec_intel_rdt *rdt, const char *id,
		   struct rdt_group *ret, struct err *e) MUST_CHECK;

/*
 * If it fails, nothing is left of the group that rdt_group_open() made. *ret_old gets the schemata
 * that a class had which was there; rdt_group_undo() takes back what both have done.
 */
int rdt_group_set(int root, const struct spec_intel_rdt *rdt, struct rdt_group *group,
		  struct buf *ret_old, struct err *e) MUST_CHECK;
int rdt_group_undo(int root, const struct rdt_group *group, const struct buf *old, struct err *e)
	MUST_CHECK;

/* A class with a closID is not its container's, whoever made it: delete leaves it. */
void rdt_group_settle(const struct spec_intel_rdt *rdt, struct rdt_group *group);

int rdt_group_add(int root, const struct rdt_group *group, pid_t pid, struct err *e) MUST_CHECK;

/*
 * Sets new schemata for the class, and for all in it. *ret_old gets the ones
 * before, which rdt_group_restore() puts back.
 */
int rdt_group_update(int root, const struct rdt_group *group, const struct spec_intel_rdt *rdt,
		     struct buf *ret_old, struct err *e) MUST_CHECK;
int rdt_group_restore(int root, const struct rdt_group *group, const struct buf *old, struct err *e)
	MUST_CHECK;

/*
 * Removes the monitoring group, and the class if it was made for the container
 * and nobody else has gone into it. Success if it is gone already.
 */
int rdt_group_remove(int root, const struct rdt_group *group, struct err *e) MUST_CHECK;

/*
 * Pure: does a schemata file's content give all that `line` ("L3:0=f;1=f")
 * asks for? Numbers may have zeros in front, and letters of either case.
 */
bool rdt_schemata_hold(const char *content, const char *line);

#endif
