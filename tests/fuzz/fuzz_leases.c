/*
 * fuzz_leases.c - anything at all as a file of leases, and one more taken from it.
 *
 *	fuzz_leases tests/fuzz/corpus-leases
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "network/ipam.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct network n = { .name = "n",
				   .subnet = { { AF_INET, { 10 } }, 24 },
				   .gateway = { AF_INET, { 10, 0, 0, 1 } } };
	auto_leases struct leases l = { 0 }, again = { 0 };
	auto_buf struct buf text = { 0 };
	struct net_addr got = { 0 }, any = { 0 };
	struct err e = { 0 };
	size_t before;

	if (leases_parse("n", (const char *)data, size, &l, &e) < 0) {
		require(strncmp(e.msg, "leases of network n: line ", 26) == 0);
		return 0;
	}
	before = l.n;
	if (leases_take(&l, &n, AF_INET, &any, "a-container", &got, &e) == 0) {
		require(l.n == before + 1 && subnet_contains(&n.subnet, &got));
		for (size_t i = 0; i < before; i++)
			require(!addr_equal(&l.at[i].addr, &got));
	}
	leases_encode(&l, &text);
	require(leases_parse("n", text.text, text.len, &again, &e) == 0 && again.n == l.n);
	return 0;
}
