/* Points in time, and what of the events is shown. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "cli/events_filter.h"
#include "cli/when.h"
#include "engine/happened.h"

Test(cli_events, points_in_time)
{
	static const int64_t now = 1769860800 * (int64_t)1000000000;
	static const struct {
		const char *text, *when; /* NULL: it is none */
	} rows[] = {
		{ "0s", "2026-01-31T12:00:00.000000000Z" },
		{ "1h30m", "2026-01-31T10:30:00.000000000Z" },
		{ "250ms", "2026-01-31T11:59:59.750000000Z" },
		{ "9999999h", "1970-01-01T00:00:00.000000000Z" },
		{ "0", "1970-01-01T00:00:00.000000000Z" },
		{ "1769860801.5", "2026-01-31T12:00:01.500000000Z" },
		{ "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000000Z" },
		{ "2026-01-31T12:00:00", "2026-01-31T12:00:00.000000000Z" },
		{ "2026-01-31T12:00:00.123456789123Z", "2026-01-31T12:00:00.123456789Z" },
		{ "2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000000000Z" },
		{ "2026-01-31T12:00:00.5-01:30", "2026-01-31T13:30:00.500000000Z" },
		{ "", NULL },
		{ "yesterday", NULL },
		{ "10 m", NULL },
		{ "1.", NULL },
		{ "99999999999999999999", NULL },
		{ "9223372036", NULL },
		{ "1969-12-31T23:59:59Z", NULL },
		{ "1970-01-01T00:00:00+01:00", NULL },
		{ "2300-01-01T00:00:00Z", NULL },
		{ "2026-01-31", NULL },
		{ "2026-01-31T12:00:00x", NULL },
		{ "2026-01-31T12:00:00.Z", NULL },
		{ "2026-01-31T12:00:00+2:00", NULL },
		{ "2026-01-31T12:00:00+24:00", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct err e = { 0 };
		int64_t when = -1;
		int r = when_parse("--since", rows[i].text, now, &when, &e);

		cr_expect_eq(r, rows[i].when ? 0 : -EINVAL, "%s", rows[i].text);
		if (rows[i].when)
			cr_expect_str_eq(when_text(when, &a), rows[i].when, "%s", rows[i].text);
		else
			cr_expect_str_eq(e.msg,
					 arena_printf(&a,
						      "--since \"%s\": expected "
						      "2026-01-31T12:00:00Z, or a span like 10m",
						      rows[i].text));
	}
}

/* Labels that are called as what there is already are not said twice, which would be no JSON. */
static void write_event(struct buf *ret)
{
	static struct spec_pair labels[] = { { "team", "blue" },
					     { "name", "x" },
					     { "exitCode", "9" } };
	struct spec_pair code = { "exitCode", "3" };
	struct record r = { .id = "abc", .name = "web", .image = "hull/busybox" };

	r.labels.at = labels;
	r.labels.n = ARRAY_LEN(labels);
	happened_write(&r, "die", &(struct spec_pairs){ &code, 1 }, 1769860800500000000, ret);
}

Test(cli_events, line)
{
	auto_buf struct buf b = { 0 };

	write_event(&b);
	cr_expect_str_eq(b.text,
			 "\n{\"status\":\"die\",\"id\":\"abc\",\"from\":\"hull/busybox\","
			 "\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"abc\","
			 "\"Attributes\":{\"exitCode\":\"3\",\"image\":\"hull/busybox\","
			 "\"team\":\"blue\",\"name\":\"web\"}},\"scope\":\"local\","
			 "\"time\":1769860800,\"timeNano\":1769860800500000000}\n");
}

static void write_other(const char *type, struct buf *ret)
{
	static struct spec_pair pairs[] = { { "name", "tool:1" }, { "container", "abc" } };

	happening_write(&(struct happening){ .type = type,
					     .action = "do",
					     .id = "sha256:12",
					     .attributes = { pairs, ARRAY_LEN(pairs) } },
			1769860800500000000, ret);
}

