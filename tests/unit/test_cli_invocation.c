/*
 * Whole command lines: those that engines send, as recorded (docs/clients), and
 * wrong ones. The result is rendered by the option tables themselves.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "base/opt.h"
#include "cli/invocation.h"
#include "tests/unit/test_cli.h"

static void render_value(struct buf *b, const struct option_row *row, const void *member)
{
	const struct strings *strings = member;
	const struct numbers *numbers = member;

	switch (row->kind) {
	case OPTION_FLAG:
		if (*(const bool *)member)
			buf_printf(b, " %s", row->name);
		break;
	case OPTION_TRISTATE:
		if (*(const int *)member >= 0)
			buf_printf(b, " %s=%d", row->name, *(const int *)member);
		break;
	case OPTION_STRING:
	case OPTION_CHOICE:
		if (*(const char *const *)member)
			buf_printf(b, " %s=%s", row->name, *(const char *const *)member);
		break;
	case OPTION_UNSIGNED:
		if (*(const unsigned *)member)
			buf_printf(b, " %s=%u", row->name, *(const unsigned *)member);
		break;
	case OPTION_U16:
		if (((const struct opt_u16 *)member)->set)
			buf_printf(b, " %s=%u", row->name, ((const struct opt_u16 *)member)->value);
		break;
	case OPTION_U64:
		if (((const struct opt_u64 *)member)->set)
			buf_printf(b, " %s=%llu", row->name,
				   (unsigned long long)((const struct opt_u64 *)member)->value);
		break;
	case OPTION_I64:
	case OPTION_BYTES:
		if (((const struct opt_i64 *)member)->set)
			buf_printf(b, " %s=%lld", row->name,
				   (long long)((const struct opt_i64 *)member)->value);
		break;
	case OPTION_DURATION:
		if (*(const int64_t *)member)
			buf_printf(b, " %s=%lld", row->name, (long long)*(const int64_t *)member);
		break;
	case OPTION_STRINGS:
		for (size_t i = 0; i < strings->n; i++)
			buf_printf(b, " %s=%s", row->name, strings->at[i]);
		break;
	case OPTION_NUMBERS:
		for (size_t i = 0; i < numbers->n; i++)
			buf_printf(b, " %s=%u", row->name, numbers->at[i]);
		break;
	}
}

static void render_values(struct buf *b, const struct option_table *table, const void *values)
{
	const struct option_row *row;

	for (size_t i = 0; values && (row = option_row(table, i)) != &option_help; i++)
		if (row->use == OPTION_USED)
			render_value(b, row, (const char *)values + row->member);
}

/* "GLOBALS; COMMAND OPTIONS: ARGUMENTS" */
static void render(struct buf *b, const struct invocation *in)
{
	render_values(b, &global_options, in->globals);
	buf_printf(b, "; %s", in->command->name);
	render_values(b, in->command->options, in->options.values);
	buf_char(b, ':');
	for (size_t i = 0; i < in->options.args.n; i++)
		buf_printf(b, " %s", in->options.args.at[i]);
}

static void check_right(const char *line, const char *expected)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf got = { 0 };
	struct strings words = split_words(&a, line);
	struct invocation in;
	struct err e = { 0 };

	if (invocation_parse(&in, &words, &a, &e) == 0)
		render(&got, &in);
	else
		buf_str(&got, e.msg);
	cr_expect_str_eq(got.text, expected, "%s\n\tgives    \"%s\"\n\texpected \"%s\"", line,
			 got.text, expected);
}

struct row {
	const char *line, *expected;
};

