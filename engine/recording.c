#include "engine/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/helper.h"
#include "base/io.h"
#include "network/daemon.h"
#include "runtime/store.h"

enum { BACKLOG = 16, NAMES_MAX = 64 * 1024 };

/* No name of a container's has a colon. */
static const char prefix[] = ".record:", file[] = "socket";

/* By descriptor: an address has room for 107 bytes of path only. */
static int open_listener(int dir, struct err *e)
{
	auto_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (sock < 0)
		return err_sys(e, "make a socket");
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", io_fd_path(dir).text, file);
	if (bind(sock, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(sock, BACKLOG) < 0)
		return err_sys(e, "listen for what is recorded");
	return take_fd(&sock);
}

/* The path of the socket, by which containers' filters find it, is that of no link. */
static int make_place(const struct runtime *rt, struct arena *a, struct recording *r, struct err *e)
{
	auto_free char *real = NULL;

	r->root = store_open_root(rt->root, true, e);
	TRY(r->root);
	scratch_sweep(r->root, prefix);
	TRY(scratch_make(r->root, prefix, &r->place, e));
	real = realpath(rt->root, NULL);
	if (!real)
		return err_sys(e, "find the state directory %s", rt->root);
	r->listener = arena_printf(a, "%s/%s/%s", real, r->place.name, file);
	return 0;
}

static int start(struct recording *r, int listener, int until, int names, struct err *e)
{
	static const char *const argv[] = { "hull-record", NULL };
	const int fds[] = { listener, until, names };
	auto_daemon struct daemon d = DAEMON_NONE;
	struct helper_path path;

	TRY(helper_find(argv[0], &path, e));
	/* Its copies of our ends would keep it from their end. */
	fcntl(r->until, F_SETFD, FD_CLOEXEC);
	TRY(daemon_prepare(path.text, argv, fds, ARRAY_LEN(fds), &d, e));
	return daemon_go(&d, e);
}

int recording_begin(const struct runtime *rt, struct arena *a, struct recording *ret, struct err *e)
{
	auto_fd int listener = -1, until = -1, names = -1;
	int ends[2];

	TRY(make_place(rt, a, ret, e));
	listener = open_listener(ret->place.dir, e);
	TRY(listener);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	until = ends[0];
	ret->until = ends[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	ret->names = ends[0];
	names = ends[1];
	return start(ret, listener, until, names, e);
}

/* Each line a name, or "?" and the number of what has none; the last one ".". */
static int read_names(struct recording *r, struct arena *a, struct strings *ret, struct err *e)
{
	char *text = arena_alloc(a, NAMES_MAX + 1);
	ssize_t n;
	size_t lines = 0;
	char *at;

	close_fd(&r->until);
	n = io_read_all(r->names, text, NAMES_MAX);
	if (n < 2 || strncmp(text + n - 2, ".\n", 2) != 0)
		return err_set(e, ECHILD, "hull-record died: what the container did is not known");
	text[n - 2] = '\0';
	for (at = text; (at = strchr(at, '\n')); at++)
		lines++;
	ret->at = arena_array(a, lines + 1, sizeof(*ret->at));
	ret->n = 0;
	for (at = strtok_r(text, "\n", &text); at; at = strtok_r(NULL, "\n", &text))
		ret->at[ret->n++] = at;
	return 0;
}

int recording_end(struct recording *r, struct arena *a, struct strings *ret, struct err *e)
{
	TRY(read_names(r, a, ret, e));
	if (!ret->n)
		return err_set(e, ENODATA,
			       "the container made no system call, so there is no profile");
	for (size_t i = 0; i < ret->n; i++)
		if (ret->at[i][0] == '?')
			return err_set(
				e, ENOSYS,
				"the container made the system call %s, for which libseccomp "
				"has no name: so there is no profile",
				ret->at[i] + 1);
	return 0;
}

void recording_done(struct recording *r)
{
	close_fd(&r->until);
	close_fd(&r->names);
	scratch_done(&r->place);
	close_fd(&r->root);
}
