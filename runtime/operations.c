#include "runtime/operations.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "runtime/creation.h"
#include "runtime/init.h"
#include "spec/names.h"

/* What a row says of its work. */
struct words {
	struct arena *a;
	const char *root; /* the state directory */
	struct strings *list;
	size_t room;
};

static PRINTF_LIKE(2, 3) void say(struct words *w, const char *fmt, ...)
{
	auto_buf struct buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (w->list->n == w->room) {
		const char **more = arena_array(w->a, w->room = 2 * w->room + 8, sizeof(*more));

		if (w->list->n)
			memcpy(more, w->list->at, w->list->n * sizeof(*more));
		w->list->at = more;
	}
	w->list->at[w->list->n++] = arena_strdup(w->a, text.text);
}

static void say_hooks(const struct plan *p, enum spec_hook_kind kind, struct words *w)
{
	const struct spec_hooks *hooks = &p->spec->hooks[kind];

	for (size_t i = 0; i < hooks->n; i++)
		say(w, "run the %s hook %s", json_name_of(spec_hook_names, kind),
		    hooks->at[i].path);
}

static void say_flags(uint64_t flags, const char *doing, struct words *w)
{
	auto_buf struct buf names = { 0 };

	for (int i = 0; i < SPEC_NS_KINDS; i++)
		if (flags & ns_kinds[i].flag)
			buf_printf(&names, "%s%s", names.len ? ", " : "", ns_kinds[i].name);
	if (names.len)
		say(w, "%s: %s", doing, names.text);
}

static void say_caps(uint64_t set, const char *what, struct words *w)
{
	auto_buf struct buf names = { 0 };

	for (unsigned i = 0; caps_name(i); i++)
		if (set & CAPS_BIT(i))
			buf_printf(&names, "%s%s", names.len ? ", " : "", caps_name(i));
	say(w, "%s capabilities: %s", what, names.len ? names.text : "none");
}

/*
 * hull's rows
 */

static void reserve(const struct plan *p, struct words *w)
{
	say(w, "make %s/%s and lock it", w->root, p->id);
}

static void filter(const struct plan *p, struct words *w)
{
	const struct spec_seccomp *s = p->process ? p->spec->linux.seccomp : NULL;

	if (s)
		say(w,
		    "compile the seccomp filter, or take it from the cache: %zu rules, otherwise "
		    "%s",
		    s->syscalls.n, json_name_of(spec_seccomp_action_names, (int)s->default_action));
}

static void remember(const struct plan *p, struct words *w)
{
	say(w, "write %s/%s/state.json and config.json", w->root, p->id);
	if (p->notifies)
		say(w, "make the directory of the container's NOTIFY_SOCKET");
}

static void cgroup(const struct plan *p, struct words *w)
{
	const struct cgroup_plan *c = &p->cgroup;

	if (!c->path)
		return;
	say(w, "make the cgroup %s", c->path);
	for (size_t i = 0; i < c->values.n; i++) {
		const struct knob_value *v = &c->values.at[i];

		say(w, "write \"%s\" to its %s (%s)", v->value, v->file, v->member);
	}
}

static void device_program(const struct plan *p, struct words *w)
{
	const struct cgroup_plan *c = &p->cgroup;

	if (c->path && c->devices.n && !c->devices.allow_all)
		say(w, "attach the cgroup's device program: %zu instructions for %zu rules",
		    c->devices.n, p->spec->linux.resources.devices.n);
}

static void rdt_class(const struct plan *p, struct words *w)
{
	const struct spec_intel_rdt *rdt = p->spec->linux.intel_rdt;

	if (!rdt)
		return;
	say(w, "find or make the class %s of resctrl", rdt->clos_id ? rdt->clos_id : p->id);
	if (rdt->l3_cache_schema)
		say(w, "give it %s", rdt->l3_cache_schema);
	if (rdt->mem_bw_schema)
		say(w, "give it %s", rdt->mem_bw_schema);
	for (size_t i = 0; i < rdt->schemata.n; i++)
		say(w, "give it %s", rdt->schemata.at[i]);
	if (rdt->enable_monitoring)
		say(w, "make its monitoring group %s", p->id);
}

static void gate(const struct plan *p, struct words *w)
{
	say(w, "listen at %s/%s/start.sock, for start", w->root, p->id);
}

