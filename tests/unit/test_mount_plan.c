/* The configuration -> what is mounted where. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "mounts/plan.h"

#define LIST_OF(T, ...)                                                                   \
	{                                                                                 \
		.at = (T[]){ __VA_ARGS__ }, .n = sizeof((T[]){ __VA_ARGS__ }) / sizeof(T) \
	}
#define STRINGS(...) LIST_OF(const char *, __VA_ARGS__)
#define MOUNTS(...) .mounts = LIST_OF(struct spec_mount, __VA_ARGS__)
#define NOTHING               \
	{                     \
		.root = { 0 } \
	}
#define SET(v)          \
	{               \
		true, v \
	}

static void print_maps(const struct spec_idmaps *maps, struct buf *out)
{
	for (size_t i = 0; i < maps->n; i++)
		buf_printf(out, "%u-%u-%u ", maps->at[i].container_id, maps->at[i].host_id,
			   maps->at[i].size);
}

/* One line per mount: "NAME KIND TYPE SOURCE -> TARGET [options]". */
static void print_mounts(const struct mount_plan *plan, struct buf *out)
{
	static const char *const kinds[] = { "bind", "new", "remount" };

	buf_str(out, "");
	for (size_t i = 0; i < plan->mounts.n; i++) {
		const struct mount_op *op = &plan->mounts.at[i];

		buf_printf(out, "%s%s %s %s %s -> %s", i ? "\n" : "", op->name, kinds[op->kind],
			   op->type ? op->type : "-", op->source ? op->source : "-", op->target);
		if (op->options.flags & MOUNT_RECURSIVE)
			buf_str(out, " rec");
		if (op->options.attrs.set & MOUNT_ATTR_RDONLY)
			buf_str(out, " ro");
		if (op->readonly_last)
			buf_str(out, " ro-last");
		if (op->idmap.uids.n) {
			buf_str(out, " idmap(");
			print_maps(&op->idmap.uids, out);
			print_maps(&op->idmap.gids, out);
			buf_str(out, op->idmap.recursive ? "rec)" : "");
			if (!op->idmap.recursive)
				out->text[out->len - 1] = ')';
		}
		if (op->copies)
			buf_printf(out, " copies=%s%s%s", op->copies & COPY_UP_MODE ? "m" : "",
				   op->copies & COPY_UP_UID ? "u" : "",
				   op->copies & COPY_UP_GID ? "g" : "");
		for (size_t j = 0; j < op->options.super.n; j++)
			buf_printf(out, " <%s>", op->options.super.at[j]);
	}
}

static const struct mount_facts usual = { .mount_namespace = true, .cgroup_namespace = true };

struct row {
	const char *name;
	struct spec s;
	struct mount_facts facts;
	const char *plan; /* or, with `code`, the message */
	int code;
};

#define BOTH .mount_namespace = true, .cgroup_namespace = true

