#!/usr/bin/env bats
# as: root
#
# Networks, in network namespaces that the test makes: the host's ($HOST), a world
# outside of it ($WORLD), and one for each container. No packet leaves the machine.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # status, stdout and stderr are run_command's, tool is tool's
load helpers
load ../tools/tools
load network_helpers

@test "containers of a network reach each other, the host and the world" {
	container one
	container two
	at "$WORLD" ip route add 10.76.0.0/14 via 192.0.2.1
	serve "$two" tcp 80
	serve "$HOST" tcp 81
	serve "$WORLD" tcp 82
	answers "$one" tcp "$(address "$two")" 80 "server $(address "$one")"
	answers "$one" tcp 10.76.0.1 81 "server $(address "$one")"
	# Masqueraded: the world sees the host.
	at "$HOST" ip route add default via 192.0.2.2
	answers "$one" tcp 192.0.2.2 82 "server 192.0.2.1"
	# What is not published is not reached by its address from outside.
	silent "$WORLD" tcp "$(address "$two")" 80
	answers "$HOST" tcp "$(address "$two")" 80 "server $(gateway "$one")"
}

@test "an interface has the address, MAC, MTU and name that were asked for" {
	create web --subnet 10.9.0.0/24 --subnet fd00:9::/64 --ipv6 --mtu 1400
	container one net=web ip=10.9.0.77 ip6=fd00:9::77 mac=02:00:00:00:00:77
	stdout_has "eth0 web 02:00:00:00:00:77 10.9.0.77/24 via 10.9.0.1 fd00:9::77/64 via fd00:9::1"
	[ "$(address "$one")" = 10.9.0.77 ]
	[ "$(address "$one" 6)" = fd00:9::77 ]
	run_command nsenter --net="/proc/$one/ns/net" ip link show dev eth0
	stdout_has "mtu 1400"
	stdout_has "02:00:00:00:00:77"
	refused "address 10.9.0.77 of network web is that of container one" two net=web ip=10.9.0.77
	refused "address 10.8.0.1 is not in 10.9.0.0/24, the subnet of network web" two net=web ip=10.8.0.1
	refused "address 10.9.0.1 is the gateway of network web" two net=web ip=10.9.0.1
}

@test "nobody listens to a container that plays the router" {
	create web --ipv6
	container one net=web net=bridge
	run_command nsenter --net="/proc/$HOST/ns/net" cat /proc/sys/net/ipv6/conf/hull{1,0}/{accept_ra,disable_ipv6}
	stdout_is $'0\n0\n0\n1'
	run_command nsenter --net="/proc/$one/ns/net" cat /proc/sys/net/ipv6/conf/eth{0,1}/{accept_ra,disable_ipv6}
	stdout_is $'0\n0\n0\n1'
}

@test "networks are apart; a container can be on two" {
	create left
	create right
	container one net=left
	container two net=right
	container both net=left net=right
	serve "$two" tcp 80 two
	serve "$both" tcp 80 both
	silent "$one" tcp "$(address "$two")" 80
	answers "$one" tcp "$(address "$both")" 80 "both $(address "$one")"
	answers "$two" tcp "$(address "$both" 4 eth1)" 80 "both $(address "$two")"
	# Nor over the address that the container has on the other network.
	silent "$one" tcp "$(address "$both" 4 eth1)" 80
}

@test "over UDP and IPv6 as over TCP and IPv4: neighbours, the host, the world; others do not reach in" {
	create web --ipv6
	create other --ipv6
	container one net=web
	container two net=web
	container far net=other
	at "$HOST" ip -6 route add default via 2001:db8::2
	at "$HOST" ip route add default via 192.0.2.2
	serve "$two" udp 80
	serve "$two" tcp 80
	answers "$one" udp "$(address "$two")" 80 "server $(address "$one")"
	answers "$one" udp "$(address "$two" 6)" 80 "server $(address "$one" 6)"
	answers "$one" tcp "$(address "$two" 6)" 80 "server $(address "$one" 6)"
	serve "$HOST" udp 81
	answers "$one" udp "$(gateway "$one")" 81 "server $(address "$one")"
	answers "$one" udp "$(gateway6 "$one")" 81 "server $(address "$one" 6)"
	# Masqueraded in both families.
	serve "$WORLD" udp 82
	answers "$one" udp 192.0.2.2 82 "server 192.0.2.1"
	answers "$one" udp 2001:db8::2 82 "server 2001:db8::1"
	# Nor the other network, nor the world.
	at "$WORLD" ip -6 route add "$(address "$two" 6)" via 2001:db8::1
	at "$WORLD" ip route add "$(address "$two")" via 192.0.2.1
	silent "$far" udp "$(address "$two")" 80
	silent "$far" udp "$(address "$two" 6)" 80
	silent "$far" tcp "$(address "$two" 6)" 80
	silent "$WORLD" udp "$(address "$two")" 80
	silent "$WORLD" tcp "$(address "$two" 6)" 80
	silent "$WORLD" udp "$(address "$two" 6)" 80
}

