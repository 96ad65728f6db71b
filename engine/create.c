/*
 * create.c - from a wish to a container that could be started.
 *
 * The order is: what needs no disk (the notations), the image, the container's
 * directory under its lock, the configuration made of all of it, and last the
 * record, with which the container exists.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/borrowed.h"
#include "engine/config.h"
#include "engine/containers.h"
#include "engine/create_private.h"
#include "engine/expose.h"
#include "engine/happened.h"
#include "engine/health.h"
#include "engine/journal.h"
#include "engine/netjoin.h"
#include "engine/netwish.h"
#include "engine/pull.h"
#include "engine/rootfs.h"
#include "engine/userns.h"
#include "engine/volumes.h"
#include "runtime/executor.h"

#define SECOND_US INT64_C(1000000)

enum {
	PROFILE_MAX = 4 * 1024 * 1024,
	ENV_FILE_MAX = 1024 * 1024,
	STOP_TIMEOUT = 10,
};

static void building_done(struct building *b)
{
	image_done(&b->image);
	buf_done(&b->seccomp);
	arena_done(&b->arena);
}

void making_done(struct making *m)
{
	close_fd(&m->dir);
	close_fd(&m->lock);
	record_done(&m->record);
}

/* Without root its namespaces belong to a user namespace of its own: so who joins them joins that. */
static int join_user(struct building *b, const char *option, const char *asked, const char *id,
		     struct err *e)
{
	if (!b->g->rootless)
		return 0;
	if (b->facts.userns && strcmp(b->borrowed_user, id) != 0)
		return err_set(e, ENOTSUP,
			       "%s %s: without root, namespaces are those of one container only",
			       option, asked);
	if (b->facts.userns)
		return 0;
	memcpy(b->borrowed_user, id, sizeof(b->borrowed_user));
	b->facts.userns = borrowed_note(b->g, &b->m->record, "user", id);
	return 0;
}

/* --network, --pid and the like: a new namespace, the host's, or that of another container. */
static int choose_namespace(struct building *b, const char *option, const char *asked,
			    const char *file, const char **ret, struct err *e)
{
	static const char container[] = "container:";
	struct container_view view;
	char id[RECORD_ID_LEN + 1];
	pid_t pid;

	if (!asked || strcmp(asked, "private") == 0 || strcmp(asked, "shareable") == 0)
		return 0;
	if (strcmp(asked, "host") == 0) {
		*ret = "";
		return 0;
	}
	if (strncmp(asked, "ns:", 3) == 0) {
		*ret = asked + 3;
		return 0;
	}
	if (strncmp(asked, container, sizeof(container) - 1) != 0)
		return err_set(e, EINVAL,
			       "%s %s: expected private, host, container:NAME or ns:PATH", option,
			       json_quote(asked).text);
	TRY(record_find(b->g, asked + sizeof(container) - 1, id, e));
	TRY(engine_view(b->g, id, &view, e));
	pid = view.pid;
	container_view_done(&view);
	if (!pid)
		return err_set(e, ESRCH, "%s %s: that container does not run", option, asked);
	*ret = borrowed_note(b->g, &b->m->record, file, id);
	return join_user(b, option, asked, id, e);
}

static int choose_namespaces(struct building *b, struct err *e)
{
	const struct wish *w = b->w;
	struct config_facts *f = &b->facts;
	const char *cgroupns = NULL, *network = b->m->record.network;

	/* One that is made for it, or none at all: a namespace of its own. */
	if (netjoin_has_own(b->g, &b->m->record) || strcmp(network, "none") == 0)
		network = "private";
	TRY(choose_namespace(b, "--network", network, "net", &f->netns, e));
	TRY(choose_namespace(b, "--pid", w->pid, "pid", &f->pidns, e));
	TRY(choose_namespace(b, "--ipc", w->ipc, "ipc", &f->ipcns, e));
	TRY(choose_namespace(b, "--uts", w->uts, "uts", &f->utsns, e));
	TRY(choose_namespace(b, "--cgroupns", w->cgroupns, "cgroup", &cgroupns, e));
	if (cgroupns && *cgroupns)
		return err_set(e, EINVAL, "--cgroupns: private or host");
	f->cgroupns_host = cgroupns;
	return 0;
}

