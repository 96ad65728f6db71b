/* rules_linux.c - rules for `linux` but for resources and seccomp: config-linux.md. */
#include <linux/mempolicy.h>
#include <net/if.h>
#include <string.h>

#include "base/mem.h"
#include "spec/names.h"
#include "spec/validate.h"

static int check_namespaces(const struct spec_check *c)
{
	const struct spec_linux *l = &c->spec->linux;
	const struct json *at = json_find(c->at, "linux.namespaces")->first;
	bool seen[SPEC_NS_KINDS] = { false };

	for (size_t i = 0; i < l->namespaces.n; i++, at = at->next) {
		const struct spec_namespace *ns = &l->namespaces.at[i];

		if (seen[ns->type])
			return CHECK_FAIL(c, json_find(at, "type"), "a second %s namespace",
					  json_name_of(spec_ns_names, (int)ns->type));
		seen[ns->type] = true;
		if (ns->path)
			TRY(spec_check_absolute(c, json_find(at, "path"), ns->path));
	}
	return 0;
}

static bool is_mapped(const struct spec_idmaps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->n; i++)
		if (id - maps->at[i].container_id < maps->at[i].size &&
		    id >= maps->at[i].container_id)
			return true;
	return false;
}

/* setuid(2) and setgroups(2) would fail late, with a bare EINVAL. */
static int check_mapped_user(const struct spec_check *c)
{
	const struct spec_linux *l = &c->spec->linux;
	const struct spec_user *user = &c->spec->process->user;
	const struct json *at = json_find(c->at, "process.user");

	if (!is_mapped(&l->uid_mappings, user->uid))
		return CHECK_FAIL(c, json_find(at, "uid"), "%u is not mapped by linux.uidMappings",
				  user->uid);
	if (!is_mapped(&l->gid_mappings, user->gid))
		return CHECK_FAIL(c, json_find(at, "gid"), "%u is not mapped by linux.gidMappings",
				  user->gid);
	for (size_t i = 0; i < user->additional_gids.n; i++)
		if (!is_mapped(&l->gid_mappings, user->additional_gids.at[i]))
			return CHECK_FAIL(c, json_find(at, "additionalGids[%zu]", i),
					  "%u is not mapped by linux.gidMappings",
					  user->additional_gids.at[i]);
	return 0;
}

/* With a namespace that is joined, mappings may be given: they describe it. */
static int check_id_mappings(const struct spec_check *c)
{
	const struct spec_linux *l = &c->spec->linux;
	const struct spec_namespace *ns = spec_namespace(c->spec, SPEC_NS_USER);
	const struct json *linux_at = json_find(c->at, "linux");
	const struct json *uids = json_find(linux_at, "uidMappings");
	const struct json *gids = json_find(linux_at, "gidMappings");

	if (!ns && l->uid_mappings.n)
		return CHECK_FAIL(c, uids, "needs a user namespace");
	if (!ns && l->gid_mappings.n)
		return CHECK_FAIL(c, gids, "needs a user namespace");
	TRY(spec_check_mappings(c, uids, &l->uid_mappings));
	TRY(spec_check_mappings(c, gids, &l->gid_mappings));
	if (!ns || ns->path)
		return 0;
	if (l->uid_mappings.n == 0 || l->gid_mappings.n == 0)
		return CHECK_FAIL(c, linux_at,
				  "a new user namespace needs uidMappings and gidMappings");
	return c->spec->process ? check_mapped_user(c) : 0;
}

static int check_time_offsets(const struct spec_check *c)
{
	const struct spec_linux *l = &c->spec->linux;
	const struct spec_namespace *ns = spec_namespace(c->spec, SPEC_NS_TIME);
	const struct json *at = json_find(c->at, "linux.timeOffsets");

	if (l->time_offsets.n && (!ns || ns->path))
		return CHECK_FAIL(c, at, "needs a new time namespace");
	for (size_t i = 0; i < l->time_offsets.n; i++) {
		const char *clock = l->time_offsets.at[i].clock;

		if (strcmp(clock, "monotonic") != 0 && strcmp(clock, "boottime") != 0)
			return CHECK_FAIL(c, json_member(at, clock),
					  "only monotonic and boottime have offsets");
	}
	return 0;
}

