/* The grammar of command lines, and the message for each wrong one. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/opt.h"
#include "cli/options.h"
#include "tests/unit/test_cli.h"

struct first_values {
	const char *text;
	bool flag;
};

struct values {
	struct first_values first;
	const char *choice;
	unsigned number;
	int tristate;
	struct strings strings;
	struct numbers numbers;
	struct opt_u16 u16;
	struct opt_u64 u64;
	struct opt_i64 i64, bytes;
	int64_t duration;
};

static const struct option_row first_rows[] = {
	{ "text", 't', OPTION_STRING, OPTION_USED, offsetof(struct first_values, text), "TEXT",
	  "" },
	{ "flag", 'f', OPTION_FLAG, OPTION_USED, offsetof(struct first_values, flag), NULL, "" },
};
static const struct option_table first_table = { first_rows, ARRAY_LEN(first_rows),
						 sizeof(struct first_values), NULL, false };

static const struct option_row rows[] = {
	{ "choice", 'c', OPTION_CHOICE, OPTION_USED, offsetof(struct values, choice), "table|json",
	  "" },
	{ "number", '\0', OPTION_UNSIGNED, OPTION_USED, offsetof(struct values, number), "N", "" },
	{ "tristate", '\0', OPTION_TRISTATE, OPTION_USED, offsetof(struct values, tristate), NULL,
	  "" },
	{ "env", 'e', OPTION_STRINGS, OPTION_USED, offsetof(struct values, strings), "A=B", "" },
	{ "gid", 'g', OPTION_NUMBERS, OPTION_USED, offsetof(struct values, numbers), "GID", "" },
	{ "u16", '\0', OPTION_U16, OPTION_USED, offsetof(struct values, u16), "N", "" },
	{ "u64", '\0', OPTION_U64, OPTION_USED, offsetof(struct values, u64), "N", "" },
	{ "i64", '\0', OPTION_I64, OPTION_USED, offsetof(struct values, i64), "N", "" },
	{ "bytes", '\0', OPTION_BYTES, OPTION_USED, offsetof(struct values, bytes), "N", "" },
	{ "span", '\0', OPTION_DURATION, OPTION_USED, offsetof(struct values, duration), "T", "" },
	{ "criu", '\0', OPTION_STRING, OPTION_IGNORED, 0, "FILE", "" },
	{ "old", '\0', OPTION_FLAG, OPTION_IGNORED, 0, NULL, "" },
	{ "later", '\0', OPTION_STRING, OPTION_REFUSED, 0, "X", "it is not there yet" },
};
static const struct option_table table = { rows, ARRAY_LEN(rows), sizeof(struct values),
					   &first_table, false };

/* The result as text: values that were given, help, then the arguments. */
static void render(struct buf *b, const struct options *o)
{
	const struct values *v = o->values;

	buf_clear(b);
	if (v->first.text)
		buf_printf(b, "text=%s ", v->first.text);
	if (v->first.flag)
		buf_str(b, "flag ");
	if (v->choice)
		buf_printf(b, "choice=%s ", v->choice);
	if (v->number)
		buf_printf(b, "number=%u ", v->number);
	if (v->tristate >= 0)
		buf_printf(b, "tristate=%d ", v->tristate);
	for (size_t i = 0; i < v->strings.n; i++)
		buf_printf(b, "env=%s ", v->strings.at[i]);
	for (size_t i = 0; i < v->numbers.n; i++)
		buf_printf(b, "gid=%u ", v->numbers.at[i]);
	if (v->u16.set)
		buf_printf(b, "u16=%u ", v->u16.value);
	if (v->u64.set)
		buf_printf(b, "u64=%llu ", (unsigned long long)v->u64.value);
	if (v->i64.set)
		buf_printf(b, "i64=%lld ", (long long)v->i64.value);
	if (v->bytes.set)
		buf_printf(b, "bytes=%lld ", (long long)v->bytes.value);
	if (v->duration)
		buf_printf(b, "span=%lld ", (long long)v->duration);
	if (o->help)
		buf_str(b, "help ");
	buf_char(b, ':');
	for (size_t i = 0; i < o->args.n; i++)
		buf_printf(b, " %s", o->args.at[i]);
}

static void check(const char *line, bool ordered, const char *expected)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf got = { 0 };
	struct strings words = split_words(&a, line);
	struct options options;
	struct err e = { 0 };

	if (options_parse(&table, &words, ordered, &a, &options, &e) == 0)
		render(&got, &options);
	else
		buf_str(&got, e.msg);
	cr_expect_str_eq(got.text, expected, "\"%s\": \"%s\", expected \"%s\"", line, got.text,
			 expected);
}

