#!/usr/bin/env bats
# vm-long: root
# sanitizers: thorough
#
# The network of a container's namespace, in its microVM. Each boots a kernel; what hull does in
# the namespace is also tested without one, in tests/unit/test_microvm_net.c.
# shellcheck disable=SC2016,SC2154
load helpers
load microvm_helpers

setup() {
	setup_test
	requires root program=ip program=tc program=nsenter program=busybox
	requires_guest
	[ -w /dev/net/tun ] || skip "needs /dev/net/tun"
	make_bundle
	namespace POD
	namespace WORLD
}

teardown() {
	kill "${POD:-}" "${WORLD:-}" 2>/dev/null || true
	teardown_test
}

# namespace NAME: a network namespace; the process that holds it is in $NAME.
namespace() {
	unshare --net sleep 1000 >/dev/null 2>&1 3>&- 4>&- &
	printf -v "$1" %d $!
	wait_for 10 has_namespace $!
}

has_namespace() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ] &&
		[ "$(cat "/proc/$1/comm")" = sleep ]
}

at() {
	local pid=$1
	shift
	nsenter --net="/proc/$pid/ns/net" "$@"
}

# What an engine's plugin makes: eth0 in the pod, with addresses and routes; the world is its gateway.
make_pod() {
	at "$WORLD" ip link set lo up
	at "$WORLD" ip link add far0 type veth peer name eth0 address 02:11:22:33:44:55 netns "/proc/$POD/ns/net"
	at "$WORLD" ip address add 10.9.0.1/24 dev far0
	at "$WORLD" ip -6 address add fd09::1/64 dev far0 nodad
	at "$WORLD" ip link set far0 up mtu 1400
	at "$POD" ip link set lo up
	at "$POD" ip link set eth0 up mtu 1400
	at "$POD" ip address add 10.9.0.2/24 broadcast 10.9.0.255 dev eth0
	at "$POD" ip -6 address add fd09::2/64 dev eth0 nodad
	at "$POD" ip route add default via 10.9.0.1
	at "$POD" ip route add 172.30.0.0/16 dev eth0
	at "$POD" ip -6 route add default via fd09::1
}

# The same words within and without: addresses, routes, MAC, MTU.
LOOK='cat /sys/class/net/eth0/address /sys/class/net/eth0/mtu
ip -4 -o address show dev eth0; ip -6 -o address show dev eth0 scope global; ip route; ip -6 route'

look_at_pod() {
	at "$POD" unshare --mount sh -c "mount -t sysfs none /sys; ip() { busybox ip \"\$@\"; }; $LOOK" | same_words
}

# Indexes and lifetimes are not the same, and IPv6 multicast routes come when they come.
same_words() {
	sed -E 's/^[0-9]+: //; s/@if[0-9]+//; s/ +/ /g; s/ $//; /^(multicast )?(ff00|fe80)/d; s/ (metric|pref) [a-z0-9]+//g' | sort
}

# serve PROGRAM...: what the world does with one connection to port 7000
serve() {
	in_background at "$WORLD" busybox nc -l -p 7000 -e "$@" >/dev/null 2>&1
	wait_for 10 listens
}

listens() { at "$WORLD" ss -Hltn | grep -q ':7000 '; }

@test "a namespace with a path: the guest is what its interface was, and nothing stays" {
	local inside out
	make_pod
	config --arg path "/proc/$POD/ns/net" '.linux.namespaces |= map(if .type == "network" then .path = $path else . end)'
	config_args sh -c "$LOOK"'; echo ==; nc 10.9.0.1 7000 </dev/null | md5sum
		mkdir /dev/shm/www; head -c 2000000 /dev/urandom >/dev/shm/www/bytes; md5sum </dev/shm/www/bytes
		exec httpd -f -p 80 -h /dev/shm/www'
	expect 0 --isolation vm create --bundle "$BUNDLE" "$ID" </dev/null
	out=$stdout_file
	[ -z "$(at "$POD" tc qdisc show dev eth0 ingress)" ]
	head -c 3000000 /dev/urandom >"$WORK/bytes"
	serve cat "$WORK/bytes"
	expect 0 start "$ID"
	wait_for 10 has_lines 2 "$out" # of checksums
	inside=$(sed '/^==/,$d' "$out" | same_words)
	[ "$inside" = "$(look_at_pod)" ] || mismatch "within" "$(look_at_pod)" "$inside"
	[[ $inside == *02:11:22:33:44:55* && $inside == *1400* && $inside == *172.30.0.0/16* ]]
	grep -q "^$(md5sum <"$WORK/bytes")" "$out"
	# ... and the world reaches it.
	wait_for 10 gets bytes
	grep -q "^$(md5sum <"$WORK/got")" "$out"
	at "$POD" tc filter show dev eth0 ingress | grep -q 'Redirect to device hull0'
	kill -9 "$(state_of "$ID" .pid)"
	wait_state "$ID" stopped
	expect 0 delete "$ID"
	[ -z "$(at "$POD" tc qdisc show dev eth0 ingress)" ]
	[ "$(at "$POD" ip -o link | wc -l)" -eq 2 ]
}

