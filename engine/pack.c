#include "engine/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/spawn.h"
#include "engine/output.h"
#include "engine/rootfs.h"
#include "engine/userns.h"
#include "mounts/overlay.h"
#include "mounts/tree.h"

enum { OUT_FD = 3 };

struct packing {
	const struct engine *g;
	const char *program, *compressor;
	struct image image;
	struct arena arena;
	struct mount_overlay layers;
	int out;
};

static void packing_done(struct packing *p)
{
	image_done(&p->image);
	arena_done(&p->arena);
}

static int find_program(const char **ret, struct err *e)
{
	static const char *const places[] = { "/usr/bin/mkfs.erofs", "/usr/sbin/mkfs.erofs",
					      "/sbin/mkfs.erofs", "/usr/local/bin/mkfs.erofs" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (access(places[i], X_OK) == 0) {
			*ret = places[i];
			return 0;
		}
	}
	return err_set(e, ENOENT,
		       "an image is packed by mkfs.erofs, which is not there: install erofs-utils");
}

/* mkfs.erofs wants a path: in a mount namespace of the job's own the layers are put on that of the volumes. */
static int place(const struct packing *p, const char *path, struct err *e)
{
	auto_fd int tree = mount_overlay_open(&p->layers, e), target = -1, clone = -1;

	TRY(tree);
	target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0)
		return err_sys(e, "open %s", path);
	/* Of a single layer it is the directory itself. */
	if (p->layers.lowers.n > 1)
		return mount_attach(tree, target, path, e);
	clone = open_tree(tree, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return clone < 0 ? err_sys(e, "open the layer") : mount_attach(clone, target, path, e);
}

static int make_file(void *ctx, int sock UNUSED, struct err *e)
{
	const struct packing *p = ctx;
	struct spawn_fd out = { p->out, OUT_FD };
	auto_arena struct arena a = { 0 };
	const char *path = arena_printf(&a, "%s/volumes", p->g->path.text);
	const char *argv[] = {
		"mkfs.erofs", "--quiet", "--preserve-mtime", "-x2", "/proc/self/fd/3", path,
		NULL,         NULL
	};
	const struct spawn_request run = {
		.path = p->program, .argv = argv, .fds = &out, .fds_n = 1, .dies_with_us = true
	};

	if (p->compressor) {
		argv[6] = argv[5];
		argv[5] = argv[4];
		argv[4] = arena_printf(&a, "-z%s", p->compressor);
	}
	TRY(place(p, path, e));
	return spawn_run(&run, NULL, e) < 0 ? err_wrap(e, "mkfs.erofs") : 0;
}

static int write_to(void *ctx, int fd, struct err *e)
{
	auto_userns_job struct userns_job job = USERNS_NO_JOB;
	struct packing *p = ctx;

	p->out = fd;
	TRY(userns_begin(-1, make_file, p, &job, e));
	TRY(userns_end(&job, e));
	return fsync(fd) < 0 && errno != EINVAL ? err_sys(e, "write the file") : 0;
}

static int pack(struct packing *p, const char *image, const char *path, struct err *e)
{
	struct image_record record;

	TRY(image_store_resolve(&p->g->store, image, &p->arena, &record, e));
	TRY(image_load(&p->g->store, &record.manifest.digest, &p->image, e));
	TRY(rootfs_unpack(p->g, &p->image, e));
	rootfs_layers(p->g, &p->image, &p->arena, &p->layers.lowers);
	p->layers.in_place = p->g->rootless;
	if (!p->layers.lowers.n)
		return err_set(e, EINVAL, "the image has no layers");
	return output_write(path, write_to, p, e);
}

int pack_image(const struct engine *g, const char *image, const char *compressor, const char *path,
	       struct err *e)
{
	__attribute__((cleanup(packing_done))) struct packing p = { .g = g,
								    .compressor = compressor };
	auto_fd int use = -1;

	TRY(find_program(&p.program, e));
	use = image_store_use(&g->store, e);
	TRY(use);
	return pack(&p, image, path, e) < 0 ? err_wrap(e, "pack %s", image) : 0;
}
