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

@test "update: files of cgroup v2, from a file and from standard input; what engines send is not meant" {
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

@test "update: devices are another policy at once, or the old one" {
	local no="peration not permitted" yes="o such device or address"
	requires root
	# The kernel has no such device; but whoever may not open it is not told so.
	running '.linux.devices = [{path: "/dev/none", type: "c", major: 1, minor: 77}]'
	opens() {
		expect 1 exec "$ID" sh -c 'exec 3<>/dev/none'
		stderr_has "$1"
	}
	opens "$no"
	hull update -r - "$ID" <<<'{"devices": [{"allow": false}, {"allow": true, "type": "c", "major": 1, "minor": 77, "access": "rw"}]}'
	opens "$yes"
	# What engines send with each update denies nothing.
	hull update -r - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}]}'
	opens "$yes"
	# With a limit that fails it stays, and so with a rule that is none.
	echo '{"devices": [{"allow": false}, {"allow": false, "type": "c", "major": 1}],
		"unified": {"cgroup.max.depth": "many"}}' >"$WORK/bad.json"
	expect 1 update --resources "$WORK/bad.json" "$ID"
	stderr_has "cgroup.max.depth"
	opens "$yes"
	echo '{"devices": [{"allow": true, "type": "c", "access": "x"}], "unified": {"cgroup.max.depth": "3"}}' >"$WORK/bad.json"
	expect 1 update --resources "$WORK/bad.json" "$ID"
	stderr_has 'bad.json:1:53: devices[0].access: "x" is not made of r, w and m'
	knob cgroup.max.depth max
	opens "$yes"
	hull update -r - "$ID" <<<'{"devices": [{"allow": false, "type": "c", "major": 1, "minor": 77}]}'
	opens "$no"
	expect 0 exec "$ID" sh -c 'echo x >/dev/null'
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
	expect 1 update --memory-swap 64M "$ID"
	stderr_is "hull: linux.resources.memory.swap: the memory controller is bound to cgroup v1 on this host"
	# A person's 0 is a limit; that of an engine is not given.
	expect 1 update --pids-limit 0 "$ID"
	stderr_is "hull: linux.resources.pids.limit: the pids controller is bound to cgroup v1 on this host"
	hull update -r - "$ID" <<<'{"pids": {"limit": 0}}'
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
	expect 0 update --pids-limit 0 "$ID"
	knob pids.max 1
	hull update -r - "$ID" <<<'{"pids": {"limit": 0}}'
	knob pids.max 1
	expect 0 update --pids-limit 9 "$ID"
	knob pids.max 9
	expect 0 delete --force "$ID"
}

@test "update: what fails leaves the weight, idleness, bursts and cpusets" {
	requires controller=cpu controller=cpuset
	running '.linux.resources.cpu = {shares: 512, quota: 20000, burst: 10000, mems: "0"}'
	files() { (cd "$cgroup" && grep . cpu.{idle,weight,max,max.burst} cpuset.cpus.effective); }
	before=$(files)
	[[ $before == *cpu.weight:59* ]]
	fails() {
		echo "$1" >"$WORK/bad.json"
		expect 1 update -r "$WORK/bad.json" "$ID"
		[[ $stderr != *"write \""*"back to"* ]] || mismatch stderr "all is taken back" "$stderr"
		[ "$(files)" = "$before" ] || mismatch files "$before" "$(files)"
	}
	fails '{"cpu": {"idle": 1}, "unified": {"cgroup.max.depth": "many"}}'
	fails '{"cpu": {"quota": 60000, "burst": 50000}, "unified": {"cgroup.max.depth": "many"}}'
	fails '{"cpu": {"quota": 5000, "burst": 4000}, "unified": {"cgroup.max.depth": "many"}}'
	fails '{"cpu": {"quota": 10000, "burst": 90000}}'
	[ "$(<"$cgroup/cpuset.cpus")" = "" ]
	fails '{"cpu": {"cpus": "0", "mems": "7"}}'
	stderr_has 'linux.resources.cpu.mems: write "7" to '
	hull update -r - "$ID" <<<'{"cpu": {"idle": 1}}'
	before=$(files)
	[[ $before == *cpu.idle:1* ]]
	fails '{"cpu": {"idle": 0, "shares": 512}, "unified": {"cgroup.max.depth": "many"}}'
	# What is idle has no weight: the same configuration is as good for create as for update.
	hull update -r - "$ID" <<<'{"cpu": {"idle": 1, "shares": 512}}'
	expect 0 delete --force "$ID"
}

@test "update: a limit below what is in use, as the configuration has it" {
	requires controller=memory
	running '.linux.resources.memory = {limit: 67108864, checkBeforeUpdate: true}'
	expect 1 update --memory 4K "$ID"
	stderr_has "linux.resources.memory.limit: 4096 is less than the "
	knob memory.max 67108864
	expect 0 update --memory 32M "$ID"
	knob memory.max 33554432
	expect 0 delete --force "$ID"
}
