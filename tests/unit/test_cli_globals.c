/* Names of the program, the log settings and the state directory. */
#include <criterion/criterion.h>
#include <errno.h>

#include "cli/globals.h"

Test(cli_globals, personalities)
{
	static const struct {
		const char *name;
		enum mode mode;
		enum log_level level;
		bool vm;
	} rows[] = {
		{ "hull", MODE_HULL, LOG_LEVEL_WARN, false },
		{ "hull-oci", MODE_OCI, LOG_LEVEL_ERROR, false },
		{ "runc", MODE_OCI, LOG_LEVEL_ERROR, false },
		{ "crun", MODE_OCI, LOG_LEVEL_ERROR, false },
		{ "hull-vm", MODE_OCI, LOG_LEVEL_ERROR, true },
		{ "lt-hull", MODE_HULL, LOG_LEVEL_WARN, false },
		{ "", MODE_HULL, LOG_LEVEL_WARN, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct personality *p = personality_find(rows[i].name);

		cr_expect_eq(p->mode, rows[i].mode, "%s", rows[i].name);
		cr_expect_eq(p->log_level, rows[i].level, "%s", rows[i].name);
		cr_expect_eq(p->isolation != NULL, rows[i].vm, "%s", rows[i].name);
	}
}

Test(cli_globals, log)
{
	static const struct {
		const char *program;
		struct globals globals;
		enum log_level level;
		enum log_format format;
	} rows[] = {
		{ "hull", { .log = NULL }, LOG_LEVEL_WARN, LOG_FORMAT_TEXT },
		{ "hull-oci", { .log = "/l" }, LOG_LEVEL_ERROR, LOG_FORMAT_TEXT },
		{ "hull-oci", { .log_format = "json" }, LOG_LEVEL_ERROR, LOG_FORMAT_JSON },
		{ "hull-oci", { .log_format = "text" }, LOG_LEVEL_ERROR, LOG_FORMAT_TEXT },
		{ "hull-oci", { .debug = true }, LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT },
		{ "hull", { .log_level = "error" }, LOG_LEVEL_ERROR, LOG_FORMAT_TEXT },
		{ "hull", { .log_level = "warn" }, LOG_LEVEL_WARN, LOG_FORMAT_TEXT },
		{ "hull-oci", { .log_level = "warning" }, LOG_LEVEL_WARN, LOG_FORMAT_TEXT },
		{ "hull", { .log_level = "info" }, LOG_LEVEL_INFO, LOG_FORMAT_TEXT },
		{ "hull", { .log_level = "trace" }, LOG_LEVEL_TRACE, LOG_FORMAT_TEXT },
		{ "hull", { .log_level = "info", .debug = true }, LOG_LEVEL_INFO, LOG_FORMAT_TEXT },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct log_settings log =
			globals_log(&rows[i].globals, personality_find(rows[i].program));

		cr_expect_eq(log.level, rows[i].level, "row %zu", i);
		cr_expect_eq(log.format, rows[i].format, "row %zu", i);
		cr_expect_eq(log.path, rows[i].globals.log, "row %zu", i);
	}
}

Test(cli_globals, who_makes_the_cgroups)
{
	static const struct {
		struct globals globals;
		bool systemd;
		const char *message;
	} rows[] = {
		{ { .systemd_cgroup = true }, true, "" },
		{ { .cgroup_manager = "systemd" }, true, "" },
		{ { .cgroup_manager = "systemd", .systemd_cgroup = true }, true, "" },
		{ { .cgroup_manager = "cgroupfs" }, false, "" },
		{ { .cgroup_manager = "disabled" }, false, "" },
		{ { .cgroup_manager = NULL }, false, "" },
		{ { .cgroup_manager = "cgroupfs", .systemd_cgroup = true },
		  true,
		  "--systemd-cgroup and --cgroup-manager cgroupfs: give one of them" },
		{ { .cgroup_manager = "disabled", .systemd_cgroup = true },
		  true,
		  "--systemd-cgroup and --cgroup-manager disabled: give one of them" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };

		cr_expect_eq(globals_check_create(&rows[i].globals, &e) < 0, *rows[i].message != 0);
		cr_expect_str_eq(e.msg, rows[i].message, "row %zu: %s", i, e.msg);
		cr_expect_eq(globals_wants_systemd(&rows[i].globals), rows[i].systemd, "row %zu",
			     i);
	}
}

Test(cli_globals, root)
{
	static const char no_place[] =
		"no place for the state of containers: set XDG_RUNTIME_DIR to a directory of "
		"yours, or give --root DIR";
	static const struct {
		struct root_facts facts;
		const char *root, *message;
	} rows[] = {
		{ { 0, true, NULL }, "/run/hull", "" },
		{ { 0, true, "/run/user/0" }, "/run/hull", "" },
		{ { 0, false, "/run/user/1000" }, "/run/user/1000/hull", "" },
		{ { 0, false, NULL }, "/run/hull", "" },
		{ { 1000, true, "/run/user/1000" }, "/run/user/1000/hull", "" },
		{ { 1000, false, "/run/user/1000" }, "/run/user/1000/hull", "" },
		{ { 1000, true, NULL }, "", no_place },
		{ { 1000, true, "" }, "", no_place },
		{ { 1000, true, "relative" }, "", no_place },
		{ { 0, false, "relative" }, "/run/hull", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const char *root = "";
		struct err e = { 0 };

		cr_expect_eq(root_plan(&rows[i].facts, &a, &root, &e) < 0,
			     *rows[i].message != '\0');
		cr_expect_str_eq(root, rows[i].root, "row %zu", i);
		cr_expect_str_eq(e.msg, rows[i].message, "row %zu", i);
	}
}
