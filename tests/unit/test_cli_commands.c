/*
 * What the commands ask of runtime/, and what they print. All functions of
 * runtime/container.h are replaced here, so that its object is never linked.
 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json.h"
#include "cli/invocation.h"
#include "tests/unit/test_cli.h"

/* What was asked, and what the answer shall be. */
static struct buf asked;
static int answer_status;
static struct state_list answer_list;
static struct pid_list answer_pids;
static const char *answer_processes; /* NULL: the host's ps sees them */

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static void ask_strings(const char *what, const struct strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		buf_printf(&asked, " %s=%s", what, list->at[i]);
}

static void ask_create(const struct create_request *r)
{
	buf_printf(&asked, " id=%s bundle=%s console=%s pid-file=%s pivot=%d keyring=%d fds=%u",
		   r->id, r->bundle, or_none(r->console_socket), or_none(r->pid_file), !r->no_pivot,
		   !r->no_new_keyring, r->preserve_fds);
	if (r->pidfd_socket)
		buf_printf(&asked, " pidfd=%s", r->pidfd_socket);
}

int container_create(const struct runtime *rt, const struct create_request *req, struct err *e)
{
	(void)e;
	buf_printf(&asked, "create root=%s cgroups=%d", rt->root, !rt->cgroups_disabled);
	ask_create(req);
	return 0;
}

int container_run(const struct runtime *rt, const struct run_request *req, int *ret_status,
		  struct err *e)
{
	(void)rt;
	(void)e;
	buf_printf(&asked, "run detach=%d keep=%d", req->detach, req->keep);
	ask_create(&req->create);
	*ret_status = answer_status;
	return 0;
}

int container_start(const struct runtime *rt, const char *id, struct err *e)
{
	(void)rt;
	buf_printf(&asked, "start id=%s", id);
	return err_set(e, ENOENT, "container does not exist");
}

int container_exec(const struct runtime *rt, const struct exec_request *r, int *ret_status,
		   struct err *e)
{
	(void)rt;
	(void)e;
	buf_printf(&asked,
		   "exec id=%s file=%s cwd=%s user=%s apparmor=%s label=%s nnp=%d tty=%d "
		   "detach=%d paused=%d console=%s pid-file=%s fds=%u",
		   r->id, or_none(r->process_file), or_none(r->cwd), or_none(r->user),
		   or_none(r->apparmor), or_none(r->selinux_label), r->no_new_privs, r->terminal,
		   r->detach, r->ignore_paused, or_none(r->console_socket), or_none(r->pid_file),
		   r->preserve_fds);
	ask_strings("env", &r->env);
	ask_strings("cap", &r->caps);
	ask_strings("cgroup", &r->cgroups);
	if (r->pidfd_socket)
		buf_printf(&asked, " pidfd=%s", r->pidfd_socket);
	for (size_t i = 0; i < r->groups.n; i++)
		buf_printf(&asked, " gid=%u", r->groups.at[i]);
	ask_strings("arg", &r->args);
	*ret_status = answer_status;
	return 0;
}

int container_kill(const struct runtime *rt, const char *id, int signal, bool all, struct err *e)
{
	(void)rt;
	(void)e;
	buf_printf(&asked, "kill id=%s signal=%d all=%d", id, signal, all);
	return 0;
}

int container_pause(const struct runtime *rt, const char *id, struct err *e)
{
	(void)rt;
	(void)e;
	buf_printf(&asked, "pause id=%s", id);
	return 0;
}

int container_resume(const struct runtime *rt, const char *id, struct err *e)
{
	(void)rt;
	(void)e;
	buf_printf(&asked, "resume id=%s", id);
	return 0;
}

int container_update(const struct runtime *rt, const struct update_request *r, struct err *e)
{
	const struct spec_resources *s = &r->resources;

	(void)rt;
	(void)e;
	buf_printf(&asked,
		   "update id=%s file=%s memory=%lld,%lld,%lld cpu=%llu,%lld,%llu,%lld,%llu,%s,%s "
		   "pids=%d,%lld weight=%u",
		   r->id, or_none(r->file), (long long)s->memory.limit.value,
		   (long long)s->memory.reservation.value, (long long)s->memory.swap.value,
		   (unsigned long long)s->cpu.shares.value, (long long)s->cpu.quota.value,
		   (unsigned long long)s->cpu.period.value, (long long)s->cpu.idle.value,
		   (unsigned long long)s->cpu.burst.value, or_none(s->cpu.cpus),
		   or_none(s->cpu.mems), s->pids_limit.set, (long long)s->pids_limit.value,
		   s->block_io.weight.value);
	return 0;
}

