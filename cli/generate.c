/*
 * generate.c - makes the manual pages agree with the tables again.
 *
 *	cli/generate [SOURCE-DIRECTORY]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/manual.h"

enum { PAGE_LIMIT = 1024 * 1024 };

static int update(int dirfd, const struct manual_part *part, struct err *e)
{
	auto_buf struct buf old = { 0 }, new = { 0 };
	auto_fd int fd = -1;
	int r;

	TRY(io_read_file(dirfd, part->path, PAGE_LIMIT, part->path, &old, e));
	TRY(manual_update(part, old.text, &new, e));
	fd = openat(dirfd, part->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", part->path);
	r = io_write_all(fd, new.text, new.len);
	if (r < 0)
		return err_neg(e, r, "write %s", part->path);
	return 0;
}

int main(int argc, char **argv)
{
	const char *source = argc > 1 ? argv[1] : ".";
	auto_fd int dirfd = open(source, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct manual_part *part;
	struct err e = { 0 };

	for (size_t i = 0; (part = manual_part_at(i)); i++) {
		if (update(dirfd, part, &e) < 0) {
			fprintf(stderr, "generate: %s\n", e.msg);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}
