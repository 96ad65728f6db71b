/*
 * fuzz_oom_log.c - anything at all as records of the kernel's log, one on each line, in which names are the
 * container's own choice.
 *
 *	fuzz_oom_log tests/fuzz/corpus-oom_log
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cgroups/oom_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oom_log log = {
		.path = "/a\\b.scope/container", .unit = "/a\\b.scope", .init = 77, .since = 1000
	};
	char *text = mem_zalloc(size + 1), *rest = text, *record;
	uint64_t lines = 0;

	memcpy(text, data, size);
	while ((record = strsep(&rest, "\n"))) {
		lines++;
		oom_log_take(&log, record);
	}
	/* A record is a kill at most, and there is neither limit nor peak without one. */
	if (log.found.kills.value > lines ||
	    (!log.found.kills.set && (log.found.limit.set || log.found.peak.set)))
		abort();
	free(text);
	return 0;
}
