/* Documents of images, good and bad: what is taken from them, what is said of them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "image/documents.h"

#define H0 "0000000000000000000000000000000000000000000000000000000000000000"
#define H1 "1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "2222222222222222222222222222222222222222222222222222222222222222"
#define D0 "sha256:" H0
#define D1 "sha256:" H1
#define D2 "sha256:" H2
#define CONFIG(type) "{\"mediaType\":\"" type "\",\"size\":7023,\"digest\":\"" D0 "\"}"
#define LAYER(type) "{\"mediaType\":\"" type "\",\"size\":32654,\"digest\":\"" D1 "\"}"
#define OCI_CONFIG CONFIG("application/vnd.oci.image.config.v1+json")
#define OCI_LAYER LAYER("application/vnd.oci.image.layer.v1.tar+gzip")
#define MANIFEST(rest) "{\"schemaVersion\":2," rest "}"
#define WITH_CONFIG(layers) MANIFEST("\"config\":" OCI_CONFIG ",\"layers\":" layers)

static const struct {
	const char *text;
	size_t layers;
	enum media_compression compression;
	bool docker;
} good_manifests[] = {
	{ WITH_CONFIG("[" OCI_LAYER "]"), 1, MEDIA_GZIP, false },
	{ WITH_CONFIG("[" OCI_LAYER "," OCI_LAYER "," OCI_LAYER "]"), 3, MEDIA_GZIP, false },
	{ WITH_CONFIG("[" LAYER("application/vnd.oci.image.layer.v1.tar") "]"), 1, MEDIA_PLAIN,
	  false },
	{ WITH_CONFIG("[" LAYER("application/vnd.oci.image.layer.v1.tar+zstd") "]"), 1, MEDIA_ZSTD,
	  false },
	{ MANIFEST("\"mediaType\":\"application/"
		   "vnd.oci.image.manifest.v1+json\",\"config\":" OCI_CONFIG
		   ",\"layers\":[" OCI_LAYER
		   "],\"annotations\":{\"a.b\":\"c\",\"d\":\"\"},\"unknown\":[]"),
	  1, MEDIA_GZIP, false },
	{ MANIFEST("\"mediaType\":\"application/"
		   "vnd.docker.distribution.manifest.v2+json\",\"config\":" CONFIG(
			   "application/vnd.docker.container.image.v1+json") ",\"layers\":"
									     "[" LAYER("appl"
										       "icat"
										       "ion/"
										       "vnd."
										       "dock"
										       "er."
										       "imag"
										       "e."
										       "root"
										       "fs."
										       "diff"
										       ".tar"
										       ".gzi"
										       "p") "]"),
	  1, MEDIA_GZIP, true },
	/* sha512, a size of nothing, urls, embedded data, a subject */
	{ MANIFEST("\"artifactType\":\"a/b\",\"config\":{\"mediaType\":\"application/"
		   "vnd.oci.empty.v1+json\","
		   "\"size\":2,\"digest\":\"sha512:" H0 H1 "\",\"data\":\"e30=\"},\"layers\":["
		   "{\"mediaType\":\"x/y\",\"size\":0,\"digest\":\"" D1
		   "\",\"urls\":[\"https://a/b\"]}],"
		   "\"subject\":" OCI_LAYER),
	  1, MEDIA_PLAIN, false },
};

