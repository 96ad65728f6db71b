#!/usr/bin/env bats
# as: root, user
# Configurations that are refused: the exact words, and nothing is left.
load helpers

# refused DOCUMENT...: each of tests/data/wrong, by the words beside it.
refused() {
	local document want failed=0

	mkdir "$WORK/bundle"
	for document in "$@"; do
		cp "$document" "$WORK/bundle/config.json"
		want=$(head -n 1 "${document%.json}.error")
		run_hull run --bundle "$WORK/bundle" "$ID"
		if [ "$status" != 1 ] || [ "$stdout" ] || [ "$stderr" != "hull: $want" ]; then
			mismatch "${document##*/}" "hull: $want" "$stderr" || failed=1
		fi
		[ ! -e "$STATE/$ID" ] || failed=1
	done
	[ "$failed" = 0 ]
	assert_nothing_left
}

# documents PATTERN: those of config.json whose names begin so.
documents() {
	find "$SOURCE/tests/data/wrong" -name '*.json' ! -name '*.exec-process.json' \
		! -name '*.update-resources.json' -regex ".*/$1[^/]*" | sort
}

@test "wrong documents: there are at least 60" {
	[ "$(documents '' | wc -l)" -ge 60 ]
}

@test "wrong documents: a to i" {
	mapfile -t files < <(documents '[a-i]')
	refused "${files[@]}"
}

@test "wrong documents: j to n" {
	mapfile -t files < <(documents '[j-n]')
	refused "${files[@]}"
}

@test "wrong documents: o to z" {
	mapfile -t files < <(documents '[^a-n]')
	refused "${files[@]}"
}

@test "wrong documents of exec --process" {
	local document failed=0

	make_bundle bundle '.process.args = ["sleep", "100"]'
	expect 0 run -d --bundle "$BUNDLE" "$ID"
	for document in "$SOURCE"/tests/data/wrong/*.exec-process.json; do
		cp "$document" config.json
		run_hull exec --process config.json "$ID"
		[ "$status $stderr" = "255 hull: $(head -n 1 "${document%.json}.error")" ] ||
			mismatch "${document##*/}" "$(cat "${document%.json}.error")" "$stderr" || failed=1
	done
	[ "$failed" = 0 ]
	expect 0 delete --force "$ID"
}

# runs_into FILTER WORDS: the default bundle with the filter fails with the words.
runs_into() {
	make_bundle "bundle$((++bundles))" "$1"
	expect 1 run --bundle "$BUNDLE" "$ID"
	stdout_is ""
	stderr_is "hull: $2"
	[ ! -e "$STATE/$ID" ]
}

@test "a bundle without config.json" {
	mkdir empty
	expect 1 run --bundle empty "$ID"
	stderr_is "hull: open config.json: no such file or directory"
	assert_nothing_left
}

@test "root.path: missing, a file, the host's root" {
	runs_into '.root.path = "nothing"' "root.path: nothing: no such file or directory"
	runs_into '.root.path = "config.json"' "root.path: config.json is not a directory"
	runs_into '.root.path = "/"' "root.path: / is the host's own root"
	assert_nothing_left
}

# The index of the first mount that a test adds.
mounts() {
	local default
	default=$(is_root || echo --rootless)
	mkdir -p default
	[ -e default/config.json ] || hull spec ${default:+"$default"} --bundle default
	jq '.mounts | length' default/config.json
}

@test "mounts: destinations that are refused" {
	runs_into '.mounts += [{destination: "/", type: "tmpfs"}]' \
		"mounts[$(mounts)].destination: \"/\" is the root file system itself"
	runs_into '.mounts += [{destination: "/proc/sys", type: "tmpfs"}]' \
		"mounts[$(mounts)].destination: \"/proc/sys\" is inside /proc, where nothing may be mounted"
	runs_into '.mounts += [{destination: "/x/../proc/self", type: "tmpfs"}]' \
		"mounts[$(mounts)].destination: \"/x/../proc/self\" is inside /proc, where nothing may be mounted"
	assert_nothing_left
}

@test "namespaces: paths that are missing, no namespace, or of another type" {
	join='.linux.namespaces |= (map(select(.type != "ipc")) + [{type: "ipc", path: $p}])'
	runs_into "\"/nothing\" as \$p | $join" "open the ipc namespace /nothing: no such file or directory"
	runs_into "\"/etc/passwd\" as \$p | $join" \
		"open the ipc namespace /etc/passwd: it is not a namespace"
	runs_into "\"/proc/self/ns/uts\" as \$p | $join" \
		"open the ipc namespace /proc/self/ns/uts: it is one of another type"
	assert_nothing_left
}

@test "process.cwd: outside of the root (CVE-2024-21626)" {
	make_bundle
	for fd in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		config ".process.cwd = \"/proc/self/fd/$fd\" | .process.args = [\"pwd\"]"
		run_hull run --bundle "$BUNDLE" "$ID"
		[ "$status" != 0 ] || mismatch "cwd /proc/self/fd/$fd" "an error" "$stdout"
	done
	assert_nothing_left
}

@test "cgroupsPath with a .. and a cgroup mount without a cgroup" {
	runs_into '.linux.cgroupsPath = "/a/../../b"' \
		"$(sed -n 's/^.*\(linux.cgroupsPath.*\)$/config.json:CGROUP: \1/p' \
			"$SOURCE/tests/data/wrong/cgroups-path-up.error")" || {
		[[ $stderr == 'hull: config.json:'*': linux.cgroupsPath: must not contain ".."' ]]
	}
	assert_nothing_left
}

