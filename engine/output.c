#include "engine/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

typedef int write_fn(void *ctx, int fd, struct err *e);

static bool is_standard(const char *path)
{
	return !path || strcmp(path, "-") == 0;
}

/* What is no regular file (a FIFO, a device) is written to; there is nothing in it to be saved. */
static bool is_replaced(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 || S_ISREG(st.st_mode);
}

static int write_new_file(const char *path, write_fn *fn, void *ctx, struct err *e)
{
	auto_buf struct buf name = { 0 };
	auto_fd int fd = -1;
	int r;

	buf_printf(&name, "%s.%d.new", path, getpid());
	fd = open(name.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys(e, "make %s", name.text);
	r = fn(ctx, fd, e);
	if (r >= 0 && rename(name.text, path) < 0)
		r = err_sys(e, "rename %s to %s", name.text, path);
	if (r < 0)
		unlink(name.text);
	return r < 0 ? r : 0;
}

int output_check(const char *path, struct err *e)
{
	if (is_standard(path) && isatty(STDOUT_FILENO))
		return err_set(e, ENOTTY,
			       "standard output is a terminal: use --output, or redirect it");
	return 0;
}

int output_write(const char *path, write_fn *fn, void *ctx, struct err *e)
{
	auto_fd int fd = -1;

	TRY(output_check(path, e));
	if (is_standard(path))
		return fn(ctx, STDOUT_FILENO, e);
	if (is_replaced(path))
		return write_new_file(path, fn, ctx, e);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	return fn(ctx, fd, e);
}