static const struct {
	const char *text, *message;
} bad_manifests[] = {
	{ "", "m:" },
	{ "[]", "m:1:1: expected an object, found an array" },
	{ "{}", "schemaVersion: missing" },
	{ "{\"schemaVersion\":\"2\"}", "schemaVersion: expected a number, found a string" },
	{ "{\"schemaVersion\":3,\"config\":" OCI_CONFIG ",\"layers\":[" OCI_LAYER "]}",
	  "m:1:18: schemaVersion: expected 2, found 3" },
	{ "{\"schemaVersion\":1,\"fsLayers\":[],\"history\":[]}",
	  "m: a manifest of Docker's schema 1" },
	{ MANIFEST("\"layers\":[" OCI_LAYER "]"), "config: missing" },
	{ MANIFEST("\"config\":" OCI_CONFIG), "layers: missing" },
	{ WITH_CONFIG("[]"), "layers: expected at least one layer" },
	{ WITH_CONFIG("{}"), "layers: expected an array, found an object" },
	{ WITH_CONFIG("[3]"), "layers[0]: expected an object, found a number" },
	{ MANIFEST("\"config\":[],\"layers\":[]"), "config: expected an object, found an array" },
	{ WITH_CONFIG("[{\"size\":1,\"digest\":\"" D0 "\"}]"), "layers[0].mediaType: missing" },
	{ WITH_CONFIG("[{\"mediaType\":\"a/b\",\"digest\":\"" D0 "\"}]"),
	  "layers[0].size: missing" },
	{ WITH_CONFIG("[{\"mediaType\":\"a/b\",\"size\":1}]"), "layers[0].digest: missing" },
	{ WITH_CONFIG("[{\"mediaType\":\"invalid\",\"size\":1,\"digest\":\"" D0 "\"}]"),
	  "layers[0].mediaType: \"invalid\" is not a media type" },
	{ WITH_CONFIG("[" OCI_LAYER ",{\"mediaType\":\"\",\"size\":1,\"digest\":\"" D0 "\"}]"),
	  "layers[1].mediaType: \"\" is not a media type" },
	{ WITH_CONFIG("[{\"mediaType\":\".a/b\",\"size\":1,\"digest\":\"" D0 "\"}]"),
	  "\".a/b\" is not a media type" },
	{ WITH_CONFIG("[{\"mediaType\":\"a/b c\",\"size\":1,\"digest\":\"" D0 "\"}]"),
	  "\"a/b c\" is not a media type" },
	{ WITH_CONFIG("[{\"mediaType\":\"a/b\",\"size\":-1,\"digest\":\"" D0 "\"}]"),
	  "layers[0].size: -1 is not between 0 and 1099511627776" },
	{ WITH_CONFIG("[{\"mediaType\":\"a/b\",\"size\":\"1\",\"digest\":\"" D0 "\"}]"),
	  "layers[0].size: expected a number, found a string" },
	{ WITH_CONFIG("[{\"mediaType\":\"a/b\",\"size\":1.5,\"digest\":\"" D0 "\"}]"),
	  "layers[0].size: expected an integer, found 1.5" },
	{ WITH_CONFIG("[{\"mediaType\":\"a/b\",\"size\":1099511627777,\"digest\":\"" D0 "\"}]"),
	  "layers[0].size: 1099511627777 is not between" },
	{ WITH_CONFIG("[{\"mediaType\":\"a/b\",\"size\":18446744073709551617,\"digest\":\"" D0
		      "\"}]"),
	  "layers[0].size: 18446744073709551617 is not between" },
	{ WITH_CONFIG(
		  "[{\"mediaType\":\"a/b\",\"size\":1,\"digest\":\"sha256:../../../etc/passwd\"}]"),
	  "layers[0].digest: \"sha256:../../../etc/passwd\" is not a digest: expected lower-case" },
	{ WITH_CONFIG("[{\"mediaType\":\"a/b\",\"size\":1,\"digest\":\"sha256:" H0 "0\"}]"),
	  "is not a digest: expected 64 hexadecimal digits behind sha256:" },
	{ WITH_CONFIG("[{\"mediaType\":\"a/b\",\"size\":1,\"digest\":\":" H0 "\"}]"),
	  "is not a digest: the algorithm is not sha256 or sha512" },
	{ WITH_CONFIG("[{\"mediaType\":\"a/b\",\"size\":1,\"digest\":\"md5:0\"}]"),
	  "\"md5:0\" is not a digest: the algorithm is not sha256 or sha512" },
	{ MANIFEST("\"config\":{\"mediaType\":\"a/b\",\"size\":5000000,\"digest\":\"" D0
		   "\"},\"layers\":[" OCI_LAYER "]"),
	  "config.size: 5000000 bytes are too much for a document" },
	{ MANIFEST(
		  "\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"config\":" OCI_CONFIG
		  ",\"layers\":[" OCI_LAYER "]"),
	  "mediaType: expected an image manifest, found "
	  "\"application/vnd.oci.image.index.v1+json\"" },
	{ MANIFEST("\"manifests\":[],\"config\":" OCI_CONFIG ",\"layers\":[" OCI_LAYER "]"),
	  "manifests: has no place in an image manifest" },
	{ WITH_CONFIG("[" OCI_LAYER "],\"annotations\":{\"a\":1}"),
	  "annotations.a: expected a string, found a number" },
	{ WITH_CONFIG("[" OCI_LAYER "],\"schemaVersion\":2"), "schemaVersion" },
	{ WITH_CONFIG("[" OCI_LAYER "],\"subject\":{}"), "subject.mediaType: missing" },
};

