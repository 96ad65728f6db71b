/* The rules that the order of init's rows, and of the parent's, must keep. */
#include <criterion/criterion.h>
#include <string.h>

#include "runtime/creation.h"
#include "runtime/init.h"
#include "runtime/operations.h"

static int place(const char *name, unsigned why)
{
	for (int i = 0; init_steps[i].name; i++)
		if (strcmp(init_steps[i].name, name) == 0 && (init_steps[i].why & why))
			return i;
	cr_assert_fail("no step called %s", name);
	return -1;
}

Test(init, privilege_only_goes_down)
{
	for (const struct init_step *s = init_steps; s[0].name && s[1].name; s++)
		cr_expect_leq(s[0].stage, s[1].stage, "%s comes before %s", s[0].name, s[1].name);
}

static const struct {
	unsigned why;
	const char *first, *then;
} orders[] = {
	/* a process that its parent may lose must not outlive it */
	{ FOR_CREATE, "die-with-parent", "join-namespaces" },
	/* closed to the container before the container can see it: CVE-2016-9962 */
	{ FOR_EXEC, "hide", "join-namespaces" },
	{ FOR_CREATE, "hide", "enter-root" },
	/* offsets can be written only while the host's /proc/self is ours */
	{ FOR_CREATE, "make-namespaces", "hide" },
	/* what the container's mounts could redirect is done by the host's /proc: CVE-2025-52881 */
	{ FOR_CREATE, "sysctl", "pivot" },
	{ FOR_CREATE, "open-sources", "enter-root" },
	{ FOR_CREATE, "mounts", "devices" },
	{ FOR_CREATE, "devices", "prepared" },
	/* the lifecycle of runtime.md: createRuntime (in `prepared`), then createContainer, then pivot */
	{ FOR_CREATE, "prepared", "createContainer-hooks" },
	{ FOR_CREATE, "createContainer-hooks", "pivot" },
	/* a read-only root takes no new directory */
	{ FOR_CREATE, "make-cwd", "protect" },
	{ FOR_CREATE, "console", "protect" },
	/* what is to lie in a read-only tmpfs is made before, by the mounts' descriptors */
	{ FOR_CREATE, "console", "read-only" },
	{ FOR_CREATE, "make-cwd", "read-only" },
	{ FOR_CREATE, "read-only", "leave-host" },
	{ FOR_CREATE, "pivot", "protect" },
	{ FOR_CREATE, "pivot", "own-null" },
	{ FOR_CREATE, "own-null", "user" },
	{ FOR_EXEC, "join-namespaces", "own-null" },
	{ FOR_CREATE, "leave-host", "pivot" },
	/* the bounding set needs CAP_SETPCAP, which the user may not have */
	{ FOR_CREATE, "bounding-set", "user" },
	{ FOR_CREATE, "user", "capabilities" },
	{ FOR_CREATE, "capabilities", "executable" },
	/* what is wrong with the command is create's error */
	{ FOR_CREATE, "executable", "created" },
	{ FOR_CREATE, "created", "startContainer-hooks" },
	{ FOR_CREATE, "startContainer-hooks", "filter" },
	{ FOR_CREATE, "no-new-privileges", "filter" },
	{ FOR_CREATE, "descriptors", "filter" },
	{ FOR_CREATE, "filter", "execute" },
	{ FOR_EXEC, "filter", "execute" },
};

Test(init, order)
{
	for (size_t i = 0; i < ARRAY_LEN(orders); i++)
		cr_expect_lt(place(orders[i].first, orders[i].why),
			     place(orders[i].then, orders[i].why), "%s must come before %s",
			     orders[i].first, orders[i].then);
}

/* Both make a process by the same rows: what is left out for exec is what a container has once. */
Test(init, exec_leaves_out_only_what_is_made_once)
{
	static const char *const once[] = {
		"make-namespaces",
		"hide",
		"loopback",
		"names",
		"open-sources",
		"enter-root",
		"mounts",
		"devices",
		"createContainer-hooks",
		"sysctl",
		"make-cwd",
		"read-only",
		"pivot",
		"protect",
		"hands",
		"become",
		"startContainer-hooks",
	};

	for (const struct init_step *s = init_steps; s->name; s++) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_LEN(once); i++)
			found = found || strcmp(once[i], s->name) == 0;
		if (!(s->why & FOR_EXEC))
			cr_expect(found, "%s is not for exec", s->name);
		cr_expect(s->run, "%s does nothing", s->name);
	}
}

static int parent_place(const char *name)
{
	for (int i = 0; creation_steps[i].name; i++)
		if (strcmp(creation_steps[i].name, name) == 0)
			return i;
	cr_assert_fail("no step called %s", name);
	return -1;
}

/* Undone in reverse: the process dies before its cgroup goes, and its state goes last. */
Test(creation, order)
{
	static const char *const order[] = { "config",   "plan",    "reserve",  "remember",
					     "poststop", "cgroup",  "process",  "id-maps",
					     "devices",	 "prepared", "created", "pid-file", "release" };

	for (size_t i = 0; i + 1 < ARRAY_LEN(order); i++)
		cr_expect_lt(parent_place(order[i]), parent_place(order[i + 1]),
			     "%s must come before %s", order[i], order[i + 1]);
}

Test(creation, what_makes_something_can_take_it_back)
{
	static const char *const makers[] = { "reserve", "cgroup", "process", "pid-file" };

	for (size_t i = 0; i < ARRAY_LEN(makers); i++)
		cr_expect(creation_steps[parent_place(makers[i])].undo, "%s has no undo",
			  makers[i]);
}

/* `hull plan` knows each row of both tables, in their order. */
Test(init, rows_are_described)
{
	size_t n = 0;

	for (const struct creation_step *s = creation_steps; s->name; s++)
		cr_assert_str_eq(operations_row("hull", n++), s->name);
	cr_expect_null(operations_row("hull", n));
	n = 0;
	for (const struct init_step *s = init_steps; s->name; s++)
		if (s->why & FOR_CREATE)
			cr_assert_str_eq(operations_row("init", n++), s->name);
	cr_expect_null(operations_row("init", n));
}
