#!/usr/bin/env bats
# as: root, user
# vm: root
# vm-long: user
# What containers use: the table and its JSON, and the metrics.
# shellcheck disable=SC2154,SC2016,SC2034 # helpers.bash sets these
load helpers

# no_line GREP-ARGUMENT...: grep finds none in the output; that it fails is no answer.
no_line() {
	local result=0
	grep "$@" <<<"$stdout" || result=$?
	[ "$result" = 1 ]
}

running() {
	make_bundle bundle '.process.args = ["sleep", "100"]'
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
}

lines() { [ "$(wc -l <"$stdout_file")" -ge "$1" ]; }

@test "stats --no-stream shows the running containers, or those that are named" {
	running
	expect 0 run --detach --bundle "$BUNDLE" "$ID-two"
	expect 0 create --bundle "$BUNDLE" "$ID-three"
	expect 0 kill "$ID-two" KILL
	wait_state "$ID-two" stopped
	expect 0 stats --no-stream
	stderr_is ""
	[ "$(head -n 1 <<<"$stdout" | tr -s ' ')" = "CONTAINER ID NAME CPU % MEM USAGE / LIMIT MEM % NET I/O BLOCK I/O PIDS" ]
	[ "$(awk '{ print $1 }' <<<"$stdout" | tail -n +2 | tr '\n' ' ')" = "$ID $ID-three " ]
	expect 0 stats --no-stream "$ID-two" "$ID"
	[ "$(awk '{ print $1 }' <<<"$stdout" | tail -n +2 | tr '\n' ' ')" = "$ID-two $ID " ]
	expect 1 stats --no-stream "$ID-none"
	stderr_is "hull: container does not exist"
	expect 1 stats --no-stream "$ID" "$ID-none"
	stderr_is "hull: $ID-none: container does not exist"
	expect 1 stats --no-stream --format '{{.Nothing}}'
	stderr_is 'hull: --format: there is no field ".Nothing"'
	expect 0 stats --no-stream --all --format '{{.Name}}'
	stdout_is "$(printf '%s\n' "$ID" "$ID-three" "$ID-two")"
	for id in "$ID" "$ID-two" "$ID-three"; do
		expect 0 delete --force "$id"
	done
	expect 0 stats --no-stream
	[ "$(wc -l <<<"$stdout")" = 1 ]
}

@test "stats --format json has numbers, and a busy container a share of CPU" {
	requires cgroup
	make_bundle bundle '.process.args = ["sh", "-c", "while :; do :; done"]'
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	expect 0 stats --no-stream --format json "$ID"
	jq --exit-status --arg id "$ID" '.id == $id and .status == "running" and
		.cpuPercent > 1 and .cpuPercent < 800' <<<"$stdout"
	wanted=$(jq 'if any(.linux.namespaces[]; .type == "network") then 0 else null end' \
		"$BUNDLE/config.json")
	[ "$(jq .networkReceived <<<"$stdout")" = "$wanted" ]
	expect 0 delete --force "$ID"
}

@test "stats goes on until the named container has ended" {
	running
	start_hull stats --format json "$ID"
	call=$calls
	wait_for 20 lines 2
	expect 0 kill "$ID" KILL
	stdout_file=$WORK/stdout.$call stderr_file=$WORK/stderr.$call
	wait_hull
	[ "$status" = 0 ]
	stderr_is ""
	[ "$(jq -r .status <<<"$stdout" | tail -n 1)" = stopped ]
	expect 0 delete "$ID"
}

@test "stats on a terminal: a table that is drawn again and again in its place" {
	requires program=script
	running
	in_background in_terminal "$WORK/shown" "$HULL" --root "$STATE" stats "$ID"
	shower=$!
	wait_for 20 drawn 3
	expect 0 kill "$ID" KILL
	wait_for 20 process_gone "$shower"
	# Between two clearings of the screen there is one table, of a header and this container.
	first=$(tr -d '\r' <"$WORK/shown" | awk -v RS='\033\\[H\033\\[J' 'NR == 2' | grep .)
	[ "$(head -n 1 <<<"$first" | tr -s ' ')" = "CONTAINER ID NAME CPU % MEM USAGE / LIMIT MEM % NET I/O BLOCK I/O PIDS" ] ||
		mismatch "the header" "ID ..." "$first"
	[ "$(tail -n +2 <<<"$first" | awk '{ print $1 }')" = "$ID" ] || mismatch "the row" "$ID" "$first"
	expect 0 delete "$ID"
}

# So many tables.
drawn() { [ "$(grep --only-matching $'\e\\[H\e\\[J' "$WORK/shown" 2>/dev/null | wc -l)" -ge "$1" ]; }

@test "metrics are OpenMetrics text about every container" {
	expect 0 metrics
	stdout_is "# EOF"
	running
	expect 0 create --bundle "$BUNDLE" "$ID-two"
	expect 0 metrics
	stderr_is ""
	[ "$(tail -n 1 <<<"$stdout")" = "# EOF" ]
	stdout_has "hull_container_status{id=\"$ID\",hull_container_status=\"running\"} 1"
	stdout_has "hull_container_status{id=\"$ID-two\",hull_container_status=\"created\"} 1"
	stdout_has "hull_container_status{id=\"$ID-two\",hull_container_status=\"running\"} 0"
	# Each line is one of the format, and a family stands in one piece.
	no_line --invert-match --extended-regexp \
		'^# (TYPE|UNIT|HELP) [a-z_]+ .+$|^# EOF$|^[a-z_]+\{([a-z_]+="([^"\\]|\\.)*",?)+\} [0-9]+(\.[0-9]+)?$'
	[ -z "$(sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' <<<"$stdout" | sort | uniq --repeated)" ]
	expect 0 delete --force "$ID"
	expect 0 delete --force "$ID-two"
}

@test "metrics count the CPU time and the pressure of a cgroup" {
	requires cgroup
	running
	expect 0 metrics
	stdout_has "hull_container_cpu_usage_seconds_total{id=\"$ID\"} 0."
	if [ -e "$(cgroup_of "$(state_of "$ID" .pid)")/memory.pressure" ]; then
		stdout_has "hull_container_pressure_some_seconds_total{id=\"$ID\",resource=\"memory\"} 0."
	fi
	expect 0 delete --force "$ID"
}
