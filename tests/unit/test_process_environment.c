#include <criterion/criterion.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "process/environment.h"
#include "test_child.h"

static struct strings strings_of(const char **list)
{
	struct strings s = { .at = list };

	while (list && list[s.n])
		s.n++;
	return s;
}

Test(environment, each_name_is_there_once)
{
	static const struct {
		const char *first[5], *more[4];
		const char *want; /* in alphabetical order, for the order is no promise */
	} rows[] = {
		{ { NULL }, { NULL }, "" },
		{ { "A=1", "B=2" }, { NULL }, "A=1 B=2 " },
		{ { "A=1", "B=2", "A=3" }, { NULL }, "A=3 B=2 " },
		{ { "A=1" }, { "A=2", "B=" }, "A=2 B= " },
		{ { "A=1", "AB=2", "A=B=3" }, { NULL }, "A=B=3 AB=2 " },
		{ { "PATH=/a" }, { "PATH=/b", "PATH=/c" }, "PATH=/c " },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const struct strings first = strings_of((const char **)rows[i].first);
		const struct strings more = strings_of((const char **)rows[i].more);
		struct strings env = environment_make(&first, &more, &a);
		char text[128] = "";

		for (int name = 'A'; name <= 'P'; name++)
			for (size_t k = 0; k < env.n; k++)
				if (env.at[k][0] == name && strlen(text) < sizeof(text) - 32)
					sprintf(text + strlen(text), "%s ", env.at[k]);
		cr_expect_str_eq(text, rows[i].want, "row %zu", i);
		cr_expect_null(env.at[env.n], "row %zu does not end", i);
	}
}

Test(environment, values_are_found)
{
	const char *list[] = { "PATH=/bin", "EMPTY=", "PATHS=/x", "ODD=a=b", NULL };
	const struct strings env = strings_of(list);

	cr_expect_str_eq(environment_get(&env, "PATH"), "/bin");
	cr_expect_str_eq(environment_get(&env, "EMPTY"), "");
	cr_expect_str_eq(environment_get(&env, "ODD"), "a=b");
	cr_expect_null(environment_get(&env, "PAT"));
	cr_expect_null(environment_get(&env, "HOME"));
}

struct passwd_row {
	const char *text; /* of /etc/passwd; NULL: there is none */
	uint32_t uid;
	const char *home;
};

static void passwd_is(const struct passwd_row *row)
{
	int fd;

	unlink("/etc/passwd");
	if (!row->text)
		return;
	fd = open("/etc/passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	CHILD_ASSERT(write(fd, row->text, strlen(row->text)) == (ssize_t)strlen(row->text),
		     "errno %d", errno);
	close(fd);
}

static void finds_homes(void *arg)
{
	static const struct passwd_row rows[] = {
		{ NULL, 0, "/" },
		{ "", 0, "/" },
		{ "root:x:0:0:root:/root:/bin/sh\n", 0, "/root" },
		{ "root:x:0:0:root:/root:/bin/sh\n", 1000, "/" },
		{ "a:x:1000:1000::/home/a:\nb:x:1000:1000::/home/b:\n", 1000, "/home/a" },
		{ "a:x:1000:1000::/home/a", 1000, "/home/a" },
		{ "a:x:1000:1000:::/bin/sh\n", 1000, "/" },
		{ "a:x:1000:1000::relative:/bin/sh\n", 1000, "/" },
		{ "a:x:10000:1000::/home/a:\n", 1000, "/" },
		{ "a:x:1000\nb:x:1000:1:x:/home/b:\n", 1000, "/home/b" },
		{ "#comment\nthe x:x:1000:1:x:/home/b:\n", 1000, "/home/b" },
		{ "root:x:0:0::/root:\n\nb:x:1000:1:x:/home/b:\n", 1000, "/home/b" },
		{ "a:x:4294967294:1:x:/home/a:\n", 4294967294U, "/home/a" },
	};

	(void)arg;
	private_mounts();
	CHILD_ASSERT(mount("tmpfs", "/etc", "tmpfs", 0, NULL) == 0, "errno %d", errno);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };

		passwd_is(&rows[i]);
		CHILD_STR_EQ(environment_home(rows[i].uid, &a), rows[i].home);
	}
}

/* CVE-2024-9676 and its kin: a file that only pretends to be /etc/passwd must not hang or fill us. */
static void survives_hostile_files(void *arg)
{
	auto_arena struct arena a = { 0 };

	(void)arg;
	private_mounts();
	CHILD_ASSERT(mount("tmpfs", "/etc", "tmpfs", 0, NULL) == 0, "errno %d", errno);
	CHILD_ASSERT(mkfifo("/etc/passwd", 0666) == 0, "errno %d", errno);
	CHILD_STR_EQ(environment_home(0, &a), "/");
	unlink("/etc/passwd");
	CHILD_ASSERT(symlink("/dev/zero", "/etc/passwd") == 0, "errno %d", errno);
	CHILD_STR_EQ(environment_home(0, &a), "/");
	unlink("/etc/passwd");
	CHILD_ASSERT(truncate("/etc/passwd", 0) < 0 && mkdir("/etc/passwd", 0755) == 0, "errno %d",
		     errno);
	CHILD_STR_EQ(environment_home(0, &a), "/");
	rmdir("/etc/passwd");
	CHILD_ASSERT(close(open("/etc/passwd", O_CREAT | O_WRONLY | O_CLOEXEC, 0644)) == 0 &&
			     truncate("/etc/passwd", 1L << 30) == 0,
		     "errno %d", errno);
	CHILD_STR_EQ(environment_home(0, &a), "/");
}

Test(environment, home_is_that_of_passwd)
{
	need_root();
	expect_child(finds_homes, NULL);
	expect_child(survives_hostile_files, NULL);
}
