/* What people write as an image's name, what it means, and what is said to what is none. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "image/reference.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA "sha256:" HEX64
#define SHA5 "sha512:" HEX64 HEX64
#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A128 A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"
/* With docker.io/library/ 18 characters more. */
#define A237 A50 A50 A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *text, *registry, *repository, *tag, *digest;
	bool is_short;
	const char *familiar;
} good[] = {
	{ "debian", "docker.io", "library/debian", "", "", true, "debian" },
	{ "debian:12", "docker.io", "library/debian", "12", "", true, "debian" },
	{ "debian@" SHA, "docker.io", "library/debian", "", SHA, true, "debian" },
	{ "debian:12@" SHA, "docker.io", "library/debian", "12", SHA, true, "debian" },
	{ "debian@" SHA5, "docker.io", "library/debian", "", SHA5, true, "debian" },
	{ "user/program", "docker.io", "user/program", "", "", true, "user/program" },
	{ "user/a/b/c:x", "docker.io", "user/a/b/c", "x", "", true, "user/a/b/c" },
	{ "library/debian", "docker.io", "library/debian", "", "", true, "debian" },
	{ "docker.io/debian", "docker.io", "library/debian", "", "", false, "debian" },
	{ "docker.io/library/debian:1", "docker.io", "library/debian", "1", "", false, "debian" },
	{ "index.docker.io/debian", "docker.io", "library/debian", "", "", false, "debian" },
	{ "docker.io/library/a/b", "docker.io", "library/a/b", "", "", false, "library/a/b" },
	{ "docker.io/a.b/c", "docker.io", "a.b/c", "", "", false, "docker.io/a.b/c" },
	{ "docker.io/localhost/c", "docker.io", "localhost/c", "", "", false,
	  "docker.io/localhost/c" },
	{ "localhost/a", "localhost", "a", "", "", false, "localhost/a" },
	{ "localhost:5000/a", "localhost:5000", "a", "", "", false, "localhost:5000/a" },
	{ "localhost:5000/a:5000", "localhost:5000", "a", "5000", "", false, "localhost:5000/a" },
	{ "localhost:5000", "docker.io", "library/localhost", "5000", "", true, "localhost" },
	{ "ghcr.io/a/b", "ghcr.io", "a/b", "", "", false, "ghcr.io/a/b" },
	{ "quay.io/a/b:v1.2.3-rc_4", "quay.io", "a/b", "v1.2.3-rc_4", "", false, "quay.io/a/b" },
	{ "HOST/a", "HOST", "a", "", "", false, "HOST/a" },
	{ "Host.Example:1/a", "Host.Example:1", "a", "", "", false, "Host.Example:1/a" },
	{ "a-b.c-d.e/x", "a-b.c-d.e", "x", "", "", false, "a-b.c-d.e/x" },
	{ "127.0.0.1:65535/x", "127.0.0.1:65535", "x", "", "", false, "127.0.0.1:65535/x" },
	{ "[::1]/x", "[::1]", "x", "", "", false, "[::1]/x" },
	{ "[::1]:5000/x:t", "[::1]:5000", "x", "t", "", false, "[::1]:5000/x" },
	{ "[2001:db8::AB]:5000/x@" SHA, "[2001:db8::AB]:5000", "x", "", SHA, false,
	  "[2001:db8::AB]:5000/x" },
	{ "a.b-c--d/x.y", "a.b-c--d", "x.y", "", "", false, NULL },
	{ "x/a.b_c__d-e---f", "docker.io", "x/a.b_c__d-e---f", "", "", true, "x/a.b_c__d-e---f" },
	{ "0/1:2", "docker.io", "0/1", "2", "", true, "0/1" },
	{ "a:_", "docker.io", "library/a", "_", "", true, "a" },
	{ "a:A.b-C", "docker.io", "library/a", "A.b-C", "", true, "a" },
	{ "a:" A128, "docker.io", "library/a", A128, "", true, "a" },
	{ A237, "docker.io", "library/" A237, "", "", true, A237 },
	{ "r.io/" HEX64, "r.io", HEX64, "", "", false, "r.io/" HEX64 },
	{ HEX64 "a", "docker.io", "library/" HEX64 "a", "", "", true, HEX64 "a" },
};

