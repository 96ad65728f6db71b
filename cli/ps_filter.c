#include "cli/ps_filter.h"

#include <errno.h>
#include <regex.h>
#include <string.h>

#include "base/json.h"
#include "cli/options.h"
#include "cli/people.h"
#include "engine/health.h"
#include "network/port.h"

struct ps_filter_row {
	const char *key;
	bool (*matches)(const struct ps_filter *f, const struct ps_entry *entry);
	int (*check)(const char *value, struct err *e); /* NULL: any will do */
	bool all;     /* each value has to match, not one of them */
	bool stopped; /* also containers that do not run are looked at, as Docker does */
};

static int compile(const char *value, regex_t *ret)
{
	return regcomp(ret, value, REG_EXTENDED | REG_NOSUB);
}

static int check_name(const char *value, struct err *e)
{
	regex_t pattern;

	if (compile(value, &pattern) != 0)
		return err_set(e, EINVAL, "it is no regular expression");
	regfree(&pattern);
	return 0;
}

/* Docker's names begin with a slash, and people's patterns may know that. */
static bool matches_name(const struct ps_filter *f, const struct ps_entry *entry)
{
	auto_arena struct arena a = { 0 };
	const char *name = entry->view.record.name;
	regex_t pattern;
	bool yes;

	if (compile(f->value, &pattern) != 0)
		return false;
	yes = regexec(&pattern, name, 0, NULL, 0) == 0 ||
	      regexec(&pattern, arena_printf(&a, "/%s", name), 0, NULL, 0) == 0;
	regfree(&pattern);
	return yes;
}

static bool matches_id(const struct ps_filter *f, const struct ps_entry *entry)
{
	return strncmp(entry->view.id, f->value, strlen(f->value)) == 0;
}

static bool is_one_of(const char *value, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], value) == 0)
			return true;
	return false;
}

static int check_status(const char *value, struct err *e)
{
	/* Some of them hull's containers never are. */
	static const char *const words[] = { "created", "running",  "paused", "restarting",
					     "exited",  "removing", "dead",   "checkpointed" };

	if (is_one_of(value, words, ARRAY_LEN(words)))
		return 0;
	return err_set(e, EINVAL, "expected created, running, paused, exited or checkpointed");
}

static bool matches_status(const struct ps_filter *f, const struct ps_entry *entry)
{
	return strcmp(container_view_status(&entry->view), f->value) == 0;
}

static int check_exited(const char *value, struct err *e)
{
	uint32_t code;

	if (number_parse(value, 255, &code) < 0)
		return err_set(e, EINVAL, "expected a status from 0 to 255");
	return 0;
}

static bool matches_exited(const struct ps_filter *f, const struct ps_entry *entry)
{
	uint32_t code;

	return number_parse(f->value, 255, &code) >= 0 &&
	       entry->view.status.exit_code == (int)code &&
	       strcmp(container_view_status(&entry->view), "exited") == 0;
}

static int check_health(const char *value, struct err *e)
{
	static const char *const words[] = { "starting", "healthy", "unhealthy", "none" };

	if (is_one_of(value, words, ARRAY_LEN(words)))
		return 0;
	return err_set(e, EINVAL, "expected starting, healthy, unhealthy or none");
}

static bool matches_health(const struct ps_filter *f, const struct ps_entry *entry)
{
	return strcmp(health_status_name(entry->view.health.status), f->value) == 0;
}

static bool matches_label(const struct ps_filter *f, const struct ps_entry *entry)
{
	return people_has_label(&entry->view.record.labels, f->value);
}

static bool matches_ancestor(const struct ps_filter *f, const struct ps_entry *entry)
{
	const struct record *r = &entry->view.record;

	return (f->image_id && r->image_id && strcmp(f->image_id, r->image_id) == 0) ||
	       strcmp(r->image, f->value) == 0;
}

static bool matches_before(const struct ps_filter *f, const struct ps_entry *entry)
{
	return entry->place > f->place;
}

static bool matches_since(const struct ps_filter *f, const struct ps_entry *entry)
{
	return entry->place < f->place;
}

static bool matches_network(const struct ps_filter *f, const struct ps_entry *entry)
{
	for (size_t i = 0; i < entry->networks.n; i++)
		if (strcmp(entry->networks.at[i], f->value) == 0)
			return true;
	return false;
}

/* By its name, by the host's directory, or by where the container has it. */
static bool matches_volume(const struct ps_filter *f, const struct ps_entry *entry)
{
	for (size_t i = 0; i < entry->mounts.n; i++) {
		const struct mounted *m = &entry->mounts.at[i];

		if ((m->volume && strcmp(m->volume, f->value) == 0) ||
		    strcmp(m->source, f->value) == 0 || strcmp(m->target, f->value) == 0)
			return true;
	}
	return false;
}

