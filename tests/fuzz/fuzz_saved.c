/*
 * fuzz_saved.c - a state of a microVM that anybody may have written.
 *
 * Once as it is, once sealed with a right checksum. What is read of each part
 * must lie in it, and texts must end. What devices and streams come of it keep to
 * the guest's memory and to their bounds.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "microvm/balloon.h"
#include "microvm/console.h"
#include "microvm/fs/fs.h"
#include "microvm/net.h"
#include "microvm/rng.h"
#include "microvm/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_part(struct saved_in in)
{
	const uint8_t *begin = in.at;
	char text[16];
	struct err e;
	size_t n;

	for (int i = 0; i < 64 && !in.bad && in.at < in.end; i++) {
		uint32_t what = saved_u32(&in);
		const uint8_t *at;

		switch (what & 3) {
		case 0:
			saved_u64(&in);
			break;
		case 1:
			saved_text(&in, text, sizeof(text));
			if (!memchr(text, '\0', sizeof(text)))
				abort();
			break;
		case 2:
			at = saved_counted(&in, what >> 2, &n);
			if (n > what >> 2 || (n && (at < begin || at + n > in.end)))
				abort();
			break;
		default:
			saved_take(&in, text, what >> 2 & 15);
		}
		if (in.at < begin || in.at > in.end)
			abort();
	}
	if (saved_end(&in, &e) == 0 && (in.bad || in.at != in.end))
		abort();
}

static _Alignas(4096) uint8_t ram[64 * 1024];
static const struct memory memory = { ram, sizeof(ram) };

static void load_devices(const struct saved *s, uint16_t number)
{
	static struct {
		struct console console;
		struct rng rng;
		struct balloon balloon;
		struct net net;
	} d;
	struct virtio *const devices[] = { &d.console.v, &d.rng.v, &d.balloon.v, &d.net.v };
	const struct virtio_kind *const kinds[] = { &console_kind, &rng_kind, &balloon_kind,
						    &net_kind };
	struct buf heard = { 0 };
	struct saved_in in;
	struct err e;

	d.net.tap = -1;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		virtio_init(devices[i], kinds[i], &memory, 0xd0000000);
		devices[i]->breaks = VIRTIO_BREAKS_TOLD;
		if (saved_part(s, SAVED_DEVICE, number, &in, &e) < 0)
			abort();
		if (virtio_load(devices[i], &in, &e) < 0)
			virtio_init(devices[i], kinds[i], &memory, 0xd0000000);
	}
	console_attend(&d.console);
	console_receive(&d.console, &heard, 100);
	console_send(&d.console, "x", 1);
	rng_attend(&d.rng);
	balloon_attend(&d.balloon);
	buf_done(&heard);
	buf_done(&d.console.control);
}

static void load_channel(const struct saved *s)
{
	static struct mux m;
	struct frame_reader r;
	struct frame f;
	struct err e;

	mux_open(&m, SESSION_INIT, (int[]){ dup(0), dup(0), dup(0) }, false);
	frame_reader_init(&r, FRAME_FROM_GUEST);
	if (channel_load(&m, &r, s, &e) == 0)
		while (frame_reader_next(&r, &f) > 0 && mux_frame(&m, &f) == 0)
			;
	for (size_t i = 0; i < MUX_SESSIONS; i++)
		for (int n = 0; n < MUX_STREAMS; n++)
			if (m.sessions[i].streams[n].pending.len > MUX_WINDOW)
				abort();
	frame_reader_done(&r);
	mux_done(&m);
	m = (struct mux){ 0 };
}

/* Of a root with nothing in it, in which nothing may be changed. */
static void load_files(const struct saved *s)
{
	static int root = -1;
	struct fs_config c = fs_defaults;
	char name[] = "/tmp/fuzz-saved-XXXXXX";
	struct fs_server *server;
	struct err e;

	if (root < 0) {
		root = mkdtemp(name) ? open(name, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
		if (root < 0 || rmdir(name) < 0)
			abort();
	}
	c.root_fd = root;
	c.read_only = true;
	c.max_inodes = 4096;
	if (fs_server_new(&c, &server, &e) < 0)
		abort();
	(void)!fs_server_load(server, s, &e);
	fs_server_free(server);
}

static void read_all(const uint8_t *bytes, size_t size)
{
	struct saved_in in;
	struct saved s;
	struct err e;

	if (saved_open(bytes, size, &s, &e) < 0)
		return;
	for (size_t i = 0; i < s.n; i++) {
		if (saved_part(&s, s.parts[i].kind, s.parts[i].number, &in, &e) < 0 ||
		    in.at < bytes || in.end > bytes + size)
			abort();
		read_part(in);
		if (s.parts[i].kind == SAVED_DEVICE)
			load_devices(&s, s.parts[i].number);
		else if (s.parts[i].kind == SAVED_CHANNEL)
			load_channel(&s);
		else if (s.parts[i].kind == SAVED_FILES && s.parts[i].number == 0)
			load_files(&s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	read_all(data, size);
	if (size < 24)
		return 0;
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	saved_seal(copy, size);
	read_all(copy, size);
	free(copy);
	return 0;
}
