#include "image/unpack/layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

/*
 * What may come before an entry's data: names, attributes, the map of a sparse file. libarchive has
 * a limit of 1 MiB for each of them and none for their number or for the map.
 */
enum { HEADERS_MAX = 640 * 1024, BLOCK = 512 };

struct reader {
	struct archive *archive;
	struct stream *stream;
	bool in_headers;
	uint64_t headers_at; /* where they began */
	struct err err;      /* of the stream */
	struct entry entry;
};

static la_ssize_t read_block(struct archive *a, void *ctx, const void **ret)
{
	struct reader *r = ctx;
	ssize_t n;

	if (r->in_headers && stream_size(r->stream) - r->headers_at > HEADERS_MAX) {
		err_set(&r->err, EFBIG, "an entry with more than %d bytes of headers", HEADERS_MAX);
		archive_set_error(a, EFBIG, "%s", r->err.msg);
		return -1;
	}
	n = stream_read(r->stream, ret, &r->err);
	if (n < 0) {
		archive_set_error(a, r->err.code, "%s", r->err.msg);
		return -1;
	}
	return n;
}

/* What went wrong: the stream's own words, or libarchive's. */
static int fail(struct reader *r, const char *during, struct err *e)
{
	const char *words = archive_error_string(r->archive);

	if (r->err.code) {
		*e = r->err;
		return -r->err.code;
	}
	return err_set(e, EINVAL, "%s: %s", during, words ? words : "the archive is damaged");
}

/*
 * Names are bytes to us and to the kernel. In the C locale, in which this program runs, libarchive
 * hands out those of PAX headers as they are, with this warning; in any other it would give them
 * another Unicode normal form, and two files one name.
 */
static bool is_about_charsets(const char *words)
{
	return words && strstr(words, "can't be converted from UTF-8 to current locale");
}

static int take_xattrs(struct archive_entry *from, struct entry *n, struct err *e)
{
	n->xattrs_n = 0;
	archive_entry_xattr_reset(from);
	for (;;) {
		struct entry_xattr x;

		if (archive_entry_xattr_next(from, &x.name, &x.value, &x.size) != ARCHIVE_OK)
			return 0;
		if (n->xattrs_n == ENTRY_XATTRS_MAX)
			return err_set(e, E2BIG, "it has more than %d extended attributes",
				       ENTRY_XATTRS_MAX);
		n->xattrs[n->xattrs_n++] = x;
	}
}

static int take_entry(struct archive_entry *from, struct entry *n, struct err *e)
{
	const char *name = archive_entry_pathname(from);
	const char *hard = archive_entry_hardlink(from);

	if (!name || !name[0])
		return err_set(e, EINVAL, "an entry without a name");
	if (entry_path_set(&n->path, name, "its name", e) < 0)
		return err_wrap(e, "entry %s", json_quote(name).text);
	n->hardlink = hard != NULL;
	n->type = hard ? 0 : archive_entry_filetype(from);
	n->link = hard ? hard : archive_entry_symlink(from);
	n->mode = archive_entry_perm(from) & 07777;
	n->uid = archive_entry_uid(from);
	n->gid = archive_entry_gid(from);
	n->size = n->type == S_IFREG ? archive_entry_size(from) : 0;
	n->mtime.tv_sec = archive_entry_mtime(from);
	n->mtime.tv_nsec = archive_entry_mtime_nsec(from);
	n->major = n->minor = 0;
	if (n->type == S_IFCHR || n->type == S_IFBLK) {
		n->major = archive_entry_rdevmajor(from);
		n->minor = archive_entry_rdevminor(from);
	}
	if (take_xattrs(from, n, e) < 0)
		return err_wrap(e, "entry %s", json_quote(name).text);
	return 0;
}

