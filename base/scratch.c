#include "base/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/log.h"

/* Who sweeps takes a new one away only between its mkdir(2) and its flock(2). */
enum { TRIES = 16 };

static int lock(int dir, int how)
{
	int r;

	while ((r = flock(dir, how)) < 0 && errno == EINTR)
		;
	return r < 0 ? -errno : 0;
}

/* The locked directory; -ENOENT: somebody has swept it away. */
static int open_locked(int parent, const char *name)
{
	auto_fd int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (dir < 0)
		return -errno;
	TRY(lock(dir, LOCK_EX));
	if (fstat(dir, &st) < 0)
		return -errno;
	return st.st_nlink > 0 ? take_fd(&dir) : -ENOENT;
}

static int make_one(int parent, const char *prefix, struct scratch *ret)
{
	uint64_t number;
	int dir;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return -errno;
	if ((size_t)snprintf(ret->name, sizeof(ret->name), "%s%016" PRIx64, prefix, number) >=
	    sizeof(ret->name))
		return -ENAMETOOLONG;
	if (mkdirat(parent, ret->name, 0700) < 0)
		return -errno;
	dir = open_locked(parent, ret->name);
	if (dir < 0 && dir != -ENOENT)
		(void)unlinkat(parent, ret->name, AT_REMOVEDIR);
	return dir;
}

int scratch_make(int parent, const char *prefix, struct scratch *ret, struct err *e)
{
	struct scratch s = { .parent = parent, .dir = -ENOENT };

	for (int i = 0; i < TRIES && s.dir == -ENOENT; i++)
		s.dir = make_one(parent, prefix, &s);
	if (s.dir < 0)
		return err_neg(e, s.dir, "make a directory %s* to work in", prefix);
	*ret = s;
	return 0;
}

int scratch_keep(struct scratch *s, const char *name)
{
	int r = io_remove_tree(s->parent, name);

	TRY(r);
	if (renameat(s->parent, s->name, s->parent, name) < 0)
		return -errno;
	s->name[0] = '\0';
	close_fd(&s->dir);
	return 0;
}

void scratch_done(struct scratch *s)
{
	int r = s->name[0] ? io_remove_tree(s->parent, s->name) : 0;

	if (r < 0)
		log_warn("the directory %s, which was worked in, is left: %s", s->name,
			 err_text(-r));
	close_fd(&s->dir);
	s->name[0] = '\0';
}

static void sweep_one(int parent, const char *name)
{
	auto_fd int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (dir < 0 || lock(dir, LOCK_EX | LOCK_NB) < 0)
		return;
	r = io_remove_tree(parent, name);
	if (r < 0)
		log_warn("the directory %s, which a killed hull has left, cannot be removed: %s",
			 name, err_text(-r));
}

void scratch_sweep(int parent, const char *prefix)
{
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir) {
		log_warn("look for what killed ones have left: %s", err_text(errno));
		close_fd(&fd);
		return;
	}
	while ((d = readdir(dir))) /* NOLINT(concurrency-mt-unsafe): our own stream */
		if (strncmp(d->d_name, prefix, strlen(prefix)) == 0)
			sweep_one(parent, d->d_name);
	closedir(dir);
}
