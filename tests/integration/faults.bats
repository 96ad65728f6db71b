#!/usr/bin/env bats
# as: root
# sanitizers: no
#
# Hull short of descriptors: it either succeeds or says why not, and what it
# leaves is removed by one `delete --force`. With 3 the dynamic loader itself
# fails and hull never starts, so it begins with 4.

# shellcheck disable=SC2154 # set by helpers
load helpers

setup() {
	setup_test
	make_bundle bundle 'del(.process.rlimits)' # they may not be raised again everywhere
	config_args true
}

# with_each_limit WORD...: hull, with no more than 4 to 40 descriptors in turn.
with_each_limit() {
	local n failed=0
	for n in {4..40}; do
		run_command timeout "$((20 * HULL_TEST_SLOW))" prlimit --nofile="$n:$n" \
			"$HULL" --root "$STATE" "$@" </dev/zero
		if [ "$status" != 0 ]; then
			failed=$((failed + 1))
			[ "$status" = 1 ] || mismatch "status with $n descriptors" 1 "$status"
			stderr_has "hull: "
			stderr_has "too many open files"
			[ "${#lines[@]}" = 1 ] || mismatch "lines with $n descriptors" 1 "${#lines[@]}"
			leaves_no_state || mismatch "state with $n descriptors" none "$(ls "$STATE/$ID")"
		fi
		expect 0 delete --force "$ID"
		assert_nothing_left || mismatch "left with $n descriptors" nothing "the above"
	done
	[ "$failed" -gt 0 ] || mismatch "limits that were too low" some none
	[ "$failed" -lt 37 ] || mismatch "limits that were enough" some none
}

# What is asked of a container that runs: each does it or says so, and the container runs on.
@test "state, list, exec, kill and events, out of descriptors, say so and harm nothing" {
	local n verb words failed=0
	config_args sleep 1000
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	for verb in "state $ID" "list" "exec $ID true" "kill $ID 0" "events --stats $ID"; do
		read -ra words <<<"$verb"
		for n in {4..40..2}; do
			run_command timeout "$((20 * HULL_TEST_SLOW))" prlimit --nofile="$n:$n" \
				"$HULL" --root "$STATE" "${words[@]}" </dev/zero
			[ "$status" != 0 ] || continue
			failed=$((failed + 1))
			[[ $status = 1 || "${words[0]} $status" = "exec 255" ]] ||
				mismatch "status of $verb with $n descriptors" 1 "$status"
			[[ $stderr == "hull: "*"too many open files" && $stderr != *$'\n'* ]] ||
				mismatch "$verb with $n descriptors" "one sentence" "$stderr"
		done
		[ "$(state_of "$ID")" = running ] || mismatch "state after $verb" running "$(state_of "$ID")"
	done
	[ "$failed" -gt 0 ] || mismatch "limits that were too low" some none
	expect 0 delete --force "$ID"
}

# Unless it was the removal of a container that had ended which failed.
leaves_no_state() {
	[ ! -e "$STATE/$ID" ] || [ "$(state_of "$ID")" = stopped ]
}

@test "create, out of descriptors, says so and leaves nothing that delete --force does not remove" {
	with_each_limit create --bundle "$BUNDLE" "$ID"
}

@test "run, out of descriptors, says so and leaves nothing that delete --force does not remove" {
	with_each_limit run --bundle "$BUNDLE" "$ID"
}
