#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "security/seal.h"

extern char **environ;

static char *const arguments[] = { (char *)"/nowhere/hull", (char *)"--list", NULL };

enum { ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

/* What the copy finds out about itself, as an exit status; 0: all is well. */
static int examine(void)
{
	char comm[32] = "", link[64] = "";
	int fd;

	if (seal_self(arguments, environ, NULL) < 0)
		return 2;
	if (readlink("/proc/self/exe", link, sizeof(link) - 1) < 0 ||
	    strcmp(link, "/memfd:hull (deleted)") != 0)
		return 3;
	if (io_read_value(AT_FDCWD, "/proc/self/comm", comm, sizeof(comm)) < 0 ||
	    strcmp(comm, "hull") != 0)
		return 4;
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (fcntl(fd, F_GET_SEALS) & ALL_SEALS) != ALL_SEALS)
		return 5;
	/* Opening is refused while it runs; once it does not, writing is. */
	if (open("/proc/self/exe", O_WRONLY | O_CLOEXEC) >= 0 || errno != ETXTBSY)
		return 6;
	if (fd != 3)
		return 7; /* a descriptor came along */
	return 0;
}

/* Criterion has the program's main(): the copy is told from it by its environment. */
__attribute__((constructor)) static void start_as_copy(void)
{
	if (getenv("HULL_TEST_SEALED"))
		_exit(examine());
}

/* The exit status of a child that runs `start`; descriptors from 3 on are closed in it. */
static int in_child(int (*start)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		close_range(3, ~0U, 0);
		_exit(start());
	}
	cr_assert_gt(pid, 0);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int start_over(void)
{
	setenv("HULL_TEST_SEALED", "1", 1);
	return seal_self(arguments, environ, NULL) < 0 ? 100 : 101;
}

Test(seal, runs_from_a_sealed_copy)
{
	cr_expect_eq(in_child(start_over), 0, "step %d", in_child(start_over));
}

/* A copy of this name that is not sealed must not be copied again and again. */
static int start_unsealed(void)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = memfd_create("hull", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char bytes[65536];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)n) != n)
			return 100;
	setenv("HULL_TEST_SEALED", "1", 1);
	fexecve(to, arguments, environ);
	return 101;
}

Test(seal, does_not_loop)
{
	cr_expect_eq(in_child(start_unsealed), 2);
}
