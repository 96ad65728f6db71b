/* The pure parts of engine/, and records and logs in a directory of the test's own. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "engine/place.h"
#include "engine/config.h"
#include "engine/idrange.h"
#include "engine/journal.h"
#include "engine/logs.h"
#include "engine/record.h"
#include "engine/userns.h"
#include "engine/volumes.h"
#include "spec/spec.h"
#include "tests/unit/test_dir.h"

Test(userns, ranges_of_subuid)
{
	static const char file[] = "root:1:2\nuser:100000:65536\nuser:300000:5\n1001:200000:7\nbad:x:1\n"
				   "empty:5:0\nlast:9:1";
	static const struct {
		const char *name;
		uint32_t id, first, count; /* count 0: none */
	} rows[] = {
		{ "user", 1000, 100000, 65536 }, { "other", 1001, 200000, 7 },
		{ NULL, 1001, 200000, 7 },	 { "nobody", 65534, 0, 0 },
		{ "bad", 5, 0, 0 },		 { "empty", 6, 0, 0 },
		{ "last", 7, 9, 1 },		 { "use", 8, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t first = 0, count = 0;
		bool found = userns_find_range(file, sizeof(file) - 1, rows[i].name, rows[i].id,
					       &first, &count);

		cr_expect_eq(found, rows[i].count != 0, "row %zu", i);
		if (found) {
			cr_expect_eq(first, rows[i].first, "row %zu", i);
			cr_expect_eq(count, rows[i].count, "row %zu", i);
		}
	}
}

/* What is written has to be what spec/ takes. */
static void check_config(const struct config_facts *f, struct spec *ret)
{
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	cr_assert_eq(config_write(f, &text, &e), 0, "%s", e.msg);
	cr_assert_eq(spec_parse(ret, "config.json", text.text, text.len, &e), 0, "%s\n%s", e.msg,
		     text.text);
}

Test(config, defaults_are_a_valid_configuration)
{
	const char *args[] = { "sh" }, *env[] = { "PATH=/bin" }, *caps[] = { "CAP_CHOWN" };
	const struct wish wish = { 0 };
	const struct bundle bundle = { .args = { args, 1 }, .env = { env, 1 }, .cwd = "/" };
	const struct passwd_user user = { .home = "/root" };
	auto_buf struct buf seccomp = { 0 };
	struct config_facts f = { .wish = &wish,
				  .bundle = &bundle,
				  .user = &user,
				  .capabilities = { caps, 1 },
				  .hostname = "box" };
	auto_spec struct spec s = { 0 };

	seccomp_default_write(&f.capabilities, &(struct seccomp_choice){ .only = NULL },
			      &seccomp);
	f.seccomp = seccomp.text;
	check_config(&f, &s);
	cr_expect_str_eq(s.hostname, "box");
	cr_expect_eq(s.process->env.n, 2);
	cr_expect_str_eq(s.process->env.at[1], "HOME=/root");
	cr_expect_eq(s.process->capabilities->bounding.n, 1);
	cr_expect(spec_namespace(&s, SPEC_NS_NETWORK));
	cr_expect_null(spec_namespace(&s, SPEC_NS_USER));
	cr_expect_gt(s.linux.masked_paths.n, 5);
	cr_expect(s.linux.seccomp);
	cr_expect_eq(s.linux.resources.devices.n, 1);
	cr_expect(!s.linux.resources.devices.at[0].allow);
}

