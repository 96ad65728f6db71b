/*
 * config.h - the OCI configuration of a container of the engine: what the
 * image says, what was asked for, and our defaults, as config.json. Pure.
 */
#ifndef HULL_ENGINE_CONFIG_H
#define HULL_ENGINE_CONFIG_H

#include "base/buf.h"
#include "engine/wish.h"
#include "image/config_bundle.h"
#include "image/passwd.h"

/* Where --init has its program: in a tmpfs of the container's own. */
#define CONFIG_INIT "/dev/hull-init"

/* A mount whose source is known: a bind of a path, or a tmpfs. */
struct config_mount {
	const char *source; /* NULL: a tmpfs */
	const char *target;
	bool readonly, recursive;
	bool is_shallow;        /* read-only is it alone, not what is mounted below it */
	struct strings options; /* instead of our own choice */
};

/* A device whose numbers were looked up. */
struct config_device {
	const char *path;
	int type; /* 'b' or 'c' */
	uint32_t major, minor, mode, uid, gid;
	const char *access;
};

struct config_facts {
	const struct wish *wish;
	const struct bundle *bundle; /* of the image */
	const struct passwd_user *user;
	struct strings capabilities;
	struct security_wish security;
	const char *seccomp;  /* JSON of linux.seccomp, NULL: none */
	const char *hostname; /* NULL: the host's */
	LIST(struct config_mount) mounts;
	LIST(struct config_device) devices;
	LIST(struct device_rule) device_rules;
	struct opt_u32 umask;
	LIST(struct spec_rlimit) rlimits;
	struct spec_pairs sysctl;
	struct spec_idmaps uids, gids; /* empty: no user namespace */
	const char *cgroups_path;      /* NULL: the runtime's choice */
	const char *netns;             /* path to join; "": the host's; NULL: a new one */
	const char *pidns, *ipcns, *utsns;
	const char *userns; /* with `uids`: path to join; NULL: a new one */
	bool cgroupns_host;
	bool init;      /* CONFIG_INIT is mounted, and runs the program */
	bool binds_sys; /* sysfs can't be mounted: the network namespace is not ours */
};

/* Appends it. -EINVAL where values make no sense together. */
int config_write(const struct config_facts *f, struct buf *ret, struct err *e) MUST_CHECK;

struct seccomp_choice {
	const char *listener;       /* who is asked about each call that is let through; NULL: nobody */
	const struct strings *only; /* calls besides which none is let through; NULL: all may be */
	bool vsock;                /* sockets of AF_VSOCK: only of a microVM's own kernel, where they lead to us */
};

/* Our own seccomp profile for a container with these capabilities, as JSON. */
void seccomp_default_write(const struct strings *capabilities, const struct seccomp_choice *choice,
			   struct buf *ret);

#endif
