#include "cli/ps_filter.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "cli/options.h"
#include "cli/people.h"
#include "engine/health.h"
#include "network/port.h"

/* Docker's names begin with a slash, and people's patterns may know that. */
static bool matches_name(const struct filter *f, const void *subject)
{
	const struct ps_entry *entry = subject;
	const char *name = entry->view.record.name;
	auto_arena struct arena a = { 0 };

	return filter_finds(f, name) || filter_finds(f, arena_printf(&a, "/%s", name));
}

static bool matches_id(const struct filter *f, const void *subject)
{
	const struct ps_entry *entry = subject;

	return strncmp(entry->view.id, f->value, strlen(f->value)) == 0;
}

static bool is_one_of(const char *value, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], value) == 0)
			return true;
	return false;
}

static int read_status(struct filter *f, const void *ctx UNUSED, struct arena *a UNUSED,
		       struct err *e)
{
	/* Some of them hull's containers never are. */
	static const char *const words[] = { "created", "running",  "paused", "restarting",
					     "exited",  "removing", "dead",   "checkpointed" };

	if (is_one_of(f->value, words, ARRAY_LEN(words)))
		return 0;
	return err_set(e, EINVAL, "expected created, running, paused, exited or checkpointed");
}

static bool matches_status(const struct filter *f, const void *subject)
{
	const struct ps_entry *entry = subject;

	return strcmp(container_view_status(&entry->view), f->value) == 0;
}

static int read_exited(struct filter *f, const void *ctx UNUSED, struct arena *a UNUSED,
		       struct err *e)
{
	uint32_t code;

	if (number_parse(f->value, 255, &code) < 0)
		return err_set(e, EINVAL, "expected a status from 0 to 255");
	return 0;
}

static bool matches_exited(const struct filter *f, const void *subject)
{
	const struct ps_entry *entry = subject;
	uint32_t code;

	return number_parse(f->value, 255, &code) >= 0 &&
	       entry->view.status.exit_code == (int)code &&
	       strcmp(container_view_status(&entry->view), "exited") == 0;
}

static int read_health(struct filter *f, const void *ctx UNUSED, struct arena *a UNUSED,
		       struct err *e)
{
	static const char *const words[] = { "starting", "healthy", "unhealthy", "none" };

	if (is_one_of(f->value, words, ARRAY_LEN(words)))
		return 0;
	return err_set(e, EINVAL, "expected starting, healthy, unhealthy or none");
}

static bool matches_health(const struct filter *f, const void *subject)
{
	const struct ps_entry *entry = subject;

	return strcmp(health_status_name(entry->view.health.status), f->value) == 0;
}

static bool matches_label(const struct filter *f, const void *subject)
{
	const struct ps_entry *entry = subject;

	return people_has_label(&entry->view.record.labels, f->value);
}

static bool matches_ancestor(const struct filter *f, const void *subject)
{
	const struct record *r = &((const struct ps_entry *)subject)->view.record;

	return (f->text && r->image_id && strcmp(f->text, r->image_id) == 0) ||
	       strcmp(r->image, f->value) == 0;
}

static bool matches_before(const struct filter *f, const void *subject)
{
	const struct ps_entry *entry = subject;

	return entry->place > (size_t)f->found;
}

static bool matches_since(const struct filter *f, const void *subject)
{
	const struct ps_entry *entry = subject;

	return entry->place < (size_t)f->found;
}

static bool matches_network(const struct filter *f, const void *subject)
{
	const struct ps_entry *entry = subject;

	for (size_t i = 0; i < entry->networks.n; i++)
		if (strcmp(entry->networks.at[i], f->value) == 0)
			return true;
	return false;
}

/* By its name, by the host's directory, or by where the container has it. */
static bool matches_volume(const struct filter *f, const void *subject)
{
	const struct ps_entry *entry = subject;

	for (size_t i = 0; i < entry->mounts.n; i++) {
		const struct mounted *m = &entry->mounts.at[i];

		if ((m->volume && strcmp(m->volume, f->value) == 0) ||
		    strcmp(m->source, f->value) == 0 || strcmp(m->target, f->value) == 0)
			return true;
	}
	return false;
}

