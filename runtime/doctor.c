#include "runtime/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

enum {
	FILE_MAX = 4 * 1024 * 1024,
	FIRST_SUBORDINATE = 100000, /* as useradd(8) begins, SUB_UID_MIN */
};

/* Reading below the root */

struct reader {
	int root;
	struct arena *arena;
	struct err *e;
};

/* *ret is NULL if it isn't there, or is none of the caller's business. */
static int read_text(const struct reader *in, const char *path, const char **ret)
{
	auto_fd int fd = openat(in->root, path, O_RDONLY | O_CLOEXEC);
	auto_buf struct buf text = { 0 };
	int r;

	*ret = NULL;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	r = fd < 0 ? -errno : io_slurp(fd, FILE_MAX, &text);
	if (r < 0)
		return err_neg(in->e, r, "read /%s", path);
	*ret = arena_strdup(in->arena, text.text);
	return 0;
}

/* The same without the newline at its end. */
static int read_line(const struct reader *in, const char *path, const char **ret)
{
	const char *text;

	TRY(read_text(in, path, &text));
	*ret = text ? arena_strndup(in->arena, text, strcspn(text, "\n")) : NULL;
	return 0;
}

static int read_number(const struct reader *in, const char *path, struct opt_u64 *ret)
{
	const char *line;
	char *end;

	TRY(read_line(in, path, &line));
	if (!line)
		return 0;
	errno = 0;
	ret->value = strtoull(line, &end, 10);
	ret->set = end != line && !*end && errno == 0;
	return 0;
}

static bool exists(const struct reader *in, const char *path)
{
	return faccessat(in->root, path, F_OK, 0) == 0;
}

static bool may(const struct reader *in, const char *path, int mode)
{
	return faccessat(in->root, path, mode, AT_EACCESS) == 0;
}

/* The initial user namespace maps everything to itself (user_namespaces(7)). */
static int read_caller(const struct reader *in, struct doctor_facts *f)
{
	unsigned long inside, outside, size;
	const char *map;

	TRY(read_line(in, "proc/self/uid_map", &map));
	f->has_user_namespaces = map != NULL;
	f->rootless = f->uid != 0 ||
		      (map && !(sscanf(map, "%lu %lu %lu", &inside, &outside, &size) == 3 &&
				inside == 0 && outside == 0 && size == UINT32_MAX));
	return 0;
}

/* The kernel */

static int read_kernel(const struct reader *in, struct doctor_facts *f)
{
	TRY(read_line(in, "proc/sys/kernel/osrelease", &f->kernel));
	if (!f->kernel || sscanf(f->kernel, "%u.%u", &f->kernel_major, &f->kernel_minor) != 2)
		f->kernel_major = f->kernel_minor = 0;
	return 0;
}

static int read_features(const struct reader *in, struct doctor_facts *f)
{
	const char *line;

	TRY(read_line(in, "proc/sys/kernel/seccomp/actions_avail", &f->seccomp));
	TRY(read_text(in, "proc/filesystems", &line));
	f->overlay_listed = line && strstr(line, "\toverlay\n");
	TRY(read_line(in, "sys/kernel/security/lsm", &f->lsms));
	TRY(read_line(in, "sys/module/apparmor/parameters/enabled", &line));
	f->apparmor = line && line[0] == 'Y';
	f->selinux = exists(in, "sys/fs/selinux/enforce");
	f->kvm = !exists(in, "dev/kvm")            ? DOCTOR_ABSENT
		 : may(in, "dev/kvm", R_OK | W_OK) ? DOCTOR_USABLE
						   : DOCTOR_FORBIDDEN;
	return 0;
}

/* Control groups */

/* The mount that hull takes: /sys/fs/cgroup, or a hybrid host's /sys/fs/cgroup/unified. */
static void find_mount(const char *mountinfo, struct doctor_facts *f)
{
	static const struct {
		const char *field, *path;
		enum cgroup_mode mode;
	} places[] = {
		{ " /sys/fs/cgroup ", "/sys/fs/cgroup", CGROUP_UNIFIED },
		{ " /sys/fs/cgroup/unified ", "/sys/fs/cgroup/unified", CGROUP_HYBRID },
	};

	for (const char *line = mountinfo, *end; *line; line = *end ? end + 1 : end) {
		const char *type = strstr(line, " - cgroup2 ");

		end = strchrnul(line, '\n');
		for (size_t i = 0; type && type < end && i < ARRAY_LEN(places); i++) {
			const char *field = strstr(line, places[i].field);

			if (field && field < type) {
				f->cgroup_mode = places[i].mode;
				f->cgroup_mount = places[i].path;
			}
		}
	}
}

/* Root's containers come below the top, those of others beside the caller's own cgroup. */
static int read_place(const struct reader *in, struct doctor_facts *f)
{
	const char *mount = f->cgroup_mount + 1, *above = "";
	char *path;

	if (f->rootless && f->own)
		above = arena_strndup(in->arena, f->own, (size_t)(strrchr(f->own, '/') - f->own));
	if (!f->rootless || f->own) {
		path = arena_printf(in->arena, "%s%s/cgroup.procs", mount, above);
		f->delegated = may(in, path, W_OK);
		path[strlen(path) - strlen("/cgroup.procs")] = '\0';
		f->delegated = f->delegated && may(in, path, W_OK);
	}
	path = arena_printf(in->arena, "%s%s/cgroup.controllers", mount, f->delegated ? above : "");
	return read_line(in, path, &f->controllers);
}

