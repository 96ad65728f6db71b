/* SHA-2 against NIST's vectors, with and without special instructions; digests as text. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/json.h"
#include "base/util.h"
#include "image/digest.h"

#define BITS448 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define BITS896                                                            \
	"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno" \
	"ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"

/* FIPS 180-4's examples, and NIST's further test vectors: `text` so many times. */
static const struct {
	const char *text;
	unsigned times;
	const char *sha256, *sha512;
} vectors[] = {
	{ "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	  "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
	{ BITS448, 1, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
	  "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
	  "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445" },
	{ BITS896, 1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
	  "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
	  "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909" },
	{ "a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
	  "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
	  "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b" },
	{ "\xbd", 1, "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b", NULL },
	{ "\xc9\x8c\x8e\x55", 1, "7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504",
	  NULL },
};

static const char *hex(const unsigned char *bytes, size_t n)
{
	static char text[130];

	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return text;
}

static void expect_vector(void (*begin)(struct sha2 *), size_t size, const char *expected, size_t i)
{
	unsigned char out[SHA512_SIZE];
	struct sha2 s;

	begin(&s);
	for (unsigned n = 0; n < vectors[i].times; n++)
		sha2_update(&s, vectors[i].text, strlen(vectors[i].text));
	sha2_end(&s, out);
	cr_expect_str_eq(hex(out, size), expected, "vector %zu: %s", i, hex(out, size));
}

Test(image_digest, nist_vectors)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		expect_vector(sha256_begin, SHA256_SIZE, vectors[i].sha256, i);
		expect_vector(sha256_begin_fast, SHA256_SIZE, vectors[i].sha256, i);
		expect_vector(sha256_begin_plain, SHA256_SIZE, vectors[i].sha256, i);
		if (vectors[i].sha512 && strlen(vectors[i].sha512) == 128)
			expect_vector(sha512_begin, SHA512_SIZE, vectors[i].sha512, i);
	}
}

/* 64 MiB of zeros and 1 GiB would take long in the plain code: NIST's 0x1000000 bytes do. */
Test(image_digest, large_vector)
{
	static char zeros[65536];
	struct digest_state s;

	digest_begin(&s, DIGEST_SHA256);
	for (int i = 0; i < 0x1000000 / 65536; i++)
		digest_update(&s, zeros, sizeof(zeros));
	cr_assert_str_eq(digest_end(&s).text,
			 "sha256:080acf35a507ac9849cfcba47dc2ad83e01b75663a516279c8b9d243b719643e");
}

/* Every length around the blocks, in every cut, aligned or not: the same as at once and plain. */
Test(image_digest, pieces)
{
	unsigned char bytes[700], whole[SHA512_SIZE], parts[SHA512_SIZE];
	void (*const begins[])(struct sha2 *) = { sha256_begin_fast, sha512_begin };

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7 + i / 256);
	for (size_t len = 0; len < 300; len++) {
		struct sha2 s;

		for (size_t k = 0; k < 2; k++) {
			size_t size = k ? SHA512_SIZE : SHA256_SIZE;

			(k ? sha512_begin : sha256_begin_plain)(&s);
			sha2_update(&s, bytes + 3, len);
			sha2_end(&s, whole);
			for (size_t step = 1; step < 140; step += 13) {
				begins[k](&s);
				for (size_t at = 0; at < len; at += step)
					sha2_update(&s, bytes + 3 + at,
						    at + step < len ? step : len - at);
				sha2_end(&s, parts);
				cr_assert_arr_eq(whole, parts, size, "%zu by %zu", len, step);
			}
		}
	}
}

Test(image_digest, text)
{
	struct digest d = digest_of(DIGEST_SHA256, "abc", 3), again = { "" };
	struct digest_short s = digest_shorten(&d);

	cr_assert(digest_is_set(&d));
	cr_assert_not(digest_is_set(&again));
	cr_assert_str_eq(s.text, "ba7816bf8f01");
	cr_assert_str_eq(digest_shorten(&again).text, "");
	cr_assert_str_eq(digest_algorithm_name(&d), "sha256");
	cr_assert_eq(strlen(digest_hex(&d)), 64);
	cr_assert_eq(digest_parse(d.text, &again, NULL), 0);
	cr_assert(digest_equal(&d, &again));
	again = digest_of(DIGEST_SHA512, "abc", 3);
	cr_assert_not(digest_equal(&d, &again));
	cr_assert_str_eq(digest_algorithm_name(&again), "sha512");
	cr_assert_eq(digest_algorithm(&again), DIGEST_SHA512);
	cr_assert_eq(strlen(digest_hex(&again)), 128);
	cr_assert_eq(digest_parse(again.text, &d, NULL), 0);
}

Test(image_digest, of_a_file)
{
	auto_fd int fd = memfd_create("x", MFD_CLOEXEC);
	struct digest d;
	uint64_t size = 0;

	cr_assert_eq(write(fd, "xabc", 4), 4);
	cr_assert_eq(lseek(fd, 1, SEEK_SET), 1);
	cr_assert_eq(digest_of_fd(DIGEST_SHA256, fd, &d, &size), 0);
	cr_assert_eq(size, 3);
	cr_assert_str_eq(d.text,
			 "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	cr_assert_eq(digest_of_fd(DIGEST_SHA256, -1, &d, &size), -EBADF);
}
