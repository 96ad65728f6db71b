#!/usr/bin/env bats
# as: none, it is the VM that has systemd
# vm-long: root
# The systemd cgroup driver: units, limits, what is left.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # helpers.bash sets these
load helpers
load systemd_helpers
load ../tools/tools

@test "systemd: from create to delete" {
	sd_bundle
	expect 0 --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	stderr_is ""
	[ "$(state_of "$ID")" = created ]
	cgroup=$(cgroup_of "$(state_of "$ID" .pid)")
	[ "$cgroup" = "$manager/$slice/$unit/container" ] || mismatch cgroup "$manager/$slice/$unit/container" "$cgroup"
	shown ActiveState active
	shown Slice "$slice"
	shown Delegate yes
	shown DefaultDependencies no
	shown CollectMode inactive-or-failed
	# The process that held the scope is gone, and its cgroup.
	scope_knob cgroup.procs ""
	[ ! -e "${cgroup%/*}/hold" ]
	# Which driver made it is in the state: no other verb needs the option.
	expect 0 start "$ID"
	expect 0 exec "$ID" cat /proc/self/cgroup
	stdout_is 0::/
	expect 0 pause "$ID"
	[ "$(state_of "$ID")" = paused ]
	expect 0 resume "$ID"
	expect 0 update --pids-limit 50 "$ID"
	shown TasksMax 50
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	expect 0 delete "$ID"
	no_unit
}

@test "systemd: run in the foreground, and a program that ends at once" {
	sd_bundle '.process.args = ["sh", "-c", "cat /proc/self/cgroup; exit 7"]'
	expect 7 --systemd-cgroup run --bundle "$BUNDLE" "$ID"
	stdout_is 0::/
	stderr_is ""
	no_unit
	# The name is free again.
	expect 7 --cgroup-manager systemd run --bundle "$BUNDLE" "$ID"
	no_unit
	# Without a cgroupsPath; its unit goes by itself, whether it is deleted or not.
	unit=hull-$ID.scope
	config '.process.args = ["true"] | del(.linux.cgroupsPath)'
	expect 0 --systemd-cgroup run --keep --bundle "$BUNDLE" "$ID"
	wait_for 10 no_unit
	[ "$(state_of "$ID")" = stopped ]
	expect 0 delete "$ID"
}

@test "systemd: weights of disks with BFQ are the same for the unit" {
	local disk scheduler
	requires controller=io path=/dev/vdb
	modprobe bfq
	scheduler=/sys/block/vdb/queue/scheduler
	echo bfq >"$scheduler"
	disk=$(</sys/block/vdb/dev)
	sd_run ".linux.resources.blockIO = {weight: 300, weightDevice: [{major: ${disk%:*}, minor: ${disk#*:}, weight: 700}]}"
	knob io.bfq.weight "default 300"$'\n'"$disk 700"
	scope_knob io.bfq.weight "default 300"$'\n'"$disk 700"
	jq -n --argjson major "${disk%:*}" --argjson minor "${disk#*:}" \
		'{blockIO: {weight: 50, weightDevice: [{$major, $minor, weight: 999}]}}' >new
	expect 0 update --resources "$WORK/new" "$ID"
	knob io.bfq.weight "default 50"$'\n'"$disk 999"
	systemctl daemon-reload
	scope_knob io.bfq.weight "default 50"$'\n'"$disk 999"
	expect 0 delete --force "$ID"
	echo none >"$scheduler"
}

@test "systemd: who stays with a container tells its lack of memory, though the cgroup goes with it" {
	requires controller=memory
	sd_limited tail /dev/zero
	for _ in 1 2 3 4 5; do
		expect 137 --systemd-cgroup run --bundle "$BUNDLE" "$ID"
		stderr_has "container $ID: $LACK"
		no_unit
	done
	expect 137 --systemd-cgroup run --keep --bundle "$BUNDLE" "$ID"
	stderr_has "container $ID: $LACK"
	told_afterwards
	# One that has enough is known to have had it.
	config '.process.args = ["true"]'
	expect 0 --systemd-cgroup run --keep --bundle "$BUNDLE" "$ID"
	wait_for 20 no_unit
	expect 0 why "$ID"
	stdout_has "and it did not lack memory"
	expect 0 delete "$ID"
	stderr_is ""
}

