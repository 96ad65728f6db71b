#!/usr/bin/env bats
# as: root
# vm-long: root
# sanitizers: no
#
# A container into files and out of them again, by CRIU (Debian 13's; where that
# does not run, only what does not come to CRIU is tested).

load helpers

# What runs in it counts into a file on the host.
setup() {
	setup_test
	make_bundle
	mkdir data
	config '.mounts += [
		{ destination: "/mnt", type: "bind", source: $data, options: ["rbind", "rw"] },
		{ destination: "/opt", type: "bind", source: $data, options: ["bind", "ro", "nosuid"] }]' \
		--arg data "$WORK/data"
	mkdir -p "$BUNDLE/rootfs/mnt" "$BUNDLE/rootfs/opt"
	config_args sh -c 'i=0; while [ ! -e /mnt/end ]; do i=$((i + 1)); echo $i >/mnt/new; mv /mnt/new /mnt/count; sleep 0.1; done; exit 7'
}

teardown() {
	teardown_test
}

requires_criu() {
	requires program=criu
	criu check >/dev/null 2>&1 || skip "needs a CRIU that runs on this kernel"
}

count() {
	cat data/count 2>/dev/null || echo 0
}

counts_beyond() {
	[ "$(count)" -gt "$1" ]
}

# mounts_of ID: what it sees but for numbers that are new each time.
mounts_of() {
	# The word for what cgroup2 is mounted of is free.
	cut -d ' ' -f 4- "/proc/$(state_of "$1" .pid)/mountinfo" |
		sed "s,/$1 ,/ID ,; s, - cgroup2 [^ ]*, - cgroup2," | sort -k 2
}

# namespaces_of ID: those that are not ours; CRIU adds one for time, so that clocks go on.
namespaces_of() {
	local kind pid
	pid=$(state_of "$1" .pid)
	for kind in cgroup ipc mnt net pid user uts; do
		[ "$(readlink "/proc/$pid/ns/$kind")" = "$(readlink "/proc/self/ns/$kind")" ] || echo "$kind"
	done
}

# In the background its streams are pipes, as engines have them.
run_detached() {
	hull "$@" </dev/null 2>&1 | cat >said
	[ "${PIPESTATUS[0]}" = 0 ] || mismatch "hull $*" "success" "$(<said)"
}

listens() {
	[ -n "$(ss --listening --tcp --numeric --no-header "sport = $1")" ]
}

start_counter() {
	(run_detached run --detach --bundle "$BUNDLE" "$ID") &
	wait_for 20 counts_beyond 2
}

@test "a restored container goes on where it was, as it was" {
	requires_criu
	start_counter
	mounts=$(mounts_of "$ID")
	namespaces=$(namespaces_of "$ID")
	expect 0 checkpoint --image-path image --work-path log "$ID"
	stdout_is ""
	[ -e log/dump.log ]
	expect 1 state "$ID"
	stderr_is "hull: container does not exist"
	before=$(count)
	run_detached restore --detach --bundle "$BUNDLE" --image-path image --work-path log \
		--pid-file pid "$ID-two" &
	wait_for 20 counts_beyond "$before"
	[ "$(state_of "$ID-two")" = running ]
	[ "$(<pid)" = "$(state_of "$ID-two" .pid)" ]
	[ "$(mounts_of "$ID-two" | sed "s,$ID-two,$ID,")" = "$mounts" ] ||
		mismatch "the mounts" "$mounts" "$(mounts_of "$ID-two")"
	[ "$(namespaces_of "$ID-two")" = "$namespaces" ]
	[ "$(hull exec "$ID-two" sh -c 'grep ^0:: /proc/self/cgroup')" = 0::/ ]
	expect 0 delete --force "$ID-two"
}

@test "in the foreground, restore ends with the program's status" {
	requires_criu
	start_counter
	expect 0 checkpoint --image-path image "$ID"
	before=$(count)
	start_hull restore --bundle "$BUNDLE" --image-path image "$ID"
	wait_for 20 counts_beyond "$before"
	touch data/end
	wait_hull
	[ "$status" = 7 ]
	expect 1 state "$ID"
}

