/*
 * version.h - which hull this is. The build says so; by hand it need not.
 */
#ifndef HULL_CLI_VERSION_H
#define HULL_CLI_VERSION_H

#ifdef HAVE_CONFIG_H
	#include "config.h"
#endif

#ifndef PACKAGE_VERSION
	#define PACKAGE_VERSION "unknown"
#endif
#ifndef HULL_COMMIT
	#define HULL_COMMIT "unknown"
#endif

#endif
