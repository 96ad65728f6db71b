/*
 * store.h - images on this machine: blobs by digest, unpacked layers, names.
 *
 *	ROOT/oci-layout, index.json     an OCI image layout: skopeo reads it
 *	ROOT/blobs/sha256/HEX           whole and right, or not there; 0400
 *	ROOT/layers/sha256/DIFFID/fs    an unpacked layer, ready as an overlayfs lower
 *	ROOT/layers/sha256/DIFFID/boot  the boot in which it was made, until it is synced
 *	ROOT/pins/NAME -> DIGEST        a container's image: keeps it from gc; a symbolic link
 *	ROOT/staging/...                what is being made
 *	ROOT/lock, index.lock, layers.lock   flock(2)
 *	ROOT/unpack.lock                a byte of it for each layer that is being unpacked
 *
 * index.json holds one entry for each name (org.opencontainers.image.ref.name:
 * the reference in full) and each image that lost its name. An entry is a
 * manifest, of one platform, with all it needs; if it was chosen from an index,
 * IMAGE_STORE_INDEX says from which.
 *
 * What is promised: a name, blob or layer that a call has acknowledged
 * survives kill -9 and power cuts; what was not acknowledged leaves nothing
 * but files in staging/, which the next gc takes away. Blobs are verified
 * and synced before they get their place, the places before a name leads to
 * them. Layers are too many files to sync
 * each time: one made in this boot is trusted, as nothing but a power cut can
 * have lost its pages; one of an earlier boot that was never synced is not,
 * and counts as missing. Parallel writers of one blob or layer are harmless:
 * the first wins, the others find it there.
 *
 * Locks: whoever makes or looks up what has no name and no pin yet holds
 * image_store_use(), shared. gc takes the same lock alone. To run: use, resolve, pin,
 * let go; so a start waits for gc, for who unpacks the layer that it needs, and for nobody else.
 *
 * Nothing here needs to be root, but layers hold files of many owners: a user
 * calls image_layer_*, gc and check with mend inside the user namespace that has them.
 */
#ifndef HULL_IMAGE_STORE_H
#define HULL_IMAGE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "image/digest.h"
#include "image/documents.h"

#define IMAGE_STORE_REF_NAME "org.opencontainers.image.ref.name"
#define IMAGE_STORE_INDEX "io.hull.image.index" /* digest of the index it was chosen from */

struct image_store {
	int dir;    /* the root */
	int blobs;  /* ROOT/blobs */
	int layers; /* ROOT/layers */
	int staging;
};
#define IMAGE_STORE_CLOSED     \
	{                      \
		-1, -1, -1, -1 \
	}

/*
 * Where it is: `root` of the command line if not NULL; for root /var/lib/hull;
 * otherwise $XDG_DATA_HOME/hull or ~/.local/share/hull. Appends the path.
 */
int image_store_path(const char *root, struct buf *ret, struct err *e) MUST_CHECK;

/* Opens it, and makes what is missing (0700). Without `make`, -ENOENT is an answer. */
int image_store_open(const char *path, bool make, struct image_store *ret, struct err *e)
	MUST_CHECK;
void image_store_close(struct image_store *s);
#define auto_image_store __attribute__((cleanup(image_store_close)))

/* Takes the lock, shared, and waits while gc runs. Close the descriptor to let go. */
int image_store_use(const struct image_store *s, struct err *e) MUST_CHECK;

/* Blobs. */

/* A file that has no place yet. */
struct image_staged {
	int fd;
	char name[40]; /* in staging/; "": it has none, O_TMPFILE */
};

struct image_blob {
	const struct image_store *store; /* NULL: none begun */
	struct image_staged file;
	bool present;           /* it was there: what is written is left unread, commit succeeds */
	struct digest expected; /* not set: any */
	uint64_t limit;         /* bytes: exactly so many if `sized`, else at most */
	bool sized;
	uint64_t size; /* written so far */
	struct digest_state hash;
};

/*
 * Begins one. `digest` and `size` are what it has to be; NULL and -1: find out.
 * Hold image_store_use() until something that has a name leads to it. Both
 * algorithms are verified; blobs lie below blobs/sha256, those of sha512 below
 * blobs/sha512.
 */
