/*
 * fuzz_unit_value.c - anything as the value of an annotation, as a limit and
 * as a cgroupsPath on their way to systemd.
 *
 * The first byte says which. What comes out must be fit for D-Bus: a value has
 * a type, a text no NUL or half an escape, a name only what systemd allows.
 *
 *	fuzz_unit_value tests/fuzz/corpus-unit_value
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cgroups/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_value(struct arena *a, const char *name, const char *text)
{
	struct unit_property p = { 0 };
	struct err e = { 0 };

	if (unit_value_parse(a, name, text, &p, &e) < 0) {
		require(*e.msg);
		return;
	}
	require(p.type && strlen(p.type) <= 2 && (*p.type != 's' || p.text));
	for (size_t i = 0; i < p.texts.n; i++)
		require(p.texts.at[i]);
}

static void check_limits(struct arena *a, const char *text)
{
	static const char *const files[] = { "memory.max", "cpu.weight",  "cpu.max", "cpu.idle",
					     "pids.max",   "cpuset.cpus", "io.max",  "io.weight" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct knob_value value = { .file = files[i], .value = text };
		const struct knob_values values = { &value, 1 };
		struct unit_properties list = { 0 };

		unit_limits(a, &values, false, &list);
		for (size_t k = 0; k < list.n; k++)
			require(list.at[k].numbers.n <= 1024);
	}
}

static void check_name(struct arena *a, const char *text)
{
	const struct spec spec = { .linux = { .cgroups_path = text } };
	const struct knob_values none = { 0 };
	struct unit unit = { 0 };
	struct err e = { 0 };

	if (unit_plan(a, &spec, "id", false, &none, &unit, &e) < 0)
		require(*e.msg);
	else
		require(!strstr(unit.path, "/../") && !strstr(unit.path, "//") &&
			!strchr(unit.name, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	const char *text = size ? arena_strndup(&a, (const char *)data + 1, size - 1) : "";

	if (size && data[0] == 2)
		check_limits(&a, text);
	else if (size && data[0] == 3)
		check_name(&a, text);
	else
		check_value(&a, size && data[0] == 1 ? "TimeoutStopSec" : "Other", text);
	return 0;
}
