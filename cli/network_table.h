/* network_table.h - `hull network ls`: a line for each network, in Docker's words. Pure. */
#ifndef HULL_CLI_NETWORK_TABLE_H
#define HULL_CLI_NETWORK_TABLE_H

#include "base/buf.h"
#include "network/config.h"

/*
 * Those of `networks` that each of `filter` leaves, as `format` says (struct people_table); `used` are the
 * names of those that containers are on. -EINVAL names what is wrong with filter or format.
 */
int network_table(const struct network_list *networks, const struct strings *used,
		  const struct strings *filter, const char *format, struct buf *ret, struct err *e)
	MUST_CHECK;

#endif
