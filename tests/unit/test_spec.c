/* What a configuration says arrives where it belongs. */
#include <errno.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "base/json_decode.h"
#include "spec/names.h"
#include "spec/spec_default.h"
#include "spec/tables.h"
#include "test_spec_data.h"

/* tests/data/spec/everything.json */
static struct spec all;

static void load_everything(void)
{
	auto_free char *dir = data_path("tests/data/spec");
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	data_read(dir, "everything.json", &text);
	cr_assert_eq(spec_parse(&all, "everything.json", text.text, text.len, &e), 0, "%s", e.msg);
}

static void release_everything(void)
{
	spec_done(&all);
}

TestSuite(everything, .init = load_everything, .fini = release_everything);

#define EXPECT_STRINGS(list, ...)                                                             \
	do {                                                                                  \
		const char *const expected_[] = { __VA_ARGS__ };                              \
		cr_assert_eq((list).n, ARRAY_LEN(expected_), #list " has %zu", (list).n);     \
		for (size_t i_ = 0; i_ < (list).n; i_++)                                      \
			cr_expect_str_eq((list).at[i_], expected_[i_], #list "[%zu]: %s", i_, \
					 (list).at[i_]);                                      \
	} while (0)

#define EXPECT_SET(opt, expected) \
	cr_expect((opt).set && (opt).value == (expected), #opt ": set %d", (opt).set)

Test(everything, document)
{
	cr_expect_str_eq(all.oci_version, "1.3.0-rc.1+dev");
	cr_expect_str_eq(all.root.path, "/images/a/rootfs");
	cr_expect(all.root.readonly);
	cr_expect_str_eq(all.hostname, "host");
	cr_expect_str_eq(all.domainname, "domain");
	cr_assert_eq(all.annotations.n, 2, "null is the same as absent");
	cr_expect_str_eq(all.annotations.at[0].key, "org.example.a");
	cr_expect_str_eq(spec_annotation(&all, "org.example.a"), "1");
	cr_expect_str_eq(spec_annotation(&all, "b"), "");
	cr_expect_null(spec_annotation(&all, "c"));
}

Test(everything, process)
{
	const struct spec_process *p = all.process;

	cr_assert(p);
	cr_expect(p->terminal);
	cr_expect(p->no_new_privileges);
	cr_expect_eq(p->console_size.height, 24);
	cr_expect_eq(p->console_size.width, 65535);
	cr_expect_eq(p->user.uid, 1);
	cr_expect_eq(p->user.gid, 2);
	EXPECT_SET(p->user.umask, 18);
	cr_assert_eq(p->user.additional_gids.n, 2);
	cr_expect_eq(p->user.additional_gids.at[1], 7);
	cr_expect_str_eq(p->user.username, "nobody");
	EXPECT_STRINGS(p->args, "/bin/sh", "-c", "");
	EXPECT_STRINGS(p->env, "A=", "B=c=d");
	cr_expect_str_eq(p->cwd, "/tmp");
	EXPECT_STRINGS(p->capabilities->bounding, "CAP_B");
	EXPECT_STRINGS(p->capabilities->effective, "CAP_E");
	EXPECT_STRINGS(p->capabilities->permitted, "CAP_P");
	EXPECT_STRINGS(p->capabilities->inheritable, "CAP_I");
	EXPECT_STRINGS(p->capabilities->ambient, "CAP_A");
	cr_assert_eq(p->rlimits.n, 2);
	cr_expect_eq(p->rlimits.at[0].resource, RLIMIT_NOFILE);
	cr_expect_eq(p->rlimits.at[0].soft, 1);
	cr_expect_eq(p->rlimits.at[0].hard, RLIM_INFINITY);
	EXPECT_SET(p->oom_score_adj, -1000);
	cr_expect_str_eq(p->apparmor_profile, "profile");
	cr_expect_str_eq(p->selinux_label, "label");
	cr_expect_eq(p->scheduler->policy, SCHED_DEADLINE);
	cr_expect_eq(p->scheduler->nice, -20);
	cr_expect_eq(p->scheduler->flags, SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM);
	cr_expect_eq(p->scheduler->runtime, 10);
	cr_expect_eq(p->scheduler->deadline, 20);
	cr_expect_eq(p->scheduler->period, 30);
	cr_expect_eq(p->io_priority->class, IOPRIO_CLASS_IDLE);
	cr_expect_eq(p->io_priority->priority, 7);
	cr_expect_str_eq(p->exec_cpu_affinity->initial, "0-3, 7");
	cr_expect_str_eq(p->exec_cpu_affinity->final, "1");
}

Test(everything, mounts_and_hooks)
{
	const struct spec_mount *m = all.mounts.at;

	cr_assert_eq(all.mounts.n, 2);
	cr_expect_str_eq(m[0].destination, "/data");
	cr_expect_str_eq(m[0].type, "none");
	cr_expect_str_eq(m[0].source, "/srv");
	EXPECT_STRINGS(m[0].options, "rbind", "idmap");
	cr_assert_eq(m[0].uid_mappings.n, 1);
	cr_expect_eq(m[0].uid_mappings.at[0].host_id, 100);
	cr_expect_eq(m[0].gid_mappings.at[0].size, 2);
	cr_expect_null(m[1].type);
	cr_expect_eq(m[1].options.n, 0);
	for (int kind = 0; kind < SPEC_HOOK_KINDS; kind++) {
		char path[] = "/h0";

		path[2] = (char)('0' + kind);
		cr_assert_geq(all.hooks[kind].n, 1);
		cr_expect_str_eq(all.hooks[kind].at[0].path, path);
	}
	EXPECT_STRINGS(all.hooks[SPEC_HOOK_PRESTART].at[0].args, "h0", "x");
	EXPECT_STRINGS(all.hooks[SPEC_HOOK_PRESTART].at[0].env, "K=v");
	EXPECT_SET(all.hooks[SPEC_HOOK_PRESTART].at[0].timeout, 1);
	cr_expect_not(all.hooks[SPEC_HOOK_POSTSTOP].at[1].timeout.set);
}

Test(everything, linux)
{
	const struct spec_linux *l = &all.linux;

	cr_expect_eq(l->namespaces.n, 8);
	for (int type = 0; type < SPEC_NS_KINDS; type++)
		cr_expect(spec_namespace(&all, (enum spec_ns)type));
	cr_expect_str_eq(spec_namespace(&all, SPEC_NS_NETWORK)->path, "/run/netns/a");
	cr_expect_null(spec_namespace(&all, SPEC_NS_UTS)->path, "empty is the same as absent");
	cr_expect_eq(l->uid_mappings.at[0].host_id, 1000);
	cr_expect_eq(l->gid_mappings.at[1].container_id, 5);
	cr_assert_eq(l->time_offsets.n, 2);
	cr_expect_str_eq(l->time_offsets.at[0].clock, "monotonic");
	cr_expect_eq(l->time_offsets.at[0].secs, -1);
	cr_expect_eq(l->time_offsets.at[0].nanosecs, 999999999);
	cr_assert_eq(l->devices.n, 3);
	cr_expect_eq(l->devices.at[0].type, 'c');
	EXPECT_SET(l->devices.at[0].file_mode, 0666);
	EXPECT_SET(l->devices.at[0].uid, 4);
	EXPECT_SET(l->devices.at[0].gid, 5);
	cr_expect_eq(l->devices.at[1].major, 4095);
	cr_expect_eq(l->devices.at[1].minor, 1048575);
	cr_expect_not(l->devices.at[1].file_mode.set);
	cr_assert_eq(l->net_devices.n, 2);
	cr_expect_str_eq(l->net_devices.at[0].host_name, "eth0");
	cr_expect_str_eq(l->net_devices.at[0].name, "lan0");
	cr_expect_null(l->net_devices.at[1].name);
	cr_expect_str_eq(l->cgroups_path, "/a..b/..c/d..");
	cr_expect_eq(l->rootfs_propagation, MS_SLAVE | MS_REC);
	cr_expect_eq(l->sysctl.n, 4);
	EXPECT_STRINGS(l->masked_paths, "/proc/keys");
	EXPECT_STRINGS(l->readonly_paths, "/proc/sys", "/proc/bus");
	cr_expect_str_eq(l->mount_label, "mount-label");
	cr_expect_str_eq(l->intel_rdt->clos_id, "gold");
	EXPECT_STRINGS(l->intel_rdt->schemata, "L3:0=7f0", "MB:0=20");
	cr_expect_str_eq(l->intel_rdt->l3_cache_schema, "L3:0=f");
	cr_expect_str_eq(l->intel_rdt->mem_bw_schema, "MB:0=50");
	cr_expect(l->intel_rdt->enable_monitoring);
	cr_expect_eq(l->memory_policy->mode, 6);
	cr_expect_eq(l->memory_policy->flags, MPOL_F_STATIC_NODES);
	cr_expect_str_eq(l->memory_policy->nodes, "0-1");
	cr_expect_eq(l->personality->domain, PER_LINUX32);
}

Test(everything, resources)
{
	const struct spec_resources *r = &all.linux.resources;
	const struct spec_throttle_devices *throttles[] = {
		&r->block_io.read_bps,
		&r->block_io.write_bps,
		&r->block_io.read_iops,
		&r->block_io.write_iops,
	};

	cr_assert_eq(r->devices.n, 2);
	cr_expect_not(r->devices.at[0].allow);
	cr_expect_eq(r->devices.at[0].type, 0);
	cr_expect_null(r->devices.at[0].access);
	cr_expect_eq(r->devices.at[1].type, 'c');
	EXPECT_SET(r->devices.at[1].minor, -1);
	cr_expect_str_eq(r->devices.at[1].access, "rm");
	EXPECT_SET(r->memory.limit, 1);
	EXPECT_SET(r->memory.reservation, 2);
	EXPECT_SET(r->memory.swap, -1);
	EXPECT_SET(r->memory.kernel, 4);
	EXPECT_SET(r->memory.kernel_tcp, 5);
	EXPECT_SET(r->memory.swappiness, 100);
	EXPECT_SET(r->memory.disable_oom_killer, false);
	EXPECT_SET(r->memory.use_hierarchy, true);
	EXPECT_SET(r->memory.check_before_update, true);
	EXPECT_SET(r->cpu.shares, 1024);
	EXPECT_SET(r->cpu.quota, 100000);
	EXPECT_SET(r->cpu.burst, 100000);
	EXPECT_SET(r->cpu.period, 200000);
	EXPECT_SET(r->cpu.realtime_runtime, 7);
	EXPECT_SET(r->cpu.realtime_period, 8);
	EXPECT_SET(r->cpu.idle, 1);
	cr_expect_str_eq(r->cpu.cpus, "0-1");
	cr_expect_str_eq(r->cpu.mems, "0");
	EXPECT_SET(r->pids_limit, 0);
	EXPECT_SET(r->block_io.weight, 10);
	EXPECT_SET(r->block_io.leaf_weight, 11);
	EXPECT_SET(r->block_io.weight_devices.at[0].weight, 12);
	EXPECT_SET(r->block_io.weight_devices.at[0].leaf_weight, 13);
	for (size_t i = 0; i < ARRAY_LEN(throttles); i++) {
		cr_assert_eq(throttles[i]->n, 1);
		cr_expect_eq(throttles[i]->at[0].major, 8);
		cr_expect_eq(throttles[i]->at[0].minor, (int64_t)i + 2);
		cr_expect_eq(throttles[i]->at[0].rate, i + 14);
	}
	cr_expect_str_eq(r->hugepage_limits.at[0].page_size, "64KB");
	cr_expect_eq(r->hugepage_limits.at[0].limit, 18);
	EXPECT_SET(r->network.class_id, 1048577);
	cr_expect_str_eq(r->network.priorities.at[0].name, "eth0");
	cr_expect_eq(r->network.priorities.at[0].priority, 19);
	cr_expect_str_eq(r->rdma.at[0].device, "mlx5_1");
	EXPECT_SET(r->rdma.at[0].hca_handles, 20);
	EXPECT_SET(r->rdma.at[0].hca_objects, 21);
	cr_expect_str_eq(r->unified.at[0].key, "memory.high");
	cr_expect_str_eq(r->unified.at[0].value, "max");
}

Test(everything, seccomp)
{
	const struct spec_seccomp *s = all.linux.seccomp;

	cr_assert(s);
	cr_expect_eq(s->default_action, SPEC_ACT_ERRNO);
	EXPECT_SET(s->default_errno_ret, 38);
	EXPECT_SET(s->flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	cr_expect_str_eq(s->listener_path, "/run/agent.sock");
	cr_expect_str_eq(s->listener_metadata, "meta");
	cr_assert_eq(s->architectures.n, 2);
	cr_expect_eq(s->architectures.at[1], SPEC_ARCH_RISCV64);
	cr_assert_eq(s->syscalls.n, 2);
	EXPECT_STRINGS(s->syscalls.at[0].names, "clone", "clone3");
	cr_expect_eq(s->syscalls.at[0].action, SPEC_ACT_TRACE);
	EXPECT_SET(s->syscalls.at[0].errno_ret, 65535);
	cr_assert_eq(s->syscalls.at[0].args.n, 1);
	cr_expect_eq(s->syscalls.at[0].args.at[0].index, 5);
	cr_expect_eq(s->syscalls.at[0].args.at[0].value, UINT64_MAX);
	cr_expect_eq(s->syscalls.at[0].args.at[0].value_two, 2);
	cr_expect_eq(s->syscalls.at[0].args.at[0].op, SPEC_CMP_MASKED_EQ);
	cr_expect_not(s->syscalls.at[1].errno_ret.set);
}

Test(everything, vm)
{
	const struct spec_vm *vm = all.vm;

	cr_assert(vm);
	cr_expect_str_eq(vm->hypervisor.path, "/usr/bin/vmm");
	EXPECT_STRINGS(vm->hypervisor.parameters, "-q");
	cr_expect_str_eq(vm->kernel.path, "/boot/vmlinux");
	EXPECT_STRINGS(vm->kernel.parameters, "quiet", "ro");
	cr_expect_str_eq(vm->kernel.initrd, "/boot/initrd");
	cr_expect_str_eq(vm->image.path, "/images/a.qcow2");
	cr_expect_eq(vm->image.format, SPEC_VM_QCOW2);
	cr_expect_str_eq(vm->hw_config.device_tree, "/dt");
	EXPECT_SET(vm->hw_config.vcpus, 2);
	EXPECT_SET(vm->hw_config.memory, UINT64_C(4294967296));
	EXPECT_STRINGS(vm->hw_config.dtdevs, "path/to/dev");
	cr_expect_eq(vm->hw_config.iomems.at[0].first_gfn.value, 1);
	cr_expect_eq(vm->hw_config.iomems.at[0].first_mfn, 2);
	cr_expect_eq(vm->hw_config.iomems.at[0].nr_mfns, 3);
	cr_expect_eq(vm->hw_config.irqs.at[1], 12);
}

/* Small documents */

static int parse(struct spec *s, const char *text, struct err *e)
{
	return spec_parse(s, "c", text, strlen(text), e);
}

#define DOCUMENT(...) "{\"ociVersion\":\"1.0.2-dev\",\"root\":{\"path\":\"r\"}" __VA_ARGS__ "}"

Test(spec, absent_is_zero)
{
	auto_spec struct spec s = { 0 };
	struct err e = { 0 };

	cr_assert_eq(parse(&s, DOCUMENT(), &e), 0, "%s", e.msg);
	cr_expect_null(s.process);
	cr_expect_null(s.vm);
	cr_expect_null(s.hostname);
	cr_expect_null(s.linux.seccomp);
	cr_expect_null(s.linux.personality);
	cr_expect_eq(s.linux.rootfs_propagation, 0);
	cr_expect_not(s.linux.resources.pids_limit.set);
	cr_expect_eq(s.mounts.n, 0);
	cr_expect_null(spec_namespace(&s, SPEC_NS_PID));
}

/* One row per document that is taken although it looks odd. */
static const char *const taken[] = {
	DOCUMENT(",\"process\":null,\"mounts\":null,\"linux\":null,\"vm\":null,\"hooks\":null"),
	DOCUMENT(",\"mounts\":[],\"annotations\":{},\"linux\":{},\"vm\":{},\"hooks\":{}"),
	DOCUMENT(",\"hostname\":\"\",\"domainname\":\"\""),
	DOCUMENT(",\"linux\":{\"rootfsPropagation\":\"\",\"cgroupsPath\":\"\"}"),
	DOCUMENT(",\"linux\":{\"namespaces\":[{\"type\":\"user\",\"path\":\"/n\"}]}"),
	DOCUMENT(",\"linux\":{\"namespaces\":[{\"type\":\"user\",\"path\":\"/n\"}],"
		 "\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":4294967295}]}"),
	DOCUMENT(",\"linux\":{\"intelRdt\":{\"closID\":\"/\"}}"),
	DOCUMENT(",\"linux\":{\"resources\":{\"cpu\":{\"quota\":-1,\"burst\":9}}}"),
	DOCUMENT(",\"linux\":{\"resources\":{\"pids\":{}}}"),
	DOCUMENT(",\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\","
		 "\"listenerPath\":\"/unused\"}}"),
	DOCUMENT(",\"vm\":{\"hwConfig\":{\"vcpus\":1}}"),
	DOCUMENT(",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"scheduler\":{\"policy\":"
		 "\"SCHED_FIFO\",\"priority\":99}}"),
	DOCUMENT(",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"execCPUAffinity\":{\"final\":"
		 "\"\"}}"),
	DOCUMENT(",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"oomScoreAdj\":-0}"),
};

Test(spec, takes)
{
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		auto_spec struct spec s = { 0 };
		struct err e = { 0 };

		cr_expect_eq(parse(&s, taken[i], &e), 0, "%s: %s", taken[i], e.msg);
	}
}

