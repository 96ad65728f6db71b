#!/usr/bin/env bats
# as: root, user
# vm-long: root
# sanitizers: no
#
# Containers of images into files and out of them again, by CRIU (Debian 13's; where that does not
# run, only what does not come to CRIU is tested).
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # one test has DATA elsewhere; status, stdout and stderr are run_command's
load helpers
load people_helpers

# Its counter is in a variable, and where it is in a file of its own and in its log.
COUNTER='i=0; while :; do i=$((i + 1)); echo $i >/count.new; mv /count.new /count; echo $i; sleep 0.1; done'

setup() {
	setup_people
	cd "$WORK" || return
}

teardown() {
	local id
	if [ -n "${REAL_HULL:-}" ]; then
		for id in $(people ps --all --quiet --no-trunc); do
			people rm --force "$id" >/dev/null || true
		done
		HULL=$REAL_HULL
	fi
	teardown_people
}

# What hull makes of networks is in a network namespace of the test's.
host_of_its_own() {
	in_background unshare --net sleep 1000
	HOST=/proc/$!/ns/net
	is_apart() { [ "$(readlink /proc/self/ns/net)" != "$(readlink "$HOST")" ]; }
	wait_for 10 is_apart
	nsenter --net="$HOST" ip link set lo up
	REAL_HULL=$HULL
	printf '#!/bin/sh\nexec nsenter --net="%s" "%s" "$@"\n' "$HOST" "$HULL" >on-host
	chmod +x on-host
	HULL=$WORK/on-host
}

requires_criu() {
	is_root || skip "CRIU needs root"
	requires program=criu
	criu check >/dev/null 2>&1 || skip "needs a CRIU that runs on this kernel"
}

people() { hull --data-root "$DATA" "$@"; }

state_is() { [ "$(people ps --all --filter "name=$1" --format '{{.State}}')" = "$2" ]; }

# of NAME EXPRESSION: of what inspect says.
of() { people inspect "$1" | jq --raw-output ".[0]$2"; }

directory_of() { echo "$DATA/containers/$(of "$1" .Id)"; }

count_of() { people exec "$1" cat /count 2>/dev/null || echo 0; }

counts_beyond() { [ "$(count_of "$1")" -gt "$2" ]; }

# start_counter NAME OPTION...: and waits until it counts.
start_counter() {
	local name=$1
	shift
	run_ 0 --detach --name "$name" "$@" "$IMAGE" sh -c "$COUNTER"
	wait_for 30 counts_beyond "$name" 2
}

checkpointed() {
	do_ 0 checkpoint "$@"
	stdout_is "${*: -1}"
	state_is "${*: -1}" checkpointed
}

# restored NAME: it goes on where it was, and nowhere else.
restored() {
	local name=${*: -1} before
	before=$(cat "$(directory_of "$name")/upper/count")
	do_ 0 restore "$@"
	stdout_is "$name"
	state_is "$name" running
	wait_for 30 counts_beyond "$name" "$before"
	people logs "$name" >written
	# Whatever it wrote is one row of numbers, with nothing twice and nothing left out.
	seq "$(wc -l <written)" | cmp - written
	[ "$(wc -l <written)" -ge "$before" ]
}

# mounts_of NAME: what it sees but for what is new each time, and their order.
mounts_of() {
	people exec "$1" cat /proc/mounts | sed 's,^overlay / overlay \(r.\).*,overlay \1,; s,^cgroup2 ,cgroup ,' | sort
}

