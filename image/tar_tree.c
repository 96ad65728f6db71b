#include "image/tar_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "image/tar_write.h"

/* As hull-unpack has them (unpack/entry.h). */
enum { PATH_BYTES = 4096, DEPTH_MAX = 256, XATTRS_MAX = 256, XATTR_BYTES = 64 * 1024 };
enum { CHUNK = 128 * 1024 };

/* A file that has several names, and the first of them. */
struct tar_link {
	dev_t dev;
	ino_t ino;
	char *path; /* NULL: free */
};

/* What an entry is made of. */
struct node {
	int fd; /* O_PATH */
	struct stat st;
};

void tar_tree_done(struct tar_tree *t)
{
	for (size_t i = 0; i < t->links_size; i++)
		free(t->links[i].path);
	free(t->links);
	buf_done(&t->path);
	buf_done(&t->pending);
	if (t->proc_open)
		close(t->proc);
	t->proc_open = false;
}

int tar_tree_prepare(struct tar_tree *t, struct err *e)
{
	if (t->proc_open)
		return 0;
	t->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (t->proc < 0)
		return err_sys(e, "open /proc");
	t->proc_open = true;
	return 0;
}

static int fail(const struct tar_tree *t, const char *doing, struct err *e)
{
	return err_sys(e, "%s %s", doing, json_quote(t->path.len ? t->path.text : ".").text);
}

static int write_out(const struct tar_tree *t, const void *bytes, size_t len, struct err *e)
{
	int r = io_write_all(t->out, bytes, len);

	return r < 0 ? err_neg(e, r, "write the archive") : 0;
}

static int flush(struct tar_tree *t, struct err *e)
{
	if (t->pending.len)
		TRY(write_out(t, t->pending.text, t->pending.len, e));
	buf_clear(&t->pending);
	return 0;
}

/*
 * Names
 */

static int path_push(struct tar_tree *t, const char *name, struct err *e)
{
	if (t->path.len && t->path.text[t->path.len - 1] != '/')
		buf_char(&t->path, '/');
	buf_str(&t->path, name);
	if (t->path.len >= PATH_BYTES)
		return err_set(e, ENAMETOOLONG, "%.64s...: its path is longer than %d bytes",
			       json_quote(t->path.text).text, PATH_BYTES - 1);
	return 0;
}

static void path_cut(struct tar_tree *t, size_t len)
{
	t->path.len = len;
	t->path.text[len] = '\0';
}

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

static int read_names(const struct tar_tree *t, int dir, struct names *ret, struct err *e)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!stream) {
		int r = fail(t, "list", e);

		close_fd(&fd);
		return r;
	}
	errno = 0;
	while ((entry = readdir(stream))) { /* NOLINT(concurrency-mt-unsafe): own stream */
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if ((ret->n & (ret->n - 1)) == 0)
			ret->at = mem_grow(ret->at, ret->n ? 2 * ret->n : 1, sizeof(*ret->at));
		ret->at[ret->n++] = mem_strdup(entry->d_name);
	}
	if (errno) {
		int r = fail(t, "list", e);

		closedir(stream);
		return r;
	}
	closedir(stream);
	if (ret->n)
		qsort(ret->at, ret->n, sizeof(*ret->at), by_name);
	return 0;
}

/*
 * Hard links
 */

static struct tar_link *find_link(const struct tar_tree *t, const struct stat *st)
{
	size_t mask = t->links_size - 1;
	size_t at =
		(size_t)((st->st_ino ^ (uint64_t)st->st_dev << 32) * UINT64_C(0x9e3779b97f4a7c15) >>
			 20);

	for (at &= mask; t->links[at].path; at = (at + 1) & mask)
		if (t->links[at].ino == st->st_ino && t->links[at].dev == st->st_dev)
			break;
	return &t->links[at];
}

static void grow_links(struct tar_tree *t)
{
	struct tar_link *old = t->links;
	size_t n = t->links_size;

	t->links_size = n ? 2 * n : 64;
	t->links = mem_zalloc(t->links_size * sizeof(*t->links));
	for (size_t i = 0; i < n; i++) {
		const struct stat st = { .st_dev = old[i].dev, .st_ino = old[i].ino };

		if (old[i].path)
			*find_link(t, &st) = old[i];
	}
	free(old);
}

