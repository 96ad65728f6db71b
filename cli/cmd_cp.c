/* cmd_cp.c - `hull cp CONTAINER:PATH PATH|-`, `hull cp PATH|- CONTAINER:PATH`. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/copy.h"

struct cp_values {
	bool archive, follow_link, quiet;
};

/* clang-format off */
#define ROW(n, l, m, h) \
	{ .name = n, .letter = l, .kind = OPTION_FLAG, .member = offsetof(struct cp_values, m), .help = h }

static const struct option_row cp_rows[] = {
	ROW("archive", 'a', archive, "keep owners and set-user-ID bits"),
	ROW("follow-link", 'L', follow_link, "if what is copied is a link, copy what it leads to"),
	ROW("quiet", 'q', quiet, "accepted; nothing is printed"),
};
const struct option_table cp_options = { cp_rows, ARRAY_LEN(cp_rows), sizeof(struct cp_values), NULL, true };
/* clang-format on */

/* "CONTAINER:PATH"; a path of the host has a "/" before the ":", or begins with a ".". */
static bool split(const char *word, struct arena *a, const char **who, const char **inside)
{
	const char *colon = strchr(word, ':'), *slash = strchr(word, '/');

	if (!colon || colon == word || word[0] == '.' || (slash && slash < colon))
		return false;
	*who = arena_printf(a, "%.*s", (int)(colon - word), word);
	*inside = colon + 1;
	return true;
}

int cmd_cp(const struct call *call, struct err *e)
{
	const struct cp_values *values = call->options.values;
	const char *from = call->options.args.at[0], *to = call->options.args.at[1];
	struct copy_request q = { .archive = values->archive, .follow_link = values->follow_link };
	auto_engine struct engine g = ENGINE_CLOSED;
	const char *who, *inside;
	bool out = split(from, call->arena, &q.who, &q.inside);

	q.to_container = split(to, call->arena, &who, &inside);
	if (out && q.to_container)
		return err_set(e, EINVAL, "cp: one of the two is a path of the host");
	if (!out && !q.to_container)
		return err_set(e, EINVAL, "cp: one of the two is CONTAINER:PATH");
	if (q.to_container) {
		q.who = who;
		q.inside = inside;
	}
	q.outside = out ? to : from;
	if (!q.inside[0] || !q.outside[0])
		return err_set(e, EINVAL, "cp: a path is empty");
	TRY(people_engine(call, &g, e));
	return copy_files(&g, &q, e);
}
