#include "image/unpack/decompressor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "image/unpack/sandbox.h"
#include "image/unpack/stream.h"

enum { PIPE_BYTES = 1024 * 1024 };

/* In memory that both have. */
struct decompressor_report {
	bool whole; /* all was written */
	struct err err;
};

static int decompress(struct err *e)
{
	struct stream *s = NULL;
	const void *bytes;
	ssize_t n;
	int r = 0;

	/* How much it may be is for the other side to say, which counts it. */
	TRY(stream_open(STDIN_FILENO, UINT64_MAX, &s, e));
	while (r == 0 && (n = stream_next(s, &bytes, e)) != 0) {
		r = n < 0 ? (int)n : io_write_all(STDOUT_FILENO, bytes, (size_t)n);
		if (n > 0 && r < 0)
			err_neg(e, r, "hand the decompressed layer on");
	}
	stream_close(s);
	return r;
}

_Noreturn static void run(int dir_fd, int to, pid_t parent, struct decompressor_report *report)
{
	struct sandbox_facts facts;
	struct err e = { 0 };
	int r = dup2(to, STDOUT_FILENO) < 0 ? err_sys(&e, "set up the decompressor") : 0;

	if (r == 0)
		r = sandbox_enter_stream(dir_fd, parent, &facts, &e);
	if (r == 0)
		r = decompress(&e);
	report->err = e;
	report->whole = r == 0;
	_exit(r < 0);
}

int decompressor_start(int dir_fd, struct decompressor *ret, struct err *e)
{
	struct decompressor_report *report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
						  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	auto_fd int from = -1, to = -1;
	pid_t parent = getpid(), pid;
	int pair[2];

	if (report == MAP_FAILED)
		return err_sys(e, "set up the decompressor");
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(e, "make the decompressor's pipe");
	from = pair[0];
	to = pair[1];
	/* Where that is more than a user may have, it is done in smaller pieces. */
	(void)fcntl(to, F_SETPIPE_SZ, PIPE_BYTES);
	pid = fork();
	if (pid < 0)
		return err_sys(e, "make the decompressor");
	if (pid == 0)
		run(dir_fd, to, parent, report);
	if (dup2(from, STDIN_FILENO) < 0)
		return err_sys(e, "set up the decompressor");
	*ret = (struct decompressor){ .pid = pid, .report = report };
	return 0;
}

int decompressor_check(const struct decompressor *d, struct err *e)
{
	struct err said;

	if (d->report->whole)
		return 0;
	memcpy(&said, &d->report->err, sizeof(said));
	said.msg[sizeof(said.msg) - 1] = '\0';
	if (said.code <= 0 || !said.msg[0])
		return err_set(e, ECHILD, "the process that decompresses the layer died");
	return err_set(e, said.code, "%s", said.msg);
}

void decompressor_done(struct decompressor *d)
{
	while (d->pid > 0 && waitpid(d->pid, NULL, 0) < 0 && errno == EINTR)
		;
	d->pid = 0;
}