@test "systemd: nobody stays, and the kernel's log tells the lack of memory" {
	requires controller=memory
	sd_limited tail /dev/zero
	expect 0 --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	wait_state "$ID" stopped
	told_afterwards
	# Of one that has the same path later, nothing is told.
	config '.process.args = ["true"]'
	expect 0 --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID"
	wait_state "$ID" stopped
	wait_for 20 no_unit
	[ "$(state_of "$ID" '."run.hull.oom"')" = null ]
	expect 0 why "$ID"
	stdout_has "and nobody counted whether it lacked memory"
	expect 0 delete "$ID"
	stderr_is ""
	# A process that was not its first.
	config '.process.args = ["sh", "-c", "tail /dev/zero; exit 3"]'
	expect 0 --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID"
	wait_state "$ID" stopped
	told_afterwards
	no_units
}

@test "systemd: a container for people tells its lack of memory, detached and in the foreground" {
	requires controller=memory
	DATA=$WORK/data
	[ -e "${HULL%/*}/libexec/hull/hull-unpack" ] || skip "needs hull-unpack beside hull"
	hog=(--network none --memory 32m --memory-swap 32m --name hog hull/busybox tail /dev/zero)
	for how in --detach --interactive; do
		run_hull --data-root "$DATA" --systemd-cgroup run "$how" "${hog[@]}"
		run_hull --data-root "$DATA" wait hog
		stdout_is 137
		expect 0 --data-root "$DATA" why hog
		stdout_has "$LACK"
		expect 0 --data-root "$DATA" inspect --format '{{.State.OOMKilled}}' hog
		stdout_is true
		expect 0 --data-root "$DATA" rm --volumes hog
	done
	rm -rf "$DATA"
}

@test "systemd: a fork bomb is named, though its cgroup goes with it" {
	requires controller=pids
	sd_bundle '.linux.resources.pids.limit = 5' \
		'.process.args = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; exit 3"]'
	run_hull --systemd-cgroup run --bundle "$BUNDLE" "$ID"
	[ "$status" != 0 ]
	stderr_has "of its forks: its limit is 5 processes"
	no_unit
}

@test "systemd: limits are properties of the unit, and in the files" {
	requires controller=memory controller=cpu controller=cpuset controller=pids
	sd_run '.linux.resources = {
		memory: {limit: 67108864, swap: 100663296, reservation: 33554432},
		cpu: {shares: 512, quota: 50000, period: 100000, cpus: "0", mems: "0"},
		pids: {limit: 33},
		unified: {"memory.high": "50331648", "memory.oom.group": "1"}}'
	shown MemoryMax 67108864
	shown MemorySwapMax 33554432
	shown MemoryLow 33554432
	shown MemoryHigh 50331648
	shown CPUWeight 59
	shown CPUQuotaPerSecUSec 500ms
	shown CPUQuotaPeriodUSec 100ms
	shown AllowedCPUs 0
	shown AllowedMemoryNodes 0
	shown TasksMax 33
	for check in knob scope_knob; do
		$check memory.max 67108864
		$check memory.swap.max 33554432
		$check memory.low 33554432
		$check memory.high 50331648
		$check cpu.weight 59
		$check cpu.max "50000 100000"
		$check cpuset.cpus 0
		$check pids.max 33
	done
	knob memory.oom.group 1
	# systemd may write its files again; those of the container stay.
	systemctl set-property --runtime "$unit" MemoryHigh=40M CPUWeight=20
	systemctl daemon-reload
	knob memory.oom.group 1
	knob memory.high 50331648
	knob cpu.weight 59
	scope_knob cpu.weight 20
	scope_knob memory.high 41943040
	expect 0 delete --force "$ID"
	no_unit
}

@test "systemd: limits of one process, and of bursts" {
	requires controller=pids
	sd_run '.linux.resources = {pids: {limit: 1}, cpu: {quota: 20000, period: 100000, burst: 10000}}'
	knob pids.max 1
	shown TasksMax 3
	knob cpu.max "20000 100000"
	knob cpu.max.burst 10000
	scope_knob cpu.max "max 100000"
	expect 0 update --cpu-quota 30000 "$ID"
	knob cpu.max "30000 100000"
	scope_knob cpu.max "max 100000"
	# Without a burst the unit has the quota again, and with one that comes alone it has none.
	hull update -r - "$ID" <<<'{"cpu": {"burst": 0}}'
	knob cpu.max.burst 0
	scope_knob cpu.max "30000 100000"
	hull update -r - "$ID" <<<'{"unified": {"cpu.max.burst": "20000"}}'
	knob cpu.max.burst 20000
	scope_knob cpu.max "max 100000"
	shown CPUQuotaPerSecUSec infinity
	expect 0 delete --force "$ID"
}