@test "a container can go on after its checkpoint, and be checkpointed when it is paused" {
	requires_criu
	start_counter
	expect 0 checkpoint --leave-running --image-path image "$ID"
	[ "$(state_of "$ID")" = running ]
	before=$(count)
	wait_for 20 counts_beyond "$before"
	expect 0 pause "$ID"
	expect 0 checkpoint --image-path image2 "$ID"
	expect 1 state "$ID"
}

@test "a checkpoint can be in two steps" {
	requires_criu
	criu check --feature mem_dirty_track >/dev/null 2>&1 || skip "needs a kernel with CONFIG_MEM_SOFT_DIRTY"
	start_counter
	expect 0 checkpoint --pre-dump --image-path image/0 "$ID"
	[ "$(state_of "$ID")" = running ]
	expect 0 checkpoint --parent-path ../0 --image-path image/1 "$ID"
	before=$(count)
	(run_detached restore --detach --bundle "$BUNDLE" --image-path image/1 "$ID") &
	wait_for 20 counts_beyond "$before"
	expect 0 delete --force "$ID"
}

@test "a container with a user namespace is restored" {
	requires_criu
	config '.linux.namespaces += [{ type: "user" }] | .linux |= (
		.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }] |
		.gidMappings = .uidMappings)'
	chown -R 100000:100000 "$BUNDLE/rootfs" data
	start_counter
	mounts=$(mounts_of "$ID")
	expect 0 checkpoint --image-path image "$ID"
	before=$(count)
	(run_detached restore --detach --bundle "$BUNDLE" --image-path image "$ID") &
	wait_for 20 counts_beyond "$before"
	[ "$(mounts_of "$ID")" = "$mounts" ] || mismatch "the mounts" "$mounts" "$(mounts_of "$ID")"
	[ "$(awk '{ print $1, $2, $3 }' "/proc/$(state_of "$ID" .pid)/uid_map")" = "0 100000 1000" ]
	[ "$(hull exec "$ID" sh -c 'grep ^0:: /proc/self/cgroup; id -u')" = $'0::/\n0' ]
	expect 0 delete --force "$ID"
}

@test "a joined network namespace is joined again" {
	requires_criu
	in_background unshare --net sleep 1000
	pid=$!
	wait_for 10 test "$(readlink /proc/self/ns/net)" != "$(readlink "/proc/$pid/ns/net")"
	config '(.linux.namespaces[] | select(.type == "network")).path = $path' --arg path "/proc/$pid/ns/net"
	start_counter
	expect 0 checkpoint --image-path image "$ID"
	before=$(count)
	(run_detached restore --detach --bundle "$BUNDLE" --image-path image "$ID") &
	wait_for 20 counts_beyond "$before"
	[ "$(readlink "/proc/$(state_of "$ID" .pid)/ns/net")" = "$(readlink "/proc/$pid/ns/net")" ]
	expect 0 delete --force "$ID"
}

@test "a terminal goes to the console socket again" {
	requires_criu
	requires program=python3
	config '.process.terminal = true'
	config_args sh -c 'while :; do echo tick; sleep 0.1; done'
	console_listen "$WORK/one" shown-one
	wait_for 10 test -S "$WORK/one"
	expect 0 create --bundle "$BUNDLE" --console-socket "$WORK/one" "$ID"
	expect 0 start "$ID"
	wait_for 20 grep -q tick shown-one
	expect 0 checkpoint --image-path image "$ID"
	console_listen "$WORK/two" shown-two
	wait_for 10 test -S "$WORK/two"
	expect 0 restore --detach --bundle "$BUNDLE" --console-socket "$WORK/two" --image-path image "$ID"
	wait_for 20 grep -q tick shown-two
	expect 0 delete --force "$ID"
}

