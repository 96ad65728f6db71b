/* Frames, and streams over them: two ends in one process. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "microvm/frame.h"
#include "microvm/mux.h"

Test(frame, comes_whole_or_not_yet)
{
	struct frame_reader r;
	struct buf out = { 0 };
	struct frame f;
	uint32_t n;

	frame_write_u32(&out, FRAME_CREDIT, 7, 2, 99);
	frame_write(&out, FRAME_DATA, 1, 1, "hello", 5);
	frame_reader_init(&r, 4096);
	for (size_t i = 0; i < out.len; i++) {
		int got;

		frame_reader_add(&r, out.text + i, 1);
		got = frame_reader_next(&r, &f);
		cr_assert_eq(got, i == 11 || i + 1 == out.len, "%zu", i);
		if (i == 11) {
			cr_expect(frame_u32(&f, &n) && n == 99);
			cr_expect_eq(f.session, 7);
			cr_expect_eq(f.stream, 2);
		}
	}
	cr_expect_eq(f.type, FRAME_DATA);
	cr_expect_not(frame_u32(&f, &n));
	cr_expect_eq(memcmp(f.bytes, "hello", 5), 0);
	frame_reader_done(&r);
	buf_done(&out);
}

Test(frame, too_long_or_of_no_type)
{
	static const uint8_t rows[][8] = { { 1, 16, 0, 0, 0, 0, FRAME_DATA, 0 },
					   { 0xff, 0xff, 0xff, 0xff, 0, 0, FRAME_DATA, 0 },
					   { 0, 0, 0, 0, 0, 0, 0, 0 },
					   { 0, 0, 0, 0, 0, 0, FRAME_TYPES, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct frame_reader r;
		struct frame f;

		frame_reader_init(&r, 4096);
		frame_reader_add(&r, rows[i], 8);
		cr_expect_eq(frame_reader_next(&r, &f), -EPROTO, "%zu", i);
		frame_reader_done(&r);
	}
}

static struct mux host, guest;

/* What one has to say is heard by the other. */
static void carry(struct mux *from, struct mux *to)
{
	struct frame_reader r;
	struct frame f;
	int got;

	frame_reader_init(&r, FRAME_FROM_GUEST);
	if (mux_waiting(from))
		frame_reader_add(&r, from->out.text + from->sent, mux_waiting(from));
	mux_sent(from, mux_waiting(from));
	while ((got = frame_reader_next(&r, &f)) > 0)
		cr_assert_eq(mux_frame(to, &f), 0);
	cr_assert_eq(got, 0);
	frame_reader_done(&r);
}

static void turn(void)
{
	struct pollfd fds[MUX_POLL_MAX];

	for (struct mux *m = &host;; m = &guest) {
		size_t n = mux_poll(m, fds);

		poll(fds, n, 0);
		mux_move(m, fds);
		if (m == &guest)
			break;
	}
	carry(&host, &guest);
	carry(&guest, &host);
}

static void make_pipe(int fds[2], int *near, int *far, bool write_near)
{
	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	*near = fds[write_near];
	*far = fds[!write_near];
}

/* in: we write to the host's standard input and read it in the guest; out: the other way. */
static int in, out, inside_in, inside_out;

static void begin(void)
{
	int h[3] = { -1, -1, -1 }, g[3] = { -1, -1, -1 }, p[2];

	make_pipe(p, &in, &h[0], true);
	make_pipe(p, &inside_in, &g[0], false);
	make_pipe(p, &out, &h[1], false);
	make_pipe(p, &inside_out, &g[1], true);
	mux_open(&host, 1, h, false);
	mux_open(&guest, 1, g, true);
}