@test "systemd: each limit of a unit is taken away by update, and stays away" {
	requires controller=memory controller=cpu controller=cpuset controller=pids controller=io path=/dev/vdb
	device=$(stat --format '%Hr:%Lr' /dev/vdb)
	sd_run '.linux.resources = {
		memory: {limit: 67108864, swap: 100663296, reservation: 33554432},
		cpu: {shares: 512, quota: 50000, period: 50000, cpus: "0", mems: "0"}, pids: {limit: 33},
		blockIO: {weight: 500},
		unified: {"memory.high": "50331648", "memory.min": "4194304", "io.max": "'"$device"' rbps=1048576 wiops=100"}}'
	scope_knob cpuset.cpus 0
	local all
	all=$(</sys/fs/cgroup/cpuset.cpus.effective)
	echo '{"unified": {"cpuset.cpus": ""}}' >"$WORK/none.json"
	expect 1 update --resources "$WORK/none.json" "$ID"
	stderr_has "container has processes, and of such a cgroup the kernel empties no cpuset.cpus: give all that there are instead"
	shown AllowedCPUs 0
	scope_knob io.max "$device rbps=1048576 wbps=max riops=max wiops=100"
	hull update -r - "$ID" <<<'{
		"memory": {"limit": -1, "swap": -1}, "cpu": {"quota": -1, "period": 100000}, "pids": {"limit": -1},
		"unified": {"memory.high": "max", "memory.min": "0", "memory.low": "0", "cpu.weight": "100", "cpuset.cpus": "'"$all"'",
			"cpuset.mems": "0", "io.weight": "default 100", "io.max": "'"$device"' rbps=max wiops=max"}}'
	systemctl daemon-reload
	shown MemoryMax infinity
	shown MemorySwapMax infinity
	shown MemoryHigh infinity
	shown MemoryLow 0
	shown MemoryMin 0
	shown CPUWeight 100
	shown CPUQuotaPerSecUSec infinity
	shown CPUQuotaPeriodUSec 100ms
	shown AllowedCPUs "$all"
	shown TasksMax infinity
	shown IOWeight 100
	shown IOReadBandwidthMax ""
	shown IOWriteIOPSMax ""
	for check in knob scope_knob; do
		for file in memory.max memory.swap.max memory.high pids.max; do $check "$file" max; done
		for file in memory.low memory.min; do $check "$file" 0; done
		$check cpuset.cpus "$all"
		$check io.max ""
		$check cpu.max "max 100000"
		$check cpu.weight 100
	done
	expect 0 delete --force "$ID"
	no_unit
}

@test "systemd: update sets both, takes back both, resets" {
	requires controller=memory controller=cpu controller=pids
	sd_run
	hull update -r - "$ID" <<<'{"memory": {"limit": 33554432}, "cpu": {"shares": 512, "quota": 40000},
		"pids": {"limit": 20}, "unified": {"memory.high": "30000000"}}'
	shown MemoryMax 33554432
	shown CPUWeight 59
	shown CPUQuotaPerSecUSec 400ms
	shown TasksMax 20
	knob memory.max 33554432
	knob cpu.max "40000 100000"
	knob pids.max 20
	# One that cannot be: none is.
	echo '{"pids": {"limit": 30}, "unified": {"memory.high": "many"}}' >"$WORK/new.json"
	expect 1 update --resources "$WORK/new.json" "$ID"
	stderr_has "linux.resources.unified.memory.high: write \"many\" to "
	shown TasksMax 20
	knob pids.max 20
	hull update -r - "$ID" <<<'{"memory": {"limit": -1}, "cpu": {"quota": -1}, "pids": {"limit": -1}}'
	shown MemoryMax infinity
	shown CPUQuotaPerSecUSec infinity
	shown TasksMax infinity
	knob memory.max max
	knob cpu.max "max 100000"
	scope_knob memory.max max
	scope_knob cpu.max "max 100000"
	expect 0 delete --force "$ID"
	no_unit
}

@test "systemd: an update that systemd refuses leaves the files" {
	requires controller=pids
	sd_run '.linux.resources = {pids: {limit: 20}}'
	# Somebody takes the unit's systemd away.
	expect 1 update --pids-limit 30 "$ID-other"
	run_command unshare --mount sh -c 'mount -t tmpfs none /run/systemd && mount -t tmpfs none /run/dbus &&
		"$0" --root "$1" update --pids-limit 30 "$2"' "$HULL" "$STATE" "$ID"
	[ "$status" = 1 ]
	stderr_has "connect to systemd at /run/systemd/private or by the system's bus: "
	knob pids.max 20
	shown TasksMax 20
	expect 0 delete --force "$ID"
}

