#include "microvm/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"

enum { WAIT_MS = 30 * 1000, LOOK_MS = 2 };

#define DEVICE "/dev/vda"

static const struct {
	const char *name;
	size_t at, size;
	uint32_t magic;
} types[] = {
	{ "erofs", 1024, 4, EROFS_SUPER_MAGIC_V1 },
	{ "ext4", 1024 + 0x38, 2, EXT4_SUPER_MAGIC },
};

const char *disk_type(const uint8_t head[DISK_HEAD])
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		uint32_t found = 0;

		memcpy(&found, head + types[i].at, types[i].size);
		if (found == types[i].magic)
			return types[i].name;
	}
	return NULL;
}

static const char *read_type(int fd, uint8_t head[DISK_HEAD])
{
	return pread(fd, head, DISK_HEAD, 0) == DISK_HEAD ? disk_type(head) : NULL;
}

/* Of ext4: the bit "recover" among the incompatible features. */
static bool is_dirty(const uint8_t head[DISK_HEAD], const char *type)
{
	enum { AT = 1024 + 0x60, RECOVER = 4 };

	return strcmp(type, "ext4") == 0 && (head[AT] & RECOVER);
}

int disk_open(const char *path, const char **ret_type, struct err *e)
{
	/* Looked at before it is opened: devices do things when they are. */
	auto_fd int at = open(path, O_PATH | O_CLOEXEC), fd = -1;
	uint8_t head[DISK_HEAD];
	const char *type = NULL;
	struct stat st;
	char self[32];

	if (at < 0 || fstat(at, &st) < 0)
		return err_sys(e, "annotation " DISK_ANNOTATION ": open %s", path);
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
		fd = open(self, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "annotation " DISK_ANNOTATION ": open %s", path);
		type = read_type(fd, head);
	}
	if (!type)
		return err_set(e, ENOTSUP,
			       "annotation " DISK_ANNOTATION
			       ": %s is no image of an EROFS or ext4 file system",
			       path);
	if (is_dirty(head, type))
		return err_set(e, ENOTSUP,
			       "annotation " DISK_ANNOTATION
			       ": %s was not unmounted: its journal is to be replayed, which a disk "
			       "that is only read can't be (e2fsck -p does it)",
			       path);
	*ret_type = type;
	return take_fd(&fd);
}

/* The driver finds it some time after it has been loaded. */
static int open_device(struct err *e)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };

	for (int waited = 0; waited < WAIT_MS; waited += LOOK_MS) {
		int fd = open(DEVICE, O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			return fd;
		if (errno != ENOENT && errno != ENXIO && errno != ENODEV)
			break;
		nanosleep(&look, NULL);
	}
	return err_sys(e, "open the microVM's disk");
}

static int make_directories(struct err *e)
{
	static const char *const paths[] = { DISK_LOWER, DISK_CHANGES, DISK_ROOT };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (mkdir(paths[i], 0700) < 0)
			return err_sys(e, "make %s", paths[i]);
	return 0;
}

/* The root directory's owner and mode are the image's: an overlay shows those of its upper one. */
static int make_upper(struct err *e)
{
	static const char upper[] = DISK_CHANGES "/upper", work[] = DISK_CHANGES "/work";
	struct stat st;

	if (stat(DISK_LOWER, &st) < 0 || mkdir(upper, 0755) < 0 || mkdir(work, 0700) < 0 ||
	    chown(upper, st.st_uid, st.st_gid) < 0 || chmod(upper, st.st_mode & 07777) < 0)
		return err_sys(e, "make the directories of the root's overlay");
	return 0;
}

int disk_mount(struct err *e)
{
	auto_fd int fd = open_device(e);
	uint8_t head[DISK_HEAD];
	const char *type;

	TRY(fd);
	type = read_type(fd, head);
	if (!type)
		return err_set(e, EINVAL, "the microVM's disk has no file system that is known");
	close_fd(&fd);
	TRY(make_directories(e));
	if (mount(DEVICE, DISK_LOWER, type, MS_RDONLY, NULL) < 0)
		return err_sys(e, "mount the microVM's disk");
	if (mount("tmpfs", DISK_CHANGES, "tmpfs", 0, "mode=0700") < 0)
		return err_sys(e, "mount memory for the root's changes");
	TRY(make_upper(e));
	if (mount("overlay", DISK_ROOT, "overlay", 0,
		  "lowerdir=" DISK_LOWER ",upperdir=" DISK_CHANGES "/upper,workdir=" DISK_CHANGES
		  "/work") < 0)
		return err_sys(e, "mount the overlay of the root");
	return 0;
}
