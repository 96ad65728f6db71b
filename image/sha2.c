#include "image/sha2.h"

#include <endian.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
	#define HAVE_SHA_INSTRUCTIONS 1
	#include <cpuid.h>
	#include <immintrin.h>
#endif

enum { LONG_MESSAGE = 32 * 1024 };

static const uint32_t k256[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static const uint64_t k512[80] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
	0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
	0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
	0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
	0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
	0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
	0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
	0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
	0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static inline uint32_t right32(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static inline uint64_t right64(uint64_t x, unsigned n)
{
	return x >> n | x << (64 - n);
}

/*
 * The rounds of FIPS 180-4, 6.2.2 and 6.4.2. The eight working variables stay
 * where they are in `v`, and their names move: round t has its "a" at -t.
 */
#define ROUND(right, v, t, s0a, s0b, s0c, s1a, s1b, s1c, kw)                               \
	do {                                                                               \
		__typeof__(v[0]) a_ = v[(0 - (t)) & 7], b_ = v[(1 - (t)) & 7],             \
				 c_ = v[(2 - (t)) & 7], e_ = v[(4 - (t)) & 7],             \
				 f_ = v[(5 - (t)) & 7], g_ = v[(6 - (t)) & 7],             \
				 t1_ = v[(7 - (t)) & 7] + (kw) + (g_ ^ (e_ & (f_ ^ g_))) + \
				       (right(e_, s1a) ^ right(e_, s1b) ^ right(e_, s1c)); \
		v[(3 - (t)) & 7] += t1_;                                                   \
		v[(7 - (t)) & 7] = t1_ + ((a_ & b_) | (c_ & (a_ | b_))) +                  \
				   (right(a_, s0a) ^ right(a_, s0b) ^ right(a_, s0c));     \
	} while (0)

static void blocks256(struct sha2 *s, const unsigned char *at, size_t n)
{
	for (; n > 0; n--, at += 64) {
		uint32_t v[8], w[16];

		memcpy(v, s->words32, sizeof(v));
		memcpy(w, at, sizeof(w));
		for (unsigned i = 0; i < 16; i++)
			w[i] = be32toh(w[i]);
		for (unsigned t = 0; t < 64; t += 16) {
#pragma GCC unroll 16
			for (unsigned i = 0; i < 16; i++) {
				ROUND(right32, v, i, 2, 13, 22, 6, 11, 25, k256[t + i] + w[i]);
				uint32_t x = w[(i + 1) & 15], y = w[(i + 14) & 15];
				/* For the round 16 later; w[(i + 14) & 15] is final by then. */
				w[i] += (right32(x, 7) ^ right32(x, 18) ^ x >> 3) +
					w[(i + 9) & 15] +
					(right32(y, 17) ^ right32(y, 19) ^ y >> 10);
			}
		}
		for (unsigned i = 0; i < 8; i++)
			s->words32[i] += v[i];
	}
}

static void blocks512(struct sha2 *s, const unsigned char *at, size_t n)
{
	for (; n > 0; n--, at += 128) {
		uint64_t v[8], w[16];

		memcpy(v, s->words64, sizeof(v));
		memcpy(w, at, sizeof(w));
		for (unsigned i = 0; i < 16; i++)
			w[i] = be64toh(w[i]);
		for (unsigned t = 0; t < 80; t += 16) {
#pragma GCC unroll 16
			for (unsigned i = 0; i < 16; i++) {
				ROUND(right64, v, i, 28, 34, 39, 14, 18, 41, k512[t + i] + w[i]);
				uint64_t x = w[(i + 1) & 15], y = w[(i + 14) & 15];
				w[i] += (right64(x, 1) ^ right64(x, 8) ^ x >> 7) + w[(i + 9) & 15] +
					(right64(y, 19) ^ right64(y, 61) ^ y >> 6);
			}
		}
		for (unsigned i = 0; i < 8; i++)
			s->words64[i] += v[i];
	}
}

#ifdef HAVE_SHA_INSTRUCTIONS
/*
 * Four rounds for each step. The instructions want the state as (a b e f) and
 * (c d g h), and make the message's next four words from the last sixteen.
 */
__attribute__((target("sha,sse4.1"))) static void blocks256_x86(struct sha2 *s,
								const unsigned char *at, size_t n)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i abcd = _mm_loadu_si128((const __m128i *)(const void *)&s->words32[0]);
	__m128i efgh = _mm_loadu_si128((const __m128i *)(const void *)&s->words32[4]);
	__m128i badc = _mm_shuffle_epi32(abcd, 0xb1), hgfe = _mm_shuffle_epi32(efgh, 0x1b);
	__m128i abef = _mm_alignr_epi8(badc, hgfe, 8), cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
	__m128i feba, dchg;

	for (; n > 0; n--, at += 64) {
		const __m128i abef_before = abef, cdgh_before = cdgh;
		__m128i w[4] = { _mm_setzero_si128() };

	#pragma GCC unroll 16
		for (unsigned i = 0; i < 16; i++) {
			__m128i last = w[(i + 3) & 3], k;

			if (i < 4)
				w[i] = _mm_shuffle_epi8(
					_mm_loadu_si128((const __m128i *)(const void *)at + i),
					swap);
			else
				w[i & 3] = _mm_sha256msg2_epu32(
					_mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3],
									   w[(i + 1) & 3]),
						      _mm_alignr_epi8(last, w[(i + 2) & 3], 4)),
					last);
			k = _mm_add_epi32(
				w[i & 3],
				_mm_loadu_si128(
					(const __m128i *)(const void *)&k256[(size_t)4 * i]));
			cdgh = _mm_sha256rnds2_epu32(cdgh, abef, k);
			abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(k, 0x0e));
		}
		abef = _mm_add_epi32(abef, abef_before);
		cdgh = _mm_add_epi32(cdgh, cdgh_before);
	}
	feba = _mm_shuffle_epi32(abef, 0x1b);
	dchg = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)(void *)&s->words32[0], _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)&s->words32[4], _mm_alignr_epi8(dchg, feba, 8));
}

