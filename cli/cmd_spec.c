#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/cmd.h"
#include "spec/spec_default.h"

struct spec_values {
	const char *bundle;
	bool rootless;
};

static const struct option_row rows[] = {
	{ .name = "bundle",
	  .letter = 'b',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct spec_values, bundle),
	  .argument = "DIR",
	  .help = "write DIR/config.json (default: the current directory)" },
	{ .name = "rootless",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct spec_values, rootless),
	  .help = "for a container that is run without root" },
};

const struct option_table spec_options = { rows, ARRAY_LEN(rows), sizeof(struct spec_values), NULL,
					   false };

/* Never touches a file that is there. */
static int write_new_file(int dirfd, const char *name, const struct buf *text, struct err *e)
{
	auto_fd int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int r;

	if (fd < 0 && errno == EEXIST)
		return err_set(e, EEXIST, "File %s exists. Remove it first", name);
	if (fd < 0)
		return err_sys(e, "make %s", name);
	r = io_write_all(fd, text->text, text->len);
	if (r < 0)
		return err_neg(e, r, "write %s", name);
	return 0;
}

int cmd_spec(const struct call *call, struct err *e)
{
	const struct spec_values *values = call->options.values;
	const char *bundle = values->bundle ? values->bundle : ".";
	const struct spec_default host = {
		.rootless = values->rootless,
		.uid = geteuid(),
		.gid = getegid(),
	};
	auto_fd int dirfd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_buf struct buf text = { 0 };

	if (dirfd < 0)
		return err_sys(e, "open the bundle %s", bundle);
	spec_default(&host, &text);
	buf_char(&text, '\n');
	return write_new_file(dirfd, "config.json", &text, e);
}
