#include "image/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/helper.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "image/fetch/frames.h"

/* The registry that docker.io is. */
static const char *host_of(const struct reference *where)
{
	return strcmp(where->registry, REFERENCE_DEFAULT_REGISTRY) == 0 ? "registry-1.docker.io"
									: where->registry;
}

_Noreturn static void become_helper(const char *path, int sock, const struct reference *where,
				    const struct registry_options *o)
{
	const char *argv[11] = { "hull-fetch", "--registry", host_of(where), "--repository",
				 where->repository };
	/* A proxy is how some reach registries at all. */
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "http_proxy",
					     "no_proxy",    "NO_PROXY",    "SSL_CERT_FILE",
					     "SSL_CERT_DIR" };
	char *env[ARRAY_LEN(names) + 1];
	size_t n = 5, m = 0;

	if (o->insecure)
		argv[n++] = "--insecure";
	if (o->once)
		argv[n++] = "--once";
	if (o->ca) {
		argv[n++] = "--ca";
		argv[n++] = o->ca;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]); /* NOLINT(concurrency-mt-unsafe) */

		if (value && asprintf(&env[m], "%s=%s", names[i], value) >= 0)
			m++;
	}
	env[m] = NULL;
	spawn_reset_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || dup2(sock, FRAME_FD) < 0)
		_exit(126);
	execve(path, (char *const *)argv, env);
	_exit(127);
}

static int send_line(const struct registry *r, const char *verb, const char *what, struct err *e)
{
	char line[FRAME_LINE_MAX];
	int n = snprintf(line, sizeof(line), "%s %s\n", verb, what);
	int w;

	if (n < 0 || (size_t)n >= sizeof(line) || strchr(what, '\n'))
		return err_set(e, EINVAL,
			       "ask the registry for a %s: what was asked for is too long", verb);
	w = io_write_all(r->sock, line, (size_t)n);
	return w < 0 ? err_set(e, EPIPE, "hull-fetch has ended") : 0;
}

int registry_open(const struct reference *where, const struct registry_options *o,
		  struct registry *ret, struct err *e)
{
	struct helper_path path;
	int pair[2];

