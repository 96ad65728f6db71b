#include "cli/people.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

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

static void print_json(struct people_table *t, const char *const *row)
{
	struct json_writer w = json_writer(&t->out, NULL);

	json_write_object(&w, NULL);
	for (size_t i = 0; t->fields[i].name; i++)
		json_write_string(&w, t->fields[i].name, row[i]);
	json_write_end(&w);
	buf_char(&t->out, '\n');
}

/* What stands between "{{" and "}}": ".Name", or "json ." */
static int print_action(struct people_table *t, const char *at, size_t len, const char *const *row,
			struct err *e)
{
	while (len && *at == ' ')
		at++, len--;
	while (len && at[len - 1] == ' ')
		len--;
	if (len == 6 && memcmp(at, "json .", 6) == 0) {
		print_json(t, row);
		t->out.text[--t->out.len] = '\0';
		return 0;
	}
	for (size_t i = 0; len && *at == '.' && t->fields[i].name; i++) {
		if (strlen(t->fields[i].name) == len - 1 &&
		    memcmp(t->fields[i].name, at + 1, len - 1) == 0) {
			buf_str(&t->out, row[i]);
			return 0;
		}
	}
	return err_set(e, EINVAL, "--format: there is no field \"%.*s\"", (int)len, at);
}

static int print_template(struct people_table *t, const char *text, const char *const *row,
			  struct err *e)
{
	while (*text) {
		const char *end;

		if (text[0] == '\\' && (text[1] == 't' || text[1] == 'n')) {
			buf_char(&t->out, text[1] == 't' ? '\t' : '\n');
			text += 2;
		} else if (text[0] == '{' && text[1] == '{' && (end = strstr(text, "}}"))) {
			TRY(print_action(t, text + 2, (size_t)(end - text - 2), row, e));
			text = end + 2;
		} else {
			buf_char(&t->out, *text++);
		}
	}
	buf_char(&t->out, '\n');
	return 0;
}

int people_table_end(struct people_table *t, struct err *e)
{
	int r = 0;

	buf_str(&t->out, "");
	if (!t->format)
		print_table(t);
	for (size_t i = 0; t->format && r >= 0 && i < t->n; i++) {
		if (strcmp(t->format, "json") == 0)
			print_json(t, t->rows[i]);
		else
			r = print_template(t, t->format, t->rows[i], e);
	}
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

int people_each(const struct call *call,
		int (*fn)(const struct engine *g, const char *who, const struct call *call,
			  struct err *e),
		struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;
	int result = 0;

	TRY(people_engine(call, &g, e));
	for (size_t i = 0; i < call->options.args.n; i++) {
		struct err one = { 0 };
		int r = fn(&g, call->options.args.at[i], call, &one);

		if (r < 0) {
			/* All but the last failure are told here; the last one is main's. */
			if (result < 0)
				fprintf(stderr, "%s: %s\n", call->runtime.program, e->msg);
			*e = one;
			result = r;
		}
	}
	return result;
}
