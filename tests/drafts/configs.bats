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

@test "process: a working directory that its user may not enter" {
	requires root
	make_bundle bundle '.process.cwd = "/root" | .process.user = {uid: 1000, gid: 1000} |
		del(.process.capabilities)'
	chmod 700 "$BUNDLE/rootfs/root"
	chown 33 "$BUNDLE/rootfs/root"
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_is "hull: process.cwd: chdir to /root: permission denied"
	assert_nothing_left
}

@test "process: a program or directory that cannot be entered" {
	runs_into '.process.args = ["nothing"]' 'exec: "nothing": executable file not found in $PATH'
	runs_into '.process.args = ["/nothing"]' \
		'exec: "/nothing": stat /nothing: no such file or directory'
	runs_into '.process.args = ["/etc"]' 'exec: "/etc": is a directory'
	runs_into '.process.args = ["/etc/passwd"]' 'exec: "/etc/passwd": permission denied'
	runs_into '.process.cwd = "/etc/passwd" | .root.readonly = false' \
		'process.cwd: /etc/passwd in the container: not a directory'
	assert_nothing_left
}

@test "mounts: a source, a type and an option that do not exist" {
	runs_into '.mounts += [{destination: "/x", source: "/nothing", options: ["bind"]}]' \
		"mounts[$(mounts)]: open /nothing: no such file or directory"
	runs_into '.mounts += [{destination: "/tmp", type: "nofs", source: "x"}]' \
		"mounts[$(mounts)]: nofs: no such device"
	runs_into '.mounts += [{destination: "/tmp", type: "tmpfs", options: ["nosuch=1"]}]' \
		"mounts[$(mounts)]: tmpfs: nosuch=1: invalid argument (tmpfs: Unknown parameter 'nosuch')"
	runs_into '.mounts += [{destination: "/x"}]' \
		"mounts[$(mounts)].type: missing, and the options do not say bind"
	runs_into '.mounts += [{destination: "/x", type: "bind"}]' "mounts[$(mounts)].source: missing"
	assert_nothing_left
}

