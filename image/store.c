/* store.c - the store's directory, its locks, and files that appear at once. */
#include "image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/lock.h"
#include "image/store_private.h"

int image_store_path(const char *root, struct buf *ret, struct err *e)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (root)
		buf_str(ret, root);
	else if (geteuid() == 0)
		buf_str(ret, "/var/lib/hull");
	else if (data && data[0] == '/')
		buf_printf(ret, "%s/hull", data);
	else if (home && home[0] == '/')
		buf_printf(ret, "%s/.local/share/hull", home);
	else
		return err_set(e, ENOENT,
			       "find the image store: neither XDG_DATA_HOME nor HOME is set to an "
			       "absolute path");
	return 0;
}

void store_unique_name(char *ret, size_t size)
{
	uint64_t words[2] = { 0, 0 };

	/* Nothing secret: without the kernel's, the time and place of the process do. */
	if (getrandom(words, sizeof(words), GRND_NONBLOCK) != (ssize_t)sizeof(words)) {
		words[0] = (uint64_t)io_now_us();
		words[1] = (uint64_t)getpid();
	}
	snprintf(ret, size, "%016llx%016llx", (unsigned long long)words[0],
		 (unsigned long long)words[1]);
}

int staged_open(const struct image_store *s, struct image_staged *ret, struct err *e)
{
	struct image_staged f = { .fd = -1 };

	f.fd = openat(s->staging, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	/* Not all file systems can. */
	if (f.fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		store_unique_name(f.name, sizeof(f.name));
		f.fd = openat(s->staging, f.name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (f.fd < 0)
		return err_sys(e, "make a file in the image store");
	*ret = f;
	return 0;
}

int staged_link(const struct image_store *s, const struct image_staged *f, int dir,
		const char *name)
{
	int r;

	if (f->name[0])
		r = linkat(s->staging, f->name, dir, name, 0);
	else
		r = linkat(AT_FDCWD, io_fd_path(f->fd).text, dir, name, AT_SYMLINK_FOLLOW);
	return r < 0 ? -errno : 0;
}

int staged_replace(const struct image_store *s, struct image_staged *f, int dir, const char *name)
{
	if (!f->name[0]) {
		char staged[sizeof(f->name)];

		store_unique_name(staged, sizeof(staged));
		TRY(staged_link(s, f, s->staging, staged));
		memcpy(f->name, staged, sizeof(staged));
	}
	if (renameat(s->staging, f->name, dir, name) < 0)
		return -errno;
	f->name[0] = '\0';
	return 0;
}

void staged_drop(const struct image_store *s, struct image_staged *f)
{
	close_fd(&f->fd);
	if (f->name[0])
		unlinkat(s->staging, f->name, 0);
	f->name[0] = '\0';
}

int store_write(const struct image_store *s, const char *name, const char *bytes, size_t len,
		bool keep, struct err *e)
{
	struct image_staged f = { .fd = -1 };
	int r;

	TRY(staged_open(s, &f, e));
	r = io_write_all(f.fd, bytes, len);
	if (r == 0 && fsync(f.fd) < 0)
		r = -errno;
	if (r == 0)
		r = keep ? staged_link(s, &f, s->dir, name) : staged_replace(s, &f, s->dir, name);
	if (keep && r == -EEXIST)
		r = 0;
	staged_drop(s, &f);
	if (r == 0 && fsync(s->dir) < 0)
		r = -errno;
	return r < 0 ? err_neg(e, r, "write %s of the image store", name) : 0;
}

struct store_place store_place(const struct digest *d)
{
	struct store_place ret;

	snprintf(ret.text, sizeof(ret.text), "%.6s/%.128s", d->text, digest_hex(d));
	return ret;
}

static int make_directory(int dir, const char *name, struct err *e)
{
	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make %s in the image store", name);
	return 0;
}

static int open_directory(int dir, const char *name, struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open %s in the image store", name) : fd;
}

/* Another's directory could be changed under our feet; ours is for nobody else. */
static int claim(int dir, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return err_sys(e, "stat the image store %s", path);
	if (st.st_uid != geteuid())
		return err_set(e, EPERM, "open the image store %s: it belongs to uid %u, not to %u",
			       path, st.st_uid, geteuid());
	if ((st.st_mode & 07777) != 0700 && fchmod(dir, 0700) < 0)
		return err_sys(e, "make the image store %s private", path);
	return 0;
}

static int make_all(const struct image_store *s, struct err *e)
{
	static const char *const directories[] = { "staging", "blobs",         "blobs/sha256",
						   "layers",  "layers/sha256", "pins" };

	for (size_t i = 0; i < ARRAY_LEN(directories); i++)
		TRY(make_directory(s->dir, directories[i], e));
	return 0;
}

static int has_entry(const char *name UNUSED, void *ctx UNUSED, struct err *e UNUSED)
{
	return -EEXIST;
}

static bool is_empty(const struct image_store *s, const char *directory)
{
	return store_each(s->blobs, directory, has_entry, NULL, NULL) == 0;
}

/* An index.json that got lost is not made here: gc would take the images for rubbish. */
static int make_files(const struct image_store *s, struct err *e)
{
	static const struct image_index none = { .schema_version = 2 };
	auto_buf struct buf text = { 0 };

	image_index_write(&none, &text);
	if (faccessat(s->dir, "index.json", F_OK, 0) < 0 && is_empty(s, "sha256") &&
	    is_empty(s, "sha512"))
		TRY(store_write(s, "index.json", text.text, text.len, true, e));
	if (faccessat(s->dir, "oci-layout", F_OK, 0) == 0)
		return 0;
	return store_write(s, "oci-layout", STORE_LAYOUT, strlen(STORE_LAYOUT), true, e);
}

int image_store_open(const char *path, bool make, struct image_store *ret, struct err *e)
{
	auto_image_store struct image_store s = IMAGE_STORE_CLOSED;
	bool whole;

	if (make)
		TRY(io_mkdir_all(path, 0700, e));
	s.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.dir < 0)
		return err_sys(e, "open the image store %s", path);
	TRY(claim(s.dir, path, e));
	/* They are made last. */
	whole = faccessat(s.dir, "index.json", F_OK, 0) == 0 ||
		faccessat(s.dir, "oci-layout", F_OK, 0) == 0;
	if (!whole && !make)
		return err_set(e, ENOENT, "open the image store %s: there is none", path);
	if (make)
		TRY(make_all(&s, e));
	TRY(s.blobs = open_directory(s.dir, "blobs", e));
	TRY(s.layers = open_directory(s.dir, "layers", e));
	TRY(s.staging = open_directory(s.dir, "staging", e));
	if (make)
		TRY(make_files(&s, e));
	*ret = s;
	s = (struct image_store)IMAGE_STORE_CLOSED;
	return 0;
}

void image_store_close(struct image_store *s)
{
	close_fd(&s->dir);
	close_fd(&s->blobs);
	close_fd(&s->layers);
	close_fd(&s->staging);
}

int store_lock_file(const struct image_store *s, const char *name, bool exclusive, unsigned wait_ms,
		    struct err *e)
{
	const struct timespec pause = { .tv_nsec = 5L * 1000 * 1000 };
	int64_t end = io_now_us() + (int64_t)wait_ms * 1000;
	int how = exclusive ? LOCK_EX : LOCK_SH;
	auto_fd int fd = openat(s->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "open %s of the image store", name);
	if (wait_ms == STORE_WAIT_USUAL) {
		TRY(lock_wait(fd, !exclusive, "the image store", e));
		return take_fd(&fd);
	}
	while (flock(fd, how | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return err_sys(e, "lock %s of the image store", name);
		if (io_now_us() >= end)
			return err_set(e, EBUSY, "the image store is in use by another command");
		nanosleep(&pause, NULL);
	}
	return take_fd(&fd);
}

int image_store_use(const struct image_store *s, struct err *e)
{
	return store_lock_file(s, "lock", false, STORE_WAIT_USUAL, e);
}

int store_each(int dir, const char *name, int (*fn)(const char *name, void *ctx, struct err *e),
	       void *ctx, struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;
	struct dirent *entry;
	DIR *d;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s in the image store", name);
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return err_sys(e, "read %s in the image store", name);
	}
	for (errno = 0; r >= 0 && (entry = readdir(d)) != NULL; errno = 0)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = fn(entry->d_name, ctx, e);
	if (r >= 0 && errno)
		r = err_sys(e, "read %s in the image store", name);
	closedir(d);
	return r;
}
