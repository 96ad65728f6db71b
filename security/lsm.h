/*
 * lsm.h - the label that the program runs under: AppArmor, SELinux.
 *
 * Labels are files of procfs, and a label that is written to something that
 * only looks like one protects nothing (CVE-2019-16884, CVE-2025-52881). So
 * they are written below a descriptor of a procfs that only we can mount on,
 * never below the container's /proc.
 */
#ifndef HULL_SECURITY_LSM_H
#define HULL_SECURITY_LSM_H

#include <stdbool.h>

#include "base/err.h"
#include "spec/spec.h"

struct lsm_facts {
	bool apparmor, selinux; /* enabled on this host */
};

void lsm_facts_read(struct lsm_facts *ret);

/* Pure: whether what the process asks for can be had. NULL and "" ask for nothing. */
int lsm_check(const struct spec_process *process, const struct lsm_facts *facts, struct err *e)
	MUST_CHECK;

/* The same of linux.mountLabel. */
int lsm_check_mounts(const char *label, const struct lsm_facts *facts, struct err *e) MUST_CHECK;

/*
 * What the next execve(2) of the calling thread changes to. `procfd` is the
 * root of a procfs of the thread's pid namespace. Nothing to do for NULL and "".
 */
int lsm_apparmor_apply(int procfd, const char *profile, struct err *e) MUST_CHECK;
int lsm_selinux_apply(int procfd, const char *label, struct err *e) MUST_CHECK;
/* The label of keyrings that the calling thread makes from now on; NULL: its own again. */
int lsm_selinux_keyring(int procfd, const char *label, struct err *e) MUST_CHECK;

#endif
