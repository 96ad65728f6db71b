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

/* A context has commas of its own: SELinux takes it in quotes, which fsconfig(2) needs none of. */
static void add_option(struct buf *data, const char *option)
{
	const size_t context = strlen(MOUNT_CONTEXT);

	buf_str(data, data->len ? "," : "");
	if (strncmp(option, MOUNT_CONTEXT, context) == 0 && option[context] != '"')
		buf_printf(data, MOUNT_CONTEXT "\"%s\"", option + context);
	else
		buf_str(data, option);
}

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
		add_option(&data, op->options.super.at[i]);
	if (data.len > DATA_MAX)
		return err_set(e, E2BIG, "%s: the options of %s have %zu bytes, mount(2) takes %d",
			       op->name, op->type, data.len, DATA_MAX);
	if (mount(op->source ? op->source : "none", io_fd_path(target).text, op->type, set,
		  data.text) < 0)
		return err_sys(e, "%s: mount %s on %s", op->name, op->type, op->target);
	return 0;
}
