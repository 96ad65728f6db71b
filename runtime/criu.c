#include "runtime/criu.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/spawn.h"
#include "base/util.h"

#define LIBRARY "libcriu.so.2"

enum {
	CG_MODE_IGNORE = 0, /* enum criu_cg_mode: hull places the processes */
	LOG_LEVEL_OF_CRIU = 4,
	LINE_LENGTH = 400,
	CHECK_SECONDS = 60,
	CONFIG_LIMIT = 64 * 1024,
};

#define ROW(member)                                            \
	{                                                      \
		"criu_" #member, offsetof(struct criu, member) \
	}

static const struct {
	const char *name;
	size_t offset; /* of the pointer in struct criu */
} symbols[] = {
	ROW(init_opts),
	ROW(set_service_binary),
	ROW(set_notify_cb),
	ROW(notify_pid),
	ROW(get_orphan_pts_master_fd),
	ROW(set_pid),
	ROW(set_images_dir_fd),
	ROW(set_work_dir_fd),
	ROW(set_parent_images),
	ROW(set_root),
	ROW(set_log_file),
	ROW(set_log_level),
	ROW(set_manage_cgroups),
	ROW(set_manage_cgroups_mode),
	ROW(set_freeze_cgroup),
	ROW(set_leave_running),
	ROW(set_track_mem),
	ROW(set_ext_unix_sk),
	ROW(set_tcp_established),
	ROW(set_tcp_skip_in_flight),
	ROW(set_tcp_close),
	ROW(set_shell_job),
	ROW(set_file_locks),
	ROW(set_link_remap),
	ROW(set_auto_dedup),
	ROW(set_orphan_pts_master),
	ROW(set_empty_ns),
	ROW(set_page_server_address_port),
	ROW(set_lsm_profile),
	ROW(set_lsm_mount_context),
	ROW(add_ext_mount),
	ROW(add_external),
	ROW(add_inherit_fd),
	ROW(join_ns_add),
	ROW(dump),
	ROW(pre_dump),
	ROW(restore_child),
};

static_assert(ARRAY_LEN(symbols) == offsetof(struct criu, config) / sizeof(void *) - 1,
	      "every function of struct criu has its row");

static const char *why(void)
{
	const char *text = dlerror(); /* NOLINT(concurrency-mt-unsafe): hull has one thread */

	return text ? text : "unknown reason";
}

static int load(struct criu *ret, struct err *e)
{
	struct criu c = { .library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL) };

	if (!c.library)
		return err_set(e, ENOENT,
			       "checkpoint and restore need CRIU and its library, which cannot be "
			       "opened: %s",
			       why());
	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		void *symbol = dlsym(c.library, symbols[i].name);

		if (!symbol) {
			err_set(e, ENOSYS, "checkpoint and restore need a newer CRIU: %s", why());
			criu_close(&c);
			return -ENOSYS;
		}
		memcpy((char *)&c + symbols[i].offset, &symbol, sizeof(symbol));
	}
	*ret = c;
	return 0;
}

void criu_close(struct criu *c)
{
	if (c->library)
		dlclose(c->library);
	if (c->config > 0)
		close(c->config);
	*c = (struct criu){ 0 };
}

int criu_ok(int r, struct err *e)
{
	return r < 0 ? err_set(e, ENOMEM, "libcriu: %s", err_text(ENOMEM)) : 0;
}

/* Engines have a PATH, people's may lack what is root's. */
static int find_program(char *ret, size_t size, struct err *e)
{
	const char *dirs = getenv("PATH"); /* NOLINT(concurrency-mt-unsafe) */
	auto_free char *list = NULL;
	char *rest;

	if (asprintf(&list, "%s:/usr/sbin:/usr/local/sbin", dirs ? dirs : "/usr/bin") < 0)
		return err_set(e, ENOMEM, "criu: %s", err_text(ENOMEM));
	rest = list;
	for (char *dir; (dir = strsep(&rest, ":"));) {
		if (dir[0] == '/' && snprintf(ret, size, "%s/criu", dir) < (int)size &&
		    access(ret, X_OK) == 0)
			return 0;
	}
	return err_set(e, ENOENT,
		       "checkpoint and restore need the program criu, which is neither in "
		       "$PATH nor in /usr/sbin");
}

/*
 * Debian 13's library cannot ask for lazy pages (nor name a file of options), but the program also
 * reads the file that its environment names. It begins with what the caller's own has, if he has one.
 */
static int ask_for_lazy_pages(struct criu *c, struct err *e)
{
	static const char variable[] = "CRIU_CONFIG_FILE", line[] = "lazy-pages\n";
	const char *callers = getenv(variable); /* NOLINT(concurrency-mt-unsafe) */
	auto_buf struct buf text = { 0 };
	char path[64];

	if (callers)
		TRY(io_read_file(AT_FDCWD, callers, CONFIG_LIMIT, callers, &text, e));
	buf_printf(&text, "%s%s", text.len ? "\n" : "", line);
	c->config = io_sealed_file("criu.conf", text.text, text.len, e);
	TRY(c->config);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), c->config);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): hull has one thread */
	return setenv(variable, path, 1) < 0 ? err_sys(e, "set $%s", variable) : 0;
}

