#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "tests/unit/test_child.h"

static bool is_zero(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

Test(arena, gives_zeroed_and_aligned_memory)
{
	static const size_t sizes[] = { 0,     1,     7,     8,     15,    16,     17,    100,
					4096,  32751, 32752, 32753, 32767, 32768,  32769, 40000,
					65536, 3,     1,     32768, 1,     100000, 1,     31 };
	auto_arena struct arena a = { 0 };

	for (size_t round = 0; round < 20; round++) {
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			unsigned char *p = arena_alloc(&a, sizes[i]);

			cr_assert_not_null(p);
			cr_assert_eq((uintptr_t)p % 16, 0);
			cr_assert(is_zero(p, sizes[i]), "%zu bytes", sizes[i]);
			memset(p, 0xa5, sizes[i]);
		}
	}
}

Test(arena, keeps_what_is_in_it_apart)
{
	auto_arena struct arena a = { 0 };
	unsigned char *p[3000];

	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		p[i] = arena_alloc(&a, i % 97 + 1);
		memset(p[i], (int)(i % 251), i % 97 + 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(p); i++)
		for (size_t j = 0; j <= i % 97; j++)
			cr_assert_eq(p[i][j], i % 251);
}

Test(arena, makes_arrays)
{
	auto_arena struct arena a = { 0 };
	uint64_t *p = arena_array(&a, 10000, sizeof(*p));

	cr_assert(is_zero((unsigned char *)p, 10000 * sizeof(*p)));
	p[9999] = 1;
	cr_assert_not_null(arena_array(&a, 0, 8));
	cr_assert_not_null(arena_array(&a, 8, 0));
}

Test(arena, copies_strings)
{
	auto_arena struct arena a = { 0 };
	char original[] = "of my own";
	char *copy = arena_strdup(&a, original), *part = arena_strndup(&a, "a\0bcdef", 4);

	original[0] = 'x';
	cr_expect_str_eq(copy, "of my own");
	cr_expect_null(arena_strdup(&a, NULL));
	cr_expect_str_eq(arena_strdup(&a, ""), "");
	cr_expect_eq(memcmp(part, "a\0bc\0", 5), 0);
	cr_expect_str_eq(arena_strndup(&a, "anything", 0), "");
}

Test(arena, prints)
{
	auto_arena struct arena a = { 0 };
	char *text, big[70000];

	cr_expect_str_eq(arena_printf(&a, "%s", ""), "");
	cr_expect_str_eq(arena_printf(&a, "mounts[%d].%s", 3, "type"), "mounts[3].type");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	text = arena_printf(&a, "<%s>", big);
	cr_expect_eq(strlen(text), sizeof(big) + 1);
	cr_expect_eq(text[sizeof(big)], '>');
}

Test(arena, can_be_used_again)
{
	struct arena a = { 0 };

	arena_done(&a);
	cr_expect_null(a.last);
	arena_strdup(&a, "something");
	arena_done(&a);
	cr_expect_null(a.last);
	arena_done(&a);
	cr_expect_str_eq(arena_strdup(&a, "something else"), "something else");
	arena_done(&a);
}

/* Running out ends the process with one sentence and status 1. */

static int sentence = -1;

static void too_big(void *size)
{
	struct arena a = { 0 };

	dup2(sentence, STDERR_FILENO);
	CHILD_ASSERT(!arena_alloc(&a, *(size_t *)size), "it came back");
}

static void too_many(void *n)
{
	struct arena a = { 0 };

	dup2(sentence, STDERR_FILENO);
	CHILD_ASSERT(!arena_array(&a, *(size_t *)n, 16), "it came back");
}

static void too_much_to_grow(void *n)
{
	dup2(sentence, STDERR_FILENO);
	CHILD_ASSERT(!mem_grow(NULL, *(size_t *)n, 16), "it came back");
}

static void exhausted(void *arg UNUSED)
{
	dup2(sentence, STDERR_FILENO);
	mem_exhausted();
}

static void exhausted_without_stderr(void *arg UNUSED)
{
	close(STDERR_FILENO);
	mem_exhausted();
}

static void expect_exhausted(void (*fn)(void *), size_t size)
{
	static const char expected[] = "hull: out of memory\n";
	char text[100] = "";
	int ends[2], status;

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	sentence = ends[1];
	status = run_child(fn, &size);
	close(ends[1]);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%zx: status %#x", size, status);
	cr_expect_eq(read(ends[0], text, sizeof(text) - 1), (ssize_t)strlen(expected));
	cr_expect_str_eq(text, expected);
	close(ends[0]);
}

Test(arena, running_out_ends_the_process)
{
	expect_exhausted(exhausted, 0);
	for (size_t less = 0; less < 45; less += 4)
		expect_exhausted(too_big, SIZE_MAX - less);
	expect_exhausted(too_many, SIZE_MAX);
	expect_exhausted(too_many, SIZE_MAX / 16);
	expect_exhausted(too_many, SIZE_MAX / 16 + 1);
	expect_exhausted(too_many, SIZE_MAX / 2 + 2);
}

Test(arena, running_out_is_said_in_the_status_without_stderr)
{
	int status = run_child(exhausted_without_stderr, NULL);

	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 2, "status %#x", status);
}

Test(mem, gives_what_is_asked)
{
	auto_free unsigned char *zeroed = mem_zalloc(1000), *nothing = mem_zalloc(0);
	auto_free char *copy = mem_strdup("text"), *grown = mem_grow(NULL, 0, 8);

	cr_expect(is_zero(zeroed, 1000));
	cr_expect_not_null(nothing);
	cr_expect_str_eq(copy, "text");
	grown = mem_grow(grown, 5, 2);
	memcpy(grown, "123456789", 10);
	grown = mem_grow(grown, 5000, 2);
	cr_expect_str_eq(grown, "123456789");
}

Test(mem, running_out_ends_the_process)
{
#ifndef __SANITIZE_ADDRESS__ /* which has an end of its own for these */
	expect_exhausted(too_much_to_grow, SIZE_MAX / 16 + 1);
	expect_exhausted(too_much_to_grow, SIZE_MAX / 17);
#else
	(void)too_much_to_grow;
	cr_skip_test("the sanitizer ends the process itself");
#endif
}
