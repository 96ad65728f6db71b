#include "cli/people.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/template.h"

enum { COLUMN_GAP = 3 };

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

void people_table_row(struct people_table *t, const char *const *values)
{
	size_t n = count_fields(t);
	const char **row = arena_array(&t->arena, n, sizeof(*row));

	for (size_t i = 0; i < n; i++)
		row[i] = arena_strdup(&t->arena, values[i] ? values[i] : "");
	if ((t->n & (t->n - 1)) == 0)
		t->rows = mem_grow(t->rows, t->n ? 2 * t->n : 1, sizeof(*t->rows));
	t->rows[t->n++] = row;
}

static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void print_cells(struct people_table *t, const size_t *widths, const char *const *cells)
{
	size_t pending = 0;

	for (size_t i = 0; t->fields[i].name; i++) {
		if (!t->fields[i].heading)
			continue;
		buf_printf(&t->out, "%*s%s", (int)pending, "", cells[i]);
		pending = widths[i] - width_of(cells[i]) + COLUMN_GAP;
	}
	buf_char(&t->out, '\n');
}

static void print_table(struct people_table *t)
{
	size_t n = count_fields(t);
	size_t *widths = arena_array(&t->arena, n, sizeof(*widths));
	const char **headings = arena_array(&t->arena, n, sizeof(*headings));

	for (size_t i = 0; i < n; i++) {
		headings[i] = t->fields[i].heading ? t->fields[i].heading : "";
		widths[i] = width_of(headings[i]);
		for (size_t r = 0; r < t->n; r++)
			if (width_of(t->rows[r][i]) > widths[i])
				widths[i] = width_of(t->rows[r][i]);
	}
	print_cells(t, widths, headings);
	for (size_t r = 0; r < t->n; r++)
		print_cells(t, widths, t->rows[r]);
}

/* The object that a row is to templates and in JSON. */
static const struct json *row_object(struct people_table *t, const char *const *row)
{
	size_t n = count_fields(t);
	struct json *members = arena_array(&t->arena, n, sizeof(*members));
	struct json *object = arena_array(&t->arena, 1, sizeof(*object));

	for (size_t i = 0; i < n; i++)
		members[i] = (struct json){ .type = JSON_STRING,
					    .key = t->fields[i].name,
					    .text = row[i],
					    .next = i + 1 < n ? &members[i + 1] : NULL };
	*object = (struct json){ .type = JSON_OBJECT, .first = members };
	return object;
}

static int print_rows(struct people_table *t, const char *template, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		TRY(template_print(template, row_object(t, t->rows[i]), &t->out, e));
		buf_char(&t->out, '\n');
	}
	return 0;
}

int people_table_end(struct people_table *t, struct err *e)
{
	int r = 0;

	buf_str(&t->out, "");
	if (!t->format)
		print_table(t);
	else
		r = print_rows(t, strcmp(t->format, "json") == 0 ? "{{json .}}" : t->format, e);
	if (r >= 0)
		fputs(t->out.text, stdout);
	buf_done(&t->out);
	free(t->rows);
	arena_done(&t->arena);
	return r;
}

const char *people_ago(const char *text, struct arena *a)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 365 * 86400L, "year" }, { 30 * 86400L, "month" }, { 7 * 86400L, "week" },
		      { 86400, "day" },         { 3600, "hour" },         { 60, "minute" },
		      { 1, "second" } };
	struct tm tm = { 0 };
	int64_t passed;

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
		return "";
	passed = (int64_t)(time(NULL) - timegm(&tm));
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		int64_t n = passed / units[i].seconds;

		if (n > 0)
			return arena_printf(a, "%lld %s%s ago", (long long)n, units[i].name,
					    n == 1 ? "" : "s");
	}
	return "just now";
}

const char *people_size(uint64_t bytes, struct arena *a)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double value = (double)bytes;
	size_t i = 0;

	for (; value >= 1000 && i + 1 < ARRAY_LEN(units); i++)
		value /= 1000;
	return arena_printf(a, i && value < 100 ? "%.1f%s" : "%.0f%s", value, units[i]);
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
