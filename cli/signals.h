/*
 * signals.h - signals by the names that people and engines use.
 */
#ifndef HULL_CLI_SIGNALS_H
#define HULL_CLI_SIGNALS_H

#include "base/err.h"

/* "KILL", "SIGKILL", "kill", "9", "RTMIN+3", "RTMAX-1"; 0 only asks whether it could be sent. */
int signal_parse(const char *text, int *ret, struct err *e) MUST_CHECK;

#endif
