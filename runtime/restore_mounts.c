#include "runtime/restore_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "mounts/rootfd.h"
#include "mounts/tree.h"
#include "runtime/external.h"

static int mount_layers(const struct creation *c, struct err *e)
{
	auto_fd int place = open(c->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd int tree = -1;

	if (place < 0)
		return err_sys(e, "open the container's root %s", c->rootfs);
	tree = mount_overlay_open(c->plan.mounts.overlay, e);
	TRY(tree);
	return mount_attach(tree, place, c->rootfs, e);
}

/* CRIU takes the root from a mount point. */
int restore_mounts_prepare(const struct creation *c, struct err *e)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(e, "make the helper's mounts its own");
	if (c->plan.mounts.overlay)
		return mount_layers(c, e);
	if (mount(c->rootfs, c->rootfs, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_sys(e, "make %s a mount point", c->rootfs);
	return 0;
}

static int make_place(int root, const struct external *place, struct err *e)
{
	auto_fd int fd = -1;
	struct stat st = { .st_mode = S_IFDIR };

	if (place->source && stat(place->source, &st) < 0)
		return err_sys(e, "restore: stat %s", place->source);
	fd = S_ISDIR(st.st_mode) ? rootfd_make_dir(root, place->path, 0755, e)
				 : rootfd_make_file(root, place->path, 0644, e);
	return fd < 0 ? fd : 0;
}

int restore_mounts_make_places(const struct creation *c, struct arena *a, struct err *e)
{
	auto_fd int root = open(c->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	externals places;

	if (root < 0)
		return err_sys(e, "open the container's root %s", c->rootfs);
	externals_places(&c->plan.mounts, c->bundle, a, &places);
	for (size_t i = 0; i < places.n; i++)
		TRY(make_place(root, &places.at[i], e));
	return 0;
}

/*
 * In a user namespace CRIU cannot reach what lies below directories that are the engine's alone, nor
 * give binds their id maps. So each bind is made here, and attached to a place that anybody reaches.
 */

/* A directory of the host's that is none of those above the root: it is covered for a while, for us alone. */
static const char *find_cover(const struct creation *c)
{
	static const char *const directories[] = { "/mnt", "/media", "/srv", "/opt", "/home" };
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
		const char *d = directories[i];

		if (lstat(d, &st) == 0 && S_ISDIR(st.st_mode) &&
		    strncmp(c->rootfs, d, strlen(d)) != 0)
			return d;
	}
	return NULL;
}

static int show_source(int tree, const char *place, struct err *e)
{
	auto_fd int fd = -1;
	struct stat st;

	if (fstat(tree, &st) < 0)
		return err_sys(e, "restore: stat a mount");
	if (S_ISDIR(st.st_mode) ? mkdir(place, 0755) < 0 : mknod(place, S_IFREG | 0644, 0) < 0)
		return err_sys(e, "restore: make %s", place);
	fd = open(place, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "restore: open %s", place);
	return mount_attach(tree, fd, place, e);
}

static int attach_all(const char *cover, const int *trees, externals *list, struct arena *a,
		      struct err *e)
{
	if (mount("tmpfs", cover, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755") < 0)
		return err_sys(e, "restore: mount a tmpfs on %s", cover);
	for (size_t i = 0; i < list->n; i++) {
		if (trees[i] < 0)
			continue;
		list->at[i].source = arena_printf(a, "%s/%zu", cover, i);
		TRY(show_source(trees[i], list->at[i].source, e));
	}
	return 0;
}

/* All are opened before one of them could be covered. The descriptors end with the helper. */
static int show_sources(const struct creation *c, externals *list, struct arena *a, struct err *e)
{
	const char *cover = find_cover(c);
	int *trees = arena_array(a, list->n + 1, sizeof(*trees));

	if (!cover)
		return err_set(e, ENOENT,
			       "restore: a user namespace: no directory to show its mounts at, as "
			       "/mnt would be");
	for (size_t i = 0; i < list->n; i++) {
		const struct mount_op *op = list->at[i].op;

		trees[i] = op ? mount_bind_open(op, MS_SLAVE, c->init.bundle, e) : -1;
		if (op)
			TRY(trees[i]);
	}
	return attach_all(cover, trees, list, a, e);
}

/* What we have open has another name for CRIU. */
static int name_open_ones(externals *list, struct arena *a, struct err *e)
{
	static const char ours[] = "/proc/self/fd/";

	for (size_t i = 0; i < list->n; i++) {
		const char *source = list->at[i].source;
		auto_free char *path = NULL;

		if (strncmp(source, ours, strlen(ours)) != 0)
			continue;
		path = realpath(source, NULL);
		if (!path)
			return err_sys(e, "restore: find %s", source);
		list->at[i].source = arena_strdup(a, path);
	}
	return 0;
}

int restore_mounts_name(const struct creation *c, struct criu *criu, struct arena *a, struct err *e)
{
	const char *cgroup;
	externals list, all;
	mountinfo host;

	TRY(criu_cgroup_path(&c->cgroup, a, &cgroup, e));
	externals_plan(&c->plan.mounts, c->bundle, c->plan.user_namespace ? cgroup : NULL, a,
		       &list);
	TRY(name_open_ones(&list, a, e));
	if (c->plan.user_namespace && c->restore->kept)
		TRY(show_sources(c, &list, a, e));
	TRY(mountinfo_read("/proc/self/mountinfo", a, &host, e));
	externals_with_mounts(&list, &host, a, &all);
	for (size_t i = 0; i < all.n; i++)
		TRY(criu_ok(criu->add_ext_mount(all.at[i].path, all.at[i].source), e));
	return 0;
}
