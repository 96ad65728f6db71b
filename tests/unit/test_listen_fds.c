#include <sys/mman.h>
#include <sys/stat.h>

#include "process/listen_fds.h"
#include "test_child.h"

/* Descriptors 3 and 4 are open, and 5 is not. */
static void counts(void *arg UNUSED)
{
	static const struct {
		const char *fds, *pid; /* "self": our own */
		unsigned n;
	} rows[] = {
		{ "1", "self", 1 },   { "2", "self", 2 },    { "0", "self", 0 },
		{ "3", "self", 0 },   { NULL, "self", 0 },   { "2", NULL, 0 },
		{ "2", "1", 0 },      { "2", "", 0 },        { "", "self", 0 },
		{ "-1", "self", 0 },  { "+1", "self", 0 },   { " 1", "self", 0 },
		{ "1x", "self", 0 },  { "4097", "self", 0 }, { "4294967297", "self", 0 },
		{ "0x1", "self", 0 }, { "01", "self", 1 },   { "2", "4294967296", 0 },
	};
	char self[16];

	dup2(0, 3);
	dup2(0, 4);
	close_range(5, ~0U, 0);
	snprintf(self, sizeof(self), "%d", getpid());
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned n;

		clearenv();
		if (rows[i].fds)
			setenv("LISTEN_FDS", rows[i].fds, 1);
		if (rows[i].pid)
			setenv("LISTEN_PID", strcmp(rows[i].pid, "self") ? rows[i].pid : self, 1);
		n = listen_fds_count(getpid());
		/* The report's descriptor is closed too: the row is the exit status. */
		if (n != rows[i].n)
			_exit((int)i + 1);
	}
}

Test(listen_fds, are_counted)
{
	int status = run_child(counts, NULL);

	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 0, "row %d", WEXITSTATUS(status) - 1);
}

Test(listen_fds, are_told_to_the_program)
{
	auto_arena struct arena a = { 0 };
	const char *env[LISTEN_FDS_ENV_MAX];

	clearenv();
	cr_assert_eq(listen_fds_env(0, NULL, 1, &a, env), 0);
	cr_assert_eq(listen_fds_env(2, NULL, 1, &a, env), 2);
	cr_assert_str_eq(env[0], "LISTEN_FDS=2");
	cr_assert_str_eq(env[1], "LISTEN_PID=1");
	setenv("LISTEN_FDNAMES", "a:b", 1);
	cr_assert_eq(listen_fds_env(2, NULL, 77, &a, env), 3);
	cr_assert_str_eq(env[1], "LISTEN_PID=77");
	cr_assert_str_eq(env[2], "LISTEN_FDNAMES=a:b");
	cr_assert_eq(listen_fds_env(2, "c:d", 1, &a, env), 3);
	cr_assert_str_eq(env[2], "LISTEN_FDNAMES=c:d");
	cr_assert_eq(listen_fds_env(0, NULL, 1, &a, env), 0);
}

static ino_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : st.st_ino;
}

/* Each is in another's place, and one of ours in their way. */
static void places(void *arg UNUSED)
{
	int fds[3] = { 5, 3, 20 }, ours = 4;
	ino_t inodes[3], root;

	close_range(3, ~0U, 0);
	if (open("/", O_PATH) != 3 || dup2(3, ours) != ours)
		_exit(1);
	root = inode_of(ours);
	for (int i = 0; i < 3; i++) {
		int fd = memfd_create("socket", 0);

		if (dup2(fd, fds[i]) != fds[i])
			_exit(2);
		if (fd != fds[i])
			close(fd);
		inodes[i] = inode_of(fds[i]);
	}
	if (listen_fds_above(3, &ours, NULL) < 0 || ours < 6)
		_exit(3);
	if (listen_fds_place(fds, 3, NULL) < 0)
		_exit(4);
	for (int i = 0; i < 3; i++)
		if (inode_of(3 + i) != inodes[i])
			_exit(10 + i);
	if (inode_of(ours) != root)
		_exit(5);
	_exit(0);
}

Test(listen_fds, are_placed)
{
	int status = run_child(places, NULL);

	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 0, "exit status %d", WEXITSTATUS(status));
}
