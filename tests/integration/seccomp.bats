#!/usr/bin/env bats
# as: root, user
# Filters: SCMP_ACT_NOTIFY, where the agent at listenerPath gets each filter's
# descriptor and answers (config-linux.md, "The Container Process State"); and
# the cache of compiled ones.
# shellcheck disable=SC2154 # helpers.bash sets these
load helpers

# agent SOCKET FILE: answers each mkdir with errno 117; FILE gets a line for each state it was sent.
agent() {
	in_background python3 -c '
import array, fcntl, os, socket, struct, sys, threading
def answer(fd):
    while True:
        request = bytearray(80)
        try:
            fcntl.ioctl(fd, 0xc0502100, request) # SECCOMP_IOCTL_NOTIF_RECV
            number, = struct.unpack_from("Q", request)
            fcntl.ioctl(fd, 0xc0182101, struct.pack("QqiI", number, 0, -117, 0)) # ..._SEND
        except OSError:
            return
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
while True:
    connection, _ = listener.accept()
    text, control, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(64))
    fds = array.array("i")
    for _, _, payload in control:
        fds.frombytes(payload)
    while more := connection.recv(65536):
        text += more
    assert len(fds) == 1, fds
    kind = os.readlink(f"/proc/self/fd/{fds[0]}")
    with open(sys.argv[2], "ab") as out:
        out.write(text[:-1] + b", \"kind\": \"" + kind.encode() + b"\"}\n")
    threading.Thread(target=answer, args=(fds[0],), daemon=True).start()
' "$1" "$2"
	wait_for 10 test -S "$1"
}

with_listener() {
	make_bundle bundle ".linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\",
		listenerPath: \"$WORK/agent\", listenerMetadata: \"meta data\", syscalls: [
		{names: [\"mkdir\", \"mkdirat\"], action: \"SCMP_ACT_NOTIFY\"}]} |
		.annotations = {\"org.example\": \"x\"}" "$@"
}

# sent N FILTER: what the agent was sent with the N-th connection.
sent() {
	wait_for 10 eval "[ \$(wc -l <'$WORK/states') -ge $1 ]"
	sed -n "$1p" "$WORK/states" | jq -e --arg id "$ID" --arg bundle "$BUNDLE" "$2"
}

@test "run: the agent is sent the state and the descriptor, and answers" {
	agent "$WORK/agent" "$WORK/states"
	for change in '.process.noNewPrivileges = true' '.process.noNewPrivileges = false' \
		'.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'; do
		with_listener "$change"
		config_args mkdir /tmp/x
		expect 1 run --bundle "$BUNDLE" "$ID"
		stderr_has "Structure needs cleaning"
		rm -r "$BUNDLE"
	done
	sent 3 '.ociVersion == "1.3.0" and .fds == ["seccompFd"] and .metadata == "meta data" and
		.pid == .state.pid and .pid > 1 and .state.id == $id and .state.bundle == $bundle and
		.state.status == "created" and .state.annotations == {"org.example": "x"} and
		.state.ociVersion == "1.3.0" and .kind == "anon_inode:seccomp notify" and
		(keys == ["fds", "kind", "metadata", "ociVersion", "pid", "state"])'
	[ "$(wc -l <"$WORK/states")" = 3 ]
}

@test "create, start and exec: each process of the container has a descriptor of its own" {
	agent "$WORK/agent" "$WORK/states"
	with_listener '.process.args = ["sleep", "100"]'
	expect 0 create --bundle "$BUNDLE" --pid-file pid "$ID"
	expect 0 start "$ID"
	pid=$(<pid)
	sent 1 ".pid == $pid and .state.pid == $pid and .state.status == \"created\""
	expect 1 exec "$ID" mkdir /tmp/x
	stderr_has "Structure needs cleaning"
	expect 0 exec --detach --pid-file pid2 "$ID" sleep 101
	sent 3 ".pid == $(<pid2) and .state.pid == $pid and .state.status == \"running\""
	expect 0 delete --force "$ID"
}

@test "without an agent nothing runs; without the action nobody is asked" {
	with_listener
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_is "hull: linux.seccomp.listenerPath: open seccomp listener $WORK/agent: no such file or directory"
	assert_nothing_left
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$WORK/agent"
	config_args sh -c 'echo it runs'
	expect 1 run --bundle "$BUNDLE" "$ID"
	stdout_is ""
	stderr_is "hull: linux.seccomp.listenerPath: connect to seccomp listener $WORK/agent: connection refused"
	assert_nothing_left
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 1 start "$ID"
	stderr_has "connection refused"
	wait_state "$ID" stopped
	expect 0 delete "$ID"
	config '.linux.seccomp.syscalls[0].action = "SCMP_ACT_LOG"'
	expect 0 run --bundle "$BUNDLE" "$ID"
	stdout_is "it runs"
}

@test "a filter is compiled once: run, create and exec take it from the cache, a damaged one not" {
	jq '{linux: {seccomp: .linux.seccomp}}' \
		"$SOURCE/tests/data/clients/docker-26.1.5-run.json" >profile.json
	make_bundle bundle '.process.noNewPrivileges = true'
	jq -s '.[0] * .[1]' "$BUNDLE/config.json" profile.json >new.json
	mv new.json "$BUNDLE/config.json"
	config_args grep ^Seccomp: /proc/self/status
	for hits in 0 1; do
		expect 0 --debug --log "log$hits" run --bundle "$BUNDLE" "$ID"
		stdout_is $'Seccomp:\t2'
		[ "$(grep -c 'the filter is from the cache' "log$hits")" = "$hits" ]
	done
	file=$(echo "$STATE"/.seccomp:cache/*)
	[ "$(stat -c '%a %u' "$STATE/.seccomp:cache" "$file" | tr '\n' ' ')" = "700 $UID 600 $UID " ]
	printf x | dd of="$file" bs=1 seek=5000 conv=notrunc status=none
	expect 0 --debug --log log2 run --bundle "$BUNDLE" "$ID"
	stdout_is $'Seccomp:\t2'
	! grep 'the filter is from the cache' log2 || false
	config_args sleep 100
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	expect 0 --debug --log log3 exec "$ID" grep ^Seccomp: /proc/self/status
	stdout_is $'Seccomp:\t2'
	grep -q 'the filter is from the cache' log3
	expect 0 list --quiet
	stdout_is "$ID"
	expect 0 delete --force "$ID"
}