/* What can't be had with --userns auto. */
static int check_userns(struct building *b, struct err *e)
{
	const struct wish *w = b->w;

	TRY(idrange_parse(w->userns, &b->ids, e));
	if (!b->ids)
		return 0;
	if (b->g->rootless)
		return err_set(e, EPERM,
			       "--userns %s: without root a container is in the one user namespace "
			       "that is yours",
			       w->userns);
	if (w->rootfs)
		return err_set(e, ENOTSUP,
			       "--userns %s: the files of --rootfs would belong to nobody in it",
			       w->userns);
	if (w->privileged)
		return err_set(e, EINVAL,
			       "--privileged: in a user namespace (--userns %s) nobody is",
			       w->userns);
	return 0;
}

static int choose_userns(struct building *b, struct err *e)
{
	struct config_facts *f = &b->facts;

	if (b->ids)
		TRY(idrange_take(b->g, b->m->dir, b->ids, &b->m->record.userns, e));
	if (b->g->rootless)
		TRY(userns_maps(&b->arena, &f->uids, &f->gids, e));
	else
		idrange_maps(&b->m->record.userns, &b->arena, &f->uids, &f->gids);
	/* sysfs belongs to a network namespace: without one of our own, it can only be bound. */
	f->binds_sys = f->uids.n && f->netns;
	return 0;
}

/* The lines of `files`, and then `more`. */
static int read_files(struct building *b, const char *option, const struct strings *files,
		      const struct strings *more, struct strings *ret, struct err *e)
{
	size_t most = more->n;
	struct buf *texts = arena_array(&b->arena, files->n + 1, sizeof(*texts));

	for (size_t i = 0; i < files->n; i++) {
		struct buf text = { 0 };

		if (io_read_file(AT_FDCWD, files->at[i], ENV_FILE_MAX, files->at[i], &text, e) <
		    0) {
			buf_done(&text);
			return err_wrap(e, "%s", option);
		}
		texts[i].text = arena_strndup(&b->arena, text.text, text.len);
		texts[i].len = text.len;
		most += wish_env_file_lines(text.text, text.len);
		buf_done(&text);
	}
	ret->at = arena_array(&b->arena, most + 1, sizeof(*ret->at));
	for (size_t i = 0; i < files->n; i++)
		TRY(wish_env_file(option, files->at[i], texts[i].text, texts[i].len, &b->arena, ret,
				  e));
	for (size_t i = 0; i < more->n; i++)
		ret->at[ret->n++] = more->at[i];
	return 0;
}

static int read_pairs(struct building *b, const char *option, const struct strings *list,
		      struct spec_pairs *ret, struct err *e)
{
	ret->at = arena_array(&b->arena, list->n + 3, sizeof(*ret->at)); /* open_network() adds */
	for (size_t i = 0; i < list->n; i++) {
		TRY(wish_pair(option, list->at[i], &b->arena, &ret->at[ret->n], e));
		ret->n++;
	}
	return 0;
}

/* In the host's network the host's name is as good. */
static const char *hostname_of(struct building *b)
{
	if (b->w->hostname)
		return b->w->hostname;
	if (b->facts.utsns || (b->facts.netns && !*b->facts.netns))
		return NULL;
	return arena_printf(&b->arena, "%.*s", RECORD_SHORT, b->m->id);
}

