#include "cgroups/limits.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "cgroups/driver.h"
#include "cgroups/grow.h"
#include "cgroups/previous.h"

/*
 * Controllers
 *
 * A cgroup has those that every cgroup above it hands out by
 * cgroup.subtree_control. hull hands out what a limit needs, and with it, and
 * when it makes a parent, those that statistics come from.
 */

static const char *const accounting[] = { "cpu", "io", "memory", "pids" };

/* Does it have all that the plan needs? */
static bool has_controllers(const struct cgroup *cg, const struct strings *needed)
{
	char have[512];

	if (io_read_value(cg->fd, "cgroup.controllers", have, sizeof(have)) < 0)
		return false;
	for (size_t i = 0; i < needed->n; i++)
		if (!cgroup_has_word(have, needed->at[i]))
			return false;
	return true;
}

static bool hands_out(int mount, const char *file, const char *controller)
{
	char now[512];

	return io_read_value(mount, file, now, sizeof(now)) == 0 &&
	       cgroup_has_word(now, controller);
}

/*
 * In one cgroup: at once, or else what is possible. Why a needed controller
 * is not handed out goes to *why, unless a cgroup further up is to blame.
 */
static void hand_out_in(int mount, const char *path, const char *all, const struct strings *needed,
			struct err *why)
{
	char file[PATH_MAX + 32], one[128];

	snprintf(file, sizeof(file), "%s%scgroup.subtree_control", path, *path ? "/" : "");
	if (io_write_value(mount, file, all) == 0)
		return;
	for (size_t i = 0; i < needed->n + ARRAY_LEN(accounting); i++) {
		const char *name = i < needed->n ? needed->at[i] : accounting[i - needed->n];
		int r;

		snprintf(one, sizeof(one), "+%s", name);
		r = io_write_value(mount, file, one);
		if (r < 0 && i < needed->n && why->code == 0 && !hands_out(mount, file, name))
			err_neg(why, r, "%swrite %s to /%s",
				r == -EBUSY ? "it has processes of its own: " : "", one, file);
	}
}

void cgroup_hand_out(const struct cgroup *cg, const struct strings *needed, struct err *why)
{
	auto_buf struct buf all = { 0 };
	auto_free char *path = mem_strdup(cgroup_below_mount(cg->path));
	char have[512];

	if (io_read_value(cg->mount, "cgroup.controllers", have, sizeof(have)) < 0)
		have[0] = '\0';
	for (size_t i = 0; i < needed->n; i++)
		buf_printf(&all, "+%s ", needed->at[i]);
	for (size_t i = 0; i < ARRAY_LEN(accounting); i++)
		if (cgroup_has_word(have, accounting[i]))
			buf_printf(&all, "+%s ", accounting[i]);
	if (all.len == 0)
		return;
	hand_out_in(cg->mount, "", all.text, needed, why);
	for (char *slash = path; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		hand_out_in(cg->mount, path, all.text, needed, why);
	}
}

/*
 * Limits
 */

/* The write that came last for a value. */
struct tried {
	const char *file, *value;
};

/* Says why it could not be written: in *why, perhaps, stands why its controller is missing. */
static int explain(const struct cgroup *cg, const struct knob_value *v, const struct tried *tried,
		   int r, const struct err *why, struct err *e)
{
	const struct strings one = { .at = (const char *[]){ v->controller }, .n = 1 };

	if (r == -ENOENT && v->controller && !has_controllers(cg, &one))
		return err_set(e, -r, "%s: cgroup %s does not get the %s controller%s%s", v->member,
			       cg->path, v->controller, why->code ? ": " : "",
			       why->code ? why->msg : "");
	if (r == -ENOSPC && *tried->value == '\n')
		return err_set(e, -r,
			       "%s: %s has processes, and of such a cgroup the kernel empties no "
			       "%s: give all that there are instead",
			       v->member, cg->path, tried->file);
	return err_neg(e, r, "%s: write \"%s\" to %s/%s", v->member, tried->value, cg->path,
		       tried->file);
}

