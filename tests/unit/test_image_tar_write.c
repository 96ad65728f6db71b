/* Headers of the archives that `save` writes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/tar_tree.h"
#include "image/tar_write.h"
#include "tests/unit/test_dir.h"

static const char hex[] = "0123456789012345678901234567890123456789012345678901234567890123456789"
			  "01234567890123456789012345678x";

Test(tar_write, headers)
{
	static const struct {
		const char *name;
		uint64_t size;
		const char *digits; /* NULL: more than octal can say */
		char type;
	} rows[] = {
		{ "blobs/", 0, "00000000000", '5' },
		{ "index.json", 0, "00000000000", '0' },
		{ "index.json", 513, "00000001001", '0' },
		{ hex, UINT64_C(0x1ffffffff), "77777777777", '0' },
		{ hex, UINT64_C(0x200000000), NULL, '0' },
		{ hex, UINT64_C(0x10000000001), NULL, '0' },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned char b[TAR_BLOCK];
		unsigned sum = 0;
		uint64_t size = 0;

		tar_header(rows[i].name, rows[i].size, (char *)b);
		cr_expect_eq(strncmp((char *)b, rows[i].name, TAR_NAME_MAX), 0, "row %zu", i);
		cr_expect_eq(b[156], rows[i].type, "row %zu", i);
		cr_expect_eq(memcmp(b + 257, "ustar\0" "00", 8), 0, "row %zu", i);
		for (size_t k = 0; k < sizeof(b); k++)
			sum += k >= 148 && k < 156 ? ' ' : b[k];
		cr_expect_eq(strtoul((char *)b + 148, NULL, 8), sum, "row %zu", i);
		if (rows[i].digits) {
			cr_expect_str_eq((char *)b + 124, rows[i].digits, "row %zu", i);
			continue;
		}
		cr_expect_eq(b[124], 0x80, "row %zu", i);
		for (size_t k = 125; k < 136; k++)
			size = size << 8 | b[k];
		cr_expect_eq(size, rows[i].size, "row %zu", i);
	}
}

/* Records of an extended header, and what the header behind it still says. */
Test(tar_write, entries)
{
	static const char long_name[] =
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890";
	static const struct tar_xattr xattr = { "user.a", "b", 1 };
	static const struct {
		struct tar_entry entry;
		const char *records; /* NULL: there is none */
		const char *mode, *uid, *mtime;
	} rows[] = {
		{ { .name = "a", .type = TAR_FILE, .mode = 04755, .uid = 07777777, .mtime = 8 },
		  NULL, "0004755", "7777777", "00000000010" },
		{ { .name = "a", .type = TAR_FILE, .uid = 010000000 },
		  "15 uid=2097152\n", "0000000", "0000000", "00000000000" },
		{ { .name = "a", .type = TAR_FILE, .mtime = -1 },
		  "12 mtime=-1\n", "0000000", "0000000", "00000000000" },
		{ { .name = "a", .type = TAR_FILE, .size = UINT64_C(1) << 33 },
		  "19 size=8589934592\n", "0000000", "0000000", "00000000000" },
		{ { .name = "a", .type = TAR_FILE, .xattrs = &xattr, .xattrs_n = 1 },
		  "25 SCHILY.xattr.user.a=b\n", "0000000", "0000000", "00000000000" },
		{ { .name = long_name, .type = TAR_SYMLINK, .link = "x" },
		  "111 path=0123456789012345678901234567890123456789012345678901234567890123456789"
		  "0123456789012345678901234567890\n", "0000000", "0000000", "00000000000" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf b = { 0 };
		const char *h;

		tar_entry_header(&rows[i].entry, &b);
		cr_assert_eq(b.len, rows[i].records ? 3 * TAR_BLOCK : TAR_BLOCK, "row %zu", i);
		h = b.text + b.len - TAR_BLOCK;
		cr_expect_eq(h[156], (char)rows[i].entry.type, "row %zu", i);
		cr_expect_str_eq(h + 100, rows[i].mode, "row %zu", i);
		cr_expect_str_eq(h + 108, rows[i].uid, "row %zu", i);
		cr_expect_str_eq(h + 136, rows[i].mtime, "row %zu", i);
		if (!rows[i].records)
			continue;
		cr_expect_eq(b.text[156], 'x', "row %zu", i);
		cr_expect_eq(strtoul(b.text + 124, NULL, 8), strlen(rows[i].records), "row %zu", i);
		cr_expect_str_eq(b.text + TAR_BLOCK, rows[i].records, "row %zu", i);
	}
}

TestSuite(tar_tree, .init = dir_make, .fini = dir_remove);

Test(tar_tree, a_link_in_the_place_of_what_is_meant)
{
	static const struct {
		const char *name;
		bool no_link;
		int r;
	} rows[] = {
		{ "link", false, 0 },	  { "link", true, -ELOOP }, { "file", true, 0 },
		{ "directory", true, 0 }, /* what is below may well be one */
	};
	auto_fd int out = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dir_file("file", "content");
	dir_file("directory/file", "content");
	cr_assert_eq(symlinkat("/etc/passwd", dir_fd, "link"), 0);
	cr_assert_eq(symlinkat("file", dir_fd, "directory/link"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_tar_tree struct tar_tree t = { .out = out, .no_link = rows[i].no_link };
		struct err e = { 0 };

		cr_expect_eq(tar_tree_add(&t, dir_fd, rows[i].name, "as", &e), rows[i].r, "row %zu",
			     i);
		if (rows[i].r < 0)
			cr_expect_str_eq(e.msg, "\"link\": a link has taken its place meanwhile");
	}
}
