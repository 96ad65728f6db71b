#include "cli/events_filter.h"

#include <string.h>

const char *event_text(const struct json *event, const char *key)
{
	const struct json *v = event->type == JSON_OBJECT ? json_member(event, key) : NULL;

	return v && (v->type == JSON_STRING || v->type == JSON_NUMBER) ? v->text : "";
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

static bool is_of_type(const struct json *event, const char *type)
{
	return strcmp(event_text(event, "Type"), type) == 0;
}

/* One of this type, by how its id begins or by its name. */
static bool is_called(const struct json *event, const char *type, const char *value)
{
	const struct json *id = json_find(event, "Actor.ID");

	return is_of_type(event, type) &&
	       ((*value && id->type == JSON_STRING &&
		 strncmp(id->text, value, strlen(value)) == 0) ||
		is_attribute(event, "name", value));
}

static bool of_container(const struct filter *f, const void *event)
{
	return is_called(event, "container", f->value);
}

/* "health_status" is "health_status: healthy", too. */
static bool of_event(const struct filter *f, const void *event)
{
	const char *action = event_text(event, "Action");
	size_t len = strcspn(action, ":");

	return strcmp(action, f->value) == 0 ||
	       (strlen(f->value) == len && strncmp(action, f->value, len) == 0);
}

/* Those of containers made of it, and its own. */
static bool of_image(const struct filter *f, const void *event)
{
	return is_attribute(event, "image", f->value) || is_called(event, "image", f->value);
}

static bool of_network(const struct filter *f, const void *event)
{
	return is_called(event, "network", f->value);
}

static bool of_volume(const struct filter *f, const void *event)
{
	return is_called(event, "volume", f->value);
}

static bool of_scope(const struct filter *f, const void *event)
{
	return strcmp(event_text(event, "scope"), f->value) == 0;
}

static bool of_type(const struct filter *f, const void *event)
{
	return is_of_type(event, f->value);
}

static bool of_label(const struct filter *f, const void *event)
{
	auto_arena struct arena a = { 0 };
	size_t len = strcspn(f->value, "=");
	const char *key = arena_strndup(&a, f->value, len);

	return f->value[len] ? is_attribute(event, key, f->value + len + 1)
			     : attribute_of(event, key) != NULL;
}

static const struct filter_row rows[] = {
	{ "container", of_container, NULL, false, 0 }, { "event", of_event, NULL, false, 0 },
	{ "image", of_image, NULL, false, 0 },	       { "label", of_label, NULL, true, 0 },
	{ "network", of_network, NULL, false, 0 },     { "scope", of_scope, NULL, false, 0 },
	{ "type", of_type, NULL, false, 0 },	       { "volume", of_volume, NULL, false, 0 },
};

const struct filter_table events_filters = { rows, ARRAY_LEN(rows) };
