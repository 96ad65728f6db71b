#include "cgroups/bus.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "cgroups/turn.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define MANAGER SYSTEMD ".Manager"
#define PRIVATE "/run/systemd/private"

enum {
	CALL_TIMEOUT = 25 * 1000 * 1000, /* microseconds, for an answer */
	JOB_TIMEOUT = 30 * 1000 * 1000,  /* microseconds, for all of a job */
	/*
	 * Seconds in line. Hundreds that start at once get through in much less, and whoever is at its
	 * head has the limits above for each thing that he asks.
	 */
	TURN_TIMEOUT = 300,
	PATH_LENGTH = 256,
	START_TRIES = 10, /* against a unit of the name that is about to go */
	START_PAUSE = 20, /* milliseconds */
};

/* What a job's end says (JobRemoved). */
struct bus_job {
	char path[PATH_LENGTH];
	char result[32];
	bool ended;
};

/* Connecting */

const char *bus_address(struct arena *a, const char *path)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/.";
	const char *address = "unix:path=";

	for (; *path; path++)
		address = strchr(plain, *path) ? arena_printf(a, "%s%c", address, *path)
					       : arena_printf(a, "%s%%%02x", address,
							      (unsigned)(unsigned char)*path);
	return address;
}

/* Before systemd 252 anybody could connect there, to be refused afterwards: so it has to be ours, too. */
bool bus_admits(void)
{
	struct stat st;

	return stat(PRIVATE, &st) == 0 && st.st_uid == geteuid() &&
	       faccessat(AT_FDCWD, PRIVATE, W_OK, AT_EACCESS) == 0;
}

static int open_private(struct bus *bus, const char *path)
{
	auto_arena struct arena a = { 0 };
	int r = bus->sd.new(&bus->connection);

	if (r >= 0)
		r = bus->sd.set_address(bus->connection, bus_address(&a, path));
	if (r >= 0)
		r = bus->sd.start(bus->connection);
	if (r >= 0)
		return 0;
	bus->connection = bus->sd.close_unref(bus->connection);
	return r;
}

static int open_system(struct bus *bus, struct err *e)
{
	int r = open_private(bus, PRIVATE);

	if (r == 0)
		return 0;
	log_debug("systemd is not at " PRIVATE ": %s", err_text(-r));
	r = bus->sd.open_system(&bus->connection);
	if (r < 0)
		return err_neg(e, r, "connect to systemd at " PRIVATE " or by the system's bus");
	return 1;
}

static int open_user(struct bus *bus, struct err *e)
{
	const char *address =
		getenv("DBUS_SESSION_BUS_ADDRESS");        /* NOLINT(concurrency-mt-unsafe) */
	const char *directory = getenv("XDG_RUNTIME_DIR"); /* NOLINT(concurrency-mt-unsafe) */
	char path[PATH_LENGTH * 2];
	int r = -ENOENT;

	if (directory && *directory == '/' &&
	    snprintf(path, sizeof(path), "%s/systemd/private", directory) < (int)sizeof(path))
		r = open_private(bus, path);
	if (r == 0)
		return 0;
	if (!address && !directory)
		return err_set(e, ENOENT,
			       "connect to this user's systemd: neither XDG_RUNTIME_DIR nor "
			       "DBUS_SESSION_BUS_ADDRESS is set, so there is no session of it");
	r = bus->sd.open_user(&bus->connection);
	if (r < 0)
		return err_neg(e, r, "connect to this user's systemd by %s %s",
			       address ? "DBUS_SESSION_BUS_ADDRESS" : "XDG_RUNTIME_DIR",
			       address ? address : directory);
	return 1;
}

/* One step of what goes on without a call; -ETIMEDOUT after `end`, however many messages there are. */
static int step(struct bus *bus, int64_t end)
{
	int r = bus->sd.process(bus->connection, NULL);
	int64_t left = end - io_now_us();

	if (r >= 0 && left <= 0)
		return -ETIMEDOUT;
	if (r == 0)
		r = bus->sd.wait(bus->connection, (uint64_t)left);
	return r == -EINTR ? 0 : r;
}

/* The library itself would give whoever accepts and then says nothing a minute and a half. */
static int wait_ready(struct bus *bus, bool user, struct err *e)
{
	const int64_t end = io_now_us() + CALL_TIMEOUT;
	const char *whom = user ? "this user's systemd" : "systemd";
	int r = 0;

	while (r >= 0 && bus->sd.is_ready(bus->connection) == 0)
		r = step(bus, end);
	if (r == -ETIMEDOUT)
		return err_set(e, ETIMEDOUT, "connect to %s: it has not answered within %d s", whom,
			       CALL_TIMEOUT / 1000000);
	return r < 0 ? err_neg(e, r, "connect to %s", whom) : 0;
}

