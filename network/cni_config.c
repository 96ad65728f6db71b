/* cni_config.c - configurations of CNI: read, and made ready for a container. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "base/json_decode.h"
#include "base/json_write.h"
#include "network/cni.h"

enum { PLUGINS_MAX = 32, NAME_LIMIT = 128 };

struct stored_plugin {
	const char *type;
	struct stored_capabilities {
		bool port_mappings, ips, mac, aliases;
	} capabilities;
};

/* A list of plug-ins, or one of them, with the same members. */
struct stored {
	const char *version, *name, *type;
	bool disable_check;
	LIST(struct stored_plugin) plugins;
};

JSON_TABLE(capability_fields, struct stored_capabilities) = {
	FIELD_BOOL(struct stored_capabilities, "portMappings", port_mappings, 0),
	FIELD_BOOL(struct stored_capabilities, "ips", ips, 0),
	FIELD_BOOL(struct stored_capabilities, "mac", mac, 0),
	FIELD_BOOL(struct stored_capabilities, "aliases", aliases, 0),
	{ 0 },
};

JSON_TABLE(plugin_fields, struct stored_plugin) = {
	FIELD_STRING(struct stored_plugin, "type", type, REQUIRED),
	FIELD_OBJECT(struct stored_plugin, "capabilities", capabilities, capability_fields, 0),
	{ 0 },
};

JSON_TABLE(stored_fields, struct stored) = {
	FIELD_STRING(struct stored, "cniVersion", version, REQUIRED),
	FIELD_STRING(struct stored, "name", name, REQUIRED),
	FIELD_STRING(struct stored, "type", type, 0),
	FIELD_BOOL(struct stored, "disableCheck", disable_check, 0),
	FIELD_LIST(struct stored, "plugins", plugins, plugin_fields, 0),
	{ 0 },
};

/* Before 0.3.0 results had another form. */
static int check_version(const struct json_doc *doc, const char *version, struct err *e)
{
	unsigned major, minor;

	if (sscanf(version, "%u.%u", &major, &minor) != 2)
		return json_fail(doc, doc->root, "cniVersion", e, "%s is no version",
				 json_quote(version).text);
	if (major == 0 && minor < 3)
		return json_fail(doc, doc->root, "cniVersion", e,
				 "version %s of CNI is too old: 0.3.0 is the first that hull knows",
				 json_quote(version).text);
	return 0;
}

/* The type is the name of a program, and nothing that leads elsewhere. */
static int check_type(const struct json_doc *doc, const char *type, struct err *e)
{
	if (strchr(type, '/') || type[0] == '.' || strlen(type) >= NAME_LIMIT)
		return json_fail(doc, doc->root, NULL, e, "%s is no plug-in's name",
				 json_quote(type).text);
	return 0;
}

static int check_name(const struct json_doc *doc, const char *name, struct err *e)
{
	struct err why = { 0 };

	if (network_name_check(name, &why) < 0)
		return json_fail(doc, doc->root, "name", e, "%s", why.msg);
	return 0;
}

/* Into *d's document and *s; of one plug-in alone, a list of it. */
static int read_document(struct json_doc *doc, struct arena *a, struct stored *s, struct err *e)
{
	struct json_decoder d = { .doc = doc, .arena = a, .err = e };

	TRY(json_parse(doc, a, e));
	TRY(json_decode(&d, doc->root, stored_fields, s));
	TRY(check_version(doc, s->version, e));
	TRY(check_name(doc, s->name, e));
	if (s->type && s->plugins.n)
		return json_fail(doc, doc->root, "type", e, "it has plugins as well");
	if (s->type) {
		s->plugins.at = arena_array(a, 1, sizeof(*s->plugins.at));
		s->plugins.n = 1;
		TRY(json_decode(&d, doc->root, plugin_fields, &s->plugins.at[0]));
	}
	if (!s->plugins.n || s->plugins.n > PLUGINS_MAX)
		return json_fail(doc, doc->root, "plugins", e, "between 1 and %d are expected",
				 PLUGINS_MAX);
	for (size_t i = 0; i < s->plugins.n; i++)
		TRY(check_type(doc, s->plugins.at[i].type, e));
	return 0;
}

int cni_parse(const char *file, const char *text, size_t size, struct arena *a, struct cni_net *ret,
	      struct err *e)
{
	auto_json struct json_doc doc = { .name = file, .text = text, .size = size };
	struct stored s = { 0 };
	struct cni_net net = { .file = file };

	TRY(read_document(&doc, a, &s, e));
	net.name = s.name;
	net.version = s.version;
	net.text = arena_strndup(a, text, size);
	net.size = size;
	net.types.at = arena_array(a, s.plugins.n, sizeof(*net.types.at));
	for (size_t i = 0; i < s.plugins.n; i++) {
		const struct stored_capabilities *c = &s.plugins.at[i].capabilities;

		net.types.at[net.types.n++] = s.plugins.at[i].type;
		net.any.ports = net.any.ports || c->port_mappings;
		net.any.ips = net.any.ips || c->ips;
		net.any.mac = net.any.mac || c->mac;
		net.any.aliases = net.any.aliases || c->aliases;
	}
	*ret = net;
	return 0;
}

