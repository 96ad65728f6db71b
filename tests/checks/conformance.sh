#!/bin/sh
# docs/conformance.md and docs/distribution.md are what their rows say, and each test that a row names is there;
# those of the specification passed in a recorded run, and none of its normative sentences lacks a row.
set -eu
cd "${srcdir:-.}" || exit 99
command -v python3 >/dev/null || { echo "needs python3"; exit 77; }
# holds FILE [WORD]: FILE is what generate makes with WORD
holds() {
	made=$(python3 tests/conformance/generate ${2:+"$2"})
	printf '%s\n' "$made" | diff "$1" - || {
		echo "$1 is not what \"tests/conformance/generate${2:+ $2}\" makes of its rows"
		exit 1
	}
}
holds docs/conformance.md
holds docs/distribution.md distribution
