#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

#include "engine/attach.h"
#include "engine/expose.h"
#include "engine/mountwish.h"
#include "engine/wish.h"

static void join(const struct strings *list, struct buf *ret)
{
	buf_str(ret, "");
	for (size_t i = 0; i < list->n; i++)
		buf_printf(ret, "%s%s", i ? "," : "", list->at[i]);
}

Test(wish, volumes)
{
	static const struct {
		const char *text;
		int kind;
		const char *source, *target, *options;
		bool readonly;
	} rows[] = {
		{ "/a:/b", WISH_BIND, "/a", "/b", "", false },
		{ "/a:/b:ro", WISH_BIND, "/a", "/b", "", true },
		{ "./a:/b", WISH_BIND, "/cwd/./a", "/b", "", false },
		{ "data:/b:rw,z,nocopy", WISH_VOLUME, "data", "/b", "", false },
		{ "/a:/b:cached,nosuid", WISH_BIND, "/a", "/b", "nosuid", false },
		{ "/b", WISH_VOLUME, NULL, "/b", "", false },
		{ "/a:/b:ro,rshared,nodev", WISH_BIND, "/a", "/b", "rshared,nodev", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf options = { 0 };
		struct mount_wish m;
		struct err e = { 0 };

		cr_assert_eq(wish_volume(rows[i].text, "/cwd", &a, &m, &e), 0, "%s: %s",
			     rows[i].text, e.msg);
		cr_expect_eq((int)m.kind, rows[i].kind, "%s", rows[i].text);
		if (rows[i].source)
			cr_expect_str_eq(m.source, rows[i].source, "%s", rows[i].text);
		else
			cr_expect_null(m.source, "%s", rows[i].text);
		cr_expect_str_eq(m.target, rows[i].target, "%s", rows[i].text);
		cr_expect_eq(m.readonly, rows[i].readonly, "%s", rows[i].text);
		join(&m.options, &options);
		cr_expect_str_eq(options.text, rows[i].options, "%s", rows[i].text);
	}
}

Test(wish, wrong_volumes)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "/a:b", "--volume \"/a:b\": the path in the container has to be absolute" },
		{ "a/b:/c",
		  "--volume \"a/b:/c\": \"a/b\" is neither a path (begin it with / or ./) nor "
		  "a volume's name" },
		{ "/a:/", "--volume \"/a:/\": nothing can be mounted on /" },
		{ "~/a:/b", "--volume \"~/a:/b\": the shell did not replace the \"~\"" },
		{ "/a:/b:r0", "--volume \"/a:/b:r0\": there is no option \"r0\"" },
		{ "/a:/b:nocopy", "--volume \"/a:/b:nocopy\": there is no option \"nocopy\"" },
		{ "a:/b:ro,sync", "--volume \"a:/b:ro,sync\": there is no option \"sync\"" },
		{ "", "--volume \"\": the path in the container has to be absolute" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct mount_wish m;
		struct err e = { 0 };

		cr_expect_eq(wish_volume(rows[i].text, "/cwd", &a, &m, &e), -EINVAL);
		cr_expect_str_eq(e.msg, rows[i].message);
	}
}

