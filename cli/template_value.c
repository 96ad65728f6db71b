/* template_value.c - what stands between "{{" and "}}" of a template. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "cli/template_private.h"

enum word_kind {
	WORD_NONE,
	WORD_FIELD,
	WORD_NAME,
	WORD_TEXT,
	WORD_NUMBER,
	WORD_OPEN,
	WORD_CLOSE,
	WORD_PIPE
};

struct word {
	enum word_kind kind;
	const char *text;
	size_t len;
};

bool template_words_end(struct template_words *w)
{
	while (w->at < w->end && isspace((unsigned char)*w->at))
		w->at++;
	return w->at == w->end;
}

static bool ends_word(const struct template_words *w, const char *at)
{
	return at >= w->end || isspace((unsigned char)*at) || strchr("()|\"`,", *at);
}

static size_t word_length(const struct template_words *w)
{
	size_t len = 0;

	while (!ends_word(w, w->at + len))
		len++;
	return len;
}

bool template_words_take(struct template_words *w, const char *word)
{
	size_t len = strlen(word);

	if (template_words_end(w) || (size_t)(w->end - w->at) < len ||
	    memcmp(w->at, word, len) != 0)
		return false;
	/* "range.A" is range and .A */
	if (isalpha((unsigned char)*word) && !ends_word(w, w->at + len) && w->at[len] != '.')
		return false;
	w->at += len;
	return true;
}

size_t template_words_variable(struct template_words *w, const char **ret_name)
{
	size_t len;

	if (template_words_end(w) || *w->at != '$')
		return 0;
	len = word_length(w);
	*ret_name = w->at + 1;
	w->at += len;
	return len - 1;
}

/* "text" or `text`, with its quotation marks. */
static int read_quoted(struct template_words *w, struct word *ret, struct err *e)
{
	char mark = *w->at;
	const char *at = w->at + 1;

	while (at < w->end && *at != mark)
		at += mark == '"' && *at == '\\' && at + 1 < w->end ? 2 : 1;
	if (at >= w->end)
		return err_set(e, EINVAL, "--format: a quotation mark is missing");
	*ret = (struct word){ WORD_TEXT, w->at, (size_t)(at + 1 - w->at) };
	w->at = at + 1;
	return 0;
}

static int next_word(struct template_words *w, struct word *ret, struct err *e)
{
	static const char marks[] = "()|";
	static const enum word_kind kinds[] = { WORD_OPEN, WORD_CLOSE, WORD_PIPE };
	const char *mark;

	*ret = (struct word){ WORD_NONE, w->end, 0 };
	if (template_words_end(w))
		return 0;
	if (*w->at == '"' || *w->at == '`')
		return read_quoted(w, ret, e);
	*ret = (struct word){ WORD_NAME, w->at, 1 };
	mark = strchr(marks, *w->at);
	if (mark) {
		ret->kind = kinds[mark - marks];
	} else {
		ret->len = word_length(w);
		ret->len += !ret->len; /* a comma */
		if (*w->at == '.' || *w->at == '$')
			ret->kind = WORD_FIELD;
		else if (isdigit((unsigned char)*w->at) || *w->at == '-')
			ret->kind = WORD_NUMBER;
	}
	w->at += ret->len;
	return 0;
}

static enum word_kind peek(const struct template_words *words)
{
	struct template_words copy = *words;
	struct err ignored;
	struct word w;

	/* Half a text will fail when it is read. */
	return next_word(&copy, &w, &ignored) < 0 ? WORD_TEXT : w.kind;
}

/* The text between quotation marks; between those of the one kind, a backslash is before what is meant. */
static const char *unquote(const struct word *w, struct arena *a)
{
	char *text = arena_strndup(a, w->text + 1, w->len - 2), *to = text;

	if (*w->text == '`')
		return text;
	for (const char *at = text; *at; at++, to++) {
		*to = *at;
		if (*at == '\\' && at[1]) {
			at++;
			*to = *at == 'n' ? '\n' : *at == 't' ? '\t' : *at;
		}
	}
	*to = '\0';
	return text;
}

static const struct json *constant(enum json_type type, const char *text, bool value,
				   struct arena *a)
{
	struct json *v = arena_alloc(a, sizeof(*v));

	v->type = type;
	if (type == JSON_BOOL)
		v->boolean = value;
	else
		v->text = text;
	return v;
}

static const struct json *member(const struct json *v, const char *name, size_t len)
{
	if (!v || v->type != JSON_OBJECT)
		return NULL;
	for (const struct json *m = v->first; m; m = m->next)
		if (strlen(m->key) == len && memcmp(m->key, name, len) == 0)
			return m;
	return NULL;
}

