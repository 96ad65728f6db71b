/* owner.c - see owner.h. */
#include "microvm/fs/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/util.h"
#include "microvm/fs/server.h"

enum { OVERFLOW_ID = 65534 };

uint32_t owner_to_guest(const struct fs_id_map *maps, unsigned n, uint32_t host)
{
	for (unsigned i = 0; i < n; i++)
		if (host >= maps[i].host && host - maps[i].host < maps[i].count)
			return maps[i].guest + (host - maps[i].host);
	return n ? OVERFLOW_ID : host;
}

int owner_to_host(const struct fs_id_map *maps, unsigned n, uint32_t guest, uint32_t *ret)
{
	uint32_t host = n ? UINT32_MAX : guest;

	for (unsigned i = 0; i < n && host == UINT32_MAX; i++)
		if (guest >= maps[i].guest && guest - maps[i].guest < maps[i].count)
			host = maps[i].host + (guest - maps[i].guest);
	if (host == UINT32_MAX) /* -1 means "leave it" to chown(2) */
		return -EOVERFLOW;
	*ret = host;
	return 0;
}

int owner_of(const struct request *r, struct owner *ret)
{
	const struct fs_config *c = &r->server->config;

	TRY(owner_to_host(c->uids, c->n_uids, r->head.uid, &ret->uid));
	TRY(owner_to_host(c->gids, c->n_gids, r->head.gid, &ret->gid));
	ret->is_us = ret->uid == r->server->uid && ret->gid == r->server->gid;
	return 0;
}

mode_t owner_first_mode(const struct owner *owner, mode_t mode)
{
	return owner->is_us ? mode & 07777 : 0;
}

int owner_give(struct fs_server *server, int parent, int fd, const struct owner *owner, mode_t mode)
{
	struct statx st, above;
	mode_t inherited;
	gid_t gid;

	if (owner->is_us)
		return 0;
	TRY(inode_stat(fd, &st));
	if (st.stx_uid != server->uid || (!S_ISLNK(st.stx_mode) && (st.stx_mode & 05777)) ||
	    (st.stx_mode & S_IFMT) != (mode & S_IFMT))
		return -ESTALE;
	/* In a directory with the set-group-id bit its group stays, as inode_init_owner() has it. */
	TRY(inode_stat(parent, &above));
	gid = above.stx_mode & S_ISGID ? (gid_t)-1 : owner->gid;
	inherited = S_ISDIR(st.stx_mode) ? st.stx_mode & S_ISGID : 0;
	if (fchownat(fd, "", owner->uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st.stx_mode) &&
	    fchmodat(server->proc_fd, fd_name(fd).text, (mode & 07777) | inherited, 0) < 0)
		return -errno;
	return 0;
}
