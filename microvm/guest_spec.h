/*
 * guest_spec.h - a configuration, divided between the host and the machine.
 *
 * The host makes namespaces, the cgroup, and the root with what is bound into
 * it; the VMM, in there, shows that to the guest. There the agent does the
 * rest by the same rows of runtime/init.c: file systems of the kernel (proc,
 * tmpfs, ...), devices, masked paths, sysctls, names, and the whole process.
 * A bind beneath one of the guest's file systems (/dev/shm beneath /dev) is
 * done by both: the guest binds once more what it has seen before.
 */
#ifndef HULL_MICROVM_GUEST_SPEC_H
#define HULL_MICROVM_GUEST_SPEC_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

/* Refuses by name what no machine can do, or ours not yet. */
int guest_spec_check(const struct spec *s, struct err *e) MUST_CHECK;

/* Leaves what the host does; the guest's mount points, which the host makes, go to *ret_targets. */
void guest_spec_for_host(struct spec *s, struct strings *ret_targets);

/*
 * Whether its network namespace is to be given over to the guest: it has one,
 * and is not what holds a pod's for the pod's other containers.
 */
bool guest_spec_has_network(const struct spec *s);

/*
 * Leaves what the guest does. `is_root`: the container's root, as the host has
 * it, is the guest's; else that has one of its own (disk.h) and binds each of
 * the host's binds from there. Sources of binds are paths in the host's.
 */
void guest_spec_for_guest(struct spec *s, bool is_root);

/* Of a memory limit: for the VMM, and the kernel's part of it. */
enum { GUEST_MEMORY_OWN = 16 * 1024 * 1024 };

/* Bytes of memory and CPUs: of `vm`, else by the limits, else the defaults. */
int guest_spec_memory(const struct spec *s, uint64_t *ret, struct err *e) MUST_CHECK;
int guest_spec_cpus(const struct spec *s, unsigned *ret, struct err *e) MUST_CHECK;

/* The pages of 4 KiB that a machine of `memory` bytes does without, if `limit` is that of its cgroup. */
int guest_spec_balloon(uint64_t memory, int64_t limit, uint32_t *ret, struct err *e) MUST_CHECK;

#endif
