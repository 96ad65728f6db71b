#!/bin/sh
# Every program that hull installs is hardened as configure.ac says: position-independent, bound and made
# read-only before it runs, no executable stack, no relocated text, stack protector, fortified calls, and
# on x86 compiled for control-flow enforcement (CET).
set -eu
build=${builddir:-build}
hull=${HULL:-$build/hull}
bad=0
seen=0

wrong() {
	echo "$1 $2"
	bad=1
}

has_symbol() {
	{ readelf --symbols --wide "$1"; readelf --dyn-syms --wide "$1"; } 2>/dev/null | grep --quiet --extended-regexp "$2"
}

if has_symbol "$hull" ' __asan_init'; then
	echo "$hull is built with sanitizers, which take the place of these"
	exit 77
fi
command -v objdump >/dev/null || {
	echo "needs objdump (binutils)"
	exit 77
}
machine=$(readelf --file-header "$hull" | sed -n 's/^ *Machine: *//p')

for program in "$hull" "$build"/hull-vmm "$build"/hull-agent "$build"/libexec/hull/*; do
	if [ ! -f "$program" ] || [ ! -x "$program" ]; then
		continue
	fi
	seen=$((seen + 1))
	readelf --file-header "$program" | grep --quiet 'Type:.*DYN' || wrong "$program" "is not position-independent"
	dynamic=$(readelf --dynamic --wide "$program")
	case $dynamic in *PIE*) ;; *) wrong "$program" "is not linked as an executable (PIE)" ;; esac
	case $dynamic in *BIND_NOW*) ;; *) wrong "$program" "is not bound before it runs (full RELRO)" ;; esac
	case $dynamic in *TEXTREL*) wrong "$program" "has relocations in its text" ;; esac
	case $dynamic in *RPATH* | *RUNPATH*) wrong "$program" "has a path of its own for libraries" ;; esac
	headers=$(readelf --program-headers --wide "$program")
	case $headers in *GNU_RELRO*) ;; *) wrong "$program" "has no RELRO segment" ;; esac
	echo "$headers" | grep GNU_STACK | grep --quiet RWE && wrong "$program" "has an executable stack"
	echo "$headers" | grep GNU_STACK >/dev/null || wrong "$program" "does not say that its stack is not executable"
	echo "$headers" | grep LOAD | grep --quiet RWE && wrong "$program" "has a segment that is both writable and executable"
	# What is linked statically and stripped has no names left: there the code itself and its texts tell.
	code=$(objdump --disassemble --no-show-raw-insn --section=.text "$program" |
		awk '/%fs:0x28/ { guards++ } /endbr64/ { marks++ } END { print guards + 0, marks + 0 }')
	guards=${code% *}
	marks=${code#* }
	if [ "${machine#*X86-64}" = "$machine" ]; then
		has_symbol "$program" ' __stack_chk_fail' || wrong "$program" "has no stack protector"
	else
		[ "$guards" -ge 4 ] || wrong "$program" "has no stack protector ($guards places)"
		[ "$marks" -ge 5 ] || wrong "$program" "is not compiled for CET ($marks endbr64)"
	fi
	has_symbol "$program" ' __[a-z]+_chk(@|$)' || grep --quiet 'buffer overflow detected' "$program" ||
		wrong "$program" "has no fortified calls"
	echo "${program##*/}: $guards places guarded, $marks endbr64"
done
[ "$seen" -gt 0 ] || wrong "$build" "has no programs"

# The linker drops CET's property where a library lacks it, so it is our own objects that must have it.
if [ "${machine#*X86-64}" != "$machine" ]; then
	objects=0
	# glibc's and musl's: of hull itself, and of the other programs.
	for object in "$build"/base/*.o "$build"/runtime/*.o "$build"/security/*.o "$build"/engine/*.o \
		"$build"/musl/base/*.o "$build"/musl/runtime/*.o "$build"/musl/security/*.o "$build"/musl/cli/*.o; do
		[ -f "$object" ] || continue
		objects=$((objects + 1))
		readelf --notes "$object" 2>/dev/null | grep --quiet 'IBT, SHSTK' || wrong "$object" "has no CET property"
	done
	echo "$objects objects looked at"
	[ "$objects" -gt 0 ] || wrong "$build" "has no objects to look at"
fi
exit $bad
