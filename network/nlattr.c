#include "network/nlattr.h"

#include <errno.h>
#include <string.h>

/* Both kinds of headers, lengths without padding in them, are followed by aligned content. */
enum {
	HEAD_SIZE = NLMSG_ALIGN(sizeof(struct nlmsghdr)),
	ATTR_SIZE = NLA_ALIGN(sizeof(struct nlattr))
};

static char *end_of(const struct nlmsghdr *head)
{
	return (char *)head + NLMSG_ALIGN(head->nlmsg_len);
}

struct nlmsghdr *nlmsg_begin(void *bytes)
{
	struct nlmsghdr *head = bytes;

	memset(head, 0, HEAD_SIZE);
	head->nlmsg_len = HEAD_SIZE;
	return head;
}

void *nlmsg_extend(struct nlmsghdr *head, size_t size)
{
	char *at = end_of(head);

	size = NLMSG_ALIGN(size);
	memset(at, 0, size);
	head->nlmsg_len = (uint32_t)(at - (char *)head + size);
	return at;
}

bool nlattr_put(struct nlmsghdr *head, size_t room, uint16_t type, const void *bytes, size_t size)
{
	struct nlattr attr = { .nla_len = (uint16_t)(ATTR_SIZE + size), .nla_type = type };
	size_t used = NLMSG_ALIGN(head->nlmsg_len);
	char *at;

	if (size > UINT16_MAX - ATTR_SIZE || used > room ||
	    NLA_ALIGN(ATTR_SIZE + size) > room - used)
		return false;
	at = nlmsg_extend(head, ATTR_SIZE + size);
	memcpy(at, &attr, sizeof(attr));
	if (size > 0)
		memcpy(at + ATTR_SIZE, bytes, size);
	return true;
}

struct nlattr *nlattr_nest(struct nlmsghdr *head, size_t room, uint16_t type)
{
	char *at = end_of(head);

	return nlattr_put(head, room, type | NLA_F_NESTED, NULL, 0) ? (struct nlattr *)at : NULL;
}

void nlattr_nest_end(const struct nlmsghdr *head, struct nlattr *nest)
{
	nest->nla_len = (uint16_t)(end_of(head) - (char *)nest);
}

bool nlmsg_is_whole(const struct nlmsghdr *head, size_t left)
{
	return left >= HEAD_SIZE && head->nlmsg_len >= HEAD_SIZE && head->nlmsg_len <= left;
}

const struct nlmsghdr *nlmsg_next(const struct nlmsghdr *head, size_t *left)
{
	size_t size = NLMSG_ALIGN(head->nlmsg_len);

	*left = size < *left ? *left - size : 0; /* the last one need not be padded */
	return (const struct nlmsghdr *)((const char *)head + size);
}

const void *nlmsg_content(const struct nlmsghdr *head)
{
	return (const char *)head + HEAD_SIZE;
}

size_t nlmsg_content_size(const struct nlmsghdr *head)
{
	return head->nlmsg_len - HEAD_SIZE;
}

uint16_t nlattr_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

const void *nlattr_content(const struct nlattr *attr)
{
	return (const char *)attr + ATTR_SIZE;
}

size_t nlattr_content_size(const struct nlattr *attr)
{
	return attr->nla_len - ATTR_SIZE;
}

uint32_t nlattr_u32(const struct nlattr *attr)
{
	uint32_t value;

	memcpy(&value, nlattr_content(attr), sizeof(value));
	return value;
}

bool nlattr_is_text(const struct nlattr *attr)
{
	return memchr(nlattr_content(attr), '\0', nlattr_content_size(attr)) != NULL;
}

static void each(const char *at, size_t left, nlattr_reader *fn, void *ctx)
{
	while (left >= ATTR_SIZE) {
		const struct nlattr *attr = (const struct nlattr *)at;
		size_t size = NLA_ALIGN(attr->nla_len);

		if (attr->nla_len < ATTR_SIZE || attr->nla_len > left)
			return;
		fn(attr, ctx);
		if (size >= left)
			return;
		at += size;
		left -= size;
	}
}

void nlattr_each(const struct nlmsghdr *head, size_t skip, nlattr_reader *fn, void *ctx)
{
	size_t size = nlmsg_content_size(head);

	skip = NLMSG_ALIGN(skip);
	if (skip < size)
		each((const char *)nlmsg_content(head) + skip, size - skip, fn, ctx);
}

void nlattr_each_nested(const struct nlattr *attr, nlattr_reader *fn, void *ctx)
{
	each(nlattr_content(attr), nlattr_content_size(attr), fn, ctx);
}

static uint8_t length_of(const struct nlattr_row *row, const void *of)
{
	return *((const uint8_t *)of + row->len);
}

int nlattr_keep(const struct nlattr *attr, const struct nlattr_row *rows, size_t n, void *to)
{
	const size_t size = nlattr_content_size(attr);

	for (size_t i = 0; i < n; i++) {
		if ((rows[i].type & NLA_TYPE_MASK) != nlattr_type(attr))
			continue;
		if (size > rows[i].room)
			return -EMSGSIZE;
		memcpy((uint8_t *)to + rows[i].bytes, nlattr_content(attr), size);
		*((uint8_t *)to + rows[i].len) = (uint8_t)size;
		return 1;
	}
	return 0;
}

bool nlattr_rows_fit(const struct nlattr_row *rows, size_t n, const void *from)
{
	for (size_t i = 0; i < n; i++)
		if (length_of(&rows[i], from) > rows[i].room)
			return false;
	return true;
}
