/* The state of a microVM as bytes: what is written is what is read, and what else may be there. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "microvm/saved.h"

struct thing {
	uint32_t number;
	bool is, are[3];
	uint8_t bytes[5];
};

static const struct saved_field fields[] = {
	SAVED(struct thing, number),
	SAVED_TRUTH(struct thing, is),
	SAVED_TRUTH(struct thing, are),
	SAVED(struct thing, bytes),
};

static void write_some(struct saved_out *o)
{
	const struct thing t = { 7, true, { false, true, false }, "five" };
	struct err e;

	saved_begin(o, SAVED_DEVICE, 3);
	saved_put_u32(o, 0x01020304);
	saved_put_u64(o, UINT64_MAX - 1);
	saved_put_counted(o, "text", 4);
	saved_put_fields(o, fields, ARRAY_LEN(fields), &t);
	saved_begin(o, SAVED_CPU, 0);
	saved_begin(o, SAVED_DEVICE, 0);
	saved_put(o, "x", 1);
	cr_assert_eq(saved_finish(o, &e), 0);
}

Test(saved, what_is_written_is_read)
{
	auto_saved_out struct saved_out o = { 0 };
	struct saved_in in;
	struct thing t;
	struct saved s;
	struct err e;
	char text[5];
	uint8_t byte;

	write_some(&o);
	cr_assert_eq(saved_open(o.bytes.text, o.bytes.len, &s, &e), 0, "%s", e.msg);
	cr_expect_eq(saved_count(&s, SAVED_DEVICE), 2);
	cr_expect_eq(saved_count(&s, SAVED_MACHINE), 0);
	cr_assert_eq(saved_part(&s, SAVED_DEVICE, 3, &in, &e), 0);
	cr_expect_eq(saved_u32(&in), 0x01020304);
	cr_expect_eq(saved_u64(&in), UINT64_MAX - 1);
	saved_text(&in, text, sizeof(text));
	cr_expect_str_eq(text, "text");
	saved_take_fields(&in, fields, ARRAY_LEN(fields), &t);
	cr_expect_eq(saved_end(&in, &e), 0);
	cr_expect(t.number == 7 && t.is && !t.are[0] && t.are[1] && !t.are[2]);
	cr_expect_arr_eq(t.bytes, "five", 5);
	cr_assert_eq(saved_part(&s, SAVED_CPU, 0, &in, &e), 0);
	cr_expect_eq(saved_end(&in, &e), 0);
	cr_assert_eq(saved_part(&s, SAVED_DEVICE, 0, &in, &e), 0);
	saved_take(&in, &byte, 1);
	cr_expect(saved_end(&in, &e) == 0 && byte == 'x');
	cr_expect_eq(saved_part(&s, SAVED_DEVICE, 1, &in, &e), -EPROTO);
	cr_expect_str_eq(e.msg, "the state of the microVM: device 1: it is missing");
}

/* The bytes as they are on disk: of this version they can't be others. */
Test(saved, the_layout)
{
	static const uint8_t head[] = { 'h', 'u', 'l', 'l', ' ', 'v', 'm', '\n', 1, 0, 0, 0,
					2,   0,   0,   0,   49,  0,   0,   0,    0, 0, 0, 0 };
	static const uint8_t parts[] = { 3, 0, 2, 1, 1, 0, 0, 0, 'a', 1, 0, 0, 0, 0, 0, 0, 0 };
	/* by another rendering of the CRC's definition */
	static const uint8_t sum[] = { 0x16, 0x68, 0xed, 0xb9, 0xc8, 0xa7, 0xa9, 0x6c };
	auto_saved_out struct saved_out o = { 0 };
	struct err e;

	saved_begin(&o, SAVED_DEVICE, 0x102);
	saved_put(&o, "a", 1);
	saved_begin(&o, SAVED_MACHINE, 0);
	cr_assert_eq(saved_finish(&o, &e), 0);
	cr_assert_eq(o.bytes.len, sizeof(head) + sizeof(parts) + 8);
	cr_expect_arr_eq(o.bytes.text, head, sizeof(head));
	cr_expect_arr_eq(o.bytes.text + sizeof(head), parts, sizeof(parts));
	cr_expect_arr_eq(o.bytes.text + sizeof(head) + sizeof(parts), sum, sizeof(sum));
}

Test(saved, no_byte_may_be_another_and_none_missing)
{
	auto_saved_out struct saved_out o = { 0 };
	struct saved s;
	struct err e;

	write_some(&o);
	for (size_t i = 0; i < o.bytes.len; i++) {
		o.bytes.text[i] ^= 0x10;
		cr_expect_lt(saved_open(o.bytes.text, o.bytes.len, &s, &e), 0, "byte %zu", i);
		o.bytes.text[i] ^= 0x10;
		cr_expect_lt(saved_open(o.bytes.text, i, &s, &e), 0, "%zu bytes", i);
	}
	buf_char(&o.bytes, '\0');
	cr_expect_eq(saved_open(o.bytes.text, o.bytes.len, &s, &e), -EPROTO);
}

