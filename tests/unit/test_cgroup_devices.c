/* The device policy: rules -> program, judged by running it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cgroups/devices.h"

enum { REFUSED_TO_RUN = -1, STEPS_MAX = 100000 };

/* As much of the kernel's interpreter as the program may use; anything else fails the test. */
static int run(const struct devices_program *p, struct bpf_cgroup_dev_ctx ctx)
{
	uint64_t r[16] = { 0 };
	size_t pc = 0;

	for (int steps = 0; steps < STEPS_MAX && pc < p->n; steps++, pc++) {
		const struct bpf_insn *i = &p->at[pc];
		const uint64_t k = (uint64_t)(int64_t)i->imm;
		const size_t target = pc + (size_t)i->off;

		if (i->off < 0 || i->dst_reg > 10)
			return REFUSED_TO_RUN;
		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			if (i->src_reg != BPF_REG_1 || i->off % 4 || i->off > 8)
				return REFUSED_TO_RUN;
			r[i->dst_reg] = ((const uint32_t *)&ctx)[i->off / 4];
			break;
		case BPF_ALU64 | BPF_MOV | BPF_X:
			r[i->dst_reg] = r[i->src_reg];
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			r[i->dst_reg] = k;
			break;
		case BPF_ALU64 | BPF_RSH | BPF_K:
			r[i->dst_reg] >>= k;
			break;
		case BPF_ALU64 | BPF_LSH | BPF_K:
			r[i->dst_reg] <<= k;
			break;
		case BPF_ALU64 | BPF_OR | BPF_X:
			r[i->dst_reg] |= r[i->src_reg];
			break;
		case BPF_ALU64 | BPF_AND | BPF_K:
			r[i->dst_reg] &= k;
			break;
		case BPF_JMP32 | BPF_JEQ | BPF_K:
			pc = (uint32_t)r[i->dst_reg] == (uint32_t)k ? target : pc;
			break;
		case BPF_JMP32 | BPF_JNE | BPF_K:
			pc = (uint32_t)r[i->dst_reg] != (uint32_t)k ? target : pc;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc = r[i->dst_reg] == k ? target : pc;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc = r[i->dst_reg] & k ? target : pc;
			break;
		case BPF_JMP | BPF_JA:
			pc = target;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int)r[BPF_REG_0];
		default:
			return REFUSED_TO_RUN;
		}
	}
	return REFUSED_TO_RUN;
}

/* Is every instruction reachable by falling through or jumping? The verifier insists. */
static bool is_reachable(const struct devices_program *p)
{
	static bool seen[65536];

	memset(seen, 0, sizeof(seen));
	seen[0] = true;
	for (size_t pc = 0; pc < p->n; pc++) {
		/* BPF_JMP and BPF_JMP32 are the only classes up there that the program has. */
		const int class = BPF_CLASS(p->at[pc].code), op = BPF_OP(p->at[pc].code);

		if (!seen[pc])
			return false;
		if (class >= BPF_JMP && op != BPF_EXIT)
			seen[pc + 1 + (size_t)p->at[pc].off] = true;
		if (class < BPF_JMP || (op != BPF_EXIT && op != BPF_JA))
			seen[pc + 1] = true;
	}
	return p->n > 0;
}

