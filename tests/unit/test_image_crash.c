/*
 * The store is whole whenever a command is killed, or the disk is full: what
 * was acknowledged is there, and the next gc leaves nothing else.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/io.h"
#include "base/log.h"
#include "image/store.h"
#include "test_child.h"
#include "test_image_make.h"

enum { ROUNDS = 200, NAMES = 6 };

TestSuite(image_crash, .init = store_make, .fini = store_unmake, .timeout = 300);

/* What a child says before or after it did something to a name. */
struct said {
	char what; /* '+': it has it; '-': it may have lost it; '.': begins; '!': failed */
	int name;
	char text[200];
};

static void say(int to, char what, int name, const char *text)
{
	struct said s = { .what = what, .name = name };

	snprintf(s.text, sizeof(s.text), "%s", text);
	if (write(to, &s, sizeof(s)) < 0)
		_exit(1);
}

static const char *name_of(int n)
{
	static char text[64];

	snprintf(text, sizeof(text), "docker.io/library/n%d:latest", n);
	return text;
}

/* Pull, unpack, tag, pin, untag, gc. */
static int one_image(const struct image_store *s, int n, unsigned seed, int to, struct err *e)
{
	auto_fd int use = -1;
	struct image_gc gc;
	struct made m;
	char word[32];
	int r;

	snprintf(word, sizeof(word), "w%u", seed % 50);
	TRY(use = image_store_use(s, e));
	TRY(try_make_image(s, word, 3, &m, e));
	for (size_t i = 0; i < 3; i++)
		TRY(try_make_layer(s, &m.diff_ids[i], e));
	say(to, '-', n, "");
	TRY(image_store_tag(s, name_of(n), &m.manifest, NULL, e));
	say(to, '+', n, m.manifest.digest.text);
	TRY(image_store_pin(s, "box", &m.manifest.digest, e));
	close_fd(&use);
	if (seed % 3 == 0) {
		int gone = (int)(seed / 3 % NAMES);

		say(to, '-', gone, "");
		r = image_store_untag(s, name_of(gone), e);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	if (seed % 5 == 0)
		TRY(image_store_prune(s, e));
	if (seed % 7 == 0)
		TRY(image_layers_sync(s, e));
	if (seed % 2 == 0)
		TRY(image_store_gc(s, 1000, &gc, e));
	return 0;
}

static void work(const char *path, unsigned seed, int to)
{
	auto_image_store struct image_store s = IMAGE_STORE_CLOSED;
	struct err e = { 0 };

	if (image_store_open(path, true, &s, &e) < 0)
		say(to, '!', 0, e.msg);
	say(to, '.', 0, "");
	for (;; seed = seed * 1103515245 + 12345)
		if (one_image(&s, (int)(seed >> 16) % NAMES, seed >> 8, to, &e) < 0) {
			say(to, '!', 0, e.msg);
			_exit(1);
		}
}

/* What has to be there: the digest, or "" if nothing has to. */
static char expected[NAMES][200];

static void listen_to(int from)
{
	struct said s;

	while (read(from, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		cr_assert_neq(s.what, '!', "%s", s.text);
		if (s.what == '.')
			continue;
		snprintf(expected[s.name], sizeof(expected[0]), "%s", s.what == '+' ? s.text : "");
	}
}

static void fail_on(const struct image_problem *p, void *ctx)
{
	cr_expect(false, "round %d: %s", *(int *)ctx, p->what);
}

static void expect_whole(int round)
{
	struct err e = { 0 };

	cr_assert_eq(image_store_check(&store, false, 0, fail_on, &round, &e), 0, "round %d: %s",
		     round, e.msg);
	for (int n = 0; n < NAMES; n++) {
		auto_arena struct arena a = { 0 };
		struct image_record r;

		if (!expected[n][0])
			continue;
		cr_assert_eq(image_store_resolve(&store, name_of(n), &a, &r, &e), 0, "round %d: %s",
			     round, e.msg);
		cr_assert_str_eq(r.manifest.digest.text, expected[n], "round %d", round);
	}
}

static size_t entries(const char *directory)
{
	DIR *d = opendir(dir_at(directory));
	size_t n = 0;

	cr_assert_not_null(d);
	for (struct dirent *entry; (entry = readdir(d)) != NULL;)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

/* How long one image takes here, in microseconds: children live for up to twice that. */
static unsigned measure(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int64_t from = io_now_us();
	struct err e = { 0 };

	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(one_image(&store, (int)i, i, null, &e), 0, "%s", e.msg);
	close(null);
	return (unsigned)((io_now_us() - from) / 4);
}

/* The child that is killed is the only one, or one of three. */
static void kill_rounds(int rounds, int children)
{
	unsigned seed, amidst = 0, span = measure();
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = (unsigned)now.tv_nsec;
	srand(seed);
	fprintf(stderr, "seed %u, %u us for an image\n", seed, span);
	for (int round = 0; round < rounds; round++) {
		pid_t pids[3];
		int ends[2];

		cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
		for (int i = 0; i < children; i++) {
			unsigned first = (unsigned)rand();

			pids[i] = fork();
			cr_assert_geq(pids[i], 0);
			if (pids[i] == 0) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				work(dir_at("store"), first, ends[1]);
			}
		}
		close(ends[1]);
		/* However long it takes to begin (sanitizers, a busy machine). */
		cr_assert_eq(poll(&(struct pollfd){ .fd = ends[0], .events = POLLIN }, 1, -1), 1);
		usleep((unsigned)rand() % (2 * span + 1));
		for (int i = 0; i < children; i++) {
			kill(pids[i], SIGKILL);
			waitpid(pids[i], NULL, 0);
		}
		/* Words of several children come in the order of the writes, not of what they did. */
		if (children == 1)
			listen_to(ends[0]);
		close(ends[0]);
		amidst += entries("store/staging") > 0;
		expect_whole(round);
	}
	cr_expect_gt(amidst, 0, "no child was killed amidst its work");
}

static void expect_nothing_left(void)
{
	auto_arena struct arena a = { 0 };
	struct image_records list;
	struct image_gc gc;
	struct err e = { 0 };

	cr_assert_eq(image_store_list(&store, &a, &list, &e), 0, "%s", e.msg);
	cr_expect_gt(list.n, 0);
	for (size_t i = 0; i < list.n; i++)
		cr_assert_geq(image_store_remove(&store, &list.at[i].manifest.digest, &a, NULL, &e),
			      -ENOENT);
	cr_assert_eq(image_store_unpin(&store, "box", &e), 0);
	cr_assert_eq(image_store_gc(&store, 0, &gc, &e), 0, "%s", e.msg);
	cr_expect_eq(entries("store/staging"), 0);
	cr_expect_eq(entries("store/blobs/sha256"), 0);
	cr_expect_eq(entries("store/layers/sha256"), 0);
}

Test(image_crash, killed_at_any_time)
{
	kill_rounds(ROUNDS, 1);
	expect_nothing_left();
}

Test(image_crash, three_killed_at_any_time)
{
	kill_rounds(ROUNDS / 4, 3);
	expect_nothing_left();
}

/* A file system of a few pages that is full at another point each time. */
static void full(void *arg UNUSED)
{
	struct image_store s = IMAGE_STORE_CLOSED;
	struct err e = { 0 };
	struct made kept, m;
	unsigned failures = 0;

	private_mounts();
	CHILD_ASSERT(mkdir("/tmp/small", 0700) == 0, "errno %d", errno);
	CHILD_ASSERT(mount("tmpfs", "/tmp/small", "tmpfs", 0, "size=256k,nr_inodes=80") == 0,
		     "errno %d", errno);
	CHILD_ASSERT(image_store_open("/tmp/small/store", true, &s, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(try_make_image(&s, "kept", 2, &kept, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(image_store_tag(&s, name_of(0), &kept.manifest, NULL, &e) == 0, "%s", e.msg);
	for (size_t pages = 1; pages < 60; pages++) {
		auto_free char *filler = calloc(pages, 4096);
		int fd = open("/tmp/small/filler", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		struct image_gc gc;
		char word[16];
		int r;

		CHILD_ASSERT(fd >= 0, "errno %d", errno);
		(void)!write(fd, filler, pages * 4096);
		close(fd);
		snprintf(word, sizeof(word), "w%zu", pages);
		r = try_make_image(&s, word, 3, &m, &e);
		for (size_t i = 0; r == 0 && i < 3; i++)
			r = try_make_layer(&s, &m.diff_ids[i], &e);
		if (r == 0)
			r = image_store_tag(&s, name_of(1), &m.manifest, NULL, &e);
		failures += r < 0;
		CHILD_ASSERT(r == 0 || r == -ENOSPC, "%d: %s", r, e.msg);
		CHILD_ASSERT(r == 0 || strstr(e.msg, "no space left on device") ||
				     strstr(e.msg, "write"),
			     "%s", e.msg);
		/* Full as it is: what was there is whole, and what was begun can be removed. */
		CHILD_ASSERT(image_store_check(&s, false, 0, NULL, NULL, &e) == 0, "%zu: %s", pages,
			     e.msg);
		unlink("/tmp/small/filler");
		r = image_store_untag(&s, name_of(1), &e);
		CHILD_ASSERT(r == 0 || r == -ENOENT, "%s", e.msg);
		CHILD_ASSERT(image_store_gc(&s, 0, &gc, &e) == 0, "%s", e.msg);
		CHILD_ASSERT(gc.staged == 0, "%lu left in staging", gc.staged);
	}
	CHILD_ASSERT(failures > 5, "only %u times was it full", failures);
	image_store_close(&s);
}

Test(image_crash, full_disk)
{
	need_root();
	expect_child(full, NULL);
}
