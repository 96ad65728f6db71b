#include "image/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json_decode.h"
#include "base/spawn.h"
#include "image/base64.h"

enum { HELPER_SECONDS = 60 };

struct auth_entry {
	const char *key;
	const char *auth; /* base64 of "user:password" */
	const char *username, *password, *identity_token;
};
JSON_TABLE(entry_fields, struct auth_entry) = {
	FIELD_STRING(struct auth_entry, "auth", auth, 0),
	FIELD_STRING(struct auth_entry, "username", username, 0),
	FIELD_STRING(struct auth_entry, "password", password, 0),
	FIELD_STRING(struct auth_entry, "identitytoken", identity_token, 0),
	{ 0 },
};

struct auth_helper {
	const char *server, *name;
};

struct auth_file {
	LIST(struct auth_entry) auths;
	LIST(struct auth_helper) helpers;
	const char *store;
};
JSON_TABLE(file_fields, struct auth_file) = {
	FIELD_OBJECT_MAP(struct auth_file, "auths", auths, key, entry_fields, 0),
	FIELD_STRING_MAP(struct auth_file, "credHelpers", helpers, server, name, 0),
	FIELD_STRING(struct auth_file, "credsStore", store, 0),
	{ 0 },
};

struct answer {
	const char *username, *secret;
};
JSON_TABLE(answer_fields, struct answer) = {
	FIELD_STRING(struct answer, "Username", username, 0),
	FIELD_STRING(struct answer, "Secret", secret, 0),
	{ 0 },
};

/*
 * Messages of the JSON parser may quote what they refuse, and that could be a
 * secret: only where it stands is said.
 */
static int wrong_file(const char *name, struct err *e)
{
	struct err inner = e ? *e : (struct err){ 0 };
	size_t n = strlen(name), end;

	if (strncmp(inner.msg, name, n) != 0 || inner.msg[n] != ':')
		return err_set(e, EINVAL, "%s: not a file of credentials", name);
	end = n + 1 + strspn(inner.msg + n + 1, "0123456789:");
	return err_set(e, EINVAL, "%.*s not what is expected in a file of credentials", (int)end,
		       inner.msg);
}

static int decode(const char *name, const char *text, size_t size, const struct json_field *fields,
		  void *out, struct arena *a, struct err *e)
{
	auto_json struct json_doc doc = { .name = name, .text = text, .size = size };
	struct json_decoder d = { .doc = &doc, .arena = a, .err = e };

	if (json_parse(&doc, a, e) < 0 || json_decode(&d, doc.root, fields, out) < 0)
		return wrong_file(name, e);
	return 0;
}

/* Docker Hub has three names; Docker itself writes the first. */
static const char *const hub[] = { "index.docker.io/v1", "index.docker.io", "docker.io",
				   "registry-1.docker.io", NULL };

/* "https://HOST/PATH/" is HOST/PATH to us. */
static const char *plain_key(const char *key, struct arena *a)
{
	static const char *const schemes[] = { "https://", "http://" };
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (strncmp(key, schemes[i], strlen(schemes[i])) == 0)
			key += strlen(schemes[i]);
	n = strlen(key);
	while (n > 0 && key[n - 1] == '/')
		n--;
	return arena_strndup(a, key, n);
}

/* How much of REGISTRY/REPOSITORY a key covers; 0: it is for something else. */
static size_t coverage(const char *key, const char *registry, const char *repository)
{
	size_t n = strlen(registry), rest;

	for (const char *const *name = hub; strcmp(registry, "docker.io") == 0 && *name; name++)
		if (strcmp(key, *name) == 0)
			return n;
	if (strncmp(key, registry, n) != 0)
		return 0;
	if (key[n] == '\0')
		return n;
	if (key[n] != '/')
		return 0;
	/* Docker's older keys end with the version of the protocol. */
	if (strcmp(key + n, "/v1") == 0 || strcmp(key + n, "/v2") == 0)
		return n;
	rest = strlen(key + n + 1);
	if (strncmp(repository, key + n + 1, rest) != 0 ||
	    (repository[rest] != '\0' && repository[rest] != '/'))
		return 0;
	return n + 1 + rest;
}

