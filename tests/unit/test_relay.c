#include <pty.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

#include "base/io.h"
#include "base/spawn.h"
#include "process/relay.h"
#include "process/terminal.h"
#include "test_child.h"

/*
 * A scene has three parts: the test is the person, a child is hull with the
 * relay, and a child of that is the program, a shell.
 */
struct scene {
	const char *script;
	bool terminal; /* the program has one */
	bool person;   /* and so do we: `in` and `out` below are its two ends */
	bool subreaper;
	void (*before)(void);       /* in hull, before relay_prepare() */
	void (*between)(pid_t);     /* in hull, before relay_run(); gets the program's pid */
	void (*after)(int status);  /* in hull, after relay_run() */
	int in, out;                /* ret: our ends of hull's standard streams */
	int report;                 /* ret: of child_start() */
	int hull_in, hull_out, tty; /* hull's ends */
	pid_t pid;                  /* ret: hull's */
	struct termios modes;       /* ret: the person's terminal's, before hull was there */
};

static pid_t start_program(const struct scene *s, int slave)
{
	pid_t pid = fork();

	CHILD_ASSERT(pid >= 0, "errno %d", errno);
	if (pid > 0)
		return pid;
	spawn_reset_signals();
	setsid();
	if (slave >= 0) {
		ioctl(slave, TIOCSCTTY, 0);
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
	}
	close_range(3, ~0U, 0);
	execl("/bin/sh", "sh", "-c", s->script, NULL);
	_exit(127);
}

static void hull(void *arg)
{
	const struct scene *s = arg;
	struct relay r = RELAY_NONE;
	struct err e = { 0 };
	int master = -1, slave = -1, status = -1;

	if (s->person) {
		CHILD_ASSERT(setsid() > 0, "errno %d", errno);
		CHILD_ASSERT(ioctl(s->tty, TIOCSCTTY, 0) == 0, "errno %d", errno);
	}
	close(s->in);
	if (s->out != s->in)
		close(s->out);
	dup2(s->hull_in, STDIN_FILENO);
	dup2(s->hull_out, STDOUT_FILENO);
	close(s->hull_in);
	if (s->hull_out != s->hull_in)
		close(s->hull_out);
	if (s->terminal) {
		CHILD_ASSERT(openpty(&master, &slave, NULL, NULL, NULL) == 0, "errno %d", errno);
		fcntl(master, F_SETFD, FD_CLOEXEC);
	}
	if (s->before)
		s->before();
	r.subreaper = s->subreaper;
	CHILD_ASSERT(relay_prepare(&r, &e) == 0, "%s", e.msg);
	if (master >= 0)
		relay_set_up_terminal(master);
	r.pid = start_program(s, slave);
	if (slave >= 0)
		close(slave);
	r.master = master;
	if (s->between)
		s->between(r.pid);
	CHILD_ASSERT(relay_run(&r, &status, &e) == 0, "%s", e.msg);
	if (s->after)
		s->after(status);
	relay_done(&r);
	_exit(status);
}

static void modes_of(int fd, struct termios *ret)
{
	memset(ret, 0, sizeof(*ret));
	cr_assert_eq(tcgetattr(fd, ret), 0);
}

static void scene_start(struct scene *s)
{
	int in[2], out[2];

	if (s->person) {
		cr_assert_eq(openpty(&in[1], &in[0], NULL, NULL, NULL), 0);
		out[0] = in[1];
		out[1] = in[0];
		s->tty = in[0];
		modes_of(s->tty, &s->modes);
	} else {
		cr_assert_eq(pipe2(in, O_CLOEXEC), 0);
		cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	}
	s->in = in[1];
	s->out = out[0];
	s->hull_in = in[0];
	s->hull_out = out[1];
	s->pid = child_start(hull, s, &s->report);
	if (!s->person) { /* the person's terminal stays open, to be looked at */
		close(s->hull_in);
		close(s->hull_out);
	}
}

