#include "runtime/exec_request.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "base/json.h"
#include "process/console_socket.h"
#include "process/environment.h"
#include "process/pidfd_socket.h"
#include "process/user.h"

static int set_user(const struct exec_request *req, struct spec_user *user, struct err *e)
{
	bool has_gid;
	uint32_t uid, gid;

	if (req->groups.n) {
		user->additional_gids.at = (uint32_t *)req->groups.at;
		user->additional_gids.n = req->groups.n;
	}
	if (!req->user)
		return 0;
	if (user_parse(req->user, &uid, &gid, &has_gid, e) < 0)
		return err_wrap(e, "--user");
	user->uid = uid;
	if (has_gid)
		user->gid = gid;
	return 0;
}

/* The container's process, with what the command line changes. */
static int from_options(const struct exec_request *req, const struct spec *s, struct arena *a,
			struct spec_process *p, struct err *e)
{
	if (!s->process)
		return err_set(e, EINVAL,
			       "the container's config.json has no process: exec needs --process");
	if (req->args.n == 0)
		return err_set(e, EINVAL, "exec: there is no command");
	*p = *s->process;
	p->args = req->args;
	p->env = environment_make(&p->env, &req->env, a);
	p->terminal = req->terminal;
	if (req->cwd)
		p->cwd = req->cwd;
	if (req->apparmor)
		p->apparmor_profile = req->apparmor;
	if (req->selinux_label)
		p->selinux_label = req->selinux_label;
	if (req->no_new_privs >= 0)
		p->no_new_privileges = req->no_new_privs;
	return set_user(req, &p->user, e);
}

int exec_request_process(const struct exec_request *req, const struct spec *s, struct arena *a,
			 struct buf *text, struct spec_process *ret, struct err *e)
{
	const char *path = req->process_file;

	if (!path)
		return from_options(req, s, a, ret, e);
	TRY(io_read_file(AT_FDCWD, path, JSON_MAX_SIZE, path, text, e));
	return spec_parse_process(ret, a, path, text->text, text->len, e);
}

int exec_request_cgroup(const struct exec_request *req, const char **ret, struct err *e)
{
	const char *path, *colon;

	*ret = NULL;
	if (!req->cgroups.n)
		return 0;
	path = req->cgroups.at[0];
	if (req->cgroups.n > 1)
		return err_set(e, EINVAL,
			       "--cgroup %s: in cgroup v2 a process is in one place only",
			       json_quote(req->cgroups.at[1]).text);
	colon = strchr(path, ':');
	if (colon && colon > path)
		return err_set(e, EINVAL,
			       "--cgroup %s: in cgroup v2 controllers have no paths of their own",
			       json_quote(path).text);
	if (colon)
		path++;
	*ret = path + strspn(path, "/");
	return 0;
}

int exec_request_check(const struct exec_request *req, const struct spec_process *p, struct err *e)
{
	if (p->cwd[0] != '/')
		return err_set(e, EINVAL, "--cwd: \"%s\" is not an absolute path", p->cwd);
	if (p->terminal && req->detach && !req->console_socket)
		return err_set(e, EINVAL,
			       "a terminal for a detached process needs --console-socket");
	if (!p->terminal && req->console_socket)
		return err_set(e, EINVAL, "--console-socket: the process asks for no terminal");
	if (req->pidfd_socket)
		TRY(pidfd_socket_check(req->pidfd_socket, e));
	return req->console_socket ? console_socket_check(req->console_socket, e) : 0;
}
