#include "cgroups/devices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cgroups/grow.h"

enum {
	DECISIONS_MAX = 3000, /* from majors and minors that meet */
	ALL = BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD,
	ANY = -1,        /* type, major or minor */
	MAJOR_BITS = 12, /* of a device's number in the kernel, 32 bits in all */
	MINOR_BITS = 20,
	LOAD_TRIES = 8,
};

/* A rule with everything spelled out. */
struct rule {
	bool allow;
	int type;             /* BPF_DEVCG_DEV_* or ANY */
	int64_t major, minor; /* or ANY */
	int access;           /* of BPF_DEVCG_ACC_* */
};

/*
 * What runc lets every container use, after and so above the configuration's
 * own rules. Making any node is harmless as long as it can't be opened, and
 * package managers do it.
 */
static const struct rule defaults[] = {
	{ true, ANY, ANY, ANY, BPF_DEVCG_ACC_MKNOD },
	{ true, BPF_DEVCG_DEV_CHAR, 1, 3, ALL },     /* null */
	{ true, BPF_DEVCG_DEV_CHAR, 1, 5, ALL },     /* zero */
	{ true, BPF_DEVCG_DEV_CHAR, 1, 7, ALL },     /* full */
	{ true, BPF_DEVCG_DEV_CHAR, 1, 8, ALL },     /* random */
	{ true, BPF_DEVCG_DEV_CHAR, 1, 9, ALL },     /* urandom */
	{ true, BPF_DEVCG_DEV_CHAR, 5, 0, ALL },     /* tty */
	{ true, BPF_DEVCG_DEV_CHAR, 5, 2, ALL },     /* ptmx */
	{ true, BPF_DEVCG_DEV_CHAR, 136, ANY, ALL }, /* pts, and the console is one */
};

/* Rules */

static int decode_access(const char *text)
{
	static const struct {
		char letter;
		int bit;
	} kinds[] = { { 'r', BPF_DEVCG_ACC_READ },
		      { 'w', BPF_DEVCG_ACC_WRITE },
		      { 'm', BPF_DEVCG_ACC_MKNOD } };
	int access = 0;

	if (!text)
		return ALL;
	for (; *text; text++) {
		size_t i = 0;

		while (i < ARRAY_LEN(kinds) && kinds[i].letter != *text)
			i++;
		if (i == ARRAY_LEN(kinds))
			return -EINVAL;
		access |= kinds[i].bit;
	}
	return access ? access : -EINVAL;
}

static int decode_number(struct opt_i64 number, int64_t *ret)
{
	*ret = number.set ? number.value : ANY;
	return *ret >= ANY && *ret <= UINT32_MAX ? 0 : -EINVAL;
}

static int decode_type(int type)
{
	return type == 'c' ? BPF_DEVCG_DEV_CHAR : type == 'b' ? BPF_DEVCG_DEV_BLOCK : ANY;
}

static int decode(const struct spec_device_rule *from, size_t i, struct rule *ret, struct err *e)
{
	ret->allow = from->allow;
	ret->type = decode_type(from->type);
	if (ret->type == ANY && from->type != 'a' && from->type != 0)
		return err_set(e, EINVAL, "linux.resources.devices[%zu].type: it is not a, b or c",
			       i);
	ret->access = decode_access(from->access);
	if (ret->access < 0)
		return err_set(
			e, EINVAL,
			"linux.resources.devices[%zu].access: \"%s\" is not made of r, w and m", i,
			from->access);
	if (decode_number(from->major, &ret->major) < 0)
		return err_set(e, EINVAL,
			       "linux.resources.devices[%zu].major: %" PRId64 " is out of range", i,
			       from->major.value);
	if (decode_number(from->minor, &ret->minor) < 0)
		return err_set(e, EINVAL,
			       "linux.resources.devices[%zu].minor: %" PRId64 " is out of range", i,
			       from->minor.value);
	return 0;
}

/*
 * Decisions
 *
 * All rules together come to one access for each device that is named, for
 * each major and each minor that is, and for all others. Working that out here
 * keeps the program short and without state, and so cheap to load.
 */

struct rules {
	struct rule *at;
	size_t n;
};

struct decision {
	int64_t major, minor; /* or ANY: those that no more exact decision is about */
	int access;
};

struct decisions {
	struct decision *at;
	size_t n;
	int others; /* the access to all that is not named */
};

static bool speaks_about(const struct rule *r, int type, int64_t major, int64_t minor)
{
	return (r->type == ANY || r->type == type) && (r->major == ANY || r->major == major) &&
	       (r->minor == ANY || r->minor == minor);
}

