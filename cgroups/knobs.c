#include "cgroups/knobs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "cgroups/grow.h"

#define PREFIX "linux.resources."

struct knob;

struct planner {
	struct arena *arena;
	const struct spec_resources *resources;
	struct knob_plan *plan;
	struct err *err;
};

typedef int knob_function(struct planner *p, const struct knob *k);

struct knob {
	const char *member;     /* below linux.resources */
	const char *controller; /* of cgroup v2; NULL: it has no such thing */
	const char *file;
	size_t offset; /* of the member in struct spec_resources */
	knob_function *put;
	const char *key; /* in a file with keys */
};

/* The member of the configuration that the knob is about. */
static const void *at(const struct planner *p, const struct knob *k)
{
	return (const char *)p->resources + k->offset;
}

#define AT(type, p, k) ((const type *)at(p, k))

static struct knob_value *add(struct planner *p, const struct knob *k, const char *value)
{
	struct knob_value *v = grow_list(p->arena, &p->plan->values);

	v->member = arena_printf(p->arena, PREFIX "%s", k->member);
	v->controller = k->controller;
	v->file = k->file;
	v->value = value;
	return v;
}

/* Values of one knob that come in a list are told apart by their place in it. */
static struct knob_value *add_element(struct planner *p, const struct knob *k, size_t i,
				      const char *value)
{
	struct knob_value *v = add(p, k, value);

	v->member = arena_printf(p->arena, PREFIX "%s[%zu]", k->member, i);
	return v;
}

static const char *number(struct planner *p, uint64_t value)
{
	return arena_printf(p->arena, "%" PRIu64, value);
}

/*
 * Memory. Zero is what engines send for "not given" (docker: "reservation": 0),
 * and no container could live with it.
 */

static int put_bytes(struct planner *p, const struct knob *k)
{
	const struct opt_i64 *v = AT(struct opt_i64, p, k);

	if (!v->set || v->value == 0)
		return 0;
	if (v->value < -1)
		return err_set(p->err, EINVAL,
			       PREFIX "%s: %" PRId64 " is neither a size nor -1, for unlimited",
			       k->member, v->value);
	if (v->value == -1)
		add(p, k, "max")->flags = KNOB_DEFAULT;
	else
		add(p, k, number(p, (uint64_t)v->value));
	return 0;
}

static int put_memory_limit(struct planner *p, const struct knob *k)
{
	size_t before = p->plan->values.n;

	TRY(put_bytes(p, k));
	if (p->plan->values.n > before && p->resources->memory.check_before_update.value)
		p->plan->values.at[before].flags |= KNOB_NOT_BELOW_USAGE;
	return 0;
}

/*
 * The configuration counts memory and swap together, cgroup v2 counts swap
 * alone. Unlimited memory without a word about swap frees swap too, as in v1.
 * The file is missing where swap is not accounted: no harm if none is wanted.
 */
static int put_swap(struct planner *p, const struct knob *k)
{
	int64_t limit = p->resources->memory.limit.value, both = p->resources->memory.swap.value;
	struct knob_value *v;

	if (both < -1)
		return err_set(p->err, EINVAL,
			       PREFIX "%s: %" PRId64 " is neither a size nor -1, for unlimited",
			       k->member, both);
	if (both == -1 || (both == 0 && limit == -1)) {
		add(p, k, "max")->flags = KNOB_DEFAULT | KNOB_OPTIONAL;
		return 0;
	}
	if (both == 0)
		return 0;
	if (limit == 0)
		return err_set(p->err, EINVAL,
			       PREFIX "%s: it is memory and swap together, and " PREFIX
				      "memory.limit is not given",
			       k->member);
	if (limit > both)
		return err_set(p->err, EINVAL,
			       PREFIX "%s: it is memory and swap together, and %" PRId64
				      " is less than the %" PRId64 " of " PREFIX "memory.limit",
			       k->member, both, limit);
	v = add(p, k, number(p, (uint64_t)(limit == -1 ? both : both - limit)));
	if (both == limit)
		v->flags = KNOB_OPTIONAL;
	return 0;
}

/* CPU */

/*
 * A parabola through the ends and the defaults of both scales, which is what
 * runc (1.3.2) and crun (1.23) agreed on:
 *
 *	weight = ceil(10 ^ ((l * l + 125 * l - 126) / 612)), l = log2(shares)
 *
 * log2() and pow() of libm would cost every start of hull 50 us of dynamic
 * linking. The results are the same for each of the 262143 values.
 */
