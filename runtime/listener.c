#include "runtime/listener.h"

#include <errno.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json_write.h"
#include "process/unix_socket.h"

static const char WHAT[] = "seccomp listener";

int listener_check(const struct spec_seccomp *seccomp, struct err *e)
{
	if (unix_socket_check(seccomp->listener_path, WHAT, e) < 0)
		return err_wrap(e, "linux.seccomp.listenerPath");
	return 0;
}

void listener_encode(const struct spec_seccomp *seccomp, const struct state *state, pid_t pid,
		     struct buf *ret)
{
	auto_buf struct buf container = { 0 };
	struct json_writer w = json_writer(ret, NULL);

	state_encode_oci(state, &container);
	json_write_object(&w, NULL);
	json_write_string(&w, "ociVersion", SPEC_VERSION);
	json_write_array(&w, "fds");
	json_write_string(&w, NULL, "seccompFd");
	json_write_end(&w);
	json_write_int(&w, "pid", pid);
	if (seccomp->listener_metadata)
		json_write_string(&w, "metadata", seccomp->listener_metadata);
	json_write_raw(&w, "state", container.text);
	json_write_end(&w);
}

int listener_offer(int sock, int listener, struct err *e)
{
	struct message m = { .say = SAY_LISTENER, .value = listener };
	ssize_t n;
	int r = io_write_all(sock, &m, sizeof(m));

	if (r < 0)
		return err_neg(e, r, "offer the seccomp descriptor");
	do
		n = read(sock, &m, sizeof(m));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "wait for the seccomp agent");
	if (n != sizeof(m) || m.say != SAY_GO)
		return err_set(e, EPIPE, "wait for the seccomp agent: hull gave up");
	return 0;
}

/* One connection, one state. */
static int send_state(const char *path, const struct buf *text, int fd, struct err *e)
{
	auto_fd int sock = unix_socket_connect(path, WHAT, e);
	int r;

	TRY(sock);
	r = io_send_fds(sock, text->text, text->len, &fd, 1);
	return r < 0 ? err_neg(e, r, "send the container's state to seccomp listener %s", path) : 0;
}

int listener_pass_on(int sock, const struct spec_seccomp *seccomp, const struct state *state,
		     pid_t pid, int pidfd, struct err *e)
{
	auto_buf struct buf text = { 0 };
	auto_fd int fd = -1;
	int32_t number = -1;

	TRY(handshake_expect(sock, SAY_LISTENER, &number, NULL, e));
	fd = pidfd_getfd(pidfd, number, 0);
	if (fd < 0)
		return err_sys(e, "take the seccomp descriptor of process %d", pid);
	listener_encode(seccomp, state, pid, &text);
	if (send_state(seccomp->listener_path, &text, fd, e) < 0)
		return err_wrap(e, "linux.seccomp.listenerPath");
	return handshake_send(sock, SAY_GO, 0, -1, e);
}
