#!/usr/bin/env bats
# as: root, user
# sanitizers: thorough
#
# Ways out of the container that other runtimes have had, each named by its CVE.
# A host directory of canaries, $CANARY, must come out of each as it was.

load helpers
load ../tools/tools

setup() {
	setup_test
	make_bundle
	CANARY=$WORK/canary
	mkdir "$CANARY"
	echo intact >"$CANARY/ptmx"
	echo intact >"$CANARY/null"
	chmod -R a+rwX "$CANARY"
	before=$(canaries)
	core_pattern=$(</proc/sys/kernel/core_pattern)
	hull_mounts=$(awk '{ print $5 }' /proc/self/mountinfo | grep -cF "$WORK" || true)
}

teardown() {
	local now
	now=$(canaries)
	[ "$before" = "$now" ] || mismatch "canaries" "$before" "$now" || touch "$WORK/escaped"
	[ "$core_pattern" = "$(</proc/sys/kernel/core_pattern)" ] || touch "$WORK/escaped"
	[ ! -e "$WORK/escaped" ] || {
		teardown_test
		return 1
	}
	teardown_test
}

# All of the canaries, with what they are and hold.
canaries() {
	find "$CANARY" -printf '%P %y %m %l\n' | sort
	cat "$CANARY/ptmx" "$CANARY/null"
}

# refused_or_inside WORD...: hull fails with one line, or succeeds; it does not crash.
refused_or_inside() {
	run_hull "$@"
	[ "$status" -lt 126 ] || mismatch "hull $*" "success, or an error" "$status"
	[ "$status" = 0 ] || [[ $stderr == *"hull: "* ]] || mismatch "hull $*" "an error" "$stderr"
	hull delete --force "$ID"
}

# racing A B: exchanges two names in the background until `race_over`.
racing() {
	tool swap
	"$tool" "$1" "$2" 2>/dev/null 3>&- 4>&- &
	racer=$!
	BACKGROUND+=("$racer")
}

race_over() {
	kill "$racer" 2>/dev/null || true
	wait "$racer" 2>/dev/null || true
}

# for_seconds N COMMAND...
for_seconds() {
	local end=$((SECONDS + $1))
	shift
	attempts=0
	while [ "$SECONDS" -lt "$end" ]; do
		"$@"
		attempts=$((attempts + 1))
	done
	[ "$attempts" -gt 0 ]
}

# Pid 1 looks at each process that joins, which must have nothing of the host's.
look_at_joining() {
	tool intruder
	cp "$tool" "$BUNDLE/rootfs/intruder"
	config_args /intruder descriptors $((HULL_TEST_SLOW > 1 ? 40 : 6))
	start_hull run --bundle "$BUNDLE" "$ID"
	intruder_out=$stdout_file
	wait_for 10 grep -q ready "$intruder_out"
	for ((n = 0; n < $(rounds 200); n++)); do
		hull exec "$ID" true 2>/dev/null || true
	done
	wait_hull
	grep -q '^done' "$intruder_out" || mismatch intruder done "$(<"$intruder_out")"
	found=$(sed -n 's/^process [0-9]* //p' "$intruder_out" | sort | uniq -c)
	[ -z "$found" ] || mismatch "what pid 1 sees of others" nothing "$found"
}

@test "pid 1 sees no descriptor of a process that joins (CVE-2016-9962)" {
	look_at_joining
}

@test "not even with CAP_SYS_PTRACE (CVE-2016-9962)" {
	config '.process.capabilities |= with_entries(.value += ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"])'
	look_at_joining
}

@test "/proc as a symbolic link, or a volume, is refused or stays inside (CVE-2019-16884, -19921, CVE-2023-27561)" {
	rmdir "$BUNDLE/rootfs/proc"
	mkdir -p "$BUNDLE/rootfs/evil/self/attr" "$BUNDLE/rootfs/evil/sys/kernel"
	chmod -R a+rwX "$BUNDLE/rootfs/evil"
	for link in evil /evil ../../../canary "$CANARY"; do
		ln -sfn "$link" "$BUNDLE/rootfs/proc"
		refused_or_inside run --bundle "$BUNDLE" "$ID"
		[ "$status" != 0 ] || mismatch "/proc -> $link" "an error" "$stdout"
	done
	rm "$BUNDLE/rootfs/proc"
	mkdir "$BUNDLE/rootfs/proc"
	# A volume in the place of it: nothing may be said to a file of that.
	config '.mounts |= map(if .destination == "/proc" then
		{ destination: "/proc", type: "bind", source: $dir, options: ["rbind", "rw"] } else . end) |
		.linux.sysctl = { "kernel.domainname": "leaked" }' --arg dir "$CANARY"
	refused_or_inside run --bundle "$BUNDLE" "$ID"
}

