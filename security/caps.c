/*
 * Through capget(2) and capset(2) themselves: libcap would add its constructor's
 * probing to every start, and allocates where the child should not.
 */
#include "security/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

#define ROW(cap) [cap] = #cap
/* clang-format off */
static const char *const names[] = {
	ROW(CAP_CHOWN), ROW(CAP_DAC_OVERRIDE), ROW(CAP_DAC_READ_SEARCH), ROW(CAP_FOWNER),
	ROW(CAP_FSETID), ROW(CAP_KILL), ROW(CAP_SETGID), ROW(CAP_SETUID), ROW(CAP_SETPCAP),
	ROW(CAP_LINUX_IMMUTABLE), ROW(CAP_NET_BIND_SERVICE), ROW(CAP_NET_BROADCAST),
	ROW(CAP_NET_ADMIN), ROW(CAP_NET_RAW), ROW(CAP_IPC_LOCK), ROW(CAP_IPC_OWNER),
	ROW(CAP_SYS_MODULE), ROW(CAP_SYS_RAWIO), ROW(CAP_SYS_CHROOT), ROW(CAP_SYS_PTRACE),
	ROW(CAP_SYS_PACCT), ROW(CAP_SYS_ADMIN), ROW(CAP_SYS_BOOT), ROW(CAP_SYS_NICE),
	ROW(CAP_SYS_RESOURCE), ROW(CAP_SYS_TIME), ROW(CAP_SYS_TTY_CONFIG), ROW(CAP_MKNOD),
	ROW(CAP_LEASE), ROW(CAP_AUDIT_WRITE), ROW(CAP_AUDIT_CONTROL), ROW(CAP_SETFCAP),
	ROW(CAP_MAC_OVERRIDE), ROW(CAP_MAC_ADMIN), ROW(CAP_SYSLOG), ROW(CAP_WAKE_ALARM),
	ROW(CAP_BLOCK_SUSPEND), ROW(CAP_AUDIT_READ), ROW(CAP_PERFMON), ROW(CAP_BPF),
	ROW(CAP_CHECKPOINT_RESTORE),
};
/* clang-format on */
#undef ROW

/* The three sets that capset(2) knows. */
struct sets {
	uint64_t effective, permitted, inheritable;
};

static int sets_read(struct sets *ret, struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct half[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, half) < 0)
		return err_sys(e, "read own capabilities");
	ret->effective = half[0].effective | (uint64_t)half[1].effective << 32;
	ret->permitted = half[0].permitted | (uint64_t)half[1].permitted << 32;
	ret->inheritable = half[0].inheritable | (uint64_t)half[1].inheritable << 32;
	return 0;
}

static int sets_write(const struct sets *sets, struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct half[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = (uint32_t)sets->effective,
		  .permitted = (uint32_t)sets->permitted,
		  .inheritable = (uint32_t)sets->inheritable },
		{ .effective = (uint32_t)(sets->effective >> 32),
		  .permitted = (uint32_t)(sets->permitted >> 32),
		  .inheritable = (uint32_t)(sets->inheritable >> 32) },
	};

	if (syscall(SYS_capset, &header, half) < 0)
		return err_sys(
			e, "set capabilities (effective %llx, permitted %llx, inheritable %llx)",
			(unsigned long long)sets->effective, (unsigned long long)sets->permitted,
			(unsigned long long)sets->inheritable);
	return 0;
}

const char *caps_name(unsigned cap)
{
	return cap < ARRAY_LEN(names) ? names[cap] : NULL;
}

int caps_from_name(const char *name, unsigned *ret)
{
	static const char prefix[] = "CAP_";
	const size_t skip = sizeof(prefix) - 1;

	if (strncasecmp(name, prefix, skip) == 0)
		name += skip;
	for (unsigned cap = 0; cap < ARRAY_LEN(names); cap++) {
		if (strcasecmp(names[cap] + skip, name) == 0) {
			*ret = cap;
			return 0;
		}
	}
	return -EINVAL;
}

int caps_permitted_read(uint64_t *ret, struct err *e)
{
	struct sets own = { 0 };

	TRY(sets_read(&own, e));
	*ret = own.permitted;
	return 0;
}

int caps_facts_read(struct caps_facts *ret, struct err *e)
{
	struct caps_facts facts = { 0 };
	struct sets own = { 0 };
	int has;

	TRY(sets_read(&own, e));
	facts.permitted = own.permitted;
	for (unsigned cap = 0; cap < 64; cap++) {
		has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (has < 0 && errno != EINVAL)
			return err_sys(e, "ask for capability %u in the bounding set", cap);
		if (has < 0)
			break; /* past the kernel's last one */
		facts.known |= CAPS_BIT(cap);
		if (has)
			facts.bounding |= CAPS_BIT(cap);
	}
	*ret = facts;
	return 0;
}

struct caps_facts caps_facts_in_userns(const struct caps_facts *outside)
{
	/* set_cred_user_ns() in the kernel's user_namespace.c fills these sets. */
	return (struct caps_facts){ .known = outside->known,
				    .bounding = outside->known,
				    .permitted = outside->known };
}

static void unknown_add(struct strings *unknown, const char *name)
{
	for (size_t i = 0; i < unknown->n; i++)
		if (strcmp(unknown->at[i], name) == 0)
			return;
	unknown->at[unknown->n++] = name;
}

static uint64_t mask_of(const struct strings *list, struct strings *unknown)
{
	uint64_t mask = 0;
	unsigned cap;

	for (size_t i = 0; i < list->n; i++) {
		if (caps_from_name(list->at[i], &cap) < 0)
			unknown_add(unknown, list->at[i]);
		else
			mask |= CAPS_BIT(cap);
	}
	return mask;
}

