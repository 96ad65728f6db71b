#include <sys/socket.h>
#include <sys/un.h>

#include "base/io.h"
#include "process/notify.h"
#include "test_child.h"
#include "test_dir.h"

TestSuite(notify, .init = dir_make, .fini = dir_remove);

/* The service manager's socket, and its address as NOTIFY_SOCKET. */
static int manager(char *ret_host, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ret_host, size, "%s/manager", dir_path);
	strcpy(address.sun_path, ret_host);
	cr_assert_eq(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	return sock;
}

/* As sd_notify(3) of a program does. */
static int say(const char *message)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify/notify.sock", dir_path);
	r = sendto(sock, message, strlen(message), 0, (struct sockaddr *)&address,
		   sizeof(address)) < 0
		    ? -errno
		    : 0;
	close(sock);
	return r;
}

static void expect_heard(int sock, const char *expected, int *ret_fd)
{
	char got[256] = "";

	cr_assert_geq(io_recv_fds(sock, got, sizeof(got) - 1, ret_fd, ret_fd ? 1 : 0), 0);
	cr_assert_str_eq(got, expected);
}

static void expect_silence(int sock)
{
	char byte;

	cr_assert_eq(recv(sock, &byte, 1, MSG_DONTWAIT), -1);
}

static struct notify open_notify(const char *host)
{
	struct notify n = NOTIFY_NONE;
	struct err e = { 0 };

	cr_assert_eq(notify_make_directory(dir_fd, &e), 0, "%s", e.msg);
	cr_assert_eq(notify_make_directory(dir_fd, &e), 0, "%s", e.msg);
	cr_assert_eq(notify_open(dir_fd, host, &n, &e), 0, "%s", e.msg);
	return n;
}

Test(notify, passes_on_that_the_program_is_ready)
{
	static const struct {
		const char *message;
		int ready;
	} rows[] = {
		{ "STATUS=starting", 0 },
		{ "MAINPID=1\nFDSTORE=1", 0 },
		{ "READY=0", 0 },
		{ "READY=11", 0 },
		{ "READY=1 ", 0 },
		{ "NOTREADY=1", 0 },
		{ "\n\n", 0 },
		{ "", 0 },
		{ "READY=1", 1 },
		{ "READY=1\n", 1 },
		{ "STATUS=up\nREADY=1\nMAINPID=1", 1 },
	};
	char host[100];
	int sock = manager(host, sizeof(host));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_notify struct notify n = open_notify(host);
		struct err e = { 0 };

		cr_assert_eq(notify_take(&n, 4242, &e), 0, "%s", e.msg);
		cr_assert_eq(say(rows[i].message), 0);
		cr_assert_eq(notify_take(&n, 4242, &e), rows[i].ready, "%s", rows[i].message);
		if (rows[i].ready) {
			expect_heard(sock, "READY=1\n", NULL);
			expect_heard(sock, "MAINPID=4242\n", NULL);
			cr_assert_eq(n.sock, -1);
			cr_assert_eq(say("STOPPING=1"), -ECONNREFUSED);
		}
		expect_silence(sock);
	}
}

