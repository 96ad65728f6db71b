/*
 * template_private.h - the parts of templates:
 *
 *	template.c              text, and which of it is printed: if, with, range
 *	template_value.c        what stands between "{{" and "}}": fields, functions, "|"
 *	template_functions.c    the functions
 */
#ifndef HULL_CLI_TEMPLATE_PRIVATE_H
#define HULL_CLI_TEMPLATE_PRIVATE_H

#include <stddef.h>

#include "base/arena.h"
#include "cli/template.h"

enum { TEMPLATE_ARGS_MAX = 16, TEMPLATE_DEPTH_MAX = 32 };

/* A function; its arguments and its value, which is the arena's or among them, may be NULL: nothing. */
struct template_function {
	const char *name, *arguments; /* "split", "TEXT SEPARATOR" */
	size_t min, max;
	int (*call)(const struct json *const *args, size_t n, struct arena *a,
		    const struct json **ret, struct err *e);
};
const struct template_function *template_function_find(const char *name, size_t len);

/* As it is printed: a string as it is, all else as JSON. */
void template_print_value(const struct json *v, struct buf *ret);
const struct json *template_string(const char *text, struct arena *a);
/* As Go has it: not false, 0, nothing, or empty. */
bool template_is_true(const struct json *v);

/* "$name" of a range, name without the dollar. */
struct template_variable {
	const char *name;
	size_t len;
	const struct json *value;
	const struct template_variable *outer; /* the one that was there before */
};

struct template_run {
	struct arena arena;
	const struct template_scope *scope;
	const struct json *dot;
	const struct template_variable *variables;
	bool lenient; /* a field that is not there is nothing */
	unsigned depth;
};

/* What is left of an action. */
struct template_words {
	const char *at, *end;
};

/* Skips blanks; whether there is nothing more. */
bool template_words_end(struct template_words *w);
/* Takes `word` away, if it stands there by itself. */
bool template_words_take(struct template_words *w, const char *word);
/* Takes "$name" away; 0: there is none. */
size_t template_words_variable(struct template_words *w, const char **ret_name);

/* The value of all of the words. */
int template_value(struct template_run *run, struct template_words *words, const struct json **ret,
		   struct err *e) MUST_CHECK;

#endif