/* The image's configuration and what was asked for, in one. */
static int make_bundle(struct building *b, struct err *e)
{
	const struct wish *w = b->w;
	struct image_overrides o = { .args = w->args,
				     .host_env = (const char *const *)environ,
				     .all_host_env = w->env_host,
				     .unset_env = w->unset_env,
				     .unset_env_all = w->unset_env_all,
				     .user = w->user,
				     .working_dir = w->workdir,
				     .stop_signal = w->stop_signal,
				     .hostname = b->facts.hostname,
				     .terminal = w->terminal };

	struct strings labels = { 0 };

	TRY(read_files(b, "--env-file", &w->env_files, &w->env, &o.env, e));
	TRY(read_files(b, "--label-file", &w->label_files, &w->labels, &labels, e));
	TRY(read_pairs(b, "--label", &labels, &o.labels, e));
	TRY(read_pairs(b, "--annotation", &w->annotations, &o.annotations, e));
	if (w->entrypoint) {
		o.has_entrypoint = true;
		TRY(wish_words("--entrypoint", w->entrypoint, &b->arena, &o.entrypoint, e));
	}
	return bundle_make(&b->image.config, &o, w->image, &b->arena, &b->bundle, e);
}

static int find_user(struct building *b, struct err *e)
{
	auto_buf struct buf passwd = { 0 }, group = { 0 };
	struct passwd_bytes users, groups;

	TRY(rootfs_read_users(b->g, &b->m->record, &passwd, &group, e));
	users = (struct passwd_bytes){ passwd.text, passwd.len };
	groups = (struct passwd_bytes){ group.text, group.len };
	TRY(passwd_resolve(b->bundle.user, users, groups, &b->arena, &b->user, e));
	for (size_t i = 0; i < b->w->group_add.n; i++)
		TRY(passwd_add_group(b->w->group_add.at[i], groups, &b->arena, &b->user, e));
	/* A user alone in a namespace has but one group to be in. */
	if (b->facts.uids.n == 1)
		b->user.groups.n = 0;
	return 0;
}

static int read_rlimits(struct building *b, struct err *e)
{
	const struct strings *list = &b->w->ulimits;

	b->facts.rlimits.at = arena_array(&b->arena, list->n + 1, sizeof(*b->facts.rlimits.at));
	for (size_t i = 0; i < list->n; i++) {
		TRY(wish_ulimit(list->at[i], &b->facts.rlimits.at[b->facts.rlimits.n], e));
		b->facts.rlimits.n++;
	}
	return 0;
}

static int read_device(struct building *b, const char *text, struct config_device *ret,
		       struct err *e)
{
	bool in_userns = b->g->rootless || b->ids;
	struct device_wish d;
	struct stat st;

	TRY(wish_device(text, &b->arena, &d, e));
	if (stat(d.source, &st) < 0)
		return err_sys(e, "--device %s", d.source);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(e, ENODEV, "--device %s: it is no device", d.source);
	if (in_userns && strcmp(d.source, d.target) != 0)
		return err_set(e, ENOTSUP,
			       "--device %s: %s a device keeps its name in the container", d.source,
			       b->g->rootless ? "without root" : "with --userns auto");
	*ret = (struct config_device){ .path = d.target,
				       .type = S_ISBLK(st.st_mode) ? 'b' : 'c',
				       .major = major(st.st_rdev),
				       .minor = minor(st.st_rdev),
				       .mode = st.st_mode & 0777,
				       .uid = in_userns ? 0 : st.st_uid,
				       .gid = in_userns ? 0 : st.st_gid,
				       .access = d.access };
	return 0;
}

static int read_devices(struct building *b, struct err *e)
{
	const struct strings *list = &b->w->devices;

	b->facts.devices.at = arena_array(&b->arena, list->n + 1, sizeof(*b->facts.devices.at));
	for (size_t i = 0; i < list->n; i++) {
		TRY(read_device(b, list->at[i], &b->facts.devices.at[b->facts.devices.n], e));
		b->facts.devices.n++;
	}
	return 0;
}

/* In a user namespace no node can be made, and others are not ruled. */
static int read_device_rules(struct building *b, struct err *e)
{
	const struct strings *list = &b->w->device_rules;

	if (list->n && (b->g->rootless || b->ids))
		return err_set(e, ENOTSUP, "--device-cgroup-rule %s: %s nothing rules devices",
			       json_quote(list->at[0]).text,
			       b->g->rootless ? "without root" : "with --userns auto");
	b->facts.device_rules.at =
		arena_array(&b->arena, list->n + 1, sizeof(*b->facts.device_rules.at));
	for (size_t i = 0; i < list->n; i++) {
		TRY(wish_device_rule(list->at[i], &b->arena,
				     &b->facts.device_rules.at[b->facts.device_rules.n], e));
		b->facts.device_rules.n++;
	}
	return 0;
}

