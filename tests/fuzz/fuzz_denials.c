/*
 * fuzz_denials.c - anything at all as a record of the kernel's log, in which names are the
 * container's own choice.
 *
 *	fuzz_denials tests/fuzz/corpus-denials
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "security/denials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf said = { 0 };
	char *record = mem_zalloc(size + 1);
	size_t len;

	memcpy(record, data, size);
	denials_take(record, 77, 1700000000, &said);
	len = said.len;
	/* The same again says nothing new. */
	denials_take(record, 77, 1700000000, &said);
	if (said.len != len || (len && strlen(said.text) != len))
		abort();
	free(record);
	return 0;
}