/* Its exit status; hull has to end in time, and to have nothing to say. */
static int scene_end(struct scene *s)
{
	struct pollfd end = { .fd = pidfd_open(s->pid, 0), .events = POLLIN };
	bool ended = poll(&end, 1, CHILD_SECONDS * 1000) == 1;
	char text[2048] = "";
	int status;

	if (!ended)
		kill(s->pid, SIGKILL);
	cr_assert_eq(waitpid(s->pid, &status, 0), s->pid);
	fcntl(s->report, F_SETFL, O_NONBLOCK);
	cr_assert_leq(read(s->report, text, sizeof(text) - 1), 0, "%s", text);
	cr_assert(ended, "the relay did not end");
	cr_assert(WIFEXITED(status), "wait status %#x", status);
	return WEXITSTATUS(status);
}

/* Reads until the output ends with this. */
static void expect_output(const struct scene *s, const char *expected)
{
	size_t len = strlen(expected), got = 0;
	char text[4096] = "";
	struct pollfd fd = { .fd = s->out, .events = POLLIN };

	while (got < len && poll(&fd, 1, CHILD_SECONDS * 1000) == 1) {
		ssize_t n = read(s->out, text + got, len - got);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	cr_assert_str_eq(text, expected);
}

static void type(const struct scene *s, const char *keys)
{
	cr_assert_eq(write(s->in, keys, strlen(keys)), (ssize_t)strlen(keys));
}

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

Test(relay, returns_a_status_as_shells_do)
{
	static const struct {
		const char *script;
		int status;
	} rows[] = {
		{ "exit 0", 0 },          { "exit 7", 7 },          { "exit 255", 255 },
		{ "kill -KILL $$", 137 }, { "kill -TERM $$", 143 }, { "kill -SEGV $$", 139 },
	};

	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		struct scene s = { .script = rows[i / 2].script, .terminal = i % 2 };

		scene_start(&s);
		cr_assert_eq(scene_end(&s), rows[i / 2].status, "%s", s.script);
	}
}

