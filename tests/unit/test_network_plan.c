/* What is said to the kernel and to programs, and what was made: modes, rules, records. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/io.h"
#include "network/attach.h"
#include "network/nft.h"
#include "network/record.h"
#include "network/rootless.h"
#include "tests/unit/test_dir.h"

TestSuite(network_plan, .init = dir_make, .fini = dir_remove);

static const char *or_none(const char *text)
{
	return text ? text : "(none)";
}

Test(network_plan, modes)
{
	static const struct {
		const char *text;
		enum net_mode mode;
		const char *network, *container, *path, *error;
	} rows[] = {
		{ "bridge", NET_NETWORKS },
		{ "default", NET_NETWORKS },
		{ "none", NET_NONE },
		{ "host", NET_HOST },
		{ "pasta", NET_PASTA },
		{ "slirp4netns", NET_SLIRP },
		{ "web", NET_NETWORKS, "web" },
		{ "container:db", NET_JOINED, NULL, "db" },
		{ "ns:/run/netns/x", NET_JOINED, NULL, NULL, "/run/netns/x" },

		{ "", .error = "the name of a network is empty" },
		{ "ns:x", .error = "network \"ns:x\": the path of a namespace begins with \"/\"" },
		{ "container:", .error = "\"\" is no id of a container" },
		{ "container:../x", .error = "\"../x\" is no id of a container" },
		{ "container",
		  .error = "network \"container\": that is bridge, none, host, pasta, "
			   "slirp4netns, container:ID, ns:PATH or the name of a network" },
		{ "Web!",
		  .error = "network name \"Web!\": only letters, digits, \"_\", \".\" and \"-\" "
			   "are allowed, and the first is a letter or digit" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net_mode_choice c = { 0 };
		struct err e = { 0 };
		int r = network_mode_parse(rows[i].text, &c, &e);

		cr_expect_eq(r, rows[i].error ? -EINVAL : 0);
		cr_expect_str_eq(e.msg, rows[i].error ? rows[i].error : "");
		cr_expect_eq(c.mode, rows[i].mode);
		cr_expect_str_eq(or_none(c.network), or_none(rows[i].network));
		cr_expect_str_eq(or_none(c.container), or_none(rows[i].container));
		cr_expect_str_eq(or_none(c.path), or_none(rows[i].path));
	}
}

static struct port port_of(const char *text)
{
	struct port p = { 0 };

	cr_assert_eq(port_parse(text, &p, NULL), 0);
	return p;
}

static struct net_addr addr_of(const char *text)
{
	struct net_addr a = { 0 };

	cr_assert_eq(addr_parse(text, &a, NULL), 0);
	return a;
}

Test(network_plan, rules_of_ports)
{
	static const struct {
		const char *port;
		bool v6, remove;
		const char *text;
	} rows[] = {
		{ "8080:80", false, false,
		  "add element inet hull publish4 { tcp . 8080 comment \"web\" : 10.0.0.2 . 80 "
		  "}\n" },
		{ "8080:80", true, false,
		  "add element inet hull publish4 { tcp . 8080 comment \"web\" : 10.0.0.2 . 80 }\n"
		  "add element inet hull publish6 { tcp . 8080 comment \"web\" : fd00::2 . 80 "
		  "}\n" },
		{ "0.0.0.0:8080:80", true, false,
		  "add element inet hull publish4 { tcp . 8080 comment \"web\" : 10.0.0.2 . 80 "
		  "}\n" },
		{ "[::]:8080:80/udp", true, false,
		  "add element inet hull publish6 { udp . 8080 comment \"web\" : fd00::2 . 80 "
		  "}\n" },
		{ "127.0.0.1:8080:80", true, false,
		  "add element inet hull publish4_at { 127.0.0.1 . tcp . 8080 comment \"web\" : "
		  "10.0.0.2 . 80 }\n" },
		{ "8080-8081:80-81", false, false,
		  "add element inet hull publish4 { tcp . 8080 comment \"web\" : 10.0.0.2 . 80 }\n"
		  "add element inet hull publish4 { tcp . 8081 comment \"web\" : 10.0.0.2 . 81 "
		  "}\n" },
		{ "8080:80", false, true,
		  "add element inet hull publish4 { tcp . 8080 comment \"web\" : 10.0.0.2 . 80 }\n"
		  "delete element inet hull publish4 { tcp . 8080 }\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf text = { 0 };
		struct port p = port_of(rows[i].port);
		struct record r = { .id = "web", .ports = { &p, 1 }, .to = addr_of("10.0.0.2") };

		if (rows[i].v6)
			r.to6 = addr_of("fd00::2");
		nft_ports(&text, &r, rows[i].remove);
		cr_expect_str_eq(or_none(text.text), rows[i].text);
	}
}

Test(network_plan, rules_of_a_network)
{
	auto_buf struct buf text = { 0 }, none = { 0 };
	struct network n = { .name = "web", .link = "hull1" };

	cr_assert_eq(subnet_parse("10.0.0.0/24", &n.subnet, NULL), 0);
	nft_network(&text, &n, false);
	cr_expect_str_eq(text.text,
			 "add element inet hull bridges { \"hull1\" }\n"
			 "add element inet hull same { \"hull1\" . \"hull1\" }\n"
			 "add element inet hull subnets4 { 10.0.0.0/24 }\n"
			 "add element inet hull within4 { 10.0.0.0/24 . 10.0.0.0/24 }\n");
	buf_clear(&text);
	n.internal = true;
	nft_network(&text, &n, false);
	cr_expect_str_eq(text.text,
			 "add element inet hull bridges { \"hull1\" }\n"
			 "add element inet hull internal { \"hull1\" }\n"
			 "add element inet hull same { \"hull1\" . \"hull1\" }\n"
			 "add element inet hull within4 { 10.0.0.0/24 . 10.0.0.0/24 }\n");
	n.driver = NETWORK_MACVLAN;
	nft_network(&none, &n, false);
	cr_expect_eq(none.len, 0);
}

Test(network_plan, pasta)
{
	auto_arena struct arena a = { 0 };
	struct port ports[] = { port_of("8080:80"), port_of("127.0.0.1:53:5353/udp"),
				port_of("9000-9001:1-2") };
	struct port_list list = { ports, 3 }, none = { 0 };
	struct net_request req = { .owner = 42 };
	auto_buf struct buf text = { 0 };
	const char *const *args = rootless_pasta_args(&req, &list, "/p", &a);

	for (; *args; args++)
		buf_printf(&text, "%s ", *args);
	cr_expect_str_eq(text.text,
			 "pasta --config-net --quiet --no-map-gw --ns-ifname eth0 --dns-forward "
			 "169.254.1.1 --pid /p --tcp-ports 8080:80 --udp-ports 127.0.0.1/53:5353 "
			 "--tcp-ports 9000-9001:1-2 --tcp-ns none --udp-ns none 42 ");
	buf_clear(&text);
	for (args = rootless_pasta_args(&req, &none, "/p", &a); *args; args++)
		buf_printf(&text, "%s ", *args);
	cr_expect(strstr(text.text, "--tcp-ports none --udp-ports none") != NULL);
}

Test(network_plan, records)
{
	auto_arena struct arena a = { 0 };
	struct port p = port_of("127.0.0.1:8080:80/udp");
	struct record_interface it = { .network = "web", .link = "hv1", .name = "eth0" };
	const char *names[] = { "db", "alias" };
	struct record r = { .id = "db", .ports = { &p, 1 }, .names = { names, 2 } }, back = { 0 };
	struct record_list all = { 0 };
	struct err e = { 0 };

	it.ip = addr_of("10.0.0.2");
	it.ip6 = addr_of("fd00::2");
	r.to = it.ip;
	r.interfaces.at = &it;
	r.interfaces.n = 1;
	cr_assert_eq(record_boot(&a, &r.boot, &e), 0, "%s", e.msg);
	cr_assert_eq(process_mark(getpid(), &r.owner, &e), 0, "%s", e.msg);
	cr_expect_eq(record_read(dir_fd, "db", &a, &back, &e), -ENOENT);
	cr_assert_eq(record_write(dir_fd, &r, &e), 0, "%s", e.msg);
	cr_assert_eq(record_read(dir_fd, "db", &a, &back, &e), 0, "%s", e.msg);
	cr_expect_str_eq(back.interfaces.at[0].network, "web");
	cr_expect_str_eq(back.interfaces.at[0].link, "hv1");
	cr_expect(addr_equal(&back.interfaces.at[0].ip6, &it.ip6));
	cr_expect(addr_equal(&back.to, &r.to));
	cr_expect_eq(back.to6.family, 0);
	cr_expect_str_eq(port_text(&back.ports.at[0]).text, "127.0.0.1:8080:80/udp");
	cr_expect_eq(back.names.n, 2);
	cr_expect(record_is_alive(&back, r.boot));
	cr_expect_not(record_is_alive(&back, "another boot"));
	back.owner.start++; /* another process that has its number */
	cr_expect_not(record_is_alive(&back, r.boot));
	cr_assert_eq(record_read_all(dir_fd, &a, &all, &e), 0, "%s", e.msg);
	cr_expect_eq(all.n, 1);
	cr_assert_eq(record_forget(dir_fd, "db", &e), 0);
	cr_assert_eq(record_forget(dir_fd, "db", &e), 0);
	dir_file("containers/x.json",
		 "{\"version\":9,\"id\":\"x\",\"boot\":\"\",\"owner\":{\"pid\":1,"
		 "\"start\":1}}");
	cr_expect_eq(record_read(dir_fd, "x", &a, &back, &e), -ENOTSUP);
	cr_expect_str_eq(e.msg,
			 "network record of container x: it has version 9 and this hull knows 1");
}

