/* cni_run.c - configurations of CNI are found, and their plug-ins run. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "base/log.h"
#include "base/spawn.h"
#include "network/cni.h"
#include "network/config.h"

#define CONFIG_DIR "/etc/cni/net.d"
#define PLUGIN_DIRS "/opt/cni/bin:/usr/lib/cni"
#define PLUGIN_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { RUN_TIMEOUT = 120 /* seconds */, VARIABLES = 8 };

/* What the specification has of its environment, or what is usual without. */
static const char *setting(const char *variable, const char *otherwise)
{
	const char *value = getenv(variable);

	return value && *value ? value : otherwise;
}

/*
 * Finding
 */

static int read_file(int dir, const char *where, const char *name, struct arena *a,
		     struct cni_net *ret, struct err *e)
{
	const char *whole = arena_printf(a, "%s/%s", where, name);
	auto_buf struct buf text = { 0 };

	TRY(io_read_file(dir, name, CNI_SIZE_MAX, whole, &text, e));
	return cni_parse(whole, text.text, text.len, a, ret, e);
}

/* Lists come before single ones of the same name: ".conflist" is the form that can say more. */
static const char *const suffixes[] = { ".conflist", ".conf", ".json" };

/* Calls fn for each file that is right; `warn` of the others. fn returns 1 to end it. */
static int each_file(int (*fn)(const struct cni_net *net, void *ctx), void *ctx, bool warn,
		     struct arena *a, struct err *e)
{
	const char *where = setting("NETCONFPATH", CONFIG_DIR);
	auto_fd int dir = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open the directory of CNI %s", where);
	for (size_t k = 0; k < ARRAY_LEN(suffixes); k++) {
		struct strings names = { 0 };

		TRY(network_files(dir, ".", suffixes[k], a, &names, e));
		for (size_t i = 0; i < names.n; i++) {
			const char *name = arena_printf(a, "%s%s", names.at[i], suffixes[k]);
			struct err why = { 0 };
			struct cni_net net;

			if (read_file(dir, where, name, a, &net, &why) < 0) {
				if (warn)
					log_warn("%s", why.msg);
			} else if (fn(&net, ctx)) {
				return 1;
			}
		}
	}
	return 0;
}

struct search {
	const char *name;
	struct cni_net *ret;
};

static int is_it(const struct cni_net *net, void *ctx)
{
	struct search *s = ctx;

	if (strcmp(net->name, s->name) != 0)
		return 0;
	*s->ret = *net;
	return 1;
}

static int pass_over(const struct cni_net *net UNUSED, void *ctx UNUSED)
{
	return 0;
}

int cni_find(const char *name, struct arena *a, struct cni_net *ret, struct err *e)
{
	struct search s = { name, ret };
	int found = each_file(is_it, &s, false, a, e);

	if (found)
		return found < 0 ? found : 0;
	/* It may be meant to be in one that is wrong. */
	TRY(each_file(pass_over, NULL, true, a, e));
	return -ENOENT;
}

struct collection {
	struct cni_net_list *list;
	struct arena *a;
};

/* Of two of one name the first is what a container gets. */
static int collect(const struct cni_net *net, void *ctx)
{
	struct collection *c = ctx;
	struct cni_net *more = arena_array(c->a, c->list->n + 1, sizeof(*more));

	for (size_t i = 0; i < c->list->n; i++)
		if (strcmp(c->list->at[i].name, net->name) == 0)
			return 0;
	if (c->list->n)
		memcpy(more, c->list->at, c->list->n * sizeof(*more));
	more[c->list->n++] = *net;
	c->list->at = more;
	return 0;
}

int cni_list(struct arena *a, struct cni_net_list *ret, struct err *e)
{
	struct cni_net_list list = { 0 };
	struct collection c = { &list, a };

	TRY(each_file(collect, &c, true, a, e));
	*ret = list;
	return 0;
}

/*
 * Running
 */

/* A plug-in, as it was prepared. */
struct plugin {
	const char *text, *type, *network;
};

JSON_TABLE(plugin_fields, struct plugin) = {
	FIELD_STRING(struct plugin, "type", type, REQUIRED),
	FIELD_STRING(struct plugin, "name", network, REQUIRED),
	{ 0 },
};

/* It is hull's own writing, from a record that only its owner can change. */
static int open_plugin(const char *text, struct arena *a, struct plugin *ret, struct err *e)
{
	auto_json struct json_doc doc = { .name = "the record's CNI configuration",
					  .text = text,
					  .size = strlen(text) };
	struct json_decoder d = { .doc = &doc, .arena = a, .err = e };

	ret->text = text;
	TRY(json_parse(&doc, a, e));
	TRY(json_decode(&d, doc.root, plugin_fields, ret));
	return strchr(ret->type, '/') ? json_fail(&doc, doc.root, "type", e, "that is no name") : 0;
}

const char *cni_path(void)
{
	return setting("CNI_PATH", PLUGIN_DIRS);
}

/* The program of a type: the first in the directories, which are absolute. */
static int find_program(const char *type, const char *dirs, struct arena *a, const char **ret,
			struct err *e)
{
	const char *end;

	for (const char *at = dirs; at; at = *end ? end + 1 : NULL) {
		const char *path;

		end = strchrnul(at, ':');
		if (*at != '/')
			continue;
		path = arena_printf(a, "%.*s/%s", (int)(end - at), at, type);
		if (access(path, X_OK) == 0) {
			*ret = path;
			return 0;
		}
	}
	return err_set(e, ENOENT,
		       "the plug-in %s is in none of %s (CNI_PATH; Debian: apt-get install "
		       "containernetworking-plugins)",
		       json_quote(type).text, dirs);
}

