/* spec + host -> path, writes and warnings. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cgroups/cgroup.h"
#include "cgroups/owner.h"
#include "cgroups/plan.h"

#define SET(v)          \
	{               \
		true, v \
	}

static const struct cgroup_host unified = {
	.mode = CGROUP_UNIFIED, .fd = -1, .controllers = "cpuset cpu io memory hugetlb pids rdma"
};
static const struct cgroup_host hybrid = { .mode = CGROUP_HYBRID,
					   .fd = -1,
					   .controllers = "hugetlb",
					   .v1 = "pids blkio memory cpuset cpuacct cpu" };
static const struct cgroup_host delegated = { .mode = CGROUP_UNIFIED,
					      .fd = -1,
					      .rootless = true,
					      .controllers = "memory pids",
					      .own = "/user.slice/app.slice/me.scope" };
static const struct cgroup_host at_root = {
	.mode = CGROUP_UNIFIED, .fd = -1, .rootless = true, .own = "/"
};
static const struct cgroup_host outside = { .mode = CGROUP_HYBRID, .fd = -1, .rootless = true };
static const struct cgroup_host with_systemd = {
	.mode = CGROUP_UNIFIED, .fd = -1, .controllers = "memory", .systemd = true
};
static const struct cgroup_host in_container = {
	.mode = CGROUP_UNIFIED, .fd = -1, .systemd = true, .manager = "/docker/1"
};
static const struct cgroup_host session = { .mode = CGROUP_UNIFIED,
					    .fd = -1,
					    .rootless = true,
					    .systemd = true,
					    .user = true,
					    .manager = "/user.slice/user@1000.service" };
static const struct cgroup_host v1_systemd = {
	.mode = CGROUP_NONE, .fd = -1, .rootless = true, .systemd = true
};
static const struct cgroup_host v1_only = { .mode = CGROUP_NONE, .fd = -1 };
static const struct cgroup_host in_userns = {
	.mode = CGROUP_UNIFIED, .fd = -1, .rootless = true, .systemd = true
};
static const struct cgroup_host v1_rootless = { .mode = CGROUP_NONE, .fd = -1, .rootless = true };

Test(cgroup_plan, finds_the_path)
{
	static const struct {
		const struct cgroup_host *host;
		const char *cgroups_path, *path, *message;
	} rows[] = {
		{ &unified, NULL, "/hull/c1", NULL },
		{ &unified, "", "/hull/c1", NULL },
		{ &unified, "/libpod_parent/libpod-1", "/libpod_parent/libpod-1", NULL },
		{ &unified, "/c1", "/c1", NULL },
		{ &unified, "/a:b:c", "/a:b:c", NULL },
		{ &unified, "//a/./b//c/", "/a/b/c", NULL },
		{ &unified, "/a/../b", "/b", NULL },
		{ &unified, "/../../../etc", "/etc", NULL },
		{ &unified, "/a/..b/...", "/a/..b/...", NULL },
		{ &unified, "pod/c1", "/hull/pod/c1", NULL },
		{ &unified, "../../x", "/x", NULL },
		{ &hybrid, NULL, "/hull/c1", NULL },
		{ &unified, "/", NULL, "linux.cgroupsPath: \"/\" is the root of all cgroups" },
		{ &unified, "/a/..", NULL,
		  "linux.cgroupsPath: \"/a/..\" is the root of all cgroups" },
		{ &unified, "..", NULL, "linux.cgroupsPath: \"..\" is the root of all cgroups" },
		{ &unified, "system.slice:docker:c1", NULL,
		  "linux.cgroupsPath: \"system.slice:docker:c1\" is meant for systemd: give "
		  "--systemd-cgroup" },
		{ &delegated, NULL, "/user.slice/app.slice/hull/c1", NULL },
		{ &delegated, "x", "/user.slice/app.slice/hull/x", NULL },
		{ &delegated, "/x", "/x", NULL },
		{ &at_root, NULL, "/hull/c1", NULL },
		{ &outside, NULL, NULL, NULL },
		{ &outside, "/x", "/x", NULL },
		{ &v1_rootless, NULL, NULL, NULL },
		{ &with_systemd, NULL, "/system.slice/hull-c1.scope/container", NULL },
		{ &with_systemd, "a-b.slice:p:n", "/a.slice/a-b.slice/p-n.scope/container", NULL },
		{ &in_container, NULL, "/docker/1/system.slice/hull-c1.scope/container", NULL },
		{ &in_userns, NULL, "/system.slice/hull-c1.scope/container", NULL },
		{ &session, NULL,
		  "/user.slice/user@1000.service/user.slice/hull-c1.scope/container", NULL },
		{ &session, "app.slice:libpod:n",
		  "/user.slice/user@1000.service/app.slice/libpod-n.scope/container", NULL },
		{ &with_systemd, "/libpod_parent/libpod-1", NULL,
		  "linux.cgroupsPath: with systemd it is \"slice:prefix:name\", and "
		  "\"/libpod_parent/libpod-1\" is not" },
		{ &v1_systemd, NULL, NULL,
		  "this host has no cgroup v2 at /sys/fs/cgroup, which limits and the device "
		  "policy need" },
		{ &v1_only, NULL, NULL,
		  "this host has no cgroup v2 at /sys/fs/cgroup, which limits and the device "
		  "policy "
		  "need" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const struct spec spec = { .linux = { .cgroups_path = rows[i].cgroups_path } };
		struct cgroup_plan plan = { 0 };
		struct err e = { 0 };
		int r = cgroup_plan(&a, rows[i].host, &spec, "c1", &plan, &e);

		cr_expect_eq(r < 0, rows[i].message != NULL, "row %zu: %s", i, e.msg);
		if (rows[i].message)
			cr_expect_str_eq(e.msg, rows[i].message, "%s", e.msg);
		if (rows[i].path)
			cr_expect_str_eq(plan.path ? plan.path : "none", rows[i].path, "%s",
					 plan.path);
		else
			cr_expect_null(plan.path);
	}
}

static const struct spec_resources docker = {
	.memory = { .limit = SET(67108864), .swap = SET(67108864) },
	.cpu = { .shares = SET(512), .quota = SET(50000), .period = SET(100000), .cpus = "0" },
	.pids_limit = SET(33),
	.block_io = { .weight = SET(0) },
};
static const struct spec_resources cri_o = { .pids_limit = SET(-1),
					     .cpu = { .shares = SET(1024) } };
static const struct spec_resources pages = {
	.hugepage_limits = { (struct spec_hugepage_limit[]){ { "2MB", 0 } }, 1 },
};
static const struct spec_resources shares = { .cpu = { .shares = SET(2) } };
static const struct spec_resources throttle = {
	.block_io = { .read_bps = { (struct spec_throttle_device[]){ { 8, 0, 1 } }, 1 } },
};
static const struct spec_resources unknown = {
	.unified = { (struct spec_pair[]){ { "dmem.max", "1" } }, 1 },
};
static const struct spec_resources core = {
	.unified = { (struct spec_pair[]){ { "cgroup.max.depth", "1" } }, 1 },
};

Test(cgroup_plan, fits_limits_to_the_host)
{
	static const struct {
		const struct cgroup_host *host;
		const struct spec_resources *resources;
		size_t values;
		const char *controllers;
		const char *message; /* an error, or for rootless the first warning */
		size_t warnings;
	} rows[] = {
		{ &unified, &docker, 6, " memory cpu cpuset pids", NULL, 0 },
		{ &unified, &cri_o, 2, " cpu pids", NULL, 0 },
		{ &hybrid, &cri_o, 0, "", NULL, 0 },
		{ &hybrid, &pages, 2, " hugetlb", NULL, 0 },
		{ &hybrid, &core, 1, "", NULL, 0 },
		{ &hybrid, &shares, 0, "",
		  "linux.resources.cpu.shares: the cpu controller is bound to cgroup v1 on this "
		  "host",
		  0 },
		{ &hybrid, &throttle, 0, "",
		  "linux.resources.blockIO.throttleReadBpsDevice[0]: the io controller is bound to "
		  "cgroup "
		  "v1 on this host",
		  0 },
		{ &hybrid, &docker, 0, "",
		  "linux.resources.memory.swap: the memory controller is bound to cgroup v1 on "
		  "this host",
		  0 },
		{ &unified, &unknown, 0, "",
		  "linux.resources.unified.dmem.max: this host has no dmem controller", 0 },
		{ &delegated, &docker, 3, " memory pids",
		  "linux.resources.cpu.shares: this host has no cpu controller", 3 },
		{ &outside, &shares, 0, "",
		  "linux.resources.cpu.shares: this host has no cpu controller", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const struct spec spec = { .linux = { .resources = *rows[i].resources } };
		struct cgroup_plan plan = { 0 };
		struct err e = { 0 };
		char controllers[256] = "";
		int r = cgroup_plan(&a, rows[i].host, &spec, "c1", &plan, &e);

		cr_expect_eq(r < 0, rows[i].message && !rows[i].host->rootless, "row %zu: %s", i,
			     e.msg);
		cr_expect_eq(plan.values.n, rows[i].values, "row %zu: %zu", i, plan.values.n);
		for (size_t n = 0; n < plan.controllers.n; n++)
			snprintf(controllers + strlen(controllers),
				 sizeof(controllers) - strlen(controllers), " %s",
				 plan.controllers.at[n]);
		cr_expect_str_eq(controllers, rows[i].controllers, "row %zu: %s", i, controllers);
		cr_assert_eq(plan.warnings.n, rows[i].warnings, "row %zu", i);
		if (rows[i].message)
			cr_expect_str_eq(r < 0 ? e.msg : plan.warnings.at[0], rows[i].message, "%s",
					 e.msg);
	}
}

