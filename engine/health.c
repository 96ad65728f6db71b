#include "engine/health.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "base/json_write.h"
#include "base/lock.h"
#include "engine/health_private.h"

#define SECOND_NS INT64_C(1000000000)

enum { HEALTH_FILE_MAX = 1024 * 1024, NS_PER_US = 1000, RETRIES = 3 };

static const char health_file[] = "health.json";

static const struct json_name status_names[] = {
	{ "none", HEALTH_NONE },
	{ "starting", HEALTH_STARTING },
	{ "healthy", HEALTH_HEALTHY },
	{ "unhealthy", HEALTH_UNHEALTHY },
	{ 0 },
};

/* clang-format off */
JSON_TABLE(result_fields, struct health_result) = {
	FIELD_STRING(struct health_result, "start", start, REQUIRED),
	FIELD_STRING(struct health_result, "end", end, REQUIRED),
	FIELD_I32_IN(struct health_result, "exitCode", exit_code, HEALTH_TIMED_OUT, 255, REQUIRED),
	FIELD_STRING(struct health_result, "output", output, REQUIRED),
	{ 0 },
};

JSON_TABLE(health_fields, struct health) = {
	FIELD_ENUM(struct health, "status", status, status_names, REQUIRED),
	FIELD_U32(struct health, "failingStreak", failing_streak, 0),
	FIELD_U64(struct health, "since", since, 0),
	FIELD_LIST(struct health, "log", log, result_fields, 0),
	{ 0 },
};
/* clang-format on */

void health_done(struct health *h)
{
	arena_done(&h->arena);
}

const char *health_status_name(int status)
{
	return json_name_of(status_names, status);
}

static bool has_options(const struct wish *w)
{
	return w->health_cmd || w->health_interval || w->health_timeout || w->health_start_period ||
	       w->health_start_interval || w->health_retries.set;
}

/*
 * A JSON array of texts is a program and its arguments, anything else is for a shell, as Podman has it:
 * '[ -e /file ]' is a line of a shell. What begins as no such line does, with '["', has to be an array.
 */
static int take_command(const char *text, struct arena *a, struct strings *ret, struct err *e)
{
	struct strings words = { 0 };

	if (strcmp(text, "none") == 0) {
		*ret = (struct strings){ 0 };
		return 0;
	}
	if (!*text)
		return err_set(e, EINVAL, "--health-cmd: there is no command in it");
	if (text[0] == '[' && wish_words("--health-cmd", text, a, &words, e) < 0) {
		if (text[1] == '"')
			return -e->code;
		words.n = 0;
	} else if (text[0] == '[' && !words.n) {
		return err_set(e, EINVAL, "--health-cmd: there is no command in it");
	}
	ret->at = arena_array(a, words.n + 2, sizeof(*ret->at));
	ret->at[0] = words.n ? "CMD" : "CMD-SHELL";
	if (words.n)
		memcpy(ret->at + 1, words.at, words.n * sizeof(*words.at));
	else
		ret->at[1] = text;
	ret->n = words.n ? words.n + 1 : 2;
	return 0;
}

static int check_test(const struct strings *test, struct err *e)
{
	if (test->n >= 2 && (strcmp(test->at[0], "CMD") == 0 ||
			     (strcmp(test->at[0], "CMD-SHELL") == 0 && test->n == 2)))
		return 0;
	return err_set(
		e, EINVAL,
		"the image's health check: expected NONE, CMD with a command or CMD-SHELL with "
		"a line, found %s",
		json_quote(test->at[0]).text);
}

/* Options are microseconds, documents nanoseconds; nothing is the default in both. */
static int take_span(const char *option, int64_t us, int64_t fallback, int64_t *ret, struct err *e)
{
	if (us > INT64_MAX / NS_PER_US)
		return err_set(e, ERANGE, "%s: that is too long", option);
	if (us)
		*ret = us * NS_PER_US;
	if (!*ret)
		*ret = fallback;
	return 0;
}

int health_plan(const struct wish *w, const struct image_healthcheck *image, struct arena *a,
		struct image_healthcheck *ret, struct err *e)
{
	struct image_healthcheck h = { 0 };

