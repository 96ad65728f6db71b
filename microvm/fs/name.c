/* name.c - see name.h. */
#include "microvm/fs/name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/sys.h"

int name_split(const void *bytes, size_t size, const char **ret, int n)
{
	const char *at = bytes, *end = at + size;

	for (int i = 0; i < n; i++) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));

		if (!nul)
			return -EINVAL;
		ret[i] = at;
		at = nul + 1;
	}
	return at == end ? 0 : -EINVAL;
}

int name_check(const char *name)
{
	if (!name[0] || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	return strlen(name) > NAME_MAX ? -ENAMETOOLONG : 0;
}

int name_parse(const void *bytes, size_t size, const char **ret, int n)
{
	int r = name_split(bytes, size, ret, n);

	for (int i = 0; i < n && r == 0; i++)
		r = name_check(ret[i]);
	return r;
}

int name_open(int dir, const char *name, int flags, mode_t mode)
{
	/* The name has one component, so no symbolic link is ever followed: O_NOFOLLOW takes
	 * care of that one, RESOLVE_* of a name_check() that was forgotten. */
	int fd = sys_openat2(dir, name, (unsigned)(flags | O_NOFOLLOW | O_CLOEXEC), mode,
			     RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);

	return fd < 0 ? -errno : fd;
}
