/* cmd_image.c - `hull image inspect|pack`: what is known of images; one as one file. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/json.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/pack.h"

struct image_values {
	const char *output, *compression, *format;
};

static const struct option_row rows[] = {
	{ .name = "output",
	  .letter = 'o',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct image_values, output),
	  .argument = "FILE",
	  .help = "pack: the file to write" },
	{ .name = "compression",
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct image_values, compression),
	  .argument = "none|lz4|lz4hc",
	  .help = "pack: how its files are compressed (default: none)" },
	{ .name = "format",
	  .letter = 'f',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct image_values, format),
	  .argument = "FORMAT",
	  .help = "inspect: json (default) or a template like '{{.Config.Cmd}}', a line for each" },
};
const struct option_table image_options = { rows, ARRAY_LEN(rows), sizeof(struct image_values),
					    NULL, true };

static int inspect(const struct call *call, const struct strings *names, struct err *e)
{
	const struct image_values *values = call->options.values;

	if (values->output || values->compression)
		return err_set(e, EINVAL, "image inspect takes no --%s",
			       values->output ? "output" : "compression");
	return people_inspect(call, names, "image", values->format, e);
}

static int pack(const struct call *call, const struct strings *names, struct err *e)
{
	const struct image_values *values = call->options.values;
	const char *compressor = values->compression;
	auto_engine struct engine g = ENGINE_CLOSED;

	if (names->n != 1)
		return err_set(e, EINVAL, "image pack takes one image");
	if (values->format)
		return err_set(e, EINVAL, "image pack takes no --format");
	if (!values->output || strcmp(values->output, "-") == 0)
		return err_set(e, EINVAL, "image pack: --output FILE says which file to write");
	if (choice_is(compressor, "none"))
		compressor = NULL;
	TRY(people_engine(call, &g, e));
	return pack_image(&g, names->at[0], compressor, values->output, e);
}

static const struct {
	const char *name;
	int (*run)(const struct call *call, const struct strings *names, struct err *e);
} verbs[] = { { "inspect", inspect }, { "pack", pack } };

int cmd_image(const struct call *call, struct err *e)
{
	const struct strings *args = &call->options.args;
	const struct strings names = { args->at + 1, args->n - 1 };

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, args->at[0]) == 0)
			return verbs[i].run(call, &names, e);
	return err_set(e, EINVAL, "image %s: expected inspect or pack",
		       json_quote(args->at[0]).text);
}
