/*
 * netlink.h - one netlink socket, requests and their answers.
 *
 *	auto_netlink struct netlink nl = NETLINK_CLOSED;
 *	TRY(netlink_open(netns_fd, &nl, e));
 *	netlink_request(&m, RTM_SETLINK, 0);
 *	... netlink_put_*(&m, ...)
 *	TRY(netlink_do(&nl, &m, e, "set %s up", name));
 *
 * A failure carries what was attempted, the errno's text and what the kernel
 * added in words (its extended acknowledgement).
 */
#ifndef HULL_NETWORK_NETLINK_H
#define HULL_NETWORK_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "network/nlattr.h"

struct netlink {
	int fd;
	uint32_t seq;
};

#define NETLINK_CLOSED   \
	{                \
		.fd = -1 \
	}
#define auto_netlink __attribute__((cleanup(netlink_close)))

/* A socket of the network namespace `netns_fd`, or of ours for -1. */
int netlink_open(int netns_fd, struct netlink *ret, struct err *e) MUST_CHECK;
/* The same of another part of the kernel than rtnetlink: NETLINK_NETFILTER. */
int netlink_open_of(int protocol, int netns_fd, struct netlink *ret, struct err *e) MUST_CHECK;
void netlink_close(struct netlink *nl);

/* Calls fn in the network namespace `netns_fd`; we are back in our own when it returns. */
int netns_call(int netns_fd, int (*fn)(void *ctx, struct err *e), void *ctx, struct err *e)
	MUST_CHECK;

enum { NETLINK_REQUEST_SIZE = 2048, NETLINK_TIMEOUT = 10 /* seconds */ };

struct netlink_request {
	_Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_SIZE];
};

/* Begins a request; returns its header of `size` zero bytes (struct ifinfomsg...). */
void *netlink_request(struct netlink_request *m, uint16_t type, uint16_t flags, size_t size);
void netlink_put(struct netlink_request *m, uint16_t type, const void *bytes, size_t size);
void netlink_put_text(struct netlink_request *m, uint16_t type, const char *text);
void netlink_put_u8(struct netlink_request *m, uint16_t type, uint8_t value);
void netlink_put_u16(struct netlink_request *m, uint16_t type, uint16_t value);
void netlink_put_u32(struct netlink_request *m, uint16_t type, uint32_t value);
/* Those of the struct `from` that there are (nlattr.h); its lengths are right. */
void netlink_put_rows(struct netlink_request *m, const struct nlattr_row *rows, size_t n,
		      const void *from);
/* An attribute that holds others, or a bare structure: put them between these two. */
struct nlattr *netlink_nest(struct netlink_request *m, uint16_t type);
void *netlink_extra(struct netlink_request *m, size_t size); /* zeroed bytes */
void netlink_nest_end(struct netlink_request *m, struct nlattr *nest);

/* Sends it and waits for the kernel's word. The format says what is attempted. */
int netlink_do(struct netlink *nl, struct netlink_request *m, struct err *e, const char *fmt, ...)
	PRINTF_LIKE(4, 5) MUST_CHECK;

/*
 * The same for requests with an answer: fn gets each message, once the answer is there and whole. A
 * negative return of fn ends it.
 */
typedef int netlink_reader(const struct nlmsghdr *message, void *ctx);
int netlink_ask(struct netlink *nl, struct netlink_request *m, netlink_reader *fn, void *ctx,
		struct err *e, const char *fmt, ...) PRINTF_LIKE(6, 7) MUST_CHECK;

#endif
