/* Where limits held a container back: what is remembered, found and said, of cgroups made up here. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "runtime/held.h"
#include "tests/unit/test_dir.h"

TestSuite(held, .init = dir_make, .fini = dir_remove);

static struct cgroup here(void)
{
	static char path[] = "/c";

	return (struct cgroup){ .fd = dir_fd, .mount = -1, .path = path };
}

struct files {
	const char *refused, *pids, *throttled, *cpu, *waited, *io; /* NULL: no such file */
};

static void put(const char *name, const char *format, const char *value)
{
	char text[256];

	unlinkat(dir_fd, name, 0);
	if (!value)
		return;
	snprintf(text, sizeof(text), format, value);
	dir_file(name, text);
}

static void put_files(const struct files *f)
{
	put("pids.events", "max %s\n", f->refused);
	put("pids.max", "%s\n", f->pids);
	put("cpu.stat", "usage_usec 9\nnr_periods 40\nnr_throttled %s\nthrottled_usec 1\n",
	    f->throttled);
	put("cpu.max", "%s\n", f->cpu);
	put("io.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=%s\n", f->waited);
	put("io.max", "%s\n", f->io);
}

static const struct {
	struct files files;
	const char *says;
} rows[] = {
	{ { NULL, NULL, NULL, NULL, NULL, NULL }, NULL },
	{ { "0", "33", "0", "50000 100000", "0", "8:0 rbps=9 wbps=max riops=max wiops=max" },
	  NULL },
	{ { "7", "33", NULL, NULL, NULL, NULL },
	  "the kernel refused 7 of its forks: its limit is 33 processes" },
	{ { "7", "max", NULL, NULL, NULL, NULL },
	  "the kernel refused 7 of its forks: it has no limit of its own" },
	{ { "7", NULL, NULL, NULL, NULL, NULL }, "the kernel refused 7 of its forks" },
	{ { NULL, NULL, "34", "20000 100000", NULL, NULL },
	  "it used up its CPU time in 34 of 40 periods: its limit is 20.0 ms in each 100.0 ms" },
	{ { NULL, NULL, "34", "2000000 1000000", NULL, NULL },
	  "it used up its CPU time in 34 of 40 periods: its limit is 2.0 s in each 1.0 s" },
	{ { NULL, NULL, "34", "max 100000", NULL, NULL },
	  "it used up its CPU time in 34 of 40 periods" },
	{ { NULL, NULL, "34", NULL, NULL, NULL }, NULL },
	{ { NULL, NULL, NULL, NULL, "1500000",
	    "8:0 rbps=1048576 wbps=max riops=max wiops=9\n8:16 rbps=max wbps=max riops=max "
	    "wiops=max\n254:3 rbps=max wbps=5 riops=max wiops=max" },
	  "it waited for I/O for 1.5 s: its limits are 8:0 rbps=1048576 wiops=9, 254:3 wbps=5" },
	{ { NULL, NULL, NULL, NULL, "1500000", "8:0 rbps=max wbps=max riops=max wiops=max" },
	  NULL },
	{ { NULL, NULL, NULL, NULL, NULL, "8:0 rbps=9 wbps=max riops=max wiops=max" }, NULL },
	{ { "1", "2", "1", "1000 10000", "12", "8:0 rbps=9 wbps=max riops=max wiops=max" },
	  "the kernel refused 1 of its forks: its limit is 2 processes; it used up its CPU "
	  "time in 1 of 40 periods: its limit is 1.0 ms in each 10.0 ms; it waited for I/O for 0.0 "
	  "ms: its limits are 8:0 rbps=9" },
};

Test(held, is_said_with_the_limit)
{
	const struct cgroup cg = here();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_state struct state state = { .id = "one",
						  .cgroup_made = 1,
						  .status = STATE_STOPPED };
		auto_buf struct buf text = { 0 };

		put_files(&rows[i].files);
		held_look(&cg, &state);
		cr_expect_eq(held_describe(&state, &text), rows[i].says != NULL, "row %zu", i);
		cr_expect_str_eq(text.text ? text.text : "", rows[i].says ? rows[i].says : "");
	}
}

