#include "network/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json_decode.h"
#include "base/json_write.h"
#include "network/config.h"

enum { RECORD_VERSION = 1, RECORD_SIZE_MAX = 1024 * 1024, STAT_SIZE = 1024 };

struct stored_interface {
	const char *network, *link, *name, *ip, *ip6, *mac;
	struct strings aliases, cni;
	const char *cni_result, *cni_path;
	bool named, partial, cni_unchecked, cni_ports;
	uint32_t index;
};

struct stored {
	uint32_t version;
	const char *id, *boot, *helper, *to, *to6;
	struct process_mark owner, process;
	LIST(struct stored_interface) interfaces;
	struct strings ports, names;
};

JSON_TABLE(interface_fields, struct stored_interface) = {
	FIELD_STRING(struct stored_interface, "network", network, REQUIRED),
	FIELD_STRING(struct stored_interface, "link", link, 0),
	FIELD_STRING(struct stored_interface, "name", name, REQUIRED),
	FIELD_STRING(struct stored_interface, "ip", ip, 0),
	FIELD_STRING(struct stored_interface, "ip6", ip6, 0),
	FIELD_STRING(struct stored_interface, "mac", mac, 0),
	FIELD_STRINGS(struct stored_interface, "aliases", aliases, 0),
	FIELD_BOOL(struct stored_interface, "named", named, 0),
	FIELD_BOOL(struct stored_interface, "partial", partial, 0),
	FIELD_U32(struct stored_interface, "index", index, 0),
	FIELD_STRINGS(struct stored_interface, "cni", cni, 0),
	FIELD_BOOL(struct stored_interface, "cniUnchecked", cni_unchecked, 0),
	FIELD_STRING(struct stored_interface, "cniPath", cni_path, 0),
	FIELD_STRING(struct stored_interface, "cniResult", cni_result, 0),
	FIELD_BOOL(struct stored_interface, "cniPorts", cni_ports, 0),
	{ 0 },
};

JSON_TABLE(mark_fields, struct process_mark) = {
	FIELD_I32_IN(struct process_mark, "pid", pid, 0, INT32_MAX, REQUIRED),
	FIELD_U64(struct process_mark, "start", start, REQUIRED),
	{ 0 },
};

JSON_TABLE(stored_fields, struct stored) = {
	FIELD_U32(struct stored, "version", version, REQUIRED),
	FIELD_STRING(struct stored, "id", id, REQUIRED),
	FIELD_STRING(struct stored, "boot", boot, REQUIRED),
	FIELD_OBJECT(struct stored, "owner", owner, mark_fields, REQUIRED),
	FIELD_LIST(struct stored, "interfaces", interfaces, interface_fields, 0),
	FIELD_STRINGS(struct stored, "ports", ports, 0),
	FIELD_STRING(struct stored, "to", to, 0),
	FIELD_STRING(struct stored, "to6", to6, 0),
	FIELD_STRING(struct stored, "helper", helper, 0),
	FIELD_OBJECT(struct stored, "process", process, mark_fields, 0),
	FIELD_STRINGS(struct stored, "names", names, 0),
	{ 0 },
};

int record_check_id(const char *id, struct err *e)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"_.+-";
	size_t len = strlen(id);

	if (len == 0 || id[0] == '.' || strspn(id, allowed) != len)
		return err_set(e, EINVAL, "%s is no id of a container", json_quote(id).text);
	if (len > RECORD_ID_MAX)
		return err_set(
			e, ENAMETOOLONG,
			"container id %s is longer than the %d characters that networks take",
			json_quote(id).text, RECORD_ID_MAX);
	return 0;
}

static void write_addr(struct json_writer *w, const char *key, const struct net_addr *a)
{
	if (a->family)
		json_write_string(w, key, addr_text(a).text);
}

static void write_mark(struct json_writer *w, const char *key, const struct process_mark *mark)
{
	json_write_object(w, key);
	json_write_int(w, "pid", mark->pid);
	json_write_uint(w, "start", mark->start);
	json_write_end(w);
}

