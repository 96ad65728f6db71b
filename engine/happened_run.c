#include "engine/happened_run.h"

#include <stdio.h>
#include <string.h>

#include "base/io.h"

static void write_join(const char *action, const char *container, const char *network,
		       const char *driver, int64_t when, struct buf *ret)
{
	struct spec_pair pairs[] = { { "container", container },
				     { "name", network },
				     { "type", driver } };

	happening_write(&(struct happening){ .type = "network",
					     .action = action,
					     .id = network,
					     .attributes = { pairs, driver ? 3 : 2 } },
			when, ret);
}

void happened_join(const struct engine *g, const char *action, const char *container,
		   const char *network, const char *driver)
{
	auto_buf struct buf line = { 0 };

	write_join(action, container, network, driver, happened_now(), &line);
	happened_note(g, &line);
}

/* NULL: it was connected later. */
static const char *driver_of(const struct buf *joined, const char *network)
{
	const char *name, *driver, *at = joined->text, *end = at + joined->len;

	for (; joined->len && at < end; at = driver + strlen(driver) + 1) {
		name = at;
		driver = name + strlen(name) + 1;
		if (strcmp(name, network) == 0)
			return driver;
	}
	return NULL;
}

static void write_mounts(const struct record *r, const char *action, size_t n_pairs, int64_t when,
			 struct buf *ret)
{
	for (size_t i = 0; i < r->mounts.n; i++) {
		const struct record_mount *m = &r->mounts.at[i];
		/* Where it is, and how, is told when it comes. */
		struct spec_pair pairs[] = { { "container", r->id },
					     { "driver", "local" },
					     { "destination", m->target },
					     { "read/write", m->readonly ? "false" : "true" } };

		happening_write(&(struct happening){ .type = "volume",
						     .action = action,
						     .id = m->volume,
						     .attributes = { pairs, n_pairs } },
				when, ret);
	}
}

void happened_began(const struct engine *g, const struct record *r, const struct buf *joined)
{
	auto_buf struct buf lines = { 0 };
	int64_t now = happened_now();
	size_t at = 0;

	while (at < joined->len) {
		const char *name = joined->text + at, *driver = name + strlen(name) + 1;

		write_join("connect", r->id, name, driver, now, &lines);
		at += strlen(name) + strlen(driver) + 2;
	}
	write_mounts(r, "mount", 4, now, &lines);
	happened_write(r, "start", NULL, now, &lines);
	happened_note(g, &lines);
}

void happened_ended(const struct engine *g, const char *id, int exit_code, const struct buf *joined,
		    const struct buf *left)
{
	auto_record struct record r = { 0 };
	auto_buf struct buf lines = { 0 };
	int64_t now = happened_now();
	char code[16];
	struct spec_pair pair = { "exitCode", code };
	struct err e;
	auto_fd int dir = record_open(g, id, &r, &e);

	if (dir < 0)
		return;
	snprintf(code, sizeof(code), "%d", exit_code);
	happened_write(&r, "die", &(struct spec_pairs){ &pair, 1 }, now, &lines);
	if (left) {
		for (size_t at = 0; at < left->len; at += strlen(left->text + at) + 1)
			write_join("disconnect", r.id, left->text + at,
				   driver_of(joined, left->text + at), now, &lines);
		write_mounts(&r, "unmount", 2, now, &lines);
	}
	happened_note(g, &lines);
}
