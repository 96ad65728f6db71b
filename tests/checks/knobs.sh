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

command -v python3 >/dev/null || { echo "needs python3"; exit 77; }
"$srcdir/tests/differential/knobs" --markdown >"$scratch/made"
sed -n '/^## What crun and runc do otherwise$/,$ { /^|/p }' "$srcdir/docs/limits.md" | diff - "$scratch/made" || {
	echo 'the last table of docs/limits.md is not what "tests/differential/knobs --markdown" makes of knobs-expected.tsv'
	exit 1
}
