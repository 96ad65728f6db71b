/*
 * diff.c - compares a container's own layer with the image below it.
 *
 * The upper directory of an overlayfs says it all: what is in it was added or changed, devices 0:0 were
 * deleted, and an opaque directory hides what was at its place. The two trees
 * are walked side by side, by descriptors that follow no link: both hold what strangers
 * made, and one of them may change meanwhile.
 */
#include "engine/diff.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "engine/record.h"
#include "engine/rootfs.h"
#include "engine/userns.h"
#include "mounts/overlay.h"
#include "spec/spec.h"


struct diffing {
	const struct mount_overlay *overlay;
	const struct spec *spec;
	const char *opaque;   /* the attribute of opaque directories */
	const char *redirect; /* that of renamed ones */
	struct arena *arena;
	struct changes *changes;
	struct buf path;
};

struct names {
	char **at;
	size_t n;
};

static void names_done(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->at[i]);
	free(l->at);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool has_name(const struct names *l, const char *name)
{
	return l->n && bsearch(&name, l->at, l->n, sizeof(*l->at), by_name);
}

/* Adds those of a directory that are not in it yet, and sorts. */
static int read_names(const struct diffing *d, int dir, struct names *ret, struct err *e)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	size_t known = ret->n;
	const struct dirent *entry;

	if (!stream)
		return err_sys(e, "list %s", d->path.len ? d->path.text : "/");
	while ((entry = readdir(stream))) {
		const struct names before = { ret->at, known };

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    has_name(&before, entry->d_name))
			continue;
		if ((ret->n & (ret->n - 1)) == 0)
			ret->at = mem_grow(ret->at, ret->n ? 2 * ret->n : 1, sizeof(*ret->at));
		ret->at[ret->n++] = mem_strdup(entry->d_name);
	}
	closedir(stream);
	if (ret->n)
		qsort(ret->at, ret->n, sizeof(*ret->at), by_name);
	return 0;
}

static bool is_mountpoint(const struct diffing *d)
{
	for (size_t i = 0; i < d->spec->mounts.n; i++)
		if (strcmp(d->spec->mounts.at[i].destination, d->path.text) == 0)
			return true;
	return false;
}

static void say(struct diffing *d, char kind)
{
	struct changes *c = d->changes;

	if (kind == 'A' && is_mountpoint(d))
		return;
	if ((c->n & (c->n - 1)) == 0)
		c->at = mem_grow(c->at, c->n ? 2 * c->n : 1, sizeof(*c->at));
	c->at[c->n++] = (struct change){ kind, arena_strdup(d->arena, d->path.text) };
}

static bool is_opaque(const struct diffing *d, int dir)
{
	char value = 0;

	return fgetxattr(dir, d->opaque, &value, 1) == 1 && value == 'y';
}

static int walk(struct diffing *d, int upper, int below, struct err *e);

/* A directory of the upper layer, and what the image has of that name. */
static int enter(struct diffing *d, int upper, int below, const char *name, struct err *e)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	auto_fd int own = openat(upper, name, flags), image = -1;

	if (own < 0 && errno == ENOENT)
		return 0; /* gone meanwhile */
	if (own < 0)
		return err_sys(e, "open %s", d->path.text);
	if (below >= 0)
		image = openat(below, name, flags);
	if (image < 0 && below >= 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		return err_sys(e, "open %s of the image", d->path.text);
	/* hull's own mounts make none (mounts/overlay.h). */
	if (fgetxattr(own, d->redirect, NULL, 0) >= 0)
		return err_set(
			e, ENOTSUP,
			"%s is a directory of the image that was renamed, which is not understood",
			d->path.text);
	return walk(d, own, image, e);
}

static bool is_alike(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid;
}

