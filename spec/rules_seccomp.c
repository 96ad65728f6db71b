/* rules_seccomp.c - rules for `linux.seccomp`: config-linux.md. */
#include <string.h>

#include "spec/names.h"
#include "spec/validate.h"

/* Which actions carry a number, and how large it may be; seccomp(2). */
static const struct {
	bool takes_errno;
	uint32_t max;
} actions[SPEC_ACT_KINDS] = {
	[SPEC_ACT_ERRNO] = { true, 4095 },
	[SPEC_ACT_TRACE] = { true, 65535 },
};

/* `at` is the object that holds the action and, as `key`, the number. */
static int check_errno(const struct spec_check *c, const struct json *at, const char *key,
		       enum spec_seccomp_action action, const struct opt_u32 *value)
{
	if (!value->set)
		return 0;
	at = json_member(at, key);
	if (!actions[action].takes_errno)
		return CHECK_FAIL(c, at, "%s returns no errno",
				  json_name_of(spec_seccomp_action_names, (int)action));
	if (value->value > actions[action].max)
		return CHECK_FAIL(c, at, "%u is not between 0 and %u", value->value,
				  actions[action].max);
	return 0;
}

static int check_errnos(const struct spec_check *c)
{
	const struct spec_seccomp *s = c->spec->linux.seccomp;

	const struct json *at = json_find(c->at, "syscalls")->first;

	TRY(check_errno(c, c->at, "defaultErrnoRet", s->default_action, &s->default_errno_ret));
	for (size_t i = 0; i < s->syscalls.n; i++, at = at->next)
		TRY(check_errno(c, at, "errnoRet", s->syscalls.at[i].action,
				&s->syscalls.at[i].errno_ret));
	return 0;
}

static int check_names(const struct spec_check *c)
{
	const struct spec_seccomp *s = c->spec->linux.seccomp;

	for (size_t i = 0; i < s->syscalls.n; i++)
		if (s->syscalls.at[i].names.n == 0)
			return CHECK_FAIL(c, json_find(c->at, "syscalls[%zu].names", i),
					  "must name a system call");
	return 0;
}

static bool names_call(const struct spec_seccomp_rule *r, const char *call)
{
	for (size_t i = 0; i < r->names.n; i++)
		if (strcmp(r->names.at[i], call) == 0)
			return true;
	return false;
}

/*
 * The runtime still has to send the listener to the agent when the filter is
 * loaded: with all calls (or that one) waiting for an answer, it never could.
 */
static int check_notify(const struct spec_check *c)
{
	const struct spec_seccomp *s = c->spec->linux.seccomp;
	const struct json *at = json_find(c->at, "syscalls")->first;

	if (s->default_action == SPEC_ACT_NOTIFY)
		return CHECK_FAIL(c, json_find(c->at, "defaultAction"),
				  "SCMP_ACT_NOTIFY cannot be the default");
	if (s->listener_metadata && !s->listener_path)
		return CHECK_FAIL(c, json_find(c->at, "listenerMetadata"), "needs listenerPath");
	for (size_t i = 0; i < s->syscalls.n; i++, at = at->next) {
		if (s->syscalls.at[i].action != SPEC_ACT_NOTIFY)
			continue;
		if (!s->listener_path)
			return CHECK_FAIL(c, json_find(at, "action"),
					  "SCMP_ACT_NOTIFY needs listenerPath");
		if (names_call(&s->syscalls.at[i], "write"))
			return CHECK_FAIL(c, json_find(at, "names"),
					  "SCMP_ACT_NOTIFY cannot be used for write");
	}
	return 0;
}

const struct spec_rule spec_seccomp_rules[] = {
	{ "seccomp-errno", check_errnos },
	{ "seccomp-names", check_names },
	{ "seccomp-notify", check_notify },
	{ 0 },
};
