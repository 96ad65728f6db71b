#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "cli/options.h"

/* Second names; the first ones are those of sigabbrev_np(3). */
static const struct {
	const char *name;
	int signal;
} aliases[] = {
	{ "CLD", SIGCHLD },
	{ "IO", SIGIO },
	{ "IOT", SIGIOT },
};

static bool find_name(const char *name, int *ret)
{
	for (int s = 1; s < NSIG; s++) {
		const char *known = sigabbrev_np(s);

		if (known && strcasecmp(known, name) == 0) {
			*ret = s;
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (strcasecmp(aliases[i].name, name) == 0) {
			*ret = aliases[i].signal;
			return true;
		}
	}
	return false;
}

/* The range of the C library, which keeps the kernel's first two for itself. */
static bool find_realtime(const char *name, int *ret)
{
	const char *offset = name + strlen("RTMIN");
	bool from_min = strncasecmp(name, "RTMIN", strlen("RTMIN")) == 0;
	uint32_t n = 0;

	if (!from_min && strncasecmp(name, "RTMAX", strlen("RTMAX")) != 0)
		return false;
	if (*offset && (*offset != (from_min ? '+' : '-') ||
			number_parse(offset + 1, (uint32_t)(SIGRTMAX - SIGRTMIN), &n) < 0))
		return false;
	*ret = from_min ? SIGRTMIN + (int)n : SIGRTMAX - (int)n;
	return true;
}

int signal_parse(const char *text, int *ret, struct err *e)
{
	const char *name =
		strncasecmp(text, "SIG", strlen("SIG")) == 0 ? text + strlen("SIG") : text;
	uint32_t number;

	if (number_parse(text, (uint32_t)SIGRTMAX, &number) == 0) {
		*ret = (int)number;
		return 0;
	}
	if (find_name(name, ret) || find_realtime(name, ret))
		return 0;
	return err_set(e, EINVAL, "unknown signal \"%s\"", text);
}
