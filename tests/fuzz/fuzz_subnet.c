/*
 * fuzz_subnet.c - anything at all as a subnet, an address, a MAC and names.
 *
 *	fuzz_subnet tests/fuzz/corpus-subnet
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "network/attach.h"
#include "network/subnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_subnet(const struct subnet *s)
{
	uint32_t last = subnet_last_offset(s);
	struct net_addr high = subnet_at(s, last);
	struct subnet again = { 0 };

	require(subnet_parse(subnet_text(s).text, &again, NULL) == 0);
	require(subnet_contains(s, &s->base) && subnet_contains(s, &high));
	require(subnet_offset(s, &high) == last);
	require(subnet_overlaps(s, &again) && subnet_overlaps(&again, s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = mem_zalloc(size + 1);
	struct net_mode_choice choice = { 0 };
	struct net_addr a = { 0 }, again = { 0 };
	struct net_mac mac = { 0 }, same = { 0 };
	struct subnet s = { 0 };
	struct err e = { 0 };

	memcpy(text, data, size);
	if (subnet_parse(text, &s, &e) == 0)
		check_subnet(&s);
	else
		require(e.msg[0] == '"' && !strchr(e.msg, '\n'));
	if (addr_parse(text, &a, &e) == 0)
		require(addr_parse(addr_text(&a).text, &again, &e) == 0 && addr_equal(&a, &again));
	if (mac_parse(text, &mac, &e) == 0)
		require(mac_parse(mac_text(&mac).text, &same, &e) == 0 &&
			memcmp(&mac, &same, sizeof(mac)) == 0);
	if (network_name_check(text, &e) == 0)
		require(!strchr(text, '/') && strlen(text) <= NETWORK_NAME_MAX && text[0] != '.');
	if (host_name_check(text, &e) == 0)
		require(!strpbrk(text, " \t\n#/"));
	if (network_mode_parse(text, &choice, &e) == 0 && choice.path)
		require(choice.path[0] == '/');
	return 0;
}
