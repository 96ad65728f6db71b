#include "microvm/vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/io.h"
#include "base/log.h"
#include "microvm/fs/fs.h"
#include "microvm/jail.h"
#include "runtime/handshake.h"

enum {
	BOOT_TIMEOUT_MS = 120 * 1000,
	RECEIVE_MAX = 256 * 1024,
	FIXED_POLLS = 8 + 2 * GUEST_LINKS_MAX,
	POLLS = FIXED_POLLS + VMM_PEERS + MUX_POLL_MAX,
};

_Noreturn void vmm_end(int status)
{
	const struct rlimit none = { 0 };
	sigset_t all;

	if (!WIFSIGNALED(status))
		_exit(WEXITSTATUS(status));
	setrlimit(RLIMIT_CORE, &none);
	signal(WTERMSIG(status), SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), WTERMSIG(status));
	_exit(128 + WTERMSIG(status));
}

/* Before CREATED it is the error of whoever creates; after it a line in the log and 125. */
_Noreturn static void give_up(struct vmm *v, struct err *e)
{
	const char *line;

	for (size_t i = 0; (line = serial_last(&v->machine.serial, i)); i++)
		log_line(v->state == VMM_BOOTING || v->state >= VMM_CREATED ? LOG_LEVEL_ERROR
									    : LOG_LEVEL_DEBUG,
			 "guest: %s", line);
	if (v->conn >= 0 || v->sock >= 0)
		handshake_fail(v->conn >= 0 ? v->conn : v->sock, e);
	if (v->state >= VMM_CREATED)
		log_line(LOG_LEVEL_ERROR, "container %s: %s", v->options.id, e->msg);
	_exit(v->state >= VMM_CREATED ? VMM_FAILED : 255);
}

static int take_signals(struct vmm *v, struct err *e)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	v->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return v->signals < 0 ? err_sys(e, "make a descriptor for signals") : 0;
}

static int make_fs(struct vmm *v, struct err *e)
{
	struct fs_config c = fs_defaults;
	auto_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct fs_server *server;

	if (root < 0)
		return err_sys(e, "open the container's root");
	c.root_fd = root;
	c.proc_fd = (int)v->options.proc;
	TRY(fs_server_new(&c, &server, e));
	return fsdev_start(&v->fs, server, e);
}

/* This and the next are the last on the bus: the others are where they are without them. */
static int add_disk(struct vmm *v, struct err *e)
{
	if (v->options.disk < 0)
		return 0;
	TRY(machine_add(&v->machine, &v->disk.v, &blk_kind, e));
	TRY(blk_open(&v->disk, (int)v->options.disk, e));
	return blk_start(&v->disk, e);
}

static int add_vsock(struct vmm *v, struct err *e)
{
	const struct vmm_options *o = &v->options;

	if (o->vsock < 0)
		return 0;
	TRY(machine_add(&v->machine, &v->vsock.v, &vsock_kind, e));
	vsock_init(&v->vsock, (int)o->vsock, o->vsock_name);
	return vsock_start(&v->vsock, (int)o->vsock_directory, e);
}

static void raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

static int open_streams(struct vmm *v, struct err *e)
{
	int fds[MUX_STREAMS];

	if (v->options.terminal) {
		struct termios raw;

		if (tcgetattr(STDIN_FILENO, &raw) < 0)
			return err_sys(e, "process.terminal: read its modes");
		cfmakeraw(&raw);
		if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
			return err_sys(e, "process.terminal: set its modes");
	}
	for (int i = 0; i < MUX_STREAMS; i++)
		fds[i] = fcntl(i, F_DUPFD_CLOEXEC, 3);
	mux_open(&v->mux, SESSION_INIT, fds, false);
	return 0;
}

static void send_own_size(struct vmm *v)
{
	struct winsize size;

	if (v->options.terminal && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row)
		vmm_send_size(v, SESSION_INIT, size.ws_row, size.ws_col);
}

static int prepare(struct vmm *v, struct err *e)
{
	const struct vmm_options *o = &v->options;
	const struct boot boot = { .kernel = (int)o->kernel,
				   .initramfs = (int)o->initramfs,
				   .line = o->line,
				   .cpus = (unsigned)o->cpus };

	raise_limits();
	TRY(jail_drop_privileges(e));
	TRY(take_signals(v, e));
	TRY(open_streams(v, e));
	TRY(machine_init(&v->machine, (int)o->kvm, (uint64_t)o->memory, -1, (unsigned)o->cpus, e));
	TRY(machine_add(&v->machine, &v->console.v, &console_kind, e));
	TRY(machine_add(&v->machine, &v->rng.v, &rng_kind, e));
	TRY(machine_add(&v->machine, &v->fs.v, &fsdev_kind, e));
	for (size_t i = 0; i < GUEST_LINKS_MAX; i++) {
		v->nets[i].tap = -1;
		TRY(machine_add(&v->machine, &v->nets[i].v, &net_kind, e));
		virtio_set_absent(&v->nets[i].v, true);
	}
	TRY(machine_add(&v->machine, &v->balloon.v, &balloon_kind, e));
	TRY(add_disk(v, e));
	TRY(add_vsock(v, e));
	TRY(make_fs(v, e));
	TRY(machine_boot(&v->machine, &boot, e));
	close((int)o->kernel);
	close((int)o->initramfs);
	TRY(machine_start(&v->machine, e));
	TRY(jail_close(JAIL_MAIN, e));
	machine_go(&v->machine);
	return 0;
}

