/* The handshake and the gate, without a container: two ends in one or two processes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/io.h"
#include "runtime/gate.h"
#include "runtime/handshake.h"

static char dir_path[] = "/tmp/test_gate.XXXXXX";
static int dir = -1, pair[2];

static void set_up(void)
{
	cr_assert(mkdtemp(dir_path));
	dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(dir, 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void tear_down(void)
{
	close(dir);
	cr_expect_eq(io_remove_tree(AT_FDCWD, dir_path), 0);
}

Test(handshake, carries_values_and_descriptors, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 };
	int32_t value = 0;
	auto_fd int fd = -1;

	cr_assert_eq(handshake_send(pair[0], SAY_CONSOLE, 7, dir, &e), 0, "%s", e.msg);
	cr_assert_eq(handshake_expect(pair[1], SAY_CONSOLE, &value, &fd, &e), 0, "%s", e.msg);
	cr_expect_eq(value, 7);
	cr_expect_geq(fd, 0);
	cr_expect_neq(fd, dir);
}

Test(handshake, the_other_side_s_error_is_ours, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 }, why = { 0 };

	err_set(&why, EACCES, "chdir to /x: permission denied");
	handshake_fail(pair[0], &why);
	cr_expect_eq(handshake_expect(pair[1], SAY_CREATED, NULL, NULL, &e), -EACCES);
	cr_expect_str_eq(e.msg, "chdir to /x: permission denied");
}

Test(handshake, a_death_is_an_error, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 };

	close(pair[0]);
	cr_expect_eq(handshake_expect(pair[1], SAY_CREATED, NULL, NULL, &e), -EPIPE);
	cr_expect_eq(handshake_expect_end(pair[1], &e), 0, "and success where the end is expected");
}

/* Then the kernel gives ECONNRESET first. */
Test(handshake, who_dies_without_having_listened_has_failed, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 };

	cr_assert_eq(handshake_send(pair[1], SAY_GO, 0, -1, &e), 0);
	close(pair[0]);
	cr_expect_eq(handshake_expect_end(pair[1], &e), -EPIPE);
	cr_expect_str_eq(e.msg, "the other side of the handshake died unexpectedly");
}

Test(handshake, a_last_word_is_heard_before_the_death, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 }, why = { 0 };

	err_set(&why, EACCES, "chdir to /x: permission denied");
	cr_assert_eq(handshake_send(pair[1], SAY_GO, 0, -1, &e), 0);
	handshake_fail(pair[0], &why);
	close(pair[0]);
	cr_expect_eq(handshake_expect_end(pair[1], &e), -EACCES);
	cr_expect_str_eq(e.msg, why.msg);
}

Test(handshake, a_last_word_is_why_nothing_can_be_sent, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 }, why = { 0 };

	err_set(&why, EACCES, "chdir to /x: permission denied");
	handshake_fail(pair[0], &why);
	close(pair[0]);
	cr_expect_eq(handshake_send(pair[1], SAY_GO, 0, -1, &e), -EACCES);
	cr_expect_str_eq(e.msg, why.msg);
	cr_expect_eq(handshake_send(pair[1], SAY_GO, 0, -1, &e), -EPIPE, "there is but one");
	cr_expect_str_eq(e.msg, "handshake: send message 1: broken pipe");
}

Test(handshake, an_unexpected_message_is_an_error, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 };

	cr_assert_eq(handshake_send(pair[0], SAY_GO, 0, -1, &e), 0);
	cr_expect_eq(handshake_expect(pair[1], SAY_CREATED, NULL, NULL, &e), -EPROTO);
	cr_assert_eq(handshake_send(pair[0], SAY_GO, 0, -1, &e), 0);
	cr_expect_eq(handshake_expect_end(pair[1], &e), -EPROTO);
	cr_assert_eq(send(pair[0], "x", 1, 0), 1);
	cr_expect_eq(handshake_expect(pair[1], SAY_CREATED, NULL, NULL, &e), -EPROTO);
}

/* A child that plays init: waits at the gate, then exits, or answers with a failure. */
static pid_t init_at(int gate, bool fails)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct err e = { 0 };
		int conn;

		close(pair[0]);
		conn = gate_wait(gate, pair[1], &e);
		if (conn < 0)
			_exit(3);
		if (fails) {
			err_set(&e, ENOEXEC, "exec: no");
			handshake_fail(conn, &e);
		}
		_exit(0);
	}
	close(pair[1]);
	return pid;
}

static int status_of(pid_t pid)
{
	int status = -1;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(gate, lets_go_and_brings_the_answer, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 };
	int gate = gate_make(dir, &e);
	auto_fd int conn = -1;
	pid_t pid;

	cr_assert_geq(gate, 0, "%s", e.msg);
	cr_expect_eq(gate_exists(dir, &e), 1);
	pid = init_at(gate, false);
	close(gate);
	cr_assert_eq(handshake_send(pair[0], SAY_RECORDED, 0, -1, &e), 0);
	close(pair[0]);
	conn = gate_open(dir, &e);
	cr_assert_geq(conn, 0, "%s", e.msg);
	cr_expect_eq(handshake_expect_end(conn, &e), 0, "%s", e.msg);
	cr_expect_eq(status_of(pid), 0);
	cr_expect_eq(gate_remove(dir, &e), 0);
	cr_expect_eq(gate_exists(dir, &e), 0);
}

Test(gate, a_failure_to_execute_is_start_s_error, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 };
	int gate = gate_make(dir, &e);
	pid_t pid = init_at(gate, true);
	auto_fd int conn = -1;

	close(gate);
	cr_assert_eq(handshake_send(pair[0], SAY_RECORDED, 0, -1, &e), 0);
	conn = gate_open(dir, &e);
	cr_assert_geq(conn, 0, "%s", e.msg);
	cr_expect_eq(handshake_expect_end(conn, &e), -ENOEXEC);
	cr_expect_str_eq(e.msg, "exec: no");
	cr_expect_eq(status_of(pid), 0);
}

/* create was killed before it wrote down that the container exists: init must not stay. */
Test(gate, init_goes_with_a_create_that_dies, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 };
	int gate = gate_make(dir, &e);
	pid_t pid = init_at(gate, false);

	close(pair[0]);
	cr_expect_eq(status_of(pid), 3);
	close(gate);
}