static const struct {
	const char *version;
	bool good;
} versions[] = {
	{ "1.0.0", true },     { "1.0.2-dev", true },       { "1.2.1", true },
	{ "1.3.0+dev", true }, { "1.0.0-rc5", true },       { "1.0.0-rc.5+a.b-c", true },
	{ "1.99.100", true },  { "1.0.0-0-1", true },       { "1", false },
	{ "1.0", false },      { "1.0.0.0", false },        { "1.0.0-", false },
	{ "1.0.0+", false },   { "1.0.0-a..b", false },     { "1.0.0-a+b+c", false },
	{ "1.0.0 ", false },   { " 1.0.0", false },         { "01.0.0", false },
	{ "1.x.0", false },    { "0.9.0", false },          { "2.0.0", false },
	{ "11.0.0", false },   { "1.0.0-\xc3\xa9", false },
};

Test(spec, versions)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		auto_spec struct spec s = { 0 };
		auto_buf struct buf text = { 0 };
		int r;

		buf_printf(&text, "{\"ociVersion\":\"%s\",\"root\":{\"path\":\"r\"}}",
			   versions[i].version);
		r = parse(&s, text.text, NULL);
		cr_expect_eq(r == 0, versions[i].good, "%s", versions[i].version);
	}
}

/* The text may go: nothing points into it. */
Test(spec, keeps_its_own_strings)
{
	auto_spec struct spec s = { 0 };
	char text[] = DOCUMENT(",\"annotations\":{\"key\":\"va\\u006cue\"}");

	cr_assert_eq(parse(&s, text, NULL), 0);
	memset(text, 'x', sizeof(text));
	cr_expect_str_eq(spec_annotation(&s, "key"), "value");
	cr_expect_str_eq(s.root.path, "r");
}

