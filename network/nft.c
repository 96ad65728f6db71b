#include "network/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/helper.h"
#include "base/io.h"
#include "base/spawn.h"
#include "base/util.h"
#include "network/nlattr.h"

enum {
	COMMENT_MAX = 100,
	TIMEOUT = 10,      /* seconds, for the kernel's answer */
	RUN_TIMEOUT = 120, /* seconds, for hull-nft */
};

/*
 * - guard: route_localnet on a bridge lets replies to 127.0.0.0/8 come back; no container may
 *   begin to talk there (CVE-2020-8558).
 * - output: the kernel does not route from ::1 to elsewhere, so nothing is published there.
 * - forward: to a container come answers, what was published, and its own network; nothing from
 *   other networks, nor from outside by its address.
 */
static const char base_text[] =
	"add table inet hull\n"
	"add set inet hull bridges { type ifname; }\n"
	"add set inet hull internal { type ifname; }\n"
	"add set inet hull same { type ifname . ifname; }\n"
	"add set inet hull subnets4 { type ipv4_addr; flags interval; }\n"
	"add set inet hull subnets6 { type ipv6_addr; flags interval; }\n"
	"add set inet hull within4 { type ipv4_addr . ipv4_addr; flags interval; }\n"
	"add set inet hull within6 { type ipv6_addr . ipv6_addr; flags interval; }\n"
	"add map inet hull publish4 { type inet_proto . inet_service : ipv4_addr . inet_service; "
	"}\n"
	"add map inet hull publish6 { type inet_proto . inet_service : ipv6_addr . inet_service; "
	"}\n"
	"add map inet hull publish4_at { type ipv4_addr . inet_proto . inet_service : "
	"ipv4_addr . inet_service; }\n"
	"add map inet hull publish6_at { type ipv6_addr . inet_proto . inet_service : "
	"ipv6_addr . inet_service; }\n"
	"add chain inet hull publish\n"
	"add chain inet hull guard { type filter hook prerouting priority raw; policy accept; }\n"
	"add chain inet hull prerouting { type nat hook prerouting priority dstnat; "
	"policy accept; }\n"
	"add chain inet hull output { type nat hook output priority -100; policy accept; }\n"
	"add chain inet hull postrouting { type nat hook postrouting priority srcnat; "
	"policy accept; }\n"
	"add chain inet hull forward { type filter hook forward priority filter; policy accept; }\n"
	"flush chain inet hull publish\n"
	"flush chain inet hull guard\n"
	"flush chain inet hull prerouting\n"
	"flush chain inet hull output\n"
	"flush chain inet hull postrouting\n"
	"flush chain inet hull forward\n"
	"add rule inet hull publish dnat ip to ip daddr . meta l4proto . th dport map "
	"@publish4_at\n"
	"add rule inet hull publish dnat ip to meta l4proto . th dport map @publish4\n"
	"add rule inet hull publish dnat ip6 to ip6 daddr . meta l4proto . th dport map "
	"@publish6_at\n"
	"add rule inet hull publish dnat ip6 to meta l4proto . th dport map @publish6\n"
	"add rule inet hull guard iifname @bridges ip daddr 127.0.0.0/8 drop\n"
	"add rule inet hull prerouting fib daddr type local jump publish\n"
	"add rule inet hull output ip6 daddr ::1 return\n"
	"add rule inet hull output fib daddr type local jump publish\n"
	"add rule inet hull postrouting ct status dnat ip saddr . ip daddr @within4 masquerade\n"
	"add rule inet hull postrouting ct status dnat ip6 saddr . ip6 daddr @within6 masquerade\n"
	"add rule inet hull postrouting ip saddr 127.0.0.0/8 oifname @bridges masquerade\n"
	"add rule inet hull postrouting ip saddr @subnets4 oifname != @bridges masquerade\n"
	"add rule inet hull postrouting ip6 saddr @subnets6 oifname != @bridges masquerade\n"
	"add rule inet hull forward ct state established,related accept\n"
	"add rule inet hull forward ct status dnat oifname @bridges accept\n"
	"add rule inet hull forward iifname . oifname @same accept\n"
	"add rule inet hull forward oifname @bridges drop\n"
	"add rule inet hull forward iifname @internal drop\n";

void nft_base(struct buf *out)
{
	buf_str(out, base_text);
}

/*
 * One element. To take away what may not be there it is added first: both are
 * one transaction, and `destroy` is unknown to the nftables of Debian 12.
 */
static void element(struct buf *out, bool remove, const char *set, const char *key,
		    const char *rest)
{
	buf_printf(out, "add element inet hull %s { %s%s }\n", set, key, rest);
	if (remove)
		buf_printf(out, "delete element inet hull %s { %s }\n", set, key);
}

