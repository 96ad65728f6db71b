#!/usr/bin/env bats
# as: root
# sanitizers: thorough
#
# Networks that a running container joins and leaves, in network namespaces that the test makes.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # status, stdout and stderr are run_command's, tool is tool's
load helpers
load ../tools/tools
load network_helpers

# connect ID WORD..., disconnect ID NETWORK
connect() {
	netattach connect "$@"
	[ "$status" -eq 0 ] || mismatch "connect $*" 0 "$status: $stderr"
}

disconnect() {
	netattach disconnect "$@"
	[ "$status" -eq 0 ] || mismatch "disconnect $*" 0 "$status: $stderr"
}

# unwilling MESSAGE WORD...: netattach refuses.
unwilling() {
	netattach "${@:2}"
	[ "$status" -eq 1 ] || mismatch "$2 $3" 1 "$status"
	stderr_is "netattach: $1"
}

# links PID: the names of its links, without lo.
links() { at "$1" ip -brief link show | awk '$1 != "lo" { sub("@.*", "", $1); print $1 }' | sort | tr '\n' ' '; }

# leases NETWORK: who has addresses of it.
leases() { grep -v '^last ' "$HULL_NETWORK_DIR/leases/$1" 2>/dev/null || true; }

@test "connect: a further interface, with what was asked for; disconnect takes it away" {
	create web --subnet 10.8.0.0/24
	create db --subnet 10.9.0.0/24 --ipv6 --subnet fd00:9::/64 --mtu 1400
	container one net=web
	container two net=db
	serve "$one" tcp 80 one
	serve "$two" tcp 80 two
	silent "$one" tcp "$(address "$two")" 80
	connect one net=db ip=10.9.0.77 ip6=fd00:9::77 mac=02:00:00:00:00:77
	stdout_has "eth1 db 02:00:00:00:00:77 10.9.0.77/24 via 10.9.0.1 fd00:9::77/64 via fd00:9::1"
	[ "$(address "$one" 4 eth1)" = 10.9.0.77 ]
	[ "$(address "$one" 6 eth1)" = fd00:9::77 ]
	run_command nsenter --net="/proc/$one/ns/net" ip link show dev eth1
	stdout_has "mtu 1400"
	answers "$one" tcp "$(address "$two")" 80 "two 10.9.0.77"
	answers "$two" tcp 10.9.0.77 80 "one $(address "$two")"
	answers "$two" tcp fd00:9::77 80 "one $(address "$two" 6)"
	network inspect db
	[ "$(jq -r '.[0].containers[] | .id + " " + .interface + " " + .ip' <<<"$stdout")" = $'one eth1 10.9.0.77\ntwo eth0 10.9.0.2' ]
	network rm db
	stderr_is "hull: network db: container one is on it"
	disconnect one db
	[ "$(links "$one")" = "eth0 " ]
	[ "$(leases db)" = $'10.9.0.2 two\nfd00:9::2 two' ]
	silent "$two" tcp 10.9.0.77 80
	container three net=db ip=10.9.0.77
	# The first free name again; and all of it goes with the container.
	connect one net=db
	[ "$(links "$one")" = "eth0 eth1 " ]
	netattach detach one
	netattach detach two
	netattach detach three
	assert_no_container
}

@test "the way out is over the first network that has one" {
	local way='{ print $3, $5 }'
	create web --subnet 10.8.0.0/24
	create inside --subnet 10.9.0.0/24 --internal
	create more --subnet 10.10.0.0/24 --ipv6 --subnet fd00:10::/64
	container one net=inside
	[ -z "$(at "$one" ip route show default)" ]
	connect one net=web
	[ "$(at "$one" ip route show default | awk "$way")" = "10.8.0.1 eth1" ]
	connect one net=more
	[ "$(at "$one" ip route show default | awk "$way")" = "10.8.0.1 eth1" ]
	[ "$(at "$one" ip -6 route show default | awk "$way")" = "fd00:10::1 eth2" ]
	disconnect one web
	[ "$(at "$one" ip route show default | awk "$way")" = "10.10.0.1 eth2" ]
	at "$HOST" ip route add default via 192.0.2.2
	serve "$WORLD" tcp 82
	answers "$one" tcp 192.0.2.2 82 "server 192.0.2.1"
	disconnect one inside
	disconnect one more
	[ -z "$(links "$one")" ]
	[ -z "$(at "$one" ip route show default)" ]
	# On none, it is attached all the same.
	connect one net=web
	[ "$(at "$one" ip route show default | awk "$way")" = "10.8.0.1 eth0" ]
}

