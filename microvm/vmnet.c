#include "microvm/vmnet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if_arp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/lock.h"
#include "base/log.h"
#include "microvm/control.h"
#include "network/link.h"
#include "network/redirect.h"
#include "network/tap.h"

enum { ANSWER_WAIT = 60, LOCK_WAIT = 60 /* seconds */, LINKS_MAX = 256 };

/* The interfaces that a guest is to have. */
struct found {
	struct link_info at[GUEST_LINKS_MAX];
	size_t n;
	bool more;
	struct link_info strange; /* name "": none */
};

static int look_at(const struct link_info *link, void *ctx)
{
	struct found *f = ctx;

	if (!link->up || link->master || link->type == ARPHRD_LOOPBACK)
		return 0;
	if (link->type != ARPHRD_ETHER)
		f->strange = *link;
	else if (f->n == GUEST_LINKS_MAX)
		f->more = true;
	else
		f->at[f->n++] = *link;
	return 0;
}

static int find_links(struct netlink *nl, struct found *f, struct err *e)
{
	*f = (struct found){ .n = 0 };
	TRY(link_each(nl, look_at, f, e));
	if (f->strange.name[0])
		return err_set(e, ENOTSUP, "%s is no Ethernet interface, which a microVM needs",
			       f->strange.name);
	if (f->more)
		return err_set(e, ENOTSUP, "a microVM can't have more than %d interfaces",
			       GUEST_LINKS_MAX);
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < i; k++)
			if (memcmp(&f->at[i].mac, &f->at[k].mac, sizeof(f->at[i].mac)) == 0)
				return err_set(e, ENOTSUP,
					       "%s and %s have the same MAC, by which a guest "
					       "tells interfaces apart",
					       f->at[k].name, f->at[i].name);
	return 0;
}

static int tell_addresses(struct netlink *nl, const struct link_info *link, struct guest_network *n,
			  struct err *e)
{
	static struct link_address addresses[LINK_ADDRESSES_MAX];
	int count = addresses_read(nl, link->index, link->name, addresses, e);

	TRY(count);
	if (n->n_addresses + (unsigned)count > LINK_ADDRESSES_MAX)
		return err_set(e, E2BIG, "a microVM can't have more than %d addresses",
			       LINK_ADDRESSES_MAX);
	memcpy(n->addresses + n->n_addresses, addresses, (size_t)count * sizeof(addresses[0]));
	n->n_addresses += (unsigned)count;
	n->links[n->n_links - 1].n_addresses = (uint16_t)count;
	return 0;
}

static int tell_routes(struct netlink *nl, const struct found *f, struct guest_network *n,
		       struct err *e)
{
	int count = routes_read(nl, n->routes, e);

	TRY(count);
	for (int i = 0; i < count; i++) {
		struct link_route r = n->routes[i];
		uint32_t number = 0;

		for (uint32_t k = 0; k < f->n; k++)
			if (f->at[k].index == r.index)
				number = k + 1;
		if (r.index && !number) /* over an interface that the guest does not get */
			continue;
		r.index = number;
		n->routes[n->n_routes++] = r;
	}
	return 0;
}

static int tell(struct netlink *nl, const struct found *f, struct guest_network *n, struct err *e)
{
	for (size_t i = 0; i < f->n; i++) {
		struct guest_link *link = &n->links[n->n_links++];

		memcpy(link->name, f->at[i].name, sizeof(link->name));
		link->mac = f->at[i].mac;
		link->mtu = f->at[i].mtu;
		TRY(tell_addresses(nl, &f->at[i], n, e));
	}
	return tell_routes(nl, f, n, e);
}

/* A tap that has all that comes in at the link, and the other way. */
static int hold_link(struct netlink *nl, const struct link_info *link, int *ret_tap, struct err *e)
{
	char name[IF_NAMESIZE];
	struct link_info tap = { 0 };
	auto_fd int fd = tap_open(name, e);

	TRY(fd);
	if (link_get(nl, name, &tap, e) < 0)
		return err_set(e, ENODEV, "the tap %s is gone", name);
	TRY(link_set_no_addresses(nl, name, e));
	TRY(link_set_mtu(nl, name, link->mtu, e));
	TRY(link_set_up(nl, name, true, e));
	TRY(redirect_make(nl, tap.index, name, link->index, e));
	TRY(redirect_make(nl, link->index, link->name, tap.index, e));
	log_debug("the microVM has the packets of %s by %s", link->name, name);
	*ret_tap = take_fd(&fd);
	return 0;
}

