/* From an image's configuration and the user's wishes to what a container is made of. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "image/config_bundle.h"

#define PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int make(const char *run, const struct image_overrides *wishes, struct arena *a,
		struct bundle *ret, struct err *e)
{
	static struct image_config c;
	auto_buf struct buf text = { 0 };

	buf_printf(
		&text,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{%s},\"rootfs\":{\"type\":"
		"\"layers\",\"diff_ids\":[]}}",
		run);
	image_config_done(&c);
	cr_assert_eq(image_config_parse(&c, "c", text.text, text.len, e), 0, "%s", e->msg);
	return bundle_make(&c, wishes, "tool", a, ret, e);
}

/* "a b c" as a list; NULL: an empty one. */
static struct strings words(const char *text, struct arena *a)
{
	struct strings list = { arena_array(a, 32, sizeof(char *)), 0 };
	char *copy = arena_strdup(a, text), *word;

	while (copy && (word = strsep(&copy, " ")) != NULL)
		list.at[list.n++] = word;
	return list;
}

static const char *join(const struct strings *list)
{
	static struct buf text;

	buf_clear(&text);
	buf_str(&text, "");
	for (size_t i = 0; i < list->n; i++)
		buf_printf(&text, "%s%s", i ? " " : "", list->at[i]);
	return text.text;
}

