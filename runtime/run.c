/*
 * run.c - create, and create with start in one go.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "process/notify.h"
#include "process/relay.h"
#include "process/signals.h"
#include "runtime/container.h"
#include "runtime/creation.h"
#include "runtime/executor.h"
#include "runtime/handshake.h"
#include "runtime/held.h"
#include "runtime/hooks.h"
#include "runtime/lifecycle.h"
#include "runtime/listener.h"
#include "runtime/lookout.h"
#include "runtime/oom.h"
#include "security/denials.h"
#include "security/seal.h"

int runtime_seal(char *const argv[], char *const envp[], struct err *e)
{
	return seal_self(argv, envp, e);
}

int container_create(const struct runtime *rt, const struct create_request *req, struct err *e)
{
	auto_creation struct creation c;

	creation_init(&c, rt, req);
	TRY(creation_check(&c, e));
	return creation_run(&c, e);
}

/* Our own NOTIFY_SOCKET, if the container has one. */
static int open_notify(const struct creation *c, struct notify *ret, struct err *e)
{
	const char *host = getenv("NOTIFY_SOCKET"); /* NOLINT(concurrency-mt-unsafe) */

	return c->notify_dir ? notify_open(c->dir, host, ret, e) : 0;
}

/* GO, and the answer: the end of the handshake is a program that runs. */
static int start(struct creation *c, struct err *e)
{
	if (c->req->before_start)
		TRY(c->req->before_start(c->req->before_start_ctx, c->state.pid, e));
	if (c->executor->connect)
		TRY(c->executor->connect(c->dir, c->state.pid, &c->spec, e));
	TRY(handshake_send(c->sock, SAY_GO, 0, -1, e));
	if (c->plan.seccomp.notify)
		TRY(listener_pass_on(c->sock, c->spec.linux.seccomp, &c->state, c->state.pid,
				     c->pidfd, e));
	TRY(handshake_expect_end(c->sock, e));
	c->state.status = STATE_RUNNING;
	return hooks_run(&c->spec, SPEC_HOOK_POSTSTART, &c->state, e);
}

static int create_and_start(struct creation *c, struct notify *notify, struct err *e)
{
	TRY(creation_run(c, e));
	if (c->restore) {
		c->state.status = STATE_RUNNING;
		if (hooks_run(&c->spec, SPEC_HOOK_POSTSTART, &c->state, e) < 0) {
			creation_undo(c);
			return -e->code;
		}
	} else if (open_notify(c, notify, e) < 0 || start(c, e) < 0) {
		creation_undo(c);
		return -e->code;
	}
	creation_unlock(c);
	return 0;
}

/* What container_delete() says when the container is not kept. */
static void log_fate(const struct creation *c)
{
	auto_state struct state state = { 0 };
	struct err e = { 0 };

	if (container_state(c->rt, c->req->id, &state, &e) < 0) {
		log_warn("%s", e.msg);
		return;
	}
	oom_log(&state);
	held_log(&state);
}

static void look(void *ctx)
{
	lookout_look(ctx);
}

static void look_last(void *ctx)
{
	lookout_last(ctx);
}

static int run_foreground(struct creation *c, const struct run_request *req, int *ret_status,
			  struct err *e)
{
	auto_relay struct relay relay = RELAY_NONE;
	auto_notify struct notify notify = NOTIFY_NONE;
	auto_lookout struct lookout lookout = LOOKOUT_NONE;
	time_t began = time(NULL);

	relay.subreaper = true;
	/* Before the program exists, so that no signal is lost. */
	TRY(relay_prepare(&relay, e));
	TRY(create_and_start(c, &notify, e));
	lookout_open(&lookout, &c->cgroup);
	relay.events = &lookout.events;
	relay.on_event = look;
	relay.on_end = look_last;
	relay.ctx = &lookout;
	relay.pid = c->state.pid;
	relay.pidfd = c->pidfd;
	relay.master = c->master;
	relay.notify = c->notify_dir ? &notify : NULL;
	/* Nobody would wait for its program, or tell how it ended. */
	if (relay_run(&relay, ret_status, e) < 0) {
		struct err why = { 0 };

		if (container_delete(c->rt, req->create.id, true, &why) < 0)
			log_warn("%s", why.msg);
		return -e->code;
	}
	lookout_save(&lookout, c->rt, req->create.id);
	if (req->fate && *ret_status != 0)
		denials_read(c->state.pid, began, &req->fate->denied);
	if (req->keep)
		log_fate(c);
	return req->keep ? 0 : lifecycle_end(c->rt, req->create.id, &c->spec, req->fate, e);
}

