#include "namespaces/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/spawn.h"

struct map_file {
	const char *name;    /* in /proc/PID */
	const char *helper;  /* the program that may write it for us */
	const char *granted; /* where its grants stand */
};

static const struct map_file uid_file = { "uid_map", "newuidmap", "/etc/subuid" };
static const struct map_file gid_file = { "gid_map", "newgidmap", "/etc/subgid" };

static const char *const helper_dirs[] = { "/usr/bin", "/bin", "/usr/local/bin" };

int idmap_to_host(const struct spec_idmaps *maps, uint32_t id, uint32_t *ret)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct spec_idmap *m = &maps->at[i];

		if (id < m->container_id || id - m->container_id >= m->size)
			continue;
		/* (uid_t)-1 is nobody, and beyond it the numbers begin anew */
		if (id - m->container_id >= UINT32_MAX - m->host_id)
			return -ERANGE;
		*ret = m->host_id + (id - m->container_id);
		return 0;
	}
	return -ERANGE;
}

void idmap_format(const struct spec_idmaps *maps, struct buf *ret)
{
	buf_str(ret, "");
	for (size_t i = 0; i < maps->n; i++)
		buf_printf(ret, "%u %u %u\n", maps->at[i].container_id, maps->at[i].host_id,
			   maps->at[i].size);
}

/* The map that needs no privilege: one id, our own. */
static bool is_own_id(const struct spec_idmaps *maps, uint32_t own)
{
	return maps->n == 1 && maps->at[0].size == 1 && maps->at[0].host_id == own;
}

static int write_file(pid_t pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return io_write_value(AT_FDCWD, path, text);
}

static const char *find_helper(struct arena *a, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(helper_dirs); i++) {
		const char *path = arena_printf(a, "%s/%s", helper_dirs[i], name);

		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

static int run_helper(pid_t pid, const struct map_file *file, const struct spec_idmaps *maps,
		      struct err *e)
{
	auto_arena struct arena a = { 0 };
	const char **argv = arena_array(&a, 3 + 3 * maps->n, sizeof(*argv));
	struct spawn_request req = { .argv = argv };
	size_t n = 0;

	req.path = find_helper(&a, file->helper);
	if (!req.path)
		return err_set(e, ENOENT,
			       "write the %s: more than one's own id needs %s (package uidmap)",
			       file->name, file->helper);
	argv[n++] = file->helper;
	argv[n++] = arena_printf(&a, "%d", pid);
	for (size_t i = 0; i < maps->n; i++) {
		argv[n++] = arena_printf(&a, "%u", maps->at[i].container_id);
		argv[n++] = arena_printf(&a, "%u", maps->at[i].host_id);
		argv[n++] = arena_printf(&a, "%u", maps->at[i].size);
	}
	argv[n] = NULL;
	if (spawn_run(&req, NULL, e) < 0)
		return err_wrap(e, "write the %s (is the range granted in %s?)", file->name,
				file->granted);
	return 0;
}

static int write_map(pid_t pid, const struct map_file *file, const struct spec_idmaps *maps,
		     uint32_t own, struct err *e)
{
	auto_buf struct buf text = { 0 };
	int r;

	idmap_format(maps, &text);
	r = write_file(pid, file->name, text.text);
	if (r == -EPERM && geteuid() != 0 && !is_own_id(maps, own))
		return run_helper(pid, file, maps, e);
	if (r < 0)
		return err_neg(e, r, "write the %s", file->name);
	return 0;
}

int idmap_write(pid_t pid, const struct spec_idmaps *uids, const struct spec_idmaps *gids,
		struct err *e)
{
	TRY(write_map(pid, &uid_file, uids, geteuid(), e));
	/* Without CAP_SETGID the kernel wants setgroups(2) gone first (user_namespaces(7)). */
	if (geteuid() != 0 && is_own_id(gids, getegid())) {
		int r = write_file(pid, "setgroups", "deny");

		if (r < 0)
			return err_neg(e, r, "deny setgroups in the user namespace");
	}
	return write_map(pid, &gid_file, gids, getegid(), e);
}
