/*
 * create_mounts.c - what is mounted in a container that is being made.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/helper.h"
#include "base/io.h"
#include "base/json.h"
#include "engine/create_private.h"
#include "engine/mountwish.h"
#include "engine/volumes.h"
#include "engine/volumes_from.h"

enum { INIT_CHUNK = 1 << 20, ZONE_MAX = 1 << 20 };

/* What hull keeps for a container has the owners in it that it has on disk. */
static void show_owners(struct building *b, struct config_mount *m)
{
	static const char *idmap[] = { "idmap" };
	const char **options;

	if (!b->m->record.userns.count)
		return;
	if (!m->options.n) {
		m->options = (struct strings){ idmap, 1 };
		return;
	}
	options = arena_array(&b->arena, m->options.n + 1, sizeof(*options));
	memcpy(options, m->options.at, m->options.n * sizeof(*options));
	options[m->options.n] = idmap[0];
	m->options = (struct strings){ options, m->options.n + 1 };
}

static void add_mount(struct building *b, const struct config_mount *m)
{
	b->facts.mounts.at[b->facts.mounts.n++] = *m;
}

static int bind_source(const struct mount_wish *m, struct err *e)
{
	struct stat st;

	if (stat(m->source, &st) == 0)
		return 0;
	if (errno == ENOENT && m->makes_source)
		return io_mkdir_all(m->source, 0755, e);
	return err_sys(e, "the volume's source %s", m->source);
}

static size_t path_depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += path[0] == '/' && path[1] && path[1] != '/';
	return n;
}

static int take_mount(struct building *b, const struct mount_wish *m, struct err *e)
{
	struct config_mount mount = { .target = m->target,
				      .readonly = m->readonly,
				      .options = m->options,
				      .recursive = !m->is_flat,
				      .is_shallow = m->is_shallow };
	const char *name = m->source;

	switch (m->kind) {
	case WISH_TMPFS:
		break;
	case WISH_BIND:
		TRY(bind_source(m, e));
		mount.source = m->source;
		break;
	case WISH_VOLUME:
		TRY(volume_use(b->g, &name, &b->arena, &mount.source, e));
		if (!m->source)
			b->m->record.volumes.at[b->m->record.volumes.n++] = name;
		if (!m->is_bare)
			TRY(volume_fill(b->g, &b->m->record, mount.source, m->target, e));
		show_owners(b, &mount);
		break;
	}
	add_mount(b, &mount);
	return 0;
}

static bool is_target(const struct mount_wish *list, size_t n, const char *target)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].target, target) == 0)
			return true;
	return false;
}

static bool is_mounted(const struct building *b, const char *target)
{
	for (size_t i = 0; i < b->facts.mounts.n; i++)
		if (strcmp(b->facts.mounts.at[i].target, target) == 0)
			return true;
	return false;
}

/* What --volume, --mount and --tmpfs say. */
static int read_wishes(struct building *b, struct mount_wish *list, size_t *ret, struct err *e)
{
	const struct wish *w = b->w;
	char *cwd = getcwd(NULL, 0);
	int r = cwd ? 0 : err_sys(e, "find the working directory");
	size_t n = 0;

	for (size_t i = 0; r >= 0 && i < w->volumes.n; i++)
		r = wish_volume(w->volumes.at[i], cwd, &b->arena, &list[n++], e);
	for (size_t i = 0; r >= 0 && i < w->mounts.n; i++)
		r = wish_mount(w->mounts.at[i], cwd, &b->arena, &list[n++], e);
	for (size_t i = 0; r >= 0 && i < w->tmpfs.n; i++)
		r = wish_tmpfs(w->tmpfs.at[i], &b->arena, &list[n++], e);
	free(cwd);
	*ret = n;
	return r;
}

static void make_room(struct building *b, size_t mounts, size_t volumes)
{
	struct config_mount *at = arena_array(&b->arena, b->facts.mounts.n + mounts, sizeof(*at));
	struct strings *names = &b->m->record.volumes;
	const char **more = arena_array(&b->arena, names->n + volumes, sizeof(*more));

	if (b->facts.mounts.n)
		memcpy(at, b->facts.mounts.at, b->facts.mounts.n * sizeof(*at));
	if (names->n)
		memcpy(more, names->at, names->n * sizeof(*more));
	b->facts.mounts.at = at;
	names->at = more;
}

