#include "security/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

enum {
	NAME_SIZE = 4096,  /* KEY_MAX_DESC_SIZE in the kernel's security/keys/keyctl.c */
	QUOTA_TRIES = 250, /* five seconds */
};

/* Adds `bits` to what the keyring permits. */
static int permit(long keyring, uint32_t bits, struct err *e)
{
	/* "keyring;UID;GID;PERMISSIONS;NAME". The kernel fills in all of it or nothing. */
	char text[NAME_SIZE + 64] = "", *at = text;
	unsigned long permissions;

	if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, keyring, text, sizeof(text)) < 0)
		return err_sys(e, "describe the session keyring");
	for (int field = 0; at && field < 3; field++)
		at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL;
	permissions = at ? strtoul(at, &at, 16) : 0;
	if (!at || *at != ';')
		return err_set(e, EBADMSG, "describe the session keyring: \"%s\"", text);
	if (syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, permissions | bits) < 0)
		return err_sys(e, "set the permissions of the session keyring");
	return 0;
}

/*
 * A user may have 200 keys (keyrings(7)), and the kernel frees those of
 * processes that have ended only some time later: that is waited for.
 */
static long join(const char *name)
{
	const struct timespec step = { .tv_nsec = 20L * 1000 * 1000 };

	for (int i = 0;; i++) {
		long keyring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);

		if (keyring >= 0 || errno != EDQUOT || i == QUOTA_TRIES)
			return keyring;
		nanosleep(&step, NULL);
	}
}

int keyring_join(const char *id, enum keyring_use use, struct err *e)
{
	auto_buf struct buf name = { 0 };
	long keyring;

	buf_printf(&name, "_ses.%s", id);
	keyring = join(name.text);
	if (keyring < 0 && errno == ENOSYS)
		return 0;
	if (keyring < 0)
		return err_sys(e, "join session keyring %s%s", name.text,
			       errno == EDQUOT && use != KEYRING_JOINED
				       ? " (this user's keys are used up: see "
					 "/proc/key-users, or give --no-new-keyring)"
				       : "");
	return use == KEYRING_JOINED ? 0 : permit(keyring, (uint32_t)use, e);
}
