/*
 * reference.h - how people name images: REGISTRY[:PORT]/PATH[:TAG][@DIGEST].
 *
 *	struct reference r = { 0 };
 *
 *	TRY(reference_parse("debian:12", &r, e));
 *	-> docker.io, library/debian, 12; is_short
 *
 * The grammar is the distribution specification's, what may be left out is
 * Docker's: without a registry it is docker.io, and there a path of one part
 * is below library/. The first part is a registry when it holds a "." or ":",
 * is "localhost", or has a capital letter. Plain data: copy it, nothing to release.
 */
#ifndef HULL_IMAGE_REFERENCE_H
#define HULL_IMAGE_REFERENCE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "image/digest.h"

enum {
	REFERENCE_NAME_MAX = 255, /* characters of registry and path together */
	REFERENCE_TAG_MAX = 128,
	REFERENCE_TEXT_MAX = REFERENCE_NAME_MAX + 1 + REFERENCE_TAG_MAX + 1 + DIGEST_TEXT_MAX,
};

#define REFERENCE_DEFAULT_REGISTRY "docker.io"
#define REFERENCE_DEFAULT_TAG "latest"

struct reference {
	char registry[REFERENCE_NAME_MAX + 1];   /* "docker.io", "localhost:5000", "[::1]:5000" */
	char repository[REFERENCE_NAME_MAX + 1]; /* "library/debian" */
	char tag[REFERENCE_TAG_MAX + 1];         /* "": none was given */
	struct digest digest;                    /* digest_is_set(): one was given */
	bool is_short; /* no registry was given: "debian", "user/program" */
};

/* -EINVAL says in one sentence what is wrong with which part. */
int reference_parse(const char *text, struct reference *ret, struct err *e) MUST_CHECK;

/* Without tag and digest, the tag is "latest" from now on; Docker does so before it looks. */
void reference_default_tag(struct reference *r);

/* Moves a short reference to another registry (and prefix), as registries.conf can ask for. */
int reference_set_name(struct reference *r, const char *registry_and_path, struct err *e)
	MUST_CHECK;

struct reference_text {
	char text[REFERENCE_TEXT_MAX + 1];
};
/* In full, as the store and messages have it: "docker.io/library/debian:12@sha256:...". */
struct reference_text reference_print(const struct reference *r);
/* Registry and path alone: "docker.io/library/debian". */
struct reference_text reference_name(const struct reference *r);
/* As Docker shows it, without docker.io/ and library/, tag and digest: "debian". */
struct reference_text reference_familiar(const struct reference *r);

/*
 * Where an image can be, with the words that skopeo and Podman have for it.
 * "docker://REF" and a plain "REF" are a registry's.
 */
enum transport {
	TRANSPORT_REGISTRY,
	TRANSPORT_OCI,            /* oci:DIR[:REF], a layout directory */
	TRANSPORT_OCI_ARCHIVE,    /* oci-archive:FILE[:REF] */
	TRANSPORT_DOCKER_ARCHIVE, /* docker-archive:FILE[:REF] */
	TRANSPORT_DIR,            /* dir:PATH, not understood yet: refused by name */
};
struct transport_place {
	enum transport transport;
	char path[4096];                  /* of the directory or file; "" for a registry */
	char ref[REFERENCE_TEXT_MAX + 1]; /* behind it, as written; "" without one */
};
int transport_parse(const char *text, struct transport_place *ret, struct err *e) MUST_CHECK;

#endif
