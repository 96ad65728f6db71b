#include "process/executable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* What execve(2)'s callers fall back to when there is no PATH. */
static const char usual_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* 0, or the errno that speaks against executing it: EISDIR, EACCES or stat(2)'s. */
static int examine(const char *path, bool *ret_is_there)
{
	struct stat st;

	*ret_is_there = false;
	if (stat(path, &st) < 0)
		return errno;
	*ret_is_there = true;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

static int find_at(const char *path, struct arena *a, const char **ret, struct err *e)
{
	bool is_there;
	int code = examine(path, &is_there);

	if (code && !is_there)
		return executable_diagnose_missing(path, code, e);
	/* execve(2)'s own code: by its text engines know 126, and not all know a directory's. */
	if (code)
		return executable_diagnose(path, code == EISDIR ? EACCES : code, e);
	*ret = arena_strdup(a, path);
	return 0;
}

int executable_find(const char *name, const char *path, struct arena *a, const char **ret,
		    struct err *e)
{
	const char *refused = NULL, *end;
	bool is_there;

	if (strchr(name, '/'))
		return find_at(name, a, ret, e);
	for (const char *dir = path ? path : usual_path; *name && dir;
	     dir = *end ? end + 1 : NULL) {
		const char *file;
		int code;

		end = strchrnul(dir, ':');
		file = end == dir ? arena_printf(a, "./%s", name)
				  : arena_printf(a, "%.*s/%s", (int)(end - dir), dir, name);
		code = examine(file, &is_there);
		if (code == 0) {
			*ret = file;
			return 0;
		}
		if (code == EACCES && is_there && !refused)
			refused = file;
	}
	/* As a shell has it: found, but not executable, is another thing than not found. */
	if (refused)
		return executable_diagnose(refused, EACCES, e);
	return err_set(e, ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
}
