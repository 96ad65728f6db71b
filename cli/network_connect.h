/*
 * network_connect.h - `hull network connect|disconnect`, which are about containers of the engine
 * (cmd_network.c knows the records of networks, which have names in common with its).
 */
#ifndef HULL_CLI_NETWORK_CONNECT_H
#define HULL_CLI_NETWORK_CONNECT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/list.h"
#include "cli/commands.h"

struct network_words {
	const char *network, *container;
	const char *ip, *ip6, *mac; /* connect; NULL: chosen */
	struct strings aliases;
	bool force; /* disconnect */
};

int network_connect_container(const struct call *call, const struct network_words *words,
			      struct err *e) MUST_CHECK;
/* Whether what networks made for it is still there. */
int network_check_container(const struct call *call, const char *who, struct err *e) MUST_CHECK;

int network_disconnect_container(const struct call *call, const struct network_words *words,
				 struct err *e) MUST_CHECK;

/* Notes that a network was made ("create") or removed ("destroy"), where the engine has ever been used. */
void network_happened(const struct call *call, const char *action, const char *name,
		      const char *driver);

#endif