/* What `hull profile record` makes of our profile: asked about, and without what was not made. */
Test(engine, seccomp_profile_that_asks_and_one_of_what_was_made)
{
	static const char *made[] = { "mkdir", "socket", "mount", "clone" };
	const struct strings none = { 0 }, only = { made, ARRAY_LEN(made) };
	auto_buf struct buf asking = { 0 }, least = { 0 };

	seccomp_default_write(&none, &(struct seccomp_choice){ .listener = "/a/socket" }, &asking);
	cr_expect(strstr(asking.text, "\"listenerPath\":\"/a/socket\""));
	cr_expect(strstr(asking.text, "{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ALLOW\"}"));
	cr_expect_not(strstr(asking.text, "\"write\",\"writev\""));
	cr_expect(strstr(asking.text,
			 "\"names\":[\"socket\"],\"action\":\"SCMP_ACT_NOTIFY\",\"args\""));

	seccomp_default_write(&none, &(struct seccomp_choice){ .only = &only }, &least);
	cr_expect(strstr(least.text, "{\"names\":[\"execve\",\"exit\",\"exit_group\",\"mkdir\","
				     "\"restart_syscall\",\"rt_sigreturn\",\"write\"],"
				     "\"action\":\"SCMP_ACT_ALLOW\"}"),
		  "%s", least.text);
	cr_expect(strstr(least.text,
			 "\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\""));
	cr_expect_not(strstr(least.text, "socketpair"));
	cr_expect_not(strstr(least.text, "\"mount\""), "no capability is for it");
	cr_expect_not(strstr(least.text, "\"value\":40,"), "AF_VSOCK is the host's");
	cr_expect_not(strstr(least.text, "NOTIFY"));
	cr_expect_not(strstr(least.text, "personality"));

	buf_clear(&least);
	seccomp_default_write(&none, &(struct seccomp_choice){ .vsock = true }, &least);
	cr_expect(strstr(least.text, "\"value\":40,"), "%s", least.text);
}

Test(config, limits_and_namespaces)
{
	const char *args[] = { "sh" };
	const struct wish wish = { .memory = { true, 1 << 20 },
				   .cpus = "0.5",
				   .pids_limit = { true, 7 },
				   .privileged = true,
				   .read_only = true };
	const struct bundle bundle = { .args = { args, 1 }, .cwd = "/w" };
	const struct passwd_user user = { .uid = 5, .gid = 6, .home = "/" };
	struct spec_idmap map = { 0, 1000, 10 };
	const struct config_facts f = { .wish = &wish,
					.bundle = &bundle,
					.user = &user,
					.netns = "",
					.pidns = "/proc/1/ns/pid",
					.uids = { &map, 1 },
					.gids = { &map, 1 },
					.binds_sys = true,
					.security = { .unmask = true } };
	auto_spec struct spec s = { 0 };

	check_config(&f, &s);
	cr_expect_eq(s.linux.resources.memory.limit.value, 1 << 20);
	cr_expect_eq(s.linux.resources.memory.swap.value, 2 << 20);
	cr_expect_eq(s.linux.resources.cpu.quota.value, 50000);
	cr_expect_eq(s.linux.resources.pids_limit.value, 7);
	cr_expect(s.root.readonly);
	cr_expect_null(spec_namespace(&s, SPEC_NS_NETWORK));
	cr_expect_str_eq(spec_namespace(&s, SPEC_NS_PID)->path, "/proc/1/ns/pid");
	cr_expect(spec_namespace(&s, SPEC_NS_USER));
	cr_expect_eq(s.linux.masked_paths.n, 0);
	cr_expect_eq(s.linux.resources.devices.n, 0);
}

Test(config, init_comes_before_the_program)
{
	const char *args[] = { "sh", "-c", "true" };
	const struct wish wish = { 0 };
	const struct bundle bundle = { .args = { args, 3 }, .cwd = "/" };
	const struct passwd_user user = { .home = "/root" };
	const struct config_facts f = {
		.wish = &wish, .bundle = &bundle, .user = &user, .init = true
	};
	auto_spec struct spec spec = { 0 };

	check_config(&f, &spec);
	cr_assert_eq(spec.process->args.n, 4);
	cr_expect_str_eq(spec.process->args.at[0], CONFIG_INIT);
	cr_expect_str_eq(spec.process->args.at[1], "sh");
	cr_expect_str_eq(spec.process->args.at[3], "true");
}

Test(config, cpus_twice_is_refused)
{
	const char *args[] = { "sh" };
	const struct wish wish = { .cpus = "1", .cpu_quota = { true, 5 } };
	const struct bundle bundle = { .args = { args, 1 }, .cwd = "/" };
	const struct passwd_user user = { .home = "/" };
	const struct config_facts f = { .wish = &wish, .bundle = &bundle, .user = &user };
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	cr_expect_eq(config_write(&f, &text, &e), -EINVAL);
}

Test(record, names)
{
	static const char *const right[] = { "a", "A1", "web_1.test-x" };
	static const char *const wrong[] = { "", "-a", ".a", "a b", "a/b", "\xc3\xbc" };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(right); i++)
		cr_expect_eq(record_check_name(right[i], &e), 0, "%s", right[i]);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect_eq(record_check_name(wrong[i], &e), -EINVAL, "%s", wrong[i]);
}

