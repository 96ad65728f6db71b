/*
 * saved.h - the state of a microVM as bytes: all that it is besides its memory.
 *
 *	head     the eight bytes SAVED_MAGIC, u32 version, u32 parts, u64 bytes of the whole
 *	part     u16 kind, u16 number, u32 size, then so many bytes
 *	...
 *	end      u64, CRC-64 (ECMA-182, as xz has it) of all before
 *
 * Numbers are little endian, as the machine's own. Whoever adds to a part, or
 * changes one, makes SAVED_VERSION one more: there is no reading of another version.
 *
 *	saved_begin(&out, SAVED_DEVICE, 2);      saved_open(bytes, size, &s, e);
 *	saved_put_u32(&out, pages);              saved_part(&s, SAVED_DEVICE, 2, &in, e);
 *	...                                      pages = saved_u32(&in);
 *	saved_finish(&out, e);                   saved_end(&in, e);
 *
 * What is read may be anything: numbers come as 0 and bytes as zeros from where a part is too
 * short, which saved_end() then refuses. Whether a number makes sense is for those to say who
 * know it (saved_refuse()).
 */
#ifndef HULL_MICROVM_SAVED_H
#define HULL_MICROVM_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	SAVED_VERSION = 1,
	SAVED_PARTS = 64,
	SAVED_MAX = 256 * 1024 * 1024, /* bytes of the whole */
};

#define SAVED_MAGIC "hull vm\n"

enum saved_kind {
	SAVED_MACHINE = 1, /* its size, ports, interrupt controllers, clock */
	SAVED_CPU,         /* one for each */
	SAVED_DEVICE,      /* one for each slot of the bus */
	SAVED_FILES,       /* what the file server knows */
	SAVED_CHANNEL,     /* frames and streams */
	SAVED_KINDS
};

/* ---- to bytes */

struct saved_out {
	struct buf bytes;
	size_t part; /* where the last one begins; 0: there is none */
	uint32_t parts;
	bool over; /* more than SAVED_MAX came */
};

/* A part of this kind and number, each once; ends the one before. */
void saved_begin(struct saved_out *o, enum saved_kind kind, uint16_t number);
void saved_put(struct saved_out *o, const void *bytes, size_t size);
void saved_put_u32(struct saved_out *o, uint32_t value);
void saved_put_u64(struct saved_out *o, uint64_t value);
/* With its length before it. */
void saved_put_counted(struct saved_out *o, const void *bytes, size_t size);
/* What is in o->bytes is whole then; -EFBIG beyond SAVED_MAX. */
int saved_finish(struct saved_out *o, struct err *e) MUST_CHECK;
void saved_out_done(struct saved_out *o);
/* Writes the checksum of a whole file of `size` bytes, 8 or more, into its end. */
void saved_seal(void *bytes, size_t size);

#define auto_saved_out __attribute__((cleanup(saved_out_done)))

/* ---- from bytes */

struct saved {
	struct saved_place {
		uint16_t kind, number;
		const uint8_t *at;
		uint32_t size;
	} parts[SAVED_PARTS];
	size_t n;
};

struct saved_in {
	const uint8_t *at, *end;
	uint16_t kind, number;
	bool bad; /* it was asked for more than there is, or for what is not of its type */
};

/* Checks all that can be checked without knowing the parts; they stay in `bytes`. */
int saved_open(const void *bytes, size_t size, struct saved *ret, struct err *e) MUST_CHECK;
/* -EPROTO if there is no such part. */
int saved_part(const struct saved *s, enum saved_kind kind, uint16_t number, struct saved_in *ret,
	       struct err *e) MUST_CHECK;
/* How many parts of this kind there are. */
size_t saved_count(const struct saved *s, enum saved_kind kind);

void saved_take(struct saved_in *in, void *ret, size_t size);
uint32_t saved_u32(struct saved_in *in);
uint64_t saved_u64(struct saved_in *in);
/* Counted bytes, at most `max`, which stay where they are; *ret_size is 0 if it is not so. */
const uint8_t *saved_counted(struct saved_in *in, size_t max, size_t *ret_size);
/* Counted bytes as a text of less than `size` bytes, without a NUL in it; "" if it is not so. */
void saved_text(struct saved_in *in, char *ret, size_t size);
/* After the last: -EPROTO if something was not as it was asked for, or more is left. */
int saved_end(const struct saved_in *in, struct err *e) MUST_CHECK;
/* What is there can't be: -EPROTO and "the state of the microVM: device 2: " before the words. */
int saved_refuse(const struct saved_in *in, struct err *e, const char *fmt, ...) PRINTF_LIKE(3, 4);
#define saved_refuse(...) err_negative(saved_refuse(__VA_ARGS__))

/* ---- members of a struct, by one table for both ways */

struct saved_field {
	size_t at, size;
	bool truth; /* bool, or an array of them: each byte 0 or 1 */
};

#define SAVED(type, member)                                                \
	{                                                                  \
		offsetof(type, member), sizeof(((type *)0)->member), false \
	}
#define SAVED_TRUTH(type, member)                                         \
	{                                                                 \
		offsetof(type, member), sizeof(((type *)0)->member), true \
	}

void saved_put_fields(struct saved_out *o, const struct saved_field *rows, size_t n,
		      const void *from);
/* A truth that is none is false, and refused at the end. */
void saved_take_fields(struct saved_in *in, const struct saved_field *rows, size_t n, void *to);

#endif