static int check_publish(const char *value, struct err *e)
{
	struct port port = { 0 };

	if (strchr(value, ':') || port_parse(value, &port, NULL) < 0)
		return err_set(e, EINVAL,
			       "expected a port of the container, as 80, 80/udp or 8000-8010");
	return 0;
}

static bool matches_publish(const struct ps_filter *f, const struct ps_entry *entry)
{
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

static const struct ps_filter_row rows[] = {
	{ "name", matches_name, check_name, false, false },
	{ "id", matches_id, NULL, false, false },
	{ "status", matches_status, check_status, false, true },
	{ "exited", matches_exited, check_exited, false, true },
	{ "ancestor", matches_ancestor, NULL, false, false },
	{ "before", matches_before, NULL, false, true },
	{ "since", matches_since, NULL, false, true },
	{ "health", matches_health, check_health, false, false },
	{ "label", matches_label, NULL, true, false },
	{ "network", matches_network, NULL, false, false },
	{ "volume", matches_volume, NULL, false, false },
	{ "publish", matches_publish, check_publish, false, false },
};

static const struct ps_filter_row *find_row(const char *text)
{
	size_t len = strcspn(text, "=");

	for (size_t i = 0; text[len] && i < ARRAY_LEN(rows); i++)
		if (strlen(rows[i].key) == len && strncmp(rows[i].key, text, len) == 0)
			return &rows[i];
	return NULL;
}

static int no_filter(struct err *e)
{
	auto_buf struct buf keys = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		buf_printf(&keys, "%s%s=",
			   i == 0                     ? ""
			   : i + 1 == ARRAY_LEN(rows) ? " or "
						      : ", ",
			   rows[i].key);
	return err_set(e, EINVAL, "expected %s", keys.text);
}

/* The image that is called so, if there is one. */
static int find_image(const struct engine *g, const char *name, struct arena *a, const char **ret,
		      struct err *e)
{
	auto_image struct image image = { 0 };
	struct image_record record;
	struct err none;

	if (!g || image_store_resolve(&g->store, name, a, &record, &none) < 0)
		return 0; /* containers may have been made of it before it was removed */
	TRY(image_load(&g->store, &record.manifest.digest, &image, e));
	*ret = arena_strdup(a, image.id.text);
	return 0;
}

static int find_place(const struct engine *g, const struct strings *ids, const char *who,
		      size_t *ret, struct err *e)
{
	char id[RECORD_ID_LEN + 1];
	size_t at = 0;

	TRY(record_find(g, who, id, e));
	while (at < ids->n && strcmp(ids->at[at], id) != 0)
		at++;
	*ret = at;
	return 0;
}

static int read_one(const struct engine *g, const struct strings *ids, const char *text,
		    struct arena *a, struct ps_filter *ret, struct err *e)
{
	*ret = (struct ps_filter){ .row = find_row(text) };
	if (!ret->row)
		return no_filter(e);
	ret->value = strchr(text, '=') + 1;
	if (ret->row->check)
		TRY(ret->row->check(ret->value, e));
	if (ret->row->matches == matches_ancestor)
		TRY(find_image(g, ret->value, a, &ret->image_id, e));
	if (ret->row->matches == matches_before || ret->row->matches == matches_since)
		TRY(find_place(g, ids, ret->value, &ret->place, e));
	return 0;
}

int ps_filters_read(const struct engine *g, const struct strings *ids, const struct strings *texts,
		    struct arena *a, struct ps_filters *ret, struct err *e)
{
	*ret = (struct ps_filters){ 0 };
	ret->list.at = arena_array(a, texts->n, sizeof(*ret->list.at));
	for (size_t i = 0; i < texts->n; i++) {
		struct ps_filter *f = &ret->list.at[i];

		if (read_one(g, ids, texts->at[i], a, f, e) < 0)
			return err_wrap(e, "--filter %s", texts->at[i]);
		ret->list.n++;
		ret->of_stopped |= f->row->stopped;
		ret->of_mounts |= f->row->matches == matches_volume;
		ret->of_networks |= f->row->matches == matches_network;
	}
	return 0;
}

/* Whether one of the values of this key matches. */
static bool any_matches(const struct ps_filters *filters, const struct ps_filter_row *row,
			const struct ps_entry *entry)
{
	for (size_t i = 0; i < filters->list.n; i++)
		if (filters->list.at[i].row == row && row->matches(&filters->list.at[i], entry))
			return true;
	return false;
}

bool ps_filters_match(const struct ps_filters *filters, const struct ps_entry *entry)
{
	for (size_t i = 0; i < filters->list.n; i++) {
		const struct ps_filter *f = &filters->list.at[i];

		if (f->row->all ? !f->row->matches(f, entry) : !any_matches(filters, f->row, entry))
			return false;
	}
	return true;
}

void ps_entry_done(struct ps_entry *entry)
{
	container_view_done(&entry->view);
	arena_done(&entry->arena);
}
