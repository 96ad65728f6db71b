/* spec_load.c - from text to struct spec: parse, decode by table, check by rule. */
#include <errno.h>
#include <string.h>

#include "spec/spec.h"
#include "spec/tables.h"
#include "spec/validate.h"

static int run_rules(const struct spec_check *c, const struct spec_rule *rules)
{
	for (; rules->name; rules++)
		TRY(rules->check(c));
	return 0;
}

static int load(struct json_doc *doc, struct arena *a, const struct json_field *fields, void *out,
		struct err *e)
{
	struct json_decoder d = { .doc = doc, .arena = a, .err = e };

	TRY(json_parse(doc, a, e));
	return json_decode(&d, doc->root, fields, out);
}

/* `linux` and what is in it may be absent; its rules then find nothing to object to. */
static int check_spec(const struct json_doc *doc, const struct spec *s, struct err *e)
{
	struct spec_check c = { .doc = doc, .at = doc->root, .err = e, .spec = s };

	TRY(run_rules(&c, spec_config_rules));
	TRY(run_rules(&c, spec_linux_rules));
	if (s->linux.seccomp) {
		c.at = json_find(doc->root, "linux.seccomp");
		TRY(run_rules(&c, spec_seccomp_rules));
	}
	c.resources = &s->linux.resources;
	c.at = json_find(doc->root, "linux.resources");
	TRY(run_rules(&c, spec_resources_rules));
	if (!s->process)
		return 0;
	c.process = s->process;
	c.at = json_find(doc->root, "process");
	return run_rules(&c, spec_process_rules);
}

int spec_parse(struct spec *ret, const char *name, const char *text, size_t size, struct err *e)
{
	auto_json struct json_doc doc = { .name = name, .text = text, .size = size };
	auto_spec struct spec s = { 0 };

	TRY(load(&doc, &s.arena, spec_fields, &s, e));
	TRY(check_spec(&doc, &s, e));
	*ret = s;
	s = (struct spec){ 0 };
	return 0;
}

int spec_parse_process(struct spec_process *ret, struct arena *a, const char *name,
		       const char *text, size_t size, struct err *e)
{
	auto_json struct json_doc doc = { .name = name, .text = text, .size = size };
	struct spec_process process = { 0 };
	struct spec_check c = { .doc = &doc, .err = e, .process = &process };

	TRY(load(&doc, a, spec_process_fields, &process, e));
	c.at = doc.root;
	TRY(run_rules(&c, spec_process_rules));
	*ret = process;
	return 0;
}

int spec_parse_resources(struct spec_resources *ret, struct arena *a, const char *name,
			 const char *text, size_t size, struct err *e)
{
	auto_json struct json_doc doc = { .name = name, .text = text, .size = size };
	struct spec_resources resources = { 0 };
	struct spec_check c = { .doc = &doc, .err = e, .resources = &resources };

	TRY(load(&doc, a, spec_resources_fields, &resources, e));
	c.at = doc.root;
	TRY(run_rules(&c, spec_resources_rules));
	*ret = resources;
	return 0;
}

void spec_done(struct spec *s)
{
	arena_done(&s->arena);
	*s = (struct spec){ 0 };
}

int spec_require_process(const struct spec *s, const char *name, struct err *e)
{
	if (s->process)
		return 0;
	return err_set(e, EINVAL, "%s: process: missing, so there is nothing to start", name);
}

const struct spec_namespace *spec_namespace(const struct spec *s, enum spec_ns type)
{
	for (size_t i = 0; i < s->linux.namespaces.n; i++)
		if (s->linux.namespaces.at[i].type == type)
			return &s->linux.namespaces.at[i];
	return NULL;
}

const char *spec_annotation(const struct spec *s, const char *key)
{
	for (size_t i = 0; i < s->annotations.n; i++)
		if (strcmp(s->annotations.at[i].key, key) == 0)
			return s->annotations.at[i].value;
	return NULL;
}
