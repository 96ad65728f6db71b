#!/usr/bin/env bats
# as: root, user
#
# Options of `hull run` that give a container something, and what is said to those that cannot.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() {
	setup_people
}

teardown() {
	teardown_people
}

# wrote CONTAINER TEXT: whether that is what its log has.
wrote() {
	[ "$(hull --data-root "$DATA" logs "$1")" = "$2" ]
}

# grew CONTAINER FILE: whether more is written to it all the time.
grew() {
	local before
	before=$(hull --data-root "$DATA" exec "$1" stat -c %s "$2")
	sleep 0.2
	[ "$(hull --data-root "$DATA" exec "$1" stat -c %s "$2")" -gt "$before" ]
}

# has_guest PID: whether that hull is attached; it reads signals from a descriptor then.
has_guest() {
	[ -n "$(find "/proc/$1/fd" -lname 'anon_inode:\[signalfd\]' 2>/dev/null)" ]
}

# refused TEXT OPTION...: a run with them fails with that sentence, and makes nothing.
refused() {
	local text=$1
	shift
	run_ 125 --name refused "$@" "$IMAGE" true
	stderr_is "hull: $text"
	do_ 0 ps --all --quiet
	stdout_is ""
}

@test "--device: a device of the host's, under its name or another" {
	run_ 0 --rm --device /dev/full "$IMAGE" sh -c 'test -c /dev/full && ! echo x >/dev/full'
	if is_root; then
		run_ 0 --rm --device /dev/null:/dev/thing:rw "$IMAGE" sh -c 'test -c /dev/thing && echo x >/dev/thing'
	else
		refused "--device /dev/null: without root a device keeps its name in the container" --device /dev/null:/dev/thing
	fi
	refused "--device /etc/passwd: it is no device" --device /etc/passwd
	refused "--device /nowhere: no such file or directory" --device /nowhere
}

@test "--ulimit and --group-add are there in the container" {
	run_ 0 --rm --ulimit nofile=99:99 "$IMAGE" sh -c 'ulimit -n'
	stdout_is 99
	is_root || skip "of groups, the user of a namespace of one id has none"
	run_ 0 --rm --group-add 4242 --group-add 4243 "$IMAGE" sh -c 'grep Groups /proc/self/status'
	stdout_has "4242 4243"
	refused 'group "nobody-has-this" is not in the image'"'"'s /etc/group' --group-add nobody-has-this
}

@test "namespaces of others: host's, a container's, one by its path" {
	is_root || skip "without root, a container's namespaces are those of a user namespace of its own"
	run_ 0 --detach --name other "$IMAGE" sleep 1000
	do_ 0 inspect other
	pid=$(jq '.[0].State.Pid' <<<"$stdout")
	run_ 0 --rm --uts container:other "$IMAGE" readlink /proc/self/ns/uts
	stdout_is "$(readlink "/proc/$pid/ns/uts")"
	run_ 0 --rm --ipc "ns:/proc/$pid/ns/ipc" "$IMAGE" readlink /proc/self/ns/ipc
	stdout_is "$(readlink "/proc/$pid/ns/ipc")"
	do_ 0 rm --force other
	run_ 0 --name ended "$IMAGE" true
	run_ 125 --uts container:ended "$IMAGE" true
	stderr_is "hull: --uts container:ended: that container does not run"
	run_ 125 --uts container:nobody "$IMAGE" true
	stderr_is "hull: no such container: nobody"
}

@test "namespaces of another container, with a root and without" {
	run_ 0 --detach --name other "$IMAGE" sleep 1000
	do_ 0 inspect other
	pid=$(jq '.[0].State.Pid' <<<"$stdout")
	for name in uts ipc pid; do
		run_ 0 --rm "--$name" container:other "$IMAGE" readlink "/proc/self/ns/$name"
		stdout_is "$(readlink "/proc/$pid/ns/$name")"
	done
	run_ 0 --rm --uts container:other --ipc container:other "$IMAGE" sh -c 'touch /file; readlink /proc/self/ns/uts; readlink /proc/self/ns/ipc'
	stdout_is "$(readlink "/proc/$pid/ns/uts" "/proc/$pid/ns/ipc")"
	do_ 0 run --rm --network container:other "$IMAGE" readlink /proc/self/ns/net
	stdout_is "$(readlink "/proc/$pid/ns/net")"
	run_ 0 --detach --name more "$IMAGE" sleep 1000
	if is_root; then
		run_ 0 --rm --uts container:other --ipc container:more "$IMAGE" true
	else
		run_ 125 --rm --ipc container:other --uts container:more "$IMAGE" true
		stderr_is "hull: --uts container:more: without root, namespaces are those of one container only"
	fi
	do_ 0 rm --force other more
}