static int access_bits(const char *text)
{
	return (strchr(text, 'r') ? BPF_DEVCG_ACC_READ : 0) |
	       (strchr(text, 'w') ? BPF_DEVCG_ACC_WRITE : 0) |
	       (strchr(text, 'm') ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* "c 1:3 rw" */
static int ask(const struct devices_program *p, const char *question)
{
	unsigned major = 0, minor = 0;
	char type = 0, access[4] = "";

	cr_assert_eq(sscanf(question, "%c %u:%u %3s", &type, &major, &minor, access), 4);
	return run(p,
		   (struct bpf_cgroup_dev_ctx){
			   .access_type = (uint32_t)(access_bits(access) << 16) |
					  (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
			   .major = major,
			   .minor = minor });
}

#define ANY       \
	{         \
		0 \
	}
#define IS(v)           \
	{               \
		true, v \
	}
#define RULES(...)                                                         \
	(const struct spec_device_rule[]){ __VA_ARGS__ },                  \
		sizeof((const struct spec_device_rule[]){ __VA_ARGS__ }) / \
			sizeof(struct spec_device_rule)

static const struct {
	const char *name;
	const struct spec_device_rule *rules;
	size_t n;
	bool allow_all;
	const char *allowed[16], *denied[16];
} rows[] = {
	{ "no rules: the defaults",
	  NULL,
	  0,
	  false,
	  { "c 1:3 rwm", "c 1:5 rw", "c 1:7 w", "c 1:8 r", "c 1:9 r", "c 5:0 rw", "c 5:2 rw",
	    "c 136:0 rwm", "c 136:1048575 rw", "c 4:64 m", "b 8:0 m" },
	  { "b 8:0 r", "b 8:0 rm", "c 1:1 r", "c 1:2 w", "c 10:200 rw", "b 1:3 r", "c 5:1 r",
	    "c 135:0 r", "c 10:237 rwm" } },
	{ "deny all, as everybody sends it",
	  RULES({ false, 'a', ANY, ANY, "rwm" }),
	  false,
	  { "c 1:3 rw", "b 8:0 m" },
	  { "b 8:0 r", "c 10:229 rw" } },
	{ "deny all, then some",
	  RULES({ false, 'a', ANY, ANY, "rwm" }, { true, 'c', IS(10), IS(229), "rw" },
		{ true, 'b', IS(8), IS(0), "r" }),
	  false,
	  { "c 10:229 rw", "c 10:229 r", "c 10:229 rwm", "b 8:0 r", "b 8:0 rm" },
	  { "b 8:0 w", "b 8:0 rw", "b 8:1 r", "c 8:0 r", "c 10:228 r", "b 10:229 r" } },
	{ "privileged",
	  RULES({ true, 'a', ANY, ANY, "rwm" }),
	  true,
	  { "b 8:0 rwm", "c 1:1 rw", "c 10:237 r" },
	  { NULL } },
	{ "no access given: all",
	  RULES({ true, 'a', ANY, ANY, NULL }),
	  true,
	  { "b 8:0 rwm" },
	  { NULL } },
	{ "the last one wins",
	  RULES({ true, 'b', IS(8), IS(0), "rwm" }, { false, 'b', IS(8), IS(0), "rwm" }),
	  false,
	  { "b 8:0 m" },
	  { "b 8:0 r", "b 8:0 w" } },
	{ "and again",
	  RULES({ false, 'b', IS(8), IS(0), "rwm" }, { true, 'b', IS(8), IS(0), "rwm" }),
	  false,
	  { "b 8:0 rwm" },
	  { "b 8:1 r" } },
	{ "all but one",
	  RULES({ true, 'a', ANY, ANY, "rwm" }, { false, 'b', IS(8), IS(0), "w" }),
	  false,
	  { "b 8:0 r", "b 8:1 rw", "c 8:0 rw", "b 8:0 rm" },
	  { "b 8:0 w", "b 8:0 rw" } },
	{ "each access on its own",
	  RULES({ true, 'c', IS(10), ANY, "r" }, { true, 'c', ANY, IS(229), "w" }),
	  false,
	  { "c 10:229 rw", "c 10:229 r", "c 10:1 r", "c 11:229 w" },
	  { "c 10:1 w", "c 11:229 r", "c 10:1 rw" } },
	{ "a denial takes a part only",
	  RULES({ true, 'b', IS(8), ANY, "rw" }, { false, 'b', IS(8), IS(1), "w" }),
	  false,
	  { "b 8:0 rw", "b 8:1 r" },
	  { "b 8:1 w", "b 8:1 rw" } },
	{ "a whole major, minus a minor",
	  RULES({ true, 'c', IS(195), IS(-1), "rwm" }, { false, 'c', IS(195), IS(255), "rwm" }),
	  false,
	  { "c 195:0 rw", "c 195:254 rw" },
	  { "c 195:255 r", "c 194:0 r" } },
	{ "minor without major",
	  RULES({ true, 'b', ANY, IS(16), "r" }),
	  false,
	  { "b 8:16 r", "b 254:16 r" },
	  { "b 8:0 r", "c 8:16 r" } },
	{ "defaults can't be denied, as in runc",
	  RULES({ false, 'c', IS(1), IS(3), "rwm" }),
	  false,
	  { "c 1:3 rw" },
	  { "c 1:1 r" } },
	{ "both types by one rule",
	  RULES({ true, 'a', IS(8), IS(0), "r" }),
	  false,
	  { "c 8:0 r", "b 8:0 r" },
	  { "c 8:0 w", "b 8:1 r" } },
	{ "docker 26 privileged: a denial in the middle counts no more",
	  RULES({ false, 'a', ANY, ANY, "rwm" }, { true, 'c', IS(1), IS(5), "rwm" },
		{ false, 'c', IS(10), IS(229), "rwm" }, { true, 'a', ANY, ANY, "rwm" }),
	  true,
	  { "c 10:229 rw", "b 8:0 rw" },
	  { NULL } },
	{ "the greatest numbers",
	  RULES({ true, 'c', IS(4095), IS(1048575), "rwm" }, { true, 'b', IS(4095), ANY, "r" },
		{ true, 'b', ANY, IS(1048575), "w" }),
	  false,
	  { "c 4095:1048575 rw", "b 4095:0 r", "b 1:1048575 w", "b 4095:1048575 rw" },
	  { "c 4095:1048574 r", "c 4094:1048575 r", "b 4094:1 r", "b 0:1048574 w" } },
	{ "numbers that no device has",
	  RULES({ true, 'c', IS(4096), IS(0), "rwm" }, { true, 'c', IS(10), IS(1048576), "rwm" },
		{ true, 'b', IS(4294967295), IS(4294967295), "rwm" }),
	  false,
	  { "c 1:3 r" },
	  { "c 0:0 r", "c 11:0 r", "c 10:0 r", "b 4095:1048575 r" } },
};

Test(cgroup_devices, decides)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct devices_program p = { 0 };
		struct err e = { 0 };

		cr_assert_eq(devices_plan(&a, rows[i].rules, rows[i].n, &p, &e), 0, "%s: %s",
			     rows[i].name, e.msg);
		cr_expect(is_reachable(&p), "%s", rows[i].name);
		cr_expect_eq(p.allow_all, rows[i].allow_all, "%s", rows[i].name);
		for (size_t q = 0; rows[i].allowed[q]; q++)
			cr_expect_eq(ask(&p, rows[i].allowed[q]), 1, "%s: %s is not allowed",
				     rows[i].name, rows[i].allowed[q]);
		for (size_t q = 0; rows[i].denied[q]; q++)
			cr_expect_eq(ask(&p, rows[i].denied[q]), 0, "%s: %s is not denied",
				     rows[i].name, rows[i].denied[q]);
	}
}

/* Each rule alone, judged against the plain definition, on every device it could confuse. */
Test(cgroup_devices, agrees_with_definition)
{
	static const char *const accesses[] = { "r", "w", "m", "rw", "rm", "wm", "rwm" };
	static const int64_t numbers[] = { -1, 8, 9 };
	struct spec_device_rule pool[2 * 3 * 3 * 3];
	size_t n = 0;
	unsigned seed = 1;

	for (int type = 0; type < 3; type++)
		for (int major = 0; major < 3; major++)
			for (int minor = 0; minor < 3; minor++)
				for (int allow = 0; allow < 2; allow++)
					pool[n++] = (struct spec_device_rule){
						.allow = allow,
						.type = "abc"[type],
						.major = { true, numbers[major] },
						.minor = { true, numbers[minor] },
					};
	for (int round = 0; round < 3000; round++) {
		auto_arena struct arena a = { 0 };
		struct spec_device_rule rules[6];
		struct devices_program p = { 0 };

		for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
			seed = seed * 1103515245 + 12345;
			rules[i] = pool[(seed >> 8) % n];
			rules[i].access = accesses[(seed >> 20) % ARRAY_LEN(accesses)];
		}
		cr_assert_eq(devices_plan(&a, rules, ARRAY_LEN(rules), &p, NULL), 0);
		for (unsigned q = 0; q < 2 * 2 * 2 * 7; q++) {
			const char type = q & 1 ? 'b' : 'c', *access = accesses[q >> 3];
			const int major = q & 2 ? 8 : 9, minor = q & 4 ? 8 : 9;
			int left = access_bits(access) & ~BPF_DEVCG_ACC_MKNOD, denied = 0;

			for (size_t i = ARRAY_LEN(rules); i > 0; i--) {
				const struct spec_device_rule *r = &rules[i - 1];
				const int bits = access_bits(r->access) & left;

				if ((r->type != 'a' && r->type != type) ||
				    (r->major.value != -1 && r->major.value != major) ||
				    (r->minor.value != -1 && r->minor.value != minor))
					continue;
				denied |= r->allow ? 0 : bits;
				left &= ~bits;
			}
			cr_assert_eq(run(&p,
					 (struct bpf_cgroup_dev_ctx){
						 .access_type =
							 (uint32_t)(access_bits(access) << 16) |
							 (type == 'b' ? BPF_DEVCG_DEV_BLOCK
								      : BPF_DEVCG_DEV_CHAR),
						 .major = (uint32_t)major,
						 .minor = (uint32_t)minor }),
				     !denied && !left, "round %d: %c %d:%d %s", round, type, major,
				     minor, access);
		}
	}
}

