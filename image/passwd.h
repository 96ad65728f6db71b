/*
 * passwd.h - "name", "uid", "name:group", "uid:gid": who that is by the
 * container's own /etc/passwd and /etc/group.
 *
 * passwd_resolve() is pure: bytes in, ids out. The files are the image's, so
 * lines that make no sense are skipped, as the C library does, and nothing is
 * trusted. A number need not be in the files; a name has to.
 */
#ifndef HULL_IMAGE_PASSWD_H
#define HULL_IMAGE_PASSWD_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"

enum {
	PASSWD_FILE_MAX = 4 * 1024 * 1024, /* bytes */
	PASSWD_GROUPS_MAX = 65536,         /* NGROUPS_MAX */
};

struct passwd_user {
	uint32_t uid, gid;
	LIST(uint32_t) groups; /* further ones, each once, ascending; never gid */
	const char *name;      /* NULL: the uid has none */
	const char *home;      /* "/" if there is no other */
	const char *shell;     /* NULL: none */
};

/* A file's bytes; NULL and 0 if there is none. They need no NUL. */
struct passwd_bytes {
	const char *at;
	size_t n;
};

/*
 * `text` as Docker has it: "" is 0:0, ":group" root with another group. Digits are
 * a number, even if somebody has them as a name. Without a group: the user's own, and those in which the user
 * is a member; with one: that alone. Ids go up to 4294967294 (CVE-2024-40635).
 * -EINVAL, -ENOENT (no such user or group). Strings go to *a.
 */
int passwd_resolve(const char *text, struct passwd_bytes passwd, struct passwd_bytes group,
		   struct arena *a, struct passwd_user *ret, struct err *e) MUST_CHECK;

/* --group-add: a name or number into ret->groups. */
int passwd_add_group(const char *text, struct passwd_bytes group, struct arena *a,
		     struct passwd_user *user, struct err *e) MUST_CHECK;

/*
 * The content of "etc/passwd" or "etc/group" beneath `rootfd`, links in it
 * resolved as inside; nothing is added if there is none.
 */
int passwd_read(int rootfd, const char *path, struct buf *ret, struct err *e) MUST_CHECK;

#endif
