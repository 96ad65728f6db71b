/* Platforms: as written, which fits which, and the choice from an index. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "image/documents.h"
#include "image/platform.h"

Test(image_platform, as_written)
{
	static const struct {
		const char *text, *printed, *message;
	} rows[] = {
		{ "linux/amd64", "linux/amd64", NULL },
		{ "linux/arm64/v8", "linux/arm64/v8", NULL },
		{ "Linux/AMD64", "linux/amd64", NULL },
		{ "amd64", "linux/amd64", NULL },
		{ "x86_64", "linux/amd64", NULL },
		{ "linux/aarch64", "linux/arm64", NULL },
		{ "armhf", "linux/arm/v7", NULL },
		{ "arm/v6", "arm/v6", NULL },
		{ "linux/armel/v5", "linux/arm/v5", NULL },
		{ "i686", "linux/386", NULL },
		{ "windows/amd64", "windows/amd64", NULL },
		{ "", NULL,
		  "platform \"\": expected OS/ARCHITECTURE[/VARIANT], like linux/arm64/v8" },
		{ "linux", NULL,
		  "platform \"linux\": the architecture is missing, like linux/amd64" },
		{ "linux/", NULL, "like linux/arm64/v8" },
		{ "/amd64", NULL, "like linux/arm64/v8" },
		{ "linux/a b", NULL, "like linux/arm64/v8" },
		{ "linux/arm/v7/x", NULL, "expected OS/ARCHITECTURE[/VARIANT]" },
		{ "linux//v7", NULL, "like linux/arm64/v8" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct platform p;
		struct err e = { 0 };
		int r = platform_parse(rows[i].text, &a, &p, &e);

		cr_expect_eq(r < 0, rows[i].message != NULL, "%s: %s", rows[i].text, e.msg);
		if (r == 0)
			cr_expect_str_eq(platform_print(&p, &a), rows[i].printed);
		else
			cr_expect(strstr(e.msg, rows[i].message), "%s: %s", rows[i].text, e.msg);
	}
}

Test(image_platform, fits)
{
	/* `better` runs on `wanted` and is preferred to `worse`; NULL: that does not run at all. */
	static const struct {
		const char *wanted, *better, *worse;
		bool worse_runs;
	} rows[] = {
		{ "linux/amd64", "linux/amd64", "linux/386", false },
		{ "linux/amd64", "linux/amd64", "windows/amd64", false },
		{ "linux/amd64", "linux/amd64/v1", "linux/amd64/v2", false },
		{ "linux/amd64/v3", "linux/amd64/v3", "linux/amd64/v2", true },
		{ "linux/amd64/v3", "linux/amd64/v2", "linux/amd64", true },
		{ "linux/amd64/v3", "linux/amd64/v3", "linux/amd64/v4", false },
		{ "linux/arm64", "linux/arm64/v8", "linux/arm/v7", false },
		{ "linux/arm64/v8", "linux/arm64", "linux/arm64/v9", false },
		{ "linux/arm64/v8.2", "linux/arm64/v8.1", "linux/arm64/v8", true },
		{ "linux/arm", "linux/arm/v7", "linux/arm/v6", true },
		{ "linux/arm/v7", "linux/arm/v6", "linux/arm/v5", true },
		{ "linux/arm/v6", "linux/arm/v6", "linux/arm/v7", false },
		{ "linux/arm/v6", "linux/arm/v5", "linux/arm", false },
		{ "linux/ppc64le", "linux/ppc64le", "linux/ppc64le/power9", true },
		{ "linux/ppc64le/power9", "linux/ppc64le/power9", "linux/ppc64le/power8", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct platform wanted, better, worse;
		int b, w;

		cr_assert_eq(platform_parse(rows[i].wanted, &a, &wanted, NULL), 0);
		cr_assert_eq(platform_parse(rows[i].better, &a, &better, NULL), 0);
		cr_assert_eq(platform_parse(rows[i].worse, &a, &worse, NULL), 0);
		b = platform_score(&wanted, &better);
		w = platform_score(&wanted, &worse);
		cr_expect_gt(b, w, "row %zu: %d, %d", i, b, w);
		cr_expect_eq(w > 0, rows[i].worse_runs, "row %zu: %d", i, w);
	}
}