static void write_cni(struct json_writer *w, const struct record_interface *it)
{
	json_write_strings(w, "cni", &it->cni.plugins);
	json_write_bool(w, "cniUnchecked", it->cni.unchecked);
	if (it->cni.path)
		json_write_string(w, "cniPath", it->cni.path);
	if (it->cni_result)
		json_write_string(w, "cniResult", it->cni_result);
	json_write_bool(w, "cniPorts", it->cni_ports);
}

static void encode(const struct record *r, struct buf *ret)
{
	struct json_writer w = json_writer(ret, NULL);

	json_write_object(&w, NULL);
	json_write_uint(&w, "version", RECORD_VERSION);
	json_write_string(&w, "id", r->id);
	json_write_string(&w, "boot", r->boot);
	write_mark(&w, "owner", &r->owner);
	json_write_array(&w, "interfaces");
	for (size_t i = 0; i < r->interfaces.n; i++) {
		const struct record_interface *it = &r->interfaces.at[i];

		json_write_object(&w, NULL);
		json_write_string(&w, "network", it->network);
		if (it->link)
			json_write_string(&w, "link", it->link);
		json_write_string(&w, "name", it->name);
		write_addr(&w, "ip", &it->ip);
		write_addr(&w, "ip6", &it->ip6);
		if (mac_is_set(&it->mac))
			json_write_string(&w, "mac", mac_text(&it->mac).text);
		if (it->aliases.n)
			json_write_strings(&w, "aliases", &it->aliases);
		json_write_bool(&w, "named", it->named);
		json_write_bool(&w, "partial", it->partial);
		if (it->index)
			json_write_uint(&w, "index", it->index);
		if (it->cni.plugins.n)
			write_cni(&w, it);
		json_write_end(&w);
	}
	json_write_end(&w);
	json_write_array(&w, "ports");
	for (size_t i = 0; i < r->ports.n; i++)
		json_write_string(&w, NULL, port_text(&r->ports.at[i]).text);
	json_write_end(&w);
	write_addr(&w, "to", &r->to);
	write_addr(&w, "to6", &r->to6);
	if (r->helper)
		json_write_string(&w, "helper", r->helper);
	write_mark(&w, "process", &r->process);
	json_write_strings(&w, "names", &r->names);
	json_write_end(&w);
	buf_char(ret, '\n');
}

static int decode_addr(const char *text, struct net_addr *ret, struct err *e)
{
	return text ? addr_parse(text, ret, e) : 0;
}

static int decode(const struct stored *s, struct arena *a, struct record *ret, struct err *e)
{
	struct record r = { .id = s->id,
			    .boot = s->boot,
			    .owner = s->owner,
			    .helper = s->helper,
			    .process = s->process,
			    .names = s->names };

	TRY(record_check_id(s->id, e));
	r.interfaces.at = arena_array(a, s->interfaces.n, sizeof(*r.interfaces.at));
	for (size_t i = 0; i < s->interfaces.n; i++) {
		const struct stored_interface *from = &s->interfaces.at[i];
		struct record_interface *to = &r.interfaces.at[r.interfaces.n++];

		*to = (struct record_interface){ .network = from->network,
						 .link = from->link,
						 .name = from->name,
						 .aliases = from->aliases,
						 .named = from->named,
						 .partial = from->partial,
						 .index = from->index,
						 .cni = { .plugins = from->cni,
							  .unchecked = from->cni_unchecked,
							  .path = from->cni_path },
						 .cni_result = from->cni_result,
						 .cni_ports = from->cni_ports };
		TRY(network_name_check(from->network, e));
		TRY(decode_addr(from->ip, &to->ip, e));
		TRY(decode_addr(from->ip6, &to->ip6, e));
		if (from->mac)
			TRY(mac_parse(from->mac, &to->mac, e));
	}
	r.ports.at = arena_array(a, s->ports.n, sizeof(*r.ports.at));
	for (size_t i = 0; i < s->ports.n; i++)
		TRY(port_parse(s->ports.at[i], &r.ports.at[r.ports.n++], e));
	TRY(decode_addr(s->to, &r.to, e));
	TRY(decode_addr(s->to6, &r.to6, e));
	*ret = r;
	return 0;
}

