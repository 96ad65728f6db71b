/*
 * platform.h - for which machine an image is: linux/amd64, linux/arm64/v8.
 */
#ifndef HULL_IMAGE_PLATFORM_H
#define HULL_IMAGE_PLATFORM_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json_decode.h"
#include "base/list.h"

struct platform {
	const char *os, *architecture; /* Go's names: "linux", "amd64" */
	const char *variant;           /* "v7", "v8"; NULL: none */
	const char *os_version;
	struct strings os_features;
};

JSON_TABLE_EXTERN(platform_fields, struct platform);

struct image_index;
struct image_descriptor;

/* This machine's; strings that live forever. */
struct platform platform_host(void);

/*
 * "OS/ARCH[/VARIANT]", and as Docker has it "ARCH" alone and other names for
 * the same: x86_64, aarch64, armhf ... Strings go to *a.
 */
int platform_parse(const char *text, struct arena *a, struct platform *ret, struct err *e)
	MUST_CHECK;

/* "linux/arm64/v8", in *a. */
char *platform_print(const struct platform *p, struct arena *a);

/*
 * Whether what is made for `image` runs on `wanted`, and how well: 0 not, more
 * is better, a full match best. arm: a v7 runs v6 and v5; arm64 without
 * variant is v8; amd64 v3 runs v2 and v1.
 */
int platform_score(const struct platform *wanted, const struct platform *image);

/*
 * The best entry of an index for the platform; among equals the first. Entries
 * without a platform and attestations ("unknown") are left out, unless there is
 * but one entry. -ENOENT names what there is.
 */
int platform_select(const struct image_index *index, const struct platform *wanted,
		    const struct image_descriptor **ret, struct err *e) MUST_CHECK;

#endif