static const struct row rows[] = {
	{ "nothing", NOTHING, { BOTH }, "", 0 },

	/* kinds */
	{ "a new file system",
	  { MOUNTS({ .destination = "/proc", .type = "proc", .source = "proc" }) },
	  { BOTH },
	  "mounts[0] new proc proc -> /proc",
	  0 },
	{ "with options",
	  { MOUNTS({ .destination = "/dev",
		     .type = "tmpfs",
		     .source = "tmpfs",
		     .options = STRINGS("nosuid", "ro", "mode=755") }) },
	  { BOTH },
	  "mounts[0] new tmpfs tmpfs -> /dev ro-last <mode=755>",
	  0 },
	{ "without a source",
	  { MOUNTS({ .destination = "/tmp", .type = "tmpfs" }) },
	  { BOTH },
	  "mounts[0] new tmpfs - -> /tmp",
	  0 },
	{ "a bind",
	  { MOUNTS({ .destination = "/data",
		     .type = "bind",
		     .source = "/srv",
		     .options = STRINGS("bind", "ro") }) },
	  { BOTH },
	  "mounts[0] bind - /srv -> /data ro",
	  0 },
	{ "a bind by its option",
	  { MOUNTS({ .destination = "/data", .source = "/srv", .options = STRINGS("rbind") }) },
	  { BOTH },
	  "mounts[0] bind - /srv -> /data rec",
	  0 },
	{ "a bind by its option, whatever the type",
	  { MOUNTS({ .destination = "/data",
		     .type = "none",
		     .source = "srv",
		     .options = STRINGS("bind") },
		   { .destination = "/more",
		     .type = "tmpfs",
		     .source = "more",
		     .options = STRINGS("rbind") }) },
	  { BOTH },
	  "mounts[0] bind - srv -> /data\nmounts[1] bind - more -> /more rec",
	  0 },
	{ "a bind by its type: of all below",
	  { MOUNTS({ .destination = "/data", .type = "bind", .source = "/srv" }) },
	  { BOTH },
	  "mounts[0] bind - /srv -> /data rec",
	  0 },
	{ "a remount",
	  { MOUNTS({ .destination = "/sys", .type = "sysfs", .source = "sysfs" },
		   { .destination = "/sys",
		     .type = "bind",
		     .source = "/sys",
		     .options = STRINGS("remount", "bind", "ro") }) },
	  { BOTH },
	  "mounts[0] new sysfs sysfs -> /sys\nmounts[1] remount bind /sys -> /sys ro",
	  0 },
	{ "a remount needs neither type nor source",
	  { MOUNTS({ .destination = "/sys", .options = STRINGS("remount", "ro") }) },
	  { BOTH },
	  "mounts[0] remount - - -> /sys ro",
	  0 },
	{ "an unknown type is the kernel's to refuse",
	  { MOUNTS({ .destination = "/x", .type = "nosuchfs", .source = "x" }) },
	  { BOTH },
	  "mounts[0] new nosuchfs x -> /x",
	  0 },
	{ "no type",
	  { MOUNTS({ .destination = "/proc", .type = "proc", .source = "proc" },
		   { .destination = "/x", .source = "/srv", .options = STRINGS("ro") }) },
	  { BOTH },
	  "mounts[1].type: missing, and the options do not say bind",
	  EINVAL },
	{ "a bind of nothing",
	  { MOUNTS({ .destination = "/x", .type = "bind" }) },
	  { BOTH },
	  "mounts[0].source: missing",
	  EINVAL },
	{ "a bind of nothing, by its option",
	  { MOUNTS({ .destination = "/x", .options = STRINGS("rbind") }) },
	  { BOTH },
	  "mounts[0].source: missing",
	  EINVAL },

	/* cgroups */
	{ "a cgroup namespace makes it a file system",
	  { MOUNTS({ .destination = "/sys/fs/cgroup",
		     .type = "cgroup",
		     .source = "cgroup",
		     .options = STRINGS("ro", "nsdelegate") }) },
	  { BOTH, .cgroup_dir = "/sys/fs/cgroup/c" },
	  "mounts[0] new cgroup2 cgroup -> /sys/fs/cgroup ro",
	  0 },
	{ "cgroup2 is the same",
	  { MOUNTS({ .destination = "/sys/fs/cgroup", .type = "cgroup2" }) },
	  { BOTH },
	  "mounts[0] new cgroup2 cgroup -> /sys/fs/cgroup",
	  0 },
	{ "without one it is the container's cgroup alone",
	  { MOUNTS({ .destination = "/sys/fs/cgroup",
		     .type = "cgroup",
		     .source = "cgroup",
		     .options = STRINGS("ro", "x=y") }) },
	  { .mount_namespace = true, .cgroup_dir = "/sys/fs/cgroup/c" },
	  "mounts[0] bind - /sys/fs/cgroup/c -> /sys/fs/cgroup ro",
	  0 },
	{ "without either it is nothing",
	  { MOUNTS({ .destination = "/sys/fs/cgroup", .type = "cgroup2", .source = "cgroup" }) },
	  { .mount_namespace = true },
	  "mounts[0]: a cgroup mount needs a cgroup or a cgroup namespace, and this container has "
	  "neither",
	  EINVAL },
	{ "a bind of the host's cgroups is a bind",
	  { MOUNTS({ .destination = "/sys/fs/cgroup",
		     .type = "cgroup",
		     .source = "/sys/fs/cgroup",
		     .options = STRINGS("rbind", "ro") }) },
	  { .mount_namespace = true },
	  "mounts[0] bind - /sys/fs/cgroup -> /sys/fs/cgroup rec ro",
	  0 },

	/* id-mapped mounts */
	/* id maps */
	{ "an id-mapped bind, by its own mappings",
	  { MOUNTS({ .destination = "/x",
		     .type = "bind",
		     .source = "/srv",
		     .options = STRINGS("bind"),
		     .uid_mappings = LIST_OF(struct spec_idmap, { 0, 1000, 1 }),
		     .gid_mappings = LIST_OF(struct spec_idmap, { 0, 2000, 3 }) }) },
	  { BOTH, .host_opens = true },
	  "mounts[0] bind - /srv -> /x idmap(0-1000-1 0-2000-3)",
	  0 },
	{ "by crun's option",
	  { MOUNTS({ .destination = "/x",
		     .type = "bind",
		     .source = "/srv",
		     .options = STRINGS("rbind", "ridmap=uids=0-1000-1#5-6-7;gids=0-1000-1") }) },
	  { BOTH, .host_opens = true },
	  "mounts[0] bind - /srv -> /x rec idmap(0-1000-1 5-6-7 0-1000-1 rec)",
	  0 },
	{ "by the container's mappings",
	  { MOUNTS({ .destination = "/x", .source = "/srv", .options = STRINGS("bind", "idmap") }),
	    .linux = { .uid_mappings = LIST_OF(struct spec_idmap, { 0, 7, 8 }),
		       .gid_mappings = LIST_OF(struct spec_idmap, { 0, 9, 10 }) } },
	  { BOTH, .host_opens = true, .user_namespace = true },
	  "mounts[0] bind - /srv -> /x idmap(0-7-8 0-9-10)",
	  0 },
	{ "of a new file system",
	  { MOUNTS({ .destination = "/x", .type = "tmpfs", .options = STRINGS("idmap") }),
	    .linux = { .uid_mappings = LIST_OF(struct spec_idmap, { 0, 7, 8 }),
		       .gid_mappings = LIST_OF(struct spec_idmap, { 0, 9, 10 }) } },
	  { BOTH, .host_opens = true },
	  "mounts[0] new tmpfs - -> /x idmap(0-7-8 0-9-10)",
	  0 },
	{ "of a new file system in a user namespace",
	  { MOUNTS({ .destination = "/x", .type = "tmpfs", .options = STRINGS("idmap") }) },
	  { BOTH, .host_opens = true, .user_namespace = true },
	  "mounts[0]: a new tmpfs in a user namespace cannot be id-mapped, a bind can",
	  ENOTSUP },
	{ "without mappings: a user namespace that is joined has none here",
	  { MOUNTS(
		  { .destination = "/x", .source = "/srv", .options = STRINGS("bind", "idmap") }) },
	  { BOTH, .host_opens = true },
	  "mounts[0].options: \"idmap\" needs mappings, of the mount or of the container",
	  EINVAL },
	{ "without privilege",
	  { MOUNTS(
		  { .destination = "/x", .source = "/srv", .options = STRINGS("bind", "idmap") }) },
	  { BOTH },
	  "mounts[0]: an id-mapped mount needs root, and a mount namespace that is made for the "
	  "container",
	  EPERM },
	{ "of a remount",
	  { MOUNTS({ .destination = "/x", .options = STRINGS("remount", "idmap") }) },
	  { BOTH, .host_opens = true },
	  "mounts[0]: a remount cannot id-map what is mounted already",
	  EINVAL },
	{ "crun's option, misspelt",
	  { MOUNTS({ .destination = "/x",
		     .source = "/srv",
		     .options = STRINGS("bind", "idmap=uids=0-1000;gids=0-1000-1") }) },
	  { BOTH, .host_opens = true },
	  "mounts[0].options: idmap: \"uids=0-1000;gids=0-1000-1\" is not of the form "
	  "uids=FILE-HOST-SIZE#...;gids=...",
	  EINVAL },
	{ "crun's option, relative to no mappings",
	  { MOUNTS({ .destination = "/x",
		     .source = "/srv",
		     .options = STRINGS("bind", "idmap=uids=@0-0-1;gids=@0-0-1") }) },
	  { BOTH, .host_opens = true },
	  "mounts[0].options: idmap: \"uids=@0-0-1;gids=@0-0-1\": \"@\" is for ids of the "
	  "container, and its user namespace does not map all of these",
	  EINVAL },
	{ "a tmpfs is read-only once all that it is to hold is made",
	  { MOUNTS({ .destination = "/dev", .type = "tmpfs", .options = STRINGS("ro") },
		   { .destination = "/y", .type = "tmpfs", .options = STRINGS("ro", "rw") },
		   { .destination = "/sys", .type = "sysfs", .options = STRINGS("ro") }) },
	  { BOTH },
	  "mounts[0] new tmpfs - -> /dev ro-last\n"
	  "mounts[1] new tmpfs - -> /y\n"
	  "mounts[2] new sysfs - -> /sys ro",
	  0 },
	{ "what a tmpfs hides is copied into it",
	  { MOUNTS({ .destination = "/x",
		     .type = "tmpfs",
		     .options = STRINGS("ro", "tmpcopyup") }) },
	  { BOTH },
	  "mounts[0] new tmpfs - -> /x ro-last copies=mug",
	  0 },
	{ "but for what the options give the top directory",
	  { MOUNTS({ .destination = "/x",
		     .type = "tmpfs",
		     .options = STRINGS("mode=700", "tmpcopyup", "gid=5") }) },
	  { BOTH },
	  "mounts[0] new tmpfs - -> /x copies=u <mode=700> <gid=5>",
	  0 },
	{ "tmpcopyup of a bind",
	  { MOUNTS({ .destination = "/x",
		     .source = "/y",
		     .options = STRINGS("bind", "tmpcopyup") }) },
	  { BOTH },
	  "mounts[0].options: \"tmpcopyup\" is for a tmpfs, and this is none",
	  EINVAL },
	{ "tmpcopyup of another file system",
	  { MOUNTS({ .destination = "/x", .type = "ramfs", .options = STRINGS("tmpcopyup") }) },
	  { BOTH },
	  "mounts[0].options: \"tmpcopyup\" is for a tmpfs, and this is none",
	  EINVAL },
	{ "a link that is to be copied",
	  { MOUNTS({ .destination = "/x",
		     .source = "/y",
		     .options = STRINGS("bind", "copy-symlink") }) },
	  { BOTH },
	  "mounts[0] bind - /y -> /x",
	  0 },
	{ "a link that cannot be copied",
	  { MOUNTS({ .destination = "/x",
		     .type = "tmpfs",
		     .source = "/y",
		     .options = STRINGS("ro", "copy-symlink") }) },
	  { BOTH },
	  "mounts[0].options[1]: \"copy-symlink\" is for a bind, and this is none",
	  EINVAL },
	{ "a link that is to be copied and bound",
	  { MOUNTS({ .destination = "/x",
		     .source = "/y",
		     .options = STRINGS("bind", "copy-symlink", "src-nofollow") }) },
	  { BOTH },
	  "mounts[0].options: \"copy-symlink\" goes with neither \"src-nofollow\" nor "
	  "\"dest-nofollow\"",
	  EINVAL },
	{ "a source that is none",
	  { MOUNTS({ .destination = "/x", .type = "tmpfs", .options = STRINGS("src-nofollow") }) },
	  { BOTH },
	  "mounts[0].options[0]: \"src-nofollow\" is for a bind, and this is none",
	  EINVAL },

	/* the socket by which the program says that it is ready */
	{ "a notify socket comes last",
	  { MOUNTS({ .destination = "/run", .type = "tmpfs" }) },
	  { BOTH, .notify_dir = "/run/hull/c/notify", .notify_target = "/run/notify" },
	  "mounts[0] new tmpfs - -> /run\nNOTIFY_SOCKET bind - /run/hull/c/notify -> /run/notify "
	  "ro",
	  0 },
	{ "a notify socket alone",
	  NOTHING,
	  { BOTH, .notify_dir = "/run/hull/c/notify", .notify_target = "/run/notify" },
	  "NOTIFY_SOCKET bind - /run/hull/c/notify -> /run/notify ro",
	  0 },
};

