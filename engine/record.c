#include "engine/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "base/json_write.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/happened.h"
#include "engine/userns.h"

enum { CONFIG_MAX = 16 * 1024 * 1024, RECORD_MAX = 4 * 1024 * 1024, WAIT_STEP_MS = 20 };

static const char record_file[] = "container.json", status_file[] = "status.json";

static const struct json_name restart_names[] = {
	{ "no", RESTART_NO },
	{ "on-failure", RESTART_ON_FAILURE },
	{ "always", RESTART_ALWAYS },
	{ "unless-stopped", RESTART_UNLESS_STOPPED },
	{ 0 },
};

/* clang-format off */
JSON_TABLE(mount_fields, struct record_mount) = {
	FIELD_STRING(struct record_mount, "volume", volume, REQUIRED),
	FIELD_STRING(struct record_mount, "target", target, REQUIRED),
	FIELD_BOOL(struct record_mount, "readonly", readonly, 0),
	{ 0 },
};

JSON_TABLE(record_fields, struct record) = {
	FIELD_STRING(struct record, "id", id, REQUIRED),
	FIELD_STRING(struct record, "name", name, REQUIRED),
	FIELD_STRING(struct record, "image", image, 0),
	FIELD_STRING(struct record, "imageId", image_id, 0),
	FIELD_STRING(struct record, "created", created, REQUIRED),
	FIELD_STRINGS(struct record, "command", command, 0),
	FIELD_STRINGS(struct record, "layers", layers, 0),
	FIELD_STRING(struct record, "rootfs", rootfs, 0),
	FIELD_BOOL(struct record, "terminal", terminal, 0),
	FIELD_BOOL(struct record, "stdinOpen", stdin_open, 0),
	FIELD_BOOL(struct record, "detached", detached, 0),
	FIELD_BOOL(struct record, "remove", remove, 0),
	FIELD_BOOL(struct record, "volatile", is_volatile, 0),
	FIELD_ENUM(struct record, "restart", restart, restart_names, 0),
	FIELD_U32(struct record, "restartMax", restart_max, 0),
	FIELD_I32_IN(struct record, "stopSignal", stop_signal, 1, 64, 0),
	FIELD_U32(struct record, "stopTimeout", stop_timeout, 0),
	FIELD_U32(struct record, "keepWhy", keep_why, 0),
	FIELD_STRING_MAP(struct record, "labels", labels, key, value, 0),
	FIELD_STRING(struct record, "network", network, 0),
	FIELD_STRING(struct record, "hostname", hostname, 0),
	FIELD_STRING(struct record, "ip", ip, 0),
	FIELD_STRING(struct record, "mac", mac, 0),
	FIELD_STRINGS(struct record, "netAliases", net_aliases, 0),
	FIELD_STRINGS(struct record, "dns", dns, 0),
	FIELD_STRINGS(struct record, "dnsSearch", dns_search, 0),
	FIELD_STRINGS(struct record, "dnsOptions", dns_options, 0),
	FIELD_STRINGS(struct record, "addHosts", add_hosts, 0),
	FIELD_STRINGS(struct record, "published", published, 0),
	FIELD_STRINGS(struct record, "exposed", exposed, 0),
	FIELD_STRINGS(struct record, "sockets", sockets, 0),
	FIELD_STRINGS(struct record, "borrowed", borrowed, 0),
	FIELD_STRINGS(struct record, "volumes", volumes, 0),
	FIELD_LIST(struct record, "mounts", mounts, mount_fields, 0),
	FIELD_STRING(struct record, "user", user, 0),
	FIELD_U32(struct record, "usernsUid", userns.uid, 0),
	FIELD_U32(struct record, "usernsGid", userns.gid, 0),
	FIELD_U32(struct record, "usernsCount", userns.count, 0),
	FIELD_STRING(struct record, "logDriver", log_driver, 0),
	FIELD_STRING(struct record, "logTag", log_tag, 0),
	FIELD_U64(struct record, "logMaxSize", log_max_size, 0),
	FIELD_U32(struct record, "logMaxFiles", log_max_files, 0),
	FIELD_STRINGS(struct record, "healthTest", health.test, 0),
	FIELD_I64_IN(struct record, "healthInterval", health.interval, 0, INT64_MAX, 0),
	FIELD_I64_IN(struct record, "healthTimeout", health.timeout, 0, INT64_MAX, 0),
	FIELD_I64_IN(struct record, "healthStartPeriod", health.start_period, 0, INT64_MAX, 0),
	FIELD_I64_IN(struct record, "healthStartInterval", health.start_interval, 0, INT64_MAX, 0),
	FIELD_I64_IN(struct record, "healthRetries", health.retries, 0, INT64_MAX, 0),
	{ 0 },
};

