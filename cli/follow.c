#include "cli/follow.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/log.h"
#include "runtime/container.h"

static int take_stream(const char *text, struct attach_wish *ret, struct err *e)
{
	if (strcasecmp(text, "stdin") == 0)
		ret->in = true;
	else if (strcasecmp(text, "stdout") == 0)
		ret->out = true;
	else if (strcasecmp(text, "stderr") == 0)
		ret->error = true;
	else
		return err_set(e, EINVAL, "--attach %s: expected stdin, stdout or stderr",
			       json_quote(text).text);
	return 0;
}

static void hand_on(void *ctx, int sig)
{
	const struct follow_target *t = ctx;
	struct err e;

	/* It may have ended just now. */
	if (container_kill(t->g->rt, t->id, sig, false, &e) < 0)
		log_debug("%s", e.msg);
}

int follow_plan(const struct follow_values *v, bool terminal, bool interactive,
		struct follow_target *target, struct attach_wish *ret, struct err *e)
{
	struct attach_wish how = { .terminal = terminal, .ctx = target };

	TRY(attach_keys_parse(v->detach_keys, &how.keys, e));
	for (size_t i = 0; i < v->attach.n; i++)
		TRY(take_stream(v->attach.at[i], &how, e));
	if (how.in && !interactive)
		return err_set(e, EINVAL, "--attach stdin: only with --interactive is it open");
	if (!v->attach.n) {
		how.in = interactive;
		how.out = how.error = true;
	}
	if (v->sig_proxy != 0)
		how.signal = hand_on;
	*ret = how;
	return 0;
}
