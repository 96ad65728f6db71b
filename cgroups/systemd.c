/*
 * systemd.c - the driver that has systemd make the cgroup; see driver.h, unit.h.
 *
 *	holder          a process of ours, so that the scope can begin
 *	scope           StartTransientUnit: docker-ID.scope, delegated to us
 *	scope/hold      the holder, so that the scope itself has no process
 *	scope/container the container: limits, device policy, owner
 *	                (clone3 makes its first process in there)
 *	settle          the holder ends, the container keeps the scope
 *
 * If hull is killed, the holder dies with it, and systemd removes a scope that
 * has no process.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "cgroups/bus.h"
#include "cgroups/driver.h"
#include "cgroups/grow.h"
#include "cgroups/holder.h"
#include "cgroups/limits.h"
#include "cgroups/procs.h"

#define HOLD "hold"

enum { HOLDER_END_MS = 1000 }; /* it dies with the hull that started it */

/* What `cg` has besides of its directory. */
static struct cgroup scope_of(const struct cgroup_host *host, const struct cgroup_plan *plan)
{
	return (struct cgroup){ .fd = -1,
				.mount = host->fd,
				.driver = CGROUP_DRIVER_SYSTEMD,
				.user = host->user,
				.unit = mem_strdup(plan->unit.name) };
}

/* Is the holder in the scope? Then that is ours. */
static bool holds(const struct cgroup *cg, const char *scope)
{
	char found[PATH_MAX];

	return cgroup_of_pid(cg->holder, found, sizeof(found)) == 0 && strcmp(found, scope) == 0;
}

/* systemd has put the holder where we have planned everything to be. */
static int check_place(const struct cgroup *cg, const char *scope, struct err *e)
{
	char found[PATH_MAX];
	int r = cgroup_of_pid(cg->holder, found, sizeof(found));

	if (r < 0)
		return err_neg(e, r, "find the cgroup of unit %s", cg->unit);
	if (strcmp(found, scope) != 0)
		return err_set(e, ENOTSUP, "unit %s is at %s, and should be at %s", cg->unit, found,
			       scope);
	return 0;
}

static int make_below(const struct cgroup *cg, const char *scope, const char *name, struct err *e)
{
	auto_arena struct arena a = { 0 };
	const char *path = arena_printf(&a, "%s/%s", scope, name);

	if (mkdirat(cg->mount, cgroup_below_mount(path), 0755) < 0)
		return err_sys(e, "make cgroup %s", path);
	return 0;
}

/* The two cgroups in the scope, the holder in its own, controllers in the container's. */
static int make_subgroups(struct cgroup *cg, const struct cgroup_host *host, const char *scope,
			  const struct cgroup_plan *plan, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_cgroup struct cgroup hold = CGROUP_CLOSED, made = CGROUP_CLOSED;
	struct err unused = { 0 };

	TRY(make_below(cg, scope, HOLD, e));
	TRY(cgroup_open(host, arena_printf(&a, "%s/" HOLD, scope), &hold, e));
	TRY(cgroup_add_pid(&hold, cg->holder, e));
	TRY(make_below(cg, scope, UNIT_SUBGROUP, e));
	TRY(cgroup_open(host, plan->path, &made, e));
	cg->fd = take_fd(&made.fd);
	cg->path = take_ptr(&made.path);
	cg->made = 1;
	cgroup_hand_out(cg, &plan->controllers, &unused); /* a limit without one says so itself */
	return cgroup_check_fit(cg, e);
}

static void give_back(struct cgroup *cg)
{
	struct err e = { 0 };

	if (systemd_destroy(cg, &e) < 0)
		log_warn("%s", e.msg);
	cgroup_close(cg);
}

int systemd_make(const struct cgroup_host *host, const struct cgroup_plan *plan, struct cgroup *ret,
		 struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_bus struct bus bus = { 0 };
	auto_cgroup struct cgroup cg = scope_of(host, plan);
	const char *scope = unit_cgroup(&a, plan->path);
	bool job;
	int r;

	cg.holder = holder_start(e);
	TRY(cg.holder);
	TRY(bus_open(cg.user, &bus, e));
	r = bus_start_scope(&bus, &plan->unit, cg.holder, &job, e);
	bus_close(&bus);
	/*
	 * Without a job the unit that is there, if any, is somebody else's, unless systemd has only
	 * been slow to say so. One that it starts later has no process, as the holder ends here.
	 */
	if (r < 0 && !job && !holds(&cg, scope))
		return r;
	if (r == 0)
		r = check_place(&cg, scope, e);
	if (r == 0)
		r = make_subgroups(&cg, host, scope, plan, e);
	if (r == 0)
		r = cgroupfs_fill(&cg, plan, e);
	if (r < 0) {
		give_back(&cg);
		return r;
	}
	*ret = cg;
	cg = (struct cgroup)CGROUP_CLOSED;
	return 0;
}

