#include "engine/containers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "engine/attach.h"
#include "engine/files.h"
#include "engine/gone.h"
#include "engine/happened.h"
#include "engine/keep.h"
#include "engine/netjoin.h"
#include "engine/rootfs.h"
#include "engine/volumes.h"

enum { KEEPER_WAIT_MS = 10 * 1000, KILL_WAIT_MS = 10 * 1000, STATUS_UNSEEN = 255 };

int engine_start_made(const struct engine *g, struct making *m, int *ret_status, struct err *e)
{
	*ret_status = 0;
	if (m->record.detached)
		return keep_detached(g, m, e);
	return keep_foreground(g, m, ret_status, e);
}

int engine_follow_made(const struct engine *g, struct making *m, const struct attach_wish *how,
		       struct attach_end *ret, struct err *e)
{
	auto_fd int fd = -1;
	sigset_t before;

	attach_block_signals(how, &before);
	if (keep_attached(g, m, &fd, e) < 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return -e->code;
	}
	/* Or it would seem to be kept for as long as we live. */
	close_fd(&m->lock);
	TRY(attach_run(fd, how, &before, ret, e));
	if (!ret->left && m->record.remove)
		TRY(record_wait(m->dir, -1, e));
	return 0;
}

/* Opens a container and takes its lock: -EBUSY when somebody keeps it. */
static int open_locked(const struct engine *g, const char *who, struct making *m, struct err *e)
{
	*m = (struct making)MAKING_NONE;
	TRY(record_find(g, who, m->id, e));
	m->dir = record_open(g, m->id, &m->record, e);
	TRY(m->dir);
	m->written = true;
	m->lock = record_lock(m->dir, e);
	return m->lock < 0 ? m->lock : 0;
}

/* Whether it runs though nobody keeps it: its keeper was killed. -EBUSY then. */
static int check_orphan(const struct engine *g, const struct making *m, struct err *e)
{
	auto_state struct state state = { 0 };
	int r = container_state(g->rt, m->id, &state, e);

	if (r == -ENOENT)
		return 0;
	TRY(r);
	if (state.status == STATE_RUNNING || state.status == STATE_PAUSED)
		return err_set(e, EBUSY, "the container is running");
	return 0;
}

int engine_open_stopped(const struct engine *g, const char *who, struct making *m, struct err *e)
{
	int r = open_locked(g, who, m, e);

	if (r == -EBUSY && m->dir >= 0) {
		TRY(files_wait(m->dir, e));
		making_done(m);
		r = open_locked(g, who, m, e);
	}
	return r < 0 ? r : check_orphan(g, m, e);
}

int engine_start(const struct engine *g, const char *who, bool attach, int *ret_status,
		 struct err *e)
{
	auto_making struct making m = MAKING_NONE;
	int r = engine_open_stopped(g, who, &m, e);

	*ret_status = 0;
	if (r == -EBUSY && !attach)
		return 0; /* runs already, as Docker sees it */
	if (r < 0)
		return err_wrap(e, "start %s", who);
	/* What a killed keeper left of an ended one. */
	TRY(container_delete(g->rt, m.id, true, e));
	m.record.detached = !attach;
	m.again = true;
	return engine_start_made(g, &m, ret_status, e);
}

/* Notes for the keeper that this end is wanted. */
static int note_stop(int dir, struct err *e)
{
	auto_status struct status s = { 0 };
	auto_fd int lock = status_lock(dir, e);

	TRY(lock);
	TRY(status_read(dir, &s, e));
	s.stopped = true;
	return status_write(dir, &s, e);
}

/* 1: its first process is *ret_pidfd; 0: it does not run. */
static int open_init(const struct engine *g, const char *id, struct state *ret, int *ret_pidfd,
		     struct err *e)
{
	int r = container_state(g->rt, id, ret, e);

	if (r == -ENOENT || (r >= 0 && ret->pid <= 0))
		return 0;
	TRY(r);
	*ret_pidfd = pidfd_open(ret->pid, 0);
	if (*ret_pidfd < 0)
		return errno == ESRCH ? 0 : err_sys(e, "open the container's process");
	return 1;
}