@test "a mount's target exchanged for a link while hull mounts (CVE-2021-30465)" {
	mkdir -p volume/a/b
	ln -s / volume/link
	ln -s "$CANARY" volume/out
	chmod -R a+rwX volume
	config '.root.readonly = false | .mounts += [
		{ destination: "/volume", type: "bind", source: $volume, options: ["rbind", "rw"] },
		{ destination: "/volume/a", type: "tmpfs", source: "tmpfs", options: [] },
		{ destination: "/volume/a/b", type: "tmpfs", source: "tmpfs", options: [] }]' \
		--arg volume "$PWD/volume"
	host_mounts=$(grep -c . /proc/1/mountinfo)
	racing volume/a volume/out
	for_seconds $((2 * HULL_TEST_SLOW)) refused_or_inside run --bundle "$BUNDLE" "$ID"
	race_over
	racing volume/a volume/link
	for_seconds $((2 * HULL_TEST_SLOW)) refused_or_inside run --bundle "$BUNDLE" "$ID"
	race_over
	[ "$(awk '{ print $5 }' /proc/self/mountinfo | grep -cF "$WORK" || true)" = "$hull_mounts" ]
	[ "$(grep -c . /proc/1/mountinfo)" -le $((host_mounts + 8)) ] # those of other tests come and go
}

@test "inheritable capabilities are none, by run and by exec (CVE-2022-29162)" {
	config '.process.user = { uid: $uid, gid: $uid }' --argjson uid "$(is_root && echo 1000 || echo 0)"
	config_args grep CapInh /proc/self/status
	expect 0 run --bundle "$BUNDLE" "$ID"
	stdout_has $'CapInh:\t0000000000000000'
	config_args sleep 1000
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	for option in --cap=CAP_KILL --user=0; do
		expect 0 exec "$option" "$ID" grep CapInh /proc/self/status
		stdout_has $'CapInh:\t0000000000000000'
	done
	expect 0 delete --force "$ID"
}

@test "directories are made through no link that leads out (CVE-2024-45310)" {
	mkdir -p volume/dir
	ln -s "$CANARY" volume/out
	chmod -R a+rwX volume
	config '.root.readonly = false | .process.cwd = "/volume/dir/w/x" | .mounts += [
		{ destination: "/volume", type: "bind", source: $volume, options: ["rbind", "rw"] },
		{ destination: "/volume/dir/y/z", type: "tmpfs", source: "tmpfs" },
		{ destination: "/volume/dir/file", type: "bind", source: $file, options: ["bind"] }]' \
		--arg volume "$PWD/volume" --arg file "$PWD/bundle/config.json"
	racing volume/dir volume/out
	for_seconds $((3 * HULL_TEST_SLOW)) refused_or_inside run --bundle "$BUNDLE" "$ID"
	race_over
	[ "$before" = "$(canaries)" ]
	# And one that does not move.
	rm -rf volume/dir volume/out
	ln -s "$CANARY" volume/dir
	refused_or_inside run --bundle "$BUNDLE" "$ID"
}

@test "what masks a path is the host's, and is not changed through it" {
	config '.linux.maskedPaths = ["/proc/keys", "/proc/timer_list"] |
		.process.capabilities[] |= (. + ["CAP_CHOWN", "CAP_FOWNER"] | unique)'
	# Nothing that would change the host's /dev/null, were it let through.
	config_args sh -c 'for path in /proc/keys /proc/timer_list; do
		chmod 666 $path; chown 0:0 $path; echo x >$path && cat $path && echo null; done'
	run_hull run --bundle "$BUNDLE" "$ID"
	stdout_is $'null\nnull'
	[ "$(grep -c 'Read-only file system' <<<"$stderr")" = 4 ] || mismatch stderr "4 refusals" "$stderr"
}

