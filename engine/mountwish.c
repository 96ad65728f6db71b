#include "engine/mountwish.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/json_decode.h"
#include "engine/record.h"
#include "engine/wish_private.h"
#include "mounts/options.h"

static int check_target(const char *option, const char *text, const char *target, struct err *e)
{
	if (target[0] != '/')
		return err_set(e, EINVAL, "%s %s: the path in the container has to be absolute",
			       option, json_quote(text).text);
	if (strcmp(target, "/") == 0)
		return err_set(e, EINVAL, "%s %s: nothing can be mounted on /", option,
			       json_quote(text).text);
	return 0;
}

static bool is_path(const char *source)
{
	return source[0] == '/' || source[0] == '.' || source[0] == '~';
}

static int take_source(const char *option, const char *text, const char *source, const char *cwd,
		       struct arena *a, struct mount_wish *ret, struct err *e)
{
	if (!is_path(source)) {
		if (record_check_name(source, e) < 0)
			return err_set(
				e, EINVAL,
				"%s %s: \"%s\" is neither a path (begin it with / or ./) nor "
				"a volume's name",
				option, json_quote(text).text, source);
		ret->kind = WISH_VOLUME;
		ret->source = source;
		return 0;
	}
	if (source[0] == '~')
		return err_set(e, EINVAL, "%s %s: the shell did not replace the \"~\"", option,
			       json_quote(text).text);
	ret->kind = WISH_BIND;
	ret->source = source[0] == '/' ? source : arena_printf(a, "%s/%s", cwd, source);
	return 0;
}

/* Words that change nothing: labels are SELinux's, of which there are none here, and rw is the default. */
static bool is_idle(const char *option)
{
	static const char *const words[] = {
		"", "rw", "z", "Z", "cached", "consistent", "delegated"
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], option) == 0)
			return true;
	return false;
}

/* A file system of its own has options that only its driver knows, and refuses; a bind has none. */
static bool is_known(const char *option, const struct mount_wish *m)
{
	if (m->kind == WISH_TMPFS)
		return true;
	for (const struct mount_option *o = mount_options_table; o->name; o++)
		if (strcmp(o->name, option) == 0)
			return o->kind != OPTION_SUPER;
	return false;
}

/* What follows the second colon. */
static int take_options(const char *option, const char *text, const char *options, struct arena *a,
			struct mount_wish *ret, struct err *e)
{
	const char **parts = arena_array(a, strlen(options) + 1, sizeof(*parts));
	size_t n = wish_split(options, ',', a, parts, strlen(options) + 1);

	ret->options.at = arena_array(a, n, sizeof(*ret->options.at));
	for (size_t i = 0; i < n; i++) {
		if (strcmp(parts[i], "ro") == 0 || strcmp(parts[i], "readonly") == 0)
			ret->readonly = true;
		else if (strcmp(parts[i], "nocopy") == 0 && ret->kind == WISH_VOLUME)
			ret->is_bare = true;
		else if (is_idle(parts[i]))
			continue;
		else if (is_known(parts[i], ret))
			ret->options.at[ret->options.n++] = parts[i];
		else
			return err_set(e, EINVAL, "%s %s: there is no option %s", option,
				       json_quote(text).text, json_quote(parts[i]).text);
	}
	return 0;
}

int wish_volume(const char *text, const char *cwd, struct arena *a, struct mount_wish *ret,
		struct err *e)
{
	const char *parts[3];
	size_t n = wish_split(text, ':', a, parts, 3);

	*ret = (struct mount_wish){ .kind = WISH_VOLUME, .makes_source = true };
	ret->target = n == 1 ? parts[0] : parts[1];
	TRY(check_target("--volume", text, ret->target, e));
	if (n > 1)
		TRY(take_source("--volume", text, parts[0], cwd, a, ret, e));
	if (n == 3)
		TRY(take_options("--volume", text, parts[2], a, ret, e));
	return 0;
}

int wish_tmpfs(const char *text, struct arena *a, struct mount_wish *ret, struct err *e)
{
	const char *parts[2];
	size_t n = wish_split(text, ':', a, parts, 2);

	*ret = (struct mount_wish){ .kind = WISH_TMPFS, .target = parts[0] };
	TRY(check_target("--tmpfs", text, ret->target, e));
	if (n == 2)
		TRY(take_options("--tmpfs", text, parts[1], a, ret, e));
	return 0;
}

