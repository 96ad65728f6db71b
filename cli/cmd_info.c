/* cmd_info.c - `hull info`: where hull keeps what, how much of it there is, and what the host is. */
#include <stddef.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/json.h"
#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "cli/template.h"
#include "cli/version.h"
#include "runtime/host.h"

struct info_values {
	const char *format;
};

static const struct option_row rows[] = {
	{ .name = "format",
	  .letter = 'f',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct info_values, format),
	  .argument = "FORMAT",
	  .help = "json (default) or a template like '{{.Images}}'" },
};
const struct option_table info_options = { rows, ARRAY_LEN(rows), sizeof(struct info_values), NULL,
					   true };

static int count_containers(const struct engine *g, struct json_writer *w, struct arena *a,
			    struct err *e)
{
	unsigned running = 0, paused = 0, stopped = 0;
	struct strings ids;

	TRY(record_list(g, a, &ids, e));
	for (size_t i = 0; i < ids.n; i++) {
		auto_container_view struct container_view v = { 0 };
		struct err gone;

		if (engine_view(g, ids.at[i], &v, &gone) < 0)
			continue; /* removed meanwhile */
		running += v.state == STATE_RUNNING;
		paused += v.state == STATE_PAUSED;
		stopped += v.state != STATE_RUNNING && v.state != STATE_PAUSED;
	}
	json_write_uint(w, "Containers", running + paused + stopped);
	json_write_uint(w, "ContainersRunning", running);
	json_write_uint(w, "ContainersPaused", paused);
	json_write_uint(w, "ContainersStopped", stopped);
	return 0;
}

static void write_host(struct json_writer *w, const struct call *call)
{
	auto_host struct host host = HOST_NONE;
	struct utsname name;
	struct err e;

	if (uname(&name) == 0) {
		json_write_string(w, "Name", name.nodename);
		json_write_string(w, "KernelVersion", name.release);
		json_write_string(w, "Architecture", name.machine);
	}
	json_write_string(w, "OSType", "linux");
	json_write_int(w, "NCPU", sysconf(_SC_NPROCESSORS_ONLN));
	json_write_uint(w, "MemTotal",
			(uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
	json_write_string(w, "CgroupDriver",
			  call->runtime.cgroups_disabled ? "none"
			  : call->runtime.systemd_cgroup ? "systemd"
							 : "cgroupfs");
	json_write_string(w, "CgroupVersion", "2");
	if (host_probe(0, &host, &e) >= 0)
		json_write_bool(w, "InUserNamespace", host.in_user_namespace);
}

static int write_info(const struct call *call, struct buf *out, struct err *e)
{
	struct json_writer w = json_writer(out, "    ");
	auto_engine struct engine g = ENGINE_CLOSED;
	struct image_records images;

	TRY(people_engine(call, &g, e));
	TRY(image_store_list(&g.store, call->arena, &images, e));
	json_write_object(&w, NULL);
	json_write_string(&w, "ServerVersion", PACKAGE_VERSION);
	TRY(count_containers(&g, &w, call->arena, e));
	json_write_uint(&w, "Images", images.n);
	json_write_string(&w, "Driver", "overlay");
	json_write_string(&w, "DockerRootDir", g.path.text);
	json_write_string(&w, "StateDir", call->runtime.root);
	json_write_bool(&w, "Rootless", g.rootless);
	json_write_string(&w, "DefaultRuntime", "hull");
	write_host(&w, call);
	json_write_end(&w);
	return 0;
}

int cmd_info(const struct call *call, struct err *e)
{
	const struct info_values *values = call->options.values;
	auto_buf struct buf out = { 0 }, text = { 0 };
	auto_json struct json_doc doc = { .name = "info" };

	TRY(write_info(call, &out, e));
	if (!values->format || choice_is(values->format, "json")) {
		puts(out.text);
		return 0;
	}
	doc.text = out.text;
	doc.size = out.len;
	TRY(json_parse(&doc, call->arena, e));
	TRY(template_print(values->format, &(struct template_scope){ .value = doc.root }, &text,
			   e));
	puts(text.text ? text.text : "");
	return 0;
}
