#include "image/registries.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "image/toml.h"

/* Where members go while a file is read. */
struct reader {
	struct registries *to;
	const char *name; /* of the file */
	struct registry_settings *registry;
	struct registry_mirror *mirror;
};

static int wrong(const struct toml_member *m, const struct reader *r, const char *expected,
		 struct err *e)
{
	return err_set(e, EINVAL, "%s:%u: %s: expected %s", r->name, m->line,
		       json_quote(m->key).text, expected);
}

static int take_string(const struct toml_member *m, const struct reader *r, const char **ret,
		       struct err *e)
{
	if (m->type != TOML_STRING)
		return wrong(m, r, "a string", e);
	*ret = arena_strdup(&r->to->arena, m->text);
	return 0;
}

static int take_boolean(const struct toml_member *m, const struct reader *r, bool *ret,
			struct err *e)
{
	if (m->type != TOML_BOOLEAN)
		return wrong(m, r, "true or false", e);
	*ret = m->boolean;
	return 0;
}

static int take_search(const struct toml_member *m, const struct reader *r, struct err *e)
{
	struct registries *to = r->to;

	if (m->type != TOML_STRINGS)
		return wrong(m, r, "an array of strings", e);
	to->search.at = arena_array(&to->arena, m->list.n, sizeof(*to->search.at));
	for (size_t i = 0; i < m->list.n; i++)
		to->search.at[i] = arena_strdup(&to->arena, m->list.at[i]);
	to->search.n = m->list.n;
	to->has_search = true;
	return 0;
}

static int take_pull(const struct toml_member *m, const struct reader *r, enum registry_pull *ret,
		     struct err *e)
{
	static const char *const words[] = { "all", "digest-only", "tag-only" };

	for (size_t i = 0; m->type == TOML_STRING && i < ARRAY_LEN(words); i++) {
		if (strcmp(m->text, words[i]) == 0) {
			*ret = (enum registry_pull)i;
			return 0;
		}
	}
	return wrong(m, r, "\"all\", \"digest-only\" or \"tag-only\"", e);
}

static int take_alias(const struct toml_member *m, const struct reader *r, struct err *e)
{
	struct registries *to = r->to;
	const char *value = NULL;
	struct reference ref;

	TRY(take_string(m, r, &value, e));
	/* "" takes an alias of another file away. */
	if (value[0] && (reference_parse(value, &ref, NULL) < 0 || ref.is_short || ref.tag[0] ||
			 digest_is_set(&ref.digest)))
		return wrong(m, r, "a name with a registry, without tag and digest", e);
	for (size_t i = 0; i < to->aliases_n; i++) {
		if (strcmp(to->aliases[i].name, m->key) == 0) {
			to->aliases[i].value = value;
			return 0;
		}
	}
	if (to->aliases_n == to->aliases_size) {
		struct registry_alias *more;

		to->aliases_size = to->aliases_size ? 2 * to->aliases_size : 64;
		more = arena_array(&to->arena, to->aliases_size, sizeof(*more));
		if (to->aliases_n)
			memcpy(more, to->aliases, to->aliases_n * sizeof(*more));
		to->aliases = more;
	}
	to->aliases[to->aliases_n++] =
		(struct registry_alias){ arena_strdup(&to->arena, m->key), value };
	return 0;
}

static int take_registry(const struct toml_member *m, struct reader *r, struct err *e)
{
	struct registry_settings *g = r->registry;

	if (strcmp(m->key, "prefix") == 0)
		return take_string(m, r, &g->prefix, e);
	if (strcmp(m->key, "location") == 0)
		return take_string(m, r, &g->location, e);
	if (strcmp(m->key, "insecure") == 0)
		return take_boolean(m, r, &g->insecure, e);
	if (strcmp(m->key, "blocked") == 0)
		return take_boolean(m, r, &g->blocked, e);
	if (strcmp(m->key, "mirror-by-digest-only") == 0)
		return take_boolean(m, r, &g->mirror_by_digest_only, e);
	return 0;
}

static int take_mirror(const struct toml_member *m, struct reader *r, struct err *e)
{
	if (strcmp(m->key, "location") == 0)
		return take_string(m, r, &r->mirror->location, e);
	if (strcmp(m->key, "insecure") == 0)
		return take_boolean(m, r, &r->mirror->insecure, e);
	if (strcmp(m->key, "pull-from-mirror") == 0)
		return take_pull(m, r, &r->mirror->pull, e);
	return 0;
}

static int begin_registry(struct reader *r, unsigned line, struct err *e)
{
	struct registries *to = r->to;

	if (to->n == REGISTRIES_MAX)
		return err_set(e, EINVAL, "%s:%u: more than %d registries", r->name, line,
			       REGISTRIES_MAX);
	if (to->n == to->size) {
		struct registry_settings *more;

		to->size = to->size ? 2 * to->size : 8;
		more = arena_array(&to->arena, to->size, sizeof(*more));
		if (to->n)
			memcpy(more, to->at, to->n * sizeof(*more));
		to->at = more;
	}
	r->registry = &to->at[to->n++];
	r->mirror = NULL;
	return 0;
}