@test "an internal network has no way out, and publishes nothing" {
	create inside --internal
	container one net=inside
	container two net=inside
	at "$HOST" ip route add default via 192.0.2.2
	serve "$two" tcp 80
	serve "$WORLD" tcp 82
	answers "$one" tcp "$(address "$two")" 80 "server $(address "$one")"
	silent "$one" tcp 192.0.2.2 82
	at "$one" ip route add default via "$(address "$one" | sed 's/[0-9]*$/1/')"
	silent "$one" tcp 192.0.2.2 82
	refused "publish 80:80/tcp: container three is on no network that ports can be published from: network inside is internal" \
		three net=inside publish=80:80
}

@test "published TCP and UDP ports lead to the container, and its peer's address is kept" {
	container one publish=8080:80 publish=8081:81/udp publish=127.0.0.1:8082:82 publish=192.0.2.1:8083:83
	serve "$one" tcp 80
	serve "$one" udp 81
	serve "$one" tcp 82
	serve "$one" tcp 83
	answers "$WORLD" tcp 192.0.2.1 8080 "server 192.0.2.2"
	answers "$WORLD" udp 192.0.2.1 8081 "server 192.0.2.2"
	silent "$WORLD" tcp 192.0.2.1 8082
	answers "$WORLD" tcp 192.0.2.1 8083 "server 192.0.2.2"
	# From the host, also over its loopback.
	answers "$HOST" tcp 127.0.0.1 8080 "server $(gateway "$one")"
	answers "$HOST" udp 127.0.0.1 8081 "server $(gateway "$one")"
	answers "$HOST" tcp 127.0.0.1 8082 "server $(gateway "$one")"
	answers "$HOST" tcp 192.0.2.1 8083 "server 192.0.2.1"
	silent "$HOST" tcp 127.0.0.1 8083
}

# insists ADDRESS FILE: a client of the world's that sends to port 8081 all the time.
insists() {
	in_background nsenter --net="/proc/$WORLD/ns/net" "$python" "$SOURCE/tests/tools/peer.py" insist udp "$1" 8081 "$WORK/$2"
}

@test "who sends to a published UDP port all the time reaches the container that has it now" {
	local file
	create web --ipv6
	insists 192.0.2.1 four
	insists 2001:db8::1 six
	for file in four six; do
		wait_for 10 grep -q none "$WORK/$file" # the connection is older than what it is to reach
	done
	container one net=web publish=8081:81/udp
	serve "$one" udp 81 first
	wait_for 15 grep -q first "$WORK/four"
	wait_for 15 grep -q first "$WORK/six"
	netattach detach one
	[ "$status" -eq 0 ] || mismatch "detach" 0 "$stderr"
	wait_for 10 grep -q none "$WORK/four"
	container two net=web publish=8081:81/udp
	serve "$two" udp 81 second
	wait_for 15 grep -q second "$WORK/four"
	wait_for 15 grep -q second "$WORK/six"
}

@test "published ports of IPv6" {
	create web --ipv6
	container one net=web publish=8080:80 publish=8081:81/udp "publish=[2001:db8::1]:8082:82" "publish=[::]:8083:83"
	serve "$one" tcp 80
	serve "$one" udp 81
	serve "$one" tcp 82
	serve "$one" tcp 83
	answers "$WORLD" tcp 2001:db8::1 8080 "server 2001:db8::2"
	answers "$WORLD" tcp 192.0.2.1 8080 "server 192.0.2.2"
	answers "$WORLD" udp 2001:db8::1 8081 "server 2001:db8::2"
	answers "$WORLD" tcp 2001:db8::1 8082 "server 2001:db8::2"
	answers "$WORLD" tcp 2001:db8::1 8083 "server 2001:db8::2"
	silent "$WORLD" tcp 192.0.2.1 8083
	# Nothing goes from ::1 to elsewhere; it is refused and does not hang.
	silent "$HOST" tcp ::1 8080
	[ "$stderr" = "Connection refused" ] || mismatch stderr "Connection refused" "$stderr"
	# Out to the world, masqueraded.
	serve "$WORLD" tcp 90
	at "$HOST" ip -6 route add default via 2001:db8::2
	answers "$one" tcp 2001:db8::2 90 "server 2001:db8::1"
}

