#include "cgroups/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"

enum { LIST_MAX = 16384 };

/* Options of mount(8): the last one counts. */
static bool is_writable_cgroup(const struct spec_mount *m)
{
	bool writable = true;

	if (!m->type || (strcmp(m->type, "cgroup") != 0 && strcmp(m->type, "cgroup2") != 0))
		return false;
	for (size_t i = 0; i < m->options.n; i++) {
		if (strcmp(m->options.at[i], "ro") == 0)
			writable = false;
		else if (strcmp(m->options.at[i], "rw") == 0)
			writable = true;
	}
	return writable;
}

/* Without a user namespace of its own the uid is the same; in one that is joined it is not known. */
static struct opt_u32 uid_on_host(const struct spec *spec, uint32_t uid)
{
	const struct spec_namespace *ns = spec_namespace(spec, SPEC_NS_USER);

	if (!ns)
		return (struct opt_u32){ true, uid };
	for (size_t i = 0; i < spec->linux.uid_mappings.n; i++) {
		const struct spec_idmap *m = &spec->linux.uid_mappings.at[i];

		if (uid >= m->container_id && uid - m->container_id < m->size)
			return (struct opt_u32){ true, m->host_id + (uid - m->container_id) };
	}
	return (struct opt_u32){ false, 0 };
}

struct opt_u32 owner_plan(const struct spec *spec)
{
	const struct spec_namespace *ns = spec_namespace(spec, SPEC_NS_CGROUP);

	if (!ns || (ns->path && *ns->path))
		return (struct opt_u32){ false, 0 };
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (is_writable_cgroup(&spec->mounts.at[i]))
			return uid_on_host(spec, spec->process ? spec->process->user.uid : 0);
	return (struct opt_u32){ false, 0 };
}

static int give(const struct cgroup *cg, const char *file, uint32_t uid, struct err *e)
{
	if (fchownat(cg->fd, file, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
		return err_sys(e, "give %s/%s to uid %u", cg->path, file, uid);
	return 0;
}

int owner_files(const char *path, struct buf *ret, struct err *e)
{
	static const char least[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : io_slurp(fd, LIST_MAX, ret);

	if (r == -ENOENT) /* before Linux 4.15 */
		buf_str(ret, least);
	else if (r < 0)
		return err_neg(e, r, "read %s", path);
	return 0;
}

int owner_apply(const struct cgroup *cg, uint32_t uid, struct err *e)
{
	auto_buf struct buf list = { 0 };

	TRY(owner_files("/sys/kernel/cgroup/delegate", &list, e));
	TRY(give(cg, ".", uid, e));
	for (char *name = list.text; *name;) {
		size_t len = strcspn(name, "\n");
		bool last = !name[len];

		name[len] = '\0';
		if (len)
			TRY(give(cg, name, uid, e));
		name += last ? len : len + 1;
	}
	return 0;
}
