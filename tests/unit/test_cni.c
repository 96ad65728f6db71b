/* Configurations of CNI, what plug-ins are told, and what they answer. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/json.h"
#include "network/cni.h"

#define NET(version, plugins) \
	"{\"cniVersion\":\"" version "\",\"name\":\"n\",\"plugins\":[" plugins "]}"

Test(cni, config)
{
	static const struct {
		const char *text, *is, *error;
	} rows[] = {
		{ NET("1.0.0", "{\"type\":\"bridge\"},{\"type\":\"tuning\"}"),
		  "n 1.0.0 bridge tuning" },
		{ NET("0.4.0", "{\"type\":\"b\",\"capabilities\":{\"ips\":true,\"mac\":true}}"),
		  "n 0.4.0 b ips mac" },
		{ NET("0.4.0",
		      "{\"type\":\"a\",\"capabilities\":{\"portMappings\":true,\"ips\":false}},"
		      "{\"type\":\"b\",\"capabilities\":{\"aliases\":true,\"other\":1}}"),
		  "n 0.4.0 a b ports aliases" },
		{ "{\"cniVersion\":\"0.3.1\",\"name\":\"one\",\"type\":\"ptp\",\"plugins\":[]}",
		  "one 0.3.1 ptp" },

		{ "{}", NULL, "f:1:1: cniVersion: missing" },
		{ "x", NULL, "f:1:1: " },
		{ "{\"cniVersion\":\"1.0.0\"}", NULL, "f:1:1: name: missing" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"a/b\",\"type\":\"x\"}", NULL,
		  "f:1:1: name: network name \"a/b\": only letters, digits" },
		{ "{\"cniVersion\":\"0.2.0\",\"name\":\"n\",\"type\":\"x\"}", NULL,
		  "f:1:1: cniVersion: version \"0.2.0\" of CNI is too old: 0.3.0 is the first that "
		  "hull knows" },
		{ "{\"cniVersion\":\"new\",\"name\":\"n\",\"type\":\"x\"}", NULL,
		  "f:1:1: cniVersion: \"new\" is no version" },
		{ NET("1.0.0", ""), NULL, "f:1:1: plugins: between 1 and 32 are expected" },
		{ NET("1.0.0", "{}"), NULL, "f:1:45: plugins[0].type: missing" },
		{ NET("1.0.0", "{\"type\":\"../sh\"}"), NULL,
		  "f:1:1: \"../sh\" is no plug-in's name" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"x\",\"plugins\":[{\"type\":"
		  "\"y\"}]}",
		  NULL, "f:1:1: type: it has plugins as well" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf out = { 0 };
		struct cni_net n = { 0 };
		struct err e = { 0 };
		int r = cni_parse("f", rows[i].text, strlen(rows[i].text), &a, &n, &e);

		cr_expect_eq(r < 0, !rows[i].is, "%s: %s", rows[i].text, e.msg);
		if (r < 0) {
			cr_expect(strncmp(e.msg, rows[i].error, strlen(rows[i].error)) == 0,
				  "%s: %s", rows[i].text, e.msg);
			continue;
		}
		buf_printf(&out, "%s %s", n.name, n.version);
		for (size_t k = 0; k < n.types.n; k++)
			buf_printf(&out, " %s", n.types.at[k]);
		buf_printf(&out, "%s%s%s%s", n.any.ports ? " ports" : "", n.any.ips ? " ips" : "",
			   n.any.mac ? " mac" : "", n.any.aliases ? " aliases" : "");
		cr_expect_str_eq(out.text, rows[i].is);
	}
}

#define BEGIN(version) "{\"cniVersion\":\"" version "\",\"name\":\"n\","
#define ALL "\"capabilities\":{\"portMappings\":true,\"ips\":true,\"mac\":true,\"aliases\":true}"

Test(cni, prepared)
{
	static const char *names[] = { "web" };
	struct port ports[2];
	const struct cni_wish nothing = { .aliases = { names, 1 } };
	struct cni_wish all = { .ip = { AF_INET, { 10, 1, 2, 3 } },
				.ip6 = { AF_INET6, { 0xfd, [15] = 5 } },
				.mac = { { 2, 0, 0, 0, 0, 7 } },
				.aliases = { names, 1 },
				.ports = { ports, 2 } };
	const struct {
		const char *text;
		const struct cni_wish *wish;
		const char *is, *error;
	} rows[] = {
		{ NET("1.0.0",
		      "{\"type\":\"a\",\"x\":[1.50,null,true,{\"y\":\"z\"}]},{\"type\":\"b\"}"),
		  &nothing,
		  BEGIN("1.0.0") "\"type\":\"a\",\"x\":[1.50,null,true,{\"y\":\"z\"}],"
				 "\"runtimeConfig\":{}};" BEGIN(
					 "1.0.0") "\"type\":\"b\",\"runtimeConfig\":{}};" },
		{ "{\"cniVersion\":\"0.3.1\",\"prevResult\":{},\"type\":\"a\",\"name\":\"n\"}",
		  &nothing, BEGIN("0.3.1") "\"type\":\"a\",\"runtimeConfig\":{}};unchecked" },
		{ "{\"cniVersion\":\"0.4.0\",\"disableCheck\":true,\"type\":\"a\",\"name\":\"n\"}",
		  &nothing,
		  BEGIN("0.4.0") "\"disableCheck\":true,\"type\":\"a\",\"runtimeConfig\":{}};"
				 "unchecked" },
		{ NET("1.0.0", "{\"type\":\"a\"},{\"type\":\"b\"," ALL "}"), &all,
		  BEGIN("1.0.0") "\"type\":\"a\",\"runtimeConfig\":{}};" BEGIN(
			  "1.0.0") "\"type\":\"b\"," ALL ",\"runtimeConfig\":{\"portMappings\":["
				   "{\"hostPort\":80,\"containerPort\":8080,\"protocol\":\"tcp\"},"
				   "{\"hostPort\":90,\"containerPort\":91,\"protocol\":\"udp\","
				   "\"hostIP\":\"127.0.0.1\"},"
				   "{\"hostPort\":91,\"containerPort\":92,\"protocol\":\"udp\","
				   "\"hostIP\":\"127.0.0.1\"}],"
				   "\"ips\":[\"10.1.2.3\",\"fd00::5\"],\"mac\":\"02:00:00:00:00:"
				   "07\","
				   "\"aliases\":{\"n\":[\"web\"]}}};" },
		{ NET("1.0.0", "{\"type\":\"a\",\"capabilities\":{\"mac\":true}}"), &all, NULL,
		  "network n: it cannot be told an address: none of its CNI plug-ins has the "
		  "capability ips" },
		{ NET("1.0.0", "{\"type\":\"a\",\"capabilities\":{\"ips\":true,\"mac\":true}}"),
		  &all, NULL,
		  "network n: it cannot be told published ports: none of its CNI plug-ins has the "
		  "capability portMappings" },
		{ NET("1.0.0", "{\"type\":\"a\",\"capabilities\":{\"ips\":true}}"), &all, NULL,
		  "network n: it cannot be told a MAC address: none of its CNI plug-ins has the "
		  "capability mac" },
	};
	struct err e = { 0 };

	cr_assert_eq(port_parse("80:8080", &ports[0], &e), 0);
	cr_assert_eq(port_parse("127.0.0.1:90-91:91-92/udp", &ports[1], &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf out = { 0 };
		struct cni_prepared p = { 0 };
		struct cni_net n = { 0 };
		int r;

		cr_assert_eq(cni_parse("f", rows[i].text, strlen(rows[i].text), &a, &n, &e), 0,
			     "%s", e.msg);
		r = cni_prepare(&n, rows[i].wish, &a, &p, &e);
		cr_expect_eq(r < 0, !rows[i].is, "%zu: %s", i, e.msg);
		for (size_t k = 0; k < p.plugins.n; k++)
			buf_printf(&out, "%s;", p.plugins.at[k]);
		if (p.unchecked)
			buf_str(&out, "unchecked");
		cr_expect_str_eq(r < 0 ? e.msg : out.text, rows[i].is ? rows[i].is : rows[i].error);
	}
}

/* What is inside is the plug-in's affair, as deep as JSON may be. */
Test(cni, deep)
{
	static const struct cni_wish nothing;

	for (int more = 0; more < 2; more++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf text = { 0 }, deep = { 0 };
		struct cni_prepared p = { 0 };
		struct cni_net n = { 0 };
		struct err e = { 0 };

		for (int i = 1; i < JSON_MAX_DEPTH + more; i++)
			buf_char(&deep, '[');
		for (int i = 1; i < JSON_MAX_DEPTH + more; i++)
			buf_char(&deep, ']');
		buf_printf(&text,
			   "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"a\",\"x\":%s}",
			   deep.text);
		if (more) {
			cr_expect_eq(cni_parse("f", text.text, text.len, &a, &n, &e), -EINVAL);
			cr_expect(strstr(e.msg, "64"), "%s", e.msg);
			continue;
		}
		cr_assert_eq(cni_parse("f", text.text, text.len, &a, &n, &e), 0, "%s", e.msg);
		cr_expect_eq(cni_prepare(&n, &nothing, &a, &p, &e), 0, "%s", e.msg);
		cr_assert_eq(p.plugins.n, 1);
		cr_expect(strstr(p.plugins.at[0], deep.text), "%s", p.plugins.at[0]);
	}
}