/* The name under which the file is in the archive already; NULL, and now it is under this one. */
static const char *earlier_name(struct tar_tree *t, const struct stat *st)
{
	struct tar_link *l;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return NULL;
	if (t->links_n >= t->links_size / 2)
		grow_links(t);
	l = find_link(t, st);
	if (l->path)
		return l->path;
	*l = (struct tar_link){ st->st_dev, st->st_ino, mem_strdup(t->path.text) };
	t->links_n++;
	return NULL;
}

/*
 * Extended attributes
 */

struct xattrs {
	struct tar_xattr at[XATTRS_MAX];
	size_t n;
	char *names;
};

static void xattrs_done(struct xattrs *x)
{
	for (size_t i = 0; i < x->n; i++)
		free((void *)x->at[i].value);
	free(x->names);
}

static bool is_wanted(const char *name)
{
	static const char overlay[] = "user.overlay.", user[] = "user.";

	if (strncmp(name, user, strlen(user)) == 0)
		return strncmp(name, overlay, strlen(overlay)) != 0;
	return strcmp(name, "security.capability") == 0 ||
	       strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0;
}

static int xattr_by_name(const void *a, const void *b)
{
	return strcmp(((const struct tar_xattr *)a)->name, ((const struct tar_xattr *)b)->name);
}

/* Of a file or directory that is open for reading. */
static int read_xattrs(const struct tar_tree *t, int fd, struct xattrs *ret, struct err *e)
{
	ssize_t len;

	ret->names = mem_zalloc(XATTR_BYTES + 1);
	len = flistxattr(fd, ret->names, XATTR_BYTES);
	if (len < 0 && errno == EOPNOTSUPP)
		return 0;
	if (len < 0)
		return fail(t, "list the extended attributes of", e);
	for (const char *name = ret->names; name < ret->names + len; name += strlen(name) + 1) {
		auto_free char *value = NULL;
		ssize_t size;

		if (!is_wanted(name))
			continue;
		if (ret->n == XATTRS_MAX)
			return err_set(e, E2BIG, "%s has more than %d extended attributes",
				       json_quote(t->path.text).text, XATTRS_MAX);
		value = mem_zalloc(XATTR_BYTES);
		size = fgetxattr(fd, name, value, XATTR_BYTES);
		if (size < 0 && errno == ENODATA)
			continue; /* gone meanwhile */
		if (size < 0)
			return fail(t, "read an extended attribute of", e);
		ret->at[ret->n++] = (struct tar_xattr){ name, take_ptr(&value), (size_t)size };
	}
	qsort(ret->at, ret->n, sizeof(ret->at[0]), xattr_by_name);
	return 0;
}

/*
 * Entries
 */

static struct tar_entry entry_of(const struct tar_tree *t, const struct stat *st)
{
	return (struct tar_entry){
		.name = t->path.text,
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mtime = st->st_mtim.tv_sec,
	};
}

static int put(struct tar_tree *t, const struct tar_entry *n, struct err *e)
{
	tar_entry_header(n, &t->pending);
	return t->pending.len >= CHUNK ? flush(t, e) : 0;
}

/* As many bytes as the header has said. */
static int copy_content(struct tar_tree *t, int fd, uint64_t size, struct err *e)
{
	auto_free char *bytes = mem_zalloc(CHUNK);
	uint64_t left = size;
	bool shrank = false;
	int r;

	TRY(flush(t, e));
	while (left) {
		size_t want = left < CHUNK ? (size_t)left : CHUNK;
		ssize_t n = shrank ? 0 : io_read_all(fd, bytes, want);

		if (n < 0)
			return err_neg(e, (int)n, "read %s", json_quote(t->path.text).text);
		if ((size_t)n < want) {
			if (!shrank)
				log_warn("%s shrank while it was read: zeros are in the place of "
					 "what it lost",
					 json_quote(t->path.text).text);
			shrank = true;
			memset(bytes + n, 0, want - (size_t)n);
		}
		TRY(write_out(t, bytes, want, e));
		left -= want;
	}
	r = tar_write_padding(t->out, size);
	return r < 0 ? err_neg(e, r, "write the archive") : 0;
}