Test(relay, forwards_signals)
{
	static const struct {
		int signal;
		const char *name;
	} rows[] = {
		{ SIGHUP, "HUP" },   { SIGINT, "INT" },   { SIGQUIT, "QUIT" }, { SIGUSR1, "USR1" },
		{ SIGUSR2, "USR2" }, { SIGTERM, "TERM" }, { SIGALRM, "ALRM" }, { SIGCONT, "CONT" },
		{ SIGTSTP, "TSTP" }, { SIGIO, "IO" },     { SIGILL, "ILL" },   { SIGABRT, "ABRT" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char script[200];
		struct scene s = { .script = script };

		snprintf(script, sizeof(script),
			 "trap 'exit 33' %s; echo ready; while :; do sleep 0.01; done",
			 rows[i].name);
		scene_start(&s);
		expect_output(&s, "ready\n");
		kill(s.pid, rows[i].signal);
		cr_assert_eq(scene_end(&s), 33, "%s", rows[i].name);
	}
}

Test(relay, keeps_signals_about_itself)
{
	static const int rows[] = { SIGWINCH, SIGURG, SIGPIPE, SIGCHLD };
	struct scene s = { .script = "trap 'exit 33' WINCH URG PIPE CHLD; echo ready;"
				     " trap 'exit 34' TERM; read line; exit 5" };

	scene_start(&s);
	expect_output(&s, "ready\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		kill(s.pid, rows[i]);
	pause_ms(50);
	type(&s, "\n");
	cr_assert_eq(scene_end(&s), 5);
}

static void signal_early(pid_t program UNUSED)
{
	/* The shell sets its trap meanwhile. */
	raise(SIGTERM);
	pause_ms(300);
}

Test(relay, loses_no_signal_before_it_runs)
{
	struct scene s = { .script = "trap 'exit 33' TERM; while :; do sleep 0.01; done",
			   .between = signal_early };

	scene_start(&s);
	cr_assert_eq(scene_end(&s), 33);
}

static void ignore_hup(void)
{
	signal(SIGHUP, SIG_IGN);
}

Test(relay, leaves_an_ignored_hup_alone)
{
	struct scene s = { .script = "trap 'exit 33' HUP; echo ready; read line; exit 5",
			   .before = ignore_hup };

	scene_start(&s);
	expect_output(&s, "ready\n");
	kill(s.pid, SIGHUP);
	pause_ms(50);
	type(&s, "\n");
	cr_assert_eq(scene_end(&s), 5);
}

static void ignore_children(void)
{
	signal(SIGCHLD, SIG_IGN);
}

Test(relay, gets_the_status_though_children_are_ignored)
{
	struct scene s = { .script = "exit 7", .before = ignore_children };

	scene_start(&s);
	cr_assert_eq(scene_end(&s), 7);
}

static void expect_no_children(int status UNUSED)
{
	CHILD_ASSERT(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "there is a child left");
}

Test(relay, reaps_orphans)
{
	struct scene s = { .script = "(true & true) & wait; (sleep 0.1 &); sleep 0.4; exit 3",
			   .subreaper = true,
			   .after = expect_no_children };

	scene_start(&s);
	cr_assert_eq(scene_end(&s), 3);
}

Test(relay, passes_bytes_both_ways)
{
	struct scene s = { .script =
				   "stty -echo; echo ready; read line; echo \"got $line\"; tty -s",
			   .terminal = true };

	scene_start(&s);
	expect_output(&s, "ready\n");
	type(&s, "keys\n");
	expect_output(&s, "got keys\n");
	cr_assert_eq(scene_end(&s), 0);
}

Test(relay, outlives_its_input)
{
	struct scene s = { .script = "sleep 0.3; echo still; exit 4", .terminal = true };

	scene_start(&s);
	close(s.in);
	expect_output(&s, "still\n");
	cr_assert_eq(scene_end(&s), 4);
}

Test(relay, outlives_its_reader)
{
	struct scene s = { .script = "yes | head -c 300000; exit 4", .terminal = true };

	scene_start(&s);
	close(s.out);
	cr_assert_eq(scene_end(&s), 4);
}

/* All of it arrives, through a reader that is slow and after the program has ended. */
Test(relay, loses_no_output)
{
	struct scene s = { .script = "i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i + 1)); done",
			   .terminal = true };
	FILE *out;
	char line[64];
	int i = 0;

	scene_start(&s);
	pause_ms(200);
	out = fdopen(s.out, "r");
	for (; fgets(line, sizeof(line), out); i++) {
		cr_assert_eq(atoi(line), i);
		if (i % 2000 == 0)
			pause_ms(20);
	}
	cr_assert_eq(i, 20000);
	cr_assert_eq(scene_end(&s), 0);
}

Test(relay, writes_what_was_left)
{
	for (int i = 0; i < 50; i++) {
		struct scene s = { .script = "echo last words; exit 9", .terminal = true };

		scene_start(&s);
		cr_assert_eq(scene_end(&s), 9);
		expect_output(&s, "last words\n");
		close(s.in);
		close(s.out);
	}
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

Test(relay, does_not_wait_for_descendants)
{
	static const char *const rows[] = {
		"trap '' HUP; sleep 7 & exit 6",
		/* quiet, then not */
		"trap '' HUP; (sleep 0.2; timeout 7 yes) & exit 6",
		"trap '' HUP; timeout 7 yes & sleep 0.1; exit 6",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = { .script = rows[i], .terminal = true };
		struct timespec start;
		char bytes[65536];

		clock_gettime(CLOCK_MONOTONIC, &start);
		scene_start(&s);
		while (read(s.out, bytes, sizeof(bytes)) > 0)
			;
		cr_assert_eq(scene_end(&s), 6);
		cr_assert_lt(seconds_since(&start), 5, "%s", rows[i]);
	}
}

Test(relay, stops_writing_when_told_to)
{
	struct scene s = { .script = "stty -opost; yes | head -c 200000 &"
				     " sleep 0.3; kill -KILL $$",
			   .terminal = true };

	scene_start(&s); /* nobody reads, so the pipe is full soon */
	pause_ms(800);
	cr_assert_eq(kill(s.pid, 0), 0);
	kill(s.pid, SIGTERM);
	cr_assert_eq(scene_end(&s), 137);
}

Test(relay, outlives_a_hang_up)
{
	struct scene s = { .script =
				   "trap '' HUP; t=$(tty); echo one; exec <&- >&- 2>&-; sleep 0.3;"
				   " echo two >$t; exit 8",
			   .terminal = true };

	scene_start(&s);
	expect_output(&s, "one\ntwo\n");
	cr_assert_eq(scene_end(&s), 8);
}

Test(relay, makes_the_terminal_raw_and_restores_it)
{
	static const char *const rows[] = { "echo ready; read line; exit 2",
					    "echo ready; read line; kill -KILL $$" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = { .script = rows[i], .terminal = true, .person = true };
		struct termios during, after;

		scene_start(&s);
		cr_assert(s.modes.c_lflag & ICANON);
		expect_output(&s, "ready\r\n");
		modes_of(s.tty, &during);
		cr_assert_not(during.c_lflag & (ICANON | ECHO | ISIG));
		cr_assert_not(during.c_oflag & OPOST);
		type(&s, "\r");
		cr_assert_eq(scene_end(&s), i == 0 ? 2 : 137);
		modes_of(s.tty, &after);
		cr_assert_arr_eq(&s.modes, &after, sizeof(after));
	}
}

/* The interrupt key is the program's, not hull's. */
Test(relay, passes_the_interrupt_key_on)
{
	struct scene s = { .script = "trap 'exit 33' INT; echo ready; while :; do sleep 0.01; done",
			   .terminal = true,
			   .person = true };

	scene_start(&s);
	expect_output(&s, "ready\r\n");
	type(&s, "\003");
	cr_assert_eq(scene_end(&s), 33);
}

Test(relay, follows_the_size)
{
	struct scene s = { .script = "stty -echo; trap 'stty size; exit 0' WINCH; echo ready;"
				     " while :; do sleep 0.01; done",
			   .terminal = true,
			   .person = true };
	const struct winsize size = { .ws_row = 33, .ws_col = 77 };

	scene_start(&s);
	expect_output(&s, "ready\r\n");
	cr_assert_eq(ioctl(s.tty, TIOCSWINSZ, &size), 0); /* which sends hull SIGWINCH */
	expect_output(&s, "33 77\r\n");
	cr_assert_eq(scene_end(&s), 0);
}

/* More than a terminal holds. */
Test(relay, passes_much_input)
{
	struct scene s = { .script = "stty -echo -icanon; echo ready; sleep 0.2;"
				     " head -c 200000 | cksum",
			   .terminal = true };
	char bytes[2000];

	memset(bytes, 'x', sizeof(bytes));
	scene_start(&s);
	expect_output(&s, "ready\n");
	for (int i = 0; i < 100; i++)
		cr_assert_eq(write(s.in, bytes, sizeof(bytes)), sizeof(bytes));
	cr_assert_eq(scene_end(&s), 0);
	expect_output(&s, "3782101019 200000\n");
}

static void error_without_child(void *arg UNUSED)
{
	struct relay r = RELAY_NONE;
	struct err e = { 0 };
	int status = 42;

	CHILD_ASSERT(relay_prepare(&r, &e) == 0, "%s", e.msg);
	r.pid = getpid();
	r.pidfd = eventfd(1, EFD_CLOEXEC); /* readable, as of a process that ended */
	CHILD_ASSERT(relay_run(&r, &status, &e) == -ECHILD, "%s", e.msg);
	CHILD_ASSERT(status == 42, "%d", status);
	relay_done(&r);
	relay_done(&r);
}

Test(relay, fails_for_a_process_that_is_not_a_child)
{
	expect_child(error_without_child, NULL);
}

static void check_mask(void *arg UNUSED)
{
	struct relay r = RELAY_NONE;
	struct err e = { 0 };
	sigset_t before, during, after;

	sigprocmask(SIG_BLOCK, NULL, &before);
	CHILD_ASSERT(relay_prepare(&r, &e) == 0, "%s", e.msg);
	sigprocmask(SIG_BLOCK, NULL, &during);
	raise(SIGTERM);
	raise(SIGPIPE);
	relay_done(&r);
	sigprocmask(SIG_BLOCK, NULL, &after);
	CHILD_ASSERT(sigismember(&during, SIGTERM) == 1, "SIGTERM is not blocked");
	CHILD_ASSERT(sigismember(&during, SIGTTOU) == 0, "SIGTTOU is blocked");
	CHILD_ASSERT(memcmp(&before, &after, 8) == 0, "the mask has changed");
}

Test(relay, restores_the_mask_and_drops_what_waited)
{
	expect_child(check_mask, NULL);
}