static void expect_row(const struct row *row)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 };
	struct mount_plan plan;
	struct err e = { 0 };
	int r = mount_plan(&row->s, "/rootfs", &row->facts, &a, &plan, &e);

	cr_expect_eq(r, -row->code, "%s: %d (%s)", row->name, r, e.msg);
	if (row->code) {
		cr_expect_str_eq(e.msg, row->plan, "%s: \"%s\"", row->name, e.msg);
		cr_expect_eq(e.code, row->code, "%s", row->name);
		return;
	}
	print_mounts(&plan, &text);
	cr_expect_str_eq(text.text, row->plan, "%s: \"%s\"", row->name, text.text);
	cr_expect_str_eq(plan.rootfs, "/rootfs");
	cr_expect(plan.own_namespace);
}

Test(mount_plan, mounts)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_row(&rows[i]);
}

/* Destinations, of a bind of "/srv" and of a tmpfs: NULL is fine, else the message. */

#define ROOT(path) "mounts[0].destination: \"" path "\" is the root file system itself"
#define PROC(path) \
	"mounts[0].destination: \"" path "\" is inside /proc, where nothing may be mounted"

static const struct {
	const char *path, *message;
	int code;
} destinations[] = {
	{ "/data", NULL, 0 },
	{ "data", NULL, 0 },
	{ "/a/b/../c", NULL, 0 },
	{ "/...", NULL, 0 },
	{ "/.hidden", NULL, 0 },

	{ "/", ROOT("/"), EINVAL },
	{ "//", ROOT("//"), EINVAL },
	{ "/.", ROOT("/."), EINVAL },
	{ ".", ROOT("."), EINVAL },
	{ "./", ROOT("./"), EINVAL },
	{ "/././/.", ROOT("/././/."), EINVAL },
	{ "/..", ROOT("/.."), EINVAL },
	{ "..", ROOT(".."), EINVAL },
	{ "/a/..", ROOT("/a/.."), EINVAL },
	{ "/../../a/b/../..", ROOT("/../../a/b/../.."), EINVAL },

	{ "/proc/self", PROC("/proc/self"), EPERM },
	{ "/proc/self/attr", PROC("/proc/self/attr"), EPERM },
	{ "/proc/1/ns", PROC("/proc/1/ns"), EPERM },
	{ "/proc/sys", PROC("/proc/sys"), EPERM },
	{ "/proc/sys/kernel/core_pattern", PROC("/proc/sys/kernel/core_pattern"), EPERM },
	{ "/proc/cpuinfo/x", PROC("/proc/cpuinfo/x"), EPERM },
	{ "/proc/cpuinf", PROC("/proc/cpuinf"), EPERM },
	{ "/proc/net", PROC("/proc/net"), EPERM },
	{ "/proc/sysrq-trigger", PROC("/proc/sysrq-trigger"), EPERM },
	{ "proc/self/attr", PROC("proc/self/attr"), EPERM },
	{ "//proc//self/./attr/", PROC("//proc//self/./attr/"), EPERM },
	{ "/./proc/self", PROC("/./proc/self"), EPERM },
	{ "/../proc/self/attr", PROC("/../proc/self/attr"), EPERM },
	{ "/a/../proc/self/attr", PROC("/a/../proc/self/attr"), EPERM },
	{ "/proc/../proc/self/attr", PROC("/proc/../proc/self/attr"), EPERM },

	{ "/proc/cpuinfo", NULL, 0 },
	{ "/proc/diskstats", NULL, 0 },
	{ "/proc/meminfo", NULL, 0 },
	{ "/proc/stat", NULL, 0 },
	{ "/proc/swaps", NULL, 0 },
	{ "/proc/uptime", NULL, 0 },
	{ "/proc/loadavg", NULL, 0 },
	{ "/proc/slabinfo", NULL, 0 },
	{ "/proc/sys/kernel/ns_last_pid", NULL, 0 },
	{ "/proc/sys/crypto/fips_enabled", NULL, 0 },
	{ "/proc/net/dev", NULL, 0 },
	{ "//proc/.//meminfo", NULL, 0 },
	{ "/process/self", NULL, 0 },
	{ "/a/proc/self", NULL, 0 },
	{ "/proc/../data", NULL, 0 },
};

