/*
 * caps.h - capabilities(7): which the program gets, and how it comes to have just those.
 *
 * The parent plans, the child applies around its change of user:
 *
 *	caps_bounding_apply   while it still has CAP_SETPCAP
 *	caps_keep(true)       so that leaving uid 0 does not empty the permitted set
 *	user_apply            setgroups, setgid, setuid
 *	caps_keep(false)
 *	caps_apply            the five sets; `extra` stays permitted, not effective
 *	caps_raise            what loading a seccomp filter without no_new_privs needs
 *	caps_drop_extra       the sets exactly as planned: one capset(2)
 *
 * The last two are for those who gave an `extra`. What was asked for and can't
 * be granted is left out and remembered, never a failure (config.md: "SHOULD
 * NOT fail", "MUST be logged as a warning").
 */
#ifndef HULL_SECURITY_CAPS_H
#define HULL_SECURITY_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "spec/spec.h"

#define CAPS_BIT(cap) (UINT64_C(1) << (cap))

/* What a process could hand on. A bit per capability, as in /proc/PID/status. */
struct caps_facts {
	uint64_t known; /* to the running kernel */
	uint64_t bounding, permitted;
};

struct caps_plan {
	uint64_t bounding, effective, permitted, inheritable, ambient;
	/* Asked for in vain: */
	uint64_t ungrantable;   /* neither ours nor the kernel's to give */
	uint64_t not_ambient;   /* not both permitted and inheritable */
	struct strings unknown; /* names that no kernel that we know has given */
};

/* The calling thread's. */
int caps_facts_read(struct caps_facts *ret, struct err *e) MUST_CHECK;
/* The calling process's permitted set alone: one system call instead of forty. */
int caps_permitted_read(uint64_t *ret, struct err *e) MUST_CHECK;
/* Those of a process that is the first of a new user namespace: everything. */
struct caps_facts caps_facts_in_userns(const struct caps_facts *outside);

/* Pure. Without `asked` (NULL) all sets are empty. The names live as long as `asked`, lists in *a. */
void caps_plan(const struct spec_capabilities *asked, const struct caps_facts *facts,
	       struct arena *a, struct caps_plan *ret);
/*
 * exec --cap: adds to the bounding, effective and permitted sets; to the
 * ambient set only what is inheritable, and nothing to that (CVE-2022-29162).
 * A name that is no capability fails: a person has just typed it.
 */
int caps_plan_add(struct caps_plan *plan, const struct strings *asked,
		  const struct caps_facts *facts, struct err *e) MUST_CHECK;
/* Warns of what was asked for in vain, in the words that runc uses where it has some. */
void caps_plan_log(const struct caps_plan *plan);

int caps_bounding_apply(const struct caps_plan *plan, struct err *e) MUST_CHECK;
int caps_keep(bool keep, struct err *e) MUST_CHECK;
int caps_apply(const struct caps_plan *plan, uint64_t extra, struct err *e) MUST_CHECK;
int caps_raise(uint64_t extra, struct err *e) MUST_CHECK;
int caps_drop_extra(const struct caps_plan *plan, struct err *e) MUST_CHECK;

/* "CAP_CHOWN" for 0; NULL past the last that we know. */
const char *caps_name(unsigned cap);
/* "CAP_NET_ADMIN", also without its prefix and in any case; -EINVAL for anything else. */
int caps_from_name(const char *name, unsigned *ret) MUST_CHECK;

#endif
