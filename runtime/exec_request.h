/*
 * exec_request.h - which process an exec asks for, whatever the container is made of.
 */
#ifndef HULL_RUNTIME_EXEC_REQUEST_H
#define HULL_RUNTIME_EXEC_REQUEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "runtime/container.h"
#include "spec/spec.h"

/*
 * The process of --process, whose document is then appended to *text, or that
 * of the container `s` with what the command line changes. *ret points into
 * `a`, `s` and the request.
 */
int exec_request_process(const struct exec_request *req, const struct spec *s, struct arena *a,
			 struct buf *text, struct spec_process *ret, struct err *e) MUST_CHECK;

/*
 * Where below the container's cgroup --cgroup puts the process: "" is that itself, NULL is for hull
 * to choose. As runc has it, "PATH" and ":PATH" are the same: cgroup v2 has no controllers' paths.
 */
int exec_request_cgroup(const struct exec_request *req, const char **ret, struct err *e) MUST_CHECK;

/* That the process and the options about its terminal and directory fit together. */
int exec_request_check(const struct exec_request *req, const struct spec_process *p, struct err *e)
	MUST_CHECK;

#endif
