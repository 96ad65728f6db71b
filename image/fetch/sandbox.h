/*
 * sandbox.h - hull-fetch talks to strangers over the network and parses what
 * they answer. It keeps sockets, and reading what name resolution and TLS
 * read; it gives up root's name, capabilities, new privileges, other programs, other
 * processes, sockets that lead to programs of this machine, and all of the
 * file system but those few places (Landlock, where the kernel has it).
 */
#ifndef HULL_IMAGE_FETCH_SANDBOX_H
#define HULL_IMAGE_FETCH_SANDBOX_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

int fetch_sandbox_enter(struct err *e) MUST_CHECK;

/* What it keeps from a program in it, tried: appends an object, what each attempt came to. False: one succeeded. */
bool fetch_sandbox_test(struct buf *ret);

#endif
