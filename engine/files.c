#include "engine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/lock.h"
#include "base/log.h"
#include "engine/rootfs.h"
#include "mounts/overlay.h"
#include "mounts/rootfd.h"
#include "mounts/tree.h"


static const char copying_name[] = "copying";

void files_close(struct files *f)
{
	close_fd(&f->root);
	close_fd(&f->lock);
	close_fd(&f->copying);
	close_fd(&f->dir);
	handle_close(&f->handle);
	spec_done(&f->spec);
	record_done(&f->record);
}

static int lock_copying(int dir, bool shared, struct err *e)
{
	auto_fd int fd = openat(dir, copying_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "open %s of the container", copying_name);
	TRY(lock_wait(fd, shared, "the container's files", e));
	return take_fd(&fd);
}

int files_wait(int dir, struct err *e)
{
	auto_fd int fd = lock_copying(dir, true, e);

	return fd < 0 ? fd : 0;
}

/* Where it runs: its root directory as it sees it now, of the process that we mean and no other. */
static int open_running(struct files *f, struct err *e)
{
	char path[64];

	if (f->handle.state.executor && strcmp(f->handle.state.executor, "process") != 0)
		return err_set(
			e, ENOTSUP,
			"it runs in a machine of its own (%s), whose files are not to be had from "
			"outside: stop it first",
			f->handle.state.executor);
	snprintf(path, sizeof(path), "/proc/%d/root", f->handle.state.pid);
	f->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->root < 0)
		return err_sys(e, "open its root directory");
	/* As long as it has not ended nobody else can have its number. */
	if (pidfd_send_signal(f->handle.pidfd, 0, NULL, 0) < 0)
		return err_set(e, ESRCH, "it has just ended; try again");
	return 0;
}

/* Whether it runs; then f->handle says what. */
static int find_running(struct files *f, struct err *e)
{
	int r = handle_open(&f->handle, f->g->rt, f->id, e);

	if (r == -ENOENT)
		return 0;
	TRY(r);
	f->running = f->handle.pidfd >= 0 && f->handle.state.pid > 0;
	if (f->running && f->record.userns.count) {
		/* As it sees them they have owners that only it knows. */
		if (f->write)
			return err_set(e, ENOTSUP,
				       "it runs in a user namespace of its own (--userns): stop it "
				       "before its files are written to");
		f->running = false;
	}
	return f->running ? open_running(f, e) : 0;
}

static int lock(struct files *f, struct err *e)
{
	f->copying = lock_copying(f->dir, false, e);
	TRY(f->copying);
	f->lock = record_lock(f->dir, e);
	if (f->lock == -EBUSY)
		return err_set(e, EBUSY, "it is just being started or ended; try again");
	return f->lock < 0 ? f->lock : 0;
}

static int open_files(struct files *f, struct err *e)
{

	TRY(record_read_spec(f->dir, &f->spec, e));
	TRY(find_running(f, e));
	if (f->running || !f->write)
		return 0;
	return lock(f, e);
}

int files_open(const struct engine *g, const char *who, enum files_view view, bool write,
	       struct files *ret, struct err *e)
{
	auto_files struct files f = FILES_NONE;

	f.g = g;
	f.view = view;
	f.write = write;
	TRY(record_find(g, who, f.id, e));
	f.dir = record_open(g, f.id, &f.record, e);
	TRY(f.dir);
	if (open_files(&f, e) < 0)
		return err_wrap(e, "container %s", who);
	*ret = f;
	ret->handle.id = ret->id;
	f = (struct files)FILES_NONE;
	return 0;
}

/*
 * One that does not run: its file system is put together as it was, in a
 * mount namespace that goes with the job.
 */