unsigned knob_cpu_weight(uint64_t shares)
{
	const double ln10 = 2.302585092994045684;
	double l = 0, m = (double)shares, x, power = 1, term = 1;
	unsigned whole;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	while (m >= 2) {
		m /= 2;
		l += 1;
	}
	for (int i = 1; i <= 50; i++) { /* the binary digits of the logarithm */
		m *= m;
		if (m >= 2) {
			m /= 2;
			l += 1.0 / (double)(1LL << i);
		}
	}
	x = (l * l + 125 * l - 126) / 612 * ln10;
	for (int i = 1; i < 64; i++) { /* e to the power of x */
		term *= x / i;
		power += term;
	}
	whole = (unsigned)power;
	return power - whole > 1e-9 ? whole + 1 : whole;
}

/* docker sends "shares": 0 for "not given". What is made idle has no weight, and keeps none for later. */
static int put_shares(struct planner *p, const struct knob *k)
{
	const struct opt_u64 *v = AT(struct opt_u64, p, k);
	unsigned weight;

	if (!v->set || v->value == 0 || p->resources->cpu.idle.value == 1)
		return 0;
	weight = knob_cpu_weight(v->value);
	/* The kernel refuses a weight as long as the cgroup is idle, which this may end. */
	add(p, k, number(p, weight))->flags = KNOB_AGAIN | (weight == 100 ? KNOB_DEFAULT : 0);
	return 0;
}

static int put_idle(struct planner *p, const struct knob *k)
{
	const struct opt_i64 *v = AT(struct opt_i64, p, k);

	if (!v->set)
		return 0;
	if (v->value != 0 && v->value != 1)
		return err_set(p->err, EINVAL, PREFIX "%s: %" PRId64 " is neither 0 nor 1",
			       k->member, v->value);
	add(p, k, number(p, (uint64_t)v->value))->flags = v->value == 0 ? KNOB_DEFAULT : 0;
	return 0;
}

/* The kernel wants burst <= quota at any moment, so one of the two may have to go first. */
static int put_burst(struct planner *p, const struct knob *k)
{
	const struct opt_u64 *v = AT(struct opt_u64, p, k);

	if (v->set)
		add(p, k, number(p, v->value))->flags =
			KNOB_AGAIN | (v->value == 0 ? KNOB_DEFAULT : 0);
	return 0;
}

/* One number alone keeps the period that is set; a quota of 0 or less means none, as in runc. */
static int put_cpu_max(struct planner *p, const struct knob *k)
{
	int64_t quota = p->resources->cpu.quota.value;
	uint64_t period = p->resources->cpu.period.value;
	const char *max = quota > 0 ? number(p, (uint64_t)quota) : "max";
	struct knob_value *v;

	if (quota == 0 && period == 0)
		return 0;
	v = add(p, k, period ? arena_printf(p->arena, "%s %" PRIu64, max, period) : max);
	if (quota == 0)
		v->member = PREFIX "cpu.period";
	if (quota <= 0 && (period == 0 || period == 100000))
		v->flags = KNOB_DEFAULT;
	return 0;
}

static int put_text(struct planner *p, const struct knob *k)
{
	const char *text = *AT(char *const, p, k);

	if (text && *text)
		add(p, k, text);
	return 0;
}

/*
 * Since runtime-spec 1.3 zero is a limit like any other (no forks), and -1 none. It is written
 * as 1: clone3(2) into a cgroup that may have no process would make none for the container, and
 * systemd takes no 0. runc does the same.
 */
static int put_pids(struct planner *p, const struct knob *k)
{
	const struct opt_i64 *v = AT(struct opt_i64, p, k);

	if (!v->set)
		return 0;
	if (v->value < 0)
		add(p, k, "max")->flags = KNOB_DEFAULT;
	else
		add(p, k, number(p, v->value == 0 ? 1 : (uint64_t)v->value));
	return 0;
}

/* Block devices */

static int check_device(struct planner *p, const struct knob *k, size_t i, int64_t major,
			int64_t minor)
{
	if (major >= 0 && major <= UINT32_MAX && minor >= 0 && minor <= UINT32_MAX)
		return 0;
	return err_set(p->err, EINVAL,
		       PREFIX "%s[%zu]: %" PRId64 ":%" PRId64 " is not the number of a device",
		       k->member, i, major, minor);
}

