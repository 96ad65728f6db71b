#include "runtime/hooks.h"

#include <errno.h>
#include <limits.h>

#include "base/log.h"
#include "base/spawn.h"
#include "spec/names.h"

/* The list with a NULL at its end, as execve(2) wants it. */
static const char *const *terminated(struct arena *a, const struct strings *list)
{
	const char **at = arena_array(a, list->n + 1, sizeof(*at));

	for (size_t i = 0; i < list->n; i++)
		at[i] = list->at[i];
	return at;
}

/* More than 136 years are as many. */
static unsigned timeout_of(const struct spec_hook *hook)
{
	if (!hook->timeout.set)
		return 0;
	return hook->timeout.value < UINT_MAX ? (unsigned)hook->timeout.value : UINT_MAX;
}

static int run_one(const struct spec_hook *hook, const struct buf *input, struct err *e)
{
	auto_arena struct arena a = { 0 };
	const struct strings just_path = { .at = (const char **)&hook->path, .n = 1 };
	struct spawn_request req = {
		.path = hook->path,
		.argv = terminated(&a, hook->args.n ? &hook->args : &just_path),
		.envp = terminated(&a, &hook->env),
		.cwd = "/",
		.input = input->text,
		.input_len = input->len,
		.timeout = timeout_of(hook),
	};

	return spawn_run(&req, NULL, e);
}

int hooks_run(const struct spec *s, enum spec_hook_kind kind, const struct state *state,
	      struct err *e)
{
	const struct spec_hooks *hooks = &s->hooks[kind];
	auto_buf struct buf input = { 0 };

	if (hooks->n == 0)
		return 0;
	state_encode_oci(state, &input);
	for (size_t i = 0; i < hooks->n; i++) {
		log_debug("run hook %s[%zu] %s", json_name_of(spec_hook_names, kind), i,
			  hooks->at[i].path);
		if (run_one(&hooks->at[i], &input, e) < 0)
			return err_wrap(e, "hooks.%s[%zu]", json_name_of(spec_hook_names, kind), i);
	}
	return 0;
}

void hooks_run_all(const struct spec *s, enum spec_hook_kind kind, const struct state *state)
{
	const struct spec_hooks *hooks = &s->hooks[kind];
	auto_buf struct buf input = { 0 };

	if (hooks->n == 0)
		return;
	state_encode_oci(state, &input);
	for (size_t i = 0; i < hooks->n; i++) {
		struct err e = { 0 };

		if (run_one(&hooks->at[i], &input, &e) < 0)
			log_warn("hooks.%s[%zu]: %s", json_name_of(spec_hook_names, kind), i,
				 e.msg);
	}
}