void systemd_settle(struct cgroup *cg)
{
	auto_arena struct arena a = { 0 };
	const char *path;

	if (!cg->holder || !cg->path)
		return;
	holder_end(&cg->holder);
	path = arena_printf(&a, "%s/" HOLD, unit_cgroup(&a, cg->path));
	/* If the container has ended at once, systemd is removing it all. */
	if (unlinkat(cg->mount, cgroup_below_mount(path), AT_REMOVEDIR) < 0 && errno != ENOENT)
		log_debug("remove cgroup %s: %s", path, err_text(errno));
}

/* Does the container's cgroup have a burst now? Then its quota may not be that of the scope. */
static bool bursts(const struct cgroup *cg)
{
	char burst[32];

	return io_read_value(cg->fd, "cpu.max.burst", burst, sizeof(burst)) == 0 &&
	       strcmp(burst, "0") != 0;
}

/* A burst, also one that comes alone, decides whether the unit may have the quota: that is asked again. */
static int add_quota(const struct cgroup *cg, struct arena *a, struct knob_values *values,
		     struct err *e)
{
	bool asked = false;
	char quota[64];
	int r;

	for (size_t i = 0; i < values->n; i++)
		asked = asked || strcmp(values->at[i].file, "cpu.max.burst") == 0;
	if (!asked)
		return 0;
	r = io_read_value(cg->fd, "cpu.max", quota, sizeof(quota));
	if (r < 0)
		return err_neg(e, r, "read %s/cpu.max", cg->path);
	*grow_list(a, values) =
		(struct knob_value){ .file = "cpu.max", .value = arena_strdup(a, quota) };
	return 0;
}

/* The exact limits first, which says best what is wrong with one; then those of the scope. */
int systemd_apply(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_bus struct bus bus = { 0 };
	auto_applied struct cgroup_applied applied = { 0 };
	struct unit_properties properties = { 0 };
	struct knob_values values = { 0 };
	int r;

	for (size_t i = 0; i < plan->values.n; i++)
		*grow_list(&a, &values) = plan->values.at[i];
	TRY(limits_apply(cg, plan, &applied, e));
	r = add_quota(cg, &a, &values, e);
	unit_limits(&a, &values, (bursts(cg) ? UNIT_BURSTS : 0) | unit_bfq(&values), &properties);
	if (r == 0 && properties.n == 0)
		return 0;
	if (r == 0)
		r = bus_open(cg->user, &bus, e);
	if (r == 0)
		r = bus_set_properties(&bus, cg->unit, &properties, e);
	if (r < 0)
		limits_take_back(cg, &applied);
	return r;
}

int systemd_destroy(struct cgroup *cg, struct err *e)
{
	auto_bus struct bus bus = { 0 };
	struct cgroup inner = CGROUP_CLOSED;
	int r = 0;

	if (!cg->unit)
		return 0;
	holder_end(&cg->holder);
	if (cg->path && cg->fd >= 0) {
		inner = (struct cgroup){ .mount = cg->mount, .made = cg->made };
		inner.fd = take_fd(&cg->fd);
		inner.path = take_ptr(&cg->path);
		r = cgroupfs_destroy(&inner, e);
		cgroup_close(&inner);
	}
	TRY(r);
	TRY(bus_open(cg->user, &bus, e));
	TRY(bus_stop_unit(&bus, cg->unit, e));
	cgroup_close(cg);
	return 0;
}

/* A scope without processes systemd removes, but one that never had any may be there still. */
int systemd_destroy_unused(struct cgroup *cg, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_bus struct bus bus = { 0 };
	auto_cgroup struct cgroup scope = CGROUP_CLOSED;
	const struct cgroup_host host = { .fd = cg->mount };
	int r = cgroup_open(&host, unit_cgroup(&a, cg->path), &scope, e);

	if (r == 0)
		r = cgroup_wait_empty(&scope, HOLDER_END_MS, e);
	if (r == -ETIMEDOUT)
		return err_set(e, EBUSY, "stop unit %s: it has processes", cg->unit);
	if (r < 0 && r != -ENOENT)
		return r;
	TRY(bus_open(cg->user, &bus, e));
	TRY(bus_stop_unit(&bus, cg->unit, e));
	cgroup_close(cg);
	return 0;
}
