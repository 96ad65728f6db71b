/* template.c - the text of templates, and which parts of it are printed. */
#include "cli/template.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "cli/template_private.h"

/* What ended a block: its {{end}} or {{else}}, whose other words are kept; or the text. */
enum block_end { BLOCK_TEXT, BLOCK_END, BLOCK_ELSE };

struct printing {
	struct template_run run;
	struct buf *out;
	unsigned depth;
	struct template_words rest; /* behind "else" */
};

/* Takes an action's words away, braces and all. */
static int read_action(const char **text, struct template_words *ret, struct err *e)
{
	const char *at = *text + 2;
	char mark = '\0';

	ret->at = at;
	for (; *at && (mark || at[0] != '}' || at[1] != '}'); at++) {
		if (mark == '"' && *at == '\\' && at[1])
			at++;
		else if (mark && *at == mark)
			mark = '\0';
		else if (!mark && (*at == '"' || *at == '`'))
			mark = *at;
	}
	if (!*at)
		return err_set(e, EINVAL,
			       mark ? "--format: a quotation mark is missing"
				    : "--format: \"}}\" is missing");
	ret->end = at;
	*text = at + 2;
	return 0;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as TEMPLATE_DEPTH_MAX. */

/* `live`: it is printed, else only its end is looked for. */
static int print_block(struct printing *p, const char **text, bool live, enum block_end *ret,
		       struct err *e);

static int need_end(struct printing *p, const char *word, enum block_end how, struct err *e)
{
	if (how == BLOCK_TEXT)
		return err_set(e, EINVAL, "--format: the {{end}} of {{%s}} is missing", word);
	if (!template_words_end(&p->rest))
		return err_set(e, EINVAL, "--format: {{%s}} of {{%s}} takes nothing",
			       how == BLOCK_ELSE ? "else" : "end", word);
	return 0;
}

/* What comes behind the {{else}} that ended the first part. */
static int print_else(struct printing *p, const char *word, const char **text, bool live,
		      enum block_end how, struct err *e)
{
	if (how != BLOCK_ELSE)
		return 0;
	TRY(print_block(p, text, live, &how, e));
	if (how == BLOCK_ELSE)
		return err_set(e, EINVAL, "--format: {{%s}} has two {{else}}", word);
	return need_end(p, word, how, e);
}

/* The value that if and with ask for: a field that is not there is nothing. */
static int condition(struct printing *p, struct template_words *words, bool live,
		     const struct json **ret, struct err *e)
{
	int r;

	*ret = NULL;
	if (!live)
		return 0;
	p->run.lenient = true;
	r = template_value(&p->run, words, ret, e);
	p->run.lenient = false;
	return r;
}

static int print_if(struct printing *p, struct template_words *words, const char **text, bool live,
		    struct err *e)
{
	const struct json *v;
	enum block_end how;
	bool yes, done = false;

	for (;;) {
		TRY(condition(p, words, live && !done, &v, e));
		yes = live && !done && template_is_true(v);
		done = done || yes;
		TRY(print_block(p, text, yes, &how, e));
		if (how != BLOCK_ELSE || !template_words_take(&p->rest, "if"))
			break;
		*words = p->rest;
	}
	TRY(need_end(p, "if", how, e));
	return print_else(p, "if", text, live && !done, how, e);
}

static int print_with(struct printing *p, struct template_words *words, const char **text,
		      bool live, struct err *e)
{
	const struct json *v, *dot = p->run.dot;
	enum block_end how;
	bool yes;

	TRY(condition(p, words, live, &v, e));
	yes = live && template_is_true(v);
	if (yes)
		p->run.dot = v;
	TRY(print_block(p, text, yes, &how, e));
	p->run.dot = dot;
	TRY(need_end(p, "with", how, e));
	return print_else(p, "with", text, live && !yes, how, e);
}

/* "$value :=" or "$key, $value :="; none is fine. */
static int read_variables(struct template_words *words, struct template_variable *key,
			  struct template_variable *value, struct err *e)
{
	struct template_words before = *words;

	value->len = template_words_variable(words, &value->name);
	if (!value->len ||
	    (!template_words_take(words, ",") && !template_words_take(words, ":="))) {
		/* A value that begins with a variable. */
		*words = before;
		value->len = 0;
		return 0;
	}
	if (words->at[-1] == '=')
		return 0;
	*key = *value;
	value->len = template_words_variable(words, &value->name);
	if (!value->len || !template_words_take(words, ":="))
		return err_set(e, EINVAL, "--format: expected {{range $key, $value := VALUE}}");
	return 0;
}

static const struct json *key_of(struct printing *p, const struct json *v)
{
	struct json *n;

	if (v->key)
		return template_string(v->key, &p->run.arena);
	n = arena_alloc(&p->run.arena, sizeof(*n));
	n->type = JSON_NUMBER;
	n->text = arena_printf(&p->run.arena, "%u", v->index);
	return n;
}

/* Prints the block for each element; *text comes behind it. */
static int print_each(struct printing *p, const struct json *first, struct template_variable *key,
		      struct template_variable *value, const char **text, enum block_end *how,
		      struct err *e)
{
	const struct json *dot = p->run.dot;
	const struct template_variable *outer = p->run.variables;
	const char *begin = *text;

	key->outer = outer;
	value->outer = key->len ? key : outer;
	if (value->len)
		p->run.variables = value;
	for (const struct json *v = first; v; v = v->next) {
		*text = begin;
		p->run.dot = value->value = v;
		key->value = key->len ? key_of(p, v) : NULL;
		TRY(print_block(p, text, true, how, e));
	}
	p->run.dot = dot;
	p->run.variables = outer;
	return 0;
}

static int print_range(struct printing *p, struct template_words *words, const char **text,
		       bool live, struct err *e)
{
	struct template_variable key = { 0 }, value = { 0 };
	const struct json *v = NULL, *first = NULL;
	struct json heading;
	enum block_end how;

	TRY(read_variables(words, &key, &value, e));
	if (live)
		TRY(template_value(&p->run, words, &v, e));
	/* Of what a heading stands for nothing is known. */
	if (v && p->run.scope->heading && v->type == JSON_STRING) {
		heading = *v;
		heading.next = NULL;
		first = &heading;
		v = NULL;
	}
	if (v && v->type != JSON_ARRAY && v->type != JSON_OBJECT && v->type != JSON_NULL)
		return err_set(e, EINVAL, "--format: range: expected an array or an object, not %s",
			       json_type_name(v->type));
	if (v && v->type != JSON_NULL)
		first = v->first;
	if (first)
		TRY(print_each(p, first, &key, &value, text, &how, e));
	else
		TRY(print_block(p, text, false, &how, e));
	TRY(need_end(p, "range", how, e));
	return print_else(p, "range", text, live && !first, how, e);
}

/* 1: it was a block, and is done. */
static int print_inner(struct printing *p, struct template_words *words, const char **text,
		       bool live, struct err *e)
{
	static const struct {
		const char *word;
		int (*print)(struct printing *p, struct template_words *words, const char **text,
			     bool live, struct err *e);
	} rows[] = { { "if", print_if }, { "with", print_with }, { "range", print_range } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!template_words_take(words, rows[i].word))
			continue;
		if (++p->depth > TEMPLATE_DEPTH_MAX)
			return err_set(e, EINVAL, "--format: too many blocks in each other");
		TRY(rows[i].print(p, words, text, live, e));
		p->depth--;
		return 1;
	}
	return 0;
}

