#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <termios.h>

#include "base/io.h"
#include "process/console.h"
#include "process/console_socket.h"
#include "test_child.h"
#include "test_dir.h"

TestSuite(console_socket, .init = dir_make, .fini = dir_remove);

/* What stands at the container's /dev/pts, made in an empty root, the current directory. */
struct row {
	void (*make)(void);
	const char *message; /* NULL: a console */
};

static void make_dev(void)
{
	CHILD_ASSERT(mkdir("dev", 0755) == 0, "errno %d", errno);
	CHILD_ASSERT(mkdir("dev/pts", 0755) == 0, "errno %d", errno);
}

static void mount_devpts(const char *where, const char *options)
{
	CHILD_ASSERT(mount("devpts", where, "devpts", 0, options) == 0, "errno %d", errno);
}

static void make_devpts(void)
{
	make_dev();
	mount_devpts("dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5");
}

static void make_strict_devpts(void)
{
	make_dev();
	mount_devpts("dev/pts", "newinstance");
}

static void make_directory(void)
{
	make_dev();
	CHILD_ASSERT(mknod("dev/pts/ptmx", S_IFCHR | 0666, makedev(5, 2)) == 0, "errno %d", errno);
}

static void make_file(void)
{
	CHILD_ASSERT(mkdir("dev", 0755) == 0, "errno %d", errno);
	CHILD_ASSERT(mknod("dev/pts", S_IFREG | 0644, 0) == 0, "errno %d", errno);
}

static void make_nothing(void)
{
}

static void make_link_to_devpts(void)
{
	make_dev();
	CHILD_ASSERT(mkdir("elsewhere", 0755) == 0, "errno %d", errno);
	mount_devpts("elsewhere", "newinstance,ptmxmode=0666");
	CHILD_ASSERT(rmdir("dev/pts") == 0, "errno %d", errno);
	CHILD_ASSERT(symlink("../elsewhere", "dev/pts") == 0, "errno %d", errno);
}

static void make_link_of_dev(void)
{
	CHILD_ASSERT(symlink("/dev", "dev") == 0, "errno %d", errno);
}

/* The terminals of the host, under the container's name. */
static void make_mount_on_ptmx(void)
{
	make_devpts();
	CHILD_ASSERT(mount("/dev/ptmx", "dev/pts/ptmx", NULL, MS_BIND, NULL) == 0, "errno %d",
		     errno);
}

static const struct spec_process process = { .user.uid = 1234,
					     .console_size = { .height = 30, .width = 90 } };

static void opens(void *arg)
{
	const struct row *row = arg;
	auto_console struct console c = CONSOLE_NONE;
	struct err e = { 0 };
	struct winsize size;
	struct stat st;
	int root, r;

	private_mounts();
	row->make();
	root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = console_open(root, &process, &c, &e);
	if (row->message) {
		CHILD_ASSERT(r < 0, "%d", r);
		CHILD_STR_EQ(e.msg, row->message);
		CHILD_ASSERT(c.master == -1 && c.slave == -1, "%d %d", c.master, c.slave);
		return;
	}
	CHILD_ASSERT(r == 0, "%s", e.msg);
	CHILD_STR_EQ(c.name, "/dev/pts/0");
	CHILD_ASSERT(stat("dev/pts/0", &st) == 0, "errno %d", errno);
	CHILD_ASSERT(st.st_uid == 1234, "uid %u", st.st_uid);
	CHILD_ASSERT(ioctl(c.slave, TIOCGWINSZ, &size) == 0, "errno %d", errno);
	CHILD_ASSERT(size.ws_row == 30 && size.ws_col == 90, "%u %u", size.ws_row, size.ws_col);
	CHILD_ASSERT(fcntl(c.master, F_GETFD) == FD_CLOEXEC, "the master is inherited");
	CHILD_ASSERT(fcntl(c.slave, F_GETFD) == FD_CLOEXEC, "the slave is inherited");
	console_close(&c);
	console_close(&c);
}

#define NO_DEVPTS "process.terminal: the container has no devpts on /dev/pts"

Test(console, is_of_the_containers_devpts)
{
	static const struct row rows[] = {
		{ make_devpts, NULL },
		{ make_strict_devpts, NULL },
		{ make_directory, NO_DEVPTS },
		{ make_file, NO_DEVPTS },
		{ make_nothing, NO_DEVPTS },
		{ make_link_to_devpts, "process.terminal: open /dev/pts in the container: too many"
				       " levels of symbolic links" },
		{ make_link_of_dev, "process.terminal: open /dev/pts in the container: too many"
				    " levels of symbolic links" },
		{ make_mount_on_ptmx, "process.terminal: open /dev/pts/ptmx in the container:"
				      " invalid cross-device link" },
	};

	need_root();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_child(opens, (void *)&rows[i]);
}

