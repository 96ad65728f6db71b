/* Times, sizes and states in words, and text in columns. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "cli/columns.h"
#include "cli/when.h"
#include "cli/words.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

Test(cli_words, durations)
{
	static const struct {
		int64_t seconds;
		const char *words;
	} rows[] = {
		{ -5, "Less than a second" },
		{ 0, "Less than a second" },
		{ 1, "1 second" },
		{ 2, "2 seconds" },
		{ 59, "59 seconds" },
		{ MINUTE, "About a minute" },
		{ 2 * MINUTE - 1, "About a minute" },
		{ 2 * MINUTE, "2 minutes" },
		{ HOUR - 1, "59 minutes" },
		{ HOUR, "About an hour" },
		{ HOUR + 1799, "About an hour" },
		{ HOUR + 1800, "2 hours" },
		{ 47 * HOUR + 1799, "47 hours" },
		{ 47 * HOUR + 1800, "2 days" },
		{ 13 * DAY, "13 days" },
		{ 14 * DAY, "2 weeks" },
		{ 59 * DAY, "8 weeks" },
		{ 60 * DAY, "2 months" },
		{ 729 * DAY, "24 months" },
		{ 730 * DAY, "2 years" },
		{ 3650 * (int64_t)DAY, "10 years" },
	};
	auto_arena struct arena a = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_str_eq(words_duration(rows[i].seconds, &a), rows[i].words, "%lld",
				 (long long)rows[i].seconds);
}

Test(cli_words, times)
{
	auto_arena struct arena a = { 0 };
	time_t t = 0;

	cr_expect_eq(when_date("2026-01-31T12:00:00.123456789Z", &t), 0);
	cr_expect_eq(t, 1769860800);
	cr_expect_eq(when_date("2026-01-31T21:00:00+09:00", &t), 0);
	cr_expect_eq(t, 1769860800);
	cr_expect_eq(when_date("0001-01-01T00:00:00Z", &t), 0);
	cr_expect_eq(t, -62135596800);
	cr_expect_eq(when_date("", &t), -EINVAL);
	cr_expect_eq(when_date(NULL, &t), -EINVAL);
	cr_expect_eq(when_date("yesterday", &t), -EINVAL);
	cr_expect_str_eq(words_ago("2026-01-31T12:00:00Z", 1769860803, &a), "3 seconds ago");
	cr_expect_str_eq(words_ago("2026-01-31T21:00:00+09:00", 1769860803, &a), "3 seconds ago");
	cr_expect_str_eq(words_ago("never", 1769860803, &a), "");
	setenv("TZ", "UTC0", 1);
	tzset();
	cr_expect_str_eq(words_date("2026-01-31T12:00:00Z", &a), "2026-01-31 12:00:00 +0000 UTC");
	cr_expect_str_eq(words_date(NULL, &a), "");
	setenv("TZ", "CET-1", 1);
	tzset();
	cr_expect_str_eq(words_date("2026-01-31T12:00:00Z", &a), "2026-01-31 13:00:00 +0100 CET");
}

Test(cli_words, sizes)
{
	static const struct {
		uint64_t bytes;
		const char *words;
	} rows[] = {
		{ 0, "0B" },          { 999, "999B" },        { 1000, "1.0kB" },
		{ 1500000, "1.5MB" }, { 123456789, "123MB" }, { 5000000000, "5.0GB" },
	};
	auto_arena struct arena a = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_str_eq(words_size(rows[i].bytes, &a), rows[i].words);
}

Test(cli_words, status)
{
	static const char then[] = "2026-01-31T12:00:00Z";
	static const struct {
		enum state_status state;
		const char *started, *finished;
		int exit_code, health;
		const char *words;
	} rows[] = {
		{ STATE_STOPPED, NULL, NULL, 0, HEALTH_NONE, "Created" },
		{ STATE_CREATED, NULL, NULL, 0, HEALTH_NONE, "Created" },
		{ STATE_RUNNING, then, NULL, 0, HEALTH_NONE, "Up 3 seconds" },
		{ STATE_RUNNING, then, NULL, 0, HEALTH_STARTING,
		  "Up 3 seconds (health: starting)" },
		{ STATE_RUNNING, then, NULL, 0, HEALTH_HEALTHY, "Up 3 seconds (healthy)" },
		{ STATE_RUNNING, then, NULL, 0, HEALTH_UNHEALTHY, "Up 3 seconds (unhealthy)" },
		{ STATE_PAUSED, then, NULL, 0, HEALTH_NONE, "Up 3 seconds (Paused)" },
		{ STATE_RUNNING, NULL, NULL, 0, HEALTH_NONE, "Up" },
		{ STATE_STOPPED, then, then, 137, HEALTH_NONE, "Exited (137) 3 seconds ago" },
	};
	auto_arena struct arena a = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct container_view v = { .state = rows[i].state,
						  .status = { .started = rows[i].started,
							      .finished = rows[i].finished,
							      .exit_code = rows[i].exit_code },
						  .health = { .status = rows[i].health } };

		cr_expect_str_eq(words_status(&v, 1769860803, &a), rows[i].words);
	}
}

Test(cli_words, columns)
{
	static const struct {
		const char *text, *table;
	} rows[] = {
		{ "", "" },
		{ "A\tB\n", "A   B\n" },
		{ "A\tB\nlong\tx\n", "A      B\nlong   x\n" },
		{ "\xc3\xa4\tB\nab\tx\n", "\xc3\xa4    B\nab   x\n" },
		{ "A\n\tb\tc\nd\n", "A\n    b   c\nd\n" },
		{ "A\tB", "A   B" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf b = { 0 };

		columns_print(rows[i].text, &b);
		cr_expect_str_eq(b.text, rows[i].table);
	}
}

Test(cli_words, shortened)
{
	auto_arena struct arena a = { 0 };

	cr_expect_str_eq(words_shorten("abc", 3, &a), "abc");
	cr_expect_str_eq(words_shorten("abcd", 3, &a), "ab\u2026");
	cr_expect_str_eq(words_shorten("\u00e4\u00f6\u00fc", 3, &a), "\u00e4\u00f6\u00fc");
	cr_expect_str_eq(words_shorten("\u00e4\u00f6\u00fc\u00df", 3, &a), "\u00e4\u00f6\u2026");
}