/* It becomes part of a program's name. */
static int check_helper(const char *name, const char *helper, struct err *e)
{
	size_t n =
		strspn(helper, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

	if (n > 0 && n < 100 && helper[n] == '\0')
		return 0;
	return err_set(e, EINVAL, "%s: %s is not the name of a credential helper", name,
		       json_quote(helper).text);
}

static int from_entry(const char *name, const struct auth_entry *entry, struct arena *a,
		      struct auth_credentials *ret, struct err *e)
{
	auto_buf struct buf text = { 0 };
	const char *colon;

	ret->identity_token = entry->identity_token;
	if (entry->username && entry->password) {
		ret->username = entry->username;
		ret->password = entry->password;
	}
	if (!entry->auth)
		return 0;
	if (base64_decode(entry->auth, strlen(entry->auth), &text) < 0 || !text.len ||
	    memchr(text.text, '\0', text.len) || !(colon = strchr(text.text, ':')))
		return err_set(e, EINVAL, "%s: auths.%s.auth: not base64 of USER:PASSWORD", name,
			       json_quote(entry->key).text);
	ret->username = arena_strndup(a, text.text, (size_t)(colon - text.text));
	ret->password = arena_strdup(a, colon + 1);
	explicit_bzero(text.text, text.len);
	return 0;
}

/* What a helper that is kept for Docker Hub knows it as. */
static const char *helper_server(const char *registry)
{
	return strcmp(registry, "docker.io") == 0 ? "https://index.docker.io/v1/" : registry;
}

static int choose(const char *name, const struct auth_file *file, const char *registry,
		  const char *repository, struct arena *a, struct auth_credentials *c,
		  struct err *e)
{
	const struct auth_entry *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < file->helpers.n && !c->helper; i++)
		if (coverage(plain_key(file->helpers.at[i].server, a), registry, "") > 0) {
			c->helper = file->helpers.at[i].name;
			c->server = file->helpers.at[i].server;
		}
	for (size_t i = 0; i < file->auths.n && !c->helper; i++) {
		const struct auth_entry *entry = &file->auths.at[i];
		size_t n = coverage(plain_key(entry->key, a), registry, repository);

		/* With a credsStore, Docker leaves empty entries behind. */
		if (n > most && (entry->auth || entry->identity_token ||
				 (entry->username && entry->password))) {
			best = entry;
			most = n;
		}
	}
	if (best)
		return from_entry(name, best, a, c, e);
	if (!c->helper && file->store) {
		c->helper = file->store;
		c->server = helper_server(registry);
	}
	return c->helper ? check_helper(name, c->helper, e) : -ENOENT;
}

