#!/usr/bin/env bats
# Namespaces: made, joined by path, shared; id maps; names, sysctls and clocks.
# shellcheck disable=SC2154,SC2016
load helpers

ALL='user cgroup time ipc mnt net pid uts'
MAPS='.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
	.linux.gidMappings = .linux.uidMappings'

# run_sh SCRIPT [FILTER...]: the script in a container of the default bundle.
run_sh() {
	make_bundle "bundle$((++bundles))" '.root.readonly = false' "${@:2}"
	config_args sh -c "$1"
	expect 0 run --bundle "$BUNDLE" "$ID"
}

# new TYPE: a filter that asks for a new namespace of the type, once.
new() { echo "(.linux.namespaces |= map(select(.type != \"$1\")) + [{type: \"$1\"}])"; }
without() { echo "(.linux.namespaces |= map(select(.type != \"$1\")))"; }
joined() { echo "(.linux.namespaces |= map(select(.type != \"$1\")) + [{type: \"$1\", path: \"$2\"}])"; }

@test "a joined user namespace with others, listed last, as CRI does" {
	make_bundle one "$(new user) | $MAPS" '.process.args = ["sleep", "100"]'
	expect 0 run -d --bundle "$BUNDLE" --pid-file pid "$ID-one"
	pid=$(<pid)
	run_sh 'readlink /proc/self/ns/user /proc/self/ns/net; for n in user net ipc uts; do
		readlink /proc/self/ns/$n; done; id -u' \
		"$(joined network "/proc/$pid/ns/net") | $(joined ipc "/proc/$pid/ns/ipc") |
		$(joined uts "/proc/$pid/ns/uts") | $(joined user "/proc/$pid/ns/user") | $MAPS | del(.hostname)"
	for name in user net ipc uts; do
		stdout_has "$(readlink "/proc/$pid/ns/$name")"
	done
	[ "${lines[-1]}" = 0 ]
	expect 0 exec "$ID-one" cat /proc/self/uid_map
	stdout_has 100000
	expect 0 delete --force "$ID-one"
}

