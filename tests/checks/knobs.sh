#!/bin/sh
# knobs.sh - every limit that hull knows (the table in cgroups/knobs.c) is set, read back and
# compared with crun's and runc's by a line of tests/differential/knobs.tsv, and no line is for
# a limit that there is not; what docs/limits.md tells of the differences is what that comparison expects.
set -eu
: "${srcdir:?}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

sed -n '/^static const struct knob knobs\[\]/,/^};/s/^\t{ "\([A-Za-z.]*\)".*/\1/p' \
	"$srcdir/cgroups/knobs.c" | sort >"$scratch/known"
[ "$(wc -l <"$scratch/known")" -ge 20 ] || {
	echo "knobs.sh: cgroups/knobs.c is not as it was: its table is not found"
	exit 1
}
# Not a limit itself, but what becomes of one; cpu.period is written with cpu.quota.
grep -v '^#' "$srcdir/tests/differential/knobs.tsv" | cut -f 2 | grep . |
	grep -vx -e memory.checkBeforeUpdate -e cpu.period | sort -u >"$scratch/tested"
if ! diff "$scratch/known" "$scratch/tested" >"$scratch/diff"; then
	sed -n 's/^< \(.*\)/\1 of cgroups\/knobs.c has no line in tests\/differential\/knobs.tsv/p
		s/^> \(.*\)/\1 of tests\/differential\/knobs.tsv is no limit of cgroups\/knobs.c/p' "$scratch/diff"
	exit 1
fi

# The page for people names each, if only by the beginning of its name: throttle*Device.
while read -r member; do
	case $member in
	blockIO.throttle*) member='blockIO.throttle*Device' ;;
	cpu.realtime*) member='cpu.realtime*' ;;
	memory.kernelTCP | memory.swappiness | memory.disableOOMKiller | memory.useHierarchy) member=${member#*.} ;;
	esac
	grep -qF "\`$member\`" "$srcdir/docs/limits.md" || {
		echo "docs/limits.md says nothing of $member"
		exit 1
	}
done <"$scratch/known"

# Each file of that table, and each property that cgroups/unit_limits.c has for one, stands in the row of its member.
table=$(sed -n 's/^\(| `[a-z].*\)$/\1/p' "$srcdir/docs/limits.md")
sed -n '/^static const struct knob knobs\[\]/,/^};/p' "$srcdir/cgroups/knobs.c" | tr '\n\t' '  ' |
	grep -o '{ "[A-Za-z.]*", "[a-z]*", "[a-z.]*"' | sed 's/{ "\(.*\)", ".*", "\(.*\)"/\1 \2/' >"$scratch/files"
[ "$(wc -l <"$scratch/files")" -ge 17 ] || {
	echo "knobs.sh: the files of cgroups/knobs.c are not found"
	exit 1
}
sed -n '/^static const struct row rows\[\]/,/^};/s/^\t{ "\([a-z.]*\)", "\([A-Za-z]*\)".*/\1 \2/p' \
	"$srcdir/cgroups/unit_limits.c" >"$scratch/properties"
[ "$(wc -l <"$scratch/properties")" -ge 10 ] || {
	echo "knobs.sh: the table of cgroups/unit_limits.c is not found"
	exit 1
}
while read -r member file; do
	case $member in
	blockIO.throttle*) member='blockIO.throttle*Device' ;;
	esac
	row=$(printf '%s\n' "$table" | awk -F ' *[|] *' -v member="\`$member\`" 'index($2, member) { print $3 "|" $4; exit }')
	case ${row%%|*} in
	*"$file"*) ;;
	*)
		echo "docs/limits.md does not say that $member is $file"
		exit 1
		;;
	esac
	property=$(sed -n "s/^$file //p" "$scratch/properties")
	case ${row#*|} in
	*"$property"*) ;;
	*)
		echo "docs/limits.md does not say that $member is $property of the unit"
		exit 1
		;;
	esac
done <"$scratch/files"

command -v python3 >/dev/null || { echo "needs python3"; exit 77; }
"$srcdir/tests/differential/knobs" --markdown >"$scratch/made"
sed -n '/^## What crun and runc do otherwise$/,$ { /^|/p }' "$srcdir/docs/limits.md" | diff - "$scratch/made" || {
	echo 'the last table of docs/limits.md is not what "tests/differential/knobs --markdown" makes of knobs-expected.tsv'
	exit 1
}
