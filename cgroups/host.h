/*
 * host.h - what this host's cgroup v2 hierarchy is like.
 *
 *	auto_cgroup_host struct cgroup_host host = CGROUP_HOST_NONE;
 *
 *	TRY(cgroup_host_open(cgroup_wants(spec), &host, e));
 *
 * hull uses cgroup v2 only. A host may have all controllers there (unified),
 * or share them with v1 (hybrid), where v2 has what v1 left over. Everything
 * else in cgroups/ works below `fd` and never by a path from the root.
 */
#ifndef HULL_CGROUPS_HOST_H
#define HULL_CGROUPS_HOST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum cgroup_mode { CGROUP_NONE, CGROUP_HYBRID, CGROUP_UNIFIED };

/* Facts that cost system calls and that not every container needs. */
enum cgroup_want {
	CGROUP_WANT_CONTROLLERS = 1 << 0, /* `controllers`, and `v1` on a hybrid host */
	CGROUP_WANT_OWN = 1 << 1,         /* `own`, if the caller is rootless */
	CGROUP_WANT_SYSTEMD = 1 << 2,     /* `systemd` and `manager`, or an error: it is to do it */
};

struct cgroup_host {
	enum cgroup_mode mode;
	int fd;                 /* the root of the v2 hierarchy (O_PATH); -1: CGROUP_NONE */
	const char *place;      /* where that is mounted, for who has another mount namespace */
	bool rootless;          /* not the host's root: owns at most a delegated part */
	char controllers[512];  /* words: what v2 can hand out, "cpuset cpu io memory" */
	char v1[512];           /* words: what v1 holds */
	char own[PATH_MAX];     /* the caller's own cgroup below `fd`; "": not known */
	bool systemd;           /* the cgroup driver is systemd */
	bool user;              /* ... of the user's own, whether it is asked or not */
	char manager[PATH_MAX]; /* ... whose units are below this cgroup; "": the root */
};

#define CGROUP_HOST_NONE \
	{                \
		.fd = -1 \
	}

/* Finds the hierarchy; `want` is a set of enum cgroup_want. CGROUP_NONE is no failure. */
int cgroup_host_open(unsigned want, struct cgroup_host *ret, struct err *e) MUST_CHECK;
void cgroup_host_close(struct cgroup_host *host);

/*
 * Reads a /proc/PID/cgroup: the v2 path goes to `own`, the controllers of v1
 * to `v1`. A path outside of the caller's cgroup namespace counts as unknown.
 */
void cgroup_host_parse(const char *text, struct cgroup_host *ret);

/* The cgroup of a process, "/a/b", or -ENOENT if it is not to be seen from here. */
int cgroup_of_pid(pid_t pid, char *path, size_t size) MUST_CHECK;

/* A path as the hierarchy knows it ("/a/b") as one to use with `fd` ("a/b"). */
const char *cgroup_below_mount(const char *path);

/* Is `word` one of the words of this list? */
bool cgroup_has_word(const char *words, const char *word);

#define auto_cgroup_host __attribute__((cleanup(cgroup_host_close)))

#endif