static int on_job_removed(struct sd_bus_message *m, void *userdata, struct sdbus_error *error)
{
	struct bus *bus = userdata;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (!bus->job || bus->sd.read_basic(m, 'u', &id) < 0 ||
	    bus->sd.read_basic(m, 'o', &path) < 0 || bus->sd.read_basic(m, 's', &unit) < 0 ||
	    bus->sd.read_basic(m, 's', &result) < 0)
		return 0;
	if (strcmp(path, bus->job->path) != 0)
		return 0;
	snprintf(bus->job->result, sizeof(bus->job->result), "%s", result);
	bus->job->ended = true;
	return 0;
}

/* The handler finds us by our place: *ret is filled where it stays. */
int bus_open(bool user, struct bus *ret, struct err *e)
{
	int shared, r;

	*ret = (struct bus){ 0 };
	TRY(sdbus_open(&ret->sd, e));
	r = turn_take(user, TURN_TIMEOUT, &ret->turn, e);
	if (r < 0) {
		sdbus_close(&ret->sd);
		return r;
	}
	ret->open = true;
	shared = user ? open_user(ret, e) : open_system(ret, e);
	r = shared;
	if (r >= 0)
		r = wait_ready(ret, user, e);
	if (r >= 0) {
		/* On a bus with others on it, only systemd's own word counts. */
		r = ret->sd.match_signal(ret->connection, NULL, shared ? SYSTEMD : NULL, OBJECT,
					 MANAGER, "JobRemoved", on_job_removed, ret);
		if (r < 0)
			err_neg(e, r, "ask systemd to say when jobs end");
	}
	if (r < 0)
		bus_close(ret);
	return r < 0 ? r : 0;
}

void bus_close(struct bus *bus)
{
	if (bus->connection)
		bus->sd.close_unref(bus->connection);
	sdbus_close(&bus->sd);
	if (bus->open)
		close_fd(&bus->turn);
	*bus = (struct bus){ 0 };
}

/* Calls */

struct call {
	struct bus *bus;
	struct sd_bus_message *message, *reply;
	struct sdbus_error error;
};

static void call_done(struct call *call)
{
	if (call->message)
		call->bus->sd.message_unref(call->message);
	if (call->reply)
		call->bus->sd.message_unref(call->reply);
	call->bus->sd.error_free(&call->error);
}
#define auto_call __attribute__((cleanup(call_done)))

static int begin(struct call *call, const char *method)
{
	return call->bus->sd.new_method_call(call->bus->connection, &call->message, SYSTEMD, OBJECT,
					     MANAGER, method);
}

static int add_string(struct call *call, const char *text)
{
	return call->bus->sd.append_basic(call->message, 's', text);
}

static int send_call(struct call *call)
{
	return call->bus->sd.call(call->bus->connection, call->message, CALL_TIMEOUT, &call->error,
				  &call->reply);
}

static bool is_error(const struct call *call, const char *name)
{
	return call->error.name && strcmp(call->error.name, name) == 0;
}

/* systemd's own words, where it has any. */
static int explain(const struct call *call, int r, const char *what, const char *unit,
		   struct err *e)
{
	if (r == -ETIMEDOUT)
		return err_set(e, ETIMEDOUT, "%s %s: systemd has not answered within %d s", what,
			       unit, CALL_TIMEOUT / 1000000);
	if (call->error.message)
		return err_set(e, -r, "%s %s: systemd says: %s", what, unit, call->error.message);
	return err_neg(e, r, "%s %s: ask systemd", what, unit);
}

/* Jobs */

static int wait_job(struct bus *bus, struct bus_job *job)
{
	const int64_t end = io_now_us() + JOB_TIMEOUT;

	int r = 0;

	while (!job->ended && r >= 0)
		r = step(bus, end);
	return job->ended ? 0 : r;
}

/* Sends what asks for a job, and waits for that. *ret_job: there was one. */
static int call_job(struct call *call, const char *what, const char *unit, bool *ret_job,
		    struct err *e)
{
	struct bus_job job = { .ended = false };
	const char *path;
	int r;

