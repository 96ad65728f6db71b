#include "cgroups/unit.h"

#include <errno.h>
#include <string.h>

#include "cgroups/grow.h"

enum { UNIT_NAME_MAX = 255 };

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), tail = strlen(end);

	return len >= tail && strcmp(s + len - tail, end) == 0;
}

/* Names */

/* What systemd allows in the name of a unit. */
static bool is_unit_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(":-_.\\", c));
}

static int check_name(const char *name, struct err *e)
{
	for (const char *at = name; *at; at++)
		if (!is_unit_char(*at))
			return err_set(e, EINVAL,
				       "linux.cgroupsPath: \"%s\" has a character that no unit of "
				       "systemd may have in its name",
				       name);
	if (strlen(name) > UNIT_NAME_MAX)
		return err_set(e, ENAMETOOLONG,
			       "linux.cgroupsPath: the unit's name would be longer than %d",
			       UNIT_NAME_MAX);
	return 0;
}

int unit_slice_path(struct arena *a, const char *slice, const char **ret, struct err *e)
{
	static const char suffix[] = ".slice";
	const char *path = "";
	size_t len = strlen(slice), stem;

	if (len <= strlen(suffix) || !ends_with(slice, suffix))
		return err_set(e, EINVAL,
			       "linux.cgroupsPath: \"%s\" is not the name of a slice, like "
			       "system.slice",
			       slice);
	TRY(check_name(slice, e));
	stem = len - strlen(suffix);
	if (stem == 1 && *slice == '-') {
		*ret = "";
		return 0;
	}
	for (size_t at = 0; at < stem;) {
		size_t part = strcspn(slice + at, "-");

		if (at + part > stem)
			part = stem - at;
		if (part == 0 || at + part == stem - 1)
			return err_set(e, EINVAL,
				       "linux.cgroupsPath: \"%s\": a slice's name has no dash at "
				       "its ends and no two together",
				       slice);
		at += part;
		path = arena_printf(a, "%s/%.*s%s", path, (int)at, slice, suffix);
		at++;
	}
	*ret = path;
	return 0;
}

const char *unit_cgroup(struct arena *a, const char *path)
{
	const char *last = strrchr(path, '/');

	return last ? arena_strndup(a, path, (size_t)(last - path)) : path;
}

/* An id may have what a unit's name may not: systemd.unit(5) writes it as \xNN. */
static const char *escape(struct arena *a, const char *id)
{
	const char *name = "";

	for (; *id; id++)
		name = is_unit_char(*id)
			       ? arena_printf(a, "%s%c", name, *id)
			       : arena_printf(a, "%s\\x%02x", name, (unsigned)(unsigned char)*id);
	return name;
}

/* "slice:prefix:name", by runc's rules; the first two may be empty, and the first is then ours. */
static int plan_name(struct arena *a, const char *wanted, const char *id, bool user,
		     struct unit *unit, struct err *e)
{
	const char *prefix = "hull", *name, *colon, *second;

	unit->slice = user ? "user.slice" : "system.slice";
	if (!wanted || !*wanted) {
		name = escape(a, id);
	} else {
		colon = strchr(wanted, ':');
		second = colon ? strchr(colon + 1, ':') : NULL;
		if (!second || strchr(second + 1, ':'))
			return err_set(
				e, EINVAL,
				"linux.cgroupsPath: with systemd it is \"slice:prefix:name\", "
				"and \"%s\" is not",
				wanted);
		if (colon > wanted)
			unit->slice = arena_strndup(a, wanted, (size_t)(colon - wanted));
		prefix = arena_strndup(a, colon + 1, (size_t)(second - colon - 1));
		name = second + 1;
		if (!*name)
			return err_set(e, EINVAL, "linux.cgroupsPath: \"%s\" names no unit",
				       wanted);
	}
	if (ends_with(name, ".slice"))
		return err_set(e, EINVAL,
			       "linux.cgroupsPath: \"%s\" is a slice, which cannot have processes",
			       name);
	unit->name = arena_printf(a, "%s-%s.scope", prefix, name);
	return check_name(unit->name, e);
}

/* Properties */

struct unit_property *unit_set(struct arena *a, struct unit_properties *list, const char *name,
			       const char *type)
{
	struct unit_property *p = NULL;

	for (size_t i = 0; i < list->n && !p; i++)
		if (strcmp(list->at[i].name, name) == 0)
			p = &list->at[i];
	if (!p)
		p = grow_list(a, list);
	*p = (struct unit_property){ .name = name, .type = type };
	return p;
}

/* A scope that is gone is forgotten, failed or not; and shutdown leaves it to its engine. */
static void plan_properties(struct arena *a, const char *id, struct unit *unit)
{
	static const struct {
		const char *name;
		bool value;
	} switches[] = {
		{ "Delegate", true },        { "DefaultDependencies", false },
		{ "CPUAccounting", true },   { "MemoryAccounting", true },
		{ "TasksAccounting", true }, { "IOAccounting", true },
	};
	struct unit_properties *list = &unit->properties;

	unit_set(a, list, "Description", "s")->text = arena_printf(a, "hull container %s", id);
	unit_set(a, list, "Slice", "s")->text = unit->slice;
	unit_set(a, list, "CollectMode", "s")->text = "inactive-or-failed";
	for (size_t i = 0; i < ARRAY_LEN(switches); i++)
		unit_set(a, list, switches[i].name, "b")->number = switches[i].value;
}

/* Without these we would not find our processes again. */
static bool is_ours(const char *name)
{
	static const char *const ours[] = { "PIDs", "PIDFDs", "Slice", "Delegate",
					    "DelegateSubgroup" };

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (strcmp(name, ours[i]) == 0)
			return true;
	return false;
}

static int plan_annotations(struct arena *a, const struct spec *spec, struct unit *unit,
			    struct err *e)
{
	for (size_t i = 0; i < spec->annotations.n; i++) {
		const struct spec_pair *pair = &spec->annotations.at[i];
		struct unit_property p = { 0 };

		if (strncmp(pair->key, UNIT_ANNOTATION, strlen(UNIT_ANNOTATION)) != 0)
			continue;
		if (unit_value_parse(a, pair->key + strlen(UNIT_ANNOTATION), pair->value, &p, e) <
		    0)
			return err_wrap(e, "annotations.%s", pair->key);
		if (is_ours(p.name))
			return err_set(e, EINVAL, "annotations.%s: only the runtime sets this",
				       pair->key);
		*unit_set(a, &unit->properties, p.name, p.type) = p;
	}
	return 0;
}

static bool has_burst(const struct knob_values *values)
{
	bool bursts = false;

	for (size_t i = 0; i < values->n; i++)
		if (strcmp(values->at[i].file, "cpu.max.burst") == 0)
			bursts = strcmp(values->at[i].value, "0") != 0;
	return bursts;
}

int unit_plan(struct arena *a, const struct spec *spec, const char *id, bool user,
	      const struct knob_values *limits, struct unit *ret, struct err *e)
{
	struct unit unit = { .user = user };
	const char *above;

	TRY(plan_name(a, spec->linux.cgroups_path, id, user, &unit, e));
	TRY(unit_slice_path(a, unit.slice, &above, e));
	unit.path = arena_printf(a, "%s/%s/" UNIT_SUBGROUP, above, unit.name);
	plan_properties(a, id, &unit);
	unit_limits(a, limits, (has_burst(limits) ? UNIT_BURSTS : 0) | unit_bfq(limits),
		    &unit.properties);
	TRY(plan_annotations(a, spec, &unit, e));
	*ret = unit;
	return 0;
}
