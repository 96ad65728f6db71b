/* Who "name:group" is, by an image's /etc/passwd and /etc/group. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "image/passwd.h"
#include "test_dir.h"

static const char passwd_file[] = "root:x:0:0:root:/root:/bin/sh\n"
				  "daemon:*:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
				  "\n"
				  "# comment\n"
				  "+nis::::::\n"
				  "alice:x:1000:1000::/home/alice:/bin/bash\n"
				  "nohome:x:1001:1001:::\n"
				  "short:x:1002:1002\n"
				  "alice:x:4000:4000::/second:/bin/sh\n"
				  "huge:x:4294967295:1::/:/bin/sh\n"
				  "negative:x:-1:1::/:/bin/sh\n"
				  "hex:x:0x10:1::/:/bin/sh\n"
				  "wraps:x:4294967296:1::/:/bin/sh\n"
				  "long:x:10000000000000000000000:1::/:/bin/sh\n"
				  "2000:x:7:7:a number as a name:/seven:/bin/sh\n"
				  "max:x:4294967294:4294967294::/max:/bin/sh\n"
				  "zeros:x:0003000:3000::/zeros:/bin/sh\n"
				  ":x:5000:5000::/nobody:/bin/sh\n"
				  "last:x:1003:1003::/home/last:/bin/sh";

static const char group_file[] = "root:x:0:\n"
				 "wheel:x:10:root,alice\n"
				 "audio:x:29:alicex,alice\n"
				 "alice:x:1000:alice\n"
				 "again:x:29:alice\n"
				 "video:x:44:xalice,bob\n"
				 "bad:x:x:alice\n"
				 "big:x:4294967295:alice\n"
				 "three:x:3\n"
				 "staff:x:50:last,alice,";

#define BYTES(text) ((struct passwd_bytes){ text, sizeof(text) - 1 })

static const struct {
	const char *text;
	uint32_t uid, gid;
	const char *name, *home, *groups;
} good[] = {
	{ "", 0, 0, "root", "/root", "10" },
	{ "root", 0, 0, "root", "/root", "10" },
	{ "0", 0, 0, "root", "/root", "10" },
	{ "000", 0, 0, "root", "/root", "10" },
	{ ":wheel", 0, 10, "root", "/root", "" },
	{ ":", 0, 0, "root", "/root", "10" },
	{ "daemon", 1, 1, "daemon", "/usr/sbin", "" },
	{ "alice", 1000, 1000, "alice", "/home/alice", "10 29 50" },
	{ "1000", 1000, 1000, "alice", "/home/alice", "10 29 50" },
	{ "alice:", 1000, 1000, "alice", "/home/alice", "10 29 50" },
	{ "alice:wheel", 1000, 10, "alice", "/home/alice", "" },
	{ "alice:0", 1000, 0, "alice", "/home/alice", "" },
	{ "1000:29", 1000, 29, "alice", "/home/alice", "" },
	{ "4000", 4000, 4000, "alice", "/second", "10 29 50 1000" },
	{ "4242", 4242, 0, NULL, "/", "" },
	{ "4242:4243", 4242, 4243, NULL, "/", "" },
	{ "4242:staff", 4242, 50, NULL, "/", "" },
	{ "4242:three", 4242, 3, NULL, "/", "" },
	{ "2000", 2000, 0, NULL, "/", "" },
	{ "7", 7, 7, "2000", "/seven", "" },
	{ "nohome", 1001, 1001, "nohome", "/", "" },
	{ "short", 1002, 1002, "short", "/", "" },
	{ "last", 1003, 1003, "last", "/home/last", "50" },
	{ "zeros", 3000, 3000, "zeros", "/zeros", "" },
	{ "max", 4294967294u, 4294967294u, "max", "/max", "" },
	{ "4294967294:4294967294", 4294967294u, 4294967294u, "max", "/max", "" },
};

static const struct {
	const char *text;
	int error;
	const char *message;
} bad[] = {
	{ "bob", ENOENT, "user \"bob\" is not in the image's /etc/passwd" },
	{ "Alice", ENOENT, "user \"Alice\" is not in" },
	{ "ali", ENOENT, "user \"ali\" is not in" },
	{ "huge", ENOENT, "user \"huge\" is not in" },
	{ "negative", ENOENT, "is not in" },
	{ "hex", ENOENT, "is not in" },
	{ "wraps", ENOENT, "is not in" },
	{ "long", ENOENT, "is not in" },
	{ "+nis", ENOENT, "is not in" },
	{ "# comment", ENOENT, "is not in" },
	{ "-1", ENOENT, "user \"-1\" is not in" },
	{ "+0", ENOENT, "user \"+0\" is not in" },
	{ " 0", ENOENT, "user \" 0\" is not in" },
	{ "0x0", ENOENT, "user \"0x0\" is not in" },
	{ "root\n", ENOENT, "user \"root\\u000a\" is not in" },
	{ "4294967295", EINVAL, "user \"4294967295\": not between 0 and 4294967294" },
	{ "4294967296", EINVAL, "not between 0 and 4294967294" },
	{ "18446744073709551616", EINVAL, "not between 0 and 4294967294" },
	{ "0:4294967295", EINVAL, "group \"4294967295\": not between 0 and 4294967294" },
	{ "root:nogroup", ENOENT, "group \"nogroup\" is not in the image's /etc/group" },
	{ "root:bad", ENOENT, "group \"bad\" is not in" },
	{ "root:big", ENOENT, "group \"big\" is not in" },
	{ "root:wheel:x", ENOENT, "group \"wheel:x\" is not in" },
	{ "root:-1", ENOENT, "group \"-1\" is not in" },
};

static const char *groups_of(const struct passwd_user *u)
{
	static char text[200];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < u->groups.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u", i ? " " : "",
				      u->groups.at[i]);
	return text;
}

Test(image_passwd, who_that_is)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		auto_arena struct arena a = { 0 };
		struct passwd_user u;
		struct err e = { 0 };

		cr_assert_eq(passwd_resolve(good[i].text, BYTES(passwd_file), BYTES(group_file), &a,
					    &u, &e),
			     0, "%s: %s", good[i].text, e.msg);
		cr_expect_eq(u.uid, good[i].uid, "%s: %u", good[i].text, u.uid);
		cr_expect_eq(u.gid, good[i].gid, "%s: %u", good[i].text, u.gid);
		cr_expect_str_eq(u.home, good[i].home, "%s: %s", good[i].text, u.home);
		cr_expect_str_eq(groups_of(&u), good[i].groups, "%s: %s", good[i].text,
				 groups_of(&u));
		cr_expect_eq(u.name == NULL, good[i].name == NULL);
		if (u.name && good[i].name)
			cr_expect_str_eq(u.name, good[i].name);
	}
}

Test(image_passwd, says_who_is_not_there)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_arena struct arena a = { 0 };
		struct passwd_user u;
		struct err e = { 0 };

		cr_expect_eq(passwd_resolve(bad[i].text, BYTES(passwd_file), BYTES(group_file), &a,
					    &u, &e),
			     -bad[i].error, "%s", bad[i].text);
		cr_expect(strstr(e.msg, bad[i].message), "%s: %s", bad[i].text, e.msg);
	}
}

Test(image_passwd, no_files)
{
	const struct passwd_bytes none = { NULL, 0 };
	auto_arena struct arena a = { 0 };
	struct passwd_user u;
	struct err e = { 0 };

	cr_assert_eq(passwd_resolve("", none, none, &a, &u, &e), 0, "%s", e.msg);
	cr_expect(u.uid == 0 && u.gid == 0 && !u.name);
	cr_expect_str_eq(u.home, "/");
	cr_assert_eq(passwd_resolve("5:6", none, none, &a, &u, &e), 0, "%s", e.msg);
	cr_expect(u.uid == 5 && u.gid == 6);
	cr_expect_eq(passwd_resolve("root", none, none, &a, &u, &e), -ENOENT);
}

Test(image_passwd, nul_in_the_file)
{
	static const char passwd[] = "ro\0ot:x:0:0::/a:/b\nx:x:5:5::/h\0ome:/s\0h\n";
	const struct passwd_bytes none = { NULL, 0 };
	auto_arena struct arena a = { 0 };
	struct passwd_user u;
	struct err e = { 0 };

	cr_expect_eq(passwd_resolve("ro", BYTES(passwd), none, &a, &u, &e), -ENOENT);
	cr_assert_eq(passwd_resolve("x", BYTES(passwd), none, &a, &u, &e), 0, "%s", e.msg);
	cr_expect_str_eq(u.home, "/");
	cr_expect_null(u.shell);
}

Test(image_passwd, further_groups)
{
	auto_arena struct arena a = { 0 };
	struct passwd_user u;
	struct err e = { 0 };

	cr_assert_eq(passwd_resolve("alice", BYTES(passwd_file), BYTES(group_file), &a, &u, &e), 0);
	cr_assert_eq(passwd_add_group("video", BYTES(group_file), &a, &u, &e), 0, "%s", e.msg);
	cr_assert_eq(passwd_add_group("5", BYTES(group_file), &a, &u, &e), 0, "%s", e.msg);
	cr_assert_eq(passwd_add_group("1000", BYTES(group_file), &a, &u, &e), 0, "%s", e.msg);
	cr_expect_str_eq(groups_of(&u), "5 10 29 44 50");
	cr_expect_eq(passwd_add_group("nix", BYTES(group_file), &a, &u, &e), -ENOENT);
	cr_expect_eq(passwd_add_group("", BYTES(group_file), &a, &u, &e), -EINVAL);
	for (uint32_t gid = 100; gid < 400; gid++) {
		char text[16];

		snprintf(text, sizeof(text), "%u", gid * 7 % 301 + 100);
		cr_assert_eq(passwd_add_group(text, BYTES(group_file), &a, &u, &e), 0, "%s", e.msg);
	}
	for (size_t i = 1; i < u.groups.n; i++)
		cr_expect_lt(u.groups.at[i - 1], u.groups.at[i]);
}

/* The kernel keeps what is looked up inside of the root. */
Test(image_passwd, is_read_beneath_the_root, .init = dir_make, .fini = dir_remove)
{
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	cr_assert_eq(passwd_read(dir_fd, "etc/passwd", &text, &e), 0, "%s", e.msg);
	cr_expect_eq(text.len, 0);
	dir_file("usr/etc/passwd", "inside\n");
	dir_file("etc/", "");
	cr_assert_eq(symlinkat("/usr/etc/passwd", dir_fd, "etc/passwd"), 0);
	cr_assert_eq(passwd_read(dir_fd, "etc/passwd", &text, &e), 0, "%s", e.msg);
	cr_expect_str_eq(text.text, "inside\n");
	buf_clear(&text);
	cr_assert_eq(unlinkat(dir_fd, "etc/passwd", 0), 0);
	cr_assert_eq(symlinkat("../../../../../../etc/passwd", dir_fd, "etc/passwd"), 0);
	cr_assert_eq(passwd_read(dir_fd, "etc/passwd", &text, &e), -ELOOP, "%s", e.msg);
	cr_assert_eq(unlinkat(dir_fd, "etc/passwd", 0), 0);
	cr_assert_eq(mkfifoat(dir_fd, "etc/passwd", 0600), 0);
	cr_assert_eq(passwd_read(dir_fd, "etc/passwd", &text, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "read the image's /etc/passwd: it is not a regular file");
	cr_assert_eq(unlinkat(dir_fd, "etc/passwd", 0), 0);
	dir_file("etc/passwd", "");
	cr_assert_eq(truncate(dir_at("etc/passwd"), PASSWD_FILE_MAX + 1), 0);
	cr_assert_eq(passwd_read(dir_fd, "etc/passwd", &text, &e), -EFBIG);
	cr_expect_str_eq(e.msg, "read the image's /etc/passwd: it is larger than 4 MiB");
}
