/* Texts made from tables, and small readers of words. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/manual.h"
#include "cli/ps_table.h"
#include "cli/signals.h"
#include "tests/unit/test_cli.h"

static void check_width(const struct buf *text)
{
	size_t len;

	for (const char *line = text->text; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		cr_expect_leq(len, 80, "%.*s", (int)len, line);
		cr_expect(len == 0 || line[len - 1] != ' ', "%.*s", (int)len, line);
	}
}

Test(cli_text, help_fits_a_terminal)
{
	static const enum mode modes[] = { MODE_HULL, MODE_OCI };

	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		const struct command *command;
		auto_buf struct buf text = { 0 };

		help_overview(&text, "hull-oci", modes[m]);
		check_width(&text);
		for (size_t i = 0; (command = command_at(modes[m], i)); i++) {
			buf_clear(&text);
			help_command(&text, "hull-oci", command);
			check_width(&text);
		}
	}
}

Test(cli_text, help_of_a_command)
{
	auto_buf struct buf text = { 0 };
	const struct command *command = NULL;

	cr_assert_eq(command_find(MODE_OCI, "kill", &command, NULL), 0);
	help_command(&text, "hull-oci", command);
	cr_expect_str_eq(
		text.text,
		"Usage: hull-oci kill [options] ID [SIGNAL]\n\n"
		"Sends SIGNAL, a name or a number (default: what the annotation\n"
		"org.opencontainers.image.stopSignal says, or SIGTERM), to the first process of\n"
		"the container, or with --all to all that are in its cgroup or, where it has\n"
		"none, in the PID namespace that was made for it.\n\n"
		"Options:\n"
		"  -a, --all                   send the signal to all processes of the "
		"container\n"
		"  -h, --help                  show this help\n");
}

/* A command that nobody can find, or whose row is half filled, is a mistake. */
Test(cli_text, rows_of_commands_are_whole)
{
	static const enum mode modes[] = { MODE_HULL, MODE_OCI };
	const struct command *command, *found, *last;

	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		last = NULL;
		for (size_t i = 0; (command = command_at(modes[m], i)); i++, last = command) {
			cr_assert(command->name && command->arguments && command->help);
			cr_assert(command->details && command->options && command->run);
			cr_expect_leq(command->min_args, command->max_args, "%s", command->name);
			cr_expect_eq(command_find(modes[m], command->name, &found, NULL), 0);
			cr_expect_eq(found, command, "%s stands twice", command->name);
			cr_expect(!last || strcmp(last->name, command->name) < 0,
				  "%s is out of order", command->name);
		}
	}
}

Test(cli_text, manual_pages_follow_the_tables)
{
	const char *source = getenv("srcdir") ? getenv("srcdir") : ".";
	auto_fd int dirfd = open(source, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct manual_part *part;

	for (size_t i = 0; (part = manual_part_at(i)); i++) {
		auto_buf struct buf page = { 0 }, made = { 0 };
		struct err e = { 0 };

		cr_assert_eq(io_read_file(dirfd, part->path, 1 << 20, part->path, &page, &e), 0,
			     "%s", e.msg);
		cr_assert_eq(manual_update(part, page.text, &made, &e), 0, "%s", e.msg);
		cr_expect(strcmp(page.text, made.text) == 0,
			  "the %s of %s are not those of the tables: run cli/generate", part->name,
			  part->path);
	}
}

Test(cli_text, manual_page_without_markers)
{
	static const char *const pages[] = {
		"",
		".\\\" begin options: x",
		".\\\" begin options: x\n",
		".\\\" end options\n",
		".\\\" end options\n.\\\" begin options: x\n",
		".\\\" begin commands: x\n.\\\" end commands\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		auto_buf struct buf made = { 0 };
		struct err e = { 0 };

		cr_expect_eq(manual_update(manual_part_at(0), pages[i], &made, &e), -EINVAL);
		cr_expect_str_eq(e.msg, "man/hull.1 has no lines \"begin options: ...\" and \"end "
					"options\"");
	}
}

Test(cli_text, signals)
{
	static const struct {
		const char *text;
		int signal;
	} rows[] = {
		{ "KILL", SIGKILL },
		{ "SIGKILL", SIGKILL },
		{ "sigkill", SIGKILL },
		{ "kill", SIGKILL },
		{ "9", 9 },
		{ "15", 15 },
		{ "0", 0 },
		{ "64", 64 },
		{ "SIGWINCH", SIGWINCH },
		{ "CLD", SIGCHLD },
		{ "SIGIO", SIGPOLL },
		{ "STKFLT", SIGSTKFLT },
		{ "RTMIN", 34 },
		{ "SIGRTMIN+3", 37 },
		{ "rtmin+30", 64 },
		{ "RTMAX", 64 },
		{ "RTMAX-1", 63 },
	};
	static const char *const wrong[] = {
		"",        "SIG",      "BOGUS",   "65",       "-9",     "+9",      "9 ",   "SIG9",
		"RTMIN-1", "RTMIN+31", "RTMAX+1", "RTMAX-31", "RTMIN+", "RTMIN+x", "EXIT",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int signal = -1;

		cr_expect_eq(signal_parse(rows[i].text, &signal, NULL), 0, "%s", rows[i].text);
		cr_expect_eq(signal, rows[i].signal, "%s", rows[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char message[64];
		struct err e = { 0 };
		int signal = -1;

		snprintf(message, sizeof(message), "unknown signal \"%s\"", wrong[i]);
		cr_expect_eq(signal_parse(wrong[i], &signal, &e), -EINVAL, "%s", wrong[i]);
		cr_expect_str_eq(e.msg, message);
		cr_expect_eq(signal, -1);
	}
}

Test(cli_text, ps_lines)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "PID CMD\n1 a\n12 b\n120 c\n13 d\n", "PID CMD\n12 b\n13 d\n" },
		{ "UID   PID  PPID\nroot   12     1\n12     1    13\n",
		  "UID   PID  PPID\nroot   12     1\n" },
		{ " PID\n  12\n 13", " PID\n  12\n 13" },
		{ "PID\n", "PID\n" },
		{ "PID\n-12\n12x\n\n99999999999999999999\n", "PID\n" },
	};
	static const char *const wrong[] = { "", "\n", "CMD\n12\n", "PPID CMD\n12 a\n",
					     "\nPID\n12\n" };
	pid_t at[] = { 12, 13 };
	struct pid_list pids = { at, ARRAY_LEN(at) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf got = { 0 };

		cr_expect_eq(ps_table_filter(rows[i].text, &pids, &got, NULL), 0);
		cr_expect_str_eq(got.text, rows[i].expected);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		auto_buf struct buf got = { 0 };
		struct err e = { 0 };

		cr_expect_eq(ps_table_filter(wrong[i], &pids, &got, &e), -EINVAL);
		cr_expect_str_eq(e.msg, "couldn't find PID field in ps output");
	}
}

