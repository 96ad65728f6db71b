#include "engine/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/signals.h"
#include "engine/attach.h"
#include "engine/checkpoint_archive.h"
#include "engine/files.h"
#include "engine/keep.h"
#include "engine/netjoin.h"
#include "network/config.h"

enum { KEEPER_WAIT_MS = 30 * 1000 };

static const char whole[] = "checkpoint", staged[] = "checkpoint.new",
		  logs_name[] = "checkpoint.log", lock_name[] = "checkpointing";

static int lock(int dir, struct err *e)
{
	auto_fd int fd = openat(dir, lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "open %s of the container", lock_name);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return take_fd(&fd);
	if (errno == EWOULDBLOCK)
		return err_set(e, EBUSY, "another command writes a checkpoint of it");
	return err_sys(e, "lock %s of the container", lock_name);
}

void checkpoint_wait(int dir)
{
	auto_fd int fd = openat(dir, lock_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	while (fd >= 0 && flock(fd, LOCK_SH) < 0)
		if (errno != EINTR) {
			log_warn("wait for the container's checkpoint: %s", err_text(errno));
			return;
		}
}

static void remove_tree(int dir, const char *name)
{
	int r = io_remove_tree(dir, name);

	if (r < 0)
		log_warn("remove %s of the container: %s", name, err_text(-r));
}

void checkpoint_drop(int dir)
{
	remove_tree(dir, whole);
	remove_tree(dir, logs_name);
}

/* Names of files in the container's directory, as paths for CRIU. */
static void name_directories(const char *bundle, const char *images, struct arena *a,
			     struct criu_options *ret)
{
	ret->image_path = arena_printf(a, "%s/%s", bundle, images);
	ret->work_path = arena_printf(a, "%s/%s", bundle, logs_name);
}

void checkpoint_request(const struct restore_wish *w, const char *bundle, struct arena *a,
			struct restore_request *ret)
{
	*ret = (struct restore_request){
		.kept = true,
		.tcp_close = w->tcp_close,
		.criu = { .tcp_established = w->tcp_established, .file_locks = w->file_locks },
	};
	name_directories(bundle, whole, a, &ret->criu);
}

/* The addresses that it has */

/* What a plug-in of CNI gives it is that one's affair. */
static int is_ours(int state, const char *network, struct arena *a, struct err *e)
{
	struct network found;

	TRY(network_find(state, network, a, &found, e));
	return found.driver != NETWORK_CNI;
}

static const char *addr_or_null(const struct net_addr *addr, struct arena *a)
{
	return addr->family ? arena_strdup(a, addr_text(addr).text) : NULL;
}

static int find_addresses(const struct engine *g, int dir, const struct record *r, struct arena *a,
			  struct joins *ret, struct err *e)
{
	auto_netjoin_view struct netjoin_view v = { 0 };
	auto_fd int state = -1;

	TRY(netjoin_look(g, dir, r, &v, e));
	ret->list.at = arena_array(a, v.now.interfaces.n + 1, sizeof(*ret->list.at));
	if (!v.now.interfaces.n)
		return 0;
	state = network_state_open(g->network_path, e);
	TRY(state);
	for (size_t i = 0; i < v.now.interfaces.n; i++) {
		const struct net_interface *it = &v.now.interfaces.at[i];
		int ours = it->network ? is_ours(state, it->network, a, e) : 0;

		TRY(ours);
		if (!ours)
			continue;
		ret->list.at[ret->list.n++] = (struct join){
			.network = arena_strdup(a, it->network),
			.ip = addr_or_null(&it->ip.base, a),
			.ip6 = addr_or_null(&it->ip6.base, a),
			.mac = mac_is_set(&it->mac) ? arena_strdup(a, mac_text(&it->mac).text)
						    : NULL,
		};
	}
	return 0;
}

static int open_images(int dir, const char *name, struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open %s of the container", name) : fd;
}

int checkpoint_joins(int dir, const struct restore_wish *w, struct arena *a, struct joins *ret,
		     struct err *e)
{
	auto_fd int images = open_images(dir, whole, e);

	TRY(images);
	TRY(joins_read_file(images, a, ret, e));
	for (size_t i = 0; i < ret->list.n; i++) {
		struct join *j = &ret->list.at[i];

		if (w->other_ip)
			j->ip = j->ip6 = NULL;
		if (w->other_mac)
			j->mac = NULL;
	}
	return 0;
}

/* Checkpoint */

struct work {
	const struct engine *g;
	const struct checkpoint_wish *wish;
	char id[RECORD_ID_LEN + 1];
	int dir, lock;
	struct record record;
	struct arena arena;
};

static void work_done(struct work *k)
{
	close_fd(&k->lock);
	close_fd(&k->dir);
	record_done(&k->record);
	arena_done(&k->arena);
}

/* Whoever keeps it has to bring its streams again. */
static int check_keeper(const struct work *k, struct err *e)
{
	auto_state struct state state = { 0 };
	auto_fd int unkept = -1, keeper = -1;
	int r = container_state(k->g->rt, k->id, &state, e);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r < 0 || (state.status != STATE_RUNNING && state.status != STATE_PAUSED))
		return err_set(e, EBUSY, "it does not run");
	unkept = record_lock(k->dir, NULL);
	if (unkept >= 0)
		return err_set(e, ENOTSUP, "its keeper was killed: stop it, and start it again");
	keeper = attach_connect(k->dir, NULL);
	if (keeper < 0)
		return err_set(e, ENOTSUP,
			       "it is run in the foreground, with another command's streams, "
			       "which could not be had again");
	return 0;
}