static bool has_sha_instructions(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}
#endif

void sha256_begin_plain(struct sha2 *s)
{
	static const uint32_t first[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	*s = (struct sha2){ .blocks = blocks256 };
	memcpy(s->words32, first, sizeof(first));
}

void sha256_begin(struct sha2 *s)
{
	sha256_begin_plain(s);
	s->asks = true;
}

static void choose_blocks256(struct sha2 *s)
{
	s->asks = false;
#ifdef HAVE_SHA_INSTRUCTIONS
	if (has_sha_instructions())
		s->blocks = blocks256_x86;
#endif
}

void sha256_begin_fast(struct sha2 *s)
{
	sha256_begin_plain(s);
	choose_blocks256(s);
}

void sha512_begin(struct sha2 *s)
{
	static const uint64_t first[8] = { 0x6a09e667f3bcc908, 0xbb67ae8584caa73b,
					   0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
					   0x510e527fade682d1, 0x9b05688c2b3e6c1f,
					   0x1f83d9abfb41bd6b, 0x5be0cd19137e2179 };

	*s = (struct sha2){ .blocks = blocks512, .is_512 = true };
	memcpy(s->words64, first, sizeof(first));
}

void sha2_update(struct sha2 *s, const void *bytes, size_t len)
{
	size_t size = s->is_512 ? 128 : 64, held = (size_t)s->total & (size - 1);
	const unsigned char *at = bytes;
	size_t rest;

	s->total += len;
	if (s->asks && s->total >= LONG_MESSAGE)
		choose_blocks256(s);
	if (held) {
		size_t more = len < size - held ? len : size - held;

		memcpy(s->block + held, at, more);
		at += more;
		len -= more;
		if (held + more < size)
			return;
		s->blocks(s, s->block, 1);
	}
	rest = len & (size - 1);
	if (len > rest)
		s->blocks(s, at, (len - rest) / size);
	if (rest)
		memcpy(s->block, at + len - rest, rest);
}

void sha2_end(struct sha2 *s, unsigned char *ret)
{
	size_t size = s->is_512 ? 128 : 64, held = (size_t)s->total & (size - 1);
	/* The length in bits is two words; the first is never used. */
	uint64_t bits = htobe64(s->total << 3);

	s->block[held++] = 0x80;
	if (held > size - size / 8) {
		memset(s->block + held, 0, size - held);
		s->blocks(s, s->block, 1);
		held = 0;
	}
	memset(s->block + held, 0, size - held);
	memcpy(s->block + size - sizeof(bits), &bits, sizeof(bits));
	s->blocks(s, s->block, 1);
	for (unsigned i = 0; i < 8; i++) {
		if (s->is_512) {
			uint64_t word = htobe64(s->words64[i]);

			memcpy(ret + 8 * (size_t)i, &word, sizeof(word));
		} else {
			uint32_t word = htobe32(s->words32[i]);

			memcpy(ret + 4 * (size_t)i, &word, sizeof(word));
		}
	}
}
