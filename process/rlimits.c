#include "process/rlimits.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/io.h"
#include "spec/names.h"

bool rlimits_raise(const struct spec_process *p)
{
	struct rlimit own;

	for (size_t i = 0; i < p->rlimits.n; i++)
		if (prlimit(0, (int)p->rlimits.at[i].resource, NULL, &own) < 0 ||
		    p->rlimits.at[i].hard > own.rlim_max)
			return true;
	return false;
}

int rlimits_apply(pid_t pid, const struct spec_process *p, struct err *e)
{
	for (size_t i = 0; i < p->rlimits.n; i++) {
		const struct spec_rlimit *l = &p->rlimits.at[i];
		const struct rlimit limit = { .rlim_cur = l->soft, .rlim_max = l->hard };

		if (prlimit(pid, (int)l->resource, &limit, NULL) < 0)
			return err_sys(e, "process.rlimits[%zu]: set %s to %llu:%llu", i,
				       json_name_of(spec_rlimit_names, l->resource),
				       (unsigned long long)l->soft, (unsigned long long)l->hard);
	}
	return 0;
}

int oom_score_apply(int proc, pid_t pid, const struct spec_process *p, struct err *e)
{
	char path[64], value[16];
	int r;

	if (!p->oom_score_adj.set)
		return 0;
	snprintf(path, sizeof(path), "%d/oom_score_adj", pid);
	snprintf(value, sizeof(value), "%d", p->oom_score_adj.value);
	r = io_write_value(proc, path, value);
	return r < 0 ? err_neg(e, r, "process.oomScoreAdj: set it to %s", value) : 0;
}
