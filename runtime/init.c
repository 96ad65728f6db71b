/*
 * init.c - the rows, and what each does.
 *
 * Two orders carry the weight. What the container can influence (its root, its
 * mounts) is entered late, and whatever needs the host's /proc is opened
 * before. And each row has at most the privilege of the one before it: the
 * filter is last, since it may forbid what any other row does.
 */
#include "runtime/init.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/spawn.h"
#include "mounts/apply.h"
#include "mounts/rootfd.h"
#include "namespaces/settings.h"
#include "network/loopback.h"
#include "process/console.h"
#include "process/environment.h"
#include "process/executable.h"
#include "process/fds.h"
#include "process/listen_fds.h"
#include "process/notify.h"
#include "process/rlimits.h"
#include "process/scheduling.h"
#include "process/user.h"
#include "runtime/executor.h"
#include "runtime/gate.h"
#include "runtime/handshake.h"
#include "runtime/hooks.h"
#include "runtime/listener.h"
#include "security/keyring.h"
#include "security/lsm.h"
#include "security/privileges.h"

/* If hull dies before it has written down who we are, so do we. */
static int die_with_parent(struct init *in UNUSED, struct err *e)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, "set the parent's death signal");
	return 0;
}

static int new_session(struct init *in UNUSED, struct err *e)
{
	if (setsid() < 0 && errno != EPERM) /* a leader already, then */
		return err_sys(e, "make a session");
	spawn_reset_signals();
	umask(0); /* modes are exactly what the configuration says; the program's own comes later */
	return 0;
}

static int join_namespaces(struct init *in, struct err *e)
{
	/* The parent has joined the PID namespace for us: setns(2) would only do so for our children. */
	return in->joined ? 0 : ns_join(in->joins, 1U << SPEC_NS_PID, e);
}

/* From here on /proc/PID of this process is closed to the container (CVE-2016-9962). */
static int hide(struct init *in, struct err *e)
{
	/*
	 * In user and PID namespaces that were made for it there is nobody else yet who
	 * could look; and without root, whoever made it (a hook, pasta) could not reach
	 * its namespaces otherwise.
	 */
	if (in->why == FOR_CREATE && in->plan->writes_maps && !in->plan->parent_opens &&
	    in->plan->namespaces.clone & CLONE_NEWPID)
		return 0;
	return privileges_hide(e);
}

static int become_root(struct init *in, struct err *e)
{
	if (in->plan->writes_maps)
		TRY(handshake_expect(in->sock, SAY_GO, NULL, NULL, e));
	return in->plan->user_namespace ? user_become_root(e) : 0;
}

static int make_namespaces(struct init *in, struct err *e)
{
	return ns_make_later(&in->plan->namespaces, in->plan->spec, e);
}

static int keyring(struct init *in, struct err *e)
{
	enum keyring_use use = in->why == FOR_EXEC        ? KEYRING_JOINED
			       : in->plan->user_namespace ? KEYRING_USERNS
							  : KEYRING_OWN;

	return in->plan->new_keyring ? keyring_join(in->plan->id, use, e) : 0;
}

static int loopback(struct init *in, struct err *e)
{
	return in->plan->namespaces.clone & CLONE_NEWNET ? loopback_up(e) : 0;
}

static int sysctl(struct init *in, struct err *e)
{
	return sysctl_apply(in->proc, &in->plan->spec->linux.sysctl, e);
}

static int names(struct init *in, struct err *e)
{
	return names_apply(in->plan->spec, e);
}

