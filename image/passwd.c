#include "image/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/json.h"
#include "base/sys.h"

/* Part of a file's bytes. */
struct span {
	const char *at;
	size_t n;
};

enum { FIELDS = 7, ID_MAX_DIGITS = 10 };
#define ID_MAX 4294967294u /* (uid_t)-1 means "no change" to the kernel */

struct line {
	struct span fields[FIELDS];
	size_t n;
};

/* The next line of a file, in fields; false at its end. */
static bool next_line(struct passwd_bytes *rest, struct line *ret)
{
	const char *end, *at = rest->at;
	size_t len;

	if (rest->n == 0)
		return false;
	end = memchr(at, '\n', rest->n);
	len = end ? (size_t)(end - at) : rest->n;
	rest->at += len + (end != NULL);
	rest->n -= len + (end != NULL);
	for (ret->n = 0; ret->n < FIELDS; ret->n++) {
		const char *colon = memchr(at, ':', len);
		size_t n = colon ? (size_t)(colon - at) : len;

		ret->fields[ret->n] = (struct span){ at, n };
		if (!colon) {
			ret->n++;
			break;
		}
		at += n + 1;
		len -= n + 1;
	}
	return true;
}

static bool is(struct span s, const char *text)
{
	return strlen(text) == s.n && memcmp(s.at, text, s.n) == 0;
}

static bool is_digits(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
	return s.n > 0;
}