static int key_type(const char *text, const char *value, const char *cwd UNUSED,
		    struct arena *a UNUSED, struct mount_wish *ret, struct err *e)
{
	static const struct json_name types[] = {
		{ "bind", WISH_BIND }, { "volume", WISH_VOLUME }, { "tmpfs", WISH_TMPFS }, { 0 }
	};

	for (const struct json_name *t = types; t->name; t++) {
		if (value && strcmp(t->name, value) == 0) {
			ret->kind = (enum mount_wish_kind)t->value;
			return 0;
		}
	}
	return err_set(e, EINVAL, "--mount %s: type is bind, volume or tmpfs",
		       json_quote(text).text);
}

static int key_source(const char *text UNUSED, const char *value, const char *cwd, struct arena *a,
		      struct mount_wish *ret, struct err *e UNUSED)
{
	ret->source = value && value[0] == '.' ? arena_printf(a, "%s/%s", cwd, value) : value;
	return 0;
}

static int key_target(const char *text, const char *value, const char *cwd UNUSED,
		      struct arena *a UNUSED, struct mount_wish *ret, struct err *e)
{
	ret->target = value ? value : "";
	return check_target("--mount", text, ret->target, e);
}

static int key_readonly(const char *text UNUSED, const char *value, const char *cwd UNUSED,
			struct arena *a UNUSED, struct mount_wish *ret, struct err *e UNUSED)
{
	ret->readonly = wish_is_true(value);
	return 0;
}

static int key_writable(const char *text UNUSED, const char *value, const char *cwd UNUSED,
			struct arena *a UNUSED, struct mount_wish *ret, struct err *e UNUSED)
{
	ret->readonly = !wish_is_true(value);
	return 0;
}

static void add_option(struct mount_wish *m, const char *option)
{
	m->options.at[m->options.n++] = option;
}

static int key_propagation(const char *text, const char *value, const char *cwd UNUSED,
			   struct arena *a UNUSED, struct mount_wish *ret, struct err *e)
{
	static const char *const words[] = { "private", "rprivate", "shared",
					     "rshared", "slave",    "rslave" };

	for (size_t i = 0; value && i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], value) == 0) {
			add_option(ret, value);
			return 0;
		}
	}
	return err_set(e, EINVAL,
		       "--mount %s: bind-propagation is private, rprivate, shared, rshared, slave "
		       "or rslave",
		       json_quote(text).text);
}

static int key_recursive(const char *text, const char *value, const char *cwd UNUSED,
			 struct arena *a UNUSED, struct mount_wish *ret, struct err *e)
{
	const char *word = value ? value : "";

	ret->is_flat = strcmp(word, "disabled") == 0;
	ret->is_shallow = strcmp(word, "writable") == 0;
	if (ret->is_flat || ret->is_shallow || strcmp(word, "enabled") == 0 ||
	    strcmp(word, "readonly") == 0)
		return 0;
	return err_set(e, EINVAL,
		       "--mount %s: bind-recursive is enabled, disabled, writable or readonly",
		       json_quote(text).text);
}

static int key_nonrecursive(const char *text UNUSED, const char *value, const char *cwd UNUSED,
			    struct arena *a UNUSED, struct mount_wish *ret, struct err *e UNUSED)
{
	ret->is_flat = wish_is_true(value);
	return 0;
}

/* What a mount of a Mac's files would need; on Linux they are one and the same. */
static int key_consistency(const char *text UNUSED, const char *value UNUSED,
			   const char *cwd UNUSED, struct arena *a UNUSED,
			   struct mount_wish *ret UNUSED, struct err *e UNUSED)
{
	return 0;
}

static int key_nocopy(const char *text UNUSED, const char *value, const char *cwd UNUSED,
		      struct arena *a UNUSED, struct mount_wish *ret, struct err *e UNUSED)
{
	ret->is_bare = wish_is_true(value);
	return 0;
}

static int key_size(const char *text, const char *value, const char *cwd UNUSED, struct arena *a,
		    struct mount_wish *ret, struct err *e)
{
	uint64_t bytes;

	if (!value || wish_bytes(value, &bytes) < 0)
		return err_set(e, EINVAL, "--mount %s: tmpfs-size is a number of bytes, as 64m",
			       json_quote(text).text);
	add_option(ret, arena_printf(a, "size=%llu", (unsigned long long)bytes));
	return 0;
}

static int key_mode(const char *text, const char *value, const char *cwd UNUSED, struct arena *a,
		    struct mount_wish *ret, struct err *e)
{
	uint32_t mode;

