#include "security/seccomp_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"

/* COMPILER goes up when seccomp.c makes another filter of the same profile. */
enum { COMPILER = 1, FILE_MAX = 256 * 1024 };

static const char MAGIC[8] = "hullbpf";

/* Before the key and the instructions, which fill the rest of the file. */
struct header {
	char magic[sizeof(MAGIC)];
	uint64_t sum; /* of the whole file with a 0 in this place */
	uint32_t key, instructions;
	uint32_t flags, notify;
};

struct name {
	char text[24];
};

/* FNV-1a: for names, and against damage; nothing rests on nobody finding a collision. */
static uint64_t hash(const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	uint64_t h = 0xcbf29ce484222325U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ at[i]) * 0x100000001b3U;
	return h;
}

static void add_number(struct buf *key, const struct opt_u32 *number)
{
	if (number->set)
		buf_printf(key, " %u", number->value);
	else
		buf_str(key, " -");
}

/* With its end, so that two cannot be taken for one. There are hundreds, for which printf(3) is slow. */
static void add_name(struct buf *key, const char *name)
{
	buf_char(key, ' ');
	buf_add(key, name, strlen(name) + 1);
}

static void add_rule(struct buf *key, const struct spec_seccomp_rule *r)
{
	buf_printf(key, "\nrule %d", (int)r->action);
	add_number(key, &r->errno_ret);
	for (size_t i = 0; i < r->args.n; i++)
		buf_printf(key, " %u,%d,%llu,%llu", r->args.at[i].index, (int)r->args.at[i].op,
			   (unsigned long long)r->args.at[i].value,
			   (unsigned long long)r->args.at[i].value_two);
	for (size_t i = 0; i < r->names.n; i++)
		add_name(key, r->names.at[i]);
}

/* All that decides what the filter becomes. */
static void make_key(const struct spec_seccomp *p, struct buf *ret)
{
	const struct scmp_version *v = seccomp_version();
	struct utsname host;

	uname(&host);
	buf_printf(ret, "hull %d, libseccomp %u.%u.%u, kernel %s %s %s\ndefault %d", COMPILER,
		   v->major, v->minor, v->micro, host.release, host.version, host.machine,
		   (int)p->default_action);
	add_number(ret, &p->default_errno_ret);
	add_number(ret, &p->flags);
	for (size_t i = 0; i < p->architectures.n; i++)
		buf_printf(ret, " %d", (int)p->architectures.at[i]);
	for (size_t i = 0; i < p->syscalls.n; i++)
		add_rule(ret, &p->syscalls.at[i]);
}

static struct name key_name(const struct buf *key)
{
	struct name n;

	snprintf(n.text, sizeof(n.text), "%016llx", (unsigned long long)hash(key->text, key->len));
	return n;
}

static bool is_ours(const struct stat *st, mode_t mode)
{
	return st->st_mode == mode && st->st_uid == geteuid();
}

/* -1: there is none that can be used, which is logged. */
static int open_cache(int root)
{
	auto_fd int dir = -1;
	struct stat st;

	if (mkdirat(root, SECCOMP_CACHE_NAME, 0700) < 0 && errno != EEXIST) {
		log_debug("seccomp: no cache of filters: %s", err_text(errno));
		return -1;
	}
	dir = openat(root, SECCOMP_CACHE_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0 && fstat(dir, &st) == 0 && is_ours(&st, S_IFDIR | 0700))
		return take_fd(&dir);
	log_warn("seccomp: %s in the state directory is not a directory of ours with mode 0700, so "
		 "no filter is taken from it",
		 SECCOMP_CACHE_NAME);
	return -1;
}

