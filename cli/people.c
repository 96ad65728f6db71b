#include "cli/people.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/columns.h"
#include "cli/template.h"
#include "engine/happened.h"

int people_engine(const struct call *call, struct engine *ret, struct err *e)
{
	return engine_open(&call->runtime, call->data_root, ret, e);
}

bool people_has_engine(const struct call *call)
{
	auto_buf struct buf path = { 0 };

	if (image_store_path(call->data_root, &path, NULL) < 0)
		return false;
	buf_str(&path, "/containers");
	return access(path.text, F_OK) == 0;
}

int people_container(const struct call *call, const char *who, const char **ret, struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_state struct state state = { 0 };
	char id[RECORD_ID_LEN + 1];
	struct err other = { 0 };
	int r = container_state(&call->runtime, who, &state, &other);

	*ret = who;
	if ((r != -ENOENT && r != -EINVAL) || !people_has_engine(call))
		return 0; /* the runtime's own; its failure, too, is told by who uses it */
	TRY(people_engine(call, &g, e));
	r = record_find(&g, who, id, &other);
	if (r == -EEXIST)
		return err_set(e, -r, "%s", other.msg);
	if (r >= 0)
		*ret = arena_strdup(call->arena, id);
	return 0;
}

int people_kept(const struct call *call, const char *who, const char **ret, struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_record struct record record = { 0 };
	auto_fd int dir = -1;
	char id[RECORD_ID_LEN + 1];
	const char *found;
	struct err other = { 0 };

	*ret = NULL;
	TRY(people_container(call, who, &found, e));
	if (!people_has_engine(call))
		return 0;
	TRY(people_engine(call, &g, e));
	if (record_find(&g, found, id, &other) < 0 || strcmp(id, found) != 0)
		return 0;
	TRY(dir = record_open(&g, id, &record, e));
	*ret = arena_strdup(call->arena, record.name);
	return 0;
}

void people_happened(const struct call *call, const char *id, const char *action, const char *key,
		     const char *value)
{
	auto_engine struct engine g = ENGINE_CLOSED;
	struct err ignored;

	if (call->mode == MODE_HULL && people_has_engine(call) &&
	    people_engine(call, &g, &ignored) >= 0)
		happened_to(&g, id, action, key, value);
}

/* 0 with its record: it is the engine's. */
static int open_kept(const struct call *call, const char *id, struct engine *g, struct record *ret)
{
	struct err ignored;
	auto_fd int dir = -1;

	if (call->mode != MODE_HULL || !people_has_engine(call))
		return -ENOENT;
	TRY(people_engine(call, g, &ignored));
	dir = record_open(g, id, ret, &ignored);
	return dir < 0 ? dir : 0;
}

void people_exec_begins(const struct call *call, const char *id, const struct strings *args,
			char ret_id[RECORD_ID_LEN + 1])
{
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_record struct record record = { 0 };
	auto_state struct state state = { 0 };
	auto_buf struct buf words = { 0 }, lines = { 0 };
	struct spec_pair pair = { "execID", ret_id };
	const struct spec_pairs more = { &pair, 1 };
	int64_t now = happened_now();
	struct err ignored;

	*ret_id = '\0';
	if (open_kept(call, id, &g, &record) < 0 ||
	    container_state(&call->runtime, id, &state, &ignored) < 0 ||
	    state.status != STATE_RUNNING || record_new_id(ret_id, &ignored) < 0)
		return;
	buf_str(&words, "");
	for (size_t i = 0; i < args->n; i++)
		buf_printf(&words, "%s%s", i ? " " : "", args->at[i]);
	happened_write(&record, arena_printf(&record.arena, "exec_create: %s", words.text), &more,
		       now, &lines);
	happened_write(&record, arena_printf(&record.arena, "exec_start: %s", words.text), &more,
		       now, &lines);
	happened_note(&g, &lines);
}

