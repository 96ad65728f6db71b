/* cmd_image.c - `hull image pack`: an image as one file. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/json.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/pack.h"

struct image_values {
	const char *output, *compression;
};

static const struct option_row rows[] = {
	{ .name = "output",
	  .letter = 'o',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct image_values, output),
	  .argument = "FILE",
	  .help = "the file to write" },
	{ .name = "compression",
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct image_values, compression),
	  .argument = "none|lz4|lz4hc",
	  .help = "how its files are compressed (default: none)" },
};
const struct option_table image_options = { rows, ARRAY_LEN(rows), sizeof(struct image_values),
					    NULL, true };

int cmd_image(const struct call *call, struct err *e)
{
	const struct image_values *values = call->options.values;
	const struct strings *args = &call->options.args;
	const char *compressor = values->compression;
	auto_engine struct engine g = ENGINE_CLOSED;

	if (strcmp(args->at[0], "pack") != 0)
		return err_set(e, EINVAL, "image %s: expected pack", json_quote(args->at[0]).text);
	if (!values->output || strcmp(values->output, "-") == 0)
		return err_set(e, EINVAL, "image pack: --output FILE says which file to write");
	if (choice_is(compressor, "none"))
		compressor = NULL;
	TRY(people_engine(call, &g, e));
	return pack_image(&g, args->at[1], compressor, values->output, e);
}
