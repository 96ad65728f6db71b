#!/usr/bin/env bats
# as: root
# sanitizers: thorough
#
# --userns auto: containers with ids of their own, whose files nobody has to chown.
# shellcheck disable=SC2016,SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

# Ids are set aside in the test's own /etc/subuid, which nobody else sees.
setup() {
	setup_people
	ids hull:3000000:131072
	REAL_HULL=$HULL
	cat >"$WORK/in-ids" <<-END
		#!/bin/sh
		mount --bind "$WORK/ids" /etc/subuid && mount --bind "$WORK/ids" /etc/subgid && exec "$HULL" "\$@"
	END
	printf '#!/bin/sh\nexec unshare --mount --propagation private "%s" "$@"\n' "$WORK/in-ids" >"$WORK/hull"
	chmod +x "$WORK/in-ids" "$WORK/hull"
	HULL=$WORK/hull
	do_ 0 run --rm --network none hull/busybox true
	do_ 0 run --rm --network none --userns auto hull/busybox true || true
	case $stderr in *"cannot be id-mapped by this kernel"*) skip "the file system here can't be id-mapped" ;; esac
}

teardown() {
	HULL=$REAL_HULL
	teardown_people
}

ids() { printf '%s\n' "$@" >"$WORK/ids"; }
run_in() { do_ 0 run --network none --userns auto "$@"; }
upper_of() { find "$DATA/containers" -path '*/upper' -prune; }

@test "root in it is nobody on the host, and files keep their owners without a chown" {
	local before
	before=$(find "$DATA/layers" -printf '%p %U:%G %C@\n' | sort)
	run_in --name one hull/busybox sh -c 'cat /proc/self/uid_map /proc/self/gid_map; touch /etc/new; mkdir /dir; chown 5:6 /dir; : >>/etc/passwd; chown 7 /etc/group; stat -c "%n %u:%g" / /etc /etc/new /dir /etc/group /bin/busybox'
	[ "$(head -n 2 <<<"$stdout" | tr -s ' ')" = "$(printf ' 0 3000000 65536\n 0 3000000 65536')" ]
	[ "$(tail -n 6 <<<"$stdout")" = "$(printf '%s\n' "/ 0:0" "/etc 0:0" "/etc/new 0:0" "/dir 5:6" "/etc/group 7:0" "/bin/busybox 0:0")" ]
	# On disk they are what they are in the container.
	[ "$(cd "$(upper_of)" && stat -c '%n %u:%g' etc/new dir etc/group)" = "$(printf '%s\n' "etc/new 0:0" "dir 5:6" "etc/group 7:0")" ]
	[ "$(find "$DATA/layers" -printf '%p %U:%G %C@\n' | sort)" = "$before" ]
	do_ 0 diff one
	stdout_has "A /etc/new"
	do_ 0 commit one userns
	do_ 0 run --rm --network none userns stat -c '%u:%g' /dir
	stdout_is 5:6
}

@test "each container has its own ids, and they are free again when it is removed" {
	run_in -d --name one hull/busybox sleep 1000
	run_in --name two hull/busybox cat /proc/self/uid_map
	[ "$(tr -s ' ' <<<"$stdout")" = " 0 3065536 65536" ]
	[ "$(stat -c %u "/proc/$(pid_of one)")" = 3000000 ]
	do_ 125 run --rm --network none --userns auto:size=2 hull/busybox true
	stderr_is "hull: --userns auto: of the 131072 ids that /etc/subuid and /etc/subgid set aside, no 2 in a row are free"
	do_ 0 rm -f two
	run_in --rm hull/busybox cat /proc/self/uid_map
	[ "$(tr -s ' ' <<<"$stdout")" = " 0 3065536 65536" ]
	do_ 0 run --rm --network none --userns auto:size=1000 hull/busybox cat /proc/self/uid_map
	[ "$(tr -s ' ' <<<"$stdout")" = " 0 3065536 1000" ]
	do_ 0 rm -f one
}

# pid_of WHO: the container's first process
pid_of() { "$REAL_HULL" --root "$STATE" --data-root "$DATA" inspect "$1" | jq -r '.[0].State.Pid'; }

@test "where it is not known which ids a container has, no others are given away" {
	run_in --name one hull/busybox true
	local id
	id=$("$HULL" --root "$STATE" --data-root "$DATA" ps -aq)
	echo "3000000 x" >"$(echo "$DATA"/containers/*/userns)"
	do_ 125 run --rm --network none --userns auto hull/busybox true
	stderr_is "hull: --userns auto: the ids of container $id are not known: remove it"
	do_ 0 rm one
	run_in --rm hull/busybox true
}