@test "process: a program or directory that cannot be entered" {
	runs_into '.process.args = ["nothing"]' 'exec: "nothing": executable file not found in $PATH'
	runs_into '.process.args = ["/nothing"]' \
		'exec: "/nothing": stat /nothing: no such file or directory'
	runs_into '.process.args = ["/etc"]' 'exec: "/etc": permission denied (it is a directory, not a file)'
	runs_into '.process.args = ["/etc/passwd"]' 'exec: "/etc/passwd": permission denied (it has no execute bit: its mode is 0644)'
	runs_into '.process.cwd = "/etc/passwd" | .root.readonly = false' \
		'process.cwd: open directory /etc/passwd in the container: not a directory'
	assert_nothing_left
}

@test "mounts: a source, a type and an option that do not exist" {
	runs_into '.mounts += [{destination: "/x", source: "/nothing", options: ["bind"]}]' \
		"mounts[$(mounts)]: bind /nothing: no such file or directory"
	runs_into '.mounts += [{destination: "/tmp", type: "nofs", source: "x"}]' \
		"mounts[$(mounts)].type: this kernel has no file system \"nofs\""
	runs_into '.mounts += [{destination: "/tmp", type: "tmpfs", options: ["nosuch=1"]}]' \
		"mounts[$(mounts)]: mount tmpfs on /tmp: nosuch=1: tmpfs: Unknown parameter 'nosuch' (invalid argument)"
	runs_into '.mounts += [{destination: "/x"}]' \
		"mounts[$(mounts)].type: missing, and the options do not say bind"
	runs_into '.mounts += [{destination: "/x", type: "bind"}]' "mounts[$(mounts)].source: missing"
	assert_nothing_left
}

@test "intelRdt: without a mounted resctrl it is refused, and nothing left" {
	! grep -qw resctrl /proc/self/mounts || skip "resctrl is mounted here"
	runs_into '.linux.intelRdt = {l3CacheSchema: "L3:0=f"}' \
		'linux.intelRdt: no resctrl file system is mounted (mount -t resctrl resctrl /sys/fs/resctrl)'
	assert_nothing_left
}

@test "process: why a program cannot be executed" {
	fails_as() {
		expect 1 run --bundle "$BUNDLE" "$ID"
		stderr_is "hull: exec: \"/bin/it\": $1"
		rm -r "$BUNDLE/rootfs/bin/it"
	}
	make_bundle bundle '.process.args = ["/bin/it"]'
	it=$BUNDLE/rootfs/bin/it
	printf '#!/bin/sh\r\necho\r\n' >"$it"
	chmod 755 "$it"
	fails_as 'no such file or directory (its interpreter "/bin/sh\r" is missing; the line ends in CRLF)'
	printf '#!/usr/bin/python9\n' >"$it"
	chmod 755 "$it"
	fails_as 'no such file or directory (its interpreter "/usr/bin/python9" is missing)'
	echo text >"$it"
	chmod 755 "$it"
	fails_as 'exec format error (it is no ELF program, and no script that begins with "#!")'
	echo text >"$it"
	chmod 640 "$it"
	fails_as 'permission denied (it has no execute bit: its mode is 0640)'
	mkfifo "$it"
	fails_as 'permission denied (it is a FIFO, not a file)'
	mkdir "$it"
	fails_as 'permission denied (it is a directory, not a file)'
	# What ELF says of a program: whose it is (e_machine, at 18), and who is to load it.
	cp "$BUNDLE/rootfs/bin/busybox" "$it"
	printf '\267\0' | dd of="$it" bs=1 seek=18 conv=notrunc status=none
	[ "$(uname -m)" = aarch64 ] || fails_as "exec format error (it is a program for aarch64, this machine is $(uname -m))"
	cp "$(command -v ls)" "$it"
	loader=$(readelf --program-headers "$it" | sed -n 's/.*interpreter: \(.*\)]$/\1/p')
	[ -n "$loader" ]
	fails_as "no such file or directory (its ELF interpreter \"$loader\" is missing)"
	ln -s /nowhere "$it"
	fails_as 'stat /bin/it: no such file or directory (it is a link to "/nowhere", which is missing)'
	cp "$BUNDLE/rootfs/bin/busybox" "$it" 2>/dev/null || cp "$BUNDLE/rootfs/bin/sh" "$it"
	config '.mounts += [{destination: "/bin/it", type: "bind", source: "'"$it"'", options: ["bind", "noexec"]}]'
	fails_as 'permission denied (its file system is mounted noexec)'
	assert_nothing_left
}

@test "what cgroup v2 has nothing like is named, once" {
	local member value why
	while IFS=: read -r member value why; do
		make_bundle bundle ".linux.resources.$member = $value"
		expect 1 run --bundle "$BUNDLE" "$ID"
		stderr_is "hull: linux.resources.$member: $why"
		assert_nothing_left
		rm -r "$BUNDLE"
	done <<-END
		memory.swappiness:10:cgroup v2 has nothing like it
		memory.kernel:1048576:cgroup v2 limits kernel memory as part of all memory
		cpu.realtimeRuntime:1000:cgroup v2 has nothing like it
	END
}