@test "a container of an image goes on from its checkpoint, as it was" {
	requires_criu
	start_counter one --volume "$TAG-v:/v" --env A=b --hostname box
	mounts=$(mounts_of one)
	do_ 0 exec one sh -c 'echo kept >/file; echo kept >/v/file; ln /file /second'
	checkpointed one
	[ "$(of one '.State | "\(.Status) \(.Running) \(.Checkpointed) \(.Restored)"')" = "checkpointed false true false" ]
	do_ 0 ps --all --format '{{.Status}}'
	[[ $stdout == "Checkpointed "* ]]
	do_ 0 ps --quiet
	stdout_is ""
	do_ 0 ps --quiet --filter status=checkpointed
	[ -n "$stdout" ]
	do_ 0 why one
	stdout_has "it was checkpointed: restore lets it go on from there"
	dir=$(directory_of one)
	[ -e "$dir/checkpoint/inventory.img" ]
	[ ! -e "$dir/checkpoint.log" ]
	restored one
	[ "$(of one '.State | "\(.Status) \(.Checkpointed) \(.Restored)"')" = "running false true" ]
	[ "$(mounts_of one)" = "$mounts" ] || mismatch "the mounts" "$mounts" "$(mounts_of one)"
	do_ 0 exec one sh -c 'cat /file /second /v/file; hostname; tr "\0" "\n" </proc/1/environ | grep ^A='
	stdout_is $'kept\nkept\nkept\nbox\nA=b'
	# It is gone, and so are the logs; it can be done again.
	[ ! -e "$dir/checkpoint" ]
	[ ! -e "$dir/checkpoint.log" ]
	checkpointed one
	restored one
	do_ 0 stop --time 0 one
	state_is one exited
	do_ 1 restore one
	stderr_is "hull: restore one: it has no checkpoint"
	# To be started is to begin anew.
	do_ 0 start one
	[ "$(of one .State.Restored)" = false ]
	do_ 0 rm --force one
	[ ! -e "$dir" ]
}

@test "start begins anew and gives the checkpoint up, and rm takes it away" {
	requires_criu
	start_counter one
	dir=$(directory_of one)
	checkpointed one
	do_ 0 start one
	state_is one running
	[ ! -e "$dir/checkpoint" ]
	[ "$(of one .State.Checkpointed)" = false ]
	began_twice() { [ "$(people logs one | grep --count --line-regexp 1)" = 2 ]; }
	wait_for 30 began_twice
	checkpointed one
	do_ 0 rm one
	[ ! -e "$dir" ]
}

@test "one that cannot be started has its checkpoint still" {
	requires_criu
	mkdir gone
	start_counter one --volume "$WORK/gone:/media"
	checkpointed one
	rmdir gone
	do_ 1 start one
	state_is one checkpointed
	do_ 0 why one
	stdout_has "it could not be started: "
	mkdir gone
	restored one
	[ "$(of one .State.Error)" = "" ]
}

@test "with --leave-running it goes on, and can be had back later" {
	requires_criu
	start_counter one
	do_ 0 checkpoint --leave-running --keep one
	state_is one running
	[ "$(of one .State.Checkpointed)" = false ]
	dir=$(directory_of one)
	[ -e "$dir/checkpoint.log/dump.log" ]
	before=$(count_of one)
	wait_for 30 counts_beyond one "$before"
	do_ 0 checkpoint -R one
	[ ! -e "$dir/checkpoint.log" ]
	do_ 0 stop --time 0 one
	state_is one exited
	do_ 0 restore --keep one
	[ -e "$dir/checkpoint/inventory.img" ]
	[ -e "$dir/checkpoint.log/restore.log" ]
	do_ 0 stop --time 0 one
	do_ 0 restore -k one
	state_is one running
}

@test "a paused one is checkpointed, and several at a time; a restart policy leaves it alone" {
	requires_criu
	start_counter one --restart always
	start_counter two --restart always
	do_ 0 pause one
	do_ 0 checkpoint one two
	stdout_is $'one\ntwo'
	state_is one checkpointed
	state_is two checkpointed
	[ "$(of two .RestartCount)" = 0 ]
	do_ 0 restore two one
	stdout_is $'two\none'
	before=$(count_of one)
	wait_for 30 counts_beyond one "$before"
	# Who ends later is started anew by it.
	kill -KILL "$(of one .State.Pid)"
	restarted() { [ "$(of one .RestartCount)" -ge 1 ]; }
	wait_for 30 restarted
	[ "$(of one .State.Restored)" = false ]
}

@test "a terminal, standard input and the health check go on" {
	requires_criu
	run_ 0 --detach --interactive --name cat "$IMAGE" cat
	run_ 0 --detach --tty --name tty --health-cmd true --health-interval 100ms "$IMAGE" sh -c "$COUNTER"
	wait_for 30 counts_beyond tty 2
	do_ 0 checkpoint cat tty
	do_ 0 restore cat tty
	echo hello | hull --data-root "$DATA" attach cat >echoed
	[ "$(<echoed)" = hello ]
	before=$(people logs --tail 1 tty | tr -d '\r')
	wrote_more() { [ "$(people logs --tail 1 tty | tr -d '\r')" -gt "$before" ]; }
	wait_for 30 wrote_more
	do_ 0 exec tty sh -c 'readlink /proc/1/fd/1'
	stdout_has /dev/
	is_healthy() { [ "$(of tty .State.Health.Status)" = healthy ]; }
	wait_for 30 is_healthy
}

