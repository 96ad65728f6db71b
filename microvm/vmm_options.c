#include "microvm/vmm_options.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	size_t at;
	bool text;
} rows[] = {
	{ "id", offsetof(struct vmm_options, id), true },
	{ "line", offsetof(struct vmm_options, line), true },
	{ "sock", offsetof(struct vmm_options, sock), false },
	{ "gate", offsetof(struct vmm_options, gate), false },
	{ "kvm", offsetof(struct vmm_options, kvm), false },
	{ "kernel", offsetof(struct vmm_options, kernel), false },
	{ "initramfs", offsetof(struct vmm_options, initramfs), false },
	{ "document", offsetof(struct vmm_options, document), false },
	{ "proc", offsetof(struct vmm_options, proc), false },
	{ "control", offsetof(struct vmm_options, control), false },
	{ "disk", offsetof(struct vmm_options, disk), false },
	{ "vsock", offsetof(struct vmm_options, vsock), false },
	{ "vsock-directory", offsetof(struct vmm_options, vsock_directory), false },
	{ "vsock-name", offsetof(struct vmm_options, vsock_name), true },
	{ "log", offsetof(struct vmm_options, log), false },
	{ "log-level", offsetof(struct vmm_options, log_level), false },
	{ "log-json", offsetof(struct vmm_options, log_json), false },
	{ "memory", offsetof(struct vmm_options, memory), false },
	{ "cpus", offsetof(struct vmm_options, cpus), false },
	{ "terminal", offsetof(struct vmm_options, terminal), false },
};

static const char *const *text_at(const struct vmm_options *o, size_t i)
{
	return (const char *const *)((const char *)o + rows[i].at);
}

static const int64_t *number_at(const struct vmm_options *o, size_t i)
{
	return (const int64_t *)((const char *)o + rows[i].at);
}

struct strings vmm_options_write(const struct vmm_options *o, struct arena *a)
{
	struct strings words = { arena_array(a, ARRAY_LEN(rows) + 2, sizeof(char *)), 0 };

	words.at[words.n++] = "hull-vmm";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		words.at[words.n++] =
			rows[i].text ? arena_printf(a, "%s=%s", rows[i].name, *text_at(o, i))
				     : arena_printf(a, "%s=%lld", rows[i].name,
						    (long long)*number_at(o, i));
	return words;
}

static int read_word(const char *word, size_t i, struct vmm_options *ret, struct err *e)
{
	const char *value = word + strlen(rows[i].name) + 1;
	char *end;

	if (rows[i].text) {
		*(const char **)text_at(ret, i) = value;
		return 0;
	}
	errno = 0;
	*(int64_t *)number_at(ret, i) = strtoll(value, &end, 10);
	if (errno || *end || end == value)
		return err_set(e, EINVAL, "hull-vmm: %s: not a number", word);
	return 0;
}

int vmm_options_read(char *const *argv, struct vmm_options *ret, struct err *e)
{
	*ret = (struct vmm_options){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].name);
		char *const *word = argv;

		while (*word && !(strncmp(*word, rows[i].name, n) == 0 && (*word)[n] == '='))
			word++;
		if (!*word)
			return err_set(e, EINVAL,
				       "hull-vmm: %s= is missing: it is started by hull, not by "
				       "people",
				       rows[i].name);
		TRY(read_word(*word, i, ret, e));
	}
	return 0;
}
