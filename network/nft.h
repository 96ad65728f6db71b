/*
 * nft.h - the one table of rules, `inet hull`.
 *
 * Its chains are the same on every host; what networks and containers add are
 * elements of its sets and maps:
 *
 *	bridges, internal, same         names of bridges
 *	subnets4/6                      what is masqueraded on its way out
 *	within4/6                       subnet . subnet: hairpin
 *	publish4/6, publish4/6_at       published ports, on all addresses or one
 *
 * The elements of a container carry its id as their comment. Texts are made by
 * pure functions and run as one transaction by libnftables, which is another program's
 * (libexec/hull/hull-nft).
 */
#ifndef HULL_NETWORK_NFT_H
#define HULL_NETWORK_NFT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "network/config.h"
#include "network/record.h"

/* Table, sets and chains; what is there already stays, and chains are written anew. */
void nft_base(struct buf *out);
/* The elements of a network; those of one that is no bridge are none. */
void nft_network(struct buf *out, const struct network *n, bool remove);
/* The elements of a container's ports. */
void nft_ports(struct buf *out, const struct record *r, bool remove);

/* Whether this network namespace has the table. */
int nft_table_exists(struct err *e) MUST_CHECK;
/* Runs the text, all of it or nothing. `what` was attempted. */
int nft_run(const char *text, const char *what, struct err *e) MUST_CHECK;

#endif
