#!/usr/bin/env bats
# as: root, user
#
# `hull profile record`: what a container does becomes a filter under which it can do it again.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() {
	setup_people
}

teardown() {
	teardown_people
}

# record STATUS WORD...: of a run with these words, to ./profile.
record() {
	local want=$1
	shift
	do_ "$want" profile record profile --network none "$@"
}

# under STATUS WORD...: a run under ./profile.
under() {
	local want=$1
	shift
	run_ "$want" --rm --security-opt seccomp=profile "$IMAGE" "$@"
}

nothing_recorded() {
	[ ! -e profile ] || mismatch "profile" none "$(<profile)"
}

# lacks PATTERN: no name in ./recorded is like that.
lacks() {
	! grep -xE "$1" recorded || mismatch "recorded" "not $1" "$(tr '\n' ' ' <recorded)"
}

names() {
	jq --raw-output '.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]' profile
}

@test "the same program runs again under its profile, and does nothing else" {
	record 0 "$IMAGE" sh -c 'mkdir /tmp/x && ls / >/dev/null && echo done'
	stdout_is "done"
	stderr_is ""
	under 0 sh -c 'mkdir /tmp/x && ls / >/dev/null && echo done'
	stdout_is "done"
	names >recorded
	grep -qx mkdir recorded
	grep -qx getdents64 recorded
	lacks 'rmdir|socket|ptrace|mount'
	under 1 sh -c 'mkdir /tmp/x && rmdir /tmp/x'
	stderr_has "Operation not permitted"
	[ "$(wc -l <recorded)" -lt 60 ] || mismatch "calls" "few" "$(wc -l <recorded)"
}

@test "what hull's own profile refuses is no part of it, and what it narrows stays narrow" {
	# nc makes a socket of the internet; unshare(2) is refused.
	record 0 "$IMAGE" sh -c 'nc -w 1 127.0.0.1 9 </dev/null; unshare -U true; true'
	names >recorded
	lacks unshare
	grep -qx socket recorded
	jq --exit-status '[.syscalls[] | select(.names == ["socket"]) | .args | length > 0] | all and length > 0' profile
	jq --exit-status '.defaultAction == "SCMP_ACT_ERRNO" and (has("listenerPath") | not) and
		([.syscalls[].action] | index("SCMP_ACT_NOTIFY") | not)' profile
}

@test "children, and programs of exec, are noted" {
	start_hull --data-root "$DATA" profile record profile --network none --name lives "$IMAGE" \
		sh -c 'until [ -e /go ]; do sleep 0.1; done'
	wait_for 20 hull --data-root "$DATA" exec lives true
	do_ 0 exec lives sh -c 'mkdir /tmp/y; (umask 22; ln -s a /tmp/link)'
	let_go lives
	wait_hull
	[ "$status" = 0 ]
	names >recorded
	grep -qx mkdir recorded
	grep -qxE 'symlink|symlinkat' recorded
}

# places: directories of recordings, of those that go on and of killed ones
places() { find "$STATE" -maxdepth 1 -name '.record:*'; }

@test "the socket is nobody else's, and nothing is left of the container that would look for it" {
	start_hull --data-root "$DATA" profile record profile --network none --name lives "$IMAGE" \
		sh -c 'until [ -e /go ]; do sleep 0.1; done'
	wait_for 20 hull --data-root "$DATA" exec lives true
	[ "$(places | wc -l)" = 1 ]
	[ "$(stat -c '%a %u' "$(places)")" = "700 $UID" ]
	[ "$(jq --raw-output .linux.seccomp.listenerPath "$DATA"/containers/*/config.json)" = "$(places)/socket" ]
	let_go lives
	wait_hull
	[ "$status" = 0 ]
	[ -z "$(places)" ]
	do_ 0 ps --all --quiet
	stdout_is ""
}

@test "hull that is killed: the next recording takes away what is left" {
	start_hull --data-root "$DATA" profile record profile --network none --name lives "$IMAGE" sleep 1000
	wait_for 20 hull --data-root "$DATA" exec lives true
	kill -KILL "$hull_pid"
	wait_hull
	do_ 0 rm --force lives
	[ "$(places | wc -l)" = 1 ]
	record 0 "$IMAGE" true
	[ -z "$(places)" ]
}