Test(spec, a_failure_writes_nothing)
{
	struct spec s = { .hostname = "mine" };
	struct spec_process p = { .cwd = "mine" };
	struct spec_resources r = { .pids_limit = { true, 7 } };
	auto_arena struct arena a = { 0 };

	cr_expect_eq(parse(&s, "{", NULL), -EINVAL);
	cr_expect_eq(parse(&s, DOCUMENT(",\"hostname\":\"h\""), NULL), -EINVAL);
	cr_expect_str_eq(s.hostname, "mine");
	cr_expect_eq(spec_parse_process(&p, &a, "p", "{}", 2, NULL), -EINVAL);
	cr_expect_str_eq(p.cwd, "mine");
	cr_expect_eq(spec_parse_resources(&r, &a, "r", "[]", 2, NULL), -EINVAL);
	cr_expect_eq(r.pids_limit.value, 7);
}

Test(spec, no_process)
{
	auto_spec struct spec s = { 0 };
	struct err e = { 0 };

	cr_assert_eq(parse(&s, DOCUMENT(), &e), 0, "%s", e.msg);
	cr_expect_eq(spec_require_process(&s, "config.json", &e), -EINVAL);
	cr_expect_str_eq(e.msg, "config.json: process: missing, so there is nothing to start");
	spec_done(&s);
	cr_assert_eq(parse(&s, DOCUMENT(",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]}"), &e), 0,
		     "%s", e.msg);
	cr_expect_eq(spec_require_process(&s, "config.json", &e), 0);
}

