#include "engine/idrange.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/mem.h"
#include "engine/userns.h"

enum { SUBID_MAX = 4 * 1024 * 1024, FILE_MAX = 64 };

static const char file_name[] = "userns";
static const char *const owners[] = { "hull", "containers" };

int idrange_parse(const char *text, uint32_t *ret_count, struct err *e)
{
	static const char size[] = "auto:size=";
	unsigned long value;
	char *end;

	*ret_count = 0;
	if (!text || !*text || strcmp(text, "host") == 0)
		return 0;
	*ret_count = IDRANGE_SIZE;
	if (strcmp(text, "auto") == 0)
		return 0;
	if (strncmp(text, size, sizeof(size) - 1) != 0)
		return err_set(e, EINVAL, "--userns %s: expected host, auto or auto:size=N",
			       json_quote(text).text);
	text += sizeof(size) - 1;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || value == 0 || value > UINT32_MAX / 2)
		return err_set(e, EINVAL, "--userns auto:size=%s: expected a number of ids", text);
	*ret_count = (uint32_t)value;
	return 0;
}

/* The offset behind what is taken, from `first` on, if that is in the way at `at`; else `at`. */
static uint64_t pass(uint32_t base, uint32_t first, uint32_t taken, uint64_t at, uint32_t count)
{
	const uint64_t begin = base + at, end = (uint64_t)first + taken;

	return begin < end && first < begin + count ? end - base : at;
}

int idrange_choose(const struct idrange *all, const struct idrange *taken, size_t n, uint32_t count,
		   struct idrange *ret)
{
	uint64_t at = 0, before;

	/* What a step has left behind is never in the way again: so this ends. */
	do {
		before = at;
		for (size_t i = 0; i < n; i++) {
			at = pass(all->uid, taken[i].uid, taken[i].count, at, count);
			at = pass(all->gid, taken[i].gid, taken[i].count, at, count);
		}
	} while (at != before);
	if (at + count > all->count)
		return -ENOSPC;
	*ret = (struct idrange){ (uint32_t)(all->uid + at), (uint32_t)(all->gid + at), count };
	return 0;
}

static int read_range(const char *path, const char *owner, uint32_t *first, uint32_t *count,
		      bool *ret, struct err *e)
{
	auto_buf struct buf text = { 0 };

	int r = io_read_file(AT_FDCWD, path, SUBID_MAX, path, &text, e);

	*ret = false;
	if (r == -ENOENT)
		return 0;
	TRY(r);
	*ret = userns_find_range(text.text, text.len, owner, UINT32_MAX, first, count);
	return 0;
}

/* All that containers may have. */
static int find_all(struct idrange *ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		uint32_t uids, gids;
		bool has_uids, has_gids;

		TRY(read_range("/etc/subuid", owners[i], &ret->uid, &uids, &has_uids, e));
		TRY(read_range("/etc/subgid", owners[i], &ret->gid, &gids, &has_gids, e));
		if (!has_uids || !has_gids)
			continue;
		ret->count = uids < gids ? uids : gids;
		return 0;
	}
	return err_set(e, ENOENT,
		       "--userns auto: no ids are set aside for it: add a line like "
		       "\"hull:1000000:1048576\" to /etc/subuid and /etc/subgid");
}

/* 1: what a container has taken. 0: nothing, or it is being removed. */
static int read_taken(const struct engine *g, const char *id, struct idrange *ret, struct err *e)
{
	auto_buf struct buf path = { 0 }, text = { 0 };
	int r;

	buf_printf(&path, "%s/%s", id, file_name);
	r = io_read_file(g->containers, path.text, FILE_MAX, path.text, &text, e);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	TRY(r);
	if (sscanf(text.text ? text.text : "", "%u %u %u", &ret->uid, &ret->gid, &ret->count) != 3)
		return err_set(e, EBADMSG,
			       "--userns auto: the ids of container %.12s are not known: remove it",
			       id);
	return 1;
}

/* All of them; who calls holds the lock. The list, also where it is not whole, is the caller's to free. */
static int find_taken(const struct engine *g, struct idrange **ret, size_t *ret_n, struct err *e)
{
	int fd = openat(g->containers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;
	size_t n = 0;

	if (!dir) {
		err_sys(e, "read the directory of containers");
		close_fd(&fd);
		return -e->code;
	}
	for (errno = 0; r >= 0 && (d = readdir(dir));
	     errno = 0) { /* NOLINT(concurrency-mt-unsafe) */
		struct idrange one;

		r = d->d_name[0] == '.' ? 0 : read_taken(g, d->d_name, &one, e);
		if (r <= 0)
			continue;
		if ((n & (n - 1)) == 0)
			*ret = mem_grow(*ret, n ? 2 * n : 1, sizeof(**ret));
		(*ret)[n++] = one;
	}
	if (r >= 0 && errno)
		r = err_sys(e, "read the directory of containers");
	closedir(dir);
	*ret_n = n;
	return r < 0 ? r : 0;
}

int idrange_take(const struct engine *g, int dir, uint32_t count, struct idrange *ret,
		 struct err *e)
{
	auto_fd int lock = openat(g->containers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_free struct idrange *taken = NULL;
	struct idrange all;
	char text[FILE_MAX];
	size_t n = 0;

	TRY(find_all(&all, e));
	if (lock < 0)
		return err_sys(e, "open the directory of containers");
	TRY(lock_wait(lock, false, "the directory of containers", e));
	TRY(find_taken(g, &taken, &n, e));
	if (idrange_choose(&all, taken, n, count, ret) < 0)
		return err_set(e, ENOSPC,
			       "--userns auto: of the %u ids that /etc/subuid and /etc/subgid set "
			       "aside, no %u in a row are free",
			       all.count, count);
	snprintf(text, sizeof(text), "%u %u %u\n", ret->uid, ret->gid, ret->count);
	return io_replace_file(dir, file_name, text, strlen(text), e);
}

static void one_map(uint32_t first, uint32_t count, struct arena *a, struct spec_idmaps *ret)
{
	ret->at = arena_array(a, 1, sizeof(*ret->at));
	ret->at[0] = (struct spec_idmap){ 0, first, count };
	ret->n = 1;
}

void idrange_maps(const struct idrange *r, struct arena *a, struct spec_idmaps *ret_uids,
		  struct spec_idmaps *ret_gids)
{
	if (!r->count)
		return;
	one_map(r->uid, r->count, a, ret_uids);
	one_map(r->gid, r->count, a, ret_gids);
}
