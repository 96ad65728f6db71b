/*
 * fs.h - the FUSE server behind a microVM's virtio-fs device.
 *
 * It shows one host directory, with all that is mounted in it, to a guest. The guest is
 * hostile: every length is checked against what is there, a request is copied before it is
 * looked at, node ids and handles are indexes with a generation, and each name is one
 * component that is opened beneath its directory's descriptor.
 *
 *	struct fs_config c = fs_defaults;
 *	c.root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
 *	TRY(fs_server_new(&c, &server, e));
 *	... in each worker: used = fs_server_handle(server, request, n, reply, m) ...
 *	fs_server_free(server);
 *
 * The process that holds a server: ignores SIGXFSZ and SIGPIPE; has raised RLIMIT_NOFILE as
 * far as it may (a descriptor for each directory and each open file of the guest, and for
 * other files as long as there are enough); has umask 0, which fs_server_new() sets; does not
 * fork and go on as the child (/proc/self/fd is held open).
 *
 * Where the process is root, of a user namespace perhaps, the server wants CAP_CHOWN,
 * CAP_DAC_OVERRIDE, CAP_FOWNER and CAP_FSETID, and CAP_SETFCAP and CAP_MKNOD for what the
 * configuration allows. Its system calls are in microvm/fs/ only, by their own names; it makes
 * no thread, never changes the process's ids, and executes nothing.
 *
 * What the guest does not get (each is the errno that Linux gives for "no such thing here"):
 * devices, FIFOs and sockets are seen but never opened on the host; nothing on proc, sysfs,
 * cgroup and other file systems that are a kernel's face is looked up or opened (EACCES), so
 * that no guest writes /proc/self/mem of the VMM; see xattr.c for names of attributes.
 */
#ifndef HULL_MICROVM_FS_FS_H
#define HULL_MICROVM_FS_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/err.h"

/* How long the guest believes what it was told. */
enum fs_cache {
	FS_CACHE_NONE,   /* never: each use asks again; file content only while it is open */
	FS_CACHE_AUTO,   /* a second; content until the host's mtime or size changes */
	FS_CACHE_ALWAYS, /* an hour, content as well: nobody else writes here */
};

/* Ids [guest, guest + count) are [host, host + count) as this process sees them. */
struct fs_id_map {
	uint32_t guest, host, count;
};

struct fs_config {
	int root_fd; /* directory to show, O_PATH is enough; borrowed during fs_server_new() */
	int proc_fd; /* of this process's /proc/self/fd, for one that has no /proc; -1: opened here */
	bool read_only; /* nothing is changed, whatever the mounts would allow */
	enum fs_cache cache;
	bool writeback; /* the guest gathers writes; only where nobody else writes */
	bool locks;     /* locks are the host's, not the guest kernel's; see fs_request_waits() */
	bool submounts; /* each mount beneath the root has an st_dev of its own in the guest */
	bool make_devices; /* mknod of devices reaches the host (0:0, a whiteout, always does) */
	bool file_capabilities; /* security.capability may be set */

	/* No maps: ids are the same. An id outside: 65534 when read, EOVERFLOW when set. */
	const struct fs_id_map *uids, *gids; /* copied */
	unsigned n_uids, n_gids;             /* at most 340 each, as in the kernel */

	/* Limits; 0 is the default. Beyond one the guest's request fails with ENFILE. */
	uint32_t max_inodes; /* that the guest remembers; 1 Mi, some 200 bytes each */
	uint32_t
		max_handles; /* open files and directories; a quarter of RLIMIT_NOFILE, at most 64 Ki */
	uint32_t max_descriptors; /* all of this server's; RLIMIT_NOFILE less 128 */
	uint32_t max_lock_waits;  /* requests that wait for a lock at a time; 64, then ENOLCK */
	uint32_t max_io; /* bytes of one READ or WRITE, a multiple of 4096; 1 MiB, the most */
};

/* root_fd and proc_fd -1, FS_CACHE_AUTO, file capabilities allowed; all else off or default. */
extern const struct fs_config fs_defaults;

struct fs_server;
struct saved;
struct saved_out;

/* What a server holds now, and has answered. */
struct fs_stats {
	uint32_t inodes, descriptors, handles, lock_waits;
	uint64_t requests, failed, evictions;
};

/* A server in *ret for fs_server_free(). Sets the process's umask to 0. */
int fs_server_new(const struct fs_config *config, struct fs_server **ret, struct err *e) MUST_CHECK;

/* When no thread is in fs_server_handle() any more. */
void fs_server_free(struct fs_server *server);

/*
 * Makes requests that wait for a lock, now and later, fail with EINTR: before the workers are
 * joined. The only call besides handle() for any thread at any time.
 */
void fs_server_stop(struct fs_server *server);

/*
 * Does one request and writes its reply into `reply` (a fuse_out_header and what belongs to
 * it). Returns the bytes written, 0 if there is no reply to this kind of request (FORGET), or
 * a negative errno if `request` has no whole header (-EBADMSG) or `reply` no room for one
 * (-ENOSPC); whatever else is wrong is the guest's to read in the reply. Any number of threads
 * at a time; both memories may change meanwhile.
 */
ssize_t fs_server_handle(struct fs_server *server, const struct iovec *request, int n_request,
			 const struct iovec *reply, int n_reply);

/*
 * May this request wait for something that another request does? Then (a lock that is waited
 * for, only with `locks`) it wants a thread that no other request needs.
 */
bool fs_request_waits(const struct iovec *request, int n_request);

/*
 * What the guest knows of the files, as part SAVED_FILES of a snapshot (microvm/saved.h), while
 * there are no requests: -ENOTSUP and the file's name if one is open that has no name any more.
 */
int fs_server_save(struct fs_server *server, struct saved_out *o, struct err *e) MUST_CHECK;
/*
 * A new server of the same configuration knows it then: each directory and each open file has to be
 * where it was, and the file has to be the same, by its number and when it was made; else it is refused by
 * name. What is neither, and not the same any more, the guest is made to look for anew.
 */
int fs_server_load(struct fs_server *server, const struct saved *s, struct err *e) MUST_CHECK;

void fs_server_stats(struct fs_server *server, struct fs_stats *ret);

#endif
