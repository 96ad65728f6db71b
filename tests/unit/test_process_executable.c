#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "process/executable.h"

/* Every test works in a directory of its own, with these files. */
static char work[64];

static void make(const char *name, mode_t mode, const void *bytes, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0, "%s: %m", name);
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void make_text(const char *name, mode_t mode, const char *text)
{
	make(name, mode, text, strlen(text));
}

/* An ELF program of nothing but a PT_INTERP. */
static void make_elf(const char *name, uint16_t machine, const char *interpreter)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
		char interpreter[64];
	} elf = {
		.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					 ELFDATA2LSB, EV_CURRENT },
			    .e_type = ET_EXEC,
			    .e_machine = machine,
			    .e_phoff = sizeof(Elf64_Ehdr),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = 1 },
		.segment = { .p_type = PT_INTERP,
			     .p_offset = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
			     .p_filesz = strlen(interpreter) + 1 },
	};

	strcpy(elf.interpreter, interpreter);
	make(name, 0755, &elf, sizeof(elf));
}

static void set_up(void)
{
	strcpy(work, "/tmp/hull-exec-XXXXXX");
	cr_assert_not_null(mkdtemp(work));
	cr_assert_eq(chdir(work), 0);
	chmod(work, 0755);
	mkdir("bin", 0755);
	mkdir("sbin", 0755);
	mkdir("bin/directory", 0755);
	mkfifo("bin/fifo", 0777);
	make_text("bin/program", 0755, "#!/bin/sh\n");
	make_text("sbin/program", 0755, "#!/bin/sh\n");
	make_text("bin/data", 0644, "data");
	make_text("sbin/data", 0755, "#!/bin/sh\n");
	make_text("bin/closed", 0644, "data");
	make_text("bin/empty", 0755, "");
	make_text("bin/text", 0755, "echo no hash bang\n");
	make_text("bin/crlf", 0755, "#!/bin/sh\r\necho\r\n");
	make_text("bin/nointerp", 0755, "#! /no/such/interpreter -x\n");
	make_text("bin/nested", 0755, "#!bin/nointerp\n");
	make_text("bin/refused", 0755, "#!bin/data\n");
	make_text("bin/escape", 0755, "#!\033[2J\n");
	make_text("bin/bom", 0755, "\xef\xbb\xbf#!/bin/sh\n");
	make_text("bin/noname", 0755, "#! \n");
	make_text("bin/wraps", 0755, "#!bin/empty\n");
	make_elf("bin/musl", EM_X86_64, "/lib/ld-no-such.so.1");
	make_elf("bin/foreign", EM_AARCH64, "/lib/ld-no-such.so.1");
	make_elf("bin/strange", 9999, "/lib/ld-no-such.so.1");
	cr_assert_eq(symlink("loop", "bin/loop"), 0);
	cr_assert_eq(symlink("gone\a", "bin/dangling"), 0);
}

static void tear_down(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", work);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(system(command), 0);
}

TestSuite(executable, .init = set_up, .fini = tear_down);

