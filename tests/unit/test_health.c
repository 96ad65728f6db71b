/* Health checks: what options and image make of them, and what becomes of results. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "engine/health.h"
#include "tests/unit/test_dir.h"

#define SECOND INT64_C(1000000) /* of options and clocks */
#define NS     INT64_C(1000)

static const char *curl[] = { "CMD", "curl", "localhost" };
static const char *line[] = { "CMD-SHELL", "true" };
static const char *wrong[] = { "curl" };
static const char *two_lines[] = { "CMD-SHELL", "true", "false" };

Test(health, plan)
{
	static const struct image_healthcheck image = { .test = { curl, 3 },
							.interval = 7 * SECOND * NS,
							.retries = 5 };
	static const struct image_healthcheck bad = { .test = { wrong, 1 } };
	static const struct image_healthcheck bad_shell = { .test = { two_lines, 3 } };
	static const struct {
		struct wish wish;
		const struct image_healthcheck *image;
		size_t words;      /* of the test; 0: none */
		const char *first; /* of them */
		int64_t interval, timeout, start, retries; /* seconds */
		const char *error;
	} rows[] = {
		{ { 0 }, NULL, 0, NULL, 0, 0, 0, 0, NULL },
		{ { 0 }, &image, 3, "CMD", 7, 30, 0, 5, NULL },
		{ { .no_healthcheck = true }, &image, 0, NULL, 0, 0, 0, 0, NULL },
		{ { .health_cmd = "none" }, &image, 0, NULL, 0, 0, 0, 0, NULL },
		{ { .health_cmd = "a b" }, NULL, 2, "CMD-SHELL", 30, 30, 0, 3, NULL },
		{ { .health_cmd = "[\"a\",\"b\"]" }, NULL, 3, "CMD", 30, 30, 0, 3, NULL },
		{ { .health_cmd = "[ -e /file ]" }, NULL, 2, "CMD-SHELL", 30, 30, 0, 3, NULL },
		{ { .health_cmd = "[ \"$A\" = b ]" }, NULL, 2, "CMD-SHELL", 30, 30, 0, 3, NULL },
		{ { .health_cmd = "[[ -e /file ]]" }, NULL, 2, "CMD-SHELL", 30, 30, 0, 3, NULL },
		{ { .health_cmd = "x" }, &bad, 2, "CMD-SHELL", 30, 30, 0, 3, NULL },
		{ { .health_interval = SECOND,
		    .health_timeout = 2 * SECOND,
		    .health_start_period = 3 * SECOND,
		    .health_retries = { true, 1 } },
		  &image, 3, "CMD", 1, 2, 3, 1, NULL },
		{ { .health_retries = { true, 0 } }, &image, 0, NULL, 0, 0, 0, 0,
		  "--health-retries: expected a number from 1 on" },
		{ { .health_interval = INT64_MAX }, &image, 0, NULL, 0, 0, 0, 0,
		  "--health-interval: that is too long" },
		{ { .health_interval = SECOND }, NULL, 0, NULL, 0, 0, 0, 0,
		  "the options of a health check need a command: neither the image has one, nor is "
		  "there --health-cmd" },
		{ { .no_healthcheck = true, .health_cmd = "x" }, NULL, 0, NULL, 0, 0, 0, 0,
		  "--no-healthcheck: other options ask for a health check" },
		{ { .health_cmd = "" }, NULL, 0, NULL, 0, 0, 0, 0,
		  "--health-cmd: there is no command in it" },
		{ { .health_cmd = "[\"a\", 1]" }, NULL, 0, NULL, 0, 0, 0, 0,
		  "--health-cmd:1:7: [1]: expected a string, found a number" },
		{ { .health_cmd = "[]" }, NULL, 0, NULL, 0, 0, 0, 0,
		  "--health-cmd: there is no command in it" },
		{ { 0 }, &bad, 0, NULL, 0, 0, 0, 0,
		  "the image's health check: expected NONE, CMD with a command or CMD-SHELL with a "
		  "line, found \"curl\"" },
		{ { 0 }, &bad_shell, 0, NULL, 0, 0, 0, 0,
		  "the image's health check: expected NONE, CMD with a command or CMD-SHELL with a "
		  "line, found \"CMD-SHELL\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct image_healthcheck h;
		struct err e = { 0 };
		int r = health_plan(&rows[i].wish, rows[i].image, &a, &h, &e);

		if (rows[i].error) {
			cr_expect_lt(r, 0, "row %zu", i);
			cr_expect_str_eq(e.msg, rows[i].error, "row %zu: %s", i, e.msg);
			continue;
		}
		cr_assert_eq(r, 0, "row %zu: %s", i, e.msg);
		cr_assert_eq(h.test.n, rows[i].words, "row %zu", i);
		if (!h.test.n)
			continue;
		cr_expect_str_eq(h.test.at[0], rows[i].first, "row %zu", i);
		cr_expect_eq(h.interval, rows[i].interval * SECOND * NS, "row %zu", i);
		cr_expect_eq(h.timeout, rows[i].timeout * SECOND * NS, "row %zu", i);
		cr_expect_eq(h.start_period, rows[i].start * SECOND * NS, "row %zu", i);
		cr_expect_eq(h.retries, rows[i].retries, "row %zu", i);
	}
}

static const struct image_healthcheck check = { .test = { line, 2 },
						.interval = 30 * SECOND * NS,
						.start_period = 10 * SECOND * NS,
						.start_interval = 5 * SECOND * NS,
						.retries = 2 };

Test(health, results)
{
	/* One container's life: it started at second 100. */
	static const struct {
		int64_t at;
		int exit_code, status;
		uint32_t streak;
		int64_t next;
	} rows[] = {
		{ 101, 1, HEALTH_STARTING, 0, 5 },   /* does not count yet */
		{ 109, -1, HEALTH_STARTING, 0, 5 },
		{ 110, 1, HEALTH_STARTING, 1, 30 },  /* the period is over */
		{ 140, 0, HEALTH_HEALTHY, 0, 30 },
		{ 170, 1, HEALTH_HEALTHY, 1, 30 },   /* once is not enough */
		{ 200, 2, HEALTH_UNHEALTHY, 2, 30 },
		{ 230, 2, HEALTH_UNHEALTHY, 3, 30 },
		{ 260, 0, HEALTH_HEALTHY, 0, 30 },
	};
	auto_health struct health h = { .status = HEALTH_STARTING, .since = 100 * SECOND };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct health_result r = { "s", "e", rows[i].exit_code, "said" };

		health_apply(&h, &check, &r, rows[i].at * SECOND);
		cr_expect_eq(h.status, rows[i].status, "row %zu", i);
		cr_expect_eq(h.failing_streak, rows[i].streak, "row %zu", i);
		cr_expect_eq(health_delay(&check, &h, rows[i].at * SECOND), rows[i].next * SECOND,
			     "row %zu", i);
		cr_expect_eq(h.log.n, i < HEALTH_LOG_MAX ? i + 1 : HEALTH_LOG_MAX, "row %zu", i);
		cr_expect_eq(h.log.at[h.log.n - 1].exit_code, rows[i].exit_code, "row %zu", i);
	}
	cr_expect_eq(h.log.at[0].exit_code, 0, "the oldest ones are gone");
}

