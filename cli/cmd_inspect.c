/* cmd_inspect.c - `hull inspect`: all about containers and images, as JSON. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/image_json.h"
#include "cli/people.h"
#include "cli/template.h"
#include "engine/netjoin.h"

enum { CONFIG_MAX = 16 * 1024 * 1024 };

struct inspect_values {
	const char *type, *format;
};

static const struct option_row rows[] = {
	{ .name = "type",
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct inspect_values, type),
	  .argument = "container|image",
	  .help = "what the name is of (default: either)" },
	{ .name = "format",
	  .letter = 'f',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct inspect_values, format),
	  .argument = "FORMAT",
	  .help = "json (default) or a template like '{{.State.Status}}', a line for each" },
};
const struct option_table inspect_options = { rows, ARRAY_LEN(rows), sizeof(struct inspect_values),
					      NULL, true };

static void write_pairs(struct json_writer *w, const char *key, const struct spec_pairs *pairs)
{
	json_write_object(w, key);
	for (size_t i = 0; i < pairs->n; i++)
		json_write_string(w, pairs->at[i].key, pairs->at[i].value);
	json_write_end(w);
}

/* Docker's words. */
static void write_health(struct json_writer *w, const struct health *h)
{
	json_write_object(w, "Health");
	json_write_string(w, "Status", health_status_name(h->status));
	json_write_uint(w, "FailingStreak", h->failing_streak);
	json_write_array(w, "Log");
	for (size_t i = 0; i < h->log.n; i++) {
		json_write_object(w, NULL);
		json_write_string(w, "Start", h->log.at[i].start);
		json_write_string(w, "End", h->log.at[i].end);
		json_write_int(w, "ExitCode", h->log.at[i].exit_code);
		json_write_string(w, "Output", h->log.at[i].output);
		json_write_end(w);
	}
	json_write_end(w);
	json_write_end(w);
}

static void write_state(struct json_writer *w, const struct container_view *v)
{
	const struct status *s = &v->status;

	json_write_object(w, "State");
	json_write_string(w, "Status", container_view_status(v));
	json_write_bool(w, "Running", v->state == STATE_RUNNING || v->state == STATE_PAUSED);
	json_write_bool(w, "Paused", v->state == STATE_PAUSED);
	json_write_bool(w, "OOMKilled", s->oom_killed);
	json_write_int(w, "Pid", v->pid);
	json_write_int(w, "ExitCode", s->exit_code);
	json_write_string(w, "Error", s->error ? s->error : "");
	json_write_string(w, "StartedAt", s->started ? s->started : "0001-01-01T00:00:00Z");
	json_write_string(w, "FinishedAt", s->finished ? s->finished : "0001-01-01T00:00:00Z");
	/* Podman's words. */
	json_write_bool(w, "Checkpointed", s->checkpointed);
	json_write_string(w, "CheckpointedAt",
			  s->checkpointed ? s->checkpointed : "0001-01-01T00:00:00Z");
	json_write_bool(w, "Restored", s->restored);
	json_write_string(w, "RestoredAt", s->restored ? s->restored : "0001-01-01T00:00:00Z");
	if (v->record.health.test.n)
		write_health(w, &v->health);
	json_write_end(w);
}

static const char *addr_or_none(const struct net_addr *a, struct net_text *text)
{
	*text = addr_text(a);
	return a->family ? text->text : "";
}

