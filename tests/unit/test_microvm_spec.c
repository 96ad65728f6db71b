/* How a configuration is divided between host and guest, and what crosses over. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgroups/stats.h"
#include "microvm/disk.h"
#include "microvm/document.h"
#include "microvm/guest_spec.h"
#include "microvm/initramfs.h"
#include "microvm/kernel.h"
#include "microvm/process_list.h"
#include "microvm/process_write.h"
#include "microvm/vmm_options.h"

#define HEAD "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\",\"readonly\":true},"
#define PROCESS "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}%s},"
#define NAMESPACES "{\"type\":\"pid\"},{\"type\":\"mount\"}"

static void parse(struct spec *s, const char *text)
{
	struct err e = { 0 };

	cr_assert_eq(spec_parse(s, "c", text, strlen(text), &e), 0, "%s", e.msg);
}

static const char mounts[] =
	HEAD "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},"
	     "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":2}]},"
	     "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	     "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
	     "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\"},"
	     "{\"destination\":\"//dev/./shm\",\"type\":\"bind\",\"source\":\"/x/"
	     "shm\",\"options\":[\"rbind\"]},"
	     "{\"destination\":\"/device\",\"source\":\"/x\",\"options\":[\"bind\",\"ro\",\"idmap\"],"
	     "\"uidMappings\":[{\"containerID\":0,\"hostID\":5,\"size\":1}],"
	     "\"gidMappings\":[{\"containerID\":0,\"hostID\":5,\"size\":1}]}],"
	     "\"linux\":{\"maskedPaths\":[\"/proc/kcore\"],\"resources\":{\"pids\":{\"limit\":9}},"
	     "\"namespaces\":[" NAMESPACES
	     ",{\"type\":\"network\"}]}}";

Test(guest_spec, the_host_binds_and_the_guest_mounts)
{
	auto_spec struct spec h = { 0 }, g = { 0 };
	struct strings targets;

	parse(&h, mounts);
	guest_spec_for_host(&h, &targets);
	cr_assert_eq(h.mounts.n, 2U);
	cr_expect_str_eq(h.mounts.at[0].destination, "//dev/./shm");
	cr_expect_str_eq(h.mounts.at[1].destination, "/device");
	cr_assert_eq(targets.n, 2U, "/dev/pts is made in the guest's /dev");
	cr_expect_str_eq(targets.at[1], "/dev");
	cr_expect_eq(h.linux.masked_paths.n, 0U);
	cr_expect_null(spec_namespace(&h, SPEC_NS_PID));
	cr_expect(h.root.readonly);
	cr_expect_not(h.linux.resources.pids_limit.set, "the guest counts its own processes");
	cr_expect(spec_namespace(&h, SPEC_NS_NETWORK));
	cr_expect_eq(h.process->rlimits.n, 0U, "limits of the program are none of the VMM's");

	parse(&g, mounts);
	guest_spec_for_guest(&g, true);
	cr_assert_eq(g.mounts.n, 4U);
	cr_expect_str_eq(g.mounts.at[3].source, "//dev/./shm");
	cr_expect_str_eq(g.mounts.at[3].type, "bind");
	cr_expect_eq(g.linux.masked_paths.n, 1U);
	cr_expect(spec_namespace(&g, SPEC_NS_PID));
	cr_expect_not(g.root.readonly, "of one mount, in which are volumes that can be written to");
	cr_expect_eq(g.linux.resources.pids_limit.value, 9);
	cr_expect_null(spec_namespace(&g, SPEC_NS_NETWORK));
	cr_expect_eq(g.process->rlimits.n, 1U);
}

Test(guest_spec, with_a_root_of_its_own_the_guest_binds_all)
{
	auto_spec struct spec g = { 0 };

	parse(&g, mounts);
	guest_spec_for_guest(&g, false);
	cr_assert_eq(g.mounts.n, 5U);
	cr_expect_str_eq(g.mounts.at[4].source, "/device");
	cr_expect_str_eq(g.mounts.at[4].destination, "/device");
	cr_expect_str_eq(g.mounts.at[4].type, "bind");
	cr_expect_eq(g.mounts.at[4].options.n, 2U, "its ids are mapped already");
	cr_expect_eq(g.mounts.at[4].uid_mappings.n, 0U);
	cr_expect(g.root.readonly, "it is a mount of the guest's");
}

Test(disk, types_by_their_superblocks)
{
	uint8_t head[DISK_HEAD] = { 0 };

	cr_expect_null(disk_type(head));
	memcpy(head + 1024, "\xe2\xe1\xf5\xe0", 4);
	cr_expect_str_eq(disk_type(head), "erofs");
	memset(head, 0, sizeof(head));
	memcpy(head + 1024 + 0x38, "\x53\xef", 2);
	cr_expect_str_eq(disk_type(head), "ext4");
}

Test(disk, what_is_none)
{
	int image = memfd_create("image", MFD_CLOEXEC), fd;
	const char *type;
	struct err e = { 0 };
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	cr_assert_eq(disk_open(path, &type, &e), -ENOTSUP);
	cr_expect(strstr(e.msg, "is no image of an EROFS or ext4 file system"), "%s", e.msg);
	cr_assert_eq(disk_open("/dev/null", &type, &e), -ENOTSUP);
	cr_assert_eq(disk_open("/nowhere/image", &type, &e), -ENOENT);
	cr_expect_str_eq(
		e.msg,
		"annotation run.hull.vm.rootfs: open /nowhere/image: no such file or directory");
	cr_assert_eq(ftruncate(image, 4096), 0);
	cr_assert_eq(pwrite(image, "\x53\xef", 2, 1024 + 0x38), 2);
	fd = disk_open(path, &type, &e);
	cr_assert_geq(fd, 0, "%s", e.msg);
	cr_expect_str_eq(type, "ext4");
	close(fd);
	cr_assert_eq(pwrite(image, "\4", 1, 1024 + 0x60), 1);
	cr_assert_eq(disk_open(path, &type, &e), -ENOTSUP);
	cr_expect(strstr(e.msg, "was not unmounted"), "%s", e.msg);
}

static const struct {
	const char *process, *linux, *rest, *message;
} refusals[] = {
	{ "", "\"namespaces\":[{\"type\":\"mount\"}]", "",
	  "linux.namespaces: without one of type pid the container would share the host's, which a "
	  "microVM can't" },
	{ "", "\"namespaces\":[{\"type\":\"pid\",\"path\":\"/p\"},{\"type\":\"mount\"}]", "",
	  "linux.namespaces: a microVM can't join a namespace of type pid (/p)" },
	{ "", "\"namespaces\":[" NAMESPACES ",{\"type\":\"ipc\",\"path\":\"/p\"}]", "",
	  "linux.namespaces: a microVM can't join a namespace of type ipc (/p)" },
	{ "",
	  "\"namespaces\":[" NAMESPACES "],\"devices\":[{\"path\":\"/dev/sda\",\"type\":\"b\","
	  "\"major\":8,\"minor\":0}]",
	  "", "linux.devices[0]: /dev/sda is a device of the host, which a microVM can't use" },
	{ ",\"apparmorProfile\":\"x\"", "\"namespaces\":[" NAMESPACES "]", "",
	  "process.apparmorProfile: the guest has no profiles of the host's" },
	{ "", "\"namespaces\":[" NAMESPACES "]",
	  ",\"mounts\":[{\"destination\":\"/a/../b\",\"type\":\"tmpfs\",\"source\":\"t\"}]",
	  "mounts[0].destination: \"/a/../b\": \"..\" is not supported in a microVM" },
	{ "", "\"namespaces\":[" NAMESPACES "]",
	  ",\"vm\":{\"kernel\":{\"path\":\"/k\"},\"image\":{\"path\":\"/i\",\"format\":\"raw\"}}",
	  "vm.image: the machine's own root is hull's; annotation run.hull.vm.rootfs names an "
	  "image for the container's" },
	{ "", "\"namespaces\":[" NAMESPACES "]",
	  ",\"annotations\":{\"run.hull.vm.rootfs\":\"image\"}",
	  "annotation run.hull.vm.rootfs: must be an absolute path, not \"image\"" },
	{ "", "\"namespaces\":[" NAMESPACES "]",
	  ",\"annotations\":{\"run.hull.vm.vsock\":\"sock\"}",
	  "annotation run.hull.vm.vsock: must be an absolute path, not \"sock\"" },
	{ "", "\"namespaces\":[" NAMESPACES "]",
	  ",\"vm\":{\"kernel\":{\"path\":\"/k\",\"initrd\":\"/i\"}}",
	  "vm.kernel.initrd: hull makes its own" },
	{ "", "\"namespaces\":[" NAMESPACES "]", "", NULL },
};

Test(guest_spec, what_no_machine_can_do)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		auto_spec struct spec s = { 0 };
		struct err e = { 0 };
		char text[2048];

		snprintf(text, sizeof(text), HEAD PROCESS "\"linux\":{%s}%s}", refusals[i].process,
			 refusals[i].linux, refusals[i].rest);
		parse(&s, text);
		if (!refusals[i].message) {
			cr_expect_eq(guest_spec_check(&s, &e), 0, "%s", e.msg);
			continue;
		}
		cr_expect_lt(guest_spec_check(&s, &e), 0, "%zu", i);
		cr_expect_str_eq(e.msg, refusals[i].message);
	}
}

static const struct {
	const char *rest;
	uint64_t mib;
	unsigned cpus;
	const char *message;
} sizes[] = {
	{ "", 512, 1, NULL },
	{ ",\"linux\":{\"resources\":{\"memory\":{\"limit\":268435456},\"cpu\":{\"quota\":150000,"
	  "\"period\":100000}}}",
	  240, 2, NULL },
	{ ",\"linux\":{\"resources\":{\"memory\":{\"limit\":-1},\"cpu\":{\"quota\":-1}}}", 512, 1,
	  NULL },
	{ ",\"linux\":{\"resources\":{\"memory\":{\"limit\":67108864}}}", 0, 1,
	  "linux.resources.memory.limit: too little for a microVM, which needs 112 MiB" },
	{ ",\"vm\":{\"kernel\":{\"path\":\"/k\"},\"hwConfig\":{\"vcpus\":3,\"memory\":1073741824}}",
	  1024, 3, NULL },
	{ ",\"vm\":{\"kernel\":{\"path\":\"/k\"},\"hwConfig\":{\"vcpus\":1,\"memory\":1048576}}", 0,
	  1, "vm.hwConfig.memory: too little for a microVM, which needs 96 MiB" },
};

Test(guest_spec, sizes)
{
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		auto_spec struct spec s = { 0 };
		struct err e = { 0 };
		char text[1024];
		uint64_t memory;
		unsigned cpus;

		snprintf(text, sizeof(text), HEAD PROCESS "\"hooks\":{}%s}", "", sizes[i].rest);
		parse(&s, text);
		cr_expect_eq(guest_spec_cpus(&s, &cpus, &e), 0, "%s", e.msg);
		cr_expect_eq(cpus, sizes[i].cpus, "%zu", i);
		if (sizes[i].message) {
			cr_expect_lt(guest_spec_memory(&s, &memory, &e), 0);
			cr_expect_str_eq(e.msg, sizes[i].message);
			continue;
		}
		cr_expect_eq(guest_spec_memory(&s, &memory, &e), 0, "%s", e.msg);
		cr_expect_eq(memory, sizes[i].mib << 20, "%zu", i);
	}
}

Test(guest_spec, what_a_balloon_holds)
{
	static const struct {
		int64_t limit;
		uint32_t pages;
	} rows[] = { { -1, 0 },
		     { 0, 0 },
		     { INT64_MAX, 0 },
		     { 528 << 20, 0 },
		     { (528 << 20) - 4096, 1 },
		     { 256 << 20, 272 * 256 },
		     { 112 << 20, 416 * 256 } };
	struct err e = { 0 };
	uint32_t pages;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(guest_spec_balloon(512 << 20, rows[i].limit, &pages, &e), 0);
		cr_expect_eq(pages, rows[i].pages, "%zu", i);
	}
	cr_expect_eq(guest_spec_balloon(512 << 20, 64 << 20, &pages, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "update: a memory limit of 67108864 is too little for a microVM, "
				"which needs 112 MiB");
}

Test(process_write, reads_back_to_the_same)
{
	static const char text[] =
		"{\"terminal\":true,\"consoleSize\":{\"height\":2,\"width\":3},\"user\":{\"uid\":1,"
		"\"gid\":2,"
		"\"umask\":18,\"additionalGids\":[3,4]},\"args\":[\"a\",\"b\\u0001\"],\"env\":[\"A="
		"b\"],"
		"\"cwd\":\"/"
		"w\",\"capabilities\":{\"bounding\":[\"CAP_KILL\"]},\"rlimits\":[{\"type\":"
		"\"RLIMIT_CORE\",\"soft\":1,\"hard\":18446744073709551615}],\"oomScoreAdj\":-5,"
		"\"noNewPrivileges\":true,\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"priority\":7},"
		"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":4}}";
	auto_arena struct arena a = { 0 };
	auto_buf struct buf first = { 0 }, second = { 0 };
	struct spec_process p;
	struct err e = { 0 };

	cr_assert_eq(spec_parse_process(&p, &a, "p", text, strlen(text), &e), 0, "%s", e.msg);
	process_write(&p, &first);
	cr_assert_eq(spec_parse_process(&p, &a, "p", first.text, first.len, &e), 0, "%s", e.msg);
	cr_expect(p.terminal && p.no_new_privileges && p.user.additional_gids.n == 2);
	cr_expect_eq(p.rlimits.at[0].hard, UINT64_MAX);
	cr_expect_str_eq(p.capabilities->bounding.at[0], "CAP_KILL");
	cr_expect_eq(p.scheduler->priority, 7);
	process_write(&p, &second);
	cr_expect_str_eq(first.text, second.text);
}

Test(process_write, added_capabilities)
{
	const char *names[] = { "net_raw", "CAP_KILL" }, *wrong[] = { "CAP_FLY" };
	const char *bounding[] = { "CAP_KILL" }, *inheritable[] = { "CAP_NET_RAW" };
	const struct spec_capabilities own = { .bounding = { bounding, 1 },
					       .inheritable = { inheritable, 1 } };
	struct spec_process p = { .capabilities = &own };
	auto_arena struct arena a = { 0 };
	struct err e = { 0 };

	cr_expect_eq(process_add_caps(&p, &(struct strings){ wrong, 1 }, &a, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "\"CAP_FLY\" is not a capability");
	cr_expect_eq(process_add_caps(&p, &(struct strings){ 0 }, &a, &e), 0);
	cr_expect_eq(p.capabilities, &own);
	cr_assert_eq(process_add_caps(&p, &(struct strings){ names, 2 }, &a, &e), 0, "%s", e.msg);
	cr_expect_eq(p.capabilities->bounding.n, 2U);
	cr_expect_eq(p.capabilities->permitted.n, 2U);
	cr_expect_eq(p.capabilities->effective.n, 2U);
	cr_expect_eq(p.capabilities->inheritable.n, 1U, "nothing is added to that");
	cr_assert_eq(p.capabilities->ambient.n, 1U, "only what is inheritable");
	cr_expect_str_eq(p.capabilities->ambient.at[0], "net_raw");
}

Test(document, reads_what_it_wrote_and_nothing_else)
{
	struct sock_filter filter[] = { { 1, 2, 3, 4 }, { 5, 6, 7, 8 } };
	const struct document d = { "text", 4, { .at = filter, .n = 2, .flags = 9 } };
	auto_arena struct arena a = { 0 };
	auto_buf struct buf b = { 0 };
	struct document r;

	document_write(&d, &b);
	cr_assert_eq(document_read(b.text, b.len, &a, &r), 0);
	cr_expect(r.size == 4 && memcmp(r.text, "text", 4) == 0);
	cr_expect(r.filter.n == 2 && r.filter.flags == 9);
	cr_expect_eq(memcmp(r.filter.at, filter, sizeof(filter)), 0);
	for (size_t n = 0; n < b.len; n++)
		cr_expect_eq(document_read(b.text, n, &a, &r), -EPROTO, "%zu", n);
}

Test(kernel, modules_in_their_order)
{
	static const char dep[] =
		"kernel/a/virtio.ko: kernel/a/virtio_ring.ko\n"
		"kernel/a/virtio_ring.ko:\n"
		"kernel/a/virtio-pci.ko.xz: kernel/a/virtio.ko kernel/a/virtio_ring.ko\n"
		"kernel/a/virtio_pci_modern.ko:\n";
	static const char builtin[] = "kernel/fs/fuse/virtiofs.ko\nkernel/x.ko\n";
	auto_arena struct arena a = { 0 };
	struct strings list = { arena_array(&a, KERNEL_MODULES_MAX, sizeof(char *)), 0 };

	cr_expect_eq(kernel_resolve(dep, builtin, "virtiofs", &a, &list), 0);
	cr_expect_eq(list.n, 0U);
	cr_expect_eq(kernel_resolve(dep, builtin, "virtio_pci", &a, &list), 0);
	cr_assert_eq(list.n, 3U);
	cr_expect_str_eq(list.at[0], "kernel/a/virtio_ring.ko");
	cr_expect_str_eq(list.at[1], "kernel/a/virtio.ko");
	cr_expect_str_eq(list.at[2], "kernel/a/virtio-pci.ko.xz");
	cr_expect_eq(kernel_resolve(dep, builtin, "virtio", &a, &list), 0);
	cr_expect_eq(list.n, 3U, "each once");
	cr_expect_eq(kernel_resolve(dep, builtin, "virtio_p", &a, &list), -ENOENT);
	cr_expect_eq(kernel_resolve("", "", "virtio", &a, &list), -ENOENT);
}

Test(guest_spec, whose_network_is_the_guests)
{
	struct spec_namespace ns = { .type = SPEC_NS_NETWORK };
	struct spec_pair pair = { "io.kubernetes.cri-o.ContainerType", "sandbox" };
	struct spec s = { .linux.namespaces = { &ns, 1 } };

	cr_expect(guest_spec_has_network(&s));
	s.annotations = (struct spec_pairs){ &pair, 1 };
	cr_expect_not(guest_spec_has_network(&s), "its pod's");
	pair.key = "io.kubernetes.cri.container-type";
	cr_expect_not(guest_spec_has_network(&s), "its pod's");
	pair.value = "container";
	cr_expect(guest_spec_has_network(&s));
	ns.type = SPEC_NS_PID;
	cr_expect_not(guest_spec_has_network(&s), "the host's");
}

Test(kernel, one_that_is_not_there)
{
	auto_arena struct arena a = { 0 };
	struct err e = { 0 };
	struct kernel k;

	cr_expect_eq(kernel_open(&(struct kernel_wish){ .path = "/nowhere/vmlinuz" }, &a, &k, &e), -ENOENT);
	cr_expect_str_eq(e.msg, "open the kernel /nowhere/vmlinuz: no such file or directory");
}

Test(initramfs, begins_as_an_archive_and_ends_as_one)
{
	struct strings none = { 0 };
	int agent = memfd_create("agent", 0), fd;
	struct err e = { 0 };
	char text[1024] = { 0 };

	cr_assert_eq(write(agent, "program", 7), 7);
	lseek(agent, 0, SEEK_SET);
	fd = initramfs_make(agent, &none, &none, &none, &e);
	cr_assert_geq(fd, 0, "%s", e.msg);
	cr_assert_gt(pread(fd, text, sizeof(text), 0), 0);
	cr_expect_eq(memcmp(text, "07070100000000000041ed", 22), 0);
	cr_expect(memmem(text, sizeof(text), "program", 7));
	cr_expect(memmem(text, sizeof(text), "TRAILER!!!", 10));
	close(fd);
	close(agent);
}

Test(vmm_options, both_ways)
{
	const struct vmm_options o = {
		.id = "x=y", .line = "a b", .sock = 5, .gate = -1, .memory = 1LL << 40
	};
	auto_arena struct arena a = { 0 };
	struct strings words = vmm_options_write(&o, &a);
	struct vmm_options r;
	struct err e = { 0 };
	char *wrong[] = { (char *)"hull-vmm", NULL };

	cr_assert_eq(vmm_options_read((char *const *)words.at, &r, &e), 0, "%s", e.msg);
	cr_expect_str_eq(r.id, "x=y");
	cr_expect_str_eq(r.line, "a b");
	cr_expect(r.sock == 5 && r.gate == -1 && r.memory == 1LL << 40);
	cr_expect_eq(vmm_options_read(wrong, &r, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "hull-vmm: id= is missing: it is started by hull, not by people");
}

/* As /proc has them: inner pid 7 of a program with a strange name, 3 s of 100 s old. */
static const char stat_text[] =
	"212 (a ) b\n) S 200 212 212 34817 212 4194304 1 2 3 4 200 100 0 0 20 0 1 0 5000 9 9";
