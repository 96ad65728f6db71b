/* store_pins.c - which container needs which image: links whose target is a digest. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/store_private.h"

static int check_pin(const char *name, struct err *e)
{
	size_t n =
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-.");

	if (n == 0 || n > 200 || name[n] || name[0] == '.')
		return err_set(e, EINVAL, "pin an image for %s: not a container's id",
			       json_quote(name).text);
	return 0;
}

static int pin_path(const char *name, char *ret, size_t size, struct err *e)
{
	TRY(check_pin(name, e));
	snprintf(ret, size, "pins/%s", name);
	return 0;
}

int image_store_pin(const struct image_store *s, const char *name, const struct digest *manifest,
		    struct err *e)
{
	char path[NAME_MAX + 8], staged[40];
	int r = 0;

	TRY(pin_path(name, path, sizeof(path), e));
	if (symlinkat(manifest->text, s->dir, path) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "pin image %s for %s", manifest->text, name);
	store_unique_name(staged, sizeof(staged));
	if (symlinkat(manifest->text, s->staging, staged) < 0)
		return err_sys(e, "pin image %s for %s", manifest->text, name);
	if (renameat(s->staging, staged, s->dir, path) < 0) {
		r = err_sys(e, "pin image %s for %s", manifest->text, name);
		unlinkat(s->staging, staged, 0);
	}
	return r;
}

int image_store_unpin(const struct image_store *s, const char *name, struct err *e)
{
	char path[NAME_MAX + 8];

	TRY(pin_path(name, path, sizeof(path), e));
	if (unlinkat(s->dir, path, 0) < 0 && errno != ENOENT)
		return err_sys(e, "unpin the image of %s", name);
	return 0;
}

struct listing {
	const struct image_store *store;
	struct arena *arena;
	struct image_pins pins;
	size_t size;
};

/* What is no pin is left out: check tells of it. */
static int add_pin(const char *name, void *ctx, struct err *e UNUSED)
{
	struct listing *l = ctx;
	char path[NAME_MAX + 8], target[DIGEST_TEXT_MAX + 1];
	struct image_pin pin = { .name = name };
	ssize_t n;

	snprintf(path, sizeof(path), "pins/%s", name);
	n = readlinkat(l->store->dir, path, target, sizeof(target));
	if (n < 0 || n == (ssize_t)sizeof(target))
		return 0;
	target[n] = '\0';
	if (digest_parse(target, &pin.manifest, NULL) < 0)
		return 0;
	if (l->pins.n == l->size) {
		struct image_pin *more;

		l->size = l->size ? 2 * l->size : 16;
		more = arena_array(l->arena, l->size, sizeof(*more));
		if (l->pins.n)
			memcpy(more, l->pins.at, l->pins.n * sizeof(*more));
		l->pins.at = more;
	}
	pin.name = arena_strdup(l->arena, name);
	l->pins.at[l->pins.n++] = pin;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct image_pin *)a)->name, ((const struct image_pin *)b)->name);
}

int image_store_pins(const struct image_store *s, struct arena *a, struct image_pins *ret,
		     struct err *e)
{
	struct listing l = { .store = s, .arena = a };

	TRY(store_each(s->dir, "pins", add_pin, &l, e));
	if (l.pins.n > 1)
		qsort(l.pins.at, l.pins.n, sizeof(*l.pins.at), by_name);
	*ret = l.pins;
	return 0;
}