/* The document goes to the guest as hull wrote it. */
static int send_document(struct vmm *v, struct err *e)
{
	auto_buf struct buf text = { 0 };
	int fd = (int)v->options.document, r;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read the configuration");
	r = io_slurp(fd, FRAME_FROM_HOST, &text);
	if (r < 0)
		return err_neg(e, r, "read the configuration");
	close(fd);
	frame_write(&v->mux.out, FRAME_CREATE, SESSION_INIT, 0, text.text, text.len);
	v->state = VMM_MAKING;
	return 0;
}

static int hear_guest(struct vmm *v, struct err *e)
{
	auto_buf struct buf bytes = { 0 };
	struct frame f;
	int r;

	console_attend(&v->console);
	if (mux_is_full(&v->mux)) /* it wakes us when it takes some of that */
		return 0;
	console_receive(&v->console, &bytes, RECEIVE_MAX);
	if (bytes.len)
		frame_reader_add(&v->reader, bytes.text, bytes.len);
	while ((r = frame_reader_next(&v->reader, &f)) > 0) {
		r = vmm_frame(v, &f, e);
		TRY(r);
		if (r > 0)
			TRY(send_document(v, e));
	}
	return r < 0 ? err_set(e, EPROTO, "the guest sent what is no message") : 0;
}

static void tell_guest(struct vmm *v)
{
	mux_sent(&v->mux,
		 console_send(&v->console, v->mux.out.text + v->mux.sent, mux_waiting(&v->mux)));
}

static void hear_signals(struct vmm *v)
{
	struct signalfd_siginfo info;

	while (read(v->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
		case SIGPIPE:
		case SIGXFSZ:
			break;
		case SIGWINCH:
			if (v->options.terminal) {
				send_own_size(v);
				break;
			}
			/* fall through */
		default:
			frame_write_u32(&v->mux.out, FRAME_SIGNAL, SESSION_INIT, 0, info.ssi_signo);
		}
	}
}

/* GO is the guest's word now; what it answers goes to v->conn, or v->sock. */
static void go(struct vmm *v)
{
	v->state = VMM_STARTING;
	send_own_size(v);
	frame_write(&v->mux.out, FRAME_GO, SESSION_INIT, 0, NULL, 0);
}

static int hear_handshake(struct vmm *v, struct err *e)
{
	if (v->gate < 0) {
		TRY(handshake_expect(v->sock, SAY_GO, NULL, NULL, e));
		go(v);
		return 0;
	}
	TRY(handshake_expect(v->sock, SAY_RECORDED, NULL, NULL, e));
	close_fd(&v->sock);
	return 0;
}

static int hear_start(struct vmm *v, struct err *e)
{
	v->conn = accept4(v->gate, NULL, NULL, SOCK_CLOEXEC);
	if (v->conn < 0)
		return errno == EINTR || errno == ECONNABORTED ? 0 : err_sys(e, "accept start");
	close_fd(&v->gate);
	close_fd(&v->sock);
	go(v);
	return 0;
}

static int guest_ended(struct vmm *v, struct err *e)
{
	enum machine_end end = machine_end(&v->machine, e);

	if (end == MACHINE_RESET)
		return err_set(e, EIO, "the guest's kernel has ended%s",
			       v->state == VMM_BOOTING ? " before it was up" : "");
	return end == MACHINE_FAILED ? err_wrap(e, "microVM") : 0;
}

struct polls {
	struct pollfd at[POLLS];
	size_t n, nets_from, peers_from, mux_from;
	size_t peer[VMM_PEERS];
};

enum { POLL_SIGNALS, POLL_ENDED, POLL_CONSOLE, POLL_RNG, POLL_BALLOON, POLL_SOCK, POLL_GATE, POLL_CONTROL };

