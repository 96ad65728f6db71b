/*
 * health_run.c - runs health checks.
 *
 * The command is a process of `exec` that the runtime has let go of: a child
 * of ours, so that we wait for it, and may kill it by its pid, as nobody else
 * can have taken its end. While it is made, our standard streams are the
 * ones that it is to have.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/spawn.h"
#include "engine/containers.h"
#include "engine/happened.h"
#include "engine/health_private.h"
#include "engine/keep.h"

enum { CHUNK = 4096, US_PER_MS = 1000, NS_PER_MS = 1000000, PID_TEXT = 32, PIPE_CHUNKS = 16 };

/* Standard streams of ours that are put aside. */
struct streams {
	int saved[3];
};

static void put_aside(struct streams *s, int output)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	fflush(stdout);
	for (int i = 0; i < 3; i++) {
		s->saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 3);
		dup2(i == STDIN_FILENO ? null : output, i);
	}
	close_fd(&null);
}

static void take_back(struct streams *s)
{
	for (int i = 0; i < 3; i++) {
		if (s->saved[i] >= 0)
			dup2(s->saved[i], i);
		close_fd(&s->saved[i]);
	}
}

/* "CMD-SHELL" line, or "CMD" program argument... */
static struct strings command_of(const struct image_healthcheck *check, struct arena *a)
{
	struct strings ret = { (const char **)check->test.at + 1, check->test.n - 1 };

	if (strcmp(check->test.at[0], "CMD-SHELL") != 0)
		return ret;
	ret.at = arena_array(a, 3, sizeof(*ret.at));
	ret.at[0] = "/bin/sh";
	ret.at[1] = "-c";
	ret.at[2] = check->test.at[1];
	ret.n = 3;
	return ret;
}

static int read_pid(int dir, const char *file, pid_t *ret, struct err *e)
{
	char text[PID_TEXT];
	int pid, r = io_read_value(dir, file, text, sizeof(text));

	unlinkat(dir, file, 0);
	if (r < 0 || sscanf(text, "%d", &pid) != 1 || pid <= 1)
		return err_set(e, EIO, "find the process of the health check");
	*ret = pid;
	return 0;
}

/* Starts the command with its output going to `output`. */
static int start(const struct engine *g, const struct record *r, int dir, int output, pid_t *ret,
		 struct err *e)
{
	auto_arena struct arena a = { 0 };
	const char *file = arena_printf(&a, "health-%d.pid", getpid());
	const struct exec_request req = {
		.id = r->id,
		.args = command_of(&r->health, &a),
		.no_new_privs = -1,
		.detach = true,
		.pid_file = arena_printf(&a, "%s/containers/%s/%s", g->path.text, r->id, file),
	};
	struct streams streams;
	int status, n;

	put_aside(&streams, output);
	n = container_exec(g->rt, &req, &status, e);
	take_back(&streams);
	return n < 0 ? n : read_pid(dir, file, ret, e);
}

/* More than is kept is read all the same: nobody is to be held up. False: nothing comes any more. */
static bool take_output(int fd, struct buf *output)
{
	char bytes[CHUNK];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	size_t room = HEALTH_OUTPUT_MAX - output->len;

	for (ssize_t i = 0; i < n && room; i++)
		if (bytes[i])
			buf_char(output, bytes[i]), room--;
	return n > 0;
}

/* Until it has ended, or `timeout_ms` have passed; false then. */
static bool wait_for(int pidfd, int fd, int64_t timeout_ms, struct buf *output)
{
	int64_t end = io_now_us() + timeout_ms * US_PER_MS;
	struct pollfd fds[] = { { pidfd, POLLIN, 0 }, { fd, POLLIN, 0 } };

	for (;;) {
		int64_t left = (end - io_now_us() + US_PER_MS - 1) / US_PER_MS;
		int n = left <= 0 ? 0 : poll(fds, 2, left > INT32_MAX ? INT32_MAX : (int)left);

		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		if (n < 0)
			continue;
		if (fds[1].revents && !take_output(fd, output))
			fds[1].fd = -1;
		if (fds[0].revents)
			return true;
	}
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 255;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The command's exit status. It is in a session of its own, and what it made there goes with it. */
static int attend(pid_t pid, int fd, const struct image_healthcheck *check, struct buf *output)
{
	int64_t ms = check->timeout < NS_PER_MS ? 1 : check->timeout / NS_PER_MS;
	auto_fd int pidfd = pidfd_open(pid, 0);
	bool ended = pidfd >= 0 && wait_for(pidfd, fd, ms, output);
	int code;

	if (!ended) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
	}
	code = reap(pid);
	if (!ended) {
		output->len = 0;
		buf_printf(output, "Health check exceeded timeout (%lld ms)", (long long)ms);
		return HEALTH_TIMED_OUT;
	}
	/* What was written before it ended: a pipe full, and no more, should others still write. */
	for (int i = 0; i < PIPE_CHUNKS && take_output(fd, output); i++)
		;
	return code;
}