/* Since Linux 6.11 pids.events counts the limits of cgroups below, too. */
Test(held, names_the_limit_of_processes_only_if_that_was_hit)
{
	static const struct {
		const char *local;
		unsigned made;
		uint64_t before; /* of pids.events.local; the other had counted none */
		const char *says;
	} whose[] = {
		{ NULL, 1, 0, ": its limit is 33 processes" },
		{ "max 2\n", 1, 0, ": its limit is 33 processes" },
		{ "max 0\n", 1, 0, ": not at its own limit, but at that of a cgroup below it" },
		{ "max 2\n", 0, 2, ": not at its own limit, but at that of a cgroup below it" },
		{ "max 3\n", 0, 2, ": its limit is 33 processes" },
	};
	const struct cgroup cg = here();

	dir_file("pids.events", "max 7\n");
	dir_file("pids.max", "33\n");
	for (size_t i = 0; i < ARRAY_LEN(whose); i++) {
		auto_state struct state state = {
			.id = "one",
			.cgroup_made = whose[i].made,
			.status = STATE_STOPPED,
			.held_before = { .refused = { true, 0 },
					 .refused_here = { true, whose[i].before } },
		};
		auto_buf struct buf text = { 0 };

		if (whose[i].local)
			dir_file("pids.events.local", whose[i].local);
		held_look(&cg, &state);
		cr_assert(held_describe(&state, &text));
		cr_expect_not_null(strstr(text.text, whose[i].says), "row %zu: %s", i, text.text);
	}
}

/* A cgroup that was there before has counted before. */
Test(held, counts_from_the_start_of_the_container)
{
	static const struct files before = { "3",  "33",
					     "20", "1000 10000",
					     "70", "8:0 rbps=9 wbps=max riops=max wiops=max" },
				  after = { "5",    "33",
					    "20",   "1000 10000",
					    "1070", "8:0 rbps=9 wbps=max riops=max wiops=max" };
	const struct cgroup cg = here(), none = CGROUP_CLOSED;
	auto_state struct state state = { .id = "one", .status = STATE_STOPPED };
	auto_buf struct buf text = { 0 };

	put_files(&before);
	held_look(&cg, &state);
	cr_expect_not(held_describe(&state, &text), "the start is not known: %s", text.text);
	held_remember(&none, &state);
	cr_expect_not(state.held_before.refused.set);
	held_remember(&cg, &state);
	cr_expect_eq(state.held_before.refused.value, 3);
	put_files(&after);
	held_look(&cg, &state);
	cr_expect(held_describe(&state, &text));
	cr_expect_str_eq(text.text,
			 "the kernel refused 2 of its forks: its limit is 33 processes; it "
			 "waited for I/O for 1.0 ms: its limits are 8:0 rbps=9");
	buf_clear(&text);
	held_look(&none, &state);
	cr_expect_not(held_describe(&state, &text), "the cgroup is gone");
}

/* One that was made has counted nothing, and need not be read. */
Test(held, is_not_asked_of_a_new_cgroup)
{
	static const struct files files = { "3", "33", NULL, NULL, NULL, NULL };
	struct cgroup cg = here();
	struct state state = { .id = "one" };

	put_files(&files);
	cg.made = 1;
	held_remember(&cg, &state);
	cr_expect_not(state.held_before.refused.set);
}

Test(held, is_remembered_in_the_state)
{
	struct state state = {
		.id = "one", .oci_version = "1", .bundle = "/b", .rootfs = "/r", .created = ""
	};
	auto_state struct state back = { 0 };
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	state.held_before.refused = (struct opt_u64){ true, 3 };
	state.held_before.throttled = (struct opt_u64){ true, 4 };
	state.held_before.periods = (struct opt_u64){ true, 5 };
	state.held_before.waited = (struct opt_u64){ true, 0 };
	state_encode(&state, &text);
	cr_assert_eq(state_decode(&text, &back, &e), 0, "%s", e.msg);
	cr_expect_eq(back.held_before.refused.value, 3);
	cr_expect_eq(back.held_before.throttled.value, 4);
	cr_expect_eq(back.held_before.periods.value, 5);
	cr_expect(back.held_before.waited.set);
}

/* What is not as the kernel writes it is not guessed at. */
Test(held, is_silent_about_what_it_cannot_read)
{
	static const struct files wrong = { "3", "33", "1", "many 100000", NULL, NULL };
	const struct cgroup cg = here();
	auto_state struct state state = { .id = "one", .cgroup_made = 1, .status = STATE_STOPPED };
	auto_buf struct buf text = { 0 };

	put_files(&wrong);
	held_look(&cg, &state);
	cr_expect_not(held_describe(&state, &text));
}
