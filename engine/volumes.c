#include "engine/volumes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "engine/happened.h"
#include "engine/mounted.h"
#include "engine/rootfs.h"
#include "engine/userns.h"
#include "mounts/copy_up.h"
#include "mounts/rootfd.h"

static const char *path_of(const struct engine *g, const char *name, struct arena *a)
{
	return arena_printf(a, "%s/volumes/%s/_data", g->path.text, name);
}

static void note(const struct engine *g, const char *action, const char *name)
{
	struct spec_pair driver = { "driver", "local" };

	happened_beside(g, &(struct happening){ .type = "volume",
						.action = action,
						.id = name,
						.attributes = { &driver, 1 } });
}

static int make(const struct engine *g, const char *name, struct err *e)
{
	auto_fd int dir = -1;
	bool made = mkdirat(g->volumes, name, 0755) == 0;

	if (!made && errno != EEXIST)
		return err_sys(e, "make the volume %s", name);
	dir = openat(g->volumes, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open the volume %s", name);
	if (mkdirat(dir, "_data", 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make the volume %s", name);
	if (made)
		note(g, "create", name);
	return 0;
}

int volume_use(const struct engine *g, const char **name, struct arena *a, const char **ret_path,
	       struct err *e)
{
	char id[RECORD_ID_LEN + 1];

	if (!*name) {
		TRY(record_new_id(id, e));
		*name = arena_strdup(a, id);
	}
	TRY(make(g, *name, e));
	*ret_path = path_of(g, *name, a);
	return 0;
}

int volume_create(const struct engine *g, const char *name, struct err *e)
{
	if (record_check_name(name, NULL) < 0)
		return err_set(e, EINVAL,
			       "volume name %s: a name is at most %d letters, digits, \"_\", \".\" "
			       "and \"-\", and begins with a letter or digit",
			       json_quote(name).text, RECORD_NAME_MAX);
	return make(g, name, e);
}

int volume_path(const struct engine *g, const char *name, struct arena *a, const char **ret,
		struct err *e)
{
	struct stat st;

	if (record_check_name(name, NULL) < 0 || fstatat(g->volumes, name, &st, 0) < 0)
		return err_set(e, ENOENT, "no such volume: %s", name);
	*ret = path_of(g, name, a);
	return 0;
}

/* What comes behind "DATA/volumes/"; NULL: it is not there. */
static const char *below_volumes(const struct engine *g, const char *source)
{
	static const char middle[] = "/volumes/";
	size_t len = strlen(g->path.text);

	return strncmp(source, g->path.text, len) == 0 &&
			       strncmp(source + len, middle, sizeof(middle) - 1) == 0
		       ? source + len + sizeof(middle) - 1
		       : NULL;
}

bool volumes_hold(const struct engine *g, const char *source)
{
	return below_volumes(g, source) != NULL;
}

static bool goes_up(const char *path)
{
	for (; (path = strstr(path, "/..")); path += 3)
		if (!path[3] || path[3] == '/')
			return true;
	return false;
}

const char *volume_of_source(const struct engine *g, const char *source, struct arena *a)
{
	static const char data[] = "/_data";
	const char *name = below_volumes(g, source), *rest = name ? strchr(name, '/') : NULL;
	size_t len = sizeof(data) - 1;

	if (!rest || strncmp(rest, data, len) != 0 || (rest[len] && rest[len] != '/') ||
	    goes_up(rest))
		return NULL;
	name = arena_strndup(a, name, (size_t)(rest - name));
	return record_check_name(name, NULL) < 0 ? NULL : name;
}

const char *volume_created(const struct engine *g, const char *name, struct arena *a)
{
	struct stat st; /* nothing but _data ever comes into it */
	char text[32];
	struct tm tm;
	time_t at;

	if (fstatat(g->volumes, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL;
	at = st.st_mtim.tv_sec;
	if (!gmtime_r(&at, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return NULL;
	return arena_strdup(a, text);
}

static bool is_id(const char *name)
{
	return strlen(name) == RECORD_ID_LEN && strspn(name, "0123456789abcdef") == RECORD_ID_LEN;
}

bool volume_is_anonymous(const char *name)
{
	return is_id(name);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int volume_list(const struct engine *g, struct arena *a, struct strings *ret, struct err *e)
{
	int fd = openat(g->volumes, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const char **list = NULL;
	const struct dirent *d;
	size_t n = 0;

	if (!dir) {
		err_sys(e, "list the volumes");
		close_fd(&fd);
		return -e->code;
	}
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		if ((n & (n - 1)) == 0)
			list = mem_grow(list, n ? 2 * n : 1, sizeof(*list));
		list[n++] = arena_strdup(a, d->d_name);
	}
	closedir(dir);
	if (n)
		qsort(list, n, sizeof(*list), compare);
	ret->at = arena_array(a, n + 1, sizeof(*ret->at));
	if (n)
		memcpy(ret->at, list, n * sizeof(*list));
	ret->n = n;
	free(list);
	return 0;
}

/* A container that is being made has its lock, then its volumes, then its configuration. */
static bool is_locked(int dir)
{
	auto_fd int fd = openat(dir, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;
}

/*
 * 1: the configuration of a container mounts it, or, with `making`, it is being made and could; 0: it does
 * not, or the container is being removed.
 */
static int uses(const struct engine *g, const char *id, const char *volume, bool making,
		struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_fd int dir =
		openat(g->containers, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_spec struct spec spec = { 0 };
	int r;

	if (dir < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open container %.12s", id);
	r = record_read_spec(dir, &spec, e);
	if (r == -ENOENT)
		return making && is_locked(dir);
	if (r < 0)
		return err_wrap(e, "container %.12s", id);
	for (size_t i = 0; i < spec.mounts.n; i++) {
		const char *source = spec.mounts.at[i].source;
		const char *name = source ? volume_of_source(g, source, &a) : NULL;

		if (name && strcmp(name, volume) == 0)
			return 1;
	}
	return 0;
}

int volumes_used(const struct engine *g, struct arena *a, struct strings *ret, struct err *e)
{
	struct strings ids;
	auto_free const char **list = NULL;
	size_t n = 0;

	TRY(record_list(g, a, &ids, e));
	for (size_t i = 0; i < ids.n; i++) {
		struct mounted_list mounts;
		int r = mounted_read(g, ids.at[i], a, &mounts, e);

		if (r == -ENOENT)
			continue; /* removed meanwhile */
		TRY(r);
		for (size_t k = 0; k < mounts.n; k++) {
			if (!mounts.at[k].volume)
				continue;
			if ((n & (n - 1)) == 0)
				list = mem_grow(list, n ? 2 * n : 1, sizeof(*list));
			list[n++] = mounts.at[k].volume;
		}
	}
	ret->at = arena_array(a, n + 1, sizeof(*ret->at));
	if (n)
		memcpy(ret->at, list, n * sizeof(*list));
	ret->n = n;
	return 0;
}

struct removal {
	const struct engine *g;
	const char *name;
};

static int remove_files(void *ctx, struct err *e)
{
	const struct removal *r = ctx;
	int n = io_remove_tree(r->g->volumes, r->name);

	return n < 0 ? err_neg(e, n, "remove the volume %s", r->name) : 0;
}

/*
 * 1: a container mounts it, or is being made and could, that of *ret_by. `without` is one that is going, with
 * its volumes: then of those that are being made none counts, which would leave most of them behind.
 */
static int find_user(const struct engine *g, const char *name, const char *without, struct arena *a,
		     const char **ret_by, struct err *e)
{
	int fd = openat(g->containers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), used = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir) {
		used = err_sys(e, "list the containers");
		close_fd(&fd);
		return used;
	}
	while (!used && (d = readdir(dir))) {
		if (!is_id(d->d_name) || (without && strcmp(d->d_name, without) == 0))
			continue;
		used = uses(g, d->d_name, name, !without, e);
		if (used < 0)
			err_wrap(e, "whether the volume %s is in use", name);
		else if (used)
			*ret_by = arena_strdup(a, d->d_name);
	}
	closedir(dir);
	return used;
}

static int is_used(const struct engine *g, const char *name, const char *without, struct err *e)
{
	auto_arena struct arena a = { 0 };
	const char *by;

	return find_user(g, name, without, &a, &by, e);
}

int volume_remove(const struct engine *g, const char *name, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct removal r = { g, name };
	struct strings ids;
	const char *path, *by;
	int used;

	TRY(volume_path(g, name, &a, &path, e));
	/* Takes away what a crash left, which would count as in use. */
	TRY(record_list(g, &a, &ids, e));
	used = find_user(g, name, NULL, &a, &by, e);
	TRY(used);
	if (used)
		return err_set(e, EBUSY, "the volume %s is in use by container %.12s", name, by);
	TRY(userns_run(remove_files, &r, e));
	note(g, "destroy", name);
	return 0;
}

void volumes_drop(const struct engine *g, const struct record *r)
{
	for (size_t i = 0; i < r->volumes.n; i++) {
		struct removal removal = { g, r->volumes.at[i] };
		struct err e = { 0 };
		int used = is_used(g, removal.name, r->id, &e);

		/* By one that was given it with --volumes-from, and takes it with it when it goes. */
		if (used > 0)
			continue;
		if (used < 0 || userns_run(remove_files, &removal, &e) < 0)
			log_warn("%s", e.msg);
		else
			note(g, "destroy", removal.name);
	}
}

struct filling {
	const struct mount_overlay *overlay;
	const char *volume, *target;
};

static bool is_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *d;
	bool empty = true;

	if (!dir)
		return false;
	while (empty && (d = readdir(dir)))
		empty = strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0;
	closedir(dir);
	return empty;
}

static int fill(void *ctx, struct err *e)
{
	const struct filling *f = ctx;
	auto_fd int root = mount_overlay_open(f->overlay, e), from = -1, to = -1;

	TRY(root);
	to = open(f->volume, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return err_sys(e, "open the volume %s", f->volume);
	from = rootfd_open(root, f->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from == -ENOENT || from == -ENOTDIR)
		return 0;
	if (from < 0)
		return err_neg(e, from, "open %s of the image", f->target);
	if (!is_empty(to))
		return 0;
	return copy_up(from, to, COPY_UP_MODE | COPY_UP_UID | COPY_UP_GID, "the volume", f->target,
		       e);
}

int volume_fill(const struct engine *g, const struct record *r, const char *volume,
		const char *target, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct filling f = { rootfs_look(g, r, false, &a), volume, target };

	return f.overlay ? userns_run(fill, &f, e) : 0;
}
