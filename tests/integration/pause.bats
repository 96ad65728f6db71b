#!/usr/bin/env bats
# vm: root
# vm-long: user
# sanitizers: thorough
# Pausing and resuming, and what can be done to a paused container.
# shellcheck disable=SC2154,SC2016 # helpers.bash sets these
load helpers

TICKS='.process.args = ["sh", "-c", "trap \"exit 7\" TERM; while :; do echo x; sleep 0.02; done"]'

running() {
	make_bundle bundle "$TICKS"
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	ticks=$stdout_file
}

# Whether the container's program gets on.
ticking() {
	local before
	before=$(stat -c %s "$ticks")
	wait_for 10 is_larger "$ticks" "$before"
}

is_larger() { [ "$(stat -c %s "$1")" -gt "$2" ]; }

@test "pause stops every process, resume lets them go on" {
	running
	ticking
	expect 0 pause "$ID"
	[ "$output" = "" ]
	[ "$(state_of "$ID")" = paused ]
	[[ $(hull list) == *" paused "* ]]
	before=$(stat -c %s "$ticks")
	sleep 0.2
	[ "$(stat -c %s "$ticks")" = "$before" ]
	expect 1 pause "$ID"
	stderr_is "hull: container not running or created: paused"
	expect 1 start "$ID"
	stderr_is "hull: cannot start a container in the paused state"
	expect 1 delete "$ID"
	stderr_is "hull: cannot delete container $ID that is not stopped: paused"
	expect 255 exec "$ID" true
	stderr_has "cannot exec in a paused container"
	expect 0 ps --format json "$ID"
	stdout_has "$(state_of "$ID" .pid)"
	expect 0 resume "$ID"
	[ "$output" = "" ]
	[ "$(state_of "$ID")" = running ]
	ticking
	expect 1 resume "$ID"
	stderr_is "hull: container not paused: running"
	expect 0 exec "$ID" true
	expect 0 delete --force "$ID"
	expect 1 pause "$ID"
	stderr_is "hull: container does not exist"
	expect 1 resume "$ID"
	stderr_is "hull: container does not exist"
}

@test "a paused container is killed as it is, another signal waits for it" {
	running
	expect 0 exec --detach "$ID" sleep 100
	for how in "" --all; do
		expect 0 pause "$ID"
		# shellcheck disable=SC2086 # an option or none
		expect 0 kill $how "$ID" KILL
		wait_state "$ID" stopped
		assert_no_processes
		expect 1 pause "$ID"
		stderr_is "hull: container not running or created: stopped"
		expect 1 resume "$ID"
		stderr_is "hull: container not paused: stopped"
		expect 0 delete "$ID"
		expect 0 run --detach --bundle "$BUNDLE" "$ID"
	done
	expect 0 pause "$ID"
	expect 0 kill --all "$ID" TERM
	[ "$(state_of "$ID")" = paused ]
	expect 0 resume "$ID"
	wait_state "$ID" stopped
	expect 0 delete "$ID"
}

assert_no_processes() {
	wait_for 10 no_processes
}
no_processes() { [ "$(hull ps --format json "$ID")" = null ]; }

@test "a paused container is deleted by force" {
	running
	expect 0 pause "$ID"
	expect 0 delete --force "$ID"
	assert_nothing_left
}

@test "a created container can be paused, and is started only when it is resumed" {
	make_bundle bundle '.process.args = ["sleep", "100"]'
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 0 pause "$ID"
	[ "$(state_of "$ID")" = paused ]
	expect 1 start "$ID"
	stderr_is "hull: cannot start a container in the paused state"
	expect 0 resume "$ID"
	[ "$(state_of "$ID")" = created ]
	expect 0 start "$ID"
	expect 0 pause "$ID"
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	expect 0 delete "$ID"
}

@test "exec --ignore-paused runs when the container is resumed" {
	running
	expect 0 pause "$ID"
	before=$(processes_in_cgroup)
	start_hull exec --ignore-paused "$ID" echo thawed
	wait_for 10 exec_is_in_cgroup
	[ ! -s "$stdout_file" ]
	expect_file=$stdout_file
	hull resume "$ID"
	wait_hull
	[ "$status" = 0 ]
	[ "$(<"$expect_file")" = thawed ]
	expect 0 delete --force "$ID"
}
processes_in_cgroup() { hull ps --format json "$ID" | jq length; }
exec_is_in_cgroup() { [ "$(processes_in_cgroup)" -gt "$before" ]; }

@test "a container without a cgroup of its own cannot be paused" {
	make_bundle bundle '.process.args = ["sleep", "100"]'
	expect 0 --cgroup-manager disabled run --detach --bundle "$BUNDLE" "$ID"
	expect 1 pause "$ID"
	stderr_is "hull: pause container $ID: it has no cgroup of its own"
	expect 0 delete --force "$ID"
}