JSON_TABLE(status_fields, struct status) = {
	FIELD_STRING(struct status, "started", started, 0),
	FIELD_STRING(struct status, "finished", finished, 0),
	FIELD_I32_IN(struct status, "exitCode", exit_code, 0, 255, 0),
	FIELD_U32(struct status, "restarts", restarts, 0),
	FIELD_STRING(struct status, "error", error, 0),
	FIELD_BOOL(struct status, "oomKilled", oom_killed, 0),
	FIELD_STRING(struct status, "lack", lack, 0),
	FIELD_STRING(struct status, "held", held, 0),
	FIELD_STRING(struct status, "denied", denied, 0),
	FIELD_BOOL(struct status, "stopped", stopped, 0),
	FIELD_STRING(struct status, "checkpointed", checkpointed, 0),
	FIELD_STRING(struct status, "restored", restored, 0),
	{ 0 },
};
/* clang-format on */

void record_done(struct record *r)
{
	arena_done(&r->arena);
}

void status_done(struct status *s)
{
	arena_done(&s->arena);
}

void record_now(char ret[48])
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(ret, 48, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret + n, 48 - n, ".%09ldZ", ts.tv_nsec);
}

int record_new_id(char ret[RECORD_ID_LEN + 1], struct err *e)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[RECORD_ID_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(e, "make a container id");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[RECORD_ID_LEN] = '\0';
	return 0;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int record_check_name(const char *name, struct err *e)
{
	size_t len = strlen(name);
	bool fine = len >= 1 && len <= RECORD_NAME_MAX && is_alnum(name[0]);

	for (const char *c = name; fine && *c; c++)
		fine = is_alnum(*c) || strchr("_.-", *c);
	if (fine)
		return 0;
	return err_set(e, EINVAL,
		       "container name %s: a name is at most %d letters, digits, \"_\", \".\" and "
		       "\"-\", and begins with a letter or digit",
		       json_quote(name).text, RECORD_NAME_MAX);
}

static int try_lock(int dir)
{
	auto_fd int fd = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return take_fd(&fd);
}

int record_lock(int dir, struct err *e)
{
	int fd = try_lock(dir);

	if (fd == -EWOULDBLOCK)
		return err_set(e, EBUSY, "the container is running");
	return fd < 0 ? err_neg(e, fd, "lock the container") : fd;
}

int record_wait(int dir, int timeout_ms, struct err *e)
{
	int64_t end = io_now_us() + (int64_t)timeout_ms * 1000;
	auto_fd int fd = openat(dir, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "wait for the container");
	while (flock(fd, LOCK_SH | (timeout_ms < 0 ? 0 : LOCK_NB)) < 0) {
		if (errno == EWOULDBLOCK && io_now_us() < end)
			usleep(WAIT_STEP_MS * 1000);
		else if (errno == EWOULDBLOCK)
			return err_set(e, ETIME, "the container is still running");
		else if (errno != EINTR)
			return err_sys(e, "wait for the container");
	}
	return 0;
}

static int open_made(const struct engine *g, const char *id, int *ret_lock, struct err *e)
{
	auto_fd int dir =
		openat(g->containers, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int lock = -1;

	if (dir < 0)
		return err_sys(e, "open the directory of container %s", id);
	lock = try_lock(dir);
	if (lock < 0)
		return err_neg(e, lock, "lock container %s", id);
	*ret_lock = take_fd(&lock);
	return take_fd(&dir);
}

int record_make(const struct engine *g, const char *id, int *ret_lock, struct err *e)
{
	int dir;

	if (mkdirat(g->containers, id, 0700) < 0)
		return err_sys(e, "make the directory of container %s", id);
	dir = open_made(g, id, ret_lock, e);
	if (dir < 0 && io_remove_tree(g->containers, id) < 0)
		log_warn("the directory of container %.12s is left", id);
	return dir;
}

static void encode_mounts(struct json_writer *w, const struct record *r)
{
	if (!r->mounts.n)
		return;
	json_write_array(w, "mounts");
	for (size_t i = 0; i < r->mounts.n; i++) {
		json_write_object(w, NULL);
		json_write_string(w, "volume", r->mounts.at[i].volume);
		json_write_string(w, "target", r->mounts.at[i].target);
		json_write_bool(w, "readonly", r->mounts.at[i].readonly);
		json_write_end(w);
	}
	json_write_end(w);
}

static void encode(const struct record *r, struct buf *out)
{
	struct json_writer w = json_writer(out, "  ");

	json_write_object(&w, NULL);
	json_write_string(&w, "id", r->id);
	json_write_string(&w, "name", r->name);
	json_write_string(&w, "image", r->image);
	json_write_string(&w, "imageId", r->image_id);
	json_write_string(&w, "created", r->created);
	json_write_strings(&w, "command", &r->command);
	json_write_strings(&w, "layers", &r->layers);
	json_write_string(&w, "rootfs", r->rootfs);
	json_write_bool(&w, "terminal", r->terminal);
	json_write_bool(&w, "stdinOpen", r->stdin_open);
	json_write_bool(&w, "detached", r->detached);
	json_write_bool(&w, "remove", r->remove);
	json_write_bool(&w, "volatile", r->is_volatile);
	json_write_string(&w, "restart", json_name_of(restart_names, r->restart));
	json_write_uint(&w, "restartMax", r->restart_max);
	json_write_int(&w, "stopSignal", r->stop_signal);
	json_write_uint(&w, "stopTimeout", r->stop_timeout);
	json_write_uint(&w, "keepWhy", r->keep_why);
	json_write_object(&w, "labels");
	for (size_t i = 0; i < r->labels.n; i++)
		json_write_string(&w, r->labels.at[i].key, r->labels.at[i].value);
	json_write_end(&w);
	json_write_string(&w, "network", r->network);
	json_write_string(&w, "hostname", r->hostname);
	json_write_string(&w, "ip", r->ip);
	json_write_string(&w, "mac", r->mac);
	json_write_strings(&w, "netAliases", &r->net_aliases);
	json_write_strings(&w, "dns", &r->dns);
	json_write_strings(&w, "dnsSearch", &r->dns_search);
	json_write_strings(&w, "dnsOptions", &r->dns_options);
	json_write_strings(&w, "addHosts", &r->add_hosts);
	json_write_strings(&w, "published", &r->published);
	json_write_strings(&w, "exposed", &r->exposed);
	json_write_strings(&w, "sockets", &r->sockets);
	json_write_strings(&w, "borrowed", &r->borrowed);
	json_write_strings(&w, "volumes", &r->volumes);
	encode_mounts(&w, r);
	json_write_string(&w, "user", r->user);
	if (r->userns.count) {
		json_write_uint(&w, "usernsUid", r->userns.uid);
		json_write_uint(&w, "usernsGid", r->userns.gid);
		json_write_uint(&w, "usernsCount", r->userns.count);
	}
	json_write_string(&w, "logDriver", r->log_driver);
	json_write_string(&w, "logTag", r->log_tag);
	json_write_uint(&w, "logMaxSize", r->log_max_size);
	json_write_uint(&w, "logMaxFiles", r->log_max_files);
	json_write_strings(&w, "healthTest", &r->health.test);
	json_write_int(&w, "healthInterval", r->health.interval);
	json_write_int(&w, "healthTimeout", r->health.timeout);
	json_write_int(&w, "healthStartPeriod", r->health.start_period);
	json_write_int(&w, "healthStartInterval", r->health.start_interval);
	json_write_int(&w, "healthRetries", r->health.retries);
	json_write_end(&w);
}

/* Held by who gives away a name that leads nowhere, so that nobody does it to one that was taken meanwhile. */
static int lock_names(const struct engine *g, struct err *e)
{
	auto_fd int fd = openat(g->names, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open the directory of names");
	TRY(lock_wait(fd, false, "the directory of names", e));
	return take_fd(&fd);
}

static int take_name(const struct engine *g, const char *name, const char *id, struct err *e)
{
	char holder[RECORD_ID_LEN + 1];
	auto_fd int lock = -1;
	struct stat st;
	ssize_t n;

	if (symlinkat(id, g->names, name) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "take the name %s", name);
	lock = lock_names(g, e);
	TRY(lock);
	n = readlinkat(g->names, name, holder, sizeof(holder) - 1);
	holder[n < 0 ? 0 : n] = '\0';
	/* One that leads nowhere was left by a crash. */
	if (n == RECORD_ID_LEN && fstatat(g->containers, holder, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT && unlinkat(g->names, name, 0) == 0 &&
	    symlinkat(id, g->names, name) == 0)
		return 0;
	return err_set(e, EEXIST, "the container name \"%s\" is in use by container %.12s", name,
		       holder);
}

int record_save(const struct engine *g, int dir, const struct record *r, struct err *e)
{
	auto_buf struct buf text = { 0 };

	encode(r, &text);
	TRY(take_name(g, r->name, r->id, e));
	if (io_replace_file(dir, record_file, text.text, text.len, e) < 0) {
		unlinkat(g->names, r->name, 0);
		return -e->code;
	}
	return 0;
}

int record_open_in(int parent, const char *id, struct record *ret, struct err *e)
{
	auto_fd int dir = openat(parent, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	*ret = (struct record){ 0 };
	if (dir < 0 && errno == ENOENT)
		return err_set(e, ENOENT, "no such container: %s", id);
	if (dir < 0)
		return err_sys(e, "open container %s", id);
	r = json_decode_file(dir, record_file, RECORD_MAX, record_fields, &ret->arena, ret, e);
	if (r < 0)
		record_done(ret);
	if (r == -ENOENT)
		return err_set(e, ENOENT, "no such container: %s", id);
	TRY(r);
	if (!ret->image)
		ret->image = "";
	if (!ret->log_driver)
		ret->log_driver = "json-file";
	return take_fd(&dir);
}

int record_open(const struct engine *g, const char *id, struct record *ret, struct err *e)
{
	return record_open_in(g->containers, id, ret, e);
}

struct removal {
	const struct engine *g;
	const char *id;
};

/* overlayfs leaves directories that only root may enter, be it root of a user namespace. */
static int remove_tree(void *ctx, struct err *e)
{
	const struct removal *r = ctx;
	int n = io_remove_tree(r->g->containers, r->id);

	return n < 0 ? err_neg(e, n, "remove the files of container %s", r->id) : 0;
}

/* If it leads there. */
static void give_up_name(const struct engine *g, const char *id, const char *name)
{
	char holder[RECORD_ID_LEN + 1];
	ssize_t n = readlinkat(g->names, name, holder, sizeof(holder) - 1);

	holder[n < 0 ? 0 : n] = '\0';
	if (strcmp(holder, id) == 0)
		unlinkat(g->names, name, 0);
}

/* container.json goes first: from then on it is rubbish to be swept, and no container. */
int record_remove(const struct engine *g, const char *id, const char *name, struct err *e)
{
	char file[RECORD_ID_LEN + sizeof(record_file) + 2];
	struct removal removal = { g, id };
	auto_record struct record now = { 0 };
	struct err ignored;
	auto_fd int dir = -1;

	/* It may have been renamed since who removes it has read its record. */
	if (name)
		dir = record_open(g, id, &now, &ignored);
	snprintf(file, sizeof(file), "%s/%s", id, record_file);
	if (unlinkat(g->containers, file, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove container %s", id);
	if (name)
		give_up_name(g, id, name);
	if (dir >= 0)
		give_up_name(g, id, now.name);
	return userns_run(remove_tree, &removal, e);
}

static bool is_id_prefix(const char *text)
{
	return *text && strlen(text) <= RECORD_ID_LEN &&
	       strspn(text, "0123456789abcdef") == strlen(text);
}

static int find_by_prefix(const struct engine *g, const char *text, char ret[RECORD_ID_LEN + 1],
			  struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct strings ids;
	const char *found = NULL;

	TRY(record_list(g, &a, &ids, e));
	for (size_t i = 0; i < ids.n; i++) {
		if (strncmp(ids.at[i], text, strlen(text)) != 0)
			continue;
		if (found)
			return err_set(
				e, EEXIST,
				"container %s: several ids begin so, %.12s and %.12s among them",
				text, found, ids.at[i]);
		found = ids.at[i];
	}
	if (!found)
		return err_set(e, ENOENT, "no such container: %s", text);
	memcpy(ret, found, RECORD_ID_LEN + 1);
	return 0;
}

int record_find(const struct engine *g, const char *text, char ret[RECORD_ID_LEN + 1],
		struct err *e)
{
	ssize_t n = record_check_name(text, NULL) < 0
			    ? -1
			    : readlinkat(g->names, text, ret, RECORD_ID_LEN);

	if (n == RECORD_ID_LEN) {
		ret[n] = '\0';
		return 0;
	}
	if (is_id_prefix(text))
		return find_by_prefix(g, text, ret, e);
	return err_set(e, ENOENT, "no such container: %s", text);
}

int record_rename(const struct engine *g, const char *id, const char *name, struct err *e)
{
	auto_record struct record r = { 0 };
	auto_fd int dir = record_open(g, id, &r, e);
	const char *before = r.name;

	TRY(dir);
	TRY(record_check_name(name, e));
	if (strcmp(before, name) == 0)
		return err_set(e, EINVAL, "the container has the name \"%s\" already", name);
	r.name = name;
	TRY(record_save(g, dir, &r, e));
	if (unlinkat(g->names, before, 0) < 0 && errno != ENOENT)
		return err_sys(e, "give up the name %s", before);
	happened(g, &r, "rename", "oldName", before);
	return 0;
}

/* What a crash left is nobody's: without a record, and with a lock that nobody holds. */
static void sweep(const struct engine *g, const char *id)
{
	auto_fd int dir =
		openat(g->containers, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int lock = -1;
	struct err e = { 0 };

	if (dir < 0)
		return;
	lock = try_lock(dir);
	if (lock < 0 || faccessat(dir, record_file, F_OK, 0) == 0)
		return;
	if (record_remove(g, id, NULL, &e) < 0)
		log_debug("%s", e.msg);
}

struct entry {
	const char *id;
	struct timespec made;
};

static int newest_first(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->made.tv_sec != y->made.tv_sec)
		return x->made.tv_sec < y->made.tv_sec ? 1 : -1;
	if (x->made.tv_nsec != y->made.tv_nsec)
		return x->made.tv_nsec < y->made.tv_nsec ? 1 : -1;
	return strcmp(x->id, y->id);
}

static bool is_record(const struct engine *g, const char *id, struct stat *ret)
{
	char file[RECORD_ID_LEN + sizeof(record_file) + 2];

	snprintf(file, sizeof(file), "%.*s/%s", RECORD_ID_LEN, id, record_file);
	return fstatat(g->containers, file, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

int record_sweep_names(const struct engine *g, struct err *e)
{
	auto_fd int lock = lock_names(g, e);
	int fd = openat(g->names, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir) {
		close_fd(&fd);
		return lock < 0 ? lock : err_sys(e, "list the names of containers");
	}
	while (lock >= 0 && (d = readdir(dir))) {
		char id[RECORD_ID_LEN + 1];
		ssize_t n = readlinkat(g->names, d->d_name, id, sizeof(id));
		struct stat st;

		if (n != RECORD_ID_LEN)
			continue;
		id[n] = '\0';
		if (fstatat(g->containers, id, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
			unlinkat(g->names, d->d_name, 0);
	}
	closedir(dir);
	return lock < 0 ? lock : 0;
}

int record_list(const struct engine *g, struct arena *a, struct strings *ret, struct err *e)
{
	auto_fd int fd = openat(g->containers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct entry *list = NULL;
	const struct dirent *d;
	struct stat st;
	size_t n = 0;
	DIR *dir;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_sys(e, "list the containers");
	fd = -1;
	while ((d = readdir(dir))) {
		if (strlen(d->d_name) != RECORD_ID_LEN || !is_id_prefix(d->d_name))
			continue;
		if (!is_record(g, d->d_name, &st)) {
			sweep(g, d->d_name);
			continue;
		}
		if ((n & (n - 1)) == 0)
			list = mem_grow(list, n ? 2 * n : 1, sizeof(*list));
		list[n++] = (struct entry){ arena_strdup(a, d->d_name), st.st_mtim };
	}
	closedir(dir);
	if (n)
		qsort(list, n, sizeof(*list), newest_first);
	ret->at = arena_array(a, n + 1, sizeof(*ret->at));
	ret->n = n;
	for (size_t i = 0; i < n; i++)
		ret->at[i] = list[i].id;
	free(list);
	return 0;
}

int status_read(int dir, struct status *ret, struct err *e)
{
	int r;

	*ret = (struct status){ 0 };
	r = json_decode_file(dir, status_file, RECORD_MAX, status_fields, &ret->arena, ret, e);
	if (r < 0)
		status_done(ret);
	return r == -ENOENT ? 0 : r;
}

int record_read_spec(int dir, struct spec *ret, struct err *e)
{
	static const char name[] = "config.json";
	auto_buf struct buf text = { 0 };

	TRY(io_read_file(dir, name, CONFIG_MAX, name, &text, e));
	return spec_parse(ret, name, text.text, text.len, e);
}

int status_lock(int dir, struct err *e)
{
	auto_fd int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open the container's directory");
	TRY(lock_wait(fd, false, "change the container's status", e));
	return take_fd(&fd);
}

int status_write(int dir, const struct status *s, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct json_writer w = json_writer(&text, NULL);

	json_write_object(&w, NULL);
	json_write_string(&w, "started", s->started);
	json_write_string(&w, "finished", s->finished);
	json_write_int(&w, "exitCode", s->exit_code);
	json_write_uint(&w, "restarts", s->restarts);
	json_write_string(&w, "error", s->error);
	json_write_bool(&w, "oomKilled", s->oom_killed);
	json_write_string(&w, "lack", s->lack);
	json_write_string(&w, "held", s->held);
	json_write_string(&w, "denied", s->denied);
	json_write_bool(&w, "stopped", s->stopped);
	json_write_string(&w, "checkpointed", s->checkpointed);
	json_write_string(&w, "restored", s->restored);
	json_write_end(&w);
	return io_replace_file(dir, status_file, text.text, text.len, e);
}