/* Names are sought with PATH=bin:sbin, or with what the row says. */
Test(executable, is_found)
{
	static const struct {
		const char *name, *path, *found;
	} rows[] = {
		{ "program", NULL, "bin/program" },
		{ "program", "sbin:bin", "sbin/program" },
		{ "program", "/no/such/directory:bin", "bin/program" },
		{ "data", NULL, "sbin/data" }, /* the one in bin is not executable */
		{ "./bin/program", NULL, "./bin/program" },
		{ "bin/program", NULL, "bin/program" },
		{ "bin/program", "", "bin/program" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const char *found = NULL;
		struct err e = { 0 };

		cr_expect_eq(executable_find(rows[i].name, rows[i].path ? rows[i].path : "bin:sbin",
					     &a, &found, &e),
			     0, "%s", e.msg);
		cr_expect_str_eq(found ? found : "", rows[i].found);
	}
}

Test(executable, is_found_here_for_an_empty_directory)
{
	auto_arena struct arena a = { 0 };
	const char *found = NULL;

	cr_assert_eq(chdir("bin"), 0);
	cr_expect_eq(executable_find("program", "/no/such:", &a, &found, NULL), 0);
	cr_expect_str_eq(found ? found : "", "./program");
}

Test(executable, is_found_in_the_usual_places_without_a_path)
{
	auto_arena struct arena a = { 0 };
	const char *found = NULL;
	struct err e = { 0 };

	cr_expect_eq(executable_find("sh", NULL, &a, &found, &e), 0, "%s", e.msg);
	cr_expect_str_eq(strrchr(found ? found : "/", '/'), "/sh");
}

Test(executable, says_why_it_is_not_found)
{
	static const struct {
		const char *name;
		int code;
		const char *message;
	} rows[] = {
		{ "none", ENOENT, "exec: \"none\": executable file not found in $PATH" },
		{ "", ENOENT, "exec: \"\": executable file not found in $PATH" },
		{ "directory", ENOENT, "exec: \"directory\": executable file not found in $PATH" },
		{ "closed", EACCES,
		  "exec: \"bin/closed\": permission denied (it has no "
		  "execute bit: its mode is 0644)" },
		{ "/no/such/file", ENOENT,
		  "exec: \"/no/such/file\": stat /no/such/file: no such file or directory" },
		{ "bin/none", ENOENT,
		  "exec: \"bin/none\": stat bin/none: no such file or directory" },
		{ "bin/program/x", ENOTDIR,
		  "exec: \"bin/program/x\": stat bin/program/x: not a directory" },
		{ "bin/loop", ELOOP,
		  "exec: \"bin/loop\": stat bin/loop: too many levels of symbolic links" },
		{ "bin/dangling", ENOENT,
		  "exec: \"bin/dangling\": stat bin/dangling: no such file or directory (it is a "
		  "link to \"gone\\x07\", which is missing)" },
		{ "bin/directory", EACCES,
		  "exec: \"bin/directory\": permission denied (it is a directory, "
		  "not a file)" },
		{ "bin/closed", EACCES,
		  "exec: \"bin/closed\": permission denied (it has no "
		  "execute bit: its mode is 0644)" },
		{ "bin/fifo", EACCES,
		  "exec: \"bin/fifo\": permission denied (it is a FIFO, "
		  "not a file)" },
		{ "/", EACCES, "exec: \"/\": permission denied (it is a directory, not a file)" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const char *found = "untouched";
		struct err e = { 0 };

		cr_expect_eq(executable_find(rows[i].name, "bin:sbin", &a, &found, &e),
			     -rows[i].code, "%s", rows[i].name);
		cr_expect_str_eq(e.msg, rows[i].message);
		cr_expect_str_eq(found, "untouched");
	}
}

Test(executable, failures_are_diagnosed)
{
	static const struct {
		const char *path;
		int code;
		const char *message;
	} rows[] = {
		{ "bin/nointerp", ENOENT,
		  "exec: \"bin/nointerp\": no such file or directory (its interpreter "
		  "\"/no/such/interpreter\" is missing)" },
		{ "bin/nested", ENOENT,
		  "exec: \"bin/nested\": no such file or directory (its interpreter "
		  "\"/no/such/interpreter\" is missing)" },
		{ "bin/crlf", ENOENT,
		  "exec: \"bin/crlf\": no such file or directory (its interpreter \"/bin/sh\\r\" "
		  "is "
		  "missing; the line ends in CRLF)" },
		{ "bin/escape", ENOENT,
		  "exec: \"bin/escape\": no such file or directory (its interpreter \"\\x1b[2J\" "
		  "is "
		  "missing)" },
		{ "bin/musl", ENOENT,
		  "exec: \"bin/musl\": no such file or directory (its ELF interpreter "
		  "\"/lib/ld-no-such.so.1\" is missing)" },
		{ "bin/none", ENOENT, "exec: \"bin/none\": no such file or directory" },
		{ "bin/closed", EACCES,
		  "exec: \"bin/closed\": permission denied (it has no "
		  "execute bit: its mode is 0644)" },
		{ "bin/refused", EACCES,
		  "exec: \"bin/refused\": permission denied (its interpreter \"bin/data\" may not "
		  "be "
		  "executed)" },
		{ "bin/fifo", ENOENT, "exec: \"bin/fifo\": no such file or directory" },
		{ "bin/empty", ENOEXEC, "exec: \"bin/empty\": exec format error (it is empty)" },
		{ "bin/text", ENOEXEC,
		  "exec: \"bin/text\": exec format error (it is no ELF program, and no script that "
		  "begins with \"#!\")" },
		{ "bin/strange", ENOEXEC,
		  "exec: \"bin/strange\": exec format error (it is a program for ELF machine "
		  "9999)" },
		{ "bin/bom", ENOEXEC,
		  "exec: \"bin/bom\": exec format error (a byte order mark stands before its "
		  "\"#!\")" },
		{ "bin/noname", ENOEXEC,
		  "exec: \"bin/noname\": exec format error (its first line names no interpreter)" },
		{ "bin/wraps", ENOEXEC,
		  "exec: \"bin/wraps\": exec format error (its interpreter \"bin/empty\": it is "
		  "empty)" },
		{ "bin/fifo", EACCES,
		  "exec: \"bin/fifo\": permission denied (it is a FIFO, not a file)" },
		{ "bin/program", ETXTBSY,
		  "exec: \"bin/program\": text file busy (somebody has it open for writing)" },
		{ "bin/program", E2BIG, "exec: \"bin/program\": argument list too long" },
		{ "bin/program", ENOMEM, "exec: \"bin/program\": cannot allocate memory" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };

		cr_expect_eq(executable_diagnose(rows[i].path, rows[i].code, &e), -rows[i].code);
		cr_expect_str_eq(e.msg, rows[i].message);
	}
}

/* Of another user's program, and of an object file. */
Test(executable, modes_and_objects)
{
	struct err e = { 0 };
	char message[256];
	Elf64_Ehdr object = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					   ELFDATA2LSB },
			      .e_type = ET_REL,
			      .e_machine = EM_X86_64 };
	struct utsname own;

	if (geteuid() != 0) {
		make_text("bin/others", 0671, "");
		cr_assert_eq(chmod("bin/others", 0611), 0);
		snprintf(message, sizeof(message),
			 "exec: \"bin/others\": permission denied (its mode is 0611 and its owner "
			 "%u:%u, this process is %u:%u)",
			 geteuid(), getegid(), geteuid(), getegid());
		cr_expect_eq(executable_diagnose("bin/others", EACCES, &e), -EACCES);
		cr_expect_str_eq(e.msg, message);
	}
	uname(&own);
	if (strcmp(own.machine, "x86_64") != 0)
		return;
	make("bin/object", 0755, &object, sizeof(object));
	cr_expect_eq(executable_diagnose("bin/object", ENOEXEC, &e), -ENOEXEC);
	cr_expect_str_eq(e.msg,
			 "exec: \"bin/object\": exec format error (it is an ELF file, but no "
			 "program)");
}