/* Docker's words; what it does not have while it does not run (`it` is NULL) is empty. */
static void write_network(struct json_writer *w, const char *network, const struct strings *aliases,
			  const struct net_interface *it)
{
	struct net_text text;

	json_write_object(w, network);
	json_write_strings(w, "Aliases", aliases);
	json_write_string(w, "Interface", it ? it->name : "");
	json_write_string(w, "MacAddress",
			  it && mac_is_set(&it->mac) ? mac_text(&it->mac).text : "");
	json_write_string(w, "IPAddress", it ? addr_or_none(&it->ip.base, &text) : "");
	json_write_uint(w, "IPPrefixLen", it && it->ip.base.family ? it->ip.prefix : 0);
	json_write_string(w, "Gateway", it ? addr_or_none(&it->gateway, &text) : "");
	json_write_string(w, "GlobalIPv6Address", it ? addr_or_none(&it->ip6.base, &text) : "");
	json_write_uint(w, "GlobalIPv6PrefixLen", it && it->ip6.base.family ? it->ip6.prefix : 0);
	json_write_string(w, "IPv6Gateway", it ? addr_or_none(&it->gateway6, &text) : "");
	json_write_end(w);
}

/* {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]} */
static void write_ports(struct json_writer *w, const struct net_result *now)
{
	auto_arena struct arena a = { 0 };
	struct port_bindings all;

	port_bindings(&now->ports, now->ports4, now->ports6, &a, &all);
	json_write_object(w, "Ports");
	for (size_t i = 0; i < all.n; i++) {
		const struct port_binding *b = &all.at[i], *before = i ? b - 1 : NULL;
		char text[24];

		if (!before || before->container != b->container ||
		    before->protocol != b->protocol) {
			if (before)
				json_write_end(w);
			snprintf(text, sizeof(text), "%u/%s", b->container,
				 port_protocol_name(b->protocol));
			json_write_array(w, text);
		}
		json_write_object(w, NULL);
		json_write_string(w, "HostIp", addr_text(&b->ip).text);
		snprintf(text, sizeof(text), "%u", b->host);
		json_write_string(w, "HostPort", text);
		json_write_end(w);
	}
	if (all.n)
		json_write_end(w);
	json_write_end(w);
}

static int write_networks(const struct engine *g, struct json_writer *w, int dir,
			  const struct record *r, struct err *e)
{
	auto_netjoin_view struct netjoin_view v = { 0 };

	TRY(netjoin_look(g, dir, r, &v, e));
	json_write_object(w, "NetworkSettings");
	json_write_object(w, "Networks");
	for (size_t i = 0; i < v.now.interfaces.n; i++)
		write_network(w, v.now.interfaces.at[i].network, &v.now.interfaces.at[i].aliases,
			      &v.now.interfaces.at[i]);
	for (size_t i = 0; !v.attached && i < v.joins.list.n; i++)
		write_network(w, v.joins.list.at[i].network, &v.joins.list.at[i].aliases, NULL);
	json_write_end(w);
	write_ports(w, &v.now);
	json_write_end(w);
	return 0;
}

static int write_container(const struct engine *g, struct json_writer *w,
			   const struct container_view *v, struct err *e)
{
	static const char *const restarts[] = { "no", "on-failure", "always", "unless-stopped" };
	const struct record *r = &v->record;
	auto_buf struct buf config = { 0 };
	auto_fd int dir = -1;
	auto_record struct record again = { 0 };

	dir = record_open(g, v->id, &again, e);
	TRY(dir);
	TRY(io_read_file(dir, "config.json", CONFIG_MAX, "config.json", &config, e));
	json_write_object(w, NULL);
	json_write_string(w, "Id", v->id);
	json_write_string(w, "Name", r->name);
	json_write_string(w, "Created", r->created);
	json_write_string(w, "Image", r->image_id ? r->image_id : "");
	json_write_string(w, "ImageName", r->image);
	json_write_strings(w, "Command", &r->command);
	write_state(w, v);
	json_write_uint(w, "RestartCount", v->status.restarts);
	json_write_object(w, "RestartPolicy");
	json_write_string(w, "Name", restarts[r->restart]);
	json_write_uint(w, "MaximumRetryCount", r->restart_max);
	json_write_end(w);
	json_write_bool(w, "AutoRemove", r->remove);
	json_write_bool(w, "Tty", r->terminal);
	json_write_string(w, "User", r->user ? r->user : "");
	json_write_string(w, "NetworkMode", r->network);
	json_write_strings(w, "Published", &r->published);
	json_write_strings(w, "ExposedPorts", &r->exposed);
	json_write_strings(w, "PublishedSockets", &r->sockets);
	TRY(write_networks(g, w, dir, r, e));
	write_pairs(w, "Labels", &r->labels);
	if (r->health.test.n)
		image_json_healthcheck(w, &r->health);
	json_write_int(w, "StopSignal", r->stop_signal);
	json_write_uint(w, "StopTimeout", r->stop_timeout);
	json_write_strings(w, "Layers", &r->layers);
	json_write_raw(w, "OCIConfig", config.text);
	json_write_end(w);
	return 0;
}

