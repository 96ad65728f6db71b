/* spec_default.h - the configuration to start from: `hull spec`. */
#ifndef HULL_SPEC_SPEC_DEFAULT_H
#define HULL_SPEC_SPEC_DEFAULT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

struct spec_default {
	bool rootless; /* for who is not root, who is: */
	uid_t uid;
	gid_t gid;
};

/* Appends the text of a config.json that runs `sh` in `rootfs`: what runc would write. */
void spec_default(const struct spec_default *host, struct buf *ret);

#endif
