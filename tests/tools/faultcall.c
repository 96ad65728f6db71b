/*
 * faultcall - runs a command and makes one system call of it fail, once.
 * `faultcall --help` has the options.
 *
 * It follows the whole tree of the command by ptrace(2): every process that comes of
 * it by fork, vfork or clone, until that executes another program (a container's
 * program, a hook, a helper), which is let go. Calls are named WHO.CALL:N, where WHO is
 * 0 for the command itself, 1 for its first child and so on, and N counts the calls of
 * that name in that process: so a name stays the same however the processes of a tree
 * interleave. What happens before the program's entry point is the dynamic loader's and
 * is not counted, and neither are calls that cannot fail (getpid(2), umask(2), ...).
 *
 * A call that fails here is not made: its number is replaced by one that does not exist.
 * Only close(2) is made nevertheless, as the kernel does it: the descriptor is gone
 * whatever close() says.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* After <sys/ptrace.h>, with which it shares names. */
#include <linux/ptrace.h>

#ifdef __x86_64__

enum { NOT_REACHED = 99, BROKEN = 125, MAX_CALLS = 600, MAX_PROCESSES = 64 };

static const long OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			    PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;

/* What of its arguments says what a call is about. */
enum detail {
	NOTHING,
	NUMBER0, /* the first argument */
	NUMBER1,
	FD0, /* what the first argument, a descriptor, is */
	PATH0,
	PATH1,
	PATH2,
	PATH3,
	FSCONFIG,
};

struct call {
	long number;
	const char *name;
	enum detail detail;
	int codes[2]; /* the errnos that fit, the likeliest first; none: it cannot fail */
};

	#define CALL(name, detail, ...)            \
		{                                  \
			SYS_##name, #name, detail, \
			{                          \
				__VA_ARGS__        \
			}                          \
		}