@test "a container that is started again is in the namespaces that the other one has by then" {
	run_ 0 --detach --name other "$IMAGE" sleep 1000
	run_ 0 --name user --uts container:other --ipc container:other "$IMAGE" sh -c 'readlink /proc/self/ns/uts; readlink /proc/self/ns/ipc'
	do_ 0 restart --time 0 other
	do_ 0 rename other another
	do_ 0 inspect another
	pid=$(jq '.[0].State.Pid' <<<"$stdout")
	do_ 0 start --attach user
	stdout_is "$(readlink "/proc/$pid/ns/uts" "/proc/$pid/ns/ipc")"
	do_ 0 stop --time 0 another
	do_ 1 start user
	stderr_is "hull: its ipc namespace is that of container another, which does not run"
	do_ 0 inspect another
	id=$(jq --raw-output '.[0].Id' <<<"$stdout")
	do_ 0 rm another
	do_ 1 start user
	stderr_is "hull: its ipc namespace was to be that of container ${id:0:12}, which is no more"
}

@test "--volumes-from: what another container has mounted, here read-only if so wished" {
	mkdir "$WORK/bound"
	echo bound >"$WORK/bound/file"
	run_ 0 --name data --volume "$WORK/bound:/bound:ro" --volume named:/named --volume /anonymous --tmpfs /scratch \
		"$IMAGE" sh -c 'echo named >/named/file; echo anonymous >/anonymous/file'
	run_ 0 --detach --name user --volumes-from data "$IMAGE" sh -c 'touch /named/new /anonymous/new
		! touch /bound/new 2>/dev/null && [ ! -e /scratch ] && cat /bound/file /named/file /anonymous/file && sleep 1000'
	wait_for 10 wrote user $'bound\nnamed\nanonymous'
	run_ 0 --rm --volumes-from user:ro "$IMAGE" sh -c 'ls /anonymous; ! touch /named/x 2>/dev/null'
	stdout_is $'file\nnew'
	# The nearest wish counts: what is asked for, then the last of several.
	run_ 0 --name other --volume /named "$IMAGE" true
	run_ 0 --rm --volumes-from other --volumes-from data --tmpfs /bound "$IMAGE" ls /named /bound
	stdout_is $'/bound:\n\n/named:\nfile\nnew'
	# An anonymous volume goes with the last container that has it.
	do_ 0 rm --volumes data
	do_ 0 volume ls --quiet
	[ "$(wc -l <<<"$stdout")" = 3 ]
	do_ 0 rm --force --volumes user other
	do_ 0 volume ls --quiet
	stdout_is named
	refused "--volumes-from nobody: no such container: nobody" --volumes-from nobody
	run_ 0 --name one "$IMAGE" true
	run_ 125 --volumes-from one:maybe "$IMAGE" true
	stderr_is 'hull: --volumes-from "one:maybe": expected CONTAINER[:ro|rw]'
}

@test "what lies deeper is mounted later, in whatever order it is asked for" {
	mkdir -p "$WORK/a/inner" "$WORK/b"
	touch "$WORK/b/file"
	run_ 0 --rm --volume "$WORK/b:/a/inner" --volume "$WORK/a:/a" "$IMAGE" ls /a/inner
	stdout_is file
}

@test "--mount: the long forms" {
	mkdir -p "$WORK/a/inner"
	run_ 0 --rm --mount "type=bind,src=$WORK/a,dst=/a,ro,bind-propagation=rshared,bind-recursive=writable,consistency=cached" \
		"$IMAGE" sh -c '! touch /a/x 2>/dev/null && grep " /a " /proc/self/mountinfo'
	stdout_has "shared:"
	run_ 0 --rm --mount type=tmpfs,dst=/t,tmpfs-size=8m,tmpfs-mode=0710 "$IMAGE" sh -c \
		'stat -c %a /t; grep " /t " /proc/mounts'
	stdout_has "710"
	stdout_has "nosuid,nodev,noexec"
	stdout_has "size=8192k"
	run_ 0 --rm --mount type=volume,src=bare,dst=/etc/network,volume-nocopy "$IMAGE" ls /etc/network
	stdout_is ""
	refused '--mount "type=tmpfs,dst=/t,tmpfs-size=much": tmpfs-size is a number of bytes, as 64m' \
		--mount type=tmpfs,dst=/t,tmpfs-size=much
	refused '--mount "type=tmpfs,dst=/t,tmpfs-mode=9": tmpfs-mode is an octal number up to 7777' \
		--mount type=tmpfs,dst=/t,tmpfs-mode=9
	refused '--mount "type=bind,src=/,dst=/t,bind-propagation=x": bind-propagation is private, rprivate, shared, rshared, slave or rslave' \
		--mount type=bind,src=/,dst=/t,bind-propagation=x
	refused '--mount "tmpfs-size=1m,dst=/t": a volume has no tmpfs-size' --mount tmpfs-size=1m,dst=/t
}