/* Where a path begins: with "$", "$name" or the dot. *at is left at its next dot. */
static int path_start(const struct template_run *run, const struct word *path, const char **at,
		      const struct json **ret, struct err *e)
{
	const char *end = path->text + path->len, *dot = memchr(path->text, '.', path->len);
	size_t len;

	*at = dot ? dot : end;
	*ret = run->dot;
	if (*path->text != '$')
		return 0;
	len = (size_t)(*at - path->text) - 1;
	*ret = run->scope->value;
	for (const struct template_variable *v = run->variables; len && v; v = v->outer)
		if (v->len == len && memcmp(v->name, path->text + 1, len) == 0) {
			*ret = v->value;
			return 0;
		}
	return len ? err_set(e, EINVAL, "--format: there is no variable \"%.*s\"", (int)len + 1,
			     path->text)
		   : 0;
}

static int no_field(const struct word *path, struct err *e)
{
	return err_set(e, EINVAL, "--format: there is no field \"%.*s\"", (int)path->len,
		       path->text);
}

/* ".A.B", ".", "$", "$a.B" */
static int find_path(const struct template_run *run, const struct word *path,
		     const struct json **ret, struct err *e)
{
	const char *end = path->text + path->len, *at;
	const struct json *v;

	TRY(path_start(run, path, &at, &v, e));
	while (at < end && at + 1 < end) {
		const struct json *of = v;
		const char *name = ++at;

		while (at < end && *at != '.')
			at++;
		v = member(of, name, (size_t)(at - name));
		if (!v && !run->lenient && !(of && of == run->scope->loose))
			return no_field(path, e);
	}
	/* A dot behind a name. */
	if (at < end && path->len > 1)
		return no_field(path, e);
	*ret = v;
	return 0;
}

/* The heading of a label's column: its name's last part. */
static const char *label_heading(const char *key, struct arena *a)
{
	const char *dot = strrchr(key, '.');
	char *text = arena_strdup(a, dot ? dot + 1 : key);

	for (char *at = text; *at; at++)
		if (*at == '-' || *at == '_')
			*at = ' ';
	return text;
}

/* .Label "KEY" */
static int find_label(struct template_run *run, struct template_words *words,
		      const struct json **ret, struct err *e)
{
	struct word key;
	const char *text;

	TRY(next_word(words, &key, e));
	if (key.kind != WORD_TEXT)
		return err_set(e, EINVAL, "--format: expected {{.Label \"KEY\"}}");
	text = unquote(&key, &run->arena);
	*ret = run->scope->heading ? template_string(label_heading(text, &run->arena), &run->arena)
				   : member(run->scope->labels, text, strlen(text));
	return 0;
}

