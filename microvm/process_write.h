/* process_write.h - a process of spec.h as the JSON it could have come from, for the guest. */
#ifndef HULL_MICROVM_PROCESS_WRITE_H
#define HULL_MICROVM_PROCESS_WRITE_H

#include "base/buf.h"
#include "spec/spec.h"

/* What spec_parse_process() reads again to the same; but for what only hosts have (LSM labels). */
void process_write(const struct spec_process *p, struct buf *ret);

#endif
