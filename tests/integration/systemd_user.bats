#!/usr/bin/env bats
# as: user
# vm: user
# The systemd cgroup driver with a user's own systemd.
# shellcheck disable=SC2154,SC2016 # helpers.bash sets these
load helpers
load systemd_helpers

@test "systemd: from create to delete by a user's own" {
	requires controller=memory controller=pids
	expect_place() {
		[ "$cgroup" = "$manager/$slice/$unit/container" ] ||
			mismatch cgroup "$manager/$slice/$unit/container" "$cgroup"
	}
	sd_run '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 33}}'
	expect_place
	expect 0 exec "$ID" cat /proc/self/cgroup
	stdout_is 0::/
	shown MemoryMax 67108864
	shown TasksMax 33
	knob memory.max 67108864
	knob pids.max 33
	expect 0 update --pids-limit 40 "$ID"
	shown TasksMax 40
	knob pids.max 40
	expect 0 delete --force "$ID"
	no_unit
}

@test "systemd: who stays with a user's container tells its lack of memory" {
	requires controller=memory
	sd_limited tail /dev/zero
	for _ in 1 2 3; do
		expect 137 --systemd-cgroup run --bundle "$BUNDLE" "$ID"
		stderr_has "container $ID: $LACK"
		no_unit
	done
	expect 137 --systemd-cgroup run --keep --bundle "$BUNDLE" "$ID"
	told_afterwards
	no_units
}

@test "systemd: nobody stays, and without the kernel's log a user is not told what is not known" {
	requires controller=memory
	sd_limited tail /dev/zero
	expect 0 --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	wait_state "$ID" stopped
	wait_for 20 no_unit
	if head --bytes 1 /dev/kmsg 2>/dev/null; then
		told_afterwards
	else
		expect 0 why "$ID"
		stdout_has "and nobody counted whether it lacked memory"
		expect 0 delete "$ID"
		stderr_is ""
	fi
	no_units
}

@test "systemd: no session of the user, each by name" {
	sd_bundle
	run_command env -u DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR="$WORK" \
		"$HULL" --root "$STATE" --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	[ "$status" = 1 ]
	stderr_has "hull: connect to this user's systemd by XDG_RUNTIME_DIR $WORK: "
	run_command env -u DBUS_SESSION_BUS_ADDRESS -u XDG_RUNTIME_DIR \
		"$HULL" --root "$STATE" --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	[ "$status" = 1 ]
	stderr_is "hull: connect to this user's systemd: neither XDG_RUNTIME_DIR nor DBUS_SESSION_BUS_ADDRESS is set, so there is no session of it"
	assert_nothing_left
}

@test "systemd: one that does not answer is waited for, but not for ever" {
	sd_bundle
	# One that takes the connection, and then says nothing. Not the real one: others need it.
	mkdir "$WORK/systemd"
	in_background python3 -c 'import signal, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
signal.pause()' "$WORK/systemd/private"
	wait_for 10 test -S "$WORK/systemd/private"
	run_command env XDG_RUNTIME_DIR="$WORK" \
		"$HULL" --root "$STATE" --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	[ "$status" = 1 ]
	stderr_is "hull: connect to this user's systemd: it has not answered within 25 s"
	assert_nothing_left
}