@test "what it is and may do is what it was" {
	requires_criu
	mkdir -p shown
	echo shown >shown/file
	start_counter one --init --tmpfs /tmp --volume "$WORK/shown:/media:ro" --cap-drop CHOWN \
		--security-opt no-new-privileges --ulimit nofile=100:200
	does() { people exec one sh -c 'grep -E "^(Uid|Gid|Cap|NoNew|Seccomp)" /proc/1/status /proc/2/status; grep files /proc/1/limits
		cat /media/file; readlink /proc/1/exe; touch /media/new 2>/dev/null && echo writable; ls -l /dev /proc/self/fd | wc -l'; }
	before=$(does)
	mounts=$(mounts_of one)
	checkpointed one
	restored one
	[ "$(does)" = "$before" ] || mismatch "what it may do" "$before" "$(does)"
	[ "$(mounts_of one)" = "$mounts" ] || mismatch "the mounts" "$mounts" "$(mounts_of one)"
}

@test "so is a user who is not root, and a root that is read-only" {
	requires_criu
	requires capability=SYS_RESOURCE
	run_ 0 --detach --name user --user 1000:1000 --read-only --tmpfs /run "$IMAGE" \
		sh -c 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done'
	wrote() { [ "$(people logs --tail 1 user)" -gt "$1" ]; }
	wait_for 30 wrote 2
	do_ 0 checkpoint user
	do_ 0 restore user
	before=$(people logs --tail 1 user)
	wait_for 30 wrote "$before"
	do_ 0 exec user sh -c 'grep ^Uid /proc/1/status; ! touch /new 2>/dev/null'
	stdout_has 1000
}

@test "namespaces of the host and of another container are joined again" {
	requires_criu
	run_ 0 --detach --name base "$IMAGE" sleep 1000
	do_ 0 run --detach --name one --network container:base --cgroupns host --uts host --ipc host "$IMAGE" sh -c "$COUNTER"
	wait_for 30 counts_beyond one 2
	of_one() { readlink "/proc/$(of one .State.Pid)/ns/"{net,uts,ipc,cgroup}; }
	before=$(of_one)
	mounts=$(mounts_of one)
	checkpointed one
	restored one
	[ "$(of_one)" = "$before" ] || mismatch "its namespaces" "$before" "$(of_one)"
	[ "$(mounts_of one)" = "$mounts" ] || mismatch "the mounts" "$mounts" "$(mounts_of one)"
	checkpointed one
	do_ 0 rm --force base
	do_ 1 restore one
	state_is one checkpointed
}

@test "its limits hold for what is restored" {
	requires_criu
	requires controller=memory controller=pids
	start_counter one --memory 64m --pids-limit 20
	checkpointed one
	restored one
	cgroup=$(cgroup_of "$(of one .State.Pid)")
	[ "$(<"$cgroup/memory.max")" = 67108864 ]
	[ "$(<"$cgroup/pids.max")" = 20 ]
}

@test "a server listens again" {
	requires_criu
	requires program=nsenter program=python3
	kernel_is_at_least 6.16 && skip "CRIU 4.1 asks sockets of TCP for what this kernel does not answer"
	host_of_its_own
	do_ 0 run --detach --name one --publish 127.0.0.1:28080:80 "$IMAGE" sh -c \
		'mkdir /www; echo served >/www/file; httpd -f -h /www & i=0; while :; do i=$((i + 1)); echo $i >/count; sleep 0.1; done'
	wait_for 30 counts_beyond one 2
	ip=$(of one '.NetworkSettings.Networks[].IPAddress')
	serves() { [ "$(nsenter --net="$HOST" python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=3).read().decode().strip())' "$1" 2>/dev/null)" = served ]; }
	wait_for 30 serves "http://$ip/file"
	checkpointed one
	! serves "http://$ip/file" || false
	do_ 0 restore one
	wait_for 30 serves "http://$ip/file"
	wait_for 30 serves "http://127.0.0.1:28080/file"
	do_ 0 rm --force one
}

@test "a container with ids of its own goes on with them" {
	requires_criu
	echo "hull:3000000:131072" >ids
	cat >in-ids <<-END
		#!/bin/sh
		mount --bind "$WORK/ids" /etc/subuid && mount --bind "$WORK/ids" /etc/subgid && exec "$HULL" "\$@"
	END
	printf '#!/bin/sh\nexec unshare --mount --propagation private "%s" "$@"\n' "$WORK/in-ids" >own-hull
	chmod +x in-ids own-hull
	run_command ./own-hull --root "$STATE" --data-root "$DATA" run --network none --detach --name one --userns auto \
		--volume "$TAG-v:/v" "$IMAGE" sh -c "$COUNTER"
	case $stderr in *"cannot be id-mapped by this kernel"*) skip "the file system here can't be id-mapped" ;; esac
	[ "$status" = 0 ] || mismatch "hull run" "success" "$stderr"
	wait_for 30 counts_beyond one 2
	do_ 0 exec one sh -c 'echo kept >/v/file; chown 7:8 /v/file'
	mounts=$(mounts_of one)
	checkpointed one
	restored one
	[ "$(mounts_of one)" = "$mounts" ] || mismatch "the mounts" "$mounts" "$(mounts_of one)"
	do_ 0 exec one sh -c 'tr -s " " </proc/self/uid_map; stat -c %u:%g /v/file /etc/hosts; echo new >/v/new'
	stdout_is $' 0 3000000 65536\n7:8\n0:0'
}

