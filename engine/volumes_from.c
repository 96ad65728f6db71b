#include "engine/volumes_from.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "base/json.h"
#include "engine/record.h"

/* "NAME:ro" is cut; no name has a colon. */
static int take_mode(const char *text, char *name, bool *ret_readonly, struct err *e)
{
	/* Labels are SELinux's, and there is no such label here. */
	static const char *const modes[] = { "ro", "rw", "z", "Z" };
	char *mode = strchr(name, ':');

	*ret_readonly = false;
	if (!mode)
		return 0;
	*mode++ = '\0';
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (strcmp(mode, modes[i]) == 0) {
			*ret_readonly = i == 0;
			return 0;
		}
	}
	return err_set(e, EINVAL, "--volumes-from %s: expected CONTAINER[:ro|rw]",
		       json_quote(text).text);
}

static bool is_below(const char *path, const char *base, const char *part)
{
	size_t len = strlen(base);

	return strncmp(path, base, len) == 0 && strncmp(path + len, part, strlen(part)) == 0;
}

/* Options as config_write() makes them, back to what they were made of. */
static void take_options(const struct spec_mount *from, struct arena *a, struct config_mount *ret)
{
	ret->options.at = arena_array(a, from->options.n + 1, sizeof(*ret->options.at));
	for (size_t i = 0; i < from->options.n; i++) {
		const char *o = from->options.at[i];

		if (strcmp(o, "rbind") == 0)
			ret->recursive = true;
		else if (strcmp(o, "rro") == 0)
			ret->readonly = true;
		else if (strcmp(o, "ro") == 0)
			ret->readonly = ret->is_shallow = true;
		else if (strcmp(o, "bind") != 0 && strcmp(o, "rw") != 0 && strcmp(o, "idmap") != 0)
			ret->options.at[ret->options.n++] = o;
	}
}

static int read_spec(const struct engine *g, const char *id, struct record *record,
		     struct spec *ret, struct err *e)
{
	auto_fd int dir = record_open(g, id, record, e);

	TRY(dir);
	return record_read_spec(dir, ret, e);
}

static void copy_mounts(const struct engine *g, const struct spec *spec, bool readonly,
			struct arena *a, struct volumes_from *ret)
{
	ret->mounts.at = arena_array(a, spec->mounts.n + 1, sizeof(*ret->mounts.at));
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct spec_mount *from = &spec->mounts.at[i];
		struct config_mount m = { .readonly = readonly };

		/* Only what config_write() binds for a person: /sys may be bound, and is not of that type. */
		if (!from->type || strcmp(from->type, "bind") != 0 || !from->source ||
		    is_below(from->source, g->path.text, "/containers/"))
			continue;
		take_options(from, a, &m);
		for (size_t k = 0; k < m.options.n; k++)
			m.options.at[k] = arena_strdup(a, m.options.at[k]);
		m.source = arena_strdup(a, from->source);
		m.target = arena_strdup(a, from->destination);
		ret->mounts.at[ret->mounts.n++] = m;
	}
}

int volumes_from_read(const struct engine *g, const char *text, struct arena *a,
		      struct volumes_from *ret, struct err *e)
{
	auto_record struct record record = { 0 };
	auto_spec struct spec spec = { 0 };
	char *name = arena_strdup(a, text), id[RECORD_ID_LEN + 1];
	bool readonly;

	*ret = (struct volumes_from){ 0 };
	TRY(take_mode(text, name, &readonly, e));
	if (record_find(g, name, id, e) < 0 || read_spec(g, id, &record, &spec, e) < 0)
		return err_wrap(e, "--volumes-from %s", text);
	copy_mounts(g, &spec, readonly, a, ret);
	ret->names.at = arena_array(a, record.volumes.n + 1, sizeof(*ret->names.at));
	for (; ret->names.n < record.volumes.n; ret->names.n++)
		ret->names.at[ret->names.n] = arena_strdup(a, record.volumes.at[ret->names.n]);
	return 0;
}
