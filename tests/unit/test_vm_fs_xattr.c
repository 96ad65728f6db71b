/* Extended attributes, and which of them a guest sees. */
#include <criterion/criterion.h>
#include <sys/xattr.h>

#include "tests/unit/test_vm_fs.h"

TestSuite(vm_fs_xattr, .init = serve, .fini = unserve);

/* SETXATTR of a value behind a name. */
static ssize_t set(uint64_t node, const char *name, const char *value, uint32_t size,
		   uint32_t flags)
{
	char text[70000];
	size_t length = strlen(name) + 1;

	memcpy(text, name, length);
	memcpy(text + length, value, strlen(value));
	return ask(FUSE_SETXATTR, node, IN(fuse_setxattr_in, .size = size, .flags = flags),
		   ((struct part){ text, length + strlen(value) }));
}

static bool has_attributes(void)
{
	int fd = openat(dir_fd, "probe", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	bool has = fsetxattr(fd, "user.x", "y", 1, 0) == 0;

	close(fd);
	return has;
}

Test(vm_fs_xattr, set_get_list_remove)
{
	uint64_t file = look(FUSE_ROOT_ID, "file");
	char value[10] = "";

	if (!has_attributes())
		cr_skip_test("the file system of /tmp has no user attributes");
	cr_assert_eq(set(file, "user.one", "1", 1, 0), 0);
	cr_assert_eq(set(file, "user.two", "", 0, XATTR_CREATE), 0);
	cr_assert_eq(set(file, "user.two", "2", 1, XATTR_CREATE), -EEXIST);
	cr_assert_eq(set(file, "user.three", "2", 1, XATTR_REPLACE), -ENODATA);
	cr_assert_eq(getxattr(dir_at("root/file"), "user.one", value, 10), 1);
	cr_assert_eq(value[0], '1');
	expect_answer(1, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 10), WORDS("user.one"));
	expect_answer(1, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = UINT32_MAX),
		      WORDS("user.one"));
	expect_answer(sizeof(answer.getxattr), FUSE_GETXATTR, file, IN(fuse_getxattr_in, 0),
		      WORDS("user.one"));
	cr_assert_eq(answer.getxattr.size, 1);
	expect_answer(0, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 1), WORDS("user.two"));
	failed(-ENODATA, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 1), WORDS("user.none"));
	expect_answer(18, FUSE_LISTXATTR, file, IN(fuse_getxattr_in, .size = 100));
	cr_assert(memcmp(answer.bytes, "user.one\0user.two", 18) == 0 ||
		  memcmp(answer.bytes, "user.two\0user.one", 18) == 0);
	failed(-ERANGE, FUSE_LISTXATTR, file, IN(fuse_getxattr_in, .size = 17));
	expect_answer(sizeof(answer.getxattr), FUSE_LISTXATTR, file, IN(fuse_getxattr_in, 0));
	cr_assert_eq(answer.getxattr.size, 18);
	/* What is small comes into a small reply. */
	answer_room = 1;
	expect_answer(1, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 1), WORDS("user.one"));
	failed(-ERANGE, FUSE_GETXATTR, file, IN(fuse_getxattr_in, 0), WORDS("user.one"));
	answer_room = sizeof(answer);
	done(FUSE_REMOVEXATTR, file, WORDS("user.one"));
	failed(-ENODATA, FUSE_REMOVEXATTR, file, WORDS("user.one"));
	cr_assert_eq(set(FUSE_ROOT_ID, "user.dir", "1", 1, 0), 0);
	cr_assert_eq(getxattr(dir_at("root"), "user.dir", value, 10), 1);
}

Test(vm_fs_xattr, names_that_are_not_the_guests)
{
	static const char *const names[] = {
		"trusted.overlay.opaque",
		"security.selinux",
		"security.ima",
		"security.capabilityx",
		"system.posix_acl_access",
		"system.posix_acl_default",
		"usernot",
		"x",
	};
	uint64_t file = look(FUSE_ROOT_ID, "file");

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct part name = { names[i], strlen(names[i]) + 1 };

		cr_expect_eq(set(file, names[i], "1", 1, 0), -EOPNOTSUPP, "%s", names[i]);
		failed(-EOPNOTSUPP, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 10), name);
		failed(-EOPNOTSUPP, FUSE_REMOVEXATTR, file, name);
	}
	failed(-EINVAL, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 10), WORDS("\0"));
}

