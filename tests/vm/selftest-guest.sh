#!/bin/bash
# What a test may rely on in the guest: one line "ok NAME" or "not ok NAME" each, and
# exit status 1 if any is not.
# shellcheck disable=SC2317,SC2001 # `check` calls them; sed is for many lines
set -u
result=0

check()
{
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		echo "ok $name"
	else
		echo "not ok $name"
		sed 's/^/# /' <<<"${output:-(it said nothing)}"
		result=1
	fi
}

systemd_runs()
{
	local state
	state=$(systemctl is-system-running --wait)
	[ "$state" = running ] || systemctl --failed
	[ "$state" = running ] || [ "$state" = degraded ]
}

cgroup2_alone()
{
	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] && ! grep -q ' - cgroup ' /proc/self/mountinfo
}

has_controllers()
{
	local controller
	for controller in cpu cpuset io memory pids; do
		grep -qw "$controller" "$1/cgroup.controllers" || { echo "no $controller in $1"; return 1; }
	done
}
export -f has_controllers

bundle_make()
{
	local dir=$1
	shift
	mkdir -p "$dir/rootfs"/{bin,dev,proc,sys,tmp,etc,run}
	cp /bin/busybox "$dir/rootfs/bin/"
	ln -sf busybox "$dir/rootfs/bin/sh"
	(cd "$dir" && rm -f config.json && crun spec "$@")
	jq '.process.args = ["sh", "-c", "exit 42"] | .process.terminal = false' \
		"$dir/config.json" >"$dir/config.new" && mv "$dir/config.new" "$dir/config.json"
}

exits_42()
{
	local status=0
	"$@" || status=$?
	[ "$status" -eq 42 ] || { echo "exit status $status"; return 1; }
}

# In the scope that as-user made: a limit on itself, and a child with one of its own
delegated()
{
	local own
	own=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)
	has_controllers "$own" && echo 500M >"$own/memory.max" &&
		[ "$(cat "$own/memory.max")" -eq 524288000 ] &&
		mkdir "$own/init" "$own/box" && echo 0 >"$own/init/cgroup.procs" &&
		echo "+cpu +cpuset +io +memory +pids" >"$own/cgroup.subtree_control" &&
		echo 5 >"$own/box/pids.max" && [ "$(cat "$own/box/pids.max")" -eq 5 ]
}
export -f delegated

ids_map()
{
	local map
	map=$(unshare --user --map-root-user --map-auto cat /proc/self/uid_map | xargs)
	[[ $map = "0 1000 1 1 100000 "* ]] || { echo "mapped $map"; return 1; }
}
export -f ids_map

user_session()
{
	[ "$(id -un)" = dev ] && [ "$HOME" = /home/dev ] && [ -d "$XDG_RUNTIME_DIR" ] &&
		systemctl --user is-system-running && busctl --user status >/dev/null
}
export -f user_session

stdin_closed()
{
	[ "$(cat)" = "" ]
}

# The kernel patches its own code while both processors run it, which not every way of
# emulating two processors survives: see accelerator() in vm.
patches_itself()
{
	local i busy key=/proc/sys/kernel/sched_schedstats
	(while :; do :; done) &
	busy=$!
	for i in {1..60}; do
		echo $((i % 2)) >"$key"
	done
	kill "$busy"
}

check "systemd runs" systemd_runs
check "cgroup v2, and it alone" cgroup2_alone
check "controllers at the top" has_controllers /sys/fs/cgroup
check "nothing on stdin" stdin_closed
check "/dev/kvm" test -c /dev/kvm
check "the directory is /job" test "$(cat /job/greeting)" = hello

bundle_make /tmp/bundle
check "crun" exits_42 crun run -b /tmp/bundle crun-1
check "runc" exits_42 runc run -b /tmp/bundle runc-1
check "crun, systemd's cgroups" exits_42 crun --systemd-cgroup run -b /tmp/bundle crun-2
check "podman" exits_42 podman run --rm --network none --memory 64m --rootfs /tmp/bundle/rootfs \
	sh -c 'exit 42'

check "as-user: a session" as-user bash -c user_session
check "as-user: exact exit status" exits_42 as-user sh -c 'exit 42'
check "as-user: delegated controllers" as-user bash -c delegated
check "as-user: newuidmap" as-user bash -c ids_map
export -f bundle_make
as-user bash -c 'bundle_make /tmp/rootless --rootless'
check "as-user: crun" exits_42 as-user crun run -b /tmp/rootless crun-3
check "as-user: podman" exits_42 as-user podman run --rm --memory 64m --rootfs /tmp/rootless/rootfs \
	sh -c 'exit 42'
check "a kernel that patches itself" patches_itself

exit "$result"
