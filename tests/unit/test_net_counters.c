/* The counters of network interfaces, from files made up here. */
#include <criterion/criterion.h>
#include <errno.h>

#include "network/counters.h"
#include "tests/unit/test_dir.h"

#define HEADING                                                                               \
	"Inter-|   Receive                                                |  Transmit\n"      \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets " \
	"errs drop fifo colls carrier compressed\n"
#define LO "    lo: 9 9 9 9 0 0 0 0 9 9 9 9 0 0 0 0\n"

TestSuite(net_counters, .init = dir_make, .fini = dir_remove);

Test(net_counters, of_a_process)
{
	auto_arena struct arena a = { 0 };
	struct net_counters_list list;
	struct err e = { 0 };

	dir_file("7/net/dev", HEADING LO "  eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n"
					 "a\xff\"b:18446744073709551615 2 3 4 0 0 0 0 "
					 "5 6 7 8 0 0 0 0\n");
	cr_assert_eq(net_counters_read(dir_fd, 7, &a, &list, &e), 0, "%s", e.msg);
	cr_assert_eq(list.n, 2);
	cr_expect_str_eq(list.at[0].name, "eth0");
	cr_expect_eq(list.at[0].rx_bytes, 1);
	cr_expect_eq(list.at[0].rx_packets, 2);
	cr_expect_eq(list.at[0].rx_errors, 3);
	cr_expect_eq(list.at[0].rx_dropped, 4);
	cr_expect_eq(list.at[0].tx_bytes, 5);
	cr_expect_eq(list.at[0].tx_packets, 6);
	cr_expect_eq(list.at[0].tx_errors, 7);
	cr_expect_eq(list.at[0].tx_dropped, 8);
	cr_expect_str_eq(list.at[1].name, "a\xff\"b");
	cr_expect_eq(list.at[1].rx_bytes, UINT64_MAX);
	cr_expect_eq(net_counters_read(dir_fd, 8, &a, &list, &e), -ENOENT);
}

static const char *const bad[] = {
	HEADING "eth0 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n",
	HEADING ": 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n",
	HEADING "eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0\n",
	HEADING "eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0\n1\n",
	HEADING "eth0: x\n",
	HEADING "eth0: 18446744073709551616 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n",
};

Test(net_counters, that_are_none)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_arena struct arena a = { 0 };
		struct net_counters_list list;
		struct err e = { 0 };

		dir_file("7/net/dev", bad[i]);
		cr_expect_eq(net_counters_read(dir_fd, 7, &a, &list, &e), -EBADMSG, "%s", bad[i]);
		cr_expect_str_eq(e.msg, "/proc/7/net/dev: line 3 is not as the kernel writes it");
	}
}
