/*
 * vsock - both ends of the streams between a microVM and its host.
 *
 *	vsock connect ADDRESS			standard input goes there, and to the output what comes
 *	vsock serve ADDRESS PROGRAM [WORD...]	runs PROGRAM with each connection as input and output
 *
 * ADDRESS is a port of AF_VSOCK (of the host, CID 2, to connect to), or the path of a unix socket.
 * connect ends its half when its input has ended, and exits when the other has ended its own: 0,
 * or 2 if it was refused, 3 if the stream broke off.
 */
#include <errno.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HOST = 2, REFUSED = 2, BROKEN = 3, USAGE = 64 };

union address {
	struct sockaddr any;
	struct sockaddr_un local;
	struct sockaddr_vm vm;
};

static socklen_t parse(const char *text, unsigned cid, union address *ret)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	memset(ret, 0, sizeof(*ret));
	if (*text && !*end) {
		ret->vm.svm_family = AF_VSOCK;
		ret->vm.svm_cid = cid;
		ret->vm.svm_port = (unsigned)port;
		return sizeof(ret->vm);
	}
	ret->local.sun_family = AF_UNIX;
	snprintf(ret->local.sun_path, sizeof(ret->local.sun_path), "%s", text);
	return sizeof(ret->local);
}

static int fail(const char *what)
{
	fprintf(stderr, "vsock: %s: %s\n", what, strerror(errno));
	return REFUSED;
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0)
			return -1;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

static int copy(int fd)
{
	struct pollfd p[] = { { .fd = STDIN_FILENO, .events = POLLIN },
			      { .fd = fd, .events = POLLIN } };
	static char bytes[65536];
	ssize_t n;

	for (;;) {
		if (poll(p, 2, -1) < 0)
			return fail("poll");
		if (p[0].revents) {
			n = read(STDIN_FILENO, bytes, sizeof(bytes));
			if (n <= 0) {
				p[0].fd = -1;
				shutdown(fd, SHUT_WR);
			} else if (write_all(fd, bytes, (size_t)n) < 0) {
				p[0].fd = -1; /* what it has said still comes */
			}
			p[0].revents = 0;
		}
		if (p[1].revents) {
			n = read(fd, bytes, sizeof(bytes));
			if (n == 0)
				return 0;
			if (n < 0 || write_all(STDOUT_FILENO, bytes, (size_t)n) < 0) {
				fail("stream");
				return BROKEN;
			}
		}
	}
}

static int serve(int fd, char **program)
{
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer < 0)
			return fail("accept");
		if (fork() == 0) {
			dup2(peer, STDIN_FILENO);
			dup2(peer, STDOUT_FILENO);
			close(peer);
			close(fd);
			execvp(program[0], program);
			_exit(127);
		}
		close(peer);
	}
}

int main(int argc, char **argv)
{
	int serves = argc > 3 && strcmp(argv[1], "serve") == 0;
	union address at;
	socklen_t size;
	int fd;

	if (!serves && !(argc == 3 && strcmp(argv[1], "connect") == 0)) {
		fprintf(stderr,
			"usage: vsock connect ADDRESS | vsock serve ADDRESS PROGRAM [WORD...]\n");
		return USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	size = parse(argv[2], serves ? VMADDR_CID_ANY : HOST, &at);
	fd = socket(at.any.sa_family, SOCK_STREAM, 0);
	if (fd < 0)
		return fail("socket");
	if (!serves)
		return connect(fd, &at.any, size) < 0 ? fail("connect") : copy(fd);
	signal(SIGCHLD, SIG_IGN);
	if (bind(fd, &at.any, size) < 0 || listen(fd, 64) < 0)
		return fail("listen");
	return serve(fd, argv + 3);
}
