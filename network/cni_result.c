/* cni_result.c - what CNI plug-ins answer. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "base/json_decode.h"
#include "network/cni.h"
#include "network/resolv.h"

struct answer_interface {
	const char *name, *mac, *sandbox;
};

struct answer_ip {
	const char *address, *gateway;
	struct opt_u32 interface; /* which of the interfaces has it */
};

struct answer_dns {
	const char *domain;
	struct strings servers, searches, options;
};

struct answer {
	const char *version;
	LIST(struct answer_interface) interfaces;
	LIST(struct answer_ip) ips;
	struct answer_dns dns;
};

struct failure {
	uint32_t code;
	const char *msg, *details;
};

JSON_TABLE(interface_fields, struct answer_interface) = {
	FIELD_STRING(struct answer_interface, "name", name, 0),
	FIELD_STRING(struct answer_interface, "mac", mac, 0),
	FIELD_STRING(struct answer_interface, "sandbox", sandbox, 0),
	{ 0 },
};

JSON_TABLE(ip_fields, struct answer_ip) = {
	FIELD_STRING(struct answer_ip, "address", address, REQUIRED),
	FIELD_STRING(struct answer_ip, "gateway", gateway, 0),
	FIELD_OPT_U32(struct answer_ip, "interface", interface, 0),
	{ 0 },
};

JSON_TABLE(dns_fields, struct answer_dns) = {
	FIELD_STRINGS(struct answer_dns, "nameservers", servers, 0),
	FIELD_STRING(struct answer_dns, "domain", domain, 0),
	FIELD_STRINGS(struct answer_dns, "search", searches, 0),
	FIELD_STRINGS(struct answer_dns, "options", options, 0),
	{ 0 },
};

JSON_TABLE(answer_fields, struct answer) = {
	FIELD_STRING(struct answer, "cniVersion", version, REQUIRED),
	FIELD_LIST(struct answer, "interfaces", interfaces, interface_fields, 0),
	FIELD_LIST(struct answer, "ips", ips, ip_fields, 0),
	FIELD_OBJECT(struct answer, "dns", dns, dns_fields, 0),
	{ 0 },
};

JSON_TABLE(failure_fields, struct failure) = {
	FIELD_U32(struct failure, "code", code, REQUIRED),
	FIELD_STRING(struct failure, "msg", msg, REQUIRED),
	FIELD_STRING(struct failure, "details", details, 0),
	{ 0 },
};

/* "10.1.0.5/24": an address of a subnet, with its prefix. */
static int parse_address(const char *text, struct subnet *ret, struct err *e)
{
	const char *slash = strchr(text, '/'), *digits = slash ? slash + 1 : "";
	char address[64];
	unsigned prefix = 0;
	size_t len = strlen(digits);

	if (len < 1 || len > 3 || strspn(digits, "0123456789") != len ||
	    (size_t)(slash - text) >= sizeof(address))
		return err_set(e, EINVAL, "%s is no address with its prefix",
			       json_quote(text).text);
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	for (; *digits; digits++)
		prefix = 10 * prefix + (unsigned)(*digits - '0');
	TRY(addr_parse(address, &ret->base, e));
	if (prefix > addr_bits(ret->base.family))
		return err_set(e, EINVAL, "%s is no address with its prefix",
			       json_quote(text).text);
	ret->prefix = prefix;
	return 0;
}

/* Whether it is of the container; some have several interfaces, and one on the host. */
static bool is_inside(const struct answer *s, const struct answer_ip *ip)
{
	return !ip->interface.set || ip->interface.value >= s->interfaces.n ||
	       s->interfaces.at[ip->interface.value].sandbox;
}

static int take_ips(const struct answer *s, struct cni_result *ret, struct err *e)
{
	for (size_t i = 0; i < s->ips.n; i++) {
		struct net_addr gateway = { 0 };
		struct subnet address = { 0 };

		TRY(parse_address(s->ips.at[i].address, &address, e));
		if (s->ips.at[i].gateway)
			TRY(addr_parse(s->ips.at[i].gateway, &gateway, e));
		if (gateway.family && gateway.family != address.base.family)
			return err_set(e, EINVAL, "gateway %s of %s: they are of two families",
				       s->ips.at[i].gateway, s->ips.at[i].address);
		if (!is_inside(s, &s->ips.at[i]))
			continue;
		if (address.base.family == AF_INET && !ret->ip.base.family) {
			ret->ip = address;
			ret->gateway = gateway;
		} else if (address.base.family == AF_INET6 && !ret->ip6.base.family) {
			ret->ip6 = address;
			ret->gateway6 = gateway;
		}
	}
	return 0;
}

static int take_dns(const struct answer_dns *dns, struct arena *a, struct cni_result *ret,
		    struct err *e)
{
	struct net_dns all = { .servers = dns->servers, .options = dns->options };

	all.searches.at = arena_array(a, dns->searches.n + 1, sizeof(*all.searches.at));
	if (dns->domain)
		all.searches.at[all.searches.n++] = dns->domain;
	for (size_t i = 0; i < dns->searches.n; i++)
		all.searches.at[all.searches.n++] = dns->searches.at[i];
	TRY(dns_check(&all, e));
	ret->servers = all.servers;
	ret->searches = all.searches;
	ret->options = all.options;
	return 0;
}

int cni_result_parse(const char *text, size_t size, const char *name, struct arena *a,
		     struct cni_result *ret, struct err *e)
{
	auto_json struct json_doc doc = { .name = "result", .text = text, .size = size };
	struct json_decoder d = { .doc = &doc, .arena = a, .err = e };
	struct cni_result result = { 0 };
	struct answer s = { 0 };

	TRY(json_parse(&doc, a, e));
	TRY(json_decode(&d, doc.root, answer_fields, &s));
	TRY(take_ips(&s, &result, e));
	for (size_t i = 0; i < s.interfaces.n; i++) {
		const struct answer_interface *it = &s.interfaces.at[i];

		if (it->sandbox && it->mac && it->name && strcmp(it->name, name) == 0)
			TRY(mac_parse(it->mac, &result.mac, e));
	}
	TRY(take_dns(&s.dns, a, &result, e));
	*ret = result;
	return 0;
}

int cni_failure_parse(const char *text, size_t size, struct arena *a, const char **ret)
{
	auto_json struct json_doc doc = { .name = "failure", .text = text, .size = size };
	struct err e = { 0 };
	struct json_decoder d = { .doc = &doc, .arena = a, .err = &e };
	struct failure f = { 0 };
	char *said;

	if (json_parse(&doc, a, &e) < 0 || json_decode(&d, doc.root, failure_fields, &f) < 0)
		return -EINVAL;
	said = f.details ? arena_printf(a, "%s (code %u): %s", f.msg, f.code, f.details)
			 : arena_printf(a, "%s (code %u)", f.msg, f.code);
	/* A message is one line. */
	for (char *c = said; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	*ret = said;
	return 0;
}
