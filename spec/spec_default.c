#include "spec/spec_default.h"

#include "base/json_write.h"
#include "spec/spec.h"

/* Which of the two configurations a row belongs to. */
enum { ROOT = 1, ROOTLESS = 2, BOTH = ROOT | ROOTLESS };

static const char *const args[] = { "sh", NULL };
static const char *const env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"TERM=xterm",
	NULL,
};
/* Not ambient, as older runc wrote: without the inheritable set there is no such capability. */
static const char *const cap_sets[] = { "bounding", "effective", "permitted", NULL };
static const char *const caps[] = {
	"CAP_AUDIT_WRITE",
	"CAP_KILL",
	"CAP_NET_BIND_SERVICE",
	NULL,
};
static const char *const masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/proc/sched_debug",
	"/sys/firmware",
	"/proc/scsi",
	NULL,
};
static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

/*
 * Who is not root has one group, so a terminal's cannot be 5, and without a
 * network namespace of its own may not mount sysfs.
 */
static const struct mount {
	int in;
	const char *destination, *type, *source, *options[8];
} mounts[] = {
	{ BOTH, "/proc", "proc", "proc", { NULL } },
	{ BOTH, "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ ROOT,
	  "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ ROOTLESS,
	  "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620" } },
	{ BOTH,
	  "/dev/shm",
	  "tmpfs",
	  "shm",
	  { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ BOTH, "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ ROOT, "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ ROOTLESS, "/sys", "none", "/sys", { "rbind", "nosuid", "noexec", "nodev", "ro" } },
	{ BOTH,
	  "/sys/fs/cgroup",
	  "cgroup",
	  "cgroup",
	  { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

/* Always a cgroup namespace: hull's cgroups are of v2 on every host. */
static const struct {
	int in;
	const char *type;
} namespaces[] = {
	{ BOTH, "pid" },   { ROOT, "network" }, { BOTH, "ipc" },      { BOTH, "uts" },
	{ BOTH, "mount" }, { BOTH, "cgroup" },  { ROOTLESS, "user" },
};

static void write_list(struct json_writer *w, const char *key, const char *const *list)
{
	json_write_array(w, key);
	for (; *list; list++)
		json_write_string(w, NULL, *list);
	json_write_end(w);
}

static void write_process(struct json_writer *w)
{
	json_write_object(w, "process");
	json_write_bool(w, "terminal", true);
	json_write_object(w, "user");
	json_write_uint(w, "uid", 0);
	json_write_uint(w, "gid", 0);
	json_write_end(w);
	write_list(w, "args", args);
	write_list(w, "env", env);
	json_write_string(w, "cwd", "/");
	json_write_object(w, "capabilities");
	for (size_t i = 0; cap_sets[i]; i++)
		write_list(w, cap_sets[i], caps);
	json_write_end(w);
	json_write_array(w, "rlimits");
	json_write_object(w, NULL);
	json_write_string(w, "type", "RLIMIT_NOFILE");
	json_write_uint(w, "hard", 1024);
	json_write_uint(w, "soft", 1024);
	json_write_end(w);
	json_write_end(w);
	json_write_bool(w, "noNewPrivileges", true);
	json_write_end(w);
}

static void write_mounts(struct json_writer *w, int which)
{
	json_write_array(w, "mounts");
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		if (!(mounts[i].in & which))
			continue;
		json_write_object(w, NULL);
		json_write_string(w, "destination", mounts[i].destination);
		json_write_string(w, "type", mounts[i].type);
		json_write_string(w, "source", mounts[i].source);
		if (mounts[i].options[0])
			write_list(w, "options", mounts[i].options);
		json_write_end(w);
	}
	json_write_end(w);
}

static void write_mapping(struct json_writer *w, const char *key, uint32_t host_id)
{
	json_write_array(w, key);
	json_write_object(w, NULL);
	json_write_uint(w, "containerID", 0);
	json_write_uint(w, "hostID", host_id);
	json_write_uint(w, "size", 1);
	json_write_end(w);
	json_write_end(w);
}

/* No device but those the runtime itself lets in. */
static void write_resources(struct json_writer *w)
{
	json_write_object(w, "resources");
	json_write_array(w, "devices");
	json_write_object(w, NULL);
	json_write_bool(w, "allow", false);
	json_write_string(w, "access", "rwm");
	json_write_end(w);
	json_write_end(w);
	json_write_end(w);
}

static void write_linux(struct json_writer *w, const struct spec_default *host, int which)
{
	json_write_object(w, "linux");
	if (host->rootless) {
		write_mapping(w, "uidMappings", host->uid);
		write_mapping(w, "gidMappings", host->gid);
	} else {
		write_resources(w);
	}
	json_write_array(w, "namespaces");
	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++) {
		if (!(namespaces[i].in & which))
			continue;
		json_write_object(w, NULL);
		json_write_string(w, "type", namespaces[i].type);
		json_write_end(w);
	}
	json_write_end(w);
	write_list(w, "maskedPaths", masked_paths);
	write_list(w, "readonlyPaths", readonly_paths);
	json_write_end(w);
}

void spec_default(const struct spec_default *host, struct buf *ret)
{
	struct json_writer w = json_writer(ret, "\t");
	int which = host->rootless ? ROOTLESS : ROOT;

	json_write_object(&w, NULL);
	json_write_string(&w, "ociVersion", SPEC_VERSION);
	write_process(&w);
	json_write_object(&w, "root");
	json_write_string(&w, "path", "rootfs");
	json_write_bool(&w, "readonly", true);
	json_write_end(&w);
	json_write_string(&w, "hostname", "hull");
	write_mounts(&w, which);
	write_linux(&w, host, which);
	json_write_end(&w);
}