static const struct call calls[] = {
	CALL(accept4, FD0, EMFILE, EINTR),
	CALL(access, PATH0, ENOMEM),
	CALL(arch_prctl, NOTHING, 0), /* a place for what is a thread's own: any will do */
	CALL(bind, FD0, ENOSPC),
	CALL(bpf, NUMBER0, EPERM, ENOMEM),
	CALL(brk, NOTHING, 0), /* it returns no errno, and malloc() has mmap(2) yet */
	CALL(capget, NOTHING, EPERM),
	CALL(capset, NOTHING, EPERM),
	CALL(chdir, PATH0, EIO),
	CALL(clock_gettime, NOTHING, 0),
	CALL(clock_nanosleep, NOTHING, EINTR),
	CALL(clone, NOTHING, EAGAIN, ENOMEM),
	CALL(clone3, NOTHING, EAGAIN, ENOMEM),
	CALL(close, FD0, EIO),
	CALL(close_range, NUMBER0, ENOMEM),
	CALL(connect, FD0, EAGAIN),
	CALL(dup, FD0, EMFILE),
	CALL(dup2, FD0, EMFILE),
	CALL(dup3, FD0, EMFILE),
	CALL(execve, PATH0, ENOMEM),
	CALL(execveat, PATH1, ENOMEM),
	CALL(exit, NOTHING, 0),
	CALL(exit_group, NOTHING, 0),
	CALL(faccessat, PATH1, ENOMEM),
	CALL(faccessat2, PATH1, ENOMEM),
	CALL(fchdir, FD0, EIO),
	CALL(fchmod, FD0, EPERM),
	CALL(fchmodat, PATH1, EPERM),
	CALL(fchown, FD0, EPERM),
	CALL(fchownat, PATH1, EPERM),
	CALL(fcntl, NUMBER1, EMFILE),
	CALL(flock, FD0, ENOLCK, EINTR),
	CALL(fsconfig, FSCONFIG, ENOMEM),
	CALL(fsmount, FD0, ENOMEM, EPERM),
	CALL(fsopen, PATH0, ENOMEM, EPERM),
	CALL(fstat, FD0, EIO),
	CALL(fstatfs, FD0, EIO),
	CALL(fsync, FD0, EIO),
	CALL(ftruncate, FD0, ENOSPC),
	CALL(getcwd, NOTHING, ENOMEM),
	CALL(getdents64, FD0, EIO),
	CALL(getegid, NOTHING, 0),
	CALL(geteuid, NOTHING, 0),
	CALL(getgid, NOTHING, 0),
	CALL(getpid, NOTHING, 0),
	CALL(getppid, NOTHING, 0),
	CALL(getrandom, NOTHING, EAGAIN),
	CALL(getsockopt, FD0, ENOMEM),
	CALL(gettid, NOTHING, 0),
	CALL(getuid, NOTHING, 0),
	CALL(getxattr, PATH0, EIO),
	CALL(ioctl, NUMBER1, EIO),
	CALL(keyctl, NUMBER0, EDQUOT),
	CALL(kill, NUMBER1, EPERM),
	CALL(listen, FD0, ENOMEM),
	CALL(lstat, PATH0, EIO),
	CALL(lseek, FD0, EIO),
	CALL(memfd_create, PATH0, ENOMEM),
	CALL(mkdir, PATH0, ENOSPC),
	CALL(mkdirat, PATH1, ENOSPC),
	CALL(mknodat, PATH1, ENOSPC),
	CALL(mmap, NOTHING, ENOMEM),
	CALL(mount, PATH1, EPERM),
	CALL(mount_setattr, FD0, EPERM),
	CALL(move_mount, FD0, EPERM),
	CALL(mprotect, NOTHING, ENOMEM),
	CALL(mremap, NOTHING, ENOMEM),
	CALL(munmap, NOTHING, ENOMEM),
	CALL(newfstatat, PATH1, EIO),
	CALL(open, PATH0, EMFILE, EIO),
	CALL(open_tree, PATH1, EMFILE, EPERM),
	CALL(openat, PATH1, EMFILE, EIO),
	CALL(openat2, PATH1, EMFILE, EIO),
	CALL(pidfd_open, NOTHING, EMFILE),
	CALL(pidfd_send_signal, NUMBER1, EPERM),
	CALL(pipe, NOTHING, EMFILE),
	CALL(pipe2, NOTHING, EMFILE),
	CALL(pivot_root, PATH0, EPERM),
	CALL(poll, NOTHING, ENOMEM, EINTR),
	CALL(ppoll, NOTHING, ENOMEM, EINTR),
	CALL(prctl, NUMBER0, EPERM),
	CALL(pread64, FD0, EIO),
	CALL(prlimit64, NUMBER1, EPERM),
	CALL(read, FD0, EIO, EINTR),
	CALL(readlink, PATH0, EIO),
	CALL(readlinkat, PATH1, EIO),
	CALL(readv, FD0, EIO, EINTR),
	CALL(recvfrom, FD0, ENOMEM, EINTR),
	CALL(recvmsg, FD0, ENOMEM, EINTR),
	CALL(rename, PATH0, ENOSPC),
	CALL(renameat, PATH1, ENOSPC),
	CALL(renameat2, PATH1, ENOSPC),
	CALL(restart_syscall, NOTHING, 0),
	CALL(rmdir, PATH0, EBUSY),
	CALL(rt_sigaction, NUMBER0, EINVAL),
	CALL(rt_sigprocmask, NUMBER0, EINVAL),
	CALL(rt_sigreturn, NOTHING, 0),
	CALL(rt_sigtimedwait, NOTHING, EINTR),
	CALL(sched_getaffinity, NOTHING, EPERM),
	CALL(sched_setaffinity, NOTHING, EPERM),
	CALL(seccomp, NUMBER0, ENOMEM),
	CALL(sendfile, FD0, ENOSPC),
	CALL(sendmsg, FD0, ENOBUFS, EINTR),
	CALL(sendto, FD0, ENOBUFS, EINTR),
	CALL(set_tid_address, NOTHING, 0),
	CALL(setgroups, NOTHING, EPERM),
	CALL(sethostname, NOTHING, EPERM),
	CALL(setns, FD0, EPERM, ENOMEM),
	CALL(setresgid, NOTHING, EPERM),
	CALL(setresuid, NOTHING, EPERM, EAGAIN),
	CALL(setsid, NOTHING, EPERM),
	CALL(setsockopt, FD0, ENOMEM),
	CALL(signalfd4, NOTHING, EMFILE),
	CALL(socket, NUMBER0, EMFILE),
	CALL(socketpair, NUMBER0, EMFILE),
	CALL(stat, PATH0, EIO),
	CALL(statfs, PATH0, EIO),
	CALL(statx, PATH1, EIO),
	CALL(symlinkat, PATH2, ENOSPC),
	CALL(timerfd_create, NOTHING, EMFILE),
	CALL(timerfd_settime, FD0, ENOMEM),
	CALL(umask, NOTHING, 0),
	CALL(uname, NOTHING, 0),
	CALL(umount2, PATH0, EBUSY),
	CALL(unlink, PATH0, EIO),
	CALL(unlinkat, PATH1, EIO),
	CALL(unshare, NUMBER0, ENOMEM),
	CALL(vfork, NOTHING, EAGAIN),
	CALL(wait4, NOTHING, EINTR),
	CALL(waitid, NOTHING, EINTR),
	CALL(write, FD0, ENOSPC, EINTR),
	CALL(writev, FD0, ENOSPC, EINTR),
};

