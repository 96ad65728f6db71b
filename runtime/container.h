/*
 * container.h - the life of a container: what the commands call.
 *
 *	           create            start             exits
 *	  (nothing) ------> created ------> running ---------> stopped
 *	                       |    kill       |  ^ pause/resume   |
 *	                       +-----> stopped v  |                | delete
 *	                                     paused                v
 *	                                                       (nothing)
 *
 * Each function is one verb of the runtime specification's lifecycle
 * (runtime.md) with runc's meaning for what the specification leaves open. It
 * opens what it needs under `rt->root`, takes the container's lock for as
 * long as it changes anything, and leaves things as they were if it fails.
 * Status values that come back follow the shell: 0..255, 128 + signal.
 */
#ifndef HULL_RUNTIME_CONTAINER_H
#define HULL_RUNTIME_CONTAINER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/opt.h"
#include "mounts/overlay.h"
#include "runtime/state.h"

struct executor;

/* What the global options say; lives as long as the command. */
struct runtime {
	const char *root;      /* state directory: --root, /run/hull, $XDG_RUNTIME_DIR/hull */
	bool cgroups_disabled; /* --cgroup-manager disabled */
	bool systemd_cgroup; /* --cgroup-manager systemd: who makes the cgroups of new containers */
	const char *program; /* argv[0]'s base name, for messages */
	const char *isolation; /* --isolation, or what the name says; NULL: nothing */
	const struct executor *const *executors; /* beside processes; ends with NULL; may be NULL */
};

/*
 * To be called before a command that makes a process in a container, and
 * before anything that a second run of main() would repeat: sees to it that no
 * container can reach the program's file (CVE-2019-5736), in place or by starting
 * over from a sealed copy (security/seal.h). Returns 0 once that is so.
 */
int runtime_seal(char *const argv[], char *const envp[], struct err *e) MUST_CHECK;

enum { CREATE_SOCKETS_MAX = 32 };

struct create_request {
	const char *id;
	const char *bundle;         /* directory with config.json */
	const char *console_socket; /* NULL without */
	const char *pid_file;       /* NULL without */
	const char *pidfd_socket;   /* gets a pidfd of the first process; NULL without */
	bool no_pivot;              /* move the root mount instead of pivot_root(2) */
	bool no_new_keyring;
	unsigned preserve_fds; /* descriptors 3 .. 3+n-1 go to the container */
	/*
	 * Sockets that we opened for its program, which finds them as sd_listen_fds(3) says; at most
	 * CREATE_SOCKETS_MAX, and not with preserve_fds. They stay ours to close.
	 */
	const int *sockets;
	unsigned n_sockets;
	const char *socket_names; /* LISTEN_FDNAMES */
	bool stays; /* who asks lives on for long: what takes much memory is left to another process */
	/* What the root file system is, mounted on root.path's directory; NULL: that directory. */
	const struct mount_overlay *overlay;
	/*
	 * Called by `run` when all is made and the program does not run yet, and by `restore` when the
	 * first process is in its namespaces; NULL: nothing.
	 */
	int (*before_start)(void *ctx, pid_t pid, struct err *e);
	void *before_start_ctx;
};

/* Makes the container up to `created`: everything but the user's program. */
int container_create(const struct runtime *rt, const struct create_request *req, struct err *e)
	MUST_CHECK;

/* What the kernel did to a container that has ended, in words; empty: nothing. */
struct container_fate {
	struct buf lack; /* for lack of memory */
	struct buf held; /* by its other limits, of processes, CPU time and I/O */
	struct buf denied; /* to its program, which failed (security/denials.h) */
};
#define auto_container_fate __attribute__((cleanup(container_fate_done)))
void container_fate_done(struct container_fate *fate);

struct run_request {
	struct create_request create;
	bool detach;                 /* return once the program runs */
	bool keep;                   /* leave a stopped container instead of deleting it */
	struct container_fate *fate; /* gets all of it; may be NULL */
};