/* The file as it is; false: there is none that we would have written. */
static bool read_file(int dir, const struct name *name, struct buf *ret)
{
	auto_fd int fd = openat(dir, name->text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && is_ours(&st, S_IFREG | 0600) && st.st_nlink == 1 &&
	       io_slurp(fd, FILE_MAX, ret) == 0;
}

static bool load(int dir, const struct name *name, const struct buf *key, struct arena *a,
		 struct seccomp_filter *ret)
{
	auto_buf struct buf file = { 0 };
	struct header h;
	uint64_t sum;
	size_t size;

	if (!read_file(dir, name, &file) || file.len < sizeof(h))
		return false;
	memcpy(&h, file.text, sizeof(h));
	sum = h.sum;
	h.sum = 0;
	memcpy(file.text, &h, sizeof(h));
	size = h.instructions * sizeof(struct sock_filter);
	if (memcmp(h.magic, MAGIC, sizeof(MAGIC)) != 0 || h.key != key->len ||
	    h.instructions == 0 || h.instructions > BPF_MAXINSNS ||
	    file.len != sizeof(h) + h.key + size || hash(file.text, file.len) != sum ||
	    memcmp(file.text + sizeof(h), key->text, key->len) != 0)
		return false;
	*ret = (struct seccomp_filter){ .at = arena_array(a, h.instructions, sizeof(*ret->at)),
					.n = h.instructions,
					.flags = h.flags,
					.notify = h.notify };
	memcpy(ret->at, file.text + sizeof(h) + h.key, size);
	return true;
}

/* Makes room for one more. */
static void drop_oldest(int dir)
{
	int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = own < 0 ? NULL : fdopendir(own);
	char oldest[NAME_MAX + 1] = "";
	struct timespec when = { 0 };
	const struct dirent *entry;
	struct stat st;
	size_t n = 0;

	if (!files) {
		close_fd(&own);
		return;
	}
	while ((entry = readdir(files))) { /* NOLINT(concurrency-mt-unsafe): our own stream */
		if (entry->d_name[0] == '.' ||
		    fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (n++ == 0 || st.st_mtim.tv_sec < when.tv_sec ||
		    (st.st_mtim.tv_sec == when.tv_sec && st.st_mtim.tv_nsec < when.tv_nsec)) {
			when = st.st_mtim;
			memcpy(oldest, entry->d_name, strlen(entry->d_name) + 1);
		}
	}
	closedir(files);
	if (n >= SECCOMP_CACHE_FILES && unlinkat(dir, oldest, 0) < 0)
		log_debug("seccomp: remove %s from the cache: %s", oldest, err_text(errno));
}

static void save(int dir, const struct name *name, const struct buf *key,
		 const struct seccomp_filter *f)
{
	auto_buf struct buf file = { 0 };
	const size_t size = f->n * sizeof(*f->at), len = sizeof(struct header) + key->len + size;
	struct header h = { .key = (uint32_t)key->len,
			    .instructions = (uint32_t)f->n,
			    .flags = f->flags,
			    .notify = f->notify };
	struct err e = { 0 };
	char *at;

	/* Whoever else is writing may have the room; the next container tries again. */
	if (len > FILE_MAX || flock(dir, LOCK_EX | LOCK_NB) < 0)
		return;
	memcpy(h.magic, MAGIC, sizeof(MAGIC));
	at = buf_reserve(&file, len);
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), key->text, key->len);
	memcpy(at + sizeof(h) + key->len, f->at, size);
	h.sum = hash(at, len);
	memcpy(at, &h, sizeof(h));
	drop_oldest(dir);
	if (io_replace_file(dir, name->text, at, len, &e) < 0)
		log_debug("seccomp: the filter is not kept: %s", e.msg);
}

/* What the process that compiles leaves to us. */
struct apart {
	bool done;
	int result;
	struct err err;
	struct seccomp_filter filter;
	struct sock_filter instructions[BPF_MAXINSNS];
};

_Noreturn static void compile_and_exit(const struct spec_seccomp *profile, struct apart *ret)
{
	struct arena a = { 0 }; /* goes with the process */

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret->result = seccomp_filter_compile(profile, &a, &ret->filter, &ret->err);
	if (ret->result >= 0)
		memcpy(ret->instructions, ret->filter.at,
		       ret->filter.n * sizeof(*ret->instructions));
	ret->done = true;
	_exit(0);
}

static int take_compiled(const struct apart *from, struct arena *a, struct seccomp_filter *ret,
			 struct err *e)
{
	if (!from->done)
		return err_set(e, ECHILD,
			       "the process that compiles the seccomp filter was killed");
	if (from->result < 0) {
		*e = from->err;
		return from->result;
	}
	*ret = from->filter;
	ret->at = arena_array(a, ret->n, sizeof(*ret->at));
	memcpy(ret->at, from->instructions, ret->n * sizeof(*ret->at));
	return 0;
}

static int compile_apart(const struct spec_seccomp *profile, struct arena *a,
			 struct seccomp_filter *ret, struct err *e)
{
	struct apart *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int r;

	if (shared == MAP_FAILED)
		return err_sys(e, "make room for the seccomp filter");
	pid = fork();
	if (pid == 0)
		compile_and_exit(profile, shared);
	if (pid < 0)
		err_sys(e, "make a process that compiles the seccomp filter");
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	r = pid < 0 ? -e->code : take_compiled(shared, a, ret, e);
	munmap(shared, sizeof(*shared));
	return r;
}

int seccomp_cache_get(int root, const struct spec_seccomp *profile, bool apart, struct arena *a,
		      struct seccomp_filter *ret, struct err *e)
{
	int (*compile)(const struct spec_seccomp *, struct arena *, struct seccomp_filter *,
		       struct err *) = apart ? compile_apart : seccomp_filter_compile;

	auto_buf struct buf key = { 0 };
	auto_fd int dir = open_cache(root);
	struct name name;

	if (dir < 0)
		return compile(profile, a, ret, e);
	make_key(profile, &key);
	name = key_name(&key);
	if (load(dir, &name, &key, a, ret)) {
		log_debug("seccomp: the filter is from the cache");
		return 0;
	}
	TRY(compile(profile, a, ret, e));
	save(dir, &name, &key, ret);
	return 0;
}
