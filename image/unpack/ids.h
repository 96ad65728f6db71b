/*
 * ids.h - whose the files are: the archive's owners, mapped to ids that we may give. Pure.
 *
 *	u:0:100000:65536,g:0:100000:65536	rows as in uid_map(5), of users and of groups
 *	squash					everything belongs to whoever runs the program
 */
#ifndef HULL_IMAGE_UNPACK_IDS_H
#define HULL_IMAGE_UNPACK_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { IDS_ROWS_MAX = 340 }; /* as many as the kernel's maps have */

struct ids {
	bool squash;
	size_t n; /* 0: as the archive says */
	struct ids_row {
		char kind; /* 'u' or 'g' */
		uint32_t from, to, count;
	} rows[IDS_ROWS_MAX];
};

/* Rows are parted by commas or newlines. */
int ids_parse(struct ids *ret, const char *text, struct err *e) MUST_CHECK;

/* Fails for an id without a row. */
int ids_map(const struct ids *ids, char kind, uint32_t id, uint32_t *ret, struct err *e) MUST_CHECK;

#endif