# Of a host whose mounts are shared, as systemd has them. What is mounted over a peer of the
# host's /dev/null, by one who may mount in the container, would be mounted over the host's.
@test "no mount of the container's is a peer of the host's" {
	requires root
	config '.process.capabilities[] = ["CAP_SYS_ADMIN"] | del(.linux.seccomp) |
		.linux.maskedPaths = ["/proc/keys", "/proc/timer_list"]'
	config_args sh -c 'grep -c shared: /proc/self/mountinfo
		for path in /dev/null /proc/keys; do mount --bind /proc/version $path && echo mounted; done'
	cat >shared-host <<-'END'
		mount --make-rshared / && mount --bind /dev /dev || exit
		"$@"
		status=$?
		[ -c /dev/null ] && exit "$status"
		umount /dev/null
		exit 99
	END
	run_command unshare --mount --propagation private sh ./shared-host "$HULL" --root "$STATE" \
		run --bundle "$BUNDLE" "$ID"
	[ "$status" = 0 ] || mismatch status 0 "$status"
	stdout_is $'0\nmounted\nmounted'
	config '.linux.namespaces += [{ type: "user" }] | .linux |= (
		.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }] | .gidMappings = .uidMappings)'
	run_command unshare --mount --propagation private sh ./shared-host "$HULL" --root "$STATE" \
		run --bundle "$BUNDLE" "$ID"
	[ "$status" = 0 ] || mismatch status 0 "$status"
	stdout_is $'0\nmounted\nmounted'
}

# mounts_of_streams FILE: FILE has the fdinfo of some streams and a mountinfo; whose mounts they are.
mounts_of_streams() {
	awk '$1 == "mnt_id:" { ids[++n] = $2 }
		$6 ~ /^r[ow]/ { at[$1] = $5 }
		END { for (i = 1; i <= n; i++) print at[ids[i]] }' "$1"
}

# By fchmod(2) a container's root could change a file that it was handed.
@test "a standard stream that is the host's /dev/null becomes the container's" {
	where=/dev
	[ "$UID" = 0 ] || where=/dev/null # there, a bind of the host's, whose owner is nobody in it
	look='cat /proc/$$/fdinfo/0 /proc/$$/fdinfo/2 /proc/self/mountinfo'
	config_args sh -c "$look; exec sleep 1000"
	hull run --detach --bundle "$BUNDLE" "$ID" </dev/null >out 2>/dev/null
	wait_for 10 grep -q /dev/pts out
	[ "$(mounts_of_streams out)" = "$where"$'\n'"$where" ] || mismatch "streams" "$where" "$(<out)"
	hull exec "$ID" sh -c "$look" </dev/null >out 2>/dev/null
	[ "$(mounts_of_streams out)" = "$where"$'\n'"$where" ] || mismatch "exec's streams" "$where" "$(<out)"
	expect 0 delete --force "$ID"
}

@test "a standard stream is not left to the host for want of a /dev/null" {
	requires root
	mkdir dev
	ln -s full dev/null
	config '.root.readonly = false | .mounts |= map(select(.destination | startswith("/dev") | not)) + [
		{ destination: "/dev", type: "bind", source: $dev, options: ["rbind", "rw"] }]' --arg dev "$PWD/dev"
	config_args true
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_has "/dev/null"
}

@test "masked paths are not masked by what replaces /dev/null (CVE-2025-31133)" {
	requires root
	printf 'decoy' >decoy
	mkdir dev
	ln -s /proc/sys/kernel/core_pattern dev/link
	mknod dev/null c 1 3
	# /dev of the image, without a tmpfs over it; a link in the place of null.
	config '.root.readonly = false | .linux.maskedPaths = ["/proc/kcore", "/proc/keys", "/proc/sysrq-trigger"] |
		.mounts |= map(select(.destination | startswith("/dev") | not)) + [
		{ destination: "/dev", type: "bind", source: $dev, options: ["rbind", "rw"] }]' --arg dev "$PWD/dev"
	config_args sh -c 'stat -c "%n %F %t" /proc/kcore /proc/keys /proc/sysrq-trigger;
		echo leaked >/proc/sysrq-trigger'
	racing dev/null dev/link
	masked() {
		run_hull run --bundle "$BUNDLE" "$ID"
		if [ "$status" = 0 ]; then
			[ "$(grep -c 'character special file 1$' <<<"$stdout")" = 3 ] || touch "$WORK/escaped"
		fi
		[ "$(</proc/sys/kernel/core_pattern)" = "$core_pattern" ] || touch "$WORK/escaped"
		run_hull delete --force "$ID"
	}
	for_seconds 3 masked
	race_over
	[ ! -e "$WORK/escaped" ]
	rm -f dev/null dev/link
	ln -s /proc/sys/kernel/core_pattern dev/null
	masked
	[ ! -e "$WORK/escaped" ]
}

