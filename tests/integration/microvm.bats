#!/usr/bin/env bats
# vm-long: root
# sanitizers: thorough
# Containers in microVMs, and what is the same as with processes. Each boots a kernel.
# shellcheck disable=SC2016,SC2154
load helpers
load microvm_helpers

setup() {
	setup_test
	requires root
	requires_guest
	make_bundle
}

vm() {
	local expected=$1
	shift
	expect "$expected" --isolation vm "$@"
}

@test "another kernel, the program's output and its exit status" {
	config_args sh -c 'echo out; echo err >&2; cat; grep -c hypervisor /proc/cpuinfo; ls -d /sys/bus/pci/devices/*; exit 7'
	run_hull --isolation vm run --bundle "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 7 ]
	stdout_has out
	stdout_has 0000:00:03.0
	stderr_is err
}

@test "the process object is the guest's: user, directory, environment, hostname, limits" {
	config '.process.user = {uid: 1000, gid: 1001, additionalGids: [7]} | .process.cwd = "/tmp" |
		.process.env += ["A=b c"] | .hostname = "inside" | .process.noNewPrivileges = true |
		.process.capabilities = {bounding: ["CAP_KILL"]} |
		.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 78}]'
	config_args sh -c 'id -u; id -g; id -G; pwd; echo "$A"; hostname; ulimit -n
		grep -E "NoNewPrivs|CapBnd|CapEff" /proc/self/status; echo $$'
	vm 0 run --bundle "$BUNDLE" "$ID"
	stdout_is "$(printf '%s\n' 1000 1001 '1001 7' /tmp 'b c' inside 77 \
		$'CapEff:\t0000000000000000' $'CapBnd:\t0000000000000020' $'NoNewPrivs:\t1' 1)"
}

@test "binds are the host's, both ways, and read-only ones stay so" {
	mkdir "$WORK/rw" "$WORK/ro"
	echo from-host >"$WORK/rw/a"
	config --arg rw "$WORK/rw" --arg ro "$WORK/ro" '.mounts += [
		{destination: "/rw", type: "bind", source: $rw, options: ["bind"]},
		{destination: "/dev/below", type: "bind", source: $rw, options: ["bind"]},
		{destination: "/ro", type: "bind", source: $ro, options: ["bind", "ro"]}]'
	# It may mount as it likes: what is read-only is so on the host's side, the root too.
	config '.root.readonly = true | .process.capabilities.bounding += ["CAP_SYS_ADMIN"] |
		.process.capabilities.effective += ["CAP_SYS_ADMIN"] | .process.capabilities.permitted += ["CAP_SYS_ADMIN"]'
	config_args sh -c 'cat /rw/a /dev/below/a; echo from-guest >/rw/b; echo x >/ro/b; mount -o remount,rw / && echo remounted
		mount -o bind /ro /tmp; mount -o remount,rw,bind /tmp && echo again; echo x >/ro/b; echo x >/tmp/b; echo x >/b'
	run_hull --isolation vm run --bundle "$BUNDLE" "$ID"
	stdout_is "$(printf '%s\n' from-host from-host remounted again)"
	[ "$(grep -c 'Read-only file system' <<<"$stderr")" -eq 4 ]
	[ "$(cat "$WORK/rw/b")" = from-guest ]
	[ -z "$(ls "$WORK/ro")" ]
	[ ! -e "$BUNDLE/rootfs/b" ]
}

@test "create, state, start, kill, delete" {
	config_args sleep 1000
	vm 0 create --bundle "$BUNDLE" --pid-file "$WORK/pid" "$ID" </dev/null >/dev/null 2>&1
	[ "$(state_of "$ID")" = created ]
	expect 0 start "$ID"
	[ "$(state_of "$ID")" = running ]
	[ "$(state_of "$ID" .pid)" = "$(cat "$WORK/pid")" ]
	expect 0 exec "$ID" sh -c 'exit 0'
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	expect 0 ps --format json "$ID"
	stdout_is null
	expect 0 delete "$ID"
}

@test "a program that does not exist is an error of create" {
	config_args no-such-program
	vm 1 run --bundle "$BUNDLE" "$ID"
	stderr_has 'executable file not found in $PATH'
}

@test "signals reach the program, with --all its children, and how it dies is how the container ends" {
	config_args sh -c 'trap "echo all" USR1; trap "echo got; exit 3" TERM
		sh -c "trap \"echo child\" USR1; echo ready; while :; do sleep 0.1; done" & while :; do sleep 0.1; done'
	start_hull --isolation vm run --bundle "$BUNDLE" "$ID"
	local said=$stdout_file
	wait_for 60 grep -q ready "$said"
	expect 0 kill --all "$ID" USR1
	wait_for 30 grep -q all "$said"
	wait_for 30 grep -q child "$said"
	expect 0 kill "$ID" TERM
	wait_hull
	[ "$status" -eq 3 ]
}

