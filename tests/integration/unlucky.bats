#!/usr/bin/env bats
# as: root, user
# sanitizers: no
#
# No memory, and clocks that jump (tests/tools/unlucky.c): each command does what it is for or says
# one sentence, and what is left one `delete --force` removes.
#
# Environment: HULL_UNLUCKY_STRIDE (1: each allocation; 7: every seventh).

# shellcheck disable=SC2030,SC2031,SC2154 # set by helpers, and for each test anew
load helpers
load people_helpers
load ../tools/tools

setup() {
	setup_people
	verb=()
	stride=$((${HULL_UNLUCKY_STRIDE:-1} * $(thinned 10)))
	unlucky=
	for directory in "${HULL%/*}" "${HULL%/*}/.." "$SOURCE/build"; do
		[ -n "$unlucky" ] || [ ! -e "$directory/tests/tools/unlucky.so" ] ||
			unlucky=$(realpath "$directory")/tests/tools/unlucky.so
	done
	[ -n "$unlucky" ] || skip "needs tests/tools/unlucky.so, which make builds"
	# It is preloaded, which only a dynamic program knows: the same sources, where hull is static.
	if [ -x "${HULL%/*}/libexec/hull/hull-full" ]; then
		mkdir "$WORK/full"
		ln -s "$(realpath "${HULL%/*}/libexec/hull/hull-full")" "$WORK/full/hull"
		HULL=$WORK/full/hull
	fi
}

teardown() {
	teardown_people
}

# without_memory N WORD...: hull, with the Nth allocation failing. $failed: whether one did.
without_memory() {
	local n=$1
	shift
	rm -f report
	run_command timeout "$((20 * HULL_TEST_SLOW))" env LD_PRELOAD="$unlucky" UNLUCKY_MEMORY="$n" \
		UNLUCKY_REPORT="$WORK/report" HULL_TEST="$TAG" XDG_RUNTIME_DIR="$RUNTIME_DIR" "$HULL" --root "$STATE" "$@" </dev/zero
	failed=
	[ ! -e report ] || failed=1
}

# It did what it is for, or said one sentence. The process that becomes the container's own may
# have said that it has no memory, too; and where both lack it, there may be a warning of what is left.
sober() {
	local other
	if [ "$status" = 0 ]; then
		[ -z "$stderr" ] || [[ $stderr == *"hull warning: "* ]] || mismatch "words with $1" none "$stderr"
	else
		[ "$status" = 1 ] || mismatch "status with $1" "0 or 1" "$status"
		other=$(grep -vxe 'hull: out of memory' -e '.* hull warning: .*' <<<"$stderr") || true
		[[ $stderr == "hull: "* && $other != *$'\n'* ]] || mismatch "words with $1" "one sentence" "$stderr"
	fi
}

# each_allocation FUNCTION MORE: calls it with 1 ..., until none fails any more.
each_allocation() {
	local n=1 total=0
	failed=1
	while [ -n "$failed" ]; do
		"$1" "$n$2"
		[ -z "$failed" ] || total=$((total + 1))
		n=$((n + stride))
	done
	[ "$total" -gt 2 ] || mismatch "allocations that failed" "some" "$total"
	echo "# $1 ${verb[*]} $2: $total allocations failed" >&3
}

creates() {
	without_memory "$1" create --bundle "$BUNDLE" "$ID"
	sober "allocation $1"
	expect 0 delete --force "$ID"
	assert_nothing_left || mismatch "left with allocation $1" nothing "the above"
}

runs() {
	without_memory "$1" run --detach --bundle "$BUNDLE" "$ID"
	sober "allocation $1"
	expect 0 delete --force "$ID"
	assert_nothing_left || mismatch "left with allocation $1" nothing "the above"
}

container_for_allocations() {
	make_bundle
	config_args sleep 1000
}

@test "out of memory at each allocation of create" {
	container_for_allocations
	each_allocation creates ""
	each_allocation creates "+"
}

@test "out of memory at each allocation of run" {
	container_for_allocations
	each_allocation runs ""
}

# verb N WORD...: of a container that runs, and runs on.
looks() {
	without_memory "$1" "${verb[@]}"
	[ "${verb[0]} $status" != "exec 255" ] || status=1
	sober "allocation $1"
	[ "$(state_of "$ID")" = running ] || mismatch "state" running "$(state_of "$ID")"
}

@test "out of memory at each allocation of state, list, exec and ps" {
	container_for_allocations
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	for verb in "state $ID" "list" "exec $ID true" "ps $ID"; do
		read -ra verb <<<"$verb"
		[ "${verb[0]}" != ps ] || is_root || continue # without a cgroup there is none
		each_allocation looks ""
	done
	expect 0 delete --force "$ID"
}

deletes() {
	[ -e "$STATE/$ID" ] || expect 0 create --bundle "$BUNDLE" "$ID"
	without_memory "$1" delete --force "$ID"
	sober "allocation $1"
}

@test "out of memory at each allocation of delete: the next one does it" {
	container_for_allocations
	each_allocation deletes ""
	expect 0 delete --force "$ID"
}

# jumping WORD...: a hull for whom each look at the clock is 20 years off, there or back.
jumping() {
	run_command timeout "$((30 * HULL_TEST_SLOW))" env LD_PRELOAD="$unlucky" UNLUCKY_CLOCK=631152000 \
		UNLUCKY_REPORT="$WORK/report" \
		HULL_TEST="$TAG" XDG_RUNTIME_DIR="$RUNTIME_DIR" "$HULL" --root "$STATE" "$@" </dev/zero
	[ "$status" = 0 ] || mismatch "hull $*" 0 "$status"
}

@test "clocks that jump by twenty years: the runtime" {
	container_for_allocations
	jumping create --bundle "$BUNDLE" "$ID"
	jumping start "$ID"
	jumping state "$ID"
	[ "$(jq -r .status <<<"$stdout")" = running ]
	jumping list
	jumping exec "$ID" true
	jumping kill "$ID" KILL
	wait_state "$ID" stopped
	jumping delete "$ID"
	jumping list --quiet
	stdout_is ""
	grep -qx clock report || mismatch "looks at a clock that jumped" some none
}

@test "clocks that jump by twenty years: containers for people" {
	jumping --data-root "$DATA" run --network none --detach --name one --health-cmd true --health-interval 1s \
		"$IMAGE" sh -c 'echo said; trap "exit 3" TERM; while :; do sleep 0.1; done'
	wait_for 20 said_by one
	jumping --data-root "$DATA" ps
	stdout_has one
	jumping --data-root "$DATA" exec one true
	jumping --data-root "$DATA" logs one
	stdout_is said
	began=$SECONDS
	jumping --data-root "$DATA" stop --time 5 one
	[ $((SECONDS - began)) -lt $((8 * HULL_TEST_SLOW)) ] || mismatch "seconds of stop" "few" "$((SECONDS - began))"
	jumping --data-root "$DATA" wait one
	stdout_is 3
	jumping --data-root "$DATA" why one
	stdout_has "one (exited): it was told to end"
	jumping --data-root "$DATA" rm one
	jumping --data-root "$DATA" ps --all --quiet
	stdout_is ""
	grep -qx clock report || mismatch "looks at a clock that jumped" some none
}

said_by() {
	hull --data-root "$DATA" logs "$1" 2>/dev/null | grep -q said
}