int record_write(int state_dir_fd, const struct record *r, struct err *e)
{
	auto_buf struct buf text = { 0 };
	char name[NAME_MAX + 1];
	auto_fd int dir = -1;

	encode(r, &text);
	/* What was written must be read again: there is no other way to take away what it stands for. */
	if (text.len > RECORD_SIZE_MAX)
		return err_set(e, EFBIG,
			       "the network record of container %s would have %zu bytes, and may "
			       "have %d: it has too many names, or plug-ins of CNI say too much",
			       r->id, text.len, RECORD_SIZE_MAX);
	if (mkdirat(state_dir_fd, "containers", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the directory of attached containers");
	dir = openat(state_dir_fd, "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return err_sys(e, "open the directory of attached containers");
	snprintf(name, sizeof(name), "%s.json", r->id);
	return io_replace_file(dir, name, text.text, text.len, e);
}

int record_read(int state_dir_fd, const char *id, struct arena *a, struct record *ret,
		struct err *e)
{
	const char *path = arena_printf(a, "containers/%s.json", id);
	struct stored stored = { 0 };
	struct err why = { 0 };
	int r = json_decode_file(state_dir_fd, path, RECORD_SIZE_MAX, stored_fields, a, &stored,
				 &why);

	if (r == -ENOENT)
		return r;
	if (r >= 0 && stored.version > RECORD_VERSION)
		r = err_set(&why, ENOTSUP, "it has version %u and this hull knows %d",
			    stored.version, RECORD_VERSION);
	if (r >= 0)
		r = decode(&stored, a, ret, &why);
	if (r >= 0)
		return 0;
	return err_set(e, why.code, "network record of container %s: %s", id, why.msg);
}

int record_read_all(int state_dir_fd, struct arena *a, struct record_list *ret, struct err *e)
{
	struct record_list list = { 0 };
	struct strings ids = { 0 };

	TRY(network_files(state_dir_fd, "containers", ".json", a, &ids, e));
	list.at = arena_array(a, ids.n, sizeof(*list.at));
	for (size_t i = 0; i < ids.n; i++) {
		int r = record_read(state_dir_fd, ids.at[i], a, &list.at[list.n], e);

		if (r == 0)
			list.n++;
		else if (r != -ENOENT)
			return r;
	}
	*ret = list;
	return 0;
}

int record_forget(int state_dir_fd, const char *id, struct err *e)
{
	char path[NAME_MAX + 32];

	snprintf(path, sizeof(path), "containers/%s.json", id);
	if (unlinkat(state_dir_fd, path, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove the network record of container %s", id);
	return 0;
}

int record_boot(struct arena *a, const char **ret, struct err *e)
{
	char text[64];
	int r = io_read_value(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text, sizeof(text));

	if (r < 0)
		return err_neg(e, r, "read this boot's id");
	*ret = arena_strdup(a, text);
	return 0;
}

int process_mark(pid_t pid, struct process_mark *ret, struct err *e)
{
	char path[48], text[STAT_SIZE], state = '\0';
	unsigned long long start = 0;
	const char *end;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	r = io_read_value(AT_FDCWD, path, text, sizeof(text));
	if (r == -ENOENT || r == -ESRCH)
		return -ESRCH;
	if (r < 0)
		return err_neg(e, r, "read %s", path);
	/* proc_pid_stat(5): the name is in parentheses and may have some in it; (3) state, (22) start */
	end = strrchr(text, ')');
	if (!end ||
	    sscanf(end + 1,
		   " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
		   "%*d %llu",
		   &state, &start) != 2)
		return err_set(e, EINVAL, "read %s: it is not as it should be", path);
	if (state == 'Z' || state == 'X')
		return -ESRCH;
	*ret = (struct process_mark){ (int32_t)pid, start };
	return 0;
}

bool process_is_alive(const struct process_mark *mark)
{
	struct process_mark now;

	/* What cannot be read is not known to be dead. */
	switch (mark->pid ? process_mark(mark->pid, &now, NULL) : -ESRCH) {
	case 0:
		return now.start == mark->start;
	case -ESRCH:
		return false;
	default:
		return true;
	}
}

bool record_is_alive(const struct record *r, const char *boot)
{
	return strcmp(r->boot, boot) == 0 && process_is_alive(&r->owner);
}