@test "published ports lead to a network that the container is on" {
	create web
	create more --ipv6
	create inside --internal
	container one net=web publish=8080:80
	serve "$one" tcp 80
	answers "$WORLD" tcp 192.0.2.1 8080 "server 192.0.2.2"
	connect one net=more
	stdout_has "port 8080:80/tcp"
	answers "$WORLD" tcp 192.0.2.1 8080 "server 192.0.2.2"
	answers "$WORLD" tcp 2001:db8::1 8080 "server 2001:db8::2"
	disconnect one web
	answers "$WORLD" tcp 192.0.2.1 8080 "server 192.0.2.2"
	connect one net=inside
	disconnect one more
	silent "$WORLD" tcp 192.0.2.1 8080
	silent "$WORLD" tcp 2001:db8::1 8080
	[ "$(at "$HOST" nft list table inet hull | grep -c comment)" = 0 ]
	# They are still its own, for when it can be reached again.
	refused "publish 8080:80/tcp: container one has published 8080:80/tcp already" two publish=8080:80
	serve "$HOST" tcp 8080
	unwilling "publish 8080:80/tcp: a program on this host listens on tcp port 8080" connect one net=web
	[ "$(links "$one")" = "eth0 " ]
	[ -z "$(leases web)" ]
}

@test "names follow: aliases of the network, and names of the neighbours there" {
	requires_dns
	world_names
	create web
	create db
	container one net=web
	container two net=db hostname=two-host
	named "$one" two "ok 203.0.113.9"
	connect one net=db alias=Front hostname=one-host
	stdout_has "-- resolv.conf
nameserver $(gateway "$one")"
	named "$one" two-host "ok $(address "$two")"
	named "$two" front "ok $(address "$one" 4 eth1)"
	named "$two" one-host "ok $(address "$one" 4 eth1)"
	named "$two" one "ok $(address "$one" 4 eth1)"
	disconnect one db
	named "$two" front "ok 203.0.113.9"
	named "$two" one "ok 203.0.113.9"
	named "$one" two-host "ok 203.0.113.9"
	# From the default network, where nobody answers, to one where somebody does.
	container plain
	stdout_has "nameserver 192.0.2.2"
	connect plain net=db
	stdout_has "nameserver $(at "$two" ip route show default | awk '{ print $3 }')"
	disconnect plain db
	stdout_has "nameserver 192.0.2.2"
	disconnect two db
	[ ! -e "$HULL_NETWORK_DIR/names/db" ]
	[ ! -e "$HULL_NETWORK_DIR/resolvers/db" ]
}

