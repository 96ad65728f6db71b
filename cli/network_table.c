#include "cli/network_table.h"

#include <errno.h>
#include <string.h>

#include "cli/filters.h"
#include "cli/people.h"

/* A network's name is its id, too. */
static const struct people_field fields[] = {
	{ "Name", "NAME", false },	       { "Driver", "DRIVER", false },
	{ "Link", "LINK", false },	       { "Subnet", "SUBNET", false },
	{ "IPv6Subnet", "IPV6 SUBNET", false }, { "ID", "NETWORK ID", true },
	{ "Scope", "SCOPE", true },	       { "IPv4", "IPV4", true },
	{ "IPv6", "IPV6", true },	       { "Internal", "INTERNAL", true },
	{ 0 },
};

/* A network, as filters see it. */
struct listed {
	const struct network *network;
	bool used; /* a container is on it */
};

static const struct network *network_of(const void *subject)
{
	return ((const struct listed *)subject)->network;
}

/* The default one is not the user's own. */
static bool is_builtin(const struct network *n)
{
	return strcmp(n->name, NETWORK_DEFAULT) == 0;
}

static bool of_name(const struct filter *f, const void *subject)
{
	return filter_finds(f, network_of(subject)->name);
}

static bool of_id(const struct filter *f, const void *subject)
{
	return strncmp(network_of(subject)->name, f->value, strlen(f->value)) == 0;
}

static bool of_driver(const struct filter *f, const void *subject)
{
	return strcmp(network_driver_name(network_of(subject)->driver), f->value) == 0;
}

static bool of_scope(const struct filter *f, const void *subject UNUSED)
{
	return strcmp(f->value, "local") == 0;
}

static int read_type(struct filter *f, const void *ctx UNUSED, struct arena *a UNUSED,
		     struct err *e)
{
	f->found = strcmp(f->value, "builtin") == 0;
	if (!f->found && strcmp(f->value, "custom") != 0)
		return err_set(e, EINVAL, "expected builtin or custom");
	return 0;
}

static bool of_type(const struct filter *f, const void *subject)
{
	return is_builtin(network_of(subject)) == (f->found != 0);
}

/* As Docker: only those that one has made oneself may be. */
static bool of_dangling(const struct filter *f, const void *subject)
{
	const struct listed *l = subject;

	return (!l->used && !is_builtin(l->network)) == (f->found != 0);
}

static const struct filter_row rows[] = {
	{ "name", of_name, filter_read_pattern, false, 0 },
	{ "id", of_id, NULL, false, 0 },
	{ "driver", of_driver, NULL, false, 0 },
	{ "scope", of_scope, NULL, false, 0 },
	{ "type", of_type, read_type, false, 0 },
	{ "dangling", of_dangling, filter_read_bool, false, 0 },
};
static const struct filter_table filters_table = { rows, ARRAY_LEN(rows) };

static bool is_among(const struct strings *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i], name) == 0)
			return true;
	return false;
}

/* "-": it has none, or its plug-ins know. */
static struct net_text subnet_word(const struct subnet *s)
{
	return s->base.family ? subnet_text(s) : (struct net_text){ "-" };
}

static const char *truth(bool yes)
{
	return yes ? "true" : "false";
}

static void add_row(struct people_table *t, const struct network *n)
{
	struct net_text subnet = subnet_word(&n->subnet), subnet6 = subnet_word(&n->subnet6);

	people_table_row(t,
			 (const char *const[]){ n->name, network_driver_name(n->driver), n->link,
						subnet.text, subnet6.text, n->name, "local",
						truth(n->subnet.base.family),
						truth(n->subnet6.base.family), truth(n->internal) },
			 NULL);
}

int network_table(const struct network_list *networks, const struct strings *used,
		  const struct strings *filter, const char *format, struct buf *ret, struct err *e)
{
	auto_people_table struct people_table t = { 0 };
	auto_arena struct arena a = { 0 };
	struct filters filters;

	TRY(filters_read(&filters_table, filter, NULL, &a, &filters, e));
	people_table_begin(&t, fields, format);
	for (size_t i = 0; i < networks->n; i++) {
		const struct network *n = &networks->at[i];

		if (filters_match(&filters, &(struct listed){ n, is_among(used, n->name) }))
			add_row(&t, n);
	}
	TRY(people_table_print(&t, e));
	buf_str(ret, t.out.text);
	return 0;
}