static void expect_destinations(const char *type, const char *source)
{
	for (size_t i = 0; i < ARRAY_LEN(destinations); i++) {
		struct spec s = { MOUNTS(
			{ .destination = destinations[i].path, .type = type, .source = source }) };
		auto_arena struct arena a = { 0 };
		struct mount_plan plan;
		struct err e = { 0 };
		int r = mount_plan(&s, "/rootfs", &usual, &a, &plan, &e);

		cr_expect_eq(r, -destinations[i].code, "%s on %s: %d (%s)", type,
			     destinations[i].path, r, e.msg);
		cr_expect_str_eq(e.msg, destinations[i].message ? destinations[i].message : "",
				 "%s on %s: %s", type, destinations[i].path, e.msg);
	}
}

Test(mount_plan, destinations_of_binds)
{
	expect_destinations("bind", "/srv");
}

/* An empty tmpfs over /proc/self/attr fakes as well as a bind does (CVE-2019-16884). */
Test(mount_plan, destinations_of_file_systems)
{
	expect_destinations("tmpfs", "tmpfs");
}

/* A context is a new file system's, where the policy has none for it and the options neither. */
Test(mount_plan, labels)
{
	static const struct {
		const char *type, *options[2];
		const char *super; /* all of them, each with a space behind it */
	} rows[] = {
		{ "tmpfs", { "size=64k", "nosuid" }, "size=64k context=u:r:t:s0:c1,c2 " },
		{ "devpts", { "newinstance" }, "newinstance context=u:r:t:s0:c1,c2 " },
		{ "tmpfs", { "context=other" }, "context=other " },
		{ "none", { "bind" }, "" },
		{ "proc", { NULL }, "" },
		{ "sysfs", { NULL }, "" },
		{ "mqueue", { NULL }, "" },
		{ "cgroup", { NULL }, "" },
	};
	static const struct mount_facts usual = { .mount_namespace = true,
						  .cgroup_namespace = true };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec_mount mount = { .destination = "/x",
					    .source = "/",
					    .type = rows[i].type,
					    .options = { (const char **)rows[i].options,
							 !!rows[i].options[0] +
								 !!rows[i].options[1] } };
		struct spec spec = { .mounts = { &mount, 1 },
				     .linux = { .mount_label = "u:r:t:s0:c1,c2" } };
		auto_arena struct arena a = { 0 };
		auto_buf struct buf super = { 0 };
		struct mount_plan plan;
		struct err e = { 0 };

		cr_assert_eq(mount_plan(&spec, "/rootfs", &usual, &a, &plan, &e), 0, "%s", e.msg);
		for (size_t k = 0; k < plan.mounts.at[0].options.super.n; k++)
			buf_printf(&super, "%s ", plan.mounts.at[0].options.super.at[k]);
		cr_expect_str_eq(super.text ? super.text : "", rows[i].super, "row %zu: %s", i,
				 super.text);
	}
}

