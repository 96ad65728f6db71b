/*
 * hull-nft - runs rules of nftables from standard input, all of them or none.
 *
 * Started by hull (network/nft.h). Says on standard error why it failed, in one line, and exits
 * with 1. The library is opened, not linked, so that hull can be built and installed without it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/util.h"

#define LIBRARY "libnftables.so.1"
enum { RULES_MAX = 64 << 20 }; /* bytes */

struct nft_ctx;

/* What is used of libnftables(3). */
struct nftables {
	void *library;
	struct nft_ctx *(*ctx_new)(uint32_t flags);
	void (*ctx_free)(struct nft_ctx *ctx);
	int (*buffer_output)(struct nft_ctx *ctx);
	int (*buffer_error)(struct nft_ctx *ctx);
	int (*run)(struct nft_ctx *ctx, const char *text);
	const char *(*error_text)(struct nft_ctx *ctx);
};

/* A function of the library; ISO C has no cast from an object's pointer to a function's. */
static int function(struct nftables *nft, const char *name, void *ret, struct err *e)
{
	void *found = dlsym(nft->library, name);

	if (!found)
		return err_set(e, ENOSYS, LIBRARY " has no %s", name);
	memcpy(ret, &found, sizeof(found));
	return 0;
}

static int load(struct nftables *nft, struct err *e)
{
	nft->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!nft->library)
		return err_set(e, ENOENT,
			       LIBRARY " is missing: install it (Debian: apt-get install "
				       "libnftables1)");
	TRY(function(nft, "nft_ctx_new", &nft->ctx_new, e));
	TRY(function(nft, "nft_ctx_free", &nft->ctx_free, e));
	TRY(function(nft, "nft_ctx_buffer_output", &nft->buffer_output, e));
	TRY(function(nft, "nft_ctx_buffer_error", &nft->buffer_error, e));
	TRY(function(nft, "nft_ctx_get_error_buffer", &nft->error_text, e));
	return function(nft, "nft_run_cmd_from_buffer", &nft->run, e);
}

static int run_in(const struct nftables *nft, struct nft_ctx *ctx, const char *text, struct err *e)
{
	const char *said;

	if (!ctx || nft->buffer_output(ctx) < 0 || nft->buffer_error(ctx) < 0)
		return err_set(e, ENOMEM, "libnftables could not be set up");
	if (nft->run(ctx, text) == 0)
		return 0;
	said = nft->error_text(ctx);
	if (!said || !*said)
		said = "no reason given";
	return err_set(e, EIO, "nftables: %.*s", (int)strcspn(said, "\n"), said);
}

static int run(const char *text, struct err *e)
{
	struct nftables nft = { 0 };
	struct nft_ctx *ctx;
	int r;

	TRY(load(&nft, e));
	ctx = nft.ctx_new(0);
	r = run_in(&nft, ctx, text, e);
	if (ctx)
		nft.ctx_free(ctx);
	return r;
}

static int read_rules(struct buf *ret, struct err *e)
{
	char piece[4096];
	size_t n;

	while ((n = fread(piece, 1, sizeof(piece), stdin)) > 0) {
		if (ret->len + n > RULES_MAX)
			return err_set(e, E2BIG, "the rules are longer than %d bytes", RULES_MAX);
		buf_add(ret, piece, n);
	}
	return ferror(stdin) ? err_sys(e, "read the rules") : 0;
}

int main(void)
{
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };
	int r = read_rules(&text, &e);

	if (r == 0)
		r = run(text.text ? text.text : "", &e);
	if (r < 0)
		fprintf(stderr, "%s\n", e.msg);
	return r < 0 ? 1 : 0;
}