@test "hairpin: a published port is reached from its own container and its neighbours" {
	create other
	container one publish=8080:80
	container two
	container far net=other
	serve "$one" tcp 80
	answers "$one" tcp 192.0.2.1 8080 "server $(gateway "$one")"
	answers "$two" tcp 192.0.2.1 8080 "server $(gateway "$one")"
	# What the world may reach, another network may.
	answers "$far" tcp 192.0.2.1 8080 "server $(address "$far")"
}

@test "hairpin over UDP and IPv6" {
	create web --ipv6
	container one net=web publish=8080:80 publish=8081:81/udp
	container two net=web
	serve "$one" tcp 80
	serve "$one" udp 81
	answers "$one" udp 192.0.2.1 8081 "server $(gateway "$one")"
	answers "$two" udp 192.0.2.1 8081 "server $(gateway "$one")"
	answers "$one" tcp 2001:db8::1 8080 "server $(gateway6 "$one")"
	answers "$two" tcp 2001:db8::1 8080 "server $(gateway6 "$one")"
	answers "$two" udp 2001:db8::1 8081 "server $(gateway6 "$one")"
}

gateway6() { at "$1" ip -6 route show default | awk '{ print $3 }'; }

@test "a container cannot reach what listens on the host's loopback" {
	container one publish=127.0.0.1:8080:80
	in_background nsenter --net="/proc/$HOST/ns/net" "$python" -c "
import socket
s = socket.create_server(('127.0.0.1', 90))
open('$WORK/loopback', 'w').close()
while True:
    c = s.accept()[0]
    c.recv(100)
    c.sendall(b'secret')
"
	wait_for 30 test -e "$WORK/loopback"
	answers "$HOST" tcp 127.0.0.1 90 secret
	at "$one" ip route add 127.0.0.1 via 10.76.0.1 src "$(address "$one")" table 7
	at "$one" ip rule add to 127.0.0.0/8 table 7 pref 1
	at "$one" ip rule add table local pref 2
	at "$one" ip rule del pref 0
	at "$one" sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet'
	silent "$one" tcp 127.0.0.1 90
}

@test "ranges of ports, and free ones" {
	container one publish=8000-8009:80-89 publish=90 publish=127.0.0.1::91
	serve "$one" tcp 89
	serve "$one" tcp 90
	answers "$WORLD" tcp 192.0.2.1 8009 "server 192.0.2.2"
	silent "$WORLD" tcp 192.0.2.1 8010
	netattach detach one
	container two publish=90
	port=$(sed -n 's|^port \([0-9]*\):90/tcp$|\1|p' <<<"$stdout")
	serve "$two" tcp 90 chosen
	answers "$WORLD" tcp 192.0.2.1 "$port" "chosen 192.0.2.2"
}

@test "conflicting ports are refused, each with its sentence" {
	serve "$HOST" tcp 7000
	container one publish=8080-8089:80-89
	refused "publish 8085:80/tcp: container one has published 8080-8089:80-89/tcp already" two publish=8085:80
	refused "publish 127.0.0.1:8085:80/tcp: container one has published 8080-8089:80-89/tcp already" \
		two publish=127.0.0.1:8085:80
	refused "publish 7000:80/tcp: a program on this host listens on tcp port 7000" two publish=7000:80
	refused "publish 192.0.2.9:8090:80/tcp: this host has no address 192.0.2.9" two publish=192.0.2.9:8090:80
	refused "publish 9000:80/tcp and 9000:81/tcp: the same host port" two publish=9000:80 publish=9000:81
	refused "publish [::]:8090:80/tcp: container two has no IPv6 address" two "publish=[::]:8090:80"
	refused "publish 80:80/tcp: container two has no network, from where nothing is published" two mode=none publish=80:80
	container three publish=8085:80/udp
	netattach detach one
	container two publish=8085:80
}

@test "a full network says so, and takes back what the dead had" {
	local n
	create small --subnet 10.9.0.0/29
	for n in a b c d e; do container "$n" net=small; done
	refused "network small: all addresses of 10.9.0.0/29 are taken" f net=small
	kill "$c"
	wait_for 10 process_gone "$c"
	container f net=small
	[ "$(address "$f")" = 10.9.0.4 ]
	netattach detach a
	container g net=small
}

