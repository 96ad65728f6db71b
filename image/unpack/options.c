#include "image/unpack/options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json.h"

enum { IDS_FILE_BYTES = 64 * 1024 };

/* Enough for every image that is known, and an end for those that have none. */
#define ENTRIES_MAX UINT64_C(4000000)
#define BYTES_MAX (UINT64_C(256) << 30)

const char options_usage[] =
	"usage: hull-unpack --dir-fd N [OPTION...] <LAYER\n"
	"\n"
	"Makes the entries of an image layer (tar, plain or compressed with gzip or zstd)\n"
	"beneath the directory that is open as descriptor N. Prints one line of JSON.\n"
	"\n"
	"  --whiteouts MODE    overlay (the default), userxattr, apply; or plain: there are\n"
	"                      none, and the directory is one that is in use (extract.h)\n"
	"  --ids ROWS          u:FROM:TO:COUNT,g:FROM:TO:COUNT,...; a file of such lines, by\n"
	"                      its absolute path; or squash, to own everything\n"
	"  --max-entries N     refuse a layer with more (4000000)\n"
	"  --max-bytes N       refuse a layer, or files in it together, with more (256 GiB)\n"
	"  --diff-id DIGEST    sha256:HEX that the uncompressed layer must have\n"
	"  --self-test         say what the sandbox refuses; exit status 1 if it does not\n"
	"  --self-test-stream  the same of the sandbox in which a layer is decompressed\n";

static int parse_number(const char *name, const char *word, uint64_t max, uint64_t *ret,
			struct err *e)
{
	uint64_t n = 0;

	for (const char *c = word; *c || c == word; c++) {
		if (*c < '0' || *c > '9' || n > (max - (uint64_t)(*c - '0')) / 10)
			return err_set(e, EINVAL, "%s wants a number up to %llu, not %s", name,
				       (unsigned long long)max, json_quote(word).text);
		n = n * 10 + (uint64_t)(*c - '0');
	}
	*ret = n;
	return 0;
}

static int set_dir_fd(struct options *o, const char *word, struct err *e)
{
	uint64_t n;

	TRY(parse_number("--dir-fd", word, INT_MAX, &n, e));
	o->dir_fd = (int)n;
	return 0;
}

static int set_whiteouts(struct options *o, const char *word, struct err *e)
{
	o->extract.whiteouts = whiteout_mode(word);
	if (!o->extract.whiteouts)
		return err_set(e, EINVAL,
			       "--whiteouts wants overlay, userxattr, apply or plain, not %s",
			       json_quote(word).text);
	return 0;
}

static int set_ids(struct options *o, const char *word, struct err *e)
{
	auto_buf struct buf rows = { 0 };

	if (word[0] != '/')
		return ids_parse(&o->extract.ids, word, e);
	TRY(io_read_file(AT_FDCWD, word, IDS_FILE_BYTES, word, &rows, e));
	return ids_parse(&o->extract.ids, rows.text, e);
}

static int set_max_entries(struct options *o, const char *word, struct err *e)
{
	return parse_number("--max-entries", word, INT64_MAX, &o->extract.max_entries, e);
}

static int set_max_bytes(struct options *o, const char *word, struct err *e)
{
	return parse_number("--max-bytes", word, INT64_MAX, &o->extract.max_bytes, e);
}

static int set_diff_id(struct options *o, const char *word, struct err *e)
{
	static const char prefix[] = "sha256:";

	if (strncmp(word, prefix, strlen(prefix)) != 0 || strlen(word) != strlen(prefix) + 64 ||
	    strspn(word + strlen(prefix), "0123456789abcdef") != 64)
		return err_set(e, EINVAL,
			       "--diff-id wants sha256: and 64 hexadecimal digits, not %s",
			       json_quote(word).text);
	o->diff_id = word;
	return 0;
}

static int set_self_test(struct options *o, const char *word UNUSED, struct err *e UNUSED)
{
	o->self_test = true;
	return 0;
}

static int set_self_test_stream(struct options *o, const char *word UNUSED, struct err *e UNUSED)
{
	o->self_test_stream = true;
	return 0;
}

static int set_help(struct options *o, const char *word UNUSED, struct err *e UNUSED)
{
	o->help = true;
	return 0;
}

static const struct row {
	const char *name;
	bool has_value;
	int (*set)(struct options *o, const char *word, struct err *e);
} rows[] = {
	{ "--dir-fd", true, set_dir_fd },
	{ "--whiteouts", true, set_whiteouts },
	{ "--ids", true, set_ids },
	{ "--max-entries", true, set_max_entries },
	{ "--max-bytes", true, set_max_bytes },
	{ "--diff-id", true, set_diff_id },
	{ "--self-test", false, set_self_test },
	{ "--self-test-stream", false, set_self_test_stream },
	{ "--help", false, set_help },
};

static const struct row *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

int options_parse(struct options *ret, char *const argv[], struct err *e)
{
	*ret = (struct options){ .dir_fd = -1 };
	ret->extract.whiteouts = whiteout_mode("overlay");
	ret->extract.max_entries = ENTRIES_MAX;
	ret->extract.max_bytes = BYTES_MAX;
	for (char *const *word = argv + 1; *word; word++) {
		const struct row *row = find(*word);

		if (!row)
			return err_set(e, EINVAL, "there is no option %s; --help lists them",
				       json_quote(*word).text);
		if (row->has_value && !word[1])
			return err_set(e, EINVAL, "%s wants a value", row->name);
		if (row->has_value)
			word++;
		TRY(row->set(ret, *word, e));
	}
	if (ret->dir_fd < 0 && !ret->help)
		return err_set(e, EINVAL, "--dir-fd is missing; --help says what it is");
	return 0;
}