static const char *annotation(const struct building *b, const char *name)
{
	const struct spec_pairs *notes = &b->bundle.annotations;

	for (size_t i = 0; i < notes->n; i++)
		if (strcmp(notes->at[i].key, name) == 0)
			return notes->at[i].value;
	return NULL;
}

/* A microVM with a socket of the host's: its programs are to reach that (docs/microvm.md). */
static bool has_vsock(const struct building *b)
{
	const char *isolation =
		b->g->rt->isolation ? b->g->rt->isolation : annotation(b, EXECUTOR_ANNOTATION);

	return isolation && strcmp(isolation, "vm") == 0 &&
	       annotation(b, EXECUTOR_VSOCK_ANNOTATION);
}

static int choose_seccomp(struct building *b, struct err *e)
{
	if (b->facts.security.no_seccomp)
		return 0;
	if (b->facts.security.seccomp_file)
		TRY(io_read_file(AT_FDCWD, b->facts.security.seccomp_file, PROFILE_MAX,
				 b->facts.security.seccomp_file, &b->seccomp, e));
	else
		seccomp_default_write(&b->facts.capabilities,
				      &(struct seccomp_choice){ .listener = b->w->listener,
								.vsock = has_vsock(b) },
				      &b->seccomp);
	b->facts.seccomp = b->seccomp.text;
	return 0;
}

static int fill_record(struct building *b, struct err *e)
{
	struct record *r = &b->m->record;
	const struct wish *w = b->w;
	struct log_wish log;
	char now[48];

	TRY(netwish_plan(w, netjoin_default(b->g), &b->arena, &b->joins, e));
	record_now(now);
	r->id = b->m->id;
	r->created = arena_strdup(&r->arena, now);
	r->image = w->image;
	r->terminal = w->terminal;
	r->stdin_open = w->interactive;
	r->detached = w->detach || w->followed;
	r->remove = w->remove;
	/* Nobody will look for its files after a crash of the machine. */
	r->is_volatile = w->remove;
	netjoin_record(&b->joins, r);
	r->hostname = w->hostname;
	r->dns = w->dns;
	r->dns_search = w->dns_search;
	r->dns_options = w->dns_options;
	r->add_hosts = w->add_host;
	r->published = w->published;
	r->sockets = w->sockets;
	TRY(wish_log(w, &log, e));
	r->log_driver = log.driver;
	r->log_max_size = log.max_size;
	r->log_max_files = log.max_files;
	r->log_tag = log.tag;
	if (w->keep_why && (w->keep_why < SECOND_US || w->keep_why / SECOND_US > UINT32_MAX))
		return err_set(e, EINVAL, "--keep-why: expected a time of 1s to %us", UINT32_MAX);
	r->keep_why = (uint32_t)(w->keep_why / SECOND_US);
	r->stop_timeout = w->stop_timeout.set ? (uint32_t)w->stop_timeout.value : STOP_TIMEOUT;
	if (w->restart)
		TRY(wish_restart(w->restart, &r->restart, &r->restart_max, e));
	if (r->restart != RESTART_NO && w->remove)
		return err_set(e, EINVAL, "--restart: a container with --rm is not started again");
	if (r->restart != RESTART_NO && !r->detached)
		return err_set(e, EINVAL,
			       "--restart: only with --detach is there somebody to do it");
	return 0;
}

/* "adjective_noun" is Docker's joke; ours says what it is. */
static int choose_name(struct building *b, struct err *e)
{
	if (b->w->name)
		return record_check_name(b->w->name, e);
	b->m->record.name = arena_printf(&b->m->record.arena, "c-%.*s", RECORD_SHORT, b->m->id);
	return 0;
}

