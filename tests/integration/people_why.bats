#!/usr/bin/env bats
# as: root, user
#
# `hull why`: how a container came to its end, in words.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() {
	setup_people
}

teardown() {
	teardown_people
}

# why NAME TEXT: its first line is "NAME (exited): TEXT".
why() {
	do_ 0 why "$1"
	[ "${stdout%%$'\n'*}" = "$1 (exited): $2" ] || mismatch "why $1" "$2" "$stdout"
}

is_ready() {
	hull --data-root "$DATA" logs runs | grep -q ready
}

@test "the program's own end, and a signal" {
	run_ 0 --name zero "$IMAGE" true
	why zero "its program ended by itself, with success"
	run_ 3 --name three "$IMAGE" sh -c 'exit 3'
	why three "its program ended by itself, with status 3"
	run_ 0 --detach --name killed "$IMAGE" sleep 1000
	do_ 0 inspect killed
	kill -KILL "$(jq '.[0].State.Pid' <<<"$stdout")"
	do_ 0 wait killed
	why killed "signal 9 (SIGKILL) ended its program (status 137)"
	stdout_has "    created 2"
	stdout_has "    started 2"
	stdout_has "    ended   2"
	do_ 0 why --format json killed
	jq --exit-status '.exitCode == 137 and .state == "exited" and .name == "killed" and .restarts == 0 and
		.cause == "signal 9 (SIGKILL) ended its program (status 137)" and .started < .finished' <<<"$stdout"
}

@test "what could not be started, what runs and what was stopped" {
	run_ 127 --name missing "$IMAGE" nothing-of-this-name
	do_ 0 why missing
	stdout_has "missing (exited): it could not be started: exec: "
	stdout_has "nothing-of-this-name"
	run_ 0 --detach --name runs "$IMAGE" sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for 20 is_ready
	do_ 0 why runs
	stdout_has "runs (running): it has not ended: it runs"
	do_ 0 stop runs
	why runs "it was told to end, by stop, kill, restart or rm"
	stdout_has "    its program ended by itself, with status 5"
	stdout_has "    | ready"
}

@test "what a container wrote is no command to the terminal" {
	run_ 0 --detach --name hostile "$IMAGE" sh -c 'printf "a\033]0;title\007b\n"; exit 1'
	do_ 0 wait hostile
	do_ 0 why hostile
	stdout_has '    | a\x1b]0;title\x07b'
}

@test "a container that lacked memory" {
	requires controller=memory cgroup
	run_ 137 --memory 32m --name hog "$IMAGE" sh -c 'exec tail /dev/zero'
	do_ 0 why hog
	stdout_has "hog (exited): the kernel killed 1 of its processes for lack of memory (OOM): its limit is 32.0 MiB"
	stdout_has "signal 9 (SIGKILL) ended its program (status 137)"
	do_ 0 inspect hog
	jq --exit-status '.[0].State.OOMKilled' <<<"$stdout"
}

@test "a container of the runtime, and none" {
	make_bundle
	config_args true
	expect 0 create --bundle "$BUNDLE" "$ID"
	do_ 0 why "$ID"
	stdout_has "$ID (created): it has not ended"
	expect 0 start "$ID"
	wait_state "$ID" stopped
	do_ 0 why "$ID"
	stdout_has "$ID (stopped): it has ended; "
	expect 0 delete "$ID"
	do_ 1 why "$ID"
	stderr_is "hull: container does not exist"
}
