/* options.h - the command line of hull-unpack. */
#ifndef HULL_IMAGE_UNPACK_OPTIONS_H
#define HULL_IMAGE_UNPACK_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/unpack/extract.h"

struct options {
	int dir_fd;          /* -1: not given */
	const char *diff_id; /* NULL: not given */
	bool self_test, self_test_stream, help;
	struct extract_settings extract; /* but for what the sandbox leaves */
};

extern const char options_usage[];

/* Reads the file that --ids names, so before the sandbox. */
int options_parse(struct options *ret, char *const argv[], struct err *e) MUST_CHECK;

#endif
