#!/usr/bin/env bats
# as: root, user
# sanitizers: no
#
# kill -9 at each step of both tables (runtime/creation.c, runtime/init.c): what
# is left, `delete --force` removes wholly. tests/tools/killat stops hull there by
# ptrace(2). The steps are read from a trace, so a new row is tested as well.

load helpers
load ../tools/tools

setup() {
	setup_test
	tool killat
	killat=$tool
	log=$WORK/trace
	options=()
	victim=$ID
	# LeakSanitizer looks at memory by ptrace(2) itself and ends a program that is being traced.
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
}

# hull, killed at WHO:STEP; $status as killat(1) has it.
killed_hull() {
	local at=$1
	shift
	: >"$log"
	run_command "$killat" "$at" "$log" "$HULL" --root "$STATE" --log-level trace \
		--log "$log" "${options[@]}" "$@"
}

# steps_of create|init WORD...: sets $steps to what the trace of a hull that ends says.
steps_of() {
	local side=$1
	shift
	rm -f "$log"
	expect 0 --log-level trace --log "$log" "${options[@]}" "$@"
	mapfile -t steps < <(sed -n "s/^.* hull trace: $side: \([^ ]*\)\$/\1/p" "$log" | uniq)
	[ "${#steps[@]}" -gt 5 ] || mismatch "steps in the trace" "some" "${steps[*]}"
	if [ "$(thinned)" -gt 1 ] || ! is_root; then # there, some
		steps=("${steps[@]:RANDOM % 3}")
		mapfile -t steps < <(printf '%s\n' "${steps[@]}" | sed -n '1~3p')
	fi
}

# The state is not broken, and delete --force removes all.
wholly_removed() {
	expect 0 list
	stderr_is ""
	run_hull state "$victim"
	[ "$status" = 0 ] || stderr_is "hull: container does not exist"
	expect 0 delete --force "$victim"
	stderr_is ""
	assert_nothing_left
}

# each_step create|init COMMAND: kills `hull COMMAND` at each.
each_step() {
	local side=$1 command=$2 step
	shift 2
	for step in "${steps[@]}"; do
		killed_hull "$side:$step" "$command" --bundle "$BUNDLE" "$@" "$victim"
		[ "$status" = 0 ] || mismatch "killat at $side:$step" 0 "$status"
		wholly_removed || mismatch "removed after $side:$step" yes no
	done
}

create_and_run() {
	config_args sleep 1000
	steps_of create create --bundle "$BUNDLE" "$victim"
	expect 0 "${options[@]}" delete --force "$victim"
	each_step create create
	each_step create run
	config_args true
	steps_of init run --bundle "$BUNDLE" "$victim"
	config_args sleep 1000
	each_step init run
	# What comes after `created` is not of create.
	while [ "${steps[-1]}" != created ] && [ "${#steps[@]}" -gt 1 ]; do
		unset 'steps[-1]'
	done
	each_step init create
}

hooks='.hooks = ([
	"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"
] | map({ (.): [{ path: "/bin/true" }] }) | add)'
userns='.linux.namespaces |= map(select(.type != "user")) + [{ type: "user" }] |
	.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] |
	.linux.gidMappings = .linux.uidMappings'

no_cgroup='.mounts |= map(select(.type != "cgroup"))'

@test "kill -9 of hull at each step of create and run" {
	make_bundle
	create_and_run
}

@test "kill -9 of hull at each step, without a cgroup" {
	make_bundle bundle "$no_cgroup"
	options=(--cgroup-manager disabled)
	create_and_run
}

@test "kill -9 of hull at each step, with hooks" {
	make_bundle bundle "$hooks"
	create_and_run
}

@test "kill -9 of hull at each step, with a user namespace" {
	requires root
	make_bundle bundle "$userns"
	chown -R 100000:100000 "$BUNDLE/rootfs"
	create_and_run
}

@test "kill -9 of hull at each step, without a pid namespace" {
	make_bundle bundle '.linux.namespaces |= map(select(.type != "pid"))'
	is_root || config '.mounts |= map(if .destination == "/proc" then
		{ destination: "/proc", type: "bind", source: "/proc", options: ["rbind"] } else . end)'
	create_and_run
}

# A cgroup none of whose parents is there: they are to go as well.
nested='.linux.cgroupsPath = "/\(.hostname)/middle/leaf"'

nested_bundle() {
	make_bundle bundle ".hostname = \"$TAG-top\"" "$nested"
}

@test "kill -9 of hull at each step, with a cgroup whose parents are missing" {
	requires root cgroup
	nested_bundle
	create_and_run
}

@test "kill -9 of hull at any system call of create, with a cgroup whose parents are missing" {
	requires root cgroup
	nested_bundle
	restore() { :; }
	each_syscall 7 create --bundle "$BUNDLE" "$ID"
}