	TRY(helper_find("hull-fetch", &path, e));
	/* The child's end must not be number 3 already, or dup2(2) would leave it close-on-exec. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make the sockets for hull-fetch");
	if (pair[1] == FRAME_FD) {
		int moved = fcntl(pair[1], F_DUPFD_CLOEXEC, FRAME_FD + 1);

		close(pair[1]);
		pair[1] = moved;
	}
	ret->pid = fork();
	if (ret->pid == 0)
		become_helper(path.text, pair[1], where, o);
	close(pair[1]);
	ret->sock = pair[0];
	if (ret->pid < 0)
		return err_sys(e, "start hull-fetch");
	if (o->credentials)
		TRY(send_line(ret, "auth", o->credentials, e));
	return o->identity_token ? send_line(ret, "identity", o->identity_token, e) : 0;
}

void registry_close(struct registry *r)
{
	close_fd(&r->sock);
	if (r->pid > 0) {
		kill(r->pid, SIGKILL);
		while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	r->pid = 0;
}

/* The next frame; a failure becomes ours. */
static int receive(const struct registry *r, struct frame *f, struct err *e)
{
	int n = frame_receive(r->sock, f);

	if (n < 0)
		return err_neg(e, n, "hear from hull-fetch");
	if (f->what != FRAME_FAILURE)
		return 0;
	if (f->len < 4)
		return err_set(e, EPROTO, "hull-fetch failed without saying why");
	n = f->bytes[0] | f->bytes[1] << 8;
	for (uint32_t i = 4; i < f->len; i++)
		if (f->bytes[i] < 0x20 || f->bytes[i] == 0x7f)
			f->bytes[i] = '?';
	return err_set(e, n ? n : EIO, "%.*s", (int)(f->len - 4), (const char *)f->bytes + 4);
}

int registry_document(struct registry *r, const char *tag_or_digest, struct buf *ret, struct err *e)
{
	struct frame *f = malloc(sizeof(*f));
	int n;

	if (!f)
		return err_set(e, ENOMEM, "ask the registry");
	n = send_line(r, "manifest", tag_or_digest, e);
	while (n >= 0 && (n = receive(r, f, e)) >= 0 && f->what != FRAME_END) {
		if (f->what != FRAME_DATA)
			continue;
		if (ret->len + f->len > IMAGE_DOCUMENT_MAX)
			n = err_set(e, EFBIG, "the manifest %s is longer than %d bytes",
				    tag_or_digest, IMAGE_DOCUMENT_MAX);
		else
			buf_add(ret, f->bytes, f->len);
	}
	free(f);
	return n < 0 ? n : 0;
}

int registry_blob_begin(struct registry *r, const struct digest *digest, struct err *e)
{
	return send_line(r, "blob", digest->text, e);
}

int registry_blob_more(struct registry *r, struct image_blob *to, struct err *e)
{
	struct frame *f = malloc(sizeof(*f));
	int n;

	if (!f)
		return err_set(e, ENOMEM, "ask the registry");
	n = receive(r, f, e);
	if (n >= 0 && f->what == FRAME_DATA)
		n = image_blob_write(to, f->bytes, f->len, e);
	if (n >= 0)
		n = f->what != FRAME_END;
	free(f);
	return n;
}

/* Its last word on a request: the end, or why not. */
static int receive_end(const struct registry *r, struct err *e)
{
	struct frame *f = malloc(sizeof(*f));
	int n = f ? 0 : err_set(e, ENOMEM, "hear from hull-fetch");

	while (n >= 0 && (n = receive(r, f, e)) >= 0 && f->what != FRAME_END)
		;
	free(f);
	return n < 0 ? n : 0;
}

int registry_has(struct registry *r, const struct digest *digest, bool *ret, struct err *e)
{
	int n = send_line(r, "has", digest->text, e);

	if (n >= 0)
		n = receive_end(r, e);
	*ret = n >= 0;
	return n == -ENOENT ? 0 : n;
}

int registry_mount(struct registry *r, const struct digest *digest, const char *from, bool *ret,
		   struct err *e)
{
	char what[FRAME_LINE_MAX / 2];
	int n;

	*ret = false;
	if (snprintf(what, sizeof(what), "%s %s", digest->text, from) >= (int)sizeof(what))
		return 0;
	n = send_line(r, "mount", what, e);
	if (n >= 0)
		n = receive_end(r, e);
	*ret = n >= 0;
	return n == -ENOENT ? 0 : n;
}

/* One that has ended has said why before, and that is the message. */
static int send_bytes(const struct registry *r, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(r->sock, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int registry_put_blob(struct registry *r, const struct digest *digest,
		      const struct registry_sending *given, struct err *e)
{
	uint64_t size = given->size;
	auto_free char *bytes = mem_zalloc(FRAME_MAX);
	char what[FRAME_LINE_MAX / 2];

	snprintf(what, sizeof(what), "%s %llu", digest->text, (unsigned long long)size);
	TRY(send_line(r, "put-blob", what, e));
	while (size) {
		ssize_t n =
			io_read_all(given->fd, bytes, size < FRAME_MAX ? (size_t)size : FRAME_MAX);

		if (n < 0)
			return err_neg(e, (int)n, "read the blob %s", digest->text);
		if (n == 0)
			return err_set(e, EBADMSG,
				       "the blob %s is shorter than it was; run \"hull fsck --repair\"",
				       digest->text);
		if (send_bytes(r, bytes, (size_t)n) < 0)
			break;
		size -= (uint64_t)n;
		if (given->tell && size)
			given->tell(given->size - size, given->ctx);
	}
	return receive_end(r, e);
}

int registry_put_manifest(struct registry *r, const char *tag_or_digest, const char *media_type,
			  const struct buf *text, struct err *e)
{
	char what[FRAME_LINE_MAX / 2];

	snprintf(what, sizeof(what), "%s %zu %s", tag_or_digest, text->len, media_type);
	TRY(send_line(r, "put-manifest", what, e));
	if (send_bytes(r, text->text, text->len) < 0)
		log_debug("hull-fetch took no manifest");
	return receive_end(r, e);
}
