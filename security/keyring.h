/*
 * keyring.h - a session keyring of the container's own, so that it does not
 * hold the keys of whoever started it.
 */
#ifndef HULL_SECURITY_KEYRING_H
#define HULL_SECURITY_KEYRING_H

#include "base/err.h"

/* What a new keyring needs to be found by the container's processes; see keyctl_setperm(3). */
enum keyring_use {
	KEYRING_OWN = 0x00080000,    /* without a user namespace: search by its owner */
	KEYRING_USERNS = 0x00000008, /* with one: search by others */
	KEYRING_JOINED = 0,          /* exec: it is there already, with its permissions */
};

/*
 * Joins the session keyring "_ses.ID", making it if need be. A kernel without
 * keyrings is fine: there are no keys to hide.
 */
int keyring_join(const char *id, enum keyring_use use, struct err *e) MUST_CHECK;

#endif
