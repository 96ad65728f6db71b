/*
 * sha2.h - SHA-256 and SHA-512 (FIPS 180-4), a piece at a time.
 *
 * Why our own: hull links no crypto library, and the kernel's (AF_ALG) is not
 * always there (hardened and cloud kernels leave the module out: EAFNOSUPPORT),
 * its socket would need a hole in the helpers' seccomp filters, and each piece
 * costs a system call and a copy. The plain C of this file is the reference
 * and runs anywhere; where an x86 processor has the SHA instructions, SHA-256
 * uses them: 1.6 GB/s instead of 0.32 GB/s on the machine of docs/performance.md, SHA-512
 * 0.48 GB/s (HULL_TEST_SPEED=1 tests/unit/test_image_digest), so that a layer is
 * read and decompressed for longer than it is hashed. All of them pass NIST's vectors.
 *
 * To ask a processor what it has takes it longer than a document is hashed for, where each CPUID is an exit to a
 * hypervisor; so that is asked when a message turns out to be long.
 */
#ifndef HULL_IMAGE_SHA2_H
#define HULL_IMAGE_SHA2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA512_SIZE = 64 };

/* One of them, begun. */
struct sha2 {
	union {
		uint32_t words32[8];
		uint64_t words64[8];
	};
	uint64_t total; /* bytes so far; 2^61 of them are enough */
	unsigned char block[128];
	bool is_512;
	bool asks; /* for the SHA instructions, once the message is long */
	void (*blocks)(struct sha2 *s, const unsigned char *at, size_t n);
};

void sha256_begin(struct sha2 *s);
/* The same without special instructions, and with those that there are from the first byte on. */
void sha256_begin_plain(struct sha2 *s);
void sha256_begin_fast(struct sha2 *s);
void sha512_begin(struct sha2 *s);
void sha2_update(struct sha2 *s, const void *bytes, size_t len);
/* Writes SHA256_SIZE or SHA512_SIZE bytes. */
void sha2_end(struct sha2 *s, unsigned char *ret);

#endif
