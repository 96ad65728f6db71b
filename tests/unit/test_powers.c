#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/powers.h"
#include "test_child.h"

/* A line of /proc/self/status, behind its name. */
static void status_line(const char *name, char *ret, size_t size)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	*ret = '\0';
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			snprintf(ret, size, "%s",
				 line + strlen(name) + 1 + strspn(line + strlen(name) + 1, "\t "));
	if (f)
		fclose(f);
	ret[strcspn(ret, "\n")] = '\0';
}

static void gives_up(void *arg)
{
	const char *user = arg;
	static const char *const sets[] = { "CapPrm", "CapEff", "CapInh", "CapAmb", "CapBnd" };
	struct err e = { 0 };
	struct rlimit core;
	char found[64];

	if (user)
		become_user(1000);
	CHILD_ASSERT(powers_give_up(&e) == 0, "%s", e.msg);
	getrlimit(RLIMIT_CORE, &core);
	CHILD_ASSERT(core.rlim_cur == 0 && core.rlim_max == 0, "core files can be made");
	CHILD_ASSERT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "new privileges can be had");
	CHILD_ASSERT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, "it can be looked into");
	/* The bounding set is who had no privilege's as it was. */
	for (size_t i = 0; i < ARRAY_LEN(sets) - (user ? 1 : 0); i++) {
		status_line(sets[i], found, sizeof(found));
		CHILD_STR_EQ(found, "0000000000000000");
	}
}

Test(powers, are_given_up)
{
	expect_child(gives_up, NULL);
}

Test(powers, are_given_up_by_who_has_none)
{
	need_root();
	expect_child(gives_up, (void *)(uintptr_t) "user");
}
