/*
 * template.h - --format of what is JSON: Go's templates, as far as people use them for that.
 *
 *	{{.State.Status}}                a member; a string as it is, all else as JSON
 *	{{json .State}}                  as JSON
 *	{{index .Labels "a.b" "c"}}      members by names that have dots in them, and places in arrays
 *	\t, \n                           a tab, a newline
 */
#ifndef HULL_CLI_TEMPLATE_H
#define HULL_CLI_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* Adds what `text` makes of `value` to *ret. -EINVAL: it names what is not there, or is none of the above. */
int template_print(const char *text, const struct json *value, struct buf *ret, struct err *e)
	MUST_CHECK;

#endif