/* Each kind of access is decided by the last rule that speaks about it. */
static int decide(const struct rules *rules, int type, int64_t major, int64_t minor)
{
	int open = ALL, allowed = 0;

	for (size_t i = rules->n; i > 0 && open; i--) {
		const struct rule *r = &rules->at[i - 1];

		if (!speaks_about(r, type, major, minor))
			continue;
		allowed |= r->allow ? open & r->access : 0;
		open &= ~r->access;
	}
	return allowed;
}

/* The decision that holds for a device which has none of its own. */
static int access_otherwise(const struct decisions *d, int64_t major, int64_t minor)
{
	int access = d->others;

	for (size_t i = 0; i < d->n; i++) {
		if (d->at[i].major == major && d->at[i].minor == ANY)
			return d->at[i].access;
		if (d->at[i].major == ANY && d->at[i].minor == minor)
			access = d->at[i].access;
	}
	return access;
}

static void add(struct arena *a, struct decisions *d, const struct rules *rules, int type,
		int64_t major, int64_t minor)
{
	const int access = decide(rules, type, major, minor);

	/* No device has such a number. */
	if (major >= 1 << MAJOR_BITS || minor >= 1 << MINOR_BITS)
		return;
	for (size_t i = 0; i < d->n; i++)
		if (d->at[i].major == major && d->at[i].minor == minor)
			return;
	if (major != ANY && minor != ANY && access == access_otherwise(d, major, minor))
		return;
	*grow_list(a, d) = (struct decision){ major, minor, access };
}

/* Whole majors and minors come first: the others are worth a decision only if they differ. */
static int decide_all(struct arena *a, const struct rules *rules, int type, struct decisions *ret,
		      struct err *e)
{
	struct decisions d = { .others = decide(rules, type, ANY, ANY) };
	size_t wide, majors = 0;

	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->at[i];

		if ((r->type == ANY || r->type == type) && (r->major == ANY) != (r->minor == ANY))
			add(a, &d, rules, type, r->major, r->minor);
	}
	wide = d.n;
	for (size_t i = 0; i < wide; i++)
		majors += d.at[i].minor == ANY;
	if (majors * (wide - majors) > DECISIONS_MAX)
		return err_set(e, E2BIG,
			       "linux.resources.devices: %zu majors and %zu minors are too many",
			       majors, wide - majors);
	for (size_t i = 0; i < wide; i++)
		for (size_t k = 0; k < wide; k++)
			if (d.at[i].minor == ANY && d.at[k].major == ANY)
				add(a, &d, rules, type, d.at[i].major, d.at[k].minor);
	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->at[i];

		if ((r->type == ANY || r->type == type) && r->major != ANY && r->minor != ANY)
			add(a, &d, rules, type, r->major, r->minor);
	}
	*ret = d;
	return 0;
}

static bool are_all(const struct decisions *d, int access)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->at[i].access != access)
			return false;
	return d->others == access;
}

/*
 * The program
 *
 *	        r3 = ctx->access_type; r2 = r3 >> 16; r3 &= 0xffff
 *	        r4 = ctx->major; r5 = ctx->minor; r6 = r4 << 20 | r5
 *	        if r3 == BLOCK goto blocks
 *	        DECISIONS about character devices
 *	blocks: DECISIONS about block devices
 *	deny:   return 0
 *	allow:  return 1
 *
 * A decision, where r6 may also be r4 or r5, and where the rest is a single
 * jump if all or nothing is allowed:
 *
 *	if r6 != DEVICE goto +2; if r2 & ~ACCESS goto deny; goto allow
 */

enum { TO_DENY = -1, TO_ALLOW = -2 }; /* jumps whose distance comes last */

static void emit(struct arena *a, struct devices_program *p, int code, unsigned dst, unsigned src,
		 int off, int64_t imm)
{
	struct bpf_insn *i = grow_list(a, p);

	i->code = (uint8_t)code;
	i->dst_reg = dst & 15u;
	i->src_reg = src & 15u;
	i->off = (int16_t)off;
	i->imm = (int32_t)imm;
}

