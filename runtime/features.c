#include "runtime/features.h"

#include <seccomp.h>

#include "mounts/options.h"
#include "security/caps.h"

void features_read(struct arena *a, struct features *ret)
{
	const struct scmp_version *v = seccomp_version();
	size_t n = 0;

	*ret = (struct features){ .oci_version_min = "1.0.0",
				  .oci_version_max = "1.3.0",
				  .cgroup_v2 = true,
				  .cgroup_rdma = true,
				  .apparmor = true,
				  .selinux = true };
	while (mount_options_table[n].name)
		n++;
	ret->mount_options.at = arena_array(a, n, sizeof(*ret->mount_options.at));
	for (size_t i = 0; i < n; i++)
		if (!(mount_options_table[i].kind == OPTION_FLAG &&
		      mount_options_table[i].value & MOUNT_FLAGS_REFUSED))
			ret->mount_options.at[ret->mount_options.n++] = mount_options_table[i].name;
	for (n = 0; caps_name((unsigned)n); n++)
		;
	ret->capabilities.at = arena_array(a, n, sizeof(*ret->capabilities.at));
	for (; ret->capabilities.n < n; ret->capabilities.n++)
		ret->capabilities.at[ret->capabilities.n] =
			caps_name((unsigned)ret->capabilities.n);
	ret->libseccomp = arena_printf(a, "%u.%u.%u", v->major, v->minor, v->micro);
}
