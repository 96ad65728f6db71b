#include "image/config_bundle.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool is_set(const char *text)
{
	return text && text[0];
}

/* Signals. */

/* A number from 0 to 64 and nothing else. */
static bool small_number(const char *text, int *ret)
{
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 2 || text[n])
		return false;
	*ret = atoi(text);
	return *ret <= 64;
}

static int named_signal(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} aliases[] = { { "IOT", SIGIOT },
			{ "CLD", SIGCHLD },
			{ "POLL", SIGPOLL },
			{ "IO", SIGIO },
			{ "UNUSED", SIGSYS } };
	int n;

	if (strcasecmp(name, "RTMIN") == 0)
		return SIGRTMIN;
	if (strcasecmp(name, "RTMAX") == 0)
		return SIGRTMAX;
	if (strncasecmp(name, "RTMIN+", 6) == 0 && small_number(name + 6, &n))
		return SIGRTMIN + n <= SIGRTMAX ? SIGRTMIN + n : 0;
	if (strncasecmp(name, "RTMAX-", 6) == 0 && small_number(name + 6, &n))
		return SIGRTMAX - n >= SIGRTMIN ? SIGRTMAX - n : 0;
	for (n = 1; n < SIGRTMIN; n++) {
		const char *known = sigabbrev_np(n);

		if (known && strcasecmp(name, known) == 0)
			return n;
	}
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (strcasecmp(name, aliases[i].name) == 0)
			return aliases[i].number;
	return 0;
}

int bundle_signal(const char *text, int *ret, struct err *e)
{
	int n = 0;

	if (!small_number(text, &n))
		n = named_signal(strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text);
	if (n < 1)
		return err_set(e, EINVAL, "signal %s is not known", json_quote(text).text);
	*ret = n;
	return 0;
}

/* What to run. */

static int make_args(const struct image_run *run, const struct image_overrides *wishes,
		     const char *image, struct arena *a, struct strings *ret, struct err *e)
{
	const struct strings none = { NULL, 0 };
	struct strings entrypoint = wishes->has_entrypoint ? wishes->entrypoint : run->entrypoint;
	struct strings cmd = wishes->args, args;

	if (wishes->has_entrypoint && entrypoint.n == 1 && entrypoint.at[0][0] == '\0')
		entrypoint = none;
	/* The image's Cmd are arguments for its own Entrypoint. */
	if (cmd.n == 0 && !wishes->has_entrypoint)
		cmd = run->cmd;
	args = (struct strings){ arena_array(a, entrypoint.n + cmd.n + 1, sizeof(*args.at)), 0 };
	for (size_t i = 0; i < entrypoint.n; i++)
		args.at[args.n++] = entrypoint.at[i];
	for (size_t i = 0; i < cmd.n; i++)
		args.at[args.n++] = cmd.at[i];
	if (args.n == 0)
		return err_set(e, EINVAL,
			       "image %s has no Entrypoint and no Cmd, and no command was given",
			       image);
	if (args.at[0][0] == '\0')
		return err_set(e, EINVAL, "image %s: the name of the program to run is empty",
			       image);
	*ret = args;
	return 0;
}

/* The environment. */

static size_t name_length(const char *entry)
{
	return strcspn(entry, "=");
}

static bool same_name(const char *a, const char *b)
{
	size_t n = name_length(a);

	return n == name_length(b) && memcmp(a, b, n) == 0;
}

static const char **find_variable(const struct strings *env, const char *entry)
{
	for (size_t i = 0; i < env->n; i++)
		if (same_name(env->at[i], entry))
			return &env->at[i];
	return NULL;
}

/* In the place of the one that has the name, else at the end: there is room. */
static void set_variable(struct strings *env, const char *entry)
{
	const char **old = find_variable(env, entry);

	if (old)
		*old = entry;
	else
		env->at[env->n++] = entry;
}

static void unset_variable(struct strings *env, const char *name)
{
	const char **old = find_variable(env, name);

	if (!old)
		return;
	memmove(old, old + 1, (size_t)(env->at + env->n - (old + 1)) * sizeof(*old));
	env->n--;
}

static const char *from_host(const char *const *host_env, const char *name)
{
	for (; host_env && *host_env; host_env++)
		if (strchr(*host_env, '=') && same_name(*host_env, name))
			return *host_env;
	return NULL;
}