static void fill(struct vmm *v, struct polls *p)
{
	bool may_start = v->state == VMM_CREATED;
	const int fixed[] = {
		[POLL_SIGNALS] = v->signals,
		[POLL_ENDED] = v->machine.ended,
		[POLL_CONSOLE] = v->console.v.wake,
		[POLL_RNG] = v->rng.v.wake,
		[POLL_BALLOON] = v->balloon.v.wake,
		[POLL_SOCK] = may_start ? v->sock : -1,
		[POLL_GATE] = may_start ? v->gate : -1,
		[POLL_CONTROL] =
			may_start || v->state == VMM_RUNNING ? (int)v->options.control : -1,
	};

	p->n = 0;
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		p->at[p->n++] = (struct pollfd){ .fd = fixed[i], .events = POLLIN };
	p->nets_from = p->n;
	for (size_t i = 0; i < GUEST_LINKS_MAX && v->network; i++) {
		struct net *net = &v->nets[i];

		p->at[p->n++] = (struct pollfd){ .fd = net->v.wake, .events = POLLIN };
		p->at[p->n++] =
			(struct pollfd){ .fd = net_wants(net) ? net->tap : -1, .events = POLLIN };
	}
	p->peers_from = p->n;
	for (size_t i = 0; i < VMM_PEERS; i++) {
		if (v->peers[i].fd < 0)
			continue;
		p->peer[p->n - p->peers_from] = i;
		p->at[p->n++] = (struct pollfd){ .fd = v->peers[i].fd, .events = POLLIN };
	}
	p->mux_from = p->n;
	if (v->state >= VMM_CREATED) /* before, there is nothing in the guest for the streams */
		p->n += mux_poll(&v->mux, p->at + p->n);
	else
		v->mux.n_polled = 0;
}

static void attend_nets(struct vmm *v, const struct polls *p)
{
	for (size_t at = p->nets_from; at < p->peers_from; at += 2) {
		struct net *net = &v->nets[(at - p->nets_from) / 2];
		eventfd_t n;

		if (p->at[at].revents)
			eventfd_read(net->v.wake, &n);
		if (p->at[at].revents || p->at[at + 1].revents)
			net_attend(net);
	}
}

static int attend(struct vmm *v, struct polls *p, struct err *e)
{
	eventfd_t n;

	if (p->at[POLL_CONSOLE].revents)
		eventfd_read(v->console.v.wake, &n);
	if (p->at[POLL_RNG].revents) {
		eventfd_read(v->rng.v.wake, &n);
		rng_attend(&v->rng);
	}
	attend_nets(v, p);
	if (p->at[POLL_BALLOON].revents) {
		eventfd_read(v->balloon.v.wake, &n);
		balloon_attend(&v->balloon);
	}
	mux_move(&v->mux, p->at + p->mux_from);
	for (size_t i = p->peers_from; i < p->mux_from; i++)
		if (p->at[i].revents)
			vmm_hear(v, &v->peers[p->peer[i - p->peers_from]]);
	if (p->at[POLL_CONTROL].revents)
		vmm_accept(v);
	if (p->at[POLL_SIGNALS].revents)
		hear_signals(v);
	if (p->at[POLL_SOCK].revents)
		TRY(hear_handshake(v, e));
	if (p->at[POLL_GATE].revents)
		TRY(hear_start(v, e));
	tell_guest(v);
	TRY(hear_guest(v, e));
	vmm_finish(v);
	/* After what it said: the last frame comes before the end. */
	if (p->at[POLL_ENDED].revents && v->state != VMM_ENDING)
		TRY(guest_ended(v, e));
	tell_guest(v);
	return 0;
}

static int run(struct vmm *v, struct err *e)
{
	int64_t deadline = io_now_us() / 1000 + BOOT_TIMEOUT_MS;
	static struct polls p;

	for (;;) {
		int timeout = -1;

		if (v->state == VMM_ENDING && mux_flushed(mux_find(&v->mux, SESSION_INIT)))
			return 0;
		if (v->state < VMM_CREATED) {
			int64_t left = deadline - io_now_us() / 1000;

			if (left <= 0)
				return err_set(e, ETIME, "the guest did not come up within %d s",
					       BOOT_TIMEOUT_MS / 1000);
			timeout = (int)left;
		}
		fill(v, &p);
		if (poll(p.at, p.n, timeout) < 0 && errno != EINTR)
			return err_sys(e, "wait for the guest");
		TRY(attend(v, &p, e));
	}
}

_Noreturn void vmm_main(const struct vmm_options *options)
{
	static struct vmm v;
	struct err e = { 0 };

	v.options = *options;
	v.sock = (int)options->sock;
	v.gate = (int)options->gate;
	v.conn = -1;
	v.next_session = SESSION_INIT;
	for (size_t i = 0; i < VMM_PEERS; i++)
		v.peers[i].fd = -1;
	frame_reader_init(&v.reader, FRAME_FROM_GUEST);
	if (prepare(&v, &e) < 0 || run(&v, &e) < 0)
		give_up(&v, &e);
	vmm_end(v.status);
}