static int read_publish(struct filter *f, const void *ctx UNUSED, struct arena *a UNUSED,
			struct err *e)
{
	struct port port = { 0 };

	if (strchr(f->value, ':') || port_parse(f->value, &port, NULL) < 0)
		return err_set(e, EINVAL,
			       "expected a port of the container, as 80, 80/udp or 8000-8010");
	return 0;
}

static bool matches_publish(const struct filter *f, const void *subject)
{
	const struct ps_entry *entry = subject;
	const struct strings *published = &entry->view.record.published;
	struct port wanted = { 0 };

	if (port_parse(f->value, &wanted, NULL) < 0)
		return false;
	for (size_t i = 0; i < published->n; i++) {
		struct port port = { 0 };

		if (port_parse(published->at[i], &port, NULL) >= 0 &&
		    port.protocol == wanted.protocol &&
		    port.container < wanted.container + wanted.count &&
		    wanted.container < port.container + port.count)
			return true;
	}
	return false;
}

/* Containers may have been made of it before it was removed. */
static int read_ancestor(struct filter *f, const void *ctx, struct arena *a, struct err *e)
{
	const struct ps_filter_facts *facts = ctx;
	auto_image struct image image = { 0 };
	struct image_record record;
	struct err none;

	if (!facts->g || image_store_resolve(&facts->g->store, f->value, a, &record, &none) < 0)
		return 0;
	TRY(image_load(&facts->g->store, &record.manifest.digest, &image, e));
	f->text = arena_strdup(a, image.id.text);
	return 0;
}

static int read_place(struct filter *f, const void *ctx, struct arena *a UNUSED, struct err *e)
{
	const struct ps_filter_facts *facts = ctx;
	char id[RECORD_ID_LEN + 1];
	size_t at = 0;

	TRY(record_find(facts->g, f->value, id, e));
	while (at < facts->ids.n && strcmp(facts->ids.at[at], id) != 0)
		at++;
	f->found = (int64_t)at;
	return 0;
}

static const char *const restarts[] = { "no", "on-failure", "always", "unless-stopped" };

static int read_restart(struct filter *f, const void *ctx UNUSED, struct arena *a UNUSED,
			struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(restarts); i++) {
		if (strcmp(f->value, restarts[i]) != 0)
			continue;
		f->found = (int64_t)i; /* enum restart_policy */
		return 0;
	}
	return err_set(e, EINVAL, "expected no, on-failure, always or unless-stopped");
}

static bool matches_restart(const struct filter *f, const void *subject)
{
	const struct ps_entry *entry = subject;

	return entry->view.record.restart == (int)f->found;
}

/* As Podman has it: whether it is to run again when the machine does. */
static bool matches_boot(const struct filter *f, const void *subject)
{
	const struct container_view *v = &((const struct ps_entry *)subject)->view;
	bool should = v->record.restart == RESTART_ALWAYS ||
		      (v->record.restart == RESTART_UNLESS_STOPPED && !v->status.stopped);

	return should == (f->found != 0);
}

static const struct filter_row rows[] = {
	{ "name", matches_name, filter_read_pattern, false, 0 },
	{ "id", matches_id, NULL, false, 0 },
	{ "status", matches_status, read_status, false, PS_STOPPED },
	{ "exited", matches_exited, read_exited, false, PS_STOPPED },
	{ "ancestor", matches_ancestor, read_ancestor, false, 0 },
	{ "before", matches_before, read_place, false, PS_STOPPED },
	{ "since", matches_since, read_place, false, PS_STOPPED },
	{ "health", matches_health, read_health, false, 0 },
	{ "label", matches_label, NULL, true, 0 },
	{ "network", matches_network, NULL, false, PS_NETWORKS },
	{ "volume", matches_volume, NULL, false, PS_MOUNTS },
	{ "publish", matches_publish, read_publish, false, 0 },
	{ "restart-policy", matches_restart, read_restart, false, 0 },
	{ "should-start-on-boot", matches_boot, filter_read_bool, false, 0 },
};

const struct filter_table ps_filters = { rows, ARRAY_LEN(rows) };
