/*
 * cmd_run_image.c - `hull run`: a container of an image. With --bundle it is
 * the runtime's `run`.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/cmd.h"
#include "cli/follow.h"
#include "cli/people.h"
#include "cli/progress.h"
#include "engine/keep.h"

struct run_image_values {
	struct create_values create; /* of the runtime's run */
	bool keep;
	struct follow_values follow;
	struct wish wish;
};

static_assert(offsetof(struct run_image_values, create) == 0, "the options of create come first");

/* clang-format off */
#define ROW(n, l, k, m, arg, h) \
	{ .name = n, .letter = l, .kind = OPTION_##k, \
	  .member = offsetof(struct run_image_values, wish.m), .argument = arg, .help = h }

#define FOLLOW(n, l, k, m, arg, h) \
	{ .name = n, .letter = l, .kind = OPTION_##k, \
	  .member = offsetof(struct run_image_values, follow.m), .argument = arg, .help = h }

static const struct option_row rows[] = {
	ROW("detach", 'd', FLAG, detach, NULL, "return as soon as the program runs"),
	ROW("interactive", 'i', FLAG, interactive, NULL, "keep standard input open"),
	ROW("tty", 't', FLAG, terminal, NULL, "give the program a terminal"),
	FOLLOW("attach", 'a', STRINGS, attach, "STREAM", "show only this of its streams, stdin, stdout or stderr; it is kept and logged as with --detach (may be repeated)"),
	FOLLOW("sig-proxy", 0, TRISTATE, sig_proxy, NULL, "hand signals on to the program (default: true); if not, they leave it running, kept and logged as with --detach"),
	FOLLOW("detach-keys", 0, STRING, detach_keys, "KEYS", "with --tty: let these keys, as ctrl-p,ctrl-q, leave it running, kept and logged as with --detach"),
	ROW("rm", 0, FLAG, remove, NULL, "remove the container when it has ended"),
	ROW("name", 0, STRING, name, "NAME", "the container's name"),
	ROW("rootfs", 0, FLAG, rootfs, NULL, "IMAGE is the directory of a root file system, or a file with one as \"hull image pack\" makes it"),
	ROW("env", 'e', STRINGS, env, "NAME=VALUE", "set a variable; NAME alone passes it on (may be repeated)"),
	ROW("env-file", 0, STRINGS, env_files, "FILE", "set the variables of FILE (may be repeated)"),
	ROW("env-host", 0, FLAG, env_host, NULL, "begin with the variables of whoever starts it"),
	ROW("unsetenv", 0, STRINGS, unset_env, "NAME", "do not set this variable of the image's (may be repeated)"),
	ROW("unsetenv-all", 0, FLAG, unset_env_all, NULL, "set only the variables that are given here"),
	ROW("volume", 'v', STRINGS, volumes, "SOURCE:PATH[:OPTIONS]", "mount a directory or a volume (may be repeated)"),
	ROW("mount", 0, STRINGS, mounts, "KEY=VALUE,...", "mount as type=bind|volume|tmpfs,source=,target= say, and readonly, bind-propagation=, bind-recursive=, volume-nocopy, tmpfs-size=, tmpfs-mode= (may be repeated)"),
	ROW("tmpfs", 0, STRINGS, tmpfs, "PATH[:OPTIONS]", "mount a tmpfs (may be repeated)"),
	ROW("volumes-from", 0, STRINGS, volumes_from, "CONTAINER[:ro]", "mount the directories and volumes that another container has mounted (may be repeated)"),
	ROW("workdir", 'w', STRING, workdir, "PATH", "start in PATH"),
	ROW("init", 0, FLAG, init, NULL, "a small init runs the program: it hands on signals and reaps"),
	ROW("user", 'u', STRING, user, "USER[:GROUP]", "run as this user, by name or number"),
	ROW("group-add", 0, STRINGS, group_add, "GROUP", "add a supplementary group (may be repeated)"),
	ROW("entrypoint", 0, STRING, entrypoint, "COMMAND", "in place of the image's entrypoint; a JSON array has arguments"),
	ROW("hostname", 'h', STRING, hostname, "NAME", "the name in the UTS namespace (default: the id)"),
	ROW("memory", 'm', BYTES, memory, "BYTES", "limit of memory; swap takes as much again"),
	ROW("memory-swap", 0, BYTES, memory_swap, "BYTES", "limit of memory and swap together, -1: none"),
	ROW("memory-reservation", 0, BYTES, memory_reservation, "BYTES", "memory that is kept for it"),
	ROW("cpus", 0, STRING, cpus, "NUMBER", "so many processors' time"),
	ROW("cpu-shares", 'c', U64, cpu_shares, "N", "weight among others, 2 to 262144"),
	ROW("cpu-period", 0, U64, cpu_period, "MICROSECONDS", "the period that --cpu-quota is for"),
	ROW("cpu-quota", 0, U64, cpu_quota, "MICROSECONDS", "time in each period"),
	ROW("cpuset-cpus", 0, STRING, cpuset_cpus, "LIST", "the processors that it may use"),
	ROW("cpuset-mems", 0, STRING, cpuset_mems, "LIST", "the memory nodes that it may use"),
	ROW("pids-limit", 0, I64, pids_limit, "N", "processes and threads at most, -1: no limit"),
	ROW("shm-size", 0, BYTES, shm_size, "BYTES", "the size of /dev/shm (default: 64m)"),
	ROW("oom-score-adj", 0, I64, oom_score_adj, "N", "how gladly the kernel kills it, -1000 to 1000"),
	ROW("device", 0, STRINGS, devices, "PATH[:PATH][:rwm]", "let it use a device (may be repeated)"),
	ROW("device-cgroup-rule", 0, STRINGS, device_rules, "RULE", "also let it use and make the devices of \"TYPE MAJOR:MINOR ACCESS\", as \"c 10:* rwm\" (may be repeated)"),
	ROW("cap-add", 0, STRINGS, cap_add, "CAPABILITY", "add a capability, or ALL (may be repeated)"),
	ROW("cap-drop", 0, STRINGS, cap_drop, "CAPABILITY", "drop a capability, or ALL (may be repeated)"),
	ROW("security-opt", 0, STRINGS, security_opt, "OPTION", "no-new-privileges, seccomp=FILE|unconfined, apparmor=PROFILE, unmask=all (may be repeated)"),
	ROW("privileged", 0, FLAG, privileged, NULL, "all capabilities and devices, nothing masked, no filter: no boundary"),
	ROW("read-only", 0, FLAG, read_only, NULL, "mount the root file system read-only"),
	ROW("read-only-tmpfs", 0, FLAG, read_only_tmpfs, NULL, "with --read-only: a tmpfs on /run, /tmp and /var/tmp"),
	ROW("umask", 0, STRING, umask, "MODE", "the program's umask, octal (default: 0022)"),
	ROW("tz", 0, STRING, timezone, "ZONE", "the time zone of /etc/localtime, as Europe/Berlin; local: the host's"),
	ROW("ulimit", 0, STRINGS, ulimits, "NAME=SOFT[:HARD]", "set a resource limit (may be repeated)"),
	ROW("sysctl", 0, STRINGS, sysctls, "NAME=VALUE", "set a sysctl of its namespaces (may be repeated)"),
	ROW("network", 0, STRINGS, networks, "MODE|NAME[:OPTION=VALUE,...]", "bridge, a network's name, none, host, container:NAME, ns:PATH; without root pasta or slirp4netns. Of a network, options are ip, ip6, mac, alias (networks may be repeated)"),
	ROW("publish", 'p', STRINGS, published, "[IP:][PORT:]PORT[/udp]", "let others reach a port of the container by one of the host (may be repeated)"),
	ROW("publish-all", 'P', FLAG, publish_all, NULL, "publish all ports that the image and --expose name, by free ones of the host"),
	ROW("expose", 0, STRINGS, exposed, "PORT[-PORT][/udp]", "name a port for --publish-all and `hull inspect` (may be repeated)"),
	ROW("publish-socket", 0, STRINGS, sockets, "[NAME=][IP:]PORT[/udp]", "open a socket of the host's and hand it to the program as systemd does, sd_listen_fds(3) (may be repeated)"),
	ROW("ip", 0, STRING, ip, "ADDRESS", "its address in the network"),
	ROW("ip6", 0, STRING, ip6, "ADDRESS", "its IPv6 address in the network"),
	ROW("mac-address", 0, STRING, mac, "ADDRESS", "its hardware address"),
	ROW("network-alias", 0, STRINGS, network_alias, "NAME", "a further name in the network (may be repeated)"),
	ROW("dns", 0, STRINGS, dns, "ADDRESS", "ask this name server (may be repeated)"),
	ROW("dns-search", 0, STRINGS, dns_search, "DOMAIN", "look for short names here (may be repeated)"),
	ROW("dns-option", 0, STRINGS, dns_options, "OPTION", "an option of resolv.conf (may be repeated)"),
	ROW("add-host", 0, STRINGS, add_host, "NAME:ADDRESS", "a line for /etc/hosts (may be repeated)"),
	ROW("pid", 0, STRING, pid, "MODE", "private, host, container:NAME or ns:PATH"),
	ROW("ipc", 0, STRING, ipc, "MODE", "private, host, container:NAME or ns:PATH"),
	ROW("uts", 0, STRING, uts, "MODE", "private, host, container:NAME or ns:PATH"),
	ROW("cgroupns", 0, STRING, cgroupns, "MODE", "private or host"),
	ROW("userns", 0, STRING, userns, "MODE", "host: the engine's own (default); auto[:size=N]: one of its own, with ids of /etc/subuid that no other container has"),
	ROW("label", 'l', STRINGS, labels, "NAME=VALUE", "add a label (may be repeated)"),
	ROW("label-file", 0, STRINGS, label_files, "FILE", "add the labels of FILE, a line for each (may be repeated)"),
	ROW("annotation", 0, STRINGS, annotations, "NAME=VALUE", "add an OCI annotation (may be repeated)"),
	ROW("stop-signal", 0, STRING, stop_signal, "SIGNAL", "what stop sends first"),
	ROW("stop-timeout", 0, U64, stop_timeout, "SECONDS", "after which stop kills (default: 10)"),
	ROW("restart", 0, STRING, restart, "POLICY", "no, on-failure[:TIMES], always or unless-stopped"),
	ROW("health-cmd", 0, STRING, health_cmd, "COMMAND", "check its health by this line of a shell, or a JSON array; none: not at all"),
	ROW("health-interval", 0, DURATION, health_interval, "DURATION", "time between checks (default: 30s)"),
	ROW("health-timeout", 0, DURATION, health_timeout, "DURATION", "after which a check has failed (default: 30s)"),
	ROW("health-retries", 0, U64, health_retries, "N", "so many failures in a row make it unhealthy (default: 3)"),
	ROW("health-start-period", 0, DURATION, health_start_period, "DURATION", "failures do not count so long, until the first success (default: 0s)"),
	ROW("health-start-interval", 0, DURATION, health_start_interval, "DURATION", "time between checks in that period (default: 5s)"),
	ROW("no-healthcheck", 0, FLAG, no_healthcheck, NULL, "no checks, whatever the image says"),
	ROW("keep-why", 0, DURATION, keep_why, "DURATION", "what `hull why` tells of it stays so long after it is removed (default: 0s)"),
	ROW("log-driver", 0, STRING, log_driver, "DRIVER", "of --detach: json-file (default), journald or none"),
	ROW("log-opt", 0, STRINGS, log_opt, "NAME=VALUE", "json-file: max-size=BYTES, max-file=N; journald: tag=TEXT (may be repeated)"),
	ROW("pull", 0, STRING, pull, "WHEN", "missing, always, newer (what is here is good enough where the registry cannot be asked) or never"),
	ROW("quiet", 'q', FLAG, quiet, NULL, "do not show how far a pull has come"),
	ROW("tls-verify", 0, TRISTATE, tls_verify, NULL, "verify the certificates of the registry (default: true)"),
	ROW("platform", 0, STRING, platform, "OS/ARCH", "choose this one of an image for several"),
	{ .name = "isolation", .kind = OPTION_CHOICE, .member = offsetof(struct run_image_values, wish.isolation), .argument = "process|vm", .help = "the same as \"hull --isolation\"" },
	ROW("cidfile", 0, STRING, cid_file, "FILE", "write the container's id to FILE"),
	{ .name = "keep", .kind = OPTION_FLAG, .member = offsetof(struct run_image_values, keep),
	  .help = "with --bundle: do not delete the container when it has ended" },
	{ .name = "no-subreaper", .kind = OPTION_FLAG, .use = OPTION_IGNORED,
	  .help = "accepted for runc's callers; has no effect" },
};
/* clang-format on */

