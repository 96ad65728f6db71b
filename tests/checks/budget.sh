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
# Those by themselves, and those that are packed: of a list of them readelf says first how many it is.
within relocations "$(readelf --relocs --wide "$hull" | awk '/ R_/ { n++ } $2 == "offsets" { n += $1 } END { print n + 0 }')"
# The fifth column of a LOAD line is its size in the file: what is mapped, without symbols and debug data.
mapped=0
for size in $(readelf --program-headers --wide "$hull" | awk '$1 == "LOAD" { print $5 }'); do
	mapped=$((mapped + size))
done
within mapped-bytes "$mapped"
# What is executed lies together. Compilers differ in what they inline, so some names are not there.
map=$(dirname "$hull")/hull.map
if [ -f "$map" ]; then
	names=$(mktemp)
	sed -n 's/^\t\t\*(\(.text[.].*\))$/\1/p' "${srcdir:-.}/compat/musl/first.ld" | sort >"$names"
	known=$(grep -o '^ \.text\.[^ ]*' "$map" | tr -d ' ' | sort -u | comm -12 - "$names" | wc -l)
	named=$(wc -l <"$names")
	rm -f "$names"
	echo "first.ld: $known of $named sections are in hull"
	[ "$((known * 10))" -ge "$((named * 8))" ] || { echo "compat/musl/first.ld is old: run bench/first"; bad=1; }
	[ "$named" -ge 100 ] || { echo "compat/musl/first.ld names $named sections only: run bench/first"; bad=1; }
	within code-first "$((0x$(readelf --sections --wide "$hull" | sed -n 's/^.* \.text\.first  *PROGBITS  *[0-9a-f]*  *[0-9a-f]*  *\([0-9a-f]*\).*/\1/p')))"
fi
exit $bad
