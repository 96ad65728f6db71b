#!/usr/bin/env bats
# as: root, user
# vm: root
# vm-long: user
# sanitizers: thorough
# Containers that take all they can: each is held at its limit, and it is named afterwards.
# shellcheck disable=SC2154,SC2016 # helpers.bash sets these
load helpers
load held_helpers

# hog FILTER SCRIPT: it runs in the background.
hog() {
	make_bundle bundle "$1"
	config_args sh -c "$2"
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	cgroup=$(cgroup_of "$(state_of "$ID" .pid)")
}

@test "a fork bomb" {
	requires controller=pids cgroup
	hog '.linux.resources.pids.limit = 20' 'bomb() { bomb | bomb & }; bomb; exec sleep 1000'
	wait_for 60 counted pids.events max 3
	[ "$(<"$cgroup/pids.current")" -le 20 ]
	[ ! -e "$cgroup/pids.peak" ] || [ "$(<"$cgroup/pids.peak")" = 20 ]
	expect 0 kill --all "$ID" KILL
	named '.pids.refused >= 3 and .pids.limit == 20' "$REFUSED" warning
}

@test "a memory hog" {
	requires controller=memory cgroup
	make_bundle bundle '.linux.resources.memory = {limit: 33554432, swap: 33554432}'
	config_args sh -c 'exec tail /dev/zero'
	expect 137 run --keep --bundle "$BUNDLE" "$ID"
	stderr_has "the kernel killed 1 of its processes for lack of memory (OOM): its limit is 32.0 MiB"
	hull state "$ID" | jq --exit-status '."run.hull.oom" | .limit == 33554432 and .peak <= 33554432'
	expect 0 why "$ID"
	stdout_has "$ID (stopped): the kernel killed 1 of its processes for lack of memory (OOM): its limit is 32.0 MiB"
	expect 0 delete "$ID"
}

@test "half a MiB is enough to start in" {
	requires controller=memory cgroup
	make_bundle bundle '.linux.resources.memory = {limit: 524288, swap: 524288}'
	config_args true
	expect 0 run --bundle "$BUNDLE" "$ID"
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	wait_state "$ID" stopped
	hull state "$ID" | jq --exit-status '."run.hull.oom" == null'
	expect 0 delete "$ID"
}

@test "a CPU burner" {
	requires controller=cpu cgroup
	hog '.linux.resources.cpu = {quota: 20000, period: 100000}' 'while :; do :; done'
	wait_for 60 counted cpu.stat nr_throttled 10
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	# A fifth of a processor, with one period's quota in hand.
	used=$(count cpu.stat usage_usec) periods=$(count cpu.stat nr_periods)
	[ "$used" -le $(((periods + 2) * 20000 * 3 / 2)) ] || mismatch "CPU time" "$periods periods" "$used us"
	named '.cpu | .throttledPeriods >= 10 and .throttledPeriods <= .periods and .quota == 20000 and .period == 100000' \
		"$THROTTLED" info
}

@test "an I/O hog" {
	local device
	requires controller=io cgroup
	whole_disk "$WORK"
	hog "$(io_hog "$device")" "$IO_HOG"
	dd if=/dev/zero of="$BUNDLE/rootfs/file" bs=1M count=3 oflag=direct status=none
	local began=${EPOCHREALTIME/./}
	expect 0 exec "$ID" touch /dev/shm/go
	wait_for 60 has_state "$ID" stopped
	# Three of them at one in a second; the first is free.
	[ $((${EPOCHREALTIME/./} - began)) -ge 1900000 ]
	grep -q "^$device .*rbytes=3[0-9]\{6\} " "$cgroup/io.stat" || mismatch "io.stat" 3145728 "$(<"$cgroup/io.stat")"
	named ".io | .waited > 1000000 and .limits == [\"$device rbps=1048576\"]" \
		"it waited for I/O for [0-9]+\.[0-9] s: its limits are $device rbps=1048576" info
}

@test "what is not limited, or not held back, is not said" {
	requires cgroup
	make_bundle bundle '.linux.resources.pids.limit = 20'
	has_controller pids || config 'del(.linux.resources.pids)'
	expect 0 run --keep --bundle "$BUNDLE" "$ID"
	stderr_is ""
	[ "$(state_of "$ID" '."run.hull.held"')" = null ]
	expect 0 --log-level info delete "$ID"
	[[ $stderr != *"its limit"* ]]
}

@test "a container for people: why and the record say it" {
	requires controller=pids cgroup
	DATA=$WORK/data
	[ -e "${HULL%/*}/libexec/hull/hull-unpack" ] || skip "needs hull-unpack beside hull"
	run_hull --data-root "$DATA" run --network none --pids-limit 5 --name bomb hull/busybox \
		sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; exit 3'
	stderr_has "the kernel refused "
	expect 0 --data-root "$DATA" why bomb
	stdout_has "bomb (exited): its program ended by itself, with status "
	grep --extended-regexp --quiet '^    the kernel refused [0-9]+ of its forks: its limit is 5 processes$' <<<"$stdout"
	expect 0 --data-root "$DATA" why --format json bomb
	jq --exit-status '.facts | any(test("of its forks: its limit is 5 processes$"))' <<<"$stdout"
	expect 0 --data-root "$DATA" rm --volumes bomb
	rm -rf "$DATA"
}
