#include "mounts/options.h"

#include <string.h>
#include <sys/mount.h>

/* clang-format off */
const struct mount_option mount_options_table[] = {
	{ "async",           OPTION_SUPER,            0,                      "async" },
	{ "atime",           OPTION_ATIME,            MOUNT_ATTR_RELATIME,    NULL },
	{ "bind",            OPTION_FLAG,             MOUNT_BIND,             NULL },
	{ "copy-symlink",    OPTION_FLAG,             MOUNT_COPY_SYMLINK,     NULL },
	{ "defaults",        OPTION_NOTHING,          0,                      NULL },
	{ "dest-nofollow",   OPTION_FLAG,             MOUNT_TARGET_NOFOLLOW,  NULL },
	{ "dev",             OPTION_CLEAR,            MOUNT_ATTR_NODEV,       NULL },
	{ "diratime",        OPTION_CLEAR,            MOUNT_ATTR_NODIRATIME,  NULL },
	{ "dirsync",         OPTION_SUPER,            0,                      "dirsync" },
	{ "exec",            OPTION_CLEAR,            MOUNT_ATTR_NOEXEC,      NULL },
	{ "idmap",           OPTION_FLAG,             MOUNT_IDMAP,            NULL },
	{ "iversion",        OPTION_SUPER,            0,                      "iversion" },
	{ "lazytime",        OPTION_SUPER,            0,                      "lazytime" },
	{ "loud",            OPTION_NOTHING,          0,                      NULL },
	{ "mand",            OPTION_SUPER,            0,                      "mand" },
	{ "noatime",         OPTION_ATIME,            MOUNT_ATTR_NOATIME,     NULL },
	{ "nodev",           OPTION_SET,              MOUNT_ATTR_NODEV,       NULL },
	{ "nodiratime",      OPTION_SET,              MOUNT_ATTR_NODIRATIME,  NULL },
	{ "noexec",          OPTION_SET,              MOUNT_ATTR_NOEXEC,      NULL },
	{ "noiversion",      OPTION_NOTHING,          0,                      NULL },
	{ "nolazytime",      OPTION_SUPER,            0,                      "nolazytime" },
	{ "nomand",          OPTION_SUPER,            0,                      "nomand" },
	{ "norelatime",      OPTION_NOTHING,          0,                      NULL },
	{ "nostrictatime",   OPTION_ATIME,            MOUNT_ATTR_RELATIME,    NULL },
	{ "nosuid",          OPTION_SET,              MOUNT_ATTR_NOSUID,      NULL },
	{ "nosymfollow",     OPTION_SET,              MOUNT_ATTR_NOSYMFOLLOW, NULL },
	{ "private",         OPTION_PROPAGATION,      MS_PRIVATE,             NULL },
	{ "ratime",          OPTION_ATIME_RECURSIVE,  MOUNT_ATTR_RELATIME,    NULL },
	{ "rbind",           OPTION_FLAG,             MOUNT_BIND | MOUNT_RECURSIVE, NULL },
	{ "rdev",            OPTION_CLEAR_RECURSIVE,  MOUNT_ATTR_NODEV,       NULL },
	{ "rdiratime",       OPTION_CLEAR_RECURSIVE,  MOUNT_ATTR_NODIRATIME,  NULL },
	{ "relatime",        OPTION_ATIME,            MOUNT_ATTR_RELATIME,    NULL },
	{ "remount",         OPTION_FLAG,             MOUNT_REMOUNT,          NULL },
	{ "rexec",           OPTION_CLEAR_RECURSIVE,  MOUNT_ATTR_NOEXEC,      NULL },
	{ "ridmap",          OPTION_FLAG,             MOUNT_IDMAP | MOUNT_IDMAP_RECURSIVE, NULL },
	{ "rnoatime",        OPTION_ATIME_RECURSIVE,  MOUNT_ATTR_NOATIME,     NULL },
	{ "rnodev",          OPTION_SET_RECURSIVE,    MOUNT_ATTR_NODEV,       NULL },
	{ "rnodiratime",     OPTION_SET_RECURSIVE,    MOUNT_ATTR_NODIRATIME,  NULL },
	{ "rnoexec",         OPTION_SET_RECURSIVE,    MOUNT_ATTR_NOEXEC,      NULL },
	{ "rnorelatime",     OPTION_NOTHING,          0,                      NULL },
	{ "rnostrictatime",  OPTION_ATIME_RECURSIVE,  MOUNT_ATTR_RELATIME,    NULL },
	{ "rnosuid",         OPTION_SET_RECURSIVE,    MOUNT_ATTR_NOSUID,      NULL },
	{ "rnosymfollow",    OPTION_SET_RECURSIVE,    MOUNT_ATTR_NOSYMFOLLOW, NULL },
	{ "ro",              OPTION_SET,              MOUNT_ATTR_RDONLY,      NULL },
	{ "rprivate",        OPTION_PROPAGATION,      MS_PRIVATE | MS_REC,    NULL },
	{ "rrelatime",       OPTION_ATIME_RECURSIVE,  MOUNT_ATTR_RELATIME,    NULL },
	{ "rro",             OPTION_SET_RECURSIVE,    MOUNT_ATTR_RDONLY,      NULL },
	{ "rrw",             OPTION_CLEAR_RECURSIVE,  MOUNT_ATTR_RDONLY,      NULL },
	{ "rshared",         OPTION_PROPAGATION,      MS_SHARED | MS_REC,     NULL },
	{ "rslave",          OPTION_PROPAGATION,      MS_SLAVE | MS_REC,      NULL },
	{ "rstrictatime",    OPTION_ATIME_RECURSIVE,  MOUNT_ATTR_STRICTATIME, NULL },
	{ "rsuid",           OPTION_CLEAR_RECURSIVE,  MOUNT_ATTR_NOSUID,      NULL },
	{ "rsymfollow",      OPTION_CLEAR_RECURSIVE,  MOUNT_ATTR_NOSYMFOLLOW, NULL },
	{ "runbindable",     OPTION_PROPAGATION,      MS_UNBINDABLE | MS_REC, NULL },
	{ "rw",              OPTION_CLEAR,            MOUNT_ATTR_RDONLY,      NULL },
	{ "shared",          OPTION_PROPAGATION,      MS_SHARED,              NULL },
	{ "silent",          OPTION_NOTHING,          0,                      NULL },
	{ "slave",           OPTION_PROPAGATION,      MS_SLAVE,               NULL },
	{ "src-nofollow",    OPTION_FLAG,             MOUNT_SOURCE_NOFOLLOW,  NULL },
	{ "strictatime",     OPTION_ATIME,            MOUNT_ATTR_STRICTATIME, NULL },
	{ "suid",            OPTION_CLEAR,            MOUNT_ATTR_NOSUID,      NULL },
	{ "symfollow",       OPTION_CLEAR,            MOUNT_ATTR_NOSYMFOLLOW, NULL },
	{ "sync",            OPTION_SUPER,            0,                      "sync" },
	{ "tmpcopyup",       OPTION_FLAG,             MOUNT_COPY_UP,          NULL },
	{ "unbindable",      OPTION_PROPAGATION,      MS_UNBINDABLE,          NULL },
	{ 0 },
};
/* clang-format on */

