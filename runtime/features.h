/*
 * features.h - what this hull, on this host, can do (features.md).
 */
#ifndef HULL_RUNTIME_FEATURES_H
#define HULL_RUNTIME_FEATURES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/list.h"

struct features {
	const char *oci_version_min, *oci_version_max;
	struct strings mount_options; /* those that hull acts on by itself */
	struct strings capabilities;
	struct strings annotations;   /* of config.json, that change what hull does */
	struct strings seccomp_flags; /* those that this kernel takes */
	const char *libseccomp;       /* its version */
	bool cgroup_v1, cgroup_v2, cgroup_systemd, cgroup_systemd_user, cgroup_rdma;
	bool apparmor, selinux; /* that hull can apply their labels, wherever they are enabled */
	bool intel_rdt, net_devices, mount_idmap;
};

/* The lists live in `a`. */
void features_read(struct arena *a, struct features *ret);

#endif