@test "what is wrong is said, and changes nothing" {
	local before
	create web --subnet 10.8.0.0/24
	create db --subnet 10.9.0.0/29
	container one net=web publish=8080:80
	container two net=db
	before=$(cat "$HULL_NETWORK_DIR/containers/one.json" "$HULL_NETWORK_DIR/leases/"*)
	unwilling "container one is on network web already" connect one net=web
	unwilling "there is no network nope: hull network create nope makes it" connect one net=nope
	unwilling "address 10.8.0.9 is not in 10.9.0.0/29, the subnet of network db" connect one net=db ip=10.8.0.9
	unwilling "address 10.9.0.2 of network db is that of container two" connect one net=db ip=10.9.0.2
	unwilling "address 10.9.0.1 is the gateway of network db" connect one net=db ip=10.9.0.1
	unwilling "address fd00::2: network db has no IPv6" connect one net=db ip6=fd00::2
	unwilling "container one is not on network db" disconnect one db
	unwilling "container nobody is not attached to any network" connect nobody net=db
	unwilling "container nobody is not attached to any network" disconnect nobody db
	# Something of the container's stands in the way.
	at "$one" ip link add eth1 type bridge
	netattach connect one net=db
	[ "$status" -eq 1 ]
	stderr_has "netattach: make veth hv"
	[ "$(cat "$HULL_NETWORK_DIR/containers/one.json" "$HULL_NETWORK_DIR/leases/"* | grep -v '^last 10.9')" = "$(grep -v '^last 10.9' <<<"$before")" ]
	[ "$(at "$HOST" ip -brief link show type veth | grep -c '^hv')" = 2 ]
	kill -9 "$one"
	wait_for 10 process_gone "$one"
	unwilling "container one has ended" disconnect one web
	unwilling "container one is not attached to any network" connect one net=db
	[ ! -e "$HULL_NETWORK_DIR/containers/one.json" ]
}

@test "what a container made of its links does not keep it on a network" {
	create web
	create db
	container one net=web net=db
	container two net=db
	serve "$two" tcp 80
	at "$one" ip link set eth1 down
	at "$one" ip link set eth1 name mine
	at "$one" ip link set mine up
	disconnect one db
	[ "$(links "$one")" = "eth0 " ]
	silent "$one" tcp "$(address "$two")" 80
	at "$one" ip link set eth0 down
	at "$one" ip link delete eth0
	disconnect one web
	[ "$(at "$HOST" ip -brief link show type veth | grep -c '^hv')" = 1 ]
	netattach detach one
	netattach detach two
	assert_no_container
}

@test "macvlan: joined and left; one that was moved away is said, and forced" {
	local away
	at "$HOST" ip link add m0 link uplink type macvlan mode bridge 2>/dev/null ||
		skip "this kernel has no links of kind macvlan"
	at "$HOST" ip link delete m0
	create lan --driver macvlan --parent uplink --subnet 192.0.2.0/24 --gateway 192.0.2.2
	create inside --internal
	container one net=inside
	serve "$WORLD" tcp 80
	connect one net=lan ip=192.0.2.77
	answers "$one" tcp 192.0.2.2 80 "server 192.0.2.77"
	at "$one" ip link set eth1 down
	at "$one" ip link set eth1 name mine
	disconnect one lan
	[ "$(links "$one")" = "eth0 " ]
	connect one net=lan ip=192.0.2.77
	away=$(namespace)
	at "$one" ip link set eth1 netns "/proc/$away/ns/net"
	unwilling "container one has moved or deleted its link eth1: --force gives its address back all the same" \
		disconnect one lan
	netattach force one lan
	[ "$status" -eq 0 ] || mismatch "force" 0 "$stderr"
	[ -z "$(leases lan)" ]
	kill "$away"
}

# Whole or not at all: what the record says of `one` is what it has.
assert_whole() {
	local recorded
	recorded=$(jq -r '.interfaces[] | .name' "$HULL_NETWORK_DIR/containers/one.json" | sort | tr '\n' ' ')
	[ "$recorded" = "$(links "$one")" ] || mismatch "links $1" "$recorded" "$(links "$one")"
	[ "$(jq '[.interfaces[] | select(.partial)] | length' "$HULL_NETWORK_DIR/containers/one.json")" = 0 ]
	[ "$(leases db | grep -c one)" = "$(grep -c eth0 <<<"$recorded")" ] ||
		mismatch "leases $1" "$recorded" "$(leases db)"
	[ "$(at "$HOST" ip -brief link show type veth | grep -c '^hv')" = "$(wc -w <<<"$recorded")" ]
	[ "$(at "$HOST" nft list table inet hull | grep -c 'comment "one"')" = "$(grep -c eth0 <<<"$recorded")" ] ||
		mismatch "rules $1" "$recorded" "$(at "$HOST" nft list table inet hull | grep comment)"
}

