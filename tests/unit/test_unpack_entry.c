#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "image/unpack/entry.h"
#include "image/unpack/ids.h"
#include "image/unpack/options.h"
#include "image/unpack/seen.h"
#include "image/unpack/whiteout.h"

/* `count` times `text`; the buffer is the caller's. */
static const char *many(struct buf *b, const char *text, unsigned count)
{
	buf_clear(b);
	while (count-- > 0)
		buf_str(b, text);
	return b->text;
}

Test(unpack_entry, paths_are_made_plain)
{
	static const struct {
		const char *name, *path, *last, *above;
		unsigned depth;
	} rows[] = {
		{ "a", "a", "a", "", 1 },
		{ "a/b", "a/b", "b", "a", 2 },
		{ "/etc/passwd", "etc/passwd", "passwd", "etc", 2 },
		{ "./a", "a", "a", "", 1 },
		{ "././/a//./b/", "a/b", "b", "a", 2 },
		{ ".", "", "", "", 0 },
		{ "./", "", "", "", 0 },
		{ "/", "", "", "", 0 },
		{ "", "", "", "", 0 },
		{ "...", "...", "...", "", 1 },
		{ "..a/.b", "..a/.b", ".b", "..a", 2 },
		{ "a/b/c", "a/b/c", "c", "a/b", 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct entry_path p, above;
		struct err e = { 0 };

		cr_assert_eq(entry_path_set(&p, rows[i].name, "its name", &e), 0, "%s: %s",
			     rows[i].name, e.msg);
		entry_path_parent(&p, &above);
		cr_expect_str_eq(p.text, rows[i].path);
		cr_expect_eq(p.len, strlen(p.text));
		cr_expect_str_eq(p.text + p.name, rows[i].last);
		cr_expect_str_eq(above.text, rows[i].above);
		cr_expect_eq(p.depth, rows[i].depth);
		cr_expect_eq(above.len, strlen(above.text));
	}
}

Test(unpack_entry, the_parent_of_a_parent)
{
	struct entry_path p, above, top;

	cr_assert_eq(entry_path_set(&p, "a/bb/ccc", "", NULL), 0);
	entry_path_parent(&p, &above);
	entry_path_parent(&above, &top);
	cr_expect_str_eq(above.text + above.name, "bb");
	cr_expect_str_eq(top.text, "a");
	cr_expect_eq(top.depth, 1);
}

Test(unpack_entry, paths_that_are_refused)
{
	auto_buf struct buf b = { 0 };
	struct entry_path p = { .text = "untouched" };
	struct err e = { 0 };

	static const char *const dots[] = { "..", "../a", "a/..", "a/../b", "/..", "./../a", "a//..//b" };

	for (size_t i = 0; i < ARRAY_LEN(dots); i++) {
		cr_expect_eq(entry_path_set(&p, dots[i], "its name", &e), -EINVAL);
		cr_expect_str_eq(e.msg, "its name has \"..\" in it");
	}
	cr_expect_eq(entry_path_set(&p, many(&b, "n", 255), "its name", &e), 0);
	cr_expect_eq(entry_path_set(&p, many(&b, "n", 256), "its name", &e), -ENAMETOOLONG);
	cr_expect_str_eq(e.msg, "its name has a part of 256 bytes, more than 255");
	cr_expect_eq(entry_path_set(&p, many(&b, "d/", 256), "its target", &e), 0);
	cr_expect_eq(entry_path_set(&p, many(&b, "d/", 257), "its target", &e), -ENAMETOOLONG);
	cr_expect_str_eq(e.msg, "its target has more than 256 parts");
	many(&b, "0123456789abcdef/", 240);
	buf_str(&b, "0123456789abcde");
	cr_expect_eq(entry_path_set(&p, b.text, "its name", &e), 0);
	cr_expect_eq(p.len, 4095);
	buf_str(&b, "f");
	cr_expect_eq(entry_path_set(&p, b.text, "its name", &e), -ENAMETOOLONG);
	cr_expect_str_eq(e.msg, "its name is longer than 4095 bytes");
}

Test(unpack_entry, what_an_entry_may_not_be)
{
	static char long_link[ENTRY_PATH_MAX + 1];
	static char long_name[257];
	static const struct {
		struct entry n;
		const char *message;
	} rows[] = {
		{ { .type = S_IFREG }, NULL },
		{ { .type = S_IFREG, .uid = 4294967294 }, NULL },
		{ { .type = S_IFREG, .uid = -1 }, "its owner is -1, which is no id" },
		{ { .type = S_IFREG, .uid = 4294967295 }, "its owner is 4294967295, which is no id" },
		{ { .type = S_IFREG, .gid = INT64_MAX }, "its group is 9223372036854775807, which is no id" },
		{ { .type = S_IFREG, .size = -5 }, "its size is -5" },
		{ { .type = S_IFREG, .mtime = { 0, 1000000000 } }, "its time has 1000000000 nanoseconds" },
		{ { .type = S_IFREG, .mtime = { 0, -1 } }, "its time has -1 nanoseconds" },
		{ { .type = S_IFCHR, .major = 4095, .minor = 1048575 }, NULL },
		{ { .type = S_IFCHR, .major = 4096 }, "there is no device 4096:0" },
		{ { .type = S_IFBLK, .minor = 1048576 }, "there is no device 0:1048576" },
		{ { .type = S_IFLNK, .link = "x" }, NULL },
		{ { .type = S_IFLNK }, "a link to nothing" },
		{ { .type = S_IFLNK, .link = "" }, "a link to nothing" },
		{ { .hardlink = true }, "a link to nothing" },
		{ { .type = S_IFLNK, .link = long_link }, "a link to more than 4095 bytes" },
		{ { .type = S_IFREG, .xattrs = { { "user.x", "", 65536 } }, .xattrs_n = 1 }, NULL },
		{ { .type = S_IFREG, .xattrs = { { "user.x", "", 65537 } }, .xattrs_n = 1 },
		  "its extended attribute \"user.x\" has 65537 bytes, more than 65536" },
		{ { .type = S_IFREG, .xattrs = { { "", "", 1 } }, .xattrs_n = 1 },
		  "an extended attribute with a name of 0 bytes" },
		{ { .type = S_IFREG, .xattrs = { { long_name, "", 1 } }, .xattrs_n = 1 },
		  "an extended attribute with a name of 256 bytes" },
	};

	memset(long_link, 'x', sizeof(long_link) - 1);
	memset(long_name, 'x', sizeof(long_name) - 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		int r = entry_check(&rows[i].n, &e);

		cr_expect_eq(r < 0, rows[i].message != NULL, "row %zu: %s", i, e.msg);
		cr_expect_str_eq(e.msg, rows[i].message ? rows[i].message : "");
	}
}

Test(unpack_entry, which_attributes_are_kept)
{
	static const struct {
		const char *name;
		enum xattr_rule rule;
	} rows[] = {
		{ "user.note", XATTR_KEEP },
		{ "user.overlay", XATTR_KEEP },
		{ "user.overlay.", XATTR_DROP },
		{ "user.overlay.redirect", XATTR_DROP },
		{ "trusted.overlay.opaque", XATTR_DROP },
		{ "trusted.x", XATTR_DROP },
		{ "security.capability", XATTR_CAPABILITY },
		{ "security.capability2", XATTR_DROP },
		{ "security.selinux", XATTR_DROP },
		{ "security.ima", XATTR_DROP },
		{ "system.posix_acl_access", XATTR_ACL },
		{ "system.posix_acl_default", XATTR_ACL },
		{ "system.nfs4_acl", XATTR_DROP },
		{ "x", XATTR_DROP },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(entry_xattr_rule(rows[i].name), rows[i].rule, "%s", rows[i].name);
}

Test(unpack_entry, which_names_are_whiteouts)
{
	static const struct {
		const char *name;
		enum whiteout_kind kind;
		const char *message;
	} rows[] = {
		{ "a", WHITEOUT_NONE, NULL },
		{ ".wha", WHITEOUT_NONE, NULL },
		{ "a.wh.b", WHITEOUT_NONE, NULL },
		{ ".wh.a", WHITEOUT_HIDES, NULL },
		{ "a/b/.wh.c", WHITEOUT_HIDES, NULL },
		{ ".wh....", WHITEOUT_HIDES, NULL },
		{ ".wh..wh..opq", WHITEOUT_OPAQUE, NULL },
		{ "a/.wh..wh..opq", WHITEOUT_OPAQUE, NULL },
		{ ".wh..wh.plnk", WHITEOUT_META, NULL },
		{ ".wh..wh.plnk/1.2", WHITEOUT_META, NULL },
		{ ".wh..wh..opq/a", WHITEOUT_META, NULL },
		{ ".wh.", WHITEOUT_NONE, "a whiteout that hides no name" },
		{ "a/.wh..", WHITEOUT_NONE, "a whiteout that hides no name" },
		{ "a/.wh...", WHITEOUT_NONE, "a whiteout that hides no name" },
		{ ".wh.a/b", WHITEOUT_NONE, "it lies below a whiteout" },
		{ "a/.wh.b/c/d", WHITEOUT_NONE, "it lies below a whiteout" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum whiteout_kind kind = WHITEOUT_NONE;
		struct entry_path p;
		struct err e = { 0 };

		cr_assert_eq(entry_path_set(&p, rows[i].name, "", &e), 0);
		cr_expect_eq(whiteout_classify(&p, &kind, &e) < 0, rows[i].message != NULL, "%s",
			     rows[i].name);
		cr_expect_eq(kind, rows[i].kind, "%s", rows[i].name);
		cr_expect_str_eq(e.msg, rows[i].message ? rows[i].message : "");
	}
}

Test(unpack_entry, a_device_is_a_whiteout_only_in_an_overlay)
{
	const struct stat whiteout = { .st_mode = S_IFCHR, .st_rdev = makedev(0, 0) };
	const struct stat null = { .st_mode = S_IFCHR, .st_rdev = makedev(1, 3) };

	cr_expect(whiteout_is(whiteout_mode("overlay"), &whiteout));
	cr_expect(whiteout_is(whiteout_mode("userxattr"), &whiteout));
	cr_expect_not(whiteout_is(whiteout_mode("apply"), &whiteout));
	cr_expect_not(whiteout_is(whiteout_mode("overlay"), &null));
	cr_expect_null(whiteout_mode("none"));
}

Test(unpack_entry, ids)
{
	static const struct {
		const char *text;
		char kind;
		uint32_t id, to;
		const char *message;
	} rows[] = {
		{ "u:0:100000:65536,g:0:5:1", 'u', 0, 100000, NULL },
		{ "u:0:100000:65536,g:0:5:1", 'u', 65535, 165535, NULL },
		{ "u:0:100000:65536,g:0:5:1\n", 'g', 0, 5, NULL },
		{ "u:0:1000:1\nu:1:100000:9\n", 'u', 9, 100008, NULL },
		{ "u:0:0:4294967295", 'u', 4294967294, 4294967294, NULL },
		{ "u:0:100000:65536,g:0:5:1", 'u', 65536, 0, "its owner 65536 has no place in the map of ids" },
		{ "u:0:100000:65536,g:0:5:1", 'g', 1, 0, "its group 1 has no place in the map of ids" },
		{ "u:5:5:1", 'u', 4, 0, "its owner 4 has no place in the map of ids" },
		{ "", 'u', 0, 0, "--ids has no rows" },
		{ "x", 'u', 0, 0, "--ids wants squash or rows like u:0:100000:65536, not \"x\"" },
		{ "u:1:2", 'u', 0, 0, "--ids wants squash or rows like u:0:100000:65536, not \"u:1:2\"" },
		{ "u:1:2:0", 'u', 0, 0, "--ids wants squash or rows like u:0:100000:65536, not \"u:1:2:0\"" },
		{ "u:1:2:3:4", 'u', 0, 0, "--ids wants squash or rows like u:0:100000:65536, not \"u:1:2:3:4\"" },
		{ "u:1:2:4294967295", 'u', 0, 0, "--ids wants squash or rows like u:0:100000:65536, not \"u:1:2:4294967295\"" },
		{ "u:1:2:4294967297", 'u', 0, 0, "--ids wants squash or rows like u:0:100000:65536, not \"u:1:2:4294967297\"" },
		{ "u:-1:2:3", 'u', 0, 0, "--ids wants squash or rows like u:0:100000:65536, not \"u:-1:2:3\"" },
		{ "u:1:2:3,,", 'u', 0, 0, "--ids wants squash or rows like u:0:100000:65536, not \",\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ids ids;
		struct err e = { 0 };
		uint32_t to = 0;
		int r = ids_parse(&ids, rows[i].text, &e);

		if (r == 0)
			r = ids_map(&ids, rows[i].kind, rows[i].id, &to, &e);
		cr_expect_eq(r < 0, rows[i].message != NULL, "%s", rows[i].text);
		cr_expect_eq(to, rows[i].to, "%s: %u", rows[i].text, to);
		cr_expect_str_eq(e.msg, rows[i].message ? rows[i].message : "");
	}
}

Test(unpack_entry, hashes_are_those_of_siphash)
{
	/* The vectors of its paper: key 00 01 ... 0f, message 00 01 ... */
	static const struct {
		size_t len;
		uint64_t hash;
	} rows[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) },
		{ 1, UINT64_C(0x74f839c593dc67fd) },
		{ 7, UINT64_C(0xab0200f58b01d137) },
		{ 8, UINT64_C(0x93f5f5799a932462) },
		{ 15, UINT64_C(0xa129ca6149be45e5) },
	};
	const uint64_t key[2] = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	unsigned char message[16];

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (unsigned char)i;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(seen_hash(key, message, rows[i].len), rows[i].hash, "%zu", rows[i].len);
}

Test(unpack_entry, what_was_seen_is_known_with_all_above_it)
{
	const uint64_t key[2] = { 1, 2 };
	struct seen s;
	char path[64];

	seen_init(&s, key);
	seen_add(&s, "a/b/c", 5);
	cr_expect(seen_has(&s, "a", 1) && seen_has(&s, "a/b", 3) && seen_has(&s, "a/b/c", 5));
	cr_expect_not(seen_has(&s, "b", 1) || seen_has(&s, "a/", 2) || seen_has(&s, "a/c", 3));
	for (int i = 0; i < 10000; i++)
		seen_add(&s, path, (size_t)snprintf(path, sizeof(path), "d%d/%d", i % 100, i));
	for (int i = 0; i < 10000; i++)
		cr_assert(seen_has(&s, path, (size_t)snprintf(path, sizeof(path), "d%d/%d", i % 100, i)));
	cr_expect_not(seen_has(&s, "d1/2", 4));
	cr_expect_eq(s.used, 10000 + 100 + 3);
	seen_done(&s);
}

Test(unpack_entry, numbers_of_options_do_not_wrap)
{
	static const struct {
		const char *word;
		const char *message;
	} rows[] = {
		{ "0", NULL },
		{ "9223372036854775807", NULL },
		{ "9223372036854775808", "--max-bytes wants a number up to 9223372036854775807, not \"9223372036854775808\"" },
		{ "18446744073709551617", "--max-bytes wants a number up to 9223372036854775807, not \"18446744073709551617\"" },
		{ "", "--max-bytes wants a number up to 9223372036854775807, not \"\"" },
		{ "+1", "--max-bytes wants a number up to 9223372036854775807, not \"+1\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *argv[] = { "hull-unpack", "--dir-fd", "3", "--max-bytes", rows[i].word, NULL };
		struct options o;
		struct err e = { 0 };

		cr_expect_eq(options_parse(&o, (char **)argv, &e) < 0, rows[i].message != NULL, "%s", rows[i].word);
		cr_expect_str_eq(e.msg, rows[i].message ? rows[i].message : "");
	}
}
