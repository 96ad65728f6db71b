/*
 * bus.h - systemd, asked over D-Bus.
 *
 *	auto_bus struct bus bus = { 0 };
 *
 *	TRY(bus_open(host->user, &bus, e));
 *	TRY(bus_start_scope(&bus, &plan->unit, pid, &job, e));
 *
 * root talks to the system's instance, others to their own (host.h, `user`). Where it can be,
 * systemd is reached by its private socket: no bus in between has to run or
 * carries the load. Every call and every job has a time limit; what then fails
 * names both. A connection is kept only as long as it is used, since systemd
 * sends the signals of all other jobs to it as well, and a process has one at
 * a time, for which it stands in line (turn.h).
 */
#ifndef HULL_CGROUPS_BUS_H
#define HULL_CGROUPS_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "cgroups/sdbus.h"
#include "cgroups/unit.h"

struct bus {
	struct sdbus sd;
	struct sd_bus *connection;
	struct bus_job *job; /* that is waited for */
	bool open;           /* and so `turn` is set, to -1 if there is no line */
	int turn;            /* our place at the head of the line (turn.h) */
};

/* Whether the system's systemd would take a connection of ours. */
bool bus_admits(void);

int bus_open(bool user, struct bus *ret, struct err *e) MUST_CHECK;
void bus_close(struct bus *bus);

/* The cgroup that all units of this instance are below: "" for the system's, as a rule. */
int bus_manager_cgroup(struct bus *bus, char *path, size_t size, struct err *e) MUST_CHECK;

/*
 * Starts the unit, a new scope, with this process in it, and waits until that is so. *ret_job:
 * systemd has taken it on, so that what is there of the name is ours, also if this fails.
 */
int bus_start_scope(struct bus *bus, const struct unit *unit, pid_t pid, bool *ret_job,
		    struct err *e) MUST_CHECK;

/* Changes properties until the unit ends. */
int bus_set_properties(struct bus *bus, const char *unit, const struct unit_properties *list,
		       struct err *e) MUST_CHECK;

/* Kills what is in the unit, stops it and has it forgotten; success if there is none. */
int bus_stop_unit(struct bus *bus, const char *unit, struct err *e) MUST_CHECK;

/* An address of D-Bus for a socket; `path` may have any character. */
const char *bus_address(struct arena *a, const char *path);

#define auto_bus __attribute__((cleanup(bus_close)))

#endif
