#include <stddef.h>
#include <stdio.h>

#include "cli/cmd.h"
#include "cli/show.h"

struct list_values {
	const char *format;
	bool quiet;
};

static const struct option_row rows[] = {
	{ .name = "format",
	  .letter = 'f',
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct list_values, format),
	  .argument = "table|json",
	  .help = "print a table or JSON (default: table)" },
	{ .name = "quiet",
	  .letter = 'q',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct list_values, quiet),
	  .help = "print ids only, one a line" },
};

const struct option_table list_options = { rows, ARRAY_LEN(rows), sizeof(struct list_values), NULL,
					   false };

#define auto_state_list __attribute__((cleanup(state_list_done)))

int list_containers(const struct runtime *rt, const char *format, bool quiet, struct err *e)
{
	auto_state_list struct state_list list = { 0 };
	auto_buf struct buf text = { 0 };

	TRY(container_list(rt, &list, e));
	buf_str(&text, "");
	if (quiet)
		for (size_t i = 0; i < list.n; i++)
			buf_printf(&text, "%s\n", list.at[i].id);
	else if (choice_is(format, "json"))
		show_list(&text, &list);
	else
		show_table(&text, &list);
	fputs(text.text, stdout);
	return 0;
}

int cmd_list(const struct call *call, struct err *e)
{
	const struct list_values *values = call->options.values;

	return list_containers(&call->runtime, values->format, values->quiet, e);
}