static void show_address(struct buf *out, const struct subnet *s, const struct net_addr *gateway)
{
	if (s->base.family)
		buf_printf(out, "%s/%u via %s ", addr_text(&s->base).text, s->prefix,
			   gateway->family ? addr_text(gateway).text : "nothing");
}

#define IFACES                                                              \
	"\"interfaces\":[{\"name\":\"br0\",\"mac\":\"02:00:00:00:00:01\"}," \
	"{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:02\",\"sandbox\":\"/x\"}],"

Test(cni, result)
{
	static const struct {
		const char *text, *is, *error;
	} rows[] = {
		{ "{\"cniVersion\":\"1.0.0\"}", "" },
		{ "{\"cniVersion\":\"1.0.0\"," IFACES "\"ips\":[{\"address\":\"10.1.0.1/24\","
		  "\"interface\":0},{\"address\":\"10.1.0.5/"
		  "24\",\"gateway\":\"10.1.0.1\",\"interface\":1},"
		  "{\"address\":\"10.1.0.6/24\",\"interface\":1}]}",
		  "10.1.0.5/24 via 10.1.0.1 02:00:00:00:00:02 " },
		{ "{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"6\",\"address\":\"fd00::5/"
		  "64\"},"
		  "{\"address\":\"10.1.0.5/8\"}]}",
		  "10.1.0.5/8 via nothing fd00::5/64 via nothing " },
		{ "{\"cniVersion\":\"1.0.0\",\"dns\":{\"nameservers\":[\"10.0.0.1\"],\"domain\":"
		  "\"a.b\","
		  "\"search\":[\"c\"],\"options\":[\"ndots:2\"]}}",
		  "server 10.0.0.1 search a.b search c option ndots:2 " },

		{ "", NULL, "result: the document is empty" },
		{ "[]", NULL, "result:1:1: expected an object, found an array" },
		{ "{\"ips\":[]}", NULL, "result:1:1: cniVersion: missing" },
		{ "{\"cniVersion\":\"1.0.0\",\"ips\":[{}]}", NULL,
		  "result:1:30: ips[0].address: missing" },
		{ "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.1.0.5\"}]}", NULL,
		  "\"10.1.0.5\" is no address with its prefix" },
		{ "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.1.0.5/33\"}]}", NULL,
		  "\"10.1.0.5/33\" is no address with its prefix" },
		{ "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.1.0/24\"}]}", NULL,
		  "\"10.1.0\" is not an IP address" },
		{ "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.1.0.5/"
		  "24\",\"gateway\":\"fd00::1\"}]}",
		  NULL, "gateway fd00::1 of 10.1.0.5/24: they are of two families" },
		{ "{\"cniVersion\":\"1.0.0\",\"dns\":{\"nameservers\":[\"x\\ny\"]}}", NULL,
		  "DNS server: " },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf out = { 0 };
		struct cni_result got = { 0 };
		struct err e = { 0 };
		int r = cni_result_parse(rows[i].text, strlen(rows[i].text), "eth0", &a, &got, &e);

		cr_expect_eq(r < 0, !rows[i].is, "%s: %s", rows[i].text, e.msg);
		if (r < 0) {
			cr_expect(strncmp(e.msg, rows[i].error, strlen(rows[i].error)) == 0,
				  "%s: %s", rows[i].text, e.msg);
			continue;
		}
		buf_str(&out, "");
		show_address(&out, &got.ip, &got.gateway);
		show_address(&out, &got.ip6, &got.gateway6);
		if (mac_is_set(&got.mac))
			buf_printf(&out, "%s ", mac_text(&got.mac).text);
		for (size_t k = 0; k < got.servers.n; k++)
			buf_printf(&out, "server %s ", got.servers.at[k]);
		for (size_t k = 0; k < got.searches.n; k++)
			buf_printf(&out, "search %s ", got.searches.at[k]);
		for (size_t k = 0; k < got.options.n; k++)
			buf_printf(&out, "option %s ", got.options.at[k]);
		cr_expect_str_eq(out.text ? out.text : "", rows[i].is);
	}
}

Test(cni, failure)
{
	static const struct {
		const char *text, *is;
	} rows[] = {
		{ "{\"code\":7,\"msg\":\"no master\"}", "no master (code 7)" },
		{ "{\"code\":100,\"msg\":\"a\\nb\",\"details\":\"\\u0007c\"}",
		  "a b (code 100):  c" },
		{ "{\"msg\":\"no code\"}", NULL },
		{ "panic", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const char *said = NULL;
		int r = cni_failure_parse(rows[i].text, strlen(rows[i].text), &a, &said);

		cr_expect_eq(r, rows[i].is ? 0 : -EINVAL, "%s", rows[i].text);
		if (rows[i].is && said)
			cr_expect_str_eq(said, rows[i].is);
	}
}