int image_blob_begin(const struct image_store *s, const struct digest *digest, int64_t size,
		     struct image_blob *ret, struct err *e) MUST_CHECK;
/* -EFBIG as soon as there is more than there may be. */
int image_blob_write(struct image_blob *b, const void *bytes, size_t len, struct err *e) MUST_CHECK;
/* Verifies, syncs, names. -EBADMSG: not the digest or size that was expected. Ends it anyway. */
int image_blob_commit(struct image_blob *b, struct digest *ret_digest, uint64_t *ret_size,
		      struct err *e) MUST_CHECK;
/* Ends one without a trace; after commit it does nothing. */
void image_blob_abandon(struct image_blob *b);
#define auto_image_blob __attribute__((cleanup(image_blob_abandon)))

/* Begin, write, commit: from memory, and from a descriptor to its end. */
int image_store_add(const struct image_store *s, const void *bytes, size_t len, struct digest *ret,
		    struct err *e) MUST_CHECK;
int image_store_add_fd(const struct image_store *s, int fd, const struct digest *digest,
		       int64_t size, struct digest *ret_digest, uint64_t *ret_size, struct err *e)
	MUST_CHECK;

/* Whether it is there with this size (-1: any). Content was verified on its way in. */
bool image_store_has(const struct image_store *s, const struct digest *digest, int64_t size);
/* Open for reading; -ENOENT. */
int image_store_open_blob(const struct image_store *s, const struct digest *digest, struct err *e)
	MUST_CHECK;
/* Appends the content of a document, verified again. */
int image_store_read(const struct image_store *s, const struct digest *digest, struct buf *ret,
		     struct err *e) MUST_CHECK;

/* Layers. */

struct image_layer {
	const struct image_store *store; /* NULL: none begun */
	int fs;                          /* an empty directory, 0755: unpack here. -1: present */
	int dir;                         /* the one around it, in staging/ */
	int lock;                        /* while it is unpacked: others wait for it */
	bool present;                    /* it is there already */
	char staged[40];
	struct digest diff_id;
};

/*
 * Begins an unpacked layer. With `present` there is nothing to do but to abandon.
 * While another process unpacks this one it waits, and finds it present.
 */
int image_layer_begin(const struct image_store *s, const struct digest *diff_id,
		      struct image_layer *ret, struct err *e) MUST_CHECK;
/* `diff_id` is what the unpacker found; -EBADMSG if it is another. Renames it into its place. */
int image_layer_commit(struct image_layer *l, const struct digest *diff_id, struct err *e)
	MUST_CHECK;
/* Removes what was made; after commit it only closes. */
void image_layer_abandon(struct image_layer *l);
#define auto_image_layer __attribute__((cleanup(image_layer_abandon)))

/* O_PATH descriptor of its tree, for a lower "/proc/self/fd/N"; -ENOENT: unpack it first. */
int image_layer_open(const struct image_store *s, const struct digest *diff_id, struct err *e)
	MUST_CHECK;
/* syncfs(2), and layers of this boot are trusted in the next. gc does it; a monitor may. */
int image_layers_sync(const struct image_store *s, struct err *e) MUST_CHECK;

/* Images and their names. */

struct image_record {
	const char *name; /* "docker.io/library/debian:12"; NULL: it lost its name */
	struct image_descriptor manifest;
	struct digest index; /* not set: it was not chosen from an index */
};
struct image_records {
	struct image_record *at;
	size_t n;
};

/* All, in *a, by name; those without one at the end. */
int image_store_list(const struct image_store *s, struct arena *a, struct image_records *ret,
		     struct err *e) MUST_CHECK;

/*
 * Gives the manifest this name (NULL: none), at once and for good. Who had the
 * name before loses it; stays as an image without one, unless it has others.
 * The manifest, its config and layer blobs have to be there (-ENOENT names
 * what is not). `index` may be NULL.
 */
int image_store_tag(const struct image_store *s, const char *name,
		    const struct image_descriptor *manifest, const struct digest *index,
		    struct err *e) MUST_CHECK;

/*
 * What a person means: a name (short ones first as Docker's, then
 * localhost/..., then the only one that ends so), a name with a digest (of
 * manifest or index), or the beginning of the id (config digest) or manifest
 * digest, with "sha256:" or without. Strings are in *a. -ENOENT; -EEXIST:
 * ambiguous, and the message names two.
 */
