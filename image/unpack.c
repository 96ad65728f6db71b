#include "image/unpack.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/helper.h"
#include "base/json_decode.h"
#include "base/spawn.h"

enum { DIR_FD = 3 };

static const char *const whiteout_words[] = {
	[UNPACK_OVERLAY] = "overlay",
	[UNPACK_USERXATTR] = "userxattr",
	[UNPACK_APPLY] = "apply",
	[UNPACK_PLAIN] = "plain",
};

/* The line that the helper prints. */
struct answer {
	const char *diff_id;
	uint64_t size, entries, skipped, dropped;
};

/* clang-format off */
JSON_TABLE(answer_fields, struct answer) = {
	FIELD_STRING(struct answer, "diff_id", diff_id, REQUIRED),
	FIELD_U64(struct answer, "size", size, REQUIRED),
	FIELD_U64(struct answer, "entries", entries, REQUIRED),
	FIELD_U64(struct answer, "skipped", skipped, REQUIRED),
	FIELD_U64(struct answer, "dropped_xattrs", dropped, REQUIRED),
	{ 0 },
};
/* clang-format on */

int image_unpack_answer(const struct buf *said, struct unpack_result *ret, struct err *e)
{
	auto_arena struct arena strings = { 0 };
	auto_json struct json_doc doc = { .name = "hull-unpack's answer",
					  .text = said->text ? said->text : "",
					  .size = said->len };
	struct json_decoder d = { .doc = &doc, .arena = &strings, .err = e };
	struct answer answer = { 0 };

	TRY(json_parse(&doc, &strings, e));
	TRY(json_decode(&d, doc.root, answer_fields, &answer));
	if (strlen(answer.diff_id) >= sizeof(ret->diff_id))
		return err_set(e, EPROTO, "hull-unpack's answer has a digest that is too long");
	snprintf(ret->diff_id, sizeof(ret->diff_id), "%s", answer.diff_id);
	ret->size = answer.size;
	ret->entries = answer.entries;
	ret->skipped = answer.skipped;
	return 0;
}

/* The helper's own sentence is the message; the words around it would only say who spoke. */
static int read_failure(const struct buf *said, int r, struct err *e)
{
	static const char mark[] = "hull-unpack: ";
	const char *sentence = said->text ? strstr(said->text, mark) : NULL;

	if (!sentence || r != -ECHILD)
		return r;
	sentence += sizeof(mark) - 1;
	return err_set(e, EBADMSG, "%.*s", (int)strcspn(sentence, "\n"), sentence);
}

int image_unpack(int blob_fd, int dir_fd, const struct unpack_options *o, struct unpack_result *ret,
		 struct err *e)
{
	const struct spawn_fd fds[] = { { blob_fd, STDIN_FILENO }, { dir_fd, DIR_FD } };
	const char *argv[16] = { "hull-unpack", "--dir-fd", "3", "--whiteouts",
				 whiteout_words[o->whiteouts] };
	char entries[32], bytes[32];
	struct helper_path helper;
	auto_buf struct buf said = { 0 };
	size_t n = 5;
	struct spawn_request req = {
		.path = helper.text,
		.argv = argv,
		.fds = fds,
		.fds_n = 2,
		.dies_with_us = true,
	};
	int r;

	TRY(helper_find("hull-unpack", &helper, e));
	if (o->ids)
		argv[n++] = "--ids", argv[n++] = o->ids;
	if (o->diff_id)
		argv[n++] = "--diff-id", argv[n++] = o->diff_id;
	snprintf(entries, sizeof(entries), "%" PRIu64, o->max_entries);
	snprintf(bytes, sizeof(bytes), "%" PRIu64, o->max_bytes);
	if (o->max_entries)
		argv[n++] = "--max-entries", argv[n++] = entries;
	if (o->max_bytes)
		argv[n++] = "--max-bytes", argv[n++] = bytes;
	assert(n < ARRAY_LEN(argv));
	r = spawn_run(&req, &said, e);
	return r < 0 ? read_failure(&said, r, e) : image_unpack_answer(&said, ret, e);
}
