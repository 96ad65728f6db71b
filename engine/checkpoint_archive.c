#include "engine/checkpoint_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json_write.h"
#include "engine/layer.h"
#include "engine/rootfs.h"
#include "image/tar_tree.h"
#include "image/tar_write.h"


int checkpoint_export_check(const struct record *r, struct err *e)
{
	if (!r->layers.n)
		return err_set(e, ENOTSUP,
			       "--export: it is of a directory (--rootfs), which is no image that "
			       "could be had elsewhere");
	if (r->userns.count)
		return err_set(e, ENOTSUP,
			       "--export: its ids (--userns) are this host's, and could be others' "
			       "elsewhere");
	if (r->borrowed.n)
		return err_set(e, ENOTSUP, "--export: it has namespaces of another container");
	return 0;
}

static int write_changes(const struct engine *g, int dir, int images, const struct record *r,
			 struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf config = { 0 };
	struct spec spec = { 0 };
	auto_fd int out = openat(images, CHECKPOINT_CHANGES,
				 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int done;

	if (out < 0)
		return err_sys(e, "make %s", CHECKPOINT_CHANGES);
	done = record_read_spec(dir, &spec, e);
	if (done >= 0)
		done = layer_write(rootfs_overlay(g, r, &a), &spec, out, e);
	spec_done(&spec);
	return done;
}

static int write_head(const struct engine *g, int out, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct json_writer w = json_writer(&text, NULL);
	int r;

	json_write_object(&w, NULL);
	json_write_uint(&w, "form", CHECKPOINT_FORM);
	json_write_string(&w, "data", g->path.text);
	json_write_end(&w);
	r = tar_write_file(out, CHECKPOINT_HEAD, text.text, text.len);
	return r < 0 ? err_neg(e, r, "write the archive") : 0;
}

static int write_archive(const struct engine *g, int dir, const char *images, int out,
			 struct err *e)
{
	static const struct {
		const char *name;
		bool optional;
	} files[] = { { "container.json", false }, { "config.json", false },
		      { "hosts", false },          { "hostname", false },
		      { "resolv.conf", false },    { "networks.json", true },
		      { "hull-init", true } };
	auto_tar_tree struct tar_tree tar = { .out = out };

	TRY(write_head(g, out, e));
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (!files[i].optional || faccessat(dir, files[i].name, F_OK, 0) == 0)
			TRY(tar_tree_add_one(&tar, dir, files[i].name, files[i].name, e));
	TRY(tar_tree_add(&tar, dir, images, "checkpoint", e));
	return tar_tree_end(&tar, e);
}

/* Beside it, and then in its place; memory is nobody else's to read. */
static int write_file(const struct engine *g, int dir, const char *images, const char *file,
		      struct err *e)
{
	auto_buf struct buf staged = { 0 };
	auto_fd int out = -1;
	int r;

	buf_printf(&staged, "%s.XXXXXX", file);
	out = mkostemp(staged.text, O_CLOEXEC);
	if (out < 0)
		return err_sys(e, "--export: make %s", file);
	r = write_archive(g, dir, images, out, e);
	if (r >= 0 && fsync(out) < 0)
		r = err_sys(e, "--export: write %s", file);
	if (r >= 0 && rename(staged.text, file) < 0)
		r = err_sys(e, "--export: rename to %s", file);
	if (r < 0)
		unlink(staged.text);
	return r;
}

int checkpoint_export(const struct engine *g, int dir, const struct record *r, const char *images,
		      const char *file, struct err *e)
{
	auto_fd int fd = openat(dir, images, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int done;

	if (fd < 0)
		return err_sys(e, "open %s of the container", images);
	done = write_changes(g, dir, fd, r, e);
	if (done >= 0)
		done = write_file(g, dir, images, file, e);
	if (unlinkat(fd, CHECKPOINT_CHANGES, 0) < 0 && errno != ENOENT && done >= 0)
		return err_sys(e, "remove %s", CHECKPOINT_CHANGES);
	return done;
}
