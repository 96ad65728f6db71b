#include "cgroups/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "cgroups/driver.h"
#include "cgroups/grow.h"
#include "cgroups/holder.h"
#include "cgroups/limits.h"
#include "cgroups/owner.h"
#include "cgroups/procs.h"

enum {
	MAKE_TRIES = 1000, /* against others who remove the parent at the same time */
};

static int open_directory(int mount, const char *path)
{
	int fd = sys_openat2(mount, cgroup_below_mount(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

	return fd < 0 ? -errno : fd;
}

void cgroup_close(struct cgroup *cg)
{
	close_fd(&cg->fd);
	holder_end(&cg->holder);
	free(cg->path);
	free(cg->unit);
	*cg = (struct cgroup)CGROUP_CLOSED;
}

static struct cgroup take(struct cgroup *cg)
{
	struct cgroup taken = *cg;

	*cg = (struct cgroup)CGROUP_CLOSED;
	return taken;
}

int cgroup_open(const struct cgroup_host *host, const char *path, struct cgroup *ret, struct err *e)
{
	int fd = host->fd < 0 ? -ENOENT : open_directory(host->fd, path);

	if (fd < 0)
		return err_neg(e, fd, "open cgroup %s", path);
	*ret = (struct cgroup){ .fd = fd, .mount = host->fd, .path = mem_strdup(path) };
	return 0;
}

int cgroup_open_below(const struct cgroup *cg, const char *path, struct cgroup *ret, struct err *e)
{
	auto_buf struct buf below = { 0 }, whole = { 0 };
	int fd;

	buf_printf(&below, "/%s", path + strspn(path, "/"));
	buf_printf(&whole, "%s%s", cg->path, below.len > 1 ? below.text : "");
	fd = open_directory(cg->fd, below.text);
	if (fd == -EXDEV)
		return err_set(e, EXDEV, "%s leads out of cgroup %s", json_quote(path).text,
			       cg->path);
	if (fd < 0)
		return err_neg(e, fd, "open cgroup %s", whole.text);
	*ret = (struct cgroup){ .fd = fd, .mount = cg->mount, .path = mem_strdup(whole.text) };
	return 0;
}

void cgroup_set_unit(struct cgroup *cg, const struct cgroup_host *host, const char *unit, bool user,
		     uid_t owner)
{
	cg->foreign = user != host->user || (user && owner != geteuid());
	if (cg->foreign) {
		log_debug("unit %s is of another systemd than ours", unit);
		return;
	}
	free(cg->unit);
	cg->unit = mem_strdup(unit);
	cg->user = host->user;
	cg->driver = CGROUP_DRIVER_SYSTEMD;
}

void cgroup_set_name(struct cgroup *cg, const struct cgroup_host *host, const char *path,
		     unsigned made)
{
	*cg = (struct cgroup){
		.fd = -1, .mount = host->fd, .path = mem_strdup(path), .made = made
	};
}

int cgroup_missing(const struct cgroup_host *host, const char *path, struct err *e)
{
	auto_free char *above = mem_strdup(path);
	int n = 1;

	for (char *slash; (slash = strrchr(above, '/')) && slash > above; n++) {
		*slash = '\0';
		if (faccessat(host->fd, cgroup_below_mount(above), F_OK, 0) == 0)
			break;
		if (errno == EACCES) /* so nothing can be made there */
			break;
		if (errno != ENOENT)
			return err_sys(e, "look for cgroup %s", above);
	}
	return n;
}

/*
 * Making
 */

/* How many components a path like "/b/c" has. */
static unsigned components(const char *path)
{
	unsigned n = 0;

	for (; (path = strchr(path, '/')); path++)
		n++;
	return n;
}

/* Makes the missing parents. From the first that was missing on, everything is ours. */
static int make_parents(struct cgroup *cg, struct err *e)
{
	auto_free char *path = mem_strdup(cg->path);

	cg->made = 0;
	for (char *slash = path + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		if (mkdirat(cg->mount, cgroup_below_mount(path), 0755) == 0)
			cg->made = cg->made ? cg->made : 1 + components(cg->path + (slash - path));
		else if (errno != EEXIST && errno != ENOENT)
			return err_sys(e, "make cgroup %s", path);
	}
	return 0;
}

/*
 * The usual case is one mkdirat() and one openat2(). If a parent is missing
 * now, or goes between the two because the end of another container emptied
 * it, all is tried again.
 */
static int make_directory(struct cgroup *cg, struct err *e)
{
	const struct strings none = { 0 };
	struct err unused = { 0 };

	for (int i = 0; i < MAKE_TRIES; i++) {
		bool made = mkdirat(cg->mount, cgroup_below_mount(cg->path), 0755) == 0;

		if (!made && errno == ENOENT) {
			TRY(make_parents(cg, e));
			if (cg->made)
				cgroup_hand_out(cg, &none, &unused);
			continue;
		}
		if (!made && errno != EEXIST)
			return err_sys(e, "make cgroup %s", cg->path);
		cg->made = !made ? 0 : cg->made ? cg->made : 1;
		cg->fd = open_directory(cg->mount, cg->path);
		if (cg->fd >= 0)
			return 0;
		if (cg->fd != -ENOENT)
			return err_neg(e, cg->fd, "open cgroup %s", cg->path);
	}
	return err_set(e, EAGAIN, "make cgroup %s: others keep removing what is above it",
		       cg->path);
}

static bool may_do_without(const struct cgroup_plan *plan, int r)
{
	return plan->rootless && (r == -EACCES || r == -EPERM || r == -EROFS);
}

/* A line that the user sees only if something was asked for that now is missing. */
static void log_none(const struct cgroup_plan *plan, const char *why)
{
	if (plan->values.n > 0)
		log_warn("no cgroup, so %s is not set: %s", plan->values.at[0].member, why);
	else
		log_debug("no cgroup: %s", why);
}

/* The controllers that this host's cgroups may have. */
static struct strings all_controllers(struct arena *a, const struct cgroup *cg)
{
	struct strings all = { 0 };
	char have[512];
	int r = io_read_value(cg->mount, "cgroup.controllers", have, sizeof(have));

	for (const char *at = have; r == 0 && *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		*grow_list(a, &all) = arena_strndup(a, at, len);
		at += len;
	}
	return all;
}

/* What all this is for is that the container may use controllers, so it gets what there are. */
static int give_owner(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct err unused = { 0 }, why = { 0 };
	struct strings all;
	int r;

	if (!plan->owner.set)
		return 0;
	all = all_controllers(&a, cg);
	cgroup_hand_out(cg, &all, &unused);
	if (plan->owner.value == geteuid())
		return 0;
	r = owner_apply(cg, plan->owner.value, &why);
	if (may_do_without(plan, r)) {
		log_info("the container cannot use its cgroup: %s", why.msg);
		return 0;
	}
	return r < 0 ? err_set(e, -r, "%s", why.msg) : 0;
}

int cgroupfs_fill(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *e)
{
	TRY(cgroupfs_apply(cg, plan, e));
	return give_owner(cg, plan, e);
}

int cgroup_guard(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *e)
{
	if (cg->fd < 0)
		return 0;
	if (plan->devices.n)
		return devices_attach(cg->fd, &plan->devices, cg->made > 0, e);
	log_debug("cgroup %s: no device policy, which a user namespace does not need", cg->path);
	return 0;
}

static int fill(struct cgroup *cg, const struct cgroup_plan *plan, struct err *e)
{
	TRY(cgroup_check_fit(cg, e));
	return cgroupfs_fill(cg, plan, e);
}

static void give_back(struct cgroup *cg)
{
	struct err e = { 0 };

	if (cg->made && cgroupfs_destroy(cg, &e) < 0)
		log_warn("%s", e.msg);
	cgroup_close(cg);
}

int cgroupfs_make(const struct cgroup_host *host, const struct cgroup_plan *plan,
		  struct cgroup *ret, struct err *e)
{
	auto_cgroup struct cgroup cg = CGROUP_CLOSED;
	struct err why = { 0 };
	int r;

	if (!plan->path) {
		log_none(plan, "the caller has none of its own");
		*ret = take(&cg);
		return 0;
	}
	cg.mount = host->fd;
	cg.path = mem_strdup(plan->path);
	r = make_directory(&cg, &why);
	if (may_do_without(plan, r)) {
		log_none(plan, why.msg);
		give_back(&cg);
		*ret = take(&cg);
		return 0;
	}
	if (r == 0)
		r = fill(&cg, plan, &why);
	if (r < 0) {
		give_back(&cg);
		return err_set(e, -r, "%s", why.msg);
	}
	*ret = take(&cg);
	return 0;
}
