/*
 * seccomp.h - linux.seccomp as a BPF program, and loading it.
 *
 * The parent compiles (some milliseconds for an engine's default profile); the
 * child only loads. The profile means what it means to runc, down to the
 * ENOSYS for system calls that are newer than the profile.
 *
 * A filter with SCMP_ACT_NOTIFY gives a descriptor that must reach the
 * listener while the filter is in force already. The child may use write(2)
 * for that, which is why that one can't be notified of.
 */
#ifndef HULL_SECURITY_SECCOMP_H
#define HULL_SECURITY_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

struct seccomp_filter {
	struct sock_filter *at; /* NULL: none */
	size_t n;
	unsigned flags; /* SECCOMP_FILTER_FLAG_* */
	bool notify;    /* the listener at spec_seccomp.listener_path is to get a descriptor */
};

/* Does a rule ask somebody else (SCMP_ACT_NOTIFY)? NULL is no profile. */
bool seccomp_notifies(const struct spec_seccomp *profile);

int seccomp_filter_compile(const struct spec_seccomp *profile, struct arena *a,
			   struct seccomp_filter *ret, struct err *e) MUST_CHECK;

/*
 * Puts the calling thread under the filter; needs no_new_privs or an effective
 * CAP_SYS_ADMIN. *ret_notify_fd is -1 unless the filter notifies.
 */
int seccomp_filter_load(const struct seccomp_filter *filter, int *ret_notify_fd, struct err *e)
	MUST_CHECK;

/* Does this kernel take the flag, one of SECCOMP_FILTER_FLAG_*? */
bool seccomp_flag_works(unsigned flag);

#endif