TestSuite(logs, .init = dir_make, .fini = dir_remove);

struct collected {
	struct buf text;
};

static int collect(const struct log_line *l, void *ctx)
{
	struct collected *c = ctx;

	buf_printf(&c->text, "%s:%.*s", l->is_stderr ? "err" : "out", (int)l->len, l->text);
	return 0;
}

Test(logs, what_was_written_comes_back)
{
	struct log_stream out = { .name = "stdout" }, err = { .name = "stderr" };
	struct log_query all = { .tail = -1 }, last = { .tail = 1 };
	struct collected got = { 0 };
	struct log_writer w;
	struct err e = { 0 };

	cr_assert_eq(log_writer_open(dir_fd, 0, 0, &w, &e), 0, "%s", e.msg);
	log_write(&w, &out, "one\ntw", 6);
	log_write(&w, &err, "bad\n", 4);
	log_write(&w, &out, "o\n\"quoted\"", 10);
	log_flush(&w, &out);
	log_writer_close(&w);
	cr_assert_eq(log_read(dir_fd, &all, collect, &got, &e), 0, "%s", e.msg);
	cr_expect_str_eq(got.text.text, "out:one\nerr:bad\nout:two\nout:\"quoted\"");
	buf_clear(&got.text);
	cr_assert_eq(log_read(dir_fd, &last, collect, &got, &e), 0, "%s", e.msg);
	cr_expect_str_eq(got.text.text, "out:\"quoted\"");
	buf_done(&got.text);
	buf_done(&out.line);
	buf_done(&err.line);
}

Test(logs, a_limit_of_size_makes_further_files)
{
	struct log_stream out = { .name = "stdout" };
	struct log_writer w;
	struct stat st;
	struct err e = { 0 };

	cr_assert_eq(log_writer_open(dir_fd, 300, 2, &w, &e), 0, "%s", e.msg);
	for (int i = 0; i < 20; i++)
		log_write(&w, &out, "a line of some length\n", 22);
	log_writer_close(&w);
	cr_assert_eq(fstatat(dir_fd, LOG_FILE, &st, 0), 0);
	cr_expect_leq(st.st_size, 300);
	cr_expect_eq(fstatat(dir_fd, LOG_FILE ".1", &st, 0), 0);
	cr_expect_neq(fstatat(dir_fd, LOG_FILE ".2", &st, 0), 0);
	buf_done(&out.line);
}

/* A reader on whose first line as many are written as make several files more. */
struct overtaken {
	struct log_writer w;
	struct log_stream out;
	int seen, lines;
};

static int overtake(const struct log_line *l, void *ctx)
{
	struct overtaken *o = ctx;
	char line[64];

	if (o->seen++ == 0)
		for (int i = 0; i < o->lines; i++)
			log_write(&o->w, &o->out, line,
				  (size_t)snprintf(line, sizeof(line), "line %d of some length\n", i + 1));
	snprintf(line, sizeof(line), "line %d of some length\n", o->seen - 1);
	cr_expect_eq(l->len, strlen(line));
	cr_expect_eq(strncmp(l->text, line, l->len), 0, "%s in place of %s", l->text, line);
	return 0;
}

Test(logs, a_reader_that_follows_misses_no_file)
{
	struct log_query all = { .tail = -1, .follow = true };
	struct overtaken o = { .out = { .name = "stdout" }, .lines = 40 };
	struct err e = { 0 };

	cr_assert_eq(log_writer_open(dir_fd, 300, 30, &o.w, &e), 0, "%s", e.msg);
	log_write(&o.w, &o.out, "line 0 of some length\n", 22);
	cr_assert_eq(log_read(dir_fd, &all, overtake, &o, &e), 0, "%s", e.msg);
	cr_expect_eq(o.seen, 41);
	log_writer_close(&o.w);
	buf_done(&o.out.line);
}

static int count_line(const struct log_line *l UNUSED, void *ctx)
{
	struct overtaken *o = ctx;

	if (o->seen++ == 0)
		for (int i = 0; i < o->lines; i++)
			log_write(&o->w, &o->out, "a line of some length\n", 22);
	return 0;
}