static int begin_mirror(struct reader *r, unsigned line, struct err *e)
{
	struct registry_settings *g = r->registry;
	struct registry_mirror *more;

	if (!g)
		return err_set(e, EINVAL, "%s:%u: a mirror without a [[registry]] before it",
			       r->name, line);
	if (g->mirrors_n == REGISTRIES_MAX)
		return err_set(e, EINVAL, "%s:%u: more than %d mirrors", r->name, line,
			       REGISTRIES_MAX);
	more = arena_array(&r->to->arena, g->mirrors_n + 1, sizeof(*more));
	if (g->mirrors_n)
		memcpy(more, g->mirrors, g->mirrors_n * sizeof(*more));
	g->mirrors = more;
	r->mirror = &more[g->mirrors_n++];
	return 0;
}

static int take(const struct toml_member *m, void *ctx, struct err *e)
{
	struct reader *r = ctx;

	if (strcmp(m->table, "registry") == 0 && m->in_array)
		return m->key ? take_registry(m, r, e) : begin_registry(r, m->line, e);
	if (strcmp(m->table, "registry.mirror") == 0 && m->in_array)
		return m->key ? take_mirror(m, r, e) : begin_mirror(r, m->line, e);
	if (strncmp(m->table, "registries.", 11) == 0 && !m->key)
		return err_set(e, EINVAL,
			       "%s:%u: version 1 of the format is not understood: write "
			       "unqualified-search-registries and [[registry]]",
			       r->name, m->line);
	if (!m->key)
		return 0;
	if (strcmp(m->table, "aliases") == 0)
		return take_alias(m, r, e);
	if (m->table[0] == '\0' && strcmp(m->key, "unqualified-search-registries") == 0)
		return take_search(m, r, e);
	return 0;
}

/* Locations are names of registries with or without a path; prefixes, too, or "*.HOST". */
static int check_location(const char *name, const char *what, const char *location, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct reference ref;
	const char *host = location;

	if (strcmp(what, "prefix") == 0 && strncmp(host, "*.", 2) == 0)
		host += 2;
	/* A host alone is made a name by a path. */
	if (host[0] && (reference_parse(arena_printf(&a, "%s/x", host), &ref, NULL) == 0) &&
	    !ref.is_short && !ref.tag[0])
		return 0;
	return err_set(e, EINVAL, "%s: the %s %s is not HOST[:PORT][/PATH]", name, what,
		       json_quote(location).text);
}

static int check_registry(const char *name, const struct registry_settings *g, struct err *e)
{
	if (!g->prefix && !g->location)
		return err_set(e, EINVAL, "%s: a registry has neither a prefix nor a location",
			       name);
	if (g->prefix)
		TRY(check_location(name, "prefix", g->prefix, e));
	if (g->location)
		TRY(check_location(name, "location", g->location, e));
	for (size_t i = 0; i < g->mirrors_n; i++) {
		if (!g->mirrors[i].location)
			return err_set(e, EINVAL, "%s: a mirror of %s has no location", name,
				       g->prefix ? g->prefix : g->location);
		TRY(check_location(name, "location", g->mirrors[i].location, e));
	}
	return 0;
}

int registries_parse(struct registries *to, const char *name, const char *text, size_t size,
		     struct err *e)
{
	struct reader r = { .to = to, .name = name };
	size_t before = to->n;

	TRY(toml_read(name, text, size, take, &r, e));
	for (size_t i = before; i < to->n; i++)
		TRY(check_registry(name, &to->at[i], e));
	for (size_t i = 0; i < to->search.n; i++)
		TRY(check_location(name, "search registry", to->search.at[i], e));
	return 0;
}

static int load_file(struct registries *r, const char *path, bool required, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct err why = { 0 };
	int n = io_read_file(AT_FDCWD, path, REGISTRIES_FILE_MAX, path, &text, &why);

	if ((n == -ENOENT || n == -ENOTDIR) && !required)
		return 0;
	if (n < 0) {
		if (e)
			*e = why;
		return n;
	}
	TRY(registries_parse(r, path, text.text, text.len, e));
	return 1;
}

static int is_conf(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return end && strcmp(end, ".conf") == 0;
}

