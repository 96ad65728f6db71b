#include "runtime/external.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "base/json_write.h"
#include "base/util.h"

#define STREAMS_FILE "hull.json"

enum { STREAMS = 3, NAME_LENGTH = 512, STREAMS_LIMIT = 16384 };

/* Mounts */

/* "/a//b/" and "a/b" are "/a/b": as the kernel writes it, but for links. */
static char *clean_path(struct arena *a, const char *path)
{
	char *copy = arena_printf(a, "/%s", path), *to = copy;

	for (const char *from = copy; *from; from++)
		if (from[0] != '/' || (from[1] != '/' && from[1] != '\0'))
			*to++ = *from;
	if (to == copy)
		*to++ = '/';
	*to = '\0';
	return copy;
}

static struct external *add(externals *list, const char *path, const char *source, bool tree)
{
	struct external *x = &list->at[list->n++];

	*x = (struct external){ .path = path, .source = source, .tree = tree };
	return x;
}

static const char *source_of(const struct mount_op *op, const char *bundle, struct arena *a)
{
	return op->source[0] == '/' ? op->source : arena_printf(a, "%s/%s", bundle, op->source);
}

void externals_plan(const struct mount_plan *plan, const char *bundle, const char *cgroup,
		    struct arena *a, externals *ret)
{
	size_t n = plan->mounts.n + plan->masked.n + plan->devices.n;

	*ret = (externals){ .at = arena_array(a, n + 1, sizeof(*ret->at)) };
	for (size_t i = 0; i < plan->mounts.n; i++) {
		const struct mount_op *op = &plan->mounts.at[i];

		if (op->kind == MOUNT_KIND_BIND)
			add(ret, clean_path(a, op->target), source_of(op, bundle, a),
			    op->options.flags & MOUNT_RECURSIVE)
				->op = op;
		else if (cgroup && op->type && strncmp(op->type, "cgroup", 6) == 0)
			add(ret, clean_path(a, op->target), cgroup, false);
	}
	for (size_t i = 0; i < plan->masked.n; i++)
		add(ret, clean_path(a, plan->masked.at[i]), "/dev/null", false);
	for (size_t i = 0; plan->bind_devices && i < plan->devices.n; i++)
		add(ret, clean_path(a, plan->devices.at[i].path), plan->devices.at[i].path, false);
}

/* What of `path` comes behind `top`, if it is below that; NULL: it is not. */
static const char *below(const char *path, const char *top)
{
	size_t n = strcmp(top, "/") == 0 ? 0 : strlen(top);

	return strncmp(path, top, n) == 0 && path[n] == '/' && path[n + 1] ? path + n : NULL;
}

static bool is_covered(const externals *places, const char *path)
{
	for (size_t i = 0; i < places->n; i++)
		if (below(path, places->at[i].path))
			return true;
	return false;
}

void externals_places(const struct mount_plan *plan, const char *bundle, struct arena *a,
		      externals *ret)
{
	*ret = (externals){ .at = arena_array(a, plan->mounts.n + 1, sizeof(*ret->at)) };
	for (size_t i = 0; i < plan->mounts.n; i++) {
		const struct mount_op *op = &plan->mounts.at[i];
		const char *path = clean_path(a, op->target);

		if (strcmp(path, "/") == 0)
			return; /* all that follows lies in it */
		if (op->kind != MOUNT_KIND_REMOUNT && !is_covered(ret, path))
			add(ret, path,
			    op->kind == MOUNT_KIND_BIND ? source_of(op, bundle, a) : NULL, false);
	}
}

void externals_with_mounts(const externals *list, const mountinfo *host, struct arena *a,
			   externals *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += 1 + (list->at[i].tree ? host->n : 0);
	*ret = (externals){ .at = arena_array(a, n + 1, sizeof(*ret->at)) };
	for (size_t i = 0; i < list->n; i++) {
		const struct external *x = &list->at[i];

		add(ret, x->path, x->source, x->tree);
		for (size_t k = 0; x->tree && k < host->n; k++) {
			const char *rest = below(host->at[k].path, x->source);

			if (rest)
				add(ret, arena_printf(a, "%s%s", x->path, rest), host->at[k].path,
				    false);
		}
	}
}

/* The row for a mount at this path: itself, or the tree that it is below of. */
static const struct external *find(const externals *list, const char *path)
{
	const struct external *found = NULL;

	for (size_t i = 0; i < list->n; i++) {
		const struct external *x = &list->at[i];

		if (strcmp(x->path, path) == 0)
			return x;
		if (x->tree && below(path, x->path) &&
		    (!found || strlen(found->path) < strlen(x->path)))
			found = x;
	}
	return found;
}

