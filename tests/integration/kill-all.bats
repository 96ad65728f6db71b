#!/usr/bin/env bats
# as: root, user
# vm: root
# vm-long: user
# sanitizers: thorough
# kill --all where no cgroup tells who belongs to the container.
# shellcheck disable=SC2154,SC2016,SC2034 # helpers.bash sets these
load helpers

without_cgroup() {
	local command=$1
	shift
	make_bundle bundle "$@"
	config_args sh -c "$command"
	expect 0 --cgroup-manager disabled run --detach --bundle "$BUNDLE" "$ID"
}

has_marked() { [ "$(wc -l <"$stdout_file")" -ge "$1" ]; }

WAITING='trap "echo init; exit 3" TERM; while :; do sleep 0.05; done'
EXECED='trap "echo execed; exit 3" TERM; echo ready; while :; do sleep 0.05; done'

@test "kill --all without a cgroup reaches all of the container's own PID namespace, and no others" {
	without_cgroup "$WAITING"
	init_says=$stdout_file
	expect 0 exec --detach "$ID" sh -c "$EXECED"
	wait_for 20 has_marked 1
	exec_says=$stdout_file
	# Another container and a process of the host, which must not be hit.
	make_bundle other '.process.args = ["sleep", "100"]'
	expect 0 --cgroup-manager disabled run --detach --bundle "$BUNDLE" "$ID-two"
	in_background sleep 100
	stranger=$!
	expect 0 kill --all "$ID" TERM
	wait_state "$ID" stopped
	[ "$(<"$init_says")" = init ]
	[ "$(<"$exec_says")" = "ready
execed" ] || [ "$(<"$exec_says")" = ready ] # init's end may come first
	[ "$(state_of "$ID-two")" = running ]
	kill -0 "$stranger"
	expect 0 kill --all "$ID" TERM # nobody is left
	expect 0 delete "$ID"
	expect 0 delete --force "$ID-two"
}

@test "kill --all with another signal reaches what exec brought, and leaves init as it is" {
	without_cgroup 'trap "" USR1; while :; do sleep 0.05; done'
	expect 0 exec --detach "$ID" sh -c 'trap "echo got; exit 3" USR1; echo ready; while :; do sleep 0.05; done'
	wait_for 20 has_marked 1
	expect 0 kill --all "$ID" USR1
	stdout_file=$WORK/stdout.2
	wait_for 20 has_marked 2
	[ "$(<"$stdout_file")" = "ready
got" ]
	[ "$(state_of "$ID")" = running ]
	expect 0 delete --force "$ID"
}

@test "kill --all KILL without a cgroup ends them with init" {
	without_cgroup 'exec sleep 100'
	expect 0 exec --detach "$ID" sleep 100
	expect 0 kill --all "$ID" KILL
	wait_state "$ID" stopped
	expect 0 delete "$ID"
}

@test "kill --all refuses a container with neither a cgroup nor a PID namespace of its own" {
	without_cgroup "$WAITING" 'del(.linux.namespaces[] | select(.type == "pid"))' \
		'(.mounts[] | select(.type == "proc")) |= {destination: "/proc", type: "bind",
			source: "/proc", options: ["rbind"]}'
	for signal in TERM KILL; do
		expect 1 kill --all "$ID" "$signal"
		stderr_is "hull: signal all processes of container $ID: it has neither a cgroup nor a PID namespace of its own that tells them from others"
	done
	[ "$(state_of "$ID")" = running ]
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	expect 0 delete "$ID"
}
