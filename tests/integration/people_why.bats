#!/usr/bin/env bats
# as: root, user
# sanitizers: thorough
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

# filter ACTION [FLAG]: a profile, in ./filter, with that answer to mkdir(2).
filter() {
	jq -n --arg action "$1" --arg flag "${2:-}" '{ defaultAction: "SCMP_ACT_ALLOW",
		flags: ($flag | if . == "" then [] else [.] end),
		syscalls: [{ names: ["mkdir"], action: $action }] }' >filter
}

# Whether the kernel tells what its filters do, and to us.
kernel_tells() {
	head -c 0 /dev/kmsg 2>/dev/null && [ -r /dev/kmsg ] &&
		timeout 5 dd if=/dev/kmsg iflag=nonblock count=1 status=none >/dev/null 2>&1 &&
		grep -qw errno /proc/sys/kernel/seccomp/actions_logged && ! pidof auditd >/dev/null
}

@test "a system call that a filter denied" {
	filter SCMP_ACT_KILL_PROCESS
	run_ 159 --name killed --security-opt seccomp=filter "$IMAGE" mkdir /new
	run_ 0 --detach --name alone --security-opt seccomp=filter "$IMAGE" mkdir /new
	do_ 0 wait alone
	if kernel_tells; then
		why killed "a seccomp filter ended it for the system call mkdir"
		stdout_has "    signal 31 (SIGSYS) ended its program (status 159)"
		why alone "a seccomp filter ended it for the system call mkdir"
		do_ 0 why --format json alone
		jq --exit-status '.denied == "a seccomp filter ended it for the system call mkdir" and .cause == .denied and
			.facts == ["signal 31 (SIGSYS) ended its program (status 159)"]' <<<"$stdout"
	else
		why killed "a seccomp filter ended it for a system call; the kernel's log does not say which"
		why alone "a seccomp filter ended it for a system call; the kernel's log does not say which"
	fi
}

@test "a system call that was refused is told if the filter has the kernel log it" {
	kernel_tells || skip "the kernel's log may not be read, or does not have it"
	filter SCMP_ACT_ERRNO SECCOMP_FILTER_FLAG_LOG
	run_ 1 --name refused --security-opt seccomp=filter "$IMAGE" mkdir /new
	why refused "its program ended by itself, with status 1"
	stdout_has "    a seccomp filter refused it the system call mkdir"
	filter SCMP_ACT_ERRNO
	run_ 1 --name silent --security-opt seccomp=filter "$IMAGE" mkdir /new
	why silent "its program ended by itself, with status 1"
	[[ $stdout != *"seccomp filter"* ]]
}

@test "what is known stays for as long as --keep-why says" {
	run_ 3 --rm --name gone --keep-why 1h "$IMAGE" sh -c 'exit 3'
	do_ 0 ps --all --quiet
	stdout_is ""
	do_ 0 why gone
	[ "${lines[0]}" = "gone (removed): its program ended by itself, with status 3" ]
	# The name is free, and the later one is what is asked for.
	run_ 0 --detach --name gone --keep-why 2h "$IMAGE" sh -c 'echo last words; exit 4'
	do_ 0 wait gone
	do_ 0 why gone
	[ "${lines[0]}" = "gone (exited): its program ended by itself, with status 4" ]
	id=$(hull --data-root "$DATA" inspect gone | jq --raw-output '.[0].Id')
	do_ 0 rm gone
	do_ 0 why --format json "$id"
	jq --exit-status '.state == "removed" and .exitCode == 4 and .lastLines == ["last words"]' <<<"$stdout"
	do_ 0 why "${id:0:12}"
	[ "${lines[0]}" = "gone (removed): its program ended by itself, with status 4" ]
	[ "$(find "$DATA/gone" -mindepth 1 -maxdepth 1 | wc -l)" = 2 ]
	# When it is over, the next look takes it away.
	echo 1 >"$DATA/gone/$id/until"
	do_ 0 why gone
	[ "${lines[0]}" = "gone (removed): its program ended by itself, with status 3" ]
	[ ! -e "$DATA/gone/$id" ]
	for until in "$DATA"/gone/*/until; do
		: >"$until"
	done
	do_ 1 why gone
	stderr_is "hull: container does not exist"
	[ -z "$(ls "$DATA/gone")" ]
}

@test "nothing is kept of others, and no time that is none is taken" {
	run_ 0 --rm --name gone "$IMAGE" true
	[ ! -e "$DATA/gone" ]
	do_ 1 why gone
	run_ 125 --keep-why 10ms "$IMAGE" true
	stderr_is "hull: --keep-why: expected a time of 1s to 4294967295s"
	run_ 1 --keep-why soon "$IMAGE" true
	stderr_has "hull: invalid value \"soon\" for flag -keep-why"
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

@test "what another one keeps meanwhile is left alone, and what a killed one began is not" {
	mkdir --parents "$DATA/gone/.new-0123456789abcdef" "$DATA/gone/.new-other"
	exec 9<"$DATA/gone/.new-other"
	flock 9
	run_ 3 --rm --name gone --keep-why 1h "$IMAGE" sh -c 'exit 3'
	[ -d "$DATA/gone/.new-other" ]
	[ ! -e "$DATA/gone/.new-0123456789abcdef" ]
	exec 9<&-
	do_ 0 why gone
	[ ! -e "$DATA/gone/.new-other" ]
	# All at once: each stays.
	local i
	for i in 1 2 3 4 5 6 7 8; do
		run_ 0 --name "c$i" --keep-why 1h "$IMAGE" true
	done
	for i in 1 2 3 4 5 6 7 8; do
		hull --data-root "$DATA" rm "c$i" &
	done
	wait
	for i in 1 2 3 4 5 6 7 8; do
		do_ 0 why "c$i"
	done
}

@test "a container is removed, whatever keeps what is known of it from being kept" {
	# An earlier removal was interrupted when that was done.
	run_ 3 --name one --keep-why 1h "$IMAGE" sh -c 'exit 3'
	id=$(hull --data-root "$DATA" inspect one | jq --raw-output '.[0].Id')
	mkdir --parents "$DATA/gone/$id"
	echo 9999999999 >"$DATA/gone/$id/until"
	echo '{}' >"$DATA/gone/$id/status.json"
	do_ 0 rm one
	stderr_is ""
	do_ 0 why one
	[ "${lines[0]}" = "one (removed): its program ended by itself, with status 3" ]
	run_ 0 --name two --keep-why 1h "$IMAGE" true
	id=$(hull --data-root "$DATA" inspect two | jq --raw-output '.[0].Id')
	rm -r "$DATA/gone"
	: >"$DATA/gone"
	do_ 0 rm two
	stderr_has "warning: hull why will not know container ${id:0:12}: open the directory for what is left of containers: not a directory"
	rm "$DATA/gone"
	do_ 0 ps --all --quiet
	stdout_is ""
}
