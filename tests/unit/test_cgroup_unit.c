/* A container as a unit of systemd: names, slices, properties, values of annotations. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "cgroups/bus.h"
#include "cgroups/holder.h"
#include "cgroups/turn.h"
#include "cgroups/unit.h"
#include "tests/unit/test_dir.h"

/* A property as text: "MemoryMax t 5", "AllowedCPUs ay 9 1", "X as 'a' 'b'". */
static void show(struct buf *b, const struct unit_property *p)
{
	buf_printf(b, "%s%s %s", b->len ? "; " : "", p->name, p->type);
	if (strcmp(p->type, "s") == 0)
		buf_printf(b, " '%s'", p->text);
	else if (strcmp(p->type, "d") == 0)
		buf_printf(b, " %g", p->real);
	else if (strcmp(p->type, "as") == 0)
		for (size_t i = 0; i < p->texts.n; i++)
			buf_printf(b, " '%s'", p->texts.at[i]);
	else if (strcmp(p->type, "a(st)") == 0)
		for (size_t i = 0; i < p->pairs.n; i++)
			buf_printf(b, " %s=%" PRIu64, p->pairs.at[i].path, p->pairs.at[i].value);
	else if (*p->type == 'a')
		for (size_t i = 0; i < p->numbers.n; i++)
			buf_printf(b, " %" PRIu64, p->numbers.at[i]);
	else if (strchr("nix", *p->type))
		buf_printf(b, " %" PRId64, (int64_t)p->number);
	else
		buf_printf(b, " %" PRIu64, p->number);
}

static const char *show_all(struct buf *b, const struct unit_properties *list)
{
	buf_str(b, "");
	for (size_t i = 0; i < list->n; i++)
		show(b, &list->at[i]);
	return b->text;
}