@test "systemd: the device policy stands when systemd reloads" {
	requires path=/dev/vda path=/dev/vdb
	local major=$((16#$(stat -c %t /dev/vda))) minor=$((16#$(stat -c %T /dev/vda)))
	local other="$((16#$(stat -c %t /dev/vdb))) $((16#$(stat -c %T /dev/vdb)))"
	sd_run '.root.readonly = false' \
		'.process.capabilities |= map_values(. + ["CAP_MKNOD"] | unique)' \
		".linux.resources.devices = [{allow: false, access: \"rwm\"},
			{allow: true, type: \"b\", major: $major, minor: $minor, access: \"r\"}]"
	expect 0 exec "$ID" sh -c "mknod /disk b $major $minor && mknod /other b $other"
	for reload in "" daemon-reload daemon-reexec set-property update; do
		case $reload in
		daemon-*) systemctl "$reload" ;;
		set-property) systemctl set-property --runtime "$unit" TasksMax=100 ;;
		update) expect 0 update --pids-limit 60 "$ID" ;;
		esac
		# What is allowed stays so, what is not as well; but for the policy, root could do all of it.
		expect 0 exec "$ID" sh -c 'head -c 1 /disk >/dev/null && head -c 1 /dev/zero >/dev/null && echo open'
		stdout_is open
		expect 1 exec "$ID" dd if=/dev/zero of=/disk count=0 conv=notrunc
		stderr_has 'peration not permitted'
		expect 1 exec "$ID" head -c 1 /other
		stderr_has 'peration not permitted'
	done
	shown ActiveState active
	expect 0 delete --force "$ID"
	no_unit
}

@test "systemd: nested slices" {
	slice=${TAG//-/_}-a-b.slice
	sd_run
	[ "$cgroup" = "$manager/${TAG//-/_}.slice/${TAG//-/_}-a.slice/$slice/$unit/container" ] ||
		mismatch cgroup "in three slices" "$cgroup"
	shown Slice "$slice"
	expect 0 delete --force "$ID"
	[ "$(ctl show --property LoadState --value "$unit")" = not-found ]
	# Slices are the engine's.
	ctl stop "${TAG//-/_}.slice"
}

@test "systemd: a cgroupsPath that is none, each by name" {
	sd_bundle
	while IFS='|' read -r path message; do
		path=$path config '.linux.cgroupsPath = env.path'
		expect 1 --systemd-cgroup create --bundle "$BUNDLE" "$ID"
		stderr_is "hull: linux.cgroupsPath: $message"
		assert_nothing_left
	done <<-'END'
		/a/b|with systemd it is "slice:prefix:name", and "/a/b" is not
		a.slice:b|with systemd it is "slice:prefix:name", and "a.slice:b" is not
		a.slice:b:c:d|with systemd it is "slice:prefix:name", and "a.slice:b:c:d" is not
		a.service:b:c|"a.service" is not the name of a slice, like system.slice
		-a.slice:b:c|"-a.slice": a slice's name has no dash at its ends and no two together
		a.slice:b:|"a.slice:b:" names no unit
		a.slice:b:c/d|"b-c/d.scope" has a character that no unit of systemd may have in its name
	END
	no_units
	path=a.slice:b:c config '.linux.cgroupsPath = env.path'
	expect 1 create --bundle "$BUNDLE" "$ID"
	stderr_is 'hull: linux.cgroupsPath: "a.slice:b:c" is meant for systemd: give --systemd-cgroup'
}

@test "systemd: properties by annotation" {
	sd_run '.annotations = {
		"org.systemd.property.TimeoutStopSec": "123",
		"org.systemd.property.Description": "'"'some container'"'",
		"org.systemd.property.CPUWeight": "uint64 33",
		"org.systemd.property.SendSIGHUP": "true"}'
	shown TimeoutStopUSec "2min 3s"
	shown Description "some container"
	shown CPUWeight 33
	shown SendSIGHUP yes
	expect 0 delete --force "$ID"
	config '.annotations = {"org.systemd.property.NoSuchThing": "true"}'
	expect 1 --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	stderr_has "hull: start unit $unit: systemd says: "
	stderr_has NoSuchThing
	assert_nothing_left
	no_unit
	config '.annotations = {"org.systemd.property.CPUWeight": "maybe"}'
	expect 1 --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	stderr_is "hull: annotations.org.systemd.property.CPUWeight: \"maybe\" is not a simple value like true, uint64 5, 'text' or ['a', 'b']: no number at character 1"
	assert_nothing_left
}

