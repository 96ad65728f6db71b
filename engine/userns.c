#include "engine/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "namespaces/idmap.h"

enum { SUBID_MAX = 4 * 1024 * 1024 };

static bool parse_number(const char **at, const char *end, uint32_t *ret)
{
	uint64_t value = 0;
	const char *c = *at;

	while (c < end && *c >= '0' && *c <= '9' && value <= UINT32_MAX)
		value = value * 10 + (uint64_t)(*c++ - '0');
	if (c == *at || value > UINT32_MAX)
		return false;
	*at = c;
	*ret = (uint32_t)value;
	return true;
}

/* "first:count" behind the name. */
static bool parse_range(const char *at, const char *end, uint32_t *first, uint32_t *count)
{
	return parse_number(&at, end, first) && at < end && *at++ == ':' &&
	       parse_number(&at, end, count) && at == end && *count > 0 &&
	       (uint64_t)*first + *count <= UINT32_MAX;
}

bool userns_find_range(const char *file, size_t len, const char *name, uint32_t id,
		       uint32_t *ret_first, uint32_t *ret_count)
{
	const char *end = file + len;
	char number[16];

	snprintf(number, sizeof(number), "%u", id);
	while (file < end) {
		const char *newline = memchr(file, '\n', (size_t)(end - file));
		const char *stop = newline ? newline : end;
		const char *colon = memchr(file, ':', (size_t)(stop - file));
		size_t n = colon ? (size_t)(colon - file) : 0;
		bool ours = colon && ((name && strlen(name) == n && memcmp(file, name, n) == 0) ||
				      (strlen(number) == n && memcmp(file, number, n) == 0));

		if (ours && parse_range(colon + 1, stop, ret_first, ret_count))
			return true;
		file = stop + 1;
	}
	return false;
}

/*
 * Who comes from a directory service is in no file, and musl asks none. A wrong name does no harm:
 * newuidmap(1) knows whose ranges they are.
 */
static const char *own_name(void)
{
	const struct passwd *pw = getpwuid(geteuid()); /* NOLINT(concurrency-mt-unsafe) */

	return pw ? pw->pw_name : getenv("USER"); /* NOLINT(concurrency-mt-unsafe) */
}

static bool read_range(const char *path, uint32_t *first, uint32_t *count)
{
	auto_buf struct buf text = { 0 };
	struct err e;

	if (io_read_file(AT_FDCWD, path, SUBID_MAX, path, &text, &e) < 0)
		return false;
	return userns_find_range(text.text, text.len, own_name(), geteuid(), first, count);
}

static void fill(struct arena *a, uint32_t own, bool has, uint32_t first, uint32_t count,
		 struct spec_idmaps *ret)
{
	ret->at = arena_array(a, 2, sizeof(*ret->at));
	ret->at[0] = (struct spec_idmap){ 0, own, 1 };
	ret->at[1] = (struct spec_idmap){ 1, first, count };
	ret->n = has ? 2 : 1;
}

int userns_maps(struct arena *a, struct spec_idmaps *uids, struct spec_idmaps *gids,
		struct err *e UNUSED)
{
	uint32_t uid_first = 0, uid_count = 0, gid_first = 0, gid_count = 0;
	bool has = read_range("/etc/subuid", &uid_first, &uid_count) &&
		   read_range("/etc/subgid", &gid_first, &gid_count) &&
		   access("/usr/bin/newuidmap", X_OK) == 0;

	fill(a, geteuid(), has, uid_first, uid_count, uids);
	fill(a, getegid(), has, gid_first, gid_count, gids);
	return 0;
}

/*
 * Jobs. Whoever begins one and its process say to each other over a socket:
 *
 *	process		an err: whether it is where it is to be
 *	we		a byte: the maps are written (only where there are any)
 *	process		whatever `fn` says, each thing behind an err without a code
 *	process		an err: how `fn` has ended
 */

