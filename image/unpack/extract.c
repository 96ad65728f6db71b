#include "image/unpack/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/json.h"
#include "base/sys.h"
#include "image/unpack/metadata.h"
#include "image/unpack/tree.h"

/* What an entry is made of, and where: `name` in the directory `parent`. */
struct making {
	struct extract *x;
	const struct entry *n;
	const struct extract_data *data;
	int parent;
	const char *name;
};

int extract_begin(struct extract *x, int root, const struct extract_settings *s, struct err *e)
{
	uint64_t key[2];

	*x = (struct extract){ .settings = s, .root = root, .parent = -1 };
	x->late.spool = -1;
	/* What the layers before have left may hand ACLs on. */
	x->default_acl = !s->whiteouts->opaque && !s->whiteouts->plain;
	if (x->default_acl) {
		if (getrandom(key, sizeof(key), 0) != sizeof(key))
			return err_sys(e, "get random bytes");
		seen_init(&x->seen, key);
	}
	return late_open(&x->late, root, e);
}

void extract_done(struct extract *x)
{
	close_fd(&x->parent);
	late_close(&x->late);
	seen_done(&x->seen);
}

int extract_finish(struct extract *x, struct err *e)
{
	close_fd(&x->parent);
	return late_apply(&x->late, e);
}

/*
 * Parents
 */

/* A directory that no entry has asked for: root's, as umoci and containerd make it. */
static int make_implied(struct extract *x, int above, const char *name, struct err *e)
{
	auto_fd int fd = -1;
	uid_t uid = 0;
	gid_t gid = 0;

	if (mkdirat(above, name, 0755) < 0)
		return err_sys(e, "make its parent %s", json_quote(name).text);
	fd = tree_directory(above, name);
	if (fd < 0)
		return err_neg(e, fd, "open its parent %s", json_quote(name).text);
	if (!x->settings->ids.squash) {
		TRY(ids_map(&x->settings->ids, 'u', 0, &uid, e));
		TRY(ids_map(&x->settings->ids, 'g', 0, &gid, e));
		if (fchown(fd, uid, gid) < 0)
			return err_sys(e, "give its parent %s to %u:%u", json_quote(name).text, uid,
				       gid);
	}
	if (fchmod(fd, 0755) < 0) /* a directory above may hand on its group and setgid */
		return err_sys(e, "set the mode of its parent %s", json_quote(name).text);
	return take_fd(&fd);
}

/* A whiteout with something below it is a directory that hides what was called so before. */
static int replace_whiteout(struct extract *x, int above, const char *name, struct err *e)
{
	auto_fd int fd = -1;

	if (unlinkat(above, name, 0) < 0)
		return err_sys(e, "remove a whiteout");
	fd = make_implied(x, above, name, e);
	TRY(fd);
	TRY(whiteout_opaque(x->settings->whiteouts, &x->seen, fd, name, e));
	return take_fd(&fd);
}

/* One step down, through what is missing; a descriptor. */
static int enter(struct extract *x, const struct entry_path *path, int above, const char *name,
		 struct err *e)
{
	int fd = tree_directory(above, name);
	struct stat st;

