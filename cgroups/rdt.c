#include "cgroups/rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"

enum { FILE_MAX = 65536 };

int rdt_mount_open(struct err *e)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent entry;
	char text[8192];
	int fd = -1;

	if (!f)
		return err_sys(e, "linux.intelRdt: read /proc/self/mounts");
	while (fd < 0 && getmntent_r(f, &entry, text, sizeof(text)))
		if (strcmp(entry.mnt_type, "resctrl") == 0)
			fd = open(entry.mnt_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	endmntent(f);
	return fd < 0 ? err_set(e, ENOENT,
				"linux.intelRdt: no resctrl file system is mounted "
				"(mount -t resctrl resctrl /sys/fs/resctrl)")
		      : fd;
}

static int open_directory(int root, const char *name)
{
	return openat(root, strcmp(name, "/") == 0 ? "." : name,
		      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_digit(char c)
{
	return c && strchr("0123456789abcdefABCDEF", c);
}

/* Compares two numbers of the same base as text; moves both behind them. */
static bool same_number(const char **a, const char **b)
{
	size_t n, m;
	bool same;

	*a += strspn(*a, " ");
	*b += strspn(*b, " ");
	while (**a == '0' && is_digit((*a)[1]))
		++*a;
	while (**b == '0' && is_digit((*b)[1]))
		++*b;
	n = strcspn(*a, ";= \n");
	m = strcspn(*b, ";= \n");
	same = n == m && n > 0 && strncasecmp(*a, *b, n) == 0;
	*a += n;
	*b += m;
	*a += strspn(*a, " ");
	*b += strspn(*b, " ");
	return same;
}

/* Is this "0=f" one of "0=f;1=f"? */
static bool holds_domain(const char *domains, const char *wanted)
{
	for (const char *at = domains;; at++) {
		const char *have = at, *want = wanted;

		if (same_number(&have, &want) && *have++ == '=' && *want++ == '=' &&
		    same_number(&have, &want))
			return true;
		at += strcspn(at, ";\n");
		if (*at != ';')
			return false;
	}
}

bool rdt_schemata_hold(const char *content, const char *line)
{
	const char *wanted, *at = content;
	size_t name;

	line += strspn(line, " ");
	name = strcspn(line, ":");
	if (line[name] != ':')
		return false;
	for (;; at++) {
		at += strspn(at, " ");
		if (strncmp(at, line, name + 1) == 0)
			break;
		at += strcspn(at, "\n");
		if (!*at)
			return false;
	}
	for (wanted = line + name + 1;; wanted++) {
		if (!holds_domain(at + name + 1, wanted))
			return false;
		wanted += strcspn(wanted, ";\n");
		if (*wanted != ';')
			return true;
	}
}

/* What a class that exists has to have; of the bandwidth its own member counts. */
static void collect_shares(const struct spec_intel_rdt *rdt, struct arena *a, struct strings *ret)
{
	ret->at = arena_array(a, rdt->schemata.n + 2, sizeof(*ret->at));
	ret->n = 0;
	if (rdt->l3_cache_schema &&
	    !(rdt->mem_bw_schema && strncmp(rdt->l3_cache_schema, "MB:", 3) == 0))
		ret->at[ret->n++] = rdt->l3_cache_schema;
	if (rdt->mem_bw_schema)
		ret->at[ret->n++] = rdt->mem_bw_schema;
}

/* All lines, in the order in which they have to be written. */
static void collect(const struct spec_intel_rdt *rdt, struct arena *a, struct strings *ret)
{
	collect_shares(rdt, a, ret);
	for (size_t i = 0; i < rdt->schemata.n; i++)
		ret->at[ret->n++] = rdt->schemata.at[i];
}

static int check_schemata(int dir, const char *name, const struct strings *lines, struct err *e)
{
	auto_buf struct buf content = { 0 };
	const char *missing = NULL;

	if (io_read_file(dir, "schemata", FILE_MAX, "schemata", &content, e) < 0)
		return err_wrap(e, "linux.intelRdt: class %s", name);
	for (size_t i = 0; !missing && i < lines->n; i++)
		if (!rdt_schemata_hold(content.text, lines->at[i]))
			missing = lines->at[i];
	if (!missing)
		return 0;
	return err_set(e, EEXIST, "linux.intelRdt: class %s exists and does not have \"%s\"", name,
		       missing);
}

int rdt_group_open(int root, const struct spec_intel_rdt *rdt, const char *id,
		   struct rdt_group *ret, struct err *e)
{
	const char *name = rdt->clos_id ? rdt->clos_id : id;
	auto_arena struct arena a = { 0 };
	struct rdt_group group = { .name = name, .monitor = rdt->enable_monitoring ? id : NULL };
	auto_fd int dir = -1;
	struct strings shares;

	collect_shares(rdt, &a, &shares);
	if (rdt->clos_id)
		dir = open_directory(root, name);
	if (rdt->clos_id && dir < 0 && errno != ENOENT)
		return err_sys(e, "linux.intelRdt: open class %s", name);
	if (dir >= 0)
		TRY(check_schemata(dir, name, &shares, e));
	if (dir < 0 && rdt->clos_id && shares.n + rdt->schemata.n == 0)
		return err_set(
			e, ENOENT,
			"linux.intelRdt.closID: there is no class %s, and no schemata to make "
			"it with",
			name);
	if (dir < 0) {
		if (mkdirat(root, name, 0755) < 0)
			return err_sys(e, "linux.intelRdt: make class %s", name);
		group.made = true;
	}
	*ret = group;
	return 0;
}

/* The kernel's own words for a write that failed. */
static int refused(int root, const char *name, const char *lines, int r, struct err *e)
{
	char status[256];

	if (io_read_value(root, "info/last_cmd_status", status, sizeof(status)) == 0 && status[0] &&
	    strcmp(status, "ok") != 0)
		return err_set(e, -r, "linux.intelRdt: class %s: set \"%s\": %s (%s)", name, lines,
			       status, err_text(-r));
	return err_neg(e, r, "linux.intelRdt: class %s: set \"%s\"", name, lines);
}

static int write_schemata(int root, int dir, const struct spec_intel_rdt *rdt, const char *name,
			  struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 };
	struct strings lines;
	int r;

	collect(rdt, &a, &lines);
	if (lines.n == 0)
		return 0;
	for (size_t i = 0; i < lines.n; i++)
		buf_printf(&text, "%s\n", lines.at[i]);
	r = io_write_value(dir, "schemata", text.text);
	text.text[text.len - 1] = '\0';
	return r < 0 ? refused(root, name, text.text, r, e) : 0;
}

static int make_monitor(int dir, const struct rdt_group *group, struct err *e)
{
	char path[512];

	if (!group->monitor)
		return 0;
	snprintf(path, sizeof(path), "mon_groups/%s", group->monitor);
	if (mkdirat(dir, path, 0755) < 0)
		return err_sys(e, "linux.intelRdt.enableMonitoring: make %s in class %s", path,
			       group->name);
	return 0;
}

/* What it has is kept for who takes that back; of a class that was made nobody asks. */
static int set_schemata(int root, int dir, const struct spec_intel_rdt *rdt,
			const struct rdt_group *group, struct buf *ret_old, struct err *e)
{
	bool shares = rdt->l3_cache_schema || rdt->mem_bw_schema;

	if (!group->made && (shares || rdt->schemata.n) &&
	    io_read_file(dir, "schemata", FILE_MAX, "schemata", ret_old, e) < 0)
		return err_wrap(e, "linux.intelRdt: class %s", group->name);
	return write_schemata(root, dir, rdt, group->name, e);
}

int rdt_group_set(int root, const struct spec_intel_rdt *rdt, struct rdt_group *group,
		  struct buf *ret_old, struct err *e)
{
	auto_fd int dir = open_directory(root, group->name);
	struct err ignored;
	int r;

	if (dir < 0)
		return err_sys(e, "linux.intelRdt: open class %s", group->name);
	r = set_schemata(root, dir, rdt, group, ret_old, e);
	if (r == 0)
		r = make_monitor(dir, group, e);
	if (r < 0) {
		group->monitor = NULL; /* what is there of that name is not ours */
		if (rdt_group_undo(root, group, ret_old, &ignored) < 0)
			return err_wrap(e, "%s, after", ignored.msg);
	}
	return r;
}

int rdt_group_undo(int root, const struct rdt_group *group, const struct buf *old, struct err *e)
{
	TRY(rdt_group_remove(root, group, e));
	return old->len ? rdt_group_restore(root, group, old, e) : 0;
}

void rdt_group_settle(const struct spec_intel_rdt *rdt, struct rdt_group *group)
{
	if (rdt->clos_id)
		group->made = false;
}

static int add_to(int dir, const char *path, const char *name, pid_t pid, struct err *e)
{
	char text[16];
	int r;

	snprintf(text, sizeof(text), "%d", pid);
	r = io_write_value(dir, path, text);
	return r < 0 ? err_neg(e, r, "linux.intelRdt: add process %d to %s of class %s", pid, path,
			       name)
		     : 0;
}

/* A monitoring group takes only who is in its class. */
int rdt_group_add(int root, const struct rdt_group *group, pid_t pid, struct err *e)
{
	auto_fd int dir = open_directory(root, group->name);
	char path[512];

	if (dir < 0)
		return err_sys(e, "linux.intelRdt: open class %s", group->name);
	TRY(add_to(dir, "tasks", group->name, pid, e));
	if (!group->monitor)
		return 0;
	snprintf(path, sizeof(path), "mon_groups/%s/tasks", group->monitor);
	return add_to(dir, path, group->name, pid, e);
}

int rdt_group_update(int root, const struct rdt_group *group, const struct spec_intel_rdt *rdt,
		     struct buf *ret_old, struct err *e)
{
	auto_fd int dir = open_directory(root, group->name);

	if (dir < 0)
		return err_sys(e, "linux.intelRdt: open class %s", group->name);
	if (io_read_file(dir, "schemata", FILE_MAX, "schemata", ret_old, e) < 0)
		return err_wrap(e, "linux.intelRdt: class %s", group->name);
	return write_schemata(root, dir, rdt, group->name, e);
}

int rdt_group_restore(int root, const struct rdt_group *group, const struct buf *old, struct err *e)
{
	auto_fd int dir = open_directory(root, group->name);
	int r;

	if (dir < 0)
		return err_sys(e, "linux.intelRdt: open class %s", group->name);
	r = old->len ? io_write_value(dir, "schemata", old->text) : 0;
	return r < 0 ? err_neg(e, r, "linux.intelRdt: class %s: set its old schemata", group->name)
		     : 0;
}

/* Somebody else's container may have been put into a class that has a name of its own. */
static bool is_in_use(int dir)
{
	auto_buf struct buf tasks = { 0 };

	return io_read_file(dir, "tasks", FILE_MAX, "tasks", &tasks, NULL) != 0 || tasks.len > 0;
}

int rdt_group_remove(int root, const struct rdt_group *group, struct err *e)
{
	auto_fd int dir = open_directory(root, group->name);
	char path[512];

	if (dir < 0)
		return errno == ENOENT ? 0
				       : err_sys(e, "linux.intelRdt: open class %s", group->name);
	if (group->monitor) {
		snprintf(path, sizeof(path), "mon_groups/%s", group->monitor);
		if (unlinkat(dir, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return err_sys(e, "linux.intelRdt: remove %s of class %s", path,
				       group->name);
	}
	if (!group->made || is_in_use(dir))
		return 0;
	if (unlinkat(root, group->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "linux.intelRdt: remove class %s", group->name);
	return 0;
}