/* Those of images have the older members, too. */
Test(cli_events, lines_of_others)
{
	auto_buf struct buf b = { 0 };

	write_other("volume", &b);
	cr_expect_str_eq(b.text, "\n{\"Type\":\"volume\",\"Action\":\"do\",\"Actor\":{\"ID\":"
				 "\"sha256:12\",\"Attributes\":{\"name\":\"tool:1\","
				 "\"container\":\"abc\"}},\"scope\":\"local\","
				 "\"time\":1769860800,\"timeNano\":1769860800500000000}\n");
	buf_clear(&b);
	write_other("image", &b);
	cr_expect_not_null(strstr(b.text, "\n{\"status\":\"do\",\"id\":\"sha256:12\",\"Type\":\"image\","),
			   "%s", b.text);
}

static bool leaves(const char *text, const struct buf *line)
{
	auto_arena struct arena a = { 0 };
	auto_json struct json_doc doc = { .name = "event", .text = line->text, .size = line->len };
	struct strings list = { &text, 1 };
	struct filters filters;
	struct err e = { 0 };

	cr_assert_eq(json_parse(&doc, &a, &e), 0, "%s", e.msg);
	cr_assert_eq(filters_read(&events_filters, &list, NULL, &a, &filters, &e), 0, "%s", e.msg);
	return filters_match(&filters, doc.root);
}

/* A key is of things of its type: what is called so is meant, not what has to do with it. */
Test(cli_events, filters_of_others)
{
	static const struct {
		const char *type, *filter;
		bool yes;
	} rows[] = {
		{ "image", "image=tool:1", true },	  { "image", "image=sha256:1", true },
		{ "image", "image=tool", false },	  { "image", "container=abc", false },
		{ "volume", "volume=sha256:12", true },	  { "volume", "image=tool:1", false },
		{ "volume", "network=tool:1", false },	  { "network", "network=tool:1", true },
		{ "network", "container=tool:1", false }, { "network", "type=network", true },
		{ "network", "scope=local", true },	  { "network", "scope=swarm", false },
		{ "volume", "event=do", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf b = { 0 };

		write_other(rows[i].type, &b);
		cr_expect_eq(leaves(rows[i].filter, &b), rows[i].yes, "%s of %s", rows[i].filter,
			     rows[i].type);
	}
}

Test(cli_events, filters)
{
	static const struct {
		const char *texts[3];
		bool yes;
	} rows[] = {
		{ { NULL }, true },
		{ { "container=web" }, true },
		{ { "container=ab" }, true },
		{ { "container=we" }, false },
		{ { "container=" }, false },
		{ { "event=die" }, true },
		{ { "event=di" }, false },
		{ { "event=start", "event=die" }, true },
		{ { "event=die", "container=other" }, false },
		{ { "image=hull/busybox" }, true },
		{ { "image=other" }, false },
		{ { "type=container" }, true },
		{ { "type=image" }, false },
		{ { "label=team" }, true },
		{ { "label=team=blue" }, true },
		{ { "label=team=blue", "label=tier" }, false },
	};
	auto_arena struct arena a = { 0 };
	auto_buf struct buf b = { 0 };
	auto_json struct json_doc doc = { .name = "event" };
	struct err e = { 0 };

	write_event(&b);
	doc.text = b.text;
	doc.size = b.len;
	cr_assert_eq(json_parse(&doc, &a, &e), 0, "%s", e.msg);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *texts[3];
		struct strings list = { texts, 0 };
		struct filters filters;

		while (rows[i].texts[list.n])
			texts[list.n] = rows[i].texts[list.n], list.n++;
		cr_assert_eq(filters_read(&events_filters, &list, NULL, &a, &filters, &e), 0, "%s", e.msg);
		cr_expect_eq(filters_match(&filters, doc.root), rows[i].yes, "%s %s",
			     rows[i].texts[0], rows[i].texts[1]);
	}
}

Test(cli_events, wrong_filters)
{
	static const char *const rows[] = { "nothing=1", "event", "" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const char *texts[] = { rows[i] };
		struct filters filters;
		struct err e = { 0 };

		cr_expect_eq(filters_read(&events_filters, &(struct strings){ texts, 1 }, NULL,
					  &a, &filters, &e),
			     -EINVAL);
		cr_expect_str_eq(e.msg, arena_printf(&a,
						     "--filter %s: expected container=, event=, "
						     "image=, label=, network=, scope=, type= or "
						     "volume=",
						     rows[i]));
	}
}
