#include <criterion/criterion.h>
#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "security/keyring.h"
#include "security/privileges.h"

/* The exit status of a child that runs `act`. */
static int in_child(int (*act)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(act());
	cr_assert_gt(pid, 0);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int hide(void)
{
	return privileges_hide(NULL) == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 1;
}

static int no_new(void)
{
	return privileges_no_new(NULL) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1;
}

Test(privileges, are_given_up)
{
	cr_expect_eq(in_child(hide), 0);
	cr_expect_eq(in_child(no_new), 0);
}

static long session_keyring(char *text, size_t size)
{
	memset(text, 0, size);
	return syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, size);
}

static int join_both(void)
{
	unsigned before = 0, after = 0, again = 0;
	char text[256];

	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "_ses.hull-test") < 0)
		return 77; /* no keyrings here */
	session_keyring(text, sizeof(text));
	if (sscanf(text, "keyring;%*d;%*d;%8x;_ses.hull-test", &before) != 1)
		return 1;
	if (keyring_join("hull-test", KEYRING_OWN, NULL) < 0)
		return 2;
	session_keyring(text, sizeof(text));
	if (sscanf(text, "keyring;%*d;%*d;%8x;_ses.hull-test", &after) != 1 ||
	    after != (before | KEYRING_OWN))
		return 3;
	if (keyring_join("hull-test", KEYRING_JOINED, NULL) < 0)
		return 4;
	session_keyring(text, sizeof(text));
	if (sscanf(text, "keyring;%*d;%*d;%8x;_ses.hull-test", &again) != 1 || again != after)
		return 5;
	return 0;
}

/* An id may be longer than what there is to say of an ordinary keyring. */
static int join_long_name(void)
{
	char id[1025];

	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	return keyring_join(id, KEYRING_OWN, NULL) < 0 ? 1 : 0;
}

Test(keyring, is_named_after_the_container)
{
	int r = in_child(join_both);

	if (r == 77)
		cr_skip_test("the kernel has no keyrings, or we may not use them");
	cr_expect_eq(r, 0, "step %d", r);
	cr_expect_eq(in_child(join_long_name), 0);
}

Test(keyring, kernel_without_them_is_fine)
{
	char text[8];

	if (session_keyring(text, sizeof(text)) >= 0 || errno != ENOSYS)
		cr_skip_test("this kernel has keyrings");
	cr_expect_eq(in_child(join_long_name), 0);
}
