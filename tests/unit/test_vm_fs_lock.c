/* Locks that the host sees. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/file.h>

#include "tests/unit/test_vm_fs.h"

static void serve_locks(void)
{
	struct fs_config c = fs_defaults;

	serve();
	c.locks = true;
	c.max_lock_waits = 2;
	serve_again(&c);
}

TestSuite(vm_fs_lock, .init = serve_locks, .fini = unserve);

#define LK(handle, who, kind, from, to)            \
	IN(fuse_lk_in, .fh = handle, .owner = who, \
	   .lk = { .type = kind, .start = from, .end = to, .pid = 1 })
#define FLOCK(handle, kind)                                                    \
	IN(fuse_lk_in, .fh = handle, .lk = { .type = kind, .end = INT64_MAX }, \
	   .lk_flags = FUSE_LK_FLOCK)

/* May the host lock this byte? */
static bool host_may(short type, off_t at)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
	int fd = openat(dir_fd, "root/file", O_RDWR | O_CLOEXEC);
	bool may = fcntl(fd, F_OFD_SETLK, &lock) == 0;

	close(fd);
	return may;
}

Test(vm_fs_lock, owners_and_the_host_conflict)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh = open_node(file, O_RDWR);

	done(FUSE_SETLK, file, LK(fh, 1, F_WRLCK, 10, 19));
	cr_assert_not(host_may(F_RDLCK, 10));
	cr_assert_not(host_may(F_RDLCK, 19));
	cr_assert(host_may(F_WRLCK, 20));
	failed(-EAGAIN, FUSE_SETLK, file, LK(fh, 2, F_RDLCK, 0, INT64_MAX));
	done(FUSE_SETLK, file, LK(fh, 2, F_RDLCK, 20, INT64_MAX));
	done(FUSE_SETLK, file, LK(fh, 1, F_RDLCK, 10, 19)); /* its own does not stand in its way */
	expect_answer(sizeof(answer.lk), FUSE_GETLK, file, LK(fh, 2, F_WRLCK, 0, INT64_MAX));
	cr_assert_eq(answer.lk.lk.type, F_RDLCK);
	cr_assert_eq(answer.lk.lk.start, 10);
	cr_assert_eq(answer.lk.lk.end, 19);
	expect_answer(sizeof(answer.lk), FUSE_GETLK, file, LK(fh, 1, F_WRLCK, 0, INT64_MAX));
	cr_assert_eq(answer.lk.lk.end, INT64_MAX);
	expect_answer(sizeof(answer.lk), FUSE_GETLK, file, LK(fh, 1, F_WRLCK, 0, 9));
	cr_assert_eq(answer.lk.lk.type, F_UNLCK);
	done(FUSE_SETLK, file, LK(fh, 1, F_UNLCK, 10, 14));
	cr_assert(host_may(F_WRLCK, 14));
	cr_assert_not(host_may(F_WRLCK, 15));
	/* close(2) of any of its descriptors drops the owner's locks, as POSIX has it. */
	done(FUSE_FLUSH, file, IN(fuse_flush_in, .fh = fh, .lock_owner = 1));
	cr_assert(host_may(F_WRLCK, 15));
	cr_assert_not(host_may(F_WRLCK, 20));
	done(FUSE_FLUSH, file, IN(fuse_flush_in, .fh = fh, .lock_owner = 2));
	done(FUSE_FLUSH, file, IN(fuse_flush_in, .fh = fh, .lock_owner = 3));
	cr_assert(host_may(F_WRLCK, 20));
	cr_assert_eq(stats_now().descriptors, 3);
}

Test(vm_fs_lock, flock_belongs_to_the_open_file)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), one = open_node(file, O_RDONLY),
		 two = open_node(file, O_RDWR);

	done(FUSE_SETLK, file, FLOCK(one, F_WRLCK));
	failed(-EAGAIN, FUSE_SETLK, file, FLOCK(two, F_RDLCK));
	done(FUSE_SETLK, file, FLOCK(one, F_RDLCK));
	done(FUSE_SETLK, file, FLOCK(two, F_RDLCK));
	done(FUSE_RELEASE, file,
	     IN(fuse_release_in, .fh = one, .release_flags = FUSE_RELEASE_FLOCK_UNLOCK));
	done(FUSE_SETLK, file, FLOCK(two, F_WRLCK));
	done(FUSE_SETLK, file, FLOCK(two, F_UNLCK));
}

Test(vm_fs_lock, ranges_of_no_sense)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh = open_node(file, O_RDWR);

	failed(-EINVAL, FUSE_SETLK, file, LK(fh, 1, F_WRLCK, 2, 1));
	failed(-EINVAL, FUSE_SETLK, file, LK(fh, 1, F_WRLCK, 0, UINT64_MAX));
	failed(-EINVAL, FUSE_SETLK, file, LK(fh, 1, F_WRLCK, UINT64_MAX, UINT64_MAX));
	failed(-EINVAL, FUSE_SETLK, file, LK(fh, 1, 3, 0, 1));
	failed(-EINVAL, FUSE_SETLKW, file, LK(fh, 1, UINT32_MAX, 0, 1));
	failed(-EBADF, FUSE_SETLK, file, LK(fh + 1, 1, F_WRLCK, 0, 1));
	failed(-EBADF, FUSE_SETLK, FUSE_ROOT_ID, LK(fh, 1, F_WRLCK, 0, 1));
	failed(-EBADF, FUSE_GETLK, file, LK(0, 1, F_WRLCK, 0, 1));
	done(FUSE_SETLK, file, LK(fh, 1, F_UNLCK, 0, 1));
	done(FUSE_SETLK, file, LK(fh, 1, F_WRLCK, INT64_MAX, INT64_MAX));
}

