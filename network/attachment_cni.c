/* attachment_cni.c - what CNI plug-ins make for a container, and take away. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "network/attachment.h"

static struct cni_call call_of(const struct record *r, size_t i, const char *netns)
{
	const struct record_interface *kept = &r->interfaces.at[i];

	return (struct cni_call){ .prepared = &kept->cni,
				  .result = kept->cni_result,
				  .container = r->id,
				  .netns = netns,
				  .interface = kept->name };
}

struct netns_path {
	char text[48];
};

static struct netns_path netns_of(const struct record *r)
{
	struct netns_path path;

	snprintf(path.text, sizeof(path.text), "/proc/%d/ns/net", (int)r->owner.pid);
	return path;
}

int attachment_cni_plan(struct attachment *at, size_t i, const struct net_join *join,
			const struct port_list *ports, struct err *e)
{
	struct record_interface *kept = &at->record.interfaces.at[i];
	const struct cni_wish wish = { .ip = join->ip,
				       .ip6 = join->ip6,
				       .mac = join->mac,
				       .aliases = join->aliases,
				       .ports = *ports };

	TRY(cni_programs_check(at->on[i].network.cni, e));
	kept->cni_ports = ports->n;
	return cni_prepare(at->on[i].network.cni, &wish, at->a, &kept->cni, e);
}

int attachment_cni_add(struct attachment *at, size_t i, struct err *e)
{
	struct record_interface *kept = &at->record.interfaces.at[i];
	struct net_interface *it = &at->on[i].interface;
	struct cni_result *made = &at->on[i].cni;
	struct netns_path netns = netns_of(&at->record);
	struct cni_call call = call_of(&at->record, i, netns.text);

	TRY(cni_add(&call, at->a, &kept->cni_result, made, e));
	it->ip = made->ip;
	it->ip6 = made->ip6;
	it->gateway = made->gateway;
	it->gateway6 = made->gateway6;
	it->mac = made->mac;
	kept->ip = made->ip.base;
	kept->ip6 = made->ip6.base;
	kept->mac = made->mac;
	return 0;
}

int attachment_cni_delete(const struct record *r, size_t i, bool alive, struct err *e)
{
	struct netns_path netns = netns_of(r);
	struct cni_call call = call_of(r, i, alive ? netns.text : NULL);

	return cni_delete(&call, e);
}

int attachment_cni_check(const struct record *r, size_t i, struct err *e)
{
	struct netns_path netns = netns_of(r);
	struct cni_call call = call_of(r, i, netns.text);

	return cni_check(&call, e);
}
