/*
 * spec.h - the container configuration, as plain data.
 *
 * All that runtime-spec 1.3.0 lets config.json say for Linux and for virtual
 * machines, typed, checked and read-only:
 *
 *	auto_spec struct spec s = { 0 };
 *
 *	TRY(spec_parse(&s, "config.json", text, size, e));
 *
 * What is absent is zero: NULL, an empty list, an opt_* that is not set. An
 * empty string that could be absent is absent, as Go cannot tell them apart.
 * Members that say "a FOO_* constant" hold the C library's or the kernel's own
 * number; names that need another library to mean something (capabilities,
 * system calls) and mount options stay strings.
 */
#ifndef HULL_SPEC_SPEC_H
#define HULL_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "base/opt.h"

/* The version of the runtime specification that this is. */
#define SPEC_VERSION "1.3.0"

/* Lists that travel between modules have names. */
struct spec_pair {
	const char *key, *value;
};
struct spec_pairs {
	struct spec_pair *at;
	size_t n;
};

struct spec_idmap {
	uint32_t container_id, host_id, size;
};
struct spec_idmaps {
	struct spec_idmap *at;
	size_t n;
};

/* process */

struct spec_user {
	uint32_t uid, gid;
	struct opt_u32 umask;
	LIST(uint32_t) additional_gids;
	const char *username; /* for Windows; kept, but it selects nothing */
};

struct spec_capabilities {
	struct strings bounding, effective, permitted, inheritable, ambient; /* "CAP_CHOWN" */
};

struct spec_rlimit {
	int resource; /* a RLIMIT_* constant */
	uint64_t soft, hard;
};

struct spec_scheduler {
	int policy; /* a SCHED_* constant */
	int32_t nice, priority;
	uint32_t flags; /* SCHED_FLAG_* */
	uint64_t runtime, deadline, period;
};

struct spec_io_priority {
	int class; /* an IOPRIO_CLASS_* constant */
	int32_t priority;
};

struct spec_cpu_affinity {
	const char *initial, *final; /* lists of CPUs: "0-3,7"; NULL: not given */
};

struct spec_process {
	bool terminal, no_new_privileges;
	struct {
		uint16_t height, width;
	} console_size;
	struct spec_user user;
	struct strings args; /* never empty, and neither is args.at[0] */
	struct strings env;
	const char *cwd; /* absolute */
	const struct spec_capabilities *capabilities;
	LIST(struct spec_rlimit) rlimits;
	struct opt_i32 oom_score_adj;
	const char *apparmor_profile, *selinux_label;
	const struct spec_scheduler *scheduler;
	const struct spec_io_priority *io_priority;
	const struct spec_cpu_affinity *exec_cpu_affinity;
};

/* mounts, hooks */

struct spec_mount {
	const char *destination; /* absolute, or relative to "/" */
	const char *type, *source;
	struct strings options;
	struct spec_idmaps uid_mappings, gid_mappings;
};

struct spec_hook {
	const char *path; /* absolute */
	struct strings args, env;
	struct opt_i64 timeout; /* seconds, at least 1 */
};
struct spec_hooks {
	struct spec_hook *at;
	size_t n;
};

/* In the order in which they run. */
enum spec_hook_kind {
	SPEC_HOOK_PRESTART,
	SPEC_HOOK_CREATE_RUNTIME,
	SPEC_HOOK_CREATE_CONTAINER,
	SPEC_HOOK_START_CONTAINER,
	SPEC_HOOK_POSTSTART,
	SPEC_HOOK_POSTSTOP,
	SPEC_HOOK_KINDS
};

/* linux: namespaces and devices */

enum spec_ns {
	SPEC_NS_USER,
	SPEC_NS_PID,
	SPEC_NS_NETWORK,
	SPEC_NS_MOUNT,
	SPEC_NS_IPC,
	SPEC_NS_UTS,
	SPEC_NS_CGROUP,
	SPEC_NS_TIME,
	SPEC_NS_KINDS
};

struct spec_namespace {
	enum spec_ns type;
	const char *path; /* absolute: join this one; NULL: make a new one */
};

struct spec_time_offset {
	const char *clock; /* "monotonic" or "boottime" */
	int64_t secs;
	uint32_t nanosecs;
};

struct spec_device {
	int type; /* 'b', 'c' or 'p'; "u" is 'c' */
	const char *path;
	int64_t major, minor;     /* 0 for 'p' */
	struct opt_u32 file_mode; /* engines set the bits of the file's type too */
	struct opt_u32 uid, gid;
};

