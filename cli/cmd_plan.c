#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "cli/cmd.h"
#include "runtime/operations.h"

struct plan_values {
	struct create_request request;
	const char *format;
};

static const struct option_row rows[] = {
	{ .name = "bundle",
	  .letter = 'b',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct plan_values, request.bundle),
	  .argument = "DIR",
	  .help = "the bundle (default: the current directory)" },
	{ .name = "format",
	  .letter = 'f',
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct plan_values, format),
	  .argument = "text|json",
	  .help = "how it is printed (default: text)" },
	{ .name = "no-pivot",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct plan_values, request.no_pivot),
	  .help = "as for create" },
	{ .name = "no-new-keyring",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct plan_values, request.no_new_keyring),
	  .help = "as for create" },
};

const struct option_table plan_options = { rows, ARRAY_LEN(rows), sizeof(struct plan_values), NULL,
					   false };

static void print_text(const struct operations *ops)
{
	const char *when = "";

	for (size_t i = 0; i < ops->list.n; i++) {
		const struct operation *op = &ops->list.at[i];

		if (strcmp(op->when, when) != 0)
			printf("%s%s:\n", i ? "\n" : "", op->when);
		when = op->when;
		for (size_t j = 0; j < op->what.n; j++)
			printf("  %-4s  %-21s  %s\n", j ? "" : op->by, j ? "" : op->step,
			       op->what.at[j]);
	}
}

static void print_json(const struct operations *ops)
{
	auto_buf struct buf text = { 0 };
	struct json_writer w = json_writer(&text, "    ");

	json_write_object(&w, NULL);
	json_write_string(&w, "id", ops->id);
	json_write_string(&w, "bundle", ops->bundle);
	json_write_string(&w, "rootfs", ops->rootfs);
	json_write_strings(&w, "warnings", &ops->warnings);
	json_write_array(&w, "operations");
	for (size_t i = 0; i < ops->list.n; i++) {
		const struct operation *op = &ops->list.at[i];

		json_write_object(&w, NULL);
		json_write_string(&w, "by", op->by);
		json_write_string(&w, "when", op->when);
		json_write_string(&w, "step", op->step);
		json_write_strings(&w, "what", &op->what);
		json_write_end(&w);
	}
	json_write_end(&w);
	json_write_end(&w);
	puts(text.text);
}

int cmd_plan(const struct call *call, struct err *e)
{
	const struct plan_values *values = call->options.values;
	struct create_request req = values->request;
	struct operations ops;

	req.id = call->options.args.n ? call->options.args.at[0] : "ID";
	if (!req.bundle)
		req.bundle = ".";
	TRY(container_plan(&call->runtime, &req, call->arena, &ops, e));
	if (choice_is(values->format, "json"))
		print_json(&ops);
	else
		print_text(&ops);
	return 0;
}