static int compare(struct diffing *d, int upper, int below, const char *name, struct err *e)
{
	struct stat st, image = { 0 };
	size_t before = d->changes->n, said;
	bool in_image = below >= 0 && fstatat(below, name, &image, AT_SYMLINK_NOFOLLOW) == 0;

	if (fstatat(upper, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return err_sys(e, "look at %s", d->path.text);
		/* Only in the image, below an opaque directory; or gone meanwhile. */
		if (in_image)
			say(d, 'D');
		return 0;
	}
	if (S_ISCHR(st.st_mode) && st.st_rdev == 0) {
		if (in_image)
			say(d, 'D');
		return 0;
	}
	say(d, in_image ? 'C' : 'A');
	if (!S_ISDIR(st.st_mode))
		return 0;
	said = d->changes->n;
	TRY(enter(d, upper, below, name, e));
	/* It is there because of what is mounted below it, and else as it was. */
	if (d->changes->n == said && in_image && is_alike(&st, &image))
		d->changes->n = before;
	return 0;
}

/* `below` is the same directory of the image, -1 without one. */
static int walk(struct diffing *d, int upper, int below, struct err *e)
{
	__attribute__((cleanup(names_done))) struct names names = { 0 };
	size_t len = d->path.len;

	TRY(read_names(d, upper, &names, e));
	if (below >= 0 && is_opaque(d, upper))
		TRY(read_names(d, below, &names, e));
	for (size_t i = 0; i < names.n; i++) {
		buf_printf(&d->path, "/%s", names.at[i]);
		TRY(compare(d, upper, below, names.at[i], e));
		d->path.len = len;
		d->path.text[len] = '\0';
	}
	return 0;
}

void changes_done(struct changes *c)
{
	free(c->at);
	arena_done(&c->arena);
}

int changes_find(const struct mount_overlay *overlay, const struct spec *spec, struct changes *ret,
		 struct err *e)
{
	struct diffing d = {
		.overlay = overlay, .spec = spec, .arena = &ret->arena, .changes = ret
	};
	struct mount_overlay image = *overlay;
	auto_fd int upper = open(image.upper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int below = -1;
	int r;

	if (upper < 0)
		return err_sys(e, "open what the container changed");
	d.opaque = overlay->in_place ? "user.overlay.opaque" : "trusted.overlay.opaque";
	d.redirect = overlay->in_place ? "user.overlay.redirect" : "trusted.overlay.redirect";
	image.upper = image.work = NULL;
	image.is_volatile = false;
	below = mount_overlay_open(&image, e);
	TRY(below);
	r = walk(&d, upper, below, e);
	buf_done(&d.path);
	return r;
}

struct printing {
	const struct mount_overlay *overlay;
	const struct spec *spec;
	int out;
};

static void print(const struct change *c, struct buf *ret)
{
	buf_printf(ret, "%c ", c->kind);
	for (const char *at = c->path; *at; at++) {
		unsigned char byte = (unsigned char)*at;

		if (byte < 0x20 || byte == 0x7f)
			buf_printf(ret, "\\x%02x", byte);
		else
			buf_char(ret, *at);
	}
	buf_char(ret, '\n');
}

static int diff(void *ctx, struct err *e)
{
	const struct printing *p = ctx;
	auto_changes struct changes changes = { 0 };
	auto_buf struct buf text = { 0 };
	int r;

	TRY(changes_find(p->overlay, p->spec, &changes, e));
	for (size_t i = 0; i < changes.n; i++)
		print(&changes.at[i], &text);
	r = text.len ? io_write_all(p->out, text.text, text.len) : 0;
	return r < 0 ? err_neg(e, r, "write the changes") : 0;
}

int engine_diff(const struct engine *g, const char *who, int fd, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_record struct record record = { 0 };
	auto_spec struct spec spec = { 0 };
	struct printing p = { .spec = &spec, .out = fd };
	char id[RECORD_ID_LEN + 1];
	auto_fd int dir = -1;

	TRY(record_find(g, who, id, e));
	dir = record_open(g, id, &record, e);
	TRY(dir);
	p.overlay = rootfs_overlay(g, &record, &a);
	if (!p.overlay)
		return err_set(e, ENOTSUP,
			       "container %s is of a directory (--rootfs): nothing says "
			       "what was in it before",
			       who);
	TRY(record_read_spec(dir, &spec, e));
	if (userns_run(diff, &p, e) < 0)
		return err_wrap(e, "compare %s with its image", who);
	return 0;
}
