# systemd_helpers.bash - for the tests of the systemd cgroup driver, after `helpers`.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # the two set these for each other

setup() {
	requires systemd pure-v2
	setup_test
	slice=system.slice
	is_root || slice=user.slice
	unit=$TAG-x.scope
	if is_root; then
		manager=/sys/fs/cgroup
	else
		manager=/sys/fs/cgroup$(ctl show --property ControlGroup --value)
	fi
}

# A unit that a failed test left would be in the way of nothing, but should go.
teardown() {
	[ -z "${TAG:-}" ] || ctl stop "$TAG-*" 2>/dev/null || true
	teardown_test
}

ctl() {
	if is_root; then systemctl "$@"; else systemctl --user "$@"; fi
}

# sd_bundle [FILTER...]: a bundle whose container waits, in the unit $unit of $slice.
sd_bundle() {
	make_bundle bundle '.process.args = ["sleep", "1000"]' \
		".linux.cgroupsPath = \"$slice:$TAG:x\"" "$@"
}

sd_run() {
	sd_bundle "$@"
	expect 0 --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID"
	stderr_is ""
	cgroup=$(cgroup_of "$(state_of "$ID" .pid)")
}

# shown PROPERTY VALUE: what systemd says about the unit.
shown() {
	local value
	value=$(ctl show --property "$1" --value "$unit")
	[ "$value" = "$2" ] || mismatch "$1 of $unit" "$2" "$value"
}

# knob FILE VALUE: what the kernel has for the container; scope_knob: for the unit.
knob() {
	local value
	value=$(<"$cgroup/$1")
	[ "$value" = "$2" ] || mismatch "$1" "$2" "$value"
}
scope_knob() { cgroup=${cgroup%/*} knob "$@"; }

no_unit() {
	[ "$(ctl show --property LoadState --value "$unit")" = not-found ] &&
		[ ! -e "$manager/$slice/$unit" ]
}

# no_units: none that a test made is there, whatever its state.
no_units() {
	[ -z "$(ctl list-units --all --plain --no-legend "$TAG*")" ]
}

# sd_limited WORD...: a bundle as sd_bundle's, of this program, with 32 MiB.
sd_limited() {
	local args
	args=$(jq --null-input --compact-output '$ARGS.positional' --args -- "$@")
	sd_bundle ".process.args = $args | .linux.resources.memory = {limit: 33554432, swap: 33554432}"
}

LACK="the kernel killed 1 of its processes for lack of memory (OOM): its limit is 32.0 MiB, its peak was 32.0 MiB"

# told_afterwards: state, why and the log of delete, when the unit and its cgroup are gone.
told_afterwards() {
	wait_for 20 no_unit
	hull state "$ID" | jq --exit-status '."run.hull.oom" |
		.killed == 1 and .limit == 33554432 and .peak > 30000000 and .peak <= 33554432' ||
		mismatch run.hull.oom "one killed" "$(hull state "$ID")"
	expect 0 why "$ID"
	stdout_has "$ID (stopped): $LACK"
	expect 0 delete "$ID"
	stderr_has "container $ID: $LACK"
	no_unit
}
