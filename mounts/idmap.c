#include "mounts/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/sys.h"

enum { MAPPINGS_MAX = 340 }; /* UID_GID_MAP_MAX_EXTENTS */

/* "0-1000-65536" and whatever ends it; returns what follows, NULL if it is none. */
static const char *parse_mapping(const char *at, struct spec_idmap *ret)
{
	uint64_t numbers[3] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (i > 0 && *at++ != '-')
			return NULL;
		if (*at < '0' || *at > '9')
			return NULL;
		for (; *at >= '0' && *at <= '9'; at++) {
			numbers[i] = numbers[i] * 10 + (uint64_t)(*at - '0');
			if (numbers[i] > UINT32_MAX)
				return NULL;
		}
	}
	if (numbers[2] == 0 || numbers[0] + numbers[2] > UINT32_MAX ||
	    numbers[1] + numbers[2] > UINT32_MAX)
		return NULL;
	*ret = (struct spec_idmap){ .container_id = (uint32_t)numbers[0],
				    .host_id = (uint32_t)numbers[1],
				    .size = (uint32_t)numbers[2] };
	return at;
}

/*
 * Adds a mapping whose host side is ids of the container, by the host's ids that those are. It is
 * split where the container's mappings are; false: some id has none, or there are too many.
 */
static bool add_relative(const struct spec_idmap *m, const struct spec_idmaps *container,
			 struct spec_idmaps *ret)
{
	uint32_t done = 0;

	while (done < m->size) {
		const uint32_t id = m->host_id + done;
		const struct spec_idmap *in = NULL;
		uint32_t left;

		for (size_t i = 0; i < container->n && !in; i++)
			if (id >= container->at[i].container_id &&
			    id - container->at[i].container_id < container->at[i].size)
				in = &container->at[i];
		if (!in || ret->n == MAPPINGS_MAX)
			return false;
		left = in->size - (id - in->container_id);
		if (left > m->size - done)
			left = m->size - done;
		ret->at[ret->n++] = (struct spec_idmap){
			.container_id = m->container_id + done,
			.host_id = in->host_id + (id - in->container_id),
			.size = left,
		};
		done += left;
	}
	return true;
}

/* All of one kind, up to the ";" or the end. */
static const char *parse_list(const char *at, const struct spec_idmaps *container, struct arena *a,
			      struct spec_idmaps *ret, bool *unmapped)
{
	if (ret->n > 0)
		return NULL;
	ret->at = arena_array(a, MAPPINGS_MAX, sizeof(*ret->at));
	do {
		const bool relative = *at == '@';
		struct spec_idmap map;

		at = parse_mapping(at + relative, &map);
		if (!at || ret->n == MAPPINGS_MAX)
			return NULL;
		if (!relative)
			ret->at[ret->n++] = map;
		else if (!add_relative(&map, container, ret)) {
			*unmapped = true;
			return NULL;
		}
	} while (*at == '#' && at++);
	return *at == ';' || !*at ? at : NULL;
}

int mount_idmap_parse(const char *text, const struct mount_idmap *container, struct arena *a,
		      struct mount_idmap *ret, struct err *e)
{
	struct mount_idmap map = { 0 };
	bool unmapped = false;
	const char *at = text;

	while (at && *at) {
		if (strncmp(at, "uids=", 5) == 0)
			at = parse_list(at + 5, &container->uids, a, &map.uids, &unmapped);
		else if (strncmp(at, "gids=", 5) == 0)
			at = parse_list(at + 5, &container->gids, a, &map.gids, &unmapped);
		else
			at = NULL;
		if (at && *at == ';')
			at++;
	}
	if (unmapped)
		return err_set(e, EINVAL,
			       "\"%s\": \"@\" is for ids of the container, and its user namespace "
			       "does not map all of these",
			       text);
	if (!at || !map.uids.n || !map.gids.n)
		return err_set(e, EINVAL,
			       "\"%s\" is not of the form uids=FILE-HOST-SIZE#...;gids=...", text);
	*ret = map;
	return 0;
}