static const struct {
	int code;
	const char *name;
} codes[] = {
	{ EAGAIN, "EAGAIN" }, { EBUSY, "EBUSY" },   { EDQUOT, "EDQUOT" }, { EINTR, "EINTR" },
	{ EINVAL, "EINVAL" }, { EIO, "EIO" },       { EMFILE, "EMFILE" }, { ENOBUFS, "ENOBUFS" },
	{ ENOLCK, "ENOLCK" }, { ENOMEM, "ENOMEM" }, { ENOSPC, "ENOSPC" }, { EPERM, "EPERM" },
	{ EACCES, "EACCES" }, { EROFS, "EROFS" },   { ENOENT, "ENOENT" }, { ENOSYS, "ENOSYS" },
};

struct process {
	pid_t pid;
	bool counts; /* it is hull, and past its entry point */
	bool alive;
	int pending; /* what the call that it is in is to fail with */
	unsigned short made[MAX_CALLS];
};

static struct process processes[MAX_PROCESSES];
static size_t n_processes;
static FILE *list, *report;
static bool fails, fired;
static struct {
	int who;
	long number;
	unsigned n;
	int code;
} target;
static const char *spec;

static void die(const char *what)
{
	fprintf(stderr, "faultcall: %s: %s\n", what, strerror(errno));
	exit(BROKEN);
}

static const struct call *call_by_number(long number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

static const struct call *call_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, name) == 0)
			return &calls[i];
	return NULL;
}

static const char *code_name(int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			return codes[i].name;
	return "?";
}

static int code_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].name, name) == 0)
			return codes[i].code;
	return 0;
}

/* WHO.CALL:N[=ERRNO] */
static bool parse_target(const char *text)
{
	char name[32], code[16] = "";
	const struct call *call;
	int end = 0, n;

	n = sscanf(text, "%d.%31[a-z0-9_]:%u%n=%15[A-Z0-9]%n", &target.who, name, &target.n, &end,
		   code, &end);
	if (n < 3 || text[end] || !target.n)
		return false;
	call = call_by_name(name);
	if (!call || !call->codes[0])
		return false;
	target.number = call->number;
	target.code = n == 4 ? code_by_name(code) : call->codes[0];
	spec = text;
	return target.code != 0;
}

static struct process *process_of(pid_t pid)
{
	for (size_t i = 0; i < n_processes; i++)
		if (processes[i].alive && processes[i].pid == pid)
			return &processes[i];
	return NULL;
}

static struct process *add_process(pid_t pid, bool counts)
{
	struct process *p = process_of(pid);

