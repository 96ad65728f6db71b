/*
 * files.h - the files of a container, running or not, for a process that reads or writes them.
 *
 *	auto_files struct files f = FILES_NONE;
 *
 *	TRY(files_open(g, who, FILES_MOUNTED, false, &f, e));
 *	TRY(files_begin(&f, fn, ctx, &job, e));         (userns.h: fn is called in a process of its own)
 *	...
 *	TRY(userns_end(&job, e));
 *
 * The container is a stranger's and may run: `root` is its root directory, and whatever is looked
 * for in it is looked for by mounts/rootfd.h, beneath that descriptor.
 */
#ifndef HULL_ENGINE_FILES_H
#define HULL_ENGINE_FILES_H

#include "engine/engine.h"
#include "engine/record.h"
#include "engine/userns.h"
#include "runtime/handle.h"

enum files_view {
	FILES_LAYERS,  /* its own file system alone, with nothing that is mounted there */
	FILES_MOUNTED, /* of a running one what it sees; else with volumes and binds */
};

/* `root` is borrowed; `sock` is for userns_say(). */
typedef int files_fn(void *ctx, int root, int sock, struct err *e);

struct files {
	const struct engine *g;
	enum files_view view;
	bool write;
	char id[RECORD_ID_LEN + 1];
	struct record record;
	struct handle handle; /* of a running one */
	bool running;
	int dir, copying,
		lock; /* of the engine's directory of it; held while one that is stopped is written to */
	struct spec spec;
	int root;
	files_fn *fn;
	void *ctx;
};

/* clang-format off */
#define FILES_NONE { .handle = HANDLE_NONE, .dir = -1, .copying = -1, .lock = -1, .root = -1 }
/* clang-format on */
#define auto_files __attribute__((cleanup(files_close)))

/*
 * To write to a stopped container is to hold its locks until files_close(): it is not started
 * meanwhile. Neither is it written to by two.
 */
int files_open(const struct engine *g, const char *who, enum files_view view, bool write,
	       struct files *ret, struct err *e) MUST_CHECK;
void files_close(struct files *f);

/*
 * Begins the job. With FILES_LAYERS of a running container it is in the container's mount namespace:
 * it uses what it has open, and executes nothing.
 */
int files_begin(struct files *f, files_fn *fn, void *ctx, struct userns_job *ret, struct err *e)
	MUST_CHECK;

/* Waits until nobody writes to the stopped container in `dir`, if anybody does. */
int files_wait(int dir, struct err *e) MUST_CHECK;

#endif
