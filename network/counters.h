/*
 * counters.h - what went through the interfaces of a network namespace.
 *
 * They are read from /proc/PID/net/dev, which is about the namespace of that
 * process and may be read without entering it.
 */
#ifndef HULL_NETWORK_COUNTERS_H
#define HULL_NETWORK_COUNTERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"

struct net_counters {
	const char *name; /* any bytes but spaces, '/' and ':': the container chose it */
	uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};

struct net_counters_list {
	struct net_counters *at;
	size_t n;
};

/*
 * All interfaces but `lo`, in the kernel's order. -ENOENT without a message:
 * there is no such process any more.
 */
int net_counters_read(int proc, pid_t pid, struct arena *a, struct net_counters_list *ret,
		      struct err *e) MUST_CHECK;

/* Such a text. -EBADMSG if it is none; *ret_line says where. */
int net_counters_parse(const char *text, struct arena *a, struct net_counters_list *ret,
		       size_t *ret_line) MUST_CHECK;

#endif
