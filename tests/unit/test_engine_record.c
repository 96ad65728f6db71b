/* Records of containers, what crashes leave of them, and what stays of those that are gone. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/io.h"
#include "engine/gone.h"
#include "engine/record.h"
#include "tests/unit/test_dir.h"

static struct engine engine;

static int directory(const char *name)
{
	int fd;

	cr_assert_eq(mkdirat(dir_fd, name, 0700), 0);
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	return fd;
}

static void make(void)
{
	dir_make();
	engine = (struct engine){ .dir = dir_fd,
				  .containers = directory("containers"),
				  .names = directory("names") };
}

TestSuite(record, .init = make, .fini = dir_remove);
TestSuite(gone, .init = make, .fini = dir_remove);

/* An id that begins with `text`. */
static const char *id_of(const char *text)
{
	static char ids[4][RECORD_ID_LEN + 1];
	static unsigned n;
	char *id = ids[n++ % ARRAY_LEN(ids)];

	memset(id, '0', RECORD_ID_LEN);
	memcpy(id, text, strlen(text));
	return id;
}

/* A container as the engine makes it; whoever made it has ended. */
static void container(const char *id, const char *name, uint32_t keep_why)
{
	struct record r = { .id = id,
			    .name = name,
			    .image = "",
			    .created = "2026-01-01T00:00:00Z",
			    .log_driver = "none",
			    .stop_signal = 15,
			    .keep_why = keep_why };
	auto_fd int lock = -1, dir = -1;
	struct err e;

	dir = record_make(&engine, id, &lock, &e);
	cr_assert_geq(dir, 0, "%s", e.msg);
	cr_assert_eq(record_save(&engine, dir, &r, &e), 0, "%s", e.msg);
}

Test(record, found_by_name_id_and_the_beginning_of_one)
{
	char found[RECORD_ID_LEN + 1];
	struct err e;

	container(id_of("ab1"), "one", 0);
	container(id_of("ab2"), "two", 0);
	cr_expect_eq(record_find(&engine, "two", found, &e), 0);
	cr_expect_str_eq(found, id_of("ab2"));
	cr_expect_eq(record_find(&engine, "ab1", found, &e), 0);
	cr_expect_str_eq(found, id_of("ab1"));
	cr_expect_eq(record_find(&engine, "ab", found, &e), -EEXIST);
	cr_expect(strncmp(e.msg, "container ab: several ids begin so, ab", 38) == 0, "%s", e.msg);
	cr_expect_eq(record_find(&engine, "abc", found, &e), -ENOENT);
	cr_expect_str_eq(e.msg, "no such container: abc");
	cr_expect_eq(record_find(&engine, "../one", found, &e), -ENOENT);
	cr_expect_str_eq(e.msg, "no such container: ../one");
}

Test(record, names_are_held_once_and_given_up)
{
	struct record other = { .id = id_of("b"), .name = "one", .created = "2026" };
	auto_fd int lock = -1, dir = -1;
	struct err e;

	container(id_of("a"), "one", 0);
	dir = record_make(&engine, id_of("b"), &lock, &e);
	cr_assert_geq(dir, 0);
	cr_expect_eq(record_save(&engine, dir, &other, &e), -EEXIST);
	cr_expect_str_eq(e.msg, "the container name \"one\" is in use by container a00000000000");
	cr_expect_eq(record_rename(&engine, id_of("a"), "one", &e), -EINVAL);
	cr_expect_str_eq(e.msg, "the container has the name \"one\" already");
	cr_expect_eq(record_rename(&engine, id_of("a"), "first", &e), 0, "%s", e.msg);
	cr_expect_eq(record_save(&engine, dir, &other, &e), 0, "%s", e.msg);
	/* Of a container that a crash took, with its name left. */
	cr_assert_eq(symlinkat(id_of("dead"), engine.names, "left"), 0);
	other.name = "left";
	cr_expect_eq(record_save(&engine, dir, &other, &e), 0, "%s", e.msg);
}

Test(record, what_a_crash_left_is_swept_unless_somebody_is_at_it)
{
	auto_arena struct arena a = { 0 };
	auto_fd int lock = -1, dir = -1;
	struct strings ids;
	struct stat st;
	struct err e;

	container(id_of("a"), "one", 0);
	cr_assert_eq(mkdirat(engine.containers, id_of("b"), 0700), 0);
	dir = record_make(&engine, id_of("c"), &lock, &e);
	cr_assert_geq(dir, 0);
	cr_assert_eq(mkdirat(engine.containers, "no-id", 0700), 0);
	cr_assert_eq(record_list(&engine, &a, &ids, &e), 0, "%s", e.msg);
	cr_assert_eq(ids.n, 1U);
	cr_expect_str_eq(ids.at[0], id_of("a"));
	cr_expect_eq(fstatat(engine.containers, id_of("b"), &st, 0), -1, "nobody's");
	cr_expect_eq(fstatat(engine.containers, id_of("c"), &st, 0), 0, "it is being made");
	cr_expect_eq(fstatat(engine.containers, "no-id", &st, 0), 0, "it is none of ours");
}

Test(record, locks_and_waiting)
{
	auto_fd int lock = -1, dir = -1, other = -1;
	struct err e;

	dir = record_make(&engine, id_of("a"), &lock, &e);
	cr_assert_geq(dir, 0);
	cr_expect_eq(record_lock(dir, &e), -EBUSY);
	cr_expect_str_eq(e.msg, "the container is running");
	cr_expect_eq(record_wait(dir, 50, &e), -ETIME);
	cr_expect_str_eq(e.msg, "the container is still running");
	close_fd(&lock);
	cr_expect_eq(record_wait(dir, 50, &e), 0, "%s", e.msg);
	other = record_lock(dir, &e);
	cr_expect_geq(other, 0, "%s", e.msg);
	/* One that is gone has no lock to wait for. */
	cr_assert_eq(unlinkat(dir, "lock", 0), 0);
	cr_expect_eq(record_wait(dir, -1, &e), 0);
}