/* Each option that nothing is made of is told by name, and none that does something. */
Test(mount_plan, options_that_come_to_nothing)
{
	static const struct {
		const char *type, *options[4];
		const char *super, *warnings;
	} words[] = {
		{ NULL,
		  { "rbind", "nosiud", "readonly" },
		  "",
		  "mounts[0].options: \"nosiud\" means nothing for a bind, and is ignored\n"
		  "mounts[0].options: \"readonly\" means nothing for a bind, and is ignored\n" },
		{ "bind",
		  { "size=1m" },
		  "",
		  "mounts[0].options: \"size=1m\" means nothing for a bind, and is ignored\n" },
		{ NULL,
		  { "bind", "sync" },
		  "",
		  "mounts[0].options: \"sync\" means nothing for a bind, and is ignored\n" },
		{ NULL,
		  { "remount", "bind", "size=1m" },
		  "",
		  "mounts[0].options: \"size=1m\" means nothing for a remount of a bind, and is "
		  "ignored\n" },
		{ NULL, { "bind", "", "nosuid", "rprivate" }, "", "" },
		{ NULL, { "remount", "size=1m" }, "size=1m ", "" },
		{ "tmpfs", { "size=1m", "nosiud" }, "size=1m nosiud ", "" }, /* it says so itself */
		{ "cgroup", { "xattr" }, "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct spec_mount mount = { .destination = "/x",
					    .source = "/",
					    .type = words[i].type,
					    .options = { (const char **)words[i].options, 0 } };
		struct spec spec = { .mounts = { &mount, 1 } };
		auto_arena struct arena a = { 0 };
		auto_buf struct buf super = { 0 }, warnings = { 0 };
		struct mount_plan plan;
		struct err e = { 0 };

		while (mount.options.n < 4 && mount.options.at[mount.options.n])
			mount.options.n++;
		cr_assert_eq(mount_plan(&spec, "/rootfs", &usual, &a, &plan, &e), 0, "%s", e.msg);
		for (size_t k = 0; k < plan.mounts.at[0].options.super.n; k++)
			buf_printf(&super, "%s ", plan.mounts.at[0].options.super.at[k]);
		for (size_t k = 0; k < plan.warnings.n; k++)
			buf_printf(&warnings, "%s\n", plan.warnings.at[k]);
		cr_expect_str_eq(super.text ? super.text : "", words[i].super, "row %zu: %s", i,
				 super.text);
		cr_expect_str_eq(warnings.text ? warnings.text : "", words[i].warnings,
				 "row %zu: %s", i, warnings.text);
	}
}

