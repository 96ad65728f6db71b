#include "mounts/classic.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "base/buf.h"
#include "base/io.h"

enum {
	FSCONFIG_MAX = 255,
	DATA_MAX = 4095, /* one page with its NUL; mount(2) silently cuts what is longer */
};

/* What the attributes of a mount are called by mount(2). */
static const struct {
	uint64_t attr;
	unsigned long flag;
} flags[] = {
	{ MOUNT_ATTR_RDONLY, MS_RDONLY },         { MOUNT_ATTR_NOSUID, MS_NOSUID },
	{ MOUNT_ATTR_NODEV, MS_NODEV },           { MOUNT_ATTR_NOEXEC, MS_NOEXEC },
	{ MOUNT_ATTR_NOATIME, MS_NOATIME },       { MOUNT_ATTR_STRICTATIME, MS_STRICTATIME },
	{ MOUNT_ATTR_NODIRATIME, MS_NODIRATIME }, { MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW },
};

bool mount_needs_classic(const struct mount_op *op)
{
	for (size_t i = 0; i < op->options.super.n; i++) {
		const char *value = strchr(op->options.super.at[i], '=');

		if (value && strlen(value + 1) > FSCONFIG_MAX)
			return true;
	}
	return false;
}

int mount_classic(const struct mount_op *op, int target, struct err *e)
{
	auto_buf struct buf data = { 0 };
	unsigned long set = 0;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (op->options.attrs.set & flags[i].attr)
			set |= flags[i].flag;
	for (size_t i = 0; i < op->options.super.n; i++)
		buf_printf(&data, "%s%s", i ? "," : "", op->options.super.at[i]);
	if (data.len > DATA_MAX)
		return err_set(e, E2BIG, "%s: the options of %s have %zu bytes, mount(2) takes %d",
			       op->name, op->type, data.len, DATA_MAX);
	if (mount(op->source ? op->source : "none", io_fd_path(target).text, op->type, set,
		  data.text) < 0)
		return err_sys(e, "%s: mount %s on %s", op->name, op->type, op->target);
	return 0;
}
