#include "cli/values.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { MILLION = 1000 * 1000 };

/* "1.25": what is before the point, and millionths; more digits don't count. */
struct decimal {
	int64_t whole, millionths;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits, at least one; moves *at behind them. */
static int read_digits(const char **at, int64_t *ret)
{
	int64_t value = 0;

	if (!is_digit(**at))
		return -EINVAL;
	for (; is_digit(**at); (*at)++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, **at - '0', &value))
			return -ERANGE;
	*ret = value;
	return 0;
}

static int read_decimal(const char **at, struct decimal *ret)
{
	int64_t place = MILLION;

	*ret = (struct decimal){ 0 };
	TRY(read_digits(at, &ret->whole));
	if (**at != '.')
		return 0;
	(*at)++;
	if (!is_digit(**at))
		return -EINVAL;
	for (; is_digit(**at); (*at)++) {
		place /= 10;
		ret->millionths += place * (**at - '0');
	}
	return 0;
}

static int multiply(const struct decimal *d, int64_t unit, int64_t *ret)
{
	int64_t value;

	if (__builtin_mul_overflow(d->whole, unit, &value))
		return -ERANGE;
	/* unit * millionths may be too large for an int64_t, its parts are not. */
	if (__builtin_add_overflow(value,
				   unit / MILLION * d->millionths +
					   unit % MILLION * d->millionths / MILLION,
				   &value))
		return -ERANGE;
	*ret = value;
	return 0;
}

int integer_parse(const char *text, int64_t *ret)
{
	const bool negative = *text == '-';
	int64_t value = 0;

	text += negative;
	TRY(read_digits(&text, &value));
	if (*text)
		return -EINVAL;
	*ret = negative ? -value : value;
	return 0;
}

int bytes_parse(const char *text, int64_t *ret)
{
	static const char prefixes[] = "kmgtp";
	struct decimal d;
	const char *prefix;
	int64_t unit = 1;

	if (strcmp(text, "-1") == 0) {
		*ret = -1;
		return 0;
	}
	TRY(read_decimal(&text, &d));
	prefix = *text ? strchr(prefixes, *text | ' ') : NULL;
	for (const char *p = prefixes; prefix && p <= prefix; p++)
		unit *= 1024;
	text += prefix != NULL;
	if (*text && strcasecmp(text, "b") != 0 && !(prefix && strcasecmp(text, "ib") == 0))
		return -EINVAL;
	return multiply(&d, unit, ret);
}

int duration_parse(const char *text, int64_t *ret)
{
	static const struct {
		const char *name;
		int64_t microseconds;
	} units[] = {
		{ "us", 1 },
		{ "ms", 1000 },
		{ "s", MILLION },
		{ "m", 60LL * MILLION },
		{ "h", 3600LL * MILLION },
	};
	int64_t sum = 0;

	if (!*text)
		return -EINVAL;
	while (*text) {
		struct decimal d;
		int64_t part;
		size_t i = 0, len;

		TRY(read_decimal(&text, &d));
		len = strspn(text, "umsh");
		while (i < ARRAY_LEN(units) &&
		       !(strlen(units[i].name) == len && strncmp(units[i].name, text, len) == 0))
			i++;
		if (i == ARRAY_LEN(units))
			return -EINVAL;
		text += len;
		TRY(multiply(&d, units[i].microseconds, &part));
		if (__builtin_add_overflow(sum, part, &sum))
			return -ERANGE;
	}
	*ret = sum;
	return 0;
}