	if (p)
		return p;
	if (n_processes == MAX_PROCESSES) {
		errno = E2BIG;
		die("more processes than it can follow");
	}
	p = &processes[n_processes++];
	p->pid = pid;
	p->alive = true;
	p->counts = counts;
	return p;
}

/* A word of the traced process's memory, made printable. */
static const char *read_text(pid_t pid, unsigned long address)
{
	static char text[256];
	struct iovec to = { text, sizeof(text) - 1 }, from = { (void *)address, sizeof(text) - 1 };
	ssize_t n;

	if (!address)
		return "";
	n = process_vm_readv(pid, &to, 1, &from, 1, 0);
	if (n <= 0) { /* it may lie at the end of a page */
		from.iov_len = 4096 - address % 4096;
		if (from.iov_len > sizeof(text) - 1)
			from.iov_len = sizeof(text) - 1;
		n = process_vm_readv(pid, &to, 1, &from, 1, 0);
	}
	text[n > 0 ? n : 0] = '\0';
	for (char *c = text; *c; c++)
		if (*c < ' ')
			*c = '?';
	return text;
}

static const char *descriptor_text(pid_t pid, int fd)
{
	static char text[512];
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	n = readlink(path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void describe(char *buf, size_t size, pid_t pid, const struct call *call,
		     const __u64 args[6])
{
	const char *path;

	buf[0] = '\0';
	switch (call->detail) {
	case NOTHING:
		break;
	case NUMBER0:
	case NUMBER1:
		snprintf(buf, size, "%#llx",
			 (unsigned long long)args[call->detail - NUMBER0] & 0xffffffff);
		break;
	case FD0:
		snprintf(buf, size, "<%s>", descriptor_text(pid, (int)args[0]));
		break;
	case PATH0:
	case PATH1:
	case PATH2:
	case PATH3:
		path = read_text(pid, args[call->detail - PATH0]);
		if (path[0] == '/')
			snprintf(buf, size, "%s", path);
		else if (call->detail == PATH1)
			snprintf(buf, size, "<%s>%s%s", descriptor_text(pid, (int)args[0]),
				 path[0] ? "/" : "", path);
		else
			snprintf(buf, size, "%s", path);
		break;
	case FSCONFIG:
		snprintf(buf, size, "%llu %s", (unsigned long long)args[1],
			 read_text(pid, args[2]));
		break;
	}
}

static void set_register(pid_t pid, size_t offset, long value)
{
	if (ptrace(PTRACE_POKEUSER, pid, (void *)offset, (void *)value) < 0)
		die("set a register");
}

/* The call begins; it is counted, and perhaps it is the one. */
static void enter(struct process *p, const struct ptrace_syscall_info *info)
{
	long number = (long)info->entry.nr;
	const struct call *call = call_by_number(number);
	static const struct call unknown = { 0, "unknown", NOTHING, { 0 } };
	bool hit;
	char detail[1024];
	int who = (int)(p - processes);
	unsigned n;

	if (call && !call->codes[0])
		return;
	if (number < 0 || number >= MAX_CALLS)
		return;
	n = ++p->made[number];
	hit = fails && !fired && target.who == who && target.number == number && target.n == n;
	if (!hit && !list)
		return;
	if (!call) {
		/* None of the table, so it is a gap in the table. */
		snprintf(detail, sizeof(detail), "system call %ld", number);
		call = &unknown;
	} else {
		describe(detail, sizeof(detail), p->pid, call, info->entry.args);
	}
	if (list) {
		fprintf(list, "%d.%s:%u=%s\t%s\n", who, call->name, n, code_name(call->codes[0]),
			detail);
		if (call->codes[1])
			fprintf(list, "%d.%s:%u=%s\t%s\n", who, call->name, n,
				code_name(call->codes[1]), detail);
	}
	if (!hit)
		return;
	fired = true;
	p->pending = target.code;
	if (report)
		fprintf(report, "failed\t%s\t%s\n", spec, detail);
	if (number != SYS_close)
		set_register(p->pid, offsetof(struct user, regs.orig_rax), -1);
}

static void leave(struct process *p)
{
	if (!p->pending)
		return;
	set_register(p->pid, offsetof(struct user, regs.rax), -p->pending);
	p->pending = 0;
}

static void syscall_stop(struct process *p)
{
	struct ptrace_syscall_info info;

	if (!p->counts || ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		enter(p, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		leave(p);
}

static unsigned long entry_point, entry_word;

/* The program's entry point, from what the kernel told the loader. */
static unsigned long find_entry(pid_t pid)
{
	unsigned long pairs[128];
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, pairs, sizeof(pairs));
	if (n < 0)
		die(path);
	close(fd);
	for (size_t i = 0; i + 1 < (size_t)n / sizeof(pairs[0]); i += 2)
		if (pairs[i] == AT_ENTRY)
			return pairs[i + 1];
	errno = ENOEXEC;
	die("the entry point");
	return 0;
}

/* The command has executed a program, itself again perhaps: stop at its first instruction. */
static void break_at_entry(struct process *p)
{
	p->counts = false;
	entry_point = find_entry(p->pid);
	errno = 0;
	entry_word = (unsigned long)ptrace(PTRACE_PEEKTEXT, p->pid, (void *)entry_point, NULL);
	if (errno || ptrace(PTRACE_POKETEXT, p->pid, (void *)entry_point,
			    (void *)((entry_word & ~0xffUL) | 0xcc)) < 0)
		die("stop at the entry point");
}

static bool at_entry(struct process *p)
{
	unsigned long at;

	if (!entry_point || p != &processes[0])
		return false;
	at = (unsigned long)ptrace(PTRACE_PEEKUSER, p->pid, (void *)offsetof(struct user, regs.rip),
				   NULL);
	if (at != entry_point + 1)
		return false;
	if (ptrace(PTRACE_POKETEXT, p->pid, (void *)entry_point, (void *)entry_word) < 0)
		die("go on from the entry point");
	set_register(p->pid, offsetof(struct user, regs.rip), (long)entry_point);
	entry_point = 0;
	p->counts = true;
	return true;
}

static void trace(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS) < 0 ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 || waitpid(pid, NULL, __WALL) != pid ||
	    ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0)
		die("trace");
}

/* By PTRACE_SEIZE: what we leave behind when we end is not stopped. */
static pid_t start(char **argv)
{
	int gate[2];
	pid_t pid;

	if (pipe2(gate, O_CLOEXEC) < 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		char c;

		close(gate[1]);
		if (read(gate[0], &c, 1) < 0)
			die("wait");
		execvp(argv[0], argv);
		die(argv[0]);
	}
	trace(pid);
	close(gate[0]);
	close(gate[1]);
	return pid;
}

/* What stopped there; false: it was let go. */
static bool event_stop(struct process *p, int event)
{
	unsigned long child;

	switch (event) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		if (ptrace(PTRACE_GETEVENTMSG, p->pid, NULL, &child) == 0)
			add_process((pid_t)child, p->counts);
		break;
	case PTRACE_EVENT_EXEC:
		if (p == &processes[0]) {
			break_at_entry(p);
			break;
		}
		/* The entry of the call is counted; the program itself is not ours. */
		p->alive = false;
		ptrace(PTRACE_DETACH, p->pid, NULL, NULL);
		return false;
	}
	return true;
}