@test "exec: output, status, standard input, user, capabilities, terminal" {
	config_args sleep 1000
	vm 0 run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	echo in | hull exec "$ID" sh -c 'cat; id -u; exit 9' >"$WORK/o" && false
	[ "$(cat "$WORK/o")" = "$(printf 'in\n0')" ]
	expect 9 exec "$ID" sh -c 'exit 9'
	expect 0 exec --user 5:6 --cwd /tmp --env A=b "$ID" sh -c 'id -u; pwd; echo $A'
	stdout_is "$(printf '5\n/tmp\nb\n')"
	expect 0 exec --cap SYS_TIME --cap CAP_KILL "$ID" sh -c 'grep CapEff /proc/self/status'
	stdout_has "$(printf 'CapEff:\t%016x' $((0x20000420 | 1 << 25 | 1 << 5)))"
	expect 255 exec --cap CAP_FLY "$ID" true
	stderr_has '"CAP_FLY" is not a capability'
	expect 255 exec "$ID" no-such-program
	stderr_has 'not found'
	"$HULL" --root "$STATE" exec --preserve-fds 1 "$ID" true 3</dev/null 2>"$WORK/e" && false
	grep -q -- "--preserve-fds: a microVM can't be handed descriptors" "$WORK/e"
	"$HULL" --root "$STATE" exec --cgroup / "$ID" true 2>"$WORK/e" && false
	grep -q -- "--cgroup: processes in a microVM are in no cgroup of the host's" "$WORK/e"
	"$HULL" --root "$STATE" exec --pidfd-socket nowhere "$ID" true 2>"$WORK/e" && false
	grep -q -- "--pidfd-socket: a process in a microVM is none of the host's" "$WORK/e"
	in_terminal "$WORK/tty" "$HULL" --root "$STATE" exec --tty "$ID" sh -c 'test -t 0 && tty; exit 4'
	[ "$status" -eq 4 ]
	grep -q /dev/pts/ "$WORK/tty"
	hull exec "$ID" sh -c 'head -c 3000000 /dev/zero' | wc -c | grep -qx 3000000
	expect 0 delete --force "$ID"
}

@test "ps, statistics, the limit of processes, pause and resume" {
	requires cgroup
	config '.linux.resources.pids.limit = 20'
	config_args sh -c 'sleep 1000 & sleep 1001'
	vm 0 run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	expect 0 ps "$ID"
	[ "$(head -n 1 <<<"$stdout" | tr -s ' ')" = "UID PID PPID C STIME TTY TIME CMD" ]
	awk '$2 == 1 && $3 == 0 && / sleep 1001$/ { found++ } $3 == 1 && / sleep 1000$/ { found++ }
		END { exit NR != 3 || found != 2 }' <<<"$stdout"
	expect 0 ps --format json "$ID"
	stdout_is "[$(state_of "$ID" .pid)]"
	expect 1 ps "$ID" -o pid
	stderr_has "-o: the host's ps can't see the processes of container $ID, which are a microVM's"

	expect 0 events --stats "$ID"
	[ "$(jq -c '[.data.pids.current, .data.pids.limit]' <<<"$stdout")" = '[2,20]' ]
	[ "$(jq '.data.memory.usage.usage > 50000000' <<<"$stdout")" = true ]
	run_hull exec "$ID" sh -c 'i=0; while [ $i -lt 30 ]; do sleep 60 & i=$((i + 1)); done'
	[ "$status" -ne 0 ]
	stderr_has "can't fork"
	expect 0 update --pids-limit 100 "$ID"
	expect 0 exec "$ID" sh -c 'i=0; while [ $i -lt 30 ]; do sleep 1 & i=$((i + 1)); done; wait; echo $i'
	stdout_is 30
	# 0 is a limit, as at create; from an engine it is one that is not given.
	expect 0 update --pids-limit 0 "$ID"
	hull update -r - "$ID" <<<'{"pids": {"limit": 0}}'
	expect 0 events --stats "$ID"
	[ "$(jq .data.pids.limit <<<"$stdout")" = 1 ]
	expect 0 update --pids-limit 100 "$ID"

	expect 0 pause "$ID"
	[ "$(state_of "$ID")" = paused ]
	expect 255 exec "$ID" true
	expect 1 ps "$ID"
	stderr_has "container $ID is paused: a microVM stands still as a whole"
	expect 0 resume "$ID"
	[ "$(state_of "$ID")" = running ]
	expect 0 exec "$ID" true
	expect 0 delete --force "$ID"
}