static int check_variable(const char *entry, const char *whose, struct err *e)
{
	if (name_length(entry) > 0)
		return 0;
	return err_set(e, EINVAL, "%s: the environment entry %s has no name", whose,
		       json_quote(entry).text);
}

static int make_env(const struct image_run *run, const struct image_overrides *wishes,
		    const char *image, struct arena *a, struct strings *ret, struct err *e)
{
	const char *const *host = wishes->all_host_env ? wishes->host_env : NULL;
	size_t room = 3 + run->env.n + wishes->env.n;
	struct strings env = { 0 };

	for (size_t i = 0; host && host[i]; i++)
		room++;
	env.at = arena_array(a, room + 1, sizeof(*env.at));

	set_variable(&env, "PATH=" DEFAULT_PATH);
	if (is_set(wishes->hostname))
		set_variable(&env, arena_printf(a, "HOSTNAME=%s", wishes->hostname));
	if (wishes->terminal)
		set_variable(&env, "TERM=xterm");
	for (; host && *host; host++)
		if (name_length(*host) > 0 && strchr(*host, '='))
			set_variable(&env, *host);
	for (size_t i = 0; i < run->env.n; i++) {
		const char *entry = run->env.at[i];

		TRY(check_variable(entry, image, e));
		set_variable(&env, strchr(entry, '=') ? entry : arena_printf(a, "%s=", entry));
	}
	if (wishes->unset_env_all)
		env.n = 0;
	for (size_t i = 0; i < wishes->unset_env.n; i++)
		unset_variable(&env, wishes->unset_env.at[i]);
	for (size_t i = 0; i < wishes->env.n; i++) {
		const char *entry = wishes->env.at[i];

		TRY(check_variable(entry, "the command line", e));
		if (!strchr(entry, '=')) {
			const char *value = from_host(wishes->host_env, entry);

			if (!value) {
				unset_variable(&env, entry);
				continue;
			}
			entry = value;
		}
		set_variable(&env, entry);
	}
	*ret = env;
	return 0;
}

/* Paths. */

/* Without doubled, trailing and "." parts; NULL: not absolute, or with "..". */
static const char *clean_path(const char *path, struct arena *a)
{
	char *clean = arena_array(a, strlen(path) + 2, 1), *to = clean;

	if (path[0] != '/')
		return NULL;
	while (*path) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 2 && memcmp(path, "..", 2) == 0)
			return NULL;
		if (n > 0 && !(n == 1 && path[0] == '.')) {
			*to++ = '/';
			memcpy(to, path, n);
			to += n;
		}
		path += n;
	}
	if (to == clean)
		*to = '/';
	return clean;
}

static int make_cwd(const struct image_run *run, const struct image_overrides *wishes,
		    const char *image, struct arena *a, const char **ret, struct err *e)
{
	const char *cwd = is_set(wishes->working_dir) ? wishes->working_dir : run->working_dir,
		   *clean;

	clean = is_set(cwd) ? clean_path(cwd, a) : "/";
	if (!clean)
		return err_set(e, EINVAL, "%s: the working directory %s is not an absolute path",
			       is_set(wishes->working_dir) ? "the command line" : image,
			       json_quote(cwd).text);
	*ret = clean;
	return 0;
}

static int make_volumes(const struct image_run *run, const char *image, struct arena *a,
			struct bundle *b, struct err *e)
{
	b->volumes.at = arena_array(a, run->volumes.n, sizeof(*b->volumes.at));
	for (size_t i = 0; i < run->volumes.n; i++) {
		const char *path = clean_path(run->volumes.at[i].name, a);
		size_t k = 0;

		if (!path || strcmp(path, "/") == 0)
			return err_set(e, EINVAL,
				       "image %s: the volume %s is not an absolute path below /",
				       image, json_quote(run->volumes.at[i].name).text);
		while (k < b->volumes.n && strcmp(b->volumes.at[k].destination, path) != 0)
			k++;
		if (k == b->volumes.n)
			b->volumes.at[b->volumes.n++].destination = path;
	}
	return 0;
}

/* Labels and annotations. */

static void set_pair(struct spec_pairs *pairs, const char *key, const char *value)
{
	size_t i = 0;

	if (!value)
		return;
	while (i < pairs->n && strcmp(pairs->at[i].key, key) != 0)
		i++;
	pairs->at[i] = (struct spec_pair){ key, value };
	pairs->n += i == pairs->n;
}