Test(image_documents, good_manifests)
{
	for (size_t i = 0; i < ARRAY_LEN(good_manifests); i++) {
		const char *text = good_manifests[i].text;
		struct image_manifest m = { .schema_version = 0 }, again = { .schema_version = 0 };
		auto_buf struct buf written = { 0 }, twice = { 0 };
		enum media_kind kind = MEDIA_UNKNOWN;
		const struct media_type *t;
		struct err e = { 0 };

		cr_assert_eq(image_manifest_parse(&m, "m", text, strlen(text), &e), 0, "%zu: %s", i,
			     e.msg);
		cr_expect_eq(m.layers.n, good_manifests[i].layers);
		t = media_type_find(m.layers.at[0].media_type);
		cr_expect_eq(t->compression, good_manifests[i].compression);
		cr_expect_eq(t->docker, good_manifests[i].docker);
		cr_assert_eq(image_document_kind("m", text, strlen(text), &kind, &e), 0, "%s",
			     e.msg);
		cr_expect_eq(kind, MEDIA_MANIFEST);
		/* What is written is read as the same. */
		image_manifest_write(&m, &written);
		cr_assert_eq(image_manifest_parse(&again, "m", written.text, written.len, &e), 0,
			     "%s", e.msg);
		image_manifest_write(&again, &twice);
		cr_expect_str_eq(written.text, twice.text);
		image_manifest_done(&m);
		image_manifest_done(&again);
	}
}

Test(image_documents, bad_manifests)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_manifests); i++) {
		const char *text = bad_manifests[i].text;
		struct image_manifest m;
		struct err e = { 0 };

		cr_expect_lt(image_manifest_parse(&m, "m", text, strlen(text), &e), 0, "%s", text);
		cr_expect(strncmp(e.msg, "m:", 2) == 0 && strstr(e.msg, bad_manifests[i].message),
			  "%s: %s", bad_manifests[i].message, e.msg);
	}
}

Test(image_documents, limits)
{
	auto_buf struct buf text = { 0 };
	struct image_manifest m;
	struct err e = { 0 };

	buf_str(&text, "{\"schemaVersion\":2,\"config\":" OCI_CONFIG ",\"layers\":[" OCI_LAYER);
	for (int i = 0; i < IMAGE_LAYERS_MAX; i++)
		buf_str(&text, "," OCI_LAYER);
	buf_str(&text, "]}");
	cr_assert_eq(image_manifest_parse(&m, "m", text.text, text.len, &e), -EINVAL);
	cr_assert(strstr(e.msg, "layers: 501 entries, more than 500"), "%s", e.msg);
	while (text.len <= IMAGE_DOCUMENT_MAX)
		buf_str(&text, "                                                                ");
	cr_assert_eq(image_manifest_parse(&m, "m", text.text, text.len, &e), -EFBIG);
	cr_assert_str_eq(e.msg, "m: larger than 4 MiB");
}

#define ENTRY(rest)                     \
	"{\"mediaType\":\"application/" \
	"vnd.oci.image.manifest.v1+json\",\"size\":7,\"digest\":\"" D0 "\"" rest "}"
#define INDEX(manifests) "{\"schemaVersion\":2,\"manifests\":" manifests "}"

static const struct {
	const char *text;
	size_t n;
} good_indexes[] = {
	{ INDEX("[]"), 0 },
	{ INDEX("[" ENTRY("") "]"), 1 },
	{ INDEX("[" ENTRY(",\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}") "," ENTRY(
		  ",\"platform\":{\"architecture\":\"ppc64le\",\"os\":\"linux\",\"os.version\":"
		  "\"1\","
		  "\"os.features\":[\"x\"],\"variant\":\"v1\",\"features\":[\"sse4\"]},"
		  "\"annotations\":{\"a\":\"b\"}") "]"),
	  2 },
	{ "{\"schemaVersion\":2,\"mediaType\":\"application/"
	  "vnd.docker.distribution.manifest.list.v2+json\","
	  "\"manifests\":[" ENTRY("") "],\"annotations\":{\"com.example.key1\":\"value1\"}}",
	  1 },
};

