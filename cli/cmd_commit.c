/* cmd_commit.c - `hull commit CONTAINER [IMAGE]`. */
#include <stddef.h>
#include <stdio.h>

#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/commit.h"

struct commit_values {
	struct strings changes;
	const char *author, *message;
	bool pause, quiet;
};

/* clang-format off */
#define ROW(n, l, k, m, arg, h) \
	{ .name = n, .letter = l, .kind = OPTION_##k, .member = offsetof(struct commit_values, m), \
	  .argument = arg, .help = h }

static const struct option_row commit_rows[] = {
	ROW("author", 'a', STRING, author, "TEXT", "who made the image"),
	ROW("change", 'c', STRINGS, changes, "INSTRUCTION", "change how the image is run: 'CMD [\"sh\"]', 'ENV A=b' and the like, also ENTRYPOINT, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR (may be repeated)"),
	ROW("message", 'm', STRING, message, "TEXT", "a comment for the history"),
	ROW("pause", 'p', FLAG, pause, NULL, "stop the container's processes meanwhile"),
	ROW("quiet", 'q', FLAG, quiet, NULL, "accepted; nothing more is printed"),
};
const struct option_table commit_options = { commit_rows, ARRAY_LEN(commit_rows), sizeof(struct commit_values), NULL, true };
/* clang-format on */

int cmd_commit(const struct call *call, struct err *e)
{
	const struct commit_values *values = call->options.values;
	const struct strings *args = &call->options.args;
	const struct commit_request q = { .who = args->at[0],
					  .name = args->n > 1 ? args->at[1] : NULL,
					  .changes = values->changes,
					  .author = values->author,
					  .message = values->message,
					  .pause = values->pause };
	auto_engine struct engine g = ENGINE_CLOSED;
	struct digest id;

	TRY(people_engine(call, &g, e));
	TRY(commit_container(&g, &q, &id, e));
	printf("%s\n", id.text);
	return 0;
}
