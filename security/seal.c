#include "security/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "security/seal_place.h"

/* Linux 6.3; the oldest headers that we build with lack them. */
#ifndef MFD_EXEC
	#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
	#define F_SEAL_EXEC 0x0020
#endif

#define NAME "hull"
/* What /proc/self/exe reads when we run from a copy; the kernel adds both ends. */
#define LINK "/memfd:" NAME " (deleted)"

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static bool is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

static bool is_copy(void)
{
	char link[sizeof(LINK)];
	ssize_t len = readlink("/proc/self/exe", link, sizeof(link));

	return len == sizeof(LINK) - 1 && memcmp(link, LINK, sizeof(LINK) - 1) == 0;
}

static int memory_file(struct err *e)
{
	int fd = memfd_create(NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 all of them are executable */
		fd = memfd_create(NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_sys(e, "make a memory file for a copy of this program");
	return fd;
}

/*
 * How much of the program has to be copied: up to the end of what the kernel
 * maps. Symbols and debugging data come after that, and are most of the file.
 */
static int loaded_size(int fd, off_t *ret, struct err *e)
{
	ElfW(Ehdr) header;
	ElfW(Phdr) part;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(part))
		return err_set(e, ENOEXEC, "read this program: it has no ELF header");
	*ret = 0;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		off_t at = (off_t)(header.e_phoff + i * sizeof(part));

		if (pread(fd, &part, sizeof(part), at) != sizeof(part))
			return err_set(e, ENOEXEC,
				       "read this program: its ELF headers are cut off");
		if (part.p_type == PT_LOAD && (off_t)(part.p_offset + part.p_filesz) > *ret)
			*ret = (off_t)(part.p_offset + part.p_filesz);
	}
	return 0;
}

static int copy(int from, int to, struct err *e)
{
	off_t left = 0;

	TRY(loaded_size(from, &left, e));
	while (left > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "copy this program");
		if (n == 0)
			return err_set(e, EIO, "copy this program: it became shorter");
		left -= n;
	}
	return 0;
}

static int seal(int fd, struct err *e)
{
	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_EXEC) == 0)
		return 0;
	if (errno == EINVAL && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
		return 0;
	return err_sys(e, "seal the copy of this program");
}

/* An empty file is enough, and less than a copy: there is nothing in it to run or to read. */
static int become_empty(struct err *e)
{
	auto_fd int empty = memory_file(e);

	TRY(empty);
	TRY(seal(empty, e));
	return seal_in_place(empty, e);
}

int seal_by_copy(char *const argv[], char *const envp[], struct err *e)
{
	auto_fd int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), sealed = -1;

	if (self < 0)
		return err_sys(e, "open /proc/self/exe");
	if (is_copy())
		return err_set(e, EPERM, "the copy of this program in memory is not sealed");
	sealed = memory_file(e);
	if (sealed < 0)
		return sealed;
	TRY(copy(self, sealed, e));
	TRY(seal(sealed, e));
	syscall(SYS_execveat, sealed, "", argv, envp, AT_EMPTY_PATH);
	return err_sys(e, "execute the sealed copy of this program");
}

int seal_self(char *const argv[], char *const envp[], struct err *e)
{
	auto_fd int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct err why;

	if (self < 0)
		return err_sys(e, "open /proc/self/exe");
	if (!is_sealed(self) && become_empty(&why) < 0) {
		log_debug("this program starts over in a sealed copy: %s", why.msg);
		return seal_by_copy(argv, envp, e);
	}
	/* execveat(2) makes the number of a descriptor the name of the process. */
	prctl(PR_SET_NAME, NAME, 0, 0, 0);
	return 0;
}