@test "a stream that is a file of the host is gone on with, and no other is taken for it" {
	requires_criu
	config_args sh -c 'i=0; while :; do i=$((i + 1)); echo $i; echo $i >/mnt/count; sleep 0.1; done'
	hull run --detach --bundle "$BUNDLE" "$ID" </dev/null >log 2>&1
	wait_for 20 counts_beyond 2
	expect 0 checkpoint --image-path image "$ID"
	before=$(count)
	hull restore --detach --bundle "$BUNDLE" --image-path image "$ID" </dev/null >other 2>&1 && return 1
	grep -q "restore: CRIU: .* has bad size" other
	hull restore --detach --bundle "$BUNDLE" --image-path image "$ID" </dev/null >>log 2>&1
	wait_for 20 counts_beyond "$((before + 2))"
	expect 0 delete --force "$ID"
	seq "$(wc -l <log)" | cmp - log
}

# Podman makes the root anew when it restores of an archive.
@test "where the root lacks places to mount on, restore makes them" {
	requires_criu
	echo text >file
	config '.mounts += [{ destination: "/media/of/file", type: "bind", source: $file, options: ["bind"] },
		{ destination: "/media/new", type: "tmpfs", source: "tmpfs" }]' --arg file "$WORK/file"
	start_counter
	mounts=$(mounts_of "$ID")
	expect 0 checkpoint --image-path image "$ID"
	rm "$BUNDLE/rootfs/media/of/file"
	rmdir "$BUNDLE/rootfs/media/of" "$BUNDLE/rootfs/media/new" "$BUNDLE/rootfs/mnt"
	before=$(count)
	(run_detached restore --detach --bundle "$BUNDLE" --image-path image "$ID") &
	wait_for 20 counts_beyond "$before"
	[ "$(mounts_of "$ID")" = "$mounts" ] || mismatch "the mounts" "$mounts" "$(mounts_of "$ID")"
	expect 0 delete --force "$ID"
	# A link in the root leads nowhere else.
	rm -r "$BUNDLE/rootfs/media"
	ln -s "$WORK" "$BUNDLE/rootfs/media"
	run_hull restore --detach --bundle "$BUNDLE" --image-path image "$ID"
	[ ! -e "$WORK/of" ]
	[ ! -e "$WORK/new" ]
	hull delete --force "$ID"
}

@test "hooks see the namespaces of what is restored" {
	requires_criu
	start_counter
	expect 0 checkpoint --image-path image "$ID"
	cat >hook <<-END
		#!/bin/sh
		pid=\$(jq .pid)
		echo "\$1 \$(readlink /proc/\$pid/ns/net | grep -vc "\$(readlink /proc/self/ns/net)")" >>$WORK/hooks
	END
	chmod +x hook
	config '.hooks = { createRuntime: [{ path: $hook, args: ["hook", "createRuntime"], env: ["PATH=/usr/bin:/bin"] }],
		poststart: [{ path: $hook, args: ["hook", "poststart"], env: ["PATH=/usr/bin:/bin"] }] }' --arg hook "$WORK/hook"
	before=$(count)
	(run_detached restore --detach --bundle "$BUNDLE" --image-path image "$ID") &
	wait_for 20 counts_beyond "$before"
	wait_for 10 grep -q poststart hooks
	[ "$(<hooks)" = $'createRuntime 1\npoststart 1' ] || mismatch hooks "both" "$(<hooks)"
	expect 0 delete --force "$ID"
}

@test "what cannot be restored leaves nothing" {
	requires_criu
	start_counter
	expect 0 checkpoint --image-path image "$ID"
	rm image/core-*
	expect 1 restore --detach --bundle "$BUNDLE" --image-path image "$ID"
	stderr_has "restore: CRIU: "
	stderr_has "restore.log"
	assert_nothing_left
	echo '{"streams":["pipe:[1] -"]}' >image/hull.json
	expect 1 restore --detach --bundle "$BUNDLE" --image-path image "$ID"
	stderr_is 'hull: hull.json: streams[0]: expected "pipe:[N]" or "file[N:N]", found "pipe:[1] -"'
	chmod 777 image
	expect 1 restore --detach --bundle "$BUNDLE" --image-path image "$ID"
	stderr_is "hull: --image-path: image can be written by others, who could so give a restored process any right"
	assert_nothing_left
}

