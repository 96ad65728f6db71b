#include "image/platform.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "image/documents.h"

const struct json_field platform_fields[] = {
	FIELD_STRING(struct platform, "architecture", architecture, REQUIRED),
	FIELD_STRING(struct platform, "os", os, REQUIRED),
	FIELD_STRING(struct platform, "os.version", os_version, 0),
	FIELD_STRINGS(struct platform, "os.features", os_features, 0),
	FIELD_STRING(struct platform, "variant", variant, 0),
	FIELD_IGNORED("features"), /* reserved */
	{ 0 },
};

/* Other words for an architecture: of uname(2), dpkg and people. */
static const struct {
	const char *word, *architecture, *variant;
} other_words[] = {
	{ "x86_64", "amd64", NULL },
	{ "x86-64", "amd64", NULL },
	{ "aarch64", "arm64", NULL },
	{ "armhf", "arm", "v7" },
	{ "armel", "arm", "v6" },
	{ "armv7l", "arm", "v7" },
	{ "armv6l", "arm", "v6" },
	{ "armv8l", "arm64", NULL },
	{ "i386", "386", NULL },
	{ "i486", "386", NULL },
	{ "i586", "386", NULL },
	{ "i686", "386", NULL },
	{ "ppc64el", "ppc64le", NULL },
	{ "mips64el", "mips64le", NULL },
	{ "loongarch64", "loong64", NULL },
};

/* Those that have variants: the one meant without it. */
static const struct {
	const char *architecture, *variant;
} without_variant[] = { { "amd64", "v1" }, { "arm", "v7" }, { "arm64", "v8" } };

static const char *const known_systems[] = { "linux",   "windows", "darwin", "freebsd", "netbsd",
					     "openbsd", "solaris", "aix",    "wasip1",  NULL };

struct platform platform_host(void)
{
	struct platform p = { .os = "linux", .architecture = "unknown" };
	static const char *const same[] = { "ppc64le", "s390x", "riscv64", "mips64" };
	struct utsname name;

	uname(&name);
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		if (strcmp(name.machine, same[i]) == 0)
			p.architecture = same[i];
	for (size_t i = 0; i < ARRAY_LEN(other_words); i++) {
		if (strcmp(name.machine, other_words[i].word) != 0)
			continue;
		p.architecture = other_words[i].architecture;
		p.variant = other_words[i].variant;
	}
	if (sizeof(void *) == 4 && strcmp(p.architecture, "amd64") == 0)
		p.architecture = "386";
	return p;
}

static bool is_word(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-");

	return n > 0 && n < 32 && s[n] == '\0';
}

static int wrong(const char *text, const char *why, struct err *e)
{
	return err_set(e, EINVAL, "platform %s: %s", json_quote(text).text, why);
}

int platform_parse(const char *text, struct arena *a, struct platform *ret, struct err *e)
{
	char *words = arena_strdup(a, text);
	struct platform p = { .os = "linux" };
	const char *parts[3] = { "", "", "" };
	size_t n = 0;

	for (char *at = words; at; n++) {
		if (n == ARRAY_LEN(parts))
			return wrong(text, "expected OS/ARCHITECTURE[/VARIANT]", e);
		for (char *c = at; *c && *c != '/'; c++)
			*c = (char)tolower((unsigned char)*c);
		parts[n] = at;
		at = strchr(at, '/');
		if (at)
			*at++ = '\0';
		if (!is_word(parts[n]))
			return wrong(text,
				     "expected OS/ARCHITECTURE[/VARIANT], like linux/arm64/v8", e);
	}
	p.architecture = parts[n > 1];
	if (n > 1)
		p.os = parts[0];
	if (n > 2)
		p.variant = parts[2];
	for (const char *const *os = known_systems; n == 1 && *os; os++)
		if (strcmp(p.architecture, *os) == 0)
			return wrong(text, "the architecture is missing, like linux/amd64", e);
	for (size_t i = 0; i < ARRAY_LEN(other_words); i++) {
		if (strcmp(p.architecture, other_words[i].word) != 0)
			continue;
		p.architecture = other_words[i].architecture;
		if (!p.variant)
			p.variant = other_words[i].variant;
		break;
	}
	*ret = p;
	return 0;
}