/* Messages about notations come before anything is touched. */
static int check_wish(struct building *b, struct err *e)
{
	const struct wish *w = b->w;
	struct log_wish log;

	TRY(wish_capabilities(w, &b->arena, &b->facts.capabilities, e));
	TRY(wish_security(w, &b->facts.security, e));
	TRY(check_userns(b, e));
	TRY(read_pairs(b, "--sysctl", &w->sysctls, &b->facts.sysctl, e));
	TRY(read_rlimits(b, e));
	TRY(read_devices(b, e));
	TRY(read_device_rules(b, e));
	TRY(expose_check(&w->exposed, e));
	TRY(wish_umask(w->umask, &b->facts.umask, e));
	if (w->read_only_tmpfs && !w->read_only)
		return err_set(e, EINVAL, "--read-only-tmpfs: only with --read-only");
	if (w->stop_timeout.set && w->stop_timeout.value > UINT32_MAX)
		return err_set(e, EINVAL, "--stop-timeout: at most %u seconds", UINT32_MAX);
	TRY(wish_log(w, &log, e));
	return 0;
}

/* A directory, or a file that is the only layer. */
static void take_rootfs(struct building *b, const char *path)
{
	struct record *r = &b->m->record;
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
		r->rootfs = arena_strdup(&r->arena, path);
		return;
	}
	r->layers.at = arena_array(&r->arena, 1, sizeof(*r->layers.at));
	r->layers.at[0] = arena_strdup(&r->arena, path);
	r->layers.n = 1;
}

/* It runs if the kernel has an interpreter for it; else "exec format error" would be all that is said. */
static void warn_of_platform(struct building *b)
{
	const struct platform host = platform_host();

	if (!b->w->platform && !platform_score(&host, &b->image.config.platform))
		log_warn("the image %s is for %s, and this machine is %s", b->w->image,
			 platform_print(&b->image.config.platform, &b->arena),
			 platform_print(&host, &b->arena));
}

static int take_image(struct building *b, struct err *e)
{
	struct record *r = &b->m->record;
	const struct pull_options pull = { .platform = b->w->platform,
					   .insecure = b->w->tls_verify == 0,
					   .secure = b->w->tls_verify == 1,
					   .tell = b->w->tell,
					   .tell_ctx = b->w->tell_ctx };
	auto_fd int use = -1;
	struct digest manifest;

	if (b->w->rootfs) {
		char *path = realpath(b->w->image, NULL);

		if (!path)
			return err_sys(e, "--rootfs %s", b->w->image);
		take_rootfs(b, path);
		free(path);
		return 0;
	}
	TRY(pull_if_needed(b->g, b->w->image, b->w->pull, &pull, &manifest, &use, e));
	TRY(image_load(&b->g->store, &manifest, &b->image, e));
	warn_of_platform(b);
	TRY(rootfs_unpack(b->g, &b->image, e));
	rootfs_layers(b->g, &b->image, &r->arena, &r->layers);
	r->image_id = arena_strdup(&r->arena, b->image.id.text);
	if (!r->layers.n)
		return err_set(e, EINVAL, "the image %s has no layers, so there is nothing to run",
			       b->w->image);
	return image_store_pin(&b->g->store, b->m->id, &b->image.digest, e);
}

static void add_sysctl(struct building *b, const char *key, const char *value)
{
	struct spec_pairs *list = &b->facts.sysctl;

	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i].key, key) == 0)
			return;
	list->at[list->n++] = (struct spec_pair){ key, value };
}

/* In a network of its own, whoever it is may ping and serve any port, as with Docker. */
static void open_network(struct building *b)
{
	if (b->facts.netns)
		return;
	/* In a user namespace a range has to be mapped; group 0 is. */
	add_sysctl(b, "net.ipv4.ping_group_range", b->facts.gids.n ? "0 0" : "0 2147483647");
	add_sysctl(b, "net.ipv4.ip_unprivileged_port_start", "0");
}

/* Once the image is there, which says what it exposes. */
static int plan_ports(struct building *b, struct err *e)
{
	const struct wish *w = b->w;
	struct expose_wish wish = { .image = &b->image.config.run.exposed_ports,
				    .exposed = &w->exposed,
				    .published = &w->published,
				    .publish_all = w->publish_all };
	struct record *r = &b->m->record;

	return expose_plan(&wish, &b->arena, &r->exposed, &r->published, e);
}

