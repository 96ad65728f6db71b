/*
 * validate.h - what the runtime specification says about members together.
 *
 * Types and ranges of single members are in the tables; here are the rules
 * that need more than one, as lists of functions. A rule knows the document,
 * so its message says line and column; it asks neither the kernel nor the
 * file system. Each has its wrong documents, by its name, in tests/data/wrong/.
 *
 * spec_load.c runs the lists; everybody else calls spec_parse().
 */
#ifndef HULL_SPEC_VALIDATE_H
#define HULL_SPEC_VALIDATE_H

#include "base/json.h"
#include "spec/spec.h"

struct spec_check {
	const struct json_doc *doc;
	const struct json *at; /* what the list is about: paths start here */
	struct err *err;
	/* Which ones are there depends on the list. */
	const struct spec *spec;
	const struct spec_process *process;
	const struct spec_resources *resources;
};

struct spec_rule {
	const char *name;
	int (*check)(const struct spec_check *c);
};

/* The lists end with a NULL name. */
extern const struct spec_rule spec_config_rules[];    /* c->spec, without `linux` */
extern const struct spec_rule spec_linux_rules[];     /* c->spec */
extern const struct spec_rule spec_seccomp_rules[];   /* c->spec, with linux.seccomp */
extern const struct spec_rule spec_process_rules[];   /* c->process */
extern const struct spec_rule spec_resources_rules[]; /* c->resources */

/*
 * For rules. A list that is not empty came from the array of its name, item by
 * item: a rule that looks at each walks json_find(...)->first along with it.
 */
#define CHECK_FAIL(c, at, ...) json_fail((c)->doc, at, NULL, (c)->err, __VA_ARGS__)

int spec_check_absolute(const struct spec_check *c, const struct json *at, const char *path)
	MUST_CHECK;
/* Each of a list of strings is an absolute path; has the form NAME=value. */
int spec_check_absolutes(const struct spec_check *c, const struct json *list) MUST_CHECK;
int spec_check_env(const struct spec_check *c, const struct json *list) MUST_CHECK;
/* The kernel would take these mappings. `list` is their array. */
int spec_check_mappings(const struct spec_check *c, const struct json *list,
			const struct spec_idmaps *maps) MUST_CHECK;
/* A list of numbers and ranges, as cpusets have it: "0-3, 7". */
int spec_check_cpu_list(const struct spec_check *c, const struct json *at, const char *list)
	MUST_CHECK;
#endif
