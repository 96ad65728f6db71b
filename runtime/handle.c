#include "runtime/handle.h"

#include <errno.h>

#include "cgroups/procs.h"
#include "runtime/gate.h"
#include "runtime/process_stat.h"
#include "runtime/store.h"

static int open_cgroup(struct handle *h, struct err *e)
{
	int r;

	if (!h->state.cgroup || h->cgroup.fd >= 0)
		return 0;
	if (h->host.fd < 0)
		TRY(cgroup_host_open(0, &h->host, e));
	r = cgroup_open(&h->host, h->state.cgroup, &h->cgroup, e);
	return r == -ENOENT ? 0 : r;
}

/* What the stored state and the kernel make of the container's status. */
static int judge(struct handle *h, struct err *e)
{
	struct state *s = &h->state;
	int r;

	h->pidfd = process_open(s->pid, s->pid_start);
	if (h->pidfd < 0 && h->pidfd != -ESRCH)
		return err_neg(e, h->pidfd, "look for the container's process %d", s->pid);
	s->status = !s->ready             ? STATE_CREATING
		    : h->pidfd < 0        ? STATE_STOPPED
		    : gate_exists(h->dir) ? STATE_CREATED
					  : STATE_RUNNING;
	if (s->status == STATE_STOPPED)
		s->pid = 0;
	TRY(open_cgroup(h, e));
	if ((s->status != STATE_RUNNING && s->status != STATE_CREATED) || h->cgroup.fd < 0)
		return 0;
	r = cgroup_is_frozen(&h->cgroup, e);
	if (r > 0)
		s->status = STATE_PAUSED;
	return r < 0 ? r : 0;
}

static int load(struct handle *h, struct err *e)
{
	int r;

	state_done(&h->state);
	close_fd(&h->pidfd);
	r = store_load_state(h->dir, h->id, &h->state, e);
	h->begun = r != -ENOENT;
	if (r == -ENOENT) {
		h->state.id = h->id;
		h->state.status = STATE_CREATING;
		h->state.oci_version = h->state.bundle = h->state.rootfs = h->state.created = "";
		return 0;
	}
	TRY(r);
	return judge(h, e);
}

int handle_open(struct handle *h, const struct runtime *rt, const char *id, struct err *e)
{
	TRY(store_check_id(id, e));
	h->id = id;
	h->root = store_open_root(rt->root, false, e);
	if (h->root == -ENOENT)
		return err_set(e, ENOENT, "container does not exist");
	TRY(h->root);
	h->dir = store_open(h->root, id, e);
	TRY(h->dir);
	return load(h, e);
}

int handle_lock(struct handle *h, struct err *e)
{
	TRY(store_lock(h->dir, h->id, e));
	return load(h, e);
}

void handle_close(struct handle *h)
{
	close_fd(&h->pidfd);
	close_fd(&h->dir);
	close_fd(&h->root);
	cgroup_close(&h->cgroup);
	cgroup_host_close(&h->host);
	state_done(&h->state);
}
