/* store_blobs.c - content by digest: verified on its way in, synced, then named. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "image/store_private.h"

bool image_store_has(const struct image_store *s, const struct digest *digest, int64_t size)
{
	struct stat st;

	return fstatat(s->blobs, store_place(digest).text, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (size < 0 || st.st_size == size);
}

int image_blob_begin(const struct image_store *s, const struct digest *digest, int64_t size,
		     struct image_blob *ret, struct err *e)
{
	struct image_blob b = { .store = s, .file = { .fd = -1 }, .limit = IMAGE_BLOB_MAX };

	if (size >= 0) {
		if ((uint64_t)size > IMAGE_BLOB_MAX)
			return err_set(e, EFBIG, "store a blob: %lld bytes are too many",
				       (long long)size);
		b.limit = (uint64_t)size;
		b.sized = true;
	}
	if (digest) {
		b.expected = *digest;
		b.present = image_store_has(s, digest, size);
	}
	if (!b.present)
		TRY(staged_open(s, &b.file, e));
	digest_begin(&b.hash, digest ? digest_algorithm(digest) : DIGEST_SHA256);
	*ret = b;
	return 0;
}

/* What messages call it. */
static const char *blob_name(const struct image_blob *b)
{
	return digest_is_set(&b->expected) ? b->expected.text : "(new)";
}

int image_blob_write(struct image_blob *b, const void *bytes, size_t len, struct err *e)
{
	int r;

	if (b->present)
		return 0;
	if (len > b->limit - b->size)
		return err_set(e, EFBIG, "store blob %s: more than the %llu bytes it should have",
			       blob_name(b), (unsigned long long)b->limit);
	r = io_write_all(b->file.fd, bytes, len);
	if (r < 0)
		return err_neg(e, r, "store blob %s", blob_name(b));
	digest_update(&b->hash, bytes, len);
	b->size += len;
	return 0;
}

/* Gives it its place; one that is there already stays, unless it can't be right. */
static int place_blob(struct image_blob *b, const struct digest *found)
{
	struct store_place place = store_place(found);
	const struct image_store *s = b->store;
	int r = staged_link(s, &b->file, s->blobs, place.text);

	if (r == -ENOENT && digest_algorithm(found) == DIGEST_SHA512) {
		if (mkdirat(s->blobs, "sha512", 0700) < 0 && errno != EEXIST)
			return -errno;
		r = staged_link(s, &b->file, s->blobs, place.text);
	}
	if (r != -EEXIST)
		return r;
	if (image_store_has(s, found, (int64_t)b->size))
		return 0;
	return staged_replace(s, &b->file, s->blobs, place.text);
}

static int commit_blob(struct image_blob *b, struct digest *ret_digest, struct err *e)
{
	struct digest found = digest_end(&b->hash);
	int r;

	if (b->sized && b->size != b->limit)
		return err_set(e, EBADMSG, "store blob %s: it ended after %llu bytes of %llu",
			       blob_name(b), (unsigned long long)b->size,
			       (unsigned long long)b->limit);
	if (digest_is_set(&b->expected) && !digest_equal(&b->expected, &found))
		return err_set(e, EBADMSG, "store blob %s: its content has the digest %s",
			       blob_name(b), found.text);
	if (fchmod(b->file.fd, 0400) < 0 || fsync(b->file.fd) < 0)
		return err_sys(e, "store blob %s", found.text);
	r = place_blob(b, &found);
	if (r < 0)
		return err_neg(e, r, "store blob %s", found.text);
	*ret_digest = found;
	return 0;
}

/* Of one that was there. */
static int present_blob(struct image_blob *b, struct digest *ret_digest, struct err *e)
{
	struct stat st;

	if (fstatat(b->store->blobs, store_place(&b->expected).text, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "store blob %s: it was there, but is no more", b->expected.text);
	b->size = (uint64_t)st.st_size;
	*ret_digest = b->expected;
	return 0;
}

int image_blob_commit(struct image_blob *b, struct digest *ret_digest, uint64_t *ret_size,
		      struct err *e)
{
	struct digest found;
	int r = b->present ? present_blob(b, &found, e) : commit_blob(b, &found, e);

	if (r == 0 && ret_digest)
		*ret_digest = found;
	if (r == 0 && ret_size)
		*ret_size = b->size;
	image_blob_abandon(b);
	return r;
}

void image_blob_abandon(struct image_blob *b)
{
	if (!b->store)
		return;
	staged_drop(b->store, &b->file);
	b->store = NULL;
}

int image_store_add(const struct image_store *s, const void *bytes, size_t len, struct digest *ret,
		    struct err *e)
{
	struct digest digest = digest_of(DIGEST_SHA256, bytes, len);
	auto_image_blob struct image_blob b = { .store = NULL };

	TRY(image_blob_begin(s, &digest, (int64_t)len, &b, e));
	TRY(image_blob_write(&b, bytes, len, e));
	return image_blob_commit(&b, ret, NULL, e);
}

int image_store_add_fd(const struct image_store *s, int fd, const struct digest *digest,
		       int64_t size, struct digest *ret_digest, uint64_t *ret_size, struct err *e)
{
	auto_image_blob struct image_blob b = { .store = NULL };
	char bytes[128 * 1024];
	ssize_t n;

	TRY(image_blob_begin(s, digest, size, &b, e));
	while (!b.present && (n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read blob %s", blob_name(&b));
		TRY(image_blob_write(&b, bytes, (size_t)n, e));
	}
	return image_blob_commit(&b, ret_digest, ret_size, e);
}

int image_store_open_blob(const struct image_store *s, const struct digest *digest, struct err *e)
{
	int fd = openat(s->blobs, store_place(digest).text,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open blob %s", digest->text) : fd;
}

int image_store_read(const struct image_store *s, const struct digest *digest, struct buf *ret,
		     struct err *e)
{
	auto_fd int fd = image_store_open_blob(s, digest, e);
	size_t before = ret->len;
	struct digest found;
	int r;

	TRY(fd);
	r = io_slurp(fd, IMAGE_DOCUMENT_MAX, ret);
	if (r == -EFBIG)
		return err_set(e, EFBIG, "read blob %s: too large for a document", digest->text);
	if (r < 0)
		return err_neg(e, r, "read blob %s", digest->text);
	found = digest_of(digest_algorithm(digest), ret->text + before, ret->len - before);
	if (!digest_equal(&found, digest))
		return err_set(
			e, EBADMSG,
			"read blob %s: its content is damaged, it has the digest %s (hull fsck "
			"--repair removes it, then pull it again)",
			digest->text, found.text);
	return 0;
}