const struct option_table run_image_options = { rows, ARRAY_LEN(rows),
						sizeof(struct run_image_values), &create_options,
						true };

/* What a container of an image has, and the runtime's run has not: there config.json says it. */
static int check_no_image(const struct run_image_values *v, struct err *e)
{
	static const char *const of_both[] = { "detach", "isolation", "keep" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool may = !option_given(&rows[i], v);

		for (size_t k = 0; k < ARRAY_LEN(of_both); k++)
			may = may || strcmp(rows[i].name, of_both[k]) == 0;
		if (!may)
			return err_set(e, EINVAL,
				       "--%s: only for a container of an image; with --bundle "
				       "it is config.json that says what is made",
				       rows[i].name);
	}
	return 0;
}

static int run_bundle(const struct call *call, const struct run_image_values *v, struct err *e)
{
	struct run_request req = {
		.create = create_values_request(&v->create, call->options.args.at[0]),
		.detach = v->wish.detach,
		.keep = v->keep,
	};
	int status;

	TRY(check_no_image(v, e));
	if (call->options.args.n > 1)
		return err_set(e, EINVAL, "\"run\" with --bundle requires exactly 1 argument(s)");
	TRY(container_run(&call->runtime, &req, &status, e));
	return status;
}

/* What the runtime's run has, and a container of an image has not. */
static int check_no_bundle(const struct run_image_values *v, struct err *e)
{
	const struct create_request *c = &v->create.request;
	const struct {
		bool given;
		const char *name;
	} options[] = {
		{ c->console_socket, "console-socket" },
		{ c->pid_file, "pid-file" },
		{ c->pidfd_socket, "pidfd-socket" },
		{ c->no_pivot, "no-pivot" },
		{ c->no_new_keyring, "no-new-keyring" },
		{ c->preserve_fds, "preserve-fds" },
		{ v->keep, "keep" },
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (options[i].given)
			return err_set(e, EINVAL, "--%s: only with --bundle", options[i].name);
	return 0;
}

static int write_id(const char *file, const char *id, struct err *e)
{
	auto_fd int fd = -1;
	int r;

	if (!file)
		return 0;
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(e, "--cidfile %s", file);
	r = io_write_all(fd, id, strlen(id));
	return r < 0 ? err_neg(e, r, "--cidfile %s", file) : 0;
}

static int make(const struct engine *g, const struct wish *asked, struct making *ret, struct err *e)
{
	auto_progress struct progress progress;
	struct wish wish = *asked;

	progress_begin(&progress, wish.quiet);
	wish.tell = progress_tell;
	wish.tell_ctx = &progress;
	return engine_create(g, &wish, ret, e);
}

static int start(const struct engine *g, struct making *m, const struct wish *wish,
		 const struct follow_values *follow, struct err *e)
{
	struct follow_target target = { g, m->id };
	struct attach_wish how;
	struct attach_end end;
	int status;

	if (!wish->followed) {
		TRY(engine_start_made(g, m, &status, e));
		return status;
	}
	TRY(follow_plan(follow, wish->terminal, wish->interactive, &target, &how, e));
	TRY(engine_follow_made(g, m, &how, &end, e));
	return end.status;
}

int run_image(const struct call *call, const struct wish *wish, const struct follow_values *follow,
	      struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_making struct making m = MAKING_NONE;
	int status;

	if (wish->terminal && !wish->detach && !isatty(STDIN_FILENO))
		return err_set(e, ENOTTY, "--tty: standard input is no terminal");
	TRY(people_engine(call, &g, e));
	TRY(make(&g, wish, &m, e));
	if (write_id(wish->cid_file, m.id, e) < 0)
		goto failed;
	/* Without -i nothing is read. */
	if (!wish->interactive && !wish->detach) {
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		if (null < 0 || dup2(null, STDIN_FILENO) < 0) {
			err_sys(e, "open /dev/null");
			goto failed;
		}
		close(null);
	}
	status = start(&g, &m, wish, follow, e);
	TRY(status);
	if (wish->detach)
		printf("%s\n", m.id);
	return status;
failed : {
	struct err ignored;

	if (engine_remove_locked(&g, &m, true, &ignored) < 0)
		fprintf(stderr, "%s: %s\n", call->runtime.program, ignored.msg);
}
	return -e->code;
}

/* Whether it is kept by another process though it is not detached; what its options cannot be. */
static int take_follow(const struct follow_values *f, struct wish *w, struct err *e)
{
	struct attach_wish how;

	TRY(follow_plan(f, w->terminal, w->interactive, NULL, &how, e));
	if (f->attach.n && w->detach)
		return err_set(e, EINVAL, "--attach: with --detach nothing is attached");
	if (f->detach_keys && !w->terminal)
		return err_set(e, EINVAL, "--detach-keys: only with --tty");
	w->followed = !w->detach && (f->attach.n || f->sig_proxy == 0 || f->detach_keys);
	return 0;
}

int run_image_wish(const struct call *call, const struct strings *words, struct wish *ret,
		   struct err *e)
{
	const struct run_image_values *values;
	struct options options;

	TRY(options_parse(&run_image_options, words, true, call->arena, &options, e));
	if (!options.args.n)
		return err_set(e, EINVAL, "which image?");
	values = options.values;
	if (values->create.request.bundle)
		return err_set(e, EINVAL, "--bundle: only for containers of an image");
	TRY(check_no_bundle(values, e));
	*ret = values->wish;
	ret->image = options.args.at[0];
	ret->args = (struct strings){ options.args.at + 1, options.args.n - 1 };
	return take_follow(&values->follow, ret, e);
}

int cmd_run_image(const struct call *given, struct err *e)
{
	const struct run_image_values *values = given->options.values;
	struct call own = *given;
	const struct call *call = &own;
	const struct strings *args = &call->options.args;
	struct wish wish = values->wish;
	int r;

	if (wish.isolation)
		own.runtime.isolation = wish.isolation;
	if (values->create.request.bundle)
		return run_bundle(call, values, e);
	wish.image = args->at[0];
	wish.args = (struct strings){ args->at + 1, args->n - 1 };
	r = check_no_bundle(values, e);
	if (r >= 0)
		r = take_follow(&values->follow, &wish, e);
	if (r >= 0)
		r = run_image(call, &wish, &values->follow, e);
	if (r < 0)
		*call->failure_status = keep_failure_status(e);
	return r;
}
