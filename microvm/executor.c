/*
 * executor.c - hull's side of a microVM: what it prepares, and what it becomes.
 */
#include "microvm/executor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

#include "base/io.h"
#include "base/log.h"
#include "microvm/balloon.h"
#include "microvm/control.h"
#include "microvm/disk.h"
#include "microvm/document.h"
#include "microvm/guest_spec.h"
#include "microvm/initramfs.h"
#include "microvm/kernel.h"
#include "microvm/vmm_options.h"
#include "microvm/vmnet.h"
#include "microvm/vsock_host.h"
#include "mounts/rootfd.h"
#include "process/console.h"
#include "runtime/creation.h"
#include "runtime/handshake.h"
#include "runtime/store.h"
#include "runtime/update.h"

/* Descriptors that the VMM is started with: init.hands[]. */
enum {
	HAND_VMM,
	HAND_KVM,
	HAND_KERNEL,
	HAND_INITRAMFS,
	HAND_DOCUMENT,
	HAND_CONTROL,
	HAND_DISK,
	HAND_VSOCK,
	HAND_VSOCK_DIRECTORY,
	HAND_PROC,
	HANDS
};

/* init.executor_data */
struct machine_plan {
	struct strings targets; /* the guest's mount points in the host's root, that the host makes */
	const char *kernel;     /* NULL: whichever there is */
	struct strings parameters;
	uint64_t memory;
	unsigned cpus;
	bool network;      /* there may be one in its namespace */
	const char *disk;  /* the image of its root, NULL: the root is the host's (disk.h) */
	const char *vsock; /* the path of its socket, NULL: there is none (vsock_host.h) */
};

static int vm_check(const struct spec *s, const struct create_request *req, struct err *e)
{
	const char *notify = getenv("NOTIFY_SOCKET"); /* NOLINT(concurrency-mt-unsafe) */

	if (req->preserve_fds)
		return err_set(e, ENOTSUP, "--preserve-fds: a microVM can't be handed descriptors");
	if (req->n_sockets)
		return err_set(e, ENOTSUP,
			       "--publish-socket: a microVM can't be handed descriptors");
	if (notify && notify[0])
		return err_set(e, ENOTSUP, "NOTIFY_SOCKET: can't be reached from a microVM");
	return guest_spec_check(s, e);
}

static int vm_adapt(struct creation *c, struct err *e)
{
	struct machine_plan *p = arena_alloc(&c->spec.arena, sizeof(*p));

	TRY(guest_spec_memory(&c->spec, &p->memory, e));
	TRY(guest_spec_cpus(&c->spec, &p->cpus, e));
	if (c->spec.vm) {
		p->kernel = c->spec.vm->kernel.path;
		p->parameters = c->spec.vm->kernel.parameters;
	}
	p->network = guest_spec_has_network(&c->spec);
	p->disk = spec_annotation(&c->spec, DISK_ANNOTATION);
	p->vsock = spec_annotation(&c->spec, VSOCK_ANNOTATION);
	if (!p->network)
		log_info("the microVM has no network but its loopback: it has no network "
			 "namespace, or "
			 "holds a pod's for others");
	guest_spec_for_host(&c->spec, &p->targets);
	if (p->disk)
		p->targets.n = 0;
	c->init.executor_data = p;
	return 0;
}

/* Beside hull; a build tree has them elsewhere. */
static int open_program(const char *name, struct err *e)
{
	const char *directory = getenv("HULL_LIBEXEC"); /* NOLINT(concurrency-mt-unsafe) */
	char path[PATH_MAX];
	int fd;

	if (!directory || !directory[0])
		directory = HULL_LIBEXEC_DIR;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path))
		return err_set(e, ENAMETOOLONG, "HULL_LIBEXEC: %s", directory);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open %s, which a microVM needs", path) : fd;
}

