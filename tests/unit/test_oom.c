/* Lack of memory: what is remembered, found and said, of cgroups made up here. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "runtime/oom.h"
#include "tests/unit/test_dir.h"

TestSuite(oom, .init = dir_make, .fini = dir_remove);

static struct cgroup here(void)
{
	static char path[] = "/c";

	return (struct cgroup){ .fd = dir_fd, .mount = -1, .path = path };
}

static void files(const char *kills, const char *limit, const char *peak)
{
	char text[128];

	snprintf(text, sizeof(text), "max 9\noom 8\noom_kill %s\noom_group_kill 0\n", kills);
	dir_file("memory.events", text);
	if (limit)
		dir_file("memory.max", limit);
	if (peak)
		dir_file("memory.peak", peak);
}

static const struct {
	const char *before, *after, *limit, *peak, *says;
} rows[] = {
	{ "0", "0", "1\n", "1\n", NULL },
	{ "3", "3", "1\n", "1\n", NULL },
	{ "0", "1", "67108864\n", "67100672\n",
	  "the kernel killed 1 of its processes for lack of memory (OOM): its limit is 64.0 MiB, "
	  "its peak was 64.0 MiB" },
	{ "3", "5", "512\n", NULL,
	  "the kernel killed 2 of its processes for lack of memory (OOM): its limit is 512 bytes" },
	{ "0", "1", "max\n", "1073741824\n",
	  "the kernel killed 1 of its processes for lack of memory (OOM): it has no limit of its "
	  "own, its peak was 1.0 GiB" },
	{ "0", "1", NULL, "2048\n",
	  "the kernel killed 1 of its processes for lack of memory (OOM): its peak was 2.0 KiB" },
	{ "0", "1", NULL, NULL, "the kernel killed 1 of its processes for lack of memory (OOM)" },
};

Test(oom, is_said_with_limit_and_peak)
{
	const struct cgroup cg = here();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct state state = { .id = "one" };
		auto_buf struct buf text = { 0 };

		files(rows[i].before, NULL, NULL);
		oom_remember(&cg, &state);
		cr_expect(state.oom_kills.set);
		files(rows[i].after, rows[i].limit, rows[i].peak);
		oom_look(&cg, 0, &state);
		cr_expect(state.oom_counted);
		cr_expect_eq(oom_describe(&state, &text), rows[i].says != NULL, "row %zu", i);
		cr_expect_str_eq(text.text ? text.text : "", rows[i].says ? rows[i].says : "");
		unlinkat(dir_fd, "memory.max", 0);
		unlinkat(dir_fd, "memory.peak", 0);
	}
}

/* Its own limit was hit only if memory.events.local says so: memory.events counts those below, too. */
Test(oom, names_its_limit_only_if_that_was_hit)
{
	static const struct {
		const char *local, *within; /* "oom" of memory.events.local, .events; 3 and 5 before */
		bool start;                 /* they were read at the start */
		const char *says;
	} whose[] = {
		{ "4", "6", true, ": its limit is 2.0 KiB, its peak was 1.0 KiB" },
		{ "3", "6", true, ": not at its own limit, but at that of a cgroup below it" },
		{ "3", "5", true,
		  ": not at its own limit, but at that of a cgroup above it, or of the machine" },
		{ "3", "5", false, ": its limit is 2.0 KiB, its peak was 1.0 KiB" },
	};
	const struct cgroup cg = here();

	for (size_t i = 0; i < ARRAY_LEN(whose); i++) {
		auto_buf struct buf text = { 0 };
		struct state state = { .id = "one", .oom_kills = { true, 1 } };
		char events[64], local[64];

		dir_file("memory.events", "oom 5\noom_kill 1\n");
		dir_file("memory.events.local", "oom 3\noom_kill 1\n");
		if (whose[i].start)
			oom_remember(&cg, &state);
		snprintf(events, sizeof(events), "oom %s\noom_kill 2\n", whose[i].within);
		snprintf(local, sizeof(local), "oom %s\noom_kill 1\n", whose[i].local);
		dir_file("memory.events", events);
		dir_file("memory.events.local", local);
		dir_file("memory.max", "2048\n");
		dir_file("memory.peak", "1024\n");
		oom_look(&cg, 0, &state);
		cr_assert(oom_describe(&state, &text));
		cr_expect_not_null(strstr(text.text, whose[i].says), "row %zu: %s", i, text.text);
	}
}