Test(cgroup_devices, drops_what_has_no_say)
{
	static const struct spec_device_rule docker[] = {
		{ false, 'a', ANY, ANY, "rwm" },        { true, 'c', IS(1), IS(5), "rwm" },
		{ true, 'c', IS(1), IS(3), "rwm" },     { true, 'c', IS(1), IS(9), "rwm" },
		{ false, 'a', ANY, ANY, "rwm" },        { true, 'c', IS(1), IS(5), "rwm" },
		{ false, 'c', IS(10), IS(229), "rwm" },
	};
	auto_arena struct arena a = { 0 };
	struct devices_program none = { 0 }, all = { 0 };

	cr_assert_eq(devices_plan(&a, NULL, 0, &none, NULL), 0);
	cr_assert_eq(devices_plan(&a, docker, ARRAY_LEN(docker), &all, NULL), 0);
	cr_expect_eq(all.n, none.n, "%zu, %zu", all.n, none.n);
}

Test(cgroup_devices, refuses)
{
	static const struct {
		struct spec_device_rule rule;
		const char *message;
	} refused[] = {
		{ { true, 'c', IS(1), IS(3), "rx" },
		  "linux.resources.devices[1].access: \"rx\" is not made of r, w and m" },
		{ { true, 'c', IS(1), IS(3), "" },
		  "linux.resources.devices[1].access: \"\" is not made of r, w and m" },
		{ { true, 'p', ANY, ANY, "r" },
		  "linux.resources.devices[1].type: it is not a, b or c" },
		{ { true, 'c', IS(-2), IS(3), "r" },
		  "linux.resources.devices[1].major: -2 is out of range" },
		{ { true, 'c', IS(1), IS(4294967296), "r" },
		  "linux.resources.devices[1].minor: 4294967296 is out of range" },
	};
	static struct spec_device_rule many[DEVICES_MAX + 1];
	auto_arena struct arena a = { 0 };
	struct devices_program p = { 0 };
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		const struct spec_device_rule rules[] = { { false, 'a', ANY, ANY, "rwm" },
							  refused[i].rule };

		cr_expect_eq(devices_plan(&a, rules, 2, &p, &e), -EINVAL);
		cr_expect_str_eq(e.msg, refused[i].message, "%s", e.msg);
	}
	cr_expect_eq(devices_plan(&a, many, ARRAY_LEN(many), &p, &e), -E2BIG);
	cr_expect_str_eq(e.msg, "linux.resources.devices: 2001 rules, and 2000 is the limit");
	for (int i = 0; i < DEVICES_MAX; i++)
		many[i] = (struct spec_device_rule){ .allow = true,
						     .type = 'b',
						     .major = { i % 2 == 0, i },
						     .minor = { i % 2 == 1, i } };
	cr_expect_eq(devices_plan(&a, many, DEVICES_MAX, &p, &e), -E2BIG);
	cr_expect_str_eq(e.msg, "linux.resources.devices: 1000 majors and 1000 minors are too many",
			 "%s", e.msg);
	cr_expect_eq(p.n, 0);
}

