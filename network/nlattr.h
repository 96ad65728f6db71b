/*
 * nlattr.h - the format of netlink's messages and attributes (netlink(7)), in memory alone.
 *
 * What libmnl would do, of which hull needs a dozen functions: to load it took 50 us
 * of each start (docs/performance.md).
 *
 * Nothing is read beyond a message's own length, or an attribute's, and what
 * does not fit into either ends the walk.
 */
#ifndef HULL_NETWORK_NLATTR_H
#define HULL_NETWORK_NLATTR_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

/* ---- making */

/* A message without content at `bytes`, which are aligned for it; its type and flags are the caller's. */
struct nlmsghdr *nlmsg_begin(void *bytes);
/* `size` zeroed bytes at the message's end. There has to be room. */
void *nlmsg_extend(struct nlmsghdr *head, size_t size);
/* Appends an attribute; false: the message would be longer than `room`, and nothing was done. */
bool nlattr_put(struct nlmsghdr *head, size_t room, uint16_t type, const void *bytes, size_t size);
/* Begins one that holds what is appended until nlattr_nest_end(); NULL: as above. */
struct nlattr *nlattr_nest(struct nlmsghdr *head, size_t room, uint16_t type);
void nlattr_nest_end(const struct nlmsghdr *head, struct nlattr *nest);

/* ---- reading */

/* Whether a whole message begins at `head`, of which `left` bytes were received. */
bool nlmsg_is_whole(const struct nlmsghdr *head, size_t left);
/* The message after it; takes its length from *left. */
const struct nlmsghdr *nlmsg_next(const struct nlmsghdr *head, size_t *left);
const void *nlmsg_content(const struct nlmsghdr *head);
size_t nlmsg_content_size(const struct nlmsghdr *head);

uint16_t nlattr_type(const struct nlattr *attr);
const void *nlattr_content(const struct nlattr *attr);
size_t nlattr_content_size(const struct nlattr *attr);
/* The content, of four bytes. */
uint32_t nlattr_u32(const struct nlattr *attr);
/* Whether the content is a text that ends in it. */
bool nlattr_is_text(const struct nlattr *attr);

typedef void nlattr_reader(const struct nlattr *attr, void *ctx);
/* Each attribute of a message whose content begins with `skip` other bytes. */
void nlattr_each(const struct nlmsghdr *head, size_t skip, nlattr_reader *fn, void *ctx);
/* Each attribute in an attribute. */
void nlattr_each_nested(const struct nlattr *attr, nlattr_reader *fn, void *ctx);

/*
 * A struct that keeps attributes of varying length, each in an array `name` with a uint8_t
 * `name_len`, 0: there is none. One table says which, for those who read it and those who write it:
 *
 *	static const struct nlattr_row rows[] = { NLATTR_ROW(IFA_LOCAL, struct link_address, local) };
 */
struct nlattr_row {
	uint16_t type; /* with NLA_F_NESTED if it holds others */
	uint16_t bytes, len, room;
};

#define NLATTR_ROW(type, of, name)                                                          \
	{                                                                                   \
		type, offsetof(of, name), offsetof(of, name##_len), sizeof(((of *)0)->name) \
	}

/* 1: kept in *to. 0: no row has its type. -EMSGSIZE: it is longer than its array. */
int nlattr_keep(const struct nlattr *attr, const struct nlattr_row *rows, size_t n, void *to)
	MUST_CHECK;
/* Whether no length is more than its array, in a struct that others have filled. */
bool nlattr_rows_fit(const struct nlattr_row *rows, size_t n, const void *from);

#endif