/* A program can send descriptors too; they must not pile up here. */
Test(notify, drops_descriptors)
{
	char host[100];
	int next, sock = manager(host, sizeof(host));
	auto_notify struct notify n = open_notify(host);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int program = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct err e = { 0 };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify/notify.sock", dir_path);
	cr_assert_eq(connect(program, (struct sockaddr *)&address, sizeof(address)), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(io_send_fds(program, "FDSTORE=1", 9, (int[]){ sock, sock }, 2), 0);
	next = dup(0);
	close(next);
	cr_assert_eq(notify_take(&n, 1, &e), 0, "%s", e.msg);
	cr_assert_eq(dup(0), next);
}

Test(notify, is_open_to_everybody)
{
	char host[100];
	struct stat st;

	umask(077);
	manager(host, sizeof(host));
	{
		auto_notify struct notify n = open_notify(host);

		cr_assert_eq(fstatat(dir_fd, "notify", &st, 0), 0);
		cr_assert_eq(st.st_mode, S_IFDIR | 0755);
		cr_assert_eq(fstatat(dir_fd, "notify/notify.sock", &st, 0), 0);
		cr_assert_eq(st.st_mode, S_IFSOCK | 0777);
	}
	cr_assert_eq(umask(077), 077);
}

static void program(void *arg)
{
	const char *const *messages = arg;

	for (; *messages; messages++)
		CHILD_ASSERT(say(*messages) == 0, "errno %d", errno);
	pause();
}

static void relays(void *arg)
{
	struct notify *n = arg;
	struct err e = { 0 };

	CHILD_ASSERT(notify_relay(n, 4242, -1, &e) == 0, "%s", e.msg);
}

/* It returns when the service manager knows, and not earlier. */
Test(notify, waits_for_the_service_manager)
{
	char host[100];
	int fd = -1, report, status, sock = manager(host, sizeof(host));
	struct notify n = open_notify(host);
	pid_t pid = child_start(relays, &n, &report);

	notify_close(&n);
	cr_assert_eq(say("STATUS=x"), 0);
	cr_assert_eq(say("READY=1"), 0);
	expect_heard(sock, "READY=1\n", NULL);
	expect_heard(sock, "MAINPID=4242\n", NULL);
	expect_heard(sock, "BARRIER=1", &fd);
	cr_assert_geq(fd, 0);
	poll(NULL, 0, 100);
	cr_assert_eq(waitpid(pid, &status, WNOHANG), 0);
	close(fd);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}

static void relays_until_the_end(void *arg)
{
	static const char *const messages[] = { "STATUS=never ready", NULL };
	struct notify *n = arg;
	struct err e = { 0 };
	int report, pidfd;
	pid_t pid = child_start(program, (void *)messages, &report);

	pidfd = pidfd_open(pid, 0);
	poll(NULL, 0, 100);
	kill(pid, SIGKILL);
	CHILD_ASSERT(notify_relay(n, pid, pidfd, &e) == 0, "%s", e.msg);
}

Test(notify, does_not_outwait_the_program)
{
	char host[100];
	int sock = manager(host, sizeof(host));
	auto_notify struct notify n = open_notify(host);

	expect_child(relays_until_the_end, &n);
	expect_silence(sock);
}

Test(notify, has_nothing_to_relay_when_closed)
{
	struct notify n = NOTIFY_NONE;
	struct err e = { 0 };

	cr_assert_eq(notify_relay(&n, 1, -1, &e), 0);
	notify_close(&n);
}

Test(notify, knows_abstract_sockets)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char host[64];
	struct err e = { 0 };
	int len = snprintf(host, sizeof(host), "@hull-unit-%d", getpid());

	memcpy(address.sun_path + 1, host + 1, (size_t)len - 1);
	cr_assert_eq(bind(sock, (struct sockaddr *)&address,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)),
		     0);
	{
		auto_notify struct notify n = open_notify(host);

		cr_assert_eq(say("READY=1"), 0);
		cr_assert_eq(notify_take(&n, 1, &e), 1, "%s", e.msg);
	}
	expect_heard(sock, "READY=1\n", NULL);
}

Test(notify, says_what_is_wrong)
{
	static const struct {
		const char *host, *message;
		int code;
	} rows[] = {
		{ "vsock:2:1", "NOTIFY_SOCKET: \"vsock:2:1\" is not a local socket", EINVAL },
		{ "relative", "NOTIFY_SOCKET: \"relative\" is not a local socket", EINVAL },
		{ "", "NOTIFY_SOCKET: \"\" is not a local socket", EINVAL },
		{ "@", "NOTIFY_SOCKET: \"@\" is not a local socket", EINVAL },
		{ "/run/x", "open the container's directory notify: no such file or directory",
		  ENOENT },
	};
	struct notify n = NOTIFY_NONE;
	struct err e = { 0 };
	char too_long[109] = "/";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(notify_open(dir_fd, rows[i].host, &n, &e), -rows[i].code);
		cr_assert_str_eq(e.msg, rows[i].message);
		cr_assert_eq(n.sock, -1);
	}
	memset(too_long + 1, 'x', sizeof(too_long) - 2);
	cr_assert_eq(notify_open(dir_fd, too_long, &n, &e), -ENAMETOOLONG);
	/* The container's side of it: a link would lead elsewhere. */
	cr_assert_eq(symlinkat("/tmp", dir_fd, "notify"), 0);
	cr_assert_eq(notify_open(dir_fd, "/run/x", &n, &e), -ELOOP);
}

Test(notify, tells_of_a_manager_that_is_gone)
{
	char path[100];
	struct err e = { 0 };

	snprintf(path, sizeof(path), "%s/gone", dir_path);
	{
		auto_notify struct notify n = open_notify(path);

		cr_assert_eq(say("READY=1"), 0);
		cr_assert_eq(notify_take(&n, 1, &e), -ENOENT);
		cr_assert_str_eq(e.msg, "NOTIFY_SOCKET: connect to the service manager:"
					" no such file or directory");
	}
}
