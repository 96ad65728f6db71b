#include <criterion/criterion.h>
#include <errno.h>

#include "base/buf.h"
#include "network/listen.h"
#include "network/port.h"

Test(port, parsed)
{
	static const struct {
		const char *text, *same, *error;
	} rows[] = {
		{ "80", "80/tcp" },
		{ "8080:80", "8080:80/tcp" },
		{ "8080:80/udp", "8080:80/udp" },
		{ "8080:80/sctp", "8080:80/sctp" },
		{ "127.0.0.1:8080:80", "127.0.0.1:8080:80/tcp" },
		{ "0.0.0.0:8080:80", "0.0.0.0:8080:80/tcp" },
		{ "127.0.0.1::80", "127.0.0.1::80/tcp" },
		{ "[fd00::1]:8080:80/udp", "[fd00::1]:8080:80/udp" },
		{ "[::]:8080:80", "[::]:8080:80/tcp" },
		{ "[fd00::1]::80", "[fd00::1]::80/tcp" },
		{ "8000-8002:80-82", "8000-8002:80-82/tcp" },
		{ "1-65535:1-65535", "1-65535:1-65535/tcp" },
		{ "8000-8000:80", "8000:80/tcp" },

		{ "", NULL, "publish \"\": \"\" is not a port" },
		{ "http", NULL, "publish \"http\": \"http\" is not a port" },
		{ "0:80", NULL, "publish \"0:80\": \"0\" is not a port between 1 and 65535" },
		{ "65536", NULL, "publish \"65536\": \"65536\" is not a port between 1 and 65535" },
		{ "99999999999", NULL,
		  "publish \"99999999999\": \"99999999999\" is not a port between 1 and 65535" },
		{ "-1:80", NULL, "publish \"-1:80\": \"\" is not a port" },
		{ "80:", NULL, "publish \"80:\": \"\" is not a port" },
		{ ":80", NULL, "publish \":80\": there is no host port before \":\"" },
		{ "80/icmp", NULL,
		  "publish \"80/icmp\": \"icmp\" is not a protocol: tcp, udp or sctp" },
		{ "80/", NULL, "publish \"80/\": \"\" is not a protocol: tcp, udp or sctp" },
		{ "82-80", NULL, "publish \"82-80\": the range 82-80 ends before it begins" },
		{ "1-2-3", NULL, "publish \"1-2-3\": \"2-3\" is not a port" },
		{ "8000-8002:80", NULL,
		  "publish \"8000-8002:80\": 3 host ports for 1 container port" },
		{ "8000:80-82", NULL, "publish \"8000:80-82\": 1 host port for 3 container ports" },
		{ "10.0.0:80:80", NULL,
		  "publish \"10.0.0:80:80\": \"10.0.0\" is not an IP address" },
		{ "127.0.0.1:80", NULL, "publish \"127.0.0.1:80\": \"127.0.0.1\" is not a port" },
		{ "::1:80:80", NULL,
		  "publish \"::1:80:80\": an IPv6 address stands in brackets: [::]:8080:80" },
		{ "[::1]:80:80", NULL,
		  "publish \"[::1]:80:80\": the kernel forwards nothing from ::1: publish on "
		  "127.0.0.1 instead" },
		{ "[::1:80:80", NULL,
		  "publish \"[::1:80:80\": \"[\" begins an IPv6 address, which \"]:\" ends" },
		{ "[10.0.0.1]:80:80", NULL,
		  "publish \"[10.0.0.1]:80:80\": \"10.0.0.1\" is not an IPv6 address" },
		{ "80:80:80:80", NULL,
		  "publish \"80:80:80:80\": an IPv6 address stands in brackets: [::]:8080:80" },
		{ " 80:80", NULL, "publish \" 80:80\": \" 80\" is not a port" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct port p = { 0 };
		struct err e = { 0 };
		int r = port_parse(rows[i].text, &p, &e);

		cr_expect_eq(r, rows[i].error ? -EINVAL : 0, "%s: %d", rows[i].text, r);
		cr_expect_str_eq(e.msg, rows[i].error ? rows[i].error : "");
		if (r == 0)
			cr_expect_str_eq(port_text(&p).text, rows[i].same);
	}
}

Test(port, overlap)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{ "8080:80", "8080:81", true },
		{ "8080:80", "8081:80", false },
		{ "8080:80", "8080:80/udp", false },
		{ "8080-8090:80-90", "8090:1", true },
		{ "8080-8090:80-90", "8091:1", false },
		{ "127.0.0.1:8080:80", "8080:80", true },
		{ "127.0.0.1:8080:80", "0.0.0.0:8080:80", true },
		{ "127.0.0.1:8080:80", "127.0.0.2:8080:80", false },
		{ "127.0.0.1:8080:80", "[::]:8080:80", false },
		{ "80", "80", false }, /* each gets a free one */
		{ "65535:1", "65535:2", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct port pair[2] = { 0 };
		struct port_list list = { pair, 2 };
		struct err e = { 0 };

		cr_assert_eq(port_parse(rows[i].a, &pair[0], &e), 0);
		cr_assert_eq(port_parse(rows[i].b, &pair[1], &e), 0);
		cr_expect_eq(port_overlaps(&pair[0], &pair[1]), rows[i].overlap, "%s %s", rows[i].a,
			     rows[i].b);
		cr_expect_eq(port_overlaps(&pair[1], &pair[0]), rows[i].overlap);
		cr_expect_eq(port_list_check(&list, &e), rows[i].overlap ? -EINVAL : 0);
		if (i == 0)
			cr_expect_str_eq(e.msg,
					 "publish 8080:80/tcp and 8080:81/tcp: the same host port");
	}
}

