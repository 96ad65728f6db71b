#include "engine/netsockets.h"

#include <errno.h>

#include "base/io.h"
#include "engine/netjoin_private.h"
#include "network/listen.h"

int netsockets_check(const struct record *r, struct err *e)
{
	struct listen_wish wishes[CREATE_SOCKETS_MAX];

	if (r->sockets.n > CREATE_SOCKETS_MAX)
		return err_set(e, EINVAL, "--publish-socket: at most %d can be published",
			       CREATE_SOCKETS_MAX);
	for (size_t i = 0; i < r->sockets.n; i++) {
		TRY(listen_parse(r->sockets.at[i], &wishes[i], e));
		for (size_t k = 0; k < i; k++)
			if (port_overlaps(&wishes[i].port, &wishes[k].port))
				return err_set(e, EINVAL,
					       "--publish-socket %s and %s: the same port",
					       r->sockets.at[k], r->sockets.at[i]);
	}
	return 0;
}

static int open_all(const struct engine *g, const struct record *r, struct netsockets *s,
		    struct err *e)
{
	auto_fd int state = netjoin_state(g, e);

	TRY(state);
	for (size_t i = 0; i < r->sockets.n; i++) {
		struct listen_wish wish;
		int fd;

		TRY(listen_parse(r->sockets.at[i], &wish, e));
		fd = listen_open(state, &wish, e);
		TRY(fd);
		s->fds[s->n++] = fd;
		buf_printf(&s->names, "%s%s", i ? ":" : "", wish.name);
	}
	return 0;
}

int netsockets_open(const struct engine *g, const struct record *r, struct netsockets *s,
		    struct err *e)
{
	int opened;

	if (!r->sockets.n || s->n)
		return 0;
	TRY(netsockets_check(r, e));
	opened = open_all(g, r, s, e);
	if (opened < 0)
		netsockets_close(s);
	return opened;
}

void netsockets_close(struct netsockets *s)
{
	for (unsigned i = 0; i < s->n; i++)
		close_fd(&s->fds[i]);
	s->n = 0;
	buf_done(&s->names);
}
