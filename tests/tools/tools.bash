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

# rounds N: N, but a tenth of it where the machine is slow (helpers.bash: HULL_TEST_SLOW).
rounds() {
	echo $((HULL_TEST_SLOW > 1 ? ($1 + 9) / 10 : $1))
}
