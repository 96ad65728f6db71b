#!/usr/bin/env bats
# vm-long: root
# sanitizers: thorough
#
# The unix socket by which the host reaches a microVM's programs, and they the host's. Each test
# boots a kernel, but for the last; what the device does is tested without one in
# tests/unit/test_microvm_vsock.c.
# shellcheck disable=SC2016,SC2154
load helpers
load ../tools/tools
load microvm_helpers

setup() {
	setup_test
	requires root
	make_bundle
	tool vsock
	vsock=$tool
	cp "$vsock" "$BUNDLE/rootfs/bin/vsock"
	mkdir "$WORK/host"
	SOCKET=$WORK/host/box
	config --arg socket "$SOCKET" '.annotations["run.hull.vm.vsock"] = $socket'
}

# ask PORT: the answer to standard input, first the line OK, by the container's socket.
ask() {
	{
		echo "CONNECT $1"
		cat
	} | timeout 120 "$vsock" connect "$SOCKET"
}

@test "both sides connect, end their halves, and send more than any window" {
	requires_guest
	config_args sh -c 'vsock serve 52 sh -c "cat; echo end" & vsock serve 53 sha256sum & vsock connect 99; echo "nobody $?"
		echo ready; sleep 1000'
	start_hull --isolation vm run --bundle "$BUNDLE" "$ID" </dev/null
	local said=$stdout_file sum
	wait_for 90 grep -q ready "$said" || mismatch output ready "$(cat "$said" "$stderr_file")"
	[ "$(head -n 1 "$said")" = "nobody 2" ]
	[ "$(stat -c '%F %a' "$SOCKET")" = "socket 600" ]
	# from the host
	ask 52 <<<"to the guest" >"$WORK/answer"
	grep -Eqx 'OK [0-9]+' <(sed -n 1p "$WORK/answer")
	[ "$(sed 1d "$WORK/answer")" = "to the guest"$'\nend' ]
	ask 54 </dev/null >"$WORK/answer" || true
	[ ! -s "$WORK/answer" ]
	head -c 3000000 /dev/urandom >"$WORK/bytes"
	sum=$(sha256sum <"$WORK/bytes")
	ask 53 <"$WORK/bytes" >"$WORK/answer"
	[ "$(sed 1d "$WORK/answer")" = "$sum" ]
	# from the guest
	in_background "$vsock" serve "${SOCKET}_7" sh -c 'cat; echo end'
	in_background "$vsock" serve "${SOCKET}_8" sha256sum
	wait_for 10 test -S "${SOCKET}_8"
	expect 0 exec "$ID" sh -c 'echo to the host | vsock connect 7'
	stdout_is $'to the host\nend'
	expect 0 exec "$ID" sh -c 'head -c 3000000 /dev/zero | vsock connect 8'
	[ "$stdout" = "$(head -c 3000000 /dev/zero | sha256sum)" ]
	expect 2 exec "$ID" vsock connect 9
	stderr_has "Connection reset by peer"
	# many at a time
	local i pids=()
	for i in 1 2 3 4 5 6 7 8; do
		ask 52 <<<"$i" >"$WORK/many.$i" 3>&- 4>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	for i in 1 2 3 4 5 6 7 8; do
		[ "$(sed 1d "$WORK/many.$i")" = "$i"$'\nend' ]
	done
	# Beyond its directory there is nothing.
	expect 0 delete --force "$ID"
	wait_hull
	[ ! -e "$SOCKET" ]
	[ -e "${SOCKET}_7" ]
}

@test "without the annotation there is no vsock in the guest" {
	requires_guest
	config 'del(.annotations["run.hull.vm.vsock"])'
	config_args sh -c 'vsock connect 7 </dev/null; echo "$?"; ls /sys/bus/virtio/drivers'
	expect 0 --isolation vm run --bundle "$BUNDLE" "$ID"
	grep -qx 2 <<<"$stdout"
	grep -q virtio_console <<<"$stdout"
	grep -q vsock <<<"$stdout" && false
	stderr_has "Address family not supported"
}

@test "a path that can't be, and what fails later, leave nothing" {
	requires_vmm
	config '.annotations["run.hull.vm.vsock"] = "box"'
	expect 1 --isolation vm run --bundle "$BUNDLE" "$ID"
	stderr_is 'hull: annotation run.hull.vm.vsock: must be an absolute path, not "box"'
	config --arg socket "$SOCKET" '.annotations["run.hull.vm.vsock"] = $socket'
	touch "$SOCKET"
	expect 1 --isolation vm run --bundle "$BUNDLE" "$ID"
	stderr_is "hull: annotation run.hull.vm.vsock: $SOCKET is there already, perhaps another container's"
	[ -f "$SOCKET" ]
	rm "$SOCKET"
	# By then the socket is there.
	config --arg list "$WORK/list" --arg host "$WORK/host" '.hooks.createRuntime = [
		{path: "/bin/sh", args: ["sh", "-c", "ls \($host) >\($list); exit 1"]}]'
	run_hull --isolation vm run --bundle "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[ "$(cat "$WORK/list")" = box ]
	[ -z "$(ls "$WORK/host")" ]
}