	if (w->no_healthcheck && has_options(w))
		return err_set(e, EINVAL, "--no-healthcheck: other options ask for a health check");
	*ret = h;
	if (w->no_healthcheck)
		return 0;
	if (image)
		h = *image;
	if (image && !w->health_cmd)
		TRY(check_test(&h.test, e));
	if (w->health_cmd)
		TRY(take_command(w->health_cmd, a, &h.test, e));
	if (!h.test.n && has_options(w) && !w->health_cmd)
		return err_set(e, EINVAL,
			       "the options of a health check need a command: neither the "
			       "image has one, nor is there --health-cmd");
	if (!h.test.n)
		return 0;
	TRY(take_span("--health-interval", w->health_interval, 30 * SECOND_NS, &h.interval, e));
	TRY(take_span("--health-timeout", w->health_timeout, 30 * SECOND_NS, &h.timeout, e));
	TRY(take_span("--health-start-period", w->health_start_period, 0, &h.start_period, e));
	TRY(take_span("--health-start-interval", w->health_start_interval, 5 * SECOND_NS,
		      &h.start_interval, e));
	if (w->health_retries.set &&
	    (!w->health_retries.value || w->health_retries.value > UINT32_MAX))
		return err_set(e, EINVAL, "--health-retries: expected a number from 1 on");
	if (w->health_retries.set)
		h.retries = (int64_t)w->health_retries.value;
	if (!h.retries)
		h.retries = RETRIES;
	*ret = h;
	return 0;
}

static bool is_starting(const struct image_healthcheck *check, const struct health *h,
			int64_t now_us)
{
	return h->status == HEALTH_STARTING &&
	       now_us - (int64_t)h->since < check->start_period / NS_PER_US;
}

static void keep_result(struct health *h, const struct health_result *r)
{
	size_t from = h->log.n >= HEALTH_LOG_MAX ? h->log.n - HEALTH_LOG_MAX + 1 : 0;
	struct health_result *list = arena_array(&h->arena, HEALTH_LOG_MAX, sizeof(*list));
	size_t n = 0;

	while (from < h->log.n)
		list[n++] = h->log.at[from++];
	list[n++] = (struct health_result){ arena_strdup(&h->arena, r->start),
					    arena_strdup(&h->arena, r->end), r->exit_code,
					    arena_strdup(&h->arena, r->output) };
	h->log.at = list;
	h->log.n = n;
}

void health_apply(struct health *h, const struct image_healthcheck *check,
		  const struct health_result *result, int64_t now_us)
{
	bool counts = !is_starting(check, h, now_us);

	keep_result(h, result);
	if (result->exit_code == 0) {
		h->failing_streak = 0;
		h->status = HEALTH_HEALTHY;
	} else if (counts) {
		h->failing_streak++;
		if (h->failing_streak >= check->retries)
			h->status = HEALTH_UNHEALTHY;
	}
}

int64_t health_delay(const struct image_healthcheck *check, const struct health *h, int64_t now_us)
{
	int64_t ns = check->interval;

	if (is_starting(check, h, now_us) && check->start_interval < ns)
		ns = check->start_interval;
	return ns < NS_PER_US ? 1 : ns / NS_PER_US;
}

int health_read(int dir, struct health *ret, struct err *e)
{
	auto_health struct health h = { 0 };
	int r = json_decode_file(dir, health_file, HEALTH_FILE_MAX, health_fields, &h.arena, &h, e);

	*ret = (struct health){ 0 };
	if (r == -ENOENT)
		return 0;
	TRY(r);
	*ret = h;
	h = (struct health){ 0 };
	return 0;
}

static int save(int dir, const struct health *h, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct json_writer w = json_writer(&text, NULL);

	json_write_object(&w, NULL);
	json_write_string(&w, "status", health_status_name(h->status));
	json_write_uint(&w, "failingStreak", h->failing_streak);
	json_write_uint(&w, "since", h->since);
	json_write_array(&w, "log");
	for (size_t i = 0; i < h->log.n; i++) {
		json_write_object(&w, NULL);
		json_write_string(&w, "start", h->log.at[i].start);
		json_write_string(&w, "end", h->log.at[i].end);
		json_write_int(&w, "exitCode", h->log.at[i].exit_code);
		json_write_string(&w, "output", h->log.at[i].output);
		json_write_end(&w);
	}
	json_write_end(&w);
	json_write_end(&w);
	return io_replace_file(dir, health_file, text.text, text.len, e);
}

int health_reset(int dir, struct err *e)
{
	const struct health h = { .status = HEALTH_STARTING, .since = (uint64_t)io_now_us() };

	return save(dir, &h, e);
}

int health_note(int dir, const struct image_healthcheck *check, const struct health_result *result,
		int *ret_changed, struct err *e)
{
	auto_fd int lock =
		openat(dir, "health.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	auto_health struct health h = { 0 };
	int before;

	if (lock < 0)
		return err_sys(e, "open health.lock of the container");
	TRY(lock_wait(lock, false, "the container's health", e));
	TRY(health_read(dir, &h, e));
	before = h.status;
	health_apply(&h, check, result, io_now_us());
	*ret_changed = h.status == before || h.status == HEALTH_STARTING ? HEALTH_NONE : h.status;
	return save(dir, &h, e);
}