int image_store_resolve(const struct image_store *s, const char *text, struct arena *a,
			struct image_record *ret, struct err *e) MUST_CHECK;

/* Takes the name away, and the image's entry with it. -ENOENT. Files go with the next gc. */
int image_store_untag(const struct image_store *s, const char *name, struct err *e) MUST_CHECK;
/* Takes away all entries of a manifest; *ret_names (may be NULL) are the names it had. */
int image_store_remove(const struct image_store *s, const struct digest *manifest, struct arena *a,
		       struct strings *ret_names, struct err *e) MUST_CHECK;
/* Takes away all entries without a name (`hull image prune`); returns how many. */
int image_store_prune(const struct image_store *s, struct err *e) MUST_CHECK;

/* Manifest and configuration of an image, read, verified and matched. */
struct image {
	struct digest id;     /* of the configuration: what `docker images` calls IMAGE ID */
	struct digest digest; /* of the manifest */
	struct image_manifest manifest;
	struct image_config config;
	uint64_t size; /* sum of the layers' blobs */
};
int image_load(const struct image_store *s, const struct digest *manifest, struct image *ret,
	       struct err *e) MUST_CHECK;
/* Whether it is for the platform that was asked for; -ENOENT: `name` is for another. */
int image_check_platform(const struct image_store *s, const struct digest *manifest,
			 const struct platform *wanted, const char *name, struct err *e) MUST_CHECK;
void image_done(struct image *i);
#define auto_image __attribute__((cleanup(image_done)))

/*
 * Pins: `name` (a container's id: a file name) needs this manifest and its
 * layers. Not synced, for the sake of the start: who finds a container after a power
 * cut pins its image again.
 */
int image_store_pin(const struct image_store *s, const char *name, const struct digest *manifest,
		    struct err *e) MUST_CHECK;
int image_store_unpin(const struct image_store *s, const char *name, struct err *e) MUST_CHECK;
struct image_pin {
	const char *name;
	struct digest manifest;
};
struct image_pins {
	struct image_pin *at;
	size_t n;
};
int image_store_pins(const struct image_store *s, struct arena *a, struct image_pins *ret,
		     struct err *e) MUST_CHECK;

/* Cleaning up. */

struct image_gc {
	uint64_t blobs, layers, staged; /* removed */
	uint64_t bytes;                 /* of blobs */
};
/*
 * Removes what no entry and no pin leads to; no layer while the image of a pin can't be read. Waits up to `wait_ms` for those
 * who use the store; -EBUSY: later. An entry's document that can't be read stops it
 * before anything is removed: run check.
 */
int image_store_gc(const struct image_store *s, unsigned wait_ms, struct image_gc *ret,
		   struct err *e) MUST_CHECK;

enum image_problem_kind {
	IMAGE_PROBLEM_INDEX,   /* index.json or oci-layout is missing or unreadable */
	IMAGE_PROBLEM_BLOB,    /* content is not what its name says; removed */
	IMAGE_PROBLEM_ENTRY,   /* an image lacks blobs: its entry is taken away */
	IMAGE_PROBLEM_LAYER,   /* half made: removed, it is unpacked again from its blob */
	IMAGE_PROBLEM_STAGING, /* left by a crash: removed */
	IMAGE_PROBLEM_PIN,     /* no pin: removed; of an image that is not whole: it stays */
	IMAGE_PROBLEM_FOREIGN, /* a file that is not ours, left alone */
};
struct image_problem {
	enum image_problem_kind kind;
	const char *what; /* a sentence, valid during the call */
	bool mended;
};
/*
 * `hull fsck`: reads all and hashes all, tells each problem, and with `mend`
 * mends it; alone in the store then (-EBUSY after `wait_ms`), and shared
 * otherwise. Returns how many problems remain. Crash leftovers in staging/ are
 * told only with `mend`, as without it they may be somebody's work.
 */
int image_store_check(const struct image_store *s, bool mend, unsigned wait_ms,
		      void (*tell)(const struct image_problem *p, void *ctx), void *ctx,
		      struct err *e) MUST_CHECK;

#endif