Test(health, a_success_ends_the_start_period)
{
	const struct health_result good = { "s", "e", 0, "" }, bad = { "s", "e", 1, "" };
	auto_health struct health h = { .status = HEALTH_STARTING, .since = 100 * SECOND };

	health_apply(&h, &check, &good, 101 * SECOND);
	health_apply(&h, &check, &bad, 102 * SECOND);
	cr_expect_eq(h.failing_streak, 1);
	cr_expect_eq(health_delay(&check, &h, 102 * SECOND), 30 * SECOND);
}

TestSuite(health_file, .init = dir_make, .fini = dir_remove);

Test(health_file, nothing_then_starting)
{
	auto_health struct health none = { 0 }, h = { 0 };
	struct err e = { 0 };

	cr_assert_eq(health_read(dir_fd, &none, &e), 0, "%s", e.msg);
	cr_expect_eq(none.status, HEALTH_NONE);
	cr_assert_eq(health_reset(dir_fd, &e), 0, "%s", e.msg);
	cr_assert_eq(health_read(dir_fd, &h, &e), 0, "%s", e.msg);
	cr_expect_eq(h.status, HEALTH_STARTING);
	cr_expect_eq(h.log.n, 0);
	cr_expect_gt(h.since, 0);
}

Test(health_file, what_is_no_document_of_ours_is_refused)
{
	auto_health struct health h = { 0 };
	struct err e = { 0 };

	dir_file("health.json", "{\"status\":\"fine\"}");
	cr_expect_lt(health_read(dir_fd, &h, &e), 0);
	cr_expect(strstr(e.msg, "status"), "%s", e.msg);
}
