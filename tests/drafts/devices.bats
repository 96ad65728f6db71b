#!/usr/bin/env bats
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

@test "policy: without m a node cannot even be made" {
	make_bundle bundle "$CAPS" '.root.readonly = false' \
		'.linux.resources.devices = [{allow: false, access: "rwm"}]'
	config_args sh -c 'mknod /tmp/x c 10 229; mknod /tmp/n c 1 3 && echo null'
	run_hull run --bundle "$BUNDLE" "$ID"
	stderr_has "Operation not permitted"
	[ ! -e "$BUNDLE/rootfs/tmp/x" ]
}

@test "default devices work, no others are there" {
	run_sh 'echo x >/dev/null; head -c 2 /dev/zero | wc -c; echo x >/dev/full; head -c 3 /dev/urandom | wc -c
		echo a >/dev/stdout; ls /dev | tr "\n" " "'
	stderr_has "No space left on device"
	stdout_is $'2\n3\na\nfd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero '
}