static const struct {
	const char *text, *message;
} bad[] = {
	{ "", "the image name is empty" },
	{ ":tag", "image name \":tag\": the name before tag and digest is empty" },
	{ "@" SHA, "the name before tag and digest is empty" },
	{ "/", "image name \"/\": a part of its path is empty" },
	{ "/a", "a part of its path is empty" },
	{ "a/", "a part of its path is empty" },
	{ "a//b", "image name \"a//b\": a part of its path is empty" },
	{ "r.io/", "a part of its path is empty" },
	{ "a:", "image name \"a:\": the tag behind the colon is empty" },
	{ "a:-b", "the tag \"-b\" is not letters, digits" },
	{ "a:.b", "the tag \".b\" is not letters, digits" },
	{ "a:b c", "the tag \"b c\" is not letters, digits" },
	{ "a:b:c", "the tag \"b:c\" is not letters, digits" },
	{ "a:" A128 "a", "the tag is longer than 128 characters" },
	{ "Debian",
	  "image name \"Debian\": the path's part \"Debian\" has a capital letter, which only "
	  "tags may have" },
	{ "user/Program", "the path's part \"Program\" has a capital letter" },
	{ "a b", "the path's part \"a b\" is not lower-case letters" },
	{ "-a", "the path's part \"-a\" is not lower-case" },
	{ "a-", "the path's part \"a-\" is not lower-case" },
	{ "a_", "the path's part \"a_\" is not lower-case" },
	{ "a..b", "the path's part \"a..b\" is not lower-case" },
	{ "a___b", "the path's part \"a___b\" is not lower-case" },
	{ "a._b", "the path's part \"a._b\" is not lower-case" },
	{ "a/../b", "the path's part \"..\" is not lower-case" },
	{ "../b", "the registry \"..\" is not a host name" },
	{ "./b", "the registry \".\" is not a host name" },
	{ "a\xc3\xa4", "is not lower-case" },
	{ "a\nb", "image name \"a\\u000ab\": the path's part \"a\\u000ab\" is not lower-case" },
	{ "r_.io/a", "the registry \"r_.io\" is not a host name" },
	{ "-r.io/a", "the registry \"-r.io\" is not a host name" },
	{ "r..io/a", "the registry \"r..io\" is not a host name" },
	{ "r.io./a", "the registry \"r.io.\" is not a host name" },
	{ "r.io:/a", "the registry's port \"\" is not a number" },
	{ "r.io:x/a", "the registry's port \"x\" is not a number" },
	{ "r.io:0/a", "the registry's port \"0\" is not between 1 and 65535" },
	{ "r.io:65536/a", "the registry's port \"65536\" is not between 1 and 65535" },
	{ "r.io:123456/a", "the registry's port \"123456\" is not a number" },
	{ "r.io:1:2/a", "the registry's port \"1:2\" is not a number" },
	{ ":5/a", "the registry \":5\" is not a host name" },
	{ "[::1/a", "the registry \"[::1\" is not an IPv6 address in brackets" },
	{ "[]:1/a", "is not an IPv6 address in brackets" },
	{ "[1.2]/a", "is not an IPv6 address in brackets" },
	{ "[::1%eth0]/a", "is not an IPv6 address in brackets" },
	{ "[::1]x:1/a", "has something other than a port behind the bracket" },
	{ "[::1]:/a", "the registry's port \"\" is not a number" },
	{ "https://r.io/a", "image name \"https://r.io/a\": a name has no scheme, write "
			    "REGISTRY/PATH[:TAG][@DIGEST]" },
	{ "user:secret@r.io/a", "digest \"r.io/a\": expected ALGORITHM:HEX" },
	{ "a@", "digest \"\": expected ALGORITHM:HEX" },
	{ "a@sha256", "digest \"sha256\": expected ALGORITHM:HEX" },
	{ "a@sha256:", "expected 64 hexadecimal digits behind sha256:" },
	{ "a@sha256:abc", "expected 64 hexadecimal digits behind sha256:" },
	{ "a@" SHA "0", "expected 64 hexadecimal digits behind sha256:" },
	{ "a@sha512:" HEX64, "expected 128 hexadecimal digits behind sha512:" },
	{ "a@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
	  "expected lower-case hexadecimal digits behind the colon" },
	{ "a@md5:0123456789abcdef0123456789abcdef", "the algorithm is not sha256 or sha512" },
	{ "a@" SHA "@" SHA, "expected lower-case hexadecimal digits" },
	{ "a@" SHA ":tag", "expected lower-case hexadecimal digits" },
	{ HEX64, "64 hexadecimal digits are an id, not a name" },
	{ HEX64 ":tag", "64 hexadecimal digits are an id, not a name" },
	{ A237 "a", "with docker.io/ and library/ before it, the name is longer than 255" },
	{ "r.io/" A237 A50, "the name is longer than 255 characters" },
};

