#include "image/unpack/metadata.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/json.h"
#include "base/mem.h"

enum { ACL_VERSION = 2, ACL_USER_TAG = 0x02, ACL_GROUP_TAG = 0x08, XATTR_LIST_BYTES = 64 * 1024 };

static const char acl_access[] = "system.posix_acl_access",
		  acl_default[] = "system.posix_acl_default";

/* linux/posix_acl_xattr.h; little-endian. */
struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

int metadata_owner(const struct extract *x, const struct entry *n, uid_t *ret_uid, gid_t *ret_gid,
		   struct err *e)
{
	TRY(ids_map(&x->settings->ids, 'u', (uint32_t)n->uid, ret_uid, e));
	return ids_map(&x->settings->ids, 'g', (uint32_t)n->gid, ret_gid, e);
}

/* Whether it is a whole ACL. */
static bool acl_is_sound(const struct entry_xattr *a)
{
	uint32_t version;

	if (a->size < sizeof(version) ||
	    (a->size - sizeof(version)) % sizeof(struct acl_entry) != 0)
		return false;
	memcpy(&version, a->value, sizeof(version));
	return le32toh(version) == ACL_VERSION;
}

static int set_acl(struct extract *x, int fd, const struct entry_xattr *a, struct err *e)
{
	auto_free char *mapped = NULL;

	if (!acl_is_sound(a))
		return err_set(e, EINVAL, "its ACL (%s) is damaged", a->name);
	if (x->settings->ids.squash) { /* names users that are not there */
		x->dropped_xattrs++;
		return 0;
	}
	mapped = mem_zalloc(a->size);
	memcpy(mapped, a->value, a->size);
	for (size_t at = sizeof(uint32_t); at < a->size; at += sizeof(struct acl_entry)) {
		struct acl_entry one;
		uint16_t tag;
		uint32_t id;

		memcpy(&one, mapped + at, sizeof(one));
		tag = le16toh(one.tag);
		if (tag != ACL_USER_TAG && tag != ACL_GROUP_TAG)
			continue;
		TRY(ids_map(&x->settings->ids, tag == ACL_USER_TAG ? 'u' : 'g', le32toh(one.id),
			    &id, e));
		one.id = htole32(id);
		memcpy(mapped + at, &one, sizeof(one));
	}
	if (fsetxattr(fd, a->name, mapped, a->size, 0) < 0) {
		if (errno != EOPNOTSUPP)
			return err_sys(e, "set its ACL (%s)", a->name);
		x->dropped_xattrs++;
	}
	x->default_acl |= strcmp(a->name, acl_default) == 0;
	return 0;
}

static int set_xattr(struct extract *x, int fd, const struct entry_xattr *a, struct err *e)
{
	enum xattr_rule rule = entry_xattr_rule(a->name);

	if (rule == XATTR_ACL)
		return set_acl(x, fd, a, e);
	if (rule == XATTR_KEEP || (rule == XATTR_CAPABILITY && x->settings->capabilities)) {
		if (fsetxattr(fd, a->name, a->value, a->size, 0) == 0)
			return 0;
		if (errno != EOPNOTSUPP) /* the file system may have none of this kind */
			return err_sys(e, "set its extended attribute %s",
				       json_quote(a->name).text);
	}
	x->dropped_xattrs++;
	return 0;
}

/* What a directory's default ACL has given to what was made in it, and the archive does not. */
static int clear_inherited(const struct extract *x, int fd, mode_t type, struct err *e)
{
	if (!x->default_acl)
		return 0;
	if (fremovexattr(fd, acl_access) < 0 && errno != ENODATA && errno != EOPNOTSUPP)
		return err_sys(e, "remove its ACL");
	if (S_ISDIR(type) && fremovexattr(fd, acl_default) < 0 && errno != ENODATA &&
	    errno != EOPNOTSUPP)
		return err_sys(e, "remove its default ACL");
	return 0;
}

int metadata_clear_xattrs(int fd, struct err *e)
{
	auto_free char *names = mem_zalloc(XATTR_LIST_BYTES);
	ssize_t len = flistxattr(fd, names, XATTR_LIST_BYTES);

	if (len < 0 && errno != EOPNOTSUPP)
		return err_sys(e, "list its extended attributes");
	for (const char *name = names; name < names + len; name += strlen(name) + 1)
		if (entry_xattr_rule(name) != XATTR_DROP && fremovexattr(fd, name) < 0 &&
		    errno != ENODATA && errno != EPERM)
			return err_sys(e, "remove its extended attribute %s",
				       json_quote(name).text);
	return 0;
}

/* Who gets another's program is not who it was to run as (cp(1) does the same). */
static mode_t mode_of(const struct extract *x, const struct entry *n)
{
	bool others = x->settings->whiteouts->plain && x->settings->ids.squash;

	return others ? n->mode & ~(mode_t)(S_ISUID | S_ISGID) : n->mode;
}

int metadata_set(struct extract *x, const struct entry *n, int fd, struct err *e)
{
	const struct timespec times[] = { n->mtime, n->mtime };
	mode_t mode = mode_of(x, n);
	bool shut_out = S_ISDIR(n->type) && !x->settings->any_mode && (mode & 0700) != 0700;
	uid_t uid;
	gid_t gid;

	if (!x->settings->ids.squash) {
		TRY(metadata_owner(x, n, &uid, &gid, e));
		if (fchown(fd, uid, gid) < 0)
			return err_sys(e, "give it to %u:%u", uid, gid);
	}
	TRY(clear_inherited(x, fd, n->type, e));
	if (fchmod(fd, shut_out ? mode | 0700 : mode) < 0)
		return err_sys(e, "set its mode to %04o", mode);
	for (size_t i = 0; i < n->xattrs_n; i++)
		TRY(set_xattr(x, fd, &n->xattrs[i], e));
	if (S_ISDIR(n->type))
		return late_add(&x->late, &n->path, mode, shut_out, n->mtime, e);
	if (futimens(fd, times) < 0)
		return err_sys(e, "set its time");
	return 0;
}

int metadata_set_at(struct extract *x, const struct entry *n, int parent, const char *name,
		    struct err *e)
{
	const struct timespec times[] = { n->mtime, n->mtime };
	uid_t uid;
	gid_t gid;

	if (!x->settings->ids.squash) {
		TRY(metadata_owner(x, n, &uid, &gid, e));
		if (fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, "give it to %u:%u", uid, gid);
	}
	x->dropped_xattrs += n->xattrs_n;
	if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set its time");
	return 0;
}
