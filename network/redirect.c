#include "network/redirect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <stdbool.h>
#include <string.h>

#include "network/nlattr.h"

enum { PRIORITY = 1, FIRST_ACTION = 1 };

static const char mark[] = "hull-redirect"; /* at most TC_COOKIE_MAX_SIZE bytes */
_Static_assert(sizeof(mark) <= 16, "a cookie holds it");

static struct tcmsg *begin(struct netlink_request *m, uint16_t type, uint16_t flags, unsigned link)
{
	struct tcmsg *tc = netlink_request(m, type, flags, sizeof(*tc));

	tc->tcm_ifindex = (int)link;
	return tc;
}

static int make_qdisc(struct netlink *nl, unsigned link, const char *name, struct err *e)
{
	struct netlink_request m;
	struct tcmsg *tc = begin(&m, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, link);

	tc->tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0);
	tc->tcm_parent = TC_H_INGRESS;
	netlink_put_text(&m, TCA_KIND, "ingress");
	return netlink_do(nl, &m, e, "make an ingress qdisc on %s", name);
}

static void put_action(struct netlink_request *m, unsigned to)
{
	const struct tc_mirred way = { .action = TC_ACT_STOLEN,
				       .eaction = TCA_EGRESS_REDIR,
				       .ifindex = to };
	struct nlattr *action = netlink_nest(m, FIRST_ACTION), *options;

	netlink_put_text(m, TCA_ACT_KIND, "mirred");
	netlink_put(m, TCA_ACT_COOKIE, mark, sizeof(mark));
	options = netlink_nest(m, TCA_ACT_OPTIONS);
	netlink_put(m, TCA_MIRRED_PARMS, &way, sizeof(way));
	netlink_nest_end(m, options);
	netlink_nest_end(m, action);
}

/* u32 with a key that everything has: older, and found in more kernels, than matchall. */
static int make_filter(struct netlink *nl, unsigned from, const char *name, unsigned to,
		       struct err *e)
{
	struct {
		struct tc_u32_sel sel;
		struct tc_u32_key key;
	} all = { .sel = { .flags = TC_U32_TERMINAL, .nkeys = 1 } };
	struct netlink_request m;
	struct tcmsg *tc = begin(&m, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, from);
	struct nlattr *options, *actions;

	tc->tcm_parent = TC_H_MAKE(TC_H_INGRESS, 0);
	tc->tcm_info = TC_H_MAKE((uint32_t)PRIORITY << 16, htons(ETH_P_ALL));
	netlink_put_text(&m, TCA_KIND, "u32");
	options = netlink_nest(&m, TCA_OPTIONS);
	netlink_put(&m, TCA_U32_SEL, &all, sizeof(all));
	actions = netlink_nest(&m, TCA_U32_ACT);
	put_action(&m, to);
	netlink_nest_end(&m, actions);
	netlink_nest_end(&m, options);
	return netlink_do(nl, &m, e, "redirect what comes in at %s", name);
}

int redirect_remove(struct netlink *nl, unsigned from, const char *name, struct err *e)
{
	struct netlink_request m;
	struct tcmsg *tc = begin(&m, RTM_DELQDISC, 0, from);
	struct err why = { 0 };
	int r;

	tc->tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0);
	tc->tcm_parent = TC_H_INGRESS;
	r = netlink_do(nl, &m, &why, "remove the ingress qdisc of %s", name);
	if (r == -ENOENT || r == -ENODEV || r == -EINVAL) /* the qdisc, the link; no qdisc at all */
		return 0;
	if (r < 0)
		*e = why;
	return r;
}

int redirect_make(struct netlink *nl, unsigned from, const char *name, unsigned to, struct err *e)
{
	struct err again;
	int r;

	TRY(redirect_clear(nl, from, name, e));
	r = make_qdisc(nl, from, name, e);
	if (r == -EEXIST)
		return err_set(e, EEXIST,
			       "%s has an ingress qdisc already: what comes in there is another "
			       "microVM's, or somebody else's",
			       name);
	TRY(r);
	r = make_filter(nl, from, name, to, e);
	if (r < 0 && redirect_remove(nl, from, name, &again) < 0)
		return err_wrap(e, "%s, after", again.msg);
	return r;
}

struct finding {
	bool marked, aimed;
};

static void read_way(const struct nlattr *attr, void *ctx)
{
	struct finding *f = ctx;
	struct tc_mirred way;

	if (nlattr_type(attr) != TCA_MIRRED_PARMS || nlattr_content_size(attr) < sizeof(way))
		return;
	memcpy(&way, nlattr_content(attr), sizeof(way));
	f->aimed = way.ifindex != 0;
}

static void read_action(const struct nlattr *attr, void *ctx)
{
	struct finding *f = ctx;

	if (nlattr_type(attr) == TCA_ACT_OPTIONS)
		nlattr_each_nested(attr, read_way, f);
	else if (nlattr_type(attr) == TCA_ACT_COOKIE)
		f->marked = nlattr_content_size(attr) == sizeof(mark) &&
			    memcmp(nlattr_content(attr), mark, sizeof(mark)) == 0;
}

static void read_actions(const struct nlattr *attr, void *ctx)
{
	if (nlattr_type(attr) == FIRST_ACTION)
		nlattr_each_nested(attr, read_action, ctx);
}

static void read_options(const struct nlattr *attr, void *ctx)
{
	if (nlattr_type(attr) == TCA_U32_ACT)
		nlattr_each_nested(attr, read_actions, ctx);
}

static void read_filter_attr(const struct nlattr *attr, void *ctx)
{
	if (nlattr_type(attr) == TCA_OPTIONS)
		nlattr_each_nested(attr, read_options, ctx);
}

static int read_filter(const struct nlmsghdr *head, void *ctx)
{
	if (head->nlmsg_type == RTM_NEWTFILTER && nlmsg_content_size(head) >= sizeof(struct tcmsg))
		nlattr_each(head, sizeof(struct tcmsg), read_filter_attr, ctx);
	return 0;
}

int redirect_clear(struct netlink *nl, unsigned from, const char *name, struct err *e)
{
	struct netlink_request m;
	struct tcmsg *tc = begin(&m, RTM_GETTFILTER, NLM_F_DUMP, from);
	struct finding f = { 0 };

	tc->tcm_parent = TC_H_MAKE(TC_H_INGRESS, 0);
	TRY(netlink_ask(nl, &m, read_filter, &f, e, "list the filters of %s", name));
	if (!f.marked || f.aimed)
		return 0;
	TRY(redirect_remove(nl, from, name, e));
	return 1;
}