@test "systemd: a unit of the same name is left alone" {
	sd_run
	expect 1 --systemd-cgroup create --bundle "$BUNDLE" "$ID-two"
	stderr_is "hull: start unit $unit: there is a unit of this name, perhaps of a container with the same linux.cgroupsPath"
	shown ActiveState active
	[ "$(state_of "$ID")" = running ]
	# When it has ended, the name may belong to another one, which its deletion does not touch.
	expect 0 kill "$ID" KILL
	wait_for 10 no_unit
	expect 0 --systemd-cgroup create --bundle "$BUNDLE" "$ID-two"
	expect 0 delete "$ID"
	shown ActiveState active
	[ "$(state_of "$ID-two")" = created ]
	expect 0 delete "$ID-two"
	no_unit
}

# A process waits in flock(2) for it: hull's, in its place.
stands_in_line() { grep -q "^[0-9]*: -> FLOCK .*:$(stat --format %i /run/systemd/inaccessible/dir) " /proc/locks; }

@test "systemd: a unit of a user's systemd is not looked for in the system's" {
	sd_run
	# The state of a user's container of the same unit, with a cgroup of its own.
	mkdir --parents "$WORK/user/$ID" "$manager/$TAG-user"
	cp "$STATE/$ID/config.json" "$WORK/user/$ID"
	jq --arg cgroup "/$TAG-user" --argjson inode "$(stat -c %i "$manager/$TAG-user")" \
		'.owner = 1000 | .unitUser = true | .cgroup = $cgroup | .cgroupInode = $inode | .pid = 0' \
		"$STATE/$ID/state.json" >"$WORK/user/$ID/state.json"
	run_command "$HULL" --root "$WORK/user" delete --force "$ID"
	[ "$status" = 0 ] || mismatch status 0 "$status: $stderr"
	[ ! -e "$WORK/user/$ID" ]
	[ ! -e "$manager/$TAG-user" ]
	shown ActiveState active
	[ "$(state_of "$ID" .status)" = running ]
	# One of whom the cgroup is there, too.
	mkdir "$WORK/user/$ID"
	cp "$STATE/$ID/config.json" "$WORK/user/$ID"
	jq '.owner = 1000 | .unitUser = true' "$STATE/$ID/state.json" >"$WORK/user/$ID/state.json"
	run_command "$HULL" --root "$WORK/user" update --pids-limit 44 "$ID"
	[ "$status" = 1 ]
	stderr_is "hull: set limits of cgroup ${cgroup#"$manager"}: its unit is of another user's systemd, so that user is to do it"
	rm -r "$WORK/user"
	expect 0 delete --force "$ID"
	no_unit
}

@test "systemd: who asks it stands in line" {
	sd_bundle
	in_background flock /run/systemd/inaccessible/dir sh -c 'until [ -e "$0/go" ]; do sleep 0.1; done' "$WORK"
	wait_for 10 line_is_taken
	start_hull --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	wait_for 30 stands_in_line
	no_unit
	touch "$WORK/go"
	wait_hull
	[ "$status" = 0 ] || mismatch "exit status" 0 "$status"
	shown ActiveState active
	expect 0 delete --force "$ID"
	no_unit
}

line_is_taken() { ! flock --nonblock /run/systemd/inaccessible/dir true; }

@test "systemd: kill -9 of hull at steps of create" {
	tool killat
	sd_bundle
	for at in create:cgroup create:gate create:settle create:created init:mounts; do
		: >"$WORK/trace"
		run_command "$tool" "$at" "$WORK/trace" "$HULL" --root "$STATE" --log-level trace \
			--log "$WORK/trace" --systemd-cgroup create --bundle "$BUNDLE" "$ID"
		[ "$status" = 0 ] || mismatch "killat at $at" 0 "$status"
		expect 0 delete --force "$ID"
		stderr_is ""
		wait_for 10 no_unit
		assert_nothing_left
	done
}

