#include "mounts/plan.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/json.h"
#include "mounts/classic.h"

/* config-linux.md, "Default Devices". */
static const struct {
	const char *path;
	unsigned major, minor;
} default_devices[] = {
	{ "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

/* runtime-linux.md, "Dev symbolic links"; ptmx is in "Default Devices". */
static const struct link_op default_links[] = {
	{ "/dev/fd", "/proc/self/fd" },       { "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" }, { "/dev/stderr", "/proc/self/fd/2" },
	{ "/dev/ptmx", "pts/ptmx" },
};

/*
 * What may be bound below /proc: files that tools such as lxcfs make up.
 * Anything else could fake what we ourselves read and write there
 * (CVE-2019-16884).
 */
static const char *const bindable_below_proc[] = {
	"cpuinfo",
	"diskstats",
	"meminfo",
	"stat",
	"swaps",
	"uptime",
	"loadavg",
	"slabinfo",
	"sys/kernel/ns_last_pid",
	"sys/crypto/fips_enabled",
	"net/dev",
};

/*
 * The path as it reads: without leading, doubled and trailing slashes, "." and
 * "..", where the root is its own parent. Links may make it another one: what
 * is decided by this is checked again by descriptor (apply.c).
 */
static const char *tidy(struct arena *a, const char *path)
{
	char *out = arena_alloc(a, strlen(path) + 1), *at = out;

	while (*path) {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 2 && path[0] == '.' && path[1] == '.') {
			while (at > out && *--at != '/')
				;
		} else if (len && !(len == 1 && path[0] == '.')) {
			if (at != out)
				*at++ = '/';
			memcpy(at, path, len);
			at += len;
		}
		path += len;
	}
	*at = '\0';
	return out;
}

/* One of the files that may be: "proc/cpuinfo" and its kin. */
static bool is_bindable_below_proc(const char *tidied)
{
	if (strncmp(tidied, "proc/", 5) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(bindable_below_proc); i++)
		if (strcmp(tidied + 5, bindable_below_proc[i]) == 0)
			return true;
	return false;
}

static int check_target(const struct mount_op *op, const char *tidied, struct err *e)
{
	if (!tidied[0])
		return err_set(e, EINVAL, "%s.destination: \"%s\" is the root file system itself",
			       op->name, op->target);
	if (strncmp(tidied, "proc/", 5) != 0 || op->below_proc || op->kind == MOUNT_KIND_REMOUNT)
		return 0;
	return err_set(e, EPERM,
		       "%s.destination: \"%s\" is inside /proc, where nothing may be mounted",
		       op->name, op->target);
}

/*
 * A mount of the container's cgroup: as a file system where its namespace
 * makes that its own part of the tree, else that part alone, bound
 * (CVE-2023-25809).
 */
static int plan_cgroup(struct mount_op *op, const struct mount_facts *facts, struct err *e)
{
	op->options.super.n = 0; /* options of cgroup v1, which clients still send */
	if (facts->cgroup_namespace) {
		op->kind = MOUNT_KIND_FILESYSTEM;
		op->type = "cgroup2";
		op->source = "cgroup";
		return 0;
	}
	if (!facts->cgroup_dir)
		return err_set(e, EINVAL,
			       "%s: a cgroup mount needs a cgroup or a cgroup namespace, and this "
			       "container has neither",
			       op->name);
	op->kind = MOUNT_KIND_BIND;
	op->source = facts->cgroup_dir;
	op->type = NULL;
	return 0;
}

/* How a source is taken, when there is one. */
static int check_links(const struct spec_mount *m, const struct mount_op *op, struct err *e)
{
	if ((op->options.flags & MOUNT_COPY_SYMLINK) &&
	    (op->options.flags & (MOUNT_SOURCE_NOFOLLOW | MOUNT_TARGET_NOFOLLOW)))
		return err_set(
			e, EINVAL,
			"%s.options: \"copy-symlink\" goes with neither \"src-nofollow\" nor "
			"\"dest-nofollow\"",
			op->name);
	if (op->kind == MOUNT_KIND_BIND ||
	    !(op->options.flags & (MOUNT_SOURCE_NOFOLLOW | MOUNT_COPY_SYMLINK)))
		return 0;
	for (size_t i = 0; i < m->options.n; i++)
		if (strcmp(m->options.at[i], "copy-symlink") == 0 ||
		    strcmp(m->options.at[i], "src-nofollow") == 0)
			return err_set(e, EINVAL,
				       "%s.options[%zu]: \"%s\" is for a bind, and this is none",
				       op->name, i, m->options.at[i]);
	return 0;
}

/* The mount's own mappings, crun's, or the container's, in this order. */
static int find_idmap(const struct spec *s, const struct spec_mount *m, struct arena *a,
		      struct mount_op *op, struct err *e)
{
	const struct mount_idmap container = { .uids = s->linux.uid_mappings,
					       .gids = s->linux.gid_mappings };

	if (m->uid_mappings.n) {
		op->idmap.uids = m->uid_mappings;
		op->idmap.gids = m->gid_mappings;
	} else if (op->options.idmap) {
		if (mount_idmap_parse(op->options.idmap, &container, a, &op->idmap, e) < 0)
			return err_wrap(e, "%s.options: idmap", op->name);
	} else {
		op->idmap = container;
	}
	if (!op->idmap.uids.n || !op->idmap.gids.n)
		return err_set(
			e, EINVAL,
			"%s.options: \"idmap\" needs mappings, of the mount or of the container",
			op->name);
	op->idmap.recursive = op->options.flags & MOUNT_IDMAP_RECURSIVE;
	return 0;
}

static int plan_idmap(const struct spec *s, const struct spec_mount *m,
		      const struct mount_facts *facts, struct arena *a, struct mount_op *op,
		      struct err *e)
{
	if (!(op->options.flags & MOUNT_IDMAP) && !m->uid_mappings.n)
		return 0;
	if (!facts->host_opens)
		return err_set(
			e, EPERM,
			"%s: an id-mapped mount needs root, and a mount namespace that is made "
			"for the container",
			op->name);
	if (op->kind == MOUNT_KIND_REMOUNT)
		return err_set(e, EINVAL, "%s: a remount cannot id-map what is mounted already",
			       op->name);
	/* Its file system belongs to that namespace, and takes the maps of its children alone. */
	if (op->kind == MOUNT_KIND_FILESYSTEM && facts->user_namespace)
		return err_set(e, ENOTSUP,
			       "%s: a new %s in a user namespace cannot be id-mapped, a bind can",
			       op->name, op->type);
	if (mount_needs_classic(op))
		return err_set(
			e, ENOTSUP,
			"%s: a mount with an option of more than 255 bytes cannot be id-mapped",
			op->name);
	return find_idmap(s, m, a, op, e);
}

/* What of the hidden directory goes to the tmpfs: what the options do not give it. */
static int plan_copy_up(struct mount_op *op, struct err *e)
{
	static const struct {
		const char *option;
		unsigned keep;
	} given[] = {
		{ "mode=", COPY_UP_MODE },
		{ "uid=", COPY_UP_UID },
		{ "gid=", COPY_UP_GID },
	};

	if (!(op->options.flags & MOUNT_COPY_UP))
		return 0;
	if (op->kind != MOUNT_KIND_FILESYSTEM || strcmp(op->type, "tmpfs") != 0)
		return err_set(e, EINVAL,
			       "%s.options: \"tmpcopyup\" is for a tmpfs, and this is none",
			       op->name);
	op->copies = COPY_UP_MODE | COPY_UP_UID | COPY_UP_GID;
	for (size_t i = 0; i < op->options.super.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(given); k++)
			if (strncmp(op->options.super.at[i], given[k].option,
				    strlen(given[k].option)) == 0)
				op->copies &= ~given[k].keep;
	return 0;
}

/*
 * What a new tmpfs is to hold is still to be made: later mounts' places, and in /dev the default
 * devices. A superblock that is read-only from the start would take none of it.
 */
static void plan_readonly_last(struct mount_op *op)
{
	if (op->kind != MOUNT_KIND_FILESYSTEM || strcmp(op->type, "tmpfs") != 0 ||
	    !(op->options.attrs.set & MOUNT_ATTR_RDONLY))
		return;
	op->readonly_last = true;
	op->options.attrs.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
}

/*
 * linux.mountLabel: the SELinux context of all in a new file system, but for those whose files the
 * policy labels by themselves. What is bound has the host's labels, and an option has its own word.
 */
static void plan_label(const char *label, struct arena *a, struct mount_op *op)
{
	static const char *const by_policy[] = { "proc", "sysfs", "cgroup2", "mqueue" };
	struct strings options = { .at = arena_array(a, op->options.super.n + 1,
						     sizeof(*options.at)) };

	if (!label || op->kind != MOUNT_KIND_FILESYSTEM)
		return;
	for (size_t i = 0; i < ARRAY_LEN(by_policy); i++)
		if (strcmp(op->type, by_policy[i]) == 0)
			return;
	for (size_t i = 0; i < op->options.super.n; i++) {
		if (strncmp(op->options.super.at[i], MOUNT_CONTEXT, strlen(MOUNT_CONTEXT)) == 0)
			return;
		options.at[options.n++] = op->options.super.at[i];
	}
	options.at[options.n++] = arena_printf(a, MOUNT_CONTEXT "%s", label);
	op->options.super = options;
}

/*
 * A bind, and a change of one mount alone, have no use for what is a file system's: mount(2) passes
 * it over, so engines may send such words, and a misspelt "nosuid" looks like one.
 */
static void plan_unused(struct mount_op *op, struct arena *a, struct strings *warnings)
{
	const bool bind = op->kind == MOUNT_KIND_BIND;

	if (!bind && !(op->kind == MOUNT_KIND_REMOUNT && (op->options.flags & MOUNT_BIND)))
		return;
	for (size_t i = 0; i < op->options.super.n; i++)
		warnings->at[warnings->n++] =
			arena_printf(a, "%s.options: %s means nothing for a %s, and is ignored",
				     op->name, json_quote(op->options.super.at[i]).text,
				     bind ? "bind" : "remount of a bind");
	op->options.super.n = 0;
}

/* Room for a sentence about each option. */
static const char **make_room(const struct spec *s, struct arena *a)
{
	const char **at;
	size_t n = 0;

	for (size_t i = 0; i < s->mounts.n; i++)
		n += s->mounts.at[i].options.n;
	return arena_array(a, n, sizeof(*at));
}

/* The directory of the socket by which the program says that it is ready. */
static void plan_notify(const struct mount_facts *facts, struct mount_plan *ret)
{
	if (!facts->notify_dir)
		return;
	ret->mounts.at[ret->mounts.n++] = (struct mount_op){
		.name = "NOTIFY_SOCKET",
		.kind = MOUNT_KIND_BIND,
		.source = facts->notify_dir,
		.target = facts->notify_target,
		.options = { .attrs.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					  MOUNT_ATTR_NOEXEC,
			     .flags = MOUNT_BIND },
	};
}

static int plan_one(const struct spec *s, size_t index, const struct mount_facts *facts,
		    struct arena *a, struct mount_op *ret, struct strings *warnings, struct err *e)
{
	const struct spec_mount *m = &s->mounts.at[index];
	const char *tidied;

	*ret = (struct mount_op){ .name = arena_printf(a, "mounts[%zu]", index),
				  .type = m->type,
				  .source = m->source,
				  .target = m->destination };
	mount_options_parse(&m->options, a, &ret->options);
	if (ret->options.flags & MOUNT_REMOUNT) {
		ret->kind = MOUNT_KIND_REMOUNT;
	} else if ((ret->options.flags & MOUNT_BIND) || (m->type && strcmp(m->type, "bind") == 0)) {
		ret->kind = MOUNT_KIND_BIND;
		ret->type = NULL;
		if (!(ret->options.flags & MOUNT_BIND))
			ret->options.flags |= MOUNT_BIND | MOUNT_RECURSIVE;
	} else if (!m->type) {
		return err_set(e, EINVAL, "%s.type: missing, and the options do not say bind",
			       ret->name);
	} else if (strcmp(m->type, "cgroup") == 0 || strcmp(m->type, "cgroup2") == 0) {
		TRY(plan_cgroup(ret, facts, e));
	} else {
		ret->kind = MOUNT_KIND_FILESYSTEM;
	}
	if (ret->kind == MOUNT_KIND_BIND && !ret->source)
		return err_set(e, EINVAL, "%s.source: missing", ret->name);
	TRY(check_links(m, ret, e));
	TRY(plan_copy_up(ret, e));
	plan_unused(ret, a, warnings);
	plan_readonly_last(ret);
	plan_label(s->linux.mount_label, a, ret);
	TRY(plan_idmap(s, m, facts, a, ret, e));
	tidied = tidy(a, ret->target);
	ret->on_proc = strcmp(tidied, "proc") == 0;
	ret->below_proc = is_bindable_below_proc(tidied);
	return check_target(ret, tidied, e);
}

/* A /dev of the host's, bound or as its only devtmpfs: nothing is made in that. */
static bool shows_host_dev(const struct mount_plan *plan, struct arena *a)
{
	for (size_t i = 0; i < plan->mounts.n; i++) {
		const struct mount_op *op = &plan->mounts.at[i];

		if ((op->kind == MOUNT_KIND_BIND ||
		     (op->type && strcmp(op->type, "devtmpfs") == 0)) &&
		    strcmp(tidy(a, op->target), "dev") == 0)
			return true;
	}
	return false;
}

static bool is_configured(const struct spec *s, const char *path)
{
	for (size_t i = 0; i < s->linux.devices.n; i++)
		if (strcmp(s->linux.devices.at[i].path, path) == 0)
			return true;
	return false;
}

static mode_t type_bits(int type)
{
	return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR;
}

static void plan_devices(const struct spec *s, bool defaults, struct arena *a,
			 struct mount_plan *ret)
{
	struct device_op *op;

	ret->devices.at = arena_array(a, ARRAY_LEN(default_devices) + s->linux.devices.n,
				      sizeof(*ret->devices.at));
	for (size_t i = 0; defaults && i < ARRAY_LEN(default_devices); i++) {
		if (is_configured(s, default_devices[i].path))
			continue;
		op = &ret->devices.at[ret->devices.n++];
		op->name = "default device";
		op->path = default_devices[i].path;
		op->mode = S_IFCHR | 0666;
		op->number = makedev(default_devices[i].major, default_devices[i].minor);
	}
	for (size_t i = 0; i < s->linux.devices.n; i++) {
		const struct spec_device *d = &s->linux.devices.at[i];

		op = &ret->devices.at[ret->devices.n++];
		op->name = arena_printf(a, "linux.devices[%zu]", i);
		op->path = d->path;
		op->mode =
			type_bits(d->type) | (d->file_mode.set ? d->file_mode.value & 07777 : 0666);
		op->number = makedev((unsigned)d->major, (unsigned)d->minor);
		op->uid = d->uid.value;
		op->gid = d->gid.value;
		op->must_match = true;
	}
	if (defaults) {
		ret->links.at = (struct link_op *)default_links;
		ret->links.n = ARRAY_LEN(default_links);
	}
}

static int without_namespace(const struct spec *s, struct err *e)
{
	if (s->mounts.n)
		return err_set(e, EINVAL,
			       "mounts: without a mount namespace they would be made on the host");
	if (s->root.readonly)
		return err_set(e, EINVAL, "root.readonly: needs a mount namespace");
	if (s->linux.masked_paths.n)
		return err_set(e, EINVAL, "linux.maskedPaths: needs a mount namespace");
	if (s->linux.readonly_paths.n)
		return err_set(e, EINVAL, "linux.readonlyPaths: needs a mount namespace");
	return 0;
}

int mount_plan(const struct spec *s, const char *rootfs, const struct mount_facts *facts,
	       struct arena *a, struct mount_plan *ret, struct err *e)
{
	*ret = (struct mount_plan){ .rootfs = rootfs };
	if (!facts->mount_namespace)
		return without_namespace(s, e);
	ret->own_namespace = true;
	ret->pivot = !facts->no_pivot && !facts->joined_mounts;
	ret->readonly_root = s->root.readonly;
	ret->bind_devices = facts->user_namespace;
	ret->propagation = MS_SLAVE | MS_REC;
	if (s->linux.rootfs_propagation) {
		ret->propagation = (unsigned long)s->linux.rootfs_propagation | MS_REC;
		ret->root_propagation = (unsigned long)s->linux.rootfs_propagation;
	}
	ret->mounts.at = arena_array(a, s->mounts.n + 1, sizeof(*ret->mounts.at));
	ret->warnings.at = make_room(s, a);
	for (size_t i = 0; i < s->mounts.n; i++) {
		TRY(plan_one(s, i, facts, a, &ret->mounts.at[i], &ret->warnings, e));
		ret->mounts.n++;
	}
	plan_notify(facts, ret);
	plan_devices(s, !shows_host_dev(ret, a), a, ret);
	ret->masked = s->linux.masked_paths;
	ret->readonly = s->linux.readonly_paths;
	return 0;
}