Test(logs, a_reader_whose_file_is_gone_goes_on_with_the_oldest)
{
	struct log_query all = { .tail = -1, .follow = true };
	struct overtaken o = { .out = { .name = "stdout" }, .lines = 40 };
	struct err e = { 0 };

	/* Three lines a file, so eight or nine are left, behind those of the first file. */
	cr_assert_eq(log_writer_open(dir_fd, 300, 3, &o.w, &e), 0, "%s", e.msg);
	log_write(&o.w, &o.out, "a line of some length\n", 22);
	cr_assert_eq(log_read(dir_fd, &all, count_line, &o, &e), 0, "%s", e.msg);
	cr_expect_geq(o.seen, 3 + 7);
	cr_expect_leq(o.seen, 3 + 9);
	log_writer_close(&o.w);
	buf_done(&o.out.line);
}

Test(logs, a_reader_between_two_files_of_a_rotation)
{
	struct log_query all = { .tail = -1 };
	struct collected got = { 0 };
	struct log_stream out = { .name = "stdout" };
	struct log_writer w;
	struct err e = { 0 };

	cr_assert_eq(log_writer_open(dir_fd, 0, 0, &w, &e), 0, "%s", e.msg);
	log_write(&w, &out, "one\n", 4);
	log_writer_close(&w);
	cr_assert_eq(renameat(dir_fd, LOG_FILE, dir_fd, LOG_FILE ".1"), 0);
	cr_assert_eq(log_read(dir_fd, &all, collect, &got, &e), 0, "%s", e.msg);
	cr_expect_str_eq(got.text.text, "out:one\n");
	buf_done(&got.text);
	buf_done(&out.line);
}