static void emit_start(struct arena *a, struct devices_program *p)
{
	const int load = BPF_LDX | BPF_MEM | BPF_W;

	emit(a, p, load, BPF_REG_3, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(a, p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_3, 0, 0);
	emit(a, p, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_2, 0, 0, 16);
	emit(a, p, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_3, 0, 0, 0xffff);
	emit(a, p, load, BPF_REG_4, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(a, p, load, BPF_REG_5, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	emit(a, p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_4, 0, 0);
	emit(a, p, BPF_ALU64 | BPF_LSH | BPF_K, BPF_REG_6, 0, 0, MINOR_BITS);
	emit(a, p, BPF_ALU64 | BPF_OR | BPF_X, BPF_REG_6, BPF_REG_5, 0, 0);
}

static void emit_decision(struct arena *a, struct devices_program *p, const struct decision *d)
{
	const unsigned reg = d->major == ANY ? BPF_REG_5 : d->minor == ANY ? BPF_REG_4 : BPF_REG_6;
	const int64_t value = d->major == ANY   ? d->minor
			      : d->minor == ANY ? d->major
						: d->major << MINOR_BITS | d->minor;

	if (d->access == ALL || d->access == 0) {
		emit(a, p, BPF_JMP32 | BPF_JEQ | BPF_K, reg, 0, d->access ? TO_ALLOW : TO_DENY,
		     value);
		return;
	}
	emit(a, p, BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, 2, value);
	emit(a, p, BPF_JMP | BPF_JSET | BPF_K, BPF_REG_2, 0, TO_DENY, ALL & ~d->access);
	emit(a, p, BPF_JMP | BPF_JA, 0, 0, TO_ALLOW, 0);
}

/* The most exact first; majors before minors, as access_otherwise() has it. */
static void emit_decisions(struct arena *a, struct devices_program *p, const struct decisions *d)
{
	if (!are_all(d, d->others)) {
		for (int kind = 0; kind < 3; kind++) {
			for (size_t i = 0; i < d->n; i++) {
				const struct decision *one = &d->at[i];

				if (kind == (one->minor == ANY ? 1 : one->major == ANY ? 2 : 0))
					emit_decision(a, p, one);
			}
		}
	}
	if (d->others != ALL && d->others != 0)
		emit(a, p, BPF_JMP | BPF_JSET | BPF_K, BPF_REG_2, 0, TO_DENY, ALL & ~d->others);
	emit(a, p, BPF_JMP | BPF_JA, 0, 0, d->others ? TO_ALLOW : TO_DENY, 0);
}

/* The verifier refuses what can't be reached. */
static void emit_end(struct arena *a, struct devices_program *p, int which, int value)
{
	const size_t here = p->n;
	bool used = false;

	for (size_t i = 0; i < here; i++) {
		if (BPF_CLASS(p->at[i].code) < BPF_JMP || p->at[i].off != which)
			continue;
		p->at[i].off = (int16_t)(here - i - 1);
		used = true;
	}
	if (!used)
		return;
	emit(a, p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
	emit(a, p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static struct devices_program assemble(struct arena *a, const struct decisions *chars,
				       const struct decisions *blocks)
{
	struct devices_program p = { .allow_all = are_all(chars, ALL) && are_all(blocks, ALL) };
	size_t branch;

	emit_start(a, &p);
	branch = p.n;
	emit(a, &p, BPF_JMP32 | BPF_JEQ | BPF_K, BPF_REG_3, 0, 0, BPF_DEVCG_DEV_BLOCK);
	emit_decisions(a, &p, chars);
	p.at[branch].off = (int16_t)(p.n - branch - 1);
	emit_decisions(a, &p, blocks);
	emit_end(a, &p, TO_DENY, 0);
	emit_end(a, &p, TO_ALLOW, 1);
	return p;
}

int devices_plan(struct arena *a, const struct spec_device_rule *rules, size_t n,
		 struct devices_program *ret, struct err *e)
{
	struct rules all = { 0 };
	struct decisions chars = { 0 }, blocks = { 0 };

	if (n > DEVICES_MAX)
		return err_set(e, E2BIG, "linux.resources.devices: %zu rules, and %d is the limit",
			       n, DEVICES_MAX);
	for (size_t i = 0; i < n; i++)
		TRY(decode(&rules[i], i, grow_list(a, &all), e));
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		*grow_list(a, &all) = defaults[i];
	TRY(decide_all(a, &all, BPF_DEVCG_DEV_CHAR, &chars, e));
	TRY(decide_all(a, &all, BPF_DEVCG_DEV_BLOCK, &blocks, e));
	*ret = assemble(a, &chars, &blocks);
	return 0;
}

/*
 * Attaching
 *
 * Always with a whole union bpf_attr: from 6.17 to 7.1 the kernel writes
 * query.revision back into attributes that are too short for it (fixed by
 * commit 21c4b99b27f3).
 */
static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(const struct devices_program *program)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE };
	int fd = -1;

	attr.insns = (uintptr_t)program->at;
	attr.insn_cnt = (uint32_t)program->n;
	attr.license = (uintptr_t) "Dual BSD/GPL";
	attr.expected_attach_type = BPF_CGROUP_DEVICE;
	memcpy(attr.prog_name, "hull_devices", sizeof("hull_devices"));
	/* The verifier gives up when a signal arrives. */
	for (int i = 0; i < LOAD_TRIES; i++) {
		fd = bpf(BPF_PROG_LOAD, &attr);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

/* The programs that the cgroup has. */
static int query(int cgroup_fd, uint32_t ids[DEVICES_PROGRAMS_MAX], /* NOLINT: the kernel writes them */
		 size_t *ret_n)
{
	union bpf_attr attr = { 0 };

	attr.query.target_fd = (uint32_t)cgroup_fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = DEVICES_PROGRAMS_MAX;
	if (bpf(BPF_PROG_QUERY, &attr) < 0)
		return -errno;
	*ret_n = attr.query.prog_cnt;
	return 0;
}

static int open_program(uint32_t id)
{
	union bpf_attr attr = { .prog_id = id };

	return bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

static int attach(int cgroup_fd, int program, int replaced)
{
	union bpf_attr attr = { .target_fd = (uint32_t)cgroup_fd };

	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replaced >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replaced;
	}
	return bpf(BPF_PROG_ATTACH, &attr);
}

static int detach(int cgroup_fd, int program)
{
	union bpf_attr attr = { .target_fd = (uint32_t)cgroup_fd };

	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	return bpf(BPF_PROG_DETACH, &attr);
}

static int open_old(int cgroup_fd, struct devices_before *before, struct err *e)
{
	uint32_t ids[DEVICES_PROGRAMS_MAX];
	size_t n = 0;
	int r = query(cgroup_fd, ids, &n);

	if (r < 0)
		return err_neg(e, r, "ask for the cgroup's device policy");
	for (; before->n < n; before->n++) {
		before->old[before->n] = open_program(ids[before->n]);
		if (before->old[before->n] < 0)
			return err_sys(e, "open the cgroup's old device policy");
	}
	return 0;
}

/* One old program is replaced at once; of several, all have to allow until the last is gone. */
static int replace(int cgroup_fd, int program, const struct devices_before *before, struct err *e)
{
	if (before->n != 1 && attach(cgroup_fd, program, -1) < 0)
		return err_sys(e, "attach the device policy");
	for (size_t i = 0; i < before->n; i++)
		if (before->n == 1 ? attach(cgroup_fd, program, before->old[i]) < 0
				   : detach(cgroup_fd, before->old[i]) < 0)
			return err_sys(e, "replace the cgroup's old device policy");
	return 0;
}

static int load_program(const struct devices_program *program, struct err *e)
{
	int fd = load(program);

	return fd < 0 ? err_sys(e, "load the device policy (%zu instructions)", program->n) : fd;
}

int devices_replace(int cgroup_fd, const struct devices_program *program,
		    struct devices_before *ret_before, struct err *e)
{
	auto_devices_before struct devices_before before = DEVICES_UNCHANGED;

	before.program = load_program(program, e);
	TRY(before.program);
	TRY(open_old(cgroup_fd, &before, e));
	TRY(replace(cgroup_fd, before.program, &before, e));
	*ret_before = before;
	before = (struct devices_before)DEVICES_UNCHANGED;
	return 0;
}

/* Of several, the first is added while the new one still stands, so that no moment is without one. */
int devices_put_back(int cgroup_fd, const struct devices_before *before, struct err *e)
{
	if (before->program < 0)
		return 0;
	if (before->n == 1 && attach(cgroup_fd, before->old[0], before->program) < 0)
		return err_sys(e, "put back the cgroup's device policy");
	for (size_t i = 0; before->n > 1 && i < before->n; i++)
		if (attach(cgroup_fd, before->old[i], -1) < 0)
			return err_sys(e, "put back the cgroup's device policy");
	if (before->n != 1 && detach(cgroup_fd, before->program) < 0)
		return err_sys(e, "detach the cgroup's new device policy");
	return 0;
}

void devices_before_done(struct devices_before *before)
{
	close_fd(&before->program);
	for (size_t i = 0; i < before->n; i++)
		close_fd(&before->old[i]);
	before->n = 0;
}

int devices_attach(int cgroup_fd, const struct devices_program *program, bool fresh, struct err *e)
{
	auto_fd int fd = -1;

	if (fresh && program->allow_all)
		return 0;
	if (!fresh) {
		auto_devices_before struct devices_before before = DEVICES_UNCHANGED;

		return devices_replace(cgroup_fd, program, &before, e);
	}
	fd = load_program(program, e);
	TRY(fd);
	if (attach(cgroup_fd, fd, -1) < 0)
		return err_sys(e, "attach the device policy");
	return 0;
}
