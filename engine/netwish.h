/*
 * netwish.h - what --network says, as often as it is given. Pure.
 *
 *	NAME                                the name of a network, or none, host, container:ID...
 *	NAME:ip=ADDRESS,alias=NAME,...      Podman's notation
 *	name=NAME,ip=ADDRESS,alias=NAME,... Docker's
 *
 * The options are ip, ip6, mac (mac-address, mac_address) and alias, which may be repeated.
 */
#ifndef HULL_ENGINE_NETWISH_H
#define HULL_ENGINE_NETWISH_H

#include "engine/joins.h"
#include "engine/wish.h"

/* One of them. Values are not looked into. */
int netwish_parse(const char *text, struct arena *a, struct join *ret, struct err *e) MUST_CHECK;

/*
 * All of them, `by_default` if there is none, with --ip, --ip6 and --mac-address, which are for one
 * network alone, and --network-alias, which is for each.
 */
int netwish_plan(const struct wish *w, const char *by_default, struct arena *a, struct joins *ret,
		 struct err *e) MUST_CHECK;

#endif
