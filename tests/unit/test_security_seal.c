#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "security/seal.h"
#include "security/seal_place.h"

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
	return seal_by_copy(arguments, environ, NULL) < 0 ? 100 : 101;
}

/* Either way: in place, where this process may do that, or by starting over. */
static int seal_either_way(void)
{
	setenv("HULL_TEST_SEALED", "1", 1);
	return seal_self(arguments, environ, NULL) < 0 ? 100 : examine();
}

/* How many mappings are both writable and executable. */
static int writable_code(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	int n = 0;

	while (maps && fgets(line, sizeof(line), maps))
		n += strstr(line, " rwx") != NULL;
	fclose(maps);
	return n;
}

/* Data is still what it was, can be written where it could, and nowhere else. */
static const char *volatile variable = "before";
static const char *const constants[] = { "constant" };

static int keep_data(void)
{
	struct err e = { 0 };
	int exe = memfd_create("hull", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const char *text = "after";

	variable = text;
	if (seal_in_place(exe, &e) < 0)
		return e.code == EPERM || e.code == EINVAL || e.code == ENOSYS ? 77 : 1;
	if (variable != text || strcmp(constants[0], "constant") != 0)
		return 2;
	variable = "again";
	return writable_code() == 0 ? 0 : 3;
}

Test(seal, runs_from_a_sealed_copy)
{
	cr_expect_eq(in_child(start_over), 0, "step %d", in_child(start_over));
}

Test(seal, seals_either_way)
{
	cr_expect_eq(in_child(seal_either_way), 0, "step %d", in_child(seal_either_way));
}

Test(seal, in_place_keeps_what_the_program_knows)
{
	int status = in_child(keep_data);

	if (status == 77)
		cr_skip_test("this process may not replace /proc/self/exe");
	cr_expect_eq(status, 0, "step %d", status);
}

/* The constants that the dynamic linker has relocated are not left writable. */
static int write_constant(void)
{
	struct err e = { 0 };
	int exe = memfd_create("hull", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (seal_in_place(exe, &e) < 0)
		return 77;
	signal(SIGSEGV, SIG_DFL); /* the sanitizer's handler would end it otherwise */
	*(const char *volatile *)(uintptr_t)constants = "changed";
	return 0;
}

Test(seal, in_place_keeps_constants_constant)
{
	int status = in_child(write_constant);

	if (status == 77)
		cr_skip_test("this process may not replace /proc/self/exe");
	cr_expect_eq(status, 1000 + SIGSEGV, "status %d", status);
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
