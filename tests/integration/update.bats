#!/usr/bin/env bats
# vm: root
# vm-long: user
# New limits for a container that exists.
# shellcheck disable=SC2154,SC2016 # helpers.bash sets these
load helpers

running() {
	make_bundle bundle '.process.args = ["sleep", "100"]' "$@"
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	cgroup=$(cgroup_of "$(state_of "$ID" .pid)")
}

# knob FILE VALUE: what the kernel has.
knob() {
	local value
	value=$(<"$cgroup/$1")
	[ "$value" = "$2" ] || mismatch "$1" "$2" "$value"
}

@test "update: files of cgroup v2, from a file and from standard input; devices are not touched" {
	running
	echo '{"unified": {"cgroup.max.depth": "7", "cgroup.max.descendants": "9"}}' >"$WORK/new.json"
	expect 0 update --resources="$WORK/new.json" "$ID"
	[ "$output" = "" ]
	knob cgroup.max.depth 7
	knob cgroup.max.descendants 9
	# As containerd's CRI sends it; in the container nothing may be denied by it.
	hull update --resources - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}],
		"memory": {}, "cpu": {}, "unified": {"cgroup.max.depth": "8"}}'
	knob cgroup.max.depth 8
	expect 0 exec "$ID" sh -c 'echo x >/dev/null && echo y >/dev/full || head -c 1 /dev/zero | wc -c'
	stdout_is 1
	hull update -r - "$ID" <<<'{}'
	# As Docker sends what is not given.
	hull update -r - "$ID" <<<'{"memory": {"reservation": 0, "kernel": 0}, "cpu": {"shares": 0},
		"pids": {"limit": 0}, "blockIO": {"weight": 0}}'
	knob cgroup.max.depth 8
	expect 0 delete --force "$ID"
}

@test "update: all or nothing" {
	running
	hull update -r - "$ID" <<<'{"unified": {"cgroup.max.depth": "7"}}'
	echo '{"unified": {"cgroup.max.depth": "3", "cgroup.max.descendants": "many"}}' >"$WORK/new.json"
	expect 1 update --resources "$WORK/new.json" "$ID"
	stderr_is "hull: linux.resources.unified.cgroup.max.descendants: write \"many\" to ${cgroup#"$(cgroup_mount)"}/cgroup.max.descendants: invalid argument"
	knob cgroup.max.depth 7
	knob cgroup.max.descendants max
	expect 0 delete --force "$ID"
}

@test "update: what is refused, each by name" {
	running
	expect 1 update --resources "$WORK/none.json" "$ID"
	stderr_is "hull: open $WORK/none.json: no such file or directory"
	echo '{"memory": {"limit": "x"}}' >"$WORK/bad.json"
	expect 1 update --resources "$WORK/bad.json" "$ID"
	stderr_has "bad.json:1:22: memory.limit: "
	expect 1 update --resources "$WORK/bad.json" --memory 1M "$ID"
	stderr_is "hull: update: give --resources or options for single limits, not both"
	expect 1 update --memory 1MM "$ID"
	stderr_has 'invalid value "1MM" for flag -memory: parse error'
	expect 1 update --l3-cache-schema x "$ID"
	stderr_is "hull: update container $ID: it is in no class of resctrl (linux.intelRdt)"
	expect 0 kill "$ID" KILL
	wait_state "$ID" stopped
	expect 1 update --memory 1M "$ID"
	stderr_is "hull: container not running"
	expect 0 delete "$ID"
	expect 1 update --memory 1M "$ID"
	stderr_is "hull: container does not exist"
}

@test "update: a controller that is bound to cgroup v1 is named" {
	requires hybrid
	has_controller memory && skip "the memory controller is not bound to cgroup v1"
	running
	expect 1 update --memory 64M "$ID"
	stderr_is "hull: linux.resources.memory.limit: the memory controller is bound to cgroup v1 on this host"
	expect 0 delete --force "$ID"
}

@test "update: memory, CPU and processes by options, also while created and paused" {
	requires controller=memory controller=cpu controller=pids controller=cpuset
	make_bundle bundle '.process.args = ["sleep", "100"]'
	expect 0 create --bundle "$BUNDLE" "$ID"
	cgroup=$(cgroup_of "$(state_of "$ID" .pid)")
	expect 0 update --memory 64M --memory-swap 96M --memory-reservation 32M --cpu-share 512 \
		--cpu-quota 50000 --cpu-period 100000 --cpuset-cpus 0 --cpuset-mems 0 --pids-limit 50 "$ID"
	knob memory.max 67108864
	[ ! -e "$cgroup/memory.swap.max" ] || knob memory.swap.max 33554432
	knob memory.low 33554432
	knob cpu.weight 59
	knob cpu.max "50000 100000"
	knob cpuset.cpus 0
	knob cpuset.mems 0
	knob pids.max 50
	expect 0 start "$ID"
	# Half of a pair keeps the other half as it is.
	expect 0 update --cpu-period 200000 "$ID"
	knob cpu.max "50000 200000"
	expect 0 update --cpu-quota 20000 "$ID"
	knob cpu.max "20000 200000"
	expect 0 pause "$ID"
	expect 0 update --cpu-quota -1 --pids-limit -1 --memory -1 "$ID"
	expect 0 resume "$ID"
	knob cpu.max "max 200000"
	knob pids.max max
	knob memory.max max
	knob cpuset.cpus 0
	hull update -r - "$ID" <<<'{"cpu": {"idle": 1}}'
	knob cpu.idle 1
	hull update -r - "$ID" <<<'{"cpu": {"idle": 0, "shares": 1024}}'
	knob cpu.weight 100
	hull update -r - "$ID" <<<'{"memory": {"limit": 67108864}, "cpu": {"quota": 30000, "burst": 10000}}'
	knob cpu.max.burst 10000
	# Less than a burst or more memory than there is: nothing of it is set.
	before=$(cat "$cgroup"/{memory,pids}.max "$cgroup"/cpu.{max,max.burst,weight})
	echo '{"pids": {"limit": 9}, "memory": {"limit": 33554432}, "unified": {"cpu.weight": "0"}}' >"$WORK/bad.json"
	expect 1 update -r "$WORK/bad.json" "$ID"
	stderr_has "linux.resources.unified.cpu.weight: write \"0\" to"
	[ "$(cat "$cgroup"/{memory,pids}.max "$cgroup"/cpu.{max,max.burst,weight})" = "$before" ]
	echo '{"memory": {"limit": 4096, "checkBeforeUpdate": true}}' >"$WORK/small.json"
	expect 1 update -r "$WORK/small.json" "$ID"
	stderr_has "is less than the"
	knob memory.max 67108864
	expect 0 delete --force "$ID"
}
