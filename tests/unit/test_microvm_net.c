/*
 * A namespace given over to a microVM, and its network made again: here over a veth of another
 * namespace, which is what a guest's interface looks like. Each test has namespaces of its own.
 * At the end the VMM between the two, with nothing of a machine but its devices.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/io.h"
#include "microvm/control.h"
#include "microvm/vmm.h"
#include "microvm/vmnet.h"
#include "network/link.h"
#include "network/redirect.h"
#include "network/tap.h"

enum { TYPE = 0x88b5 /* for experiments */, WAIT_MS = 5000 };

static struct netlink nl = NETLINK_CLOSED, guest = NETLINK_CLOSED;
static int guest_ns = -1;
static struct vmnet_hold held;

static struct subnet net(const char *text, unsigned prefix)
{
	struct subnet s = { .prefix = prefix };

	cr_assert_eq(addr_parse(text, &s.base, NULL), 0);
	return s;
}

static struct link_info get(struct netlink *where, const char *name)
{
	struct link_info link = { 0 };
	struct err e = { 0 };

	cr_assert_eq(link_get(where, name, &link, &e), 0, "%s: %s", name, e.msg);
	return link;
}

/* A pair of interfaces; the first is up and has an address. */
static void make_link(const char *name, const char *far_name, const char *address, unsigned mtu)
{
	const struct link_wish wish = { .name = name, .mtu = mtu, .up = true };
	struct subnet a = net(address, 24);
	struct err e = { 0 };

	if (link_make_veth(&nl, &wish, &(struct link_wish){ .name = far_name }, &e) < 0)
		cr_skip_test("%s", e.msg);
	cr_assert_eq(link_set_up(&nl, far_name, true, &e), 0, "%s", e.msg);
	cr_assert_eq(link_add_address(&nl, name, &a, &e), 0, "%s", e.msg);
}

/* The far ends go to the namespace that plays everybody else. */
static void make_far_end(int ns, const char *name)
{
	struct err e = { 0 };

	cr_assert_eq(link_move(&nl, name, ns, name, &e), 0, "%s", e.msg);
}

static int new_namespace(void)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), ns;

	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(setns(home, CLONE_NEWNET), 0);
	close(home);
	return ns;
}

static void set_up(void)
{
	struct err e = { 0 };

	if (unshare(CLONE_NEWNET) < 0)
		cr_skip_test("needs CAP_SYS_ADMIN");
	cr_assert_eq(netlink_open(-1, &nl, &e), 0, "%s", e.msg);
	guest_ns = new_namespace();
	cr_assert_eq(netlink_open(guest_ns, &guest, &e), 0, "%s", e.msg);
}

static void tear_down(void)
{
	netlink_close(&nl);
	netlink_close(&guest);
	close_fd(&guest_ns);
}

TestSuite(vmnet, .init = set_up, .fini = tear_down, .timeout = 60);

static void hold(void)
{
	struct err e = { 0 };
	int r = vmnet_hold(&held, &e);

	if (r == -ENOENT || r == -EPERM || r == -ENODEV)
		cr_skip_test("%s", e.msg);
	cr_assert_eq(r, 0, "%s", e.msg);
}

Test(vmnet, nothing_but_a_loopback)
{
	struct err e = { 0 };

	cr_assert_eq(link_set_up(&nl, "lo", true, &e), 0, "%s", e.msg);
	cr_assert_eq(vmnet_hold(&held, &e), 0, "%s", e.msg);
	cr_expect_eq(held.network.n_links, 0U);
}

/* At a far end, which is in the other namespace. */
static int listen_at(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(TYPE) };
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd;
	struct err e = { 0 };

	cr_assert_eq(link_set_up(&guest, name, true, &e), 0, "%s", e.msg);
	cr_assert_eq(setns(guest_ns, CLONE_NEWNET), 0);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	at.sll_ifindex = (int)get(&guest, name).index;
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0, "errno %d", errno);
	cr_assert_eq(setns(home, CLONE_NEWNET), 0);
	close(home);
	return fd;
}

/* One frame in, and the same one out, behind a header or not. */
static void pass(int from, size_t header_from, int to, size_t header_to)
{
	uint8_t frame[TAP_HEADER + 60] = { 0 }, got[2048] = { 0 };
	uint8_t *at = frame + header_from;
	struct pollfd p = { .fd = to, .events = POLLIN };

	memset(at, 0xff, 6);
	at[6] = 2;
	at[12] = TYPE >> 8;
	at[13] = TYPE & 0xff;
	at[14] = 'x';
	cr_assert_eq(write(from, frame, header_from + 60), (ssize_t)(header_from + 60));
	do
		cr_assert_eq(poll(&p, 1, WAIT_MS), 1, "nothing came");
	while (read(to, got, sizeof(got)) > 0 && got[header_to + 12] != TYPE >> 8);
	cr_expect_eq(got[header_to + 14], 'x');
}