/* 1: it has ended; 0: not within `ms` (-1: however long that takes). */
static int wait_init(int pidfd, int ms, struct err *e)
{
	struct pollfd fd = { pidfd, POLLIN, 0 };
	int r;

	while ((r = poll(&fd, 1, ms)) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for the container's process");
	return r;
}

/* Sends a signal and waits for init's end, 1; -ETIME. Not running is success, 0. */
static int signal_and_wait(const struct engine *g, const char *id, int signal, int ms,
			   struct err *e)
{
	auto_state struct state state = { 0 };
	auto_fd int pidfd = -1;
	int r = open_init(g, id, &state, &pidfd, e);

	if (r <= 0)
		return r;
	r = container_kill(g->rt, id, signal, false, e);
	if (r == -ESRCH)
		return 0;
	TRY(r);
	if (state.status == STATE_PAUSED && signal != SIGKILL)
		r = container_resume(g->rt, id, e);
	TRY(r);
	r = wait_init(pidfd, ms, e);
	return r == 0 ? err_set(e, ETIME, "the container is still running") : r;
}

int engine_stop(const struct engine *g, const char *who, int64_t timeout, struct err *e)
{
	auto_record struct record record = { 0 };
	char id[RECORD_ID_LEN + 1];
	auto_fd int dir = -1;
	int r;

	TRY(record_find(g, who, id, e));
	dir = record_open(g, id, &record, e);
	TRY(dir);
	TRY(note_stop(dir, e));
	if (timeout < 0)
		timeout = record.stop_timeout;
	if (timeout > INT_MAX / 1000) /* 24 days, which is all that poll(2) can wait */
		timeout = INT_MAX / 1000;
	r = signal_and_wait(g, id, record.stop_signal ? record.stop_signal : SIGTERM,
			    (int)timeout * 1000, e);
	if (r == -ETIME)
		r = signal_and_wait(g, id, SIGKILL, KILL_WAIT_MS, e);
	if (r < 0)
		return err_wrap(e, "stop %s", who);
	if (record_wait(dir, KEEPER_WAIT_MS, e) < 0)
		return err_wrap(e, "stop %s", who);
	/* Where nobody keeps it any more, it is ours to put away. */
	TRY(container_delete(g->rt, id, true, e));
	if (r > 0)
		happened(g, &record, "stop", NULL, NULL);
	return netjoin_release(g, &record, e);
}

int engine_remove_locked(const struct engine *g, struct making *m, bool volumes, struct err *e)
{
	struct err pin = { 0 }, why = { 0 };
	auto_fd int joins = -1;

	TRY(container_delete(g->rt, m->id, true, e));
	/* Who would connect it to a network waits, and then finds it gone. */
	joins = joins_lock(m->dir, m->id, e);
	TRY(joins);
	/* Who wants it gone wants that more: on a full disk above all. */
	if (gone_keep(g, m->dir, &m->record, &why) < 0)
		log_warn("hull why will not know container %.12s: %s", m->id, why.msg);
	TRY(record_remove(g, m->id, m->record.name, e));
	if (image_store_unpin(&g->store, m->id, &pin) < 0 && pin.code != ENOENT)
		log_warn("%s", pin.msg);
	if (volumes)
		volumes_drop(g, &m->record);
	happened(g, &m->record, "destroy", NULL, NULL);
	return 0;
}

int engine_remove(const struct engine *g, const char *who, bool force, bool volumes, struct err *e)
{
	auto_making struct making m = MAKING_NONE;
	int r = open_locked(g, who, &m, e);

	if (r == -EBUSY && force) {
		TRY(engine_stop(g, m.id, 0, e));
		making_done(&m);
		r = open_locked(g, who, &m, e);
		if (r == -ENOENT)
			return 0; /* it was one with --rm */
	}
	if (r >= 0 && !force)
		r = check_orphan(g, &m, e);
	if (r == -EBUSY)
		return err_set(e, EBUSY,
			       "cannot remove %s: it is running; stop it first, or use --force",
			       who);
	TRY(r);
	/* Its keeper, if it was killed, has left the network as it was. */
	TRY(container_delete(g->rt, m.id, true, e));
	TRY(netjoin_release(g, &m.record, e));
	return engine_remove_locked(g, &m, volumes, e);
}

/* Of one that is removed when it ends nobody could read how it did: its keeper says it. */
static int wait_told(int dir, struct err *e)
{
	auto_fd int fd = attach_connect(dir, e);
	int status;

	TRY(fd);
	TRY(attach_wait(fd, &status, e));
	return status;
}

/* One whose keeper was killed may go on. */
static int wait_orphan(const struct engine *g, const char *id, struct err *e)
{
	auto_state struct state state = { 0 };
	auto_fd int pidfd = -1;
	int r = open_init(g, id, &state, &pidfd, e);

	return r > 0 ? wait_init(pidfd, -1, e) : r;
}

/* Its keeper was killed, or the machine stopped: what is not known is no success. */
static bool end_is_unseen(const struct status *s)
{
	return s->started && !s->finished;
}

int engine_wait(const struct engine *g, const char *who, struct err *e)
{
	auto_record struct record record = { 0 };
	auto_status struct status status = { 0 };
	char id[RECORD_ID_LEN + 1];
	auto_fd int dir = -1;
	struct stat st;

	TRY(record_find(g, who, id, e));
	dir = record_open(g, id, &record, e);
	TRY(dir);
	if (record.remove) {
		int r = wait_told(dir, e);

		if (r != -ENOTCONN) /* it does not run, now */
			return r;
	}
	TRY(record_wait(dir, -1, e));
	TRY(wait_orphan(g, id, e));
	if (fstat(dir, &st) < 0)
		return err_sys(e, "look at container %s", who);
	if (!st.st_nlink)
		return err_set(e, ENOENT,
			       "container %s was removed when it ended: how it did is not known any more",
			       who);
	TRY(status_read(dir, &status, e));
	return end_is_unseen(&status) ? STATUS_UNSEEN : status.exit_code;
}

int engine_view(const struct engine *g, const char *id, struct container_view *ret, struct err *e)
{
	auto_container_view struct container_view v = { .state = STATE_STOPPED };
	auto_state struct state state = { 0 };
	auto_fd int dir = record_open(g, id, &v.record, e);
	int r;

	TRY(dir);
	memcpy(v.id, id, RECORD_ID_LEN + 1);
	TRY(status_read(dir, &v.status, e));
	if (v.record.health.test.n)
		TRY(health_read(dir, &v.health, e));
	r = container_state(g->rt, id, &state, e);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r >= 0) {
		v.state = state.status;
		v.pid = state.pid > 0 ? state.pid : 0;
	}
	if (v.state == STATE_STOPPED && end_is_unseen(&v.status) && record_wait(dir, 0, NULL) == 0) {
		v.status.exit_code = STATUS_UNSEEN;
		v.status.error = "its keeper was killed, so nobody saw how it ended";
	}
	*ret = v;
	v = (struct container_view){ 0 };
	return 0;
}

void container_view_done(struct container_view *v)
{
	record_done(&v->record);
	status_done(&v->status);
	health_done(&v->health);
}

const char *container_view_status(const struct container_view *v)
{
	if (v->state == STATE_STOPPED && v->status.checkpointed)
		return "checkpointed";
	if (v->state == STATE_STOPPED)
		return v->status.started || v->status.finished ? "exited" : "created";
	return v->state == STATE_PAUSED    ? "paused"
	       : v->state == STATE_RUNNING ? "running"
					   : "created";
}

int engine_open_root(const struct engine *g, const struct container_view *v, struct err *e)
{
	auto_arena struct arena a = { 0 };
	const struct mount_overlay *overlay = rootfs_overlay(g, &v->record, &a);
	const char *path = v->record.rootfs;
	int fd;

	if (v->pid)
		path = arena_printf(&a, "/proc/%d/root", v->pid);
	else if (overlay)
		return mount_overlay_open(overlay, e);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open the container's root file system") : fd;
}