/* Where the process goes. */
static int go_there(int pidfd, struct err *e)
{
	bool root = geteuid() == 0;

	if (pidfd >= 0) {
		/* One after the other: the first makes the second ours to ask for. */
		if (!root && setns(pidfd, CLONE_NEWUSER) < 0)
			return err_sys(e, "enter the container's user namespace");
		return setns(pidfd, CLONE_NEWNS) < 0
			       ? err_sys(e, "enter the container's mount namespace")
			       : 0;
	}
	if (unshare((root ? 0 : CLONE_NEWUSER) | CLONE_NEWNS) < 0)
		return err_sys(e, root ? "make a mount namespace" : "make a user namespace");
	if (root && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "keep mounts to itself");
	return 0;
}

_Noreturn static void child(int sock, int pidfd, userns_job_fn *fn, void *ctx)
{
	bool rootless = geteuid() != 0;
	struct err e = { 0 };
	char go = 0;

	if (go_there(pidfd, &e) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
		if (!e.code)
			err_sys(&e, "die with the parent");
	}
	if (io_write_all(sock, &e, sizeof(e)) < 0 || e.code)
		_exit(1);
	/* Also says that the parent was still there after the prctl(2). */
	if (io_read_all(sock, &go, 1) != 1)
		_exit(1);
	if (rootless && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		err_sys(&e, "become root in the user namespace");
	else if (fn(ctx, sock, &e) >= 0)
		e.code = 0;
	if (io_write_all(sock, &e, sizeof(e)) < 0)
		_exit(1);
	_exit(0);
}

static int receive(int sock, struct err *e)
{
	struct err got;

	if (io_read_all(sock, &got, sizeof(got)) != (ssize_t)sizeof(got))
		return err_set(e, ECHILD, "the helper in the user namespace died");
	got.msg[sizeof(got.msg) - 1] = '\0';
	if (got.code)
		return err_set(e, got.code, "%s", got.msg);
	return 0;
}

static int let_go(const struct userns_job *job, bool new_userns, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct spec_idmaps uids, gids;

	TRY(receive(job->sock, e));
	if (new_userns) {
		TRY(userns_maps(&a, &uids, &gids, e));
		TRY(idmap_write(job->pid, &uids, &gids, e));
	}
	if (io_write_all(job->sock, "g", 1) < 0)
		return err_set(e, ECHILD, "the helper in the user namespace died");
	return 0;
}

int userns_begin(int pidfd, userns_job_fn *fn, void *ctx, struct userns_job *ret, struct err *e)
{
	struct userns_job job = USERNS_NO_JOB;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make the helper's sockets");
	job.sock = pair[0];
	job.pid = fork();
	if (job.pid == 0) {
		close(pair[0]);
		child(pair[1], pidfd, fn, ctx);
	}
	close(pair[1]);
	r = job.pid < 0 ? err_sys(e, "make the helper in the user namespace")
			: let_go(&job, geteuid() != 0 && pidfd < 0, e);
	if (r < 0)
		userns_job_done(&job);
	else
		*ret = job;
	return r;
}

int userns_say(int sock, const void *bytes, size_t len, struct err *e)
{
	const struct err fine = { 0 };

	if (io_write_all(sock, &fine, sizeof(fine)) < 0 || io_write_all(sock, bytes, len) < 0)
		return err_set(e, ECHILD, "whom the helper works for has died");
	return 0;
}

int userns_hear(const struct userns_job *job, void *bytes, size_t len, struct err *e)
{
	TRY(receive(job->sock, e));
	if (io_read_all(job->sock, bytes, len) != (ssize_t)len)
		return err_set(e, ECHILD, "the helper in the user namespace died");
	return 0;
}

int userns_end(struct userns_job *job, struct err *e)
{
	int r = receive(job->sock, e);

	userns_job_done(job);
	return r;
}

void userns_job_done(struct userns_job *job)
{
	close_fd(&job->sock);
	while (job->pid > 0 && waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
		;
	job->pid = 0;
}

struct call {
	int (*fn)(void *ctx, struct err *e);
	void *ctx;
};

static int call(void *ctx, int sock UNUSED, struct err *e)
{
	const struct call *c = ctx;

	return c->fn(c->ctx, e);
}

int userns_run(int (*fn)(void *ctx, struct err *e), void *ctx, struct err *e)
{
	auto_userns_job struct userns_job job = USERNS_NO_JOB;
	struct call c = { fn, ctx };

	if (geteuid() == 0)
		return fn(ctx, e);
	TRY(userns_begin(-1, call, &c, &job, e));
	return userns_end(&job, e);
}
