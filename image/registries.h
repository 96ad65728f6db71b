/*
 * registries.h - registries.conf: where short names lead, and which registry or mirror is asked.
 *
 *	struct registries r = { 0 };
 *
 *	TRY(registries_load(&r, e));
 *	TRY(registries_short_names(&r, &reference, &arena, &candidates, e));
 *	registries_endpoints(&r, &candidates.at[0], &arena, &endpoints);
 *	registries_done(&r);
 *
 * Of containers-registries.conf(5), version 2: unqualified-search-registries,
 * short-name-mode, [aliases], [[registry]] with prefix (also "*.example.com"),
 * location, insecure, blocked, mirror-by-digest-only, and [[registry.mirror]] with
 * location, insecure, pull-from-mirror. Other members are ignored, as are other tables. The
 * TOML that is understood: comments, tables, arrays of tables, and members whose
 * values are strings, booleans, integers or arrays of strings; what is beyond it is
 * refused by line.
 */
#ifndef HULL_IMAGE_REGISTRIES_H
#define HULL_IMAGE_REGISTRIES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "image/reference.h"

enum { REGISTRIES_FILE_MAX = 1024 * 1024, REGISTRIES_MAX = 1000 };

enum registry_pull { REGISTRY_PULL_ALL, REGISTRY_PULL_DIGEST, REGISTRY_PULL_TAG };

struct registry_mirror {
	const char *location;
	bool insecure;
	enum registry_pull pull;
};

struct registry_settings {
	const char *prefix, *location; /* either may be NULL: then it is the other */
	bool insecure, blocked, mirror_by_digest_only;
	struct registry_mirror *mirrors;
	size_t mirrors_n;
};

struct registry_alias {
	const char *name, *value; /* "debian" -> "docker.io/library/debian" */
};

struct registries {
	struct arena arena;
	bool has_search;
	struct strings search; /* unqualified-search-registries */
	struct registry_settings *at;
	size_t n, size;
	struct registry_alias *aliases;
	size_t aliases_n, aliases_size;
};

/* Adds what a file's text says; what it says of the same thing goes before what was there. */
int registries_parse(struct registries *to, const char *name, const char *text, size_t size,
		     struct err *e) MUST_CHECK;

/*
 * The files of this machine, in order: $CONTAINERS_REGISTRIES_CONF alone, if it is set;
 * otherwise ~/.config/containers/registries.conf or /etc/containers/registries.conf, then
 * *.conf of /etc/containers/registries.conf.d and of ~/.config/containers/registries.conf.d.
 */
int registries_load(struct registries *r, struct err *e) MUST_CHECK;
void registries_done(struct registries *r);

struct references {
	struct reference *at;
	size_t n;
};
/*
 * What a reference may mean, in the order in which to try: itself, if it is not
 * short; the alias, if there is one; else each search registry; without any, Docker's.
 */
int registries_short_names(const struct registries *r, const struct reference *ref, struct arena *a,
			   struct references *ret, struct err *e) MUST_CHECK;

struct registry_endpoint {
	struct reference reference; /* what to ask for, at which registry */
	bool insecure;              /* plain HTTP is allowed, certificates are not checked */
	bool is_mirror;
};
struct registry_endpoints {
	struct registry_endpoint *at;
	size_t n;
};
/* Mirrors and then the registry itself; -EACCES: it is blocked. */
int registries_endpoints(const struct registries *r, const struct reference *ref, struct arena *a,
			 struct registry_endpoints *ret, struct err *e) MUST_CHECK;

#endif
