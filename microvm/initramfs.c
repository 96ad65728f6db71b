#include "microvm/initramfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/io.h"

enum { FILE_MAX = 64 * 1024 * 1024 };

static void pad(struct buf *b)
{
	while (b->len % 4)
		buf_char(b, '\0');
}

static void add(struct buf *b, const char *name, mode_t mode, dev_t device, const struct buf *data)
{
	size_t size = data ? data->len : 0;

	/* magic, inode, mode, uid, gid, links, mtime, size, device, rdevice, name's size, checksum */
	buf_printf(b, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 0U,
		   (unsigned)mode, 0U, 0U, 1U, 0U, size, 0U, 0U, major(device), minor(device),
		   strlen(name) + 1, 0U);
	buf_add(b, name, strlen(name) + 1);
	pad(b);
	if (size)
		buf_add(b, data->text, size);
	pad(b);
}

static int add_modules(struct buf *b, const char *prefix, const struct strings *paths,
		       struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		auto_buf struct buf data = { 0 };
		char name[64];

		TRY(io_read_file(AT_FDCWD, paths->at[i], FILE_MAX, paths->at[i], &data, e));
		snprintf(name, sizeof(name), "modules/%s%02zu", prefix, i);
		add(b, name, S_IFREG | 0600, 0, &data);
	}
	return 0;
}

int initramfs_make(int agent, const struct strings *modules, const struct strings *network,
		   const struct strings *disk, struct err *e)
{
	auto_buf struct buf b = { 0 }, program = { 0 };
	auto_fd int fd = memfd_create("initramfs", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = io_slurp(agent, FILE_MAX, &program);

	if (fd < 0)
		return err_sys(e, "make a memory file");
	if (r < 0)
		return err_neg(e, r, "read hull-agent");
	add(&b, "dev", S_IFDIR | 0755, 0, NULL);
	add(&b, "dev/console", S_IFCHR | 0600, makedev(5, 1), NULL);
	add(&b, "init", S_IFREG | 0700, 0, &program);
	add(&b, "modules", S_IFDIR | 0700, 0, NULL);
	TRY(add_modules(&b, "", modules, e));
	TRY(add_modules(&b, INITRAMFS_NETWORK, network, e));
	TRY(add_modules(&b, INITRAMFS_DISK, disk, e));
	add(&b, "TRAILER!!!", 0, 0, NULL);
	r = io_write_all(fd, b.text, b.len);
	return r < 0 ? err_neg(e, r, "write the initial file system") : take_fd(&fd);
}
