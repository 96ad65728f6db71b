#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "mounts/mountinfo.h"
#include "runtime/external.h"

static struct arena arena;

static void done(void)
{
	arena_done(&arena);
}

TestSuite(external, .fini = done);

static mountinfo parse(const char *text)
{
	struct buf buf = { 0 };
	struct err e = { 0 };
	mountinfo list;

	buf_printf(&buf, "%s", text);
	cr_assert_eq(mountinfo_parse(&buf, &arena, &list, &e), 0, "%s", e.msg);
	buf_done(&buf);
	return list;
}

Test(external, mountinfo_has_the_kernels_form)
{
	mountinfo list =
		parse("36 35 98:0 /mnt1 /mnt\\0402\\134 rw,noatime master:1 shared:2 - ext3 "
		      "/dev/root rw,errors=continue\n"
		      "37 36 0:5 / /dev ro - devtmpfs udev rw\n");

	cr_assert_eq(list.n, 2);
	cr_expect_str_eq(list.at[0].id, "36");
	cr_expect_str_eq(list.at[0].device, "98:0");
	cr_expect_str_eq(list.at[0].root, "/mnt1");
	cr_expect_str_eq(list.at[0].path, "/mnt 2\\");
	cr_expect_str_eq(list.at[0].type, "ext3");
	cr_expect_str_eq(list.at[1].type, "devtmpfs");
	cr_expect_eq(mountinfo_find_device(&list, "0:5"), &list.at[1]);
	cr_expect_null(mountinfo_find_device(&list, "0:55"));
}

Test(external, mountinfo_of_another_form_is_refused)
{
	static const char *const wrong[] = { "36 35 98:0 /mnt1\n", "36 35 98:0 / /a rw master:1\n",
					     "36 35 98:0 / /a rw -\n",
					     "36 35 98:0 / /a rw - ext4\n" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct buf buf = { 0 };
		struct err e = { 0 };
		mountinfo list;

		buf_printf(&buf, "%s", wrong[i]);
		cr_expect_eq(mountinfo_parse(&buf, &arena, &list, &e), -EINVAL, "%s", wrong[i]);
		cr_expect_str_eq(e.msg, "mountinfo, mount 1: not the kernel's form");
		buf_done(&buf);
	}
}

/* What lies in another mount is made with that one. */
Test(external, places_to_mount_on_are_those_in_the_root_itself)
{
	static struct mount_op ops[] = {
		{ .kind = MOUNT_KIND_FILESYSTEM, .type = "tmpfs", .target = "/run/" },
		{ .kind = MOUNT_KIND_BIND, .target = "run//lock", .source = "/lock" },
		{ .kind = MOUNT_KIND_BIND, .target = "/runs", .source = "data/file" },
		{ .kind = MOUNT_KIND_REMOUNT, .target = "/run" },
		{ .kind = MOUNT_KIND_BIND, .target = "/", .source = "/all" },
		{ .kind = MOUNT_KIND_BIND, .target = "/late", .source = "/late" },
	};
	struct mount_plan p = { 0 };
	externals list;

	p.mounts.at = ops;
	p.mounts.n = 4;
	externals_places(&p, "/bundle", &arena, &list);
	cr_assert_eq(list.n, 2);
	cr_expect_str_eq(list.at[0].path, "/run");
	cr_expect_null(list.at[0].source);
	cr_expect_str_eq(list.at[1].path, "/runs");
	cr_expect_str_eq(list.at[1].source, "/bundle/data/file");
	p.mounts.n = 6;
	externals_places(&p, "/bundle", &arena, &list);
	cr_assert_eq(list.n, 2, "/ is there, and the rest lies in it");
}

/* A bind with what is below it, a mask, and a device of a user namespace. */
static externals plan(const char *cgroup)
{
	static struct mount_op ops[] = {
		{ .kind = MOUNT_KIND_BIND,
		  .target = "data//",
		  .source = "data",
		  .options = { .flags = MOUNT_RECURSIVE } },
		{ .kind = MOUNT_KIND_FILESYSTEM, .type = "tmpfs", .target = "/data/tmp" },
		{ .kind = MOUNT_KIND_FILESYSTEM, .type = "cgroup", .target = "/sys/fs/cgroup" },
	};
	static struct device_op devices[] = { { .path = "/dev/zero" } };
	static const char *masked[] = { "/proc/keys" };
	struct mount_plan p = { .bind_devices = true };
	externals list;

	p.mounts.at = ops;
	p.mounts.n = 3;
	p.devices.at = devices;
	p.devices.n = 1;
	p.masked = (struct strings){ masked, 1 };
	externals_plan(&p, "/bundle", cgroup, &arena, &list);
	return list;
}

