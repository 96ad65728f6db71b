/*
 * mountinfo.h - the mounts of a process, as the kernel lists them (proc_pid_mountinfo(5)).
 */
#ifndef HULL_MOUNTS_MOUNTINFO_H
#define HULL_MOUNTS_MOUNTINFO_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"

struct mountinfo_entry {
	const char *id;     /* a number, as fdinfo has it, too */
	const char *device; /* of its file system: "0:41" */
	const char *root;   /* which directory or file of that is mounted */
	const char *path;   /* where, seen from the process's root */
	const char *type;   /* of the file system */
};

typedef LIST(struct mountinfo_entry) mountinfo;

/* In the kernel's order, in *a. -EINVAL for a line that does not have the kernel's form. */
int mountinfo_parse(const struct buf *text, struct arena *a, mountinfo *ret, struct err *e)
	MUST_CHECK;

/* Of the process whose /proc/PID/mountinfo is `file`. */
int mountinfo_read(const char *file, struct arena *a, mountinfo *ret, struct err *e) MUST_CHECK;

/* Any of them that is of the device; NULL: none. */
const struct mountinfo_entry *mountinfo_find_device(const mountinfo *list, const char *device);

#endif
