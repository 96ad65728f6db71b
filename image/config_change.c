#include "image/config_change.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/json_write.h"

/*
 * Instructions
 */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

/* The next word, without its quotes; NULL at the end. */
static int next_word(const char **at, struct arena *a, const char **ret, struct err *e)
{
	auto_buf struct buf word = { 0 };
	const char *c = skip_blanks(*at);
	char quote = 0;

	*ret = NULL;
	if (!*c)
		return 0;
	buf_str(&word, "");
	for (; *c && (quote || !is_blank(*c)); c++) {
		if (*c == '\\' && quote != '\'' && c[1])
			buf_char(&word, *++c);
		else if (quote ? *c == quote : *c == '"' || *c == '\'')
			quote = quote ? 0 : *c;
		else
			buf_char(&word, *c);
	}
	if (quote)
		return err_set(e, EINVAL, "a quote (%c) is not closed", quote);
	*at = c;
	*ret = arena_strdup(a, word.text);
	return 0;
}

static void add_string(struct strings *list, const char *word, struct arena *a)
{
	const char **old = list->at;

	list->at = arena_array(a, list->n + 1, sizeof(*list->at));
	if (list->n)
		memcpy(list->at, old, list->n * sizeof(*old));
	list->at[list->n++] = word;
}

/* ["word", ...] */
static int parse_array(const char *text, struct arena *a, struct strings *ret, struct err *e)
{
	auto_json struct json_doc doc = { .name = "the array", .text = text, .size = strlen(text) };

	TRY(json_parse(&doc, a, e));
	if (doc.root->type != JSON_ARRAY)
		return err_set(e, EINVAL, "expected an array of strings");
	for (const struct json *j = doc.root->first; j; j = j->next) {
		if (j->type != JSON_STRING)
			return json_fail(&doc, j, NULL, e, "expected a string, found %s",
					 json_type_name(j->type));
		add_string(ret, j->text, a);
	}
	return 0;
}

static int parse_command(const char *rest, struct arena *a, struct strings *ret, struct err *e)
{
	struct strings list = { 0 };

	if (rest[0] == '[') {
		TRY(parse_array(rest, a, &list, e));
	} else if (rest[0]) {
		add_string(&list, "/bin/sh", a);
		add_string(&list, "-c", a);
		add_string(&list, arena_strdup(a, rest), a);
	}
	*ret = list;
	return 0;
}

static int change_cmd(struct image_run *run, const char *rest, struct arena *a, struct err *e)
{
	return parse_command(rest, a, &run->cmd, e);
}

static int change_entrypoint(struct image_run *run, const char *rest, struct arena *a,
			     struct err *e)
{
	return parse_command(rest, a, &run->entrypoint, e);
}

/* Calls `set` for each NAME=VALUE, or for NAME and the rest of the line. */
static int each_pair(struct image_run *run, const char *rest, struct arena *a,
		     void (*set)(struct image_run *run, const char *name, const char *value,
				 struct arena *a),
		     struct err *e)
{
	const char *at = rest, *word;
	bool first = true;

	for (;; first = false) {
		const char *equals, *before = at;

		TRY(next_word(&at, a, &word, e));
		if (!word)
			return first ? err_set(e, EINVAL, "expected NAME=VALUE") : 0;
		equals = strchr(word, '=');
		if (equals == word)
			return err_set(e, EINVAL, "%s: a name is missing", json_quote(word).text);
		if (equals) {
			set(run, arena_strndup(a, word, (size_t)(equals - word)), equals + 1, a);
			continue;
		}
		if (!first || !*skip_blanks(at))
			return err_set(e, EINVAL, "%s: expected NAME=VALUE",
				       json_quote(skip_blanks(before)).text);
		set(run, word, arena_strdup(a, skip_blanks(at)), a);
		return 0;
	}
}

static void set_env(struct image_run *run, const char *name, const char *value, struct arena *a)
{
	const char *entry = arena_printf(a, "%s=%s", name, value);
	size_t len = strlen(name);

	for (size_t i = 0; i < run->env.n; i++)
		if (strncmp(run->env.at[i], entry, len + 1) == 0) {
			struct strings copy = { 0 };

			for (size_t k = 0; k < run->env.n; k++)
				add_string(&copy, k == i ? entry : run->env.at[k], a);
			run->env = copy;
			return;
		}
	add_string(&run->env, entry, a);
}

