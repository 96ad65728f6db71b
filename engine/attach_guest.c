/*
 * attach_guest.c - the guest's side of attach.h.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/keys.h"
#include "engine/attach.h"
#include "engine/attach_private.h"
#include "runtime/container.h"

int attach_connect(int dir, struct err *e)
{
	auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = attach_address(dir);

	if (fd < 0)
		return err_sys(e, "make the socket for attach");
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return err_set(e, ENOTCONN, "attach: the container does not run detached");
		return err_sys(e, "attach to the container");
	}
	return take_fd(&fd);
}

/* One key, which ends at a comma; -EINVAL. */
static int take_key(const char **text, char *ret)
{
	static const char ctrl[] = "ctrl-", signs[] = "@[\\]^_";
	const char *t = *text;
	bool controlled = strncasecmp(t, ctrl, strlen(ctrl)) == 0;
	bool letter;

	if (controlled)
		t += strlen(ctrl);
	letter = (*t >= 'a' && *t <= 'z') || (*t >= 'A' && *t <= 'Z');
	if (!*t || (t[1] && t[1] != ',') || !(letter || (controlled && strchr(signs, *t))))
		return -EINVAL;
	*ret = (char)(controlled ? *t & 0x1f : *t);
	*text = t[1] ? t + 2 : t + 1;
	return t[1] && !t[2] ? -EINVAL : 0;
}

int attach_keys_parse(const char *text, struct attach_keys *ret, struct err *e)
{
	const char *rest = text ? text : "ctrl-p,ctrl-q";
	struct attach_keys keys = { .n = 0 };

	for (; *rest; keys.n++)
		if (keys.n == sizeof(keys.at) || take_key(&rest, &keys.at[keys.n]) < 0)
			return err_set(
				e, EINVAL,
				"--detach-keys %s: expected at most %zu keys, as \"ctrl-p,q\": "
				"letters, or ctrl- and a letter or one of @[\\]^_",
				json_quote(text).text, sizeof(keys.at));
	*ret = keys;
	return 0;
}

struct guest {
	int fd;
	const struct attach_wish *how;
	bool input;
	size_t typed; /* so many of the keys that leave, one after the other */
	bool over;
	struct attach_end end;
	char packet[ATTACH_PACKET]; /* what was typed, and is not taken yet */
	size_t len;                 /* 0: nothing */
};

static void send_window(const struct guest *g)
{
	struct winsize size;

	if (g->how->terminal && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)attach_packet(g->fd, ATTACH_WINDOW, &size, sizeof(size));
}

/* Nothing of it is lost: who does not take it now does so later. */
static void send_typed(struct guest *g)
{
	if (attach_packet(g->fd, g->packet[0], g->packet + 1, g->len - 1))
		g->len = 0;
}

static bool leaves(struct guest *g, char key)
{
	const struct attach_keys *keys = &g->how->keys;

	return g->how->terminal && keys_typed(keys->at, keys->n, &g->typed, key);
}

static void take_typed(struct guest *g)
{
	char *bytes = g->packet + 1;
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(g->packet) - 1);

	if (n < 0 && errno == EINTR)
		return;
	for (ssize_t i = 0; !g->over && i < n; i++)
		g->over = g->end.left = leaves(g, bytes[i]);
	if (n <= 0)
		g->input = false;
	if (g->over)
		return;
	g->packet[0] = ATTACH_STDIN;
	g->len = 1 + (n > 0 ? (size_t)n : 0);
	send_typed(g);
}

static void take_sent(struct guest *g)
{
	char packet[ATTACH_PACKET];
	ssize_t n = recv(g->fd, packet, sizeof(packet), 0);
	bool error;

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0 || packet[0] == ATTACH_EXIT) {
		g->over = true;
		g->end.status = n == 2 ? (unsigned char)packet[1] : 255;
		return;
	}
	error = packet[0] == ATTACH_STDERR;
	if (error ? !g->how->error : !g->how->out)
		return;
	if (io_write_all(error ? STDERR_FILENO : STDOUT_FILENO, packet + 1, (size_t)n - 1) >= 0)
		return;
	g->over = g->end.left = true;
	g->end.status = 255;
}

static void take_signal(struct guest *g, int signals)
{
	struct signalfd_siginfo info;
	int sig;

	if (read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	sig = (int)info.ssi_signo;
	if (sig == SIGWINCH || sig == SIGCONT)
		send_window(g);
	if (sig == SIGWINCH || sig == SIGPIPE)
		return;
	if (g->how->signal) {
		g->how->signal(g->how->ctx, sig);
		return;
	}
	g->over = g->end.left = true;
	g->end.status = 128 + sig;
}

static void relay(struct guest *g, int signals)
{
	while (!g->over) {
		struct pollfd fds[] = { { g->fd, g->len ? POLLIN | POLLOUT : POLLIN, 0 },
					{ g->input && !g->len ? STDIN_FILENO : -1, POLLIN, 0 },
					{ signals, POLLIN, 0 } };

		if (poll(fds, ARRAY_LEN(fds), -1) < 0) {
			if (errno == EINTR)
				continue;
			g->end = (struct attach_end){ true, 255 };
			return;
		}
		if (fds[2].revents)
			take_signal(g, signals);
		if (!g->over && fds[1].revents)
			take_typed(g);
		if (!g->over && fds[0].revents & POLLOUT)
			send_typed(g);
		if (!g->over && fds[0].revents & ~POLLOUT)
			take_sent(g);
	}
}

int attach_wait(int fd, int *ret_status, struct err *e)
{
	char packet[ATTACH_PACKET];
	ssize_t n;

	do
		n = recv(fd, packet, sizeof(packet), 0);
	while (n > 0 ? packet[0] != ATTACH_EXIT || n != 2 : n < 0 && errno == EINTR);
	if (n <= 0)
		return err_set(e, EPIPE, "how the container ended was not said");
	*ret_status = (unsigned char)packet[1];
	return 0;
}

/* What ends a command that does not hand signals on; job control stays as in any program. */
static void taken(bool forwards, sigset_t *ret)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGWINCH };
	struct sigaction hangup;

	if (forwards) {
		container_signals(ret);
		return;
	}
	sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		sigaddset(ret, ends[i]);
	/* As nohup(1) asked. */
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN)
		sigdelset(ret, SIGHUP);
}

void attach_block_signals(const struct attach_wish *how, sigset_t *before)
{
	sigset_t set;

	taken(how->signal != NULL, &set);
	sigprocmask(SIG_BLOCK, &set, before);
}

int attach_run(int fd, const struct attach_wish *how, const sigset_t *before,
	       struct attach_end *ret, struct err *e)
{
	struct guest g = { .fd = fd, .how = how, .input = how->in };
	bool is_raw = false;
	struct termios mode, raw;
	auto_fd int signals = -1;
	sigset_t set;

	taken(how->signal != NULL, &set);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return err_sys(e, "make a descriptor for signals");
	is_raw = how->terminal && how->in && tcgetattr(STDIN_FILENO, &mode) == 0;
	if (is_raw) {
		raw = mode;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	send_window(&g);
	relay(&g, signals);
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
	sigprocmask(SIG_SETMASK, before, NULL);
	*ret = g.end;
	return 0;
}
