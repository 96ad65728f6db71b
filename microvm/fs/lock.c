/*
 * lock.c - see lock.h.
 *
 * Nothing waits inside the kernel: a wait is a loop of attempts, woken by each lock that this
 * server drops and otherwise after a time that grows to 50 ms (a lock of a host's process). So
 * INTERRUPT, DESTROY and the end of the server can end it without a signal.
 */
#include "microvm/fs/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "base/mem.h"
#include "base/util.h"
#include "microvm/fs/server.h"

enum { FIRST_PAUSE_US = 500, LAST_PAUSE_US = 50000 };

/* ---- owners, with the lock held */

static struct lock_owner **owner_find(struct lock_table *t, const struct inode *inode,
				      uint64_t owner)
{
	struct lock_owner **at = &t->owners;

	while (*at && ((*at)->inode != inode || (*at)->owner != owner))
		at = &(*at)->next;
	return at;
}

static int owner_open(struct fs_server *server, struct inode *inode)
{
	int fd = inode->type != S_IFREG ? -EBADF : -EROFS;

	/* A lock for writing wants a descriptor for writing, whatever the guest's is. */
	if (inode->type == S_IFREG && !inode->read_only && !server->config.read_only)
		fd = inode_open(server, inode, O_RDWR | O_NONBLOCK);
	if (fd == -EROFS || fd == -EACCES || fd == -EPERM || fd == -ETXTBSY)
		fd = inode_open(server, inode, O_RDONLY | O_NONBLOCK);
	return fd;
}

/* The owner's descriptor, made if need be. */
static int owner_fd(struct fs_server *server, struct inode *inode, uint64_t owner)
{
	struct lock_table *t = &server->locks;
	struct lock_owner **at = owner_find(t, inode, owner);
	int fd;

	if (*at)
		return (*at)->fd;
	if (t->n_owners >= t->max_owners || inode_reserve(server) < 0)
		return -ENOLCK;
	fd = owner_open(server, inode);
	if (fd < 0) {
		inode_unreserve(server);
		return fd;
	}
	inode_hold(server, inode);
	*at = mem_zalloc(sizeof(**at));
	**at = (struct lock_owner){ .inode = inode, .owner = owner, .fd = fd };
	t->n_owners++;
	return fd;
}

static void owner_remove(struct fs_server *server, struct lock_owner **at)
{
	struct lock_owner *owner = *at;

	*at = owner->next;
	server->locks.n_owners--;
	close(owner->fd);
	inode_unreserve(server);
	inode_put(server, owner->inode);
	free(owner);
}

void locks_drop(struct fs_server *server, const struct inode *inode, uint64_t owner)
{
	struct lock_table *t = &server->locks;
	struct lock_owner **at;

	pthread_mutex_lock(&t->lock);
	at = owner_find(t, inode, owner);
	if (*at) {
		owner_remove(server, at);
		pthread_cond_broadcast(&t->released);
	}
	pthread_mutex_unlock(&t->lock);
}

void locks_wake(struct fs_server *server)
{
	pthread_mutex_lock(&server->locks.lock);
	pthread_cond_broadcast(&server->locks.released);
	pthread_mutex_unlock(&server->locks.lock);
}

/* ---- requests */

static int lock_decode(const struct fuse_lk_in *in, struct flock *ret)
{
	const struct fuse_file_lock *lk = &in->lk;

	if (lk->type != F_RDLCK && lk->type != F_WRLCK && lk->type != F_UNLCK)
		return -EINVAL;
	if (lk->start > INT64_MAX || lk->end > INT64_MAX || lk->end < lk->start)
		return -EINVAL;
	*ret = (struct flock){
		.l_type = (short)lk->type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)lk->start,
		.l_len = lk->end == INT64_MAX ? 0 : (off_t)(lk->end - lk->start + 1),
	};
	return 0;
}

ssize_t op_getlk(struct request *r)
{
	struct lock_table *t = &r->server->locks;
	struct fuse_lk_in in = *(const struct fuse_lk_in *)r->args;
	struct fuse_lk_out out = { .lk = { .type = F_UNLCK } };
	struct handle *handle;
	struct flock lock;
	int fd, result;

	if (!r->server->config.locks)
		return -ENOSYS;
	TRY(lock_decode(&in, &lock));
	TRY(handle_get(r->server, in.fh, r->inode, false, &handle));
	handle_put(r->server, handle);
	pthread_mutex_lock(&t->lock);
	fd = owner_fd(r->server, r->inode, in.owner);
	result = fd < 0 ? fd : fcntl(fd, F_OFD_GETLK, &lock) < 0 ? -errno : 0;
	pthread_mutex_unlock(&t->lock);
	TRY(result);
	out.lk.type = (uint32_t)lock.l_type;
	if (lock.l_type != F_UNLCK) {
		out.lk.start = (uint64_t)lock.l_start;
		out.lk.end = lock.l_len ? (uint64_t)(lock.l_start + lock.l_len - 1) : INT64_MAX;
	}
	return request_reply(r, &out, sizeof(out));
}

