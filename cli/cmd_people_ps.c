/* cmd_people_ps.c - `hull ps` and `hull top`: the containers of people, and the processes of one. */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json_write.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "cli/ps_filter.h"
#include "cli/ps_table.h"
#include "cli/words.h"
#include "engine/size.h"

struct people_ps_values {
	const char *format;
	struct strings filter;
	struct opt_i64 last;
	bool all, quiet, no_trunc, latest, size;
};

/* clang-format off */
#define ROW(T, n, l, k, m, arg, h) \
	{ .name = n, .letter = l, .kind = OPTION_##k, .member = offsetof(struct T, m), \
	  .argument = arg, .help = h }

static const struct option_row ps_rows[] = {
	ROW(people_ps_values, "all", 'a', FLAG, all, NULL, "also those that do not run"),
	ROW(people_ps_values, "quiet", 'q', FLAG, quiet, NULL, "print ids only"),
	ROW(people_ps_values, "no-trunc", 0, FLAG, no_trunc, NULL, "print ids, commands and mounts in full"),
	ROW(people_ps_values, "latest", 'l', FLAG, latest, NULL, "only the one made last, whether it runs or not"),
	ROW(people_ps_values, "last", 'n', I64, last, "N", "only the N made last, whether they run or not"),
	ROW(people_ps_values, "size", 's', FLAG, size, NULL, "also how much each one's files are: those it changed, and in parentheses all"),
	ROW(people_ps_values, "filter", 'f', STRINGS, filter, "KEY=VALUE", "only those with this name (a regular expression), id, status, exited (status), ancestor (an image), health, label, network, volume, publish (a port of the container), restart-policy or should-start-on-boot (true or false: whether that policy is always, or unless-stopped and nobody stopped it), or made before or since another (may be repeated: several values of a key are alternatives, but of label)"),
	ROW(people_ps_values, "format", 0, STRING, format, "FORMAT", "table, json, a template like '{{.ID}} {{.Names}}', or one as a table: 'table {{.ID}}\\t{{.Names}}'"),
};
const struct option_table people_ps_options = { ps_rows, ARRAY_LEN(ps_rows), sizeof(struct people_ps_values), NULL, true };

static const struct people_field ps_fields[] = {
	{ "ID", "CONTAINER ID", false }, { "Image", "IMAGE", false },
	{ "Command", "COMMAND", false }, { "RunningFor", "CREATED", false },
	{ "Status", "STATUS", false }, { "Ports", "PORTS", false }, { "Names", "NAMES", false },
	{ "Size", "SIZE", true }, { "CreatedAt", "CREATED AT", true }, { "State", "STATE", true },
	{ "Created", "CREATED", true }, { "Pid", "PID", true }, { "ExitCode", "EXIT CODE", true },
	{ "Labels", "LABELS", true }, { "Mounts", "MOUNTS", true },
	{ "LocalVolumes", "LOCAL VOLUMES", true }, { "Networks", "NETWORKS", true }, { 0 },
};
/* clang-format on */

enum { COMMAND_WIDTH = 20, MOUNT_WIDTH = 15 };

static const char *join(const struct strings *list, const char *by, struct arena *a)
{
	auto_buf struct buf b = { 0 };

	buf_str(&b, "");
	for (size_t i = 0; i < list->n; i++)
		buf_printf(&b, "%s%s", i ? by : "", list->at[i]);
	return arena_strdup(a, b.text);
}

/* In quotation marks, and in one line whatever is in it. */
static const char *command_of(const struct record *r, bool no_trunc, struct arena *a)
{
	const char *text = join(&r->command, " ", a);
	auto_buf struct buf b = { 0 };
	struct json_writer w = json_writer(&b, NULL);

	json_write_string(&w, NULL, no_trunc ? text : words_shorten(text, COMMAND_WIDTH, a));
	return arena_strdup(a, b.text);
}

static const char *labels_of(const struct record *r, struct arena *a)
{
	auto_buf struct buf b = { 0 };

	buf_str(&b, "");
	for (size_t i = 0; i < r->labels.n; i++)
		buf_printf(&b, "%s%s=%s", i ? "," : "", r->labels.at[i].key, r->labels.at[i].value);
	return arena_strdup(a, b.text);
}

static const char *mounts_of(const struct mounted_list *mounts, bool no_trunc, struct arena *a)
{
	struct strings names = { arena_array(a, mounts->n, sizeof(char *)), mounts->n };

	for (size_t i = 0; i < mounts->n; i++) {
		const struct mounted *m = &mounts->at[i];
		const char *name = m->volume ? m->volume : m->source;

		names.at[i] = no_trunc ? name : words_shorten(name, MOUNT_WIDTH, a);
	}
	return join(&names, ",", a);
}

static size_t count_volumes(const struct mounted_list *mounts)
{
	size_t n = 0;

	for (size_t i = 0; i < mounts->n; i++)
		n += mounts->at[i].volume != NULL;
	return n;
}

/* What is asked for: more than the table has is only looked for where somebody may want it. */
struct listing {
	const struct engine *g;
	const struct people_ps_values *values;
	struct filters filters;
	bool stopped, size;
	unsigned needs; /* PS_MOUNTS, PS_NETWORKS */
	size_t most;
};

/* Of one that can't be counted the others are listed all the same. */
static const char *size_of(const struct engine *g, const struct record *r, struct arena *a)
{
	struct container_size size;
	struct err e = { 0 };

	if (container_size(g, r, &size, &e) < 0) {
		log_warn("%s", e.msg);
		return "unknown";
	}
	return arena_printf(a, "%s (virtual %s)", words_size(size.own, a), words_size(size.all, a));
}

