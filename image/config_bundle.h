/*
 * config_bundle.h - from an image's configuration and the user's wishes to the
 * pieces of a container's configuration: conversion.md of the image
 * specification, with Docker's meaning of the options. Pure.
 */
#ifndef HULL_IMAGE_CONFIG_BUNDLE_H
#define HULL_IMAGE_CONFIG_BUNDLE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "image/documents.h"
#include "spec/spec.h"

/* What `hull run` was given; zero: nothing. */
struct image_overrides {
	bool has_entrypoint;       /* --entrypoint was given; the image's Cmd then counts no more */
	struct strings entrypoint; /* empty (or one ""): none */
	struct strings args;       /* CMD... behind the image: instead of Cmd */
	struct strings env;        /* "NAME=value"; "NAME" alone: from `host_env`, or else unset */
	const char *const *host_env; /* environ; NULL: none */
	bool all_host_env;           /* all of it, under the image's */
	struct strings unset_env;    /* names of variables that the image's and our own are without */
	bool unset_env_all;          /* none of the image's and our own */
	const char *user, *working_dir, *stop_signal;
	struct spec_pairs labels, annotations;
	const char *hostname; /* becomes HOSTNAME in the environment */
	bool terminal;        /* adds TERM=xterm where the image has none */
};

struct bundle_volume {
	const char *destination; /* absolute, without "." and ".." */
};

/* The pieces; strings are in the arena, or borrowed from image and overrides. */
struct bundle {
	struct strings args; /* not empty */
	struct strings env;
	const char *cwd;  /* absolute; "/" without a WorkingDir */
	const char *user; /* for image/passwd.h; "" is root */
	int stop_signal;  /* SIGTERM without one */
	LIST(struct bundle_volume) volumes;
	struct spec_pairs
		annotations;      /* conversion.md's, then labels, then the user's: unique keys */
	struct spec_pairs labels; /* the image's and the user's: unique keys */
	const struct image_healthcheck *healthcheck; /* NULL: none */
};

/*
 * -EINVAL: nothing to run, an environment entry without a name, a WorkingDir or
 * volume that is not absolute, an unknown signal. `image` names it in messages.
 */
int bundle_make(const struct image_config *config, const struct image_overrides *wishes,
		const char *image, struct arena *a, struct bundle *ret, struct err *e) MUST_CHECK;

/* "TERM", "SIGTERM", "15", "RTMIN+3"; case does not matter. -EINVAL. */
int bundle_signal(const char *text, int *ret, struct err *e) MUST_CHECK;

#endif