Test(image_reference, means_what_docker_means)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct reference r = { .tag = "stale" }, again = { .tag = "" };
		struct err e = { 0 };

		cr_assert_eq(reference_parse(good[i].text, &r, &e), 0, "%s: %s", good[i].text,
			     e.msg);
		cr_expect_str_eq(r.registry, good[i].registry);
		cr_expect_str_eq(r.repository, good[i].repository);
		cr_expect_str_eq(r.tag, good[i].tag);
		cr_expect_str_eq(r.digest.text, good[i].digest);
		cr_expect_eq(r.is_short, good[i].is_short, "%s", good[i].text);
		if (good[i].familiar)
			cr_expect_str_eq(reference_familiar(&r).text, good[i].familiar);
		/* Printed in full or familiar, it is the same image. */
		cr_assert_eq(reference_parse(reference_print(&r).text, &again, &e), 0, "%s", e.msg);
		cr_expect_not(again.is_short);
		cr_expect_str_eq(reference_print(&again).text, reference_print(&r).text);
		cr_assert_eq(reference_parse(reference_familiar(&r).text, &again, &e), 0);
		cr_expect_str_eq(again.registry, r.registry);
		cr_expect_str_eq(again.repository, r.repository);
	}
}

Test(image_reference, says_what_is_wrong)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct reference r = { .tag = "kept" };
		struct err e = { 0 };

		cr_expect_eq(reference_parse(bad[i].text, &r, &e), -EINVAL, "%s", bad[i].text);
		cr_expect(strstr(e.msg, bad[i].message), "%s: %s", bad[i].text, e.msg);
		cr_expect_str_eq(r.tag, "kept");
	}
}

Test(image_reference, too_long_at_all)
{
	auto_buf struct buf text = { 0 };
	struct reference r;
	struct err e = { 0 };

	for (int i = 0; i < 100000; i++)
		buf_char(&text, 'a');
	cr_assert_eq(reference_parse(text.text, &r, &e), -EINVAL);
	cr_assert(strstr(e.msg, "it is too long"), "%s", e.msg);
}

Test(image_reference, latest_is_for_those_with_neither)
{
	struct reference r;

	cr_assert_eq(reference_parse("debian", &r, NULL), 0);
	reference_default_tag(&r);
	cr_assert_str_eq(reference_print(&r).text, "docker.io/library/debian:latest");
	cr_assert_eq(reference_parse("debian:12", &r, NULL), 0);
	reference_default_tag(&r);
	cr_assert_str_eq(r.tag, "12");
	cr_assert_eq(reference_parse("debian@" SHA, &r, NULL), 0);
	reference_default_tag(&r);
	cr_assert_str_eq(r.tag, "");
}

Test(image_reference, another_name)
{
	struct reference r;
	struct err e = { 0 };

	cr_assert_eq(reference_parse("debian:12", &r, NULL), 0);
	cr_assert_eq(reference_set_name(&r, "quay.io/x/debian", &e), 0, "%s", e.msg);
	cr_assert_str_eq(reference_print(&r).text, "quay.io/x/debian:12");
	cr_assert_not(r.is_short);
	cr_assert_eq(reference_set_name(&r, "quay.io/x:1", &e), -EINVAL);
	cr_assert_str_eq(e.msg,
			 "image name \"quay.io/x:1\": expected a name without tag and digest");
	cr_assert_eq(reference_set_name(&r, "x/y", &e), -EINVAL);
	cr_assert_str_eq(e.msg, "image name \"x/y\": expected a name with a registry");
}

Test(image_reference, transports)
{
	static const struct {
		const char *text;
		int transport; /* -1: an error */
		const char *path, *ref;
	} rows[] = {
		{ "debian:12", TRANSPORT_REGISTRY, "", "debian:12" },
		{ "docker://debian:12", TRANSPORT_REGISTRY, "", "debian:12" },
		{ "oci:/a/b", TRANSPORT_OCI, "/a/b", "" },
		{ "oci:a/b:x:y", TRANSPORT_OCI, "a/b", "x:y" },
		{ "oci-archive:f.tar", TRANSPORT_OCI_ARCHIVE, "f.tar", "" },
		{ "docker-archive:f.tar:a/b:c", TRANSPORT_DOCKER_ARCHIVE, "f.tar", "a/b:c" },
		{ "ocilike:1", TRANSPORT_REGISTRY, "", "ocilike:1" },
		{ "dir:/x", -1, "directories of skopeo's dir: are not understood, use oci:", "" },
		{ "oci:", -1, "image \"oci:\": nothing behind the colon", "" },
		{ "oci::x", -1, "image \"oci::x\": the path is empty", "" },
		{ "docker://", -1, "nothing behind the colon", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct transport_place p;
		struct err e = { 0 };
		int r = transport_parse(rows[i].text, &p, &e);

		if (rows[i].transport < 0) {
			cr_expect_lt(r, 0);
			cr_expect(strstr(e.msg, rows[i].path), "%s: %s", rows[i].text, e.msg);
			continue;
		}
		cr_assert_eq(r, 0, "%s: %s", rows[i].text, e.msg);
		cr_expect_eq((int)p.transport, rows[i].transport, "%s", rows[i].text);
		cr_expect_str_eq(p.path, rows[i].path);
		cr_expect_str_eq(p.ref, rows[i].ref);
	}
}