struct spec_net_device {
	const char *host_name;
	const char *name; /* in the container; NULL: the same */
};

/* linux.resources */

struct spec_device_rule {
	bool allow;
	int type;                    /* 'b' or 'c'; 0: all */
	struct opt_i64 major, minor; /* not set, or -1: all */
	const char *access;          /* of "rwm"; NULL: all */
};

struct spec_memory {
	struct opt_i64 limit, reservation, swap, kernel, kernel_tcp; /* bytes; -1: unlimited */
	struct opt_u64 swappiness;
	struct opt_bool disable_oom_killer, use_hierarchy, check_before_update;
};

struct spec_cpu {
	struct opt_u64 shares, period, burst, realtime_period;
	struct opt_i64 quota, realtime_runtime, idle;
	const char *cpus, *mems; /* lists: "0-3,7" */
};

struct spec_weight_device {
	int64_t major, minor;
	struct opt_u16 weight, leaf_weight;
};

struct spec_throttle_device {
	int64_t major, minor;
	uint64_t rate;
};
struct spec_throttle_devices {
	struct spec_throttle_device *at;
	size_t n;
};

struct spec_block_io {
	struct opt_u16 weight, leaf_weight;
	LIST(struct spec_weight_device) weight_devices;
	struct spec_throttle_devices read_bps, write_bps, read_iops, write_iops;
};

struct spec_hugepage_limit {
	const char *page_size; /* "2MB" */
	uint64_t limit;        /* bytes */
};

struct spec_net_priority {
	const char *name;
	uint32_t priority;
};

struct spec_rdma {
	const char *device;
	struct opt_u32 hca_handles, hca_objects;
};

struct spec_resources {
	LIST(struct spec_device_rule) devices;
	struct spec_memory memory;
	struct spec_cpu cpu;
	struct opt_i64 pids_limit;
	struct spec_block_io block_io;
	LIST(struct spec_hugepage_limit) hugepage_limits;
	struct {
		struct opt_u32 class_id;
		LIST(struct spec_net_priority) priorities;
	} network;
	LIST(struct spec_rdma) rdma;
	struct spec_pairs unified; /* cgroup v2 file -> what to write */
};

/* linux.seccomp */

enum spec_seccomp_action {
	SPEC_ACT_KILL_THREAD, /* SCMP_ACT_KILL is the same */
	SPEC_ACT_KILL_PROCESS,
	SPEC_ACT_TRAP,
	SPEC_ACT_ERRNO,
	SPEC_ACT_TRACE,
	SPEC_ACT_ALLOW,
	SPEC_ACT_LOG,
	SPEC_ACT_NOTIFY,
	SPEC_ACT_KINDS
};

enum spec_seccomp_arch {
	SPEC_ARCH_X86,
	SPEC_ARCH_X86_64,
	SPEC_ARCH_X32,
	SPEC_ARCH_ARM,
	SPEC_ARCH_AARCH64,
	SPEC_ARCH_LOONGARCH64,
	SPEC_ARCH_M68K,
	SPEC_ARCH_MIPS,
	SPEC_ARCH_MIPS64,
	SPEC_ARCH_MIPS64N32,
	SPEC_ARCH_MIPSEL,
	SPEC_ARCH_MIPSEL64,
	SPEC_ARCH_MIPSEL64N32,
	SPEC_ARCH_PPC,
	SPEC_ARCH_PPC64,
	SPEC_ARCH_PPC64LE,
	SPEC_ARCH_S390,
	SPEC_ARCH_S390X,
	SPEC_ARCH_SH,
	SPEC_ARCH_SHEB,
	SPEC_ARCH_PARISC,
	SPEC_ARCH_PARISC64,
	SPEC_ARCH_RISCV64,
	SPEC_ARCH_KINDS
};

enum spec_seccomp_op {
	SPEC_CMP_NE,
	SPEC_CMP_LT,
	SPEC_CMP_LE,
	SPEC_CMP_EQ,
	SPEC_CMP_GE,
	SPEC_CMP_GT,
	SPEC_CMP_MASKED_EQ, /* value is the mask, value_two what to compare with */
	SPEC_CMP_KINDS
};

struct spec_seccomp_arg {
	uint32_t index; /* 0 .. 5 */
	enum spec_seccomp_op op;
	uint64_t value, value_two;
};

struct spec_seccomp_rule {
	struct strings names; /* never empty */
	enum spec_seccomp_action action;
	struct opt_u32 errno_ret;
	LIST(struct spec_seccomp_arg) args;
};

