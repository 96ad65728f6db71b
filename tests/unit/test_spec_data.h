/* test_spec_data.h - documents that the tests of spec/ read. */
#ifndef HULL_TESTS_TEST_SPEC_DATA_H
#define HULL_TESTS_TEST_SPEC_DATA_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "spec/spec.h"

enum { DATA_NAMES_MAX = 1024 };

/* Below the source directory, which automake's test driver names. */
static inline char *data_path(const char *relative)
{
	const char *srcdir = getenv("srcdir");
	struct buf path = { 0 };

	buf_printf(&path, "%s/%s", srcdir ? srcdir : ".", relative);
	return path.text;
}

static inline void data_read(const char *dir, const char *name, struct buf *ret)
{
	auto_buf struct buf path = { 0 };
	char chunk[4096];
	size_t n;
	FILE *f;

	buf_printf(&path, "%s/%s", dir, name);
	f = fopen(path.text, "re");
	cr_assert(f, "cannot open %s", path.text);
	buf_clear(ret);
	buf_str(ret, "");
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(ret, chunk, n);
	fclose(f);
}

/* The names in `dir` that end so, sorted; 0 if there is no such directory. */
static inline size_t data_list(const char *dir, const char *end, const char *names[DATA_NAMES_MAX])
{
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort);
	size_t count = 0;

	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		size_t len = strlen(name);

		if (len > strlen(end) && strcmp(name + len - strlen(end), end) == 0) {
			cr_assert_lt(count, DATA_NAMES_MAX);
			names[count++] = mem_strdup(name);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return count;
}

/* Parses a document as what its name says that it is. */
static inline int data_parse(const char *name, const struct buf *text, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_spec struct spec spec = { 0 };
	struct spec_process process;
	struct spec_resources resources;

	if (strstr(name, ".exec-process"))
		return spec_parse_process(&process, &a, "config.json", text->text, text->len, e);
	if (strstr(name, ".update-resources"))
		return spec_parse_resources(&resources, &a, "config.json", text->text, text->len,
					    e);
	return spec_parse(&spec, "config.json", text->text, text->len, e);
}

#endif