/* create and start; in the foreground also wait, relay and delete. *ret_status is 0 if detached. */
int container_run(const struct runtime *rt, const struct run_request *req, int *ret_status,
		  struct err *e) MUST_CHECK;

/* What a supervisor holds of a container that it runs. */
struct container_process {
	pid_t pid;  /* init, a child of ours: whoever waits for it learns how it ended */
	int pidfd;  /* -1: none */
	int master; /* of its terminal, -1 without one */
	struct lookout *lookout;
};
/* clang-format off */
#define CONTAINER_PROCESS_NONE { .pidfd = -1, .master = -1, .lookout = NULL }
/* clang-format on */
#define auto_container_process __attribute__((cleanup(container_process_done)))
void container_process_done(struct container_process *p);

/*
 * What its limits do to it, for a supervisor to keep before it is lost (runtime/lookout.h): the
 * descriptor is to be polled for POLLIN, -1: there is none; look is for when that came, ended for
 * as soon as the process has, and save for before container_end().
 */
int container_process_events(const struct container_process *p);
void container_process_look(struct container_process *p);
void container_process_ended(struct container_process *p);
void container_process_save(const struct container_process *p, const struct runtime *rt,
			    const char *id);

/*
 * create and start, for a caller that stays and waits for the end: the program
 * has our standard streams, or a terminal whose master the caller gets.
 */
int container_run_supervised(const struct runtime *rt, const struct create_request *req,
			     struct container_process *ret, struct err *e) MUST_CHECK;

/* Lets the program of a created container go; its failure to execute is ours. */
int container_start(const struct runtime *rt, const char *id, struct err *e) MUST_CHECK;

/* A further process. Unset members (NULL, 0) take the container's own values. */
struct exec_request {
	const char *id;
	const char *
		process_file; /* --process: a bare process document; the rest below is then unused */
	struct strings args;  /* the command */
	struct strings env;   /* added to the container's */
	const char *cwd;
	const char *user;            /* "UID" or "UID:GID" */
	struct strings caps;         /* added to all sets but inheritable */
	LIST(const uint32_t) groups; /* additional */
	const char *apparmor, *selinux_label;
	int no_new_privs; /* -1: the container's value, else a boolean */
	bool terminal;
	bool detach;
	bool ignore_paused;
	const char *console_socket, *pid_file, *pidfd_socket;
	struct strings cgroups; /* at most one: PATH below the container's cgroup, or ":PATH" */
	unsigned preserve_fds;
	/* Keys in its terminal that leave it running (process/relay.h); who it is then is not said. */
	const char *leave;
	size_t n_leave;
};

int container_exec(const struct runtime *rt, const struct exec_request *req, int *ret_status,
		   struct err *e) MUST_CHECK;

/*
 * Sends `signal` to init, or with `all` to every process of the container: all
 * in its cgroup or else in its own PID namespace (-ENOTSUP: it has neither).
 */
int container_kill(const struct runtime *rt, const char *id, int signal, bool all, struct err *e)
	MUST_CHECK;

/*
 * The signals for a command that are meant for the program it shows, which are to be handed on by
 * container_kill(); with them SIGWINCH and SIGPIPE, which are the command's own.
 */
void container_signals(sigset_t *ret);

/*
 * Stops all processes of a container, created or running, where they are, and
 * lets them go on; returns when it is so.
 */
int container_pause(const struct runtime *rt, const char *id, struct err *e) MUST_CHECK;
int container_resume(const struct runtime *rt, const char *id, struct err *e) MUST_CHECK;

/* New limits; what is not in it, or zero or empty, stays as it is. */
struct update_request {
	const char *id;
	const char *file; /* a partial linux.resources as JSON, "-": standard input; NULL: below */
	struct spec_resources resources;
	const char *l3_cache_schema, *mem_bw_schema; /* of linux.intelRdt; NULL: as it is */
};

