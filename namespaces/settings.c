#include "namespaces/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/sys.h"

int names_apply(const struct spec *s, struct err *e)
{
	if (s->hostname && sethostname(s->hostname, strlen(s->hostname)) < 0)
		return err_sys(e, "set hostname \"%s\"", s->hostname);
	if (s->domainname && setdomainname(s->domainname, strlen(s->domainname)) < 0)
		return err_sys(e, "set domainname \"%s\"", s->domainname);
	return 0;
}

/* No component is empty, "." or "..": the name means the file that it looks like. */
static bool has_plain_components(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[len])
			return true;
		path += len + 1;
	}
}

/*
 * Like sysctl(8): the first separator of the name says which one it uses, and
 * the other one is then a plain character ("net/ipv4/conf/eth0.1/forwarding").
 */
int sysctl_path(const char *name, char *buf, size_t size)
{
	size_t first = strcspn(name, "./");
	char other = name[first] == '/' ? '.' : '/';
	int len = snprintf(buf, size, "sys/%s", name);

	if (len < 0 || (size_t)len >= size)
		return -EINVAL;
	for (char *at = buf + 4; other == '/' && *at; at++)
		*at = *at == '.' ? '/' : *at == '/' ? '.' : *at;
	return has_plain_components(buf) ? 0 : -EINVAL;
}

int sysctl_apply(int proc, const struct spec_pairs *sysctl, struct err *e)
{
	for (size_t i = 0; i < sysctl->n; i++) {
		const struct spec_pair *p = &sysctl->at[i];
		char path[PATH_MAX];
		auto_fd int fd = -1;
		const char *value;
		int r;

		if (sysctl_path(p->key, path, sizeof(path)) < 0)
			return err_set(e, EINVAL, "linux.sysctl: \"%s\" is not a name", p->key);
		fd = sys_openat2(proc, path, O_WRONLY | O_CLOEXEC, 0,
				 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
		if (fd < 0)
			return err_sys(e, "linux.sysctl: open %s", p->key);
		/* A write of no byte would come to nothing, and not be told of. */
		value = p->value[0] ? p->value : "\n";
		r = io_write_all(fd, value, strlen(value));
		if (r < 0)
			return err_neg(e, r, "linux.sysctl: set %s to \"%s\"", p->key, p->value);
	}
	return 0;
}