/* Its only work is to be in the namespace. It says by which number /proc knows it. */
_Noreturn static void hold_namespace(int pipe)
{
	char pid[32];
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	n = readlink("/proc/self", pid, sizeof(pid));
	if (n <= 0 || io_write_all(pipe, pid, (size_t)n) < 0)
		_exit(1);
	close(pipe);
	for (;;)
		pause();
}

static int write_map(const char *pid, const char *file, const struct spec_idmaps *maps,
		     struct err *e)
{
	auto_buf struct buf text = { 0 };
	char path[64];
	int r;

	for (size_t i = 0; i < maps->n; i++)
		buf_printf(&text, "%u %u %u\n", maps->at[i].container_id, maps->at[i].host_id,
			   maps->at[i].size);
	snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	r = io_write_value(AT_FDCWD, path, text.text);
	return r < 0 ? err_neg(e, r, "write the %s of an id-mapped mount", file) : 0;
}

static int map_namespace(const struct mount_idmap *map, int pipe, struct err *e)
{
	char pid[32] = "", path[64];
	ssize_t n = io_read_all(pipe, pid, sizeof(pid) - 1);
	int fd;

	if (n <= 0)
		return err_set(e, EIO,
			       "make a user namespace for an id-mapped mount: its process died");
	TRY(write_map(pid, "uid_map", &map->uids, e));
	TRY(write_map(pid, "gid_map", &map->gids, e));
	snprintf(path, sizeof(path), "/proc/%s/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open the user namespace for an id-mapped mount") : fd;
}

int mount_idmap_open(const struct mount_idmap *map, struct err *e)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	auto_fd int in = -1, out = -1;
	int ends[2], fd;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	in = ends[0];
	out = ends[1];
	pid = sys_clone3(&args);
	if (pid == 0)
		hold_namespace(out);
	if (pid < 0)
		return err_sys(e, "make a user namespace for an id-mapped mount");
	close_fd(&out);
	fd = map_namespace(map, in, e);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd;
}

/* What the owner of the tree's root has to become; false: nobody's number, whichever that is. */
static bool mapped(const struct spec_idmaps *maps, uint32_t id, uint32_t *ret)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct spec_idmap *m = &maps->at[i];

		if (id < m->container_id || id - m->container_id >= m->size)
			continue;
		*ret = m->host_id + (id - m->container_id);
		return true;
	}
	return false;
}

static int refused(const char *what, const char *source, struct err *e)
{
	if (errno == EINVAL)
		return err_set(e, ENOTSUP,
			       "%s: the file system of %s cannot be id-mapped by this kernel", what,
			       source);
	if (errno == EPERM)
		return err_set(
			e, EPERM,
			"%s: %s may not be id-mapped: it is already, or its file system belongs "
			"to another user namespace",
			what, source);
	return err_sys(e, "%s: id-map %s", what, source);
}

int mount_idmap_apply(const struct mount_idmap *map, int userns, int tree, const char *what,
		      const char *source, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };
	struct stat before, after;
	uint32_t uid, gid;

	if (fstat(tree, &before) < 0)
		return err_sys(e, "%s: stat %s", what, source);
	if (mount_setattr(tree, "", AT_EMPTY_PATH | (map->recursive ? AT_RECURSIVE : 0), &attr,
			  sizeof(attr)) < 0)
		return refused(what, source, e);
	if (fstat(tree, &after) < 0)
		return err_sys(e, "%s: stat %s", what, source);
	if ((mapped(&map->uids, before.st_uid, &uid) && uid != after.st_uid) ||
	    (mapped(&map->gids, before.st_gid, &gid) && gid != after.st_gid))
		return err_set(e, ENOTSUP, "%s: %s shows owner %u:%u, not what it was mapped to",
			       what, source, after.st_uid, after.st_gid);
	return 0;
}
