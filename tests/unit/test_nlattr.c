#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "network/nlattr.h"

struct message {
	_Alignas(struct nlmsghdr) char bytes[256];
};

/* "type:size ..." of each attribute that a walk finds. */
static void note(const struct nlattr *attr, void *ctx)
{
	char *text = ctx;

	snprintf(text + strlen(text), 128 - strlen(text), "%u:%zu ", nlattr_type(attr),
		 nlattr_content_size(attr));
}

Test(nlattr, what_is_put_is_found)
{
	struct message m;
	struct nlmsghdr *head = nlmsg_begin(m.bytes);
	char text[128] = "";
	unsigned *extra = nlmsg_extend(head, 6);

	cr_assert_eq(*extra, 0);
	cr_assert(nlattr_put(head, sizeof(m.bytes), 1, "abc", 4));
	cr_assert(nlattr_put(head, sizeof(m.bytes), 2, NULL, 0));
	cr_assert(nlattr_put(head, sizeof(m.bytes), 3, "12345", 5));
	cr_expect_eq(head->nlmsg_len, 16 + 8 + 8 + 4 + 12);
	cr_expect(nlmsg_is_whole(head, head->nlmsg_len));
	cr_expect_eq(nlmsg_content_size(head), head->nlmsg_len - 16);
	nlattr_each(head, 6, note, text);
	/* The length of an attribute is that without padding. */
	cr_expect_str_eq(text, "1:4 2:0 3:5 ");
}

Test(nlattr, nested)
{
	struct message m;
	struct nlmsghdr *head = nlmsg_begin(m.bytes);
	struct nlattr *nest = nlattr_nest(head, sizeof(m.bytes), 18);
	char text[128] = "";

	cr_assert(nlattr_put(head, sizeof(m.bytes), 1, "veth", 5));
	nlattr_nest_end(head, nest);
	cr_assert(nlattr_put(head, sizeof(m.bytes), 9, "", 1));
	cr_expect(nest->nla_type & NLA_F_NESTED);
	nlattr_each(head, 0, note, text);
	cr_expect_str_eq(text, "18:12 9:1 ");
	text[0] = '\0';
	nlattr_each_nested(nest, note, text);
	cr_expect_str_eq(text, "1:5 ");
}

Test(nlattr, no_room_and_nothing_done)
{
	struct message m;
	struct nlmsghdr *head = nlmsg_begin(m.bytes);
	static const char big[70000];

	cr_expect(nlattr_put(head, 24, 1, "1234", 4));
	cr_expect_not(nlattr_put(head, 24, 1, NULL, 0));
	cr_expect_not(nlattr_put(head, 31, 1, "12345", 5));
	cr_expect_null(nlattr_nest(head, 27, 1));
	cr_expect_not(nlattr_put(head, SIZE_MAX, 1, big, sizeof(big)));
	cr_expect_eq(head->nlmsg_len, 24);
}

/* Lengths that lie: the walk ends before them. */
Test(nlattr, lengths_that_lie)
{
	static const struct row {
		unsigned short len;
		const char *found;
	} rows[] = { { 8, "1:4 2:4 " }, { 7, "1:3 2:4 " }, { 4, "1:0 " }, { 3, "" },
		     { 0, "" },         { 16, "1:12 " },   { 17, "" },    { 0xffff, "" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message m;
		struct nlmsghdr *head = nlmsg_begin(m.bytes);
		struct nlattr *first;
		char text[128] = "";

		cr_assert(nlattr_put(head, sizeof(m.bytes), 1, "\0\0\0", 4));
		cr_assert(nlattr_put(head, sizeof(m.bytes), 2, "\0\0\0", 4));
		first = (struct nlattr *)(m.bytes + 16);
		first->nla_len = rows[i].len;
		nlattr_each(head, 0, note, text);
		cr_expect_str_eq(text, rows[i].found, "length %u: %s", rows[i].len, text);
	}
}

Test(nlattr, messages)
{
	struct message m;
	struct nlmsghdr *head = nlmsg_begin(m.bytes);
	const struct nlmsghdr *next;
	size_t left = 37;

	cr_assert(nlattr_put(head, sizeof(m.bytes), 1, "a", 1));
	head->nlmsg_len = 21; /* the padding is not the message's */
	next = nlmsg_next(head, &left);
	cr_expect_eq((const char *)next - m.bytes, 24);
	cr_expect_eq(left, 13);
	cr_expect_not(nlmsg_is_whole(next, left)); /* not even a header */
	left = 21;
	nlmsg_next(head, &left);
	cr_expect_eq(left, 0);
	cr_expect_not(nlmsg_is_whole(head, 20));
	head->nlmsg_len = 15;
	cr_expect_not(nlmsg_is_whole(head, 200));
}

Test(nlattr, text_ends_in_it)
{
	struct message m;
	struct nlmsghdr *head = nlmsg_begin(m.bytes);

	cr_assert(nlattr_put(head, sizeof(m.bytes), 1, "abc", 3));
	cr_expect_not(nlattr_is_text((struct nlattr *)(m.bytes + 16)));
	head = nlmsg_begin(m.bytes);
	cr_assert(nlattr_put(head, sizeof(m.bytes), 1, "abc", 4));
	cr_expect(nlattr_is_text((struct nlattr *)(m.bytes + 16)));
}

struct kept {
	uint8_t one_len, two_len;
	uint8_t one[4], two[16];
};

static const struct nlattr_row rows[] = {
	NLATTR_ROW(1, struct kept, one),
	NLATTR_ROW(2 | NLA_F_NESTED, struct kept, two),
};

static const struct nlattr *attr_of(struct message *m, uint16_t type, size_t size)
{
	static const char bytes[32] = "abcdefghijklmnopqrstuvwxyz";
	struct nlmsghdr *head = nlmsg_begin(m->bytes);

	cr_assert(nlattr_put(head, sizeof(m->bytes), type, bytes, size));
	return nlmsg_content(head);
}

Test(nlattr, rows_keep_what_they_have_room_for)
{
	struct kept k = { 0 };
	struct message m;

	cr_expect_eq(nlattr_keep(attr_of(&m, 1, 4), rows, 2, &k), 1);
	cr_expect_eq(nlattr_keep(attr_of(&m, 2 | NLA_F_NESTED, 3), rows, 2, &k), 1);
	cr_expect_eq(nlattr_keep(attr_of(&m, 2, 16), rows, 2, &k), 1);
	cr_expect_eq(nlattr_keep(attr_of(&m, 3, 4), rows, 2, &k), 0);
	cr_expect_eq(nlattr_keep(attr_of(&m, 1, 5), rows, 2, &k), -EMSGSIZE);
	cr_expect_eq(nlattr_keep(attr_of(&m, 2, 17), rows, 2, &k), -EMSGSIZE);
	cr_expect(k.one_len == 4 && memcmp(k.one, "abcd", 4) == 0);
	cr_expect(k.two_len == 16 && memcmp(k.two, "abcdefghijklmnop", 16) == 0);
	cr_expect(nlattr_rows_fit(rows, 2, &k));
	k.one_len = 5;
	cr_expect_not(nlattr_rows_fit(rows, 2, &k));
	k.one_len = 0;
	k.two_len = 255;
	cr_expect_not(nlattr_rows_fit(rows, 2, &k));
}
