#include "image/unpack/late.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/json.h"
#include "image/unpack/tree.h"

/* Of a file that is there for a moment; a directory may be written to by several. */
#define SPOOL_NAME ".wh..wh.hull-unpack"

struct record {
	struct timespec mtime;
	mode_t mode;
	uint16_t len, depth;
	bool with_mode;
};

int late_open(struct late *l, int root, struct err *e)
{
	char name[sizeof(SPOOL_NAME) + 24];
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return err_sys(e, "get random bytes");
	snprintf(name, sizeof(name), SPOOL_NAME "-%016llx", (unsigned long long)number);
	l->root = root;
	l->used = 0;
	memset(l->depths, 0, sizeof(l->depths));
	l->spool = openat(root, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (l->spool < 0)
		return err_sys(e, "make a file in the directory");
	if (unlinkat(root, name, 0) < 0)
		return err_sys(e, "unlink a file in the directory");
	return 0;
}

void late_close(struct late *l)
{
	close_fd(&l->spool);
}

static int flush(struct late *l, struct err *e)
{
	int r = io_write_all(l->spool, l->buffer, l->used);

	l->used = 0;
	return r < 0 ? err_neg(e, r, "keep the list of directories") : 0;
}

static int put(struct late *l, const void *bytes, size_t len, struct err *e)
{
	if (l->used + len > sizeof(l->buffer))
		TRY(flush(l, e));
	memcpy(l->buffer + l->used, bytes, len);
	l->used += len;
	return 0;
}

int late_add(struct late *l, const struct entry_path *path, mode_t mode, bool with_mode,
	     struct timespec mtime, struct err *e)
{
	struct record record;

	memset(&record, 0, sizeof(record));
	record.mtime = mtime;
	record.mode = mode;
	record.len = (uint16_t)path->len;
	record.depth = (uint16_t)path->depth;
	record.with_mode = with_mode;
	if (with_mode)
		l->depths[path->depth / 64] |= UINT64_C(1) << path->depth % 64;
	TRY(put(l, &record, sizeof(record), e));
	return put(l, path->text, path->len, e);
}

/* Bytes of the list, from its beginning. */
static ssize_t take(struct late *l, size_t *at, void *bytes, size_t len)
{
	char *to = bytes;
	size_t got = 0;

	while (got < len) {
		size_t n = l->used - *at < len - got ? l->used - *at : len - got;
		ssize_t more;

		memcpy(to + got, l->buffer + *at, n);
		got += n;
		*at += n;
		if (got == len)
			break;
		more = io_read_all(l->spool, l->buffer, sizeof(l->buffer));
		if (more <= 0)
			return more < 0 ? more : (ssize_t)got;
		l->used = (size_t)more;
		*at = 0;
	}
	return (ssize_t)got;
}

static int apply_one(struct late *l, const struct record *r, const char *path, bool modes,
		     struct err *e)
{
	const struct timespec times[] = { r->mtime, r->mtime };
	auto_fd int fd = tree_directory(l->root, path);

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0;
	if (fd < 0)
		return err_neg(e, fd, "entry %s: open it again", json_quote(path).text);
	if (modes && fchmod(fd, r->mode) < 0)
		return err_sys(e, "entry %s: set its mode", json_quote(path).text);
	if (!modes && futimens(fd, times) < 0)
		return err_sys(e, "entry %s: set its time", json_quote(path).text);
	return 0;
}

/* All times; or the modes of those at one depth. */
static int pass(struct late *l, bool modes, unsigned depth, struct err *e)
{
	char path[ENTRY_PATH_MAX];
	struct record r;
	size_t at = 0;
	ssize_t n;

	l->used = 0;
	if (lseek(l->spool, 0, SEEK_SET) < 0)
		return err_sys(e, "read the list of directories");
	while ((n = take(l, &at, &r, sizeof(r))) == sizeof(r)) {
		n = r.len < sizeof(path) ? take(l, &at, path, r.len) : -EIO;
		if (n != r.len)
			break;
		path[r.len] = '\0';
		if (!modes || (r.with_mode && r.depth == depth))
			TRY(apply_one(l, &r, path, modes, e));
		n = 0;
	}
	return n == 0 ? 0
		      : err_set(e, EIO, "read the list of directories: it is not what was written");
}

int late_apply(struct late *l, struct err *e)
{
	TRY(flush(l, e));
	TRY(pass(l, false, 0, e));
	/* Deepest first: a mode may shut out from what is below. */
	for (unsigned depth = ENTRY_DEPTH_MAX + 1; depth-- > 0;)
		if (l->depths[depth / 64] >> depth % 64 & 1)
			TRY(pass(l, true, depth, e));
	return 0;
}