/* ---- waiting */

struct wait {
	pthread_t thread;
	uint64_t node, fh, owner, unique;
	int32_t error;
};

static void *waits(void *arg)
{
	struct wait *w = arg;
	struct fuse_in_header head = { .len = sizeof(head) + sizeof(struct fuse_lk_in),
				       .opcode = FUSE_SETLKW,
				       .unique = w->unique,
				       .nodeid = w->node };
	struct fuse_lk_in in = { .fh = w->fh,
				 .owner = w->owner,
				 .lk = { .type = F_WRLCK, .end = 9 } };
	struct fuse_out_header out = { 0 };
	struct iovec request[] = { { &head, sizeof(head) }, { &in, sizeof(in) } };

	cr_assert(fs_request_waits(request, 2));
	fs_server_handle(server, request, 2, &(struct iovec){ &out, sizeof(out) }, 1);
	w->error = out.error;
	return NULL;
}

static void wait_begin(struct wait *w, uint64_t node, uint64_t fh, uint64_t owner)
{
	uint32_t before = stats_now().lock_waits;

	*w = (struct wait){ .node = node, .fh = fh, .owner = owner, .unique = 1000 + owner };
	cr_assert_eq(pthread_create(&w->thread, NULL, waits, w), 0);
	while (stats_now().lock_waits == before)
		usleep(1000);
}

static int32_t wait_end(struct wait *w)
{
	pthread_join(w->thread, NULL);
	return w->error;
}

Test(vm_fs_lock, a_wait_ends_with_the_lock)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh = open_node(file, O_RDWR);
	struct wait w;

	done(FUSE_SETLK, file, LK(fh, 1, F_WRLCK, 0, 9));
	wait_begin(&w, file, fh, 2);
	done(FUSE_SETLK, file, LK(fh, 1, F_UNLCK, 0, 9));
	cr_assert_eq(wait_end(&w), 0);
	failed(-EAGAIN, FUSE_SETLK, file, LK(fh, 1, F_WRLCK, 0, 9));
	wait_begin(&w, file, fh, 1);
	done(FUSE_FLUSH, file, IN(fuse_flush_in, .fh = fh, .lock_owner = 2));
	cr_assert_eq(wait_end(&w), 0);
}

Test(vm_fs_lock, a_wait_for_the_host)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh = open_node(file, O_RDWR);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = openat(dir_fd, "root/file", O_RDWR | O_CLOEXEC);
	struct wait w;

	cr_assert_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
	wait_begin(&w, file, fh, 1);
	close(fd);
	cr_assert_eq(wait_end(&w), 0);
}

Test(vm_fs_lock, a_wait_ends_by_interrupt_destroy_and_stop)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh = open_node(file, O_RDWR);
	struct wait w, other;

	done(FUSE_SETLK, file, LK(fh, 1, F_WRLCK, 0, 9));
	wait_begin(&w, file, fh, 2);
	wait_begin(&other, file, fh, 3);
	failed(-ENOLCK, FUSE_SETLKW, file, LK(fh, 4, F_WRLCK, 0, 9)); /* two may wait */
	failed(-1000, FUSE_INTERRUPT, 0, IN(fuse_interrupt_in, .unique = 99));
	failed(-1000, FUSE_INTERRUPT, 0, IN(fuse_interrupt_in, .unique = 1002));
	cr_assert_eq(wait_end(&w), -EINTR);
	cr_assert_eq(stats_now().lock_waits, 1);
	fs_server_stop(server);
	cr_assert_eq(wait_end(&other), -EINTR);
	failed(-EINTR, FUSE_SETLKW, file, LK(fh, 2, F_WRLCK, 0, 9));
	failed(-EAGAIN, FUSE_SETLK, file, LK(fh, 2, F_WRLCK, 0, 9));
}

Test(vm_fs_lock, destroy_ends_a_wait)
{
	uint64_t file = look(FUSE_ROOT_ID, "file"), fh = open_node(file, O_RDWR);
	struct wait w;

	done(FUSE_SETLK, file, LK(fh, 1, F_WRLCK, 0, 9));
	wait_begin(&w, file, fh, 2);
	done(FUSE_DESTROY, 0, NOTHING);
	cr_assert_eq(wait_end(&w), -EINTR);
	cr_assert(host_may(F_WRLCK, 0));
	cr_assert_eq(stats_now().descriptors, 1);
}

Test(vm_fs_lock, without_locks_the_guest_has_its_own)
{
	uint64_t file, fh;

	serve_again(&fs_defaults);
	file = look(FUSE_ROOT_ID, "file");
	fh = open_node(file, O_RDWR);
	failed(-ENOSYS, FUSE_SETLK, file, LK(fh, 1, F_WRLCK, 0, 9));
	failed(-ENOSYS, FUSE_SETLKW, file, LK(fh, 1, F_WRLCK, 0, 9));
	failed(-ENOSYS, FUSE_GETLK, file, LK(fh, 1, F_WRLCK, 0, 9));
}

Test(vm_fs_lock, a_read_only_file_is_locked_for_reading)
{
	struct fs_config c = fs_defaults;
	uint64_t file, fh;

	c.locks = c.read_only = true;
	serve_again(&c);
	file = look(FUSE_ROOT_ID, "file");
	fh = open_node(file, O_RDONLY);
	done(FUSE_SETLK, file, LK(fh, 1, F_RDLCK, 0, 9));
	failed(-EBADF, FUSE_SETLK, file, LK(fh, 1, F_WRLCK, 0, 9));
}
