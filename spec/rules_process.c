/* rules_process.c - rules for `process`: config.md. */
#include <limits.h>
#include <sched.h>
#include <stdint.h>

#include "spec/names.h"
#include "spec/validate.h"

static int check_args(const struct spec_check *c)
{
	const struct strings *args = &c->process->args;

	if (args->n == 0)
		return CHECK_FAIL(c, json_find(c->at, "args"), "must name a program");
	if (args->at[0][0] == '\0')
		return CHECK_FAIL(c, json_find(c->at, "args[0]"), "must name a program");
	return 0;
}

static int check_cwd(const struct spec_check *c)
{
	return spec_check_absolute(c, json_find(c->at, "cwd"), c->process->cwd);
}

static int check_env(const struct spec_check *c)
{
	return c->process->env.n ? spec_check_env(c, json_find(c->at, "env")) : 0;
}

/* To setresuid(2) and its kind (uint32_t)-1 means "as it is": root would stay root. */
static int check_id(const struct spec_check *c, const struct json *at, uint32_t id)
{
	return id == UINT32_MAX ? CHECK_FAIL(c, at, "%u means no id to the kernel", id) : 0;
}

static int check_user(const struct spec_check *c)
{
	const struct spec_user *user = &c->process->user;

	TRY(check_id(c, json_find(c->at, "user.uid"), user->uid));
	TRY(check_id(c, json_find(c->at, "user.gid"), user->gid));
	for (size_t i = 0; i < user->additional_gids.n && i < NGROUPS_MAX; i++)
		TRY(check_id(c, json_find(c->at, "user.additionalGids[%zu]", i),
			     user->additional_gids.at[i]));
	if (c->process->user.additional_gids.n > NGROUPS_MAX)
		return CHECK_FAIL(c, json_find(c->at, "user.additionalGids"),
				  "the kernel takes at most %d groups", NGROUPS_MAX);
	return 0;
}

static int check_rlimits(const struct spec_check *c)
{
	const struct spec_rlimit *at = c->process->rlimits.at;
	uint64_t seen = 0;

	for (size_t i = 0; i < c->process->rlimits.n; i++) {
		uint64_t bit = UINT64_C(1) << at[i].resource;

		if (seen & bit)
			return CHECK_FAIL(c, json_find(c->at, "rlimits[%zu].type", i),
					  "a second %s",
					  json_name_of(spec_rlimit_names, at[i].resource));
		seen |= bit;
		if (at[i].soft > at[i].hard)
			return CHECK_FAIL(c, json_find(c->at, "rlimits[%zu].soft", i),
					  "%llu is more than the hard limit of %llu",
					  (unsigned long long)at[i].soft,
					  (unsigned long long)at[i].hard);
	}
	return 0;
}

/* sched(7): what sched_setattr(2) would answer with a bare EINVAL. */
static int check_scheduler(const struct spec_check *c)
{
	const struct spec_scheduler *s = c->process->scheduler;
	const struct json *at = json_find(c->at, "scheduler");
	bool fixed, deadline;

	if (!s)
		return 0;
	fixed = s->policy == SCHED_FIFO || s->policy == SCHED_RR;
	deadline = s->policy == SCHED_DEADLINE;
	if (fixed && s->priority == 0)
		return CHECK_FAIL(c, at, "SCHED_FIFO and SCHED_RR need a priority of 1 to 99");
	if (!fixed && s->priority != 0)
		return CHECK_FAIL(c, json_find(at, "priority"),
				  "is for SCHED_FIFO and SCHED_RR only");
	if (!deadline && (s->runtime || s->deadline || s->period))
		return CHECK_FAIL(c, at,
				  "runtime, deadline and period are for SCHED_DEADLINE only");
	if (deadline &&
	    (s->runtime == 0 || s->runtime > s->deadline || (s->period && s->deadline > s->period)))
		return CHECK_FAIL(c, at, "SCHED_DEADLINE needs 0 < runtime <= deadline <= period");
	return 0;
}

static int check_cpu_affinity(const struct spec_check *c)
{
	const struct spec_cpu_affinity *a = c->process->exec_cpu_affinity;

	if (a && a->initial)
		TRY(spec_check_cpu_list(c, json_find(c->at, "execCPUAffinity.initial"),
					a->initial));
	if (a && a->final)
		TRY(spec_check_cpu_list(c, json_find(c->at, "execCPUAffinity.final"), a->final));
	return 0;
}

const struct spec_rule spec_process_rules[] = {
	{ "args", check_args },
	{ "cwd", check_cwd },
	{ "env", check_env },
	{ "user", check_user },
	{ "rlimits", check_rlimits },
	{ "scheduler", check_scheduler },
	{ "cpu-affinity", check_cpu_affinity },
	{ 0 },
};
