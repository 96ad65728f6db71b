#include "engine/wish.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "base/json.h"
#include "base/json_decode.h"
#include "engine/wish_private.h"
#include "security/caps.h"
#include "spec/names.h"

enum { CPU_PERIOD = 100000, CPUS_MAX = 4096 };

size_t wish_split(const char *text, char by, struct arena *a, const char **parts, size_t max)
{
	size_t n = 0;

	for (;;) {
		const char *end = n + 1 < max ? strchr(text, by) : NULL;

		parts[n++] =
			end ? arena_strndup(a, text, (size_t)(end - text)) : arena_strdup(a, text);
		if (!end)
			return n;
		text = end + 1;
	}
}

bool wish_is_true(const char *value)
{
	return !value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
}

int wish_bytes(const char *text, uint64_t *ret)
{
	static const char units[] = "kmgt";
	const char *unit;
	char *end;
	int shift = 0;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
	if (unit) {
		shift = 10 * (int)(unit - units + 1);
		end++;
	}
	if (unit && tolower((unsigned char)*end) == 'b')
		end++;
	if (errno || *end || *ret == 0 || *ret > (uint64_t)INT64_MAX >> shift)
		return -EINVAL;
	*ret <<= shift;
	return 0;
}

int wish_octal(const char *text, uint32_t max, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 8);

	if (*text < '0' || *text > '7' || *end || n > max)
		return -EINVAL;
	*ret = (uint32_t)n;
	return 0;
}

static int limit_number(const char *text, uint64_t *ret)
{
	char *end;

	if (strcmp(text, "-1") == 0 || strcmp(text, "unlimited") == 0) {
		*ret = RLIM_INFINITY;
		return 0;
	}
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return *end || errno ? -EINVAL : 0;
}

static int find_rlimit(const char *name, size_t len, int *ret)
{
	static const char prefix[] = "RLIMIT_";

	for (const struct json_name *n = spec_rlimit_names; n->name; n++) {
		const char *word = n->name + sizeof(prefix) - 1;

		if (strlen(word) == len && strncasecmp(word, name, len) == 0) {
			*ret = n->value;
			return 0;
		}
	}
	return -EINVAL;
}

int wish_ulimit(const char *text, struct spec_rlimit *ret, struct err *e)
{
	char soft[32], hard[32];
	size_t len = strcspn(text, "=");
	int n = text[len] ? sscanf(text + len + 1, "%31[^:]:%31s", soft, hard) : 0;

	if (find_rlimit(text, len, &ret->resource) < 0)
		return err_set(e, EINVAL, "--ulimit %s: there is no limit \"%.*s\"",
			       json_quote(text).text, (int)len, text);
	if (n < 1 || limit_number(soft, &ret->soft) < 0 ||
	    (n == 2 && limit_number(hard, &ret->hard) < 0))
		return err_set(e, EINVAL, "--ulimit %s: expected NAME=SOFT[:HARD], numbers",
			       json_quote(text).text);
	if (n == 1)
		ret->hard = ret->soft;
	if (ret->soft > ret->hard)
		return err_set(e, EINVAL, "--ulimit %s: the soft limit is above the hard one",
			       json_quote(text).text);
	return 0;
}

static bool is_access(const char *text)
{
	return *text && strlen(text) <= 3 && strspn(text, "rwm") == strlen(text);
}

int wish_device(const char *text, struct arena *a, struct device_wish *ret, struct err *e)
{
	const char *parts[3];
	size_t n = wish_split(text, ':', a, parts, 3);

	*ret = (struct device_wish){ .source = parts[0], .target = parts[0], .access = "rwm" };
	if (n == 2 && is_access(parts[1]))
		ret->access = parts[1];
	else if (n >= 2)
		ret->target = parts[1];
	if (n == 3)
		ret->access = parts[2];
	if (ret->source[0] != '/' || ret->target[0] != '/' || !is_access(ret->access))
		return err_set(e, EINVAL,
			       "--device %s: expected PATH[:PATH IN THE CONTAINER][:rwm], absolute",
			       json_quote(text).text);
	return 0;
}

