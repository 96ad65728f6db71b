/*
 * io.h - files, by descriptor.
 *
 * Everything is named relative to a directory descriptor, is opened
 * close-on-exec, and survives short reads and EINTR. Functions without a
 * `struct err` return a negative errno, for callers who know better what they
 * were doing.
 */
#ifndef HULL_BASE_IO_H
#define HULL_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

int io_write_all(int fd, const void *bytes, size_t len) MUST_CHECK;
/* Reads until `len` bytes or end of file; returns how many came. */
ssize_t io_read_all(int fd, void *bytes, size_t len) MUST_CHECK;

/* Appends what is left in `fd` to *ret; -EFBIG when there is more than `limit`. */
int io_slurp(int fd, size_t limit, struct buf *ret) MUST_CHECK;
/*
 * Appends the content of a regular file (a FIFO or device is refused, and
 * never waited for). `what` names the file in messages.
 */
int io_read_file(int dirfd, const char *path, size_t limit, const char *what, struct buf *ret,
		 struct err *e) MUST_CHECK;

/* Writes one value to an existing file of a kernel file system, in a single write(2). */
int io_write_value(int dirfd, const char *path, const char *value) MUST_CHECK;
/* Reads a small file whole; strips one trailing newline. -EOVERFLOW: `buf` is too small. */
int io_read_value(int dirfd, const char *path, char *buf, size_t size) MUST_CHECK;

/*
 * Replaces (or makes) `name` so that a reader sees the old content or the new
 * one, and a crash leaves nothing but perhaps ".NAME.new". Mode 0600.
 */
int io_replace_file(int dirfd, const char *name, const void *bytes, size_t len, struct err *e)
	MUST_CHECK;
/* Removes what crashes have left so; nobody else may be replacing files of this directory now. */
int io_clear_staged(int dirfd) MUST_CHECK;

/*
 * A file in memory with these bytes, which nobody can change any more, to be read from its
 * beginning: what a program gets as its standard input. Returns a descriptor; `name` is in messages.
 */
int io_sealed_file(const char *name, const void *bytes, size_t len, struct err *e) MUST_CHECK;

/* Makes the directory `path` and its missing parents; fine if it exists. */
int io_mkdir_all(const char *path, mode_t mode, struct err *e) MUST_CHECK;

/* Removes `name` and, if it is a directory, all below it. Crosses no mount. -ENOENT is success. */
int io_remove_tree(int dirfd, const char *name) MUST_CHECK;

/* Sends bytes with up to IO_FDS_MAX descriptors; receives the same. MSG_CMSG_CLOEXEC is set. */
enum { IO_FDS_MAX = 5 };
int io_send_fds(int sock, const void *bytes, size_t len, const int *fds, size_t n) MUST_CHECK;
/* Returns the number of bytes; unfilled places of fds[n] are -1; surplus ones are closed. */
ssize_t io_recv_fds(int sock, void *bytes, size_t len, int *fds, size_t n) MUST_CHECK;

/* /proc/self/fd/N, for calls that take paths only. */
struct fd_path {
	char text[32];
};
struct fd_path io_fd_path(int fd);

/* Microseconds of CLOCK_MONOTONIC. */
int64_t io_now_us(void);

#endif
