/*
 * template.h - --format of what is JSON: Go's templates, as far as people use them for that.
 *
 *	{{.State.Status}}                a member; a string as it is, all else as JSON
 *	{{json .State}}                  a function of template_functions.c
 *	{{.Image | upper}}               the same: what is left of "|" is its last argument
 *	{{index (split .Image ":") 1}}   of what another one gives
 *	{{.Label "a.b"}}                 a label, in lists
 *	{{if .A}}x{{else if .B}}y{{else}}z{{end}}, {{with .A}}{{.B}}{{end}}
 *	{{range .A}}{{.B}}{{else}}none{{end}}, {{range $key, $value := .A}}{{$key}}{{end}}
 *	$                                the whole, also in those
 *	\t, \n                           a tab, a newline
 *
 * A field that is not there is an error, but for what if and with ask for: there it is nothing.
 */
#ifndef HULL_CLI_TEMPLATE_H
#define HULL_CLI_TEMPLATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* What a template is about. */
struct template_scope {
	const struct json *value;  /* "." */
	const struct json *labels; /* an object, for .Label; NULL: that is no field */
	const struct json *loose;  /* a member that this object has not is nothing; NULL: of none */
	bool heading; /* of a table: the fields' values are their headings, and pass functions unchanged */
};

/* Adds what `text` makes of it to *ret. -EINVAL: it names what is not there, or is none of the above. */
int template_print(const char *text, const struct template_scope *scope, struct buf *ret,
		   struct err *e) MUST_CHECK;

#endif
