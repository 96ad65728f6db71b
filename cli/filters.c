#include "cli/filters.h"

#include <errno.h>
#include <regex.h>
#include <string.h>

#include "base/buf.h"

static const struct filter_row *find_row(const struct filter_table *table, const char *text)
{
	size_t len = strcspn(text, "=");

	for (size_t i = 0; text[len] && i < table->n; i++)
		if (strlen(table->rows[i].key) == len &&
		    strncmp(table->rows[i].key, text, len) == 0)
			return &table->rows[i];
	return NULL;
}

static int no_filter(const struct filter_table *table, struct err *e)
{
	auto_buf struct buf keys = { 0 };

	buf_str(&keys, "");
	for (size_t i = 0; i < table->n; i++)
		buf_printf(&keys, "%s%s=",
			   i == 0              ? ""
			   : i + 1 == table->n ? " or "
					       : ", ",
			   table->rows[i].key);
	return err_set(e, EINVAL, "expected %s", keys.text);
}

static int read_one(const struct filter_table *table, const char *text, const void *ctx,
		    struct arena *a, struct filter *ret, struct err *e)
{
	*ret = (struct filter){ .row = find_row(table, text) };
	if (!ret->row)
		return no_filter(table, e);
	ret->value = strchr(text, '=') + 1;
	return ret->row->read ? ret->row->read(ret, ctx, a, e) : 0;
}

int filters_read(const struct filter_table *table, const struct strings *texts, const void *ctx,
		 struct arena *a, struct filters *ret, struct err *e)
{
	*ret = (struct filters){ 0 };
	ret->list.at = arena_array(a, texts->n, sizeof(*ret->list.at));
	for (size_t i = 0; i < texts->n; i++) {
		struct filter *f = &ret->list.at[i];

		if (read_one(table, texts->at[i], ctx, a, f, e) < 0)
			return err_wrap(e, "--filter %s", texts->at[i]);
		ret->needs |= f->row->needs;
		ret->list.n++;
	}
	return 0;
}

/* Whether one of the values of this key matches. */
static bool any_matches(const struct filters *filters, const struct filter_row *row,
			const void *subject)
{
	for (size_t i = 0; i < filters->list.n; i++)
		if (filters->list.at[i].row == row && row->matches(&filters->list.at[i], subject))
			return true;
	return false;
}

bool filters_match(const struct filters *filters, const void *subject)
{
	for (size_t i = 0; i < filters->list.n; i++) {
		const struct filter *f = &filters->list.at[i];

		if (f->row->all ? !f->row->matches(f, subject)
				: !any_matches(filters, f->row, subject))
			return false;
	}
	return true;
}

static int compile(const char *value, regex_t *ret)
{
	return regcomp(ret, value, REG_EXTENDED | REG_NOSUB);
}

int filter_read_pattern(struct filter *f, const void *ctx UNUSED, struct arena *a UNUSED,
			struct err *e)
{
	regex_t pattern;

	if (compile(f->value, &pattern) != 0)
		return err_set(e, EINVAL, "it is no regular expression");
	regfree(&pattern);
	return 0;
}

bool filter_finds(const struct filter *f, const char *text)
{
	regex_t pattern;
	bool yes;

	if (compile(f->value, &pattern) != 0)
		return false;
	yes = regexec(&pattern, text, 0, NULL, 0) == 0;
	regfree(&pattern);
	return yes;
}

int filter_read_bool(struct filter *f, const void *ctx UNUSED, struct arena *a UNUSED,
		     struct err *e)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "true", true }, { "1", true }, { "false", false }, { "0", false } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(f->value, words[i].word) != 0)
			continue;
		f->found = words[i].value;
		return 0;
	}
	return err_set(e, EINVAL, "expected true or false");
}