static int supervise(struct creation *c, struct container_process *ret, struct err *e)
{
	auto_notify struct notify notify = NOTIFY_NONE;

	c->starts = true;
	c->relays = true;
	TRY(creation_check(c, e));
	TRY(create_and_start(c, &notify, e));
	ret->pid = c->state.pid;
	ret->pidfd = take_fd(&c->pidfd);
	ret->master = take_fd(&c->master);
	ret->lookout = mem_zalloc(sizeof(*ret->lookout));
	*ret->lookout = (struct lookout)LOOKOUT_NONE;
	lookout_open(ret->lookout, &c->cgroup);
	return 0;
}

int container_run_supervised(const struct runtime *rt, const struct create_request *req,
			     struct container_process *ret, struct err *e)
{
	auto_creation struct creation c;

	creation_init(&c, rt, req);
	return supervise(&c, ret, e);
}

int container_restore_supervised(const struct runtime *rt, const struct restore_request *req,
				 struct container_process *ret, struct err *e)
{
	auto_creation struct creation c;
	int before = 0, r;

	creation_init(&c, rt, &req->create);
	c.restore = req;
	/* It is the child of a helper, and ours when that ends; later orphans are others'. */
	if (prctl(PR_GET_CHILD_SUBREAPER, &before) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(e, "become the parent of what is restored");
	r = supervise(&c, ret, e);
	if (prctl(PR_SET_CHILD_SUBREAPER, before) < 0)
		log_warn("restore: %s", err_text(errno));
	return r;
}

void container_signals(sigset_t *ret)
{
	signals_taken(ret);
	sigdelset(ret, SIGCHLD);
}

int container_process_events(const struct container_process *p)
{
	return p->lookout ? p->lookout->events : -1;
}

void container_process_look(struct container_process *p)
{
	if (p->lookout)
		lookout_look(p->lookout);
}

void container_process_ended(struct container_process *p)
{
	if (p->lookout)
		lookout_last(p->lookout);
}

void container_process_save(const struct container_process *p, const struct runtime *rt,
			    const char *id)
{
	if (p->lookout)
		lookout_save(p->lookout, rt, id);
}

void container_process_done(struct container_process *p)
{
	if (p->lookout)
		lookout_close(p->lookout);
	free(p->lookout);
	p->lookout = NULL;
	close_fd(&p->pidfd);
	close_fd(&p->master);
}

int container_restore(const struct runtime *rt, const struct restore_request *req, int *ret_status,
		      struct err *e)
{
	const struct run_request run = { .create = req->create, .detach = req->detach };
	auto_creation struct creation c;
	auto_notify struct notify notify = NOTIFY_NONE;

	creation_init(&c, rt, &run.create);
	c.restore = req;
	c.starts = true;
	c.relays = !req->detach;
	TRY(creation_check(&c, e));
	if (!req->detach)
		return run_foreground(&c, &run, ret_status, e);
	*ret_status = 0;
	return create_and_start(&c, &notify, e);
}

int container_run(const struct runtime *rt, const struct run_request *req, int *ret_status,
		  struct err *e)
{
	auto_creation struct creation c;
	auto_notify struct notify notify = NOTIFY_NONE;

	creation_init(&c, rt, &req->create);
	c.starts = true;
	c.relays = !req->detach;
	TRY(creation_check(&c, e));
	if (!req->detach)
		return run_foreground(&c, req, ret_status, e);
	*ret_status = 0;
	TRY(create_and_start(&c, &notify, e));
	return notify_relay(&notify, c.state.pid, c.pidfd, e);
}
