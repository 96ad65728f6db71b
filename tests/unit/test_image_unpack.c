/* What hull says to hull-unpack and makes of its answer; the helper itself is tested in unpack.bats. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/helper.h"
#include "image/unpack.h"
#include "tests/unit/test_dir.h"

TestSuite(image_unpack, .init = dir_make, .fini = dir_remove, .timeout = 20);

/* A helper of the test's own: a script in the place of hull-unpack. */
static void fake(const char *script)
{
	dir_file("hull-unpack", script);
	cr_assert_eq(fchmodat(dir_fd, "hull-unpack", 0755, 0), 0);
	setenv("HULL_LIBEXEC", dir_path, 1);
}

static int unpack(const struct unpack_options *o, struct unpack_result *ret, struct err *e)
{
	auto_fd int blob = -1, target = -1;

	dir_file("layer", "bytes of a layer\n");
	dir_file("target/", "");
	blob = openat(dir_fd, "layer", O_RDONLY | O_CLOEXEC);
	target = openat(dir_fd, "target", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return image_unpack(blob, target, o, ret, e);
}

Test(image_unpack, hands_on_what_it_was_told)
{
	static const struct {
		struct unpack_options o;
		const char *words;
	} rows[] = {
		{ { 0 }, "--dir-fd 3 --whiteouts overlay\n" },
		{ { .whiteouts = UNPACK_USERXATTR, .ids = "squash" },
		  "--dir-fd 3 --whiteouts userxattr --ids squash\n" },
		{ { .whiteouts = UNPACK_APPLY,
		    .diff_id = "sha256:00",
		    .max_entries = 5,
		    .max_bytes = 1ULL << 40 },
		  "--dir-fd 3 --whiteouts apply --diff-id sha256:00 --max-entries 5 --max-bytes "
		  "1099511627776\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct unpack_result result;
		struct err e = { 0 };
		char said[256] = "";
		int fd;

		fake("#!/bin/sh\n"
		     "echo \"$*\" >/proc/self/fd/3/words\n"
		     "read -r line && echo \"$line\" >/proc/self/fd/3/line\n"
		     "echo '{\"diff_id\":\"sha256:12\",\"size\":1024,\"entries\":3,\"skipped\":1,"
		     "\"dropped_xattrs\":0}'\n");
		cr_assert_eq(unpack(&rows[i].o, &result, &e), 0, "%s", e.msg);
		cr_expect_str_eq(result.diff_id, "sha256:12");
		cr_expect(result.size == 1024 && result.entries == 3 && result.skipped == 1);
		fd = openat(dir_fd, "target/words", O_RDONLY | O_CLOEXEC);
		cr_assert_geq(read(fd, said, sizeof(said) - 1), 0);
		close(fd);
		cr_expect_str_eq(said, rows[i].words);
		cr_expect(dir_has("target/line"));
	}
}

Test(image_unpack, failures_are_the_helpers_own_sentence)
{
	static const struct {
		const char *script, *message;
		int r;
	} rows[] = {
		{ "#!/bin/sh\necho 'hull-unpack: entry \"a\": no' >&2; exit 1\n", "entry \"a\": no",
		  -EBADMSG },
		{ "#!/bin/sh\nkill -KILL $$\n", "hull-unpack was killed by signal 9", -ECHILD },
		{ "#!/bin/sh\nexit 3\n", "hull-unpack ended with exit status 3", -ECHILD },
		{ "#!/bin/sh\nexit 0\n", "hull-unpack's answer: the document is empty", -EINVAL },
		{ "#!/bin/sh\necho '{}'\n", "hull-unpack's answer:1:1: diff_id: ", -EINVAL },
		{ "#!/bin/sh\necho \"{\\\"diff_id\\\":\\\"$(printf "
		  "%80s)\\\",\\\"size\\\":1,\\\"entries\\\":1,"
		  "\\\"skipped\\\":0,\\\"dropped_xattrs\\\":0}\"\n",
		  "hull-unpack's answer has a digest that is too long", -EPROTO },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct unpack_result result = { .size = 77 };
		struct unpack_options o = { 0 };
		struct err e = { 0 };

		fake(rows[i].script);
		cr_expect_eq(unpack(&o, &result, &e), rows[i].r, "row %zu: %s", i, e.msg);
		cr_expect_not_null(strstr(e.msg, rows[i].message), "row %zu: %s", i, e.msg);
		cr_expect_eq(result.size, 77);
	}
}

Test(image_unpack, a_helper_that_is_not_there_is_named)
{
	char message[256];
	struct helper_path path;
	struct err e = { 0 };

	setenv("HULL_LIBEXEC", dir_path, 1);
	cr_expect_eq(helper_find("hull-unpack", &path, &e), -ENOENT);
	snprintf(message, sizeof(message), "find the program hull-unpack in %s (HULL_LIBEXEC)",
		 dir_path);
	cr_expect_str_eq(e.msg, message);
	unsetenv("HULL_LIBEXEC");
	cr_expect_eq(helper_find("hull-nonsense", &path, &e), -ENOENT);
	cr_expect_not_null(strstr(e.msg, "find the program hull-nonsense in /"));
	cr_expect_not_null(strstr(e.msg, "/hull: is hull installed?"));
}

/* The real one: HULL_LIBEXEC's, or that in the build tree. */
Test(image_unpack, a_real_layer)
{
	const char *build = getenv("builddir"), *given = getenv("HULL_LIBEXEC");
	struct unpack_options o = { .whiteouts = UNPACK_USERXATTR, .ids = "squash" };
	char libexec[4096];
	struct unpack_result result;
	struct err e = { 0 };
	auto_fd int blob = -1, target = -1;

	snprintf(libexec, sizeof(libexec), "%s/libexec/hull", build ? build : ".");
	setenv("HULL_LIBEXEC", libexec, given == NULL);
	dir_file("target/", "");
	blob = openat(dir_fd, "layer", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	target = openat(dir_fd, "target", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(ftruncate(blob, 1024), 0); /* an archive of nothing */
	cr_assert_eq(image_unpack(blob, target, &o, &result, &e), 0, "%s", e.msg);
	cr_expect_eq(result.size, 1024);
	cr_expect_eq(result.entries, 0);
	cr_expect_str_eq(result.diff_id,
			 "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
	cr_assert_eq(pwrite(blob, "nonsense", 8, 0), 8);
	lseek(blob, 0, SEEK_SET);
	cr_expect_eq(image_unpack(blob, target, &o, &result, &e), -EBADMSG);
	cr_expect_str_eq(e.msg, "read the layer: Unrecognized archive format");
}