/* False: no number, or none that an id can be. */
static bool read_id(struct span s, uint32_t *ret)
{
	uint64_t n = 0;

	while (s.n > 1 && s.at[0] == '0') {
		s.at++;
		s.n--;
	}
	if (!is_digits(s) || s.n > ID_MAX_DIGITS)
		return false;
	for (size_t i = 0; i < s.n; i++)
		n = n * 10 + (uint64_t)(s.at[i] - '0');
	if (n > ID_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* A text that can be handed on as a string. */
static bool is_text(struct span s)
{
	return !memchr(s.at, '\0', s.n);
}

struct passwd_line {
	struct span name, home, shell;
	uint32_t uid, gid;
};

/* name:password:uid:gid:comment:home:shell; the last three may be missing. */
static bool read_passwd(const struct line *l, struct passwd_line *ret)
{
	*ret = (struct passwd_line){ .name = l->fields[0] };
	if (l->n < 4 || l->fields[0].n == 0 || !is_text(l->fields[0]) ||
	    !read_id(l->fields[2], &ret->uid) || !read_id(l->fields[3], &ret->gid))
		return false;
	if (l->n > 5 && is_text(l->fields[5]))
		ret->home = l->fields[5];
	if (l->n > 6 && is_text(l->fields[6]))
		ret->shell = l->fields[6];
	return true;
}

/* By name, or by uid if that is NULL; the first wins. */
static bool find_user(struct passwd_bytes passwd, const char *name, uint32_t uid,
		      struct passwd_line *ret)
{
	struct line l;

	while (next_line(&passwd, &l))
		if (read_passwd(&l, ret) && (name ? is(ret->name, name) : ret->uid == uid))
			return true;
	return false;
}

/* name:password:gid:members */
static bool read_group(const struct line *l, uint32_t *ret_gid)
{
	return l->n >= 3 && l->fields[0].n > 0 && read_id(l->fields[2], ret_gid);
}

static bool find_group(struct passwd_bytes group, const char *name, uint32_t *ret)
{
	struct line l;

	while (next_line(&group, &l))
		if (read_group(&l, ret) && is(l.fields[0], name))
			return true;
	return false;
}

static bool has_member(const struct line *l, struct span name)
{
	struct span rest = l->n > 3 ? l->fields[3] : (struct span){ "", 0 };

	while (rest.n > 0) {
		const char *comma = memchr(rest.at, ',', rest.n);
		size_t n = comma ? (size_t)(comma - rest.at) : rest.n;

		if (n == name.n && memcmp(rest.at, name.at, n) == 0)
			return true;
		rest.at += n + (comma != NULL);
		rest.n -= n + (comma != NULL);
	}
	return false;
}

/* Ascending, each once, without the user's own. */
static int add_group(struct passwd_user *user, uint32_t gid, struct arena *a, struct err *e)
{
	size_t i = 0, n = user->groups.n;
	uint32_t *at = user->groups.at;

	while (i < n && at[i] < gid)
		i++;
	if (gid == user->gid || (i < n && at[i] == gid))
		return 0;
	if (n == PASSWD_GROUPS_MAX)
		return err_set(e, EINVAL, "a user in more than %d groups", PASSWD_GROUPS_MAX);
	/* Sizes are powers of two. */
	if ((n & (n - 1)) == 0) {
		at = arena_array(a, n ? 2 * n : 1, sizeof(*at));
		if (n)
			memcpy(at, user->groups.at, n * sizeof(*at));
		user->groups.at = at;
	}
	memmove(at + i + 1, at + i, (n - i) * sizeof(*at));
	at[i] = gid;
	user->groups.n++;
	return 0;
}

static int add_groups(struct passwd_user *user, struct span name, struct passwd_bytes group,
		      struct arena *a, struct err *e)
{
	struct line l;
	uint32_t gid;

	while (next_line(&group, &l))
		if (read_group(&l, &gid) && has_member(&l, name))
			TRY(add_group(user, gid, a, e));
	return 0;
}

static int resolve_group(const char *text, struct passwd_bytes group, uint32_t *ret, struct err *e)
{
	struct span s = { text, strlen(text) };

	if (is_digits(s)) {
		if (!read_id(s, ret))
			return err_set(e, EINVAL, "group %s: not between 0 and %u",
				       json_quote(text).text, ID_MAX);
		return 0;
	}
	if (!find_group(group, text, ret))
		return err_set(e, ENOENT, "group %s is not in the image's /etc/group",
			       json_quote(text).text);
	return 0;
}

int passwd_resolve(const char *text, struct passwd_bytes passwd, struct passwd_bytes group,
		   struct arena *a, struct passwd_user *ret, struct err *e)
{
	const char *colon = strchr(text, ':'), *group_text = colon ? colon + 1 : "";
	const char *name = arena_strndup(a, text, colon ? (size_t)(colon - text) : strlen(text));
	struct span s = { name, strlen(name) };
	struct passwd_user user = { .home = "/" };
	struct passwd_line line;
	bool by_uid = s.n == 0 || is_digits(s), found;

	if (s.n > 0 && by_uid && !read_id(s, &user.uid))
		return err_set(e, EINVAL, "user %s: not between 0 and %u", json_quote(name).text,
			       ID_MAX);
	found = find_user(passwd, by_uid ? NULL : name, user.uid, &line);
	if (!found && !by_uid)
		return err_set(e, ENOENT, "user %s is not in the image's /etc/passwd",
			       json_quote(name).text);
	if (found) {
		user.uid = line.uid;
		user.gid = line.gid;
		user.name = arena_strndup(a, line.name.at, line.name.n);
		if (line.home.n)
			user.home = arena_strndup(a, line.home.at, line.home.n);
		if (line.shell.n)
			user.shell = arena_strndup(a, line.shell.at, line.shell.n);
	}
	if (group_text[0])
		TRY(resolve_group(group_text, group, &user.gid, e));
	else if (found)
		TRY(add_groups(&user, line.name, group, a, e));
	*ret = user;
	return 0;
}

int passwd_add_group(const char *text, struct passwd_bytes group, struct arena *a,
		     struct passwd_user *user, struct err *e)
{
	uint32_t gid;

	if (text[0] == '\0')
		return err_set(e, EINVAL, "the name of a group is empty");
	TRY(resolve_group(text, group, &gid, e));
	return add_group(user, gid, a, e);
}

int passwd_read(int rootfd, const char *path, struct buf *ret, struct err *e)
{
	auto_fd int fd = sys_openat2(rootfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
				     RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	struct stat st;
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open the image's /%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "read the image's /%s: it is not a regular file", path);
	r = io_slurp(fd, PASSWD_FILE_MAX, ret);
	if (r == -EFBIG)
		return err_set(e, EFBIG, "read the image's /%s: it is larger than %d MiB", path,
			       PASSWD_FILE_MAX >> 20);
	return r < 0 ? err_neg(e, r, "read the image's /%s", path) : 0;
}
