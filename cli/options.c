#include "cli/options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/opt.h"
#include "base/util.h"
#include "cli/values.h"

const struct option_row option_help = {
	.name = "help",
	.letter = 'h',
	.kind = OPTION_FLAG,
	.member = offsetof(struct options, help),
	.help = "show this help",
};

struct parser {
	const struct option_table *table;
	const struct strings *words;
	size_t next; /* word to be read */
	struct arena *arena;
	void *values;
	struct options options;
};

/* An option as it was written: "-env", for messages, and what followed its "=". */
struct written {
	const struct option_row *row;
	const char *name, *value;
};

bool choice_is(const char *choice, const char *word)
{
	return choice && strcmp(choice, word) == 0;
}

int number_parse(const char *text, uint32_t max, uint32_t *ret)
{
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9')
			return -EINVAL;
		if (value <= max)
			value = 10 * value + (uint64_t)(*c - '0');
	}
	if (value > max)
		return -ERANGE;
	*ret = (uint32_t)value;
	return 0;
}

static int parse_bool(const struct written *w, bool *ret, struct err *e)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "1", true },    { "t", true },      { "T", true },      { "true", true },
		{ "TRUE", true }, { "True", true },   { "0", false },     { "f", false },
		{ "F", false },   { "false", false }, { "FALSE", false }, { "False", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].word, w->value) == 0) {
			*ret = words[i].value;
			return 0;
		}
	}
	return err_set(e, EINVAL, "invalid boolean value \"%s\" for -%s: parse error", w->value,
		       w->name);
}

static int store_flag(struct parser *p, const struct written *w, void *member, struct err *e)
{
	(void)p;
	return parse_bool(w, member, e);
}

static int store_tristate(struct parser *p, const struct written *w, void *member, struct err *e)
{
	bool value;

	(void)p;
	TRY(parse_bool(w, &value, e));
	*(int *)member = value;
	return 0;
}

static int store_string(struct parser *p, const struct written *w, void *member, struct err *e)
{
	(void)p;
	(void)e;
	*(const char **)member = w->value;
	return 0;
}

/* Whether `word` is one of "a|b|c". */
static bool is_choice(const char *choices, const char *word)
{
	size_t len = strlen(word);

	for (const char *c = choices; *c; c += *c == '|') {
		size_t n = strcspn(c, "|");

		if (n == len && memcmp(c, word, n) == 0)
			return true;
		c += n;
	}
	return false;
}

static int store_choice(struct parser *p, const struct written *w, void *member, struct err *e)
{
	if (!is_choice(w->row->argument, w->value))
		return err_set(e, EINVAL, "invalid value \"%s\" for flag -%s: not one of %s",
			       w->value, w->name, w->row->argument);
	return store_string(p, w, member, e);
}

static int bad_value(const struct written *w, int r, struct err *e)
{
	return err_set(e, -r, "invalid value \"%s\" for flag -%s: %s", w->value, w->name,
		       r == -ERANGE ? "value out of range" : "parse error");
}

static int parse_number(const struct written *w, uint32_t *ret, struct err *e)
{
	int r = number_parse(w->value, UINT32_MAX, ret);

	return r < 0 ? bad_value(w, r, e) : 0;
}

static int store_unsigned(struct parser *p, const struct written *w, void *member, struct err *e)
{
	uint32_t value;

	(void)p;
	_Static_assert(UINT_MAX == UINT32_MAX, "an unsigned holds every uint32_t");
	TRY(parse_number(w, &value, e));
	*(unsigned *)member = value;
	return 0;
}

/* A whole number that is at least `min` and at most `max`. */
static int parse_integer(const struct written *w, int64_t min, int64_t max, int64_t *ret,
			 struct err *e)
{
	int r = integer_parse(w->value, ret);

	if (r == 0 && (*ret < min || *ret > max))
		r = -ERANGE;
	return r < 0 ? bad_value(w, r, e) : 0;
}

static int store_u16(struct parser *p, const struct written *w, void *member, struct err *e)
{
	int64_t value = 0;

	(void)p;
	TRY(parse_integer(w, 0, UINT16_MAX, &value, e));
	*(struct opt_u16 *)member = (struct opt_u16){ true, (uint16_t)value };
	return 0;
}