@test "IPv6: a full subnet, conflicting subnets and conflicting ports" {
	local n
	create six --subnet fd00:9::/125
	for n in a b c d e f; do container "$n" net=six; done
	refused "network six: all addresses of fd00:9::/125 are taken" g net=six
	netattach detach c
	container g net=six
	network create two --subnet fd00:9::/64
	stderr_is "hull: network two: subnet fd00:9::/64 overlaps fd00:9::/125 of network six"
	network create two --subnet 2001:db8::/72
	stderr_is "hull: network two: subnet 2001:db8::/72 overlaps the route 2001:db8::/64 of this host"
	network create two --subnet fd00:9::1/64
	stderr_has '"fd00:9::1/64" has bits set beyond its prefix'
	netattach detach a
	netattach detach b
	serve "$HOST" tcp 7000
	container one net=six "publish=[::]:8080-8089:80-89"
	refused "publish [2001:db8::1]:8085:80/tcp: container one has published [::]:8080-8089:80-89/tcp already" \
		two net=six "publish=[2001:db8::1]:8085:80"
	refused "publish [::]:7000:80/tcp: a program on this host listens on tcp port 7000" two net=six "publish=[::]:7000:80"
	refused "publish [2001:db8::9]:8090:80/tcp: this host has no address 2001:db8::9" two net=six "publish=[2001:db8::9]:8090:80"
	refused "publish 0.0.0.0:8090:80/tcp: container two has no IPv4 address" two net=six publish=0.0.0.0:8090:80
}

@test "subnets are chosen beside the routes of this host and the other networks" {
	at "$HOST" ip route add 10.76.0.0/16 via 192.0.2.2
	create web
	create db
	network inspect web db
	[ "$(jq -r '[.[].subnet] | join(" ")' <<<"$stdout")" = "10.77.0.0/24 10.77.1.0/24" ]
	at "$HOST" ip route add 10.77.0.0/16 via 192.0.2.2
	at "$HOST" ip route add 10.78.0.0/15 via 192.0.2.2
	network create full
	[ "$status" -eq 1 ]
	stderr_is "hull: network full: networks and routes of this host take all of 10.76.0.0/14: say one with --subnet"
	create full --subnet 10.9.0.0/24
}

@test "what is wrong is said in one sentence and leaves nothing" {
	local pid
	container one
	refused "container one has its network already" one
	refused "there is no network nope: hull network create nope makes it" two net=nope
	refused "container two joins network bridge twice" two net=bridge net=bridge
	refused "add host \"x\": it is written NAME:ADDRESS" two host=x publish=8080:80
	refused "DNS server: \"x\" is not an IP address" two dns=x
	refused "\"../x\" is no id of a container" ../x
	netattach attach two 999999999
	[ "$status" -eq 1 ]
	pid=$(namespace)
	at "$pid" ip link add eth0 type bridge
	netattach attach two "$pid"
	[ "$status" -eq 1 ]
	stderr_has "netattach: make veth hv"
	netattach detach one
	assert_no_container
}

@test "detach leaves nothing, and can be told twice" {
	create web --ipv6
	container one net=web net=bridge publish=8080:80 publish=127.0.0.1:8081:81/udp
	netattach detach one
	[ "$status" -eq 0 ]
	assert_no_container
	[ "$(at "$one" ip -brief link show | grep -c eth0)" = 0 ]
	netattach detach one
	[ "$status" -eq 0 ]
	netattach detach never-was
	[ "$status" -eq 0 ]
	# The same id, the same ports.
	container one net=web net=bridge publish=8080:80 publish=127.0.0.1:8081:81/udp
}

@test "what a killed container leaves is swept; what lives, and what is not hull's, stays" {
	container one publish=8080:80
	container two publish=8081:80
	at "$HOST" ip link add hv12345678 type veth peer name x
	at "$HOST" nft add table inet mine
	kill -9 "$one"
	wait_for 10 process_gone "$one"
	netattach sweep
	[ "$status" -eq 0 ]
	stdout_is 1
	serve "$two" tcp 80
	answers "$WORLD" tcp 192.0.2.1 8081 "server 192.0.2.2"
	silent "$WORLD" tcp 192.0.2.1 8080
	at "$HOST" ip link show hv12345678 >/dev/null
	at "$HOST" nft list table inet mine >/dev/null
	netattach sweep
	stdout_is 0
	netattach detach two
	at "$HOST" ip link delete hv12345678
	assert_no_container
}

# rebooted ID: as if the record were of an earlier boot, in which somebody had its process's number.
rebooted() {
	local record=$HULL_NETWORK_DIR/containers/$1.json
	jq '.boot = "00000000-0000-0000-0000-000000000000"' "$record" >"$WORK/record"
	cp "$WORK/record" "$record"
}

