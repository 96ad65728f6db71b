#include "cgroups/oom_log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/kmsg.h"

enum { KIB = 1024 };

static const char *after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? at + strlen(key) : NULL;
}

/* The kernel writes a backslash, which names of units may have, as \x5c. */
static const char *skip_path(const char *text, const char *path)
{
	static const char backslash[] = "\\x5c";

	for (; *path; path++) {
		size_t len = *path == '\\' ? sizeof(backslash) - 1 : 1;

		if (strncmp(text, *path == '\\' ? backslash : path, len) != 0)
			return NULL;
		text += len;
	}
	return text;
}

/* Is the value behind `key` this cgroup, or one below it? */
static enum cgroup_where where(const char *report, const char *key, const char *path)
{
	const char *at = after(report, key), *end = at && path ? skip_path(at, path) : NULL;

	/* With two of them one is part of a name, which a container may have chosen. */
	if (!end || strstr(at, key))
		return WHERE_ABOVE;
	return *end == ',' ? WHERE_OWN : *end == '/' ? WHERE_BELOW : WHERE_ABOVE;
}

/* The victim's name is what it calls itself, and may look like a pid: the last is the kernel's. */
static pid_t victim(const char *report)
{
	const char *at = report, *pid = NULL;

	while ((at = after(at, ",pid=")))
		pid = at;
	return pid ? (pid_t)strtol(pid, NULL, 10) : 0;
}

static struct opt_u64 kibibytes(const char *report, const char *key)
{
	const char *at = after(report, key);

	return at ? (struct opt_u64){ true, strtoull(at, NULL, 10) * KIB } : (struct opt_u64){ 0 };
}

static void count(struct oom_log *log, const char *report)
{
	struct cgroup_oom *found = &log->found;

	enum cgroup_where limit = where(report, ",oom_memcg=", log->path);

	if (where(report, ",oom_memcg=", log->unit) == WHERE_OWN)
		limit = WHERE_OWN;
	found->kills = (struct opt_u64){ true, found->kills.value + 1 };
	found->own = (struct opt_u64){ true, found->own.value + (limit == WHERE_OWN) };
	found->within = (struct opt_u64){ true, found->within.value + (limit != WHERE_ABOVE) };
	if (limit != WHERE_OWN)
		return;
	found->limit = log->limit;
	if (log->usage.set && log->usage.value >= found->peak.value)
		found->peak = log->usage;
}

/* "6,812,937209236,-;text": priority, number, microseconds. */
void oom_log_take(struct oom_log *log, const char *record)
{
	static const char memory[] = "memory: usage ", kill[] = "oom-kill:constraint=";
	const char *text = strchr(record, ';');
	unsigned long long time;

	if (!text || sscanf(record, "%*u,%*u,%llu", &time) != 1 || !kmsg_is_kernels(record))
		return;
	text++;
	if (strncmp(text, memory, sizeof(memory) - 1) == 0) {
		log->usage = kibibytes(text, memory);
		log->limit = kibibytes(text, ", limit ");
	}
	if (strncmp(text, kill, sizeof(kill) - 1) != 0)
		return;
	if (where(text, ",task_memcg=", log->path) != WHERE_ABOVE &&
	    ((log->init > 0 && victim(text) == log->init) || time >= log->since))
		count(log, text);
	log->usage = log->limit = (struct opt_u64){ 0 };
}

static void take(const char *record, void *ctx)
{
	oom_log_take(ctx, record);
}

void oom_log_read(struct oom_log *log)
{
	kmsg_each("whether the kernel killed for lack of memory", take, log);
}
