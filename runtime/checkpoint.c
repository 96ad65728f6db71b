/*
 * checkpoint.c - the processes of a container into files, by CRIU.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/util.h"
#include "runtime/criu.h"
#include "runtime/executor.h"
#include "runtime/external.h"
#include "runtime/handle.h"
#include "runtime/restore.h"
#include "runtime/store.h"

#define LOG_FILE "dump.log"

struct checkpoint {
	const struct checkpoint_request *req;
	struct handle *handle;
	struct spec spec;
	struct arena arena;
	struct criu_directories directories;
	struct criu criu;
	const char *cgroup; /* its path on the host, NULL: none */
};

static void checkpoint_done(struct checkpoint *c)
{
	criu_close(&c->criu);
	criu_close_directories(&c->directories);
	arena_done(&c->arena);
	spec_done(&c->spec);
}

/* What CRIU could write down and nobody could make again. */
static int check_spec(const struct spec *s, struct err *e)
{
	if (s->linux.net_devices.n)
		return err_set(e, ENOTSUP,
			       "checkpoint: linux.netDevices: a device of the host cannot be "
			       "written into a file");
	for (size_t i = 0; i < s->linux.namespaces.n; i++) {
		const struct spec_namespace *ns = &s->linux.namespaces.at[i];

		if (ns->path && !restore_namespace_name(ns->type))
			return err_set(e, ENOTSUP,
				       "checkpoint: linux.namespaces: CRIU cannot leave out the "
				       "joined namespace %s",
				       ns->path);
	}
	return 0;
}

/* Its mounts and streams that are the host's; external.h tells which. */
static int name_externals(struct checkpoint *c, struct err *e)
{
	const struct mount_facts facts = {
		.host_opens = true,
		.user_namespace = spec_namespace(&c->spec, SPEC_NS_USER) != NULL,
		.mount_namespace = true,
		.cgroup_namespace = spec_namespace(&c->spec, SPEC_NS_CGROUP) != NULL,
		.cgroup_dir = "/", /* its bind is of a cgroup, which is made again */
	};
	const struct state *s = &c->handle->state;
	struct external_streams streams;
	mountinfo container, host;
	struct mount_plan plan;
	struct strings names;
	externals list;

	TRY(mount_plan(&c->spec, s->rootfs, &facts, &c->arena, &plan, e));
	externals_plan(&plan, s->bundle, facts.user_namespace ? c->cgroup : NULL, &c->arena, &list);
	TRY(mountinfo_read(arena_printf(&c->arena, "/proc/%d/mountinfo", s->pid), &c->arena,
			   &container, e));
	TRY(mountinfo_read("/proc/self/mountinfo", &c->arena, &host, e));
	if (!c->req->kept)
		TRY(externals_check_root(&container, &host, e));
	TRY(externals_find(&list, &container, &host, &c->arena, &names, e));
	for (size_t i = 0; i < names.n; i++)
		TRY(criu_ok(c->criu.add_ext_mount(names.at[i], names.at[i]), e));
	TRY(external_streams_find(s->pid, &container, &c->arena, &streams, e));
	for (size_t i = 0; i < streams.names.n; i++)
		if (external_stream_is_file(streams.names.at[i]))
			TRY(criu_ok(c->criu.add_external(streams.names.at[i]), e));
	return external_streams_save(c->directories.images, &streams, e);
}

/* A joined namespace is somebody else's: only its name is written. */
static int name_namespaces(struct checkpoint *c, struct err *e)
{
	for (size_t i = 0; i < c->spec.linux.namespaces.n; i++) {
		const struct spec_namespace *ns = &c->spec.linux.namespaces.at[i];
		const char *name = restore_namespace_name(ns->type);
		struct stat st;
		char key[80];

		if (!ns->path || !restore_namespace_is_external(ns->type))
			continue;
		if (stat(arena_printf(&c->arena, "/proc/%d/ns/%s", c->handle->state.pid, name),
			 &st) < 0)
			return err_sys(e, "checkpoint: the container's %s namespace", name);
		snprintf(key, sizeof(key), "%s[%llu]:" RESTORE_NAMESPACE_KEY, name,
			 (unsigned long long)st.st_ino, name);
		TRY(criu_ok(c->criu.add_external(key), e));
	}
	return 0;
}

/* All of its processes stop at once, also such as are made meanwhile. */
static int name_cgroup(struct checkpoint *c, struct err *e)
{
	TRY(criu_cgroup_path(&c->handle->cgroup, &c->arena, &c->cgroup, e));
	return c->cgroup ? criu_ok(c->criu.set_freeze_cgroup(c->cgroup), e) : 0;
}

/* libcriu's callback has no argument for its caller. */
static int status_fd = -1;

static int on_notify(char *action, struct criu_notify *notify)
{
	(void)notify;
	if (status_fd < 0 || strcmp(action, "status-ready") != 0)
		return 0;
	if (write(status_fd, "", 1) != 1)
		log_warn("--status-fd: nobody reads that memory can be asked for: %s",
			 err_text(errno));
	close_fd(&status_fd);
	return 0;
}