/*
 * Making ready
 */

static void write_ports(struct json_writer *w, const struct port_list *ports)
{
	json_write_array(w, "portMappings");
	for (size_t i = 0; i < ports->n; i++) {
		const struct port *p = &ports->at[i];

		for (unsigned k = 0; k < p->count; k++) {
			json_write_object(w, NULL);
			json_write_uint(w, "hostPort", p->host + k);
			json_write_uint(w, "containerPort", p->container + k);
			json_write_string(w, "protocol", port_protocol_name(p->protocol));
			if (p->ip.family)
				json_write_string(w, "hostIP", addr_text(&p->ip).text);
			json_write_end(w);
		}
	}
	json_write_end(w);
}

static void write_ips(struct json_writer *w, const struct cni_wish *wish)
{
	json_write_array(w, "ips");
	if (wish->ip.family)
		json_write_string(w, NULL, addr_text(&wish->ip).text);
	if (wish->ip6.family)
		json_write_string(w, NULL, addr_text(&wish->ip6).text);
	json_write_end(w);
}

/* To each what it says that it takes. */
static void write_runtime_config(struct json_writer *w, const char *network,
				 const struct stored_capabilities *c, const struct cni_wish *wish)
{
	json_write_object(w, "runtimeConfig");
	if (c->port_mappings && wish->ports.n)
		write_ports(w, &wish->ports);
	if (c->ips && (wish->ip.family || wish->ip6.family))
		write_ips(w, wish);
	if (c->mac && mac_is_set(&wish->mac))
		json_write_string(w, "mac", mac_text(&wish->mac).text);
	if (c->aliases && wish->aliases.n) {
		json_write_object(w, "aliases");
		json_write_strings(w, network, &wish->aliases);
		json_write_end(w);
	}
	json_write_end(w);
}

/* Members that are ours to say, whatever the file has. */
static bool is_ours(const char *key)
{
	static const char *const ours[] = { "cniVersion", "name", "runtimeConfig", "prevResult" };

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (strcmp(key, ours[i]) == 0)
			return true;
	return false;
}

static void write_plugin(struct buf *out, const struct stored *s, size_t i,
			 const struct json *object, const struct cni_wish *wish)
{
	struct json_writer w = json_writer(out, NULL);

	json_write_object(&w, NULL);
	json_write_string(&w, "cniVersion", s->version);
	json_write_string(&w, "name", s->name);
	for (const struct json *m = object->first; m; m = m->next)
		if (!is_ours(m->key))
			json_write_value(&w, m->key, m);
	write_runtime_config(&w, s->name, &s->plugins.at[i].capabilities, wish);
	json_write_end(&w);
}

/* CHECK came with 0.4.0. */
static bool has_check(const struct stored *s)
{
	unsigned major = 0, minor = 0;

	return !s->disable_check && sscanf(s->version, "%u.%u", &major, &minor) == 2 &&
	       (major > 0 || minor >= 4);
}

static int check_wish(const struct cni_net *net, const struct cni_wish *wish, struct err *e)
{
	const struct {
		bool wanted, has;
		const char *what, *capability;
	} rows[] = {
		{ wish->ip.family || wish->ip6.family, net->any.ips, "an address", "ips" },
		{ mac_is_set(&wish->mac), net->any.mac, "a MAC address", "mac" },
		{ wish->ports.n, net->any.ports, "published ports", "portMappings" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].wanted && !rows[i].has)
			return err_set(e, EINVAL,
				       "network %s: it cannot be told %s: none of its CNI plug-ins "
				       "has the capability %s",
				       net->name, rows[i].what, rows[i].capability);
	return 0;
}

int cni_prepare(const struct cni_net *net, const struct cni_wish *wish, struct arena *a,
		struct cni_prepared *ret, struct err *e)
{
	auto_json struct json_doc doc = { .name = net->file, .text = net->text, .size = net->size };
	struct cni_prepared p = { .unchecked = false };
	const struct json *object;
	struct stored s = { 0 };

	TRY(check_wish(net, wish, e));
	TRY(read_document(&doc, a, &s, e));
	p.unchecked = !has_check(&s);
	p.plugins.at = arena_array(a, s.plugins.n, sizeof(*p.plugins.at));
	object = s.type ? doc.root : json_member(doc.root, "plugins")->first;
	for (size_t i = 0; i < s.plugins.n; i++, object = object->next) {
		auto_buf struct buf out = { 0 };

		write_plugin(&out, &s, i, object, wish);
		p.plugins.at[p.plugins.n++] = arena_strndup(a, out.text, out.len);
	}
	*ret = p;
	return 0;
}