Test(image_bundle, what_is_run)
{
	static const struct {
		const char *run, *entrypoint, *args; /* entrypoint NULL: not given */
		const char *expected, *message;
	} rows[] = {
		{ "\"Cmd\":[\"sh\"]", NULL, NULL, "sh", NULL },
		{ "\"Cmd\":[\"sh\",\"-c\"]", NULL, "ls -l", "ls -l", NULL },
		{ "\"Entrypoint\":[\"/e\",\"x\"],\"Cmd\":[\"y\"]", NULL, NULL, "/e x y", NULL },
		{ "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"y\"]", NULL, "z", "/e z", NULL },
		{ "\"Entrypoint\":[\"/e\"]", NULL, NULL, "/e", NULL },
		{ "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"y\"]", "/f", NULL, "/f", NULL },
		{ "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"y\"]", "/f", "z", "/f z", NULL },
		{ "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"y\"]", "", "ls", "ls", NULL },
		{ "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"y\"]", "", NULL, NULL,
		  "image tool has no Entrypoint and no Cmd, and no command was given" },
		{ "", NULL, NULL, NULL, "image tool has no Entrypoint and no Cmd" },
		{ "\"Cmd\":[\"\"]", NULL, NULL, NULL,
		  "image tool: the name of the program to run is empty" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct image_overrides wishes = { .has_entrypoint = rows[i].entrypoint != NULL };
		struct bundle b;
		struct err e = { 0 };
		int r;

		wishes.entrypoint = words(rows[i].entrypoint, &a);
		wishes.args = words(rows[i].args, &a);
		r = make(rows[i].run, &wishes, &a, &b, &e);
		cr_expect_eq(r, rows[i].message ? -EINVAL : 0, "row %zu: %s", i, e.msg);
		if (r == 0)
			cr_expect_str_eq(join(&b.args), rows[i].expected, "row %zu", i);
		else
			cr_expect(strstr(e.msg, rows[i].message), "row %zu: %s", i, e.msg);
	}
}

Test(image_bundle, environment)
{
	static const char *const host[] = { "A=host", "NOVALUE", "LANG=C", NULL };
	static const struct {
		const char *env, *wishes, *hostname;
		bool terminal;
		const char *expected, *message;
	} rows[] = {
		{ "", NULL, NULL, false, PATH, NULL },
		{ "\"PATH=/bin\"", NULL, NULL, false, "PATH=/bin", NULL },
		{ "\"A=1\",\"B=2\"", NULL, NULL, false, PATH " A=1 B=2", NULL },
		{ "\"A=1\",\"B=2\"", "A=3 C=4", NULL, false, PATH " A=3 B=2 C=4", NULL },
		{ "\"A=1\",\"A=2\"", NULL, NULL, false, PATH " A=2", NULL },
		{ "\"A=\"", NULL, NULL, false, PATH " A=", NULL },
		{ "\"A\"", NULL, NULL, false, PATH " A=", NULL },
		{ "\"AB=1\"", "A=2", NULL, false, PATH " AB=1 A=2", NULL },
		{ "\"A=b=c\"", NULL, NULL, false, PATH " A=b=c", NULL },
		{ "\"A=1\"", "A", NULL, false, PATH " A=host", NULL },
		{ "\"X=1\",\"B=1\"", "X", NULL, false, PATH " B=1", NULL },
		{ "", "NOVALUE LANG PATH", NULL, false, "LANG=C", NULL },
		{ "", NULL, "box", true, PATH " HOSTNAME=box TERM=xterm", NULL },
		{ "\"TERM=vt100\"", "HOSTNAME=x", "box", true, PATH " HOSTNAME=x TERM=vt100",
		  NULL },
		{ "\"=1\"", NULL, NULL, false, NULL,
		  "tool: the environment entry \"=1\" has no name" },
		{ "", "=1", NULL, false, NULL,
		  "the command line: the environment entry \"=1\" has no name" },
		{ "\"\"", NULL, NULL, false, NULL, "tool: the environment entry \"\" has no name" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct image_overrides wishes = { .host_env = host,
						  .hostname = rows[i].hostname,
						  .terminal = rows[i].terminal };
		auto_buf struct buf run = { 0 };
		struct bundle b;
		struct err e = { 0 };
		int r;

		buf_printf(&run, "\"Cmd\":[\"sh\"],\"Env\":[%s]", rows[i].env);
		wishes.env = words(rows[i].wishes, &a);
		r = make(run.text, &wishes, &a, &b, &e);
		cr_expect_eq(r, rows[i].message ? -EINVAL : 0, "row %zu: %s", i, e.msg);
		if (r == 0)
			cr_expect_str_eq(join(&b.env), rows[i].expected, "row %zu: %s", i,
					 join(&b.env));
		else
			cr_expect(strstr(e.msg, rows[i].message), "row %zu: %s", i, e.msg);
	}
}

Test(image_bundle, directory_and_volumes)
{
	static const struct {
		const char *dir, *wish, *volumes;
		const char *cwd, *expected, *message;
	} rows[] = {
		{ "", NULL, "", "/", "", NULL },
		{ "/srv", NULL, "", "/srv", "", NULL },
		{ "/srv", "/opt//x/./y/", "", "/opt/x/y", "", NULL },
		{ "/", NULL, "\"/a\":{},\"/b/c/\":{},\"//a\":{}", "/", "/a /b/c", NULL },
		{ "srv", NULL, "", NULL, NULL,
		  "tool: the working directory \"srv\" is not an absolute path" },
		{ "/srv", "x", "", NULL, NULL,
		  "the command line: the working directory \"x\" is not an absolute path" },
		{ "/a/../b", NULL, "", NULL, NULL, "\"/a/../b\" is not an absolute path" },
		{ "", NULL, "\"data\":{}", NULL, NULL,
		  "image tool: the volume \"data\" is not an absolute path below /" },
		{ "", NULL, "\"/\":{}", NULL, NULL, "the volume \"/\" is not" },
		{ "", NULL, "\"/a/../..\":{}", NULL, NULL, "the volume \"/a/../..\" is not" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct image_overrides wishes = { .working_dir = rows[i].wish };
		auto_buf struct buf run = { 0 }, volumes = { 0 };
		struct bundle b;
		struct err e = { 0 };
		int r;

		buf_printf(&run, "\"Cmd\":[\"sh\"],\"WorkingDir\":\"%s\",\"Volumes\":{%s}",
			   rows[i].dir, rows[i].volumes);
		r = make(run.text, &wishes, &a, &b, &e);
		cr_expect_eq(r, rows[i].message ? -EINVAL : 0, "row %zu: %s", i, e.msg);
		if (r < 0) {
			cr_expect(strstr(e.msg, rows[i].message), "row %zu: %s", i, e.msg);
			continue;
		}
		cr_expect_str_eq(b.cwd, rows[i].cwd);
		buf_str(&volumes, "");
		for (size_t k = 0; k < b.volumes.n; k++)
			buf_printf(&volumes, "%s%s", k ? " " : "", b.volumes.at[k].destination);
		cr_expect_str_eq(volumes.text, rows[i].expected);
	}
}

Test(image_bundle, signals)
{
	static const struct {
		const char *text;
		int number; /* 0: unknown */
	} rows[] = {
		{ "TERM", SIGTERM },
		{ "SIGTERM", SIGTERM },
		{ "sigterm", SIGTERM },
		{ "15", 15 },
		{ "SIGKILL", SIGKILL },
		{ "1", 1 },
		{ "64", 64 },
		{ "QUIT", SIGQUIT },
		{ "WINCH", SIGWINCH },
		{ "USR1", SIGUSR1 },
		{ "CHLD", SIGCHLD },
		{ "CLD", SIGCHLD },
		{ "IOT", SIGABRT },
		{ "IO", SIGIO },
		{ "SYS", SIGSYS },
		{ "0", 0 },
		{ "65", 0 },
		{ "-1", 0 },
		{ "", 0 },
		{ "SIG", 0 },
		{ "SIGSIGTERM", 0 },
		{ "TERMX", 0 },
		{ "15 ", 0 },
		{ "RTMIN+99", 0 },
		{ "RTMIN+", 0 },
		{ "RTMAX-99", 0 },
		{ "015x", 0 },
	};
	int n;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };

		n = 0;
		cr_expect_eq(bundle_signal(rows[i].text, &n, &e), rows[i].number ? 0 : -EINVAL,
			     "%s", rows[i].text);
		cr_expect_eq(n, rows[i].number, "%s", rows[i].text);
	}
	cr_expect(bundle_signal("SIGRTMIN+3", &n, NULL) == 0 && n == SIGRTMIN + 3);
	cr_expect(bundle_signal("RTMAX-1", &n, NULL) == 0 && n == SIGRTMAX - 1);
	cr_expect(bundle_signal("rtmin", &n, NULL) == 0 && n == SIGRTMIN);
}

Test(image_bundle, user_signal_healthcheck)
{
	struct image_overrides none = { .user = NULL },
			       some = { .user = "bob", .stop_signal = "INT" };
	auto_arena struct arena a = { 0 };
	struct bundle b;
	struct err e = { 0 };

	cr_assert_eq(make("\"Cmd\":[\"a\"]", &none, &a, &b, &e), 0, "%s", e.msg);
	cr_expect_str_eq(b.user, "");
	cr_expect_eq(b.stop_signal, SIGTERM);
	cr_expect_null(b.healthcheck);
	cr_assert_eq(make("\"Cmd\":[\"a\"],\"User\":\"www:data\",\"StopSignal\":\"SIGQUIT\","
			  "\"Healthcheck\":"
			  "{\"Test\":[\"CMD\",\"x\"]}",
			  &none, &a, &b, &e),
		     0, "%s", e.msg);
	cr_expect_str_eq(b.user, "www:data");
	cr_expect_eq(b.stop_signal, SIGQUIT);
	cr_expect_str_eq(b.healthcheck->test.at[1], "x");
	cr_assert_eq(make("\"Cmd\":[\"a\"],\"User\":\"www\",\"StopSignal\":\"9\",\"Healthcheck\":"
			  "{\"Test\":[\"NONE\"]}",
			  &some, &a, &b, &e),
		     0, "%s", e.msg);
	cr_expect_str_eq(b.user, "bob");
	cr_expect_eq(b.stop_signal, SIGINT);
	cr_expect_null(b.healthcheck);
	cr_assert_eq(make("\"Cmd\":[\"a\"],\"StopSignal\":\"SIGNOT\"", &none, &a, &b, &e), -EINVAL);
	cr_expect_str_eq(e.msg,
			 "image tool: the signal that stops it: signal \"SIGNOT\" is not known");
	some.stop_signal = "SIGNEVER";
	cr_assert_eq(make("\"Cmd\":[\"a\"],\"StopSignal\":\"SIGNOT\"", &some, &a, &b, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "--stop-signal: signal \"SIGNEVER\" is not known");
	some.stop_signal = "INT";
	cr_assert_eq(make("\"Cmd\":[\"a\"],\"StopSignal\":\"SIGNOT\"", &some, &a, &b, &e), 0);
}

static const char *pairs(const struct spec_pairs *p)
{
	static struct buf text;

	buf_clear(&text);
	buf_str(&text, "");
	for (size_t i = 0; i < p->n; i++)
		buf_printf(&text, "%s%s=%s", i ? " " : "", p->at[i].key, p->at[i].value);
	return text.text;
}

#define IMAGE "org.opencontainers.image."

/* An image says nothing to the runtime (CVE-2026-53488); a user does, even by a label. */
Test(image_bundle, labels_that_are_control)
{
	struct spec_pair labels[] = { { "org.systemd.property.TasksMax", "7" } };
	struct image_overrides wishes = { .labels = { labels, 1 } };
	auto_arena struct arena a = { 0 };
	struct bundle b;
	struct err e = { 0 };

	cr_assert_eq(make("\"Cmd\":[\"a\"],\"Labels\":{\"org.systemd.property.ExecStart\":\"x\","
			  "\"run.oci.handler\":\"x\",\"org.criu.config\":\"x\",\"hull.vm\":\"x\","
			  "\"run.hull.isolation\":\"process\",\"cdi.k8s.io/"
			  "x\":\"x\",\"hullabaloo\":\"x\"}",
			  &wishes, &a, &b, &e),
		     0, "%s", e.msg);
	cr_expect_eq(b.labels.n, 8);
	cr_expect_str_eq(pairs(&b.annotations),
			 IMAGE "os=linux " IMAGE "architecture=amd64 hullabaloo=x "
			       "org.systemd.property.TasksMax=7",
			 "%s", pairs(&b.annotations));
}

Test(image_bundle, annotations_and_labels)
{
	struct spec_pair labels[] = { { "l", "user" }, { "m", "user" } };
	struct spec_pair annotations[] = { { "m", "annotated" } };
	struct image_overrides wishes = { .labels = { labels, 2 },
					  .annotations = { annotations, 1 } };
	auto_arena struct arena a = { 0 };
	struct bundle b;
	struct err e = { 0 };

	cr_assert_eq(make("\"Cmd\":[\"a\"],\"StopSignal\":\"9\",\"ExposedPorts\":{\"80/"
			  "tcp\":{},\"53/udp\":{}},"
			  "\"Labels\":{\"l\":\"image\",\"" IMAGE "os\":\"explicit\"}",
			  &wishes, &a, &b, &e),
		     0, "%s", e.msg);
	cr_expect_str_eq(pairs(&b.labels), "l=user " IMAGE "os=explicit m=user");
	cr_expect_str_eq(pairs(&b.annotations),
			 IMAGE "os=explicit " IMAGE "architecture=amd64 " IMAGE
			       "stopSignal=9 " IMAGE
			       "exposedPorts=80/tcp,53/udp l=user m=annotated",
			 "%s", pairs(&b.annotations));
}