static void say_sources(const struct plan *p, struct words *w)
{
	if (!p->mounts.own_namespace)
		return;
	say(w, "open %s as a tree of mounts, for the root file system", p->mounts.rootfs);
	for (size_t i = 0; i < p->mounts.mounts.n; i++) {
		const struct mount_op *op = &p->mounts.mounts.at[i];

		if (op->kind == MOUNT_KIND_BIND)
			say(w, "open %s%s for %s (%s)", op->source,
			    op->options.flags & MOUNT_RECURSIVE ? " and all mounts below it" : "",
			    op->target, op->name);
		if (op->idmap.uids.n)
			say(w, "make a user namespace with the id map of %s", op->name);
	}
	for (size_t i = 0; p->mounts.bind_devices && i < p->mounts.devices.n; i++)
		if (!S_ISFIFO(p->mounts.devices.at[i].mode))
			say(w, "open the host's %s", p->mounts.devices.at[i].path);
}

static void sources(const struct plan *p, struct words *w)
{
	if (p->parent_opens)
		say_sources(p, w);
}

static void process(const struct plan *p, struct words *w)
{
	say(w, "make the container's process%s", p->cgroup.path ? " in its cgroup" : "");
	say_flags(p->namespaces.clone, "with new namespaces", w);
}

static void rdt_task(const struct plan *p, struct words *w)
{
	if (p->spec->linux.intel_rdt)
		say(w, "put the process into the class");
}

static void say_map(const struct spec_idmaps *maps, const char *what, struct words *w)
{
	for (size_t i = 0; i < maps->n; i++)
		say(w, "map %s %u of the container to %u of the host, %u of them", what,
		    maps->at[i].container_id, maps->at[i].host_id, maps->at[i].size);
}

static void id_maps(const struct plan *p, struct words *w)
{
	if (!p->writes_maps)
		return;
	say_map(&p->spec->linux.uid_mappings, "uid", w);
	say_map(&p->spec->linux.gid_mappings, "gid", w);
}

static void net_devices(const struct plan *p, struct words *w)
{
	for (size_t i = 0; i < p->spec->linux.net_devices.n; i++) {
		const struct spec_net_device *d = &p->spec->linux.net_devices.at[i];

		say(w, "move the network device %s into the network namespace as %s, and set it up",
		    d->host_name, d->name ? d->name : d->host_name);
	}
}

static void oom_score(const struct plan *p, struct words *w)
{
	if (p->process && p->process->oom_score_adj.set)
		say(w, "write %d to the process's oom_score_adj", p->process->oom_score_adj.value);
}

static void say_limit(uint64_t limit, char *text, size_t size)
{
	if (limit == UINT64_MAX)
		snprintf(text, size, "unlimited");
	else
		snprintf(text, size, "%llu", (unsigned long long)limit);
}

static void prepared(const struct plan *p, struct words *w)
{
	say_hooks(p, SPEC_HOOK_PRESTART, w);
	say_hooks(p, SPEC_HOOK_CREATE_RUNTIME, w);
}

static void limits(const struct plan *p, struct words *w)
{
	for (size_t i = 0; p->process && i < p->process->rlimits.n; i++) {
		const struct spec_rlimit *l = &p->process->rlimits.at[i];
		char soft[24], hard[24];

		say_limit(l->soft, soft, sizeof(soft));
		say_limit(l->hard, hard, sizeof(hard));
		say(w, "limit %s to %s, at most %s", json_name_of(spec_rlimit_names, l->resource),
		    soft, hard);
	}
}

static void take_console(const struct plan *p, struct words *w)
{
	if (p->terminal)
		say(w, "take the terminal, and pass it on");
}

static void record(const struct plan *p UNUSED, struct words *w)
{
	say(w, "write down that the container is created");
}

static void release(const struct plan *p UNUSED, struct words *w)
{
	say(w, "let the process wait by itself");
}

/*
 * init's rows
 */

static void die_with_parent(const struct plan *p UNUSED, struct words *w)
{
	say(w, "die if hull does, until it is created");
}

static void session(const struct plan *p UNUSED, struct words *w)
{
	say(w, "make a session; signals and umask as they are by default");
}

static void join(const struct plan *p, struct words *w)
{
	for (int i = 0; i < SPEC_NS_KINDS; i++)
		if (p->namespaces.paths[i])
			say(w, "join the %s namespace %s", ns_kinds[i].name,
			    p->namespaces.paths[i]);
}

static void become_root(const struct plan *p, struct words *w)
{
	if (p->user_namespace)
		say(w, "become root of the user namespace");
}