static int check_devices(const struct spec_check *c)
{
	const struct spec_linux *l = &c->spec->linux;
	const struct json *at = json_find(c->at, "linux.devices")->first;

	for (size_t i = 0; i < l->devices.n; i++, at = at->next) {
		const struct spec_device *d = &l->devices.at[i];

		TRY(spec_check_absolute(c, json_find(at, "path"), d->path));
		if (d->type != 'p' && (!json_member(at, "major") || !json_member(at, "minor")))
			return CHECK_FAIL(c, at, "needs major and minor");
	}
	return 0;
}

/* The kernel's dev_valid_name(). */
static bool is_interface_name(const char *name)
{
	return name[0] && strlen(name) < IF_NAMESIZE && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && !strpbrk(name, "/: \t\n\v\f\r");
}

static int check_net_devices(const struct spec_check *c)
{
	const struct spec_linux *l = &c->spec->linux;
	const struct json *at = json_find(c->at, "linux.netDevices");

	if (l->net_devices.n && !spec_namespace(c->spec, SPEC_NS_NETWORK))
		return CHECK_FAIL(c, at, "needs a network namespace");
	for (size_t i = 0; i < l->net_devices.n; i++) {
		const struct spec_net_device *d = &l->net_devices.at[i];
		const struct json *device = json_member(at, d->host_name);

		if (!is_interface_name(d->host_name))
			return CHECK_FAIL(c, device, "is no name of a network device");
		if (d->name && !is_interface_name(d->name))
			return CHECK_FAIL(c, json_find(device, "name"),
					  "%s is no name of a network device",
					  json_quote(d->name).text);
	}
	return 0;
}

/* ".." could lead out of where the container's cgroups are. */
static int check_cgroups_path(const struct spec_check *c)
{
	const char *path = c->spec->linux.cgroups_path;

	for (const char *s = path; s && (s = strstr(s, "..")) != NULL; s += 2)
		if ((s == path || s[-1] == '/') && (s[2] == '/' || s[2] == '\0'))
			return CHECK_FAIL(c, json_find(c->at, "linux.cgroupsPath"),
					  "must not contain \"..\"");
	return 0;
}

static int check_hidden_paths(const struct spec_check *c)
{
	const struct spec_linux *l = &c->spec->linux;
	const struct {
		const char *where;
		const struct strings *paths;
	} lists[] = {
		{ "linux.maskedPaths", &l->masked_paths },
		{ "linux.readonlyPaths", &l->readonly_paths },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct json *at = json_find(c->at, "%s", lists[i].where);

		if (lists[i].paths->n == 0)
			continue;
		if (!spec_namespace(c->spec, SPEC_NS_MOUNT))
			return CHECK_FAIL(c, at, "needs a mount namespace");
		TRY(spec_check_absolutes(c, at));
	}
	return 0;
}

static const struct {
	const char *prefix;
	enum spec_ns ns;
} sysctl_namespaces[] = {
	{ "net.", SPEC_NS_NETWORK },   { "fs.mqueue.", SPEC_NS_IPC },
	{ "kernel.msg", SPEC_NS_IPC }, { "kernel.sem", SPEC_NS_IPC },
	{ "kernel.shm", SPEC_NS_IPC }, { "kernel.domainname", SPEC_NS_UTS },
};

/* As sysctl(8): if "/" separates, the two characters change places. */
static void normalize_sysctl(char *key)
{
	if (key[strcspn(key, "./")] != '/')
		return;
	for (; *key; key++)
		if (*key == '/')
			*key = '.';
		else if (*key == '.')
			*key = '/';
}

static int check_one_sysctl(const struct spec_check *c, const struct json *at, const char *name)
{
	auto_free char *key = mem_strdup(name);

	normalize_sysctl(key);
	if (strcmp(key, "kernel.hostname") == 0)
		return CHECK_FAIL(c, at, "use hostname instead");
	for (size_t i = 0; i < ARRAY_LEN(sysctl_namespaces); i++) {
		enum spec_ns ns = sysctl_namespaces[i].ns;

		if (strncmp(key, sysctl_namespaces[i].prefix,
			    strlen(sysctl_namespaces[i].prefix)) != 0)
			continue;
		if (spec_namespace(c->spec, ns))
			return 0;
		return CHECK_FAIL(c, at, "needs a namespace of type %s",
				  json_name_of(spec_ns_names, (int)ns));
	}
	return CHECK_FAIL(c, at, "would change the host: it belongs to no namespace");
}

