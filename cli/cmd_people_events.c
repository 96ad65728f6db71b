/* cmd_people_events.c - `hull events`: what happened to containers, images, networks and volumes of people, and what happens. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/events_filter.h"
#include "cli/people.h"
#include "cli/template.h"
#include "cli/when.h"
#include "engine/happened.h"

struct people_events_values {
	struct events_values of_one;
	const char *format, *since, *until;
	struct strings filter;
};

/* clang-format off */
#define ROW(T, n, l, k, m, arg, h) \
	{ .name = n, .letter = l, .kind = OPTION_##k, .member = offsetof(struct T, m), \
	  .argument = arg, .help = h }

static const struct option_row rows[] = {
	ROW(people_events_values, "filter", 'f', STRINGS, filter, "KEY=VALUE", "only those of this container, image, network or volume (a name, or how an id begins), or with this event, label, scope or type, which is container, image, network or volume (may be repeated: several values of a key are alternatives, but of label)"),
	ROW(people_events_values, "since", 0, STRING, since, "TIME", "also what happened since a time (RFC 3339, or seconds since 1970), or a time span before now (10m)"),
	ROW(people_events_values, "until", 0, STRING, until, "TIME", "end at this time; without --since all that is known till then"),
	ROW(people_events_values, "format", 0, STRING, format, "FORMAT", "json or a template like '{{.Action}} {{.Actor.Attributes.name}}'"),
};
/* clang-format on */

const struct option_table people_events_options = { rows, ARRAY_LEN(rows),
						    sizeof(struct people_events_values),
						    &events_options, true };

struct showing {
	const char *format; /* NULL: in words */
	struct filters filters;
};

/* TIME TYPE ACTION ID (KEY=VALUE, ...) */
static void print_words(const struct json *event, int64_t when, struct buf *ret)
{
	const struct json *attributes = json_find(event, "Actor.Attributes");
	auto_arena struct arena a = { 0 };

	buf_printf(ret, "%s %s %s %s", when_text(when, &a), event_text(event, "Type"),
		   event_text(event, "Action"), event_text(event, "id"));
	for (const struct json *v = attributes->type == JSON_OBJECT ? attributes->first : NULL; v;
	     v = v->next)
		if (v->type == JSON_STRING)
			buf_printf(ret, "%s%s=%s%s", v == attributes->first ? " (" : ", ", v->key,
				   v->text, v->next ? "" : ")");
}

/* The same with the names that Docker's templates have for what is lower case in its JSON. */
static const struct json *with_names(const struct json *event, struct arena *a)
{
	static const struct {
		const char *key, *name;
	} names[] = { { "status", "Status" }, { "id", "ID" },     { "from", "From" },
		      { "scope", "Scope" },   { "time", "Time" }, { "timeNano", "TimeNano" } };
	struct json *object = arena_alloc(a, sizeof(*object));

	*object = (struct json){ .type = JSON_OBJECT, .first = event->first };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct json *v = json_member(event, names[i].key);
		struct json *named;

		if (!v)
			continue;
		named = arena_alloc(a, sizeof(*named));
		*named = *v;
		named->key = names[i].name;
		named->next = object->first;
		object->first = named;
	}
	return object;
}

static int print_event(const struct showing *s, const struct json *event, int64_t when,
		       struct buf *ret, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct json_writer w = json_writer(ret, NULL);
	struct template_scope scope = { 0 };

	if (!s->format) {
		print_words(event, when, ret);
	} else if (strcmp(s->format, "json") == 0 || strcmp(s->format, "{{json .}}") == 0) {
		json_write_value(&w, NULL, event);
	} else {
		scope.value = with_names(event, &a);
		/* Each kind of event has others. */
		scope.loose = json_find(event, "Actor.Attributes");
		TRY(template_print(s->format, &scope, ret, e));
	}
	buf_char(ret, '\n');
	return 0;
}

static int show(const struct json *event, int64_t when, void *ctx, struct err *e)
{
	const struct showing *s = ctx;
	auto_buf struct buf text = { 0 };

	if (!filters_match(&s->filters, event))
		return 0;
	TRY(print_event(s, event, when, &text, e));
	if (fwrite(text.text, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
		return err_sys(e, "write to standard output");
	return 0;
}

/* A wrong template is told of before anything has happened. */
static int check_format(const struct showing *s, struct err *e)
{
	static const struct record none = { .id = "", .name = "", .image = "" };
	auto_buf struct buf line = { 0 }, out = { 0 };
	auto_arena struct arena a = { 0 };
	auto_json struct json_doc doc = { .name = "events" };

	happened_write(&none, "create", NULL, 0, &line);
	doc.text = line.text;
	doc.size = line.len;
	TRY(json_parse(&doc, &a, e));
	return print_event(s, doc.root, 0, &out, e);
}

int cmd_people_events(const struct call *call, struct err *e)
{
	const struct people_events_values *values = call->options.values;
	struct happened_query query = { .since = values->until ? 0 : -1, .until = -1 };
	struct showing s = { .format = values->format };
	auto_engine struct engine g = ENGINE_CLOSED;
	int64_t now = when_now();

	if (call->options.args.n) {
		if (values->filter.n || values->since || values->until || values->format)
			return err_set(e, EINVAL,
				       "events of one container: --filter, --since, --until and "
				       "--format are for those of all; --filter container=%s",
				       call->options.args.at[0]);
		return cmd_events(call, e);
	}
	if (values->of_one.stats || values->of_one.interval)
		return err_set(e, EINVAL, "events: --stats and --interval are of one container");
	if (values->since)
		TRY(when_parse("--since", values->since, now, &query.since, e));
	if (values->until)
		TRY(when_parse("--until", values->until, now, &query.until, e));
	TRY(filters_read(&events_filters, &values->filter, NULL, call->arena, &s.filters, e));
	TRY(check_format(&s, e));
	TRY(people_engine(call, &g, e));
	return happened_read(&g, &query, show, &s, e);
}
