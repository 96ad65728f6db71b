/*
 * err.h - the one error type.
 *
 * A function that can fail for a reason a person should read takes a
 * `struct err *` as its last parameter and returns 0 (or a useful positive
 * value) on success and a negative errno on failure, with the message in *e.
 * The number is for code that decides ("-ENOENT is fine here"), the message
 * is for the person. The struct holds no pointers: it is safe after fork(),
 * needs no release, and travels over a socket as plain bytes.
 *
 * Messages say what was attempted on what, in lower case, without a full
 * stop: "mount proc on /proc: operation not permitted".
 */
#ifndef HULL_BASE_ERR_H
#define HULL_BASE_ERR_H

#include "base/util.h"

struct err {
	int code;       /* positive errno, 0 while nothing failed */
	char msg[1020]; /* one line, no trailing newline */
};

/*
 * What the following return is negative, always: a failure never reads as success, and a code that
 * is no errno (not positive) counts as EIO. `e` may be NULL.
 */

/* Fails with `code` (a positive errno) and this message; returns -code. */
int err_set(struct err *e, int code, const char *fmt, ...) COLD PRINTF_LIKE(3, 4);

/* Fails with errno; ": " and the text of errno are appended. Returns -errno. */
int err_sys(struct err *e, const char *fmt, ...) COLD PRINTF_LIKE(2, 3);

/* The same for a call that returned a negative errno. Returns `r`. */
int err_neg(struct err *e, int r, const char *fmt, ...) COLD PRINTF_LIKE(3, 4);

/* Puts what was being done in front of the message in *e; returns -e->code. */
int err_wrap(struct err *e, const char *fmt, ...) COLD PRINTF_LIKE(2, 3);

/* Callers in other files, and those who analyze them, know by this that it is negative. */
static inline int err_negative(int r)
{
	if (r >= 0)
		__builtin_unreachable();
	return r;
}
#define err_set(...) err_negative(err_set(__VA_ARGS__))
#define err_sys(...) err_negative(err_sys(__VA_ARGS__))
#define err_neg(...) err_negative(err_neg(__VA_ARGS__))
#define err_wrap(...) err_negative(err_wrap(__VA_ARGS__))

/*
 * The text of an errno, in lower case as engines match it ("permission
 * denied", see docs/clients). A static string for every errno of Linux; never NULL.
 */
const char *err_text(int code);

#endif
