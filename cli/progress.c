#include "cli/progress.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "cli/words.h"

enum { STEP_US = 100 * 1000, WIDTH = 80, WIDTH_MIN = 40, BAR_MAX = 40, NUMBERS = 20 };

void progress_begin(struct progress *p, bool quiet)
{
	struct winsize size;

	*p = (struct progress){ .quiet = quiet, .width = WIDTH };
	p->terminal = !quiet && isatty(STDERR_FILENO);
	if (p->terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		p->width = size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}

void progress_line(const struct progress_bar *bar, unsigned width, struct buf *ret)
{
	auto_arena struct arena a = { 0 };
	unsigned room = width - PROGRESS_NAME - NUMBERS - 4, full;

	if (room > BAR_MAX)
		room = BAR_MAX;
	if (width < PROGRESS_NAME + NUMBERS + 4)
		room = 0;
	full = bar->size ? (unsigned)((double)bar->done / (double)bar->size * room) : room;
	buf_printf(ret, "%-19.19s", bar->name);
	if (room > 4) {
		buf_str(ret, " [");
		for (unsigned i = 0; i < room; i++)
			buf_char(ret, i < full ? '=' : i == full ? '>' : ' ');
		buf_char(ret, ']');
	}
	buf_printf(ret, " %s/%s", words_size(bar->done, &a), words_size(bar->size, &a));
}

static void write_out(const struct buf *text)
{
	if (text->len && io_write_all(STDERR_FILENO, text->text, text->len) < 0)
		return; /* nobody looks */
}

/* Goes back to the first of the bars and takes them away. */
static void erase(struct progress *p, struct buf *out)
{
	if (p->drawn)
		buf_printf(out, "\r\033[%uA\033[J", p->drawn);
	p->drawn = 0;
}

static void draw(struct progress *p, struct buf *out)
{
	erase(p, out);
	for (; p->drawn < p->n; p->drawn++) {
		progress_line(&p->bars[p->drawn], p->width, out);
		buf_char(out, '\n');
	}
	p->last = io_now_us();
}

/* The bar of that name; a new one if there is room; NULL. */
static struct progress_bar *find(struct progress *p, const char *name)
{
	for (unsigned i = 0; i < p->n; i++)
		if (strncmp(p->bars[i].name, name, PROGRESS_NAME - 1) == 0)
			return &p->bars[i];
	if (p->n == PROGRESS_BARS)
		return NULL;
	snprintf(p->bars[p->n].name, PROGRESS_NAME, "%s", name);
	return &p->bars[p->n++];
}

static void arrived(struct progress *p, struct progress_bar *bar, const char *name, uint64_t size)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf out = { 0 };

	if (bar) {
		p->n--;
		memmove(bar, bar + 1, (size_t)(&p->bars[p->n] - bar) * sizeof(*bar));
	}
	erase(p, &out);
	buf_printf(&out, "%.19s: %s\n", name, words_size(size, &a));
	if (p->terminal)
		draw(p, &out);
	write_out(&out);
}

void progress_tell(const char *digest, uint64_t done, uint64_t size, void *ctx)
{
	struct progress *p = ctx;
	struct progress_bar *bar;
	auto_buf struct buf out = { 0 };

	if (p->quiet || (!p->terminal && done < size))
		return;
	bar = p->terminal ? find(p, digest) : NULL;
	if (done >= size) {
		arrived(p, bar, digest, size);
		return;
	}
	if (!bar)
		return;
	bar->done = done;
	bar->size = size;
	if (io_now_us() - p->last < STEP_US)
		return;
	draw(p, &out);
	write_out(&out);
}

void progress_end(struct progress *p)
{
	auto_buf struct buf out = { 0 };

	if (p->watcher > 0) {
		kill(p->watcher, SIGTERM);
		while (waitpid(p->watcher, NULL, 0) < 0 && errno == EINTR)
			;
		p->watcher = 0;
	}
	erase(p, &out);
	write_out(&out);
	p->n = 0;
}

/* SIGTERM is blocked, and so waited for as any other event: the bar is whole when we go. */
_Noreturn static void watch(struct progress *p, int fd, uint64_t size, const sigset_t *end)
{
	const struct timespec step = { .tv_nsec = STEP_US * 1000L };
	auto_buf struct buf out = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	while (sigtimedwait(end, NULL, &step) < 0) {
		off_t at = lseek(fd, 0, SEEK_CUR);

		p->bars[0].done = at < 0 ? 0 : (uint64_t)at;
		p->bars[0].size = size;
		buf_clear(&out);
		draw(p, &out);
		write_out(&out);
	}
	buf_clear(&out);
	erase(p, &out);
	write_out(&out);
	_exit(0);
}

void progress_watch(struct progress *p, int fd, const char *name)
{
	sigset_t end, old;
	struct stat st;

	if (!p->terminal || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, &old);
	p->watcher = fork();
	if (p->watcher == 0) {
		snprintf(p->bars[0].name, PROGRESS_NAME, "%s", name);
		p->n = 1;
		watch(p, fd, (uint64_t)st.st_size, &end);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
}