static const struct {
	const char *text, *message;
} bad_indexes[] = {
	{ "{\"schemaVersion\":2}", "manifests: missing" },
	{ INDEX("{}"), "manifests: expected an array" },
	{ INDEX("[{}]"), "manifests[0].mediaType: missing" },
	{ INDEX("[" ENTRY(",\"platform\":{\"os\":\"linux\"}") "]"),
	  "manifests[0].platform.architecture: missing" },
	{ INDEX("[" ENTRY(",\"platform\":{\"architecture\":\"amd64\"}") "]"),
	  "manifests[0].platform.os: missing" },
	{ INDEX("[" ENTRY(",\"platform\":{\"architecture\":1,\"os\":\"linux\"}") "]"),
	  "manifests[0].platform.architecture: expected a string, found a number" },
	{ INDEX("[{\"mediaType\":\"invalid\",\"size\":7,\"digest\":\"" D0 "\"}]"),
	  "manifests[0].mediaType: \"invalid\" is not a media type" },
	{ INDEX("[{\"mediaType\":\"a/b\",\"size\":4194305,\"digest\":\"" D0 "\"}]"),
	  "manifests[0].size: 4194305 bytes are too much for a document" },
	{ "{\"schemaVersion\":2,\"mediaType\":\"invalid\",\"manifests\":[]}",
	  "mediaType: expected an image index, found \"invalid\"" },
	{ "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}",
	  "layers: has no place in an image index" },
	{ "{\"schemaVersion\":2,\"manifests\":[],\"config\":{}}",
	  "config: has no place in an image index" },
	{ "{\"schemaVersion\":1,\"manifests\":[]}", "schemaVersion: expected 2, found 1" },
};

Test(image_documents, indexes)
{
	for (size_t i = 0; i < ARRAY_LEN(good_indexes); i++) {
		const char *text = good_indexes[i].text;
		struct image_index x = { .schema_version = 0 }, again = { .schema_version = 0 };
		auto_buf struct buf written = { 0 }, twice = { 0 };
		enum media_kind kind = MEDIA_UNKNOWN;
		struct err e = { 0 };

		cr_assert_eq(image_index_parse(&x, "i", text, strlen(text), &e), 0, "%zu: %s", i,
			     e.msg);
		cr_expect_eq(x.manifests.n, good_indexes[i].n);
		cr_assert_eq(image_document_kind("i", text, strlen(text), &kind, &e), 0, "%s",
			     e.msg);
		cr_expect_eq(kind, MEDIA_INDEX);
		image_index_write(&x, &written);
		cr_assert_eq(image_index_parse(&again, "i", written.text, written.len, &e), 0, "%s",
			     e.msg);
		image_index_write(&again, &twice);
		cr_expect_str_eq(written.text, twice.text);
		image_index_done(&x);
		image_index_done(&again);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad_indexes); i++) {
		struct image_index x;
		struct err e = { 0 };

		cr_expect_lt(image_index_parse(&x, "i", bad_indexes[i].text,
					       strlen(bad_indexes[i].text), &e),
			     0);
		cr_expect(strncmp(e.msg, "i:", 2) == 0 && strstr(e.msg, bad_indexes[i].message),
			  "%s: %s", bad_indexes[i].message, e.msg);
	}
}

Test(image_documents, neither_of_them)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "{}", "neither an image index nor a manifest" },
		{ "3", "expected an object, found a number" },
		{ "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\"}",
		  "mediaType: expected an image index or manifest, found" },
		{ "{\"errors\":[{\"code\":\"DENIED\"}]}", "neither an image index nor a manifest" },
		{ "<html>", "d:1:1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum media_kind kind;
		struct err e = { 0 };

		cr_expect_eq(image_document_kind("d", rows[i].text, strlen(rows[i].text), &kind,
						 &e),
			     -EINVAL);
		cr_expect(strstr(e.msg, rows[i].message), "%s", e.msg);
	}
}

#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\",\"" D2 "\"]}"
#define IMAGE(rest) "{\"architecture\":\"amd64\",\"os\":\"linux\"" rest "}"

static const char full_config[] = IMAGE(
	",\"created\":\"2015-10-31T22:22:56.015925234Z\",\"author\":\"Alyssa\",\"variant\":\"v2\","
	"\"config\":{\"User\":\"alice\",\"ExposedPorts\":{\"8080/tcp\":{},\"53/"
	"udp\":{}},\"Env\":[\"A=b\"],"
	"\"Entrypoint\":[\"/bin/e\"],\"Cmd\":[\"--x\",\"y\"],\"Volumes\":{\"/var/a\":{},\"/"
	"b\":null},"
	"\"WorkingDir\":\"/home/alice\",\"Labels\":{\"l\":\"1\"},\"StopSignal\":\"SIGKILL\","
	"\"StopTimeout\":5,\"Shell\":[\"/bin/sh\",\"-c\"],\"OnBuild\":null,\"ArgsEscaped\":true,"
	"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"true\"],\"Interval\":30000000000,\"Retries\":3}"
	"}," ROOTFS
	",\"history\":[{\"created_by\":\"a\"},{\"created_by\":\"b\",\"empty_layer\":true},{}]");