Test(vmnet, interfaces_are_held_and_given_back)
{
	struct link_info before, after;
	struct err e = { 0 };
	int far;

	make_link("eth0", "far0", "10.7.0.2", 1400);
	make_link("net1", "far1", "10.8.0.2", 1300);
	cr_assert_eq(link_make_veth(&nl, &(struct link_wish){ .name = "down0" },
				    &(struct link_wish){ .name = "down1" }, &e),
		     0, "%s", e.msg);
	make_far_end(guest_ns, "far0");
	make_far_end(guest_ns, "far1");
	far = listen_at("far0");
	cr_assert_eq(link_set_up(&guest, "far1", true, &e), 0, "%s", e.msg);
	before = get(&nl, "eth0");
	hold();
	cr_assert_eq(held.network.n_links, 2U, "eth0 and net1");
	cr_expect_str_eq(held.network.links[0].name, "eth0");
	cr_expect_eq(held.network.links[0].mtu, 1400U);
	cr_expect_eq(held.network.links[0].n_addresses, 1);
	cr_expect_arr_eq(&held.network.links[0].mac, &before.mac, sizeof(before.mac));
	pass(far, 0, held.taps[0], TAP_HEADER);
	pass(held.taps[0], TAP_HEADER, far, 0);
	vmnet_release(&held);
	after = get(&nl, "eth0");
	cr_expect_eq(before.mtu, after.mtu);
	cr_expect_eq(redirect_make(&nl, after.index, "eth0", before.index, &e), 0, "%s", e.msg);
	close(far);
}

Test(vmnet, a_held_interface_is_not_held_again)
{
	static struct vmnet_hold again;
	struct err e = { 0 };

	make_link("eth0", "far0", "10.7.0.2", 1400);
	make_far_end(guest_ns, "far0");
	cr_assert_eq(link_set_up(&guest, "far0", true, &e), 0, "%s", e.msg);
	hold();
	cr_expect_eq(vmnet_hold(&again, &e), -EEXIST);
	cr_expect_str_eq(e.msg, "eth0 has an ingress qdisc already: what comes in there is another "
				"microVM's, or somebody else's");
	close_fd(&held.taps[0]); /* the VMM was killed */
	hold();
	vmnet_release(&held);
}

Test(vmnet, more_interfaces_than_a_guest_can_have)
{
	struct err e = { 0 };

	make_link("eth0", "eth1", "10.7.0.2", 1400);
	make_link("eth2", "eth3", "10.8.0.2", 1400);
	make_link("eth4", "eth5", "10.9.0.2", 1400);
	cr_expect_eq(vmnet_hold(&held, &e), -ENOTSUP);
	cr_expect_str_eq(e.msg, "a microVM can't have more than 4 interfaces");
}

Test(vmnet, two_interfaces_of_one_mac)
{
	const struct net_mac mac = { { 2, 1, 1, 1, 1, 1 } };
	struct err e = { 0 };

	if (link_make_veth(&nl, &(struct link_wish){ .name = "two", .mac = mac, .up = true },
			   &(struct link_wish){ .name = "one", .mac = mac }, &e) < 0)
		cr_skip_test("%s", e.msg);
	cr_assert_eq(link_set_up(&nl, "one", true, &e), 0, "%s", e.msg);
	cr_expect_eq(vmnet_hold(&held, &e), -ENOTSUP);
	cr_expect_str_eq(e.msg, "one and two have the same MAC, by which a guest tells interfaces "
				"apart");
}

/* The guest's interface has the MAC and nothing else yet, and another's name. */
static void make_guests(const char *name, const struct net_mac *mac)
{
	const struct link_wish wish = { .name = name, .mac = *mac };
	char far[IF_NAMESIZE];
	struct err e = { 0 };

	snprintf(far, sizeof(far), "wire-%s", name);
	cr_assert_eq(link_make_veth(&guest, &wish, &(struct link_wish){ .name = far }, &e), 0, "%s",
		     e.msg);
	cr_assert_eq(link_set_up(&guest, far, true, &e), 0, "%s", e.msg);
}

