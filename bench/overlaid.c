/*
 * overlaid.c - runs a command with an overlay as the root of its bundle: what is to be done around a runtime
 * to run an image, by the fewest system calls.
 *
 *	overlaid LOWER DIR COMMAND...
 *
 * Makes DIR/upper and DIR/work, mounts the overlay on DIR/rootfs, starts the command and waits; then everything
 * is taken away again. DIR/rootfs is there. Ends as the command did.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "overlaid: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* The directory `name` of `at` with all that is in it. */
static void remove_directory(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!list)
		fail(name);
	while ((entry = readdir(list))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (entry->d_type == DT_DIR)
			remove_directory(fd, entry->d_name);
		else if (unlinkat(fd, entry->d_name, 0) < 0)
			fail(entry->d_name);
	}
	closedir(list);
	if (unlinkat(at, name, AT_REMOVEDIR) < 0)
		fail(name);
}

int main(int argc, char *argv[])
{
	char options[8192], root[4096];
	int dir, status, r;
	pid_t pid;

	if (argc < 4) {
		fprintf(stderr, "usage: overlaid LOWER DIR COMMAND...\n");
		return 2;
	}
	dir = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		fail(argv[2]);
	if (mkdirat(dir, "upper", 0755) < 0 || mkdirat(dir, "work", 0700) < 0)
		fail("make the directories of the overlay");
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s/upper,workdir=%s/work,volatile",
		 argv[1], argv[2], argv[2]);
	snprintf(root, sizeof(root), "%s/rootfs", argv[2]);
	if (mount("overlay", root, "overlay", 0, options) < 0)
		fail("mount the overlay");
	r = posix_spawn(&pid, argv[3], NULL, NULL, argv + 3, environ);
	if (r != 0 || waitpid(pid, &status, 0) < 0)
		fail(argv[3]);
	if (umount2(root, 0) < 0)
		fail("unmount the overlay");
	remove_directory(dir, "upper");
	remove_directory(dir, "work");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
