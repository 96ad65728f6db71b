#!/usr/bin/env bats
# as: root
#
# Networks of containers for people, on a "host" that is a network namespace of the test's.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers

IMAGE=hull/busybox

setup() {
	setup_test
	requires program=ip program=nsenter program=python3
	[ -e "${HULL%/*}/libexec/hull/hull-unpack" ] || skip "needs hull-unpack beside hull"
	DATA=$WORK/data
	unshare --net sleep 1000 >/dev/null 2>&1 3>&- 4>&- &
	HOST=$!
	wait_for 10 has_namespace
	nsenter --net="/proc/$HOST/ns/net" ip link set lo up
}

has_namespace() {
	[ "$(readlink "/proc/$HOST/ns/net")" != "$(readlink /proc/self/ns/net)" ] &&
		[ "$(cat "/proc/$HOST/comm")" = sleep ]
}

teardown() {
	local id
	for id in $(on_host "$HULL" --root "$STATE" --data-root "$DATA" ps -aq --no-trunc 2>/dev/null); do
		on_host "$HULL" --root "$STATE" --data-root "$DATA" rm -f "$id" >/dev/null 2>&1 || true
	done
	on_host "$HULL" --root "$STATE" --data-root "$DATA" network prune >/dev/null 2>&1 || true
	kill "$HOST" 2>/dev/null || true
	rm -rf "$DATA" 2>/dev/null || true
	teardown_test
}

on_host() { HULL_TEST=$TAG nsenter --net="/proc/$HOST/ns/net" "$@" 3>&- 4>&-; }

# host_hull STATUS WORD...: hull on that host
host_hull() {
	local want=$1
	shift
	run_command nsenter --net="/proc/$HOST/ns/net" "$HULL" --root "$STATE" --data-root "$DATA" "$@"
	[ "$status" = "$want" ] || mismatch "exit status of \`hull $*\`" "$want" "$status"
}

fetch() {
	on_host python3 -c 'import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode(), end="")' "$1"
}

@test "the default network: an address, a way out, and a published port" {
	host_hull 0 run --rm $IMAGE sh -c 'ip -4 -o address show dev eth0 | wc -l; ip route | grep -c default'
	stdout_is $'1\n1'
	host_hull 0 run -d --name web -p 8080:80 $IMAGE sh -c \
		'mkdir /www; echo hello >/www/index.html; exec httpd -f -p 80 -h /www'
	wait_for 10 fetch http://127.0.0.1:8080/
	[ "$(fetch http://127.0.0.1:8080/)" = hello ]
	host_hull 125 run --rm -p 8080:81 $IMAGE true
	stderr_has 8080
	host_hull 0 rm -f web
	! fetch http://127.0.0.1:8080/ 2>/dev/null
	[ -z "$(on_host ip -o link show type veth)" ]
}

@test "containers of a network find each other by name; others do not reach them" {
	host_hull 0 network create red
	host_hull 0 network create blue
	host_hull 0 run -d --name srv --network red --network-alias box $IMAGE httpd -f -p 80 -h /etc
	local address
	host_hull 0 exec srv sh -c "ip -o -4 address show dev eth0 | sed 's/.*inet //;s,/.*,,'"
	address=$stdout
	host_hull 0 run --rm --network red $IMAGE nslookup box
	stdout_has "$address"
	host_hull 0 run --rm --network red --cap-add net_raw $IMAGE ping -c 1 -W 5 "$address"
	host_hull 0 run --rm --network red --cap-add net_raw $IMAGE ping -c 1 -W 5 box
	host_hull 1 run --rm --network blue $IMAGE nslookup box
	host_hull 1 run --rm --network blue --cap-add net_raw $IMAGE ping -c 1 -W 2 "$address"
	host_hull 0 run --rm --network container:srv $IMAGE ip -o -4 address show dev eth0
	local inside=$stdout
	host_hull 0 exec srv ip -o -4 address show dev eth0
	stdout_is "$inside"
	host_hull 0 rm -f srv
	host_hull 0 network rm red blue
}

@test "none, host, and what is nonsense" {
	host_hull 0 run --rm --network none $IMAGE sh -c 'ip -o link | wc -l'
	stdout_is 1
	host_hull 0 run --rm --network host $IMAGE readlink /proc/self/ns/net
	stdout_is "$(readlink "/proc/$HOST/ns/net")"
	host_hull 125 run --rm --network none -p 80:80 $IMAGE true
	stderr_is "hull: --publish: with --network none there is nothing to publish"
	host_hull 125 run --rm --network no-such $IMAGE true
	stderr_has no-such
	host_hull 125 run --rm --ip 1.2.3 $IMAGE true
	stderr_has 1.2.3
	host_hull 0 ps -aq
	stdout_is ""
}

@test "a restart keeps the published port, and a killed keeper leaves no link for long" {
	host_hull 0 run -d --name web -p 8081:80 $IMAGE httpd -f -p 80 -h /etc
	host_hull 0 restart -t 0 web
	wait_for 10 fetch http://127.0.0.1:8081/hostname
	host_hull 0 inspect web
	kill -KILL "$(ps -o ppid= -p "$(jq '.[0].State.Pid' <<<"$stdout")")"
	host_hull 0 rm -f web
	# The next container's start sweeps up.
	host_hull 0 run --rm $IMAGE true
	[ -z "$(on_host ip -o link show type veth)" ]
}
