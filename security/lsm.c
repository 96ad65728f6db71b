#include "security/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/sys.h"

static bool given(const char *label)
{
	return label && *label;
}

/* "unconfined" is what a process is without AppArmor as well. */
static bool confined(const char *profile)
{
	return given(profile) && strcmp(profile, "unconfined") != 0;
}

void lsm_facts_read(struct lsm_facts *ret)
{
	char enabled[8] = "";
	struct statfs fs;

	ret->apparmor = io_read_value(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", enabled,
				      sizeof(enabled)) == 0 &&
			enabled[0] == 'Y';
	ret->selinux = statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}

int lsm_check(const struct spec_process *process, const struct lsm_facts *facts, struct err *e)
{
	if (confined(process->apparmor_profile) && !facts->apparmor)
		return err_set(e, EOPNOTSUPP,
			       "process.apparmorProfile: AppArmor is not enabled on this host");
	if (given(process->selinux_label) && !facts->selinux)
		return err_set(e, EOPNOTSUPP,
			       "process.selinuxLabel: SELinux is not enabled on this host");
	return 0;
}

int lsm_check_mounts(const char *label, const struct lsm_facts *facts, struct err *e)
{
	if (given(label) && !facts->selinux)
		return err_set(e, EOPNOTSUPP,
			       "linux.mountLabel: SELinux is not enabled on this host");
	return 0;
}

/* Writes an attribute of the calling thread, and nothing else whatever is mounted on procfs. */
static int attr_write(int procfd, const char *name, const char *value)
{
	auto_fd int fd = -1;
	struct statfs fs;
	char path[64];

	/* "thread-self" is a link of procfs's own making, the one that has to be followed. */
	snprintf(path, sizeof(path), "thread-self/attr/%s", name);
	fd = sys_openat2(procfd, path, O_WRONLY | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type != PROC_SUPER_MAGIC)
		return -EXDEV;
	/* The kernel takes a label in one write(2) only. */
	if (write(fd, value, strlen(value)) < 0)
		return -errno;
	return 0;
}

int lsm_apparmor_apply(int procfd, const char *profile, struct err *e)
{
	auto_buf struct buf command = { 0 };
	int r;

	if (!given(profile))
		return 0;
	buf_printf(&command, "exec %s", profile);
	r = attr_write(procfd, "apparmor/exec", command.text);
	if (r == -ENOENT)
		r = attr_write(procfd, "exec", command.text); /* before Linux 5.8 */
	if (r < 0 && !confined(profile) && (r == -ENOENT || r == -EINVAL))
		return 0; /* no AppArmor here */
	if (r == -ENOENT)
		return err_set(e, ENOENT, "apply AppArmor profile \"%s\": it is not loaded",
			       profile);
	if (r < 0)
		return err_neg(e, r, "apply AppArmor profile \"%s\"", profile);
	return 0;
}

int lsm_selinux_apply(int procfd, const char *label, struct err *e)
{
	int r = given(label) ? attr_write(procfd, "exec", label) : 0;

	return r < 0 ? err_neg(e, r, "apply SELinux label \"%s\"", label) : 0;
}

int lsm_selinux_keyring(int procfd, const char *label, struct err *e)
{
	int r = attr_write(procfd, "keycreate", label ? label : "");

	return r < 0 ? err_neg(e, r, "apply SELinux label \"%s\" to keyrings", label ? label : "")
		     : 0;
}
