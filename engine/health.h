/*
 * health.h - health checks: a command that is run in the container now and
 * then, and what becomes of its exit statuses. Docker's meaning throughout.
 *
 * What is checked is part of the record; what was found is health.json in the
 * container's directory, written by whoever ran a check under flock(2) on the file health.lock.
 */
#ifndef HULL_ENGINE_HEALTH_H
#define HULL_ENGINE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/engine.h"
#include "engine/wish.h"

struct making;

enum {
	HEALTH_LOG_MAX = 5,       /* results that are kept */
	HEALTH_OUTPUT_MAX = 4096, /* bytes of each one's output */
	HEALTH_TIMED_OUT = -1,    /* its exit code then */
};

enum health_status { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct health_result {
	const char *start, *end; /* RFC 3339 */
	int32_t exit_code;
	const char *output;
};

struct health {
	struct arena arena;
	int status; /* enum health_status; HEALTH_NONE: there is no check, or it never ran */
	uint32_t failing_streak;
	uint64_t since;                 /* io_now_us() of the container's start */
	LIST(struct health_result) log; /* oldest first */
};
void health_done(struct health *h);
#define auto_health __attribute__((cleanup(health_done)))

/*
 * The check of a new container: the image's (NULL: it has none) with what the
 * options change, all defaults filled in; ret->test.n == 0: there is none. Pure.
 */
int health_plan(const struct wish *w, const struct image_healthcheck *image, struct arena *a,
		struct image_healthcheck *ret, struct err *e) MUST_CHECK;

/* "starting", "healthy", "unhealthy", "none". */
const char *health_status_name(int status);

/* Takes a result into account; strings are copied. Pure. */
void health_apply(struct health *h, const struct image_healthcheck *check,
		  const struct health_result *result, int64_t now_us);

/* Microseconds until the next check. Pure. */
int64_t health_delay(const struct image_healthcheck *check, const struct health *h, int64_t now_us);

/* What was found so far; nothing yet is HEALTH_NONE. */
int health_read(int dir, struct health *ret, struct err *e) MUST_CHECK;
/* The container starts: what was found is forgotten. */
int health_reset(int dir, struct err *e) MUST_CHECK;

/*
 * Runs the check once, in a running container, and notes the result, whose
 * exit code comes back in *ret_code. From a sealed program.
 */
int health_check(const struct engine *g, const char *who, int *ret_code, struct err *e) MUST_CHECK;

/*
 * A process of its own that checks a container as long as it runs, if it has a check; to be started just
 * before it. It ends with the caller, or by health_stop(). On return ret_fd is its pidfd, or -1.
 */
int health_start(const struct engine *g, const struct making *m, pid_t *ret_pid, int *ret_fd,
		 struct err *e) MUST_CHECK;
void health_stop(pid_t pid, int *fd);

#endif