static void make_namespaces(const struct plan *p, struct words *w)
{
	say_flags(p->namespaces.later, "make namespaces", w);
	for (size_t i = 0; i < p->spec->linux.time_offsets.n; i++) {
		const struct spec_time_offset *o = &p->spec->linux.time_offsets.at[i];

		say(w, "set the %s clock off by %lld.%09u s", o->clock, (long long)o->secs,
		    o->nanosecs);
	}
}

static void hide(const struct plan *p UNUSED, struct words *w)
{
	say(w, "close /proc/PID to others");
}

static void keyring(const struct plan *p, struct words *w)
{
	if (p->new_keyring)
		say(w, "make a session keyring");
}

static void loopback(const struct plan *p, struct words *w)
{
	if (p->namespaces.clone & ns_kinds[SPEC_NS_NETWORK].flag)
		say(w, "bring the loopback interface up");
}

static void names(const struct plan *p, struct words *w)
{
	if (p->spec->hostname)
		say(w, "set the host name to \"%s\"", p->spec->hostname);
	if (p->spec->domainname)
		say(w, "set the domain name to \"%s\"", p->spec->domainname);
}

static void open_sources(const struct plan *p, struct words *w)
{
	if (!p->parent_opens)
		say_sources(p, w);
}

static void enter_root(const struct plan *p, struct words *w)
{
	if (p->mounts.own_namespace)
		say(w, "cut the mounts off from the host's, and attach the root file system");
}

static const struct {
	uint64_t attr;
	const char *name;
} attributes[] = {
	{ MOUNT_ATTR_RDONLY, "ro" },
	{ MOUNT_ATTR_NOSUID, "nosuid" },
	{ MOUNT_ATTR_NODEV, "nodev" },
	{ MOUNT_ATTR_NOEXEC, "noexec" },
	{ MOUNT_ATTR_NOATIME, "noatime" },
	{ MOUNT_ATTR_STRICTATIME, "strictatime" },
	{ MOUNT_ATTR_NODIRATIME, "nodiratime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow" },
};

static const char *const propagations[][2] = {
	{ "private", "rprivate" },
	{ "slave", "rslave" },
	{ "shared", "rshared" },
	{ "unbindable", "runbindable" },
};

static const char *propagation_name(const struct mount_propagation *p)
{
	const int kind = p->type == MS_SLAVE     ? 1
			 : p->type == MS_SHARED  ? 2
			 : p->type == MS_PRIVATE ? 0
						 : 3;

	return propagations[kind][p->recursive];
}

/* All options in their last word, in one list. */
static void mount_words(const struct mount_op *op, struct buf *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		if ((op->options.attrs.set & attributes[i].attr) ||
		    (op->readonly_last && attributes[i].attr == MOUNT_ATTR_RDONLY))
			buf_printf(ret, ",%s", attributes[i].name);
		if (op->options.recursive.set & attributes[i].attr)
			buf_printf(ret, ",r%s", attributes[i].name);
	}
	for (size_t i = 0; i < op->options.propagation.n; i++)
		buf_printf(ret, ",%s", propagation_name(&op->options.propagation.at[i]));
	for (size_t i = 0; i < op->options.super.n; i++)
		buf_printf(ret, ",%s", op->options.super.at[i]);
	if (op->options.flags & MOUNT_COPY_UP)
		buf_str(ret, ",tmpcopyup");
	if (op->idmap.uids.n)
		buf_str(ret, op->idmap.recursive ? ",ridmap" : ",idmap");
}

static void mounts(const struct plan *p, struct words *w)
{
	for (size_t i = 0; i < p->mounts.mounts.n; i++) {
		const struct mount_op *op = &p->mounts.mounts.at[i];
		auto_buf struct buf options = { 0 };
		const char *with, *shown;

		mount_words(op, &options);
		with = options.len ? " with " : "";
		shown = options.len ? options.text + 1 : "";
		if (op->kind == MOUNT_KIND_BIND)
			say(w, "attach %s on %s%s%s (%s)", op->source, op->target, with, shown,
			    op->name);
		else if (op->kind == MOUNT_KIND_FILESYSTEM)
			say(w, "mount %s on %s%s%s (%s)", op->type, op->target, with, shown,
			    op->name);
		else
			say(w, "change the mount on %s%s%s (%s)", op->target, with, shown,
			    op->name);
	}
}

