/*
 * fuzz_state.c - anything at all as a container's state.json. What is taken is written, read again,
 * and written as it was.
 *
 *	fuzz_state tests/fuzz/corpus-state
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "runtime/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf text = { 0 }, once = { 0 }, twice = { 0 }, document = { 0 };
	auto_state struct state s = { 0 }, again = { 0 };
	struct err e = { 0 };

	buf_add(&text, data, size);
	buf_str(&text, "");
	if (state_decode(&text, &s, &e) < 0) {
		require(e.code > 0 && e.msg[0] && !strchr(e.msg, '\n'));
		return 0;
	}
	state_encode(&s, &once);
	require(state_decode(&once, &again, &e) == 0);
	state_encode(&again, &twice);
	require(once.len == twice.len && memcmp(once.text, twice.text, once.len) == 0);
	state_encode_oci(&s, &document);
	return 0;
}