void people_exec_ended(const struct call *call, const char *id, const char *exec_id, int status)
{
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_record struct record record = { 0 };
	auto_buf struct buf line = { 0 };
	char code[16];
	struct spec_pair pairs[] = { { "execID", exec_id }, { "exitCode", code } };

	if (!*exec_id || open_kept(call, id, &g, &record) < 0)
		return;
	snprintf(code, sizeof(code), "%d", status);
	happened_write(&record, "exec_die", &(struct spec_pairs){ pairs, ARRAY_LEN(pairs) },
		       happened_now(), &line);
	happened_note(&g, &line);
}

void people_table_begin(struct people_table *t, const struct people_field *fields,
			const char *format)
{
	*t = (struct people_table){ .fields = fields, .format = format };
	if (format && (strcmp(format, "table") == 0 || !*format))
		t->format = NULL;
}

static size_t count_fields(const struct people_table *t)
{
	size_t n = 0;

	while (t->fields[n].name)
		n++;
	return n;
}

bool people_has_label(const struct spec_pairs *labels, const char *value)
{
	size_t len = strcspn(value, "=");

	for (size_t i = 0; i < labels->n; i++)
		if (strlen(labels->at[i].key) == len &&
		    strncmp(labels->at[i].key, value, len) == 0 &&
		    (!value[len] || strcmp(labels->at[i].value, value + len + 1) == 0))
			return true;
	return false;
}

static const char table_word[] = "table ";

static bool is_table(const struct people_table *t)
{
	return !t->format || strncmp(t->format, table_word, sizeof(table_word) - 1) == 0;
}

