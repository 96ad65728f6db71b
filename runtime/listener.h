/*
 * listener.h - the seccomp descriptor of a filter with SCMP_ACT_NOTIFY, on its
 * way to the agent at linux.seccomp.listenerPath.
 *
 *	process                          hull                      agent
 *	  seccomp(2): the filter holds
 *	  LISTENER + number, write(2) ->
 *	                                   pidfd_getfd(2)
 *	                                   process state,
 *	                                   seccompFd           ->
 *	  read(2)                     <- GO
 *	  execve(2): end of file      ->
 *
 * The process is under its filter already and may make no other call for
 * this: rules_seccomp.c refuses a profile that makes write(2) wait for the
 * agent, and from then on the agent is there to answer.
 */
#ifndef HULL_RUNTIME_LISTENER_H
#define HULL_RUNTIME_LISTENER_H

#include "runtime/handshake.h"
#include "runtime/state.h"
#include "spec/spec.h"

struct buf;

/* Whether the agent's socket is one, to be asked before there is anything to undo. */
int listener_check(const struct spec_seccomp *seccomp, struct err *e) MUST_CHECK;

/* The container process state of config-linux.md, for the process `pid`; compact. */
void listener_encode(const struct spec_seccomp *seccomp, const struct state *state, pid_t pid,
		     struct buf *ret);

/* The process's side: hands `listener` over and waits until the agent has it. */
int listener_offer(int sock, int listener, struct err *e) MUST_CHECK;

/* Ours: takes it from the process of `pidfd` and sends it to seccomp->listener_path. */
int listener_pass_on(int sock, const struct spec_seccomp *seccomp, const struct state *state,
		     pid_t pid, int pidfd, struct err *e) MUST_CHECK;

#endif