static int print_action(struct printing *p, const char **text, bool live, enum block_end *ret,
			struct err *e)
{
	struct template_words words;
	const struct json *v;
	int r;

	TRY(read_action(text, &words, e));
	if (template_words_take(&words, "end") || template_words_take(&words, "else")) {
		*ret = words.at[-1] == 'd' ? BLOCK_END : BLOCK_ELSE;
		p->rest = words;
		return 0;
	}
	r = print_inner(p, &words, text, live, e);
	if (r != 0 || !live)
		return r < 0 ? r : 0;
	TRY(template_value(&p->run, &words, &v, e));
	template_print_value(v, p->out);
	return 0;
}

static int print_block(struct printing *p, const char **text, bool live, enum block_end *ret,
		       struct err *e)
{
	*ret = BLOCK_TEXT;
	while (**text && *ret == BLOCK_TEXT) {
		const char *at = *text;

		if (at[0] == '{' && at[1] == '{') {
			TRY(print_action(p, text, live, ret, e));
			continue;
		}
		if (at[0] == '\\' && (at[1] == 't' || at[1] == 'n'))
			*text += 1;
		if (live)
			buf_char(p->out, *text == at ? *at : at[1] == 't' ? '\t' : '\n');
		*text += 1;
	}
	return 0;
}

/* NOLINTEND(misc-no-recursion) */

int template_print(const char *text, const struct template_scope *scope, struct buf *ret,
		   struct err *e)
{
	struct printing p = { .run = { .scope = scope, .dot = scope->value }, .out = ret };
	enum block_end how = BLOCK_TEXT;
	int r = print_block(&p, &text, true, &how, e);

	arena_done(&p.run.arena);
	if (r >= 0 && how != BLOCK_TEXT)
		return err_set(e, EINVAL, "--format: there is nothing that {{%s}} belongs to",
			       how == BLOCK_END ? "end" : "else");
	return r;
}
