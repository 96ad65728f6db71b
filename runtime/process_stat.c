#include "runtime/process_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/io.h"

enum { FIELD_STATE = 3, FIELD_START = 22 };

int process_stat_read(pid_t pid, struct process_stat *ret)
{
	char path[32], text[1024], *at, *end;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	r = io_read_value(AT_FDCWD, path, text, sizeof(text));
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	at = strrchr(text, ')'); /* the name before it may hold anything */
	if (!at || at[1] != ' ')
		return -EBADMSG;
	at += 2;
	ret->state = *at;
	for (int field = FIELD_STATE; field < FIELD_START; field++) {
		at = strchr(at, ' ');
		if (!at)
			return -EBADMSG;
		at++;
	}
	errno = 0;
	ret->start = strtoull(at, &end, 10);
	return errno || end == at ? -EBADMSG : 0;
}

int process_open(pid_t pid, uint64_t start)
{
	struct pollfd ended = { .events = POLLIN };
	auto_fd int fd = -1;
	struct process_stat st;

	if (pid <= 0)
		return -ESRCH;
	fd = pidfd_open(pid, 0);
	if (fd < 0)
		return -errno;
	ended.fd = fd;
	TRY(process_stat_read(pid, &st));
	if (st.start != start)
		return -ESRCH;
	/* Of a process whose first thread has ended, others may live: the pidfd says when none does. */
	if ((st.state == 'Z' || st.state == 'X') && poll(&ended, 1, 0) != 0)
		return -ESRCH;
	return take_fd(&fd);
}