@test "a create that was killed before it had its cgroup: delete leaves another's of that name" {
	requires root cgroup
	nested_bundle
	config_args sleep 1000
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	for how in "" --force; do
		killed_hull create:cgroup create --bundle "$BUNDLE" "$ID-two"
		[ "$status" = 0 ] || mismatch "killat at create:cgroup" 0 "$status"
		expect 0 delete ${how:+"$how"} "$ID-two"
		stderr_has " hull warning: remove cgroup /$TAG-top/middle/leaf: device or resource busy: it is not of container $ID-two, whose create came no further, and stays"
		run_hull state "$ID-two"
		stderr_is "hull: container does not exist"
		[ "$(state_of "$ID")" = running ] || mismatch "the other container" running "$(state_of "$ID")"
	done
	expect 0 delete --force "$ID"
}

@test "kill -9 of hull while a hook runs leaves no init without a cgroup" {
	make_bundle bundle "$no_cgroup" '.hooks = { createContainer: [
		{ path: "/bin/sleep", args: ["sleep", "3"] }] }'
	options=(--cgroup-manager disabled)
	config_args sleep 1000
	: >"$log"
	start_hull --log-level trace --log "$log" "${options[@]}" create --bundle "$BUNDLE" "$ID"
	wait_for 10 grep -q 'init: createContainer-hooks' "$log"
	kill -KILL "$hull_pid"
	wait_hull
	expect 0 delete --force "$ID"
	limit=$((SECONDS + 4 * HULL_TEST_SLOW)) # the hook itself may end first
	while [ -n "$(processes_of "$TAG")" ] && [ "$SECONDS" -lt "$limit" ]; do
		sleep 0.1
	done
	assert_nothing_left
}

@test "the container's init is killed at each step of create: an error, and nothing left" {
	make_bundle bundle "$hooks"
	config_args true
	steps_of init run --bundle "$BUNDLE" "$ID"
	for step in "${steps[@]}"; do
		killed_hull "child:$step" run --bundle "$BUNDLE" "$ID"
		# From here on it may as well be the program that was killed.
		[ "$step" != execute ] || break
		[[ $status != 0 && $status != 99 ]] || mismatch "exit status, child:$step" "not 0" "$status"
		# After GO it is the program's death for hull, too.
		[ "$status" = 137 ] || [[ $stderr == "hull: "?* && ${#lines[@]} = 1 ]] ||
			mismatch "message, child:$step" "one line" "$stderr"
		assert_nothing_left || mismatch "left, child:$step" nothing something
	done
}

@test "kill -9 of hull at each step of exec leaves the container, and no program" {
	requires cgroup
	make_bundle
	config_args sleep 1000
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	steps_of init exec "$ID" true
	for step in "${steps[@]}"; do
		killed_hull "init:$step" exec "$ID" sleep 4000
		[ "$status" = 0 ] || mismatch "killat at $step" 0 "$status"
		[ "$(state_of "$ID")" = running ]
		# Before GO hull's death is that of the program; then it is the container's.
		case $step in
		label | no-new-privileges | descriptors | filter | execute)
				kill_all_but_init "$ID"
			;;
		esac
		wait_for 3 only_init_is_left "$ID" || mismatch "processes after $step" 1 "$(hull ps "$ID")"
		expect 0 exec "$ID" true
	done
	expect 0 delete --force "$ID"
}

kill_all_but_init() {
	local pid init
	init=$(state_of "$1" .pid)
	for pid in $(hull ps --format json "$1" | jq '.[]'); do
		[ "$pid" = "$init" ] || kill -KILL "$pid" 2>/dev/null || true
	done
}

only_init_is_left() {
	[ "$(hull ps --format json "$1" | jq length)" = 1 ]
}

@test "the exec'd process is killed at each step: an error, and the container goes on" {
	requires cgroup
	make_bundle
	config_args sleep 1000
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	steps_of init exec "$ID" true
	for step in "${steps[@]}"; do
		[ "$step" != execute ] || break
		killed_hull "child:$step" exec "$ID" true
		[[ $status != 0 && $status != 99 ]] || mismatch "exit status, child:$step" "not 0" "$status"
		[ "$(state_of "$ID")" = running ]
	done
	only_init_is_left "$ID"
	expect 0 delete --force "$ID"
}

# each_syscall STRIDE WORD...: kills hull after every STRIDEth system call until it
# ends before; `restore` is called before and `wholly_removed` after each.
each_syscall() {
	local stride=$1 n
	shift
	stride=$((stride * $(thinned)))
	for ((n = 2;; n += stride)); do
		restore
		killed_hull "syscall:$n" "$@"
		[ "$status" = 99 ] && break
		[ "$status" = 0 ] || mismatch "killat at $n" 0 "$status"
		wholly_removed || mismatch "removed after $* at $n" yes no
	done
	[ "$n" -gt 50 ] || mismatch "system calls" "more than 50" "$n"
	wholly_removed
}

@test "kill -9 of hull within start" {
	make_bundle
	config_args sleep 1000
	restore() { expect 0 create --bundle "$BUNDLE" "$ID"; }
	each_syscall 7 start "$ID"
}

@test "kill -9 of hull within delete" {
	make_bundle
	restore() { expect 0 create --bundle "$BUNDLE" "$ID"; }
	each_syscall 5 delete "$ID"
}

@test "kill -9 of hull at any system call of create" {
	make_bundle
	restore() { :; }
	each_syscall 11 create --bundle "$BUNDLE" "$ID"
}