/* What can't be started has failed, as if it had said so itself. */
static int run_command(const struct engine *g, const struct record *r, int dir, struct buf *output,
		       int *ret_code, struct err *e)
{
	auto_fd int in = -1, out = -1;
	struct err failed = { 0 };
	int pair[2];
	pid_t pid = 0;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(e, "make the pipe of the health check");
	in = pair[0];
	out = pair[1];
	if (fcntl(in, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "make the pipe of the health check");
	if (start(g, r, dir, out, &pid, &failed) < 0) {
		buf_printf(output, "%s", failed.msg);
		*ret_code = keep_failure_status(&failed);
		return 0;
	}
	close_fd(&out);
	*ret_code = attend(pid, in, &r->health, output);
	return 0;
}

static bool is_running(const struct engine *g, const char *id)
{
	auto_state struct state state = { 0 };
	struct err ignored;

	return container_state(g->rt, id, &state, &ignored) >= 0 && state.status == STATE_RUNNING;
}

static int check_once(const struct engine *g, const struct record *r, int dir, int *ret_code,
		      struct err *e)
{
	auto_buf struct buf output = { 0 };
	char start_time[48], end_time[48];
	struct health_result result = { start_time, end_time, 0, NULL };
	int changed;

	record_now(start_time);
	buf_str(&output, "");
	TRY(run_command(g, r, dir, &output, &result.exit_code, e));
	/* What was killed with its container says nothing about it. */
	if (result.exit_code && !is_running(g, r->id))
		return err_set(e, ESRCH, "the container does not run");
	record_now(end_time);
	result.output = output.text;
	*ret_code = result.exit_code;
	TRY(health_note(dir, &r->health, &result, &changed, e));
	if (changed != HEALTH_NONE)
		happened_to(g, r->id,
			    changed == HEALTH_HEALTHY ? "health_status: healthy"
						      : "health_status: unhealthy",
			    NULL, NULL);
	return 0;
}

int health_check(const struct engine *g, const char *who, int *ret_code, struct err *e)
{
	auto_record struct record record = { 0 };
	char id[RECORD_ID_LEN + 1];
	auto_fd int dir = -1;

	TRY(record_find(g, who, id, e));
	dir = record_open(g, id, &record, e);
	TRY(dir);
	if (!record.health.test.n)
		return err_set(e, EINVAL, "container %s has no health check", who);
	if (!is_running(g, id))
		return err_set(e, ESRCH, "container %s does not run", who);
	return check_once(g, &record, dir, ret_code, e);
}

/* The checking process. */

static void rest(int64_t us)
{
	struct timespec span = { us / 1000000, us % 1000000 * 1000 };

	while (nanosleep(&span, &span) < 0 && errno == EINTR)
		;
}

/* Paused, nothing can be asked; before its program runs, nothing is there to be asked. */
_Noreturn static void check_always(const struct engine *g, const struct record *r, int dir)
{
	for (;;) {
		auto_health struct health h = { 0 };
		struct err e = { 0 };
		int code;

		if (health_read(dir, &h, &e) < 0)
			log_warn("%s", e.msg);
		rest(health_delay(&r->health, &h, io_now_us()));
		if (is_running(g, r->id) && check_once(g, r, dir, &code, &e) < 0)
			log_debug("%s", e.msg);
	}
}

int health_start(const struct engine *g, const struct making *m, pid_t *ret_pid, int *ret_fd,
		 struct err *e)
{
	pid_t parent = getpid(), pid;
	int null;

	*ret_fd = -1;
	if (!m->record.health.test.n)
		return 0;
	TRY(health_reset(m->dir, e));
	pid = fork();
	if (pid < 0)
		return err_sys(e, "make the process that checks the container's health");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL);
		if (getppid() != parent)
			_exit(1);
		/* Who holds it keeps the container, which is not us. */
		close(m->lock);
		/* A terminal's keys are for the program; its streams end when the program's do. */
		setsid();
		prctl(PR_SET_NAME, "hull-health");
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		for (int i = 0; i < 3; i++)
			dup2(null, i);
		spawn_reset_signals();
		check_always(g, &m->record, m->dir);
	}
	*ret_pid = pid;
	*ret_fd = pidfd_open(pid, 0);
	if (*ret_fd >= 0)
		return 0;
	err_sys(e, "watch the process that checks the container's health");
	kill(pid, SIGKILL);
	reap(pid);
	return -e->code;
}

void health_stop(pid_t pid, int *fd)
{
	if (*fd < 0)
		return;
	pidfd_send_signal(*fd, SIGKILL, NULL, 0);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	close_fd(fd);
}