/* The unit has the same limit as the cgroup below it, and hits it first. */
Test(oom, the_limit_of_its_unit_is_its_own)
{
	auto_fd int inner = -1;
	struct cgroup_oom oom;
	struct err e = { 0 };

	dir_file("container/memory.events", "oom 0\noom_kill 1\n");
	dir_file("container/memory.events.local", "oom 0\noom_kill 1\n");
	dir_file("memory.events.local", "oom 1\noom_kill 0\n");
	inner = openat(dir_fd, "container", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(inner, 0);
	cr_assert_eq(cgroup_oom_read(inner, "/c", true, &oom, &e), 0, "%s", e.msg);
	cr_expect_eq(cgroup_oom_where(&oom), WHERE_OWN);
	cr_assert_eq(cgroup_oom_read(inner, "/c", false, &oom, &e), 0, "%s", e.msg);
	cr_expect_eq(cgroup_oom_where(&oom), WHERE_ABOVE);
}

/* Without a controller, without a cgroup, and once that is gone. */
Test(oom, nobody_counts)
{
	struct cgroup cg = here(), none = CGROUP_CLOSED;
	struct state state = { .id = "one" };

	oom_remember(&none, &state);
	cr_expect_not(state.oom_kills.set);
	oom_remember(&cg, &state);
	cr_expect_not(state.oom_kills.set);
	files("1", "1\n", "1\n");
	oom_look(&cg, 0, &state);
	cr_expect_not(state.oom_counted);
	cr_expect_not(state.oom.kills.set, "the start is not known");
	state.oom_kills = (struct opt_u64){ true, 0 };
	oom_look(&none, 0, &state);
	cr_expect_not(state.oom_counted);
	cr_expect_not(state.oom.kills.set);
	cr_assert_eq(unlinkat(dir_fd, "memory.events", 0), 0);
	oom_look(&cg, 0, &state);
	cr_expect_not(state.oom.kills.set);
}

/* It went with its unit, but somebody has looked before. */
Test(oom, what_was_seen_stands_for_a_cgroup_that_is_gone)
{
	static const struct {
		uint64_t before, last;
		bool lacked;
	} looks[] = { { 0, 0, false }, { 2, 2, false }, { 2, 3, true } };
	struct cgroup none = CGROUP_CLOSED;

	for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
		struct state state = { .id = "one",
				       .oom_kills = { true, looks[i].before },
				       .last_oom = { { true, looks[i].last },
						     { true, 2048 },
						     { true, 1024 } } };
		auto_buf struct buf text = { 0 };

		oom_look(&none, 0, &state);
		cr_expect(state.oom_counted);
		cr_expect_eq(oom_describe(&state, &text), looks[i].lacked);
		if (looks[i].lacked)
			cr_expect_str_eq(text.text,
					 "the kernel killed 1 of its processes for lack of memory "
					 "(OOM): its limit is 2.0 KiB, its peak was 1.0 KiB");
	}
}

/* An older hull's state.json lacks the member, ours comes back. */
Test(oom, is_remembered_in_the_state)
{
	static const struct opt_u64 remembered[] = { { false, 0 }, { true, 0 }, { true, 7 } };

	for (size_t i = 0; i < ARRAY_LEN(remembered); i++) {
		struct state state = { .id = "one",
				       .oci_version = "1",
				       .bundle = "/b",
				       .rootfs = "/r",
				       .created = "",
				       .oom_kills = remembered[i] };
		auto_state struct state back = { 0 };
		auto_buf struct buf text = { 0 };
		struct err e = { 0 };

		state_encode(&state, &text);
		cr_expect_eq(strstr(text.text, "oomKills") != NULL, remembered[i].set);
		cr_assert_eq(state_decode(&text, &back, &e), 0, "%s", e.msg);
		cr_expect_eq(back.oom_kills.set, remembered[i].set);
		cr_expect_eq(back.oom_kills.value, remembered[i].value);
	}
}