/* A copy. In a table a tab of a value would be a column, and an image's text could steer the terminal. */
static const char *keep_text(struct people_table *t, const char *text)
{
	char *copy = arena_strdup(&t->arena, text ? text : "");

	for (char *c = copy; is_table(t) && *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return copy;
}

static const struct json *labels_object(struct people_table *t, const struct spec_pairs *labels)
{
	struct json *object = arena_alloc(&t->arena, sizeof(*object));
	struct json *members = arena_array(&t->arena, labels->n, sizeof(*members));

	for (size_t i = 0; i < labels->n; i++)
		members[i] = (struct json){ .type = JSON_STRING,
					    .key = arena_strdup(&t->arena, labels->at[i].key),
					    .text = keep_text(t, labels->at[i].value),
					    .next = i + 1 < labels->n ? &members[i + 1] : NULL };
	object->type = JSON_OBJECT;
	object->first = labels->n ? members : NULL;
	object->count = (uint32_t)labels->n;
	return object;
}

static struct people_row *new_row(struct people_table *t)
{
	size_t n = t->rows.n;

	if ((n & (n - 1)) == 0)
		t->rows.at = mem_grow(t->rows.at, n ? 2 * n : 1, sizeof(*t->rows.at));
	t->rows.at[n] = (struct people_row){ 0 };
	t->rows.n++;
	return &t->rows.at[n];
}

void people_table_row(struct people_table *t, const char *const *values,
		      const struct spec_pairs *labels)
{
	size_t n = count_fields(t);
	struct people_row *row = new_row(t);

	row->values = arena_array(&t->arena, n, sizeof(*row->values));
	for (size_t i = 0; i < n; i++)
		row->values[i] = keep_text(t, values[i]);
	if (t->labelled)
		row->labels = labels_object(t, labels);
}

/* The object that a row, or that of headings, is to templates and in JSON. */
static const struct json *row_object(struct people_table *t, const struct people_row *row)
{
	size_t n = count_fields(t);
	struct json *members = arena_array(&t->arena, n, sizeof(*members));
	struct json *object = arena_alloc(&t->arena, sizeof(*object));

	for (size_t i = 0; i < n; i++)
		members[i] = (struct json){ .type = JSON_STRING,
					    .key = t->fields[i].name,
					    .text = row ? row->values[i] : t->fields[i].heading,
					    .next = i + 1 < n ? &members[i + 1] : NULL };
	*object = (struct json){ .type = JSON_OBJECT, .first = members };
	object->count = (uint32_t)n;
	return object;
}

/* A line of it; NULL is the headings. */
static int print_row(struct people_table *t, const char *template, const struct people_row *row,
		     struct buf *ret, struct err *e)
{
	static const struct json none = { .type = JSON_OBJECT };
	const struct template_scope scope = { .value = row_object(t, row),
					      .labels = row		 ? row->labels
							: t->labelled ? &none
								      : NULL,
					      .heading = !row };

	TRY(template_print(template, &scope, ret, e));
	buf_char(ret, '\n');
	return 0;
}

/* The template that the fields which are no aside make. */
static const char *usual_template(struct people_table *t)
{
	auto_buf struct buf b = { 0 };

	for (size_t i = 0; t->fields[i].name; i++)
		if (!t->fields[i].aside)
			buf_printf(&b, "%s{{.%s}}", b.len ? "\t" : "", t->fields[i].name);
	return arena_strdup(&t->arena, b.text);
}

/* Its lines, with what is between tabs below each other. */
static int print_table(struct people_table *t, const char *template, struct err *e)
{
	auto_buf struct buf text = { 0 };

	TRY(print_row(t, template, NULL, &text, e));
	for (size_t i = 0; i < t->rows.n; i++)
		TRY(print_row(t, template, &t->rows.at[i], &text, e));
	columns_print(text.text, &t->out);
	return 0;
}

static int print_rows(struct people_table *t, const char *template, struct err *e)
{
	for (size_t i = 0; i < t->rows.n; i++)
		TRY(print_row(t, template, &t->rows.at[i], &t->out, e));
	return 0;
}

/* Tells of a wrong template also where there is no row. */
static int check(struct people_table *t, const char *template, struct err *e)
{
	auto_buf struct buf text = { 0 };

	return print_row(t, template, NULL, &text, e);
}

int people_table_print(struct people_table *t, struct err *e)
{
	buf_str(&t->out, "");
	if (is_table(t)) {
		TRY(print_table(
			t, t->format ? t->format + sizeof(table_word) - 1 : usual_template(t), e));
	} else if (strcmp(t->format, "json") == 0) {
		TRY(print_rows(t, "{{json .}}", e));
	} else {
		TRY(check(t, t->format, e));
		TRY(print_rows(t, t->format, e));
	}
	return 0;
}

int people_table_end(struct people_table *t, struct err *e)
{
	TRY(people_table_print(t, e));
	fputs(t->out.text, stdout);
	return 0;
}

void people_table_done(struct people_table *t)
{
	buf_done(&t->out);
	free(t->rows.at);
	arena_done(&t->arena);
}

int people_words(const struct call *call, const struct strings *words,
		 int (*fn)(const char *who, void *ctx, struct err *e), void *ctx, struct err *e)
{
	int result = 0;

	for (size_t i = 0; i < words->n; i++) {
		struct err one = { 0 };
		int r = fn(words->at[i], ctx, &one);

		if (r >= 0)
			continue;
		/* All but the last failure are told here; the last one is main's. */
		if (result < 0)
			fprintf(stderr, "%s: %s\n", call->runtime.program, e->msg);
		*e = one;
		result = r;
	}
	return result;
}

struct each {
	const struct engine *g;
	const struct call *call;
	int (*fn)(const struct engine *g, const char *who, const struct call *call, struct err *e);
};

static int each_one(const char *who, void *ctx, struct err *e)
{
	const struct each *each = ctx;

	return each->fn(each->g, who, each->call, e);
}

int people_each(const struct call *call,
		int (*fn)(const struct engine *g, const char *who, const struct call *call,
			  struct err *e),
		struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;

	TRY(people_engine(call, &g, e));
	return people_words(call, &call->options.args, each_one, &(struct each){ &g, call, fn }, e);
}
