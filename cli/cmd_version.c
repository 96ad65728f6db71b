#include <stdio.h>

#include "cli/cmd.h"
#include "cli/version.h"
#include "runtime/features.h"

int cmd_version(const struct call *call, struct err *e)
{
	struct features features;

	(void)e;
	features_read(call->arena, &features);
	printf("hull version %s\ncommit: %s\nspec: %s\nlibseccomp: %s\n", PACKAGE_VERSION,
	       HULL_COMMIT, features.oci_version_max, features.libseccomp);
	return 0;
}
