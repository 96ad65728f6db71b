#include "cgroups/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/lock.h"
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

int turn_take(bool user, unsigned seconds, int *ret_turn, struct err *e)
{
	const char *whom = user ? "this user's systemd" : "systemd";
	auto_fd int fd = user ? open_user_place() : open_place(SYSTEM_PLACE);
	int r;

	if (fd < 0) {
		log_debug("no line for systemd to stand in: %s", err_text(-fd));
		*ret_turn = -1;
		return 0;
	}
	r = lock_file(fd, seconds);
	if (r == -ETIMEDOUT)
		return err_set(e, ETIMEDOUT,
			       "stand in line for %s: another process has kept %s locked for %u s",
			       whom, user ? "$XDG_RUNTIME_DIR/systemd" : SYSTEM_PLACE, seconds);
	if (r < 0)
		return err_neg(e, r, "stand in line for %s", whom);
	*ret_turn = take_fd(&fd);
	return 0;
}