/* It is opened by what we hold, and not by its name: that may be a device by now. */
static int add_file(struct tar_tree *t, const struct node *n, struct err *e)
{
	__attribute__((cleanup(xattrs_done))) struct xattrs xattrs = { .n = 0 };
	struct tar_entry entry = entry_of(t, &n->st);
	auto_fd int fd = -1;
	char name[32];

	TRY(tar_tree_prepare(t, e));
	snprintf(name, sizeof(name), "self/fd/%d", n->fd);
	fd = openat(t->proc, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return fail(t, "open", e);
	TRY(read_xattrs(t, fd, &xattrs, e));
	entry.type = TAR_FILE;
	entry.size = (uint64_t)n->st.st_size;
	entry.xattrs = xattrs.at;
	entry.xattrs_n = xattrs.n;
	TRY(put(t, &entry, e));
	return entry.size ? copy_content(t, fd, entry.size, e) : 0;
}

static int add_symlink(struct tar_tree *t, const struct node *n, struct err *e)
{
	struct tar_entry entry = entry_of(t, &n->st);
	char link[PATH_MAX];
	ssize_t len = readlinkat(n->fd, "", link, sizeof(link) - 1);

	if (len < 0 && errno == ENOENT)
		return 0; /* as of proc's "self", where we have no number */
	if (len < 0)
		return fail(t, "read the link", e);
	link[len] = '\0';
	entry.type = TAR_SYMLINK;
	entry.link = link;
	entry.mode = 0777;
	return put(t, &entry, e);
}

static int add_special(struct tar_tree *t, const struct node *n, enum tar_type type, struct err *e)
{
	struct tar_entry entry = entry_of(t, &n->st);

	entry.type = type;
	entry.major = major(n->st.st_rdev);
	entry.minor = minor(n->st.st_rdev);
	return put(t, &entry, e);
}

/* The directory's own entry; `dir` is open for reading. */
static int add_directory(struct tar_tree *t, const struct node *n, int dir, struct err *e)
{
	__attribute__((cleanup(xattrs_done))) struct xattrs xattrs = { .n = 0 };
	size_t len = t->path.len;
	struct tar_entry entry;

	TRY(read_xattrs(t, dir, &xattrs, e));
	if (t->path.text[len - 1] != '/')
		buf_char(&t->path, '/');
	entry = entry_of(t, &n->st);
	entry.type = TAR_DIRECTORY;
	entry.xattrs = xattrs.at;
	entry.xattrs_n = xattrs.n;
	TRY(put(t, &entry, e));
	path_cut(t, len);
	return 0;
}

/* What the kernel shows of itself is nobody's data, and has no end. */
static bool is_kernels(int dir)
{
	static const unsigned long magics[] = {
		PROC_SUPER_MAGIC,   SYSFS_MAGIC,    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
		DEVPTS_SUPER_MAGIC, DEBUGFS_MAGIC,  TRACEFS_MAGIC,      SECURITYFS_MAGIC,
		BPF_FS_MAGIC,       PSTOREFS_MAGIC, EFIVARFS_MAGIC,     BINFMTFS_MAGIC,
		SELINUX_MAGIC,      SMACK_MAGIC,    NSFS_MAGIC,         0x19800202, /* mqueue */
		0x62656570,                                                         /* configfs */
		0x65735543,                                                         /* fusectl */
	};
	struct statfs st;

	if (fstatfs(dir, &st) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if ((unsigned long)st.f_type == magics[i])
			return true;
	return false;
}

/*
 * The walk
 */

enum depth { ALONE, WITH_BELOW, BELOW_ONLY };

static int add(struct tar_tree *t, int dir, const char *name, enum depth depth, struct err *e);

static int add_below(struct tar_tree *t, int dir, struct err *e)
{
	__attribute__((cleanup(names_done))) struct names names = { 0 };
	size_t len = t->path.len;
	int r = 0;

	if (is_kernels(dir))
		return 0;
	if (t->depth == DEPTH_MAX)
		return err_set(e, ENAMETOOLONG, "%.64s...: it lies below more than %d directories",
			       json_quote(t->path.text).text, DEPTH_MAX);
	TRY(read_names(t, dir, &names, e));
	t->depth++;
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		r = path_push(t, names.at[i], e);
		if (r >= 0)
			r = add(t, dir, names.at[i], WITH_BELOW, e);
		path_cut(t, len);
	}
	t->depth--;
	return r;
}

static int enter(struct tar_tree *t, struct node *n, enum depth depth, struct err *e)
{
	auto_fd int dir = openat(n->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return fail(t, "open", e);
	close_fd(&n->fd);
	if (depth != BELOW_ONLY)
		TRY(add_directory(t, n, dir, e));
	return depth == ALONE ? 0 : add_below(t, dir, e);
}

static int add_node(struct tar_tree *t, struct node *n, enum depth depth, struct err *e)
{
	const char *earlier = depth == BELOW_ONLY ? NULL : earlier_name(t, &n->st);

	if (S_ISDIR(n->st.st_mode))
		return enter(t, n, depth, e);
	if (earlier) {
		struct tar_entry entry = entry_of(t, &n->st);

		entry.type = TAR_HARD_LINK;
		entry.link = earlier;
		return put(t, &entry, e);
	}
	switch (n->st.st_mode & S_IFMT) {
	case S_IFREG:
		return add_file(t, n, e);
	case S_IFLNK:
		return add_symlink(t, n, e);
	case S_IFCHR:
		if (n->st.st_rdev == 0)
			return 0; /* overlayfs's, of a name that went meanwhile: nobody else can have one */
		return add_special(t, n, TAR_CHARACTER, e);
	case S_IFBLK:
		return add_special(t, n, TAR_BLOCK_DEVICE, e);
	case S_IFIFO:
		return add_special(t, n, TAR_FIFO, e);
	default:
		t->skipped++;
		return 0;
	}
}

static int add(struct tar_tree *t, int dir, const char *name, enum depth depth, struct err *e)
{
	struct node n = { .fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC) };
	int r;

	if (n.fd < 0 && errno == ENOENT && (t->depth || depth == ALONE))
		return 0; /* gone meanwhile */
	if (n.fd < 0)
		return fail(t, "open", e);
	if (fstat(n.fd, &n.st) < 0)
		r = fail(t, "look at", e);
	else if (t->no_link && t->depth == 0 && S_ISLNK(n.st.st_mode))
		r = err_set(e, ELOOP, "%s: a link has taken its place meanwhile",
			    json_quote(name).text);
	else
		r = add_node(t, &n, depth, e);
	close_fd(&n.fd);
	return r;
}

static int add_as(struct tar_tree *t, int dir, const char *name, const char *as, enum depth depth,
		  struct err *e)
{
	buf_clear(&t->path);
	buf_str(&t->path, "");
	TRY(path_push(t, as, e));
	return add(t, dir, name, depth, e);
}

int tar_tree_add(struct tar_tree *t, int dir, const char *name, const char *as, struct err *e)
{
	return add_as(t, dir, name, as, as[0] ? WITH_BELOW : BELOW_ONLY, e);
}

int tar_tree_add_one(struct tar_tree *t, int dir, const char *name, const char *as, struct err *e)
{
	return add_as(t, dir, name, as, ALONE, e);
}

int tar_tree_add_empty(struct tar_tree *t, const char *as, struct err *e)
{
	const struct tar_entry entry = { .name = as, .type = TAR_FILE };

	return put(t, &entry, e);
}

int tar_tree_end(struct tar_tree *t, struct err *e)
{
	int r;

	TRY(flush(t, e));
	r = tar_write_end(t->out);
	return r < 0 ? err_neg(e, r, "write the archive") : 0;
}