static bool is_label(const struct template_run *run, const struct word *w)
{
	static const char whole[] = "$.Label";
	const size_t begin = run->dot == run->scope->value && w->len && *w->text == '.';

	return run->scope->labels && w->len + begin == sizeof(whole) - 1 &&
	       memcmp(w->text, whole + begin, w->len) == 0;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as TEMPLATE_DEPTH_MAX. */

static int pipeline(struct template_run *run, struct template_words *words, const struct json **ret,
		    struct err *e);

/* "( ... )", perhaps with ".A" behind it. */
static int read_parenthesis(struct template_run *run, struct template_words *words,
			    const struct json **ret, struct err *e)
{
	const struct json *dot = run->dot;
	struct word w;
	int r;

	if (++run->depth > TEMPLATE_DEPTH_MAX)
		return err_set(e, EINVAL, "--format: too many parentheses in each other");
	TRY(pipeline(run, words, ret, e));
	run->depth--;
	TRY(next_word(words, &w, e));
	if (w.kind != WORD_CLOSE)
		return err_set(e, EINVAL, "--format: \")\" is missing");
	if (words->at == words->end || *words->at != '.')
		return 0;
	TRY(next_word(words, &w, e));
	run->dot = *ret;
	r = find_path(run, &w, ret, e);
	run->dot = dot;
	return r;
}

static bool is_name(const struct word *w, const char *name)
{
	return w->kind == WORD_NAME && w->len == strlen(name) && memcmp(w->text, name, w->len) == 0;
}

static bool is_constant(const struct word *w)
{
	return is_name(w, "true") || is_name(w, "false");
}

static int read_name(struct template_run *run, const struct word *w, const struct json **ret,
		     struct err *e)
{
	if (!is_constant(w))
		return err_set(e, EINVAL, "--format: \"%.*s\" is no field; one begins with a dot",
			       (int)w->len, w->text);
	*ret = constant(JSON_BOOL, NULL, is_name(w, "true"), &run->arena);
	return 0;
}

static int read_number(struct template_run *run, const struct word *w, const struct json **ret,
		       struct err *e)
{
	const char *text = arena_strndup(&run->arena, w->text, w->len);
	const char *digits = text + (*text == '-');

	if (!*digits || digits[strspn(digits, "0123456789")])
		return err_set(e, EINVAL, "--format: \"%s\" is no number", text);
	*ret = constant(JSON_NUMBER, text, false, &run->arena);
	return 0;
}

static int read_operand(struct template_run *run, struct template_words *words,
			const struct json **ret, struct err *e)
{
	struct word w;

	TRY(next_word(words, &w, e));
	switch (w.kind) {
	case WORD_FIELD:
		if (is_label(run, &w))
			return find_label(run, words, ret, e);
		return find_path(run, &w, ret, e);
	case WORD_TEXT:
		*ret = template_string(unquote(&w, &run->arena), &run->arena);
		return 0;
	case WORD_NUMBER:
		return read_number(run, &w, ret, e);
	case WORD_OPEN:
		return read_parenthesis(run, words, ret, e);
	case WORD_NAME:
		return read_name(run, &w, ret, e);
	case WORD_NONE:
		return err_set(e, EINVAL, "--format: \"{{}}\" names nothing");
	default:
		return err_set(e, EINVAL, "--format: nothing is before \"%.*s\"", (int)w.len,
			       w.text);
	}
}

static bool is_heading(const struct json *v)
{
	return !v || v->type == JSON_STRING;
}

/* Its arguments, of which `piped` is the last one if there is one. */
static int call_function(struct template_run *run, const struct word *name,
			 struct template_words *words, const struct json *const *piped,
			 const struct json **ret, struct err *e)
{
	const struct template_function *f = template_function_find(name->text, name->len);
	const struct json *args[TEMPLATE_ARGS_MAX + 1] = { NULL };
	enum word_kind kind;
	size_t n = 0;

	if (!f)
		return err_set(e, EINVAL, "--format: there is no function \"%.*s\"", (int)name->len,
			       name->text);
	while ((kind = peek(words)) != WORD_NONE && kind != WORD_PIPE && kind != WORD_CLOSE &&
	       n < TEMPLATE_ARGS_MAX)
		TRY(read_operand(run, words, &args[n++], e));
	if (piped)
		args[n++] = *piped;
	if (n < f->min || n > f->max)
		return err_set(e, EINVAL, "--format: expected {{%s %s}}", f->name, f->arguments);
	/* A heading stays what it is; of all else, as the row that index looks into, it is the same as elsewhere. */
	if (run->scope->heading && is_heading(piped ? *piped : args[0])) {
		*ret = piped ? *piped : args[0];
		return 0;
	}
	return f->call(args, n, &run->arena, ret, e);
}

/* What stands between two "|". */
static int command(struct template_run *run, struct template_words *words,
		   const struct json *const *piped, const struct json **ret, struct err *e)
{
	struct template_words ahead = *words;
	struct word w;

	TRY(next_word(&ahead, &w, e));
	if (w.kind == WORD_NAME && !is_constant(&w)) {
		*words = ahead;
		return call_function(run, &w, words, piped, ret, e);
	}
	if (piped)
		return err_set(e, EINVAL, "--format: what follows \"|\" is no function");
	return read_operand(run, words, ret, e);
}

static int pipeline(struct template_run *run, struct template_words *words, const struct json **ret,
		    struct err *e)
{
	const struct json *value;
	struct word w;

	TRY(command(run, words, NULL, ret, e));
	while (peek(words) == WORD_PIPE) {
		TRY(next_word(words, &w, e));
		value = *ret;
		TRY(command(run, words, &value, ret, e));
	}
	return 0;
}

/* NOLINTEND(misc-no-recursion) */

int template_value(struct template_run *run, struct template_words *words, const struct json **ret,
		   struct err *e)
{
	struct word w;

	run->depth = 0;
	TRY(pipeline(run, words, ret, e));
	TRY(next_word(words, &w, e));
	if (w.kind != WORD_NONE)
		return err_set(e, EINVAL, "--format: \"%.*s\" is more than hull understands",
			       (int)w.len, w.text);
	return 0;
}