static int next_data(void *ctx, const void **bytes, size_t *len, int64_t *offset, struct err *e)
{
	struct reader *r = ctx;
	la_int64_t at;
	int got = archive_read_data_block(r->archive, bytes, len, &at);

	if (got == ARCHIVE_EOF)
		return 0;
	if (got != ARCHIVE_OK)
		return fail(r, "read its data", e);
	*offset = at;
	return 1;
}

/* One entry: 1; the end: 0. */
static int read_entry(struct reader *r, struct extract *x, struct err *e)
{
	const struct extract_data data = { .next = next_data, .ctx = r };
	struct archive_entry *from;
	int got;

	r->headers_at = stream_size(r->stream);
	r->in_headers = true;
	got = archive_read_next_header(r->archive, &from);
	r->in_headers = false;
	if (got == ARCHIVE_EOF)
		return 0;
	if (got == ARCHIVE_WARN && is_about_charsets(archive_error_string(r->archive)))
		got = ARCHIVE_OK;
	if (got != ARCHIVE_OK)
		return fail(r, "read the layer", e);
	TRY(take_entry(from, &r->entry, e));
	TRY(extract_entry(x, &r->entry, &data, e));
	if (archive_read_data_skip(r->archive) != ARCHIVE_OK)
		return fail(r, "read the layer", e);
	return 1;
}

/* Everything up to the end of the stream: padding. */
static int read_rest(struct reader *r, uint64_t entries_end, const char *diff_id, struct err *e)
{
	uint64_t end = (uint64_t)archive_filter_bytes(r->archive, 0);
	const void *bytes;
	ssize_t n;

	do {
		n = stream_read(r->stream, &bytes, e);
		TRY((int)n);
	} while (n > 0);
	if (end < entries_end + BLOCK && !diff_id)
		return err_set(e, EINVAL,
			       "the layer ends without an end-of-archive mark: it is cut off");
	if (stream_nonzero(r->stream) > end)
		return err_set(e, EINVAL, "something follows the end of the archive");
	return 0;
}

static int read_all(struct reader *r, int root, const struct extract_settings *s,
		    const char *diff_id, struct layer_result *ret, struct err *e)
{
	__attribute__((cleanup(extract_done))) struct extract x;
	uint64_t end = 0;
	int got;

	TRY(extract_begin(&x, root, s, e));
	while ((got = read_entry(r, &x, e)) > 0)
		end = (uint64_t)archive_filter_bytes(r->archive, 0);
	TRY(got);
	TRY(read_rest(r, end, diff_id, e));
	TRY(extract_finish(&x, e));
	ret->size = stream_size(r->stream);
	ret->diff_id = stream_digest(r->stream);
	ret->entries = x.entries;
	ret->skipped = x.skipped;
	ret->dropped_xattrs = x.dropped_xattrs;
	if (diff_id && strcmp(diff_id, ret->diff_id.text) != 0)
		return err_set(e, EINVAL, "the layer's digest is %s, not %s", ret->diff_id.text,
			       diff_id);
	return 0;
}

static void reader_free(struct reader **r)
{
	if (!*r)
		return;
	archive_read_free((*r)->archive);
	stream_close((*r)->stream);
	free(*r);
}

int layer_unpack(int fd, const struct decompressor *d, int root, const struct extract_settings *s,
		 const char *diff_id, struct layer_result *ret, struct err *e)
{
	__attribute__((cleanup(reader_free))) struct reader *r = mem_zalloc(sizeof(*r));
	struct layer_result result;

	r->archive = archive_read_new();
	if (!r->archive)
		mem_exhausted();
	if (d)
		r->stream = stream_open_pipe(fd, d, s->max_bytes);
	else
		TRY(stream_open(fd, s->max_bytes, &r->stream, e));
	r->in_headers = true;
	if (archive_read_support_format_tar(r->archive) != ARCHIVE_OK ||
	    archive_read_open(r->archive, r, NULL, read_block, NULL) != ARCHIVE_OK)
		return fail(r, "read the layer", e);
	TRY(read_all(r, root, s, diff_id, &result, e));
	*ret = result;
	return 0;
}