char *platform_print(const struct platform *p, struct arena *a)
{
	return arena_printf(a, "%s/%s%s%s", p->os, p->architecture, p->variant ? "/" : "",
			    p->variant ? p->variant : "");
}

/* "v8" is 800, "v8.2" 802; -1: no version. */
static int variant_number(const char *architecture, const char *variant)
{
	int n = 0, minor = 0;

	for (size_t i = 0; !variant && i < ARRAY_LEN(without_variant); i++)
		if (strcmp(architecture, without_variant[i].architecture) == 0)
			variant = without_variant[i].variant;
	if (!variant || *variant++ != 'v' || !isdigit((unsigned char)*variant))
		return -1;
	for (; isdigit((unsigned char)*variant) && n < 100; variant++)
		n = n * 10 + (*variant - '0');
	if (*variant == '.')
		for (variant++; isdigit((unsigned char)*variant) && minor < 10; variant++)
			minor = minor * 10 + (*variant - '0');
	return *variant ? -1 : n * 100 + minor;
}

static bool has_variants(const char *architecture)
{
	for (size_t i = 0; i < ARRAY_LEN(without_variant); i++)
		if (strcmp(architecture, without_variant[i].architecture) == 0)
			return true;
	return false;
}

static const char *usual_name(const char *architecture)
{
	for (size_t i = 0; i < ARRAY_LEN(other_words); i++)
		if (strcmp(architecture, other_words[i].word) == 0)
			return other_words[i].architecture;
	return architecture;
}

int platform_score(const struct platform *wanted, const struct platform *image)
{
	const char *architecture = usual_name(wanted->architecture);
	enum { BEST = 1000000 };
	int can, needs;

	if (!image->os || !image->architecture || strcmp(wanted->os, image->os) != 0 ||
	    strcmp(architecture, usual_name(image->architecture)) != 0)
		return 0;
	can = variant_number(architecture, wanted->variant);
	needs = variant_number(architecture, image->variant);
	if (has_variants(architecture) && can >= 0 && needs >= 0)
		return needs > can ? 0 : BEST - (can - needs);
	if (!wanted->variant)
		return image->variant ? 1 : BEST;
	if (!image->variant)
		return 1;
	return strcmp(wanted->variant, image->variant) == 0 ? BEST : 0;
}

static bool is_attestation(const struct image_descriptor *d)
{
	return image_annotation(&d->annotations, "vnd.docker.reference.type") ||
	       (d->platform && strcmp(d->platform->os, "unknown") == 0);
}

int platform_select(const struct image_index *index, const struct platform *wanted,
		    const struct image_descriptor **ret, struct err *e)
{
	enum { SHOWN = 12 };
	auto_arena struct arena a = { 0 };
	auto_buf struct buf list = { 0 };
	const struct image_descriptor *best = NULL;
	int best_score = 0;
	size_t n = 0;

	if (index->manifests.n == 1 && !index->manifests.at[0].platform) {
		*ret = &index->manifests.at[0];
		return 0;
	}
	for (size_t i = 0; i < index->manifests.n; i++) {
		const struct image_descriptor *d = &index->manifests.at[i];
		int score;

		if (!d->platform || is_attestation(d))
			continue;
		score = platform_score(wanted, d->platform);
		if (score > best_score) {
			best = d;
			best_score = score;
		}
		n++;
		if (n <= SHOWN)
			buf_printf(&list, "%s%.64s", n > 1 ? ", " : "",
				   platform_print(d->platform, &a));
	}
	if (best) {
		*ret = best;
		return 0;
	}
	if (n == 0)
		return err_set(e, ENOENT, "there is no image for %s, nor for any other platform",
			       platform_print(wanted, &a));
	return err_set(e, ENOENT, "there is no image for %s, only for %s%s",
		       platform_print(wanted, &a), list.text, n > SHOWN ? ", ..." : "");
}