@test "its network is set up again, with the addresses that it had and the ports that it publishes" {
	requires_criu
	requires program=nsenter
	host_of_its_own
	do_ 0 network create "$TAG-net"
	do_ 0 run --detach --name one --network "$TAG-net" --publish 127.0.0.1::80 "$IMAGE" sh -c "$COUNTER"
	wait_for 30 counts_beyond one 2
	addresses() { of one '.NetworkSettings.Networks | map([.IPAddress, .MacAddress])'; }
	before=$(addresses)
	checkpointed one
	restored one
	[ "$(addresses)" = "$before" ] || mismatch "its addresses" "$before" "$(addresses)"
	do_ 0 port one 80
	do_ 0 exec one ip route
	stdout_has "default via"
	do_ 0 exec one ip address show lo
	stdout_has "LOOPBACK,UP"
	# Somebody else has it now.
	checkpointed one
	ip=$(jq --raw-output '.[0][0]' <<<"$before")
	do_ 0 run --detach --name thief --network "$TAG-net" --ip "$ip" "$IMAGE" sleep 1000
	do_ 1 restore one
	stderr_has "restore one: "
	stderr_has "$ip"
	state_is one checkpointed
	restored --ignore-static-ip one
	[ "$(of one '.NetworkSettings.Networks[].IPAddress')" != "$ip" ]
	do_ 0 rm --force one thief
	do_ 0 network rm "$TAG-net"
}

changes='rm /bin/vi; mkdir -m 750 /dir; echo new >/dir/file; chown 5:6 /dir; ln -s /dir /link; echo kept >/v/file'

@test "an archive of one that goes on becomes another container" {
	requires_criu
	start_counter one --volume "$TAG-v:/v"
	do_ 0 exec one sh -c "$changes"
	do_ 0 checkpoint --leave-running --export one.tar one
	stdout_is one
	[ "$(stat -c %a one.tar)" = 600 ]
	state_is one running
	before=$(count_of one)
	wait_for 30 counts_beyond one "$before"
	at=$(tar --extract --to-stdout --file one.tar checkpoint/changes.tar | tar --extract --to-stdout --file - count)
	do_ 0 restore --import one.tar --name two
	stdout_is two
	wait_for 30 counts_beyond two "$at"
	# It goes on where it was, with a log of its own.
	first=$(people logs two | head -1)
	[ "$first" = "$at" ] || [ "$first" = "$((at + 1))" ]
	[ "$(of two .Id)" != "$(of one .Id)" ]
	[ "$(of two .State.Restored)" = true ]
	do_ 0 exec two sh -c '! [ -e /bin/vi ]; stat -c "%a %u:%g" /dir; cat /link/file /v/file'
	stdout_is $'750 5:6\nnew\nkept'
	do_ 1 restore --import one.tar
	stderr_has 'hull: --import one.tar: the container name "one" is in use by container'
	# What one does is not seen by the other.
	do_ 0 exec one rm /dir/file
	do_ 0 exec two cat /dir/file
	do_ 0 restart --time 0 two
	do_ 0 exec two hostname
	stdout_is "$(of two .Id | cut -c 1-12)"
	do_ 0 rm --force one
	do_ 0 exec two cat /v/file
}

