/*
 * fsmount.c - mounts the microVM's file system server here, through /dev/fuse, so that real
 * programs can be run against it without a VM. Root, or CAP_SYS_ADMIN in a user and mount namespace.
 *
 *	fsmount [OPTION...] DIRECTORY MOUNTPOINT
 *
 *	ro writeback locks submounts devices	as in struct fs_config
 *	none auto always			its cache
 *	threads=N		how many answer (4)
 *	inodes=N handles=N descriptors=N	limits
 *	uid=G:H:N gid=G:H:N	one id map
 *	stats			what was done, on standard error, at the end
 *
 * Prints "mounted" when it is; ends when it is unmounted (umount MOUNTPOINT) or on SIGTERM.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/util.h"
#include "microvm/fs/fs.h"

enum { REQUEST = (1 << 20) + 4096, MAX_THREADS = 64 };

struct worker {
	pthread_t thread;
	struct fs_server *server;
	int device;
};

static const char *mountpoint;

static void end(int signal UNUSED)
{
	umount2(mountpoint, MNT_DETACH);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	char *request = mem_zalloc(REQUEST), *reply = mem_zalloc(REQUEST);

	for (;;) {
		ssize_t n = read(w->device, request, REQUEST);

		if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
			continue;
		if (n <= 0)
			break; /* ENODEV: unmounted */
		n = fs_server_handle(w->server, &(struct iovec){ request, (size_t)n }, 1,
				     &(struct iovec){ reply, REQUEST }, 1);
		if (n < 0) {
			fprintf(stderr, "fsmount: the kernel's request was refused: %s\n",
				strerror((int)-n));
			abort();
		}
		/* ENOENT: interrupted meanwhile; ENODEV: unmounted. */
		if (n > 0 && write(w->device, reply, (size_t)n) != n && errno != ENOENT &&
		    errno != ENODEV)
			fprintf(stderr, "fsmount: the kernel did not take a reply: %s\n",
				strerror(errno));
	}
	free(request);
	free(reply);
	return NULL;
}

static bool number(const char *word, const char *name, uint32_t *ret)
{
	size_t length = strlen(name);

	if (strncmp(word, name, length) != 0)
		return false;
	*ret = (uint32_t)strtoul(word + length, NULL, 10);
	return true;
}

static bool map(const char *word, const char *name, struct fs_id_map *ret)
{
	char format[32];

	snprintf(format, sizeof(format), "%s%%u:%%u:%%u", name);
	return sscanf(word, format, &ret->guest, &ret->host, &ret->count) == 3;
}

int main(int argc, char **argv)
{
	static struct fs_id_map uids, gids;
	static struct worker workers[MAX_THREADS];
	struct fs_config c = fs_defaults;
	struct fs_server *server;
	struct fs_stats stats;
	struct err e = { 0 };
	struct rlimit files;
	uint32_t threads = 4;
	bool want_stats = false;
	char options[128];
	int device, i;

	for (i = 1; i < argc - 2; i++) {
		const char *word = argv[i];

		if (strcmp(word, "ro") == 0)
			c.read_only = true;
		else if (strcmp(word, "writeback") == 0)
			c.writeback = true;
		else if (strcmp(word, "locks") == 0)
			c.locks = true;
		else if (strcmp(word, "submounts") == 0)
			c.submounts = true;
		else if (strcmp(word, "devices") == 0)
			c.make_devices = true;
		else if (strcmp(word, "none") == 0)
			c.cache = FS_CACHE_NONE;
		else if (strcmp(word, "auto") == 0)
			c.cache = FS_CACHE_AUTO;
		else if (strcmp(word, "always") == 0)
			c.cache = FS_CACHE_ALWAYS;
		else if (strcmp(word, "stats") == 0)
			want_stats = true;
		else if (map(word, "uid=", &uids))
			c.uids = &uids, c.n_uids = 1;
		else if (map(word, "gid=", &gids))
			c.gids = &gids, c.n_gids = 1;
		else if (!number(word, "threads=", &threads) &&
			 !number(word, "inodes=", &c.max_inodes) &&
			 !number(word, "handles=", &c.max_handles) &&
			 !number(word, "descriptors=", &c.max_descriptors)) {
			fprintf(stderr, "fsmount: unknown option \"%s\"\n", word);
			return 2;
		}
	}
	if (i != argc - 2 || threads < 1 || threads > MAX_THREADS) {
		fprintf(stderr, "usage: fsmount [OPTION...] DIRECTORY MOUNTPOINT\n");
		return 2;
	}
	mountpoint = argv[argc - 1];
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGTERM, end);
	signal(SIGINT, end);

	c.root_fd = open(argv[argc - 2], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c.root_fd < 0 || fs_server_new(&c, &server, &e) < 0) {
		fprintf(stderr, "fsmount: %s: %s\n", argv[argc - 2],
			e.code ? e.msg : strerror(errno));
		return 1;
	}
	close(c.root_fd);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
		 device);
	if (device < 0 || mount("hull", mountpoint, "fuse.hull", 0, options) < 0) {
		fprintf(stderr, "fsmount: mount on %s: %s\n", mountpoint, strerror(errno));
		return 1;
	}
	for (uint32_t t = 0; t < threads; t++) {
		workers[t] = (struct worker){ .server = server, .device = device };
		pthread_create(&workers[t].thread, NULL, work, &workers[t]);
	}
	puts("mounted");
	fflush(stdout);
	for (uint32_t t = 0; t < threads; t++)
		pthread_join(workers[t].thread, NULL);
	fs_server_stats(server, &stats);
	if (want_stats)
		fprintf(stderr,
			"requests %ju failed %ju inodes %u descriptors %u handles %u evictions "
			"%ju\n",
			(uintmax_t)stats.requests, (uintmax_t)stats.failed, stats.inodes,
			stats.descriptors, stats.handles, (uintmax_t)stats.evictions);
	fs_server_free(server);
	close(device);
	return 0;
}