static void log_unset(const struct cgroup *cg, const struct knob_value *v,
		      const struct tried *tried, int r, const struct err *why)
{
	struct err e = { 0 };

	if (explain(cg, v, tried, r, why, &e) < 0)
		log_warn("%s", e.msg);
}

/* linux.resources.memory.checkBeforeUpdate: v2 would kill, v1 refused. */
static int check_usage(const struct cgroup *cg, const struct knob_value *v, struct err *e)
{
	char usage[32];
	int r = io_read_value(cg->fd, "memory.current", usage, sizeof(usage));

	if (r < 0)
		return err_neg(e, r, "%s: read %s/memory.current", v->member, cg->path);
	if (strcmp(v->value, "max") != 0 &&
	    strtoull(v->value, NULL, 10) < strtoull(usage, NULL, 10))
		return err_set(e, EBUSY, "%s: %s is less than the %s bytes in use", v->member,
			       v->value, usage);
	return 0;
}

/*
 * Writing, and taking back
 *
 * What takes a write back is noted once it was done, and done in reverse: so the files go back
 * through states that they were in, all of which the kernel took. Two files need more than what
 * they held. The kernel empties no cpuset of a cgroup with processes: it is given what it had in
 * effect. And one that is idle no more has the usual weight, whatever it had before.
 */

enum { CONTENT_MAX = 1024 * 1024 }; /* io.max has a line for each device */

/* What is in `file`; NULL: there is none, or one that can't be read. */
static const char *content(const struct cgroup *cg, struct arena *a, const char *file)
{
	auto_buf struct buf text = { 0 };
	struct err unused = { 0 };

	if (io_read_file(cg->fd, file, CONTENT_MAX, file, &text, &unused) < 0)
		return NULL;
	if (text.len && text.text[text.len - 1] == '\n')
		text.text[--text.len] = '\0';
	return arena_strdup(a, text.text);
}

/* The writes that take this one back, in the order in which that is done. */
static struct cgroup_writes inverse(const struct cgroup *cg, struct arena *a, const char *file,
				    const char *value)
{
	const char *now = content(cg, a, file), *weight;
	struct cgroup_writes writes = { 0 };
	struct cgroup_write *w;

	if (!now)
		return writes;
	w = grow_list(a, &writes);
	w->file = file;
	w->before = cgroup_previous(a, file, now, value);
	if (!*now && (strcmp(file, "cpuset.cpus") == 0 || strcmp(file, "cpuset.mems") == 0))
		w->otherwise = content(cg, a, arena_printf(a, "%s.effective", file));
	weight = strcmp(file, "cpu.idle") == 0 && strcmp(now, "0") == 0
			 ? content(cg, a, "cpu.weight")
			 : NULL;
	if (weight)
		*grow_list(a, &writes) =
			(struct cgroup_write){ .file = "cpu.weight", .before = weight };
	return writes;
}

static int write_file(const struct cgroup *cg, const char *file, const char *value,
		      struct cgroup_applied *applied)
{
	struct cgroup_writes back = { 0 };
	int r;

	if (applied)
		back = inverse(cg, &applied->arena, file, value);
	r = io_write_value(cg->fd, file, value);
	for (size_t i = back.n; r == 0 && i > 0; i--)
		*grow_list(&applied->arena, &applied->writes) = back.at[i - 1];
	return r;
}

/* applied: NULL, if it will not be taken back. */
static int write_value(const struct cgroup *cg, const struct knob_value *v,
		       struct cgroup_applied *applied, struct tried *ret_tried)
{
	int r = write_file(cg, v->file, v->value, applied);

	*ret_tried = (struct tried){ v->file, v->value };
	if (r == -ENOENT && v->other_file) {
		r = write_file(cg, v->other_file, v->other_value, applied);
		*ret_tried = (struct tried){ v->other_file, v->other_value };
	}
	return r == -ENOENT && (v->flags & KNOB_OPTIONAL) ? 0 : r;
}