@test "--tmpfs: no programs on it unless it is asked for" {
	run_ 0 --rm --tmpfs /t:size=1m --tmpfs /e:exec,mode=700 "$IMAGE" grep -E ' /(t|e) ' /proc/mounts
	stdout_has "/t tmpfs rw,nosuid,nodev,noexec"
	stdout_has "/e tmpfs rw,nosuid,nodev,relatime"
}

@test "--read-only-tmpfs: places to write to in what is read-only" {
	run_ 0 --rm --read-only --read-only-tmpfs --tmpfs /run:size=1m "$IMAGE" sh -c \
		'touch /run/x /tmp/x /var/tmp/x && stat -c %a /tmp /var/tmp && ! touch /x 2>/dev/null && grep /run /proc/mounts'
	stdout_has $'1777\n1777'
	stdout_has "size=1024k"
	refused "--read-only-tmpfs: only with --read-only" --read-only-tmpfs
}

@test "--label-file, and --label has the last word" {
	printf '# remark\none=1\ntwo=2\nbare\n' >"$WORK/labels"
	run_ 0 --name labelled --label-file "$WORK/labels" --label two=3 "$IMAGE" true
	do_ 0 inspect labelled
	[ "$(jq --compact-output '.[0].Labels | [.one, .two, .bare]' <<<"$stdout")" = '["1","3",""]' ]
	do_ 0 rm labelled
	echo "a b=c" >"$WORK/labels"
	refused "--label-file $WORK/labels, line 1: expected NAME=VALUE, found \"a b=c\"" --label-file "$WORK/labels"
	refused "--label-file: open nowhere: no such file or directory" --label-file nowhere
}

@test "--env-host, --unsetenv and --unsetenv-all: whose variables there are" {
	export HULL_TEST_VARIABLE=host
	run_ 0 --rm --env-host "$IMAGE" sh -c 'echo $HULL_TEST_VARIABLE $PATH'
	stdout_is "host $(hull --data-root "$DATA" run --rm --network none "$IMAGE" sh -c 'echo $PATH')"
	run_ 0 --rm --env-host --unsetenv HULL_TEST_VARIABLE --env A=b "$IMAGE" sh -c 'echo [$HULL_TEST_VARIABLE] $A'
	stdout_is "[] b"
	run_ 0 --rm --unsetenv-all --env A=b "$IMAGE" /bin/busybox env
	stdout_is $'A=b\nHOME=/root'
}

@test "--umask and --tz" {
	run_ 0 --rm --umask 0027 "$IMAGE" sh -c umask
	stdout_is 0027
	refused '--umask "8": expected an octal number up to 0777' --umask 8
	refused '--umask "1000": expected an octal number up to 0777' --umask 1000
	refused '--tz "../x": expected "local" or the name of a zone, as Europe/Berlin' --tz ../x
	refused "--tz Nowhere: open /usr/share/zoneinfo/Nowhere: no such file or directory" --tz Nowhere
	[ -e /usr/share/zoneinfo/Asia/Tokyo ] || skip "needs tzdata on the host"
	run_ 0 --rm --tz Asia/Tokyo "$IMAGE" sh -c 'md5sum </etc/localtime; ! echo x 2>/dev/null >/etc/localtime'
	stdout_is "$(md5sum </usr/share/zoneinfo/Asia/Tokyo)"
}

