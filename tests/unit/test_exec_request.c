#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "runtime/exec_request.h"

Test(exec_request, cgroups_have_runcs_forms)
{
	static const struct {
		const char *asked[2], *path, *message;
	} rows[] = {
		{ { NULL }, NULL, NULL },
		{ { "" }, "", NULL },
		{ { "/" }, "", NULL },
		{ { ":" }, "", NULL },
		{ { ":/" }, "", NULL },
		{ { "a" }, "a", NULL },
		{ { "//a/b" }, "a/b", NULL },
		{ { ":a/b" }, "a/b", NULL },
		{ { ":a:b" }, "a:b", NULL },
		{ { ".." }, "..", NULL }, /* whoever opens it finds that it leads out */
		{ { "cpu:a" },
		  NULL,
		  "--cgroup \"cpu:a\": in cgroup v2 controllers have no paths of their own" },
		{ { "cpu,memory:" },
		  NULL,
		  "--cgroup \"cpu,memory:\": in cgroup v2 controllers have no paths of their own" },
		{ { "a", "b" },
		  NULL,
		  "--cgroup \"b\": in cgroup v2 a process is in one place only" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *asked[2] = { rows[i].asked[0], rows[i].asked[1] };
		struct exec_request req = { .cgroups = { asked, 0 } };
		const char *path = "unset";
		struct err e = { 0 };
		int r;

		while (req.cgroups.n < 2 && asked[req.cgroups.n])
			req.cgroups.n++;
		r = exec_request_cgroup(&req, &path, &e);
		cr_expect_eq(r, rows[i].message ? -EINVAL : 0, "row %zu", i);
		if (rows[i].message)
			cr_expect_str_eq(e.msg, rows[i].message);
		else if (rows[i].path)
			cr_expect_str_eq(path, rows[i].path, "row %zu: %s", i, path);
		else
			cr_expect_null(path, "row %zu", i);
	}
}
