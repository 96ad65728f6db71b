#include "cli/image_json.h"

#include <string.h>

#include "base/arena.h"
#include "image/reference.h"

static void write_text(struct json_writer *w, const char *key, const char *text)
{
	json_write_string(w, key, text ? text : "");
}

static void write_set(struct json_writer *w, const char *key, const struct image_set *set)
{
	json_write_object(w, key);
	for (size_t i = 0; i < set->n; i++) {
		json_write_object(w, set->at[i].name);
		json_write_end(w);
	}
	json_write_end(w);
}

void image_json_healthcheck(struct json_writer *w, const struct image_healthcheck *c)
{
	json_write_object(w, "Healthcheck");
	json_write_strings(w, "Test", &c->test);
	json_write_int(w, "Interval", c->interval);
	json_write_int(w, "Timeout", c->timeout);
	json_write_int(w, "StartPeriod", c->start_period);
	json_write_int(w, "StartInterval", c->start_interval);
	json_write_int(w, "Retries", c->retries);
	json_write_end(w);
}

static void write_run(struct json_writer *w, const struct image_run *r)
{
	json_write_object(w, "Config");
	write_text(w, "Hostname", r->hostname);
	write_text(w, "User", r->user);
	write_set(w, "ExposedPorts", &r->exposed_ports);
	json_write_strings(w, "Env", &r->env);
	json_write_strings(w, "Cmd", &r->cmd);
	if (r->healthcheck)
		image_json_healthcheck(w, r->healthcheck);
	else
		json_write_null(w, "Healthcheck");
	json_write_bool(w, "ArgsEscaped", r->args_escaped);
	write_set(w, "Volumes", &r->volumes);
	write_text(w, "WorkingDir", r->working_dir);
	json_write_strings(w, "Entrypoint", &r->entrypoint);
	json_write_strings(w, "OnBuild", &r->on_build);
	json_write_object(w, "Labels");
	for (size_t i = 0; i < r->labels.n; i++)
		json_write_string(w, r->labels.at[i].key, r->labels.at[i].value);
	json_write_end(w);
	write_text(w, "StopSignal", r->stop_signal);
	if (r->stop_timeout.set)
		json_write_uint(w, "StopTimeout", r->stop_timeout.value);
	else
		json_write_null(w, "StopTimeout");
	json_write_strings(w, "Shell", &r->shell);
	json_write_end(w);
}

static bool is_among(const struct strings *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i], text) == 0)
			return true;
	return false;
}

/* "debian:12", and "debian@sha256:..." once for each repository. */
static void write_names(struct json_writer *w, const struct image_json *i)
{
	const struct digest *digest = i->index ? i->index : &i->image->digest;
	auto_arena struct arena a = { 0 };
	struct strings digests = { arena_array(&a, i->names.n, sizeof(char *)), 0 };

	json_write_array(w, "RepoTags");
	for (size_t k = 0; k < i->names.n; k++) {
		struct reference r = { 0 };
		const char *text;

		if (reference_parse(i->names.at[k], &r, NULL) < 0)
			continue;
		text = arena_strdup(&a, reference_familiar(&r).text);
		if (r.tag[0])
			json_write_string(w, NULL, arena_printf(&a, "%s:%s", text, r.tag));
		text = arena_printf(&a, "%s@%s", text, digest->text);
		if (!is_among(&digests, text))
			digests.at[digests.n++] = text;
	}
	json_write_end(w);
	json_write_strings(w, "RepoDigests", &digests);
}

static const char *last_comment(const struct image_config *c)
{
	return c->history.n ? c->history.at[c->history.n - 1].comment : NULL;
}

void image_json_write(struct json_writer *w, const struct image_json *i)
{
	const struct image_config *c = &i->image->config;

	json_write_object(w, NULL);
	json_write_string(w, "Id", i->image->id.text);
	write_names(w, i);
	json_write_string(w, "Digest", i->image->digest.text);
	write_text(w, "Name", i->name);
	write_text(w, "Comment", last_comment(c));
	write_text(w, "Created", c->created);
	write_text(w, "Author", c->author);
	write_run(w, &c->run);
	write_text(w, "Architecture", c->platform.architecture);
	write_text(w, "Variant", c->platform.variant);
	write_text(w, "Os", c->platform.os);
	write_text(w, "OsVersion", c->platform.os_version);
	json_write_uint(w, "Size", i->image->size);
	json_write_object(w, "RootFS");
	write_text(w, "Type", c->rootfs.type);
	json_write_array(w, "Layers");
	for (size_t k = 0; k < c->rootfs.diff_ids.n; k++)
		json_write_string(w, NULL, c->rootfs.diff_ids.at[k].text);
	json_write_end(w);
	json_write_end(w);
	json_write_array(w, "Layers");
	for (size_t k = 0; k < i->image->manifest.layers.n; k++)
		json_write_string(w, NULL, i->image->manifest.layers.at[k].digest.text);
	json_write_end(w);
	json_write_raw(w, "ImageConfig", i->config);
	json_write_end(w);
}
