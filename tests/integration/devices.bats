#!/usr/bin/env bats
# vm: root
# sanitizers: thorough
# Devices: the default ones, those of the configuration, and the policy.
# shellcheck disable=SC2154,SC2016
load helpers

run_sh() {
	make_bundle "bundle$((++bundles))" '.root.readonly = false' "${@:2}"
	config_args sh -c "$1"
	expect 0 run --bundle "$BUNDLE" "$ID"
}

USERNS='.linux.namespaces += [{type: "user"}] |
	.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
	.linux.gidMappings = .linux.uidMappings'
CAPS='.process.capabilities |= map_values(. + ["CAP_MKNOD", "CAP_DAC_OVERRIDE"])'

@test "default devices and links" {
	run_sh 'cd /dev; for d in null zero full random urandom tty; do stat -c "%n %F %t:%T %a %u" $d; done
		for l in fd stdin stdout stderr ptmx; do echo $l $(readlink $l); done'
	stdout_is "null character special file 1:3 666 0
zero character special file 1:5 666 0
full character special file 1:7 666 0
random character special file 1:8 666 0
urandom character special file 1:9 666 0
tty character special file 5:0 666 0
fd /proc/self/fd
stdin /proc/self/fd/0
stdout /proc/self/fd/1
stderr /proc/self/fd/2
ptmx pts/ptmx"
}

@test "devices of the configuration: types, mode and owner" {
	run_sh 'cd /dev; stat -c "%n %F %t:%T %a %u:%g" a b p deep/er/d' '.linux.devices = [
		{path: "/dev/a", type: "c", major: 1, minor: 3, fileMode: 416, uid: 5, gid: 6},
		{path: "/dev/b", type: "b", major: 7, minor: 300, fileMode: 384},
		{path: "/dev/p", type: "p", fileMode: 438},
		{path: "/dev/deep/er/d", type: "u", major: 1, minor: 5}]'
	stdout_is "a character special file 1:3 640 5:6
b block special file 7:12c 600 0:0
p fifo 0:0 666 0:0
deep/er/d character special file 1:5 666 0:0"
}

@test "a default device of the configuration takes its mode" {
	run_sh 'stat -c "%t:%T %a %u" /dev/null' \
		'.linux.devices = [{path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 432, uid: 7}]'
	stdout_is "1:3 660 7"
}

@test "a file that exists and is another: an error" {
	make_bundle bundle '.linux.devices = [{path: "/data/x", type: "c", major: 1, minor: 3}]'
	mkdir "$BUNDLE/rootfs/data"
	touch "$BUNDLE/rootfs/data/x"
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_is "hull: linux.devices[0]: /data/x exists in the container and is not the device 1:3"
	assert_nothing_left
	rm "$BUNDLE/rootfs/data/x"
	mknod "$BUNDLE/rootfs/data/x" c 1 3
	expect 0 run --bundle "$BUNDLE" "$ID"
}

@test "in a user namespace they are the host's, bound" {
	run_sh 'echo x >/dev/null && head -c 2 /dev/zero | wc -c; stat -c %t:%T /dev/null /dev/full
		! mknod /tmp/x c 1 3 2>/dev/null && echo no' "$USERNS" "$CAPS" \
		'.linux.devices = [{path: "/dev/full", type: "c", major: 1, minor: 7}]'
	stdout_is $'2\n1:3\n1:7\nno'
}

@test "in a user namespace the mounts of them are nosuid and noexec" {
	run_sh 'for n in null zero full random urandom tty; do grep " /dev/$n " /proc/self/mountinfo; done' "$USERNS" "$CAPS"
	[ "$(grep -c . <<<"$stdout")" = 6 ] || mismatch "mounts" 6 "$stdout"
	[ "$(awk '{ print $6 }' <<<"$stdout" | grep nosuid | grep -c noexec)" = 6 ] || mismatch flags "nosuid,noexec" "$stdout"
}

@test "policy: a device that is not allowed cannot be opened, though it can be made" {
	run_sh 'mknod /tmp/x c 1 1 && echo made; cat /tmp/x; mknod /tmp/y c 10 229; cat /tmp/y; cat /dev/null && echo null' \
		"$CAPS" '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, access: "m"}]'
	[ "$stdout" = $'made\nnull' ] || mismatch stdout $'made\nnull' "$stdout"
	[ "$(grep -c 'Operation not permitted' <<<"$stderr")" = 2 ]
}

@test "policy: an allowed device opens, read only if so, and exec is under it too" {
	make_bundle bundle "$CAPS" '.root.readonly = false | .process.args = ["sleep", "100"]' \
		'.linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 11}]' \
		'.linux.resources.devices = [{allow: false, access: "rwm"},
		{allow: true, type: "c", major: 1, minor: 5, access: "r"}, {allow: true, access: "m"}]'
	config '.linux.devices = [{path: "/dev/z", type: "c", major: 1, minor: 5}]'
	expect 0 run -d --bundle "$BUNDLE" "$ID"
	expect 0 exec "$ID" sh -c 'head -c 1 /dev/z | wc -c'
	stdout_is 1
	expect 1 exec "$ID" sh -c 'mknod /tmp/k c 1 11; cat </tmp/k'
	stderr_has "Operation not permitted"
	expect 0 delete --force "$ID"
	assert_nothing_left
}

@test "default devices work, no others are there" {
	run_sh 'echo a | cat /dev/stdin; echo x >/dev/null; head -c 2 /dev/zero | wc -c; echo x >/dev/full; head -c 3 /dev/urandom | wc -c
		ls /dev | tr "\n" " "'
	stderr_has "No space left on device"
	stdout_is $'a\n2\n3\nfd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero '
}
