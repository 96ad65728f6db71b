/*
 * fuzz_port.c - anything at all as a --publish, or a --publish-socket. What is taken
 * is taken again from its own text, and means the same.
 *
 *	fuzz_port tests/fuzz/corpus-port
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "network/listen.h"
#include "network/port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void socket_of(const char *text)
{
	struct listen_wish w = { 0 };
	struct err e = { 0 };

	if (listen_parse(text, &w, &e) < 0) {
		require(strncmp(e.msg, "publish socket ", 15) == 0 && !strchr(e.msg, '\n'));
		return;
	}
	require(w.name[0] && !strpbrk(w.name, ":= \n") && w.port.host && w.port.count == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = mem_zalloc(size + 1);
	struct port p = { 0 }, again = { 0 };
	struct err e = { 0 };

	memcpy(text, data, size);
	socket_of(text);
	if (port_parse(text, &p, &e) < 0) {
		require(strncmp(e.msg, "publish ", 8) == 0 && !strchr(e.msg, '\n'));
		return 0;
	}
	require(p.count > 0 && p.container > 0 && p.container + p.count - 1 <= 65535);
	require(p.host == 0 || p.host + p.count - 1 <= 65535);
	require(port_parse(port_text(&p).text, &again, &e) == 0);
	require(strcmp(port_text(&p).text, port_text(&again).text) == 0);
	require(!p.host || port_overlaps(&p, &again));
	return 0;
}