#define ENTRY(n, rest)                                                               \
	"{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"size\":" #n \
	",\"digest\":\"sha256:"                                                      \
	"0000000000000000000000000000000000000000000000000000000000000000\"" rest "}"
#define FOR(os, architecture) \
	",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" architecture "\"}"
#define ARM(variant) \
	",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"" variant "\"}"

static int choose(const char *entries, const char *platform, uint64_t *ret, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct image_index index = { .schema_version = 0 };
	const struct image_descriptor *d;
	auto_buf struct buf text = { 0 };
	struct platform p;
	int r;

	buf_printf(&text, "{\"schemaVersion\":2,\"manifests\":[%s]}", entries);
	cr_assert_eq(image_index_parse(&index, "i", text.text, text.len, e), 0, "%s", e->msg);
	cr_assert_eq(platform_parse(platform, &a, &p, e), 0);
	r = platform_select(&index, &p, &d, e);
	if (r == 0)
		*ret = d->size;
	image_index_done(&index);
	return r;
}

Test(image_platform, selection)
{
	static const struct {
		const char *entries, *platform;
		uint64_t size;
		const char *message;
	} rows[] = {
		{ ENTRY(1, FOR("linux", "386")) "," ENTRY(2, FOR("linux", "amd64")), "amd64", 2,
		  NULL },
		{ ENTRY(1, FOR("linux", "amd64")) "," ENTRY(2, FOR("linux", "amd64")), "amd64", 1,
		  NULL },
		{ ENTRY(1, ""), "amd64", 1, NULL },
		{ ENTRY(1, "") "," ENTRY(2, FOR("linux", "amd64")), "amd64", 2, NULL },
		{ ENTRY(1, FOR("unknown", "unknown")) "," ENTRY(2, FOR("linux", "amd64")), "amd64",
		  2, NULL },
		{ ENTRY(1, FOR("linux",
			       "amd64") ",\"annotations\":{\"vnd.docker.reference.type\":"
					"\"attestation-manifest\"}") "," ENTRY(2, FOR("linux",
										      "amd64")),
		  "amd64", 2, NULL },
		{ ENTRY(1, ARM("v5")) "," ENTRY(2, ARM("v6")) "," ENTRY(3, ARM("v7")),
		  "linux/arm/v6", 2, NULL },
		{ ENTRY(1, ARM("v5")) "," ENTRY(2, ARM("v8")), "linux/arm", 1, NULL },
		{ ENTRY(1, FOR("linux", "386")) "," ENTRY(2, FOR("linux", "amd64")), "arm64", 0,
		  "there is no image for linux/arm64, only for linux/386, linux/amd64" },
		{ ENTRY(1, FOR("windows", "amd64")), "amd64", 0,
		  "there is no image for linux/amd64, only for windows/amd64" },
		{ "", "amd64", 0, "there is no image for linux/amd64, nor for any other platform" },
		{ ENTRY(1, "") "," ENTRY(2, ""), "amd64", 0, "nor for any other platform" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		uint64_t size = 0;
		int r = choose(rows[i].entries, rows[i].platform, &size, &e);

		cr_expect_eq(r, rows[i].message ? -ENOENT : 0, "row %zu: %s", i, e.msg);
		cr_expect_eq(size, rows[i].size, "row %zu: %lu", i, size);
		cr_expect(!rows[i].message || strstr(e.msg, rows[i].message), "row %zu: %s", i,
			  e.msg);
	}
}

Test(image_platform, this_machine)
{
	struct platform p = platform_host();

	cr_expect_str_eq(p.os, "linux");
	cr_expect_str_neq(p.architecture, "unknown");
	cr_expect_gt(platform_score(&p, &p), 0);
}