Test(image_documents, a_full_configuration)
{
	struct image_config c;
	struct err e = { 0 };

	cr_assert_eq(image_config_parse(&c, "c", full_config, strlen(full_config), &e), 0, "%s",
		     e.msg);
	cr_expect_str_eq(c.created, "2015-10-31T22:22:56.015925234Z");
	cr_expect_str_eq(c.platform.variant, "v2");
	cr_expect_str_eq(c.run.user, "alice");
	cr_expect_eq(c.run.exposed_ports.n, 2);
	cr_expect_str_eq(c.run.exposed_ports.at[1].name, "53/udp");
	cr_expect_eq(c.run.volumes.n, 2);
	cr_expect_str_eq(c.run.volumes.at[1].name, "/b");
	cr_expect_eq(c.run.cmd.n, 2);
	cr_expect(c.run.stop_timeout.set && c.run.stop_timeout.value == 5);
	cr_expect_str_eq(c.run.labels.at[0].value, "1");
	cr_expect_eq(c.run.healthcheck->interval, 30000000000);
	cr_expect_eq(c.rootfs.diff_ids.n, 2);
	cr_expect_str_eq(c.rootfs.diff_ids.at[1].text, D2);
	cr_expect_eq(c.history.n, 3);
	image_config_done(&c);
}

static const struct {
	const char *text, *message; /* NULL: it is fine */
} configs[] = {
	{ IMAGE("," ROOTFS), NULL },
	{ IMAGE(",\"config\":null," ROOTFS), NULL },
	{ IMAGE(",\"config\":{\"Entrypoint\":null,\"Cmd\":null,\"Volumes\":null,\"Labels\":null,"
		"\"Env\":null,\"ExposedPorts\":null,\"WorkingDir\":\"\"}," ROOTFS),
	  NULL },
	{ IMAGE(",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}"), NULL },
	{ "{\"os\":\"linux\"," ROOTFS "}", "architecture: missing" },
	{ "{\"architecture\":\"amd64\"," ROOTFS "}", "os: missing" },
	{ "{\"architecture\":\"\",\"os\":\"linux\"," ROOTFS "}", "architecture: is empty" },
	{ IMAGE(""), "rootfs: missing" },
	{ IMAGE(",\"rootfs\":{\"type\":\"layers\"}"), "rootfs.diff_ids: missing" },
	{ IMAGE(",\"rootfs\":{\"diff_ids\":[]}"), "rootfs.type: missing" },
	{ IMAGE(",\"rootfs\":{\"type\":\"tar\",\"diff_ids\":[]}"),
	  "rootfs.type: expected \"layers\", found \"tar\"" },
	{ IMAGE(",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[7]}"),
	  "rootfs.diff_ids[0]: expected a string, found a number" },
	{ IMAGE(",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:x\"]}"),
	  "rootfs.diff_ids[0]: \"sha256:x\" is not a digest" },
	{ IMAGE(",\"config\":{\"Env\":[7]}," ROOTFS),
	  "config.Env[0]: expected a string, found a number" },
	{ IMAGE(",\"config\":{\"Env\":\"A=b\"}," ROOTFS), "config.Env: expected an array" },
	{ IMAGE(",\"config\":{\"Volumes\":[\"/a\"]}," ROOTFS),
	  "config.Volumes: expected an object" },
	{ IMAGE(",\"config\":{\"Volumes\":{\"/a\":1}}," ROOTFS),
	  "expected an object, found a number" },
	{ IMAGE(",\"config\":{\"User\":1000}," ROOTFS),
	  "config.User: expected a string, found a number" },
	{ IMAGE(",\"config\":{\"Cmd\":[\"a\\u0000b\"]}," ROOTFS), "c:1:" },
	{ IMAGE(",\"history\":{}," ROOTFS), "history: expected an array" },
	{ IMAGE(",\"os\":\"linux\"," ROOTFS), "c:1:" },
};