/* "8" or "*"; what follows it in *end. */
static int device_number(const char *text, int64_t *ret, const char **end)
{
	if (*text == '*') {
		*ret = -1;
		*end = text + 1;
		return 0;
	}
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*ret = strtoll(text, (char **)end, 10);
	return errno || *ret > UINT32_MAX ? -EINVAL : 0;
}

int wish_device_rule(const char *text, struct arena *a, struct device_rule *ret, struct err *e)
{
	const char *parts[3], *end = "";
	size_t n = wish_split(text, ' ', a, parts, 3);
	bool right = n == 3 && strlen(parts[0]) == 1 && strchr("abc", parts[0][0]) &&
		     is_access(parts[2]);

	*ret = (struct device_rule){ 0 };
	right = right && device_number(parts[1], &ret->major, &end) == 0 && *end == ':' &&
		device_number(end + 1, &ret->minor, &end) == 0 && !*end;
	if (!right)
		return err_set(e, EINVAL,
			       "--device-cgroup-rule %s: expected \"TYPE MAJOR:MINOR ACCESS\", as "
			       "\"c 1:3 rwm\": a, b or c, numbers or *, and letters of rwm",
			       json_quote(text).text);
	ret->type = parts[0][0];
	ret->access = parts[2];
	return 0;
}

int wish_cpus(const char *text, int64_t *ret_quota, uint64_t *ret_period, struct err *e)
{
	char *end = (char *)text;
	double cpus;

	errno = 0;
	cpus = isdigit((unsigned char)text[0]) || text[0] == '.' ? strtod(text, &end) : -1;
	if (cpus < 0.01 || cpus > CPUS_MAX || *end || errno)
		return err_set(e, EINVAL, "--cpus %s: expected a number from 0.01 to %d",
			       json_quote(text).text, CPUS_MAX);
	*ret_period = CPU_PERIOD;
	*ret_quota = (int64_t)(cpus * CPU_PERIOD);
	return 0;
}

int wish_umask(const char *text, struct opt_u32 *ret, struct err *e)
{
	if (!text)
		return 0;
	if (wish_octal(text, 0777, &ret->value) < 0)
		return err_set(e, EINVAL, "--umask %s: expected an octal number up to 0777",
			       json_quote(text).text);
	ret->set = true;
	return 0;
}

int wish_restart(const char *text, int *ret_policy, uint32_t *ret_max, struct err *e)
{
	static const struct json_name words[] = { { "no", RESTART_NO },
						  { "always", RESTART_ALWAYS },
						  { "unless-stopped", RESTART_UNLESS_STOPPED },
						  { "on-failure", RESTART_ON_FAILURE },
						  { 0 } };
	size_t len = strcspn(text, ":");
	uint64_t max = 0;

	for (const struct json_name *w = words; w->name; w++) {
		if (strlen(w->name) != len || strncmp(w->name, text, len) != 0)
			continue;
		if (text[len] && (w->value != RESTART_ON_FAILURE ||
				  limit_number(text + len + 1, &max) < 0 || max > UINT32_MAX))
			break;
		*ret_policy = w->value;
		*ret_max = (uint32_t)max;
		return 0;
	}
	return err_set(e, EINVAL,
		       "--restart %s: expected no, always, unless-stopped or on-failure[:TIMES]",
		       json_quote(text).text);
}

int wish_pair(const char *option, const char *text, struct arena *a, struct spec_pair *ret,
	      struct err *e)
{
	size_t len = strcspn(text, "=");

	if (len == 0)
		return err_set(e, EINVAL, "%s %s: expected NAME=VALUE", option,
			       json_quote(text).text);
	ret->key = arena_strndup(a, text, len);
	ret->value = text[len] ? text + len + 1 : "";
	return 0;
}

