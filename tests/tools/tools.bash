# tools.bash - where the small programs beside this file are found, for tests that
# load it after `helpers`.
# shellcheck shell=bash

# tool NAME: sets $tool to the program, which `make` has built from NAME.c; where
# it has not, the compiler does, or the test is skipped.
tool() {
	local directory

	for directory in "${HULL%/*}" "${HULL%/*}/.." "$SOURCE/build"; do
		tool=$directory/tests/tools/$1
		[ ! -x "$tool" ] || return 0
	done
	tool=$BATS_RUN_TMPDIR/$1-$UID
	[ ! -x "$tool" ] || return 0
	command -v "${CC:-cc}" >/dev/null || skip "needs the program tests/tools/$1, or a compiler"
	"${CC:-cc}" -O2 -D_GNU_SOURCE -static -o "$tool.$BASHPID" "$SOURCE/tests/tools/$1.c"
	mv "$tool.$BASHPID" "$tool"
}

# rounds N: N where tests are to be thorough, otherwise a quarter of it, and a tenth where the machine
# is slow (helpers.bash: HULL_TEST_THOROUGH, HULL_TEST_SLOW).
rounds() {
	local part=4
	[ -z "${HULL_TEST_THOROUGH:-}" ] || part=1
	[ "$HULL_TEST_SLOW" = 1 ] || part=10
	echo $((($1 + part - 1) / part))
}

# thinned [SLOW]: of a row of tries, each how manieth is made: each one where tests are to be thorough,
# otherwise each third, and each SLOWth (20) where the machine is slow.
thinned() {
	if [ "$HULL_TEST_SLOW" -gt 1 ]; then
		echo "${1:-20}"
	elif [ -n "${HULL_TEST_THOROUGH:-}" ]; then
		echo 1
	else
		echo 3
	fi
}
