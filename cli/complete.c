#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/commands.h"

/* What the words before the cursor have come to. */
struct position {
	enum mode mode;
	const struct command *command;    /* NULL: not reached */
	const struct option_table *table; /* of the options that may come now; NULL: none */
	const struct option_row *wants;   /* the option whose value comes now */
	size_t args;                      /* arguments so far, from the command on */
	const char *root;
};

static void read_option(struct position *at, const char *word)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);
	const struct option_row *row = option_find(at->table, name);

	if (!*name)
		at->table = NULL;
	else if (row && option_takes_value(row))
		at->wants = row;
	else if (!at->command && strncmp(name, "root=", 5) == 0)
		at->root = name + 5;
}

static void read_argument(struct position *at, const char *word)
{
	if (at->args++ == 0 && command_find(at->mode, word, &at->command, NULL) == 0)
		at->table = at->command->options;
	else if (!at->command || at->command->ordered)
		at->table = NULL;
}

static void read_word(struct position *at, const char *word)
{
	if (at->wants) {
		if (!at->command && strcmp(at->wants->name, "root") == 0)
			at->root = word;
		at->wants = NULL;
	} else if (at->table && word[0] == '-' && word[1]) {
		read_option(at, word);
	} else {
		read_argument(at, word);
	}
}

static void add_candidate(struct completion *c, const char *word, size_t len, const char *what)
{
	if (len >= strlen(c->typed) && strncmp(word, c->typed, strlen(c->typed)) == 0)
		buf_printf(&c->lines, "%.*s\t%s\n", (int)len, word, what);
}

void completion_add(struct completion *c, const char *word, const char *what)
{
	add_candidate(c, word, strlen(word), what);
}

/* "text|json" */
static void add_choices(struct completion *c, const char *words)
{
	size_t len;

	for (const char *word = words; *word; word += len + (word[len] == '|')) {
		len = strcspn(word, "|");
		add_candidate(c, word, len, "");
	}
}

static void add_values(struct completion *c, const struct option_row *row)
{
	static const struct {
		const char *argument, *line;
	} directives[] = {
		{ "DIR", ":directory\n" },
		{ "FILE", ":file\n" },
		{ "SOCKET", ":file\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(directives); i++)
		if (strcmp(row->argument, directives[i].argument) == 0)
			buf_str(&c->lines, directives[i].line);
	c->containers = strncmp(row->argument, "CONTAINER", strlen("CONTAINER")) == 0;
	if (row->kind != OPTION_CHOICE)
		return;
	add_choices(c, row->argument);
}

static void add_options(struct completion *c, const struct option_table *table)
{
	const struct option_row *row;
	char word[64];

	for (size_t i = 0; (row = option_row(table, i)); i++) {
		if (row->use != OPTION_USED)
			continue;
		snprintf(word, sizeof(word), "--%s", row->name);
		completion_add(c, word, row->help);
		snprintf(word, sizeof(word), "-%c", row->letter);
		if (row->letter)
			completion_add(c, word, row->help);
	}
}

static void add_commands(struct completion *c, enum mode mode)
{
	const struct command *command;

	for (size_t i = 0; (command = command_at(mode, i)); i++)
		if (!command->hidden)
			completion_add(c, command->name, command->help);
}

/* What the command's next argument can be. */
static void add_arguments(struct completion *c, const struct position *at)
{
	if (at->args == 1 && at->command->run == cmd_help)
		add_commands(c, at->mode);
	if (at->args == 1 && at->command->verbs)
		add_choices(c, at->command->verbs);
	c->containers =
		at->args == 1 && (at->command->takes_container || at->command->finds_container);
}

void completion_plan(struct completion *ret, enum mode mode, const struct strings *words)
{
	struct position at = { .mode = mode, .table = &global_options };

	*ret = (struct completion){ .typed = words->n ? words->at[words->n - 1] : "" };
	for (size_t i = 0; i + 1 < words->n; i++)
		read_word(&at, words->at[i]);
	ret->root = at.root;
	if (at.wants)
		add_values(ret, at.wants);
	else if (at.table && ret->typed[0] == '-')
		add_options(ret, at.table);
	else if (at.args == 0)
		add_commands(ret, mode);
	else if (at.command)
		add_arguments(ret, &at);
}

void completion_done(struct completion *c)
{
	buf_done(&c->lines);
}
