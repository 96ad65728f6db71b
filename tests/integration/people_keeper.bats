#!/usr/bin/env bats
# as: root, user
# sanitizers: no
#
# What the process that stays with a detached container costs.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() {
	setup_people
}

teardown() {
	teardown_people
}

# own_memory PID: kB that are that process's alone. Not counted is the sealed copy of the program that it
# runs without root (security/seal.h): 1 MB.
own_memory() {
	awk '/^[0-9a-f]+-[0-9a-f]+ /{ program = $6 == "/memfd:hull" }
		/^Private_/ && !program { sum += $2 } END { print sum }' "/proc/$1/smaps"
}

keeper_of() {
	do_ 0 inspect "$1"
	awk '$1 == "PPid:" { print $2 }' "/proc/$(jq '.[0].State.Pid' <<<"$stdout")/status"
}

# logged TEXT: the last line that container `second` wrote.
logged() {
	[ "$(hull --data-root "$DATA" logs second | tail -n 1)" = "$1" ]
}

@test "a keeper has less than 512 kB of its own, also the one that unpacked the image before" {
	run_ 0 --detach --name first "$IMAGE" sleep 1000
	run_ 0 --detach --name second --interactive "$IMAGE" sh -c 'seq 100000; cat'
	wait_for 10 logged 100000
	for name in first second; do
		keeper=$(keeper_of "$name")
		[ "$(cat "/proc/$keeper/comm")" = hull-keep ]
		echo "$name: $(own_memory "$keeper") kB"
		cat "/proc/$keeper/smaps_rollup"
		[ "$(own_memory "$keeper")" -lt 512 ]
	done
}