/* Those of another container, but where something else was asked for. */
static int borrow_mounts(struct building *b, const char *text, const struct mount_wish *list,
			 size_t n, struct err *e)
{
	struct volumes_from from;

	TRY(volumes_from_read(b->g, text, &b->arena, &from, e));
	make_room(b, from.mounts.n, from.names.n);
	for (size_t i = 0; i < from.mounts.n; i++) {
		struct config_mount *m = &from.mounts.at[i];

		if (is_target(list, n, m->target) || is_mounted(b, m->target))
			continue;
		if (volume_of_source(b->g, m->source, &b->arena))
			show_owners(b, m);
		add_mount(b, m);
	}
	/* Whoever is removed last takes them with it. */
	for (size_t i = 0; i < from.names.n; i++)
		b->m->record.volumes.at[b->m->record.volumes.n++] = from.names.at[i];
	return 0;
}

/* So that /a does not hide /a/b. */
static void sort_mounts(struct building *b)
{
	struct config_mount *at = b->facts.mounts.at;

	for (size_t i = 1; i < b->facts.mounts.n; i++) {
		struct config_mount m = at[i];
		size_t k = i;

		for (; k > 0 && path_depth(at[k - 1].target) > path_depth(m.target); k--)
			at[k] = at[k - 1];
		at[k] = m;
	}
}

/* Which of them are volumes, for who tells of them. */
static void note_volumes(struct building *b)
{
	struct record *r = &b->m->record;

	r->mounts.at = arena_array(&b->arena, b->facts.mounts.n, sizeof(*r->mounts.at));
	for (size_t i = 0; i < b->facts.mounts.n; i++) {
		const struct config_mount *m = &b->facts.mounts.at[i];
		const char *name = m->source ? volume_of_source(b->g, m->source, &b->arena) : NULL;

		if (name)
			r->mounts.at[r->mounts.n++] =
				(struct record_mount){ name, m->target, m->readonly };
	}
}

/*
 * What was asked for, what others have, then the image's own volumes that nothing else was put in place
 * of, and places to write to of what is read-only otherwise.
 */
int building_read_mounts(struct building *b, struct err *e)
{
	static const char *run_mode[] = { "mode=755" }, *tmp_mode[] = { "mode=1777" };
	static const struct mount_wish places[] = {
		{ .kind = WISH_TMPFS, .target = "/run", .options = { run_mode, 1 } },
		{ .kind = WISH_TMPFS, .target = "/tmp", .options = { tmp_mode, 1 } },
		{ .kind = WISH_TMPFS, .target = "/var/tmp", .options = { tmp_mode, 1 } },
	};
	const struct wish *w = b->w;
	size_t asked = w->volumes.n + w->mounts.n + w->tmpfs.n, n = 0;
	struct mount_wish *list = arena_array(&b->arena, asked + 1, sizeof(*list));

	TRY(read_wishes(b, list, &n, e));
	for (size_t i = w->volumes_from.n; i-- > 0;) /* the last one counts */
		TRY(borrow_mounts(b, w->volumes_from.at[i], list, n, e));
	/* Our own come later: in /etc, the time zone, --init. */
	make_room(b, n + b->bundle.volumes.n + ARRAY_LEN(places) + 5, n + b->bundle.volumes.n);
	for (size_t i = 0; i < n; i++)
		TRY(take_mount(b, &list[i], e));
	for (size_t i = 0; i < b->bundle.volumes.n; i++) {
		const char *target = b->bundle.volumes.at[i].destination;

		if (!is_mounted(b, target))
			TRY(take_mount(
				b, &(struct mount_wish){ .kind = WISH_VOLUME, .target = target },
				e));
	}
	for (size_t i = 0; w->read_only_tmpfs && i < ARRAY_LEN(places); i++)
		if (!is_mounted(b, places[i].target))
			TRY(take_mount(b, &places[i], e));
	sort_mounts(b);
	note_volumes(b);
	return 0;
}