void vmnet_release(struct vmnet_hold *h)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	struct err e = { 0 };

	if (netlink_open(-1, &nl, &e) < 0) {
		log_warn("%s", e.msg);
		return;
	}
	for (size_t i = 0; i < GUEST_LINKS_MAX; i++) {
		if (h->taps[i] < 0)
			continue;
		if (redirect_remove(&nl, h->index[i], h->network.links[i].name, &e) < 0)
			log_warn("%s", e.msg);
		close_fd(&h->taps[i]);
	}
}

int vmnet_hold(struct vmnet_hold *ret, struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	struct found f;

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < GUEST_LINKS_MAX; i++)
		ret->taps[i] = -1;
	TRY(netlink_open(-1, &nl, e));
	TRY(find_links(&nl, &f, e));
	if (!f.n)
		return 0;
	TRY(tell(&nl, &f, &ret->network, e));
	for (size_t i = 0; i < f.n; i++) {
		ret->index[i] = f.at[i].index;
		if (hold_link(&nl, &f.at[i], &ret->taps[i], e) < 0) {
			vmnet_release(ret);
			return -e->code;
		}
	}
	return 0;
}

static int make_document(const struct guest_network *n, struct err *e)
{
	auto_fd int fd = memfd_create("network", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(e, "make a memory file");
	r = io_write_all(fd, n, sizeof(*n));
	return r < 0 ? err_neg(e, r, "write the network for the guest") : take_fd(&fd);
}

/* Returns the value of the answer. */
static int ask(int control, const int *fds, size_t n, struct err *e)
{
	struct control_message m = { .say = CONTROL_NETWORK };
	int none = -1, r = io_send_fds(control, &m, sizeof(m), fds, n);
	ssize_t got;

	if (r < 0)
		return err_neg(e, r, "send the network to the microVM");
	got = io_recv_fds(control, &m, sizeof(m), &none, 1);
	close_fd(&none);
	if (got == -EAGAIN)
		return err_set(e, ETIMEDOUT, "the guest has not made its network within %d s",
			       ANSWER_WAIT);
	if (got == sizeof(m) && m.say == CONTROL_FAILED) {
		*e = m.err;
		return -e->code;
	}
	if (got != sizeof(m) || m.say != CONTROL_DONE)
		return err_set(e, ESRCH, "the microVM ended while its network was made");
	return m.value != 0;
}

/*
 * While redirects are made or taken away there, nobody else does. flock(2) on the namespace itself:
 * closing `netns`, at the end of the process at the latest, gives it back. Whoever is in there can
 * keep it as well, hence the deadline.
 */
static int lock(int netns, struct err *e)
{
	int r = lock_file(netns, LOCK_WAIT);

	if (r == -ETIMEDOUT)
		return err_set(
			e, ETIMEDOUT,
			"lock the network namespace: another process has kept the lock for %d s",
			LOCK_WAIT);
	return r < 0 ? err_neg(e, r, "lock the network namespace") : 0;
}

static int give(int control, int netns, struct err *e)
{
	static struct vmnet_hold h;
	int fds[1 + GUEST_LINKS_MAX];
	auto_fd int document = -1;
	int r = ask(control, NULL, 0, e); /* a start that was killed may have come so far */

	if (r)
		return r < 0 ? r : 0;
	TRY(lock(netns, e));
	TRY(vmnet_hold(&h, e));
	if (flock(netns, LOCK_UN) < 0) { /* the guest takes its time */
		err_sys(e, "unlock the network namespace");
		vmnet_release(&h);
		return -e->code;
	}
	if (!h.network.n_links)
		return 0;
	document = make_document(&h.network, e);
	fds[0] = document;
	memcpy(fds + 1, h.taps, sizeof(h.taps));
	r = document < 0 ? document : ask(control, fds, 1 + h.network.n_links, e);
	if (r < 0)
		vmnet_release(&h);
	return r < 0 ? r : 0;
}

/* Whether the namespace is another than ours. */
static int is_other(int netns, struct err *e)
{
	struct stat its, ours;

	if (fstat(netns, &its) < 0 || stat("/proc/self/ns/net", &ours) < 0)
		return err_sys(e, "look at the network namespaces");
	return its.st_ino != ours.st_ino || its.st_dev != ours.st_dev;
}

struct job {
	int netns;
	int control; /* -1: what is left there is taken away */
	pid_t parent;
};

/* Names of links by their numbers, when a guest is gone. */
struct leftovers {
	struct {
		unsigned index;
		char name[IF_NAMESIZE];
	} at[LINKS_MAX];
	size_t n;
};

static int note_link(const struct link_info *link, void *ctx)
{
	struct leftovers *l = ctx;

	if (l->n == LINKS_MAX)
		return -E2BIG;
	l->at[l->n].index = link->index;
	memcpy(l->at[l->n++].name, link->name, IF_NAMESIZE);
	return 0;
}

static int clear(int netns, struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	static struct leftovers l;

	TRY(lock(netns, e));
	TRY(netlink_open(-1, &nl, e));
	TRY(link_each(&nl, note_link, &l, e));
	for (size_t i = 0; i < l.n; i++)
		TRY(redirect_clear(&nl, l.at[i].index, l.at[i].name, e));
	return 0;
}

_Noreturn static void do_job(const struct job *job, int report)
{
	struct err e = { 0 };
	int r;

	/* A parent that was gone before that was set is nobody's signal. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != job->parent)
		_exit(2);
	if (setns(job->netns, CLONE_NEWNET) < 0)
		r = err_sys(&e, "enter the container's network namespace");
	else
		r = job->control >= 0 ? give(job->control, job->netns, &e) : clear(job->netns, &e);
	if (r >= 0)
		e = (struct err){ 0 };
	_exit(io_write_all(report, &e, sizeof(e)) < 0 ? 2 : 0);
}

/* In a process of its own: namespaces are entered for good, and taps go if we do. */
static int run_job(const struct job *job, struct err *e)
{
	auto_fd int reading = -1;
	struct err why;
	int pipes[2];
	bool told;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	reading = pipes[0];
	pid = fork();
	if (pid == 0)
		do_job(job, pipes[1]);
	close(pipes[1]);
	if (pid < 0)
		return err_sys(e, "make a process for the microVM's network");
	/* What it says counts, not its status, which who ignores SIGCHLD does not get. */
	told = io_read_all(reading, &why, sizeof(why)) == sizeof(why);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (told && why.code == 0)
		return 0;
	if (!told || why.code < 0)
		return err_set(e, ECHILD, "the microVM's network: its process was killed");
	why.msg[sizeof(why.msg) - 1] = '\0';
	return err_set(e, why.code, "the microVM's network: %s", why.msg);
}

int vmnet_connect(int dir, pid_t pid, struct err *e)
{
	const struct timeval wait = { .tv_sec = ANSWER_WAIT };
	auto_fd int netns = -1, control = -1;
	char path[64];
	int r;

	if (geteuid() != 0) {
		log_info("the microVM has no network but its loopback: hull is not root");
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return err_sys(e, "open %s", path);
	r = is_other(netns, e);
	if (r <= 0)
		return r;
	control = control_open(dir, e);
	TRY(control);
	if (setsockopt(control, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
		return err_sys(e, "the machine's control socket: set its timeout");
	return run_job(&(struct job){ netns, control, getpid() }, e);
}

int vmnet_disconnect(const struct spec *s, struct err *e)
{
	const struct spec_namespace *ns = spec_namespace(s, SPEC_NS_NETWORK);
	auto_fd int netns = -1;
	struct statfs fs;
	int r;

	if (!ns || !ns->path || geteuid() != 0) /* who is not root gave it nothing */
		return 0;
	netns = open(ns->path, O_RDONLY | O_CLOEXEC);
	if (netns < 0 && errno == ENOENT)
		return 0;
	if (netns < 0 || fstatfs(netns, &fs) < 0)
		return err_sys(e, "open the network namespace %s", ns->path);
	if (fs.f_type != NSFS_MAGIC) /* an empty file on which it was mounted */
		return 0;
	r = is_other(netns, e);
	return r <= 0 ? r : run_job(&(struct job){ netns, -1, getpid() }, e);
}
