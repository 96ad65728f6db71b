/*
 * wish.h - what a person asked of a container: the options of `run` and
 * `create`, and the notations of their values, Docker's. Pure.
 */
#ifndef HULL_ENGINE_WISH_H
#define HULL_ENGINE_WISH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "base/opt.h"
#include "engine/record.h"
#include "spec/spec.h"

/* As the options have it: strings as they were typed, NULL, zero or empty where nothing was. */
struct wish {
	const char *image;
	struct strings args;
	const char *name, *hostname, *workdir, *user, *entrypoint;
	struct strings env, env_files, unset_env, labels, label_files, annotations;
	bool env_host, unset_env_all;
	struct strings volumes, mounts, tmpfs, volumes_from;
	bool read_only_tmpfs;
	const char *umask, *timezone;
	struct opt_i64 memory, memory_swap, memory_reservation;
	const char *cpus, *cpuset_cpus, *cpuset_mems;
	struct opt_u64 cpu_shares, cpu_quota, cpu_period;
	struct opt_i64 pids_limit, shm_size;
	struct opt_i64 oom_score_adj;
	struct strings devices, device_rules, cap_add, cap_drop, security_opt, ulimits, sysctls,
		group_add;
	bool privileged, read_only, init, remove, detach, interactive, terminal, rootfs;
	bool followed; /* kept as one that is detached, while whoever started it is attached to it */
	const char *userns, *pid, *ipc, *uts, *cgroupns;
	struct strings networks;
	struct strings published, exposed;
	bool publish_all;
	struct strings sockets, dns, dns_search, dns_options, add_host, network_alias;
	const char *ip, *ip6, *mac;
	const char *stop_signal, *restart, *log_driver, *pull, *platform, *isolation, *cid_file;
	struct strings log_opt;
	struct opt_u64 stop_timeout;
	const char *health_cmd;
	const char *listener; /* who is asked about system calls (recording.h); NULL: nobody */
	int64_t keep_why;     /* us */
	int64_t health_interval, health_timeout, health_start_period,
		health_start_interval; /* us */
	struct opt_u64 health_retries;
	bool no_healthcheck;
	void (*tell)(const char *digest, uint64_t done, uint64_t size, void *ctx); /* of a pull; NULL */
	void *tell_ctx;
	bool quiet;
	int tls_verify; /* -1: unless it says otherwise, as 1 */
};

/* "nofile=1024[:2048]"; -1 is no limit. */
int wish_ulimit(const char *text, struct spec_rlimit *ret, struct err *e) MUST_CHECK;

struct device_wish {
	const char *source, *target, *access; /* "/dev/fuse", "/dev/fuse", "rwm" */
};
/* "SOURCE[:TARGET][:ACCESS]" */
int wish_device(const char *text, struct arena *a, struct device_wish *ret, struct err *e)
	MUST_CHECK;

/* "1.5" processors: microseconds of each 100 ms. */
int wish_cpus(const char *text, int64_t *ret_quota, uint64_t *ret_period, struct err *e) MUST_CHECK;

/* "0027"; NULL leaves it unset. */
int wish_umask(const char *text, struct opt_u32 *ret, struct err *e) MUST_CHECK;

/* "no", "always", "unless-stopped", "on-failure[:TIMES]". */
int wish_restart(const char *text, int *ret_policy, uint32_t *ret_max, struct err *e) MUST_CHECK;

/* "KEY=VALUE" or "KEY" (""); `option` is what messages call it. */
int wish_pair(const char *option, const char *text, struct arena *a, struct spec_pair *ret,
	      struct err *e) MUST_CHECK;

/* Which devices may be used and made: linux.resources.devices. */
struct device_rule {
	char type;            /* 'a', 'b' or 'c' */
	int64_t major, minor; /* -1: all */
	const char *access;
};
/* "c 1:3 rwm"; numbers may be "*". */
int wish_device_rule(const char *text, struct arena *a, struct device_rule *ret, struct err *e)
	MUST_CHECK;

/*
 * The lines of a file of variables or labels: "NAME=VALUE", "NAME", "# remark". Added to *ret, which
 * has room; `option` is what messages call it.
 */
int wish_env_file(const char *option, const char *name, const char *text, size_t len,
		  struct arena *a, struct strings *ret, struct err *e) MUST_CHECK;
/* Lines that such a text has at most. */
size_t wish_env_file_lines(const char *text, size_t len);

/* The capabilities: the default, or all of them, more and less; in *a. */
int wish_capabilities(const struct wish *w, struct arena *a, struct strings *ret, struct err *e)
	MUST_CHECK;

/* What --security-opt says. */
struct security_wish {
	bool no_new_privileges;
	bool no_seccomp;
	const char *seccomp_file; /* NULL: our own profile */
	const char *apparmor;     /* NULL: none */
	bool unmask;
};
int wish_security(const struct wish *w, struct security_wish *ret, struct err *e) MUST_CHECK;

/* What --log-driver and --log-opt say. */
struct log_wish {
	const char *driver; /* "json-file", "journald" or "none" */
	uint64_t max_size;
	uint32_t max_files;
	const char *tag;
};
int wish_log(const struct wish *w, struct log_wish *ret, struct err *e) MUST_CHECK;

/* The words of an option that is a command: one, with blanks and all, as Docker, unless it is a JSON array. */
int wish_words(const char *option, const char *text, struct arena *a, struct strings *ret,
	       struct err *e)
	MUST_CHECK;

#endif