/* Files of ours that the container sees in /etc; keep_network() fills them before each start. */
int building_make_etc(struct building *b, struct err *e)
{
	static const struct {
		const char *file, *target;
	} files[] = { { "hosts", "/etc/hosts" },
		      { "hostname", "/etc/hostname" },
		      { "resolv.conf", "/etc/resolv.conf" } };

	if (b->m->record.rootfs)
		return 0; /* their own root file system says what it is called */
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		auto_fd int fd = openat(b->m->dir, files[i].file,
					O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		struct config_mount m = { .target = files[i].target };

		if (fd < 0 || fchmod(fd, 0644) < 0)
			return err_sys(e, "make the container's %s", files[i].file);
		m.source = arena_printf(&b->arena, "%s/containers/%s/%s", b->g->path.text, b->m->id,
					files[i].file);
		show_owners(b, &m);
		if (!is_mounted(b, m.target))
			add_mount(b, &m);
	}
	return 0;
}

/* "local" is the host's; else a file of the host's data base of zones. */
int building_make_timezone(struct building *b, struct err *e)
{
	static const char zones[] = "/usr/share/zoneinfo";
	struct config_mount m = { .target = "/etc/localtime", .readonly = true };
	const char *zone = b->w->timezone, *path = "/etc/localtime";
	auto_buf struct buf text = { 0 };
	auto_fd int fd = -1;

	if (!zone)
		return 0;
	if (!*zone || *zone == '/' || strstr(zone, ".."))
		return err_set(
			e, EINVAL,
			"--tz %s: expected \"local\" or the name of a zone, as Europe/Berlin",
			json_quote(zone).text);
	if (strcmp(zone, "local") != 0)
		path = arena_printf(&b->arena, "%s/%s", zones, zone);
	if (io_read_file(AT_FDCWD, path, ZONE_MAX, path, &text, e) < 0)
		return err_wrap(e, "--tz %s", zone);
	if (text.len < 4 || memcmp(text.text, "TZif", 4) != 0)
		return err_set(e, EINVAL, "--tz %s: %s describes no time zone", zone, path);
	fd = openat(b->m->dir, "localtime", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || fchmod(fd, 0644) < 0 || io_write_all(fd, text.text, text.len) < 0)
		return err_sys(e, "make the container's localtime");
	m.source = arena_printf(&b->arena, "%s/containers/%s/localtime", b->g->path.text, b->m->id);
	show_owners(b, &m);
	if (!is_mounted(b, m.target))
		add_mount(b, &m);
	return 0;
}

/*
 * A copy, the container's own: who gets the better of it in there has not
 * changed what other containers, or hull, are run with (CVE-2019-5736's kin).
 */
static int copy_init(struct building *b, struct err *e)
{
	auto_fd int from = -1, to = -1;
	struct helper_path path;
	ssize_t n;

	TRY(helper_find("hull-init", &path, e));
	from = open(path.text, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return err_sys(e, "--init: open %s", path.text);
	to = openat(b->m->dir, "hull-init", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0555);
	if (to < 0 || fchmod(to, 0555) < 0)
		return err_sys(e, "--init: make the container's hull-init");
	while ((n = sendfile(to, from, NULL, INIT_CHUNK)) > 0)
		;
	return n < 0 ? err_sys(e, "--init: copy %s", path.text) : 0;
}

int building_make_init(struct building *b, struct err *e)
{
	struct config_mount m = { .target = CONFIG_INIT, .readonly = true };

	if (!b->w->init)
		return 0;
	if (is_mounted(b, "/dev"))
		return err_set(e, EINVAL,
			       "--init: it is put at %s, where a mount on /dev would have it",
			       m.target);
	TRY(copy_init(b, e));
	m.source = arena_printf(&b->arena, "%s/containers/%s/hull-init", b->g->path.text, b->m->id);
	add_mount(b, &m);
	b->facts.init = true;
	return 0;
}