/* A descriptor of the bundle that hull opened is of another mount namespace, and binds nothing here. */
static int open_sources(struct init *in, struct err *e)
{
	auto_fd int bundle = -1;

	if (in->plan->parent_opens || !in->plan->mounts.own_namespace)
		return 0;
	bundle = open(in->plan->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (bundle < 0)
		return err_sys(e, "open the bundle %s", in->plan->bundle);
	return mount_trees_open(&in->plan->mounts, bundle, &in->arena, &in->trees, e);
}

static int enter_root(struct init *in, struct err *e)
{
	if (in->plan->mounts.own_namespace)
		return mount_enter_root(&in->plan->mounts, &in->trees, e);
	in->trees.root = open(in->plan->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return in->trees.root < 0 ? err_sys(e, "open root.path %s", in->plan->rootfs) : 0;
}

static int mounts(struct init *in, struct err *e)
{
	return mount_apply(&in->plan->mounts, &in->trees, e);
}

static int devices(struct init *in, struct err *e)
{
	return mount_devices_apply(&in->plan->mounts, &in->trees, e);
}

static int prepared(struct init *in, struct err *e)
{
	if (!in->plan->meets_prepared)
		return 0;
	TRY(handshake_send(in->sock, SAY_PREPARED, 0, -1, e));
	return handshake_expect(in->sock, SAY_GO, NULL, NULL, e);
}

/* runtime.md, "State": in the container's namespaces the pid is the one that is seen there. */
static int hooks_within(struct init *in, enum spec_hook_kind kind, enum state_status status,
			struct err *e)
{
	struct state seen = *in->state; /* borrows its strings */

	seen.status = status;
	seen.pid = getpid();
	return hooks_run(in->plan->spec, kind, &seen, e);
}

static int create_container_hooks(struct init *in, struct err *e)
{
	return hooks_within(in, SPEC_HOOK_CREATE_CONTAINER, STATE_CREATING, e);
}

/* The working directory has to exist; it is made like everything below the root. */
static int make_cwd(struct init *in, struct err *e)
{
	auto_fd int fd = -1;

	if (!in->plan->process)
		return 0;
	fd = rootfd_make_dir(in->trees.root, in->plan->process->cwd, 0755, e);
	return fd < 0 ? err_wrap(e, "process.cwd") : 0;
}

static int pass_console(struct init *in, const struct console *c, struct err *e)
{
	unsigned number = 0;

	if (in->why == FOR_CREATE && in->plan->mounts.own_namespace)
		TRY(mount_console(in->trees.root, c->slave, e));
	if (ioctl(c->master, TIOCGPTN, &number) < 0)
		return err_sys(e, "process.terminal: ask for the terminal's number");
	TRY(handshake_send(in->sock, SAY_CONSOLE, (int32_t)number, c->master, e));
	return console_attach(c, e);
}

/* The terminal is of the container's own devpts, and its other end goes to hull. */
static int console(struct init *in, struct err *e)
{
	auto_console struct console c = CONSOLE_NONE;
	auto_fd int own_root = -1;

	if (!in->plan->terminal)
		return 0;
	if (in->why == FOR_EXEC) {
		own_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (own_root < 0)
			return err_sys(e, "open the container's root");
	}
	TRY(console_open(own_root < 0 ? in->trees.root : own_root, in->plan->process, &c, e));
	return pass_console(in, &c, e);
}

static int pivot(struct init *in, struct err *e)
{
	return mount_pivot(&in->plan->mounts, in->trees.root, e);
}

static bool wants_label(const struct spec_process *p)
{
	return p && (p->apparmor_profile || p->selinux_label);
}

/* Nothing is made in the container's tree any more. */
static int readonly(struct init *in, struct err *e)
{
	return mount_readonly_apply(&in->plan->mounts, &in->trees, e);
}

/* What we still need moves out of the way of the program's sockets, which are the first from 3 on. */
static int place_sockets(struct init *in, struct err *e)
{
	const struct plan *p = in->plan;
	int *ours[] = { &in->sock, &in->gate, &in->proc, &in->trees.root, &in->trees.null };

	if (!p->sockets)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		TRY(listen_fds_above(p->listen_fds, ours[i], e));
	for (size_t i = 0; i < in->n_hands; i++)
		TRY(listen_fds_above(p->listen_fds, &in->hands[i], e));
	return listen_fds_place(p->sockets, p->listen_fds, e);
}

/*
 * The host's descriptors go: those that we made, and what engines left open
 * in hull and would see held by a container that waits for its start.
 */
int init_leave_host(struct init *in, struct err *e)
{
	int keep[6 + INIT_HANDS_MAX];

	TRY(place_sockets(in, e));
	keep[0] = in->sock;
	keep[1] = in->gate;
	keep[2] = wants_label(in->plan->process) ? in->proc : -1;
	keep[3] = in->trees.root;
	keep[4] = in->trees.null;
	keep[5] = log_fd(); /* which is above all sockets */
	memcpy(keep + 6, in->hands, in->n_hands * sizeof(*keep));
	TRY(fds_close_others(3 + in->plan->preserve_fds, keep, 6 + in->n_hands, e));
	in->bundle = -1;
	in->trees.n_mounts = in->trees.n_devices = 0;
	if (!wants_label(in->plan->process))
		in->proc = -1;
	return 0;
}

static int protect(struct init *in, struct err *e)
{
	TRY(mount_protect(&in->plan->mounts, in->trees.root, in->trees.null, e));
	mount_trees_close(&in->trees);
	return 0;
}

static int own_null(struct init *in UNUSED, struct err *e)
{
	return fds_own_null(e);
}

static int scheduling(struct init *in, struct err *e)
{
	const struct plan *p = in->plan;

	if (!p->process)
		return 0;
	if (p->cpus)
		TRY(affinity_apply(p->cpus, e));
	else if (!p->first_cpus) /* with them, the kernel has decided when the cgroup was entered */
		affinity_reset();
	TRY(scheduler_apply(p->process->scheduler, e));
	TRY(io_priority_apply(p->process->io_priority, e));
	if (p->spec->linux.memory_policy && in->why == FOR_CREATE)
		TRY(memory_apply(&p->memory, e));
	if (p->spec->linux.personality)
		TRY(personality_apply(p->spec->linux.personality->domain, e));
	return 0;
}

static int bounding(struct init *in, struct err *e)
{
	return in->plan->process ? caps_bounding_apply(&in->plan->caps, e) : 0;
}

/* A directory that was left, or that lies outside the root, has no name in it (CVE-2024-21626). */
static int check_inside(const char *cwd, struct err *e)
{
	char path[PATH_MAX];

	if (!getcwd(path, sizeof(path)))
		return err_sys(e, "process.cwd: %s", cwd);
	if (path[0] != '/')
		return err_set(e, EPERM, "process.cwd: %s is outside of the container's root", cwd);
	return 0;
}

static int enter_cwd(const char *cwd, struct err *e)
{
	if (chdir(cwd) < 0)
		return err_sys(e, "process.cwd: chdir to %s", cwd);
	return check_inside(cwd, e);
}

/* Where the user may not enter it, root may have prepared it for them: so root tries first. */
static int cwd_as_root(struct init *in, struct err *e)
{
	int r = in->plan->process ? enter_cwd(in->plan->process->cwd, e) : 0;

	in->cwd_entered = r != -EACCES;
	return in->cwd_entered ? r : 0;
}

static int limits(struct init *in, struct err *e)
{
	const struct spec_process *p = in->plan->process;

	return p && !in->plan->raises_limits ? rlimits_apply(0, p, e) : 0;
}

static int user(struct init *in, struct err *e)
{
	const struct spec_process *p = in->plan->process;

	if (!p)
		return 0;
	user_own_stdio(p->user.uid);
	TRY(caps_keep(true, e));
	TRY(user_apply(&p->user, e));
	return caps_keep(false, e);
}

static int capabilities(struct init *in, struct err *e)
{
	return in->plan->process ? caps_apply(&in->plan->caps, in->plan->caps_until_filter, e) : 0;
}

static int cwd_as_user(struct init *in, struct err *e)
{
	return in->cwd_entered ? 0 : enter_cwd(in->plan->process->cwd, e);
}

/* The configuration's variables, and those that go with what we hand on. */
static int environment(struct init *in, struct err *e UNUSED)
{
	const struct spec_process *p = in->plan->process;
	const char *extra[LISTEN_FDS_ENV_MAX + 2];
	struct strings more = { .at = extra };

	if (!p)
		return 0;
	umask(p->user.umask.set ? p->user.umask.value & 0777 : 0022);
	if (!environment_get(&p->env, "HOME"))
		extra[more.n++] = arena_printf(&in->arena, "HOME=%s",
					       environment_home(p->user.uid, &in->arena));
	if (in->plan->notifies)
		extra[more.n++] = NOTIFY_ENV;
	more.n += listen_fds_env(in->plan->listen_fds, in->plan->socket_names, getpid(), &in->arena,
				 extra + more.n);
	in->env = environment_make(&p->env, &more, &in->arena);
	return 0;
}

static int executable(struct init *in, struct err *e)
{
	if (!in->plan->process)
		return 0;
	return executable_find(in->plan->process->args.at[0], environment_get(&in->env, "PATH"),
			       &in->arena, &in->executable, e);
}

/*
 * `created` is reached. From RECORDED (or GO) on, hull's end is not ours any
 * more; before that its death kills us, by signal or by the end of the socket.
 */
static int created(struct init *in, struct err *e)
{
	if (prctl(PR_SET_PDEATHSIG, 0) < 0)
		return err_sys(e, "clear the parent's death signal");
	TRY(handshake_send(in->sock, SAY_CREATED, 0, -1, e));
	if (in->gate < 0)
		return handshake_expect(in->sock, SAY_GO, NULL, NULL, e);
	in->conn = gate_wait(in->gate, in->sock, e);
	TRY(in->conn);
	/* What happens from now on is the answer to `start`. */
	close_fd(&in->gate);
	close(in->sock);
	in->sock = in->conn;
	if (!in->plan->process)
		return err_set(e, EINVAL,
			       "config.json has no process, so there is nothing to start");
	return 0;
}

static int start_container_hooks(struct init *in, struct err *e)
{
	return hooks_within(in, SPEC_HOOK_START_CONTAINER, STATE_CREATED, e);
}

/* By the host's procfs, the only descriptor of the host that is left by now. */
static int label(struct init *in, struct err *e)
{
	const struct spec_process *p = in->plan->process;

	TRY(lsm_apparmor_apply(in->proc, p->apparmor_profile, e));
	TRY(lsm_selinux_apply(in->proc, p->selinux_label, e));
	close_fd(&in->proc);
	return 0;
}

static int no_new_privileges(struct init *in, struct err *e)
{
	return in->plan->process->no_new_privileges ? privileges_no_new(e) : 0;
}

/* Descriptors that the program is to have stay; all others end with execve(2) (CVE-2024-21626). */
static int descriptors(struct init *in, struct err *e)
{
	unsigned keep = in->plan->preserve_fds;

	TRY(fds_close_on_exec(keep, e));
	for (unsigned fd = 3; fd < 3 + keep; fd++)
		if (fcntl((int)fd, F_SETFD, 0) < 0)
			return err_sys(e, "preserve descriptor %u", fd);
	return 0;
}

static int filter(struct init *in, struct err *e)
{
	const struct plan *p = in->plan;
	auto_fd int listener = -1;

	if (!p->spec->linux.seccomp)
		return 0;
	assert(p->seccomp.at); /* a forgotten plan_filter() must not run the program without it */
	if (p->caps_until_filter)
		TRY(caps_raise(p->caps_until_filter, e));
	if (p->shows_itself)
		TRY(privileges_show(e));
	TRY(seccomp_filter_load(&p->seccomp, &listener, e));
	/* At once: from now on anything but write(2) may need the agent's answer. */
	if (listener >= 0)
		TRY(listener_offer(in->sock, listener, e));
	return p->caps_until_filter ? caps_drop_extra(&p->caps, e) : 0;
}

static int execute(struct init *in, struct err *e)
{
	const struct strings *args = &in->plan->process->args;
	const char **argv = arena_array(&in->arena, args->n + 1, sizeof(*argv));

	memcpy(argv, args->at, args->n * sizeof(*argv));
	execve(in->executable, (char *const *)argv, (char *const *)in->env.at);
	return executable_diagnose(in->executable, errno, e);
}

static int become(struct init *in, struct err *e)
{
	return in->executor->become(in, e);
}

static int open_hands(struct init *in, struct err *e)
{
	return in->executor->ready(in, e);
}

void init_close_hands(struct init *in)
{
	for (size_t i = 0; i < in->n_hands; i++)
		close_fd(&in->hands[i]);
	in->n_hands = 0;
}

#define BOTH (FOR_CREATE | FOR_EXEC)
#define MAKE (FOR_CREATE | FOR_GUEST) /* what a container has once, whatever it is made of */
#define ALL (BOTH | FOR_GUEST)

/* clang-format off */
const struct init_step init_steps[] = {
	/* name                     for         stage           what */
	{ "die-with-parent",        ALL,        ON_HOST,        die_with_parent },
	{ "session",                ALL,        ON_HOST,        new_session },
	{ "hide",                   FOR_EXEC,   ON_HOST,        hide },
	{ "join-namespaces",        ALL,        IN_NAMESPACES,  join_namespaces },
	{ "become-root",            ALL,        IN_NAMESPACES,  become_root },
	{ "make-namespaces",        MAKE,       IN_NAMESPACES,  make_namespaces },
	{ "hide",                   MAKE,       IN_NAMESPACES,  hide },
	{ "keyring",                BOTH,       IN_NAMESPACES,  keyring },
	{ "loopback",               FOR_CREATE, IN_NAMESPACES,  loopback },
	{ "names",                  FOR_CREATE, IN_NAMESPACES,  names },
	{ "open-sources",           MAKE,       IN_NAMESPACES,  open_sources },
	{ "enter-root",             MAKE,       IN_NAMESPACES,  enter_root },
	{ "mounts",                 MAKE,       IN_NAMESPACES,  mounts },
	{ "devices",                FOR_CREATE, IN_NAMESPACES,  devices },
	{ "prepared",               ALL,        IN_NAMESPACES,  prepared },
	{ "createContainer-hooks",  MAKE,       IN_NAMESPACES,  create_container_hooks },
	{ "sysctl",                 FOR_CREATE, IN_NAMESPACES,  sysctl },
	{ "make-cwd",               MAKE,       IN_NAMESPACES,  make_cwd },
	{ "console",                BOTH,       IN_NAMESPACES,  console },
	{ "read-only",              MAKE,       IN_NAMESPACES,  readonly },
	{ "hands",                  FOR_GUEST,  IN_NAMESPACES,  open_hands },
	{ "leave-host",             ALL,        IN_ROOTFS,      init_leave_host },
	{ "pivot",                  MAKE,       IN_ROOTFS,      pivot },
	{ "protect",                MAKE,       IN_ROOTFS,      protect },
	{ "become",                 FOR_GUEST,  IN_ROOTFS,      become },
	{ "own-null",               BOTH,       IN_ROOTFS,      own_null },
	{ "scheduling",             BOTH,       IN_ROOTFS,      scheduling },
	{ "bounding-set",           BOTH,       IN_ROOTFS,      bounding },
	{ "cwd",                    BOTH,       IN_ROOTFS,      cwd_as_root },
	{ "limits",                 BOTH,       AS_USER,        limits },
	{ "user",                   BOTH,       AS_USER,        user },
	{ "capabilities",           BOTH,       AS_USER,        capabilities },
	{ "cwd-as-user",            BOTH,       AS_USER,        cwd_as_user },
	{ "environment",            BOTH,       AS_USER,        environment },
	{ "executable",             BOTH,       AS_USER,        executable },
	{ "created",                BOTH,       AS_USER,        created },
	{ "startContainer-hooks",   FOR_CREATE, AS_USER,        start_container_hooks },
	{ "label",                  BOTH,       AS_USER,        label },
	{ "no-new-privileges",      BOTH,       AS_USER,        no_new_privileges },
	{ "descriptors",            BOTH,       AS_USER,        descriptors },
	{ "filter",                 BOTH,       FILTERED,       filter },
	{ "execute",                BOTH,       FILTERED,       execute },
	{ 0 },
};
/* clang-format on */

int init_run(struct init *in, struct err *e)
{
	int64_t begin = log_wants(LOG_LEVEL_TRACE) ? io_now_us() : 0;

	for (const struct init_step *s = init_steps; s->name; s++) {
		if (!(s->why & in->why))
			continue;
		log_trace("init: %s", s->name);
		if (s->run(in, e) < 0) {
			log_debug("container init, step %s: %s", s->name, e->msg);
			return -e->code;
		}
		if (begin) {
			int64_t now = io_now_us();

			log_trace("init: %s took %lld us", s->name, (long long)(now - begin));
			begin = now;
		}
	}
	return err_set(e, EIO, "the container's init has come to its end");
}

_Noreturn void init_main(struct init *in)
{
	struct err e = { 0 };

	init_run(in, &e);
	handshake_fail(in->sock, &e);
	_exit(255);
}
