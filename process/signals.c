#include "process/signals.h"

#include <stddef.h>

#include "base/util.h"

/* About hull's own children, terminal and sockets. SIGKILL and SIGSTOP never arrive. */
static const int own[] = { SIGCHLD, SIGURG, SIGWINCH, SIGPIPE, SIGTTIN, SIGTTOU, SIGKILL, SIGSTOP };

bool signal_is_forwarded(int sig)
{
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (sig == own[i])
			return false;
	return true;
}

static bool is_ignored(int sig)
{
	struct sigaction now;

	return sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

void signals_taken(sigset_t *ret)
{
	sigemptyset(ret);
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (signal_is_forwarded(sig))
			sigaddset(ret, sig);
	if (is_ignored(SIGHUP))
		sigdelset(ret, SIGHUP);
	sigaddset(ret, SIGCHLD);
	sigaddset(ret, SIGWINCH);
	sigaddset(ret, SIGPIPE);
}
