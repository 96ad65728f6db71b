/* tables_config.c - the document itself: config.md. */
#include "spec/names.h"
#include "spec/tables.h"

const struct json_field spec_idmap_fields[] = {
	FIELD_U32(struct spec_idmap, "containerID", container_id, REQUIRED),
	FIELD_U32(struct spec_idmap, "hostID", host_id, REQUIRED),
	FIELD_U32(struct spec_idmap, "size", size, REQUIRED),
	{ 0 },
};

JSON_TABLE(root_fields, struct spec) = {
	FIELD_STRING(struct spec, "path", root.path, REQUIRED),
	FIELD_BOOL(struct spec, "readonly", root.readonly, 0),
	{ 0 },
};

JSON_TABLE(mount_fields, struct spec_mount) = {
	FIELD_STRING(struct spec_mount, "destination", destination, REQUIRED),
	FIELD_STRING(struct spec_mount, "type", type, 0),
	FIELD_STRING(struct spec_mount, "source", source, 0),
	FIELD_STRINGS(struct spec_mount, "options", options, 0),
	FIELD_LIST(struct spec_mount, "uidMappings", uid_mappings, spec_idmap_fields, 0),
	FIELD_LIST(struct spec_mount, "gidMappings", gid_mappings, spec_idmap_fields, 0),
	{ 0 },
};

JSON_TABLE(hook_fields, struct spec_hook) = {
	FIELD_STRING(struct spec_hook, "path", path, REQUIRED),
	FIELD_STRINGS(struct spec_hook, "args", args, 0),
	FIELD_STRINGS(struct spec_hook, "env", env, 0),
	FIELD_OPT_I64_IN(struct spec_hook, "timeout", timeout, 1, INT64_MAX, 0),
	{ 0 },
};

#define HOOKS(k, kind) FIELD_LIST(struct spec, k, hooks[kind], hook_fields, 0)

JSON_TABLE(hooks_fields, struct spec) = {
	HOOKS("prestart", SPEC_HOOK_PRESTART),
	HOOKS("createRuntime", SPEC_HOOK_CREATE_RUNTIME),
	HOOKS("createContainer", SPEC_HOOK_CREATE_CONTAINER),
	HOOKS("startContainer", SPEC_HOOK_START_CONTAINER),
	HOOKS("poststart", SPEC_HOOK_POSTSTART),
	HOOKS("poststop", SPEC_HOOK_POSTSTOP),
	{ 0 },
};

const struct json_field spec_fields[] = {
	FIELD_STRING(struct spec, "ociVersion", oci_version, REQUIRED),
	FIELD_GROUP(struct spec, "root", root_fields, REQUIRED),
	FIELD_POINTER(struct spec, "process", process, spec_process_fields, 0),
	FIELD_STRING(struct spec, "hostname", hostname, 0),
	FIELD_STRING(struct spec, "domainname", domainname, 0),
	FIELD_LIST(struct spec, "mounts", mounts, mount_fields, 0),
	FIELD_GROUP(struct spec, "hooks", hooks_fields, 0),
	FIELD_STRING_MAP(struct spec, "annotations", annotations, key, value, 0),
	FIELD_OBJECT(struct spec, "linux", linux, spec_linux_fields, 0),
	FIELD_POINTER(struct spec, "vm", vm, spec_vm_fields, 0),
	FIELD_IGNORED("windows"),
	FIELD_IGNORED("solaris"),
	FIELD_IGNORED("zos"),
	FIELD_IGNORED("freebsd"),
	{ 0 },
};