/* To be read only, what it changed is one more layer: nothing is written to it, and it needs no lock. */
static int open_layers(const struct files *f, struct err *e)
{
	auto_arena struct arena a = { 0 };
	const struct mount_overlay *own = f->write ? rootfs_overlay(f->g, &f->record, &a)
						   : rootfs_look(f->g, &f->record, true, &a);
	int fd;

	if (!own) {
		fd = open_tree(AT_FDCWD, f->record.rootfs,
			       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
		return fd < 0 ? err_sys(e, "open %s", f->record.rootfs) : fd;
	}
	return mount_overlay_open(own, e);
}

static bool has_option(const struct spec_mount *m, const char *name)
{
	for (size_t i = 0; i < m->options.n; i++)
		if (strcmp(m->options.at[i], name) == 0)
			return true;
	return false;
}

static bool is_bind(const struct spec_mount *m)
{
	return m->source && m->source[0] == '/' &&
	       (has_option(m, "bind") || has_option(m, "rbind") ||
		(m->type && strcmp(m->type, "bind") == 0));
}

/* The place of a mount; -ENOENT: there is none, and none is made where nothing may be written. */
static int open_place(const struct files *f, const struct spec_mount *m, int tree, struct err *e)
{
	int fd = rootfd_open(f->root, m->destination, O_PATH);
	struct stat st;

	if (fd != -ENOENT || !f->write)
		return fd;
	if (fstat(tree, &st) < 0)
		return err_sys(e, "look at %s", m->source);
	return S_ISDIR(st.st_mode) ? rootfd_make_dir(f->root, m->destination, 0755, e)
				   : rootfd_make_file(f->root, m->destination, 0644, e);
}

static int add_bind(const struct files *f, const struct spec_mount *m, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_fd int tree =
		open_tree(AT_FDCWD, m->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	auto_fd int place = -1;

	if (tree < 0 && errno == ENOENT) {
		log_warn("%s is not there any more: nothing is at %s", m->source, m->destination);
		return 0;
	}
	if (tree < 0)
		return err_sys(e, "open %s", m->source);
	place = open_place(f, m, tree, e);
	if (place == -ENOENT)
		return 0;
	if (place < 0)
		return err_neg(e, place, "open %s in the container", m->destination);
	if ((has_option(m, "ro") || has_option(m, "rro")) &&
	    mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_sys(e, "make %s read-only", m->destination);
	return mount_attach(tree, place, m->destination, e);
}

/* By its path: what was open before is of the mount namespace that we have left. */
static int open_rootfs(const struct files *f, struct err *e)
{
	auto_buf struct buf path = { 0 };
	int fd;

	buf_printf(&path, "%s/containers/%s/rootfs", f->g->path.text, f->id);
	fd = open(path.text, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open %s", path.text) : fd;
}

static int add_mounts(struct files *f, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_fd int place = open_rootfs(f, e);

	TRY(place);
	TRY(mount_attach(f->root, place, "the container's root", e));
	for (size_t i = 0; i < f->spec.mounts.n; i++)
		if (is_bind(&f->spec.mounts.at[i]))
			TRY(add_bind(f, &f->spec.mounts.at[i], e));
	if (f->spec.root.readonly &&
	    mount_setattr(f->root, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "make the container's root read-only");
	return 0;
}

/* The root of the mount namespace that we are in: the mount alone, without what is mounted on it. */
static int open_own(struct err *e)
{
	int fd = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return fd < 0 ? err_sys(e, "open the container's file system") : fd;
}

static int job(void *ctx, int sock, struct err *e)
{
	struct files *f = ctx;

	if (f->running && f->view == FILES_LAYERS) {
		close_fd(&f->root);
		f->root = open_own(e);
	} else if (!f->running) {
		f->root = open_layers(f, e);
	}
	TRY(f->root);
	if (!f->running && f->view == FILES_MOUNTED)
		TRY(add_mounts(f, e));
	return f->fn(f->ctx, f->root, sock, e);
}

int files_begin(struct files *f, files_fn *fn, void *ctx, struct userns_job *ret, struct err *e)
{
	int pidfd = f->running && f->view == FILES_LAYERS ? f->handle.pidfd : -1;

	f->fn = fn;
	f->ctx = ctx;
	return userns_begin(pidfd, job, f, ret, e);
}
