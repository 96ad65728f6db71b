#!/usr/bin/env bats
# Namespaces: made, joined by path, shared; id maps; names, sysctls and clocks.
# shellcheck disable=SC2154,SC2016
load helpers

ALL='user cgroup time ipc mnt net pid uts'
MAPS='.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
	.linux.gidMappings = .linux.uidMappings'

# run_sh SCRIPT [FILTER...]: the script in a container of the default bundle.
run_sh() {
	make_bundle "bundle$((++bundles))" '.root.readonly = false' "${@:2}"
	config_args sh -c "$1"
	expect 0 run --bundle "$BUNDLE" "$ID"
}

# new TYPE: a filter that asks for a new namespace of the type, once.
new() { echo "(.linux.namespaces |= map(select(.type != \"$1\")) + [{type: \"$1\"}])"; }
without() { echo "(.linux.namespaces |= map(select(.type != \"$1\")))"; }
joined() { echo "(.linux.namespaces |= map(select(.type != \"$1\")) + [{type: \"$1\", path: \"$2\"}])"; }

@test "each of the eight namespaces is made" {
	run_sh 'for n in user cgroup time ipc mnt net pid uts; do readlink /proc/self/ns/$n; done' \
		"$(new cgroup) | $(new time) | $(new user) | $MAPS"
	n=0
	for name in $ALL; do
		[ "${lines[n]}" != "$(readlink "/proc/self/ns/$name")" ] || mismatch "$name" new shared
		[[ ${lines[n]} == $name:* ]]
		n=$((n + 1))
	done
}

@test "namespaces that are not asked for are shared with the host" {
	run_sh 'for n in user cgroup time ipc net pid uts; do readlink /proc/self/ns/$n; done' \
		'.linux.namespaces = [{type: "mount"}] | del(.hostname)' \
		'.mounts |= map(select(.type != "cgroup" and .type != "sysfs" and .type != "mqueue"))'
	for name in user cgroup time ipc net pid uts; do
		stdout_has "$(readlink "/proc/self/ns/$name")"
	done
}