static void set_pairs(struct spec_pairs *pairs, const struct spec_pairs *more)
{
	for (size_t i = 0; i < more->n; i++)
		set_pair(pairs, more->at[i].key, more->at[i].value);
}

/* What is said to the runtime by annotations is the user's to say, never an image's (CVE-2026-53488). */
static bool is_control(const char *key)
{
	static const char *const prefixes[] = {
		"org.systemd.property.",
		"run.oci.",
		"org.criu.",
		"run.hull.",
		"hull.",
		"cdi.k8s.io/",
		"io.kubernetes.",
		"io.katacontainers.",
	};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (strncmp(key, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static void set_harmless_pairs(struct spec_pairs *pairs, const struct spec_pairs *more)
{
	for (size_t i = 0; i < more->n; i++)
		if (!is_control(more->at[i].key))
			set_pair(pairs, more->at[i].key, more->at[i].value);
}

static const char *joined_set(const struct image_set *set, struct arena *a)
{
	const char *text = NULL;

	for (size_t i = 0; i < set->n; i++)
		text = text ? arena_printf(a, "%s,%s", text, set->at[i].name) : set->at[i].name;
	return text;
}

static const char *joined(const struct strings *list, struct arena *a)
{
	const char *text = NULL;

	for (size_t i = 0; i < list->n; i++)
		text = text ? arena_printf(a, "%s,%s", text, list->at[i]) : list->at[i];
	return text;
}

/* conversion.md: annotation fields; what the image says in Labels goes first. */
static void make_pairs(const struct image_config *c, const struct image_overrides *wishes,
		       struct arena *a, struct bundle *b)
{
	const struct {
		const char *key, *value;
	} fields[] = {
		{ "org.opencontainers.image.os", c->platform.os },
		{ "org.opencontainers.image.architecture", c->platform.architecture },
		{ "org.opencontainers.image.variant", c->platform.variant },
		{ "org.opencontainers.image.os.version", c->platform.os_version },
		{ "org.opencontainers.image.os.features", joined(&c->platform.os_features, a) },
		{ "org.opencontainers.image.author", c->author },
		{ "org.opencontainers.image.created", c->created },
		{ "org.opencontainers.image.stopSignal", c->run.stop_signal },
		{ "org.opencontainers.image.exposedPorts", joined_set(&c->run.exposed_ports, a) },
	};
	size_t labels = c->run.labels.n + wishes->labels.n;

	b->labels.at = arena_array(a, labels, sizeof(*b->labels.at));
	set_pairs(&b->labels, &c->run.labels);
	set_pairs(&b->labels, &wishes->labels);
	b->annotations.at = arena_array(a, ARRAY_LEN(fields) + labels + wishes->annotations.n,
					sizeof(*b->annotations.at));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		set_pair(&b->annotations, fields[i].key, fields[i].value);
	set_harmless_pairs(&b->annotations, &c->run.labels);
	set_pairs(&b->annotations, &wishes->labels);
	set_pairs(&b->annotations, &wishes->annotations);
}

int bundle_make(const struct image_config *config, const struct image_overrides *wishes,
		const char *image, struct arena *a, struct bundle *ret, struct err *e)
{
	const struct image_run *run = &config->run;
	struct bundle b = { .stop_signal = SIGTERM, .user = "", .healthcheck = run->healthcheck };

	TRY(make_args(run, wishes, image, a, &b.args, e));
	TRY(make_env(run, wishes, image, a, &b.env, e));
	TRY(make_cwd(run, wishes, image, a, &b.cwd, e));
	TRY(make_volumes(run, image, a, &b, e));
	if (is_set(wishes->stop_signal)) {
		if (bundle_signal(wishes->stop_signal, &b.stop_signal, e) < 0)
			return err_wrap(e, "--stop-signal");
	} else if (is_set(run->stop_signal) &&
		   bundle_signal(run->stop_signal, &b.stop_signal, e) < 0) {
		return err_wrap(e, "image %s: the signal that stops it", image);
	}
	if (is_set(wishes->user))
		b.user = wishes->user;
	else if (is_set(run->user))
		b.user = run->user;
	if (b.healthcheck &&
	    (b.healthcheck->test.n == 0 || strcmp(b.healthcheck->test.at[0], "NONE") == 0))
		b.healthcheck = NULL;
	make_pairs(config, wishes, a, &b);
	*ret = b;
	return 0;
}
