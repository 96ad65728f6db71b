#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/io.h"

/* Out of the way of the descriptors that a caller hands on, which begin at 3. */
enum { LOG_FD_MIN = 64 };

static struct {
	enum log_level level;
	enum log_format format;
	int fd; /* of --log, 0 without it */
} log_state = { .level = LOG_LEVEL_WARN };

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	/* the first name of a level is the one that is written */
	{ "error", LOG_LEVEL_ERROR }, { "warning", LOG_LEVEL_WARN }, { "warn", LOG_LEVEL_WARN },
	{ "info", LOG_LEVEL_INFO },   { "debug", LOG_LEVEL_DEBUG },  { "trace", LOG_LEVEL_TRACE },
};

int log_level_parse(const char *name, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (strcmp(levels[i].name, name) == 0) {
			*ret = levels[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

static const char *level_name(enum log_level level)
{
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (levels[i].level == level)
			return levels[i].name;
	return "";
}

int log_open(const struct log_settings *settings, struct err *e)
{
	int fd = 0, high;

	if (settings->path) {
		fd = open(settings->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
			  0600);
		if (fd < 0)
			return err_sys(e, "open log file %s", settings->path);
		high = fcntl(fd, F_DUPFD_CLOEXEC, LOG_FD_MIN);
		if (high >= 0) {
			close(fd);
			fd = high;
		}
	}
	if (log_state.fd > 0)
		close(log_state.fd);
	log_state.level = settings->level;
	log_state.format = settings->format;
	log_state.fd = fd;
	return 0;
}

void log_adopt(int fd, enum log_level level, enum log_format format)
{
	log_state.level = level;
	log_state.format = format;
	log_state.fd = fd > 0 ? fd : 0;
}

void log_settings_read(struct log_settings *ret)
{
	*ret = (struct log_settings){ .level = log_state.level, .format = log_state.format };
}

bool log_wants(enum log_level level)
{
	return level <= log_state.level;
}

bool log_to_file(void)
{
	return log_state.fd > 0;
}

int log_fd(void)
{
	return log_state.fd > 0 ? log_state.fd : -1;
}

/* A line is cut at its buffer's end; the JSON stays valid because text is added piece by piece. */
struct line {
	char text[2048];
	size_t len;
};

enum { LINE_TAIL = 64 }; /* kept free for what follows the message */

static void add(struct line *l, const char *s, size_t limit)
{
	size_t len = strlen(s);

	if (len > limit - l->len)
		len = limit - l->len;
	memcpy(l->text + l->len, s, len);
	l->len += len;
}

/* The length of the well-formed UTF-8 sequence at s, 0 if there is none (RFC 3629). */
static size_t utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80                   ? 1
		   : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		   : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		   : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void add_escaped(struct line *l, const char *s)
{
	const size_t limit = sizeof(l->text) - LINE_TAIL;

	while (*s && l->len + 8 < limit) {
		unsigned char c = (unsigned char)*s;
		size_t n = utf8_length((const unsigned char *)s);
		char piece[8] = { 0 };

		if (c == '"' || c == '\\')
			snprintf(piece, sizeof(piece), "\\%c", c);
		else if (c < ' ')
			snprintf(piece, sizeof(piece), "\\u%04x", c);
		else if (n == 0)
			snprintf(piece, sizeof(piece), "\\ufffd");
		else
			memcpy(piece, s, n);
		add(l, piece, limit);
		s += n ? n : 1;
	}
}

/* A log that can't be written must not stop what it describes: not even by SIGPIPE. */
static void write_line(int fd, const struct line *l)
{
	const struct timespec at_once = { 0 };
	sigset_t pipe_only, old;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigprocmask(SIG_BLOCK, &pipe_only, &old);
	if (io_write_all(fd, l->text, l->len) == -EPIPE && !sigismember(&old, SIGPIPE))
		sigtimedwait(&pipe_only, NULL, &at_once);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	struct line l = { .len = 0 };
	char msg[1024], when[32];
	int saved = errno, fd = log_state.fd > 0 ? log_state.fd : STDERR_FILENO;
	struct timespec ts;
	struct tm tm;
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	for (char *at = msg; *at && log_state.format == LOG_FORMAT_TEXT; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' '; /* a name must not make a line, or a colour, of its own */
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (log_state.format == LOG_FORMAT_JSON) {
		add(&l, "{\"level\":\"", sizeof(l.text));
		add(&l, level_name(level), sizeof(l.text));
		add(&l, "\",\"msg\":\"", sizeof(l.text));
		add_escaped(&l, msg);
		add(&l, "\",\"time\":\"", sizeof(l.text));
		add(&l, when, sizeof(l.text));
		add(&l, "\"}\n", sizeof(l.text));
	} else {
		l.len = (size_t)snprintf(l.text, sizeof(l.text), "%s hull %s: %s\n", when,
					 level_name(level), msg);
	}
	write_line(fd, &l);
	errno = saved;
}
