/*
 * record.h - what was made for a container, DIR/containers/ID.json: written
 * before it is made, so that it can be taken away from here alone.
 */
#ifndef HULL_NETWORK_RECORD_H
#define HULL_NETWORK_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "network/cni.h"
#include "network/port.h"
#include "network/subnet.h"

enum { RECORD_ID_MAX = 240 };

/* A process, told from a later one of the same number. */
struct process_mark {
	int32_t pid; /* 0: none */
	uint64_t start;
};

struct record_interface {
	const char *network;
	const char *link; /* on the host; NULL: none (macvlan) */
	const char *name; /* in the container */
	struct net_addr ip, ip6;
	struct net_mac mac;     /* zero: the kernel's choice */
	struct strings aliases; /* its further names on this network */
	bool named;             /* hull-dns answers for it there */
	bool partial;           /* being made or taken away by who holds the lock */
	unsigned index;         /* in the container, of what has no link on the host */
	/* Of a network of CNI; cni.plugins.n == 0: it is one of hull's own. */
	struct cni_prepared cni;
	const char *cni_result; /* what they answered; NULL: not yet */
	bool cni_ports;         /* they publish the ports */
};

struct record {
	const char *id;
	const char *boot; /* of the boot that it belongs to */
	struct process_mark owner;
	LIST(struct record_interface) interfaces;
	struct port_list ports;      /* with their host ports */
	struct net_addr to, to6;     /* where ports lead */
	const char *helper;          /* "pasta", "slirp4netns": the program; NULL: none */
	struct process_mark process; /* of the helper */
	struct strings names;        /* that others on its networks know it by */
};

struct record_list {
	struct record *at;
	size_t n;
};

/* Whether it can be a file's name and a comment in rules. */
int record_check_id(const char *id, struct err *e) MUST_CHECK;

/* -EFBIG: it is longer than a record may be; what is on disk stays. */
int record_write(int state_dir_fd, const struct record *r, struct err *e) MUST_CHECK;
/* -ENOENT without words if there is none. */
int record_read(int state_dir_fd, const char *id, struct arena *a, struct record *ret,
		struct err *e) MUST_CHECK;
int record_read_all(int state_dir_fd, struct arena *a, struct record_list *ret, struct err *e)
	MUST_CHECK;
int record_forget(int state_dir_fd, const char *id, struct err *e) MUST_CHECK;

/* This boot's id. */
int record_boot(struct arena *a, const char **ret, struct err *e) MUST_CHECK;
/* -ESRCH without words if there is no such process, or it is dead and only not waited for. */
int process_mark(pid_t pid, struct process_mark *ret, struct err *e) MUST_CHECK;
bool process_is_alive(const struct process_mark *mark);
/* Whether its owner is, in this boot. */
bool record_is_alive(const struct record *r, const char *boot);

#endif