int criu_open(const struct criu_options *o, const char *log, struct criu *ret, struct err *e)
{
	auto_criu struct criu c = { 0 };
	char program[PATH_MAX];

	TRY(load(&c, e));
	TRY(find_program(program, sizeof(program), e));
	TRY(criu_ok(c.init_opts(), e));
	TRY(criu_ok(c.set_service_binary(program), e));
	TRY(criu_ok(c.set_log_file(log), e));
	c.set_log_level(LOG_LEVEL_OF_CRIU);
	c.set_manage_cgroups(true);
	c.set_manage_cgroups_mode(CG_MODE_IGNORE);
	c.set_ext_unix_sk(o->ext_unix_sk);
	c.set_tcp_established(o->tcp_established);
	c.set_shell_job(o->shell_job);
	c.set_file_locks(o->file_locks);
	c.set_auto_dedup(o->auto_dedup);
	if (o->lazy_pages)
		TRY(ask_for_lazy_pages(&c, e));
	for (size_t i = 0; i < o->empty_ns.n; i++) {
		if (strcmp(o->empty_ns.at[i], "network") != 0)
			return err_set(e, EINVAL,
				       "--empty-ns: %s: only \"network\" can be left empty",
				       o->empty_ns.at[i]);
		c.set_empty_ns(CLONE_NEWNET);
	}
	*ret = c;
	c = (struct criu){ 0 };
	return 0;
}

int criu_check(struct err *e)
{
	static const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	auto_criu struct criu c = { 0 };
	char program[PATH_MAX];
	const char *const argv[] = { program, "check", NULL };
	const struct spawn_request req = {
		.path = program,
		.argv = argv,
		.envp = environment,
		.timeout = CHECK_SECONDS,
	};

	TRY(load(&c, e));
	TRY(find_program(program, sizeof(program), e));
	if (spawn_run(&req, NULL, e) < 0)
		return err_wrap(e, "checkpoint and restore do not work here: criu check");
	return 0;
}

/* Directories */

static int open_directory(const char *option, const char *path, bool make, struct err *e)
{
	int fd;

	/* In a user namespace CRIU is somebody else, and looks for files that may not be there. */
	if (make)
		TRY(io_mkdir_all(path, 0711, e));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "%s: open %s", option, path) : fd;
}

static int check_owner(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "--image-path: %s", path);
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(e, EPERM,
			       "--image-path: %s can be written by others, who could so give a "
			       "restored process any right",
			       path);
	return 0;
}

int criu_open_directories(const struct criu_options *o, bool make, struct criu_directories *ret,
			  struct err *e)
{
	auto_criu_directories struct criu_directories d = CRIU_DIRECTORIES_NONE;
	const char *work = o->work_path ? o->work_path : o->image_path;

	d.images = open_directory("--image-path", o->image_path, make, e);
	TRY(d.images);
	if (!make)
		TRY(check_owner(d.images, o->image_path, e));
	d.work = open_directory("--work-path", work, true, e);
	TRY(d.work);
	*ret = d;
	d = (struct criu_directories)CRIU_DIRECTORIES_NONE;
	return 0;
}

void criu_close_directories(struct criu_directories *d)
{
	close_fd(&d->images);
	close_fd(&d->work);
}

int criu_cgroup_path(const struct cgroup *cg, struct arena *a, const char **ret, struct err *e)
{
	char *path = arena_alloc(a, PATH_MAX);

	*ret = NULL;
	if (cg->fd < 0)
		return 0;
	if (readlink(io_fd_path(cg->fd).text, path, PATH_MAX - 1) < 0)
		return err_sys(e, "the path of the container's cgroup");
	*ret = path;
	return 0;
}

/* Errors */

/* What it goes on after: without a higher limit, and without TUN devices. */
static bool is_harmless(const char *what)
{
	return strstr(what, "RLIMIT_NOFILE") || strstr(what, "Unable to create tun");
}

/* The first error of the log, without its time stamp; the others follow from it. */
static bool first_error(int work, const char *log, char *line, size_t size)
{
	auto_fd int fd = openat(work, log, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char *text = NULL;
	size_t room = 0;
	bool found = false;

	if (!f)
		return false;
	fd = -1; /* it is the stream's */
	while (!found && getline(&text, &room, f) >= 0) {
		const char *at = strstr(text, "Error (");
		const char *what = at ? strstr(at, "): ") : NULL;

		if (!what || is_harmless(what))
			continue;
		snprintf(line, size, "%s", what + 3);
		line[strcspn(line, "\n")] = '\0';
		found = true;
	}
	free(text);
	fclose(f);
	return found;
}

int criu_failed(const struct criu_options *o, const struct criu_directories *d, const char *log,
		const char *verb, int r, struct err *e)
{
	const char *work = o->work_path ? o->work_path : o->image_path;
	int code = r < -1 && r > -4096 ? -r : EIO;
	char line[LINE_LENGTH];

	if (first_error(d->work, log, line, sizeof(line)))
		return err_set(e, code, "%s: CRIU: %s (its log is %s/%s)", verb, line, work, log);
	return err_set(e, code, "%s: CRIU: %s", verb, err_text(code));
}