/* BFQ takes blkio's weights, 10 .. 1000, as they are; io.weight goes from 1 to 10000. */
static int check_weight(struct planner *p, const char *member, unsigned weight)
{
	if (weight >= 10 && weight <= 1000)
		return 0;
	return err_set(p->err, EINVAL, "%s: %u is not between 10 and 1000", member, weight);
}

static unsigned io_weight(unsigned blkio)
{
	return 1 + (blkio - 10) * 9999 / 990;
}

/* docker sends "weight": 0 for "not given". */
static int put_weight(struct planner *p, const struct knob *k)
{
	const struct opt_u16 *weight = AT(struct opt_u16, p, k);
	struct knob_value *v;

	if (!weight->set || weight->value == 0)
		return 0;
	v = add(p, k, number(p, weight->value));
	v->other_file = "io.weight";
	v->other_value = number(p, io_weight(weight->value));
	return check_weight(p, v->member, weight->value);
}

static const char no_equivalent[] = "cgroup v2 has nothing like it";

static int put_weight_devices(struct planner *p, const struct knob *k)
{
	for (size_t i = 0; i < p->resources->block_io.weight_devices.n; i++) {
		const struct spec_weight_device *d = &p->resources->block_io.weight_devices.at[i];
		struct knob_value *v;

		TRY(check_device(p, k, i, d->major, d->minor));
		if (d->leaf_weight.value != 0)
			return err_set(p->err, ENOTSUP, PREFIX "%s[%zu].leafWeight: %s", k->member,
				       i, no_equivalent);
		if (!d->weight.set || d->weight.value == 0)
			continue;
		v = add_element(p, k, i,
				arena_printf(p->arena, "%" PRId64 ":%" PRId64 " %u", d->major,
					     d->minor, d->weight.value));
		TRY(check_weight(p, v->member, d->weight.value));
		v->other_file = "io.weight";
		v->other_value = arena_printf(p->arena, "%" PRId64 ":%" PRId64 " %u", d->major,
					      d->minor, io_weight(d->weight.value));
	}
	return 0;
}

/* The kernel takes one device per write. A rate of 0 lifts the limit, as it did in v1. */
static int put_throttle(struct planner *p, const struct knob *k)
{
	const struct spec_throttle_devices *devices = AT(struct spec_throttle_devices, p, k);

	for (size_t i = 0; i < devices->n; i++) {
		const struct spec_throttle_device *d = &devices->at[i];

		TRY(check_device(p, k, i, d->major, d->minor));
		add_element(p, k, i,
			    arena_printf(p->arena, "%" PRId64 ":%" PRId64 " %s=%s", d->major,
					 d->minor, k->key, d->rate ? number(p, d->rate) : "max"))
			->flags = d->rate ? 0 : KNOB_DEFAULT;
	}
	return 0;
}

/* Huge pages, RDMA */

static bool is_page_size(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return digits > 0 && strchr("KMG", s[digits]) && s[digits] &&
	       strcmp(s + digits + 1, "B") == 0;
}

/* Reservations are limited too where the kernel can (5.7), as the specification asks. */
static int put_hugepages(struct planner *p, const struct knob *k)
{
	for (size_t i = 0; i < p->resources->hugepage_limits.n; i++) {
		const struct spec_hugepage_limit *h = &p->resources->hugepage_limits.at[i];
		struct knob_value *v;

		if (!is_page_size(h->page_size))
			return err_set(p->err, EINVAL,
				       PREFIX "%s[%zu]: \"%s\" is not a size like 64KB, 2MB or 1GB",
				       k->member, i, h->page_size);
		v = add_element(p, k, i, number(p, h->limit));
		v->file = arena_printf(p->arena, "hugetlb.%s.max", h->page_size);
		v = add_element(p, k, i, number(p, h->limit));
		v->file = arena_printf(p->arena, "hugetlb.%s.rsvd.max", h->page_size);
		v->flags = KNOB_OPTIONAL;
	}
	return 0;
}

static int put_rdma(struct planner *p, const struct knob *k)
{
	for (size_t i = 0; i < p->resources->rdma.n; i++) {
		const char *device = p->resources->rdma.at[i].device;
		const struct opt_u32 *handles = &p->resources->rdma.at[i].hca_handles;
		const struct opt_u32 *objects = &p->resources->rdma.at[i].hca_objects;
		const char *value = device;

		if (!*device || strpbrk(device, " \t\n"))
			return err_set(p->err, EINVAL,
				       PREFIX "%s: \"%s\" is not the name of a device", k->member,
				       device);
		if (handles->set)
			value = arena_printf(p->arena, "%s hca_handle=%u", value, handles->value);
		if (objects->set)
			value = arena_printf(p->arena, "%s hca_object=%u", value, objects->value);
		if (value != device)
			add(p, k, value)->member =
				arena_printf(p->arena, PREFIX "%s.%s", k->member, device);
	}
	return 0;
}