/* What is no list of mappings is refused, and never half of it taken. */
Test(mount_plan, mappings_in_an_option)
{
	static const char *const wrong[] = {
		"",
		"uids=0-1-1",
		"gids=0-1-1",
		"uids=;gids=",
		"uids=0-1-1;gids=0-1-1x",
		"uids=0-1-1;gids=0-1-1;uids=0-1-1",
		"uids=0-1-1#;gids=0-1-1",
		"uids=0-1-0;gids=0-1-1",
		"uids=0-1--1;gids=0-1-1",
		"uids=0-4294967295-1;gids=0-1-1",
		"uids=4294967296-1-1;gids=0-1-1",
		"uids=0-1-99999999999999999999999;gids=0-1-1",
		"uids=0-1-1,gids=0-1-1",
		"uids=@;gids=@0-1-1",
		"uids=@@0-0-1;gids=0-1-1",
		"@uids=0-0-1;gids=0-1-1",
	};
	static const struct mount_idmap none = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		auto_arena struct arena a = { 0 };
		struct mount_idmap map;
		struct err e = { 0 };

		cr_expect_eq(mount_idmap_parse(wrong[i], &none, &a, &map, &e), -EINVAL, "%s",
			     wrong[i]);
	}
}

/* crun(1): "@" before a mapping says that its second number is an id of the container. */
Test(mount_plan, mappings_relative_to_the_containers)
{
	static struct spec_idmap uids[] = { { 0, 0, 1 }, { 1, 2, 1000 }, { 2000, 5000, 10 } },
				 gids[] = { { 0, 100, 4294967195U } };
	static const struct mount_idmap container = { .uids = { uids, ARRAY_LEN(uids) },
						      .gids = { gids, ARRAY_LEN(gids) } };
	static const struct {
		const char *text, *uids; /* NULL: it is refused */
	} options[] = {
		{ "uids=@1-3-10;gids=@0-0-1", "1:4+10 " }, /* the manual page's own */
		{ "uids=@5-0-1;gids=0-0-1", "5:0+1 " },
		{ "uids=@7-0-3;gids=0-0-1", "7:0+1 8:2+2 " },
		{ "uids=@0-1000-1#1-3-4#@9-2009-1;gids=0-0-1", "0:1001+1 1:3+4 9:5009+1 " },
		{ "uids=@0-2000-10;gids=@0-4294967194-1", "0:5000+10 " },
		{ "uids=@0-2000-11;gids=0-0-1", NULL },
		{ "uids=@0-1001-1;gids=0-0-1", NULL },
		{ "uids=@0-999-3;gids=0-0-1", NULL },
		{ "uids=0-0-1;gids=@0-4294967195-1", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf text = { 0 };
		struct mount_idmap map = { 0 };
		struct err e = { 0 };
		int r = mount_idmap_parse(options[i].text, &container, &a, &map, &e);

		for (size_t k = 0; k < map.uids.n; k++)
			buf_printf(&text, "%u:%u+%u ", map.uids.at[k].container_id,
				   map.uids.at[k].host_id, map.uids.at[k].size);
		cr_expect_eq(r, options[i].uids ? 0 : -EINVAL, "%s: %s", options[i].text, e.msg);
		cr_expect_str_eq(text.text ? text.text : "", options[i].uids ? options[i].uids : "",
				 "%s: %s", options[i].text, text.text);
	}
}

/*
 * The rest of the plan
 */

static const struct {
	const char *name;
	struct mount_facts facts;
	bool pivot, bind_devices;
} facts[] = {
	{ "usual", { .mount_namespace = true }, true, false },
	{ "--no-pivot", { .mount_namespace = true, .no_pivot = true }, false, false },
	{ "joined", { .mount_namespace = true, .joined_mounts = true }, false, false },
	{ "user namespace", { .mount_namespace = true, .user_namespace = true }, true, true },
};

Test(mount_plan, facts_decide)
{
	struct spec s = { .root = { .path = "rootfs", .readonly = true } };

	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		auto_arena struct arena a = { 0 };
		struct mount_plan plan;
		struct err e = { 0 };

		cr_expect_eq(mount_plan(&s, "/r", &facts[i].facts, &a, &plan, &e), 0, "%s", e.msg);
		cr_expect_eq(plan.pivot, facts[i].pivot, "%s", facts[i].name);
		cr_expect_eq(plan.bind_devices, facts[i].bind_devices, "%s", facts[i].name);
		cr_expect(plan.own_namespace && plan.readonly_root, "%s", facts[i].name);
	}
}

static const struct {
	int config;
	unsigned long first, last;
} propagations[] = {
	{ 0, MS_SLAVE | MS_REC, 0 },
	{ MS_PRIVATE, MS_PRIVATE | MS_REC, MS_PRIVATE },
	{ MS_PRIVATE | MS_REC, MS_PRIVATE | MS_REC, MS_PRIVATE | MS_REC },
	{ MS_SLAVE, MS_SLAVE | MS_REC, MS_SLAVE },
	{ MS_SLAVE | MS_REC, MS_SLAVE | MS_REC, MS_SLAVE | MS_REC },
	{ MS_SHARED, MS_SHARED | MS_REC, MS_SHARED },
	{ MS_SHARED | MS_REC, MS_SHARED | MS_REC, MS_SHARED | MS_REC },
};

Test(mount_plan, propagation)
{
	for (size_t i = 0; i < ARRAY_LEN(propagations); i++) {
		struct spec s = { .linux.rootfs_propagation = propagations[i].config };
		auto_arena struct arena a = { 0 };
		struct mount_plan plan;
		struct err e = { 0 };

		cr_expect_eq(mount_plan(&s, "/r", &usual, &a, &plan, &e), 0, "%s", e.msg);
		cr_expect_eq(plan.propagation, propagations[i].first, "row %zu", i);
		cr_expect_eq(plan.root_propagation, propagations[i].last, "row %zu", i);
	}
}