Test(vmnet, the_guest_has_what_the_namespace_has)
{
	static struct link_route routes[LINK_ROUTES_MAX];
	static struct link_address addresses[LINK_ADDRESSES_MAX];
	struct net_addr gateway = net("10.7.0.1", 0).base, gateway6 = net("fd07::1", 0).base;
	struct subnet six = net("fd07::2", 64), none = { 0 }, far = net("172.30.0.0", 16);
	static struct guest_network copy;
	struct link_info eth;
	struct err e = { 0 };
	int n;

	make_link("eth0", "far0", "10.7.0.2", 1400);
	make_link("net1", "far1", "10.8.0.2", 1300);
	make_far_end(guest_ns, "far0");
	make_far_end(guest_ns, "far1");
	cr_assert_eq(link_set_up(&guest, "far0", true, &e), 0);
	cr_assert_eq(link_set_up(&guest, "far1", true, &e), 0);
	cr_assert_eq(link_add_address(&nl, "eth0", &six, &e), 0, "%s", e.msg);
	cr_assert_eq(route_add(&nl, "eth0", &none, &gateway, &e), 0, "%s", e.msg);
	cr_assert_eq(route_add(&nl, "eth0", &none, &gateway6, &e), 0, "%s", e.msg);
	cr_assert_eq(route_add(&nl, "net1", &far, &(struct net_addr){ 0 }, &e), 0, "%s", e.msg);
	hold();
	cr_assert_eq(held.network.n_links, 2U);
	cr_expect_eq(held.network.n_addresses, 3U);
	cr_expect_eq(held.network.n_routes, 3U);
	cr_assert_eq(guest_network_read(&held.network, sizeof(held.network), &copy), 0);
	/* crossed names */
	make_guests("net1", &held.network.links[0].mac);
	make_guests("eth0", &held.network.links[1].mac);
	cr_assert_eq(guest_network_apply(&guest, &copy, &e), 0, "%s", e.msg);
	cr_expect_eq(get(&guest, "eth0").mtu, 1400U);
	cr_expect_eq(get(&guest, "net1").mtu, 1300U);
	cr_expect(get(&guest, "eth0").up);
	eth = get(&guest, "eth0");
	cr_expect_arr_eq(&eth.mac, &held.network.links[0].mac, sizeof(eth.mac));
	n = addresses_read(&guest, get(&guest, "eth0").index, "eth0", addresses, &e);
	cr_assert_eq(n, 2, "%s", e.msg);
	cr_expect_arr_eq(addresses, held.network.addresses, 2 * sizeof(addresses[0]));
	n = routes_read(&guest, routes, &e);
	cr_assert_eq(n, 3, "%s", e.msg);
	for (int i = 0; i < n; i++) {
		struct link_route r = routes[i];
		int seen = 0;

		r.index = r.index == get(&guest, "eth0").index ? 1 : 2;
		for (int k = 0; k < n; k++)
			seen += memcmp(&r, &held.network.routes[k], sizeof(r)) == 0;
		cr_expect_eq(seen, 1, "route %d", i);
	}
	vmnet_release(&held);
}

Test(vmnet, without_device_or_namespace)
{
	char path[] = "/tmp/vmnet-XXXXXX";
	struct spec_namespace ns = { .type = SPEC_NS_NETWORK, .path = path };
	struct spec s = { .linux.namespaces = { &ns, 1 } };
	struct err e = { 0 };
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_expect_eq(vmnet_disconnect(&s, &e), 0, "a file that is none: %s", e.msg);
	unlink(path);
	cr_expect_eq(vmnet_disconnect(&s, &e), 0, "no file: %s", e.msg);
	ns.path = "/proc/self/ns/net";
	cr_expect_eq(vmnet_disconnect(&s, &e), 0, "our own: %s", e.msg);
	cr_expect_eq(vmnet_connect(-1, getpid(), &e), 0, "our own: %s", e.msg);
	close(fd);
}

Test(vmnet, what_is_left_in_a_namespace_with_a_path)
{
	struct spec_namespace ns = { .type = SPEC_NS_NETWORK };
	struct spec s = { .linux.namespaces = { &ns, 1 } };
	char path[64];
	struct err e = { 0 };
	int own = new_namespace();

	make_link("eth0", "far0", "10.7.0.2", 1400);
	make_far_end(guest_ns, "far0");
	cr_assert_eq(link_set_up(&guest, "far0", true, &e), 0, "%s", e.msg);
	hold();
	snprintf(path, sizeof(path), "/proc/%d/task/%d/ns/net", getpid(), gettid());
	ns.path = path;
	/* Seen from elsewhere: this one is held, and stays so; when the VMM is gone, it is not. */
	for (int killed = 0; killed < 2; killed++) {
		int here = open(path, O_RDONLY | O_CLOEXEC);
		char by_fd[64];

		snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", here);
		ns.path = by_fd;
		if (killed)
			close_fd(&held.taps[0]);
		cr_assert_eq(setns(own, CLONE_NEWNET), 0);
		cr_expect_eq(vmnet_disconnect(&s, &e), 0, "%s", e.msg);
		cr_assert_eq(setns(here, CLONE_NEWNET), 0);
		cr_expect_eq(redirect_make(&nl, get(&nl, "eth0").index, "eth0",
					   get(&nl, "eth0").index, &e),
			     killed ? 0 : -EEXIST, "%s", e.msg);
		close(here);
	}
	close(own);
}

