#!/usr/bin/env bats
# as: root, user
#
# What create would do, in words, and nothing of it done.
# shellcheck disable=SC2154,SC2016
load helpers

# All that a plan might have changed.
snapshot() {
	cat /proc/self/mountinfo
	find "$WORK" ! -name 'std*' | sort
	find /sys/fs/cgroup -type d 2>/dev/null | sort | grep -F "$TAG" || true
}

plan() { expect 0 plan --bundle "$BUNDLE" "$@"; }

# In the order of the lines: each has to come after the one before it.
in_order() {
	local line rest=$stdout
	for line in "$@"; do
		[[ $rest == *"$line"* ]] || mismatch 'next in the plan' "$line" "$rest"
		rest=${rest#*"$line"}
	done
}

@test "the operations are in order, by who does them" {
	make_bundle bundle '.hostname = "box" | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 10, hard: 20}]' \
		'.hooks = {prestart: [{path: "/bin/first"}], createContainer: [{path: "/bin/second"}], poststart: [{path: "/bin/last"}]}' \
		'.mounts += [{destination: "/data", type: "bind", source: "/tmp", options: ["rbind", "ro", "rprivate"]}]'
	config_args echo 'a word'
	plan "$ID"
	stderr_is ""
	[[ $stdout == "create:
  hull  reserve "* ]]
	in_order "make $STATE/$ID and lock it" "write $STATE/$ID/state.json" "with new namespaces: " \
		'init  names' 'set the host name to "box"' 'mount proc on /proc (mounts[0])' \
		'attach /tmp on /data with ro,rprivate (mounts[' '/dev/null' \
		'hull  prepared' 'run the prestart hook /bin/first' \
		'run the createContainer hook /bin/second' 'mask /proc/acpi' 'limit RLIMIT_NOFILE to 10, at most 20' 'become uid 0, gid 0' \
		'say so, and wait for start' $'\n\nstart:\n' 'execute "echo" "a word"' \
		'hull  poststart-hooks' 'run the poststart hook /bin/last'
	[[ $stdout != *"open-sources"* && $(id -u) = 0 || $stdout == *"open-sources"* ]]
}

@test "nothing is done" {
	local before
	make_bundle
	before=$(snapshot)
	plan "$ID"
	[ "$(snapshot)" = "$before" ]
	[ ! -e "$STATE" ]
}

@test "JSON has the same" {
	make_bundle
	plan "$ID"
	text=$stdout
	plan --format json "$ID"
	[ "$(jq -r '.operations[].what[]' <<<"$stdout")" = "$(sed -n 's/^.\{31\}//p' <<<"$text")" ] ||
		mismatch JSON "$text" "$stdout"
	[ "$(jq -r '.id, .bundle, .rootfs' <<<"$stdout")" = "$ID"$'\n'"$BUNDLE"$'\n'"$BUNDLE/rootfs" ]
	[ "$(jq -r '[.operations[].when] | unique | join(" ")' <<<"$stdout")" = "create start" ]
	[ "$(jq -r '.operations[-1] | .by + " " + .step' <<<"$stdout")" = "init execute" ]
}

@test "limits are shown as they are written" {
	requires root controller=pids
	make_bundle bundle '.linux.resources.pids.limit = 12'
	plan "$ID"
	in_order "make the cgroup /hull/$ID" 'write "12" to its pids.max (linux.resources.pids.limit)'
}

@test "a user namespace: who opens, maps and binds" {
	make_bundle bundle '.linux.uidMappings = [{containerID: 0, hostID: 1234, size: 1}] |
		.linux.gidMappings = .linux.uidMappings | .linux.namespaces |= map(select(.type != "user")) + [{type: "user"}]'
	plan "$ID"
	in_order "map uid 0 of the container to 1234 of the host, 1 of them" "become root of the user namespace" \
		"attach the host's /dev/null (default device)"
}

@test "a configuration that create refuses is refused, in its words" {
	make_bundle bundle '.mounts += [{destination: "/proc/self", type: "tmpfs"}]'
	expect 1 plan --bundle "$BUNDLE" "$ID"
	stderr_has 'destination: "/proc/self" is inside /proc, where nothing may be mounted'
	stdout_is ""
	expect 1 plan --bundle "$WORK/none" "$ID"
	stderr_is "hull: open the bundle $WORK/none: no such file or directory"
	expect 1 plan --bundle "$BUNDLE" /
	[ "$stderr" != "" ]
}

@test "without an id, and with a terminal" {
	make_bundle bundle '.process.terminal = true'
	plan
	in_order "make $STATE/ID and lock it" "open a terminal of the container's devpts" "take the terminal"
}

# Each word that features lists is one that create takes: plan decides as create does.
@test "resctrl is touched if it is asked for, and not else" {
	make_bundle
	plan "$ID"
	[[ $stdout != *resctrl* ]] || mismatch "the plan" "nothing of resctrl" "$stdout"
	config '.linux.intelRdt = {closID: "gold", schemata: ["L3:0=f"], enableMonitoring: true}'
	plan "$ID"
	in_order "find or make the class gold of resctrl" "give it L3:0=f" 'process'
}

@test "features: what is listed is what is understood" {
	expect 0 features
	words=$stdout
	make_bundle
	config --slurpfile f <(echo "$words") '($f[0].linux) as $l | $f[0] as $all |
		.hooks = ([$all.hooks[] | {key: ., value: [{path: "/bin/hook"}]}] | from_entries) |
		.process.capabilities.bounding = $l.capabilities |
		.mounts += [{destination: "/o", type: "bind", source: "/tmp", options:
			($all.mountOptions - ["tmpcopyup", "idmap", "ridmap", "copy-symlink", "remount"])},
			{destination: "/u", type: "tmpfs", options: ["tmpcopyup"]},
			{destination: "/s", type: "bind", source: "/tmp", options: ["copy-symlink"]},
			{destination: "/r", options: ["remount"]}] |
		.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: $l.seccomp.archs,
			flags: $l.seccomp.knownFlags, listenerPath: "/run/none",
			syscalls: [($l.seccomp.actions - ["SCMP_ACT_NOTIFY"])[] | {names: ["close"], action: .}]} |
		.linux.seccomp.syscalls += [$l.seccomp.operators[] | {names: ["open"], action: "SCMP_ACT_ERRNO",
			args: [{index: 0, value: 1, valueTwo: 1, op: .}]}] |
		.linux.namespaces = [$l.namespaces[] | {type: .}] |
		.linux.uidMappings = [{containerID: 0, hostID: 1234, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	plan "$ID"
	in_order "run the prestart hook" "run the poststart hook"
	for mode in $(jq -r '.linux.memoryPolicy.modes[]' <<<"$words"); do
		case $mode in
		MPOL_DEFAULT | MPOL_LOCAL) nodes='' ;;
		*) nodes=', nodes: "0"' ;;
		esac
		make_bundle "$mode" ".linux.memoryPolicy = {mode: \"$mode\"$nodes}"
		plan "$ID"
		stdout_has "set the memory policy $mode"
	done
	for flag in $(jq -r '.linux.memoryPolicy.flags[]' <<<"$words"); do
		make_bundle "$flag" ".linux.memoryPolicy = {mode: \"MPOL_BIND\", nodes: \"0\", flags: [\"$flag\"]}"
		plan "$ID"
		stdout_has "set the memory policy MPOL_BIND"
	done
	jq -e '.linux.seccomp | .supportedFlags - .knownFlags == []' <<<"$words"
	jq -e '.linux | .intelRdt.enabled and .mountExtensions.idmap.enabled' <<<"$words"
}

# A static hull opens no library: libexec/hull/hull-full does, and gets as far as asking systemd.
@test "with systemd's driver it is systemd that is asked" {
	make_bundle
	run_hull --systemd-cgroup plan --bundle "$BUNDLE" "$ID"
	[[ $status = 0 || $stderr == "hull: connect to "*systemd* ]] || mismatch "the plan" "made, or no systemd" "$stderr"
}
