/* What is asked of a systemd that is made up here, and is slow, or somebody else's unit has the name. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cgroups/bus.h"
#include "cgroups/cgroup.h"

static int64_t ahead; /* seconds by which the clock is put forward */

/* In the place of the C library's, so that nobody has to wait for a time limit. */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);

	ret->tv_sec += ahead;
	return r;
}

static struct {
	int call;          /* what a call comes to */
	const char *error; /* ... by this name */
	unsigned calls, steps;
} systemd;

static int new_method_call(struct sd_bus *bus, struct sd_bus_message **ret, const char *destination,
			   const char *path, const char *interface, const char *member)
{
	(void)bus, (void)destination, (void)path, (void)interface, (void)member;
	*ret = NULL;
	return 0;
}

static int append_basic(struct sd_bus_message *m, char type, const void *value)
{
	(void)m, (void)type, (void)value;
	return 0;
}

static int open_container(struct sd_bus_message *m, char type, const char *contents)
{
	(void)m, (void)type, (void)contents;
	return 0;
}

static int close_container(struct sd_bus_message *m)
{
	(void)m;
	return 0;
}

static int call(struct sd_bus *bus, struct sd_bus_message *m, uint64_t timeout,
		struct sdbus_error *error, struct sd_bus_message **ret)
{
	(void)bus, (void)m, (void)timeout;
	*ret = NULL;
	error->name = systemd.error;
	systemd.calls++;
	return systemd.call;
}

static int read_basic(struct sd_bus_message *m, char type, void *ret)
{
	const char *path = "/job/1";

	(void)m;
	cr_assert_eq(type, 'o');
	memcpy(ret, &path, sizeof(path));
	return 0;
}

static void error_free(struct sdbus_error *error)
{
	(void)error;
}

/* There is always another message, of somebody else's job; each takes a second. */
static int process(struct sd_bus *bus, struct sd_bus_message **ret)
{
	(void)bus, (void)ret;
	ahead++;
	cr_assert_lt(++systemd.steps, 1000, "nobody looks at the clock");
	return 1;
}

static int start(bool *ret_job, struct err *e)
{
	struct bus bus = { .sd = { .new_method_call = new_method_call,
				   .append_basic = append_basic,
				   .open_container = open_container,
				   .close_container = close_container,
				   .call = call,
				   .read_basic = read_basic,
				   .error_free = error_free,
				   .process = process } };
	const struct unit unit = { .name = "a.scope", .slice = "b.slice" };

	return bus_start_scope(&bus, &unit, getpid(), ret_job, e);
}

/* A unit that is there may have been what systemd was about to say: nothing of it is ours. */
Test(bus, an_answer_that_does_not_come_is_no_job)
{
	struct err e = { 0 };
	bool job = true;

	systemd.call = -ETIMEDOUT;
	cr_expect_eq(start(&job, &e), -ETIMEDOUT);
	cr_expect_not(job);
	cr_expect_str_eq(e.msg, "start unit a.scope: systemd has not answered within 25 s");
}

Test(bus, a_unit_of_the_name_is_no_job)
{
	struct err e = { 0 };
	bool job = true;

	systemd.call = -EEXIST;
	systemd.error = "org.freedesktop.systemd1.UnitExists";
	cr_expect_eq(start(&job, &e), -EEXIST);
	cr_expect_not(job);
	cr_expect_eq(systemd.calls, 20, "ten times, and each time a failed one is forgotten");
}

Test(bus, a_job_that_does_not_end_is_ours_and_has_a_time_limit)
{
	struct err e = { 0 };
	bool job = false;

	cr_expect_eq(start(&job, &e), -ETIMEDOUT);
	cr_expect(job);
	cr_expect_str_eq(e.msg, "start unit a.scope: job /job/1 has not ended within 30 s");
	cr_expect_leq(systemd.steps, 32);
}

/* By its name a container of root's and one of a user's may be the same unit. */
Test(instance, only_a_unit_of_our_own_systemd_is_asked_for)
{
	const uid_t me = geteuid(), other = me + 1;
	const struct {
		bool ours, user; /* whose systemd we talk to, and whose the unit is: a user's */
		uid_t owner;
		bool foreign;
	} rows[] = {
		{ false, false, me, false },  { false, false, other, false },
		{ false, true, other, true }, { false, true, me, true },
		{ true, true, me, false },    { true, true, other, true },
		{ true, false, me, true },    { true, false, 0, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct cgroup_host host = { .fd = -1, .user = rows[i].ours };
		const struct cgroup_plan plan = { 0 };
		struct cgroup cg = CGROUP_CLOSED;
		struct err e = { 0 };

		cgroup_set_unit(&cg, &host, "hull-x.scope", rows[i].user, rows[i].owner);
		cr_expect_eq(cg.unit == NULL, rows[i].foreign, "row %zu", i);
		cr_expect_eq(cg.foreign, rows[i].foreign, "row %zu", i);
		if (rows[i].foreign) {
			static char path[] = "/a";

			cg.path = path;
			cr_expect_eq(cgroup_apply(&cg, &plan, &e), -ENOTSUP);
			cr_expect_str_eq(e.msg, "set limits of cgroup /a: its unit is of another "
						"user's systemd, so that user is to do it");
			cg.path = NULL;
			cr_expect_eq(cgroup_destroy(&cg, &e), 0, "it is gone");
		}
		cgroup_close(&cg);
	}
}
