#include "process/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

int user_become_root(struct err *e)
{
	if (setresgid(0, 0, 0) < 0)
		return err_sys(e, "become gid 0 of the user namespace (is it mapped?)");
	if (setresuid(0, 0, 0) < 0)
		return err_sys(e, "become uid 0 of the user namespace (is it mapped?)");
	/* EPERM: setgroups is denied here, and the groups we have are nobody's. */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return err_sys(e, "drop the groups");
	return 0;
}

/* user_namespaces(7): an unprivileged maker of the namespace has to give setgroups(2) up. */
static bool setgroups_denied(void)
{
	char word[8] = "";

	return io_read_value(AT_FDCWD, "/proc/self/setgroups", word, sizeof(word)) == 0 &&
	       strcmp(word, "deny") == 0;
}

/* Groups that the gid gives anyway need no setgroups(2). */
static bool asks_for_groups(const struct spec_user *user)
{
	for (size_t i = 0; i < user->additional_gids.n; i++)
		if (user->additional_gids.at[i] != user->gid)
			return true;
	return false;
}

static int apply_groups(const struct spec_user *user, struct err *e)
{
	if (setgroups(user->additional_gids.n, user->additional_gids.at) == 0)
		return 0;
	if (errno != EPERM || !setgroups_denied())
		return err_sys(e, "process.user.additionalGids: set %zu groups",
			       user->additional_gids.n);
	if (asks_for_groups(user))
		return err_set(e, EPERM,
			       "process.user.additionalGids: setgroups(2) is denied in this user "
			       "namespace");
	return 0; /* those that we have are nobody's here */
}

int user_apply(const struct spec_user *user, struct err *e)
{
	TRY(apply_groups(user, e));
	if (setresgid(user->gid, user->gid, user->gid) < 0)
		return err_sys(e, "process.user.gid: become gid %u", user->gid);
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return err_sys(e, "process.user.uid: become uid %u", user->uid);
	return 0;
}

void user_own_stdio(uint32_t uid)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		struct stat st;

		/* A device node is shared with others; a file's owner is the engine's matter. */
		if (fstat(fd, &st) < 0 || st.st_uid == uid ||
		    !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
			continue;
		/* Best effort: the stream works as it is, only /dev/stdout can't be opened anew. */
		if (fchown(fd, uid, (gid_t)-1) < 0)
			continue;
	}
}

/* Digits up to `end`; (uid_t)-1 means "no change" to the kernel and is no id. */
static int parse_id(const char *s, size_t len, uint32_t *ret)
{
	uint64_t n = 0;

	if (len == 0 || len > 10)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		n = n * 10 + (uint64_t)(s[i] - '0');
	}
	if (n >= UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)n;
	return 0;
}

int user_parse(const char *text, uint32_t *ret_uid, uint32_t *ret_gid, bool *ret_has_gid,
	       struct err *e)
{
	size_t len = strcspn(text, ":");
	bool has_gid = text[len] == ':';
	uint32_t uid = 0, gid = 0;

	if (parse_id(text, len, &uid) < 0 ||
	    (has_gid && parse_id(text + len + 1, strlen(text + len + 1), &gid) < 0))
		return err_set(e, EINVAL, "\"%s\" is not UID or UID:GID, numbers below 4294967295",
			       text);
	*ret_uid = uid;
	*ret_gid = gid;
	*ret_has_gid = has_gid;
	return 0;
}
