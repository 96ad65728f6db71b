/*
 * names.h - the words of the runtime specification and what they stand for.
 *
 * One table per kind of word, ending with a NULL name: decoding, messages,
 * `features` and the documentation walk the same rows. Where two words mean
 * the same, the first is the one to show. Capabilities, system calls and mount
 * options are not here: their numbers belong to other modules.
 */
#ifndef HULL_SPEC_NAMES_H
#define HULL_SPEC_NAMES_H

#include "base/json_decode.h"

/* Values: enums of spec.h. */
extern const struct json_name spec_ns_names[];             /* "mount" -> SPEC_NS_MOUNT */
extern const struct json_name spec_hook_names[];           /* in the order of the enum */
extern const struct json_name spec_seccomp_action_names[]; /* "SCMP_ACT_KILL", ... */
extern const struct json_name spec_seccomp_arch_names[];
extern const struct json_name spec_seccomp_op_names[];
extern const struct json_name spec_vm_format_names[];

/* Values: the C library's or the kernel's constants. */
extern const struct json_name spec_rlimit_names[];
extern const struct json_name spec_propagation_names[]; /* MS_ flags; "rslave" has MS_REC */
extern const struct json_name spec_sched_policy_names[];
extern const struct json_name spec_sched_flag_names[];
extern const struct json_name spec_io_class_names[];
extern const struct json_name spec_seccomp_flag_names[];
extern const struct json_name spec_personality_names[];
extern const struct json_name spec_mempolicy_names[];
extern const struct json_name spec_mempolicy_flag_names[];

/* Values: letters; 0 is all devices. */
extern const struct json_name spec_device_names[];      /* linux.devices */
extern const struct json_name spec_device_rule_names[]; /* linux.resources.devices */

#endif