int container_delete(const struct runtime *rt, const char *id, bool force, struct err *e)
{
	(void)rt;
	(void)e;
	buf_printf(&asked, "delete id=%s force=%d", id, force);
	return 0;
}

int container_state(const struct runtime *rt, const char *id, struct state *ret, struct err *e)
{
	(void)rt;
	for (size_t i = 0; i < answer_list.n; i++) {
		if (strcmp(answer_list.at[i].id, id) == 0) {
			*ret = answer_list.at[i];
			return 0;
		}
	}
	return err_set(e, ENOENT, "container does not exist");
}

int container_list(const struct runtime *rt, struct state_list *ret, struct err *e)
{
	(void)rt;
	(void)e;
	*ret = answer_list;
	return 0;
}

void state_list_done(struct state_list *list)
{
	list->n = 0;
}

int container_pids(const struct runtime *rt, const char *id, struct arena *a, struct pid_list *ret,
		   struct err *e)
{
	(void)rt;
	(void)a;
	(void)e;
	buf_printf(&asked, "pids id=%s", id);
	*ret = answer_pids;
	return 0;
}

int container_processes(const struct runtime *rt, const char *id, struct buf *ret, struct err *e)
{
	(void)rt;
	(void)id;
	(void)e;
	if (answer_processes)
		buf_str(ret, answer_processes);
	return answer_processes != NULL;
}

/* Runs a command line as main() would, without its reports. */
static int run_line(const char *line, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct strings words = split_words(&a, line);
	struct invocation in;
	struct call call;

	buf_clear(&asked);
	buf_str(&asked, "");
	TRY(invocation_parse(&in, &words, &a, e));
	call = (struct call){
		.mode = in.personality->mode,
		.runtime = { .root = in.globals->root, .program = in.program },
		.options = in.options,
		.arena = &a,
	};
	return in.command->run(&call, e);
}

struct row {
	const char *line, *asked;
};

static void check_requests(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct err e = { 0 };

		run_line(rows[i].line, &e);
		cr_expect_str_eq(asked.text, rows[i].asked,
				 "%s\n\tasks     \"%s\"\n\texpected \"%s\"", rows[i].line,
				 *asked.text ? asked.text : e.msg, rows[i].asked);
	}
	buf_done(&asked);
}

Test(cli_commands, requests)
{
	static const struct row rows[] = {
		{ "hull-oci --root /r create --bundle /b --pid-file /p --console-socket /s "
		  "--no-pivot "
		  "--no-new-keyring --preserve-fds 3 ID",
		  "create root=/r cgroups=1 id=ID bundle=/b console=/s pid-file=/p pivot=0 "
		  "keyring=0 "
		  "fds=3" },
		{ "hull-oci --root /r create ID",
		  "create root=/r cgroups=1 id=ID bundle=. console=- pid-file=- pivot=1 keyring=1 "
		  "fds=0" },
		{ "hull-oci run --detach --keep -b /b ID",
		  "run detach=1 keep=1 id=ID bundle=/b console=- pid-file=- pivot=1 keyring=1 "
		  "fds=0" },
		{ "hull-oci --root /r create --pidfd-socket /s ID",
		  "create root=/r cgroups=1 id=ID bundle=. console=- pid-file=- pivot=1 "
		  "keyring=1 fds=0 pidfd=/s" },
		{ "hull run --bundle /b --pidfd-socket /s ID",
		  "run detach=0 keep=0 id=ID bundle=/b console=- pid-file=- pivot=1 keyring=1 fds=0 "
		  "pidfd=/s" },
		{ "hull-oci run ID", "run detach=0 keep=0 id=ID bundle=. console=- pid-file=- "
				     "pivot=1 keyring=1 fds=0" },
		{ "hull run -b /b ID", "run detach=0 keep=0 id=ID bundle=/b console=- pid-file=- "
				       "pivot=1 keyring=1 fds=0" },
		{ "hull-oci start ID", "start id=ID" },
		{ "hull kill --all ID 9", "kill id=ID signal=9 all=1" },
		{ "hull kill -a ID SIGHUP", "kill id=ID signal=1 all=1" },
		{ "hull pause ID", "pause id=ID" },
		{ "hull resume ID", "resume id=ID" },
		{ "hull update -r - ID",
		  "update id=ID file=- memory=0,0,0 cpu=0,0,0,0,0,-,- pids=0,0 weight=0" },
		{ "hull update --resources=FILE ID",
		  "update id=ID file=FILE memory=0,0,0 cpu=0,0,0,0,0,-,- pids=0,0 weight=0" },
		{ "hull update --memory 1M --memory-reservation 2k --memory-swap -1 --cpu-share 3 "
		  "--cpu-quota -1 --cpu-period 5 --cpu-idle 1 --cpu-burst 6 --cpuset-cpus 0-1 "
		  "--cpuset-mems 0 --pids-limit -1 --blkio-weight 10 ID",
		  "update id=ID file=- memory=1048576,2048,-1 cpu=3,-1,5,1,6,0-1,0 pids=1,-1 "
		  "weight=10" },
		{ "hull kill ID BOGUS", "" },
		{ "hull delete ID", "delete id=ID force=0" },
		{ "hull delete -f ID", "delete id=ID force=1" },
		{ "hull ps -f json ID", "pids id=ID" },
	};

	cr_redirect_stdout();
	check_requests(rows, ARRAY_LEN(rows));
}

