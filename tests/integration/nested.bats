#!/usr/bin/env bats
# as: root
# vm: root
# vm-long: user
# sanitizers: no
# What starts processes and cgroups of its own within a container: hull itself, and systemd.
# shellcheck disable=SC2154,SC2016 # helpers.bash sets these
load helpers
load nested_helpers

@test "hull within hull: the life of a container" {
	requires cgroup
	if is_root; then outer; else outer "$USERS" "$USERS_INNER"; fi
	lives
}

@test "hull within hull, which is in a user namespace" {
	requires root cgroup
	outer "$USERNS"
	chown -R 100000:100000 "$BUNDLE/rootfs"
	lives
}

@test "systemd within hull comes to running" {
	requires root controller=memory controller=pids
	system
	boots
}

@test "systemd within a user's hull comes to running" {
	requires controller=memory controller=pids
	users_system
	boots
}

@test "systemd within a user's hull comes to running, in a unit of the user's systemd" {
	requires controller=memory controller=pids
	users_system --systemd-cgroup
	boots
}

@test "systemd within hull comes to running, in a unit of the host's systemd" {
	requires root controller=memory controller=pids
	system --systemd-cgroup
	boots
}
