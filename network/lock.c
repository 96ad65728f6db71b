#include "network/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/lock.h"

/* Seconds. Of the plug-ins of one network each has a deadline of its own (cni_run.c). */
enum { NETWORK_TIMEOUT = 300, CONTAINER_TIMEOUT = 300 };

static int open_file(int state_dir_fd, const char *name, struct err *e)
{
	int fd = openat(state_dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? err_sys(e, "open the lock of the networks") : fd;
}

static int take(int fd, struct err *e)
{
	int r = lock_file(fd, NETWORK_TIMEOUT);

	if (r == -ETIMEDOUT)
		return err_set(e, ETIMEDOUT,
			       "lock the networks: another hull has kept the lock for %d s",
			       NETWORK_TIMEOUT);
	return r < 0 ? err_neg(e, r, "lock the networks") : 0;
}

int network_lock(int state_dir_fd, struct err *e)
{
	auto_fd int fd = open_file(state_dir_fd, "lock", e);

	TRY(fd);
	TRY(take(fd, e));
	return take_fd(&fd);
}

void network_lock_pause(int lock)
{
	if (lock >= 0)
		(void)flock(lock, LOCK_UN); /* of one that is held it has no way to fail */
}

int network_lock_resume(int lock, struct err *e)
{
	return lock < 0 ? 0 : take(lock, e);
}

/* Which byte is its (FNV-1a). Should two share one, each waits for the other's turn, no more. */
static int64_t byte_of(const char *id)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
	return (int64_t)(hash >> 2);
}

int container_lock(int state_dir_fd, const char *id, bool wait, struct err *e)
{
	auto_fd int fd = open_file(state_dir_fd, "containers.lock", e);
	int r;

	TRY(fd);
	r = lock_byte(fd, byte_of(id), wait ? CONTAINER_TIMEOUT : 0);
	if (r == -ETIMEDOUT && !wait)
		return -EBUSY;
	if (r == -ETIMEDOUT)
		return err_set(e, EBUSY,
			       "container %s: another hull has been changing its network for %d s",
			       id, CONTAINER_TIMEOUT);
	if (r < 0)
		return err_neg(e, r, "lock the network of container %s", id);
	return take_fd(&fd);
}
