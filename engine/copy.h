/* copy.h - `hull cp`: files out of a container and into it, in Docker's meaning. */
#ifndef HULL_ENGINE_COPY_H
#define HULL_ENGINE_COPY_H

#include "engine/engine.h"

struct copy_request {
	const char *who, *inside; /* the container, and a path in it, from its root */
	const char *outside; /* a path of the host; "-": a tar, from or to our standard streams */
	bool to_container;
	bool archive; /* owners as they are; else it belongs to who gets it: root of the container, or us */
	bool follow_link; /* what is copied, if it is a link, is what that leads to */
};

/*
 * Running or not. Between the two there is a tar: one process reads, by descriptors and following
 * nothing (image/tar_tree.h); what writes is hull-unpack, shut in in the target's directory. So no
 * link in the container, and no race with it, leads to the host's files (CVE-2018-15664,
 * CVE-2019-14271), and nothing of the container's is executed.
 */
int copy_files(const struct engine *g, const struct copy_request *q, struct err *e) MUST_CHECK;

#endif
