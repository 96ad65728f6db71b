/*
 * fuzz_frame.c - a guest that says anything to the VMM's streams.
 *
 * What waits in memory must stay bounded by the windows of its streams.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "microvm/document.h"
#include "microvm/mux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mux *m)
{
	for (size_t i = 0; i < MUX_SESSIONS; i++)
		for (int n = 0; n < MUX_STREAMS; n++)
			if (m->sessions[i].streams[n].credit > MUX_WINDOW ||
			    m->sessions[i].streams[n].pending.len > MUX_WINDOW)
				abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mux m;
	auto_arena struct arena a = { 0 };
	struct frame_reader r;
	struct document d;
	struct frame f;
	int fds[MUX_STREAMS];

	for (int i = 0; i < MUX_STREAMS; i++)
		fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	mux_open(&m, SESSION_INIT, fds, false);
	frame_reader_init(&r, FRAME_FROM_GUEST);
	for (size_t at = 0; at < size && !mux_is_full(&m); at += 32) {
		frame_reader_add(&r, data + at, size - at < 32 ? size - at : 32);
		while (frame_reader_next(&r, &f) > 0 && mux_frame(&m, &f) == 0)
			check(&m);
	}
	if (mux_waiting(&m) > MUX_ANSWERS_MAX + FRAME_FROM_GUEST)
		abort();
	if (document_read(data, size, &a, &d) == 0 && d.size > size)
		abort();
	frame_reader_done(&r);
	mux_done(&m);
	m = (struct mux){ 0 };
	return 0;
}
