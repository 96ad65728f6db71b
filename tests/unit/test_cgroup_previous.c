/* What is written to have a file as it was before. */
#include <criterion/criterion.h>

#include "base/util.h"
#include "cgroups/previous.h"

Test(cgroup_previous, is_what_the_file_had)
{
	static const struct {
		const char *file, *content, *value, *previous;
	} rows[] = {
		{ "memory.max", "max", "1048576", "max" },
		{ "memory.max", "4096", "max", "4096" },
		{ "cpu.max", "max 100000", "50000", "max 100000" },
		{ "cpuset.cpus", "", "0", "\n" },
		{ "io.max", "", "8:0 rbps=1", "8:0 rbps=max" },
		{ "io.max", "", "8:0 rbps=1 wiops=2", "8:0 rbps=max wiops=max" },
		{ "io.max", "8:16 rbps=1 wbps=max riops=max wiops=max", "8:1 rbps=1",
		  "8:1 rbps=max" },
		{ "io.max",
		  "8:16 rbps=1 wbps=max riops=max wiops=max\n8:0 rbps=max wbps=7 riops=max "
		  "wiops=max",
		  "8:0 wbps=9", "8:0 rbps=max wbps=7 riops=max wiops=max" },
		{ "io.latency", "", "8:0 target=10", "8:0 target=0" },
		{ "io.weight", "default 100", "200", "default 100" },
		{ "io.weight", "default 100\n8:0 50", "default 7", "default 100" },
		{ "io.weight", "default 100\n8:0 50", "8:0 70", "8:0 50" },
		{ "io.weight", "default 100", "8:0 70", "8:0 default" },
		{ "io.bfq.weight", "default 10", "8:0 70", "8:0 default" },
		{ "rdma.max", "mlx4_0 hca_handle=2 hca_object=max", "mlx4_0 hca_handle=1",
		  "mlx4_0 hca_handle=2 hca_object=max" },
		{ "hugetlb.2MB.max", "max", "0", "max" },
		{ "misc.max", "sev 5\nsev_es 7", "sev_es 3", "sev_es 7" },
		{ "misc.max", "", "sev 3", "sev max" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const char *got = cgroup_previous(&a, rows[i].file, rows[i].content, rows[i].value);

		cr_expect_str_eq(got, rows[i].previous, "row %zu: \"%s\"", i, got);
	}
}