static void subnet_elements(struct buf *out, const struct network *n, const struct subnet *s,
			    bool remove)
{
	const char *kind = s->base.family == AF_INET ? "4" : "6";
	auto_buf struct buf set = { 0 }, key = { 0 };

	if (!s->base.family)
		return;
	if (!n->internal) {
		buf_printf(&set, "subnets%s", kind);
		element(out, remove, set.text, subnet_text(s).text, "");
	}
	buf_clear(&set);
	buf_printf(&set, "within%s", kind);
	buf_printf(&key, "%s . %s", subnet_text(s).text, subnet_text(s).text);
	element(out, remove, set.text, key.text, "");
}

void nft_network(struct buf *out, const struct network *n, bool remove)
{
	auto_buf struct buf key = { 0 };

	if (n->driver != NETWORK_BRIDGE)
		return;
	buf_printf(&key, "\"%s\"", n->link);
	element(out, remove, "bridges", key.text, "");
	if (n->internal)
		element(out, remove, "internal", key.text, "");
	buf_printf(&key, " . \"%s\"", n->link);
	element(out, remove, "same", key.text, "");
	subnet_elements(out, n, &n->subnet, remove);
	subnet_elements(out, n, &n->subnet6, remove);
}

static void port_elements(struct buf *out, const struct record *r, const struct port *p,
			  const struct net_addr *to, bool remove)
{
	bool at = p->ip.family && !addr_is_any(&p->ip);
	const char *map = to->family == AF_INET ? (at ? "publish4_at" : "publish4")
						: (at ? "publish6_at" : "publish6");

	if (!to->family || (p->ip.family && p->ip.family != to->family))
		return;
	for (unsigned i = 0; i < p->count; i++) {
		auto_buf struct buf key = { 0 }, rest = { 0 };

		buf_printf(&key, "%s%s%s . %u", at ? addr_text(&p->ip).text : "", at ? " . " : "",
			   port_protocol_name(p->protocol), p->host + i);
		buf_printf(&rest, " comment \"%.*s\" : %s . %u", COMMENT_MAX, r->id,
			   addr_text(to).text, p->container + i);
		element(out, remove, map, key.text, rest.text);
	}
}

void nft_ports(struct buf *out, const struct record *r, bool remove)
{
	for (size_t i = 0; i < r->ports.n; i++) {
		port_elements(out, r, &r->ports.at[i], &r->to, remove);
		port_elements(out, r, &r->ports.at[i], &r->to6, remove);
	}
}

int nft_table_exists(struct err *e)
{
	auto_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	const struct timeval timeout = { .tv_sec = TIMEOUT };
	_Alignas(struct nlmsghdr) char bytes[4096];
	struct nlmsghdr *head = nlmsg_begin(bytes);
	struct nfgenmsg *family;
	ssize_t n;

	if (fd < 0)
		return err_sys(e, "make a netlink socket for the table of rules");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return err_sys(e, "look for the table of rules: set a timeout");
	head->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE;
	head->nlmsg_flags = NLM_F_REQUEST;
	head->nlmsg_seq = 1;
	family = nlmsg_extend(head, sizeof(*family));
	family->nfgen_family = NFPROTO_INET;
	family->version = NFNETLINK_V0;
	if (!nlattr_put(head, sizeof(bytes), NFTA_TABLE_NAME, "hull", sizeof("hull")))
		return err_set(e, EMSGSIZE, "look for the table of rules");
	if (send(fd, bytes, head->nlmsg_len, 0) < 0)
		return err_sys(e, "look for the table of rules");
	do
		n = recv(fd, bytes, sizeof(bytes), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "look for the table of rules");
	if (nlmsg_is_whole(head, (size_t)n) && head->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *answer = nlmsg_content(head);

		if (answer->error == -ENOENT)
			return 0;
		if (answer->error == -EINVAL || answer->error == -EOPNOTSUPP)
			return err_set(e, ENOTSUP,
				       "this kernel has no nftables (CONFIG_NF_TABLES)");
		return err_neg(e, answer->error, "look for the table of rules");
	}
	return 1;
}

int nft_run(const char *text, const char *what, struct err *e)
{
	/* No pipe: the rules of all containers are more than one holds, and who is to read them may not. */
	auto_fd int rules = io_sealed_file("rules", text, strlen(text), e);
	const struct spawn_fd input = { rules, STDIN_FILENO };
	struct helper_path program;
	struct err why = { 0 };

	TRY(rules);
	TRY(helper_find("hull-nft", &program, e));
	if (spawn_run(&(struct spawn_request){ .path = program.text,
					       .argv = (const char *const[]){ "hull-nft", NULL },
					       .fds = &input,
					       .fds_n = 1,
					       .timeout = RUN_TIMEOUT,
					       .dies_with_us = true },
		      NULL, &why) < 0)
		return err_set(e, why.code, "%s: %s", what, why.msg);
	return 0;
}