/* Far jumps arrive, and what can't be denied is at hand at both ends. */
Test(cgroup_devices, copes_with_many)
{
	static struct spec_device_rule many[DEVICES_MAX];
	auto_arena struct arena a = { 0 };
	struct devices_program p = { 0 };
	struct err e = { 0 };

	for (int i = 0; i < DEVICES_MAX; i++)
		many[i] = (struct spec_device_rule){ .allow = true,
						     .type = 'a',
						     .major = { true, 200 + i / 4 },
						     .minor = { true, i },
						     .access = "r" };
	cr_assert_eq(devices_plan(&a, many, DEVICES_MAX, &p, &e), 0, "%s", e.msg);
	cr_expect(is_reachable(&p));
	cr_expect_lt(p.n, INT16_MAX);
	cr_expect_eq(ask(&p, "c 200:0 r"), 1);
	cr_expect_eq(ask(&p, "c 200:0 w"), 0);
	cr_expect_eq(ask(&p, "b 699:1999 r"), 1);
	cr_expect_eq(ask(&p, "b 699:1999 rw"), 0);
	cr_expect_eq(ask(&p, "b 699:1998 rm"), 1);
	cr_expect_eq(ask(&p, "b 700:1999 r"), 0);
	cr_expect_eq(ask(&p, "c 1:3 rw"), 1);
}
