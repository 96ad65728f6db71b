#!/bin/sh
# docs/conformance.md is what its rows say, and each test that a row names is there.
set -eu
cd "${srcdir:-.}" || exit 99
command -v python3 >/dev/null || { echo "needs python3"; exit 77; }
made=$(python3 tests/conformance/generate)
printf '%s\n' "$made" | diff docs/conformance.md - || {
	echo "docs/conformance.md is not what tests/conformance/generate makes of rows.tsv"
	exit 1
}