has_lines() { [ "$(grep -c -- ' -$' "$2")" -eq "$1" ]; }

gets() { at "$WORLD" busybox wget -q -O "$WORK/got" "http://10.9.0.2/$1" 2>/dev/null; }

@test "a hook that makes the interface, and an interface that somebody has" {
	cat >"$WORK/hook" <<-END
		#!/bin/sh
		pid=\$(sed -E 's/.*"pid": ?([0-9]+).*/\1/' | grep -m1 -x '[0-9]\+')
		exec nsenter --net=/proc/$WORLD/ns/net sh -c "
			ip link add far0 type veth peer name net7 netns /proc/\$pid/ns/net
			ip address add 10.9.0.1/24 dev far0
			ip link set far0 up
			nsenter --net=/proc/\$pid/ns/net ip link set net7 up
			nsenter --net=/proc/\$pid/ns/net ip address add 10.9.0.2/24 dev net7"
	END
	chmod 755 "$WORK/hook"
	config --arg path "$WORK/hook" '.hooks.createRuntime = [{path: $path, env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]'
	config_args sh -c 'ip -4 -o address show dev net7 | grep -c 10.9.0.2/24; nc 10.9.0.1 7000 </dev/null'
	at "$WORLD" ip link set lo up
	serve echo from-the-world
	expect 0 --isolation vm run --bundle "$BUNDLE" "$ID"
	stdout_is $'1\nfrom-the-world'
	wait_for 10 far_end_is_gone

	make_pod
	at "$POD" tc qdisc add dev eth0 ingress
	config --arg path "/proc/$POD/ns/net" 'del(.hooks) | .linux.namespaces |= map(if .type == "network" then .path = $path else . end)'
	expect 1 --isolation vm run --bundle "$BUNDLE" "$ID"
	stderr_has "eth0 has an ingress qdisc already: what comes in there is another microVM's, or somebody else's"
	at "$POD" tc qdisc show dev eth0 ingress | grep -q ingress
}

far_end_is_gone() { ! at "$WORLD" ip link show far0 >/dev/null 2>&1; }

@test "hull's own networks: an address, a way out, a published port" {
	[ -e "${HULL%/*}/libexec/hull/hull-unpack" ] || skip "needs hull-unpack beside hull"
	# As `make install` has it: all helpers in one place.
	mkdir -p "$WORK/build/libexec/hull" "$WORK/build/image"
	ln -s "${HULL%/*}"/libexec/hull/* "$HULL_LIBEXEC"/hull-vmm "$HULL_LIBEXEC"/hull-agent "$WORK/build/libexec/hull"
	ln -s "$HULL_IMAGE" "$WORK/build/image/default.oci"
	export HULL_LIBEXEC=$WORK/build/libexec/hull
	at "$POD" ip link set lo up
	run_command nsenter --net="/proc/$POD/ns/net" "$HULL" --root "$STATE" --data-root "$WORK/data" --isolation vm \
		run -d --name web -p 8080:80 hull/busybox sh -c \
		'mkdir /www; ip route | grep -c default >/www/index.html; exec httpd -f -p 80 -h /www'
	[ "$status" -eq 0 ] || mismatch status 0 "$status: $stderr"
	wait_for 10 fetch
	[ "$(fetch)" = 1 ]
	run_command nsenter --net="/proc/$POD/ns/net" "$HULL" --root "$STATE" --data-root "$WORK/data" rm -f web
	[ "$status" -eq 0 ]
	rm -rf "$WORK/data"
}

fetch() { at "$POD" busybox wget -q -O - http://127.0.0.1:8080/; }