Test(vm_fs_xattr, only_shown_names_are_listed)
{
	uint64_t file = look(FUSE_ROOT_ID, "file");

	if (setxattr(dir_at("root/file"), "trusted.hidden", "1", 1, 0) < 0 || !has_attributes())
		cr_skip_test("trusted attributes cannot be set here");
	expect_answer(0, FUSE_LISTXATTR, file, IN(fuse_getxattr_in, .size = 100));
	cr_assert_eq(set(file, "user.a", "1", 1, 0), 0);
	expect_answer(7, FUSE_LISTXATTR, file, IN(fuse_getxattr_in, .size = 7));
}

Test(vm_fs_xattr, file_capabilities_if_configured)
{
	/* version 2, effective, net_bind_service */
	static const char value[] = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	struct fs_config c = fs_defaults;
	char text[64];
	struct part both = { text, 20 + 20 };
	uint64_t file = look(FUSE_ROOT_ID, "file");

	memcpy(text, "security.capability", 20);
	memcpy(text + 20, value, 20);
	if (geteuid() != 0)
		cr_skip_test("only root sets capabilities");
	done(FUSE_SETXATTR, file, IN(fuse_setxattr_in, .size = 20), both);
	expect_answer(20, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 20),
		      WORDS("security.capability"));
	/* A write takes them. */
	cr_assert_gt(ask(FUSE_WRITE, file,
			 IN(fuse_write_in, .fh = open_node(file, O_RDWR), .size = 1),
			 ((struct part){ "x", 1 })),
		     0);
	failed(-ENODATA, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 20),
	       WORDS("security.capability"));
	c.file_capabilities = false;
	serve_again(&c);
	file = look(FUSE_ROOT_ID, "file");
	failed(-EPERM, FUSE_SETXATTR, file, IN(fuse_setxattr_in, .size = 20), both);
	failed(-ENODATA, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 20),
	       WORDS("security.capability"));
}

Test(vm_fs_xattr, lengths_of_no_sense)
{
	uint64_t file = look(FUSE_ROOT_ID, "file");
	char name[300] = "user.";

	cr_assert_eq(set(file, "user.x", "1", 2, 0), -EINVAL);
	cr_assert_eq(set(file, "user.x", "12", 1, 0), -EINVAL);
	cr_assert_eq(set(file, "user.x", "12", UINT32_MAX, 0), -E2BIG);
	cr_assert_eq(set(file, "user.x", "12", 65537, 0), -E2BIG);
	cr_assert_eq(set(file, "user.x", "1", 1, 4), -EINVAL);
	failed(-EINVAL, FUSE_SETXATTR, file, IN(fuse_setxattr_in, .size = 0),
	       ((struct part){ "user.x", 6 }));
	memset(name + 5, 'x', 251);
	cr_assert_eq(set(file, name, "1", 1, 0), -ERANGE);
	failed(-EINVAL, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 10),
	       ((struct part){ "user.x", 6 }));
	failed(-EINVAL, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 10), WORDS("user.x\0y"));
	failed(-EINVAL, FUSE_REMOVEXATTR, file, WORDS("user.x\0y"));
}

/* Without SETXATTR_EXT the head is shorter. */
Test(vm_fs_xattr, the_old_form)
{
	uint64_t file;
	struct {
		uint32_t size, flags;
		char text[8];
	} old = { 1, 0, "user.x\0v" };

	if (!has_attributes())
		cr_skip_test("the file system of /tmp has no user attributes");
	cr_assert_gt(ask(FUSE_INIT, 0, IN(fuse_init_in, .major = 7, .minor = 31)), 0);
	file = look(FUSE_ROOT_ID, "file");
	done(FUSE_SETXATTR, file, ((struct part){ &old, sizeof(old) }));
	expect_answer(1, FUSE_GETXATTR, file, IN(fuse_getxattr_in, .size = 9), WORDS("user.x"));
	cr_assert_eq(answer.bytes[0], 'v');
}