/* It is the image's, as the annotation has it, or SIGTERM. */
Test(cli_commands, kill_without_a_signal)
{
	static struct spec_pair usual = { "org.opencontainers.image.stopSignal", "SIGHUP" },
				wrong = { "org.opencontainers.image.stopSignal", "HALT" };
	struct state states[] = {
		{ .id = "none" },
		{ .id = "one", .annotations = { &usual, 1 } },
		{ .id = "wrong", .annotations = { &wrong, 1 } },
	};
	static const struct row rows[] = {
		{ "hull-oci kill none", "kill id=none signal=15 all=0" },
		{ "hull-oci kill one", "kill id=one signal=1 all=0" },
		{ "hull-oci kill one 9", "kill id=one signal=9 all=0" },
		{ "hull-oci kill wrong", "" },
		/* People's sends SIGKILL, to each. */
		{ "hull kill one", "kill id=one signal=9 all=0" },
		{ "hull kill one 15", "kill id=one signal=15 all=0" },
		{ "hull kill one none", "kill id=one signal=9 all=0kill id=none signal=9 all=0" },
	};

	answer_list.at = states;
	answer_list.n = ARRAY_LEN(states);
	check_requests(rows, ARRAY_LEN(rows));
}

Test(cli_commands, exec_requests)
{
#define NONE "cwd=- user=- apparmor=- label=- "
	static const struct row rows[] = {
		{ "hull exec ID ls -l",
		  "exec id=ID file=- " NONE "nnp=-1 tty=0 detach=0 paused=0 console=- pid-file=- "
		  "fds=0 arg=ls arg=-l" },
		{ "hull exec --process /f -d --pid-file /p --console-socket /s ID",
		  "exec id=ID file=/f " NONE
		  "nnp=-1 tty=0 detach=1 paused=0 console=/s pid-file=/p "
		  "fds=0" },
		{ "hull exec -t -e A=1 -e B=2 -c CAP_CHOWN -g 7 -g 8 --preserve-fds 2 ID sh",
		  "exec id=ID file=- " NONE "nnp=-1 tty=1 detach=0 paused=0 console=- pid-file=- "
		  "fds=2 env=A=1 env=B=2 cap=CAP_CHOWN gid=7 gid=8 arg=sh" },
		{ "hull exec --cgroup /a --cgroup b --pidfd-socket /s ID sh",
		  "exec id=ID file=- " NONE "nnp=-1 tty=0 detach=0 paused=0 console=- pid-file=- "
		  "fds=0 cgroup=/a cgroup=b pidfd=/s arg=sh" },
		{ "hull exec --cwd /c -u 1:2 --apparmor p --process-label l --no-new-privs "
		  "--ignore-paused ID sh",
		  "exec id=ID file=- cwd=/c user=1:2 apparmor=p label=l nnp=1 tty=0 detach=0 "
		  "paused=1 "
		  "console=- pid-file=- fds=0 arg=sh" },
	};
#undef NONE

	check_requests(rows, ARRAY_LEN(rows));
}

