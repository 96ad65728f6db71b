#!/usr/bin/env bats
# as: none, it is the VM that has systemd and the controllers
# vm: user
# vm-long: root
# Containers that take all they can, in units of systemd: it removes the cgroup as soon as the last
# process has ended, so whoever stays with the container has to have looked before.
# shellcheck disable=SC2154,SC2016 # helpers.bash sets these
load helpers
load systemd_helpers
load held_helpers

# hog FILTER SCRIPT: a `run` stays with it, in the background.
hog() {
	sd_bundle "$1"
	config_args sh -c "$2"
	start_hull --systemd-cgroup run --keep --bundle "$BUNDLE" "$ID"
	wait_state "$ID" running
	cgroup=$(cgroup_of "$(state_of "$ID" .pid)")
}

# ended STATUS: with its unit, and with its cgroup.
ended() {
	wait_hull
	[ "$status" = "$1" ] || mismatch "exit status" "$1" "$status"
	wait_for 20 no_unit
	[ ! -e "$cgroup" ]
}

@test "systemd: a fork bomb" {
	requires controller=pids
	hog '.linux.resources.pids.limit = 20' 'bomb() { bomb | bomb & }; bomb; exec sleep 1000'
	wait_for 60 counted pids.events max 3
	[ "$(<"$cgroup/pids.current")" -le 20 ]
	shown TasksMax 20
	expect 0 kill --all "$ID" KILL
	ended 137
	named '.pids.refused >= 3 and .pids.limit == 20' "$REFUSED" warning
}

@test "systemd: a CPU burner" {
	requires controller=cpu
	hog '.linux.resources.cpu = {quota: 20000, period: 100000}' 'while :; do :; done'
	shown CPUQuotaPerSecUSec 200ms
	# Of CPU time whoever stays hears once in two seconds.
	wait_for 60 counted cpu.stat nr_throttled 50
	used=$(count cpu.stat usage_usec) periods=$(count cpu.stat nr_periods)
	[ "$used" -le $(((periods + 2) * 20000 * 3 / 2)) ] || mismatch "CPU time" "$periods periods" "$used us"
	expect 0 kill "$ID" KILL
	ended 137
	named '.cpu | .throttledPeriods >= 10 and .throttledPeriods <= .periods and .quota == 20000 and .period == 100000' \
		"$THROTTLED" info
}

@test "systemd: an I/O hog" {
	local device
	requires controller=io
	whole_disk "$WORK"
	hog "$(io_hog "$device")" "$IO_HOG"
	dd if=/dev/zero of="$BUNDLE/rootfs/file" bs=1M count=3 oflag=direct status=none
	expect 0 exec "$ID" touch /dev/shm/go
	ended 0
	named ".io | .waited > 1000000 and .limits == [\"$device rbps=1048576\"]" \
		"it waited for I/O for [0-9]+\.[0-9] s: its limits are $device rbps=1048576" info
}
