/* Templates of --format. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "cli/template.h"

static const char document[] =
	"{\"Name\": \"web one\", \"Id\": \"0123456789\", \"N\": 3, \"Yes\": true, \"No\": false,"
	" \"Empty\": \"\", \"Null\": null, \"Image\": \"hull/busybox:1\","
	" \"Args\": [\"a\", \"b c\", 7], \"None\": [], \"State\": {\"Status\": \"running\"},"
	" \"Labels\": {\"a.b\": \"x\", \"c\": \"\\\"y\\\"\"},"
	" \"Nets\": {\"one\": {\"IP\": \"10.0.0.1\"}, \"two\": {\"IP\": \"10.0.0.2\"}}}";

static int fill(const char *template, bool heading, struct buf *ret, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_json struct json_doc doc = { .name = "test",
					  .text = document,
					  .size = sizeof(document) - 1 };
	struct template_scope scope = { .heading = heading };

	cr_assert_eq(json_parse(&doc, &a, e), 0, "%s", e->msg);
	scope.value = doc.root;
	scope.labels = json_member(doc.root, "Labels");
	buf_str(ret, "");
	return template_print(template, &scope, ret, e);
}

struct row {
	const char *template, *result;
};

static void expect_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		auto_buf struct buf out = { 0 };
		struct err e = { 0 };

		cr_expect_eq(fill(rows[i].template, false, &out, &e), 0, "%s: %s", rows[i].template,
			     e.msg);
		cr_expect_str_eq(out.text, rows[i].result, "%s: %s", rows[i].template, out.text);
	}
}

Test(cli_template, values)
{
	static const struct row rows[] = {
		{ "", "" },
		{ "plain } text {", "plain } text {" },
		{ "{{.Name}}|{{ .N }}|{{.Yes}}|{{.Null}}", "web one|3|true|null" },
		{ "{{.State.Status}}\\t{{$.State.Status}}\\n", "running\trunning\n" },
		{ "{{.Args}}", "[\"a\",\"b c\",7]" },
		{ "{{.Label \"a.b\"}}{{.Label \"nothing\"}}", "x" },
		{ "{{$.Label \"a.b\"}}{{range .Nets}}{{$.Label \"a.b\"}}{{end}}", "xxx" },
		{ "{{\"a}}b\"}}{{`c\\d`}}{{\"\\\"\\n\"}}{{12}}{{true}}", "a}}bc\\d\"\n12true" },
	};

	expect_rows(rows, ARRAY_LEN(rows));
}

Test(cli_template, functions)
{
	static const struct row rows[] = {
		{ "{{json .Labels}}", "{\"a.b\":\"x\",\"c\":\"\\\"y\\\"\"}" },
		{ "{{.Name | json}}", "\"web one\"" },
		{ "{{json (.Label \"nothing\")}}", "null" },
		{ "{{join .Args \", \"}}|{{join .None \",\"}}", "a, b c, 7|" },
		{ "{{lower \"ABC\"}}{{upper .Name}}{{title .Name}}", "abcWEB ONEWeb One" },
		{ "{{.Name | upper | lower}}", "web one" },
		{ "{{split .Image \":\"}}", "[\"hull/busybox\",\"1\"]" },
		{ "{{index (split .Image \":\") 1}}", "1" },
		{ "{{json (split \"a\xc3\xa4\" \"\")}}", "[\"a\",\"\xc3\xa4\"]" },
		{ "{{join (split .Image \"/\") \"_\" | upper}}", "HULL_BUSYBOX:1" },
		{ "{{println .N .Name}}", "3 web one\n" },
		{ "{{println}}", "\n" },
		{ "<{{pad \"x\" 1 2}}><{{pad .Empty 1 2}}>", "< x  ><>" },
		{ "{{truncate .Id 5}}{{truncate \"\xc3\xa4\xc3\xb6\" 1}}{{truncate \"a\" 9}}",
		  "01234\xc3\xa4"
		  "a" },
		{ "{{index .Labels \"a.b\"}}{{index .Args 1}}{{index .Args 9}}{{index .Nets "
		  "\"one\" \"IP\"}}",
		  "xb c10.0.0.1" },
		{ "{{len .Args}}{{len .Id}}{{len .Labels}}{{len .None}}", "31020" },
		{ "{{(index .Nets \"one\").IP}}", "10.0.0.1" },
		{ "{{eq .N 3}} {{eq .State.Status \"a\" \"running\"}} {{ne .N 3}} {{eq .N \"3\"}}",
		  "true true false false" },
		{ "{{and .Yes .N}} {{and .No .N}} {{or .No .Empty .Id}} {{not .Empty}}",
		  "3 false 0123456789 true" },
	};

	expect_rows(rows, ARRAY_LEN(rows));
}

Test(cli_template, blocks)
{
	static const struct row rows[] = {
		{ "{{if .Yes}}a{{end}}{{if .No}}b{{else}}c{{end}}{{if .Empty}}d{{end}}", "ac" },
		{ "{{if eq .N 1}}a{{else if eq .N 3}}b{{else}}c{{end}}", "b" },
		{ "{{if .Yes}}a{{else if .Nothing.There}}b{{else}}c{{end}}", "a" },
		{ "{{if .Health}}{{.Health.Status}}{{else}}none{{end}}", "none" },
		{ "{{if .No}}{{if .Yes}}a{{else}}b{{end}}{{else}}c{{end}}", "c" },
		{ "{{with .State}}{{.Status}} {{$.N}}{{end}}{{with .None}}x{{else}}y{{end}}",
		  "running 3y" },
		{ "{{range .Nets}}{{.IP}} {{end}}", "10.0.0.1 10.0.0.2 " },
		{ "{{range.Args}}<{{.}}>{{end}}", "<a><b c><7>" },
		{ "{{range .None}}a{{else}}none{{end}}{{range .Null}}b{{end}}", "none" },
		{ "{{range $k, $v := .Nets}}{{$k}}={{$v.IP}},{{$.N}};{{end}}",
		  "one=10.0.0.1,3;two=10.0.0.2,3;" },
		{ "{{range $i, $v := .Args}}{{$i}}{{end}}{{range $v := .Args}}{{$v}}{{end}}",
		  "012ab c7" },
		{ "{{range $k, $v := .Nets}}{{range $w := "
		  "$.None}}{{$w}}{{else}}{{$k}}{{end}}{{end}}",
		  "onetwo" },
		{ "{{range .Nets}}{{if eq .IP \"10.0.0.2\"}}{{.IP}}{{end}}{{end}}", "10.0.0.2" },
	};

	expect_rows(rows, ARRAY_LEN(rows));
}

Test(cli_template, wrong)
{
	static const struct row rows[] = {
		{ "{{.Name", "\"}}\" is missing" },
		{ "{{}}", "\"{{}}\" names nothing" },
		{ "{{.State.Nothing}}", "there is no field \".State.Nothing\"" },
		{ "{{.Name.}}", "there is no field \".Name.\"" },
		{ "{{frob .Name}}", "there is no function \"frob\"" },
		{ "{{.Name | frob}}", "there is no function \"frob\"" },
		{ "{{.Name | .Id}}", "what follows \"|\" is no function" },
		{ "{{.Name | }}", "what follows \"|\" is no function" },
		{ "{{| json}}", "nothing is before \"|\"" },
		{ "{{.Name .Id}}", "\".Id\" is more than hull understands" },
		{ "{{json Name}}", "\"Name\" is no field; one begins with a dot" },
		{ "{{json}}", "expected {{json VALUE}}" },
		{ "{{json .Name .Id}}", "expected {{json VALUE}}" },
		{ "{{join .Name \",\"}}", "join: expected an array, not a string" },
		{ "{{upper .Args}}", "upper: expected a text, not an array" },
		{ "{{pad .N 1 1}}", "pad: expected a text, not a number" },
		{ "{{pad .Name .Id 1}}", "pad: expected a number, not a string" },
		{ "{{pad .Name 1 100000}}", "pad: 100000 is no number from 0 to 1000" },
		{ "{{truncate .Name -1}}", "truncate: -1 is no number from 0 to 2147483647" },
		{ "{{len .N}}", "len: a number has no length" },
		{ "{{1x}}", "\"1x\" is no number" },
		{ "{{(.Name}}", "\")\" is missing" },
		{ "{{.Label .Name}}", "expected {{.Label \"KEY\"}}" },
		{ "{{index .Labels \"a}}", "a quotation mark is missing" },
		{ "{{$x}}", "there is no variable \"$x\"" },
		{ "{{if .Yes}}a", "the {{end}} of {{if}} is missing" },
		{ "{{range .Args}}a{{else}}b", "the {{end}} of {{range}} is missing" },
		{ "{{end}}", "there is nothing that {{end}} belongs to" },
		{ "{{else}}", "there is nothing that {{else}} belongs to" },
		{ "{{with .Yes}}{{else}}{{else}}{{end}}", "{{with}} has two {{else}}" },
		{ "{{with .Yes}}{{else with .No}}{{end}}", "{{else}} of {{with}} takes nothing" },
		{ "{{if .Yes}}{{end foo}}", "{{end}} of {{if}} takes nothing" },
		{ "{{range .Nets}}{{end foo}}", "{{end}} of {{range}} takes nothing" },
		{ "{{range .Name}}{{end}}", "range: expected an array or an object, not a string" },
		{ "{{range $a, .Name}}{{end}}", "expected {{range $key, $value := VALUE}}" },
		{ "{{if frob}}{{end}}", "there is no function \"frob\"" },
		{ "{{((((((((((((((((((((((((((((((((((.N))))))))))))))))))))))))))))))))))}}",
		  "too many parentheses in each other" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = { 0 };
		struct err e = { 0 };

		cr_expect_eq(fill(rows[i].template, false, &out, &e), -EINVAL, "%s",
			     rows[i].template);
		cr_expect_eq(strncmp(e.msg, "--format: ", 10), 0, "%s", e.msg);
		cr_expect_str_eq(e.msg + 10, rows[i].result, "%s: %s", rows[i].template, e.msg);
	}
}

/* The fields are their headings; functions leave them alone. */
Test(cli_template, headings)
{
	static const struct row rows[] = {
		{ "{{.Name}}\\t{{lower .Image}}", "web one\thull/busybox:1" },
		{ "{{.Label \"com.example.two-words_x\"}}", "two words x" },
		{ "{{index (split .Image \":\") 0 | json}}", "hull/busybox:1" },
		{ "{{range split .Name \",\"}}{{.}}{{end}}", "web one" },
		{ "{{index . \"Name\"}}\t{{len .State}}", "web one\t1" },
		{ "{{index $ \"Image\" | upper}}", "hull/busybox:1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = { 0 };
		struct err e = { 0 };

		cr_expect_eq(fill(rows[i].template, true, &out, &e), 0, "%s", e.msg);
		cr_expect_str_eq(out.text, rows[i].result, "%s", out.text);
	}
}