int cni_programs_check(const struct cni_net *net, struct err *e)
{
	auto_arena struct arena a = { 0 };
	const char *path;

	for (size_t i = 0; i < net->types.n; i++)
		if (find_program(net->types.at[i], cni_path(), &a, &path, e) < 0)
			return err_wrap(e, "network %s", net->name);
	return 0;
}

/* Its configuration, which is an object, and what the one before it answered. */
static void write_input(const struct plugin *p, const char *result, struct buf *out)
{
	buf_add(out, p->text, strlen(p->text) - 1);
	if (result)
		buf_printf(out, ",\"prevResult\":%s", result);
	buf_char(out, '}');
}

static const char *path_of(const struct cni_call *c)
{
	return c->prepared->path ? c->prepared->path : cni_path();
}

static const char *const *environment(const struct cni_call *c, const char *command,
				      struct arena *a)
{
	const char **env = arena_array(a, VARIABLES, sizeof(*env));
	size_t n = 0;

	env[n++] = PLUGIN_PATH;
	env[n++] = arena_printf(a, "CNI_COMMAND=%s", command);
	env[n++] = arena_printf(a, "CNI_CONTAINERID=%s", c->container);
	env[n++] = arena_printf(a, "CNI_NETNS=%s", c->netns ? c->netns : "");
	env[n++] = arena_printf(a, "CNI_IFNAME=%s", c->interface);
	env[n++] = arena_printf(a, "CNI_PATH=%s", path_of(c));
	env[n] = NULL;
	return env;
}

/* What it printed, for ADD its result, is added to *output. */
static int run_program(const struct cni_call *c, const struct plugin *p, const char *command,
		       const struct buf *input, struct arena *a, struct buf *output, struct err *e)
{
	const char *argv[] = { p->type, NULL }, *said;
	int status = 0, ended;
	struct spawn_request req = { .argv = argv,
				     .input = input->text,
				     .input_len = input->len,
				     .answer = output,
				     .answer_max = CNI_SIZE_MAX,
				     .wait_status = &status,
				     .timeout = RUN_TIMEOUT,
				     .dies_with_us = true };
	struct err why = { 0 };

	TRY(find_program(p->type, path_of(c), a, &req.path, e));
	req.envp = environment(c, command, a);
	ended = spawn_run(&req, NULL, &why);
	if (ended >= 0)
		return 0;
	if (ended == -EFBIG)
		return err_set(e, EFBIG, "its answer has more than %d bytes", CNI_SIZE_MAX);
	/* Only one that ended by itself has said why. */
	if (ended == -ECHILD && WIFEXITED(status) && output->len &&
	    cni_failure_parse(output->text, output->len, a, &said) == 0)
		return err_set(e, ECHILD, "%s", said);
	return err_set(e, why.code, "%s", why.msg);
}

/* The same for the text of a plug-in, with words around a failure. */
static int run_plugin(const struct cni_call *call, const char *text, const char *command,
		      const char *result, struct arena *a, struct buf *output, struct err *e)
{
	auto_buf struct buf input = { 0 };
	struct err why = { 0 };
	struct plugin p = { 0 };
	int code;

	TRY(open_plugin(text, a, &p, e));
	write_input(&p, result, &input);
	log_debug("CNI: %s %s for container %s", command, p.type, call->container);
	code = run_program(call, &p, command, &input, a, output, &why);
	if (code < 0)
		return err_set(e, why.code, "network %s: CNI plug-in %s failed to %s: %s",
			       p.network, p.type, command, why.msg);
	return 0;
}

int cni_add(const struct cni_call *call, struct arena *a, const char **ret_text,
	    struct cni_result *ret, struct err *e)
{
	const struct strings *plugins = &call->prepared->plugins;
	const char *result = NULL;

	for (size_t i = 0; i < plugins->n; i++) {
		auto_buf struct buf answer = { 0 };
		struct plugin p = { 0 };
		struct err why = { 0 };

		TRY(run_plugin(call, plugins->at[i], "ADD", result, a, &answer, e));
		TRY(open_plugin(plugins->at[i], a, &p, e));
		if (cni_result_parse(answer.text ? answer.text : "", answer.len, call->interface, a,
				     ret, &why) < 0)
			return err_set(e, EINVAL, "network %s: the answer of CNI plug-in %s: %s",
				       p.network, p.type, why.msg);
		result = arena_strndup(a, answer.text, answer.len);
	}
	*ret_text = result;
	return 0;
}

int cni_check(const struct cni_call *call, struct err *e)
{
	const struct strings *plugins = &call->prepared->plugins;
	auto_arena struct arena a = { 0 };

	if (call->prepared->unchecked)
		return err_set(e, ENOTSUP,
			       "the CNI configuration of %s has no CHECK: it says disableCheck, or "
			       "a version before 0.4.0",
			       call->interface);
	for (size_t i = 0; i < plugins->n; i++) {
		auto_buf struct buf answer = { 0 };

		TRY(run_plugin(call, plugins->at[i], "CHECK", call->result, &a, &answer, e));
	}
	return 0;
}

int cni_delete(const struct cni_call *call, struct err *e)
{
	const struct strings *plugins = &call->prepared->plugins;
	auto_arena struct arena a = { 0 };
	struct err first = { 0 };

	for (size_t i = plugins->n; i-- > 0;) {
		auto_buf struct buf answer = { 0 };
		struct err why = { 0 };

		if (run_plugin(call, plugins->at[i], "DEL", call->result, &a, &answer, &why) < 0 &&
		    !first.code)
			first = why;
	}
	if (!first.code)
		return 0;
	if (e)
		*e = first;
	return -first.code;
}
