/*
 * hooks.h - the programs that the configuration wants run along the way
 * (config.md, "POSIX-platform Hooks"; runtime.md, "Lifecycle").
 *
 * Each gets the container's state as JSON on standard input and the
 * environment of its own entry, nothing of ours.
 */
#ifndef HULL_RUNTIME_HOOKS_H
#define HULL_RUNTIME_HOOKS_H

#include "runtime/state.h"
#include "spec/spec.h"

/* Runs the hooks of one kind in order; stops at the first that fails. */
int hooks_run(const struct spec *s, enum spec_hook_kind kind, const struct state *state,
	      struct err *e) MUST_CHECK;

/* The same, where a failure is only worth a warning (poststop; runtime.md says so). */
void hooks_run_all(const struct spec *s, enum spec_hook_kind kind, const struct state *state);

#endif
