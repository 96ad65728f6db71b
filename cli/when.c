#include "cli/when.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cli/values.h"

enum { NS_DIGITS = 9 };

static const int64_t second = 1000000000;

/* ".5", nothing, or more digits than count; *text is left behind them. */
static bool read_fraction(const char **text, int64_t *ret)
{
	int64_t unit = second;

	*ret = 0;
	if (**text != '.')
		return true;
	if (!isdigit((unsigned char)*++*text))
		return false;
	for (; isdigit((unsigned char)**text); ++*text) {
		unit /= 10;
		*ret += unit * (**text - '0');
	}
	return true;
}

static bool read_seconds(const char *text, int64_t *ret)
{
	int64_t fraction;
	char *end;
	long long whole;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	whole = strtoll(text, &end, 10);
	text = end;
	if (errno || whole > INT64_MAX / second - 1 || !read_fraction(&text, &fraction) || *text)
		return false;
	*ret = whole * second + fraction;
	return true;
}

/* "Z", "+02:00" or nothing; seconds to the east. */
static bool read_zone(const char *text, int *ret)
{
	int hours, minutes;

	*ret = 0;
	if (!*text || strcmp(text, "Z") == 0)
		return true;
	if ((*text != '+' && *text != '-') || strlen(text) != strlen("+02:00") || text[3] != ':')
		return false;
	for (int i = 1; i < 6; i++)
		if (i != 3 && !isdigit((unsigned char)text[i]))
			return false;
	hours = 10 * (text[1] - '0') + text[2] - '0';
	minutes = 10 * (text[4] - '0') + text[5] - '0';
	*ret = (*text == '-' ? -60 : 60) * (60 * hours + minutes);
	return hours < 24 && minutes < 60;
}

/* Nanoseconds are beside it, as a date may be of any year. */
static bool read_date(const char *text, int64_t *ret_seconds, int64_t *ret_fraction)
{
	struct tm tm = { 0 };
	int zone;

	text = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!text || !read_fraction(&text, ret_fraction) || !read_zone(text, &zone))
		return false;
	*ret_seconds = (int64_t)timegm(&tm) - zone;
	return true;
}

int when_date(const char *text, time_t *ret)
{
	int64_t seconds, fraction;

	if (!text || !read_date(text, &seconds, &fraction))
		return -EINVAL;
	*ret = seconds;
	return 0;
}

int when_parse(const char *option, const char *text, int64_t now, int64_t *ret, struct err *e)
{
	int64_t span, whole, fraction;

	if (read_seconds(text, ret))
		return 0;
	/* Before 1970 nothing has happened, and negative is no time. */
	if (read_date(text, &whole, &fraction) && whole >= 0 && whole < INT64_MAX / second) {
		*ret = whole * second + fraction;
		return 0;
	}
	if (duration_parse(text, &span) < 0)
		return err_set(e, EINVAL,
			       "%s %s: expected 2026-01-31T12:00:00Z, or a span like 10m", option,
			       json_quote(text).text);
	*ret = span > now / 1000 ? 0 : now - span * 1000;
	return 0;
}

int64_t when_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * second + ts.tv_nsec;
}

const char *when_text(int64_t when, struct arena *a)
{
	time_t seconds = (time_t)(when / second);
	char date[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	return arena_printf(a, "%s.%0*lldZ", date, NS_DIGITS, (long long)(when % second));
}
