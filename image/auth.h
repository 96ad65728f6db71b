/*
 * auth.h - credentials for registries: Docker's config.json and the auth.json of Podman and skopeo.
 *
 *	struct auth_credentials c = { 0 };
 *
 *	r = auth_find("docker.io", "library/debian", &arena, &c, e);
 *	if (r == -ENOENT)
 *		... anonymously ...
 *
 * Files are looked through in the order of containers-auth.json(5), and the
 * first that knows the registry wins. In a file, a credential helper for the
 * registry goes first, then its entry in `auths` with the longest path
 * ("quay.io/team/tool", "quay.io/team", "quay.io"), then credsStore.
 *
 * Secrets are only in the arena; no message holds one.
 */
#ifndef HULL_IMAGE_AUTH_H
#define HULL_IMAGE_AUTH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"

enum { AUTH_FILE_MAX = 1024 * 1024 };

struct auth_credentials {
	const char *username, *password; /* both or none */
	const char *identity_token;      /* OAuth2 refresh token; NULL: none */
	const char *helper;              /* NAME of docker-credential-NAME, to be asked for them */
	const char *server;              /* what to ask it for */
	const char *source;              /* the file, for messages */
};

/*
 * What one file's text says of a registry and a path. Pure. -ENOENT: nothing;
 * -EINVAL: the file is wrong, `name` is what messages call it.
 */
int auth_parse(const char *name, const char *text, size_t size, const char *registry,
	       const char *repository, struct arena *a, struct auth_credentials *ret, struct err *e)
	MUST_CHECK;

/*
 * The files that may be there, in order, made of the environment: $REGISTRY_AUTH_FILE alone,
 * if it is set; otherwise $XDG_RUNTIME_DIR/containers/auth.json (or
 * /run/containers/UID/auth.json), $XDG_CONFIG_HOME/containers/auth.json (~/.config/...),
 * $DOCKER_CONFIG/config.json (~/.docker/config.json).
 */
struct strings auth_files(struct arena *a);

/*
 * Looks through auth_files() and asks a helper if one is named. -ENOENT
 * without a message: there are none, and the registry may be asked anonymously.
 */
int auth_find(const char *registry, const char *repository, struct arena *a,
	      struct auth_credentials *ret, struct err *e) MUST_CHECK;

/* Runs "docker-credential-HELPER get" and takes its answer; -ENOENT: it knows none. */
int auth_ask_helper(const struct auth_credentials *who, struct arena *a,
		    struct auth_credentials *ret, struct err *e) MUST_CHECK;
/* That answer. Pure. */
int auth_parse_answer(const char *name, const char *text, size_t size, struct arena *a,
		      struct auth_credentials *ret, struct err *e) MUST_CHECK;

#endif
