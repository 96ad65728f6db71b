#include "engine/export.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/files.h"
#include "engine/output.h"
#include "image/tar_tree.h"

struct exporting {
	struct files files;
	struct tar_tree tar;
};

static void exporting_done(struct exporting *x)
{
	tar_tree_done(&x->tar);
	files_close(&x->files);
}

static int write_tree(void *ctx, int root, int sock UNUSED, struct err *e)
{
	struct exporting *x = ctx;
	auto_fd int top = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (top < 0)
		return err_sys(e, "open the container's file system");
	TRY(tar_tree_add(&x->tar, top, ".", "", e));
	TRY(tar_tree_end(&x->tar, e));
	if (x->tar.skipped)
		log_warn("%llu sockets were left out", (unsigned long long)x->tar.skipped);
	return 0;
}

static int write_to(void *ctx, int fd, struct err *e)
{
	auto_userns_job struct userns_job job = USERNS_NO_JOB;
	struct exporting *x = ctx;

	x->tar.out = fd;
	/* The job may see another /proc. */
	TRY(tar_tree_prepare(&x->tar, e));
	TRY(files_begin(&x->files, write_tree, x, &job, e));
	return userns_end(&job, e);
}

int export_container(const struct engine *g, const char *who, const char *path, struct err *e)
{
	__attribute__((cleanup(exporting_done))) struct exporting x = { .files = FILES_NONE };

	TRY(output_check(path, e));
	TRY(files_open(g, who, FILES_LAYERS, false, &x.files, e));
	if (output_write(path, write_to, &x, e) < 0)
		return err_wrap(e, "export %s", who);
	return 0;
}