	if (!value || wish_octal(value, 07777, &mode) < 0)
		return err_set(e, EINVAL, "--mount %s: tmpfs-mode is an octal number up to 7777",
			       json_quote(text).text);
	add_option(ret, arena_printf(a, "mode=%o", mode));
	return 0;
}

enum { OF_BIND = 1 << WISH_BIND, OF_VOLUME = 1 << WISH_VOLUME, OF_TMPFS = 1 << WISH_TMPFS };
#define OF_ALL (OF_BIND | OF_VOLUME | OF_TMPFS)

/* One "key=value" of --mount, and the types that have it. */
static const struct mount_key {
	const char *name;
	int (*take)(const char *text, const char *value, const char *cwd, struct arena *a,
		    struct mount_wish *ret, struct err *e);
	unsigned of;
} mount_keys[] = {
	{ "type", key_type, OF_ALL },
	{ "source", key_source, OF_BIND | OF_VOLUME },
	{ "src", key_source, OF_BIND | OF_VOLUME },
	{ "target", key_target, OF_ALL },
	{ "destination", key_target, OF_ALL },
	{ "dst", key_target, OF_ALL },
	{ "readonly", key_readonly, OF_ALL },
	{ "ro", key_readonly, OF_ALL },
	{ "rw", key_writable, OF_ALL },
	{ "consistency", key_consistency, OF_ALL },
	{ "bind-propagation", key_propagation, OF_BIND },
	{ "bind-recursive", key_recursive, OF_BIND },
	{ "bind-nonrecursive", key_nonrecursive, OF_BIND },
	{ "volume-nocopy", key_nocopy, OF_VOLUME },
	{ "tmpfs-size", key_size, OF_TMPFS },
	{ "tmpfs-mode", key_mode, OF_TMPFS },
};

static const struct mount_key *find_key(const char *part)
{
	size_t len = strcspn(part, "=");

	for (size_t i = 0; i < ARRAY_LEN(mount_keys); i++)
		if (strlen(mount_keys[i].name) == len &&
		    strncmp(mount_keys[i].name, part, len) == 0)
			return &mount_keys[i];
	return NULL;
}

static int take_key(const char *text, const char *part, const char *cwd, struct arena *a,
		    struct mount_wish *ret, struct err *e)
{
	const struct mount_key *key = find_key(part);
	size_t len = strcspn(part, "=");

	if (!key)
		return err_set(e, EINVAL, "--mount %s: unknown key \"%.*s\"", json_quote(text).text,
			       (int)len, part);
	return key->take(text, part[len] ? part + len + 1 : NULL, cwd, a, ret, e);
}

/* The type may be the last word, so this is looked at when all of them are read. */
static int check_keys(const char *text, const char *const *parts, size_t n,
		      const struct mount_wish *m, struct err *e)
{
	static const char *const kinds[] = {
		[WISH_BIND] = "bind", [WISH_VOLUME] = "volume", [WISH_TMPFS] = "tmpfs"
	};

	for (size_t i = 0; i < n; i++) {
		const struct mount_key *key = find_key(parts[i]);

		if (key && !(key->of & 1U << m->kind))
			return err_set(e, EINVAL, "--mount %s: a %s has no %s",
				       json_quote(text).text, kinds[m->kind], key->name);
	}
	return 0;
}

int wish_mount(const char *text, const char *cwd, struct arena *a, struct mount_wish *ret,
	       struct err *e)
{
	const char **parts = arena_array(a, strlen(text) + 1, sizeof(*parts));
	size_t n = wish_split(text, ',', a, parts, strlen(text) + 1);

	*ret = (struct mount_wish){ .kind = WISH_VOLUME };
	ret->options.at = arena_array(a, n, sizeof(*ret->options.at));
	for (size_t i = 0; i < n; i++)
		TRY(take_key(text, parts[i], cwd, a, ret, e));
	if (!ret->target)
		return err_set(e, EINVAL, "--mount %s: no target", json_quote(text).text);
	TRY(check_keys(text, parts, n, ret, e));
	if (ret->kind == WISH_BIND && (!ret->source || ret->source[0] != '/'))
		return err_set(e, EINVAL, "--mount %s: a bind needs source=PATH, absolute",
			       json_quote(text).text);
	if (ret->kind == WISH_VOLUME && ret->source)
		TRY(record_check_name(ret->source, e));
	return 0;
}
