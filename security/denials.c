#include "security/denials.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/kmsg.h"
#include "base/util.h"

enum {
	WORD_MAX = 256,
	HEX = 16,
};

/* A word of the record. Audit writes what is not its own without spaces and quotation marks. */
struct word {
	char text[WORD_MAX];
};

/* The value behind `key`, as `pid=`, without quotation marks; "" if there is none. */
static struct word value(const char *record, const char *key)
{
	struct word ret = { "" };
	const char *at = record;
	size_t len;

	while ((at = strstr(at, key)) && (at == record || at[-1] != ' '))
		at++;
	if (!at)
		return ret;
	at += strlen(key);
	at += *at == '"';
	len = strcspn(at, "\" \n");
	if (len < sizeof(ret.text))
		memcpy(ret.text, at, len);
	return ret;
}

static void say_seccomp(const char *record, struct buf *ret)
{
	static const struct {
		unsigned long action;
		const char *did;
	} rows[] = {
		{ SECCOMP_RET_KILL_PROCESS, "ended it for" },
		{ SECCOMP_RET_KILL_THREAD, "ended a thread of it for" },
		{ SECCOMP_RET_TRAP, "sent it SIGSYS for" },
		{ SECCOMP_RET_ERRNO, "refused it" },
		{ SECCOMP_RET_LOG, "noted" },
	};
	unsigned long action = strtoul(value(record, "code=").text, NULL, HEX);
	unsigned long arch = strtoul(value(record, "arch=").text, NULL, HEX);
	struct word number = value(record, "syscall=");
	char *name;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (action != rows[i].action || !number.text[0])
			continue;
		name = seccomp_syscall_resolve_num_arch((uint32_t)arch, atoi(number.text));
		buf_printf(ret, "a seccomp filter %s the system call %s", rows[i].did,
			   name ? name : number.text);
		free(name);
		return;
	}
}

static void say_apparmor(const char *record, struct buf *ret)
{
	struct word operation = value(record, "operation="), profile = value(record, "profile=");
	struct word name = value(record, "name=");

	buf_printf(ret, "AppArmor denied it %s%s%s (profile %s)", operation.text,
		   name.text[0] ? " of " : "", name.text, profile.text);
}

static void say_selinux(const char *record, struct buf *ret)
{
	const char *begin = strchr(record, '{'), *end = begin ? strchr(begin, '}') : NULL;
	struct word name = value(record, "name="), kind = value(record, "tclass=");

	if (!end)
		return;
	buf_printf(ret, "SELinux denied it %.*s%s%s (%s)", (int)(end - begin + 1), begin,
		   name.text[0] ? " of " : "", name.text, kind.text);
}

/* Every one must be in the record. */
static const struct kind {
	const char *type, *has;
	void (*say)(const char *record, struct buf *ret);
} kinds[] = {
	{ " type=1326 ", " syscall=", say_seccomp },
	{ " type=1400 ", " apparmor=\"DENIED\"", say_apparmor },
	{ " type=1400 ", " avc:  denied ", say_selinux },
};

static bool is_about(const char *record, pid_t pid, time_t since)
{
	static const char stamp[] = " audit(";
	const char *at = strstr(record, stamp);

	return at && strtoll(at + sizeof(stamp) - 1, NULL, 10) >= since &&
	       strtoll(value(record, "pid=").text, NULL, 10) == pid;
}

static unsigned count(const char *text)
{
	unsigned n = 1;

	for (; (text = strstr(text, "; ")); text++)
		n++;
	return n;
}

void denials_take(const char *record, pid_t pid, time_t since, struct buf *ret)
{
	auto_buf struct buf said = { 0 };

	if (!kmsg_is_kernels(record) || !is_about(record, pid, since))
		return;
	for (size_t i = 0; i < ARRAY_LEN(kinds) && !said.len; i++)
		if (strstr(record, kinds[i].type) && strstr(record, kinds[i].has))
			kinds[i].say(record, &said);
	if (!said.len)
		return;
	if (ret->len) {
		if (strstr(ret->text, said.text) || count(ret->text) >= DENIALS_MAX)
			return;
		buf_str(ret, "; ");
	}
	buf_str(ret, said.text);
}

struct search {
	pid_t pid;
	time_t since;
	struct buf *ret;
};

static void take(const char *record, void *ctx)
{
	const struct search *s = ctx;

	denials_take(record, s->pid, s->since, s->ret);
}

void denials_read(pid_t pid, time_t since, struct buf *ret)
{
	kmsg_each("what the kernel denied", take, &(struct search){ pid, since, ret });
}