@test "systemd: a create that was killed before it had its unit: delete leaves another's of that name" {
	tool killat
	sd_bundle
	expect 0 --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	: >"$WORK/trace"
	run_command "$tool" create:cgroup "$WORK/trace" "$HULL" --root "$STATE" --log-level trace \
		--log "$WORK/trace" --systemd-cgroup create --bundle "$BUNDLE" "$ID-two"
	[ "$status" = 0 ] || mismatch "killat at create:cgroup" 0 "$status"
	expect 0 delete --force "$ID-two"
	stderr_has "stop unit $unit: it has processes"
	[ "$(state_of "$ID")" = running ] || mismatch "the other container" running "$(state_of "$ID")"
	expect 0 delete --force "$ID"
	assert_nothing_left
}

@test "systemd: kill -9 of hull at any moment of create" {
	sd_bundle
	for ((i = 0; i < 5; i++)); do
		start_hull --systemd-cgroup create --bundle "$BUNDLE" "$ID"
		sleep "0.$((RANDOM % 20 * HULL_TEST_SLOW / 10 + 1))"
		kill -KILL "$hull_pid" 2>/dev/null || true
		wait "$hull_pid" || true
		expect 0 delete --force "$ID"
		stderr_is ""
		wait_for 10 no_unit
		assert_nothing_left
	done
}

@test "systemd: a container that may manage its cgroup, with a user namespace" {
	requires controller=memory
	sd_run '.linux.namespaces |= map(select(.type != "user")) + [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] |
		.linux.gidMappings = .linux.uidMappings' \
		'.mounts |= map(if .type == "cgroup" then .options = ["nosuid", "noexec", "nodev", "rw"] else . end)'
	for file in . cgroup.procs cgroup.subtree_control cgroup.threads; do
		[ "$(stat -c %u "$cgroup/$file")" = 100000 ] || mismatch "owner of $file" 100000 "$(stat -c %u "$cgroup/$file")"
	done
	for file in memory.max pids.max cgroup.freeze; do
		[ "$(stat -c %u "$cgroup/$file")" = 0 ]
	done
	[ "$(stat -c %u "${cgroup%/*}")" = 0 ]
	expect 0 exec "$ID" sh -c 'cd /sys/fs/cgroup && mkdir init && for p in $(cat cgroup.procs); do
			echo $p >init/cgroup.procs || [ ! -d /proc/$p ]; done; echo "+memory +pids" >cgroup.subtree_control &&
		mkdir inner && echo 1048576 >inner/memory.max && cat inner/memory.max'
	stdout_is 1048576
	# Its own limits are not its to lift.
	expect 1 exec "$ID" sh -c 'echo max >/sys/fs/cgroup/memory.max'
	# Where only cgroups below have processes, exec goes to where init is.
	expect 0 exec "$ID" cat /proc/self/cgroup
	stdout_is 0::/init
	expect 0 delete --force "$ID"
	no_unit
}

@test "systemd: a cgroup mount that is read-only gives nothing away" {
	sd_run '.process.user.uid = 1000' \
		'.mounts |= map(if .type == "cgroup" then .options = ["nosuid", "rw", "ro"] else . end)'
	[ "$(stat -c %u "$cgroup")" = 0 ]
	expect 0 delete --force "$ID"
	config '.mounts |= map(if .type == "cgroup" then .options = ["nosuid"] else . end)'
	config 'del(.linux.cgroupsPath)'
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	cgroup=$(cgroup_of "$(state_of "$ID" .pid)")
	[ "$(stat -c %u "$cgroup/cgroup.procs")" = 1000 ]
	[ "$(stat -c %u "$cgroup/cgroup.freeze")" = 0 ]
	expect 0 delete --force "$ID"
}

@test "systemd: a job that does not end is named" {
	sd_bundle ".annotations = {\"org.systemd.property.After\": \"['$TAG-slow.service']\"}"
	systemd-run --quiet --no-block --property=Type=oneshot --unit="$TAG-slow" sleep 1000
	expect 1 --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	[[ $stderr =~ ^"hull: start unit $unit: job /org/freedesktop/systemd1/job/"[0-9]+" has not ended within 30 s"$ ]] ||
		mismatch stderr "the unit and its job" "$stderr"
	systemctl stop "$TAG-slow.service"
	assert_nothing_left
	no_unit
}

@test "systemd: without its library, one sentence" {
	sd_bundle
	run_command unshare --mount sh -c 'mount --bind /dev/null "$(ldconfig -p | sed -n "s/.*libsystemd.so.0 .*=> //p" | head -n 1)" &&
		exec "$@"' sh "$HULL" --root "$STATE" --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	[ "$status" = 1 ]
	stderr_has "hull: the systemd cgroup driver needs libsystemd, which cannot be opened: "
	assert_nothing_left
}
