#include "cgroups/driver.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

static const struct cgroup_driver drivers[] = {
	[CGROUP_DRIVER_CGROUPFS] = { "cgroupfs", cgroupfs_make, cgroupfs_apply, NULL,
				     cgroupfs_destroy, cgroupfs_destroy_unused },
	[CGROUP_DRIVER_SYSTEMD] = { "systemd", systemd_make, systemd_apply, systemd_settle,
				    systemd_destroy, systemd_destroy_unused },
};

const char *cgroup_driver_name(enum cgroup_driver_kind kind)
{
	return drivers[kind].name;
}

int cgroup_driver_find(const char *name, enum cgroup_driver_kind *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
		if (strcmp(drivers[i].name, name) != 0)
			continue;
		*ret = (enum cgroup_driver_kind)i;
		return 0;
	}
	return -ENOENT;
}

int cgroup_make(const struct cgroup_host *host, const struct cgroup_plan *plan, struct cgroup *ret,
		struct err *e)
{
	return drivers[plan->driver].make(host, plan, ret, e);
}

/* The device policy first: of all that is set it is taken back best, at once and to the same program. */
int cgroup_apply(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *e)
{
	auto_devices_before struct devices_before before = DEVICES_UNCHANGED;
	struct err again;
	int r;

	if (cg->foreign)
		return err_set(e, ENOTSUP,
			       "set limits of cgroup %s: its unit is of another user's systemd, so "
			       "that user is to do it",
			       cg->path);
	if (plan->devices.n)
		TRY(devices_replace(cg->fd, &plan->devices, &before, e));
	r = drivers[cg->driver].apply(cg, plan, e);
	if (r < 0 && devices_put_back(cg->fd, &before, &again) < 0)
		log_warn("cgroup %s: %s", cg->path, again.msg);
	return r;
}

void cgroup_settle(struct cgroup *cg)
{
	if (drivers[cg->driver].settle)
		drivers[cg->driver].settle(cg);
}

int cgroup_destroy(struct cgroup *cg, struct err *e)
{
	return drivers[cg->driver].destroy(cg, e);
}

int cgroup_destroy_unused(struct cgroup *cg, struct err *e)
{
	return drivers[cg->driver].destroy_unused(cg, e);
}
