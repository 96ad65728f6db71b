#include "image/unpack/entry.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"

enum { XATTR_NAME_BYTES = 255, XATTR_VALUE_BYTES = 64 * 1024 };

/* The first row that the name begins with (or, with `whole`, is) decides; without one it is dropped. */
static const struct {
	const char *name;
	bool whole;
	enum xattr_rule rule;
} xattr_rules[] = {
	/* Overlayfs's own: redirects and metacopies would lead anywhere in the layers below. */
	{ "user.overlay.", false, XATTR_DROP },
	{ "user.", false, XATTR_KEEP },
	{ "security.capability", true, XATTR_CAPABILITY },
	{ "system.posix_acl_access", true, XATTR_ACL },
	{ "system.posix_acl_default", true, XATTR_ACL },
	/* trusted.*, labels and signatures of another host (security.selinux, security.ima). */
	{ "", false, XATTR_DROP },
};

static const struct {
	mode_t type;
	const char *name;
} types[] = {
	{ S_IFREG, "a regular file" },  { S_IFDIR, "a directory" },
	{ S_IFLNK, "a symbolic link" }, { S_IFCHR, "a character device" },
	{ S_IFBLK, "a block device" },  { S_IFIFO, "a FIFO" },
	{ S_IFSOCK, "a socket" },
};

const char *entry_type_name(mode_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return "of an unknown type";
}

enum xattr_rule entry_xattr_rule(const char *name)
{
	for (size_t i = 0;; i++)
		if (xattr_rules[i].whole
			    ? strcmp(name, xattr_rules[i].name) == 0
			    : strncmp(name, xattr_rules[i].name, strlen(xattr_rules[i].name)) == 0)
			return xattr_rules[i].rule;
}

int entry_path_set(struct entry_path *ret, const char *name, const char *what, struct err *e)
{
	size_t len = 0, last = 0;
	unsigned depth = 0;

	for (const char *at = name; *at;) {
		size_t part = strcspn(at, "/");

		if (part == 2 && at[0] == '.' && at[1] == '.')
			return err_set(e, EINVAL, "%s has \"..\" in it", what);
		if (part > ENTRY_NAME_MAX)
			return err_set(e, ENAMETOOLONG, "%s has a part of %zu bytes, more than %d",
				       what, part, ENTRY_NAME_MAX);
		if (part > 0 && !(part == 1 && at[0] == '.')) {
			if (len + part + 2 > sizeof(ret->text))
				return err_set(e, ENAMETOOLONG, "%s is longer than %d bytes", what,
					       ENTRY_PATH_MAX - 1);
			if (++depth > ENTRY_DEPTH_MAX)
				return err_set(e, ENAMETOOLONG, "%s has more than %d parts", what,
					       ENTRY_DEPTH_MAX);
			if (len > 0)
				ret->text[len++] = '/';
			last = len;
			memcpy(ret->text + len, at, part);
			len += part;
		}
		at += part;
		at += *at == '/';
	}
	ret->text[len] = '\0';
	ret->len = len;
	ret->name = last;
	ret->depth = depth;
	return 0;
}

void entry_path_parent(const struct entry_path *p, struct entry_path *ret)
{
	size_t len = p->name > 0 ? p->name - 1 : 0;
	const char *slash;

	memcpy(ret->text, p->text, len);
	ret->text[len] = '\0';
	ret->len = len;
	slash = strrchr(ret->text, '/');
	ret->name = slash ? (size_t)(slash - ret->text) + 1 : 0;
	ret->depth = p->depth > 0 ? p->depth - 1 : 0;
}

static int check_id(const char *what, int64_t id, struct err *e)
{
	/* (uid_t)-1 is "unchanged" to chown(2). */
	if (id < 0 || id >= UINT32_MAX)
		return err_set(e, EINVAL, "its %s is %lld, which is no id", what, (long long)id);
	return 0;
}

static int check_link(const struct entry *n, struct err *e)
{
	if (!n->hardlink && n->type != S_IFLNK)
		return 0;
	if (!n->link || !n->link[0])
		return err_set(e, EINVAL, "a link to nothing");
	if (strlen(n->link) >= ENTRY_PATH_MAX)
		return err_set(e, ENAMETOOLONG, "a link to more than %d bytes", ENTRY_PATH_MAX - 1);
	return 0;
}

static int check_xattrs(const struct entry *n, struct err *e)
{
	for (size_t i = 0; i < n->xattrs_n; i++) {
		const struct entry_xattr *x = &n->xattrs[i];

		if (!x->name[0] || strlen(x->name) > XATTR_NAME_BYTES)
			return err_set(e, EINVAL, "an extended attribute with a name of %zu bytes",
				       strlen(x->name));
		if (x->size > XATTR_VALUE_BYTES)
			return err_set(e, E2BIG,
				       "its extended attribute %s has %zu bytes, more than %d",
				       json_quote(x->name).text, x->size, XATTR_VALUE_BYTES);
	}
	return 0;
}

int entry_check(const struct entry *n, struct err *e)
{
	TRY(check_id("owner", n->uid, e));
	TRY(check_id("group", n->gid, e));
	if (n->size < 0)
		return err_set(e, EINVAL, "its size is %lld", (long long)n->size);
	if (n->mtime.tv_nsec < 0 || n->mtime.tv_nsec >= 1000000000)
		return err_set(e, EINVAL, "its time has %ld nanoseconds", n->mtime.tv_nsec);
	if ((n->type == S_IFCHR || n->type == S_IFBLK) && (n->major > 0xfff || n->minor > 0xfffff))
		return err_set(e, EINVAL, "there is no device %lu:%lu", n->major, n->minor);
	TRY(check_link(n, e));
	return check_xattrs(n, e);
}
