/*
 * The kernel answers ENOENT for a missing interpreter and EACCES for a whole
 * mount; the reason is found by looking at what it looked at. The file is the
 * container's: nothing in it is believed, and it is never waited for.
 */
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "process/executable.h"

enum {
	HEAD_SIZE = 256,     /* what the kernel looks at: BINPRM_BUF_SIZE */
	SEGMENTS_MAX = 64,   /* program headers that we look through */
	INTERPRETERS_MAX = 4 /* a script's interpreter may be a script: BINPRM's own limit */
};

struct file {
	int fd;
	unsigned char head[HEAD_SIZE];
	size_t len;
};

struct reason {
	char text[512]; /* empty: nothing to add */
};

static const struct {
	uint16_t value;
	const char *name; /* as uname -m has it */
} machines[] = {
	{ EM_386, "i386" },    { EM_X86_64, "x86_64" },
	{ EM_ARM, "arm" },     { EM_AARCH64, "aarch64" },
	{ EM_RISCV, "riscv" }, { EM_PPC, "ppc" },
	{ EM_PPC64, "ppc64" }, { EM_S390, "s390" },
	{ EM_MIPS, "mips" },   { EM_LOONGARCH, "loongarch" },
};

static bool file_open(const char *path, struct file *ret)
{
	struct stat st;
	ssize_t n;

	ret->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (ret->fd < 0)
		return false;
	if (fstat(ret->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	n = pread(ret->fd, ret->head, sizeof(ret->head), 0);
	if (n < 0)
		return false;
	ret->len = (size_t)n;
	return true;
}

static void file_done(struct file *f)
{
	close_fd(&f->fd);
}

#define auto_file __attribute__((cleanup(file_done)))

/* Quotes what a person could not see, first of all the \r of a CRLF. */
static void quote(const char *s, char *ret, size_t size)
{
	size_t len = 0;

	for (; *s && len + 5 < size; s++) {
		if (*s == '\r')
			len += (size_t)snprintf(ret + len, size - len, "\\r");
		else if ((unsigned char)*s < ' ' || *s == 0x7f)
			len += (size_t)snprintf(ret + len, size - len, "\\x%02x",
						(unsigned char)*s);
		else
			ret[len++] = *s;
	}
	ret[len] = '\0';
}

static bool is_script(const struct file *f)
{
	return f->len >= 2 && f->head[0] == '#' && f->head[1] == '!';
}

static bool is_elf(const struct file *f)
{
	return f->len >= sizeof(Elf32_Ehdr) && memcmp(f->head, ELFMAG, SELFMAG) == 0;
}

/* The name after "#!", cut where fs/binfmt_script.c cuts it. */
static bool script_interpreter(const struct file *f, char *ret)
{
	size_t at = 2, len = 0;

	while (at < f->len && (f->head[at] == ' ' || f->head[at] == '\t'))
		at++;
	while (at < f->len && f->head[at] && !strchr(" \t\n", f->head[at]))
		ret[len++] = (char)f->head[at++];
	ret[len] = '\0';
	return len > 0;
}

/* One program header, of either class. */
struct segment {
	uint32_t type;
	uint64_t offset, size;
};

static bool segment_read(const struct file *f, bool wide, uint64_t at, struct segment *ret)
{
	Elf64_Phdr big;
	Elf32_Phdr small;

	if (at > INT64_MAX - sizeof(big))
		return false;
	if (wide) {
		if (pread(f->fd, &big, sizeof(big), (off_t)at) != sizeof(big))
			return false;
		*ret = (struct segment){ big.p_type, big.p_offset, big.p_filesz };
	} else {
		if (pread(f->fd, &small, sizeof(small), (off_t)at) != sizeof(small))
			return false;
		*ret = (struct segment){ small.p_type, small.p_offset, small.p_filesz };
	}
	return true;
}

static bool has_own_byte_order(const struct file *f)
{
	return f->head[EI_DATA] == (BYTE_ORDER == LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB);
}

/* PT_INTERP of a program of this machine's byte order. `ret` has room for PATH_MAX. */
static bool elf_interpreter(const struct file *f, char *ret)
{
	const bool wide = f->head[EI_CLASS] == ELFCLASS64 && f->len >= sizeof(Elf64_Ehdr);
	Elf64_Ehdr big = { 0 };
	Elf32_Ehdr small = { 0 };
	uint64_t at, step;
	uint16_t n;

	if (!has_own_byte_order(f))
		return false;
	if (wide)
		memcpy(&big, f->head, sizeof(big));
	else
		memcpy(&small, f->head, sizeof(small));
	at = wide ? big.e_phoff : small.e_phoff;
	step = wide ? big.e_phentsize : small.e_phentsize;
	n = wide ? big.e_phnum : small.e_phnum;
	for (uint16_t i = 0; i < n && i < SEGMENTS_MAX; i++, at += step) {
		struct segment s;

		if (!segment_read(f, wide, at, &s))
			return false;
		if (s.type != PT_INTERP)
			continue;
		if (s.size < 2 || s.size > PATH_MAX || s.offset > INT64_MAX - PATH_MAX ||
		    pread(f->fd, ret, s.size, (off_t)s.offset) != (ssize_t)s.size)
			return false;
		ret[s.size - 1] = '\0';
		return true;
	}
	return false;
}

static void explain_interpreter(const char *interpreter, bool script, int code, struct reason *ret)
{
	char name[HEAD_SIZE * 4];
	const size_t len = strlen(interpreter);
	const bool crlf = script && len > 0 && interpreter[len - 1] == '\r';

	quote(interpreter, name, sizeof(name));
	snprintf(ret->text, sizeof(ret->text), "its %s \"%.300s\" %s%s",
		 script ? "interpreter" : "ELF interpreter", name,
		 code == ENOENT ? "is missing" : "may not be executed",
		 crlf ? "; the line ends in CRLF" : "");
}

/* For ENOENT and EACCES: follows interpreters to the one that fails so. */
static void explain_chain(const char *path, int code, struct reason *ret)
{
	char current[PATH_MAX], interpreter[PATH_MAX];

	if ((size_t)snprintf(current, sizeof(current), "%s", path) >= sizeof(current))
		return;
	for (int i = 0; i < INTERPRETERS_MAX; i++) {
		auto_file struct file f = { .fd = -1 };
		bool script;

		if (!file_open(current, &f))
			return;
		script = is_script(&f);
		if (!(script && script_interpreter(&f, interpreter)) &&
		    !(is_elf(&f) && elf_interpreter(&f, interpreter)))
			return;
		if (faccessat(AT_FDCWD, interpreter, X_OK, AT_EACCESS) < 0 && errno == code) {
			explain_interpreter(interpreter, script, code, ret);
			return;
		}
		memcpy(current, interpreter, strlen(interpreter) + 1);
	}
}

/* A link that leads to nothing, or what it needs to run. */
static void explain_missing(const char *path, struct reason *ret)
{
	char to[PATH_MAX], name[HEAD_SIZE * 4];
	ssize_t n = readlink(path, to, sizeof(to) - 1);
	struct stat st;

	if (n < 0 || stat(path, &st) == 0) {
		explain_chain(path, ENOENT, ret);
		return;
	}
	to[n] = '\0';
	quote(to, name, sizeof(name));
	snprintf(ret->text, sizeof(ret->text), "it is a link to \"%.300s\", which is missing",
		 name);
}

static const char *kind_of(mode_t mode)
{
	return S_ISFIFO(mode)   ? "a FIFO"
	       : S_ISSOCK(mode) ? "a socket"
	       : S_ISDIR(mode)  ? "a directory"
				: "a device";
}

/* Who may not, when the mode does let somebody. */
static void explain_mode(const struct stat *st, struct reason *ret)
{
	if (!(st->st_mode & 0111))
		snprintf(ret->text, sizeof(ret->text), "it has no execute bit: its mode is %04o",
			 st->st_mode & 07777);
	else
		snprintf(ret->text, sizeof(ret->text),
			 "its mode is %04o and its owner %u:%u, this process is %u:%u",
			 st->st_mode & 07777, st->st_uid, st->st_gid, geteuid(), getegid());
}

static void explain_refused(const char *path, struct reason *ret)
{
	struct statvfs fs;
	struct stat st;

	if (stat(path, &st) < 0)
		return;
	if (!S_ISREG(st.st_mode))
		snprintf(ret->text, sizeof(ret->text), "it is %s, not a file", kind_of(st.st_mode));
	else if (statvfs(path, &fs) == 0 && fs.f_flag & ST_NOEXEC)
		snprintf(ret->text, sizeof(ret->text), "its file system is mounted noexec");
	else if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
		explain_chain(path, EACCES, ret);
	else
		explain_mode(&st, ret);
}

static uint16_t elf_half(const struct file *f, size_t at)
{
	return (uint16_t)(f->head[EI_DATA] == ELFDATA2LSB ? f->head[at] | f->head[at + 1] << 8
							  : f->head[at] << 8 | f->head[at + 1]);
}

static void explain_machine(const struct file *f, struct reason *ret)
{
	const uint16_t type = elf_half(f, 16), machine = elf_half(f, 18);
	struct utsname own;

	if (uname(&own) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
		if (machines[i].value != machine)
			continue;
		if (strncmp(own.machine, machines[i].name, strlen(machines[i].name)) != 0)
			snprintf(ret->text, sizeof(ret->text),
				 "it is a program for %s, this machine is %s", machines[i].name,
				 own.machine);
		else if (type != ET_EXEC && type != ET_DYN)
			snprintf(ret->text, sizeof(ret->text), "it is an ELF file, but no program");
		return;
	}
	snprintf(ret->text, sizeof(ret->text), "it is a program for ELF machine %u", machine);
}

static void explain_content(const struct file *f, struct reason *ret)
{
	if (f->len == 0)
		snprintf(ret->text, sizeof(ret->text), "it is empty");
	else if (is_elf(f))
		explain_machine(f, ret);
	else if (is_script(f))
		snprintf(ret->text, sizeof(ret->text), "its first line names no interpreter");
	else if (f->len >= 5 && memcmp(f->head, "\xef\xbb\xbf#!", 5) == 0)
		snprintf(ret->text, sizeof(ret->text),
			 "a byte order mark stands before its \"#!\"");
	else
		snprintf(ret->text, sizeof(ret->text),
			 "it is no ELF program, and no script that begins with \"#!\"");
}

/* Of the file, or of the interpreter that it names. */
static void explain_format(const char *path, struct reason *ret)
{
	char interpreter[PATH_MAX], name[HEAD_SIZE * 4];
	auto_file struct file f = { .fd = -1 }, other = { .fd = -1 };
	struct reason why = { 0 };

	if (!file_open(path, &f))
		return;
	if (!is_script(&f) || !script_interpreter(&f, interpreter)) {
		explain_content(&f, ret);
		return;
	}
	if (!file_open(interpreter, &other))
		return;
	explain_content(&other, &why);
	quote(interpreter, name, sizeof(name));
	if (why.text[0])
		snprintf(ret->text, sizeof(ret->text), "its interpreter \"%.200s\": %.250s", name,
			 why.text);
}

static void explain_busy(const char *path UNUSED, struct reason *ret)
{
	snprintf(ret->text, sizeof(ret->text), "somebody has it open for writing");
}

static const struct {
	int code;
	void (*explain)(const char *path, struct reason *ret);
} explanations[] = {
	{ ENOENT, explain_missing },
	{ EACCES, explain_refused },
	{ ENOEXEC, explain_format },
	{ ETXTBSY, explain_busy },
};

/* As runc has it; then the reason, if there is one. */
int executable_diagnose_missing(const char *path, int code, struct err *e)
{
	struct reason reason = { 0 };

	if (code == ENOENT)
		explain_missing(path, &reason);
	if (!reason.text[0])
		return err_set(e, code, "exec: \"%s\": stat %s: %s", path, path, err_text(code));
	return err_set(e, code, "exec: \"%s\": stat %s: %s (%s)", path, path, err_text(code),
		       reason.text);
}

int executable_diagnose(const char *path, int code, struct err *e)
{
	struct reason reason = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(explanations); i++)
		if (explanations[i].code == code)
			explanations[i].explain(path, &reason);
	if (!reason.text[0])
		return err_set(e, code, "exec: \"%s\": %s", path, err_text(code));
	return err_set(e, code, "exec: \"%s\": %s (%s)", path, err_text(code), reason.text);
}