@test "a checkpoint that fails leaves the container as it was" {
	requires_criu
	config '.mounts += [{ destination: "/srv", type: "bind", source: $data, options: ["bind"] }]' --arg data "$WORK/data"
	mkdir -p "$BUNDLE/rootfs/srv" "$BUNDLE/rootfs/media"
	start_counter
	nsenter --target "$(state_of "$ID" .pid)" --mount mount --bind /mnt /media
	expect 1 checkpoint --image-path image "$ID"
	stderr_has "checkpoint: /media is a mount of the host"
	before=$(count)
	wait_for 20 counts_beyond "$before"
	expect 0 delete --force "$ID"
}

# The source stays, stopped, until its memory has been asked for: so the other has another name.
@test "with --lazy-pages the memory comes when it is used" {
	requires_criu
	criu check --feature uffd-noncoop >/dev/null 2>&1 || skip "needs a kernel with userfaultfd"
	start_counter
	mkfifo ready
	in_background sh -c 'exec "$@" 9>ready </dev/null >dumped 2>&1' sh "$HULL" --root "$STATE" checkpoint \
		--lazy-pages --page-server 127.0.0.1:27277 --status-fd 9 --image-path image --work-path log "$ID"
	dump=$!
	# Its end is closed as soon as that is said.
	[ "$(timeout "$((60 * HULL_TEST_SLOW))" od -An -tx1 ready)" = " 00" ] || mismatch "what --status-fd gets" "a zero byte" "$(<dumped)"
	[ -e image/inventory.img ]
	mkdir work
	in_background sh -c 'exec "$@" </dev/null >/dev/null 2>&1' sh criu lazy-pages --page-server --address 127.0.0.1 \
		--port 27277 --images-dir image --work-dir work --log-file lazy.log
	lazy=$!
	wait_for 20 test -S work/lazy-pages.socket
	kill -0 "$dump"
	before=$(count)
	run_detached restore --lazy-pages --detach --bundle "$BUNDLE" --image-path image --work-path work "$ID-two" &
	wait_for 20 counts_beyond "$before"
	wait "$lazy"
	wait "$dump" || mismatch "checkpoint" "success" "$(<dumped)"
	expect 1 state "$ID"
	before=$(count)
	wait_for 20 counts_beyond "$before"
	expect 0 delete --force "$ID-two"
}

@test "lazy pages that cannot be are refused before anything is done" {
	expect 1 checkpoint --status-fd 1 "$ID"
	stderr_is "hull: --status-fd: it goes with --lazy-pages"
	expect 1 checkpoint --lazy-pages "$ID"
	stderr_is "hull: --lazy-pages: it needs --page-server, with the port that the memory is asked for at"
	expect 1 checkpoint --lazy-pages --pre-dump --page-server 127.0.0.1:27277 "$ID"
	stderr_is "hull: --lazy-pages: with --pre-dump the memory is written, not asked for"
	requires_criu
	start_counter
	expect 1 checkpoint --lazy-pages --page-server 127.0.0.1:27277 --status-fd 77 "$ID"
	stderr_is "hull: --status-fd: 77: no descriptor that can be written to"
	before=$(count)
	wait_for 20 counts_beyond "$before"
	expect 1 checkpoint --page-server 127.0.0.1 "$ID"
	stderr_is "hull: --page-server: 127.0.0.1: expected ADDRESS:PORT"
	expect 0 delete --force "$ID"
}