@test "after a reboot what was before is forgotten, whoever has its process's number" {
	create web
	container one net=web publish=8080:80
	rebooted one
	netattach sweep
	stdout_is 1
	[ ! -e "$HULL_NETWORK_DIR/containers/one.json" ]
	[ -z "$(grep -v '^last ' "$HULL_NETWORK_DIR/leases/web")" ]
	kill "$one"
	wait_for 10 process_gone "$one"
	at "$HOST" nft flush ruleset
	container one net=web publish=8080:80
	serve "$one" tcp 80
	answers "$WORLD" tcp 192.0.2.1 8080 "server 192.0.2.2"
}

@test "attach is killed at any system call: a sweep takes away what it made" {
	local n pid
	requires program=strace
	create web
	container first
	for n in 1 3 6 9 12 15 18 21 24 27 30 33 36 40 45; do
		pid=$(namespace)
		# strace kills it at its n-th message to the kernel, renamed file or new process
		at "$HOST" strace -o /dev/null -e trace=sendto,renameat,setns,clone,write \
			-e inject=sendto,renameat,setns,clone,write:signal=KILL:when="$n" \
			"$attach_tool" "$HULL_NETWORK_DIR" attach two "$pid" net=web net=bridge publish=8080:80 >/dev/null 2>&1 || true
		kill "$pid"
		wait_for 10 process_gone "$pid"
		netattach sweep
		[ "$status" -eq 0 ] || mismatch "sweep after $n" 0 "$stderr"
		container two net=web net=bridge publish=8080:80
		[ -z "$stderr" ] || mismatch "stderr after $n" "" "$stderr"
		netattach detach two
		[ "$status" -eq 0 ] || mismatch "detach after $n" 0 "$stderr"
	done
	netattach detach first
	assert_no_container
	[ "$(find "$HULL_NETWORK_DIR/names" "$HULL_NETWORK_DIR/resolvers" -type f | wc -l)" = 0 ]
}

@test "rules that somebody flushed are written again by the next attach" {
	container one publish=8080:80
	serve "$one" tcp 80
	answers "$WORLD" tcp 192.0.2.1 8080 "server 192.0.2.2"
	at "$HOST" nft flush ruleset
	silent "$WORLD" tcp 192.0.2.1 8080
	container two
	answers "$WORLD" tcp 192.0.2.1 8080 "server 192.0.2.2"
	at "$HOST" nft flush ruleset
	netattach detach one
	[ "$status" -eq 0 ]
}

@test "network create, inspect, ls, rm and prune" {
	create web --subnet 10.9.0.0/24
	stdout_is web
	network ls --quiet
	stdout_is web
	network ls --format '{{.Name}} {{.Driver}} {{.Subnet}}' --filter driver=bridge --filter dangling=true
	stdout_is "web bridge 10.9.0.0/24"
	network ls --filter dangling=yes
	[ "$status" -eq 1 ]
	stderr_is "hull: --filter dangling=yes: expected true or false"
	network inspect --filter name=web web
	[ "$status" -eq 1 ]
	stderr_is "hull: network inspect takes no --filter"
	container one net=web
	network ls --quiet --filter dangling=true
	stdout_is ""
	network inspect web
	[ "$(jq -r '.[0].containers[0] | .id + " " + .ip' <<<"$stdout")" = "one 10.9.0.2" ]
	network rm web
	[ "$status" -eq 1 ]
	stderr_is "hull: network web: container one is on it"
	create unused
	network prune
	stdout_is unused
	network create web
	stderr_is "hull: network web exists already"
	network create two --subnet 10.9.0.128/25
	stderr_is "hull: network two: subnet 10.9.0.128/25 overlaps 10.9.0.0/24 of network web"
	network create two --subnet 192.0.2.0/25
	stderr_is "hull: network two: subnet 192.0.2.0/25 overlaps the route 192.0.2.0/24 of this host"
	network create two --subnet 10.9.0.1/24
	stderr_is 'hull: "10.9.0.1/24" has bits set beyond its prefix: the subnet is 10.9.0.0/24'
	network create none
	stderr_is "hull: a network cannot be named none: to --network the word means something else"
	network rm nope
	stderr_is "hull: there is no network nope"
	kill -9 "$one"
	wait_for 10 process_gone "$one"
	network rm web
	[ "$status" -eq 0 ] || mismatch "network rm" 0 "$stderr"
	[ -z "$(at "$HOST" ip -brief link show type bridge)" ]
	[ "$(at "$HOST" nft list table inet hull | grep -c elements)" = 0 ]
	[ "$(find "$HULL_NETWORK_DIR" -type f -printf '%P\n' | sort | tr '\n' ' ')" = "containers.lock lock " ]
}