static int check(const struct work *k, struct err *e)
{
	const struct record *r = &k->record;

	if (geteuid() != 0)
		return err_set(e, EPERM, "CRIU needs root");
	if (r->remove)
		return err_set(e, ENOTSUP,
			       "it is removed when it ends (--rm), and its checkpoint too");
	if (r->sockets.n)
		return err_set(e, ENOTSUP,
			       "sockets of the host (--publish-socket) cannot be had again");
	if (k->wish->file)
		TRY(checkpoint_export_check(r, e));
	return check_keeper(k, e);
}

static int dump(struct work *k, struct err *e)
{
	const struct checkpoint_wish *w = k->wish;
	const char *bundle = arena_printf(&k->arena, "%s/containers/%s", k->g->path.text, k->id);
	struct checkpoint_request req = {
		.id = k->id,
		.kept = true,
		.leave_running = w->leave_running,
		.criu = { .tcp_established = w->tcp_established, .file_locks = w->file_locks },
	};
	auto_fd int images = -1;
	struct joins joins = { 0 };

	name_directories(bundle, staged, &k->arena, &req.criu);
	remove_tree(k->dir, staged);
	remove_tree(k->dir, logs_name);
	/* In a user namespace CRIU is somebody else, and reads it. */
	if (mkdirat(k->dir, staged, 0711) < 0)
		return err_sys(e, "make %s of the container", staged);
	images = open_images(k->dir, staged, e);
	TRY(images);
	TRY(find_addresses(k->g, k->dir, &k->record, &k->arena, &joins, e));
	TRY(joins_write(images, &joins, e));
	return container_checkpoint(k->g->rt, &req, e);
}

/* From here on it can be restored. */
static int settle(struct work *k, struct err *e)
{
	auto_status struct status s = { 0 };
	auto_fd int lock = -1;
	char now[48];

	/* There is always a whole one: the one before, or this. */
	if (renameat2(k->dir, staged, k->dir, whole, RENAME_EXCHANGE) < 0 &&
	    (errno != ENOENT || renameat(k->dir, staged, k->dir, whole) < 0))
		return err_sys(e, "rename %s of the container", staged);
	remove_tree(k->dir, staged);
	if (!k->wish->keep)
		remove_tree(k->dir, logs_name);
	if (k->wish->leave_running)
		return 0;
	lock = status_lock(k->dir, e);
	TRY(lock);
	TRY(status_read(k->dir, &s, e));
	record_now(now);
	s.checkpointed = arena_strdup(&s.arena, now);
	return status_write(k->dir, &s, e);
}