static void set_label(struct image_run *run, const char *name, const char *value, struct arena *a)
{
	struct spec_pair *old = run->labels.at,
			 *at = arena_array(a, run->labels.n + 1, sizeof(*at));
	size_t i;

	if (run->labels.n)
		memcpy(at, old, run->labels.n * sizeof(*at));
	for (i = 0; i < run->labels.n && strcmp(at[i].key, name) != 0; i++)
		;
	at[i] = (struct spec_pair){ .key = name, .value = value };
	run->labels.n += i == run->labels.n;
	run->labels.at = at;
}

static int change_env(struct image_run *run, const char *rest, struct arena *a, struct err *e)
{
	return each_pair(run, rest, a, set_env, e);
}

static int change_label(struct image_run *run, const char *rest, struct arena *a, struct err *e)
{
	return each_pair(run, rest, a, set_label, e);
}

static void add_member(struct image_set *set, const char *name, struct arena *a)
{
	struct image_set_member *at = arena_array(a, set->n + 1, sizeof(*at));

	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(set->at[i].name, name) == 0)
			return;
		at[i] = set->at[i];
	}
	at[set->n++].name = name;
	set->at = at;
}

static int change_ports(struct image_run *run, const char *rest, struct arena *a, struct err *e)
{
	const char *word;

	do {
		TRY(next_word(&rest, a, &word, e));
		if (word)
			add_member(&run->exposed_ports,
				   strchr(word, '/') ? word : arena_printf(a, "%s/tcp", word), a);
	} while (word);
	return 0;
}

static int change_volumes(struct image_run *run, const char *rest, struct arena *a, struct err *e)
{
	struct strings list = { 0 };
	const char *word = rest;

	if (rest[0] == '[')
		TRY(parse_array(rest, a, &list, e));
	while (rest[0] != '[' && word) {
		TRY(next_word(&rest, a, &word, e));
		if (word)
			add_string(&list, word, a);
	}
	for (size_t i = 0; i < list.n; i++) {
		if (list.at[i][0] != '/')
			return err_set(e, EINVAL, "%s is no absolute path",
				       json_quote(list.at[i]).text);
		add_member(&run->volumes, list.at[i], a);
	}
	return 0;
}

static int change_user(struct image_run *run, const char *rest, struct arena *a,
		       struct err *e UNUSED)
{
	run->user = arena_strdup(a, rest);
	return 0;
}

static int change_stop_signal(struct image_run *run, const char *rest, struct arena *a,
			      struct err *e UNUSED)
{
	run->stop_signal = arena_strdup(a, rest);
	return 0;
}

/* A relative one goes on from the one that was. */
static int change_directory(struct image_run *run, const char *rest, struct arena *a, struct err *e)
{
	const char *was = run->working_dir ? run->working_dir : "/";

	if (!rest[0])
		return err_set(e, EINVAL, "expected a directory");
	run->working_dir = rest[0] == '/'
				   ? arena_strdup(a, rest)
				   : arena_printf(a, "%s%s%s", was,
						  was[strlen(was) - 1] == '/' ? "" : "/", rest);
	return 0;
}

static const struct {
	const char *name;
	int (*change)(struct image_run *run, const char *rest, struct arena *a, struct err *e);
} instructions[] = {
	{ "CMD", change_cmd },           { "ENTRYPOINT", change_entrypoint },
	{ "ENV", change_env },           { "EXPOSE", change_ports },
	{ "LABEL", change_label },       { "STOPSIGNAL", change_stop_signal },
	{ "USER", change_user },         { "VOLUME", change_volumes },
	{ "WORKDIR", change_directory },
};

int image_run_change(struct image_run *run, const char *instruction, struct arena *a, struct err *e)
{
	const char *at = skip_blanks(instruction);
	size_t len = strcspn(at, " \t=");

	for (size_t i = 0; i < ARRAY_LEN(instructions); i++) {
		const char *rest = at + len + (at[len] ? 1 : 0);

		if (strlen(instructions[i].name) != len ||
		    strncasecmp(instructions[i].name, at, len) != 0)
			continue;
		if (instructions[i].change(run, skip_blanks(rest), a, e) < 0)
			return err_wrap(e, "%s", json_quote(instruction).text);
		return 0;
	}
	return err_set(
		e, EINVAL,
		"%s: expected CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or "
		"WORKDIR",
		json_quote(instruction).text);
}

/*
 * The document
 */

static bool is_among(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcasecmp(name, *names) == 0) /* as Go reads them */
			return true;
	return false;
}