struct spec_seccomp {
	enum spec_seccomp_action default_action;
	struct opt_u32 default_errno_ret;
	struct opt_u32 flags; /* SECCOMP_FILTER_FLAG_*; not set: the runtime chooses */
	LIST(enum spec_seccomp_arch) architectures;
	LIST(struct spec_seccomp_rule) syscalls;
	const char *listener_path, *listener_metadata;
};

/* linux: the rest */

struct spec_intel_rdt {
	const char *clos_id;
	struct strings schemata;
	const char *l3_cache_schema, *mem_bw_schema;
	bool enable_monitoring;
};

struct spec_memory_policy {
	int mode;          /* a MPOL_* constant */
	uint32_t flags;    /* MPOL_F_* */
	const char *nodes; /* "0-3,7" */
};

struct spec_personality {
	int domain;           /* PER_LINUX or PER_LINUX32 */
	struct strings flags; /* of which none is defined yet: a rule refuses any */
};

struct spec_linux {
	LIST(struct spec_namespace) namespaces; /* each type at most once */
	struct spec_idmaps uid_mappings, gid_mappings;
	LIST(struct spec_time_offset) time_offsets;
	LIST(struct spec_device) devices;
	LIST(struct spec_net_device) net_devices;
	const char *cgroups_path;
	struct spec_resources resources;
	int rootfs_propagation; /* MS_SLAVE or the like, perhaps with MS_REC; 0: not given */
	const struct spec_seccomp *seccomp;
	struct spec_pairs sysctl;
	struct strings masked_paths, readonly_paths;
	const char *mount_label;
	const struct spec_intel_rdt *intel_rdt;
	const struct spec_memory_policy *memory_policy;
	const struct spec_personality *personality;
};

/* vm */

enum spec_vm_format {
	SPEC_VM_RAW,
	SPEC_VM_QCOW2,
	SPEC_VM_VDI,
	SPEC_VM_VMDK,
	SPEC_VM_VHD,
	SPEC_VM_FORMATS
};

struct spec_vm_iomem {
	struct opt_u64 first_gfn;
	uint64_t first_mfn, nr_mfns;
};

/* Paths are absolute. */
struct spec_vm {
	struct {
		const char *path; /* NULL: not given */
		struct strings parameters;
	} hypervisor;
	struct {
		const char *path, *initrd;
		struct strings parameters;
	} kernel;
	struct {
		const char *path; /* NULL: not given */
		enum spec_vm_format format;
	} image;
	struct {
		const char *device_tree;
		struct opt_u32 vcpus;
		struct opt_u64 memory; /* bytes */
		struct strings dtdevs;
		LIST(struct spec_vm_iomem) iomems;
		LIST(uint32_t) irqs;
	} hw_config;
};

/* The document. */
struct spec {
	struct arena arena; /* owns everything below */
	const char *oci_version;
	struct {
		const char *path;
		bool readonly;
	} root;
	const struct spec_process *process; /* NULL: the container can be created, not started */
	const char *hostname, *domainname;
	LIST(struct spec_mount) mounts;
	struct spec_hooks hooks[SPEC_HOOK_KINDS];
	struct spec_pairs annotations;
	struct spec_linux linux;
	const struct spec_vm *vm;
};

/*
 * Decodes and checks a config.json; messages call it `name` and read
 * "NAME:LINE:COLUMN: json.path: what is wrong". `text` may go afterwards, and
 * after a failure *ret holds nothing.
 */
int spec_parse(struct spec *ret, const char *name, const char *text, size_t size, struct err *e)
	MUST_CHECK;
void spec_done(struct spec *s);

/* The same for a bare process (exec --process); what it points to lives in `a`. */
int spec_parse_process(struct spec_process *ret, struct arena *a, const char *name,
		       const char *text, size_t size, struct err *e) MUST_CHECK;

/* The same for a bare, partial linux.resources (update --resources). */
int spec_parse_resources(struct spec_resources *ret, struct arena *a, const char *name,
			 const char *text, size_t size, struct err *e) MUST_CHECK;

/* Fails for a configuration without a process, which can be created but not started. */
int spec_require_process(const struct spec *s, const char *name, struct err *e) MUST_CHECK;

/* The entry for this type of namespace; NULL: the container shares the runtime's. */
const struct spec_namespace *spec_namespace(const struct spec *s, enum spec_ns type);

/* The value of an annotation, NULL without one. */
const char *spec_annotation(const struct spec *s, const char *key);

#define auto_spec __attribute__((cleanup(spec_done)))

#endif
