/*
 * people.h - what the commands for people share: the engine, and output as
 * tables, JSON or a template.
 */
#ifndef HULL_CLI_PEOPLE_H
#define HULL_CLI_PEOPLE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "cli/commands.h"
#include "engine/containers.h"

/* The wish that the words of a `run` are, options and all; *ret is the arena's and theirs. */
int run_image_wish(const struct call *call, const struct strings *words, struct wish *ret,
		   struct err *e) MUST_CHECK;
/* Makes such a container and runs it. Returns its exit status. `follow` is of a wish that is `followed`, else NULL. */
struct follow_values;
int run_image(const struct call *call, const struct wish *wish, const struct follow_values *follow,
	      struct err *e) MUST_CHECK;

/* Opens the engine of --data-root. */
int people_engine(const struct call *call, struct engine *ret, struct err *e) MUST_CHECK;

/* Whether there is one already: who only looks for a container makes no store for it. */
bool people_has_engine(const struct call *call);

/*
 * The runtime's id for what a person calls a container: itself, if the
 * runtime has one of that name, else that of the engine's container, and if
 * there is none either, what was said. -EEXIST: it begins several ids.
 */
int people_container(const struct call *call, const char *who, const char **ret, struct err *e)
	MUST_CHECK;

/* By the same rules, its name if it is one of the engine's, which have a keeper; else NULL. */
int people_kept(const struct call *call, const char *who, const char **ret, struct err *e)
	MUST_CHECK;

/* Notes what happened to a container (engine/happened.h), if it is one of the engine's. */
void people_happened(const struct call *call, const char *id, const char *action, const char *key,
		     const char *value);

/*
 * Notes what happens to a program of exec in a container that is the engine's and runs: people_exec_begins()
 * before, which makes the id, *ret_id ("": nothing is noted), and people_exec_ended() when it has ended.
 */
void people_exec_begins(const struct call *call, const char *id, const struct strings *args,
			char ret_id[RECORD_ID_LEN + 1]);
void people_exec_ended(const struct call *call, const char *id, const char *exec_id, int status);

/* Whether the label of "KEY" or "KEY=VALUE" is among them. */
bool people_has_label(const struct spec_pairs *labels, const char *value);

/* A column of a table, and a field of templates: "{{.Name}}". */
struct people_field {
	const char *name;    /* "ID" */
	const char *heading; /* "CONTAINER ID" */
	bool aside;          /* only in templates and JSON */
};

struct people_row {
	const char **values;
	const struct json *labels; /* an object, if the table is `labelled` */
};

struct people_table {
	const struct people_field *fields; /* ends with a NULL name */
	/* --format: NULL or "table", "json", a template (cli/template.h), or "table " and one */
	const char *format;
	bool labelled; /* {{.Label "KEY"}} is a field; to be set once it has begun */
	struct buf out;
	struct arena arena;
	LIST(struct people_row) rows;
};
#define auto_people_table __attribute__((cleanup(people_table_done)))

void people_table_begin(struct people_table *t, const struct people_field *fields,
			const char *format);
/* The values of one row, in the order of the fields, and its labels, if it is labelled; they are copied. */
void people_table_row(struct people_table *t, const char *const *values,
		      const struct spec_pairs *labels);
/* All of it to t->out. -EINVAL: as below. */
int people_table_print(struct people_table *t, struct err *e) MUST_CHECK;
/* Prints all of it. -EINVAL: the template names a field that is not there. */
int people_table_end(struct people_table *t, struct err *e) MUST_CHECK;
void people_table_done(struct people_table *t);

/* What is known of each, as `format` says; `type` is "container", "image" or, for either, NULL. */
int people_inspect(const struct call *call, const struct strings *names, const char *type,
		   const char *format, struct err *e) MUST_CHECK;

/* Calls `fn` for each word; goes on after a failure, and the last one is the result: the others are printed. */
int people_words(const struct call *call, const struct strings *words,
		 int (*fn)(const char *who, void *ctx, struct err *e), void *ctx, struct err *e)
	MUST_CHECK;

/* The same for each argument, with the engine. */
int people_each(const struct call *call,
		int (*fn)(const struct engine *g, const char *who, const struct call *call,
			  struct err *e),
		struct err *e) MUST_CHECK;

#endif