Test(port, sockets)
{
	static const struct {
		const char *text, *name, *port, *error;
	} rows[] = {
		{ "8080", "tcp-8080", "8080:8080/tcp" },
		{ "8080/udp", "udp-8080", "8080:8080/udp" },
		{ "web=8080", "web", "8080:8080/tcp" },
		{ "127.0.0.1:80", "tcp-80", "127.0.0.1:80:80/tcp" },
		{ "a.b-c_1=[::1]:65535/tcp", "a.b-c_1", "[::1]:65535:65535/tcp" },
		{ "", .error = "publish socket \"\": a port is a number between 1 and 65535" },
		{ "0", .error = "publish socket \"0\": a port is a number between 1 and 65535" },
		{ "65536",
		  .error = "publish socket \"65536\": a port is a number between 1 and 65535" },
		{ "+80",
		  .error = "publish socket \"+80\": a port is a number between 1 and 65535" },
		{ "80-81",
		  .error = "publish socket \"80-81\": a port is a number between 1 and 65535" },
		{ "127.0.0.1:",
		  .error = "publish socket \"127.0.0.1:\": a port is a number between 1 and "
			   "65535" },
		{ "80/sctp", .error = "publish socket \"80/sctp\": behind \"/\" is tcp or udp" },
		{ "80/", .error = "publish socket \"80/\": behind \"/\" is tcp or udp" },
		{ "=80",
		  .error = "publish socket \"=80\": before \"=\" is a name of at most 64 letters, "
			   "digits, \"_\", \".\" and \"-\"" },
		{ "host:80",
		  .error = "publish socket \"host:80\": before the port is an IP address" },
		{ ":80", .error = "publish socket \":80\": before the port is an IP address" },
		{ "[:80", .error = "publish socket \"[:80\": before the port is an IP address" },
		{ "[]:80", .error = "publish socket \"[]:80\": before the port is an IP address" },
		{ "]:80", .error = "publish socket \"]:80\": before the port is an IP address" },
		{ "::1:80",
		  .error = "publish socket \"::1:80\": an IPv6 address stands in brackets: "
			   "[::1]:8080" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct listen_wish w = { 0 };
		struct err e = { 0 };
		int r = listen_parse(rows[i].text, &w, &e);

		cr_expect_eq(r, rows[i].error ? -EINVAL : 0, "%s: %d", rows[i].text, r);
		cr_expect_str_eq(e.msg, rows[i].error ? rows[i].error : "");
		if (r < 0)
			continue;
		cr_expect_str_eq(w.name, rows[i].name);
		cr_expect_str_eq(port_text(&w.port).text, rows[i].port);
	}
}

Test(port, bindings)
{
	static const struct {
		const char *ports[3];
		bool ip4, ip6;
		const char *is;
	} rows[] = {
		{ { NULL }, true, true, "" },
		{ { "8080:80" }, true, false, "80/tcp 0.0.0.0 8080;" },
		{ { "8080:80" }, true, true, "80/tcp 0.0.0.0 8080;80/tcp :: 8080;" },
		{ { "8080:80" }, false, false, "" },
		{ { "127.0.0.1:81:80", "[fd00::1]:82:80" }, true, false, "80/tcp 127.0.0.1 81;" },
		{ { "9001:90/udp", "9000:90", "127.0.0.1:7000-7001:89-90" },
		  true,
		  false,
		  "89/tcp 127.0.0.1 7000;90/tcp 127.0.0.1 7001;90/tcp 0.0.0.0 9000;"
		  "90/udp 0.0.0.0 9001;" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf out = { 0 };
		struct port list[3] = { 0 };
		struct port_list ports = { list, 0 };
		struct port_bindings all;
		struct err e = { 0 };

		for (; ports.n < 3 && rows[i].ports[ports.n]; ports.n++)
			cr_assert_eq(port_parse(rows[i].ports[ports.n], &list[ports.n], &e), 0,
				     "%s", e.msg);
		port_bindings(&ports, rows[i].ip4, rows[i].ip6, &a, &all);
		for (size_t k = 0; k < all.n; k++)
			buf_printf(&out, "%u/%s %s %u;", all.at[k].container,
				   port_protocol_name(all.at[k].protocol),
				   addr_text(&all.at[k].ip).text, all.at[k].host);
		cr_expect_str_eq(out.text ? out.text : "", rows[i].is);
	}
}
