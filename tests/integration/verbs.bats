#!/usr/bin/env bats
# The lifecycle verbs: what they print, how they exit, what they leave
# (docs/clients; where that is silent, as runc).
# shellcheck disable=SC2154 # helpers.bash sets these
load helpers

created() {
	make_bundle bundle '.process.args = ["sleep", "100"]' "$@"
	expect 0 create --bundle "$BUNDLE" --pid-file "$WORK/pid" "$ID"
	stdout_is ""
	stderr_is ""
	pid=$(<"$WORK/pid")
}

running() {
	created "$@"
	expect 0 start "$ID"
	stdout_is ""
	stderr_is ""
}

stopped() {
	running
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
}

@test "state: all members, and pid 0 when stopped" {
	created '.annotations = {"org.example.a": "b"}'
	expect 0 state "$ID"
	jq -e --arg id "$ID" --arg bundle "$BUNDLE" --argjson pid "$pid" '
		.ociVersion == "1.3.0" and .id == $id and .pid == $pid and .status == "created" and
		.bundle == $bundle and .rootfs == $bundle + "/rootfs" and .owner == "root" and
		.annotations == {"org.example.a": "b"} and
		(.created | test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}Z$"))' <<<"$stdout"
	[ "$(stat -c %a "$STATE" "$STATE/$ID")" = $'700\n700' ]
	expect 0 start "$ID"
	[ "$(state_of "$ID")" = running ]
	expect 0 kill "$ID" 9
	wait_state "$ID" stopped
	[ "$(state_of "$ID" .pid)" = 0 ]
	expect 0 delete "$ID"
	expect 1 state "$ID"
	stderr_is "hull: container does not exist"
}