Test(cli_text, ps_that_fails)
{
	const char *options[] = { "-o", "nonsense" };
	struct strings list = { options, 2 };
	struct pid_list pids = { 0 };
	auto_buf struct buf got = { 0 };
	struct err e = { 0 };

	cr_expect_eq(ps_table(&list, &pids, &got, &e), -ECHILD);
	cr_expect_eq(strncmp(e.msg, "ps: exit status 1: error: unknown user-defined format", 53), 0,
		     "%s", e.msg);
}

/* First words of the candidates, "+ids" where containers are asked for. */
static void complete(const char *line, struct buf *got)
{
	auto_arena struct arena a = { 0 };
	auto_completion struct completion c = { 0 };
	struct strings words = split_words(&a, line);
	size_t len;

	completion_plan(&c, MODE_HULL, &words);
	for (const char *at = c.lines.text; at && *at; at += len + (at[len] == '\n')) {
		len = strcspn(at, "\n");
		buf_printf(got, "%.*s ", (int)strcspn(at, "\t\n"), at);
	}
	buf_str(got, c.containers ? "+ids" : "");
	if (c.root)
		buf_printf(got, " below %s", c.root);
}

Test(cli_text, completions)
{
	static const struct {
		const char *line, *expected;
	} rows[] = {
		{ "s", "save spec start state stats stop " },
		{ "bogus", "" },
		{ "--log-", "--log-format --log-level " },
		{ "-", "--root --data-root --log --log-format --log-level --debug --cgroup-manager "
		       "--isolation "
		       "--systemd-cgroup --version -v --help -h " },
		{ "--log-format ''", "text json " },
		{ "--log-format j", "json " },
		{ "--log ''", ":file " },
		{ "--root ''", ":directory " },
		{ "--root /r sta", "start state stats  below /r" },
		{ "--debug sta", "start state stats " },
		{ "state ''", "+ids" },
		{ "--root /r state ''", "+ids below /r" },
		{ "--root=/r state x", "+ids below /r" },
		{ "-root /r state x", "+ids below /r" },
		{ "state ID ''", "" },
		{ "create ''", "" },
		{ "create --bundle ''", ":directory " },
		{ "create -b ''", ":directory " },
		{ "create -b /b --p", "--pid-file --preserve-fds --pidfd-socket " },
		{ "create --no-", "--no-pivot --no-new-keyring " },
		{ "run --de", "--detach --detach-keys --device --device-cgroup-rule " },
		{ "run --pid", "--pid-file --pidfd-socket --pids-limit --pid " },
		{ "list -f ''", "table json " },
		{ "list --format t", "table " },
		{ "exec --env ''", "" },
		{ "exec --tty ''", "+ids" },
		{ "exec ID --", "" },
		{ "delete -- --", "+ids" },
		{ "delete --f", "--force " },
		{ "delete ID --f", "--force " },
		{ "checkpoint ''", "+ids" },
		{ "checkpoint --l", "--lazy-pages --link-remap --leave-running " },
		{ "restore --i", "--image-path --ignore-static-ip --ignore-static-mac --import " },
		{ "help st", "start state stats stop " },
		{ "network dis", "disconnect " },
		{ "volume ''", "create ls inspect rm prune " },
		{ "network rm ''", "" },
		{ "bogus ''", "" },
		{ "bogus --", "" },
		{ "__comp", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf got = { 0 };

		complete(rows[i].line, &got);
		cr_expect_str_eq(got.text, rows[i].expected, "%s: \"%s\", expected \"%s\"",
				 rows[i].line, got.text, rows[i].expected);
	}
}

Test(cli_text, nothing_to_complete)
{
	auto_completion struct completion c = { 0 };
	struct strings none = { 0 };

	completion_plan(&c, MODE_OCI, &none);
	cr_expect_not_null(c.lines.text);
	cr_expect_null(strstr(c.lines.text, "version"));
}