static const struct mount_option *find(const char *name)
{
	for (const struct mount_option *o = mount_options_table; o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

static void set_bits(struct mount_attrs *attrs, uint64_t bits)
{
	attrs->set |= bits;
	attrs->clear &= ~bits;
}

static void clear_bits(struct mount_attrs *attrs, uint64_t bits)
{
	attrs->set &= ~bits;
	attrs->clear |= bits;
}

/* The access-time modes are one field of which mount_setattr(2) wants the whole cleared. */
static void set_atime(struct mount_attrs *attrs, uint64_t mode)
{
	attrs->set = (attrs->set & ~(uint64_t)MOUNT_ATTR__ATIME) | mode;
	attrs->clear |= MOUNT_ATTR__ATIME;
}

static void take(struct mount_options *m, const struct mount_option *o)
{
	struct mount_propagation *p = &m->propagation.at[m->propagation.n];

	switch (o->kind) {
	case OPTION_NOTHING:
		break;
	case OPTION_SET:
		set_bits(&m->attrs, o->value);
		break;
	case OPTION_CLEAR:
		clear_bits(&m->attrs, o->value);
		break;
	case OPTION_ATIME:
		set_atime(&m->attrs, o->value);
		break;
	case OPTION_SET_RECURSIVE:
		set_bits(&m->recursive, o->value);
		break;
	case OPTION_CLEAR_RECURSIVE:
		clear_bits(&m->recursive, o->value);
		break;
	case OPTION_ATIME_RECURSIVE:
		set_atime(&m->recursive, o->value);
		break;
	case OPTION_PROPAGATION:
		p->type = o->value & ~(uint64_t)MS_REC;
		p->recursive = o->value & MS_REC;
		m->propagation.n++;
		break;
	case OPTION_SUPER:
		m->super.at[m->super.n++] = o->super;
		break;
	case OPTION_FLAG:
		m->flags |= (unsigned)o->value;
		break;
	}
}

/* crun's form, with the mappings behind it. */
static bool take_idmap(struct mount_options *m, const char *option)
{
	const bool recursive = option[0] == 'r';

	if (strncmp(option + recursive, "idmap=", 6) != 0)
		return false;
	m->flags |= MOUNT_IDMAP | (recursive ? MOUNT_IDMAP_RECURSIVE : 0);
	m->idmap = option + recursive + 6;
	return true;
}

void mount_options_parse(const struct strings *options, struct arena *a, struct mount_options *ret)
{
	*ret = (struct mount_options){ 0 };
	ret->super.at = arena_array(a, options->n, sizeof(*ret->super.at));
	ret->propagation.at = arena_array(a, options->n, sizeof(*ret->propagation.at));
	for (size_t i = 0; i < options->n; i++) {
		const struct mount_option *o = find(options->at[i]);

		if (o)
			take(ret, o);
		else if (options->at[i][0] &&
			 !take_idmap(ret, options->at[i])) /* Podman sends empty strings */
			ret->super.at[ret->super.n++] = options->at[i];
	}
}
