#include "cgroups/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/util.h"

/* Of mode 0: for root alone. */
#define SYSTEM_PLACE "/run/systemd/inaccessible/dir"

static int open_place(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

/* A user's runtime directory is for him alone. */
static int open_user_place(void)
{
	const char *directory = getenv("XDG_RUNTIME_DIR"); /* NOLINT(concurrency-mt-unsafe) */
	char path[PATH_MAX];

	if (!directory || *directory != '/' ||
	    snprintf(path, sizeof(path), "%s/systemd", directory) >= (int)sizeof(path))
		return -ENOENT;
	return open_place(path);
}

int turn_take(bool user)
{
	int fd = user ? open_user_place() : open_place(SYSTEM_PLACE);
	int r;

	if (fd < 0) {
		log_debug("no line for systemd to stand in: %s", err_text(-fd));
		return -1;
	}
	do
		r = flock(fd, LOCK_EX);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		log_debug("stand in line for systemd: %s", err_text(errno));
	return fd;
}