	if (fd == -ENOENT)
		return make_implied(x, above, name, e);
	if (fd == -ENOTDIR && fstatat(above, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    whiteout_is(x->settings->whiteouts, &st))
		return replace_whiteout(x, above, name, e);
	return fd < 0 ? tree_explain(x->root, path, fd, e) : fd;
}

static int make_parents(struct extract *x, const struct entry_path *path, struct err *e)
{
	char parts[ENTRY_PATH_MAX], *rest = parts, *part;
	auto_fd int fd = tree_directory(x->root, "");

	if (fd < 0)
		return err_neg(e, fd, "open the directory");
	memcpy(parts, path->text, path->len + 1);
	while ((part = strsep(&rest, "/")) != NULL) {
		int below = enter(x, path, fd, part, e);

		TRY(below);
		close(fd);
		fd = below;
	}
	return take_fd(&fd);
}

/* Opens the directory of `path`, made if it is missing; borrowed until the next call. */
static int open_parent(struct extract *x, const struct entry_path *path, struct err *e)
{
	struct entry_path above;
	int fd;

	entry_path_parent(path, &above);
	if (x->parent >= 0 && x->parent_path.len == above.len &&
	    memcmp(x->parent_path.text, above.text, above.len) == 0)
		return x->parent;
	close_fd(&x->parent);
	fd = tree_directory(x->root, above.text);
	if (fd == -ENOENT || fd == -ENOTDIR)
		fd = make_parents(x, &above, e);
	else if (fd < 0)
		return tree_explain(x->root, &above, fd, e);
	TRY(fd);
	x->parent = fd;
	x->parent_path = above;
	return fd;
}

/*
 * Kinds of entries
 */

/* Takes away what stands where `m` is to be made. Only directories may stay where they are. */
static int make_room(const struct making *m, struct err *e)
{
	if (m->x->settings->whiteouts->plain) {
		if (unlinkat(m->parent, m->name, 0) == 0 || errno == ENOENT)
			return 0;
		return errno == EISDIR ? err_set(e, EISDIR, "a directory is there already")
				       : err_sys(e, "remove what was there before");
	}
	return tree_remove(m->parent, m->name, e);
}

static int write_at(int fd, const void *bytes, size_t len, int64_t offset, struct err *e)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = pwrite(fd, at, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "write");
		at += n;
		offset += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Holes stay holes. */
static int write_data(const struct making *m, int fd, struct err *e)
{
	const void *bytes;
	int64_t offset, end = 0;
	size_t len;
	int r;

	while ((r = m->data->next(m->data->ctx, &bytes, &len, &offset, e)) > 0) {
		if (offset < end || offset > m->n->size || (int64_t)len > m->n->size - offset)
			return err_set(e, EINVAL, "its data lies outside of it");
		TRY(write_at(fd, bytes, len, offset, e));
		end = offset + (int64_t)len;
	}
	TRY(r);
	if (end < m->n->size && ftruncate(fd, m->n->size) < 0)
		return err_sys(e, "make it %lld bytes long", (long long)m->n->size);
	return 0;
}

static int make_file(const struct making *m, struct err *e)
{
	const uint64_t flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	auto_fd int fd = sys_openat2(m->parent, m->name, flags, 0600, resolve);

	if (fd < 0 && errno == EEXIST) {
		TRY(make_room(m, e));
		fd = sys_openat2(m->parent, m->name, flags, 0600, resolve);
	}
	if (fd < 0)
		return err_sys(e, "make it");
	TRY(write_data(m, fd, e));
	return metadata_set(m->x, m->n, fd, e);
}

static int make_directory(const struct making *m, struct err *e)
{
	auto_fd int fd = -1;
	bool is_new = mkdirat(m->parent, m->name, 0700) == 0, hides = false;
	struct stat st;

	if (!is_new && errno != EEXIST)
		return err_sys(e, "make it");
	if (!is_new) {
		if (fstatat(m->parent, m->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, "look at what is there");
		if (!S_ISDIR(st.st_mode) && m->x->settings->whiteouts->plain)
			return err_set(e, ENOTDIR, "%s is there already",
				       entry_type_name(st.st_mode & S_IFMT));
		if (!S_ISDIR(st.st_mode)) {
			hides = whiteout_is(m->x->settings->whiteouts, &st);
			TRY(make_room(m, e));
			if (mkdirat(m->parent, m->name, 0700) < 0)
				return err_sys(e, "make it");
			is_new = true;
		}
	}
	fd = tree_directory(m->parent, m->name);
	if (fd < 0)
		return err_neg(e, fd, "open it");
	if (hides)
		TRY(whiteout_opaque(m->x->settings->whiteouts, &m->x->seen, fd, m->name, e));
	if (!is_new && m->x->settings->whiteouts->plain)
		return 0;
	if (!is_new)
		TRY(metadata_clear_xattrs(fd, e));
	return metadata_set(m->x, m->n, fd, e);
}

static int make_symlink(const struct making *m, struct err *e)
{
	int r = symlinkat(m->n->link, m->parent, m->name);

	if (r < 0 && errno == EEXIST) {
		TRY(make_room(m, e));
		r = symlinkat(m->n->link, m->parent, m->name);
	}
	if (r < 0)
		return err_sys(e, "make it");
	return metadata_set_at(m->x, m->n, m->parent, m->name, e);
}

static int make_device(const struct making *m, struct err *e)
{
	dev_t dev = makedev((unsigned)m->n->major, (unsigned)m->n->minor);
	mode_t mode = m->n->type | m->n->mode;
	int r;

	if (m->x->settings->whiteouts->opaque && m->n->type == S_IFCHR && dev == makedev(0, 0))
		return err_set(e, EINVAL, "a device 0:0 would be a whiteout");
	if (!m->x->settings->devices) {
		m->x->skipped++;
		return 0;
	}
	r = mknodat(m->parent, m->name, mode, dev);
	if (r < 0 && errno == EEXIST) {
		TRY(make_room(m, e));
		r = mknodat(m->parent, m->name, mode, dev);
	}
	if (r < 0)
		return err_sys(e, "make it");
	return metadata_set_at(m->x, m->n, m->parent, m->name, e);
}

static int skip(const struct making *m, struct err *e UNUSED)
{
	m->x->skipped++;
	return 0;
}

/* Not a kind of its own to the file system, but one to the archive. */
static int make_hard_link(const struct making *m, struct err *e)
{
	struct entry_path target, above;
	auto_fd int fd = -1;
	enum whiteout_kind kind = WHITEOUT_NONE;
	struct stat st;

	TRY(entry_path_set(&target, m->n->link, "its target", e));
	if (!m->x->settings->whiteouts->plain)
		TRY(whiteout_classify(&target, &kind, e));
	if (target.len == 0 || kind != WHITEOUT_NONE)
		return err_set(e, EINVAL, "a hard link to %s", json_quote(m->n->link).text);
	if (strcmp(target.text, m->n->path.text) == 0)
		return err_set(e, EINVAL, "a hard link to itself");
	entry_path_parent(&target, &above);
	fd = tree_directory(m->x->root, above.text);
	if (fd < 0) {
		tree_explain(m->x->root, &above, fd, e);
		return err_wrap(e, "a hard link to %s", json_quote(target.text).text);
	}
	if (fstatat(fd, target.text + target.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "a hard link to %s", json_quote(target.text).text);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return err_set(e, EINVAL, "a hard link to %s, which is %s",
			       json_quote(target.text).text, entry_type_name(st.st_mode & S_IFMT));
	if (linkat(fd, target.text + target.name, m->parent, m->name, 0) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "make a hard link to %s", json_quote(target.text).text);
	TRY(make_room(m, e));
	if (linkat(fd, target.text + target.name, m->parent, m->name, 0) < 0)
		return err_sys(e, "make a hard link to %s", json_quote(target.text).text);
	return 0;
}

static const struct kind {
	mode_t type;
	int (*make)(const struct making *m, struct err *e);
} kinds[] = {
	{ S_IFREG, make_file },    { S_IFDIR, make_directory },
	{ S_IFLNK, make_symlink }, { S_IFCHR, make_device },
	{ S_IFBLK, make_device },  { S_IFIFO, skip },
	{ S_IFSOCK, skip },        { 0, NULL },
};

static int make_kind(const struct making *m, struct err *e)
{
	if (m->n->hardlink)
		return make_hard_link(m, e);
	for (const struct kind *k = kinds; k->make; k++)
		if (k->type == m->n->type)
			return k->make(m, e);
	return err_set(e, EINVAL, "it is %s", entry_type_name(m->n->type));
}

/* The directory itself: its owner, mode and attributes are the layer's, nothing else of it. */
static int set_root(struct extract *x, const struct entry *n, struct err *e)
{
	if (n->hardlink || !S_ISDIR(n->type))
		return err_set(e, EINVAL, "the directory of the layer can't be %s",
			       n->hardlink ? "a hard link" : entry_type_name(n->type));
	if (x->settings->whiteouts->plain)
		return 0;
	TRY(metadata_clear_xattrs(x->root, e));
	return metadata_set(x, n, x->root, e);
}

static int apply_whiteout(const struct making *m, enum whiteout_kind kind, struct err *e)
{
	const struct whiteout_mode *mode = m->x->settings->whiteouts;
	const struct entry_path *path = &m->n->path;
	char hidden[ENTRY_PATH_MAX];
	size_t above = path->name;

	if (m->n->hardlink || !S_ISREG(m->n->type))
		return err_set(e, EINVAL, "a whiteout that is %s",
			       m->n->hardlink ? "a hard link" : entry_type_name(m->n->type));
	memcpy(hidden, path->text, above);
	if (kind == WHITEOUT_OPAQUE) {
		hidden[above > 0 ? above - 1 : 0] = '\0';
		return whiteout_opaque(mode, &m->x->seen, m->parent, hidden, e);
	}
	memcpy(hidden + above, m->name + strlen(".wh."), path->len - above - strlen(".wh.") + 1);
	return whiteout_hide(mode, &m->x->seen, m->parent, hidden + above, hidden, e);
}

static int extract_one(struct extract *x, const struct entry *n, const struct extract_data *data,
		       struct err *e)
{
	struct making m = { .x = x, .n = n, .data = data, .name = n->path.text + n->path.name };
	enum whiteout_kind kind = WHITEOUT_NONE;

	TRY(entry_check(n, e));
	if (++x->entries > x->settings->max_entries)
		return err_set(e, EFBIG, "the layer has more than %llu entries",
			       (unsigned long long)x->settings->max_entries);
	if ((uint64_t)n->size > x->settings->max_bytes - x->bytes)
		return err_set(e, EFBIG,
			       "the files in the layer have more than %llu bytes together",
			       (unsigned long long)x->settings->max_bytes);
	x->bytes += (uint64_t)n->size;
	if (!x->settings->whiteouts->plain)
		TRY(whiteout_classify(&n->path, &kind, e));
	if (n->path.len == 0)
		return set_root(x, n, e);
	if (kind == WHITEOUT_META) {
		x->skipped++;
		return 0;
	}
	m.parent = open_parent(x, &n->path, e);
	TRY(m.parent);
	if (kind != WHITEOUT_NONE)
		return apply_whiteout(&m, kind, e);
	TRY(make_kind(&m, e));
	if (x->seen.slots)
		seen_add(&x->seen, n->path.text, n->path.len);
	return 0;
}

int extract_entry(struct extract *x, const struct entry *n, const struct extract_data *data,
		  struct err *e)
{
	if (extract_one(x, n, data, e) == 0)
		return 0;
	return err_wrap(e, "entry %s", n->path.len ? json_quote(n->path.text).text : "\".\"");
}