static int store_u64(struct parser *p, const struct written *w, void *member, struct err *e)
{
	int64_t value = 0;

	(void)p;
	TRY(parse_integer(w, 0, INT64_MAX, &value, e));
	*(struct opt_u64 *)member = (struct opt_u64){ true, (uint64_t)value };
	return 0;
}

static int store_i64(struct parser *p, const struct written *w, void *member, struct err *e)
{
	int64_t value = 0;

	(void)p;
	TRY(parse_integer(w, INT64_MIN, INT64_MAX, &value, e));
	*(struct opt_i64 *)member = (struct opt_i64){ true, value };
	return 0;
}

static int store_bytes(struct parser *p, const struct written *w, void *member, struct err *e)
{
	int64_t value = 0;
	int r = bytes_parse(w->value, &value);

	(void)p;
	if (r < 0)
		return bad_value(w, r, e);
	*(struct opt_i64 *)member = (struct opt_i64){ true, value };
	return 0;
}

static int store_duration(struct parser *p, const struct written *w, void *member, struct err *e)
{
	int r = duration_parse(w->value, member);

	(void)p;
	return r < 0 ? bad_value(w, r, e) : 0;
}

/* No list can become longer than there are words. */
static int store_strings(struct parser *p, const struct written *w, void *member, struct err *e)
{
	struct strings *list = member;

	(void)e;
	if (!list->at)
		list->at = arena_array(p->arena, p->words->n, sizeof(*list->at));
	list->at[list->n++] = w->value;
	return 0;
}

static int store_numbers(struct parser *p, const struct written *w, void *member, struct err *e)
{
	struct numbers *list = member;

	if (!list->at)
		list->at = arena_array(p->arena, p->words->n, sizeof(*list->at));
	TRY(parse_number(w, &list->at[list->n], e));
	list->n++;
	return 0;
}

static const struct {
	bool takes_value;
	size_t size; /* of its member */
	int (*store)(struct parser *p, const struct written *w, void *member, struct err *e);
} kinds[] = {
	[OPTION_FLAG] = { false, sizeof(bool), store_flag },
	[OPTION_TRISTATE] = { false, sizeof(int), store_tristate },
	[OPTION_STRING] = { true, sizeof(char *), store_string },
	[OPTION_CHOICE] = { true, sizeof(char *), store_choice },
	[OPTION_UNSIGNED] = { true, sizeof(unsigned), store_unsigned },
	[OPTION_U16] = { true, sizeof(struct opt_u16), store_u16 },
	[OPTION_U64] = { true, sizeof(struct opt_u64), store_u64 },
	[OPTION_I64] = { true, sizeof(struct opt_i64), store_i64 },
	[OPTION_BYTES] = { true, sizeof(struct opt_i64), store_bytes },
	[OPTION_DURATION] = { true, sizeof(int64_t), store_duration },
	[OPTION_STRINGS] = { true, sizeof(struct strings), store_strings },
	[OPTION_NUMBERS] = { true, sizeof(struct numbers), store_numbers },
};

bool option_takes_value(const struct option_row *row)
{
	return kinds[row->kind].takes_value;
}

bool option_given(const struct option_row *row, const void *values)
{
	const char *member = (const char *)values + row->member;

	if (row->use != OPTION_USED)
		return false;
	if (row->kind == OPTION_TRISTATE)
		return *(const int *)(const void *)member >= 0;
	for (size_t i = 0; i < kinds[row->kind].size; i++)
		if (member[i])
			return true;
	return false;
}

static size_t own_rows_start(const struct option_table *table)
{
	return table->base ? own_rows_start(table->base) + table->base->n : 0;
}

const struct option_row *option_row(const struct option_table *table, size_t i)
{
	size_t end = own_rows_start(table) + table->n;

	if (i >= end)
		return i == end ? &option_help : NULL;
	while (i < own_rows_start(table))
		table = table->base;
	return &table->rows[i - own_rows_start(table)];
}