int vm_document_make(const struct document *d, struct err *e)
{
	auto_fd int fd = memfd_create("document", MFD_CLOEXEC);
	auto_buf struct buf text = { 0 };
	int r;

	if (fd < 0)
		return err_sys(e, "make a memory file");
	document_write(d, &text);
	r = io_write_all(fd, text.text, text.len);
	return r < 0 ? err_neg(e, r, "write the document for the guest") : take_fd(&fd);
}

static int open_kvm(struct err *e)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open /dev/kvm, by which a microVM runs") : fd;
}

static int make_initramfs(const struct kernel *k, bool network, struct err *e)
{
	const struct strings none = { 0 };
	const struct strings *network_modules = network ? &k->network : &none;
	auto_fd int agent = open_program("hull-agent", e);

	TRY(agent);
	if (network && !k->has_network)
		return err_set(e, ENOENT,
			       "the kernel %s has no virtio_net, which a microVM's network needs",
			       k->path);
	if (!k->has_disk)
		return err_set(e, ENOENT,
			       "the kernel %s has not all of virtio_blk, overlay and the image's "
			       "file system, which annotation " DISK_ANNOTATION " needs",
			       k->path);
	return initramfs_make(agent, &k->modules, network_modules, &k->disk, e);
}

static int hand(struct init *in, int fd)
{
	if (fd < 0)
		return fd;
	in->hands[in->n_hands++] = fd;
	return 0;
}

/* -1: there is none. */
static int open_disk(const struct machine_plan *p, const char **ret_type, struct err *e)
{
	*ret_type = NULL;
	return p->disk ? disk_open(p->disk, ret_type, e) : -1;
}

/* The directory is the child's to open if only that has the rights: vm_ready(). */
static int hand_vsock(struct creation *c, const struct machine_plan *p, struct err *e)
{
	bool now = p->vsock && c->plan.parent_opens;

	if (p->vsock)
		TRY(hand(&c->init, vsock_listen(c->dir, p->vsock, e)));
	else
		c->init.hands[c->init.n_hands++] = -1;
	c->init.hands[c->init.n_hands] = now ? vsock_open_directory(p->vsock, e) : -1;
	if (now)
		TRY(c->init.hands[c->init.n_hands]);
	c->init.n_hands++;
	return 0;
}

static int vm_prepare(struct creation *c, struct err *e)
{
	const struct machine_plan *p = c->init.executor_data;
	const struct document d = { c->config.text, c->config.len, c->plan.seccomp };
	const char *disk_type;
	auto_fd int disk = open_disk(p, &disk_type, e);
	struct kernel_wish wish = { .path = p->kernel, .vsock = p->vsock };
	struct kernel k;

	if (p->disk)
		TRY(disk);
	TRY(hand(&c->init, open_program("hull-vmm", e)));
	TRY(hand(&c->init, open_kvm(e)));
	wish.disk = disk_type;
	TRY(kernel_open(&wish, &c->spec.arena, &k, e));
	TRY(hand(&c->init, k.fd));
	log_debug("the microVM's kernel is %s, with %zu modules", k.path, k.modules.n);
	TRY(hand(&c->init, make_initramfs(&k, p->network, e)));
	TRY(hand(&c->init, vm_document_make(&d, e)));
	TRY(hand(&c->init, control_make(c->dir, e)));
	c->init.hands[c->init.n_hands++] = take_fd(&disk);
	return hand_vsock(c, p, e);
}

/* The terminal is one of the host's: the guest's own ends in the VMM. */
static int open_terminal(struct init *in, struct err *e)
{
	const struct spec_process *p = in->plan->process;
	const struct winsize size = { .ws_row = p->console_size.height,
				      .ws_col = p->console_size.width };
	auto_console struct console c = CONSOLE_NONE;
	int zero = 0;
	unsigned number;

	c.master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c.master < 0)
		return err_sys(e, "process.terminal: open /dev/ptmx");
	if (ioctl(c.master, TIOCSPTLCK, &zero) < 0 || ioctl(c.master, TIOCGPTN, &number) < 0)
		return err_sys(e, "process.terminal: unlock the terminal");
	c.slave = ioctl(c.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c.slave < 0)
		return err_sys(e, "process.terminal: open the terminal");
	if (size.ws_row && ioctl(c.master, TIOCSWINSZ, &size) < 0)
		return err_sys(e, "process.consoleSize");
	TRY(handshake_send(in->sock, SAY_CONSOLE, (int32_t)number, c.master, e));
	return console_attach(&c, e);
}

