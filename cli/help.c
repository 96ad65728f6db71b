#include "cli/help.h"

#include <string.h>

enum { WIDTH = 80, COMMAND_COLUMN = 14, OPTION_COLUMN = 30 };

/* How far the last line of `b` has come. */
static size_t column(const struct buf *b)
{
	size_t start = b->len;

	while (start > 0 && b->text[start - 1] != '\n')
		start--;
	return b->len - start;
}

static void pad_to(struct buf *b, size_t indent)
{
	while (column(b) < indent)
		buf_char(b, ' ');
}

/* Adds `text` word by word between `indent` and the right margin, and ends the line. */
static void add_wrapped(struct buf *b, size_t indent, const char *text)
{
	pad_to(b, indent);
	while (*text) {
		size_t len = strcspn(text, " ");

		if (column(b) > indent && column(b) + 1 + len > WIDTH) {
			buf_char(b, '\n');
			pad_to(b, indent);
		}
		if (column(b) > indent)
			buf_char(b, ' ');
		buf_add(b, text, len);
		text += len;
		text += strspn(text, " ");
	}
	buf_char(b, '\n');
}

static void add_option(struct buf *b, const struct option_row *row)
{
	if (row->letter)
		buf_printf(b, "  -%c, --%s", row->letter, row->name);
	else
		buf_printf(b, "      --%s", row->name);
	if (option_takes_value(row))
		buf_printf(b, " %s", row->argument);
	if (column(b) + 2 > OPTION_COLUMN)
		buf_char(b, '\n');
	add_wrapped(b, OPTION_COLUMN, row->help);
}

static void add_options(struct buf *b, const struct option_table *table)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(table, i)); i++)
		if (row->use != OPTION_REFUSED)
			add_option(b, row);
}

void help_overview(struct buf *b, const char *program, enum mode mode)
{
	const struct command *command;

	buf_printf(b, "Usage: %s [options] COMMAND [options] [arguments]\n\n", program);
	buf_str(b, "Runs containers by the OCI runtime specification.\n\nCommands:\n");
	for (size_t i = 0; (command = command_at(mode, i)); i++) {
		if (command->hidden)
			continue;
		buf_printf(b, "  %s", command->name);
		add_wrapped(b, COMMAND_COLUMN, command->help);
	}
	buf_str(b, "\nOptions:\n");
	add_options(b, &global_options);
	buf_printf(b, "\n\"%s help COMMAND\" shows what a command does and takes.\n", program);
}

void help_command(struct buf *b, const char *program, const struct command *command)
{
	buf_printf(b, "Usage: %s %s [options]%s%s\n\n", program, command->name,
		   *command->arguments ? " " : "", command->arguments);
	add_wrapped(b, 0, command->details);
	buf_str(b, "\nOptions:\n");
	add_options(b, command->options);
}
