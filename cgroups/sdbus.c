#include "cgroups/sdbus.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/util.h"

#define LIBRARY "libsystemd.so.0"

#define ROW(member, symbol)                            \
	{                                              \
		symbol, offsetof(struct sdbus, member) \
	}

static const struct {
	const char *name;
	size_t offset; /* of the pointer in struct sdbus */
} symbols[] = {
	ROW(new, "sd_bus_new"),
	ROW(set_address, "sd_bus_set_address"),
	ROW(start, "sd_bus_start"),
	ROW(open_system, "sd_bus_open_system"),
	ROW(open_user, "sd_bus_open_user"),
	ROW(close_unref, "sd_bus_close_unref"),
	ROW(match_signal, "sd_bus_match_signal"),
	ROW(is_ready, "sd_bus_is_ready"),
	ROW(process, "sd_bus_process"),
	ROW(wait, "sd_bus_wait"),
	ROW(call, "sd_bus_call"),
	ROW(get_property_string, "sd_bus_get_property_string"),
	ROW(new_method_call, "sd_bus_message_new_method_call"),
	ROW(message_unref, "sd_bus_message_unref"),
	ROW(append_basic, "sd_bus_message_append_basic"),
	ROW(open_container, "sd_bus_message_open_container"),
	ROW(close_container, "sd_bus_message_close_container"),
	ROW(read_basic, "sd_bus_message_read_basic"),
	ROW(error_free, "sd_bus_error_free"),
};

static_assert(ARRAY_LEN(symbols) == sizeof(struct sdbus) / sizeof(void *) - 1,
	      "every function of struct sdbus has its row");

static const char *why(void)
{
	const char *text = dlerror(); /* NOLINT(concurrency-mt-unsafe): hull has one thread */

	return text ? text : "unknown reason";
}

int sdbus_open(struct sdbus *ret, struct err *e)
{
	struct sdbus sd = { .library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL) };

	if (!sd.library)
		return err_set(
			e, ENOENT,
			"the systemd cgroup driver needs libsystemd, which cannot be opened: %s",
			why());
	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		void *symbol = dlsym(sd.library, symbols[i].name);

		if (!symbol) {
			err_set(e, ENOSYS, "the systemd cgroup driver needs a newer libsystemd: %s",
				why());
			sdbus_close(&sd);
			return -ENOSYS;
		}
		memcpy((char *)&sd + symbols[i].offset, &symbol, sizeof(symbol));
	}
	*ret = sd;
	return 0;
}

void sdbus_close(struct sdbus *sd)
{
	if (sd->library)
		dlclose(sd->library);
	*sd = (struct sdbus){ 0 };
}
