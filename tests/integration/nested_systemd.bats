#!/usr/bin/env bats
# as: none, it is the VM that has the controllers
# vm-long: root
# hull in a container, with the systemd of that container: it boots for each test.
# shellcheck disable=SC2154,SC2016,SC2034 # helpers.bash sets these
load helpers
load nested_helpers

# hull with the systemd of the container, of the machine's own root, that $ID is.
has_a_unit() {
	local shown
	expect 0 exec "$ID" "$HULL" --root /run/hull --systemd-cgroup run --detach --bundle "$WORK/inner" one
	stderr_is ""
	expect 0 exec "$ID" "$HULL" --root /run/hull update --pids-limit 33 one
	expect 0 exec "$ID" systemctl show --property=ActiveState,Slice,TasksMax hull-one.scope
	shown=$(sort <<<"$stdout")
	[ "$shown" = $'ActiveState=active\nSlice=system.slice\nTasksMax=33' ] || mismatch "its unit" active "$shown"
	expect 0 exec "$ID" "$HULL" --root /run/hull exec one cat /proc/self/cgroup
	stdout_is 0::/
	expect 0 exec "$ID" "$HULL" --root /run/hull delete --force one
	expect 0 exec "$ID" systemctl show --property=LoadState --value hull-one.scope
	stdout_is not-found
}

@test "hull within systemd within hull: a container is in a unit of that" {
	requires controller=memory controller=pids
	make_bundle inner '.process.args = ["sleep", "1000"]'
	DEFAULT=$(capabilities) system
	wait_for 60 is_up
	has_a_unit
	expect 0 delete --force "$ID"
}

@test "hull within systemd within hull, which is in a user namespace: a container is in a unit of that" {
	requires controller=memory controller=pids
	make_bundle inner '.process.args = ["sleep", "1000"]'
	DEFAULT=$(capabilities) system --userns
	wait_for 60 is_up
	has_a_unit
	expect 0 delete --force "$ID"
}