@test "the exit status is the container's, and without a start there is no profile" {
	record 7 "$IMAGE" sh -c 'exit 7'
	jq --exit-status '.syscalls | length > 0' profile
	rm profile
	record 127 "$IMAGE" nothing-of-this-name
	stderr_has "nothing-of-this-name"
	nothing_recorded
	record 125 --cap-add NONSENSE "$IMAGE" true
	nothing_recorded
}

@test "the capabilities that were given are those of the profile" {
	record 0 --cap-add SYS_CHROOT "$IMAGE" chroot / true
	names | grep -qx chroot
	run_ 0 --rm --cap-add SYS_CHROOT --security-opt seccomp=profile "$IMAGE" chroot / true
	run_ 1 --rm --cap-add SYS_CHROOT --security-opt seccomp=profile "$IMAGE" mkdir /x
}

@test "what cannot be recorded is refused before anything runs" {
	record 1 --detach "$IMAGE" true
	stderr_is "hull: profile record: --detach: the profile is made when the container has ended"
	record 1 --security-opt seccomp=unconfined "$IMAGE" true
	stderr_is "hull: profile record: --security-opt seccomp: the recording has a filter of its own, which is hull's"
	record 1 --privileged "$IMAGE" true
	stderr_is "hull: profile record: --privileged: the recording has a filter of its own, which is hull's"
	record 1 --isolation vm "$IMAGE" true
	stderr_is "hull: profile record: --isolation vm: the system calls of a microVM are its own kernel's, which nobody records"
	do_ 1 --isolation vm profile record profile "$IMAGE" true
	stderr_is "hull: profile record: --isolation vm: the system calls of a microVM are its own kernel's, which nobody records"
	record 1 --restart always "$IMAGE" true
	stderr_is "hull: profile record: --restart: the container is removed when it has ended"
	record 1 --bundle . x
	stderr_is "hull: profile record: --bundle: only for containers of an image"
	do_ 1 profile record profile --name only
	stderr_is "hull: profile record: which image?"
	do_ 1 profile play profile "$IMAGE"
	stderr_is "hull: profile play: expected record"
	do_ 1 profile record no/where "$IMAGE" true
	stderr_is "hull: profile record: write to no/where: no such file or directory"
	do_ 0 ps --all --quiet
	stdout_is ""
	nothing_recorded
}

# recorder_of PID: hull-record that writes to a pipe which the hull of that pid reads.
recorder_of() {
	local each end
	for each in /proc/[0-9]*; do
		[ "$(cat "$each/comm" 2>/dev/null)" = hull-record ] || continue
		end=$(readlink "$each/fd/5")
		! readlink "/proc/$1"/fd/* | grep -qxF "$end" || echo "${each##*/}"
	done
}

@test "hull-record that is killed: no profile, and a sentence" {
	is_root || skip "needs root to look at it"
	start_hull --data-root "$DATA" profile record profile --network none --name lives "$IMAGE" \
		sh -c 'until [ -e /go ]; do sleep 0.1; done'
	wait_for 20 hull --data-root "$DATA" exec lives true
	recorder=$(recorder_of "$hull_pid")
	kill -KILL "$recorder"
	hull --data-root "$DATA" kill lives KILL || true # its calls fail now: it may have ended of that
	wait_hull
	[ "$status" = 125 ]
	stderr_is "hull: hull-record died: what the container did is not known"
	nothing_recorded
}

@test "hull-record that is missing, or ends at once" {
	mkdir libexec
	for helper in "${HULL%/*}"/libexec/hull/*; do
		[[ $helper == */hull-record ]] || ln -s "$helper" libexec/
	done
	HULL_LIBEXEC=$WORK/libexec record 125 "$IMAGE" true
	stderr_has "hull-record"
	nothing_recorded
	printf '#!/bin/sh\nexit 1\n' >libexec/hull-record
	chmod 755 libexec/hull-record
	HULL_LIBEXEC=$WORK/libexec record 125 "$IMAGE" true
	[ "${#lines[@]}" = 1 ]
	nothing_recorded
}