size_t wish_env_file_lines(const char *text, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

int wish_env_file(const char *option, const char *name, const char *text, size_t len,
		  struct arena *a, struct strings *ret, struct err *e)
{
	const char *end = text + len;
	unsigned number = 0;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t n = newline ? (size_t)(newline - text) : (size_t)(end - text);
		char *line = arena_strndup(a, text, n);

		number++;
		text += n + 1;
		if (memchr(line, '\0', n))
			return err_set(e, EINVAL, "%s %s, line %u: it has a NUL", option, name,
				       number);
		if (n && line[n - 1] == '\r')
			line[--n] = '\0';
		line += strspn(line, " \t");
		if (!*line || *line == '#')
			continue;
		if (*line == '=' || strcspn(line, " \t") < strcspn(line, "="))
			return err_set(e, EINVAL, "%s %s, line %u: expected NAME=VALUE, found %s",
				       option, name, number, json_quote(line).text);
		ret->at[ret->n++] = line;
	}
	return 0;
}

/* No wider than Podman's. */
static const char *const default_caps[] = {
	"CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",     "CAP_FSETID",
	"CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",    "CAP_SETGID",
	"CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT",
};

static int change_caps(const char *option, const struct strings *names, bool add, uint64_t *set,
		       struct err *e)
{
	unsigned cap;

	for (size_t i = 0; i < names->n; i++) {
		if (strcasecmp(names->at[i], "all") == 0) {
			*set = add ? UINT64_MAX : 0;
			continue;
		}
		if (caps_from_name(names->at[i], &cap) < 0)
			return err_set(e, EINVAL, "%s %s: there is no such capability", option,
				       json_quote(names->at[i]).text);
		*set = add ? *set | CAPS_BIT(cap) : *set & ~CAPS_BIT(cap);
	}
	return 0;
}

static bool has_all(const struct strings *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcasecmp(names->at[i], "all") == 0)
			return true;
	return false;
}

int wish_capabilities(const struct wish *w, struct arena *a, struct strings *ret, struct err *e)
{
	uint64_t set = w->privileged ? UINT64_MAX : 0;
	unsigned cap;

	for (size_t i = 0; i < ARRAY_LEN(default_caps); i++)
		if (caps_from_name(default_caps[i], &cap) == 0)
			set |= CAPS_BIT(cap);
	/* "--cap-drop ALL --cap-add X" leaves X, and "--cap-add ALL --cap-drop X" all but X. */
	if (has_all(&w->cap_add)) {
		TRY(change_caps("--cap-add", &w->cap_add, true, &set, e));
		TRY(change_caps("--cap-drop", &w->cap_drop, false, &set, e));
	} else {
		TRY(change_caps("--cap-drop", &w->cap_drop, false, &set, e));
		TRY(change_caps("--cap-add", &w->cap_add, true, &set, e));
	}
	ret->at = arena_array(a, 64, sizeof(*ret->at));
	ret->n = 0;
	for (cap = 0; cap < 64 && caps_name(cap); cap++)
		if (set & CAPS_BIT(cap))
			ret->at[ret->n++] = caps_name(cap);
	return 0;
}

int wish_security(const struct wish *w, struct security_wish *ret, struct err *e)
{
	*ret = (struct security_wish){ .no_seccomp = w->privileged, .unmask = w->privileged };
	for (size_t i = 0; i < w->security_opt.n; i++) {
		const char *text = w->security_opt.at[i];
		size_t len = strcspn(text, "=:");
		const char *value = text[len] ? text + len + 1 : NULL;

		if (strncmp(text, "no-new-privileges", len) == 0 && len == 17) {
			ret->no_new_privileges = wish_is_true(value);
		} else if (len == 7 && strncmp(text, "seccomp", len) == 0 && value) {
			ret->no_seccomp = strcmp(value, "unconfined") == 0;
			ret->seccomp_file = ret->no_seccomp ? NULL : value;
		} else if (len == 8 && strncmp(text, "apparmor", len) == 0 && value) {
			ret->apparmor = strcmp(value, "unconfined") == 0 ? NULL : value;
		} else if (len == 6 && strncmp(text, "unmask", len) == 0 && value &&
			   strcasecmp(value, "all") == 0) {
			ret->unmask = true;
		} else if (len == 5 && strncmp(text, "label", len) == 0 && value &&
			   strcmp(value, "disable") == 0) {
			; /* nothing is labelled unless it is asked for */
		} else {
			return err_set(e, EINVAL,
				       "--security-opt %s: expected no-new-privileges, "
				       "seccomp=FILE|unconfined, apparmor=PROFILE|unconfined, "
				       "unmask=all or label=disable",
				       json_quote(text).text);
		}
	}
	return 0;
}