Test(guest_network, what_is_none)
{
	static struct guest_network n, got;

	cr_expect_eq(guest_network_read(&n, sizeof(n) - 1, &got), -EPROTO);
	cr_expect_eq(guest_network_read(&n, sizeof(n), &got), 0);
	n.n_links = GUEST_LINKS_MAX + 1;
	cr_expect_eq(guest_network_read(&n, sizeof(n), &got), -EPROTO);
	n.n_links = 1;
	n.links[0].n_addresses = 1;
	cr_expect_eq(guest_network_read(&n, sizeof(n), &got), -EPROTO, "an address too few");
	n.n_addresses = 1;
	cr_expect_eq(guest_network_read(&n, sizeof(n), &got), 0);
	n.addresses[0].peer_len = sizeof(n.addresses[0].peer) + 1;
	cr_expect_eq(guest_network_read(&n, sizeof(n), &got), -EPROTO, "a long address");
	n.addresses[0].peer_len = 0;
	memset(n.links[0].name, 'x', IF_NAMESIZE);
	cr_expect_eq(guest_network_read(&n, sizeof(n), &got), -EPROTO, "a name without end");
	n.links[0].name[0] = '\0';
	n.n_routes = 1;
	n.routes[0].index = 2;
	cr_expect_eq(guest_network_read(&n, sizeof(n), &got), -EPROTO, "over no link");
	n.routes[0].index = 1;
	cr_expect_eq(guest_network_read(&n, sizeof(n), &got), 0);
	n.routes[0].metrics_len = ROUTE_METRICS_MAX + 1;
	cr_expect_eq(guest_network_read(&n, sizeof(n), &got), -EPROTO, "long metrics");
	n.routes[0].metrics_len = 0;
	n.n_routes = LINK_ROUTES_MAX + 1;
	n.routes[0].index = 0;
	cr_expect_eq(guest_network_read(&n, sizeof(n), &got), -EPROTO);
}

/* A length is of bytes that would be read, and put into a request. */
Test(guest_network, lengths)
{
	static struct guest_network n = { .n_links = 1, .n_addresses = 1, .n_routes = 1 }, got;
	struct link_address *a = &n.addresses[0];
	struct link_route *r = &n.routes[0];
	const struct {
		uint8_t *length, most;
	} rows[] = {
		{ &a->local_len, 16 },       { &a->peer_len, 16 },    { &a->broadcast_len, 16 },
		{ &r->destination_len, 16 }, { &r->gateway_len, 16 }, { &r->source_len, 16 },
		{ &r->metrics_len, 64 },
	};

	n.links[0].n_addresses = 1;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		*rows[i].length = rows[i].most;
		cr_expect_eq(guest_network_read(&n, sizeof(n), &got), 0, "%zu", i);
		*rows[i].length = (uint8_t)(rows[i].most + 1);
		cr_expect_eq(guest_network_read(&n, sizeof(n), &got), -EPROTO, "%zu", i);
		*rows[i].length = 0;
	}
}

static struct vmm vmm;
static int command = -1; /* at its control socket */

static void make_vmm(void)
{
	int pair[2];

	vmm = (struct vmm){ .state = VMM_CREATED, .sock = -1, .gate = -1, .conn = -1 };
	for (size_t i = 0; i < VMM_PEERS; i++)
		vmm.peers[i].fd = -1;
	for (size_t i = 0; i < GUEST_LINKS_MAX; i++) {
		vmm.nets[i].tap = -1;
		virtio_set_absent(&vmm.nets[i].v, true);
	}
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	vmm.peers[3].fd = pair[0];
	command = pair[1];
}

/* With a document of these bytes and so many "taps"; its answer's `say`, 0 if there is none yet. */
static uint32_t ask_vmm(const void *document, size_t size, size_t n_taps,
			struct control_message *ret)
{
	struct control_message m = { .say = CONTROL_NETWORK };
	int fds[CONTROL_FDS], r;