Test(cli_commands, exit_statuses)
{
	static const struct {
		const char *line;
		int answer, status;
		const char *message;
	} rows[] = {
		{ "hull exec ID sh", 7, 7, "" },
		{ "hull-oci run ID", 137, 137, "" },
		{ "hull run -b /b ID", 3, 3, "" },
		{ "hull-oci start ID", 0, -ENOENT, "container does not exist" },
		{ "hull state ID", 0, -ENOENT, "container does not exist" },
		{ "hull-oci kill ID BOGUS", 0, -EINVAL, "unknown signal \"BOGUS\"" },
		{ "hull kill ID BOGUS", 0, -EINVAL,
		  "kill: \"BOGUS\" is no container and no signal" },
		{ "hull run -b /b ID sh", 0, -EINVAL,
		  "\"run\" with --bundle requires exactly 1 argument(s)" },
		{ "hull help bogus", 0, -ENOENT, "No help topic for 'bogus'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };

		answer_status = rows[i].answer;
		cr_expect_eq(run_line(rows[i].line, &e), rows[i].status, "%s", rows[i].line);
		cr_expect_str_eq(e.msg, rows[i].message, "%s", rows[i].line);
	}
	buf_done(&asked);
}

static struct spec_pair annotations[] = { { "a", "1" }, { "b", "\"" } };
static struct state states[] = {
	{ .id = "one",
	  .oci_version = "1.0.2-dev",
	  .bundle = "/b",
	  .rootfs = "/b/rootfs",
	  .created = "2026-11-24T03:33:24.440115739Z",
	  .pid = 10341,
	  .status = STATE_RUNNING },
	{ .id = "two-has-a-long-name",
	  .oci_version = "1.2.0",
	  .bundle = "/b\xc3\xbcndel/longer",
	  .rootfs = "/r",
	  .created = "2026-11-24T03:33:24.440115739Z",
	  .owner = 4294967294,
	  .pid = 17,
	  .annotations = { annotations, 2 },
	  .status = STATE_STOPPED },
	{ .id = "unmade", .status = STATE_CREATING },
};

static void check_output(const char *line, size_t n, const char *expected)
{
	struct err e = { 0 };

	answer_list = (struct state_list){ states, n };
	cr_redirect_stdout();
	cr_expect_eq(run_line(line, &e), 0, "%s", e.msg);
	fflush(stdout);
	cr_expect_stdout_eq_str(expected);
	buf_done(&asked);
}

Test(cli_commands, list_table)
{
	check_output("hull list", 3,
		     "ID                    PID         STATUS      BUNDLE     "
		     "      CREATED                          OWNER\n"
		     "one                   10341       running     /b         "
		     "      2026-11-24T03:33:24.440115739Z   root\n"
		     "two-has-a-long-name   0           stopped     /b\xc3\xbc"
		     "ndel/lon"
		     "ger   2026-11-24T03:33:24.440115739Z   #4294967294\n"
		     "unmade                0           creating               "
		     "                                       root\n");
}

Test(cli_commands, list_of_nothing)
{
	check_output("hull list", 0,
		     "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n");
}

Test(cli_commands, ps_without_id)
{
	check_output("hull list", 0,
		     "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n");
}

Test(cli_commands, list_json_of_nothing)
{
	check_output("hull list -f json", 0, "null\n");
}

Test(cli_commands, list_json)
{
	check_output(
		"hull list -f json", 2,
		"[{\"ociVersion\":\"1.0.2-dev\",\"id\":\"one\",\"pid\":10341,\"status\":"
		"\"running\","
		"\"bundle\":\"/b\",\"rootfs\":\"/b/rootfs\","
		"\"created\":\"2026-11-24T03:33:24.440115739Z\",\"owner\":\"root\"},"
		"{\"ociVersion\":\"1.2.0\",\"id\":\"two-has-a-long-name\",\"pid\":0,"
		"\"status\":\"stopped\",\"bundle\":\"/b\xc3\xbcndel/longer\",\"rootfs\":\"/r\","
		"\"created\":\"2026-11-24T03:33:24.440115739Z\","
		"\"annotations\":{\"a\":\"1\",\"b\":\"\\\"\"},\"owner\":\"#4294967294\"}]\n");
}

Test(cli_commands, list_quiet)
{
	check_output("hull list -q", 2, "one\ntwo-has-a-long-name\n");
}

Test(cli_commands, list_quiet_of_nothing)
{
	check_output("hull list -q", 0, "");
}

Test(cli_commands, state)
{
	check_output("hull state one", 1,
		     "{\n"
		     "  \"ociVersion\": \"1.0.2-dev\",\n"
		     "  \"id\": \"one\",\n"
		     "  \"pid\": 10341,\n"
		     "  \"status\": \"running\",\n"
		     "  \"bundle\": \"/b\",\n"
		     "  \"rootfs\": \"/b/rootfs\",\n"
		     "  \"created\": \"2026-11-24T03:33:24.440115739Z\",\n"
		     "  \"owner\": \"root\"\n"
		     "}\n");
}

Test(cli_commands, ps_json)
{
	static pid_t pids[] = { 1631, 1645 };

	answer_pids = (struct pid_list){ pids, 2 };
	check_output("hull-oci ps --format json ID", 0, "[1631,1645]\n");
}

Test(cli_commands, ps_json_of_nothing)
{
	check_output("hull-oci ps --format json ID", 0, "null\n");
}

Test(cli_commands, ps_table)
{
	pid_t pids[] = { getpid() };
	char expected[64];

	snprintf(expected, sizeof(expected), "      PID\n%9d\n", getpid());
	answer_pids = (struct pid_list){ pids, 1 };
	check_output("hull-oci ps ID -e -o pid:9", 0, expected);
}

Test(cli_commands, ps_table_of_what_the_host_does_not_see)
{
	struct err e = { 0 };

	answer_processes = "PID\n1\n";
	check_output("hull-oci ps ID", 0, "PID\n1\n");
	cr_expect_eq(run_line("hull-oci ps ID -o pid", &e), -ENOTSUP);
	cr_expect_str_eq(e.msg, "-o: the host's ps can't see the processes of container ID, which "
				"are a microVM's");
}

Test(cli_commands, version)
{
	FILE *out;
	char line[64] = { 0 };

	cr_redirect_stdout();
	cr_assert_eq(run_line("hull-oci --version", NULL), 0);
	fflush(stdout);
	out = cr_get_redirected_stdout();
	cr_assert_not_null(fgets(line, sizeof(line), out));
	cr_expect_eq(strncmp(line, "hull version ", 13), 0, "%s", line);
	cr_assert_not_null(fgets(line, sizeof(line), out));
	cr_expect_eq(strncmp(line, "commit: ", 8), 0, "%s", line);
	cr_assert_not_null(fgets(line, sizeof(line), out));
	cr_expect_str_eq(line, "spec: 1.3.0\n");
	cr_assert_not_null(fgets(line, sizeof(line), out));
	cr_expect_eq(strncmp(line, "libseccomp: ", 12), 0, "%s", line);
	buf_done(&asked);
}

/* What engines look for (docs/clients). */
Test(cli_commands, features)
{
	static const char *const present[] = {
		"ociVersionMin",
		"ociVersionMax",
		"hooks[5]",
		"mountOptions[0]",
		"linux.namespaces[7]",
		"linux.capabilities[40]",
		"linux.cgroup.v2",
		"linux.seccomp.actions[0]",
		"linux.seccomp.operators[0]",
		"linux.seccomp.archs[0]",
		"linux.seccomp.supportedFlags[0]",
		"linux.intelRdt.schemata",
		"linux.intelRdt.monitoring",
		"linux.memoryPolicy.modes[6]",
		"linux.memoryPolicy.flags[2]",
		"linux.netDevices.enabled",
		"linux.mountExtensions.idmap.enabled",
		"potentiallyUnsafeConfigAnnotations",
		"annotations",
	};
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 };
	auto_json struct json_doc doc = { .name = "features" };
	struct err e = { 0 };
	int c;

	cr_redirect_stdout();
	cr_assert_eq(run_line("hull-oci features", NULL), 0);
	fflush(stdout);
	for (FILE *out = cr_get_redirected_stdout(); (c = getc(out)) != EOF;)
		buf_char(&text, (char)c);
	doc.text = text.text;
	doc.size = text.len;
	cr_assert_eq(json_parse(&doc, &a, &e), 0, "%s", e.msg);
	for (size_t i = 0; i < ARRAY_LEN(present); i++) {
		const struct json *found = json_find(doc.root, "%s", present[i]);
		const char *dot = strrchr(present[i], '.');
		const char *key = dot ? dot + 1 : present[i];

		cr_expect(found->key ? strcmp(found->key, key) == 0 : strchr(key, '[') != NULL,
			  "%s is missing", present[i]);
	}
	buf_done(&asked);
}

Test(cli_commands, spec)
{
	static const char *const lines[] = { "hull spec -b .", "hull spec --rootless" };
	char dir[] = "/tmp/test_cli_XXXXXX";

	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		auto_buf struct buf text = { 0 };
		auto_spec struct spec spec = { 0 };
		struct err e = { 0 };

		cr_assert_eq(run_line(lines[i], &e), 0, "%s", e.msg);
		cr_assert_eq(io_read_file(AT_FDCWD, "config.json", 1 << 20, "config.json", &text,
					  &e),
			     0, "%s", e.msg);
		cr_expect_eq(spec_parse(&spec, "config.json", text.text, text.len, &e), 0, "%s",
			     e.msg);
		cr_expect_eq(text.text[text.len - 1], '\n');
		cr_expect_eq(run_line(lines[i], &e), -EEXIST);
		cr_expect_str_eq(e.msg, "File config.json exists. Remove it first");
		unlink("config.json");
	}
	rmdir(dir);
	buf_done(&asked);
}