Test(executable, wrong_machine_is_named)
{
	struct err e = { 0 };
	struct utsname own;
	char message[256];

	uname(&own);
	if (strcmp(own.machine, "aarch64") == 0)
		cr_skip_test("the foreign program is for this machine");
	snprintf(message, sizeof(message),
		 "exec: \"bin/foreign\": exec format error (it is a program for aarch64, this "
		 "machine is %s)",
		 own.machine);
	cr_expect_eq(executable_diagnose("bin/foreign", ENOEXEC, &e), -ENOEXEC);
	cr_expect_str_eq(e.msg, message);
}

/* The kernel fails as the rows above suppose. */
Test(executable, the_kernel_agrees)
{
	static const struct {
		const char *path;
		int code;
	} rows[] = {
		{ "bin/nointerp", ENOENT }, { "bin/nested", ENOENT },  { "bin/crlf", ENOENT },
		{ "bin/musl", ENOENT },     { "bin/refused", EACCES }, { "bin/empty", ENOEXEC },
		{ "bin/text", ENOEXEC },
	};
	char *const argv[] = { (char *)"x", NULL };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(execv(rows[i].path, argv), -1);
		cr_expect_eq(errno, rows[i].code, "%s: %m", rows[i].path);
	}
}

Test(executable, noexec_is_named)
{
	auto_arena struct arena a = { 0 };
	const char *found;
	struct err e = { 0 };

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "bin/directory", "tmpfs", MS_NOEXEC, NULL) < 0)
		cr_skip_test("needs to mount");
	make_text("bin/directory/x", 0755, "#!/bin/sh\n");
	cr_expect_eq(executable_find("bin/directory/x", NULL, &a, &found, &e), -EACCES);
	cr_expect_str_eq(e.msg, "exec: \"bin/directory/x\": permission denied (its file system is "
				"mounted noexec)");
	umount2("bin/directory", MNT_DETACH);
}

/* Headers that lie about what follows them are read to no harm. */
Test(executable, broken_programs_do_no_harm)
{
	static const struct {
		uint64_t phoff, offset, size;
		uint16_t phnum;
	} rows[] = {
		{ UINT64_MAX, 120, 5, 1 },
		{ INT64_MAX, 120, 5, 0xffff },
		{ sizeof(Elf64_Ehdr), UINT64_MAX, 5, 1 },
		{ sizeof(Elf64_Ehdr), 120, UINT64_MAX, 1 },
		{ sizeof(Elf64_Ehdr), 120, 0, 1 },
		{ sizeof(Elf64_Ehdr), 120, 1, 1 },
		{ sizeof(Elf64_Ehdr), 1 << 20, 4096, 1 },
		{ sizeof(Elf64_Ehdr), 120, 4097, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct {
			Elf64_Ehdr header;
			Elf64_Phdr segment;
		} elf = {
			.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
						 ELFDATA2LSB, EV_CURRENT },
				    .e_phoff = rows[i].phoff,
				    .e_phentsize = sizeof(Elf64_Phdr),
				    .e_phnum = rows[i].phnum },
			.segment = { .p_type = PT_INTERP,
				     .p_offset = rows[i].offset,
				     .p_filesz = rows[i].size },
		};
		struct err e = { 0 };

		make("broken", 0755, &elf, sizeof(elf));
		cr_expect_eq(executable_diagnose("broken", ENOENT, &e), -ENOENT);
		cr_expect_str_eq(e.msg, "exec: \"broken\": no such file or directory", "row %zu",
				 i);
		unlink("broken");
	}
}
