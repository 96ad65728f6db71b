#include "microvm/process_write.h"

#include <errno.h>
#include <string.h>

#include "base/json_write.h"
#include "security/caps.h"
#include "spec/names.h"

static bool has(const struct strings *list, const char *name)
{
	unsigned wanted, found;

	for (size_t i = 0; i < list->n; i++)
		if (caps_from_name(list->at[i], &found) == 0 &&
		    caps_from_name(name, &wanted) == 0 && found == wanted)
			return true;
	return false;
}

/* `list` and those of `names` that are in `among` (NULL: all). */
static struct strings join(const struct strings *list, const struct strings *names,
			   const struct strings *among, struct arena *a)
{
	struct strings ret = { arena_array(a, list->n + names->n, sizeof(char *)), 0 };

	for (size_t i = 0; i < list->n; i++)
		ret.at[ret.n++] = list->at[i];
	for (size_t i = 0; i < names->n; i++)
		if (!has(list, names->at[i]) && (!among || has(among, names->at[i])))
			ret.at[ret.n++] = names->at[i];
	return ret;
}

int process_add_caps(struct spec_process *p, const struct strings *names, struct arena *a,
		     struct err *e)
{
	struct spec_capabilities none = { 0 }, *c;
	unsigned number;

	if (names->n == 0)
		return 0;
	for (size_t i = 0; i < names->n; i++)
		if (caps_from_name(names->at[i], &number) < 0)
			return err_set(e, EINVAL, "\"%s\" is not a capability", names->at[i]);
	c = arena_alloc(a, sizeof(*c));
	*c = p->capabilities ? *p->capabilities : none;
	c->ambient = join(&c->ambient, names, &c->inheritable, a);
	c->bounding = join(&c->bounding, names, NULL, a);
	c->effective = join(&c->effective, names, NULL, a);
	c->permitted = join(&c->permitted, names, NULL, a);
	p->capabilities = c;
	return 0;
}

static void write_user(struct json_writer *w, const struct spec_user *u)
{
	json_write_object(w, "user");
	json_write_uint(w, "uid", u->uid);
	json_write_uint(w, "gid", u->gid);
	if (u->umask.set)
		json_write_uint(w, "umask", u->umask.value);
	if (u->additional_gids.n) {
		json_write_array(w, "additionalGids");
		for (size_t i = 0; i < u->additional_gids.n; i++)
			json_write_uint(w, NULL, u->additional_gids.at[i]);
		json_write_end(w);
	}
	json_write_end(w);
}

static void write_capabilities(struct json_writer *w, const struct spec_capabilities *c)
{
	json_write_object(w, "capabilities");
	json_write_strings(w, "bounding", &c->bounding);
	json_write_strings(w, "effective", &c->effective);
	json_write_strings(w, "permitted", &c->permitted);
	json_write_strings(w, "inheritable", &c->inheritable);
	json_write_strings(w, "ambient", &c->ambient);
	json_write_end(w);
}

static void write_rlimits(struct json_writer *w, const struct spec_process *p)
{
	json_write_array(w, "rlimits");
	for (size_t i = 0; i < p->rlimits.n; i++) {
		json_write_object(w, NULL);
		json_write_string(w, "type",
				  json_name_of(spec_rlimit_names, p->rlimits.at[i].resource));
		json_write_uint(w, "soft", p->rlimits.at[i].soft);
		json_write_uint(w, "hard", p->rlimits.at[i].hard);
		json_write_end(w);
	}
	json_write_end(w);
}

static void write_scheduler(struct json_writer *w, const struct spec_scheduler *s)
{
	json_write_object(w, "scheduler");
	json_write_string(w, "policy", json_name_of(spec_sched_policy_names, s->policy));
	json_write_int(w, "nice", s->nice);
	json_write_int(w, "priority", s->priority);
	json_write_array(w, "flags");
	for (const struct json_name *n = spec_sched_flag_names; n->name; n++)
		if (s->flags & (uint32_t)n->value)
			json_write_string(w, NULL, n->name);
	json_write_end(w);
	json_write_uint(w, "runtime", s->runtime);
	json_write_uint(w, "deadline", s->deadline);
	json_write_uint(w, "period", s->period);
	json_write_end(w);
}

void process_write(const struct spec_process *p, struct buf *ret)
{
	struct json_writer w = json_writer(ret, NULL);

	json_write_object(&w, NULL);
	json_write_bool(&w, "terminal", p->terminal);
	if (p->console_size.height || p->console_size.width) {
		json_write_object(&w, "consoleSize");
		json_write_uint(&w, "height", p->console_size.height);
		json_write_uint(&w, "width", p->console_size.width);
		json_write_end(&w);
	}
	write_user(&w, &p->user);
	json_write_strings(&w, "args", &p->args);
	if (p->env.n)
		json_write_strings(&w, "env", &p->env);
	json_write_string(&w, "cwd", p->cwd);
	if (p->capabilities)
		write_capabilities(&w, p->capabilities);
	if (p->rlimits.n)
		write_rlimits(&w, p);
	if (p->oom_score_adj.set)
		json_write_int(&w, "oomScoreAdj", p->oom_score_adj.value);
	json_write_bool(&w, "noNewPrivileges", p->no_new_privileges);
	if (p->scheduler)
		write_scheduler(&w, p->scheduler);
	if (p->io_priority) {
		json_write_object(&w, "ioPriority");
		json_write_string(&w, "class",
				  json_name_of(spec_io_class_names, p->io_priority->class));
		json_write_int(&w, "priority", p->io_priority->priority);
		json_write_end(&w);
	}
	json_write_end(&w);
}
