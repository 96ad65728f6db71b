/*
 * restore.h - the rows of creation.c's second table, for a container whose
 * processes come out of files.
 *
 * A helper process of ours goes into the container's cgroup and into a cgroup
 * namespace and a mount namespace of its own, and has CRIU make the container
 * from there; its first process becomes the helper's child, and ours when that
 * ends. It speaks the handshake of an init: PREPARED, when the namespaces are
 * there, CONSOLE, CREATED.
 */
#ifndef HULL_RUNTIME_RESTORE_H
#define HULL_RUNTIME_RESTORE_H

#include "runtime/container.h"
#include "runtime/creation.h"

/* What cannot be restored, before anything is made. */
int restore_check(struct creation *c, struct err *e) MUST_CHECK;

/* Makes the helper; it is gone when the others have taken what it says. */
int restore_launch(struct creation *c, struct err *e) MUST_CHECK;
void restore_end_helper(struct creation *c);

/* PREPARED: who the first process is, and the hooks that want to see its namespaces. */
int restore_meet(struct creation *c, struct err *e) MUST_CHECK;

/* Of criu_options: what hull does not do, by its option's name. */
int restore_check_options(const struct criu_options *o, const char *verb, struct err *e) MUST_CHECK;

/*
 * A joined namespace of this type as CRIU names it: "net". NULL: CRIU cannot
 * leave it out. Either it is external by its inode, or joined again at restore.
 */
const char *restore_namespace_name(enum spec_ns type);
bool restore_namespace_is_external(enum spec_ns type);

/* Whether it has a network namespace of its own, which its keeper fills. */
bool restore_leaves_network(const struct spec *s, bool kept);
#define RESTORE_NAMESPACE_KEY "hull-%s"

#endif
