/* The filters of `hull ps`. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "cli/ps_filter.h"

/* Two labels, two volumes, one network and two ports. */
static struct ps_entry entry(void)
{
	static struct spec_pair labels[] = { { "team", "blue" }, { "tier", "web" } };
	static struct mounted mounts[] = { { "data", "/var/lib/hull/volumes/data/_data", "/data" },
					   { NULL, "/srv/www", "/www" } };
	static const char *networks[] = { "front" };
	static const char *published[] = { "8080:80", "127.0.0.1:9000-9009:9000-9009/udp" };
	struct ps_entry e = { .place = 1,
			      .networks = { networks, 1 },
			      .mounts = { mounts, ARRAY_LEN(mounts) },
			      .view = { .id = "abcdef", .state = STATE_RUNNING } };

	e.view.record.name = "web1";
	e.view.record.image = "hull/busybox";
	e.view.record.image_id = "sha256:12";
	e.view.record.labels.at = labels;
	e.view.record.labels.n = ARRAY_LEN(labels);
	e.view.record.published = (struct strings){ published, ARRAY_LEN(published) };
	e.view.record.restart = RESTART_UNLESS_STOPPED;
	e.view.health.status = HEALTH_HEALTHY;
	return e;
}

static int read_filters(const char *const *texts, struct arena *a, struct filters *ret,
			struct err *e)
{
	struct strings list = { arena_array(a, 8, sizeof(char *)), 0 };
	const struct ps_filter_facts facts = { 0 };

	while (texts[list.n])
		list.at[list.n] = texts[list.n], list.n++;
	return filters_read(&ps_filters, &list, &facts, a, ret, e);
}

Test(cli_ps_filter, match)
{
	static const struct {
		const char *texts[4];
		bool yes;
	} rows[] = {
		{ { NULL }, true },
		{ { "name=web" }, true },
		{ { "name=^web1$" }, true },
		{ { "name=^/web1$" }, true },
		{ { "name=^web$" }, false },
		{ { "id=abc" }, true },
		{ { "id=bc" }, false },
		{ { "status=running" }, true },
		{ { "status=exited" }, false },
		{ { "exited=0" }, false },
		{ { "health=healthy" }, true },
		{ { "health=none" }, false },
		{ { "ancestor=hull/busybox" }, true },
		{ { "ancestor=other" }, false },
		{ { "label=team" }, true },
		{ { "label=team=blue" }, true },
		{ { "label=team=red" }, false },
		{ { "label=te" }, false },
		{ { "network=front" }, true },
		{ { "network=back" }, false },
		{ { "volume=data" }, true },
		{ { "volume=/data" }, true },
		{ { "volume=/srv/www" }, true },
		{ { "volume=other" }, false },
		{ { "publish=80" }, true },
		{ { "publish=80/udp" }, false },
		{ { "publish=8080" }, false },
		{ { "publish=9005/udp" }, true },
		{ { "publish=9009-9020/udp" }, true },
		{ { "publish=9010-9020/udp" }, false },
		{ { "restart-policy=always" }, false },
		{ { "restart-policy=unless-stopped" }, true },
		{ { "restart-policy=no", "restart-policy=unless-stopped" }, true },
		/* alternatives of a key, all of the keys */
		{ { "name=other", "name=web" }, true },
		{ { "status=exited", "status=running", "name=web" }, true },
		{ { "status=exited", "status=running", "name=other" }, false },
		{ { "network=back", "network=front" }, true },
		{ { "label=team=blue", "label=tier=web" }, true },
		{ { "label=team=blue", "label=tier=db" }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct ps_entry one = entry();
		struct filters filters;
		struct err e = { 0 };

		cr_assert_eq(read_filters(rows[i].texts, &a, &filters, &e), 0, "%s", e.msg);
		cr_expect_eq(filters_match(&filters, &one), rows[i].yes, "row %zu: %s", i,
			     rows[i].texts[0]);
	}
}

Test(cli_ps_filter, what_starts_on_boot)
{
	static const struct {
		int policy;
		bool stopped, starts;
	} rows[] = {
		{ RESTART_NO, false, false },		 { RESTART_ON_FAILURE, false, false },
		{ RESTART_ALWAYS, false, true },	 { RESTART_ALWAYS, true, true },
		{ RESTART_UNLESS_STOPPED, false, true }, { RESTART_UNLESS_STOPPED, true, false },
	};
	static const char *const yes[] = { "should-start-on-boot=true", NULL };
	static const char *const no[] = { "should-start-on-boot=false", NULL };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct ps_entry one = entry();
		struct filters filters;
		struct err e = { 0 };

		one.view.record.restart = rows[i].policy;
		one.view.status.stopped = rows[i].stopped;
		cr_assert_eq(read_filters(yes, &a, &filters, &e), 0, "%s", e.msg);
		cr_expect_eq(filters_match(&filters, &one), rows[i].starts, "row %zu", i);
		cr_assert_eq(read_filters(no, &a, &filters, &e), 0, "%s", e.msg);
		cr_expect_eq(filters_match(&filters, &one), !rows[i].starts, "row %zu", i);
	}
}

Test(cli_ps_filter, of_what)
{
	static const struct {
		const char *texts[3];
		unsigned needs;
	} rows[] = {
		{ { "name=x" }, 0 },
		{ { "status=exited" }, PS_STOPPED },
		{ { "exited=0" }, PS_STOPPED },
		{ { "volume=x" }, PS_MOUNTS },
		{ { "network=x", "name=x" }, PS_NETWORKS },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct filters filters;
		struct err e = { 0 };

		cr_assert_eq(read_filters(rows[i].texts, &a, &filters, &e), 0, "%s", e.msg);
		cr_expect_eq(filters.needs, rows[i].needs, "%s", rows[i].texts[0]);
	}
}

Test(cli_ps_filter, wrong)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "nothing=1", "expected name=, id=, status=, exited=, ancestor=, before=, since=, "
			       "health=, label=, network=, volume=, publish=, "
			       "restart-policy= or should-start-on-boot=" },
		{ "name", "expected name=, id=, status=, exited=, ancestor=, before=, since=, "
			  "health=, label=, network=, volume=, publish=, restart-policy= or "
			  "should-start-on-boot=" },
		{ "name=(", "it is no regular expression" },
		{ "status=up", "expected created, running, paused, exited or checkpointed" },
		{ "exited=256", "expected a status from 0 to 255" },
		{ "health=ill", "expected starting, healthy, unhealthy or none" },
		{ "restart-policy=never", "expected no, on-failure, always or unless-stopped" },
		{ "should-start-on-boot=yes", "expected true or false" },
		{ "publish=80:80", "expected a port of the container, as 80, 80/udp or 8000-8010" },
		{ "publish=http", "expected a port of the container, as 80, 80/udp or 8000-8010" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct filters filters;
		struct err e = { 0 };
		const char *texts[] = { rows[i].text, NULL };
		const char *expected =
			arena_printf(&a, "--filter %s: %s", rows[i].text, rows[i].message);

		cr_expect_eq(read_filters(texts, &a, &filters, &e), -EINVAL);
		cr_expect_str_eq(e.msg, expected, "%s", e.msg);
	}
}
