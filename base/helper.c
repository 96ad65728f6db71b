#include "base/helper.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What no program's path is too long for. */
static bool is_program(struct helper_path *p, int len)
{
	return len > 0 && (size_t)len < sizeof(p->text) && access(p->text, X_OK) == 0;
}

/* In a build tree, beside the program; not when that is sealed, and so has no place. */
static bool find_beside(const char *name, struct helper_path *ret)
{
	char exe[sizeof(ret->text) / 2];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe));
	const char *slash;

	if (len <= 0 || (size_t)len >= sizeof(exe))
		return false;
	exe[len] = '\0';
	slash = strrchr(exe, '/');
	if (!slash || strncmp(exe, "/memfd:", strlen("/memfd:")) == 0)
		return false;
	/* hull-full (full.h) is a helper itself. */
	return is_program(ret, snprintf(ret->text, sizeof(ret->text), "%.*s%s/%s",
					(int)(slash - exe), exe,
					strcmp(slash, "/hull-full") == 0 ? "" : "/libexec/hull",
					name));
}

void helper_remember(void)
{
	static const char program[] = "/hull-unpack";
	struct helper_path found;

	if (secure_getenv("HULL_LIBEXEC") || !find_beside(program + 1, &found))
		return;
	found.text[strlen(found.text) - (sizeof(program) - 1)] = '\0';
	setenv("HULL_LIBEXEC", found.text, 0); /* NOLINT(concurrency-mt-unsafe) */
}

int helper_find(const char *name, struct helper_path *ret, struct err *e)
{
	const char *dir = secure_getenv("HULL_LIBEXEC");
	struct helper_path found;

	if (dir) {
		if (!is_program(&found,
				snprintf(found.text, sizeof(found.text), "%s/%s", dir, name)))
			return err_set(e, ENOENT, "find the program %s in %s (HULL_LIBEXEC)", name,
				       dir);
	} else if (!find_beside(name, &found)) {
		if (!is_program(&found, snprintf(found.text, sizeof(found.text), "%s/%s",
						 HULL_LIBEXECDIR, name)))
			return err_set(e, ENOENT, "find the program %s in %s: is hull installed?",
				       name, HULL_LIBEXECDIR);
	}
	*ret = found;
	return 0;
}
