/*
 * sdbus.h - the part of sd-bus(3) that bus.c needs, from libsystemd.so.0.
 *
 * It is opened only when a container's cgroup is systemd's: hull does not link
 * it. The types and prototypes are those of <systemd/sd-bus.h>, which so need
 * not be there to build hull. Private to cgroups/.
 */
#ifndef HULL_CGROUPS_SDBUS_H
#define HULL_CGROUPS_SDBUS_H

#include <stdint.h>

#include "base/err.h"

struct sd_bus;
struct sd_bus_message;
struct sd_bus_slot;

/* sd_bus_error: its layout is part of the library's ABI. */
struct sdbus_error {
	const char *name, *message;
	int need_free;
};

typedef int sdbus_handler(struct sd_bus_message *m, void *userdata, struct sdbus_error *error);

struct sdbus {
	void *library;
	int (*new)(struct sd_bus **ret);
	int (*set_address)(struct sd_bus *bus, const char *address);
	int (*start)(struct sd_bus *bus);
	int (*open_system)(struct sd_bus **ret);
	int (*open_user)(struct sd_bus **ret);
	struct sd_bus *(*close_unref)(struct sd_bus *bus);
	int (*match_signal)(struct sd_bus *bus, struct sd_bus_slot **ret, const char *sender,
			    const char *path, const char *interface, const char *member,
			    sdbus_handler *handler, void *userdata);
	int (*is_ready)(struct sd_bus *bus);
	int (*process)(struct sd_bus *bus, struct sd_bus_message **ret);
	int (*wait)(struct sd_bus *bus, uint64_t timeout_us);
	int (*call)(struct sd_bus *bus, struct sd_bus_message *m, uint64_t timeout_us,
		    struct sdbus_error *error, struct sd_bus_message **ret);
	int (*get_property_string)(struct sd_bus *bus, const char *destination, const char *path,
				   const char *interface, const char *member,
				   struct sdbus_error *error, char **ret);
	int (*new_method_call)(struct sd_bus *bus, struct sd_bus_message **ret,
			       const char *destination, const char *path, const char *interface,
			       const char *member);
	struct sd_bus_message *(*message_unref)(struct sd_bus_message *m);
	int (*append_basic)(struct sd_bus_message *m, char type, const void *value);
	int (*open_container)(struct sd_bus_message *m, char type, const char *contents);
	int (*close_container)(struct sd_bus_message *m);
	int (*read_basic)(struct sd_bus_message *m, char type, void *ret);
	void (*error_free)(struct sdbus_error *error);
};

/* Opens the library; closing "nothing" is fine. */
int sdbus_open(struct sdbus *ret, struct err *e) MUST_CHECK;
void sdbus_close(struct sdbus *sd);

#endif
