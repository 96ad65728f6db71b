#!/usr/bin/env bats
# as: root
#
# Networks that CNI plug-ins make: Debian's bridge and host-local, and a made-up one that fails in
# every way, on a host that is a network namespace of the test's.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # status, stdout and stderr are run_command's
load helpers
load ../tools/tools
load network_helpers

PLUGINS=/usr/lib/cni

# configurations: an empty directory of them; CNI_PATH has the made-up plug-ins before Debian's.
configurations() {
	export CNI_PATH=$WORK/plugins:$PLUGINS
	mkdir -p "$NETCONFPATH" "$WORK/plugins"
}

# bridge_net NAME SUBNET [MORE]: a network of Debian's bridge and host-local, with a route to
# $ROUTE, by default everywhere; MORE are further plug-ins.
bridge_net() {
	configurations
	requires "path=$PLUGINS/bridge" "path=$PLUGINS/host-local"
	cat >"$NETCONFPATH/$1.conflist" <<-EOF
		{"cniVersion": "0.4.0", "name": "$1", "plugins": [
			{"type": "bridge", "bridge": "$1", "isGateway": true, "capabilities": {"ips": true, "mac": true},
			 "dns": {"nameservers": ["192.0.2.2"], "domain": "cni.example"},
			 "ipam": {"type": "host-local", "dataDir": "$WORK/ipam", "ranges": [[{"subnet": "$2"}]],
				  "routes": [{"dst": "${ROUTE:-0.0.0.0/0}"}]}}${3:-}]}
	EOF
}

# mac PID: of its eth0.
mac() { at "$1" ip -brief link show dev eth0 | awk '{ print $3 }'; }

# leases NETWORK: the addresses that host-local has given out.
leases() { find "$WORK/ipam/$1" -name '[0-9]*.*' -printf '%f\n' 2>/dev/null | sort | tr '\n' ' '; }

# fake_net NAME TYPE...: a network of made-up plug-ins; each is the program below.
fake_net() {
	local type plugins=
	configurations
	for type in "${@:2}"; do
		cp "$WORK/fake" "$WORK/plugins/$type"
		plugins+=${plugins:+,}"{\"type\": \"$type\", \"key\": [1, \"x\"], \"capabilities\": {\"ips\": true, \"mac\": true, \"portMappings\": true, \"aliases\": true}}"
	done
	echo "{\"cniVersion\": \"1.0.0\", \"name\": \"$1\", \"plugins\": [$plugins]}" >"$NETCONFPATH/$1.conflist"
}

