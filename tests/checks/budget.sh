#!/bin/sh
# The binary that engines call stays within tests/data/budget: libraries, relocations, bytes in memory.
set -eu
hull=${HULL:-${builddir:-build}/hull}
budgets=${srcdir:-.}/tests/data/budget
bad=0

# within NAME COUNT
within() {
	limit=$(awk -v name="$1" '$1 == name { print $2 }' "$budgets")
	[ -n "$limit" ] || { echo "$budgets has no $1"; bad=1; return; }
	echo "$1: $2 of $limit"
	[ "$2" -gt 0 ] || { echo "$1 was not counted"; bad=1; }
	[ "$2" -le "$limit" ] || { echo "$hull exceeds its budget: $1 is $2, may be $limit"; bad=1; }
}

if readelf --dyn-syms --wide "$hull" | grep -q ' __asan_init'; then
	echo "$hull is built with sanitizers, which have no budget"
	exit 77
fi
if readelf --dynamic "$hull" | grep -q '(NEEDED).*libseccomp'; then
	echo "$hull is linked with shared libraries, which have no budget"
	exit 77
fi
if readelf --dynamic "$hull" | grep -q '(NEEDED)'; then
	echo "$hull is dynamic, as where musl-gcc (Debian: musl-tools) is not; the budget is the static one's"
	exit 77
fi
within relocations "$(readelf --relocs --wide "$hull" | grep -c ' R_')"
# The fifth column of a LOAD line is its size in the file: what is mapped, without symbols and debug data.
mapped=0
for size in $(readelf --program-headers --wide "$hull" | awk '$1 == "LOAD" { print $5 }'); do
	mapped=$((mapped + size))
done
within mapped-bytes "$mapped"
exit $bad
