/*
 * criu.h - the part of libcriu that checkpoint.c and restore.c need.
 *
 * libcriu.so.2 is opened only when asked for: hull does not link it. The types
 * and prototypes are those of <criu/criu.h>, which so need not be there to
 * build hull. It runs the program `criu`, from $PATH or where root has
 * programs, for each request.
 */
#ifndef HULL_RUNTIME_CRIU_H
#define HULL_RUNTIME_CRIU_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "cgroups/cgroup.h"
#include "runtime/container.h"

struct criu_notify; /* CriuNotify: opaque */

struct criu {
	void *library;
	int (*init_opts)(void);
	int (*set_service_binary)(const char *path);
	void (*set_notify_cb)(int (*cb)(char *action, struct criu_notify *notify));
	int (*notify_pid)(struct criu_notify *notify);
	int (*get_orphan_pts_master_fd)(void);
	void (*set_pid)(int pid);
	void (*set_images_dir_fd)(int fd);
	void (*set_work_dir_fd)(int fd);
	int (*set_parent_images)(const char *path);
	int (*set_root)(const char *root);
	int (*set_log_file)(const char *file);
	void (*set_log_level)(int level);
	void (*set_manage_cgroups)(bool manage);
	void (*set_manage_cgroups_mode)(int mode);
	int (*set_freeze_cgroup)(const char *path);
	void (*set_leave_running)(bool on);
	void (*set_track_mem)(bool on);
	void (*set_ext_unix_sk)(bool on);
	void (*set_tcp_established)(bool on);
	void (*set_tcp_skip_in_flight)(bool on);
	void (*set_tcp_close)(bool on);
	void (*set_shell_job)(bool on);
	void (*set_file_locks)(bool on);
	void (*set_link_remap)(bool on);
	void (*set_auto_dedup)(bool on);
	void (*set_orphan_pts_master)(bool on);
	void (*set_empty_ns)(int namespaces);
	int (*set_page_server_address_port)(const char *address, int port);
	int (*set_lsm_profile)(const char *name);
	int (*set_lsm_mount_context)(const char *context);
	int (*add_ext_mount)(const char *key, const char *value);
	int (*add_external)(const char *key);
	int (*add_inherit_fd)(int fd, const char *key);
	int (*join_ns_add)(const char *kind, const char *file, const char *option);
	int (*dump)(void);
	int (*pre_dump)(void);
	int (*restore_child)(void);
	int config; /* options that the library has no function for, as a file; 0: none */
};

/* Opens the library and sets what each request has: log, options. -ENOENT: no library, or no program. */
int criu_open(const struct criu_options *o, const char *log, struct criu *ret, struct err *e)
	MUST_CHECK;
void criu_close(struct criu *c);

/* Succeeds where it can be opened and says itself (`criu check`) that it does its work. */
int criu_check(struct err *e) MUST_CHECK;
#define auto_criu __attribute__((cleanup(criu_close)))

/*
 * Its directories, as descriptors: where images are (made when missing with
 * `make`, else they must be the caller's own and writable by nobody else: a
 * restored process has whatever rights they say), and where logs go.
 */
struct criu_directories {
	int images, work;
};
#define CRIU_DIRECTORIES_NONE            \
	{                                \
		.images = -1, .work = -1 \
	}
int criu_open_directories(const struct criu_options *o, bool make, struct criu_directories *ret,
			  struct err *e) MUST_CHECK;
void criu_close_directories(struct criu_directories *d);
#define auto_criu_directories __attribute__((cleanup(criu_close_directories)))

/* The error for a call that gave `r`: what CRIU itself wrote into its log, and where that is. */
int criu_failed(const struct criu_options *o, const struct criu_directories *d, const char *log,
		const char *verb, int r, struct err *e);

/* The path of the container's cgroup on the host, in *a; NULL: it has none. */
int criu_cgroup_path(const struct cgroup *cg, struct arena *a, const char **ret, struct err *e)
	MUST_CHECK;

/* A call whose failure can only be a lack of memory. */
int criu_ok(int r, struct err *e) MUST_CHECK;

#endif
