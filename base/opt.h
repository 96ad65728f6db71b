/* opt.h - numbers and booleans whose absence means something else than zero. */
#ifndef HULL_BASE_OPT_H
#define HULL_BASE_OPT_H

#include <stdbool.h>
#include <stdint.h>

struct opt_bool {
	bool set, value;
};
struct opt_u16 {
	bool set;
	uint16_t value;
};
struct opt_u32 {
	bool set;
	uint32_t value;
};
struct opt_u64 {
	bool set;
	uint64_t value;
};
struct opt_i32 {
	bool set;
	int32_t value;
};
struct opt_i64 {
	bool set;
	int64_t value;
};

#endif
