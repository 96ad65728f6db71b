#!/usr/bin/env bats
# as: root
# sanitizers: no
#
# A state directory that is full, or read-only: hull says so in one sentence and leaves
# nothing; and what is there already goes on and can be deleted.

# shellcheck disable=SC2154 # set by helpers
load helpers

setup() {
	setup_test
	mkdir "$STATE"
	make_bundle bundle '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{ names: ["reboot"], action: "SCMP_ACT_ERRNO" }] }'
	config_args sleep 1000
	cgroups=$(cgroup_mount)
}

# on_state_root OPTIONS: calls the function $script in a mount namespace in which $STATE
# is a tmpfs with these options.
on_state_root() {
	local options=$1
	export HULL STATE BUNDLE ID TAG WORK RUNTIME_DIR
	run_command unshare --mount bash -c "$(declare -f hull fails_with "$script" fill); cgroups=$cgroups
		mount -t tmpfs -o '$options' '$TAG' '$STATE'
		set -eu
		$script" </dev/zero
	[ "$status" = 0 ] || mismatch "with $options" 0 "$status"
}

# fails_with WORDS COMMAND...: one sentence, and nothing left.
fails_with() {
	local words=$1 status=0 said
	shift
	hull "$@" >said 2>&1 || status=$? # not by a pipe, which a container would hold
	said=$(<said)
	[[ $said == "hull: "*": $words" && $said != *$'\n'* && $status = 1 ]] || {
		echo "hull $*: $status: $said"
		return 1
	}
	[ -z "$(ls "$STATE")" ] || {
		echo "left after \"$said\": $(find "$STATE")"
		return 1
	}
	[ -z "$(find "$cgroups" -name "$ID")" ] || {
		echo "the cgroup is left after \"$said\""
		return 1
	}
}

# made_or_full: says for create, which needs a socket more, and for run whether there was room.
made_or_full() {
	local command
	for command in create "run --detach"; do
		# shellcheck disable=SC2086 # they are words
		if hull $command --bundle "$BUNDLE" "$ID" >said 2>&1; then
			echo "$command: room"
			hull delete --force "$ID"
			[ -z "$(ls "$STATE")" ]
		else
			echo "$command: full"
			fails_with "no space left on device" $command --bundle "$BUNDLE" "$ID"
		fi
	done
}

# made_with OPTIONS...: with each; some are too small, and some are not.
made_with() {
	local options
	script=made_or_full
	for options in "$@"; do
		on_state_root "$options"
		printf '%s\n' "$stdout" >>seen
	done
	seen=$(sort -u seen)
	[ "$seen" = $'create: full\ncreate: room\nrun --detach: full\nrun --detach: room' ] ||
		mismatch "seen" "full, then room" "$seen"
}

@test "too few inodes: create and run say so, and leave nothing" {
	made_with nr_inodes={1..9}
}

@test "too few blocks: create and run say so, and leave nothing" {
	made_with size={4,8,12,16,20,24,28,32}k
}

fill() {
	! head -c 64M /dev/zero >"$STATE/.fill:ing" 2>/dev/null || false
}

full_meanwhile() {
	hull create --bundle "$BUNDLE" "$ID"
	fill
	hull start "$ID"
	hull state "$ID" >state.json
	grep -q '"status": "running"' state.json
	hull exec "$ID" true
	hull list --quiet
	hull kill "$ID" KILL
	hull delete --force "$ID"
	[ -z "$(ls "$STATE")" ]
}

@test "full after create: start, state, exec, list, kill and delete need no room" {
	script=full_meanwhile
	on_state_root size=1m
	stdout_is "$ID"
	stderr_is ""
}

read_only() {
	mount -o remount,ro "$STATE"
	fails_with "read-only file system" create --bundle "$BUNDLE" "$ID"
	fails_with "read-only file system" run --bundle "$BUNDLE" "$ID"
	hull list --quiet
}

@test "read-only: create and run say so" {
	script=read_only
	on_state_root size=1m
	stdout_is ""
	stderr_is ""
}

read_only_meanwhile() {
	local status=0
	hull create --bundle "$BUNDLE" "$ID"
	hull start "$ID"
	mount -o remount,ro "$STATE"
	hull state "$ID" >state.json
	grep -q '"status": "running"' state.json
	hull exec "$ID" true
	hull delete --force "$ID" || status=$?
	[ "$status" = 1 ]
	[ -z "$(find "$cgroups" -name "$ID")" ]
	hull state "$ID" >state.json
	grep -q '"status": "stopped"' state.json
	mount -o remount,rw "$STATE"
	hull delete --force "$ID"
	[ -z "$(ls "$STATE")" ]
}

# All of the machine, but for the state and the cgroups; as systems are that are updated as a whole.
read_only_root() {
	mount -o remount,bind,ro /
	# Of what is mounted on it, only where it was made for this.
	! mkdir /read-only-root 2>/dev/null || false
	hull run --bundle "$BUNDLE" --detach "$ID"
	hull exec "$ID" true
	hull state "$ID" >"$STATE/.state"
	grep -q '"status": "running"' "$STATE/.state"
	hull kill "$ID" KILL
	hull delete --force "$ID"
	rm "$STATE/.state"
	[ -z "$(ls "$STATE")" ]
}

@test "read-only /: with a state directory that is not, all goes on" {
	script=read_only_root
	on_state_root size=1m
	stdout_is ""
	stderr_is ""
}

@test "read-only after start: delete ends the container, and says what is left" {
	script=read_only_meanwhile
	on_state_root size=1m
	stdout_is ""
	stderr_is "hull: remove the state of container $ID: read-only file system"
}