static int load_directory(struct registries *r, const char *path, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct dirent **entries;
	int n = scandir(path, &entries, is_conf, alphasort), failed = 0;

	for (int i = 0; i < n; i++) {
		if (failed >= 0)
			failed = load_file(r, arena_printf(&a, "%s/%s", path, entries[i]->d_name),
					   false, e);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return failed < 0 ? failed : 0;
}

int registries_load(struct registries *r, struct err *e)
{
	const char *only = getenv("CONTAINERS_REGISTRIES_CONF"), *home = getenv("HOME"),
		   *own = NULL;
	auto_arena struct arena a = { 0 };
	int found = 0;

	if (only && only[0]) {
		TRY(load_file(r, only, true, e));
		return 0;
	}
	if (home && home[0] == '/' && geteuid() != 0) {
		own = arena_printf(&a, "%s/.config/containers/registries.conf", home);
		TRY(found = load_file(r, own, false, e));
	}
	if (!found)
		TRY(load_file(r, "/etc/containers/registries.conf", false, e));
	TRY(load_directory(r, "/etc/containers/registries.conf.d", e));
	return own ? load_directory(r, arena_printf(&a, "%s.d", own), e) : 0;
}

void registries_done(struct registries *r)
{
	arena_done(&r->arena);
	*r = (struct registries){ 0 };
}

/* As it was written: without docker.io, and library/ where that was added. */
static const char *short_name(const struct reference *ref)
{
	const char *library = "library/", *path = ref->repository;

	if (strncmp(path, library, strlen(library)) == 0 && !strchr(path + strlen(library), '/'))
		return path + strlen(library);
	return path;
}

int registries_short_names(const struct registries *r, const struct reference *ref, struct arena *a,
			   struct references *ret, struct err *e)
{
	struct references list = { arena_array(a, r->search.n + 1, sizeof(*list.at)), 1 };
	const char *name = short_name(ref);

	list.at[0] = *ref;
	for (size_t i = 0; ref->is_short && i < r->aliases_n; i++) {
		if (strcmp(r->aliases[i].name, name) != 0 || !r->aliases[i].value[0])
			continue;
		TRY(reference_set_name(&list.at[0], r->aliases[i].value, e));
		*ret = list;
		return 0;
	}
	if (ref->is_short && r->has_search) {
		if (r->search.n == 0)
			return err_set(e, ENOENT,
				       "the image name %s has no registry, no alias, and "
				       "unqualified-search-registries is empty",
				       json_quote(name).text);
		for (size_t i = 0; i < r->search.n; i++) {
			list.at[i] = *ref;
			TRY(reference_set_name(&list.at[i],
					       arena_printf(a, "%s/%s", r->search.at[i], name), e));
		}
		list.n = r->search.n;
	}
	*ret = list;
	return 0;
}

/* How much of a name a prefix covers, its host with "*."; 0: nothing. */
static size_t coverage(const char *prefix, const char *name)
{
	size_t n = strlen(prefix), host;

	if (strncmp(prefix, "*.", 2) == 0) {
		host = strcspn(name, "/:");
		n -= 1; /* ".example.com" */
		return host > n && memcmp(name + host - n, prefix + 1, n) == 0 ? host : 0;
	}
	if (strncmp(prefix, name, n) != 0)
		return 0;
	return name[n] == '\0' || name[n] == '/' ? n : 0;
}

static const struct registry_settings *find(const struct registries *r, const char *name,
					    size_t *ret_n)
{
	const struct registry_settings *best = NULL;
	size_t most = 0;

	/* Files that were read later go first. */
	for (size_t i = r->n; i-- > 0;) {
		const char *prefix = r->at[i].prefix ? r->at[i].prefix : r->at[i].location;
		size_t n = coverage(prefix, name);

		if (n > most) {
			best = &r->at[i];
			most = n;
		}
	}
	*ret_n = most;
	return best;
}

/* The name with what the prefix covered replaced; without a location it stays. */
static int relocate(const struct reference *ref, const char *name, size_t covered,
		    const char *location, struct arena *a, struct reference *ret, struct err *e)
{
	struct reference moved = *ref;

	if (location)
		TRY(reference_set_name(&moved, arena_printf(a, "%s%s", location, name + covered),
				       e));
	*ret = moved;
	return 0;
}

static bool mirror_serves(const struct registry_settings *g, const struct registry_mirror *m,
			  bool by_digest)
{
	if (g->mirror_by_digest_only || m->pull == REGISTRY_PULL_DIGEST)
		return by_digest;
	return m->pull == REGISTRY_PULL_ALL || !by_digest;
}

int registries_endpoints(const struct registries *r, const struct reference *ref, struct arena *a,
			 struct registry_endpoints *ret, struct err *e)
{
	const struct reference_text name = reference_name(ref);
	bool by_digest = digest_is_set(&ref->digest);
	size_t covered;
	const struct registry_settings *g = find(r, name.text, &covered);
	struct registry_endpoints list;

	list = (struct registry_endpoints){
		arena_array(a, (g ? g->mirrors_n : 0) + 1, sizeof(*list.at)), 0
	};
	if (g && g->blocked)
		return err_set(e, EACCES, "registry %s is blocked by registries.conf",
			       g->prefix ? g->prefix : g->location);
	for (size_t i = 0; g && i < g->mirrors_n; i++) {
		if (!mirror_serves(g, &g->mirrors[i], by_digest))
			continue;
		TRY(relocate(ref, name.text, covered, g->mirrors[i].location, a,
			     &list.at[list.n].reference, e));
		list.at[list.n].insecure = g->mirrors[i].insecure;
		list.at[list.n++].is_mirror = true;
	}
	TRY(relocate(ref, name.text, covered, g ? g->location : NULL, a, &list.at[list.n].reference,
		     e));
	list.at[list.n++].insecure = g && g->insecure;
	*ret = list;
	return 0;
}
