/*
 * options.h - a command line, read by a table.
 *
 * The grammar is the one that engines speak, that of Go's flag package:
 *
 *	--name VALUE   --name=VALUE   -name VALUE   -name=VALUE   -n VALUE
 *	--flag         --flag=true    --flag=false  --   (ends the options)
 *
 * One dash means the same as two, letters are bundled only where the table says
 * so, and of several values the last one counts unless the option is a list. Every table also
 * has --help. The messages are runc's, word by word: engines search them.
 */
#ifndef HULL_CLI_OPTIONS_H
#define HULL_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"

/* What the option's member is, and how its value is read. */
enum option_kind {
	OPTION_FLAG,     /* bool; the value may be left out */
	OPTION_TRISTATE, /* int: -1 unless given, else as a flag */
	OPTION_STRING,   /* const char *; NULL unless given */
	OPTION_CHOICE,   /* the same; one of the words of `argument`, "table|json" */
	OPTION_UNSIGNED, /* unsigned */
	OPTION_U16,      /* struct opt_u16 */
	OPTION_U64,      /* struct opt_u64 */
	OPTION_I64,      /* struct opt_i64 */
	OPTION_BYTES,    /* the same, in the notation of bytes_parse() */
	OPTION_DURATION, /* int64_t: microseconds, 0 unless given */
	OPTION_STRINGS,  /* struct strings: one more with each use */
	OPTION_NUMBERS,  /* struct numbers: one more with each use */
};

struct numbers {
	uint32_t *at;
	size_t n;
};

enum option_use {
	OPTION_USED,
	OPTION_IGNORED, /* read and forgotten: callers pass it, here it means nothing */
	OPTION_REFUSED, /* known, but not there yet: `help` says what is missing */
};

struct option_row {
	const char *name;
	char letter; /* '\0': none */
	enum option_kind kind;
	enum option_use use;
	size_t member;        /* its offset in the command's struct */
	const char *argument; /* what the value is: "DIR"; NULL for flags */
	const char *help;     /* one sentence without its full stop */
};

struct option_table {
	const struct option_row *rows;
	size_t n;
	size_t size;                     /* of the command's struct */
	const struct option_table *base; /* its rows come first, its struct is our first member */
	bool bundles; /* for people: "-it" is "-i -t" and "-p80:80" is "-p 80:80" */
};

extern const struct option_row option_help;

/* The i-th row, counted from the base's first one and ended by --help; NULL after it. */
const struct option_row *option_row(const struct option_table *table, size_t i);
/* By its name or letter, without dashes; NULL if there is none. */
const struct option_row *option_find(const struct option_table *table, const char *name);
bool option_takes_value(const struct option_row *row);

struct options {
	const void *values;  /* the command's struct */
	struct strings args; /* what was no option */
	bool help;           /* --help was given */
};

/*
 * Reads `words`. With `ordered` the first word that is no option ends them;
 * else they may stand anywhere. All memory is the arena's, or that of the words.
 */
int options_parse(const struct option_table *table, const struct strings *words, bool ordered,
		  struct arena *a, struct options *ret, struct err *e) MUST_CHECK;

/* Whether `values` has another value for it than when it is not written. */
bool option_given(const struct option_row *row, const void *values);

/* Whether the choice that was made, NULL for none, is this word. */
bool choice_is(const char *choice, const char *word);

/* A number as people write it: digits and nothing else. -EINVAL, or -ERANGE above `max`. */
int number_parse(const char *text, uint32_t max, uint32_t *ret) MUST_CHECK;

#endif