Test(record, damaged_files_are_refused_by_name)
{
	struct record r;
	struct status s;
	auto_fd int dir = -1;
	char path[128];
	struct err e;

	container(id_of("a"), "one", 0);
	dir = record_open(&engine, id_of("a"), &r, &e);
	cr_assert_geq(dir, 0);
	record_done(&r);
	snprintf(path, sizeof(path), "containers/%s/status.json", id_of("a"));
	dir_file(path, "{\"exitCode\": 256}");
	cr_expect_eq(status_read(dir, &s, &e), -EINVAL);
	cr_expect(strstr(e.msg, "status.json"), "%s", e.msg);
	snprintf(path, sizeof(path), "containers/%s/container.json", id_of("a"));
	dir_file(path, "{\"id\": 1");
	cr_expect_lt(record_open(&engine, id_of("a"), &r, &e), 0);
	cr_expect(strstr(e.msg, "container.json"), "%s", e.msg);
	cr_expect_eq(record_open(&engine, id_of("b"), &r, &e), -ENOENT);
	cr_expect_eq(e.code, ENOENT);
}

static void keep(const char *id)
{
	auto_record struct record r = { 0 };
	auto_fd int dir = -1;
	struct err e;

	dir = record_open(&engine, id, &r, &e);
	cr_assert_geq(dir, 0, "%s", e.msg);
	cr_assert_eq(status_write(dir, &(struct status){ .exit_code = 3, .denied = "words" }, &e),
		     0);
	cr_assert_eq(gone_keep(&engine, dir, &r, &e), 0, "%s", e.msg);
	cr_assert_eq(record_remove(&engine, id, r.name, &e), 0, "%s", e.msg);
}

static int view(const char *who, struct container_view *v, struct err *e)
{
	auto_fd int dir = gone_view(&engine, who, v, e);

	return dir < 0 ? dir : 0;
}

Test(gone, is_known_for_its_time_and_the_latest_of_a_name)
{
	auto_container_view struct container_view v = { 0 }, last = { 0 };
	char path[128];
	struct stat st;
	struct err e;

	cr_expect_eq(view("one", &v, &e), -ENOENT);
	cr_expect_str_eq(e.msg, "no such container: one");
	container(id_of("a"), "one", 100);
	keep(id_of("a"));
	container(id_of("b"), "one", 200);
	keep(id_of("b"));
	cr_assert_eq(view("one", &v, &e), 0, "%s", e.msg);
	cr_expect_str_eq(v.id, id_of("b"));
	cr_expect_eq(v.status.exit_code, 3);
	cr_expect_str_eq(v.status.denied, "words");
	/* b's time is over. */
	snprintf(path, sizeof(path), "gone/%s/until", id_of("b"));
	dir_file(path, "1");
	cr_assert_eq(view("one", &last, &e), 0, "%s", e.msg);
	cr_expect_str_eq(last.id, id_of("a"));
	cr_expect_eq(fstatat(dir_fd, "gone", &st, 0), 0);
	cr_expect_eq(st.st_nlink, 3U, "one is left in it");
}

Test(record, says_whether_it_was_checkpointed)
{
	const struct status written = { .checkpointed = "then", .restored = "before" };
	auto_container_view struct container_view v = { .state = STATE_STOPPED };
	auto_record struct record r = { 0 };
	auto_fd int dir = -1;
	struct err e;

	container(id_of("a"), "one", 0);
	dir = record_open(&engine, id_of("a"), &r, &e);
	cr_assert_geq(dir, 0, "%s", e.msg);
	cr_assert_eq(status_write(dir, &written, &e), 0, "%s", e.msg);
	cr_assert_eq(status_read(dir, &v.status, &e), 0, "%s", e.msg);
	cr_expect_str_eq(v.status.checkpointed, "then");
	cr_expect_str_eq(v.status.restored, "before");
	cr_expect_str_eq(container_view_status(&v), "checkpointed");
	v.state = STATE_RUNNING;
	cr_expect_str_eq(container_view_status(&v), "running");
	v.state = STATE_STOPPED;
	v.status.checkpointed = NULL;
	cr_expect_str_eq(container_view_status(&v), "created");
}

Test(gone, without_a_time_nothing_is_kept)
{
	struct stat st;

	container(id_of("a"), "one", 0);
	keep(id_of("a"));
	cr_expect_eq(fstatat(dir_fd, "gone", &st, 0), -1);
}

Test(gone, what_is_damaged_or_half_made_hides_nothing)
{
	auto_container_view struct container_view v = { 0 };
	char path[128];
	struct err e;

	container(id_of("a"), "one", 100);
	keep(id_of("a"));
	snprintf(path, sizeof(path), "gone/%s", id_of("b"));
	cr_assert_eq(mkdirat(dir_fd, path, 0700), 0); /* killed before there was a time in it */
	snprintf(path, sizeof(path), "gone/%s", id_of("c"));
	cr_assert_eq(mkdirat(dir_fd, path, 0700), 0);
	snprintf(path, sizeof(path), "gone/%s/until", id_of("c"));
	dir_file(path, "99999999999");
	cr_assert_eq(view("one", &v, &e), 0, "%s", e.msg);
	cr_expect_str_eq(v.id, id_of("a"));
}
