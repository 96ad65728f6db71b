#include "process/number_set.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

enum { WORD_BITS = sizeof(unsigned long) * CHAR_BIT };

static void skip_blanks(const char **s)
{
	*s += strspn(*s, " ");
}

/* Takes a number off *s; false without one, or with one that is too large. */
static bool take_number(const char **s, unsigned *ret)
{
	unsigned number = 0;
	const char *start;

	skip_blanks(s);
	for (start = *s; **s >= '0' && **s <= '9'; (*s)++) {
		number = number * 10 + (unsigned)(**s - '0');
		if (number >= NUMBER_SET_MAX)
			return false;
	}
	*ret = number;
	if (*s == start)
		return false;
	skip_blanks(s);
	return true;
}

/* Takes "3" or "3-5". */
static bool take_range(const char **s, unsigned *ret_first, unsigned *ret_last)
{
	if (!take_number(s, ret_first))
		return false;
	*ret_last = *ret_first;
	if (**s != '-')
		return true;
	(*s)++;
	return take_number(s, ret_last) && *ret_first <= *ret_last;
}

int number_set_parse(const char *list, struct arena *a, struct number_set *ret, struct err *e)
{
	unsigned long words[NUMBER_SET_MAX / WORD_BITS] = { 0 };
	unsigned first, last, largest = 0;
	bool any = false;

	for (const char *s = list;;) {
		skip_blanks(&s);
		if (*s != ',' && *s != '\0') {
			if (!take_range(&s, &first, &last) || (*s != ',' && *s != '\0'))
				return err_set(
					e, EINVAL,
					"\"%s\" is no list like \"0-3,7\" of numbers below %d",
					list, NUMBER_SET_MAX);
			for (unsigned i = first; i <= last; i++)
				words[i / WORD_BITS] |= 1UL << i % WORD_BITS;
			largest = last > largest ? last : largest;
			any = true;
		}
		if (*s++ == '\0')
			break;
	}
	if (!any)
		return err_set(e, EINVAL, "\"%s\" has no numbers", list);
	ret->n = largest / WORD_BITS + 1;
	ret->words = arena_array(a, ret->n, sizeof(*words));
	memcpy(ret->words, words, ret->n * sizeof(*words));
	return 0;
}

bool number_set_has(const struct number_set *set, unsigned number)
{
	return number / WORD_BITS < set->n &&
	       set->words[number / WORD_BITS] & 1UL << number % WORD_BITS;
}
