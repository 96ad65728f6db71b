/*
 * user.h - whom the program runs as.
 */
#ifndef HULL_PROCESS_USER_H
#define HULL_PROCESS_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "spec/spec.h"

/* In a user namespace: its ids 0, with which everything in it is set up. */
int user_become_root(struct err *e) MUST_CHECK;

/*
 * Groups, gid, uid (setgroups(2), setresgid(2), setresuid(2)), for good. Where
 * setgroups is denied (user_namespaces(7)), no groups can be asked for.
 */
int user_apply(const struct spec_user *user, struct err *e) MUST_CHECK;

/*
 * Gives the standard streams to the user, so that a program can open
 * /dev/stdout again; devices and what can't be given are left alone.
 */
void user_own_stdio(uint32_t uid);

/*
 * "UID" or "UID:GID", as exec --user has it; digits only, up to 4294967294
 * (CVE-2026-30892, CVE-2024-40635). *ret_has_gid says whether there was one.
 */
int user_parse(const char *text, uint32_t *ret_uid, uint32_t *ret_gid, bool *ret_has_gid,
	       struct err *e) MUST_CHECK;

#endif