static int write_config(struct building *b, struct err *e)
{
	auto_buf struct buf text = { 0 };

	b->facts.wish = b->w;
	b->facts.bundle = &b->bundle;
	b->facts.user = &b->user;
	TRY(config_write(&b->facts, &text, e));
	return io_replace_file(b->m->dir, "config.json", text.text, text.len, e);
}

/* --rootfs: the root path of the configuration is the directory itself. */
static int link_rootfs(struct building *b, struct err *e)
{
	if (!b->m->record.rootfs)
		return 0;
	if (unlinkat(b->m->dir, "rootfs", AT_REMOVEDIR) < 0 ||
	    symlinkat(b->m->record.rootfs, b->m->dir, "rootfs") < 0)
		return err_sys(e, "link the container's rootfs");
	return 0;
}

static int build(struct building *b, struct err *e)
{
	struct record *r = &b->m->record;
	const char *tag; /* only whether it can be made */

	TRY(check_wish(b, e));
	TRY(record_new_id(b->m->id, e));
	TRY(fill_record(b, e));
	TRY(netjoin_check(b->g, r, &b->joins, e));
	if (b->w->publish_all && !netjoin_has_own(b->g, r))
		return err_set(e, EINVAL,
			       "--publish-all: with --network %s there is nothing to publish",
			       r->network);
	TRY(choose_namespaces(b, e));
	r->name = b->w->name;
	TRY(choose_name(b, e));
	TRY(journal_tag(r, &b->arena, &tag, e));
	b->m->dir = record_make(b->g, b->m->id, &b->m->lock, e);
	TRY(b->m->dir);
	TRY(netjoin_keep(b->g, b->m->dir, &b->joins, e));
	TRY(choose_userns(b, e));
	TRY(take_image(b, e));
	TRY(plan_ports(b, e));
	b->facts.hostname = hostname_of(b);
	TRY(make_bundle(b, e));
	r->command = b->bundle.args;
	r->labels = b->bundle.labels;
	r->stop_signal = b->bundle.stop_signal;
	r->user = b->bundle.user;
	TRY(health_plan(b->w, b->bundle.healthcheck, &b->arena, &r->health, e));
	TRY(rootfs_make(b->g, b->m->dir, r, e));
	TRY(link_rootfs(b, e));
	TRY(find_user(b, e));
	TRY(building_read_mounts(b, e));
	TRY(building_make_etc(b, e));
	TRY(building_make_timezone(b, e));
	TRY(building_make_init(b, e));
	open_network(b);
	TRY(choose_seccomp(b, e));
	TRY(write_config(b, e));
	TRY(record_save(b->g, b->m->dir, r, e));
	b->m->written = true;
	return 0;
}

/* The record's strings were the building's. */
static int reread(const struct engine *g, struct making *m, struct err *e)
{
	int fd;

	record_done(&m->record);
	fd = record_open(g, m->id, &m->record, e);
	TRY(fd);
	close(fd);
	return 0;
}

void making_undo(const struct engine *g, struct making *m)
{
	struct err e = { 0 };

	if (m->dir >= 0) {
		if (image_store_unpin(&g->store, m->id, &e) < 0 && e.code != ENOENT)
			log_warn("%s", e.msg);
		if (record_remove(g, m->id, m->written ? m->record.name : NULL, &e) < 0)
			log_warn("%s", e.msg);
	}
	making_done(m);
	*m = (struct making)MAKING_NONE;
}

int engine_create(const struct engine *g, const struct wish *w, struct making *ret, struct err *e)
{
	__attribute__((cleanup(building_done))) struct building b = { .g = g, .w = w, .m = ret };

	*ret = (struct making)MAKING_NONE;
	if (build(&b, e) < 0 || reread(g, ret, e) < 0) {
		if (ret->dir >= 0)
			volumes_drop(g, &ret->record);
		making_undo(g, ret);
		return -e->code;
	}
	happened(g, &ret->record, "create", NULL, NULL);
	return 0;
}
