#include "cgroups/plan.h"

#include <errno.h>
#include <string.h>

#include "cgroups/grow.h"
#include "cgroups/owner.h"

/*
 * The path
 *
 * Absolute ones are below the mount, as the specification says. Others have
 * one fixed place (it also says that the same value must always mean the same
 * cgroup): CGROUP_PARENT below the root, and for a rootless caller beside its
 * own cgroup, because its own has processes and so can't hand out controllers.
 */

/* Adds the components of `more`; ".." goes up, but never above the root. */
static const char *join(struct arena *a, const char *base, const char *more)
{
	const char *path = base;

	while (*more) {
		size_t len = strcspn(more, "/");

		if (len == 2 && strncmp(more, "..", 2) == 0) {
			const char *last = strrchr(path, '/');

			path = last ? arena_strndup(a, path, (size_t)(last - path)) : "";
		} else if (len > 0 && !(len == 1 && *more == '.')) {
			path = arena_printf(a, "%s/%.*s", path, (int)len, more);
		}
		more += len + (more[len] == '/');
	}
	return path;
}

static int plan_path(struct arena *a, const struct cgroup_host *host, const char *wanted,
		     const char *id, const char **ret, struct err *e)
{
	const char *path, *first = wanted && *wanted ? wanted : id;

	if (wanted && *wanted != '/' && strchr(wanted, ':'))
		return err_set(
			e, EINVAL,
			"linux.cgroupsPath: \"%s\" is meant for systemd: give --systemd-cgroup",
			wanted);
	if (*first == '/') {
		path = join(a, "", first);
	} else if (host->rootless) {
		if (!*host->own) {
			*ret = NULL;
			return 0;
		}
		path = join(a, join(a, "", host->own), "../" CGROUP_PARENT);
		path = join(a, path, first);
	} else {
		path = join(a, "/" CGROUP_PARENT, first);
	}
	if (!*path)
		return err_set(e, EINVAL, "linux.cgroupsPath: \"%s\" is the root of all cgroups",
			       first);
	if (strlen(path) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "linux.cgroupsPath: the path is too long");
	*ret = path;
	return 0;
}

/* The limits */

static void need(struct arena *a, struct strings *controllers, const char *name)
{
	for (size_t i = 0; i < controllers->n; i++)
		if (strcmp(controllers->at[i], name) == 0)
			return;
	*grow_list(a, controllers) = name;
}

/* v1 calls the io controller by another name. */
static bool is_bound_to_v1(const struct cgroup_host *host, const char *controller)
{
	return cgroup_has_word(host->v1, strcmp(controller, "io") == 0 ? "blkio" : controller);
}

static int refuse(struct arena *a, const struct cgroup_host *host, const struct knob_value *v,
		  struct cgroup_plan *plan, struct err *e)
{
	const char *why =
		is_bound_to_v1(host, v->controller)
			? arena_printf(a,
				       "%s: the %s controller is bound to cgroup v1 on this host",
				       v->member, v->controller)
			: arena_printf(a, "%s: this host has no %s controller", v->member,
				       v->controller);

	if (!plan->rootless)
		return err_set(e, ENOTSUP, "%s", why);
	*grow_list(a, &plan->warnings) = why;
	return 0;
}

static int plan_values(struct arena *a, const struct cgroup_host *host,
		       const struct spec_resources *resources, struct cgroup_plan *plan,
		       struct err *e)
{
	struct knob_plan knobs = { 0 };

	TRY(knobs_plan(a, resources, &knobs, e));
	for (size_t i = 0; i < knobs.values.n; i++) {
		const struct knob_value *v = &knobs.values.at[i];

		if (v->controller && !cgroup_has_word(host->controllers, v->controller)) {
			/* CRI-O asks for unlimited pids; that can be had without pids. */
			if (!(v->flags & KNOB_DEFAULT))
				TRY(refuse(a, host, v, plan, e));
			continue;
		}
		*grow_list(a, &plan->values) = *v;
		if (v->controller)
			need(a, &plan->controllers, v->controller);
	}
	return 0;
}

/* The plan */

unsigned cgroup_wants(const struct spec *spec)
{
	const char *path = spec->linux.cgroups_path;

	return (knobs_any(&spec->linux.resources) ? CGROUP_WANT_CONTROLLERS : 0) |
	       (path && *path == '/' ? 0 : CGROUP_WANT_OWN);
}

static int plan_unit(struct arena *a, const struct cgroup_host *host, const struct spec *spec,
		     const char *id, struct cgroup_plan *plan, struct err *e)
{
	plan->driver = CGROUP_DRIVER_SYSTEMD;
	TRY(unit_plan(a, spec, id, host->user, &plan->values, &plan->unit, e));
	plan->path = join(a, join(a, "", host->manager), plan->unit.path);
	if (strlen(plan->path) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "linux.cgroupsPath: the path is too long");
	return 0;
}

int cgroup_plan(struct arena *a, const struct cgroup_host *host, const struct spec *spec,
		const char *id, struct cgroup_plan *ret, struct err *e)
{
	const struct spec_resources *resources = &spec->linux.resources;
	struct cgroup_plan plan = { .rootless = host->rootless };

	if (host->mode == CGROUP_NONE && (host->systemd || !host->rootless))
		return err_set(e, ENOTSUP,
			       "this host has no cgroup v2 at /sys/fs/cgroup, which limits and the "
			       "device policy need");
	TRY(plan_values(a, host, resources, &plan, e));
	if (host->systemd)
		TRY(plan_unit(a, host, spec, id, &plan, e));
	else
		TRY(plan_path(a, host, spec->linux.cgroups_path, id, &plan.path, e));
	if (host->mode == CGROUP_NONE)
		plan.path = NULL;
	plan.owner = owner_plan(spec);
	/* Who isn't the host's root may not load the program, and could not use mknod anyway. */
	if (!host->rootless)
		TRY(devices_plan(a, resources->devices.at, resources->devices.n, &plan.devices, e));
	*ret = plan;
	return 0;
}

/* Engines send with each update that all devices are denied (containerd's CRI), and mean nothing by it. */
static bool means_nothing(const struct spec_resources *resources)
{
	const struct spec_device_rule *first = resources->devices.at;

	return resources->devices.n == 0 ||
	       (resources->devices.n == 1 && !first->allow &&
		(first->type == 0 || first->type == 'a') && !first->major.set && !first->minor.set);
}

int cgroup_plan_update(struct arena *a, const struct cgroup_host *host,
		       const struct spec_resources *resources, struct cgroup_plan *ret,
		       struct err *e)
{
	struct cgroup_plan plan = { 0 };

	TRY(plan_values(a, host, resources, &plan, e));
	if (!host->rootless && !means_nothing(resources))
		TRY(devices_plan(a, resources->devices.at, resources->devices.n, &plan.devices, e));
	*ret = plan;
	return 0;
}