@test "a bridge of that name that is not hull's is left alone" {
	at "$HOST" ip link add hull0 type veth peer name x
	container one
	[ "$(at "$HOST" ip -brief link show type bridge | awk '{ print $1 }')" = hull1 ]
	netattach detach one
	at "$HOST" ip link delete hull1
	at "$HOST" ip link add hull1 type bridge
	at "$HOST" ip link set hull1 alias somebody
	refused "network bridge: link hull1 of this host is not hull's" two
	[ "$(at "$HOST" ip -brief link show type bridge | awk '{ print $1 }')" = hull1 ]
}

@test "macvlan: the container is on the host's link" {
	at "$HOST" ip link add m0 link uplink type macvlan mode bridge 2>/dev/null ||
		skip "this kernel has no links of kind macvlan"
	at "$HOST" ip link delete m0
	create lan --driver macvlan --parent uplink --subnet 192.0.2.0/24 --gateway 192.0.2.2
	container one net=lan ip=192.0.2.77
	serve "$WORLD" tcp 80
	answers "$one" tcp 192.0.2.2 80 "server 192.0.2.77"
	refused "publish 80:80/tcp: container two is on no network that ports can be published from: network lan is macvlan" \
		two net=lan publish=80:80
	netattach detach one
	assert_no_container
}

@test "ipvlan: the container is on the host's link" {
	at "$HOST" ip link add m0 link uplink type ipvlan 2>/dev/null ||
		skip "this kernel has no links of kind ipvlan"
	at "$HOST" ip link delete m0
	create lan --driver ipvlan --parent uplink --subnet 192.0.2.0/24 --gateway 192.0.2.2
	container one net=lan ip=192.0.2.77
	serve "$WORLD" tcp 80
	answers "$one" tcp 192.0.2.2 80 "server 192.0.2.77"
}

@test "a host with systemd-resolved: containers ask whom it asks, not its stub" {
	printf 'nameserver 127.0.0.53\noptions edns0\n' >"$WORK/resolv.conf"
	printf 'nameserver 192.0.2.2\nnameserver 2001:db8::2\nsearch corp.example\n' >"$WORK/resolved.conf"
	container one
	stdout_has "nameserver 192.0.2.2"
	stdout_has "search corp.example"
	[[ $stdout != *127.0.0.53* ]] || mismatch "resolv.conf" "without the stub" "$stdout"
}

@test "none: loopback alone; names and resolvers are files' contents" {
	local pid
	pid=$(namespace)
	netattach attach one "$pid" mode=none hostname=alone host=db:10.1.1.1 dns=10.1.1.53 search=example.org option=ndots:2
	[ "$status" -eq 0 ]
	stdout_is "-- resolv.conf
search example.org
nameserver 10.1.1.53
options ndots:2
-- hosts
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
10.1.1.1	db
127.0.1.1	alone"
	[ "$(at "$pid" ip -brief link show | awk '{ print $1 }')" = lo ]
	refused 'add host "x:host-gateway": this container has no gateway to the host' two mode=none host=x:host-gateway
}

@test "names of a network: ids, host names, aliases; the rest is the host's servers'" {
	local dns
	requires_dns
	world_names
	create web --ipv6
	container one net=web
	stdout_has "nameserver 10.76.0.1"
	container two net=web alias=db alias=Store.Example hostname=two-host
	named "$one" two "ok $(address "$two")"
	named "$one" DB "ok $(address "$two")"
	named "$one" store.example "ok $(address "$two")"
	named "$one" two-host "ok $(address "$two")" A tcp
	named "$one" two "ok $(address "$two" 6)" AAAA
	named "$one" two "ok $(address "$two" 6)" AAAA udp "$(at "$one" ip -6 route show default | awk '{ print $3 }')"
	named "$one" two "ok" TXT
	named "$one" "$(address "$two" | awk -F. '{ print $4 "." $3 "." $2 "." $1 }').in-addr.arpa" "ok two-host" PTR
	named "$one" www.example "ok 203.0.113.9"
	named "$one" www.example "ok 203.0.113.9" A tcp
	# Shut in.
	dns=$(awk '{ print $2 }' "$HULL_NETWORK_DIR/resolvers/web")
	grep -qx 'CapEff:	0000000000000000' "/proc/$dns/status"
	grep -qx 'CapBnd:	0000000000000000' "/proc/$dns/status"
	grep -qx 'NoNewPrivs:	1' "/proc/$dns/status"
	# A sanitizer makes calls of its own: built with one, there is no filter of them.
	grep -q __asan_init "$HULL_LIBEXEC/hull-dns" || grep -qx 'Seccomp:	2' "/proc/$dns/status"
	[ "$(readlink "/proc/$dns/root")" = "$HULL_NETWORK_DIR/names" ]
	[ "$(find "/proc/$dns/fd" -mindepth 1 | wc -l)" = 8 ]
	netattach detach two
	named "$one" two "ok 203.0.113.9"
	# Killed, it is there again with the next container.
	kill -9 "$dns"
	wait_for 10 process_gone "$dns"
	container three net=web
	named "$one" three "ok $(address "$three")"
	dns=$(awk '{ print $2 }' "$HULL_NETWORK_DIR/resolvers/web")
	netattach detach one
	netattach detach three
	wait_for 10 process_gone "$dns"
	[ "$(find "$HULL_NETWORK_DIR" -type f -printf '%P\n' | sort | tr '\n' ' ')" = "containers.lock leases/web lock networks/web.json " ]
}