Test(spec, too_many_groups)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 };
	struct spec_process p;
	struct err e = { 0 };

	buf_str(&text, "{\"cwd\":\"/\",\"args\":[\"id\"],\"user\":{\"additionalGids\":[0");
	for (int i = 0; i < 65536; i++)
		buf_str(&text, ",0");
	buf_str(&text, "]}}");
	cr_expect_lt(spec_parse_process(&p, &a, "p", text.text, text.len, &e), 0);
	cr_expect_str_eq(e.msg, "p:1:51: user.additionalGids: the kernel takes at most 65536 "
				"groups");
}

/* Names */

Test(names, say_what_enums_mean)
{
	for (int i = 0; i < SPEC_NS_KINDS; i++)
		cr_expect(json_name_of(spec_ns_names, i), "namespace %d", i);
	for (int i = 0; i < SPEC_HOOK_KINDS; i++)
		cr_expect_eq(spec_hook_names[i].value, i);
	for (int i = 0; i < SPEC_ACT_KINDS; i++)
		cr_expect(json_name_of(spec_seccomp_action_names, i), "action %d", i);
	for (int i = 0; i < SPEC_ARCH_KINDS; i++)
		cr_expect(json_name_of(spec_seccomp_arch_names, i), "architecture %d", i);
	for (int i = 0; i < SPEC_CMP_KINDS; i++)
		cr_expect(json_name_of(spec_seccomp_op_names, i), "operator %d", i);
	for (int i = 0; i < SPEC_VM_FORMATS; i++)
		cr_expect(json_name_of(spec_vm_format_names, i), "format %d", i);
	for (int i = 0; i < (int)RLIM_NLIMITS; i++)
		cr_expect(json_name_of(spec_rlimit_names, i), "limit %d", i);
	cr_expect_null(json_name_of(spec_ns_names, SPEC_NS_KINDS));
}

