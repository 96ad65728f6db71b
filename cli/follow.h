/*
 * follow.h - to be attached to a container that another process keeps: what `run` and `attach` share.
 */
#ifndef HULL_CLI_FOLLOW_H
#define HULL_CLI_FOLLOW_H

#include "engine/containers.h"

/* As the options have it; --sig-proxy is -1 unless given. */
struct follow_values {
	struct strings attach;
	const char *detach_keys;
	int sig_proxy;
};

/* Whom signals are handed on to. */
struct follow_target {
	const struct engine *g;
	const char *id;
};

/*
 * From the options to attach.h's wish; without --attach all streams are ours, standard input only if
 * it is open (`interactive`). Signals go to `target`, unless --sig-proxy=false. Its values are checked.
 */
int follow_plan(const struct follow_values *v, bool terminal, bool interactive,
		struct follow_target *target, struct attach_wish *ret, struct err *e) MUST_CHECK;

#endif
