/* process_write.h - a process of spec.h as the JSON it could have come from, for the guest; and what exec changes of it. */
#ifndef HULL_MICROVM_PROCESS_WRITE_H
#define HULL_MICROVM_PROCESS_WRITE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "spec/spec.h"

/* exec --cap, by the same rules as caps_plan_add(): what is ambient must be inheritable already. */
int process_add_caps(struct spec_process *p, const struct strings *names, struct arena *a,
		     struct err *e) MUST_CHECK;

/* What spec_parse_process() reads again to the same; but for what only hosts have (LSM labels). */
void process_write(const struct spec_process *p, struct buf *ret);

#endif
