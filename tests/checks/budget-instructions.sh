#!/bin/sh
# Reading a configuration and planning all of a container takes no more instructions than tests/data/budget says.
set -eu
hull=${HULL:-${builddir:-build}/hull}
budgets=${srcdir:-.}/tests/data/budget

command -v valgrind >/dev/null || { echo "no valgrind, so no instructions are counted"; exit 77; }
if readelf --dyn-syms --wide "$hull" | grep -q ' __asan_init'; then
	echo "$hull is built with sanitizers, which have no budget"
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/rootfs"
"$hull" spec --bundle "$work"
if ! valgrind --tool=callgrind --callgrind-out-file="$work/out" "$hull" --root "$work/state" \
	plan --bundle "$work" >"$work/plan" 2>"$work/err"; then
	cat "$work/err"
	exit 1
fi
count=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$work/err")
limit=$(awk '$1 == "instructions-plan" { print $2 }' "$budgets")
if [ -z "$count" ] || [ -z "$limit" ]; then
	echo "nothing was counted"
	exit 1
fi
echo "instructions-plan: $count of $limit"
[ "$count" -le "$limit" ] || { echo "hull plan exceeds its budget: $count instructions, may be $limit"; exit 1; }
