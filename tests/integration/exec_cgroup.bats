#!/usr/bin/env bats
# as: root
# vm: root
# sanitizers: thorough
#
# exec --cgroup: a process in a cgroup below the container's.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers

setup() {
	setup_test
	requires cgroup-write
	make_bundle bundle '.process.args = ["sleep", "1000"]' \
		'.linux.namespaces |= map(select(.type != "cgroup"))'
	expect 0 run --detach --bundle "$BUNDLE" "$ID"
	own=$(cgroup_of "$(state_of "$ID" .pid)")
	name=${own#"$(cgroup_mount)"}
}

# is_in PATH WORD...: exec with these words is in this cgroup below the container's.
is_in() {
	expect 0 exec "${@:2}" "$ID" grep '^0::' /proc/self/cgroup
	stdout_is "0::$name$1"
}

@test "a path is below the container's cgroup, in either of runc's forms" {
	mkdir --parents "$own/one/two"
	is_in ""
	is_in "" --cgroup /
	is_in "" --cgroup ""
	is_in /one --cgroup one
	is_in /one --cgroup /one
	is_in /one --cgroup :one
	is_in /one/two --cgroup one/two
	is_in /one --cgroup one/two/..
	expect 0 exec --detach --pid-file pid --cgroup one/two "$ID" sleep 1000
	[ "$(<"$own/one/two/cgroup.procs")" = "$(<pid)" ]
	expect 0 delete --force "$ID"
	[ ! -e "$own" ]
}

@test "out of it leads no path, and what is not there is not made" {
	mkdir "$own-other"
	expect 255 exec --cgroup .. "$ID" true
	stderr_is "hull: --cgroup: \"..\" leads out of cgroup $name"
	expect 255 exec --cgroup "/../${own##*/}-other" "$ID" true
	stderr_is "hull: --cgroup: \"../${own##*/}-other\" leads out of cgroup $name"
	rmdir "$own-other"
	expect 255 exec --cgroup nothing "$ID" true
	stderr_is "hull: --cgroup: open cgroup $name/nothing: no such file or directory"
	expect 255 exec --cgroup cgroup.procs "$ID" true
	stderr_is "hull: --cgroup: open cgroup $name/cgroup.procs: not a directory"
	expect 255 exec --cgroup cpu:one "$ID" true
	stderr_is 'hull: --cgroup "cpu:one": in cgroup v2 controllers have no paths of their own'
	expect 255 exec --cgroup one --cgroup two "$ID" true
	stderr_is 'hull: --cgroup "two": in cgroup v2 a process is in one place only'
	[ "$(find "$own" -mindepth 1 -type d)" = "" ]
	expect 0 delete --force "$ID"
}

@test "a container without a cgroup has none below it" {
	expect 0 delete --force "$ID"
	config '.mounts |= map(select(.type != "cgroup"))'
	expect 0 --cgroup-manager disabled run --detach --bundle "$BUNDLE" "$ID"
	expect 255 exec --cgroup one "$ID" true
	stderr_is "hull: --cgroup /one: the container has no cgroup"
	expect 0 delete --force "$ID"
}

@test "--cgroup / is the container's own, and not where its init is" {
	requires controller=pids
	mkdir "$own/init"
	echo "$(state_of "$ID" .pid)" >"$own/init/cgroup.procs"
	is_in ""
	echo +pids >"$own/cgroup.subtree_control"
	is_in /init
	is_in /init --cgroup init
	expect 255 exec --cgroup / "$ID" true
	stderr_has "resource busy"
	[ "${#lines[@]}" = 1 ]
	expect 0 delete --force "$ID"
}