Test(cli_options, right)
{
	static const struct {
		const char *line, *expected;
	} cases[] = {
		{ "", ":" },
		{ "id", ": id" },
		{ "--text v", "text=v :" },
		{ "--text=v", "text=v :" },
		{ "-text v", "text=v :" },
		{ "-text=v", "text=v :" },
		{ "-t v", "text=v :" },
		{ "-t=v", "text=v :" },
		{ "--t v", "text=v :" },
		{ "--text=a=b", "text=a=b :" },
		{ "--text=", "text= :" },
		{ "--text --flag", "text=--flag :" },
		{ "--text -- id", "text=-- : id" },
		{ "--text a --text b", "text=b :" },
		{ "--u16 65535 --u64=0 --i64 -1 --bytes 1k --span 2s",
		  "u16=65535 u64=0 i64=-1 bytes=1024 span=2000000 :" },
		{ "--flag", "flag :" },
		{ "-f", "flag :" },
		{ "--flag id", "flag : id" },
		{ "--flag=true", "flag :" },
		{ "--flag=T", "flag :" },
		{ "--flag=1", "flag :" },
		{ "--flag=false", ":" },
		{ "--flag=0", ":" },
		{ "--flag --flag=F", ":" },
		{ "--choice json", "choice=json :" },
		{ "-c table", "choice=table :" },
		{ "--number 0", ":" },
		{ "--number 17", "number=17 :" },
		{ "--number 4294967295", "number=4294967295 :" },
		{ "--tristate", "tristate=1 :" },
		{ "--tristate=false", "tristate=0 :" },
		{ "-e A=1 --env B=2 -e=C=3", "env=A=1 env=B=2 env=C=3 :" },
		{ "-g 7 --gid=8", "gid=7 gid=8 :" },
		{ "--criu /x --old --old=true id", ": id" },
		{ "--help", "help :" },
		{ "-h id", "help : id" },
		{ "id --flag x --text v y", "text=v flag : id x y" },
		{ "id -- --flag", ": id --flag" },
		{ "-- -f", ": -f" },
		{ "-", ": -" },
		{ "id -", ": id -" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(cases[i].line, false, cases[i].expected);
}

Test(cli_options, ordered)
{
	static const struct {
		const char *line, *expected;
	} cases[] = {
		{ "-f id -f", "flag : id -f" },
		{ "id --text v", ": id --text v" },
		{ "id --bogus", ": id --bogus" },
		{ "id -- sh", ": id -- sh" },
		{ "-- id sh -c x", ": id sh -c x" },
		{ "id --help", ": id --help" },
		{ "- -f", ": - -f" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(cases[i].line, true, cases[i].expected);
}

Test(cli_options, wrong)
{
	static const struct {
		const char *line, *expected;
	} cases[] = {
		{ "--u16 65536", "invalid value \"65536\" for flag -u16: value out of range" },
		{ "--u64 -1", "invalid value \"-1\" for flag -u64: value out of range" },
		{ "--i64 1k", "invalid value \"1k\" for flag -i64: parse error" },
		{ "--bytes 1x", "invalid value \"1x\" for flag -bytes: parse error" },
		{ "--span 5", "invalid value \"5\" for flag -span: parse error" },
		{ "--bogus", "flag provided but not defined: -bogus" },
		{ "-bogus=1", "flag provided but not defined: -bogus" },
		{ "id --bogus", "flag provided but not defined: -bogus" },
		{ "-x", "flag provided but not defined: -x" },
		{ "-ft", "flag provided but not defined: -ft" },
		{ "-9", "flag provided but not defined: -9" },
		{ "--tex v", "flag provided but not defined: -tex" },
		{ "---flag", "bad flag syntax: ---flag" },
		{ "--=v", "bad flag syntax: --=v" },
		{ "-=v", "bad flag syntax: -=v" },
		{ "--text", "flag needs an argument: -text" },
		{ "-t", "flag needs an argument: -t" },
		{ "id -e", "flag needs an argument: -e" },
		{ "--flag=maybe", "invalid boolean value \"maybe\" for -flag: parse error" },
		{ "--flag=", "invalid boolean value \"\" for -flag: parse error" },
		{ "-f=2", "invalid boolean value \"2\" for -f: parse error" },
		{ "--tristate=x", "invalid boolean value \"x\" for -tristate: parse error" },
		{ "--choice xml", "invalid value \"xml\" for flag -choice: not one of table|json" },
		{ "-c=", "invalid value \"\" for flag -c: not one of table|json" },
		{ "-c tab", "invalid value \"tab\" for flag -c: not one of table|json" },
		{ "-c table|json",
		  "invalid value \"table|json\" for flag -c: not one of table|json" },
		{ "--number x", "invalid value \"x\" for flag -number: parse error" },
		{ "--number=", "invalid value \"\" for flag -number: parse error" },
		{ "--number -1", "invalid value \"-1\" for flag -number: parse error" },
		{ "--number +1", "invalid value \"+1\" for flag -number: parse error" },
		{ "--number 0x10", "invalid value \"0x10\" for flag -number: parse error" },
		{ "--number 1.0", "invalid value \"1.0\" for flag -number: parse error" },
		{ "--number 4294967296",
		  "invalid value \"4294967296\" for flag -number: value out of range" },
		{ "--number 99999999999999999999999999",
		  "invalid value \"99999999999999999999999999\" for flag -number: value out of "
		  "range" },
		{ "-g 1 -g 2x", "invalid value \"2x\" for flag -g: parse error" },
		{ "--criu", "flag needs an argument: -criu" },
		{ "--later x", "flag -later: it is not there yet" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(cases[i].line, false, cases[i].expected);
}

Test(cli_options, rows_in_order)
{
	static const char *const names[] = { "text", "flag", "choice", "number", "tristate", "env",
					     "gid",  "u16",  "u64",    "i64",    "bytes",    "span",
					     "criu", "old",  "later",  "help" };
	const struct option_row *row;
	size_t n = 0;

	for (; (row = option_row(&table, n)); n++)
		cr_expect_str_eq(row->name, names[n]);
	cr_expect_eq(n, ARRAY_LEN(names));
	cr_expect_null(option_find(&table, "t-x"));
	cr_expect_null(option_find(&table, ""));
}

Test(cli_options, numbers)
{
	uint32_t n = 0;

	cr_expect_eq(number_parse("255", 255, &n), 0);
	cr_expect_eq(n, 255);
	cr_expect_eq(number_parse("256", 255, &n), -ERANGE);
	cr_expect_eq(number_parse("007", 255, &n), 0);
	cr_expect_eq(n, 7);
	cr_expect_eq(number_parse("", 255, &n), -EINVAL);
	cr_expect_eq(number_parse(" 1", 255, &n), -EINVAL);
	cr_expect_eq(number_parse("999x", 255, &n), -EINVAL);
	cr_expect_eq(n, 7, "written on failure");
}
