/*
 * update.c - new limits for a container that exists.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "cgroups/plan.h"
#include "runtime/handle.h"

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
	return spec_parse_resources(ret, a, name, text.text, text.len, e);
}

static int set(struct handle *h, struct spec_resources *resources, struct arena *a, struct err *e)
{
	auto_cgroup_host struct cgroup_host host = CGROUP_HOST_NONE;
	struct cgroup_plan plan = { 0 };

	TRY(cgroup_host_open(CGROUP_WANT_CONTROLLERS, &host, e));
	TRY(cgroup_complete(&h->cgroup, resources, e));
	TRY(cgroup_plan_update(a, &host, resources, &plan, e));
	for (size_t i = 0; i < plan.warnings.n; i++)
		log_warn("%s", plan.warnings.at[i]);
	return cgroup_apply(&h->cgroup, &plan, e);
}

int container_update(const struct runtime *rt, const struct update_request *req, struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;
	auto_arena struct arena a = { 0 };
	struct spec_resources resources = req->resources;

	if (req->file)
		TRY(read_resources(req->file, &a, &resources, e));
	/* containerd's CRI sends a rule that denies all with every update, and means nothing by it. */
	if (resources.devices.n)
		log_info("update: the devices are not looked at, the container keeps its policy");
	TRY(handle_open(&h, rt, req->id, e));
	TRY(handle_lock(&h, e));
	if (h.state.status == STATE_STOPPED || h.state.status == STATE_CREATING)
		return err_set(e, ESRCH, "container not running");
	if (h.cgroup.fd < 0)
		return err_set(e, ENOTSUP, "update container %s: it has no cgroup of its own",
			       h.id);
	return set(&h, &resources, &a, e);
}