/* What it has changed is that of the moment; if it cannot be written, there is the checkpoint itself. */
static int dump_and_settle(struct work *k, struct err *e)
{
	struct err export = { 0 };
	int r = dump(k, e);

	if (r < 0) {
		remove_tree(k->dir, staged);
		return r;
	}
	if (k->wish->file &&
	    checkpoint_export(k->g, k->dir, &k->record, staged, k->wish->file, &export) < 0)
		r = -export.code;
	TRY(settle(k, e));
	if (r < 0)
		*e = export;
	return r;
}

/* One that goes on may change nothing until it is in the archive. */
static int dump_paused(struct work *k, struct err *e)
{
	auto_state struct state state = { 0 };
	struct err resume = { 0 };
	int r;

	TRY(container_state(k->g->rt, k->id, &state, e));
	if (!k->wish->file || !k->wish->leave_running || state.status == STATE_PAUSED)
		return dump_and_settle(k, e);
	TRY(container_pause(k->g->rt, k->id, e));
	r = dump_and_settle(k, e);
	if (container_resume(k->g->rt, k->id, &resume) < 0 && r >= 0) {
		*e = resume;
		r = -resume.code;
	}
	return r;
}

static int write_checkpoint(struct work *k, struct err *e)
{
	int r;

	k->dir = record_open(k->g, k->id, &k->record, e);
	TRY(k->dir);
	k->lock = lock(k->dir, e);
	TRY(k->lock);
	TRY(check(k, e));
	/* Ctrl-C would leave the container stopped half-way, and frozen. */
	signals_hold(true);
	r = dump_paused(k, e);
	signals_hold(false);
	TRY(r);
	close_fd(&k->lock);
	return k->wish->leave_running ? 0 : record_wait(k->dir, KEEPER_WAIT_MS, e);
}

int engine_checkpoint(const struct engine *g, const char *who, const struct checkpoint_wish *w,
		      struct err *e)
{
	struct work k = { .g = g, .wish = w, .dir = -1, .lock = -1 };
	int r;

	TRY(record_find(g, who, k.id, e));
	r = write_checkpoint(&k, e);
	work_done(&k);
	return r < 0 ? err_wrap(e, "checkpoint %s", who) : 0;
}

/* Restore */

static int restore_made(const struct engine *g, struct making *m, const struct restore_wish *w,
			struct err *e)
{
	struct stat st;

	if (geteuid() != 0)
		return err_set(e, EPERM, "CRIU needs root");
	if (fstatat(m->dir, whole, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? err_set(e, ENOENT, "it has no checkpoint")
				       : err_sys(e, "look at its checkpoint");
	/* What a killed keeper left of an ended one. */
	TRY(container_delete(g->rt, m->id, true, e));
	m->record.detached = true;
	m->restore = w;
	m->again = true;
	return keep_detached(g, m, e);
}

int engine_restore(const struct engine *g, const char *who, const struct restore_wish *w,
		   struct err *e)
{
	auto_making struct making m = MAKING_NONE;
	int r = engine_open_stopped(g, who, &m, e);

	if (r >= 0)
		r = restore_made(g, &m, w, e);
	return r < 0 ? err_wrap(e, "restore %s", who) : 0;
}

int engine_restore_archive(const struct engine *g, const char *file, const char *name,
			   const struct restore_wish *w, struct arena *a, const char **ret_name,
			   struct err *e)
{
	auto_making struct making m = MAKING_NONE;
	struct err removal = { 0 };

	TRY(checkpoint_import(g, file, name, &m, e));
	*ret_name = arena_strdup(a, m.record.name);
	if (restore_made(g, &m, w, e) >= 0)
		return 0;
	if (engine_remove_locked(g, &m, false, &removal) < 0)
		log_warn("%s", removal.msg);
	return err_wrap(e, "--import %s", file);
}
