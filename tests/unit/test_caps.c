#include <criterion/criterion.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "security/caps.h"

#define B(cap) CAPS_BIT(CAP_##cap)

static struct strings strings_of(const char **list)
{
	struct strings s = { .at = list };

	while (list && list[s.n])
		s.n++;
	return s;
}

Test(caps, knows_names)
{
	static const struct {
		const char *name;
		int r;
		unsigned cap;
	} rows[] = {
		{ "CAP_CHOWN", 0, CAP_CHOWN },
		{ "CHOWN", 0, CAP_CHOWN },
		{ "cap_net_admin", 0, CAP_NET_ADMIN },
		{ "Sys_Admin", 0, CAP_SYS_ADMIN },
		{ "CAP_CHECKPOINT_RESTORE", 0, CAP_CHECKPOINT_RESTORE },
		{ "", -EINVAL, 0 },
		{ "CAP_", -EINVAL, 0 },
		{ "CAP_CAP_CHOWN", -EINVAL, 0 },
		{ "CAP_CHOWNX", -EINVAL, 0 },
		{ "CAP_CHOW", -EINVAL, 0 },
		{ " CAP_CHOWN", -EINVAL, 0 },
		{ "0", -EINVAL, 0 },
		{ "ALL", -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned cap = 0;

		cr_expect_eq(caps_from_name(rows[i].name, &cap), rows[i].r, "%s", rows[i].name);
		cr_expect_eq(cap, rows[i].cap, "%s", rows[i].name);
	}
	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++) {
		unsigned again = 99;

		cr_assert_not_null(caps_name(cap), "capability %u has no name", cap);
		cr_expect_eq(caps_from_name(caps_name(cap), &again), 0);
		cr_expect_eq(again, cap);
	}
	cr_expect_null(caps_name(CAP_LAST_CAP + 1));
}

/* What is asked for (lists of up to three), what there is to give, and what comes of it. */
static const struct plan_row {
	const char *what;
	const char *bounding[4], *effective[4], *permitted[4], *inheritable[4], *ambient[4];
	struct caps_facts own;
	struct caps_plan plan;
	const char *unknown;
} plan_rows[] = {
	{ .what = "nothing asked, nothing got", .own = { ~0ULL, ~0ULL, ~0ULL } },
	{ .what = "what is asked is got",
	  .bounding = { "CAP_CHOWN", "CAP_KILL" },
	  .effective = { "CAP_CHOWN" },
	  .permitted = { "CAP_CHOWN", "CAP_KILL" },
	  .inheritable = { "CAP_KILL" },
	  .ambient = { "CAP_KILL" },
	  .own = { ~0ULL, ~0ULL, ~0ULL },
	  .plan = { .bounding = B(CHOWN) | B(KILL),
		    .effective = B(CHOWN),
		    .permitted = B(CHOWN) | B(KILL),
		    .inheritable = B(KILL),
		    .ambient = B(KILL) } },
	{ .what = "the bounding set can't grow",
	  .bounding = { "CAP_SYS_RESOURCE", "CAP_KILL" },
	  .effective = { "CAP_SYS_RESOURCE", "CAP_KILL" },
	  .permitted = { "CAP_SYS_RESOURCE", "CAP_KILL" },
	  .own = { ~0ULL, ~B(SYS_RESOURCE), ~B(SYS_RESOURCE) },
	  .plan = { .bounding = B(KILL),
		    .effective = B(KILL),
		    .permitted = B(KILL),
		    .ungrantable = B(SYS_RESOURCE) } },
	{ .what = "effective only of what is permitted",
	  .bounding = { "CAP_CHOWN" },
	  .effective = { "CAP_CHOWN" },
	  .own = { ~0ULL, ~0ULL, ~0ULL },
	  .plan = { .bounding = B(CHOWN), .ungrantable = B(CHOWN) } },
	{ .what = "inheritable only of what is bounding",
	  .permitted = { "CAP_CHOWN" },
	  .inheritable = { "CAP_CHOWN" },
	  .own = { ~0ULL, ~0ULL, ~0ULL },
	  .plan = { .permitted = B(CHOWN), .ungrantable = B(CHOWN) } },
	{ .what = "ambient only of what is permitted and inheritable",
	  .bounding = { "CAP_CHOWN", "CAP_KILL", "CAP_SYSLOG" },
	  .permitted = { "CAP_CHOWN", "CAP_KILL" },
	  .inheritable = { "CAP_KILL", "CAP_SYSLOG" },
	  .ambient = { "CAP_CHOWN", "CAP_KILL", "CAP_SYSLOG" },
	  .own = { ~0ULL, ~0ULL, ~0ULL },
	  .plan = { .bounding = B(CHOWN) | B(KILL) | B(SYSLOG),
		    .permitted = B(CHOWN) | B(KILL),
		    .inheritable = B(KILL) | B(SYSLOG),
		    .ambient = B(KILL),
		    .not_ambient = B(CHOWN) | B(SYSLOG) } },
	{ .what = "unknown names are remembered once",
	  .bounding = { "CAP_UNKNOWN", "CAP_KILL", "UNKNOWN_CAP" },
	  .permitted = { "CAP_UNKNOWN" },
	  .own = { ~0ULL, ~0ULL, ~0ULL },
	  .plan = { .bounding = B(KILL) },
	  .unknown = "CAP_UNKNOWN UNKNOWN_CAP " },
};