@test "the console is a terminal whatever the image has for /dev/pts (CVE-2025-52565)" {
	requires root
	mkdir -p dev/pts dev/other
	ln -s /proc/sys/kernel dev/link
	touch dev/console
	config '.root.readonly = false | .process.terminal = true |
		.process.args = ["sh", "-c", "stat -c %F:%t /dev/console; stat -c %F:%t -L /proc/self/fd/0"] |
		.mounts |= map(select(.destination | startswith("/dev") | not)) + [
		{ destination: "/dev", type: "bind", source: $dev, options: ["rbind", "rw"] },
		{ destination: "/dev/pts", type: "devpts", source: "devpts",
			options: ["newinstance", "ptmxmode=0666", "mode=0620"] }]' --arg dev "$PWD/dev"
	racing dev/pts dev/link
	consoles() {
		in_terminal shown "$HULL" --root "$STATE" run --bundle "$BUNDLE" "$ID"
		if [ "$status" = 0 ]; then
			[ "$(grep -c 'character special file:88' shown)" = 2 ] || cp shown "$WORK/escaped"
		fi
		run_hull delete --force "$ID"
	}
	for_seconds 3 consoles
	race_over
	[ ! -e "$WORK/escaped" ] || mismatch console "two of 136:*" "$(<"$WORK/escaped")"
	# A link in the place of the console itself.
	rm -rf dev/console dev/pts dev/link
	mkdir -p dev/pts
	ln -s "$CANARY/ptmx" dev/console
	consoles
	[ ! -e "$WORK/escaped" ] || mismatch console "two of 136:*" "$(<"$WORK/escaped")"
}

@test "sysctls and labels go to no volume over /proc (CVE-2025-52881)" {
	requires root
	mkdir -p "$CANARY/kernel" "$CANARY/net" decoy/attr
	printf 'decoy\n' >"$CANARY/kernel/domainname"
	before=$(canaries)
	config '.linux.sysctl = { "kernel.domainname": "written" } |
		.process.args = ["sh", "-c", "cat /proc/1/attr/current"] |
		.mounts += [{ destination: "/proc/sys", type: "bind", source: $dir, options: ["rbind", "rw"] }]' \
		--arg dir "$CANARY"
	refused_or_inside run --bundle "$BUNDLE" "$ID"
	[ "$(<"$CANARY/kernel/domainname")" = decoy ]
	for target in /proc/self /proc/thread-self /proc/1/attr /proc/self/attr; do
		config '(.mounts[-1].destination) = $target | .mounts[-1].source = $dir' \
			--arg target "$target" --arg dir "$PWD/decoy"
		refused_or_inside run --bundle "$BUNDLE" "$ID"
	done
	[ -z "$(find decoy -type f)" ]
}

@test "an image whose /dev is a link fills no directory of the host (CVE-2026-41579, -47766)" {
	rm -rf "$BUNDLE/rootfs/dev"
	config '.root.readonly = false'
	cp "$BUNDLE/config.json" whole.json
	for link in "$CANARY" ../../canary ../../../../../../../../"$CANARY"; do
		ln -sfn "$link" "$BUNDLE/rootfs/dev"
		for filter in . '.mounts |= map(select(.destination | startswith("/dev") | not))'; do
			jq "$filter" whole.json >"$BUNDLE/config.json"
			refused_or_inside run --bundle "$BUNDLE" "$ID"
			refused_or_inside create --bundle "$BUNDLE" "$ID"
			[ "$before" = "$(canaries)" ] || mismatch "/dev -> $link" "$before" "$(canaries)"
		done
	done
}

@test "exec --user takes numbers as they are, or not at all (CVE-2026-30892)" {
	requires root # others have a single id
	config_args sleep 1000
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	while read -r user ids; do
		expect 0 exec --user "$user" "$ID" sh -c 'echo $(id -u):$(id -g)'
		stdout_is "$ids"
	done <<-'END'
		1 1:0
		1:2 1:2
		0 0:0
		4294967294 4294967294:0
	END
	for user in 4294967295 4294967296 99999999999999999999 -1 1x '1 ' '' : 1: :1 1:x 0x1 root; do
		run_hull exec --user "$user" "$ID" id
		[ "$status" = 255 ] || mismatch "exec --user '$user'" 255 "$status"
		[[ $stderr == *"hull: "*user* ]] || mismatch "exec --user '$user'" "hull: ...user..." "$stderr"
	done
	expect 0 delete --force "$ID"
}