@test "names of other networks are only for those who are on them" {
	requires_dns
	world_names
	create left
	create right
	container one net=left
	container two net=right
	container both net=left net=right
	named "$one" both "ok $(address "$both")"
	named "$two" both "ok $(address "$both" 4 eth1)"
	named "$both" one "ok $(address "$one")"
	named "$both" two "ok $(address "$two")"
	named "$one" two "ok 203.0.113.9"
	container plain
	stdout_has "nameserver 192.0.2.2"
}

@test "an internal network's resolver asks nobody" {
	requires_dns
	world_names
	create inside --internal
	container one net=inside
	container two net=inside
	named "$one" two "ok $(address "$two")" A udp 10.76.0.1
	named "$one" www.example nxdomain A udp 10.76.0.1
}

@test "the resolver survives malformed packets, floods and loops" {
	local n
	requires_dns
	# The servers are the resolvers of two networks, each the other's, and one that is silent.
	printf 'nameserver 10.76.0.1\nnameserver 10.76.1.1\nnameserver 192.0.2.99\n' >"$WORK/resolv.conf"
	create web
	create other
	container one net=web
	container two net=other
	container three net=web
	for n in 1 2 3; do
		at "$one" "$python" "$SOURCE/tests/tools/peer.py" noise udp 10.76.0.1 3000
		named "$one" three "ok $(address "$three")"
		named "$three" one "ok $(address "$one")" A tcp
	done
	named "$three" www.example servfail
	named "$two" two "ok $(address "$two")"
}

@test "a container that keeps connections to hull-dns open is in no other's way" {
	local dns child children
	requires_dns
	create web
	container one net=web
	container two net=web
	in_background nsenter --net="/proc/$one/ns/net" "$python" -c '
import socket, sys, time
kept = [socket.create_connection((sys.argv[1], 53)) for _ in range(64)]
open(sys.argv[2], "w").close()
time.sleep(1000)' "$(gateway "$one")" "$WORK/connected"
	wait_for 30 test -e "$WORK/connected"
	named "$two" one "ok $(address "$one")" A tcp
	named "$one" two "ok $(address "$two")"
	# Who serves them ends with it.
	dns=$(awk '{ print $2 }' "$HULL_NETWORK_DIR/resolvers/web")
	children=$(pgrep --parent "$dns")
	[ "$(wc -w <<<"$children")" -ge 1 ]
	kill -9 "$dns"
	for child in $children; do wait_for 5 process_gone "$child"; done
}

