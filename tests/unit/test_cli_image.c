/* An image as Docker's inspect shows it. */
#include <criterion/criterion.h>

#include "base/json.h"
#include "cli/image_json.h"
#include "cli/template.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char whole[] =
	"{\"created\":\"2026-01-02T03:04:05Z\",\"author\":\"me\",\"architecture\":\"arm64\","
	"\"variant\":\"v8\",\"os\":\"linux\",\"config\":{\"User\":\"www\",\"ExposedPorts\":{\"80/tcp\":{}},"
	"\"Env\":[\"A=b\"],\"Cmd\":[\"sh\",\"-c\",\"x\"],\"Entrypoint\":[\"/init\"],"
	"\"Volumes\":{\"/data\":{}},\"WorkingDir\":\"/srv\",\"Labels\":{\"a.b\":\"c\"},"
	"\"StopSignal\":\"SIGQUIT\",\"StopTimeout\":5,\"Healthcheck\":{\"Test\":[\"CMD\",\"ok\"],\"Retries\":2}},"
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX "\"]},"
	"\"history\":[{\"comment\":\"first\",\"empty_layer\":true},{\"comment\":\"last\"}]}";
static const char bare[] = "{\"architecture\":\"amd64\",\"os\":\"linux\","
			   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";

static void digest(const char *text, struct digest *ret)
{
	struct err e = { 0 };

	cr_assert_eq(digest_parse(text, ret, &e), 0, "%s", e.msg);
}

static void expect_rows(const char *text, size_t size, const struct image_json *how,
			const char *const (*rows)[2], size_t n)
{
	struct image image = { .size = 77 };
	auto_buf struct buf b = { 0 };
	struct json_writer w = json_writer(&b, NULL);
	struct image_json i = *how;
	auto_arena struct arena a = { 0 };
	auto_json struct json_doc doc = { .name = "image" };
	struct err e = { 0 };

	cr_assert_eq(image_config_parse(&image.config, "config", text, size, &e), 0, "%s", e.msg);
	digest("sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", &image.id);
	digest("sha256:2123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	       &image.digest);
	i.image = &image;
	i.config = text;
	image_json_write(&w, &i);
	doc.text = b.text;
	doc.size = b.len;
	cr_assert_eq(json_parse(&doc, &a, &e), 0, "%s\n%s", e.msg, b.text);
	for (size_t k = 0; k < n; k++) {
		auto_buf struct buf out = { 0 };

		buf_str(&out, "");
		cr_expect_eq(template_print(rows[k][0],
					    &(struct template_scope){ .value = doc.root }, &out, &e),
			     0, "%s: %s", rows[k][0], e.msg);
		cr_expect_str_eq(out.text, rows[k][1], "%s: %s", rows[k][0], out.text);
	}
	image_config_done(&image.config);
}

Test(cli_image, all_that_it_has)
{
	static const char *const rows[][2] = {
		{ "{{.Id}}",
		  "sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
		{ "{{join .RepoTags \" \"}}", "debian:12 localhost/x/y:a host:5000/z:1" },
		{ "{{len .RepoDigests}} {{index .RepoDigests 0}}",
		  "3 debian@sha256:3123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
		{ "{{.Name}} {{.Size}} {{.Comment}} {{.Author}}",
		  "docker.io/library/debian:12 77 last me" },
		{ "{{.Created}} {{.Architecture}}/{{.Variant}} {{.Os}}",
		  "2026-01-02T03:04:05Z arm64/v8 linux" },
		{ "{{join .Config.Cmd \" \"}} {{index .Config.Entrypoint 0}}", "sh -c x /init" },
		{ "{{.Config.Cmd}}", "[\"sh\",\"-c\",\"x\"]" },
		{ "{{range .Config.Env}}{{.}};{{end}}{{.Config.User}} {{.Config.WorkingDir}}",
		  "A=b;www /srv" },
		{ "{{range $p, $v := .Config.ExposedPorts}}{{$p}}{{end}}", "80/tcp" },
		{ "{{range $p, $v := .Config.Volumes}}{{$p}}{{end}}", "/data" },
		{ "{{index .Config.Labels \"a.b\"}} {{.Config.StopSignal}} {{.Config.StopTimeout}}",
		  "c SIGQUIT 5" },
		{ "{{join .Config.Healthcheck.Test \",\"}} {{.Config.Healthcheck.Retries}}", "CMD,ok 2" },
		{ "{{.RootFS.Type}} {{range .RootFS.Layers}}{{.}}{{end}}", "layers sha256:" HEX },
		{ "{{.ImageConfig.config.User}}", "www" },
	};
	const char *names[] = { "docker.io/library/debian:12", "localhost/x/y:a", "host:5000/z:1",
				"host:5000/z@sha256:" HEX };
	struct digest index;

	digest("sha256:3123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", &index);
	expect_rows(whole, sizeof(whole) - 1,
		    &(struct image_json){ .index = &index,
					  .name = names[0],
					  .names = { names, ARRAY_LEN(names) } },
		    rows, ARRAY_LEN(rows));
}

/* What there is not is empty, and no field that is missing. */
Test(cli_image, nothing_of_it)
{
	static const char *const rows[][2] = {
		{ "{{json .RepoTags}}{{json .RepoDigests}}{{.Name}}{{.Comment}}", "[][]" },
		{ "{{.Created}}{{.Author}}{{.Variant}}{{.OsVersion}}", "" },
		{ "{{.Config.Cmd}}{{.Config.Entrypoint}}{{.Config.Env}}{{.Config.Shell}}", "[][][][]" },
		{ "{{.Config.User}}{{.Config.StopSignal}}{{.Config.Hostname}}", "" },
		{ "{{json .Config.Labels}}{{json .Config.ExposedPorts}}{{json .Config.Volumes}}", "{}{}{}" },
		{ "{{if .Config.Healthcheck}}yes{{else}}no{{end}}{{if .Config.StopTimeout}}yes{{end}}", "no" },
		{ "{{json .RootFS.Layers}}{{json .Layers}}", "[][]" },
	};

	expect_rows(bare, sizeof(bare) - 1, &(struct image_json){ 0 }, rows, ARRAY_LEN(rows));
}