Test(external, what_the_plan_binds)
{
	externals list = plan(NULL);

	cr_assert_eq(list.n, 3);
	cr_expect_str_eq(list.at[0].path, "/data");
	cr_expect_str_eq(list.at[0].source, "/bundle/data");
	cr_expect(list.at[0].tree);
	cr_assert_not_null(list.at[0].op);
	cr_expect_eq(list.at[0].op->kind, MOUNT_KIND_BIND);
	cr_expect_null(list.at[1].op);
	cr_expect_str_eq(list.at[1].path, "/proc/keys");
	cr_expect_str_eq(list.at[1].source, "/dev/null");
	cr_expect_str_eq(list.at[2].source, "/dev/zero");
	list = plan("/sys/fs/cgroup/hull/c1");
	cr_assert_eq(list.n, 4);
	cr_expect_str_eq(list.at[1].path, "/sys/fs/cgroup");
	cr_expect_str_eq(list.at[1].source, "/sys/fs/cgroup/hull/c1");
}

Test(external, what_is_mounted_below_a_tree_comes_along)
{
	externals list = plan(NULL), all;
	mountinfo host = parse("1 0 8:1 / / rw - ext4 /dev/sda rw\n"
			       "2 1 8:2 / /bundle/data/disk rw - ext4 /dev/sdb rw\n"
			       "3 1 8:3 / /bundle/database rw - ext4 /dev/sdc rw\n");

	externals_with_mounts(&list, &host, &arena, &all);
	cr_assert_eq(all.n, 4);
	cr_expect_str_eq(all.at[1].path, "/data/disk");
	cr_expect_str_eq(all.at[1].source, "/bundle/data/disk");
}

Test(external, only_what_is_the_hosts_is_named)
{
	externals list = plan(NULL);
	mountinfo host = parse("1 0 8:1 / / rw - ext4 /dev/sda rw\n"
			       "2 1 0:5 / /dev rw - devtmpfs udev rw\n"
			       "4 1 0:9 / /sys rw - sysfs sysfs rw\n");
	mountinfo container = parse("9 8 8:1 /rootfs / rw - ext4 /dev/sda rw\n"
				    "10 9 8:1 /bundle/data /data rw - ext4 /dev/sda rw\n"
				    "11 10 0:44 / /data/tmp rw - tmpfs tmpfs rw\n"
				    "12 9 0:45 / /proc rw - proc proc rw\n"
				    "13 12 0:5 /null /proc/keys ro - devtmpfs udev rw\n"
				    "14 9 0:9 / /sys ro - sysfs sysfs rw\n");
	struct strings names;
	struct err e = { 0 };

	cr_assert_eq(externals_find(&list, &container, &host, &arena, &names, &e), 0, "%s", e.msg);
	cr_assert_eq(names.n, 2);
	cr_expect_str_eq(names.at[0], "/data");
	cr_expect_str_eq(names.at[1], "/proc/keys");
	container = parse("10 9 8:1 /home /stolen rw - ext4 /dev/sda rw\n");
	cr_expect_eq(externals_find(&list, &container, &host, &arena, &names, &e), -ENOTSUP);
	cr_expect_str_eq(e.msg,
			 "checkpoint: /stolen is a mount of the host (ext4) and not one of the "
			 "configuration's, so nothing could be put in its place");
}

Test(external, a_root_that_the_host_does_not_have_is_refused)
{
	externals list = plan(NULL);
	mountinfo host = parse("1 0 8:1 / / rw - ext4 /dev/sda rw\n");
	mountinfo container = parse("9 8 0:77 / / rw - overlay overlay rw\n");
	struct strings names;
	struct err e = { 0 };

	cr_expect_eq(externals_check_root(&container, &host, &e), -ENOTSUP);
	cr_expect_str_eq(e.msg, "checkpoint: the container's root (overlay) is mounted nowhere on "
				"the host, so nothing could be put in its place");
	/* Where its keeper mounts it anew, it is nothing of the host's. */
	cr_assert_eq(externals_find(&list, &container, &host, &arena, &names, &e), 0, "%s", e.msg);
	cr_expect_eq(names.n, 0);
	container = parse("9 8 8:1 /rootfs / rw - ext4 /dev/sda rw\n");
	cr_expect_eq(externals_check_root(&container, &host, &e), 0);
}

