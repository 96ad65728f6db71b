#include "cli/network_connect.h"

#include "cli/people.h"
#include "engine/happened.h"
#include "engine/netjoin.h"

int network_connect_container(const struct call *call, const struct network_words *words,
			      struct err *e)
{
	const struct join wish = { .network = words->network,
				   .ip = words->ip,
				   .ip6 = words->ip6,
				   .mac = words->mac,
				   .aliases = words->aliases };
	auto_engine struct engine g = ENGINE_CLOSED;

	TRY(people_engine(call, &g, e));
	return netjoin_connect(&g, words->container, &wish, e);
}

int network_disconnect_container(const struct call *call, const struct network_words *words,
				 struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;

	TRY(people_engine(call, &g, e));
	return netjoin_disconnect(&g, words->container, words->network, words->force, e);
}

int network_check_container(const struct call *call, const char *who, struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;

	TRY(people_engine(call, &g, e));
	return netjoin_verify(&g, who, e);
}

void network_happened(const struct call *call, const char *action, const char *name,
		      const char *driver)
{
	struct spec_pair pairs[] = { { "name", name }, { "type", driver } };
	auto_engine struct engine g = ENGINE_CLOSED;
	struct err ignored;

	if (people_has_engine(call) && people_engine(call, &g, &ignored) >= 0)
		happened_beside(&g, &(struct happening){ .type = "network",
							 .action = action,
							 .id = name,
							 .attributes = { pairs, ARRAY_LEN(pairs) } });
}