/* The fuzzer's dictionary, so that it gets as deep as the tables go. */

static const struct buf *dictionary;

static void look_up(const char *word)
{
	auto_buf struct buf line = { 0 };

	buf_printf(&line, "\n\"\\\"%s\\\"\"\n", word);
	cr_expect(strstr(dictionary->text, line.text), "tests/fuzz/fuzz_spec.dict lacks%s",
		  line.text);
}

static void look_up_field(const char *path UNUSED, const struct json_field *f, void *ctx UNUSED)
{
	look_up(f->key);
	for (const struct json_name *n = f->names; n && n->name; n++)
		look_up(n->name);
}

Test(names, are_in_the_dictionary)
{
	auto_free char *dir = data_path("tests/fuzz");
	auto_buf struct buf text = { 0 };

	data_read(dir, "fuzz_spec.dict", &text);
	dictionary = &text;
	json_walk(spec_fields, look_up_field, NULL);
}

/* The default */

static void check_default(const struct spec_default *host)
{
	auto_spec struct spec s = { 0 };
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	spec_default(host, &text);
	cr_assert_eq(spec_parse(&s, "default", text.text, text.len, &e), 0, "%s", e.msg);
	cr_expect_str_eq(s.oci_version, SPEC_VERSION);
	EXPECT_STRINGS(s.process->args, "sh");
	cr_expect_eq(s.mounts.n, 7);
	cr_expect(spec_namespace(&s, SPEC_NS_CGROUP));
	cr_expect_eq(!spec_namespace(&s, SPEC_NS_USER), !host->rootless);
	cr_expect_eq(!spec_namespace(&s, SPEC_NS_NETWORK), host->rootless);
	cr_expect_eq(s.linux.resources.devices.n, host->rootless ? 0 : 1);
	if (!host->rootless)
		return;
	cr_expect_eq(s.linux.uid_mappings.at[0].host_id, host->uid);
	cr_expect_eq(s.linux.gid_mappings.at[0].host_id, host->gid);
}

