/* rules_config.c - rules for the document but for `linux` and `process`: config.md. */
#include <limits.h>
#include <string.h>

#include "spec/names.h"
#include "spec/validate.h"

static const char digits[] = "0123456789";
static const char identifier[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";

/* A number of a version: no leading zeros. */
static bool take_number(const char **s)
{
	size_t len = strspn(*s, digits);

	if (len == 0 || (len > 1 && **s == '0'))
		return false;
	*s += len;
	return true;
}

/* Dot-separated identifiers. */
static bool take_identifiers(const char **s)
{
	for (;;) {
		size_t len = strspn(*s, identifier);

		if (len == 0)
			return false;
		*s += len;
		if (**s != '.')
			return true;
		(*s)++;
	}
}

/* semver.org: MAJOR.MINOR.PATCH[-pre-release][+build] */
static bool is_semver(const char *s)
{
	for (int i = 0; i < 3; i++) {
		if (i > 0 && *s++ != '.')
			return false;
		if (!take_number(&s))
			return false;
	}
	if (*s == '-') {
		s++;
		if (!take_identifiers(&s))
			return false;
	}
	if (*s == '+') {
		s++;
		if (!take_identifiers(&s))
			return false;
	}
	return *s == '\0';
}

/* All of 1.x is compatible: what a newer minor version adds is ignored. */
static int check_version(const struct spec_check *c)
{
	const char *version = c->spec->oci_version;
	const struct json *at = json_find(c->at, "ociVersion");

	if (!is_semver(version))
		return CHECK_FAIL(c, at, "%s is no semantic version", json_quote(version).text);
	if (strncmp(version, "1.", 2) != 0)
		return CHECK_FAIL(c, at, "%s is not supported, only 1.x is",
				  json_quote(version).text);
	return 0;
}

static int check_root(const struct spec_check *c)
{
	if (c->spec->root.path[0] == '\0')
		return CHECK_FAIL(c, json_find(c->at, "root.path"), "is empty");
	return 0;
}

static int check_uts_name(const struct spec_check *c, const char *key, const char *name)
{
	const struct json *at = json_find(c->at, "%s", key);

	if (!name)
		return 0;
	if (!spec_namespace(c->spec, SPEC_NS_UTS))
		return CHECK_FAIL(c, at, "needs a uts namespace");
	if (strlen(name) > HOST_NAME_MAX)
		return CHECK_FAIL(c, at, "is longer than %d bytes", HOST_NAME_MAX);
	return 0;
}

static int check_uts_names(const struct spec_check *c)
{
	TRY(check_uts_name(c, "hostname", c->spec->hostname));
	return check_uts_name(c, "domainname", c->spec->domainname);
}

static bool has_idmap_option(const struct spec_mount *m)
{
	for (size_t i = 0; i < m->options.n; i++)
		if (strcmp(m->options.at[i], "idmap") == 0 ||
		    strcmp(m->options.at[i], "ridmap") == 0)
			return true;
	return false;
}

/* A destination should be absolute; a relative one is taken from "/". */
static int check_mount(const struct spec_check *c, const struct json *at,
		       const struct spec_mount *m, bool in_userns)
{
	if (m->destination[0] == '\0')
		return CHECK_FAIL(c, json_find(at, "destination"), "is empty");
	if ((m->uid_mappings.n == 0) != (m->gid_mappings.n == 0))
		return CHECK_FAIL(c, at, "needs both uidMappings and gidMappings, or none");
	TRY(spec_check_mappings(c, json_find(at, "uidMappings"), &m->uid_mappings));
	TRY(spec_check_mappings(c, json_find(at, "gidMappings"), &m->gid_mappings));
	if (has_idmap_option(m) && m->uid_mappings.n == 0 && !in_userns)
		return CHECK_FAIL(c, json_find(at, "options"),
				  "\"idmap\" needs mappings or a user namespace");
	return 0;
}

static int check_mounts(const struct spec_check *c)
{
	const struct json *list = json_find(c->at, "mounts"), *at = list->first;
	bool in_userns = spec_namespace(c->spec, SPEC_NS_USER) != NULL;

	if (c->spec->mounts.n && !spec_namespace(c->spec, SPEC_NS_MOUNT))
		return CHECK_FAIL(c, list, "needs a mount namespace");
	for (size_t i = 0; i < c->spec->mounts.n; i++, at = at->next)
		TRY(check_mount(c, at, &c->spec->mounts.at[i], in_userns));
	return 0;
}

static int check_hooks(const struct spec_check *c)
{
	for (const struct json_name *kind = spec_hook_names; kind->name; kind++) {
		const struct spec_hooks *hooks = &c->spec->hooks[kind->value];
		const struct json *at = json_find(c->at, "hooks.%s", kind->name)->first;

		for (size_t i = 0; i < hooks->n; i++, at = at->next) {
			TRY(spec_check_absolute(c, json_find(at, "path"), hooks->at[i].path));
			if (hooks->at[i].env.n)
				TRY(spec_check_env(c, json_find(at, "env")));
		}
	}
	return 0;
}

static int check_annotations(const struct spec_check *c)
{
	for (size_t i = 0; i < c->spec->annotations.n; i++)
		if (c->spec->annotations.at[i].key[0] == '\0')
			return CHECK_FAIL(c, json_member(json_find(c->at, "annotations"), ""),
					  "an annotation needs a name");
	return 0;
}

static int check_vm(const struct spec_check *c)
{
	const struct spec_vm *vm = c->spec->vm;
	const struct json *at = json_find(c->at, "vm");
	const struct json *hardware;

	if (!vm)
		return 0;
	hardware = json_member(at, "hwconfig");
	if (hardware && json_member(at, "hwConfig"))
		return CHECK_FAIL(c, hardware, "hwConfig is given as well");
	if (vm->hypervisor.path)
		TRY(spec_check_absolute(c, json_find(at, "hypervisor.path"), vm->hypervisor.path));
	if (vm->kernel.path)
		TRY(spec_check_absolute(c, json_find(at, "kernel.path"), vm->kernel.path));
	if (vm->kernel.initrd)
		TRY(spec_check_absolute(c, json_find(at, "kernel.initrd"), vm->kernel.initrd));
	if (vm->image.path)
		TRY(spec_check_absolute(c, json_find(at, "image.path"), vm->image.path));
	return 0;
}

const struct spec_rule spec_config_rules[] = {
	{ "version", check_version },
	{ "root", check_root },
	{ "uts-names", check_uts_names },
	{ "mounts", check_mounts },
	{ "hooks", check_hooks },
	{ "annotations", check_annotations },
	{ "vm", check_vm },
	{ 0 },
};
