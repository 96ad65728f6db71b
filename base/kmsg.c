#include "base/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"

enum {
	RECORD_MAX = 8192, /* what the kernel gives at most (CONSOLE_EXT_LOG_MAX) */
	FACILITY = 8,      /* a priority below that is the kernel's own */
};

bool kmsg_is_kernels(const char *record)
{
	return strtoul(record, NULL, 10) < FACILITY;
}

void kmsg_each(const char *unknown, void (*take)(const char *record, void *ctx), void *ctx)
{
	auto_fd int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	char record[RECORD_MAX + 1];

	if (fd < 0) {
		log_debug("%s is not known: open /dev/kmsg: %s", unknown, err_text(errno));
		return;
	}
	for (;;) {
		ssize_t n = read(fd, record, RECORD_MAX);

		if (n < 0 && (errno == EPIPE || errno == EINTR)) /* older ones were overwritten */
			continue;
		if (n <= 0)
			return;
		record[n] = '\0';
		take(record, ctx);
	}
}
