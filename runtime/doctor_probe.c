/*
 * doctor_probe.c - what only trying tells. Each attempt is a process of its
 * own in namespaces of its own, so that all it makes ends with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "runtime/doctor.h"

/* What a container's process is put into, beside a user namespace. */
enum {
	CONTAINER_NAMESPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS |
			       CLONE_NEWIPC | CLONE_NEWCGROUP,
	TRY_SECONDS = 10,
};

/* In the child; 0 or an errno. */
typedef int attempt(void);

/* The attempt's result, as an exit status. Not tried (-1) only if it did not end by itself. */
static int try(attempt *what, int *ret, struct err *e)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return err_sys(e, "fork to try what the host can do");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(TRY_SECONDS);
		_exit(what());
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for the process that tries what the host can do");
	*ret = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return 0;
}

static int map_one(const char *file, unsigned id)
{
	char line[32];
	int r;

	snprintf(line, sizeof(line), "0 %u 1", id);
	r = io_write_value(AT_FDCWD, file, line);
	return r < 0 ? -r : 0;
}

/* A user namespace in which we are root. */
static int enter_user_namespace(void)
{
	const unsigned uid = geteuid(), gid = getegid();
	int r;

	if (unshare(CLONE_NEWUSER) < 0)
		return errno;
	r = io_write_value(AT_FDCWD, "/proc/self/setgroups", "deny");
	if (r < 0)
		return -r;
	r = map_one("/proc/self/uid_map", uid);
	return r ? r : map_one("/proc/self/gid_map", gid);
}

static int enter_mount_namespace(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	return 0;
}

/* Rootless, everything happens in a user namespace. */
static int enter_caller(void)
{
	return geteuid() == 0 ? 0 : enter_user_namespace();
}

/* AppArmor may let it be made and then take its capabilities: so use one. */
static int try_user_namespace(void)
{
	int r = enter_user_namespace();

	return r ? r : enter_mount_namespace();
}

static int try_namespaces(void)
{
	int r = enter_caller();

	if (r)
		return r;
	return unshare(CONTAINER_NAMESPACES) < 0 ? errno : 0;
}

static int try_overlay(void)
{
	int r = enter_caller();

	if (r == 0)
		r = enter_mount_namespace();
	if (r)
		return r;
	if (mount("tmpfs", "/tmp", "tmpfs", 0, NULL) < 0 || chdir("/tmp") < 0 ||
	    mkdir("lower", 0700) < 0 || mkdir("upper", 0700) < 0 || mkdir("work", 0700) < 0 ||
	    mkdir("merged", 0700) < 0 ||
	    mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work") <
		    0)
		return errno;
	return 0;
}

/* A child in a user namespace of its own, whose map the mount will have. */
static pid_t start_mapped(int *ret_namespace)
{
	int ready[2];
	char path[48], answer = 1;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer = (char)enter_user_namespace();
		if (write(ready[1], &answer, 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (pid > 0 && read(ready[0], &answer, 1) == 1 && answer == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
		*ret_namespace = open(path, O_RDONLY | O_CLOEXEC);
	}
	close(ready[0]);
	return pid;
}

static int try_idmapped(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	int namespace = -1, tree, r = 0;
	pid_t pid = start_mapped(&namespace);

	if (pid < 0 || namespace < 0)
		return EPERM;
	attr.userns_fd = (unsigned)namespace;
	tree = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		r = errno;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return r;
}

int doctor_probe(struct doctor_probes *ret, struct err *e)
{
	struct doctor_probes probes = DOCTOR_NOT_PROBED;

	TRY(try(try_user_namespace, &probes.user_namespace, e));
	TRY(try(try_namespaces, &probes.namespaces, e));
	TRY(try(try_overlay, &probes.overlay, e));
	if (geteuid() == 0)
		TRY(try(try_idmapped, &probes.idmapped, e));
	*ret = probes;
	return 0;
}