# killed N WORD...: netattach, killed at its N-th call that changes something.
killed() {
	at "$HOST" strace -o /dev/null -e trace=sendto,sendmsg,renameat,setns,clone,write \
		-e inject=sendto,sendmsg,renameat,setns,clone,write:signal=KILL:when="$1" \
		"$attach_tool" "$HULL_NETWORK_DIR" "${@:2}" >/dev/null 2>&1
}

@test "connect and disconnect are killed at any system call: the next command takes it away" {
	local n whole
	requires program=strace
	create inside --internal
	create web
	create db
	container one net=web net=inside publish=8080:80
	# The port leads over db whenever the container is on it.
	disconnect one web
	for n in $(seq 1 "$(rounds 60)"); do
		whole=0
		killed "$n" connect one net=db alias=front && whole=1
		netattach sweep
		[ "$status" -eq 0 ] || mismatch "sweep after connect $n" 0 "$stderr"
		assert_whole "after connect $n"
		netattach disconnect one db
		[ "$whole" = 0 ] || [ "$status" = 0 ] || mismatch "disconnect after $n" 0 "$stderr"
		[ "$(links "$one")" = "eth1 " ] || mismatch "after $n" eth1 "$(links "$one")"
		[ "$whole" = 0 ] || break
	done
	for n in $(seq 1 "$(rounds 60)"); do
		whole=0
		netattach connect one net=db alias=front
		[ "$status" = 0 ] || mismatch "connect before $n" 0 "$stderr"
		killed "$n" disconnect one db && whole=1
		netattach sweep
		[ "$status" -eq 0 ] || mismatch "sweep after disconnect $n" 0 "$stderr"
		[ "$(jq '[.interfaces[] | select(.partial)] | length' "$HULL_NETWORK_DIR/containers/one.json")" = 0 ]
		netattach disconnect one db
		[ "$(links "$one")" = "eth1 " ] || mismatch "after $n" eth1 "$(links "$one")"
		[ -z "$(leases db)" ]
		[ "$(at "$HOST" nft list table inet hull | grep -c comment)" = 0 ]
		[ "$whole" = 0 ] || break
	done
	netattach detach one
	assert_no_container
}

@test "many at once: each is whole, and none is lost" {
	local n pids=()
	for n in 1 2 3 4 5 6; do create "n$n"; done
	container one
	for n in 1 2 3 4 5 6; do
		at "$HOST" "$attach_tool" "$HULL_NETWORK_DIR" connect one "net=n$n" >/dev/null &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n"; done
	[ "$(links "$one")" = "eth0 eth1 eth2 eth3 eth4 eth5 eth6 " ]
	pids=()
	for n in 1 2 3 4 5 6; do
		at "$HOST" "$attach_tool" "$HULL_NETWORK_DIR" disconnect one "n$n" >/dev/null &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n"; done
	[ "$(links "$one")" = "eth0 " ]
	[ "$(jq '.interfaces | length' "$HULL_NETWORK_DIR/containers/one.json")" = 1 ]
}

@test "what a killed hull was about to write is nobody's, and goes; names that look like it are names" {
	create web --subnet 10.8.0.0/24
	create web.new --subnet 10.9.0.0/24
	container one net=web.new
	container two net=web
	[ "$(leases web.new)" = "10.9.0.2 one" ]
	touch "$HULL_NETWORK_DIR"/{networks/.web.json.new,leases/.web.new,containers/.three.json.new}
	network ls --quiet
	[ "$(grep -c web <<<"$stdout")" = 2 ]
	container three net=web.new
	[ "$(leases web.new)" = $'10.9.0.2 one\n10.9.0.3 three' ]
	[ -z "$(find "$HULL_NETWORK_DIR" -name '*.new' -path '*/.*')" ]
	netattach detach one
	netattach detach two
	netattach detach three
	assert_no_container
}
