#include "runtime/handle.h"

#include <errno.h>
#include <sys/stat.h>

#include "cgroups/procs.h"
#include "runtime/executor.h"
#include "runtime/gate.h"
#include "runtime/oom.h"
#include "runtime/process_stat.h"
#include "runtime/store.h"

/* Whether the cgroup that has the container's name is the one that was made for it. */
static int is_own(const struct handle *h, struct err *e)
{
	struct stat st;

	if (h->cgroup.fd < 0)
		return 0;
	if (fstat(h->cgroup.fd, &st) < 0)
		return err_sys(e, "stat cgroup %s", h->state.cgroup);
	return st.st_ino == h->state.cgroup_inode;
}

static int open_cgroup(struct handle *h, struct err *e)
{
	enum cgroup_driver_kind driver = CGROUP_DRIVER_CGROUPFS;
	const struct state *s = &h->state;
	int r;

	h->unsure = false;
	if (!s->cgroup || h->cgroup.fd >= 0)
		return 0;
	cgroup_close(&h->cgroup);
	if (s->cgroup_driver && cgroup_driver_find(s->cgroup_driver, &driver) < 0)
		return err_set(e, ENOTSUP,
			       "state.json: this hull does not know the cgroup driver \"%s\"",
			       s->cgroup_driver);
	if (h->host.fd < 0)
		TRY(cgroup_host_open(0, &h->host, e));
	/* Its create ended before it had one, so that nothing of ours is in what has its name. */
	if (!s->cgroup_inode && !s->ready) {
		h->unsure = true;
		cgroup_set_name(&h->cgroup, &h->host, s->cgroup, s->cgroup_made);
	} else {
		r = cgroup_open(&h->host, s->cgroup, &h->cgroup, e);
		if (r < 0 && r != -ENOENT)
			return r;
		/* If ours is gone, what has its name now, cgroup or unit, is somebody else's. */
		r = s->cgroup_inode ? is_own(h, e) : 1;
		if (r <= 0)
			cgroup_close(&h->cgroup);
		TRY(r);
		if (r == 0)
			return 0;
	}
	if (driver == CGROUP_DRIVER_SYSTEMD && s->unit)
		cgroup_set_unit(&h->cgroup, &h->host, s->unit,
				s->unit_user.set ? s->unit_user.value : s->owner != 0, s->owner);
	return 0;
}

/* What the stored state and the kernel make of the container's status. */
static int judge(struct handle *h, struct err *e)
{
	struct state *s = &h->state;
	const pid_t init = s->pid;
	int r, waits = 0;

	h->pidfd = process_open(s->pid, s->pid_start);
	if (h->pidfd < 0 && h->pidfd != -ESRCH)
		return err_neg(e, h->pidfd, "look for the container's process %d", s->pid);
	if (s->ready && h->pidfd >= 0)
		waits = gate_exists(h->dir, e);
	TRY(waits);
	s->status = !s->ready      ? STATE_CREATING
		    : h->pidfd < 0 ? STATE_STOPPED
		    : waits        ? STATE_CREATED
				   : STATE_RUNNING;
	if (s->status == STATE_STOPPED)
		s->pid = 0;
	TRY(open_cgroup(h, e));
	if (s->status == STATE_STOPPED)
		oom_look(&h->cgroup, init, s);
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
	h->executor = &executor_process;
	if (r == -ENOENT) {
		h->state.id = h->id;
		h->state.status = STATE_CREATING;
		h->state.oci_version = h->state.bundle = h->state.rootfs = h->state.created = "";
		return 0;
	}
	TRY(r);
	TRY(executor_find(h->rt, h->state.executor, &h->executor, e));
	return judge(h, e);
}

int handle_open(struct handle *h, const struct runtime *rt, const char *id, struct err *e)
{
	TRY(store_check_id(id, e));
	h->rt = rt;
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