/* Before anything is stopped: its copy in CRIU would be open as long as that serves. */
static int set_status_fd(const struct checkpoint *c, struct err *e)
{
	struct opt_u64 number = c->req->status_fd;
	int flags;

	if (!number.set)
		return 0;
	flags = number.value > INT_MAX ? -1 : fcntl((int)number.value, F_GETFL);
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return err_set(e, EBADF, "--status-fd: %llu: no descriptor that can be written to",
			       (unsigned long long)number.value);
	if (fcntl((int)number.value, F_SETFD, FD_CLOEXEC) < 0)
		return err_sys(e, "--status-fd: %llu", (unsigned long long)number.value);
	status_fd = (int)number.value;
	c->criu.set_notify_cb(on_notify);
	return 0;
}

/* What goes with --lazy-pages, and what does not. */
static int check_lazy_pages(const struct checkpoint_request *req, struct err *e)
{
	if (req->status_fd.set && !req->criu.lazy_pages)
		return err_set(e, EINVAL, "--status-fd: it goes with --lazy-pages");
	if (!req->criu.lazy_pages)
		return 0;
	if (!req->page_server)
		return err_set(e, EINVAL,
			       "--lazy-pages: it needs --page-server, with the port that the memory "
			       "is asked for at");
	if (req->pre_dump)
		return err_set(e, EINVAL,
			       "--lazy-pages: with --pre-dump the memory is written, not asked for");
	return 0;
}

static int set_page_server(struct checkpoint *c, struct err *e)
{
	const char *server = c->req->page_server, *colon = server ? strrchr(server, ':') : NULL;
	char *end = NULL;
	size_t length;
	long port;
	int r;

	if (!server)
		return 0;
	port = colon ? strtol(colon + 1, &end, 10) : 0;
	if (!colon || colon == server || *end || port < 1 || port > 65535)
		return err_set(e, EINVAL, "--page-server: %s: expected ADDRESS:PORT", server);
	length = (size_t)(colon - server);
	if (length > 2 && server[0] == '[' && colon[-1] == ']') { /* of IPv6 */
		server++;
		length -= 2;
	}
	r = c->criu.set_page_server_address_port(arena_strndup(&c->arena, server, length),
						 (int)port);
	/* CRIU 4.1's says that there is no memory also when it has done it. */
	return r == -ENOMEM ? 0 : criu_ok(r, e);
}

static int set_options(struct checkpoint *c, struct err *e)
{
	const struct checkpoint_request *req = c->req;
	struct criu *criu = &c->criu;

	criu->set_pid(c->handle->state.pid);
	criu->set_images_dir_fd(c->directories.images);
	criu->set_work_dir_fd(c->directories.work);
	criu->set_leave_running(req->leave_running);
	criu->set_link_remap(req->link_remap);
	criu->set_tcp_skip_in_flight(req->tcp_skip_in_flight);
	criu->set_orphan_pts_master(c->spec.process && c->spec.process->terminal);
	if (restore_leaves_network(&c->spec, req->kept))
		criu->set_empty_ns(CLONE_NEWNET);
	criu->set_track_mem(req->pre_dump || req->parent_path);
	if (req->parent_path) {
		if (req->parent_path[0] == '/')
			return err_set(
				e, EINVAL,
				"--parent-path: %s: expected a path relative to --image-path",
				req->parent_path);
		TRY(criu_ok(criu->set_parent_images(req->parent_path), e));
	}
	TRY(criu_ok(criu->set_root(c->handle->state.rootfs), e));
	TRY(set_page_server(c, e));
	TRY(set_status_fd(c, e));
	TRY(name_cgroup(c, e));
	TRY(name_externals(c, e));
	return name_namespaces(c, e);
}

static int write_files(struct checkpoint *c, struct err *e)
{
	const struct criu_options *o = &c->req->criu;
	int r;

	TRY(store_load_config(c->handle->dir, &c->spec, e));
	TRY(check_spec(&c->spec, e));
	TRY(criu_open(o, LOG_FILE, &c->criu, e));
	TRY(criu_open_directories(o, true, &c->directories, e));
	TRY(set_options(c, e));
	r = c->req->pre_dump ? c->criu.pre_dump() : c->criu.dump();
	return r < 0 ? criu_failed(o, &c->directories, LOG_FILE, "checkpoint", r, e) : 0;
}

int container_checkpoint(const struct runtime *rt, const struct checkpoint_request *req,
			 struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;
	struct checkpoint c = { .req = req, .handle = &h, .directories = CRIU_DIRECTORIES_NONE };
	int r;

	TRY(restore_check_options(&req->criu, "checkpoint", e));
	TRY(check_lazy_pages(req, e));
	TRY(handle_open(&h, rt, req->id, e));
	TRY(handle_lock(&h, e));
	if (h.executor != &executor_process)
		return executor_lacks(&h, "checkpoint", e);
	if (h.state.status != STATE_RUNNING && h.state.status != STATE_PAUSED)
		return err_set(e, EBUSY, "cannot checkpoint a container that is %s",
			       state_status_name(h.state.status));
	r = write_files(&c, e);
	checkpoint_done(&c);
	TRY(r);
	handle_close(&h);
	if (req->leave_running || req->pre_dump || req->kept)
		return 0;
	return container_delete(rt, req->id, true, e);
}

int container_checkpoint_works(const struct runtime *rt, struct err *e)
{
	const struct executor *executor;

	TRY(executor_find(rt, rt->isolation, &executor, e));
	if (executor != &executor_process)
		return err_set(
			e, ENOTSUP,
			"checkpoint is not supported yet for containers whose isolation is %s",
			executor->name);
	return criu_check(e);
}
