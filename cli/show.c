#include "cli/show.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json_write.h"

/* A user's name by /etc/passwd alone, as runc finds it, or "#1000". */
static const char *owner_name(struct arena *a, uid_t uid)
{
	FILE *passwd = fopen("/etc/passwd", "re");
	const struct passwd *entry;
	const char *name = NULL;

	while (passwd && !name && (entry = fgetpwent(passwd)))
		if (entry->pw_uid == uid)
			name = arena_strdup(a, entry->pw_name);
	if (passwd)
		fclose(passwd);
	return name ? name : arena_printf(a, "#%u", uid);
}

/* A container that is still being created lacks some of its strings. */
static const char *known(const char *text)
{
	return text ? text : "";
}

static int shown_pid(const struct state *s)
{
	return s->status == STATE_STOPPED ? 0 : s->pid;
}

/* Not runc's: readers of its state pass over it. */
static void write_oom(struct json_writer *w, const struct cgroup_oom *oom)
{
	static const char *const where[] = { [WHERE_UNKNOWN] = NULL,
					     [WHERE_OWN] = "own",
					     [WHERE_BELOW] = "below",
					     [WHERE_ABOVE] = "above" };

	if (!oom->kills.set)
		return;
	json_write_object(w, "run.hull.oom");
	json_write_uint(w, "killed", oom->kills.value);
	if (where[cgroup_oom_where(oom)])
		json_write_string(w, "where", where[cgroup_oom_where(oom)]);
	if (oom->limit.set && oom->limit.value != CGROUP_NO_LIMIT)
		json_write_uint(w, "limit", oom->limit.value);
	if (oom->peak.set)
		json_write_uint(w, "peak", oom->peak.value);
	json_write_end(w);
}

static void write_held(struct json_writer *w, const struct cgroup_held *held)
{
	if (!held->refused.set && !held->throttled.set && !held->waited.set)
		return;
	json_write_object(w, "run.hull.held");
	if (held->refused.set) {
		json_write_object(w, "pids");
		json_write_uint(w, "refused", held->refused.value);
		if (held->refused_here.set)
			json_write_string(w, "where", held->refused_below ? "below" : "own");
		if (held->pids_limit.set && held->pids_limit.value != CGROUP_NO_LIMIT)
			json_write_uint(w, "limit", held->pids_limit.value);
		json_write_end(w);
	}
	if (held->throttled.set) {
		json_write_object(w, "cpu");
		json_write_uint(w, "throttledPeriods", held->throttled.value);
		json_write_uint(w, "periods", held->periods.value);
		if (held->quota != CGROUP_NO_LIMIT)
			json_write_uint(w, "quota", held->quota);
		json_write_uint(w, "period", held->period);
		json_write_end(w);
	}
	if (held->waited.set) {
		json_write_object(w, "io");
		json_write_uint(w, "waited", held->waited.value);
		json_write_strings(w, "limits", &held->io_limits);
		json_write_end(w);
	}
	json_write_end(w);
}

static void write_state(struct json_writer *w, const struct state *s)
{
	auto_arena struct arena a = { 0 };

	json_write_object(w, NULL);
	json_write_string(w, "ociVersion", known(s->oci_version));
	json_write_string(w, "id", s->id);
	json_write_int(w, "pid", shown_pid(s));
	json_write_string(w, "status", state_status_name(s->status));
	json_write_string(w, "bundle", known(s->bundle));
	json_write_string(w, "rootfs", known(s->rootfs));
	json_write_string(w, "created", known(s->created));
	if (s->annotations.n) {
		json_write_object(w, "annotations");
		for (size_t i = 0; i < s->annotations.n; i++)
			json_write_string(w, s->annotations.at[i].key, s->annotations.at[i].value);
		json_write_end(w);
	}
	json_write_string(w, "owner", owner_name(&a, s->owner));
	write_oom(w, &s->oom);
	write_held(w, &s->held);
	json_write_end(w);
}

void show_state(struct buf *b, const struct state *s)
{
	struct json_writer w = json_writer(b, "  ");

	write_state(&w, s);
	buf_char(b, '\n');
}

/* An empty list is null, as runc prints it. */
static void start_list(struct json_writer *w, struct buf *b, size_t n)
{
	*w = json_writer(b, NULL);
	if (n)
		json_write_array(w, NULL);
	else
		json_write_null(w, NULL);
}

static void end_list(struct json_writer *w)
{
	if (w->depth)
		json_write_end(w);
	buf_char(w->out, '\n');
}

void show_list(struct buf *b, const struct state_list *list)
{
	struct json_writer w;

	start_list(&w, b, list->n);
	for (size_t i = 0; i < list->n; i++)
		write_state(&w, &list->at[i]);
	end_list(&w);
}

void show_pids(struct buf *b, const struct pid_list *pids)
{
	struct json_writer w;

	start_list(&w, b, pids->n);
	for (size_t i = 0; i < pids->n; i++)
		json_write_int(&w, NULL, pids->at[i]);
	end_list(&w);
}

enum { COLUMNS = 6, COLUMN_MIN = 12, COLUMN_GAP = 3 };

struct table_row {
	const char *cells[COLUMNS];
};

static struct table_row state_row(struct arena *a, const struct state *s)
{
	return (struct table_row){ {
		s->id,
		arena_printf(a, "%d", shown_pid(s)),
		state_status_name(s->status),
		known(s->bundle),
		known(s->created),
		owner_name(a, s->owner),
	} };
}

/* Characters, not bytes, of UTF-8. */
static size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static size_t column_width(const struct table_row *rows, size_t n, size_t column)
{
	size_t widest = COLUMN_MIN;

	for (size_t i = 0; i < n; i++) {
		size_t width = text_width(rows[i].cells[column]) + COLUMN_GAP;

		if (width > widest)
			widest = width;
	}
	return widest;
}

void show_table(struct buf *b, const struct state_list *list)
{
	static const struct table_row heading = {
		{ "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" },
	};
	auto_arena struct arena a = { 0 };
	size_t n = list->n + 1, widths[COLUMNS];
	struct table_row *rows = arena_array(&a, n, sizeof(*rows));

	rows[0] = heading;
	for (size_t i = 0; i < list->n; i++)
		rows[i + 1] = state_row(&a, &list->at[i]);
	for (size_t c = 0; c < COLUMNS; c++)
		widths[c] = column_width(rows, n, c);
	for (size_t i = 0; i < n; i++) {
		for (size_t c = 0; c < COLUMNS - 1; c++)
			buf_printf(b, "%s%*s", rows[i].cells[c],
				   (int)(widths[c] - text_width(rows[i].cells[c])), "");
		buf_printf(b, "%s\n", rows[i].cells[COLUMNS - 1]);
	}
}
