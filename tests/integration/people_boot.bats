#!/usr/bin/env bats
# as: root, user
#
# What runs again after a restart of the machine, and how a keeper is told that it stops; --pull newer.
# shellcheck disable=SC2016,SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() { setup_people; }
teardown() { teardown_people; }

pid_of() { do_ 0 inspect --format '{{.State.Pid}}' "$1" && echo "$stdout"; }
keeper_of() { awk '$1 == "PPid:" { print $2 }' "/proc/$(pid_of "$1")/status"; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# break_off NAME: neither it nor who keeps it has had time to say anything
break_off() {
	local pid keeper
	pid=$(pid_of "$1")
	keeper=$(keeper_of "$1")
	kill -KILL "$keeper" "$pid"
	wait_for 10 is_gone "$keeper"
	wait_for 10 is_gone "$pid"
}

@test "start --all: what the filter leaves and does not run, as hull-restart.service asks at boot" {
	run_ 0 -d --name always --restart always "$IMAGE" sleep 1000
	run_ 0 -d --name unless --restart unless-stopped "$IMAGE" sleep 1000
	run_ 0 -d --name stopped --restart unless-stopped "$IMAGE" sleep 1000
	run_ 0 -d --name plain "$IMAGE" sleep 1000
	run_ 0 -d --name runs --restart always "$IMAGE" sleep 1000
	do_ 0 stop -t 0 stopped
	break_off always
	break_off unless
	break_off plain
	do_ 0 ps -a --filter should-start-on-boot=true --format '{{.Names}}'
	stdout_is $'runs\nunless\nalways'
	do_ 0 ps -a --filter restart-policy=no --format '{{.Names}}'
	stdout_is plain
	do_ 0 start --all --filter should-start-on-boot=true
	stdout_is $'always\nunless'
	do_ 0 ps --format '{{.Names}}'
	stdout_is $'runs\nunless\nalways'
	do_ 0 start --all --filter should-start-on-boot=true
	stdout_is ""
	do_ 0 start --all
	stdout_is $'stopped\nplain'
	do_ 0 rm -f always unless stopped plain runs
	do_ 0 start --all
	stdout_is ""
}

@test "start --all: one that cannot be started is told of, and the others are started" {
	run_ 127 --name broken "$IMAGE" /none
	run_ 0 --name fine "$IMAGE" sleep 1000 &
	wait_for 20 eval '[ "$(pid_of fine)" -gt 0 ]'
	break_off fine
	wait || true
	do_ 1 start --all
	stdout_is fine
	stderr_has "start broken: "
	do_ 0 rm -f broken fine
	do_ 1 start --all one
	stderr_is "hull: start --all takes no container"
	do_ 1 start --all --attach
	stderr_is "hull: start --all takes no --attach"
	do_ 1 start --filter name=x one
	stderr_is "hull: start: --filter is of --all"
	do_ 1 start --all --filter nothing=1
	stderr_has "--filter nothing=1: expected name="
	do_ 1 start
	stderr_is "hull: start: which container?"
}

@test "a keeper that is told to end, as when the machine stops, lets its container end and starts it no more" {
	run_ 0 -d --name one --restart always "$IMAGE" sh -c 'trap "exit 3" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for 10 eval 'do_ 0 logs one && [ "$stdout" = ready ]'
	local keeper
	keeper=$(keeper_of one)
	kill -TERM "$keeper"
	wait_for 20 is_gone "$keeper"
	do_ 0 inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}' one
	stdout_is "exited 3 0"
	do_ 0 start --all --filter should-start-on-boot=true
	stdout_is one
	do_ 0 rm -f one
}

@test "run --pull newer: what is here will do where the registry cannot be asked" {
	run_ 0 --rm --pull newer "$IMAGE" echo fine
	stdout_is fine
	do_ 0 tag "$IMAGE" 127.0.0.1:1/here:1
	run_ 0 --rm --tls-verify=false --pull newer 127.0.0.1:1/here:1 echo fine
	stdout_is fine
	stderr_has "--pull newer: the image that is here is used: "
	run_ 125 --rm --tls-verify=false --pull always 127.0.0.1:1/here:1 true
	run_ 125 --rm --tls-verify=false --pull newer 127.0.0.1:1/none:1 true
	stderr_has 127.0.0.1:1
	run_ 125 --rm --pull sometimes "$IMAGE" true
	stderr_is 'hull: --pull "sometimes": expected missing, always, newer or never'
}
