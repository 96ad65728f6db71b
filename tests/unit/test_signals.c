#include "process/signals.h"
#include "test_child.h"

Test(signals, are_forwarded_or_not)
{
	static const struct {
		int signal;
		bool forwarded, taken;
	} rows[] = {
		{ SIGHUP, true, true },    { SIGINT, true, true },    { SIGQUIT, true, true },
		{ SIGTERM, true, true },   { SIGUSR1, true, true },   { SIGUSR2, true, true },
		{ SIGCONT, true, true },   { SIGTSTP, true, true },   { SIGALRM, true, true },
		{ SIGSEGV, true, true },   { SIGCHLD, false, true },  { SIGWINCH, false, true },
		{ SIGPIPE, false, true },  { SIGURG, false, false },  { SIGTTIN, false, false },
		{ SIGTTOU, false, false }, { SIGKILL, false, false }, { SIGSTOP, false, false },
	};
	sigset_t taken;

	signals_taken(&taken);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(signal_is_forwarded(rows[i].signal), rows[i].forwarded, "%s",
			     strsignal(rows[i].signal));
		cr_assert_eq(sigismember(&taken, rows[i].signal), rows[i].taken, "%s",
			     strsignal(rows[i].signal));
	}
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		cr_assert(signal_is_forwarded(sig) && sigismember(&taken, sig), "%d", sig);
}

static void ignores(void *arg UNUSED)
{
	sigset_t taken;

	for (int sig = 1; sig < SIGRTMIN; sig++)
		signal(sig, SIG_IGN);
	signals_taken(&taken);
	CHILD_ASSERT(!sigismember(&taken, SIGHUP), "taken from nohup");
	CHILD_ASSERT(sigismember(&taken, SIGINT), "not taken");
	CHILD_ASSERT(sigismember(&taken, SIGCHLD), "not taken");
	CHILD_ASSERT(sigismember(&taken, SIGPIPE), "not taken");
}

Test(signals, leave_an_ignored_hup_alone)
{
	expect_child(ignores, NULL);
}