	*ret_job = false;
	r = send_call(call);
	if (r < 0)
		return explain(call, r, what, unit, e);
	r = call->bus->sd.read_basic(call->reply, 'o', &path);
	if (r < 0)
		return explain(call, r, what, unit, e);
	*ret_job = true;
	snprintf(job.path, sizeof(job.path), "%s", path);
	log_debug("%s %s: job %s", what, unit, job.path);
	call->bus->job = &job;
	r = wait_job(call->bus, &job);
	call->bus->job = NULL;
	if (r == -ETIMEDOUT)
		return err_set(e, ETIMEDOUT, "%s %s: job %s has not ended within %d s", what, unit,
			       job.path, JOB_TIMEOUT / 1000000);
	if (r < 0)
		return err_neg(e, r, "%s %s: wait for job %s", what, unit, job.path);
	if (strcmp(job.result, "done") != 0)
		return err_set(e, EALREADY, "%s %s: the result of job %s is \"%s\"", what, unit,
			       job.path, job.result);
	return 0;
}

/* Properties */

static int add_number(struct call *call, char type, uint64_t number)
{
	const struct sdbus *sd = &call->bus->sd;
	const int truth = number != 0;
	const uint8_t byte = (uint8_t)number;
	const uint16_t small = (uint16_t)number;
	const uint32_t medium = (uint32_t)number;

	switch (type) {
	case 'b':
		return sd->append_basic(call->message, type, &truth);
	case 'y':
		return sd->append_basic(call->message, type, &byte);
	case 'n':
	case 'q':
		return sd->append_basic(call->message, type, &small);
	case 'i':
	case 'u':
		return sd->append_basic(call->message, type, &medium);
	default:
		return sd->append_basic(call->message, type, &number);
	}
}

static int add_pairs(struct call *call, const struct unit_property *p)
{
	const struct sdbus *sd = &call->bus->sd;

	TRY(sd->open_container(call->message, 'a', "(st)"));
	for (size_t i = 0; i < p->pairs.n; i++) {
		TRY(sd->open_container(call->message, 'r', "st"));
		TRY(add_string(call, p->pairs.at[i].path));
		TRY(add_number(call, 't', p->pairs.at[i].value));
		TRY(sd->close_container(call->message));
	}
	return sd->close_container(call->message);
}

static int add_value(struct call *call, const struct unit_property *p)
{
	const struct sdbus *sd = &call->bus->sd;

	if (strcmp(p->type, "s") == 0)
		return add_string(call, p->text);
	if (strcmp(p->type, "d") == 0)
		return sd->append_basic(call->message, 'd', &p->real);
	if (strcmp(p->type, "a(st)") == 0)
		return add_pairs(call, p);
	if (*p->type != 'a')
		return add_number(call, *p->type, p->number);
	TRY(sd->open_container(call->message, 'a', p->type + 1));
	for (size_t i = 0; i < p->texts.n; i++)
		TRY(add_string(call, p->texts.at[i]));
	for (size_t i = 0; i < p->numbers.n; i++)
		TRY(add_number(call, p->type[1], p->numbers.at[i]));
	return sd->close_container(call->message);
}

static int add_property(struct call *call, const struct unit_property *p)
{
	const struct sdbus *sd = &call->bus->sd;

	TRY(sd->open_container(call->message, 'r', "sv"));
	TRY(add_string(call, p->name));
	TRY(sd->open_container(call->message, 'v', p->type));
	TRY(add_value(call, p));
	TRY(sd->close_container(call->message));
	return sd->close_container(call->message);
}

static int add_properties(struct call *call, const struct unit_properties *list, pid_t pid)
{
	const struct sdbus *sd = &call->bus->sd;
	uint64_t number = (uint64_t)pid;
	const struct unit_property pids = { .name = "PIDs",
					    .type = "au",
					    .numbers = { &number, 1 } };

	TRY(sd->open_container(call->message, 'a', "(sv)"));
	for (size_t i = 0; i < list->n; i++)
		TRY(add_property(call, &list->at[i]));
	if (pid > 0)
		TRY(add_property(call, &pids));
	return sd->close_container(call->message);
}

/* What we ask for */

int bus_manager_cgroup(struct bus *bus, char *path, size_t size, struct err *e)
{
	auto_call struct call call = { .bus = bus };
	auto_free char *text = NULL;
	int r = bus->sd.get_property_string(bus->connection, SYSTEMD, OBJECT, MANAGER,
					    "ControlGroup", &call.error, &text);

	if (r < 0)
		return explain(&call, r, "find the cgroup of", "systemd", e);
	if (strcmp(text, "/") == 0)
		*text = '\0';
	if ((*text && *text != '/') || strlen(text) >= size)
		return err_set(e, EINVAL, "systemd says its cgroup is \"%.200s\"", text);
	memcpy(path, text, strlen(text) + 1);
	return 0;
}