/* With a right checksum: who made the file may be anyone. */
Test(saved, files_that_lie)
{
	static const struct {
		size_t at; /* in the file that has one part of SAVED_CPU, 0 with four bytes */
		uint8_t byte;
		int result;
		const char *message;
	} rows[] = {
		{ 0, 'x', -EPROTO, "the state of the microVM: this is no such file" },
		{ 8, 2, -ENOTSUP,
		  "the state of the microVM is of version 2, and this hull reads version 1" },
		{ 12, 2, -EPROTO, "the state of the microVM: part 1 of 2 is missing" },
		{ 12, 0, -EPROTO, "the state of the microVM: something is behind its parts" },
		{ 12, 65, -EPROTO, "the state of the microVM: 65 parts, and 64 are the most" },
		{ 16, 43, -EPROTO,
		  "the state of the microVM is of 44 bytes, and says 43: it is not whole" },
		{ 24, 0, -EPROTO,
		  "the state of the microVM: part 0 of 1 is of an unknown kind, 0" },
		{ 24, SAVED_KINDS, -EPROTO,
		  "the state of the microVM: part 0 of 1 is of an unknown kind, 6" },
		{ 28, 5, -EPROTO, "the state of the microVM: part 0 of 1 is longer than the file" },
		{ 31, 0xff, -EPROTO,
		  "the state of the microVM: part 0 of 1 is longer than the file" },
		{ 28, 3, -EPROTO, "the state of the microVM: something is behind its parts" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_saved_out struct saved_out o = { 0 };
		struct saved s;
		struct err e;

		saved_begin(&o, SAVED_CPU, 0);
		saved_put_u32(&o, 0);
		cr_assert_eq(saved_finish(&o, &e), 0);
		cr_assert_eq(o.bytes.len, 44);
		o.bytes.text[rows[i].at] = (char)rows[i].byte;
		saved_seal(o.bytes.text, o.bytes.len);
		cr_expect_eq(saved_open(o.bytes.text, o.bytes.len, &s, &e), rows[i].result);
		cr_expect_str_eq(e.msg, rows[i].message);
	}
}

Test(saved, a_part_twice)
{
	auto_saved_out struct saved_out o = { 0 };
	struct saved s;
	struct err e;

	saved_begin(&o, SAVED_CPU, 1);
	saved_begin(&o, SAVED_CPU, 1);
	cr_assert_eq(saved_finish(&o, &e), 0);
	cr_expect_eq(saved_open(o.bytes.text, o.bytes.len, &s, &e), -EPROTO);
	cr_expect_str_eq(e.msg, "the state of the microVM: part 1 of 2 is there twice");
}

static struct saved_in part_of(struct saved_out *o, struct saved *s)
{
	struct saved_in in;
	struct err e;

	cr_assert_eq(saved_finish(o, &e), 0);
	cr_assert_eq(saved_open(o->bytes.text, o->bytes.len, s, &e), 0);
	cr_assert_eq(saved_part(s, SAVED_CHANNEL, 0, &in, &e), 0);
	return in;
}

Test(saved, parts_that_are_too_short_or_too_long)
{
	auto_saved_out struct saved_out o = { 0 };
	struct saved_in in, again;
	struct thing t;
	struct saved s;
	struct err e;
	uint8_t four[4] = "abc";
	char text[8];
	size_t n;

	saved_begin(&o, SAVED_CHANNEL, 0);
	saved_put(&o, "\x02\0\0\0a\0", 6);
	in = again = part_of(&o, &s);
	cr_expect_eq(saved_u32(&in), 2);
	cr_expect_eq(saved_end(&in, &e), -EPROTO);
	cr_expect_str_eq(e.msg, "the state of the microVM: the channel: it is 2 bytes too long");
	cr_expect_eq(saved_u32(&in), 0, "there are two");
	saved_take(&in, four, 1);
	cr_expect_eq(four[0], 0, "it stays bad");
	cr_expect_eq(saved_end(&in, &e), -EPROTO);
	cr_expect_str_eq(e.msg,
			 "the state of the microVM: the channel: it is too short, or not what it "
			 "should be");
	in = again;
	saved_text(&in, text, sizeof(text));
	cr_expect_str_eq(text, "", "a NUL in it");
	cr_expect_eq(saved_end(&in, &e), -EPROTO);
	in = again;
	saved_text(&in, text, 2);
	cr_expect_str_eq(text, "", "no room for it");
	cr_expect_eq(saved_end(&in, &e), -EPROTO);
	in = again;
	cr_expect_null(saved_counted(&in, 1, &n));
	cr_expect_eq(n, 0);
	in = again;
	cr_expect_not_null(saved_counted(&in, 2, &n));
	cr_expect(n == 2 && saved_end(&in, &e) == 0);
	in = again;
	saved_take_fields(&in, fields, ARRAY_LEN(fields), &t);
	cr_expect_eq(saved_end(&in, &e), -EPROTO);
	cr_expect(t.number == 2 && !t.is && !t.are[1] && t.bytes[4] == 0);
}

Test(saved, a_truth_is_0_or_1)
{
	auto_saved_out struct saved_out o = { 0 };
	struct saved_in in;
	struct thing t;
	struct saved s;
	struct err e;

	saved_begin(&o, SAVED_CHANNEL, 0);
	saved_put(&o, "\1\0\0\0\1\0\2\1five", 13);
	in = part_of(&o, &s);
	saved_take_fields(&in, fields, ARRAY_LEN(fields), &t);
	cr_expect_eq(saved_end(&in, &e), -EPROTO);
	cr_expect(t.is && !t.are[0] && !t.are[1]);
}

Test(saved, what_is_too_large_is_not_gathered)
{
	auto_saved_out struct saved_out o = { 0 };
	struct saved s;
	struct err e;

	saved_begin(&o, SAVED_FILES, 0);
	saved_put(&o, "", SAVED_MAX + (size_t)1);
	cr_expect_lt(o.bytes.len, 100);
	saved_begin(&o, SAVED_CHANNEL, 0);
	cr_expect_eq(saved_finish(&o, &e), -EFBIG);
	cr_expect_str_eq(e.msg,
			 "the state of the microVM is larger than 268435456 bytes: its guest "
			 "knows too many files");
	cr_expect_eq(saved_open("", SAVED_MAX + (size_t)1, &s, &e), -EFBIG);
}