/* File systems of which CRIU makes a new mount, whoever else has them. */
static bool is_made_again(const char *type)
{
	static const char *const types[] = { "proc",   "sysfs",  "cgroup2",
					     "cgroup", "mqueue", "devpts" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

int externals_check_root(const mountinfo *container, const mountinfo *host, struct err *e)
{
	for (size_t i = 0; i < container->n; i++) {
		const struct mountinfo_entry *m = &container->at[i];

		if (strcmp(m->path, "/") == 0 && !mountinfo_find_device(host, m->device))
			return err_set(
				e, ENOTSUP,
				"checkpoint: the container's root (%s) is mounted nowhere on the "
				"host, so nothing could be put in its place",
				m->type);
	}
	return 0;
}

int externals_find(const externals *list, const mountinfo *container, const mountinfo *host,
		   struct arena *a, struct strings *ret, struct err *e)
{
	*ret = (struct strings){ .at = arena_array(a, container->n + 1, sizeof(*ret->at)) };
	for (size_t i = 0; i < container->n; i++) {
		const struct mountinfo_entry *m = &container->at[i];
		const struct external *x = find(list, m->path);
		bool exact = x && strcmp(x->path, m->path) == 0;
		bool hosts = mountinfo_find_device(host, m->device) != NULL;

		/* A mask over a directory is a tmpfs of the container's own. */
		if (strcmp(m->path, "/") == 0 || !hosts || (is_made_again(m->type) && !exact))
			continue;
		if (!x)
			return err_set(
				e, ENOTSUP,
				"checkpoint: %s is a mount of the host (%s) and not one of the "
				"configuration's, so nothing could be put in its place",
				m->path, m->type);
		ret->at[ret->n++] = m->path;
	}
	return 0;
}

/* Streams */

JSON_TABLE(streams_fields, struct external_streams) = {
	FIELD_STRINGS(struct external_streams, "streams", names, REQUIRED),
	{ 0 },
};

/* The mount that the descriptor is of, as a number in words. */
static int mount_of(pid_t pid, int fd, char *ret, size_t size)
{
	auto_free char *file = NULL;
	char text[NAME_LENGTH];
	const char *at;
	int r;

	if (asprintf(&file, "/proc/%d/fdinfo/%d", pid, fd) < 0)
		return -ENOMEM;
	r = io_read_value(AT_FDCWD, file, text, sizeof(text));
	at = r < 0 ? NULL : strstr(text, "mnt_id:");
	if (!at)
		return r < 0 ? r : -EINVAL;
	at += strlen("mnt_id:");
	at += strspn(at, " \t");
	snprintf(ret, size, "%.*s", (int)strspn(at, "0123456789"), at);
	return 0;
}

static bool has_mount(const mountinfo *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i].id, id) == 0)
			return true;
	return false;
}

/* A file of the host's by its mount and inode: as CRIU wants it named. */
static int name_file(pid_t pid, int fd, const char *path, const mountinfo *container,
		     struct arena *a, const char **ret, struct err *e)
{
	char mount[32];
	struct stat st;
	int r = mount_of(pid, fd, mount, sizeof(mount));

	if (r < 0)
		return err_neg(e, r, "checkpoint: descriptor %d of the container's process", fd);
	if (has_mount(container, mount))
		return 0;
	if (stat(path, &st) < 0)
		return err_sys(e, "checkpoint: descriptor %d of the container's process", fd);
	if (S_ISREG(st.st_mode))
		*ret = arena_printf(a, "file[%lx:%llx]", strtoul(mount, NULL, 10),
				    (unsigned long long)st.st_ino);
	return 0;
}

int external_streams_find(pid_t pid, const mountinfo *container, struct arena *a,
			  struct external_streams *ret, struct err *e)
{
	ret->names = (struct strings){ arena_array(a, STREAMS, sizeof(char *)), STREAMS };
	for (int i = 0; i < STREAMS; i++) {
		const char *path = arena_printf(a, "/proc/%d/fd/%d", pid, i);
		char *link = arena_alloc(a, NAME_LENGTH);

		ret->names.at[i] = "";
		if (readlink(path, link, NAME_LENGTH - 1) < 0)
			continue; /* it is closed, and stays so */
		if (strncmp(link, "pipe:", 5) == 0)
			ret->names.at[i] = link;
		else if (link[0] == '/')
			TRY(name_file(pid, i, path, container, a, &ret->names.at[i], e));
	}
	return 0;
}

bool external_stream_is_file(const char *name)
{
	return strncmp(name, "file[", 5) == 0;
}

int external_streams_save(int images, const struct external_streams *streams, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct json_writer w = json_writer(&text, NULL);

	json_write_object(&w, NULL);
	json_write_strings(&w, "streams", &streams->names);
	json_write_end(&w);
	return io_replace_file(images, STREAMS_FILE, text.text, text.len, e);
}

/* "pipe:[123]", "file[1f:2a]", or nothing. */
static bool has_form(const char *name)
{
	const char *at = name;

	if (strncmp(name, "pipe:[", 6) == 0)
		at += 6 + strspn(name + 6, "0123456789");
	else if (strncmp(name, "file[", 5) == 0)
		at += 5 + strspn(name + 5, "0123456789abcdef:");
	return at == name ? *name == '\0' : strcmp(at, "]") == 0;
}

int external_streams_load(int images, struct arena *a, struct external_streams *ret, struct err *e)
{
	auto_buf struct buf text = { 0 };
	auto_json struct json_doc doc = { .name = STREAMS_FILE };
	struct json_decoder d = { .doc = &doc, .arena = a, .err = e };

	TRY(io_read_file(images, STREAMS_FILE, STREAMS_LIMIT,
			 "--image-path: " STREAMS_FILE ", which checkpoint writes", &text, e));
	doc.text = text.text;
	doc.size = text.len;
	TRY(json_parse(&doc, a, e));
	TRY(json_decode(&d, doc.root, streams_fields, ret));
	if (ret->names.n > STREAMS)
		return err_set(e, EINVAL, STREAMS_FILE ": streams: more than three");
	for (size_t i = 0; i < ret->names.n; i++)
		if (!has_form(ret->names.at[i]))
			return err_set(e, EINVAL,
				       STREAMS_FILE ": streams[%zu]: expected \"pipe:[N]\" or "
						    "\"file[N:N]\", found \"%s\"",
				       i, ret->names.at[i]);
	return 0;
}