/* The members of an object that are not among `names`. */
static void copy_others(struct json_writer *w, const struct json *object, const char *const *names)
{
	if (!object || object->type != JSON_OBJECT)
		return;
	for (const struct json *at = object->first; at; at = at->next)
		if (!is_among(at->key, names))
			json_write_value(w, at->key, at);
}

static void write_text(struct json_writer *w, const char *key, const char *value)
{
	if (value && value[0])
		json_write_string(w, key, value);
}

static void write_list(struct json_writer *w, const char *key, const struct strings *list)
{
	if (list->n)
		json_write_strings(w, key, list);
}

static void write_set(struct json_writer *w, const char *key, const struct image_set *set)
{
	if (!set->n)
		return;
	json_write_object(w, key);
	for (size_t i = 0; i < set->n; i++) {
		json_write_object(w, set->at[i].name);
		json_write_end(w);
	}
	json_write_end(w);
}

static void write_run(struct json_writer *w, const struct image_run *run, const struct json *old)
{
	static const char *const ours[] = {
		"User",       "ExposedPorts", "Env",        "Entrypoint",  "Cmd", "Volumes",
		"WorkingDir", "Labels",       "StopSignal", "ArgsEscaped", NULL
	};

	json_write_object(w, "config");
	write_text(w, "User", run->user);
	write_set(w, "ExposedPorts", &run->exposed_ports);
	write_list(w, "Env", &run->env);
	write_list(w, "Entrypoint", &run->entrypoint);
	write_list(w, "Cmd", &run->cmd);
	write_set(w, "Volumes", &run->volumes);
	write_text(w, "WorkingDir", run->working_dir);
	if (run->labels.n)
		json_write_object(w, "Labels");
	for (size_t i = 0; i < run->labels.n; i++)
		json_write_string(w, run->labels.at[i].key, run->labels.at[i].value);
	if (run->labels.n)
		json_write_end(w);
	write_text(w, "StopSignal", run->stop_signal);
	copy_others(w, old, ours);
	json_write_end(w);
}

static void copy_elements(struct json_writer *w, const struct json *array)
{
	if (array && array->type == JSON_ARRAY)
		for (const struct json *at = array->first; at; at = at->next)
			json_write_value(w, NULL, at);
}

static void write_layers(struct json_writer *w, const struct image_step *step,
			 const struct json *old)
{
	json_write_object(w, "rootfs");
	json_write_string(w, "type", "layers");
	json_write_array(w, "diff_ids");
	copy_elements(w, old ? json_member(old, "diff_ids") : NULL);
	json_write_string(w, NULL, step->diff_id.text);
	json_write_end(w);
	json_write_end(w);
}

static void write_history(struct json_writer *w, const struct image_step *step,
			  const struct json *old)
{
	json_write_array(w, "history");
	copy_elements(w, old);
	json_write_object(w, NULL);
	json_write_string(w, "created", step->created);
	write_text(w, "created_by", step->created_by);
	write_text(w, "author", step->author);
	write_text(w, "comment", step->comment);
	json_write_end(w);
	json_write_end(w);
}

int image_config_change(const char *name, const char *text, size_t size,
			const struct image_run *run, const struct image_step *step, struct buf *ret,
			struct err *e)
{
	/* What Docker notes of the container that an image was made of is not of this one. */
	static const char *const ours[] = { "created", "author",    "config",           "rootfs",
					    "history", "container", "container_config", NULL };
	auto_json struct json_doc doc = { .name = name, .text = text, .size = size };
	auto_arena struct arena a = { 0 };
	struct json_writer w = json_writer(ret, NULL);
	const struct json *author;

	TRY(json_parse(&doc, &a, e));
	if (doc.root->type != JSON_OBJECT)
		return json_fail(&doc, doc.root, NULL, e, "expected an object, found %s",
				 json_type_name(doc.root->type));
	author = json_member(doc.root, "author");
	json_write_object(&w, NULL);
	json_write_string(&w, "created", step->created);
	if (step->author)
		write_text(&w, "author", step->author);
	else if (author)
		json_write_value(&w, "author", author);
	copy_others(&w, doc.root, ours);
	write_run(&w, run, json_member(doc.root, "config"));
	write_layers(&w, step, json_member(doc.root, "rootfs"));
	write_history(&w, step, json_member(doc.root, "history"));
	json_write_end(&w);
	return 0;
}