const struct option_row *option_find(const struct option_table *table, const char *name)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(table, i)); i++)
		if (strcmp(row->name, name) == 0 ||
		    (row->letter && name[0] == row->letter && !name[1]))
			return row;
	return NULL;
}

/* Takes "--name=value" apart; without "=" the value is still missing. */
static int read_written(struct parser *p, const char *word, struct written *ret, struct err *e)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);
	const char *equals = strchr(name, '=');

	if (!*name || *name == '-' || *name == '=')
		return err_set(e, EINVAL, "bad flag syntax: %s", word);
	ret->name = equals ? arena_strndup(p->arena, name, (size_t)(equals - name)) : name;
	ret->value = equals ? equals + 1 : NULL;
	ret->row = option_find(p->table, ret->name);
	if (!ret->row)
		return err_set(e, EINVAL, "flag provided but not defined: -%s", ret->name);
	return 0;
}

/* What was written goes to its member; a value that is still missing is the next word. */
static int store(struct parser *p, const struct written *written, struct err *e)
{
	struct written w = *written;
	void *base;

	if (!w.value && !kinds[w.row->kind].takes_value)
		w.value = "true";
	if (!w.value && p->next == p->words->n)
		return err_set(e, EINVAL, "flag needs an argument: -%s", w.name);
	if (!w.value)
		w.value = p->words->at[p->next++];
	if (w.row->use == OPTION_REFUSED)
		return err_set(e, EOPNOTSUPP, "flag -%s: %s", w.name, w.row->help);
	if (w.row->use == OPTION_IGNORED)
		return 0;
	base = w.row == &option_help ? (void *)&p->options : p->values;
	return kinds[w.row->kind].store(p, &w, (char *)base + w.row->member, e);
}

/* "-itp80:80": letters of flags, of which the last one may have a value. */
static int parse_bundle(struct parser *p, const char *word, struct err *e)
{
	for (const char *c = word + 1; *c; c++) {
		const char letter[2] = { *c, '\0' };
		struct written w = { .name = arena_strdup(p->arena, letter),
				     .row = option_find(p->table, letter) };

		if (!w.row)
			return err_set(e, EINVAL, "unknown flag '%c' in %s", *c, word);
		if (kinds[w.row->kind].takes_value && c[1])
			w.value = c + 1 + (c[1] == '=');
		TRY(store(p, &w, e));
		if (kinds[w.row->kind].takes_value)
			break;
	}
	return 0;
}

/* Whether a word that names no option as a whole can be read letter by letter. */
static bool is_bundle(const struct parser *p, const char *word)
{
	char name[64];

	if (!p->table->bundles || word[1] == '-')
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 1, "="), word + 1);
	return !option_find(p->table, name) && option_find(p->table, (char[]){ word[1], '\0' });
}

static int parse_option(struct parser *p, struct err *e)
{
	const char *word = p->words->at[p->next++];
	struct written w;

	if (is_bundle(p, word))
		return parse_bundle(p, word, e);
	TRY(read_written(p, word, &w, e));
	return store(p, &w, e);
}

static void *new_values(const struct option_table *table, struct arena *a)
{
	char *values = arena_alloc(a, table->size);
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(table, i)); i++)
		if (row->kind == OPTION_TRISTATE)
			*(int *)(void *)(values + row->member) = -1;
	return values;
}

int options_parse(const struct option_table *table, const struct strings *words, bool ordered,
		  struct arena *a, struct options *ret, struct err *e)
{
	struct parser p = { .table = table, .words = words, .arena = a };
	bool open = true; /* options may still come */

	p.values = new_values(table, a);
	p.options.values = p.values;
	p.options.args.at = arena_array(a, words->n, sizeof(*p.options.args.at));
	while (p.next < words->n) {
		const char *word = words->at[p.next];

		if (open && word[0] == '-' && word[1] == '-' && !word[2]) {
			open = false;
			p.next++;
		} else if (open && word[0] == '-' && word[1]) {
			TRY(parse_option(&p, e));
		} else {
			p.options.args.at[p.options.args.n++] = word;
			p.next++;
			open = open && !ordered;
		}
	}
	*ret = p.options;
	return 0;
}