static const char status_text[] =
	"Name:\ta\nUid:\t5\t6\t7\t8\nNSpid:\t212\t7\nNSpgid:\t212\t7\n";

Test(process_list, a_line_of_proc)
{
	const struct process_files f = { stat_text, status_text, "sh\0-c\0a\nb\0", 10 };
	struct process_files wrong = f;
	auto_buf struct buf b = { 0 };

	cr_expect_eq(process_line(&f, 150, 100, &b), 0);
	wrong.command_size = 0;
	cr_expect_eq(process_line(&wrong, 10, 100, &b), 0);
	cr_expect_str_eq(b.text, "212 200 7 6 100 3 34817 sh -c a?b\n"
				 "212 200 7 6 0 3 34817 [a ) b?]\n");
	wrong.status = "Name:\ta\nUid:\t5\t6\t7\t8\nNSpid:\t212\n";
	cr_expect_eq(process_line(&wrong, 10, 100, &b), -ESRCH, "a process of the guest's own");
	wrong = f;
	wrong.stat = "";
	cr_expect_eq(process_line(&wrong, 10, 100, &b), -ESRCH, "it ended meanwhile");
}

Test(process_list, the_table_of_lines)
{
	/* 1 January 1970, 10:00 */
	static const char lines[] = "300 212 9 0 100000 360000 0 [x\033]\n"
				    "200 1 1 0 3600 0 0 init\n"
				    "212 200 7 1000 100 25 34817 sh -c a b\n";
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };

	setenv("TZ", "UTC", 1);
	cr_assert_eq(process_table(lines, 36000, &b, &e), 0, "%s", e.msg);
	cr_expect_str_eq(b.text, "UID          PID    PPID  C STIME TTY          TIME CMD\n"
				 "0              1       0  0 09:00 ?        00:00:00 init\n"
				 "1000           7       1 25 09:58 pts/1    00:00:25 sh -c a b\n"
				 "0              9       7 99 Dec31 ?        100:00:00 [x?]\n");
}