/*
 * unified: any file of a controller, known to us or not, as the specification
 * asks. A file that takes several lines takes one per write. Who is in the
 * cgroup and whether it runs is ours to say: with these set, create would move
 * strangers or wait for itself.
 */

static bool is_ours(const char *file)
{
	static const char *const ours[] = { "cgroup.procs", "cgroup.threads", "cgroup.kill",
					    "cgroup.freeze" };

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (strcmp(file, ours[i]) == 0)
			return true;
	return false;
}

static int put_unified(struct planner *p, const struct knob *k)
{
	for (size_t i = 0; i < p->resources->unified.n; i++) {
		const char *file = p->resources->unified.at[i].key;
		const char *text = p->resources->unified.at[i].value;
		const char *dot = strchr(file, '.');

		if (!dot || dot == file || !dot[1] || strchr(file, '/'))
			return err_set(p->err, EINVAL,
				       PREFIX "%s: \"%s\" is not a file like \"memory.high\"",
				       k->member, file);
		if (is_ours(file))
			return err_set(p->err, EINVAL, PREFIX "%s.%s: only the runtime writes this",
				       k->member, file);
		do {
			size_t len = strcspn(text, "\n");
			const char *line =
				*text ? arena_strndup(p->arena, text, len) : "\n"; /* resets */
			struct knob_value *v;

			text += len + (text[len] != '\0');
			if (!*line)
				continue;
			v = add(p, k, line);
			v->member = arena_printf(p->arena, PREFIX "%s.%s", k->member, file);
			v->file = file;
			v->controller = arena_strndup(p->arena, file, (size_t)(dot - file));
			if (strcmp(v->controller, "cgroup") == 0)
				v->controller = NULL;
		} while (*text);
	}
	return 0;
}

/*
 * What cgroup v2 doesn't have, and nothing of it could become (config-linux.md, "Unified": "If the
 * conversion is not possible the runtime MUST generate an error"). Values that ask for nothing pass.
 */

static const char no_kernel_limit[] = "cgroup v2 limits kernel memory as part of all memory";
static const char always_hierarchical[] =
	"the limits of cgroup v2 always are of all below a cgroup";

static int refuse_if(bool asked, struct planner *p, const struct knob *k, const char *why)
{
	return asked ? err_set(p->err, ENOTSUP, PREFIX "%s: %s", k->member, why) : 0;
}

static int refuse_bytes(struct planner *p, const struct knob *k)
{
	const struct opt_i64 *v = AT(struct opt_i64, p, k);

	return refuse_if(v->set && v->value != 0 && v->value != -1, p, k, no_kernel_limit);
}

static int refuse_i64(struct planner *p, const struct knob *k)
{
	return refuse_if(AT(struct opt_i64, p, k)->value != 0, p, k, no_equivalent);
}

static int refuse_u64(struct planner *p, const struct knob *k)
{
	return refuse_if(AT(struct opt_u64, p, k)->value != 0, p, k, no_equivalent);
}

static int refuse_u16(struct planner *p, const struct knob *k)
{
	return refuse_if(AT(struct opt_u16, p, k)->value != 0, p, k, no_equivalent);
}

/* Here zero means something: do not swap. */
static int refuse_swappiness(struct planner *p, const struct knob *k)
{
	return refuse_if(AT(struct opt_u64, p, k)->set, p, k, no_equivalent);
}

static int refuse_bool(struct planner *p, const struct knob *k)
{
	return refuse_if(AT(struct opt_bool, p, k)->value, p, k, no_equivalent);
}

/* What is true in cgroup v2 cannot be turned off. */
static int refuse_flat(struct planner *p, const struct knob *k)
{
	const struct opt_bool *v = AT(struct opt_bool, p, k);

	return refuse_if(v->set && !v->value, p, k, always_hierarchical);
}

static int refuse_class(struct planner *p, const struct knob *k)
{
	return refuse_if(p->resources->network.class_id.value != 0, p, k, no_equivalent);
}