/* All names of the manifest, the one that was meant or not. */
static int read_names(const struct engine *g, const struct digest *manifest, struct arena *a,
		      struct strings *ret, struct err *e)
{
	struct image_records list;

	TRY(image_store_list(&g->store, a, &list, e));
	*ret = (struct strings){ arena_array(a, list.n, sizeof(char *)), 0 };
	for (size_t i = 0; i < list.n; i++)
		if (list.at[i].name && digest_equal(&list.at[i].manifest.digest, manifest))
			ret->at[ret->n++] = list.at[i].name;
	return 0;
}

static int write_image(const struct engine *g, struct json_writer *w,
		       const struct image_record *record, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_image struct image image = { 0 };
	auto_buf struct buf config = { 0 };
	struct image_json all = { .image = &image, .name = record->name };

	TRY(image_load(&g->store, &record->manifest.digest, &image, e));
	TRY(image_store_read(&g->store, &image.id, &config, e));
	TRY(read_names(g, &record->manifest.digest, &a, &all.names, e));
	if (digest_is_set(&record->index))
		all.index = &record->index;
	all.config = config.text;
	image_json_write(w, &all);
	return 0;
}

static int write_one(const struct call *call, const struct engine *g, struct json_writer *w,
		     const char *who, const char *type, struct err *e)
{
	auto_container_view struct container_view v = { 0 };
	char id[RECORD_ID_LEN + 1];
	struct image_record record;
	int r = -ENOENT;

	if (!choice_is(type, "image"))
		r = record_find(g, who, id, e);
	if (r >= 0) {
		TRY(engine_view(g, id, &v, e));
		return write_container(g, w, &v, e);
	}
	if (r != -ENOENT || choice_is(type, "container"))
		return r;
	r = image_store_resolve(&g->store, who, call->arena, &record, e);
	if (r == -ENOENT && !type)
		return err_set(e, ENOENT, "no such container or image: %s", who);
	TRY(r);
	return write_image(g, w, &record, e);
}

static int print_all(const struct call *call, const char *format, const struct buf *text,
		     struct err *e)
{
	auto_json struct json_doc doc = { .name = "inspect",
					  .text = text->text,
					  .size = text->len };
	auto_buf struct buf out = { 0 };

	if (!format || choice_is(format, "json")) {
		puts(text->text);
		return 0;
	}
	TRY(json_parse(&doc, call->arena, e));
	for (const struct json *v = doc.root->first; v; v = v->next) {
		TRY(template_print(format, &(struct template_scope){ .value = v }, &out,
				   e));
		buf_char(&out, '\n');
	}
	fwrite(out.text, 1, out.len, stdout);
	return 0;
}

int people_inspect(const struct call *call, const struct strings *names, const char *type,
		   const char *format, struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_buf struct buf out = { 0 };
	struct json_writer w = json_writer(&out, "    ");

	TRY(people_engine(call, &g, e));
	json_write_array(&w, NULL);
	for (size_t i = 0; i < names->n; i++)
		TRY(write_one(call, &g, &w, names->at[i], type, e));
	json_write_end(&w);
	return print_all(call, format, &out, e);
}

int cmd_inspect(const struct call *call, struct err *e)
{
	const struct inspect_values *values = call->options.values;

	return people_inspect(call, &call->options.args, values->type, values->format, e);
}
