#!/usr/bin/env bats
# as: root
# sanitizers: thorough
#
# Networks of containers for people, on a "host" that is a network namespace of the test's.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # status, stdout and stderr are run_command's
load helpers

IMAGE=hull/busybox

setup() {
	setup_test
	requires program=ip program=nsenter program=python3
	[ -e "${HULL%/*}/libexec/hull/hull-unpack" ] || skip "needs hull-unpack beside hull"
	DATA=$WORK/data
	export NETCONFPATH=$WORK/net.d # the host's own are not the test's
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
	! fetch http://127.0.0.1:8080/ 2>/dev/null || false
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

# network_of CONTAINER NETWORK MEMBER: of its inspection.
network_of() {
	host_hull 0 inspect "$1"
	jq -r --arg n "$2" --arg m "$3" '.[0].NetworkSettings.Networks[$n][$m]' <<<"$stdout"
}

networks_of() {
	host_hull 0 inspect "$1"
	jq -r '.[0].NetworkSettings.Networks | keys | join(" ")' <<<"$stdout"
}

@test "connect and disconnect while it runs: inspection, names, addresses, the way out" {
	local address
	host_hull 0 network create red --subnet 10.8.0.0/24
	host_hull 0 network create blue --subnet 10.9.0.0/24
	host_hull 0 run -d --name front --network red --cap-add net_raw $IMAGE sleep 1000
	host_hull 0 run -d --name store --network blue $IMAGE sleep 1000
	host_hull 1 exec front nslookup store
	host_hull 0 network connect --ip 10.9.0.77 --alias entry --alias door blue front
	stdout_is ""
	[ "$(network_of front blue IPAddress)" = 10.9.0.77 ]
	[ "$(network_of front blue IPPrefixLen)" = 24 ]
	[ "$(network_of front blue Gateway)" = 10.9.0.1 ]
	[ "$(network_of front blue Interface)" = eth1 ]
	[ "$(network_of front red Interface)" = eth0 ]
	network_of front blue Aliases | jq -e '. == ["front", "entry", "door"]'
	host_hull 0 exec front cat /sys/class/net/eth1/address
	stdout_is "$(network_of front blue MacAddress)"
	host_hull 0 exec front nslookup store
	stdout_has "$(network_of store blue IPAddress)"
	host_hull 0 exec front ping -c 1 -W 5 store
	host_hull 0 exec store nslookup door
	stdout_has 10.9.0.77
	host_hull 0 exec store nslookup front
	stdout_has 10.9.0.77
	host_hull 1 network connect blue front
	stderr_is "hull: container front is on network blue already"
	host_hull 1 network connect blue nobody
	stderr_is "hull: no such container: nobody"
	# By the beginning of its id as well; and what is first in line may go.
	address=$(network_of front red IPAddress)
	host_hull 0 inspect front
	host_hull 0 network disconnect red "$(jq -r '.[0].Id[:12]' <<<"$stdout")"
	[ "$(networks_of front)" = blue ]
	host_hull 0 exec front ip route show default
	stdout_has "10.9.0.1 dev eth1"
	host_hull 0 exec front grep -c 10.9.0.77 /etc/hosts
	stdout_is 1
	host_hull 0 exec front cat /etc/resolv.conf
	stdout_has "nameserver 10.9.0.1"
	# The address is free again.
	host_hull 0 run --rm --network red --ip "$address" $IMAGE true
	host_hull 0 network rm red
	host_hull 1 network disconnect blue nobody
	host_hull 0 rm -f front store
	host_hull 0 network rm blue
}

@test "connected stays connected when it is started again; a stopped one can be, too" {
	host_hull 0 network create red --subnet 10.8.0.0/24
	host_hull 0 network create blue --subnet 10.9.0.0/24
	host_hull 0 run -d --name web -p 8082:80 $IMAGE httpd -f -p 80 -h /etc
	host_hull 0 network connect --ip 10.9.0.9 --alias box blue web
	host_hull 0 network disconnect bridge web
	[ "$(networks_of web)" = blue ]
	wait_for 10 fetch http://127.0.0.1:8082/hostname
	host_hull 0 restart -t 0 web
	[ "$(networks_of web)" = blue ]
	[ "$(network_of web blue IPAddress)" = 10.9.0.9 ]
	wait_for 10 fetch http://127.0.0.1:8082/hostname
	host_hull 0 run --rm --network blue $IMAGE nslookup box
	stdout_has 10.9.0.9
	host_hull 0 stop -t 0 web
	# What is wrong is said now, not when it starts.
	host_hull 1 network connect --ip 10.7.0.1 red web
	stderr_is "hull: address 10.7.0.1 is not in 10.8.0.0/24, the subnet of network red"
	host_hull 1 network connect nope web
	stderr_is "hull: there is no network nope: hull network create nope makes it"
	host_hull 0 network connect --ip 10.8.0.8 red web
	host_hull 0 network disconnect blue web
	[ "$(networks_of web)" = red ]
	[ "$(network_of web red IPAddress)" = "" ]
	host_hull 0 start web
	[ "$(network_of web red IPAddress)" = 10.8.0.8 ]
	# On none at all: it runs apart, publishes nothing, and says so when it should start.
	host_hull 0 network disconnect red web
	[ "$(networks_of web)" = "" ]
	host_hull 0 exec web sh -c 'ip -o link | wc -l'
	stdout_is 1
	! fetch http://127.0.0.1:8082/hostname 2>/dev/null || false
	host_hull 0 stop -t 0 web
	host_hull 1 start web
	stderr_has "publish 8082:80/tcp: container "
	stderr_has " is on no network"
	host_hull 0 network connect bridge web
	host_hull 0 start web
	wait_for 10 fetch http://127.0.0.1:8082/hostname
	host_hull 0 rm -f web
	[ -z "$(on_host ip -o link show type veth)" ]
}

@test "what cannot be connected or disconnected says why" {
	host_hull 0 network create red
	host_hull 0 run -d --name alone --network none $IMAGE sleep 1000
	host_hull 1 network connect red alone
	stderr_is "hull: container alone was made with --network none: only one in a network of hull's own is connected to others"
	host_hull 0 run -d --name web $IMAGE sleep 1000
	host_hull 1 network connect host web
	stderr_is "hull: network host: that is no network of hull's own"
	host_hull 1 network connect --ip fd00::1 red web
	stderr_is "hull: --ip fd00::1: it is an address of IPv6"
	host_hull 1 network connect --ip 1.2.3 red web
	stderr_has 1.2.3
	host_hull 1 network connect --alias 'a b' red web
	stderr_has '"a b"'
	host_hull 1 network connect red
	stderr_is "hull: network connect takes a network and a container"
	host_hull 1 network connect --force red web
	stderr_is "hull: network connect takes no --force"
	host_hull 1 network disconnect red web
	stderr_is "hull: container web is not on network red"
	host_hull 0 network disconnect --force red web
	[ "$(networks_of web)" = bridge ]
	host_hull 0 rm -f alone web
	host_hull 0 network rm red
}

@test "connect and disconnect while it is removed: gone is said, and nothing is left" {
	local n
	host_hull 0 network create red
	for n in 1 2 3 4 5; do
		host_hull 0 run -d --name "c$n" $IMAGE sleep 1000
		on_host "$HULL" --root "$STATE" --data-root "$DATA" network connect red "c$n" 2>"$WORK/connect" &
		local connect=$!
		on_host "$HULL" --root "$STATE" --data-root "$DATA" network disconnect bridge "c$n" 2>"$WORK/disconnect" &
		local disconnect=$!
		host_hull 0 rm -f "c$n"
		wait "$connect" || grep -qx "hull: no such container: .*" "$WORK/connect" || mismatch connect gone "$(cat "$WORK/connect")"
		wait "$disconnect" || grep -qx "hull: no such container: .*" "$WORK/disconnect" || mismatch disconnect gone "$(cat "$WORK/disconnect")"
		[ -z "$(on_host ip -o link show type veth)" ]
		[ -z "$(ls "$DATA/network/containers")" ]
		[ -z "$(ls "$DATA/containers")" ]
	done
	host_hull 0 network rm red
}

@test "several networks from the start, in both notations; they stay over a restart" {
	host_hull 0 network create red --subnet 10.8.0.0/24
	host_hull 0 network create blue --subnet 10.9.0.0/24 --ipv6 --subnet fd00:9::/64
	host_hull 0 run -d --name store --network blue $IMAGE sleep 1000
	host_hull 0 run -d --name front --network red --network name=blue,ip=10.9.0.77,ip6=fd00:9::77,mac-address=02:00:00:00:00:77,alias=entry \
		--network bridge:alias=inner --network-alias all -p 8084:80 $IMAGE httpd -f -p 80 -h /etc
	[ "$(networks_of front)" = "blue bridge red" ]
	several_networks
	wait_for 10 fetch http://127.0.0.1:8084/hostname
	host_hull 0 exec front ip route show default
	stdout_has "10.8.0.1 dev eth0"
	host_hull 0 exec store nslookup entry
	stdout_has 10.9.0.77
	host_hull 0 exec store nslookup all
	stdout_has 10.9.0.77
	host_hull 0 exec front nslookup store
	host_hull 0 restart -t 0 front
	several_networks
	host_hull 0 network disconnect red front
	host_hull 0 restart -t 0 front
	[ "$(networks_of front)" = "blue bridge" ]
	host_hull 0 rm -f front store
	host_hull 0 network rm red blue
}

several_networks() {
	[ "$(network_of front red Interface) $(network_of front blue Interface) $(network_of front bridge Interface)" = "eth0 eth1 eth2" ]
	[ "$(network_of front red Gateway)" = 10.8.0.1 ]
	[ "$(network_of front blue IPAddress)" = 10.9.0.77 ]
	[ "$(network_of front blue GlobalIPv6Address)" = fd00:9::77 ]
	[ "$(network_of front blue MacAddress)" = 02:00:00:00:00:77 ]
	network_of front blue Aliases | jq -e '. == ["front", "entry", "all"]'
	network_of front red Aliases | jq -e '. == ["front", "all"]'
	network_of front bridge Aliases | jq -e '. == ["front", "inner", "all"]'
	host_hull 0 exec front sh -c 'ip -o -4 address show dev eth1; cat /sys/class/net/eth1/address'
	stdout_has " 10.9.0.77/24 "
	stdout_has 02:00:00:00:00:77
}

@test "networks that do not go together, or options that make no sense, are refused before anything is made" {
	host_hull 0 network create red --subnet 10.8.0.0/24
	host_hull 125 run --network red --network none $IMAGE true
	stderr_is "hull: --network none: it goes with no other network: that is for networks of hull's own"
	host_hull 125 run --network container:x --network red $IMAGE true
	stderr_is "hull: --network container:x: it goes with no other network: that is for networks of hull's own"
	host_hull 125 run --network red --network red:ip=10.8.0.9 $IMAGE true
	stderr_is "hull: --network red is given twice"
	host_hull 125 run --network bridge --network default $IMAGE true
	stderr_is "hull: --network default is given twice"
	host_hull 125 run --network red --network bridge --ip 10.8.0.9 $IMAGE true
	stderr_is "hull: --ip: there are 2 networks: it is said of one, --network red:ip=10.8.0.9"
	host_hull 125 run --network red:ip=1.2.3 $IMAGE true
	stderr_has '"1.2.3" is not an IP address'
	host_hull 125 run --network red:mac=x $IMAGE true
	stderr_has '"x"'
	host_hull 125 run --network 'red:alias=a b' $IMAGE true
	stderr_has '"a b"'
	host_hull 125 run --network red:speed=9 $IMAGE true
	stderr_is 'hull: --network "red:speed=9": there is no option "speed" of a network: ip, ip6, mac and alias are there'
	host_hull 125 run --network host:ip=10.8.0.9 $IMAGE true
	stderr_is "hull: --ip, --ip6 and --mac-address: only in a network of hull's own, which --network host is not"
	host_hull 0 ps -aq
	stdout_is ""
	# What only the start can know leaves nothing either: the second network is not there.
	host_hull 125 run --rm --network red --network nope $IMAGE true
	stderr_has "there is no network nope: hull network create nope makes it"
	[ -z "$(on_host ip -o link show type veth)" ]
	[ "$(grep -vc '^last ' "$DATA/network/leases/red" 2>/dev/null || true)" = 0 ] || [ ! -e "$DATA/network/leases/red" ]
	host_hull 0 ps -aq
	stdout_is ""
	host_hull 0 network rm red
}

@test "--publish-all: each port that the image and --expose name is reached by a free one" {
	local chosen
	host_hull 0 run --name base $IMAGE true
	host_hull 0 commit --change 'EXPOSE 80 53/udp' base ports
	host_hull 0 run -d --name web -P -p 8091:81 --expose 81-82 localhost/ports httpd -f -p 80 -h /etc
	host_hull 0 port web
	[ "$(sed -n 's/ -> 0\.0\.0\.0:.*//p' <<<"$stdout" | paste -s -d' ')" = "53/udp 80/tcp 81/tcp 82/tcp" ]
	grep -q '^81/tcp -> 0\.0\.0\.0:8091$' <<<"$stdout"
	chosen=$(sed -n 's/^80.*0\.0\.0\.0://p' <<<"$stdout")
	[ "$chosen" -ge 1024 ]
	wait_for 10 fetch "http://127.0.0.1:$chosen/hostname"
	host_hull 125 run --rm -P --network host localhost/ports true
	stderr_is "hull: --publish-all: with --network host there is nothing to publish"
	host_hull 125 run --rm -P --expose 1-1025 localhost/ports true
	stderr_is "hull: --publish-all: more than 1024 ports are exposed"
}

@test "port and inspect say the same of published ports" {
	local chosen part
	host_hull 0 network create six --ipv6
	host_hull 0 run -d --name web --network six -p 8086:80 -p 127.0.0.1:8087:80 -p 8088-8089:90-91/udp -p 100 $IMAGE sleep 1000
	host_hull 0 port web
	chosen=$(sed -n 's/^100.*0\.0\.0\.0://p' <<<"$stdout")
	[ "$chosen" -gt 0 ]
	stdout_is "80/tcp -> 0.0.0.0:8086
80/tcp -> 127.0.0.1:8087
80/tcp -> [::]:8086
90/udp -> 0.0.0.0:8088
90/udp -> [::]:8088
91/udp -> 0.0.0.0:8089
91/udp -> [::]:8089
100/tcp -> 0.0.0.0:$chosen
100/tcp -> [::]:$chosen"
	host_hull 0 ps --format '{{.Ports}}'
	for part in '0.0.0.0:8086->80/tcp' '[::]:8086->80/tcp' '127.0.0.1:8087->80/tcp' '0.0.0.0:8088-8089->90-91/udp' \
		"0.0.0.0:$chosen->100/tcp"; do
		[[ ", $stdout, " == *", $part, "* ]] || mismatch ports "$part" "$stdout"
	done
	for part in publish=80 publish=91/udp publish=89-90/udp network=six; do
		host_hull 0 ps --filter "$part" --format '{{.Names}} {{.Networks}}'
		stdout_is "web six"
	done
	for part in publish=8086 publish=90 network=bridge; do
		host_hull 0 ps --filter "$part" -q
		stdout_is ""
	done
	host_hull 0 port web 80
	stdout_is $'0.0.0.0:8086\n127.0.0.1:8087\n[::]:8086'
	host_hull 0 port web 91/udp
	stdout_is $'0.0.0.0:8089\n[::]:8089'
	host_hull 1 port web 91
	stderr_is "hull: container web has published no port 91/tcp"
	host_hull 1 port web 1:2
	stderr_is 'hull: port "1:2": expected PORT or PORT/PROTOCOL'
	host_hull 1 port nobody
	stderr_is "hull: no such container: nobody"
	host_hull 0 inspect web
	jq -e --arg p "$chosen" '.[0].NetworkSettings.Ports == {
		"80/tcp": [{HostIp: "0.0.0.0", HostPort: "8086"}, {HostIp: "127.0.0.1", HostPort: "8087"}, {HostIp: "::", HostPort: "8086"}],
		"90/udp": [{HostIp: "0.0.0.0", HostPort: "8088"}, {HostIp: "::", HostPort: "8088"}],
		"91/udp": [{HostIp: "0.0.0.0", HostPort: "8089"}, {HostIp: "::", HostPort: "8089"}],
		"100/tcp": [{HostIp: "0.0.0.0", HostPort: $p}, {HostIp: "::", HostPort: $p}]}' <<<"$stdout"
	host_hull 0 stop -t 0 web
	host_hull 0 port web
	stdout_is ""
	host_hull 1 port web 80
	host_hull 0 inspect web
	jq -e '.[0].NetworkSettings.Ports == {}' <<<"$stdout"
	host_hull 0 rm web
	host_hull 0 network rm six
}

