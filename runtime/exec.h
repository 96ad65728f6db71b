/* exec.h - the verb exec of containers that are processes. */
#ifndef HULL_RUNTIME_EXEC_H
#define HULL_RUNTIME_EXEC_H

#include "runtime/handle.h"

int exec_process(struct handle *h, const struct exec_request *req, int *ret_status, struct err *e)
	MUST_CHECK;

#endif