@test "at the same time they get different ids" {
	local i
	ids hull:3000000:10000000
	for i in 1 2 3 4 5 6; do
		"$HULL" --root "$STATE" --data-root "$DATA" run --name "c$i" --network none --userns auto hull/busybox cat /proc/self/uid_map >"$WORK/map$i" &
	done
	wait
	[ "$(cat "$WORK"/map? | sort -u | wc -l)" = 6 ]
	do_ 0 rm c1 c2 c3 c4 c5 c6
}

@test "exec, a second start, and a volume that two of them and one without share" {
	run_in -d --name one -v shared:/v hull/busybox sh -c 'echo first >/v/file; chown 9:9 /v/file; while :; do sleep 1; done'
	wait_for 10 test -s "$DATA/volumes/shared/_data/file"
	do_ 0 exec one sh -c 'id -u; stat -c %u:%g /v/file; cat /proc/self/uid_map'
	[[ $stdout == "0"$'\n'"9:9"* ]]
	[[ $stdout == *3000000* ]]
	run_in --rm -v shared:/v hull/busybox sh -c 'stat -c %u:%g /v/file; rm /v/file; echo second >/v/file; stat -c %u:%g /v/file'
	stdout_is 9:9$'\n'0:0
	do_ 0 run --rm --network none -v shared:/v hull/busybox stat -c %u:%g /v/file
	stdout_is 0:0
	do_ 0 stop -t 0 one
	do_ 0 start one
	do_ 0 exec one cat /proc/self/uid_map
	[[ $stdout == *3000000* ]]
	do_ 0 rm -f one
}

@test "files out of a running one, and into a stopped one" {
	run_in -d --name one hull/busybox sh -c 'echo text >/file; chown 5:6 /file; touch /done; exec sleep 1000'
	wait_for 10 test -e "$(upper_of)/done"
	do_ 0 cp one:/file "$WORK/out"
	[ "$(cat "$WORK/out")" = text ]
	[ "$("$HULL" --root "$STATE" --data-root "$DATA" export one | tar -tv --numeric-owner file | awk '{ print $2 }')" = 5/6 ]
	do_ 1 cp "$WORK/out" one:/in
	stderr_is "hull: copy $WORK/out to one:/in: container one: it runs in a user namespace of its own (--userns): stop it before its files are written to"
	do_ 0 stop -t 0 one
	do_ 0 cp "$WORK/out" one:/in
	do_ 0 start one
	do_ 0 exec one stat -c %u:%g /in
	stdout_is 0:0
	do_ 0 rm -f one
}

@test "devices, an init, the host's network, a hostname: as without it" {
	run_in --rm --init --device /dev/fuse hull/busybox sh -c 'test -c /dev/fuse; test -c /dev/null; echo >/dev/null; cat /proc/1/comm'
	stdout_is hull-init
	do_ 0 run --rm --network host --userns auto hull/busybox true
	do_ 125 run --rm --network none --userns auto --device /dev/fuse:/dev/other hull/busybox true
	stderr_is "hull: --device /dev/fuse: with --userns auto a device keeps its name in the container"
}

@test "what can't be: no ids, other words, a directory, all privileges" {
	ids nobody:3000000:65536
	do_ 125 run --rm --userns auto hull/busybox true
	stderr_is 'hull: --userns auto: no ids are set aside for it: add a line like "hull:1000000:1048576" to /etc/subuid and /etc/subgid'
	ids containers:3000000:65536
	run_in --rm hull/busybox true
	do_ 125 run --rm --userns keep-id hull/busybox true
	stderr_is 'hull: --userns "keep-id": expected host, auto or auto:size=N'
	do_ 125 run --rm --userns auto:size=x hull/busybox true
	stderr_is 'hull: --userns auto:size=x: expected a number of ids'
	do_ 125 run --rm --userns auto --rootfs "$WORK" true
	stderr_is 'hull: --userns auto: the files of --rootfs would belong to nobody in it'
	do_ 125 run --rm --userns auto --privileged hull/busybox true
	stderr_is 'hull: --privileged: in a user namespace (--userns auto) nobody is'
	do_ 0 run --rm --network none --userns host hull/busybox true
	do_ 0 ps -aq
	stdout_is ""
}
