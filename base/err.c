#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * strerror() with its first letter lowered where that is a plain word ("Permission denied", but
 * not "RPC ..."). Engines compare these texts and expect the spelling of Go's runtime.
 */
const char *err_text(int code)
{
	static char texts[256][64];
	const char *text;
	char *own;

	if (code < 0 || (size_t)code >= ARRAY_LEN(texts))
		return "unknown error";
	own = texts[code];
	if (own[0])
		return own;
	text = strerrordesc_np(code);
	snprintf(own, sizeof(texts[0]), "%s", text ? text : "unknown error");
	if (own[0] >= 'A' && own[0] <= 'Z' && !(own[1] >= 'A' && own[1] <= 'Z'))
		own[0] = (char)(own[0] - 'A' + 'a');
	return own;
}

/* Makes the text one line: what comes from files and programs may hold anything. */
static void flatten(char *msg)
{
	for (; *msg; msg++)
		if ((unsigned char)*msg < ' ' || *msg == 0x7f)
			*msg = ' ';
}

/* What is too long is cut in the middle: the end has the reason. */
static void put(struct err *e, int code, const char *suffix, const char *fmt, va_list ap)
{
	size_t room = sizeof(e->msg), len, kept;

	if (!e)
		return;
	kept = suffix ? strlen(suffix) + 2 : 0;
	if (kept > room / 2)
		kept = room / 2;
	e->code = code;
	vsnprintf(e->msg, room - kept, fmt, ap);
	if (suffix) {
		len = strlen(e->msg);
		snprintf(e->msg + len, room - len, ": %s", suffix);
	}
	flatten(e->msg);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(e, code, NULL, fmt, ap);
	va_end(ap);
	return -code;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int code = errno ? errno : EIO;
	va_list ap;

	va_start(ap, fmt);
	put(e, code, err_text(code), fmt, ap);
	va_end(ap);
	return -code;
}

int err_neg(struct err *e, int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(e, -r, err_text(-r), fmt, ap);
	va_end(ap);
	return r;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char inner[sizeof(e->msg)];
	va_list ap;

	if (!e)
		return -EIO;
	memcpy(inner, e->msg, sizeof(inner));
	va_start(ap, fmt);
	put(e, e->code ? e->code : EIO, inner, fmt, ap);
	va_end(ap);
	return -e->code;
}