static int attempt(struct request *r, const struct fuse_lk_in *in, const struct handle *handle)
{
	static const int flocks[] = {
		[F_RDLCK] = LOCK_SH, [F_WRLCK] = LOCK_EX, [F_UNLCK] = LOCK_UN
	};
	struct lock_table *t = &r->server->locks;
	struct flock lock;
	int fd;

	TRY(lock_decode(in, &lock));
	if (in->lk_flags & FUSE_LK_FLOCK) /* the handle is the guest's open file, as it should be */
		return flock(handle->fd, flocks[lock.l_type] | LOCK_NB) < 0 ? -errno : 0;
	if (lock.l_type == F_UNLCK && !*owner_find(t, r->inode, in->owner))
		return 0;
	fd = owner_fd(r->server, r->inode, in->owner);
	TRY(fd);
	return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

static void pause_until_released(struct lock_table *t, long *pause_us)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += *pause_us * 1000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&t->released, &t->lock, &until);
	*pause_us = *pause_us * 2 > LAST_PAUSE_US ? LAST_PAUSE_US : *pause_us * 2;
}

/* With the lock held. */
static int wait_for_lock(struct request *r, const struct fuse_lk_in *in,
			 const struct handle *handle)
{
	struct lock_table *t = &r->server->locks;
	struct lock_waiter waiter = { .unique = r->head.unique, .next = t->waiters }, **at;
	long pause_us = FIRST_PAUSE_US;
	int result;

	if (t->n_waiters >= t->max_waiters)
		return -ENOLCK;
	t->waiters = &waiter;
	t->n_waiters++;
	do {
		pause_until_released(t, &pause_us);
		/* First, lest DESTROY leaves a lock behind that its waiter gets by it. */
		result = t->stopped || waiter.cancelled ? -EINTR : attempt(r, in, handle);
	} while (result == -EAGAIN);
	for (at = &t->waiters; *at != &waiter; at = &(*at)->next)
		;
	*at = waiter.next;
	t->n_waiters--;
	return result;
}

static ssize_t set_lock(struct request *r, bool wait)
{
	struct lock_table *t = &r->server->locks;
	struct fuse_lk_in in = *(const struct fuse_lk_in *)r->args;
	struct handle *handle;
	int result;

	if (!r->server->config.locks)
		return -ENOSYS;
	TRY(handle_get(r->server, in.fh, r->inode, false, &handle));
	pthread_mutex_lock(&t->lock);
	result = attempt(r, &in, handle);
	if (result == -EAGAIN && wait)
		result = wait_for_lock(r, &in, handle);
	if (result == 0) /* dropped, or made weaker */
		pthread_cond_broadcast(&t->released);
	pthread_mutex_unlock(&t->lock);
	handle_put(r->server, handle);
	return result;
}

ssize_t op_setlk(struct request *r)
{
	return set_lock(r, false);
}

ssize_t op_setlkw(struct request *r)
{
	return set_lock(r, true);
}

ssize_t op_interrupt(struct request *r)
{
	struct lock_table *t = &r->server->locks;
	struct fuse_interrupt_in in = *(const struct fuse_interrupt_in *)r->args;

	pthread_mutex_lock(&t->lock);
	for (struct lock_waiter *waiter = t->waiters; waiter; waiter = waiter->next)
		if (waiter->unique == in.unique)
			waiter->cancelled = true;
	pthread_cond_broadcast(&t->released);
	pthread_mutex_unlock(&t->lock);
	return 0;
}

/* ---- all of them */

void locks_init(struct fs_server *server)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&server->locks.released, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&server->locks.lock, NULL);
}

void locks_stop(struct fs_server *server)
{
	pthread_mutex_lock(&server->locks.lock);
	server->locks.stopped = true;
	pthread_cond_broadcast(&server->locks.released);
	pthread_mutex_unlock(&server->locks.lock);
}

void locks_clear(struct fs_server *server)
{
	struct lock_table *t = &server->locks;

	pthread_mutex_lock(&t->lock);
	for (struct lock_waiter *waiter = t->waiters; waiter; waiter = waiter->next)
		waiter->cancelled = true;
	while (t->owners)
		owner_remove(server, &t->owners);
	pthread_cond_broadcast(&t->released);
	pthread_mutex_unlock(&t->lock);
}

void locks_done(struct fs_server *server)
{
	locks_clear(server);
	pthread_cond_destroy(&server->locks.released);
	pthread_mutex_destroy(&server->locks.lock);
}