# fake [LINE]: writes down what it is given, does LINE, and answers as one should.
fake() {
	cat >"$WORK/fake" <<-EOF
		#!/bin/sh
		here=\${0##*/}
		echo "\$CNI_COMMAND \$here" >>$WORK/calls
		env | sort >$WORK/env-\$CNI_COMMAND-\$here
		cat >$WORK/input-\$CNI_COMMAND-\$here
		${1:-}
		[ \$CNI_COMMAND = ADD ] || exit 0
		echo '{"cniVersion": "1.0.0", "ips": [{"address": "10.7.0.5/24", "gateway": "10.7.0.1"}], "by": "'\$here'"}'
	EOF
	chmod +x "$WORK/fake"
}

@test "bridge and host-local: addresses, a way to the host and to each other; DEL gives all back" {
	bridge_net lan 10.99.0.0/24
	container one net=lan hostname=one-host
	stdout_has "eth0 lan $(mac "$one") 10.99.0.2/24 via 10.99.0.1"
	stdout_has "search cni.example
nameserver 192.0.2.2"
	stdout_has "10.99.0.2	one-host"
	container two net=lan
	serve "$two" tcp 80 two
	serve "$HOST" tcp 81 host
	answers "$one" tcp "$(address "$two")" 80 "two 10.99.0.2"
	answers "$one" tcp 10.99.0.1 81 "host 10.99.0.2"
	[ "$(gateway "$one")" = 10.99.0.1 ]
	[ "$(leases lan)" = "10.99.0.2 10.99.0.3 " ]
	network inspect lan
	[ "$(jq -c '.[0] | [.driver, .plugins, [.containers[] | .id + " " + .ip]]' <<<"$stdout")" = '["cni",["bridge"],["one 10.99.0.2","two 10.99.0.3"]]' ]
	netattach detach one
	[ "$status" -eq 0 ] || mismatch detach 0 "$stderr"
	[ "$(leases lan)" = "10.99.0.3 " ]
	[ "$(at "$one" ip -brief link show | awk '{ print $1 }')" = lo ]
	netattach detach one
	netattach detach two
	assert_no_container
	[ -z "$(leases lan)" ]
	[ "$(at "$HOST" ip -brief link show type veth | grep -c '^veth')" = 0 ]
}

@test "an address and a MAC that were asked for; a full range says so" {
	bridge_net lan 10.99.0.0/29
	container one net=lan ip=10.99.0.5 mac=02:00:00:00:00:77
	[ "$(address "$one")" = 10.99.0.5 ]
	[ "$(mac "$one")" = 02:00:00:00:00:77 ]
	netattach attach two "$(namespace)" net=lan ip=10.99.0.5
	[ "$status" -eq 1 ]
	stderr_has "netattach: network lan: CNI plug-in bridge failed to ADD: "
	stderr_has "10.99.0.5"
	stderr_has "(code "
	for n in a b c d; do container "$n" net=lan; done
	netattach attach two "$(namespace)" net=lan
	[ "$status" -eq 1 ]
	stderr_has "no IP addresses available"
	[ "$(wc -l <<<"$stderr")" = 1 ]
	[ "$(leases lan | wc -w)" = 5 ]
}

@test "what a killed container had is given back by the next sweep" {
	bridge_net lan 10.99.0.0/24
	container one net=lan
	container two net=lan net=bridge
	kill -9 "$one"
	wait_for 10 process_gone "$one"
	netattach sweep
	stdout_is 1
	[ "$(leases lan)" = "10.99.0.3 " ]
	kill -9 "$two"
	wait_for 10 process_gone "$two"
	netattach sweep
	stdout_is 1
	[ -z "$(leases lan)" ]
	assert_no_container
}

@test "attach is killed at any system call: a sweep gives back what plug-ins made" {
	local n pid
	requires program=strace
	bridge_net lan 10.99.0.0/24
	for n in 1 2 3 4 5 6 7 8 10 12 14 16; do
		pid=$(namespace)
		at "$HOST" strace -o /dev/null -e trace=sendto,renameat,setns,clone3,memfd_create,waitid,wait4 \
			-e inject=sendto,renameat,setns,clone3,memfd_create,waitid,wait4:signal=KILL:when="$n" \
			"$attach_tool" "$HULL_NETWORK_DIR" attach two "$pid" net=lan >/dev/null 2>&1 || true
		kill "$pid"
		wait_for 10 process_gone "$pid"
		# A plug-in that it left running is done soon.
		wait_for 10 no_plugin
		netattach sweep
		[ "$status" -eq 0 ] || mismatch "sweep after $n" 0 "$stderr"
		[ -z "$(leases lan)" ] || mismatch "leases after $n" "" "$(leases lan)"
	done
	container two net=lan
	netattach detach two
	assert_no_container
}

no_plugin() { ! pgrep -f "^$PLUGINS/(bridge|host-local)" >/dev/null; }

@test "plug-ins are run in order, with a clean environment, their configuration and the result before" {
	fake
	fake_net made first second
	SECRET=x container one net=made ip=10.7.0.5 ip6=fd00:7::5 mac=02:00:00:00:00:05 alias=web publish=8080-8081:80-81 publish=127.0.0.1:90:91/udp
	stdout_has "eth0 made  10.7.0.5/24 via 10.7.0.1"
	stdout_has "port 8080-8081:80-81/tcp"
	[ "$(cat "$WORK/env-ADD-second")" = "CNI_COMMAND=ADD
CNI_CONTAINERID=one
CNI_IFNAME=eth0
CNI_NETNS=$HULL_NETWORK_DIR/containers/one.netns
CNI_PATH=$CNI_PATH
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PWD=$PWD" ] || mismatch environment "CNI_ and PATH" "$(cat "$WORK/env-ADD-second")"
	jq -e '.prevResult == null and .cniVersion == "1.0.0" and .name == "made" and .type == "first" and .key == [1, "x"]' "$WORK/input-ADD-first"
	jq -e '.prevResult.by == "first" and .runtimeConfig == {
		portMappings: [{hostPort: 8080, containerPort: 80, protocol: "tcp"}, {hostPort: 8081, containerPort: 81, protocol: "tcp"},
			{hostPort: 90, containerPort: 91, protocol: "udp", hostIP: "127.0.0.1"}],
		ips: ["10.7.0.5", "fd00:7::5"], mac: "02:00:00:00:00:05", aliases: {made: ["web"]}}' "$WORK/input-ADD-second"
	# What is published is nobody else's.
	refused "publish 8081:80/tcp: container one has published 8080-8081:80-81/tcp already" two publish=8081:80
	netattach check one
	[ "$status" -eq 0 ] || mismatch check 0 "$stderr"
	jq -e '.prevResult.by == "second"' "$WORK/input-CHECK-first"
	# The configuration is gone: what was run is what is undone.
	rm "$NETCONFPATH/made.conflist"
	kill -9 "$one"
	wait_for 10 process_gone "$one"
	netattach sweep
	stdout_is 1
	jq -e '.prevResult.by == "second" and .runtimeConfig.mac == "02:00:00:00:00:05"' "$WORK/input-DEL-first"
	grep -qx CNI_NETNS= "$WORK/env-DEL-first"
	[ "$(tr '\n' , <"$WORK/calls")" = "ADD first,ADD second,CHECK first,CHECK second,DEL second,DEL first," ]
	assert_no_container
}

@test "after a reboot plug-ins are told DEL for what was before" {
	fake
	fake_net made first
	container one net=made
	jq '.boot = "00000000-0000-0000-0000-000000000000"' "$HULL_NETWORK_DIR/containers/one.json" >"$WORK/record"
	cp "$WORK/record" "$HULL_NETWORK_DIR/containers/one.json"
	netattach sweep
	stdout_is 1
	[ "$(tail -n 1 "$WORK/calls")" = "DEL first" ]
	grep -qx CNI_NETNS= "$WORK/env-DEL-first"
	assert_no_container
}

# fails MESSAGE LINE: the second of two plug-ins does LINE when it is told to ADD; nothing is left.
fails() {
	rm -f "$WORK/calls"
	fake "[ \$CNI_COMMAND.\$here != ADD.second ] || { $2; }"
	fake_net made first second
	refused "network made: CNI plug-in second failed to ADD: $1" one net=made
	[ "$(tr '\n' , <"$WORK/calls")" = "ADD first,ADD second,DEL second,DEL first," ]
	assert_no_container
}

@test "a plug-in that fails is named, with its code and its words, and what was made is taken away" {
	fails "no such bridge (code 7)" 'echo "{\"cniVersion\": \"1.0.0\", \"code\": 7, \"msg\": \"no such bridge\"}"; exit 1'
	fails "no such bridge (code 107): on Sundays" 'echo "{\"code\": 107, \"msg\": \"no such bridge\", \"details\": \"on Sundays\"}"; exit 1'
	fails "$WORK/plugins/second ended with exit status 3, it said: help" 'echo help >&2; exit 3'
	fails "$WORK/plugins/second ended with exit status 3" 'echo no JSON; exit 3'
	fails "$WORK/plugins/second was killed by signal 9" 'kill -9 $$'
	# How it ended comes before what it said.
	fails "$WORK/plugins/second was killed by signal 9" 'echo "{\"code\": 7, \"msg\": \"no such bridge\"}"; kill -9 $$'
	# Nobody waits for the end of one that never stops, nor is all of it kept.
	fails "its answer has more than 262144 bytes" 'exec cat /dev/zero'
	fails "its answer has more than 262144 bytes" 'head -c 300000 /dev/zero; exit 3'
}

@test "an answer that is none, a plug-in that is not there, a configuration that is wrong" {
	fake 'echo nonsense; exit 0'
	fake_net made first
	netattach attach one "$(namespace)" net=made
	[ "$status" -eq 1 ]
	stderr_has "netattach: network made: the answer of CNI plug-in first: result:1:1: "
	fake 'echo "{\"cniVersion\": \"1.0.0\", \"ips\": [{\"address\": \"10.7.0.5\"}]}"; exit 0'
	fake_net made first
	refused 'network made: the answer of CNI plug-in first: "10.7.0.5" is no address with its prefix' one net=made
	assert_no_container
	fake
	fake_net made first
	rm "$WORK/plugins/first"
	refused "network made: the plug-in \"first\" is in none of $CNI_PATH (CNI_PATH; Debian: apt-get install containernetworking-plugins)" one net=made
	assert_no_container
	cp "$WORK/fake" "$WORK/plugins/first"
	echo '{"cniVersion": "1.0.0", "name": "wrong", "type": "../first"}' >"$NETCONFPATH/wrong.conf"
	netattach attach one "$(namespace)" net=wrong
	[ "$status" -eq 1 ]
	stderr_has "$NETCONFPATH/wrong.conf:1:1: \"../first\" is no plug-in's name"
	stderr_has "netattach: there is no network wrong"
	# It is in nobody's way.
	container one net=made
	echo '{"cniVersion": "1.0.0", "name": "plain", "type": "first"}' >"$NETCONFPATH/plain.conf"
	refused "network plain: it cannot be told an address: none of its CNI plug-ins has the capability ips" two net=plain ip=10.7.0.5
	refused "publish 8080:80/tcp: container two is on no network that ports can be published from: network plain is cni" two net=plain publish=8080:80
}

@test "a plug-in that is gone when a container ends: said, in nobody's way, and done when it is back" {
	fake
	fake_net made first
	container one net=made
	container two
	rm "$WORK/plugins/first"
	netattach detach one
	[ "$status" -eq 1 ]
	stderr_has "netattach: take the network of container one away: network made: CNI plug-in first failed to DEL: the plug-in"
	kill "$one" "$two"
	wait_for 10 process_gone "$one"
	wait_for 10 process_gone "$two"
	netattach sweep
	[ "$status" -eq 0 ]
	stdout_is 1
	stderr_has "take the network of container one away: network made: CNI plug-in first failed to DEL"
	cp "$WORK/fake" "$WORK/plugins/first"
	netattach sweep
	stdout_is 1
	assert_no_container
}

@test "CHECK says what is not as it was made; versions and configurations without it have none" {
	bridge_net lan 10.99.0.0/24
	container one net=lan net=bridge
	netattach check one
	[ "$status" -eq 0 ] || mismatch check 0 "$stderr"
	at "$one" ip address flush dev eth0
	netattach check one
	[ "$status" -eq 1 ]
	stderr_has "netattach: network lan: CNI plug-in bridge failed to CHECK: "
	sed -i 's/"name": "lan"/"name": "lan", "disableCheck": true/' "$NETCONFPATH/lan.conflist"
	container two net=lan net=bridge
	at "$two" ip address flush dev eth0
	netattach check two
	[ "$status" -eq 0 ] || mismatch check 0 "$stderr"
	# Of hull's own networks, the link.
	at "$two" ip link delete eth1
	netattach check two
	[ "$status" -eq 1 ]
	stderr_has "netattach: container two: its link hv"
	stderr_has " to network bridge is gone"
	netattach check nobody
	stderr_is "netattach: container nobody is not attached to any network"
}

@test "beside networks of hull's own: the way out, names and published ports are as those say" {
	ROUTE=10.98.0.0/16 bridge_net lan 10.99.0.0/24
	create web --subnet 10.8.0.0/24
	container one net=lan net=web publish=8080:80
	serve "$one" tcp 80 one
	[ "$(gateway "$one")" = 10.8.0.1 ]
	[ "$(at "$one" ip route show 10.98.0.0/16 | awk '{ print $3 }')" = 10.99.0.1 ]
	answers "$WORLD" tcp 192.0.2.1 8080 "one 192.0.2.2"
	netattach detach one
	assert_no_container
}

@test "connect and disconnect of a running container run ADD and DEL" {
	fake
	fake_net made first
	bridge_net lan 10.99.0.0/24
	container one
	netattach connect one net=lan ip=10.99.0.77
	[ "$status" -eq 0 ] || mismatch connect 0 "$stderr"
	[ "$(address "$one" 4 eth1)" = 10.99.0.77 ]
	netattach connect one net=made
	[ "$status" -eq 0 ] || mismatch connect 0 "$stderr"
	grep -qx CNI_IFNAME=eth2 "$WORK/env-ADD-first"
	netattach disconnect one lan
	[ "$status" -eq 0 ] || mismatch disconnect 0 "$stderr"
	[ -z "$(leases lan)" ]
	[ "$(at "$one" ip -brief link show | grep -c eth1)" = 0 ]
	netattach disconnect one made
	grep -qx "CNI_NETNS=$HULL_NETWORK_DIR/containers/one.netns" "$WORK/env-DEL-first"
	fake 'echo "{\"code\": 5, \"msg\": \"full\"}"; exit 1'
	cp "$WORK/fake" "$WORK/plugins/first"
	netattach connect one net=made
	[ "$status" -eq 1 ]
	stderr_has "network made: CNI plug-in first failed to ADD: full (code 5)"
	fake
	cp "$WORK/fake" "$WORK/plugins/first"
	netattach sweep
	[ "$(jq '.interfaces | length' "$HULL_NETWORK_DIR/containers/one.json")" = 1 ]
}

@test "the namespace that plug-ins are given is the container's, by one path, for as long as they run" {
	local path=$HULL_NETWORK_DIR/containers/one.netns
	fake "echo \$CNI_COMMAND \$(readlink \$CNI_NETNS | cut -d / -f 2,4) \$(stat -Lc %i \$CNI_NETNS) >>$WORK/seen"
	fake_net made first
	container one net=made
	netattach check one
	[ "$status" -eq 0 ] || mismatch check 0 "$stderr"
	[ ! -L "$path" ]
	# What a killed hull left is of no use, and nobody's.
	ln -s /proc/1/ns/net "$path"
	netattach detach one
	[ "$status" -eq 0 ] || mismatch detach 0 "$stderr"
	[ "$(sort -u "$WORK/seen")" = "$(printf '%s proc/fd %s\n' ADD "$(stat -Lc %i "/proc/$one/ns/net")" \
		CHECK "$(stat -Lc %i "/proc/$one/ns/net")" DEL "$(stat -Lc %i "/proc/$one/ns/net")")" ]
	assert_no_container
}

@test "what plug-ins of one directory made those take away, whatever CNI_PATH says by then" {
	local before=$WORK/plugins:$PLUGINS
	fake
	fake_net made first
	container one net=made
	container two net=made
	mkdir "$WORK/others"
	printf '#!/bin/sh\nexit 9\n' >"$WORK/others/first"
	chmod +x "$WORK/others/first"
	export CNI_PATH=$WORK/others
	netattach check one
	[ "$status" -eq 0 ] || mismatch check 0 "$stderr"
	netattach detach one
	[ "$status" -eq 0 ] || mismatch detach 0 "$stderr"
	grep -qx "CNI_PATH=$before" "$WORK/env-DEL-first"
	# A record of a hull that did not keep it.
	jq 'del(.interfaces[].cniPath)' "$HULL_NETWORK_DIR/containers/two.json" >"$WORK/record"
	cp "$WORK/record" "$HULL_NETWORK_DIR/containers/two.json"
	netattach detach two
	[ "$status" -eq 1 ]
	stderr_has "CNI plug-in first failed to DEL: $WORK/others/first ended with exit status 9"
	CNI_PATH=$before netattach detach two
	assert_no_container
}

@test "a plug-in that fails to DEL is in the way of nothing else of its container" {
	fake "[ \$CNI_COMMAND != DEL ] || { echo \"{\\\"code\\\": 5, \\\"msg\\\": \\\"\$here is stuck\\\"}\"; exit 1; }"
	fake_net made first
	fake_net more other
	create web --subnet 10.8.0.0/24
	container one net=made net=web net=more publish=8080:80 hostname=one-host
	netattach detach one
	[ "$status" -eq 1 ]
	# The last network first; what is said is the first failure.
	stderr_is "netattach: take the network of container one away: network more: CNI plug-in other failed to DEL: other is stuck (code 5)"
	[ "$(tail -n 2 "$WORK/calls" | tr '\n' ,)" = "DEL other,DEL first," ]
	[ "$(at "$HOST" ip -brief link show | grep -c '^hv')" = 0 ]
	! grep -v '^last ' "$HULL_NETWORK_DIR/leases/web" || false
	[ ! -e "$HULL_NETWORK_DIR/names/web" ]
	# What is left is known, and its ports are its own until then.
	[ -e "$HULL_NETWORK_DIR/containers/one.json" ]
	fake
	cp "$WORK/fake" "$WORK/plugins/first"
	cp "$WORK/fake" "$WORK/plugins/other"
	netattach detach one
	[ "$status" -eq 0 ] || mismatch detach 0 "$stderr"
	assert_no_container
}

@test "answers that a record has no room for: all is taken away, by who knows what was answered" {
	local n nets=()
	fake "[ \$CNI_COMMAND != ADD ] || { printf '{\"cniVersion\": \"1.0.0\", \"by\": \"%s\", \"pad\": \"' \$here; head -c 250000 /dev/zero | tr '\\0' x; echo '\"}'; exit 0; }"
	for n in 1 2 3 4 5; do
		fake_net "made$n" "plugin$n"
		nets+=("net=made$n")
	done
	netattach attach one "$(namespace)" "${nets[@]}"
	[ "$status" -eq 1 ]
	stderr_has "netattach: the network record of container one would have "
	stderr_has " bytes, and may have 1048576: it has too many names, or plug-ins of CNI say too much"
	[ "$(wc -l <<<"$stderr")" = 1 ]
	assert_no_container
	# Of the fifth nothing is in the record: the first DEL of it is from memory.
	for n in 1 2 3 4; do
		jq -e --arg by "plugin$n" '.prevResult.by == $by' "$WORK/input-DEL-plugin$n"
	done
	[ "$(grep -c 'DEL plugin5' "$WORK/calls")" = 2 ]
	# The same for a container that runs.
	container one "${nets[@]:0:4}"
	netattach connect one net=made5
	[ "$status" -eq 1 ]
	stderr_has "netattach: the network record of container one would have "
	[ "$(jq '.interfaces | length' "$HULL_NETWORK_DIR/containers/one.json")" = 4 ]
	netattach detach one
	assert_no_container
}

# waits_at COMMAND: a plug-in that at this says $WORK/begun and waits for $WORK/go.
waits_at() { fake "[ \$CNI_COMMAND != $1 ] || { touch $WORK/begun; while [ ! -e $WORK/go ]; do sleep 0.05; done; }"; }

# meanwhile WORD...: netattach in the background, until its plug-in has begun.
meanwhile() {
	in_background nsenter --net="/proc/$HOST/ns/net" "$attach_tool" "$HULL_NETWORK_DIR" "$@" >/dev/null
	MEANWHILE=$!
	wait_for 30 test -e "$WORK/begun"
}

# others_go_on: everything that other containers do, and a sweep.
others_go_on() {
	local other=other$RANDOM gone=gone$RANDOM
	container "$other"
	container "$gone"
	netattach connect "$other" net=web
	[ "$status" -eq 0 ] || mismatch connect 0 "$stderr"
	netattach disconnect "$other" web
	[ "$status" -eq 0 ] || mismatch disconnect 0 "$stderr"
	kill -9 "${!gone}"
	wait_for 10 process_gone "${!gone}"
	netattach sweep
	stdout_is 1
	netattach detach "$other"
	[ "$status" -eq 0 ] || mismatch detach 0 "$stderr"
	process_alive "$MEANWHILE"
}

process_alive() { ! process_gone "$1"; }

# ends: what was in the background ends well.
ends() {
	local ended=0
	touch "$WORK/go"
	wait "$MEANWHILE" || ended=$?
	[ "$ended" -eq 0 ] || mismatch "the end of what waited" 0 "$ended"
	rm "$WORK/go" "$WORK/begun"
}

@test "a slow plug-in is in nobody's way but its own container's" {
	create web --subnet 10.8.0.0/24
	waits_at ADD
	fake_net made first
	one=$(namespace)
	meanwhile attach one "$one" net=made
	others_go_on
	ends
	container two
	meanwhile connect two net=made
	others_go_on
	# It is being made, and so no sweep has taken it away.
	ends
	[ "$(jq -c '[.interfaces[] | [.network, .partial]]' "$HULL_NETWORK_DIR/containers/two.json")" = '[["bridge",false],["made",false]]' ]
	for word in CHECK DEL; do
		waits_at "$word"
		cp "$WORK/fake" "$WORK/plugins/first"
		if [ "$word" = CHECK ]; then meanwhile check two; else meanwhile disconnect two made; fi
		others_go_on
		ends
	done
	[ "$(jq '.interfaces | length' "$HULL_NETWORK_DIR/containers/two.json")" = 1 ]
	meanwhile detach one
	others_go_on
	ends
	netattach detach two
	assert_no_container
}

@test "two commands about one container come one after the other" {
	waits_at ADD
	fake_net made first
	container one
	meanwhile connect one net=made
	in_background nsenter --net="/proc/$HOST/ns/net" "$attach_tool" "$HULL_NETWORK_DIR" detach one
	local second=$!
	wait_for 10 waits_for_lock
	[ -e "$HULL_NETWORK_DIR/containers/one.json" ]
	ends
	wait "$second"
	[ "$(tr '\n' , <"$WORK/calls")" = "ADD first,DEL first," ]
	assert_no_container
}

# A process waits for a byte of the containers' lock.
waits_for_lock() {
	grep -q "^[0-9]*: -> OFDLCK .*:$(stat -c %i "$HULL_NETWORK_DIR/containers.lock") " /proc/locks
}

@test "hull is killed while a plug-in runs: that dies as well, and the next sweep takes the rest away" {
	waits_at ADD
	fake_net made first
	container one
	meanwhile connect one net=made
	kill -9 "$MEANWHILE"
	wait_for 10 no_fake
	[ "$(jq '.interfaces[1].partial' "$HULL_NETWORK_DIR/containers/one.json")" = true ]
	[ -L "$HULL_NETWORK_DIR/containers/one.netns" ]
	netattach sweep
	[ "$status" -eq 0 ] || mismatch sweep 0 "$stderr"
	[ "$(tail -n 1 "$WORK/calls")" = "DEL first" ]
	[ "$(jq '.interfaces | length' "$HULL_NETWORK_DIR/containers/one.json")" = 1 ]
	[ ! -L "$HULL_NETWORK_DIR/containers/one.netns" ]
	netattach detach one
	assert_no_container
}

no_fake() { ! pgrep --full "$WORK/plugins/first"; }

@test "portmap publishes for plug-ins' networks" {
	requires path=$PLUGINS/portmap program=iptables
	bridge_net lan 10.99.0.0/24 ', {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}'
	at "$HOST" iptables -t nat -L -n >/dev/null 2>&1 || skip "iptables does not work on this kernel"
	at "$HOST" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	container one net=lan publish=8080:80
	serve "$one" tcp 80 one
	answers "$WORLD" tcp 192.0.2.1 8080 "one 192.0.2.2"
	netattach detach one
	[ "$status" -eq 0 ] || mismatch detach 0 "$stderr"
	[ "$(at "$HOST" iptables-save -t nat | grep -c 10.99.0)" = 0 ]
}

@test "ls, create and rm know the networks of CNI" {
	fake
	fake_net made first
	network ls
	stdout_has "made   cni"
	network ls --quiet
	stdout_is made
	network create made
	stderr_is "hull: network made exists already: $NETCONFPATH/made.conflist"
	network rm made
	stderr_is "hull: network made is one of CNI, and not hull's to remove: that is to remove $NETCONFPATH/made.conflist"
	network prune
	stdout_is ""
	network check
	stderr_is "hull: network check takes at least one name"
	rm -r "$NETCONFPATH"
	network ls --quiet
	stdout_is ""
}
