/* What the kernel denied: records of its log, and the words for them. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/buf.h"
#include "security/denials.h"

#define SECCOMP(pid, code, call)                                                                   \
	"4,812,937209236,-;audit: type=1326 audit(1700000005.188:2): auid=4294967295 uid=0 gid=0 " \
	"ses=4294967295 pid=" pid " comm=\"sh\" exe=\"/bin/busybox\" sig=31 arch=c000003e "        \
	"syscall=" call " compat=0 ip=0x7f5948fc3b77 code=" code "\n"

static const struct {
	const char *record, *says;
} rows[] = {
	{ SECCOMP("77", "0x80000000", "169"),
	  "a seccomp filter ended it for the system call reboot" },
	{ SECCOMP("77", "0x0", "169"),
	  "a seccomp filter ended a thread of it for the system call reboot" },
	{ SECCOMP("77", "0x30000", "83"),
	  "a seccomp filter sent it SIGSYS for the system call mkdir" },
	{ SECCOMP("77", "0x50000", "83"), "a seccomp filter refused it the system call mkdir" },
	{ SECCOMP("77", "0x7ffc0000", "83"), "a seccomp filter noted the system call mkdir" },
	{ SECCOMP("77", "0x80000000", "99999"),
	  "a seccomp filter ended it for the system call 99999" },
	{ SECCOMP("77", "0x7fff0000", "83"), "" },  /* allowed */
	{ SECCOMP("78", "0x80000000", "169"), "" }, /* another process */
	{ SECCOMP("777", "0x80000000", "169"), "" },
	/* what a program itself writes to the log is of another facility */
	{ "12,812,937209236,-;audit: type=1326 audit(1700000005.188:2): pid=77 sig=31 "
	  "arch=c000003e syscall=169 compat=0 code=0x80000000\n",
	  "" },
	{ "4,812,937209236,-;audit: type=1326 audit(1699999999.188:2): pid=77 sig=31 "
	  "arch=c000003e syscall=169 compat=0 code=0x80000000\n",
	  "" }, /* before it began */
	{ "5,1,1,-;audit: type=1400 audit(1700000005.1:3): apparmor=\"DENIED\" operation=\"open\" "
	  "class=\"file\" profile=\"hull-default\" name=\"/etc/shadow\" pid=77 comm=\"cat\" "
	  "requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0\n",
	  "AppArmor denied it open of /etc/shadow (profile hull-default)" },
	{ "5,1,1,-;audit: type=1400 audit(1700000005.1:3): apparmor=\"ALLOWED\" "
	  "operation=\"open\" profile=\"p\" name=\"/etc/shadow\" pid=77 comm=\"cat\"\n",
	  "" },
	{ "5,1,1,-;audit: type=1400 audit(1700000005.1:3): avc:  denied  { read open } for  "
	  "pid=77 comm=\"cat\" name=\"shadow\" dev=\"vda1\" ino=9 scontext=a tcontext=b "
	  "tclass=file permissive=0\n",
	  "SELinux denied it { read open } of shadow (file)" },
	{ "5,1,1,-;audit: type=1400 audit(1700000005.1:3): avc:  denied  { read open for  pid=77\n",
	  "" },
	{ "5,1,1,-;audit: type=1326 audit(1700000005.1:3): pid=77 sig=31 syscall= code=\n", "" },
	{ "5,1,1,-;eth0: link up\n", "" },
	{ "", "" },
};

Test(denials, records_and_their_words)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf said = { 0 };

		denials_take(rows[i].record, 77, 1700000000, &said);
		cr_expect_str_eq(said.len ? said.text : "", rows[i].says, "row %zu: %s", i,
				 said.text);
	}
}

Test(denials, each_is_said_once_and_few_of_them)
{
	static const char *const calls[] = { "1", "1", "2", "3", "2", "4", "5" };
	auto_buf struct buf said = { 0 };
	char record[512];

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		snprintf(record, sizeof(record),
			 "4,1,1,-;audit: type=1326 audit(1700000005.1:2): pid=77 sig=0 "
			 "arch=c000003e syscall=%s compat=0 code=0x50000\n",
			 calls[i]);
		denials_take(record, 77, 1700000000, &said);
	}
	cr_expect_str_eq(said.text, "a seccomp filter refused it the system call write; "
				    "a seccomp filter refused it the system call open; "
				    "a seccomp filter refused it the system call close");
}

Test(denials, the_log_itself)
{
	auto_buf struct buf said = { 0 };

	denials_read(-1, 0, &said);
	cr_expect_eq(said.len, 0U);
}