Test(wish, mounts)
{
	static const struct {
		const char *text, *message; /* NULL: it is right */
	} rows[] = {
		{ "type=bind,source=/a,target=/b", NULL },
		{ "type=bind,src=/a,dst=/b,readonly", NULL },
		{ "type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1777", NULL },
		{ "source=data,target=/d", NULL },
		{ "type=volume,target=/d", NULL },
		{ "dst=/t,tmpfs-size=64MB,type=tmpfs,rw", NULL },
		{ "type=bind,src=/a,dst=/b,bind-recursive=disabled,bind-propagation=rslave", NULL },
		{ "type=bind,src=/a,dst=/b,bind-nonrecursive,consistency=delegated", NULL },
		{ "type=volume,dst=/d,volume-nocopy=true", NULL },
		{ "type=tmpfs,dst=/t,tmpfs-size=0",
		  "--mount \"type=tmpfs,dst=/t,tmpfs-size=0\": tmpfs-size is a number of bytes, as "
		  "64m" },
		{ "type=tmpfs,dst=/t,tmpfs-mode=10000",
		  "--mount \"type=tmpfs,dst=/t,tmpfs-mode=10000\": tmpfs-mode is an octal number "
		  "up "
		  "to 7777" },
		{ "type=bind,src=/a,dst=/b,bind-recursive=x",
		  "--mount \"type=bind,src=/a,dst=/b,bind-recursive=x\": bind-recursive is "
		  "enabled, "
		  "disabled, writable or readonly" },
		{ "type=bind,src=/a,dst=/b,bind-propagation",
		  "--mount \"type=bind,src=/a,dst=/b,bind-propagation\": bind-propagation is "
		  "private, "
		  "rprivate, shared, rshared, slave or rslave" },
		{ "volume-nocopy,type=bind,src=/a,dst=/b",
		  "--mount \"volume-nocopy,type=bind,src=/a,dst=/b\": a bind has no "
		  "volume-nocopy" },
		{ "type=bind,target=/b",
		  "--mount \"type=bind,target=/b\": a bind needs source=PATH, "
		  "absolute" },
		{ "type=tape,target=/b", "--mount \"type=tape,target=/b\": type is bind, volume or "
					 "tmpfs" },
		{ "type=bind,src=/a", "--mount \"type=bind,src=/a\": no target" },
		{ "type=tmpfs,src=/a,dst=/b",
		  "--mount \"type=tmpfs,src=/a,dst=/b\": a tmpfs has no src" },
		{ "colour=red,dst=/b", "--mount \"colour=red,dst=/b\": unknown key \"colour\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct mount_wish m;
		struct err e = { 0 };
		int r = wish_mount(rows[i].text, "/cwd", &a, &m, &e);

		cr_expect_eq(r, rows[i].message ? -EINVAL : 0, "%s: %s", rows[i].text, e.msg);
		if (rows[i].message)
			cr_expect_str_eq(e.msg, rows[i].message);
	}
}

Test(wish, keys_that_leave_a_container)
{
	static const struct {
		const char *text, *keys; /* NULL: wrong */
		size_t n;
	} rows[] = {
		{ NULL, "\x10\x11", 2 },
		{ "", "", 0 },
		{ "a", "a", 1 },
		{ "ctrl-A,Z,CTRL-[", "\x01Z\x1b", 3 },
		{ "ctrl-@,ctrl-\\,ctrl-]", "\0\x1c\x1d", 3 },
		{ ",", NULL, 0 },
		{ "a,", NULL, 0 },
		{ "ab", NULL, 0 },
		{ "5", NULL, 0 },
		{ "ctrl-", NULL, 0 },
		{ "ctrl-1", NULL, 0 },
		{ "@", NULL, 0 },
		{ "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct attach_keys keys;
		struct err e = { 0 };
		int r = attach_keys_parse(rows[i].text, &keys, &e);

		cr_expect_eq(r, rows[i].keys ? 0 : -EINVAL, "%zu: %d", i, r);
		if (!rows[i].keys || r < 0)
			continue;
		cr_expect_eq(keys.n, rows[i].n, "%zu: %zu", i, keys.n);
		cr_expect_arr_eq(keys.at, rows[i].keys, rows[i].n, "%zu", i);
	}
}

Test(wish, device_rules)
{
	static const struct {
		const char *text;
		char type;
		int64_t major, minor;
		const char *access; /* NULL: wrong */
	} rows[] = {
		{ "c 1:3 rwm", 'c', 1, 3, "rwm" },
		{ "a *:* r", 'a', -1, -1, "r" },
		{ "b 8:* rw", 'b', 8, -1, "rw" },
		{ "c 4294967295:0 m", 'c', 4294967295, 0, "m" },
		{ "c 4294967296:0 m", 0, 0, 0, NULL },
		{ "", 0, 0, 0, NULL },
		{ "c", 0, 0, 0, NULL },
		{ "c 1:3", 0, 0, 0, NULL },
		{ "c  1:3 r", 0, 0, 0, NULL },
		{ "cc 1:3 r", 0, 0, 0, NULL },
		{ "x 1:3 r", 0, 0, 0, NULL },
		{ "c 1 r", 0, 0, 0, NULL },
		{ "c :3 r", 0, 0, 0, NULL },
		{ "c -1:3 r", 0, 0, 0, NULL },
		{ "c 1:3:4 r", 0, 0, 0, NULL },
		{ "c 1:3 x", 0, 0, 0, NULL },
		{ "c 1:3 r w", 0, 0, 0, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct device_rule rule;
		struct err e = { 0 };
		int r = wish_device_rule(rows[i].text, &a, &rule, &e);

		cr_expect_eq(r, rows[i].access ? 0 : -EINVAL, "%s", rows[i].text);
		if (!rows[i].access)
			continue;
		cr_expect_eq(rule.type, rows[i].type, "%s", rows[i].text);
		cr_expect_eq(rule.major, rows[i].major, "%s", rows[i].text);
		cr_expect_eq(rule.minor, rows[i].minor, "%s", rows[i].text);
		cr_expect_str_eq(rule.access, rows[i].access);
	}
}

static void ports_are(const char *image, const char *exposed, const char *published, bool all,
		      const char *want_exposed, const char *want_published)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf is_exposed = { 0 }, is_published = { 0 };
	struct image_set_member member = { image };
	const struct image_set set = { &member, image ? 1 : 0 };
	const struct strings expose = { &exposed, exposed ? 1 : 0 },
			     publish = { &published, published ? 1 : 0 };
	const struct expose_wish w = { &set, &expose, &publish, all };
	struct strings got = { 0 }, ports = { 0 };
	struct err e = { 0 };

	cr_assert_eq(expose_plan(&w, &a, &got, &ports, &e), 0, "%s", e.msg);
	join(&got, &is_exposed);
	join(&ports, &is_published);
	cr_expect_str_eq(is_exposed.text, want_exposed);
	cr_expect_str_eq(is_published.text, want_published);
}

Test(wish, exposed_ports)
{
	static const char wrong[] = "eighty";
	struct image_set_member member = { wrong };
	const struct image_set set = { &member, 1 };
	const struct strings none = { 0 };
	struct expose_wish w = { &set, &none, &none, true };
	auto_arena struct arena a = { 0 };
	struct strings got = { 0 }, ports = { 0 };
	struct err e = { 0 };

	ports_are(NULL, NULL, NULL, true, "", "");
	ports_are("80", "80/tcp", NULL, false, "80/tcp", "");
	ports_are("80/udp", "80", "8080:80", true, "80/udp,80/tcp", "8080:80,80/udp");
	ports_are(NULL, "80-82", "8080-8081:79-80", true, "80-82/tcp",
		  "8080-8081:79-80,81/tcp,82/tcp");
	ports_are("eighty", NULL, NULL, false, "", "");
	cr_expect_eq(expose_plan(&w, &a, &got, &ports, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "--publish-all: the image exposes \"eighty\", which is no port");
}

Test(wish, ulimits)
{
	static const struct {
		const char *text;
		int resource;
		uint64_t soft, hard;
	} rows[] = {
		{ "nofile=10:20", RLIMIT_NOFILE, 10, 20 },
		{ "nofile=10", RLIMIT_NOFILE, 10, 10 },
		{ "core=-1", RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY },
		{ "nproc=5:unlimited", RLIMIT_NPROC, 5, RLIM_INFINITY },
	};
	static const char *const wrong[] = { "nofile", "nofile=",   "nofile=x", "nofile=5:1",
					     "nix=1",  "nofile=-2", "=1",       "nofile=1:2:3" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec_rlimit l;
		struct err e = { 0 };

		cr_expect_eq(wish_ulimit(rows[i].text, &l, &e), 0, "%s: %s", rows[i].text, e.msg);
		cr_expect_eq(l.resource, rows[i].resource);
		cr_expect_eq(l.soft, rows[i].soft);
		cr_expect_eq(l.hard, rows[i].hard);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct spec_rlimit l;
		struct err e = { 0 };

		cr_expect_eq(wish_ulimit(wrong[i], &l, &e), -EINVAL, "%s", wrong[i]);
	}
}

Test(wish, cpus_and_restart)
{
	static const struct {
		const char *text;
		int64_t quota;
	} cpus[] = { { "1", 100000 }, { "1.5", 150000 }, { ".5", 50000 }, { "0.01", 1000 } };
	static const char *const no_cpus[] = { "", "0", "x", "1x", "-1", "nan", "inf", "1e9" };
	static const struct {
		const char *text;
		int policy;
		uint32_t max;
	} restarts[] = { { "no", RESTART_NO, 0 },
			 { "always", RESTART_ALWAYS, 0 },
			 { "unless-stopped", RESTART_UNLESS_STOPPED, 0 },
			 { "on-failure", RESTART_ON_FAILURE, 0 },
			 { "on-failure:3", RESTART_ON_FAILURE, 3 } };
	static const char *const no_restarts[] = { "", "never", "always:3", "on-failure:x",
						   "on-failure:99999999999" };
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cpus); i++) {
		int64_t quota;
		uint64_t period;

		cr_expect_eq(wish_cpus(cpus[i].text, &quota, &period, &e), 0, "%s", e.msg);
		cr_expect_eq(quota, cpus[i].quota);
		cr_expect_eq(period, 100000);
	}
	for (size_t i = 0; i < ARRAY_LEN(no_cpus); i++) {
		int64_t quota;
		uint64_t period;

		cr_expect_eq(wish_cpus(no_cpus[i], &quota, &period, &e), -EINVAL, "%s", no_cpus[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(restarts); i++) {
		uint32_t max;
		int policy;

		cr_expect_eq(wish_restart(restarts[i].text, &policy, &max, &e), 0, "%s", e.msg);
		cr_expect_eq(policy, restarts[i].policy);
		cr_expect_eq(max, restarts[i].max);
	}
	for (size_t i = 0; i < ARRAY_LEN(no_restarts); i++) {
		uint32_t max;
		int policy;

		cr_expect_eq(wish_restart(no_restarts[i], &policy, &max, &e), -EINVAL, "%s",
			     no_restarts[i]);
	}
}

static struct strings words(const char **at, size_t n)
{
	return (struct strings){ at, n };
}

Test(wish, capabilities)
{
	const char *all[] = { "ALL" }, *chown[] = { "chown" }, *admin[] = { "CAP_SYS_ADMIN" };
	const char *wrong[] = { "nothing" };
	const struct {
		struct wish wish;
		size_t n;
		const char *first;
	} rows[] = {
		{ { 0 }, 11, "CAP_CHOWN" },
		{ { .cap_drop = words(all, 1) }, 0, NULL },
		{ { .cap_drop = words(all, 1), .cap_add = words(chown, 1) }, 1, "CAP_CHOWN" },
		{ { .cap_drop = words(chown, 1) }, 10, "CAP_DAC_OVERRIDE" },
		{ { .cap_add = words(admin, 1) }, 12, "CAP_CHOWN" },
		{ { .privileged = true }, 41, "CAP_CHOWN" },
		{ { .cap_add = words(all, 1), .cap_drop = words(chown, 1) },
		  40,
		  "CAP_DAC_OVERRIDE" },
	};
	const struct wish no = { .cap_add = words(wrong, 1) };
	auto_arena struct arena a = { 0 };
	struct strings caps;
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(wish_capabilities(&rows[i].wish, &a, &caps, &e), 0, "%s", e.msg);
		cr_expect_eq(caps.n, rows[i].n, "row %zu: %zu", i, caps.n);
		if (rows[i].first)
			cr_expect_str_eq(caps.at[0], rows[i].first);
	}
	cr_expect_eq(wish_capabilities(&no, &a, &caps, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "--cap-add \"nothing\": there is no such capability");
}

Test(wish, env_files)
{
	static const char text[] = "# remark\nA=1\n  B=two words\r\n\nC\nD=";
	static const char wrong[] = "A=1\nbad name=2\n";
	auto_arena struct arena a = { 0 };
	auto_buf struct buf got = { 0 };
	const char *room[16];
	struct strings list = { room, 0 };
	struct err e = { 0 };

	cr_assert_geq(wish_env_file_lines(text, sizeof(text) - 1), 4);
	cr_assert_eq(wish_env_file("--env-file", "f", text, sizeof(text) - 1, &a, &list, &e), 0,
		     "%s", e.msg);
	join(&list, &got);
	cr_expect_str_eq(got.text, "A=1,B=two words,C,D=");
	list.n = 0;
	cr_expect_eq(wish_env_file("--env-file", "f", wrong, sizeof(wrong) - 1, &a, &list, &e),
		     -EINVAL);
	cr_expect_str_eq(e.msg, "--env-file f, line 2: expected NAME=VALUE, found \"bad name=2\"");
}

Test(wish, entrypoints_and_devices)
{
	static const struct {
		const char *text, *words; /* NULL: wrong */
	} rows[] = { { "sh", "sh" }, { "", "" },      { "[\"a\",\"b c\"]", "a,b c" },
		     { "[]", "" },   { "[1]", NULL }, { "[\"a\"", NULL } };
	static const struct {
		const char *text, *source, *target, *access; /* NULL: wrong */
	} devices[] = {
		{ "/dev/fuse", "/dev/fuse", "/dev/fuse", "rwm" },
		{ "/dev/fuse:r", "/dev/fuse", "/dev/fuse", "r" },
		{ "/dev/fuse:/dev/x", "/dev/fuse", "/dev/x", "rwm" },
		{ "/dev/fuse:/dev/x:rw", "/dev/fuse", "/dev/x", "rw" },
		{ "fuse", NULL, NULL, NULL },
		{ "/dev/fuse:/dev/x:rx", NULL, NULL, NULL },
		{ "/dev/fuse:dev", NULL, NULL, NULL },
	};
	auto_arena struct arena a = { 0 };
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf got = { 0 };
		struct strings list = { 0 };
		int r = wish_words("--entrypoint", rows[i].text, &a, &list, &e);

		cr_expect_eq(r, rows[i].words ? 0 : -EINVAL, "%s: %d", rows[i].text, r);
		join(&list, &got);
		if (rows[i].words)
			cr_expect_str_eq(got.text, rows[i].words);
	}
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		struct device_wish d;
		int r = wish_device(devices[i].text, &a, &d, &e);

		cr_expect_eq(r, devices[i].source ? 0 : -EINVAL, "%s", devices[i].text);
		if (r < 0)
			continue;
		cr_expect_str_eq(d.source, devices[i].source);
		cr_expect_str_eq(d.target, devices[i].target);
		cr_expect_str_eq(d.access, devices[i].access);
	}
}

Test(wish, security)
{
	const char *right[] = { "no-new-privileges", "seccomp=unconfined", "unmask=ALL" };
	const char *file[] = { "seccomp=/etc/profile.json", "no-new-privileges=false" };
	const char *wrong[] = { "anything" };
	const struct wish a = { .security_opt = words(right, 3) };
	const struct wish b = { .security_opt = words(file, 2) };
	const struct wish c = { .security_opt = words(wrong, 1) };
	struct security_wish s;
	struct err e = { 0 };

	cr_assert_eq(wish_security(&a, &s, &e), 0, "%s", e.msg);
	cr_expect(s.no_new_privileges && s.no_seccomp && s.unmask);
	cr_assert_eq(wish_security(&b, &s, &e), 0, "%s", e.msg);
	cr_expect(!s.no_new_privileges && !s.no_seccomp && !s.unmask);
	cr_expect_str_eq(s.seccomp_file, "/etc/profile.json");
	cr_expect_eq(wish_security(&c, &s, &e), -EINVAL);
}