@test "--device-cgroup-rule: devices besides, which root may make then" {
	local rule='c 1:3 rwm'
	if ! is_root; then
		refused "--device-cgroup-rule \"$rule\": without root nothing rules devices" --device-cgroup-rule "$rule"
		return
	fi
	for wrong in 'c 1:3' 'd 1:3 r' 'c 1 r' 'c x:3 r' 'c 1:3 x' 'c 1:3:4 r'; do
		refused "--device-cgroup-rule \"$wrong\": expected \"TYPE MAJOR:MINOR ACCESS\", as \"c 1:3 rwm\": a, b or c, numbers or *, and letters of rwm" \
			--device-cgroup-rule "$wrong"
	done
	run_ 0 --name ruled --device-cgroup-rule 'c 10:* rw' --device-cgroup-rule 'b 8:1 r' "$IMAGE" true
	do_ 0 inspect ruled
	[ "$(jq --compact-output '.[0].OCIConfig.linux.resources.devices[1:]' <<<"$stdout")" = \
		'[{"allow":true,"type":"c","major":10,"access":"rw"},{"allow":true,"type":"b","major":8,"minor":1,"access":"r"}]' ]
	do_ 0 rm ruled
	requires capability=MKNOD
	# That of /dev/kmsg, which is no device of every container.
	run_ 0 --rm --cap-add MKNOD --device-cgroup-rule 'c 1:11 rwm' "$IMAGE" sh -c 'mknod /kmsg c 1 11 && : >>/kmsg'
	run_ 1 --rm --cap-add MKNOD "$IMAGE" sh -c 'mknod /kmsg c 1 11 && : >>/kmsg'
}

@test "--expose: the ports of the image and these, and --publish-all without a network" {
	run_ 0 --name base "$IMAGE" true
	do_ 0 commit --change 'EXPOSE 80 53/udp' base ports
	run_ 0 --name exposed --expose 9000-9001 --expose 80/tcp localhost/ports true
	do_ 0 inspect exposed
	[ "$(jq --raw-output '.[0].ExposedPorts | sort | join(" ")' <<<"$stdout")" = "53/udp 80/tcp 9000-9001/tcp" ]
	do_ 0 rm base exposed
	for wrong in 0 80: 1.2.3.4:80 80/icmp 9-8 x; do
		refused "--expose \"$wrong\": expected PORT[-PORT][/tcp|udp|sctp], with ports from 1 to 65535" --expose "$wrong"
	done
	refused "--publish-all: with --network none there is nothing to publish" --publish-all
}

@test "--attach: only these streams, and the log has all of them" {
	run_ 3 --name out --attach stdout "$IMAGE" sh -c 'echo out; echo err >&2; exit 3'
	stdout_is out
	stderr_is ""
	do_ 0 logs out
	stdout_is out
	stderr_is err
	run_ 0 --rm --attach STDERR --attach stdout "$IMAGE" sh -c 'echo out; echo err >&2'
	stdout_is out
	stderr_is err
	status=0
	echo hello | hull --data-root "$DATA" run --rm --network none --interactive --attach stdin --attach stdout "$IMAGE" \
		sh -c 'cat; echo bye' >"$WORK/out" || status=$?
	[ "$status" = 0 ]
	[ "$(cat "$WORK/out")" = $'hello\nbye' ]
	do_ 0 ps --all --quiet
	do_ 0 rm out
	run_ 127 --name missing --attach stdout "$IMAGE" nothing-of-the-sort
	do_ 0 rm missing
	refused '--attach "input": expected stdin, stdout or stderr' --attach input
	refused "--attach stdin: only with --interactive is it open" --attach stdin
	refused "--attach: with --detach nothing is attached" --attach stdout --detach
}

@test "--attach: nothing of a lot is lost, however slowly it is read" {
	hull --data-root "$DATA" run --rm --network none --attach stdout "$IMAGE" sh -c 'seq 300000; exit 7' |
		{ sleep 1; md5sum; } >"$WORK/sum" && status=${PIPESTATUS[0]}
	[ "$status" = 7 ]
	[ "$(cat "$WORK/sum")" = "$(seq 300000 | md5sum)" ]
	do_ 0 ps --all --quiet
	stdout_is ""
}

@test "--sig-proxy: signals reach the program, or leave it running" {
	local loop='trap "echo got; exit 5" INT; echo ready; while :; do sleep 0.1; done'
	start_hull --data-root "$DATA" run --network none --name handed --attach stdout "$IMAGE" sh -c "$loop"
	wait_for 10 wrote handed ready
	kill -INT "$hull_pid"
	wait_hull
	[ "$status" = 5 ]
	stdout_is $'ready\ngot'
	do_ 0 rm handed
	start_hull --data-root "$DATA" run --network none --name kept --sig-proxy=false "$IMAGE" sh -c "$loop"
	wait_for 10 wrote kept ready
	kill -INT "$hull_pid"
	wait_hull
	[ "$status" = 130 ]
	do_ 0 ps --quiet --filter name=kept
	[ -n "$stdout" ]
	# Of attach it is the same.
	start_hull --data-root "$DATA" attach --sig-proxy=false kept
	wait_for 10 has_guest "$hull_pid"
	kill -TERM "$hull_pid"
	wait_hull
	[ "$status" = 143 ]
	start_hull --data-root "$DATA" attach kept
	wait_for 10 has_guest "$hull_pid"
	kill -INT "$hull_pid"
	wait_hull
	[ "$status" = 5 ]
	stdout_is got
	do_ 0 rm kept
}

