/*
 * update.c - new limits for a container that exists.
 */
#include "runtime/update.h"

#include <errno.h>
#include <fcntl.h>

#include "base/full.h"
#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "cgroups/plan.h"
#include "runtime/executor.h"
#include "runtime/store.h"

static int read_stdin(struct buf *ret, struct err *e)
{
	int r = io_slurp(STDIN_FILENO, JSON_MAX_SIZE, ret);

	return r < 0 ? err_neg(e, r, "read standard input") : 0;
}

static int read_resources(const char *file, struct arena *a, struct spec_resources *ret,
			  struct err *e)
{
	bool from_stdin = file[0] == '-' && !file[1];
	const char *name = from_stdin ? "standard input" : file;
	auto_buf struct buf text = { 0 };

	if (from_stdin)
		TRY(read_stdin(&text, e));
	else
		TRY(io_read_file(AT_FDCWD, file, JSON_MAX_SIZE, name, &text, e));
	TRY(spec_parse_resources(ret, a, name, text.text, text.len, e));
	/* An engine's 0 is a limit of processes that is not given (Docker's, runc's); a person's, by option, is one. */
	if (ret->pids_limit.set && ret->pids_limit.value == 0) {
		log_info("update: pids.limit is 0, as engines send what is not given: it stays as "
			 "it is");
		ret->pids_limit.set = false;
	}
	return 0;
}

/* Whether a limit may be below what is in use is a property of the container, until an update says otherwise. */
static int keep_check(const struct handle *h, struct spec_memory *memory, struct err *e)
{
	auto_spec struct spec spec = { 0 };

	if (memory->limit.value <= 0 || memory->check_before_update.set)
		return 0;
	TRY(store_load_config(h->dir, &spec, e));
	memory->check_before_update = spec.linux.resources.memory.check_before_update;
	return 0;
}

int update_cgroup(struct handle *h, struct spec_resources *resources, struct arena *a,
		  struct err *e)
{
	auto_cgroup_host struct cgroup_host host = CGROUP_HOST_NONE;
	struct cgroup_plan plan = { 0 };

	if (h->cgroup.fd < 0)
		return err_set(e, ENOTSUP, "update container %s: it has no cgroup of its own",
			       h->id);
	TRY(cgroup_host_open(CGROUP_WANT_CONTROLLERS, &host, e));
	TRY(cgroup_complete(&h->cgroup, resources, e));
	TRY(cgroup_plan_update(a, &host, resources, &plan, e));
	for (size_t i = 0; i < plan.warnings.n; i++)
		log_warn("%s", plan.warnings.at[i]);
	if (resources->devices.n && !plan.devices.n)
		log_info("update: the container keeps its device policy: %s",
			 host.rootless ? "without root there is none"
				       : "one rule that denies all is what engines always send");
	return cgroup_apply(&h->cgroup, &plan, e);
}

static int open_class(const struct handle *h, struct err *e)
{
	if (!h->state.rdt.name)
		return err_set(e, ENOTSUP,
			       "update container %s: it is in no class of resctrl (linux.intelRdt)",
			       h->id);
	return rdt_mount_open(e);
}

/* The class first: it says by itself what it was, and takes that back if the cgroup fails. */
static int set_both(struct handle *h, const struct update_request *req,
		    struct spec_resources *resources, struct arena *a, struct err *e)
{
	const struct spec_intel_rdt rdt = { .l3_cache_schema = req->l3_cache_schema,
					    .mem_bw_schema = req->mem_bw_schema };
	auto_buf struct buf old = { 0 };
	auto_fd int resctrl = -1;
	struct err again;
	int r;

	if (!rdt.l3_cache_schema && !rdt.mem_bw_schema)
		return h->executor->update(h, resources, a, e);
	resctrl = open_class(h, e);
	TRY(resctrl);
	r = rdt_group_update(resctrl, &h->state.rdt, &rdt, &old, e);
	if (r == 0)
		r = h->executor->update(h, resources, a, e);
	if (r < 0 && rdt_group_restore(resctrl, &h->state.rdt, &old, &again) < 0)
		log_warn("%s", again.msg);
	return r;
}

int container_update(const struct runtime *rt, const struct update_request *req, struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;
	auto_arena struct arena a = { 0 };
	struct spec_resources resources = req->resources;

	TRY(handle_open(&h, rt, req->id, e));
	if (h.cgroup.unit) /* systemd is to be asked; and what is read from a pipe is there only once */
		TRY(full_become(e));
	if (req->file)
		TRY(read_resources(req->file, &a, &resources, e));
	TRY(handle_lock(&h, e));
	if (h.state.status == STATE_STOPPED || h.state.status == STATE_CREATING)
		return err_set(e, ESRCH, "container not running");
	if (!h.executor->update)
		return executor_lacks(&h, "update", e);
	TRY(keep_check(&h, &resources.memory, e));
	return set_both(&h, req, &resources, &a, e);
}