Test(default, is_taken)
{
	check_default(&(struct spec_default){ 0 });
	check_default(&(struct spec_default){ .rootless = true, .uid = 1000, .gid = 100 });
}

/*
 * What differs on purpose: no ambient capabilities, which without inheritable
 * ones nobody can have, and always a cgroup namespace.
 */
static const char jq_filter[] =
	"del(.process.capabilities.ambient) | .linux.namespaces |= "
	"(map(select(.type != \"cgroup\" and .type != \"user\")) + [{type: \"cgroup\"}] + "
	"map(select(.type == \"user\")))";

/* Where runc is installed, its own words but for version, host name and that. */
static void compare_with_runc(const char *options, const struct spec_default *host)
{
	auto_buf struct buf text = { 0 }, command = { 0 };
	char dir[] = "/tmp/test_spec.XXXXXX", line[512];
	const char *rest;
	FILE *f;

	cr_assert(mkdtemp(dir));
	buf_printf(&command, "cd %s && runc spec %s && jq --tab '%s' config.json && rm config.json",
		   dir, options, jq_filter);
	spec_default(host, &text);
	f = popen(command.text, "re");
	cr_assert(f);
	rest = text.text;
	while (fgets(line, sizeof(line), f)) {
		size_t len = strcspn(line, "\n");

		if (!strstr(line, "\"ociVersion\"") && !strstr(line, "\"hostname\""))
			cr_expect(strncmp(rest, line, len) == 0 &&
					  (rest[len] == '\n' || rest[len] == '\0'),
				  "runc: %s", line);
		rest += strcspn(rest, "\n");
		rest += *rest == '\n';
	}
	cr_expect_eq(pclose(f), 0);
	cr_expect_eq(*rest, '\0', "runc does not write: %s", rest);
	rmdir(dir);
}

Test(default, is_what_runc_writes)
{
	if (system("runc --version 2>/dev/null | grep -q '^runc version 1\\.1\\.'") != 0)
		cr_skip_test("no runc 1.1");
	if (system("jq --version >/dev/null 2>&1") != 0)
		cr_skip_test("no jq");
	compare_with_runc("", &(struct spec_default){ 0 });
	compare_with_runc("--rootless", &(struct spec_default){ .rootless = true,
								.uid = geteuid(),
								.gid = getegid() });
}
