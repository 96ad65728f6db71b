/*
 * record.h - what is remembered about a container of the engine.
 *
 * A container's directory is made under its lock, and container.json is the
 * last thing written to it: a directory without one, and without somebody who
 * holds the lock, is what a crash left, and record_list() takes it away.
 */
#ifndef HULL_ENGINE_RECORD_H
#define HULL_ENGINE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "engine/engine.h"
#include "engine/idrange.h"
#include "spec/spec.h"

enum {
	RECORD_ID_LEN = 64, /* hexadecimal digits */
	RECORD_SHORT = 12,  /* so many of them people are shown */
	RECORD_NAME_MAX = 128,
};

enum restart_policy { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_UNLESS_STOPPED };

/* A volume that it has. */
struct record_mount {
	const char *volume, *target;
	bool readonly;
};

/* What was asked for; does not change, but for the name. */
struct record {
	struct arena arena;
	const char *id, *name;
	const char *image;    /* as it was given; "" for --rootfs */
	const char *image_id; /* digest of its configuration; NULL for --rootfs */
	const char *created;  /* RFC 3339, UTC */
	struct strings command;
	struct strings layers; /* directories for overlayfs, the uppermost first */
	const char *rootfs;    /* of --rootfs, instead */
	bool terminal, stdin_open, detached, remove, is_volatile;
	int restart; /* enum restart_policy */
	uint32_t restart_max;
	int32_t stop_signal;
	uint32_t stop_timeout; /* seconds */
	uint32_t keep_why;     /* seconds that gone.h keeps it after its removal */
	struct spec_pairs labels;
	const char *network;  /* --network, or what is usual */
	const char *hostname; /* as given; NULL: the id */
	const char *ip, *mac;
	struct strings net_aliases, dns, dns_search, dns_options, add_hosts;
	struct strings published; /* "-p" as given, and what --publish-all adds */
	struct strings exposed;   /* the ports of the image and of --expose, "80/tcp" */
	struct strings borrowed;  /* namespaces of other containers, "uts=ID" (borrowed.h) */
	struct strings sockets;   /* "--publish-socket" as given */
	struct strings volumes;   /* names of volumes that it made without a name of its own */
	LIST(struct record_mount) mounts; /* volumes, with a name of their own and without */
	const char *user;         /* as given; who exec runs as */
	struct idrange userns;    /* of --userns auto */
	const char *log_driver;   /* "json-file", "journald" or "none" */
	const char *log_tag;      /* of journald, as given; NULL: the short id */
	uint64_t log_max_size;    /* bytes, 0: no limit */
	uint32_t log_max_files;
	struct image_healthcheck
		health; /* test.n == 0: none; else without defaults to be filled in */
};

/* How it goes. */
struct status {
	struct arena arena;
	const char *started, *finished; /* NULL: not yet */
	int32_t exit_code;
	uint32_t restarts;
	const char *error; /* why it could not be started; NULL: it could */
	bool oom_killed;
	const char *lack; /* what the kernel did for lack of memory, in words; NULL: nothing */
	const char *held; /* where other limits held it back, in words; NULL: nowhere */
	const char *denied; /* what the kernel denied to its program, in words; NULL: nothing known */
	bool stopped;     /* by `stop` or `kill`: restart policies leave it alone */
	const char *checkpointed; /* when a checkpoint ended it; NULL: none did (checkpoint.h) */
	const char *restored;     /* when it went on from one; NULL: it was started */
};

void record_done(struct record *r);
void status_done(struct status *s);
#define auto_record __attribute__((cleanup(record_done)))
#define auto_status __attribute__((cleanup(status_done)))

/* 64 random digits. */
int record_new_id(char ret[RECORD_ID_LEN + 1], struct err *e) MUST_CHECK;
/* Letters, digits and "_.-", beginning with a letter or digit; at most RECORD_NAME_MAX. */
int record_check_name(const char *name, struct err *e) MUST_CHECK;

/*
 * Makes the directory, empty, with its lock held; returns its descriptor, and
 * that of the lock in *ret_lock. record_save() then makes it a container.
 */
int record_make(const struct engine *g, const char *id, int *ret_lock, struct err *e) MUST_CHECK;
/* Takes the name and writes container.json. -EEXIST: somebody has the name. */
int record_save(const struct engine *g, int dir, const struct record *r, struct err *e) MUST_CHECK;
/* Takes the directory and the names away again, `name` and that of the record; the lock is held. What rootfs it had is gone with it. */
int record_remove(const struct engine *g, const char *id, const char *name, struct err *e)
	MUST_CHECK;

/* The id of a name or of the only id that begins so, in `ret`. -ENOENT "no such container: X". */
int record_find(const struct engine *g, const char *text, char ret[RECORD_ID_LEN + 1],
		struct err *e) MUST_CHECK;
/* Opens the container's directory and reads its record. */
int record_open(const struct engine *g, const char *id, struct record *ret, struct err *e)
	MUST_CHECK;
/* The same of a directory that has others of such directories. */
int record_open_in(int parent, const char *id, struct record *ret, struct err *e) MUST_CHECK;
/* -EEXIST */
int record_rename(const struct engine *g, const char *id, const char *name, struct err *e)
	MUST_CHECK;

/* Takes away the names that lead to no container. */
int record_sweep_names(const struct engine *g, struct err *e) MUST_CHECK;

/* All ids, newest first, in *a. */
int record_list(const struct engine *g, struct arena *a, struct strings *ret, struct err *e)
	MUST_CHECK;

/* The configuration of a container, by its directory. -ENOENT: it has none yet, or no more. */
int record_read_spec(int dir, struct spec *ret, struct err *e) MUST_CHECK;

/* A status that was never written is zero. */
int status_read(int dir, struct status *ret, struct err *e) MUST_CHECK;
int status_write(int dir, const struct status *s, struct err *e) MUST_CHECK;
/*
 * For who reads it and then writes it: the keeper and `stop` do so at the same time. Returns a descriptor
 * that has the lock until it is closed.
 */
int status_lock(int dir, struct err *e) MUST_CHECK;

/* The lock: taken alone by who keeps the container. -EBUSY: somebody does. Returns a descriptor. */
int record_lock(int dir, struct err *e) MUST_CHECK;
/* Waits until nobody keeps it, at most `timeout_ms` (-1: forever); -ETIME. */
int record_wait(int dir, int timeout_ms, struct err *e) MUST_CHECK;

/* Now, as records have it. */
void record_now(char ret[48]);

#endif