/* Docker's table of what `cp` means. */
Test(place, choose)
{
	static const struct place_source file = { .given = "f" },
					 dir = { .directory = true, .given = "d" },
					 contents = { .directory = true, .contents = true, .given = "d" },
					 stream = { .stream = true };
	static const struct place none = { .name = "n" }, none_slash = { .name = "n", .slash = true },
				  is_file = { .name = "n", .exists = true, .st.st_mode = S_IFREG },
				  is_dir = { .name = "n", .exists = true, .st.st_mode = S_IFDIR },
				  is_pipe = { .name = "n", .exists = true, .st.st_mode = S_IFIFO };
	static const struct {
		const struct place_source *from;
		const struct place *to;
		const char *name; /* NULL: `message` */
		bool below;
		const char *message;
	} rows[] = {
		{ &file, &none, "n", false, NULL },
		{ &file, &is_file, "n", false, NULL },
		{ &file, &is_dir, "f", true, NULL },
		{ &dir, &none, "n", false, NULL },
		{ &dir, &is_dir, "d", true, NULL },
		{ &contents, &none, "n", false, NULL },
		{ &contents, &is_dir, "", true, NULL },
		{ &stream, &is_dir, "", true, NULL },
		{ &file, &none_slash, NULL, false, "there is no directory P" },
		{ &stream, &none, NULL, false, "there is no directory P" },
		{ &stream, &is_file, NULL, false, "a tar is unpacked to a directory, and P is none" },
		{ &dir, &is_file, NULL, false, "a directory can't be copied to a file, which P is" },
		{ &contents, &is_file, NULL, false, "a directory can't be copied to a file, which P is" },
		{ &file, &is_pipe, NULL, false, "P is neither a directory nor a regular file" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[NAME_MAX + 1] = "";
		struct err e = { 0 };
		bool below = false;
		int r = place_choose(rows[i].from, rows[i].to, "P", name, &below, &e);

		if (rows[i].message) {
			cr_expect(r < 0, "row %zu", i);
			cr_expect_str_eq(e.msg, rows[i].message, "row %zu", i);
			continue;
		}
		cr_expect_eq(r, 0, "row %zu", i);
		cr_expect_str_eq(name, rows[i].name, "row %zu", i);
		cr_expect_eq(below, rows[i].below, "row %zu", i);
	}
}

Test(idrange, words)
{
	static const struct {
		const char *text;
		int r;
		uint32_t count;
	} rows[] = {
		{ NULL, 0, 0 },
		{ "host", 0, 0 },
		{ "auto", 0, IDRANGE_SIZE },
		{ "auto:size=7", 0, 7 },
		{ "auto:size=0", -EINVAL, 0 },
		{ "auto:size=-1", -EINVAL, 0 },
		{ "auto:size=4294967295", -EINVAL, 0 },
		{ "auto:size=", -EINVAL, 0 },
		{ "auto:size=5x", -EINVAL, 0 },
		{ "autos", -EINVAL, 0 },
		{ "keep-id", -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		uint32_t count = 1;

		cr_expect_eq(idrange_parse(rows[i].text, &count, &e), rows[i].r, "row %zu", i);
		if (rows[i].r == 0)
			cr_expect_eq(count, rows[i].count, "row %zu", i);
	}
}

Test(idrange, the_lowest_that_are_free)
{
	static const struct idrange all = { 1000, 5000, 100 };
	static const struct {
		struct idrange taken[3];
		size_t n;
		uint32_t count;
		int at; /* the offset; -1: none */
	} rows[] = {
		{ { { 0 } }, 0, 100, 0 },
		{ { { 0 } }, 0, 101, -1 },
		{ { { 1000, 5000, 10 } }, 1, 90, 10 },
		{ { { 1000, 5000, 10 } }, 1, 91, -1 },
		{ { { 1010, 5010, 10 }, { 1000, 5000, 10 } }, 2, 10, 20 },
		{ { { 1010, 5010, 10 } }, 1, 10, 0 },
		{ { { 1010, 5010, 10 } }, 1, 11, 20 },
		{ { { 1090, 5090, 10 }, { 1000, 5000, 40 }, { 1050, 5050, 10 } }, 3, 30, 60 },
		{ { { 500, 700, 10 }, { 9000, 9000, 5 } }, 2, 100, 0 },
		/* Of other lines of /etc/subuid and /etc/subgid: each counts for itself. */
		{ { { 500, 5000, 10 } }, 1, 10, 10 },
		{ { { 1000, 5050, 50 } }, 1, 50, -1 },
		{ { { 1000, 9000, 10 }, { 500, 5010, 10 }, { 1020, 9000, 10 } }, 3, 10, 30 },
		{ { { 995, 4990, 10 } }, 1, 95, 5 },
		{ { { 4294967295, 5095, 1 } }, 1, 96, -1 },
		{ { { 4294967295, 5095, 1 } }, 1, 95, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct idrange found = { 0 };
		int r = idrange_choose(&all, rows[i].taken, rows[i].n, rows[i].count, &found);

		cr_expect_eq(r, rows[i].at < 0 ? -ENOSPC : 0, "row %zu", i);
		if (r < 0)
			continue;
		cr_expect_eq(found.uid, all.uid + (uint32_t)rows[i].at, "row %zu", i);
		cr_expect_eq(found.gid, all.gid + (uint32_t)rows[i].at, "row %zu", i);
		cr_expect_eq(found.count, rows[i].count, "row %zu", i);
	}
}

Test(volumes, of_a_source)
{
	static const struct {
		const char *source, *name;
		bool held;
	} rows[] = {
		{ "/d/volumes/one/_data", "one", true },
		{ "/d/volumes/one/_data/sub/dir", "one", true },
		{ "/d/volumes/one/_data/..x", "one", true },
		{ "/d/volumes/one/_data/../../two", NULL, true },
		{ "/d/volumes/one/_data/a/..", NULL, true },
		{ "/d/volumes/one/_database", NULL, true },
		{ "/d/volumes/one", NULL, true },
		{ "/d/volumes/../_data", NULL, true },
		{ "/d/volumes//_data", NULL, true },
		{ "/d/volumes", NULL, false },
		{ "/d/containers/one/_data", NULL, false },
		{ "/da/volumes/one/_data", NULL, false },
		{ "/srv", NULL, false },
	};
	auto_arena struct arena a = { 0 };
	auto_engine struct engine g = ENGINE_CLOSED;

	buf_str(&g.path, "/d");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *name = volume_of_source(&g, rows[i].source, &a);

		cr_expect_str_eq(name ? name : "none", rows[i].name ? rows[i].name : "none", "%s",
				 rows[i].source);
		cr_expect_eq(volumes_hold(&g, rows[i].source), rows[i].held, "%s", rows[i].source);
	}
}

Test(journal, a_field_has_its_length)
{
	static const char expected[] = "MESSAGE\n\5\0\0\0\0\0\0\0a\nb\0c\n";
	auto_buf struct buf text = { 0 };

	journal_field(&text, "MESSAGE", "a\nb\0c", 5);
	cr_assert_eq(text.len, sizeof(expected) - 1);
	cr_expect_eq(memcmp(text.text, expected, text.len), 0);
}
