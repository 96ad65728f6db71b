/* What an agent gets, and how a descriptor comes to it from a process that can only write(2). */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/io.h"
#include "runtime/listener.h"

static struct spec_pair annotation = { "k", "v" };
static const struct state state = { .id = "c1",
				    .oci_version = "1.2.0",
				    .bundle = "/b",
				    .pid = 42,
				    .annotations = { &annotation, 1 },
				    .status = STATE_RUNNING };

#define STATE_TEXT                                                                   \
	"{\"ociVersion\":\"1.2.0\",\"id\":\"c1\",\"status\":\"running\",\"pid\":42," \
	"\"bundle\":\"/b\",\"annotations\":{\"k\":\"v\"}}"

Test(listener, the_process_state_is_the_specification_s)
{
	static const struct {
		const char *metadata, *text;
	} rows[] = {
		{ NULL, "{\"ociVersion\":\"" SPEC_VERSION
			"\",\"fds\":[\"seccompFd\"],\"pid\":77,\"state\":" STATE_TEXT "}" },
		{ "a\"b", "{\"ociVersion\":\"" SPEC_VERSION
			  "\",\"fds\":[\"seccompFd\"],\"pid\":77,\"metadata\":\"a\\\"b\","
			  "\"state\":" STATE_TEXT "}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct spec_seccomp s = { .listener_metadata = rows[i].metadata };
		auto_buf struct buf text = { 0 };

		listener_encode(&s, &state, 77, &text);
		cr_expect_str_eq(text.text, rows[i].text);
	}
}

static char path[] = "/tmp/test_listener.XXXXXX/s";
static char *const slash = path + sizeof(path) - 3;
static int agent = -1, pair[2];

static void set_up(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*slash = '\0';
	cr_assert(mkdtemp(path));
	*slash = '/';
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(agent, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(agent, 1), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void tear_down(void)
{
	*slash = '\0';
	cr_expect_eq(io_remove_tree(AT_FDCWD, path), 0);
}

/* A process that offers `fd`; it exits with 0 once it may go on, else with 3. */
static pid_t offer(int fd)
{
	pid_t pid = fork();
	struct err e = { 0 };

	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	close(pair[0]);
	_exit(listener_offer(pair[1], fd, &e) == 0 ? 0 : 3);
}

static int status_of(pid_t pid)
{
	int status = -1;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(listener, the_agent_gets_the_state_and_the_descriptor, .init = set_up, .fini = tear_down)
{
	const struct spec_seccomp s = { .listener_path = path, .listener_metadata = "m" };
	auto_fd int sent = open("/dev/null", O_RDONLY | O_CLOEXEC), pidfd = -1, conn = -1;
	struct stat was, is;
	struct err e = { 0 };
	char text[512] = "", more;
	int got[2] = { -1, -1 };
	pid_t pid = offer(sent);

	close(pair[1]);
	pidfd = pidfd_open(pid, 0);
	cr_assert_eq(listener_check(&s, &e), 0, "%s", e.msg);
	cr_assert_eq(listener_pass_on(pair[0], &s, &state, pid, pidfd, &e), 0, "%s", e.msg);
	cr_expect_eq(status_of(pid), 0);
	conn = accept(agent, NULL, NULL);
	cr_assert_gt(io_recv_fds(conn, text, sizeof(text) - 1, got, 2), 0);
	cr_expect(strstr(text, "\"metadata\":\"m\""), "%s", text);
	cr_expect(strstr(text, STATE_TEXT "}"), "%s", text);
	cr_assert_eq(fstat(sent, &was) | fstat(got[0], &is), 0);
	cr_expect(was.st_rdev == is.st_rdev && was.st_ino == is.st_ino);
	cr_expect_eq(got[1], -1, "one descriptor and no more");
	cr_expect_eq(read(conn, &more, 1), 0, "one state, and the connection is closed");
	close(got[0]);
}

Test(listener, nobody_listens, .init = set_up, .fini = tear_down)
{
	const struct spec_seccomp s = { .listener_path = path };
	auto_fd int pidfd = -1;
	struct err e = { 0 };
	char want[128];
	pid_t pid;

	close(agent);
	pid = offer(2);
	close(pair[1]);
	pidfd = pidfd_open(pid, 0);
	cr_expect_eq(listener_pass_on(pair[0], &s, &state, pid, pidfd, &e), -ECONNREFUSED);
	snprintf(want, sizeof(want),
		 "linux.seccomp.listenerPath: connect to seccomp listener %s: connection refused",
		 path);
	cr_expect_str_eq(e.msg, want);
	close(pair[0]);
	cr_expect_eq(status_of(pid), 3, "the process must not go on without its agent");
}

Test(listener, the_path_is_no_socket)
{
	const struct spec_seccomp s = { .listener_path = "/etc/passwd" };
	struct err e = { 0 };

	cr_expect_eq(listener_check(&s, &e), -ENOTSOCK);
	cr_expect_str_eq(e.msg, "linux.seccomp.listenerPath: seccomp listener /etc/passwd is not a "
				"socket");
}