static int vm_ready(struct init *in, struct err *e)
{
	const struct machine_plan *p = in->executor_data;
	int fd;

	if (p->vsock && in->hands[HAND_VSOCK_DIRECTORY] < 0) {
		fd = vsock_open_directory(p->vsock, e);
		TRY(fd);
		in->hands[HAND_VSOCK_DIRECTORY] = fd;
	}
	for (size_t i = 0; i < p->targets.n; i++) {
		fd = rootfd_make_dir(in->trees.root, p->targets.at[i], 0755, e);
		TRY(fd);
		close(fd);
	}
	fd = openat(in->proc, "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open /proc/self/fd");
	TRY(hand(in, fd));
	return in->plan->terminal ? open_terminal(in, e) : 0;
}

static const char *make_line(const struct machine_plan *p, struct arena *a)
{
	/* A reset by the 8042 is the one that we have; the kernel checks its ciphers for a second. */
	const char *line = arena_printf(a,
					"console=ttyS0%s 8250.nr_uarts=1 panic=-1 reboot=k "
					"cryptomgr.notests",
					log_wants(LOG_LEVEL_DEBUG) ? "" : " quiet");

	for (size_t i = 0; i < p->parameters.n; i++)
		line = arena_printf(a, "%s %s", line, p->parameters.at[i]);
	return line;
}

static int keep_open(int fd, struct err *e)
{
	if (fd >= 0 && fcntl(fd, F_SETFD, 0) < 0)
		return err_sys(e, "hand descriptor %d to the VMM", fd);
	return 0;
}

static int vm_become(struct init *in, struct err *e)
{
	const struct machine_plan *p = in->executor_data;
	struct log_settings log;
	struct vmm_options o = {
		.id = in->plan->id,
		.line = make_line(p, &in->arena),
		.sock = in->sock,
		.gate = in->gate,
		.kvm = in->hands[HAND_KVM],
		.kernel = in->hands[HAND_KERNEL],
		.initramfs = in->hands[HAND_INITRAMFS],
		.document = in->hands[HAND_DOCUMENT],
		.control = in->hands[HAND_CONTROL],
		.disk = in->hands[HAND_DISK],
		.vsock = in->hands[HAND_VSOCK],
		.vsock_directory = in->hands[HAND_VSOCK_DIRECTORY],
		.vsock_name = p->vsock ? vsock_name(p->vsock) : "",
		.proc = in->hands[HAND_PROC],
		.log = log_fd(),
		.memory = (int64_t)p->memory,
		.cpus = p->cpus,
		.terminal = in->plan->terminal,
	};
	static char *const no_environment[] = { NULL };
	struct strings words;

	log_settings_read(&log);
	o.log_level = log.level;
	o.log_json = log.format == LOG_FORMAT_JSON;
	for (size_t i = HAND_KVM; i < in->n_hands; i++)
		TRY(keep_open(in->hands[i], e));
	TRY(keep_open(in->sock, e));
	TRY(keep_open(in->gate, e));
	TRY(keep_open(log_fd(), e));
	words = vmm_options_write(&o, &in->arena);
	syscall(SYS_execveat, in->hands[HAND_VMM], "", words.at, no_environment, AT_EMPTY_PATH);
	return err_sys(e, "execute hull-vmm");
}

/* Of a machine there is one process; what is in it hears of it by the agent. */
static int signal_all(const struct handle *h, int signal, struct err *e)
{
	struct control_message m = { .say = CONTROL_SIGNAL_ALL, .value = (uint32_t)signal };
	auto_fd int fd = -1;
	int none = -1, r;

	if (h->pidfd < 0)
		return 0;
	fd = control_open(h->dir, e);
	TRY(fd);
	r = io_send_fds(fd, &m, sizeof(m), NULL, 0);
	if (r >= 0)
		r = (int)io_recv_fds(fd, &m, sizeof(m), &none, 1);
	return r < 0 ? err_neg(e, r, "ask the microVM to signal its processes") : 0;
}

