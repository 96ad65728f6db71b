#include "cli/manual.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

/*
 * Adds text as roff. The dashes of options become minus signs, which can be
 * searched and copied; those inside words stay hyphens.
 */
static void add_roff(struct buf *b, const char *text)
{
	bool in_option = false;

	for (const char *c = text; *c; c++) {
		bool starts_word = c == text || c[-1] == ' ' || c[-1] == '(';

		in_option = *c != ' ' && (in_option || (starts_word && *c == '-'));
		if (*c == '\\')
			buf_str(b, "\\e");
		else if (*c == '-' && in_option)
			buf_str(b, "\\-");
		else
			buf_char(b, *c);
	}
}

/* Help texts are sentences without their ends. */
static void add_sentence(struct buf *b, const char *text)
{
	size_t start = b->len;

	add_roff(b, text);
	b->text[start] = (char)toupper((unsigned char)b->text[start]);
	buf_str(b, ".\n");
}

static void add_option(struct buf *b, const struct option_row *row)
{
	char name[64];

	buf_str(b, ".TP\n");
	if (row->letter)
		buf_printf(b, "\\fB\\-%c\\fR, ", row->letter);
	snprintf(name, sizeof(name), "--%s", row->name);
	buf_str(b, "\\fB");
	add_roff(b, name);
	buf_str(b, "\\fR");
	if (option_takes_value(row))
		buf_printf(b, " \\fI%s\\fR", row->argument);
	buf_char(b, '\n');
	add_sentence(b, row->help);
}

/* --help is the same everywhere: it stands with the global options only. */
static void add_options(struct buf *b, const struct option_table *table)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(table, i)); i++)
		if (row->use != OPTION_REFUSED && (row != &option_help || table == &global_options))
			add_option(b, row);
}

static void write_options(struct buf *b, enum mode mode)
{
	(void)mode;
	add_options(b, &global_options);
}

static void write_commands(struct buf *b, enum mode mode)
{
	const struct command *command;

	for (size_t i = 0; (command = command_at(mode, i)); i++) {
		if (command->hidden)
			continue;
		buf_printf(b, ".SS %s", command->name);
		if (command->options->n)
			buf_str(b, " \\fR[\\fIoptions\\fR]");
		buf_printf(b, "%s\\fI", *command->arguments ? " " : "");
		add_roff(b, command->arguments);
		buf_str(b, "\\fR\n");
		add_roff(b, command->details);
		buf_char(b, '\n');
		add_options(b, command->options);
	}
}

static const struct manual_part parts[] = {
	{ "man/hull.1", "options", MODE_HULL, write_options },
	{ "man/hull.1", "commands", MODE_HULL, write_commands },
	{ "man/hull-oci.8", "options", MODE_OCI, write_options },
	{ "man/hull-oci.8", "commands", MODE_OCI, write_commands },
};

const struct manual_part *manual_part_at(size_t i)
{
	return i < ARRAY_LEN(parts) ? &parts[i] : NULL;
}

int manual_update(const struct manual_part *part, const char *text, struct buf *ret, struct err *e)
{
	char marker[64];
	const char *begin, *end = NULL;

	snprintf(marker, sizeof(marker), ".\\\" begin %s: ", part->name);
	begin = strstr(text, marker);
	if (begin)
		begin = strchr(begin, '\n');
	snprintf(marker, sizeof(marker), "\n.\\\" end %s\n", part->name);
	if (begin)
		end = strstr(begin, marker);
	if (!end)
		return err_set(e, EINVAL, "%s has no lines \"begin %s: ...\" and \"end %s\"",
			       part->path, part->name, part->name);
	buf_add(ret, text, (size_t)(begin + 1 - text));
	part->write(ret, part->mode);
	buf_str(ret, end + 1);
	return 0;
}