static int load(const char *text, struct external_streams *ret, struct err *e)
{
	char name[] = "/tmp/external-XXXXXX";
	int dir, r;

	cr_assert(mkdtemp(name));
	dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = io_replace_file(dir, "hull.json", text, strlen(text), e);
	if (r == 0)
		r = external_streams_load(dir, &arena, ret, e);
	cr_assert_eq(unlinkat(dir, "hull.json", 0), 0);
	close(dir);
	cr_assert_eq(rmdir(name), 0);
	return r;
}

Test(external, streams_are_read_strictly)
{
	static const struct {
		const char *text, *error;
	} wrong[] = {
		{ "{\"streams\":[\"pipe:[1\"]}", "hull.json: streams[0]: expected \"pipe:[N]\" or "
						 "\"file[N:N]\", found \"pipe:[1\"" },
		{ "{\"streams\":[\"\",\"tty[5:1]\"]}",
		  "hull.json: streams[1]: expected \"pipe:[N]\" or "
		  "\"file[N:N]\", found \"tty[5:1]\"" },
		{ "{\"streams\":[\"\",\"\",\"\",\"\"]}", "hull.json: streams: more than three" },
	};
	struct external_streams streams;
	struct err e = { 0 };

	cr_assert_eq(load("{\"streams\":[\"\",\"pipe:[12]\",\"file[1f:2a]\"]}", &streams, &e), 0,
		     "%s", e.msg);
	cr_assert_eq(streams.names.n, 3);
	cr_expect_str_eq(streams.names.at[2], "file[1f:2a]");
	cr_expect(external_stream_is_file(streams.names.at[2]));
	cr_expect_not(external_stream_is_file(streams.names.at[1]));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		cr_expect_eq(load(wrong[i].text, &streams, &e), -EINVAL);
		cr_expect_str_eq(e.msg, wrong[i].error);
	}
}

/* Of our own process: a pipe, a file of the host's, one of the container's own, none. */
Test(external, streams_have_the_names_that_criu_has)
{
	const mountinfo nothing = { 0 };
	struct external_streams streams, back;
	auto_fd int dir = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char place[] = "/tmp/hull-unit-XXXXXX", name[64], id[32];
	auto_fd int images = -1;
	int ends[2];
	mountinfo own;
	struct buf text = { 0 };
	struct stat st;
	struct err e;

	cr_assert_not_null(mkdtemp(place));
	images = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(dir, 0);
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(dup2(ends[0], 0), 0);
	cr_assert_eq(dup2(dir, 1), 1);
	close(2);
	cr_assert_eq(external_streams_find(getpid(), &nothing, &arena, &streams, &e), 0, "%s", e.msg);
	cr_assert_eq(fstat(ends[0], &st), 0);
	snprintf(name, sizeof(name), "pipe:[%llu]", (unsigned long long)st.st_ino);
	cr_expect_str_eq(streams.names.at[0], name);
	cr_expect(external_stream_is_file(streams.names.at[1]), "%s", streams.names.at[1]);
	cr_expect_str_eq(streams.names.at[2], "", "it is closed");
	cr_expect_eq(external_streams_save(images, &streams, &e), 0, "%s", e.msg);
	cr_expect_eq(external_streams_load(images, &arena, &back, &e), 0, "%s", e.msg);
	cr_expect_str_eq(back.names.at[1], streams.names.at[1]);

	/* The same file where its mount is one of the container's. */
	snprintf(id, sizeof(id), "%lu", strtoul(streams.names.at[1] + strlen("file["), NULL, 16));
	buf_printf(&text, "%s 1 0:5 / / rw - tmpfs none rw\n", id);
	cr_assert_eq(mountinfo_parse(&text, &arena, &own, &e), 0, "%s", e.msg);
	cr_assert_eq(external_streams_find(getpid(), &own, &arena, &streams, &e), 0, "%s", e.msg);
	cr_expect_str_eq(streams.names.at[1], "");
	cr_assert_eq(io_remove_tree(AT_FDCWD, place), 0);
	buf_done(&text);
}
