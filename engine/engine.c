#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

static int open_in(int dir, const char *name, struct err *e)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, flags);

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? err_sys(e, "open the directory %s", name) : fd;
	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the directory %s", name);
	fd = openat(dir, name, flags);
	return fd < 0 ? err_sys(e, "open the directory %s", name) : fd;
}

/* Paths of it go into configurations and survive our working directory. */
static int find_path(const char *data, struct buf *ret, struct err *e)
{
	auto_buf struct buf path = { 0 };
	auto_free char *real = NULL;

	TRY(image_store_path(data, &path, e));
	TRY(io_mkdir_all(path.text, 0700, e));
	real = realpath(path.text, NULL);
	if (!real)
		return err_sys(e, "open the data directory %s", path.text);
	buf_str(ret, real);
	return 0;
}

int engine_open(const struct runtime *rt, const char *data, struct engine *ret, struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;

	g.rt = rt;
	g.rootless = geteuid() != 0;
	TRY(find_path(data, &g.path, e));
	if (data) {
		buf_printf(&g.networks, "%s/network", g.path.text);
		g.network_path = g.networks.text;
	}
	TRY(image_store_open(g.path.text, true, &g.store, e));
	g.dir = open(g.path.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g.dir < 0)
		return err_sys(e, "open the data directory %s", g.path.text);
	g.containers = open_in(g.dir, "containers", e);
	TRY(g.containers);
	g.names = open_in(g.dir, "names", e);
	TRY(g.names);
	g.volumes = open_in(g.dir, "volumes", e);
	TRY(g.volumes);
	*ret = g;
	g = (struct engine)ENGINE_CLOSED;
	return 0;
}

void engine_close(struct engine *g)
{
	image_store_close(&g->store);
	close_fd(&g->volumes);
	close_fd(&g->names);
	close_fd(&g->containers);
	close_fd(&g->dir);
	buf_done(&g->networks);
	buf_done(&g->path);
}