static int take_log_size(const char *value, struct log_wish *ret)
{
	return wish_bytes(value, &ret->max_size);
}

static int take_log_files(const char *value, struct log_wish *ret)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || n < 1 || n > 1000)
		return -EINVAL;
	ret->max_files = (uint32_t)n;
	return 0;
}

static int take_log_tag(const char *value, struct log_wish *ret)
{
	ret->tag = value;
	return 0;
}

static const struct {
	const char *name, *driver, *what;
	int (*take)(const char *value, struct log_wish *ret);
} log_options[] = {
	{ "max-size", "json-file", "a size like 10m", take_log_size },
	{ "max-file", "json-file", "a number from 1 to 1000", take_log_files },
	{ "tag", "journald", "a text", take_log_tag },
};

static int take_log_option(const char *text, struct log_wish *ret, struct err *e)
{
	const char *value = strchr(text, '=');
	size_t len = value ? (size_t)(value - text) : strlen(text);

	for (size_t i = 0; i < ARRAY_LEN(log_options); i++) {
		if (strlen(log_options[i].name) != len ||
		    strncmp(log_options[i].name, text, len) != 0)
			continue;
		if (strcmp(log_options[i].driver, ret->driver) != 0)
			return err_set(e, EINVAL, "--log-opt %s is for --log-driver %s, not %s",
				       log_options[i].name, log_options[i].driver, ret->driver);
		if (!value || log_options[i].take(value + 1, ret) < 0)
			return err_set(e, EINVAL, "--log-opt %s: expected %s",
				       json_quote(text).text, log_options[i].what);
		return 0;
	}
	return err_set(e, EINVAL, "--log-opt %s: expected max-size=, max-file= or tag=",
		       json_quote(text).text);
}

int wish_log(const struct wish *w, struct log_wish *ret, struct err *e)
{
	static const char *const drivers[] = { "json-file", "journald", "none" };
	bool known = !w->log_driver;

	*ret = (struct log_wish){ .driver = w->log_driver ? w->log_driver : drivers[0] };
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
		known = known || strcmp(drivers[i], ret->driver) == 0;
	if (!known)
		return err_set(e, EINVAL, "--log-driver %s: expected json-file, journald or none",
			       json_quote(ret->driver).text);
	for (size_t i = 0; i < w->log_opt.n; i++)
		TRY(take_log_option(w->log_opt.at[i], ret, e));
	if (ret->max_files && !ret->max_size)
		return err_set(e, EINVAL, "--log-opt max-file: it needs max-size too");
	if (!w->detach && !w->followed &&
	    (w->log_opt.n || (w->log_driver && strcmp(ret->driver, "none") != 0)))
		return err_set(e, EINVAL,
			       "--log-%s %s: what a container in the foreground writes goes to who "
			       "started it, and to no log: use --detach",
			       w->log_opt.n ? "opt" : "driver",
			       w->log_opt.n ? w->log_opt.at[0] : ret->driver);
	return 0;
}

int wish_words(const char *option, const char *text, struct arena *a, struct strings *ret,
	       struct err *e)
{
	auto_json struct json_doc doc = { .name = option,
					  .text = text,
					  .size = strlen(text) };

	if (text[0] != '[') {
		ret->at = arena_alloc(a, sizeof(*ret->at));
		ret->at[0] = text;
		ret->n = *text ? 1 : 0;
		return 0;
	}
	TRY(json_parse(&doc, a, e));
	if (doc.root->type != JSON_ARRAY)
		return json_fail(&doc, doc.root, NULL, e, "expected an array, found %s",
				 json_type_name(doc.root->type));
	ret->at = arena_array(a, doc.root->count + 1, sizeof(*ret->at));
	ret->n = 0;
	for (const struct json *v = doc.root->first; v; v = v->next) {
		if (v->type != JSON_STRING)
			return json_fail(&doc, v, NULL, e, "expected a string, found %s",
					 json_type_name(v->type));
		ret->at[ret->n++] = v->text;
	}
	return 0;
}