/* Sets all of them, or none. Devices are not among them: a container keeps its policy. */
int container_update(const struct runtime *rt, const struct update_request *req, struct err *e)
	MUST_CHECK;

/* What checkpoint and restore have in common (criu(8) says what each means). */
struct criu_options {
	const char *image_path; /* NULL: "checkpoint" */
	const char *work_path;  /* for logs; NULL: image_path */
	bool tcp_established, ext_unix_sk, shell_job, file_locks, auto_dedup;
	bool lazy_pages;                 /* the memory comes later, by `criu lazy-pages` */
	struct strings empty_ns;         /* "network" */
	const char *manage_cgroups_mode; /* NULL, "soft" or "ignore": hull places the processes */
};

struct checkpoint_request {
	const char *id;
	struct criu_options criu;
	const char
		*parent_path; /* relative to image_path: what is there need not be written again */
	const char *page_server; /* "ADDRESS:PORT" that takes the memory; NULL: it is written */
	struct opt_u64 status_fd; /* gets a zero byte when lazy pages can be asked for */
	bool leave_running, pre_dump, tcp_skip_in_flight, link_remap;
	/* Whoever keeps it waits for its end, deletes it, and brings its root and network for a restore. */
	bool kept;
};

/*
 * Writes the processes of a running or paused container and what they have into
 * files, by CRIU; unless it is to go on, the container is then deleted.
 */
int container_checkpoint(const struct runtime *rt, const struct checkpoint_request *req,
			 struct err *e) MUST_CHECK;

/*
 * Whether that can work here for new containers: -ENOTSUP they are no processes, -ENOENT CRIU or
 * its library is missing; else what `criu check` says of this kernel and this user.
 */
int container_checkpoint_works(const struct runtime *rt, struct err *e) MUST_CHECK;

struct restore_request {
	struct create_request create;
	struct criu_options criu;
	const char *lsm_profile, *lsm_mount_context;
	bool detach, tcp_close;
	bool kept; /* as of its checkpoint */
};

/*
 * Makes the container of a bundle run on from where `checkpoint` took it. What
 * it may do is what the bundle says; its processes are the files'. *ret_status
 * as of container_run().
 */
int container_restore(const struct runtime *rt, const struct restore_request *req, int *ret_status,
		      struct err *e) MUST_CHECK;

/* The same for a caller that stays, as container_run_supervised(). */
int container_restore_supervised(const struct runtime *rt, const struct restore_request *req,
				 struct container_process *ret, struct err *e) MUST_CHECK;

/*
 * Gives everything back. A running container is refused (-EBUSY) unless
 * `force`, which kills it; with `force` a missing one is success.
 */
int container_delete(const struct runtime *rt, const char *id, bool force, struct err *e)
	MUST_CHECK;

/* The same with `force`, of one that has ended: appends to *ret what the kernel did to it. */
int container_end(const struct runtime *rt, const char *id, struct container_fate *ret,
		  struct err *e) MUST_CHECK;

/* The container's state now; -ENOENT "container does not exist". Release with state_done(). */
int container_state(const struct runtime *rt, const char *id, struct state *ret, struct err *e)
	MUST_CHECK;

/* All containers of the root, sorted by id, in *a. Half-made ones are listed as "creating". */
struct state_list {
	struct state *at;
	size_t n;
};
int container_list(const struct runtime *rt, struct state_list *ret, struct err *e) MUST_CHECK;
void state_list_done(struct state_list *list);

/* Host pids of the processes of the container, ascending, in *a. */
struct pid_list {
	pid_t *at;
	size_t n;
};
int container_pids(const struct runtime *rt, const char *id, struct arena *a, struct pid_list *ret,
		   struct err *e) MUST_CHECK;
/* Its processes as `ps -ef` would show them, where the host's does not see them: 1. Else 0. */
int container_processes(const struct runtime *rt, const char *id, struct buf *ret, struct err *e)
	MUST_CHECK;

#endif
