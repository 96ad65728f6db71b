#include <criterion/criterion.h>
#include <errno.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/scheduling.h"

/* The set as a list again, without ranges. */
static void list_of(const struct number_set *set, char *ret, size_t size)
{
	size_t len = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < NUMBER_SET_MAX; i++)
		if (number_set_has(set, i) && len < size)
			len += (size_t)snprintf(ret + len, size - len, "%s%u", len ? "," : "", i);
}

Test(number_set, lists_are_read)
{
	static const struct {
		const char *list, *set;
		size_t words; /* of 64 bits */
	} rows[] = {
		{ "0", "0", 1 },
		{ "7", "7", 1 },
		{ "0-3,7", "0,1,2,3,7", 1 },
		{ "7,0-3", "0,1,2,3,7", 1 },
		{ " 1 , 3 - 4 ", "1,3,4", 1 },
		{ ",1,,2,", "1,2", 1 },
		{ "63", "63", 1 },
		{ "64", "64", 2 },
		{ "1-1", "1", 1 },
		{ "0-2,1-4", "0,1,2,3,4", 1 },
		{ "1023-1025", "1023,1024,1025", 17 },
		{ "65535", "65535", 1024 },
		{ "00012", "12", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct number_set set = { 0 };
		struct err e = { 0 };
		char text[256];

		cr_assert_eq(number_set_parse(rows[i].list, &a, &set, &e), 0, "%s", e.msg);
		list_of(&set, text, sizeof(text));
		cr_expect_str_eq(text, rows[i].set, "%s", rows[i].list);
		if (sizeof(long) == 8)
			cr_expect_eq(set.n, rows[i].words, "%s", rows[i].list);
	}
}

Test(number_set, wrong_lists_are_refused)
{
	static const char *const wrong[] = { "x",     "-1",    "1-",   "3-1",    "1--2",
					     "1-2-3", "1 2",   "0x10", "65536",  "99999999999",
					     "1;2",   "1,\t2", "+1",   "0-65536" };
	static const char *const empty[] = { "", " ", ",", " , ,," };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		auto_arena struct arena a = { 0 };
		struct number_set set = { .n = 99 };
		struct err e = { 0 };
		char message[128];

		snprintf(message, sizeof(message),
			 "\"%s\" is no list like \"0-3,7\" of numbers below 65536",
			 strcmp(wrong[i], "1,\t2") == 0 ? "1, 2" : wrong[i]);
		cr_expect_eq(number_set_parse(wrong[i], &a, &set, &e), -EINVAL, "%s", wrong[i]);
		cr_expect_str_eq(e.msg, message);
		cr_expect_eq(set.n, 99);
	}
	for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
		auto_arena struct arena a = { 0 };
		struct number_set set;
		struct err e = { 0 };
		char message[64];

		snprintf(message, sizeof(message), "\"%s\" has no numbers", empty[i]);
		cr_expect_eq(number_set_parse(empty[i], &a, &set, &e), -EINVAL);
		cr_expect_str_eq(e.msg, message);
	}
}

Test(scheduling, nothing_asked_does_nothing)
{
	cr_expect_eq(scheduler_apply(NULL, NULL), 0);
	cr_expect_eq(io_priority_apply(NULL, NULL), 0);
}

Test(scheduling, scheduler_is_set)
{
	static const struct spec_scheduler batch = { .policy = SCHED_BATCH, .nice = 7 };
	struct err e = { 0 };

	cr_expect_eq(scheduler_apply(&batch, &e), 0, "%s", e.msg);
	cr_expect_eq(sched_getscheduler(0), SCHED_BATCH);
	errno = 0;
	cr_expect_eq(nice(0), 7);
}

Test(scheduling, scheduler_refused_is_told)
{
	static const struct spec_scheduler wrong = { .policy = SCHED_FIFO, .priority = 100 };
	struct err e = { 0 };

	cr_expect_eq(scheduler_apply(&wrong, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "set scheduler SCHED_FIFO: invalid argument");
}

Test(scheduling, io_priority_is_set)
{
	static const struct spec_io_priority best_effort = { .class = IOPRIO_CLASS_BE,
							     .priority = 6 };
	static const struct spec_io_priority wrong = { .class = 7, .priority = 0 };
	struct err e = { 0 };

	cr_expect_eq(io_priority_apply(&best_effort, &e), 0, "%s", e.msg);
	cr_expect_eq(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0),
		     IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6));
	cr_expect_eq(io_priority_apply(&wrong, &e), -EINVAL);
}

Test(scheduling, affinity_is_set_and_reset)
{
	auto_arena struct arena a = { 0 };
	struct number_set cpus;
	struct err e = { 0 };
	cpu_set_t before, after;
	unsigned cpu = 0;
	char list[16];

	sched_getaffinity(0, sizeof(before), &before);
	while (!CPU_ISSET(cpu, &before))
		cpu++;
	snprintf(list, sizeof(list), "%u", cpu);
	cr_assert_eq(number_set_parse(list, &a, &cpus, &e), 0);
	cr_expect_eq(affinity_apply(&cpus, &e), 0, "%s", e.msg);
	sched_getaffinity(0, sizeof(after), &after);
	cr_expect_eq(CPU_COUNT(&after), 1);
	cr_expect(CPU_ISSET(cpu, &after));
	affinity_reset();
	sched_getaffinity(0, sizeof(after), &after);
	cr_expect_geq(CPU_COUNT(&after), CPU_COUNT(&before));
}

Test(scheduling, affinity_to_no_cpu_is_told)
{
	auto_arena struct arena a = { 0 };
	struct number_set cpus;
	struct err e = { 0 };

	cr_assert_eq(number_set_parse("65535", &a, &cpus, &e), 0);
	cr_expect_eq(affinity_apply(&cpus, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "set CPU affinity: invalid argument");
}

Test(scheduling, memory_policy_is_set)
{
	enum { BIND = 2, STATIC_NODES = 1 << 15 };
	static const struct spec_memory_policy bind = { .mode = BIND,
							.flags = STATIC_NODES,
							.nodes = "0" };
	static const struct spec_memory_policy wrong = { .mode = BIND, .nodes = "0-" };
	auto_arena struct arena a = { 0 };
	struct memory_plan plan;
	struct err e = { 0 };
	int mode = -1;

	cr_expect_eq(memory_plan(&wrong, &a, &plan, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "linux.memoryPolicy.nodes: \"0-\" is no list like \"0-3,7\" of "
				"numbers below 65536");
	cr_assert_eq(memory_plan(&bind, &a, &plan, &e), 0);
	cr_expect_eq(plan.mode, BIND | STATIC_NODES);
	if (memory_apply(&plan, &e) == -ENOSYS)
		cr_skip_test("the kernel has no memory policies");
	cr_expect_eq(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0), 0);
	cr_expect_eq(mode, BIND | STATIC_NODES);
}

Test(scheduling, personality_is_set)
{
	struct err e = { 0 };

	cr_expect_eq(personality_apply(PER_LINUX32, &e), 0, "%s", e.msg);
	cr_expect_eq(personality(0xffffffff), PER_LINUX32);
	cr_expect_eq(personality_apply(PER_LINUX, &e), 0, "%s", e.msg);
}