@test "create: the pid file has the pid of init and no newline" {
	created
	[ "$(stat -c %s "$WORK/pid")" = "${#pid}" ]
	[ "$pid" = "$(state_of "$ID" .pid)" ]
	[[ $(<"$(cgroup_of "$pid")/cgroup.procs") == *"$pid"* ]]
	[ "$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")" != $$ ]
	# The program does not run yet.
	[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" != "sleep 100 " ]
	expect 0 start "$ID"
	[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleep 100 " ]
	expect 0 delete --force "$ID"
	assert_nothing_left
}

@test "create and start leave no process of hull's" {
	created
	pgrep --full -- "$ID" >/dev/null # init, which has hull's command line until then
	expect 0 start "$ID"
	wait_for 10 no_process_of_hull
	kill -0 "$pid"
	expect 0 delete --force "$ID"
}

no_process_of_hull() { ! pgrep --full -- "$ID" >/dev/null; }

@test "create: an id that is taken" {
	created
	expect 1 create --bundle "$BUNDLE" "$ID"
	stderr_has "container with given ID already exists"
	[ "$(state_of "$ID")" = created ]
	expect 0 delete "$ID"
}

@test "annotations may be as long as config.json" {
	make_bundle bundle '.annotations = {long: ("x" * 2000000)} | .process.args = ["true"]'
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	wait_state "$ID" stopped
	[ "$(state_of "$ID" '.annotations.long | length')" = 2000000 ]
	expect 0 delete "$ID"
}

@test "ids that are refused" {
	make_bundle
	for id in a/b . .. 'a b' '' 'a:b' "$(printf '%0300d' 0)"; do
		expect 1 run --bundle "$BUNDLE" "$id"
		stderr_has 'invalid container id'
	done
	[ -z "$(ls "$STATE" 2>/dev/null)" ]
}

@test "start: a running, a stopped and a missing container" {
	running
	expect 1 start "$ID"
	stderr_is "hull: cannot start an already running container"
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	expect 1 start "$ID"
	stderr_is "hull: cannot start a container that has stopped"
	expect 0 delete "$ID"
	expect 1 start "$ID"
	stderr_is "hull: container does not exist"
}

@test "create: a program that does not exist is an error of create" {
	make_bundle bundle '.process.args = ["nothing-such"]'
	expect 1 create --bundle "$BUNDLE" --pid-file "$WORK/pid" "$ID"
	stderr_is 'hull: exec: "nothing-such": executable file not found in $PATH'
	[ ! -e "$WORK/pid" ]
	assert_nothing_left
}

@test "config.json is read by create, and by nothing after it" {
	make_bundle
	config_args sh -c 'echo first >/dev/shm/word; hostname; sleep 1000'
	expect 0 create --bundle "$BUNDLE" "$ID"
	config '.process.args = ["sh", "-c", "echo second >/dev/shm/word; sleep 1000"] | .hostname = "second" |
		.annotations = {"a": "second"} | .hooks.poststop = [{path: "/no/such/hook"}]'
	expect 0 start "$ID"
	wait_for 10 hull exec "$ID" test -s /dev/shm/word
	expect 0 exec "$ID" cat /dev/shm/word
	stdout_is first
	expect 0 state "$ID"
	jq -e '.annotations == null' <<<"$stdout"
	rm "$BUNDLE/config.json"
	expect 0 exec "$ID" true
	expect 0 delete --force "$ID"
	stderr_is ""
}

@test "a configuration without process can be created, not started" {
	make_bundle bundle 'del(.process)'
	expect 0 create --bundle "$BUNDLE" "$ID"
	[ "$(state_of "$ID")" = created ]
	expect 1 start "$ID"
	stderr_is "hull: config.json has no process, so there is nothing to start"
	expect 0 delete --force "$ID"
}

@test "kill: by name, by number, and the default" {
	make_bundle
	config_args sh -c 'for s in USR1 USR2 TERM; do trap "echo $s >>/tmp/got" $s; done
		touch /tmp/ready; while :; do sleep 0.05; done'
	config '.root.readonly = false'
	expect 0 run -d --bundle "$BUNDLE" "$ID"
	wait_for 10 test -e "$BUNDLE/rootfs/tmp/ready"
	n=0
	ln -s "$HULL" "$WORK/hull-oci"
	for signal in USR1 SIGUSR1 usr1 10 12 ''; do
		HULL=$WORK/hull-oci expect 0 kill "$ID" ${signal:+"$signal"}
		n=$((n + 1))
		wait_for 10 eval "[ \$(cat $BUNDLE/rootfs/tmp/got 2>/dev/null | wc -l) -ge $n ]"
	done
	[ "$(sort "$BUNDLE/rootfs/tmp/got" | uniq -c | tr -s ' \n' ' ')" = " 1 TERM 4 USR1 1 USR2 " ]
	HULL=$WORK/hull-oci expect 1 kill "$ID" FOO
	stderr_is 'hull-oci: unknown signal "FOO"'
	expect 0 delete --force "$ID"
}

@test "kill: without a signal it is the image's, or SIGTERM" {
	make_bundle bundle '.annotations = {"org.opencontainers.image.stopSignal": "SIGUSR2"} | .root.readonly = false'
	config_args sh -c 'trap "echo USR2 >/tmp/got" USR2; trap "echo TERM >/tmp/got" TERM; touch /tmp/ready
		while :; do sleep 0.05; done'
	expect 0 run -d --bundle "$BUNDLE" "$ID"
	wait_for 10 test -e "$BUNDLE/rootfs/tmp/ready"
	ln -s "$HULL" "$WORK/hull-oci"
	HULL=$WORK/hull-oci expect 0 kill "$ID"
	wait_for 10 test -s "$BUNDLE/rootfs/tmp/got"
	[ "$(<"$BUNDLE/rootfs/tmp/got")" = USR2 ]
	expect 0 kill "$ID" TERM
	wait_for 10 grep -q TERM "$BUNDLE/rootfs/tmp/got"
	expect 0 delete --force "$ID"
	config '.annotations = {"org.opencontainers.image.stopSignal": "HALT"}'
	expect 0 run -d --bundle "$BUNDLE" "$ID"
	HULL=$WORK/hull-oci expect 1 kill "$ID"
	stderr_is 'hull-oci: annotations.org.opencontainers.image.stopSignal: unknown signal "HALT"'
	[ "$(state_of "$ID")" = running ]
	expect 0 delete --force "$ID"
}

@test "kill: a created container, a stopped one and a missing one" {
	created
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	expect 1 kill "$ID" KILL
	stderr_is "hull: container not running"
	expect 0 kill --all "$ID" KILL
	expect 0 delete "$ID"
	expect 1 kill "$ID" KILL
	stderr_is "hull: container does not exist"
}

@test "kill --all reaches what exec brought" {
	running '.linux.namespaces |= map(select(.type != "pid"))'
	expect 0 exec --detach --pid-file "$WORK/pid2" "$ID" sleep 101
	expect 0 kill --all "$ID" KILL
	wait_for 10 process_gone "$(<"$WORK/pid2")"
	wait_state "$ID" stopped
	expect 0 delete "$ID"
	assert_nothing_left
}

@test "delete: created, running, stopped and missing" {
	created
	expect 0 delete "$ID"
	assert_nothing_left
	running
	expect 1 delete "$ID"
	stderr_is "hull: cannot delete container $ID that is not stopped: running"
	[ "$(state_of "$ID")" = running ]
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	expect 0 delete "$ID"
	stdout_is ""
	stderr_is ""
	assert_nothing_left
	expect 1 delete "$ID"
	stderr_is "hull: container does not exist"
	expect 0 delete --force "$ID"
	stdout_is ""
	stderr_is ""
}

@test "list: table, JSON and ids" {
	created
	expect 0 list
	[ "${#lines[@]}" = 2 ]
	[[ ${lines[0]} =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER$ ]]
	[[ ${lines[1]} =~ ^$ID\ +$pid\ +created\ +$BUNDLE\ +20[^\ ]+Z\ +root$ ]]
	expect 0 list --format json
	[ "$(jq -c '.[0] | [.id, .pid, .status]' <<<"$stdout")" = "[\"$ID\",$pid,\"created\"]" ]
	expect 0 list -q
	stdout_is "$ID"
	expect 0 delete "$ID"
	expect 0 list --format=json
	stdout_is null
	expect 0 list --quiet
	stdout_is ""
	expect 0 list
	[[ $stdout =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER$ ]]
}

@test "ps: JSON pids and the table, also of a stopped container" {
	running
	expect 0 exec -d --pid-file "$WORK/pid2" "$ID" sleep 101
	expect 0 ps --format json "$ID"
	[ "$(jq -c sort <<<"$stdout")" = "$(jq -nc "[$pid, $(<"$WORK/pid2")] | sort")" ]
	expect 0 ps "$ID"
	[ "${#lines[@]}" = 3 ]
	[[ ${lines[0]} == *PID*CMD ]]
	stdout_has "sleep 101"
	expect 0 ps "$ID" -o pid,args
	stdout_has "$pid sleep 100"
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	expect 0 ps --format json "$ID"
	stdout_is null
	expect 0 delete "$ID"
}

@test "exec: exit status, environment, directory and user" {
	running
	expect 9 exec "$ID" sh -c 'exit 9'
	expect 137 exec "$ID" sh -c 'kill -9 $$'
	expect 0 exec -e A=1 --env B=2 --cwd /tmp --user 1000:1001 -g 7 -g 8 "$ID" \
		sh -c 'echo $A $B; pwd; id -u; id -g; id -G'
	stdout_is $'1 2\n/tmp\n1000\n1001\n1001 7 8'
	expect 0 exec "$ID" sh -c 'grep -h ^CapEff /proc/self/status'
	before=$stdout
	expect 0 exec --cap CAP_SYS_ADMIN "$ID" sh -c 'grep -h ^CapEff /proc/self/status'
	[ $((16#${stdout##*$'\t'})) = $((16#${before##*$'\t'} | 1 << 21)) ]
	expect 0 delete --force "$ID"
}

@test "exec: what cannot be started gives 255 and the words by which docker tells why" {
	running
	expect 255 exec "$ID" nothing-such
	stderr_is 'hull: exec: "nothing-such": executable file not found in $PATH'
	expect 255 exec "$ID" /nothing-such
	stderr_is 'hull: exec: "/nothing-such": stat /nothing-such: no such file or directory'
	expect 255 exec "$ID" /etc/passwd
	stderr_is 'hull: exec: "/etc/passwd": permission denied (it has no execute bit: its mode is 0644)'
	expect 255 exec "$ID" /etc
	stderr_is 'hull: exec: "/etc": permission denied (it is a directory, not a file)'
	expect 255 exec --cwd /nothing-such "$ID" true
	stderr_has "no such file or directory"
	for user in -1 1x 4294967295 '' 1:; do
		expect 255 exec --user "$user" "$ID" true
		stderr_has "is not UID or UID:GID"
	done
	expect 255 exec "$ID"
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	expect 255 exec "$ID" true
	stderr_is "hull: cannot exec in a stopped container"
	expect 0 delete "$ID"
	expect 255 exec "$ID" true
	stderr_is "hull: container does not exist"
}

@test "exec: a process file, detached, with a pid file" {
	running
	jq -n '{args: ["sh", "-c", "echo $X; pwd; exec sleep 102"], env: ["X=y", "PATH=/bin"],
		cwd: "/etc", user: {uid: 0, gid: 0}}' >process.json
	expect 0 exec --process process.json --detach --pid-file pid2 "$ID"
	pid2=$(<pid2)
	[ "$(stat -c %s pid2)" = "${#pid2}" ]
	wait_for 10 grep -q 102 "/proc/$pid2/cmdline"
	read_output
	stdout_is $'y\n/etc'
	[ "$(readlink "/proc/$pid2/ns/pid")" = "$(readlink "/proc/$pid/ns/pid")" ]
	expect 0 delete --force "$ID"
	wait_for 5 process_gone "$pid2"
}

@test "run: stdin, stdout and stderr are the program's; its status is ours" {
	make_bundle
	config_args sh -c 'cat; echo err >&2; exit 41'
	expect 41 run --bundle "$BUNDLE" "$ID" <<<"in"
	stdout_is in
	stderr_is err
	config_args sh -c 'kill -TERM $$; sleep 1'
	config '.linux.namespaces |= map(select(.type != "pid"))'
	expect 143 run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "run: SIGTERM, SIGINT and SIGHUP are passed on" {
	make_bundle
	for signal in TERM INT HUP; do
		rm -f ready
		config_args sh -c "trap 'echo $signal; exit 5' $signal; echo ready
			while :; do sleep 0.05; done"
		# A background job of bash ignores SIGINT; env puts that right.
		start_hull run --bundle "$BUNDLE" "$ID"
		wait_for 10 grep -q ready "$stdout_file"
		kill -$signal "$hull_pid"
		wait_hull
		[ "$status" = 5 ] || mismatch "status after $signal" 5 "$status"
		stdout_is $'ready\n'$signal
	done
	assert_nothing_left
}

@test "run: --detach and --keep" {
	make_bundle bundle '.process.args = ["sleep", "100"]'
	expect 0 run --detach --pid-file pid --bundle "$BUNDLE" "$ID"
	[ "$(state_of "$ID" .pid)" = "$(<pid)" ]
	[ "$(state_of "$ID")" = running ]
	expect 0 delete --force "$ID"
	config_args true
	expect 0 run --keep --bundle "$BUNDLE" "$ID"
	[ "$(state_of "$ID")" = stopped ]
	expect 0 delete "$ID"
}

@test "--console-socket: one message with the name and one terminal" {
	make_bundle bundle '.process.terminal = true | .process.consoleSize = {height: 33, width: 99}'
	config_args sh -c 'tty; stty size; test -t 0 && test -c /dev/console && echo terminal; read x; echo "<$x>"'
	console_listen "$WORK/s" "$WORK/shown"
	expect 0 create --console-socket "$WORK/s" --bundle "$BUNDLE" "$ID"
	stdout_is ""
	[[ $(<shown.name) == /dev/pts/* ]]
	expect 0 start "$ID"
	wait_for 10 grep -q terminal shown
	echo hello >shown.in
	wait_for 10 grep -q '<hello>' shown
	grep -q '^33 99' shown
	wait_state "$ID" stopped
	expect 0 delete "$ID"
}

@test "--console-socket: what is refused" {
	make_bundle bundle '.process.terminal = true'
	expect 1 create --bundle "$BUNDLE" "$ID"
	stderr_is "hull: process.terminal: a terminal that nobody relays needs --console-socket"
	expect 1 create --console-socket /nothing-such --bundle "$BUNDLE" "$ID"
	stderr_is "hull: open console socket /nothing-such: no such file or directory"
	expect 1 create --console-socket /etc/passwd --bundle "$BUNDLE" "$ID"
	stderr_is "hull: console socket /etc/passwd is not a socket"
	config '.process.terminal = false'
	expect 1 create --console-socket /etc/passwd --bundle "$BUNDLE" "$ID"
	stderr_is "hull: --console-socket: the configuration asks for no terminal (process.terminal)"
	assert_nothing_left
}

@test "exec --tty with a console socket" {
	running
	console_listen "$WORK/s" "$WORK/shown"
	expect 0 exec --tty --detach --console-socket "$WORK/s" "$ID" sh -c 'test -t 1 && echo terminal'
	wait_for 10 grep -q terminal shown
	expect 0 delete --force "$ID"
}

@test "--preserve-fds passes just those" {
	make_bundle
	config_args sh -c 'cat <&3; cat <&4; ls /proc/self/fd | wc -l'
	echo three >3
	echo four >4
	status=0
	got=$(HULL_TEST=$TAG "$HULL" --root "$STATE" run --preserve-fds 2 --bundle "$BUNDLE" "$ID" \
		3<3 4<4 5</dev/null 9</dev/null </dev/null) || status=$?
	[ "$status" = 0 ]
	[ "$got" = $'three\nfour\n6' ] # 0-4, and the directory that ls reads
	expect 1 run --preserve-fds 2 --bundle "$BUNDLE" "$ID"
	stderr_has "keep descriptor 3 (1 of 2)"
}

@test "LISTEN_FDS are passed, with LISTEN_PID of the program" {
	make_bundle
	config_args sh -c 'echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; cat <&3'
	echo three >3
	got=$(exec 3<3 4>&-; HULL_TEST=$TAG bash -c 'export LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=x
		exec "$@"' - "$HULL" --root "$STATE" run --bundle "$BUNDLE" "$ID")
	[[ $got == "1 1"*$'\nthree' ]]
}

@test "NOTIFY_SOCKET: READY=1 of the program reaches the service manager" {
	make_bundle bundle '.mounts += [("usr /usr", "usr/lib /lib", "usr/lib64 /lib64") | split(" ") |
		{source: ("/" + .[0]), destination: .[1], options: ["rbind", "ro"]}]' \
		'.root.readonly = false'
	config_args sh -c 'exec /usr/bin/perl -MSocket -e "
		socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; send(S, qq(READY=1), 0,
		pack_sockaddr_un(\$ENV{NOTIFY_SOCKET})) or die; sleep 100"'
	in_background python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
s.bind(sys.argv[1])
while True:
    data, control, _, _ = s.recvmsg(4096, 4096)
    open(sys.argv[2], "ab").write(data + b"\n")
    for _, _, fds in control:
        import os, array
        a = array.array("i"); a.frombytes(fds); [os.close(x) for x in a]
' "$WORK/notify" "$WORK/said"
	wait_for 10 test -S "$WORK/notify"
	NOTIFY_SOCKET=$WORK/notify expect 0 run -d --pid-file pid --bundle "$BUNDLE" "$ID"
	wait_for 10 grep -q READY=1 said
	grep -qx "MAINPID=$(<pid)" said
	expect 0 delete --force "$ID"
}

@test "--log: one valid JSON line and the same words on stderr" {
	expect 1 --log log --log-format json delete "$ID"
	stderr_is "hull: container does not exist"
	[ "$(wc -l <log)" = 1 ]
	jq -e '.level == "error" and .msg == "container does not exist" and
		(.time | fromdateiso8601 > 1e9) and (keys == ["level", "msg", "time"])' log
	expect 1 --log=log --log-format=json start "$ID"
	[ "$(wc -l <log)" = 2 ]
	expect 1 --log text delete "$ID"
	[[ $(<text) =~ ^[0-9T:-]+Z\ hull\ error:\ container\ does\ not\ exist$ ]]
	make_bundle
	expect 0 --debug --log debug --log-format json run --bundle "$BUNDLE" "$ID"
	stderr_is ""
	jq -es 'map(select(.level == "debug")) | length > 0' debug
}

@test "what the command line gets wrong" {
	expect 3 nothing-such
	stderr_is $'hull: No help topic for \'nothing-such\'\nSee \'hull --help\'.'
	expect 1 --nothing-such list
	stderr_is $'hull: flag provided but not defined: -nothing-such\nSee \'hull --help\'.'
	expect 1 create
	stderr_is $'hull: "create" requires exactly 1 argument(s)\nSee \'hull create --help\'.'
	ln -s "$HULL" "$WORK/hull-oci"
	HULL=$WORK/hull-oci expect 1 kill a b c
	stderr_is $'hull-oci: "kill" requires a maximum of 2 argument(s)\nSee \'hull-oci kill --help\'.'
	expect 1 list --format yaml
	stderr_has 'invalid value "yaml" for flag -format: not one of table|json'
	expect 1 --log
	stderr_has 'flag needs an argument: -log'
	expect 1 create --bundle /nothing-such "$ID"
	stderr_is "hull: open the bundle /nothing-such: no such file or directory"
}

@test "spec, features, --version and --help" {
	mkdir new
	expect 0 spec --bundle new
	stdout_is ""
	jq -e '.ociVersion == "1.3.0" and .process.args == ["sh"]' new/config.json
	expect 1 spec --bundle new
	stderr_is "hull: File config.json exists. Remove it first"
	expect 0 features
	stderr_is ""
	jq -e '.ociVersionMin == "1.0.0" and .ociVersionMax == "1.3.0" and
		(.mountOptions | index("rro") != null) and .linux.namespaces == ["user", "pid", "network",
		"mount", "ipc", "uts", "cgroup", "time"] and (.hooks | length == 6) and
		.potentiallyUnsafeConfigAnnotations == ["org.opencontainers.image.stopSignal",
			"org.systemd.property.", "run.hull.isolation", "run.hull.vm."]' <<<"$stdout"
	expect 0 --version
	[[ ${lines[0]} =~ ^hull\ version\ [0-9] ]]
	[ "${lines[2]}" = "spec: 1.3.0" ]
	expect 0 --help
	stdout_has "Usage: hull"
	stderr_is ""
	expect 0 exec -h
	stdout_has "Usage: hull exec"
}

# Who asks, as whom and where is all the same: it is what was built.
@test "features: the same on every host" {
	expect 0 features
	here=$stdout
	run_command env -i unshare --user --map-root-user --pid --fork --mount --uts "$HULL" features
	[ "$stdout" = "$here" ]
	jq -e '[.. | select(. == null)] == []' <<<"$here"
	# What the specification has, at any depth, and nothing else; annotations are free.
	jq -e 'keys - ["ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations",
			"potentiallyUnsafeConfigAnnotations"] == [] and
		(.linux | keys) == ["apparmor", "capabilities", "cgroup", "intelRdt", "memoryPolicy",
			"mountExtensions", "namespaces", "netDevices", "seccomp", "selinux"] and
		.linux.cgroup == {v1: false, v2: true, systemd: true, systemdUser: true, rdma: true} and
		(.linux.seccomp | keys) == ["actions", "archs", "enabled", "knownFlags", "operators", "supportedFlags"] and
		(.linux.intelRdt | keys) == ["enabled", "monitoring", "schemata"] and
		(.linux.memoryPolicy | keys) == ["flags", "modes"] and
		.linux.mountExtensions == {idmap: {enabled: true}} and
		([.linux.apparmor, .linux.selinux, .linux.netDevices] | unique) == [{enabled: true}] and
		(.annotations | map(type) | unique) == ["string"]' <<<"$here"
	# Words of a file system are no options of ours.
	jq -e '.mountOptions - (.mountOptions - ["mode", "size", "uid", "gid", "nr_inodes", "huge", "newinstance",
		"ptmxmode", "hidepid", "acl", "noacl"]) == []' <<<"$here"
}

@test "as hull-oci: a warning of no kind, and the name of the program in errors" {
	ln -s "$HULL" hull-oci
	make_bundle
	run_command ./hull-oci --root "$STATE" run --bundle "$BUNDLE" "$ID"
	[ "$status$stdout$stderr" = 0 ]
	run_command ./hull-oci --root "$STATE" ps
	[ "$status" = 1 ]
	stderr_has 'hull-oci: "ps" requires a minimum of 1 argument(s)'
	cd "$BUNDLE"
	run_command "$WORK/hull-oci" -root "$STATE" run -no-subreaper "$ID"
	[ "$status$stdout$stderr" = 0 ]
}

# A static hull asks systemd by libexec/hull/hull-full: without that nothing is taken for done.
@test "delete --force of a container in a unit fails where hull-full is not" {
	! readelf --program-headers "$HULL" | grep -q INTERP || skip "is about a static hull, and this one is dynamic"
	make_bundle
	config_args sleep 1000
	expect 0 create --bundle "$BUNDLE" "$ID"
	[ "$(jq -r .cgroup "$STATE/$ID/state.json")" != null ] || skip "needs a cgroup of its own"
	cp "$STATE/$ID/state.json" state.json
	jq '.cgroupDriver = "systemd" | .unit = "none.scope"' state.json >"$STATE/$ID/state.json"
	mkdir nothing
	HULL_LIBEXEC=$WORK/nothing run_hull delete --force "$ID"
	[ "$status" = 1 ] || mismatch "exit status" 1 "$status"
	stderr_is "hull: find the program hull-full in $WORK/nothing (HULL_LIBEXEC)"
	kill -0 "$(jq .pid state.json)"
	cp state.json "$STATE/$ID/state.json"
	expect 0 delete --force "$ID"
}

@test "the verbs answer as those of runc" {
	local runtime HULL_TEST_SLOW=$((HULL_TEST_SLOW * 10)) # a hundred commands in one
	requires root program=runc cgroup
	mkdir as
	ln -s "$HULL" as/hull-oci
	for runtime in "$WORK/as/hull-oci" "$(command -v runc)"; do
		make_bundle "${runtime##*/}"
		run_command "$SOURCE/bench/v2ns" env TMPDIR="$WORK" "$SOURCE/tests/tools/verbs" \
			"$runtime" "$WORK/state" "$BUNDLE" "$ID"
		[ "$status" = 0 ] || mismatch "exit status with $runtime" 0 "$status: $stderr"
		echo "$stdout" >"${runtime##*/}.answers"
	done
	[ "$(wc -l <runc.answers)" -gt 140 ] || mismatch "lines of answers" "more than 140" "$(<runc.answers)"
	diff runc.answers hull-oci.answers || mismatch "the answers" "runc's" "others"
}