@test "an archive is restored elsewhere, where its image is" {
	requires_criu
	start_counter one --volume "$TAG-v:/v" --init
	do_ 0 exec one sh -c "$changes"
	do_ 0 checkpoint --export one.tar one
	state_is one checkpointed
	before=$(cat "$(directory_of one)/upper/count")
	do_ 0 rm one
	zstd --quiet one.tar -o one.tar.zst 2>/dev/null || gzip --stdout one.tar >one.tar.zst
	expect 1 --data-root "$WORK/other" restore --import one.tar.zst
	stderr_has "hull: --import one.tar.zst: its image $IMAGE (sha256:"
	stderr_has ") is not in the store: pull or load it first"
	[ -z "$(ls "$WORK/other/containers")" ]
	expect 0 --data-root "$WORK/other" pull "$IMAGE"
	DATA=$WORK/other
	do_ 0 restore --import one.tar.zst
	stdout_is one
	wait_for 30 counts_beyond one "$before"
	do_ 0 exec one sh -c 'stat -c "%a %u:%g" /dir; cat /link/file; ls /v'
	stdout_is $'750 5:6\nnew'
	# It may have counted and not said so yet.
	at=$(people logs one | head -1)
	[ "$at" = "$before" ] || [ "$at" = "$((before + 1))" ]
	! grep --quiet "$WORK/data/" "$(directory_of one)/config.json" || false
	checkpointed one
	do_ 0 restore one
	do_ 0 rm --force one
	# What is wrong in it leaves nothing.
	mkdir broken
	tar --extract --file one.tar --directory broken
	rm broken/checkpoint/core-*
	tar --create --file broken.tar --directory broken .
	do_ 1 restore --import broken.tar
	stderr_has "hull: --import broken.tar: restore: CRIU: "
	rm broken/hosts
	ln -s /etc/shadow broken/hosts
	tar --create --file broken.tar --directory broken .
	do_ 1 restore --import broken.tar
	stderr_is "hull: --import broken.tar: hosts: it is neither a file nor a directory"
	[ -z "$(find "$DATA/containers" "$DATA/names" "$DATA/pins" -mindepth 1)" ]
}

@test "where the archive cannot be written the checkpoint is there" {
	requires_criu
	start_counter one
	do_ 1 checkpoint --export nowhere/one.tar one
	stderr_is "hull: checkpoint one: --export: make nowhere/one.tar: no such file or directory"
	state_is one checkpointed
	restored one
	do_ 1 checkpoint --leave-running --export nowhere/one.tar one
	state_is one running
	before=$(count_of one)
	wait_for 30 counts_beyond one "$before"
}

@test "what cannot be checkpointed goes on, and what cannot be restored stays checkpointed" {
	requires_criu
	start_counter one --restart always
	dir=$(directory_of one)
	nsenter --target "$(of one .State.Pid)" --mount mount -o bind /etc/hosts /etc/passwd
	do_ 1 checkpoint one
	stderr_has "checkpoint one: checkpoint: /etc/passwd is a mount of the host"
	state_is one running
	[ ! -e "$dir/checkpoint" ]
	[ ! -e "$dir/checkpoint.new" ]
	do_ 0 rm --force one
	start_counter one
	dir=$(directory_of one)
	checkpointed one
	mkdir kept
	mv "$dir"/checkpoint/core-* kept/
	do_ 1 restore one
	stderr_has "restore one: restore: CRIU: "
	stderr_has "$dir/checkpoint.log/restore.log"
	state_is one checkpointed
	mv kept/core-* "$dir/checkpoint/"
	restored one
	do_ 1 restore one
	stderr_is "hull: restore one: the container is running"
}

