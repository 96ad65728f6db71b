/* Sizes, durations and numbers as people write them. */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/util.h"
#include "cli/values.h"

typedef int parser(const char *text, int64_t *ret);

struct row {
	const char *text;
	int64_t value;
	int error;
};

static void check(parser *parse, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t value = 0;
		int r = parse(rows[i].text, &value);

		cr_expect_eq(r, -rows[i].error, "\"%s\": %d", rows[i].text, r);
		cr_expect_eq(value, rows[i].value, "\"%s\": %lld", rows[i].text, (long long)value);
	}
}

Test(cli_values, integers)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "-1", -1, 0 },
		{ "007", 7, 0 },
		{ "9223372036854775807", INT64_MAX, 0 },
		{ "9223372036854775808", 0, ERANGE },
		{ "99999999999999999999", 0, ERANGE },
		{ "", 0, EINVAL },
		{ "-", 0, EINVAL },
		{ "+1", 0, EINVAL },
		{ "--1", 0, EINVAL },
		{ "1 ", 0, EINVAL },
		{ "0x1", 0, EINVAL },
	};

	check(integer_parse, rows, ARRAY_LEN(rows));
}

Test(cli_values, bytes)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "4096", 4096, 0 },
		{ "-1", -1, 0 },
		{ "1k", 1024, 0 },
		{ "1K", 1024, 0 },
		{ "512M", 512LL << 20, 0 },
		{ "512mb", 512LL << 20, 0 },
		{ "1GiB", 1LL << 30, 0 },
		{ "1.5G", 3LL << 29, 0 },
		{ "0.25t", 1LL << 38, 0 },
		{ "2p", 2LL << 50, 0 },
		{ "7b", 7, 0 },
		{ "1.9", 1, 0 },
		{ "9000p", 0, ERANGE },
		{ "99999999999999999999", 0, ERANGE },
		{ "-2", 0, EINVAL },
		{ "", 0, EINVAL },
		{ "M", 0, EINVAL },
		{ "1.M", 0, EINVAL },
		{ "1x", 0, EINVAL },
		{ "1ib", 0, EINVAL },
		{ "1Mx", 0, EINVAL },
		{ "1M ", 0, EINVAL },
	};

	check(bytes_parse, rows, ARRAY_LEN(rows));
}

Test(cli_values, durations)
{
	static const struct row rows[] = {
		{ "5s", 5000000, 0 },
		{ "250ms", 250000, 0 },
		{ "1m30s", 90000000, 0 },
		{ "1.5h", 5400000000, 0 },
		{ "0.5s", 500000, 0 },
		{ "7us", 7, 0 },
		{ "0s", 0, 0 },
		{ "99999999h", 359999996400000000, 0 },
		{ "9999999999h", 0, ERANGE },
		{ "", 0, EINVAL },
		{ "5", 0, EINVAL },
		{ "s", 0, EINVAL },
		{ "-5s", 0, EINVAL },
		{ "5d", 0, EINVAL },
		{ "5mss", 0, EINVAL },
		{ "5s ", 0, EINVAL },
	};

	check(duration_parse, rows, ARRAY_LEN(rows));
}