/* A unit that has failed is remembered, and in the way of a new one of its name. */
static void reset_failed(struct bus *bus, const char *unit)
{
	auto_call struct call call = { .bus = bus };
	int r = begin(&call, "ResetFailedUnit");

	if (r >= 0)
		r = add_string(&call, unit);
	if (r >= 0)
		r = send_call(&call);
	if (r < 0 && !is_error(&call, SYSTEMD ".NoSuchUnit"))
		log_debug("reset unit %s: %s", unit,
			  call.error.message ? call.error.message : err_text(-r));
}

static int fill_start(struct call *call, const struct unit *unit, pid_t pid)
{
	TRY(begin(call, "StartTransientUnit"));
	TRY(add_string(call, unit->name));
	TRY(add_string(call, "fail"));
	TRY(add_properties(call, &unit->properties, pid));
	TRY(call->bus->sd.open_container(call->message, 'a', "(sa(sv))"));
	return call->bus->sd.close_container(call->message);
}

/* 1: a unit of the name is there. */
static int try_start(struct bus *bus, const struct unit *unit, pid_t pid, bool *ret_job,
		     struct err *e)
{
	auto_call struct call call = { .bus = bus };
	int r = fill_start(&call, unit, pid);

	if (r < 0)
		return explain(&call, r, "start unit", unit->name, e);
	r = call_job(&call, "start unit", unit->name, ret_job, e);
	return is_error(&call, SYSTEMD ".UnitExists") ? 1 : r;
}

int bus_start_scope(struct bus *bus, const struct unit *unit, pid_t pid, bool *ret_job,
		    struct err *e)
{
	*ret_job = false;
	for (int i = 0; i < START_TRIES; i++) {
		int r = try_start(bus, unit, pid, ret_job, e);

		if (r <= 0)
			return r;
		reset_failed(bus, unit->name);
		poll(NULL, 0, START_PAUSE); /* one that has just ended is forgotten in a moment */
	}
	return err_set(
		e, EEXIST,
		"start unit %s: there is a unit of this name, perhaps of a container with the "
		"same linux.cgroupsPath",
		unit->name);
}

int bus_set_properties(struct bus *bus, const char *unit, const struct unit_properties *list,
		       struct err *e)
{
	auto_call struct call call = { .bus = bus };
	int r;

	if (list->n == 0)
		return 0;
	r = begin(&call, "SetUnitProperties");
	if (r >= 0)
		r = add_string(&call, unit);
	if (r >= 0)
		r = add_number(&call, 'b', true); /* until it ends, and not on disk */
	if (r >= 0)
		r = add_properties(&call, list, 0);
	if (r >= 0)
		r = send_call(&call);
	return r < 0 ? explain(&call, r, "set the limits of unit", unit, e) : 0;
}

/* So that stopping does not wait for processes to obey. */
static int kill_unit(struct bus *bus, const char *unit, struct err *e)
{
	auto_call struct call call = { .bus = bus };
	int r = begin(&call, "KillUnit");

	if (r >= 0)
		r = add_string(&call, unit);
	if (r >= 0)
		r = add_string(&call, "all");
	if (r >= 0)
		r = add_number(&call, 'i', SIGKILL);
	if (r >= 0)
		r = send_call(&call);
	if (r >= 0)
		return 0;
	if (is_error(&call, SYSTEMD ".NoSuchUnit"))
		return -ENOENT;
	if (r == -ETIMEDOUT)
		return explain(&call, r, "kill unit", unit, e);
	log_debug("kill unit %s: %s", unit, call.error.message ? call.error.message : err_text(-r));
	return 0; /* as a rule it has no process: stopping says whether anything is wrong */
}

int bus_stop_unit(struct bus *bus, const char *unit, struct err *e)
{
	auto_call struct call call = { .bus = bus };
	int r = kill_unit(bus, unit, e);
	bool job;

	if (r == -ENOENT)
		return 0;
	TRY(r);
	r = begin(&call, "StopUnit");
	if (r >= 0)
		r = add_string(&call, unit);
	if (r >= 0)
		r = add_string(&call, "replace");
	if (r < 0)
		return explain(&call, r, "stop unit", unit, e);
	r = call_job(&call, "stop unit", unit, &job, e);
	if (is_error(&call, SYSTEMD ".NoSuchUnit"))
		return 0;
	TRY(r);
	reset_failed(bus, unit);
	return 0;
}
