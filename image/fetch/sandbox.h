/*
 * sandbox.h - hull-fetch talks to strangers over the network and parses what
 * they answer. It keeps sockets, and reading what name resolution and TLS
 * read; it gives up capabilities, new privileges, other programs, other
 * processes, and all of the file system but those few places (Landlock, where
 * the kernel has it).
 */
#ifndef HULL_IMAGE_FETCH_SANDBOX_H
#define HULL_IMAGE_FETCH_SANDBOX_H

#include "base/err.h"

/* `ca` is a further file to read, NULL: none. */
int fetch_sandbox_enter(const char *ca, struct err *e) MUST_CHECK;

#endif