@test "a network of CNI: run, inspect, connect, check; DEL when it ends, is removed, or was killed" {
	requires path=/usr/lib/cni/bridge path=/usr/lib/cni/host-local
	mkdir "$NETCONFPATH"
	cat >"$NETCONFPATH/10-lan.conf" <<-EOF
		{"cniVersion": "1.0.0", "name": "lan", "type": "bridge", "bridge": "lan0", "isGateway": true,
		 "capabilities": {"ips": true},
		 "ipam": {"type": "host-local", "dataDir": "$WORK/ipam", "subnet": "10.99.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}
	EOF
	host_hull 0 run --rm --network lan $IMAGE sh -c 'ip -o -4 address show dev eth0; ip route'
	stdout_has " 10.99.0.2/24 "
	stdout_has "default via 10.99.0.1 dev eth0"
	[ -z "$(given_out)" ]
	host_hull 0 network create red --subnet 10.8.0.0/24
	host_hull 0 run -d --name web --network red --network lan:ip=10.99.0.77 --cap-add net_admin $IMAGE sleep 1000
	[ "$(network_of web lan IPAddress) $(network_of web lan Gateway) $(network_of web lan Interface)" = "10.99.0.77 10.99.0.1 eth1" ]
	host_hull 0 exec web cat /sys/class/net/eth1/address
	stdout_is "$(network_of web lan MacAddress)"
	host_hull 0 network check web
	host_hull 0 exec web ip address flush dev eth1
	host_hull 1 network check web
	stderr_has "hull: network lan: CNI plug-in bridge failed to CHECK: "
	host_hull 0 network disconnect lan web
	[ -z "$(given_out)" ]
	host_hull 0 network connect --ip 10.99.0.78 lan web
	host_hull 0 restart -t 0 web
	[ "$(network_of web lan IPAddress)" = 10.99.0.78 ]
	host_hull 0 inspect web
	kill -KILL "$(ps -o ppid= -p "$(jq '.[0].State.Pid' <<<"$stdout")")"
	host_hull 0 rm -f web
	[ -z "$(given_out)" ]
	host_hull 125 run --rm --network lan -p 80:80 $IMAGE true
	stderr_has "is on no network that ports can be published from: network lan is cni"
	[ -z "$(given_out)$(ls "$DATA/network/containers")" ]
	host_hull 0 network rm red
	on_host ip link delete lan0
}

# The addresses that host-local has given out.
given_out() { find "$WORK/ipam" -name '[0-9]*.*' -printf '%f\n'; }

@test "a container whose keeper was killed: stop and rm release its network at once" {
	local verb
	host_hull 0 network create red
	for verb in "rm -f" "stop -t 0"; do
		host_hull 0 run -d --name web --network red -p 8083:80 $IMAGE httpd -f -p 80 -h /etc
		host_hull 0 inspect web
		kill -KILL "$(ps -o ppid= -p "$(jq '.[0].State.Pid' <<<"$stdout")")"
		# shellcheck disable=SC2086 # two words
		host_hull 0 $verb web
		[ -z "$(on_host ip -o link show type veth)" ]
		[ -z "$(ls "$DATA/network/containers")" ]
		[ "$(grep -vc '^last ' "$DATA/network/leases/red")" = 0 ]
		[ "$(on_host nft list table inet hull | grep -c comment)" = 0 ]
		[ ! -e "$DATA/network/names/red" ]
	done
	host_hull 0 rm web
	host_hull 0 network rm red
}

# user_hull STATUS WORD...: as somebody who is not root, with a copy that he can read. Not
# everywhere is /dev/net/tun everybody's, as udev makes it, so there is another one. Of two
# builds it is the one without sanitizers: hull-unpack shuts itself in, and cannot look for leaks then.
user_hull() {
	local want=$1 build=${HULL%/*}
	shift
	build=${build%/asan}
	if [ ! -e "$WORK/hull" ]; then
		mkdir -p "$WORK/hull/image"
		cp "$build/hull" "$WORK/hull/hull"
		cp -r "$build/libexec" "$WORK/hull/libexec"
		cp -r "$build/image/default.oci" "$WORK/hull/image/default.oci"
		chmod -R a+rX "$WORK/hull"
		install -d -m 0700 -o 65534 -g 65534 "$WORK/user" "$WORK/user/run"
		mknod --mode=666 "$WORK/tun" c 10 200
	fi
	run_command nsenter --net="/proc/$HOST/ns/net" unshare --mount sh -c '
		mount --bind "$0/tun" /dev/net/tun || exit 99
		exec setpriv --reuid 65534 --regid 65534 --clear-groups env -u HULL_LIBEXEC -u HULL_IMAGE HOME="$0/user" \
			XDG_RUNTIME_DIR="$0/user/run" "$0/hull/hull" --data-root "$0/user/data" "$@"' "$WORK" "$@"
	[ "$status" = "$want" ] || mismatch "exit status of \`hull $*\`" "$want" "$status"
}

@test "without root: pasta by itself, a published port, and what port and inspect say of it" {
	requires program=pasta program=setpriv path=/dev/net/tun
	on_host ip link add up0 type veth peer name up1
	on_host ip address add 192.0.2.1/24 dev up0
	on_host ip link set up0 up
	on_host ip link set up1 up
	on_host ip route add default via 192.0.2.2
	user_hull 0 run -d --name web -p 8090:80 $IMAGE sh -c \
		'mkdir /www; echo hello >/www/index.html; exec httpd -f -p 80 -h /www'
	wait_for 20 fetch http://192.0.2.1:8090/
	[ "$(fetch http://192.0.2.1:8090/)" = hello ]
	[ "$(fetch http://127.0.0.1:8090/)" = hello ]
	user_hull 0 port web 80
	stdout_is $'0.0.0.0:8090\n[::]:8090'
	user_hull 0 inspect web
	jq -e '.[0].NetworkMode == "pasta" and .[0].NetworkSettings.Networks == {} and
		.[0].NetworkSettings.Ports == {"80/tcp": [{HostIp: "0.0.0.0", HostPort: "8090"}, {HostIp: "::", HostPort: "8090"}]}' <<<"$stdout"
	user_hull 0 restart -t 0 web
	wait_for 20 fetch http://192.0.2.1:8090/
	user_hull 125 run --rm -p 8090:81 $IMAGE true
	stderr_has "has published 8090:80/tcp already"
	user_hull 125 run --rm --network pasta --network slirp4netns $IMAGE true
	stderr_is "hull: --network pasta: it goes with no other network: that is for networks of hull's own"
	user_hull 0 rm -f web
	user_hull 0 run -d --name web --expose 80 -P $IMAGE httpd -f -p 80 -h /etc
	user_hull 0 port web 80
	wait_for 20 fetch "http://192.0.2.1:$(sed -n 's/^0\.0\.0\.0://p' <<<"$stdout")/hostname"
	user_hull 0 rm -f web
	user_hull 1 port nobody
	stderr_is "hull: no such container: nobody"
	[ -z "$(ls "$WORK/user/data/network/containers")" ]
	# What is unpacked there is of ids that only a user namespace has.
	rm -rf "$WORK/user"
}

# Says who asks, on each socket that it was handed, until it is asked for the `turns`-th time.
serve_sockets() {
	cat >"$WORK/serve.py" <<'PYTHON'
import os, select, socket, sys
assert os.environ["LISTEN_PID"] == str(os.getpid()), "LISTEN_PID"
n = int(os.environ["LISTEN_FDS"])
names = os.environ["LISTEN_FDNAMES"].split(":")
print(n, *names, flush=True)
sockets = {socket.socket(fileno=3 + i): name for i, name in enumerate(names)}
for fd in map(int, os.listdir("/proc/self/fd")):
    if fd >= 3 + n and os.path.exists(f"/proc/self/fd/{fd}"):
        print("unknown descriptor", fd, os.readlink(f"/proc/self/fd/{fd}"), flush=True)
for turn in range(int(sys.argv[1])):
    s = select.select(list(sockets), [], [])[0][0]
    if s.type == socket.SOCK_STREAM:
        c, peer = s.accept()
        c.sendall(f"{sockets[s]} {peer[0]}".encode())
        c.close()
    else:
        peer = s.recvfrom(100)[1]
        s.sendto(f"{sockets[s]} {peer[0]}".encode(), peer)
sys.exit(7)
PYTHON
}

# ask tcp|udp ADDRESS PORT: what one of them says, on that host.
ask() {
	on_host python3 -c 'import socket, sys
kind, address, port = sys.argv[1:]
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
s.settimeout(10)
s.connect((address, int(port)))
if kind == "udp":
    s.send(b"x")
print(s.recv(100).decode())' "$@"
}

# The programs that the container runs are this host's.
PYTHON=(-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro)

@test "a published socket is the host's own: without a network, with the peer's address, over a restart" {
	local n
	requires path=/lib64
	serve_sockets
	host_hull 0 run -d --name web --network none --restart on-failure "${PYTHON[@]}" -v "$WORK:/w:ro" \
		--publish-socket web=8085 --publish-socket 127.0.0.1:8086/udp --publish-socket '[::1]:8087' \
		$IMAGE python3 /w/serve.py 1
	# It ends with each answer; meanwhile the sockets wait.
	for n in 1 2; do
		[ "$(ask tcp 127.0.0.1 8085)" = "web ::ffff:127.0.0.1" ]
		[ "$(ask tcp ::1 8085)" = "web ::1" ]
		[ "$(ask udp 127.0.0.1 8086)" = "udp-8086 127.0.0.1" ]
		[ "$(ask tcp ::1 8087)" = "tcp-8087 ::1" ]
	done
	host_hull 0 logs web
	[ "$(sort -u <<<"$stdout")" = "3 web udp-8086 tcp-8087" ] || mismatch logs "3 web udp-8086 tcp-8087" "$stdout"
	host_hull 0 inspect web
	jq -e '.[0].PublishedSockets == ["web=8085", "127.0.0.1:8086/udp", "[::1]:8087"]' <<<"$stdout"
	host_hull 125 run --rm --network none --publish-socket 8085 $IMAGE true
	stderr_is "hull: publish socket 8085:8085/tcp: a program on this host listens on tcp port 8085"
	host_hull 0 rm -f web
	! ask tcp 127.0.0.1 8085 2>/dev/null || false
	# In the foreground, behind hull-init, and with a network of its own as well.
	on_host "$HULL" --root "$STATE" --data-root "$DATA" run --rm --init "${PYTHON[@]}" -v "$WORK:/w:ro" \
		--publish-socket 8085 -p 8088:80 $IMAGE python3 /w/serve.py 1 >"$WORK/out" 2>&1 &
	wait_for 20 grep -q tcp-8085 "$WORK/out"
	[ "$(ask tcp 127.0.0.1 8085)" = "tcp-8085 ::ffff:127.0.0.1" ]
	local code=0
	wait $! || code=$?
	[ "$code" = 7 ] || mismatch "exit status" 7 "$code: $(cat "$WORK/out")"
}

@test "sockets that cannot be published are refused, and nothing is left" {
	host_hull 0 run -d --name web -p 8080:80 $IMAGE sleep 1000
	host_hull 125 run --rm --publish-socket 8080 $IMAGE true
	stderr_has "publish socket 8080:8080/tcp: container "
	stderr_has " has published 8080:80/tcp already"
	host_hull 125 run --rm --publish-socket 8081 --publish-socket x=8081 $IMAGE true
	stderr_is "hull: --publish-socket 8081 and x=8081: the same port"
	host_hull 125 run --rm --publish-socket 192.0.2.77:8081 $IMAGE true
	stderr_is "hull: publish socket 192.0.2.77:8081:8081/tcp: this host has no address 192.0.2.77"
	host_hull 125 run --rm --publish-socket 8081/sctp $IMAGE true
	stderr_is 'hull: publish socket "8081/sctp": behind "/" is tcp or udp'
	host_hull 125 run --rm --publish-socket ::1:8081 $IMAGE true
	stderr_is 'hull: publish socket "::1:8081": an IPv6 address stands in brackets: [::1]:8080'
	host_hull 125 run --rm --publish-socket a:b=8081 $IMAGE true
	stderr_has 'before "=" is a name'
	host_hull 125 run --rm --publish-socket 0 $IMAGE true
	stderr_is 'hull: publish socket "0": a port is a number between 1 and 65535'
	host_hull 0 ps -aq --no-trunc
	[ "$(wc -l <<<"$stdout")" = 1 ]
	host_hull 0 rm -f web
}

@test "port says where a container is reached, also where the host's port was hull's choice" {
	host_hull 0 run -d --name one -p 127.0.0.1:8080:80 -p 5300-5301:53-54/udp -p 90 "$IMAGE" sleep 1000
	host_hull 0 port one
	[ "$(head -n 3 <<<"$stdout")" = "$(printf '%s\n' "53/udp -> 0.0.0.0:5300" "54/udp -> 0.0.0.0:5301" "80/tcp -> 127.0.0.1:8080")" ]
	[[ "$(tail -n 1 <<<"$stdout")" =~ ^"90/tcp -> 0.0.0.0:"[1-9][0-9]*$ ]]
	host_hull 0 port one 80
	stdout_is 127.0.0.1:8080
	host_hull 0 port one 54/udp
	stdout_is 0.0.0.0:5301
	host_hull 1 port one 53
	stderr_is "hull: container one has published no port 53/tcp"
	host_hull 0 stop -t 0 one
	host_hull 0 port one
	stdout_is ""
	host_hull 0 rm one
}

@test "events: of networks, as containers come to be on them and leave, in the foreground, detached, and meanwhile" {
	host_hull 0 run --rm --network none "$IMAGE" true # the engine is there
	host_hull 0 network create red
	host_hull 0 network create blue
	host_hull 0 run --rm --network red "$IMAGE" true
	host_hull 0 run -d --name box --network red "$IMAGE" sleep 1000
	host_hull 0 network connect blue box
	host_hull 0 network disconnect red box
	host_hull 0 rm -f box
	host_hull 0 network rm red
	host_hull 0 network prune
	host_hull 0 events --until 0s --filter network=red --format '{{.Action}} {{.Actor.ID}} {{.Actor.Attributes.type}}'
	stdout_is $'create red bridge
connect red bridge
disconnect red bridge
connect red bridge
disconnect red bridge
destroy red bridge'
	host_hull 0 events --until 0s --filter network=blue --format '{{.Action}} {{.Actor.Attributes.name}}'
	stdout_is $'create blue\nconnect blue\ndisconnect blue\ndestroy blue'
	host_hull 0 events --until 0s --filter type=network --filter event=connect --format '{{.Actor.Attributes.container}}'
	[ "$(wc -l <<<"$stdout")" = 3 ]
	[ "$(sed -n 2p <<<"$stdout")" = "$(sed -n 3p <<<"$stdout")" ]
	# In which order a run tells of itself.
	host_hull 0 run --rm --name last "$IMAGE" true
	host_hull 0 events --until 0s --format '{{.Action}}'
	[ "$(tail -n 6 <<<"$stdout")" = $'create\nconnect\nstart\ndie\ndisconnect\ndestroy' ]
}
