/*
 * fuzz_cni.c - anything at all as a configuration of CNI, as a plug-in's answer and as its
 * failure. What is taken of a configuration makes documents that can be read, and are taken again;
 * what is taken of an answer is of the container's family and makes a resolv.conf of whole lines.
 *
 *	fuzz_cni tests/fuzz/corpus-cni
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "network/cni.h"
#include "network/resolv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static struct cni_wish wish_for(const struct cni_net *net, struct arena *a)
{
	static const char *aliases[] = { "web" };
	struct cni_wish w = { .aliases = { aliases, 1 } };
	struct port *port = arena_array(a, 1, sizeof(*port));

	if (net->any.ips)
		w.ip = (struct net_addr){ AF_INET, { 10, 0, 0, 5 } };
	if (net->any.mac)
		w.mac = (struct net_mac){ { 2, 0, 0, 0, 0, 1 } };
	if (net->any.ports) {
		require(port_parse("127.0.0.1:80-81:80-81", port, NULL) == 0);
		w.ports = (struct port_list){ port, 1 };
	}
	return w;
}

static void try_config(const char *text, size_t size, struct arena *a)
{
	struct cni_net net, again;
	struct cni_prepared p;
	struct cni_wish wish;
	struct err e = { 0 };

	if (cni_parse("f", text, size, a, &net, &e) < 0) {
		require(strncmp(e.msg, "f:", 2) == 0 && !strchr(e.msg, '\n'));
		return;
	}
	require(net.types.n > 0 && network_name_check(net.name, NULL) == 0);
	wish = wish_for(&net, a);
	if (cni_prepare(&net, &wish, a, &p, &e) < 0)
		return;
	require(p.plugins.n == net.types.n);
	for (size_t i = 0; i < p.plugins.n; i++) {
		const char *plugin = p.plugins.at[i];

		require(cni_parse("p", plugin, strlen(plugin), a, &again, &e) == 0);
		require(strcmp(again.name, net.name) == 0 && again.types.n == 1);
		require(strcmp(again.types.at[0], net.types.at[i]) == 0);
	}
}

static void try_result(const char *text, size_t size, struct arena *a)
{
	static const struct net_dns nothing;
	struct cni_result r;
	struct resolv resolv = { 0 };
	struct err e = { 0 };

	if (cni_result_parse(text, size, "eth0", a, &r, &e) < 0) {
		require(e.msg[0] && !strchr(e.msg, '\n'));
		return;
	}
	require(!r.ip.base.family || (r.ip.base.family == AF_INET && r.ip.prefix <= 32));
	require(!r.ip6.base.family || (r.ip6.base.family == AF_INET6 && r.ip6.prefix <= 128));
	require(!r.gateway.family || r.gateway.family == AF_INET);
	require(!r.gateway6.family || r.gateway6.family == AF_INET6);
	resolv.servers = r.servers;
	resolv.searches = r.searches;
	resolv.options = r.options;
	for (const char *c = resolv_text(&resolv, &nothing, true, a); *c; c++)
		require(*c == '\n' || ((unsigned char)*c >= ' ' && (unsigned char)*c < 0x7f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	const char *text = (const char *)data, *said;

	try_config(text, size, &a);
	try_result(text, size, &a);
	if (cni_failure_parse(text, size, &a, &said) == 0)
		for (const char *c = said; *c; c++)
			require((unsigned char)*c >= ' ' && *c != 0x7f);
	return 0;
}
