#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

Test(err, says_errnos_as_engines_match_them)
{
	static const struct {
		int code;
		const char *text;
	} rows[] = {
		{ 0, "success" },
		{ EPERM, "operation not permitted" },
		{ ENOENT, "no such file or directory" },
		{ EIO, "input/output error" },
		{ ENOEXEC, "exec format error" },
		{ EACCES, "permission denied" },
		{ EBUSY, "device or resource busy" },
		{ EEXIST, "file exists" },
		{ EXDEV, "invalid cross-device link" },
		{ ENOTDIR, "not a directory" },
		{ EISDIR, "is a directory" },
		{ EINVAL, "invalid argument" },
		{ ENOTTY, "inappropriate ioctl for device" },
		{ ENOSPC, "no space left on device" },
		{ ELOOP, "too many levels of symbolic links" },
		{ ENAMETOOLONG, "file name too long" },
		{ EL2NSYNC, "level 2 not synchronized" },
		{ EDOTDOT, "RFS specific error" },
		{ EREMOTEIO, "remote I/O error" },
		{ ELIBSCN, ".lib section in a.out corrupted" },
		{ ENOTSUP, "operation not supported" },
		{ EILSEQ, "invalid or incomplete multibyte or wide character" },
		{ ERFKILL, "operation not possible due to RF-kill" },
		{ EHWPOISON, "memory page has hardware error" },
		{ 41, "unknown error" },
		{ 58, "unknown error" },
		{ EHWPOISON + 1, "unknown error" },
		{ 255, "unknown error" },
		{ 256, "unknown error" },
		{ 512, "unknown error" },
		{ -1, "unknown error" },
		{ INT_MAX, "unknown error" },
		{ INT_MIN, "unknown error" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_str_eq(err_text(rows[i].code), rows[i].text, "%d is \"%s\"", rows[i].code,
				 err_text(rows[i].code));
}

Test(err, has_a_lasting_text_for_every_errno)
{
	char first[EHWPOISON + 1][64];

	for (int code = 0; code <= EHWPOISON; code++)
		snprintf(first[code], sizeof(first[code]), "%s", err_text(code));
	for (int code = 0; code <= EHWPOISON; code++) {
		const char *c = strerrordesc_np(code);

		cr_expect_str_eq(err_text(code), first[code]);
		if (c) /* nothing is cut */
			cr_expect_eq(strlen(first[code]), strlen(c), "%s", first[code]);
		cr_expect_not(first[code][0] >= 'A' && first[code][0] <= 'Z' &&
				      first[code][1] >= 'a' && first[code][1] <= 'z',
			      "%s", first[code]);
	}
}

Test(err, set)
{
	struct err e = { .code = 77, .msg = "something old, and longer than what comes now" };

	cr_expect_eq(err_set(&e, EINVAL, "read %s: line %d", "a file", 3), -EINVAL);
	cr_expect_eq(e.code, EINVAL);
	cr_expect_str_eq(e.msg, "read a file: line 3");
	cr_expect_eq(err_set(&e, ENOENT, "%s", ""), -ENOENT);
	cr_expect_str_eq(e.msg, "");
}

Test(err, sys_adds_the_text_of_errno)
{
	struct err e = { 0 };

	errno = EACCES;
	cr_expect_eq(err_sys(&e, "open %s", "/etc/shadow"), -EACCES);
	cr_expect_eq(e.code, EACCES);
	cr_expect_str_eq(e.msg, "open /etc/shadow: permission denied");
}

Test(err, sys_fails_even_without_an_errno)
{
	struct err e = { 0 };

	errno = 0;
	cr_expect_eq(err_sys(&e, "read it"), -EIO);
	cr_expect_eq(e.code, EIO);
	cr_expect_str_eq(e.msg, "read it: input/output error");
}

Test(err, neg_passes_the_number_on)
{
	struct err e = { 0 };

	errno = EACCES;
	cr_expect_eq(err_neg(&e, -ENOENT, "open %d", 7), -ENOENT);
	cr_expect_eq(e.code, ENOENT);
	cr_expect_str_eq(e.msg, "open 7: no such file or directory");
	cr_expect_eq(err_neg(&e, -9999, "do it"), -9999);
	cr_expect_str_eq(e.msg, "do it: unknown error");
}

Test(err, wrap_puts_the_context_in_front)
{
	struct err e = { 0 };

	err_set(&e, EBUSY, "mount proc on /proc: %s", err_text(EBUSY));
	cr_expect_eq(err_wrap(&e, "mounts[%d]", 2), -EBUSY);
	cr_expect_eq(err_wrap(&e, "container init"), -EBUSY);
	cr_expect_eq(e.code, EBUSY);
	cr_expect_str_eq(e.msg, "container init: mounts[2]: mount proc on /proc: "
				"device or resource busy");
}

Test(err, wrap_takes_the_message_as_text)
{
	struct err e = { 0 };

	err_set(&e, EIO, "%s", "100%s of %n");
	cr_expect_eq(err_wrap(&e, "read %s", "%d"), -EIO);
	cr_expect_str_eq(e.msg, "read %d: 100%s of %n");
}

Test(err, wrap_of_no_failure_is_one)
{
	struct err e = { 0 };

	cr_expect_eq(err_wrap(&e, "do it"), -EIO);
	cr_expect_eq(e.code, EIO);
}

Test(err, a_code_that_is_no_errno_is_a_failure_all_the_same)
{
	struct err e = { 0 };

	cr_expect_eq(err_set(&e, 0, "do it"), -EIO);
	cr_expect_eq(e.code, EIO);
	cr_expect_eq(err_set(&e, -EBUSY, "do it"), -EIO);
	cr_expect_eq(err_set(NULL, 0, "do it"), -EIO);
	cr_expect_eq(err_neg(&e, 0, "do it"), -EIO);
	cr_expect_eq(e.code, EIO);
	cr_expect_str_eq(e.msg, "do it: input/output error");
	cr_expect_eq(err_neg(&e, 3, "do it"), -EIO);
}

Test(err, may_be_null)
{
	errno = ENOENT;
	cr_expect_eq(err_sys(NULL, "a %s", "b"), -ENOENT);
	cr_expect_eq(err_set(NULL, EINVAL, "a %s", "b"), -EINVAL);
	cr_expect_eq(err_neg(NULL, -EBUSY, "a %s", "b"), -EBUSY);
	cr_expect_eq(err_wrap(NULL, "a %s", "b"), -EIO);
}

Test(err, is_one_line)
{
	struct err e = { 0 };

	err_set(&e, EIO, "%s", "one\ntwo\r\tthree\x1b[1m\x7f\x01 \xc3\xa9\n");
	cr_expect_str_eq(e.msg, "one two  three [1m   \xc3\xa9 ");
	err_wrap(&e, "%s", "zero\n");
	cr_expect_str_eq(e.msg, "zero : one two  three [1m   \xc3\xa9 ");
}

Test(err, cuts_what_is_too_long)
{
	struct err e = { 0 };
	char text[3000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_expect_eq(err_set(&e, EIO, "begin %s", text), -EIO);
	cr_expect_eq(strlen(e.msg), sizeof(e.msg) - 1);
	cr_expect_eq(strncmp(e.msg, "begin xxx", 9), 0);

	errno = EPERM;
	cr_expect_eq(err_sys(&e, "begin %s", text), -EPERM);
	cr_expect_eq(strlen(e.msg), sizeof(e.msg) - 1);

	cr_expect_eq(err_wrap(&e, "again"), -EPERM);
	cr_expect_eq(strlen(e.msg), sizeof(e.msg) - 1);
	cr_expect_eq(strncmp(e.msg, "again: begin xxx", 16), 0);

	cr_expect_eq(err_wrap(&e, "%s", text), -EPERM);
	cr_expect_eq(strlen(e.msg), sizeof(e.msg) - 1);
	cr_expect_eq(e.code, EPERM);
}

/* One byte more or less at the end of the room. */
Test(err, fits_to_the_byte)
{
	char text[sizeof(((struct err *)0)->msg)];
	struct err e = { 0 };

	for (size_t len = sizeof(text) - 40; len < sizeof(text); len++) {
		memset(text, 'x', len);
		text[len] = '\0';
		errno = EPERM;
		err_sys(&e, "%s", text);
		cr_expect_eq(strlen(e.msg), len + 25 < sizeof(text) ? len + 25 : sizeof(text) - 1,
			     "%zu: %zu", len, strlen(e.msg));
		err_set(&e, EPERM, "%s", text);
		cr_expect_eq(strlen(e.msg), len);
	}
}