static int read_cgroups(const struct reader *in, struct doctor_facts *f)
{
	struct cgroup_host host = CGROUP_HOST_NONE;
	const char *text;

	TRY(read_text(in, "proc/self/mountinfo", &text));
	if (text)
		find_mount(text, f);
	TRY(read_text(in, "proc/self/cgroup", &text));
	if (text)
		cgroup_host_parse(text, &host);
	f->v1 = arena_strdup(in->arena, host.v1);
	f->own = host.own[0] ? arena_strdup(in->arena, host.own) : NULL;
	f->controllers = "";
	if (f->cgroup_mode != CGROUP_NONE)
		TRY(read_place(in, f));
	if (!f->controllers)
		f->controllers = "";
	return 0;
}

/* User namespaces */

/* The first field of a line, up to ':', is this. */
static bool is_of(const char *line, const char *name)
{
	size_t len = strlen(name);

	return strncmp(line, name, len) == 0 && line[len] == ':';
}

uint64_t doctor_count_ids(const char *text, const char *user, uid_t uid)
{
	uint64_t sum = 0;
	char number[16];

	snprintf(number, sizeof(number), "%u", (unsigned)uid);
	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		unsigned long long first, count;
		const char *range;

		end = strchrnul(line, '\n');
		if (!is_of(line, number) && !(user && is_of(line, user)))
			continue;
		range = strchr(line, ':');
		if (range < end && sscanf(range, ":%llu:%llu", &first, &count) == 2 &&
		    count <= UINT32_MAX)
			sum += count;
	}
	return sum;
}

uint64_t doctor_last_id(const char *text)
{
	uint64_t last = 0;

	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		const char *range = strchr(line, ':');
		unsigned long long first, count;

		end = strchrnul(line, '\n');
		if (range && range < end && sscanf(range, ":%llu:%llu", &first, &count) == 2 &&
		    first <= UINT32_MAX && count <= UINT32_MAX && first + count > last)
			last = first + count;
	}
	return last;
}

static int read_user_name(const struct reader *in, struct doctor_facts *f)
{
	const char *text, *end;

	TRY(read_text(in, "etc/passwd", &text));
	for (const char *line = text ? text : ""; *line; line = *end ? end + 1 : end) {
		size_t name = strcspn(line, ":\n");
		unsigned uid;

		end = strchrnul(line, '\n');
		if (sscanf(line + name, ":%*[^:\n]:%u:", &uid) == 1 && uid == f->uid) {
			f->user = arena_strndup(in->arena, line, name);
			return 0;
		}
	}
	return 0;
}

static int read_user_namespaces(const struct reader *in, struct doctor_facts *f)
{
	const char *text;

	TRY(read_number(in, "proc/sys/user/max_user_namespaces", &f->user_namespaces_max));
	TRY(read_number(in, "proc/sys/kernel/unprivileged_userns_clone",
			&f->user_namespaces_users));
	TRY(read_number(in, "proc/sys/kernel/apparmor_restrict_unprivileged_userns",
			&f->user_namespaces_apparmor));
	TRY(read_user_name(in, f));
	TRY(read_text(in, "etc/subuid", &text));
	f->subuids = text ? doctor_count_ids(text, f->user, f->uid) : 0;
	f->free_id = doctor_last_id(text ? text : "");
	TRY(read_text(in, "etc/subgid", &text));
	f->subgids = text ? doctor_count_ids(text, f->user, f->uid) : 0;
	if (doctor_last_id(text ? text : "") > f->free_id)
		f->free_id = doctor_last_id(text);
	if (f->free_id < FIRST_SUBORDINATE)
		f->free_id = FIRST_SUBORDINATE;
	return 0;
}

/* Programs and services */

static void find_programs(const struct reader *in, struct doctor_facts *f)
{
	static const char *const dirs[] = { "usr/local/sbin", "usr/local/bin", "usr/sbin",
					    "usr/bin",        "sbin",          "bin" };
	static const char *const names[DOCTOR_PROGRAMS] = {
		[DOCTOR_NEWUIDMAP] = "newuidmap",
		[DOCTOR_NEWGIDMAP] = "newgidmap",
		[DOCTOR_NFT] = "nft",
		[DOCTOR_PASTA] = "pasta",
		[DOCTOR_SLIRP4NETNS] = "slirp4netns",
		[DOCTOR_CRIU] = "criu",
	};

	for (size_t p = 0; p < DOCTOR_PROGRAMS; p++) {
		for (size_t d = 0; d < ARRAY_LEN(dirs); d++) {
			char path[64];

			snprintf(path, sizeof(path), "%s/%s", dirs[d], names[p]);
			if (may(in, path, X_OK))
				f->programs[p] = DOCTOR_USABLE;
			else if (exists(in, path) && f->programs[p] == DOCTOR_ABSENT)
				f->programs[p] = DOCTOR_FORBIDDEN;
		}
	}
}

static void find_bus(const struct reader *in, const char *user_bus, struct doctor_facts *f)
{
	char path[64] = "run/dbus/system_bus_socket";

	f->systemd = exists(in, "run/systemd/system");
	if (f->uid != 0)
		snprintf(path, sizeof(path), "run/user/%u/bus", (unsigned)f->uid);
	f->bus = f->systemd && (exists(in, path) || (f->uid != 0 && user_bus && *user_bus));
}

int doctor_read(int root, uid_t uid, const char *user_bus, struct arena *a,
		struct doctor_facts *ret, struct err *e)
{
	const struct reader in = { root, a, e };
	struct doctor_facts f = { .uid = uid, .probes = DOCTOR_NOT_PROBED };

	TRY(read_caller(&in, &f));
	TRY(read_kernel(&in, &f));
	TRY(read_features(&in, &f));
	TRY(read_cgroups(&in, &f));
	TRY(read_user_namespaces(&in, &f));
	find_programs(&in, &f);
	find_bus(&in, user_bus, &f);
	*ret = f;
	return 0;
}
