/*
 * challenge.h - WWW-Authenticate: how a registry wants to be asked (RFC 9110,
 * 11.6.1, and the distribution project's token specification). Pure.
 */
#ifndef HULL_IMAGE_FETCH_CHALLENGE_H
#define HULL_IMAGE_FETCH_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum challenge_kind { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
	enum challenge_kind kind;
	const char *realm, *service, *scope; /* of Bearer; NULL where not given */
};

/*
 * The first challenge of the header's value that we can answer; Bearer before
 * Basic. Strings are in *a. -EINVAL: it is none, or a Bearer without a realm.
 */
int challenge_parse(const char *header, struct arena *a, struct challenge *ret, struct err *e)
	MUST_CHECK;

/* The bearer token in a token server's answer, in *a. -EBADMSG. */
int challenge_token(const char *text, size_t len, struct arena *a, const char **ret, struct err *e)
	MUST_CHECK;

#endif
