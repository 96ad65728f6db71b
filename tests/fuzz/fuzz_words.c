/*
 * fuzz_words.c - anything at all as values with a notation of their own that have no fuzz program of
 * their own (of options, of a configuration's texts, of the kernel's lists).
 *
 *	fuzz_words tests/fuzz/corpus-words
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "cgroups/host.h"
#include "cli/signals.h"
#include "cli/values.h"
#include "engine/idrange.h"
#include "engine/netwish.h"
#include "image/unpack/ids.h"
#include "mounts/idmap.h"
#include "mounts/mountinfo.h"
#include "process/number_set.h"
#include "process/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void refused(int r, struct err *e)
{
	require(r < 0 && e->code > 0 && e->msg[0]);
	*e = (struct err){ 0 };
}

static void numbers(const char *text, struct arena *a, struct err *e)
{
	uint32_t uid, gid, count;
	struct number_set set;
	int64_t value;
	bool has_gid;
	int number;

	if (user_parse(text, &uid, &gid, &has_gid, e) == 0)
		require(uid != UINT32_MAX && (!has_gid || gid != UINT32_MAX));
	else
		refused(-1, e);
	if (number_set_parse(text, a, &set, e) == 0)
		require(set.n > 0 && set.n * sizeof(long) * 8 <= NUMBER_SET_MAX);
	else
		refused(-1, e);
	if (signal_parse(text, &number, e) == 0)
		require(number >= 0 && number <= 64);
	else
		refused(-1, e);
	if (idrange_parse(text, &count, e) < 0)
		refused(-1, e);
	if (bytes_parse(text, &value) == 0)
		require(value >= -1);
	if (duration_parse(text, &value) == 0)
		require(value >= 0);
	if (integer_parse(text, &value) == 0)
		require(strlen(text) > 0);
}

static void maps(const char *text, struct arena *a, struct err *e)
{
	static struct ids ids;
	static const struct spec_idmap rows[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } };
	const struct mount_idmap container = { .uids = { (struct spec_idmap *)rows, 2 },
					       .gids = { (struct spec_idmap *)rows, 1 } };
	struct mount_idmap map;
	struct join join;

	if (ids_parse(&ids, text, e) == 0)
		require(ids.n <= IDS_ROWS_MAX);
	else
		refused(-1, e);
	if (mount_idmap_parse(text, &container, a, &map, e) == 0)
		require(map.uids.n > 0 || map.gids.n > 0);
	else
		refused(-1, e);
	if (netwish_parse(text, a, &join, e) == 0)
		require(join.network != NULL);
	else
		refused(-1, e);
}

static void lists(const struct buf *text, struct arena *a, struct err *e)
{
	struct cgroup_host host = CGROUP_HOST_NONE;
	mountinfo mounts = { 0 };

	if (mountinfo_parse(text, a, &mounts, e) == 0)
		for (size_t i = 0; i < mounts.n; i++)
			require(mounts.at[i].path && mounts.at[i].root && mounts.at[i].type);
	else
		refused(-1, e);
	cgroup_host_parse(text->text, &host);
	require(memchr(host.own, '\0', sizeof(host.own)) && memchr(host.v1, '\0', sizeof(host.v1)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	buf_add(&text, data, size);
	buf_str(&text, "");
	numbers(text.text, &a, &e);
	maps(text.text, &a, &e);
	lists(&text, &a, &e);
	return 0;
}