Test(mount_plan, protected_paths)
{
	struct spec s = { .linux = { .masked_paths = STRINGS("/proc/kcore", "/proc/keys"),
				     .readonly_paths = STRINGS("/proc/sys") } };
	auto_arena struct arena a = { 0 };
	struct mount_plan plan;
	struct err e = { 0 };

	cr_expect_eq(mount_plan(&s, "/r", &usual, &a, &plan, &e), 0, "%s", e.msg);
	cr_assert(plan.masked.n == 2 && plan.readonly.n == 1);
	cr_expect_str_eq(plan.masked.at[1], "/proc/keys");
	cr_expect_str_eq(plan.readonly.at[0], "/proc/sys");
	cr_expect_not(plan.readonly_root);
}

/*
 * Without a mount namespace, what needs one is refused: the host would get it.
 */

static const struct {
	const char *name;
	struct spec s;
	const char *message;
} without[] = {
	{ "nothing", { .root = { .path = "r" } }, NULL },
	{ "a mount",
	  { MOUNTS({ .destination = "/proc", .type = "proc", .source = "proc" }) },
	  "mounts: without a mount namespace they would be made on the host" },
	{ "a read-only root",
	  { .root = { .path = "r", .readonly = true } },
	  "root.readonly: needs a mount namespace" },
	/* what is to be hidden must not silently stay visible */
	{ "masked paths",
	  { .linux.masked_paths = STRINGS("/proc/kcore") },
	  "linux.maskedPaths: needs a mount namespace" },
	{ "read-only paths",
	  { .linux.readonly_paths = STRINGS("/proc/sys") },
	  "linux.readonlyPaths: needs a mount namespace" },
};

Test(mount_plan, without_a_mount_namespace)
{
	static const struct mount_facts none = { .cgroup_namespace = true };

	for (size_t i = 0; i < ARRAY_LEN(without); i++) {
		auto_arena struct arena a = { 0 };
		struct mount_plan plan;
		struct err e = { 0 };
		int r = mount_plan(&without[i].s, "/r", &none, &a, &plan, &e);

		cr_expect_eq(r, without[i].message ? -EINVAL : 0, "%s: %d", without[i].name, r);
		cr_expect_str_eq(e.msg, without[i].message ? without[i].message : "", "%s: %s",
				 without[i].name, e.msg);
		if (r < 0)
			continue;
		cr_expect_not(plan.own_namespace || plan.pivot || plan.readonly_root);
		cr_expect_eq(plan.mounts.n + plan.devices.n + plan.links.n + plan.masked.n, 0);
		cr_expect_eq(plan.propagation | plan.root_propagation, 0);
		cr_expect_str_eq(plan.rootfs, "/r");
	}
}

/*
 * Devices: "PATH TYPE MAJOR:MINOR MODE UID:GID[!]", "!" where it must match what is there
 */

static void print_devices(const struct mount_plan *plan, struct buf *out)
{
	buf_str(out, "");
	for (size_t i = 0; i < plan->devices.n; i++) {
		const struct device_op *d = &plan->devices.at[i];

		buf_printf(out, "%s%s %c %u:%u %o", i ? "\n" : "", d->path,
			   S_ISCHR(d->mode)    ? 'c'
			   : S_ISBLK(d->mode)  ? 'b'
			   : S_ISFIFO(d->mode) ? 'p'
					       : '?',
			   major(d->number), minor(d->number), d->mode & 07777U);
		if (d->uid || d->gid)
			buf_printf(out, " %u:%u", d->uid, d->gid);
		buf_str(out, d->must_match ? "!" : "");
	}
	for (size_t i = 0; i < plan->links.n; i++)
		buf_printf(out, "%s%s -> %s", out->len ? "\n" : "", plan->links.at[i].path,
			   plan->links.at[i].to);
}

#define NULL_AND_ON "/dev/null c 1:3 666\n" ZERO_AND_ON
#define ZERO_AND_ON                \
	"/dev/zero c 1:5 666\n"    \
	"/dev/full c 1:7 666\n"    \
	"/dev/random c 1:8 666\n"  \
	"/dev/urandom c 1:9 666\n" \
	"/dev/tty c 5:0 666"
#define LINKS                              \
	"\n/dev/fd -> /proc/self/fd"       \
	"\n/dev/stdin -> /proc/self/fd/0"  \
	"\n/dev/stdout -> /proc/self/fd/1" \
	"\n/dev/stderr -> /proc/self/fd/2" \
	"\n/dev/ptmx -> pts/ptmx"

