#include "engine/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static bool read_range(const char *path, uint32_t *first, uint32_t *count)
{
	const struct passwd *pw = getpwuid(geteuid()); /* NOLINT(concurrency-mt-unsafe) */
	auto_buf struct buf text = { 0 };
	struct err e;

	if (io_read_file(AT_FDCWD, path, SUBID_MAX, path, &text, &e) < 0)
		return false;
	return userns_find_range(text.text, text.len, pw ? pw->pw_name : NULL, geteuid(), first,
				 count);
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

/* The child's side: it says that it is in its namespace, waits for the maps, and works. */
_Noreturn static void child(int sock, int (*fn)(void *ctx, struct err *e), void *ctx)
{
	struct err e = { 0 };
	char go = 0;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		err_sys(&e, "make a user namespace");
	if (io_write_all(sock, &e, sizeof(e)) < 0 || e.code)
		_exit(1);
	if (io_read_all(sock, &go, 1) != 1)
		_exit(1);
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		err_sys(&e, "become root in the user namespace");
	else if (fn(ctx, &e) >= 0)
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

static int attend(int sock, pid_t pid, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct spec_idmaps uids, gids;

	TRY(receive(sock, e));
	TRY(userns_maps(&a, &uids, &gids, e));
	TRY(idmap_write(pid, &uids, &gids, e));
	if (io_write_all(sock, "g", 1) < 0)
		return err_set(e, ECHILD, "the helper in the user namespace died");
	return receive(sock, e);
}

int userns_run(int (*fn)(void *ctx, struct err *e), void *ctx, struct err *e)
{
	int pair[2], r;
	pid_t pid;

	if (geteuid() == 0)
		return fn(ctx, e);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make the helper's sockets");
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		child(pair[1], fn, ctx);
	}
	close(pair[1]);
	r = pid < 0 ? err_sys(e, "make the helper in the user namespace") : attend(pair[0], pid, e);
	close(pair[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}
