#!/usr/bin/env bats
# as: root, user
# sanitizers: thorough
#
# --pidfd-socket of create, run and exec: who listens there gets a pidfd, as runc sends it.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers

setup() {
	setup_test
	requires program=python3
}

# listen NAME: somebody takes a pidfd at $WORK/NAME.sock, and writes to $WORK/NAME.
listen() {
	in_background "$SOURCE/tests/tools/take-pidfd" "$WORK/$1.sock" "$WORK/$1"
	wait_for 20 test -S "$WORK/$1.sock"
}

# taken NAME WORD PID: that is what came.
taken() {
	wait_for 20 test -e "$WORK/$1"
	[ "$(<"$WORK/$1")" = "$2 $3" ] || mismatch "pidfd" "$2 $3" "$(<"$WORK/$1")"
}

@test "create gives the pidfd of the container's first process" {
	make_bundle bundle '.process.args = ["sleep", "1000"]'
	listen init
	expect 0 create --bundle "$BUNDLE" --pidfd-socket init.sock --pid-file pid "$ID"
	taken init standard "$(<pid)"
	[ "$(state_of "$ID")" = created ]
	: >init.kill
	wait_state "$ID" stopped
	expect 0 delete "$ID"
}

@test "run gives it, also of a container in the foreground" {
	make_bundle bundle '.process.args = ["sleep", "1000"]'
	listen init
	expect 0 run --detach --bundle "$BUNDLE" --pidfd-socket "$WORK/init.sock" "$ID"
	taken init standard "$(state_of "$ID" .pid)"
	: >init.kill
	wait_state "$ID" stopped
	expect 0 delete "$ID"
	config_args sh -c 'echo ready; exec sleep 1000'
	listen other
	start_hull run --bundle "$BUNDLE" --pidfd-socket other.sock "$ID"
	wait_for 20 grep -q ready "$stdout_file"
	: >other.kill
	wait_hull
	[ "$status" = 137 ]
}

@test "exec gives that of its own process, and the container goes on" {
	make_bundle bundle '.process.args = ["sleep", "1000"]'
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	listen exec
	expect 0 exec --detach --pid-file pid --pidfd-socket exec.sock "$ID" sleep 1000
	taken exec setns "$(<pid)"
	: >exec.kill
	wait_for 20 process_gone "$(<pid)"
	[ "$(state_of "$ID")" = running ]
	listen other
	start_hull exec --pidfd-socket other.sock "$ID" sh -c 'echo ready; exec sleep 1000'
	wait_for 20 grep -q ready "$stdout_file"
	: >other.kill
	wait_hull
	[ "$status" = 137 ]
	expect 0 delete --force "$ID"
}

@test "where nobody listens nothing is made, and nothing is left" {
	make_bundle bundle '.process.args = ["sleep", "1000"]'
	expect 1 create --bundle "$BUNDLE" --pidfd-socket nowhere "$ID"
	stderr_is "hull: open pidfd socket nowhere: no such file or directory"
	expect 1 create --bundle "$BUNDLE" --pidfd-socket bundle/config.json "$ID"
	stderr_is "hull: pidfd socket bundle/config.json is not a socket"
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("deaf")'
	expect 1 run --bundle "$BUNDLE" --pidfd-socket deaf --pid-file pid "$ID"
	stderr_is "hull: connect to pidfd socket deaf: connection refused"
	[ ! -e pid ]
	expect 0 list --quiet
	stdout_is ""
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	expect 255 exec --pidfd-socket nowhere "$ID" true
	stderr_is "hull: open pidfd socket nowhere: no such file or directory"
	expect 255 exec --pidfd-socket deaf --pid-file pid "$ID" true
	stderr_is "hull: connect to pidfd socket deaf: connection refused"
	[ ! -e pid ]
	echo 1 >pid # another's, that this exec did not come to replace
	expect 255 exec --pidfd-socket deaf --pid-file pid "$ID" true
	[ "$(<pid)" = 1 ]
	expect 0 delete --force "$ID"
}