static void devices(const struct plan *p, struct words *w)
{
	for (size_t i = 0; i < p->mounts.devices.n; i++) {
		const struct device_op *d = &p->mounts.devices.at[i];

		if (p->mounts.bind_devices && !S_ISFIFO(d->mode))
			say(w, "attach the host's %s (%s)", d->path, d->name);
		else if (S_ISFIFO(d->mode))
			say(w, "make the FIFO %s, mode %04o (%s)", d->path, d->mode & 07777,
			    d->name);
		else
			say(w, "make the %s device %s, %u:%u, mode %04o (%s)",
			    S_ISBLK(d->mode) ? "block" : "character", d->path, major(d->number),
			    minor(d->number), d->mode & 07777, d->name);
	}
	for (size_t i = 0; i < p->mounts.links.n; i++)
		say(w, "link %s to %s", p->mounts.links.at[i].path, p->mounts.links.at[i].to);
}

static void meet(const struct plan *p, struct words *w)
{
	if (p->meets_prepared)
		say(w, "let hull do what it can do only now");
}

static void create_container(const struct plan *p, struct words *w)
{
	say_hooks(p, SPEC_HOOK_CREATE_CONTAINER, w);
}

static void sysctl(const struct plan *p, struct words *w)
{
	for (size_t i = 0; i < p->spec->linux.sysctl.n; i++)
		say(w, "set %s to \"%s\"", p->spec->linux.sysctl.at[i].key,
		    p->spec->linux.sysctl.at[i].value);
}

static void make_cwd(const struct plan *p, struct words *w)
{
	if (p->process)
		say(w, "make the working directory %s, if it is missing", p->process->cwd);
}

static void console(const struct plan *p, struct words *w)
{
	if (p->terminal)
		say(w, "open a terminal of the container's devpts, its /dev/console and standard "
		       "streams");
}

static void readonly(const struct plan *p, struct words *w)
{
	for (size_t i = 0; i < p->mounts.mounts.n; i++)
		if (p->mounts.mounts.at[i].readonly_last)
			say(w, "make %s read-only", p->mounts.mounts.at[i].target);
}

static void leave_host(const struct plan *p, struct words *w)
{
	say(w, "close the host's descriptors, all but %u for the program", 3 + p->preserve_fds);
}

static void pivot(const struct plan *p, struct words *w)
{
	say(w, p->mounts.pivot ? "make the root file system the root, and drop the host's tree"
			       : "move the root file system to / and chroot");
}

static void protect(const struct plan *p, struct words *w)
{
	for (size_t i = 0; i < p->mounts.masked.n; i++)
		say(w, "mask %s", p->mounts.masked.at[i]);
	for (size_t i = 0; i < p->mounts.readonly.n; i++)
		say(w, "make %s read-only", p->mounts.readonly.at[i]);
	if (p->mounts.readonly_root)
		say(w, "make the root read-only");
	if (p->mounts.root_propagation)
		say(w, "set the root's propagation to %s",
		    json_name_of(spec_propagation_names, (int)p->mounts.root_propagation));
}

static void scheduling(const struct plan *p, struct words *w)
{
	if (!p->process)
		return;
	if (p->process->scheduler)
		say(w, "set the scheduling policy %s",
		    json_name_of(spec_sched_policy_names, p->process->scheduler->policy));
	if (p->process->io_priority)
		say(w, "set the I/O priority");
	if (p->spec->linux.memory_policy)
		say(w, "set the memory policy %s",
		    json_name_of(spec_mempolicy_names, p->spec->linux.memory_policy->mode));
	if (p->spec->linux.personality)
		say(w, "set the personality %s",
		    json_name_of(spec_personality_names, p->spec->linux.personality->domain));
}

static void bounding(const struct plan *p, struct words *w)
{
	if (p->process)
		say_caps(p->caps.bounding, "keep the bounding", w);
}

static void cwd(const struct plan *p, struct words *w)
{
	if (p->process)
		say(w, "enter %s", p->process->cwd);
}

static void user(const struct plan *p, struct words *w)
{
	auto_buf struct buf groups = { 0 };

	if (!p->process)
		return;
	for (size_t i = 0; i < p->process->user.additional_gids.n; i++)
		buf_printf(&groups, "%s %u", i ? "," : ", also",
			   p->process->user.additional_gids.at[i]);
	say(w, "become uid %u, gid %u%s", p->process->user.uid, p->process->user.gid,
	    groups.len ? groups.text : "");
}