Test(cgroup_plan, has_a_device_policy_for_the_hosts_root_only)
{
	const struct spec spec = { .oci_version = "1.0.0" };
	auto_arena struct arena a = { 0 };
	struct cgroup_plan plan = { 0 };

	cr_assert_eq(cgroup_plan(&a, &unified, &spec, "c1", &plan, NULL), 0);
	cr_expect_gt(plan.devices.n, 0);
	cr_expect(!plan.rootless);
	cr_assert_eq(cgroup_plan(&a, &delegated, &spec, "c1", &plan, NULL), 0);
	cr_expect_eq(plan.devices.n, 0);
	cr_expect(plan.rootless);
}

Test(cgroup_plan, updates)
{
	auto_arena struct arena a = { 0 };
	struct cgroup_plan plan = { 0 };

	cr_assert_eq(cgroup_plan_update(&a, &unified, &docker, &plan, NULL), 0);
	cr_expect_eq(plan.values.n, 6);
	cr_expect_null(plan.path);
	cr_expect_eq(plan.devices.n, 0);
}

/* A new policy as a whole, unless it is what engines send with each update. */
Test(cgroup_plan, updates_devices)
{
	static const struct spec_device_rule deny_all = { .allow = false, .access = "rwm" },
					     deny_as = { .type = 'a', .access = "rwm" },
					     deny_one = { .type = 'c', .major = SET(1) },
					     allow = { .allow = true, .type = 'a' };
	static const struct {
		const struct cgroup_host *host;
		struct spec_device_rule rules[2];
		size_t n;
		bool changes;
	} rows[] = {
		{ &unified, { { 0 } }, 0, false },
		{ &unified, { deny_all }, 1, false },
		{ &unified, { deny_as }, 1, false },
		{ &unified, { deny_one }, 1, true },
		{ &unified, { allow }, 1, true },
		{ &unified, { deny_all, allow }, 2, true },
		{ &unified, { deny_all, deny_one }, 2, true },
		{ &delegated, { deny_all, allow }, 2, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct cgroup_plan plan = { 0 };
		struct spec_device_rule rules[2] = { rows[i].rules[0], rows[i].rules[1] };
		const struct spec_resources update = { .devices = { rules, rows[i].n } };
		struct err e = { 0 };

		cr_assert_eq(cgroup_plan_update(&a, rows[i].host, &update, &plan, &e), 0, "%s",
			     e.msg);
		cr_expect_eq(plan.devices.n > 0, rows[i].changes, "row %zu", i);
	}
}

/* What engines send for "not given", and what a rootless caller may not have. */
Test(cgroup_plan, updates_only_what_is_given_and_all_of_that)
{
	static const struct spec_resources zeros = {
		.memory = { .reservation = SET(0), .kernel = SET(0) },
		.cpu = { .shares = SET(0), .quota = SET(0), .period = SET(0), .cpus = "" },
		.block_io = { .weight = SET(0) },
	};
	static const struct spec_resources no_forks = { .pids_limit = SET(0) };
	auto_arena struct arena a = { 0 };
	struct cgroup_plan plan = { 0 };
	struct err e = { 0 };

	cr_assert_eq(cgroup_plan_update(&a, &unified, &zeros, &plan, NULL), 0);
	cr_expect_eq(plan.values.n, 0);
	cr_assert_eq(cgroup_plan_update(&a, &unified, &no_forks, &plan, NULL), 0);
	cr_assert_eq(plan.values.n, 1);
	cr_expect_str_eq(plan.values.at[0].value, "1");
	cr_expect_eq(cgroup_plan_update(&a, &delegated, &docker, &plan, &e), -ENOTSUP);
	cr_expect_str_eq(e.msg, "linux.resources.cpu.shares: this host has no cpu controller");
	cr_assert_eq(cgroup_plan_update(&a, &delegated, &zeros, &plan, NULL), 0);
	cr_expect_not(plan.rootless);
}

Test(cgroup_plan, says_what_it_wants_to_know)
{
	static const struct {
		const struct spec_resources *resources;
		const char *path;
		unsigned wants;
	} rows[] = {
		{ NULL, "/a", 0 },
		{ NULL, NULL, CGROUP_WANT_OWN },
		{ NULL, "a", CGROUP_WANT_OWN },
		{ &shares, "/a", CGROUP_WANT_CONTROLLERS },
		{ &cri_o, NULL, CGROUP_WANT_CONTROLLERS | CGROUP_WANT_OWN },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec spec = { .linux = { .cgroups_path = rows[i].path } };

		if (rows[i].resources)
			spec.linux.resources = *rows[i].resources;
		cr_expect_eq(cgroup_wants(&spec), rows[i].wants, "row %zu", i);
	}
}

Test(cgroup_host, reads_memberships)
{
	static const struct {
		const char *text, *own, *v1;
	} rows[] = {
		{ "", "", "" },
		{ "0::/\n", "/", "" },
		{ "0::/user.slice/x", "/user.slice/x", "" },
		{ "0::/with:colon\n", "/with:colon", "" },
		{ "9:name=systemd:/\n8:pids:/a\n3:cpu,cpuacct:/b\n0::/c\n", "/c",
		  "pids cpu cpuacct" },
		{ "0::/..\n", "", "" },
		{ "0::/../x\n", "", "" },
		{ "0::/..x\n", "/..x", "" },
		{ "0::\n", "", "" },
		{ "0\n\n::\n:::\nnonsense", "", "" },
		{ "10::/x\n", "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cgroup_host host = CGROUP_HOST_NONE;

		cgroup_host_parse(rows[i].text, &host);
		cr_expect_str_eq(host.own, rows[i].own, "row %zu: %s", i, host.own);
		cr_expect_str_eq(host.v1, rows[i].v1, "row %zu: %s", i, host.v1);
	}
}

Test(cgroup_host, survives_long_memberships)
{
	static char text[3 * PATH_MAX];
	struct cgroup_host host = CGROUP_HOST_NONE;

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "0::/", 4);
	cgroup_host_parse(text, &host);
	cr_expect_str_eq(host.own, "");
	memcpy(text, "1:", 2);
	text[sizeof(text) - 3] = ':';
	cgroup_host_parse(text, &host);
	cr_expect_str_eq(host.v1, "");
}

Test(cgroup_host, finds_words)
{
	static const struct {
		const char *words, *word;
		bool has;
	} rows[] = { { "cpuset cpu io", "cpu", true },
		     { "cpuset", "cpu", false },
		     { "io cpuset cpu", "cpu", true },
		     { "xcpu", "cpu", false },
		     { "", "cpu", false },
		     { "cpu", "cpu", true },
		     { "cpu", "", false },
		     { "cpucpu cpu", "cpu", true } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(cgroup_has_word(rows[i].words, rows[i].word), rows[i].has, "%s in %s",
			     rows[i].word, rows[i].words);
}

Test(cgroup_plan, the_unit_has_the_limits_that_are_planned)
{
	auto_arena struct arena a = { 0 };
	const struct spec spec = { .linux = {
					   .resources = { .memory = { .limit = SET(1048576) } } } };
	struct cgroup_plan plan = { 0 };
	struct err e = { 0 };
	bool found = false;

	cr_assert_eq(cgroup_plan(&a, &with_systemd, &spec, "c1", &plan, &e), 0, "%s", e.msg);
	cr_expect_eq(plan.driver, CGROUP_DRIVER_SYSTEMD);
	for (size_t i = 0; i < plan.unit.properties.n; i++)
		found = found || (strcmp(plan.unit.properties.at[i].name, "MemoryMax") == 0 &&
				  plan.unit.properties.at[i].number == 1048576);
	cr_expect(found);
}

Test(cgroup_plan, drivers_have_names)
{
	enum cgroup_driver_kind kind = CGROUP_DRIVER_CGROUPFS;

	cr_expect_eq(cgroup_driver_find("systemd", &kind), 0);
	cr_expect_eq(kind, CGROUP_DRIVER_SYSTEMD);
	cr_expect_str_eq(cgroup_driver_name(kind), "systemd");
	cr_expect_eq(cgroup_driver_find("cgroupfs", &kind), 0);
	cr_expect_eq(kind, CGROUP_DRIVER_CGROUPFS);
	cr_expect_eq(cgroup_driver_find("", &kind), -ENOENT);
}

Test(cgroup_plan, who_is_given_the_cgroup)
{
	static const char *const none[] = { "nosuid" }, *const ro[] = { "rw", "ro" },
				 *const rw[] = { "ro", "rw" };
	static struct spec_idmap map[] = { { 0, 100000, 1000 }, { 1000, 5000, 1 } };
	static const struct {
		bool namespace, mount, user_namespace;
		const char *type, *path;
		const char *const *options;
		size_t n;
		uint32_t uid;
		bool set;
		uint32_t owner;
	} rows[] = {
		{ true, true, false, "cgroup", NULL, none, 1, 0, true, 0 },
		{ true, true, false, "cgroup2", NULL, none, 1, 1000, true, 1000 },
		{ true, true, false, "cgroup", NULL, rw, 2, 7, true, 7 },
		{ true, true, false, "cgroup", NULL, ro, 2, 7, false, 0 },
		{ true, true, false, "tmpfs", NULL, rw, 2, 7, false, 0 },
		{ true, false, false, "cgroup", NULL, rw, 2, 7, false, 0 },
		{ false, true, false, "cgroup", NULL, rw, 2, 7, false, 0 },
		{ true, true, false, "cgroup", "/proc/1/ns/cgroup", rw, 2, 7, false, 0 },
		{ true, true, true, "cgroup", NULL, rw, 2, 0, true, 100000 },
		{ true, true, true, "cgroup", NULL, rw, 2, 999, true, 100999 },
		{ true, true, true, "cgroup", NULL, rw, 2, 1000, true, 5000 },
		{ true, true, true, "cgroup", NULL, rw, 2, 1001, false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec_namespace ns[2] = { { .type = SPEC_NS_USER } };
		struct spec_mount mount = { .type = rows[i].type,
					    .options = { (const char **)rows[i].options,
							 rows[i].n } };
		struct spec_process process = { .user = { .uid = rows[i].uid } };
		struct spec spec = { .process = &process, .mounts = { &mount, rows[i].mount } };
		struct opt_u32 owner;

		ns[rows[i].user_namespace] =
			(struct spec_namespace){ .type = SPEC_NS_CGROUP, .path = rows[i].path };
		spec.linux.namespaces.at = ns;
		spec.linux.namespaces.n = rows[i].user_namespace + rows[i].namespace;
		spec.linux.uid_mappings.at = map;
		spec.linux.uid_mappings.n = ARRAY_LEN(map);
		owner = owner_plan(&spec);
		cr_expect_eq(owner.set, rows[i].set, "row %zu", i);
		cr_expect_eq(owner.value, rows[i].owner, "row %zu: %u", i, owner.value);
	}
}