static void add_row(const struct listing *l, struct people_table *t, struct ps_entry *entry)
{
	const struct container_view *v = &entry->view;
	const struct record *r = &v->record;
	struct arena *a = &entry->arena;
	bool no_trunc = l->values->no_trunc;
	time_t now = time(NULL);

	people_table_row(
		t,
		(const char *const[]){
			arena_printf(a, "%.*s", no_trunc ? RECORD_ID_LEN : RECORD_SHORT, v->id),
			r->image[0] ? r->image : r->rootfs, command_of(r, no_trunc, a),
			words_ago(r->created, now, a), words_status(v, now, a), entry->ports,
			r->name, l->size ? size_of(l->g, r, a) : "", words_date(r->created, a),
			container_view_status(v), r->created, arena_printf(a, "%d", v->pid),
			arena_printf(a, "%d", v->status.exit_code), labels_of(r, a),
			mounts_of(&entry->mounts, no_trunc, a),
			arena_printf(a, "%zu", count_volumes(&entry->mounts)),
			join(&entry->networks, ",", a) },
		&r->labels);
}

/* 1: it is listed. */
static int list_one(const struct listing *l, const char *id, size_t place, struct people_table *t,
		    struct err *e)
{
	auto_ps_entry struct ps_entry entry = { .place = place };
	int r = ps_entry_read(l->g, id, l->needs, &entry, e);

	if (r == -ENOENT)
		return 0; /* gone meanwhile */
	TRY(r);
	if (entry.view.state == STATE_STOPPED && !l->stopped)
		return 0;
	if (!filters_match(&l->filters, &entry))
		return 0;
	add_row(l, t, &entry);
	return 1;
}

static int read_most(const struct people_ps_values *values, size_t *ret, struct err *e)
{
	*ret = values->latest ? 1 : SIZE_MAX;
	/* -1 is Docker's word for all. */
	if (!values->last.set || values->last.value == -1)
		return 0;
	if (values->last.value < 1)
		return err_set(e, EINVAL, "--last %lld: expected a number from 1 on",
			       (long long)values->last.value);
	if (!values->latest)
		*ret = (size_t)values->last.value;
	return 0;
}

/* Whether each thing in it is a field by name, as {{.ID}}, so that it says itself what it wants. */
static bool is_of_fields(const char *template)
{
	for (const char *at = template; (at = strstr(at, "{{")); at += 2)
		if (at[2] != '.' || !isalpha((unsigned char)at[3]))
			return false;
	return true;
}

static bool may_want(const char *format, const char *field)
{
	return format &&
	       (strstr(format, field) || strcmp(format, "json") == 0 || !is_of_fields(format));
}

static int plan(struct listing *l, const struct strings *ids, struct arena *a, struct err *e)
{
	const struct people_ps_values *v = l->values;
	const char *format = v->quiet ? NULL : v->format;

	TRY(read_most(v, &l->most, e));
	TRY(filters_read(&ps_filters, &v->filter, &(struct ps_filter_facts){ l->g, *ids }, a,
			 &l->filters, e));
	l->stopped = v->all || l->most != SIZE_MAX || (l->filters.needs & PS_STOPPED);
	l->size = !v->quiet && (v->size || (format && strstr(format, ".Size")));
	l->needs = l->filters.needs;
	if (may_want(format, ".Networks"))
		l->needs |= PS_NETWORKS;
	if (may_want(format, ".Mounts") || may_want(format, ".LocalVolumes"))
		l->needs |= PS_MOUNTS;
	return 0;
}

static int list_people(const struct call *call, const struct people_ps_values *values,
		       struct err *e)
{
	struct people_field fields[ARRAY_LEN(ps_fields)];
	auto_people_table struct people_table t = { 0 };
	auto_engine struct engine g = ENGINE_CLOSED;
	struct listing l = { .g = &g, .values = values };
	struct strings ids;
	size_t shown = 0;

	TRY(people_engine(call, &g, e));
	TRY(record_list(&g, call->arena, &ids, e));
	TRY(plan(&l, &ids, call->arena, e));
	memcpy(fields, ps_fields, sizeof(fields));
	for (size_t i = 0; values->size && fields[i].name; i++)
		if (strcmp(fields[i].name, "Size") == 0)
			fields[i].aside = false;
	people_table_begin(&t, fields, values->quiet ? "{{.ID}}" : values->format);
	t.labelled = true;
	for (size_t i = 0; i < ids.n && shown < l.most; i++) {
		int r = list_one(&l, ids.at[i], i, &t, e);

		TRY(r);
		shown += (size_t)r;
	}
	return people_table_end(&t, e);
}

int cmd_people_ps(const struct call *call, struct err *e)
{
	const struct people_ps_values *values = call->options.values;
	const struct strings *args = &call->options.args;
	const struct strings ps_args = { args->at + 1, args->n ? args->n - 1 : 0 };

	if (args->n == 0)
		return list_people(call, values, e);
	return ps_show(&call->runtime, args->at[0], &ps_args, choice_is(values->format, "json"), e);
}

int cmd_top(const struct call *call, struct err *e)
{
	const struct strings *args = &call->options.args;
	const struct strings ps_args = { args->at + 1, args->n - 1 };

	return ps_show(&call->runtime, args->at[0], &ps_args, false, e);
}