static void stopped(pid_t pid, int status)
{
	struct process *p =
		add_process(pid, true); /* the child may stop before its parent says so */
	int sig = 0, event = status >> 16;

	if (WSTOPSIG(status) == (SIGTRAP | 0x80))
		syscall_stop(p);
	else if (event) {
		if (!event_stop(p, event))
			return;
	} else if (WSTOPSIG(status) != SIGTRAP || !at_entry(p))
		sig = WSTOPSIG(status);
	/* It may have been killed meanwhile. When all is done there is nothing more to count. */
	ptrace(fails && fired && !p->pending && !entry_point ? PTRACE_CONT : PTRACE_SYSCALL, pid,
	       NULL, sig);
}

/* Handles one thing that has happened; 0: nothing (more) did. */
static pid_t next(int flags, int *status)
{
	pid_t pid = waitpid(-1, status, __WALL | flags);

	if (pid < 0 && errno == ECHILD)
		return 0;
	if (pid < 0)
		die("wait");
	if (pid == 0)
		return 0;
	if (WIFSTOPPED(*status)) {
		stopped(pid, *status);
	} else {
		struct process *p = process_of(pid);

		if (p)
			p->alive = false;
	}
	return pid;
}

/* The processes that are there still: hull's orphans are our children, as we are a subreaper. */
static size_t count_left(FILE *to)
{
	char path[64];
	size_t n = 0;
	int pid;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	if (!f)
		die(path);
	for (; fscanf(f, "%d", &pid) == 1; n++)
		if (to)
			fprintf(to, "left\t%d\n", pid);
	fclose(f);
	return n;
}

