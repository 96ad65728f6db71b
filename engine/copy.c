#include "engine/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "engine/files.h"
#include "engine/place.h"
#include "image/tar_tree.h"
#include "image/unpack.h"

/* What is written is called so; it is said from one process to the other. */
struct choice {
	char name[NAME_MAX + 1];
};

struct copying {
	const struct copy_request *q;
	struct files files;
	struct place outside;
	struct place_source source;
	int reads, writes; /* a pipe for the tar */
};

static void copying_done(struct copying *c)
{
	files_close(&c->files);
	place_close(&c->outside);
	close_fd(&c->reads);
	close_fd(&c->writes);
}

static bool is_stream(const struct copying *c)
{
	return strcmp(c->q->outside, "-") == 0;
}

static int make_pipe(struct copying *c, struct err *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	c->reads = fds[0];
	c->writes = fds[1];
	return 0;
}

/* The directory that is written to, open as hull-unpack wants it. */
static int open_target(const struct place *to, bool below, struct err *e)
{
	const char *name = below && to->name[0] ? to->name : ".";
	int fd = openat(to->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open the directory to write to") : fd;
}

static int unpack(const struct copying *c, int from, int target, struct err *e)
{
	const struct unpack_options o = { .whiteouts = UNPACK_PLAIN,
					  .ids = c->q->archive ? NULL : "squash" };
	struct unpack_result result;

	TRY(image_unpack(from, target, &o, &result, e));
	if (result.skipped)
		log_warn("%llu devices, pipes and sockets were left out",
			 (unsigned long long)result.skipped);
	return 0;
}

/* `followed`: what a link led to is meant, and never a link. */
static int pack(const struct place *from, bool followed, const char *as, int out, struct err *e)
{
	auto_tar_tree struct tar_tree tar = { .out = out, .no_link = followed };

	TRY(tar_tree_add(&tar, from->dir, from->name[0] ? from->name : ".", as, e));
	TRY(tar_tree_end(&tar, e));
	if (tar.skipped)
		log_warn("%llu sockets were left out", (unsigned long long)tar.skipped);
	return 0;
}

/*
 * Into the container. The job finds the place, says what its content is to be called, and unpacks
 * what comes.
 */

static int take(void *ctx, int root, int sock, struct err *e)
{
	struct copying *c = ctx;
	auto_place struct place to = PLACE_NONE;
	auto_fd int target = -1;
	struct choice choice;
	bool below;

	close_fd(&c->writes);
	memset(&choice, 0, sizeof(choice));
	TRY(place_find(root, c->q->inside, true, &to, e));
	TRY(place_choose(&c->source, &to, c->q->inside, choice.name, &below, e));
	target = open_target(&to, below, e);
	TRY(target);
	TRY(userns_say(sock, &choice, sizeof(choice), e));
	return unpack(c, c->reads, target, e);
}

static int find_source(struct copying *c, struct err *e)
{
	if (is_stream(c)) {
		c->source.stream = true;
		c->reads = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		return c->reads < 0 ? err_sys(e, "read standard input") : 0;
	}
	TRY(place_find(PLACE_HOST, c->q->outside, c->q->follow_link, &c->outside, e));
	if (!c->outside.exists)
		return err_neg(e, -ENOENT, "%s", c->q->outside);
	place_source(&c->outside, &c->source);
	return 0;
}

static int copy_in(struct copying *c, struct err *e)
{
	auto_userns_job struct userns_job job = USERNS_NO_JOB;
	struct choice choice;
	struct err own = { 0 };
	int r = 0;

	TRY(find_source(c, e));
	TRY(files_open(c->files.g, c->q->who, FILES_MOUNTED, true, &c->files, e));
	if (!c->source.stream)
		TRY(make_pipe(c, e));
	TRY(files_begin(&c->files, take, c, &job, e));
	close_fd(&c->reads);
	TRY(userns_hear(&job, &choice, sizeof(choice), e));
	if (!c->source.stream)
		r = pack(&c->outside, c->q->follow_link, choice.name, c->writes, &own);
	close_fd(&c->writes);
	/* Who does not read any more has a reason, which is the better one. */
	if (userns_end(&job, e) < 0 && (r >= 0 || r == -EPIPE))
		return -e->code;
	if (r < 0)
		*e = own;
	return r;
}

/*
 * Out of the container. The job finds what is meant, says what it is, hears what it is to be called
 * and packs it.
 */

static int give(void *ctx, int root, int sock, struct err *e)
{
	struct copying *c = ctx;
	auto_place struct place from = PLACE_NONE;
	struct place_source source;
	struct choice choice;

	close_fd(&c->reads);
	TRY(place_find(root, c->q->inside, c->q->follow_link, &from, e));
	if (!from.exists)
		return err_neg(e, -ENOENT, "%s", c->q->inside);
	place_source(&from, &source);
	TRY(userns_say(sock, &source, sizeof(source), e));
	if (io_read_all(sock, &choice, sizeof(choice)) != (ssize_t)sizeof(choice))
		return err_set(e, ECANCELED, "nobody wants it");
	return pack(&from, c->q->follow_link, choice.name, is_stream(c) ? STDOUT_FILENO : c->writes, e);
}

static int choose_target(struct copying *c, struct choice *ret, int *ret_target, struct err *e)
{
	bool below;

	*ret_target = -1;
	if (is_stream(c)) {
		memcpy(ret->name, c->source.contents ? "." : c->source.given,
		       c->source.contents ? 2 : sizeof(ret->name));
		return 0;
	}
	TRY(place_choose(&c->source, &c->outside, c->q->outside, ret->name, &below, e));
	*ret_target = open_target(&c->outside, below, e);
	return *ret_target < 0 ? *ret_target : 0;
}

static int copy_out(struct copying *c, struct err *e)
{
	auto_userns_job struct userns_job job = USERNS_NO_JOB;
	struct err own = { 0 };
	auto_fd int target = -1;
	struct choice choice;
	int r = 0;

	memset(&choice, 0, sizeof(choice));
	if (!is_stream(c))
		TRY(place_find(PLACE_HOST, c->q->outside, true, &c->outside, e));
	TRY(files_open(c->files.g, c->q->who, FILES_MOUNTED, false, &c->files, e));
	TRY(make_pipe(c, e));
	TRY(files_begin(&c->files, give, c, &job, e));
	close_fd(&c->writes);
	TRY(userns_hear(&job, &c->source, sizeof(c->source), e));
	c->source.given[NAME_MAX] = '\0';
	TRY(choose_target(c, &choice, &target, e));
	if (io_write_all(job.sock, &choice, sizeof(choice)) < 0)
		return err_set(e, ECHILD, "the process that reads in the container died");
	if (!is_stream(c))
		r = unpack(c, c->reads, target, &own);
	close_fd(&c->reads);
	if (userns_end(&job, e) < 0 && (r >= 0 || e->code != EPIPE))
		return -e->code;
	if (r < 0)
		*e = own;
	return r;
}

static int check(const struct copying *c, struct err *e)
{
	if (c->q->archive && !c->q->to_container && !is_stream(c) && geteuid() != 0)
		return err_set(e, EPERM,
			       "--archive: only root can give files of the host to others");
	if (!c->q->to_container && is_stream(c) && isatty(STDOUT_FILENO))
		return err_set(e, ENOTTY, "standard output is a terminal: redirect it");
	if (c->q->to_container && is_stream(c) && isatty(STDIN_FILENO))
		return err_set(e, ENOTTY, "standard input is a terminal: a tar is to come from it");
	return 0;
}

int copy_files(const struct engine *g, const struct copy_request *q, struct err *e)
{
	__attribute__((cleanup(copying_done))) struct copying c = {
		.q = q, .files = FILES_NONE, .outside = PLACE_NONE, .reads = -1, .writes = -1
	};
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction old;
	int r;

	c.files.g = g;
	TRY(check(&c, e));
	sigaction(SIGPIPE, &ignore, &old);
	r = q->to_container ? copy_in(&c, e) : copy_out(&c, e);
	sigaction(SIGPIPE, &old, NULL);
	if (r >= 0)
		return 0;
	return q->to_container ? err_wrap(e, "copy %s to %s:%s", q->outside, q->who, q->inside)
			       : err_wrap(e, "copy %s:%s to %s", q->who, q->inside, q->outside);
}
