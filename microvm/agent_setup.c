/*
 * agent_setup.c - the guest before there is a container in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/io.h"
#include "microvm/agent.h"
#include "microvm/disk.h"
#include "microvm/fsdev.h"
#include "microvm/guest_network.h"
#include "microvm/initramfs.h"
#include "microvm/kernel.h"
#include "network/loopback.h"

enum { PORT_WAIT_MS = 30 * 1000, PORT_LOOK_MS = 2 };

static const struct {
	const char *type, *source, *target;
	unsigned long flags;
	const char *data;
} mounts[] = {
	{ "proc", "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
	{ "sysfs", "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
	{ "devtmpfs", "devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, NULL },
	/* Its limits are not the container's to change. */
	{ "cgroup2", "cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate" },
};

static int mount_all(struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		if (mkdir(mounts[i].target, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "make %s", mounts[i].target);
		if (mount(mounts[i].source, mounts[i].target, mounts[i].type, mounts[i].flags,
			  mounts[i].data) < 0)
			return err_sys(e, "mount %s", mounts[i].target);
	}
	return 0;
}

/* Those of the initial file system whose names are this and a number. */
static int load_modules(const char *prefix, struct err *e)
{
	for (int i = 0; i < KERNEL_MODULES_MAX; i++) {
		char path[64];
		uint8_t magic[2] = { 0 };
		auto_fd int fd = -1;
		int flags;

		snprintf(path, sizeof(path), "/modules/%s%02d", prefix, i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return errno == ENOENT ? 0 : err_sys(e, "open %s", path);
		/* The kernel unpacks what is not an ELF file. */
		if (pread(fd, magic, sizeof(magic), 0) != sizeof(magic))
			return err_set(e, ENOEXEC, "%s is no module", path);
		flags = magic[0] == 0x7f ? 0 : MODULE_INIT_COMPRESSED_FILE;
		if (syscall(SYS_finit_module, fd, "", flags) < 0 && errno != EEXIST)
			return err_sys(e, "load the module %s", path);
		unlink(path);
	}
	return 0;
}

static int mount_root(struct err *e)
{
	if (mkdir(AGENT_ROOT, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make " AGENT_ROOT);
	if (mount(FSDEV_TAG, AGENT_ROOT, "virtiofs", 0, NULL) < 0)
		return err_sys(e, "mount the container's root by virtio-fs");
	return 0;
}

/* The driver makes the device some time after it has found the hardware. */
static int open_port(struct err *e)
{
	const struct timespec look = { .tv_nsec = PORT_LOOK_MS * 1000000L };

	for (int waited = 0; waited < PORT_WAIT_MS; waited += PORT_LOOK_MS) {
		int fd = open("/dev/vport0p0", O_RDWR | O_CLOEXEC | O_NONBLOCK);

		if (fd >= 0)
			return fd;
		if (errno != ENOENT && errno != ENXIO && errno != ENODEV)
			break;
		nanosleep(&look, NULL);
	}
	return err_sys(e, "open /dev/vport0p0");
}

int agent_mount_disk(struct err *e)
{
	TRY(load_modules(INITRAMFS_DISK, e));
	return disk_mount(e);
}

int agent_make_network(const struct frame *f, struct err *e)
{
	static struct guest_network n;
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	int r;

	if (guest_network_read(f->bytes, f->size, &n) < 0)
		return err_set(e, EPROTO, "what the host sent is no network");
	TRY(load_modules(INITRAMFS_NETWORK, e));
	r = io_write_value(AT_FDCWD, "/sys/bus/pci/rescan", "1");
	if (r < 0)
		return err_neg(e, r, "look for new devices on the bus");
	TRY(netlink_open(-1, &nl, e));
	return guest_network_apply(&nl, &n, e);
}

int agent_set_up(int *ret_port, struct err *e)
{
	const struct rlimit files = { 1 << 20, 1 << 20 };

	umask(0);
	TRY(mount_all(e));
	TRY(load_modules("", e));
	/* As a host has it for its services; what a container is given is in its configuration. */
	setrlimit(RLIMIT_NOFILE, &files);
	TRY(loopback_up(e));
	TRY(mount_root(e));
	*ret_port = open_port(e);
	return *ret_port < 0 ? *ret_port : 0;
}
