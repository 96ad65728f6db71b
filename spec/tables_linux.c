/* tables_linux.c - `linux` but for its resources: config-linux.md. */
#include "spec/names.h"
#include "spec/tables.h"

JSON_TABLE(namespace_fields, struct spec_namespace) = {
	FIELD_ENUM(struct spec_namespace, "type", type, spec_ns_names, REQUIRED),
	FIELD_STRING(struct spec_namespace, "path", path, 0),
	{ 0 },
};

JSON_TABLE(time_offset_fields, struct spec_time_offset) = {
	FIELD_I64(struct spec_time_offset, "secs", secs, 0),
	FIELD_U32_IN(struct spec_time_offset, "nanosecs", nanosecs, 0, 999999999, 0),
	{ 0 },
};

/* The kernel's device numbers: 12 bits for major, 20 for minor. */
JSON_TABLE(device_fields, struct spec_device) = {
	FIELD_ENUM(struct spec_device, "type", type, spec_device_names, REQUIRED),
	FIELD_STRING(struct spec_device, "path", path, REQUIRED),
	FIELD_I64_IN(struct spec_device, "major", major, 0, 4095, 0),
	FIELD_I64_IN(struct spec_device, "minor", minor, 0, 1048575, 0),
	FIELD_OPT_U32(struct spec_device, "fileMode", file_mode, 0),
	FIELD_OPT_U32(struct spec_device, "uid", uid, 0),
	FIELD_OPT_U32(struct spec_device, "gid", gid, 0),
	{ 0 },
};

JSON_TABLE(net_device_fields, struct spec_net_device) = {
	FIELD_STRING(struct spec_net_device, "name", name, 0),
	{ 0 },
};

JSON_TABLE(seccomp_arg_fields, struct spec_seccomp_arg) = {
	FIELD_U32_IN(struct spec_seccomp_arg, "index", index, 0, 5, REQUIRED),
	FIELD_U64(struct spec_seccomp_arg, "value", value, REQUIRED),
	FIELD_U64(struct spec_seccomp_arg, "valueTwo", value_two, 0),
	FIELD_ENUM(struct spec_seccomp_arg, "op", op, spec_seccomp_op_names, REQUIRED),
	{ 0 },
};

JSON_TABLE(seccomp_rule_fields, struct spec_seccomp_rule) = {
	FIELD_STRINGS(struct spec_seccomp_rule, "names", names, REQUIRED),
	FIELD_ENUM(struct spec_seccomp_rule, "action", action, spec_seccomp_action_names, REQUIRED),
	FIELD_OPT_U32(struct spec_seccomp_rule, "errnoRet", errno_ret, 0),
	FIELD_LIST(struct spec_seccomp_rule, "args", args, seccomp_arg_fields, 0),
	{ 0 },
};

const struct json_field spec_seccomp_fields[] = {
	FIELD_ENUM(struct spec_seccomp, "defaultAction", default_action, spec_seccomp_action_names,
		   REQUIRED),
	FIELD_OPT_U32(struct spec_seccomp, "defaultErrnoRet", default_errno_ret, 0),
	FIELD_OPT_FLAGS(struct spec_seccomp, "flags", flags, spec_seccomp_flag_names, 0),
	FIELD_ENUM_LIST(struct spec_seccomp, "architectures", architectures,
			spec_seccomp_arch_names, 0),
	FIELD_LIST(struct spec_seccomp, "syscalls", syscalls, seccomp_rule_fields, 0),
	FIELD_STRING(struct spec_seccomp, "listenerPath", listener_path, 0),
	FIELD_STRING(struct spec_seccomp, "listenerMetadata", listener_metadata, 0),
	{ 0 },
};

JSON_TABLE(intel_rdt_fields, struct spec_intel_rdt) = {
	FIELD_STRING(struct spec_intel_rdt, "closID", clos_id, 0),
	FIELD_STRINGS(struct spec_intel_rdt, "schemata", schemata, 0),
	FIELD_STRING(struct spec_intel_rdt, "l3CacheSchema", l3_cache_schema, 0),
	FIELD_STRING(struct spec_intel_rdt, "memBwSchema", mem_bw_schema, 0),
	FIELD_BOOL(struct spec_intel_rdt, "enableMonitoring", enable_monitoring, 0),
	{ 0 },
};

JSON_TABLE(memory_policy_fields, struct spec_memory_policy) = {
	FIELD_ENUM(struct spec_memory_policy, "mode", mode, spec_mempolicy_names, REQUIRED),
	FIELD_STRING(struct spec_memory_policy, "nodes", nodes, 0),
	FIELD_FLAGS(struct spec_memory_policy, "flags", flags, spec_mempolicy_flag_names, 0),
	{ 0 },
};

JSON_TABLE(personality_fields, struct spec_personality) = {
	FIELD_ENUM(struct spec_personality, "domain", domain, spec_personality_names, REQUIRED),
	FIELD_STRINGS(struct spec_personality, "flags", flags, 0),
	{ 0 },
};

const struct json_field spec_linux_fields[] = {
	FIELD_LIST(struct spec_linux, "namespaces", namespaces, namespace_fields, 0),
	FIELD_LIST(struct spec_linux, "uidMappings", uid_mappings, spec_idmap_fields, 0),
	FIELD_LIST(struct spec_linux, "gidMappings", gid_mappings, spec_idmap_fields, 0),
	FIELD_OBJECT_MAP(struct spec_linux, "timeOffsets", time_offsets, clock, time_offset_fields,
			 0),
	FIELD_LIST(struct spec_linux, "devices", devices, device_fields, 0),
	FIELD_OBJECT_MAP(struct spec_linux, "netDevices", net_devices, host_name, net_device_fields,
			 0),
	FIELD_STRING(struct spec_linux, "cgroupsPath", cgroups_path, 0),
	FIELD_OBJECT(struct spec_linux, "resources", resources, spec_resources_fields, 0),
	FIELD_ENUM(struct spec_linux, "rootfsPropagation", rootfs_propagation,
		   spec_propagation_names, 0),
	FIELD_POINTER(struct spec_linux, "seccomp", seccomp, spec_seccomp_fields, 0),
	FIELD_STRING_MAP(struct spec_linux, "sysctl", sysctl, key, value, 0),
	FIELD_STRINGS(struct spec_linux, "maskedPaths", masked_paths, 0),
	FIELD_STRINGS(struct spec_linux, "readonlyPaths", readonly_paths, 0),
	FIELD_STRING(struct spec_linux, "mountLabel", mount_label, 0),
	FIELD_POINTER(struct spec_linux, "intelRdt", intel_rdt, intel_rdt_fields, 0),
	FIELD_POINTER(struct spec_linux, "memoryPolicy", memory_policy, memory_policy_fields, 0),
	FIELD_POINTER(struct spec_linux, "personality", personality, personality_fields, 0),
	{ 0 },
};
