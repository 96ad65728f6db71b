#!/bin/sh
# Every #include goes downwards in tools/layers. Each offence is named.
cd "${srcdir:-.}" || exit 99
# shellcheck disable=SC2046 # folder names without spaces
awk '
	FNR == NR { if (/^[a-z]/) { split($0, a, ":"); ok[a[1]] = " " a[1] " " a[2] " " } next }
	match($0, /^#[ \t]*include[ \t]*"[a-z_]+\//) {
		from = FILENAME; sub(/\/.*/, "", from)
		to = $0; sub(/^[^"]*"/, "", to); sub(/\/.*/, "", to)
		if (index(ok[from], " " to " ") == 0) {
			printf "%s:%d: %s/ may not include %s/\n", FILENAME, FNR, from, to
			bad = 1
		}
	}
	END { exit bad }
' tools/layers $(find $(sed -n 's/^\([a-z_]*\):.*/\1/p' tools/layers) -name '*.[ch]')