Test(cli_invocation, conmon)
{
	static const struct row rows[] = {
		{ "/usr/bin/hull-oci --systemd-cgroup create --bundle /b --pid-file /p --no-pivot "
		  "--no-new-keyring --preserve-fds 2 --console-socket /s ID",
		  " systemd-cgroup; create bundle=/b console-socket=/s pid-file=/p no-pivot "
		  "no-new-keyring preserve-fds=2: ID" },
		{ "hull --log-format=json --log /l --cgroup-manager disabled create --bundle /b "
		  "--pid-file /p ID",
		  " log=/l log-format=json cgroup-manager=disabled; create bundle=/b pid-file=/p: "
		  "ID" },
		{ "hull --log-format=json --log /l exec --pid-file /p --process /f --detach --tty "
		  "--preserve-fds 1 --console-socket /s ID",
		  " log=/l log-format=json; exec process=/f detach pid-file=/p tty "
		  "console-socket=/s preserve-fds=1: ID" },
		{ "hull start ID", "; start: ID" },
		{ "hull kill ID 15", "; kill: ID 15" },
		{ "hull kill --all ID 9", "; kill all: ID 9" },
		{ "hull delete --force ID", "; delete force: ID" },
		{ "hull state ID", "; state: ID" },
		{ "hull --version", " version; version:" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_right(rows[i].line, rows[i].expected);
}

Test(cli_invocation, buildah)
{
	static const struct row rows[] = {
		{ "runc --root=/r create --bundle /b --pid-file /p --no-new-keyring ID",
		  " root=/r; create bundle=/b pid-file=/p no-new-keyring: ID" },
		{ "runc start ID", "; start: ID" },
		{ "runc state ID", "; state: ID" },
		{ "runc kill ID SIGKILL", "; kill: ID SIGKILL" },
		{ "runc delete ID", "; delete: ID" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_right(rows[i].line, rows[i].expected);
}

Test(cli_invocation, containerd_and_docker)
{
#define SHIM "hull-oci --root /r/ns --log /b/log.json --log-format json "
#define READ " root=/r/ns log=/b/log.json log-format=json; "
	static const struct row rows[] = {
		{ SHIM "create --bundle /b --pid-file /b/init.pid --console-socket /s ID",
		  READ "create bundle=/b console-socket=/s pid-file=/b/init.pid: ID" },
		{ SHIM "--criu /c --systemd-cgroup create --bundle /b --pid-file /p --no-pivot ID",
		  " root=/r/ns log=/b/log.json log-format=json systemd-cgroup; create bundle=/b "
		  "pid-file=/p no-pivot: ID" },
		{ "hull-oci --root /r --debug --log /l --log-format json start ID",
		  " root=/r log=/l log-format=json debug; start: ID" },
		{ SHIM "exec --process /f --console-socket /s --detach --pid-file /p ID",
		  READ "exec process=/f detach pid-file=/p console-socket=/s: ID" },
		{ SHIM "delete ID", READ "delete: ID" },
		{ SHIM "delete --force ID", READ "delete force: ID" },
		{ SHIM "kill ID 15", READ "kill: ID 15" },
		{ SHIM "kill --all ID 9", READ "kill all: ID 9" },
		{ SHIM "ps --format json ID", READ "ps format=json: ID" },
		{ SHIM "ps --format table ID -o pid,cmd", READ "ps format=table: ID -o pid,cmd" },
		{ SHIM "run --bundle /b --detach --no-subreaper ID",
		  READ "run bundle=/b detach: ID" },
		{ SHIM "run --bundle /b -no-subreaper ID", READ "run bundle=/b: ID" },
		{ SHIM "list --format=json", READ "list format=json:" },
		{ SHIM "--rootless=true state ID", READ "state: ID" },
		{ "hull-oci features", "; features:" },
		{ "hull-oci --version", " version; version:" },
		{ "hull-oci -v", " version; version:" },
	};
#undef SHIM
#undef READ

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_right(rows[i].line, rows[i].expected);
}

Test(cli_invocation, crio)
{
	static const struct row rows[] = {
		{ "hull-oci --root=/r --systemd-cgroup create --bundle /b --pid-file /p ID",
		  " root=/r systemd-cgroup; create bundle=/b pid-file=/p: ID" },
		{ "hull-oci --root /r --systemd-cgroup start ID",
		  " root=/r systemd-cgroup; start: ID" },
		{ "hull-oci --root /r state ID", " root=/r; state: ID" },
		{ "hull-oci --root /r delete --force ID", " root=/r; delete force: ID" },
		{ "hull-oci --root /r kill ID KILL", " root=/r; kill: ID KILL" },
		{ "hull-oci --root /r exec --process /f ID", " root=/r; exec process=/f: ID" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_right(rows[i].line, rows[i].expected);
}

Test(cli_invocation, people)
{
	static const struct row rows[] = {
		{ "hull", "; help:" },
		{ "hull --help", "; help:" },
		{ "hull -h", "; help:" },
		{ "hull --help bogus", "; help:" },
		{ "hull help", "; help:" },
		{ "hull help exec", "; help: exec" },
		{ "hull exec --help", "; help: exec" },
		{ "hull exec -h -t", "; help: exec" },
		{ "hull state --help", "; help: state" },
		{ "hull version", "; version:" },
		{ "hull ps", "; ps:" },
		{ "hull ps ID aux", "; ps: ID aux" },
		{ "hull run -b /b ID", "; run bundle=/b: ID" },
		{ "hull run debian sh -c x", "; run: debian sh -c x" },
		{ "hull delete ID -f", "; delete force: ID" },
		{ "hull exec -u 1:2 -e A=1 -e B=2 -g 7 -g 8 -c CAP_CHOWN -t ID ls -l --all",
		  "; exec tty env=A=1 env=B=2 user=1:2 additional-gids=7 additional-gids=8 "
		  "cap=CAP_CHOWN: ID ls -l --all" },
		{ "hull exec --no-new-privs ID sh", "; exec no-new-privs=1: ID sh" },
		{ "hull exec --no-new-privs=false ID sh", "; exec no-new-privs=0: ID sh" },
		{ "hull exec --cwd /x --apparmor p --process-label l --ignore-paused ID sh",
		  "; exec cwd=/x apparmor=p process-label=l ignore-paused workdir=/x: ID sh" },
		{ "hull --log-level trace list -q", " log-level=trace; list quiet:" },
		{ "hull spec -b /b --rootless", "; spec bundle=/b rootless:" },
		{ "hull ''", "; help:" },
		{ "hull -- list", "; list:" },
		{ "anything list", "; list:" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_right(rows[i].line, rows[i].expected);
}

Test(cli_invocation, wrong)
{
	static const struct {
		const char *line, *message;
		int status;
	} rows[] = {
		{ "hull bogus", "No help topic for 'bogus'", 3 },
		{ "hull -", "No help topic for '-'", 3 },
		{ "hull-oci version", "No help topic for 'version'", 3 },
		{ "hull freeze ID", "No help topic for 'freeze'", 3 },
		{ "hull restore --lsm-mount-context", "flag needs an argument: -lsm-mount-context",
		  1 },
		{ "hull checkpoint --status-fd x id",
		  "invalid value \"x\" for flag -status-fd: parse error", 1 },
		{ "hull --bogus list", "flag provided but not defined: -bogus", 1 },
		{ "hull --root", "flag needs an argument: -root", 1 },
		{ "hull --log-format xml list",
		  "invalid value \"xml\" for flag -log-format: not one of text|json", 1 },
		{ "hull --log-level loud list",
		  "invalid value \"loud\" for flag -log-level: not one of "
		  "error|warn|warning|info|debug|trace",
		  1 },
		{ "hull --cgroup-manager v1 list",
		  "invalid value \"v1\" for flag -cgroup-manager: not one of "
		  "cgroupfs|systemd|disabled",
		  1 },
		{ "hull --debug=maybe list",
		  "invalid boolean value \"maybe\" for -debug: parse error", 1 },
		{ "hull create", "\"create\" requires exactly 1 argument(s)", 1 },
		{ "hull create a b", "\"create\" requires exactly 1 argument(s)", 1 },
		{ "hull create --bundle", "flag needs an argument: -bundle", 1 },
		{ "hull create --preserve-fds x ID",
		  "invalid value \"x\" for flag -preserve-fds: parse error", 1 },
		{ "hull create --pidfd-socket", "flag needs an argument: -pidfd-socket", 1 },
		{ "hull create --detach ID", "flag provided but not defined: -detach", 1 },
		{ "hull-oci run", "\"run\" requires exactly 1 argument(s)", 1 },
		{ "hull-oci run ID sh", "\"run\" requires exactly 1 argument(s)", 1 },
		{ "hull run", "\"run\" requires a minimum of 1 argument(s)", 1 },
		{ "hull restart", "\"restart\" requires a minimum of 1 argument(s)", 1 },
		{ "hull state a b", "\"state\" requires exactly 1 argument(s)", 1 },
		{ "hull kill", "\"kill\" requires a minimum of 1 argument(s)", 1 },
		{ "hull-oci kill a b c", "\"kill\" requires a maximum of 2 argument(s)", 1 },
		{ "hull kill ID -9", "flag provided but not defined: -9", 1 },
		{ "hull delete", "\"delete\" requires exactly 1 argument(s)", 1 },
		{ "hull delete --force=maybe ID",
		  "invalid boolean value \"maybe\" for -force: parse error", 1 },
		{ "hull exec", "\"exec\" requires a minimum of 1 argument(s)", 1 },
		{ "hull exec --process=f", "\"exec\" requires a minimum of 1 argument(s)", 1 },
		{ "hull exec -e", "flag needs an argument: -e", 1 },
		{ "hull exec --force ID sh", "flag provided but not defined: -force", 1 },
		{ "hull exec -g x ID sh", "invalid value \"x\" for flag -g: parse error", 1 },
		{ "hull exec --cgroup", "flag needs an argument: -cgroup", 1 },
		{ "hull list ID", "\"list\" requires exactly 0 argument(s)", 1 },
		{ "hull list -f xml", "invalid value \"xml\" for flag -f: not one of table|json",
		  1 },
		{ "hull-oci ps", "\"ps\" requires a minimum of 1 argument(s)", 1 },
		{ "hull-oci ps --format xml ID",
		  "invalid value \"xml\" for flag -format: not one of table|json", 1 },
		{ "hull spec ID", "\"spec\" requires exactly 0 argument(s)", 1 },
		{ "hull features ID", "\"features\" requires exactly 0 argument(s)", 1 },
		{ "hull help a b", "\"help\" requires a maximum of 1 argument(s)", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct strings words = split_words(&a, rows[i].line);
		struct invocation in;
		struct err e = { 0 };

		cr_expect_lt(invocation_parse(&in, &words, &a, &e), 0, "%s", rows[i].line);
		cr_expect_str_eq(e.msg, rows[i].message, "%s\n\tgives    \"%s\"\n\texpected \"%s\"",
				 rows[i].line, e.msg, rows[i].message);
		cr_expect_eq(in.failure_status, rows[i].status, "%s", rows[i].line);
	}
}

/* What was read before a mistake still says where to report it. */
Test(cli_invocation, log_of_a_failure)
{
	auto_arena struct arena a = { 0 };
	struct strings words = split_words(&a, "hull-oci --log /l --log-format json create --x ID");
	struct invocation in;
	struct log_settings log;

	cr_assert_lt(invocation_parse(&in, &words, &a, NULL), 0);
	log = globals_log(in.globals, in.personality);
	cr_expect_str_eq(log.path, "/l");
	cr_expect_eq(log.format, LOG_FORMAT_JSON);
	cr_expect_eq(log.level, LOG_LEVEL_ERROR);
}

Test(cli_invocation, failure_status_of_the_command)
{
	static const struct {
		const char *line;
		int status;
	} rows[] = {
		{ "hull exec ID sh", 255 },
		{ "hull start ID", 1 },
		{ "hull help bogus", 3 },
		{ "hull exec --help", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct strings words = split_words(&a, rows[i].line);
		struct invocation in;

		cr_assert_eq(invocation_parse(&in, &words, &a, NULL), 0);
		cr_expect_eq(in.failure_status, rows[i].status, "%s", rows[i].line);
	}
}

Test(cli_invocation, without_argv)
{
	auto_arena struct arena a = { 0 };
	struct strings words = { 0 };
	struct invocation in;

	cr_assert_eq(invocation_parse(&in, &words, &a, NULL), 0);
	cr_expect_str_eq(in.program, "hull");
	cr_expect_str_eq(in.command->name, "help");
}
