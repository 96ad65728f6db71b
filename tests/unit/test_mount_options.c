/* The table of mount options against one written by hand, and what lists of them come to. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/buf.h"
#include "mounts/options.h"

#define ATIME MOUNT_ATTR__ATIME
#define STRINGS(...)                                                          \
	{                                                                     \
		.at = (const char *[]){ __VA_ARGS__ },                        \
		.n = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *) \
	}

static void add_attrs(struct buf *out, const char *name, const struct mount_attrs *attrs)
{
	static const struct {
		const char *name;
		uint64_t bit;
	} bits[] = {
		{ "ro", MOUNT_ATTR_RDONLY },
		{ "nosuid", MOUNT_ATTR_NOSUID },
		{ "nodev", MOUNT_ATTR_NODEV },
		{ "noexec", MOUNT_ATTR_NOEXEC },
		{ "nodiratime", MOUNT_ATTR_NODIRATIME },
		{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
		{ "noatime", MOUNT_ATTR_NOATIME },
		{ "strictatime", MOUNT_ATTR_STRICTATIME },
	};
	uint64_t clear = attrs->clear & ~(uint64_t)ATIME;

	if (!attrs->set && !attrs->clear)
		return;
	buf_printf(out, "%s(", name);
	for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
		if (attrs->set & bits[i].bit)
			buf_printf(out, "+%s", bits[i].name);
		if (clear & bits[i].bit)
			buf_printf(out, "-%s", bits[i].name);
	}
	/* mount_setattr(2) takes an access-time mode only if all of the field is cleared. */
	if ((attrs->clear & ATIME) == ATIME)
		buf_str(out, "=atime");
	else if (attrs->clear & ATIME)
		buf_str(out, "!!");
	buf_str(out, ") ");
}

/* All that parsed options hold, as text: "attrs(+ro-nodev) all(...) private rshared flags super...". */
static void print_options(const struct mount_options *o, struct buf *out)
{
	static const char *const flags[] = { "BIND",          "REC",          "COPY_UP",
					     "IDMAP",         "IDMAP_REC",    "SRC_NOFOLLOW",
					     "DEST_NOFOLLOW", "COPY_SYMLINK", "REMOUNT" };

	buf_str(out, "");
	add_attrs(out, "attrs", &o->attrs);
	add_attrs(out, "all", &o->recursive);
	for (size_t i = 0; i < o->propagation.n; i++) {
		unsigned long type = o->propagation.at[i].type;

		buf_printf(out, "%s%s ", o->propagation.at[i].recursive ? "r" : "",
			   type == MS_SHARED       ? "shared"
			   : type == MS_SLAVE      ? "slave"
			   : type == MS_PRIVATE    ? "private"
			   : type == MS_UNBINDABLE ? "unbindable"
						   : "!!");
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (o->flags & 1U << i)
			buf_printf(out, "%s ", flags[i]);
	if (o->flags >> ARRAY_LEN(flags))
		buf_str(out, "!! ");
	for (size_t i = 0; i < o->super.n; i++)
		buf_printf(out, "<%s> ", o->super.at[i]);
	if (out->len)
		out->text[--out->len] = '\0';
}

static void expect_options(const struct strings *options, const char *expected)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 };
	struct mount_options o;

	memset(&o, 0xa5, sizeof(o));
	mount_options_parse(options, &a, &o);
	print_options(&o, &text);
	cr_expect_str_eq(text.text, expected, "\"%s\"...: \"%s\", not \"%s\"",
			 options->n ? options->at[0] : "", text.text, expected);
}

