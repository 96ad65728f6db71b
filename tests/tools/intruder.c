/*
 * intruder - a program within a container that tries to get at what is the host's,
 * by way of the processes that come to it. It writes a line for each success, and
 * must never have one.
 *
 *	intruder descriptors SECONDS    opens each descriptor of each other process
 *	                                (CVE-2016-9962), and says what is a file, and
 *	                                who is in another mount namespace
 *	intruder executable SECONDS     opens the /proc/PID/exe of each process, and
 *	                                its own, for writing (CVE-2019-5736)
 *
 * It prints "ready" first and "done N" at the end, N being how many it has looked at.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long looked_at;

/*
 * Without root hull runs from a copy of its own in memory (security/seal.h). Once nobody runs that it can be
 * opened, and still not be written, made longer or shorter.
 */
static bool is_sealed(int fd)
{
	const int all = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	const int seals = fcntl(fd, F_GET_SEALS); /* -1: it is no such copy */

	return seals >= 0 && (seals & all) == all && write(fd, "x", 1) < 0;
}

static void look_at_executable(const char *pid)
{
	char path[64], name[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	n = readlink(path, name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = '\0';
	looked_at++;
	/* Those of the image are ours to write; hull's is not of the image. */
	if (n > 0 && (strncmp(name, "/bin/", 5) == 0 || strncmp(name, "/intruder", 9) == 0))
		return;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (!is_sealed(fd))
			printf("opened %s (%s) for writing\n", path, name);
		close(fd);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		char again[32];
		int writable;

		snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
		writable = open(again, O_WRONLY | O_CLOEXEC);
		if (writable >= 0 && !is_sealed(writable))
			printf("opened %s (%s) again, for writing\n", path, name);
		close(fd);
	}
}

/* Whoever may look at this may attach to the process, too. */
static void look_at_namespace(const char *pid)
{
	char path[64];
	struct stat own, other;

	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", pid);
	if (stat(path, &other) == 0 && stat("/proc/self/ns/mnt", &own) == 0 &&
	    own.st_ino != other.st_ino)
		printf("process %s is in another mount namespace\n", pid);
}

static void look_at_descriptors(const char *pid)
{
	char path[64], name[512];
	struct dirent *entry;
	struct stat st, here;
	DIR *dir;

	looked_at++;
	look_at_namespace(pid);
	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		char descriptor[sizeof(path) + 256];
		ssize_t n;

		if (atoi(entry->d_name) < 3)
			continue;
		snprintf(descriptor, sizeof(descriptor), "%s/%s", path, entry->d_name);
		n = readlink(descriptor, name, sizeof(name) - 1);
		name[n > 0 ? n : 0] = '\0';
		/* Sockets, pipes and namespaces lead nowhere; what has the same name here is ours. */
		if (stat(descriptor, &st) == 0 && name[0] == '/' && !S_ISCHR(st.st_mode) &&
		    !(stat(name, &here) == 0 && here.st_dev == st.st_dev &&
		      here.st_ino == st.st_ino))
			printf("process %s has descriptor %s: %s\n", pid, entry->d_name, name);
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc == 3 ? atoi(argv[2]) : 0);
	void (*look)(const char *);
	pid_t own = getpid();

	if (argc != 3)
		return 2;
	look = strcmp(argv[1], "executable") == 0 ? look_at_executable : look_at_descriptors;
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	while (time(NULL) < end) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		while (proc && (entry = readdir(proc)))
			if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != own)
				look(entry->d_name);
		if (proc)
			closedir(proc);
	}
	printf("done %ld\n", looked_at);
	return 0;
}
