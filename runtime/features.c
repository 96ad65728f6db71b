#include "runtime/features.h"

#include <seccomp.h>

#include "base/util.h"
#include "mounts/options.h"
#include "runtime/executor.h"
#include "security/caps.h"
#include "security/seccomp.h"
#include "spec/names.h"

/* All that change what hull does. */
static const char *const annotations[] = {
	"org.opencontainers.image.stopSignal",
	"org.systemd.property.",
	EXECUTOR_ANNOTATION,
	EXECUTOR_VM_ANNOTATIONS,
};

void features_read(struct arena *a, struct features *ret)
{
	const struct scmp_version *v = seccomp_version();
	size_t n = 0;

	*ret = (struct features){ .oci_version_min = "1.0.0",
				  .oci_version_max = "1.3.0",
				  .cgroup_v2 = true,
				  .cgroup_systemd = true,
				  .cgroup_systemd_user = true,
				  .cgroup_rdma = true,
				  .mount_idmap = true,
				  .intel_rdt = true,
				  .net_devices = true,
				  .apparmor = true,
				  .selinux = true };
	while (mount_options_table[n].name)
		n++;
	ret->mount_options.at = arena_array(a, n, sizeof(*ret->mount_options.at));
	for (size_t i = 0; i < n; i++)
		ret->mount_options.at[ret->mount_options.n++] = mount_options_table[i].name;
	for (n = 0; caps_name((unsigned)n); n++)
		;
	ret->capabilities.at = arena_array(a, n, sizeof(*ret->capabilities.at));
	for (; ret->capabilities.n < n; ret->capabilities.n++)
		ret->capabilities.at[ret->capabilities.n] =
			caps_name((unsigned)ret->capabilities.n);
	for (n = 0; spec_seccomp_flag_names[n].name; n++)
		;
	ret->seccomp_flags.at = arena_array(a, n, sizeof(*ret->seccomp_flags.at));
	for (size_t i = 0; i < n; i++)
		if (seccomp_flag_works((unsigned)spec_seccomp_flag_names[i].value))
			ret->seccomp_flags.at[ret->seccomp_flags.n++] =
				spec_seccomp_flag_names[i].name;
	ret->annotations.at = arena_array(a, ARRAY_LEN(annotations), sizeof(*ret->annotations.at));
	for (; ret->annotations.n < ARRAY_LEN(annotations); ret->annotations.n++)
		ret->annotations.at[ret->annotations.n] = annotations[ret->annotations.n];
	ret->libseccomp = arena_printf(a, "%u.%u.%u", v->major, v->minor, v->micro);
}
