#include "process/scheduling.h"

#include <errno.h>
#include <limits.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>

#include "spec/names.h"

/* struct sched_attr, whose header can't be included together with the C library's sched.h. */
struct attributes {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

int scheduler_apply(const struct spec_scheduler *scheduler, struct err *e)
{
	struct attributes attributes = { .size = sizeof(attributes) };

	if (!scheduler)
		return 0;
	attributes.policy = (uint32_t)scheduler->policy;
	attributes.flags = scheduler->flags;
	attributes.nice = scheduler->nice;
	attributes.priority = (uint32_t)scheduler->priority;
	attributes.runtime = scheduler->runtime;
	attributes.deadline = scheduler->deadline;
	attributes.period = scheduler->period;
	if (syscall(SYS_sched_setattr, 0, &attributes, 0) < 0)
		return err_sys(e, "set scheduler %s",
			       json_name_of(spec_sched_policy_names, scheduler->policy));
	return 0;
}

int io_priority_apply(const struct spec_io_priority *priority, struct err *e)
{
	if (!priority)
		return 0;
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		    IOPRIO_PRIO_VALUE(priority->class, priority->priority)) < 0)
		return err_sys(e, "set I/O priority %s %d",
			       json_name_of(spec_io_class_names, priority->class),
			       priority->priority);
	return 0;
}

int affinity_apply(const struct number_set *cpus, struct err *e)
{
	if (syscall(SYS_sched_setaffinity, 0, cpus->n * sizeof(*cpus->words), cpus->words) < 0)
		return err_sys(e, "set CPU affinity");
	return 0;
}

void affinity_reset(void)
{
	unsigned long all[NUMBER_SET_MAX / CHAR_BIT / sizeof(unsigned long)];

	memset(all, 0xff, sizeof(all));
	syscall(SYS_sched_setaffinity, 0, sizeof(all), all);
}

int memory_plan(const struct spec_memory_policy *policy, struct arena *a, struct memory_plan *ret,
		struct err *e)
{
	struct memory_plan plan = { .mode = policy->mode | (int)policy->flags };

	if (policy->nodes && number_set_parse(policy->nodes, a, &plan.nodes, e) < 0)
		return err_wrap(e, "linux.memoryPolicy.nodes");
	*ret = plan;
	return 0;
}

int memory_apply(const struct memory_plan *plan, struct err *e)
{
	/* The kernel takes one bit less than it is told (get_nodes() in mm/mempolicy.c). */
	const unsigned long bits =
		plan->nodes.n ? plan->nodes.n * sizeof(unsigned long) * CHAR_BIT + 1 : 0;

	if (syscall(SYS_set_mempolicy, plan->mode, plan->nodes.words, bits) < 0)
		return err_sys(e, "set memory policy %#x", (unsigned)plan->mode);
	return 0;
}

int personality_apply(int domain, struct err *e)
{
	if (personality((unsigned long)domain) < 0)
		return err_sys(e, "set personality %s",
			       json_name_of(spec_personality_names, domain));
	return 0;
}
