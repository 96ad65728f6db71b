#include "process/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"

enum { PASSWD_MAX = 1024 * 1024 };

static size_t name_length(const char *entry)
{
	return strcspn(entry, "=");
}

static void put(struct strings *env, const char *entry)
{
	size_t len = name_length(entry);

	for (size_t i = 0; i < env->n; i++) {
		if (name_length(env->at[i]) == len && strncmp(env->at[i], entry, len) == 0) {
			env->at[i] = entry;
			return;
		}
	}
	env->at[env->n++] = entry;
}

struct strings environment_make(const struct strings *first, const struct strings *more,
				struct arena *a)
{
	struct strings env = { .at = arena_array(a, first->n + more->n + 1, sizeof(*env.at)) };

	for (size_t i = 0; i < first->n; i++)
		put(&env, first->at[i]);
	for (size_t i = 0; i < more->n; i++)
		put(&env, more->at[i]);
	return env;
}

const char *environment_get(const struct strings *env, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->at[i], name, len) == 0 && env->at[i][len] == '=')
			return env->at[i] + len + 1;
	return NULL;
}

/* The n-th field of a line of passwd(5), terminated in place; NULL without one. */
static char *field(char *line, int n)
{
	while (n-- > 0) {
		line = strchr(line, ':');
		if (!line)
			return NULL;
		line++;
	}
	line[strcspn(line, ":\n")] = '\0';
	return line;
}

static const char *home_of_line(char *line, const char *uid)
{
	char *home = NULL, *id;

	/* The later field first: field() cuts the line. */
	home = field(line, 5);
	id = home ? field(line, 2) : NULL;
	return id && strcmp(id, uid) == 0 && home[0] == '/' ? home : NULL;
}

const char *environment_home(uint32_t uid, struct arena *a)
{
	auto_buf struct buf text = { 0 };
	char wanted[16], *next;

	snprintf(wanted, sizeof(wanted), "%u", uid);
	/* The image's file: io_read_file() takes regular ones of bounded size only. */
	if (io_read_file(AT_FDCWD, "/etc/passwd", PASSWD_MAX, "/etc/passwd", &text, NULL) < 0)
		return "/";
	for (char *line = text.text; line && *line; line = next) {
		const char *home;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		home = home_of_line(line, wanted);
		if (home)
			return arena_strdup(a, home);
	}
	return "/";
}
