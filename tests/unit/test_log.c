#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"
#include "tests/unit/test_child.h"
#include "tests/unit/test_dir.h"

TestSuite(log, .init = dir_make, .fini = dir_remove, .timeout = 10);

static void open_log(enum log_level level, enum log_format format)
{
	struct log_settings settings = { level, format, dir_at("log") };
	struct err e = { 0 };

	cr_assert_eq(log_open(&settings, &e), 0, "%s", e.msg);
}

static void read_log(struct buf *ret)
{
	struct err e = { 0 };

	buf_clear(ret);
	cr_assert_eq(io_read_file(dir_fd, "log", 1 << 20, "log", ret, &e), 0, "%s", e.msg);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/*
 * A reader for JSON that is stricter than any: a string's end, with its value
 * in *ret; NULL for what is not well-formed.
 */
static size_t utf8(const unsigned char *s)
{
	static const struct {
		unsigned char from, to, second_from, second_to;
		size_t n;
	} rows[] = {
		{ 0x20, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (s[0] < rows[i].from || s[0] > rows[i].to)
			continue;
		if (rows[i].n > 1 && (s[1] < rows[i].second_from || s[1] > rows[i].second_to))
			return 0;
		for (size_t j = 2; j < rows[i].n; j++)
			if (s[j] < 0x80 || s[j] > 0xbf)
				return 0;
		return rows[i].n;
	}
	return 0;
}

static const char *take_string(const char *s, struct buf *ret)
{
	unsigned code;
	int len = 0;

	buf_clear(ret);
	buf_str(ret, "");
	if (*s++ != '"')
		return NULL;
	while (*s != '"') {
		size_t n = utf8((const unsigned char *)s);

		if (n == 0)
			return NULL;
		if (*s != '\\') {
			buf_add(ret, s, n);
			s += n;
		} else if (s[1] == '"' || s[1] == '\\') {
			buf_char(ret, s[1]);
			s += 2;
		} else if (sscanf(s, "\\u%4x%n", &code, &len) == 1 && len == 6) {
			if (code == 0xfffd)
				buf_str(ret, "\xef\xbf\xbd");
			else if (code > 0 && code < 0x20)
				buf_char(ret, (char)code);
			else
				return NULL;
			s += 6;
		} else {
			return NULL;
		}
	}
	return s + 1;
}

static const char *take_text(const char *s, const char *expected)
{
	return s && strncmp(s, expected, strlen(expected)) == 0 ? s + strlen(expected) : NULL;
}

static bool is_time(const char *s)
{
	static const char form[] = "0000-00-00T00:00:00Z";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return false;
	return true;
}

/* {"level":"...","msg":"...","time":"..."} and the end of the line; returns the next one. */
static const char *take_line(const char *s, const char *level, struct buf *ret_msg)
{
	auto_buf struct buf word = { 0 };

	s = take_text(s, "{\"level\":");
	s = s ? take_string(s, &word) : NULL;
	if (!s || strcmp(word.text, level) != 0)
		return NULL;
	s = take_text(s, ",\"msg\":");
	s = s ? take_string(s, ret_msg) : NULL;
	s = take_text(s, ",\"time\":");
	s = s ? take_string(s, &word) : NULL;
	if (!s || !is_time(word.text))
		return NULL;
	return take_text(s, "}\n");
}

static void expect_json(const char *level, const char *msg)
{
	auto_buf struct buf log = { 0 }, got = { 0 };
	const char *rest;

	read_log(&log);
	rest = take_line(log.text, level, &got);
	cr_assert_not_null(rest, "not as it should be: %s", log.text);
	cr_expect_str_eq(rest, "");
	cr_expect_str_eq(got.text, msg);
}

/*
 * Levels
 */

Test(log, knows_its_levels)
{
	static const struct {
		const char *name;
		int r;
		enum log_level level;
	} rows[] = {
		{ "error", 0, LOG_LEVEL_ERROR },           { "warn", 0, LOG_LEVEL_WARN },
		{ "warning", 0, LOG_LEVEL_WARN },          { "info", 0, LOG_LEVEL_INFO },
		{ "debug", 0, LOG_LEVEL_DEBUG },           { "trace", 0, LOG_LEVEL_TRACE },
		{ "", -EINVAL, (enum log_level)77 },       { "Error", -EINVAL, (enum log_level)77 },
		{ "errors", -EINVAL, (enum log_level)77 }, { "err", -EINVAL, (enum log_level)77 },
		{ " info", -EINVAL, (enum log_level)77 },  { "fatal", -EINVAL, (enum log_level)77 },
		{ "0", -EINVAL, (enum log_level)77 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum log_level level = (enum log_level)77;

		cr_expect_eq(log_level_parse(rows[i].name, &level), rows[i].r, "%s", rows[i].name);
		cr_expect_eq(level, rows[i].level, "%s", rows[i].name);
	}
}

Test(log, drops_what_is_above_its_level)
{
	static const char *const names[] = { "error", "warning", "info", "debug", "trace" };

	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_TRACE; level++) {
		auto_buf struct buf log = { 0 }, msg = { 0 };
		const char *at;

		(void)!unlinkat(dir_fd, "log", 0);
		open_log((enum log_level)level, LOG_FORMAT_JSON);
		log_line(LOG_LEVEL_ERROR, "an %s", "error");
		log_warn("a %s", "warning");
		log_info("an %s", "info");
		log_debug("a %s", "debug");
		log_trace("a %s", "trace");
		read_log(&log);
		cr_expect_eq(count_lines(log.text), (size_t)level + 1, "%s", log.text);
		at = log.text;
		for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_TRACE; i++) {
			cr_expect_eq(log_wants((enum log_level)i), i <= level);
			if (i > level)
				continue;
			at = take_line(at, names[i], &msg);
			cr_assert_not_null(at, "%s", log.text);
			cr_expect_str_eq(strchr(msg.text, ' ') + 1, names[i]);
		}
	}
}

static int evaluated;

static const char *evaluate(void)
{
	evaluated++;
	return "";
}

Test(log, a_trace_that_nobody_wants_costs_nothing)
{
	open_log(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
	log_trace("%s", evaluate());
	cr_expect_eq(evaluated, 0);
	open_log(LOG_LEVEL_TRACE, LOG_FORMAT_TEXT);
	log_trace("%s", evaluate());
	cr_expect_eq(evaluated, 1);
}

/* Before log_open(), warnings go to standard error. */
static void says_warnings(void *arg UNUSED)
{
	dup2(openat(dir_fd, "log", O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
	CHILD_ASSERT(log_wants(LOG_LEVEL_WARN) && !log_wants(LOG_LEVEL_INFO), "no");
	CHILD_ASSERT(!log_to_file(), "no");
	log_warn("careful");
	log_info("by the way");
}

Test(log, warns_on_standard_error_by_default)
{
	auto_buf struct buf log = { 0 };

	expect_child(says_warnings, NULL);
	read_log(&log);
	cr_expect_eq(count_lines(log.text), 1);
	cr_assert_gt(log.len, 21);
	cr_expect_str_eq(log.text + 20, " hull warning: careful\n");
}

/*
 * Where lines go
 */

Test(log, appends_to_a_file_that_others_cannot_read)
{
	auto_buf struct buf log = { 0 };
	struct stat st;

	umask(0);
	open_log(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	cr_expect(log_to_file());
	log_info("one");
	open_log(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_info("two");
	cr_assert_eq(fstatat(dir_fd, "log", &st, 0), 0);
	cr_expect_eq(st.st_mode, S_IFREG | 0600, "%o", st.st_mode);
	read_log(&log);
	cr_expect_eq(count_lines(log.text), 2);
	cr_expect_not_null(strstr(log.text, " hull info: one\n"));
	cr_expect_not_null(strstr(log.text, " hull info: two\n"));
}

static int count_fds(const char *target)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir))) {
		char link[256] = "";

		if (readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1) > 0 &&
		    strcmp(link, target) == 0) {
			cr_expect(fcntl(atoi(entry->d_name), F_GETFD) & FD_CLOEXEC);
			n++;
		}
	}
	closedir(dir);
	return n;
}

Test(log, has_one_descriptor_that_programs_do_not_get)
{
	struct log_settings quiet = { LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, NULL };
	struct err e = { 0 };

	for (int i = 0; i < 5; i++)
		open_log(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	cr_expect_eq(count_fds(dir_at("log")), 1);
	cr_expect_eq(log_open(&quiet, &e), 0);
	cr_expect_eq(count_fds(dir_at("log")), 0);
	cr_expect_not(log_to_file());
	cr_expect_not(log_wants(LOG_LEVEL_WARN));
}

Test(log, says_why_it_cannot_open_and_goes_on_as_before)
{
	struct log_settings wrong = { LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, dir_at("no/log") };
	char expected[256];
	struct err e = { 0 };

	open_log(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
	cr_expect_eq(log_open(&wrong, &e), -ENOENT);
	snprintf(expected, sizeof(expected), "open log file %s/no/log: no such file or directory",
		 dir_path);
	cr_expect_str_eq(e.msg, expected);
	wrong.path = dir_path;
	cr_expect_eq(log_open(&wrong, &e), -EISDIR);
	log_debug("still here");
	expect_json("debug", "still here");
}

Test(log, leaves_errno_alone)
{
	open_log(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	errno = ENOTDIR;
	log_info("%s", "something");
	cr_expect_eq(errno, ENOTDIR);
	log_debug("dropped");
	cr_expect_eq(errno, ENOTDIR);
}

/* A log that can't be written must not stop what it describes. */

static void logs_to_a_full_disk(void *arg UNUSED)
{
	struct rlimit none = { 0, 0 };

	open_log(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	signal(SIGXFSZ, SIG_IGN);
	CHILD_ASSERT(setrlimit(RLIMIT_FSIZE, &none) == 0, "errno %d", errno);
	errno = ENOTDIR;
	log_info("lost");
	CHILD_ASSERT(errno == ENOTDIR, "errno %d", errno);
}

static void logs_to_nowhere(void *arg UNUSED)
{
	close(STDERR_FILENO);
	errno = ENOTDIR;
	log_warn("lost");
	CHILD_ASSERT(errno == ENOTDIR, "errno %d", errno);
}

/* As when an engine that was reading our standard error is gone. */
static void logs_to_who_is_gone(void *arg UNUSED)
{
	int ends[2];

	signal(SIGPIPE, SIG_DFL);
	CHILD_ASSERT(pipe(ends) == 0, "errno %d", errno);
	dup2(ends[1], STDERR_FILENO);
	close(ends[0]);
	close(ends[1]);
	log_warn("lost");
}

Test(log, goes_on_when_the_disk_is_full)
{
	expect_child(logs_to_a_full_disk, NULL);
}

Test(log, goes_on_without_standard_error)
{
	expect_child(logs_to_nowhere, NULL);
}

Test(log, goes_on_when_nobody_reads)
{
	expect_child(logs_to_who_is_gone, NULL);
}

/* Lines of several processes never mix. */
static void logs_a_lot(void *arg)
{
	char text[800];

	memset(text, *(char *)arg, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 100; i++)
		log_info("%s", text);
}

Test(log, keeps_lines_of_several_processes_apart)
{
	auto_buf struct buf log = { 0 }, msg = { 0 };
	int reports[4], status;
	pid_t pids[4];
	size_t lines = 0;
	char letters[] = "abcd";

	open_log(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	for (size_t i = 0; i < 4; i++)
		pids[i] = child_start(logs_a_lot, &letters[i], &reports[i]);
	for (size_t i = 0; i < 4; i++)
		cr_assert(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
	read_log(&log);
	for (const char *at = log.text; *at; lines++) {
		at = take_line(at, "info", &msg);
		cr_assert_not_null(at);
		cr_assert_eq(msg.len, 799);
		cr_assert_eq(strspn(msg.text, (char[]){ msg.text[0], '\0' }), 799);
	}
	cr_expect_eq(lines, 400);
}

/*
 * What lines hold
 */

#define FFFD "\xef\xbf\xbd"

Test(log, is_json_whatever_is_said)
{
	static const struct {
		const char *said, *read;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "100%d", "100%d" },
		{ "\"quoted\" \\ back", "\"quoted\" \\ back" },
		{ "a\nb\tc\rd\x1b[1m\x01\x1f\x7f", "a\nb\tc\rd\x1b[1m\x01\x1f\x7f" },
		{ "\"},{\"level\":\"error\"", "\"},{\"level\":\"error\"" },
		/* UTF-8, first and last of each length */
		{ "\xc2\x80 \xdf\xbf", "\xc2\x80 \xdf\xbf" },
		{ "\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf",
		  "\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf" },
		{ "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf" },
		/* not UTF-8 */
		{ "\xff", FFFD },
		{ "\x80", FFFD },
		{ "a\xbf z", "a" FFFD " z" },
		{ "\xc3", FFFD },
		{ "\xc3(", FFFD "(" },
		{ "\xc0\x80", FFFD FFFD },
		{ "\xc1\xbf", FFFD FFFD },
		{ "\xe0\x9f\xbf", FFFD FFFD FFFD },
		{ "\xed\xa0\x80", FFFD FFFD FFFD },
		{ "\xe2\x82", FFFD FFFD },
		{ "\xe2\x82\"", FFFD FFFD "\"" },
		{ "\xf0\x8f\xbf\xbf", FFFD FFFD FFFD FFFD },
		{ "\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD },
		{ "\xf5\x80\x80\x80", FFFD FFFD FFFD FFFD },
		{ "\xf0\x90\x80", FFFD FFFD FFFD },
		{ "\xfe\xff", FFFD FFFD },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)!unlinkat(dir_fd, "log", 0);
		open_log(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
		log_info("%s", rows[i].said);
		expect_json("info", rows[i].read);
	}
}

/* Of what is too long the beginning stays, and the line is whole. */
Test(log, is_json_however_long_it_is)
{
	static const struct {
		const char *piece, *read;
	} rows[] = {
		{ "x", "x" },
		{ "\"", "\"" },
		{ "\x01", "\x01" },
		{ "\xff", FFFD },
		{ "\xc3\xa9", "\xc3\xa9" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t shift = 0; shift < 8; shift++) {
			auto_buf struct buf said = { 0 }, log = { 0 }, msg = { 0 };
			size_t pieces = 0;
			const char *at;

			for (size_t j = 0; j < shift; j++)
				buf_char(&said, '-');
			while (said.len < 10000)
				buf_str(&said, rows[i].piece);
			(void)!unlinkat(dir_fd, "log", 0);
			open_log(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
			log_info("%s", said.text);
			read_log(&log);
			at = take_line(log.text, "info", &msg);
			cr_assert_not_null(at, "%s", log.text);
			cr_expect_str_eq(at, "");
			at = msg.text + shift;
			while (strncmp(at, rows[i].read, strlen(rows[i].read)) == 0) {
				at += strlen(rows[i].read);
				pieces++;
			}
			cr_expect_geq(pieces, 250, "row %zu: %zu", i, pieces);
			/* but perhaps for one character that was cut */
			cr_expect(strcmp(at, "") == 0 || strncmp(at, FFFD, 3) == 0, "row %zu: %s",
				  i, at);
		}
	}
}

/* A failure's message, the longest that there is, is logged whole. */
Test(log, has_room_for_every_failure)
{
	struct err e = { 0 };

	memset(e.msg, 'x', sizeof(e.msg) - 1);
	open_log(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_line(LOG_LEVEL_ERROR, "%s", e.msg);
	expect_json("error", e.msg);
}

Test(log, is_text_by_wish)
{
	auto_buf struct buf log = { 0 };

	open_log(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_warn("a \"%s\" \xc3\xa9", "word");
	read_log(&log);
	cr_assert_gt(log.len, 20);
	cr_expect_str_eq(log.text + 20, " hull warning: a \"word\" \xc3\xa9\n");
	log.text[20] = '\0';
	cr_expect(is_time(log.text), "%s", log.text);
}

Test(log, is_text_however_long_it_is)
{
	auto_buf struct buf log = { 0 };
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	open_log(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_info("%s", text);
	read_log(&log);
	cr_expect_geq(log.len, 1000);
	cr_expect_eq(count_lines(log.text), 1);
	cr_expect_eq(log.text[log.len - 1], '\n');
}

/* Names of files and words of programs must not be able to make lines or colours of their own. */
Test(log, is_one_line_of_text_whatever_is_said)
{
	auto_buf struct buf log = { 0 };

	open_log(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_info("%s", "a\n2026-01-01T00:00:00Z hull error: b\r\x1b[1m");
	read_log(&log);
	cr_expect_eq(count_lines(log.text), 1, "%s", log.text);
	cr_expect_null(strchr(log.text, '\r'));
	cr_expect_null(strchr(log.text, '\x1b'));
}
