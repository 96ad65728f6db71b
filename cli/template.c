#include "cli/template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"

static void write_value(struct json_writer *w, const char *key, const struct json *v)
{
	switch (v->type) {
	case JSON_NULL:
		json_write_raw(w, key, "null");
		break;
	case JSON_BOOL:
		json_write_bool(w, key, v->boolean);
		break;
	case JSON_NUMBER:
		json_write_raw(w, key, v->text);
		break;
	case JSON_STRING:
		json_write_string(w, key, v->text);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		if (v->type == JSON_ARRAY)
			json_write_array(w, key);
		else
			json_write_object(w, key);
		for (const struct json *m = v->first; m; m = m->next)
			write_value(w, m->key, m);
		json_write_end(w);
		break;
	}
}

static void print_json(const struct json *v, struct buf *ret)
{
	struct json_writer w = json_writer(ret, NULL);

	write_value(&w, NULL, v);
}

/* The words of an action: what is between blanks, or between quotes. */
struct words {
	const char *at, *end;
};

struct word {
	const char *text;
	size_t len;
	bool quoted;
};

/* 1: there was one. */
static int next_word(struct words *w, struct word *ret, struct err *e)
{
	const char *end;

	while (w->at < w->end && *w->at == ' ')
		w->at++;
	if (w->at == w->end)
		return 0;
	if (*w->at == '"') {
		end = memchr(w->at + 1, '"', (size_t)(w->end - w->at - 1));
		if (!end)
			return err_set(e, EINVAL, "--format: a quotation mark is missing");
		*ret = (struct word){ w->at + 1, (size_t)(end - w->at - 1), true };
		w->at = end + 1;
		return 1;
	}
	*ret = (struct word){ .text = w->at };
	while (w->at < w->end && *w->at != ' ')
		w->at++, ret->len++;
	return 1;
}

static bool is_word(const struct word *w, const char *text)
{
	return !w->quoted && strlen(text) == w->len && memcmp(w->text, text, w->len) == 0;
}

static const struct json *member(const struct json *v, const char *name, size_t len)
{
	if (v->type != JSON_OBJECT)
		return NULL;
	for (const struct json *m = v->first; m; m = m->next)
		if (strlen(m->key) == len && memcmp(m->key, name, len) == 0)
			return m;
	return NULL;
}

/* ".A.B", or "." */
static int find_path(const struct json *v, const struct word *path, const struct json **ret,
		     struct err *e)
{
	const char *at = path->text, *end = at + path->len;

	if (path->quoted || *at != '.')
		return err_set(e, EINVAL, "--format: \"%.*s\" is no field; one begins with a dot",
			       (int)path->len, path->text);
	while (at + 1 < end) {
		const char *name = ++at;

		while (at < end && *at != '.')
			at++;
		v = member(v, name, (size_t)(at - name));
		if (!v)
			return err_set(e, EINVAL, "--format: there is no field \"%.*s\"",
				       (int)path->len, path->text);
	}
	*ret = v;
	return 0;
}

static const struct json *element(const struct json *v, const struct word *w)
{
	char *end;
	unsigned long n;

	if (w->quoted || v->type != JSON_ARRAY)
		return w->quoted ? member(v, w->text, w->len) : NULL;
	n = strtoul(w->text, &end, 10);
	if (end != w->text + w->len)
		return NULL;
	v = v->first;
	while (v && n--)
		v = v->next;
	return v;
}

/* What follows "index". Nothing, where there is no such thing, as Go has it. */
static int find_index(struct words *words, const struct json *root, const struct json **ret,
		      struct err *e)
{
	struct word w;
	int r = next_word(words, &w, e);

	TRY(r);
	if (r == 0)
		return err_set(e, EINVAL, "--format: index of what?");
	TRY(find_path(root, &w, ret, e));
	while ((r = next_word(words, &w, e)) > 0 && *ret)
		*ret = element(*ret, &w);
	return r;
}

/* What stands between "{{" and "}}". */
static int print_action(struct words words, const struct json *root, struct buf *ret, struct err *e)
{
	const struct json *v = NULL;
	bool as_json = false;
	struct word w;
	int r = next_word(&words, &w, e);

	TRY(r);
	if (r > 0 && is_word(&w, "json")) {
		as_json = true;
		r = next_word(&words, &w, e);
		TRY(r);
	}
	if (r == 0)
		return err_set(e, EINVAL, "--format: \"{{}}\" names nothing");
	if (is_word(&w, "index"))
		TRY(find_index(&words, root, &v, e));
	else
		TRY(find_path(root, &w, &v, e));
	r = next_word(&words, &w, e);
	TRY(r);
	if (r > 0)
		return err_set(e, EINVAL, "--format: \"%.*s\" is more than hull understands",
			       (int)w.len, w.text);
	if (v && v->type == JSON_STRING && !as_json)
		buf_str(ret, v->text);
	else if (v)
		print_json(v, ret);
	return 0;
}

int template_print(const char *text, const struct json *value, struct buf *ret, struct err *e)
{
	while (*text) {
		const char *end;

		if (text[0] == '\\' && (text[1] == 't' || text[1] == 'n')) {
			buf_char(ret, text[1] == 't' ? '\t' : '\n');
			text += 2;
		} else if (text[0] == '{' && text[1] == '{') {
			end = strstr(text, "}}");
			if (!end)
				return err_set(e, EINVAL, "--format: \"}}\" is missing");
			TRY(print_action((struct words){ text + 2, end }, value, ret, e));
			text = end + 2;
		} else {
			buf_char(ret, *text++);
		}
	}
	return 0;
}