@test "who is killed while he checkpoints leaves a container that goes on or ends as any other" {
	requires_criu
	start_counter one
	mkdir bin
	printf '#!/bin/sh\necho $$ >%s\nexec sleep 1000\n' "$WORK/criu.pid" >bin/criu
	chmod +x bin/criu
	in_background env PATH="$WORK/bin:$PATH" "$HULL" --root "$STATE" --data-root "$DATA" checkpoint one
	hangs=$!
	dir=$(directory_of one)
	wait_for 30 test -s criu.pid
	[ -e "$dir/checkpoint.new/networks.json" ]
	do_ 1 checkpoint one
	stderr_is "hull: checkpoint one: another command writes a checkpoint of it"
	kill -KILL "$hangs" "$(<criu.pid)"
	wait "$hangs" || true
	state_is one running
	checkpointed one
	restored one
}

@test "what does not fit is said before anything is done" {
	do_ 1 checkpoint nobody
	stderr_is "$(is_root && echo "hull: container does not exist" || echo "hull: checkpoint: CRIU needs root")"
	run_ 0 --name ended "$IMAGE" true
	run_ 0 --detach --name kept "$IMAGE" sleep 1000
	if ! is_root; then
		do_ 1 checkpoint kept
		stderr_is "hull: checkpoint kept: CRIU needs root"
		do_ 1 restore ended
		stderr_is "hull: restore ended: CRIU needs root"
		return
	fi
	do_ 1 checkpoint ended
	stderr_is "hull: checkpoint ended: it does not run"
	do_ 1 restore ended
	stderr_is "hull: restore ended: it has no checkpoint"
	do_ 1 restore kept
	stderr_is "hull: restore kept: the container is running"
	do_ 1 checkpoint --image-path x kept
	stderr_is "hull: checkpoint: --image-path is for containers of bundles"
	do_ 1 restore --pid-file x ended
	stderr_is "hull: restore: --pid-file is for containers of bundles"
	do_ 1 checkpoint --keep nobody
	stderr_is "hull: checkpoint: --keep is for containers of images"
	do_ 1 checkpoint --export x kept ended
	stderr_is "hull: checkpoint: --export: an archive is of one container"
	do_ 1 restore
	stderr_is "hull: restore: it needs a CONTAINER, or --import"
	do_ 1 restore --name x ended
	stderr_is "hull: restore: --name goes with --import"
	do_ 1 restore --import x ended
	stderr_is "hull: restore: --import makes a new container: what it is called is said by --name"
	do_ 1 restore --import x --pid-file y
	stderr_is "hull: restore: --pid-file is for containers of bundles"
	do_ 1 restore --import x
	stderr_is "hull: --import x: open it: no such file or directory"
	echo nonsense >x
	do_ 1 restore --import x
	stderr_has "hull: --import x: "
	tar --create --file x --files-from /dev/null
	do_ 1 restore --import x
	stderr_is "hull: --import x: it is no archive of a checkpoint: it has no hull-checkpoint.json"
	echo '{"form":2,"data":"/"}' >hull-checkpoint.json
	tar --create --file x hull-checkpoint.json
	do_ 1 restore --import x
	stderr_is "hull: --import x: it is of form 2, and this hull reads form 1"
	do_ 0 ps --all --quiet
	[ "$(wc -l <<<"$stdout")" = 2 ]
	mkdir -p root
	do_ 0 run --detach --network none --name directory --volume /bin/busybox:/sleep:ro --rootfs root /sleep 1000
	do_ 1 checkpoint --export y directory
	stderr_has "hull: checkpoint directory: --export: it is of a directory (--rootfs)"
	state_is directory running
	run_ 0 --detach --rm --name short "$IMAGE" sleep 1000
	do_ 1 checkpoint short
	stderr_is "hull: checkpoint short: it is removed when it ends (--rm), and its checkpoint too"
	in_background "$HULL" --root "$STATE" --data-root "$DATA" run --network none --name front "$IMAGE" sleep 1000
	wait_for 30 state_is front running
	do_ 1 checkpoint front
	stderr_is "hull: checkpoint front: it is run in the foreground, with another command's streams, which could not be had again"
	state_is kept running
	state_is front running
}