/* Takes out of *set what is not in `allowed`; returns what that was. */
static uint64_t limit(uint64_t *set, uint64_t allowed)
{
	uint64_t lost = *set & ~allowed;

	*set &= allowed;
	return lost;
}

/* Leaves in each set what the kernel would take (capabilities(7), "Programmatically adjusting"). */
static void plan_limit(struct caps_plan *plan, const struct caps_facts *facts)
{
	plan->ungrantable |= limit(&plan->bounding, facts->bounding);
	plan->ungrantable |= limit(&plan->permitted, facts->permitted);
	plan->ungrantable |= limit(&plan->effective, plan->permitted);
	plan->ungrantable |= limit(&plan->inheritable, facts->permitted & plan->bounding);
	plan->not_ambient |= limit(&plan->ambient, plan->permitted & plan->inheritable);
}

void caps_plan(const struct spec_capabilities *asked, const struct caps_facts *facts,
	       struct arena *a, struct caps_plan *ret)
{
	static const struct spec_capabilities nothing;
	struct caps_plan plan = { 0 };
	size_t n;

	if (!asked)
		asked = &nothing;
	n = asked->bounding.n + asked->effective.n + asked->permitted.n + asked->inheritable.n +
	    asked->ambient.n;
	plan.unknown.at = arena_array(a, n, sizeof(*plan.unknown.at));
	plan.bounding = mask_of(&asked->bounding, &plan.unknown);
	plan.effective = mask_of(&asked->effective, &plan.unknown);
	plan.permitted = mask_of(&asked->permitted, &plan.unknown);
	plan.inheritable = mask_of(&asked->inheritable, &plan.unknown);
	plan.ambient = mask_of(&asked->ambient, &plan.unknown);
	plan_limit(&plan, facts);
	*ret = plan;
}

int caps_plan_add(struct caps_plan *plan, const struct strings *asked,
		  const struct caps_facts *facts, struct err *e)
{
	uint64_t mask = 0;
	unsigned cap;

	for (size_t i = 0; i < asked->n; i++) {
		if (caps_from_name(asked->at[i], &cap) < 0)
			return err_set(e, EINVAL, "\"%s\" is not a capability", asked->at[i]);
		mask |= CAPS_BIT(cap);
	}
	plan->bounding |= mask;
	plan->effective |= mask;
	plan->permitted |= mask;
	plan->ambient |= mask & plan->inheritable;
	plan_limit(plan, facts);
	return 0;
}

static void log_unavailable(const struct caps_plan *plan)
{
	auto_buf struct buf text = { 0 };

	for (unsigned cap = 0; cap < ARRAY_LEN(names); cap++)
		if (plan->ungrantable & CAPS_BIT(cap))
			buf_printf(&text, " %s", names[cap]);
	for (size_t i = 0; i < plan->unknown.n; i++)
		buf_printf(&text, " %s", plan->unknown.at[i]);
	if (text.len > 0)
		log_warn("ignoring unknown or unavailable capabilities:%s", text.text);
}

void caps_plan_log(const struct caps_plan *plan)
{
	log_unavailable(plan);
	for (unsigned cap = 0; cap < ARRAY_LEN(names); cap++)
		if (plan->not_ambient & CAPS_BIT(cap))
			log_warn("can't raise ambient capability %s: it is not both permitted and "
				 "inheritable",
				 names[cap]);
}

int caps_bounding_apply(const struct caps_plan *plan, struct err *e)
{
	for (unsigned cap = 0; cap < 64; cap++) {
		int failure;

		if (plan->bounding & CAPS_BIT(cap) || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		failure = errno;
		/* Without CAP_SETPCAP nothing can be dropped, but what is not there need not be. */
		switch (prctl(PR_CAPBSET_READ, cap, 0, 0, 0)) {
		case -1:
			if (errno == EINVAL)
				return 0; /* past the kernel's last one */
			failure = errno;
			break;
		case 0:
			continue;
		}
		return err_neg(e, -failure, "drop capability %u (%s) from the bounding set", cap,
			       caps_name(cap) ? caps_name(cap) : "new");
	}
	return 0;
}

int caps_keep(bool keep, struct err *e)
{
	if (prctl(PR_SET_KEEPCAPS, keep ? 1 : 0, 0, 0, 0) < 0)
		return err_sys(e, "set the keep-capabilities flag to %d", keep);
	return 0;
}

static int ambient_apply(uint64_t ambient, struct err *e)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(e, "clear the ambient capabilities");
	for (unsigned cap = 0; cap < ARRAY_LEN(names); cap++) {
		if (!(ambient & CAPS_BIT(cap)))
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return err_sys(e, "raise ambient capability %s", names[cap]);
	}
	return 0;
}

int caps_apply(const struct caps_plan *plan, uint64_t extra, struct err *e)
{
	struct sets own = { 0 }, sets = { .effective = plan->effective,
					  .permitted = plan->permitted,
					  .inheritable = plan->inheritable };

	TRY(sets_read(&own, e));
	sets.permitted |= extra & own.permitted;
	TRY(sets_write(&sets, e));
	return ambient_apply(plan->ambient, e);
}

int caps_raise(uint64_t extra, struct err *e)
{
	struct sets sets = { 0 };

	TRY(sets_read(&sets, e));
	sets.effective |= extra & sets.permitted;
	return sets_write(&sets, e);
}

int caps_drop_extra(const struct caps_plan *plan, struct err *e)
{
	const struct sets sets = { .effective = plan->effective,
				   .permitted = plan->permitted,
				   .inheritable = plan->inheritable };

	return sets_write(&sets, e);
}