# The guest's memory in MiB, as the guest and as the host have it.
memory_inside() { hull exec "$ID" awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo; }
memory_used() { awk '/^VmRSS:/ { print int($2 / 1024) }' "/proc/$(state_of "$ID" .pid)/status"; }
used_less_than() { [ "$(memory_used)" -lt "$1" ]; }
inside_more_than() { [ "$(memory_inside)" -gt "$1" ]; }

@test "memory: what the guest frees is the host's again; update makes it less and more" {
	requires cgroup
	local used
	config_args sleep 1000
	vm 0 run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	expect 0 exec "$ID" sh -c 'head -c 60000000 /dev/zero >/dev/shm/x'
	used=$(memory_used)
	[ "$used" -gt 100 ]
	expect 0 exec "$ID" rm /dev/shm/x
	wait_for 30 used_less_than $((used - 40))

	expect 1 update --memory 64m "$ID"
	stderr_has "update: a memory limit of 67108864 is too little for a microVM, which needs 112 MiB"
	expect 0 update --memory 320m "$ID"
	[ "$(memory_inside)" -lt 304 ]
	expect 0 exec "$ID" sh -c 'head -c 60000000 /dev/zero >/dev/shm/x'
	expect 1 update --memory 115m "$ID"
	stderr_has "update: the guest can't do without so much memory"
	expect 0 exec "$ID" rm /dev/shm/x
	expect 0 update --memory -1 "$ID"
	wait_for 30 inside_more_than 400
	expect 0 delete --force "$ID"
}

# The root becomes an image that the command makes of it; what stays is an empty directory.
root_of_image() {
	"$@" >"$WORK/mkfs" 2>&1
	rm -r "$BUNDLE/rootfs"
	mkdir "$BUNDLE/rootfs"
	config --arg image "$WORK/root.image" '.annotations["run.hull.vm.rootfs"] = $image'
}

@test "a root of an EROFS image: its files, changes in memory, binds of the host's" {
	requires program=mkfs.erofs
	local sum
	mkdir "$WORK/volume"
	echo from-host >"$WORK/volume/a"
	ln -s /somewhere "$BUNDLE/rootfs/link"
	chmod 711 "$BUNDLE/rootfs"
	root_of_image mkfs.erofs "$WORK/root.image" "$BUNDLE/rootfs"
	sum=$(sha256sum <"$WORK/root.image")
	config --arg volume "$WORK/volume" '.root.readonly = false | .mounts += [
		{destination: "/volume", type: "bind", source: $volume, options: ["bind"]},
		{destination: "/dev/below", type: "bind", source: $volume, options: ["bind", "ro"]}]'
	config_args sh -c 'grep -c "^overlay / overlay rw" /proc/mounts; readlink /link; stat -c %a /
		cat /volume/a /dev/below/a; echo from-guest >/volume/b; echo x >/dev/below/c
		echo new >/new; rm /link; ls -d /new /link; sleep 1000'
	start_hull --isolation vm run --bundle "$BUNDLE" "$ID"
	local said=$stdout_file
	wait_for 90 grep -q '^/new' "$said" || mismatch output "a line of /new" "$(cat "$said" "$stderr_file")"
	[ "$(cat "$said")" = "$(printf '%s\n' 1 /somewhere 711 from-host from-host /new)" ]
	expect 0 exec "$ID" cat /new /volume/b
	stdout_is "$(printf '%s\n' new from-guest)"
	expect 0 delete --force "$ID"
	wait_hull
	[ "$(cat "$WORK/volume/b")" = from-guest ]
	[ ! -e "$WORK/volume/c" ]
	[ "$sum" = "$(sha256sum <"$WORK/root.image")" ]
	[ "$(ls "$BUNDLE/rootfs")" = "$(printf '%s\n' dev volume)" ]
}

@test "a root of an ext4 image, read-only; and what is no image" {
	local size
	size=$(stat -c %s "$BUNDLE/rootfs/bin/busybox")
	root_of_image mke2fs -q -t ext4 -d "$BUNDLE/rootfs" "$WORK/root.image" 16M
	config '.root.readonly = true'
	config_args sh -c 'echo x >/x; cat /bin/busybox | wc -c; echo x >/tmp/x && echo written'
	config '.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	vm 0 run --bundle "$BUNDLE" "$ID"
	stdout_is "$size"$'\nwritten'
	stderr_has 'Read-only file system'
	truncate --size 100 "$WORK/root.image"
	vm 1 run --bundle "$BUNDLE" "$ID"
	stderr_has "annotation run.hull.vm.rootfs: $WORK/root.image is no image of an EROFS or ext4 file system"
}