/* Every name of config.md, config-linux.md and mount(8) that hull knows, and what it does. */
static const struct {
	const char *name, *effect;
} names[] = {
	{ "async", "<async>" },
	{ "atime", "attrs(=atime)" },
	{ "bind", "BIND" },
	{ "copy-symlink", "COPY_SYMLINK" },
	{ "defaults", "" },
	{ "dest-nofollow", "DEST_NOFOLLOW" },
	{ "dev", "attrs(-nodev)" },
	{ "diratime", "attrs(-nodiratime)" },
	{ "dirsync", "<dirsync>" },
	{ "exec", "attrs(-noexec)" },
	{ "idmap", "IDMAP" },
	{ "iversion", "<iversion>" },
	{ "lazytime", "<lazytime>" },
	{ "loud", "" },
	{ "mand", "<mand>" },
	{ "noatime", "attrs(+noatime=atime)" },
	{ "nodev", "attrs(+nodev)" },
	{ "nodiratime", "attrs(+nodiratime)" },
	{ "noexec", "attrs(+noexec)" },
	{ "noiversion", "" },
	{ "nolazytime", "<nolazytime>" },
	{ "nomand", "<nomand>" },
	{ "norelatime", "" },
	{ "nostrictatime", "attrs(=atime)" },
	{ "nosuid", "attrs(+nosuid)" },
	{ "nosymfollow", "attrs(+nosymfollow)" },
	{ "private", "private" },
	{ "ratime", "all(=atime)" },
	{ "rbind", "BIND REC" },
	{ "rdev", "all(-nodev)" },
	{ "rdiratime", "all(-nodiratime)" },
	{ "relatime", "attrs(=atime)" },
	{ "remount", "REMOUNT" },
	{ "rexec", "all(-noexec)" },
	{ "ridmap", "IDMAP IDMAP_REC" },
	{ "rnoatime", "all(+noatime=atime)" },
	{ "rnodev", "all(+nodev)" },
	{ "rnodiratime", "all(+nodiratime)" },
	{ "rnoexec", "all(+noexec)" },
	{ "rnorelatime", "" },
	{ "rnostrictatime", "all(=atime)" },
	{ "rnosuid", "all(+nosuid)" },
	{ "rnosymfollow", "all(+nosymfollow)" },
	{ "ro", "attrs(+ro)" },
	{ "rprivate", "rprivate" },
	{ "rrelatime", "all(=atime)" },
	{ "rro", "all(+ro)" },
	{ "rrw", "all(-ro)" },
	{ "rshared", "rshared" },
	{ "rslave", "rslave" },
	{ "rstrictatime", "all(+strictatime=atime)" },
	{ "rsuid", "all(-nosuid)" },
	{ "rsymfollow", "all(-nosymfollow)" },
	{ "runbindable", "runbindable" },
	{ "rw", "attrs(-ro)" },
	{ "shared", "shared" },
	{ "silent", "" },
	{ "slave", "slave" },
	{ "src-nofollow", "SRC_NOFOLLOW" },
	{ "strictatime", "attrs(+strictatime=atime)" },
	{ "suid", "attrs(-nosuid)" },
	{ "symfollow", "attrs(-nosymfollow)" },
	{ "sync", "<sync>" },
	{ "tmpcopyup", "COPY_UP" },
	{ "unbindable", "unbindable" },
};

Test(mount_options, each_name_has_its_effect)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct strings one = { .at = (const char *[]){ names[i].name }, .n = 1 };

		expect_options(&one, names[i].effect);
	}
}

/* `features` lists the table, so it is complete and in order. */
Test(mount_options, the_table_holds_these_names_in_order)
{
	size_t n = 0;

	while (mount_options_table[n].name && n < ARRAY_LEN(names)) {
		cr_expect_str_eq(mount_options_table[n].name, names[n].name);
		n++;
	}
	cr_expect_eq(n, ARRAY_LEN(names));
	cr_expect_null(mount_options_table[n].name);
	for (size_t i = 1; i < n; i++)
		cr_expect_lt(strcmp(names[i - 1].name, names[i].name), 0, "%s", names[i].name);
}

/* What config.md of the runtime specification 1.3.0 requires ("Linux mount options", MUST). */
Test(mount_options, has_all_that_the_specification_requires)
{
	static const char *const required[] = {
		"async",        "atime",       "bind",        "defaults",       "dev",
		"diratime",     "dirsync",     "exec",        "iversion",       "lazytime",
		"loud",         "noatime",     "nodev",       "nodiratime",     "noexec",
		"noiversion",   "nolazytime",  "norelatime",  "nostrictatime",  "nosuid",
		"nosymfollow",  "private",     "ratime",      "rbind",          "rdev",
		"rdiratime",    "relatime",    "remount",     "rexec",          "rnoatime",
		"rnodiratime",  "rnoexec",     "rnorelatime", "rnostrictatime", "rnosuid",
		"rnosymfollow", "ro",          "rprivate",    "rrelatime",      "rro",
		"rrw",          "rshared",     "rslave",      "rstrictatime",   "rsuid",
		"rsymfollow",   "runbindable", "rw",          "shared",         "silent",
		"slave",        "strictatime", "suid",        "symfollow",      "sync",
		"tmpcopyup",    "unbindable",  "idmap",       "ridmap",
	};

	for (size_t i = 0; i < ARRAY_LEN(required); i++) {
		const struct mount_option *o = mount_options_table;

		while (o->name && strcmp(o->name, required[i]) != 0)
			o++;
		cr_expect_not_null(o->name, "%s", required[i]);
	}
}

