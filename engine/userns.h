/*
 * userns.h - the user namespace in which somebody who is not root has a
 * container's files: their own id is its root, and the ranges of
 * /etc/subuid and /etc/subgid come behind it.
 */
#ifndef HULL_ENGINE_USERNS_H
#define HULL_ENGINE_USERNS_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

/*
 * The maps, in *a. Without a range of their own in both files, or without
 * newuidmap(1), a person has but the one id.
 */
int userns_maps(struct arena *a, struct spec_idmaps *uids, struct spec_idmaps *gids, struct err *e)
	MUST_CHECK;

/* Pure: the first range of `file` for this user; false without one. "name:first:count" lines. */
bool userns_find_range(const char *file, size_t len, const char *name, uint32_t id,
		       uint32_t *ret_first, uint32_t *ret_count);

/*
 * Calls `fn` in a child that is root in such a namespace, with a mount
 * namespace of its own, and hands on how it ended. For root it is a plain call.
 */
int userns_run(int (*fn)(void *ctx, struct err *e), void *ctx, struct err *e) MUST_CHECK;

/*
 * The same for a longer job, beside which the caller goes on; root has a
 * process for it too, with a mount namespace of its own. `pidfd` is that of a
 * process whose user and mount namespaces are joined instead, -1: none; then
 * no path means anything any more, and nothing may be executed.
 */
typedef int userns_job_fn(void *ctx, int sock, struct err *e);
struct userns_job {
	int sock;
	pid_t pid;
};
/* clang-format off */
#define USERNS_NO_JOB { .sock = -1 }
/* clang-format on */
int userns_begin(int pidfd, userns_job_fn *fn, void *ctx, struct userns_job *ret, struct err *e)
	MUST_CHECK;
/* In the job: says something that the other side waits for by userns_hear(). */
int userns_say(int sock, const void *bytes, size_t len, struct err *e) MUST_CHECK;
/* Fails as the job has, if it ended before that. Answers are written to `sock`. */
int userns_hear(const struct userns_job *job, void *bytes, size_t len, struct err *e) MUST_CHECK;
/* Waits for its end, and says how `fn` has ended. */
int userns_end(struct userns_job *job, struct err *e) MUST_CHECK;
void userns_job_done(struct userns_job *job);
#define auto_userns_job __attribute__((cleanup(userns_job_done)))

#endif