@test "each kind is joined by path" {
	make_bundle one "$(new cgroup) | $(new time)" '.process.args = ["sleep", "100"]'
	expect 0 run -d --bundle "$BUNDLE" --pid-file pid "$ID-one"
	pid=$(<pid)
	for pair in cgroup:cgroup time:time ipc:ipc network:net pid:pid uts:uts; do
		run_sh "readlink /proc/self/ns/${pair#*:}" \
			"$(joined "${pair%:*}" "/proc/$pid/ns/${pair#*:}") | del(.hostname)"
		stdout_is "$(readlink "/proc/$pid/ns/${pair#*:}")"
	done
	expect 0 delete --force "$ID-one"
}

has_own_mounts() {
	[ "$(readlink "/proc/$1/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]
}

@test "a joined mount namespace" {
	requires root
	in_background unshare --mount sleep 100
	pid=${BACKGROUND[-1]}
	wait_for 10 has_own_mounts "$pid"
	# The paths of the configuration are those of that namespace.
	run_sh 'readlink /proc/self/ns/mnt' "$(joined mount "/proc/$pid/ns/mnt")"
	expect 0 delete --force "$ID-one"
}

@test "a network namespace of ip-netns, with its loopback" {
	requires program=ip
	ip netns add "$TAG"
	ip netns exec "$TAG" ip link add dummy7 type dummy 2>/dev/null ||
		ip netns exec "$TAG" ip link set lo up
	inode=$(stat -Lc %i "/run/netns/$TAG")
	status=0
	run_sh 'readlink /proc/self/ns/net' "$(joined network "/run/netns/$TAG")" || status=1
	ip netns delete "$TAG"
	[ "$status" = 0 ]
	stdout_is "net:[$inode]"
}

@test "a new network namespace has its loopback up" {
	run_sh 'cat /sys/class/net/lo/operstate; ip -o link | wc -l; ping -c 1 127.0.0.1 >/dev/null && echo pong' \
		'.process.capabilities |= map_values(. + ["CAP_NET_RAW"])'
	stdout_is $'unknown\n1\npong'
}

@test "user namespace: maps, and who owns what" {
	make_bundle bundle '.root.readonly = false' "$(new user) | $MAPS" \
		'.mounts += [{destination: "/mnt", type: "bind", source: "'"$WORK/shared"'", options: ["rbind"]},
		{destination: "/t", type: "tmpfs", source: "t"}]'
	install -d -m 777 -o 100000 -g 100000 shared
	install -d -m 755 "$BUNDLE/rootfs/t" "$BUNDLE/rootfs/mnt"
	config_args sh -c 'tr -s " " </proc/self/uid_map; touch /mnt/x /t/x; stat -c %u:%g /mnt/x /t/x; id -u'
	expect 0 run --bundle "$BUNDLE" "$ID"
	stdout_is $' 0 100000 65536\n0:0\n0:0\n0'
	[ "$(stat -c %u:%g shared/x)" = 100000:100000 ]
}

@test "user namespace: message queues are of its root" {
	run_sh 'stat -c %u:%g /dev/mqueue /proc/sys/fs/mqueue/msg_max; mkdir /dev/mqueue/d 2>/dev/null
		: >/dev/mqueue/q && stat -c %u /dev/mqueue/q; cat /proc/sys/fs/mqueue/msg_max' \
		"$(new user) | $MAPS | .linux.sysctl = {\"fs.mqueue.msg_max\": \"77\"}"
	stdout_is $'0:0\n0:0\n0\n77'
}

@test "user namespace: a source that the mapped root cannot traverse" {
	make_bundle bundle "$(new user) | $MAPS" '.root.readonly = false' \
		'.mounts += [{destination: "/mnt", source: "'"$WORK/closed/in"'", options: ["bind", "ro"]}]'
	install -d -m 700 closed
	install -d closed/in
	echo secret >closed/in/file
	config_args cat /mnt/file
	mkdir "$BUNDLE/rootfs/mnt"
	expect 0 run --bundle "$BUNDLE" "$ID"
	stdout_is secret
}

@test "user namespace: a process of it that is not its root" {
	run_sh 'id -u; id -G; grep ^CapEff /proc/self/status' "$(new user) | $MAPS" \
		'.process.user = {uid: 1000, gid: 1000, additionalGids: [5, 6]}' \
		'del(.process.capabilities.ambient)'
	stdout_is $'1000\n1000 5 6\nCapEff:\t0000000000000000'
}

@test "time namespace: offsets" {
	run_sh 'cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets | tr -s " "' \
		"$(new time)" '.linux.timeOffsets = {boottime: {secs: 1000000}, monotonic: {secs: 7, nanosecs: 5}}'
	[ "${lines[0]}" -ge $(($(cut -d. -f1 /proc/uptime) + 999990)) ]
	stdout_has "monotonic 7 5"
	stdout_has "boottime 1000000 0"
}

@test "cgroup namespace: its root is the container's own cgroup" {
	run_sh 'grep ^0:: /proc/self/cgroup' "$(new cgroup)"
	stdout_is "0::/"
	make_bundle two "$(new cgroup)" '.process.args = ["sleep", "100"]'
	expect 0 run -d --bundle "$BUNDLE" --pid-file pid "$ID"
	expect 0 exec "$ID" grep ^0:: /proc/self/cgroup
	stdout_is "0::/"
	[[ $(cgroup_of "$(<pid)") == *"$ID"* ]]
	expect 0 delete --force "$ID"
}

@test "hostname and domainname" {
	run_sh 'cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname' \
		'.hostname = "some-host" | .domainname = "example.org"'
	stdout_is $'some-host\nexample.org'
	[ "$(</proc/sys/kernel/hostname)" != some-host ]
}

@test "sysctl: of the network and ipc namespaces, and not of the host" {
	before=$(</proc/sys/kernel/shm_rmid_forced)$(</proc/sys/net/ipv4/ip_default_ttl)
	run_sh 'cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shm_rmid_forced /proc/sys/fs/mqueue/msg_max' \
		'.linux.sysctl = {"net.ipv4.ip_default_ttl": "61", "kernel.shm_rmid_forced": "1", "fs/mqueue/msg_max": "99"}'
	stdout_is $'61\n1\n99'
	[ "$before" = "$(</proc/sys/kernel/shm_rmid_forced)$(</proc/sys/net/ipv4/ip_default_ttl)" ]
}

@test "sysctl: one that does not exist, and one in a user namespace" {
	make_bundle bundle '.linux.sysctl = {"net.nothing": "1"}'
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_is "hull: linux.sysctl: open net.nothing: no such file or directory"
	run_sh 'cat /proc/sys/net/ipv4/ip_default_ttl' "$(new user) | $MAPS" \
		'.linux.sysctl = {"net.ipv4.ip_default_ttl": "62"}'
	stdout_is 62
}

@test "sysctl: an empty value empties a word, and is no number" {
	run_sh 'echo "<$(cat /proc/sys/kernel/domainname)>"' '.domainname = "box"' \
		'.linux.sysctl = {"kernel.domainname": ""}'
	stdout_is "<>"
	make_bundle bundle '.linux.sysctl = {"net.ipv4.ip_default_ttl": ""}'
	expect 1 run --bundle "$BUNDLE" "$ID"
	stderr_is 'hull: linux.sysctl: set net.ipv4.ip_default_ttl to "": invalid argument'
}

@test "pid namespace: the program is pid 1, and all dies with it" {
	run_sh 'echo $$; sleep 1000 & ls -d /proc/[0-9]* | wc -l'
	[ "${lines[0]}" = 1 ]
	[ "${lines[1]}" -le 5 ]
	assert_nothing_left
}

@test "a joined user namespace with others, listed last, as CRI does" {
	make_bundle one "$(new user) | $MAPS" '.process.args = ["sleep", "100"]'
	expect 0 run -d --bundle "$BUNDLE" --pid-file pid "$ID-one"
	pid=$(<pid)
	run_sh 'readlink /proc/self/ns/user /proc/self/ns/net; for n in user net ipc uts; do
		readlink /proc/self/ns/$n; done; id -u' \
		"$(joined network "/proc/$pid/ns/net") | $(joined ipc "/proc/$pid/ns/ipc") |
		$(joined uts "/proc/$pid/ns/uts") | $(joined user "/proc/$pid/ns/user") | $MAPS | del(.hostname)"
	for name in user net ipc uts; do
		stdout_has "$(readlink "/proc/$pid/ns/$name")"
	done
	[ "$(tail -n 1 <<<"$stdout")" = 0 ]
	expect 0 exec "$ID-one" cat /proc/self/uid_map
	stdout_has 100000
	expect 0 delete --force "$ID-one"
}

# beside SETUP WORD...: hull in a network namespace of its own for the host's side, in which
# SETUP made devices; and what that has of them afterwards, in $WORK/after.
beside() {
	run_command unshare --net sh -euc "$1"'; status=0; "$@" || status=$?
		ip -oneline address >after; exit $status' sh "$HULL" --root "$STATE" "${@:2}"
}

DEVICE='ip link add dev0 mtu 1300 type veth peer name peer0; ip link set dev0 up
	ip address add 192.0.2.7/24 dev dev0; ip address add 2001:db8::7/64 dev dev0 nodad'

# after_has TEXT: the host's side has this device's address.
after_has() { [[ $(tr -s ' ' <after) == *"$1"* ]] || mismatch "the host's devices" "$1" "$(<after)"; }

can_make_veth() {
	unshare --net sh -c "$DEVICE" >/dev/null 2>&1 || skip "needs veth devices and ip(8)"
}

@test "netDevices: moved, renamed, with their addresses, and up" {
	can_make_veth
	make_bundle bundle "$(new network)" '.linux.netDevices = {dev0: {name: "lan0"}}'
	config_args sh -c 'cd /sys/class/net; cat lan0/mtu lan0/flags; echo *
		grep " lan0$" /proc/net/if_inet6; grep ^lan0 /proc/net/route'
	beside "$DEVICE" run --bundle "$BUNDLE" "$ID"
	[ "$status" = 0 ] || mismatch status 0 "$status"
	[ "${lines[0]} ${lines[1]} ${lines[2]}" = "1300 0x1003 lan0 lo" ] || mismatch device "" "$stdout"
	stdout_has 20010db8000000000000000000000007 # the address of IPv6
	stdout_has $'lan0\t000200C0\t00000000'      # the route that comes with that of IPv4
	# A veth goes with the namespace that it is in.
	[[ $(<after) != *dev0* ]] || mismatch "the host's devices" "no dev0" "$(<after)"
}

@test "netDevices: into a namespace that is joined, under the same name" {
	can_make_veth
	in_background unshare --net sleep 60
	joined=${BACKGROUND[-1]}
	wait_for 10 is_elsewhere "$joined"
	make_bundle bundle "$(joined network "/proc/$joined/ns/net")" '.linux.netDevices = {dev0: {}}'
	config_args cat /sys/class/net/dev0/mtu
	beside "$DEVICE" run --bundle "$BUNDLE" "$ID"
	[ "$status" = 0 ] || mismatch status 0 "$status"
	stdout_is 1300
}

is_elsewhere() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

@test "netDevices: a name that is taken, and what is missing, leave all as it was" {
	can_make_veth
	make_bundle bundle "$(new network)" '.linux.netDevices = {dev0: {name: "one"}, peer0: {name: "lo"}}'
	beside "$DEVICE" run --bundle "$BUNDLE" "$ID"
	[ "$status" = 1 ]
	stderr_is 'hull: linux.netDevices.peer0: the container has a network device "lo" already'
	after_has 'dev0 inet 192.0.2.7/24'
	after_has 'dev0 inet6 2001:db8::7/64'
	assert_nothing_left
	config '.linux.netDevices = {dev0: {}, nothing: {}}'
	beside "$DEVICE" run --bundle "$BUNDLE" "$ID"
	[ "$status" = 1 ]
	stderr_is 'hull: linux.netDevices.nothing: there is no such network device'
	after_has 'dev0 inet 192.0.2.7/24'
	assert_nothing_left
}

@test "netDevices: back on the host when a later step fails" {
	can_make_veth
	make_bundle bundle "$(new network)" '.linux.netDevices = {dev0: {name: "eth%d"}}' \
		'.hooks.createRuntime = [{path: "/bin/false"}]'
	beside "$DEVICE" run --bundle "$BUNDLE" "$ID"
	[ "$status" = 1 ]
	stderr_has createRuntime
	after_has 'dev0 inet 192.0.2.7/24'
	after_has 'dev0 inet6 2001:db8::7/64'
	assert_nothing_left
}

@test "netDevices: a user namespace, and a pattern for the name" {
	can_make_veth
	make_bundle bundle "$(new network) | $(new user) | $MAPS" '.linux.netDevices = {dev0: {name: "eth%d"}}'
	config_args cat /sys/class/net/eth0/mtu
	beside "$DEVICE" run --bundle "$BUNDLE" "$ID"
	[ "$status" = 0 ] || mismatch status 0 "$status"
	stdout_is 1300
}

@test "netDevices: what becomes of them is the namespace's, nothing is reset or fetched" {
	can_make_veth
	in_background unshare --net sleep 60
	joined=${BACKGROUND[-1]}
	wait_for 10 is_elsewhere "$joined"
	make_bundle bundle "$(joined network "/proc/$joined/ns/net")" '.linux.netDevices = {dev0: {name: "lan0"}}' \
		'.process.capabilities |= with_entries(.value += ["CAP_NET_ADMIN"])'
	config_args sh -c 'ip link set lan0 down && ip link set lan0 mtu 1400'
	# Its peer stays as well: a veth goes with that.
	beside "$DEVICE; ip link set peer0 netns $joined" run --bundle "$BUNDLE" "$ID"
	[ "$status" = 0 ] || mismatch status 0 "$status: $stderr"
	[[ $(<after) != *192.0.2.7* ]] || mismatch "the host's devices" "no lan0" "$(<after)"
	nsenter --target "$joined" --net ip -oneline link show lan0 >left
	[[ $(<left) == *"mtu 1400"*"state DOWN"* ]] || mismatch "lan0" "down, mtu 1400" "$(<left)"
}

# What the program of an exec may run on: "final"; else what the kernel makes of "initial" in the container's cgroup.
@test "execCPUAffinity: initial, final and none" {
	grep -q '^Cpus_allowed_list:.0-' /proc/self/status || skip "needs two processors, 0 and 1"
	cpus() { sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$1/status"; }
	make_bundle bundle '.process.execCPUAffinity = {initial: "0", final: "1"}'
	config_args sleep 1000
	expect 0 run -d --bundle "$BUNDLE" "$ID"
	all=$(cpus self)
	[ "$(cpus "$(state_of "$ID" .pid)")" = "$all" ] # it is not init's
	expect 0 exec "$ID" sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status
	stdout_is 1
	jq '.process | .args = ["sh", "-c", "grep ^Cpus_allowed_list: /proc/self/status; sleep 1000"] | .execCPUAffinity = {initial: "0", final: ""}' \
		"$BUNDLE/config.json" >process.json
	start_hull exec --process process.json "$ID"
	wait_for 10 grep -q Cpus "$stdout_file"
	[ "$(cpus "$hull_pid")" = 0 ]
	# A cgroup with cpuset gives what is born in it all that it has (cpuset_fork).
	if ! grep -qw cpuset "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(state_of "$ID" .pid)/cgroup")/cgroup.controllers" 2>/dev/null; then
		[ "$(<"$stdout_file")" = $'Cpus_allowed_list:\t0' ]
	fi
	expect 0 kill "$ID" KILL
	wait_hull
	expect 0 delete --force "$ID"
	jq '.process.execCPUAffinity = {initial: "4000"} | .process' "$BUNDLE/config.json" >process.json
	config 'del(.process.execCPUAffinity)'
	expect 0 run -d --bundle "$BUNDLE" "$ID"
	expect 255 exec --process process.json "$ID"
	stderr_is "hull: process.execCPUAffinity.initial: set CPU affinity: invalid argument"
	expect 0 exec "$ID" sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status
	stdout_is "$all"
	expect 0 delete --force "$ID"
}