static const struct {
	struct strings options;
	const char *effect;
} lists[] = {
	{ { 0 }, "" },
	/* later ones win */
	{ STRINGS("ro", "rw"), "attrs(-ro)" },
	{ STRINGS("rw", "ro"), "attrs(+ro)" },
	{ STRINGS("rw", "ro", "rw", "ro"), "attrs(+ro)" },
	{ STRINGS("nosuid", "noexec", "suid"), "attrs(-nosuid+noexec)" },
	{ STRINGS("noatime", "strictatime"), "attrs(+strictatime=atime)" },
	{ STRINGS("strictatime", "noatime"), "attrs(+noatime=atime)" },
	{ STRINGS("noatime", "relatime"), "attrs(=atime)" },
	{ STRINGS("noatime", "atime"), "attrs(=atime)" },
	{ STRINGS("strictatime", "nostrictatime"), "attrs(=atime)" },
	{ STRINGS("noatime", "nodiratime"), "attrs(+nodiratime+noatime=atime)" },
	{ STRINGS("nodiratime", "diratime"), "attrs(-nodiratime)" },
	{ STRINGS("rro", "rrw"), "all(-ro)" },
	{ STRINGS("rnoatime", "rstrictatime"), "all(+strictatime=atime)" },
	/* recursive ones are apart */
	{ STRINGS("ro", "rrw"), "attrs(+ro) all(-ro)" },
	{ STRINGS("rro", "rw"), "attrs(-ro) all(+ro)" },
	{ STRINGS("nodev", "rnoexec", "rnoatime"), "attrs(+nodev) all(+noexec+noatime=atime)" },
	/* nothing undoes what is no opposite */
	{ STRINGS("ro", "defaults"), "attrs(+ro)" },
	{ STRINGS("noatime", "norelatime"), "attrs(+noatime=atime)" },
	{ STRINGS("rbind", "bind"), "BIND REC" },
	/* propagation in its order */
	{ STRINGS("shared", "rslave", "private", "unbindable"),
	  "shared rslave private unbindable" },
	{ STRINGS("private", "private"), "private private" },
	/* what is not known is the file system's */
	{ STRINGS("mode=755", "size=65536k", "ro"), "attrs(+ro) <mode=755> <size=65536k>" },
	{ STRINGS("lowerdir=/a:/b", "context=\"a,b\"", "x"),
	  "<lowerdir=/a:/b> <context=\"a,b\"> <x>" },
	{ STRINGS("RO", "ro ", " ro", "ro=1", "ro,nodev", "-ro"),
	  "<RO> <ro > < ro> <ro=1> <ro,nodev> <-ro>" },
	{ STRINGS("nodev", "sync", "size=1", "async"), "attrs(+nodev) <sync> <size=1> <async>" },
	{ STRINGS("", "", "ro", ""), "attrs(+ro)" },
	{ STRINGS(""), "" },
	/* as engines send them */
	{ STRINGS("nosuid", "strictatime", "mode=755", "size=65536k"),
	  "attrs(+nosuid+strictatime=atime) <mode=755> <size=65536k>" },
	{ STRINGS("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
	  "attrs(+nosuid+noexec) <newinstance> <ptmxmode=0666> <mode=0620> <gid=5>" },
	{ STRINGS("rbind", "rprivate", "ro", "nosuid", "nodev"),
	  "attrs(+ro+nosuid+nodev) rprivate BIND REC" },
	{ STRINGS("rprivate", "noexec", "nosuid", "nodev", "tmpcopyup"),
	  "attrs(+nosuid+nodev+noexec) rprivate COPY_UP" },
	{ STRINGS("remount", "bind", "ro"), "attrs(+ro) BIND REMOUNT" },
};

Test(mount_options, later_ones_win)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		expect_options(&lists[i].options, lists[i].effect);
}

/* The kernel refuses to set and to clear the same, whatever the order was. */
Test(mount_options, no_two_names_contradict_each_other)
{
	auto_arena struct arena a = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		for (size_t j = 0; j < ARRAY_LEN(names); j++) {
			struct strings two = STRINGS(names[i].name, names[j].name, names[i].name);
			const struct mount_attrs *attrs[2];
			struct mount_options o;

			mount_options_parse(&two, &a, &o);
			attrs[0] = &o.attrs, attrs[1] = &o.recursive;
			for (size_t k = 0; k < 2; k++) {
				cr_expect_eq(attrs[k]->set & attrs[k]->clear & ~(uint64_t)ATIME, 0,
					     "%s,%s", names[i].name, names[j].name);
				if (attrs[k]->set & ATIME)
					cr_expect_eq(attrs[k]->clear & ATIME, ATIME);
			}
		}
	}
}

Test(mount_options, takes_any_number_of_options)
{
	auto_arena struct arena a = { 0 };
	const char *many[500];
	struct strings options = { .at = many, .n = ARRAY_LEN(many) };
	struct mount_options o;

	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = "private";
	mount_options_parse(&options, &a, &o);
	cr_expect_eq(o.propagation.n, 500);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = "key=value";
	mount_options_parse(&options, &a, &o);
	cr_expect_eq(o.super.n, 500);
	cr_expect_str_eq(o.super.at[499], "key=value");
}
