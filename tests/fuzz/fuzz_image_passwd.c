/*
 * fuzz_image_passwd.c - anything at all as a user, an /etc/passwd and an
 * /etc/group: three parts, with a NUL between them.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/passwd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	const char *text = (const char *)data, *end = text + size;
	const char *user_end = memchr(text, '\0', size), *passwd_end;
	struct passwd_bytes passwd, group;
	struct passwd_user u;
	struct err e = { 0 };

	if (!user_end)
		return 0;
	passwd_end = memchr(user_end + 1, '\0', (size_t)(end - user_end - 1));
	if (!passwd_end)
		passwd_end = end;
	passwd = (struct passwd_bytes){ user_end + 1, (size_t)(passwd_end - user_end - 1) };
	group = (struct passwd_bytes){ passwd_end, (size_t)(end - passwd_end) };
	if (passwd_resolve(text, passwd, group, &a, &u, &e) < 0) {
		require(e.msg[0] != '\0');
		return 0;
	}
	require(u.uid != UINT32_MAX && u.gid != UINT32_MAX && u.home && u.home[0]);
	if (passwd_add_group("7", group, &a, &u, &e) == 0)
		for (size_t i = 0; i < u.groups.n; i++)
			require(u.groups.at[i] != u.gid && u.groups.at[i] != UINT32_MAX &&
				(i == 0 || u.groups.at[i - 1] < u.groups.at[i]));
	return 0;
}