static void attaches(void *arg UNUSED)
{
	auto_console struct console c = CONSOLE_NONE;
	struct spec_process p = { .user.uid = 0 };
	struct err e = { 0 };
	char text[8] = "";
	int root, tty;

	signal(SIGHUP, SIG_IGN); /* comes when the master is closed */
	private_mounts();
	make_devpts();
	root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHILD_ASSERT(setsid() > 0, "errno %d", errno);
	CHILD_ASSERT(console_open(root, &p, &c, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(console_attach(&c, &e) == 0, "%s", e.msg);
	for (int fd = 0; fd < 3; fd++) {
		CHILD_ASSERT(isatty(fd), "%d is no terminal", fd);
		CHILD_ASSERT(fcntl(fd, F_GETFD) == 0, "%d is close-on-exec", fd);
	}
	CHILD_ASSERT(tcgetsid(0) == getpid(), "not our session");
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	CHILD_ASSERT(tty >= 0 && write(tty, "x", 1) == 1, "errno %d", errno);
	CHILD_ASSERT(read(c.master, text, sizeof(text)) == 1 && text[0] == 'x', "%s", text);
}

Test(console, becomes_the_controlling_terminal)
{
	need_root();
	expect_child(attaches, NULL);
}

static void attaches_too_early(void *arg UNUSED)
{
	auto_console struct console c = CONSOLE_NONE;
	struct spec_process p = { .user.uid = 0 };
	struct err e = { 0 };

	private_mounts();
	make_devpts();
	CHILD_ASSERT(console_open(AT_FDCWD, &p, &c, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(console_attach(&c, &e) == -EPERM, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "process.terminal: make /dev/pts/0 the controlling terminal:"
			    " operation not permitted");
}

Test(console, needs_a_session)
{
	need_root();
	expect_child(attaches_too_early, NULL);
}

/* A user namespace of one id: nobody but it can be the terminal's owner. */
static void opens_unprivileged(void *arg UNUSED)
{
	auto_console struct console c = CONSOLE_NONE;
	struct err e = { 0 };
	int map;

	private_mounts();
	CHILD_ASSERT(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0, "errno %d", errno);
	map = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	CHILD_ASSERT(write(map, "0 0 1", 5) == 5, "errno %d", errno);
	make_dev();
	mount_devpts("dev/pts", "newinstance,ptmxmode=0666");
	CHILD_ASSERT(console_open(AT_FDCWD, &process, &c, &e) == 0, "%s", e.msg);
}

Test(console, may_stay_with_its_owner)
{
	need_root();
	expect_child(opens_unprivileged, NULL);
}

static int listen_at(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	cr_assert_eq(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	if (type == SOCK_STREAM)
		cr_assert_eq(listen(sock, 1), 0);
	return sock;
}

static void expect_sent(const char *path, int listener)
{
	struct err e = { 0 };
	char name[64] = "";
	int sock, fds[2], ends[2];

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	cr_assert_eq(console_socket_check(path, &e), 0, "%s", e.msg);
	cr_assert_eq(console_socket_send(path, ends[0], "/dev/pts/7", &e), 0, "%s", e.msg);
	sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	cr_assert_eq(io_recv_fds(sock, name, sizeof(name), fds, 2), 10);
	cr_assert_str_eq(name, "/dev/pts/7");
	cr_assert_geq(fds[0], 0);
	cr_assert_eq(fds[1], -1);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	cr_assert_eq(read(fds[0], name, 1), 1);
	cr_assert_eq(read(sock, name, 1), 0, "more than one message");
	close(sock);
}

Test(console_socket, gets_one_name_and_one_descriptor)
{
	char path[1024];

	cr_assert_eq(chdir(dir_path), 0);
	snprintf(path, sizeof(path), "%s/sock", dir_path);
	expect_sent("sock", listen_at("sock", SOCK_STREAM));
	unlink("sock");
	expect_sent(path, listen_at("sock", SOCK_STREAM));
}

Test(console_socket, may_have_a_long_path)
{
	char path[1024], part[200];
	int listener;

	memset(part, 'd', sizeof(part) - 1);
	part[sizeof(part) - 1] = '\0';
	cr_assert_eq(chdir(dir_path), 0);
	for (int i = 0; i < 3; i++)
		cr_assert(mkdir(part, 0700) == 0 && chdir(part) == 0);
	listener = listen_at("sock", SOCK_STREAM);
	cr_assert_eq(chdir("/"), 0);
	snprintf(path, sizeof(path), "%s/%s/%s/%s/sock", dir_path, part, part, part);
	expect_sent(path, listener);
}

Test(console_socket, has_to_be_one_that_listens)
{
	static const struct {
		const char *path, *check, *send; /* messages; NULL: it succeeds */
	} rows[] = {
		{ "none", "open console socket none: no such file or directory",
		  "open console socket none: no such file or directory" },
		{ "file", "console socket file is not a socket",
		  "console socket file is not a socket" },
		{ "deaf", NULL, "connect to console socket deaf: connection refused" },
		{ "datagram", NULL,
		  "connect to console socket datagram: protocol wrong type for socket" },
	};
	struct err e = { 0 };

	cr_assert_eq(chdir(dir_path), 0);
	close(open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	close(listen_at("deaf", SOCK_STREAM));
	listen_at("datagram", SOCK_DGRAM);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r = console_socket_check(rows[i].path, &e);

		cr_assert_eq(r < 0, rows[i].check != NULL, "%s", rows[i].path);
		if (r < 0)
			cr_assert_str_eq(e.msg, rows[i].check);
		cr_assert_lt(console_socket_send(rows[i].path, 0, "/dev/pts/0", &e), 0);
		cr_assert_str_eq(e.msg, rows[i].send);
	}
}
