/* pidfd.h - what musl does not declare; as pidfd_open(2) and its neighbours. */
#ifndef HULL_COMPAT_SYS_PIDFD_H
#define HULL_COMPAT_SYS_PIDFD_H

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h> /* P_PIDFD */

int pidfd_open(pid_t pid, unsigned flags);
int pidfd_getfd(int pidfd, int fd, unsigned flags);
int pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags);

#endif
