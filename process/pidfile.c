#include "process/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"

static int fill(int fd, pid_t pid)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", pid);

	TRY(io_write_all(fd, text, (size_t)len));
	return fchmod(fd, 0644) < 0 ? -errno : 0;
}

int pidfile_write(const char *path, pid_t pid, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const int dir_len = slash ? (int)(slash + 1 - path) : 0;
	char staged[PATH_MAX];
	auto_fd int fd = -1;
	int r;

	/* In the same directory, so that it can be renamed; a name that nobody else has. */
	if ((size_t)snprintf(staged, sizeof(staged), "%.*s.hull-XXXXXX", dir_len, path) >=
	    sizeof(staged))
		return err_neg(e, -ENAMETOOLONG, "write pid file %s", path);
	fd = mkostemp(staged, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "write pid file %s", path);
	r = fill(fd, pid);
	if (r == 0 && rename(staged, path) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	unlink(staged);
	return err_neg(e, r, "write pid file %s", path);
}