Test(image_documents, configurations)
{
	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		const char *text = configs[i].text;
		struct image_config c;
		struct err e = { 0 };
		int r = image_config_parse(&c, "c", text, strlen(text), &e);

		if (!configs[i].message) {
			cr_expect_eq(r, 0, "%zu: %s", i, e.msg);
			image_config_done(&c);
			continue;
		}
		cr_expect_lt(r, 0, "%s", text);
		cr_expect(strncmp(e.msg, "c:", 2) == 0 && strstr(e.msg, configs[i].message),
			  "%s: %s", configs[i].message, e.msg);
	}
}

Test(image_documents, pairs)
{
	static const struct {
		const char *manifest, *config, *message;
	} rows[] = {
		{ WITH_CONFIG("[" OCI_LAYER "," OCI_LAYER "]"), IMAGE("," ROOTFS), NULL },
		{ WITH_CONFIG("[" OCI_LAYER "]"), IMAGE("," ROOTFS),
		  "p: the manifest has 1 layers and the configuration 2 diff_ids" },
		{ WITH_CONFIG("[" OCI_LAYER "," LAYER("x/y") "]"), IMAGE("," ROOTFS),
		  "p: layers[1]: \"x/y\" is not a layer that can be unpacked" },
		{ WITH_CONFIG("[" OCI_LAYER "," LAYER(
			  "application/vnd.oci.image.layer.v1.tar+gzip+encrypted") "]"),
		  IMAGE("," ROOTFS), "is encrypted, and there is no key" },
		{ MANIFEST("\"config\":" CONFIG(
			  "application/vnd.oci.empty.v1+json") ",\"layers\":[" OCI_LAYER "]"),
		  IMAGE("," ROOTFS),
		  "p: not an image that runs: its configuration is of the type "
		  "\"application/vnd.oci.empty.v1+json\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image_manifest m;
		struct image_config c;
		struct err e = { 0 };
		int r;

		cr_assert_eq(image_manifest_parse(&m, "m", rows[i].manifest,
						  strlen(rows[i].manifest), &e),
			     0, "%s", e.msg);
		cr_assert_eq(image_config_parse(&c, "c", rows[i].config, strlen(rows[i].config),
						&e),
			     0, "%s", e.msg);
		r = image_check_pair(&m, &c, "p", &e);
		cr_expect_eq(r < 0, rows[i].message != NULL, "%s", e.msg);
		cr_expect(!rows[i].message || strstr(e.msg, rows[i].message), "%s", e.msg);
		image_manifest_done(&m);
		image_config_done(&c);
	}
}

Test(image_documents, docker_archives)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "[{\"Config\":\"a.json\",\"RepoTags\":[\"a:b\"],\"Layers\":[\"a/"
		  "layer.tar\",\"blobs/sha256/0\"]}]",
		  NULL },
		{ "[{\"Config\":\"..a/..b\",\"RepoTags\":null,\"Layers\":null}]", NULL },
		{ "{}", "a:1:1: expected an array, found an object" },
		{ "[]", "expected 1 to 10000 images, found 0" },
		{ "[1]", "expected an object, found a number" },
		{ "[{}]", "Config: missing" },
		{ "[{\"Config\":\"/a\"}]", "\"/a\" is not a path in the archive" },
		{ "[{\"Config\":\"a/../../b\"}]", "is not a path in the archive" },
		{ "[{\"Config\":\"a\",\"Layers\":[\"b\",\"..\"]}]",
		  "\"..\" is not a path in the archive" },
		{ "[{\"Config\":\"a\",\"Layers\":[\"\"]}]", "\"\" is not a path in the archive" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct docker_archive d;
		struct err e = { 0 };
		int r = docker_archive_parse(&d, "a", rows[i].text, strlen(rows[i].text), &e);

		cr_expect_eq(r < 0, rows[i].message != NULL, "%zu: %s", i, e.msg);
		cr_expect(!rows[i].message || strstr(e.msg, rows[i].message), "%zu: %s", i, e.msg);
		if (r == 0)
			docker_archive_done(&d);
	}
}

Test(image_documents, layout_file)
{
	static const char good[] = "{\"imageLayoutVersion\":\"1.0.0\"}",
			  old[] = "{\"imageLayoutVersion\":\"0.1\"}";
	struct err e = { 0 };

	cr_assert_eq(image_layout_check("l", good, strlen(good), &e), 0, "%s", e.msg);
	cr_assert_eq(image_layout_check("l", old, strlen(old), &e), -EINVAL);
	cr_assert(strstr(e.msg, "imageLayoutVersion: expected version 1, found \"0.1\""), "%s",
		  e.msg);
	cr_assert_eq(image_layout_check("l", "{}", 2, &e), -EINVAL);
}
