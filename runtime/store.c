#include "runtime/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/io.h"
#include "base/json.h"
#include "base/util.h"

enum {
	LOCK_WAIT_US = 10 * 1000 * 1000,
	LOCK_STEP_NS = 2 * 1000 * 1000,
	STATE_MAX = JSON_MAX_SIZE, /* the annotations are config.json's */
};

int store_check_id(const char *id, struct err *e)
{
	size_t len =
		strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.");

	if (!id[0])
		return err_set(e, EINVAL, "invalid container id: it is empty");
	if (id[len] || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return err_set(
			e, EINVAL,
			"invalid container id %s: it may have letters, digits and _ + - . only",
			json_quote(id).text);
	if (len > NAME_MAX)
		return err_set(e, ENAMETOOLONG,
			       "invalid container id: it is longer than %d characters", NAME_MAX);
	return 0;
}

int store_open_root(const char *path, bool make, struct err *e)
{
	int fd;

	if (make)
		TRY(io_mkdir_all(path, 0700, e));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return -ENOENT;
	return err_sys(e, "open the state directory %s", path);
}

static int missing(struct err *e)
{
	return err_set(e, ENOENT, "container does not exist");
}

int store_open(int root, const char *id, struct err *e)
{
	int fd = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	return errno == ENOENT ? missing(e) : err_sys(e, "open the state of container %s", id);
}

int store_lock(int dir, const char *id, struct err *e)
{
	int64_t end = io_now_us() + LOCK_WAIT_US;
	const struct timespec step = { .tv_nsec = LOCK_STEP_NS };
	struct stat st;

	/* Almost always free. flock(2) has no timeout of its own, hence the steps. */
	while (flock(dir, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(e, "lock the state of container %s", id);
		if (io_now_us() > end)
			return err_set(e, EBUSY, "container %s is being changed by another command",
				       id);
		nanosleep(&step, NULL);
	}
	if (fstat(dir, &st) < 0)
		return err_sys(e, "stat the state of container %s", id);
	return st.st_nlink == 0 ? missing(e) : 0;
}

static int is_taken(const char *id, struct err *e)
{
	return err_set(e, EEXIST, "container with given ID already exists: %s", id);
}

int store_claim(int root, const char *id, struct err *e)
{
	static const char *const files[] = { "config.json", "state.json" };
	auto_fd int dir = store_open(root, id, e);
	int r = dir < 0 ? dir : store_lock(dir, id, e);

	if (r == -ENOENT)
		return err_set(e, ENOENT, "container %s was deleted while it was being created",
			       id);
	TRY(r);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (faccessat(dir, files[i], F_OK, 0) == 0)
			return is_taken(id, e);
		if (errno != ENOENT)
			return err_sys(e, "look for %s of container %s", files[i], id);
	}
	return take_fd(&dir);
}

int store_reserve(int root, const char *id, struct err *e)
{
	int r;

	if (mkdirat(root, id, 0700) < 0)
		return errno == EEXIST ? is_taken(id, e)
				       : err_sys(e, "make the state directory of container %s", id);
	r = store_claim(root, id, e);
	/* No descriptor left: it is empty still. In the other cases what has the name is not ours. */
	if (r < 0 && r != -EBUSY && r != -EEXIST && r != -ENOENT)
		(void)unlinkat(root, id, AT_REMOVEDIR);
	return r;
}

int store_remove(int root, const char *id, struct err *e)
{
	int r = io_remove_tree(root, id);

	return r < 0 ? err_neg(e, r, "remove the state of container %s", id) : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int store_list(int root, struct arena *a, struct strings *ret, struct err *e)
{
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	size_t room = 0;
	int failure;

	*ret = (struct strings){ 0 };
	if (!dir)
		return err_sys(e, "list the state directory");
	errno = 0;
	while ((entry = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe): our own stream */
		if (store_check_id(entry->d_name, NULL) < 0) {
			errno = 0;
			continue;
		}
		if (ret->n == room) {
			const char **more =
				arena_array(a, room = room ? 2 * room : 64, sizeof(*more));

			if (ret->n)
				memcpy(more, ret->at, ret->n * sizeof(*more));
			ret->at = more;
		}
		ret->at[ret->n++] = arena_strdup(a, entry->d_name);
		errno = 0;
	}
	failure = errno;
	closedir(dir);
	if (failure)
		return err_neg(e, -failure, "list the state directory");
	if (ret->n)
		qsort(ret->at, ret->n, sizeof(*ret->at), by_name);
	return 0;
}

int store_save_state(int dir, const struct state *state, struct err *e)
{
	auto_buf struct buf text = { 0 };

	state_encode(state, &text);
	if (text.len > STATE_MAX)
		return err_set(e, E2BIG,
			       "save the state of container %s: with its annotations it has %zu "
			       "bytes, and may have %d",
			       state->id, text.len, STATE_MAX);
	if (io_replace_file(dir, "state.json", text.text, text.len, e) < 0)
		return err_wrap(e, "save the state of container %s", state->id);
	return 0;
}

int store_load_state(int dir, const char *id, struct state *ret, struct err *e)
{
	auto_buf struct buf text = { 0 };
	int r = io_read_file(dir, "state.json", STATE_MAX, "state.json", &text, e);

	if (r == -ENOENT)
		return r;
	if (r == 0)
		r = state_decode(&text, ret, e);
	if (r < 0)
		return err_wrap(e, "container %s", id);
	if (strcmp(ret->id, id) != 0) {
		state_done(ret);
		return err_set(e, EINVAL, "container %s: its state is of another container", id);
	}
	return 0;
}

int store_save_config(int dir, const struct buf *text, struct err *e)
{
	auto_fd int fd = openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : io_write_all(fd, text->text, text->len);

	if (r == 0 && close(take_fd(&fd)) < 0)
		r = -errno;
	return r < 0 ? err_neg(e, r, "save config.json") : 0;
}

int store_load_config(int dir, struct spec *ret, struct err *e)
{
	auto_buf struct buf text = { 0 };

	TRY(io_read_file(dir, "config.json", JSON_MAX_SIZE, "the saved config.json", &text, e));
	return spec_parse(ret, "config.json", text.text, text.len, e);
}