@test "--detach-keys: they leave it running, and others do not" {
	local typed
	requires program=script
	start_in_terminal "$WORK/terminal" "$HULL" --root "$STATE" --data-root "$DATA" run --network none --name left --interactive --tty \
		--detach-keys 'ctrl-a,d' "$IMAGE" sh -c 'stty raw -echo; echo ready; sleep 1000'
	wait_for 20 grep -q ready "$WORK/terminal"
	printf '\020\021\001\001d' >"$WORK/terminal.stdin"
	wait "$terminal_pid"
	do_ 0 ps --quiet --filter name=left
	[ -n "$stdout" ]
	mkfifo "$WORK/again.stdin"
	exec {typed}<>"$WORK/again.stdin"
	printf 'abx' >&"$typed"
	in_terminal "$WORK/again" "$HULL" --root "$STATE" --data-root "$DATA" attach --detach-keys x left
	[ "$status" = 0 ]
	exec {typed}>&-
	do_ 0 rm --force left
	for wrong in , ctrl- ctrl-5 5 'ctrl-p,' 'ab' 'ctrl-p q' a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q; do
		refused "--detach-keys \"$wrong\": expected at most 16 keys, as \"ctrl-p,q\": letters, or ctrl- and a letter or one of @[\\]^_" \
			--detach-keys "$wrong"
	done
}

@test "exec --detach-keys: the program goes on, in a terminal that nobody shows" {
	requires program=script
	run_ 0 --detach --name busy "$IMAGE" sleep 1000
	start_in_terminal "$WORK/terminal" "$HULL" --root "$STATE" --data-root "$DATA" exec --interactive --tty --detach-keys 'ctrl-a,d' busy \
		sh -c 'echo ready; while echo line && test -t 1; do echo line >>/lines; done'
	wait_for 20 grep -q ready "$WORK/terminal"
	printf '\001d' >"$WORK/terminal.stdin"
	wait "$terminal_pid"
	wait_for 10 grew busy /lines
	do_ 0 rm --force busy
	run_ 0 --detach --name idle "$IMAGE" sleep 1000
	do_ 255 exec --tty --detach-keys 5 idle true
	stderr_has '--detach-keys "5": expected at most 16 keys'
	do_ 255 exec --detach-keys a idle true
	stderr_is "hull: --detach-keys: only with --tty, and without --detach"
	do_ 0 rm --force idle
}

@test "what an option cannot be is said, and nothing is made" {
	refused '--pid "elsewhere": expected private, host, container:NAME or ns:PATH' --pid elsewhere
	refused "--cgroupns: private or host" --cgroupns ns:/proc/self/ns/cgroup
	refused '--log-driver "syslog": expected json-file, journald or none' --log-driver syslog
	refused "--log-driver journald: what a container in the foreground writes goes to who started it, and to no log: use --detach" --log-driver journald
	refused "--log-opt max-size=1m: what a container in the foreground writes goes to who started it, and to no log: use --detach" --log-opt max-size=1m
	refused "--restart: a container with --rm is not started again" --restart always --rm --detach
	refused "--restart: only with --detach is there somebody to do it" --restart always
	refused "--pid-file: only with --bundle" --pid-file "$WORK/pid"
	refused "--pidfd-socket: only with --bundle" --pidfd-socket "$WORK/socket"
	refused "--preserve-fds: only with --bundle" --preserve-fds 1
	refused "--keep: only with --bundle" --keep
	refused "--env-file: open nowhere: no such file or directory" --env-file nowhere
}

@test "run --bundle refuses what is only for an image, and knows what is for both" {
	make_bundle
	config_args true
	for option in --env=A=b --memory=64m --rm --name=x --tls-verify=false --health-interval=1s --stop-timeout=0 \
		--oom-score-adj=0 --interactive --cidfile=x; do
		name=${option%%=*}
		expect 1 run --bundle "$BUNDLE" "$option" "$ID"
		stderr_is "hull: $name: only for a container of an image; with --bundle it is config.json that says what is made"
	done
	expect 0 run --bundle "$BUNDLE" --no-subreaper --isolation process "$ID"
}