/* Gives what was killed a moment to be gone; a container that was made may stay. */
static void settle(size_t allowed)
{
	for (int i = 0; i < 300 && count_left(NULL) > allowed; i++) {
		int status;

		while (next(WNOHANG, &status) > 0)
			;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

static int follow(pid_t command)
{
	int status;
	pid_t pid;

	do {
		pid = next(0, &status);
		if (pid == 0) {
			errno = ECHILD;
			die("the command is gone");
		}
	} while (pid != command || WIFSTOPPED(status));
	settle(status == 0 ? 1 : 0);
	if (report)
		count_left(report);
	if (fails && !fired)
		return NOT_REACHED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void help(void)
{
	puts("Usage: faultcall [OPTION...] [--] COMMAND [ARG...]\n"
	     "Run COMMAND and make one of its system calls fail, once.\n"
	     "\n"
	     "  --fail WHO.CALL:N[=ERRNO]  the Nth CALL of the process WHO fails with ERRNO, or "
	     "with\n"
	     "                             the one that fits: 0.openat:3, 1.mount:1=EPERM\n"
	     "  --list FILE                write a line for each call and each errno that fits "
	     "it:\n"
	     "                             WHO.CALL:N=ERRNO, a tab, what it is about\n"
	     "  --also PID                 follow this process, too: it is WHO 1\n"
	     "  --report FILE              write `failed', the call and what it was about, and\n"
	     "                             `left PID' for each process of COMMAND that is there "
	     "yet\n"
	     "  --help                     this\n"
	     "\n"
	     "WHO is 0 for COMMAND itself and counts its descendants in the order of their birth;\n"
	     "what executes another program is not followed further. The exit status is that of\n"
	     "COMMAND, 128 and the signal's number if one killed it, 99 if the call was not made,\n"
	     "125 if faultcall itself failed.");
}

static FILE *open_for_writing(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		die(path);
	return f;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "fail", required_argument, NULL, 'f' },
		{ "list", required_argument, NULL, 'l' },
		{ "also", required_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ "report", required_argument, NULL, 'r' },
		{ 0 },
	};
	pid_t command, also = 0;
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			fails = true;
			if (parse_target(optarg))
				break;
			fprintf(stderr, "faultcall: --fail: \"%s\" is not WHO.CALL:N[=ERRNO]\n",
				optarg);
			return BROKEN;
		case 'l':
			list = open_for_writing(optarg);
			break;
		case 'r':
			report = open_for_writing(optarg);
			break;
		case 'a':
			also = (pid_t)atol(optarg);
			break;
		case 'h':
			help();
			return 0;
		default:
			return BROKEN;
		}
	}
	if (optind == argc) {
		fprintf(stderr, "faultcall: no command; see --help\n");
		return BROKEN;
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		die("become a subreaper");
	command = start(argv + optind);
	add_process(command, false);
	if (also) {
		add_process(also, true);
		trace(also);
	}
	c = follow(command);
	if ((list && fclose(list) != 0) || (report && fclose(report) != 0))
		die("write");
	return c;
}

#else

int main(void)
{
	fprintf(stderr, "faultcall: knows the registers of x86_64 alone\n");
	return 125;
}

#endif
