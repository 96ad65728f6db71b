#include "engine/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/util.h"
#include "engine/diff.h"
#include "image/tar_tree.h"
#include "mounts/rootfd.h"

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* A deleted name is an empty file that is called so (image-spec, layer.md, "Whiteouts"). */
static int add_whiteout(struct tar_tree *t, const char *path, struct err *e)
{
	auto_buf struct buf as = { 0 };
	const char *name = name_of(path);

	buf_add(&as, path + 1, (size_t)(name - path - 1));
	buf_printf(&as, ".wh.%s", name);
	return tar_tree_add_empty(t, as.text, e);
}

static int add_change(struct tar_tree *t, int upper, const struct change *c, struct err *e)
{
	static const char whiteout[] = ".wh.";
	const char *name = name_of(c->path);
	auto_buf struct buf above = { 0 };
	auto_fd int dir = -1;

	if (strncmp(name, whiteout, strlen(whiteout)) == 0)
		return err_set(e, ENOTSUP, "%s: in a layer such a name would delete another",
			       json_quote(c->path).text);
	if (c->kind == 'D')
		return add_whiteout(t, c->path, e);
	buf_add(&above, c->path, (size_t)(name - c->path));
	dir = rootfd_open_nofollow(upper, above.text, O_PATH | O_DIRECTORY);
	if (dir == -ENOENT || dir == -ENOTDIR || dir == -ELOOP)
		return 0; /* gone meanwhile */
	if (dir < 0)
		return err_neg(e, dir, "open %s", above.text);
	return tar_tree_add_one(t, dir, name, c->path + 1, e);
}

int layer_write(const struct mount_overlay *overlay, const struct spec *spec, int out,
		struct err *e)
{
	auto_changes struct changes changes = { 0 };
	auto_tar_tree struct tar_tree tar = { .out = out };
	auto_fd int upper = open(overlay->upper, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (upper < 0)
		return err_sys(e, "open what the container changed");
	TRY(changes_find(overlay, spec, &changes, e));
	for (size_t i = 0; i < changes.n; i++)
		TRY(add_change(&tar, upper, &changes.at[i], e));
	TRY(tar_tree_end(&tar, e));
	if (tar.skipped)
		log_warn("%llu sockets were left out", (unsigned long long)tar.skipped);
	return 0;
}
