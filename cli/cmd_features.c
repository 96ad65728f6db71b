#include <stddef.h>
#include <stdio.h>

#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/version.h"
#include "runtime/features.h"
#include "spec/names.h"

static void write_names(struct json_writer *w, const char *key, const struct json_name *names)
{
	json_write_array(w, key);
	for (; names->name; names++)
		json_write_string(w, NULL, names->name);
	json_write_end(w);
}

static void write_cgroup(struct json_writer *w, const struct features *f)
{
	json_write_object(w, "cgroup");
	json_write_bool(w, "v1", f->cgroup_v1);
	json_write_bool(w, "v2", f->cgroup_v2);
	json_write_bool(w, "systemd", f->cgroup_systemd);
	json_write_bool(w, "systemdUser", f->cgroup_systemd_user);
	json_write_bool(w, "rdma", f->cgroup_rdma);
	json_write_end(w);
}

static void write_seccomp(struct json_writer *w, const struct features *f)
{
	json_write_object(w, "seccomp");
	json_write_bool(w, "enabled", true);
	write_names(w, "actions", spec_seccomp_action_names);
	write_names(w, "operators", spec_seccomp_op_names);
	write_names(w, "archs", spec_seccomp_arch_names);
	write_names(w, "knownFlags", spec_seccomp_flag_names);
	json_write_strings(w, "supportedFlags", &f->seccomp_flags);
	json_write_end(w);
}

static void write_enabled(struct json_writer *w, const char *key, bool enabled)
{
	json_write_object(w, key);
	json_write_bool(w, "enabled", enabled);
	json_write_end(w);
}

static void write_linux(struct json_writer *w, const struct features *f)
{
	json_write_object(w, "linux");
	write_names(w, "namespaces", spec_ns_names);
	json_write_strings(w, "capabilities", &f->capabilities);
	write_cgroup(w, f);
	write_seccomp(w, f);
	write_enabled(w, "apparmor", f->apparmor);
	write_enabled(w, "selinux", f->selinux);
	json_write_object(w, "intelRdt");
	json_write_bool(w, "enabled", f->intel_rdt);
	json_write_bool(w, "schemata", f->intel_rdt);
	json_write_bool(w, "monitoring", f->intel_rdt);
	json_write_end(w);
	json_write_object(w, "memoryPolicy");
	write_names(w, "modes", spec_mempolicy_names);
	write_names(w, "flags", spec_mempolicy_flag_names);
	json_write_end(w);
	write_enabled(w, "netDevices", f->net_devices);
	json_write_object(w, "mountExtensions");
	write_enabled(w, "idmap", f->mount_idmap);
	json_write_end(w);
	json_write_end(w);
}

static void write_annotations(struct json_writer *w, const struct features *f)
{
	json_write_object(w, "annotations");
	json_write_string(w, "io.github.seccomp.libseccomp.version", f->libseccomp);
	json_write_string(w, "org.opencontainers.runc.checkpoint.enabled", "true");
	json_write_string(w, "run.hull.version", PACKAGE_VERSION);
	json_write_end(w);
}

int cmd_features(const struct call *call, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct json_writer w = json_writer(&text, "    ");
	struct features features;

	(void)e;
	features_read(call->arena, &features);
	json_write_object(&w, NULL);
	json_write_string(&w, "ociVersionMin", features.oci_version_min);
	json_write_string(&w, "ociVersionMax", features.oci_version_max);
	write_names(&w, "hooks", spec_hook_names);
	json_write_strings(&w, "mountOptions", &features.mount_options);
	write_linux(&w, &features);
	write_annotations(&w, &features);
	json_write_strings(&w, "potentiallyUnsafeConfigAnnotations", &features.annotations);
	json_write_end(&w);
	puts(text.text);
	return 0;
}