int auth_parse(const char *name, const char *text, size_t size, const char *registry,
	       const char *repository, struct arena *a, struct auth_credentials *ret, struct err *e)
{
	struct auth_credentials c = { .source = name };
	struct auth_file file = { .store = NULL };

	TRY(decode(name, text, size, file_fields, &file, a, e));
	TRY(choose(name, &file, registry, repository, a, &c, e));
	*ret = c;
	return 0;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

struct strings auth_files(struct arena *a)
{
	const char *only = environment("REGISTRY_AUTH_FILE"), *home = environment("HOME");
	const char *runtime = environment("XDG_RUNTIME_DIR"),
		   *config = environment("XDG_CONFIG_HOME");
	const char *docker = environment("DOCKER_CONFIG");
	struct strings files = { arena_array(a, 4, sizeof(*files.at)), 0 };

	if (only) {
		files.at[files.n++] = arena_strdup(a, only);
		return files;
	}
	files.at[files.n++] = runtime ? arena_printf(a, "%s/containers/auth.json", runtime)
				      : arena_printf(a, "/run/containers/%u/auth.json", geteuid());
	if (config)
		files.at[files.n++] = arena_printf(a, "%s/containers/auth.json", config);
	else if (home)
		files.at[files.n++] = arena_printf(a, "%s/.config/containers/auth.json", home);
	if (docker)
		files.at[files.n++] = arena_printf(a, "%s/config.json", docker);
	else if (home)
		files.at[files.n++] = arena_printf(a, "%s/.docker/config.json", home);
	return files;
}

int auth_find(const char *registry, const char *repository, struct arena *a,
	      struct auth_credentials *ret, struct err *e)
{
	struct strings files = auth_files(a);

	for (size_t i = 0; i < files.n; i++) {
		auto_buf struct buf text = { 0 };
		struct auth_credentials found;
		struct err why = { 0 };
		int r = io_read_file(AT_FDCWD, files.at[i], AUTH_FILE_MAX, files.at[i], &text,
				     &why);

		/* A file that is named by the environment has to be there. */
		if ((r == -ENOENT || r == -ENOTDIR) && !environment("REGISTRY_AUTH_FILE"))
			continue;
		if (r == 0)
			r = auth_parse(files.at[i], text.text, text.len, registry, repository, a,
				       &found, &why);
		if (text.len)
			explicit_bzero(text.text, text.len);
		if (r == -ENOENT && !why.code)
			continue;
		if (r == 0 && found.helper) {
			r = auth_ask_helper(&found, a, &found, &why);
			if (r == -ENOENT && !why.code)
				continue;
		}
		if (r < 0) {
			if (e)
				*e = why;
			return r;
		}
		*ret = found;
		return 0;
	}
	return -ENOENT;
}

int auth_parse_answer(const char *name, const char *text, size_t size, struct arena *a,
		      struct auth_credentials *ret, struct err *e)
{
	const char *start = memchr(text, '{', size);
	struct answer answer = { NULL, NULL };
	struct auth_credentials c = { .source = name };

	/* What it warns of comes before. */
	if (!start)
		return err_set(e, EINVAL, "%s: its answer is no JSON object", name);
	TRY(decode(name, start, size - (size_t)(start - text), answer_fields, &answer, a, e));
	if (!answer.username || !answer.secret)
		return err_set(e, EINVAL, "%s: its answer lacks Username or Secret", name);
	if (strcmp(answer.username, "<token>") == 0) {
		c.identity_token = answer.secret;
	} else {
		c.username = answer.username;
		c.password = answer.secret;
	}
	*ret = c;
	return 0;
}

static const char *find_program(const char *name, struct arena *a)
{
	const char *path = environment("PATH");
	char *directories = arena_strdup(a, path ? path : "/usr/local/bin:/usr/bin:/bin"), *at;

	while ((at = strsep(&directories, ":")) != NULL) {
		const char *program = arena_printf(a, "%s/%s", at, name);

		if (at[0] == '/' && access(program, X_OK) == 0)
			return program;
	}
	return NULL;
}

int auth_ask_helper(const struct auth_credentials *who, struct arena *a,
		    struct auth_credentials *ret, struct err *e)
{
	const char *name = arena_printf(a, "docker-credential-%s", who->helper);
	const char *argv[] = { name, "get", NULL };
	struct spawn_request request = { .path = find_program(name, a),
					 .argv = argv,
					 .envp = (const char *const *)environ,
					 .input = who->server,
					 .input_len = strlen(who->server),
					 .timeout = HELPER_SECONDS };
	auto_buf struct buf output = { 0 };
	struct err why = { 0 };
	int r;

	if (!request.path)
		return err_set(e, EINVAL, "%s names the credential helper %s, which is not in PATH",
			       who->source, name);
	r = spawn_run(&request, &output, &why);
	/* docker-credential-helpers' protocol. */
	if (r < 0 && output.len && strstr(output.text, "credentials not found"))
		return -ENOENT;
	if (r < 0)
		return err_set(e, -r, "ask %s for the credentials of %s: it failed", name,
			       who->server);
	r = auth_parse_answer(name, output.len ? output.text : "", output.len, a, ret, e);
	if (output.len)
		explicit_bzero(output.text, output.len);
	return r;
}
