/*
 * signals.h - which signals a foreground command takes, and passes on.
 */
#ifndef HULL_PROCESS_SIGNALS_H
#define HULL_PROCESS_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Whether a signal for hull is meant for the program that it waits for. Not
 * those that tell about hull's own children, terminal and sockets.
 */
bool signal_is_forwarded(int sig);

/*
 * What has to be blocked and read from a signalfd to that end: the forwarded
 * ones and those that the relay handles itself (SIGCHLD, SIGWINCH, SIGPIPE). A
 * SIGHUP that is ignored stays so, as nohup(1) asked. Job control of hull's
 * own terminal (SIGTTIN, SIGTTOU) keeps working as in any program.
 */
void signals_taken(sigset_t *ret);

#endif
