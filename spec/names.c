#include "spec/names.h"

#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "spec/spec.h"

/* MPOL_WEIGHTED_INTERLEAVE, which linux/mempolicy.h has since Linux 6.9. */
enum { WEIGHTED_INTERLEAVE = 6 };

const struct json_name spec_ns_names[] = {
	{ "user", SPEC_NS_USER },     { "pid", SPEC_NS_PID },   { "network", SPEC_NS_NETWORK },
	{ "mount", SPEC_NS_MOUNT },   { "ipc", SPEC_NS_IPC },   { "uts", SPEC_NS_UTS },
	{ "cgroup", SPEC_NS_CGROUP }, { "time", SPEC_NS_TIME }, { 0 },
};

const struct json_name spec_hook_names[] = {
	{ "prestart", SPEC_HOOK_PRESTART },
	{ "createRuntime", SPEC_HOOK_CREATE_RUNTIME },
	{ "createContainer", SPEC_HOOK_CREATE_CONTAINER },
	{ "startContainer", SPEC_HOOK_START_CONTAINER },
	{ "poststart", SPEC_HOOK_POSTSTART },
	{ "poststop", SPEC_HOOK_POSTSTOP },
	{ 0 },
};

const struct json_name spec_seccomp_action_names[] = {
	{ "SCMP_ACT_KILL", SPEC_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_THREAD", SPEC_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SPEC_ACT_KILL_PROCESS },
	{ "SCMP_ACT_TRAP", SPEC_ACT_TRAP },
	{ "SCMP_ACT_ERRNO", SPEC_ACT_ERRNO },
	{ "SCMP_ACT_TRACE", SPEC_ACT_TRACE },
	{ "SCMP_ACT_ALLOW", SPEC_ACT_ALLOW },
	{ "SCMP_ACT_LOG", SPEC_ACT_LOG },
	{ "SCMP_ACT_NOTIFY", SPEC_ACT_NOTIFY },
	{ 0 },
};

const struct json_name spec_seccomp_arch_names[] = {
	{ "SCMP_ARCH_X86", SPEC_ARCH_X86 },
	{ "SCMP_ARCH_X86_64", SPEC_ARCH_X86_64 },
	{ "SCMP_ARCH_X32", SPEC_ARCH_X32 },
	{ "SCMP_ARCH_ARM", SPEC_ARCH_ARM },
	{ "SCMP_ARCH_AARCH64", SPEC_ARCH_AARCH64 },
	{ "SCMP_ARCH_LOONGARCH64", SPEC_ARCH_LOONGARCH64 },
	{ "SCMP_ARCH_M68K", SPEC_ARCH_M68K },
	{ "SCMP_ARCH_MIPS", SPEC_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64", SPEC_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32", SPEC_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", SPEC_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64", SPEC_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", SPEC_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PPC", SPEC_ARCH_PPC },
	{ "SCMP_ARCH_PPC64", SPEC_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE", SPEC_ARCH_PPC64LE },
	{ "SCMP_ARCH_S390", SPEC_ARCH_S390 },
	{ "SCMP_ARCH_S390X", SPEC_ARCH_S390X },
	{ "SCMP_ARCH_SH", SPEC_ARCH_SH },
	{ "SCMP_ARCH_SHEB", SPEC_ARCH_SHEB },
	{ "SCMP_ARCH_PARISC", SPEC_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64", SPEC_ARCH_PARISC64 },
	{ "SCMP_ARCH_RISCV64", SPEC_ARCH_RISCV64 },
	{ 0 },
};

const struct json_name spec_seccomp_op_names[] = {
	{ "SCMP_CMP_NE", SPEC_CMP_NE },
	{ "SCMP_CMP_LT", SPEC_CMP_LT },
	{ "SCMP_CMP_LE", SPEC_CMP_LE },
	{ "SCMP_CMP_EQ", SPEC_CMP_EQ },
	{ "SCMP_CMP_GE", SPEC_CMP_GE },
	{ "SCMP_CMP_GT", SPEC_CMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SPEC_CMP_MASKED_EQ },
	{ 0 },
};

const struct json_name spec_vm_format_names[] = {
	{ "raw", SPEC_VM_RAW },   { "qcow2", SPEC_VM_QCOW2 }, { "vdi", SPEC_VM_VDI },
	{ "vmdk", SPEC_VM_VMDK }, { "vhd", SPEC_VM_VHD },     { 0 },
};

const struct json_name spec_rlimit_names[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
	{ 0 },
};

const struct json_name spec_propagation_names[] = {
	{ "private", MS_PRIVATE },
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "unbindable", MS_UNBINDABLE },
	{ "rprivate", MS_PRIVATE | MS_REC },
	{ "rshared", MS_SHARED | MS_REC },
	{ "rslave", MS_SLAVE | MS_REC },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
	{ 0 },
};

const struct json_name spec_sched_policy_names[] = {
	{ "SCHED_OTHER", SCHED_OTHER },
	{ "SCHED_FIFO", SCHED_FIFO },
	{ "SCHED_RR", SCHED_RR },
	{ "SCHED_BATCH", SCHED_BATCH },
	{ "SCHED_ISO", SCHED_ISO },
	{ "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
	{ 0 },
};

const struct json_name spec_sched_flag_names[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
	{ 0 },
};

const struct json_name spec_io_class_names[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ 0 },
};

const struct json_name spec_seccomp_flag_names[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ 0 },
};

const struct json_name spec_personality_names[] = {
	{ "LINUX", PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
	{ 0 },
};

const struct json_name spec_mempolicy_names[] = {
	{ "MPOL_DEFAULT", MPOL_DEFAULT },       { "MPOL_BIND", MPOL_BIND },
	{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE }, { "MPOL_WEIGHTED_INTERLEAVE", WEIGHTED_INTERLEAVE },
	{ "MPOL_PREFERRED", MPOL_PREFERRED },   { "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
	{ "MPOL_LOCAL", MPOL_LOCAL },           { 0 },
};

const struct json_name spec_mempolicy_flag_names[] = {
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
	{ 0 },
};

/* "u" is an unbuffered character device, which Linux has no other way to say. */
const struct json_name spec_device_names[] = {
	{ "b", 'b' }, { "c", 'c' }, { "u", 'c' }, { "p", 'p' }, { 0 },
};

const struct json_name spec_device_rule_names[] = {
	{ "a", 0 },
	{ "b", 'b' },
	{ "c", 'c' },
	{ 0 },
};