static void capabilities(const struct plan *p, struct words *w)
{
	if (!p->process)
		return;
	say_caps(p->caps.permitted, "keep the permitted", w);
	say_caps(p->caps.effective, "have the effective", w);
	say_caps(p->caps.inheritable, "have the inheritable", w);
	say_caps(p->caps.ambient, "have the ambient", w);
}

static void environment(const struct plan *p, struct words *w)
{
	if (p->process)
		say(w, "set up %zu variables", p->process->env.n);
}

static void executable(const struct plan *p, struct words *w)
{
	if (p->process)
		say(w, "find the program \"%s\"", p->process->args.at[0]);
}

static void wait_start(const struct plan *p UNUSED, struct words *w)
{
	say(w, "say so, and wait for start");
}

static void start_container(const struct plan *p, struct words *w)
{
	say_hooks(p, SPEC_HOOK_START_CONTAINER, w);
}

static void poststart(const struct plan *p, struct words *w)
{
	say_hooks(p, SPEC_HOOK_POSTSTART, w);
}

static void label(const struct plan *p, struct words *w)
{
	if (p->process && p->process->apparmor_profile)
		say(w, "take the AppArmor profile %s", p->process->apparmor_profile);
	if (p->process && p->process->selinux_label)
		say(w, "take the SELinux label %s", p->process->selinux_label);
}

static void no_new_privileges(const struct plan *p, struct words *w)
{
	if (p->process && p->process->no_new_privileges)
		say(w, "give up all privilege that execve(2) could bring");
}

static void own_null(const struct plan *p, struct words *w)
{
	if (p->process && !p->terminal)
		say(w,
		    "take the container's /dev/null for each standard stream that is the host's");
}

static void descriptors(const struct plan *p, struct words *w)
{
	if (p->process)
		say(w, "let all descriptors above %u end with execve(2)", 2 + p->preserve_fds);
}

static void load_filter(const struct plan *p, struct words *w)
{
	if (p->process && p->spec->linux.seccomp)
		say(w, "load the seccomp filter");
}

static void execute(const struct plan *p, struct words *w)
{
	auto_buf struct buf words = { 0 };

	if (!p->process)
		return;
	for (size_t i = 0; i < p->process->args.n; i++)
		buf_printf(&words, " \"%s\"", p->process->args.at[i]);
	say(w, "execute%s", words.text);
}

/*
 * The two tables, as they are walked
 */

struct row {
	const char *step;
	void (*say)(const struct plan *p, struct words *w); /* NULL: it only looks */
	const char *after;                                  /* init's row that hull waits for */
};

/* clang-format off */
static const struct row hull_rows[] = {
	{ "bundle",     NULL,         NULL },
	{ "config",     NULL,         NULL },
	{ "executor",   NULL,         NULL },
	{ "rootfs",     NULL,         NULL },
	{ "service",    NULL,         NULL },
	{ "request",    NULL,         NULL },
	{ "plan",       NULL,         NULL },
	{ "joins",      NULL,         NULL },
	{ "reserve",    reserve,      NULL },
	{ "filter",     filter,       NULL },
	{ "remember",   remember,     NULL },
	{ "disconnect", NULL,         NULL },
	{ "hands",      NULL,         NULL },
	{ "poststop",   NULL,         NULL },
	{ "cgroup",     cgroup,       NULL },
	{ "rdt-class",  rdt_class,    NULL },
	{ "rdt-remove", NULL,         NULL },
	{ "gate",       gate,         NULL },
	{ "sources",    sources,      NULL },
	{ "process",    process,      NULL },
	{ "rdt-task",   rdt_task,     NULL },
	{ "settle",     NULL,         NULL },
	{ "id-maps",    id_maps,      NULL },
	{ "devices",    device_program, NULL },
	{ "net-devices", net_devices, NULL },
	{ "oom-score",  oom_score,    NULL },
	{ "prepared",   prepared,     "prepared" },
	{ "console",    take_console, "console" },
	{ "created",    record,       "created" },
	{ "pidfd",      NULL,         NULL },
	{ "pid-file",   NULL,         NULL },
	{ "release",    release,      NULL },
	{ 0 },
};

