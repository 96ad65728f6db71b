#!/usr/bin/env bats
# sanitizers: no
#
# hull beside crun and runc: tests/differential.
# shellcheck disable=SC2154 # helpers.bash and tools.bash set these
load helpers
load ../tools/tools

# differential STATUS [OPTION...]: what it says is in $stdout; fails unless that is its exit status.
# Hundreds of containers of each: minutes where other things run.
differential() {
	local HULL_TEST_SLOW=$((HULL_TEST_SLOW * 10))
	tool probe
	run_command "$SOURCE/tests/differential/differential" --hull "$HULL" --probe "$tool" \
		--work "$WORK/$TAG" "${@:2}"
	[ "$status" = "$1" ] || mismatch "exit status" "$1" "$status: $stdout$stderr"
}

peers() {
	local peer
	for peer in crun runc; do
		command -v "$peer" >/dev/null || skip "needs the package $peer"
	done
}

@test "each difference between hull, crun and runc has its reason" {
	peers
	differential 0
	stdout_has "0 problems"
}

@test "what has no reason fails, and a reason for nothing too" {
	peers
	printf 'base\t.\toutcome=ran\n' >cases
	: >rows
	differential 1 --cases "$WORK/cases" --expected "$WORK/rows"
	stdout_has "base: path /dev/core: hull '(none)', crun"
	stdout_has ", which no row explains"

	printf '%s\t' 'base' '*' '*' '*' '*' >rows
	echo 'any of them' >>rows
	differential 0 --cases "$WORK/cases" --expected "$WORK/rows"
	printf '%s\t' 'base' 'hostname' 'crun-*' 'box' 'other' >>rows
	echo 'there is none' >>rows
	differential 1 --cases "$WORK/cases" --expected "$WORK/rows"
	stdout_has ":2: no difference is like this: base | hostname | crun-* | box | other"
}

@test "what is expected of hull is asked of it" {
	peers
	printf 'base\t.hostname = "other"\thostname=box\n' >cases
	printf '%s\t' '*' '*' '*' '*' '*' >rows
	echo 'any' >>rows
	differential 1 --cases "$WORK/cases" --expected "$WORK/rows"
	stdout_has "base: hostname is 'other', not 'box'"
}

@test "a table that is wrong is named" {
	peers
	printf 'base\t.hostname = \toutcome=ran\n' >cases
	differential 2 --cases "$WORK/cases"
	[[ $stderr == "differential: the edit of case base: "* ]] || mismatch "standard error" "the edit" "$stderr"
	printf 'base\n' >cases
	differential 2 --cases "$WORK/cases"
	[ "$stderr" = "differential: $WORK/cases:1: not NAME<tab>EDIT<tab>KEY=PATTERN..." ] ||
		mismatch "standard error" "the line" "$stderr"
}
