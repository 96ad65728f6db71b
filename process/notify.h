/*
 * notify.h - a container as a systemd service of Type=notify.
 *
 * When hull itself has a NOTIFY_SOCKET, the program in the container gets one
 * too, but not that one: systemd would take any pid and any order from it.
 * hull listens in between, and passes on that the program is ready:
 *
 *	create, run     notify_make_directory() makes STATE/notify; it is mounted
 *	                (NOTIFY_MOUNT_OPTIONS) on NOTIFY_TARGET in the container, and
 *	                NOTIFY_ENV is added to the program's environment
 *	start, run      notify_open() makes STATE/notify/notify.sock, before the
 *	                program is let go
 *	start, run -d   notify_relay() waits for the program's READY=1, or its end
 *	run             the relay (relay.h) attends the socket until READY=1
 *
 *	program                 hull                          systemd
 *	  READY=1, anything ->
 *	                          READY=1                  ->
 *	                          MAINPID=pid on the host  ->
 *	                          BARRIER=1 + pipe         ->   [not from the relay]
 *	                                                   <-   closes the pipe
 *
 * The barrier is there since systemd looks up who sent a message: hull must
 * not be gone before it did. All else that the program says is dropped, as
 * runc does; after READY=1 the socket is closed, and the program's further
 * messages fail with ECONNREFUSED.
 */
#ifndef HULL_PROCESS_NOTIFY_H
#define HULL_PROCESS_NOTIFY_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/err.h"

#define NOTIFY_DIRECTORY "notify"   /* in the container's state directory */
#define NOTIFY_TARGET "/run/notify" /* where that is mounted in the container */
#define NOTIFY_MOUNT_OPTIONS "bind", "nosuid", "noexec", "nodev", "ro"
#define NOTIFY_ENV "NOTIFY_SOCKET=/run/notify/notify.sock"

struct notify {
	int sock;                /* where the program writes; -1: not open (any more) */
	struct sockaddr_un host; /* our own NOTIFY_SOCKET */
	socklen_t host_len;
};

/* clang-format off */
#define NOTIFY_NONE { .sock = -1 }
/* clang-format on */

/* Makes NOTIFY_DIRECTORY in `state`, a descriptor of the state directory. Fine if it exists. */
int notify_make_directory(int state, struct err *e) MUST_CHECK;

/*
 * Listens in NOTIFY_DIRECTORY for the program; `host` is the value of our own
 * NOTIFY_SOCKET ("/path" or "@abstract"). -ENOENT: the container was created
 * without notify_make_directory().
 */
int notify_open(int state, const char *host, struct notify *ret, struct err *e) MUST_CHECK;

/*
 * Takes the messages that are there. 1 when READY=1 was among them: it was
 * passed on, with `main` as the service's main process, and the socket closed.
 * 0: not yet.
 */
int notify_take(struct notify *n, pid_t main, struct err *e) MUST_CHECK;

/*
 * Waits until the program is ready and systemd knows, or until the process of
 * `pidfd` ended, which is no error here. Returns at once if `n` is not open.
 */
int notify_relay(struct notify *n, pid_t main, int pidfd, struct err *e) MUST_CHECK;

void notify_close(struct notify *n);

#define auto_notify __attribute__((cleanup(notify_close)))

#endif