static void join(const struct strings *list, char *ret, size_t size)
{
	ret[0] = '\0';
	for (size_t i = 0; i < list->n; i++) {
		size_t len = strlen(ret);

		snprintf(ret + len, size - len, "%s ", list->at[i]);
	}
}

static void expect_sets(const struct caps_plan *got, const struct caps_plan *want, const char *what)
{
	cr_expect_eq(got->bounding, want->bounding, "%s: bounding %lx", what, got->bounding);
	cr_expect_eq(got->effective, want->effective, "%s: effective %lx", what, got->effective);
	cr_expect_eq(got->permitted, want->permitted, "%s: permitted %lx", what, got->permitted);
	cr_expect_eq(got->inheritable, want->inheritable, "%s: inheritable %lx", what,
		     got->inheritable);
	cr_expect_eq(got->ambient, want->ambient, "%s: ambient %lx", what, got->ambient);
	cr_expect_eq(got->ungrantable, want->ungrantable, "%s: ungrantable %lx", what,
		     got->ungrantable);
	cr_expect_eq(got->not_ambient, want->not_ambient, "%s: not ambient %lx", what,
		     got->not_ambient);
}

Test(caps, plans_what_the_kernel_will_take)
{
	for (size_t i = 0; i < ARRAY_LEN(plan_rows); i++) {
		const struct plan_row *row = &plan_rows[i];
		auto_arena struct arena a = { 0 };
		const struct spec_capabilities asked = {
			.bounding = strings_of((const char **)row->bounding),
			.effective = strings_of((const char **)row->effective),
			.permitted = strings_of((const char **)row->permitted),
			.inheritable = strings_of((const char **)row->inheritable),
			.ambient = strings_of((const char **)row->ambient),
		};
		struct caps_plan plan;
		char unknown[128];

		caps_plan(&asked, &row->own, &a, &plan);
		expect_sets(&plan, &row->plan, row->what);
		join(&plan.unknown, unknown, sizeof(unknown));
		cr_expect_str_eq(unknown, row->unknown ? row->unknown : "", "%s", row->what);
	}
}

Test(caps, nothing_asked_is_nothing)
{
	static const struct caps_facts all = { ~0ULL, ~0ULL, ~0ULL };
	auto_arena struct arena a = { 0 };
	struct caps_plan plan;

	caps_plan(NULL, &all, &a, &plan);
	expect_sets(&plan, &(struct caps_plan){ 0 }, "NULL");
}

Test(caps, first_of_a_user_namespace_has_all)
{
	static const struct caps_facts outside = { 0x1ffff, 0x3, 0x1 };
	struct caps_facts inside = caps_facts_in_userns(&outside);

	cr_expect_eq(inside.known, 0x1ffff);
	cr_expect_eq(inside.bounding, 0x1ffff);
	cr_expect_eq(inside.permitted, 0x1ffff);
}

/* CVE-2022-29162: whatever is added, the inheritable set stays. */
Test(caps, added_ones_are_never_inheritable)
{
	static const struct caps_facts own = { ~0ULL, ~B(SYS_RESOURCE), ~B(SYS_RESOURCE) };
	const char *added[] = { "CAP_SYSLOG", "net_admin", "CAP_SYS_RESOURCE", NULL };
	const struct strings names = strings_of(added);
	struct caps_plan plan = { .bounding = B(KILL) | B(SYSLOG),
				  .permitted = B(KILL),
				  .effective = B(KILL),
				  .inheritable = B(SYSLOG) };
	struct err e = { 0 };

	cr_assert_eq(caps_plan_add(&plan, &names, &own, &e), 0, "%s", e.msg);
	expect_sets(&plan,
		    &(struct caps_plan){ .bounding = B(KILL) | B(SYSLOG) | B(NET_ADMIN),
					 .permitted = B(KILL) | B(SYSLOG) | B(NET_ADMIN),
					 .effective = B(KILL) | B(SYSLOG) | B(NET_ADMIN),
					 .inheritable = B(SYSLOG),
					 .ambient = B(SYSLOG),
					 .ungrantable = B(SYS_RESOURCE) },
		    "exec --cap");
}

