#include "cli/events_filter.h"

#include <errno.h>
#include <string.h>

struct events_filter_row {
	const char *key;
	bool (*matches)(const struct json *event, const char *value);
	bool all; /* each value has to match, not one of them */
};

/* "" where there is none. */
static const char *text_of(const struct json *event, const char *key)
{
	const struct json *v = event->type == JSON_OBJECT ? json_member(event, key) : NULL;

	return v && v->type == JSON_STRING ? v->text : "";
}

static const char *attribute_of(const struct json *event, const char *key)
{
	const struct json *v = json_find(event, "Actor.Attributes");

	v = v->type == JSON_OBJECT ? json_member(v, key) : NULL;
	return v && v->type == JSON_STRING ? v->text : NULL;
}

static bool is_attribute(const struct json *event, const char *key, const char *value)
{
	const char *found = attribute_of(event, key);

	return found && strcmp(found, value) == 0;
}

static bool of_container(const struct json *event, const char *value)
{
	return (*value && strncmp(text_of(event, "id"), value, strlen(value)) == 0) ||
	       is_attribute(event, "name", value);
}

/* "health_status" is "health_status: healthy", too. */
static bool of_event(const struct json *event, const char *value)
{
	const char *action = text_of(event, "Action");
	size_t len = strcspn(action, ":");

	return strcmp(action, value) == 0 ||
	       (strlen(value) == len && strncmp(action, value, len) == 0);
}

static bool of_image(const struct json *event, const char *value)
{
	return is_attribute(event, "image", value);
}

static bool of_type(const struct json *event, const char *value)
{
	return strcmp(text_of(event, "Type"), value) == 0;
}

static bool of_label(const struct json *event, const char *value)
{
	auto_arena struct arena a = { 0 };
	size_t len = strcspn(value, "=");
	const char *key = arena_strndup(&a, value, len);

	return value[len] ? is_attribute(event, key, value + len + 1)
			  : attribute_of(event, key) != NULL;
}

static const struct events_filter_row rows[] = {
	{ "container", of_container, false }, { "event", of_event, false },
	{ "image", of_image, false },         { "label", of_label, true },
	{ "type", of_type, false },
};

int events_filters_read(const struct strings *texts, struct arena *a, struct events_filters *ret,
			struct err *e)
{
	*ret = (struct events_filters){ 0 };
	ret->list.at = arena_array(a, texts->n, sizeof(*ret->list.at));
	for (size_t i = 0; i < texts->n; i++) {
		const char *text = texts->at[i];
		size_t len = strcspn(text, "=");
		struct events_filter f = { NULL, text + len + 1 };

		for (size_t k = 0; text[len] && k < ARRAY_LEN(rows); k++)
			if (strlen(rows[k].key) == len && strncmp(rows[k].key, text, len) == 0)
				f.row = &rows[k];
		if (!f.row)
			return err_set(e, EINVAL,
				       "--filter %s: expected container=, event=, image=, label= "
				       "or type=",
				       text);
		ret->list.at[ret->list.n++] = f;
	}
	return 0;
}

/* Whether one of the values of this key matches. */
static bool any_matches(const struct events_filters *filters, const struct events_filter_row *row,
			const struct json *event)
{
	for (size_t i = 0; i < filters->list.n; i++)
		if (filters->list.at[i].row == row &&
		    row->matches(event, filters->list.at[i].value))
			return true;
	return false;
}

bool events_filters_match(const struct events_filters *filters, const struct json *event)
{
	for (size_t i = 0; i < filters->list.n; i++) {
		const struct events_filter *f = &filters->list.at[i];

		if (f->row->all ? !f->row->matches(event, f->value)
				: !any_matches(filters, f->row, event))
			return false;
	}
	return true;
}