Test(cgroup_unit, names)
{
	static const struct {
		const char *wanted, *id;
		bool rootless;
		const char *name, *slice, *path, *message;
	} rows[] = {
		{ NULL, "c1", false, "hull-c1.scope", "system.slice",
		  "/system.slice/hull-c1.scope/container", "" },
		{ "", "c1", true, "hull-c1.scope", "user.slice",
		  "/user.slice/hull-c1.scope/container", "" },
		{ NULL, "a+b_.-", false, "hull-a\\x2bb_.-.scope", "system.slice",
		  "/system.slice/hull-a\\x2bb_.-.scope/container", "" },
		{ "system.slice:docker:1234", "c1", false, "docker-1234.scope", "system.slice",
		  "/system.slice/docker-1234.scope/container", "" },
		{ "machine.slice:libpod:ab", "c1", true, "libpod-ab.scope", "machine.slice",
		  "/machine.slice/libpod-ab.scope/container", "" },
		{ ":x:y", "c1", false, "x-y.scope", "system.slice",
		  "/system.slice/x-y.scope/container", "" },
		{ "::y", "c1", false, "-y.scope", "system.slice",
		  "/system.slice/-y.scope/container", "" },
		{ "-.slice:x:y", "c1", false, "x-y.scope", "-.slice", "/x-y.scope/container", "" },
		{ "kubepods-besteffort-pod1_2.slice:cri-containerd:ff", "c1", false,
		  "cri-containerd-ff.scope", "kubepods-besteffort-pod1_2.slice",
		  "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice/"
		  "cri-containerd-ff.scope/container",
		  "" },
		{ "/a/b", "c1", false, NULL, NULL, NULL,
		  "linux.cgroupsPath: with systemd it is \"slice:prefix:name\", and \"/a/b\" is "
		  "not" },
		{ "a.slice:b", "c1", false, NULL, NULL, NULL,
		  "linux.cgroupsPath: with systemd it is \"slice:prefix:name\", and \"a.slice:b\" "
		  "is "
		  "not" },
		{ "a.slice:b:c:d", "c1", false, NULL, NULL, NULL,
		  "linux.cgroupsPath: with systemd it is \"slice:prefix:name\", and "
		  "\"a.slice:b:c:d\" is not" },
		{ "a.slice:b:", "c1", false, NULL, NULL, NULL,
		  "linux.cgroupsPath: \"a.slice:b:\" names no unit" },
		{ "a.slice:b:c.slice", "c1", false, NULL, NULL, NULL,
		  "linux.cgroupsPath: \"c.slice\" is a slice, which cannot have processes" },
		{ "a.slice:b:c/d", "c1", false, NULL, NULL, NULL,
		  "linux.cgroupsPath: \"b-c/d.scope\" has a character that no unit of systemd may "
		  "have in its name" },
		{ "a.service:b:c", "c1", false, NULL, NULL, NULL,
		  "linux.cgroupsPath: \"a.service\" is not the name of a slice, like "
		  "system.slice" },
		{ ".slice:b:c", "c1", false, NULL, NULL, NULL,
		  "linux.cgroupsPath: \".slice\" is not the name of a slice, like system.slice" },
		{ "a/../b.slice:b:c", "c1", false, NULL, NULL, NULL,
		  "linux.cgroupsPath: \"a/../b.slice\" has a character that no unit of systemd may "
		  "have in its name" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const struct spec spec = { .linux = { .cgroups_path = rows[i].wanted } };
		const struct knob_values none = { 0 };
		struct unit unit = { 0 };
		struct err e = { 0 };
		int r = unit_plan(&a, &spec, rows[i].id, rows[i].rootless, &none, &unit, &e);

		cr_expect_eq(r < 0, *rows[i].message != '\0', "row %zu: %s", i, e.msg);
		cr_expect_str_eq(e.msg, rows[i].message, "row %zu: %s", i, e.msg);
		if (r < 0 || !rows[i].name)
			continue;
		cr_expect_str_eq(unit.name, rows[i].name, "row %zu", i);
		cr_expect_str_eq(unit.slice, rows[i].slice, "row %zu", i);
		cr_expect_str_eq(unit.path, rows[i].path, "row %zu: %s", i, unit.path);
	}
}

Test(cgroup_unit, a_long_name_is_refused)
{
	auto_arena struct arena a = { 0 };
	char wanted[300] = "a.slice:b:";
	const struct spec spec = { .linux = { .cgroups_path = wanted } };
	const struct knob_values none = { 0 };
	struct unit unit = { 0 };
	struct err e = { 0 };

	memset(wanted + 10, 'x', 255 - strlen("b-.scope"));
	cr_expect_eq(unit_plan(&a, &spec, "c", false, &none, &unit, &e), 0, "%s", e.msg);
	strcat(wanted, "x");
	cr_expect_eq(unit_plan(&a, &spec, "c", false, &none, &unit, &e), -ENAMETOOLONG);
	cr_expect_str_eq(e.msg, "linux.cgroupsPath: the unit's name would be longer than 255");
}

Test(cgroup_unit, slices)
{
	static const struct {
		const char *slice, *path;
	} rows[] = {
		{ "a.slice", "/a.slice" },
		{ "a-b.slice", "/a.slice/a-b.slice" },
		{ "a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice" },
		{ "a_b.c-d.slice", "/a_b.c.slice/a_b.c-d.slice" },
		{ "-.slice", "" },
		{ "-a.slice", NULL },
		{ "a-.slice", NULL },
		{ "a--b.slice", NULL },
		{ "--.slice", NULL },
		{ "a", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const char *path = NULL;
		struct err e = { 0 };
		int r = unit_slice_path(&a, rows[i].slice, &path, &e);

		cr_expect_eq(r < 0, !rows[i].path, "row %zu: %s", i, e.msg);
		if (rows[i].path && path)
			cr_expect_str_eq(path, rows[i].path, "row %zu: %s", i, path);
	}
}

Test(cgroup_unit, the_unit_of_a_path)
{
	auto_arena struct arena a = { 0 };

	cr_expect_str_eq(unit_cgroup(&a, "/x.slice/y.scope/container"), "/x.slice/y.scope");
}

Test(cgroup_unit, limits)
{
	static const struct {
		const char *file, *value, *other_file, *other_value;
		bool bursts;
		const char *properties;
	} rows[] = {
		{ "memory.max", "1048576", NULL, NULL, false, "MemoryMax t 1048576" },
		{ "memory.max", "1G", NULL, NULL, false, "MemoryMax t 1073741824" },
		{ "memory.max", "max", NULL, NULL, false, "MemoryMax t 18446744073709551615" },
		{ "memory.max", "much", NULL, NULL, false, "" },
		{ "memory.max", "99999999999999999999", NULL, NULL, false, "" },
		{ "memory.max", "99999999999E", NULL, NULL, false, "" },
		{ "memory.high", "5", NULL, NULL, false, "MemoryHigh t 5" },
		{ "memory.low", "5", NULL, NULL, false, "MemoryLow t 5" },
		{ "memory.min", "5", NULL, NULL, false, "MemoryMin t 5" },
		{ "memory.swap.max", "0", NULL, NULL, false, "MemorySwapMax t 0" },
		{ "memory.oom.group", "1", NULL, NULL, false, "" },
		{ "cpu.weight", "39", NULL, NULL, false, "CPUWeight t 39" },
		{ "cpu.weight", "0", NULL, NULL, false, "" },
		{ "cpu.idle", "1", NULL, NULL, false, "CPUWeight t 0" },
		{ "cpu.idle", "0", NULL, NULL, false, "CPUWeight t 18446744073709551615" },
		{ "cpu.max", "50000 100000", NULL, NULL, false,
		  "CPUQuotaPerSecUSec t 500000; CPUQuotaPeriodUSec t 100000" },
		{ "cpu.max", "50000", NULL, NULL, false, "CPUQuotaPerSecUSec t 500000" },
		{ "cpu.max", "max", NULL, NULL, false,
		  "CPUQuotaPerSecUSec t 18446744073709551615" },
		{ "cpu.max", "max 20000", NULL, NULL, false,
		  "CPUQuotaPerSecUSec t 18446744073709551615; CPUQuotaPeriodUSec t 20000" },
		{ "cpu.max", "33333 100000", NULL, NULL, false,
		  "CPUQuotaPerSecUSec t 340000; CPUQuotaPeriodUSec t 100000" },
		{ "cpu.max", "1000 1000000", NULL, NULL, false,
		  "CPUQuotaPerSecUSec t 10000; CPUQuotaPeriodUSec t 1000000" },
		{ "cpu.max", "50000 100000", NULL, NULL, true,
		  "CPUQuotaPerSecUSec t 18446744073709551615; CPUQuotaPeriodUSec t 100000" },
		{ "cpu.max", "5 0", NULL, NULL, false, "" },
		{ "cpu.max.burst", "5", NULL, NULL, true, "" },
		{ "cpuset.cpus", "0-3,7", NULL, NULL, false, "AllowedCPUs ay 143" },
		{ "cpuset.cpus", "0,9", NULL, NULL, false, "AllowedCPUs ay 1 2" },
		{ "cpuset.cpus", "15", NULL, NULL, false, "AllowedCPUs ay 0 128" },
		{ "cpuset.cpus", "\n", NULL, NULL, false, "AllowedCPUs ay" },
		{ "cpuset.cpus", "8192", NULL, NULL, false, "" },
		{ "cpuset.cpus", "3-1", NULL, NULL, false, "" },
		{ "cpuset.cpus", "1-x", NULL, NULL, false, "" },
		{ "cpuset.cpus", "0-7:2/4", NULL, NULL, false, "" },
		{ "cpuset.mems", "0", NULL, NULL, false, "AllowedMemoryNodes ay 1" },
		{ "pids.max", "33", NULL, NULL, false, "TasksMax t 33" },
		{ "pids.max", "1", NULL, NULL, false, "TasksMax t 3" },
		{ "pids.max", "max", NULL, NULL, false, "TasksMax t 18446744073709551615" },
		{ "io.bfq.weight", "500", "io.weight", "4950", false, "IOWeight t 4950" },
		{ "io.bfq.weight", "8:0 500", "io.weight", "8:0 4950", false,
		  "IODeviceWeight a(st) /dev/block/8:0=4950" },
		{ "io.weight", "default 7", NULL, NULL, false, "IOWeight t 7" },
		{ "io.max", "8:16 rbps=1000", NULL, NULL, false,
		  "IOReadBandwidthMax a(st) /dev/block/8:16=1000" },
		{ "io.max", "8:16 wbps=max  riops=1 wiops=2", NULL, NULL, false,
		  "IOWriteBandwidthMax a(st) /dev/block/8:16=18446744073709551615; "
		  "IOReadIOPSMax a(st) /dev/block/8:16=1; IOWriteIOPSMax a(st) /dev/block/8:16=2" },
		{ "io.max", "sda rbps=1", NULL, NULL, false, "" },
		{ "hugetlb.2MB.max", "0", NULL, NULL, false, "" },
		{ "misc.max", "sev 3", NULL, NULL, false, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf text = { 0 };
		struct knob_value value = { .file = rows[i].file,
					    .value = rows[i].value,
					    .other_file = rows[i].other_file,
					    .other_value = rows[i].other_value };
		const struct knob_values values = { &value, 1 };
		struct unit_properties list = { 0 };

		unit_limits(&a, &values, rows[i].bursts ? UNIT_BURSTS : 0, &list);
		cr_expect_str_eq(show_all(&text, &list), rows[i].properties, "row %zu: %s", i,
				 text.text);
	}
}

Test(cgroup_unit, the_last_of_several_limits_holds_and_devices_add_up)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 };
	struct knob_value at[] = {
		{ .file = "cpu.weight", .value = "5" },
		{ .file = "cpu.idle", .value = "0" },
		{ .file = "io.max", .value = "8:0 rbps=1" },
		{ .file = "io.max", .value = "8:16 rbps=2" },
		{ .file = "memory.max", .value = "1" },
		{ .file = "memory.max", .value = "2" },
	};
	const struct knob_values values = { at, ARRAY_LEN(at) };
	struct unit_properties list = { 0 };

	unit_limits(&a, &values, 0, &list);
	cr_expect_str_eq(show_all(&text, &list),
			 "CPUWeight t 5; IOReadBandwidthMax a(st) /dev/block/8:0=1 "
			 "/dev/block/8:16=2; MemoryMax t 2");
}

/* What systemd makes of its weights for BFQ. */
static unsigned of_systemd(unsigned weight)
{
	return weight <= 100 ? weight : 100 + (weight - 100) * 900 / 9900;
}

Test(cgroup_unit, weights_of_bfq_are_those_that_systemd_writes)
{
	static const unsigned weights[] = { 10, 99, 100, 101, 300, 555, 999, 1000 };

	for (size_t i = 0; i < ARRAY_LEN(weights); i++) {
		auto_arena struct arena a = { 0 };
		struct knob_value at[] = {
			{ .file = "io.bfq.weight",
			  .value = arena_printf(&a, "%u", weights[i]),
			  .other_file = "io.weight",
			  .other_value = "1" },
			{ .file = "io.bfq.weight",
			  .value = arena_printf(&a, "8:0 %u", weights[i]),
			  .other_file = "io.weight",
			  .other_value = "8:0 1" },
		};
		const struct knob_values values = { at, ARRAY_LEN(at) };
		struct unit_properties list = { 0 };

		unit_limits(&a, &values, UNIT_BFQ, &list);
		cr_assert_eq(list.n, 2);
		cr_expect_str_eq(list.at[0].name, "IOWeight");
		cr_expect_eq(of_systemd((unsigned)list.at[0].number), weights[i]);
		cr_assert_eq(list.at[1].pairs.n, 1);
		cr_expect_eq(of_systemd((unsigned)list.at[1].pairs.at[0].value), weights[i]);
	}
}

Test(cgroup_unit, values_of_annotations)
{
	static const char not_simple[] =
		" is not a simple value like true, uint64 5, 'text' or ['a', 'b']: ";
	static const struct {
		const char *name, *text, *property, *message;
	} rows[] = {
		{ "SendSIGHUP", "true", "SendSIGHUP b 1", NULL },
		{ "SendSIGHUP", " false ", "SendSIGHUP b 0", NULL },
		{ "SendSIGHUP", "boolean true", "SendSIGHUP b 1", NULL },
		{ "CollectMode", "'inactive-or-failed'", "CollectMode s 'inactive-or-failed'",
		  NULL },
		{ "CollectMode", "\"it's\"", "CollectMode s 'it's'", NULL },
		{ "CollectMode", "'a\\tb\\'\\u00e4\\u20ac'",
		  "CollectMode s 'a\tb'\xc3\xa4\xe2\x82\xac'", NULL },
		{ "Number", "5", "Number i 5", NULL },
		{ "Number", "-5", "Number i -5", NULL },
		{ "Number", "0x10", "Number i 16", NULL },
		{ "Number", "uint64 18446744073709551615", "Number t 18446744073709551615", NULL },
		{ "Number", "@t 7", "Number t 7", NULL },
		{ "Number", "byte 255", "Number y 255", NULL },
		{ "Number", "int64 -9223372036854775808", "Number x -9223372036854775808", NULL },
		{ "Number", "int16 -32768", "Number n -32768", NULL },
		{ "Number", "uint32 1", "Number u 1", NULL },
		{ "Number", "1.5", "Number d 1.5", NULL },
		{ "Number", "double 2", "Number d 2", NULL },
		{ "List", "['a', 'b']", "List as 'a' 'b'", NULL },
		{ "List", "@as []", "List as", NULL },
		{ "List", "[1,2]", "List ai 1 2", NULL },
		{ "List", "@au [1, 2]", "List au 1 2", NULL },
		{ "TimeoutStopUSec", "uint64 5", "TimeoutStopUSec t 5", NULL },
		{ "TimeoutStopSec", "123", "TimeoutStopUSec t 123000000", NULL },
		{ "TimeoutStopSec", "uint64 1", "TimeoutStopUSec t 1000000", NULL },
		{ "TimeoutStopSec", "0.5", "TimeoutStopUSec t 500000", NULL },
		{ "TimeoutStopSec", "-1", NULL, "a number of seconds out of range at character 3" },
		{ "TimeoutStopSec", "'1'", NULL, "no number of seconds at character 4" },
		{ "Number", "", NULL, "no number at character 1" },
		{ "Number", "5 5", NULL, "something after the value at character 3" },
		{ "Number", "byte 256", NULL, "a number out of its type's range at character 6" },
		{ "Number", "byte -1", NULL, "a number out of its type's range at character 6" },
		{ "Number", "2147483648", NULL, "a number out of its type's range at character 1" },
		{ "Number", "int16 -32769", NULL,
		  "a number out of its type's range at character 7" },
		{ "Number", "uint64 18446744073709551616", NULL,
		  "a number out of its type's range at character 8" },
		{ "Text", "text", NULL, "no number at character 1" },
		{ "Text", "'text", NULL, "the text has no end at character 6" },
		{ "Text", "'text\\", NULL, "the text has no end at character 7" },
		{ "Text", "'\\u12'", NULL, "\\u without four digits at character 3" },
		{ "Text", "'\\u0000'", NULL, "a character that no text may have at character 3" },
		{ "Text", "'\\ud800'", NULL, "a character that no text may have at character 3" },
		{ "Text", "string 5", NULL, "no text in quotes at character 8" },
		{ "Truth", "boolean 1", NULL, "neither true nor false at character 9" },
		{ "List", "[]", NULL, "an empty list without a type, like @as at character 2" },
		{ "List", "['a', 1]", NULL, "no text in quotes at character 7" },
		{ "List", "['a'", NULL, "the list has no end at character 5" },
		{ "List", "@as 'a'", NULL, "no list at character 5" },
		{ "List", "[true]", NULL, "a list that no property may be at character 2" },
		{ "Other", "@h 1", NULL, "a type that no property may have at character 2" },
		{ "Other", "@a(st) []", NULL, "a type that no property may have at character 3" },
		{ "Other", "<1>", NULL, "no number at character 1" },
		{ "Other", "@t5", NULL, "no value after the type at character 3" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf text = { 0 }, message = { 0 };
		struct unit_property p = { 0 };
		struct err e = { 0 };
		int r = unit_value_parse(&a, rows[i].name, rows[i].text, &p, &e);

		cr_expect_eq(r < 0, !rows[i].property, "row %zu: %s", i, e.msg);
		if (r == 0 && rows[i].property) {
			show(&text, &p);
			cr_expect_str_eq(text.text, rows[i].property, "row %zu: %s", i, text.text);
		} else if (r < 0) {
			buf_printf(&message, "\"%s\"%s%s", rows[i].text, not_simple,
				   rows[i].message ? rows[i].message : "");
			cr_expect_str_eq(e.msg, message.text, "row %zu: %s", i, e.msg);
		}
	}
}

Test(cgroup_unit, names_of_annotations)
{
	static const char *const bad[] = { "", "ab", "Memory High", "memory.high", "M1234" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_arena struct arena a = { 0 };
		struct unit_property p = { 0 };
		struct err e = { 0 };

		cr_expect_eq(unit_value_parse(&a, bad[i], "true", &p, &e), -EINVAL, "%s", bad[i]);
		cr_expect(strstr(e.msg, "\" is not the name of a property, like MemoryHigh"));
	}
}

Test(cgroup_unit, properties)
{
	static const struct {
		const char *key, *value, *tail, *message;
	} rows[] = {
		{ "x", "y", "", NULL },
		{ "org.systemd.property.CollectMode", "'inactive'", "", NULL },
		{ "org.systemd.property.TimeoutStopSec", "5", "; TimeoutStopUSec t 5000000", NULL },
		{ "org.systemd.property.MemoryMax", "uint64 7", "", NULL },
		{ "org.systemd.property.PIDs", "@au [1]", NULL,
		  "annotations.org.systemd.property.PIDs: only the runtime sets this" },
		{ "org.systemd.property.Delegate", "false", NULL,
		  "annotations.org.systemd.property.Delegate: only the runtime sets this" },
		{ "org.systemd.property.X", "5", NULL,
		  "annotations.org.systemd.property.X: \"X\" is not the name of a property, like "
		  "MemoryHigh" },
		{ "org.systemd.property.Xyz", "x", NULL,
		  "annotations.org.systemd.property.Xyz: \"x\" is not a simple value like true, "
		  "uint64 5, 'text' or ['a', 'b']: no number at character 1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf text = { 0 }, want = { 0 };
		struct spec_pair pair = { rows[i].key, rows[i].value };
		const struct spec spec = { .annotations = { &pair, 1 } };
		struct knob_value limit = { .file = "memory.max", .value = "5" };
		const struct knob_values limits = { &limit, 1 };
		struct unit unit = { 0 };
		struct err e = { 0 };
		int r = unit_plan(&a, &spec, "c1", false, &limits, &unit, &e);

		cr_expect_eq(r < 0, rows[i].message != NULL, "row %zu: %s", i, e.msg);
		if (rows[i].message) {
			cr_expect_str_eq(e.msg, rows[i].message, "row %zu: %s", i, e.msg);
			continue;
		}
		buf_printf(
			&want,
			"Description s 'hull container c1'; Slice s 'system.slice'; CollectMode s "
			"'%s'; Delegate b 1; DefaultDependencies b 0; CPUAccounting b 1; "
			"MemoryAccounting b 1; TasksAccounting b 1; IOAccounting b 1; "
			"MemoryMax t %d%s",
			i == 1 ? "inactive" : "inactive-or-failed", i == 3 ? 7 : 5, rows[i].tail);
		cr_expect_str_eq(show_all(&text, &unit.properties), want.text, "row %zu: %s", i,
				 text.text);
	}
}

Test(cgroup_unit, addresses)
{
	auto_arena struct arena a = { 0 };

	cr_expect_str_eq(bus_address(&a, "/run/user/0/systemd/private"),
			 "unix:path=/run/user/0/systemd/private");
	cr_expect_str_eq(bus_address(&a, "/a b;c,d=\xc3\xa4"), "unix:path=/a%20b%3bc%2cd%3d%c3%a4");
}

/* A word of /proc/PID/status. */
static unsigned long long status_of(pid_t pid, const char *key)
{
	char path[64], line[256];
	unsigned long long value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	cr_assert(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtoull(line + strlen(key), NULL, 16);
	fclose(f);
	return value;
}

Test(cgroup_unit, a_holder_does_nothing, .timeout = 20)
{
	struct err e = { 0 };
	pid_t pid = holder_start(&e), before = pid;
	char path[64], name[64] = "";
	sigset_t now;

	cr_assert_gt(pid, 0, "%s", e.msg);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	while (strcmp(name, "hull-holder") != 0)
		cr_assert_eq(io_read_value(AT_FDCWD, path, name, sizeof(name)), 0);
	snprintf(path, sizeof(path), "/proc/%d/fd/0", (int)pid);
	cr_expect_eq(access(path, F_OK), -1);
	snprintf(path, sizeof(path), "/proc/%d/fd/2", (int)pid);
	cr_expect_eq(access(path, F_OK), -1);
	/* All but SIGKILL, SIGSTOP, and the two that are the C library's. */
	cr_expect_eq(status_of(pid, "SigBlk:\t") | 0x180040100ULL, ~0ULL);
	cr_assert_eq(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	cr_expect_not(sigismember(&now, SIGTERM));
	holder_end(&pid);
	cr_expect_eq(pid, 0);
	cr_expect_eq(kill(before, 0), -1);
	holder_end(&pid);
}

Test(cgroup_unit, a_holder_dies_with_its_parent, .timeout = 20)
{
	int pipes[2];
	pid_t holder = 0, parent;
	struct err e = { 0 };

	cr_assert_eq(pipe(pipes), 0);
	parent = fork();
	if (parent == 0) {
		holder = holder_start(&e);
		_exit(write(pipes[1], &holder, sizeof(holder)) == sizeof(holder) ? 0 : 1);
	}
	cr_assert_eq(read(pipes[0], &holder, sizeof(holder)), sizeof(holder));
	cr_assert_gt(holder, 0);
	cr_assert_eq(waitpid(parent, NULL, 0), parent);
	/* Somebody else's child now, who may be slow to reap it. */
	for (char state = 'R'; state != 'Z' && kill(holder, 0) == 0;) {
		char path[64], text[256];
		const char *end;

		snprintf(path, sizeof(path), "/proc/%d/stat", (int)holder);
		if (io_read_value(AT_FDCWD, path, text, sizeof(text)) < 0)
			break;
		end = strrchr(text, ')');
		state = end && end[1] ? end[2] : 'Z';
	}
}

/*
 * The line for systemd
 */

TestSuite(turn, .init = dir_make, .fini = dir_remove, .timeout = 20);

Test(turn, ends_when_the_descriptor_is_closed_and_has_a_deadline)
{
	int first = -1, second = -1;
	struct err e = { 0 };

	cr_assert_eq(mkdirat(dir_fd, "systemd", 0700), 0);
	setenv("XDG_RUNTIME_DIR", dir_path, 1);
	cr_assert_eq(turn_take(true, 10, &first, &e), 0, "%s", e.msg);
	cr_expect_geq(first, 0);
	/* One who stays there, and be it that he was stopped. */
	cr_expect_eq(turn_take(true, 1, &second, &e), -ETIMEDOUT);
	cr_expect_str_eq(e.msg, "stand in line for this user's systemd: another process has kept "
				"$XDG_RUNTIME_DIR/systemd locked for 1 s");
	cr_expect_eq(second, -1);
	close(first);
	cr_expect_eq(turn_take(true, 1, &second, &e), 0);
	close(second);
}

Test(turn, is_at_once_where_there_is_no_line)
{
	int turn = 7;
	struct err e = { 0 };

	setenv("XDG_RUNTIME_DIR", dir_path, 1);
	cr_expect_eq(turn_take(true, 1, &turn, &e), 0);
	cr_expect_eq(turn, -1);
}