static int refuse_priorities(struct planner *p, const struct knob *k)
{
	return refuse_if(p->resources->network.priorities.n != 0, p, k, no_equivalent);
}

#define OF(member) offsetof(struct spec_resources, member)

/* Values are written in this order. */
static const struct knob knobs[] = {
	{ "memory.swap", "memory", "memory.swap.max", OF(memory.swap), put_swap, NULL },
	{ "memory.limit", "memory", "memory.max", OF(memory.limit), put_memory_limit, NULL },
	{ "memory.reservation", "memory", "memory.low", OF(memory.reservation), put_bytes, NULL },
	{ "memory.kernel", NULL, NULL, OF(memory.kernel), refuse_bytes, NULL },
	{ "memory.kernelTCP", NULL, NULL, OF(memory.kernel_tcp), refuse_bytes, NULL },
	{ "memory.swappiness", NULL, NULL, OF(memory.swappiness), refuse_swappiness, NULL },
	{ "memory.disableOOMKiller", NULL, NULL, OF(memory.disable_oom_killer), refuse_bool, NULL },
	{ "memory.useHierarchy", NULL, NULL, OF(memory.use_hierarchy), refuse_flat, NULL },

	{ "cpu.shares", "cpu", "cpu.weight", OF(cpu.shares), put_shares, NULL },
	{ "cpu.idle", "cpu", "cpu.idle", OF(cpu.idle), put_idle, NULL },
	{ "cpu.burst", "cpu", "cpu.max.burst", OF(cpu.burst), put_burst, NULL },
	{ "cpu.quota", "cpu", "cpu.max", OF(cpu.quota), put_cpu_max, NULL },
	{ "cpu.realtimeRuntime", NULL, NULL, OF(cpu.realtime_runtime), refuse_i64, NULL },
	{ "cpu.realtimePeriod", NULL, NULL, OF(cpu.realtime_period), refuse_u64, NULL },
	{ "cpu.cpus", "cpuset", "cpuset.cpus", OF(cpu.cpus), put_text, NULL },
	{ "cpu.mems", "cpuset", "cpuset.mems", OF(cpu.mems), put_text, NULL },

	{ "pids.limit", "pids", "pids.max", OF(pids_limit), put_pids, NULL },

	{ "blockIO.weight", "io", "io.bfq.weight", OF(block_io.weight), put_weight, NULL },
	{ "blockIO.leafWeight", NULL, NULL, OF(block_io.leaf_weight), refuse_u16, NULL },
	{ "blockIO.weightDevice", "io", "io.bfq.weight", OF(block_io.weight_devices),
	  put_weight_devices, NULL },
	{ "blockIO.throttleReadBpsDevice", "io", "io.max", OF(block_io.read_bps), put_throttle,
	  "rbps" },
	{ "blockIO.throttleWriteBpsDevice", "io", "io.max", OF(block_io.write_bps), put_throttle,
	  "wbps" },
	{ "blockIO.throttleReadIOPSDevice", "io", "io.max", OF(block_io.read_iops), put_throttle,
	  "riops" },
	{ "blockIO.throttleWriteIOPSDevice", "io", "io.max", OF(block_io.write_iops), put_throttle,
	  "wiops" },

	{ "hugepageLimits", "hugetlb", NULL, OF(hugepage_limits), put_hugepages, NULL },
	{ "network.classID", NULL, NULL, OF(network.class_id), refuse_class, NULL },
	{ "network.priorities", NULL, NULL, OF(network.priorities), refuse_priorities, NULL },
	{ "rdma", "rdma", "rdma.max", OF(rdma), put_rdma, NULL },

	{ "unified", NULL, NULL, OF(unified), put_unified, NULL }, /* has the last word */
};

int knobs_plan(struct arena *a, const struct spec_resources *resources, struct knob_plan *ret,
	       struct err *e)
{
	struct knob_plan plan = { 0 };
	struct planner p = { .arena = a, .resources = resources, .plan = &plan, .err = e };

	for (size_t i = 0; i < ARRAY_LEN(knobs); i++)
		TRY(knobs[i].put(&p, &knobs[i]));
	*ret = plan;
	return 0;
}

bool knobs_any(const struct spec_resources *resources)
{
	auto_arena struct arena a = { 0 };
	struct knob_plan plan = { 0 };

	/* A configuration in error is found in error again when it is planned in earnest. */
	return knobs_plan(&a, resources, &plan, NULL) < 0 || plan.values.n > 0;
}