static const struct {
	const char *name;
	struct spec s;
	const char *devices;
} device_rows[] = {
	{ "the defaults", NOTHING, NULL_AND_ON LINKS },
	{ "on a tmpfs",
	  { MOUNTS({ .destination = "/dev", .type = "tmpfs", .source = "tmpfs" }) },
	  NULL_AND_ON LINKS },
	{ "configured ones come after the defaults",
	  { .linux.devices = LIST_OF(struct spec_device,
				     { 'c', "/dev/fuse", 10, 229, SET(0600), SET(1), SET(2) },
				     { 'b', "/dev/loop0", 7, 0, { 0 }, { 0 }, { 0 } },
				     { 'p', "/run/fifo", 0, 0, SET(0), { 0 }, SET(7) }) },
	  NULL_AND_ON "\n/dev/fuse c 10:229 600 1:2!\n/dev/loop0 b 7:0 666!\n"
		      "/run/fifo p 0:0 0 0:7!" LINKS },
	{ "a configured one takes the place of a default",
	  { .linux.devices = LIST_OF(struct spec_device,
				     { 'c', "/dev/null", 1, 3, SET(0600), { 0 }, { 0 } }) },
	  ZERO_AND_ON "\n/dev/null c 1:3 600!" LINKS },
	{ "engines set the bits of the type in fileMode",
	  { .linux.devices =
		    LIST_OF(struct spec_device, { 'c', "/dev/x", 1, 2, SET(0020666), { 0 }, { 0 } },
			    { 'b', "/dev/y", 1, 2, SET(0106644), { 0 }, { 0 } }) },
	  NULL_AND_ON "\n/dev/x c 1:2 666!\n/dev/y b 1:2 6644!" LINKS },
	{ "big numbers",
	  { .linux.devices =
		    LIST_OF(struct spec_device,
			    { 'c', "/dev/x", 4095, 1048575, { 0 }, { 0 }, SET(4294967294) }) },
	  NULL_AND_ON "\n/dev/x c 4095:1048575 666 0:4294967294!" LINKS },

	/* a /dev of the host is left as it is */
	{ "a bound /dev",
	  { MOUNTS({ .destination = "/dev",
		     .type = "bind",
		     .source = "/dev",
		     .options = STRINGS("rbind") }) },
	  "" },
	{ "a bound /dev/",
	  { MOUNTS({ .destination = "/dev/", .source = "/dev", .options = STRINGS("bind") }) },
	  "" },
	{ "a bound /./dev//",
	  { MOUNTS({ .destination = "/./dev//.", .source = "/dev", .options = STRINGS("bind") }) },
	  "" },
	{ "a bound dev",
	  { MOUNTS({ .destination = "dev", .source = "/dev", .options = STRINGS("bind") }) },
	  "" },
	{ "configured ones are made all the same",
	  { MOUNTS({ .destination = "/dev", .type = "bind", .source = "/dev" }),
	    .linux.devices = LIST_OF(struct spec_device,
				     { 'c', "/dev/fuse", 10, 229, { 0 }, { 0 }, { 0 } }) },
	  "/dev/fuse c 10:229 666!" },
	{ "the host's devtmpfs, of which there is only one",
	  { MOUNTS({ .destination = "/dev", .type = "devtmpfs", .source = "devtmpfs" }) },
	  "" },
	{ "a bind below /dev",
	  { MOUNTS({ .destination = "/dev/shm", .type = "bind", .source = "/dev/shm" }) },
	  NULL_AND_ON LINKS },
	{ "a bind elsewhere",
	  { MOUNTS({ .destination = "/host/dev", .type = "bind", .source = "/dev" }) },
	  NULL_AND_ON LINKS },
	{ "a remount of /dev",
	  { MOUNTS({ .destination = "/dev",
		     .type = "bind",
		     .source = "/dev",
		     .options = STRINGS("remount", "bind", "ro") }) },
	  NULL_AND_ON LINKS },
};

Test(mount_plan, devices)
{
	for (size_t i = 0; i < ARRAY_LEN(device_rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf text = { 0 };
		struct mount_plan plan;
		struct err e = { 0 };

		cr_expect_eq(mount_plan(&device_rows[i].s, "/r", &usual, &a, &plan, &e), 0,
			     "%s: %s", device_rows[i].name, e.msg);
		print_devices(&plan, &text);
		cr_expect_str_eq(text.text, device_rows[i].devices, "%s:\n%s", device_rows[i].name,
				 text.text);
	}
}

Test(mount_plan, devices_have_names_for_messages)
{
	struct spec s = { .linux.devices = LIST_OF(struct spec_device,
						   { 'c', "/dev/null", 1, 3, { 0 }, { 0 }, { 0 } },
						   { 'c', "/dev/x", 1, 2, { 0 }, { 0 }, { 0 } }) };
	auto_arena struct arena a = { 0 };
	struct mount_plan plan;
	struct err e = { 0 };

	cr_assert_eq(mount_plan(&s, "/r", &usual, &a, &plan, &e), 0, "%s", e.msg);
	cr_assert_eq(plan.devices.n, 7);
	cr_expect_str_eq(plan.devices.at[0].name, "default device");
	cr_expect_str_eq(plan.devices.at[5].name, "linux.devices[0]");
	cr_expect_str_eq(plan.devices.at[6].name, "linux.devices[1]");
}

/* A user namespace changes how devices come to be, not which. */
Test(mount_plan, user_namespaces_have_the_same_devices)
{
	static const struct mount_facts user = { .mount_namespace = true, .user_namespace = true };
	struct spec s = NOTHING;
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 };
	struct mount_plan plan;
	struct err e = { 0 };

	cr_assert_eq(mount_plan(&s, "/r", &user, &a, &plan, &e), 0, "%s", e.msg);
	print_devices(&plan, &text);
	cr_expect_str_eq(text.text, NULL_AND_ON LINKS);
	cr_expect(plan.bind_devices);
}
