#include "engine/netwish.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/json.h"

/* Which member of a join an option is. */
static const struct netwish_key {
	const char *name;
	size_t member;
	bool many; /* a struct strings */
} keys[] = {
	{ "ip", offsetof(struct join, ip), false },
	{ "ip6", offsetof(struct join, ip6), false },
	{ "mac", offsetof(struct join, mac), false },
	{ "mac-address", offsetof(struct join, mac), false },
	{ "mac_address", offsetof(struct join, mac), false },
	{ "alias", offsetof(struct join, aliases), true },
};

static const struct netwish_key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static void add_string(struct strings *list, const char *text, struct arena *a)
{
	const char **more = arena_array(a, list->n + 1, sizeof(*more));

	if (list->n)
		memcpy(more, list->at, list->n * sizeof(*more));
	more[list->n++] = text;
	list->at = more;
}

/* "KEY=VALUE"; cuts it. */
static int take_option(const char *whole, char *option, struct arena *a, struct join *j,
		       struct err *e)
{
	char *value = strchr(option, '=');
	const struct netwish_key *key;
	const char **member;

	if (value)
		*value++ = '\0';
	key = find_key(option);
	if (!key)
		return err_set(e, EINVAL,
			       "--network %s: there is no option %s of a network: ip, ip6, mac and "
			       "alias are there",
			       json_quote(whole).text, json_quote(option).text);
	if (!value || !*value)
		return err_set(e, EINVAL, "--network %s: %s has no value", json_quote(whole).text,
			       option);
	if (key->many) {
		add_string((struct strings *)((char *)j + key->member), value, a);
		return 0;
	}
	/* Podman's ip is of either kind. */
	if (strcmp(key->name, "ip") == 0 && strchr(value, ':'))
		key = find_key("ip6");
	assert(key);
	member = (const char **)((char *)j + key->member);
	if (*member)
		return err_set(e, EINVAL, "--network %s: %s is given twice", json_quote(whole).text,
			       key->name);
	*member = value;
	return 0;
}

int netwish_parse(const char *text, struct arena *a, struct join *ret, struct err *e)
{
	static const char container[] = "container:", path[] = "ns:", name[] = "name=";
	char *copy = arena_strdup(a, text), *rest = NULL, *next;
	struct join j = { .network = copy };

	if (strncmp(text, container, strlen(container)) == 0 ||
	    strncmp(text, path, strlen(path)) == 0) {
		*ret = j;
		return 0;
	}
	if (strncmp(text, name, strlen(name)) == 0) {
		j.network = copy + strlen(name);
		rest = strchr(copy, ',');
	} else {
		rest = strchr(copy, ':');
	}
	if (rest)
		*rest++ = '\0';
	if (!*j.network)
		return err_set(e, EINVAL, "--network %s: it names no network",
			       json_quote(text).text);
	for (; rest; rest = next) {
		next = strchr(rest, ',');
		if (next)
			*next++ = '\0';
		TRY(take_option(text, rest, a, &j, e));
	}
	*ret = j;
	return 0;
}

/* What an option of its own says, which may not be said of the network as well. */
static int take_single(const char *option, const char *value, size_t networks, const char *network,
		       const char **member, struct err *e)
{
	if (!value)
		return 0;
	if (networks > 1)
		return err_set(e, EINVAL,
			       "%s: there are %zu networks: it is said of one, --network %s:%s=%s",
			       option, networks, network,
			       strcmp(option, "--mac-address") == 0 ? "mac" : option + 2, value);
	if (*member)
		return err_set(e, EINVAL, "%s %s: --network %s says %s already", option, value,
			       network, *member);
	*member = value;
	return 0;
}

int netwish_plan(const struct wish *w, const char *by_default, struct arena *a, struct joins *ret,
		 struct err *e)
{
	const struct strings one = { &by_default, 1 }, *texts = w->networks.n ? &w->networks : &one;
	struct joins joins = { 0 };
	struct join *first;

	joins.list.at = arena_array(a, texts->n, sizeof(*joins.list.at));
	for (; joins.list.n < texts->n; joins.list.n++) {
		struct join *j = &joins.list.at[joins.list.n];

		TRY(netwish_parse(texts->at[joins.list.n], a, j, e));
		for (size_t i = 0; i < w->network_alias.n; i++)
			add_string(&j->aliases, w->network_alias.at[i], a);
	}
	first = &joins.list.at[0];
	TRY(take_single("--ip", w->ip, joins.list.n, first->network, &first->ip, e));
	TRY(take_single("--ip6", w->ip6, joins.list.n, first->network, &first->ip6, e));
	TRY(take_single("--mac-address", w->mac, joins.list.n, first->network, &first->mac, e));
	*ret = joins;
	return 0;
}
