/* checkpoint_import.c - a container of an archive (checkpoint_archive.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json_decode.h"
#include "base/log.h"
#include "engine/checkpoint_archive.h"
#include "engine/rootfs.h"
#include "engine/volumes.h"
#include "image/unpack.h"

enum { CONFIG_MAX = 16 * 1024 * 1024, HEAD_MAX = 64 * 1024 };

static const char staging[] = "import";

struct head {
	uint32_t form;
	const char *data;
};

/* clang-format off */
JSON_TABLE(head_fields, struct head) = {
	FIELD_U32(struct head, "form", form, REQUIRED),
	FIELD_STRING(struct head, "data", data, REQUIRED),
	{ 0 },
};
/* clang-format on */

struct import {
	const struct engine *g;
	struct making *m;
	struct arena arena;
	struct head head;
	const char *old_id;
	int from; /* what was in the archive */
};

/* Unpacks it into a directory of its own in the container's. */
static int open_archive(struct import *i, const char *file, struct err *e)
{
	const struct unpack_options plain = { .whiteouts = UNPACK_PLAIN };
	auto_fd int in = open(file, O_RDONLY | O_CLOEXEC);
	struct unpack_result result;
	int r;

	if (in < 0)
		return err_sys(e, "open it");
	if (mkdirat(i->m->dir, staging, 0700) < 0)
		return err_sys(e, "make the container's directories");
	i->from = openat(i->m->dir, staging, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (i->from < 0)
		return err_sys(e, "open the container's directories");
	TRY(image_unpack(in, i->from, &plain, &result, e));
	r = json_decode_file(i->from, CHECKPOINT_HEAD, HEAD_MAX, head_fields, &i->arena, &i->head,
			     e);
	if (r == -ENOENT)
		return err_set(e, EINVAL, "it is no archive of a checkpoint: it has no %s",
			       CHECKPOINT_HEAD);
	TRY(r);
	if (i->head.form != CHECKPOINT_FORM)
		return err_set(e, ENOTSUP, "it is of form %u, and this hull reads form %d",
			       i->head.form, CHECKPOINT_FORM);
	return 0;
}

/* The very image that it is of, whatever it is called here. */
static int take_image(struct import *i, struct err *e)
{
	struct record *r = &i->m->record;
	auto_fd int use = image_store_use(&i->g->store, e);
	auto_image struct image image = { 0 };
	struct image_record found;
	int done;

	TRY(use);
	done = image_store_resolve(&i->g->store, r->image_id ? r->image_id : "", &i->arena, &found,
				   e);
	if (done == -ENOENT)
		return err_set(e, ENOENT,
			       "its image %s (%s) is not in the store: pull or load it first",
			       r->image, r->image_id ? r->image_id : "of no id");
	TRY(done);
	TRY(image_load(&i->g->store, &found.manifest.digest, &image, e));
	TRY(rootfs_unpack(i->g, &image, e));
	rootfs_layers(i->g, &image, &r->arena, &r->layers);
	return image_store_pin(&i->g->store, i->m->id, &image.digest, e);
}

static int take_record(struct import *i, const char *name, struct err *e)
{
	struct record *r = &i->m->record;
	int fd = record_open_in(i->m->dir, staging, r, e);

	TRY(fd);
	close(fd);
	i->old_id = r->id;
	if (strlen(r->id) != RECORD_ID_LEN)
		return err_set(e, EINVAL, "container.json: id: expected %d digits", RECORD_ID_LEN);
	TRY(checkpoint_export_check(r, e));
	r->id = i->m->id;
	if (name)
		r->name = arena_strdup(&r->arena, name);
	/* Those without a name of their own are the other container's, if it is here. */
	r->volumes.n = 0;
	return record_check_name(r->name, e);
}

/* `text` with one word for another, wherever it is. */
static void replace(struct buf *text, const char *word, const char *by)
{
	auto_buf struct buf out = { 0 };
	const char *at = text->text, *next;

	buf_str(&out, "");
	for (; (next = strstr(at, word)); at = next + strlen(word)) {
		buf_add(&out, at, (size_t)(next - at));
		buf_str(&out, by);
	}
	buf_str(&out, at);
	buf_clear(text);
	buf_add(text, out.text, out.len);
}

static int use_volumes(struct import *i, const char *config, size_t len, struct err *e)
{
	struct spec spec = { 0 };
	int r = spec_parse(&spec, "config.json", config, len, e);

	for (size_t k = 0; r >= 0 && k < spec.mounts.n; k++) {
		const char *source = spec.mounts.at[k].source, *name, *path;

		name = source ? volume_of_source(i->g, source, &i->arena) : NULL;
		if (name)
			r = volume_use(i->g, &name, &i->arena, &path, e);
		else if (source && volumes_hold(i->g, source))
			r = err_set(e, EINVAL, "config.json: the source %s is no volume's",
				    json_quote(source).text);
	}
	spec_done(&spec);
	return r;
}

/* Who was called by the id is called by the new one when it is started anew. */
static void replace_name(struct import *i, struct buf *text)
{
	static const char *const forms[] = { "\"%.*s\"", "\"HOSTNAME=%.*s\"" };

	for (size_t k = 0; !i->m->record.hostname && k < ARRAY_LEN(forms); k++) {
		char was[64], is[64];

		snprintf(was, sizeof(was), forms[k], RECORD_SHORT, i->old_id);
		snprintf(is, sizeof(is), forms[k], RECORD_SHORT, i->m->id);
		replace(text, was, is);
	}
}

/* Its paths in DATA are here what they were there; random ids stand for nothing else. */
static int take_config(struct import *i, struct err *e)
{
	auto_buf struct buf text = { 0 };

	TRY(io_read_file(i->from, "config.json", CONFIG_MAX, "config.json", &text, e));
	for (int k = 0; k < 2; k++) {
		const char *kind = k ? "volumes" : "containers";

		replace(&text, arena_printf(&i->arena, "\"%s/%s/", i->head.data, kind),
			arena_printf(&i->arena, "\"%s/%s/", i->g->path.text, kind));
	}
	replace(&text, i->old_id, i->m->id);
	replace_name(i, &text);
	TRY(use_volumes(i, text.text, text.len, e));
	return io_replace_file(i->m->dir, "config.json", text.text, text.len, e);
}

static int take_files(struct import *i, struct err *e)
{
	static const char *const names[] = { "hosts",         "hostname",  "resolv.conf",
					     "networks.json", "hull-init", "checkpoint" };
	struct stat st;

	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		if (fstatat(i->from, names[k], &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue;
			return err_sys(e, "look at %s", names[k]);
		}
		if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
			return err_set(e, EINVAL, "%s: it is neither a file nor a directory",
				       names[k]);
		if (renameat(i->from, names[k], i->m->dir, names[k]) < 0)
			return err_sys(e, "take %s", names[k]);
	}
	return 0;
}

static int take_changes(struct import *i, struct err *e)
{
	const struct unpack_options layer = { .whiteouts = UNPACK_OVERLAY };
	auto_fd int dir =
		openat(i->from, "checkpoint", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int tar =
		dir < 0 ? -1 : openat(dir, CHECKPOINT_CHANGES, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int upper = -1;
	struct unpack_result result;

	if (dir < 0 || tar < 0)
		return err_sys(e, "open checkpoint/%s", CHECKPOINT_CHANGES);
	TRY(rootfs_make(i->g, i->m->dir, &i->m->record, e));
	upper = openat(i->m->dir, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (upper < 0)
		return err_sys(e, "open the container's directories");
	TRY(image_unpack(tar, upper, &layer, &result, e));
	if (unlinkat(dir, CHECKPOINT_CHANGES, 0) < 0)
		return err_sys(e, "remove checkpoint/%s", CHECKPOINT_CHANGES);
	return 0;
}

static int build(struct import *i, const char *file, const char *name, struct err *e)
{
	struct making *m = i->m;
	int r;

	TRY(record_new_id(m->id, e));
	m->dir = record_make(i->g, m->id, &m->lock, e);
	TRY(m->dir);
	TRY(open_archive(i, file, e));
	TRY(take_record(i, name, e));
	TRY(take_image(i, e));
	TRY(take_config(i, e));
	TRY(take_changes(i, e));
	TRY(take_files(i, e));
	r = io_remove_tree(m->dir, staging);
	if (r < 0)
		return err_neg(e, r, "remove %s of the container", staging);
	TRY(record_save(i->g, m->dir, &m->record, e));
	m->written = true;
	return 0;
}

int checkpoint_import(const struct engine *g, const char *file, const char *name,
		      struct making *ret, struct err *e)
{
	struct import i = { .g = g, .m = ret, .from = -1 };
	int r;

	*ret = (struct making)MAKING_NONE;
	r = build(&i, file, name, e);
	close_fd(&i.from);
	arena_done(&i.arena);
	if (r >= 0)
		return 0;
	making_undo(g, ret);
	return err_wrap(e, "--import %s", file);
}