static int vm_kill(const struct handle *h, int signal, bool all, struct err *e)
{
	if (all && signal != SIGKILL && signal != 0)
		return signal_all(h, signal, e);
	if (all && h->pidfd < 0)
		return 0;
	return executor_signal_init(h, signal, e);
}

static int vm_connect(int dir, pid_t pid, const struct spec *s, struct err *e)
{
	return guest_spec_has_network(s) ? vmnet_connect(dir, pid, e) : 0;
}

/* Both are tried; of two failures, the second is told. */
static int vm_disconnect(int dir, const struct spec *s, struct err *e)
{
	const char *vsock = spec_annotation(s, VSOCK_ANNOTATION);
	int r = vsock ? vsock_remove(dir, vsock, e) : 0;

	TRY(vmnet_disconnect(s, e));
	return r;
}

/* The machine has what it booted with: of a smaller limit, the rest is for its balloon to hold. */
static int plan_balloon(const struct handle *h, const struct spec_memory *m, uint32_t *ret,
			struct err *e)
{
	auto_spec struct spec spec = { 0 };
	uint64_t memory;

	*ret = BALLOON_KEEP;
	if (!m->limit.set)
		return 0;
	TRY(store_load_config(h->dir, &spec, e));
	TRY(guest_spec_memory(&spec, &memory, e));
	return guest_spec_balloon(memory, m->limit.value, ret, e);
}

/* What there is becomes less in the guest first, and more there last. */
static int set_limits(struct handle *h, struct spec_resources *resources, struct arena *a,
		      struct err *e)
{
	uint32_t pages, held;
	struct err ignored;
	int r;

	TRY(plan_balloon(h, &resources->memory, &pages, e));
	if (pages == BALLOON_KEEP)
		return update_cgroup(h, resources, a, e);
	TRY(vm_balloon(h, BALLOON_KEEP, &held, e));
	if (pages > held)
		TRY(vm_balloon_fill(h, pages, e));
	r = update_cgroup(h, resources, a, e);
	if (r == 0)
		return vm_balloon(h, pages, &held, e);
	(void)!vm_balloon(h, held, &held, &ignored); /* as it was; that is the lesser error */
	return r;
}

/* The machine as a whole is what the cgroup limits, but for processes, which are the guest's. */
static int vm_update(struct handle *h, struct spec_resources *resources, struct arena *a,
		     struct err *e)
{
	const struct opt_i64 processes = resources->pids_limit;

	resources->pids_limit.set = false;
	TRY(set_limits(h, resources, a, e));
	if (!processes.set || vm_limit(h, processes.value, e) == 0)
		return 0;
	/* The guest cannot say what its limit was; those of the host are set then. */
	return err_wrap(e, "the limit of processes alone is not set");
}

/* What the host has of it. */
static int vm_pids(const struct handle *h, struct arena *a, struct pid_list *ret,
		   struct err *e UNUSED)
{
	if (h->pidfd < 0)
		return 0;
	*ret = (struct pid_list){ arena_alloc(a, sizeof(*ret->at)), 1 };
	ret->at[0] = h->state.pid;
	return 0;
}

const struct executor executor_vm = {
	.name = "vm",
	.makes = FOR_GUEST,
	.check = vm_check,
	.adapt = vm_adapt,
	.prepare = vm_prepare,
	.ready = vm_ready,
	.become = vm_become,
	.connect = vm_connect,
	.disconnect = vm_disconnect,
	.exec = vm_exec,
	.kill = vm_kill,
	.freeze = executor_freeze_cgroup,
	.update = vm_update,
	.pids = vm_pids,
	.processes = vm_processes,
	.stats = vm_stats,
};