static const struct row init_rows[] = {
	{ "die-with-parent",       die_with_parent,   NULL },
	{ "session",               session,           NULL },
	{ "join-namespaces",       join,              NULL },
	{ "become-root",           become_root,       NULL },
	{ "make-namespaces",       make_namespaces,   NULL },
	{ "hide",                  hide,              NULL },
	{ "keyring",               keyring,           NULL },
	{ "loopback",              loopback,          NULL },
	{ "names",                 names,             NULL },
	{ "open-sources",          open_sources,      NULL },
	{ "enter-root",            enter_root,        NULL },
	{ "mounts",                mounts,            NULL },
	{ "devices",               devices,           NULL },
	{ "prepared",              meet,              NULL },
	{ "createContainer-hooks", create_container,  NULL },
	{ "sysctl",                sysctl,            NULL },
	{ "make-cwd",              make_cwd,          NULL },
	{ "console",               console,           NULL },
	{ "read-only",             readonly,          NULL },
	{ "leave-host",            leave_host,        NULL },
	{ "pivot",                 pivot,             NULL },
	{ "protect",               protect,           NULL },
	{ "own-null",              own_null,          NULL },
	{ "scheduling",            scheduling,        NULL },
	{ "bounding-set",          bounding,          NULL },
	{ "cwd",                   cwd,               NULL },
	{ "limits",                limits,            NULL },
	{ "user",                  user,              NULL },
	{ "capabilities",          capabilities,      NULL },
	{ "cwd-as-user",           NULL,              NULL },
	{ "environment",           environment,       NULL },
	{ "executable",            executable,        NULL },
	{ "created",               wait_start,        NULL },
	{ "startContainer-hooks",  start_container,   NULL },
	{ "label",                 label,             NULL },
	{ "no-new-privileges",     no_new_privileges, NULL },
	{ "descriptors",           descriptors,       NULL },
	{ "filter",                load_filter,       NULL },
	{ "execute",               execute,           NULL },
	{ 0 },
};
/* clang-format on */

const char *operations_row(const char *by, size_t i)
{
	return strcmp(by, "hull") == 0 ? hull_rows[i].step : init_rows[i].step;
}

static void add(const struct plan *p, const char *root, struct arena *a, const struct row *row,
		const char *by, const char *when, struct operations *ret)
{
	struct operation *op = &ret->list.at[ret->list.n];
	struct words w = { .a = a, .root = root, .list = &op->what };

	*op = (struct operation){ .by = by, .when = when, .step = row->step };
	if (row->say)
		row->say(p, &w);
	if (op->what.n)
		ret->list.n++;
}

static void add_warnings(struct arena *a, const struct strings *list, struct strings *ret)
{
	for (size_t i = 0; i < list->n; i++)
		ret->at[ret->n++] = arena_strdup(a, list->at[i]);
}

void operations_plan(const struct plan *p, const char *root, struct arena *a,
		     struct operations *ret)
{
	const struct row *init = init_rows;

	*ret = (struct operations){ .id = p->id, .bundle = p->bundle, .rootfs = p->rootfs };
	ret->warnings.at =
		arena_array(a, p->cgroup.warnings.n + p->mounts.warnings.n, sizeof(char *));
	add_warnings(a, &p->cgroup.warnings, &ret->warnings);
	add_warnings(a, &p->mounts.warnings, &ret->warnings);
	ret->list.at = arena_array(a, ARRAY_LEN(hull_rows) + ARRAY_LEN(init_rows) + 1,
				   sizeof(*ret->list.at));
	for (const struct row *row = hull_rows; row->step; row++) {
		while (row->after) {
			const char *step = init->step;

			assert(step);
			add(p, root, a, init++, "init", "create", ret);
			if (strcmp(step, row->after) == 0)
				break;
		}
		add(p, root, a, row, "hull", "create", ret);
	}
	for (; p->process && init->step; init++)
		add(p, root, a, init, "init", "start", ret);
	if (p->process)
		add(p, root, a, &(struct row){ "poststart-hooks", poststart, NULL }, "hull",
		    "start", ret);
}

int container_plan(const struct runtime *rt, const struct create_request *req, struct arena *a,
		   struct operations *ret, struct err *e)
{
	auto_creation struct creation c;

	creation_init(&c, rt, req);
	c.relays = true; /* whose the terminal will be is not asked */
	TRY(creation_check(&c, e));
	TRY(creation_decide(&c, e));
	operations_plan(&c.plan, rt->root, a, ret);
	ret->id = arena_strdup(a, ret->id);
	ret->bundle = arena_strdup(a, ret->bundle);
	ret->rootfs = arena_strdup(a, ret->rootfs);
	return 0;
}