Test(caps, added_ones_must_be_capabilities)
{
	static const struct caps_facts own = { ~0ULL, ~0ULL, ~0ULL };
	const char *added[] = { "CAP_KILL", "CAP_COFFEE", NULL };
	const struct strings names = strings_of(added);
	struct caps_plan plan = { 0 };
	struct err e = { 0 };

	cr_expect_eq(caps_plan_add(&plan, &names, &own, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "\"CAP_COFFEE\" is not a capability");
	cr_expect_eq(plan.bounding, 0);
}

/* A number of /proc/self/status, by the name before its colon. */
static uint64_t status_value(const char *name)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long value = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			sscanf(line + strlen(name) + 1, "%llx", &value);
	if (f)
		fclose(f);
	return value;
}

static bool own_sets_are(const struct caps_plan *plan, uint64_t extra)
{
	return status_value("CapBnd") == plan->bounding &&
	       status_value("CapEff") == plan->effective &&
	       status_value("CapPrm") == (plan->permitted | extra) &&
	       status_value("CapInh") == plan->inheritable &&
	       status_value("CapAmb") == plan->ambient;
}

/* What init does, with a change of user in the middle. The number of the step that went wrong. */
static int become(const struct caps_plan *plan, uid_t uid)
{
	const uint64_t extra = B(SYS_ADMIN);

	if (caps_bounding_apply(plan, NULL) < 0 || caps_keep(true, NULL) < 0)
		return 1;
	if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		return 2;
	if (caps_keep(false, NULL) < 0 || prctl(PR_GET_KEEPCAPS) != 0)
		return 3;
	if (caps_apply(plan, extra, NULL) < 0 || !own_sets_are(plan, extra))
		return 4;
	if (caps_raise(extra, NULL) < 0 || !(status_value("CapEff") & extra))
		return 5;
	if (caps_drop_extra(plan, NULL) < 0 || !own_sets_are(plan, 0))
		return 6;
	if (caps_raise(extra, NULL) < 0 || status_value("CapEff") & extra)
		return 7;
	return 0;
}

static void expect_become(const struct caps_plan *plan, uid_t uid)
{
	int status = -1;
	pid_t pid;

	if (geteuid() != 0)
		cr_skip_test("only root may change its user and bounding set");
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0)
		_exit(become(plan, uid));
	waitpid(pid, &status, 0);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "uid %u: step %d", uid,
		  WEXITSTATUS(status));
}

Test(caps, are_applied_to_root)
{
	static const struct caps_plan plan = { .bounding = B(CHOWN) | B(KILL) | B(NET_RAW),
					       .effective = B(CHOWN),
					       .permitted = B(CHOWN) | B(KILL) };

	expect_become(&plan, 0);
}

Test(caps, are_applied_to_a_user)
{
	static const struct caps_plan plan = { .bounding = B(CHOWN) | B(KILL),
					       .effective = B(KILL),
					       .permitted = B(KILL) | B(CHOWN),
					       .inheritable = B(KILL),
					       .ambient = B(KILL) };

	expect_become(&plan, 1000);
}

Test(caps, none_are_left_when_none_are_planned)
{
	static const struct caps_plan plan = { 0 };

	expect_become(&plan, 1000);
}

Test(caps, refusals_are_told)
{
	static const struct caps_plan plan = { .effective = B(CHOWN) };
	struct err e = { 0 };

	cr_expect_eq(caps_apply(&plan, 0, &e), -EPERM);
	cr_expect_str_eq(e.msg, "set capabilities (effective 1, permitted 0, inheritable 0): "
				"operation not permitted");
}

Test(caps, facts_are_those_of_proc)
{
	struct caps_facts facts;
	struct err e = { 0 };

	cr_assert_eq(caps_facts_read(&facts, &e), 0, "%s", e.msg);
	cr_expect_eq(facts.bounding, status_value("CapBnd"));
	cr_expect_eq(facts.permitted, status_value("CapPrm"));
	cr_expect_eq(facts.known & facts.bounding, facts.bounding);
}
