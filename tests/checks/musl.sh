#!/bin/sh
# What compat/musl adds to a static hull works: a buffer's end is guarded, constants are read-only,
# the names of signals are those of signal(7).
set -eu
top=${srcdir:-.}
command -v musl-gcc >/dev/null || {
	echo "needs musl-gcc (Debian: musl-tools)"
	exit 77
}
crt=/usr/lib/$(gcc -dumpmachine | sed 's/-gnu/-musl/')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/include"
for name in linux asm asm-generic; do
	for place in "/usr/include/$(gcc -print-multiarch)" /usr/include; do
		[ ! -e "$place/$name" ] || ln -sfn "$place/$name" "$work/include/$name"
	done
done
cat >"$work/try.c" <<'END'
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
/* Pieces of all sizes, each filled with its own byte, for a while. */
static int use_heap(void)
{
	enum { PIECES = 500 };
	static struct { unsigned char *at; size_t size; } pieces[PIECES];
	unsigned random = 1;

	for (int round = 0; round < 300000; round++) {
		unsigned n = (random = random * 1103515245 + 12345) >> 16;
		unsigned i = n % PIECES;
		size_t size = (n >> 3) % (n % 97 == 0 ? 200000 : n % 7 == 0 ? 5000 : 200);

		for (size_t at = 0; at < pieces[i].size; at += 7)
			if (pieces[i].at[at] != (unsigned char)i)
				return 1;
		if (n % 3 == 0) {
			free(pieces[i].at);
			pieces[i].at = n % 2 ? calloc(size, 1) : malloc(size);
			for (size_t at = 0; n % 2 && at < size; at++)
				if (pieces[i].at[at])
					return 1;
		} else {
			size_t kept = size < pieces[i].size ? size : pieces[i].size;

			pieces[i].at = realloc(pieces[i].at, size);
			for (size_t at = 0; at < kept; at++)
				if (pieces[i].at[at] != (unsigned char)i && at % 7 == 0)
					return 1;
		}
		if (!pieces[i].at || (size_t)pieces[i].at % 16)
			return 1;
		memset(pieces[i].at, (int)i, size);
		pieces[i].size = size;
	}
	return malloc(SIZE_MAX) || calloc(SIZE_MAX / 2, 3);
}

/* Until there is none; what is there stays, and what is given back is there again. */
static int use_up_heap(void)
{
	const struct rlimit little = { 16 << 20, 16 << 20 };
	enum { PIECES = 4000 };
	static char *pieces[PIECES];
	int n = 0;

	if (setrlimit(RLIMIT_AS, &little) < 0)
		return 2;
	while (n < PIECES && (pieces[n] = malloc(60000)))
		memset(pieces[n++], 'x', 60000);
	if (n < 100 || n == PIECES || errno != ENOMEM)
		return 3;
	errno = 0;
	if (realloc(pieces[0], 1 << 20) || errno != ENOMEM || pieces[0][0] != 'x' || pieces[0][59999] != 'x')
		return 4;
	if (calloc(1, 32 << 20))
		return 5;
	free(pieces[1]);
	pieces[1] = malloc(60000);
	return !pieces[1] || pieces[2][0] != 'x';
}

static char *const constants[] = { "a", "b", "c" }; /* to be relocated */
int main(int argc, char **argv)
{
	char room[4];

	switch (atoi(argv[1])) {
	case 1: /* one byte too many */
		memcpy(room, "0123456789", (size_t)argc + 3);
		return room[0] == 0;
	case 2:
		return snprintf(room, (size_t)argc + 3, "%s", argv[1]) < 0;
	case 3:
		*(char *volatile *)&constants[argc] = argv[0];
		return 0;
	case 4:
		memcpy(room, "0123456789", (size_t)argc + 2);
		return room[0] != '0' || strcmp(sigabbrev_np(15), "TERM") != 0 || sigabbrev_np(33) || SIGRTMIN != 34;
	case 5:
		return use_heap();
	case 8:
		return use_up_heap();
	case 6: {
		char *volatile twice = malloc(100); /* unseen by the compiler */

		free(twice);
		free(twice);
		return 0;
	}
	case 7: {
		volatile char *over = malloc(32);
		char *volatile next = malloc(32);

		for (int i = 0; i < argc + 46; i++) /* as far as the next one's head */
			over[i] = 'x';
		free(next);
		return 0;
	}
	}
	return 2;
}
END
musl() {
	musl-gcc -std=c11 -O2 -fPIE -D_GNU_SOURCE -I"$top" -isystem "$top/compat/musl" -idirafter "$work/include" \
		-include "$top/compat/musl/missing.h" "$@"
}
musl -w -c "$work/try.c" -o "$work/try.o"
for name in missing malloc; do
	musl -c "$top/compat/musl/$name.c" -o "$work/$name.o"
done
musl -c "$top/base/err.c" -o "$work/err.o"
musl-gcc -nostdlib -static -Wl,-pie -Wl,--no-dynamic-linker -Wl,-z,relro,-z,now -o "$work/try" "$crt/rcrt1.o" \
	"$crt/crti.o" "$work/try.o" "$work/missing.o" "$work/malloc.o" "$work/err.o" \
	"$crt/libc.a" "$(gcc -print-libgcc-file-name)" "$crt/crtn.o"

bad=0
# dies CASE STATUS WHY
dies() {
	status=0
	{ "$work/try" "$1"; } 2>"$work/said" || status=$?
	[ "$status" -eq "$2" ] || { echo "$3: exit status $status, not $2"; bad=1; }
}
dies 1 134 'memcpy over the end'
grep -q 'buffer overflow detected' "$work/said" || { echo "memcpy over the end is not said"; bad=1; }
dies 2 134 'snprintf over the end'
dies 3 139 'writing to a constant'
dies 4 0 'what is right'
dies 5 0 'the heap'
dies 8 0 'no memory'
dies 6 132 'freeing twice'
dies 7 132 'writing over the end of a piece'
exit $bad
