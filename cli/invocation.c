#include "cli/invocation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static struct strings without_first(const struct strings *words)
{
	return words->n ? (struct strings){ words->at + 1, words->n - 1 } : *words;
}

static int check_count(const struct command *command, size_t n, struct err *e)
{
	size_t min = command->min_args, max = command->max_args;

	if (n >= min && n <= max)
		return 0;
	if (min == max)
		return err_set(e, EINVAL, "\"%s\" requires exactly %zu argument(s)", command->name,
			       min);
	return err_set(e, EINVAL, "\"%s\" requires a %s of %zu argument(s)", command->name,
		       n < min ? "minimum" : "maximum", n < min ? min : max);
}

/* Turns what was read into "help WORDS" or "version". */
static int redirect(struct invocation *ret, const char *command, struct strings words,
		    struct err *e)
{
	ret->options = (struct options){ .args = words };
	return command_find(MODE_HULL, command, &ret->command, e);
}

static int parse_command(struct invocation *ret, const struct strings *words, struct arena *a,
			 struct err *e)
{
	const struct strings rest = without_first(words);

	ret->failure_status = STATUS_NO_COMMAND;
	TRY(command_find(ret->personality->mode, words->at[0], &ret->command, e));
	ret->failure_status = EXIT_FAILURE;
	TRY(options_parse(ret->command->options, &rest, ret->command->ordered, a, &ret->options,
			  e));
	if (ret->options.help)
		return redirect(ret, "help", (struct strings){ words->at, 1 }, e);
	TRY(check_count(ret->command, ret->options.args.n, e));
	if (ret->command->failure_status)
		ret->failure_status = ret->command->failure_status;
	return 0;
}

int invocation_parse(struct invocation *ret, const struct strings *argv, struct arena *a,
		     struct err *e)
{
	static const struct globals no_globals;
	const struct strings none = { 0 };
	const struct strings words = without_first(argv);
	struct options global;

	*ret = (struct invocation){
		.program = argv->n ? base_name(argv->at[0]) : "hull",
		.globals = &no_globals,
		.failure_status = EXIT_FAILURE,
	};
	ret->personality = personality_find(ret->program);
	TRY(options_parse(&global_options, &words, true, a, &global, e));
	ret->globals = global.values;
	if (ret->globals->version)
		return redirect(ret, "version", none, e);
	if (global.help || global.args.n == 0 || !*global.args.at[0])
		return redirect(ret, "help", none, e);
	return parse_command(ret, &global.args, a, e);
}
