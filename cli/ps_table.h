/*
 * ps_table.h - the output of ps(1), cut down to some processes.
 */
#ifndef HULL_CLI_PS_TABLE_H
#define HULL_CLI_PS_TABLE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "runtime/container.h"

/* Adds the heading of `text` and the lines whose PID column holds one of `pids`. */
int ps_table_filter(const char *text, const struct pid_list *pids, struct buf *ret, struct err *e)
	MUST_CHECK;

/* What `ps` and `top` print of a container, with those options for ps; `json`: its pids alone. */
int ps_show(const struct runtime *rt, const char *id, const struct strings *options, bool json,
	    struct err *e) MUST_CHECK;

/* Runs ps with these options, -ef without any, and filters what it prints. */
int ps_table(const struct strings *options, const struct pid_list *pids, struct buf *ret,
	     struct err *e) MUST_CHECK;

#endif