	fds[0] = memfd_create("document", 0);
	cr_assert_eq(io_write_all(fds[0], document, size), 0);
	for (size_t i = 0; i < n_taps; i++)
		fds[1 + i] = open("/dev/null", O_RDWR);
	r = io_send_fds(command, &m, sizeof(m), fds, document ? 1 + n_taps : 0);
	cr_assert_eq(r, 0);
	for (size_t i = 0; i < 1 + n_taps; i++)
		close(fds[i]);
	vmm_hear(&vmm, &vmm.peers[3]);
	*ret = (struct control_message){ 0 };
	return recv(command, ret, sizeof(*ret), 0) == sizeof(*ret) ? ret->say : 0;
}

Test(vmm, its_network_comes_once_and_is_told_when_it_is_there)
{
	static struct guest_network n = {
		.n_links = 2,
		.links = { { .name = "eth0", .mtu = 1400, .mac = { { 2, 0, 0, 0, 0, 1 } } },
			   { .name = "net1", .mtu = 9000, .mac = { { 2, 0, 0, 0, 0, 2 } } } },
	};
	const struct frame made = { .type = FRAME_NETWORK };
	struct frame_reader reader;
	struct control_message m;
	struct err e = { 0 };
	struct frame f;

	make_vmm();
	cr_expect_eq(vmm_frame(&vmm, &made, &e), -EPROTO, "nobody has asked");
	cr_expect(strstr(e.msg, " out of turn"), "%s", e.msg);
	cr_expect_eq(ask_vmm(NULL, 0, 0, &m), (uint32_t)CONTROL_DONE);
	cr_expect_eq(m.value, 0U);
	cr_expect_eq(ask_vmm(&n, sizeof(n) - 1, 2, &m), (uint32_t)CONTROL_FAILED);
	cr_expect_str_eq(m.err.msg, "what was sent is no network");
	cr_expect_eq(ask_vmm(&n, sizeof(n), 1, &m), (uint32_t)CONTROL_FAILED);
	cr_expect_str_eq(m.err.msg, "a network of 2 taps came without them");
	cr_expect(virtio_is_absent(&vmm.nets[0].v));
	cr_expect_eq(ask_vmm(&n, sizeof(n), 2, &m), 0U, "the guest has not said anything");
	cr_expect_not(virtio_is_absent(&vmm.nets[1].v));
	cr_expect(virtio_is_absent(&vmm.nets[2].v));
	cr_expect_eq(vmm.nets[1].mtu, 9000);
	frame_reader_init(&reader, FRAME_FROM_HOST);
	frame_reader_add(&reader, vmm.mux.out.text, vmm.mux.out.len);
	cr_assert_eq(frame_reader_next(&reader, &f), 1);
	cr_expect_eq(f.type, FRAME_NETWORK);
	cr_expect(f.size == sizeof(n) && memcmp(f.bytes, &n, sizeof(n)) == 0);
	frame_reader_done(&reader);
	cr_expect_eq(ask_vmm(&n, sizeof(n), 2, &m), (uint32_t)CONTROL_FAILED);
	cr_expect_str_eq(m.err.msg, "a network comes before the start, and once");
	cr_expect_eq(vmm_frame(&vmm, &made, &e), 0, "%s", e.msg);
	cr_expect_eq(recv(command, &m, sizeof(m), 0), (ssize_t)sizeof(m));
	cr_expect(m.say == CONTROL_DONE && m.value == 1);
	cr_expect_eq(ask_vmm(NULL, 0, 0, &m), (uint32_t)CONTROL_DONE);
	cr_expect_eq(m.value, 1U);
	cr_expect_eq(vmm_frame(&vmm, &made, &e), -EPROTO, "once");
}

Test(vmm, without_its_network_there_is_no_container)
{
	const struct frame failed = { .type = FRAME_FAILED,
				      .bytes = (const uint8_t *)"\x13\0\0\0no eth0",
				      .size = 11 };
	struct control_message m = { 0 };
	struct err e = { 0 };
	int status;
	pid_t pid;

	make_vmm();
	vmm.network = VMM_NETWORK_ASKED;
	vmm.peers[3].network = true;
	pid = fork();
	if (pid == 0)
		_exit(vmm_frame(&vmm, &failed, &e) == 0 ? 0 : 1);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 255);
	cr_assert_eq(recv(command, &m, sizeof(m), 0), (ssize_t)sizeof(m));
	cr_expect_eq(m.say, (uint32_t)CONTROL_FAILED);
	cr_expect_str_eq(m.err.msg, "no eth0");
	cr_expect_eq(m.err.code, ENODEV);
}
