#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "tests/unit/test_child.h"

Test(buf, starts_with_nothing)
{
	auto_buf struct buf b = { 0 };

	buf_clear(&b);
	cr_expect_null(b.text);
	buf_done(&b);
	buf_str(&b, "");
	cr_assert_not_null(b.text);
	cr_expect_str_eq(b.text, "");
	cr_expect_eq(b.len, 0);
}

Test(buf, is_text_after_any_first_addition)
{
	auto_buf struct buf added = { 0 }, reserved = { 0 }, printed = { 0 };

	buf_add(&added, NULL, 0);
	cr_expect_str_eq(added.text, "");
	cr_expect_eq(buf_reserve(&reserved, 0), reserved.text);
	cr_expect_str_eq(reserved.text, "");
	buf_printf(&printed, "%s", "");
	cr_expect_str_eq(printed.text, "");
}

Test(buf, adds)
{
	auto_buf struct buf b = { 0 };

	buf_str(&b, "one");
	buf_char(&b, ' ');
	buf_add(&b, "twofold", 3);
	buf_printf(&b, " %s %d", "three", 4);
	cr_expect_str_eq(b.text, "one two three 4");
	cr_expect_eq(b.len, 15);
}

Test(buf, holds_any_bytes)
{
	auto_buf struct buf b = { 0 };

	buf_add(&b, "a\0b", 3);
	buf_char(&b, '\0');
	buf_printf(&b, "%c%s", 0, "end");
	cr_expect_eq(b.len, 8);
	cr_expect_eq(memcmp(b.text, "a\0b\0\0end", 9), 0);
}

Test(buf, is_terminated_at_every_length)
{
	auto_buf struct buf b = { 0 };

	for (size_t i = 0; i < 5000; i++) {
		buf_char(&b, (char)('a' + i % 26));
		cr_assert_eq(b.len, i + 1);
		cr_assert_lt(b.len, b.size);
		cr_assert_eq(b.text[b.len], '\0');
	}
	for (size_t i = 0; i < 5000; i++)
		cr_assert_eq(b.text[i], (char)('a' + i % 26));
}

Test(buf, prints_what_just_fits_and_what_does_not)
{
	char text[300];

	for (size_t len = 0; len < sizeof(text); len++) {
		auto_buf struct buf b = { 0 };

		buf_str(&b, "0123456789");
		memset(text, 'x', len);
		text[len] = '\0';
		buf_printf(&b, "%s|", text);
		cr_assert_eq(b.len, 11 + len);
		cr_assert_eq(b.text[10 + len], '|');
		cr_assert_eq(b.text[11 + len], '\0');
	}
}

Test(buf, reserves_room_that_the_caller_fills)
{
	auto_buf struct buf b = { 0 };

	buf_str(&b, "abc");
	memcpy(buf_reserve(&b, 1000), "defgh", 5);
	cr_expect_geq(b.size, 1004);
	b.len += 2;
	b.text[b.len] = '\0';
	cr_expect_str_eq(b.text, "abcde");
	buf_str(&b, "!");
	cr_expect_str_eq(b.text, "abcde!");
}

Test(buf, keeps_its_memory_when_cleared)
{
	auto_buf struct buf b = { 0 };
	const char *text;

	buf_str(&b, "something");
	text = b.text;
	buf_clear(&b);
	cr_expect_str_eq(b.text, "");
	cr_expect_eq(b.len, 0);
	buf_str(&b, "other");
	cr_expect_eq(b.text, text);
	cr_expect_str_eq(b.text, "other");
}

Test(buf, can_be_used_again)
{
	struct buf b = { 0 };

	buf_done(&b);
	buf_str(&b, "something");
	buf_done(&b);
	cr_expect_null(b.text);
	cr_expect_eq(b.len + b.size, 0);
	buf_str(&b, "other");
	cr_expect_str_eq(b.text, "other");
	buf_done(&b);
}

static void reserve(void *size)
{
	struct buf b = { 0 };

	close(STDERR_FILENO);
	open("/dev/null", O_WRONLY);
	buf_str(&b, "something");
	CHILD_ASSERT(!buf_reserve(&b, *(size_t *)size), "it came back");
}

Test(buf, too_much_ends_the_process)
{
	static const size_t sizes[] = { SIZE_MAX,        SIZE_MAX - 9,     SIZE_MAX - 10,
					SIZE_MAX / 2,    SIZE_MAX / 2 + 1, SIZE_MAX / 2 - 8,
					SIZE_MAX / 2 - 9 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t size = sizes[i];
		int status = run_child(reserve, &size);

		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%zx: status %#x", size,
			  status);
	}
}