@test "with --page-server the memory is written where that is" {
	requires_criu
	mkdir served
	start_counter
	in_background sh -c 'exec "$@" </dev/null >/dev/null 2>&1' sh criu page-server --images-dir served \
		--address ::1 --port 27278 --log-file server.log
	server=$!
	wait_for 20 listens 27278
	expect 0 checkpoint --page-server '[::1]:27278' --image-path image "$ID"
	wait "$server"
	compgen -G 'served/pages-*.img' || mismatch "what the server wrote" "pages" "$(ls served)"
	[ -z "$(compgen -G 'image/pages-*.img')" ]
	cp served/page* image/
	before=$(count)
	(run_detached restore --detach --bundle "$BUNDLE" --image-path image "$ID") &
	wait_for 20 counts_beyond "$before"
	expect 0 delete --force "$ID"
}

@test "what is asked for wrongly is said before anything is done" {
	expect 1 checkpoint "$ID"
	stderr_is "hull: container does not exist"
	expect 1 checkpoint --manage-cgroups-mode full "$ID"
	stderr_is 'hull: --manage-cgroups-mode: full: hull puts the processes into the container'"'"'s cgroup itself: "soft" or "ignore"'
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 1 checkpoint "$ID"
	stderr_is "hull: cannot checkpoint a container that is created"
	[ ! -e checkpoint ]
	expect 0 delete "$ID"
	expect 1 restore --bundle "$BUNDLE" --image-path nowhere "$ID"
	stderr_has "hull: "
	run_hull restore --lsm-mount-context
	stderr_has "flag needs an argument: -lsm-mount-context"
}

@test "without the program criu it is said that it is missing" {
	requires_criu
	start_counter
	run_command unshare --mount sh -c 'mount --bind /dev/null "$(command -v criu)"; exec "$@"' sh \
		"$HULL" --root "$STATE" checkpoint "$ID"
	[ "$status" = 1 ]
	stderr_is "hull: checkpoint and restore need the program criu, which is neither in \$PATH nor in /usr/sbin"
	expect 0 delete --force "$ID"
}

@test "without CRIU's library both verbs say so" {
	ldconfig -p | grep -q libcriu.so.2 && skip "CRIU's library is here"
	config_args sleep 1000
	hull run --detach --bundle "$BUNDLE" "$ID" </dev/null >said 2>&1
	expect 1 checkpoint "$ID"
	stderr_has "hull: checkpoint and restore need CRIU and its library, which cannot be opened: "
	[ "$(state_of "$ID")" = running ]
	[ ! -e checkpoint ]
	expect 0 delete --force "$ID"
	mkdir image
	expect 1 restore --bundle "$BUNDLE" --image-path image "$ID"
	stderr_has "hull: checkpoint and restore need CRIU and its library, which cannot be opened: "
}

@test "as hull-oci, checkpoint --help succeeds where a checkpoint can, as engines ask" {
	ln -s "$HULL" hull-oci
	ln -s "$HULL" hull-vm
	expect 0 checkpoint --help
	stderr_is ""
	run_command ./hull-vm checkpoint --help
	[ "$status" = 1 ]
	stderr_is "hull-vm: checkpoint is not supported yet for containers whose isolation is vm"
	run_command ./hull-oci checkpoint --help
	stdout_has "Usage: hull-oci checkpoint [options] ID"
	if ! criu check >/dev/null 2>&1; then
		[ "$status" = 1 ]
		stderr_has "hull-oci: checkpoint and restore "
		skip "needs a CRIU that runs on this kernel"
	fi
	[ "$status" = 0 ]
	stderr_is ""
	mkdir bin
	printf '#!/bin/sh\necho "$1: it is too old" >&2\nexit 1\n' >bin/criu
	chmod +x bin/criu
	PATH=$WORK/bin:$PATH run_command ./hull-oci checkpoint --help
	[ "$status" = 1 ]
	stderr_has "hull-oci: checkpoint and restore do not work here: criu check: "
	stderr_has "check: it is too old"
	run_command unshare --mount sh -c 'mount --bind /dev/null "$(command -v criu)"; exec "$@"' sh \
		./hull-oci checkpoint --help
	[ "$status" = 1 ]
	stderr_is "hull-oci: checkpoint and restore need the program criu, which is neither in \$PATH nor in /usr/sbin"
}