void limits_take_back(const struct cgroup *cg, const struct cgroup_applied *applied)
{
	for (size_t i = applied->writes.n; i > 0; i--) {
		const struct cgroup_write *d = &applied->writes.at[i - 1];
		int r = io_write_value(cg->fd, d->file, d->before);

		if (r == -ENOSPC && d->otherwise)
			r = io_write_value(cg->fd, d->file, d->otherwise);
		if (r < 0)
			log_warn("write \"%s\" back to %s/%s: %s", d->before, cg->path, d->file,
				 err_text(-r));
	}
}

static int apply_once(const struct cgroup *cg, const struct cgroup_plan *plan,
		      struct cgroup_applied *applied, const struct err *why, struct err *e)
{
	struct cgroup_applied *noted = cg->made == 0 && !plan->rootless ? applied : NULL;
	bool again = false;

	for (int pass = 0; pass < 1 + again; pass++) {
		for (size_t i = 0; i < plan->values.n; i++) {
			const struct knob_value *v = &plan->values.at[i];
			struct tried tried;
			int r;

			if (pass > 0 && !(v->flags & KNOB_AGAIN))
				continue;
			r = write_value(cg, v, noted, &tried);
			if (r == -EINVAL && pass == 0 && (v->flags & KNOB_AGAIN))
				again = true;
			else if (r < 0 && !plan->rootless)
				return explain(cg, v, &tried, r, why, e);
			else if (r < 0)
				log_unset(cg, v, &tried, r, why);
		}
	}
	return 0;
}

int limits_apply(const struct cgroup *cg, const struct cgroup_plan *plan,
		 struct cgroup_applied *applied, struct err *e)
{
	struct err why = { 0 };
	int r;

	if (plan->controllers.n && !has_controllers(cg, &plan->controllers))
		cgroup_hand_out(cg, &plan->controllers, &why);
	for (size_t i = 0; i < plan->values.n; i++)
		if ((plan->values.at[i].flags & KNOB_NOT_BELOW_USAGE) && cg->made == 0)
			TRY(check_usage(cg, &plan->values.at[i], e));
	r = apply_once(cg, plan, applied, &why, e);
	if (r < 0)
		limits_take_back(cg, applied);
	return r;
}

void limits_applied_done(struct cgroup_applied *applied)
{
	arena_done(&applied->arena);
	*applied = (struct cgroup_applied){ 0 };
}

int cgroupfs_apply(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *e)
{
	auto_applied struct cgroup_applied applied = { 0 };

	return limits_apply(cg, plan, &applied, e);
}

/*
 * What is set now
 */

/* "max 100000" */
static int complete_cpu(const struct cgroup *cg, struct spec_cpu *cpu, struct err *e)
{
	char text[64];
	char *end;
	int r;

	if ((cpu->quota.value == 0) == (cpu->period.value == 0))
		return 0;
	r = io_read_value(cg->fd, "cpu.max", text, sizeof(text));
	if (r == -ENOENT)
		return 0; /* there is none of it: writing says so */
	if (r < 0)
		return err_neg(e, r, "read %s/cpu.max", cg->path);
	if (cpu->quota.value == 0)
		cpu->quota = (struct opt_i64){ true, *text == 'm' ? -1 : strtoll(text, NULL, 10) };
	end = strchr(text, ' ');
	if (cpu->period.value == 0 && end)
		cpu->period = (struct opt_u64){ true, strtoull(end, NULL, 10) };
	return 0;
}

static int complete_memory(const struct cgroup *cg, struct spec_memory *memory, struct err *e)
{
	char text[64];
	int r;

	if (memory->limit.value != 0 || memory->swap.value <= 0)
		return 0;
	r = io_read_value(cg->fd, "memory.max", text, sizeof(text));
	if (r < 0 && r != -ENOENT)
		return err_neg(e, r, "read %s/memory.max", cg->path);
	/* Without the controller it has no limit; and where that is lacking, writing says so. */
	memory->limit = (struct opt_i64){
		true, r == -ENOENT || *text == 'm' ? -1 : strtoll(text, NULL, 10)
	};
	return 0;
}

int cgroup_complete(const struct cgroup *cg, struct spec_resources *resources, struct err *e)
{
	TRY(complete_cpu(cg, &resources->cpu, e));
	return complete_memory(cg, &resources->memory, e);
}
