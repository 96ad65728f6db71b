/*
 * hull-unpack - an image layer on standard input becomes a directory. hull starts it (image/unpack.h);
 * it shuts itself in before it reads the first byte.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json_write.h"
#include "image/unpack/decompressor.h"
#include "image/unpack/layer.h"
#include "image/unpack/options.h"
#include "image/unpack/sandbox.h"

static int say(int fd, const char *words, struct err *e)
{
	int r = io_write_all(fd, words, strlen(words));

	return r < 0 ? err_neg(e, r, "write the answer") : 0;
}

static void put_answer(const struct layer_result *result, struct buf *ret)
{
	struct json_writer w = json_writer(ret, NULL);

	json_write_object(&w, NULL);
	json_write_string(&w, "diff_id", result->diff_id.text);
	json_write_uint(&w, "size", result->size);
	json_write_uint(&w, "entries", result->entries);
	json_write_uint(&w, "skipped", result->skipped);
	json_write_uint(&w, "dropped_xattrs", result->dropped_xattrs);
	json_write_end(&w);
	buf_char(ret, '\n');
}

static int run(struct options *o, struct buf *answer, struct err *e)
{
	struct decompressor decompressor = { 0 };
	struct sandbox_facts facts = { .landlock = 0 };
	struct layer_result result;

	if (!o->self_test && !o->self_test_stream)
		TRY(decompressor_start(o->dir_fd, &decompressor, e));
	if (o->self_test_stream)
		TRY(sandbox_enter_stream(o->dir_fd, getppid(), &facts, e));
	else
		TRY(sandbox_enter(&o->dir_fd, strcmp(o->extract.whiteouts->name, "overlay") == 0, &facts,
			  e));
	if (o->self_test || o->self_test_stream) {
		bool held = sandbox_test(&facts, answer);

		buf_char(answer, '\n');
		return held ? 0 : err_set(e, 1, "the sandbox has a hole: %s", answer->text);
	}
	o->extract.devices = facts.devices && !o->extract.whiteouts->plain &&
			     strcmp(o->extract.whiteouts->name, "userxattr") != 0;
	o->extract.capabilities = facts.capabilities && !o->extract.ids.squash;
	o->extract.any_mode = facts.any_mode;
	TRY(layer_unpack(STDIN_FILENO, &decompressor, o->dir_fd, &o->extract, o->diff_id, &result,
			 e));
	decompressor_done(&decompressor);
	put_answer(&result, answer);
	return 0;
}

int main(int argc, char *argv[])
{
	auto_buf struct buf answer = { 0 };
	struct err e = { 0 };
	struct options o;
	int r = argc > 0 ? options_parse(&o, argv, &e) : -1;

	if (r == 0 && o.help)
		r = say(STDOUT_FILENO, options_usage, &e);
	else if (r == 0) {
		r = run(&o, &answer, &e);
		if (r == 0)
			r = say(STDOUT_FILENO, answer.text, &e);
	}
	if (r == 0)
		return 0;
	dprintf(STDERR_FILENO, "hull-unpack: %s\n", e.msg);
	return 1;
}
