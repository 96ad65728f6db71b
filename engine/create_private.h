/*
 * create_private.h - what the parts of create.c share: a container that is being made.
 */
#ifndef HULL_ENGINE_CREATE_PRIVATE_H
#define HULL_ENGINE_CREATE_PRIVATE_H

#include "engine/config.h"
#include "engine/containers.h"
#include "engine/joins.h"

/* What is gathered on the way. */
struct building {
	const struct engine *g;
	const struct wish *w;
	struct making *m;
	struct arena arena;
	struct image image;
	struct bundle bundle;
	struct passwd_user user;
	struct config_facts facts;
	struct joins joins;
	struct buf seccomp;
	char borrowed_user[RECORD_ID_LEN + 1]; /* whose user namespace facts.userns is */
	uint32_t ids;                          /* so many of --userns auto; 0: none */
};

/* What is mounted: that which was asked for, the image's volumes, our files in /etc, and --init's program. */
int building_read_mounts(struct building *b, struct err *e) MUST_CHECK;
int building_make_etc(struct building *b, struct err *e) MUST_CHECK;
int building_make_timezone(struct building *b, struct err *e) MUST_CHECK;
int building_make_init(struct building *b, struct err *e) MUST_CHECK;

#endif