Test(mux, carries_bytes_and_the_end_of_file)
{
	char b[16] = { 0 };

	begin();
	cr_assert_eq(write(in, "ping", 4), 4);
	close(in);
	cr_assert_eq(write(inside_out, "pong", 4), 4);
	for (int i = 0; i < 4; i++)
		turn();
	cr_expect_eq(read(inside_in, b, sizeof(b)), 4);
	cr_expect_str_eq(b, "ping");
	cr_expect_eq(read(inside_in, b, sizeof(b)), 0, "the end of file came too");
	cr_expect_eq(read(out, b, sizeof(b)), 4);
	cr_expect_str_eq(b, "pong");
	cr_expect_lt(read(out, b, sizeof(b)), 0, "and no end of file that was none");
}

Test(mux, a_slow_reader_stops_its_writer)
{
	static char block[4096];
	size_t written = 0, got = 0;
	ssize_t n;

	begin();
	for (int i = 0; i < 500; i++) {
		n = write(inside_out, block, sizeof(block));
		written += n > 0 ? (size_t)n : 0;
		turn();
		cr_assert_lt(mux_waiting(&guest), MUX_OUT_MAX + 64 * 1024U);
		cr_assert_leq(host.sessions[0].streams[1].pending.len, 2U * MUX_WINDOW);
	}
	cr_expect_lt(written, 400U * 1024, "what nobody reads stays with who writes");
	for (int i = 0; i < 2000 && got < written; i++) {
		while ((n = read(out, block, sizeof(block))) > 0)
			got += (size_t)n;
		turn();
	}
	cr_expect_eq(got, written);
}

Test(mux, nobody_reads_any_more)
{
	begin();
	signal(SIGPIPE, SIG_IGN);
	close(out);
	cr_assert_eq(write(inside_out, "x", 1), 1);
	for (int i = 0; i < 6; i++)
		turn();
	cr_expect_lt(write(inside_out, "x", 1), 0, "the writer learns of it");
	cr_expect_eq(errno, EPIPE);
}

Test(mux, what_a_guest_must_not_say)
{
	static uint8_t block[MUX_WINDOW + 1];
	uint32_t all = UINT32_MAX;
	const struct frame rows[] = {
		{ .type = FRAME_DATA,
		  .session = 1,
		  .stream = 1,
		  .bytes = block,
		  .size = sizeof(block) },
		{ .type = FRAME_DATA, .session = 1, .stream = 0, .bytes = block, .size = 1 },
		{ .type = FRAME_DATA, .session = 1, .stream = 3, .bytes = block, .size = 1 },
		{ .type = FRAME_DATA, .session = 1, .stream = 1, .bytes = block, .size = 0 },
		{ .type = FRAME_CREDIT,
		  .session = 1,
		  .stream = 0,
		  .bytes = (uint8_t *)&all,
		  .size = 4 },
		{ .type = FRAME_CREDIT, .session = 1, .stream = 0, .bytes = block, .size = 3 },
		{ .type = FRAME_CREDIT, .session = 1, .stream = 1, .bytes = block, .size = 4 },
		{ .type = FRAME_CLOSE, .session = 1, .stream = 0 },
		{ .type = FRAME_BREAK, .session = 1, .stream = 1 },
		{ .type = FRAME_GO, .session = 1 },
	};
	const struct frame unknown = {
		.type = FRAME_DATA, .session = 9, .bytes = block, .size = 1
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin();
		cr_expect_eq(mux_frame(&host, &rows[i]), -EPROTO, "%zu", i);
		mux_done(&host);
		mux_done(&guest);
	}
	begin();
	cr_expect_eq(mux_frame(&host, &unknown), 0, "a session that has just ended");
}

/* Each of its frames has an answer, so it is not listened to while it does not listen itself. */
Test(mux, a_guest_that_talks_and_does_not_listen)
{
	static const uint8_t byte;
	const struct frame f = {
		.type = FRAME_DATA, .session = 1, .stream = 2, .bytes = &byte, .size = 1
	};
	int n = 0;

	begin();
	close_fd(&mux_find(&host, 1)->streams[2].fd);
	for (; n < 1000000 && !mux_is_full(&host); n++)
		cr_assert_eq(mux_frame(&host, &f), 0);
	cr_expect_lt(n, 1000000);
	mux_sent(&host, mux_waiting(&host));
	cr_expect_not(mux_is_full(&host));
}
