#!/usr/bin/env bats
# as: root, user
# vm: root
# vm-long: user
# sanitizers: thorough
# Events and statistics of one container, as JSON.
# shellcheck disable=SC2154,SC2016,SC2034 # helpers.bash sets these
load helpers

running() {
	requires cgroup
	make_bundle bundle '.process.args = ["sleep", "100"]'
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
}

lines() { [ "$(wc -l <"$stdout_file")" -ge "$1" ]; }

@test "events --stats prints one line, in the shape that go-runc decodes" {
	running
	expect 0 events --stats "$ID"
	stderr_is ""
	[ "$(wc -l <<<"$stdout")" = 1 ]
	jq --exit-status --arg id "$ID" '.type == "stats" and .id == $id' <<<"$stdout"
	jq --exit-status '.data.cpu.usage | .total > 0 and .total >= .user and .kernel >= 0' <<<"$stdout"
	# A network namespace of the container's own has nothing but lo; the host's is not counted.
	wanted=$(jq --compact-output 'if any(.linux.namespaces[]; .type == "network") then [] else null end' \
		"$BUNDLE/config.json")
	[ "$(jq --compact-output .data.network_interfaces <<<"$stdout")" = "$wanted" ]
	if [ -e "$(cgroup_of "$(state_of "$ID" .pid)")/cpu.pressure" ]; then
		jq --exit-status '[.data.cpu, .data.memory, .data.blkio] | all(.psi.some |
			.avg10 >= 0 and .avg60 >= 0 and .avg300 >= 0 and .total >= 0)' <<<"$stdout"
	fi
	expect 0 delete --force "$ID"
}

@test "what a missing controller would count is left out, not 0" {
	running
	dir=$(cgroup_of "$(state_of "$ID" .pid)")
	expect 0 events --stats "$ID"
	for pair in memory.current=.data.memory.usage pids.current=.data.pids \
		io.stat=.data.blkio.io memory.events=.data.memory.events; do
		there=$(jq "${pair#*=} != null" <<<"$stdout")
		[ -e "$dir/${pair%%=*}" ] && wanted=true || wanted=false
		[ "$there" = "$wanted" ] || mismatch "${pair#*=} is there" "$wanted" "$there"
	done
	expect 0 delete --force "$ID"
}

@test "events prints statistics in intervals and ends with the container" {
	running
	start_hull events --interval 50ms "$ID"
	events_call=$calls
	wait_for 20 lines 3
	expect 0 kill "$ID" KILL
	stdout_file=$WORK/stdout.$events_call stderr_file=$WORK/stderr.$events_call
	wait_hull
	[ "$status" = 0 ]
	jq --exit-status --slurp --arg id "$ID" 'length >= 3 and all(.type == "stats" and .id == $id)' \
		<<<"$stdout"
	expect 0 delete "$ID"
}

@test "events refuses what it can't watch" {
	expect 1 events "$ID"
	stderr_is "hull: container does not exist"
	running
	expect 1 events --interval 0s "$ID"
	stderr_is "hull: duration interval must be greater than 0"
	expect 1 events --interval soon "$ID"
	stderr_is 'hull: --interval: "soon" is no duration, as 5s or 250ms is'
	expect 1 events --stats
	stderr_is "hull: events: --stats and --interval are of one container"
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	expect 1 events --stats "$ID"
	stderr_is "hull: container with id $ID is not running"
	expect 0 delete "$ID"
}

@test "events of a container without a cgroup are refused" {
	make_bundle bundle '.process.args = ["sleep", "100"]'
	expect 0 --cgroup-manager disabled run --detach --bundle "$BUNDLE" "$ID"
	expect 1 events --stats "$ID"
	stderr_is "hull: watch container $ID: it has no cgroup of its own"
	expect 0 delete --force "$ID"
}