Test(process_list, what_is_no_list)
{
	static const char *const rows[] = {
		"1 1 1 0 0 0 0 x",                     "1 1 1 0 0 0 0\n", "\n", "1 1 1 0 0 0 x y\n",
		"99999999999999999999 1 1 0 0 0 0 x\n", "-1 1 1 0 0 0 0 x\n",
		"2147483648 1 1 0 0 0 0 x\n",          "1 1 1 0 0 0 0\tx\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf b = { 0 };
		struct err e = { 0 };

		cr_expect_eq(process_table(rows[i], 0, &b, &e), -EPROTO, "%zu", i);
		cr_expect_str_eq(e.msg, "what the guest says of its processes is no list");
	}
}

Test(process_list, counts)
{
	static const char *const wrong[] = {
		"", "1\n2\n", "1\n2\n3", "1\n2\n3\n4\n", "1\n2\nmaximum\n", "1 \n2\n3\n", "-1\n2\n3\n",
	};
	struct opt_u64 now = { 0 }, peak = { .set = true }, max = { 0 };
	struct opt_u64 *const values[] = { &now, &peak, &max };
	struct err e = { 0 };

	cr_assert_eq(process_counts("5\n\nmax\n", values, 3, &e), 0, "%s", e.msg);
	cr_expect(now.set && now.value == 5);
	cr_expect_not(peak.set, "an older kernel does not know it");
	cr_expect(max.set && max.value == CGROUP_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		cr_expect_eq(process_counts(wrong[i], values, 3, &e), -EPROTO, "%zu", i);
		cr_expect_str_eq(e.msg, "what the guest says of its processes is no count");
	}
}