@test "without hull-dns there is a warning, and the host's servers" {
	world_names
	create web
	mkdir "$WORK/nothing"
	ln -s "$(realpath "${HULL%/*}/libexec/hull/hull-nft")" "$WORK/nothing/"
	HULL_LIBEXEC=$WORK/nothing container one net=web
	stdout_has "nameserver 192.0.2.2"
	stderr_has "network web: names of containers are not answered: find the program hull-dns in $WORK/nothing (HULL_LIBEXEC)"
}

@test "what killed processes were about to write is taken away" {
	create web
	container one net=web
	touch "$HULL_NETWORK_DIR/containers/.ghost.json.new" "$HULL_NETWORK_DIR/containers/.one.json.new" \
		"$HULL_NETWORK_DIR/leases/.web.new" "$HULL_NETWORK_DIR/networks/.web.json.new"
	netattach sweep
	stdout_is 0
	[ "$(ls -A "$HULL_NETWORK_DIR/containers")" = one.json ]
	netattach detach one
	network rm web
	[ "$status" -eq 0 ] || mismatch "network rm" 0 "$stderr"
	[ "$(find "$HULL_NETWORK_DIR" -type f -printf '%P\n' | sort | tr '\n' ' ')" = "containers.lock lock " ]
}

@test "rules are handed to hull-nft in a file that nobody can change" {
	local real=${HULL%/*}/libexec/hull/hull-nft
	mkdir "$WORK/helpers"
	cat >"$WORK/helpers/hull-nft" <<-EOF
		#!/bin/sh
		readlink /proc/self/fd/0 >"$WORK/input"
		! (echo flush ruleset >/proc/self/fd/0) 2>/dev/null || exit 9
		exec "$(realpath "$real")"
	EOF
	chmod +x "$WORK/helpers/hull-nft"
	HULL_LIBEXEC=$WORK/helpers container one publish=8080:80
	[[ $(cat "$WORK/input") = /memfd:rules* ]] || mismatch "standard input" /memfd:rules "$(cat "$WORK/input")"
	at "$HOST" nft list table inet hull >"$WORK/table" 2>/dev/null || return 0
	grep -q 8080 "$WORK/table"
}

# A container of somebody who is not root: $1 is its name, its pid is set to that.
user_container() {
	local name=$1
	nsenter --net="/proc/$HOST/ns/net" setpriv --reuid 65534 --regid 65534 --clear-groups \
		unshare --user --map-root-user --net sleep 1000 >/dev/null 2>&1 3>&- &
	printf -v "$name" %s $!
	echo $! >>"$WORK/pids"
	wait_for 10 has_own_network "${!name}"
}

has_own_network() {
	[ "$(cat "/proc/$1/comm")" = sleep ] && [ "$(readlink "/proc/$1/ns/net")" != "$(readlink "/proc/$HOST/ns/net")" ]
}

# user_netattach WORD...: as that user. Not everywhere is /dev/net/tun everybody's, as udev
# makes it, so there is another one, in a mount namespace of its own.
user_netattach() {
	install -d -m 0700 -o 65534 -g 65534 "$WORK/user"
	[ -e "$WORK/tun" ] || mknod --mode=666 "$WORK/tun" c 10 200
	run_command nsenter --net="/proc/$HOST/ns/net" unshare --mount sh -c '
		mount --bind "$0/tun" /dev/net/tun || exit 99
		exec setpriv --reuid 65534 --regid 65534 --clear-groups "$0/netattach" "$0/user" "$@"' \
		"$WORK" "$@"
}

# rootless MODE PROGRAM: the program connects the container, and is gone with it.
rootless() {
	requires "program=$2" program=setpriv path=/dev/net/tun
	cp "$attach_tool" "$WORK/netattach"
	at "$HOST" ip route add default via 192.0.2.2
	serve "$WORLD" tcp 82
	serve "$WORLD" udp 83
	user_container one
	user_netattach attach one "$one" "mode=$1" publish=8080:80 publish=8081:81/udp
	[ "$status" -eq 0 ] || mismatch "attach" 0 "$stderr"
	serve "$one" tcp 80
	serve "$one" udp 81
	answers "$one" tcp 192.0.2.2 82 "server 192.0.2.1"
	answers "$one" udp 192.0.2.2 83 "server 192.0.2.1"
	answers "$WORLD" tcp 192.0.2.1 8080 "server 192.0.2.2"
	answers "$WORLD" udp 192.0.2.1 8081 "server 192.0.2.2"
	helper=$(jq .process.pid "$WORK/user/containers/one.json")
	user_netattach detach one
	[ "$status" -eq 0 ] || mismatch "detach" 0 "$stderr"
	wait_for 10 process_gone "$helper"
	[ -z "$(ls "$WORK/user/containers")" ]
	# Killed, with the container: the program ends, and is swept.
	user_container two
	user_netattach attach two "$two" "mode=$1"
	[ "$status" -eq 0 ] || mismatch "attach" 0 "$stderr"
	helper=$(jq .process.pid "$WORK/user/containers/two.json")
	kill -9 "$two"
	wait_for 10 process_gone "$two"
	user_netattach sweep
	stdout_is 1
	wait_for 10 process_gone "$helper"
	[ -z "$(ls "$WORK/user/containers")" ]
}

@test "pasta connects a user's container; its peers' addresses are kept" {
	rootless pasta pasta
}

@test "slirp4netns connects a user's container; its peers' addresses are kept" {
	rootless slirp4netns slirp4netns
}

@test "two hundred containers on a bridge" {
	local n pids=()
	for n in $(seq "$(rounds 200)"); do
		pids+=("$(namespace)")
		netattach attach "c$n" "${pids[-1]}"
		[ "$status" -eq 0 ] || mismatch "attach c$n" 0 "$stderr"
	done
	serve "${pids[-1]}" tcp 80
	answers "${pids[0]}" tcp "$(address "${pids[-1]}")" 80 "server 10.76.0.2"
	kill "${pids[@]}"
	wait_for 30 process_gone "${pids[-1]}"
	netattach sweep
	wait_for 10 none_left
}

none_left() {
	netattach sweep
	(assert_no_container) 2>/dev/null
}