static int check_sysctl(const struct spec_check *c)
{
	const struct spec_pairs *sysctl = &c->spec->linux.sysctl;
	const struct json *at = json_find(c->at, "linux.sysctl");

	for (size_t i = 0; i < sysctl->n; i++)
		TRY(check_one_sysctl(c, json_member(at, sysctl->at[i].key), sysctl->at[i].key));
	return 0;
}

/* The text defines the member, but no value for it. */
static int check_personality(const struct spec_check *c)
{
	const struct spec_personality *personality = c->spec->linux.personality;

	if (personality && personality->flags.n)
		return CHECK_FAIL(c, json_find(c->at, "linux.personality.flags[0]"),
				  "no flags are defined");
	return 0;
}

/* clos_id names a directory of resctrl; "/" is its root. */
static int check_intel_rdt(const struct spec_check *c)
{
	const struct spec_intel_rdt *rdt = c->spec->linux.intel_rdt;
	const struct json *at = json_find(c->at, "linux.intelRdt");
	const char *id = rdt ? rdt->clos_id : NULL;

	if (id && (strcmp(id, ".") == 0 || strcmp(id, "..") == 0 || (id[1] && strchr(id, '/'))))
		return CHECK_FAIL(c, json_find(at, "closID"), "%s is no name of a directory",
				  json_quote(id).text);
	if (rdt && rdt->l3_cache_schema && strchr(rdt->l3_cache_schema, '\n'))
		return CHECK_FAIL(c, json_find(at, "l3CacheSchema"), "must be one line");
	if (rdt && rdt->mem_bw_schema &&
	    (strncmp(rdt->mem_bw_schema, "MB:", 3) != 0 || strchr(rdt->mem_bw_schema, '\n')))
		return CHECK_FAIL(c, json_find(at, "memBwSchema"),
				  "must be one line that starts with \"MB:\"");
	for (size_t i = 0; rdt && i < rdt->schemata.n; i++)
		if (strchr(rdt->schemata.at[i], '\n'))
			return CHECK_FAIL(c, json_find(at, "schemata[%zu]", i), "must be one line");
	return 0;
}

/* set_mempolicy(2) would answer with a bare EINVAL. */
static int check_memory_policy(const struct spec_check *c)
{
	const struct spec_memory_policy *p = c->spec->linux.memory_policy;
	const struct json *at = json_find(c->at, "linux.memoryPolicy");
	const uint32_t both = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;
	bool without, preferred;

	if (!p)
		return 0;
	without = p->mode == MPOL_DEFAULT || p->mode == MPOL_LOCAL;
	preferred = p->mode == MPOL_PREFERRED; /* nodes are optional for it */
	if (without && p->nodes)
		return CHECK_FAIL(c, json_find(at, "nodes"), "%s takes no nodes",
				  json_name_of(spec_mempolicy_names, p->mode));
	if (!without && !preferred && !p->nodes)
		return CHECK_FAIL(c, at, "%s needs nodes",
				  json_name_of(spec_mempolicy_names, p->mode));
	if (p->nodes)
		TRY(spec_check_cpu_list(c, json_find(at, "nodes"), p->nodes));
	if ((p->flags & both) == both)
		return CHECK_FAIL(c, json_find(at, "flags"),
				  "static and relative exclude each other");
	return 0;
}

const struct spec_rule spec_linux_rules[] = {
	{ "namespaces", check_namespaces },       { "id-mappings", check_id_mappings },
	{ "time-offsets", check_time_offsets },   { "devices", check_devices },
	{ "net-devices", check_net_devices },     { "cgroups-path", check_cgroups_path },
	{ "hidden-paths", check_hidden_paths },   { "sysctl", check_sysctl },
	{ "personality", check_personality },     { "intel-rdt", check_intel_rdt },
	{ "memory-policy", check_memory_policy }, { 0 },
};
