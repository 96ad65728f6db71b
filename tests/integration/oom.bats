#!/usr/bin/env bats
# as: root, user
# vm: root
# vm-long: user
# sanitizers: thorough
# A container that lacks memory: told while it runs, and named afterwards.
# shellcheck disable=SC2154,SC2016,SC2034 # helpers.bash sets these
load helpers

# A hog that holds its memory at a limit of 32 MiB. `tail` keeps a line of any length.
limited() {
	requires controller=memory cgroup
	make_bundle bundle '.linux.resources.memory = {limit: 33554432, swap: 33554432}'
	config_args sh -c "$1"
}

HOG='tail /dev/zero'

@test "run says that the kernel killed for lack of memory, with limit and peak" {
	limited "exec $HOG"
	expect 137 run --bundle "$BUNDLE" "$ID"
	stderr_has "container $ID: the kernel killed 1 of its processes for lack of memory (OOM): its limit is 32.0 MiB, its peak was 32.0 MiB"
	expect 137 run --keep --bundle "$BUNDLE" "$ID"
	stderr_has "container $ID: the kernel killed 1 of its processes for lack of memory (OOM)"
	expect 0 delete "$ID"
	stderr_has "container $ID: the kernel killed 1 of its processes for lack of memory (OOM)"
}

@test "state of a stopped container says it, that of another doesn't" {
	limited "exec $HOG"
	expect 0 create --bundle "$BUNDLE" "$ID"
	[ "$(state_of "$ID" '."run.hull.oom"')" = null ]
	expect 0 start "$ID"
	wait_state "$ID" stopped
	hull state "$ID" | jq --exit-status '."run.hull.oom" |
		.killed == 1 and .limit == 33554432 and .peak > 30000000 and .peak <= 33554432'
	hull list --format json | jq --exit-status '.[0]."run.hull.oom".killed == 1'
	expect 0 delete "$ID"

	config_args true
	expect 0 run --keep --bundle "$BUNDLE" "$ID"
	stderr_is ""
	[ "$(state_of "$ID" '."run.hull.oom"')" = null ]
	expect 0 why "$ID"
	stdout_has "and it did not lack memory"
	expect 0 delete "$ID"
	stderr_is ""
}

@test "why does not say that it had memory when nobody has counted" {
	make_bundle
	expect 0 --cgroup-manager disabled run --keep --bundle "$BUNDLE" "$ID"
	expect 0 why "$ID"
	stdout_has "$ID (stopped): it has ended; its exit status is known to the program that started it, and nobody counted whether it lacked memory"
	expect 0 delete "$ID"
}

@test "events tells each lack of memory while the container goes on" {
	limited "until [ -e /dev/shm/go ]; do sleep 0.1; done; $HOG; $HOG; exec sleep 100"
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	start_hull events --interval 1h "$ID"
	call=$calls
	# It is watching once it waits.
	wait_for 20 grep -q poll "/proc/$hull_pid/wchan"
	expect 0 exec "$ID" touch /dev/shm/go
	wait_for 60 two_events "$call"
	expect 0 kill "$ID" KILL
	stdout_file=$WORK/stdout.$call stderr_file=$WORK/stderr.$call
	wait_hull
	[ "$status" = 0 ]
	stderr_is ""
	jq --exit-status --slurp --arg id "$ID" 'length <= 2 and all(.type == "oom" and .id == $id and
		.data.memory.usage.limit == 33554432) and .[-1].data.memory.events.oom_kill == 2' <<<"$stdout"
	expect 0 delete "$ID"
	stderr_has "the kernel killed 2 of its processes"
}

# Two that come within the kernel's 10 ms are one event.
two_events() { [ "$(jq --slurp '.[-1].data.memory.events.oom_kill' "$WORK/stdout.$1")" = 2 ]; }

@test "stats and metrics have the memory, the pids and the limits" {
	limited 'exec sleep 100'
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	expect 0 stats --no-stream --format json "$ID"
	jq --exit-status '.memory > 0 and .memoryLimit == 33554432 and .memoryPercent > 0 and .pids == 1' \
		<<<"$stdout"
	expect 0 stats --no-stream "$ID"
	stdout_has " / 32.0MiB"
	expect 0 metrics
	stdout_has "hull_container_memory_limit_bytes{id=\"$ID\"} 33554432"
	stdout_has "hull_container_memory_events_total{id=\"$ID\",event=\"oom_kill\"} 0"
	stdout_has "hull_container_pids{id=\"$ID\"} 1"
	expect 0 events --stats "$ID"
	stderr_is ""
	jq --exit-status '.data | .memory.usage.limit == 33554432 and .memory.usage.usage > 0 and
		.memory.raw.anon > 0 and .pids.current == 1 and .memory.events.oom_kill == 0' <<<"$stdout"
	expect 0 delete --force "$ID"
}