/* It would be one that nobody can read, and so nobody could take away what it stands for. */
Test(network_plan, a_record_that_is_too_long_is_not_written)
{
	auto_arena struct arena a = { 0 };
	struct record_interface it = { .network = "made", .name = "eth0" };
	struct record r = { .id = "db", .boot = "b", .interfaces = { &it, 1 } }, back = { 0 };
	const char *plugins[] = { "{}" };
	struct err e = { 0 };
	auto_buf struct buf text = { 0 }, expected = { 0 };
	size_t room;

	it.cni = (struct cni_prepared){ .plugins = { plugins, 1 }, .path = "/opt/a:/b" };
	it.cni_result = "";
	cr_assert_eq(record_write(dir_fd, &r, &e), 0, "%s", e.msg);
	cr_assert_eq(io_read_file(dir_fd, "containers/db.json", 1 << 20, "it", &text, &e), 0);
	room = (1 << 20) - text.len;
	buf_clear(&text);
	for (size_t i = 0; i < room; i++)
		buf_char(&text, 'x');
	it.cni_result = text.text;
	cr_assert_eq(record_write(dir_fd, &r, &e), 0, "%s", e.msg);
	cr_assert_eq(record_read(dir_fd, "db", &a, &back, &e), 0, "%s", e.msg);
	cr_expect_eq(strlen(back.interfaces.at[0].cni_result), room);
	cr_expect_str_eq(back.interfaces.at[0].cni.path, "/opt/a:/b");
	buf_char(&text, 'x');
	it.cni_result = text.text;
	cr_expect_eq(record_write(dir_fd, &r, &e), -EFBIG);
	buf_printf(
		&expected,
		"the network record of container db would have %d bytes, and may have %d: it has "
		"too many names, or plug-ins of CNI say too much",
		(1 << 20) + 1, 1 << 20);
	cr_expect_str_eq(e.msg, expected.text);
	cr_expect_eq(record_read(dir_fd, "db", &a, &back, &e), 0, "%s", e.msg);
}

Test(network_plan, the_dead_are_dead)
{
	struct process_mark mark = { 0 };
	struct err e = { 0 };
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	/* A zombie is dead, though it is still in /proc. */
	cr_assert_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	cr_expect_eq(process_mark(pid, &mark, &e), -ESRCH);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	cr_expect_eq(process_mark(pid, &mark, &e), -ESRCH);
	cr_expect_not(process_is_alive(&(struct process_mark){ 0 }));
}
